/*
 * action-publish.c -- force-publish and publish-best-clip: a clip to the head of the queue.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "domain/action-log.h"

enum { PLATFORM_SIZE = 201 };	/* of a name as it is stored; what is longer is cut */

/* A clip is fit for a platform if it is ready itself, or rendered for it. */
static const char sql_clip[] =
	"SELECT status, lower(trim($2)), status IN ('ready', 'published') OR EXISTS (SELECT 1 FROM clip_variants v"
	" WHERE v.clip_id = c.id AND v.status = 'ready' AND lower(trim(v.platform)) = lower(trim($2)))"
	" FROM clips c WHERE id = $1";

static const char sql_open[] =
	"SELECT id, status FROM publish_logs WHERE clip_id = $1 AND status NOT IN ('success', 'failed')"
	" AND lower(trim(platform)) = $2 LIMIT 1";

static const char sql_account[] =
	"SELECT is_active, lower(trim(platform)) = $2 FROM social_accounts WHERE id = $1";

/* The ends of two runs of ix_logs_status_requested. */
static const char sql_head[] =
	"SELECT min(at) FROM (SELECT min(requested_at) AS at FROM publish_logs WHERE status = 'pending'"
	" UNION ALL SELECT min(requested_at) FROM publish_logs WHERE status = 'retry')";

static const char sql_insert[] =
	"INSERT INTO publish_logs (id, clip_id, platform, social_account_id, status, requested_at,"
	" scheduled_by, created_at, updated_at) VALUES ($1, $2, $3, $4, 'pending', $5, 'manual', $6, $6)";

