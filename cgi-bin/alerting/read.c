/*
 * read.c -- POST /alerting/alerts/{id}/read
 *
 * Mark an alert as read, for older front ends: an unknown id is no failure to them, but a 200 that says
 * so.  POST /dashboard/alerts/{id}/read answers 404.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/alert-event.h"

static const struct ph_param params[] = {
	{ .name = "id", .in = PH_IN_PATH, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_ID_SIZE - 1, .is_required = 1,
	    .text = "Of the alert." },
};

enum { F_SUCCESS, F_MESSAGE, F__MAX };

static const struct ph_field fields[F__MAX] = {
	[F_SUCCESS] = { .name = "success", .type = PH_BOOL, .text = "Whether there is such an alert." },
	[F_MESSAGE] = { .name = "message", .type = PH_TEXT, .text = "The same for people." },
};

static enum ph_rc
read_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	enum ph_rc rc = ph_alert_event_read(ph_req_db(req), ph_req_text(req, 0), ph_req_now_ms(req), err);

	if (rc != PH_OK && rc != PH_ENOTFOUND)
		return rc;
	const struct ph_value v[F__MAX] = {
		[F_SUCCESS] = ph_v_int(rc == PH_OK),
		[F_MESSAGE] = ph_v_str(rc == PH_OK ? "Alert marked as read" : "Alert not found"),
	};
	ph_json_fields(out, fields, v, F__MAX);
	ph_req_audit(req, ph_req_text(req, 0), NULL);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "alerting-read", .path = "/alerting/alerts/{id}/read", .needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "alerts:write", .summary = "Mark an alert as read, in the shape of the original",
		.action = "alert.mark", .params = params, .nparams = 1, .fields = fields, .nfields = F__MAX,
		.handle = read_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
