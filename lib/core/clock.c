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
