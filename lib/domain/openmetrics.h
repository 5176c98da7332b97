/*
 * openmetrics.h -- everything that is counted, as text for Prometheus and its kin.
 *
 * The metrics of the catalogue as gauges, requests and latency histograms per route and the
 * workers from the common state file.  Two forms: the Prometheus text format 0.0.4, and
 * OpenMetrics 1.0.0.
 *
 * Names: pilothouse_ and the catalogue's with "_" for "."; platforms.P.X becomes platforms_X with the label
 * platform="P", events.E.W becomes events with the labels event and window.  Milliseconds become
 * seconds, and a name that ends in _ms or _total, which mean something else there, ends in _seconds or _all.
 */
#ifndef PH_OPENMETRICS_H
#define PH_OPENMETRICS_H

#include <stdint.h>

#include "core/endpoint.h"
#include "core/state.h"

enum ph_exposition { PH_EXPOSITION_PROMETHEUS, PH_EXPOSITION_OPENMETRICS };

/* The form that an Accept header asks for; NULL: Prometheus. */
enum ph_exposition	ph_exposition_of(const char *accept);
const char		*ph_exposition_type(enum ph_exposition);	/* Content-Type */

/* The whole text, inside the caller's transaction.  Caller frees.  state NULL: without requests
 * and workers. */
enum ph_rc	ph_openmetrics(struct ph_db *, struct ph_state *, int64_t now_ms, enum ph_exposition,
		    char **text, struct ph_err *);

/* The answer to a request for it. */
enum ph_rc	ph_openmetrics_get(struct ph_req *, struct ph_json *, struct ph_err *);

#endif
