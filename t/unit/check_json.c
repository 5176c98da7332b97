/*
 * check_json.c -- the writer and the field tables.
 */
#include "autoconf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/json.h"
#include "unit.h"

/* The text so far must be this; frees the writer. */
static void
expect(struct ph_json *j, const char *text)
{
	struct ph_err	err = { .rc = PH_OK };
	char		*out;

	ck_assert_int_eq(ph_json_finish(j, &out, &err), PH_OK);
	ck_assert_str_eq(out, text);
	free(out);
	ph_json_free(j);
}

START_TEST(empty_is_an_object)
{
	expect(ph_json_new(), "{}");
}
END_TEST

START_TEST(every_kind)
{
	struct ph_json *j = ph_json_new();

	ph_json_int(j, "i", INT64_MAX);
	ph_json_int(j, "m", INT64_MIN);
	ph_json_decimal(j, "d", 3600000, 1000, 3);
	ph_json_null(j, "n");
	ph_json_bool(j, "b", 1);
	ph_json_arr_open(j, "a");
	ph_json_str(j, NULL, "x");
	ph_json_obj_open(j, NULL);
	ph_json_time(j, "t", 1763807400000);
	ph_json_close(j);
	ph_json_close(j);
	expect(j, "{\"i\":9223372036854775807,\"m\":-9223372036854775808,\"d\":3600.0,\"n\":null,"
	    "\"b\":true,\"a\":[\"x\",{\"t\":\"2025-11-22T10:30:00Z\"}]}");
}
END_TEST

START_TEST(text_is_escaped_and_mended)
{
	struct ph_json *j = ph_json_new();

	ph_json_str(j, "a", "\"\\\n\x01");
	ph_json_str(j, "b", "\xc3\xa9\xff\xe2\x82");
	expect(j, "{\"a\":\"\\\"\\\\\\n\\u0001\",\"b\":\"\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}");
}
END_TEST

START_TEST(time_styles)
{
	struct ph_json *j = ph_json_new();

	ph_json_time(j, "utc", 1763807399999);
	ph_json_set_time_style(j, PH_TIME_NAIVE);
	ph_json_time(j, "naive", 0);
	ph_json_set_time_style(j, PH_TIME_MS);
	ph_json_time(j, "ms", 1763807399999);
	expect(j, "{\"utc\":\"2025-11-22T10:29:59.999Z\",\"naive\":\"1970-01-01T00:00:00\",\"ms\":1763807399999}");
}
END_TEST

enum { F_N, F_RATIO, F_AGE, F_EXTRA, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_N] = { .name = "n", .text = "Count." },
	[F_RATIO] = { .name = "ratio", .type = PH_DECIMAL, .places = 4, .text = "Ratio." },
	[F_AGE] = { .name = "age", .type = PH_DECIMAL, .places = 3, .is_nullable = 1, .unit = "s", .text = "Age." },
	[F_EXTRA] = { .name = "extra", .is_extended = 1, .text = "Extra." },
};

START_TEST(fields_base)
{
	const struct ph_value	v[F__MAX] = { ph_v_int(7), ph_v_ratio(3, 0), ph_v_ratio(3, 0) };
	struct ph_json		*j = ph_json_new();

	ph_json_fields(j, fields, v, F__MAX);
	expect(j, "{\"n\":7,\"ratio\":0.0,\"age\":null}");
}
END_TEST

START_TEST(fields_extended)
{
	const struct ph_value	v[F__MAX] = { ph_v_int(7), ph_v_ratio(3, 7), ph_v_null(), ph_v_int(1) };
	struct ph_json		*j = ph_json_new();

	ph_json_set_extended(j, 1);
	ph_json_fields(j, fields, v, F__MAX);
	expect(j, "{\"n\":7,\"ratio\":0.4286,\"age\":null,\"extra\":1}");
}
END_TEST

START_TEST(an_unset_field_is_our_mistake)
{
	const struct ph_value	 v[F__MAX] = { [F_N] = ph_v_int(1), [F_RATIO] = ph_v_ratio(1, 1) };
	struct ph_json		*j = ph_json_new();
	struct ph_err		 err = { .rc = PH_OK };
	char			*out;

	ph_json_fields(j, fields, v, F__MAX);
	ck_assert_int_eq(ph_json_finish(j, &out, &err), PH_EINTERNAL);
	ck_assert_ptr_null(out);
	ck_assert_ptr_nonnull(strstr(err.internal, "age"));
	ph_json_free(j);
}
END_TEST

START_TEST(schema_lists_required)
{
	cJSON	*s = ph_fields_schema(fields, F__MAX);
	char	*text = cJSON_PrintUnformatted(cJSON_GetObjectItem(s, "required"));

	ck_assert_str_eq(text, "[\"n\",\"ratio\",\"age\"]");
	free(text);
	cJSON_Delete(s);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("json");
	TCase *tc = tcase_create("json");

	tcase_add_test(tc, empty_is_an_object);
	tcase_add_test(tc, every_kind);
	tcase_add_test(tc, text_is_escaped_and_mended);
	tcase_add_test(tc, time_styles);
	tcase_add_test(tc, fields_base);
	tcase_add_test(tc, fields_extended);
	tcase_add_test(tc, an_unset_field_is_our_mistake);
	tcase_add_test(tc, schema_lists_required);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
