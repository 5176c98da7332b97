/*
 * endpoint.c -- one request from its environment to its answer.
 */
#include "autoconf.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "core/audit.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/endpoint.h"
#include "core/hash.h"
#include "core/idempotency.h"
#include "core/log.h"
#include "core/number.h"
#include "core/response.h"
#include "core/serve.h"
#include "core/state.h"

extern char **environ;

enum mode { BY_HAND, CGI, FASTCGI };

enum {
	TARGET_SIZE = 128, DETAIL_SIZE = 1024, LARGE_BODY = 16384, LONG_US = 10000,
	PASSED_SIZE = 3072	/* of a path and query that fit into nginx's buffer for a head */
};

static const char *program_path;	/* of ourselves, as we were started */

struct ph_req {
	const struct ph_route	*route;
	const struct ph_op	*op;		/* NULL: the method is not allowed */
	enum mode		 mode;
	char *const		*envp;
	FCGX_Request		*conn;		/* FASTCGI */
	struct ph_state		*state;		/* NULL: by hand, or without */
	struct ph_db		*reader;
	struct ph_db		*model;		/* with PH_NEED_MODEL */
	struct ph_db		*writer;	/* opened by the first request that writes */
	struct ph_args		 args;
	struct ph_identity	 who;
	int64_t			 now_ms;
	int64_t			 started_us;
	int64_t			 db_us;		/* inside the transaction */
	const char		*method;
	const char		*path;		/* of the request */
	char			 uri[PH_QUERY_MAX + 1];	/* holds it in plain CGI */
	char			 request_id[PH_REQUEST_ID_MAX + 1];
	int			 is_id_given;	/* by nginx, which shows it itself */
	char			 headers[PH_HEAD_SIZE];	/* of the handler, CRLF-ended lines */
	size_t			 headers_len;
	int			 status;	/* of success */
	char			 etag[PH_ETAG_SIZE];	/* of the version; "": a hash of the answer */
	int			 is_checking;	/* the operation's .check runs */
	char			*body;		/* malloc'ed, NUL-terminated; NULL: none */
	size_t			 body_len;
	cJSON			*json;		/* the body, parsed */
	char			 target[TARGET_SIZE];	/* for the audit row */
	char			 detail[DETAIL_SIZE];
	struct ph_response	*res;
	char			 passed_on[PASSED_SIZE];	/* path and query; "" = not passed on */
	int			 is_stream;	/* ph_req_stream() was called */
	int			 is_head_sent;
	size_t			 sent;		/* bytes of a stream */
};

/* -- for handlers ----------------------------------------------------------------- */

static int
is_writing(const struct ph_req *req)
{
	return req->op != NULL && req->op->action != NULL;
}

