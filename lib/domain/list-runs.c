/*
 * list-runs.c -- runs of the orchestrator.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const char *const triggers[] = { "loop", "manual", NULL };

enum {
	F_ID, F_STARTED_AT, F_FINISHED_AT, F_DURATION_MS, F_TRIGGER, F_ACTIONS, F_SUCCEEDED, F_FAILED, F_SUMMARY, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the run." },
	[F_STARTED_AT] = { .name = "started_at", .type = PH_TIME, .text = "When it began." },
	[F_FINISHED_AT] = { .name = "finished_at", .type = PH_TIME, .is_nullable = 1,
	    .text = "When it ended; null: still running, or killed." },
	[F_DURATION_MS] = { .name = "duration_ms", .type = PH_INTEGER, .is_nullable = 1, .unit = "ms",
	    .text = "How long it took." },
	[F_TRIGGER] = { .name = "trigger", .type = PH_TEXT, .choices = triggers, .text = "What started it." },
	[F_ACTIONS] = { .name = "actions", .type = PH_INTEGER, .text = "Actions that it took." },
	[F_SUCCEEDED] = { .name = "succeeded", .type = PH_INTEGER, .text = "Those that worked." },
	[F_FAILED] = { .name = "failed", .type = PH_INTEGER, .text = "Those that did not." },
	[F_SUMMARY] = { .name = "summary", .type = PH_TEXT, .is_nullable = 1, .text = "What it did, in words." },
};

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_STARTED_AT] = { "t.started_at" },
	[F_FINISHED_AT] = { "t.finished_at" },
	[F_DURATION_MS] = { "t.finished_at - t.started_at" },
	[F_TRIGGER] = { "t.trigger" },
	[F_ACTIONS] = { "t.actions" },
	[F_SUCCEEDED] = { "t.succeeded" },
	[F_FAILED] = { "t.failed" },
	[F_SUMMARY] = { "t.summary" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "started_at", .sql = "t.started_at", .index = "ix_runs_started" },
};

static const struct ph_list_extra extras[] = {
	{ .param = { .name = "trigger", .type = PH_P_CHOICE, .choices = triggers, .dflt = -1,
	    .text = "Only runs that were started so." },
	    .sql = "t.trigger = $14" },
};

const struct ph_list ph_list_runs = {
	.name = "runs", .route = "dashboard-runs", .path = "/dashboard/orchestrator/runs", .scope = "dashboard:read",
	.summary = "Runs of the orchestrator, newest first",
	.table = "orchestrator_runs",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
	.time = "t.started_at",
	.searches = { "t.summary" },
	.extras = extras, .nextras = sizeof(extras) / sizeof(extras[0]),
};
