/*
 * recount.h -- counter tables against the views that say what they must hold.
 *
 * For each view X_expected on the connection, in the order in which they were made, the table X is compared with
 * it, or replaced by it.  A view may read the tables ahead of its own: they are replaced first.  A row whose
 * figures are all 0 or NULL is the same as no row; a table that is nothing but its key has no such rows.
 *
 * Inside the caller's transaction.  Who replaces has switched the triggers off.
 */
#ifndef PH_RECOUNT_H
#define PH_RECOUNT_H

#include <stdint.h>

#include "core/db.h"
#include "core/error.h"

/* Is told each table ahead of it.  A failure ends the work. */
typedef enum ph_rc ph_recount_step(void *arg, const char *table, struct ph_err *);

/* Is told what differs: "expected a=1 b=2", "found a=1 b=3", at most PH_RECOUNT_SHOWN_MAX of a table, then "and 7 more". */
enum { PH_RECOUNT_SHOWN_MAX = 10 };
typedef void ph_recount_found(void *arg, const char *table, const char *text);

/* Replace every table.  step NULL: nobody is told. */
enum ph_rc	ph_recount(struct ph_db *, ph_recount_step *, void *arg, struct ph_err *);

/* *differences: rows that are in one of the two only. */
enum ph_rc	ph_recount_compare(struct ph_db *, ph_recount_step *, ph_recount_found *, void *arg, int64_t *differences,
		    struct ph_err *);

#endif
