/*
 * history.h -- metrics over time: one value per bucket of time.
 *
 * Events are counted from their rollups, whenever they happened.  Gauges come from the samples that
 * job-sampler takes each minute (stat_samples); where there is no sample there is no value, for
 * nobody knows how things stood.  All buckets are whole: the first is the one that holds the
 * first instant asked for.
 */
#ifndef PH_HISTORY_H
#define PH_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "domain/event.h"
#include "domain/metric.h"

/* -- buckets -------------------------------------------------------------------- */

enum {
	PH_HISTORY_POINTS = 500,	/* at most so many when the step is ours to choose */
	PH_HISTORY_POINTS_MAX = 2000,
	PH_HISTORY_DAYS_MAX = 400,
	PH_HISTORY_STEPS = 6
};
extern const int64_t		 ph_history_steps_ms[PH_HISTORY_STEPS];	/* ascending */
extern const char *const	 ph_history_step_names[PH_HISTORY_STEPS + 1];	/* "60s" ... "1d", NULL */

struct ph_history_range {
	int64_t		from_ms, to_ms;		/* start of the first bucket, end of the last */
	int64_t		step_ms;
	size_t		npoints;		/* 1 to PH_HISTORY_POINTS_MAX */
	unsigned	is_truncated : 1;	/* the oldest part was left out */
};

/*
 * The buckets that hold [from_ms, to_ms), from_ms < to_ms, both in 0..PH_TIME_MAX.  step_ms is one of
 * the steps, or 0: the smallest that gives at most PH_HISTORY_POINTS.  Buckets begin at multiples of
 * the step, those of a day at midnight tz_offset_min minutes east of UTC.  What is longer than
 * PH_HISTORY_DAYS_MAX days or PH_HISTORY_POINTS_MAX points loses its beginning.
 */
struct ph_history_range	ph_history_range(int64_t from_ms, int64_t to_ms, int64_t step_ms,
			    int64_t tz_offset_min);

/* -- samples -------------------------------------------------------------------- */

/* How densely samples are kept, and for how long; ascending.  A sample of a wider resolution is the
 * last value of its span so far. */
enum { PH_HISTORY_RESOLUTIONS = 3 };
extern const struct ph_history_resolution {
	int64_t	width_ms, keep_ms;
} ph_history_resolutions[PH_HISTORY_RESOLUTIONS];

/* -- series --------------------------------------------------------------------- */

enum ph_history_agg { PH_AGG_LAST, PH_AGG_AVG, PH_AGG_MIN, PH_AGG_MAX };
extern const char *const	ph_history_aggs[];	/* names; then NULL */

/* What to write where there is no event or sample.  A bucket that begins after now stays NAN, unless
 * something is in it. */
enum ph_history_fill { PH_FILL_NULL, PH_FILL_ZERO, PH_FILL_PREV };
extern const char *const	ph_history_fills[];	/* names; then NULL */

struct ph_history_series {
	const struct ph_metric	*gauge;		/* NULL: an event */
	enum ph_event		 event;
	unsigned		 keys;		/* of an event, as in ph_event_count() */
	enum ph_history_agg	 agg;		/* of a gauge, over the samples in a bucket */
	enum ph_history_fill	 fill;
};

/*
 * Look up the name of a series: a gauge of the catalogue, or "events.NAME"; the rest becomes the
 * default: last, zero for events and null for gauges.  0, or -1: there is none.
 */
int		ph_history_find(const char *name, size_t len, struct ph_history_series *);

/* One value per bucket of the range, inside the caller's transaction.  NAN: null. */
enum ph_rc	ph_history_read(struct ph_db *, const struct ph_history_range *,
		    const struct ph_history_series *, int64_t now_ms, double *values, struct ph_err *);

/* Several series: n times npoints values, one series after the other.  Events cost little more than
 * one of them. */
enum ph_rc	ph_history_read_all(struct ph_db *, const struct ph_history_range *,
		    const struct ph_history_series *, size_t n, int64_t now_ms, double *values, struct ph_err *);

/* -- heatmap -------------------------------------------------------------------- */

enum { PH_WEEKDAYS = 7, PH_HOURS = 24 };

/* Events of [from_ms, to_ms), exactly, by weekday (0: Monday) and hour of the local time tz_offset_min
 * minutes east of UTC. */
enum ph_rc	ph_history_heatmap(struct ph_db *, enum ph_event, unsigned keys, int64_t from_ms, int64_t to_ms,
		    int64_t tz_offset_min, int64_t cells[PH_WEEKDAYS][PH_HOURS], struct ph_err *);

#endif
