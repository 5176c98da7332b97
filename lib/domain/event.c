/*
 * event.c -- counting events: rollups for whole hours and minutes, base rows for a cut minute.
 */
#include "autoconf.h"

#include <assert.h>

#include "core/clock.h"
#include "domain/event.h"
#include "domain/filter.h"

enum { MINUTE_MS = 60000, TEN_MINUTES_MS = 600000, HOUR_MS = 3600000 };

/* Every statement counts from $1 up to $2, of the keys $3 to $7; without any $3, of all. */
#define OF_KEYS "($3 IS NULL OR platform_key IN ($3, $4, $5, $6, $7))"
enum { BIND_KEYS = 3, BIND_STEP = 8 };

/* A walk along the primary key, $8: the step; a row per bucket and platform. */
#define ROLLUP(columns) "SELECT " columns " FROM event_counts" \
	" WHERE step_ms = $8 AND start_at >= $1 AND start_at < $2 AND " OF_KEYS
#define SUM(column) "coalesce(sum(" column "), 0)"
/* In the order of enum ph_event. */
static const char sql_all[] = ROLLUP(SUM("requested") ", " SUM("published") ", " SUM("failed") ", "
	SUM("retried") ", " SUM("jobs_completed") ", " SUM("clips_created") ", " SUM("orchestrator_events"));

/* One event alone costs half of all. */
static const char *const rollups[PH_EVENT__MAX] = {
	[PH_EVENT_REQUESTED] = ROLLUP(SUM("requested")),
	[PH_EVENT_PUBLISHED] = ROLLUP(SUM("published")),
	[PH_EVENT_FAILED] = ROLLUP(SUM("failed")),
	[PH_EVENT_RETRIED] = ROLLUP(SUM("retried")),
	[PH_EVENT_JOBS_COMPLETED] = ROLLUP(SUM("jobs_completed")),
	[PH_EVENT_CLIPS_CREATED] = ROLLUP(SUM("clips_created")),
	[PH_EVENT_ORCHESTRATOR] = ROLLUP(SUM("orchestrator_events")),
};

/* Each walks one index within one minute. */
static const char sql_requested[] =
	"SELECT count(*) FROM publish_logs WHERE requested_at >= $1 AND requested_at < $2 AND " OF_KEYS;
static const char sql_published[] =
	"SELECT count(*) FROM publish_logs WHERE status = 'success'"
	" AND published_at >= $1 AND published_at < $2 AND " OF_KEYS;
static const char sql_failed[] =
	"SELECT count(*) FROM publish_logs WHERE status = 'failed'"
	" AND failed_at >= $1 AND failed_at < $2 AND " OF_KEYS;
static const char sql_retried[] =
	"SELECT count(*) FROM publish_logs WHERE last_retry_at >= $1 AND last_retry_at < $2 AND " OF_KEYS;
static const char sql_jobs_completed[] =
	"SELECT count(*) FROM jobs JOIN job_platforms ON job_rowid = jobs.rowid"
	" WHERE status = 'completed' AND updated_at >= $1 AND updated_at < $2 AND " OF_KEYS;
static const char sql_clips_created[] =
	"SELECT count(*) FROM clips WHERE created_at >= $1 AND created_at < $2";
static const char sql_orchestrator[] =
	"SELECT count(*) FROM ledger_events WHERE timestamp >= $1 AND timestamp < $2"
	" AND substr(event_type, 1, 13) = 'orchestrator.'";

const struct ph_event_type ph_events[PH_EVENT__MAX] = {
	[PH_EVENT_REQUESTED] = { "requested", "Publish logs by requested_at", 1 },
	[PH_EVENT_PUBLISHED] = { "published", "Success logs by published_at", 1 },
	[PH_EVENT_FAILED] = { "failed", "Failed logs by failed_at", 1 },
	[PH_EVENT_RETRIED] = { "retried", "Publish logs by last_retry_at", 1 },
	[PH_EVENT_JOBS_COMPLETED] = { "jobs_completed", "Completed jobs by updated_at", 1 },
	[PH_EVENT_CLIPS_CREATED] = { "clips_created", "Clips by created_at", 0 },
	[PH_EVENT_ORCHESTRATOR] = { "orchestrator_events",
	    "Ledger events whose type begins with orchestrator., by timestamp", 0 },
};

