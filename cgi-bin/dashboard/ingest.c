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

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "core/endpoint.h"
#include "domain/ingest.h"

/* The order of enum ph_ingest_type. */
static const char *const kinds[] = { "videos", "clips", "jobs", "campaigns", "accounts", "publications", NULL };
static const char *const modes[] = { "each", "all", NULL };
enum { MODE_EACH, MODE_ALL };

enum { P_KIND, P_MODE, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_KIND] = { .name = "kind", .type = PH_P_CHOICE, .in = PH_IN_PATH, .choices = kinds,
	    .text = "What the rows are." },
	[P_MODE] = { .name = "mode", .type = PH_P_CHOICE, .choices = modes,
	    .text = "each: a row that is wrong is refused, the others go in. all: all of them or none." },
};

static enum ph_rc
ingest_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char		*type = ph_req_env(req, "CONTENT_TYPE");
	struct ph_ingest	 in = {
		.kind = &ph_ingest_kinds[ph_req_int(req, P_KIND)],
		.is_ndjson = type != NULL && strncasecmp(type, "application/x-ndjson", 20) == 0,
		.is_all = ph_req_int(req, P_MODE) == MODE_ALL,
		.now_ms = ph_req_now_ms(req), .actor = ph_req_who(req)->user,
	};
	struct ph_ingest_counts	 n;
	char			 detail[160];
	enum ph_rc		 rc;

	in.text = ph_req_body(req, &in.len);
	if ((rc = ph_ingest(ph_req_db(req), &in, out, &n, err)) != PH_OK)
		return rc;
	snprintf(detail, sizeof(detail), "{\"created\":%" PRId64 ",\"updated\":%" PRId64 ",\"unchanged\":%" PRId64
	    ",\"refused\":%" PRId64 "}", n.created, n.updated, n.unchanged, n.refused);
	ph_req_audit(req, in.kind->name, detail);
	if (n.refused > 0)
		ph_req_status(req, 207);
	return PH_OK;
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
