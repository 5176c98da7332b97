/*
 * alert-channel.c -- GET, PUT, DELETE /dashboard/alerts/channels/{id}
 *
 * One channel.  PUT changes the members that it is given and leaves the others.  What waits for a
 * channel that is switched off or deleted is not sent.
 */
#include "autoconf.h"

#include <string.h>

#include "core/endpoint.h"
#include "domain/alert-channel.h"
#include "domain/alert-delivery.h"

static const char sql_delete[] = "DELETE FROM alert_channels WHERE id = $1";

static const struct ph_param params[] = {
	{ .name = "id", .in = PH_IN_PATH, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_ID_SIZE - 1, .is_required = 1,
	    .text = "Of the channel." },
};

static enum ph_rc
channel_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_alert_channel	c;
	enum ph_rc		rc;

	if ((rc = ph_channel_read(ph_req_db(req), ph_req_text(req, 0), &c, err)) == PH_OK) {
		ph_req_version(req, c.version);
		ph_channel_write(&c, out);
	}
	explicit_bzero(c.secret, sizeof(c.secret));
	return rc;
}

static enum ph_rc
channel_put(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_db		*db = ph_req_db(req);
	struct ph_alert_channel	 c;
	enum ph_rc		 rc;

	if ((rc = ph_channel_read(db, ph_req_text(req, PH_CHANNEL_ID), &c, err)) != PH_OK ||
	    (rc = ph_req_if_match(req, c.version, err)) != PH_OK ||
	    (rc = ph_channel_take(&c, req, err)) != PH_OK)
		goto out;
	c.updated_at = ph_req_now_ms(req);
	if ((rc = ph_channel_update(db, &c, err)) != PH_OK ||
	    (!c.is_enabled && (rc = ph_deliveries_cancel(db, c.id, c.updated_at, err)) != PH_OK))
		goto out;
	ph_req_audit(req, c.id, NULL);
	ph_req_version(req, c.version);
	ph_channel_write(&c, out);
out:
	explicit_bzero(c.secret, sizeof(c.secret));
	return rc;
}

static const struct ph_field deleted_fields[] = {
	{ .name = "deleted", .type = PH_TEXT, .text = "Id of the channel." },
};

static enum ph_rc
channel_delete(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_alert_channel	 c;
	struct ph_stmt		*st;
	enum ph_rc		 rc;

	rc = ph_channel_read(ph_req_db(req), ph_req_text(req, 0), &c, err);
	explicit_bzero(c.secret, sizeof(c.secret));
	if (rc != PH_OK || (rc = ph_req_if_match(req, c.version, err)) != PH_OK ||
	    (rc = ph_db_prepare(ph_req_db(req), sql_delete, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, c.id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	ph_req_audit(req, c.id, NULL);
	ph_json_str(out, "deleted", c.id);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-alert-channel", .path = "/dashboard/alerts/channels/{id}",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "A channel for alerts", .params = params, .nparams = 1,
		.fields = ph_channel_fields, .nfields = PH_CHANNEL_NFIELDS, .handle = channel_get,
	},
	.ops[PH_PUT] = {
		.scope = "alerts:write", .summary = "Change a channel for alerts",
		.description = "Members that are left out stay as they are. If-Match: \"version\" refuses to change "
		    "what somebody else has changed meanwhile.",
		.action = "alert_channel.update", .is_strict = 1,
		.params = ph_channel_change_params, .nparams = PH_CHANNEL_CHANGE_PARAMS,
		.fields = ph_channel_fields, .nfields = PH_CHANNEL_NFIELDS, .handle = channel_put,
	},
	.ops[PH_DELETE] = {
		.scope = "alerts:write", .summary = "Delete a channel for alerts, with its deliveries",
		.action = "alert_channel.delete", .params = params, .nparams = 1, .fields = deleted_fields, .nfields = 1,
		.handle = channel_delete,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
