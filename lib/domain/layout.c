/*
 * layout.c -- widgets from JSON, and their values.
 *
 * The names of an expression over time are numbered like the catalogue; the events come behind it.
 */
#include "autoconf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/request.h"
#include "domain/filter.h"
#include "domain/layout.h"
#include "domain/metric.h"

enum { NAMES_MAX = PH_METRICS_MAX + PH_EVENT__MAX };
enum { PREFIX_SIZE = 40 };	/* "layout[23].metrics[7]." */
#define DAY_MS	INT64_C(86400000)

const char *const ph_widget_types[] = {
	[PH_WIDGET_STAT] = "stat", [PH_WIDGET_LINE] = "line", [PH_WIDGET_BAR] = "bar", [PH_WIDGET_PIE] = "pie",
	[PH_WIDGET_GAUGE] = "gauge", [PH_WIDGET_TABLE] = "table", [PH_WIDGET_HEATMAP] = "heatmap", NULL
};
const char *const ph_formats[] = {
	[PH_FORMAT_FLOAT] = "float", [PH_FORMAT_INT] = "int", [PH_FORMAT_PERCENT] = "percent",
	[PH_FORMAT_DURATION] = "duration", [PH_FORMAT_MONEY] = "money", NULL
};
const int ph_format_places[] = {
	[PH_FORMAT_FLOAT] = 6, [PH_FORMAT_INT] = 0, [PH_FORMAT_PERCENT] = 4, [PH_FORMAT_DURATION] = 3,
	[PH_FORMAT_MONEY] = 2
};
const char *const ph_levels[] = {
	[PH_LEVEL_OK] = "ok", [PH_LEVEL_WARN] = "warn", [PH_LEVEL_CRIT] = "crit", NULL
};

/* -- what a layout may say --------------------------------------------------------- */

enum { W_ID, W_TYPE, W_TITLE, W_X, W_Y, W_W, W_H, W_METRICS, W_FROM, W_STEP, W_PLATFORM, W_THRESHOLDS, W__MAX };
static const struct ph_param widget_params[W__MAX] = {
	[W_ID] = { .name = "id", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1, .max = 64 },
	[W_TYPE] = { .name = "type", .type = PH_P_CHOICE, .in = PH_IN_BODY, .is_required = 1,
	    .choices = ph_widget_types },
	[W_TITLE] = { .name = "title", .type = PH_P_TEXT, .in = PH_IN_BODY, .max = 80 },
	[W_X] = { .name = "x", .type = PH_P_INT, .in = PH_IN_BODY, .is_required = 1,
	    .max = PH_LAYOUT_COLUMNS - 1 },
	[W_Y] = { .name = "y", .type = PH_P_INT, .in = PH_IN_BODY, .is_required = 1, .max = 999 },
	[W_W] = { .name = "w", .type = PH_P_INT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = PH_LAYOUT_COLUMNS },
	[W_H] = { .name = "h", .type = PH_P_INT, .in = PH_IN_BODY, .is_required = 1, .min = 1, .max = 100 },
	[W_METRICS] = { .name = "metrics", .type = PH_P_JSON, .in = PH_IN_BODY, .is_required = 1,
	    .max = PH_LAYOUT_MAX },
	[W_FROM] = { .name = "from", .type = PH_P_INSTANT, .in = PH_IN_BODY },
	[W_STEP] = { .name = "step", .type = PH_P_CHOICE, .in = PH_IN_BODY, .choices = ph_history_step_names },
	[W_PLATFORM] = { .name = "platform", .type = PH_P_CHOICES, .in = PH_IN_BODY,
	    .choices = ph_platform_keys },
	[W_THRESHOLDS] = { .name = "thresholds", .type = PH_P_JSON, .in = PH_IN_BODY, .max = PH_LAYOUT_MAX },
};

enum { M_EXPR, M_LABEL, M_FORMAT, M__MAX };
static const struct ph_param metric_params[M__MAX] = {
	[M_EXPR] = { .name = "expr", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1, .min = 1,
	    .max = PH_EXPRESSION_MAX },
	[M_LABEL] = { .name = "label", .type = PH_P_TEXT, .in = PH_IN_BODY, .max = 80 },
	[M_FORMAT] = { .name = "format", .type = PH_P_CHOICE, .in = PH_IN_BODY, .choices = ph_formats,
	    .dflt = PH_FORMAT_FLOAT },
};

