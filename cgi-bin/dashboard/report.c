/*
 * report.c -- GET /dashboard/stats/report
 *
 * How does everything stand?  lib/domain/report.c says; action generate-report keeps it for the history.
 */
#include "autoconf.h"

#include "domain/chart.h"

static enum ph_rc
report_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_chart_get(req, &ph_chart_report, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-report", .path = "/dashboard/stats/report",
		.needs = PH_NEED_DB_READ, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "How does everything stand?",
			.description = "The analysis, the recommendations and the five statistics, from one snapshot. "
			    "As a file it has a row for each figure. Nothing is kept.",
			.params = ph_chart_report.params, .nparams = ph_chart_report.nparams,
			.fields = ph_chart_report.fields, .nfields = ph_chart_report.nfields,
			.handle = report_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
