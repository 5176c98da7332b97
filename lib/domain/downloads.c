/*
 * downloads.c -- what every view of downloads begins with, and the windows of days it sums.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "domain/downloads.h"

enum { ADVANCED_DAYS = 30, EPISODES_BASIC = 3, EPISODES_ADVANCED = 10 };

const char *const ph_view_sources[] = { "op3_counts", "op3_daily", "mixed", NULL };
enum { SOURCE_COUNTS, SOURCE_DAILY, SOURCE_MIXED };

static const char sql_episode[] = "SELECT podcast_id FROM episodes WHERE id = $1";
static const char sql_sum[] =
	"SELECT coalesce(sum(n), 0) FROM op3_daily WHERE podcast_id = $1 AND dim = 'total' AND day >= $2 AND day <= $3"
	" AND $4 IS NULL";
static const char sql_sum_of[] =
	"SELECT coalesce(sum(n), 0) FROM op3_daily WHERE podcast_id = $1 AND dim = 'episode' AND day >= $2 AND day <= $3"
	" AND key = $4";
static const char sql_each[] =
	"SELECT day, n FROM op3_daily WHERE podcast_id = $1 AND dim = 'total' AND day >= $2 AND day <= $3"
	" AND $4 IS NULL ORDER BY day";
static const char sql_each_of[] =
	"SELECT day, n FROM op3_daily WHERE podcast_id = $1 AND dim = 'episode' AND day >= $2 AND day <= $3"
	" AND key = $4 ORDER BY day";
static const char sql_all[] = "SELECT n FROM op3_totals WHERE podcast_id = $1 AND dim = $2 AND key = $3";

/* -- opening -------------------------------------------------------------------------- */

/* Ask OP3, outside any transaction.  Whatever comes of it, there is an answer. */
static void
refresh(struct ph_downloads *d, struct ph_req *req, const struct ph_view *view)
{
	struct ph_err err = { .rc = PH_OK };

	if (view->refresh(req, &d->shows, &err) != PH_OK)
		ph_log("error", "podcast", "OP3's counts: %s %s", err.detail, err.internal);
	d->is_fetched = d->show->has_answer;
}

static enum ph_rc
find_podcast_of(struct ph_downloads *d, const char *episode_id, char id[PH_ID_SIZE], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(d->db, sql_episode, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, episode_id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		snprintf(d->episode_id, sizeof(d->episode_id), "%s", episode_id);
		snprintf(id, PH_ID_SIZE, "%s", ph_stmt_text(st, 0));
	}
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no such episode") : rc;
}

/* Who asks for what; PH_ENOTFOUND also for another's. */
static enum ph_rc
find(struct ph_downloads *d, struct ph_req *req, const char *id, int is_episode, struct ph_err *err)
{
	char		podcast_id[PH_ID_SIZE];
	enum ph_rc	rc;

	if ((rc = ph_listener_find(d->db, ph_req_who(req), NULL, &d->who, err)) != PH_OK ||
	    (is_episode && (rc = find_podcast_of(d, id, podcast_id, err)) != PH_OK))
		return rc;
	if ((rc = ph_podcast_find(d->db, &d->who, is_episode ? podcast_id : id, &d->podcast, err)) == PH_ENOTFOUND &&
	    is_episode)
		return ph_fail(err, PH_ENOTFOUND, "there is no such episode");
	return rc;
}

/* What is kept of the podcast. */
static enum ph_rc
read_all(struct ph_downloads *d, struct ph_err *err)
{
	enum ph_rc rc;

	if (d->show == NULL) {
		if ((rc = ph_shows_read(d->db, NULL, d->podcast.id, &d->shows, err)) != PH_OK)
			return rc;
		d->show = &d->shows.list[0];
	}
	d->use = ph_show_use(d->show, d->now_ms, &d->code);
	if (!d->show->has_identity)
		d->code = "no_feed";
	d->first_ms = d->last_ms = -1;
	if (d->show->first_day[0] != '\0' && d->show->complete_through[0] != '\0') {
		d->first_ms = ph_day_ms(d->show->first_day);
		d->last_ms = ph_day_ms(d->show->complete_through);
		d->is_whole = d->show->is_whole;
	}
	return PH_OK;
}

