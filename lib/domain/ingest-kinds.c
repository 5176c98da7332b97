/*
 * ingest-kinds.c -- the kinds of rows that may be brought in: their members, limits and SQL.
 */
#include "autoconf.h"

#include <string.h>
#include <strings.h>

#include "domain/filter.h"
#include "domain/ingest-member.h"
#include "domain/lifecycle.h"

#define EXISTS(table) "SELECT 1 FROM " table " WHERE id = $1 AND $2 IS $2"

/* -- videos --------------------------------------------------------------------------- */

enum { V_ID, V_TITLE, V_DESCRIPTION, V_RELEASE_DATE, V_FILE_PATH, V_FILE_SIZE, V_DURATION_MS, V_IDEMPOTENCY_KEY,
    V_CREATED_AT, V_UPDATED_AT, V__MAX };
static const struct ph_param videos[V__MAX] = {
	[V_ID] = OWN_ID,
	[V_TITLE] = TEXT("title", TITLE_MAX, "Its title."),
	[V_DESCRIPTION] = BODY("description", PH_P_MULTILINE, .max = TEXT_MAX, .text = "Its description."),
	[V_RELEASE_DATE] = INSTANT("release_date", "When it is or was released."),
	[V_FILE_PATH] = TEXT("file_path", PATH_BYTES, "Where its file lies."),
	[V_FILE_SIZE] = BODY("file_size", PH_P_INT, .max = EXACT_MAX, .unit = "bytes", .text = "Size of the file."),
	[V_DURATION_MS] = BODY("duration_ms", PH_P_INT, .max = LONG_MS, .unit = "ms", .text = "How long it runs."),
	[V_IDEMPOTENCY_KEY] = BODY("idempotency_key", PH_P_TEXT, .min = 1, .max = KEY_MAX,
	    .text = "The caller's own key of the video; no two videos have the same."),
	[V_CREATED_AT] = CREATED_AT,
	[V_UPDATED_AT] = UPDATED_AT,
};
static const char sql_find_video[] =
	"SELECT id, title, description, release_date, file_path, file_size, duration_ms, idempotency_key,"
	" created_at, updated_at FROM video_assets WHERE id = $1";
static const char sql_put_videos[] =
	"INSERT INTO video_assets (id, title, description, release_date, file_path, file_size, duration_ms,"
	" idempotency_key, created_at, updated_at)"
	" SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10 FROM temp.incoming WHERE n BETWEEN $1 AND $2"
	" ON CONFLICT (id) DO UPDATE SET title = excluded.title, description = excluded.description,"
	" release_date = excluded.release_date, file_path = excluded.file_path, file_size = excluded.file_size,"
	" duration_ms = excluded.duration_ms, idempotency_key = excluded.idempotency_key,"
	" created_at = excluded.created_at, updated_at = excluded.updated_at";

/* -- clips ---------------------------------------------------------------------------- */

static const char *const clip_statuses[] = { "pending", "processing", "ready", "published", "failed", NULL };

enum { C_ID, C_VIDEO_ASSET_ID, C_START_MS, C_END_MS, C_DURATION_MS, C_VISUAL_SCORE, C_STATUS, C_PARAMS,
    C_CREATED_AT, C_UPDATED_AT, C__MAX };
