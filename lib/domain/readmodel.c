/*
 * readmodel.c -- facts of the read model.
 */
#include "autoconf.h"

#include "core/clock.h"
#include "core/config.h"
#include "domain/readmodel.h"

enum { CACHE_KIB = 8192 };

const char *const ph_model_tables[PH_MODEL_TABLES] = { "fpp_users", "fpp_rooms", "fpp_page_views", "fpp_events",
    "fpp_votes", "fpp_estimations" };

static const char sql_get[] = "SELECT v FROM sync_meta WHERE k = $1";
static const char sql_set[] = "INSERT INTO sync_meta (k, v) VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET v = excluded.v";
static const char sql_unset[] = "DELETE FROM sync_meta WHERE k = $1";

struct ph_db *
ph_model_writer(void)
{
	const struct ph_db_limits	 limits = { .busy_timeout_ms = (int)ph_config_int(PH_CFG_BUSY_TIMEOUT_MS),
					    .cache_kib = CACHE_KIB };
	char				 path[512];
	struct ph_db			*db = ph_db_new(ph_config_path(path, sizeof(path), "analytics.db"), PH_DB_WRITER,
					    limits);

	if (db != NULL)
		ph_db_set_version(db, PH_MODEL_VERSION);
	return db;
}

enum ph_rc
ph_model_text(struct ph_db *db, const char *k, char out[PH_MODEL_TEXT_SIZE], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	out[0] = '\0';
	if ((rc = ph_db_prepare(db, sql_get, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, k);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		ph_stmt_copy(st, 0, out, PH_MODEL_TEXT_SIZE);
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_model_int(struct ph_db *db, const char *k, int64_t dflt, int64_t *out, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*out = dflt;
	if ((rc = ph_db_prepare(db, sql_get, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, k);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && !ph_stmt_is_null(st, 0))
		*out = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_model_set_text(struct ph_db *db, const char *k, const char *v, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, v != NULL ? sql_set : sql_unset, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, k);
	if (v != NULL)
		ph_stmt_bind_text(st, 2, v);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_model_set_int(struct ph_db *db, const char *k, int64_t v, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_set, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, k);
	ph_stmt_bind_int(st, 2, v);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_model_start(struct ph_db *db, int64_t *start_ms, struct ph_err *err)
{
	return ph_model_int(db, "start_ms", ph_day_ms(ph_config_str(PH_CFG_FPP_START_DATE)), start_ms, err);
}