struct ph_db *
ph_req_db(struct ph_req *req)
{
	return is_writing(req) && !req->is_checking ? req->writer : req->model != NULL ? req->model : req->reader;
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

double
ph_req_real(const struct ph_req *req, size_t param)
{
	return req->args.values[param].real;
}

int
ph_req_has(const struct ph_req *req, size_t param)
{
	return req->args.values[param].is_set;
}

int
ph_req_is_null(const struct ph_req *req, size_t param)
{
	return req->args.values[param].is_null;
}

const char *
ph_req_text(const struct ph_req *req, size_t param)
{
	return req->args.values[param].text;
}

const cJSON *
ph_req_json(const struct ph_req *req, size_t param)
{
	return req->args.values[param].json;
}

const char *
ph_req_env(const struct ph_req *req, const char *name)
{
	return ph_env(req->envp, name);
}

struct ph_state *
ph_req_state(struct ph_req *req)
{
	return req->state;
}

const struct ph_args *
ph_req_args(const struct ph_req *req)
{
	return &req->args;
}

const struct ph_identity *
ph_req_who(const struct ph_req *req)
{
	return &req->who;
}

int
ph_req_may(const struct ph_req *req, const char *scope)
{
	return ph_scopes_allow(req->who.scopes, scope);
}

const char *
ph_req_body(const struct ph_req *req, size_t *len)
{
	*len = req->body_len;
	return req->body != NULL ? req->body : "";
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

void
ph_req_status(struct ph_req *req, int status)
{
	req->status = status;
}

void
ph_req_version(struct ph_req *req, int64_t version)
{
	snprintf(req->etag, sizeof(req->etag), "\"%" PRId64 "\"", version);
}

enum ph_rc
ph_req_if_match(const struct ph_req *req, int64_t version, struct ph_err *err)
{
	const char	*if_match = ph_req_env(req, "HTTP_IF_MATCH");
	char		 etag[PH_ETAG_SIZE];

	snprintf(etag, sizeof(etag), "\"%" PRId64 "\"", version);
	if (if_match == NULL || ph_etag_matches(if_match, etag))
		return PH_OK;
	return ph_fail(err, PH_EPRECONDITION, "its version is %s by now, and If-Match does not name that", etag);
}

void
ph_req_audit(struct ph_req *req, const char *target, const char *detail)
{
	snprintf(req->target, sizeof(req->target), "%s", target != NULL ? target : "");
	/* Cut JSON would be no JSON. */
	if (detail != NULL && strlen(detail) < sizeof(req->detail))
		memcpy(req->detail, detail, strlen(detail) + 1);
}

void
ph_req_act_as(struct ph_req *req, const char *user, const char *token_id)
{
	snprintf(req->who.user, sizeof(req->who.user), "%s", user);
	snprintf(req->who.token_id, sizeof(req->who.token_id), "%s", token_id);
}

/* The headers that every answer of the program has, and the end of the head. */
static void
finish_head(struct ph_req *req, struct ph_response *res)
{
	const int64_t us = ph_clock_mono_us() - req->started_us;

	if (!req->is_id_given)
		ph_response_header(res, "X-Request-ID: %s", req->request_id);
	if (req->route->access != PH_ACCESS_INTERNAL)
		ph_response_header(res, "Server-Timing: handler;dur=%" PRId64 ".%03d, total;dur=%" PRId64 ".%03d",
		    req->db_us / 1000, (int)(req->db_us % 1000), us / 1000, (int)(us % 1000));
}

/* Bytes to whoever carries the answer.  0, or -1 when the client has gone. */
static int
put(struct ph_req *req, const void *data, size_t len)
{
	if (req->mode == FASTCGI)
		return FCGX_PutStr(data, (int)len, req->conn->out) == (int)len ? 0 : -1;
	return fwrite(data, 1, len, stdout) == len ? 0 : -1;
}

static int
put_head(struct ph_req *req, const struct ph_response *res)
{
	return put(req, res->head, res->head_len) == 0 && put(req, req->headers, req->headers_len) == 0 &&
	    put(req, "\r\n", 2) == 0 ? 0 : -1;
}

enum ph_rc
ph_req_stream(struct ph_req *req, const char *type, const char *filename, struct ph_err *err)
{
	ph_response_init(req->res, req->status);
	ph_response_header(req->res, "Content-Type: %s", type);
	ph_response_header(req->res, "Cache-Control: private, no-store");
	if (filename != NULL)
		ph_response_header(req->res, "Content-Disposition: attachment; filename=\"%s\"", filename);
	req->is_stream = 1;
	return req->res->is_overfull ? ph_fail(err, PH_EINTERNAL, "a header is too long") : PH_OK;
}

enum ph_rc
ph_req_write(struct ph_req *req, const void *data, size_t len, struct ph_err *err)
{
	if (!req->is_head_sent) {
		finish_head(req, req->res);
		req->is_head_sent = 1;
		if (put_head(req, req->res) != 0)
			return ph_fail(err, PH_EBADREQUEST, "the client has gone");
	}
	if (strcmp(req->method, "HEAD") == 0)
		return PH_OK;
	req->sent += len;
	if (put(req, data, len) != 0)
		return ph_fail(err, PH_EBADREQUEST, "the client has gone");
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
	    (rc = ph_db_begin(req->reader, err)) == PH_OK) {
		rc = ph_auth_token(req->reader, token, address != NULL ? address : "", req->now_ms,
		    &req->who, err);
		ph_db_end(req->reader);
	}
	explicit_bzero(token, sizeof(token));
	return rc;
}

/* Parameters that the core understands steer how the answer is written. */
static void
apply_core_params(const struct ph_req *req, struct ph_json *out)
{
	const struct ph_op	*op = req->op;
	size_t			 i;

	for (i = 0; i < op->nparams; i++)
		if (op->params[i].type == PH_P_EXTENDED)
			ph_json_set_extended(out, req->args.values[i].is_set);
		else if (op->params[i].type == PH_P_TIME_STYLE)
			ph_json_set_time_style(out, (enum ph_time_style)req->args.values[i].num);
}

static enum ph_rc
audit_request(struct ph_req *req, const char *action, struct ph_err *err)
{
	const struct ph_audit entry = {
		.at_ms = req->now_ms, .actor = req->who.user, .token_id = req->who.token_id[0] != '\0' ? req->who.token_id : NULL,
		.address = ph_env(req->envp, "REMOTE_ADDR"), .method = req->method, .path = req->path,
		.query = ph_env(req->envp, "QUERY_STRING"), .status = req->status,
		.duration_ms = (ph_clock_mono_us() - req->started_us) / 1000,
		.request_id = req->request_id, .action = action,
		.target = req->target[0] != '\0' ? req->target : NULL,
		.detail = req->detail[0] != '\0' ? req->detail : NULL,
	};

	return ph_audit(req->writer, &entry, err);
}

/* What must be the same for an Idempotency-Key to be used again: query and body.  Caller frees. */
static char *
same_request(const struct ph_req *req, size_t *len)
{
	const char	*query = ph_env(req->envp, "QUERY_STRING");
	const size_t	 query_len = query != NULL ? strlen(query) : 0;
	char		*out = malloc(query_len + 1 + req->body_len + 1);

	if (out == NULL)
		return NULL;
	memcpy(out, query_len > 0 ? query : "", query_len);
	out[query_len] = '\n';
	memcpy(out + query_len + 1, req->body_len > 0 ? req->body : "", req->body_len);
	*len = query_len + 1 + req->body_len;
	return out;
}

/* Handler, audit row and the finished text, inside the transaction that is open. */
static enum ph_rc
handle(struct ph_req *req, struct ph_json *out, char **text, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = req->op->handle(req, out, err)) != PH_OK ||
	    (is_writing(req) && (rc = audit_request(req, req->op->action, err)) != PH_OK))
		return rc;
	return req->is_stream || req->passed_on[0] != '\0' ? PH_OK : ph_json_finish(out, text, err);
}

