/*
 * action.c -- POST /dashboard/actions/{name}
 *
 * Do something about the queue.  lib/domain/action-*.c say what each action takes and does.
 */
#include "autoconf.h"

#include <cjson/cJSON.h>

#include "core/endpoint.h"
#include "domain/action.h"

enum { DEADLINE_MS = 15000 };	/* ten thousand logs into the archive, on a slow disk */

/* The body is read against the table of the action, so not by the core. */
static enum ph_rc
action_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_action_request	 r = { .prefix = "", .name = ph_action_names[ph_req_int(req, 0)] };
	size_t				 len;
	const char			*text = ph_req_body(req, &len);
	cJSON				*body = NULL;
	enum ph_rc			 rc = PH_OK;

	if (len > 0)
		rc = ph_body_parse(text, len, &body, err);
	r.body = body;
	if (rc == PH_OK)
		rc = ph_action_answer(req, &r, out, err);
	cJSON_Delete(body);
	return rc;
}

int
main(int argc, char **argv)
{
	char		description[4096];
	struct ph_param	params[PH_PARAMS_MAX + 1] = {
		{ .name = "name", .type = PH_P_CHOICE, .in = PH_IN_PATH, .choices = ph_action_names,
		    .is_required = 1, .text = "The action." },
	};
	const struct ph_route route = {
		.name = "dashboard-action", .path = "/dashboard/actions/{name}",
		.needs = PH_NEED_DB_WRITE, .rate = PH_RATE_ACTION,
		.ops[PH_POST] = {
			.scope = "actions:run", .summary = "Do something about the queue",
			.description = ph_action_list(description, sizeof(description)),
			.params = params, .nparams = 1 + ph_action_all_params(params + 1), .is_raw = 1, .is_strict = 1,
			.fields = ph_action_fields, .nfields = PH_ACTION_NFIELDS,
			.action = "action.run", .deadline_ms = DEADLINE_MS, .handle = action_post,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
