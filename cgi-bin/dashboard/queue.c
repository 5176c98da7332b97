/*
 * queue.c -- GET /dashboard/stats/queue
 *
 * Is the publish queue moving?
 * lib/domain/stat-queue.c reads the figures.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/statistic.h"

static enum ph_rc
queue_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return ph_statistic_get(req, &ph_stat_queue, out, err);
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-queue", .path = "/dashboard/stats/queue",
		.needs = PH_NEED_DB_READ, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "Is the publish queue moving?",
			.description = ph_stat_queue.description,
			.params = ph_statistic_params, .nparams = PH_STATISTIC_NPARAMS,
			.fields = ph_stat_queue.fields, .nfields = ph_stat_queue.nfields,
			.handle = queue_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
