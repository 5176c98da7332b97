/*
 * filtered.c -- figures of selected rows that are sums: logs, jobs, campaigns; and ranks among logs.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "domain/filtered.h"

enum { HOUR_MS = 3600000, KEYS_ALL = (1 << PH_PLATFORM__MAX) - 1 };

static int
has_key(const struct ph_filter *f, int key)
{
	return (f->keys >> key & 1) != 0;
}

/* What a statement gives besides its failure: at most one row of one or two integers, else 0. */
static enum ph_rc
one_row(struct ph_stmt *st, int64_t *a, int64_t *b, struct ph_err *err)
{
	enum ph_rc rc;

	*a = *b = 0;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*a = ph_stmt_int(st, 0);
		*b = ph_stmt_int(st, 1);
		rc = PH_OK;
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* The first and last entry of an index. */
static const char sql_requested[] =
	"SELECT (SELECT min(requested_at) FROM publish_logs), (SELECT max(requested_at) FROM publish_logs)";
static const char sql_created[] =
	"SELECT (SELECT min(created_at) FROM publish_logs), (SELECT max(created_at) FROM publish_logs)";

/* What is left of a filter on logs: a list of all platforms or a window around all logs is none.
 * *is_most: the window spans more than half of their time. */
static enum ph_rc
narrow(struct ph_db *db, const struct ph_filter *f, const char *sql_bounds, struct ph_filter *out, int *is_most,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	int64_t		 first, last;
	enum ph_rc	 rc;

	ph_filter_init(out);
	*is_most = 0;
	if (f == NULL)
		return PH_OK;
	*out = *f;
	if (out->keys == KEYS_ALL)
		out->has_platform = 0;
	if (!out->has_time)
		return PH_OK;
	if ((rc = ph_db_prepare(db, sql_bounds, &st, err)) != PH_OK ||
	    (rc = one_row(st, &first, &last, err)) != PH_OK)
		return rc;
	if (out->from_ms <= first && last < out->to_ms) {
		out->has_time = 0;
		out->from_ms = 0;
		out->to_ms = INT64_MAX;
	} else
		*is_most = (out->to_ms < last ? out->to_ms : last) -
		    (out->from_ms > first ? out->from_ms : first) > (last - first) / 2;
	return PH_OK;
}

enum ph_rc
ph_filtered_narrow(struct ph_db *db, const struct ph_filter *f, struct ph_filter *narrowed, struct ph_err *err)
{
	int is_most;

	return narrow(db, f, sql_requested, narrowed, &is_most, err);
}

/* -- logs by the time of their request ------------------------------------------ */

typedef struct ph_log_totals by_platform[PH_PLATFORM__MAX][PH_LOG__MAX];

#define COUNTERS "SELECT status, platform_key, n, proc_n, proc_ms, skewed, untimed, requested_s, requested_ms"
#define BASE_ROWS "SELECT status, platform_key, count(*), count(proc_ms), sum(proc_ms)," \
	" count(*) FILTER (WHERE status = 'success' AND published_at < requested_at)," \
	" count(*) FILTER (WHERE status = 'success' AND published_at IS NULL)," \
	" sum(requested_at / 1000), sum(requested_at % 1000) FROM publish_logs"

static const char sql_all[] = COUNTERS " FROM log_counts WHERE step_ms = 0";
static const char sql_hours[] =
	COUNTERS " FROM log_counts WHERE step_ms = 3600000 AND start_at >= $1 AND start_at < $2";
/* Within one hour of ix_logs_requested. */
static const char sql_edge[] =
	BASE_ROWS " WHERE requested_at >= $1 AND requested_at < $2 GROUP BY status, platform_key";
/* Among the logs of key other in ix_logs_platform. */
static const char sql_named[] =
	BASE_ROWS " WHERE platform_key = 'other' AND " PH_FILTER_SQL_TIME("requested_at")
	" AND lower(trim(platform)) IN " PH_FILTER_SQL_NAMES " GROUP BY status";

/* Add or take away (sign) the rows of those keys. */
static enum ph_rc
add_logs(struct ph_stmt *st, unsigned keys, int sign, by_platform totals, struct ph_err *err)
{
	struct ph_log_totals	*t;
	enum ph_rc		 rc;
	int			 status, key;

	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((status = ph_stats_find(ph_log_statuses, ph_stmt_text(st, 0))) < 0 ||
		    (key = ph_stats_find(ph_platform_keys, ph_stmt_text(st, 1))) < 0 || (keys >> key & 1) == 0)
			continue;
		t = &totals[key][status];
		t->n += sign * ph_stmt_int(st, 2);
		t->proc_n += sign * ph_stmt_int(st, 3);
		t->proc_ms += sign * ph_stmt_int(st, 4);
		t->skewed += sign * ph_stmt_int(st, 5);
		t->untimed += sign * ph_stmt_int(st, 6);
		t->requested_ms += sign * ((ph_int128)ph_stmt_int(st, 7) * 1000 + ph_stmt_int(st, 8));
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* Those of [from, to) that one statement gives, if that holds anything. */
static enum ph_rc
add_span(struct ph_db *db, const char *sql, int64_t from, int64_t to, unsigned keys, int sign,
    by_platform totals, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if (from >= to)
		return PH_OK;
	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, from);
	ph_stmt_bind_int(st, 2, to);
	return add_logs(st, keys, sign, totals, err);
}

/* [from, to): its whole hours, and what is before and after them. */
static enum ph_rc
add_window(struct ph_db *db, int64_t from, int64_t to, unsigned keys, int sign, by_platform totals,
    struct ph_err *err)
{
	const int64_t	last = to == INT64_MAX ? to : to / HOUR_MS * HOUR_MS;
	int64_t		first;
	enum ph_rc	rc;

	if (from >= to)
		return PH_OK;
	first = (from + HOUR_MS - 1) / HOUR_MS * HOUR_MS;	/* from is no more than PH_TIME_MAX */
	if (first >= last)
		return add_span(db, sql_edge, from, to, keys, sign, totals, err);
	if ((rc = add_span(db, sql_edge, from, first, keys, sign, totals, err)) != PH_OK ||
	    (rc = add_span(db, sql_hours, first, last, keys, sign, totals, err)) != PH_OK)
		return rc;
	return add_span(db, sql_edge, last, to, keys, sign, totals, err);
}

/* A window of most of the time is all that there is, less what lies outside. */
static enum ph_rc
add_keys(struct ph_db *db, const struct ph_filter *f, int is_most, by_platform totals, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if (f->has_time && !is_most)
		return add_window(db, f->from_ms, f->to_ms, f->keys, 1, totals, err);
	if ((rc = ph_db_prepare(db, sql_all, &st, err)) != PH_OK ||
	    (rc = add_logs(st, f->keys, 1, totals, err)) != PH_OK || !f->has_time ||
	    (rc = add_window(db, 0, f->from_ms, f->keys, -1, totals, err)) != PH_OK)
		return rc;
	return add_window(db, f->to_ms, INT64_MAX, f->keys, -1, totals, err);
}

/* The same for a filter that is narrowed already. */
static enum ph_rc
platform_logs(struct ph_db *db, const struct ph_filter *f, int is_most, by_platform totals, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	memset(totals, 0, sizeof(by_platform));
	if ((f->keys != 0 && (rc = add_keys(db, f, is_most, totals, err)) != PH_OK))
		return rc;
	if (f->nnames == 0)
		return PH_OK;
	if ((rc = ph_db_prepare(db, sql_named, &st, err)) != PH_OK)
		return rc;
	ph_filter_bind_time(f, st);
	ph_filter_bind_names(f, st);
	return add_logs(st, 1u << PH_PLATFORM_OTHER, 1, totals, err);
}

enum ph_rc
ph_filtered_platform_logs(struct ph_db *db, const struct ph_filter *filter, by_platform totals,
    struct ph_err *err)
{
	struct ph_filter f;
	enum ph_rc	 rc;
	int		 is_most;

	if ((rc = narrow(db, filter, sql_requested, &f, &is_most, err)) != PH_OK)
		return rc;
	return platform_logs(db, &f, is_most, totals, err);
}

enum ph_rc
ph_filtered_logs(struct ph_db *db, const struct ph_filter *filter, struct ph_log_totals totals[PH_LOG__MAX],
    struct ph_err *err)
{
	struct ph_filter	f;
	by_platform		by;
	enum ph_rc		rc;
	int			is_most, key, i;

	if ((rc = narrow(db, filter, sql_requested, &f, &is_most, err)) != PH_OK)
		return rc;
	if (ph_filter_is_off(&f))
		return ph_stats_logs(db, totals, err);
	rc = platform_logs(db, &f, is_most, by, err);
	memset(totals, 0, PH_LOG__MAX * sizeof(totals[0]));
	for (key = 0; key < PH_PLATFORM__MAX; key++)
		for (i = 0; i < PH_LOG__MAX; i++) {
			totals[i].n += by[key][i].n;
			totals[i].proc_n += by[key][i].proc_n;
			totals[i].proc_ms += by[key][i].proc_ms;
			totals[i].skewed += by[key][i].skewed;
			totals[i].untimed += by[key][i].untimed;
			totals[i].requested_ms += by[key][i].requested_ms;
		}
	return rc;
}

/* -- ranks ----------------------------------------------------------------------- */

/* Of one key; ix_logs_platform has all of it. */
static const char sql_times[] =
	"SELECT proc_ms FROM publish_logs WHERE platform_key = $1 AND " PH_FILTER_SQL_TIME("requested_at")
	" AND status = 'success' AND proc_ms IS NOT NULL";
static const char sql_named_times[] =
	"SELECT proc_ms FROM publish_logs WHERE platform_key = 'other' AND " PH_FILTER_SQL_TIME("requested_at")
	" AND status = 'success' AND proc_ms IS NOT NULL AND lower(trim(platform)) IN " PH_FILTER_SQL_NAMES;

/* Append the times of key, or of the names with PH_PLATFORM__MAX; room for max of them. */
static enum ph_rc
take_times(struct ph_db *db, const struct ph_filter *f, int key, int64_t *times, size_t *n, size_t max,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, key == PH_PLATFORM__MAX ? sql_named_times : sql_times, &st, err)) != PH_OK)
		return rc;
	if (key == PH_PLATFORM__MAX)
		ph_filter_bind_names(f, st);
	else
		ph_stmt_bind_text(st, 1, ph_platform_keys[key]);
	ph_filter_bind_time(f, st);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && *n < max)
		times[(*n)++] = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	if (rc == PH_ROW) {
		ph_fail(err, PH_EDBCORRUPT, "a counter is wrong: run `pilothouse verify --repair`");
		return ph_fail_log(err, "more processing times than log_counts say");
	}
	return rc == PH_DONE ? PH_OK : rc;
}

