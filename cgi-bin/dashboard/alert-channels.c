/*
 * alert-channels.c -- GET, POST /dashboard/alerts/channels
 *
 * Where alerts are sent, and a new such place.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/hash.h"
#include "domain/alert-channel.h"

static const char sql_ids[] = "SELECT id FROM alert_channels ORDER BY created_at, id";
static const char sql_count[] = "SELECT count(*) FROM alert_channels";

static const struct ph_field list_fields[] = {
	{ .name = "items", .type = PH_ARRAY, .fields = ph_channel_fields, .nfields = PH_CHANNEL_NFIELDS,
	    .text = "In the order in which they were made." },
	{ .name = "total", .text = "How many there are." },
};

static enum ph_rc
channels_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_alert_channel	 c;
	struct ph_stmt		*st;
	int64_t			 n = 0;
	enum ph_rc		 rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql_ids, &st, err)) != PH_OK)
		return rc;
	ph_json_arr_open(out, "items");
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((rc = ph_channel_read(ph_req_db(req), ph_stmt_text(st, 0), &c, err)) != PH_OK)
			break;
		n++;
		ph_json_obj_open(out, NULL);
		ph_channel_write(&c, out);
		ph_json_close(out);
	}
	ph_stmt_done(st);
	explicit_bzero(c.secret, sizeof(c.secret));
	ph_json_close(out);
	ph_json_int(out, "total", n);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
channels_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_alert_channel c = {
		.kind = (enum ph_channel_kind)ph_req_int(req, PH_CHANNEL_KIND), .is_enabled = 1, .version = 1,
		.created_at = ph_req_now_ms(req), .updated_at = ph_req_now_ms(req),
	};
	int64_t		n;
	enum ph_rc	rc;

	ph_uuid(c.id);
	snprintf(c.created_by, sizeof(c.created_by), "%s", ph_req_who(req)->user);
	if ((rc = ph_channel_take(&c, req, err)) != PH_OK ||
	    (rc = ph_db_one_int(ph_req_db(req), sql_count, &n, err)) != PH_OK)
		goto out;
	if (n >= PH_CHANNELS_MAX) {
		rc = ph_fail(err, PH_ELIMIT, "there are %d channels already", PH_CHANNELS_MAX);
		goto out;
	}
	if ((rc = ph_channel_insert(ph_req_db(req), &c, err)) != PH_OK)
		goto out;
	ph_req_audit(req, c.id, NULL);
	ph_req_version(req, c.version);
	ph_channel_write(&c, out);
out:
	explicit_bzero(c.secret, sizeof(c.secret));
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-alert-channels", .path = "/dashboard/alerts/channels",
	.needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "Where alerts are sent", .fields = list_fields, .nfields = 2,
		.handle = channels_get,
	},
	.ops[PH_POST] = {
		.scope = "alerts:write", .summary = "A new channel for alerts", .action = "alert_channel.create",
		.status = 201, .is_strict = 1, .params = ph_channel_new_params, .nparams = PH_CHANNEL_NEW_PARAMS,
		.fields = ph_channel_fields, .nfields = PH_CHANNEL_NFIELDS, .handle = channels_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
