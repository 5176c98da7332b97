/*
 * endpoint.c -- one request from its environment to its answer.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/endpoint.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/response.h"
#include "core/serve.h"

extern char **environ;

enum mode { BY_HAND, CGI, FASTCGI };

struct ph_req {
	const struct ph_route	*route;
	enum mode		 mode;
	char *const		*envp;
	struct ph_db		*db;		/* NULL: the route needs none */
	struct ph_args		 args;
	struct ph_identity	 who;
	int64_t			 now_ms;
	int64_t			 started_us;
	int64_t			 db_us;		/* inside the transaction */
	const char		*method;
	char			 request_id[PH_REQUEST_ID_MAX + 1];
	char			 headers[PH_HEAD_SIZE];	/* of an internal program, CRLF-ended lines */
	size_t			 headers_len;
};

/* -- for handlers ----------------------------------------------------------------- */

struct ph_db *
ph_req_db(struct ph_req *req)
{
	return req->db;
}

int64_t
ph_req_now_ms(const struct ph_req *req)
{
	return req->now_ms;
}

int64_t
ph_req_int(const struct ph_req *req, size_t param)
{
	return req->args.values[param].num;
}

int
ph_req_has(const struct ph_req *req, size_t param)
{
	return req->args.values[param].is_set;
}

const char *
ph_req_text(const struct ph_req *req, size_t param)
{
	return req->args.values[param].text;
}

const char *
ph_req_env(const struct ph_req *req, const char *name)
{
	return ph_env(req->envp, name);
}

enum ph_rc
ph_req_credential(struct ph_req *req, char out[PH_TOKEN_MAX + 1], int *from_cookie,
    struct ph_err *err)
{
	return ph_credential(req->envp, out, from_cookie, err);
}

enum ph_rc
ph_req_header(struct ph_req *req, struct ph_err *err, const char *fmt, ...)
{
	const size_t	room = sizeof(req->headers) - req->headers_len;
	va_list		ap;
	int		n;

	va_start(ap, fmt);
	n = vsnprintf(req->headers + req->headers_len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + 3 > room)
		return ph_fail(err, PH_EINTERNAL, "a header is too long");
	memcpy(req->headers + req->headers_len + n, "\r\n", 3);
	req->headers_len += (size_t)n + 2;
	return PH_OK;
}

/* -- steps of an answer --------------------------------------------------------------- */

/* Split what auth-check found: USER TOKEN SCOPE ... */
static void
take_identity(struct ph_identity *who, const char *found)
{
	size_t n = strcspn(found, " ");

	snprintf(who->user, sizeof(who->user), "%.*s", (int)n, found);
	found += n + strspn(found + n, " ");
	n = strcspn(found, " ");
	snprintf(who->token_id, sizeof(who->token_id), "%.*s", (int)n, found);
	snprintf(who->scopes, sizeof(who->scopes), "%s", found + n);
}

/* Who is asking, per endpoint.h. */
static enum ph_rc
identify(struct ph_req *req, struct ph_err *err)
{
	const char	*found = ph_env(req->envp, "PH_AUTH");
	const char	*address = ph_env(req->envp, "REMOTE_ADDR");
	char		 token[PH_TOKEN_MAX + 1];
	int		 from_cookie;
	enum ph_rc	 rc;

	if (req->mode == BY_HAND) {
		take_identity(&req->who, "local - admin");
		return PH_OK;
	}
	if (found != NULL) {
		take_identity(&req->who, found);
		return PH_OK;
	}
	if ((rc = ph_credential(req->envp, token, &from_cookie, err)) == PH_OK &&
	    (rc = ph_db_begin(req->db, err)) == PH_OK) {
		rc = ph_auth_token(req->db, token, address != NULL ? address : "", req->now_ms,
		    &req->who, err);
		ph_db_end(req->db);
	}
	explicit_bzero(token, sizeof(token));
	return rc;
}

