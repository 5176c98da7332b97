/*
 * alert-evaluate.c -- POST /dashboard/alerts/evaluate
 *
 * Evaluate the alert rules now, as job-alerts does each minute.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/alert-event.h"

enum { F_EVALUATED, F_FIRED, F_RESOLVED, F_UNREADABLE, F_ALERTS, F__MAX };

static const struct ph_field fields[F__MAX] = {
	[F_EVALUATED] = { .name = "evaluated", .text = "Rules that were evaluated: all that are enabled." },
	[F_FIRED] = { .name = "fired", .text = "Rules that began to fire." },
	[F_RESOLVED] = { .name = "resolved", .text = "Alerts that were resolved." },
	[F_UNREADABLE] = { .name = "unreadable",
	    .text = "Rules whose expression names a metric that this release does not have." },
	[F_ALERTS] = { .name = "alerts", .type = PH_ARRAY, .fields = ph_alert_event_fields,
	    .nfields = PH_ALERT_EVENT_NFIELDS, .text = "The alerts of the rules that began to fire." },
};

static enum ph_rc
evaluate_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_alert_outcome	o;
	enum ph_rc		rc;

	rc = ph_alerts_evaluate(ph_req_db(req), ph_req_now_ms(req), &o, err);
	const struct ph_value v[F_ALERTS] = {
		[F_EVALUATED] = ph_v_int(o.evaluated), [F_FIRED] = ph_v_int(o.fired),
		[F_RESOLVED] = ph_v_int(o.resolved), [F_UNREADABLE] = ph_v_int(o.unreadable),
	};
	if (rc == PH_OK) {
		ph_json_fields(out, fields, v, F_ALERTS);
		rc = ph_alert_outcome_write(ph_req_db(req), &o, out, err);
	}
	ph_alert_outcome_clear(&o);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-alert-evaluate", .path = "/dashboard/alerts/evaluate", .needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "alerts:write", .summary = "Evaluate the alert rules now", .action = "alert.evaluate",
		.is_strict = 1, .fields = fields, .nfields = F__MAX, .handle = evaluate_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
