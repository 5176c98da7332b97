/*
 * tally.h -- single downloads counted by day and what they were: the rows of op3_daily that they make.
 */
#ifndef PH_TALLY_H
#define PH_TALLY_H

#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "net/op3.h"

struct ph_tally;		/* opaque */

/* Counts rows of the days from first to last, both included, YYYY-MM-DD, copied.  Caller frees.  NULL: no memory. */
struct ph_tally	*ph_tally_new(const char *first, const char *last);
void		 ph_tally_free(struct ph_tally *);	/* NULL is fine */

/* Count a download: in total, by episode, country (XX: unknown), app and device, as far as it says.  -1: it is of another
 * day, or there is no memory.  It is a ph_op3_take_row, with the tally as arg. */
int		 ph_tally_row(void *tally, const struct ph_op3_row *);

int64_t		 ph_tally_rows(const struct ph_tally *);

/* Put what was counted in the place of these days of a podcast, in a writing transaction. */
enum ph_rc	 ph_tally_store(struct ph_tally *, struct ph_db *, const char *podcast_id, struct ph_err *);

#endif
