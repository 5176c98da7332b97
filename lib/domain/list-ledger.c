/*
 * list-ledger.c -- ledger events: what the publishing system did, append-only.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const char *const severities[] = { "INFO", "WARN", "ERROR", NULL };

enum {
	F_ID, F_TIMESTAMP, F_EVENT_TYPE, F_SEVERITY, F_ENTITY_TYPE, F_ENTITY_ID, F_WORKER_ID, F_JOB_ID, F_CLIP_ID,
	F_EVENT_DATA, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the event." },
	[F_TIMESTAMP] = { .name = "timestamp", .type = PH_TIME, .text = "When it happened." },
	[F_EVENT_TYPE] = { .name = "event_type", .type = PH_TEXT, .text = "What happened." },
	[F_SEVERITY] = { .name = "severity", .type = PH_TEXT, .choices = severities, .text = "How grave it is." },
	[F_ENTITY_TYPE] = { .name = "entity_type", .type = PH_TEXT, .is_nullable = 1, .text = "What kind of thing it is about." },
	[F_ENTITY_ID] = { .name = "entity_id", .type = PH_TEXT, .is_nullable = 1, .text = "Which one." },
	[F_WORKER_ID] = { .name = "worker_id", .type = PH_TEXT, .is_nullable = 1, .text = "Who did it." },
	[F_JOB_ID] = { .name = "job_id", .type = PH_TEXT, .is_nullable = 1, .text = "In which job." },
	[F_CLIP_ID] = { .name = "clip_id", .type = PH_TEXT, .is_nullable = 1, .text = "On which clip." },
	[F_EVENT_DATA] = { .name = "event_data", .type = PH_ANY, .is_nullable = 1,
	    .text = "JSON; what is not well-formed, or longer than 2048 bytes, is shown as a text." },
};

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_TIMESTAMP] = { "t.timestamp" },
	[F_EVENT_TYPE] = { "t.event_type" },
	[F_SEVERITY] = { "t.severity" },
	[F_ENTITY_TYPE] = { "t.entity_type" },
	[F_ENTITY_ID] = { "t.entity_id" },
	[F_WORKER_ID] = { "t.worker_id" },
	[F_JOB_ID] = { "t.job_id" },
	[F_CLIP_ID] = { "t.clip_id" },
	[F_EVENT_DATA] = { "t.event_data" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "timestamp", .sql = "t.timestamp", .index = "ix_ledger_time" },
};

static const struct ph_list_extra extras[] = {
	{ .param = { .name = "clip_id", .type = PH_P_TEXT, .min = 1, .max = 200, .text = "Only those on this clip." },
	    .sql = "t.clip_id = $14", .index = "ix_ledger_clip" },
	{ .param = { .name = "job_id", .type = PH_P_TEXT, .min = 1, .max = 200, .text = "Only those in this job." },
	    .sql = "t.job_id = $15", .index = "ix_ledger_job" },
	{ .param = { .name = "event_type", .type = PH_P_TEXT, .min = 1, .max = 100, .text = "Only events of this type." },
	    .sql = "t.event_type = $16", .index = "ix_ledger_type", .is_ordered = 1 },
	{ .param = { .name = "severity", .type = PH_P_CHOICE, .choices = severities, .dflt = -1,
	    .text = "Only events of this severity." },
	    .sql = "t.severity = $17" },
};

const struct ph_list ph_list_ledger = {
	.name = "ledger", .route = "dashboard-ledger", .path = "/dashboard/ledger", .scope = "dashboard:read",
	.summary = "Ledger events, newest first",
	.table = "ledger_events",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
	.time = "t.timestamp",
	.searches = { "t.event_type", "t.event_data" },
	.extras = extras, .nextras = sizeof(extras) / sizeof(extras[0]),
};
