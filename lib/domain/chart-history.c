/*
 * chart-history.c -- up to ten metrics over time, for line charts.  history.c reads the series.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "domain/chart.h"
#include "domain/filter.h"
#include "domain/history.h"

enum { METRICS_MAX = 10, SERIES_MAX = METRICS_MAX * PH_NAMES_MAX, POINTS_MAX = 20000 };
enum { COLUMN_NAME_SIZE = PH_METRIC_NAME_SIZE + 16 };
enum { AVG_PLACES = 4 };	/* of a mean of whole numbers */
#define DAY_MS	INT64_C(86400000)

enum { P_METRIC = PH_CHART_NPARAMS, P_STEP, P_AGG, P_FILL, P_TZ_OFFSET, P_FILTER,
	P__MAX = P_FILTER + PH_FILTER_NPARAMS };
static const struct ph_param params[P__MAX] = {
	PH_CHART_PARAMS,
	[P_METRIC] = { .name = "metric", .type = PH_P_TEXT, .is_required = 1, .min = 1,
	    .max = METRICS_MAX * PH_METRIC_NAME_SIZE,
	    .text = "One to ten names, comma-separated: gauges of /dashboard/metrics, or events.requested, "
		"events.published, events.failed, events.retried, events.jobs_completed, "
		"events.clips_created, events.orchestrator_events." },
	[P_STEP] = { .name = "step", .type = PH_P_CHOICE, .choices = ph_history_step_names, .dflt = -1,
	    .text = "Time between two points. Without it the smallest that gives at most 500 points." },
	[P_AGG] = { .name = "agg", .type = PH_P_CHOICE, .choices = ph_history_aggs,
	    .text = "Which value stands for the samples of a gauge within a step." },
	[P_FILL] = { .name = "fill", .type = PH_P_CHOICE, .choices = ph_history_fills, .dflt = -1,
	    .text = "What to show where there is nothing: prev is the value before. Without it zero for "
		"events and null for gauges. What begins after now stays null." },
	[P_TZ_OFFSET] = { .name = "tz_offset", .type = PH_P_INT, .min = -720, .max = 840,
	    .unit = "minutes east of UTC", .text = "Shifts the midnight at which steps of a day begin." },
	PH_FILTER_PARAMS(P_FILTER),
};

static const char *const kinds[] = { "gauge", "event", NULL };

enum { S_METRIC, S_PLATFORM, S_KIND, S_POINTS, S__MAX };
static const struct ph_field series_fields[S__MAX] = {
	[S_METRIC] = { .name = "metric", .type = PH_TEXT, .text = "The name asked for." },
	[S_PLATFORM] = { .name = "platform", .type = PH_TEXT, .is_nullable = 1, .choices = ph_platform_keys,
	    .text = "Of which platform; null: of all." },
	[S_KIND] = { .name = "kind", .type = PH_TEXT, .choices = kinds,
	    .text = "gauge: how things stood. event: how often something happened in the step." },
	[S_POINTS] = { .name = "points", .type = PH_ARRAY,
	    .text = "Pairs of Unix milliseconds, the beginning of the step, and the value or null." },
};
enum { F_FROM, F_TO, F_STEP_MS, F_SERIES, F_TRUNCATED, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_FROM] = { .name = "from", .type = PH_TIME, .text = "Beginning of the first step." },
	[F_TO] = { .name = "to", .type = PH_TIME, .text = "End of the last step." },
	[F_STEP_MS] = { .name = "step_ms", .unit = "ms", .text = "Time between two points." },
	[F_SERIES] = { .name = "series", .type = PH_ARRAY, .fields = series_fields, .nfields = S__MAX,
	    .text = "One per metric and platform, in the order asked for." },
	[F_TRUNCATED] = { .name = "truncated", .type = PH_BOOL,
	    .text = "The range has more than 400 days or 2000 points: its beginning is left out." },
};

struct wanted {
	struct ph_history_series	series[SERIES_MAX];
	struct {
		char		 metric[PH_METRIC_NAME_SIZE];
		const char	*platform;	/* NULL: all */
	} names[SERIES_MAX];
	size_t	n;
};

/* The first word of a comma-separated list, which then begins behind it; NULL: there is none. */
static const char *
next_word(const char **list, size_t *len)
{
	const char *word = *list;

	if (word == NULL)
		return NULL;
	*len = strcspn(word, ",");
	*list = word[*len] == ',' ? word + *len + 1 : NULL;
	return word;
}

