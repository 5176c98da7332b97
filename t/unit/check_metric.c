/*
 * check_metric.c -- values of metrics: of event windows to the millisecond, and of nothing else than
 * what is wanted.
 *
 * Gauges are tested end to end, through the samples that are taken of them (t/e2e/history.py).
 */
#include "autoconf.h"

#include <math.h>
#include <string.h>

#include "database.h"
#include "domain/metric.h"

#define NOW	INT64_C(1763807400000)	/* 2025-11-22T10:30:00Z, of dataset A */

static void
setup(void)
{
	open_database();
	run_script("t/e2e/dataset-a.sql");
}

static double
value(const char *name, int64_t now_ms)
{
	const int	i = ph_metric_find(name, strlen(name));
	unsigned char	wanted[PH_METRICS_MAX] = { 0 };
	double		values[PH_METRICS_MAX];

	ck_assert_int_ge(i, 0);
	wanted[i] = 1;
	ck_assert_int_eq(ph_db_begin(db, &err), PH_OK);
	ck_assert_int_eq(ph_metrics_read(db, now_ms, wanted, values, &err), PH_OK);
	ph_db_end(db);
	return values[i];
}

/* One event of each kind at `at`. */
static void
insert_events(int64_t at)
{
	char sql[1024];

	ck_assert_int_lt(snprintf(sql, sizeof(sql),
	    "CREATE TABLE t AS SELECT %lld AS at;"
	    "INSERT INTO clips SELECT 'n', 'v1', 0, 1, 1, NULL, 'ready', NULL, at, 1 FROM t;"
	    "INSERT INTO jobs (id, job_type, status, created_at, updated_at)"
	    " SELECT 'n', 'cut', 'completed', 1, at FROM t;"
	    "INSERT INTO publish_logs (id, clip_id, platform, status, requested_at, published_at,"
	    " last_retry_at, created_at, updated_at) SELECT 'n1', 'n', 'x', 'success', at, at, at, 1, 1 FROM t;"
	    "INSERT INTO ledger_events (id, timestamp, event_type) SELECT 'n1', at, 'orchestrator.tick' FROM t;"
	    "INSERT INTO ledger_events (id, timestamp, event_type) SELECT 'n2', at, 'orchestrator' FROM t;"
	    "INSERT INTO publish_logs (id, clip_id, platform, status, requested_at, failed_at, created_at,"
	    " updated_at) SELECT 'n2', 'n', 'x', 'failed', 1, at, 1, 1 FROM t;", (long long)at), (int)sizeof(sql));
	ck_assert_int_eq(ph_db_script(db, sql, &err), PH_OK);
}

/* The windows begin at an instant that cuts a minute, or at a minute. */
static const int64_t	nows[] = { NOW + 7 * 86400000, NOW + 7 * 86400000 + 12345 };
static const int64_t	widths_ms[] = { 600000, 3600000, 86400000 };
static const char *const windows[] = { "10m", "1h", "24h" };
static const char *const events[] = { "requested", "published", "failed", "retried", "jobs_completed",
    "clips_created", "orchestrator_events" };
enum { NOWS = 2, WIDTHS = 3, EVENTS = 7, INSTANTS = 5 };

/* _i: which now, and where the event is: before the window, at its ends, after it. */
START_TEST(event_windows)
{
	const int64_t	now = nows[_i % NOWS];
	const int	w = _i / NOWS % WIDTHS, where = _i / NOWS / WIDTHS;
	const int64_t	at[INSTANTS] = { now - widths_ms[w] - 1, now - widths_ms[w], now - widths_ms[w] + 1, now,
	    now + 1 };
	char		name[PH_METRIC_NAME_SIZE];
	int		i;

	insert_events(at[where]);
	for (i = 0; i < EVENTS; i++) {
		snprintf(name, sizeof(name), "events.%s.%s", events[i], windows[w]);
		ck_assert_double_eq(value(name, now), where == 0 || where == INSTANTS - 1 ? 0.0 : 1.0);
	}
}
END_TEST

