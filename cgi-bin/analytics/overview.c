/*
 * overview.c -- GET /
 *
 * Everything that the product's front end draws, in one answer (domain/product.h).  Between two runs of job-readmodel it
 * changes with the date only, so each worker keeps the last one it made: X-Cache says HIT when that was given again.
 *
 * A browser that comes to read a page is sent to the panel by nginx.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/endpoint.h"
#include "domain/product.h"

static const struct ph_field fields[] = {
	{ .name = "data", .type = PH_OBJECT, .fields = ph_overview_fields, .nfields = PH_OVERVIEW_NFIELDS,
	    .text = "The figures." },
	PH_PRODUCT_UPDATED,
};

/* The last data that was made, and what it was made of. */
static struct {
	char	 updated_at[PH_MODEL_TEXT_SIZE];
	int64_t	 today, start_day;
	char	*data;		/* JSON; NULL: none */
} kept;

static int
is_kept(const struct ph_product *p)
{
	return kept.data != NULL && p->updated_at[0] != '\0' && strcmp(kept.updated_at, p->updated_at) == 0 &&
	    kept.today == p->today && kept.start_day == p->start_day;
}

static enum ph_rc
make(const struct ph_product *p, struct ph_err *err)
{
	struct ph_json	*data = ph_json_new();
	char		*text = NULL;
	enum ph_rc	 rc;

	if (data == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the answer");
	if ((rc = ph_overview_write(p, data, err)) == PH_OK && (rc = ph_json_finish(data, &text, err)) == PH_OK) {
		free(kept.data);
		kept.data = text;
		memcpy(kept.updated_at, p->updated_at, sizeof(kept.updated_at));
		kept.today = p->today;
		kept.start_day = p->start_day;
	}
	ph_json_free(data);
	return rc;
}

static enum ph_rc
overview_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_product	p;
	enum ph_rc		rc;
	int			is_hit;

	if ((rc = ph_product_open(&p, ph_req_db(req), ph_req_now_ms(req), err)) != PH_OK)
		return rc;
	is_hit = is_kept(&p);
	if ((rc = ph_req_header(req, err, "X-Cache: %s", is_hit ? "HIT" : "MISS")) != PH_OK ||
	    (!is_hit && (rc = make(&p, err)) != PH_OK))
		return rc;
	ph_json_raw(out, "data", kept.data);
	if (p.updated_at[0] != '\0')
		ph_json_str(out, "data_updated_at", p.updated_at);
	else
		ph_json_null(out, "data_updated_at");
	return PH_OK;
}

static const struct ph_route route = {
	.name = "analytics-overview", .path = "/", .needs = PH_NEED_DB_READ | PH_NEED_MODEL, .page = "/panel/",
	.ops[PH_GET] = {
		.scope = PH_PRODUCT_SCOPE, .summary = "Product analytics: everything in one answer",
		.description = "A browser that navigates here, without a header Authorization, is sent to the panel instead.",
		.fields = fields, .nfields = 2, .is_unstored = 1, .handle = overview_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
