/*
 * action-orchestrator.c -- run-orchestrator: one cycle of looking, deciding and acting.
 *
 * A cycle does three things, in this order, and takes each log once:
 *  1. Scheduled logs that are due become pending, as run-scheduler does it.
 *  2. Logs that are processing or in retry and did not change for ten minutes are reconciled.
 *     Where the post is known to be out -- the log has the platform's id of it, or publications
 *     confirms it at or after the request -- the log is a success.  Where only an older
 *     confirmation is there, nobody can tell: it is left.  Else it has failed.
 *  3. Logs that failed within a day and have retries left are tried again, after the workers'
 *     back-off of 1 s * 2^retry_count.  What step 2 gave up waits for the next cycle.
 *
 * Only one cycle runs at a time.  A run of another program is a row without finished_at; one of
 * ours is a single transaction, which nobody sees running: it was running at the same
 * time if it finished after this request came in.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/hash.h"
#include "domain/action-log.h"

enum { RELEASE_MAX = 500, RECONCILE_MAX = 200, RETRY_MAX = 50 };

#define MINUTE_MS	INT64_C(60000)
#define STUCK_MS	(10 * MINUTE_MS)
#define LEASE_MS	(10 * MINUTE_MS)	/* an older run without an end was killed */
#define WAIT_MAX_MS	(2 * MINUTE_MS)		/* a request waits for the lock less than that */
#define DAY_MS		INT64_C(86400000)

/* $1: now.  A run that finishes much later than now is one of a clock that was wrong. */
static const char sql_running[] =
	"SELECT 1 FROM orchestrator_runs WHERE started_at > $1 - $2"
	" AND ((finished_at IS NULL AND started_at <= $1) OR (finished_at > $1 AND finished_at < $1 + $3)) LIMIT 1";

/*
 * $1: now, $2: not changed since.  at: when it went out, -1: not at all, -2: nobody can tell.
 * ix_logs_stuck, ix_publications_clip.
 */
static const char sql_stuck[] =
	"SELECT log, CASE WHEN confirmed_at >= requested_at THEN confirmed_at"
	" WHEN post_id <> '' THEN coalesce(published_at, updated_at)"
	" WHEN confirmed_at IS NULL THEN -1 ELSE -2 END"
	" FROM (SELECT l.rowid AS log, l.requested_at, l.published_at, l.updated_at,"
	" coalesce(l.external_post_id, '') AS post_id,"
	" (SELECT max(coalesce(p.published_at, p.created_at)) FROM publications p"
	" WHERE p.clip_id = l.clip_id AND lower(trim(p.platform)) = lower(trim(l.platform))) AS confirmed_at"
	" FROM publish_logs l WHERE l.status IN ('processing', 'retry') AND l.updated_at <= $2"
	" ORDER BY l.updated_at LIMIT $3)";

/*
 * $1: now, $2: failed since.  Not what is in the queue again, or out since, or was tried anew and failed
 * anew: of such logs the last one is retried.  ix_logs_failed.
 */
static const char sql_retries[] =
	"SELECT l.rowid, 0 FROM publish_logs l WHERE l.status = 'failed' AND l.failed_at > $2"
	" AND l.retry_count + 1 < l.max_retries AND l.failed_at + (1000 << min(l.retry_count, 20)) <= $1"
	" AND NOT EXISTS (SELECT 1 FROM publish_logs o WHERE o.clip_id = l.clip_id AND o.rowid <> l.rowid"
	" AND lower(trim(o.platform)) = lower(trim(l.platform)) AND CASE o.status"
	" WHEN 'failed' THEN (o.failed_at, o.rowid) > (l.failed_at, l.rowid)"
	" WHEN 'success' THEN o.requested_at >= l.requested_at ELSE 1 END)"
	" ORDER BY l.failed_at LIMIT $3";

static const char sql_run[] =
	"INSERT INTO orchestrator_runs (id, started_at, finished_at, trigger, actions, succeeded, failed, summary)"
	" VALUES ($1, $2, $3, 'manual', $4, $4, 0, $5)";

static enum ph_rc
check_alone(struct ph_action_call *call, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, sql_running, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, call->now_ms);
	ph_stmt_bind_int(st, 2, LEASE_MS);
	ph_stmt_bind_int(st, 3, WAIT_MAX_MS);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		rc = ph_fail(err, PH_ERUNNING, "another cycle of the orchestrator was running at the same time");
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

struct decision { int64_t log, at; };