#define THRESHOLD_MAX	INT64_C(1000000000000000)	/* a double has no more exact digits */
enum { T_WARN, T_CRIT, T__MAX };
static const struct ph_param threshold_params[T__MAX] = {
	[T_WARN] = { .name = "warn", .type = PH_P_NUMBER, .in = PH_IN_BODY, .min = -THRESHOLD_MAX,
	    .max = THRESHOLD_MAX },
	[T_CRIT] = { .name = "crit", .type = PH_P_NUMBER, .in = PH_IN_BODY, .min = -THRESHOLD_MAX,
	    .max = THRESHOLD_MAX },
};

/* -- names ---------------------------------------------------------------------------- */

static int
find_over_time(const char *name, size_t len)
{
	struct ph_history_series s;

	if (ph_history_find(name, len, &s) != 0)
		return -1;
	return s.gauge != NULL ? ph_metric_find(name, len) : (int)(ph_metric_count() + s.event);
}

static int
find_event(const char *name, size_t len)
{
	const int i = find_over_time(name, len);

	return i >= (int)ph_metric_count() ? i : -1;
}

static ph_expression_find *
finder(enum ph_widget_type type)
{
	return type == PH_WIDGET_HEATMAP ? find_event :
	    type == PH_WIDGET_LINE || type == PH_WIDGET_BAR ? find_over_time : ph_metric_find;
}

int
ph_widget_has_points(const struct ph_widget *w)
{
	return w->type >= 0 && finder((enum ph_widget_type)w->type) != ph_metric_find;
}

/* -- reading a layout ---------------------------------------------------------------- */

/* The widget is wrong: why, and at which field behind the prefix, which ends with a dot. */
static void
refuse(struct ph_widget *w, const char *prefix, const char *field, const char *why)
{
	char	name[64];
	int	len = snprintf(name, sizeof(name), "%s%s", prefix, field);

	if (field[0] == '\0')
		len--;		/* the dot: it is the object itself */
	ph_fail_param(&w->err, name, (size_t)len, "%s", why);
}

static void
add_errors(struct ph_err *to, const struct ph_err *from)
{
	size_t i;

	for (i = 0; i < from->nparams; i++)
		ph_fail_param(to, from->params[i].param, strlen(from->params[i].param), "%s",
		    from->params[i].detail);
}

/* Members of an object into args.  0, or -1 with what is wrong in w->err. */
static int
read_object(struct ph_widget *w, const cJSON *object, const char *prefix, const struct ph_param *params,
    size_t nparams, struct ph_args *args, int64_t now_ms)
{
	struct ph_err err = { .rc = PH_OK };	/* of its own, because that of the widget may be full */

	ph_args_init(args, params, nparams);
	if (!cJSON_IsObject(object)) {
		refuse(w, prefix, "", "an object is needed");
		return -1;
	}
	ph_args_body(args, object, prefix, 1, params, nparams, now_ms, &err);
	ph_args_finish(args, prefix, params, nparams, &err);
	add_errors(&w->err, &err);
	return err.nparams == 0 ? 0 : -1;
}

/* The first name in the expression that cannot be read for some platforms alone; NULL: all can. */
static const char *
without_platform(const struct ph_widget *w, const struct ph_expression *e)
{
	unsigned char	wanted[NAMES_MAX] = { 0 };
	const size_t	nmetrics = ph_metric_count();
	size_t		i;

	ph_expression_wants(e, wanted);
	for (i = 0; i < nmetrics; i++)
		if (wanted[i] && (ph_widget_has_points(w) || !ph_metric_has_platform(i)))
			return ph_metric_at(i)->name;
	for (i = 0; i < PH_EVENT__MAX; i++)
		if (wanted[nmetrics + i] && !ph_events[i].has_platform)
			return ph_events[i].name;
	return NULL;
}

