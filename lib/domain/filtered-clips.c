/*
 * filtered-clips.c -- figures of selected rows that count distinct clips and videos.
 *
 * Distinct ids cannot be added up, so they are collected in sets, from one walk of an index each.
 */
#include "autoconf.h"

#include <string.h>

#include "domain/filtered.h"
#include "domain/idset.h"

static enum ph_rc
fail_memory(struct ph_err *err)
{
	return ph_fail(err, PH_ENOMEM, "no memory for the ids of clips");
}

/* -- videos and clips -------------------------------------------------------------- */

static const char sql_clips_time[] =
	"SELECT count(*), count(visual_score), coalesce(sum(CAST(round(visual_score * 1e9) AS INTEGER)), 0)"
	" FROM clips WHERE " PH_FILTER_SQL_TIME("created_at");
static const char sql_videos_time[] =
	"SELECT count(*) FROM video_assets WHERE " PH_FILTER_SQL_TIME("created_at");

/* Clips with a log of the platforms: of the keys, and of the names. */
static const char sql_key_clips[] =
	"SELECT ph_each(clip_id) FROM clip_activity"
	" WHERE $1 * instagram + $2 * tiktok + $3 * youtube + $4 * other + $5 * facebook > 0";
static const char sql_named_clips[] =
	"SELECT ph_each(clip_id) FROM publish_logs WHERE platform_key = 'other' AND lower(trim(platform)) IN "
	PH_FILTER_SQL_NAMES;

static const char sql_clips[] =
	"SELECT id, video_asset_id, " PH_FILTER_SQL_TIME("created_at") ", visual_score IS NOT NULL,"
	" CASE WHEN $1 THEN CAST(round(visual_score * 1e9) AS INTEGER) END FROM clips";
static const char sql_videos[] =
	"SELECT id FROM video_assets WHERE " PH_FILTER_SQL_TIME("created_at");

static enum ph_rc
library_of_time(struct ph_db *db, const struct ph_filter *f, struct ph_library *l, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_clips_time, &st, err)) != PH_OK)
		return rc;
	ph_filter_bind_time(f, st);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		l->clips = ph_stmt_int(st, 0);
		l->scored = ph_stmt_int(st, 1);
		l->score_nano = ph_stmt_int(st, 2);
	}
	ph_stmt_done(st);
	if (rc != PH_ROW || (rc = ph_db_prepare(db, sql_videos_time, &st, err)) != PH_OK)
		return rc;
	ph_filter_bind_time(f, st);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		l->videos = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

static int
collect(void *ids, const char *id, size_t len, int64_t n)
{
	(void)n;
	return ph_idset_add(ids, id, len) >= 0 ? 0 : -1;
}

/* The place of the id in a column, or -1. */
static long
find(const struct ph_idset *ids, struct ph_stmt *st, int col)
{
	const char *id = ph_stmt_text(st, col);

	return ph_idset_find(ids, id, strlen(id));
}

static enum ph_rc
collect_clips(struct ph_db *db, const struct ph_filter *f, struct ph_idset *clips, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc = PH_OK;
	int		 key;

	if (f->keys != 0) {
		if ((rc = ph_db_prepare(db, sql_key_clips, &st, err)) != PH_OK)
			return rc;
		for (key = 0; key < PH_PLATFORM__MAX; key++)
			ph_stmt_bind_int(st, key + 1, f->keys >> key & 1);
		rc = ph_stmt_each(st, collect, clips, err);
	}
	if (rc != PH_OK || f->nnames == 0)
		return rc;
	if ((rc = ph_db_prepare(db, sql_named_clips, &st, err)) != PH_OK)
		return rc;
	ph_filter_bind_names(f, st);
	return ph_stmt_each(st, collect, clips, err);
}

/* Count those of the clips that were created in the window, and collect the videos of all of them. */
static enum ph_rc
count_clips(struct ph_db *db, const struct ph_filter *f, int want_scores, const struct ph_idset *clips,
    struct ph_idset *videos, struct ph_library *l, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_clips, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, want_scores);
	ph_filter_bind_time(f, st);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if (find(clips, st, 0) < 0)
			continue;
		if (ph_idset_add(videos, ph_stmt_text(st, 1), strlen(ph_stmt_text(st, 1))) < 0) {
			rc = fail_memory(err);
			break;
		}
		if (ph_stmt_int(st, 2)) {
			l->clips++;
			l->scored += ph_stmt_int(st, 3);
			l->score_nano += ph_stmt_int(st, 4);
		}
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
count_videos(struct ph_db *db, const struct ph_filter *f, const struct ph_idset *videos, struct ph_library *l,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_videos, &st, err)) != PH_OK)
		return rc;
	ph_filter_bind_time(f, st);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		l->videos += find(videos, st, 0) >= 0;
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_filtered_library(struct ph_db *db, const struct ph_filter *f, int want_scores, struct ph_library *l,
    struct ph_err *err)
{
	struct ph_idset	*clips = NULL, *videos = NULL;
	enum ph_rc	 rc;

