/*
 * error.h -- one numbering of failures, one table of what they mean.
 *
 * A function returns a kind (enum ph_rc).  PH_OK, PH_ROW and PH_DONE are not
 * failures.  With a failure comes a struct ph_err that is filled once, where the
 * failure is seen: `detail` is a sentence fit for a client, `internal` is for the
 * log only (paths, SQL, errno).  The table in error.c turns the kind into the HTTP
 * status, the stable machine code and the title of an RFC 9457 problem.
 */
#ifndef PH_ERROR_H
#define PH_ERROR_H

#include <stddef.h>

enum ph_rc {
	PH_OK,			/* done */
	PH_ROW,			/* a statement has a row */
	PH_DONE,		/* a statement has no more rows */

	PH_EPARAM,		/* 422 invalid_parameter: see errors[] */
	PH_EBADREQUEST,		/* 400 bad_request */
	PH_EURITOOLONG,		/* 414 uri_too_long */
	PH_EHEADERTOOBIG,	/* 431 header_too_large */
	PH_EBODYTOOBIG,		/* 413 body_too_large */
	PH_ENOCREDENTIALS,	/* 401 credentials_missing */
	PH_EBADCREDENTIALS,	/* 401 credentials_invalid: unknown token */
	PH_EEXPIRED,		/* 401 token_expired */
	PH_EREVOKED,		/* 401 token_revoked, or its user is disabled */
	PH_ESCOPE,		/* 403 scope_missing */
	PH_EADDRESS,		/* 403 address_not_allowed */
	PH_EORIGIN,		/* 403 cross_origin: a cookie with a foreign origin */
	PH_EPLAN,		/* 403 plan_level: the user's tier does not include it */
	PH_ENOTFOUND,		/* 404 not_found */
	PH_EMETHOD,		/* 405 method_not_allowed */
	PH_ENOTACCEPTABLE,	/* 406 not_acceptable: the answer has another type than Accept */
	PH_ECONFLICT,		/* 409 conflict: a rule of the data refuses it */
	PH_ESTATE,		/* 409 invalid_transition: not from the present status */
	PH_ERUNNING,		/* 409 already_running: one at a time */
	PH_ELIMIT,		/* 409 limit_reached: no more of these are allowed */
	PH_EPRECONDITION,	/* 412 precondition_failed: If-Match names an older version */
	PH_EEXPORTTOOBIG,	/* 413 export_too_large: the detail names another format */
	PH_EKEYREUSED,		/* 422 idempotency_key_reused: with another request */
	PH_EUPGRADE,		/* 426 upgrade_required: to a WebSocket */
	PH_ERATE,		/* 429 rate_limited, from nginx */
	PH_EINTERNAL,		/* 500 internal_error: our own mistake */
	PH_ENOMEM,		/* 503 out_of_memory */
	PH_EDBMISSING,		/* 503 database_missing */
	PH_EDBREADONLY,		/* 503 database_readonly */
	PH_EDBLOCKED,		/* 503 database_locked: busy timeout ran out */
	PH_EDBOLD,		/* 503 database_schema_old: run `pilothouse migrate` */
	PH_EDBNEW,		/* 503 database_schema_new: made by a newer release */
	PH_EDBCORRUPT,		/* 503 database_corrupt */
	PH_EDBFULL,		/* 503 database_full: disk or quota */
	PH_EDB,			/* 503 database_error: any other failure of the store */
	PH_EDEADLINE,		/* 504 statement_deadline */
	PH_EUPSTREAM,		/* 502 upstream_failed: it answered nonsense or a failure */
	PH_EUPSTREAMDOWN,	/* 503 upstream_unavailable: not reached, or its breaker is open */
	PH_EUPSTREAMSLOW,	/* 504 upstream_timeout */
	PH_ESTATEFILE,		/* 503 state_unavailable: the state file cannot be used */
	PH_EAUTHDOWN,		/* 503 auth_unavailable: auth-check does not answer, from nginx */
	PH_ESTREAMS,		/* 503 too_many_streams, from nginx */
	PH_EWORKER,		/* 502 worker_unavailable: it died or is not running, from nginx */
	PH_EWORKERSLOW,		/* 504 worker_timeout, from nginx */
	PH_RC__MAX
};

enum { PH_ERR_PARAMS_MAX = 8 };	/* parameter errors reported in one answer */

struct ph_param_error {
	char	param[64];	/* name as the client sent it, printable ASCII */
	char	detail[160];
};

struct ph_err {
	enum ph_rc		rc;
	char			detail[240];	/* safe for the client; "" = the title */
	char			internal[400];	/* for the log; "" = nothing to add */
	const char		*file;		/* where the failure was seen */
	int			line;
	int			retry_after_s;	/* instead of the kind's own; 0: that */
	struct ph_param_error	params[PH_ERR_PARAMS_MAX];
	size_t			nparams;
};

/* What a kind means to a client.  Static; never NULL, also for PH_OK (200). */
struct ph_problem {
	int		status;		/* HTTP */
	const char	*code;		/* stable, lower_snake */
	const char	*title;
	int		is_retryable;
	int		retry_after_s;	/* 0: no Retry-After header */
};
const struct ph_problem *ph_problem(enum ph_rc);

/* Record a failure: fmt is the client's sentence.  Returns rc.  A later call
 * replaces what an earlier one said. */
#define ph_fail(err, rc, ...) ph_fail_at(__FILE__, __LINE__, (err), (rc), __VA_ARGS__)
enum ph_rc ph_fail_at(const char *file, int line, struct ph_err *, enum ph_rc, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Add what only the log may know.  Returns the kind recorded before. */
enum ph_rc ph_fail_log(struct ph_err *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Record one bad parameter; several may be reported in one answer, what does not fit is
 * dropped.  name is name_len bytes of anything.  Returns PH_EPARAM. */
enum ph_rc ph_fail_param(struct ph_err *, const char *name, size_t name_len, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
