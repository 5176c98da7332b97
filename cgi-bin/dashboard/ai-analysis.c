/*
 * ai-analysis.c -- GET /dashboard/ai/history/{id}
 *
 * One analysis that was kept, whole.
 */
#include "autoconf.h"

#include <cjson/cJSON.h>

#include "core/endpoint.h"
#include "domain/analysis.h"

static const char sql[] =
	"SELECT id, created_at, score, status, has_critical, result FROM analyses WHERE id = $1";

static const struct ph_param params[] = {
	{ .name = "id", .type = PH_P_TEXT, .in = PH_IN_PATH, .is_required = 1, .min = 1, .max = 64,
	    .text = "Of the analysis." },
};

enum { F_ID, F_CREATED_AT, F_SCORE, F_STATUS, F_CRITICAL, F_ANALYSIS, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the analysis." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
	[F_SCORE] = { .name = "score", .type = PH_DECIMAL, .places = 4, .unit = "ratio 0 to 1",
	    .text = "Its publish_success_rate." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = ph_health_names,
	    .text = "The worst of its healths." },
	[F_CRITICAL] = { .name = "critical", .type = PH_BOOL, .text = "Has it a critical issue?" },
	[F_ANALYSIS] = { .name = "analysis", .type = PH_OBJECT, .fields = ph_analysis_fields,
	    .nfields = PH_ANALYSIS_NFIELDS, .text = "What GET /dashboard/ai/analyze said then." },
};

static enum ph_rc
analysis_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	 v[F__MAX] = { 0 };
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_req_text(req, 0));
	if ((rc = ph_stmt_step(st, err)) == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no such analysis");
	else if (rc == PH_ROW) {
		v[F_ID] = ph_v_str(ph_stmt_text(st, 0));
		v[F_CREATED_AT] = ph_v_int(ph_stmt_int(st, 1));
		v[F_SCORE] = ph_v_real(ph_stmt_double(st, 2));
		v[F_STATUS] = ph_v_str(ph_stmt_text(st, 3));
		v[F_CRITICAL] = ph_v_int(ph_stmt_int(st, 4));
		ph_json_fields(out, fields, v, F__MAX);
		ph_json_item(out, fields[F_ANALYSIS].name, cJSON_CreateRaw(ph_stmt_text(st, 5)));
		rc = PH_OK;
	}
	ph_stmt_done(st);
	return rc;
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-ai-analysis", .path = "/dashboard/ai/history/{id}",
		.needs = PH_NEED_DB_READ,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "One analysis that was kept",
			.params = params, .nparams = 1, .fields = fields, .nfields = F__MAX,
			.handle = analysis_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
