/*
 * db.h -- the database as a handler sees it: transactions, $1... parameters, rows,
 * typed errors.  Nothing here names the engine; db-sqlite.c is the engine of today.
 *
 * A connection is opened lazily and checked before each transaction: a file that was
 * replaced (restore) is opened anew, one that is missing, read-only, damaged or of
 * another schema version gives its own PH_EDB* kind, and as soon as the cause is gone
 * the next transaction works.  Statements are prepared once per connection and kept.
 */
#ifndef PH_DB_H
#define PH_DB_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct ph_db;			/* opaque */
struct ph_state;
struct ph_stmt;			/* opaque; owned by its connection */

enum ph_db_mode {
	PH_DB_READER,		/* every write is refused */
	PH_DB_WRITER		/* what it commits survives a loss of power */
};

enum {
	PH_SCHEMA_VERSION = 3,	/* the user_version of schema.sql */
	PH_MODEL_VERSION = 1,	/* of analytics.sql */
	PH_STMTS_MAX = 96	/* distinct statements per connection */
};

struct ph_db_limits {
	int	busy_timeout_ms;	/* wait for a lock; 0: fail at once */
	int	deadline_ms;		/* longest transaction; 0: none */
	int	cache_kib;		/* pages kept in memory; 0: what a statistic needs, or a batch of a writer */
};

/* A handle on the file at path (copied); does not touch it yet.  Caller closes.
 * NULL: no memory. */
struct ph_db	*ph_db_new(const char *path, enum ph_db_mode, struct ph_db_limits);
void		 ph_db_close(struct ph_db *);	/* NULL is fine */

/* The schema version that ph_db_begin() wants, instead of PH_SCHEMA_VERSION. */
void		 ph_db_set_version(struct ph_db *, int version);

/* Have a writer's transactions wait in the queue of the writers of state (core/state.h; borrowed). */
void		 ph_db_take_turns(struct ph_db *, struct ph_state *);

/* Longest transaction from the next ph_db_begin() on, in ms; 0: none. */
void		 ph_db_set_deadline(struct ph_db *, int deadline_ms);

/*
 * Begin: all statements up to the end see one snapshot.  A writer takes the write lock at
 * once.  Errors: PH_EDBMISSING, PH_EDBREADONLY, PH_EDBLOCKED, PH_EDBOLD, PH_EDBNEW,
 * PH_EDBCORRUPT, PH_EDB.
 */
enum ph_rc	ph_db_begin(struct ph_db *, struct ph_err *);
/* Begin a transaction that may write although the handle is a reader's, and that waits for nobody:
 * PH_EDBLOCKED if somebody else is writing.  For notes that may be lost. */
enum ph_rc	ph_db_begin_note(struct ph_db *, struct ph_err *);
enum ph_rc	ph_db_commit(struct ph_db *, struct ph_err *);
void		ph_db_end(struct ph_db *);	/* rolls back unless committed; always safe */

/*
 * The prepared form of sql, which must be a string constant: the connection keeps the
 * statement for its address.  *st is ready to bind; give it back with ph_stmt_done().
 */
enum ph_rc	ph_db_prepare(struct ph_db *, const char *sql, struct ph_stmt **st, struct ph_err *);

/* Parameters count from 1.  A failure surfaces at the step.  Text is borrowed until
 * ph_stmt_done(); NULL binds NULL. */
void		ph_stmt_bind_int(struct ph_stmt *, int i, int64_t);
void		ph_stmt_bind_null(struct ph_stmt *, int i);
void		ph_stmt_bind_double(struct ph_stmt *, int i, double);
void		ph_stmt_bind_text(struct ph_stmt *, int i, const char *);
void		ph_stmt_bind_blob(struct ph_stmt *, int i, const void *, size_t len);

