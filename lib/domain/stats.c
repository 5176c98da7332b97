/*
 * stats.c -- reading the counters that the triggers keep.
 */
#include "autoconf.h"

#include <string.h>

#include "domain/stats.h"

int
ph_stats_find(const char *const *names, const char *name)
{
	int i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const char *const ph_log_statuses[] = { "scheduled", "pending", "processing", "retry", "success", "failed",
    NULL };
const char *const ph_job_statuses[] = { "pending", "processing", "retry", "completed", "failed", NULL };
const char *const ph_campaign_statuses[] = { "draft", "active", "paused", "completed", NULL };

enum ph_rc
ph_stats_add(struct ph_stmt *st, const char *const *names, int ncols, int64_t *sums, struct ph_err *err)
{
	enum ph_rc	rc;
	int		i, col;

	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((i = ph_stats_find(names, ph_stmt_text(st, 0))) < 0)
			continue;
		for (col = 0; col < ncols; col++)
			sums[i * ncols + col] += ph_stmt_int(st, col + 1);
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_stats_sums(struct ph_db *db, const char *sql, const char *const *names, int ncols, int64_t *sums,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	for (i = 0; names[i] != NULL; i++)
		memset(&sums[i * ncols], 0, (size_t)ncols * sizeof(sums[0]));
	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	return ph_stats_add(st, names, ncols, sums, err);
}

/* At most six statuses times five platforms: one page, in the order of the key. */
static const char sql_logs[] =
	"SELECT status, sum(n), sum(proc_n), sum(proc_ms), sum(skewed), sum(untimed),"
	" sum(requested_s), sum(requested_ms) FROM log_counts WHERE step_ms = 0 AND start_at = 0 GROUP BY status";

/* Half of that. */
static const char sql_log_counts[] =
	"SELECT status, sum(n) FROM log_counts WHERE step_ms = 0 AND start_at = 0 GROUP BY status";

enum ph_rc
ph_stats_log_counts(struct ph_db *db, int64_t n[PH_LOG__MAX], struct ph_err *err)
{
	return ph_stats_sums(db, sql_log_counts, ph_log_statuses, 1, n, err);
}

enum ph_rc
ph_stats_logs(struct ph_db *db, struct ph_log_totals totals[PH_LOG__MAX], struct ph_err *err)
{
	enum { N, PROC_N, PROC_MS, SKEWED, UNTIMED, REQUESTED_S, REQUESTED_MS, COLS };
	int64_t		 sums[PH_LOG__MAX][COLS];
	enum ph_rc	 rc;
	int		 i;

	rc = ph_stats_sums(db, sql_logs, ph_log_statuses, COLS, sums[0], err);
	for (i = 0; i < PH_LOG__MAX; i++)
		totals[i] = (struct ph_log_totals){
			.n = sums[i][N],
			.proc_n = sums[i][PROC_N], .proc_ms = sums[i][PROC_MS],
			.skewed = sums[i][SKEWED], .untimed = sums[i][UNTIMED],
			.requested_ms = (ph_int128)sums[i][REQUESTED_S] * 1000 + sums[i][REQUESTED_MS],
		};
	return rc;
}

static const char sql_jobs[] = "SELECT status, sum(n) FROM job_counts GROUP BY status";

enum ph_rc
ph_stats_jobs(struct ph_db *db, int64_t n[PH_JOB__MAX], struct ph_err *err)
{
	return ph_stats_sums(db, sql_jobs, ph_job_statuses, 1, n, err);
}

static const char sql_campaigns[] =
	"SELECT status, n, budget_cents, spent_cents FROM campaign_counts";

void
ph_stats_campaign_totals(struct ph_campaign_totals *t, int64_t sums[PH_CAMPAIGN__MAX][PH_CAMPAIGN_COLS])
{
	enum { N, BUDGET_CENTS, SPENT_CENTS };
	int i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < PH_CAMPAIGN__MAX; i++) {
		t->n[i] = sums[i][N];
		t->budget_cents += sums[i][BUDGET_CENTS];
		t->spent_cents += sums[i][SPENT_CENTS];
	}
}

enum ph_rc
ph_stats_campaigns(struct ph_db *db, struct ph_campaign_totals *t, struct ph_err *err)
{
	int64_t		 sums[PH_CAMPAIGN__MAX][PH_CAMPAIGN_COLS];
	const enum ph_rc rc = ph_stats_sums(db, sql_campaigns, ph_campaign_statuses, PH_CAMPAIGN_COLS,
			    sums[0], err);

	ph_stats_campaign_totals(t, sums);
	return rc;
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

/* The first multiple of width at or after t; t >= 0. */
static int64_t
round_up(int64_t t, int64_t width)
{
	return (t + width - 1) / width * width;
}

enum ph_rc
ph_stats_since(struct ph_db *db, const char *sql, const char *platform_key, int64_t from_ms, int64_t *n,
    struct ph_err *err)
{
	static const int64_t	 widths[] = { 1, 60000, 600000, 3600000 };
	struct ph_stmt		*st;
	enum ph_rc		 rc;
	size_t			 i;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		ph_stmt_bind_int(st, (int)i + 1, round_up(from_ms > 0 ? from_ms : 0, widths[i]));
	if (platform_key != NULL)
		ph_stmt_bind_text(st, 5, platform_key);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

static const char sql_buckets[] =
	"SELECT bucket, n FROM proc_counts WHERE shift = $1 AND bucket >= $2 AND bucket < $3"
	" ORDER BY bucket";

enum ph_rc
ph_stats_processing_time(struct ph_db *db, int64_t rank, int64_t *ms, struct ph_err *err)
{
	static const int	 shifts[] = { 20, 10, 0 };
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
		low = *ms * 1024;	/* the bucket's own 1024 at the next shift */
		high = low + 1024;
	}
	return PH_OK;
}

struct ph_value
ph_v_score(int64_t sum_nano, int64_t n)
{
	return ph_v_ratio(sum_nano, n * INT64_C(1000000000));
}
