/*
 * alive.c -- GET /health
 *
 * {"status":"ok"}: nginx and one worker answer.  Touches neither database nor network.
 */
#include "autoconf.h"

#include "core/endpoint.h"

static const char *const statuses[] = { "ok", NULL };
static const struct ph_field fields[] = {
	{ .name = "status", .type = PH_TEXT, .choices = statuses, .text = "Always ok." },
};

static enum ph_rc
alive_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const struct ph_value v[] = { ph_v_str("ok") };

	(void)req;
	(void)err;
	ph_json_fields(out, fields, v, 1);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "health-alive", .path = "/health", .access = PH_ACCESS_PUBLIC,
	.ops[PH_GET] = {
		.summary = "Do nginx and one worker answer?",
		.fields = fields, .nfields = 1, .handle = alive_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
