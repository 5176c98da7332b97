/*
 * telemetry.c -- reading the figures of the live cards.
 */
#include "autoconf.h"

#include "core/clock.h"
#include "domain/stats.h"
#include "domain/telemetry.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000 };

/* Of the logs that are due at all: a walk along a part of ix_logs_due. */
static const char sql_due[] =
	"SELECT count(*) FROM publish_logs WHERE scheduled_for >= $1 AND scheduled_for < $2"
	" AND status IN ('scheduled', 'pending')";
static const char sql_overdue[] =
	"SELECT count(*), coalesce(sum(($1 - scheduled_for) / 1000), 0),"
	" coalesce(sum(($1 - scheduled_for) % 1000), 0), coalesce($1 - min(scheduled_for), 0)"
	" FROM publish_logs WHERE scheduled_for < $1 AND status IN ('scheduled', 'pending')";

/* The last minute of ix_ledger_type, and its last entry. */
static const char sql_actions[] =
	"SELECT count(*) FROM ledger_events WHERE event_type = 'orchestrator.action_executed'"
	" AND timestamp > $1 AND timestamp <= $2";
static const char sql_last_action[] =
	"SELECT max(coalesce((SELECT max(timestamp) FROM ledger_events"
	" WHERE event_type = 'orchestrator.action_executed'), -1),"
	" coalesce((SELECT max(started_at) FROM orchestrator_runs), -1))";

/* A few rows. */
static const char sql_variants[] =
	"SELECT platform, n FROM variant_counts WHERE status = 'ready'"
	" AND platform IN ('instagram', 'tiktok', 'youtube', 'facebook')";

enum { Q_PENDING, Q_PROCESSING, Q_SUCCESS, Q_FAILED, Q_TOTAL, Q__MAX };
static const struct ph_field queue_fields[Q__MAX] = {
	[Q_PENDING] = { .name = "pending", .text = "Publish logs in status pending." },
	[Q_PROCESSING] = { .name = "processing", .text = "Publish logs in status processing." },
	[Q_SUCCESS] = { .name = "success", .text = "Publish logs in status success." },
	[Q_FAILED] = { .name = "failed", .text = "Publish logs in status failed." },
	[Q_TOTAL] = { .name = "total", .text = "Publish logs in any status, scheduled and retry included." },
};

enum { S_TODAY, S_NEXT_HOUR, S_OVERDUE, S_AVG_DELAY, S__MAX };
static const struct ph_field scheduler_fields[S__MAX] = {
	[S_TODAY] = { .name = "scheduled_today",
	    .text = "Scheduled or pending logs whose scheduled_for is today, UTC unless tz_offset shifts it." },
	[S_NEXT_HOUR] = { .name = "scheduled_next_hour",
	    .text = "Scheduled or pending logs due within an hour from now." },
	[S_OVERDUE] = { .name = "overdue", .text = "Scheduled or pending logs that were due before now." },
	[S_AVG_DELAY] = { .name = "avg_delay_seconds", .type = PH_DECIMAL, .places = 3, .is_nullable = 1,
	    .unit = "s", .text = "How long these are overdue, on average; null if there are none." },
};

enum { O_ACTIONS, O_DECISIONS, O_SATURATION, O_LAST_RUN, O__MAX };
static const struct ph_field orchestrator_fields[O__MAX] = {
	[O_ACTIONS] = { .name = "actions_last_minute",
	    .text = "Ledger events orchestrator.action_executed in the last minute." },
	[O_DECISIONS] = { .name = "decisions_pending", .text = "Jobs in status pending." },
	[O_SATURATION] = { .name = "saturation_rate", .type = PH_DECIMAL, .places = 4, .is_nullable = 1,
	    .unit = "ratio 0 to 1", .text = "Pending jobs / all jobs; null if there are none." },
	[O_LAST_RUN] = { .name = "last_run_seconds_ago", .type = PH_DECIMAL, .places = 3, .is_nullable = 1,
	    .unit = "s", .text = "Time since the orchestrator began a run or executed an action; null if it "
		"never did." },
};

enum { INSTAGRAM, TIKTOK, YOUTUBE, FACEBOOK, PLATFORM__MAX };
static const char *const platforms[PLATFORM__MAX + 1] = {
	"instagram", "tiktok", "youtube", "facebook", NULL
};
#define VARIANTS(platform) { .name = platform, .text = "Clip variants ready for " platform "." }
static const struct ph_field platform_fields[PLATFORM__MAX] = {
	[INSTAGRAM] = VARIANTS("instagram"), [TIKTOK] = VARIANTS("tiktok"),
	[YOUTUBE] = VARIANTS("youtube"), [FACEBOOK] = VARIANTS("facebook"),
};

