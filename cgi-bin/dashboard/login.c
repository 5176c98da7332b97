/*
 * login.c -- POST, DELETE /dashboard/login
 *
 * A name and a password become a token for twelve hours, in the answer and as the cookie of the
 * panel; a token that one has becomes the cookie.  DELETE revokes the token that is presented, or
 * all that its user got here.  A user without a password (`pilothouse user passwd NAME`)
 * cannot log in; which of the two was wrong is not told, and takes as long.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/hash.h"
#include "core/token.h"
#include "core/user.h"

enum { SESSION_S = 43200, SECOND_MS = 1000 };
#define COOKIE	"Set-Cookie: ph_session=%s; Path=/; Max-Age=%d; HttpOnly; Secure; SameSite=Strict"

static const char sql_role[] = "SELECT role FROM users WHERE name = $1";
static const char sql_is_login[] = "SELECT 1 FROM api_tokens WHERE id = $1 AND name = '" PH_LOGIN_TOKEN "'";

enum { P_USER, P_PASSWORD, P_TOKEN, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_USER] = { .name = "username", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = PH_NAME_MAX,
	    .text = "Name of the user." },
	[P_PASSWORD] = { .name = "password", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = PH_PASSWORD_MAX,
	    .text = "The password." },
	[P_TOKEN] = { .name = "token", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = PH_TOKEN_MAX,
	    .text = "A token instead of both: no other is made, the cookie holds this one." },
};

enum { P_EVERYWHERE, P_DELETE__MAX };
static const struct ph_param delete_params[P_DELETE__MAX] = {
	[P_EVERYWHERE] = { .name = "everywhere", .type = PH_P_INT, .max = 1,
	    .text = "1: revoke every token that this user got by logging in, too." },
};

enum { F_TOKEN, F_EXPIRES, F_USER, F_ROLE, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_TOKEN] = { .name = "token", .type = PH_TEXT, .text = "For Authorization: Bearer." },
	[F_EXPIRES] = { .name = "expires_in", .unit = "s", .text = "How long it is valid." },
	[F_USER] = { .name = "username", .type = PH_TEXT, .text = "Who it stands for." },
	[F_ROLE] = { .name = "role", .type = PH_TEXT, .text = "The user's role." },
};

/* A refusal is on record. */
static enum ph_rc
refuse(struct ph_req *req, struct ph_err *err)
{
	struct ph_err failed;

	ph_req_status(req, ph_problem(PH_EBADCREDENTIALS)->status);
	ph_req_act_as(req, "anonymous", "");
	if (ph_req_audit_now(req, "session.refuse", ph_req_has(req, P_USER) ? ph_req_text(req, P_USER) : "token",
	    &failed) != PH_OK)
		*err = failed;
	return err->rc;
}

static enum ph_rc
find_token(struct ph_req *req, const char *token, struct ph_identity *who, struct ph_err *err)
{
	const char *address = ph_req_env(req, "REMOTE_ADDR");

	return ph_auth_token(ph_req_db(req), token, address != NULL ? address : "", ph_req_now_ms(req), who, err);
}

/* Is it the right password, or a token?  Hashing takes long, so it happens ahead of the write lock. */
static enum ph_rc
login_check(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	static const size_t	both[] = { P_USER, P_PASSWORD };
	struct ph_identity	who;
	enum ph_rc		rc;
	size_t			i;

	(void)out;
	for (i = 0; i < sizeof(both) / sizeof(both[0]); i++)
		if (ph_req_has(req, both[i]) == ph_req_has(req, P_TOKEN))
			return ph_fail_param(err, params[both[i]].name, strlen(params[both[i]].name),
			    "send username and password, or a token alone");
	if (ph_req_has(req, P_TOKEN))
		rc = find_token(req, ph_req_text(req, P_TOKEN), &who, err);
	else
		rc = ph_user_check(ph_req_db(req), ph_req_text(req, P_USER), ph_req_text(req, P_PASSWORD), err);
	return rc == PH_EBADCREDENTIALS ? refuse(req, err) : rc;
}

