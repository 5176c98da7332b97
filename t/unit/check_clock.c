/*
 * check_clock.c -- instants as text, and the clock that tests set.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/utf8.h"
#include "unit.h"

/* Computed with date -u -d @SECONDS. */
static const struct { int64_t ms; int is_naive; const char *text; } times[] = {
	{ 0, 0, "1970-01-01T00:00:00Z" }, { 1, 0, "1970-01-01T00:00:00.001Z" },
	{ 1763807400000, 0, "2025-11-22T10:30:00Z" }, { 1763807399999, 0, "2025-11-22T10:29:59.999Z" },
	{ 1763807400000, 1, "2025-11-22T10:30:00" }, { 1709164800000, 0, "2024-02-29T00:00:00Z" },
	{ 2147483648000, 0, "2038-01-19T03:14:08Z" }, { PH_TIME_MAX, 0, "9999-12-31T23:59:59.999Z" },
	{ -5, 0, "1970-01-01T00:00:00Z" }, { INT64_MAX, 0, "9999-12-31T23:59:59.999Z" },
};

START_TEST(format)
{
	char buf[PH_TIME_SIZE];

	ck_assert_str_eq(ph_time_format(buf, times[_i].ms, times[_i].is_naive), times[_i].text);
}
END_TEST

/* Computed with date -u -d TEXT +%s; -1: refused. */
static const struct { const char *text; int64_t ms; } instants[] = {
	{ "1970-01-01T00:00:00Z", 0 }, { "1970-01-01", 0 }, { "2025-11-22T10:30:00Z", 1763807400000 },
	{ "2025-11-22T11:30:00+01:00", 1763807400000 }, { "2025-11-22t05:00:00.5-05:30", 1763807400500 },
	{ "2025-11-22T10:30:00.123456Z", 1763807400123 }, { "2024-02-29", 1709164800000 },
	{ "2038-01-19T03:14:08Z", 2147483648000 }, { "9999-12-31T23:59:59.999Z", PH_TIME_MAX },
	{ "2000-02-29T00:00:00Z", 951782400000 }, { "2016-12-31T23:59:60Z", 1483228800000 },
	{ "0", 0 }, { "1763807400000", 1763807400000 }, { "-15m", 1000000000 - 900000 },
	{ "-24h", 1000000000 - 86400000 }, { "-7d", 1000000000 - 604800000 }, { "-90s", 1000000000 - 90000 },
	{ "-99999d", 0 },
	{ "", -1 }, { "-", -1 }, { "-1", -1 }, { "-m", -1 }, { "--1m", -1 }, { "-1w", -1 }, { "+1m", -1 },
	{ "2025-11-22T10:30:00", -1 }, { "2025-11-22T11:30:00 01:00", -1 }, { "2025-11-22 10:30:00Z", -1 },
	{ "2025-11-22T10:30Z", -1 }, { "2025-02-29", -1 }, { "1900-02-29", -1 }, { "2025-13-01", -1 }, { "2025-00-01", -1 },
	{ "2025-01-32", -1 }, { "2025-11-22T24:00:00Z", -1 }, { "2025-11-22T10:60:00Z", -1 },
	{ "2025-11-22T10:30:61Z", -1 }, { "2025-11-22T10:30:00.Z", -1 }, { "2025-11-22T10:30:00+0100", -1 },
	{ "2025-11-22T10:30:00+24:00", -1 }, { "1969-12-31", -1 }, { "253402300800000", -1 }, { "12.5", -1 },
	{ "2025-11-22T", -1 }, { "2025-11-22x", -1 }, { "2025-1-22", -1 }, { "9999-12-31T23:59:59-01:00", -1 },
};

START_TEST(parse)
{
	const char	*text = instants[_i].text;
	int64_t		 ms = -2;

	ck_assert_int_eq(ph_time_parse(text, strlen(text), 1000000000, &ms), instants[_i].ms < 0 ? -1 : 0);
	if (instants[_i].ms >= 0)
		ck_assert_int_eq(ms, instants[_i].ms);
}
END_TEST

/* By hand. */
static const struct { int64_t at_ms, width_ms, tz_offset_min, begin_ms; } spans[] = {
	{ 0, 60000, 0, 0 }, { 59999, 60000, 0, 0 }, { 60000, 60000, 0, 60000 }, { -1, 60000, 0, -60000 },
	{ 1763807400000, 3600000, 0, 1763805600000 },		/* 10:30 -> 10:00 */
	{ 1763807400000, 86400000, 0, 1763769600000 },		/* -> 00:00 */
	{ 1763807400000, 86400000, 330, 1763749800000 },	/* -> 18:30 the day before */
	{ 1763807400000, 86400000, -720, 1763726400000 },	/* -> 12:00 the day before */
	{ 1763807400000, 3600000, 330, 1763807400000 },		/* 16:00 there */
	{ 0, 86400000, 60, -3600000 }, { 0, 86400000, -60, -82800000 },
};

