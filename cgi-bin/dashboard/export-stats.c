/*
 * export-stats.c -- GET /dashboard/export/stats-{file}
 *
 * A statistic or a chart as a file: stats-platforms.xlsx, stats-history.csv ...  The paths of both
 * answer so with format=, by way of this program.
 */
#include "autoconf.h"

#include <stdlib.h>

#include "core/table-xlsx.h"
#include "domain/chart.h"
#include "domain/export.h"
#include "domain/stat-table.h"

enum { P_FILE, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_FILE] = { .name = "file", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_EXPORT_NAME_MAX,
	    .text = "DATASET.FORMAT: overview, queue, orchestrator, platforms, campaigns, history, heatmap, "
		"distribution or report; csv, tsv, ndjson or xlsx." },
};

static enum ph_rc
export_statistic(struct ph_req *req, const struct ph_statistic *statistic, struct ph_table_options options,
    struct ph_args *args, struct ph_err *err)
{
	struct ph_param	table[PH_STAT_TABLE_NPARAMS];
	enum ph_rc	rc;

	ph_stat_table_params(table);
	if ((rc = ph_export_args(req, args, table, PH_STAT_TABLE_NPARAMS, err)) != PH_OK)
		return rc;
	return ph_stat_table_export(req, statistic, args, options, err);
}

static enum ph_rc
export_chart(struct ph_req *req, const struct ph_chart *chart, struct ph_table_options options, struct ph_args *args,
    struct ph_err *err)
{
	struct ph_param	table[PH_CHART_PARAMS_MAX];
	const size_t	n = ph_chart_table_params(chart, table);
	enum ph_rc	rc;

	if ((rc = ph_export_args(req, args, table, n, err)) != PH_OK ||
	    (rc = ph_args_finish(args, "", table, n, err)) != PH_OK)
		return rc;
	return ph_chart_export(req, chart, args, options, err);
}

static enum ph_rc
export_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char		*file = ph_req_text(req, P_FILE);
	size_t			 len, s, c;
	struct ph_table_options	 options = { .format = ph_export_format(file, &len), .book = &ph_table_xlsx };
	struct ph_args		*args;
	enum ph_rc		 rc;

	(void)out;
	for (s = 0; ph_statistics[s] != NULL && !ph_export_is(ph_statistics[s]->name, file, len); s++)
		;
	for (c = 0; ph_charts[c] != NULL && !ph_export_is(ph_charts[c]->name, file, len); c++)
		;
	if (options.format == PH_TABLE_JSON || (ph_statistics[s] == NULL && ph_charts[c] == NULL))
		return ph_fail(err, PH_ENOTFOUND, "there is no such export: stats-DATASET.FORMAT is needed");
	if ((args = malloc(sizeof(*args))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the export");
	rc = ph_statistics[s] != NULL ? export_statistic(req, ph_statistics[s], options, args, err) :
	    export_chart(req, ph_charts[c], options, args, err);
	free(args);
	return rc;
}

static const struct ph_route route = {
	.name = PH_EXPORT_STATS, .path = "/dashboard/export/stats-{file}",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE, .is_stream = 1,
	.ops[PH_GET] = {
		.scope = "dashboard:export", .summary = "A statistic or a chart as a file",
		.description = "Takes the parameters of the path of the statistic or the chart. Every export is in "
		    "the audit log.",
		.params = params, .nparams = P__MAX, .is_free = 1, .deadline_ms = PH_EXPORT_DEADLINE_MS,
		.handle = export_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
