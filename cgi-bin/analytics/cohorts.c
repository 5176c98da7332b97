/*
 * cohorts.c -- GET /analytics/cohorts
 *
 * lib/domain/product-cohorts.c reads the figures.
 */
#include "autoconf.h"

#include "domain/product.h"

static enum ph_rc
cohorts_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_product_get(req, &ph_table_cohorts, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "analytics-cohorts", .path = PH_PRODUCT_PATH "cohorts", .needs = PH_NEED_DB_READ | PH_NEED_MODEL,
		.ops[PH_GET] = {
			.scope = PH_PRODUCT_SCOPE, .summary = "New users by week, and who of them came back",
			.params = ph_table_cohorts.params, .nparams = ph_table_cohorts.nparams,
			.fields = ph_table_cohorts.fields, .nfields = ph_table_cohorts.nfields,
			.handle = cohorts_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
