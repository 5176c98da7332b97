/*
 * breakdown.c -- GET /analytics/breakdown
 *
 * lib/domain/product-breakdown.c reads the figures.
 */
#include "autoconf.h"

#include "domain/product.h"

static enum ph_rc
breakdown_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_product_get(req, &ph_table_breakdown, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "analytics-breakdown", .path = PH_PRODUCT_PATH "breakdown", .needs = PH_NEED_DB_READ | PH_NEED_MODEL,
		.ops[PH_GET] = {
			.scope = PH_PRODUCT_SCOPE, .summary = "How often each value of something occurs",
			.params = ph_table_breakdown.params, .nparams = ph_table_breakdown.nparams,
			.fields = ph_table_breakdown.fields, .nfields = ph_table_breakdown.nfields,
			.handle = breakdown_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
