/*
 * dashboard-export.c -- GET /dashboard/dashboards/{id}/export.xlsx
 *
 * The figures of a board as a workbook: a sheet with every widget and its values, and one
 * for each widget that shows points.
 */
#include "autoconf.h"

#include <math.h>
#include <stdio.h>

#include "core/endpoint.h"
#include "core/table-xlsx.h"
#include "core/table.h"
#include "domain/board.h"

enum { TITLE_SIZE = 128, NUMBER_SIZE = 32 };

enum { P_ID, P_TZ_OFFSET, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_ID] = PH_PARAM_BOARD_ID,
	[P_TZ_OFFSET] = PH_PARAM_BOARD_TZ_OFFSET,
};

/* The value of a cell.  What is too large for a number of the workbook becomes a text in buf. */
static struct ph_value
cell(double value, char buf[NUMBER_SIZE])
{
	if (isnan(value))
		return ph_v_null();
	if (fabs(value) < 1e12)
		return ph_v_real(value);
	snprintf(buf, NUMBER_SIZE, "%.15g", value);
	return ph_v_str(buf);
}

static const char *
label(const struct ph_widget_metric *m)
{
	return m->label != NULL && m->label[0] != '\0' ? m->label : m->text;
}

/* -- every widget ------------------------------------------------------------------ */

enum { C_WIDGET, C_TITLE, C_TYPE, C_METRIC, C_EXPR, C_FORMAT, C_VALUE, C_LEVEL, C_ERROR, C__MAX };
static const struct ph_field columns[C__MAX] = {
	[C_WIDGET] = { .name = "widget", .type = PH_TEXT }, [C_TITLE] = { .name = "title", .type = PH_TEXT },
	[C_TYPE] = { .name = "type", .type = PH_TEXT }, [C_METRIC] = { .name = "metric", .type = PH_TEXT },
	[C_EXPR] = { .name = "expr", .type = PH_TEXT }, [C_FORMAT] = { .name = "format", .type = PH_TEXT },
	[C_VALUE] = { .name = "value", .type = PH_DECIMAL, .places = PH_PLACES_MAX, .is_nullable = 1 },
	[C_LEVEL] = { .name = "level", .type = PH_TEXT }, [C_ERROR] = { .name = "error", .type = PH_TEXT },
};

static enum ph_rc
write_metric(struct ph_xlsx *book, const struct ph_widget *w, size_t m, struct ph_err *err)
{
	const int	level = ph_widget_has_points(w) ? -1 : ph_widget_level(w, w->values[m]);
	char		number[NUMBER_SIZE];
	struct ph_value	v[C__MAX] = {
		[C_WIDGET] = ph_v_str(w->id), [C_TITLE] = ph_v_str(w->title),
		[C_TYPE] = ph_v_str(ph_widget_types[w->type]), [C_METRIC] = ph_v_str(label(&w->metrics[m])),
		[C_EXPR] = ph_v_str(w->metrics[m].text), [C_FORMAT] = ph_v_str(ph_formats[w->metrics[m].format]),
		[C_LEVEL] = ph_v_str(level < 0 ? NULL : ph_levels[level]),
	};

	if (!ph_widget_has_points(w))
		v[C_VALUE] = cell(w->values[m], number);
	return ph_table_xlsx.row(book, v, err);
}

static enum ph_rc
write_widget(struct ph_xlsx *book, const struct ph_widget *w, struct ph_err *err)
{
	enum ph_rc	rc = PH_OK;
	size_t		m;

	if (w->err.rc != PH_OK) {
		const struct ph_value v[C__MAX] = {
			[C_WIDGET] = ph_v_str(w->id), [C_TITLE] = ph_v_str(w->title),
			[C_TYPE] = ph_v_str(w->type >= 0 ? ph_widget_types[w->type] : NULL),
			[C_ERROR] = ph_v_str(w->err.detail),
		};

		return ph_table_xlsx.row(book, v, err);
	}
	for (m = 0; m < w->nmetrics && rc == PH_OK; m++)
		rc = write_metric(book, w, m, err);
	return rc;
}

/* -- points ------------------------------------------------------------------------ */