static void
add_series(struct wanted *w, const struct ph_history_series *s, const char *name, size_t len,
    const char *platform)
{
	const size_t i = w->n++;

	w->series[i] = *s;
	snprintf(w->names[i].metric, PH_METRIC_NAME_SIZE, "%.*s", (int)len, name);
	w->names[i].platform = platform;
}

/* Add the series of one metric, one per platform. */
static enum ph_rc
add_metric(const struct ph_args *args, const char *name, size_t len, struct wanted *w, struct ph_err *err)
{
	const struct ph_param		*platform_param = &params[P_FILTER + PH_FILTER_PLATFORM];
	const char			*platforms = args->values[P_FILTER + PH_FILTER_PLATFORM].text, *word;
	struct ph_history_series	 s;
	size_t				 i, word_len;

	if (ph_history_find(name, len, &s) != 0)
		return ph_chart_refuse(err, &params[P_METRIC], "every name must be a gauge of /dashboard/metrics, "
		    "or events. and requested, published, failed, retried, jobs_completed, clips_created or "
		    "orchestrator_events");
	s.agg = (enum ph_history_agg)args->values[P_AGG].num;
	if (args->values[P_FILL].is_set)
		s.fill = (enum ph_history_fill)args->values[P_FILL].num;
	if (platforms == NULL) {
		add_series(w, &s, name, len, NULL);
		return PH_OK;
	}
	if (s.gauge != NULL || !ph_events[s.event].has_platform)
		return ph_chart_refuse(err, platform_param, "goes with the events requested, published, failed, "
		    "retried and jobs_completed alone; gauges have platforms in their names");
	while ((word = next_word(&platforms, &word_len)) != NULL) {
		for (i = 0; i < PH_PLATFORM__MAX; i++)
			if (strlen(ph_platform_keys[i]) == word_len &&
			    memcmp(ph_platform_keys[i], word, word_len) == 0)
				break;
		if (i == PH_PLATFORM__MAX)
			return ph_chart_refuse(err, platform_param, "must be instagram, tiktok, youtube, other or "
			    "facebook: history is kept for these");
		s.keys = 1u << i | (i == PH_PLATFORM_OTHER ? 1u << PH_PLATFORM_FACEBOOK : 0);
		add_series(w, &s, name, len, ph_platform_keys[i]);
	}
	return PH_OK;
}

/* Decimals of a series. */
static int
places_of(const struct ph_history_series *s)
{
	return s->gauge == NULL ? 0 : s->gauge->places == 0 && s->agg == PH_AGG_AVG ? AVG_PLACES : s->gauge->places;
}

/* The range: up to now, and 24 hours, unless the request says otherwise. */
static enum ph_rc
read_range(const struct ph_chart_query *q, struct ph_history_range *range, struct ph_err *err)
{
	const struct ph_args	*args = q->args;
	struct ph_filter	 filter;
	enum ph_rc		 rc;

	if ((rc = ph_filter_read(&filter, args, P_FILTER, q->now_ms, err)) != PH_OK)
		return rc;
	if (!args->values[P_FILTER + PH_FILTER_TO].is_set)
		filter.to_ms = q->now_ms + 1;
	if (!args->values[P_FILTER + PH_FILTER_FROM].is_set && !args->values[P_FILTER + PH_FILTER_DAYS_BACK].is_set)
		filter.from_ms = filter.to_ms > DAY_MS ? filter.to_ms - DAY_MS : 0;
	if (filter.from_ms >= filter.to_ms)
		return ph_chart_refuse(err, &params[P_FILTER + PH_FILTER_FROM], "must be before to, which is now "
		    "unless given");
	*range = ph_history_range(filter.from_ms, filter.to_ms,
	    args->values[P_STEP].is_set ? ph_history_steps_ms[args->values[P_STEP].num] : 0,
	    args->values[P_TZ_OFFSET].num);
	return PH_OK;
}

/* The series that are wanted, in the order asked for. */
static enum ph_rc
read_wanted(const struct ph_args *args, struct wanted *w, struct ph_err *err)
{
	const char	*names = args->values[P_METRIC].text, *word;
	size_t		 nmetrics, len;
	enum ph_rc	 rc;

	w->n = 0;
	for (nmetrics = 0; (word = next_word(&names, &len)) != NULL; nmetrics++) {
		if (nmetrics == METRICS_MAX)
			return ph_chart_refuse(err, &params[P_METRIC], "ten metrics at most");
		if ((rc = add_metric(args, word, len, w, err)) != PH_OK)
			return rc;
	}
	return PH_OK;
}

