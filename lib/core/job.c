/*
 * job.c -- turns, and the life of one run: lock and row, the work, row and lock.
 *
 * Both ends of a run are one transaction each, so a lock that is held has its row, and a row
 * that is running has, or had, its lock.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/hash.h"
#include "core/job.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/utf8.h"

enum {
	TX_DEADLINE_MS = 30000,
	WAIT_MAX_MS = 1000,	/* between two looks at the clock, which may be set, and at our file */
	AGAIN_MS = 1000,	/* from the failure of a service to its next try */
	DETAIL_SIZE = 400,
	PROGRESS_SIZE = 78,	/* of a line that fits into every terminal */
	ERROR_SIZE = 320
};

#define LOCK_PREFIX "job:"
#define PROGRAM_PREFIX "job-"

struct ph_job_run {
	const struct ph_job	*job;
	struct ph_db		*db;
	const char		*mode;		/* NULL: none */
	struct ph_lock		 lock;
	int			 is_lost;	/* the lock is */
	int64_t			 prolonged_at;	/* the lease */
	int64_t			 now_ms;
	int64_t			 items;
	char			 id[37];
	char			 detail[DETAIL_SIZE];
	int			 has_progress;	/* on the terminal's last line */
	/* of a service */
	const sigset_t		*waiting;
	int			 is_once;
	int			 rounds;
};

/* A lock of another owner than the run's is that of a later run. */
static const char sql_abort[] =
	"UPDATE job_runs SET status = 'aborted', finished_at = $1 WHERE status = 'running'"
	" AND NOT EXISTS (SELECT 1 FROM job_locks AS l WHERE l.name = '" LOCK_PREFIX "' || job_runs.job"
	"  AND l.owner = job_runs.owner AND l.expires_at > $1)";
static const char sql_start[] =
	"INSERT INTO job_runs (id, job, owner, started_at, status) VALUES ($1, $2, $3, $4, 'running')";

static const char sql_forget_idle[] =
	"DELETE FROM job_runs WHERE job = $1 AND status = 'success' AND items = 0";
static const char sql_forget_repeated[] =
	"DELETE FROM job_runs WHERE status = 'failed' AND items = 0 AND error = $3 AND id ="
	" (SELECT id FROM job_runs WHERE job = $1 AND id <> $2 ORDER BY started_at DESC, rowid DESC LIMIT 1)"
	" RETURNING started_at";
/* A row that is not running any more was aborted by a later run. */
static const char sql_finish[] =
	"UPDATE job_runs SET started_at = $2, finished_at = $3, status = $4, items = $5, detail = $6,"
	" error = $7 WHERE id = $1 AND status = 'running'";

static const char *
short_name(const struct ph_job *job)
{
	assert(strncmp(job->name, PROGRAM_PREFIX, sizeof(PROGRAM_PREFIX) - 1) == 0);
	return job->name + sizeof(PROGRAM_PREFIX) - 1;
}

/* Shorten text that was cut inside a character. */
static void
keep_utf8(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && !ph_utf8_is_valid(text, len))
		text[--len] = '\0';
}

int64_t
ph_job_next_turn(int interval_s, int64_t now_ms)
{
	const int64_t step_ms = (int64_t)interval_s * 1000;

	return now_ms - now_ms % step_ms + step_ms;
}

/* At most WAIT_MAX_MS of it. */
static struct timespec
span(int64_t ms)
{
	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L };
}

static void
log_failure(const struct ph_job *job, enum ph_rc rc, const struct ph_err *err)
{
	ph_log("error", job->name, "%s: %s%s%s", ph_problem(rc)->code,
	    err->detail[0] != '\0' ? err->detail : ph_problem(rc)->title,
	    err->internal[0] != '\0' ? "; " : "", err->internal);
}

/* -- for jobs ----------------------------------------------------------------------- */

int64_t
ph_job_run_now_ms(const struct ph_job_run *run)
{
	return run->now_ms;
}

int
ph_job_run_is(const struct ph_job_run *run, const char *mode)
{
	return run->mode != NULL && strcmp(run->mode, mode) == 0;
}

struct ph_db *
ph_job_run_db(struct ph_job_run *run)
{
	return run->db;
}

