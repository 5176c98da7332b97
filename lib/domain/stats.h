/*
 * stats.h -- what the publishing statistics share: the counters behind them (schema.sql,
 * part 6), by status, in a time window, by rank.  Every call costs the same at any size of
 * the data and runs inside the caller's transaction.
 */
#ifndef PH_STATS_H
#define PH_STATS_H

#include <stdint.h>

#include "core/db.h"
#include "core/json.h"
#include "core/number.h"

/* Index of a name in a NULL-terminated list, or -1. */
int		ph_stats_find(const char *const *names, const char *name);

/*
 * Counters by name: sql binds nothing and gives rows of a name and ncols integers.  The rows of
 * names[i] (NULL-terminated) are added up in sums[i * ncols] and the ncols - 1 behind it; without
 * a row these are 0.  Rows of other names are left out.
 */
enum ph_rc	ph_stats_sums(struct ph_db *, const char *sql, const char *const *names, int ncols,
		    int64_t *sums, struct ph_err *);

/* The same for a statement that is bound already, adding to what the sums are; done with it. */
enum ph_rc	ph_stats_add(struct ph_stmt *, const char *const *names, int ncols, int64_t *sums,
		    struct ph_err *);

enum ph_log_status {
	PH_LOG_SCHEDULED, PH_LOG_PENDING, PH_LOG_PROCESSING, PH_LOG_RETRY, PH_LOG_SUCCESS,
	PH_LOG_FAILED, PH_LOG__MAX
};
extern const char *const ph_log_statuses[PH_LOG__MAX + 1];	/* their names; then NULL */

struct ph_log_totals {
	int64_t		n;
	int64_t		proc_n, proc_ms;	/* logs with a processing time, and its sum */
	int64_t		skewed, untimed;	/* success published before requested; without time */
	ph_int128	requested_ms;		/* sum of requested_at */
};
/* Publish logs by status: all of it, or how many there are in half the time. */
enum ph_rc	ph_stats_log_counts(struct ph_db *, int64_t n[PH_LOG__MAX], struct ph_err *);
enum ph_rc	ph_stats_logs(struct ph_db *, struct ph_log_totals totals[PH_LOG__MAX], struct ph_err *);

enum ph_job_status {
	PH_JOB_PENDING, PH_JOB_PROCESSING, PH_JOB_RETRY, PH_JOB_COMPLETED, PH_JOB_FAILED, PH_JOB__MAX
};
extern const char *const ph_job_statuses[PH_JOB__MAX + 1];
/* Jobs by status, whatever their platform. */
enum ph_rc	ph_stats_jobs(struct ph_db *, int64_t n[PH_JOB__MAX], struct ph_err *);

enum ph_campaign_status {
	PH_CAMPAIGN_DRAFT, PH_CAMPAIGN_ACTIVE, PH_CAMPAIGN_PAUSED, PH_CAMPAIGN_COMPLETED,
	PH_CAMPAIGN__MAX
};
extern const char *const ph_campaign_statuses[PH_CAMPAIGN__MAX + 1];
struct ph_campaign_totals {
	int64_t	n[PH_CAMPAIGN__MAX];
	int64_t	budget_cents, spent_cents;	/* over all of them */
};
/* From the sums of a statement whose rows are a status, 1, budget_cents and budget_spent_cents. */
enum { PH_CAMPAIGN_COLS = 3 };
void		ph_stats_campaign_totals(struct ph_campaign_totals *,
		    int64_t sums[PH_CAMPAIGN__MAX][PH_CAMPAIGN_COLS]);
enum ph_rc	ph_stats_campaigns(struct ph_db *, struct ph_campaign_totals *, struct ph_err *);

/* A row of the table totals; a name that is not there is PH_EDBCORRUPT. */
enum ph_rc	ph_stats_total(struct ph_db *, const char *name, int64_t *n, struct ph_err *);

/*
 * A statement that counts events at or after $1, exactly: a column of event_counts in whole minutes
 * from $2, tens of minutes from $3 and hours from $4 on, at most 9, 5 and the hours since, with
 * a row per platform; before $2 the logs of the cut minute by the time that the column counts, with
 * a condition that begins with AND on these and one on both, which may have the platform key $5.
 */
#define PH_SINCE_SQL(column, time, of_logs, of_both) \
	"SELECT (SELECT count(*) FROM publish_logs WHERE " time " >= $1 AND " time " < $2" of_logs of_both ")" \
	PH_SINCE_BUCKETS(column, "60000", "start_at >= $2 AND start_at < $3" of_both) \
	PH_SINCE_BUCKETS(column, "600000", "start_at >= $3 AND start_at < $4" of_both) \
	PH_SINCE_BUCKETS(column, "3600000", "start_at >= $4" of_both)
#define PH_SINCE_BUCKETS(column, step, range) \
	" + (SELECT coalesce(sum(" column "), 0) FROM event_counts WHERE step_ms = " step " AND " range ")"

/* Run one; platform_key NULL: it has no $5. */
enum ph_rc	ph_stats_since(struct ph_db *, const char *sql, const char *platform_key, int64_t from_ms,
		    int64_t *n, struct ph_err *);

/* The rank-th smallest processing time (1 = the smallest) in ms; rank within proc_n. */
enum ph_rc	ph_stats_processing_time(struct ph_db *, int64_t rank, int64_t *ms, struct ph_err *);

/* The mean of n scores whose sum is kept in nanos; 0.0 (or null) when n is 0. */
struct ph_value	ph_v_score(int64_t sum_nano, int64_t n);

#endif
