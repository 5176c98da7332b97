/*
 * verify.c -- pilothouse verify: are the counters what the base rows say?
 *
 * For each view X_expected in the order of expected.sql the table X is compared with it in both
 * directions.  A row whose figures are all 0 or NULL is the same as no row.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "instance.h"
#include "verify.h"

enum { TABLES_MAX = 64, NAME_SIZE = 64, SQL_SIZE = 4096, SHOWN_MAX = 10 };

struct counter_table {
	char	name[NAME_SIZE];
	char	columns[SQL_SIZE / 4];		/* a, b, c */
	char	text[SQL_SIZE / 4];		/* 'a=' || a || ' b=' || b */
	char	is_counted[SQL_SIZE / 4];	/* some figure is not 0 */
};

static const char sql_views[] =
	"SELECT substr(name, 1, length(name) - 9) FROM sqlite_temp_schema"
	" WHERE type = 'view' AND name LIKE '%\\_expected' ESCAPE '\\' ORDER BY rowid";
static const char sql_columns[] =
	"SELECT name, pk FROM pragma_table_info($1) ORDER BY cid";

static void
append(char *buf, size_t size, const char *fmt, const char *a, const char *b)
{
	const size_t len = strlen(buf);

	snprintf(buf + len, size - len, fmt, a, b);
}

static enum ph_rc
read_columns(struct ph_db *db, struct counter_table *t, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	const char	*name;

	if ((rc = ph_db_prepare(db, sql_columns, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, t->name);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		name = ph_stmt_text(st, 0);
		append(t->text, sizeof(t->text), t->text[0] == '\0' ? "'%s=' || ifnull(%s, 'NULL')" :
		    " || ' %s=' || ifnull(%s, 'NULL')", name, name);
		append(t->columns, sizeof(t->columns), t->columns[0] == '\0' ? "%s" : ", %s", name, "");
		if (ph_stmt_int(st, 1) == 0)
			append(t->is_counted, sizeof(t->is_counted), t->is_counted[0] == '\0' ?
			    "coalesce(%s, 0) <> 0" : " OR coalesce(%s, 0) <> 0", name, "");
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
expect_counters(struct ph_db *db, struct ph_err *err)
{
	char	path[PATH_SIZE];

	return run_file(db, data_path(path, "expected.sql"), err);
}

/* The counter tables in the order of their views; *n of them. */
static enum ph_rc
read_tables(struct ph_db *db, struct counter_table tables[TABLES_MAX], size_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;

	*n = 0;
	if ((rc = expect_counters(db, err)) != PH_OK ||
	    (rc = ph_db_prepare(db, sql_views, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && *n < TABLES_MAX) {
		memset(&tables[*n], 0, sizeof(tables[*n]));
		snprintf(tables[(*n)++].name, NAME_SIZE, "%s", ph_stmt_text(st, 0));
	}
	ph_stmt_done(st);
	if (rc != PH_DONE)
		return rc;
	for (i = 0, rc = PH_OK; i < *n && rc == PH_OK; i++)
		rc = read_columns(db, &tables[i], err);
	return rc;
}

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
rebuild_counters(struct ph_db *db, struct ph_err *err)
{
	struct counter_table	*tables = calloc(TABLES_MAX, sizeof(*tables));
	char			 sql[SQL_SIZE];
	enum ph_rc		 rc;
	size_t			 n, i;

	if (tables == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory");
	if ((rc = ph_db_script(db, sql_derive, err)) == PH_OK &&
	    (rc = read_tables(db, tables, &n, err)) == PH_OK)
		for (i = 0; i < n && rc == PH_OK; i++) {
			snprintf(sql, sizeof(sql), "DELETE FROM %s; INSERT INTO %s (%s) SELECT %s FROM %s_expected",
			    tables[i].name, tables[i].name, tables[i].columns, tables[i].columns,
			    tables[i].name);
			rc = ph_db_script(db, sql, err);
		}
	free(tables);
	return rc;
}

/* Print up to SHOWN_MAX rows that are in one of the two and not in the other. */
static enum ph_rc
compare(struct ph_db *db, const struct counter_table *t, int64_t *differences, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		 sql[SQL_SIZE];
	enum ph_rc	 rc;

	snprintf(sql, sizeof(sql), "SELECT 'expected' AS side, %s FROM (SELECT %s FROM %s_expected WHERE %s"
	    " EXCEPT SELECT %s FROM %s) UNION ALL SELECT 'found', %s FROM (SELECT %s FROM %s WHERE %s"
	    " EXCEPT SELECT %s FROM %s_expected)", t->text, t->columns, t->name, t->is_counted,
	    t->columns, t->name, t->text, t->columns, t->name, t->is_counted, t->columns, t->name);
	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		if (++*differences <= SHOWN_MAX)
			printf("%s: %s %s\n", t->name, ph_stmt_text(st, 0), ph_stmt_text(st, 1));
	ph_stmt_drop(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
verify(struct ph_db *db, int64_t *differences, struct ph_err *err)
{
	struct counter_table	*tables = calloc(TABLES_MAX, sizeof(*tables));
	int64_t			 wrong, found;
	enum ph_rc		 rc;
	size_t			 n, i;

	if (tables == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory");
	if ((rc = ph_db_one_int(db, sql_wrong_logs, differences, err)) == PH_OK &&
	    (rc = ph_db_one_int(db, sql_wrong_jobs, &wrong, err)) == PH_OK &&
	    (rc = read_tables(db, tables, &n, err)) == PH_OK) {
		*differences += wrong;
		if (*differences > 0)
			printf("derived columns: %" PRId64 " rows differ\n", *differences);
		for (i = 0; i < n && rc == PH_OK; i++) {
			found = 0;
			rc = compare(db, &tables[i], &found, err);
			if (found > SHOWN_MAX)
				printf("%s: and %" PRId64 " more\n", tables[i].name, found - SHOWN_MAX);
			*differences += found;
		}
	}
	free(tables);
	return rc;
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
