/*
 * heatmap.c -- GET /dashboard/stats/heatmap
 *
 * At which hours of the week does it happen?
 * lib/domain/chart-heatmap.c reads the figures.
 */
#include "autoconf.h"

#include "domain/chart.h"

static enum ph_rc
heatmap_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_chart_get(req, &ph_chart_heatmap, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-heatmap", .path = "/dashboard/stats/heatmap",
		.needs = PH_NEED_DB_READ, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "At which hours of the week does it happen?",
			.description = "Events of the last 30 days, or of the time asked for.",
			.params = ph_chart_heatmap.params, .nparams = ph_chart_heatmap.nparams,
			.fields = ph_chart_heatmap.fields, .nfields = ph_chart_heatmap.nfields,
			.handle = heatmap_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