enum { W_ACTIVE, W_PROCESSING, W_AVG_TIME, W__MAX };
static const struct ph_field worker_fields[W__MAX] = {
	[W_ACTIVE] = { .name = "active_workers",
	    .text = "Distinct social accounts with a log in status processing." },
	[W_PROCESSING] = { .name = "tasks_processing", .text = "Publish logs in status processing." },
	[W_AVG_TIME] = { .name = "avg_processing_time_ms", .type = PH_DECIMAL, .places = 2, .is_nullable = 1,
	    .unit = "ms", .text = "Mean of published_at - requested_at over success logs where it is not "
		"negative; null if there are none." },
};

enum { F_QUEUE, F_SCHEDULER, F_ORCHESTRATOR, F_PLATFORMS, F_WORKERS, F_TIMESTAMP, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_QUEUE] = { .name = "queue", .type = PH_OBJECT, .fields = queue_fields, .nfields = Q__MAX,
	    .text = "The publish queue." },
	[F_SCHEDULER] = { .name = "scheduler", .type = PH_OBJECT, .fields = scheduler_fields,
	    .nfields = S__MAX, .text = "What is to go out when." },
	[F_ORCHESTRATOR] = { .name = "orchestrator", .type = PH_OBJECT, .fields = orchestrator_fields,
	    .nfields = O__MAX, .text = "The loop that feeds the queue." },
	[F_PLATFORMS] = { .name = "platforms", .type = PH_OBJECT, .fields = platform_fields,
	    .nfields = PLATFORM__MAX, .text = "Clip variants that are ready, by platform." },
	[F_WORKERS] = { .name = "workers", .type = PH_OBJECT, .fields = worker_fields, .nfields = W__MAX,
	    .text = "What posts." },
	[F_TIMESTAMP] = { .name = "timestamp", .type = PH_TIME, .text = "The instant of these figures." },
};

