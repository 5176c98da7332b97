/*
 * live-telemetry.c -- GET /telemetry/live/ws/telemetry
 *
 * The live figures over a WebSocket, as older clients read them.  lib/domain/live.h says how this works.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/live.h"

static const struct ph_param params[] = { PH_LIVE_PARAM_TICKET };

static enum ph_rc
live_telemetry_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	(void)out;
	return ph_live_hand_over(req, PH_LIVE_BARE, 1u << PH_LIVE_TELEMETRY, NULL, err);
}

static const struct ph_route route = {
	.name = "dashboard-live-telemetry", .path = "/telemetry/live/ws/telemetry", .is_live = 1,
	.ops[PH_GET] = {
		.scope = PH_LIVE_SCOPE, .summary = "The live figures over a WebSocket, as older clients read them",
		.description = "The object of the topic telemetry at every look of the publisher, by default every 3 seconds, and at once when the client connects.",
		.params = params, .nparams = 1, .status = 101, .handle = live_telemetry_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
