/*
 * json.h -- building the JSON of an answer, on cJSON.
 *
 * The first failure sticks: every later call does nothing and ph_json_finish()
 * reports it, so a handler checks once.  Misnesting is a programming error (assert).
 * Decimals are written from exact integers, never through a double.
 *
 * The members of an object are declared once, as a table of struct ph_field; the same table
 * writes the answer, its schema in openapi.json and the manual's list of fields.
 */
#ifndef PH_JSON_H
#define PH_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/number.h"

struct cJSON;
struct ph_json;			/* opaque */

enum ph_time_style { PH_TIME_UTC, PH_TIME_NAIVE, PH_TIME_MS,
    PH_TIME_SECONDS	/* as PH_TIME_UTC, without milliseconds */
};

/* New writer whose root is an empty object.  Caller frees.  NULL: no memory. */
struct ph_json	*ph_json_new(void);
/* The same, whose root is an empty array. */
struct ph_json	*ph_json_new_list(void);
void		 ph_json_free(struct ph_json *);	/* NULL is fine */

/* How instants are shown (default PH_TIME_UTC), and whether extended fields are. */
void	ph_json_set_time_style(struct ph_json *, enum ph_time_style);
void	ph_json_set_extended(struct ph_json *, int is_extended);
int	ph_json_is_extended(const struct ph_json *);

/* Every key is borrowed for the call; NULL inside an array. */
void	ph_json_obj_open(struct ph_json *, const char *key);
void	ph_json_arr_open(struct ph_json *, const char *key);
void	ph_json_close(struct ph_json *);		/* the innermost open one */
void	ph_json_null(struct ph_json *, const char *key);
void	ph_json_bool(struct ph_json *, const char *key, int is_true);
void	ph_json_int(struct ph_json *, const char *key, int64_t);	/* all digits, also above 2^53 */
/* num/den as ph_decimal_format(); den > 0. */
void	ph_json_decimal(struct ph_json *, const char *key, ph_int128 num, int64_t den, int places);
void	ph_json_time(struct ph_json *, const char *key, int64_t at_ms);
/* NUL-terminated text; what is not UTF-8 is replaced by U+FFFD, byte by byte. */
void	ph_json_str(struct ph_json *, const char *key, const char *);
/* What a JSON column holds: the tree if it is well-formed JSON, else the text as ph_json_str() shows it. */
void	ph_json_text(struct ph_json *, const char *key, const char *);
/* Takes over a cJSON tree of the caller's, also on failure.  NULL sticks as PH_ENOMEM. */
void	ph_json_item(struct ph_json *, const char *key, struct cJSON *);

/* JSON text that ph_json_finish() made, as it is. */
void	ph_json_raw(struct ph_json *, const char *key, const char *text);

/* PH_OK and the text (caller frees with free()), or the first failure. */
/* More may be added to the root, and finished again. */
enum ph_rc	 ph_json_finish(struct ph_json *, char **text, struct ph_err *);

/* The root as it is now: what was written with a number is cJSON_Raw. */
const struct cJSON	*ph_json_root(const struct ph_json *);

/* -- fields declared as a table ------------------------------------------- */

enum ph_field_type {
	PH_COUNT,		/* integer >= 0 */
	PH_INTEGER,
	PH_DECIMAL,		/* number with at least one decimal, at most .places */
	PH_TIME,		/* instant, shown as ?time= asks */
	PH_TEXT,
	PH_BOOL,
	/* written by the handler */
	PH_OBJECT,		/* .fields */
	PH_ARRAY,		/* of objects with .fields; without .fields of anything */
	PH_ANY			/* any JSON */
};

struct ph_field {
	const char		*name;
	enum ph_field_type	 type;
	int			 places;	/* PH_DECIMAL: decimals after rounding */
	unsigned		 is_nullable : 1;
	unsigned		 is_extended : 1;	/* only with include=extended */
	const char		*unit;		/* "ms", "s", "ratio", ...; NULL: a plain count */
	const char		*text;		/* meaning: what is counted, over what, from which rule */
	const char *const	*choices;	/* PH_TEXT: the closed list of values, NULL-terminated */
	const struct ph_field	*fields;	/* PH_OBJECT */
	size_t			 nfields;
};

struct ph_value {
	enum { PH_V_UNSET, PH_V_NULL, PH_V_INT, PH_V_RATIO, PH_V_REAL, PH_V_STR } kind;
	ph_int128	 num;
	int64_t		 den;
	double		 real;
	const char	*str;		/* borrowed */
};

struct ph_value	ph_v_null(void);
struct ph_value	ph_v_int(int64_t);			/* count, integer, instant, bool */
/* num/den; with den 0 there is nothing to divide: null if the field is nullable, else 0.0. */
struct ph_value	ph_v_ratio(ph_int128 num, int64_t den);
/* A number that is stored as a double; finite, below 10^12 in size.  Shown like other decimals. */
struct ph_value	ph_v_real(double);
struct ph_value	ph_v_str(const char *);			/* NULL becomes null */
struct ph_value	ph_v_known(int64_t);			/* a count, of which a negative one is unknown: null */
struct ph_value	ph_v_known_text(const char *);		/* "" becomes null */
/* The first n columns of a row as the values of these fields: texts where a field is PH_TEXT, else integers;
 * NULL becomes null.  Texts live as long as the row. */
struct ph_stmt;
void		ph_v_columns(struct ph_value *v, struct ph_stmt *, const struct ph_field *, int n);
/* The value as it is shown for the field: a real becomes a ratio, and one with nothing to divide
 * by what ph_v_ratio() says. */
struct ph_value	ph_v_shown(const struct ph_field *, struct ph_value);

/*
 * Write values[i] as fields[i] into the object that is open, in the table's order.
 * Extended fields are left out unless asked for.  PH_ANY is written too if its value is a text
 * (by ph_json_text()) or null; PH_OBJECT, PH_ARRAY and an unset PH_ANY are the handler's.  A field that is due and unset, or null and not nullable, is our own
 * mistake and sticks as PH_EINTERNAL.
 */
void	ph_json_fields(struct ph_json *, const struct ph_field *, const struct ph_value *, size_t n);

/* JSON Schema (2020-12) of an object with these fields.  Caller owns.  NULL: no memory. */
struct cJSON	*ph_fields_schema(const struct ph_field *, size_t n);

#endif
