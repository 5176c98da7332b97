/*
 * retention.c -- job-retention: every hour, remove what is kept for a time only.
 *
 * The audit log keeps 180 days (its trigger refuses to lose anything younger), the runs of
 * jobs and the deliveries of alerts 30, answers under an Idempotency-Key one.  A transaction removes at most a
 * thousand rows, so that nobody who wants to write waits for long, even after a year
 * without this job.
 */
#include "autoconf.h"

#include <inttypes.h>

#include "core/idempotency.h"
#include "core/job.h"

enum { BATCH_ROWS = 1000 };

#define DAY_MS INT64_C(86400000)

/* $1: now, $2: how long to keep, $3: rows.  An entry's age counts from the newest one where that
 * is older than now: a log that nobody writes keeps its last 180 days. */
static const char sql_audit[] =
	"DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log"
	" WHERE at < min($1, (SELECT max(at) FROM audit_log)) - $2 ORDER BY at LIMIT $3)";
static const char sql_runs[] =
	"DELETE FROM job_runs WHERE id IN (SELECT id FROM job_runs"
	" WHERE finished_at < $1 - $2 ORDER BY finished_at LIMIT $3)";

static const char sql_keys[] =
	"DELETE FROM idempotency_keys WHERE (actor, route, key) IN (SELECT actor, route, key"
	" FROM idempotency_keys WHERE created_at < $1 - $2 ORDER BY created_at LIMIT $3)";

static const char sql_deliveries[] =
	"DELETE FROM alert_deliveries WHERE id IN (SELECT id FROM alert_deliveries"
	" WHERE finished_at IS NOT NULL AND finished_at < $1 - $2 ORDER BY finished_at LIMIT $3)";

enum { AUDIT, RUNS, KEYS, DELIVERIES, TABLES };

static const struct { const char *sql; int64_t keep_ms; } tables[TABLES] = {
	[AUDIT] = { sql_audit, 180 * DAY_MS },
	[RUNS]  = { sql_runs, 30 * DAY_MS },
	[KEYS]  = { sql_keys, PH_IDEMPOTENCY_KEEP_MS },
	[DELIVERIES] = { sql_deliveries, 30 * DAY_MS },
};

/* One transaction.  *n: rows removed. */
static enum ph_rc
remove_batch(struct ph_job_run *run, size_t table, int64_t *n, struct ph_err *err)
{
	struct ph_db	*db = ph_job_run_db(run);
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = ph_job_run_begin(run, err)) != PH_OK)
		return rc;
	if ((rc = ph_db_prepare(db, tables[table].sql, &st, err)) == PH_OK) {
		ph_stmt_bind_int(st, 1, ph_job_run_now_ms(run));
		ph_stmt_bind_int(st, 2, tables[table].keep_ms);
		ph_stmt_bind_int(st, 3, BATCH_ROWS);
		rc = ph_stmt_exec(st, err);
		ph_stmt_done(st);
	}
	*n = ph_db_changes(db);
	if (rc == PH_OK)
		rc = ph_db_commit(db, err);
	ph_db_end(db);
	return rc;
}

static enum ph_rc
retention(struct ph_job_run *run, struct ph_err *err)
{
	int64_t		removed[TABLES] = { 0 }, n;
	size_t		table;
	enum ph_rc	rc;

	for (table = 0; table < TABLES; table++)
		do {
			if ((rc = remove_batch(run, table, &n, err)) != PH_OK)
				return rc;
			removed[table] += n;
			ph_job_run_count(run, n);
			ph_job_run_detail(run, "audit_log %" PRId64 ", job_runs %" PRId64 ", idempotency_keys %" PRId64
			    ", alert_deliveries %" PRId64, removed[AUDIT], removed[RUNS], removed[KEYS],
			    removed[DELIVERIES]);
		} while (n == BATCH_ROWS && !ph_job_run_should_stop(run));
	return PH_OK;
}

static const struct ph_job job = {
	.name = "job-retention", .interval_s = 3600, .needs = PH_NEED_DB_WRITE,
	.summary = "Remove audit entries after 180 days, runs of jobs and deliveries after 30, idempotent answers after one",
	.description = "An entry's age counts from the newest entry. A transaction removes at most 1000 rows.",
	.run = retention,
};

int
main(int argc, char **argv)
{
	return ph_job_main(&job, argc, argv);
}
