/*
 * episode-curves.c -- GET /api/analytics/podcast/{podcast_id}/episode-curves
 *
 * lib/domain/downloads-curves.c reads the figures.
 */
#include "autoconf.h"

#include "domain/downloads.h"

static enum ph_rc
curves_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_view_get(req, &ph_view_curves, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "podcast-episode-curves", .path = "/api/analytics/podcast/{podcast_id}/episode-curves",
		.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
		.db_cache_kib = PH_VIEW_CACHE_KIB,
		.ops[PH_GET] = {
			.scope = "podcast:read", .summary = "How do episodes grow from their release on?",
			.params = ph_view_curves.params, .nparams = ph_view_curves.nparams,
			.fields = ph_view_curves.fields, .nfields = ph_view_curves.nfields,
			.is_own_tx = 1, .handle = curves_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
