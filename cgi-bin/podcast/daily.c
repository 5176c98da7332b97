/*
 * daily.c -- GET /api/analytics/podcast/{podcast_id}/daily
 *
 * A series by day, week or month.  lib/domain/downloads-daily.c reads the figures.
 */
#include "autoconf.h"

#include "domain/downloads.h"

static enum ph_rc
daily_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_view_get(req, &ph_view_daily, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "podcast-daily", .path = "/api/analytics/podcast/{podcast_id}/daily",
		.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
		.db_cache_kib = PH_VIEW_CACHE_KIB,
		.ops[PH_GET] = {
			.scope = "podcast:read", .summary = "Downloads over time",
			.params = ph_view_daily.params, .nparams = ph_view_daily.nparams,
			.fields = ph_view_daily.fields, .nfields = ph_view_daily.nfields,
			.is_own_tx = 1, .handle = daily_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
