/*
 * alert-delivery.c -- the table alert_deliveries as a queue.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "core/hash.h"
#include "domain/alert-delivery.h"
#include "domain/alert-event.h"

enum { MINUTE_MS = 60000 };

/* From the beginning of a try to the next: tries at 0, 5, 30 and 120 s.  After the last one: when
 * a notifier that was killed in it is given up. */
static const int64_t gap_ms[PH_DELIVERY_TRIES] = { 5000, 25000, 90000, 60000 };

const char *const ph_delivery_kinds[] = { "firing", "resolved", "test", "digest", NULL };
const char *const ph_delivery_statuses[] = { "waiting", "sent", "failed", "merged", "cancelled", NULL };

/* -- queueing ------------------------------------------------------------------------------------- */

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
	"  AND f.status <> 'cancelled' AND NOT EXISTS (SELECT 1 FROM alert_deliveries AS r WHERE r.event_id = $1"
	"   AND r.channel_id = c.id AND r.kind = 'resolved' AND r.created_at >= f.created_at))"
	" ORDER BY created_at, id";
static const char sql_queue[] =
	"INSERT INTO alert_deliveries (id, event_id, channel_id, kind, payload, status, next_try_at, created_at,"
	" finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
static const char sql_cancel_deferred[] =
	"UPDATE alert_deliveries SET status = 'cancelled', next_try_at = NULL, finished_at = $2"
	" WHERE event_id = $1 AND kind = 'firing' AND status = 'waiting' AND tries = 0 AND next_try_at > $2";
static const char sql_cancel_channel[] =
	"UPDATE alert_deliveries SET status = 'cancelled', next_try_at = NULL, finished_at = $2"
	" WHERE channel_id = $1 AND status = 'waiting'";

struct queued {
	const char		*event_id;	/* NULL: none */
	const char		*channel_id;
	const char		*payload;
	enum ph_delivery_kind	 kind;
	int			 is_stream;	/* nothing is sent */
	int64_t			 due_ms, now_ms;
};

static enum ph_rc
queue(struct ph_db *db, const struct queued *q, char id[PH_ALERT_ID_SIZE], struct ph_err *err)
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

