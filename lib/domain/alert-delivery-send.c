/*
 * alert-delivery-send.c -- notifications leave the queue: what is due is claimed, merged into a
 * digest where it is too much for a minute, and settled.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "domain/alert-delivery-row.h"
#include "domain/alert-delivery.h"

enum { MINUTE_MS = 60000 };

/* From the beginning of a try to the next: tries at 0, 5, 30 and 120 s.  After the last one: when
 * a notifier that was killed in it is given up. */
static const int64_t gap_ms[PH_DELIVERY_TRIES] = { 5000, 25000, 90000, 60000 };

/* -- claiming --------------------------------------------------------------------------------------- */

static const char sql_due[] =
	"SELECT 1 FROM alert_deliveries WHERE status = 'waiting' AND next_try_at <= $1 LIMIT 1";
/* Its last try began, and the notifier was never heard of again. */
static const char sql_give_up[] =
	"UPDATE alert_deliveries SET status = 'failed', next_try_at = NULL, finished_at = $1"
	" WHERE status = 'waiting' AND next_try_at <= $1 AND tries >= $2";
static const char sql_due_channels[] =
	"SELECT c.id, c.kind = 'email' FROM alert_deliveries AS d JOIN alert_channels AS c ON c.id = d.channel_id"
	" WHERE d.status = 'waiting' AND d.next_try_at <= $1 GROUP BY c.id, c.kind ORDER BY min(d.next_try_at), c.id";
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
/* A new digest goes first: it begins in the transaction that made it, and so is never merged into another. */
static const char sql_next[] =
	"SELECT d.id, d.tries, d.attempts, d.payload, c.kind, c.target, c.secret FROM alert_deliveries AS d"
	" JOIN alert_channels AS c ON c.id = d.channel_id WHERE d.channel_id = $1 AND d.status = 'waiting'"
	" AND d.next_try_at <= $2 ORDER BY d.kind <> 'digest' OR d.tries > 0, d.next_try_at, d.created_at, d.id LIMIT 1";
static const char sql_begin_try[] =
	"UPDATE alert_deliveries SET tries = $2, attempts = $3, next_try_at = $4, started_at = coalesce(started_at, $5)"
	" WHERE id = $1";
static const char sql_attempts[] =
	"SELECT attempts, status = 'waiting' FROM alert_deliveries WHERE id = $1 AND status IN ('waiting', 'cancelled')";
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
	struct ph_json	*out = ph_delivery_begin_payload(PH_DELIVERY_DIGEST, now_ms);
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
	struct ph_delivery_row	 q = { .channel_id = channel_id, .kind = PH_DELIVERY_DIGEST, .due_ms = now_ms,
	    .now_ms = now_ms };
	struct ph_stmt		*st = NULL;
	char			*payload = NULL, id[PH_ALERT_ID_SIZE];
	enum ph_rc		 rc;

	if ((rc = digest_payload(db, channel_id, n, now_ms, &payload, err)) != PH_OK)
		return rc;
	q.payload = payload;
	if ((rc = ph_delivery_queue(db, &q, id, err)) == PH_OK && (rc = ph_db_prepare(db, sql_merge, &st, err)) == PH_OK) {
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
		attempts = ph_delivery_attempts(ph_stmt_text(st, 2));
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
is_skipped(const struct ph_delivery_skip *skip, const char *id)
{
	size_t i;

	for (i = 0; i < skip->n; i++)
		if (strcmp(skip->channels[i], id) == 0)
			return 1;
	return 0;
}

/* The channels that something is due for, those that have waited longest first, but those in skip, and of
 * those for mail one. */
static enum ph_rc
due_channels(struct ph_db *db, int64_t now_ms, const struct ph_delivery_skip *skip,
    char ids[PH_CHANNELS_MAX][PH_ALERT_ID_SIZE], size_t *n, struct ph_err *err)
{
	int		 has_mail = skip->has_mail, is_mail;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*n = 0;
	if ((rc = ph_db_prepare(db, sql_due_channels, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, now_ms);
	while (*n < PH_CHANNELS_MAX && (rc = ph_stmt_step(st, err)) == PH_ROW) {
		is_mail = ph_stmt_int(st, 1) != 0;
		if ((is_mail && has_mail) || is_skipped(skip, ph_stmt_text(st, 0)))
			continue;
		has_mail |= is_mail;
		snprintf(ids[(*n)++], PH_ALERT_ID_SIZE, "%s", ph_stmt_text(st, 0));
	}
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_deliveries_claim(struct ph_db *db, int64_t now_ms, const struct ph_delivery_skip *skip,
    struct ph_delivery *out, size_t max, size_t *n, struct ph_err *err)
{
	char		channels[PH_CHANNELS_MAX][PH_ALERT_ID_SIZE];
	size_t		nchannels, i;
	enum ph_rc	rc;

	*n = 0;
	if ((rc = give_up(db, now_ms, err)) != PH_OK ||
	    (rc = due_channels(db, now_ms, skip, channels, &nchannels, err)) != PH_OK)
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

/* The list of attempts with its last entry made good.  Caller frees; NULL with PH_DONE: the delivery was
 * deleted meanwhile, with its channel. */
static enum ph_rc
completed_attempts(struct ph_db *db, const struct ph_delivery *d, char **text, int *is_waiting, struct ph_err *err)
{
	struct ph_stmt	*st;
	cJSON		*list;
	enum ph_rc	 rc;

	*text = NULL;
	if ((rc = ph_db_prepare(db, sql_attempts, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, d->id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		list = ph_delivery_attempts(ph_stmt_text(st, 0));
		*is_waiting = ph_stmt_int(st, 1) != 0;
		cJSON_DeleteItemFromArray(list, cJSON_GetArraySize(list) - 1);
		cJSON_AddItemToArray(list, attempt(d->at_ms, d->status, d->error, d->duration_ms));
		*text = cJSON_PrintUnformatted(list);
		cJSON_Delete(list);
		rc = *text != NULL ? PH_OK : ph_fail(err, PH_ENOMEM, "not enough memory for a delivery");
	}
	ph_stmt_done(st);
	return rc;
}

static enum ph_delivery_status
outcome(const struct ph_delivery *d, int is_waiting)
{
	if (d->is_sent)
		return PH_DELIVERY_SENT;
	if (!is_waiting)
		return PH_DELIVERY_CANCELLED;
	return d->try_number >= PH_DELIVERY_TRIES ? PH_DELIVERY_FAILED : PH_DELIVERY_WAITING;
}

enum ph_rc
ph_delivery_settle(struct ph_db *db, const struct ph_delivery *d, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		*attempts;
	int		 is_waiting = 0;
	enum ph_rc	 rc;

	if ((rc = completed_attempts(db, d, &attempts, &is_waiting, err)) != PH_OK)
		return rc == PH_DONE ? PH_OK : rc;
	if ((rc = ph_db_prepare(db, sql_end_try, &st, err)) == PH_OK) {
		ph_stmt_bind_text(st, 1, d->id);
		ph_stmt_bind_text(st, 2, attempts);
		ph_stmt_bind_text(st, 3, ph_delivery_statuses[outcome(d, is_waiting)]);
		ph_stmt_bind_int(st, 4, now_ms);
		rc = ph_stmt_exec(st, err);
		ph_stmt_done(st);
	}
	free(attempts);
	return rc;
}
