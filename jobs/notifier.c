/*
 * notifier.c -- job-notifier: each second, send the notifications that are due.
 *
 * One delivery of every channel at a time: a try is put on record, then made outside any
 * transaction, then its outcome is recorded (alert-delivery.h).  Webhooks go out together, mails one by
 * one.  A channel whose receiver failed is left alone until the next run, and so is all mail when its server
 * did not answer, so that one that hangs costs the others one timeout.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/job.h"
#include "domain/alert-delivery.h"
#include "domain/alert-message.h"
#include "net/http.h"
#include "net/mail.h"

enum { WEBHOOK_TIMEOUT_MS = 5000, ANSWER_SIZE = 1024, HEADERS = 6, HEADER_SIZE = 128, SHOWN_BYTES = 80 };

struct batch {
	struct ph_delivery	d[PH_CHANNELS_MAX];
	size_t			n;
	struct ph_delivery_skip	failed;		/* in this run */
};

/* -- webhooks ---------------------------------------------------------------------------------------- */

struct webhook {
	char		 lines[HEADERS][HEADER_SIZE];
	const char	*headers[HEADERS + 1];
	char		 answer[ANSWER_SIZE];
};

/* X-Pilothouse-Signature: HMAC of "TIMESTAMP.BODY" with the channel's secret, the timestamp being that of the
 * other header, in seconds. */
static void
fill_headers(struct webhook *w, const struct ph_delivery *d)
{
	char			timestamp[24], hmac[PH_HMAC_TEXT_SIZE];
	struct ph_hmac_part	parts[] = { { timestamp, 0 }, { ".", 1 }, { d->payload, strlen(d->payload) } };
	int			n = 0, i;

	parts[0].len = (size_t)snprintf(timestamp, sizeof(timestamp), "%" PRId64, d->at_ms / 1000);
	snprintf(w->lines[n++], HEADER_SIZE, "Content-Type: application/json");
	snprintf(w->lines[n++], HEADER_SIZE, "Expect:");	/* no round trip ahead of the body */
	snprintf(w->lines[n++], HEADER_SIZE, "X-Pilothouse-Delivery: %s", d->id);
	snprintf(w->lines[n++], HEADER_SIZE, "X-Pilothouse-Timestamp: %s", timestamp);
	if (d->secret != NULL) {
		ph_hmac_sha256(hmac, d->secret, strlen(d->secret), parts, 3);
		snprintf(w->lines[n++], HEADER_SIZE, "X-Pilothouse-Signature: sha256=%s", hmac);
	}
	for (i = 0; i < n; i++)
		w->headers[i] = w->lines[i];
	w->headers[n] = NULL;
}

/* Why it did not arrive; of the answer's own words the first, in ASCII. */
static void
tell_failure(struct ph_delivery *d, const struct ph_http_call *c)
{
	char	shown[SHOWN_BYTES + 1];
	size_t	i;

	if (c->status == 0) {
		snprintf(d->error, sizeof(d->error), "%s", c->err.detail);
		return;
	}
	for (i = 0; i < SHOWN_BYTES && i < c->answer_len; i++)
		shown[i] = c->answer[i] >= ' ' && c->answer[i] < 0x7f ? c->answer[i] : ' ';
	shown[i] = '\0';
	snprintf(d->error, sizeof(d->error), c->status >= 300 && c->status < 400 ?
	    "redirects are not followed%s%s" : "the receiver refused it%s%s", i > 0 ? ": " : "", shown);
}

/* Send every webhook of the batch at once.  The status line decides: an answer that is cut, too long or
 * slow after it changes nothing. */
static enum ph_rc
send_webhooks(struct batch *b, struct ph_err *err)
{
	struct webhook		*w = calloc(PH_CHANNELS_MAX, sizeof(*w));
	struct ph_http_call	*calls = calloc(PH_CHANNELS_MAX, sizeof(*calls));
	struct ph_delivery	*of[PH_CHANNELS_MAX];
	size_t			 n = 0, i;
	enum ph_rc		 rc = PH_OK;

	if (w == NULL || calls == NULL) {
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for webhooks");
		goto out;
	}
	for (i = 0; i < b->n; i++) {
		struct ph_delivery *d = &b->d[i];

		if (d->channel_kind != PH_CHANNEL_WEBHOOK)
			continue;
		fill_headers(&w[n], d);
		calls[n] = (struct ph_http_call){ .url = d->target, .headers = w[n].headers, .body = d->payload,
		    .body_len = strlen(d->payload), .is_given = 1, .timeout_ms = WEBHOOK_TIMEOUT_MS,
		    .answer = w[n].answer, .answer_size = ANSWER_SIZE };
		of[n++] = d;
	}
	ph_http_run(calls, n);
	for (i = 0; i < n; i++) {
		of[i]->status = calls[i].status;
		of[i]->duration_ms = calls[i].duration_ms;
		of[i]->is_sent = calls[i].status >= 200 && calls[i].status < 300;
		if (!of[i]->is_sent)
			tell_failure(of[i], &calls[i]);
	}
out:
	free(w);
	free(calls);
	return rc;
}

