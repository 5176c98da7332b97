/*
 * demo-samples.c -- the gauges of the last 48 hours, from the logs' times.
 *
 * For each gauge there is an array of how much its value changes from one minute to the next.  A log adds
 * one where it begins to count and takes it away where it ends, so its cost is the same
 * however long it counts; a running sum then gives the values.  A log that is done was being worked
 * on from its request on: the demonstration does not say when a worker took it.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "demo-samples.h"
#include "domain/history.h"

enum { MINUTES = 48 * 60 };	/* and the one at the end */
#define MINUTE_MS	INT64_C(60000)
#define HOUR_MS		INT64_C(3600000)
#define DAY_MS		INT64_C(86400000)

/* In the order of their names, which is that of the table. */
enum gauge { LAST_24H, LAST_HOUR, ALL, FAILED, PENDING, PROCESSING, RETRY, SCHEDULED, SUCCESS, THROUGHPUT, IN_QUEUE,
	GAUGE__MAX };
static const char *const names[GAUGE__MAX] = {
	[LAST_24H] = "orchestrator.actions_last_24h", [LAST_HOUR] = "orchestrator.actions_last_run",
	[ALL] = "overview.total_publications", [FAILED] = "queue.failed", [PENDING] = "queue.pending",
	[PROCESSING] = "queue.processing", [RETRY] = "queue.retry", [SCHEDULED] = "queue.scheduled",
	[SUCCESS] = "queue.success", [THROUGHPUT] = "queue.throughput_per_hour",
	[IN_QUEUE] = "queue.total_in_queue",
};

struct demo_samples {
	int64_t	first_at;		/* of the first sample */
	int64_t	change[GAUGE__MAX][MINUTES + 2];
};

struct demo_samples *
demo_samples_new(int64_t now_ms)
{
	struct demo_samples *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->first_at = ph_time_floor(now_ms, MINUTE_MS, 0) - MINUTES * MINUTE_MS;
	return s;
}

void
demo_samples_free(struct demo_samples *s)
{
	free(s);
}

/* The first sample at or after at. */
static int64_t
minute(const struct demo_samples *s, int64_t at)
{
	const int64_t i = at <= s->first_at ? 0 : (at - s->first_at + MINUTE_MS - 1) / MINUTE_MS;

	return i > MINUTES + 1 ? MINUTES + 1 : i;
}

/* It counts in the samples from <= t < to. */
static void
count(struct demo_samples *s, enum gauge g, int64_t from, int64_t to)
{
	s->change[g][minute(s, from)]++;
	s->change[g][minute(s, to)]--;
}

void
demo_samples_add(struct demo_samples *s, const char *status, int64_t created_at, int64_t done_at)
{
	const int64_t	end = INT64_MAX;
	const int	is_done = done_at >= 0;

	count(s, ALL, created_at, end);
	count(s, LAST_HOUR, created_at, created_at + HOUR_MS + 1);	/* windows hold both their ends */
	count(s, LAST_24H, created_at, created_at + DAY_MS + 1);
	count(s, IN_QUEUE, created_at, is_done ? done_at : end);
	if (is_done) {
		count(s, PROCESSING, created_at, done_at);
		count(s, THROUGHPUT, done_at, done_at + HOUR_MS + 1);
		count(s, strcmp(status, "failed") == 0 ? FAILED : SUCCESS, done_at, end);
	} else
		count(s, strcmp(status, "pending") == 0 ? PENDING : strcmp(status, "retry") == 0 ? RETRY :
		    strcmp(status, "scheduled") == 0 ? SCHEDULED : PROCESSING, created_at, end);
}

/* One gauge in one resolution: of each span the last sample. */
static enum ph_rc
insert(const struct demo_samples *s, struct ph_stmt *st, enum gauge g, int64_t width, struct ph_err *err)
{
	int64_t		at, value = 0;
	enum ph_rc	rc = PH_OK;
	int		i;

	ph_stmt_bind_text(st, 1, names[g]);
	ph_stmt_bind_int(st, 2, width);
	for (i = 0; i <= MINUTES && rc == PH_OK; i++) {
		value += s->change[g][i];
		at = s->first_at + i * MINUTE_MS;
		if ((at + MINUTE_MS) % width != 0 && i < MINUTES)
			continue;
		ph_stmt_bind_int(st, 3, ph_time_floor(at, width, 0));
		ph_stmt_bind_double(st, 4, (double)value);
		rc = ph_stmt_exec(st, err);
	}
	return rc;
}

enum ph_rc
demo_samples_insert(const struct demo_samples *s, struct ph_db *db, struct ph_err *err)
{
	static const char sql[] = "INSERT INTO stat_samples (metric, resolution_ms, at, value)"
	    " VALUES ($1, $2, $3, $4)";
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 g, i;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	for (g = 0; g < GAUGE__MAX && rc == PH_OK; g++)
		for (i = 0; i < PH_HISTORY_RESOLUTIONS && rc == PH_OK; i++)
			rc = insert(s, st, (enum gauge)g, ph_history_resolutions[i].width_ms, err);
	ph_stmt_done(st);
	return rc;
}
