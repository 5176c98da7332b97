/*
 * lifecycle.c -- the life cycles as tables, and the one place that moves a row.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/hash.h"
#include "domain/lifecycle.h"

#define TO(status) (1u << (status))

static const unsigned log_moves[PH_LOG__MAX] = {
	[PH_LOG_SCHEDULED] = TO(PH_LOG_PENDING),
	[PH_LOG_PENDING] = TO(PH_LOG_PROCESSING) | TO(PH_LOG_SCHEDULED),
	[PH_LOG_PROCESSING] = TO(PH_LOG_SUCCESS) | TO(PH_LOG_RETRY) | TO(PH_LOG_FAILED),
	[PH_LOG_RETRY] = TO(PH_LOG_PROCESSING) | TO(PH_LOG_SCHEDULED) | TO(PH_LOG_SUCCESS) | TO(PH_LOG_FAILED),
	[PH_LOG_FAILED] = TO(PH_LOG_PENDING),
};
static const unsigned job_moves[PH_JOB__MAX] = {
	[PH_JOB_PENDING] = TO(PH_JOB_PROCESSING),
	[PH_JOB_PROCESSING] = TO(PH_JOB_COMPLETED) | TO(PH_JOB_RETRY) | TO(PH_JOB_FAILED),
	[PH_JOB_RETRY] = TO(PH_JOB_PENDING) | TO(PH_JOB_PROCESSING) | TO(PH_JOB_FAILED),
	[PH_JOB_FAILED] = TO(PH_JOB_PENDING),
};

int
ph_log_may_move(enum ph_log_status from, enum ph_log_status to)
{
	return (log_moves[from] & TO(to)) != 0;
}

int
ph_job_may_move(enum ph_job_status from, enum ph_job_status to)
{
	return (job_moves[from] & TO(to)) != 0;
}

/* What a move sets, and which of these it takes: $3: error, $4: instant, $5: post id or result,
 * $6: URL.  $1: rowid, $2: now. */
struct step {
	unsigned	 has_error : 1, has_instant : 1, has_text : 1, has_url : 1;
	const char	*sql;
};
static const struct step log_steps[PH_LOG__MAX] = {
	[PH_LOG_SCHEDULED] = { .has_instant = 1,
	    .sql = "UPDATE publish_logs SET status = 'scheduled', schedule_type = 'scheduled',"
		" scheduled_for = coalesce($4, scheduled_for), updated_at = $2 WHERE rowid = $1" },
	[PH_LOG_PENDING] = {
	    .sql = "UPDATE publish_logs SET status = 'pending', updated_at = $2,"
		" requeued_at = CASE status WHEN 'failed' THEN $2 ELSE requeued_at END, failed_at = NULL,"
		" error_message = CASE status WHEN 'failed' THEN NULL ELSE error_message END WHERE rowid = $1" },
	[PH_LOG_PROCESSING] = {
	    .sql = "UPDATE publish_logs SET status = 'processing', updated_at = $2 WHERE rowid = $1" },
	[PH_LOG_RETRY] = { .has_error = 1,
	    .sql = "UPDATE publish_logs SET status = 'retry', retry_count = retry_count + 1, last_retry_at = $2,"
		" error_message = coalesce($3, error_message), updated_at = $2 WHERE rowid = $1" },
	[PH_LOG_SUCCESS] = { .has_instant = 1, .has_text = 1, .has_url = 1,
	    .sql = "UPDATE publish_logs SET status = 'success', published_at = coalesce($4, $2),"
		" external_post_id = coalesce($5, external_post_id), external_url = coalesce($6, external_url),"
		" error_message = NULL, updated_at = $2 WHERE rowid = $1" },
	[PH_LOG_FAILED] = { .has_error = 1, .has_instant = 1,
	    .sql = "UPDATE publish_logs SET status = 'failed', failed_at = coalesce($4, $2),"
		" error_message = coalesce($3, error_message), updated_at = $2 WHERE rowid = $1" },
};
static const struct step job_steps[PH_JOB__MAX] = {
	[PH_JOB_PENDING] = {
	    .sql = "UPDATE jobs SET status = 'pending', error_message = NULL, updated_at = $2 WHERE rowid = $1" },
	[PH_JOB_PROCESSING] = { .sql = "UPDATE jobs SET status = 'processing', updated_at = $2 WHERE rowid = $1" },
	[PH_JOB_RETRY] = { .has_error = 1,
	    .sql = "UPDATE jobs SET status = 'retry', error_message = coalesce($3, error_message),"
		" updated_at = $2 WHERE rowid = $1" },
	[PH_JOB_COMPLETED] = { .has_text = 1,
	    .sql = "UPDATE jobs SET status = 'completed', result = coalesce($5, result), error_message = NULL,"
		" updated_at = $2 WHERE rowid = $1" },
	[PH_JOB_FAILED] = { .has_error = 1,
	    .sql = "UPDATE jobs SET status = 'failed', error_message = coalesce($3, error_message),"
		" updated_at = $2 WHERE rowid = $1" },
};

/* Where a row stands.  The ledger's event is made of it before the move, to keep what the move clears. */
static const char sql_log_now[] =
	"SELECT rowid, status, retry_count + 1 < max_retries, scheduled_for IS NOT NULL"
	" FROM publish_logs WHERE id = $1";
static const char sql_job_now[] = "SELECT rowid, status FROM jobs WHERE id = $1";

