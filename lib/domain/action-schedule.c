/*
 * action-schedule.c -- run-scheduler, rebalance-queue, reschedule, optimize-schedule: when publish
 * logs are due.
 *
 * A log that shall wait is in status scheduled: workers look at pending ones and do not care
 * about their scheduled_for.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "domain/action-log.h"
#include "domain/slots.h"

#define DAY_MS		INT64_C(86400000)
#define HOUR_MS		INT64_C(3600000)
#define MINUTE_MS	INT64_C(60000)

/* -- run-scheduler ------------------------------------------------------------------------- */

enum { RELEASE_MAX = 500 };

/*
 * $2: now.  ix_logs_due, and ix_logs_undated: a scheduled log without a time would wait for ever, so
 * it is due.
 */
#define DUE " FROM (SELECT l.rowid AS log, l.scheduled_for AS due FROM publish_logs AS l" \
	" WHERE l.scheduled_for IS NOT NULL AND l.status IN ('scheduled', 'pending')" \
	" AND l.status = 'scheduled' AND l.scheduled_for <= $2 AND " PH_PICK_FILTER \
	" UNION ALL SELECT l.rowid, l.requested_at FROM publish_logs AS l" \
	" WHERE l.status = 'scheduled' AND l.scheduled_for IS NULL AND " PH_PICK_FILTER ")"
static const char sql_due_rows[] = "SELECT log" DUE " ORDER BY due, log LIMIT $1";
static const char sql_due_count[] = "SELECT count(*)" DUE;
static const struct ph_log_pick due_logs = { sql_due_rows, sql_due_count };

static const struct ph_param scheduler_params[PH_BULK_NPARAMS] = { PH_BULK_PARAMS(RELEASE_MAX) };

enum ph_rc
ph_action_release(struct ph_action_call *call, const struct ph_filter *f, int64_t limit, int64_t *matched,
    struct ph_err *err)
{
	struct ph_log_set	set;
	enum ph_rc		rc;
	size_t			i;

	if ((rc = ph_action_pick(call, &due_logs, call->now_ms, f, limit, &set, err)) != PH_OK)
		return rc;
	for (i = 0; i < set.n && rc == PH_OK; i++)
		rc = ph_action_move(call, set.rowids[i], PH_MOVE_RELEASE, 0, NULL, err);
	ph_log_set_free(&set);
	if (matched != NULL)
		*matched = set.matched;
	return rc;
}

static enum ph_rc
run_scheduler(struct ph_action_call *call, struct ph_err *err)
{
	struct ph_filter	f;
	int64_t			matched;
	enum ph_rc		rc;

	if ((rc = ph_filter_read(&f, call->args, PH_BULK_FROM, call->now_ms, err)) != PH_OK)
		return rc;
	ph_json_arr_open(call->out, "logs");
	if ((rc = ph_action_release(call, &f, call->args->values[PH_BULK_LIMIT].num, &matched, err)) != PH_OK)
		return rc;
	ph_json_close(call->out);
	ph_action_write_counts(call, matched);
	snprintf(call->message, sizeof(call->message), "%" PRId64 " scheduled logs are due and pending.",
	    call->changed);
	return ph_action_expect(call, matched, err);
}

const struct ph_action ph_action_run_scheduler = {
	.name = "run-scheduler", .short_name = "run_scheduler", .entity = "publish_log",
	.text = "Make scheduled publish logs that are due pending, at most 500.",
	.params = scheduler_params, .nparams = PH_BULK_NPARAMS, .run = run_scheduler,
};

/* -- pending logs into slots --------------------------------------------------------------- */

/* $2: requested before; the oldest of ix_logs_status_requested first. */
#define PENDING " FROM publish_logs AS l WHERE l.status = 'pending' AND l.requested_at < $2 AND " PH_PICK_FILTER
static const char sql_pending_rows[] = "SELECT l.rowid" PENDING " ORDER BY l.requested_at, l.id LIMIT $1";
static const char sql_pending_count[] = "SELECT count(*)" PENDING;
static const struct ph_log_pick pending_logs = { sql_pending_rows, sql_pending_count };

/* What is scheduled from $1 to $2, by ix_logs_due. */
static const char sql_taken[] =
	"SELECT scheduled_for, platform_key FROM publish_logs WHERE scheduled_for IS NOT NULL"
	" AND status IN ('scheduled', 'pending') AND status = 'scheduled'"
	" AND scheduled_for >= $1 AND scheduled_for < $2 ORDER BY scheduled_for";

static const char sql_key[] = "SELECT platform_key FROM publish_logs WHERE rowid = $1";

static enum ph_rc
read_taken(struct ph_db *db, int64_t from, int64_t to, struct ph_slots *slots, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_taken, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, from);
	ph_stmt_bind_int(st, 2, to);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		if (ph_slots_take(slots, ph_stmt_int(st, 0), ph_stmt_text(st, 1)) != 0) {
			rc = ph_fail(err, PH_ELIMIT, "more than %d logs are scheduled ahead", PH_SLOTS_MAX);
			break;
		}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
