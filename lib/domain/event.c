/*
 * event.c -- counting events: rollups for whole minutes and hours, base rows for the cut minute.
 */
#include "autoconf.h"

#include "domain/event.h"
#include "domain/stats.h"

/* Each walks one index within one minute. */
static const char sql_requested_edge[] =
	"SELECT count(*) FROM publish_logs WHERE requested_at >= $1 AND requested_at < $2";
static const char sql_published_edge[] =
	"SELECT count(*) FROM publish_logs WHERE status = 'success'"
	" AND published_at >= $1 AND published_at < $2";
static const char sql_failed_edge[] =
	"SELECT count(*) FROM publish_logs WHERE status = 'failed'"
	" AND failed_at >= $1 AND failed_at < $2";
static const char sql_retried_edge[] =
	"SELECT count(*) FROM publish_logs WHERE last_retry_at >= $1 AND last_retry_at < $2";
static const char sql_jobs_completed_edge[] =
	"SELECT count(*) FROM jobs WHERE status = 'completed' AND updated_at >= $1 AND updated_at < $2";
static const char sql_clips_created_edge[] =
	"SELECT count(*) FROM clips WHERE created_at >= $1 AND created_at < $2";

const struct ph_event_type ph_events[PH_EVENT__MAX] = {
	[PH_EVENT_REQUESTED] = { "requested", "Publish logs by requested_at", 1 },
	[PH_EVENT_PUBLISHED] = { "published", "Success logs by published_at", 1 },
	[PH_EVENT_FAILED] = { "failed", "Failed logs by failed_at", 1 },
	[PH_EVENT_RETRIED] = { "retried", "Publish logs by last_retry_at", 1 },
	[PH_EVENT_JOBS_COMPLETED] = { "jobs_completed", "Completed jobs by updated_at", 1 },
	[PH_EVENT_CLIPS_CREATED] = { "clips_created", "Clips by created_at", 0 },
};

static const char *const edges[PH_EVENT__MAX] = {
	[PH_EVENT_REQUESTED] = sql_requested_edge,
	[PH_EVENT_PUBLISHED] = sql_published_edge,
	[PH_EVENT_FAILED] = sql_failed_edge,
	[PH_EVENT_RETRIED] = sql_retried_edge,
	[PH_EVENT_JOBS_COMPLETED] = sql_jobs_completed_edge,
	[PH_EVENT_CLIPS_CREATED] = sql_clips_created_edge,
};

enum ph_rc
ph_event_count(struct ph_db *db, enum ph_event event, int64_t from_ms, int64_t to_ms, int64_t *n,
    struct ph_err *err)
{
	const char	*name = ph_events[event].name;
	int64_t		 later;
	enum ph_rc	 rc;

	if ((rc = ph_stats_since(db, name, NULL, edges[event], from_ms, n, err)) == PH_OK &&
	    (rc = ph_stats_since(db, name, NULL, edges[event], to_ms, &later, err)) == PH_OK)
		*n -= later;
	return rc;
}
