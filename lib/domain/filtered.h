/*
 * filtered.h -- the figures of stats.h over the rows that a filter selects.  A filter of NULL, or one
 * that selects everything, costs what the counters cost.
 *
 * Platforms alone are answered from counters, a window of requests from the hours of log_counts and
 * the base rows of the two hours that it cuts.  What cannot be added up -- distinct clips, ranks -- is
 * read from an index, at the price of the logs in the window; names that are no key, at the price
 * of the logs of key other.
 */
#ifndef PH_FILTERED_H
#define PH_FILTERED_H

#include "domain/filter.h"
#include "domain/stats.h"

/* What is left of a filter on logs by the time of their request: a list of all platforms is none, and
 * neither is a window around all logs. */
enum ph_rc	ph_filtered_narrow(struct ph_db *, const struct ph_filter *, struct ph_filter *narrowed,
		    struct ph_err *);

/* Publish logs by status, of those requested in the window. */
enum ph_rc	ph_filtered_logs(struct ph_db *, const struct ph_filter *,
		    struct ph_log_totals totals[PH_LOG__MAX], struct ph_err *);
/* The same apart by platform. */
enum ph_rc	ph_filtered_platform_logs(struct ph_db *, const struct ph_filter *,
		    struct ph_log_totals totals[PH_PLATFORM__MAX][PH_LOG__MAX], struct ph_err *);
/* How many there are by status, of those created in the window. */
enum ph_rc	ph_filtered_created(struct ph_db *, const struct ph_filter *, int64_t n[PH_LOG__MAX],
		    struct ph_err *);

/* The processing times of nearest rank, of `percents`, among the logs of ph_filtered_logs(), of which
 * proc_n have one; null when that is 0. */
enum ph_rc	ph_filtered_percentiles(struct ph_db *, const struct ph_filter *, int64_t proc_n,
		    const int *percents, struct ph_value *values, size_t n, struct ph_err *);

/* Jobs by status, of those created in the window. */
enum ph_rc	ph_filtered_jobs(struct ph_db *, const struct ph_filter *, int64_t n[PH_JOB__MAX],
		    struct ph_err *);
/* The same apart by platform, of a filter that is not NULL; those that name none are left out. */
enum ph_rc	ph_filtered_platform_jobs(struct ph_db *, const struct ph_filter *,
		    int64_t n[PH_PLATFORM__MAX][PH_JOB__MAX], struct ph_err *);

/* Campaigns created in the window; with platforms, those whose clip has a log there. */
enum ph_rc	ph_filtered_campaigns(struct ph_db *, const struct ph_filter *, struct ph_campaign_totals *,
		    struct ph_err *);
/* Of these, active or paused: whose clip has a success log among the selected logs; and whose clip has
 * none, but an open one (scheduled, pending, processing, retry). */
enum ph_rc	ph_filtered_live_campaigns(struct ph_db *, const struct ph_filter *, int64_t *published,
		    int64_t *scheduled, struct ph_err *);

/* Clips created in the window, with platforms those that have a log there; videos likewise, with
 * platforms those that have such a clip, whenever that was made. */
struct ph_library {
	int64_t	videos, clips;
	int64_t	scored, score_nano;	/* clips with a score, and its sum; if wanted, else anything */
};
enum ph_rc	ph_filtered_library(struct ph_db *, const struct ph_filter *, int want_scores,
		    struct ph_library *, struct ph_err *);

/* Clips of the logs requested in the window, per platform of the answer: other holds facebook, too. */
enum {
	PH_CLIPS_READY,			/* distinct, with a pending or scheduled log */
	PH_CLIPS_PUBLISHED,		/* distinct, with a success log */
	PH_CLIPS_SCORE_N,		/* logs of scored clips */
	PH_CLIPS_SCORE_NANO,		/* and the sum, a term per log */
	PH_CLIPS_CLIP_SCORE_N,		/* distinct scored clips */
	PH_CLIPS_CLIP_SCORE_NANO,	/* and the sum, a term per clip */
	PH_CLIPS__MAX
};
enum ph_rc	ph_filtered_clips(struct ph_db *, const struct ph_filter *,
		    int64_t figures[PH_PLATFORM__MAX][PH_CLIPS__MAX], struct ph_err *);

#endif
