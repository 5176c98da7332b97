/*
 * action-promote.c -- promote-clip: the best clip of a video becomes the clip of a campaign.
 *
 * The best clip is the one with the highest score, then the newest, of those that are ready or
 * published.  Only a draft's clip can be changed: what runs has spent money on its clip.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "domain/action-log.h"

static const char sql_best[] =
	"SELECT c.id FROM video_assets v LEFT JOIN clips c ON c.video_asset_id = v.id"
	" AND c.status IN ('ready', 'published') WHERE v.id = $1"
	" ORDER BY coalesce(c.visual_score, -1) DESC, c.created_at DESC, c.id LIMIT 1";

/* $1: the campaign, $2: the video, for a campaign that is not named. */
static const char sql_campaign[] =
	"SELECT id, status, clip_id FROM campaigns WHERE id = $1";
static const char sql_draft[] =
	"SELECT k.id, k.status, k.clip_id FROM clips c JOIN campaigns k ON k.clip_id = c.id"
	" WHERE c.video_asset_id = $1 AND k.status = 'draft' LIMIT 2";

static const char sql_promote[] = "UPDATE campaigns SET clip_id = $2, updated_at = $3 WHERE id = $1";

enum { ID_SIZE = 256, STATUS_SIZE = 16 };

struct campaign { char id[ID_SIZE], status[STATUS_SIZE], clip_id[ID_SIZE]; };

/* A text of ours fits; one that does not is not ours to change. */
static enum ph_rc
copy_id(char out[ID_SIZE], const char *id, struct ph_err *err)
{
	if (snprintf(out, ID_SIZE, "%s", id) >= ID_SIZE)
		return ph_fail(err, PH_ECONFLICT, "an id has more than %d bytes", ID_SIZE - 1);
	return PH_OK;
}

static enum ph_rc
find_best(struct ph_db *db, const char *video_id, char clip_id[ID_SIZE], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_best, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, video_id);
	if ((rc = ph_stmt_step(st, err)) == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no such video");
	else if (rc == PH_ROW)
		rc = ph_stmt_is_null(st, 0) ?
		    ph_fail(err, PH_ENOTFOUND, "no clip of the video is ready or published") :
		    copy_id(clip_id, ph_stmt_text(st, 0), err);
	ph_stmt_done(st);
	return rc;
}

/* The one that is named, else the only draft with a clip of the video. */
static enum ph_rc
find_campaign(struct ph_db *db, const char *id, const char *video_id, struct campaign *k,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, id != NULL ? sql_campaign : sql_draft, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id != NULL ? id : video_id);
	if ((rc = ph_stmt_step(st, err)) == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, id != NULL ? "there is no such campaign" :
		    "no draft campaign has a clip of this video");
	else if (rc == PH_ROW) {
		snprintf(k->status, sizeof(k->status), "%s", ph_stmt_text(st, 1));
		if ((rc = copy_id(k->id, ph_stmt_text(st, 0), err)) == PH_OK &&
		    (rc = copy_id(k->clip_id, ph_stmt_text(st, 2), err)) == PH_OK &&
		    (rc = ph_stmt_step(st, err)) == PH_ROW)
			rc = ph_fail(err, PH_ECONFLICT, "several draft campaigns have a clip of this video; "
			    "name one");
		else if (rc == PH_DONE)
			rc = PH_OK;
	}
	ph_stmt_done(st);
	if (rc == PH_OK && strcmp(k->status, "draft") != 0)
		return ph_fail(err, PH_ESTATE, "the campaign is %s; only a draft's clip can be changed", k->status);
	return rc;
}

static enum ph_rc
promote(struct ph_action_call *call, const struct campaign *k, const char *clip_id, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, sql_promote, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, k->id);
	ph_stmt_bind_text(st, 2, clip_id);
	ph_stmt_bind_int(st, 3, call->now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	call->changed = rc == PH_OK;
	return rc;
}

enum { P_DRY_RUN, P_VIDEO_ID, P_CAMPAIGN_ID, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_DRY_RUN] = PH_ACTION_DRY_RUN,
	[P_VIDEO_ID] = { .name = "video_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .is_required = 1,
	    .min = 1, .max = 200, .text = "The video." },
	[P_CAMPAIGN_ID] = { .name = "campaign_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = 200,
	    .text = "The draft campaign; without it the only one with a clip of the video." },
};

enum { F_CAMPAIGN_ID, F_CLIP_ID, F_PREVIOUS_CLIP_ID, F_IS_CHANGED, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_CAMPAIGN_ID] = { .name = "campaign_id", .type = PH_TEXT, .text = "The campaign." },
	[F_CLIP_ID] = { .name = "clip_id", .type = PH_TEXT, .text = "Its clip now." },
	[F_PREVIOUS_CLIP_ID] = { .name = "previous_clip_id", .type = PH_TEXT, .text = "Its clip before." },
	[F_IS_CHANGED] = { .name = "is_changed", .type = PH_BOOL,
	    .text = "False if it had the best clip already." },
};

static enum ph_rc
promote_clip(struct ph_action_call *call, struct ph_err *err)
{
	const char	*video_id = call->args->values[P_VIDEO_ID].text;
	struct ph_value	 v[F__MAX];
	struct campaign	 k;
	char		 clip_id[ID_SIZE];
	enum ph_rc	 rc;

	if ((rc = find_best(call->db, video_id, clip_id, err)) != PH_OK ||
	    (rc = find_campaign(call->db, call->args->values[P_CAMPAIGN_ID].text, video_id, &k, err)) != PH_OK ||
	    (strcmp(k.clip_id, clip_id) != 0 && (rc = promote(call, &k, clip_id, err)) != PH_OK))
		return rc;
	v[F_CAMPAIGN_ID] = ph_v_str(k.id);
	v[F_CLIP_ID] = ph_v_str(clip_id);
	v[F_PREVIOUS_CLIP_ID] = ph_v_str(k.clip_id);
	v[F_IS_CHANGED] = ph_v_int(call->changed);
	ph_json_fields(call->out, fields, v, F__MAX);
	snprintf(call->target, sizeof(call->target), "%s", k.id);
	snprintf(call->clip_id, sizeof(call->clip_id), "%s", clip_id);
	snprintf(call->message, sizeof(call->message), "%s", call->changed ?
	    "The best clip of the video is the campaign's clip." :
	    "The campaign has the best clip of the video already.");
	return PH_OK;
}

const struct ph_action ph_action_promote_clip = {
	.name = "promote-clip", .short_name = "promote", .entity = "campaign",
	.text = "Make the best clip of a video the clip of a draft campaign.",
	.params = params, .nparams = P__MAX, .run = promote_clip,
};
