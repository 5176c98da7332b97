/*
 * event.h -- what happens in the publishing system, as counted in event_counts
 * (schema.sql): the names, and exact counts between any two instants.
 */
#ifndef PH_EVENT_H
#define PH_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"

enum ph_event {
	PH_EVENT_REQUESTED, PH_EVENT_PUBLISHED, PH_EVENT_FAILED, PH_EVENT_RETRIED,
	PH_EVENT_JOBS_COMPLETED, PH_EVENT_CLIPS_CREATED, PH_EVENT_ORCHESTRATOR, PH_EVENT__MAX
};

struct ph_event_type {
	const char	*name;		/* "published" */
	const char	*text;		/* what is counted, by which time; a sentence without its stop */
	unsigned	 has_platform : 1;
};
extern const struct ph_event_type	ph_events[PH_EVENT__MAX];

/*
 * Events with from_ms <= time < to_ms, exactly.  keys: 1 << enum
 * ph_platform_key (filter.h), or-ed; 0: all, those without a platform, too.  Costs the hours in
 * between, and up to two minutes of base rows where the bounds cut one.
 */
enum ph_rc	ph_event_count(struct ph_db *, enum ph_event, unsigned keys, int64_t from_ms, int64_t to_ms,
		    int64_t *n, struct ph_err *);

/* The same of several events (1 << event, or-ed) in hardly more time; what n holds of others has no
 * meaning. */
enum ph_rc	ph_event_counts(struct ph_db *, unsigned events, unsigned keys, int64_t from_ms, int64_t to_ms,
		    int64_t n[PH_EVENT__MAX], struct ph_err *);

#endif
