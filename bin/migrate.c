/*
 * migrate.c -- pilothouse migrate: a database of an older version becomes one of this release.
 *
 * Whatever the version: the old tables are renamed to old_NAME, everything that is not a
 * table goes, schema.sql is run, the rows are copied over by the columns that old and new
 * have in common, the old tables go, and every counter is recomputed.  One transaction, with
 * triggers off.  So a schema may change without a script; only where the rows
 * themselves must change, migrations/NNNN-name.sql changes old_NAME on the way from
 * version NNNN-1 to NNNN.
 */
#include "autoconf.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "domain/readmodel.h"
#include "instance.h"
#include "verify.h"

/* Statements made by statements: each row is one. */
static const char sql_clear[] =
	"SELECT 'DROP ' || type || ' IF EXISTS \"' || name || '\"' FROM sqlite_schema"
	" WHERE type IN ('view', 'trigger') OR (type = 'index' AND sql IS NOT NULL)";
static const char sql_rename[] =
	"SELECT 'ALTER TABLE \"' || name || '\" RENAME TO \"old_' || name || '\"' FROM sqlite_schema"
	" WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
/* A table with a view NAME_expected is counted anew.  What the schema itself put into a table
 * gives way to the old row. */
static const char sql_copy[] =
	"SELECT 'INSERT OR REPLACE INTO ' || name || ' (' || shared || ') SELECT ' || shared ||"
	" ' FROM old_' || name FROM (SELECT t.name, (SELECT group_concat(n.name, ', ')"
	" FROM pragma_table_info(t.name) n JOIN pragma_table_info('old_' || t.name) o"
	" ON o.name = n.name) AS shared FROM sqlite_schema t WHERE t.type = 'table'"
	" AND t.name <> 'replace_guard' AND t.name || '_expected' NOT IN (SELECT name FROM sqlite_temp_schema))"
	" WHERE shared IS NOT NULL";
static const char sql_drop[] =
	"SELECT 'DROP TABLE \"' || name || '\"' FROM sqlite_schema"
	" WHERE type = 'table' AND name LIKE 'old\\_%' ESCAPE '\\'";

static enum ph_rc
run_made(struct ph_db *db, const char *sql, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		*script = NULL;
	size_t		 size;
	FILE		*f = open_memstream(&script, &size);
	enum ph_rc	 rc;

	if (f == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory");
	if ((rc = ph_db_prepare(db, sql, &st, err)) == PH_OK) {
		while ((rc = ph_stmt_step(st, err)) == PH_ROW)
			fprintf(f, "%s;\n", ph_stmt_text(st, 0));
		ph_stmt_drop(st);	/* a statement that is kept would hold the schema */
	}
	if (fclose(f) != 0)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory");
	if (rc == PH_DONE)
		rc = ph_db_script(db, script, err);
	free(script);
	return rc;
}

/* The script of a version, or "" when its rows need none. */
static char *
find_script(int64_t version, char path[PATH_SIZE])
{
	char		 dir[PATH_SIZE], prefix[16];
	struct dirent	*e;
	DIR		*d;
	int		 n = -1;

	path[0] = '\0';
	snprintf(prefix, sizeof(prefix), "%04d-", (int)version);
	if ((d = opendir(data_path(dir, "migrations"))) == NULL)
		return path;
	while (n < 0 && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0)
			n = snprintf(path, PATH_SIZE, "%s/%s", dir, e->d_name);
	closedir(d);
	if (n >= PATH_SIZE)
		path[0] = '\0';
	return path;
}

static enum ph_rc
migrate(struct ph_db *db, int64_t version, struct ph_err *err)
{
	char		path[PATH_SIZE], detail[64];
	int64_t		v;
	enum ph_rc	rc;

	if ((rc = ph_db_script(db, "PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON;"
	    "BEGIN IMMEDIATE", err)) != PH_OK ||
	    (rc = ph_db_triggers(db, 0, err)) != PH_OK ||
	    (rc = run_made(db, sql_clear, err)) != PH_OK ||
	    (rc = run_made(db, sql_rename, err)) != PH_OK ||
	    (rc = run_file(db, data_path(path, "schema.sql"), err)) != PH_OK)
		return rc;
	for (v = version + 1; v <= PH_SCHEMA_VERSION; v++)
		if (find_script(v, path)[0] != '\0' && (rc = run_file(db, path, err)) != PH_OK)
			return rc;
	snprintf(detail, sizeof(detail), "{\"from\":%d,\"to\":%d}", (int)version, PH_SCHEMA_VERSION);
	if ((rc = expect_counters(db, err)) != PH_OK ||
	    (rc = run_made(db, sql_copy, err)) != PH_OK ||
	    (rc = run_made(db, sql_drop, err)) != PH_OK ||
	    (rc = rebuild_counters(db, err)) != PH_OK ||
	    (rc = audit(db, "database.migrate", NULL, detail, err)) != PH_OK)
		return rc;
	return ph_db_script(db, "COMMIT", err);
}

int
cmd_migrate(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db;
	int64_t		 version = 0;
	int		 is_made;
	enum ph_rc	 rc;

	(void)argv;
	if (argc != 1)
		return complain_usage("migrate");
	if ((db = instance_open_raw(0, &err)) == NULL)
		return complain(&err);
	rc = ph_db_version(db, &version, &err);
	if (rc == PH_OK && version > PH_SCHEMA_VERSION)
		rc = ph_fail(&err, PH_EDBNEW, "the database has version %d, this release knows %d",
		    (int)version, PH_SCHEMA_VERSION);
	if (rc == PH_OK && version == PH_SCHEMA_VERSION)
		printf("version %d, nothing to do\n", (int)version);
	else if (rc == PH_OK && (rc = migrate(db, version, &err)) == PH_OK)
		printf("version %d -> %d\n", (int)version, PH_SCHEMA_VERSION);
	ph_db_close(db);	/* rolls back what was not committed */
	/* The journal mode cannot change inside a transaction or with statements prepared. */
	if (rc == PH_OK && (db = instance_open_raw(0, &err)) != NULL) {
		rc = ph_db_script(db, "PRAGMA journal_mode=WAL", &err);
		ph_db_close(db);
	}
	if (rc == PH_OK && (rc = ph_model_make(&is_made, &err)) == PH_OK && is_made)
		printf("the read model is made anew; `pilothouse jobs run readmodel` fills it\n");
	return rc == PH_OK ? 0 : complain(&err);
}