/* -- mail ---------------------------------------------------------------------------------------------- */

/* PH_EUPSTREAMDOWN, PH_EUPSTREAMSLOW: so will the next one. */
static enum ph_rc
send_mail(struct ph_delivery *d)
{
	const int64_t	 begin_us = ph_clock_mono_us();
	struct ph_err	 err = { .rc = PH_OK };
	char		*subject = NULL, *text = NULL;

	if (ph_notification_words(d->payload, &subject, &text, &err) == PH_OK) {
		const struct ph_mail m = { .to = d->target, .subject = subject, .text = text, .id = d->id,
		    .at_ms = d->at_ms };

		ph_mail_send(&m, &err);
	}
	d->is_sent = err.rc == PH_OK;
	snprintf(d->error, sizeof(d->error), "%s", err.rc == PH_OK ? "" : err.detail);
	d->duration_ms = (int)((ph_clock_mono_us() - begin_us) / 1000);
	free(subject);
	free(text);
	return err.rc;
}

/* -- the run ---------------------------------------------------------------------------------------- */

static void
note_failure(struct batch *b, const char *channel_id)
{
	if (b->failed.n < PH_CHANNELS_MAX)
		memcpy(b->failed.channels[b->failed.n++], channel_id, PH_ALERT_ID_SIZE);
}

static enum ph_rc
claim(struct ph_job_run *run, struct batch *b, struct ph_err *err)
{
	struct ph_db	*db = ph_job_run_db(run);
	size_t		 i;
	enum ph_rc	 rc;

	b->n = 0;
	if ((rc = ph_job_run_begin(run, err)) == PH_OK &&
	    (rc = ph_deliveries_claim(db, ph_clock_now_ms(NULL), &b->failed, b->d, PH_CHANNELS_MAX, &b->n,
	    err)) == PH_OK)
		rc = ph_db_commit(db, err);
	ph_db_end(db);
	if (rc != PH_OK)
		for (i = 0; i < b->n; i++)
			ph_delivery_clear(&b->d[i]);
	return rc;
}

static enum ph_rc
settle(struct ph_job_run *run, struct batch *b, struct ph_err *err)
{
	struct ph_db	*db = ph_job_run_db(run);
	size_t		 i;
	enum ph_rc	 rc;

	rc = ph_job_run_begin(run, err);
	for (i = 0; i < b->n && rc == PH_OK; i++) {
		rc = ph_delivery_settle(db, &b->d[i], ph_clock_now_ms(NULL), err);
		if (b->d[i].is_sent)
			ph_job_run_count(run, 1);
		else
			note_failure(b, b->d[i].channel_id);
	}
	if (rc == PH_OK)
		rc = ph_db_commit(db, err);
	ph_db_end(db);
	return rc;
}

/* What was claimed, sent and settled. */
static enum ph_rc
send_batch(struct ph_job_run *run, struct batch *b, struct ph_err *err)
{
	size_t		i;
	enum ph_rc	rc;

	if ((rc = ph_job_run_heartbeat(run, err)) != PH_OK || (rc = send_webhooks(b, err)) != PH_OK)
		return rc;
	for (i = 0; i < b->n; i++)
		if (b->d[i].channel_kind == PH_CHANNEL_EMAIL) {
			rc = send_mail(&b->d[i]);
			/* All mail goes through one server. */
			b->failed.has_mail |= rc == PH_EUPSTREAMDOWN || rc == PH_EUPSTREAMSLOW;
		}
	return settle(run, b, err);
}

static enum ph_rc
notify(struct ph_job_run *run, struct ph_err *err)
{
	struct batch	*b = calloc(1, sizeof(*b));
	size_t		 i;
	enum ph_rc	 rc;

	if (b == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for notifications");
	do {
		if ((rc = claim(run, b, err)) != PH_OK || b->n == 0)
			break;
		rc = send_batch(run, b, err);
		for (i = 0; i < b->n; i++)
			ph_delivery_clear(&b->d[i]);
	} while (rc == PH_OK && !ph_job_run_should_stop(run));
	free(b);
	return rc;
}

static const struct ph_job job = {
	.name = "job-notifier", .interval_s = 1, .needs = PH_NEED_DB_WRITE,
	.summary = "Send alerts to webhooks and mail addresses", .is_due = ph_deliveries_are_due, .run = notify,
};

int
main(int argc, char **argv)
{
	return ph_job_main(&job, argc, argv);
}
