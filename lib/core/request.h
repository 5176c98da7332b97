/*
 * request.h -- what a caller asks: environment, path, query parameters, JSON body, headers.
 *
 * Everything from outside has a maximum and is checked before a handler runs.  Parameters
 * of all three places -- path, query, body -- stand in one table and are asked for alike.
 */
#ifndef PH_REQUEST_H
#define PH_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum {
	PH_QUERY_MAX = 8192,		/* bytes of a query string */
	PH_PARAMS_MAX = 32,		/* parameters that an operation declares */
	PH_PAIRS_MAX = 64,		/* name=value pairs in one query */
	PH_NAMES_MAX = 8,		/* names in one PH_P_NAMES */
	PH_PATH_PARAMS_MAX = 4,		/* {name} segments of a path */
	PH_JSON_DEPTH_MAX = 32,		/* nesting of a JSON body */
	PH_TOKEN_MAX = 512,		/* bytes of a credential */
	PH_REQUEST_ID_MAX = 64
};

/* -- parameters ------------------------------------------------------------ */

enum ph_param_in { PH_IN_QUERY, PH_IN_PATH, PH_IN_BODY };

enum ph_param_type {
	PH_P_INT,
	PH_P_CHOICE,		/* one of .choices; its value is the index */
	PH_P_TEXT,		/* .min to .max bytes of UTF-8 without control characters */
	PH_P_EXTENDED,		/* include=extended: show extended fields */
	PH_P_TIME_STYLE,	/* time=utc|naive|ms: how instants are shown */
	PH_P_CHOICES,		/* distinct .choices, comma-separated or a JSON array: a bit mask */
	PH_P_NAMES,		/* up to PH_NAMES_MAX names of at most .max bytes, comma-separated or
				 * a JSON array, trimmed and ASCII-lower-cased; its text keeps the commas */
	PH_P_INSTANT,		/* RFC 3339 with zone, YYYY-MM-DD (UTC), Unix ms, or -15m -24h -7d
				 * before now: Unix ms */
	PH_P_NUMBER,		/* .min to .max, fractions allowed: .real */
	/* in a body only */
	PH_P_BOOL,		/* 0 or 1 */
	PH_P_MULTILINE,		/* PH_P_TEXT that may hold line breaks and tabs */
	PH_P_JSON		/* any object or array, at most .max bytes of JSON text */
};

struct ph_param {
	const char		*name;
	enum ph_param_type	 type;
	enum ph_param_in	 in;
	unsigned		 is_required : 1;
	int64_t			 min, max;	/* numbers: range; texts: length in bytes */
	int64_t			 dflt;		/* PH_P_INT, PH_P_BOOL; PH_P_CHOICE: index */
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

struct cJSON;

struct ph_args {
	struct {
		int			 is_set;
		int			 is_null;	/* a body says null; is_set stays 0 */
		int64_t			 num;
		double			 real;
		const char		*text;		/* in buf or the body, NUL-terminated: as given,
							 * of PH_P_NAMES the names */
		const struct cJSON	*json;		/* in the body */
	} values[PH_PARAMS_MAX];
	char	buf[PH_QUERY_MAX + 1];		/* of the query */
	char	path[PH_QUERY_MAX + 1];
	char	names[PH_NAMES_MAX * 64 * 2];	/* PH_P_NAMES of a body */
	size_t	names_len;
};

/* Forget everything and set the defaults.  Then each place is read by its own function. */
void		ph_args_init(struct ph_args *, const struct ph_param *, size_t nparams);

/*
 * Read a query string (application/x-www-form-urlencoded, len bytes) against a table.
 * Unknown parameters are ignored if they are well encoded.  PH_EPARAM names every
 * parameter that is unknown in value, given twice, out of range, badly percent-encoded,
 * holds a NUL or is not UTF-8; PH_EURITOOLONG beyond PH_QUERY_MAX.  now_ms is for
 * relative instants.
 */
enum ph_rc	ph_args_query(struct ph_args *, const char *query, size_t len,
		    const struct ph_param *, size_t nparams, int64_t now_ms, struct ph_err *);

/*
 * Match a path against a pattern such as /dashboard/publications/{id}: a {name} is one
 * segment, not empty, read as the path parameter of that name.  PH_ENOTFOUND when the path
 * has another shape, or a value that the parameter does not allow.
 */
enum ph_rc	ph_args_path(struct ph_args *, const char *pattern, const char *path,
		    const struct ph_param *, size_t nparams, struct ph_err *);
/* Only whether it has the shape. */
int		ph_path_matches(const char *pattern, const char *path);

/*
 * Read the members of a JSON object against the table.  PH_EPARAM names each that is of another type,
 * out of range or given twice, with prefix ahead of its name ("[3]." in a batch; "" else), and with
 * is_strict also those that the table does not know.  The texts point into the object.
 */
enum ph_rc	ph_args_body(struct ph_args *, const struct cJSON *object, const char *prefix,
		    int is_strict, const struct ph_param *, size_t nparams, int64_t now_ms, struct ph_err *);

/* PH_EPARAM for every required parameter that no place gave. */
enum ph_rc	ph_args_finish(struct ph_args *, const char *prefix, const struct ph_param *, size_t nparams,
		    struct ph_err *);

/*
 * A JSON text from outside.  PH_EBADREQUEST: not JSON, not UTF-8, deeper than PH_JSON_DEPTH_MAX,
 * or with an escaped NUL.  Caller deletes *out.
 */
enum ph_rc	ph_body_parse(const char *text, size_t len, struct cJSON **out, struct ph_err *err);

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

/* Is etag (with quotes) in an If-None-Match or If-Match header?  Weak comparison (RFC 9110 8.8.3.2), for
 * the latter too: nginx marks a tag weak when it compresses the answer. */
int		ph_etag_matches(const char *list, const char *etag);

/*
 * The credential of a request, from the first of: Authorization (Bearer T, or T alone),
 * X-API-Key, X-Cron-Secret, X-Intel-API-Key, the cookie ph_session.  Copied to out;
 * *from_cookie tells whether the browser added it by itself.  PH_OK, PH_ENOCREDENTIALS,
 * PH_EBADCREDENTIALS (another scheme, too long, control characters).
 */
enum ph_rc	ph_credential(char *const *envp, char out[PH_TOKEN_MAX + 1], int *from_cookie,
		    struct ph_err *);

#endif