START_TEST(floor_to_span)
{
	ck_assert_int_eq(ph_time_floor(spans[_i].at_ms, spans[_i].width_ms, spans[_i].tz_offset_min),
	    spans[_i].begin_ms);
}
END_TEST

/* By the calendar. */
static const struct { const char *day, *next; } months[] = {
	{ "2025-01-01", "2025-02-01" }, { "2025-01-31", "2025-02-01" }, { "2025-02-28", "2025-03-01" },
	{ "2024-02-01", "2024-03-01" }, { "2024-02-29", "2024-03-01" }, { "2025-04-30", "2025-05-01" },
	{ "2025-07-31", "2025-08-01" }, { "2025-12-01", "2026-01-01" }, { "2025-12-31", "2026-01-01" },
	{ "1970-01-01", "1970-02-01" },
};

START_TEST(the_next_month)
{
	const int64_t	begin = ph_day_ms(months[_i].day);
	char		day[PH_DAY_SIZE];

	ck_assert_str_eq(ph_day_format(day, ph_month_next(begin)), months[_i].next);
	ck_assert_int_eq(ph_month_next(begin), ph_day_ms(months[_i].next));
	ck_assert_int_eq(ph_month_next(begin + PH_DAY_MS - 1), ph_day_ms(months[_i].next));
}
END_TEST

/* Each test runs in a process of its own, so the environment is its own too. */
START_TEST(the_clock_is_fixed_in_tests_only)
{
	setenv("PH_NOW_MS", "1763807400000", 1);
	unsetenv("PH_TEST");
	ck_assert_int_gt(ph_clock_now_ms("1763807400000"), 1763807400000);
}
END_TEST

START_TEST(the_clock_can_be_set)
{
	setenv("PH_TEST", "1", 1);
	setenv("PH_NOW_MS", "1763807400000", 1);
	ck_assert_int_eq(ph_clock_now_ms(NULL), 1763807400000);
	ck_assert_int_eq(ph_clock_now_ms("7"), 7);
	ck_assert_int_gt(ph_clock_now_ms("x"), 1763807400000);
}
END_TEST

static const struct { const char *s; size_t len; int is_valid; } utf8[] = {
	{ "", 0, 1 }, { "abc", 3, 1 }, { "a\0b", 3, 1 }, { "\xc3\xa9", 2, 1 }, { "\xe2\x82\xac", 3, 1 },
	{ "\xf0\x9f\x98\x80", 4, 1 }, { "\xf4\x8f\xbf\xbf", 4, 1 }, { "\xf4\x90\x80\x80", 4, 0 },
	{ "\xed\x9f\xbf", 3, 1 }, { "\xed\xa0\x80", 3, 0 }, { "\xc0\x80", 2, 0 }, { "\xc1\xbf", 2, 0 },
	{ "\xe0\x9f\xbf", 3, 0 }, { "\xf0\x8f\xbf\xbf", 4, 0 }, { "\xc3", 1, 0 }, { "\xe2\x82", 2, 0 },
	{ "\x80", 1, 0 }, { "\xff", 1, 0 }, { "\xf5\x80\x80\x80", 4, 0 },
};

START_TEST(utf8_validity)
{
	ck_assert_int_eq(ph_utf8_is_valid(utf8[_i].s, utf8[_i].len), utf8[_i].is_valid);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("clock");
	TCase *tc = tcase_create("clock");

	tcase_add_loop_test(tc, format, 0, sizeof(times) / sizeof(times[0]));
	tcase_add_loop_test(tc, parse, 0, sizeof(instants) / sizeof(instants[0]));
	tcase_add_loop_test(tc, floor_to_span, 0, (int)(sizeof(spans) / sizeof(spans[0])));
	tcase_add_loop_test(tc, the_next_month, 0, (int)(sizeof(months) / sizeof(months[0])));
	tcase_add_test(tc, the_clock_is_fixed_in_tests_only);
	tcase_add_test(tc, the_clock_can_be_set);
	tcase_add_loop_test(tc, utf8_validity, 0, sizeof(utf8) / sizeof(utf8[0]));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
