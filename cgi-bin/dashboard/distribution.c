/*
 * distribution.c -- GET /dashboard/stats/distribution
 *
 * How do clip scores, clip durations and processing times spread?
 * lib/domain/chart-distribution.c reads the figures.
 */
#include "autoconf.h"

#include "domain/chart.h"

static enum ph_rc
distribution_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_chart_get(req, &ph_chart_distribution, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-distribution", .path = "/dashboard/stats/distribution",
		.needs = PH_NEED_DB_READ, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "How do scores, durations and processing times spread?",
			.description = "A histogram with bins of equal width: from 0.0 to 1.0 for scores, whose "
			    "edges are rounded to hundredths, else from the shortest to the longest.",
			.params = ph_chart_distribution.params, .nparams = ph_chart_distribution.nparams,
			.fields = ph_chart_distribution.fields, .nfields = ph_chart_distribution.nfields,
			.handle = distribution_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