/* Begin a transaction under the lock, and prolong the lease if is_due, or if it is time to. */
static enum ph_rc
begin_locked(struct ph_job_run *run, int is_due, struct ph_err *err)
{
	enum ph_rc	rc;
	int64_t		now;

	if ((rc = ph_db_begin(run->db, err)) != PH_OK)
		return rc;
	now = ph_clock_now_ms(NULL);
	if (!is_due && now - run->prolonged_at < PH_LOCK_HEARTBEAT_MS)
		rc = ph_lock_check(run->db, &run->lock, now, err);
	else if ((rc = ph_lock_heartbeat(run->db, &run->lock, now, err)) == PH_OK)
		run->prolonged_at = now;
	if (rc == PH_ECONFLICT)
		run->is_lost = 1;
	if (rc != PH_OK)
		ph_db_end(run->db);
	return rc;
}

enum ph_rc
ph_job_run_begin(struct ph_job_run *run, struct ph_err *err)
{
	return begin_locked(run, 0, err);
}

enum ph_rc
ph_job_run_heartbeat(struct ph_job_run *run, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = begin_locked(run, 1, err)) == PH_OK)
		rc = ph_db_commit(run->db, err);
	ph_db_end(run->db);
	return rc;
}

int
ph_job_run_should_stop(struct ph_job_run *run)
{
	return run->is_lost || ph_program_is_stopping();
}

int
ph_job_run_wait(struct ph_job_run *run, int64_t ms)
{
	const int64_t	end_us = ph_clock_mono_us() + ms * 1000;
	int64_t		left_ms;
	struct timespec	ts;

	run->rounds++;
	while (!run->is_once && !ph_program_is_stopping() && !ph_program_is_replaced()) {
		if ((left_ms = (end_us - ph_clock_mono_us() + 999) / 1000) <= 0)
			return 1;
		ts = span(left_ms);
		ppoll(NULL, 0, &ts, run->waiting);
	}
	return 0;
}

void
ph_job_run_count(struct ph_job_run *run, int64_t n)
{
	assert(n >= 0);
	run->items += n;
}

void
ph_job_run_detail(struct ph_job_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(run->detail, sizeof(run->detail), fmt, ap);	/* may be cut */
	va_end(ap);
	keep_utf8(run->detail);
}

void
ph_job_run_progress(struct ph_job_run *run, const char *fmt, ...)
{
	char	line[PROGRESS_SIZE];
	va_list	ap;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);		/* may be cut */
	va_end(ap);
	run->has_progress = 1;
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
}

/* -- the two ends of a run ------------------------------------------------------------ */

