/*
 * stat-orchestrator.c -- what the loop that feeds the queue did lately, and how full the
 * queue is.
 *
 * The base figures see a run in every new publish log; the real runs are in
 * orchestrator_runs and shown by the extended ones.
 */
#include "autoconf.h"

#include "core/config.h"
#include "domain/filtered.h"
#include "domain/statistic.h"

enum { HOUR_MS = 3600000, DAY_MS = 86400000 };

/* The last entry of ix_logs_created. */
static const char sql_last_run[] =
	"SELECT created_at FROM publish_logs ORDER BY created_at DESC LIMIT 1";

/* The logs by ix_logs_created. */
static const char sql_created[] = PH_SINCE_SQL("created", "created_at", "", "");

/* The last entry of ix_runs_started. */
static const char sql_last_tick[] =
	"SELECT started_at, actions FROM orchestrator_runs ORDER BY started_at DESC LIMIT 1";

/*
 * The same of the logs that a filter selects.  ix_logs_created has all of it for keys, and is walked
 * from its end; the names are looked for among the logs of key other.
 */
static const char sql_last_run_filtered[] =
	"SELECT created_at FROM publish_logs WHERE " PH_FILTER_SQL_TIME("created_at")
	" AND +platform_key IN ($1, $2, $3, $4, $5) ORDER BY created_at DESC LIMIT 1";
static const char sql_last_run_named[] =
	"SELECT max(+created_at) FROM publish_logs WHERE platform_key = 'other' AND "
	PH_FILTER_SQL_TIME("+created_at") " AND lower(trim(platform)) IN " PH_FILTER_SQL_NAMES
	" HAVING count(*) > 0";
static const char sql_since_filtered[] =
	"SELECT count(*) FROM publish_logs AS l WHERE created_at >= $1 AND " PH_FILTER_SQL_TIME("created_at")
	" AND " PH_FILTER_SQL_LOG("+l");
/* Among the processing logs of ix_logs_status_requested. */
static const char sql_workers_filtered[] =
	"SELECT count(DISTINCT social_account_id) FROM publish_logs AS l WHERE status = 'processing'"
	" AND +social_account_id IS NOT NULL AND " PH_FILTER_SQL_TIME("+created_at") " AND " PH_FILTER_SQL_LOG("+l");
static const char sql_last_tick_filtered[] =
	"SELECT started_at, actions FROM orchestrator_runs WHERE " PH_FILTER_SQL_TIME("started_at")
	" ORDER BY started_at DESC LIMIT 1";

enum {
	F_LAST_RUN_AT, F_ACTIONS_LAST_RUN, F_ACTIONS_LAST_24H, F_QUEUE_SATURATION, F_ACTIVE_WORKERS,
	F_TOTAL_JOBS, F_PENDING_JOBS, F_PROCESSING_JOBS, F_COMPLETED_JOBS, F_FAILED_JOBS,
	F_RETRY_JOBS, F_SATURATION_RATE, F_LAST_TICK_AT, F_ACTIONS_LAST_TICK, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_LAST_RUN_AT] = { .name = "last_run_at", .type = PH_TIME, .is_nullable = 1,
	    .text = "The latest created_at of the publish logs; null if there are none." },
	[F_ACTIONS_LAST_RUN] = { .name = "actions_last_run",
	    .text = "Publish logs created in the last hour, that instant included, or later. A filter "
		"selects among them." },
	[F_ACTIONS_LAST_24H] = { .name = "actions_last_24h",
	    .text = "Publish logs created in the last 24 hours, that instant included, or later. A filter "
		"selects among them." },
	[F_QUEUE_SATURATION] = { .name = "queue_saturation", .type = PH_DECIMAL, .places = 4,
	    .unit = "ratio 0 to 1",
	    .text = "(pending + processing) / all publish logs, 0.0 if there are none. It falls "
		"towards 0 as history grows; alert on saturation_rate." },
	[F_ACTIVE_WORKERS] = { .name = "active_workers",
	    .text = "Distinct social accounts with a log in status processing." },
	[F_TOTAL_JOBS] = { .name = "total_jobs", .is_extended = 1, .text = "Jobs in any status." },
	[F_PENDING_JOBS] = { .name = "pending_jobs", .is_extended = 1,
	    .text = "Jobs in status pending." },
	[F_PROCESSING_JOBS] = { .name = "processing_jobs", .is_extended = 1,
	    .text = "Jobs in status processing." },
	[F_COMPLETED_JOBS] = { .name = "completed_jobs", .is_extended = 1,
	    .text = "Jobs in status completed." },
	[F_FAILED_JOBS] = { .name = "failed_jobs", .is_extended = 1, .text = "Jobs in status failed." },
	[F_RETRY_JOBS] = { .name = "retry_jobs", .is_extended = 1, .text = "Jobs in status retry." },
	[F_SATURATION_RATE] = { .name = "saturation_rate", .type = PH_DECIMAL, .places = 4,
	    .is_extended = 1, .unit = "ratio 0 to 1",
	    .text = "(pending + processing + retry logs) / PH_QUEUE_CAPACITY, at most 1.0." },
	[F_LAST_TICK_AT] = { .name = "last_tick_at", .type = PH_TIME, .is_nullable = 1,
	    .is_extended = 1, .text = "Start of the latest orchestrator run; null if there is none. from and "
		"to select among the runs, platforms do not." },
	[F_ACTIONS_LAST_TICK] = { .name = "actions_last_tick", .is_extended = 1,
	    .text = "Actions of that run, 0 if there is none." },
};

