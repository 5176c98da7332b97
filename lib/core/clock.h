/*
 * clock.h -- the one clock.
 *
 * Wall time is Unix milliseconds UTC.  With PH_TEST=1 in the environment of the
 * process, PH_NOW_MS fixes it (also as a FastCGI parameter, so that one worker can be
 * asked about several instants); otherwise PH_NOW_MS is ignored.
 */
#ifndef PH_CLOCK_H
#define PH_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define PH_TIME_MAX INT64_C(253402300799999)	/* 9999-12-31T23:59:59.999Z */

#define PH_DAY_MS INT64_C(86400000)

enum {
	PH_TIME_SIZE = 32,	/* holds any text of ph_time_format */
	PH_DAY_SIZE = 11	/* YYYY-MM-DD and a NUL */
};

/* Wall time now, in ms.  fixed is a decimal number used in its place when PH_TEST=1;
 * NULL or not a number in 0..PH_TIME_MAX: the environment's PH_NOW_MS, then the real clock. */
int64_t	ph_clock_now_ms(const char *fixed);

/* The beginning of the span that holds at_ms, where spans of width_ms are counted from the epoch in a
 * local time tz_offset_min minutes east of UTC: of its minute, hour, or local day. */
int64_t	ph_time_floor(int64_t at_ms, int64_t width_ms, int64_t tz_offset_min);

/* The day, in UTC, that holds an instant of 0..PH_TIME_MAX: YYYY-MM-DD.  Returns buf. */
char	*ph_day_format(char buf[PH_DAY_SIZE], int64_t ms);
/* The first instant of a day, or -1: it is none, or not written so. */
int64_t	ph_day_ms(const char *day);

/* The first instant of the month, in UTC, behind that of an instant. */
int64_t	ph_month_next(int64_t ms);

/* Monotonic time in microseconds, for durations and deadlines only. */
int64_t	ph_clock_mono_us(void);

/* RFC 3339 in UTC: YYYY-MM-DDTHH:MM:SS[.mmm]Z, the fraction only when it is not zero;
 * without the Z if is_naive.  ms is 0..PH_TIME_MAX (clamped).  Returns buf. */
char	*ph_time_format(char buf[PH_TIME_SIZE], int64_t ms, int is_naive);

/*
 * An instant from outside, len bytes: RFC 3339 with a zone (2025-11-22T11:30:00+01:00), a date
 * (UTC midnight), Unix milliseconds, or a time before now: -90s, -15m, -24h, -7d.  Leap seconds
 * (:60) count as the next second.  0 and *ms within 0..PH_TIME_MAX, or -1.
 */
int	ph_time_parse(const char *s, size_t len, int64_t now_ms, int64_t *ms);

#endif
