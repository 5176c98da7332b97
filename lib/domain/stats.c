/*
 * stats.c -- reading the counters that the triggers keep.
 */
#include "autoconf.h"

#include <string.h>

#include "domain/stats.h"

const struct ph_param ph_stats_params[PH_STATS_NPARAMS] = {
	[PH_STATS_INCLUDE]   = PH_PARAM_INCLUDE,
	[PH_STATS_TIME]      = PH_PARAM_TIME,
	[PH_STATS_TZ_OFFSET] = { .name = "tz_offset", .type = PH_P_INT, .min = -720, .max = 840,
	    .unit = "minutes east of UTC", .text = "Shifts the midnight that begins \"today\"." },
};

/* Index of a status in a list of names, or -1. */
static int
find(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* At most six statuses times five platforms: the whole table is one page. */
static const char sql_logs[] =
	"SELECT status, sum(n), sum(proc_n), sum(proc_ms), sum(skewed), sum(untimed),"
	" sum(requested_s), sum(requested_ms) FROM log_counts GROUP BY status";

enum ph_rc
ph_stats_logs(struct ph_db *db, struct ph_log_totals totals[PH_LOG__MAX], struct ph_err *err)
{
	static const char *const names[] = { "scheduled", "pending", "processing", "retry", "success",
	    "failed" };
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	memset(totals, 0, PH_LOG__MAX * sizeof(totals[0]));
	if ((rc = ph_db_prepare(db, sql_logs, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((i = find(names, PH_LOG__MAX, ph_stmt_text(st, 0))) < 0)
			continue;
		totals[i].n = ph_stmt_int(st, 1);
		totals[i].proc_n = ph_stmt_int(st, 2);
		totals[i].proc_ms = ph_stmt_int(st, 3);
		totals[i].skewed = ph_stmt_int(st, 4);
		totals[i].untimed = ph_stmt_int(st, 5);
		totals[i].requested_ms = (ph_int128)ph_stmt_int(st, 6) * 1000 + ph_stmt_int(st, 7);
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static const char sql_jobs[] = "SELECT status, sum(n) FROM job_counts GROUP BY status";

enum ph_rc
ph_stats_jobs(struct ph_db *db, int64_t n[PH_JOB__MAX], struct ph_err *err)
{
	static const char *const names[] = { "pending", "processing", "retry", "completed", "failed" };
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	memset(n, 0, PH_JOB__MAX * sizeof(n[0]));
	if ((rc = ph_db_prepare(db, sql_jobs, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		if ((i = find(names, PH_JOB__MAX, ph_stmt_text(st, 0))) >= 0)
			n[i] = ph_stmt_int(st, 1);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static const char sql_campaigns[] =
	"SELECT status, n, budget_cents, spent_cents FROM campaign_counts";

enum ph_rc
ph_stats_campaigns(struct ph_db *db, struct ph_campaign_totals *t, struct ph_err *err)
{
	static const char *const names[] = { "draft", "active", "paused", "completed" };
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	memset(t, 0, sizeof(*t));
	if ((rc = ph_db_prepare(db, sql_campaigns, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((i = find(names, PH_CAMPAIGN__MAX, ph_stmt_text(st, 0))) < 0)
			continue;
		t->n[i] = ph_stmt_int(st, 1);
		t->budget_cents += ph_stmt_int(st, 2);
		t->spent_cents += ph_stmt_int(st, 3);
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static const char sql_total[] = "SELECT n FROM totals WHERE name = $1";

enum ph_rc
ph_stats_total(struct ph_db *db, const char *name, int64_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_total, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, name);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*n = ph_stmt_int(st, 0);
		rc = PH_OK;
	} else if (rc == PH_DONE) {
		ph_fail(err, PH_EDBCORRUPT, "a counter is missing: run `pilothouse verify --repair`");
		rc = ph_fail_log(err, "totals has no row %s", name);
	}
	ph_stmt_done(st);
	return rc;
}

/*
 * From the cut minute on: minutes up to the next hour, hours up to the next day, then days
 * without end.  At most 59 + 23 rows and the days since.
 */
static const char sql_since[] =
	"SELECT coalesce(sum(n), 0) FROM ("
	"SELECT n FROM time_counts WHERE series = $1 AND width_ms = 60000"
	" AND start_at >= $2 AND start_at < $3"
	" UNION ALL SELECT n FROM time_counts WHERE series = $1 AND width_ms = 3600000"
	" AND start_at >= $3 AND start_at < $4"
	" UNION ALL SELECT n FROM time_counts WHERE series = $1 AND width_ms = 86400000"
	" AND start_at >= $4)";

/* The first multiple of width at or after t; t >= 0. */
static int64_t
round_up(int64_t t, int64_t width)
{
	return (t + width - 1) / width * width;
}

enum ph_rc
ph_stats_since(struct ph_db *db, const char *series, const char *edge_sql, int64_t from_ms,
    int64_t *n, struct ph_err *err)
{
	static const int64_t	 widths[] = { 60000, 3600000, 86400000 };
	const int64_t		 from = from_ms > 0 ? from_ms : 0;	/* no time is below 0 */
	struct ph_stmt		*st;
	enum ph_rc		 rc;
	size_t			 i;

	*n = 0;
	if ((rc = ph_db_prepare(db, sql_since, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, series);
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		ph_stmt_bind_int(st, (int)i + 2, round_up(from, widths[i]));
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	if (rc != PH_ROW)
		return rc;
	if (from == round_up(from, widths[0]))
		return PH_OK;
	if ((rc = ph_db_prepare(db, edge_sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, from);
	ph_stmt_bind_int(st, 2, round_up(from, widths[0]));
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*n += ph_stmt_int(st, 0);
		rc = PH_OK;
	}
	ph_stmt_done(st);
	return rc;
}

static const char sql_buckets[] =
	"SELECT bucket, n FROM proc_counts WHERE shift = $1 AND bucket >= $2 AND bucket < $3"
	" ORDER BY bucket";

enum ph_rc
ph_stats_processing_time(struct ph_db *db, int64_t rank, int64_t *ms, struct ph_err *err)
{
	static const int	 shifts[] = { 28, 21, 14, 7, 0 };
	struct ph_stmt		*st;
	int64_t			 low = 0, high = INT64_MAX;	/* buckets to walk at this shift */
	enum ph_rc		 rc;
	size_t			 i;

	for (i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		if ((rc = ph_db_prepare(db, sql_buckets, &st, err)) != PH_OK)
			return rc;
		ph_stmt_bind_int(st, 1, shifts[i]);
		ph_stmt_bind_int(st, 2, low);
		ph_stmt_bind_int(st, 3, high);
		while ((rc = ph_stmt_step(st, err)) == PH_ROW && ph_stmt_int(st, 1) < rank)
			rank -= ph_stmt_int(st, 1);
		if (rc == PH_ROW)
			*ms = ph_stmt_int(st, 0);
		ph_stmt_done(st);
		if (rc == PH_DONE) {
			ph_fail(err, PH_EDBCORRUPT, "a counter is wrong: run `pilothouse verify --repair`");
			return ph_fail_log(err, "proc_counts: rank beyond shift %d", shifts[i]);
		}
		if (rc != PH_ROW)
			return rc;
		low = *ms * 128;	/* the bucket's own 128 at the next shift */
		high = low + 128;
	}
	return PH_OK;
}

struct ph_value
ph_v_score(int64_t sum_nano, int64_t n)
{
	return ph_v_ratio(sum_nano, n * INT64_C(1000000000));
}
