/*
 * endpoint.h -- what an endpoint program is: a route, declared, and a handler.
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
 */
#ifndef PH_ENDPOINT_H
#define PH_ENDPOINT_H

#include <stdint.h>

#include "core/auth.h"
#include "core/db.h"
#include "core/error.h"
#include "core/json.h"
#include "core/request.h"

struct ph_req;			/* opaque to handlers */

/* Fill the open root object of the answer.  Valid input only; never prints. */
typedef enum ph_rc ph_handler(struct ph_req *, struct ph_json *out, struct ph_err *);

enum ph_need { PH_NEED_DB_READ = 1, PH_NEED_DB_WRITE = 2 };

enum ph_access {
	PH_ACCESS_SCOPE,	/* a token with .scope */
	PH_ACCESS_PUBLIC,	/* anybody */
	PH_ACCESS_INTERNAL	/* nginx only, not routed; decides by itself */
};

struct ph_route {
	const char		*name;		/* of the binary and its socket: AREA-NAME */
	const char		*path;		/* exact URL path; NULL for internal programs */
	enum ph_access		 access;
	const char		*scope;		/* PH_ACCESS_SCOPE */
	unsigned		 needs;		/* enum ph_need, or-ed */
	int			 cache_s;	/* nginx may keep a 200 that long; 0: not at all */
	const char		*summary;	/* one line */
	const char		*description;	/* a paragraph; NULL: none */
	const struct ph_param	*params;
	size_t			 nparams;
	const struct ph_field	*fields;	/* of the answer */
	size_t			 nfields;
	ph_handler		*get;		/* GET and HEAD */
};

int	ph_endpoint_main(const struct ph_route *, int argc, char **argv);

/* -- what a handler asks of its request ------------------------------------------ */

struct ph_db	*ph_req_db(struct ph_req *);	/* inside a transaction, per .needs */
int64_t		 ph_req_now_ms(const struct ph_req *);	/* one instant for the whole request */
int64_t		 ph_req_int(const struct ph_req *, size_t param);	/* or the default; choices: index */
int		 ph_req_has(const struct ph_req *, size_t param);
const char	*ph_req_text(const struct ph_req *, size_t param);	/* NULL: absent */
const char	*ph_req_env(const struct ph_req *, const char *name);	/* NULL: absent */

/* ph_credential() of this request. */
enum ph_rc	 ph_req_credential(struct ph_req *, char out[PH_TOKEN_MAX + 1], int *from_cookie,
		    struct ph_err *);

/* For internal programs: a header of the answer ("Name: value"), copied; PH_EINTERNAL when full. */
enum ph_rc	 ph_req_header(struct ph_req *, struct ph_err *, const char *fmt, ...)
		    __attribute__((format(printf, 3, 4)));

/* The route as JSON, for --describe.  Caller frees with free(); NULL: no memory. */
char		*ph_describe(const struct ph_route *);

/* The problem+json of a failure.  Caller frees with free(); NULL: no memory. */
char		*ph_problem_json(const struct ph_err *, const char *request_id);

#endif
