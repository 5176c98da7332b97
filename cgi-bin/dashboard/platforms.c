/*
 * platforms.c -- GET /dashboard/stats/platforms
 *
 * How each platform does: one object per platform.
 * lib/domain/stat-platforms.c reads the figures.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/statistic.h"

static enum ph_rc
platforms_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_statistic_get(req, &ph_stat_platforms, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-platforms", .path = "/dashboard/stats/platforms",
		.needs = PH_NEED_DB_READ, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "How each platform does",
			.description = ph_stat_platforms.description,
			.params = ph_statistic_params, .nparams = PH_STATISTIC_NPARAMS,
			.fields = ph_stat_platforms.fields, .nfields = ph_stat_platforms.nfields,
			.handle = platforms_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
