/*
 * idset.h -- a set of ids with a record for each: for counting distinct clips in one pass over an
 * index, which is several times faster than the engine's own COUNT(DISTINCT).
 */
#ifndef PH_IDSET_H
#define PH_IDSET_H

#include <stddef.h>

struct ph_idset;		/* opaque */

/* An empty set whose records have record_size bytes (0: none).  Caller frees.  NULL: no memory. */
struct ph_idset	*ph_idset_new(size_t record_size);
void		 ph_idset_free(struct ph_idset *);	/* NULL is fine */

/* The place of id (len bytes without a NUL, copied), which is added with a zeroed record if it is new;
 * places count from 0 in the order of arrival.  -1: no memory. */
long		 ph_idset_add(struct ph_idset *, const char *id, size_t len);
/* The place of id, or -1. */
long		 ph_idset_find(const struct ph_idset *, const char *id, size_t len);

size_t		 ph_idset_count(const struct ph_idset *);
const char	*ph_idset_id(const struct ph_idset *, long place);	/* until the next add */
void		*ph_idset_record(struct ph_idset *, long place);	/* until the next add */

#endif
