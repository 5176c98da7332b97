/*
 * check_history.c -- the arithmetic of buckets.
 *
 * What is in them is tested end to end (t/e2e/history.py).
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "domain/history.h"
#include "unit.h"

#define MIN	INT64_C(60000)
#define HOUR	(60 * MIN)
#define DAY	(24 * HOUR)
#define NOON	INT64_C(1763812800000)	/* 2025-11-22T12:00:00Z, a Saturday */
#define MIDNIGHT (NOON - 12 * HOUR)

/* By hand: what is asked, and the first bucket, its step, how many, and whether something is cut. */
static const struct {
	int64_t from, to, step, tz, first, want_step;
	size_t	n;
	int	is_truncated;
} ranges[] = {
	/* the published example, and its edges */
	{ NOON - 4 * HOUR, NOON - HOUR, HOUR, 0, NOON - 4 * HOUR, HOUR, 3, 0 },
	{ NOON - 4 * HOUR - 1, NOON - HOUR, HOUR, 0, NOON - 5 * HOUR, HOUR, 4, 0 },
	{ NOON - 4 * HOUR + 1, NOON - HOUR + 1, HOUR, 0, NOON - 4 * HOUR, HOUR, 4, 0 },
	{ NOON, NOON + 1, DAY, 0, MIDNIGHT, DAY, 1, 0 },
	{ 0, 1, MIN, 0, 0, MIN, 1, 0 },
	/* the smallest step with at most 500 points: at 500, and at 501 */
	{ NOON, NOON + 500 * MIN, 0, 0, NOON, MIN, 500, 0 },
	{ NOON, NOON + 500 * MIN + 1, 0, 0, NOON, 5 * MIN, 101, 0 },
	{ NOON, NOON + 2500 * MIN, 0, 0, NOON, 5 * MIN, 500, 0 },
	{ NOON, NOON + 2500 * MIN + 1, 0, 0, NOON, 15 * MIN, 167, 0 },
	{ NOON, NOON + 7500 * MIN, 0, 0, NOON, 15 * MIN, 500, 0 },
	{ NOON, NOON + 7500 * MIN + 1, 0, 0, NOON, HOUR, 126, 0 },
	{ NOON, NOON + 500 * HOUR, 0, 0, NOON, HOUR, 500, 0 },
	{ NOON, NOON + 500 * HOUR + 1, 0, 0, NOON, 6 * HOUR, 84, 0 },
	{ NOON, NOON + 3000 * HOUR, 0, 0, NOON, 6 * HOUR, 500, 0 },
	{ NOON, NOON + 3000 * HOUR + 1, 0, 0, MIDNIGHT, DAY, 126, 0 },
	{ NOON - DAY, NOON, 0, 0, NOON - DAY, 5 * MIN, 288, 0 },
	/* 2000 points: exactly, and one more */
	{ NOON, NOON + 2000 * MIN, MIN, 0, NOON, MIN, 2000, 0 },
	{ NOON, NOON + 2000 * MIN + 1, MIN, 0, NOON + MIN, MIN, 2000, 1 },
	{ NOON - 400 * DAY, NOON, HOUR, 0, NOON - 2000 * HOUR, HOUR, 2000, 1 },
	/* 400 days: exactly, and a millisecond more */
	{ MIDNIGHT - 400 * DAY, MIDNIGHT, DAY, 0, MIDNIGHT - 400 * DAY, DAY, 400, 0 },
	{ MIDNIGHT - 400 * DAY - 1, MIDNIGHT, DAY, 0, MIDNIGHT - 400 * DAY, DAY, 400, 1 },
	{ 0, PH_TIME_MAX, 0, 0, PH_TIME_MAX + 1 - 401 * DAY, DAY, 401, 1 },
	/* days of another zone: India begins its Saturday at 18:30 on Friday, UTC */
	{ NOON, NOON + 1, DAY, 330, NOON - 17 * HOUR - 30 * MIN, DAY, 1, 0 },
	{ NOON + 6 * HOUR + 29 * MIN, NOON + 6 * HOUR + 31 * MIN, DAY, 330, NOON - 17 * HOUR - 30 * MIN, DAY, 2, 0 },
	{ NOON, NOON + 1, DAY, -720, NOON, DAY, 1, 0 },
	{ NOON - 1, NOON, DAY, -720, NOON - DAY, DAY, 1, 0 },
	{ NOON, NOON + 1, DAY, 840, NOON - 2 * HOUR, DAY, 1, 0 },
	{ NOON, NOON + 1, 6 * HOUR, 330, NOON, 6 * HOUR, 1, 0 },	/* days alone */
	{ 0, 1, DAY, 60, -HOUR, DAY, 1, 0 },
	{ 0, 1, DAY, -60, HOUR - DAY, DAY, 1, 0 },
};

