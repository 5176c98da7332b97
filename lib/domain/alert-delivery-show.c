/*
 * alert-delivery-show.c -- the JSON of a delivery.
 */
#include "autoconf.h"

#include <cjson/cJSON.h>

#include "domain/alert-delivery-row.h"
#include "domain/alert-delivery.h"

enum { A_AT, A_STATUS, A_ERROR, A_DURATION, A__MAX };

static const struct ph_field attempt_fields[A__MAX] = {
	[A_AT] = { .name = "at", .type = PH_TIME, .text = "When the try began." },
	[A_STATUS] = { .name = "status", .is_nullable = 1, .text = "HTTP status; null: none came." },
	[A_ERROR] = { .name = "error", .type = PH_TEXT, .is_nullable = 1, .text = "Why it did not arrive." },
	[A_DURATION] = { .name = "duration_ms", .unit = "ms", .is_nullable = 1, .text = "How long the try took." },
};

enum {
	F_ID, F_ALERT_ID, F_KIND, F_STATUS, F_TRIES, F_CREATED_AT, F_NEXT_TRY_AT, F_FINISHED_AT, F_MERGED_INTO,
	F_ATTEMPTS, F_PAYLOAD, F__MAX
};
_Static_assert((int)F__MAX == (int)PH_DELIVERY_NFIELDS, "as the header says");

/* In the order of PH_DELIVERY_COLUMNS. */
const struct ph_field ph_delivery_fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the delivery; sent as X-Pilothouse-Delivery." },
	[F_ALERT_ID] = { .name = "alert_id", .type = PH_TEXT, .is_nullable = 1, .text = "Null for a test or a digest." },
	[F_KIND] = { .name = "kind", .type = PH_TEXT, .choices = ph_delivery_kinds, .text = "What it says." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = ph_delivery_statuses,
	    .text = "merged: into a digest; cancelled: it was over or snoozed, or the channel switched off, before it "
		"was sent." },
	[F_TRIES] = { .name = "tries", .text = "Tries that were begun, of 4 at most." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was queued." },
	[F_NEXT_TRY_AT] = { .name = "next_try_at", .type = PH_TIME, .is_nullable = 1, .text = "When it is tried next." },
	[F_FINISHED_AT] = { .name = "finished_at", .type = PH_TIME, .is_nullable = 1, .text = "When it left the queue." },
	[F_MERGED_INTO] = { .name = "merged_into", .type = PH_TEXT, .is_nullable = 1, .text = "Id of the digest." },
	[F_ATTEMPTS] = { .name = "attempts", .type = PH_ARRAY, .fields = attempt_fields, .nfields = A__MAX,
	    .text = "Each try that was begun." },
	[F_PAYLOAD] = { .name = "payload", .type = PH_ANY, .text = "What is sent." },
};

cJSON *
ph_delivery_attempts(const char *text)
{
	cJSON *list = cJSON_Parse(text);

	if (cJSON_IsArray(list))
		return list;
	cJSON_Delete(list);
	return cJSON_CreateArray();
}

static struct ph_value
v_int_or_null(const cJSON *v)
{
	return cJSON_IsNumber(v) ? ph_v_int((int64_t)v->valuedouble) : ph_v_null();
}

static void
write_attempts(struct ph_json *out, const char *text)
{
	cJSON		*list = ph_delivery_attempts(text);
	const cJSON	*item;

	ph_json_arr_open(out, "attempts");
	cJSON_ArrayForEach(item, list) {
		const struct ph_value v[A__MAX] = {
			[A_AT] = v_int_or_null(cJSON_GetObjectItem(item, "at")),
			[A_STATUS] = v_int_or_null(cJSON_GetObjectItem(item, "status")),
			[A_ERROR] = ph_v_str(cJSON_GetStringValue(cJSON_GetObjectItem(item, "error"))),
			[A_DURATION] = v_int_or_null(cJSON_GetObjectItem(item, "duration_ms")),
		};

		ph_json_obj_open(out, NULL);
		ph_json_fields(out, attempt_fields, v, A__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
	cJSON_Delete(list);
}

void
ph_delivery_write(struct ph_json *out, struct ph_stmt *st)
{
	struct ph_value	 v[F__MAX] = { 0 };
	cJSON		*payload = cJSON_Parse(ph_stmt_text(st, F_PAYLOAD));

	ph_v_columns(v, st, ph_delivery_fields, F_ATTEMPTS);
	ph_json_fields(out, ph_delivery_fields, v, F__MAX);
	write_attempts(out, ph_stmt_text(st, F_ATTEMPTS));
	ph_json_item(out, "payload", payload != NULL ? payload : cJSON_CreateNull());
}
