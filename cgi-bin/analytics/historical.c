/*
 * historical.c -- GET /analytics/historical
 *
 * lib/domain/product-series.c reads the figures.
 */
#include "autoconf.h"

#include "domain/product.h"

static enum ph_rc
historical_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_product_get(req, &ph_table_historical, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "analytics-historical", .path = PH_PRODUCT_PATH "historical", .needs = PH_NEED_DB_READ | PH_NEED_MODEL,
		.ops[PH_GET] = {
			.scope = PH_PRODUCT_SCOPE, .summary = "What happened each workday",
			.params = ph_table_historical.params, .nparams = ph_table_historical.nparams,
			.fields = ph_table_historical.fields, .nfields = ph_table_historical.nfields,
			.handle = historical_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
