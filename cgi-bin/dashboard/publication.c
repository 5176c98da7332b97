/*
 * publication.c -- GET /dashboard/publications/{id}
 *
 * A publish log: its row in full, and what happened to it.
 * lib/domain/list-publications.c declares the row.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const struct ph_list_part parts[] = {
	{ .name = "events", .text = "Its ledger events, newest first, at most 500.",
	    .list = &ph_list_ledger, .sql = "t.entity_type = 'publish_log' AND t.entity_id = $14", .index = "ix_ledger_entity" },
};

static const struct ph_list_item item = {
	.list = &ph_list_publications, .route = "dashboard-publication", .path = "/dashboard/publications/{id}",
	.summary = "A publish log, its row in full, and what happened to it", .what = "publication",
	.parts = parts, .nparts = sizeof(parts) / sizeof(parts[0]),
};

int
main(int argc, char **argv)
{
	return ph_list_item_main(&item, argc, argv);
}
