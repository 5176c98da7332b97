/*
 * list-query.h -- one question to a list, on its way from a request to rows.  For the engine of lists alone.
 *
 * A handler reads the request into a query (list-query.c), which makes its plan; finds the bound of what a page
 * may test, and puts together a statement and binds it (list-sql.c); and reads the rows that come (list-row.c).
 */
#ifndef PH_LIST_QUERY_H
#define PH_LIST_QUERY_H

#include "core/seal.h"
#include "domain/list.h"

enum {
	PH_LIST_ARMS_MAX = 40,
	PH_LIST_SQL_SIZE = 32768,
	PH_LIST_ID_MAX = 512,		/* bytes of an id in a cursor */
	PH_LIST_HASH_LEN = 24		/* of the filters' hash in a cursor, hexadecimal */
};

/* Parameters that every list has, in this order; then its extras, status, and those of a filter,
 * platform last, because not every list has that. */
enum {
	PH_LIST_P_LIMIT, PH_LIST_P_CURSOR, PH_LIST_P_OFFSET, PH_LIST_P_SORT, PH_LIST_P_Q, PH_LIST_P_FIELDS,
	PH_LIST_P_TIME, PH_LIST_P_FORMAT, PH_LIST_P_TABLE,
	PH_LIST_P__COMMON = PH_LIST_P_TABLE + PH_TABLE_NPARAMS
};

/* Numbers of SQL parameters; $14 to $17 the extras, from $18 on those of filter.h. */
enum {
	PH_LIST_B_NOW = 1, PH_LIST_B_LOW = 2, PH_LIST_B_HIGH = 3, PH_LIST_B_ID = 4, PH_LIST_B_LIMIT = 5,
	PH_LIST_B_OFFSET = 6, PH_LIST_B_LIKE = 7, PH_LIST_B_PREFIX = 8, PH_LIST_B_EXTRA = 14, PH_LIST_B_TIME = 18,
	PH_LIST_B_PLATFORM = 20
};

/* What a filter adds behind a place in a list: after this row, or (is_end) after all of its value. */
struct ph_list_position {
	int		is_set, is_end;
	int64_t		num;
	double		real;		/* of a sort with is_real */
	char		id[PH_LIST_ID_MAX + 2];	/* of a longer id that much, and 0xff if ids ascend: behind all
						 * that begin so */
};

struct ph_list_arm { const char *platform, *status; };	/* a condition; a status; NULL: not restricted */

struct ph_list_query {
	const struct ph_list		*list;
	const struct ph_list_sort	*sort;
	int				 is_descending;
	int64_t				 now_ms, limit, offset;
	struct ph_filter		 filter;
	uint64_t			 statuses;	/* mask; 0: any */
	uint64_t			 fields;	/* mask */
	const char			*extras[PH_LIST_EXTRAS_MAX];	/* NULL: not given */
	const char			*q;		/* NULL: not given */
	char				 like[8 * PH_LIST_Q_MAX + 3], prefix[8 * PH_LIST_Q_MAX + 2];
	char				 hash[PH_LIST_HASH_LEN + 1];
	struct ph_list_position		 after;		/* of the cursor */
	int64_t				 total;		/* -1: not known */
	int				 is_capped;
	/* how the rows are found */
	struct ph_list_arm		 arms[PH_LIST_ARMS_MAX];
	size_t				 narms;
	const char			*index;
	int				 tests_status, tests_platform, tests_rows;
	int				 has_choice;	/* of arms by status or by platform */
	size_t				 entry;		/* the extra whose index is walked, or more */
	struct ph_list_position		 bound;		/* of what is tested row by row */
};

/* What a request asks for, and the plan for it.  args (read against the parameters) is borrowed.  PH_EPARAM. */
enum ph_rc	ph_list_read(struct ph_list_query *, const struct ph_list *, const struct ph_list_params *,
		    const struct ph_args *args, int64_t now_ms, struct ph_err *);
/* The cursor of the page that begins behind that position. */
enum ph_rc	ph_list_make_cursor(const struct ph_list_query *, const struct ph_list_position *,
		    char out[PH_SEALED_MAX], struct ph_err *);

/* -- SQL ------------------------------------------------------------------------------- */

struct ph_list_sql {
	char	text[PH_LIST_SQL_SIZE];
	size_t	len;			/* 0 begins another statement */
};

enum ph_list_scope {
	PH_LIST_FROM_START, PH_LIST_FROM_CURSOR,
	PH_LIST_FROM_CURSOR_VALUE	/* with all rows of its value */
};

/* Which index is walked, in which arms, and what remains to be tested row by row; by_platform: of
 * the arms by status and by platform rather the latter. */
void		ph_list_plan(struct ph_list_query *, int by_platform);

void		ph_list_add(struct ph_list_sql *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* ", " and its expression for each column; NULL for those that are not in the mask. */
void		ph_list_add_columns(struct ph_list_sql *, const struct ph_list *, uint64_t fields);
/* SELECT what of every arm. */
void		ph_list_add_arms(struct ph_list_sql *, const struct ph_list_query *, const char *what,
		    enum ph_list_scope, int with_tests);
/* The rows of a page: sort value, id, then the columns. */
void		ph_list_add_page(struct ph_list_sql *, const struct ph_list_query *);

/* Does the statement have that parameter? */
int		ph_list_has_param(const char *sql, int number);
/* All parameters but limit and offset.  The query is borrowed until ph_stmt_done(). */
void		ph_list_bind(struct ph_stmt *, const char *sql, const struct ph_list_query *, enum ph_list_scope);
/* Run a statement for its first row: PH_ROW with column 0 in *at, PH_DONE, or a failure. */
enum ph_rc	ph_list_first_row(struct ph_db *, const struct ph_list_sql *, const struct ph_list_query *,
		    enum ph_list_scope, int64_t offset, struct ph_list_position *at, struct ph_err *);
/* Where the rows end that this page may test: q->bound; by the arms that have few rows if there is a choice. */
enum ph_rc	ph_list_find_bound(struct ph_db *, struct ph_list_query *, struct ph_list_sql *, struct ph_err *);
/* How many rows there are, counted up to PH_LIST_TOTAL_MAX and within the first page's bound. */
enum ph_rc	ph_list_find_total(struct ph_db *, struct ph_list_query *, struct ph_list_sql *, struct ph_err *);
/* After a page of nrows rows, whose statement is done: q->offset is what the next page still has to skip. */
enum ph_rc	ph_list_use_offset(struct ph_db *, struct ph_list_query *, struct ph_list_sql *, int64_t nrows,
		    struct ph_err *);

/* -- rows --------------------------------------------------------------------------------- */

struct ph_list_row {			/* begins as { 0 } */
	struct ph_value	 values[PH_LIST_COLUMNS_MAX];	/* borrowed from the statement's row */
	char		*cut[PH_LIST_COLUMNS_MAX];	/* texts that were too long, owned */
};
void		ph_list_row_free(struct ph_list_row *);
/* The columns of the statement from `first` on.  text_max 0: texts are whole. */
enum ph_rc	ph_list_row_read(struct ph_list_row *, const struct ph_list *, struct ph_stmt *, int first,
		    size_t text_max, struct ph_err *);
/* Those fields into the open object. */
void		ph_list_row_write(const struct ph_list_row *, const struct ph_list *, uint64_t fields,
		    struct ph_json *);
/* Where the row is that the statement of the query's page is at.  PH_ENOMEM. */
enum ph_rc	ph_list_note_position(const struct ph_list_query *, struct ph_stmt *, struct ph_list_position *,
		    struct ph_err *);

#endif
