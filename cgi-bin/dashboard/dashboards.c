/*
 * dashboards.c -- GET, POST /dashboard/dashboards
 *
 * Which boards can I see?  And a new one of mine.
 */
#include "autoconf.h"

#include <cjson/cJSON.h>

#include "core/endpoint.h"
#include "domain/board.h"

enum { LIST_MAX = 1000 };

/* Along ix_dashboards_owner, then along ix_dashboards_shared. */
static const char sql_own[] =
	"SELECT id, owner, name, visibility, version, created_at, updated_at FROM dashboards"
	" WHERE owner = $1 ORDER BY created_at DESC LIMIT $2";
static const char sql_shared[] =
	"SELECT id, owner, name, visibility, version, created_at, updated_at FROM dashboards"
	" WHERE visibility = 'shared' AND owner <> $1 ORDER BY created_at DESC LIMIT $2";

static const struct ph_field list_fields[] = {
	{ .name = "items", .type = PH_ARRAY, .fields = ph_board_fields, .nfields = PH_BOARD_NFIELDS - 1,
	    .text = "One's own, then those that others share, at most 1000 of them, each newest first." },
};

static enum ph_rc
list(struct ph_req *req, const char *sql, struct ph_json *out, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_req_who(req)->user);
	ph_stmt_bind_int(st, 2, LIST_MAX);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		const struct ph_board b = {
			.id = ph_stmt_text(st, 0), .owner = ph_stmt_text(st, 1), .name = ph_stmt_text(st, 2),
			.visibility = ph_stmt_text(st, 3), .version = ph_stmt_int(st, 4),
			.created_at = ph_stmt_int(st, 5), .updated_at = ph_stmt_int(st, 6),
		};

		ph_json_obj_open(out, NULL);
		ph_board_write(&b, out);
		ph_json_close(out);
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
dashboards_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	enum ph_rc rc;

	ph_json_arr_open(out, list_fields[0].name);
	if ((rc = list(req, sql_own, out, err)) == PH_OK)
		rc = list(req, sql_shared, out, err);
	ph_json_close(out);
	return rc;
}

enum { P_NAME, P_VISIBILITY, P_LAYOUT, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_NAME] = { .name = "name", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = PH_BOARD_NAME_MAX, .text = "What to call it." },
	[P_VISIBILITY] = { .name = "visibility", .type = PH_P_CHOICE, .in = PH_IN_BODY,
	    .choices = ph_visibilities, .text = "shared lets everybody read it." },
	[P_LAYOUT] = { .name = "layout", .type = PH_P_JSON, .in = PH_IN_BODY, .max = PH_LAYOUT_MAX,
	    .text = "An array of at most 24 widgets; without it the board is empty." },
};

static enum ph_rc
dashboards_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const cJSON		*array = ph_req_json(req, P_LAYOUT);
	struct ph_board		 b = { .name = ph_req_text(req, P_NAME),
	    .visibility = ph_visibilities[ph_req_int(req, P_VISIBILITY)], .layout = "[]" };
	struct ph_layout	*layout = NULL;
	char			 id[PH_BOARD_ID_SIZE], *text = NULL;
	enum ph_rc		 rc = PH_OK;

	if (array != NULL) {
		if ((layout = ph_layout_new(array, ph_req_now_ms(req), err)) == NULL)
			rc = err->rc;
		else if ((rc = ph_layout_check(layout, err)) == PH_OK &&
		    (b.layout = text = cJSON_PrintUnformatted(array)) == NULL)
			rc = ph_fail(err, PH_ENOMEM, "not enough memory for the layout");
	}
	if (rc == PH_OK && (rc = ph_board_create(req, &b, id, err)) == PH_OK)
		rc = ph_board_answer_created(req, &b, out, err);
	cJSON_free(text);
	ph_layout_free(layout);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-dashboards", .path = "/dashboard/dashboards",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "Which boards can I see?",
		.fields = list_fields, .nfields = 1, .handle = dashboards_get,
	},
	.ops[PH_POST] = {
		.scope = "dashboard:write", .summary = "A new board", .action = "board.create", .status = 201,
		.is_strict = 1, .params = params, .nparams = P__MAX,
		.fields = ph_board_fields, .nfields = PH_BOARD_NFIELDS, .handle = dashboards_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
