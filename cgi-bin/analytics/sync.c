/*
 * sync.c -- GET /analytics/sync
 *
 * How old the figures of product analytics are, and what stood in the way of newer ones.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "core/number.h"
#include "domain/product.h"

enum { T_NAME, T_DONE, T_CURSOR, T_ERROR, T__MAX };
static const struct ph_field table_fields[T__MAX] = {
	[T_NAME] = { .name = "name", .type = PH_TEXT, .text = "The table." },
	[T_DONE] = { .name = "initial_done", .type = PH_BOOL, .text = "It was once read to its end." },
	[T_CURSOR] = { .name = "cursor_id", .text = "The highest id that was seen; 0 where ids do not grow." },
	[T_ERROR] = { .name = "error", .type = PH_TEXT, .is_nullable = 1, .text = "Why the last run broke off here; null: it did not." },
};

enum { F_STATUS, F_SUCCESS, F_AGE, F_RUN, F_ERROR, F_DEMO, F_START, F_SIZE, F_TABLES, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = ph_model_statuses,
	    .text = "ok; stale: the last success is more than half an hour ago; never: there was none." },
	[F_SUCCESS] = { .name = "last_success_at", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The end of the last run without any error (RFC 3339, UTC)." },
	[F_AGE] = { .name = "age_seconds", .unit = "s", .is_nullable = 1, .text = "Since then." },
	[F_RUN] = { .name = "run_at", .type = PH_TEXT, .is_nullable = 1, .text = "The end of the last run." },
	[F_ERROR] = { .name = "run_error", .type = PH_TEXT, .is_nullable = 1, .text = "Why it failed; null: it did not." },
	[F_DEMO] = { .name = "is_demo", .type = PH_BOOL, .text = "The figures are a demonstration's." },
	[F_START] = { .name = "start_date", .type = PH_TEXT, .text = "The first day of the series." },
	[F_SIZE] = { .name = "data_size_mb", .type = PH_DECIMAL, .places = 2, .unit = "MiB", .text = "Size of the read model." },
	[F_TABLES] = { .name = "tables", .type = PH_ARRAY, .fields = table_fields, .nfields = T__MAX, .text = "In the order of copying." },
};

static enum ph_rc
sync_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_model_state	s;
	struct ph_product	p;
	char			day[PH_DAY_SIZE];
	enum ph_rc		rc;
	size_t			i;

	if ((rc = ph_product_open(&p, ph_req_db(req), ph_req_now_ms(req), err)) != PH_OK ||
	    (rc = ph_model_state_read(p.db, p.now_ms, &s, err)) != PH_OK)
		return rc;

	const struct ph_value v[F__MAX] = {
		[F_STATUS] = ph_v_str(ph_model_statuses[s.status]), [F_SUCCESS] = ph_v_known_text(s.last_success_at),
		[F_AGE] = ph_v_known(s.age_s), [F_RUN] = ph_v_known_text(s.run_at), [F_ERROR] = ph_v_known_text(s.run_error),
		[F_DEMO] = ph_v_int(s.is_demo != 0), [F_START] = ph_v_str(ph_day_text(day, p.start_day)),
		[F_SIZE] = ph_v_real(ph_round((double)s.size_bytes / 1048576, 2)),
	};

	ph_json_fields(out, fields, v, F_TABLES);
	ph_json_arr_open(out, "tables");
	for (i = 0; i < PH_MODEL_TABLES; i++) {
		const struct ph_value t[T__MAX] = {
			[T_NAME] = ph_v_str(ph_model_tables[i]), [T_DONE] = ph_v_int(s.tables[i].is_done),
			[T_CURSOR] = ph_v_int(s.tables[i].cursor_id), [T_ERROR] = ph_v_known_text(s.tables[i].error),
		};

		ph_json_obj_open(out, NULL);
		ph_json_fields(out, table_fields, t, T__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "analytics-sync", .path = PH_PRODUCT_PATH "sync", .needs = PH_NEED_DB_READ | PH_NEED_MODEL,
	.ops[PH_GET] = {
		.scope = PH_PRODUCT_SCOPE, .summary = "How old the figures of product analytics are",
		.fields = fields, .nfields = F__MAX, .handle = sync_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
