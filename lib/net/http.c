/*
 * http.c -- calls as libcurl transfers.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/config.h"
#include "net/http.h"
#include "net/peer.h"

enum { POLL_MS = 1000 };

struct transfer {
	struct ph_http_call	*call;
	CURL			*curl;
	struct curl_slist	*headers;
	struct ph_peer		 peer;
};

static size_t
take_answer(char *data, size_t size, size_t n, void *arg)
{
	struct transfer		*t = arg;
	struct ph_http_call	*c = t->call;
	const size_t		 len = size * n, room = c->answer_size - 1 - c->answer_len;

	c->is_cut = len > room;
	memcpy(c->answer + c->answer_len, data, c->is_cut ? room : len);
	c->answer_len += c->is_cut ? room : len;
	return c->is_cut ? 0 : len;
}

/* The value of a header line, without what surrounds it, if that is its name. */
static void
take_value(const char *line, size_t len, const char *name, char value[PH_HTTP_VALUE_SIZE])
{
	const size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return;
	for (line += n + 1, len -= n + 1; len > 0 && (line[0] == ' ' || line[0] == '\t'); line++)
		len--;
	while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	snprintf(value, PH_HTTP_VALUE_SIZE, "%.*s", (int)len, line);	/* may be cut */
}

static size_t
take_header(char *line, size_t size, size_t n, void *arg)
{
	struct transfer	*t = arg;
	const size_t	 len = size * n;

	take_value(line, len, "Content-Type", t->call->type);
	take_value(line, len, "Retry-After", t->call->retry_after);
	return len;
}

static int
add_headers(struct transfer *t)
{
	const char *const	*h;
	struct curl_slist	*list;

	for (h = t->call->headers; h != NULL && *h != NULL; h++) {
		if ((list = curl_slist_append(t->headers, *h)) == NULL)
			return -1;
		t->headers = list;
	}
	return curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK ? 0 : -1;
}

static int
prepare(struct transfer *t)
{
	const struct ph_http_call *c = t->call;

	return (t->curl = curl_easy_init()) != NULL &&
	    ph_peer_guard(t->curl, &t->peer, c->timeout_ms) == 0 && add_headers(t) == 0 &&
	    curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, t->peer.is_plain ? "http" : "https") == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_USERAGENT, "pilothouse") == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_URL, c->url) == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_PRIVATE, t) == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, take_answer) == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t) == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_HEADERDATA, t) == CURLE_OK &&
	    (c->body == NULL ||
	    (curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, c->body) == CURLE_OK &&
	    curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->body_len) == CURLE_OK)) ? 0 : -1;
}

/* Put one call on its way.  A failure is the call's. */
static void
begin(CURLM *multi, struct transfer *t)
{
	struct ph_http_call *c = t->call;

	c->status = c->is_cut = 0;
	c->answer_len = 0;
	c->type[0] = c->retry_after[0] = '\0';
	c->duration_ms = 0;
	c->err = (struct ph_err){ .rc = PH_OK };
	t->peer.is_given = c->is_given != 0;
	t->peer.is_plain = strncasecmp(c->url, "http://", 7) == 0;
	if (t->peer.is_plain && ph_config_int(PH_CFG_ALLOW_LOOPBACK_HTTP) == 0)
		c->rc = ph_fail(&c->err, PH_EUPSTREAMDOWN, "https:// is needed");
	else if (prepare(t) != 0 || curl_multi_add_handle(multi, t->curl) != CURLM_OK)
		c->rc = ph_fail(&c->err, PH_ENOMEM, "not enough memory for the call");
	else
		c->rc = PH_DONE;	/* until it ends */
}

static void
end(struct transfer *t, CURLcode code)
{
	struct ph_http_call	*c = t->call;
	long			 status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	c->status = (int)status;
	c->rc = c->is_cut ? ph_fail(&c->err, PH_EUPSTREAM, "the answer is longer than %zu bytes",
	    c->answer_size - 1) : ph_peer_failure(code, &t->peer, &c->err);
}

static void
run_all(CURLM *multi, int64_t begin_us)
{
	struct transfer	*t;
	CURLMsg		*message;
	int		 running = 1, left;

	while (running > 0) {
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return;
		while ((message = curl_multi_info_read(multi, &left)) != NULL) {
			if (message->msg != CURLMSG_DONE ||
			    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t) != CURLE_OK)
				continue;
			end(t, message->data.result);
			t->call->duration_ms = (int)((ph_clock_mono_us() - begin_us) / 1000);
		}
		if (running > 0 && curl_multi_poll(multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
			return;
	}
}

void
ph_http_run(struct ph_http_call *calls, size_t n)
{
	struct transfer	 t[PH_HTTP_CALLS_MAX] = { 0 };
	CURLM		*multi = curl_multi_init();
	size_t		 i;

	assert(n <= PH_HTTP_CALLS_MAX);
	for (i = 0; i < n; i++) {
		t[i].call = &calls[i];
		begin(multi, &t[i]);
	}
	run_all(multi, ph_clock_mono_us());
	for (i = 0; i < n; i++) {
		if (calls[i].rc == PH_DONE)
			calls[i].rc = ph_fail(&calls[i].err, PH_EINTERNAL, "the call did not end");
		calls[i].answer[calls[i].answer_len] = '\0';
		curl_multi_remove_handle(multi, t[i].curl);
		curl_easy_cleanup(t[i].curl);
		curl_slist_free_all(t[i].headers);
	}
	curl_multi_cleanup(multi);
}