/* A statement of one row with ncols integers and up to two instants. */
static enum ph_rc
read_row(struct ph_db *db, const char *sql, int nparams, int64_t p1, int64_t p2, int ncols,
    int64_t *cols, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	if (nparams > 0)
		ph_stmt_bind_int(st, 1, p1);
	if (nparams > 1)
		ph_stmt_bind_int(st, 2, p2);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		for (i = 0; i < ncols; i++)
			cols[i] = ph_stmt_int(st, i);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

enum ph_rc
ph_telemetry_last_action(struct ph_db *db, int64_t *at_ms, struct ph_err *err)
{
	return read_row(db, sql_last_action, 0, 0, 0, 1, at_ms, err);
}

enum ph_rc
ph_telemetry_overdue(struct ph_db *db, int64_t now_ms, struct ph_overdue *o, struct ph_err *err)
{
	enum { N, DELAY_S, DELAY_MS, LONGEST_MS, COLS };
	int64_t		cols[COLS];
	enum ph_rc	rc;

	if ((rc = read_row(db, sql_overdue, 1, now_ms, 0, COLS, cols, err)) == PH_OK)
		*o = (struct ph_overdue){
			.n = cols[N], .longest_ms = cols[LONGEST_MS],
			.delay_ms = (ph_int128)cols[DELAY_S] * 1000 + cols[DELAY_MS],
		};
	return rc;
}

static enum ph_rc
write_queue(struct ph_json *out, const struct ph_log_totals *log)
{
	struct ph_value	v[Q__MAX];
	int64_t		all = 0;
	int		i;

	for (i = 0; i < PH_LOG__MAX; i++)
		all += log[i].n;
	v[Q_PENDING] = ph_v_int(log[PH_LOG_PENDING].n);
	v[Q_PROCESSING] = ph_v_int(log[PH_LOG_PROCESSING].n);
	v[Q_SUCCESS] = ph_v_int(log[PH_LOG_SUCCESS].n);
	v[Q_FAILED] = ph_v_int(log[PH_LOG_FAILED].n);
	v[Q_TOTAL] = ph_v_int(all);
	ph_json_obj_open(out, "queue");
	ph_json_fields(out, queue_fields, v, Q__MAX);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
write_scheduler(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	const int64_t		midnight = ph_time_floor(q->now_ms, DAY_MS, q->tz_offset_min);
	struct ph_value		v[S__MAX];
	struct ph_overdue	late;
	int64_t			today, soon;
	enum ph_rc		rc;

	if ((rc = read_row(q->db, sql_due, 2, midnight, midnight + DAY_MS, 1, &today, err)) != PH_OK ||
	    (rc = read_row(q->db, sql_due, 2, q->now_ms, q->now_ms + HOUR_MS, 1, &soon, err)) != PH_OK ||
	    (rc = ph_telemetry_overdue(q->db, q->now_ms, &late, err)) != PH_OK)
		return rc;
	v[S_TODAY] = ph_v_int(today);
	v[S_NEXT_HOUR] = ph_v_int(soon);
	v[S_OVERDUE] = ph_v_int(late.n);
	v[S_AVG_DELAY] = ph_v_ratio(late.delay_ms, late.n * 1000);
	ph_json_obj_open(out, "scheduler");
	ph_json_fields(out, scheduler_fields, v, S__MAX);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
write_orchestrator(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	v[O__MAX];
	int64_t		job[PH_JOB__MAX], all = 0, actions, last = -1;
	enum ph_rc	rc;
	int		i;

	if ((rc = ph_stats_jobs(q->db, job, err)) != PH_OK ||
	    (rc = read_row(q->db, sql_actions, 2, q->now_ms - MINUTE_MS, q->now_ms, 1, &actions, err)) != PH_OK ||
	    (rc = ph_telemetry_last_action(q->db, &last, err)) != PH_OK)
		return rc;
	for (i = 0; i < PH_JOB__MAX; i++)
		all += job[i];
	v[O_ACTIONS] = ph_v_int(actions);
	v[O_DECISIONS] = ph_v_int(job[PH_JOB_PENDING]);
	v[O_SATURATION] = ph_v_ratio(job[PH_JOB_PENDING], all);
	v[O_LAST_RUN] = last < 0 ? ph_v_null() :
	    ph_v_ratio(q->now_ms > last ? q->now_ms - last : 0, 1000);
	ph_json_obj_open(out, "orchestrator");
	ph_json_fields(out, orchestrator_fields, v, O__MAX);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
write_platforms(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	v[PLATFORM__MAX];
	int64_t		n[PLATFORM__MAX];
	enum ph_rc	rc;
	int		i;

	if ((rc = ph_stats_sums(q->db, sql_variants, platforms, 1, n, err)) != PH_OK)
		return rc;
	for (i = 0; i < PLATFORM__MAX; i++)
		v[i] = ph_v_int(n[i]);
	ph_json_obj_open(out, "platforms");
	ph_json_fields(out, platform_fields, v, PLATFORM__MAX);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
write_workers(const struct ph_stat_query *q, struct ph_json *out, const struct ph_log_totals *log,
    struct ph_err *err)
{
	struct ph_value	v[W__MAX];
	int64_t		active;
	enum ph_rc	rc;

	if ((rc = ph_stats_total(q->db, "active_workers", &active, err)) != PH_OK)
		return rc;
	v[W_ACTIVE] = ph_v_int(active);
	v[W_PROCESSING] = ph_v_int(log[PH_LOG_PROCESSING].n);
	v[W_AVG_TIME] = ph_v_ratio(log[PH_LOG_SUCCESS].proc_ms, log[PH_LOG_SUCCESS].proc_n);
	ph_json_obj_open(out, "workers");
	ph_json_fields(out, worker_fields, v, W__MAX);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
telemetry_write(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	struct ph_log_totals	log[PH_LOG__MAX];
	struct ph_value		v[F__MAX] = { 0 };
	enum ph_rc		rc;

	if ((rc = ph_stats_logs(q->db, log, err)) != PH_OK ||
	    (rc = write_queue(out, log)) != PH_OK ||
	    (rc = write_scheduler(q, out, err)) != PH_OK ||
	    (rc = write_orchestrator(q, out, err)) != PH_OK ||
	    (rc = write_platforms(q, out, err)) != PH_OK ||
	    (rc = write_workers(q, out, log, err)) != PH_OK)
		return rc;
	v[F_TIMESTAMP] = ph_v_int(q->now_ms);
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

const struct ph_statistic ph_telemetry = {
	.name = "telemetry", .fields = fields, .nfields = F__MAX, .write = telemetry_write,
};
