/*
 * health.c -- GET /dashboard/health
 *
 * Can the dashboard read its database?  Open to anybody, and without figures.  When it cannot,
 * the answer is the same problem that the statistics give: 503 and a code that says why.
 */
#include "autoconf.h"

#include "core/endpoint.h"

/* A real page of a real table: a constant would never touch the file. */
static const char sql_touch[] = "SELECT n FROM totals WHERE name = 'videos'";

static const char *const statuses[] = { "ok", NULL };

enum { F_STATUS, F_DATABASE, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = statuses, .text = "Always ok." },
	[F_DATABASE] = { .name = "database", .type = PH_TEXT, .choices = statuses,
	    .text = "Always ok; a database that cannot be read is a 503." },
};

static enum ph_rc
health_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const struct ph_value	v[F__MAX] = { [F_STATUS] = ph_v_str("ok"), [F_DATABASE] = ph_v_str("ok") };
	int64_t			n;
	enum ph_rc		rc;

	if ((rc = ph_db_one_int(ph_req_db(req), sql_touch, &n, err)) != PH_OK)
		return rc;
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-health", .path = "/dashboard/health", .access = PH_ACCESS_PUBLIC,
	.needs = PH_NEED_DB_READ,
	.ops[PH_GET] = {
		.summary = "Can the dashboard read its database?",
		.fields = fields, .nfields = F__MAX, .handle = health_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
