/*
 * demo-samples.h -- what job-sampler would have noted of the demonstration's publish logs in the last
 * 48 hours: each minute the gauges that follow from the times in the logs.
 */
#ifndef PH_DEMO_SAMPLES_H
#define PH_DEMO_SAMPLES_H

#include <stdint.h>

#include "core/db.h"

struct demo_samples;		/* opaque: counts per gauge and minute */

/* Up to now.  Caller frees.  NULL: no memory. */
struct demo_samples	*demo_samples_new(int64_t now_ms);
void			 demo_samples_free(struct demo_samples *);	/* NULL is fine */

/*
 * A log: created and requested at created_at; done at done_at with status success or failed, or -1 and
 * since created_at in the status it has.
 */
void			 demo_samples_add(struct demo_samples *, const char *status, int64_t created_at,
			    int64_t done_at);

/* Into stat_samples, in every resolution. */
enum ph_rc		 demo_samples_insert(const struct demo_samples *, struct ph_db *, struct ph_err *);

#endif
