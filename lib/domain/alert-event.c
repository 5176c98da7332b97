/*
 * alert-event.c -- the table alert_events and the JSON of an alert.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/hash.h"
#include "domain/alert-delivery.h"
#include "domain/alert-event.h"
#include "domain/alert-message.h"

/* When the event was resolved; no row while it is open, or gone. */
static const char sql_ended[] = "SELECT resolved_at FROM alert_events WHERE id = $1 AND state = 'resolved'";
static const char sql_reopen[] =
	"UPDATE alert_events SET state = 'firing', resolved_at = NULL, updated_at = $2, message = $3, metadata = $4,"
	" alert_type = $5, severity = $6 WHERE id = $1";
static const char sql_open[] =
	"INSERT INTO alert_events (id, updated_at, message, metadata, alert_type, severity, rule_id, state, created_at,"
	" snoozed_until) VALUES ($1, $2, $3, $4, $5, $6, $7, 'firing', $2, $8)";
/* Only what is new makes news. */
static const char sql_refresh[] =
	"UPDATE alert_events SET updated_at = $2, message = $3, metadata = $4, alert_type = $5, severity = $6"
	" WHERE id = $1 AND (message, metadata, alert_type, severity) IS NOT ($3, $4, $5, $6)";
static const char sql_resolve[] =
	"UPDATE alert_events SET state = 'resolved', resolved_at = $2, updated_at = $2 WHERE id = $1 AND state = 'firing'";
static const char sql_is_acked[] = "SELECT acked_at IS NOT NULL FROM alert_events WHERE id = $1";

static const char sql_read[] =
	"UPDATE alert_events SET updated_at = CASE read WHEN 0 THEN $2 ELSE updated_at END, read = 1 WHERE id = $1";
static const char sql_read_all[] = "UPDATE alert_events SET read = 1, updated_at = $1 WHERE read = 0";
/* The first who acknowledges it stays. */
static const char sql_ack[] =
	"UPDATE alert_events SET read = 1, updated_at = $2, acked_by = coalesce(acked_by, $3),"
	" acked_at = coalesce(acked_at, $2) WHERE id = $1";
static const char sql_snooze[] =
	"UPDATE alert_events SET snoozed_until = $3, updated_at = $2 WHERE id = $1 AND state = 'firing'";
static const char sql_snooze_rule[] =
	"UPDATE alert_rules SET snoozed_until = $2 WHERE id = (SELECT rule_id FROM alert_events WHERE id = $1)";
static const char sql_exists[] = "SELECT 1 FROM alert_events WHERE id = $1";

static const char sql_show[] = "SELECT " PH_ALERT_EVENT_COLUMNS " FROM alert_events AS e WHERE e.id = $1";
static const char sql_list[] =
	"SELECT " PH_ALERT_EVENT_COLUMNS " FROM alert_events AS e ORDER BY e.created_at DESC, e.id DESC LIMIT $1 OFFSET $2";
static const char sql_list_unread[] =
	"SELECT " PH_ALERT_EVENT_COLUMNS " FROM alert_events AS e WHERE e.read = 0"
	" ORDER BY e.created_at DESC, e.id DESC LIMIT $1 OFFSET $2";
static const char sql_counts[] =
	"SELECT (SELECT count(*) FROM alert_events), (SELECT count(*) FROM alert_events WHERE read = 0)";

/* -- by the evaluation ---------------------------------------------------------------------------- */

