/*
 * export.c -- GET /dashboard/export/{file}
 *
 * A list, a statistic or a chart as a file: publications.csv, stats-platforms.xlsx, stats-history.csv ...
 * A list takes the same filters as its own path and gives all rows that they let through, or the page that
 * limit, cursor and offset ask for; the five statistics are stats-overview and so on.  The paths themselves answer so
 * with format=, by way of this program, so that they need not carry what it does.
 *
 * The answer is streamed in constant memory: what goes wrong after its beginning cuts the connection.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/table-xlsx.h"
#include "domain/chart.h"
#include "domain/lists.h"
#include "domain/stat-table.h"

enum { ROWS_MAX = 1000000, DEADLINE_MS = 60000, FILE_MAX = 64 };

#define STATS "stats-"

static const struct ph_list *const lists[] = {
	&ph_list_publications, &ph_list_jobs, &ph_list_clips, &ph_list_campaigns, &ph_list_videos, &ph_list_ledger,
	&ph_list_alerts, &ph_list_runs, &ph_list_audit, NULL
};

enum { P_FILE, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_FILE] = { .name = "file", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = FILE_MAX,
	    .text = "DATASET.FORMAT: publications, jobs, clips, campaigns, videos, ledger, alerts, runs, audit, "
		"stats-overview, stats-queue, stats-orchestrator, stats-platforms, stats-campaigns, "
		"stats-history, stats-heatmap or stats-distribution; "
		"csv, tsv, ndjson or xlsx." },
};

/* Is it the first len bytes of the file's name, behind the prefix? */
static int
is_dataset(const char *prefix, const char *name, const char *file, size_t len)
{
	const size_t n = strlen(prefix);

	return len == n + strlen(name) && strncmp(file, prefix, n) == 0 && strncmp(file + n, name, len - n) == 0;
}

static const struct ph_list *
find_list(const char *file, size_t len)
{
	size_t i;

	for (i = 0; lists[i] != NULL && !is_dataset("", lists[i]->name, file, len); i++)
		;
	return lists[i];
}

static const struct ph_statistic *
find_statistic(const char *file, size_t len)
{
	size_t i;

	for (i = 0; ph_statistics[i] != NULL && !is_dataset(STATS, ph_statistics[i]->name, file, len); i++)
		;
	return ph_statistics[i];
}

static const struct ph_chart *
find_chart(const char *file, size_t len)
{
	size_t i;

	for (i = 0; ph_charts[i] != NULL && !is_dataset(STATS, ph_charts[i]->name, file, len); i++)
		;
	return ph_charts[i];
}

static enum ph_table_format
find_format(const char *name)
{
	enum ph_table_format f;

	for (f = PH_TABLE_CSV; f < PH_TABLE__MAX; f++)
		if (strcmp(ph_table_formats[f], name) == 0)
			return f;
	return PH_TABLE_JSON;
}

/* The query against the parameters of the dataset. */
static enum ph_rc
read_args(const struct ph_req *req, struct ph_args *args, const struct ph_param *table, size_t n, struct ph_err *err)
{
	const char *query = ph_req_env(req, "QUERY_STRING");

	ph_args_init(args, table, n);
	return ph_args_query(args, query != NULL ? query : "", query != NULL ? strlen(query) : 0, table, n,
	    ph_req_now_ms(req), err);
}

static enum ph_rc
export_list(struct ph_req *req, const struct ph_list *list, struct ph_table_options options, struct ph_args *args,
    struct ph_err *err)
{
	static struct ph_list_params	p;
	enum ph_rc			rc;

	ph_list_params(list, &p);
	if ((rc = ph_auth_scope(ph_req_who(req), list->scope, err)) != PH_OK ||
	    (rc = read_args(req, args, p.table, p.n, err)) != PH_OK)
		return rc;
	return ph_list_export(req, list, &p, args, options,
	    options.format == PH_TABLE_XLSX ? PH_XLSX_ROWS_MAX : ROWS_MAX, err);
}

static enum ph_rc
export_statistic(struct ph_req *req, const struct ph_statistic *statistic, struct ph_table_options options,
    struct ph_args *args, struct ph_err *err)
{
	struct ph_param	table[PH_STAT_TABLE_NPARAMS];
	enum ph_rc	rc;

	ph_stat_table_params(table);
	if ((rc = read_args(req, args, table, PH_STAT_TABLE_NPARAMS, err)) != PH_OK)
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

	if ((rc = read_args(req, args, table, n, err)) != PH_OK ||
	    (rc = ph_args_finish(args, "", table, n, err)) != PH_OK)
		return rc;
	return ph_chart_export(req, chart, args, options, err);
}

static enum ph_rc
export_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char			*file = ph_req_text(req, P_FILE), *dot = strrchr(file, '.');
	const size_t			 len = dot != NULL ? (size_t)(dot - file) : 0;
	struct ph_table_options		 options = { .format = dot != NULL ? find_format(dot + 1) : PH_TABLE_JSON,
	    .book = &ph_table_xlsx };
	const struct ph_list		*list = find_list(file, len);
	const struct ph_statistic	*statistic = find_statistic(file, len);
	const struct ph_chart		*chart = find_chart(file, len);
	struct ph_args			*args;
	enum ph_rc			 rc;

	(void)out;
	if (options.format == PH_TABLE_JSON || (list == NULL && statistic == NULL && chart == NULL))
		return ph_fail(err, PH_ENOTFOUND, "there is no such export: DATASET.FORMAT is needed");
	if ((args = malloc(sizeof(*args))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the export");
	rc = list != NULL ? export_list(req, list, options, args, err) :
	    chart != NULL ? export_chart(req, chart, options, args, err) : export_statistic(req, statistic, options, args, err);
	free(args);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-export", .path = "/dashboard/export/{file}",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE, .is_stream = 1,
	.ops[PH_GET] = {
		.scope = "dashboard:export", .summary = "A list, a statistic or a chart as a file",
		.description = "Takes the parameters of the dataset's own path. Every export is in the audit log.",
		.params = params, .nparams = P__MAX, .is_free = 1, .deadline_ms = DEADLINE_MS, .handle = export_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
