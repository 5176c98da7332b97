/*
 * clip.c -- GET /dashboard/clips/{id}
 *
 * A clip: its row in full, what was rendered from it, and where it was posted.
 * lib/domain/list-clips.c declares the row.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const struct ph_list_part parts[] = {
	{ .name = "variants", .text = "It, rendered for platforms, at most 500.",
	    .list = &ph_list_variants, .sql = "t.clip_id = $14", .index = "ix_variants_clip" },
	{ .name = "publications", .text = "Publications of the clip, newest request first, at most 500.",
	    .list = &ph_list_publications, .sql = "t.clip_id = $14", .index = "ix_logs_clip" },
};

static const struct ph_list_item item = {
	.list = &ph_list_clips, .route = "dashboard-clip", .path = "/dashboard/clips/{id}",
	.summary = "A clip, its row in full, what was rendered from it, and where it was posted", .what = "clip",
	.parts = parts, .nparts = sizeof(parts) / sizeof(parts[0]),
};

int
main(int argc, char **argv)
{
	return ph_list_item_main(&item, argc, argv);
}
