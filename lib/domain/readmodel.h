/*
 * readmodel.h -- the read model of product analytics: $PH_HOME/analytics.db, by analytics.sql.
 *
 * Its only writer is job-readmodel; programs with PH_NEED_MODEL read it.  Here: making the file, its facts
 * (sync_meta), its sums as a whole, and the copying of tables from the source (net/source.h).
 */
#ifndef PH_READMODEL_H
#define PH_READMODEL_H

#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/recount.h"

struct ph_source;

/* -- the file ------------------------------------------------------------------------- */

/* Make it if it is not there, or of another version: then it is thrown away first.  *is_made: it was made. */
enum ph_rc	ph_model_make(int *is_made, struct ph_err *);

/* A writer on it, not opened yet.  Caller closes.  NULL: no memory. */
struct ph_db	*ph_model_writer(void);

/* -- facts, inside a transaction ------------------------------------------------------ */

enum { PH_MODEL_TEXT_SIZE = 320, PH_MODEL_TABLES = 6 };
extern const char *const ph_model_tables[PH_MODEL_TABLES];	/* fpp_users, fpp_rooms ... in the order of copying */

/* One of sync_meta, "" when there is none. */
enum ph_rc	ph_model_text(struct ph_db *, const char *k, char out[PH_MODEL_TEXT_SIZE], struct ph_err *);
enum ph_rc	ph_model_int(struct ph_db *, const char *k, int64_t dflt, int64_t *out, struct ph_err *);
enum ph_rc	ph_model_set_text(struct ph_db *, const char *k, const char *, struct ph_err *);	/* NULL: takes it away */
enum ph_rc	ph_model_set_int(struct ph_db *, const char *k, int64_t, struct ph_err *);

/* START of the sums, in ms; before there are any, of FPP_START_DATE. */
enum ph_rc	ph_model_start(struct ph_db *, int64_t *start_ms, struct ph_err *);

/* -- sums as a whole, inside a transaction of a writer ------------------------------------- */

/* Are they those of this release and of FPP_START_DATE? */
enum ph_rc	ph_model_is_summed(struct ph_db *, int *is_summed, struct ph_err *);
/* Make them anew, whatever rows there are.  With triggers off. */
enum ph_rc	ph_model_sum(struct ph_db *, ph_recount_step *, void *arg, struct ph_err *);
/* Compare them with the rows: as ph_recount_compare(). */
enum ph_rc	ph_model_compare(struct ph_db *, ph_recount_step *, ph_recount_found *, void *arg, int64_t *differences,
		    struct ph_err *);
/* Take all rows away, and how far the copy was; the sums stay until they are made anew.  With triggers off. */
enum ph_rc	ph_model_empty(struct ph_db *, struct ph_err *);

/* -- how far it is -------------------------------------------------------------------- */

enum ph_model_status { PH_MODEL_OK, PH_MODEL_STALE, PH_MODEL_NEVER };
extern const char *const ph_model_statuses[];	/* ok; stale: older than half an hour; never; NULL */

struct ph_model_state {
	enum ph_model_status	status;
	char			last_success_at[PH_MODEL_TEXT_SIZE];	/* RFC 3339; "": never */
	int64_t			age_s;		/* of that; -1: never */
	char			run_at[PH_MODEL_TEXT_SIZE];	/* the end of the last run; "": none */
	char			run_error[PH_MODEL_TEXT_SIZE];	/* why it failed; "": it did not */
	int64_t			is_demo;
	int64_t			size_bytes;	/* of file and log */
	struct {			/* as ph_model_tables */
		int	is_done;		/* was once read to its end */
		int64_t	cursor_id;
		char	error[PH_MODEL_TEXT_SIZE];	/* "": none */
	}			tables[PH_MODEL_TABLES];
};
/* What is known without the file being readable. */
void		ph_model_state_init(struct ph_model_state *);
/* Inside a transaction. */
enum ph_rc	ph_model_state_read(struct ph_db *, int64_t now_ms, struct ph_model_state *, struct ph_err *);

/* -- copying -------------------------------------------------------------------------- */

struct ph_model_copy {
	struct ph_db		*db;
	struct ph_source	*source;
	int64_t			 now_ms;	/* of the source's clock, at its snapshot */
	int			 table;		/* that is being copied */
	int64_t			 rows;		/* inserted into it */
	int64_t			 seen;		/* rows that came of it, and */
	int64_t			 expected;	/* how many there may be: 0: not known */
	/* Is told each page, outside any transaction.  A failure ends the copying. */
	enum ph_rc		(*page)(struct ph_model_copy *, struct ph_err *);
	void			*arg;		/* of the caller */
};

/* What the source lacks of a table: PH_EUPSTREAM with a sentence. */
enum ph_rc	ph_model_check_columns(struct ph_model_copy *, struct ph_err *);
/* The source's clock to now_ms. */
enum ph_rc	ph_model_ask_clock(struct ph_model_copy *, struct ph_err *);
/* Copy the new, late and changed rows of the table, page by page, each with its place in one transaction. */
enum ph_rc	ph_model_copy_table(struct ph_model_copy *, struct ph_err *);
/* Fetch again whatever rows of the table the source has and we do not.  *excess: rows that we have and the source has
 * not; rooms that changed are brought up to date. */
enum ph_rc	ph_model_mend_table(struct ph_model_copy *, int64_t *excess, struct ph_err *);

#endif
