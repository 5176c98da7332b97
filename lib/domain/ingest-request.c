/*
 * ingest-request.c -- a batch as the body of a request: ph_ingest_request() of ingest.h.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "core/endpoint.h"
#include "domain/ingest.h"

#define NDJSON "application/x-ndjson"

const char *const ph_ingest_modes[] = { [PH_INGEST_EACH] = "each", [PH_INGEST_ALL] = "all", NULL };

enum ph_rc
ph_ingest_request(struct ph_req *req, struct ph_ingest *in, struct ph_json *out, struct ph_err *err)
{
	const char		*type = ph_req_env(req, "CONTENT_TYPE");
	struct ph_ingest_counts	 n;
	char			 detail[160];
	enum ph_rc		 rc;

	in->text = ph_req_body(req, &in->len);
	in->is_ndjson = type != NULL && strncasecmp(type, NDJSON, sizeof(NDJSON) - 1) == 0;
	in->now_ms = ph_req_now_ms(req);
	in->actor = ph_req_who(req)->user;
	if ((rc = ph_ingest(ph_req_db(req), in, out, &n, err)) != PH_OK)
		return rc;
	snprintf(detail, sizeof(detail), "{\"created\":%" PRId64 ",\"updated\":%" PRId64 ",\"unchanged\":%" PRId64
	    ",\"refused\":%" PRId64 "}", n.created, n.updated, n.unchanged, n.refused);
	ph_req_audit(req, in->kind->name, detail);
	if (n.refused > 0)
		ph_req_status(req, 207);
	return PH_OK;
}
