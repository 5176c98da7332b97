/*
 * evaluate.c -- POST /alerting/evaluate
 *
 * Evaluate the alert rules now, for older front ends; POST /dashboard/alerts/evaluate by another name.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/alert-event.h"

enum { F_SUCCESS, F_GENERATED, F_ALERTS, F__MAX };

static const struct ph_field fields[F__MAX] = {
	[F_SUCCESS] = { .name = "success", .type = PH_BOOL, .text = "Always true." },
	[F_GENERATED] = { .name = "alerts_generated", .text = "Rules that began to fire." },
	[F_ALERTS] = { .name = "alerts", .type = PH_ARRAY, .fields = ph_alert_event_fields,
	    .nfields = PH_ALERT_EVENT_NFIELDS, .text = "Their alerts." },
};

static enum ph_rc
evaluate_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_alert_outcome	o;
	enum ph_rc		rc;

	rc = ph_alerts_evaluate(ph_req_db(req), ph_req_now_ms(req), &o, err);
	const struct ph_value v[F_ALERTS] = { [F_SUCCESS] = ph_v_int(1), [F_GENERATED] = ph_v_int(o.fired) };
	if (rc == PH_OK) {
		ph_json_fields(out, fields, v, F_ALERTS);
		rc = ph_alert_outcome_write(ph_req_db(req), &o, out, err);
	}
	ph_alert_outcome_clear(&o);
	return rc;
}

static const struct ph_route route = {
	.name = "alerting-evaluate", .path = "/alerting/evaluate", .needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "alerts:write", .summary = "Evaluate the alert rules now, in the shape of the original",
		.action = "alert.evaluate", .fields = fields, .nfields = F__MAX, .handle = evaluate_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
