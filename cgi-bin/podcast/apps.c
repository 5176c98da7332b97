/*
 * apps.c -- GET /api/analytics/podcast/{podcast_id}/apps
 *
 * lib/domain/downloads-by.c reads the figures.
 */
#include "autoconf.h"

#include "domain/downloads.h"

static enum ph_rc
apps_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_view_get(req, &ph_view_apps, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "podcast-apps", .path = "/api/analytics/podcast/{podcast_id}/apps",
		.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
		.db_cache_kib = PH_VIEW_CACHE_KIB,
		.ops[PH_GET] = {
			.scope = "podcast:read", .summary = "Downloads by app",
			.params = ph_view_apps.params, .nparams = ph_view_apps.nparams,
			.fields = ph_view_apps.fields, .nfields = ph_view_apps.nfields,
			.is_own_tx = 1, .handle = apps_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
