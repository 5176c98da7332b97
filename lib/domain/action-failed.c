/*
 * action-failed.c -- retry-failed and clear-failed: what becomes of publish logs that failed.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "domain/action-log.h"

#define DAY_MS INT64_C(86400000)

/* $2: requested before.  A walk of ix_logs_status_requested from its oldest end. */
#define FAILED " FROM publish_logs AS l WHERE l.status = 'failed' AND l.requested_at < $2 AND " PH_PICK_FILTER
#define OLDEST_FIRST " ORDER BY l.requested_at, l.id LIMIT $1"
static const char sql_rows[] = "SELECT l.rowid" FAILED OLDEST_FIRST;
static const char sql_count[] = "SELECT count(*)" FAILED;
static const struct ph_log_pick failed_logs = { sql_rows, sql_count };

/* -- retry-failed ------------------------------------------------------------------------ */

enum { RETRY_MAX = 50, IDS_BYTES_MAX = 16384, ID_MAX = 200 };

enum { R_IDS = PH_BULK_NPARAMS, R__MAX };
static const struct ph_param retry_params[R__MAX] = {
	PH_BULK_PARAMS(RETRY_MAX),
	[R_IDS] = { .name = "ids", .type = PH_P_JSON, .in = PH_IN_BODY, .max = IDS_BYTES_MAX,
	    .text = "Only these logs: an array of at most 50 ids. Not together with limit and filters." },
};

static const char sql_one[] = "SELECT rowid, status FROM publish_logs WHERE id = $1";

enum { S_ID, S_STATUS, S__MAX };
static const struct ph_field skipped_fields[S__MAX] = {
	[S_ID] = { .name = "id", .type = PH_TEXT, .text = "Of a log that was named and has not failed." },
	[S_STATUS] = { .name = "status", .type = PH_TEXT, .text = "Its status." },
};

static enum ph_rc
check_ids(const struct ph_action_call *call, const cJSON *ids, struct ph_err *err)
{
	const struct ph_args	*a = call->args;
	const cJSON		*id, *other;
	size_t			 i;

	for (i = PH_BULK_LIMIT; i < PH_BULK_NPARAMS; i++)
		if (a->values[i].is_set)
			return ph_fail_param(err, call->action->params[i].name,
			    strlen(call->action->params[i].name), "not together with ids");
	if (!cJSON_IsArray(ids) || cJSON_GetArraySize(ids) < 1 || cJSON_GetArraySize(ids) > RETRY_MAX)
		return ph_fail_param(err, "ids", 3, "an array of 1 to %d ids is needed", RETRY_MAX);
	cJSON_ArrayForEach(id, ids) {
		if (!cJSON_IsString(id) || id->valuestring[0] == '\0' || strlen(id->valuestring) > ID_MAX)
			return ph_fail_param(err, "ids", 3, "every id is a text of 1 to %d bytes", ID_MAX);
		for (other = ids->child; other != id; other = other->next)
			if (strcmp(other->valuestring, id->valuestring) == 0)
				return ph_fail_param(err, "ids", 3, "%.64s is given twice", id->valuestring);
	}
	return PH_OK;
}

/* One named log: move it, or note it in skipped. */
static enum ph_rc
retry_one(struct ph_action_call *call, const char *id, struct ph_json *skipped, int64_t *nskipped,
    struct ph_err *err)
{
	struct ph_value	 v[S__MAX];
	struct ph_stmt	*st;
	int64_t		 rowid = 0;
	int		 is_failed = 0;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, sql_one, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		rowid = ph_stmt_int(st, 0);
		is_failed = strcmp(ph_stmt_text(st, 1), "failed") == 0;
		if (!is_failed) {
			v[S_ID] = ph_v_str(id);
			v[S_STATUS] = ph_v_str(ph_stmt_text(st, 1));
			ph_json_obj_open(skipped, NULL);
			ph_json_fields(skipped, skipped_fields, v, S__MAX);
			ph_json_close(skipped);
			(*nskipped)++;
		}
	}
	ph_stmt_done(st);
	if (rc != PH_ROW)
		return rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no publish log %.64s", id) : rc;
	return is_failed ? ph_action_move(call, rowid, PH_MOVE_REQUEUE, 0, NULL, err) : PH_OK;
}