/* {"event":"alert.KIND","at":...} and then what the caller adds.  NULL: no memory. */
static struct ph_json *
begin_payload(enum ph_delivery_kind kind, int64_t now_ms)
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
	struct ph_json	*out = begin_payload(kind, now_ms);
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
	struct queued	 q = { .event_id = r->event_id, .kind = kind, .due_ms = due_ms, .now_ms = now_ms };
	struct ph_stmt	*st = NULL;
	char		*payload = NULL, id[PH_ALERT_ID_SIZE];
	enum ph_rc	 rc;

	if ((rc = event_payload(db, r, kind, now_ms, &payload, err)) != PH_OK ||
	    (rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		goto out;
	q.payload = payload;
	ph_stmt_bind_text(st, 1, subject);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		q.channel_id = ph_stmt_text(st, 0);
		q.is_stream = strcmp(ph_stmt_text(st, 1), ph_channel_kinds[PH_CHANNEL_STREAM]) == 0;
		if ((rc = queue(db, &q, id, err)) != PH_OK)
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
ph_deliveries_resolved(struct ph_db *db, const struct ph_alert_rule *r, int64_t now_ms, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = cancel(db, sql_cancel_deferred, r->event_id, now_ms, err)) != PH_OK)
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
	struct queued	 q = { .channel_id = c->id, .kind = PH_DELIVERY_TEST, .due_ms = now_ms, .now_ms = now_ms,
	    .is_stream = c->kind == PH_CHANNEL_STREAM };
	struct ph_json	*out = begin_payload(PH_DELIVERY_TEST, now_ms);
	char		*payload = NULL;
	enum ph_rc	 rc;

	if (out == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for a notification");
	ph_json_str(out, "message", "This is a test of the channel. Nothing is wrong.");
	ph_json_str(out, "channel_name", c->name);
	ph_json_str(out, "requested_by", user);
	if ((rc = ph_json_finish(out, &payload, err)) == PH_OK) {
		q.payload = payload;
		rc = queue(db, &q, id, err);
	}
	ph_json_free(out);
	free(payload);
	return rc;
}

/* -- claiming --------------------------------------------------------------------------------------- */

static const char sql_due[] =
	"SELECT 1 FROM alert_deliveries WHERE status = 'waiting' AND next_try_at <= $1 LIMIT 1";
/* Its last try began, and the notifier was never heard of again. */
static const char sql_give_up[] =
	"UPDATE alert_deliveries SET status = 'failed', next_try_at = NULL, finished_at = $1"
	" WHERE status = 'waiting' AND next_try_at <= $1 AND tries >= $2";
static const char sql_due_channels[] =
	"SELECT DISTINCT channel_id FROM alert_deliveries WHERE status = 'waiting' AND next_try_at <= $1";
/* Notifications of the last minute, and those that wait for their first try. */
static const char sql_pace[] =
	"SELECT (SELECT count(*) FROM alert_deliveries WHERE channel_id = $1 AND started_at > $2 - 60000),"
	" (SELECT min(started_at) FROM alert_deliveries WHERE channel_id = $1 AND started_at > $2 - 60000),"
	" (SELECT count(*) FROM alert_deliveries WHERE channel_id = $1 AND status = 'waiting' AND tries = 0"
	"  AND next_try_at <= $2)";
static const char sql_postpone[] =
	"UPDATE alert_deliveries SET next_try_at = $3 WHERE channel_id = $1 AND status = 'waiting' AND tries = 0"
	" AND next_try_at <= $2";
static const char sql_unmerged[] =
	"SELECT id, payload FROM alert_deliveries WHERE channel_id = $1 AND status = 'waiting' AND tries = 0"
	" AND next_try_at <= $2 ORDER BY created_at, id";
static const char sql_merge[] =
	"UPDATE alert_deliveries SET status = 'merged', next_try_at = NULL, finished_at = $2, merged_into = $3"
	" WHERE channel_id = $1 AND status = 'waiting' AND tries = 0 AND next_try_at <= $2 AND id <> $3";
static const char sql_next[] =
	"SELECT d.id, d.tries, d.attempts, d.payload, c.kind, c.target, c.secret FROM alert_deliveries AS d"
	" JOIN alert_channels AS c ON c.id = d.channel_id WHERE d.channel_id = $1 AND d.status = 'waiting'"
	" AND d.next_try_at <= $2 ORDER BY d.next_try_at, d.created_at, d.id LIMIT 1";
static const char sql_begin_try[] =
	"UPDATE alert_deliveries SET tries = $2, attempts = $3, next_try_at = $4, started_at = coalesce(started_at, $5)"
	" WHERE id = $1";
static const char sql_attempts[] = "SELECT attempts FROM alert_deliveries WHERE id = $1 AND status = 'waiting'";
static const char sql_end_try[] =
	"UPDATE alert_deliveries SET attempts = $2, status = $3, next_try_at = CASE $3 WHEN 'waiting' THEN next_try_at END,"
	" finished_at = CASE $3 WHEN 'waiting' THEN NULL ELSE $4 END WHERE id = $1";

void
ph_delivery_clear(struct ph_delivery *d)
{
	free(d->target);
	if (d->secret != NULL)
		explicit_bzero(d->secret, strlen(d->secret));
	free(d->secret);
	free(d->payload);
	memset(d, 0, sizeof(*d));
}

enum ph_rc
ph_deliveries_are_due(struct ph_db *db, int64_t now_ms, int *are, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_due, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, now_ms);
	rc = ph_stmt_step(st, err);
	ph_stmt_done(st);
	*are = rc == PH_ROW;
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* One entry of the list of attempts.  error "": none. */
static cJSON *
attempt(int64_t at_ms, int status, const char *error, int duration_ms)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddNumberToObject(o, "at", (double)at_ms);
	cJSON_AddItemToObject(o, "status", status != 0 ? cJSON_CreateNumber(status) : cJSON_CreateNull());
	cJSON_AddItemToObject(o, "error", error[0] != '\0' ? cJSON_CreateString(error) : cJSON_CreateNull());
	cJSON_AddItemToObject(o, "duration_ms", duration_ms >= 0 ? cJSON_CreateNumber(duration_ms) : cJSON_CreateNull());
	return o;
}

