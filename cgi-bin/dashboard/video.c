/*
 * video.c -- GET /dashboard/videos/{id}
 *
 * A video: its row in full, and its clips.
 * lib/domain/list-videos.c declares the row.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const struct ph_list_part parts[] = {
	{ .name = "clips", .text = "Its clips, newest first, at most 500.",
	    .list = &ph_list_clips, .sql = "t.video_asset_id = $14", .index = "ix_clips_video" },
};

static const struct ph_list_item item = {
	.list = &ph_list_videos, .route = "dashboard-video", .path = "/dashboard/videos/{id}",
	.summary = "A video, its row in full, and its clips", .what = "video",
	.parts = parts, .nparts = sizeof(parts) / sizeof(parts[0]),
};

int
main(int argc, char **argv)
{
	return ph_list_item_main(&item, argc, argv);
}