/* Parameters that the core understands steer how the answer is written. */
static void
apply_core_params(const struct ph_req *req, struct ph_json *out)
{
	const struct ph_route	*r = req->route;
	size_t			 i;

	for (i = 0; i < r->nparams; i++)
		if (r->params[i].type == PH_P_EXTENDED)
			ph_json_set_extended(out, req->args.values[i].is_set);
		else if (r->params[i].type == PH_P_TIME_STYLE)
			ph_json_set_time_style(out, (enum ph_time_style)req->args.values[i].num);
}

/* The handler inside one transaction; its body to *text. */
static enum ph_rc
run_handler(struct ph_req *req, char **text, struct ph_err *err)
{
	struct ph_json	*out = ph_json_new();
	const int64_t	 begin_us = ph_clock_mono_us();
	const int	 is_tx = (req->route->needs & (PH_NEED_DB_READ | PH_NEED_DB_WRITE)) != 0;
	enum ph_rc	 rc = PH_OK;

	if (out == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the answer");
	apply_core_params(req, out);
	if (is_tx)
		rc = ph_db_begin(req->db, err);
	if (rc == PH_OK)
		rc = req->route->get(req, out, err);
	if (rc == PH_OK && is_tx)
		rc = ph_db_commit(req->db, err);
	if (is_tx)
		ph_db_end(req->db);
	req->db_us = ph_clock_mono_us() - begin_us;
	if (rc == PH_OK)
		rc = ph_json_finish(out, text, err);
	ph_json_free(out);
	return rc;
}

/* Everything that can refuse a request, in the order of the specification. */
static enum ph_rc
respond(struct ph_req *req, char **text, struct ph_err *err)
{
	const char	*query = ph_env(req->envp, "QUERY_STRING");
	enum ph_rc	 rc;

	if (strcmp(req->method, "GET") != 0 && strcmp(req->method, "HEAD") != 0)
		return ph_fail(err, PH_EMETHOD, "only GET, HEAD and OPTIONS are allowed here");
	if (req->route->access == PH_ACCESS_SCOPE &&
	    ((rc = identify(req, err)) != PH_OK ||
	    (rc = ph_auth_scope(&req->who, req->route->scope, err)) != PH_OK))
		return rc;
	if (query == NULL)
		query = "";
	if ((rc = ph_args_parse(&req->args, query, strlen(query), req->route->params,
	    req->route->nparams, err)) != PH_OK)
		return rc;
	return run_handler(req, text, err);
}

char *
ph_problem_json(const struct ph_err *err, const char *request_id)
{
	const struct ph_problem	*p = ph_problem(err->rc);
	cJSON			*o = cJSON_CreateObject(), *list, *item;
	char			 type[96], *text;
	size_t			 i;

	snprintf(type, sizeof(type), "/docs#%s", p->code);
	cJSON_AddStringToObject(o, "type", type);
	cJSON_AddStringToObject(o, "title", p->title);
	cJSON_AddNumberToObject(o, "status", p->status);
	cJSON_AddStringToObject(o, "detail", err->detail[0] != '\0' ? err->detail : p->title);
	cJSON_AddStringToObject(o, "code", p->code);
	cJSON_AddBoolToObject(o, "retryable", p->is_retryable);
	cJSON_AddStringToObject(o, "request_id", request_id);
	if (err->nparams > 0) {
		list = cJSON_AddArrayToObject(o, "errors");
		for (i = 0; i < err->nparams; i++) {
			item = cJSON_CreateObject();
			cJSON_AddStringToObject(item, "param", err->params[i].param);
			cJSON_AddStringToObject(item, "detail", err->params[i].detail);
			cJSON_AddItemToArray(list, item);
		}
	}
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	return text;
}

static void
write_problem(const struct ph_req *req, const struct ph_err *err, struct ph_response *res)
{
	const struct ph_problem *p = ph_problem(err->rc);

	ph_response_init(res, p->status);
	ph_response_header(res, "Content-Type: application/problem+json");
	ph_response_header(res, "Cache-Control: no-store");
	if (p->status == 401)
		ph_response_header(res, "WWW-Authenticate: Bearer realm=\"pilothouse\"%s",
		    err->rc == PH_ENOCREDENTIALS ? "" : ", error=\"invalid_token\"");
	if (p->status == 405)
		ph_response_header(res, "Allow: GET, HEAD, OPTIONS");
	if (p->retry_after_s > 0)
		ph_response_header(res, "Retry-After: %d", p->retry_after_s);
	res->body = ph_problem_json(err, req->request_id);
	/* auth_request passes headers on, not bodies. */
	if (req->route->access == PH_ACCESS_INTERNAL && res->body != NULL) {
		ph_response_header(res, "X-PH-Status: %d", p->status);
		ph_response_header(res, "X-PH-Problem: %s", res->body);
	}
}

static void
write_success(struct ph_req *req, char *text, struct ph_response *res)
{
	const char	*if_none_match = ph_env(req->envp, "HTTP_IF_NONE_MATCH");
	char		 etag[PH_ETAG_SIZE];

	ph_etag(etag, text, strlen(text));
	if (if_none_match != NULL && ph_etag_matches(if_none_match, etag)) {
		ph_response_init(res, 304);
		free(text);
	} else {
		ph_response_init(res, 200);
		res->body = text;
	}
	if (req->route->cache_s > 0) {
		/* Ahead of Cache-Control: nginx then takes only stale-while-revalidate from
		 * that, and may keep what is private for everybody else. */
		if (req->mode == FASTCGI)
			ph_response_header(res, "X-Accel-Expires: %d", req->route->cache_s);
		ph_response_header(res, "Cache-Control: private, max-age=%d, stale-while-revalidate=1",
		    req->route->cache_s);
	} else
		ph_response_header(res, "Cache-Control: private, no-cache");
	ph_response_header(res, "ETag: %s", etag);
	if (res->status == 200)
		ph_response_header(res, "Content-Type: application/json; charset=utf-8");
}

/* From environment to a complete answer, and its line in the log. */
static void
answer(struct ph_req *req, struct ph_response *res)
{
	struct ph_err		 err = { .rc = PH_OK };
	struct ph_log_request	 line;
	const char		*s;
	char			*text = NULL;
	enum ph_rc		 rc;
	int			 is_id_given;

	req->started_us = ph_clock_mono_us();
	req->now_ms = ph_clock_now_ms(ph_env(req->envp, "PH_NOW_MS"));
	if ((req->method = ph_env(req->envp, "REQUEST_METHOD")) == NULL)
		req->method = "GET";
	s = ph_env(req->envp, "PH_REQUEST_ID");
	is_id_given = s != NULL && ph_request_id_is_valid(s);
	if (!is_id_given)
		s = ph_env(req->envp, "HTTP_X_REQUEST_ID");
	if (s != NULL && ph_request_id_is_valid(s))
		snprintf(req->request_id, sizeof(req->request_id), "%s", s);
	else
		ph_uuid(req->request_id);

	if (strcmp(req->method, "OPTIONS") == 0) {
		rc = PH_OK;
		ph_response_init(res, 204);
		ph_response_header(res, "Allow: GET, HEAD, OPTIONS");
	} else if ((rc = respond(req, &text, &err)) == PH_OK)
		write_success(req, text, res);
	else
		write_problem(req, &err, res);
	res->is_head = strcmp(req->method, "HEAD") == 0;
	res->body_len = res->body != NULL ? strlen(res->body) : 0;
	if (res->status != 304 && res->status != 204)
		ph_response_header(res, "Content-Length: %zu", res->body_len);
	/* nginx, which gave the id, shows it itself. */
	if (!is_id_given)
		ph_response_header(res, "X-Request-ID: %s", req->request_id);
	line.us = ph_clock_mono_us() - req->started_us;
	if (req->route->access != PH_ACCESS_INTERNAL)
		ph_response_header(res, "Server-Timing: handler;dur=%" PRId64 ".%03d, total;dur=%" PRId64 ".%03d",
		    req->db_us / 1000, (int)(req->db_us % 1000), line.us / 1000, (int)(line.us % 1000));
	if (rc == PH_OK && ph_config_int(PH_CFG_REQUEST_LOG) == 0)
		return;
	line.at_ms = req->now_ms;
	line.route = req->route->name;
	line.method = ph_method_name(req->method);
	line.request_id = req->request_id;
	line.user = req->who.user;
	line.token_id = req->who.token_id;
	line.status = res->status;
	line.bytes = res->is_head ? 0 : res->body_len;
	line.err = rc == PH_OK ? NULL : &err;
	ph_log_request(&line);
}

/* -- the three ways to run ---------------------------------------------------------- */

static void
serve_fastcgi(FCGX_Request *conn, void *arg)
{
	struct ph_req		*base = arg;
	static struct ph_req	 req;		/* too large for the stack; cleared each time */
	struct ph_response	 res;

	memset(&req.who, 0, sizeof(req.who));
	req.route = base->route;
	req.mode = FASTCGI;
	req.db = base->db;
	req.envp = conn->envp;
	req.headers_len = 0;
	req.db_us = 0;
	answer(&req, &res);
	FCGX_PutStr(res.head, (int)res.head_len, conn->out);
	if (req.headers_len > 0)
		FCGX_PutStr(req.headers, (int)req.headers_len, conn->out);
	FCGX_PutStr("\r\n", 2, conn->out);
	if (!res.is_head && res.body_len > 0)
		FCGX_PutStr(res.body, (int)res.body_len, conn->out);
	ph_response_free(&res);
}

static int
serve_once(struct ph_req *req)
{
	struct ph_response res;

	req->mode = getenv("GATEWAY_INTERFACE") != NULL || getenv("SERVER_SOFTWARE") != NULL ||
	    getenv("REMOTE_ADDR") != NULL || getenv("SERVER_PROTOCOL") != NULL ? CGI : BY_HAND;
	req->envp = environ;
	answer(req, &res);
	fwrite(res.head, 1, res.head_len, stdout);
	fwrite(req->headers, 1, req->headers_len, stdout);
	fputs("\r\n", stdout);
	if (!res.is_head)
		fwrite(res.body != NULL ? res.body : "", 1, res.body_len, stdout);
	ph_response_free(&res);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

int
ph_endpoint_main(const struct ph_route *route, int argc, char **argv)
{
	struct ph_req		*req;
	struct ph_err		 err = { .rc = PH_OK };
	struct ph_db_limits	 limits;
	char			 path[512], *text;
	int			 status;

	if (argc == 2 && strcmp(argv[1], "--describe") == 0) {
		if ((text = ph_describe(route)) == NULL || puts(text) == EOF)
			return 1;
		free(text);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	if (argc != 1) {
		fprintf(stderr, "usage: %s [--describe]\n", route->name);
		return 2;
	}
	if (ph_config_load(NULL, &err) != PH_OK) {
		ph_log("error", route->name, "%s", err.detail);
		return 1;
	}
	limits.busy_timeout_ms = (int)ph_config_int(PH_CFG_BUSY_TIMEOUT_MS);
	limits.deadline_ms = (int)ph_config_int(PH_CFG_DEADLINE_MS);
	if ((req = calloc(1, sizeof(*req))) == NULL ||
	    (req->db = ph_db_new(ph_config_path(path, sizeof(path), "pilothouse.db"),
	    route->needs & PH_NEED_DB_WRITE ? PH_DB_WRITER : PH_DB_READER, limits)) == NULL) {
		ph_log("error", route->name, "not enough memory to start");
		free(req);
		return 1;
	}
	req->route = route;
	status = ph_serve_is_fastcgi() ?
	    ph_serve(route->name, ph_config_int(PH_CFG_MAX_REQUESTS), serve_fastcgi, req) :
	    serve_once(req);
	ph_db_close(req->db);
	free(req);
	return status;
}
