/*
 * dashboard.c -- GET, PUT, DELETE /dashboard/dashboards/{id}
 *
 * One board.  Its ETag is its version: a PUT or DELETE with If-Match changes what its sender
 * has seen, or nothing.  Without If-Match the last writer wins.
 */
#include "autoconf.h"

#include <cjson/cJSON.h>

#include "core/endpoint.h"
#include "domain/board.h"

static const char sql_update[] =
	"UPDATE dashboards SET name = $2, visibility = $3, layout = $4, version = $5, updated_at = $6"
	" WHERE id = $1";

static const char sql_delete[] = "DELETE FROM dashboards WHERE id = $1";

enum { P_ID, P_NAME, P_VISIBILITY, P_LAYOUT, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_ID] = PH_PARAM_BOARD_ID,
	[P_NAME] = { .name = "name", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = PH_BOARD_NAME_MAX, .text = "What to call it." },
	[P_VISIBILITY] = { .name = "visibility", .type = PH_P_CHOICE, .in = PH_IN_BODY,
	    .choices = ph_visibilities, .dflt = -1, .text = "Without it, it stays as it is." },
	[P_LAYOUT] = { .name = "layout", .type = PH_P_JSON, .in = PH_IN_BODY, .is_required = 1,
	    .max = PH_LAYOUT_MAX, .text = "An array of at most 24 widgets." },
};
enum { PARAMS_WITHOUT_BODY = P_ID + 1 };

static enum ph_rc
dashboard_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_board	b;
	enum ph_rc	rc;

	if ((rc = ph_board_find(ph_req_db(req), ph_req_text(req, P_ID), ph_req_who(req)->user, &b, err)) == PH_OK) {
		ph_board_write(&b, out);
		ph_req_version(req, b.version);
	}
	ph_board_done(&b);
	return rc;
}

static enum ph_rc
update(struct ph_db *db, const struct ph_board *b, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_update, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, b->id);
	ph_stmt_bind_text(st, 2, b->name);
	ph_stmt_bind_text(st, 3, b->visibility);
	ph_stmt_bind_text(st, 4, b->layout);
	ph_stmt_bind_int(st, 5, b->version);
	ph_stmt_bind_int(st, 6, b->updated_at);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
dashboard_put(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const cJSON		*array = ph_req_json(req, P_LAYOUT);
	struct ph_board		 b;
	struct ph_layout	*layout = NULL;
	char			*text = NULL;
	enum ph_rc		 rc;

	if ((rc = ph_board_find_to_change(req, ph_req_text(req, P_ID), &b, err)) != PH_OK)
		goto out;
	if ((layout = ph_layout_new(array, ph_req_now_ms(req), err)) == NULL) {
		rc = err->rc;
		goto out;
	}
	if ((rc = ph_layout_check(layout, err)) != PH_OK)
		goto out;
	if ((text = cJSON_PrintUnformatted(array)) == NULL) {
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the layout");
		goto out;
	}
	b.name = ph_req_text(req, P_NAME);
	if (ph_req_has(req, P_VISIBILITY))
		b.visibility = ph_visibilities[ph_req_int(req, P_VISIBILITY)];
	b.layout = text;
	b.version++;
	b.updated_at = ph_req_now_ms(req);
	if ((rc = update(ph_req_db(req), &b, err)) != PH_OK)
		goto out;
	ph_board_write(&b, out);
	ph_req_version(req, b.version);
	ph_req_audit(req, b.id, NULL);
out:
	cJSON_free(text);
	ph_layout_free(layout);
	ph_board_done(&b);
	return rc;
}

static const struct ph_field deleted_fields[] = {
	{ .name = "deleted", .type = PH_TEXT, .text = "The id of the board." },
};

static enum ph_rc
dashboard_delete(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const struct ph_value	 v[] = { ph_v_str(ph_req_text(req, P_ID)) };
	struct ph_board		 b;
	struct ph_stmt		*st;
	enum ph_rc		 rc;

	rc = ph_board_find_to_change(req, v[0].str, &b, err);
	ph_board_done(&b);
	if (rc != PH_OK || (rc = ph_db_prepare(ph_req_db(req), sql_delete, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, v[0].str);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	ph_req_audit(req, v[0].str, NULL);
	ph_json_fields(out, deleted_fields, v, 1);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-dashboard", .path = "/dashboard/dashboards/{id}",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "One board",
		.description = "Its ETag is its version in quotes, for If-Match.",
		.params = params, .nparams = PARAMS_WITHOUT_BODY,
		.fields = ph_board_fields, .nfields = PH_BOARD_NFIELDS, .handle = dashboard_get,
	},
	.ops[PH_PUT] = {
		.scope = "dashboard:write", .summary = "Replace a board", .action = "board.update",
		.description = "With If-Match the change is refused with 412 if the board has another version "
		    "by now. Without it the last writer wins. For its owner and administrators.",
		.is_strict = 1, .params = params, .nparams = P__MAX,
		.fields = ph_board_fields, .nfields = PH_BOARD_NFIELDS, .handle = dashboard_put,
	},
	.ops[PH_DELETE] = {
		.scope = "dashboard:write", .summary = "Delete a board", .action = "board.delete",
		.description = "If-Match as in a PUT. For its owner and administrators.",
		.params = params, .nparams = PARAMS_WITHOUT_BODY,
		.fields = deleted_fields, .nfields = 1, .handle = dashboard_delete,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
