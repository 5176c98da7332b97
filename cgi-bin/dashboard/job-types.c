/*
 * job-types.c -- GET /dashboard/stats/job-types
 *
 * Which kinds of work wait, run and fail?
 */
#include "autoconf.h"

#include "core/endpoint.h"

/* A row per type, from its at most five counters. */
static const char sql_types[] =
	"SELECT job_type, sum(n),"
	" coalesce(sum(n) FILTER (WHERE status = 'pending'), 0),"
	" coalesce(sum(n) FILTER (WHERE status = 'processing'), 0),"
	" coalesce(sum(n) FILTER (WHERE status = 'retry'), 0),"
	" coalesce(sum(n) FILTER (WHERE status = 'completed'), 0),"
	" coalesce(sum(n) FILTER (WHERE status = 'failed'), 0)"
	" FROM job_type_counts WHERE n > 0 GROUP BY job_type ORDER BY 2 DESC, 1 LIMIT 500";

enum { T_JOB_TYPE, T_TOTAL, T_PENDING, T_PROCESSING, T_RETRY, T_COMPLETED, T_FAILED, T__MAX };
static const struct ph_field type_fields[T__MAX] = {
	[T_JOB_TYPE] = { .name = "job_type", .type = PH_TEXT, .text = "What such a job does." },
	[T_TOTAL] = { .name = "total", .text = "Jobs of the type, in any status." },
	[T_PENDING] = { .name = "pending", .text = "Those that nobody has begun." },
	[T_PROCESSING] = { .name = "processing", .text = "Those being worked on." },
	[T_RETRY] = { .name = "retry", .text = "Those that failed and will be tried again." },
	[T_COMPLETED] = { .name = "completed", .text = "Those that are done." },
	[T_FAILED] = { .name = "failed", .text = "Those that were given up." },
};
static const struct ph_field fields[] = {
	{ .name = "types", .type = PH_ARRAY, .fields = type_fields, .nfields = T__MAX,
	    .text = "The 500 types with the most jobs, those first." },
};

static enum ph_rc
job_types_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	 v[T__MAX];
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(ph_req_db(req), sql_types, &st, err)) != PH_OK)
		return rc;
	ph_json_arr_open(out, fields[0].name);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		v[T_JOB_TYPE] = ph_v_str(ph_stmt_text(st, T_JOB_TYPE));
		for (i = T_TOTAL; i < T__MAX; i++)
			v[i] = ph_v_int(ph_stmt_int(st, i));
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, type_fields, v, T__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static const struct ph_route route = {
	.name = "dashboard-job-types", .path = "/dashboard/stats/job-types",
	.needs = PH_NEED_DB_READ, .cache_s = 1,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "Which kinds of work wait, run and fail?",
		.description = "The jobs themselves: /dashboard/jobs?job_type=.",
		.fields = fields, .nfields = 1, .handle = job_types_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
