/*
 * endpoint.h -- what an endpoint program is: a route, declared, with a handler per method.
 *
 *	int main(int argc, char **argv) { return ph_endpoint_main(&route, argc, argv); }
 *
 * ph_endpoint_main() owns what all routes share.  As FastCGI (descriptor 0 is a
 * listening socket), as CGI (GATEWAY_INTERFACE is set) or by hand (neither) it reads the
 * request, answers OPTIONS and unknown methods, checks identity and scope, parameters
 * and database, runs the handler inside one transaction, and writes the answer, its
 * ETag or 304, problem+json on failure, and one JSON line on stderr.  With --describe it prints the
 * route as JSON instead: an OpenAPI 3.1 operation plus scope, needs and cache.
 *
 * Who is asking.  Behind nginx the parameter PH_AUTH carries what auth-check found: user, token
 * id and scopes (a client cannot send it: client headers arrive as HTTP_*).  Without it the program
 * verifies the token itself.  By hand there is no server at all: whoever can run the
 * program can read the file, and is "local" with every scope.
 *
 * Writing.  An operation with an .action gets a writing transaction (BEGIN IMMEDIATE, durable at
 * commit).  In the same transaction go its row in the audit log, and, if the client sent an
 * Idempotency-Key, the answer for whoever sends the same request again.
 */
#ifndef PH_ENDPOINT_H
#define PH_ENDPOINT_H

#include <stdint.h>

#include "core/auth.h"
#include "core/db.h"
#include "core/error.h"
#include "core/json.h"
#include "core/program.h"
#include "core/request.h"

struct cJSON;
struct ph_state;
struct ph_req;			/* opaque to handlers */

/* Fill the open root object of the answer.  Valid input only; never prints. */
typedef enum ph_rc ph_handler(struct ph_req *, struct ph_json *out, struct ph_err *);

enum ph_access {
	PH_ACCESS_SCOPE,	/* a token with the operation's .scope */
	PH_ACCESS_PUBLIC,	/* anybody */
	PH_ACCESS_INTERNAL	/* nginx only, not routed; decides by itself */
};

enum ph_method { PH_GET, PH_POST, PH_PUT, PH_DELETE, PH_METHOD__MAX };

/* What one method of a path does. */
struct ph_op {
	const char		*scope;		/* with PH_ACCESS_SCOPE */
	const char		*summary;	/* one line */
	const char		*description;	/* a paragraph; NULL: none */
	const struct ph_param	*params;	/* of path, query and body */
	size_t			 nparams;
	const struct ph_field	*fields;	/* of the answer's object */
	size_t			 nfields;
	unsigned		 is_list : 1;	/* the answer is an array of such objects */
	unsigned		 is_free : 1;	/* the answer has more members than .fields names */
	unsigned		 is_text : 1;	/* it is a stream of text, not JSON */
	unsigned		 is_strict : 1;	/* a body member that is not in .params is refused */
	unsigned		 is_raw : 1;	/* the handler reads the body by itself */
	unsigned		 is_secret : 1;	/* the answer holds a secret: it is not kept for an
						 * Idempotency-Key, which is refused */
	unsigned		 is_own_tx : 1;	/* the handler begins its transactions by itself, e.g. around
						 * calls to other machines; not with an .action */
	unsigned		 is_unstored : 1;	/* the answer may be kept nowhere: no-store */
	const char		*action;	/* it writes: name in the audit log, e.g. campaign.create */
	int			 status;	/* of success; 0: 200 */
	int			 deadline_ms;	/* of its statements; 0: PH_DEADLINE_MS */
	unsigned		 is_free_check : 1;	/* .check begins no transaction: it calls other machines */
	ph_handler		*check;		/* of a writing one, NULL: none; runs ahead in a reading
						 * transaction, so that what is slow holds no write lock */
	ph_handler		*handle;	/* NULL: the method is not allowed */
};

/* Besides the limits that every route has. */
enum ph_rate { PH_RATE_NONE, PH_RATE_ACTION, PH_RATE_EXPORT };

struct ph_route {
	const char		*name;		/* of the binary and its socket: AREA-NAME */
	const char		*path;		/* URL path, may hold {name} segments; NULL: internal */
	enum ph_access		 access;
	unsigned		 needs;		/* enum ph_need, or-ed */
	int			 cache_s;	/* nginx may keep a 200 to a GET that long; 0: not at all */
	int			 db_cache_kib;	/* of its reader, where an answer needs many pages; 0: the usual */
	size_t			 body_max;	/* bytes of a body; 0: PH_BODY_MAX */
	enum ph_rate		 rate;		/* the further limit on its requests */
	const char		*page;		/* a browser that navigates here without Authorization is sent there
						 * instead; NULL: it is not */
	unsigned		 is_once : 1;	/* nginx never asks twice, and waits for a minute: its GET does something */
	unsigned		 is_stream : 1;	/* nginx passes the answer on as it comes */
	unsigned		 is_live : 1;	/* nginx keeps the client and takes a ticket: domain/live.h */
	struct ph_op		 ops[PH_METHOD__MAX];	/* GET answers HEAD, too */
};