START_TEST(only_what_is_wanted_is_read)
{
	unsigned char	wanted[PH_METRICS_MAX] = { 0 };
	double		values[PH_METRICS_MAX];
	const int	pending = ph_metric_find("queue.pending", 13);
	size_t		i;

	for (i = 0; i < PH_METRICS_MAX; i++)
		values[i] = -7.0;
	wanted[pending] = 1;
	ck_assert_int_eq(ph_db_begin(db, &err), PH_OK);
	ck_assert_int_eq(ph_metrics_read(db, NOW, wanted, values, &err), PH_OK);
	for (i = 0; i < PH_METRICS_MAX; i++)
		ck_assert_double_eq(values[i], (int)i == pending ? 2.0 : -7.0);
	ck_assert_int_eq(ph_metrics_read(db, NOW, NULL, values, &err), PH_OK);
	for (i = 0; i < ph_metric_count(); i++)
		ck_assert(values[i] != -7.0);
	ck_assert_double_eq(values[pending], 2.0);
}
END_TEST

/* Dataset A, by hand: the published answers, extended or not, and what is null there. */
static const struct { const char *name; double value; } figures[] = {
	{ "overview.total_clips", 4 }, { "overview.success_rate", 0.75 }, { "queue.oldest_pending_age_seconds", 3600 },
	{ "queue.p95_processing_time_ms", 2500 }, { "orchestrator.saturation_rate", 0.06 },
	{ "platforms.youtube.success_rate", 0.5 }, { "platforms.other.avg_score", 0.7 }, { "platforms.facebook.clips_ready", 0 },
	{ "campaigns.total_budget", 4750 }, { "telemetry.queue.total", 7 }, { "telemetry.scheduler.avg_delay_seconds", NAN },
	{ "orchestrator.idle_ms", NAN }, { "accounts.oauth_min_left_ms", NAN }, { "scheduler.overdue_max_ms", 0 },
	{ "campaigns.blocked", 0 }, { "jobs.stuck_processing", 1 },
};

START_TEST(figure)
{
	const double seen = value(figures[_i].name, NOW);

	if (isnan(figures[_i].value))
		ck_assert(isnan(seen));
	else
		ck_assert_double_eq(seen, figures[_i].value);
}
END_TEST

static const struct { double value; int places; const char *json; } written[] = {
	{ NAN, 0, "null" }, { NAN, 2, "null" }, { 0, 0, "0" }, { -3, 0, "-3" }, { 2.5, 0, "3" }, { 0, 2, "0.0" },
	{ 2249.67, 2, "2249.67" }, { -0.5, 1, "-0.5" }, { 1.005, 4, "1.005" }, { 999999999999999.0, 0, "999999999999999" },
	{ 5e12, 2, "5000000000000.0" }, { 1.0 / 3, 4, "0.3333" },
};

START_TEST(writing)
{
	struct ph_json	*out = ph_json_new();
	char		 want[64], *text;

	ph_metric_write(out, "v", written[_i].value, written[_i].places);
	ck_assert_int_eq(ph_json_finish(out, &text, &err), PH_OK);
	snprintf(want, sizeof(want), "{\"v\":%s}", written[_i].json);
	ck_assert_str_eq(text, want);
	free(text);
	ph_json_free(out);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("metric");
	TCase *tc = tcase_create("metric"), *form = tcase_create("form");

	tcase_add_checked_fixture(tc, setup, close_database);
	tcase_set_timeout(tc, DATABASE_TIMEOUT_S);
	tcase_add_loop_test(tc, event_windows, 0, NOWS * WIDTHS * INSTANTS);
	tcase_add_test(tc, only_what_is_wanted_is_read);
	tcase_add_loop_test(tc, figure, 0, (int)(sizeof(figures) / sizeof(figures[0])));
	tcase_add_loop_test(form, writing, 0, (int)(sizeof(written) / sizeof(written[0])));
	suite_add_tcase(suite, tc);
	suite_add_tcase(suite, form);
	return run_suite(suite);
}
