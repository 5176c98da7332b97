/*
 * check_number.c -- integers in, decimals out, just inside and outside each limit.
 */
#include "autoconf.h"

#include <limits.h>
#include <string.h>

#include "core/number.h"
#include "unit.h"

static const struct { const char *text; int64_t min, max; int rc; int64_t value; } ints[] = {
	{ "0", 0, 9, 0, 0 }, { "-0", 0, 9, 0, 0 }, { "9", 0, 9, 0, 9 }, { "10", 0, 9, -1, 0 },
	{ "-1", 0, 9, -1, 0 }, { "-720", -720, 840, 0, -720 }, { "-721", -720, 840, -1, 0 },
	{ "840", -720, 840, 0, 840 }, { "841", -720, 840, -1, 0 }, { "", 0, 9, -1, 0 },
	{ "-", -9, 9, -1, 0 }, { "+1", 0, 9, -1, 0 }, { " 1", 0, 9, -1, 0 }, { "1 ", 0, 9, -1, 0 },
	{ "1.0", 0, 9, -1, 0 }, { "0x1", 0, 9, -1, 0 }, { "1e3", 0, 9999, -1, 0 },
	{ "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
	{ "9223372036854775808", INT64_MIN, INT64_MAX, -1, 0 },
	{ "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
	{ "-9223372036854775809", INT64_MIN, INT64_MAX, -1, 0 },
	{ "00000000000000000000000000000000001", 0, 9, 0, 1 },
};

START_TEST(parse_int)
{
	int64_t	v = -77;
	int	rc = ph_parse_int(ints[_i].text, strlen(ints[_i].text), ints[_i].min, ints[_i].max, &v);

	ck_assert_int_eq(rc, ints[_i].rc);
	ck_assert_int_eq(v, rc == 0 ? ints[_i].value : -77);
}
END_TEST

/* By hand: num / den, rounded half away from zero. */
static const struct { int64_t num, den; int places; const char *text; } decimals[] = {
	{ 0, 1, 2, "0.0" }, { 3600000, 1000, 3, "3600.0" }, { 6749, 3, 2, "2249.67" },
	{ 3, 7, 4, "0.4286" }, { 1, 1, 1, "1.0" }, { 1, 8, 2, "0.13" }, { -1, 8, 2, "-0.13" },
	{ 1, 8, 3, "0.125" }, { 285, 1000, 2, "0.29" }, { -1, 100000, 2, "0.0" }, { 5, 1000, 2, "0.01" },
	{ 4, 1000, 2, "0.0" }, { 999995, 1000000, 5, "1.0" }, { 999994, 1000000, 5, "0.99999" },
	{ 22345, 100, 2, "223.45" }, { 429496729700, 100, 2, "4294967297.0" },
	{ INT64_MAX, 1, 2, "9223372036854775807.0" }, { INT64_MIN, 1, 2, "-9223372036854775808.0" },
	{ INT64_MAX, 100, 2, "92233720368547758.07" }, { 1, INT64_MAX, 6, "0.0" },
	{ 100, 1, 1, "100.0" }, { 2, 3, 1, "0.7" }, { 2, 3, 6, "0.666667" },
};

START_TEST(format_decimal)
{
	char buf[PH_DECIMAL_SIZE];

	ck_assert_str_eq(ph_decimal_format(buf, decimals[_i].num, decimals[_i].den, decimals[_i].places),
	    decimals[_i].text);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("number");
	TCase *tc = tcase_create("number");

	tcase_add_loop_test(tc, parse_int, 0, sizeof(ints) / sizeof(ints[0]));
	tcase_add_loop_test(tc, format_decimal, 0, sizeof(decimals) / sizeof(decimals[0]));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
