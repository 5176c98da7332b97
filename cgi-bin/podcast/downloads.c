/*
 * downloads.c -- GET /api/analytics/podcast/{podcast_id}/downloads
 *
 * The overview of a window: totals, days, top episodes, countries and apps.
 * lib/domain/downloads-overview.c reads the figures.
 */
#include "autoconf.h"

#include "domain/downloads.h"

static enum ph_rc
downloads_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_view_get(req, &ph_view_downloads, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "podcast-downloads", .path = "/api/analytics/podcast/{podcast_id}/downloads",
		.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE | PH_NEED_NET,
		.db_cache_kib = PH_VIEW_CACHE_KIB,
		.ops[PH_GET] = {
			.scope = "podcast:read", .summary = "How often was it downloaded?",
			.params = ph_view_downloads.params, .nparams = ph_view_downloads.nparams,
			.fields = ph_view_downloads.fields, .nfields = ph_view_downloads.nfields,
			.is_own_tx = 1, .handle = downloads_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
