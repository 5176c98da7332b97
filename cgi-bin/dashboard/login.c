/*
 * login.c -- POST, DELETE /dashboard/login
 *
 * A name and a password become a token for twelve hours, in the answer and as the cookie of the
 * panel.  DELETE revokes the token that is presented.  A user without a password (`pilothouse
 * user password NAME`) cannot log in; which of the two was wrong is not told, and takes as long.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/hash.h"
#include "core/token.h"

enum { SESSION_S = 43200, SECOND_MS = 1000 };

static const char sql_password[] = "SELECT password FROM users WHERE name = $1 AND disabled_at IS NULL";
static const char sql_role[] = "SELECT role FROM users WHERE name = $1";

enum { P_USER, P_PASSWORD, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_USER] = { .name = "username", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = PH_NAME_MAX, .text = "Name of the user." },
	[P_PASSWORD] = { .name = "password", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = PH_PASSWORD_MAX, .text = "The password." },
};

enum { F_TOKEN, F_EXPIRES, F_USER, F_ROLE, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_TOKEN] = { .name = "token", .type = PH_TEXT, .text = "For Authorization: Bearer." },
	[F_EXPIRES] = { .name = "expires_in", .unit = "s", .text = "How long it is valid." },
	[F_USER] = { .name = "username", .type = PH_TEXT, .text = "Who it stands for." },
	[F_ROLE] = { .name = "role", .type = PH_TEXT, .text = "The user's role." },
};

/* Is the password right?  Hashing takes long, so it happens ahead of the write lock. */
static enum ph_rc
login_check(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	char		 hash[PH_PASSWORD_HASH_SIZE] = "";
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	(void)out;
	if ((rc = ph_db_prepare(ph_req_db(req), sql_password, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_req_text(req, P_USER));
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && !ph_stmt_is_null(st, 0))
		snprintf(hash, sizeof(hash), "%s", ph_stmt_text(st, 0));
	ph_stmt_done(st);
	if (rc != PH_ROW && rc != PH_DONE)
		return rc;
	if (ph_password_is(hash, ph_req_text(req, P_PASSWORD)))
		return PH_OK;
	ph_req_status(req, ph_problem(PH_EBADCREDENTIALS)->status);
	ph_req_act_as(req, "anonymous", "");
	if ((rc = ph_req_audit_now(req, "session.refuse", ph_req_text(req, P_USER), err)) != PH_OK)
		return rc;
	return ph_fail(err, PH_EBADCREDENTIALS, "name or password is wrong");
}

static enum ph_rc
login_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const struct ph_token	t = {
		.user = ph_req_text(req, P_USER), .name = "login", .addresses = "",
		.expires_at = ph_req_now_ms(req) + SESSION_S * SECOND_MS,
	};
	char			id[PH_TOKEN_ID_SIZE], token[PH_TOKEN_MAX + 1];
	struct ph_stmt		*st = NULL;
	enum ph_rc		rc;

	ph_token_make(id, token);
	if ((rc = ph_token_store(ph_req_db(req), &t, id, token, ph_req_now_ms(req), err)) != PH_OK ||
	    (rc = ph_db_prepare(ph_req_db(req), sql_role, &st, err)) != PH_OK)
		goto out;
	ph_stmt_bind_text(st, 1, t.user);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW &&
	    (rc = ph_req_header(req, err, "Set-Cookie: ph_session=%s; Path=/; Max-Age=%d; HttpOnly; Secure; "
	    "SameSite=Strict", token, SESSION_S)) == PH_OK) {
		const struct ph_value v[F__MAX] = {
			[F_TOKEN] = ph_v_str(token), [F_EXPIRES] = ph_v_int(SESSION_S),
			[F_USER] = ph_v_str(t.user), [F_ROLE] = ph_v_str(ph_stmt_text(st, 0)),
		};

		ph_json_fields(out, fields, v, F__MAX);
		ph_req_act_as(req, t.user, id);
	}
out:
	ph_stmt_done(st);
	explicit_bzero(token, sizeof(token));
	return rc;
}

static const struct ph_field logout_fields[] = {
	{ .name = "revoked", .type = PH_TEXT, .text = "The public part of the token." },
};

static enum ph_rc
login_delete(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char		*address = ph_req_env(req, "REMOTE_ADDR");
	struct ph_identity	 who;
	char			 token[PH_TOKEN_MAX + 1];
	int			 from_cookie;
	enum ph_rc		 rc;

	if ((rc = ph_req_credential(req, token, &from_cookie, err)) == PH_OK)
		rc = ph_auth_token(ph_req_db(req), token, address != NULL ? address : "", ph_req_now_ms(req),
		    &who, err);
	explicit_bzero(token, sizeof(token));
	if (rc != PH_OK ||
	    (rc = ph_token_revoke(ph_req_db(req), who.token_id, ph_req_now_ms(req), err)) != PH_OK ||
	    (rc = ph_req_header(req, err, "Set-Cookie: ph_session=; Path=/; Max-Age=0; HttpOnly; Secure; "
	    "SameSite=Strict")) != PH_OK)
		return rc;
	{
		const struct ph_value v[] = { ph_v_str(who.token_id) };

		ph_json_fields(out, logout_fields, v, 1);
	}
	ph_req_act_as(req, who.user, who.token_id);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-login", .path = "/dashboard/login", .access = PH_ACCESS_PUBLIC,
	.needs = PH_NEED_DB_WRITE, .rate = PH_RATE_ACTION,
	.ops[PH_POST] = {
		.summary = "Name and password for a token of twelve hours", .action = "session.open",
		.is_secret = 1, .params = params, .nparams = P__MAX,
		.fields = fields, .nfields = F__MAX, .check = login_check, .handle = login_post,
	},
	.ops[PH_DELETE] = {
		.summary = "Log out: revoke the token that is presented", .action = "session.close",
		.fields = logout_fields, .nfields = 1, .handle = login_delete,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
