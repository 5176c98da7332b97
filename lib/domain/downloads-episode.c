/*
 * downloads-episode.c -- one episode.
 */
#include "autoconf.h"

#include <stdio.h>

#include "domain/downloads.h"
#include "domain/show-top.h"

enum { TITLE_SIZE = 512 };

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
	{ .name = "d1", PH_FIRST_DAYS("day") }, { .name = "d3", PH_FIRST_DAYS("3 days") }, { .name = "d7", PH_FIRST_DAYS("7 days") },
	{ .name = "d30", PH_FIRST_DAYS("30 days") },
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
	[F_DAYS] = { .name = "downloads_by_day", .type = PH_ARRAY, .fields = ph_day_fields, .nfields = PH_DAY_NFIELDS,
	    .text = "Each known day of the window, oldest first." },
};

struct episode {
	char	title[TITLE_SIZE], op3_id[PH_OP3_ID_SIZE];
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
		ph_stmt_copy(st, 0, e->title, sizeof(e->title));
		e->number = ph_stmt_is_null(st, 1) ? -1 : ph_stmt_int(st, 1);
		ph_stmt_copy(st, 2, e->op3_id, sizeof(e->op3_id));
		for (i = 0; i < 4; i++)
			e->first[i] = ph_stmt_is_null(st, 3 + i) ? -1 : ph_stmt_int(st, 3 + i);
		e->all = ph_stmt_is_null(st, 7) ? -1 : ph_stmt_int(st, 7);
	}
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no such episode") : rc;
}

/* Each known day of the window. */
static enum ph_rc
day_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	struct episode	e = { .op3_id = "" };
	enum ph_rc	rc;

	if ((rc = read_episode(d, &e, err)) != PH_OK || e.op3_id[0] == '\0')
		return rc;
	return ph_days_each(d, e.op3_id, ph_days_shown(d, ph_days_last(d, d->args->values[E_DAYS].num, 0)), ph_day_give, sink, err);
}

static enum ph_rc
one_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	const int64_t	windows[] = { 1, 7, 30, d->args->values[E_DAYS].num };
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
	return ph_view_array(d, "downloads_by_day", ph_day_fields, PH_DAY_NFIELDS, day_rows, out, err);
}

const struct ph_view ph_view_episode = {
	.name = "episode", .params = one_params, .nparams = E__MAX, .level = PH_LEVEL_ADVANCED, .is_episode = 1,
	.refresh = ph_shows_refresh_for,
	.fields = one_fields, .nfields = F__MAX, .write = one_write,
};
