/*
 * chart-report.c -- the report as an answer, and as rows with a figure each.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "domain/chart.h"
#include "domain/report.h"

enum { NAME_SIZE = 256, PLACES = 6 };

static const struct ph_param params[] = { PH_CHART_PARAMS };

static enum ph_rc
write_report(const struct ph_chart_query *q, struct ph_json *out, struct ph_err *err)
{
	struct ph_analysis	a;
	size_t			n;
	enum ph_rc		rc;

	if ((rc = ph_analysis_read(&a, q->db, q->now_ms, err)) == PH_OK)
		rc = ph_report_write(&a, q->db, out, &n, err);
	ph_analysis_free(&a);
	return rc;
}

/* -- as rows ------------------------------------------------------------------------- */

enum { C_NAME, C_NUMBER, C_TEXT, C__MAX };
static const struct ph_field columns[C__MAX] = {
	[C_NAME] = { .name = "name", .type = PH_TEXT,
	    .text = "Where it stands in the report: statistics.queue.pending, analysis.issues_detected.1.title." },
	[C_NUMBER] = { .name = "number", .type = PH_DECIMAL, .places = PLACES, .is_nullable = 1,
	    .text = "A figure; empty: it is a text, or not known." },
	[C_TEXT] = { .name = "text", .type = PH_TEXT, .is_nullable = 1, .text = "What is no number." },
};

static enum ph_rc
put_row(struct ph_chart_sheet *sheet, const char *name, const cJSON *item, struct ph_err *err)
{
	struct ph_value v[C__MAX] = { ph_v_str(name), ph_v_null(), ph_v_null() };

	if (cJSON_IsNumber(item))
		v[C_NUMBER] = ph_v_real(item->valuedouble);
	else if (cJSON_IsBool(item))
		v[C_TEXT] = ph_v_str(cJSON_IsTrue(item) ? "true" : "false");
	else if (cJSON_IsString(item))
		v[C_TEXT] = ph_v_str(item->valuestring);
	return ph_chart_row(sheet, v, err);
}

/* Every leaf below item; elements of arrays count from 1. */
static enum ph_rc
put_rows(struct ph_chart_sheet *sheet, const char *prefix, const cJSON *item, struct ph_err *err)
{
	char		 name[NAME_SIZE];
	const cJSON	*child;
	size_t		 i = 0;
	enum ph_rc	 rc = PH_OK;

	if (!cJSON_IsObject(item) && !cJSON_IsArray(item))
		return put_row(sheet, prefix, item, err);
	cJSON_ArrayForEach(child, item) {
		const char *dot = prefix[0] != '\0' ? "." : "";

		i++;
		if (child->string != NULL)
			snprintf(name, sizeof(name), "%s%s%s", prefix, dot, child->string);
		else
			snprintf(name, sizeof(name), "%s%s%zu", prefix, dot, i);
		if ((rc = put_rows(sheet, name, child, err)) != PH_OK)
			break;
	}
	return rc;
}

static enum ph_rc
report_rows(const struct ph_chart_query *q, struct ph_chart_sheet *sheet, struct ph_err *err)
{
	struct ph_json	*out = ph_json_new();
	cJSON		*root = NULL;
	char		*text = NULL;
	enum ph_rc	 rc;

	if (out == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the report");
	ph_json_set_time_style(out, (enum ph_time_style)q->args->values[PH_CHART_TIME].num);
	if ((rc = write_report(q, out, err)) != PH_OK || (rc = ph_json_finish(out, &text, err)) != PH_OK ||
	    (rc = ph_chart_columns(sheet, columns, C__MAX, err)) != PH_OK)
		goto out;
	rc = (root = cJSON_Parse(text)) != NULL ? put_rows(sheet, "", root, err) :
	    ph_fail(err, PH_ENOMEM, "not enough memory for the report");
out:
	cJSON_Delete(root);
	free(text);
	ph_json_free(out);
	return rc;
}

const struct ph_chart ph_chart_report = {
	.name = "report", .params = params, .nparams = PH_CHART_NPARAMS,
	.fields = ph_report_fields, .nfields = PH_REPORT_NFIELDS,
	.write = write_report, .rows = report_rows,
};
