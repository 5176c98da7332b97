/*
 * users.c -- GET, POST /dashboard/users
 *
 * The users of this instance, and a new one.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "core/user.h"

enum { USERS_MAX = 1000 };

static const char sql_list[] =
	"SELECT name, role, tier, password IS NOT NULL, created_at, disabled_at, (SELECT max(last_used_at) FROM api_tokens t"
	" WHERE t.user_id = u.id), (SELECT count(*) FROM api_tokens t WHERE t.user_id = u.id"
	" AND (revoked_at IS NULL OR revoked_at > $1) AND (expires_at IS NULL OR expires_at > $1))"
	" FROM users u ORDER BY name LIMIT $2";

enum { F_NAME, F_ROLE, F_TIER, F_PASSWORD, F_CREATED, F_DISABLED, F_SEEN, F_TOKENS, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_NAME] = { .name = "name", .type = PH_TEXT, .text = "The user's name." },
	[F_ROLE] = { .name = "role", .type = PH_TEXT, .text = "admin, manager, operator or viewer: a set of scopes." },
	[F_TIER] = { .name = "tier", .type = PH_TEXT, .text = "What the user's plan shows of podcasts." },
	[F_PASSWORD] = { .name = "has_password", .type = PH_BOOL, .text = "Can sign in to the panel." },
	[F_CREATED] = { .name = "created_at", .type = PH_TIME, .text = "When the user was made." },
	[F_DISABLED] = { .name = "disabled_at", .type = PH_TIME, .is_nullable = 1,
	    .text = "Since when all tokens of the user are refused; null: active." },
	[F_SEEN] = { .name = "last_used_at", .type = PH_TIME, .is_nullable = 1,
	    .text = "Last use of any of the tokens, to the minute; null: never." },
	[F_TOKENS] = { .name = "tokens", .text = "Tokens that are neither revoked nor expired, sessions included." },
};
static const struct ph_field list_fields[] = {
	{ .name = "items", .type = PH_ARRAY, .fields = fields, .nfields = F__MAX, .text = "By name, at most 1000." },
};

static enum ph_rc
users_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	 v[F__MAX];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql_list, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, ph_req_now_ms(req));
	ph_stmt_bind_int(st, 2, USERS_MAX);
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

enum { P_NAME, P_ROLE, P_PASSWORD, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_NAME] = { .name = "name", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1, .max = PH_NAME_MAX,
	    .text = "Letters, digits and . _ @ -" },
	[P_ROLE] = { .name = "role", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1, .max = PH_NAME_MAX,
	    .text = "admin, manager, operator or viewer." },
	[P_PASSWORD] = { .name = "password", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = PH_PASSWORD_MAX,
	    .text = "10 to 256 bytes; absent: the user cannot sign in to the panel, only use tokens." },
};

static const struct ph_field created_fields[] = {
	{ .name = "name", .type = PH_TEXT, .text = "The user's name." },
};

/* From the check to the handler of one request; a program handles one at a time. */
static char hash[PH_PASSWORD_HASH_SIZE];

static enum ph_rc
users_check(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	(void)out;
	return ph_req_has(req, P_PASSWORD) ? ph_user_hash(hash, ph_req_text(req, P_PASSWORD), err) : PH_OK;
}

static enum ph_rc
users_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char	*name = ph_req_text(req, P_NAME);
	const int64_t	 now_ms = ph_req_now_ms(req);
	enum ph_rc	 rc;

	if ((rc = ph_user_add(ph_req_db(req), name, ph_req_text(req, P_ROLE), now_ms, err)) != PH_OK ||
	    (ph_req_has(req, P_PASSWORD) &&
	    (rc = ph_user_password(ph_req_db(req), name, hash, now_ms, err)) != PH_OK))
		return rc;
	ph_req_audit(req, name, NULL);
	ph_json_str(out, "name", name);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-users", .path = "/dashboard/users", .needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.rate = PH_RATE_ACTION,
	.ops[PH_GET] = {
		.scope = "admin", .summary = "The users", .fields = list_fields, .nfields = 1, .handle = users_get,
	},
	.ops[PH_POST] = {
		.scope = "admin", .summary = "A new user", .action = "user.add", .status = 201,
		.is_strict = 1, .is_secret = 1, .params = params, .nparams = P__MAX,
		.fields = created_fields, .nfields = 1, .check = users_check, .handle = users_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