static void
read_expression(struct ph_widget *w, struct ph_widget_metric *m, const char *prefix)
{
	ph_expression_find	*find = finder((enum ph_widget_type)w->type);
	struct ph_expression	*other;
	struct ph_err		 why = { .rc = PH_OK }, ignored = { .rc = PH_OK };
	const char		*name;
	char			 detail[160];

	if ((m->expression = ph_expression_parse_names(m->text, find, &why)) == NULL) {
		/* Right elsewhere: then that is what is wrong. */
		other = ph_expression_parse_names(m->text, find == ph_metric_find ? find_over_time :
		    ph_metric_find, &ignored);
		refuse(w, prefix, metric_params[M_EXPR].name, other == NULL ? why.detail :
		    find == ph_metric_find ? "events.NAME is the number in a step: of line, bar and heatmap" :
		    find == find_event ? "a heatmap has nothing but events.NAME, the number in an hour" :
		    "events up to now have no history: over time events.NAME is the number in a step");
		ph_expression_free(other);
	} else if (w->keys != 0 && (name = without_platform(w, m->expression)) != NULL) {
		snprintf(detail, sizeof(detail), "%s is not known per platform%s", name,
		    ph_widget_has_points(w) ? " over time" : "");
		refuse(w, prefix, metric_params[M_EXPR].name, detail);
	}
}

static void
read_metrics(struct ph_widget *w, const cJSON *array, const char *widget_prefix, int64_t now_ms)
{
	const int		 max = w->type == PH_WIDGET_HEATMAP ? 1 : PH_LAYOUT_METRICS;
	struct ph_args		 args;
	struct ph_widget_metric	*m;
	const cJSON		*item;
	char			 prefix[PREFIX_SIZE];

	if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > max) {
		refuse(w, widget_prefix, widget_params[W_METRICS].name, max == 1 ?
		    "an array of at most one metric is needed for a heatmap" : "an array of at most 8 metrics is needed");
		return;
	}
	cJSON_ArrayForEach(item, array) {
		m = &w->metrics[w->nmetrics];
		snprintf(prefix, sizeof(prefix), "%smetrics[%zu].", widget_prefix, w->nmetrics++);
		if (read_object(w, item, prefix, metric_params, M__MAX, &args, now_ms) != 0)
			continue;
		m->text = args.values[M_EXPR].text;
		m->label = args.values[M_LABEL].text;
		m->format = (enum ph_format)args.values[M_FORMAT].num;
		read_expression(w, m, prefix);
	}
}

static void
read_thresholds(struct ph_widget *w, const cJSON *object, const char *widget_prefix, int64_t now_ms)
{
	struct ph_args	args;
	char		prefix[PREFIX_SIZE];

	snprintf(prefix, sizeof(prefix), "%s%s.", widget_prefix, widget_params[W_THRESHOLDS].name);
	if (read_object(w, object, prefix, threshold_params, T__MAX, &args, now_ms) != 0)
		return;
	if (args.values[T_WARN].is_set)
		w->warn = args.values[T_WARN].real;
	if (args.values[T_CRIT].is_set)
		w->crit = args.values[T_CRIT].real;
}

static void
read_widget(struct ph_widget *w, const cJSON *object, const char *prefix, int64_t now_ms)
{
	struct ph_args	args;
	const int	is_object = read_object(w, object, prefix, widget_params, W__MAX, &args, now_ms) == 0;

	w->id = args.values[W_ID].text;
	w->title = args.values[W_TITLE].text;
	if (!is_object)
		return;
	w->type = (int)args.values[W_TYPE].num;
	if (args.values[W_FROM].is_set)
		w->from_ms = args.values[W_FROM].num;
	if (args.values[W_STEP].is_set)
		w->step_ms = ph_history_steps_ms[args.values[W_STEP].num];
	w->keys = (unsigned)args.values[W_PLATFORM].num;
	if (w->keys & 1u << PH_PLATFORM_OTHER)
		w->keys |= 1u << PH_PLATFORM_FACEBOOK;
	if (args.values[W_X].num + args.values[W_W].num > PH_LAYOUT_COLUMNS)
		refuse(w, prefix, widget_params[W_W].name, "x + w is more than 12 columns");
	read_metrics(w, args.values[W_METRICS].json, prefix, now_ms);
	if (args.values[W_THRESHOLDS].is_set)
		read_thresholds(w, args.values[W_THRESHOLDS].json, prefix, now_ms);
}