static cJSON *
parse_attempts(const char *text)
{
	cJSON *list = cJSON_Parse(text);

	if (cJSON_IsArray(list))
		return list;
	cJSON_Delete(list);
	return cJSON_CreateArray();
}

/* A member of one alert of a digest's list. */
static void
copy_member(struct ph_json *out, const cJSON *from, const char *name)
{
	const cJSON *v = cJSON_GetObjectItem(from, name);

	if (v != NULL)
		ph_json_item(out, name, cJSON_Duplicate(v, 1));
}

/* What waits for a channel as the payload of one digest. */
static enum ph_rc
digest_payload(struct ph_db *db, const char *channel_id, int64_t n, int64_t now_ms, char **payload,
    struct ph_err *err)
{
	struct ph_json	*out = begin_payload(PH_DELIVERY_DIGEST, now_ms);
	struct ph_stmt	*st = NULL;
	int		 listed = 0;
	enum ph_rc	 rc;

	if (out == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for a digest");
	if ((rc = ph_db_prepare(db, sql_unmerged, &st, err)) != PH_OK)
		goto out;
	ph_stmt_bind_text(st, 1, channel_id);
	ph_stmt_bind_int(st, 2, now_ms);
	ph_json_int(out, "count", n);
	ph_json_arr_open(out, "notifications");
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && listed++ < PH_DIGEST_ALERTS) {
		cJSON *one = cJSON_Parse(ph_stmt_text(st, 1));

		ph_json_obj_open(out, NULL);
		ph_json_str(out, "delivery_id", ph_stmt_text(st, 0));
		copy_member(out, one, "event");
		copy_member(out, one, "at");
		copy_member(out, one, "rule_name");
		copy_member(out, one, "message");
		copy_member(out, one, "alert");
		ph_json_close(out);
		cJSON_Delete(one);
	}
	ph_json_close(out);
	if (rc == PH_ROW || rc == PH_DONE)
		rc = ph_json_finish(out, payload, err);
out:
	ph_stmt_done(st);
	ph_json_free(out);
	return rc;
}

static enum ph_rc
merge(struct ph_db *db, const char *channel_id, int64_t n, int64_t now_ms, struct ph_err *err)
{
	struct queued	 q = { .channel_id = channel_id, .kind = PH_DELIVERY_DIGEST, .due_ms = now_ms, .now_ms = now_ms };
	struct ph_stmt	*st = NULL;
	char		*payload = NULL, id[PH_ALERT_ID_SIZE];
	enum ph_rc	 rc;

	if ((rc = digest_payload(db, channel_id, n, now_ms, &payload, err)) != PH_OK)
		return rc;
	q.payload = payload;
	if ((rc = queue(db, &q, id, err)) == PH_OK && (rc = ph_db_prepare(db, sql_merge, &st, err)) == PH_OK) {
		ph_stmt_bind_text(st, 1, channel_id);
		ph_stmt_bind_int(st, 2, now_ms);
		ph_stmt_bind_text(st, 3, id);
		rc = ph_stmt_exec(st, err);
		ph_stmt_done(st);
	}
	free(payload);
	return rc;
}

