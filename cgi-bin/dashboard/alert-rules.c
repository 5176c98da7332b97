/*
 * alert-rules.c -- GET, POST /dashboard/alerts/rules
 *
 * The alert rules, built-in ones among them, and a new one.
 */
#include "autoconf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/endpoint.h"
#include "core/hash.h"
#include "domain/alert-rule.h"

static const char sql_count[] = "SELECT count(*) FROM alert_rules WHERE created_by <> 'builtin'";

static const struct ph_field list_fields[] = {
	{ .name = "items", .type = PH_ARRAY, .fields = ph_alert_rule_fields, .nfields = PH_ALERT_RULE_NFIELDS,
	    .text = "By alert_type, then falling severity." },
	{ .name = "total", .text = "How many there are." },
};

static enum ph_rc
rules_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_alert_rule	*rules;
	size_t			 n, i;
	enum ph_rc		 rc;

	if ((rc = ph_alert_rules_read(ph_req_db(req), 0, &rules, &n, err)) != PH_OK)
		return rc;
	ph_json_arr_open(out, "items");
	for (i = 0; i < n && rc == PH_OK; i++) {
		ph_json_obj_open(out, NULL);
		rc = ph_alert_rule_write(ph_req_db(req), &rules[i], out, err);
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_json_int(out, "total", (int64_t)n);
	free(rules);
	return rc;
}

static enum ph_rc
rules_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_alert_rule r = {
		.op = PH_ALERT_GT, .severity = PH_ALERT_WARNING, .clear_threshold = NAN, .is_enabled = 1,
		.cooldown_ms = ph_req_int(req, PH_RULE_COOLDOWN), .version = 1, .since_at = -1, .snoozed_until = -1,
		.value = NAN, .evaluated_at = -1, .created_at = ph_req_now_ms(req), .updated_at = ph_req_now_ms(req),
	};
	struct ph_db	*db = ph_req_db(req);
	int64_t		 n;
	enum ph_rc	 rc;

	ph_uuid(r.id);
	snprintf(r.alert_type, sizeof(r.alert_type), "%s", r.id);
	snprintf(r.created_by, sizeof(r.created_by), "%s", ph_req_who(req)->user);
	if ((rc = ph_alert_rule_take(&r, req, err)) != PH_OK ||
	    (rc = ph_db_one_int(db, sql_count, &n, err)) != PH_OK)
		return rc;
	if (n >= PH_ALERT_RULES_MAX)
		return ph_fail(err, PH_ELIMIT, "there are %d rules already", PH_ALERT_RULES_MAX);
	if ((rc = ph_alert_rule_insert(db, &r, err)) != PH_OK ||
	    (rc = ph_alert_rule_take_channels(db, &r, req, err)) != PH_OK)
		return rc;
	ph_req_audit(req, r.id, NULL);
	ph_req_version(req, r.version);
	return ph_alert_rule_write(db, &r, out, err);
}

static const struct ph_route route = {
	.name = "dashboard-alert-rules", .path = "/dashboard/alerts/rules",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "Alert rules", .fields = list_fields, .nfields = 2,
		.handle = rules_get,
	},
	.ops[PH_POST] = {
		.scope = "alerts:write", .summary = "A new alert rule", .action = "alert_rule.create", .status = 201,
		.is_strict = 1, .params = ph_alert_rule_new_params, .nparams = PH_RULE_NEW_PARAMS,
		.fields = ph_alert_rule_fields, .nfields = PH_ALERT_RULE_NFIELDS, .handle = rules_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