struct figures {
	int64_t		logs[PH_LOG__MAX], hour, day, workers;
	struct ph_value	last_run_at;
};

/* The first row of a bound statement of one or two integers: to *a and *b, untouched if there is none. */
static enum ph_rc
first_row(struct ph_stmt *st, struct ph_value *a, struct ph_value *b, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*a = ph_v_int(ph_stmt_int(st, 0));
		if (b != NULL)
			*b = ph_v_int(ph_stmt_int(st, 1));
	}
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* -- of all logs -------------------------------------------------------------------- */

static enum ph_rc
last_run(struct ph_db *db, struct ph_value *at, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_last_run, &st, err)) != PH_OK)
		return rc;
	return first_row(st, at, NULL, err);
}

static enum ph_rc
read_all(struct ph_db *db, int64_t now, struct figures *f, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_stats_log_counts(db, f->logs, err)) != PH_OK ||
	    (rc = last_run(db, &f->last_run_at, err)) != PH_OK ||
	    (rc = ph_stats_since(db, sql_created, NULL, now - HOUR_MS, &f->hour, err)) != PH_OK ||
	    (rc = ph_stats_since(db, sql_created, NULL, now - DAY_MS, &f->day, err)) != PH_OK)
		return rc;
	return ph_stats_total(db, "active_workers", &f->workers, err);
}

/* -- of those that a filter selects -------------------------------------------------- */

static enum ph_rc
last_run_filtered(struct ph_db *db, const struct ph_filter *filter, struct ph_value *at, struct ph_err *err)
{
	struct ph_value	 named = ph_v_null();
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 key;

	if (filter->keys != 0) {
		if ((rc = ph_db_prepare(db, sql_last_run_filtered, &st, err)) != PH_OK)
			return rc;
		ph_filter_bind_time(filter, st);
		for (key = 0; key < PH_PLATFORM__MAX; key++)
			ph_stmt_bind_text(st, key + 1, filter->keys >> key & 1 ? ph_platform_keys[key] : NULL);
		if ((rc = first_row(st, at, NULL, err)) != PH_OK)
			return rc;
	}
	if (filter->nnames == 0)
		return PH_OK;
	if ((rc = ph_db_prepare(db, sql_last_run_named, &st, err)) != PH_OK)
		return rc;
	ph_filter_bind_time(filter, st);
	ph_filter_bind_names(filter, st);
	rc = first_row(st, &named, NULL, err);
	if (named.kind == PH_V_INT && (at->kind != PH_V_INT || named.num > at->num))
		*at = named;
	return rc;
}

