/*
 * dashboard-clone.c -- POST /dashboard/dashboards/{id}/clone
 *
 * A private board of one's own that begins as a copy of one that one can see.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/board.h"

enum { P_ID, P_NAME, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_ID] = PH_PARAM_BOARD_ID,
	[P_NAME] = { .name = "name", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = PH_BOARD_NAME_MAX,
	    .text = "Of the copy; without it the same." },
};

static enum ph_rc
dashboard_clone_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_board	from, copy;
	char		id[PH_BOARD_ID_SIZE];
	enum ph_rc	rc;

	if ((rc = ph_board_find(ph_req_db(req), ph_req_text(req, P_ID), ph_req_who(req)->user, &from,
	    err)) == PH_OK) {
		copy = (struct ph_board){ .name = ph_req_has(req, P_NAME) ? ph_req_text(req, P_NAME) : from.name,
		    .visibility = ph_visibilities[0], .layout = from.layout };
		if ((rc = ph_board_create(req, &copy, id, err)) == PH_OK)
			rc = ph_board_answer_created(req, &copy, out, err);
	}
	ph_board_done(&from);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-dashboard-clone", .path = "/dashboard/dashboards/{id}/clone",
	.needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "dashboard:write", .summary = "Copy a board", .action = "board.clone", .status = 201,
		.description = "The copy is private and belongs to the caller.",
		.is_strict = 1, .params = params, .nparams = P__MAX,
		.fields = ph_board_fields, .nfields = PH_BOARD_NFIELDS, .handle = dashboard_clone_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
