/*
 * ingest.c -- POST /dashboard/ingest/{kind}
 *
 * The door for the publishing system: what it made, queued, posted.  One object, a JSON array or
 * NDJSON; lib/domain/ingest.h says what becomes of a row, ingest-kinds.c which members it has.
 *
 * 200 every row is in; 207 some were refused, results says which and why.
 * 422 with mode=all: some row is wrong, errors names it, and nothing was written.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/ingest.h"

/* The order of enum ph_ingest_type. */
static const char *const kinds[] = { "videos", "clips", "jobs", "campaigns", "accounts", "publications", NULL };

enum { P_KIND, P_MODE, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_KIND] = { .name = "kind", .type = PH_P_CHOICE, .in = PH_IN_PATH, .choices = kinds,
	    .text = "What the rows are." },
	[P_MODE] = PH_PARAM_INGEST_MODE,
};

static enum ph_rc
ingest_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_ingest in = {
		.kind = &ph_ingest_kinds[ph_req_int(req, P_KIND)], .is_all = ph_req_int(req, P_MODE) == PH_INGEST_ALL,
	};

	return ph_ingest_request(req, &in, out, err);
}

static const struct ph_route route = {
	.name = "dashboard-ingest", .path = "/dashboard/ingest/{kind}", .needs = PH_NEED_DB_WRITE,
	.body_max = PH_INGEST_BODY_MAX,
	.ops[PH_POST] = {
		.scope = "dashboard:write", .summary = "Bring in what the publishing system has.",
		.description = "The body is one object, a JSON array of at most 1,000, or NDJSON "
		    "(application/x-ndjson, or found out). The members are the columns of the table, named in "
		    "pilothouse-api(7). A row whose id is there is changed by the members that are given; "
		    "its status moves by the life cycle. 207 if some rows were refused.",
		.params = params, .nparams = P__MAX, .fields = ph_ingest_fields, .nfields = PH_INGEST_NFIELDS,
		.is_raw = 1, .action = "ingest", .deadline_ms = 15000, .handle = ingest_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
