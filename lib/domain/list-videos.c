/*
 * list-videos.c -- videos, which are cut into clips.
 */
#include "autoconf.h"

#include "domain/lists.h"

enum {
	F_ID, F_TITLE, F_DESCRIPTION, F_RELEASE_DATE, F_DURATION_MS, F_FILE_PATH, F_FILE_SIZE, F_CLIPS, F_CREATED_AT,
	F_UPDATED_AT, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the video." },
	[F_TITLE] = { .name = "title", .type = PH_TEXT, .is_nullable = 1, .text = "What it is called." },
	[F_DESCRIPTION] = { .name = "description", .type = PH_TEXT, .is_nullable = 1,
	    .text = "What it is about. In a list at most 2048 bytes of it." },
	[F_RELEASE_DATE] = { .name = "release_date", .type = PH_TIME, .is_nullable = 1, .text = "When it is released." },
	[F_DURATION_MS] = { .name = "duration_ms", .type = PH_INTEGER, .is_nullable = 1, .unit = "ms",
	    .text = "How long it is." },
	[F_FILE_PATH] = { .name = "file_path", .type = PH_TEXT, .is_nullable = 1, .text = "Where its file lies." },
	[F_FILE_SIZE] = { .name = "file_size", .type = PH_INTEGER, .is_nullable = 1, .unit = "bytes",
	    .text = "Of that file." },
	[F_CLIPS] = { .name = "clip_count", .text = "Clips that are cut from it." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .text = "When it changed last." },
};

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_TITLE] = { "t.title" },
	[F_DESCRIPTION] = { "t.description" },
	[F_RELEASE_DATE] = { "t.release_date" },
	[F_DURATION_MS] = { "t.duration_ms" },
	[F_FILE_PATH] = { "t.file_path" },
	[F_FILE_SIZE] = { "t.file_size" },
	[F_CLIPS] = { "(SELECT count(*) FROM clips AS n WHERE n.video_asset_id = t.id)" },
	[F_CREATED_AT] = { "t.created_at" },
	[F_UPDATED_AT] = { "t.updated_at" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "created_at", .sql = "t.created_at", .index = "ix_videos_created" },
};

const struct ph_list ph_list_videos = {
	.name = "videos", .route = "dashboard-videos", .path = "/dashboard/videos", .scope = "dashboard:read",
	.summary = "Videos, newest first",
	.table = "video_assets",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
	.time = "t.created_at",
	.platform = "EXISTS (SELECT 1 FROM clips AS of_video WHERE of_video.video_asset_id = t.id AND "
	    PH_FILTER_SQL_CLIP("of_video.id") ")",
	.searches = { "t.title" },
};