enum ph_rc
ph_downloads_open(struct ph_downloads *d, struct ph_req *req, const struct ph_view *view, const char *id,
    struct ph_err *err)
{
	enum ph_rc rc;

	*d = (struct ph_downloads){ .db = ph_req_db(req), .now_ms = ph_req_now_ms(req), .args = ph_req_args(req) };
	if ((rc = ph_db_begin(d->db, err)) != PH_OK || (rc = find(d, req, id, view != NULL && view->is_episode, err)) != PH_OK ||
	    (rc = read_all(d, err)) != PH_OK || view == NULL || view->refresh == NULL)
		return rc;
	ph_db_end(d->db);
	refresh(d, req, view);
	return (rc = ph_db_begin(d->db, err)) == PH_OK ? read_all(d, err) : rc;
}

enum ph_rc
ph_downloads_open_public(struct ph_downloads *d, struct ph_req *req, const char *id, struct ph_err *err)
{
	enum ph_rc rc;

	*d = (struct ph_downloads){ .db = ph_req_db(req), .now_ms = ph_req_now_ms(req), .args = ph_req_args(req),
	    .who = { .is_admin = 1 } };
	if ((rc = ph_db_begin(d->db, err)) != PH_OK || (rc = ph_podcast_find(d->db, &d->who, id, &d->podcast, err)) != PH_OK)
		return rc;
	if (!d->podcast.is_public)
		return ph_fail(err, PH_ENOTFOUND, "there is no such podcast");
	return read_all(d, err);
}

void
ph_downloads_close(struct ph_downloads *d)
{
	ph_db_end(d->db);
	ph_shows_free(&d->shows);
}

int
ph_downloads_has_counts(const struct ph_downloads *d)
{
	return d->use != PH_SHOW_UNAVAILABLE;
}

/* -- the common fields ---------------------------------------------------------------- */

void
ph_view_common(const struct ph_downloads *d, int has_counts, int has_days, struct ph_json *out)
{
	static const struct ph_field	fields[PH_VIEW_NFIELDS] = { PH_VIEW_FIELDS };
	char				as_of[PH_DAY_SIZE] = "", since[PH_DAY_SIZE] = "";
	const int			knows_counts = has_counts && ph_downloads_has_counts(d);
	const int			is_daily = has_days && (d->last_ms >= 0 || !has_counts);

	if (d->first_ms >= 0)
		ph_day_format(since, d->first_ms);
	if (has_days && d->last_ms >= 0)
		ph_day_format(as_of, d->last_ms);
	/* Of two the older one. */
	if (knows_counts && (as_of[0] == '\0' || strcmp(d->show->as_of, as_of) < 0))
		memcpy(as_of, d->show->as_of, sizeof(as_of));

	const struct ph_value v[PH_VIEW_NFIELDS] = {
		ph_v_str(d->podcast.id), ph_v_str(d->podcast.name), ph_v_known_text(as_of), ph_v_known_text(since),
		ph_v_int((!has_counts || knows_counts) && (!has_days || d->is_whole)),
		ph_v_str(ph_view_sources[!has_counts ? SOURCE_DAILY : is_daily ? SOURCE_MIXED : SOURCE_COUNTS]),
		ph_v_int(!d->is_fetched), ph_v_int(d->use == PH_SHOW_STALE), ph_v_str(d->code),
		ph_v_str(ph_plan_levels[d->who.level]),
	};

	ph_json_set_time_style(out, PH_TIME_SECONDS);
	ph_json_fields(out, fields, v, PH_VIEW_NFIELDS);
}

/* -- windows -------------------------------------------------------------------------- */

struct ph_days
ph_days_last(const struct ph_downloads *d, int64_t n, int64_t back)
{
	struct ph_days w = { -1, -1 };

	if (d->last_ms >= 0) {
		w.last_ms = d->last_ms - back * PH_DAY_MS;
		w.first_ms = w.last_ms - (n - 1) * PH_DAY_MS;
	}
	return w;
}

