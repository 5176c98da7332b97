/*
 * metrics.c -- GET /metrics
 *
 * Everything that is counted, for Prometheus and its kin (lib/domain/openmetrics.h).
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "core/endpoint.h"
#include "domain/openmetrics.h"

static enum ph_rc
metrics_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const enum ph_exposition	 form = ph_exposition_of(ph_req_env(req, "HTTP_ACCEPT"));
	char				*text;
	enum ph_rc			 rc;

	(void)out;
	if ((rc = ph_openmetrics(ph_req_db(req), ph_req_state(req), ph_req_now_ms(req), form, &text, err)) != PH_OK)
		return rc;
	if ((rc = ph_req_stream(req, ph_exposition_type(form), NULL, err)) == PH_OK)
		rc = ph_req_write(req, text, strlen(text), err);
	free(text);
	return rc;
}

static const struct ph_route route = {
	.name = "meta-metrics", .path = "/metrics", .needs = PH_NEED_DB_READ,
	.ops[PH_GET] = {
		.scope = "metrics:read", .summary = "Everything that is counted, for Prometheus",
		.description = "The Prometheus text format, or OpenMetrics where Accept asks for it.",
		.is_text = 1, .handle = metrics_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