static enum ph_rc
abort_orphans(struct ph_db *db, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_abort, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
insert_row(struct ph_job_run *run, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(run->db, sql_start, &st, err)) != PH_OK)
		return rc;
	ph_uuid(run->id);
	ph_stmt_bind_text(st, 1, run->id);
	ph_stmt_bind_text(st, 2, short_name(run->job));
	ph_stmt_bind_text(st, 3, run->lock.owner);
	ph_stmt_bind_int(st, 4, run->now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* PH_ERUNNING: another process has this job's lock. */
static enum ph_rc
begin_run(struct ph_job_run *run, struct ph_err *err)
{
	char		name[PH_LOCK_NAME_SIZE];
	enum ph_rc	rc;

	snprintf(name, sizeof(name), LOCK_PREFIX "%s", short_name(run->job));
	if ((rc = ph_db_begin(run->db, err)) != PH_OK)
		return rc;
	run->now_ms = run->prolonged_at = ph_clock_now_ms(NULL);
	if ((rc = ph_lock_acquire(run->db, name, run->now_ms, &run->lock, err)) == PH_OK &&
	    run->lock.fence == 0)
		rc = ph_fail(err, PH_ERUNNING, "another process runs this job now");
	if (rc == PH_OK && (rc = abort_orphans(run->db, run->now_ms, err)) == PH_OK &&
	    (rc = insert_row(run, err)) == PH_OK)
		rc = ph_db_commit(run->db, err);
	ph_db_end(run->db);
	return rc;
}

/* Remove what the run says again.  *started_at: of the failure that goes, else unchanged. */
static enum ph_rc
forget_same(struct ph_job_run *run, const char *error, int64_t *started_at, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if (run->items > 0)
		return PH_OK;
	if ((rc = ph_db_prepare(run->db, error != NULL ? sql_forget_repeated : sql_forget_idle, &st,
	    err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, short_name(run->job));
	if (error != NULL) {
		ph_stmt_bind_text(st, 2, run->id);
		ph_stmt_bind_text(st, 3, error);
	}
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*started_at = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* error NULL: success. */
static enum ph_rc
finish_row(struct ph_job_run *run, const char *error, struct ph_err *err)
{
	int64_t		 started_at = run->now_ms;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = forget_same(run, error, &started_at, err)) != PH_OK ||
	    (rc = ph_db_prepare(run->db, sql_finish, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, run->id);
	ph_stmt_bind_int(st, 2, started_at);
	ph_stmt_bind_int(st, 3, ph_clock_now_ms(NULL));
	ph_stmt_bind_text(st, 4, error == NULL ? "success" : "failed");
	ph_stmt_bind_int(st, 5, run->items);
	ph_stmt_bind_text(st, 6, run->detail[0] != '\0' ? run->detail : NULL);
	ph_stmt_bind_text(st, 7, error);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_OK && ph_db_changes(run->db) == 0)
		rc = ph_fail(err, PH_ECONFLICT, "the run lost its lock and counts as aborted");
	return rc;
}

static enum ph_rc
end_run(struct ph_job_run *run, const char *error, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_begin(run->db, err)) != PH_OK)
		return rc;
	if ((rc = finish_row(run, error, err)) == PH_OK &&
	    (rc = ph_lock_release(run->db, &run->lock, err)) == PH_OK)
		rc = ph_db_commit(run->db, err);
	ph_db_end(run->db);
	return rc;
}

/* PH_DONE: there is nothing to do. */
static enum ph_rc
check_due(const struct ph_job *job, struct ph_db *db, struct ph_err *err)
{
	int		is_due = 1;
	enum ph_rc	rc;

	if (job->is_due == NULL)
		return PH_OK;
	if ((rc = ph_db_begin(db, err)) == PH_OK)
		rc = job->is_due(db, ph_clock_now_ms(NULL), &is_due, err);
	ph_db_end(db);
	return rc == PH_OK && !is_due ? PH_DONE : rc;
}

/* One turn.  PH_ERUNNING: another process has it; PH_DONE: there is nothing to do.  last: what the turn before came
 * to.  mode: of a run by hand, or NULL. */
static enum ph_rc
take_turn(const struct ph_job *job, struct ph_db *db, enum ph_rc last, int is_once, const char *mode)
{
	struct ph_job_run	 run = { .job = job, .db = db, .mode = mode };
	struct ph_err		 err = { .rc = PH_OK }, end_err = { .rc = PH_OK };
	char			 error[ERROR_SIZE];
	enum ph_rc		 rc;

	if ((rc = check_due(job, db, &err)) == PH_OK && (rc = begin_run(&run, &err)) == PH_OK) {
		rc = job->run(&run, &err);
		ph_db_end(db);
		if (run.has_progress)
			fputc('\n', stderr);
		snprintf(error, sizeof(error), "%s: %s", ph_problem(rc)->code,
		    err.detail[0] != '\0' ? err.detail : ph_problem(rc)->title);
		keep_utf8(error);
		if (end_run(&run, rc == PH_OK ? NULL : error, &end_err) != PH_OK && rc == PH_OK) {
			err = end_err;
			rc = err.rc;
		}
		if (rc == PH_OK && (is_once || run.items > 0))
			ph_log("info", job->name, "%" PRId64 " items%s%s", run.items,
			    run.detail[0] != '\0' ? ": " : "", run.detail);
	} else if (is_once && (rc == PH_DONE || rc == PH_ERUNNING))
		ph_log("info", job->name, "%s", rc == PH_DONE ? "there is nothing to do" : err.detail);
	/* A cause that stays is told once. */
	if (rc != PH_OK && rc != PH_DONE && rc != PH_ERUNNING && rc != last)
		log_failure(job, rc, &err);
	return rc;
}

/* The life of a service. */
static enum ph_rc
serve(const struct ph_job *job, struct ph_db *db, const sigset_t *waiting, int is_once)
{
	struct ph_job_run	run;
	struct ph_err		err;
	enum ph_rc		rc = PH_OK, last;

	do {
		last = rc;
		err = (struct ph_err){ .rc = PH_OK };
		run = (struct ph_job_run){ .job = job, .db = db, .waiting = waiting, .is_once = is_once };
		rc = job->run(&run, &err);
		ph_db_end(db);
		if (rc != PH_OK && (rc != last || run.rounds > 0))
			log_failure(job, rc, &err);
	} while (ph_job_run_wait(&run, AGAIN_MS));
	return rc;
}

/* -- the program ------------------------------------------------------------------------ */

/* 1 when the next turn has come, 0 when the program shall end. */
static int
wait_for_turn(const struct ph_job *job, const sigset_t *waiting)
{
	int64_t		now = ph_clock_now_ms(NULL), due = ph_job_next_turn(job->interval_s, now);
	struct timespec	ts;

	for (; now < due; now = ph_clock_now_ms(NULL)) {
		if (ph_program_is_stopping() || ph_program_is_replaced())
			return 0;
		due = ph_job_next_turn(job->interval_s, now);	/* earlier when the clock was set back */
		ts = span(due - now);
		ppoll(NULL, 0, &ts, waiting);
	}
	return !ph_program_is_stopping();
}

static int
describe(const struct ph_job *job)
{
	cJSON	*o = cJSON_CreateObject();
	char	*text;
	int	 is_written;

	cJSON_AddStringToObject(o, "name", job->name);
	cJSON_AddStringToObject(o, "kind", "job");
	cJSON_AddNumberToObject(o, "interval_s", job->interval_s);
	cJSON_AddItemToObject(o, "needs", ph_program_needs(job->needs));
	cJSON_AddStringToObject(o, "summary", job->summary);
	if (job->description != NULL)
		cJSON_AddStringToObject(o, "description", job->description);
	text = cJSON_Print(o);
	is_written = text != NULL && puts(text) != EOF && fflush(stdout) == 0;
	free(text);
	cJSON_Delete(o);
	return is_written ? 0 : 1;
}

/* The mode that --full and the like ask for; NULL: the job has no such. */
static const char *
find_mode(const struct ph_job *job, const char *option)
{
	size_t i;

	for (i = 0; job->modes != NULL && job->modes[i] != NULL; i++)
		if (strncmp(option, "--", 2) == 0 && strcmp(option + 2, job->modes[i]) == 0)
			return job->modes[i];
	return NULL;
}

static void
complain_usage(const struct ph_job *job)
{
	size_t i;

	fprintf(stderr, "usage: %s [--once", job->name);
	for (i = 0; job->modes != NULL && job->modes[i] != NULL; i++)
		fprintf(stderr, "%s--%s", i == 0 ? " [" : "|", job->modes[i]);
	fprintf(stderr, "%s|--describe]\n", i > 0 ? "]" : "");
}

int
ph_job_main(const struct ph_job *job, int argc, char **argv)
{
	const int		 is_once = argc >= 2 && strcmp(argv[1], "--once") == 0;
	const char		*mode = is_once && argc == 3 ? find_mode(job, argv[2]) : NULL;
	struct ph_err		 err = { .rc = PH_OK };
	struct ph_db_limits	 limits = { .deadline_ms = TX_DEADLINE_MS };
	char			 path[512];
	sigset_t		 waiting;
	struct ph_db		*db;
	enum ph_rc		 rc = PH_OK;

	assert(job->interval_s >= 0);
	if (argc == 2 && strcmp(argv[1], "--describe") == 0)
		return describe(job);
	if (argc != 1 + is_once + (mode != NULL)) {
		complain_usage(job);
		return 2;
	}
	if (ph_config_load(NULL, &err) != PH_OK) {
		ph_log("error", job->name, "%s", err.detail);
		return 1;
	}
	limits.busy_timeout_ms = (int)ph_config_int(PH_CFG_BUSY_TIMEOUT_MS);
	if ((db = ph_db_new(ph_config_path(path, sizeof(path), "pilothouse.db"),
	    job->interval_s > 0 ? PH_DB_WRITER : PH_DB_READER, limits)) == NULL) {
		ph_log("error", job->name, "not enough memory to start");
		return 1;
	}
	ph_program_catch_stop(&waiting);
	if (job->interval_s == 0)
		rc = serve(job, db, &waiting, is_once);
	else if (is_once)
		rc = take_turn(job, db, PH_OK, 1, mode);
	else
		while (wait_for_turn(job, &waiting))
			rc = take_turn(job, db, rc, 0, NULL);
	ph_db_close(db);
	return !is_once || rc == PH_OK || rc == PH_DONE ? 0 : rc == PH_ERUNNING ? EX_TEMPFAIL : 1;
}
