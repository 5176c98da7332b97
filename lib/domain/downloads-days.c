/*
 * downloads-days.c -- reports by time: the overview of a window, and a series in buckets.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "domain/downloads.h"
#include "domain/show-top.h"

enum { TOP_BASIC = 3, TOP_MORE = 10, SHARES_ADVANCED = 5, SHARES_FULL = 20 };

static const struct ph_field day_fields[] = {
	{ .name = "date", .type = PH_TEXT, .text = "The day, in UTC." },
	{ .name = "downloads", .text = "Downloads of that day." },
};

/* -- downloads ------------------------------------------------------------------------ */

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
	[F_DAYS] = { .name = "downloads_by_day", .type = PH_ARRAY, .fields = day_fields, .nfields = 2,
	    .text = "Each known day of the window, oldest first." },
	[F_TOP] = { .name = "top_episodes", .type = PH_ARRAY, .fields = ph_top_fields, .nfields = PH_TOP_NFIELDS,
	    .text = "Of the last months, by downloads so far." },
	[F_COUNTRIES] = { .name = "top_countries", .type = PH_ARRAY, .fields = country_fields, .nfields = 4, .text = "The largest." },
	[F_APPS] = { .name = "top_apps", .type = PH_ARRAY, .fields = app_fields, .nfields = 3, .text = "The largest." },
	[F_NOTE] = { .name = "note", .type = PH_TEXT, .is_nullable = 1, .text = "What a reader of these figures should know." },
};

static enum ph_rc
give_day(void *arg, int64_t day_ms, int64_t n, struct ph_err *err)
{
	char			day[PH_DAY_SIZE];
	const struct ph_value	v[] = { ph_v_str(ph_day_format(day, day_ms)), ph_v_int(n) };

	return ph_view_row(arg, v, err);
}

static struct ph_days
asked(const struct ph_downloads *d)
{
	return ph_days_last(d, d->args->values[D_DAYS].num, 0);
}

static enum ph_rc
day_rows(struct ph_downloads *d, struct ph_view_sink *sink, struct ph_err *err)
{
	return ph_days_each(d, NULL, ph_days_shown(d, asked(d)), give_day, sink, err);
}

static int64_t
shares_limit(const struct ph_downloads *d)
{
	return d->who.level == PH_LEVEL_FULL ? SHARES_FULL : d->who.level == PH_LEVEL_ADVANCED ? SHARES_ADVANCED : 0;
}

static enum ph_rc
country_rows(struct ph_downloads *d, struct ph_view_sink *sink, struct ph_err *err)
{
	return ph_view_shares(d, "country", ph_days_known(d, asked(d)), shares_limit(d), sink, err);
}

static enum ph_rc
app_rows(struct ph_downloads *d, struct ph_view_sink *sink, struct ph_err *err)
{
	return ph_view_shares(d, "app", ph_days_known(d, asked(d)), shares_limit(d), sink, err);
}

static enum ph_rc
write_top(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	struct ph_top	top[TOP_MORE];
	size_t		n = 0;
	enum ph_rc	rc = PH_OK;

	if (ph_show_has_episodes(d->show, d->now_ms))
		rc = ph_top_read(d->db, d->podcast.id, top, d->who.level == PH_LEVEL_BASIC ? TOP_BASIC : TOP_MORE, &n, err);
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
	if ((rc = ph_view_array(d, "downloads_by_day", day_fields, 2, day_rows, out, err)) != PH_OK ||
	    (rc = write_top(d, out, err)) != PH_OK ||
	    (rc = ph_view_array(d, "top_countries", country_fields, 4, country_rows, out, err)) != PH_OK ||
	    (rc = ph_view_array(d, "top_apps", app_fields, 3, app_rows, out, err)) != PH_OK)
		return rc;
	ph_json_fields(out, downloads_fields + F_NOTE, v + F_NOTE, 1);
	return PH_OK;
}

const struct ph_view ph_view_downloads = {
	.name = "downloads", .params = downloads_params, .nparams = D__MAX, .needs_counts = 1,
	.fields = downloads_fields, .nfields = F__MAX, .columns = day_fields, .ncolumns = 2,
	.write = downloads_write, .rows = day_rows,
};

/* -- daily ---------------------------------------------------------------------------- */

static const char *const buckets[] = { "day", "week", "month", NULL };
enum { BY_DAY, BY_WEEK, BY_MONTH };

enum { S_FROM = PH_VIEW_NPARAMS, S_TO, S_BUCKET, S__MAX };
static const struct ph_param daily_params[S__MAX] = {
	PH_VIEW_PARAMS,
	[S_FROM] = { .name = "from", .type = PH_P_TEXT, .min = 10, .max = 10, .text = "The first day, YYYY-MM-DD; default 29 days before the last." },
	[S_TO] = { .name = "to", .type = PH_P_TEXT, .min = 10, .max = 10, .text = "The last day; default and at most the last known one." },
	[S_BUCKET] = { .name = "bucket", .type = PH_P_CHOICE, .choices = buckets, .text = "Weeks begin on Monday (ISO 8601)." },
};

static const struct ph_field bucket_fields[] = {
	{ .name = "start", .type = PH_TEXT, .text = "The first day of the bucket that is counted." },
	{ .name = "downloads", .text = "In the bucket." },
};
static const struct ph_field bucket_columns[] = {
	{ .name = "start", .type = PH_TEXT, .text = "The first day of the bucket that is counted." },
	{ .name = "downloads", .text = "In the bucket." },
	{ .name = "partial", .type = PH_BOOL, .text = "Not every day of it is counted." },
};

