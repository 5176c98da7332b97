/*
 * verify.c -- pilothouse verify: are the counters what the base rows say?  By the views of expected.sql.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core/recount.h"
#include "instance.h"
#include "verify.h"

static const char sql_wrong_logs[] =
	"SELECT count(*) FROM publish_logs"
	" WHERE (platform_key, proc_ms) IS NOT (derived_platform_key, derived_proc_ms)";
static const char sql_wrong_jobs[] =
	"SELECT count(*) FROM jobs j JOIN job_derived d ON d.job_rowid = j.rowid"
	" WHERE j.params_platform IS NOT d.params_platform";
static const char sql_derive[] =
	"UPDATE publish_logs SET platform_key = derived_platform_key, proc_ms = derived_proc_ms"
	" WHERE (platform_key, proc_ms) IS NOT (derived_platform_key, derived_proc_ms);"
	"UPDATE jobs SET params_platform = d.params_platform FROM job_derived d"
	" WHERE d.job_rowid = jobs.rowid AND jobs.params_platform IS NOT d.params_platform;";

enum ph_rc
expect_counters(struct ph_db *db, struct ph_err *err)
{
	char	path[PATH_SIZE];

	return run_file(db, data_path(path, "expected.sql"), err);
}

enum ph_rc
rebuild_counters(struct ph_db *db, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_script(db, sql_derive, err)) != PH_OK || (rc = expect_counters(db, err)) != PH_OK)
		return rc;
	return ph_recount(db, NULL, NULL, err);
}

static void
print_difference(void *arg, const char *table, const char *text)
{
	(void)arg;
	printf("%s: %s\n", table, text);
}

static enum ph_rc
verify(struct ph_db *db, int64_t *differences, struct ph_err *err)
{
	int64_t		logs, jobs;
	enum ph_rc	rc;

	if ((rc = ph_db_one_int(db, sql_wrong_logs, &logs, err)) != PH_OK ||
	    (rc = ph_db_one_int(db, sql_wrong_jobs, &jobs, err)) != PH_OK)
		return rc;
	if (logs + jobs > 0)
		printf("derived columns: %" PRId64 " rows differ\n", logs + jobs);
	if ((rc = expect_counters(db, err)) != PH_OK ||
	    (rc = ph_recount_compare(db, NULL, print_difference, NULL, differences, err)) != PH_OK)
		return rc;
	*differences += logs + jobs;
	return PH_OK;
}

int
cmd_verify(int argc, char **argv)
{
	const int	 is_repair = argc == 2 && strcmp(argv[1], "--repair") == 0;
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db;
	int64_t		 differences = 0;
	enum ph_rc	 rc;

	if (argc > 2 || (argc == 2 && !is_repair))
		return complain_usage("verify [--repair]");
	if ((db = instance_open(&err)) == NULL)
		return complain(&err);
	rc = verify(db, &differences, &err);
	if (rc == PH_OK && differences > 0 && is_repair &&
	    (rc = ph_db_triggers(db, 0, &err)) == PH_OK &&
	    (rc = rebuild_counters(db, &err)) == PH_OK)
		rc = audit(db, "counters.repair", NULL, NULL, &err);
	if (instance_close(db, rc, &err) != PH_OK)
		return complain(&err);
	if (differences == 0)
		printf("every counter equals its base rows\n");
	else
		printf("%" PRId64 " differences%s\n", differences, is_repair ? ", repaired" : "");
	return differences == 0 || is_repair ? 0 : 1;
}
