/*
 * upstream.c -- tries, their classification, and the breaker around them.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/number.h"
#include "net/http.h"
#include "net/upstream.h"

enum { RETRY_BASE_MS = 200, RETRY_CAP_MS = 30000, SHOWN_URL = 200 };

/* How replies count; one that may pass by is worth another try. */
static const struct {
	const char		*code;
	enum ph_breaker_outcome	 outcome;
	int			 is_transient;
} replies[PH_REPLY__MAX] = {
	[PH_REPLY_OK]           = { NULL, PH_OUTCOME_SUCCESS, 0 },
	[PH_REPLY_NOT_FOUND]    = { "not_found", PH_OUTCOME_SUCCESS, 0 },
	[PH_REPLY_REFUSED]      = { "refused", PH_OUTCOME_SUCCESS, 0 },
	[PH_REPLY_UNAUTHORIZED] = { "unauthorized", PH_OUTCOME_SUCCESS, 0 },
	[PH_REPLY_RATE_LIMITED] = { "rate_limited", PH_OUTCOME_NEITHER, 0 },
	[PH_REPLY_TIMEOUT]      = { "timeout", PH_OUTCOME_FAILURE, 1 },
	[PH_REPLY_NETWORK]      = { "network", PH_OUTCOME_FAILURE, 1 },
	[PH_REPLY_BAD]          = { "bad_response", PH_OUTCOME_FAILURE, 0 },
	[PH_REPLY_ERROR]        = { "upstream_error", PH_OUTCOME_FAILURE, 1 },
	[PH_REPLY_OPEN]         = { "breaker_open", PH_OUTCOME_NEITHER, 0 },
	[PH_REPLY_INTERNAL]     = { "internal", PH_OUTCOME_NEITHER, 0 },
};

const char *
ph_reply_code(enum ph_reply reply)
{
	return replies[reply].code;
}

/* -- waiting -------------------------------------------------------------------------- */

int64_t
ph_retry_wait_ms(int k, int64_t base_ms, int64_t cap_ms, int u, int64_t retry_after_ms)
{
	int64_t wait_ms = base_ms;

	while (--k > 0 && wait_ms < cap_ms)
		wait_ms *= 2;
	if (wait_ms > cap_ms)
		wait_ms = cap_ms;
	wait_ms = wait_ms * u / 1000;
	return wait_ms > retry_after_ms ? wait_ms : retry_after_ms;
}

