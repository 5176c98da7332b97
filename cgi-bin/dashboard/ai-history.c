/*
 * ai-history.c -- GET /dashboard/ai/history
 *
 * The analyses that were kept, the newest first.  One an hour and at most one a minute are kept,
 * for 400 days.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/analysis.h"

/* A walk of ix_analyses_created from its newest end.  A score is compared as it is shown. */
#define MATCHING " FROM analyses WHERE created_at >= $1 AND created_at < $2" \
	" AND ($3 OR (round(score, 4) >= $4 AND round(score, 4) <= $5))" \
	" AND ($6 IS NULL OR status = $6) AND ($7 = 0 OR has_critical)"
static const char sql_items[] =
	"SELECT id, created_at, score, status, has_critical,"
	" CASE WHEN json_valid(result) THEN json_array_length(result, '$.issues_detected') END" MATCHING
	" ORDER BY created_at DESC, id DESC LIMIT $8 OFFSET $9";
static const char sql_total[] = "SELECT count(*)" MATCHING;

enum { LIMIT = 20, LIMIT_MAX = 100, OFFSET_MAX = 10000 };

enum { P_LIMIT, P_OFFSET, P_MIN_SCORE, P_MAX_SCORE, P_STATUS, P_CRITICAL, P_FROM_DATE, P_TO_DATE, P_TIME, P__MAX };
static const char *const critical[] = { "false", "true", NULL };
static const struct ph_param params[P__MAX] = {
	[P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = LIMIT_MAX, .dflt = LIMIT,
	    .unit = "analyses", .text = "At most so many." },
	[P_OFFSET] = { .name = "offset", .type = PH_P_INT, .max = OFFSET_MAX, .unit = "analyses",
	    .text = "Leave out so many." },
	[P_MIN_SCORE] = { .name = "min_score", .type = PH_P_NUMBER, .max = 1, .text = "Only with this score or more." },
	[P_MAX_SCORE] = { .name = "max_score", .type = PH_P_NUMBER, .max = 1, .text = "Only with this score or less." },
	[P_STATUS] = { .name = "status", .type = PH_P_CHOICE, .choices = ph_health_names, .dflt = -1,
	    .text = "Only with this status." },
	[P_CRITICAL] = { .name = "critical", .type = PH_P_CHOICE, .choices = critical,
	    .text = "true: only those with a critical issue." },
	[P_FROM_DATE] = { .name = "from_date", .type = PH_P_INSTANT, .text = "Only those of that instant or later." },
	[P_TO_DATE] = { .name = "to_date", .type = PH_P_INSTANT, .text = "Only those before that instant." },
	[P_TIME] = PH_PARAM_TIME,
};

enum { I_ID, I_CREATED_AT, I_SCORE, I_STATUS, I_CRITICAL, I_ISSUES, I__MAX };
static const struct ph_field item_fields[I__MAX] = {
	[I_ID] = { .name = "id", .type = PH_TEXT, .text = "For GET /dashboard/ai/history/{id}." },
	[I_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
	[I_SCORE] = { .name = "score", .type = PH_DECIMAL, .places = 4, .unit = "ratio 0 to 1",
	    .text = "Its publish_success_rate." },
	[I_STATUS] = { .name = "status", .type = PH_TEXT, .choices = ph_health_names,
	    .text = "The worst of its healths." },
	[I_CRITICAL] = { .name = "critical", .type = PH_BOOL, .text = "Has it a critical issue?" },
	[I_ISSUES] = { .name = "issues", .is_nullable = 1, .text = "Issues it detected; null if it is not readable." },
};

enum { F_ITEMS, F_LIMIT, F_OFFSET, F_TOTAL, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_ITEMS] = { .name = "items", .type = PH_ARRAY, .fields = item_fields, .nfields = I__MAX,
	    .text = "The newest first." },
	[F_LIMIT] = { .name = "limit", .text = "At most so many items." },
	[F_OFFSET] = { .name = "offset", .text = "So many were left out." },
	[F_TOTAL] = { .name = "total", .text = "Analyses that match." },
};

static enum ph_rc
prepare(struct ph_req *req, const char *sql, struct ph_stmt **st, struct ph_err *err)
{
	const int	has_score = ph_req_has(req, P_MIN_SCORE) || ph_req_has(req, P_MAX_SCORE);
	enum ph_rc	rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql, st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(*st, 1, ph_req_has(req, P_FROM_DATE) ? ph_req_int(req, P_FROM_DATE) : INT64_MIN);
	ph_stmt_bind_int(*st, 2, ph_req_has(req, P_TO_DATE) ? ph_req_int(req, P_TO_DATE) : INT64_MAX);
	ph_stmt_bind_int(*st, 3, !has_score);
	ph_stmt_bind_double(*st, 4, ph_req_real(req, P_MIN_SCORE));
	ph_stmt_bind_double(*st, 5, ph_req_has(req, P_MAX_SCORE) ? ph_req_real(req, P_MAX_SCORE) : 1);
	ph_stmt_bind_text(*st, 6, ph_req_has(req, P_STATUS) ? ph_health_names[ph_req_int(req, P_STATUS)] : NULL);
	ph_stmt_bind_int(*st, 7, ph_req_int(req, P_CRITICAL));
	return PH_OK;
}

static enum ph_rc
check(const struct ph_req *req, struct ph_err *err)
{
	if (ph_req_has(req, P_FROM_DATE) && ph_req_has(req, P_TO_DATE) &&
	    ph_req_int(req, P_FROM_DATE) >= ph_req_int(req, P_TO_DATE))
		return ph_fail_param(err, "from_date", 9, "must be before to_date");
	if (ph_req_has(req, P_MIN_SCORE) && ph_req_has(req, P_MAX_SCORE) &&
	    ph_req_real(req, P_MIN_SCORE) > ph_req_real(req, P_MAX_SCORE))
		return ph_fail_param(err, "min_score", 9, "must not be more than max_score");
	return PH_OK;
}

static enum ph_rc
write_items(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	 v[I__MAX];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = prepare(req, sql_items, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 8, ph_req_int(req, P_LIMIT));
	ph_stmt_bind_int(st, 9, ph_req_int(req, P_OFFSET));
	ph_json_arr_open(out, fields[F_ITEMS].name);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		v[I_ID] = ph_v_str(ph_stmt_text(st, 0));
		v[I_CREATED_AT] = ph_v_int(ph_stmt_int(st, 1));
		v[I_SCORE] = ph_v_real(ph_stmt_double(st, 2));
		v[I_STATUS] = ph_v_str(ph_stmt_text(st, 3));
		v[I_CRITICAL] = ph_v_int(ph_stmt_int(st, 4));
		v[I_ISSUES] = ph_stmt_is_null(st, 5) ? ph_v_null() : ph_v_int(ph_stmt_int(st, 5));
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, item_fields, v, I__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
history_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	 v[F__MAX] = { 0 };
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = check(req, err)) != PH_OK || (rc = write_items(req, out, err)) != PH_OK ||
	    (rc = prepare(req, sql_total, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		v[F_TOTAL] = ph_v_int(ph_stmt_int(st, 0));
	ph_stmt_done(st);
	if (rc != PH_ROW)
		return rc;
	v[F_LIMIT] = ph_v_int(ph_req_int(req, P_LIMIT));
	v[F_OFFSET] = ph_v_int(ph_req_int(req, P_OFFSET));
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-ai-history", .path = "/dashboard/ai/history",
		.needs = PH_NEED_DB_READ,
		.ops[PH_GET] = {
			.scope = "dashboard:read", .summary = "The analyses that were kept, the newest first",
			.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX,
			.handle = history_get,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