static const struct ph_param clips[C__MAX] = {
	[C_ID] = OWN_ID,
	[C_VIDEO_ASSET_ID] = BODY("video_asset_id", PH_P_TEXT, .is_required = 1, .min = 1,
	    .max = PH_INGEST_ID_MAX, .text = "The video it is cut from."),
	[C_START_MS] = BODY("start_ms", PH_P_INT, .is_required = 1, .max = LONG_MS, .unit = "ms",
	    .text = "Where it begins in the video."),
	[C_END_MS] = BODY("end_ms", PH_P_INT, .is_required = 1, .max = LONG_MS, .unit = "ms",
	    .text = "Where it ends in the video."),
	[C_DURATION_MS] = BODY("duration_ms", PH_P_INT, .is_required = 1, .max = LONG_MS, .unit = "ms",
	    .text = "How long it runs."),
	[C_VISUAL_SCORE] = BODY("visual_score", PH_P_NUMBER, .max = 1, .text = "0 to 1; null: not scored yet."),
	[C_STATUS] = BODY("status", PH_P_CHOICE, .choices = clip_statuses, .text = "How far it is."),
	[C_PARAMS] = JSON("params", "Any JSON of the caller's."),
	[C_CREATED_AT] = CREATED_AT,
	[C_UPDATED_AT] = UPDATED_AT,
};
static const char sql_find_clip[] =
	"SELECT id, video_asset_id, start_ms, end_ms, duration_ms, visual_score, status, params, created_at,"
	" updated_at FROM clips WHERE id = $1";
static const char sql_put_clips[] =
	"INSERT INTO clips (id, video_asset_id, start_ms, end_ms, duration_ms, visual_score, status, params,"
	" created_at, updated_at)"
	" SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10 FROM temp.incoming WHERE n BETWEEN $1 AND $2"
	" ON CONFLICT (id) DO UPDATE SET video_asset_id = excluded.video_asset_id,"
	" start_ms = excluded.start_ms, end_ms = excluded.end_ms, duration_ms = excluded.duration_ms,"
	" visual_score = excluded.visual_score, status = excluded.status, params = excluded.params,"
	" created_at = excluded.created_at, updated_at = excluded.updated_at";

/* -- jobs ----------------------------------------------------------------------------- */

enum { J_ID, J_JOB_TYPE, J_STATUS, J_PARAMS, J_DEDUP_KEY, J_VIDEO_ASSET_ID, J_CLIP_ID, J_RESULT, J_ERROR_MESSAGE,
    J_CREATED_AT, J_UPDATED_AT, J__MAX };
static const struct ph_param jobs[J__MAX] = {
	[J_ID] = OWN_ID,
	[J_JOB_TYPE] = BODY("job_type", PH_P_TEXT, .is_required = 1, .min = 1, .max = WORD_MAX,
	    .text = "What is done: cut, score, render."),
	[J_STATUS] = BODY("status", PH_P_CHOICE, .choices = ph_job_statuses, .dflt = PH_JOB_PENDING,
	    .text = "How far it is; of a job that is there it changes by its life cycle."),
	[J_PARAMS] = JSON("params", "Any JSON of the caller's; the text member platform is counted."),
	[J_DEDUP_KEY] = BODY("dedup_key", PH_P_TEXT, .min = 1, .max = KEY_MAX,
	    .text = "The caller's own key of the job; no two jobs have the same."),
	[J_VIDEO_ASSET_ID] = ID("video_asset_id", "The video it works on."),
	[J_CLIP_ID] = ID("clip_id", "The clip it works on."),
	[J_RESULT] = JSON("result", "What came of it."),
	[J_ERROR_MESSAGE] = BODY("error_message", PH_P_MULTILINE, .max = TEXT_MAX, .text = "Why it failed."),
	[J_CREATED_AT] = CREATED_AT,
	[J_UPDATED_AT] = UPDATED_AT,
};
static const char sql_find_job[] =
	"SELECT id, job_type, status, params, dedup_key, video_asset_id, clip_id, result, error_message,"
	" created_at, updated_at FROM jobs WHERE id = $1";
static const char sql_put_jobs[] =
	"INSERT INTO jobs (id, job_type, status, params, dedup_key, video_asset_id, clip_id, result,"
	" error_message, created_at, updated_at)"
	" SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 FROM temp.incoming WHERE n BETWEEN $1 AND $2"
	" ON CONFLICT (id) DO UPDATE SET job_type = excluded.job_type, status = excluded.status,"
	" params = excluded.params, dedup_key = excluded.dedup_key, video_asset_id = excluded.video_asset_id,"
	" clip_id = excluded.clip_id, result = excluded.result, error_message = excluded.error_message,"
	" created_at = excluded.created_at, updated_at = excluded.updated_at";

