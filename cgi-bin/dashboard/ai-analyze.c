/*
 * ai-analyze.c -- GET and POST /dashboard/ai/analyze
 *
 * How the system is, by rules.  GET reads and nothing else, so that it answers while others
 * write; POST also keeps the analysis for the history, at most one a minute.  job-analysis
 * keeps one an hour.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/analysis.h"

static const struct ph_param params[] = { PH_PARAM_TIME };

static enum ph_rc
analyze_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_analysis	a;
	enum ph_rc		rc;

	if ((rc = ph_analysis_read(&a, ph_req_db(req), ph_req_now_ms(req), err)) == PH_OK)
		ph_analysis_write(&a, out);
	ph_analysis_free(&a);
	return rc;
}

static enum ph_rc
analyze_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_analysis	a;
	char			id[37];
	int			is_new;
	enum ph_rc		rc;

	if ((rc = ph_analysis_read(&a, ph_req_db(req), ph_req_now_ms(req), err)) == PH_OK &&
	    (rc = ph_analysis_keep(&a, ph_req_db(req), id, &is_new, err)) == PH_OK) {
		ph_analysis_write(&a, out);
		ph_req_audit(req, id, is_new ? "{\"kept\":true}" : "{\"kept\":false}");
		rc = ph_req_header(req, err, "Content-Location: /dashboard/ai/history/%s", id);
	}
	ph_analysis_free(&a);
	return rc;
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-ai-analyze", .path = "/dashboard/ai/analyze",
		.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE, .cache_s = 1,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "How the system is, by rules",
			.params = params, .nparams = 1,
			.fields = ph_analysis_fields, .nfields = PH_ANALYSIS_NFIELDS,
			.handle = analyze_get,
		},
		.ops[PH_POST] = {
			.scope = "actions:run", .summary = "The same, kept for the history",
			.description = "At most one analysis a minute is kept. Content-Location names the latest "
			    "that is.",
			.fields = ph_analysis_fields, .nfields = PH_ANALYSIS_NFIELDS,
			.action = "analysis.keep", .handle = analyze_post,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
