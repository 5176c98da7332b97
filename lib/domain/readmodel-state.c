/*
 * readmodel-state.c -- how far the read model is, and how old.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/config.h"
#include "domain/readmodel.h"

enum { STALE_S = 1800 };	/* three runs */

const char *const ph_model_statuses[] = { "ok", "stale", "never", NULL };

static const char sql_table[] = "SELECT initial_done, cursor_id, error FROM sync_state WHERE tbl = $1";

static int64_t
size_of(const char *name)
{
	char		path[512];
	struct stat	sb;

	return stat(ph_config_path(path, sizeof(path), name), &sb) == 0 ? (int64_t)sb.st_size : 0;
}

void
ph_model_state_init(struct ph_model_state *s)
{
	*s = (struct ph_model_state){ .status = PH_MODEL_NEVER, .age_s = -1,
	    .size_bytes = size_of("analytics.db") + size_of("analytics.db-wal") };
}

static enum ph_rc
read_table(struct ph_db *db, size_t i, struct ph_model_state *s, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_table, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_model_tables[i]);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		s->tables[i].is_done = ph_stmt_int(st, 0) != 0;
		s->tables[i].cursor_id = ph_stmt_int(st, 1);
		ph_stmt_copy(st, 2, s->tables[i].error, sizeof(s->tables[i].error));
	}
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_model_state_read(struct ph_db *db, int64_t now_ms, struct ph_model_state *s, struct ph_err *err)
{
	int64_t		at_ms;
	enum ph_rc	rc;
	size_t		i;

	ph_model_state_init(s);
	if ((rc = ph_model_text(db, "last_success_at", s->last_success_at, err)) != PH_OK ||
	    (rc = ph_model_text(db, "run_at", s->run_at, err)) != PH_OK ||
	    (rc = ph_model_text(db, "run_error", s->run_error, err)) != PH_OK ||
	    (rc = ph_model_int(db, "is_demo", 0, &s->is_demo, err)) != PH_OK)
		return rc;
	for (i = 0; i < PH_MODEL_TABLES; i++)
		if ((rc = read_table(db, i, s, err)) != PH_OK)
			return rc;
	if (ph_time_parse(s->last_success_at, strlen(s->last_success_at), now_ms, &at_ms) != 0)
		return PH_OK;
	s->age_s = now_ms > at_ms ? (now_ms - at_ms) / 1000 : 0;
	s->status = s->age_s > STALE_S ? PH_MODEL_STALE : PH_MODEL_OK;
	return PH_OK;
}