/* A statement about one event, with what every change of it binds: $1 id, $2 now. */
static enum ph_rc
prepare(struct ph_db *db, const char *sql, const char *id, int64_t now_ms, struct ph_stmt **st, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_prepare(db, sql, st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(*st, 1, id);
	ph_stmt_bind_int(*st, 2, now_ms);
	return PH_OK;
}

/* The number that a statement about one event gives; PH_DONE without one. */
static enum ph_rc
ask(struct ph_db *db, const char *sql, const char *id, int64_t *out, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*out = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

/* Run a statement that takes the description of the rule's value as $3 and $4, and its kind, which may have
 * been changed, as $5 and $6. */
static enum ph_rc
describe(struct ph_db *db, const char *sql, const struct ph_alert_rule *r, double value, int64_t now_ms,
    struct ph_err *err)
{
	char		 message[PH_ALERT_MESSAGE_SIZE], *metadata = NULL;
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = ph_alert_describe(db, r, value, now_ms, message, &metadata, err)) != PH_OK ||
	    (rc = prepare(db, sql, r->event_id, now_ms, &st, err)) != PH_OK)
		goto out;
	ph_stmt_bind_text(st, 3, message);
	ph_stmt_bind_text(st, 4, metadata);
	ph_stmt_bind_text(st, 5, r->alert_type);
	ph_stmt_bind_text(st, 6, ph_alert_severities[r->severity]);
	if (sql == sql_open) {
		ph_stmt_bind_text(st, 7, r->id);
		if (r->snoozed_until > now_ms)
			ph_stmt_bind_int(st, 8, r->snoozed_until);
		else
			ph_stmt_bind_null(st, 8);
	}
	rc = ph_stmt_exec(st, err);
out:
	ph_stmt_done(st);
	free(metadata);
	return rc;
}

enum ph_rc
ph_alert_event_fire(struct ph_db *db, struct ph_alert_rule *r, double value, int64_t now_ms, struct ph_err *err)
{
	int64_t		ended_at, due_ms = now_ms;
	enum ph_rc	rc;

	rc = ask(db, sql_ended, r->event_id, &ended_at, err);
	if (rc == PH_OK && now_ms - ended_at < r->cooldown_ms) {
		due_ms = ended_at + r->cooldown_ms;
		rc = describe(db, sql_reopen, r, value, now_ms, err);
	} else if (rc == PH_OK || rc == PH_DONE) {
		ph_uuid(r->event_id);
		rc = describe(db, sql_open, r, value, now_ms, err);
	}
	if (rc != PH_OK || r->snoozed_until > now_ms)
		return rc;
	r->snoozed_until = -1;		/* told now, not again when it repeats */
	return ph_deliveries_firing(db, r, due_ms, now_ms, err);
}

enum ph_rc
ph_alert_event_repeat(struct ph_db *db, struct ph_alert_rule *r, double value, int64_t now_ms, struct ph_err *err)
{
	int64_t		is_acked = 0;
	enum ph_rc	rc;

	if ((rc = describe(db, sql_refresh, r, value, now_ms, err)) != PH_OK ||
	    r->snoozed_until < 0 || r->snoozed_until > now_ms)
		return rc;
	r->snoozed_until = -1;
	if ((rc = ask(db, sql_is_acked, r->event_id, &is_acked, err)) == PH_OK && !is_acked)
		rc = ph_deliveries_firing(db, r, now_ms, now_ms, err);
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_alert_event_resolve(struct ph_db *db, const struct ph_alert_rule *r, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = prepare(db, sql_resolve, r->event_id, now_ms, &st, err)) != PH_OK)
		return rc;
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_OK && ph_db_changes(db) > 0)
		rc = ph_deliveries_resolved(db, r, now_ms, err);
	return rc;
}

/* -- by people ---------------------------------------------------------------------------------------- */

static enum ph_rc
unknown(struct ph_err *err)
{
	return ph_fail(err, PH_ENOTFOUND, "there is no such alert");
}

enum ph_rc
ph_alert_event_read(struct ph_db *db, const char *id, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = prepare(db, sql_read, id, now_ms, &st, err)) != PH_OK)
		return rc;
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc == PH_OK && ph_db_changes(db) == 0 ? unknown(err) : rc;
}

enum ph_rc
ph_alert_event_ack(struct ph_db *db, const char *id, const char *user, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = prepare(db, sql_ack, id, now_ms, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 3, user);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc == PH_OK && ph_db_changes(db) == 0 ? unknown(err) : rc;
}

enum ph_rc
ph_alert_event_snooze(struct ph_db *db, const char *id, int64_t until_ms, int64_t now_ms, struct ph_err *err)
{
	int64_t		 one;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = prepare(db, sql_snooze, id, now_ms, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 3, until_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_OK && ph_db_changes(db) == 0) {
		rc = ask(db, sql_exists, id, &one, err);
		return rc == PH_DONE ? unknown(err) : rc != PH_OK ? rc : ph_fail(err, PH_ESTATE, "the alert is resolved");
	}
	if (rc != PH_OK || (rc = prepare(db, sql_snooze_rule, id, until_ms, &st, err)) != PH_OK)
		return rc;
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc == PH_OK ? ph_deliveries_snoozed(db, id, now_ms, err) : rc;
}

