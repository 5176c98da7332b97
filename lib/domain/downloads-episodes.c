/*
 * downloads-episodes.c -- reports on episodes: all of a podcast, one, and several from their release on.
 *
 * OP3 counts the episodes of the last months from their release (op3_counts); how often the older ones were
 * downloaded is the sum of our own days.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "domain/downloads.h"

enum { EPISODES_BASIC = 3, EPISODES_ADVANCED = 10, TITLE_SIZE = 512, OP3_ID_SIZE = 72, CURVES_MAX = 20 };

/* Every episode of OP3's list with its counts, and counts of those that are not in the list. */
#define EPISODES \
	"WITH known AS (SELECT e.op3_id, e.item_guid, e.title, e.pubdate, e.episode_id, c.downloads_1d, c.downloads_3d," \
	"  c.downloads_7d, c.downloads_30d, c.downloads_all, c.position FROM op3_episodes e LEFT JOIN op3_counts c" \
	"  ON c.podcast_id = e.podcast_id AND $2 AND (c.item_guid = e.item_guid OR (c.item_guid IS NULL" \
	"  AND e.item_guid IS NULL AND c.title = e.title AND c.pubdate IS e.pubdate)) WHERE e.podcast_id = $1" \
	" UNION ALL SELECT NULL, c.item_guid, c.title, c.pubdate, c.episode_id, c.downloads_1d, c.downloads_3d," \
	"  c.downloads_7d, c.downloads_30d, c.downloads_all, c.position FROM op3_counts c WHERE c.podcast_id = $1 AND $2" \
	"  AND NOT EXISTS (SELECT 1 FROM op3_episodes e WHERE e.podcast_id = $1 AND (c.item_guid = e.item_guid" \
	"  OR (c.item_guid IS NULL AND e.item_guid IS NULL AND c.title = e.title AND c.pubdate IS e.pubdate))))," \
	" figures AS (SELECT k.episode_id, k.op3_id, k.item_guid, coalesce(k.title, o.title) AS title, o.episode_number," \
	"  coalesce(o.publish_at, k.pubdate) AS publish_at, k.downloads_1d, k.downloads_3d, k.downloads_7d," \
	"  k.downloads_30d, coalesce(k.downloads_all, CASE WHEN $3 THEN coalesce(t.n, 0) END) AS downloads_all" \
	"  FROM known k LEFT JOIN episodes o ON o.id = k.episode_id LEFT JOIN op3_totals t ON t.podcast_id = $1" \
	"  AND t.dim = 'episode' AND t.key = k.op3_id)" \
	" SELECT * FROM figures ORDER BY "

/* -- all of a podcast ----------------------------------------------------------------- */

static const char *const sorts[] = { "all_time", "first_30d", "newest", NULL };
static const char *const sql_sorted[] = {
	EPISODES "downloads_all DESC NULLS LAST, publish_at DESC, op3_id LIMIT $4",
	EPISODES "downloads_30d DESC NULLS LAST, publish_at DESC, op3_id LIMIT $4",
	EPISODES "publish_at DESC NULLS LAST, op3_id LIMIT $4",
};

enum { P_LIMIT = PH_VIEW_NPARAMS, P_SORT, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_VIEW_PARAMS,
	[P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = 200, .dflt = 10, .text = "At most so many episodes." },
	[P_SORT] = { .name = "sort", .type = PH_P_CHOICE, .choices = sorts,
	    .text = "By downloads so far, or in the first 30 days, most first; or the newest first. Unknown figures come last." },
};

