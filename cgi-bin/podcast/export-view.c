/*
 * export-view.c -- GET /api/analytics/podcast/{podcast_id}/export/{file}
 *
 * A view as a file: daily.xlsx, countries.csv ...  The paths of the views answer so with format=, by way of this
 * program.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "core/table-xlsx.h"
#include "domain/downloads.h"
#include "domain/export.h"

enum { P_FILE = PH_VIEW_NPARAMS, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_VIEW_PARAMS,
	[P_FILE] = { .name = "file", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_EXPORT_NAME_MAX,
	    .text = "VIEW.FORMAT: apps, compare, countries, daily, devices, downloads, episode-curves or episodes-summary; "
		"csv, tsv, ndjson or xlsx." },
};

/* The parameters of the view, and of the table behind them. */
static size_t
table_params(const struct ph_view *view, struct ph_param table[PH_PARAMS_MAX])
{
	const struct ph_param more[] = { PH_TABLE_PARAMS(0) };

	memcpy(table, view->params, view->nparams * sizeof(table[0]));
	memcpy(table + view->nparams, more, sizeof(more));
	/* It is in the path of this program. */
	table[PH_VIEW_ID] = params[PH_VIEW_ID];
	return view->nparams + PH_TABLE_NPARAMS;
}

static enum ph_rc
export_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char		*file = ph_req_text(req, P_FILE);
	size_t			 len, i, n;
	struct ph_table_options	 options = { .format = ph_export_format(file, &len), .book = &ph_table_xlsx };
	struct ph_param		 table[PH_PARAMS_MAX];
	struct ph_args		*args;
	enum ph_rc		 rc;

	(void)out;
	for (i = 0; ph_views[i] != NULL && !ph_export_is(ph_views[i]->name, file, len); i++)
		;
	if (options.format == PH_TABLE_JSON || ph_views[i] == NULL)
		return ph_fail(err, PH_ENOTFOUND, "there is no such file: VIEW.FORMAT is needed");
	if ((args = malloc(sizeof(*args))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the export");
	n = table_params(ph_views[i], table);
	if ((rc = ph_export_args(req, args, table, n, err)) == PH_OK)
		rc = ph_view_export(req, ph_views[i], args, options, err);
	free(args);
	return rc;
}

static const struct ph_route route = {
	.name = PH_VIEW_PROGRAM, .path = PH_VIEW_PATH "export/{file}",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE | PH_NEED_NET, .is_stream = 1, .db_cache_kib = PH_VIEW_CACHE_KIB,
	.ops[PH_GET] = {
		.scope = "podcast:read", .summary = "A view as a file",
		.description = "Takes the parameters of the view. Every file is in the audit log.",
		.params = params, .nparams = P__MAX, .is_free = 1, .is_own_tx = 1, .deadline_ms = PH_EXPORT_DEADLINE_MS,
		.handle = export_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
