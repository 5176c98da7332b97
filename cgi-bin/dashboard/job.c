/*
 * job.c -- GET /dashboard/jobs/{id}
 *
 * A job: its row in full, and what happened in it.
 * lib/domain/list-jobs.c declares the row.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const struct ph_list_part parts[] = {
	{ .name = "events", .text = "Its ledger events, newest first, at most 500.",
	    .list = &ph_list_ledger, .sql = "t.job_id = $14", .index = "ix_ledger_job" },
};

static const struct ph_list_item item = {
	.list = &ph_list_jobs, .route = "dashboard-job", .path = "/dashboard/jobs/{id}",
	.summary = "A job, its row in full, and what happened in it", .what = "job",
	.parts = parts, .nparts = sizeof(parts) / sizeof(parts[0]),
};

int
main(int argc, char **argv)
{
	return ph_list_item_main(&item, argc, argv);
}
