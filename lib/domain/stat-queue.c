/*
 * stat-queue.c -- is the publish queue moving?  Counts by status, how long a post takes, how
 * long the oldest one has waited.
 *
 * Rules worth knowing: posts published before they were requested are no processing time
 * (clock_skew_rows counts them); the age is by requested_at, and a request from the
 * future has age 0.
 */
#include "autoconf.h"

#include "domain/filtered.h"
#include "domain/statistic.h"

enum { HOUR_MS = 3600000 };

/* The first entry of status = 'pending' in ix_logs_status_requested. */
static const char sql_oldest[] =
	"SELECT requested_at FROM publish_logs WHERE status = 'pending'"
	" ORDER BY requested_at LIMIT 1";

static const char sql_oldest_filtered[] =
	"SELECT requested_at FROM publish_logs AS l WHERE status = 'pending' AND "
	PH_FILTER_SQL_TIME("requested_at") " AND " PH_FILTER_SQL_LOG("+l") " ORDER BY requested_at LIMIT 1";

/* The logs by ix_logs_published and ix_logs_failed. */
static const char sql_published[] = PH_SINCE_SQL("published", "published_at", " AND status = 'success'", "");
static const char sql_failed[] = PH_SINCE_SQL("failed", "failed_at", " AND status = 'failed'", "");

/* The logs that finished in a time, of those that a filter selects; the same indexes. */
static const char sql_finished_filtered[] =
	"SELECT (SELECT count(*) FROM publish_logs AS l WHERE status = 'success'"
	" AND published_at >= $1 AND published_at < $2 AND " PH_FILTER_SQL_TIME("+requested_at")
	" AND " PH_FILTER_SQL_LOG("+l") ") + (SELECT count(*) FROM publish_logs AS l WHERE status = 'failed'"
	" AND failed_at >= $1 AND failed_at < $2 AND " PH_FILTER_SQL_TIME("+requested_at")
	" AND " PH_FILTER_SQL_LOG("+l") ")";

enum {
	F_PENDING, F_PROCESSING, F_SUCCESS, F_FAILED, F_AVG_PROCESSING_TIME_MS,
	F_OLDEST_PENDING_AGE_SECONDS,
	F_SCHEDULED, F_RETRY, F_TOTAL_IN_QUEUE, F_AVG_WAIT_TIME_MS, F_P50, F_P95,
	F_THROUGHPUT_PER_HOUR, F_ESTIMATED_COMPLETION_TIME, F_CLOCK_SKEW_ROWS,
	F_MISSING_PUBLISHED_AT_ROWS, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_PENDING] = { .name = "pending", .text = "Publish logs in status pending." },
	[F_PROCESSING] = { .name = "processing", .text = "Publish logs in status processing." },
	[F_SUCCESS] = { .name = "success", .text = "Publish logs in status success." },
	[F_FAILED] = { .name = "failed", .text = "Publish logs in status failed." },
	[F_AVG_PROCESSING_TIME_MS] = { .name = "avg_processing_time_ms", .type = PH_DECIMAL,
	    .places = 2, .is_nullable = 1, .unit = "ms",
	    .text = "Mean of published_at - requested_at over success logs where it is not "
		"negative; null if there are none." },
	[F_OLDEST_PENDING_AGE_SECONDS] = { .name = "oldest_pending_age_seconds", .type = PH_DECIMAL,
	    .places = 3, .is_nullable = 1, .unit = "s",
	    .text = "Time since the earliest requested_at of the pending logs, never below 0.0; "
		"null if none is pending." },
	[F_SCHEDULED] = { .name = "scheduled", .is_extended = 1,
	    .text = "Publish logs in status scheduled." },
	[F_RETRY] = { .name = "retry", .is_extended = 1, .text = "Publish logs in status retry." },
	[F_TOTAL_IN_QUEUE] = { .name = "total_in_queue", .is_extended = 1,
	    .text = "Publish logs in status scheduled, pending, processing or retry." },
	[F_AVG_WAIT_TIME_MS] = { .name = "avg_wait_time_ms", .type = PH_DECIMAL, .places = 2,
	    .is_nullable = 1, .is_extended = 1, .unit = "ms",
	    .text = "Mean time since requested_at over pending and retry logs; null if there "
		"are none." },
	[F_P50] = { .name = "p50_processing_time_ms", .is_nullable = 1, .is_extended = 1, .unit = "ms",
	    .text = "Median processing time, nearest rank; null if there is none." },
	[F_P95] = { .name = "p95_processing_time_ms", .is_nullable = 1, .is_extended = 1, .unit = "ms",
	    .text = "95th percentile of the processing time, nearest rank; null if there is none." },
	[F_THROUGHPUT_PER_HOUR] = { .name = "throughput_per_hour", .is_extended = 1,
	    .text = "Logs that finished in the last hour: success by published_at, failed by "
		"failed_at. A filter selects among them." },
	[F_ESTIMATED_COMPLETION_TIME] = { .name = "estimated_completion_time", .type = PH_TIME,
	    .is_nullable = 1, .is_extended = 1,
	    .text = "When pending and retry logs are done at that throughput; null if there are "
		"none or it is 0." },
	[F_CLOCK_SKEW_ROWS] = { .name = "clock_skew_rows", .is_extended = 1,
	    .text = "Success logs published before they were requested." },
	[F_MISSING_PUBLISHED_AT_ROWS] = { .name = "missing_published_at_rows", .is_extended = 1,
	    .text = "Success logs without published_at." },
};