enum { G_BUCKET = PH_VIEW_NFIELDS, G_SERIES, G__MAX };
static const struct ph_field daily_fields[G__MAX] = {
	PH_VIEW_FIELDS,
	[G_BUCKET] = { .name = "bucket", .type = PH_TEXT, .choices = buckets, .text = "Width of the buckets." },
	[G_SERIES] = { .name = "series", .type = PH_ARRAY, .text = "Objects of start (the first day that is counted), "
	    "downloads, and partial: true where a bucket is not counted whole; oldest first." },
};

struct series {
	int		 bucket;
	int64_t		 start_ms, n;		/* of the bucket at hand; -1: none */
	int		 is_begun;		/* with its first day */
	void		*arg;
	enum ph_rc	(*give)(void *arg, const char *start, int64_t n, int is_partial, struct ph_err *);
};

/* Is a new bucket begun by that day? */
static int
begins(int bucket, int64_t day_ms)
{
	char day[PH_DAY_SIZE];

	/* 1970-01-05 was a Monday. */
	return bucket == BY_DAY || (bucket == BY_WEEK && (day_ms / PH_DAY_MS + 3) % 7 == 0) ||
	    (bucket == BY_MONTH && strcmp(ph_day_format(day, day_ms) + 8, "01") == 0);
}

static enum ph_rc
give_bucket(struct series *s, int64_t after_ms, struct ph_err *err)
{
	char start[PH_DAY_SIZE];

	if (s->start_ms < 0)
		return PH_OK;
	return s->give(s->arg, ph_day_format(start, s->start_ms), s->n, !s->is_begun || !begins(s->bucket, after_ms), err);
}

static enum ph_rc
add_day(void *arg, int64_t day_ms, int64_t n, struct ph_err *err)
{
	struct series	*s = arg;
	enum ph_rc	 rc;

	if (s->start_ms < 0 || begins(s->bucket, day_ms)) {
		if ((rc = give_bucket(s, day_ms, err)) != PH_OK)
			return rc;
		s->start_ms = day_ms;
		s->is_begun = begins(s->bucket, day_ms);
		s->n = 0;
	}
	s->n += n;
	return PH_OK;
}

/* The days that are asked for. */
static enum ph_rc
read_range(const struct ph_downloads *d, struct ph_days *w, struct ph_err *err)
{
	const char	*from = d->args->values[S_FROM].text, *to = d->args->values[S_TO].text;
	const int	 has_from = d->args->values[S_FROM].is_set, has_to = d->args->values[S_TO].is_set;
	enum ph_rc	 rc = PH_OK;

	*w = ph_days_last(d, 30, 0);
	if (has_to && (w->last_ms = ph_day_ms(to)) < 0)
		rc = ph_fail_param(err, "to", 2, "a day like 2025-11-22 is needed");
	if (has_from && (w->first_ms = ph_day_ms(from)) < 0)
		rc = ph_fail_param(err, "from", 4, "a day like 2025-11-22 is needed");
	if (rc == PH_OK && has_to && !has_from)
		w->first_ms = w->last_ms - 29 * PH_DAY_MS;
	if (rc == PH_OK && has_to && has_from && w->first_ms > w->last_ms)
		rc = ph_fail_param(err, "from", 4, "is behind to");
	return rc;
}

static enum ph_rc
each_bucket(const struct ph_downloads *d, struct series *s, struct ph_err *err)
{
	struct ph_days	w;
	enum ph_rc	rc;

	s->bucket = (int)d->args->values[S_BUCKET].num;
	s->start_ms = -1;
	if ((rc = read_range(d, &w, err)) != PH_OK)
		return rc;
	w = ph_days_shown(d, w);
	if ((rc = ph_days_each(d, NULL, w, add_day, s, err)) == PH_OK)
		rc = give_bucket(s, w.last_ms + PH_DAY_MS, err);
	return rc;
}

static enum ph_rc
write_bucket(void *arg, const char *start, int64_t n, int is_partial, struct ph_err *err)
{
	const struct ph_value	 v[] = { ph_v_str(start), ph_v_int(n) };
	struct ph_json		*out = arg;

	(void)err;
	ph_json_obj_open(out, NULL);
	ph_json_fields(out, bucket_fields, v, 2);
	if (is_partial)
		ph_json_bool(out, "partial", 1);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
daily_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	struct series	s = { .arg = out, .give = write_bucket };
	enum ph_rc	rc;

	ph_view_common(d, 0, 1, out);
	ph_json_str(out, "bucket", buckets[d->args->values[S_BUCKET].num]);
	ph_json_arr_open(out, "series");
	rc = each_bucket(d, &s, err);
	ph_json_close(out);
	return rc;
}

static enum ph_rc
row_bucket(void *arg, const char *start, int64_t n, int is_partial, struct ph_err *err)
{
	const struct ph_value v[] = { ph_v_str(start), ph_v_int(n), ph_v_int(is_partial) };

	return ph_view_row(arg, v, err);
}

static enum ph_rc
daily_rows(struct ph_downloads *d, struct ph_view_sink *sink, struct ph_err *err)
{
	struct series s = { .arg = sink, .give = row_bucket };

	return each_bucket(d, &s, err);
}

const struct ph_view ph_view_daily = {
	.name = "daily", .params = daily_params, .nparams = S__MAX,
	.fields = daily_fields, .nfields = G__MAX, .columns = bucket_columns, .ncolumns = 3,
	.write = daily_write, .rows = daily_rows,
};
