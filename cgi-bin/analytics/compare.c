/*
 * compare.c -- GET /analytics/compare
 *
 * lib/domain/product-compare.c reads the figures.
 */
#include "autoconf.h"

#include "domain/product.h"

static enum ph_rc
compare_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_product_get(req, &ph_table_compare, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "analytics-compare", .path = PH_PRODUCT_PATH "compare", .needs = PH_NEED_DB_READ | PH_NEED_MODEL,
		.ops[PH_GET] = {
			.scope = PH_PRODUCT_SCOPE, .summary = "A period beside the one before",
			.params = ph_table_compare.params, .nparams = ph_table_compare.nparams,
			.fields = ph_table_compare.fields, .nfields = ph_table_compare.nfields,
			.handle = compare_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
