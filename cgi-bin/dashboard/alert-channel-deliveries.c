/*
 * alert-channel-deliveries.c -- GET /dashboard/alerts/channels/{id}/deliveries
 *
 * What was sent through a channel, and what came of each try; the newest first, kept for 30 days.
 */
#include "autoconf.h"

#include <stdio.h>

#include "core/endpoint.h"
#include "domain/alert-delivery.h"

enum { LIMIT_MAX = 500, LIMIT = 50 };

static const char sql_channel[] = "SELECT 1 FROM alert_channels WHERE id = $1";
static const char sql_before[] = "SELECT created_at FROM alert_deliveries WHERE id = $1 AND channel_id = $2";
/* ix_deliveries_channel, from ($4, $5) down; $2 NULL: of any status. */
static const char sql_deliveries[] =
	"SELECT " PH_DELIVERY_COLUMNS " FROM alert_deliveries AS d WHERE d.channel_id = $1"
	" AND (d.created_at, d.id) < ($4, $5) AND ($2 IS NULL OR d.status = $2)"
	" ORDER BY d.created_at DESC, d.id DESC LIMIT $3";

enum { P_ID, P_STATUS, P_LIMIT, P_BEFORE, P__MAX };

static const struct ph_param params[P__MAX] = {
	[P_ID] = { .name = "id", .in = PH_IN_PATH, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_ID_SIZE - 1,
	    .is_required = 1, .text = "Of the channel." },
	[P_STATUS] = { .name = "status", .type = PH_P_CHOICE, .choices = ph_delivery_statuses, .text = "Only these." },
	[P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = LIMIT_MAX, .dflt = LIMIT,
	    .text = "How many at most." },
	[P_BEFORE] = { .name = "before", .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_ID_SIZE - 1,
	    .text = "Only those older than this delivery: next_before of the page before." },
};

static const struct ph_field fields[] = {
	{ .name = "items", .type = PH_ARRAY, .fields = ph_delivery_fields, .nfields = PH_DELIVERY_NFIELDS,
	    .text = "The newest first." },
	{ .name = "limit", .text = "As asked." },
	{ .name = "next_before", .type = PH_TEXT, .is_nullable = 1,
	    .text = "For the next page; null: these are the last." },
};

static enum ph_rc
check_channel(struct ph_req *req, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql_channel, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_req_text(req, P_ID));
	rc = ph_stmt_step(st, err);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no such channel") : rc;
}

/* When the delivery was made that the page follows; the end of time for the first page. */
static enum ph_rc
find_before(struct ph_req *req, int64_t *at, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*at = INT64_MAX;
	if (!ph_req_has(req, P_BEFORE))
		return PH_OK;
	if ((rc = ph_db_prepare(ph_req_db(req), sql_before, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_req_text(req, P_BEFORE));
	ph_stmt_bind_text(st, 2, ph_req_text(req, P_ID));
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*at = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ?
	    ph_fail_param(err, "before", 6, "the channel has no such delivery any more") : rc;
}

static enum ph_rc
deliveries_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const int64_t	 limit = ph_req_int(req, P_LIMIT);
	char		 last[PH_ALERT_ID_SIZE] = "";
	int64_t		 before, n = 0;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = check_channel(req, err)) != PH_OK || (rc = find_before(req, &before, err)) != PH_OK ||
	    (rc = ph_db_prepare(ph_req_db(req), sql_deliveries, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_req_text(req, P_ID));
	ph_stmt_bind_text(st, 2, ph_req_has(req, P_STATUS) ? ph_delivery_statuses[ph_req_int(req, P_STATUS)] : NULL);
	ph_stmt_bind_int(st, 3, limit + 1);
	ph_stmt_bind_int(st, 4, before);
	ph_stmt_bind_text(st, 5, ph_req_has(req, P_BEFORE) ? ph_req_text(req, P_BEFORE) : "");
	ph_json_arr_open(out, "items");
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && n++ < limit) {
		ph_json_obj_open(out, NULL);
		ph_delivery_write(out, st);
		ph_json_close(out);
		snprintf(last, sizeof(last), "%s", ph_stmt_text(st, 0));
	}
	ph_stmt_done(st);
	ph_json_close(out);
	ph_json_int(out, "limit", limit);
	if (rc == PH_ROW)
		ph_json_str(out, "next_before", last);
	else
		ph_json_null(out, "next_before");
	return rc == PH_DONE || rc == PH_ROW ? PH_OK : rc;
}

static const struct ph_route route = {
	.name = "dashboard-alert-channel-deliveries", .path = "/dashboard/alerts/channels/{id}/deliveries",
	.needs = PH_NEED_DB_READ,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "What was sent through a channel", .params = params,
		.nparams = P__MAX, .fields = fields, .nfields = 3, .handle = deliveries_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
