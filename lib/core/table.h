/*
 * table.h -- rows as a file: CSV (RFC 4180), TSV, NDJSON or XLSX, streamed to the client.
 *
 * The columns are a table of struct ph_field, as for JSON; PH_OBJECT and PH_ARRAY are left out, PH_ANY
 * holds the text of a JSON value.  CSV has CRLF line ends, TSV is the same with tabs and
 * LF; both begin with a row of names.  A text cell that a spreadsheet would take for a
 * formula (= + - @ tab CR at its beginning) gets a leading apostrophe.  What is not UTF-8
 * becomes U+FFFD.  NDJSON has the object that JSON answers have, one a line.
 *
 * A row costs memory until ph_table_send(), so that it can be read inside a transaction and sent outside.
 */
#ifndef PH_TABLE_H
#define PH_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/json.h"
#include "core/request.h"

struct ph_req;
struct ph_table;		/* opaque */
struct ph_table_book;		/* table-xlsx.h */

enum ph_table_format { PH_TABLE_JSON, PH_TABLE_CSV, PH_TABLE_TSV, PH_TABLE_NDJSON, PH_TABLE_XLSX, PH_TABLE__MAX };

/* Their names, as in format= and behind the dot of a file; NULL-terminated. */
extern const char *const ph_table_formats[];

/* publications_20251122T103000Z.csv: the name a file is offered under.  Returns buf. */
enum { PH_TABLE_FILENAME_SIZE = 96, PH_TABLE_PATH_SIZE = 512 };
char	*ph_table_filename(char buf[PH_TABLE_FILENAME_SIZE], const char *name, enum ph_table_format, int64_t now_ms);

/* How CSV is written, for a parameter table. */
enum { PH_TABLE_BOM, PH_TABLE_SEP, PH_TABLE_NPARAMS };
#define PH_TABLE_PARAMS(first) \
	[(first) + PH_TABLE_BOM] = { .name = "bom", .type = PH_P_INT, .min = 0, .max = 1, \
	    .text = "1: CSV begins with a byte order mark, which some spreadsheets need to see UTF-8." }, \
	[(first) + PH_TABLE_SEP] = { .name = "sep", .type = PH_P_CHOICE, .choices = ph_table_seps, \
	    .text = "What separates the cells of CSV." }
extern const char *const ph_table_seps[];

/* The same for the format.  Also chosen by the header Accept, if format is not given. */
#define PH_PARAM_FORMAT_OF(scope) { .name = "format", .type = PH_P_CHOICE, .choices = ph_table_formats, \
	.text = "Anything but json answers with a file and needs the scope " scope "." }
#define PH_PARAM_FORMAT PH_PARAM_FORMAT_OF("dashboard:export")
/* What is asked for by such a parameter, or by Accept. */
enum ph_table_format	ph_table_wanted(const struct ph_req *, size_t format_param);

/*
 * For a route with that parameter.  PH_DONE: the answer is JSON, for the caller to give.  PH_OK: a file is
 * wanted, and that program of exports gives it, at that path with .FORMAT behind it.  Else a failure.
 */
enum ph_rc	ph_table_elsewhere(struct ph_req *, size_t format_param, const char *program, const char *path,
		    struct ph_err *);

struct ph_table_options {
	enum ph_table_format		 format;	/* not PH_TABLE_JSON */
	char				 sep;		/* of CSV */
	unsigned			 has_bom : 1;
	enum ph_time_style		 time_style;	/* of all but XLSX, which has real dates */
	const char			*name;		/* of file and sheet, a constant: "publications" */
	const struct ph_table_book	*book;		/* &ph_table_xlsx, for PH_TABLE_XLSX */
};

/* Format, bom and sep from args; the rest is left as it is. */
void		ph_table_read_options(struct ph_table_options *, const struct ph_args *args, size_t first);

/* Writes the export into the audit log.  fields is borrowed until the end.  Caller frees.  NULL with
 * err filled. */
struct ph_table	*ph_table_new(struct ph_req *, const struct ph_table_options *, const struct ph_field *fields,
		    size_t nfields, struct ph_err *);
void		 ph_table_free(struct ph_table *);	/* NULL is fine */

/* 0 for HEAD: ph_table_finish() at once is enough. */
int		 ph_table_wants_rows(const struct ph_table *);
enum ph_rc	 ph_table_row(struct ph_table *, const struct ph_value *values, struct ph_err *);
/* Bytes of rows that wait to be sent; 0 for XLSX, whose rows wait in a file. */
size_t		 ph_table_waiting(const struct ph_table *);
/* Send what waits.  The first call begins the answer. */
enum ph_rc	 ph_table_send(struct ph_table *, struct ph_err *);
/* After the last row: send all that is left. */
enum ph_rc	 ph_table_finish(struct ph_table *, struct ph_err *);

#endif