	*l = (struct ph_library){ 0 };
	if (ph_filter_is_off(f)) {
		if ((rc = ph_stats_total(db, "videos", &l->videos, err)) != PH_OK ||
		    (rc = ph_stats_total(db, "clips", &l->clips, err)) != PH_OK || !want_scores ||
		    (rc = ph_stats_total(db, "clips_scored", &l->scored, err)) != PH_OK)
			return rc;
		return ph_stats_total(db, "clips_score_nano", &l->score_nano, err);
	}
	if (!f->has_platform)
		return library_of_time(db, f, l, err);
	if ((clips = ph_idset_new(0)) == NULL || (videos = ph_idset_new(0)) == NULL)
		rc = fail_memory(err);
	else if ((rc = collect_clips(db, f, clips, err)) == PH_OK && ph_idset_count(clips) > 0 &&
	    (rc = count_clips(db, f, want_scores, clips, videos, l, err)) == PH_OK)
		rc = count_videos(db, f, videos, l, err);
	ph_idset_free(clips);
	ph_idset_free(videos);
	return rc;
}

/* -- clips of logs ------------------------------------------------------------------- */

/* Five rows. */
static const char sql_counters[] =
	"SELECT platform, clips_ready, clips_published, score_n, score_nano, clip_score_n,"
	" clip_score_nano FROM platform_counts";

/* Of one key and status; ix_logs_platform has all of it. */
static const char sql_log_clips[] =
	"SELECT ph_each(clip_id) FROM publish_logs WHERE platform_key = $1 AND status = $2 AND "
	PH_FILTER_SQL_TIME("requested_at");
static const char sql_log_clips_since[] =
	"SELECT ph_each(clip_id) FROM publish_logs WHERE platform_key = $1 AND status = $2 AND "
	PH_FILTER_SQL_SINCE("requested_at");
static const char sql_named_log_clips[] =
	"SELECT ph_each(clip_id) FROM publish_logs WHERE platform_key = 'other' AND status = $2 AND "
	PH_FILTER_SQL_TIME("requested_at") " AND lower(trim(platform)) IN " PH_FILTER_SQL_NAMES;

/* The score as it is counted: what round() makes of what is not negative, without its call for each clip. */
#define SCORE_NANO "CAST(visual_score * 1e9 + 0.5 AS INTEGER)"
/* ix_clips_score has all of it. */
static const char sql_scores[] =
	"SELECT ph_each(id, " SCORE_NANO ") FROM clips WHERE visual_score IS NOT NULL";
static const char sql_score[] =
	"SELECT ph_each(id, " SCORE_NANO ") FROM clips WHERE id = $1 AND visual_score IS NOT NULL";
enum { CLIPS_PER_LOOKUP = 8 };	/* of a scan of all clips, in the time of one lookup */

/* What a clip has among the selected logs, by platform key. */
struct clip {
	uint32_t	n[PH_PLATFORM__MAX];
	unsigned char	ready, published;	/* 1 << key */
};

/* The clips that logs of one status and key are counted for. */
struct taking {
	struct ph_idset	*clips;
	int		 key;
	unsigned char	 ready, published;	/* what to mark */
};

static int
take_log(void *arg, const char *clip_id, size_t len, int64_t n)
{
	struct taking	*t = arg;
	const long	 place = ph_idset_add(t->clips, clip_id, len);
	struct clip	*c;

	(void)n;
	if (place < 0)
		return -1;
	c = ph_idset_record(t->clips, place);
	c->n[t->key]++;
	c->published |= t->published;
	c->ready |= t->ready;
	return 0;
}

/* The logs of a status and a key, or those of the names with PH_PLATFORM__MAX. */
static enum ph_rc
take_logs(struct ph_db *db, const struct ph_filter *f, int key, enum ph_log_status status, struct ph_idset *clips,
    struct ph_err *err)
{
	struct taking	 t = { .clips = clips, .key = key == PH_PLATFORM__MAX ? PH_PLATFORM_OTHER : key };
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, key == PH_PLATFORM__MAX ? sql_named_log_clips :
	    f->to_ms == INT64_MAX ? sql_log_clips_since : sql_log_clips, &st, err)) != PH_OK)
		return rc;
	if (key == PH_PLATFORM__MAX)
		ph_filter_bind_names(f, st);
	else
		ph_stmt_bind_text(st, 1, ph_platform_keys[key]);
	ph_stmt_bind_text(st, 2, ph_log_statuses[status]);
	ph_filter_bind_time(f, st);
	if (status == PH_LOG_SUCCESS)
		t.published = (unsigned char)(1u << t.key);
	else if (status == PH_LOG_PENDING || status == PH_LOG_SCHEDULED)
		t.ready = (unsigned char)(1u << t.key);
	return ph_stmt_each(st, take_log, &t, err);
}

/* Which keys belong to a platform of the answer. */
static unsigned
members(int platform)
{
	return platform == PH_PLATFORM_OTHER ? 1u << PH_PLATFORM_OTHER | 1u << PH_PLATFORM_FACEBOOK :
	    1u << platform;
}

