/*
 * orchestrator.c -- GET /dashboard/stats/orchestrator
 *
 * What the loop that feeds the queue did lately, and how full the queue is.
 * lib/domain/stat-orchestrator.c reads the figures.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/statistic.h"

static enum ph_rc
orchestrator_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_statistic_get(req, &ph_stat_orchestrator, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-orchestrator", .path = "/dashboard/stats/orchestrator",
		.needs = PH_NEED_DB_READ, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "What the orchestrator did lately, and how full the queue is",
			.description = ph_stat_orchestrator.description,
			.params = ph_statistic_params, .nparams = PH_STATISTIC_NPARAMS,
			.fields = ph_stat_orchestrator.fields, .nfields = ph_stat_orchestrator.nfields,
			.handle = orchestrator_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
