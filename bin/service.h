/*
 * service.h -- the state of what start began.
 */
#ifndef PH_SERVICE_H
#define PH_SERVICE_H

#include <cjson/cJSON.h>

/* How many process groups (one per route and per wanted job, and nginx) have fewer workers than
 * wanted.  If groups is not NULL it gets the list {name, workers, wanted, process_group}; the
 * caller deletes it. */
int	service_missing(const cJSON *routes, const cJSON *jobs, cJSON **groups);

#endif