/* -- campaigns ------------------------------------------------------------------------ */

static const char *const campaign_statuses[] = { "draft", "active", "paused", "completed", NULL };

enum { K_ID, K_NAME, K_CLIP_ID, K_BUDGET_CENTS, K_BUDGET_SPENT_CENTS, K_TARGETING, K_STATUS, K_CREATED_AT,
    K_UPDATED_AT, K__MAX };
static const struct ph_param campaigns[K__MAX] = {
	[K_ID] = OWN_ID,
	[K_NAME] = BODY("name", PH_P_TEXT, .is_required = 1, .min = 1, .max = NAME_MAX_BYTES, .text = "Its name."),
	[K_CLIP_ID] = BODY("clip_id", PH_P_TEXT, .is_required = 1, .min = 1, .max = PH_INGEST_ID_MAX,
	    .text = "The clip that it promotes."),
	[K_BUDGET_CENTS] = BODY("budget_cents", PH_P_INT, .is_required = 1, .max = LONG_MS, .unit = "cents",
	    .text = "What may be spent."),
	[K_BUDGET_SPENT_CENTS] = BODY("budget_spent_cents", PH_P_INT, .max = LONG_MS, .unit = "cents",
	    .text = "What has been spent."),
	[K_TARGETING] = JSON("targeting", "Any JSON of the caller's."),
	[K_STATUS] = BODY("status", PH_P_CHOICE, .choices = campaign_statuses, .text = "How far it is."),
	[K_CREATED_AT] = CREATED_AT,
	[K_UPDATED_AT] = UPDATED_AT,
};
static const char sql_find_campaign[] =
	"SELECT id, name, clip_id, budget_cents, budget_spent_cents, targeting, status, created_at, updated_at"
	" FROM campaigns WHERE id = $1";
static const char sql_put_campaigns[] =
	"INSERT INTO campaigns (id, name, clip_id, budget_cents, budget_spent_cents, targeting, status,"
	" created_at, updated_at)"
	" SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9 FROM temp.incoming WHERE n BETWEEN $1 AND $2"
	" ON CONFLICT (id) DO UPDATE SET name = excluded.name, clip_id = excluded.clip_id,"
	" budget_cents = excluded.budget_cents, budget_spent_cents = excluded.budget_spent_cents,"
	" targeting = excluded.targeting, status = excluded.status, created_at = excluded.created_at,"
	" updated_at = excluded.updated_at";

/* -- accounts ------------------------------------------------------------------------- */

enum { A_ID, A_PLATFORM, A_HANDLE, A_EXTERNAL_ID, A_IS_MAIN_ACCOUNT, A_IS_ACTIVE, A_EXTRA_METADATA,
    A_OAUTH_EXPIRES_AT, A_CREATED_AT, A_UPDATED_AT, A__MAX };
static const struct ph_param accounts[A__MAX] = {
	[A_ID] = OWN_ID,
	[A_PLATFORM] = BODY("platform", PH_P_TEXT, .is_required = 1, .min = 1, .max = PLATFORM_MAX,
	    .text = "Of which platform it is."),
	[A_HANDLE] = BODY("handle", PH_P_TEXT, .is_required = 1, .min = 1, .max = NAME_MAX_BYTES,
	    .text = "Its name there."),
	[A_EXTERNAL_ID] = TEXT("external_id", KEY_MAX, "Its id there."),
	[A_IS_MAIN_ACCOUNT] = BODY("is_main_account", PH_P_BOOL, .text = "Is it the main one of the platform?"),
	[A_IS_ACTIVE] = BODY("is_active", PH_P_BOOL, .dflt = 1, .text = "Is it in use?"),
	[A_EXTRA_METADATA] = JSON("extra_metadata", "Any JSON of the caller's."),
	[A_OAUTH_EXPIRES_AT] = INSTANT("oauth_expires_at", "When its authorisation ends."),
	[A_CREATED_AT] = CREATED_AT,
	[A_UPDATED_AT] = UPDATED_AT,
};
static const char sql_find_account[] =
	"SELECT id, platform, handle, external_id, is_main_account, is_active, extra_metadata, oauth_expires_at,"
	" created_at, updated_at FROM social_accounts WHERE id = $1";
