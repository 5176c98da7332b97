/*
 * database.h -- a database of its own for the tests of a suite, from schema.sql.
 *
 * Used as a checked fixture; PH_SRCDIR as in the other tests.
 */
#ifndef PH_UNIT_DATABASE_H
#define PH_UNIT_DATABASE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/config.h"
#include "core/db.h"
#include "unit.h"

enum { DATABASE_TIMEOUT_S = 60 };	/* of a test: making the file waits for the disk */

static char		 database_dir[] = "/tmp/check_unit.XXXXXX";
static char		 database_path[sizeof(database_dir) + 16];
static struct ph_err	 err;
static struct ph_db	*db;

/* Run a script of the source directory, outside any transaction. */
static inline void
run_script(const char *name)
{
	enum { SCRIPT_MAX = 1 << 20 };
	const char	*src = getenv("PH_SRCDIR");
	char		 script[512], *sql = calloc(1, SCRIPT_MAX);
	FILE		*f;

	snprintf(script, sizeof(script), "%s/%s", src != NULL ? src : ".", name);
	ck_assert_ptr_nonnull(sql);
	ck_assert_ptr_nonnull(f = fopen(script, "r"));
	ck_assert_uint_lt(fread(sql, 1, SCRIPT_MAX, f), SCRIPT_MAX);
	fclose(f);
	ck_assert_int_eq(ph_db_script(db, sql, &err), PH_OK);
	free(sql);
}

/* An empty database, a default configuration, no transaction. */
static inline void
open_database(void)
{
	const struct ph_db_limits limits = { 0, 0 };

	ck_assert_ptr_nonnull(mkdtemp(database_dir));
	snprintf(database_path, sizeof(database_path), "%s/pilothouse.db", database_dir);
	ck_assert_int_eq(ph_config_load(database_dir, &err), PH_OK);
	ck_assert_ptr_nonnull(db = ph_db_new(database_path, PH_DB_WRITER, limits));
	ck_assert_int_eq(ph_db_open_raw(db, 1, &err), PH_OK);
	run_script("schema.sql");
}

static inline void
close_database(void)
{
	ph_db_end(db);
	ph_db_close(db);
	unlink(database_path);
	rmdir(database_dir);
}

#endif
