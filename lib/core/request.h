/*
 * request.h -- what a caller asks: environment, query parameters, headers.
 *
 * Everything from outside has a maximum and is checked before a handler runs.
 */
#ifndef PH_REQUEST_H
#define PH_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum {
	PH_QUERY_MAX = 8192,		/* bytes of a query string */
	PH_PARAMS_MAX = 16,		/* parameters that a route declares */
	PH_PAIRS_MAX = 64,		/* name=value pairs in one query */
	PH_TOKEN_MAX = 512,		/* bytes of a credential */
	PH_REQUEST_ID_MAX = 64
};

/* -- parameters ------------------------------------------------------------ */

enum ph_param_type {
	PH_P_INT,
	PH_P_CHOICE,		/* one of .choices; its value is the index */
	PH_P_TEXT,		/* .min to .max bytes of UTF-8 without control characters */
	PH_P_EXTENDED,		/* include=extended: show extended fields */
	PH_P_TIME_STYLE		/* time=utc|naive|ms: how instants are shown */
};

struct ph_param {
	const char		*name;
	enum ph_param_type	 type;
	unsigned		 is_required : 1;
	int64_t			 min, max;	/* PH_P_INT: range; PH_P_TEXT: length in bytes */
	int64_t			 dflt;		/* PH_P_INT; PH_P_CHOICE: index */
	const char *const	*choices;	/* NULL-terminated */
	const char		*unit;		/* NULL: none */
	const char		*text;		/* meaning, for the manual and openapi.json */
};

/* Parameters that the core understands by itself; routes list them in their tables. */
#define PH_PARAM_INCLUDE { .name = "include", .type = PH_P_EXTENDED, .choices = ph_choices_include, \
	.text = "extended adds the extended fields to the same object." }
#define PH_PARAM_TIME { .name = "time", .type = PH_P_TIME_STYLE, .choices = ph_choices_time, \
	.text = "How instants are shown: utc is RFC 3339 with Z, naive the same without Z, " \
	    "ms the integer of Unix milliseconds." }
extern const char *const ph_choices_include[];
extern const char *const ph_choices_time[];

struct ph_args {
	struct {
		int		 is_set;
		int64_t		 num;
		const char	*text;		/* in buf, NUL-terminated */
	} values[PH_PARAMS_MAX];
	char	buf[PH_QUERY_MAX + 1];
};

/*
 * Read a query string (application/x-www-form-urlencoded, len bytes) against a table.
 * Unknown parameters are ignored if they are well encoded.  PH_EPARAM names every
 * parameter that is unknown in value, given twice, out of range, badly percent-encoded,
 * holds a NUL or is not UTF-8; PH_EURITOOLONG beyond PH_QUERY_MAX.
 */
enum ph_rc	ph_args_parse(struct ph_args *, const char *query, size_t len,
		    const struct ph_param *, size_t nparams, struct ph_err *);

/* -- environment ------------------------------------------------------------- */

/* Value of name in a NULL-terminated list of NAME=value; NULL: absent. */
const char	*ph_env(char *const *envp, const char *name);

/* The method if it is one of RFC 9110 or PATCH, else "OTHER": what a log line may hold. */
const char	*ph_method_name(const char *method);

/* Does it look like a request id we may repeat: [A-Za-z0-9._-]{1,64}? */
int		ph_request_id_is_valid(const char *);

/* The value of one cookie of a Cookie header (RFC 6265), copied to out.  0, or -1 when
 * absent, longer than fits, or holding bytes no cookie may have. */
int		ph_cookie(const char *header, const char *name, char *out, size_t out_size);

/* Is etag (with quotes) in an If-None-Match header?  Weak comparison (RFC 9110 8.8.3.2). */
int		ph_etag_matches(const char *if_none_match, const char *etag);

/*
 * The credential of a request, from the first of: Authorization (Bearer T, or T alone),
 * X-API-Key, X-Cron-Secret, X-Intel-API-Key, the cookie ph_session.  Copied to out;
 * *from_cookie tells whether the browser added it by itself.  PH_OK, PH_ENOCREDENTIALS,
 * PH_EBADCREDENTIALS (another scheme, too long, control characters).
 */
enum ph_rc	ph_credential(char *const *envp, char out[PH_TOKEN_MAX + 1], int *from_cookie,
		    struct ph_err *);

#endif
