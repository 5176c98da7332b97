/*
 * ai-execute.c -- POST /dashboard/ai/execute
 *
 * Run the action of a recommendation, or any other, by its short name.
 */
#include "autoconf.h"

#include <cjson/cJSON.h>

#include "core/endpoint.h"
#include "domain/action.h"
#include "domain/recommendation.h"

enum { DEADLINE_MS = 15000, PAYLOAD_MAX = 65536 };

enum { P_ACTION, P_PAYLOAD, P_RECOMMENDATION_ID, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_ACTION] = { .name = "action", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = 64, .text = "Name or short name of an action." },
	[P_PAYLOAD] = { .name = "payload", .type = PH_P_JSON, .in = PH_IN_BODY, .max = PAYLOAD_MAX,
	    .text = "The action's members, as the body of POST /dashboard/actions/{name}." },
	[P_RECOMMENDATION_ID] = { .name = "recommendation_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1,
	    .max = PH_RECOMMENDATION_ID_SIZE - 1,
	    .text = "The recommendation that is followed, for the audit log." },
};

static enum ph_rc
check_hex(const char *id, struct ph_err *err)
{
	for (; id != NULL && *id != '\0'; id++)
		if (!((*id >= '0' && *id <= '9') || (*id >= 'a' && *id <= 'f')))
			return ph_fail_param(err, params[P_RECOMMENDATION_ID].name, 17, "lower-case hexadecimal "
			    "digits are needed");
	return PH_OK;
}

static enum ph_rc
execute_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const struct ph_action_request r = {
		.name = ph_req_text(req, P_ACTION), .body = ph_req_json(req, P_PAYLOAD), .prefix = "payload.",
		.recommendation = ph_req_text(req, P_RECOMMENDATION_ID),
	};
	const enum ph_rc rc = check_hex(r.recommendation, err);

	return rc == PH_OK ? ph_action_answer(req, &r, out, err) : rc;
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-ai-execute", .path = "/dashboard/ai/execute",
		.needs = PH_NEED_DB_WRITE, .rate = PH_RATE_ACTION,
		.ops[PH_POST] = {
			.scope = "actions:run", .summary = "Run an action, as a recommendation names it",
			.params = params, .nparams = P__MAX, .is_strict = 1,
			.fields = ph_action_fields, .nfields = PH_ACTION_NFIELDS,
			.action = "action.run", .deadline_ms = DEADLINE_MS, .handle = execute_post,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
