/*
 * list-alerts.c -- alerts: what the rules raised.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const char *const states[] = { "firing", "resolved", NULL };
static const char *const severities[] = { "info", "warning", "critical", NULL };
static const char *const truths[] = { "false", "true", NULL };

enum {
	F_ID, F_ALERT_TYPE, F_SEVERITY, F_STATE, F_MESSAGE, F_READ, F_RULE_ID, F_CREATED_AT, F_UPDATED_AT, F_RESOLVED_AT,
	F_ACKED_AT, F_ACKED_BY, F_SNOOZED_UNTIL, F_METADATA, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the alert." },
	[F_ALERT_TYPE] = { .name = "alert_type", .type = PH_TEXT, .text = "What it is about." },
	[F_SEVERITY] = { .name = "severity", .type = PH_TEXT, .choices = severities, .text = "How grave it is." },
	[F_STATE] = { .name = "state", .type = PH_TEXT, .choices = states, .text = "Whether it still holds." },
	[F_MESSAGE] = { .name = "message", .type = PH_TEXT, .text = "What it says." },
	[F_READ] = { .name = "read", .type = PH_BOOL, .text = "Whether somebody has seen it." },
	[F_RULE_ID] = { .name = "rule_id", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The rule that raised it; it may have been deleted since." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it began." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .text = "When it was raised again." },
	[F_RESOLVED_AT] = { .name = "resolved_at", .type = PH_TIME, .is_nullable = 1, .text = "When it ended." },
	[F_ACKED_AT] = { .name = "acked_at", .type = PH_TIME, .is_nullable = 1, .text = "When it was acknowledged." },
	[F_ACKED_BY] = { .name = "acked_by", .type = PH_TEXT, .is_nullable = 1, .text = "By whom." },
	[F_SNOOZED_UNTIL] = { .name = "snoozed_until", .type = PH_TIME, .is_nullable = 1,
	    .text = "Until then nobody is told of it." },
	[F_METADATA] = { .name = "metadata", .type = PH_ANY,
	    .text = "JSON; what is not well-formed, or longer than 2048 bytes, is shown as a text." },
};

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_ALERT_TYPE] = { "t.alert_type" },
	[F_SEVERITY] = { "t.severity" },
	[F_STATE] = { "t.state" },
	[F_MESSAGE] = { "t.message" },
	[F_READ] = { "t.read" },
	[F_RULE_ID] = { "t.rule_id" },
	[F_CREATED_AT] = { "t.created_at" },
	[F_UPDATED_AT] = { "t.updated_at" },
	[F_RESOLVED_AT] = { "t.resolved_at" },
	[F_ACKED_AT] = { "t.acked_at" },
	[F_ACKED_BY] = { "t.acked_by" },
	[F_SNOOZED_UNTIL] = { "t.snoozed_until" },
	[F_METADATA] = { "t.metadata" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "created_at", .sql = "t.created_at", .index = "ix_alerts_created" },
};

static const struct ph_list_extra extras[] = {
	{ .param = { .name = "read", .type = PH_P_CHOICE, .choices = truths, .dflt = -1,
	    .text = "Only those that were read, or that were not." },
	    .sql = "t.read = ($14 = 'true')" },
	{ .param = { .name = "severity", .type = PH_P_CHOICE, .choices = severities, .dflt = -1,
	    .text = "Only those of this severity." },
	    .sql = "t.severity = $15" },
	{ .param = { .name = "alert_type", .type = PH_P_TEXT, .min = 1, .max = 100, .text = "Only those of this type." },
	    .sql = "t.alert_type = $16" },
};

const struct ph_list ph_list_alerts = {
	.name = "alerts", .route = "dashboard-alerts", .path = "/dashboard/alerts", .scope = "dashboard:read",
	.summary = "Alerts, newest first",
	.table = "alert_events",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
	.time = "t.created_at", .status = "t.state", .statuses = states,
	.searches = { "t.message", "t.alert_type" },
	.extras = extras, .nextras = sizeof(extras) / sizeof(extras[0]),
};