static const char sql_put_accounts[] =
	"INSERT INTO social_accounts (id, platform, handle, external_id, is_main_account, is_active,"
	" extra_metadata, oauth_expires_at, created_at, updated_at)"
	" SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10 FROM temp.incoming WHERE n BETWEEN $1 AND $2"
	" ON CONFLICT (id) DO UPDATE SET platform = excluded.platform, handle = excluded.handle,"
	" external_id = excluded.external_id, is_main_account = excluded.is_main_account,"
	" is_active = excluded.is_active, extra_metadata = excluded.extra_metadata,"
	" oauth_expires_at = excluded.oauth_expires_at, created_at = excluded.created_at,"
	" updated_at = excluded.updated_at";

/* -- publications --------------------------------------------------------------------- */

static const char *const schedule_types[] = { "immediate", "scheduled", NULL };

enum { P_ID, P_CLIP_ID, P_PLATFORM, P_SOCIAL_ACCOUNT_ID, P_STATUS, P_EXTERNAL_POST_ID, P_EXTERNAL_URL,
    P_ERROR_MESSAGE, P_REQUESTED_AT, P_PUBLISHED_AT, P_FAILED_AT, P_REQUEUED_AT, P_RETRY_COUNT, P_MAX_RETRIES,
    P_LAST_RETRY_AT, P_SCHEDULE_TYPE, P_SCHEDULED_FOR, P_SCHEDULED_WINDOW_END, P_SCHEDULED_BY, P_EXTRA_METADATA,
    P_CREATED_AT, P_UPDATED_AT, P__MAX };
static const struct ph_param publications[P__MAX] = {
	[P_ID] = OWN_ID,
	[P_CLIP_ID] = BODY("clip_id", PH_P_TEXT, .is_required = 1, .min = 1, .max = PH_INGEST_ID_MAX,
	    .text = "The clip that is posted."),
	[P_PLATFORM] = BODY("platform", PH_P_TEXT, .is_required = 1, .min = 1, .max = PLATFORM_MAX,
	    .text = "Where to, in any spelling."),
	[P_SOCIAL_ACCOUNT_ID] = ID("social_account_id", "The account that posts it."),
	[P_STATUS] = BODY("status", PH_P_CHOICE, .choices = ph_log_statuses, .dflt = PH_LOG_PENDING,
	    .text = "How far it is; of a publication that is there it changes by its life cycle."),
	[P_EXTERNAL_POST_ID] = TEXT("external_post_id", KEY_MAX, "The platform's id of the post."),
	[P_EXTERNAL_URL] = TEXT("external_url", URL_MAX, "Where the post is."),
	[P_ERROR_MESSAGE] = BODY("error_message", PH_P_MULTILINE, .max = TEXT_MAX, .text = "Why it failed."),
	[P_REQUESTED_AT] = INSTANT("requested_at", "When it was asked for; default now."),
	[P_PUBLISHED_AT] = INSTANT("published_at", "When the post went out."),
	[P_FAILED_AT] = INSTANT("failed_at", "When it failed."),
	[P_REQUEUED_AT] = INSTANT("requeued_at", "When it was queued again."),
	[P_RETRY_COUNT] = BODY("retry_count", PH_P_INT, .max = TRIES_MAX, .text = "How often it was tried again."),
	[P_MAX_RETRIES] = BODY("max_retries", PH_P_INT, .max = TRIES_MAX, .dflt = 3,
	    .text = "How often it may be tried."),
	[P_LAST_RETRY_AT] = INSTANT("last_retry_at", "When it was last tried again."),
	[P_SCHEDULE_TYPE] = BODY("schedule_type", PH_P_CHOICE, .choices = schedule_types,
	    .text = "Whether it has a time."),
	[P_SCHEDULED_FOR] = INSTANT("scheduled_for", "When it is due."),
	[P_SCHEDULED_WINDOW_END] = INSTANT("scheduled_window_end", "By when it must be out."),
	[P_SCHEDULED_BY] = TEXT("scheduled_by", WORD_MAX, "manual, rule_engine or campaign_orchestrator."),
	[P_EXTRA_METADATA] = JSON("extra_metadata", "Any JSON of the caller's."),
	[P_CREATED_AT] = CREATED_AT,
	[P_UPDATED_AT] = UPDATED_AT,
};
/*
 * platform_key and proc_ms as the triggers derive them.  They correct a wrong guess; a right one
 * saves them a second write of the row.
 */
