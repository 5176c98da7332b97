/*
 * check.c -- the program that nginx asks before every protected location (auth_request).
 *
 * In: the client's own headers, REMOTE_ADDR, and from the configuration PH_SCOPE (the
 * scope that the route declares) and PH_METHOD (the client's method).
 * On the locations of streams also PH_TICKET, what the client sent as ?ticket=.
 * Out: 200 with X-PH-Auth: user, token id, scopes; else the status of the failure with
 * X-PH-Status and X-PH-Problem, the body that nginx shows the client.
 *
 * An address that fails again and again in one minute is told 429 instead of 401; a token that
 * is right gets in all the same, so nobody can shut others out.  Each failure that gets its 401 is
 * in the audit log, as credential.refuse.
 *
 * nginx keeps a 200 for one second of its clock, which counts whole seconds: a revoked token
 * works for less than two.  A ticket is good once, so what it got is not kept.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/audit.h"
#include "core/config.h"
#include "core/endpoint.h"
#include "core/log.h"
#include "core/state.h"

static const char sql_touch[] = "UPDATE api_tokens SET last_used_at = $1 WHERE id = $2";

/* Note the last use, once a minute and token.  It waits for nobody, and a failure is no reason
 * to keep anybody out. */
static void
note_use(struct ph_db *db, const struct ph_identity *who, int64_t now_ms)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_stmt	*st = NULL;

	if (ph_db_begin_note(db, &err) == PH_OK && ph_db_prepare(db, sql_touch, &st, &err) == PH_OK) {
		ph_stmt_bind_int(st, 1, now_ms);
		ph_stmt_bind_text(st, 2, who->token_id);
		if (ph_stmt_exec(st, &err) == PH_OK)
			ph_db_commit(db, &err);
	}
	ph_db_end(db);
	if (err.rc != PH_OK && err.rc != PH_EDBLOCKED)
		ph_log("warn", "auth-check", "last use not noted: %s %s", err.detail, err.internal);
}

/* A browser adds a cookie by itself, so a changing request must come from our own page. */
static enum ph_rc
check_origin(struct ph_req *req, const char *method, struct ph_err *err)
{
	const char *site = ph_req_env(req, "HTTP_SEC_FETCH_SITE");
	const char *origin = ph_req_env(req, "HTTP_ORIGIN");
	const char *host = ph_req_env(req, "HTTP_HOST");

	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		return PH_OK;
	if (site != NULL && strcmp(site, "same-origin") == 0)
		return PH_OK;
	if (site == NULL && origin != NULL && host != NULL && (origin = strstr(origin, "://")) != NULL &&
	    strcmp(origin + 3, host) == 0)
		return PH_OK;
	return ph_fail(err, PH_EORIGIN, "send a token instead of the session cookie");
}

/* Use up a ticket, on a connection of its own: ours only reads. */
static enum ph_rc
use_ticket(const char *ticket, const char *address, int64_t now_ms, struct ph_identity *who,
    struct ph_err *err)
{
	const struct ph_db_limits	 limits = { .busy_timeout_ms = (int)ph_config_int(PH_CFG_BUSY_TIMEOUT_MS) };
	struct ph_err			 end_err = { .rc = PH_OK };
	char				 path[512];
	struct ph_db			*db;
	enum ph_rc			 rc, end;

	if ((db = ph_db_new(ph_config_path(path, sizeof(path), "pilothouse.db"), PH_DB_WRITER, limits)) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the database");
	if ((rc = ph_db_begin(db, err)) == PH_OK) {
		rc = ph_auth_ticket_use(db, ticket, address, now_ms, who, err);
		/* Also one that came too late is used up. */
		if ((end = ph_db_commit(db, &end_err)) != PH_OK && rc == PH_OK) {
			*err = end_err;
			rc = end;
		}
	}
	ph_db_end(db);
	ph_db_close(db);
	return rc;
}

/* Who is it, by the credential of the request? */
static enum ph_rc
find_caller(struct ph_req *req, const char *method, const char *address, struct ph_identity *who,
    struct ph_err *err)
{
	const char	*ticket = ph_req_env(req, "PH_TICKET");
	char		 token[PH_TOKEN_MAX + 1];
	int		 from_cookie;
	enum ph_rc	 rc;

