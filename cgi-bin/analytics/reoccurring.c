/*
 * reoccurring.c -- GET /analytics/reoccurring
 *
 * lib/domain/product-series.c reads the figures.
 */
#include "autoconf.h"

#include "domain/product.h"

static enum ph_rc
reoccurring_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_product_get(req, &ph_table_reoccurring, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "analytics-reoccurring", .path = PH_PRODUCT_PATH "reoccurring", .needs = PH_NEED_DB_READ | PH_NEED_MODEL,
		.ops[PH_GET] = {
			.scope = PH_PRODUCT_SCOPE, .summary = "Who had come back by each workday",
			.params = ph_table_reoccurring.params, .nparams = ph_table_reoccurring.nparams,
			.fields = ph_table_reoccurring.fields, .nfields = ph_table_reoccurring.nfields,
			.handle = reoccurring_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
