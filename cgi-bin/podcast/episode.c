/*
 * episode.c -- GET /api/analytics/episode/{episode_id}/downloads
 *
 * lib/domain/downloads-episode.c reads the figures.
 */
#include "autoconf.h"

#include "domain/downloads.h"

static enum ph_rc
episode_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_view_get(req, &ph_view_episode, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "podcast-episode", .path = "/api/analytics/episode/{episode_id}/downloads",
		.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE | PH_NEED_NET,
		.db_cache_kib = PH_VIEW_CACHE_KIB,
		.ops[PH_GET] = {
			.scope = "podcast:read", .summary = "How often was one episode downloaded?",
			.params = ph_view_episode.params, .nparams = ph_view_episode.nparams,
			.fields = ph_view_episode.fields, .nfields = ph_view_episode.nfields,
			.is_own_tx = 1, .handle = episode_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
