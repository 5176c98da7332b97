/*
 * ws.c -- GET /dashboard/ws
 *
 * The same as /dashboard/stream over a WebSocket (RFC 6455).  lib/domain/live.h says how this
 * works.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/live.h"

enum { P_TOPICS, P_TICKET, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_TOPICS] = { .name = "topics", .type = PH_P_CHOICES, .choices = ph_live_topics,
	    .text = "What is sent, comma-separated; default overview,queue." },
	[P_TICKET] = PH_LIVE_PARAM_TICKET,
};

static enum ph_rc
ws_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	unsigned topics = (unsigned)ph_req_int(req, P_TOPICS);

	(void)out;
	if (topics == 0)
		topics = 1u << PH_LIVE_OVERVIEW | 1u << PH_LIVE_QUEUE;
	return ph_live_hand_over(req, PH_LIVE_WS, topics, NULL, err);
}

static const struct ph_route route = {
	.name = "dashboard-ws", .path = "/dashboard/ws", .is_live = 1,
	.ops[PH_GET] = {
		.scope = PH_LIVE_SCOPE, .summary = "The statistics over a WebSocket",
		.description = "Each text frame is {\"type\":topic,\"ts\":instant,\"seq\":n,\"data\":object}; seq counts "
		    "the messages of a topic, from 1 when the publisher starts. What comes when is as in "
		    "/dashboard/stream; the type of alerts is alert. The text ping is answered with the text pong; "
		    "any other text is ignored: topics are chosen in the address.",
		.params = params, .nparams = P__MAX, .status = 101, .handle = ws_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