enum { C_EPISODE, C_OP3_ID, C_GUID, C_TITLE, C_NUMBER, C_PUBLISHED, C_1D, C_3D, C_7D, C_30D, C_ALL, C__MAX };
#define FIRST(n) .is_nullable = 1, .text = "Downloads in the first " n " from its release; null: unknown, or that time is not over."
static const struct ph_field columns[C__MAX] = {
	[C_EPISODE] = { .name = "episode_id", .type = PH_TEXT, .is_nullable = 1, .text = "Our episode; null: none is like it." },
	[C_OP3_ID] = { .name = "op3_id", .type = PH_TEXT, .is_nullable = 1, .text = "OP3's own id; null: not known yet." },
	[C_GUID] = { .name = "item_guid", .type = PH_TEXT, .is_nullable = 1, .text = "The guid of the item in the feed." },
	[C_TITLE] = { .name = "title", .type = PH_TEXT, .is_nullable = 1, .text = "Its title." },
	[C_NUMBER] = { .name = "episode_number", .is_nullable = 1, .text = "Its number with us." },
	[C_PUBLISHED] = { .name = "publish_date", .type = PH_TIME, .is_nullable = 1, .text = "When it came out." },
	[C_1D] = { .name = "downloads_1d", FIRST("day") },
	[C_3D] = { .name = "downloads_3d", FIRST("3 days") },
	[C_7D] = { .name = "downloads_7d", FIRST("7 days") },
	[C_30D] = { .name = "downloads_30d", FIRST("30 days") },
	[C_ALL] = { .name = "downloads_all_time", .is_nullable = 1, .text = "Downloads so far; null: unknown." },
};
static const struct ph_field fields[] = {
	PH_VIEW_FIELDS,
	[PH_VIEW_NFIELDS] = { .name = "episodes", .type = PH_ARRAY, .fields = columns, .nfields = C__MAX, .text = "In that order." },
};

/* How many the plan shows of so many. */
static int64_t
shown(const struct ph_downloads *d, int64_t n)
{
	const int64_t most = d->who.level == PH_LEVEL_FULL ? n :
	    d->who.level == PH_LEVEL_ADVANCED ? EPISODES_ADVANCED : EPISODES_BASIC;

	return n < most ? n : most;
}

