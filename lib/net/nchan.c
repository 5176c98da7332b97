/*
 * nchan.c -- one libcurl handle on the publisher's socket, kept open between calls.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "net/nchan.h"

enum {
	ANSWER_SIZE = 2048,
	CONNECT_MS = 1000,
	CALL_MS = 5000,
	EVENT_SIZE = 64
};

struct ph_nchan {
	CURL	*curl;
	char	 path[128];			/* longer ones fit no socket */
	char	 answer[ANSWER_SIZE];		/* cut off there, ends with a NUL */
	size_t	 answer_len;
};

struct ph_nchan *
ph_nchan_new(const char *path)
{
	struct ph_nchan *n;

	if (strlen(path) >= sizeof(n->path) || (n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	snprintf(n->path, sizeof(n->path), "%s", path);
	if ((n->curl = curl_easy_init()) == NULL) {
		free(n);
		return NULL;
	}
	return n;
}

void
ph_nchan_free(struct ph_nchan *n)
{
	if (n == NULL)
		return;
	curl_easy_cleanup(n->curl);
	free(n);
}

static size_t
take(char *data, size_t size, size_t count, void *arg)
{
	struct ph_nchan	*n = arg;
	const size_t	 len = size * count;
	const size_t	 room = sizeof(n->answer) - 1 - n->answer_len;
	const size_t	 taken = len < room ? len : room;

	memcpy(n->answer + n->answer_len, data, taken);
	n->answer_len += taken;
	n->answer[n->answer_len] = '\0';
	return len;
}

/* One request; *status: of the answer, which is in n->answer. */
static enum ph_rc
call(struct ph_nchan *n, const char *method, const char *path, const char *event, const char *message,
    long *status, struct ph_err *err)
{
	char			 url[32 + PH_NCHAN_CHANNEL_SIZE], line[32 + EVENT_SIZE];
	struct curl_slist	*headers = NULL;
	CURLcode		 rc;

	snprintf(url, sizeof(url), "http://nchan/%s", path);
	n->answer_len = 0;
	n->answer[0] = '\0';
	curl_easy_reset(n->curl);	/* keeps the connection */
	if (event != NULL) {
		snprintf(line, sizeof(line), "X-EventSource-Event: %s", event);
		headers = curl_slist_append(headers, line);
	}
	curl_easy_setopt(n->curl, CURLOPT_UNIX_SOCKET_PATH, n->path);
	curl_easy_setopt(n->curl, CURLOPT_URL, url);
	curl_easy_setopt(n->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(n->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(n->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(n->curl, CURLOPT_TIMEOUT_MS, (long)CALL_MS);
	curl_easy_setopt(n->curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(n->curl, CURLOPT_WRITEDATA, n);
	if (message != NULL) {
		/* A body above a megabyte would wait for "100 Continue". */
		headers = curl_slist_append(headers, "Expect:");
		headers = curl_slist_append(headers, "Content-Type: application/json");
		curl_easy_setopt(n->curl, CURLOPT_POSTFIELDS, message);
		curl_easy_setopt(n->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(message));
	} else
		curl_easy_setopt(n->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(n->curl, CURLOPT_HTTPHEADER, headers);
	rc = curl_easy_perform(n->curl);
	curl_easy_getinfo(n->curl, CURLINFO_RESPONSE_CODE, status);
	curl_slist_free_all(headers);
	if (rc == CURLE_OK)
		return PH_OK;
	ph_fail(err, rc == CURLE_COULDNT_CONNECT ? PH_EUPSTREAMDOWN : rc == CURLE_OPERATION_TIMEDOUT ?
	    PH_EUPSTREAMSLOW : PH_EUPSTREAM, "nginx does not take messages: %s", curl_easy_strerror(rc));
	return ph_fail_log(err, "%s %s on %s", method, path, n->path);
}

static enum ph_rc
unexpected(const struct ph_nchan *n, const char *path, long status, struct ph_err *err)
{
	ph_fail(err, PH_EUPSTREAM, "nginx refuses messages");
	return ph_fail_log(err, "%s: status %ld: %.100s", path, status, n->answer);
}

/* The number after a label at the beginning of a line. */
static int
number(const char *text, const char *label, int64_t *out)
{
	const size_t	 len = strlen(label);
	const char	*p;

	for (p = text; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, label, len) == 0)
			return sscanf(p + len, " %" SCNd64, out) == 1;
	}
	return 0;
}

enum ph_rc
ph_nchan_status(struct ph_nchan *n, struct ph_nchan_status *s, struct ph_err *err)
{
	long		status;
	enum ph_rc	rc;

	if ((rc = call(n, "GET", "status", NULL, NULL, &status, err)) != PH_OK)
		return rc;
	if (status != 200 || !number(n->answer, "total published messages:", &s->published) ||
	    !number(n->answer, "stored messages:", &s->stored) ||
	    !number(n->answer, "subscribers:", &s->subscribers))
		return unexpected(n, "status", status, err);
	return PH_OK;
}

enum ph_rc
ph_nchan_publish(struct ph_nchan *n, enum ph_nchan_keep keep, const char *channel, const char *event,
    const char *message, struct ph_err *err)
{
	char		path[16 + PH_NCHAN_CHANNEL_SIZE];
	long		status;
	enum ph_rc	rc;

	snprintf(path, sizeof(path), "%s/%s", keep == PH_NCHAN_LAST ? "last" : "recent", channel);
	if ((rc = call(n, "POST", path, event, message, &status, err)) != PH_OK)
		return rc;
	/* 201 with subscribers, 202 without. */
	return status == 201 || status == 202 ? PH_OK : unexpected(n, path, status, err);
}

enum ph_rc
ph_nchan_last_s(struct ph_nchan *n, const char *channel, int64_t *at_s, struct ph_err *err)
{
	char		path[16 + PH_NCHAN_CHANNEL_SIZE];
	long		status;
	enum ph_rc	rc;

	*at_s = 0;
	snprintf(path, sizeof(path), "last/%s", channel);
	if ((rc = call(n, "GET", path, NULL, NULL, &status, err)) != PH_OK || status == 404)
		return rc;
	return status == 200 && number(n->answer, "last message id:", at_s) ? PH_OK :
	    unexpected(n, path, status, err);
}

enum ph_rc
ph_nchan_delete(struct ph_nchan *n, const char *channel, struct ph_err *err)
{
	char		path[16 + PH_NCHAN_CHANNEL_SIZE];
	long		status;
	enum ph_rc	rc;

	snprintf(path, sizeof(path), "last/%s", channel);
	if ((rc = call(n, "DELETE", path, NULL, NULL, &status, err)) != PH_OK)
		return rc;
	return status == 200 || status == 404 ? PH_OK : unexpected(n, path, status, err);
}
