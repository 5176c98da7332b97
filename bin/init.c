/*
 * init.c -- pilothouse init: the directories of an instance, its settings and its database.
 */
#include "autoconf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "core/config.h"
#include "core/seal.h"
#include "domain/readmodel.h"
#include "instance.h"

static enum ph_rc
make_dir(const char *path, struct ph_err *err)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return PH_OK;
	return ph_fail(err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
}

static enum ph_rc
create_database(const char *path, struct ph_err *err)
{
	char		 schema[PATH_SIZE];
	struct ph_db	*db = NULL;
	enum ph_rc	 rc = PH_EINTERNAL;

	if ((db = instance_open_raw(1, err)) == NULL ||
	    (rc = ph_db_script(db, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", err)) != PH_OK ||
	    (rc = run_file(db, data_path(schema, "schema.sql"), err)) != PH_OK ||
	    (rc = audit(db, "database.create", NULL, NULL, err)) != PH_OK)
		goto out;
	rc = ph_db_script(db, "COMMIT", err);
	if (chmod(path, 0600) != 0)
		rc = ph_fail(err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
out:
	ph_db_close(db);
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
	int		is_made;

	(void)argv;
	if (argc != 1)
		return complain_usage("init");
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (make_dir(ph_config_path(path, sizeof(path), dirs[i]), &err) != PH_OK)
			return complain(&err);
	ph_config_path(path, sizeof(path), "pilothouse.conf");
	if (access(path, F_OK) != 0 && write_text(path, first_conf, &err) != PH_OK)
		return complain(&err);
	if (ph_seal_init(&err) != PH_OK)
		return complain(&err);
	if (ph_model_make(&is_made, &err) != PH_OK)
		return complain(&err);
	if (is_made)
		printf("made %s\n", ph_config_path(path, sizeof(path), "analytics.db"));
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
