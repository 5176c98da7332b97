/*
 * alert-channel-test.c -- POST /dashboard/alerts/channels/{id}/test
 *
 * Send a harmless message through a channel, also one that is switched off.  It takes the same way
 * as an alert, so the answer does not wait for the receiver: GET
 * /dashboard/alerts/channels/{id}/deliveries shows a second later what came of it.
 */
#include "autoconf.h"

#include <string.h>

#include "core/endpoint.h"
#include "domain/alert-delivery.h"

static const char sql_delivery[] = "SELECT " PH_DELIVERY_COLUMNS " FROM alert_deliveries AS d WHERE d.id = $1";

static const struct ph_param params[] = {
	{ .name = "id", .in = PH_IN_PATH, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_ID_SIZE - 1, .is_required = 1,
	    .text = "Of the channel." },
};

static enum ph_rc
test_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_db		*db = ph_req_db(req);
	struct ph_alert_channel	 c;
	struct ph_stmt		*st;
	char			 id[PH_ALERT_ID_SIZE];
	enum ph_rc		 rc;

	rc = ph_channel_read(db, ph_req_text(req, 0), &c, err);
	explicit_bzero(c.secret, sizeof(c.secret));
	if (rc != PH_OK ||
	    (rc = ph_delivery_test(db, &c, ph_req_who(req)->user, ph_req_now_ms(req), id, err)) != PH_OK ||
	    (rc = ph_db_prepare(db, sql_delivery, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		ph_delivery_write(out, st);
	ph_stmt_done(st);
	ph_req_audit(req, c.id, NULL);
	return rc == PH_ROW ? PH_OK : rc;
}

static const struct ph_route route = {
	.name = "dashboard-alert-channel-test", .path = "/dashboard/alerts/channels/{id}/test",
	.needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "alerts:write", .summary = "Send a test through a channel",
		.description = "Queued like an alert; the channel's deliveries show what came of it.",
		.action = "alert_channel.test", .status = 202, .params = params, .nparams = 1,
		.fields = ph_delivery_fields, .nfields = PH_DELIVERY_NFIELDS, .handle = test_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