/* All that failed among the named ones; PH_ESTATE if none has. */
static enum ph_rc
retry_ids(struct ph_action_call *call, const cJSON *ids, struct ph_err *err)
{
	struct ph_json	*skipped = ph_json_new_list();
	const cJSON	*id;
	char		*text = NULL;
	int64_t		 nskipped = 0;
	enum ph_rc	 rc = PH_OK;

	if (skipped == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the result");
	ph_json_arr_open(call->out, "logs");
	cJSON_ArrayForEach(id, ids)
		if ((rc = retry_one(call, id->valuestring, skipped, &nskipped, err)) != PH_OK)
			break;
	ph_json_close(call->out);
	if (rc == PH_OK && call->changed == 0)
		rc = ph_fail(err, PH_ESTATE, "none of these logs has failed");
	if (rc == PH_OK && (rc = ph_action_expect(call, call->changed, err)) == PH_OK &&
	    (rc = ph_json_finish(skipped, &text, err)) == PH_OK) {
		ph_json_item(call->out, "skipped", cJSON_CreateRaw(text));
		ph_action_write_counts(call, call->changed + nskipped);
	}
	ph_json_free(skipped);
	free(text);
	return rc;
}

static enum ph_rc
retry_failed(struct ph_action_call *call, struct ph_err *err)
{
	const cJSON		*ids = call->args->values[R_IDS].json;
	struct ph_log_set	 set;
	enum ph_rc		 rc;
	size_t			 i;

	if (ids != NULL) {
		if ((rc = check_ids(call, ids, err)) == PH_OK)
			rc = retry_ids(call, ids, err);
	} else if ((rc = ph_action_pick_bulk(call, &failed_logs, INT64_MAX, &set, err)) == PH_OK) {
		ph_json_arr_open(call->out, "logs");
		for (i = 0; i < set.n && rc == PH_OK; i++)
			rc = ph_action_move(call, set.rowids[i], PH_MOVE_REQUEUE, 0, NULL, err);
		ph_json_close(call->out);
		ph_json_arr_open(call->out, "skipped");
		ph_json_close(call->out);
		ph_action_write_counts(call, set.matched);
		ph_log_set_free(&set);
	}
	snprintf(call->message, sizeof(call->message), "%" PRId64 " failed logs are pending again.",
	    call->changed);
	return rc;
}

const struct ph_action ph_action_retry_failed = {
	.name = "retry-failed", .short_name = "retry", .entity = "publish_log",
	.text = "Queue failed publish logs again, the oldest first, at most 50.",
	.params = retry_params, .nparams = R__MAX, .run = retry_failed,
};

/* -- clear-failed -------------------------------------------------------------------------- */

enum { CLEAR_MAX = 10000, CLEAR_DAYS = 7, CLEAR_DAYS_MAX = 365, LISTED_MAX = 100 };

enum { C_OLDER_THAN_DAYS = PH_BULK_NPARAMS, C__MAX };
static const struct ph_param clear_params[C__MAX] = {
	PH_BULK_PARAMS(CLEAR_MAX),
	[C_OLDER_THAN_DAYS] = { .name = "older_than_days", .type = PH_P_INT, .in = PH_IN_BODY, .min = 1,
	    .max = CLEAR_DAYS_MAX, .dflt = CLEAR_DAYS, .unit = "days",
	    .text = "Only logs requested longer ago." },
};

/* $2: now, $3: by.  A log that came back under an id that was cleared before takes its place. */
static const char sql_archive[] =
	"INSERT INTO archived_logs (id, archived_at, archived_by, log)"
	" SELECT id, $2, $3, json_object('id', id, 'clip_id', clip_id, 'platform', platform,"
	" 'social_account_id', social_account_id, 'status', status, 'external_post_id', external_post_id,"
	" 'external_url', external_url, 'error_message', error_message, 'requested_at', requested_at,"
	" 'published_at', published_at, 'failed_at', failed_at, 'requeued_at', requeued_at,"
	" 'retry_count', retry_count, 'max_retries', max_retries, 'last_retry_at', last_retry_at,"
	" 'schedule_type', schedule_type, 'scheduled_for', scheduled_for,"
	" 'scheduled_window_end', scheduled_window_end, 'scheduled_by', scheduled_by,"
	" 'extra_metadata', extra_metadata, 'created_at', created_at, 'updated_at', updated_at)"
	" FROM publish_logs WHERE rowid = $1"
	" ON CONFLICT (id) DO UPDATE SET archived_at = excluded.archived_at,"
	" archived_by = excluded.archived_by, log = excluded.log";
static const char sql_delete[] = "DELETE FROM publish_logs WHERE rowid = $1";
static const char sql_show[] = "SELECT id, clip_id, platform, requested_at FROM publish_logs WHERE rowid = $1";

static enum ph_rc
show(struct ph_action_call *call, int64_t rowid, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, sql_show, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, rowid);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		const struct ph_log_item item = {
			.id = ph_stmt_text(st, 0), .clip_id = ph_stmt_text(st, 1),
			.platform = ph_stmt_text(st, 2), .from = "failed", .status = "archived",
			.requested_at = ph_stmt_int(st, 3), .scheduled_for = -1,
		};

		ph_action_write_log(call->out, NULL, &item);
	}
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* One log into the archive. */
static enum ph_rc
clear(struct ph_action_call *call, int64_t rowid, struct ph_err *err)
{
	struct ph_stmt	*archive, *delete;
	enum ph_rc	 rc;

	if ((call->changed < LISTED_MAX && (rc = show(call, rowid, err)) != PH_OK) ||
	    (rc = ph_db_prepare(call->db, sql_archive, &archive, err)) != PH_OK ||
	    (rc = ph_db_prepare(call->db, sql_delete, &delete, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(archive, 1, rowid);
	ph_stmt_bind_int(archive, 2, call->now_ms);
	ph_stmt_bind_text(archive, 3, call->user);
	ph_stmt_bind_int(delete, 1, rowid);
	if ((rc = ph_stmt_exec(archive, err)) == PH_OK && (rc = ph_stmt_exec(delete, err)) == PH_OK)
		call->changed++;
	ph_stmt_done(archive);
	ph_stmt_done(delete);
	return rc;
}

static enum ph_rc
clear_failed(struct ph_action_call *call, struct ph_err *err)
{
	const int64_t		days = call->args->values[C_OLDER_THAN_DAYS].num;
	const int64_t		before = call->now_ms - days * DAY_MS;
	struct ph_log_set	set;
	enum ph_rc		rc;
	size_t			i;

	if ((rc = ph_action_pick_bulk(call, &failed_logs, before, &set, err)) != PH_OK)
		return rc;
	ph_json_arr_open(call->out, "logs");
	for (i = 0; i < set.n && rc == PH_OK; i++)
		rc = clear(call, set.rowids[i], err);
	ph_json_close(call->out);
	ph_json_time(call->out, "requested_before", before);
	ph_action_write_counts(call, set.matched);
	ph_log_set_free(&set);
	snprintf(call->message, sizeof(call->message), "%" PRId64 " failed logs are archived.", call->changed);
	return rc;
}

const struct ph_action ph_action_clear_failed = {
	.name = "clear-failed", .short_name = "clear_failed", .entity = "publish_log", .scope = "actions:destructive",
	.text = "Move failed publish logs into the archive, the oldest first, at most 10000; the first "
	    "100 are listed.",
	.params = clear_params, .nparams = C__MAX, .run = clear_failed,
};
