/*
 * stream.c -- GET /dashboard/stream
 *
 * The statistics as an event stream (WHATWG HTML, Server-Sent Events): first the topics as they
 * stand, then each when it changes.  lib/domain/live.h says how this works.
 */
#include "autoconf.h"

#include <string.h>

#include "core/endpoint.h"
#include "domain/live.h"

enum { P_TOPICS, P_TICKET, P_LAST_EVENT_ID, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_TOPICS] = { .name = "topics", .type = PH_P_CHOICES, .choices = ph_live_topics,
	    .text = "What is streamed, comma-separated; default overview,queue." },
	[P_TICKET] = PH_LIVE_PARAM_TICKET,
	[P_LAST_EVENT_ID] = { .name = "last_event_id", .type = PH_P_TEXT, .max = 128,
	    .text = "The id to go on after, for clients that cannot send Last-Event-ID, which wins." },
};

static enum ph_rc
stream_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char	*last = ph_req_env(req, "HTTP_LAST_EVENT_ID");
	const char	*method = ph_req_env(req, "REQUEST_METHOD");
	unsigned	 topics = (unsigned)ph_req_int(req, P_TOPICS);

	(void)out;
	if (topics == 0)
		topics = 1u << PH_LIVE_OVERVIEW | 1u << PH_LIVE_QUEUE;
	if (method != NULL && strcmp(method, "HEAD") == 0)
		return PH_OK;
	return ph_live_hand_over(req, PH_LIVE_SSE, topics, last != NULL ? last : ph_req_text(req, P_LAST_EVENT_ID),
	    err);
}

static const struct ph_route route = {
	.name = "dashboard-stream", .path = "/dashboard/stream", .is_live = 1,
	.ops[PH_GET] = {
		.scope = PH_LIVE_SCOPE, .summary = "The statistics as Server-Sent Events",
		.description = "Each event has the name of its topic, and as data the object that the GET of the "
		    "topic answers with include=extended, and ts. First come the topics as they stand, then each when "
		    "it changes; a topic that does not change is repeated at every tenth look, so that its ages stay "
		    "fresh. alerts are single alerts: those of the last five minutes, then every one that fires or "
		    "resolves. One producer serves all clients, so there is no filter and no interval of one's own. "
		    "A comment comes every 15 seconds. The stream ends after an hour, within 30 seconds of the end of "
		    "its token, and when nginx is reloaded; browsers connect again by themselves and go on after the "
		    "last id they saw.",
		.params = params, .nparams = P__MAX, .handle = stream_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
