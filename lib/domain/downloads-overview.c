/*
 * downloads-overview.c -- a window as a whole: totals, days, top episodes, countries and apps.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "domain/downloads.h"
#include "domain/show-top.h"

enum { TOP = 10, SHARES_ADVANCED = 5, SHARES_FULL = 20 };

enum { D_DAYS = PH_VIEW_NPARAMS, D__MAX };
static const struct ph_param downloads_params[D__MAX] = {
	PH_VIEW_PARAMS,
	[D_DAYS] = PH_PARAM_VIEW_DAYS("The window, whole days up to as_of."),
};

static const struct ph_field country_fields[] = {
	{ .name = "country", .type = PH_TEXT, .text = "ISO 3166-1 code; XX: unknown." },
	{ .name = "name", .type = PH_TEXT, .is_nullable = 1, .text = "Its English name; null: unknown." },
	{ .name = "downloads", .text = "In the window." },
	{ .name = "share", .type = PH_DECIMAL, .places = 4, .unit = "ratio", .text = "Of all in the window." },
};
static const struct ph_field app_fields[] = {
	{ .name = "app", .type = PH_TEXT, .text = "The app, as OP3 calls it." },
	{ .name = "downloads", .text = "In the window." },
	{ .name = "share", .type = PH_DECIMAL, .places = 4, .unit = "ratio", .text = "Of all by apps in the window." },
};

enum { F_RSS = PH_VIEW_NFIELDS, F_PERIOD, F_7D, F_30D, F_365D, F_ALL, F_TOTAL, F_WEEKLY, F_AVG, F_WEEKS, F_DAYS, F_TOP,
    F_COUNTRIES, F_APPS, F_NOTE, F__MAX };
static const struct ph_field downloads_fields[F__MAX] = {
	PH_VIEW_FIELDS,
	[F_RSS] = { .name = "rss_url", .type = PH_TEXT, .is_nullable = 1, .text = "The podcast's feed." },
	[F_PERIOD] = { .name = "period_days", .unit = "days", .text = "Length of the window." },
	[F_7D] = { .name = "downloads_7d", .is_nullable = 1, .text = "In the last week that OP3 counted." },
	[F_30D] = { .name = "downloads_30d", .is_nullable = 1, .text = "In the last 30 days that OP3 counted." },
	[F_365D] = { .name = "downloads_365d", .is_nullable = 1, .text = "In the last 365 days; null until our days reach back to the beginning." },
	[F_ALL] = { .name = "downloads_all_time", .is_nullable = 1, .text = "All that OP3 knows; null as downloads_365d." },
	[F_TOTAL] = { .name = "total_downloads", .is_nullable = 1, .text = "In exactly the window." },
	[F_WEEKLY] = { .name = "weekly_downloads", .type = PH_ARRAY, .text = "The last four weeks that OP3 counted, oldest first." },
	[F_AVG] = { .name = "weekly_avg", .type = PH_DECIMAL, .places = 2, .is_nullable = 1, .text = "Their mean, by OP3." },
	[F_WEEKS] = { .name = "num_weeks", .is_nullable = 1, .text = "How many of these weeks have figures." },
	[F_DAYS] = { .name = "downloads_by_day", .type = PH_ARRAY, .fields = ph_day_fields, .nfields = PH_DAY_NFIELDS,
	    .text = "Each known day of the window, oldest first." },
	[F_TOP] = { .name = "top_episodes", .type = PH_ARRAY, .fields = ph_top_fields, .nfields = PH_TOP_NFIELDS,
	    .text = "Of the last months, by downloads so far." },
	[F_COUNTRIES] = { .name = "top_countries", .type = PH_ARRAY, .fields = country_fields, .nfields = 4, .text = "The largest." },
	[F_APPS] = { .name = "top_apps", .type = PH_ARRAY, .fields = app_fields, .nfields = 3, .text = "The largest." },
	[F_NOTE] = { .name = "note", .type = PH_TEXT, .is_nullable = 1, .text = "What a reader of these figures should know." },
};

static struct ph_days
asked(const struct ph_downloads *d)
{
	return ph_days_last(d, d->args->values[D_DAYS].num, 0);
}

static enum ph_rc
day_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	return ph_days_each(d, NULL, ph_days_shown(d, asked(d)), ph_day_give, sink, err);
}

static int64_t
shares_limit(const struct ph_downloads *d)
{
	return d->who.level == PH_LEVEL_FULL ? SHARES_FULL : d->who.level == PH_LEVEL_ADVANCED ? SHARES_ADVANCED : 0;
}

static enum ph_rc
country_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	return ph_view_shares(d, "country", ph_days_known(d, asked(d)), shares_limit(d), sink, err);
}

static enum ph_rc
app_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	return ph_view_shares(d, "app", ph_days_known(d, asked(d)), shares_limit(d), sink, err);
}

static enum ph_rc
write_top(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	struct ph_top	top[TOP];
	size_t		n = 0;
	enum ph_rc	rc = PH_OK;

	if (ph_show_has_episodes(d->show, d->now_ms))
		rc = ph_top_read(d->db, d->podcast.id, top, (size_t)ph_episodes_shown(d, TOP), &n, err);
	ph_top_write(out, top, n, 1);
	return rc;
}

static const char *
note(const struct ph_downloads *d)
{
	if (d->last_ms < 0)
		return "Our own daily figures are not there yet; they come with job-op3-sync.";
	if (!d->is_whole)
		return "Our own daily figures are still being read; they reach up to as_of.";
	if (d->who.level != PH_LEVEL_FULL)
		return "The plan shows a part of these figures; see analytics_level.";
	return NULL;
}

static enum ph_rc
downloads_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	const struct ph_op3_counts	*c = &d->show->counts;
	const int			 has_counts = ph_downloads_has_counts(d);
	int64_t				 year, all, total;
	int				 i;
	enum ph_rc			 rc;

	if ((rc = ph_days_sum(d, NULL, ph_days_last(d, 365, 0), &year, err)) != PH_OK ||
	    (rc = ph_days_all(d, NULL, &all, err)) != PH_OK || (rc = ph_days_sum(d, NULL, asked(d), &total, err)) != PH_OK)
		return rc;

	const struct ph_value v[F__MAX] = {
		[F_RSS] = ph_v_known_text(d->show->feed_url), [F_PERIOD] = ph_v_int(d->args->values[D_DAYS].num),
		[F_7D] = ph_v_known(has_counts && c->nweekly > 0 ? c->weekly[c->nweekly - 1] : -1),
		[F_30D] = ph_v_known(has_counts ? c->monthly : -1), [F_365D] = ph_v_known(d->is_whole ? year : -1),
		[F_ALL] = ph_v_known(all), [F_TOTAL] = ph_v_known(total),
		[F_AVG] = has_counts && c->weekly_avg >= 0 ? ph_v_real(c->weekly_avg) : ph_v_null(),
		[F_WEEKS] = ph_v_known(has_counts ? c->num_weeks : -1), [F_NOTE] = ph_v_str(note(d)),
	};

	ph_view_common(d, 1, 1, out);
	ph_json_fields(out, downloads_fields + F_RSS, v + F_RSS, F_WEEKLY - F_RSS);
	ph_json_arr_open(out, "weekly_downloads");
	for (i = 0; has_counts && i < c->nweekly; i++)
		ph_json_int(out, NULL, c->weekly[i]);
	ph_json_close(out);
	ph_json_fields(out, downloads_fields + F_AVG, v + F_AVG, F_DAYS - F_AVG);
	if ((rc = ph_view_array(d, "downloads_by_day", ph_day_fields, PH_DAY_NFIELDS, day_rows, out, err)) != PH_OK ||
	    (rc = write_top(d, out, err)) != PH_OK ||
	    (rc = ph_view_array(d, "top_countries", country_fields, 4, country_rows, out, err)) != PH_OK ||
	    (rc = ph_view_array(d, "top_apps", app_fields, 3, app_rows, out, err)) != PH_OK)
		return rc;
	ph_json_fields(out, downloads_fields + F_NOTE, v + F_NOTE, 1);
	return PH_OK;
}

const struct ph_view ph_view_downloads = {
	.name = "downloads", .params = downloads_params, .nparams = D__MAX, .refresh = ph_shows_refresh_for,
	.fields = downloads_fields, .nfields = F__MAX, .columns = ph_day_fields, .ncolumns = PH_DAY_NFIELDS,
	.write = downloads_write, .rows = day_rows,
};
