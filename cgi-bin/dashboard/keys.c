/*
 * keys.c -- GET, POST /dashboard/keys
 *
 * The API tokens: all of them without their secrets, and a new one, whose secret is shown
 * this once.
 */
#include "autoconf.h"

#include <string.h>

#include "core/endpoint.h"
#include "core/token.h"

enum { KEYS_MAX = 1000, DAY_MS = 86400000 };

static const char sql_list[] =
	"SELECT t.id, u.name, t.name, t.scopes, t.addresses, t.created_at, t.expires_at,"
	" t.last_used_at, t.revoked_at FROM api_tokens t JOIN users u ON u.id = t.user_id"
	" ORDER BY t.created_at DESC, t.id LIMIT $1";

enum { F_ID, F_USER, F_NAME, F_SCOPES, F_ADDRESSES, F_CREATED, F_EXPIRES, F_USED, F_REVOKED, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "The public part of the token." },
	[F_USER] = { .name = "user", .type = PH_TEXT, .text = "Its owner." },
	[F_NAME] = { .name = "name", .type = PH_TEXT, .text = "What it is for." },
	[F_SCOPES] = { .name = "scopes", .type = PH_TEXT, .text = "Space-separated; the owner's role bounds them." },
	[F_ADDRESSES] = { .name = "addresses", .type = PH_TEXT,
	    .text = "Networks it may be used from, space-separated; empty: any." },
	[F_CREATED] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
	[F_EXPIRES] = { .name = "expires_at", .type = PH_TIME, .is_nullable = 1, .text = "null: never." },
	[F_USED] = { .name = "last_used_at", .type = PH_TIME, .is_nullable = 1,
	    .text = "Written at most once a minute; null: not yet." },
	[F_REVOKED] = { .name = "revoked_at", .type = PH_TIME, .is_nullable = 1,
	    .text = "null: not revoked.  After a rotation it lies ahead." },
};
static const struct ph_field list_fields[] = {
	{ .name = "items", .type = PH_ARRAY, .fields = fields, .nfields = F__MAX, .text = "Newest first, at most 1000." },
};

static enum ph_rc
keys_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	 v[F__MAX];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql_list, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, KEYS_MAX);
	ph_json_arr_open(out, "items");
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		ph_v_columns(v, st, fields, F__MAX);
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, fields, v, F__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

enum { P_USER, P_NAME, P_SCOPES, P_ADDRESSES, P_EXPIRES, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_USER] = { .name = "user", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = PH_NAME_MAX, .text = "Name of an active user." },
	[P_NAME] = { .name = "name", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = PH_NAME_MAX, .text = "What the token is for." },
	[P_SCOPES] = { .name = "scopes", .type = PH_P_TEXT, .in = PH_IN_BODY, .max = PH_SCOPES_MAX,
	    .text = "Space-separated, within those of the user's role; empty: all of these." },
	[P_ADDRESSES] = { .name = "addresses", .type = PH_P_TEXT, .in = PH_IN_BODY, .max = 1000,
	    .text = "Networks it may be used from, CIDRs, space-separated; empty: any." },
	[P_EXPIRES] = { .name = "expires_days", .type = PH_P_INT, .in = PH_IN_BODY, .min = 1, .max = 36500,
	    .unit = "days", .text = "Until it expires; absent: never." },
};

enum { C_ID, C_TOKEN, C__MAX };
static const struct ph_field created_fields[C__MAX] = {
	[C_ID] = { .name = "id", .type = PH_TEXT, .text = "The public part of the token." },
	[C_TOKEN] = { .name = "token", .type = PH_TEXT, .text = "The token itself; it is not shown again." },
};

static enum ph_rc
keys_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const struct ph_token	t = {
		.user = ph_req_text(req, P_USER), .name = ph_req_text(req, P_NAME),
		.scopes = ph_req_text(req, P_SCOPES),
		.addresses = ph_req_has(req, P_ADDRESSES) ? ph_req_text(req, P_ADDRESSES) : "",
		.expires_at = ph_req_has(req, P_EXPIRES) ?
		    ph_req_now_ms(req) + ph_req_int(req, P_EXPIRES) * DAY_MS : 0,
	};
	char			id[PH_TOKEN_ID_SIZE], token[PH_TOKEN_MAX + 1];
	const char		*bad;
	enum ph_rc		rc;
	size_t			n;

	if (t.scopes != NULL && (bad = ph_token_bad_scope(t.scopes, &n)) != NULL)
		return ph_fail_param(err, "scopes", 6, "%.*s is not a scope", (int)n, bad);
	if ((bad = ph_token_bad_address(t.addresses, &n)) != NULL)
		return ph_fail_param(err, "addresses", 9, "%.*s is not a network", (int)n, bad);
	ph_token_make(id, token);
	if ((rc = ph_token_store(ph_req_db(req), &t, id, token, ph_req_now_ms(req), err)) == PH_OK) {
		const struct ph_value v[C__MAX] = { [C_ID] = ph_v_str(id), [C_TOKEN] = ph_v_str(token) };

		ph_json_fields(out, created_fields, v, C__MAX);
		ph_req_audit(req, id, NULL);
	}
	explicit_bzero(token, sizeof(token));
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-keys", .path = "/dashboard/keys", .needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.ops[PH_GET] = {
		.scope = "admin", .summary = "The API tokens, without their secrets",
		.fields = list_fields, .nfields = 1, .handle = keys_get,
	},
	.ops[PH_POST] = {
		.scope = "admin", .summary = "A new API token", .action = "token.create", .status = 201,
		.is_strict = 1, .is_secret = 1, .params = params, .nparams = P__MAX,
		.fields = created_fields, .nfields = C__MAX, .handle = keys_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
