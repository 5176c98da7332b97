/*
 * downloads-curves.c -- how episodes grow from their release on.
 */
#include "autoconf.h"

#include <stdio.h>

#include "domain/downloads.h"

enum { TITLE_SIZE = 512, CURVES_MAX = 20 };

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
	char			 episode_id[PH_ID_SIZE], op3_id[PH_OP3_ID_SIZE], title[TITLE_SIZE];
	int64_t			 publish_at;
	int64_t			 release_ms, cumulative;	/* of the points so far */
	struct ph_json		*out;		/* NULL: to the sink */
	struct ph_rows	*sink;
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

	return ph_rows_give(c->sink, v, err);
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
	ph_stmt_bind_int(st, 3, ph_episodes_shown(d, d->args->values[V_LIMIT].num));
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && *n < CURVES_MAX) {
		struct curve *c = &list[(*n)++];

		ph_stmt_copy(st, 0, c->episode_id, sizeof(c->episode_id));
		ph_stmt_copy(st, 1, c->op3_id, sizeof(c->op3_id));
		ph_stmt_copy(st, 2, c->title, sizeof(c->title));
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
curve_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
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
