/*
 * list-clips.c -- clips, which are cut from videos.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const char *const statuses[] = { "pending", "processing", "ready", "published", "failed", NULL };

enum {
	F_ID, F_VIDEO_ID, F_VIDEO_TITLE, F_STATUS, F_VISUAL_SCORE, F_START_MS, F_END_MS, F_DURATION_MS,
	F_PUBLICATIONS, F_PUBLISHED, F_CREATED_AT, F_UPDATED_AT, F_PARAMS, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the clip." },
	[F_VIDEO_ID] = { .name = "video_id", .type = PH_TEXT, .text = "The video it is cut from." },
	[F_VIDEO_TITLE] = { .name = "video_title", .type = PH_TEXT, .is_nullable = 1, .text = "Its title." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = statuses, .text = "How far it is." },
	[F_VISUAL_SCORE] = { .name = "visual_score", .type = PH_DECIMAL, .places = 4, .is_nullable = 1,
	    .unit = "score 0 to 1", .text = "How good it looks; null: not scored yet." },
	[F_START_MS] = { .name = "start_ms", .type = PH_INTEGER, .unit = "ms", .text = "Where it begins in the video." },
	[F_END_MS] = { .name = "end_ms", .type = PH_INTEGER, .unit = "ms", .text = "Where it ends." },
	[F_DURATION_MS] = { .name = "duration_ms", .type = PH_INTEGER, .unit = "ms", .text = "How long it is." },
	[F_PUBLICATIONS] = { .name = "publication_count", .text = "Its publish logs in any status." },
	[F_PUBLISHED] = { .name = "published_count", .text = "Those in status success." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .text = "When it changed last." },
	[F_PARAMS] = { .name = "params", .type = PH_ANY, .is_nullable = 1,
	    .text = "JSON; what is not well-formed, or longer than 2048 bytes in a list, is shown as a text." },
};

/* facebook's logs are counted under other, too. */
#define OF_CLIP(what) "(SELECT coalesce(sum(" what "), 0) FROM clip_counts AS n WHERE n.clip_id = t.id" \
	" AND n.platform <> 'facebook')"

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_VIDEO_ID] = { "t.video_asset_id" },
	[F_VIDEO_TITLE] = { "v.title" },
	[F_STATUS] = { "t.status" },
	[F_VISUAL_SCORE] = { "t.visual_score" },
	[F_START_MS] = { "t.start_ms" },
	[F_END_MS] = { "t.end_ms" },
	[F_DURATION_MS] = { "t.duration_ms" },
	[F_PUBLICATIONS] = { OF_CLIP("n.n") },
	[F_PUBLISHED] = { OF_CLIP("n.success") },
	[F_CREATED_AT] = { "t.created_at" },
	[F_UPDATED_AT] = { "t.updated_at" },
	[F_PARAMS] = { "t.params" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "created_at", .sql = "t.created_at", .index = "ix_clips_created", .status_index = "ix_clips_status" },
	{ .name = "visual_score", .sql = "t.visual_score", .condition = "t.visual_score IS NOT NULL", .is_real = 1,
	    .index = "ix_clips_score", .text = "only clips with a score" },
};

static const struct ph_list_extra extras[] = {
	{ .param = { .name = "video_id", .type = PH_P_TEXT, .min = 1, .max = 200, .text = "Only those of this video." },
	    .sql = "t.video_asset_id = $14", .index = "ix_clips_video" },
};

const struct ph_list ph_list_clips = {
	.name = "clips", .route = "dashboard-clips", .path = "/dashboard/clips", .scope = "dashboard:read",
	.summary = "Clips, newest first",
	.table = "clips", .joins = " LEFT JOIN video_assets AS v ON v.id = t.video_asset_id",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
	.time = "t.created_at", .status = "t.status", .statuses = statuses,
	.platform = PH_FILTER_SQL_CLIP("t.id"),
	.searches = { "(SELECT title FROM video_assets AS sv WHERE sv.id = t.video_asset_id)" },
	.extras = extras, .nextras = sizeof(extras) / sizeof(extras[0]),
};
