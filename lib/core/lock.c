/*
 * lock.c -- rows of job_locks.  A row is never deleted: its fence would begin at 1 again.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/lock.h"

enum { HOST_MAX = 64, HEX_LEN = 8 };

static const char sql_acquire[] =
	"INSERT INTO job_locks (name, owner, fence, acquired_at, heartbeat_at, expires_at)"
	" VALUES ($1, $2, 1, $3, $3, $3 + $4)"
	" ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, fence = job_locks.fence + 1,"
	"  acquired_at = excluded.acquired_at, heartbeat_at = excluded.heartbeat_at,"
	"  expires_at = excluded.expires_at"
	" WHERE job_locks.expires_at <= excluded.acquired_at RETURNING fence";
static const char sql_heartbeat[] =
	"UPDATE job_locks SET heartbeat_at = $4, expires_at = $4 + $5"
	" WHERE name = $1 AND owner = $2 AND fence = $3 AND expires_at > $4";
static const char sql_check[] =
	"SELECT 1 FROM job_locks WHERE name = $1 AND owner = $2 AND fence = $3 AND expires_at > $4";
static const char sql_release[] =
	"UPDATE job_locks SET expires_at = 0 WHERE name = $1 AND owner = $2 AND fence = $3";

static void
name_owner(char owner[PH_LOCK_OWNER_SIZE])
{
	char host[HOST_MAX + 1] = "", hex[HEX_LEN + 1];

	if (gethostname(host, sizeof(host) - 1) != 0)
		snprintf(host, sizeof(host), "localhost");
	ph_random_hex(hex, HEX_LEN);
	snprintf(owner, PH_LOCK_OWNER_SIZE, "%s:%ld:%s", host, (long)getpid(), hex);
}

enum ph_rc
ph_lock_acquire(struct ph_db *db, const char *name, int64_t now_ms, struct ph_lock *lock,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	lock->fence = 0;
	if ((size_t)snprintf(lock->name, sizeof(lock->name), "%s", name) >= sizeof(lock->name))
		return ph_fail(err, PH_EINTERNAL, "the name of a lock is too long");
	name_owner(lock->owner);
	if ((rc = ph_db_prepare(db, sql_acquire, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, lock->name);
	ph_stmt_bind_text(st, 2, lock->owner);
	ph_stmt_bind_int(st, 3, now_ms);
	ph_stmt_bind_int(st, 4, PH_LOCK_LEASE_MS);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		lock->fence = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
prepare(struct ph_db *db, const char *sql, const struct ph_lock *lock, struct ph_stmt **st,
    struct ph_err *err)
{
	enum ph_rc rc = ph_db_prepare(db, sql, st, err);

	if (rc == PH_OK) {
		ph_stmt_bind_text(*st, 1, lock->name);
		ph_stmt_bind_text(*st, 2, lock->owner);
		ph_stmt_bind_int(*st, 3, lock->fence);
	}
	return rc;
}

static enum ph_rc
fail_lost(const struct ph_lock *lock, struct ph_err *err)
{
	return ph_fail(err, PH_ECONFLICT, "the lock %s is lost", lock->name);
}

enum ph_rc
ph_lock_heartbeat(struct ph_db *db, const struct ph_lock *lock, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = prepare(db, sql_heartbeat, lock, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 4, now_ms);
	ph_stmt_bind_int(st, 5, PH_LOCK_LEASE_MS);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc == PH_OK && ph_db_changes(db) == 0 ? fail_lost(lock, err) : rc;
}

enum ph_rc
ph_lock_check(struct ph_db *db, const struct ph_lock *lock, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = prepare(db, sql_check, lock, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 4, now_ms);
	rc = ph_stmt_step(st, err);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ? fail_lost(lock, err) : rc;
}

enum ph_rc
ph_lock_release(struct ph_db *db, const struct ph_lock *lock, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = prepare(db, sql_release, lock, &st, err)) != PH_OK)
		return rc;
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}
