/*
 * alert-read-all.c -- POST /dashboard/alerts/read-all
 *
 * Mark every alert as read.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/alert-event.h"

static const struct ph_field fields[] = {
	{ .name = "marked", .text = "Alerts that were unread." },
};

static enum ph_rc
read_all_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	int64_t		n;
	enum ph_rc	rc;

	if ((rc = ph_alert_events_read_all(ph_req_db(req), ph_req_now_ms(req), &n, err)) == PH_OK)
		ph_json_int(out, "marked", n);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-alert-read-all", .path = "/dashboard/alerts/read-all", .needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "alerts:write", .summary = "Mark every alert as read", .action = "alert.read_all",
		.is_strict = 1, .fields = fields, .nfields = 1, .handle = read_all_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
