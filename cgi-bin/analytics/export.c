/*
 * export.c -- GET /analytics/export/{file}
 *
 * A table of product analytics as a file: historical.xlsx, breakdown.csv?by=country ...  The paths of the tables answer so
 * with format=, by way of this program.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "core/table-xlsx.h"
#include "domain/export.h"
#include "domain/product.h"

enum { P_FILE, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_FILE] = { .name = "file", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_EXPORT_NAME_MAX,
	    .text = "TABLE.FORMAT: breakdown, cohorts, compare, historical, reoccurring or rooms; csv, tsv, ndjson or xlsx." },
};

/* The parameters of the table, and of the file. */
static size_t
table_params(const struct ph_product_table *t, struct ph_param all[PH_PARAMS_MAX])
{
	const struct ph_param more[] = { PH_TABLE_PARAMS(0) };

	memcpy(all, t->params, t->nparams * sizeof(all[0]));
	memcpy(all + t->nparams, more, sizeof(more));
	return t->nparams + PH_TABLE_NPARAMS;
}

static enum ph_rc
export_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char		*file = ph_req_text(req, P_FILE);
	size_t			 len, i, n;
	struct ph_table_options	 options = { .format = ph_export_format(file, &len), .book = &ph_table_xlsx };
	struct ph_param		 all[PH_PARAMS_MAX];
	struct ph_args		*args;
	enum ph_rc		 rc;

	(void)out;
	for (i = 0; ph_product_tables[i] != NULL && !ph_export_is(ph_product_tables[i]->name, file, len); i++)
		;
	if (options.format == PH_TABLE_JSON || ph_product_tables[i] == NULL)
		return ph_fail(err, PH_ENOTFOUND, "there is no such file: TABLE.FORMAT is needed");
	if ((args = malloc(sizeof(*args))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the export");
	n = table_params(ph_product_tables[i], all);
	if ((rc = ph_export_args(req, args, all, n, err)) == PH_OK)
		rc = ph_product_export(req, ph_product_tables[i], args, options, err);
	free(args);
	return rc;
}

static const struct ph_route route = {
	.name = PH_PRODUCT_PROGRAM, .path = PH_PRODUCT_PATH "export/{file}",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE | PH_NEED_MODEL, .is_stream = 1,
	.ops[PH_GET] = {
		.scope = PH_PRODUCT_SCOPE, .summary = "A table of product analytics as a file",
		.description = "Takes the parameters of the table. Every file is in the audit log.",
		.params = params, .nparams = P__MAX, .is_free = 1, .deadline_ms = PH_EXPORT_DEADLINE_MS, .handle = export_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
