/*
 * export.c -- GET /api/analytics/podcast/{podcast_id}/export
 *
 * The days as they are kept: a row per day, dimension and key.  Files go out in constant memory, some thousand rows in
 * a transaction; JSON is for a few.
 *
 * 403 plan_level below full; 413 too many rows for JSON.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/table-xlsx.h"
#include "domain/downloads.h"
#include "domain/export.h"

enum { BATCH = 2000, JSON_ROWS_MAX = 50000, KEY_SIZE = 256 };

static const char *const dims[] = { "all", "total", "episode", "country", "app", "device", NULL };

enum { P_DIM = PH_VIEW_NPARAMS, P_FROM, P_TO, P_TABLE, P__MAX = P_TABLE + PH_TABLE_NPARAMS };
static const struct ph_param params[P__MAX] = {
	PH_VIEW_PARAMS,
	[P_DIM] = { .name = "dim", .type = PH_P_CHOICE, .choices = dims, .text = "Of this dimension alone." },
	[P_FROM] = { .name = "from", .type = PH_P_TEXT, .min = 10, .max = 10, .text = "The first day, YYYY-MM-DD." },
	[P_TO] = { .name = "to", .type = PH_P_TEXT, .min = 10, .max = 10, .text = "The last day." },
	PH_TABLE_PARAMS(P_TABLE),
};

/* The key of op3_daily goes by dim, day, key. */
static const char sql_rows[] =
	"SELECT day, dim, key, n FROM op3_daily WHERE podcast_id = $1 AND (dim, day, key) > ($2, $3, $4)"
	" AND ($5 IS NULL OR dim = $5) AND day >= $6 AND day <= $7 ORDER BY dim, day, key LIMIT $8";

enum { C_DAY, C_DIM, C_KEY, C_N, C__MAX };
static const struct ph_field columns[C__MAX] = {
	[C_DAY] = { .name = "day", .type = PH_TEXT, .text = "In UTC." },
	[C_DIM] = { .name = "dim", .type = PH_TEXT, .text = "total, episode, country, app or device." },
	[C_KEY] = { .name = "key", .type = PH_TEXT, .text = "OP3's id of the episode, country code, app or device; empty of total." },
	[C_N] = { .name = "downloads", .text = "Of that day." },
};
static const struct ph_field fields[] = {
	PH_VIEW_FIELDS,
	[PH_VIEW_NFIELDS] = { .name = "items", .type = PH_ARRAY, .fields = columns, .nfields = C__MAX, .text = "By dimension, day and key." },
};

struct export {
	struct ph_downloads	 d;
	const char		*dim, *from, *to;	/* NULL: all */
	char			 last_dim[16], last_day[PH_DAY_SIZE], last_key[KEY_SIZE];
	int64_t			 nrows;
};

/* The next rows; PH_ROW: there may be more. */
static enum ph_rc
read_batch(struct export *e, enum ph_rc (*give)(void *, const struct ph_value *, struct ph_err *), void *arg,
    struct ph_err *err)
{
	struct ph_value	 v[C__MAX];
	struct ph_stmt	*st;
	int64_t		 n = 0;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(e->d.db, sql_rows, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, e->d.podcast.id);
	ph_stmt_bind_text(st, 2, e->last_dim);
	ph_stmt_bind_text(st, 3, e->last_day);
	ph_stmt_bind_text(st, 4, e->last_key);
	ph_stmt_bind_text(st, 5, e->dim);
	ph_stmt_bind_text(st, 6, e->from != NULL ? e->from : "");
	ph_stmt_bind_text(st, 7, e->to != NULL ? e->to : "~");
	ph_stmt_bind_int(st, 8, BATCH);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		char last[3][KEY_SIZE];