/* The same for a request with an Idempotency-Key: from what was kept, or kept. */
static enum ph_rc
handle_once(struct ph_req *req, const char *key, struct ph_json *out, char **text, struct ph_err *err)
{
	char			 route[PH_QUERY_MAX + 16];
	struct ph_idempotency	 i = { .key = key, .actor = req->who.user, .route = route, .now_ms = req->now_ms };
	char			*request = same_request(req, &i.request_len);
	enum ph_rc		 rc;

	snprintf(route, sizeof(route), "%s %s", req->method, req->path);
	i.request = request;
	if (request == NULL)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the request");
	else if ((rc = ph_idempotency_find(req->writer, &i, &req->status, text, err)) == PH_ROW)
		rc = ph_req_header(req, err, "Idempotency-Replayed: true");
	else if (rc == PH_DONE && (rc = handle(req, out, text, err)) == PH_OK)
		rc = ph_idempotency_keep(req->writer, &i, req->status, *text, err);
	free(request);
	return rc;
}

/* What the operation looks at before it takes the write lock. */
static enum ph_rc
run_check(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	enum ph_rc rc;

	if (req->op->check == NULL)
		return PH_OK;
	req->is_checking = 1;
	if (req->op->is_free_check || (rc = ph_db_begin(req->reader, err)) == PH_OK)
		rc = req->op->check(req, out, err);
	ph_db_end(req->reader);
	req->is_checking = 0;
	return rc;
}

