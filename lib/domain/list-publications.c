/*
 * list-publications.c -- publications: the publish logs, one row per attempt to post a clip.
 */
#include "autoconf.h"

#include "domain/lists.h"

enum { S_SCHEDULED, S_PENDING, S_PROCESSING, S_RETRY, S_SUCCESS, S_FAILED, S__MAX };
static const char *const statuses[S__MAX + 1] = {
	"scheduled", "pending", "processing", "retry", "success", "failed", NULL
};
static const char *const schedule_types[] = { "immediate", "scheduled", NULL };

enum {
	F_ID, F_CLIP_ID, F_VIDEO_TITLE, F_PLATFORM, F_STATUS, F_SCHEDULE_TYPE, F_SCHEDULED_FOR, F_REQUESTED_AT,
	F_PUBLISHED_AT, F_FAILED_AT, F_PROCESSING_TIME_MS, F_AGE_SECONDS, F_RETRY_COUNT, F_MAX_RETRIES,
	F_ACCOUNT_HANDLE, F_EXTERNAL_URL, F_ERROR_MESSAGE, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the publish log." },
	[F_CLIP_ID] = { .name = "clip_id", .type = PH_TEXT, .text = "The clip that is posted." },
	[F_VIDEO_TITLE] = { .name = "video_title", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Title of the video that the clip is cut from." },
	[F_PLATFORM] = { .name = "platform", .type = PH_TEXT,
	    .text = "Name of the platform, trimmed and in lower case." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = statuses,
	    .text = "scheduled, then pending, processing, and success, retry or failed." },
	[F_SCHEDULE_TYPE] = { .name = "schedule_type", .type = PH_TEXT, .choices = schedule_types,
	    .text = "Whether it was meant for at once or for a time." },
	[F_SCHEDULED_FOR] = { .name = "scheduled_for", .type = PH_TIME, .is_nullable = 1,
	    .text = "When it is due; null: at once." },
	[F_REQUESTED_AT] = { .name = "requested_at", .type = PH_TIME, .text = "When it was asked for." },
	[F_PUBLISHED_AT] = { .name = "published_at", .type = PH_TIME, .is_nullable = 1, .text = "When it went out." },
	[F_FAILED_AT] = { .name = "failed_at", .type = PH_TIME, .is_nullable = 1, .text = "When it was given up." },
	[F_PROCESSING_TIME_MS] = { .name = "processing_time_ms", .type = PH_INTEGER, .is_nullable = 1, .unit = "ms",
	    .text = "From requested_at to published_at, of a success that was published at or after its request." },
	[F_AGE_SECONDS] = { .name = "age_seconds", .type = PH_DECIMAL, .places = 3, .unit = "s",
	    .text = "Since requested_at, in any status; never below 0." },
	[F_RETRY_COUNT] = { .name = "retry_count", .type = PH_INTEGER, .text = "Tries after the first one." },
	[F_MAX_RETRIES] = { .name = "max_retries", .type = PH_INTEGER, .text = "How many are allowed." },
	[F_ACCOUNT_HANDLE] = { .name = "account_handle", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Of the social account; null: none, or it was deleted." },
	[F_EXTERNAL_URL] = { .name = "external_url", .type = PH_TEXT, .is_nullable = 1, .text = "The post." },
	[F_ERROR_MESSAGE] = { .name = "error_message", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The last error. In a list at most 2048 bytes of it." },
};

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_CLIP_ID] = { "t.clip_id" },
	[F_VIDEO_TITLE] = { "v.title" },
	[F_PLATFORM] = { "lower(trim(t.platform))" },
	[F_STATUS] = { "t.status" },
	[F_SCHEDULE_TYPE] = { "t.schedule_type" },
	[F_SCHEDULED_FOR] = { "t.scheduled_for" },
	[F_REQUESTED_AT] = { "t.requested_at" },
	[F_PUBLISHED_AT] = { "t.published_at" },
	[F_FAILED_AT] = { "t.failed_at" },
	[F_PROCESSING_TIME_MS] = { "t.proc_ms" },
	[F_AGE_SECONDS] = { "max(0, $1 - t.requested_at)", 1000 },
	[F_RETRY_COUNT] = { "t.retry_count" },
	[F_MAX_RETRIES] = { "t.max_retries" },
	[F_ACCOUNT_HANDLE] = { "a.handle" },
	[F_EXTERNAL_URL] = { "t.external_url" },
	[F_ERROR_MESSAGE] = { "t.error_message" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "requested_at", .sql = "t.requested_at", .index = "ix_logs_requested",
	    .status_index = "ix_logs_status_requested", .platform_status_index = "ix_logs_platform" },
	/* The next two name the status in their condition, too, for a walk of the index of an extra filter: the
	 * instant alone proves nothing, a program that retries may leave failed_at as it was. */
	{ .name = "published_at", .sql = "t.published_at",
	    .condition = "t.published_at IS NOT NULL AND t.status = 'success'", .only_statuses = 1 << S_SUCCESS,
	    .status_index = "ix_logs_published", .text = "only what went out" },
	{ .name = "failed_at", .sql = "t.failed_at", .condition = "t.failed_at IS NOT NULL AND t.status = 'failed'",
	    .only_statuses = 1 << S_FAILED, .status_index = "ix_logs_failed", .text = "only what failed" },
	{ .name = "scheduled_for", .sql = "t.scheduled_for", .condition = "t.scheduled_for IS NOT NULL AND t.status IN ('scheduled','pending')",
	    .only_statuses = 1 << S_SCHEDULED | 1 << S_PENDING, .is_ascending = 1, .status_index = "ix_logs_due",
	    .text = "only what is still to come" },
};

static const struct ph_list_extra extras[] = {
	{ .param = { .name = "clip_id", .type = PH_P_TEXT, .min = 1, .max = 200, .text = "Only those of this clip." },
	    .sql = "t.clip_id = $14", .index = "ix_logs_clip" },
	{ .param = { .name = "account_id", .type = PH_P_TEXT, .min = 1, .max = 200,
	    .text = "Only those of this social account." },
	    .sql = "t.social_account_id = $15" },
};

const struct ph_list ph_list_publications = {
	.name = "publications", .route = "dashboard-publications", .path = "/dashboard/publications",
	.scope = "dashboard:read", .summary = "Publications, newest request first",
	.table = "publish_logs",
	.joins = " LEFT JOIN clips AS c ON c.id = t.clip_id LEFT JOIN video_assets AS v ON v.id = c.video_asset_id"
	    " LEFT JOIN social_accounts AS a ON a.id = t.social_account_id",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
	.time = "t.requested_at", .status = "t.status", .statuses = statuses,
	.platform = PH_FILTER_SQL_LOG("t"),
	.platform_arms = { "t.platform_key = 'instagram'", "t.platform_key = 'tiktok'", "t.platform_key = 'youtube'",
	    "t.platform_key = 'other'", "t.platform_key = 'facebook'" },
	.searches = { "t.error_message", "(SELECT title FROM clips AS sc JOIN video_assets AS sv"
	    " ON sv.id = sc.video_asset_id WHERE sc.id = t.clip_id)" },
	.extras = extras, .nextras = sizeof(extras) / sizeof(extras[0]),
};