int64_t
ph_retry_after_s(const char *value, time_t now)
{
	size_t	len;
	int64_t	seconds;
	time_t	at;

	value += strspn(value, " \t");
	for (len = strlen(value); len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'); len--)
		;
	if (ph_parse_int(value, len, 0, INT32_MAX, &seconds) == 0)
		return seconds;
	/* curl_getdate() takes much for a date that is none: one begins with the name of a day. */
	if (len < 4 || strspn(value, "MTWFSondayuewhrit") < 3 || (at = curl_getdate(value, NULL)) == -1)
		return -1;
	return at > now ? at - now : 0;
}

/* -- one try -------------------------------------------------------------------------- */

static enum ph_reply
classify(const struct ph_upstream_call *call, const struct ph_http_call *c)
{
	if (c->rc == PH_EUPSTREAMSLOW)
		return PH_REPLY_TIMEOUT;
	if (c->rc == PH_ENOMEM || c->rc == PH_EINTERNAL)
		return PH_REPLY_INTERNAL;
	if (c->rc != PH_OK && !c->is_cut)
		return PH_REPLY_NETWORK;
	if (c->status == 404)
		return call->missing == NULL || call->missing(call->arg, c->answer, c->answer_len) == 0 ?
		    PH_REPLY_NOT_FOUND : PH_REPLY_REFUSED;
	if (c->status == 401 || c->status == 403)
		return PH_REPLY_UNAUTHORIZED;
	if (c->status == 429)
		return PH_REPLY_RATE_LIMITED;
	if (c->status >= 500)
		return PH_REPLY_ERROR;
	if (c->status >= 400)
		return PH_REPLY_REFUSED;
	return c->status >= 200 && c->status < 300 && !c->is_cut && (c->type[0] == '\0' ||
	    strstr(c->type, "json") != NULL) && call->parse(call->arg, c->answer, c->answer_len) == 0 ?
	    PH_REPLY_OK : PH_REPLY_BAD;
}

/* The address with the names but not the values of its query. */
static void
scrub(const char *url, char out[SHOWN_URL])
{
	size_t	n = 0;
	int	is_value = 0, is_query = 0;

	for (; *url != '\0' && n < SHOWN_URL - 1; url++) {
		is_query |= *url == '?';
		is_value = is_query && (is_value || url[-1] == '=') && *url != '&';
		if (!is_value)
			out[n++] = *url;
	}
	out[n] = '\0';
}

/* A terminal, where somebody watches the progress, gets only what went wrong. */
static void
leave_trace(enum ph_upstream id, const struct ph_http_call *c, enum ph_reply reply)
{
	const int	is_fine = reply == PH_REPLY_OK || reply == PH_REPLY_NOT_FOUND;
	char		url[SHOWN_URL];

	if (is_fine && isatty(STDERR_FILENO))
		return;
	scrub(c->url, url);
	ph_log(is_fine ? "info" : "warn", ph_upstream_name(id),
	    "GET %s: %d%s%s, %zu bytes, %d ms%s%s", url, c->status, reply != PH_REPLY_OK ? " " : "",
	    reply != PH_REPLY_OK ? replies[reply].code : "", c->answer_len, c->duration_ms,
	    c->rc != PH_OK ? ": " : "", c->rc != PH_OK ? c->err.detail : "");
}

/* Ask the breaker.  PH_REPLY_OK: call. */
static enum ph_reply
admit(struct ph_state *state, enum ph_upstream id, struct ph_upstream_call *call, uint64_t *generation)
{
	const struct ph_breaker_rule	 rule = ph_upstream_rule(id);
	struct ph_state_breaker		*b = ph_state_breaker_lock(state, ph_upstream_name(id));
	int				 is_allowed = 1, blocked_for = 0;

	*generation = 0;
	if (b != NULL)
		is_allowed = ph_breaker_admit(b, &rule, getpid(), ph_clock_mono_us(), generation,
		    &call->retry_after_s, &blocked_for);
	ph_state_breaker_unlock(b);
	return is_allowed ? PH_REPLY_OK : blocked_for != 0 ? (enum ph_reply)blocked_for : PH_REPLY_OPEN;
}

static void
report(struct ph_state *state, enum ph_upstream id, uint64_t generation, enum ph_reply reply, int block_s)
{
	const struct ph_breaker_rule	 rule = ph_upstream_rule(id);
	struct ph_state_breaker		*b = ph_state_breaker_lock(state, ph_upstream_name(id));
	const int64_t			 now_us = ph_clock_mono_us();
	int				 was_probe, has_opened, has_closed;

	if (b == NULL)
		return;
	was_probe = b->state == PH_BREAKER_HALF_OPEN;
	has_opened = ph_breaker_report(b, &rule, generation, replies[reply].outcome, now_us, ph_clock_now_ms(NULL));
	has_closed = was_probe && b->state == PH_BREAKER_CLOSED;
	if (block_s > 0)
		ph_breaker_block(b, now_us, block_s, (int)reply);
	ph_state_breaker_unlock(b);
	if (has_opened)
		ph_log("error", ph_upstream_name(id), "breaker_opened: no call for %d s", rule.recovery_s);
	if (has_closed)
		ph_log("info", ph_upstream_name(id), "breaker recovered");
}

/* How long the service shall be left alone after a reply. */
static int
block_s(enum ph_reply reply, const struct ph_http_call *c)
{
	const int64_t asked_s = ph_retry_after_s(c->retry_after, (time_t)(ph_clock_now_ms(NULL) / 1000));

	if (reply == PH_REPLY_UNAUTHORIZED)
		return PH_UNAUTHORIZED_S;
	if (reply != PH_REPLY_RATE_LIMITED)
		return 0;
	return asked_s < 0 ? PH_RATE_LIMITED_S : asked_s > PH_RETRY_AFTER_MAX_S ? PH_RETRY_AFTER_MAX_S : (int)asked_s;
}

static enum ph_reply
try_once(struct ph_state *state, enum ph_upstream id, struct ph_upstream_call *call, struct ph_http_call *c)
{
	const int64_t	left_ms = (call->deadline_us - ph_clock_mono_us()) / 1000;
	uint64_t	generation;
	enum ph_reply	reply;

	if (left_ms <= 0)
		return PH_REPLY_TIMEOUT;
	if ((reply = admit(state, id, call, &generation)) != PH_REPLY_OK)
		return reply;
	c->timeout_ms = left_ms < call->timeout_ms ? (int)left_ms : call->timeout_ms;
	ph_http_run(c, 1);
	reply = classify(call, c);
	call->status = c->status;
	call->retry_after_s = block_s(reply, c);
	leave_trace(id, c, reply);
	report(state, id, generation, reply, call->retry_after_s);
	return reply;
}

enum ph_reply
ph_upstream_get(struct ph_state *state, enum ph_upstream id, struct ph_upstream_call *call)
{
	/* Pages that nothing is written to cost no memory. */
	char			*answer = malloc(call->answer_max + 1);
	struct ph_http_call	 c = { .url = call->url, .headers = call->headers, .answer = answer,
				    .answer_size = call->answer_max + 1 };
	enum ph_reply		 reply = PH_REPLY_INTERNAL;
	int64_t			 wait_ms, asked_s;
	int			 k;

	call->status = call->retry_after_s = 0;
	for (k = 1; answer != NULL; k++) {
		reply = try_once(state, id, call, &c);
		/* 501 and 505 do not pass by. */
		if (k >= call->tries || !replies[reply].is_transient || c.status == 501 || c.status == 505)
			break;
		asked_s = ph_retry_after_s(c.retry_after, (time_t)(ph_clock_now_ms(NULL) / 1000));
		wait_ms = ph_retry_wait_ms(k, RETRY_BASE_MS, RETRY_CAP_MS, (int)randombytes_uniform(1001),
		    asked_s > 0 ? asked_s * 1000 : 0);
		if (ph_clock_mono_us() + wait_ms * 1000 >= call->deadline_us)
			break;
		poll(NULL, 0, (int)wait_ms);
	}
	free(answer);
	return reply;
}