/* A new token for who has given the password, or the one that was given.  Fills user and id. */
static enum ph_rc
take_token(struct ph_req *req, struct ph_identity *who, char token[PH_TOKEN_MAX + 1], struct ph_err *err)
{
	const struct ph_token t = {
		.user = ph_req_text(req, P_USER), .name = PH_LOGIN_TOKEN, .addresses = "",
		.expires_at = ph_req_now_ms(req) + SESSION_S * SECOND_MS,
	};

	if (ph_req_has(req, P_TOKEN)) {
		snprintf(token, PH_TOKEN_MAX + 1, "%s", ph_req_text(req, P_TOKEN));
		return find_token(req, token, who, err);
	}
	snprintf(who->user, sizeof(who->user), "%s", t.user);
	ph_token_make(who->token_id, token);
	return ph_token_store(ph_req_db(req), &t, who->token_id, token, ph_req_now_ms(req), err);
}

static enum ph_rc
login_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_identity	 who = { .user = "" };
	char			 token[PH_TOKEN_MAX + 1] = "";
	struct ph_stmt		*st = NULL;
	enum ph_rc		 rc;

	if ((rc = take_token(req, &who, token, err)) != PH_OK ||
	    (rc = ph_db_prepare(ph_req_db(req), sql_role, &st, err)) != PH_OK)
		goto out;
	ph_stmt_bind_text(st, 1, who.user);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW &&
	    (rc = ph_req_header(req, err, COOKIE, token, SESSION_S)) == PH_OK) {
		const struct ph_value v[F__MAX] = {
			[F_TOKEN] = ph_v_str(token), [F_EXPIRES] = ph_v_int(SESSION_S),
			[F_USER] = ph_v_str(who.user), [F_ROLE] = ph_v_str(ph_stmt_text(st, 0)),
		};

		ph_json_fields(out, fields, v, F__MAX);
		ph_req_act_as(req, who.user, who.token_id);
	}
out:
	ph_stmt_done(st);
	explicit_bzero(token, sizeof(token));
	return rc;
}

static const struct ph_field logout_fields[] = {
	{ .name = "revoked", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The public part of the token; null: it was made elsewhere, and only the cookie is forgotten." },
};

/* Was it made here?  *is_login is left alone otherwise. */
static enum ph_rc
find_login(struct ph_db *db, const char *id, int *is_login, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_is_login, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*is_login = 1;
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
login_delete(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_identity	 who;
	char			 token[PH_TOKEN_MAX + 1];
	int			 from_cookie, is_revoked;
	enum ph_rc		 rc;

	if ((rc = ph_req_credential(req, token, &from_cookie, err)) == PH_OK)
		rc = find_token(req, token, &who, err);
	explicit_bzero(token, sizeof(token));
	is_revoked = !from_cookie;
	if (rc != PH_OK || (rc = find_login(ph_req_db(req), who.token_id, &is_revoked, err)) != PH_OK ||
	    (is_revoked && (rc = ph_token_revoke(ph_req_db(req), who.token_id, ph_req_now_ms(req), err)) != PH_OK) ||
	    (ph_req_int(req, P_EVERYWHERE) && (rc = ph_user_sign_out(ph_req_db(req), who.user, ph_req_now_ms(req), err)) != PH_OK) ||
	    (rc = ph_req_header(req, err, COOKIE, "", 0)) != PH_OK)
		return rc;
	{
		const struct ph_value v[] = { is_revoked ? ph_v_str(who.token_id) : ph_v_null() };

		ph_json_fields(out, logout_fields, v, 1);
	}
	ph_req_act_as(req, who.user, who.token_id);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-login", .path = "/dashboard/login", .access = PH_ACCESS_PUBLIC,
	.needs = PH_NEED_DB_WRITE, .rate = PH_RATE_ACTION,
	.ops[PH_POST] = {
		.summary = "Name and password for a token of twelve hours, or a token for the cookie", .action = "session.open",
		.is_secret = 1, .params = params, .nparams = P__MAX,
		.fields = fields, .nfields = F__MAX, .check = login_check, .handle = login_post,
	},
	.ops[PH_DELETE] = {
		.summary = "Log out: revoke the token that is presented", .action = "session.close",
		.params = delete_params, .nparams = P_DELETE__MAX,
		.fields = logout_fields, .nfields = 1, .handle = login_delete,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
