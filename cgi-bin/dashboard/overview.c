/*
 * overview.c -- GET /dashboard/stats/overview
 *
 * How much there is: videos, clips, jobs, campaigns, and what became of the publish
 * logs.
 * lib/domain/stat-overview.c reads the figures.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/statistic.h"

static enum ph_rc
overview_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_statistic_get(req, &ph_stat_overview, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-overview", .path = "/dashboard/stats/overview",
		.needs = PH_NEED_DB_READ, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "How much there is, and what became of it",
			.description = ph_stat_overview.description,
			.params = ph_statistic_params, .nparams = PH_STATISTIC_NPARAMS,
			.fields = ph_stat_overview.fields, .nfields = ph_stat_overview.nfields,
			.handle = overview_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