struct ph_layout *
ph_layout_new(const cJSON *array, int64_t now_ms, struct ph_err *err)
{
	struct ph_layout	*l;
	const cJSON		*item;
	char			 prefix[PREFIX_SIZE];
	size_t			 i;

	if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > PH_LAYOUT_WIDGETS) {
		ph_fail_param(err, "layout", 6, "an array of at most %d widgets is needed", PH_LAYOUT_WIDGETS);
		return NULL;
	}
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		ph_fail(err, PH_ENOMEM, "not enough memory for a layout");
		return NULL;
	}
	cJSON_ArrayForEach(item, array) {
		struct ph_widget *w = &l->widgets[l->nwidgets];

		w->type = -1;
		w->from_ms = -1;
		w->warn = w->crit = NAN;
		snprintf(prefix, sizeof(prefix), "layout[%zu].", l->nwidgets++);
		read_widget(w, item, prefix, now_ms);
		for (i = 0; i + 1 < l->nwidgets && w->id != NULL; i++)
			if (l->widgets[i].id != NULL && strcmp(l->widgets[i].id, w->id) == 0) {
				refuse(w, prefix, widget_params[W_ID].name, "another widget has this id");
				break;
			}
	}
	return l;
}

void
ph_layout_free(struct ph_layout *l)
{
	size_t i, m;

	if (l == NULL)
		return;
	for (i = 0; i < l->nwidgets; i++) {
		for (m = 0; m < l->widgets[i].nmetrics; m++)
			ph_expression_free(l->widgets[i].metrics[m].expression);
		free(l->widgets[i].values);
	}
	free(l);
}

enum ph_rc
ph_layout_check(const struct ph_layout *l, struct ph_err *err)
{
	size_t i;

	for (i = 0; i < l->nwidgets; i++)
		add_errors(err, &l->widgets[i].err);
	return err->nparams > 0 ? PH_EPARAM : PH_OK;
}

/* -- data ------------------------------------------------------------------------------- */

/* One reading of the data of a board. */
struct reading {
	struct ph_db	*db;
	int64_t		 now_ms, tz_offset_min;
	size_t		 points_left;
};

static int
is_shown(const struct ph_widget *w)
{
	return w->err.rc == PH_OK;
}

/* The steps or hours of the widget; a failure that is its own goes to w->err. */
static void
find_points(struct ph_widget *w, const char *prefix, const struct reading *r)
{
	const int	is_heatmap = w->type == PH_WIDGET_HEATMAP;
	const int64_t	to = r->now_ms + 1, dflt = to - (is_heatmap ? 30 * DAY_MS : DAY_MS);
	const int64_t	from = w->from_ms >= 0 ? w->from_ms : dflt > 0 ? dflt : 0;

	if (from >= to || (is_heatmap && to - from > PH_HISTORY_DAYS_MAX * DAY_MS)) {
		refuse(w, prefix, widget_params[W_FROM].name, "must lie before now, of a heatmap by at most 400 days");
		return;
	}
	if (is_heatmap) {
		w->range = (struct ph_history_range){ .from_ms = from, .to_ms = to };
		w->npoints = PH_WEEKDAYS * PH_HOURS;
	} else {
		w->range = ph_history_range(from, to, w->step_ms, r->tz_offset_min);
		w->npoints = w->range.npoints;
	}
}

/* The values of one name at all points of the widget. */
static enum ph_rc
read_name(const struct ph_widget *w, size_t name, struct reading *r, double *values, struct ph_err *err)
{
	const size_t			nmetrics = ph_metric_count();
	struct ph_history_series	s = { .keys = w->keys };
	int64_t				cells[PH_WEEKDAYS][PH_HOURS];
	enum ph_rc			rc;
	size_t				i;

	if (name < nmetrics)
		s.gauge = ph_metric_at(name);
	else {
		s.event = (enum ph_event)(name - nmetrics);
		s.fill = PH_FILL_ZERO;
	}
	if (w->type != PH_WIDGET_HEATMAP)
		return ph_history_read(r->db, &w->range, &s, r->now_ms, values, err);
	rc = ph_history_heatmap(r->db, s.event, s.keys, w->range.from_ms, w->range.to_ms, r->tz_offset_min,
	    cells, err);
	for (i = 0; i < w->npoints && rc == PH_OK; i++)
		values[i] = (double)cells[i / PH_HOURS][i % PH_HOURS];
	return rc;
}

