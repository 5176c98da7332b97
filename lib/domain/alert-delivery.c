/*
 * alert-delivery.c -- notifications come into the queue, the table alert_deliveries, or are
 * cancelled in it.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "domain/alert-delivery-row.h"
#include "domain/alert-delivery.h"
#include "domain/alert-event.h"

const char *const ph_delivery_kinds[] = { "firing", "resolved", "test", "digest", NULL };
const char *const ph_delivery_statuses[] = { "waiting", "sent", "failed", "merged", "cancelled", NULL };

/* The channels of a rule, or the default ones. */
static const char sql_told_firing[] =
	"SELECT id, kind FROM alert_channels AS c WHERE enabled = 1 AND CASE"
	" WHEN EXISTS (SELECT 1 FROM alert_rule_channels WHERE rule_id = $1) THEN"
	"  EXISTS (SELECT 1 FROM alert_rule_channels AS r WHERE r.rule_id = $1 AND r.channel_id = c.id)"
	" ELSE is_default = 1 END ORDER BY created_at, id";
/* The channels whose last word on an event is that it fires. */
static const char sql_told_resolved[] =
	"SELECT id, kind FROM alert_channels AS c WHERE enabled = 1 AND EXISTS"
	" (SELECT 1 FROM alert_deliveries AS f WHERE f.event_id = $1 AND f.channel_id = c.id AND f.kind = 'firing'"
	"  AND (f.status <> 'cancelled' OR f.tries > 0) AND NOT EXISTS (SELECT 1 FROM alert_deliveries AS r"
	"   WHERE r.event_id = $1 AND r.channel_id = c.id AND r.kind = 'resolved' AND r.created_at >= f.created_at))"
	" ORDER BY created_at, id";
static const char sql_queue[] =
	"INSERT INTO alert_deliveries (id, event_id, channel_id, kind, payload, status, next_try_at, created_at,"
	" finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
static const char sql_cancel_deferred[] =
	"UPDATE alert_deliveries SET status = 'cancelled', next_try_at = NULL, finished_at = $2"
	" WHERE event_id = $1 AND kind = 'firing' AND status = 'waiting' AND tries = 0 AND next_try_at > $2";
/* Said again after the end, it would seem to fire for ever. */
static const char sql_cancel_over[] =
	"UPDATE alert_deliveries SET status = 'cancelled', next_try_at = NULL, finished_at = $2"
	" WHERE event_id = $1 AND kind = 'firing' AND status = 'waiting' AND (tries > 0 OR next_try_at > $2)";
static const char sql_cancel_channel[] =
	"UPDATE alert_deliveries SET status = 'cancelled', next_try_at = NULL, finished_at = $2"
	" WHERE channel_id = $1 AND status = 'waiting'";

enum ph_rc
ph_delivery_queue(struct ph_db *db, const struct ph_delivery_row *q, char id[PH_ALERT_ID_SIZE], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_queue, &st, err)) != PH_OK)
		return rc;
	ph_uuid(id);
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_text(st, 2, q->event_id);
	ph_stmt_bind_text(st, 3, q->channel_id);
	ph_stmt_bind_text(st, 4, ph_delivery_kinds[q->kind]);
	ph_stmt_bind_text(st, 5, q->payload);
	ph_stmt_bind_text(st, 6, q->is_stream ? "sent" : "waiting");
	ph_stmt_bind_int(st, 8, q->now_ms);
	if (q->is_stream) {
		ph_stmt_bind_null(st, 7);
		ph_stmt_bind_int(st, 9, q->now_ms);
	} else {
		ph_stmt_bind_int(st, 7, q->due_ms);
		ph_stmt_bind_null(st, 9);
	}
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

struct ph_json *
ph_delivery_begin_payload(enum ph_delivery_kind kind, int64_t now_ms)
{
	struct ph_json	*out = ph_json_new();
	char		 event[32];

	if (out == NULL)
		return NULL;
	snprintf(event, sizeof(event), "alert.%s", ph_delivery_kinds[kind]);
	ph_json_str(out, "event", event);
	ph_json_time(out, "at", now_ms);
	return out;
}