struct ph_days
ph_days_known(const struct ph_downloads *d, struct ph_days w)
{
	if (w.last_ms > d->last_ms)
		w.last_ms = d->last_ms;
	if (w.first_ms < d->first_ms)
		w.first_ms = d->first_ms;
	if (d->last_ms < 0 || w.first_ms > w.last_ms)
		w.first_ms = w.last_ms = -1;
	return w;
}

struct ph_days
ph_days_shown(const struct ph_downloads *d, struct ph_days w)
{
	const int64_t shown_ms = d->last_ms - (ADVANCED_DAYS - 1) * PH_DAY_MS;

	if (d->who.level == PH_LEVEL_BASIC)
		return (struct ph_days){ -1, -1 };
	if (d->who.level == PH_LEVEL_ADVANCED && w.first_ms < shown_ms)
		w.first_ms = shown_ms;
	return ph_days_known(d, w);
}

int64_t
ph_episodes_shown(const struct ph_downloads *d, int64_t n)
{
	const int64_t most = d->who.level == PH_LEVEL_FULL ? n :
	    d->who.level == PH_LEVEL_ADVANCED ? EPISODES_ADVANCED : EPISODES_BASIC;

	return n < most ? n : most;
}

static enum ph_rc
begin_window(const struct ph_downloads *d, const char *sql, const char *key, struct ph_days w, char days[2][PH_DAY_SIZE],
    struct ph_stmt **st, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_prepare(d->db, sql, st, err)) != PH_OK)
		return rc;
	/* Instants before 1970 have no day here, and no download. */
	ph_stmt_bind_text(*st, 1, d->podcast.id);
	ph_stmt_bind_text(*st, 2, ph_day_format(days[0], w.first_ms > 0 ? w.first_ms : 0));
	ph_stmt_bind_text(*st, 3, ph_day_format(days[1], w.last_ms > 0 ? w.last_ms : 0));
	ph_stmt_bind_text(*st, 4, key);
	return PH_OK;
}