/* Is the clip fit?  The platform as it is written, to name. */
static enum ph_rc
check_clip(struct ph_db *db, const char *clip_id, const char *platform, char name[PLATFORM_SIZE],
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_clip, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, clip_id);
	ph_stmt_bind_text(st, 2, platform);
	if ((rc = ph_stmt_step(st, err)) == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no such clip");
	else if (rc == PH_ROW) {
		snprintf(name, PLATFORM_SIZE, "%s", ph_stmt_text(st, 1));
		rc = name[0] == '\0' ? ph_fail_param(err, "platform", 8, "a name is needed, not blanks alone") :
		    ph_stmt_int(st, 2) ? PH_OK : ph_fail(err, PH_ECONFLICT, "the clip is %s and has no "
		    "ready variant for %s", ph_stmt_text(st, 0), name);
	}
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
check_no_open_log(struct ph_db *db, const char *clip_id, const char *platform, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_open, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, clip_id);
	ph_stmt_bind_text(st, 2, platform);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		rc = ph_fail(err, PH_ECONFLICT, "publish log %.64s of this clip on %s is %s", ph_stmt_text(st, 0),
		    platform, ph_stmt_text(st, 1));
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
check_account(struct ph_db *db, const char *account, const char *platform, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_account, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, account);
	ph_stmt_bind_text(st, 2, platform);
	if ((rc = ph_stmt_step(st, err)) == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no such account");
	else if (rc == PH_ROW)
		rc = !ph_stmt_int(st, 0) ? ph_fail(err, PH_ECONFLICT, "the account is not active") :
		    !ph_stmt_int(st, 1) ? ph_fail(err, PH_ECONFLICT, "the account is not one of %s", platform) :
		    PH_OK;
	ph_stmt_done(st);
	return rc;
}

/* A millisecond before everything that waits, at most now. */
static enum ph_rc
find_head(struct ph_action_call *call, int64_t *at, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*at = call->now_ms;
	if ((rc = ph_db_prepare(call->db, sql_head, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && !ph_stmt_is_null(st, 0) && ph_stmt_int(st, 0) <= *at)
		*at = ph_stmt_int(st, 0) > 0 ? ph_stmt_int(st, 0) - 1 : 0;
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

static enum ph_rc
insert(struct ph_action_call *call, const struct ph_log_item *log, const char *account, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, sql_insert, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, log->id);
	ph_stmt_bind_text(st, 2, log->clip_id);
	ph_stmt_bind_text(st, 3, log->platform);
	ph_stmt_bind_text(st, 4, account);
	ph_stmt_bind_int(st, 5, log->requested_at);
	ph_stmt_bind_int(st, 6, call->now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/*
 * A new pending log of the clip on the platform (any spelling), at the head of the queue: workers
 * take the oldest requested_at, so it gets one before all that wait.  account: its id, or NULL.
 */
static enum ph_rc
publish(struct ph_action_call *call, const char *clip_id, const char *platform,
    const char *account, struct ph_err *err)
{
	char			 id[37], name[PLATFORM_SIZE];
	struct ph_log_item	 log = { .id = id, .clip_id = clip_id, .platform = name, .status = "pending",
				     .scheduled_for = -1 };
	enum ph_rc		 rc;

	ph_uuid(id);
	if ((rc = check_clip(call->db, clip_id, platform, name, err)) != PH_OK ||
	    (rc = check_no_open_log(call->db, clip_id, name, err)) != PH_OK ||
	    (account != NULL && (rc = check_account(call->db, account, name, err)) != PH_OK) ||
	    (rc = find_head(call, &log.requested_at, err)) != PH_OK ||
	    (rc = insert(call, &log, account, err)) != PH_OK)
		return rc;
	call->changed = 1;
	snprintf(call->target, sizeof(call->target), "%s", id);
	snprintf(call->clip_id, sizeof(call->clip_id), "%s", clip_id);
	snprintf(call->message, sizeof(call->message), "The clip is at the head of the queue for %.64s.", name);
	if (call->is_dry_run)
		log.id = NULL;
	ph_action_write_log(call->out, "log", &log);
	return PH_OK;
}

/* -- force-publish --------------------------------------------------------------------- */

static const char sql_variant[] =
	"SELECT v.platform FROM clips c LEFT JOIN clip_variants v ON v.clip_id = c.id AND v.status = 'ready'"
	" WHERE c.id = $1 ORDER BY coalesce(v.visual_score, -1) DESC, v.created_at DESC, v.id LIMIT 1";

/* The platform of the clip's best ready variant. */
static enum ph_rc
find_platform(struct ph_db *db, const char *clip_id, char name[PLATFORM_SIZE], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_variant, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, clip_id);
	if ((rc = ph_stmt_step(st, err)) == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no such clip");
	else if (rc == PH_ROW && ph_stmt_is_null(st, 0))
		rc = ph_fail(err, PH_ENOTFOUND, "the clip has no ready variant; name a platform");
	else if (rc == PH_ROW) {
		snprintf(name, PLATFORM_SIZE, "%s", ph_stmt_text(st, 0));
		rc = PH_OK;
	}
	ph_stmt_done(st);
	return rc;
}

enum { F_DRY_RUN, F_CLIP_ID, F_PLATFORM, F_ACCOUNT_ID, F__MAX };

static const struct ph_param force_params[F__MAX] = {
	[F_DRY_RUN] = PH_ACTION_DRY_RUN,
	[F_CLIP_ID] = { .name = "clip_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1,
	    .min = 1, .max = 200, .text = "The clip." },
	[F_PLATFORM] = { .name = "platform", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1,
	    .max = PH_FILTER_NAME_MAX,
	    .text = "The platform; without it that of the best ready variant. For an action on many "
		"logs: only logs of this platform, or of these, comma-separated or as an array." },
	[F_ACCOUNT_ID] = { .name = "account_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = 200,
	    .text = "The social account that posts it; without it the worker chooses." },
};

static enum ph_rc
force_publish(struct ph_action_call *call, struct ph_err *err)
{
	const char	*clip_id = call->args->values[F_CLIP_ID].text;
	const char	*platform = call->args->values[F_PLATFORM].text;
	char		 name[PLATFORM_SIZE];
	enum ph_rc	 rc;

	if (platform == NULL) {
		if ((rc = find_platform(call->db, clip_id, name, err)) != PH_OK)
			return rc;
		platform = name;
	}
	return publish(call, clip_id, platform, call->args->values[F_ACCOUNT_ID].text, err);
}

const struct ph_action ph_action_force_publish = {
	.name = "force-publish", .short_name = "publish", .entity = "publish_log",
	.text = "Put a clip at the head of the queue.",
	.params = force_params, .nparams = F__MAX, .run = force_publish,
};

/* -- publish-best-clip ------------------------------------------------------------------- */

static const char sql_video[] = "SELECT 1 FROM video_assets WHERE id = $1";

/* A variant that has no score of its own has its clip's. */
static const char sql_best[] =
	"SELECT v.clip_id, v.platform, coalesce(v.visual_score, c.visual_score, -1)"
	" FROM clips c JOIN clip_variants v ON v.clip_id = c.id"
	" WHERE c.video_asset_id = $1 AND v.status = 'ready'"
	" AND ($2 IS NULL OR lower(trim(v.platform)) = lower(trim($2)))"
	" ORDER BY 3 DESC, v.created_at DESC, v.id LIMIT 1";

static const char sql_decide[] =
	"INSERT INTO best_clip_decisions (id, video_asset_id, platform, clip_id, score, decided_at)"
	" VALUES ($1, $2, lower(trim($3)), $4, $5, $6) ON CONFLICT (video_asset_id, platform) DO UPDATE"
	" SET clip_id = excluded.clip_id, score = excluded.score, decided_at = excluded.decided_at";

struct best { char *clip_id, *platform; double score; };

static enum ph_rc
find_best(struct ph_db *db, const char *video_id, const char *platform, struct best *best,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_video, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, video_id);
	rc = ph_stmt_step(st, err);
	ph_stmt_done(st);
	if (rc != PH_ROW)
		return rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no such video") : rc;
	if ((rc = ph_db_prepare(db, sql_best, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, video_id);
	ph_stmt_bind_text(st, 2, platform);
	if ((rc = ph_stmt_step(st, err)) == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "no variant of the video's clips is ready");
	else if (rc == PH_ROW) {
		best->clip_id = strdup(ph_stmt_text(st, 0));
		best->platform = strdup(ph_stmt_text(st, 1));
		best->score = ph_stmt_double(st, 2);
		rc = best->clip_id != NULL && best->platform != NULL ? PH_OK :
		    ph_fail(err, PH_ENOMEM, "not enough memory for the clip");
	}
	ph_stmt_done(st);
	return rc;
}

/* That this is the video's best clip for the platform. */
static enum ph_rc
note_decision(struct ph_action_call *call, const char *video_id, const struct best *best, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		 id[37];
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, sql_decide, &st, err)) != PH_OK)
		return rc;
	ph_uuid(id);
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_text(st, 2, video_id);
	ph_stmt_bind_text(st, 3, best->platform);
	ph_stmt_bind_text(st, 4, best->clip_id);
	ph_stmt_bind_double(st, 5, best->score < 0 ? 0 : best->score);
	ph_stmt_bind_int(st, 6, call->now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum { B_DRY_RUN, B_VIDEO_ID, B_PLATFORM, B__MAX };

static const struct ph_param best_params[B__MAX] = {
	[B_DRY_RUN] = PH_ACTION_DRY_RUN,
	[B_VIDEO_ID] = { .name = "video_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1,
	    .min = 1, .max = 200, .text = "The video." },
	[B_PLATFORM] = { .name = "platform", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1,
	    .max = PH_FILTER_NAME_MAX, .text = "Only variants for this platform." },
};

static enum ph_rc
publish_best_clip(struct ph_action_call *call, struct ph_err *err)
{
	const char	*video_id = call->args->values[B_VIDEO_ID].text;
	struct best	 best = { 0 };
	enum ph_rc	 rc;

	if ((rc = find_best(call->db, video_id, call->args->values[B_PLATFORM].text, &best, err)) == PH_OK &&
	    (rc = publish(call, best.clip_id, best.platform, NULL, err)) == PH_OK)
		rc = note_decision(call, video_id, &best, err);
	free(best.clip_id);
	free(best.platform);
	return rc;
}

const struct ph_action ph_action_publish_best_clip = {
	.name = "publish-best-clip", .short_name = "publish_best_clip", .entity = "publish_log",
	.text = "Put the best ready variant of a video's clips at the head of the queue.",
	.params = best_params, .nparams = B__MAX, .run = publish_best_clip,
};
