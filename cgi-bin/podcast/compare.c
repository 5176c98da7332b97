/*
 * compare.c -- GET /api/analytics/podcast/{podcast_id}/compare
 *
 * lib/domain/downloads-compare.c reads the figures.
 */
#include "autoconf.h"

#include "domain/downloads.h"

static enum ph_rc
compare_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_view_get(req, &ph_view_compare, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "podcast-compare", .path = "/api/analytics/podcast/{podcast_id}/compare",
		.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE | PH_NEED_NET,
		.db_cache_kib = PH_VIEW_CACHE_KIB,
		.ops[PH_GET] = {
			.scope = "podcast:read", .summary = "A window beside the one before it",
			.params = ph_view_compare.params, .nparams = ph_view_compare.nparams,
			.fields = ph_view_compare.fields, .nfields = ph_view_compare.nfields,
			.is_own_tx = 1, .handle = compare_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