		ph_v_columns(v, st, columns, C__MAX);
		if ((rc = give(arg, v, err)) != PH_OK)
			break;
		snprintf(last[0], KEY_SIZE, "%s", v[C_DIM].str);
		snprintf(last[1], KEY_SIZE, "%s", v[C_DAY].str);
		snprintf(last[2], KEY_SIZE, "%s", v[C_KEY].str);
		if (++n == BATCH) {
			/* The statement borrows these until it is done. */
			ph_stmt_done(st);
			memcpy(e->last_dim, last[0], sizeof(e->last_dim));
			memcpy(e->last_day, last[1], sizeof(e->last_day));
			memcpy(e->last_key, last[2], sizeof(e->last_key));
			e->nrows += n;
			return PH_ROW;
		}
	}
	ph_stmt_done(st);
	e->nrows += n;
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
give_json(void *arg, const struct ph_value *v, struct ph_err *err)
{
	struct ph_json *out = arg;

	(void)err;
	ph_json_obj_open(out, NULL);
	ph_json_fields(out, columns, v, C__MAX);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
give_table(void *arg, const struct ph_value *v, struct ph_err *err)
{
	return ph_table_row(arg, v, err);
}

static enum ph_rc
write_json(struct export *e, struct ph_json *out, struct ph_err *err)
{
	enum ph_rc rc;

	ph_view_common(&e->d, 0, 1, out);
	ph_json_arr_open(out, "items");
	while ((rc = read_batch(e, give_json, out, err)) == PH_ROW && e->nrows < JSON_ROWS_MAX)
		;
	ph_json_close(out);
	return rc == PH_ROW ? ph_fail(err, PH_EEXPORTTOOBIG, "more than %d rows; ask for format=csv", JSON_ROWS_MAX) : rc;
}

/* A transaction for each batch, none while a client takes its time. */
static enum ph_rc
write_table(struct ph_req *req, struct export *e, struct ph_table_options *options, struct ph_err *err)
{
	struct ph_table	*t = ph_table_new(req, options, columns, C__MAX, err);
	enum ph_rc	 rc = t != NULL ? PH_ROW : err->rc;

	ph_db_end(e->d.db);
	while (rc == PH_ROW && ph_table_wants_rows(t)) {
		enum ph_rc sent;

		if ((rc = ph_db_begin(e->d.db, err)) == PH_OK)
			rc = read_batch(e, give_table, t, err);
		ph_db_end(e->d.db);
		if ((rc == PH_OK || rc == PH_ROW) && (sent = ph_table_send(t, err)) != PH_OK)
			rc = sent;
	}
	if (rc == PH_OK || rc == PH_ROW)
		rc = ph_table_finish(t, err);
	ph_table_free(t);
	return rc;
}

static enum ph_rc
read_range(struct ph_req *req, struct export *e, struct ph_err *err)
{
	enum ph_rc rc = PH_OK;

	e->dim = ph_req_int(req, P_DIM) == 0 ? NULL : dims[ph_req_int(req, P_DIM)];
	e->from = ph_req_text(req, P_FROM);
	e->to = ph_req_text(req, P_TO);
	if (e->from != NULL && ph_day_ms(e->from) < 0)
		rc = ph_fail_param(err, "from", 4, "a day like 2025-11-22 is needed");
	if (e->to != NULL && ph_day_ms(e->to) < 0)
		rc = ph_fail_param(err, "to", 2, "a day like 2025-11-22 is needed");
	if (rc == PH_OK && e->from != NULL && e->to != NULL && strcmp(e->from, e->to) > 0)
		rc = ph_fail_param(err, "from", 4, "is behind to");
	return rc;
}

static enum ph_rc
export_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_table_options	 options = {
		.format = ph_table_wanted(req, PH_VIEW_FORMAT), .book = &ph_table_xlsx, .name = "podcast-downloads",
		.time_style = PH_TIME_SECONDS,
	};
	struct export		 e = { .d.db = ph_req_db(req) };
	enum ph_rc		 rc;

	ph_table_read_options(&options, ph_req_args(req), P_TABLE);
	if ((rc = read_range(req, &e, err)) == PH_OK &&
	    (rc = ph_downloads_open(&e.d, req, NULL, ph_req_text(req, PH_VIEW_ID), err)) == PH_OK &&
	    (rc = ph_level_check(&e.d.who, PH_LEVEL_FULL, err)) == PH_OK)
		rc = options.format == PH_TABLE_JSON ? write_json(&e, out, err) : write_table(req, &e, &options, err);
	ph_downloads_close(&e.d);
	return rc;
}

static const struct ph_route route = {
	.name = "podcast-export", .path = PH_VIEW_PATH "export", .needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.is_stream = 1, .rate = PH_RATE_EXPORT,
	.ops[PH_GET] = {
		.scope = "podcast:read", .summary = "The daily figures as they are kept",
		.description = "A row per day, dimension and key. Needs the level full. Every file is in the audit log.",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = PH_VIEW_NFIELDS + 1,
		.is_own_tx = 1, .deadline_ms = PH_EXPORT_DEADLINE_MS, .handle = export_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