enum ph_rc
ph_alert_events_read_all(struct ph_db *db, int64_t now_ms, int64_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_read_all, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	*n = ph_db_changes(db);
	return rc;
}

enum ph_rc
ph_alert_events_count(struct ph_db *db, int64_t *total, int64_t *unread, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_counts, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*total = ph_stmt_int(st, 0);
		*unread = ph_stmt_int(st, 1);
	}
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

/* -- JSON ---------------------------------------------------------------------------------------------- */

static const char *const event_states[] = { "firing", "resolved", NULL };

enum {
	F_ID, F_RULE_ID, F_TYPE, F_SEVERITY, F_STATE, F_MESSAGE, F_CREATED_AT, F_UPDATED_AT, F_RESOLVED_AT, F_ACKED_AT,
	F_ACKED_BY, F_SNOOZED_UNTIL, F_READ, F_METADATA, F__MAX
};
_Static_assert((int)F__MAX == (int)PH_ALERT_EVENT_NFIELDS, "as the header says");

/* In the order of PH_ALERT_EVENT_COLUMNS. */
const struct ph_field ph_alert_event_fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the alert." },
	[F_RULE_ID] = { .name = "rule_id", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The rule that fired; it may have been deleted since." },
	[F_TYPE] = { .name = "alert_type", .type = PH_TEXT, .text = "Kind of alert." },
	[F_SEVERITY] = { .name = "severity", .type = PH_TEXT, .choices = ph_alert_severities, .text = "How bad it is." },
	[F_STATE] = { .name = "state", .type = PH_TEXT, .choices = event_states, .text = "Whether it is over." },
	[F_MESSAGE] = { .name = "message", .type = PH_TEXT, .text = "What is wrong, as last seen." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it fired." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .text = "When anything about it last changed." },
	[F_RESOLVED_AT] = { .name = "resolved_at", .type = PH_TIME, .is_nullable = 1, .text = "When it was over." },
	[F_ACKED_AT] = { .name = "acked_at", .type = PH_TIME, .is_nullable = 1, .text = "When it was acknowledged." },
	[F_ACKED_BY] = { .name = "acked_by", .type = PH_TEXT, .is_nullable = 1, .text = "Who acknowledged it." },
	[F_SNOOZED_UNTIL] = { .name = "snoozed_until", .type = PH_TIME, .is_nullable = 1,
	    .text = "No channel hears of it before." },
	[F_READ] = { .name = "read", .type = PH_BOOL, .text = "Whether somebody has marked it as read." },
	[F_METADATA] = { .name = "metadata", .type = PH_ANY,
	    .text = "metric, op, threshold, value, and what its kind adds." },
};

void
ph_alert_event_write(struct ph_json *out, struct ph_stmt *st)
{
	struct ph_value	 v[F__MAX] = { 0 };
	cJSON		*metadata = cJSON_Parse(ph_stmt_text(st, F_METADATA));

	ph_v_columns(v, st, ph_alert_event_fields, F_METADATA);
	ph_json_fields(out, ph_alert_event_fields, v, F__MAX);
	ph_json_item(out, "metadata", metadata != NULL ? metadata : cJSON_CreateObject());
}

enum ph_rc
ph_alert_event_show(struct ph_db *db, const char *id, struct ph_json *out, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_show, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		ph_alert_event_write(out, st);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ? unknown(err) : rc;
}

enum ph_rc
ph_alert_events_list(struct ph_db *db, int only_unread, int64_t limit, int64_t offset, const char *key,
    struct ph_json *out, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, only_unread ? sql_list_unread : sql_list, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, limit);
	ph_stmt_bind_int(st, 2, offset);
	ph_json_arr_open(out, key);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		ph_json_obj_open(out, NULL);
		ph_alert_event_write(out, st);
		ph_json_close(out);
	}
	ph_stmt_done(st);
	ph_json_close(out);
	return rc == PH_DONE ? PH_OK : rc;
}