/* A count of selected logs; since_ms if the statement has a $1. */
static enum ph_rc
count_filtered(struct ph_db *db, const struct ph_filter *filter, const char *sql, const int64_t *since_ms,
    int64_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	if (since_ms != NULL)
		ph_stmt_bind_int(st, 1, *since_ms);
	ph_filter_bind_time(filter, st);
	ph_filter_bind_platform(filter, st);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

static enum ph_rc
read_filtered(struct ph_db *db, const struct ph_filter *filter, int64_t now, struct figures *f, struct ph_err *err)
{
	const int64_t	hour = now - HOUR_MS, day = now - DAY_MS;
	enum ph_rc	rc;

	if ((rc = ph_filtered_created(db, filter, f->logs, err)) != PH_OK ||
	    (rc = last_run_filtered(db, filter, &f->last_run_at, err)) != PH_OK ||
	    (rc = count_filtered(db, filter, sql_since_filtered, &hour, &f->hour, err)) != PH_OK ||
	    (rc = count_filtered(db, filter, sql_since_filtered, &day, &f->day, err)) != PH_OK)
		return rc;
	return count_filtered(db, filter, sql_workers_filtered, NULL, &f->workers, err);
}

/* -- the answer -------------------------------------------------------------------- */

static enum ph_rc
last_tick(const struct ph_stat_query *q, struct ph_value *at, struct ph_value *actions, struct ph_err *err)
{
	const int	 is_filtered = q->filter != NULL && q->filter->has_time;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(q->db, is_filtered ? sql_last_tick_filtered : sql_last_tick, &st, err)) != PH_OK)
		return rc;
	if (is_filtered)
		ph_filter_bind_time(q->filter, st);
	return first_row(st, at, actions, err);
}

static enum ph_rc
extended(const struct ph_stat_query *q, int64_t in_queue, struct ph_value *v, struct ph_err *err)
{
	const int64_t	capacity = ph_config_int(PH_CFG_QUEUE_CAPACITY);
	int64_t		job[PH_JOB__MAX], all = 0;
	enum ph_rc	rc;
	int		i;

	v[F_LAST_TICK_AT] = ph_v_null();
	v[F_ACTIONS_LAST_TICK] = ph_v_int(0);
	if ((rc = ph_filtered_jobs(q->db, q->filter, job, err)) != PH_OK ||
	    (rc = last_tick(q, &v[F_LAST_TICK_AT], &v[F_ACTIONS_LAST_TICK], err)) != PH_OK)
		return rc;
	for (i = 0; i < PH_JOB__MAX; i++)
		all += job[i];
	v[F_TOTAL_JOBS] = ph_v_int(all);
	v[F_PENDING_JOBS] = ph_v_int(job[PH_JOB_PENDING]);
	v[F_PROCESSING_JOBS] = ph_v_int(job[PH_JOB_PROCESSING]);
	v[F_COMPLETED_JOBS] = ph_v_int(job[PH_JOB_COMPLETED]);
	v[F_FAILED_JOBS] = ph_v_int(job[PH_JOB_FAILED]);
	v[F_RETRY_JOBS] = ph_v_int(job[PH_JOB_RETRY]);
	v[F_SATURATION_RATE] = ph_v_ratio(in_queue < capacity ? in_queue : capacity, capacity);
	return PH_OK;
}

static enum ph_rc
orchestrator_write(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	struct figures	f = { .last_run_at = ph_v_null() };
	struct ph_value	v[F__MAX] = { 0 };
	int64_t		busy, all = 0;
	enum ph_rc	rc;
	int		i;

	rc = ph_filter_is_off(q->filter) ? read_all(q->db, q->now_ms, &f, err) :
	    read_filtered(q->db, q->filter, q->now_ms, &f, err);
	if (rc != PH_OK)
		return rc;
	for (i = 0; i < PH_LOG__MAX; i++)
		all += f.logs[i];
	busy = f.logs[PH_LOG_PENDING] + f.logs[PH_LOG_PROCESSING];
	v[F_LAST_RUN_AT] = f.last_run_at;
	v[F_ACTIONS_LAST_RUN] = ph_v_int(f.hour);
	v[F_ACTIONS_LAST_24H] = ph_v_int(f.day);
	v[F_QUEUE_SATURATION] = ph_v_ratio(busy, all);
	v[F_ACTIVE_WORKERS] = ph_v_int(f.workers);
	if (ph_json_is_extended(out) && (rc = extended(q, busy + f.logs[PH_LOG_RETRY], v, err)) != PH_OK)
		return rc;
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

const struct ph_statistic ph_stat_orchestrator = {
	.name = "orchestrator",
	.description = "A filter selects publish logs by created_at and platform, jobs by created_at and the platform "
	    "in their params.",
	.fields = fields, .nfields = F__MAX, .write = orchestrator_write,
};
