/*
 * chart.c -- charts as answers and as files.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "domain/chart.h"
#include "domain/export.h"

struct ph_chart_sheet {
	struct ph_req			*req;
	const struct ph_table_options	*options;
	struct ph_table			*table;
};

enum ph_rc
ph_chart_refuse(struct ph_err *err, const struct ph_param *param, const char *why)
{
	return ph_fail_param(err, param->name, strlen(param->name), "%s", why);
}

enum ph_rc
ph_chart_columns(struct ph_chart_sheet *sheet, const struct ph_field *fields, size_t n, struct ph_err *err)
{
	assert(sheet->table == NULL);
	sheet->table = ph_table_new(sheet->req, sheet->options, fields, n, err);
	return sheet->table != NULL ? PH_OK : err->rc;
}

enum ph_rc
ph_chart_row(struct ph_chart_sheet *sheet, const struct ph_value *values, struct ph_err *err)
{
	return ph_table_wants_rows(sheet->table) ? ph_table_row(sheet->table, values, err) : PH_OK;
}

/* As in the path and in the name of the file. */
static void
name_dataset(char *buf, size_t size, const struct ph_chart *chart)
{
	snprintf(buf, size, "stats-%s", chart->name);
}

enum ph_rc
ph_chart_get(struct ph_req *req, const struct ph_chart *chart, struct ph_json *out, struct ph_err *err)
{
	const struct ph_chart_query	q = {
		.db = ph_req_db(req), .now_ms = ph_req_now_ms(req), .args = ph_req_args(req)
	};
	char				path[PH_TABLE_PATH_SIZE] = PH_EXPORT_PATH;
	const size_t			len = strlen(path);
	enum ph_rc			rc;

	name_dataset(path + len, sizeof(path) - len, chart);
	if ((rc = ph_table_elsewhere(req, PH_CHART_FORMAT, PH_EXPORT_STATS, path, err)) != PH_DONE)
		return rc;
	return chart->write(&q, out, err);
}

size_t
ph_chart_table_params(const struct ph_chart *chart, struct ph_param table[PH_CHART_PARAMS_MAX])
{
	const struct ph_param more[] = { PH_TABLE_PARAMS(0) };

	assert(chart->nparams + PH_TABLE_NPARAMS <= PH_CHART_PARAMS_MAX);
	memcpy(table, chart->params, chart->nparams * sizeof(table[0]));
	memcpy(table + chart->nparams, more, sizeof(more));
	return chart->nparams + PH_TABLE_NPARAMS;
}

enum ph_rc
ph_chart_export(struct ph_req *req, const struct ph_chart *chart, const struct ph_args *args,
    struct ph_table_options options, struct ph_err *err)
{
	const struct ph_chart_query	q = { .db = ph_req_db(req), .now_ms = ph_req_now_ms(req), .args = args };
	struct ph_chart_sheet		sheet = { .req = req, .options = &options };
	char				name[64];
	enum ph_rc			rc;

	name_dataset(name, sizeof(name), chart);
	options.name = name;
	options.time_style = (enum ph_time_style)args->values[PH_CHART_TIME].num;
	ph_table_read_options(&options, args, chart->nparams);
	if ((rc = chart->rows(&q, &sheet, err)) == PH_OK)
		rc = ph_table_finish(sheet.table, err);
	ph_table_free(sheet.table);
	return rc;
}
