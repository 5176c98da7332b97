/*
 * stat-orchestrator.c -- what the loop that feeds the queue did lately, and how full the
 * queue is.
 *
 * The base figures see a run in every new publish log; the real runs are in
 * orchestrator_runs and shown by the extended ones.
 */
#include "autoconf.h"

#include "core/config.h"
#include "domain/statistic.h"
#include "domain/stats.h"

enum { HOUR_MS = 3600000, DAY_MS = 86400000 };

/* The last entry of ix_logs_created. */
static const char sql_last_run[] =
	"SELECT created_at FROM publish_logs ORDER BY created_at DESC LIMIT 1";

/* Within one minute of ix_logs_created. */
static const char sql_created_edge[] =
	"SELECT count(*) FROM publish_logs WHERE created_at >= $1 AND created_at < $2";

/* The last entry of ix_runs_started. */
static const char sql_last_tick[] =
	"SELECT started_at, actions FROM orchestrator_runs ORDER BY started_at DESC LIMIT 1";

enum {
	F_LAST_RUN_AT, F_ACTIONS_LAST_RUN, F_ACTIONS_LAST_24H, F_QUEUE_SATURATION, F_ACTIVE_WORKERS,
	F_TOTAL_JOBS, F_PENDING_JOBS, F_PROCESSING_JOBS, F_COMPLETED_JOBS, F_FAILED_JOBS,
	F_RETRY_JOBS, F_SATURATION_RATE, F_LAST_TICK_AT, F_ACTIONS_LAST_TICK, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_LAST_RUN_AT] = { .name = "last_run_at", .type = PH_TIME, .is_nullable = 1,
	    .text = "The latest created_at of the publish logs; null if there are none." },
	[F_ACTIONS_LAST_RUN] = { .name = "actions_last_run",
	    .text = "Publish logs created in the last hour, that instant included, or later." },
	[F_ACTIONS_LAST_24H] = { .name = "actions_last_24h",
	    .text = "Publish logs created in the last 24 hours, that instant included, or later." },
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
	    .is_extended = 1, .text = "Start of the latest orchestrator run; null if there is none." },
	[F_ACTIONS_LAST_TICK] = { .name = "actions_last_tick", .is_extended = 1,
	    .text = "Actions of that run, 0 if there is none." },
};

/* The first row of a statement of one or two integers: to *a and *b, untouched if there is none. */
static enum ph_rc
first_row(struct ph_db *db, const char *sql, struct ph_value *a, struct ph_value *b, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*a = ph_v_int(ph_stmt_int(st, 0));
		if (b != NULL)
			*b = ph_v_int(ph_stmt_int(st, 1));
	}
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
extended(struct ph_db *db, int64_t in_queue, struct ph_value *v, struct ph_err *err)
{
	const int64_t	capacity = ph_config_int(PH_CFG_QUEUE_CAPACITY);
	int64_t		job[PH_JOB__MAX], all = 0;
	enum ph_rc	rc;
	int		i;

	v[F_LAST_TICK_AT] = ph_v_null();
	v[F_ACTIONS_LAST_TICK] = ph_v_int(0);
	if ((rc = ph_stats_jobs(db, job, err)) != PH_OK ||
	    (rc = first_row(db, sql_last_tick, &v[F_LAST_TICK_AT], &v[F_ACTIONS_LAST_TICK], err)) != PH_OK)
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
	const int64_t		 now = q->now_ms;
	struct ph_db		*db = q->db;
	struct ph_log_totals	 log[PH_LOG__MAX];
	struct ph_value		 v[F__MAX] = { 0 };
	int64_t			 hour, day, workers, busy, all = 0;
	enum ph_rc		 rc;
	int			 i;

	v[F_LAST_RUN_AT] = ph_v_null();
	if ((rc = ph_stats_logs(db, log, err)) != PH_OK ||
	    (rc = first_row(db, sql_last_run, &v[F_LAST_RUN_AT], NULL, err)) != PH_OK ||
	    (rc = ph_stats_since(db, "created", NULL, sql_created_edge, now - HOUR_MS, &hour, err)) != PH_OK ||
	    (rc = ph_stats_since(db, "created", NULL, sql_created_edge, now - DAY_MS, &day, err)) != PH_OK ||
	    (rc = ph_stats_total(db, "active_workers", &workers, err)) != PH_OK)
		return rc;
	for (i = 0; i < PH_LOG__MAX; i++)
		all += log[i].n;
	busy = log[PH_LOG_PENDING].n + log[PH_LOG_PROCESSING].n;
	v[F_ACTIONS_LAST_RUN] = ph_v_int(hour);
	v[F_ACTIONS_LAST_24H] = ph_v_int(day);
	v[F_QUEUE_SATURATION] = ph_v_ratio(busy, all);
	v[F_ACTIVE_WORKERS] = ph_v_int(workers);
	if (ph_json_is_extended(out) &&
	    (rc = extended(db, busy + log[PH_LOG_RETRY].n, v, err)) != PH_OK)
		return rc;
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

const struct ph_statistic ph_stat_orchestrator = {
	.name = "orchestrator", .fields = fields, .nfields = F__MAX, .write = orchestrator_write,
};