static enum ph_rc
postpone(struct ph_db *db, const char *channel_id, int64_t until_ms, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_postpone, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, channel_id);
	ph_stmt_bind_int(st, 2, now_ms);
	ph_stmt_bind_int(st, 3, until_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* The last notification that a channel may get within this minute is a digest of all that wait. */
static enum ph_rc
keep_pace(struct ph_db *db, const char *channel_id, int64_t now_ms, struct ph_err *err)
{
	int64_t		 started = 0, first_at = 0, waiting = 0;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_pace, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, channel_id);
	ph_stmt_bind_int(st, 2, now_ms);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		started = ph_stmt_int(st, 0);
		first_at = ph_stmt_int(st, 1);
		waiting = ph_stmt_int(st, 2);
		rc = PH_OK;
	}
	ph_stmt_done(st);
	if (rc != PH_OK || waiting == 0)
		return rc;
	if (started >= PH_DELIVERIES_PER_MINUTE)
		return postpone(db, channel_id, first_at + MINUTE_MS, now_ms, err);
	if (started == PH_DELIVERIES_PER_MINUTE - 1 && waiting > 1)
		return merge(db, channel_id, waiting, now_ms, err);
	return PH_OK;
}

/* Record that a try begins, as if it would never be heard of again. */
static enum ph_rc
begin_try(struct ph_db *db, const struct ph_delivery *d, cJSON *attempts, struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	char		*text;
	enum ph_rc	 rc;

	cJSON_AddItemToArray(attempts, attempt(d->at_ms, 0, "interrupted: whether it arrived is not known", -1));
	if ((text = cJSON_PrintUnformatted(attempts)) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for a delivery");
	if ((rc = ph_db_prepare(db, sql_begin_try, &st, err)) == PH_OK) {
		ph_stmt_bind_text(st, 1, d->id);
		ph_stmt_bind_int(st, 2, d->try_number);
		ph_stmt_bind_text(st, 3, text);
		ph_stmt_bind_int(st, 4, d->at_ms + gap_ms[d->try_number - 1]);
		ph_stmt_bind_int(st, 5, d->at_ms);
		rc = ph_stmt_exec(st, err);
		ph_stmt_done(st);
	}
	free(text);
	return rc;
}

static char *
copy_text(struct ph_stmt *st, int col)
{
	const char *s = ph_stmt_text(st, col);

	return s != NULL ? strdup(s) : NULL;
}

/* The next due delivery of a channel to *d; PH_DONE: none. */
static enum ph_rc
claim_one(struct ph_db *db, const char *channel_id, int64_t now_ms, struct ph_delivery *d, struct ph_err *err)
{
	struct ph_stmt	*st;
	cJSON		*attempts = NULL;
	enum ph_rc	 rc;

	if ((rc = keep_pace(db, channel_id, now_ms, err)) != PH_OK ||
	    (rc = ph_db_prepare(db, sql_next, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, channel_id);
	ph_stmt_bind_int(st, 2, now_ms);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		memset(d, 0, sizeof(*d));
		snprintf(d->id, sizeof(d->id), "%s", ph_stmt_text(st, 0));
		memcpy(d->channel_id, channel_id, strnlen(channel_id, sizeof(d->channel_id) - 1));
		d->try_number = (int)ph_stmt_int(st, 1) + 1;
		attempts = parse_attempts(ph_stmt_text(st, 2));
		d->payload = copy_text(st, 3);
		d->channel_kind = (enum ph_channel_kind)ph_alert_name_index(ph_channel_kinds, ph_stmt_text(st, 4));
		d->target = copy_text(st, 5);
		d->secret = copy_text(st, 6);
		d->at_ms = now_ms;
	}
	ph_stmt_done(st);
	if (rc != PH_ROW)
		return rc;
	rc = d->payload == NULL || d->target == NULL ? ph_fail(err, PH_ENOMEM, "not enough memory for a delivery") :
	    begin_try(db, d, attempts, err);
	cJSON_Delete(attempts);
	if (rc != PH_OK)
		ph_delivery_clear(d);
	return rc;
}

static enum ph_rc
give_up(struct ph_db *db, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_give_up, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, now_ms);
	ph_stmt_bind_int(st, 2, PH_DELIVERY_TRIES);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

static int
is_skipped(const char *id, const char (*skip)[PH_ALERT_ID_SIZE], size_t nskip)
{
	size_t i;

	for (i = 0; i < nskip; i++)
		if (strcmp(skip[i], id) == 0)
			return 1;
	return 0;
}

/* The channels that something is due for, but those in skip. */
static enum ph_rc
due_channels(struct ph_db *db, int64_t now_ms, const char (*skip)[PH_ALERT_ID_SIZE], size_t nskip,
    char ids[PH_CHANNELS_MAX][PH_ALERT_ID_SIZE], size_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*n = 0;
	if ((rc = ph_db_prepare(db, sql_due_channels, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, now_ms);
	while (*n < PH_CHANNELS_MAX && (rc = ph_stmt_step(st, err)) == PH_ROW)
		if (!is_skipped(ph_stmt_text(st, 0), skip, nskip))
			snprintf(ids[(*n)++], PH_ALERT_ID_SIZE, "%s", ph_stmt_text(st, 0));
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_deliveries_claim(struct ph_db *db, int64_t now_ms, const char (*skip)[PH_ALERT_ID_SIZE], size_t nskip,
    struct ph_delivery *out, size_t max, size_t *n, struct ph_err *err)
{
	char		channels[PH_CHANNELS_MAX][PH_ALERT_ID_SIZE];
	size_t		nchannels, i;
	enum ph_rc	rc;

	*n = 0;
	if ((rc = give_up(db, now_ms, err)) != PH_OK ||
	    (rc = due_channels(db, now_ms, skip, nskip, channels, &nchannels, err)) != PH_OK)
		return rc;
	for (i = 0; i < nchannels && *n < max; i++) {
		if ((rc = claim_one(db, channels[i], now_ms, &out[*n], err)) == PH_OK)
			++*n;
		else if (rc != PH_DONE)
			break;
		rc = PH_OK;
	}
	if (rc != PH_OK)
		while (*n > 0)
			ph_delivery_clear(&out[--*n]);
	return rc;
}

/* -- settling ----------------------------------------------------------------------------------------- */

/* The list of attempts with its last entry made good.  Caller frees; NULL with PH_DONE: the delivery waits
 * no more, because its channel was switched off or deleted meanwhile. */
static enum ph_rc
completed_attempts(struct ph_db *db, const struct ph_delivery *d, char **text, struct ph_err *err)
{
	struct ph_stmt	*st;
	cJSON		*list;
	enum ph_rc	 rc;

	*text = NULL;
	if ((rc = ph_db_prepare(db, sql_attempts, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, d->id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		list = parse_attempts(ph_stmt_text(st, 0));
		cJSON_DeleteItemFromArray(list, cJSON_GetArraySize(list) - 1);
		cJSON_AddItemToArray(list, attempt(d->at_ms, d->status, d->error, d->duration_ms));
		*text = cJSON_PrintUnformatted(list);
		cJSON_Delete(list);
		rc = *text != NULL ? PH_OK : ph_fail(err, PH_ENOMEM, "not enough memory for a delivery");
	}
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_delivery_settle(struct ph_db *db, const struct ph_delivery *d, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		*attempts;
	enum ph_rc	 rc;

	if ((rc = completed_attempts(db, d, &attempts, err)) != PH_OK)
		return rc == PH_DONE ? PH_OK : rc;
	if ((rc = ph_db_prepare(db, sql_end_try, &st, err)) == PH_OK) {
		ph_stmt_bind_text(st, 1, d->id);
		ph_stmt_bind_text(st, 2, attempts);
		ph_stmt_bind_text(st, 3, d->is_sent ? "sent" : d->try_number >= PH_DELIVERY_TRIES ? "failed" : "waiting");
		ph_stmt_bind_int(st, 4, now_ms);
		rc = ph_stmt_exec(st, err);
		ph_stmt_done(st);
	}
	free(attempts);
	return rc;
}

/* -- JSON ---------------------------------------------------------------------------------------------- */

enum { A_AT, A_STATUS, A_ERROR, A_DURATION, A__MAX };

static const struct ph_field attempt_fields[A__MAX] = {
	[A_AT] = { .name = "at", .type = PH_TIME, .text = "When the try began." },
	[A_STATUS] = { .name = "status", .is_nullable = 1, .text = "HTTP status; null: none came." },
	[A_ERROR] = { .name = "error", .type = PH_TEXT, .is_nullable = 1, .text = "Why it did not arrive." },
	[A_DURATION] = { .name = "duration_ms", .unit = "ms", .is_nullable = 1, .text = "How long the try took." },
};

enum {
	F_ID, F_ALERT_ID, F_KIND, F_STATUS, F_TRIES, F_CREATED_AT, F_NEXT_TRY_AT, F_FINISHED_AT, F_MERGED_INTO,
	F_ATTEMPTS, F_PAYLOAD, F__MAX
};
_Static_assert((int)F__MAX == (int)PH_DELIVERY_NFIELDS, "as the header says");

/* In the order of PH_DELIVERY_COLUMNS. */
const struct ph_field ph_delivery_fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the delivery; sent as X-Pilothouse-Delivery." },
	[F_ALERT_ID] = { .name = "alert_id", .type = PH_TEXT, .is_nullable = 1, .text = "Null for a test or a digest." },
	[F_KIND] = { .name = "kind", .type = PH_TEXT, .choices = ph_delivery_kinds, .text = "What it says." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = ph_delivery_statuses,
	    .text = "merged: into a digest; cancelled: it was over, or the channel switched off, before it was sent." },
	[F_TRIES] = { .name = "tries", .text = "Tries that were begun, of 4 at most." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was queued." },
	[F_NEXT_TRY_AT] = { .name = "next_try_at", .type = PH_TIME, .is_nullable = 1, .text = "When it is tried next." },
	[F_FINISHED_AT] = { .name = "finished_at", .type = PH_TIME, .is_nullable = 1, .text = "When it left the queue." },
	[F_MERGED_INTO] = { .name = "merged_into", .type = PH_TEXT, .is_nullable = 1, .text = "Id of the digest." },
	[F_ATTEMPTS] = { .name = "attempts", .type = PH_ARRAY, .fields = attempt_fields, .nfields = A__MAX,
	    .text = "Each try that was begun." },
	[F_PAYLOAD] = { .name = "payload", .type = PH_ANY, .text = "What is sent." },
};

static struct ph_value
v_int_or_null(const cJSON *v)
{
	return cJSON_IsNumber(v) ? ph_v_int((int64_t)v->valuedouble) : ph_v_null();
}

static void
write_attempts(struct ph_json *out, const char *text)
{
	cJSON		*list = parse_attempts(text);
	const cJSON	*item;

	ph_json_arr_open(out, "attempts");
	cJSON_ArrayForEach(item, list) {
		const struct ph_value v[A__MAX] = {
			[A_AT] = v_int_or_null(cJSON_GetObjectItem(item, "at")),
			[A_STATUS] = v_int_or_null(cJSON_GetObjectItem(item, "status")),
			[A_ERROR] = ph_v_str(cJSON_GetStringValue(cJSON_GetObjectItem(item, "error"))),
			[A_DURATION] = v_int_or_null(cJSON_GetObjectItem(item, "duration_ms")),
		};

		ph_json_obj_open(out, NULL);
		ph_json_fields(out, attempt_fields, v, A__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
	cJSON_Delete(list);
}

void
ph_delivery_write(struct ph_json *out, struct ph_stmt *st)
{
	struct ph_value	 v[F__MAX] = { 0 };
	cJSON		*payload = cJSON_Parse(ph_stmt_text(st, F_PAYLOAD));
	int		 i;

	for (i = 0; i < F_ATTEMPTS; i++)
		v[i] = ph_stmt_is_null(st, i) ? ph_v_null() : ph_delivery_fields[i].type == PH_TEXT ?
		    ph_v_str(ph_stmt_text(st, i)) : ph_v_int(ph_stmt_int(st, i));
	ph_json_fields(out, ph_delivery_fields, v, F__MAX);
	write_attempts(out, ph_stmt_text(st, F_ATTEMPTS));
	ph_json_item(out, "payload", payload != NULL ? payload : cJSON_CreateNull());
}
