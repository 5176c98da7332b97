/*
 * sampler.c -- job-sampler: each minute, note how things stand, for GET /dashboard/stats/history.
 *
 * A sample goes into every resolution at once, as the value of the minute, and as the last value so
 * far of the five minutes and the hour that hold it.  So nothing is rolled up later: a run may
 * come twice, late or never, and what there is stays right.
 *
 * Once an hour the samples that are older than their resolution keeps are removed, a few metrics in a
 * transaction, so that nobody who wants to write waits for long.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/job.h"
#include "domain/history.h"
#include "domain/metric.h"

enum { BATCH_METRICS = 16 };

static const char sql_store[] =
	"INSERT INTO stat_samples (metric, resolution_ms, at, value) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT DO UPDATE SET value = excluded.value WHERE value <> excluded.value";

/* Is there one of the hour?  The first gauge is never null. */
static const char sql_has_sample[] =
	"SELECT 1 FROM stat_samples WHERE metric = $1 AND resolution_ms = $2 AND at = $3";

/* Metrics that have samples, also of an earlier catalogue: the first entry after $1. */
static const char sql_next_metric[] = "SELECT min(metric) FROM stat_samples WHERE metric > $1";
static const char sql_remove[] =
	"DELETE FROM stat_samples WHERE metric = $1 AND resolution_ms = $2 AND at < $3";

/* Store a value in every resolution. */
static enum ph_rc
store(struct ph_db *db, const char *metric, int64_t now, double value, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = ph_db_prepare(db, sql_store, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, metric);
	ph_stmt_bind_double(st, 4, value);
	for (i = 0; i < PH_HISTORY_RESOLUTIONS && rc == PH_OK; i++) {
		const int64_t width = ph_history_resolutions[i].width_ms;

		ph_stmt_bind_int(st, 2, width);
		ph_stmt_bind_int(st, 3, ph_time_floor(now, width, 0));
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
is_new_hour(struct ph_db *db, int64_t now, int *is_new, struct ph_err *err)
{
	const int64_t	 hour = ph_history_resolutions[PH_HISTORY_RESOLUTIONS - 1].width_ms;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_has_sample, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_metric_at(0)->name);
	ph_stmt_bind_int(st, 2, hour);
	ph_stmt_bind_int(st, 3, ph_time_floor(now, hour, 0));
	rc = ph_stmt_step(st, err);
	*is_new = rc == PH_DONE;
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* One transaction: the gauges of this instant.  *n: values stored. */
static enum ph_rc
take_samples(struct ph_job_run *run, int *is_first, int64_t *n, struct ph_err *err)
{
	const int64_t	now = ph_job_run_now_ms(run);
	struct ph_db	*db = ph_job_run_db(run);
	unsigned char	wanted[PH_METRICS_MAX];
	double		values[PH_METRICS_MAX];
	enum ph_rc	rc;
	size_t		i;

	for (i = 0; i < ph_metric_count(); i++)
		wanted[i] = ph_metric_at(i)->kind == PH_METRIC_GAUGE;
	if ((rc = ph_job_run_begin(run, err)) != PH_OK)
		return rc;
	if ((rc = is_new_hour(db, now, is_first, err)) == PH_OK)
		rc = ph_metrics_read(db, now, wanted, values, err);
	for (i = 0, *n = 0; i < ph_metric_count() && rc == PH_OK; i++)
		if (wanted[i] && !isnan(values[i])) {
			rc = store(db, ph_metric_at(i)->name, now, values[i], err);
			++*n;
		}
	if (rc == PH_OK)
		rc = ph_db_commit(db, err);
	ph_db_end(db);
	return rc;
}

/* Remove what is too old of one metric, and add to *n. */
static enum ph_rc
remove_old(struct ph_db *db, const char *metric, int64_t now, int64_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = ph_db_prepare(db, sql_remove, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, metric);
	for (i = 0; i < PH_HISTORY_RESOLUTIONS && rc == PH_OK; i++) {
		ph_stmt_bind_int(st, 2, ph_history_resolutions[i].width_ms);
		ph_stmt_bind_int(st, 3, now - ph_history_resolutions[i].keep_ms);
		if ((rc = ph_stmt_exec(st, err)) == PH_OK)
			*n += ph_db_changes(db);
	}
	ph_stmt_done(st);
	return rc;
}

/* The name after `metric`, in its place; "" at the end. */
static enum ph_rc
next_metric(struct ph_db *db, char metric[PH_METRIC_NAME_SIZE], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	char		 next[PH_METRIC_NAME_SIZE] = "";

	if ((rc = ph_db_prepare(db, sql_next_metric, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, metric);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && !ph_stmt_is_null(st, 0))
		snprintf(next, sizeof(next), "%s", ph_stmt_text(st, 0));
	ph_stmt_done(st);
	memcpy(metric, next, sizeof(next));
	return rc == PH_ROW ? PH_OK : rc;
}

/* One transaction for some metrics after `metric`, which becomes the last of them, or "". */
static enum ph_rc
remove_batch(struct ph_job_run *run, char metric[PH_METRIC_NAME_SIZE], int64_t *n, struct ph_err *err)
{
	struct ph_db	*db = ph_job_run_db(run);
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_job_run_begin(run, err)) != PH_OK)
		return rc;
	for (i = 0; i < BATCH_METRICS && rc == PH_OK; i++)
		if ((rc = next_metric(db, metric, err)) != PH_OK || metric[0] == '\0' ||
		    (rc = remove_old(db, metric, ph_job_run_now_ms(run), n, err)) != PH_OK)
			break;
	if (rc == PH_OK)
		rc = ph_db_commit(db, err);
	ph_db_end(db);
	return rc;
}

static enum ph_rc
sample(struct ph_job_run *run, struct ph_err *err)
{
	char		metric[PH_METRIC_NAME_SIZE] = "";
	int64_t		stored = 0, removed = 0;
	int		is_first = 0;
	enum ph_rc	rc;

	if ((rc = take_samples(run, &is_first, &stored, err)) != PH_OK)
		return rc;
	if (is_first)
		do
			rc = remove_batch(run, metric, &removed, err);
		while (rc == PH_OK && metric[0] != '\0' && !ph_job_run_should_stop(run));
	ph_job_run_count(run, removed);		/* a run each minute is no news: only these stay on record */
	ph_job_run_detail(run, "stored %" PRId64 ", removed %" PRId64, stored, removed);
	return rc;
}

static const struct ph_job job = {
	.name = "job-sampler", .interval_s = 60, .needs = PH_NEED_DB_WRITE,
	.summary = "Note every gauge each minute, for their history",
	.description = "Samples are kept for 48 hours, the last ones of five minutes for 14 days, those of an "
	    "hour for 400 days. A gauge without a value has no sample.",
	.run = sample,
};

int
main(int argc, char **argv)
{
	return ph_job_main(&job, argc, argv);
}
