/*
 * action-report.c -- generate-report: the report of one snapshot, whose analysis is kept for the history.
 */
#include "autoconf.h"

#include <stdio.h>

#include "core/table.h"
#include "domain/action-log.h"
#include "domain/report.h"

enum { P_DRY_RUN, P_FORMAT, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_DRY_RUN] = PH_ACTION_DRY_RUN,
	[P_FORMAT] = { .name = "format", .type = PH_P_CHOICE, .in = PH_IN_BODY, .choices = ph_table_formats,
	    .text = "Anything but json: the result names the file to fetch, too, with the scope dashboard:export." },
};

static enum ph_rc
write_report(struct ph_action_call *call, const struct ph_analysis *a, struct ph_err *err)
{
	const enum ph_table_format	format = (enum ph_table_format)call->args->values[P_FORMAT].num;
	char				id[37], file[64];
	size_t				n;
	int				is_new;
	enum ph_rc			rc;

	if ((rc = ph_report_write(a, call->db, call->out, &n, err)) != PH_OK ||
	    (rc = ph_analysis_keep(a, call->db, id, &is_new, err)) != PH_OK)
		return rc;
	call->changed = 1;		/* a report was made */
	snprintf(call->target, sizeof(call->target), "%s", id);
	snprintf(call->message, sizeof(call->message), "The system is %s: %zu issues, %zu recommendations.",
	    ph_health_names[ph_analysis_status(a)], a->nissues, n);
	if (format != PH_TABLE_JSON) {
		snprintf(file, sizeof(file), "/dashboard/export/stats-report.%s", ph_table_formats[format]);
		ph_json_str(call->out, "file", file);
	}
	return PH_OK;
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

const struct ph_action ph_action_generate_report = {
	.name = "generate-report", .short_name = "generate_report", .entity = "analysis",
	.text = "Analysis, recommendations and the five statistics.",
	.params = params, .nparams = P__MAX, .run = generate_report,
};