/* The k-th smallest (0: the smallest) of n, which are reordered: Hoare's selection. */
static int64_t
kth_smallest(int64_t *a, size_t n, size_t k)
{
	size_t	low = 0, high = n - 1;

	while (low < high) {
		const int64_t	pivot = a[low + (high - low) / 2];
		size_t		i = low, j = high;

		for (;;) {
			int64_t swap;

			while (a[i] < pivot)
				i++;
			while (a[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap = a[i];
			a[i++] = a[j];
			a[j--] = swap;
		}
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return a[k];
}

enum ph_rc
ph_filtered_percentiles(struct ph_db *db, const struct ph_filter *filter, int64_t proc_n, const int *percents,
    struct ph_value *values, size_t n, struct ph_err *err)
{
	struct ph_filter	 f;
	int64_t			*times = NULL, rank, ms;
	enum ph_rc		 rc;
	size_t			 i, have = 0;
	int			 is_most, key;

	for (i = 0; i < n; i++)
		values[i] = ph_v_null();
	if ((rc = narrow(db, filter, sql_requested, &f, &is_most, err)) != PH_OK || proc_n == 0)
		return rc;
	if (!ph_filter_is_off(&f)) {
		if ((times = reallocarray(NULL, (size_t)proc_n, sizeof(*times))) == NULL)
			return ph_fail(err, PH_ENOMEM, "no memory for the processing times");
		for (key = 0; key <= PH_PLATFORM__MAX && rc == PH_OK; key++)
			if (key < PH_PLATFORM__MAX ? has_key(&f, key) : f.nnames > 0)
				rc = take_times(db, &f, key, times, &have, (size_t)proc_n, err);
	}
	for (i = 0; i < n && rc == PH_OK; i++) {
		rank = (proc_n * percents[i] + 99) / 100;	/* nearest rank, from 1 */
		if (times == NULL)
			rc = ph_stats_processing_time(db, rank, &ms, err);
		else if (rank > (int64_t)have) {
			ph_fail(err, PH_EDBCORRUPT, "a counter is wrong: run `pilothouse verify --repair`");
			rc = ph_fail_log(err, "fewer processing times than log_counts say");
		} else
			ms = kth_smallest(times, have, (size_t)rank - 1);
		if (rc == PH_OK)
			values[i] = ph_v_int(ms);
	}
	free(times);
	return rc;
}

/* -- logs by the time of their creation ----------------------------------------- */

/* ix_logs_created has all of it. */
static const char sql_created_rows[] =
	"SELECT status, platform_key FROM publish_logs WHERE created_at >= $1 AND created_at < $2";
static const char sql_created_named[] =
	"SELECT status, count(*) FROM publish_logs WHERE platform_key = 'other' AND "
	PH_FILTER_SQL_TIME("+created_at") " AND lower(trim(platform)) IN " PH_FILTER_SQL_NAMES " GROUP BY status";

static enum ph_rc
count_created(struct ph_db *db, int64_t from, int64_t to, unsigned keys, int sign, int64_t *n,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 status, key;

	if ((rc = ph_db_prepare(db, sql_created_rows, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, from);
	ph_stmt_bind_int(st, 2, to);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		status = ph_stats_find(ph_log_statuses, ph_stmt_text(st, 0));
		if (keys != KEYS_ALL && ((key = ph_stats_find(ph_platform_keys, ph_stmt_text(st, 1))) < 0 ||
		    (keys >> key & 1) == 0))
			continue;
		if (status >= 0)
			n[status] += sign;
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_filtered_created(struct ph_db *db, const struct ph_filter *filter, int64_t n[PH_LOG__MAX], struct ph_err *err)
{
	struct ph_filter	 f;
	struct ph_log_totals	 t[PH_LOG__MAX];
	struct ph_stmt		*st;
	enum ph_rc		 rc;
	int			 is_most, i;

	memset(n, 0, PH_LOG__MAX * sizeof(n[0]));
	if ((rc = narrow(db, filter, sql_created, &f, &is_most, err)) != PH_OK)
		return rc;
	if (!f.has_time || is_most) {
		/* All of them whenever they came, less those outside. */
		struct ph_filter any_time = f;

		any_time.has_time = 0;
		any_time.from_ms = 0;
		any_time.to_ms = INT64_MAX;
		any_time.nnames = 0;
		if ((rc = ph_filtered_logs(db, &any_time, t, err)) != PH_OK)
			return rc;
		for (i = 0; i < PH_LOG__MAX; i++)
			n[i] = t[i].n;
		if (f.has_time && ((rc = count_created(db, 0, f.from_ms, f.keys, -1, n, err)) != PH_OK ||
		    (rc = count_created(db, f.to_ms, INT64_MAX, f.keys, -1, n, err)) != PH_OK))
			return rc;
	} else if (f.keys != 0 && (rc = count_created(db, f.from_ms, f.to_ms, f.keys, 1, n, err)) != PH_OK)
		return rc;
	if (f.nnames == 0)
		return PH_OK;
	if ((rc = ph_db_prepare(db, sql_created_named, &st, err)) != PH_OK)
		return rc;
	ph_filter_bind_time(&f, st);
	ph_filter_bind_names(&f, st);
	return ph_stats_add(st, ph_log_statuses, 1, n, err);
}

/* -- jobs ------------------------------------------------------------------------ */

/* Each of these is a count in an index, of one status: ix_jobs_status, else ix_jobs_platform_status. */
static const char sql_jobs[] =
	"SELECT count(*) FROM jobs WHERE status = $1 AND " PH_FILTER_SQL_TIME("created_at");
static const char sql_key_jobs[] =
	"SELECT count(*) FROM jobs WHERE params_platform = $2 AND status = $1 AND " PH_FILTER_SQL_TIME("created_at");
static const char sql_jobs_since[] =
	"SELECT count(*) FROM jobs WHERE status = $1 AND " PH_FILTER_SQL_SINCE("created_at");
static const char sql_key_jobs_since[] =
	"SELECT count(*) FROM jobs WHERE params_platform = $2 AND status = $1 AND " PH_FILTER_SQL_SINCE("created_at");
static const char sql_named_jobs[] =
	"SELECT count(*) FROM jobs WHERE params_platform IN " PH_FILTER_SQL_NAMES " AND status = $1 AND "
	PH_FILTER_SQL_TIME("created_at");
/* What lies between the four names. */
#define JOBS_WHERE(range) "(SELECT count(*) FROM jobs WHERE " range " AND +status = $1 AND " \
	PH_FILTER_SQL_TIME("+created_at") ")"
static const char sql_other_jobs[] = "SELECT " JOBS_WHERE("params_platform < 'facebook'")
	" + " JOBS_WHERE("params_platform > 'facebook' AND params_platform < 'instagram'")
	" + " JOBS_WHERE("params_platform > 'instagram' AND params_platform < 'tiktok'")
	" + " JOBS_WHERE("params_platform > 'tiktok' AND params_platform < 'youtube'")
	" + " JOBS_WHERE("params_platform > 'youtube'");

static const char sql_job_counters[] =
	"SELECT status, coalesce(sum(n), 0) FROM job_counts WHERE platform_key = $2 GROUP BY status";

/* Count the jobs of a key, of the names with PH_PLATFORM__MAX, or of anything with -1. */
static enum ph_rc
count_jobs(struct ph_db *db, const struct ph_filter *f, int key, enum ph_job_status status, int64_t *n,
    struct ph_err *err)
{
	const int	 is_open = f->to_ms == INT64_MAX;
	const char	*sql = key == -1 ? is_open ? sql_jobs_since : sql_jobs :
			    key == PH_PLATFORM__MAX ? sql_named_jobs : key == PH_PLATFORM_OTHER ? sql_other_jobs :
			    is_open ? sql_key_jobs_since : sql_key_jobs;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_job_statuses[status]);
	if (sql == sql_key_jobs || sql == sql_key_jobs_since)
		ph_stmt_bind_text(st, 2, ph_platform_keys[key]);
	else if (sql == sql_named_jobs)
		ph_filter_bind_names(f, st);
	ph_filter_bind_time(f, st);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n += ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

/* Add the jobs of a key, or of the names with PH_PLATFORM__MAX. */
static enum ph_rc
add_jobs(struct ph_db *db, const struct ph_filter *f, int key, int64_t n[PH_JOB__MAX], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc = PH_OK;
	int		 status;

	if (!f->has_time && key != PH_PLATFORM__MAX) {
		if ((rc = ph_db_prepare(db, sql_job_counters, &st, err)) != PH_OK)
			return rc;
		ph_stmt_bind_text(st, 2, ph_platform_keys[key]);
		return ph_stats_add(st, ph_job_statuses, 1, n, err);
	}
	for (status = 0; status < PH_JOB__MAX && rc == PH_OK; status++)
		rc = count_jobs(db, f, key, status, &n[status], err);
	return rc;
}

enum ph_rc
ph_filtered_platform_jobs(struct ph_db *db, const struct ph_filter *f, int64_t n[PH_PLATFORM__MAX][PH_JOB__MAX],
    struct ph_err *err)
{
	enum ph_rc	rc = PH_OK;
	int		key;

	memset(n, 0, PH_PLATFORM__MAX * sizeof(n[0]));
	for (key = 0; key < PH_PLATFORM__MAX && rc == PH_OK; key++)
		if (has_key(f, key))
			rc = add_jobs(db, f, key, n[key], err);
	if (rc == PH_OK && f->nnames > 0)
		rc = add_jobs(db, f, PH_PLATFORM__MAX, n[PH_PLATFORM_OTHER], err);
	return rc;
}

enum ph_rc
ph_filtered_jobs(struct ph_db *db, const struct ph_filter *f, int64_t n[PH_JOB__MAX], struct ph_err *err)
{
	int64_t		by[PH_PLATFORM__MAX][PH_JOB__MAX];
	enum ph_rc	rc = PH_OK;
	int		key, i;

	if (ph_filter_is_off(f))
		return ph_stats_jobs(db, n, err);
	memset(n, 0, PH_JOB__MAX * sizeof(n[0]));
	if (!f->has_platform) {		/* those that name no platform, too */
		for (i = 0; i < PH_JOB__MAX && rc == PH_OK; i++)
			rc = count_jobs(db, f, -1, i, &n[i], err);
		return rc;
	}
	rc = ph_filtered_platform_jobs(db, f, by, err);
	for (key = 0; key < PH_PLATFORM__MAX; key++)
		for (i = 0; i < PH_JOB__MAX; i++)
			n[i] += by[key][i];
	return rc;
}

/* -- campaigns ------------------------------------------------------------------- */

#define SELECTED " FROM campaigns AS k WHERE " PH_FILTER_SQL_TIME("k.created_at") \
	" AND ($1 = 0 OR " PH_FILTER_SQL_CLIP("k.clip_id") ")"
/* Does its clip have such a log among the selected ones? */
#define HAS_LOG(condition) "EXISTS (SELECT 1 FROM publish_logs AS l WHERE l.clip_id = k.clip_id AND " \
	condition " AND " PH_FILTER_SQL_TIME("+l.requested_at") " AND " PH_FILTER_SQL_LOG("+l") ")"

static const char sql_campaigns[] =
	"SELECT k.status, 1, k.budget_cents, k.budget_spent_cents" SELECTED;
static const char sql_live_campaigns[] =
	"SELECT coalesce(sum(is_published), 0), coalesce(sum(NOT is_published AND is_open), 0) FROM (SELECT "
	HAS_LOG("+l.status = 'success'") " AS is_published, "
	HAS_LOG("+l.status NOT IN ('success', 'failed')") " AS is_open" SELECTED
	" AND k.status IN ('active', 'paused'))";

static enum ph_rc
prepare_campaigns(struct ph_db *db, const struct ph_filter *f, const char *sql, struct ph_stmt **st,
    struct ph_err *err)
{
	const enum ph_rc rc = ph_db_prepare(db, sql, st, err);

	if (rc != PH_OK)
		return rc;
	ph_stmt_bind_int(*st, 1, f->has_platform);
	ph_filter_bind_time(f, *st);
	ph_filter_bind_platform(f, *st);
	return PH_OK;
}

enum ph_rc
ph_filtered_campaigns(struct ph_db *db, const struct ph_filter *f, struct ph_campaign_totals *t,
    struct ph_err *err)
{
	int64_t		 sums[PH_CAMPAIGN__MAX][PH_CAMPAIGN_COLS] = { { 0 } };
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if (ph_filter_is_off(f))
		return ph_stats_campaigns(db, t, err);
	if ((rc = prepare_campaigns(db, f, sql_campaigns, &st, err)) == PH_OK)
		rc = ph_stats_add(st, ph_campaign_statuses, PH_CAMPAIGN_COLS, sums[0], err);
	ph_stats_campaign_totals(t, sums);
	return rc;
}

enum ph_rc
ph_filtered_live_campaigns(struct ph_db *db, const struct ph_filter *f, int64_t *published, int64_t *scheduled,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if (ph_filter_is_off(f)) {
		if ((rc = ph_stats_total(db, "campaigns_published", published, err)) != PH_OK)
			return rc;
		return ph_stats_total(db, "campaigns_scheduled", scheduled, err);
	}
	if ((rc = prepare_campaigns(db, f, sql_live_campaigns, &st, err)) != PH_OK)
		return rc;
	return one_row(st, published, scheduled, err);
}
