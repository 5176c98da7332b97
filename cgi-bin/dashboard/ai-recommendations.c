/*
 * ai-recommendations.c -- GET /dashboard/ai/recommendations
 *
 * What to do now, the most urgent first: an array.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/recommendation.h"

static const struct ph_param params[] = { PH_PARAM_TIME };

static enum ph_rc
recommendations_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_recommendations	r = { 0 };
	struct ph_analysis		a;
	enum ph_rc			rc;

	if ((rc = ph_analysis_read(&a, ph_req_db(req), ph_req_now_ms(req), err)) == PH_OK &&
	    (rc = ph_recommendations_read(&r, &a, ph_req_db(req), err)) == PH_OK)
		ph_recommendations_write(&r, a.now_ms, out);
	ph_recommendations_free(&r);
	ph_analysis_free(&a);
	return rc;
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-ai-recommendations", .path = "/dashboard/ai/recommendations",
		.needs = PH_NEED_DB_READ,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "What to do now, the most urgent first",
			.params = params, .nparams = 1, .is_list = 1,
			.fields = ph_recommendation_fields, .nfields = PH_RECOMMENDATION_NFIELDS,
			.handle = recommendations_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
