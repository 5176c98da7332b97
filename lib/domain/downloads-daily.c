/*
 * downloads-daily.c -- downloads over time, in buckets of a day, a week or a month.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "domain/downloads.h"

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

	return ph_rows_give(arg, v, err);
}

static enum ph_rc
daily_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	struct series s = { .arg = sink, .give = row_bucket };

	return each_bucket(d, &s, err);
}

const struct ph_view ph_view_daily = {
	.name = "daily", .params = daily_params, .nparams = S__MAX,
	.fields = daily_fields, .nfields = G__MAX, .columns = bucket_columns, .ncolumns = 3,
	.write = daily_write, .rows = daily_rows,
};