enum { PH_BODY_MAX = 262144 };

int	ph_endpoint_main(const struct ph_route *, int argc, char **argv);

/* -- what a handler asks of its request ------------------------------------------ */

/* Inside a transaction, per .action and .needs: the read model for a program that needs it, else the database. */
struct ph_db	*ph_req_db(struct ph_req *);
int64_t		 ph_req_now_ms(const struct ph_req *);	/* one instant for the whole request */
int64_t		 ph_req_int(const struct ph_req *, size_t param);	/* or the default; choices: index or mask */
double		 ph_req_real(const struct ph_req *, size_t param);
int		 ph_req_has(const struct ph_req *, size_t param);
int		 ph_req_is_null(const struct ph_req *, size_t param);	/* a body said null */
const char	*ph_req_text(const struct ph_req *, size_t param);	/* NULL: absent */
const struct cJSON *ph_req_json(const struct ph_req *, size_t param);	/* of a body; NULL: absent */
const char	*ph_req_env(const struct ph_req *, const char *name);	/* NULL: absent */
const struct ph_args *ph_req_args(const struct ph_req *);
/* state.h; NULL: without, and by hand unless the route needs it, or the net */
struct ph_state	*ph_req_state(struct ph_req *);
const struct ph_identity *ph_req_who(const struct ph_req *);
int		 ph_req_may(const struct ph_req *, const char *scope);	/* beyond the one declared */
/* The body as it came, NUL-terminated; "" when there is none. */
const char	*ph_req_body(const struct ph_req *, size_t *len);

/* ph_credential() of this request. */
enum ph_rc	 ph_req_credential(struct ph_req *, char out[PH_TOKEN_MAX + 1], int *from_cookie,
		    struct ph_err *);

/* -- what a handler says besides its object -------------------------------------------- */

/* A further header of the answer ("Name: value"), copied; PH_EINTERNAL when full. */
enum ph_rc	 ph_req_header(struct ph_req *, struct ph_err *, const char *fmt, ...)
		    __attribute__((format(printf, 3, 4)));
void		 ph_req_status(struct ph_req *, int status);	/* another success than the op's */
/*
 * The answer shows something that counts its changes: its ETag is "version" instead of a hash, so that a
 * client can send it back with If-Match.
 */
void		 ph_req_version(struct ph_req *, int64_t version);
/* PH_EPRECONDITION if an If-Match header does not name that version; without the header PH_OK. */
enum ph_rc	 ph_req_if_match(const struct ph_req *, int64_t version, struct ph_err *);
/* What the audit row says; both copied, detail may be NULL, else JSON text. */
void		 ph_req_audit(struct ph_req *, const char *target, const char *detail);

/* Who did it, for log and audit row, where the operation itself finds that out. */
void		 ph_req_act_as(struct ph_req *, const char *user, const char *token_id);

/*
 * An audit row for a reading request that must leave a trace, in a durable transaction of its
 * own; to be called before the answer begins.  Waits for the write lock as long as any writer.
 */
enum ph_rc	 ph_req_audit_now(struct ph_req *, const char *action, const char *target, struct ph_err *);

/*
 * Let another program of ours answer this request, as the one for that path with the same query.  Behind
 * our nginx it is told to ask there, and checks the scope of that path; plain CGI and by
 * hand the program takes our place, and this returns only on failure.  PH_EPARAM names param when neither
 * is possible: then the client has to ask there itself.
 */
enum ph_rc	 ph_req_pass_on(struct ph_req *, const char *program, const char *path, const char *param,
		    struct ph_err *);

/*
 * Answer with a stream of that type instead of the object; filename: offered for saving, NULL: shown.
 * The head goes out with the first bytes.  A failure after that cannot be told any more: the connection is
 * cut, so that the client sees it is not whole.
 */
enum ph_rc	 ph_req_stream(struct ph_req *, const char *type, const char *filename, struct ph_err *);
/* PH_EBADREQUEST when the client has gone. */
enum ph_rc	 ph_req_write(struct ph_req *, const void *, size_t len, struct ph_err *);

/* The route as JSON, for --describe.  Caller frees with free(); NULL: no memory. */
char		*ph_describe(const struct ph_route *);

/* The problem+json of a failure.  Caller frees with free(); NULL: no memory. */
char		*ph_problem_json(const struct ph_err *, const char *request_id);

#endif
