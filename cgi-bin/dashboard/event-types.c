/*
 * event-types.c -- GET /dashboard/stats/event-types
 *
 * What did the system do, how often?  Events of the ledger by type, for the bar of the orchestrator's
 * page: prefix=action. are the actions, prefix=publication. and job. the moves of the rows.
 */
#include "autoconf.h"

#include "core/clock.h"
#include "core/endpoint.h"

enum { TYPES_MAX = 500, DAYS_MAX = 400 };
#define HOUR_MS	INT64_C(3600000)
#define DAY_MS	INT64_C(86400000)

/*
 * From $1 to $4, where $2 to $3 are whole hours: these from their counters, what is cut at both ends
 * from ix_ledger_time.  $5: the beginning of the type.
 */
static const char sql_types[] =
	"SELECT event_type, sum(n) FROM ("
	" SELECT event_type, n FROM ledger_counts WHERE start_at >= $2 AND start_at < $3"
	" UNION ALL SELECT event_type, 1 FROM ledger_events WHERE timestamp >= $1 AND timestamp < $2"
	" UNION ALL SELECT event_type, 1 FROM ledger_events WHERE timestamp >= $3 AND timestamp < $4)"
	" WHERE substr(event_type, 1, length($5)) = $5 GROUP BY event_type ORDER BY 2 DESC, 1 LIMIT $6";

enum { P_FROM, P_TO, P_DAYS_BACK, P_PREFIX, P_TIME, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_FROM] = { .name = "from", .type = PH_P_INSTANT,
	    .text = "Only events of that instant or later, by default of the last 24 hours, at most of 400 days." },
	[P_TO] = { .name = "to", .type = PH_P_INSTANT, .text = "Only events before that instant." },
	[P_DAYS_BACK] = { .name = "days_back", .type = PH_P_INT, .min = 1, .max = DAYS_MAX, .unit = "days",
	    .text = "The same as from = now - days_back * 24 h; not together with from." },
	[P_PREFIX] = { .name = "prefix", .type = PH_P_TEXT, .min = 1, .max = 100,
	    .text = "Only types that begin with it, as action. or orchestrator." },
	[P_TIME] = PH_PARAM_TIME,
};

enum { T_EVENT_TYPE, T_COUNT, T__MAX };
static const struct ph_field type_fields[T__MAX] = {
	[T_EVENT_TYPE] = { .name = "event_type", .type = PH_TEXT, .text = "What happened." },
	[T_COUNT] = { .name = "count", .text = "How often." },
};
enum { F_FROM, F_TO, F_TYPES, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_FROM] = { .name = "from", .type = PH_TIME, .text = "Events of that instant or later are counted." },
	[F_TO] = { .name = "to", .type = PH_TIME, .text = "Events before that instant are counted." },
	[F_TYPES] = { .name = "types", .type = PH_ARRAY, .fields = type_fields, .nfields = T__MAX,
	    .text = "The 500 types with the most events, those first." },
};

static enum ph_rc
read_range(const struct ph_req *req, int64_t *from, int64_t *to, struct ph_err *err)
{
	const int64_t now = ph_req_now_ms(req);

	if (ph_req_has(req, P_FROM) && ph_req_has(req, P_DAYS_BACK))
		return ph_fail_param(err, "days_back", 9, "from is given, too");
	*to = ph_req_has(req, P_TO) ? ph_req_int(req, P_TO) : now + 1;
	*from = ph_req_has(req, P_FROM) ? ph_req_int(req, P_FROM) :
	    ph_req_has(req, P_DAYS_BACK) ? now - ph_req_int(req, P_DAYS_BACK) * DAY_MS :
	    ph_req_has(req, P_TO) ? *to - DAY_MS : now - DAY_MS;
	if (*from < 0)
		*from = 0;
	if (*from >= *to || *to - *from > DAYS_MAX * DAY_MS + 1)
		return ph_fail_param(err, "from", 4, "must be before to (now unless given), by 400 days at most");
	return PH_OK;
}

static enum ph_rc
event_types_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	 v[F__MAX] = { 0 }, type[T__MAX];
	int64_t		 from = 0, to = 0, first, last;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = read_range(req, &from, &to, err)) != PH_OK ||
	    (rc = ph_db_prepare(ph_req_db(req), sql_types, &st, err)) != PH_OK)
		return rc;
	first = ph_time_floor(from + HOUR_MS - 1, HOUR_MS, 0);
	last = ph_time_floor(to, HOUR_MS, 0);
	if (first > last)	/* all within one hour */
		first = last = to;
	ph_stmt_bind_int(st, 1, from);
	ph_stmt_bind_int(st, 2, first);
	ph_stmt_bind_int(st, 3, last);
	ph_stmt_bind_int(st, 4, to);
	ph_stmt_bind_text(st, 5, ph_req_has(req, P_PREFIX) ? ph_req_text(req, P_PREFIX) : "");
	ph_stmt_bind_int(st, 6, TYPES_MAX);
	v[F_FROM] = ph_v_int(from);
	v[F_TO] = ph_v_int(to);
	ph_json_fields(out, fields, v, F_TYPES);
	ph_json_arr_open(out, fields[F_TYPES].name);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		type[T_EVENT_TYPE] = ph_v_str(ph_stmt_text(st, T_EVENT_TYPE));
		type[T_COUNT] = ph_v_int(ph_stmt_int(st, T_COUNT));
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, type_fields, type, T__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static const struct ph_route route = {
	.name = "dashboard-event-types", .path = "/dashboard/stats/event-types",
	.needs = PH_NEED_DB_READ, .cache_s = 1,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "What did the system do, how often?",
		.description = "The events themselves: /dashboard/ledger?event_type=.",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX, .handle = event_types_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