/* The handler inside one transaction; its body to *text, NULL for a stream. */
static enum ph_rc
run_handler(struct ph_req *req, char **text, struct ph_err *err)
{
	struct ph_json	*out = req->op->is_list ? ph_json_new_list() : ph_json_new();
	struct ph_db	*db = ph_req_db(req);
	const char	*key = is_writing(req) ? ph_env(req->envp, "HTTP_IDEMPOTENCY_KEY") : NULL;
	const int64_t	 begin_us = ph_clock_mono_us();
	const int	 is_tx = (req->route->needs & (PH_NEED_DB_READ | PH_NEED_DB_WRITE | PH_NEED_MODEL)) != 0 && !req->op->is_own_tx;
	enum ph_rc	 rc = PH_OK;

	if (out == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the answer");
	apply_core_params(req, out);
	if (key != NULL && req->op->is_secret)
		rc = ph_fail_param(err, "Idempotency-Key", 15, "is not possible where the answer is a secret");
	else if (key != NULL)
		rc = ph_idempotency_check(key, err);
	if (rc == PH_OK)
		rc = run_check(req, out, err);
	if (rc == PH_OK && is_tx) {
		ph_db_set_deadline(db, req->op->deadline_ms != 0 ? req->op->deadline_ms :
		    (int)ph_config_int(PH_CFG_DEADLINE_MS));
		rc = ph_db_begin(db, err);
	}
	if (rc == PH_OK)
		rc = key != NULL ? handle_once(req, key, out, text, err) : handle(req, out, text, err);
	if (rc == PH_OK && is_tx)
		rc = ph_db_commit(db, err);
	if (is_tx)
		ph_db_end(db);
	req->db_us = ph_clock_mono_us() - begin_us;
	if (rc != PH_OK) {
		free(*text);
		*text = NULL;
	}
	ph_json_free(out);
	return rc;
}

/* -- the request --------------------------------------------------------------------- */

static const char *const method_names[PH_METHOD__MAX] = {
	[PH_GET] = "GET", [PH_POST] = "POST", [PH_PUT] = "PUT", [PH_DELETE] = "DELETE",
};

/* The methods of the route, as Allow wants them. */
static char *
allowed(const struct ph_route *r, char buf[64])
{
	int i, n = 0;

	for (i = 0; i < PH_METHOD__MAX; i++)
		if (r->ops[i].handle != NULL)
			n += snprintf(buf + n, 64 - (size_t)n, "%s, ", i == PH_GET ? "GET, HEAD" : method_names[i]);
	snprintf(buf + n, 64 - (size_t)n, "OPTIONS");
	return buf;
}

static const struct ph_op *
find_op(const struct ph_route *r, const char *method)
{
	int i;

	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (i = 0; i < PH_METHOD__MAX; i++)
		if (strcmp(method_names[i], method) == 0 && r->ops[i].handle != NULL)
			return &r->ops[i];
	return NULL;
}

static size_t
read_some(struct ph_req *req, char *to, size_t len)
{
	if (req->mode == FASTCGI) {
		const int n = FCGX_GetStr(to, (int)len, req->conn->in);

		return n > 0 ? (size_t)n : 0;
	}
	return fread(to, 1, len, stdin);
}

/* The body as announced; by hand, without an announcement, all of standard input. */
static enum ph_rc
read_body(struct ph_req *req, struct ph_err *err)
{
	const size_t	 max = req->route->body_max != 0 ? req->route->body_max : PH_BODY_MAX;
	const char	*announced = ph_env(req->envp, "CONTENT_LENGTH");
	int64_t		 len = 0;

	if (announced != NULL && announced[0] != '\0' &&
	    ph_parse_int(announced, strlen(announced), 0, INT64_MAX, &len) != 0)
		return ph_fail(err, PH_EBADREQUEST, "Content-Length is not a number");
	if (announced == NULL && req->mode == BY_HAND)
		len = (int64_t)max + 1;
	if ((size_t)len > max && announced != NULL)
		return ph_fail(err, PH_EBODYTOOBIG, "a body may have %zu bytes here", max);
	if (len == 0)
		return PH_OK;
	if ((req->body = malloc((size_t)len + 1)) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the body");
	req->body_len = read_some(req, req->body, (size_t)len);
	req->body[req->body_len] = '\0';
	if (req->body_len > max)
		return ph_fail(err, PH_EBODYTOOBIG, "a body may have %zu bytes here", max);
	if (announced != NULL && req->body_len < (size_t)len)
		return ph_fail(err, PH_EBADREQUEST, "the body ends after %zu of %zu bytes", req->body_len,
		    (size_t)len);
	return PH_OK;
}

/* Body members into the table; no body is the same as {}. */
static enum ph_rc
parse_body(struct ph_req *req, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = read_body(req, err)) != PH_OK || req->op->is_raw || req->body_len == 0 ||
	    (rc = ph_body_parse(req->body, req->body_len, &req->json, err)) != PH_OK)
		return rc;
	rc = ph_args_body(&req->args, req->json, "", req->op->is_strict, req->op->params, req->op->nparams,
	    req->now_ms, err);
	return rc == PH_EPARAM ? PH_OK : rc;	/* told by ph_args_finish(), with what is missing */
}