static int64_t
logs_of(const struct clip *c, int platform)
{
	return platform == PH_PLATFORM_OTHER ? (int64_t)c->n[PH_PLATFORM_OTHER] + c->n[PH_PLATFORM_FACEBOOK] :
	    c->n[platform];
}

static void
add_score(const struct clip *c, int64_t score_nano, int64_t figures[][PH_CLIPS__MAX])
{
	int64_t	logs;
	int	p;

	for (p = 0; p < PH_PLATFORM__MAX; p++) {
		logs = logs_of(c, p);
		figures[p][PH_CLIPS_SCORE_N] += logs;
		figures[p][PH_CLIPS_SCORE_NANO] += logs * score_nano;
		figures[p][PH_CLIPS_CLIP_SCORE_N] += logs > 0;
		figures[p][PH_CLIPS_CLIP_SCORE_NANO] += logs > 0 ? score_nano : 0;
	}
}

/* Of the clips that have been collected. */
struct scoring {
	struct ph_idset	*clips;
	int64_t		(*figures)[PH_CLIPS__MAX];
};

static int
take_score(void *arg, const char *id, size_t len, int64_t score_nano)
{
	const struct scoring	*s = arg;
	const long		 place = ph_idset_find(s->clips, id, len);

	if (place >= 0)
		add_score(ph_idset_record(s->clips, place), score_nano, s->figures);
	return 0;
}

static enum ph_rc
score_clips(struct ph_db *db, struct ph_idset *clips, int64_t figures[][PH_CLIPS__MAX], struct ph_err *err)
{
	const size_t	 n = ph_idset_count(clips);
	struct scoring	 scoring = { .clips = clips, .figures = figures };
	struct ph_stmt	*st;
	int64_t		 all;
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = ph_stats_total(db, "clips", &all, err)) != PH_OK)
		return rc;
	if ((int64_t)n * CLIPS_PER_LOOKUP > all) {
		if ((rc = ph_db_prepare(db, sql_scores, &st, err)) != PH_OK)
			return rc;
		return ph_stmt_each(st, take_score, &scoring, err);
	}
	for (i = 0; i < n && rc == PH_OK; i++) {
		if ((rc = ph_db_prepare(db, sql_score, &st, err)) != PH_OK)
			return rc;
		ph_stmt_bind_text(st, 1, ph_idset_id(clips, (long)i));
		rc = ph_stmt_each(st, take_score, &scoring, err);
	}
	return rc;
}

/* Whole keys whenever they were requested: the counters have them. */
static enum ph_rc
from_counters(struct ph_db *db, const struct ph_filter *f, int64_t figures[][PH_CLIPS__MAX], struct ph_err *err)
{
	const int	is_facebook_alone = (f->keys & members(PH_PLATFORM_OTHER)) == 1u << PH_PLATFORM_FACEBOOK;
	const enum ph_rc rc = ph_stats_sums(db, sql_counters, ph_platform_keys, PH_CLIPS__MAX, figures[0], err);
	int		p;

	if (is_facebook_alone)
		memcpy(figures[PH_PLATFORM_OTHER], figures[PH_PLATFORM_FACEBOOK], sizeof(figures[0]));
	for (p = 0; p < PH_PLATFORM__MAX; p++)
		if ((f->keys & members(p)) == 0)
			memset(figures[p], 0, sizeof(figures[p]));
	return rc;
}

enum ph_rc
ph_filtered_clips(struct ph_db *db, const struct ph_filter *filter,
    int64_t figures[PH_PLATFORM__MAX][PH_CLIPS__MAX], struct ph_err *err)
{
	struct ph_filter	 f;
	struct ph_idset		*clips;
	const struct clip	*c;
	enum ph_rc		 rc;
	size_t			 i;
	int			 key, status, p;

	memset(figures, 0, PH_PLATFORM__MAX * sizeof(figures[0]));
	if ((rc = ph_filtered_narrow(db, filter, &f, err)) != PH_OK)
		return rc;
	if (!f.has_time && f.nnames == 0)
		return from_counters(db, &f, figures, err);
	if ((clips = ph_idset_new(sizeof(struct clip))) == NULL)
		return fail_memory(err);
	for (key = 0; key <= PH_PLATFORM__MAX && rc == PH_OK; key++)
		for (status = 0; status < PH_LOG__MAX && rc == PH_OK; status++)
			if (key < PH_PLATFORM__MAX ? f.keys >> key & 1 : f.nnames > 0)
				rc = take_logs(db, &f, key, status, clips, err);
	for (i = 0; i < ph_idset_count(clips) && rc == PH_OK; i++) {
		c = ph_idset_record(clips, (long)i);
		for (p = 0; p < PH_PLATFORM__MAX; p++) {
			figures[p][PH_CLIPS_READY] += (c->ready & members(p)) != 0;
			figures[p][PH_CLIPS_PUBLISHED] += (c->published & members(p)) != 0;
		}
	}
	if (rc == PH_OK)
		rc = score_clips(db, clips, figures, err);
	ph_idset_free(clips);
	return rc;
}
