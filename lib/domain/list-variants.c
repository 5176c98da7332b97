/*
 * list-variants.c -- variants of a clip: it, rendered for a platform.  Shown with the clip only.
 */
#include "autoconf.h"

#include "domain/lists.h"

static const char *const statuses[] = { "pending", "ready", "failed", NULL };

enum {
	F_ID, F_VARIANT_NUMBER, F_PLATFORM, F_STATUS, F_VISUAL_SCORE, F_DURATION_MS, F_URL, F_FILE_PATH, F_CREATED_AT,
	F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the variant." },
	[F_VARIANT_NUMBER] = { .name = "variant_number", .type = PH_INTEGER, .text = "Its number within the clip." },
	[F_PLATFORM] = { .name = "platform", .type = PH_TEXT,
	    .text = "What it is rendered for, trimmed and in lower case." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = statuses, .text = "How far it is." },
	[F_VISUAL_SCORE] = { .name = "visual_score", .type = PH_DECIMAL, .places = 4, .is_nullable = 1,
	    .unit = "score 0 to 1", .text = "How good it looks; null: not scored yet." },
	[F_DURATION_MS] = { .name = "duration_ms", .type = PH_INTEGER, .is_nullable = 1, .unit = "ms",
	    .text = "How long it is." },
	[F_URL] = { .name = "url", .type = PH_TEXT, .is_nullable = 1, .text = "Where it can be seen." },
	[F_FILE_PATH] = { .name = "file_path", .type = PH_TEXT, .is_nullable = 1, .text = "Where its file lies." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
};

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_VARIANT_NUMBER] = { "t.variant_number" },
	[F_PLATFORM] = { "lower(trim(t.platform))" },
	[F_STATUS] = { "t.status" },
	[F_VISUAL_SCORE] = { "t.visual_score" },
	[F_DURATION_MS] = { "t.duration_ms" },
	[F_URL] = { "t.url" },
	[F_FILE_PATH] = { "t.file_path" },
	[F_CREATED_AT] = { "t.created_at" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "variant_number", .sql = "t.variant_number", .is_ascending = 1, .index = "ix_variants_clip" },
};

const struct ph_list ph_list_variants = {
	.name = "variants", .table = "clip_variants",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
};
