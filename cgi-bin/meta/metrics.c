/*
 * metrics.c -- GET /metrics
 *
 * Everything that is counted, for Prometheus and its kin (lib/domain/openmetrics.h).
 */
#include "autoconf.h"

#include "domain/openmetrics.h"

static const struct ph_route route = {
	.name = "meta-metrics", .path = "/metrics", .needs = PH_NEED_DB_READ,
	.ops[PH_GET] = {
		.scope = "metrics:read", .summary = "Everything that is counted, for Prometheus",
		.description = "The Prometheus text format, or OpenMetrics where Accept asks for it.",
		.is_text = 1, .handle = ph_openmetrics_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
