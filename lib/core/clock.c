/*
 * clock.c -- wall time, monotonic time, and how an instant is written.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/number.h"

int64_t
ph_clock_now_ms(const char *fixed)
{
	static int	 is_test = -1;
	struct timespec	 ts;
	int64_t		 ms;
	const char	*s;

	if (is_test < 0)
		is_test = (s = getenv("PH_TEST")) != NULL && strcmp(s, "1") == 0;
	if (is_test) {
		if (fixed == NULL)
			fixed = getenv("PH_NOW_MS");
		if (fixed != NULL && ph_parse_int(fixed, strlen(fixed), 0, PH_TIME_MAX, &ms) == 0)
			return ms;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
ph_time_floor(int64_t at_ms, int64_t width_ms, int64_t tz_offset_min)
{
	const int64_t local = at_ms + tz_offset_min * 60000, rest = local % width_ms;

	return at_ms - rest - (rest < 0 ? width_ms : 0);
}

int64_t
ph_clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

char *
ph_time_format(char buf[PH_TIME_SIZE], int64_t ms, int is_naive)
{
	struct tm	tm;
	time_t		s;
	int		frac;
	size_t		n;

	if (ms < 0)
		ms = 0;
	if (ms > PH_TIME_MAX)
		ms = PH_TIME_MAX;
	s = (time_t)(ms / 1000);
	frac = (int)(ms % 1000);
	gmtime_r(&s, &tm);
	n = strftime(buf, PH_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	if (frac != 0)
		n += (size_t)snprintf(buf + n, PH_TIME_SIZE - n, ".%03d", frac);
	snprintf(buf + n, PH_TIME_SIZE - n, "%s", is_naive ? "" : "Z");
	return buf;
}

/* n digits at s as a number, or -1. */
static int
digits(const char *s, const char *end, int n)
{
	int v = 0;

	if (end - s < n)
		return -1;
	for (; n > 0; n--, s++) {
		if (*s < '0' || *s > '9')
			return -1;
		v = v * 10 + (*s - '0');
	}
	return v;
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar (years 1970 to 9999). */
static int64_t
days_of(int year, int month, int day)
{
	const int	y = month <= 2 ? year - 1 : year;
	const int	m = month <= 2 ? month + 9 : month - 3;		/* the year begins in March */

	return (int64_t)365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int
days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* -N and a unit. */
static int
parse_relative(const char *s, size_t len, int64_t now_ms, int64_t *ms)
{
	static const struct { char unit; int64_t ms; } units[] = {
		{ 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 },
	};
	int64_t	n;
	size_t	i;

	if (len < 3 || s[1] < '0' || s[1] > '9' || ph_parse_int(s + 1, len - 2, 0, PH_TIME_MAX / 86400000, &n) != 0)
		return -1;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == s[len - 1]) {
			*ms = now_ms - n * units[i].ms;
			if (*ms < 0)
				*ms = 0;
			return 0;
		}
	return -1;
}

/* hh:mm:ss[.fraction] and a zone; *ms is advanced.  The fraction is cut to milliseconds. */
static int
parse_clock(const char *s, const char *end, int64_t *ms)
{
	const int	h = digits(s, end, 2), m = digits(s + 3, end, 2), sec = digits(s + 6, end, 2);
	int64_t		frac = 0, scale = 100;
	int		zh, zm;

	if (end - s < 9 || h < 0 || h > 23 || s[2] != ':' || m < 0 || m > 59 || s[5] != ':' || sec < 0 || sec > 60)
		return -1;
	s += 8;
	if (*s == '.') {
		for (s++; s < end && *s >= '0' && *s <= '9'; s++, scale /= 10)
			frac += scale * (*s - '0');
		if (s[-1] == '.')
			return -1;
	}
	*ms += (int64_t)(h * 3600 + m * 60 + sec) * 1000 + frac;
	if (end - s == 1 && (*s == 'Z' || *s == 'z'))
		return 0;
	if (end - s != 6 || (*s != '+' && *s != '-') || s[3] != ':' || (zh = digits(s + 1, end, 2)) < 0 ||
	    zh > 23 || (zm = digits(s + 4, end, 2)) < 0 || zm > 59)
		return -1;
	*ms -= (*s == '+' ? 1 : -1) * (int64_t)(zh * 60 + zm) * 60000;
	return 0;
}

int
ph_time_parse(const char *s, size_t len, int64_t now_ms, int64_t *ms)
{
	const char	*end = s + len;
	int		 year, month, day;

	if (len > 0 && s[0] == '-')
		return parse_relative(s, len, now_ms, ms);
	if (len < 10 || s[4] != '-')
		return ph_parse_int(s, len, 0, PH_TIME_MAX, ms);
	if ((year = digits(s, end, 4)) < 0 || s[7] != '-' || (month = digits(s + 5, end, 2)) < 1 ||
	    month > 12 || (day = digits(s + 8, end, 2)) < 1 || day > days_in(year, month))
		return -1;
	*ms = days_of(year, month, day) * 86400000;
	if (len > 10 && ((s[10] != 'T' && s[10] != 't') || parse_clock(s + 11, end, ms) != 0))
		return -1;
	return *ms >= 0 && *ms <= PH_TIME_MAX ? 0 : -1;
}

char *
ph_day_format(char buf[PH_DAY_SIZE], int64_t ms)
{
	char text[PH_TIME_SIZE];

	memcpy(buf, ph_time_format(text, ms, 0), PH_DAY_SIZE - 1);
	buf[PH_DAY_SIZE - 1] = '\0';
	return buf;
}

int64_t
ph_day_ms(const char *day)
{
	int64_t ms;

	if (strlen(day) != PH_DAY_SIZE - 1 || strspn(day, "0123456789") != 4 || ph_time_parse(day, PH_DAY_SIZE - 1, 0, &ms) != 0)
		return -1;
	return ms;
}

int64_t
ph_month_next(int64_t ms)
{
	char day[PH_DAY_SIZE];

	/* Every month has 28 days, none has 32: from its first day 32 on lead into the next one. */
	memcpy(ph_day_format(day, ms) + 8, "01", 3);
	memcpy(ph_day_format(day, ph_day_ms(day) + 32 * PH_DAY_MS) + 8, "01", 3);
	return ph_day_ms(day);
}
