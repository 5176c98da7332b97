/*
 * list-audit.c -- the audit log: who changed, exported or tried what.
 */
#include "autoconf.h"

#include "domain/lists.h"

enum {
	F_ID, F_AT, F_ACTOR, F_ACTION, F_TARGET, F_STATUS, F_METHOD, F_PATH, F_ADDRESS, F_TOKEN_ID, F_REQUEST_ID,
	F_DURATION_MS, F_QUERY_HASH, F_DETAIL, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_INTEGER, .text = "Grows with each entry." },
	[F_AT] = { .name = "at", .type = PH_TIME, .text = "When it happened." },
	[F_ACTOR] = { .name = "actor", .type = PH_TEXT, .text = "User name, or local for the operator's command." },
	[F_ACTION] = { .name = "action", .type = PH_TEXT, .text = "What was done, e.g. token.create." },
	[F_TARGET] = { .name = "target", .type = PH_TEXT, .is_nullable = 1, .text = "Id of what it was done to." },
	[F_STATUS] = { .name = "status", .type = PH_INTEGER, .is_nullable = 1,
	    .text = "HTTP status; null, as the next ones, if it was no request." },
	[F_METHOD] = { .name = "method", .type = PH_TEXT, .is_nullable = 1, .text = "Of the request." },
	[F_PATH] = { .name = "path", .type = PH_TEXT, .is_nullable = 1, .text = "Of the request." },
	[F_ADDRESS] = { .name = "address", .type = PH_TEXT, .is_nullable = 1, .text = "Of the client." },
	[F_TOKEN_ID] = { .name = "token_id", .type = PH_TEXT, .is_nullable = 1, .text = "Public part of the token." },
	[F_REQUEST_ID] = { .name = "request_id", .type = PH_TEXT, .is_nullable = 1, .text = "As in the logs." },
	[F_DURATION_MS] = { .name = "duration_ms", .type = PH_INTEGER, .is_nullable = 1, .unit = "ms",
	    .text = "Until the entry was written." },
	[F_QUERY_HASH] = { .name = "query_hash", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Half of the SHA-256 of the query, which may name what is private." },
	[F_DETAIL] = { .name = "detail", .type = PH_ANY, .is_nullable = 1,
	    .text = "JSON; what is not well-formed, or longer than 2048 bytes, is shown as a text." },
};

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_AT] = { "t.at" },
	[F_ACTOR] = { "t.actor" },
	[F_ACTION] = { "t.action" },
	[F_TARGET] = { "t.target" },
	[F_STATUS] = { "t.status" },
	[F_METHOD] = { "t.method" },
	[F_PATH] = { "t.path" },
	[F_ADDRESS] = { "t.address" },
	[F_TOKEN_ID] = { "t.token_id" },
	[F_REQUEST_ID] = { "t.request_id" },
	[F_DURATION_MS] = { "t.duration_ms" },
	[F_QUERY_HASH] = { "t.query_hash" },
	[F_DETAIL] = { "t.detail" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "at", .sql = "t.at", .index = "ix_audit_at" },
};

static const struct ph_list_extra extras[] = {
	{ .param = { .name = "action", .type = PH_P_TEXT, .min = 1, .max = 100, .text = "Only entries of this action." },
	    .sql = "t.action = $14", .index = "ix_audit_action", .is_ordered = 1 },
	{ .param = { .name = "actor", .type = PH_P_TEXT, .min = 1, .max = 64, .text = "Only what this user did." },
	    .sql = "t.actor = $15" },
	{ .param = { .name = "target", .type = PH_P_TEXT, .min = 1, .max = 200, .text = "Only what was done to this." },
	    .sql = "t.target = $16" },
};

const struct ph_list ph_list_audit = {
	.name = "audit", .route = "dashboard-audit", .path = "/dashboard/audit", .scope = "admin",
	.summary = "The audit log, newest first",
	.table = "audit_log",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
	.time = "t.at",
	.searches = { "t.action", "t.target", "t.path" },
	.extras = extras, .nextras = sizeof(extras) / sizeof(extras[0]),
};
