/*
 * probe.c -- a job for tests, which does what the file probe in its home says.
 *
 *	count N		N items
 *	fail TEXT	a failure with this sentence
 *	hold		wait until that file is gone, or the run shall stop; probe.held is there
 *	leave		leave a transaction with a row open
 *	later N		move the fixed clock of the tests N ms on
 *	beat N		the same, and then a heartbeat
 *
 * Without that file it does nothing.  What neither fails nor leaves ends with a row in the table
 * probe.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/config.h"
#include "core/job.h"

enum { STEP_NS = 5000000 };

static const char sql_insert[] = "INSERT INTO probe (at) VALUES ($1)";

static enum ph_rc
write_row(struct ph_job_run *run, int is_committed, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_job_run_begin(run, err)) != PH_OK ||
	    (rc = ph_db_prepare(ph_job_run_db(run), sql_insert, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, ph_job_run_now_ms(run));
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc == PH_OK && is_committed ? ph_db_commit(ph_job_run_db(run), err) : rc;
}

static void
hold(struct ph_job_run *run, const char *order_path)
{
	const struct timespec	step = { .tv_nsec = STEP_NS };
	char			path[512];
	FILE			*f;

	if ((f = fopen(ph_config_path(path, sizeof(path), "probe.held"), "we")) != NULL)
		fclose(f);
	while (access(order_path, F_OK) == 0 && !ph_job_run_should_stop(run))
		nanosleep(&step, NULL);
}

static void
move_clock(const struct ph_job_run *run, const char *by_ms)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)ph_job_run_now_ms(run) + strtoll(by_ms, NULL, 10));
	setenv("PH_NOW_MS", text, 1);
}

static enum ph_rc
probe_run(struct ph_job_run *run, struct ph_err *err)
{
	char		path[512], order[256] = "";
	FILE		*f;
	enum ph_rc	rc;

	if ((f = fopen(ph_config_path(path, sizeof(path), "probe"), "re")) == NULL)
		return PH_OK;
	if (fgets(order, sizeof(order), f) == NULL)
		order[0] = '\0';
	fclose(f);
	order[strcspn(order, "\n")] = '\0';
	if (strncmp(order, "fail ", 5) == 0)
		return ph_fail(err, PH_EDB, "%s", order + 5);
	if (strcmp(order, "leave") == 0)
		return write_row(run, 0, err);
	if (strcmp(order, "hold") == 0)
		hold(run, path);
	if (strncmp(order, "count ", 6) == 0)
		ph_job_run_count(run, strtol(order + 6, NULL, 10));
	if (strncmp(order, "later ", 6) == 0 || strncmp(order, "beat ", 5) == 0)
		move_clock(run, strchr(order, ' ') + 1);
	if (strncmp(order, "beat ", 5) == 0 && (rc = ph_job_run_heartbeat(run, err)) != PH_OK)
		return rc;
	ph_job_run_detail(run, "order: %s", order);
	return write_row(run, 1, err);
}

static const struct ph_job job = {
	.name = "job-probe", .interval_s = 1, .needs = PH_NEED_DB_WRITE,
	.summary = "What a test orders", .run = probe_run,
};

int
main(int argc, char **argv)
{
	return ph_job_main(&job, argc, argv);
}