static void
guess_derived(struct ph_ingest_cell cells[])
{
	const char			*s = cells[P_PLATFORM].text + strspn(cells[P_PLATFORM].text, " ");
	size_t				 len = strlen(s), i;
	const struct ph_ingest_cell	*published = &cells[P_PUBLISHED_AT], *requested = &cells[P_REQUESTED_AT];

	while (len > 0 && s[len - 1] == ' ')
		len--;
	cells[P__MAX] = (struct ph_ingest_cell){ .type = PH_CELL_TEXT, .text = ph_platform_keys[PH_PLATFORM_OTHER] };
	for (i = 0; i < PH_PLATFORM__MAX; i++)
		if (strlen(ph_platform_keys[i]) == len && strncasecmp(ph_platform_keys[i], s, len) == 0)
			cells[P__MAX].text = ph_platform_keys[i];
	cells[P__MAX + 1] = (struct ph_ingest_cell){ .type = PH_CELL_NULL };
	if (strcmp(cells[P_STATUS].text, ph_log_statuses[PH_LOG_SUCCESS]) == 0 && published->type == PH_CELL_INT &&
	    published->num >= requested->num)
		cells[P__MAX + 1] = (struct ph_ingest_cell){ .type = PH_CELL_INT,
		    .num = published->num - requested->num };
}

static const char sql_find_publication[] =
	"SELECT id, clip_id, platform, social_account_id, status, external_post_id, external_url, error_message,"
	" requested_at, published_at, failed_at, requeued_at, retry_count, max_retries, last_retry_at,"
	" schedule_type, scheduled_for, scheduled_window_end, scheduled_by, extra_metadata, created_at,"
	" updated_at FROM publish_logs WHERE id = $1";
static const char sql_put_publications[] =
	"INSERT INTO publish_logs (id, clip_id, platform, social_account_id, status, external_post_id,"
	" external_url, error_message, requested_at, published_at, failed_at, requeued_at, retry_count,"
	" max_retries, last_retry_at, schedule_type, scheduled_for, scheduled_window_end, scheduled_by,"
	" extra_metadata, created_at, updated_at, platform_key, proc_ms)"
	" SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21,"
	" c22, c23, c24 FROM temp.incoming WHERE n BETWEEN $1 AND $2"
	" ON CONFLICT (id) DO UPDATE SET clip_id = excluded.clip_id, platform = excluded.platform,"
	" social_account_id = excluded.social_account_id, status = excluded.status,"
	" external_post_id = excluded.external_post_id, external_url = excluded.external_url,"
	" error_message = excluded.error_message, requested_at = excluded.requested_at,"
	" published_at = excluded.published_at, failed_at = excluded.failed_at,"
	" requeued_at = excluded.requeued_at, retry_count = excluded.retry_count,"
	" max_retries = excluded.max_retries, last_retry_at = excluded.last_retry_at,"
	" schedule_type = excluded.schedule_type, scheduled_for = excluded.scheduled_for,"
	" scheduled_window_end = excluded.scheduled_window_end, scheduled_by = excluded.scheduled_by,"
	" extra_metadata = excluded.extra_metadata, created_at = excluded.created_at,"
	" updated_at = excluded.updated_at";

/* -- all of them ---------------------------------------------------------------------- */