/* PH_ROW, PH_DONE, or a failure: PH_EDEADLINE, PH_EDB*, PH_ECONFLICT (a constraint). */
enum ph_rc	ph_stmt_step(struct ph_stmt *, struct ph_err *);
/*
 * Hand each text x, with its length, and integer n (0 if left out) of `SELECT ph_each(x, n) FROM ...` to the
 * function; it returns 0, or -1 for no memory.  An aggregate of SQL runs inside the engine, which costs a good
 * deal less than a step for each row.  Done with the statement.
 */
typedef int	ph_each_fn(void *arg, const char *text, size_t len, int64_t n);
enum ph_rc	ph_stmt_each(struct ph_stmt *, ph_each_fn *, void *arg, struct ph_err *);
/* Step a statement that returns no row: PH_OK or a failure; then reset it for new values. */
enum ph_rc	ph_stmt_exec(struct ph_stmt *, struct ph_err *);
void		ph_stmt_done(struct ph_stmt *);	/* NULL is fine */
/* The same, and the connection forgets the statement: for text that is not a constant. */
void		ph_stmt_drop(struct ph_stmt *);
/* Forget the statement that is kept for this address, if there is one: before other text is put there. */
void		ph_db_forget(struct ph_db *, const char *sql);

/* Columns count from 0 and are valid after PH_ROW, until the next step or done. */
int		ph_stmt_is_null(struct ph_stmt *, int col);
int		ph_stmt_is_blob(struct ph_stmt *, int col);
int64_t		ph_stmt_int(struct ph_stmt *, int col);
double		ph_stmt_double(struct ph_stmt *, int col);
const char	*ph_stmt_text(struct ph_stmt *, int col);	/* NULL for NULL */
/* The same into out, cut to what fits; "" for NULL. */
void		ph_stmt_copy(struct ph_stmt *, int col, char *out, size_t size);

/* Rows changed by the last statement that was executed. */
int64_t		ph_db_changes(struct ph_db *);

/* Prepare, bind nothing, read one integer: for counts and pragmas of the operator's command. */
enum ph_rc	ph_db_one_int(struct ph_db *, const char *sql, int64_t *out, struct ph_err *);

/* Inside a transaction: a number that differs from the last one if any other connection has changed
 * the data since. */
enum ph_rc	ph_db_data_version(struct ph_db *, int64_t *out, struct ph_err *);

/*
 * For statements that walk a great part of the file: it is mapped into memory (as far as
 * address space and the engine allow) until it is switched off, so that a page costs no system
 * call.  Between transactions or inside one.
 */
void		ph_db_map(struct ph_db *, int is_on);

/* -- for the operator's command ---------------------------------------------- */

/* Run several statements of a script outside ph_db_begin(); no version check. */
enum ph_rc	ph_db_script(struct ph_db *, const char *sql, struct ph_err *);
/* Switch the triggers of this connection on or off, for bulk loads. */
enum ph_rc	ph_db_triggers(struct ph_db *, int is_on, struct ph_err *);
/*
 * Begin and commit a transaction that fills a whole database: triggers off, a large cache, and
 * a rollback journal while nobody else has the file open, because a write-ahead log would
 * hold every page twice.  Like any transaction it happens whole or not at all.
 */
enum ph_rc	ph_db_bulk_begin(struct ph_db *, struct ph_err *);
enum ph_rc	ph_db_bulk_commit(struct ph_db *, struct ph_err *);
/* Open without the checks of ph_db_begin(); creates the file if may_create. */
enum ph_rc	ph_db_open_raw(struct ph_db *, int may_create, struct ph_err *);
/* The schema version of the file, or a failure. */
enum ph_rc	ph_db_version(struct ph_db *, int64_t *version, struct ph_err *);
/* Consistent copy of the live database to a new file at path (refused when it exists). */
enum ph_rc	ph_db_backup(struct ph_db *, const char *path, struct ph_err *);
/* Is the file sound?  PH_OK, PH_EDBCORRUPT with the first finding, or another failure. */
enum ph_rc	ph_db_check(struct ph_db *, struct ph_err *);

#endif
