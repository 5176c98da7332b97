/*
 * alert-stats.c -- GET /dashboard/alerts/stats
 *
 * For the badge: unread alerts, firing ones by severity, and whether anybody follows them live.
 */
#include "autoconf.h"

#include "core/config.h"
#include "core/endpoint.h"
#include "domain/alert-event.h"
#include "domain/live.h"
#include "net/nchan.h"

/* A few rows of ix_alerts_open: one per firing rule. */
static const char sql_firing[] =
	"SELECT count(*) FILTER (WHERE severity = 'warning'), count(*) FILTER (WHERE severity = 'critical')"
	" FROM alert_events WHERE state = 'firing'";

enum { S_WARNING, S_CRITICAL, S__MAX };

static const struct ph_field firing_fields[S__MAX] = {
	[S_WARNING] = { .name = "warning", .text = "Firing alerts of severity warning." },
	[S_CRITICAL] = { .name = "critical", .text = "Firing alerts of severity critical." },
};

enum { F_UNREAD, F_FIRING, F_CONNECTIONS, F_HAS_SUBSCRIBERS, F__MAX };

static const struct ph_field fields[F__MAX] = {
	[F_UNREAD] = { .name = "unread_count", .text = "Alerts that nobody has marked as read." },
	[F_FIRING] = { .name = "firing", .type = PH_OBJECT, .fields = firing_fields, .nfields = S__MAX,
	    .text = "Alerts that are not over." },
	[F_CONNECTIONS] = { .name = "active_connections", .is_nullable = 1,
	    .text = "Clients of the live stream; null: not known." },
	[F_HAS_SUBSCRIBERS] = { .name = "has_subscribers", .type = PH_BOOL, .is_nullable = 1,
	    .text = "Whether there are any; null: not known." },
};

static enum ph_rc
write_firing(struct ph_db *db, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	 v[S__MAX] = { 0 };
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_firing, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		v[S_WARNING] = ph_v_int(ph_stmt_int(st, 0));
		v[S_CRITICAL] = ph_v_int(ph_stmt_int(st, 1));
	}
	ph_stmt_done(st);
	ph_json_obj_open(out, "firing");
	ph_json_fields(out, firing_fields, v, S__MAX);
	ph_json_close(out);
	return rc == PH_ROW ? PH_OK : rc;
}

/* Only our own nginx knows; behind another one, or by hand, nobody does. */
static void
ask_nginx(struct ph_value *connections, struct ph_value *has_subscribers)
{
	struct ph_err		 ignored = { .rc = PH_OK };
	struct ph_nchan_status	 s;
	struct ph_nchan		*nchan;
	char			 path[512];

	nchan = ph_nchan_new(ph_config_path(path, sizeof(path), PH_LIVE_SOCKET));
	*connections = *has_subscribers = ph_v_null();
	if (nchan != NULL && ph_nchan_status(nchan, &s, &ignored) == PH_OK) {
		*connections = ph_v_int(s.subscribers);
		*has_subscribers = ph_v_int(s.subscribers > 0);
	}
	ph_nchan_free(nchan);
}

static enum ph_rc
stats_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	v[F__MAX] = { 0 };
	int64_t		total, unread;
	enum ph_rc	rc;

	if ((rc = ph_alert_events_count(ph_req_db(req), &total, &unread, err)) != PH_OK)
		return rc;
	v[F_UNREAD] = ph_v_int(unread);
	ask_nginx(&v[F_CONNECTIONS], &v[F_HAS_SUBSCRIBERS]);
	ph_json_fields(out, fields, v, F_FIRING);
	rc = write_firing(ph_req_db(req), out, err);
	ph_json_fields(out, fields + F_CONNECTIONS, v + F_CONNECTIONS, F__MAX - F_CONNECTIONS);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-alert-stats", .path = "/dashboard/alerts/stats", .needs = PH_NEED_DB_READ, .cache_s = 1,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "How many alerts are unread and firing", .fields = fields,
		.nfields = F__MAX, .handle = stats_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
