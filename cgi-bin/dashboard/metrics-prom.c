/*
 * metrics-prom.c -- GET /dashboard/metrics.prom
 *
 * /metrics under a path of the dashboard's own.
 */
#include "autoconf.h"

#include "domain/openmetrics.h"

static const struct ph_route route = {
	.name = "dashboard-metrics-prom", .path = "/dashboard/metrics.prom", .needs = PH_NEED_DB_READ,
	.ops[PH_GET] = {
		.scope = "metrics:read", .summary = "Everything that is counted, for Prometheus",
		.description = "The same as /metrics: the Prometheus text format, or OpenMetrics where Accept asks for it.",
		.is_text = 1, .handle = ph_openmetrics_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
