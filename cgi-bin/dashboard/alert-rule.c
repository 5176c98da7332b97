/*
 * alert-rule.c -- GET, PUT, DELETE /dashboard/alerts/rules/{id}
 *
 * One alert rule.  PUT changes the members that it is given and leaves the others.  A rule that is
 * switched off or deleted takes its open alert with it.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/alert-event.h"
#include "domain/alert-rule.h"

static const struct ph_param params[] = {
	{ .name = "id", .in = PH_IN_PATH, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_ID_SIZE - 1, .is_required = 1,
	    .text = "Of the rule." },
};

static enum ph_rc
rule_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_alert_rule	r;
	enum ph_rc		rc;

	if ((rc = ph_alert_rule_read(ph_req_db(req), ph_req_text(req, 0), &r, err)) != PH_OK)
		return rc;
	ph_req_version(req, r.version);
	return ph_alert_rule_write(ph_req_db(req), &r, out, err);
}

/* The rule is not evaluated any more: whoever heard that it fires hears that this is over. */
static enum ph_rc
silence(struct ph_db *db, struct ph_alert_rule *r, int64_t now_ms, struct ph_err *err)
{
	const int	is_firing = r->state == PH_ALERT_FIRING;
	enum ph_rc	rc = PH_OK;

	r->state = PH_ALERT_OK;
	r->since_at = r->snoozed_until = -1;
	r->clear_count = 0;
	if (is_firing)
		rc = ph_alert_event_resolve(db, r, now_ms, err);
	return rc == PH_OK ? ph_alert_rule_remember(db, r, err) : rc;
}

static enum ph_rc
rule_put(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_db		*db = ph_req_db(req);
	struct ph_alert_rule	 r;
	enum ph_rc		 rc;

	if ((rc = ph_alert_rule_read(db, ph_req_text(req, PH_RULE_ID), &r, err)) != PH_OK ||
	    (rc = ph_req_if_match(req, r.version, err)) != PH_OK ||
	    (rc = ph_alert_rule_take(&r, req, err)) != PH_OK)
		return rc;
	r.updated_at = ph_req_now_ms(req);
	if ((rc = ph_alert_rule_update(db, &r, err)) != PH_OK ||
	    (rc = ph_alert_rule_take_channels(db, &r, req, err)) != PH_OK ||
	    (!r.is_enabled && (rc = silence(db, &r, r.updated_at, err)) != PH_OK))
		return rc;
	ph_req_audit(req, r.id, NULL);
	ph_req_version(req, r.version);
	return ph_alert_rule_write(db, &r, out, err);
}

static const struct ph_field deleted_fields[] = {
	{ .name = "deleted", .type = PH_TEXT, .text = "Id of the rule." },
};

static enum ph_rc
rule_delete(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_db		*db = ph_req_db(req);
	struct ph_alert_rule	 r;
	enum ph_rc		 rc;

	if ((rc = ph_alert_rule_read(db, ph_req_text(req, 0), &r, err)) != PH_OK ||
	    (rc = ph_req_if_match(req, r.version, err)) != PH_OK)
		return rc;
	if (ph_alert_is_builtin(&r))
		return ph_fail(err, PH_ECONFLICT, "a built-in rule cannot be deleted; switch it off instead");
	if ((rc = silence(db, &r, ph_req_now_ms(req), err)) != PH_OK ||
	    (rc = ph_alert_rule_delete(db, r.id, err)) != PH_OK)
		return rc;
	ph_req_audit(req, r.id, NULL);
	ph_json_str(out, "deleted", r.id);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-alert-rule", .path = "/dashboard/alerts/rules/{id}",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "An alert rule", .params = params, .nparams = 1,
		.fields = ph_alert_rule_fields, .nfields = PH_ALERT_RULE_NFIELDS, .handle = rule_get,
	},
	.ops[PH_PUT] = {
		.scope = "alerts:write", .summary = "Change an alert rule",
		.description = "Members that are left out stay as they are. If-Match: \"version\" refuses to change "
		    "what somebody else has changed meanwhile.",
		.action = "alert_rule.update", .is_strict = 1,
		.params = ph_alert_rule_change_params, .nparams = PH_RULE_CHANGE_PARAMS,
		.fields = ph_alert_rule_fields, .nfields = PH_ALERT_RULE_NFIELDS, .handle = rule_put,
	},
	.ops[PH_DELETE] = {
		.scope = "alerts:write", .summary = "Delete an alert rule; its alerts stay",
		.action = "alert_rule.delete", .params = params, .nparams = 1, .fields = deleted_fields, .nfields = 1,
		.handle = rule_delete,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
