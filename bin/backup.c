/*
 * backup.c -- pilothouse backup, pilothouse restore.
 *
 * A backup is a consistent copy of the live database, whatever writes meanwhile.  Restoring
 * checks the file first, then puts it in the database's place in one step; workers
 * notice the new file at their next request.
 */
#include "autoconf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "core/config.h"
#include "instance.h"

int
cmd_backup(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db;
	int64_t		 version;
	enum ph_rc	 rc;

	if (argc != 2)
		return complain_usage("backup FILE");
	/* Also of another version, because a backup comes before a migration. */
	if ((db = instance_db(&err)) == NULL || (rc = ph_db_open_raw(db, 0, &err)) != PH_OK ||
	    (rc = ph_db_version(db, &version, &err)) != PH_OK)
		rc = err.rc;
	/* The entry is written before the copy is taken, so the copy tells of itself. */
	else if (version != PH_SCHEMA_VERSION ||
	    (rc = audit(db, "database.backup", argv[1], NULL, &err)) == PH_OK)
		rc = ph_db_backup(db, argv[1], &err);
	ph_db_close(db);
	if (rc == PH_OK && chmod(argv[1], 0600) != 0)
		rc = ph_fail(&err, PH_EINTERNAL, "%s: %s", argv[1], strerror(errno));
	return rc == PH_OK ? 0 : complain(&err);
}

/* Copy the backup beside the database: sound, of our version, with its own journal closed. */
static enum ph_rc
stage(const char *from, const char *to, struct ph_err *err)
{
	const struct ph_db_limits	 limits = { .busy_timeout_ms = LONG_BUSY_MS };
	struct ph_db			*db = ph_db_new(from, PH_DB_READER, limits);
	struct ph_db			*copy = NULL;
	enum ph_rc			 rc;

	if (db == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory");
	if ((rc = ph_db_begin(db, err)) == PH_OK && (rc = ph_db_check(db, err)) == PH_OK) {
		ph_db_end(db);
		rc = ph_db_backup(db, to, err);
	}
	ph_db_end(db);
	ph_db_close(db);
	if (rc != PH_OK)
		return rc;
	if ((copy = ph_db_new(to, PH_DB_WRITER, limits)) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory");
	if ((rc = ph_db_open_raw(copy, 0, err)) == PH_OK &&
	    (rc = ph_db_script(copy, "PRAGMA journal_mode=DELETE; BEGIN IMMEDIATE", err)) == PH_OK &&
	    (rc = audit(copy, "database.restore", from, NULL, err)) == PH_OK)
		rc = ph_db_script(copy, "COMMIT; PRAGMA journal_mode=WAL; PRAGMA wal_checkpoint(TRUNCATE)", err);
	ph_db_close(copy);
	return rc;
}

int
cmd_restore(int argc, char **argv)
{
	struct ph_err	err = { .rc = PH_OK };
	char		path[PATH_SIZE], staged[PATH_SIZE], kept[PATH_SIZE], aside[PATH_SIZE + 16];
	static const char *const suffixes[] = { "-wal", "-shm" };
	size_t		i;

	if (argc != 2)
		return complain_usage("restore FILE");
	ph_config_path(path, sizeof(path), "pilothouse.db");
	ph_config_path(staged, sizeof(staged), "pilothouse.db.restoring");
	ph_config_path(kept, sizeof(kept), "pilothouse.db.before-restore");
	if (unlink(staged) != 0 && errno != ENOENT) {
		ph_fail(&err, PH_EINTERNAL, "%s: %s", staged, strerror(errno));
		return complain(&err);
	}
	if (stage(argv[1], staged, &err) != PH_OK) {
		unlink(staged);
		return complain(&err);
	}
	/* The old file keeps its own journal under its new name: it stays whole. */
	if (rename(path, kept) != 0 && errno != ENOENT)
		ph_fail(&err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
	for (i = 0; err.rc == PH_OK && i < 2; i++) {
		char journal[PATH_SIZE + 16];

		snprintf(journal, sizeof(journal), "%s%s", path, suffixes[i]);
		snprintf(aside, sizeof(aside), "%s%s", kept, suffixes[i]);
		unlink(aside);
		if (rename(journal, aside) != 0 && errno != ENOENT)
			ph_fail(&err, PH_EINTERNAL, "%s: %s", journal, strerror(errno));
	}
	if (err.rc == PH_OK && rename(staged, path) != 0)
		ph_fail(&err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
	if (err.rc != PH_OK)
		return complain(&err);
	printf("restored; the former database is %s\n", kept);
	return 0;
}
