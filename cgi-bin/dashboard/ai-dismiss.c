/*
 * ai-dismiss.c -- POST /dashboard/ai/recommendations/{id}/dismiss
 *
 * Do not recommend this for a week.  Again is the same: the week counts from the first time.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/recommendation.h"

static const struct ph_param params[] = {
	{ .name = "id", .type = PH_P_TEXT, .in = PH_IN_PATH, .is_required = 1, .min = 1,
	    .max = PH_RECOMMENDATION_ID_SIZE - 1, .text = "Of the recommendation." },
};

enum { F_SUCCESS, F_ID, F_DISMISSED_UNTIL, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_SUCCESS] = { .name = "success", .type = PH_BOOL, .text = "Always true: what fails is a problem." },
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the recommendation." },
	[F_DISMISSED_UNTIL] = { .name = "dismissed_until", .type = PH_TIME,
	    .text = "When it may be made again." },
};

static enum ph_rc
dismiss_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char		*id = ph_req_text(req, 0);
	struct ph_value		 v[F__MAX];
	struct ph_analysis	 a;
	int64_t			 until;
	enum ph_rc		 rc;

	if ((rc = ph_analysis_read(&a, ph_req_db(req), ph_req_now_ms(req), err)) == PH_OK &&
	    (rc = ph_recommendation_dismiss(id, ph_req_who(req)->user, &a, ph_req_db(req), &until, err)) == PH_OK) {
		v[F_SUCCESS] = ph_v_int(1);
		v[F_ID] = ph_v_str(id);
		v[F_DISMISSED_UNTIL] = ph_v_int(until);
		ph_json_fields(out, fields, v, F__MAX);
		ph_req_audit(req, id, NULL);
	}
	ph_analysis_free(&a);
	return rc;
}

int
main(int argc, char **argv)
{
	const struct ph_route route = {
		.name = "dashboard-ai-dismiss", .path = "/dashboard/ai/recommendations/{id}/dismiss",
		.needs = PH_NEED_DB_WRITE,
		.ops[PH_POST] = {
			.scope = "actions:run", .summary = "Do not recommend this for a week",
			.params = params, .nparams = 1, .fields = fields, .nfields = F__MAX,
			.action = "recommendation.dismiss", .handle = dismiss_post,
		},
	};

	return ph_endpoint_main(&route, argc, argv);
}
