/*
 * episodes-summary.c -- GET /api/analytics/podcast/{podcast_id}/episodes-summary
 *
 * lib/domain/downloads-episodes.c reads the figures.
 */
#include "autoconf.h"

#include "domain/downloads.h"

static enum ph_rc
episodes_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_view_get(req, &ph_view_episodes, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "podcast-episodes-summary", .path = "/api/analytics/podcast/{podcast_id}/episodes-summary",
		.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE | PH_NEED_NET,
		.db_cache_kib = PH_VIEW_CACHE_KIB,
		.ops[PH_GET] = {
			.scope = "podcast:read", .summary = "Downloads of its episodes",
			.params = ph_view_episodes.params, .nparams = ph_view_episodes.nparams,
			.fields = ph_view_episodes.fields, .nfields = ph_view_episodes.nfields,
			.is_own_tx = 1, .handle = episodes_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