static enum ph_rc
begin_episodes(const struct ph_downloads *d, const char *sql, int64_t limit, struct ph_stmt **st, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_prepare(d->db, sql, st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(*st, 1, d->podcast.id);
	ph_stmt_bind_int(*st, 2, ph_show_has_episodes(d->show, d->now_ms));
	ph_stmt_bind_int(*st, 3, d->is_whole);
	ph_stmt_bind_int(*st, 4, limit);
	return PH_OK;
}

static enum ph_rc
episode_rows(struct ph_downloads *d, struct ph_view_sink *sink, struct ph_err *err)
{
	struct ph_value	 v[C__MAX];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = begin_episodes(d, sql_sorted[d->args->values[P_SORT].num], shown(d, d->args->values[P_LIMIT].num), &st,
	    err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		ph_v_columns(v, st, columns, C__MAX);
		if ((rc = ph_view_row(sink, v, err)) != PH_OK)
			break;
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
episodes_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	ph_view_common(d, 1, 1, out);
	return ph_view_array(d, "episodes", columns, C__MAX, episode_rows, out, err);
}

const struct ph_view ph_view_episodes = {
	.name = "episodes-summary", .params = params, .nparams = P__MAX, .needs_counts = 1,
	.fields = fields, .nfields = PH_VIEW_NFIELDS + 1, .columns = columns, .ncolumns = C__MAX,
	.write = episodes_write, .rows = episode_rows,
};

/* -- one episode ---------------------------------------------------------------------- */

/* The sum of days belongs to op3_id; counts are OP3's. */
static const char sql_one[] =
	"SELECT o.title, o.episode_number, e.op3_id, c.downloads_1d, c.downloads_3d, c.downloads_7d, c.downloads_30d,"
	" c.downloads_all FROM episodes o LEFT JOIN op3_episodes e ON e.episode_id = o.id AND e.podcast_id = o.podcast_id"
	" LEFT JOIN op3_counts c ON c.episode_id = o.id AND c.podcast_id = o.podcast_id AND $2 WHERE o.id = $1 LIMIT 1";

enum { E_DAYS = PH_VIEW_NPARAMS, E__MAX };
static const struct ph_param one_params[E__MAX] = {
	[PH_VIEW_ID] = { .name = "episode_id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_ID_SIZE - 1,
	    .text = "The episode." },
	[PH_VIEW_FORMAT] = PH_PARAM_FORMAT_OF("podcast:read"),
	[E_DAYS] = PH_PARAM_VIEW_DAYS("The window, whole days up to as_of."),
};

static const struct ph_field first_fields[] = {
	{ .name = "d1", FIRST("day") }, { .name = "d3", FIRST("3 days") }, { .name = "d7", FIRST("7 days") },
	{ .name = "d30", FIRST("30 days") },
};
static const struct ph_field day_fields[] = {
	{ .name = "date", .type = PH_TEXT, .text = "The day, in UTC." },
	{ .name = "downloads", .text = "Downloads of that day." },
};
enum { F_EPISODE = PH_VIEW_NFIELDS, F_TITLE, F_NUMBER, F_PERIOD, F_24H, F_7D, F_30D, F_TOTAL, F_ALL, F_FIRST, F_DAYS, F__MAX };
static const struct ph_field one_fields[F__MAX] = {
	PH_VIEW_FIELDS,
	[F_EPISODE] = { .name = "episode_id", .type = PH_TEXT, .text = "The episode." },
	[F_TITLE] = { .name = "episode_title", .type = PH_TEXT, .text = "Its title." },
	[F_NUMBER] = { .name = "episode_number", .is_nullable = 1, .text = "Its number." },
	[F_PERIOD] = { .name = "period_days", .unit = "days", .text = "Length of the window." },
	[F_24H] = { .name = "downloads_24h", .is_nullable = 1, .text = "On the last whole day." },
	[F_7D] = { .name = "downloads_7d", .is_nullable = 1, .text = "On the last 7 whole days." },
	[F_30D] = { .name = "downloads_30d", .is_nullable = 1, .text = "On the last 30 whole days." },
	[F_TOTAL] = { .name = "downloads_total", .is_nullable = 1, .text = "In exactly the window." },
	[F_ALL] = { .name = "downloads_all_time", .is_nullable = 1, .text = "Downloads so far." },
	[F_FIRST] = { .name = "first_days", .type = PH_OBJECT, .fields = first_fields, .nfields = 4, .text = "From its release." },
	[F_DAYS] = { .name = "downloads_by_day", .type = PH_ARRAY, .fields = day_fields, .nfields = 2,
	    .text = "Each known day of the window, oldest first." },
};

struct episode {
	char	title[TITLE_SIZE], op3_id[OP3_ID_SIZE];
	int64_t	number, first[4], all;		/* -1: unknown */
};

static enum ph_rc
read_episode(const struct ph_downloads *d, struct episode *e, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(d->db, sql_one, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, d->episode_id);
	ph_stmt_bind_int(st, 2, ph_show_has_episodes(d->show, d->now_ms));
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		snprintf(e->title, sizeof(e->title), "%s", ph_stmt_text(st, 0));	/* may be cut */
		e->number = ph_stmt_is_null(st, 1) ? -1 : ph_stmt_int(st, 1);
		snprintf(e->op3_id, sizeof(e->op3_id), "%s", ph_stmt_is_null(st, 2) ? "" : ph_stmt_text(st, 2));
		for (i = 0; i < 4; i++)
			e->first[i] = ph_stmt_is_null(st, 3 + i) ? -1 : ph_stmt_int(st, 3 + i);
		e->all = ph_stmt_is_null(st, 7) ? -1 : ph_stmt_int(st, 7);
	}
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no such episode") : rc;
}

static enum ph_rc
give_day(void *arg, int64_t day_ms, int64_t n, struct ph_err *err)
{
	char			day[PH_DAY_SIZE];
	const struct ph_value	v[] = { ph_v_str(ph_day_format(day, day_ms)), ph_v_int(n) };
	struct ph_json		*out = arg;

	(void)err;
	ph_json_obj_open(out, NULL);
	ph_json_fields(out, day_fields, v, 2);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
one_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	const int64_t	windows[] = { 1, 7, 30, d->args->values[E_DAYS].num };
	struct ph_days	w = ph_days_last(d, windows[3], 0);
	struct episode	e = { .op3_id = "" };
	struct ph_value	first[4], v[F__MAX] = { 0 };
	int64_t		n;
	enum ph_rc	rc;
	int		i;

	if ((rc = read_episode(d, &e, err)) != PH_OK)
		return rc;
	v[F_EPISODE] = ph_v_str(d->episode_id);
	v[F_TITLE] = ph_v_str(e.title);
	v[F_NUMBER] = ph_v_known(e.number);
	v[F_PERIOD] = ph_v_int(windows[3]);
	for (i = 0; i < 4; i++) {
		first[i] = ph_v_known(e.first[i]);
		v[F_24H + i] = ph_v_null();
		if (e.op3_id[0] == '\0')
			continue;
		if ((rc = ph_days_sum(d, e.op3_id, ph_days_last(d, windows[i], 0), &n, err)) != PH_OK)
			return rc;
		v[F_24H + i] = ph_v_known(n);
	}
	if (e.all < 0 && e.op3_id[0] != '\0' && (rc = ph_days_all(d, e.op3_id, &e.all, err)) != PH_OK)
		return rc;
	v[F_ALL] = ph_v_known(e.all);
	ph_view_common(d, 1, 1, out);
	ph_json_fields(out, one_fields + F_EPISODE, v + F_EPISODE, F_FIRST - F_EPISODE);
	ph_json_obj_open(out, "first_days");
	ph_json_fields(out, first_fields, first, 4);
	ph_json_close(out);
	ph_json_arr_open(out, "downloads_by_day");
	if (e.op3_id[0] != '\0')
		rc = ph_days_each(d, e.op3_id, ph_days_shown(d, w), give_day, out, err);
	ph_json_close(out);
	return rc;
}

const struct ph_view ph_view_episode = {
	.name = "episode", .params = one_params, .nparams = E__MAX, .level = PH_LEVEL_ADVANCED, .needs_counts = 1,
	.fields = one_fields, .nfields = F__MAX, .write = one_write,
};

/* -- curves from the release on ------------------------------------------------------- */

static const char sql_newest[] =
	"SELECT e.episode_id, e.op3_id, coalesce(o.title, e.title), coalesce(o.publish_at, e.pubdate) AS publish_at"
	" FROM op3_episodes e LEFT JOIN episodes o ON o.id = e.episode_id WHERE e.podcast_id = $1 AND publish_at <= $2"
	" ORDER BY publish_at DESC, e.op3_id LIMIT $3";

enum { V_DAYS = PH_VIEW_NPARAMS, V_LIMIT, V__MAX };
static const struct ph_param curve_params[V__MAX] = {
	PH_VIEW_PARAMS,
	[V_DAYS] = PH_PARAM_VIEW_DAYS("So many days from each release on."),
	[V_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = CURVES_MAX, .dflt = 5, .text = "The newest episodes, at most so many." },
};

static const struct ph_field point_fields[] = {
	{ .name = "day", .unit = "days", .text = "Since its release, whose day (UTC) is 0." },
	{ .name = "downloads", .text = "Downloads of that day." },
	{ .name = "cumulative", .text = "Downloads up to the end of it." },
};
static const struct ph_field curve_fields[] = {
	{ .name = "episode_id", .type = PH_TEXT, .is_nullable = 1, .text = "Our episode; null: none is like it." },
	{ .name = "op3_id", .type = PH_TEXT, .text = "OP3's own id." },
	{ .name = "title", .type = PH_TEXT, .is_nullable = 1, .text = "Its title." },
	{ .name = "publish_date", .type = PH_TIME, .text = "When it came out." },
	{ .name = "points", .type = PH_ARRAY, .fields = point_fields, .nfields = 3,
	    .text = "One per whole day; none where our days begin behind the release." },
};
static const struct ph_field curve_columns[] = {
	{ .name = "episode_id", .type = PH_TEXT, .is_nullable = 1, .text = "Our episode; null: none is like it." },
	{ .name = "op3_id", .type = PH_TEXT, .text = "OP3's own id." },
	{ .name = "title", .type = PH_TEXT, .is_nullable = 1, .text = "Its title." },
	{ .name = "day", .unit = "days", .text = "Since its release, whose day (UTC) is 0." },
	{ .name = "downloads", .text = "Downloads of that day." },
	{ .name = "cumulative", .text = "Downloads up to the end of it." },
};
enum { V_PERIOD = PH_VIEW_NFIELDS, V_CURVES, V_NFIELDS };
static const struct ph_field curves_fields[V_NFIELDS] = {
	PH_VIEW_FIELDS,
	[V_PERIOD] = { .name = "period_days", .unit = "days", .text = "Days from each release on." },
	[V_CURVES] = { .name = "curves", .type = PH_ARRAY, .fields = curve_fields, .nfields = 5, .text = "The newest episode first." },
};

struct curve {
	char			 episode_id[PH_ID_SIZE], op3_id[OP3_ID_SIZE], title[TITLE_SIZE];
	int64_t			 publish_at;
	int64_t			 release_ms, cumulative;	/* of the points so far */
	struct ph_json		*out;		/* NULL: to the sink */
	struct ph_view_sink	*sink;
};

static enum ph_rc
give_point(void *arg, int64_t day_ms, int64_t n, struct ph_err *err)
{
	struct curve		*c = arg;
	const struct ph_value	 day = ph_v_int((day_ms - c->release_ms) / PH_DAY_MS);

	c->cumulative += n;
	if (c->out != NULL) {
		const struct ph_value v[] = { day, ph_v_int(n), ph_v_int(c->cumulative) };

		ph_json_obj_open(c->out, NULL);
		ph_json_fields(c->out, point_fields, v, 3);
		ph_json_close(c->out);
		return PH_OK;
	}

	const struct ph_value v[] = { ph_v_known_text(c->episode_id), ph_v_str(c->op3_id), ph_v_known_text(c->title), day,
	    ph_v_int(n), ph_v_int(c->cumulative) };

	return ph_view_row(c->sink, v, err);
}

/* The points of one, from its release to the last whole day. */
static enum ph_rc
give_points(const struct ph_downloads *d, struct curve *c, struct ph_err *err)
{
	struct ph_days w;

	c->release_ms = w.first_ms = ph_time_floor(c->publish_at, PH_DAY_MS, 0);
	w.last_ms = c->release_ms + (d->args->values[V_DAYS].num - 1) * PH_DAY_MS;
	if (w.last_ms > d->last_ms)
		w.last_ms = d->last_ms;
	/* A curve that lacks its beginning would be another one. */
	if (d->last_ms < 0 || w.first_ms < d->first_ms || w.first_ms > w.last_ms)
		return PH_OK;
	return ph_days_each(d, c->op3_id, w, give_point, c, err);
}

static void
copy_text(struct ph_stmt *st, int col, char *out, size_t size)
{
	snprintf(out, size, "%s", ph_stmt_is_null(st, col) ? "" : ph_stmt_text(st, col));	/* may be cut */
}

static enum ph_rc
read_curves(const struct ph_downloads *d, struct curve *list, size_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*n = 0;
	if ((rc = ph_db_prepare(d->db, sql_newest, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, d->podcast.id);
	ph_stmt_bind_int(st, 2, d->now_ms);
	ph_stmt_bind_int(st, 3, shown(d, d->args->values[V_LIMIT].num));
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && *n < CURVES_MAX) {
		struct curve *c = &list[(*n)++];

		copy_text(st, 0, c->episode_id, sizeof(c->episode_id));
		copy_text(st, 1, c->op3_id, sizeof(c->op3_id));
		copy_text(st, 2, c->title, sizeof(c->title));
		c->publish_at = ph_stmt_int(st, 3);
		c->cumulative = 0;
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
curves_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	struct curve	list[CURVES_MAX];
	size_t		n, i;
	enum ph_rc	rc;

	if ((rc = read_curves(d, list, &n, err)) != PH_OK)
		return rc;
	ph_view_common(d, 0, 1, out);
	ph_json_int(out, "period_days", d->args->values[V_DAYS].num);
	ph_json_arr_open(out, "curves");
	for (i = 0; i < n && rc == PH_OK; i++) {
		const struct ph_value v[] = { ph_v_known_text(list[i].episode_id), ph_v_str(list[i].op3_id),
		    ph_v_known_text(list[i].title), ph_v_int(list[i].publish_at) };

		list[i].out = out;
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, curve_fields, v, 4);
		ph_json_arr_open(out, "points");
		rc = give_points(d, &list[i], err);
		ph_json_close(out);
		ph_json_close(out);
	}
	ph_json_close(out);
	return rc;
}

static enum ph_rc
curve_rows(struct ph_downloads *d, struct ph_view_sink *sink, struct ph_err *err)
{
	struct curve	list[CURVES_MAX];
	size_t		n, i;
	enum ph_rc	rc;

	rc = read_curves(d, list, &n, err);
	for (i = 0; rc == PH_OK && i < n; i++) {
		list[i].out = NULL;
		list[i].sink = sink;
		rc = give_points(d, &list[i], err);
	}
	return rc;
}

const struct ph_view ph_view_curves = {
	.name = "episode-curves", .params = curve_params, .nparams = V__MAX, .level = PH_LEVEL_ADVANCED,
	.fields = curves_fields, .nfields = V_NFIELDS, .columns = curve_columns, .ncolumns = 6,
	.write = curves_write, .rows = curve_rows,
};
