/*
 * jobs.c -- pilothouse jobs: what the jobs did and when they run next; a run by hand.
 */
#include "autoconf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "core/config.h"
#include "core/job.h"
#include "instance.h"
#include "jobs.h"
#include "routes.h"

static const char usage[] = "jobs [--json] | jobs run NAME [--MODE]";

static const char sql_last[] =
	"SELECT status, coalesce(finished_at, started_at), items, coalesce(error, detail, '')"
	" FROM job_runs WHERE job = $1 ORDER BY started_at DESC, rowid DESC LIMIT 1";

const char *
job_name(const cJSON *job)
{
	return route_text(job, "name") + strlen("job-");
}

int
job_is_wanted(const cJSON *job)
{
	return strcmp(ph_config_str(PH_CFG_JOBS), "all") == 0 || ph_config_has(PH_CFG_JOBS, job_name(job));
}

static const cJSON *
find_job(const cJSON *jobs, const char *name, size_t len)
{
	const cJSON *j;

	cJSON_ArrayForEach(j, jobs)
		if (strlen(job_name(j)) == len && strncmp(job_name(j), name, len) == 0)
			return j;
	return NULL;
}

cJSON *
jobs_load(struct ph_err *err)
{
	const char	*p = ph_config_str(PH_CFG_JOBS);
	cJSON		*jobs = read_list("jobs.json", err);
	size_t		 n;

	if (jobs == NULL || strcmp(p, "all") == 0 || strcmp(p, "none") == 0)
		return jobs;
	for (; *(p += strspn(p, " ")) != '\0'; p += n) {
		n = strcspn(p, " ");
		if (find_job(jobs, p, n) != NULL)
			continue;
		ph_fail(err, PH_EPARAM, "PH_JOBS: there is no job %.*s; `pilothouse jobs` lists them", (int)n, p);
		cJSON_Delete(jobs);
		return NULL;
	}
	return jobs;
}

enum ph_rc
job_last(struct ph_db *db, const char *name, struct job_last *last, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*last = (struct job_last){ .items = 0 };
	if ((rc = ph_db_prepare(db, sql_last, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, name);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		snprintf(last->status, sizeof(last->status), "%s", ph_stmt_text(st, 0));
		ph_time_format(last->at, ph_stmt_int(st, 1), 0);
		last->items = ph_stmt_int(st, 2);
		snprintf(last->text, sizeof(last->text), "%s", ph_stmt_text(st, 3));
	}
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static void
add_text(cJSON *o, const char *key, const char *text)
{
	if (text[0] != '\0')
		cJSON_AddStringToObject(o, key, text);
	else
		cJSON_AddNullToObject(o, key);
}

/* {name, interval_s, status, last_at, items, text, next_at}; null: never ran, will not run.
 * A service (interval_s 0) has no runs; `pilothouse status` tells whether it works. */
static cJSON *
job_state(const cJSON *job, const struct job_last *last)
{
	const int	 interval_s = cJSON_GetObjectItem(job, "interval_s")->valueint;
	char		 next[PH_TIME_SIZE] = "";
	cJSON		*o = cJSON_CreateObject();

	if (job_is_wanted(job) && interval_s > 0)
		ph_time_format(next, ph_job_next_turn(interval_s, ph_clock_now_ms(NULL)), 0);
	cJSON_AddStringToObject(o, "name", job_name(job));
	cJSON_AddNumberToObject(o, "interval_s", interval_s);
	add_text(o, "status", last->status);
	add_text(o, "last_at", last->at);
	cJSON_AddNumberToObject(o, "items", (double)last->items);
	add_text(o, "text", last->text);
	add_text(o, "next_at", next);
	return o;
}

static void
print_table(const cJSON *states)
{
	const cJSON	*s;

	printf("%-16s  %7s  %-8s  %-24s  %10s  %-20s  %s\n", "NAME", "EVERY", "STATUS", "LAST RUN", "ITEMS",
	    "NEXT RUN", "TEXT");
	cJSON_ArrayForEach(s, states) {
		const int	 is_new = route_text(s, "status")[0] == '\0';
		const char	*next = route_text(s, "next_at");
		const int	 interval_s = cJSON_GetObjectItem(s, "interval_s")->valueint;
		char		 every[16] = "always";

		if (interval_s > 0)
			snprintf(every, sizeof(every), "%5d s", interval_s);
		printf("%-16s  %7s  %-8s  %-24s  %10.0f  %-20s  %s\n", route_text(s, "name"), every,
		    is_new ? "-" : route_text(s, "status"), interval_s == 0 ? "-" : is_new ? "never" :
		    route_text(s, "last_at"), cJSON_GetObjectItem(s, "items")->valuedouble,
		    next[0] == '\0' ? "-" : next, route_text(s, "text"));
	}
}

static int
list(const cJSON *jobs, int is_json)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct job_last	 last;
	cJSON		*states = cJSON_CreateArray();
	const cJSON	*j;
	struct ph_db	*db;
	char		*text;
	enum ph_rc	 rc = PH_OK;

	if ((db = instance_open(&err)) == NULL) {
		cJSON_Delete(states);
		return complain(&err);
	}
	cJSON_ArrayForEach(j, jobs)
		if ((rc = job_last(db, job_name(j), &last, &err)) == PH_OK)
			cJSON_AddItemToArray(states, job_state(j, &last));
		else
			break;
	if (instance_close(db, rc, &err) == PH_OK && is_json) {
		if ((text = cJSON_Print(states)) != NULL)
			puts(text);
		free(text);
	} else if (err.rc == PH_OK)
		print_table(states);
	cJSON_Delete(states);
	return err.rc == PH_OK ? 0 : complain(&err);
}

static int
run_once(const cJSON *jobs, const char *name, const char *mode)
{
	struct ph_err	 err = { .rc = PH_OK };
	char		 program[PATH_SIZE];
	const cJSON	*job = find_job(jobs, name, strlen(name));

	if (job == NULL) {
		ph_fail(&err, PH_ENOTFOUND, "there is no job %s; `pilothouse jobs` lists them", name);
		return complain(&err);
	}
	program_path(program, route_text(job, "name"));
	execl(program, program, "--once", mode, (char *)NULL);
	ph_fail(&err, PH_EINTERNAL, "%s: %s", program, strerror(errno));
	return complain(&err);
}

int
cmd_jobs(int argc, char **argv)
{
	const int	 is_json = argc == 2 && strcmp(argv[1], "--json") == 0;
	const int	 is_run = argc >= 3 && strcmp(argv[1], "run") == 0;
	struct ph_err	 err = { .rc = PH_OK };
	cJSON		*jobs;
	int		 status;

	if (argc != 1 && !is_json && (!is_run || argc > 4 || (argc == 4 && strncmp(argv[3], "--", 2) != 0)))
		return complain_usage(usage);
	if ((jobs = jobs_load(&err)) == NULL)
		return complain(&err);
	status = is_run ? run_once(jobs, argv[2], argc == 4 ? argv[3] : NULL) : list(jobs, is_json);
	cJSON_Delete(jobs);
	return status;
}
