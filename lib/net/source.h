/*
 * source.h -- a MySQL or MariaDB server as a source of rows: one connection, one consistent snapshot, nothing is ever
 * written.  On libmariadb, which only this file's program knows.
 *
 * Where it is comes from the settings DB_HOST and so on.  With DB_TLS the server's certificate is verified.  It may
 * neither ask for a file of ours nor send a packet that is longer than a row of the product can be.
 *
 * Failures are sentences without host, password or SQL, fit to be sent on; what the server itself said is in
 * err->internal.  PH_EUPSTREAMDOWN: there is no connection (any more).  PH_EUPSTREAM: it refuses a statement, or a row
 * is not what was asked for.
 */
#ifndef PH_SOURCE_H
#define PH_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum { PH_SOURCE_COLUMNS_MAX = 16, PH_SOURCE_PARAMS_MAX = 4,
    PH_SOURCE_TEXT_MAX = 1020	/* bytes: varchar(255) in utf8mb4 */
};

#define PH_SOURCE_NUMBER_MAX (INT64_C(1) << 40)	/* sums of millions of them do not overflow */

struct ph_source;		/* opaque */

struct ph_source_column {
	const char	*name;		/* for failures */
	unsigned	 is_text : 1;	/* UTF-8; else a whole number of at most PH_SOURCE_NUMBER_MAX either way */
	unsigned	 is_time : 1;	/* such a number, of ms since 1970: 1..PH_TIME_MAX; MySQL's zero date is none */
	unsigned	 is_nullable : 1;
};

struct ph_source_value {
	int		 is_null;
	int64_t		 num;
	const char	*text;		/* NUL-terminated, without other NULs; until the next row */
};

/* A value of a statement's ?: text, or num where it is NULL. */
struct ph_source_param { const char *text; int64_t num; };

/* A row, as the columns say.  A failure ends the query. */
typedef enum ph_rc ph_source_row(void *arg, const struct ph_source_value *, struct ph_err *);

/* Connect and begin the snapshot.  Caller closes, also after a failure. */
enum ph_rc	ph_source_open(struct ph_source **, struct ph_err *);
void		ph_source_close(struct ph_source *);	/* NULL is fine */

/*
 * Give each row to the function, as it comes.  A row that has NULL, text that is not UTF-8 or too long, or a number out
 * of range where the columns do not allow it, ends the query and is named by its first column.
 */
enum ph_rc	ph_source_query(struct ph_source *, const char *sql, const struct ph_source_param *, size_t nparams,
		    const struct ph_source_column *, size_t ncolumns, ph_source_row *, void *arg, struct ph_err *);

#endif