static enum ph_rc
event_payload(struct ph_db *db, const struct ph_alert_rule *r, enum ph_delivery_kind kind, int64_t now_ms,
    char **payload, struct ph_err *err)
{
	struct ph_json	*out = ph_delivery_begin_payload(kind, now_ms);
	enum ph_rc	 rc;

	if (out == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for a notification");
	ph_json_str(out, "rule_name", r->name);
	ph_json_obj_open(out, "alert");
	if ((rc = ph_alert_event_show(db, r->event_id, out, err)) == PH_OK) {
		ph_json_close(out);
		rc = ph_json_finish(out, payload, err);
	}
	ph_json_free(out);
	return rc;
}

/* One delivery for each channel that sql names for subject, the id of a rule or an event. */
static enum ph_rc
queue_event(struct ph_db *db, const char *sql, const char *subject, const struct ph_alert_rule *r,
    enum ph_delivery_kind kind, int64_t due_ms, int64_t now_ms, struct ph_err *err)
{
	struct ph_delivery_row	 q = { .event_id = r->event_id, .kind = kind, .due_ms = due_ms, .now_ms = now_ms };
	struct ph_stmt		*st = NULL;
	char			*payload = NULL, id[PH_ALERT_ID_SIZE];
	enum ph_rc		 rc;

	if ((rc = event_payload(db, r, kind, now_ms, &payload, err)) != PH_OK ||
	    (rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		goto out;
	q.payload = payload;
	ph_stmt_bind_text(st, 1, subject);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		q.channel_id = ph_stmt_text(st, 0);
		q.is_stream = strcmp(ph_stmt_text(st, 1), ph_channel_kinds[PH_CHANNEL_STREAM]) == 0;
		if ((rc = ph_delivery_queue(db, &q, id, err)) != PH_OK)
			break;
	}
out:
	ph_stmt_done(st);
	free(payload);
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_deliveries_firing(struct ph_db *db, const struct ph_alert_rule *r, int64_t due_ms, int64_t now_ms,
    struct ph_err *err)
{
	return queue_event(db, sql_told_firing, r->id, r, PH_DELIVERY_FIRING, due_ms, now_ms, err);
}

static enum ph_rc
cancel(struct ph_db *db, const char *sql, const char *id, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_int(st, 2, now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_deliveries_snoozed(struct ph_db *db, const char *event_id, int64_t now_ms, struct ph_err *err)
{
	return cancel(db, sql_cancel_deferred, event_id, now_ms, err);
}

enum ph_rc
ph_deliveries_resolved(struct ph_db *db, const struct ph_alert_rule *r, int64_t now_ms, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = cancel(db, sql_cancel_over, r->event_id, now_ms, err)) != PH_OK)
		return rc;
	return queue_event(db, sql_told_resolved, r->event_id, r, PH_DELIVERY_RESOLVED, now_ms, now_ms, err);
}

enum ph_rc
ph_deliveries_cancel(struct ph_db *db, const char *channel_id, int64_t now_ms, struct ph_err *err)
{
	return cancel(db, sql_cancel_channel, channel_id, now_ms, err);
}

enum ph_rc
ph_delivery_test(struct ph_db *db, const struct ph_alert_channel *c, const char *user, int64_t now_ms,
    char id[PH_ALERT_ID_SIZE], struct ph_err *err)
{
	struct ph_delivery_row	 q = { .channel_id = c->id, .kind = PH_DELIVERY_TEST, .due_ms = now_ms, .now_ms = now_ms,
	    .is_stream = c->kind == PH_CHANNEL_STREAM };
	struct ph_json		*out = ph_delivery_begin_payload(PH_DELIVERY_TEST, now_ms);
	char			*payload = NULL;
	enum ph_rc		 rc;

	if (out == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for a notification");
	ph_json_str(out, "message", "This is a test of the channel. Nothing is wrong.");
	ph_json_str(out, "channel_name", c->name);
	ph_json_str(out, "requested_by", user);
	if ((rc = ph_json_finish(out, &payload, err)) == PH_OK) {
		q.payload = payload;
		rc = ph_delivery_queue(db, &q, id, err);
	}
	ph_json_free(out);
	free(payload);
	return rc;
}
