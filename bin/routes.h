/*
 * routes.h -- what the endpoints said about themselves (share/routes.json), and what is made
 * from it.
 */
#ifndef PH_ROUTES_H
#define PH_ROUTES_H

#include <cjson/cJSON.h>

#include "core/error.h"

/* The array of all --describe outputs.  Caller deletes.  NULL: err tells. */
cJSON		*routes_load(struct ph_err *);
/* A text member of a route, "" when absent. */
const char	*route_text(const cJSON *route, const char *member);
/* The scope of its first method; "" when it needs none. */
const char	*route_scope(const cJSON *route);
int		 route_cache_s(const cJSON *route);
/* Worker processes that the settings give the route. */
int		 route_workers(const cJSON *route);

/* openapi.json.  Caller deletes. */
cJSON		*openapi_make(const cJSON *routes);

/* The nginx configuration of the instance: whole, or only what belongs into http {}.
 * Caller frees.  NULL: err tells. */
char		*nginx_make(const cJSON *routes, int is_whole, struct ph_err *);

#endif