read_key(struct ph_db *db, int64_t rowid, char key[16], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	key[0] = '\0';
	if ((rc = ph_db_prepare(db, sql_key, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, rowid);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		snprintf(key, 16, "%s", ph_stmt_text(st, 0));
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* -- rebalance-queue ------------------------------------------------------------------------ */

enum { REBALANCE_MAX = 200, INTERVAL_MIN = 5, INTERVAL_MAX = 1440, INTERVAL_MINUTES = 30, AHEAD_DAYS = 90 };

enum { R_INTERVAL = PH_BULK_NPARAMS, R__MAX };
static const struct ph_param rebalance_params[R__MAX] = {
	PH_BULK_PARAMS(REBALANCE_MAX),
	[R_INTERVAL] = { .name = "interval_minutes", .type = PH_P_INT, .in = PH_IN_BODY,
	    .min = INTERVAL_MIN, .max = INTERVAL_MAX, .dflt = INTERVAL_MINUTES, .unit = "minutes",
	    .text = "Least time between two logs." },
};

static enum ph_rc
rebalance(struct ph_action_call *call, const struct ph_log_set *set, struct ph_slots *slots,
    struct ph_err *err)
{
	const int64_t	 interval = call->args->values[R_INTERVAL].num * MINUTE_MS;
	const int64_t	 end = call->now_ms + AHEAD_DAYS * DAY_MS;
	int64_t		 at;
	char		 key[16];
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = read_taken(call->db, call->now_ms - DAY_MS, end + DAY_MS, slots, err)) != PH_OK)
		return rc;
	for (i = 0; i < set->n; i++) {
		if ((rc = read_key(call->db, set->rowids[i], key, err)) != PH_OK)
			return rc;
		if ((at = ph_slots_next(slots, key, call->now_ms, interval)) >= end)
			continue;		/* it stays pending */
		if (ph_slots_take(slots, at, key) != 0)
			break;
		if ((rc = ph_action_move(call, set->rowids[i], PH_MOVE_SCHEDULE, at, "rule_engine", err)) != PH_OK)
			return rc;
	}
	return PH_OK;
}

static enum ph_rc
rebalance_queue(struct ph_action_call *call, struct ph_err *err)
{
	struct ph_slots		*slots = ph_slots_new();
	struct ph_log_set	 set = { 0 };
	enum ph_rc		 rc;

	if (slots == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the schedule");
	if ((rc = ph_action_pick_bulk(call, &pending_logs, INT64_MAX, &set, err)) == PH_OK) {
		ph_json_arr_open(call->out, "logs");
		rc = rebalance(call, &set, slots, err);
		ph_json_close(call->out);
		ph_action_write_counts(call, set.matched);
	}
	ph_log_set_free(&set);
	ph_slots_free(slots);
	snprintf(call->message, sizeof(call->message), "%" PRId64 " pending logs are spread over the schedule.",
	    call->changed);
	return rc;
}

const struct ph_action ph_action_rebalance_queue = {
	.name = "rebalance-queue", .short_name = "rebalance_queue", .entity = "publish_log",
	.text = "Spread pending publish logs over the windows of their platforms, the oldest first, at "
	    "most 200 and 90 days ahead.",
	.params = rebalance_params, .nparams = R__MAX, .run = rebalance_queue,
};

/* -- reschedule ------------------------------------------------------------------------------ */

enum { RESCHEDULE_DAYS_MAX = 366 };

enum { T_DRY_RUN, T_LOG_ID, T_NEW_TIME, T__MAX };
static const struct ph_param reschedule_params[T__MAX] = {
	[T_DRY_RUN] = PH_ACTION_DRY_RUN,
	[T_LOG_ID] = { .name = "log_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = 200, .text = "The publish log." },
	[T_NEW_TIME] = { .name = "new_time", .type = PH_P_INSTANT, .in = PH_IN_BODY, .is_required = 1,
	    .text = "When it shall be due, with its zone; not in the past, at most 366 days ahead." },
};

static const char sql_find[] = "SELECT rowid FROM publish_logs WHERE id = $1";

static enum ph_rc
find_log(struct ph_db *db, const char *id, int64_t *rowid, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_find, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*rowid = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ?
	    ph_fail(err, PH_ENOTFOUND, "there is no such publish log") : rc;
}

static enum ph_rc
reschedule(struct ph_action_call *call, struct ph_err *err)
{
	const char	*id = call->args->values[T_LOG_ID].text;
	const int64_t	 at = call->args->values[T_NEW_TIME].num;
	char		 shown[PH_TIME_SIZE];
	int64_t		 rowid = 0;
	enum ph_rc	 rc;

	if (at < call->now_ms)
		return ph_fail_param(err, "new_time", 8, "it is in the past");
	if (at > call->now_ms + RESCHEDULE_DAYS_MAX * DAY_MS)
		return ph_fail_param(err, "new_time", 8, "it is more than %d days ahead", RESCHEDULE_DAYS_MAX);
	if ((rc = find_log(call->db, id, &rowid, err)) != PH_OK)
		return rc;
	ph_json_arr_open(call->out, "logs");
	rc = ph_action_move(call, rowid, PH_MOVE_SCHEDULE, at, "manual", err);
	ph_json_close(call->out);
	snprintf(call->target, sizeof(call->target), "%s", id);
	snprintf(call->message, sizeof(call->message), "The log is scheduled for %s.",
	    ph_time_format(shown, at, 0));
	return rc;
}

const struct ph_action ph_action_reschedule = {
	.name = "reschedule", .short_name = "reschedule", .entity = "publish_log",
	.text = "Give a waiting publish log another time.",
	.params = reschedule_params, .nparams = T__MAX, .run = reschedule,
};

/* -- optimize-schedule ------------------------------------------------------------------------ */

enum { PER_PLATFORM_MAX = 10, FIRST_HOUR = 10, LAST_HOUR = 18, STEP_HOURS = 2 };

enum { O_DRY_RUN, O_EXPECTED_COUNT, O_PLATFORMS, O_TZ_OFFSET, O__MAX };
_Static_assert((int)O_EXPECTED_COUNT == (int)PH_BULK_EXPECTED_COUNT, "where ph_action_expect() looks");

static const struct ph_param optimize_params[O__MAX] = {
	[O_DRY_RUN] = PH_ACTION_DRY_RUN,
	[O_EXPECTED_COUNT] = { .name = "expected_count", .type = PH_P_INT, .in = PH_IN_BODY,
	    .max = INT64_C(1000000000000), .dflt = -1,
	    .text = "Refuse if the number of logs that match differs from this by more than 10 %." },
	[O_PLATFORMS] = { .name = "platforms", .type = PH_P_CHOICES, .in = PH_IN_BODY,
	    .choices = ph_platform_keys, .dflt = (1 << PH_PLATFORM__MAX) - 1,
	    .text = "For which platforms; other is every name but the four. Without it all." },
	[O_TZ_OFFSET] = { .name = "tz_offset", .type = PH_P_INT, .in = PH_IN_BODY, .min = -720, .max = 840,
	    .unit = "minutes east of UTC", .text = "The zone of the hours 10, 12, 14, 16 and 18." },
};

/* The first of these hours after t that no scheduled log of the platform has. */
static int64_t
next_hour(const struct ph_slots *slots, const char *key, int64_t t, int64_t tz_ms)
{
	int64_t	day = t + tz_ms, at;
	int	hour;

	for (day -= day % DAY_MS;; day += DAY_MS)
		for (hour = FIRST_HOUR; hour <= LAST_HOUR; hour += STEP_HOURS) {
			at = day + hour * HOUR_MS - tz_ms;
			if (at > t && !ph_slots_has(slots, at, key))
				return at;
		}
}

/* Up to ten pending logs of one platform. */
static enum ph_rc
optimize(struct ph_action_call *call, enum ph_platform_key key, struct ph_slots *slots, int64_t *matched,
    struct ph_err *err)
{
	const int64_t		 tz_ms = call->args->values[O_TZ_OFFSET].num * MINUTE_MS;
	struct ph_filter	 f;
	struct ph_log_set	 set;
	int64_t			 at = call->now_ms;
	enum ph_rc		 rc;
	size_t			 i;

	ph_filter_init(&f);
	f.has_platform = 1;
	f.keys = 1u << key;
	if ((rc = ph_action_pick(call, &pending_logs, INT64_MAX, &f, PER_PLATFORM_MAX, &set, err)) != PH_OK)
		return rc;
	*matched += set.matched;
	for (i = 0; i < set.n && rc == PH_OK; i++) {
		at = next_hour(slots, ph_platform_keys[key], at, tz_ms);
		rc = ph_action_move(call, set.rowids[i], PH_MOVE_SCHEDULE, at, "rule_engine", err);
	}
	ph_log_set_free(&set);
	return rc;
}

static enum ph_rc
optimize_schedule(struct ph_action_call *call, struct ph_err *err)
{
	struct ph_slots	*slots = ph_slots_new();
	int64_t		 matched = 0;
	enum ph_rc	 rc;
	int		 key;

	if (slots == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the schedule");
	rc = read_taken(call->db, call->now_ms, call->now_ms + AHEAD_DAYS * DAY_MS, slots, err);
	ph_json_arr_open(call->out, "logs");
	for (key = 0; key < PH_PLATFORM__MAX && rc == PH_OK; key++)
		if (call->args->values[O_PLATFORMS].num & INT64_C(1) << key)
			rc = optimize(call, (enum ph_platform_key)key, slots, &matched, err);
	ph_json_close(call->out);
	ph_slots_free(slots);
	ph_action_write_counts(call, matched);
	snprintf(call->message, sizeof(call->message), "%" PRId64 " pending logs have a time of their own.",
	    call->changed);
	return rc != PH_OK ? rc : ph_action_expect(call, matched, err);
}

const struct ph_action ph_action_optimize_schedule = {
	.name = "optimize-schedule", .short_name = "optimize_schedule", .entity = "publish_log",
	.text = "Give pending publish logs the next free of the hours 10, 12, 14, 16 and 18, at most ten "
	    "per platform.",
	.params = optimize_params, .nparams = O__MAX, .run = optimize_schedule,
};
