/*
 * unread.c -- GET /alerting/alerts/unread
 *
 * The alerts that nobody has marked as read, the newest first, in the shape that older front ends know; GET
 * /dashboard/alerts is the list with filters and cursors.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/alert-event.h"

enum { LIMIT_MAX = 500, LIMIT = 50, OFFSET_MAX = 10000 };

enum { P_LIMIT, P_OFFSET, P__MAX };

static const struct ph_param params[P__MAX] = {
	[P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = LIMIT_MAX, .dflt = LIMIT,
	    .text = "How many at most." },
	[P_OFFSET] = { .name = "offset", .type = PH_P_INT, .max = OFFSET_MAX, .text = "How many newer ones to leave out." },
};

static const struct ph_field fields[] = {
	{ .name = "alerts", .type = PH_ARRAY, .fields = ph_alert_event_fields, .nfields = PH_ALERT_EVENT_NFIELDS,
	    .text = "The newest first." },
	{ .name = "total", .text = "Unread alerts in all." },
	{ .name = "unread_count", .text = "Unread alerts in all." },
};

static enum ph_rc
unread_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	int64_t		total, unread;
	enum ph_rc	rc;

	if ((rc = ph_alert_events_list(ph_req_db(req), 1, ph_req_int(req, P_LIMIT), ph_req_int(req, P_OFFSET),
	    "alerts", out, err)) != PH_OK ||
	    (rc = ph_alert_events_count(ph_req_db(req), &total, &unread, err)) != PH_OK)
		return rc;
	ph_json_int(out, "total", unread);
	ph_json_int(out, "unread_count", unread);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "alerting-unread", .path = "/alerting/alerts/unread", .needs = PH_NEED_DB_READ,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "Unread alerts, in the shape of the original", .params = params, .nparams = P__MAX,
		.fields = fields, .nfields = 3, .handle = unread_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
