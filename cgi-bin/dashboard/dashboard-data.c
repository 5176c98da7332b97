/*
 * dashboard-data.c -- GET /dashboard/dashboards/{id}/data
 *
 * The figures of every widget of a board, all from one snapshot.  A widget that cannot be shown,
 * because a metric is gone or its time makes no sense, says so in its place.
 * lib/domain/layout.c reads them.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/board.h"
#include "domain/metric.h"

enum { P_ID, P_TZ_OFFSET, P_TIME, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_ID] = PH_PARAM_BOARD_ID,
	[P_TZ_OFFSET] = PH_PARAM_BOARD_TZ_OFFSET,
	[P_TIME] = PH_PARAM_TIME,
};

enum { M_LABEL, M_EXPR, M_FORMAT, M_VALUE, M_LEVEL, M_POINTS, M__MAX };
static const struct ph_field metric_fields[M__MAX] = {
	[M_LABEL] = { .name = "label", .type = PH_TEXT, .is_nullable = 1, .text = "As in the layout." },
	[M_EXPR] = { .name = "expr", .type = PH_TEXT, .text = "The expression." },
	[M_FORMAT] = { .name = "format", .type = PH_TEXT, .choices = ph_formats,
	    .text = "How to show the numbers. They are rounded accordingly: int to whole numbers, money to 2, "
		"duration (milliseconds) to 3, percent (of 100) to 4, float to 6 decimals." },
	[M_VALUE] = { .name = "value", .type = PH_ANY, .is_nullable = 1,
	    .text = "Of stat, gauge, pie and table: the value now; null: there is none." },
	[M_LEVEL] = { .name = "level", .type = PH_TEXT, .is_nullable = 1, .choices = ph_levels,
	    .text = "What the widget's thresholds say of the value. Lower is worse if crit is below warn. "
		"null: no thresholds or no value." },
	[M_POINTS] = { .name = "points", .type = PH_ARRAY,
	    .text = "Of line and bar: pairs of Unix milliseconds, the beginning of the step, and the value or null. "
		"Of a heatmap: 168 triples of ISO weekday, hour and value. Else empty." },
};

enum { E_PARAM, E_DETAIL, E__MAX };
static const struct ph_field error_fields[E__MAX] = {
	[E_PARAM] = { .name = "param", .type = PH_TEXT, .text = "The field of the layout, e.g. layout[3].metrics[0].expr." },
	[E_DETAIL] = { .name = "detail", .type = PH_TEXT, .text = "What is wrong with it." },
};

enum { W_ID, W_TYPE, W_TITLE, W_ERROR, W_FROM, W_TO, W_STEP_MS, W_TRUNCATED, W_METRICS, W__MAX };
static const struct ph_field widget_fields[W__MAX] = {
	[W_ID] = { .name = "id", .type = PH_TEXT, .is_nullable = 1, .text = "As in the layout." },
	[W_TYPE] = { .name = "type", .type = PH_TEXT, .is_nullable = 1, .choices = ph_widget_types,
	    .text = "As in the layout." },
	[W_TITLE] = { .name = "title", .type = PH_TEXT, .is_nullable = 1, .text = "As in the layout." },
	[W_ERROR] = { .name = "error", .type = PH_OBJECT, .is_nullable = 1, .fields = error_fields,
	    .nfields = E__MAX, .text = "Why the widget shows nothing; null: it does." },
	[W_FROM] = { .name = "from", .type = PH_TIME, .is_nullable = 1,
	    .text = "Beginning of the first step; null: it has no steps." },
	[W_TO] = { .name = "to", .type = PH_TIME, .is_nullable = 1, .text = "End of the last step." },
	[W_STEP_MS] = { .name = "step_ms", .type = PH_COUNT, .is_nullable = 1, .unit = "ms",
	    .text = "Time between two points of line and bar." },
	[W_TRUNCATED] = { .name = "truncated", .type = PH_BOOL,
	    .text = "The time has more than 400 days or 2000 steps: its beginning is left out." },
	[W_METRICS] = { .name = "metrics", .type = PH_ARRAY, .fields = metric_fields, .nfields = M__MAX,
	    .text = "In the order of the layout; empty with an error." },
};

enum { F_ID, F_NAME, F_VERSION, F_WIDGETS, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the board." },
	[F_NAME] = { .name = "name", .type = PH_TEXT, .text = "Of the board." },
	[F_VERSION] = { .name = "version", .type = PH_COUNT, .text = "Of the board." },
	[F_WIDGETS] = { .name = "widgets", .type = PH_ARRAY, .fields = widget_fields, .nfields = W__MAX,
	    .text = "In the order of the layout." },
};

static void
write_points(const struct ph_widget *w, size_t m, struct ph_json *out)
{
	const int	places = ph_format_places[w->metrics[m].format];
	size_t		i;

	ph_json_arr_open(out, metric_fields[M_POINTS].name);
	for (i = 0; i < w->npoints && ph_widget_has_points(w); i++) {
		ph_json_arr_open(out, NULL);
		if (w->type == PH_WIDGET_HEATMAP) {
			ph_json_int(out, NULL, (int64_t)(i / PH_HOURS) + 1);
			ph_json_int(out, NULL, (int64_t)(i % PH_HOURS));
		} else
			ph_json_int(out, NULL, w->range.from_ms + (int64_t)i * w->range.step_ms);
		ph_metric_write(out, NULL, w->values[m * w->npoints + i], places);
		ph_json_close(out);
	}
	ph_json_close(out);
}

static void
write_metric(const struct ph_widget *w, size_t m, struct ph_json *out)
{
	const struct ph_widget_metric	*metric = &w->metrics[m];
	const int			 has_points = ph_widget_has_points(w);
	const int			 level = has_points ? -1 : ph_widget_level(w, w->values[m]);
	const struct ph_value		 v[M__MAX] = {
		[M_LABEL] = ph_v_str(metric->label), [M_EXPR] = ph_v_str(metric->text),
		[M_FORMAT] = ph_v_str(ph_formats[metric->format]),
		[M_LEVEL] = level < 0 ? ph_v_null() : ph_v_str(ph_levels[level]),
	};

	ph_json_obj_open(out, NULL);
	ph_json_fields(out, metric_fields, v, M_VALUE);
	if (has_points)
		ph_json_null(out, metric_fields[M_VALUE].name);
	else
		ph_metric_write(out, metric_fields[M_VALUE].name, w->values[m], ph_format_places[metric->format]);
	ph_json_fields(out, &metric_fields[M_LEVEL], &v[M_LEVEL], 1);
	write_points(w, m, out);
	ph_json_close(out);
}

static void
write_error(const struct ph_err *err, struct ph_json *out)
{
	const struct ph_value v[E__MAX] = {
		[E_PARAM] = ph_v_str(err->params[0].param), [E_DETAIL] = ph_v_str(err->params[0].detail),
	};

	if (err->rc == PH_OK) {
		ph_json_null(out, widget_fields[W_ERROR].name);
		return;
	}
	ph_json_obj_open(out, widget_fields[W_ERROR].name);
	ph_json_fields(out, error_fields, v, E__MAX);
	ph_json_close(out);
}

static void
write_widget(const struct ph_widget *w, struct ph_json *out)
{
	const int		is_shown = w->err.rc == PH_OK, has_points = is_shown && ph_widget_has_points(w);
	const struct ph_value	v[W__MAX] = {
		[W_ID] = ph_v_str(w->id), [W_TYPE] = w->type >= 0 ? ph_v_str(ph_widget_types[w->type]) : ph_v_null(),
		[W_TITLE] = ph_v_str(w->title),
		[W_FROM] = has_points ? ph_v_int(w->range.from_ms) : ph_v_null(),
		[W_TO] = has_points ? ph_v_int(w->range.to_ms) : ph_v_null(),
		[W_STEP_MS] = has_points && w->range.step_ms > 0 ? ph_v_int(w->range.step_ms) : ph_v_null(),
		[W_TRUNCATED] = ph_v_int(w->range.is_truncated),
	};
	size_t			m;

	ph_json_obj_open(out, NULL);
	ph_json_fields(out, widget_fields, v, W_ERROR);
	write_error(&w->err, out);
	ph_json_fields(out, &widget_fields[W_FROM], &v[W_FROM], W_METRICS - W_FROM);
	ph_json_arr_open(out, widget_fields[W_METRICS].name);
	for (m = 0; m < w->nmetrics && is_shown; m++)
		write_metric(w, m, out);
	ph_json_close(out);
	ph_json_close(out);
}

static enum ph_rc
dashboard_data_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_board_data	d;
	enum ph_rc		rc;
	size_t			i;

	if ((rc = ph_board_data_read(req, ph_req_text(req, P_ID), ph_req_int(req, P_TZ_OFFSET), &d, err)) == PH_OK) {
		const struct ph_value v[F__MAX] = {
			[F_ID] = ph_v_str(d.board.id), [F_NAME] = ph_v_str(d.board.name),
			[F_VERSION] = ph_v_int(d.board.version),
		};

		ph_json_fields(out, fields, v, F__MAX);
		ph_json_arr_open(out, fields[F_WIDGETS].name);
		for (i = 0; i < d.layout->nwidgets; i++)
			write_widget(&d.layout->widgets[i], out);
		ph_json_close(out);
	}
	ph_board_data_done(&d);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-dashboard-data", .path = "/dashboard/dashboards/{id}/data",
	.needs = PH_NEED_DB_READ,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "The figures of a board",
		.description = "Every widget, all at one instant. One that is wrong has an error and spoils no other.",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX,
		.handle = dashboard_data_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