/* Every expression at every point, from the values of the names that they read. */
static enum ph_rc
read_points(struct ph_widget *w, const char *prefix, struct reading *r, struct ph_err *err)
{
	unsigned char	 wanted[NAMES_MAX] = { 0 };
	double		 values[NAMES_MAX], *columns;
	size_t		 names[NAMES_MAX], n = 0, i, k, m;
	enum ph_rc	 rc = PH_OK;

	find_points(w, prefix, r);
	for (m = 0; m < w->nmetrics; m++)
		ph_expression_wants(w->metrics[m].expression, wanted);
	for (i = 0; i < NAMES_MAX; i++)
		if (wanted[i])
			names[n++] = i;
	if (is_shown(w) && (n + w->nmetrics) * w->npoints > r->points_left)
		refuse(w, prefix, widget_params[W_STEP].name,
		    "the board has too many points: a wider step or a shorter time is needed");
	if (!is_shown(w))
		return PH_OK;
	r->points_left -= (n + w->nmetrics) * w->npoints;
	columns = calloc(n * w->npoints + 1, sizeof(*columns));
	w->values = calloc(w->nmetrics * w->npoints + 1, sizeof(*w->values));
	if (columns == NULL || w->values == NULL)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for a widget");
	for (k = 0; k < n && rc == PH_OK; k++)
		rc = read_name(w, names[k], r, columns + k * w->npoints, err);
	for (i = 0; i < w->npoints && rc == PH_OK; i++) {
		for (k = 0; k < n; k++)
			values[names[k]] = columns[k * w->npoints + i];
		for (m = 0; m < w->nmetrics; m++)
			w->values[m * w->npoints + i] = ph_expression_value(w->metrics[m].expression, values);
	}
	free(columns);
	return rc;
}

static int
is_now(const struct ph_widget *w, unsigned keys)
{
	return is_shown(w) && !ph_widget_has_points(w) && w->keys == keys;
}

/* The values now of all widgets for the same platforms, from one reading of what they need. */
static enum ph_rc
read_now(struct ph_layout *l, unsigned keys, const struct reading *r, struct ph_err *err)
{
	unsigned char	wanted[NAMES_MAX] = { 0 };
	double		values[NAMES_MAX];
	enum ph_rc	rc;
	size_t		i, m;

	for (i = 0; i < l->nwidgets; i++)
		for (m = 0; m < l->widgets[i].nmetrics && is_now(&l->widgets[i], keys); m++)
			ph_expression_wants(l->widgets[i].metrics[m].expression, wanted);
	rc = ph_metrics_read_of(r->db, keys, r->now_ms, wanted, values, err);
	for (i = 0; i < l->nwidgets && rc == PH_OK; i++) {
		struct ph_widget *w = &l->widgets[i];

		if (!is_now(w, keys))
			continue;
		w->npoints = 1;
		if ((w->values = calloc(w->nmetrics + 1, sizeof(*w->values))) == NULL)
			return ph_fail(err, PH_ENOMEM, "not enough memory for a widget");
		for (m = 0; m < w->nmetrics; m++)
			w->values[m] = ph_expression_value(w->metrics[m].expression, values);
	}
	return rc;
}

enum ph_rc
ph_layout_read(struct ph_layout *l, struct ph_db *db, int64_t now_ms, int64_t tz_offset_min,
    struct ph_err *err)
{
	struct reading	r = { .db = db, .now_ms = now_ms, .tz_offset_min = tz_offset_min,
	    .points_left = PH_LAYOUT_POINTS };
	char		prefix[PREFIX_SIZE];
	enum ph_rc	rc = PH_OK;
	size_t		i;

	for (i = 0; i < l->nwidgets && rc == PH_OK; i++) {
		struct ph_widget *w = &l->widgets[i];

		if (!is_shown(w) || w->values != NULL)
			continue;	/* it is wrong, or was read together with another */
		snprintf(prefix, sizeof(prefix), "layout[%zu].", i);
		rc = ph_widget_has_points(w) ? read_points(w, prefix, &r, err) : read_now(l, w->keys, &r, err);
	}
	return rc;
}

int
ph_widget_level(const struct ph_widget *w, double value)
{
	const int is_low_bad = w->crit < w->warn;	/* false if either is NAN */

	if (isnan(value) || (isnan(w->warn) && isnan(w->crit)))
		return -1;
	if (is_low_bad ? value <= w->crit : value >= w->crit)
		return PH_LEVEL_CRIT;
	return (is_low_bad ? value <= w->warn : value >= w->warn) ? PH_LEVEL_WARN : PH_LEVEL_OK;
}
