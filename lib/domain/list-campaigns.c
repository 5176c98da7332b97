/*
 * list-campaigns.c -- campaigns: money spent on clips.
 */
#include "autoconf.h"

#include "domain/lists.h"

enum { CENTS = 100 };

static const char *const statuses[] = { "draft", "active", "paused", "completed", NULL };

enum {
	F_ID, F_NAME, F_STATUS, F_CLIP_ID, F_VIDEO_TITLE, F_BUDGET, F_BUDGET_SPENT, F_PLATFORMS, F_PUBLICATIONS,
	F_PUBLISHED, F_PER_PLATFORM, F_CREATED_AT, F_UPDATED_AT, F_TARGETING, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the campaign." },
	[F_NAME] = { .name = "name", .type = PH_TEXT, .text = "What it is called." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = statuses, .text = "How far it is." },
	[F_CLIP_ID] = { .name = "clip_id", .type = PH_TEXT, .text = "The clip it is spent on." },
	[F_VIDEO_TITLE] = { .name = "video_title", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Title of the video that the clip is cut from." },
	[F_BUDGET] = { .name = "budget", .type = PH_DECIMAL, .places = 2, .unit = "units of the currency",
	    .text = "budget_cents / 100." },
	[F_BUDGET_SPENT] = { .name = "budget_spent", .type = PH_DECIMAL, .places = 2, .unit = "units of the currency",
	    .text = "budget_spent_cents / 100." },
	[F_PLATFORMS] = { .name = "platforms", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Platforms on which the clip has publish logs, comma-separated; null: none. Further names are other." },
	[F_PUBLICATIONS] = { .name = "publication_count", .text = "Publish logs of the clip in any status." },
	[F_PUBLISHED] = { .name = "published_count", .text = "Those in status success." },
	[F_PER_PLATFORM] = { .name = "publications_per_platform", .type = PH_ANY,
	    .text = "An object: the publish logs of the clip on instagram, tiktok, youtube, other and facebook, which "
		"is a part of other; without those where there are none." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .text = "When it changed last." },
	[F_TARGETING] = { .name = "targeting", .type = PH_ANY, .is_nullable = 1,
	    .text = "JSON; what is not well-formed, or longer than 2048 bytes in a list, is shown as a text." },
};

/* facebook's logs are counted under other, too. */
#define OF_CLIP(what) "(SELECT coalesce(sum(" what "), 0) FROM clip_counts AS n WHERE n.clip_id = t.clip_id" \
	" AND n.platform <> 'facebook')"

static const struct ph_list_column columns[F__MAX] = {
	[F_ID] = { "t.id" },
	[F_NAME] = { "t.name" },
	[F_STATUS] = { "t.status" },
	[F_CLIP_ID] = { "t.clip_id" },
	[F_VIDEO_TITLE] = { "v.title" },
	[F_BUDGET] = { "t.budget_cents", CENTS },
	[F_BUDGET_SPENT] = { "t.budget_spent_cents", CENTS },
	[F_PLATFORMS] = { "(SELECT group_concat(key, ',') FROM (SELECT DISTINCT platform_key AS key FROM publish_logs"
	    " AS l WHERE l.clip_id = t.clip_id ORDER BY key))" },
	[F_PUBLICATIONS] = { OF_CLIP("n.n") },
	[F_PUBLISHED] = { OF_CLIP("n.success") },
	[F_PER_PLATFORM] = { "(SELECT json_group_object(platform, n) FROM clip_counts AS n WHERE n.clip_id = t.clip_id"
	    " AND n.n > 0)" },
	[F_CREATED_AT] = { "t.created_at" },
	[F_UPDATED_AT] = { "t.updated_at" },
	[F_TARGETING] = { "t.targeting" },
};

static const struct ph_list_sort sorts[] = {
	{ .name = "created_at", .sql = "t.created_at", .index = "ix_campaigns_created",
	    .status_index = "ix_campaigns_status" },
};

static const struct ph_list_extra extras[] = {
	{ .param = { .name = "clip_id", .type = PH_P_TEXT, .min = 1, .max = 200, .text = "Only those of this clip." },
	    .sql = "t.clip_id = $14", .index = "ix_campaigns_clip" },
};

const struct ph_list ph_list_campaigns = {
	.name = "campaigns", .route = "dashboard-campaign-list", .path = "/dashboard/campaigns", .scope = "dashboard:read",
	.summary = "Campaigns, newest first",
	.table = "campaigns",
	.joins = " LEFT JOIN clips AS c ON c.id = t.clip_id LEFT JOIN video_assets AS v ON v.id = c.video_asset_id",
	.fields = fields, .columns = columns, .nfields = F__MAX,
	.sorts = sorts, .nsorts = sizeof(sorts) / sizeof(sorts[0]),
	.time = "t.created_at", .status = "t.status", .statuses = statuses,
	.platform = PH_FILTER_SQL_CLIP("t.clip_id"),
	.searches = { "t.name", "(SELECT title FROM clips AS sc JOIN video_assets AS sv ON sv.id = sc.video_asset_id"
	    " WHERE sc.id = t.clip_id)" },
	.extras = extras, .nextras = sizeof(extras) / sizeof(extras[0]),
};