static const char *const base_rows[PH_EVENT__MAX] = {
	[PH_EVENT_REQUESTED] = sql_requested,
	[PH_EVENT_PUBLISHED] = sql_published,
	[PH_EVENT_FAILED] = sql_failed,
	[PH_EVENT_RETRIED] = sql_retried,
	[PH_EVENT_JOBS_COMPLETED] = sql_jobs_completed,
	[PH_EVENT_CLIPS_CREATED] = sql_clips_created,
	[PH_EVENT_ORCHESTRATOR] = sql_orchestrator,
};

struct count {
	struct ph_db	*db;
	unsigned	 events;	/* wanted, 1 << event */
	unsigned	 keys;
	int64_t		*n;		/* by event, so far */
	struct ph_err	*err;
};

/* Run a statement over [from, to) that gives counts of the events from first on; of a rollup the
 * buckets of step_ms. */
static enum ph_rc
add_row(struct count *c, const char *sql, int first, int nevents, int64_t step_ms, int64_t from, int64_t to)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i, key, bound = 0;

	if ((rc = ph_db_prepare(c->db, sql, &st, c->err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, from);
	ph_stmt_bind_int(st, 2, to);
	for (key = 0; key < PH_PLATFORM__MAX; key++)
		if (c->keys & 1u << key)
			ph_stmt_bind_text(st, BIND_KEYS + bound++, ph_platform_keys[key]);
	if (step_ms > 1)
		ph_stmt_bind_int(st, BIND_STEP, step_ms);
	if ((rc = ph_stmt_step(st, c->err)) == PH_ROW)
		for (i = 0; i < nevents; i++)
			c->n[first + i] += ph_stmt_int(st, i);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

/* Add what lies in [from, to), a multiple of step_ms; 1: the base rows. */
static enum ph_rc
add(struct count *c, int64_t step_ms, int64_t from, int64_t to)
{
	const int		 is_single = (c->events & (c->events - 1)) == 0;
	const char *const	*one = step_ms > 1 ? rollups : base_rows;
	enum ph_rc		 rc = PH_OK;
	int			 event;

	if (from >= to)
		return PH_OK;
	if (step_ms > 1 && !is_single)
		return add_row(c, sql_all, 0, PH_EVENT__MAX, step_ms, from, to);
	for (event = 0; event < PH_EVENT__MAX && rc == PH_OK; event++)
		if (c->events & 1u << event)
			rc = add_row(c, one[event], event, 1, step_ms, from, to);
	return rc;
}

/* Whole buckets of steps[0], and what is left at both ends by the next step. */
static enum ph_rc
add_split(struct count *c, const int64_t *steps, int64_t from, int64_t to)
{
	const int64_t	first = ph_time_floor(from + steps[0] - 1, steps[0], 0);
	const int64_t	last = ph_time_floor(to, steps[0], 0);
	enum ph_rc	rc;

	if (steps[0] == 1 || first >= last)
		return steps[0] == 1 ? add(c, 1, from, to) : add_split(c, steps + 1, from, to);
	if ((rc = add_split(c, steps + 1, from, first)) == PH_OK &&
	    (rc = add(c, steps[0], first, last)) == PH_OK)
		rc = add_split(c, steps + 1, last, to);
	return rc;
}

enum ph_rc
ph_event_counts(struct ph_db *db, unsigned events, unsigned keys, int64_t from_ms, int64_t to_ms,
    int64_t n[PH_EVENT__MAX], struct ph_err *err)
{
	static const int64_t	steps[] = { HOUR_MS, TEN_MINUTES_MS, MINUTE_MS, 1 };
	struct count		c = { .db = db, .events = events, .keys = keys, .n = n, .err = err };
	int			event;

	for (event = 0; event < PH_EVENT__MAX; event++) {
		assert(keys == 0 || !(events & 1u << event) || ph_events[event].has_platform);
		n[event] = 0;
	}
	return add_split(&c, steps, from_ms > 0 ? from_ms : 0, to_ms);
}

enum ph_rc
ph_event_count(struct ph_db *db, enum ph_event event, unsigned keys, int64_t from_ms, int64_t to_ms,
    int64_t *n, struct ph_err *err)
{
	int64_t		counts[PH_EVENT__MAX];
	const enum ph_rc rc = ph_event_counts(db, 1u << event, keys, from_ms, to_ms, counts, err);

	*n = counts[event];
	return rc;
}