/* The step, or day and hour, then a column for each metric. */
static enum ph_rc
write_points(struct ph_xlsx *book, const struct ph_widget *w, size_t number, struct ph_err *err)
{
	enum { KEYS_MAX = 2 };
	const int	is_heatmap = w->type == PH_WIDGET_HEATMAP;
	const size_t	nkeys = is_heatmap ? 2 : 1;
	struct ph_field	fields[KEYS_MAX + PH_LAYOUT_METRICS] = {
		{ .name = is_heatmap ? "iso_weekday" : "at", .type = is_heatmap ? PH_INTEGER : PH_TIME },
		{ .name = "hour", .type = PH_INTEGER },
	};
	struct ph_value	v[KEYS_MAX + PH_LAYOUT_METRICS];
	char		name[TITLE_SIZE], numbers[PH_LAYOUT_METRICS][NUMBER_SIZE];
	enum ph_rc	rc;
	size_t		i, m;

	for (m = 0; m < w->nmetrics; m++)
		fields[nkeys + m] = (struct ph_field){ .name = label(&w->metrics[m]), .type = PH_DECIMAL,
		    .places = PH_PLACES_MAX, .is_nullable = 1 };
	/* The number keeps the names apart, whatever is left of them. */
	snprintf(name, sizeof(name), "%zu %s", number, w->title != NULL && w->title[0] != '\0' ? w->title : w->id);
	rc = ph_table_xlsx.sheet(book, name, fields, nkeys + w->nmetrics, err);
	for (i = 0; i < w->npoints && rc == PH_OK; i++) {
		if (is_heatmap) {
			v[0] = ph_v_int((int64_t)(i / PH_HOURS) + 1);
			v[1] = ph_v_int((int64_t)(i % PH_HOURS));
		} else
			v[0] = ph_v_int(w->range.from_ms + (int64_t)i * w->range.step_ms);
		for (m = 0; m < w->nmetrics; m++)
			v[nkeys + m] = cell(w->values[m * w->npoints + i], numbers[m]);
		rc = ph_table_xlsx.row(book, v, err);
	}
	return rc;
}

static enum ph_rc
write_book(struct ph_xlsx *book, const struct ph_layout *l, struct ph_err *err)
{
	enum ph_rc	rc;
	size_t		i;

	rc = ph_table_xlsx.sheet(book, "widgets", columns, C__MAX, err);
	for (i = 0; i < l->nwidgets && rc == PH_OK; i++)
		rc = write_widget(book, &l->widgets[i], err);
	for (i = 0; i < l->nwidgets && rc == PH_OK; i++)
		if (l->widgets[i].err.rc == PH_OK && ph_widget_has_points(&l->widgets[i]))
			rc = write_points(book, &l->widgets[i], i + 1, err);
	return rc;
}

static enum ph_rc
dashboard_export_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_board_data	 d;
	struct ph_xlsx		*book = NULL;
	char			 target[sizeof("dashboards/") + PH_BOARD_ID_SIZE], file[PH_TABLE_FILENAME_SIZE];
	enum ph_rc		 rc;

	(void)out;
	if ((rc = ph_board_data_read(req, ph_req_text(req, P_ID), ph_req_int(req, P_TZ_OFFSET), &d, err)) != PH_OK)
		goto out;
	if ((book = ph_table_xlsx.new(err)) == NULL) {
		rc = err->rc;
		goto out;
	}
	snprintf(target, sizeof(target), "dashboards/%s", d.board.id);
	if ((rc = write_book(book, d.layout, err)) == PH_OK &&
	    (rc = ph_req_audit_now(req, "export", target, err)) == PH_OK)
		rc = ph_table_xlsx.send(book, req, ph_table_filename(file, "board", PH_TABLE_XLSX,
		    ph_req_now_ms(req)), err);
out:
	ph_table_xlsx.free(book);
	ph_board_data_done(&d);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-dashboard-export", .path = "/dashboard/dashboards/{id}/export.xlsx",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE, .rate = PH_RATE_EXPORT, .is_stream = 1,
	.ops[PH_GET] = {
		.scope = "dashboard:export", .summary = "The figures of a board as a workbook",
		.description = "A sheet with all widgets and their values, and one for each line, bar and heatmap. "
		    "Every export is in the audit log.",
		.params = params, .nparams = P__MAX, .is_free = 1, .handle = dashboard_export_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
