/*
 * action-log.c -- picking publish logs, moving them, and the ledger.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "domain/action-log.h"
#include "domain/lifecycle.h"

enum { BIND_LIMIT = 1, BIND_INSTANT = 2, BIND_ANY_PLATFORM = 17 };

/* -- which logs ---------------------------------------------------------------------- */

void
ph_log_set_free(struct ph_log_set *set)
{
	free(set->rowids);
	set->rowids = NULL;
}

static enum ph_rc
prepare_pick(struct ph_db *db, const char *sql, const struct ph_filter *f, int64_t instant,
    struct ph_stmt **st, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_prepare(db, sql, st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(*st, BIND_INSTANT, instant);
	ph_stmt_bind_int(*st, BIND_ANY_PLATFORM, !f->has_platform);
	ph_filter_bind_time(f, *st);
	ph_filter_bind_platform(f, *st);
	return PH_OK;
}

/* How many match. */
static enum ph_rc
count(struct ph_db *db, const struct ph_log_pick *pick, int64_t instant, const struct ph_filter *f,
    int64_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = prepare_pick(db, pick->count, f, instant, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

enum ph_rc
ph_action_pick(struct ph_action_call *call, const struct ph_log_pick *pick, int64_t instant,
    const struct ph_filter *f, int64_t limit, struct ph_log_set *set, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*set = (struct ph_log_set){ 0 };
	if ((rc = count(call->db, pick, instant, f, &set->matched, err)) != PH_OK || set->matched == 0 ||
	    (rc = prepare_pick(call->db, pick->rows, f, instant, &st, err)) != PH_OK)
		return rc;
	if (limit > set->matched)
		limit = set->matched;
	if ((set->rowids = calloc((size_t)limit, sizeof(set->rowids[0]))) == NULL)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the logs");
	else {
		ph_stmt_bind_int(st, BIND_LIMIT, limit);
		while ((rc = ph_stmt_step(st, err)) == PH_ROW)
			set->rowids[set->n++] = ph_stmt_int(st, 0);
	}
	ph_stmt_done(st);
	if (rc == PH_DONE)
		return PH_OK;
	ph_log_set_free(set);
	return rc;
}

enum ph_rc
ph_action_expect(const struct ph_action_call *call, int64_t matched, struct ph_err *err)
{
	const int64_t	expected = call->args->values[PH_BULK_EXPECTED_COUNT].num;
	const int64_t	off = matched > expected ? matched - expected : expected - matched;

	if (!call->args->values[PH_BULK_EXPECTED_COUNT].is_set || 10 * off <= expected)
		return PH_OK;
	return ph_fail(err, PH_ECONFLICT, "%" PRId64 " logs match, %" PRId64 " were expected", matched, expected);
}

enum ph_rc
ph_action_pick_bulk(struct ph_action_call *call, const struct ph_log_pick *pick, int64_t instant,
    struct ph_log_set *set, struct ph_err *err)
{
	struct ph_filter	f;
	enum ph_rc		rc;

	*set = (struct ph_log_set){ 0 };
	if ((rc = ph_filter_read(&f, call->args, PH_BULK_FROM, call->now_ms, err)) != PH_OK ||
	    (rc = ph_action_pick(call, pick, instant, &f, call->args->values[PH_BULK_LIMIT].num, set,
	    err)) != PH_OK)
		return rc;
	if ((rc = ph_action_expect(call, set->matched, err)) != PH_OK)
		ph_log_set_free(set);
	return rc;
}

enum { C_MATCHED, C_CHANGED, C_REMAINING, C__MAX };
static const struct ph_field count_fields[C__MAX] = {
	[C_MATCHED] = { .name = "matched", .text = "Logs that match." },
	[C_CHANGED] = { .name = "changed", .text = "Logs that were changed." },
	[C_REMAINING] = { .name = "remaining", .text = "Logs that match and were not." },
};

void
ph_action_write_counts(struct ph_action_call *call, int64_t matched)
{
	struct ph_value v[C__MAX];

	v[C_MATCHED] = ph_v_int(matched);
	v[C_CHANGED] = ph_v_int(call->changed);
	v[C_REMAINING] = ph_v_int(matched - call->changed);
	ph_json_fields(call->out, count_fields, v, C__MAX);
}

/* -- where to ------------------------------------------------------------------------- */

/*
 * What a move is to the life cycle, and what it says beside it: sql with $1: rowid, $2: now, and $3: at,
 * $4: word where has_time is set.
 */
static const struct {
	enum ph_log_status	 to;
	unsigned		 has_time : 1;
	const char		*sql;		/* NULL: nothing */
} moves[PH_MOVE__MAX] = {
	[PH_MOVE_REQUEUE] = { .to = PH_LOG_PENDING },
	[PH_MOVE_RETRY] = { .to = PH_LOG_PENDING,
	    .sql = "UPDATE publish_logs SET retry_count = retry_count + 1, last_retry_at = $2 WHERE rowid = $1" },
	[PH_MOVE_RELEASE] = { .to = PH_LOG_PENDING },
	[PH_MOVE_SCHEDULE] = { .to = PH_LOG_SCHEDULED, .has_time = 1,
	    .sql = "UPDATE publish_logs SET schedule_type = 'scheduled', scheduled_for = $3,"
		" scheduled_window_end = NULL, scheduled_by = $4, updated_at = $2 WHERE rowid = $1" },
	[PH_MOVE_CONFIRM] = { .to = PH_LOG_SUCCESS },
	[PH_MOVE_GIVE_UP] = { .to = PH_LOG_FAILED },
};

enum { I_ID, I_CLIP_ID, I_PLATFORM, I_FROM, I_STATUS, I_REQUESTED_AT, I_SCHEDULED_FOR, I__MAX };
static const struct ph_field item_fields[I__MAX] = {
	[I_ID] = { .name = "id", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Of the log; null for one that a dry run would make." },
	[I_CLIP_ID] = { .name = "clip_id", .type = PH_TEXT, .text = "Its clip." },
	[I_PLATFORM] = { .name = "platform", .type = PH_TEXT, .text = "Where it is to be published." },
	[I_FROM] = { .name = "from", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Its status before; null for a new log." },
	[I_STATUS] = { .name = "status", .type = PH_TEXT, .text = "Its status now." },
	[I_REQUESTED_AT] = { .name = "requested_at", .type = PH_TIME, .text = "When it was requested." },
	[I_SCHEDULED_FOR] = { .name = "scheduled_for", .type = PH_TIME, .is_nullable = 1,
	    .text = "When it is due; null: it has no time." },
};

void
ph_action_write_log(struct ph_json *out, const char *key, const struct ph_log_item *item)
{
	struct ph_value v[I__MAX];

	v[I_ID] = ph_v_str(item->id);
	v[I_CLIP_ID] = ph_v_str(item->clip_id);
	v[I_PLATFORM] = ph_v_str(item->platform);
	v[I_FROM] = ph_v_str(item->from);
	v[I_STATUS] = ph_v_str(item->status);
	v[I_REQUESTED_AT] = ph_v_int(item->requested_at);
	v[I_SCHEDULED_FOR] = item->scheduled_for < 0 ? ph_v_null() : ph_v_int(item->scheduled_for);
	ph_json_obj_open(out, key);
	ph_json_fields(out, item_fields, v, I__MAX);
	ph_json_close(out);
}

static const char sql_log[] =
	"SELECT id, clip_id, platform, status, requested_at, coalesce(scheduled_for, -1), error_message IS NULL"
	" FROM publish_logs WHERE rowid = $1";

/* Write the log into the result as it will be.  Its id to *id, which the caller frees. */
static enum ph_rc
show(struct ph_action_call *call, int64_t rowid, enum ph_log_move move, int64_t at, char **id,
    int *is_same, int *has_error, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, sql_log, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, rowid);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		const struct ph_log_item item = {
			.id = ph_stmt_text(st, 0), .clip_id = ph_stmt_text(st, 1),
			.platform = ph_stmt_text(st, 2), .from = ph_stmt_text(st, 3),
			.status = ph_log_statuses[moves[move].to], .requested_at = ph_stmt_int(st, 4),
			.scheduled_for = moves[move].has_time ? at : ph_stmt_int(st, 5),
		};

		ph_action_write_log(call->out, NULL, &item);
		*is_same = strcmp(item.from, item.status) == 0;
		*has_error = !ph_stmt_int(st, 6);
		rc = (*id = strdup(item.id)) != NULL ? PH_OK : ph_fail(err, PH_ENOMEM, "not enough memory for a log");
	} else if (rc == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no such publish log");
	ph_stmt_done(st);
	return rc;
}

/* What the life cycle does not know. */
static enum ph_rc
say_more(struct ph_action_call *call, int64_t rowid, enum ph_log_move move, int64_t at, const char *word,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, moves[move].sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, rowid);
	ph_stmt_bind_int(st, 2, call->now_ms);
	if (moves[move].has_time) {
		ph_stmt_bind_int(st, 3, at);
		ph_stmt_bind_text(st, 4, word);
	}
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* The telemetry counts what the orchestrator does under a name of its own. */
static const char sql_executed[] =
	"INSERT INTO ledger_events (id, timestamp, event_type, entity_type, entity_id, event_data, clip_id)"
	" SELECT $2, $3, 'orchestrator.action_executed', 'publish_log', id, json_object('by', $4, 'to', status),"
	" clip_id FROM publish_logs WHERE rowid = $1";

static enum ph_rc
note_executed(struct ph_action_call *call, int64_t rowid, struct ph_err *err)
{
	char		 id[37];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, sql_executed, &st, err)) != PH_OK)
		return rc;
	ph_uuid(id);
	ph_stmt_bind_int(st, 1, rowid);
	ph_stmt_bind_text(st, 2, id);
	ph_stmt_bind_int(st, 3, call->now_ms);
	ph_stmt_bind_text(st, 4, call->user);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_action_move(struct ph_action_call *call, int64_t rowid, enum ph_log_move move, int64_t at,
    const char *word, struct ph_err *err)
{
	struct ph_move		 m = { .now_ms = call->now_ms, .actor = call->user, .published_at = at,
				     .failed_at = call->now_ms, .scheduled_for = at };
	char			*id = NULL;
	int			 is_same = 0, has_error = 0;
	enum ph_log_status	 from;
	enum ph_rc		 rc;

	if ((rc = show(call, rowid, move, at, &id, &is_same, &has_error, err)) != PH_OK)
		return rc;
	m.error_message = move == PH_MOVE_GIVE_UP && !has_error ? word : NULL;
	/* Another time for a scheduled log is no move. */
	if (!(move == PH_MOVE_SCHEDULE && is_same))
		rc = ph_log_move(call->db, id, moves[move].to, &m, &from, err);
	if (rc == PH_OK && moves[move].sql != NULL)
		rc = say_more(call, rowid, move, at, word, err);
	if (rc == PH_OK && call->action == &ph_action_run_orchestrator)
		rc = note_executed(call, rowid, err);
	call->changed += rc == PH_OK;
	free(id);
	return rc;
}
