/*
 * campaign.c -- GET /dashboard/campaigns/{id}
 *
 * A campaign: its row in full, and what became of its clip.
 * lib/domain/list-campaigns.c declares the row.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const struct ph_list_part parts[] = {
	{ .name = "publications", .text = "Publications of the clip, newest request first, at most 500.",
	    .list = &ph_list_publications, .sql = "t.clip_id = (SELECT clip_id FROM campaigns WHERE id = $14)", .index = "ix_logs_clip" },
};

static const struct ph_list_item item = {
	.list = &ph_list_campaigns, .route = "dashboard-campaign", .path = "/dashboard/campaigns/{id}",
	.summary = "A campaign, its row in full, and what became of its clip", .what = "campaign",
	.parts = parts, .nparts = sizeof(parts) / sizeof(parts[0]),
};

int
main(int argc, char **argv)
{
	return ph_list_item_main(&item, argc, argv);
}
