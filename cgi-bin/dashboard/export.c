/*
 * export.c -- GET /dashboard/export/{file}
 *
 * A list as a file: publications.csv, jobs.xlsx ...  It takes the same filters as the list's own path
 * and gives all rows that they let through, or the page that limit, cursor and offset ask for.  The
 * paths themselves answer so with format=, by way of this program, so that they need not carry what it does.
 *
 * The answer is streamed in constant memory: what goes wrong after its beginning cuts the connection.
 */
#include "autoconf.h"

#include <stdlib.h>

#include "core/table-xlsx.h"
#include "domain/export.h"
#include "domain/lists.h"

enum { ROWS_MAX = 1000000 };

static const struct ph_list *const lists[] = {
	&ph_list_publications, &ph_list_jobs, &ph_list_clips, &ph_list_campaigns, &ph_list_videos, &ph_list_ledger,
	&ph_list_alerts, &ph_list_runs, &ph_list_audit, NULL
};

enum { P_FILE, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_FILE] = { .name = "file", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_EXPORT_NAME_MAX,
	    .text = "DATASET.FORMAT: publications, jobs, clips, campaigns, videos, ledger, alerts, runs or "
		"audit; csv, tsv, ndjson or xlsx." },
};

static enum ph_rc
export_list(struct ph_req *req, const struct ph_list *list, enum ph_table_format format, struct ph_args *args,
    struct ph_err *err)
{
	const struct ph_table_options	options = { .format = format, .book = &ph_table_xlsx };
	static struct ph_list_params	p;
	enum ph_rc			rc;

	ph_list_params(list, &p);
	if ((rc = ph_auth_scope(ph_req_who(req), list->scope, err)) != PH_OK ||
	    (rc = ph_export_args(req, args, p.table, p.n, err)) != PH_OK)
		return rc;
	return ph_list_export(req, list, &p, args, options, format == PH_TABLE_XLSX ? PH_XLSX_ROWS_MAX : ROWS_MAX,
	    err);
}

static enum ph_rc
export_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char		*file = ph_req_text(req, P_FILE);
	size_t			 len, i;
	enum ph_table_format	 format = ph_export_format(file, &len);
	struct ph_args		*args;
	enum ph_rc		 rc;

	(void)out;
	for (i = 0; lists[i] != NULL && !ph_export_is(lists[i]->name, file, len); i++)
		;
	if (format == PH_TABLE_JSON || lists[i] == NULL)
		return ph_fail(err, PH_ENOTFOUND, "there is no such export: DATASET.FORMAT is needed");
	if ((args = malloc(sizeof(*args))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the export");
	rc = export_list(req, lists[i], format, args, err);
	free(args);
	return rc;
}

static const struct ph_route route = {
	.name = PH_EXPORT_LISTS, .path = "/dashboard/export/{file}",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE, .is_stream = 1,
	.ops[PH_GET] = {
		.scope = "dashboard:export", .summary = "A list as a file",
		.description = "Takes the parameters of the list's own path. Every export is in the audit log.",
		.params = params, .nparams = P__MAX, .is_free = 1, .deadline_ms = PH_EXPORT_DEADLINE_MS,
		.handle = export_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
