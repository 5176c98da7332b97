/*
 * history.c -- GET /dashboard/stats/history
 *
 * How did it come to this?  Up to ten metrics over time, for line charts.
 * lib/domain/chart-history.c reads the figures.
 */
#include "autoconf.h"

#include "domain/chart.h"

static enum ph_rc
history_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_chart_get(req, &ph_chart_history, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-history", .path = "/dashboard/stats/history",
		.needs = PH_NEED_DB_READ, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "How did it come to this?",
			.description = "Metrics over time. Events are counted, whenever they happened; of gauges "
			    "there are samples since job-sampler runs: one each minute for 48 hours, each five minutes "
			    "for 14 days, each hour for 400 days. Where there is no sample the value is null. Steps are "
			    "whole, so the first one may begin before from. A file has a row per step and a column per "
			    "series.",
			.params = ph_chart_history.params, .nparams = ph_chart_history.nparams,
			.fields = ph_chart_history.fields, .nfields = ph_chart_history.nfields,
			.handle = history_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
