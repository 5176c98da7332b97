/*
 * live.c -- topics, channels, and handing clients over to nginx.
 */
#include "autoconf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/config.h"
#include "core/endpoint.h"
#include "domain/live.h"

enum { DIGITS_MAX = 10 };

const char *const ph_live_topics[PH_LIVE__MAX + 1] = {
	[PH_LIVE_OVERVIEW] = "overview", [PH_LIVE_QUEUE] = "queue", [PH_LIVE_ORCHESTRATOR] = "orchestrator",
	[PH_LIVE_PLATFORMS] = "platforms", [PH_LIVE_CAMPAIGNS] = "campaigns",
	[PH_LIVE_TELEMETRY] = "telemetry", [PH_LIVE_ALERTS] = "alerts",
};

static const char *const forms[] = { [PH_LIVE_SSE] = "sse", [PH_LIVE_WS] = "ws", [PH_LIVE_BARE] = "bare" };

char *
ph_live_channel(char buf[PH_NCHAN_CHANNEL_SIZE], enum ph_live_form form, enum ph_live_topic topic)
{
	snprintf(buf, PH_NCHAN_CHANNEL_SIZE, "%s.%s", forms[form], ph_live_topics[topic]);
	return buf;
}

char *
ph_live_token_channel(char buf[PH_NCHAN_CHANNEL_SIZE], const char *token_id)
{
	snprintf(buf, PH_NCHAN_CHANNEL_SIZE, "token.%s", token_id);
	return buf;
}

/* Is it an id that nchan gives to messages of so many channels: TIME:TAG,...  with one tag per
 * channel, a number or "-", and brackets around one of them? */
static int
is_message_id(const char *s, size_t channels)
{
	size_t n, active = 0, tags = 0;

	if ((n = strspn(s, "0123456789")) == 0 || n > DIGITS_MAX || s[n] != ':')
		return 0;
	do {
		s += n + 1;		/* what is before a tag */
		tags++;
		if (*s == '[') {
			s++;
			active++;
		}
		n = *s == '-' ? 1 : strspn(s, "0123456789");
		if (n == 0 || n > 4)
			return 0;
		if (s[n] == ']')
			n++;
	} while (s[n] == ',');
	return s[n] == '\0' && tags == channels && active == 1;
}

/* A browser tells from where a page comes: our own, or one that may call us. */
static int
is_origin_allowed(struct ph_req *req)
{
	const char *origin = ph_req_env(req, "HTTP_ORIGIN");
	const char *host = ph_req_env(req, "HTTP_HOST"), *at;

	return origin == NULL || ph_config_has(PH_CFG_CORS_ORIGINS, origin) ||
	    (host != NULL && (at = strstr(origin, "://")) != NULL && strcasecmp(at + 3, host) == 0);
}

/* nchan answers 403 without a word to what it does not take for an event stream or a WebSocket, so both are
 * as strict as it is. */
static int
is_event_stream(struct ph_req *req)
{
	const char *accept = ph_req_env(req, "HTTP_ACCEPT");

	return accept != NULL && strstr(accept, "text/event-stream") != NULL;
}

static int
is_websocket(struct ph_req *req)
{
	const char *connection = ph_req_env(req, "HTTP_CONNECTION"), *upgrade = ph_req_env(req, "HTTP_UPGRADE");
	const char *version = ph_req_env(req, "HTTP_SEC_WEBSOCKET_VERSION");

	return connection != NULL && strcasestr(connection, "upgrade") != NULL &&
	    upgrade != NULL && strcasecmp(upgrade, "websocket") == 0 &&
	    version != NULL && strcmp(version, "13") == 0 && ph_req_env(req, "HTTP_SEC_WEBSOCKET_KEY") != NULL;
}

enum ph_rc
ph_live_hand_over(struct ph_req *req, enum ph_live_form form, unsigned topics, const char *last_event_id,
    struct ph_err *err)
{
	const struct ph_identity	*who = ph_req_who(req);
	char				 list[PH_LIVE__MAX * PH_NCHAN_CHANNEL_SIZE] = "", channel[PH_NCHAN_CHANNEL_SIZE];
	const char			*location = forms[form];
	size_t				 n = 1;		/* with the token's */
	unsigned			 t;

	if (form == PH_LIVE_SSE && !is_event_stream(req))
		return ph_fail(err, PH_ENOTACCEPTABLE, "send Accept: text/event-stream");
	if (form != PH_LIVE_SSE && !is_websocket(req))
		return ph_fail(err, PH_EUPGRADE, "connect with a WebSocket, version 13");
	if (!is_origin_allowed(req))
		return ph_fail(err, PH_EORIGIN, "pages of this origin may not connect");
	for (t = 0; t < PH_LIVE__MAX; t++)
		if ((topics & 1u << t) != 0) {
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
			    list[0] != '\0' ? "," : "", ph_live_channel(channel, form, (enum ph_live_topic)t));
			n++;
		}
	if (last_event_id != NULL && !is_message_id(last_event_id, n))
		last_event_id = NULL;
	if (form == PH_LIVE_BARE && topics == 1u << PH_LIVE_ALERTS)
		location = "next";
	return ph_req_header(req, err, "X-Accel-Redirect: /_live/%s/%s/%s%s%s", location, who->token_id, list,
	    last_event_id != NULL ? "?last=" : "", last_event_id != NULL ? last_event_id : "");
}
