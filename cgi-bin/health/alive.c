/*
 * alive.c -- GET /health
 *
 * {"status":"ok"}: nginx and one worker answer.  Touches neither database nor network.
 *
 * Where product analytics is used (DB_HOST is set), also how far its read model is, and "degraded" when that is old or not
 * whole.  The status is 200 all the same: a load balancer should not take the machine away for it.
 */
#include "autoconf.h"

#include "core/config.h"
#include "core/endpoint.h"
#include "core/log.h"
#include "core/number.h"
#include "domain/readmodel.h"

static const char *const statuses[] = { "ok", "degraded", NULL };
static const struct ph_field fields[] = {
	{ .name = "status", .type = PH_TEXT, .choices = statuses, .text = "degraded: a component is not ok." },
};

static const struct ph_field storage_fields[] = {
	{ .name = "status", .type = PH_TEXT },
	{ .name = "data_size_mb", .type = PH_DECIMAL, .places = 2 },
};
static const struct ph_field sync_fields[] = {
	{ .name = "status", .type = PH_TEXT },
	{ .name = "last_success_at", .type = PH_TEXT, .is_nullable = 1 },
	{ .name = "age_seconds", .is_nullable = 1 },
};

/* A model that cannot be read has no table that is there. */
static void
read_state(struct ph_req *req, struct ph_model_state *s)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db = ph_req_db(req);

	ph_model_state_init(s);
	if (ph_db_begin(db, &err) != PH_OK || ph_model_state_read(db, ph_req_now_ms(req), s, &err) != PH_OK) {
		ph_log("warn", "health-alive", "read model: %s %s", err.detail, err.internal);
		ph_model_state_init(s);
	}
	ph_db_end(db);
}

static void
write_components(const struct ph_model_state *s, int is_whole, struct ph_json *out)
{
	const struct ph_value storage[] = { ph_v_str("ok"), ph_v_real(ph_round((double)s->size_bytes / 1048576, 2)) };
	const struct ph_value sync[] = { ph_v_str(ph_model_statuses[s->status]), ph_v_known_text(s->last_success_at),
	    ph_v_known(s->age_s) };
	size_t i;

	ph_json_obj_open(out, "components");
	ph_json_obj_open(out, "read_model");
	ph_json_str(out, "status", is_whole ? "ok" : "error");
	ph_json_obj_open(out, "tables");
	for (i = 0; i < PH_MODEL_TABLES; i++)
		ph_json_bool(out, ph_model_tables[i], s->tables[i].is_done);
	ph_json_close(out);
	ph_json_close(out);
	ph_json_obj_open(out, "storage");
	ph_json_fields(out, storage_fields, storage, 2);
	ph_json_close(out);
	ph_json_obj_open(out, "sync");
	ph_json_fields(out, sync_fields, sync, 3);
	ph_json_close(out);
	ph_json_close(out);
}

static enum ph_rc
alive_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_model_state	s;
	int			is_whole = 1;
	size_t			i;

	(void)err;
	if (ph_config_str(PH_CFG_DB_HOST)[0] == '\0') {
		ph_json_str(out, "status", "ok");
		return PH_OK;
	}
	read_state(req, &s);
	for (i = 0; i < PH_MODEL_TABLES; i++)
		is_whole = is_whole && s.tables[i].is_done;
	ph_json_str(out, "status", statuses[!is_whole || s.status != PH_MODEL_OK]);
	write_components(&s, is_whole, out);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "health-alive", .path = "/health", .access = PH_ACCESS_PUBLIC, .needs = PH_NEED_MODEL,
	.ops[PH_GET] = {
		.summary = "Do nginx and one worker answer?",
		.description = "Where product analytics is used, components tells how far its read model is: read_model.tables, "
		    "which tables were once read to their end; storage.data_size_mb, the size of its file in MiB; sync.status, "
		    "last_success_at and age_seconds, stale after half an hour.",
		.fields = fields, .nfields = 1, .is_free = 1, .is_own_tx = 1, .handle = alive_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
