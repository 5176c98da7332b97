/*
 * list.h -- lists that are paged by keyset: what a list is, and the one engine for all of them.
 *
 * A list is declared (struct ph_list) in lib/domain/list-NAME.c: a table, the columns it shows,
 * the orders it can be walked in with their indexes, and what it can be filtered by.  Endpoints,
 * single items, exports and the manual are made from the declaration.
 *
 * The base table is called t in all SQL of a declaration.  $1 is the present instant in Unix
 * ms, $14 to $17 are the extra filters in their order, $18 to $32 are those of filter.h.
 *
 * Order and cost.  Rows come in the order of (sort value, id), both ascending or both descending.
 * A page starts where its cursor says, so it costs the same at any depth.  A filter by status or
 * platform becomes arms if the sort declares an index for it: one walk of the index for each value,
 * merged; of two filters without a common index that whose rows are few.  What is left over is tested row by row; then a
 * page looks at SCAN_MAX rows at most and may be short, or empty, with a cursor that goes on behind them.
 */
#ifndef PH_LIST_H
#define PH_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "core/endpoint.h"
#include "core/table.h"
#include "domain/filter.h"

enum {
	PH_LIST_LIMIT_MAX = 500, PH_LIST_LIMIT = 50,
	PH_LIST_OFFSET_MAX = 10000,
	PH_LIST_TOTAL_MAX = 10000,	/* a total above it is not counted out */
	PH_LIST_Q_MAX = 100,		/* characters of q */
	PH_LIST_TEXT_MAX = 2048,	/* bytes of a text in a list; longer ones are cut */
	PH_LIST_COLUMNS_MAX = 40,
	PH_LIST_SORTS_MAX = 6,
	PH_LIST_EXTRAS_MAX = 4,
	PH_LIST_SEARCHES_MAX = 3
};

/* Where the value of a field comes from. */
struct ph_list_column {
	const char	*sql;		/* an expression over t and the joins */
	int64_t		 den;		/* of a PH_DECIMAL: the integer is divided by it; 0: it is a real */
};

/*
 * An order.  Each index begins with equalities, if any, and goes on with the sort value:
 *	.index			(value)
 *	.status_index		(status, value)
 *	.platform_index		(platform, value)
 *	.platform_status_index	(platform, status, value)
 * One of .index and .only_statuses is there.
 */
struct ph_list_sort {
	const char	*name;		/* in sort=, and -name for descending */
	const char	*sql;		/* a column of t */
	const char	*condition;	/* which rows it has: the column has NULLs, or an index is partial; else NULL */
	unsigned	 only_statuses;	/* mask: .condition lets only these through, by .status_index; 0: any */
	unsigned	 is_real : 1;	/* the value is a real, else an integer */
	unsigned	 is_ascending : 1;	/* comes first in the list of choices: name before -name */
	const char	*index, *status_index, *platform_index, *platform_status_index;
	const char	*text;		/* which rows it has, if not all */
};

/* A filter that only this list has: a PH_P_TEXT or PH_P_CHOICE. */
struct ph_list_extra {
	struct ph_param	 param;
	const char	*sql;		/* condition with $14 (or $15 ... $17) */
	const char	*index;		/* begins with it: walk this one; NULL: test row by row */
	unsigned	 is_ordered : 1;	/* the index goes on with the default sort value */
};

struct ph_list {
	const char			*name;		/* of the dataset: "publications" */
	const char			*route;		/* name of the program */
	const char			*path;
	const char			*scope;
	const char			*summary;
	const char			*table;		/* without alias; its key is id */
	const char			*joins;		/* LEFT JOINs to t; NULL: none */
	const struct ph_field		*fields;
	const struct ph_list_column	*columns;	/* one per field */
	size_t				 nfields;
	const struct ph_list_sort	*sorts;		/* the first is the default */
	size_t				 nsorts;
	const char			*time;		/* column of t for from and to */
	const char			*status;	/* column of t; NULL: no filter by status */
	const char *const		*statuses;	/* its values, NULL-terminated */
	const char			*platform;	/* condition for a platform filter; NULL: no filter */
	const char			*platform_arms[PH_PLATFORM__MAX];	/* per key, disjoint; or NULL */
	const char			*searches[PH_LIST_SEARCHES_MAX];	/* texts that q looks in */
	const struct ph_list_extra	*extras;
	size_t				 nextras;
};

/* -- as endpoints ------------------------------------------------------------------ */

/* main() of the endpoint of a list. */
int		ph_list_main(const struct ph_list *, int argc, char **argv);

/* main() of the endpoint of one of its rows: path is that of the list and /{id}.  What the item has
 * besides the row comes from others, each an array of at most PH_LIST_LIMIT_MAX objects. */
struct ph_list_part {
	const char		*name;		/* of the array */
	const char		*text;
	const struct ph_list	*list;		/* its objects, in the list's default order */
	const char		*sql;		/* condition on that list's t, with $14: the id of the item */
	const char		*index;		/* of that condition */
};
struct ph_list_item {
	const struct ph_list		*list;
	const char			*route, *path, *summary, *what;	/* "publication", for the 404 */
	const struct ph_list_part	*parts;
	size_t				 nparts;
};
int		ph_list_item_main(const struct ph_list_item *, int argc, char **argv);

/* -- for exports -------------------------------------------------------------------- */

/* The parameters of a list, made from its declaration.  It must not move: the table points into it. */
struct ph_list_params {
	struct ph_param	 table[PH_PARAMS_MAX];
	size_t		 n;
	size_t		 status, filter, extras;	/* first index of each group */
	const char	*sort_choices[2 * PH_LIST_SORTS_MAX + 1];
	const char	*field_choices[PH_LIST_COLUMNS_MAX + 1];
	char		 sort_names[2 * PH_LIST_SORTS_MAX][32];
	char		 sort_text[256];
};
void		ph_list_params(const struct ph_list *, struct ph_list_params *);

/* All rows that args (read against params) asks for, as a file; at most rows_max, else
 * PH_EEXPORTTOOBIG before anything is sent.  The request's transaction is renewed page by page. */
enum ph_rc	ph_list_export(struct ph_req *, const struct ph_list *, const struct ph_list_params *,
		    const struct ph_args *args, struct ph_table_options, int64_t rows_max, struct ph_err *);

#endif
