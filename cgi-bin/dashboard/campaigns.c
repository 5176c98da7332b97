/*
 * campaigns.c -- GET /dashboard/stats/campaigns
 *
 * Campaigns by status, and their money.
 * lib/domain/stat-campaigns.c reads the figures.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/statistic.h"

static enum ph_rc
campaigns_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_statistic_get(req, &ph_stat_campaigns, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-campaigns", .path = "/dashboard/stats/campaigns",
		.needs = PH_NEED_DB_READ, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "Campaigns by status, and their money",
			.description = ph_stat_campaigns.description,
			.params = ph_statistic_params, .nparams = PH_STATISTIC_NPARAMS,
			.fields = ph_stat_campaigns.fields, .nfields = ph_stat_campaigns.nfields,
			.handle = campaigns_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
