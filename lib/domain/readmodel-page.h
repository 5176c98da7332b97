/*
 * readmodel-page.h -- a page of a table of the product, for readmodel-copy.c and readmodel-mend.c, which know how to go
 * through a table.
 */
#ifndef PH_READMODEL_PAGE_H
#define PH_READMODEL_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "domain/readmodel.h"
#include "net/source.h"

#define PH_PAGE		5000		/* rows, also in LIMIT */
#define PH_BLOCK_IDS	10000

enum { PH_PLACE_KEY_SIZE = 128 };

/* What the source is asked for a row, so that statements of one's own give the same columns. */
#define PH_MS(column) "CAST(UNIX_TIMESTAMP(" column ") * 1000 AS SIGNED)"
#define PH_SELECT_USERS \
	"SELECT id, device, os, browser, country, region, city, " PH_MS("created_at") " FROM fpp_users"
#define PH_SELECT_ROOMS "SELECT id, number, name, " PH_MS("first_used_at") ", " PH_MS("last_used_at") " FROM fpp_rooms"
#define PH_TEXT_OF(n) #n
#define PH_NUMBER(n) PH_TEXT_OF(n)
#define PH_LIMIT " LIMIT " PH_NUMBER(PH_PAGE)

/* Places in ph_model_tables. */
enum { PH_T_USERS, PH_T_ROOMS, PH_T_VIEWS, PH_T_EVENTS, PH_T_VOTES, PH_T_ESTIMATIONS };

struct ph_page_table {
	const char		*by_id;		/* a page behind an id */
	const char		*max_id;	/* NULL: ids do not grow */
	const char		*max_ms;	/* what cursor_ms is made from; NULL: nothing */
	const char		*blocks;	/* number of rows and highest id of each block of ids */
	const char		*have;		/* the same of the read model, of ids from $1 to below $2 */
	const char		*insert;
	struct ph_source_column	 columns[PH_SOURCE_COLUMNS_MAX];	/* of by_id and insert; the first is the id */
	size_t			 ncolumns;
};

/* Where a table is, and the page in hand. */
struct ph_place {
	struct ph_model_copy	*copy;
	const struct ph_page_table *table;
	/* as sync_state has it */
	int64_t			 cursor_id, cursor_ms;
	char			 cursor_key[PH_PLACE_KEY_SIZE];
	int			 initial_done;
	/* the page */
	struct ph_stmt		*insert;
	struct ph_stmt		*change;	/* of rooms; NULL: others */
	int64_t			 n;		/* rows in it */
	int64_t			 last_id;
	char			 last_key[PH_PLACE_KEY_SIZE];
	int64_t			 last_ms;	/* highest of the column that cursor_ms is made from */
	int64_t			 inserted;
};

/* The place of the copy's table, as it is kept.  PH_EUPSTREAM: the source went backwards. */
enum ph_rc	ph_place_open(struct ph_place *, struct ph_model_copy *, struct ph_err *);

/* One number of the source; NULL is 0. */
enum ph_rc	ph_ask_int(struct ph_model_copy *, const char *sql, int is_time, int64_t *out, struct ph_err *);

/* What follows from a page for sync_state. */
typedef void ph_place_fn(struct ph_place *, int is_last);

/* Ask for a page, and store it with what follows, in one transaction. */
enum ph_rc	ph_page_copy(struct ph_place *, const char *sql, const struct ph_source_param *, size_t nparams, ph_place_fn *,
		    struct ph_err *);

/* Pages behind an id; of users behind cursor_key.  Ends with the page that has reached `to`. */
enum ph_rc	ph_pages_by_id(struct ph_place *, int64_t from, int64_t to, ph_place_fn *, struct ph_err *);

#endif
