/*
 * action-report.c -- generate-report: the analysis, what it suggests, and the figures behind it,
 * from one snapshot.  The analysis is kept for the history.
 */
#include "autoconf.h"

#include <stdio.h>

#include <cjson/cJSON.h>

#include "domain/action-log.h"
#include "domain/recommendation.h"

static enum ph_rc
write_report(struct ph_action_call *call, const struct ph_analysis *a, struct ph_err *err)
{
	struct ph_recommendations	r;
	char				id[37];
	int				is_new;
	enum ph_rc			rc;

	if ((rc = ph_recommendations_read(&r, a, call->db, err)) == PH_OK &&
	    (rc = ph_analysis_keep(a, call->db, id, &is_new, err)) == PH_OK) {
		call->changed = 1;		/* a report was made */
		snprintf(call->target, sizeof(call->target), "%s", id);
		snprintf(call->message, sizeof(call->message), "The system is %s: %zu issues, %zu recommendations.",
		    ph_health_names[ph_analysis_status(a)], a->nissues, r.n);
		ph_json_obj_open(call->out, "analysis");
		ph_analysis_write(a, call->out);
		ph_json_close(call->out);
		ph_json_arr_open(call->out, "recommendations");
		ph_recommendations_write(&r, a->now_ms, call->out);
		ph_json_close(call->out);
		ph_json_item(call->out, "statistics", cJSON_CreateRaw(a->statistics));
	}
	ph_recommendations_free(&r);
	return rc;
}

static enum ph_rc
generate_report(struct ph_action_call *call, struct ph_err *err)
{
	struct ph_analysis	a;
	enum ph_rc		rc;

	if ((rc = ph_analysis_read(&a, call->db, call->now_ms, err)) == PH_OK)
		rc = write_report(call, &a, err);
	ph_analysis_free(&a);
	return rc;
}

static const struct ph_param params[] = { PH_ACTION_DRY_RUN };

const struct ph_action ph_action_generate_report = {
	.name = "generate-report", .short_name = "generate_report", .entity = "analysis",
	.text = "Analysis, recommendations and the five statistics.",
	.params = params, .nparams = 1, .run = generate_report,
};