START_TEST(range)
{
	const struct ph_history_range r = ph_history_range(ranges[_i].from, ranges[_i].to, ranges[_i].step,
	    ranges[_i].tz);

	ck_assert_int_eq(r.from_ms, ranges[_i].first);
	ck_assert_int_eq(r.step_ms, ranges[_i].want_step);
	ck_assert_uint_eq(r.npoints, ranges[_i].n);
	ck_assert_int_eq(r.is_truncated, ranges[_i].is_truncated);
	ck_assert_int_eq(r.to_ms, r.from_ms + (int64_t)r.npoints * r.step_ms);
}
END_TEST

/* What holds for every range: whole buckets on their grid, none too few or too many. */
START_TEST(any_range)
{
	static const int64_t	tz[] = { 0, -720, 840, 330, -61, 345 };
	int			i;

	srand((unsigned)_i);
	for (i = 0; i < 2000; i++) {
		const int64_t		step = ph_history_steps_ms[rand() % PH_HISTORY_STEPS];
		const int64_t		offset = tz[(size_t)rand() % (sizeof(tz) / sizeof(tz[0]))];
		const int64_t		from = NOON - (int64_t)rand() * 40;
		const int64_t		to = from + 1 + (int64_t)(rand() % 1000) * step / 3 + rand() % 3;
		struct ph_history_range	r = ph_history_range(from, to, step, offset);
		const int64_t		local = r.from_ms + (step == DAY ? offset * MIN : 0);

		ck_assert_int_eq(local % step, 0);
		ck_assert_int_eq((r.to_ms - r.from_ms) % step, 0);
		ck_assert_int_ge(r.to_ms, to);
		ck_assert_int_lt(r.to_ms - step, to);
		if (r.is_truncated)
			continue;
		ck_assert_int_le(r.from_ms, from);
		ck_assert_int_gt(r.from_ms + step, from);
	}
}
END_TEST

static const struct { const char *name; int is_found, is_gauge; enum ph_event event; } names[] = {
	{ "queue.pending", 1, 1, 0 }, { "platforms.tiktok.clips_ready", 1, 1, 0 },
	{ "telemetry.scheduler.overdue", 1, 1, 0 }, { "orchestrator.idle_ms", 1, 1, 0 },
	{ "events.requested", 1, 0, PH_EVENT_REQUESTED }, { "events.clips_created", 1, 0, PH_EVENT_CLIPS_CREATED },
	{ "events.orchestrator_events", 1, 0, PH_EVENT_ORCHESTRATOR },
	{ "events.requested.10m", 0, 0, 0 }, { "events.", 0, 0, 0 }, { "events", 0, 0, 0 }, { "", 0, 0, 0 },
	{ "events.created", 0, 0, 0 }, { "queue.pendin", 0, 0, 0 }, { "queue.pending ", 0, 0, 0 },
	{ "Queue.pending", 0, 0, 0 }, { "queue", 0, 0, 0 }, { "queue.estimated_completion_time", 0, 0, 0 },
};

START_TEST(find)
{
	const char			*name = names[_i].name;
	struct ph_history_series	 s;

	ck_assert_int_eq(ph_history_find(name, strlen(name), &s), names[_i].is_found ? 0 : -1);
	if (!names[_i].is_found)
		return;
	ck_assert_int_eq(s.gauge != NULL, names[_i].is_gauge);
	ck_assert_int_eq(s.fill, names[_i].is_gauge ? PH_FILL_NULL : PH_FILL_ZERO);
	if (names[_i].is_gauge)
		ck_assert_str_eq(s.gauge->name, name);
	else
		ck_assert_int_eq(s.event, names[_i].event);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("history");
	TCase *tc = tcase_create("history");

	tcase_add_loop_test(tc, range, 0, (int)(sizeof(ranges) / sizeof(ranges[0])));
	tcase_add_loop_test(tc, any_range, 0, 5);
	tcase_add_loop_test(tc, find, 0, (int)(sizeof(names) / sizeof(names[0])));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