/* $1: rowid, $2: now, $3: error, $7: event's id, $8: its type, $9: severity, $10: to, $11: actor, $12: worker. */
static const char sql_log_event[] =
	"INSERT INTO ledger_events (id, timestamp, event_type, entity_type, entity_id, event_data, severity,"
	" worker_id, clip_id) SELECT $7, $2, $8, 'publish_log', id, json_object('from', status, 'to', $10,"
	" 'by', $11, 'platform', platform, 'retry_count', retry_count, 'error', coalesce($3, error_message)),"
	" $9, $12, clip_id FROM publish_logs WHERE rowid = $1";
static const char sql_job_event[] =
	"INSERT INTO ledger_events (id, timestamp, event_type, entity_type, entity_id, event_data, severity,"
	" worker_id, job_id, clip_id) SELECT $7, $2, $8, 'job', id, json_object('from', status, 'to', $10,"
	" 'by', $11, 'job_type', job_type, 'error', coalesce($3, error_message)),"
	" $9, $12, id, clip_id FROM jobs WHERE rowid = $1";

static int
find(const char *const *names, const char *name)
{
	int i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* What the ledger says of a row about to move. */
struct note {
	const char	*sql;		/* sql_log_event, sql_job_event */
	const char	*type;		/* "publication", "job" */
	const char	*to;
};

static enum ph_rc
write_note(struct ph_db *db, int64_t rowid, const struct note *n, const struct ph_move *m, struct ph_err *err)
{
	const char	*severity = strcmp(n->to, "failed") == 0 ? "ERROR" : strcmp(n->to, "retry") == 0 ? "WARN" : "INFO";
	char		 id[37], type[48];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, n->sql, &st, err)) != PH_OK)
		return rc;
	ph_uuid(id);
	snprintf(type, sizeof(type), "%s.%s", n->type, n->to);
	ph_stmt_bind_int(st, 1, rowid);
	ph_stmt_bind_int(st, 2, m->now_ms);
	ph_stmt_bind_text(st, 3, m->error_message);
	ph_stmt_bind_text(st, 7, id);
	ph_stmt_bind_text(st, 8, type);
	ph_stmt_bind_text(st, 9, severity);
	ph_stmt_bind_text(st, 10, n->to);
	ph_stmt_bind_text(st, 11, m->actor);
	ph_stmt_bind_text(st, 12, m->worker_id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* instant: -1: none. */
static enum ph_rc
take_step(struct ph_db *db, int64_t rowid, const struct step *step, const struct ph_move *m, int64_t instant,
    const char *text, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, step->sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, rowid);
	ph_stmt_bind_int(st, 2, m->now_ms);
	if (step->has_error)
		ph_stmt_bind_text(st, 3, m->error_message);
	if (step->has_instant && instant >= 0)
		ph_stmt_bind_int(st, 4, instant);
	if (step->has_text)
		ph_stmt_bind_text(st, 5, text);
	if (step->has_url)
		ph_stmt_bind_text(st, 6, m->external_url);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_log_move(struct ph_db *db, const char *id, enum ph_log_status to, const struct ph_move *m,
    enum ph_log_status *from, struct ph_err *err)
{
	const struct note note = { sql_log_event, "publication", ph_log_statuses[to] };
	const int64_t	 instant = to == PH_LOG_SCHEDULED ? m->scheduled_for :
			    to == PH_LOG_SUCCESS ? m->published_at : m->failed_at;
	int64_t		 rowid = 0;
	int		 may_retry = 0, has_time = m->scheduled_for >= 0;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_log_now, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		rowid = ph_stmt_int(st, 0);
		*from = (enum ph_log_status)find(ph_log_statuses, ph_stmt_text(st, 1));
		may_retry = ph_stmt_int(st, 2) != 0;
		has_time = has_time || ph_stmt_int(st, 3) != 0;
	}
	ph_stmt_done(st);
	if (rc != PH_ROW)
		return rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no publication %.64s", id) : rc;
	if (!ph_log_may_move(*from, to))
		return ph_fail(err, PH_ESTATE, "a publication cannot become %s: it is %s", note.to,
		    ph_log_statuses[*from]);
	if (to == PH_LOG_RETRY && !may_retry)
		return ph_fail(err, PH_ESTATE, "a publication cannot become retry: it is %s and its retries are used "
		    "up; failed is left", ph_log_statuses[*from]);
	if (to == PH_LOG_SCHEDULED && !has_time)
		return ph_fail_param(err, "scheduled_for", 13, "is required: the publication has no time yet");
	if ((rc = write_note(db, rowid, &note, m, err)) == PH_OK)
		rc = take_step(db, rowid, &log_steps[to], m, instant, m->external_post_id, err);
	return rc;
}

enum ph_rc
ph_job_move(struct ph_db *db, const char *id, enum ph_job_status to, const struct ph_move *m,
    enum ph_job_status *from, struct ph_err *err)
{
	const struct note note = { sql_job_event, "job", ph_job_statuses[to] };
	int64_t		 rowid = 0;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_job_now, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		rowid = ph_stmt_int(st, 0);
		*from = (enum ph_job_status)find(ph_job_statuses, ph_stmt_text(st, 1));
	}
	ph_stmt_done(st);
	if (rc != PH_ROW)
		return rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no job %.64s", id) : rc;
	if (!ph_job_may_move(*from, to))
		return ph_fail(err, PH_ESTATE, "a job cannot become %s: it is %s", note.to,
		    ph_job_statuses[*from]);
	if ((rc = write_note(db, rowid, &note, m, err)) == PH_OK)
		rc = take_step(db, rowid, &job_steps[to], m, -1, m->result, err);
	return rc;
}