static enum ph_rc
open_writer(struct ph_req *req, struct ph_err *err)
{
	const struct ph_db_limits	 limits = { .busy_timeout_ms = (int)ph_config_int(PH_CFG_BUSY_TIMEOUT_MS) };
	char				 path[512];

	if (req->writer != NULL)
		return PH_OK;
	req->writer = ph_db_new(ph_config_path(path, sizeof(path), "pilothouse.db"), PH_DB_WRITER, limits);
	if (req->writer == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the database");
	ph_db_take_turns(req->writer, req->state);
	return PH_OK;
}

enum ph_rc
ph_req_audit_now(struct ph_req *req, const char *action, const char *target, struct ph_err *err)
{
	enum ph_rc rc;

	ph_req_audit(req, target, NULL);
	if ((rc = open_writer(req, err)) != PH_OK || (rc = ph_db_begin(req->writer, err)) != PH_OK)
		return rc;
	if ((rc = audit_request(req, action, err)) == PH_OK)
		rc = ph_db_commit(req->writer, err);
	ph_db_end(req->writer);
	return rc;
}

/* Become the program beside ours. */
static enum ph_rc
run_instead(const char *program, const char *path, struct ph_err *err)
{
	const char	*slash = strrchr(program_path, '/');
	const int	 dir_len = slash != NULL ? (int)(slash - program_path) : (int)strlen(PH_LIBEXECDIR);
	char		 file[512];

	snprintf(file, sizeof(file), "%.*s/%s", dir_len, slash != NULL ? program_path : PH_LIBEXECDIR, program);
	if (setenv("DOCUMENT_URI", path, 1) == 0)
		execl(file, file, (char *)NULL);
	ph_fail(err, PH_EWORKER, "the program for this could not be started");
	return ph_fail_log(err, "%s: %s", file, strerror(errno));
}

enum ph_rc
ph_req_pass_on(struct ph_req *req, const char *program, const char *path, const char *param,
    struct ph_err *err)
{
	const char	*query = ph_env(req->envp, "QUERY_STRING");
	int		 n;

	if (req->mode != FASTCGI)
		return run_instead(program, path, err);
	n = snprintf(req->passed_on, sizeof(req->passed_on), "%s?%s", path, query != NULL ? query : "");
	if (n > 0 && (size_t)n < sizeof(req->passed_on) && ph_env(req->envp, "PH_AUTH") != NULL)
		return PH_OK;
	req->passed_on[0] = '\0';
	return ph_fail_param(err, param, strlen(param), "ask %s for this", path);
}

/* Everything that can refuse a request, in the order of the specification. */
static enum ph_rc
respond(struct ph_req *req, char **text, struct ph_err *err)
{
	const char	*query = ph_env(req->envp, "QUERY_STRING");
	char		 allow[64];
	enum ph_rc	 rc;

	if ((req->op = find_op(req->route, req->method)) == NULL)
		return ph_fail(err, PH_EMETHOD, "only %s are allowed here", allowed(req->route, allow));
	req->status = req->op->status != 0 ? req->op->status : 200;
	if (req->route->access == PH_ACCESS_SCOPE &&
	    ((rc = identify(req, err)) != PH_OK ||
	    (rc = ph_auth_scope(&req->who, req->op->scope, err)) != PH_OK))
		return rc;
	if (query == NULL)
		query = "";
	ph_args_init(&req->args, req->op->params, req->op->nparams);
	if (req->route->path != NULL && strchr(req->route->path, '{') != NULL &&
	    (rc = ph_args_path(&req->args, req->route->path, req->path, req->op->params,
	    req->op->nparams, err)) != PH_OK)
		return rc;
	rc = ph_args_query(&req->args, query, strlen(query), req->op->params, req->op->nparams,
	    req->now_ms, err);
	if ((rc != PH_OK && rc != PH_EPARAM) ||
	    (req->op != &req->route->ops[PH_GET] && (rc = parse_body(req, err)) != PH_OK) ||
	    (rc = ph_args_finish(&req->args, "", req->op->params, req->op->nparams, err)) != PH_OK ||
	    (is_writing(req) && (rc = open_writer(req, err)) != PH_OK))
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
	const struct ph_problem	*p = ph_problem(err->rc);
	char			 allow[64];

	ph_response_init(res, p->status);
	ph_response_header(res, "Content-Type: application/problem+json");
	ph_response_header(res, "Cache-Control: no-store");
	if (p->status == 401)
		ph_response_header(res, "WWW-Authenticate: Bearer realm=\"pilothouse\"%s",
		    err->rc == PH_ENOCREDENTIALS ? "" : ", error=\"invalid_token\"");
	if (p->status == 405)
		ph_response_header(res, "Allow: %s", allowed(req->route, allow));
	if (err->retry_after_s > 0 || p->retry_after_s > 0)
		ph_response_header(res, "Retry-After: %d", err->retry_after_s > 0 ? err->retry_after_s : p->retry_after_s);
	res->body = ph_problem_json(err, req->request_id);
	/* auth_request passes headers on, not bodies. */
	if (req->route->access == PH_ACCESS_INTERNAL && res->body != NULL) {
		ph_response_header(res, "X-PH-Status: %d", p->status);
		ph_response_header(res, "X-PH-Problem: %s", res->body);
	}
}

/* A change is told once; what was read may be kept. */
static void
write_change(const struct ph_req *req, char *text, struct ph_response *res)
{
	ph_response_init(res, req->status);
	ph_response_header(res, "Content-Type: application/json; charset=utf-8");
	ph_response_header(res, "Cache-Control: no-store");
	if (req->etag[0] != '\0')
		ph_response_header(res, "ETag: %s", req->etag);
	res->body = text;
}

/* nginx asks the other program, whose answer is the whole answer. */
static void
write_passed_on(const struct ph_req *req, struct ph_response *res)
{
	ph_response_init(res, 200);
	ph_response_header(res, "X-Accel-Redirect: %s", req->passed_on);
}

/* nginx takes the client over; a body, or its type, would be in the way. */
static void
write_handed_over(char *text, struct ph_response *res)
{
	free(text);
	ph_response_init(res, 200);
	ph_response_header(res, "Cache-Control: private, no-cache");
}

static void
write_reading(struct ph_req *req, char *text, struct ph_response *res)
{
	const char	*if_none_match = ph_env(req->envp, "HTTP_IF_NONE_MATCH");
	char		 etag[PH_ETAG_SIZE];

	if (req->etag[0] != '\0')
		snprintf(etag, sizeof(etag), "%s", req->etag);
	else
		ph_etag(etag, text, strlen(text));
	if (if_none_match != NULL && ph_etag_matches(if_none_match, etag)) {
		ph_response_init(res, 304);
		free(text);
	} else {
		ph_response_init(res, req->status);
		res->body = text;
	}
	if (req->route->cache_s > 0) {
		/* Ahead of Cache-Control: nginx then takes only stale-while-revalidate from
		 * that, and may keep what is private for everybody else. */
		if (req->mode == FASTCGI)
			ph_response_header(res, "X-Accel-Expires: %d", req->route->cache_s);
		ph_response_header(res, "Cache-Control: %s, max-age=%d, stale-while-revalidate=1",
		    req->route->access == PH_ACCESS_PUBLIC ? "public" : "private", req->route->cache_s);
	} else
		ph_response_header(res, "Cache-Control: private, %s", req->op->is_unstored ? "no-store" : "no-cache");
	ph_response_header(res, "ETag: %s", etag);
	if (res->status != 304)
		ph_response_header(res, "Content-Type: application/json; charset=utf-8");
}

static void
begin_request(struct ph_req *req, struct ph_response *res)
{
	const char	*uri;
	const char	*s;
	size_t		 len;

	req->started_us = ph_clock_mono_us();
	req->now_ms = ph_clock_now_ms(ph_env(req->envp, "PH_NOW_MS"));
	if ((req->method = ph_env(req->envp, "REQUEST_METHOD")) == NULL)
		req->method = "GET";
	if ((req->path = ph_env(req->envp, "DOCUMENT_URI")) == NULL) {
		/* Plain CGI: what was asked for, without the query. */
		uri = ph_env(req->envp, "REQUEST_URI");
		len = uri != NULL ? strcspn(uri, "?") : 0;
		snprintf(req->uri, sizeof(req->uri), "%.*s", (int)len, uri != NULL ? uri : "");
		req->path = len > 0 ? req->uri : req->route->path != NULL ? req->route->path : "";
	}
	s = ph_env(req->envp, "PH_REQUEST_ID");
	req->is_id_given = s != NULL && ph_request_id_is_valid(s);
	if (!req->is_id_given)
		s = ph_env(req->envp, "HTTP_X_REQUEST_ID");
	if (s != NULL && ph_request_id_is_valid(s))
		snprintf(req->request_id, sizeof(req->request_id), "%s", s);
	else
		ph_uuid(req->request_id);
	memset(&req->who, 0, sizeof(req->who));
	req->op = NULL;
	req->res = res;
	req->db_us = 0;
	req->headers_len = 0;
	req->etag[0] = '\0';
	req->target[0] = req->detail[0] = '\0';
	req->passed_on[0] = '\0';
	req->is_stream = req->is_head_sent = 0;
	req->sent = 0;
}

static void
log_answer(const struct ph_req *req, enum ph_rc rc, const struct ph_err *err)
{
	const struct ph_response	*res = req->res;
	struct ph_log_request		 line;

	if (rc == PH_OK && ph_config_int(PH_CFG_REQUEST_LOG) == 0)
		return;
	line.us = ph_clock_mono_us() - req->started_us;
	line.at_ms = req->now_ms;
	line.route = req->route->name;
	line.method = ph_method_name(req->method);
	line.request_id = req->request_id;
	line.user = req->who.user;
	line.token_id = req->who.token_id;
	line.status = res->status;
	line.bytes = req->is_stream ? req->sent : res->is_head ? 0 : res->body_len;
	line.err = rc == PH_OK ? NULL : err;
	ph_log_request(&line);
}

/* From environment to a complete answer, sent, and its line in the log.  0, or -1 when a stream
 * broke off and the connection must be cut. */
static int
answer(struct ph_req *req)
{
	struct ph_err		err = { .rc = PH_OK };
	struct ph_response	res;
	char			*text = NULL, allow[64];
	enum ph_rc		 rc = PH_OK;
	int			 is_cut = 0;

	begin_request(req, &res);
	ph_state_busy(req->state, req->request_id, req->path);
	if (strcmp(req->method, "OPTIONS") == 0) {
		ph_response_init(&res, 204);
		ph_response_header(&res, "Allow: %s", allowed(req->route, allow));
	} else if ((rc = respond(req, &text, &err)) != PH_OK) {
		is_cut = req->is_head_sent;
		if (!is_cut) {
			req->is_stream = 0;
			write_problem(req, &err, &res);
		}
	} else if (req->is_stream)
		rc = ph_req_write(req, "", 0, &err);	/* the head of an empty one */
	else if (req->passed_on[0] != '\0')
		write_passed_on(req, &res);
	else if (is_writing(req))
		write_change(req, text, &res);
	else if (req->route->is_live)
		write_handed_over(text, &res);
	else
		write_reading(req, text, &res);
	if (!req->is_stream) {
		res.is_head = strcmp(req->method, "HEAD") == 0;
		res.body_len = res.body != NULL ? strlen(res.body) : 0;
		if (res.status != 304 && res.status != 204 && req->passed_on[0] == '\0')
			ph_response_header(&res, "Content-Length: %zu", res.body_len);
		finish_head(req, &res);
		put_head(req, &res);
		if (!res.is_head && res.body_len > 0)
			put(req, res.body, res.body_len);
		ph_response_free(&res);
	}
	log_answer(req, rc, &err);
	ph_state_idle(req->state, is_cut ? 500 : res.status, ph_clock_mono_us() - req->started_us);
	cJSON_Delete(req->json);
	free(req->body);
	req->json = NULL;
	req->body = NULL;
	req->body_len = 0;
	/* What a large answer or much work needed goes back to the system, not to the next small one.  A writer
	 * would ask for it again. */
	if (!is_writing(req) && (res.body_len > LARGE_BODY || req->sent > LARGE_BODY ||
	    ph_clock_mono_us() - req->started_us > LONG_US))
		malloc_trim(0);
	return is_cut ? -1 : 0;
}

/* -- the three ways to run ---------------------------------------------------------- */

static void
serve_fastcgi(FCGX_Request *conn, void *arg)
{
	struct ph_req *req = arg;

	req->mode = FASTCGI;
	req->conn = conn;
	req->envp = conn->envp;
	/* Without the end of the request nginx knows that the answer is not whole. */
	if (answer(req) != 0)
		shutdown(conn->ipcFd, SHUT_RDWR);
}

static int
serve_once(struct ph_req *req)
{
	req->mode = getenv("GATEWAY_INTERFACE") != NULL || getenv("SERVER_SOFTWARE") != NULL ||
	    getenv("REMOTE_ADDR") != NULL || getenv("SERVER_PROTOCOL") != NULL ? CGI : BY_HAND;
	req->envp = environ;
	return answer(req) == 0 && fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
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
	limits.cache_kib = route->db_cache_kib;
	if ((req = calloc(1, sizeof(*req))) == NULL ||
	    (req->reader = ph_db_new(ph_config_path(path, sizeof(path), "pilothouse.db"), PH_DB_READER,
	    limits)) == NULL) {
		ph_log("error", route->name, "not enough memory to start");
		free(req);
		return 1;
	}
	if ((route->needs & PH_NEED_MODEL) != 0) {
		if ((req->model = ph_db_new(ph_config_path(path, sizeof(path), "analytics.db"), PH_DB_READER,
		    limits)) == NULL) {
			ph_log("error", route->name, "not enough memory to start");
			return 1;
		}
		ph_db_set_version(req->model, PH_MODEL_VERSION);
	}
	req->route = route;
	program_path = argv[0];
	if (ph_serve_is_fastcgi()) {
		req->state = ph_state_open(route->name, 0);
		ph_state_claim(req->state, route->name);
		status = ph_serve(route->name, ph_config_int(PH_CFG_MAX_REQUESTS), serve_fastcgi, req);
		ph_state_close(req->state);
	} else {
		if ((route->needs & (PH_NEED_NET | PH_NEED_STATE)) != 0)
			req->state = ph_state_open(route->name, 0);
		status = serve_once(req);
		ph_state_close(req->state);
	}
	ph_db_close(req->writer);
	ph_db_close(req->model);
	ph_db_close(req->reader);
	free(req);
	return status;
}