/* What a statement finds, at most max. */
static enum ph_rc
look(struct ph_action_call *call, const char *sql, int64_t since, int64_t max, struct decision *found,
    size_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*n = 0;
	if ((rc = ph_db_prepare(call->db, sql, &st, err)) != PH_OK)
		return rc;
	if (sql == sql_retries)
		ph_stmt_bind_int(st, 1, call->now_ms);
	ph_stmt_bind_int(st, 2, since);
	ph_stmt_bind_int(st, 3, max);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		found[(*n)++] = (struct decision){ ph_stmt_int(st, 0), ph_stmt_int(st, 1) };
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

enum { F_RUN_ID, F_ACTIONS, F_SUCCEEDED, F_FAILED, F_RELEASED, F_CONFIRMED, F_GIVEN_UP, F_LEFT, F_RETRIED, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_RUN_ID] = { .name = "run_id", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Of the row in orchestrator_runs; null in a dry run." },
	[F_ACTIONS] = { .name = "actions", .text = "Logs that were moved." },
	[F_SUCCEEDED] = { .name = "succeeded", .text = "Those where it worked: all, or the whole cycle is undone." },
	[F_FAILED] = { .name = "failed", .text = "Those where it did not." },
	[F_RELEASED] = { .name = "released", .text = "Scheduled logs that were due." },
	[F_CONFIRMED] = { .name = "confirmed", .text = "Stuck logs whose post is out." },
	[F_GIVEN_UP] = { .name = "given_up", .text = "Stuck logs without a confirmation, failed now." },
	[F_LEFT] = { .name = "left", .text = "Stuck logs of which nobody can tell." },
	[F_RETRIED] = { .name = "retried", .text = "Failed logs that are tried again." },
};

struct cycle { int64_t released, confirmed, given_up, left, retried; };

static enum ph_rc
reconcile(struct ph_action_call *call, struct cycle *c, struct ph_err *err)
{
	static const char	 no_word[] = "no confirmation from the platform within 10 minutes";
	struct decision		 found[RECONCILE_MAX];
	enum ph_rc		 rc;
	size_t			 n, i;

	rc = look(call, sql_stuck, call->now_ms - STUCK_MS, RECONCILE_MAX, found, &n, err);
	for (i = 0; i < n && rc == PH_OK; i++)
		if (found[i].at == -2)
			c->left++;
		else if (found[i].at == -1) {
			c->given_up++;
			rc = ph_action_move(call, found[i].log, PH_MOVE_GIVE_UP, 0, no_word, err);
		} else {
			c->confirmed++;
			rc = ph_action_move(call, found[i].log, PH_MOVE_CONFIRM, found[i].at, NULL, err);
		}
	return rc;
}

static enum ph_rc
retry(struct ph_action_call *call, struct cycle *c, struct ph_err *err)
{
	struct decision	found[RETRY_MAX];
	enum ph_rc	rc;
	size_t		n, i;

	rc = look(call, sql_retries, call->now_ms - DAY_MS, RETRY_MAX, found, &n, err);
	for (i = 0; i < n && rc == PH_OK; i++) {
		c->retried++;
		rc = ph_action_move(call, found[i].log, PH_MOVE_RETRY, 0, NULL, err);
	}
	return rc;
}

/* The row of the run, and what the result says beside the logs. */
static enum ph_rc
finish(struct ph_action_call *call, const struct cycle *c, struct ph_err *err)
{
	const int64_t	 end = ph_clock_now_ms(NULL);
	struct ph_value	 v[F__MAX];
	struct ph_stmt	*st;
	char		 id[37];
	enum ph_rc	 rc;

	ph_uuid(id);
	snprintf(call->target, sizeof(call->target), "%s", id);
	snprintf(call->message, sizeof(call->message), "%" PRId64 " released, %" PRId64 " confirmed, %" PRId64
	    " given up, %" PRId64 " left, %" PRId64 " retried.", c->released, c->confirmed, c->given_up, c->left,
	    c->retried);
	if ((rc = ph_db_prepare(call->db, sql_run, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_int(st, 2, call->now_ms);
	ph_stmt_bind_int(st, 3, end > call->now_ms ? end : call->now_ms);
	ph_stmt_bind_int(st, 4, call->changed);
	ph_stmt_bind_text(st, 5, call->message);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc != PH_OK)
		return rc;
	v[F_RUN_ID] = ph_v_str(call->is_dry_run ? NULL : id);
	v[F_ACTIONS] = v[F_SUCCEEDED] = ph_v_int(call->changed);
	v[F_FAILED] = ph_v_int(0);
	v[F_RELEASED] = ph_v_int(c->released);
	v[F_CONFIRMED] = ph_v_int(c->confirmed);
	v[F_GIVEN_UP] = ph_v_int(c->given_up);
	v[F_LEFT] = ph_v_int(c->left);
	v[F_RETRIED] = ph_v_int(c->retried);
	ph_json_fields(call->out, fields, v, F__MAX);
	return PH_OK;
}

static enum ph_rc
run_orchestrator(struct ph_action_call *call, struct ph_err *err)
{
	struct ph_filter	all;
	struct cycle		c = { 0 };
	enum ph_rc		rc;

	if ((rc = check_alone(call, err)) != PH_OK)
		return rc;
	ph_filter_init(&all);
	ph_json_arr_open(call->out, "logs");
	if ((rc = ph_action_release(call, &all, RELEASE_MAX, NULL, err)) == PH_OK) {
		c.released = call->changed;
		if ((rc = reconcile(call, &c, err)) == PH_OK)
			rc = retry(call, &c, err);
	}
	ph_json_close(call->out);
	return rc == PH_OK ? finish(call, &c, err) : rc;
}

static const struct ph_param params[] = { PH_ACTION_DRY_RUN };

const struct ph_action ph_action_run_orchestrator = {
	.name = "run-orchestrator", .short_name = "run_orchestrator", .entity = "orchestrator_run",
	.text = "One cycle: release what is due, reconcile what is stuck, retry what may be retried.",
	.params = params, .nparams = 1, .run = run_orchestrator,
};
