/*
 * report.c -- the parts of a report, one after the other.
 */
#include "autoconf.h"

#include "domain/report.h"

enum { F_ANALYSIS, F_RECOMMENDATIONS, F_STATISTICS };

const struct ph_field ph_report_fields[PH_REPORT_NFIELDS] = {
	[F_ANALYSIS] = { .name = "analysis", .type = PH_OBJECT, .fields = ph_analysis_fields,
	    .nfields = PH_ANALYSIS_NFIELDS, .text = "As /dashboard/ai/analyze answers." },
	[F_RECOMMENDATIONS] = { .name = "recommendations", .type = PH_ARRAY, .fields = ph_recommendation_fields,
	    .nfields = PH_RECOMMENDATION_NFIELDS, .text = "As /dashboard/ai/recommendations answers." },
	[F_STATISTICS] = { .name = "statistics", .type = PH_ANY,
	    .text = "overview, queue, orchestrator, platforms and campaigns, with their extended fields." },
};

enum ph_rc
ph_report_write(const struct ph_analysis *a, struct ph_db *db, struct ph_json *out, size_t *nrecommendations,
    struct ph_err *err)
{
	struct ph_recommendations	r;
	enum ph_rc			rc;

	*nrecommendations = 0;
	if ((rc = ph_recommendations_read(&r, a, db, err)) == PH_OK) {
		*nrecommendations = r.n;
		ph_json_obj_open(out, "analysis");
		ph_analysis_write(a, out);
		ph_json_close(out);
		ph_json_arr_open(out, "recommendations");
		ph_recommendations_write(&r, a->now_ms, out);
		ph_json_close(out);
		ph_json_raw(out, "statistics", a->statistics);
	}
	ph_recommendations_free(&r);
	return rc;
}
