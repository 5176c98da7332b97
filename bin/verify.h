/*
 * verify.h -- comparing and rebuilding the counters, for verify, migrate and demo.
 */
#ifndef PH_VERIFY_H
#define PH_VERIFY_H

#include "core/db.h"

/* Make the views X_expected of expected.sql, for as long as the connection lives. */
enum ph_rc	expect_counters(struct ph_db *, struct ph_err *);

/* Recompute the derived columns and every counter table from the base rows, inside the
 * caller's transaction and with triggers switched off by the caller. */
enum ph_rc	rebuild_counters(struct ph_db *, struct ph_err *);

#endif
