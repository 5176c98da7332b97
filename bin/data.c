/*
 * data.c -- pilothouse init, pilothouse migrate: making a database, and bringing an older
 * one forward.
 *
 * A migration is a script migrations/NNNN-name.sql that brings version NNNN-1 to NNNN.
 * The line `-- @schema` in it stands for the text of schema.sql.  It runs in one
 * transaction with triggers off; afterwards every counter is recomputed, so a
 * migration moves rows and leaves the counting to the schema.
 */
#include "autoconf.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "core/config.h"
#include "instance.h"
#include "verify.h"

static enum ph_rc
make_dir(const char *path, struct ph_err *err)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return PH_OK;
	return ph_fail(err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
}

/* A connection outside any transaction and without the version check. */
static struct ph_db *
open_unchecked(int may_create, struct ph_err *err)
{
	struct ph_db *db = instance_db(err);

	if (db == NULL || ph_db_open_raw(db, may_create, err) == PH_OK)
		return db;
	ph_db_close(db);
	return NULL;
}

static enum ph_rc
create_database(const char *path, struct ph_err *err)
{
	char		 schema_path[PATH_SIZE];
	char		*schema = NULL;
	struct ph_db	*db = NULL;
	enum ph_rc	 rc = PH_EINTERNAL;

	if ((schema = read_text(data_path(schema_path, "schema.sql"), err)) == NULL ||
	    (db = open_unchecked(1, err)) == NULL ||
	    (rc = ph_db_script(db, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", err)) != PH_OK ||
	    (rc = ph_db_script(db, schema, err)) != PH_OK ||
	    (rc = audit(db, "database.create", NULL, NULL, err)) != PH_OK)
		goto out;
	rc = ph_db_script(db, "COMMIT", err);
	if (chmod(path, 0600) != 0)
		rc = ph_fail(err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
out:
	ph_db_close(db);
	free(schema);
	if (rc != PH_OK)
		unlink(path);		/* a half-made file would look like an old one */
	return rc;
}

static const char first_conf[] =
	"# Settings of this instance: NAME=value.  See pilothouse.conf(5);\n"
	"# `pilothouse config` prints all of them with their present values.\n";

int
cmd_init(int argc, char **argv)
{
	static const char *const dirs[] = { "", "run", "log", "cache", "tls" };
	struct ph_err	err = { .rc = PH_OK };
	char		path[PATH_SIZE];
	size_t		i;

	(void)argv;
	if (argc != 1)
		return complain_usage("init");
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (make_dir(ph_config_path(path, sizeof(path), dirs[i]), &err) != PH_OK)
			return complain(&err);
	ph_config_path(path, sizeof(path), "pilothouse.conf");
	if (access(path, F_OK) != 0 && write_text(path, first_conf, &err) != PH_OK)
		return complain(&err);
	ph_config_path(path, sizeof(path), "pilothouse.db");
	if (access(path, F_OK) == 0) {
		printf("%s is there already\n", path);
		return 0;
	}
	if (create_database(path, &err) != PH_OK)
		return complain(&err);
	printf("made %s\n", path);
	return 0;
}

/* The path of the script that leads to a version; -1: there is none. */
static int
find_migration(int64_t to, char path[PATH_SIZE])
{
	char		 dir[PATH_SIZE], prefix[16];
	struct dirent	*e;
	DIR		*d;
	int		 n = -1;

	snprintf(prefix, sizeof(prefix), "%04d-", (int)to);
	if ((d = opendir(data_path(dir, "migrations"))) == NULL)
		return -1;
	while (n < 0 && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, prefix, strlen(prefix)) == 0)
			n = snprintf(path, PATH_SIZE, "%s/%s", dir, e->d_name);
	closedir(d);
	return n > 0 && n < PATH_SIZE ? 0 : -1;
}

/* Run a script, with the schema in the place of its marker line. */
static enum ph_rc
run_migration(struct ph_db *db, const char *path, struct ph_err *err)
{
	static const char	 marker[] = "\n-- @schema\n";
	char			 schema_path[PATH_SIZE];
	char			*text, *at, *schema = NULL;
	enum ph_rc		 rc = PH_EINTERNAL;

	if ((text = read_text(path, err)) == NULL)
		return err->rc;
	if ((at = strstr(text, marker)) != NULL) {
		*at = '\0';
		if ((schema = read_text(data_path(schema_path, "schema.sql"), err)) == NULL)
			rc = err->rc;
		else if ((rc = ph_db_script(db, text, err)) == PH_OK &&
		    (rc = ph_db_script(db, schema, err)) == PH_OK)
			rc = ph_db_script(db, at + sizeof(marker) - 1, err);
	} else
		rc = ph_db_script(db, text, err);
	free(schema);
	free(text);
	return rc;
}

static enum ph_rc
migrate_step(struct ph_db *db, int64_t to, struct ph_err *err)
{
	char		path[PATH_SIZE], sql[64];
	enum ph_rc	rc;

	if (find_migration(to, path) != 0)
		return ph_fail(err, PH_ENOTFOUND, "there is no migration to version %d", (int)to);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", (int)to);
	if ((rc = ph_db_script(db, "PRAGMA foreign_keys=OFF; PRAGMA legacy_alter_table=ON;"
	    "BEGIN IMMEDIATE", err)) != PH_OK ||
	    (rc = ph_db_triggers(db, 0, err)) != PH_OK ||
	    (rc = run_migration(db, path, err)) != PH_OK ||
	    (rc = rebuild_counters(db, err)) != PH_OK ||
	    (rc = ph_db_script(db, sql, err)) != PH_OK ||
	    (rc = audit(db, "database.migrate", strrchr(path, '/') + 1, NULL, err)) != PH_OK)
		return rc;
	return ph_db_script(db, "COMMIT", err);
}

int
cmd_migrate(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db;
	int64_t		 version = 0;
	enum ph_rc	 rc;

	(void)argv;
	if (argc != 1)
		return complain_usage("migrate");
	if ((db = open_unchecked(0, &err)) == NULL)
		return complain(&err);
	rc = ph_db_version(db, &version, &err);
	if (rc == PH_OK && version > PH_SCHEMA_VERSION)
		rc = ph_fail(&err, PH_EDBNEW, "the database has version %d, this release knows %d",
		    (int)version, PH_SCHEMA_VERSION);
	if (rc == PH_OK && version == PH_SCHEMA_VERSION)
		printf("version %d, nothing to do\n", (int)version);
	while (rc == PH_OK && version < PH_SCHEMA_VERSION) {
		if ((rc = migrate_step(db, version + 1, &err)) == PH_OK)
			printf("version %d -> %d\n", (int)version, (int)version + 1);
		version++;
	}
	ph_db_close(db);	/* rolls back what was not committed */
	/* The journal mode cannot change inside a transaction or with statements prepared. */
	if (rc == PH_OK && (db = open_unchecked(0, &err)) != NULL) {
		rc = ph_db_script(db, "PRAGMA journal_mode=WAL", &err);
		ph_db_close(db);
	}
	return rc == PH_OK ? 0 : complain(&err);
}
