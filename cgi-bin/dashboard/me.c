/*
 * me.c -- GET, PUT /dashboard/me
 *
 * Who am I, and what may I do?  The panel shows what the answer allows; the server refuses the rest anyway.
 * PUT is for one's own password.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/user.h"

static const char sql_role[] = "SELECT role FROM users WHERE name = $1";

enum { F_USER, F_ROLE, F_TOKEN, F_SCOPES, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_USER] = { .name = "user", .type = PH_TEXT, .text = "Name of the user; local: the operator by hand." },
	[F_ROLE] = { .name = "role", .type = PH_TEXT, .is_nullable = 1, .text = "The user's role; null: by hand." },
	[F_TOKEN] = { .name = "token_id", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The public part of the token; null: by hand." },
	[F_SCOPES] = { .name = "scopes", .type = PH_ARRAY,
	    .text = "What the credential allows, within the role; admin allows all." },
};

static enum ph_rc
me_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const struct ph_identity	*who = ph_req_who(req);
	struct ph_value			 v[F__MAX] = {
		[F_USER] = ph_v_str(who->user), [F_ROLE] = ph_v_null(),
		[F_TOKEN] = who->token_id[0] != '\0' ? ph_v_str(who->token_id) : ph_v_null(),
	};
	char				 scopes[PH_SCOPES_MAX + 1], *next = scopes, *scope;
	struct ph_stmt			*st;
	enum ph_rc			 rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql_role, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, who->user);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		v[F_ROLE] = ph_v_str(ph_stmt_text(st, 0));
	ph_json_fields(out, fields, v, F_SCOPES);
	ph_stmt_done(st);
	if (rc != PH_ROW && rc != PH_DONE)
		return rc;
	snprintf(scopes, sizeof(scopes), "%s", who->scopes);
	ph_json_arr_open(out, "scopes");
	while ((scope = strsep(&next, " ")) != NULL)
		if (*scope != '\0')
			ph_json_str(out, NULL, scope);
	ph_json_close(out);
	return PH_OK;
}

enum { P_PASSWORD, P_NEW, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_PASSWORD] = { .name = "password", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = PH_PASSWORD_MAX, .text = "The present password." },
	[P_NEW] = { .name = "new_password", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = PH_PASSWORD_MIN,
	    .max = PH_PASSWORD_MAX, .text = "The password from now on." },
};

static const struct ph_field changed_fields[] = {
	{ .name = "user", .type = PH_TEXT, .text = "Whose password it is." },
};

/* From the check to the handler of one request; a program handles one at a time. */
static char hash[PH_PASSWORD_HASH_SIZE];

static enum ph_rc
me_check(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	enum ph_rc rc;

	(void)out;
	rc = ph_user_check(ph_req_db(req), ph_req_who(req)->user, ph_req_text(req, P_PASSWORD), err);
	if (rc == PH_EBADCREDENTIALS)
		return ph_fail_param(err, "password", 8, "this is not the present password");
	return rc == PH_OK ? ph_user_hash(hash, ph_req_text(req, P_NEW), err) : rc;
}

static enum ph_rc
me_put(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char	*user = ph_req_who(req)->user;
	enum ph_rc	 rc;

	if ((rc = ph_user_password(ph_req_db(req), user, hash, ph_req_now_ms(req), err)) != PH_OK)
		return rc;
	ph_req_audit(req, user, NULL);
	ph_json_str(out, "user", user);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-me", .path = "/dashboard/me", .needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.rate = PH_RATE_ACTION,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "Who am I, and what may I do?",
		.fields = fields, .nfields = F__MAX, .handle = me_get,
	},
	.ops[PH_PUT] = {
		.scope = "dashboard:read", .summary = "Change my password; all sessions end", .action = "user.password",
		.is_strict = 1, .is_secret = 1, .params = params, .nparams = P__MAX,
		.fields = changed_fields, .nfields = 1, .check = me_check, .handle = me_put,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
