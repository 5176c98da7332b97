/*
 * lock.h -- a named lock in the database, with a lease and a fence.
 *
 * Whoever holds a lock must prolong it with heartbeats; one who stands still, or is gone,
 * loses it when its lease ends, and nobody has to clean up.  The fence grows by one with
 * every new holder, so a holder that wakes up too late is told from its successor: lock
 * and data live in one database, therefore a transaction that begins with
 * ph_lock_check() writes only while the lock is held.
 *
 * Names: "job:NAME" for a job, "conn:WORKSPACE:PROVIDER" for a connection.  Every call belongs
 * inside a transaction of a writer; now_ms is the time at the call (ph_clock_now_ms()), not
 * the beginning of a longer piece of work.  All may fail with PH_EDB*.
 */
#ifndef PH_LOCK_H
#define PH_LOCK_H

#include <stdint.h>

#include "core/db.h"
#include "core/error.h"

enum {
	PH_LOCK_LEASE_MS = 120000,
	PH_LOCK_HEARTBEAT_MS = 30000,	/* at most so long between two heartbeats */
	PH_LOCK_NAME_SIZE = 128,
	PH_LOCK_OWNER_SIZE = 96
};

struct ph_lock {
	char	name[PH_LOCK_NAME_SIZE];
	char	owner[PH_LOCK_OWNER_SIZE];	/* host:pid:8hex, the digits new for each lock */
	int64_t	fence;				/* from 1; 0: not held */
};

/* Take the lock if nobody holds it.  PH_OK also if somebody does: then lock->fence is 0. */
enum ph_rc	ph_lock_acquire(struct ph_db *, const char *name, int64_t now_ms, struct ph_lock *,
		    struct ph_err *);

/* Prolong the lease.  PH_ECONFLICT: the lock is lost; stop. */
enum ph_rc	ph_lock_heartbeat(struct ph_db *, const struct ph_lock *, int64_t now_ms, struct ph_err *);

/* PH_OK: the lock is held up to the end of this transaction.  PH_ECONFLICT: it is lost; roll back. */
enum ph_rc	ph_lock_check(struct ph_db *, const struct ph_lock *, int64_t now_ms, struct ph_err *);

/* Give it back.  One that is lost stays with its new holder. */
enum ph_rc	ph_lock_release(struct ph_db *, const struct ph_lock *, struct ph_err *);

#endif
