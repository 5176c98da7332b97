/*
 * readmodel-make.c -- the file of the read model, and its sums as a whole.  The build puts analytics.sql and
 * analytics-expected.sql into this program, so that the job needs no other file.
 */
#include "autoconf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/config.h"
#include "domain/readmodel.h"

static const char schema[] = {
#include "analytics.sql.h"
};
static const char expected[] = {
#include "analytics-expected.sql.h"
};

enum { ROLLUP_VERSION = 1 };	/* of what analytics-expected.sql says */

static enum ph_rc
create(const char *path, struct ph_err *err)
{
	struct ph_db	*db = ph_model_writer();
	enum ph_rc	 rc;

	if (db == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the database");
	if ((rc = ph_db_open_raw(db, 1, err)) == PH_OK && chmod(path, 0600) != 0) {
		rc = ph_fail(err, PH_EINTERNAL, "the file of the read model cannot be made");
		ph_fail_log(err, "%s: %s", path, strerror(errno));
	}
	if (rc == PH_OK && (rc = ph_db_script(db, "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE", err)) == PH_OK &&
	    (rc = ph_db_script(db, schema, err)) == PH_OK)
		rc = ph_db_script(db, "COMMIT", err);
	ph_db_close(db);
	if (rc != PH_OK)
		unlink(path);
	return rc;
}

/* Of another version, or half made: there is nothing in it that cannot be fetched again. */
static enum ph_rc
throw_away(const char *path, struct ph_err *err)
{
	static const char *const parts[] = { "-wal", "-shm", "" };
	char			 name[528];
	size_t			 i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, parts[i]);
		if (unlink(name) != 0 && errno != ENOENT) {
			ph_fail(err, PH_EDBREADONLY, "the file of the read model cannot be removed");
			return ph_fail_log(err, "%s: %s", name, strerror(errno));
		}
	}
	return PH_OK;
}

enum ph_rc
ph_model_make(int *is_made, struct ph_err *err)
{
	struct ph_db	*db;
	char		 path[512];
	int64_t		 version = 0;
	enum ph_rc	 rc = PH_OK;

	*is_made = 0;
	ph_config_path(path, sizeof(path), "analytics.db");
	if (access(path, F_OK) == 0) {
		if ((db = ph_model_writer()) == NULL)
			return ph_fail(err, PH_ENOMEM, "not enough memory for the database");
		if ((rc = ph_db_open_raw(db, 0, err)) == PH_OK)
			rc = ph_db_version(db, &version, err);
		ph_db_close(db);
		if (rc != PH_OK || version == PH_MODEL_VERSION)
			return rc;
		if (version > PH_MODEL_VERSION)
			return ph_fail(err, PH_EDBNEW, "the read model has version %d, this release knows %d",
			    (int)version, PH_MODEL_VERSION);
		rc = throw_away(path, err);
	}
	if (rc == PH_OK && (rc = create(path, err)) == PH_OK)
		*is_made = 1;
	return rc;
}

/* -- sums ----------------------------------------------------------------------------- */

enum ph_rc
ph_model_is_summed(struct ph_db *db, int *is_summed, struct ph_err *err)
{
	int64_t		version, start_ms;
	enum ph_rc	rc;

	if ((rc = ph_model_int(db, "rollup_version", 0, &version, err)) == PH_OK &&
	    (rc = ph_model_int(db, "start_ms", -1, &start_ms, err)) == PH_OK)
		*is_summed = version == ROLLUP_VERSION && start_ms == ph_day_ms(ph_config_str(PH_CFG_FPP_START_DATE));
	return rc;
}

enum ph_rc
ph_model_sum(struct ph_db *db, ph_recount_step *step, void *arg, struct ph_err *err)
{
	const int64_t	start_ms = ph_day_ms(ph_config_str(PH_CFG_FPP_START_DATE));
	enum ph_rc	rc;

	if ((rc = ph_model_set_int(db, "start_ms", start_ms, err)) == PH_OK &&
	    (rc = ph_db_script(db, expected, err)) == PH_OK &&
	    (rc = ph_recount(db, step, arg, err)) == PH_OK)
		rc = ph_model_set_int(db, "rollup_version", ROLLUP_VERSION, err);
	return rc;
}

enum ph_rc
ph_model_compare(struct ph_db *db, ph_recount_step *step, ph_recount_found *found, void *arg, int64_t *differences,
    struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_script(db, expected, err)) == PH_OK)
		rc = ph_recount_compare(db, step, found, arg, differences, err);
	return rc;
}

enum ph_rc
ph_model_empty(struct ph_db *db, struct ph_err *err)
{
	return ph_db_script(db, "DELETE FROM fpp_users; DELETE FROM fpp_rooms; DELETE FROM fpp_page_views;"
	    " DELETE FROM fpp_events; DELETE FROM fpp_votes; DELETE FROM fpp_estimations;"
	    " UPDATE sync_state SET cursor_id = 0, cursor_ms = 0, cursor_key = '', initial_done = 0, error = NULL;"
	    " DELETE FROM sync_meta WHERE k IN ('rollup_version', 'is_demo')", err);
}