const struct ph_ingest_kind ph_ingest_kinds[PH_INGEST__MAX] = {
	[PH_INGEST_VIDEOS] = {
		.name = "videos", .params = videos, .nparams = V__MAX,
		.nullable = BIT(V_TITLE) | BIT(V_DESCRIPTION) | BIT(V_RELEASE_DATE) | BIT(V_FILE_PATH) |
		    BIT(V_FILE_SIZE) | BIT(V_DURATION_MS) | BIT(V_IDEMPOTENCY_KEY),
		.sql_find = sql_find_video, .sql_put = sql_put_videos,
		.checks = {
			{ V_IDEMPOTENCY_KEY, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM video_assets"
			    " WHERE idempotency_key = $1 AND id IS NOT $2)", "another video has this key" },
		},
	},
	[PH_INGEST_CLIPS] = {
		.name = "clips", .params = clips, .nparams = C__MAX,
		.nullable = BIT(C_VISUAL_SCORE) | BIT(C_PARAMS),
		.sql_find = sql_find_clip, .sql_put = sql_put_clips,
		.checks = { { C_VIDEO_ASSET_ID, EXISTS("video_assets"), "there is no such video" } },
	},
	[PH_INGEST_JOBS] = {
		.name = "jobs", .params = jobs, .nparams = J__MAX,
		.nullable = BIT(J_PARAMS) | BIT(J_DEDUP_KEY) | BIT(J_VIDEO_ASSET_ID) | BIT(J_CLIP_ID) |
		    BIT(J_RESULT) | BIT(J_ERROR_MESSAGE),
		.cycle = PH_CYCLE_JOB, .status = J_STATUS,
		.sql_find = sql_find_job, .sql_put = sql_put_jobs,
		.checks = {
			{ J_VIDEO_ASSET_ID, EXISTS("video_assets"), "there is no such video" },
			{ J_CLIP_ID, EXISTS("clips"), "there is no such clip" },
			{ J_DEDUP_KEY, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM jobs"
			    " WHERE dedup_key = $1 AND id IS NOT $2)", "another job has this key" },
		},
	},
	[PH_INGEST_CAMPAIGNS] = {
		.name = "campaigns", .params = campaigns, .nparams = K__MAX,
		.nullable = BIT(K_TARGETING),
		.sql_find = sql_find_campaign, .sql_put = sql_put_campaigns,
		.checks = { { K_CLIP_ID, EXISTS("clips"), "there is no such clip" } },
	},
	[PH_INGEST_ACCOUNTS] = {
		.name = "accounts", .params = accounts, .nparams = A__MAX,
		.nullable = BIT(A_EXTERNAL_ID) | BIT(A_EXTRA_METADATA) | BIT(A_OAUTH_EXPIRES_AT),
		.sql_find = sql_find_account, .sql_put = sql_put_accounts,
	},
	[PH_INGEST_PUBLICATIONS] = {
		.name = "publications", .params = publications, .nparams = P__MAX,
		.nullable = BIT(P_SOCIAL_ACCOUNT_ID) | BIT(P_EXTERNAL_POST_ID) | BIT(P_EXTERNAL_URL) |
		    BIT(P_ERROR_MESSAGE) | BIT(P_PUBLISHED_AT) | BIT(P_FAILED_AT) | BIT(P_REQUEUED_AT) |
		    BIT(P_LAST_RETRY_AT) | BIT(P_SCHEDULED_FOR) | BIT(P_SCHEDULED_WINDOW_END) |
		    BIT(P_SCHEDULED_BY) | BIT(P_EXTRA_METADATA),
		.cycle = PH_CYCLE_LOG, .status = P_STATUS,
		.guess = guess_derived,
		.sql_find = sql_find_publication, .sql_put = sql_put_publications,
		.checks = {
			{ P_CLIP_ID, EXISTS("clips"), "there is no such clip" },
			{ P_SOCIAL_ACCOUNT_ID, EXISTS("social_accounts"), "there is no such account" },
		},
	},
};
