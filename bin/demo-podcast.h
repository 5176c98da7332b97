/*
 * demo-podcast.h -- a podcast for the demonstration: sixty weekly episodes, and their downloads as OP3 would have
 * counted them up to now.
 */
#ifndef PH_DEMO_PODCAST_H
#define PH_DEMO_PODCAST_H

#include <stdint.h>

#include "core/db.h"

/* Into an empty database, triggers off.  It belongs to the oldest admin; without one there is none. */
enum ph_rc	demo_podcast_insert(struct ph_db *, int64_t now_ms, struct ph_err *);

#endif