enum ph_rc
ph_days_sum(const struct ph_downloads *d, const char *key, struct ph_days w, int64_t *n, struct ph_err *err)
{
	char		 days[2][PH_DAY_SIZE];
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	*n = -1;
	if (w.last_ms < 0 || (!d->is_whole && w.first_ms < d->first_ms))
		return PH_OK;
	if ((rc = begin_window(d, key != NULL ? sql_sum_of : sql_sum, key, w, days, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

enum ph_rc
ph_days_all(const struct ph_downloads *d, const char *key, int64_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*n = -1;
	if (!d->is_whole)
		return PH_OK;
	if ((rc = ph_db_prepare(d->db, sql_all, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, d->podcast.id);
	ph_stmt_bind_text(st, 2, key != NULL ? "episode" : "total");
	ph_stmt_bind_text(st, 3, key != NULL ? key : "");
	*n = (rc = ph_stmt_step(st, err)) == PH_ROW ? ph_stmt_int(st, 0) : 0;
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_days_each(const struct ph_downloads *d, const char *key, struct ph_days w, ph_day_fn *f, void *arg, struct ph_err *err)
{
	char		 days[2][PH_DAY_SIZE], day[PH_DAY_SIZE];
	struct ph_stmt	*st = NULL;
	int64_t		 at;
	enum ph_rc	 rc, each = PH_OK;

	if (w.last_ms < 0)
		return PH_OK;
	if ((rc = begin_window(d, key != NULL ? sql_each_of : sql_each, key, w, days, &st, err)) != PH_OK)
		return rc;
	rc = ph_stmt_step(st, err);
	for (at = w.first_ms; at <= w.last_ms && (rc == PH_ROW || rc == PH_DONE) && each == PH_OK; at += PH_DAY_MS) {
		if (rc == PH_ROW && strcmp(ph_stmt_text(st, 0), ph_day_format(day, at)) == 0) {
			each = f(arg, at, ph_stmt_int(st, 1), err);
			rc = ph_stmt_step(st, err);
		} else
			each = f(arg, at, 0, err);
	}
	ph_stmt_done(st);
	return each != PH_OK ? each : rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* -- rows ----------------------------------------------------------------------------- */

const struct ph_field ph_day_fields[PH_DAY_NFIELDS] = {
	{ .name = "date", .type = PH_TEXT, .text = "The day, in UTC." },
	{ .name = "downloads", .text = "Downloads of that day." },
};

enum ph_rc
ph_day_give(void *arg, int64_t day_ms, int64_t n, struct ph_err *err)
{
	char			day[PH_DAY_SIZE];
	const struct ph_value	v[] = { ph_v_str(ph_day_format(day, day_ms)), ph_v_int(n) };

	return ph_rows_give(arg, v, err);
}

enum ph_rc
ph_view_array(struct ph_downloads *d, const char *name, const struct ph_field *fields, size_t nfields,
    enum ph_rc (*rows)(struct ph_downloads *, struct ph_rows *, struct ph_err *), struct ph_json *out,
    struct ph_err *err)
{
	struct ph_rows	sink = { .out = out, .fields = fields, .nfields = nfields };
	enum ph_rc		rc;

	ph_json_arr_open(out, name);
	rc = rows(d, &sink, err);
	ph_json_close(out);
	return rc;
}

/* -- routes --------------------------------------------------------------------------- */

/* Where the file of a view is: its path holds the podcast's id, which must be safe there. */
static enum ph_rc
pass_on(struct ph_req *req, const struct ph_view *view, const char *id, struct ph_err *err)
{
	char path[PH_TABLE_PATH_SIZE];

	if (ph_table_wanted(req, PH_VIEW_FORMAT) == PH_TABLE_JSON)
		return PH_DONE;
	if (view->columns == NULL || strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != strlen(id))
		return ph_fail_param(err, "format", 6, "only json is possible here");
	snprintf(path, sizeof(path), "/api/analytics/podcast/%s/export/%s", id, view->name);
	return ph_table_elsewhere(req, PH_VIEW_FORMAT, PH_VIEW_PROGRAM, path, err);
}

enum ph_rc
ph_view_get(struct ph_req *req, const struct ph_view *view, struct ph_json *out, struct ph_err *err)
{
	const char		*id = ph_req_text(req, PH_VIEW_ID);
	struct ph_downloads	 d = { .db = ph_req_db(req) };
	enum ph_rc		 rc;

	if ((rc = pass_on(req, view, id, err)) != PH_DONE)
		return rc;
	if ((rc = ph_downloads_open(&d, req, view, id, err)) == PH_OK &&
	    (rc = ph_level_check(&d.who, view->level, err)) == PH_OK)
		rc = view->write(&d, out, err);
	ph_downloads_close(&d);
	return rc;
}

enum ph_rc
ph_view_export(struct ph_req *req, const struct ph_view *view, const struct ph_args *args,
    struct ph_table_options options, struct ph_err *err)
{
	struct ph_downloads	d = { .db = ph_req_db(req) };
	struct ph_rows	sink = { .fields = view->columns, .nfields = view->ncolumns };
	enum ph_rc		rc;

	options.name = view->name;
	options.time_style = PH_TIME_SECONDS;
	ph_table_read_options(&options, args, view->nparams);
	if ((rc = ph_downloads_open(&d, req, view, ph_req_text(req, PH_VIEW_ID), err)) == PH_OK &&
	    (rc = ph_level_check(&d.who, view->level, err)) == PH_OK) {
		d.args = args;
		if ((sink.table = ph_table_new(req, &options, view->columns, view->ncolumns, err)) == NULL)
			rc = err->rc;
		else if ((rc = view->rows(&d, &sink, err)) == PH_OK)
			rc = ph_table_finish(sink.table, err);
	}
	ph_table_free(sink.table);
	ph_downloads_close(&d);
	return rc;
}