	if (ticket != NULL && ticket[0] != '\0')
		return use_ticket(ticket, address, ph_req_now_ms(req), who, err);
	if ((rc = ph_req_credential(req, token, &from_cookie, err)) == PH_OK &&
	    (!from_cookie || (rc = check_origin(req, method, err)) == PH_OK))
		rc = ph_auth_token(ph_req_db(req), token, address, ph_req_now_ms(req), who, err);
	explicit_bzero(token, sizeof(token));
	return rc;
}

/* A row of the audit log.  Like the last use it waits for nobody. */
static void
note_refusal(struct ph_req *req, const char *method, const char *address, enum ph_rc refused)
{
	const char		*uri = ph_req_env(req, "REQUEST_URI");
	char			 path[PH_QUERY_MAX + 1], detail[64];
	const struct ph_audit	 entry = {
		.at_ms = ph_req_now_ms(req), .actor = "anonymous", .address = address, .method = ph_method_name(method),
		.path = path, .status = ph_problem(refused)->status, .request_id = ph_req_env(req, "PH_REQUEST_ID"),
		.action = "credential.refuse", .detail = detail,
	};
	struct ph_db		*db = ph_req_db(req);
	struct ph_err		 err = { .rc = PH_OK };

	snprintf(path, sizeof(path), "%.*s", uri != NULL ? (int)strcspn(uri, "?") : 0, uri != NULL ? uri : "");
	snprintf(detail, sizeof(detail), "{\"code\":\"%s\"}", ph_problem(refused)->code);
	ph_db_end(db);
	if (ph_db_begin_note(db, &err) == PH_OK && ph_audit(db, &entry, &err) == PH_OK)
		ph_db_commit(db, &err);
	ph_db_end(db);
	if (err.rc != PH_OK && err.rc != PH_EDBLOCKED)
		ph_log("warn", "auth-check", "refusal not noted: %s %s", err.detail, err.internal);
}

/* What to answer to a credential that is not right. */
static enum ph_rc
refuse(struct ph_req *req, const char *method, const char *address, struct ph_err *err)
{
	const int64_t max = ph_config_int(PH_CFG_RATE_FAILURES);

	if (ph_problem(err->rc)->status != 401 || err->rc == PH_ENOCREDENTIALS)
		return err->rc;
	if (max > 0 && ph_state_auth_failures(ph_req_state(req), address) >= (uint64_t)max)
		return ph_fail(err, PH_ERATE, "too many credentials that were not valid; wait a minute");
	ph_state_auth_failed(ph_req_state(req), address);
	note_refusal(req, method, address, err->rc);
	return err->rc;
}

static enum ph_rc
check_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char		*method = ph_req_env(req, "PH_METHOD");
	const char		*scope = ph_req_env(req, "PH_SCOPE");
	const char		*address = ph_req_env(req, "REMOTE_ADDR");
	struct ph_identity	 who;
	enum ph_rc		 rc;

	(void)out;
	if (method == NULL || scope == NULL)
		return ph_fail(err, PH_EINTERNAL, "auth-check was asked without a method and a scope");
	if (strcmp(method, "OPTIONS") == 0)
		return PH_OK;		/* says only what is allowed; a preflight has no token */
	if (address == NULL)
		address = "";
	if (find_caller(req, method, address, &who, err) != PH_OK)
		return refuse(req, method, address, err);
	if ((rc = ph_auth_scope(&who, scope, err)) != PH_OK)
		return rc;
	if (who.is_use_due) {
		ph_db_end(ph_req_db(req));
		note_use(ph_req_db(req), &who, ph_req_now_ms(req));
		if ((rc = ph_db_begin(ph_req_db(req), err)) != PH_OK)
			return rc;
	}
	return ph_req_header(req, err, "X-PH-Auth: %s %s %s", who.user, who.token_id, who.scopes);
}

static const struct ph_route route = {
	.name = "auth-check", .access = PH_ACCESS_INTERNAL, .needs = PH_NEED_DB_READ,
	.ops[PH_GET] = { .summary = "Who is asking, and may they?", .handle = check_get },
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
