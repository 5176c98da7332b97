/*
 * read-all.c -- POST /alerting/alerts/read-all
 *
 * Mark every alert as read, for older front ends; POST /dashboard/alerts/read-all by another name.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/endpoint.h"
#include "domain/alert-event.h"

enum { F_SUCCESS, F_MESSAGE, F__MAX };

static const struct ph_field fields[F__MAX] = {
	[F_SUCCESS] = { .name = "success", .type = PH_BOOL, .text = "Always true." },
	[F_MESSAGE] = { .name = "message", .type = PH_TEXT, .text = "How many there were." },
};

static enum ph_rc
read_all_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	char		message[64];
	int64_t		n;
	enum ph_rc	rc;

	if ((rc = ph_alert_events_read_all(ph_req_db(req), ph_req_now_ms(req), &n, err)) != PH_OK)
		return rc;
	snprintf(message, sizeof(message), "%" PRId64 " alerts marked as read", n);
	const struct ph_value v[F__MAX] = { [F_SUCCESS] = ph_v_int(1), [F_MESSAGE] = ph_v_str(message) };
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "alerting-read-all", .path = "/alerting/alerts/read-all", .needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "alerts:write", .summary = "Mark every alert as read, in the shape of the original",
		.action = "alert.read_all", .fields = fields, .nfields = F__MAX, .handle = read_all_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