/* The oldest pending requested_at, or -1 when none is pending. */
static enum ph_rc
oldest_pending(struct ph_db *db, const struct ph_filter *f, int64_t *at_ms, struct ph_err *err)
{
	const int	 is_filtered = !ph_filter_is_off(f);
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*at_ms = -1;
	if ((rc = ph_db_prepare(db, is_filtered ? sql_oldest_filtered : sql_oldest, &st, err)) != PH_OK)
		return rc;
	if (is_filtered) {
		ph_filter_bind_time(f, st);
		ph_filter_bind_platform(f, st);
	}
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*at_ms = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
finished_filtered(struct ph_db *db, const struct ph_filter *f, int64_t from, int64_t to, int64_t *n,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*n = 0;
	if ((rc = ph_db_prepare(db, sql_finished_filtered, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, from);
	ph_stmt_bind_int(st, 2, to);
	ph_filter_bind_time(f, st);
	ph_filter_bind_platform(f, st);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

/* Logs that finished in [from, to). */
static enum ph_rc
finished(struct ph_db *db, const struct ph_filter *f, int64_t from, int64_t to, int64_t *n, struct ph_err *err)
{
	int64_t		published, failed, later_published, later_failed;
	enum ph_rc	rc;

	if (!ph_filter_is_off(f))
		return finished_filtered(db, f, from, to, n, err);
	if ((rc = ph_stats_since(db, sql_published, NULL, from, &published, err)) != PH_OK ||
	    (rc = ph_stats_since(db, sql_failed, NULL, from, &failed, err)) != PH_OK ||
	    (rc = ph_stats_since(db, sql_published, NULL, to, &later_published, err)) != PH_OK ||
	    (rc = ph_stats_since(db, sql_failed, NULL, to, &later_failed, err)) != PH_OK)
		return rc;
	*n = published + failed - later_published - later_failed;
	return PH_OK;
}

static enum ph_rc
extended(const struct ph_stat_query *q, const struct ph_log_totals *log, struct ph_value *v, struct ph_err *err)
{
	static const int percents[] = { 50, 95 };
	const int64_t	now = q->now_ms;
	const int64_t	waiting = log[PH_LOG_PENDING].n + log[PH_LOG_RETRY].n;
	const ph_int128	requested = log[PH_LOG_PENDING].requested_ms + log[PH_LOG_RETRY].requested_ms;
	struct ph_value	times[2];
	int64_t		done;
	enum ph_rc	rc;

	if ((rc = finished(q->db, q->filter, now - HOUR_MS, now + 1, &done, err)) != PH_OK ||
	    (rc = ph_filtered_percentiles(q->db, q->filter, log[PH_LOG_SUCCESS].proc_n, percents, times, 2,
	    err)) != PH_OK)
		return rc;
	v[F_P50] = times[0];
	v[F_P95] = times[1];
	v[F_SCHEDULED] = ph_v_int(log[PH_LOG_SCHEDULED].n);
	v[F_RETRY] = ph_v_int(log[PH_LOG_RETRY].n);
	v[F_TOTAL_IN_QUEUE] = ph_v_int(log[PH_LOG_SCHEDULED].n + log[PH_LOG_PROCESSING].n + waiting);
	v[F_AVG_WAIT_TIME_MS] = ph_v_ratio((ph_int128)now * waiting - requested, waiting);
	v[F_THROUGHPUT_PER_HOUR] = ph_v_int(done);
	v[F_ESTIMATED_COMPLETION_TIME] = waiting == 0 || done == 0 ? ph_v_null() :
	    ph_v_int(now + (waiting * HOUR_MS + done / 2) / done);
	v[F_CLOCK_SKEW_ROWS] = ph_v_int(log[PH_LOG_SUCCESS].skewed);
	v[F_MISSING_PUBLISHED_AT_ROWS] = ph_v_int(log[PH_LOG_SUCCESS].untimed);
	return PH_OK;
}

static enum ph_rc
queue_write(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	const int64_t		 now = q->now_ms;
	struct ph_db		*db = q->db;
	struct ph_log_totals	 log[PH_LOG__MAX];
	struct ph_value		 v[F__MAX] = { 0 };
	int64_t			 oldest;
	enum ph_rc		 rc;

	if ((rc = ph_filtered_logs(db, q->filter, log, err)) != PH_OK ||
	    (rc = oldest_pending(db, q->filter, &oldest, err)) != PH_OK ||
	    (ph_json_is_extended(out) && (rc = extended(q, log, v, err)) != PH_OK))
		return rc;
	v[F_PENDING] = ph_v_int(log[PH_LOG_PENDING].n);
	v[F_PROCESSING] = ph_v_int(log[PH_LOG_PROCESSING].n);
	v[F_SUCCESS] = ph_v_int(log[PH_LOG_SUCCESS].n);
	v[F_FAILED] = ph_v_int(log[PH_LOG_FAILED].n);
	v[F_AVG_PROCESSING_TIME_MS] = ph_v_ratio(log[PH_LOG_SUCCESS].proc_ms, log[PH_LOG_SUCCESS].proc_n);
	v[F_OLDEST_PENDING_AGE_SECONDS] = oldest < 0 ? ph_v_null() :
	    ph_v_ratio(now > oldest ? now - oldest : 0, 1000);
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

const struct ph_statistic ph_stat_queue = {
	.name = "queue",
	.description = "A filter selects publish logs by requested_at and platform.",
	.fields = fields, .nfields = F__MAX, .write = queue_write,
};
