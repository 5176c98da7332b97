/*
 * list-jobs.c -- jobs: work on videos and clips.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const char *const statuses[] = { "pending", "processing", "retry", "completed", "failed", NULL };

enum {
	F_ID, F_JOB_TYPE, F_STATUS, F_PLATFORM, F_VIDEO_ID, F_VIDEO_TITLE, F_CLIP_ID, F_CREATED_AT, F_UPDATED_AT,
	F_AGE_SECONDS, F_ERROR_MESSAGE, F_PARAMS, F_RESULT, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the job." },
	[F_JOB_TYPE] = { .name = "job_type", .type = PH_TEXT, .text = "What it does." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = statuses, .text = "How far it is." },
	[F_PLATFORM] = { .name = "platform", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The platform that its params name, trimmed and in lower case." },
	[F_VIDEO_ID] = { .name = "video_id", .type = PH_TEXT, .is_nullable = 1, .text = "The video it works on." },
	[F_VIDEO_TITLE] = { .name = "video_title", .type = PH_TEXT, .is_nullable = 1, .text = "Its title." },
	[F_CLIP_ID] = { .name = "clip_id", .type = PH_TEXT, .is_nullable = 1, .text = "The clip it works on." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .text = "When it changed last." },
	[F_AGE_SECONDS] = { .name = "age_seconds", .type = PH_DECIMAL, .places = 3, .unit = "s",
	    .text = "Since created_at, in any status; never below 0." },
	[F_ERROR_MESSAGE] = { .name = "error_message", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The last error. In a list at most 2048 bytes of it." },
	[F_PARAMS] = { .name = "params", .type = PH_ANY, .is_nullable = 1,
	    .text = "JSON; what is not well-formed, or longer than 2048 bytes in a list, is shown as a text." },
	[F_RESULT] = { .name = "result", .type = PH_ANY, .is_nullable = 1, .text = "The same of its result." },
};

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_JOB_TYPE] = { "t.job_type" },
	[F_STATUS] = { "t.status" },
	[F_PLATFORM] = { "t.params_platform" },
	[F_VIDEO_ID] = { "t.video_asset_id" },
	[F_VIDEO_TITLE] = { "v.title" },
	[F_CLIP_ID] = { "t.clip_id" },
	[F_CREATED_AT] = { "t.created_at" },
	[F_UPDATED_AT] = { "t.updated_at" },
	[F_AGE_SECONDS] = { "max(0, $1 - t.created_at)", 1000 },
	[F_ERROR_MESSAGE] = { "t.error_message" },
	[F_PARAMS] = { "t.params" },
	[F_RESULT] = { "t.result" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "created_at", .sql = "t.created_at", .index = "ix_jobs_created", .status_index = "ix_jobs_status",
	    .platform_index = "ix_jobs_platform" },
};

static const struct ph_list_extra extras[] = {
	{ .param = { .name = "job_type", .type = PH_P_TEXT, .min = 1, .max = 100, .text = "Only jobs of this type." },
	    .sql = "t.job_type = $14" },
	{ .param = { .name = "clip_id", .type = PH_P_TEXT, .min = 1, .max = 200, .text = "Only those on this clip." },
	    .sql = "t.clip_id = $15", .index = "ix_jobs_clip" },
	{ .param = { .name = "video_id", .type = PH_P_TEXT, .min = 1, .max = 200, .text = "Only those on this video." },
	    .sql = "t.video_asset_id = $16", .index = "ix_jobs_video" },
};

const struct ph_list ph_list_jobs = {
	.name = "jobs", .route = "dashboard-jobs", .path = "/dashboard/jobs", .scope = "dashboard:read",
	.summary = "Jobs, newest first",
	.table = "jobs", .joins = " LEFT JOIN video_assets AS v ON v.id = t.video_asset_id",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
	.time = "t.created_at", .status = "t.status", .statuses = statuses,
	.platform = PH_FILTER_SQL_JOB("t"),
	/* No arm for other: it is many values of the index. */
	.platform_arms = { "t.params_platform = 'instagram'", "t.params_platform = 'tiktok'",
	    "t.params_platform = 'youtube'", NULL, "t.params_platform = 'facebook'" },
	.searches = { "t.job_type", "t.error_message",
	    "(SELECT title FROM video_assets AS sv WHERE sv.id = t.video_asset_id)" },
	.extras = extras, .nextras = sizeof(extras) / sizeof(extras[0]),
};