/* The values, one series after the other, good until the next call. */
static enum ph_rc
read_history(const struct ph_chart_query *q, struct ph_history_range *range, struct wanted *w, const double **values,
    struct ph_err *err)
{
	static double	kept[POINTS_MAX];
	enum ph_rc	rc;

	*values = kept;
	if ((rc = read_range(q, range, err)) != PH_OK || (rc = read_wanted(q->args, w, err)) != PH_OK)
		return rc;
	if (w->n * range->npoints > POINTS_MAX)
		return ph_chart_refuse(err, &params[P_STEP], "more than 20000 points: ask for fewer series or a wider step");
	return ph_history_read_all(q->db, range, w->series, w->n, q->now_ms, kept, err);
}

static void
write_series(struct ph_json *out, const struct ph_history_range *range, const struct wanted *w, size_t k,
    const double *values)
{
	const struct ph_value	 v[S__MAX] = {
		[S_METRIC] = ph_v_str(w->names[k].metric), [S_PLATFORM] = ph_v_str(w->names[k].platform),
		[S_KIND] = ph_v_str(kinds[w->series[k].gauge == NULL]),
	};
	const int		 places = places_of(&w->series[k]);
	size_t			 i;

	ph_json_obj_open(out, NULL);
	ph_json_fields(out, series_fields, v, S__MAX);
	ph_json_arr_open(out, series_fields[S_POINTS].name);
	for (i = 0; i < range->npoints; i++) {
		ph_json_arr_open(out, NULL);
		ph_json_int(out, NULL, range->from_ms + (int64_t)i * range->step_ms);
		ph_metric_write(out, NULL, values[i], places);
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_json_close(out);
}

static enum ph_rc
history_write(const struct ph_chart_query *q, struct ph_json *out, struct ph_err *err)
{
	struct wanted		 w;
	struct ph_history_range	 range;
	struct ph_value		 v[F__MAX] = { 0 };
	const double		*values;
	enum ph_rc		 rc;
	size_t			 k;

	if ((rc = read_history(q, &range, &w, &values, err)) != PH_OK)
		return rc;
	v[F_FROM] = ph_v_int(range.from_ms);
	v[F_TO] = ph_v_int(range.to_ms);
	v[F_STEP_MS] = ph_v_int(range.step_ms);
	v[F_TRUNCATED] = ph_v_int(range.is_truncated);
	ph_json_fields(out, fields, v, F_SERIES);
	ph_json_arr_open(out, fields[F_SERIES].name);
	for (k = 0; k < w.n; k++)
		write_series(out, &range, &w, k, &values[k * range.npoints]);
	ph_json_close(out);
	ph_json_fields(out, &fields[F_TRUNCATED], &v[F_TRUNCATED], 1);
	return PH_OK;
}

/* A row per step, a column per series: its metric, and the platform behind it. */
static enum ph_rc
history_rows(const struct ph_chart_query *q, struct ph_chart_sheet *sheet, struct ph_err *err)
{
	static char		 names[SERIES_MAX][COLUMN_NAME_SIZE];
	static struct ph_field	 columns[1 + SERIES_MAX];
	struct ph_value		 row[1 + SERIES_MAX];
	struct wanted		 w;
	struct ph_history_range	 range;
	const double		*values;
	enum ph_rc		 rc;
	size_t			 i, k;

	if ((rc = read_history(q, &range, &w, &values, err)) != PH_OK)
		return rc;
	columns[0] = (struct ph_field){ .name = "at", .type = PH_TIME };
	for (k = 0; k < w.n; k++) {
		snprintf(names[k], sizeof(names[k]), "%s%s%s", w.names[k].metric, w.names[k].platform != NULL ? "." : "",
		    w.names[k].platform != NULL ? w.names[k].platform : "");
		columns[1 + k] = (struct ph_field){ .name = names[k], .is_nullable = 1,
			.type = places_of(&w.series[k]) == 0 ? PH_INTEGER : PH_DECIMAL,
			.places = places_of(&w.series[k]) };
	}
	rc = ph_chart_columns(sheet, columns, 1 + w.n, err);
	for (i = 0; i < range.npoints && rc == PH_OK; i++) {
		row[0] = ph_v_int(range.from_ms + (int64_t)i * range.step_ms);
		for (k = 0; k < w.n; k++)
			row[1 + k] = ph_metric_value(values[k * range.npoints + i], columns[1 + k].places);
		rc = ph_chart_row(sheet, row, err);
	}
	return rc;
}

const struct ph_chart ph_chart_history = {
	.name = "history", .params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX,
	.write = history_write, .rows = history_rows,
};
