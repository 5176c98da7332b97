/*
 * stat-platforms.c -- how each platform does.
 *
 * One object per platform, always the same four in this order.  A platform name is
 * trimmed and lower-cased; any name that is not one of the others counts as other.  Among
 * the extended fields there is a fifth, facebook: a part of other, never to be added to it.
 */
#include "autoconf.h"

#include "domain/statistic.h"
#include "domain/stats.h"

enum { DAY_MS = 86400000, MINUTE_MS = 60000 };

enum platform { INSTAGRAM, TIKTOK, YOUTUBE, OTHER, FACEBOOK, PLATFORM__MAX };
static const char *const platforms[PLATFORM__MAX + 1] = {
	"instagram", "tiktok", "youtube", "other", "facebook", NULL
};
/* Five rows. */
static const char sql_clips[] =
	"SELECT platform, clips_ready, clips_published, score_n, score_nano, clip_score_n,"
	" clip_score_nano FROM platform_counts";
enum { READY, PUBLISHED, SCORE_N, SCORE_NANO, CLIP_SCORE_N, CLIP_SCORE_NANO, CLIPS__MAX };

/* At most six platforms times two statuses. */
static const char sql_jobs[] =
	"SELECT platform_key, CASE WHEN status = 'completed' THEN n ELSE 0 END,"
	" CASE WHEN status = 'failed' THEN n ELSE 0 END"
	" FROM job_counts WHERE status IN ('completed', 'failed')";
enum { JOBS_COMPLETED, JOBS_FAILED, JOBS__MAX };

/* At most five platforms times six statuses. */
static const char sql_logs[] =
	"SELECT platform_key, CASE WHEN status = 'success' THEN n ELSE 0 END,"
	" CASE WHEN status = 'failed' THEN n ELSE 0 END,"
	" CASE WHEN status IN ('pending', 'scheduled', 'retry') THEN n ELSE 0 END FROM log_counts";
enum { LOGS_SUCCESS, LOGS_FAILED, LOGS_WAITING, LOGS__MAX };

/* Within one minute of ix_logs_published. */
static const char sql_published_edge[] =
	"SELECT count(*) FROM publish_logs WHERE status = 'success'"
	" AND published_at >= $1 AND published_at < $2 AND platform_key = $3";

/* The last entry of the key in ix_logs_last_failure. */
static const char sql_last_failure[] =
	"SELECT coalesce(failed_at, updated_at), substr(error_message, 1, 500) FROM publish_logs"
	" WHERE status = 'failed' AND platform_key = $1"
	" ORDER BY coalesce(failed_at, updated_at) DESC LIMIT 1";

enum {
	F_CLIPS_READY, F_CLIPS_PUBLISHED, F_AVG_SCORE, F_JOBS_COMPLETED, F_JOBS_FAILED,
	F_PLATFORM, F_POSTS_PUBLISHED, F_POSTS_PENDING, F_POSTS_TODAY, F_SUCCESS_RATE,
	F_AVG_CLIP_SCORE, F_AVG_VISUAL_SCORE, F_LAST_FAILURE, F__MAX
};

enum { L_AT, L_ERROR, L__MAX };
static const struct ph_field failure_fields[L__MAX] = {
	[L_AT] = { .name = "at", .type = PH_TIME,
	    .text = "failed_at, or updated_at where that was not recorded." },
	[L_ERROR] = { .name = "error", .type = PH_TEXT, .is_nullable = 1,
	    .text = "error_message, at most 500 characters." },
};

static const struct ph_field fields[F__MAX] = {
	[F_CLIPS_READY] = { .name = "clips_ready",
	    .text = "Distinct clips with a log in status pending or scheduled." },
	[F_CLIPS_PUBLISHED] = { .name = "clips_published",
	    .text = "Distinct clips with a log in status success." },
	[F_AVG_SCORE] = { .name = "avg_score", .type = PH_DECIMAL, .places = 4, .unit = "score 0 to 1",
	    .text = "Mean visual_score of the clips, one term per log in any status, unscored "
		"clips left out; 0.0 if there are none." },
	[F_JOBS_COMPLETED] = { .name = "jobs_completed",
	    .text = "Jobs in status completed whose params name this platform." },
	[F_JOBS_FAILED] = { .name = "jobs_failed",
	    .text = "Jobs in status failed whose params name this platform." },
	[F_PLATFORM] = { .name = "platform", .type = PH_TEXT, .choices = platforms, .is_extended = 1,
	    .text = "The key of this object." },
	[F_POSTS_PUBLISHED] = { .name = "posts_published", .is_extended = 1,
	    .text = "Logs in status success." },
	[F_POSTS_PENDING] = { .name = "posts_pending", .is_extended = 1,
	    .text = "Logs in status pending, scheduled or retry." },
	[F_POSTS_TODAY] = { .name = "posts_today", .is_extended = 1,
	    .text = "Success logs published since midnight UTC, shifted by tz_offset." },
	[F_SUCCESS_RATE] = { .name = "success_rate", .type = PH_DECIMAL, .places = 4,
	    .is_extended = 1, .unit = "ratio 0 to 1",
	    .text = "success / (success + failed) logs, 0.0 if there are none." },
	[F_AVG_CLIP_SCORE] = { .name = "avg_clip_score", .type = PH_DECIMAL, .places = 4,
	    .is_extended = 1, .unit = "score 0 to 1",
	    .text = "Mean visual_score, one term per distinct scored clip; 0.0 if there are none." },
	[F_AVG_VISUAL_SCORE] = { .name = "avg_visual_score", .type = PH_DECIMAL, .places = 4,
	    .is_extended = 1, .unit = "score 0 to 1", .text = "The same as avg_score." },
	[F_LAST_FAILURE] = { .name = "last_failure", .type = PH_OBJECT, .is_nullable = 1,
	    .is_extended = 1, .fields = failure_fields, .nfields = L__MAX,
	    .text = "The latest failed log; null if there is none." },
};

#define PLATFORM_FIELD(key, is_ext, what) { .name = key, .type = PH_OBJECT, .fields = fields, \
	.nfields = F__MAX, .is_extended = is_ext, .text = what }
static const struct ph_field answer_fields[PLATFORM__MAX] = {
	[INSTAGRAM] = PLATFORM_FIELD("instagram", 0, "Instagram."),
	[TIKTOK] = PLATFORM_FIELD("tiktok", 0, "TikTok."),
	[YOUTUBE] = PLATFORM_FIELD("youtube", 0, "YouTube."),
	[OTHER] = PLATFORM_FIELD("other", 0, "Every other platform name, the empty one included."),
	[FACEBOOK] = PLATFORM_FIELD("facebook", 1, "Facebook: a part of other, never to be added to it."),
};

struct figures {		/* the columns of the statements of that name, added up */
	int64_t	clips[PLATFORM__MAX][CLIPS__MAX];
	int64_t	jobs[PLATFORM__MAX][JOBS__MAX];
	int64_t	logs[PLATFORM__MAX][LOGS__MAX];
};

/* Counters by platform_key, those of facebook in other as well. */
static enum ph_rc
read_sums(struct ph_db *db, const char *sql, int ncols, int64_t *sums, struct ph_err *err)
{
	const enum ph_rc	rc = ph_stats_sums(db, sql, platforms, ncols, sums, err);
	int			col;

	for (col = 0; col < ncols; col++)
		sums[OTHER * ncols + col] += sums[FACEBOOK * ncols + col];
	return rc;
}

/* The midnight, tz_offset minutes east of UTC, that began the day of now. */
static int64_t
midnight(int64_t now, int64_t tz_offset)
{
	const int64_t local = now + tz_offset * MINUTE_MS;

	return local - (local % DAY_MS + DAY_MS) % DAY_MS - tz_offset * MINUTE_MS;
}

/* Write last_failure, of the later of two keys when there are two. */
static enum ph_rc
write_last_failure(struct ph_db *db, struct ph_json *out, const char *key, const char *key2,
    struct ph_err *err)
{
	struct ph_value	 v[L__MAX];
	struct ph_stmt	*st;
	int64_t		 latest = -1, latest2 = -1;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_last_failure, &st, err)) != PH_OK)
		return rc;
	if (key2 != NULL) {
		ph_stmt_bind_text(st, 1, key2);
		if ((rc = ph_stmt_step(st, err)) == PH_ROW)
			latest2 = ph_stmt_int(st, 0);
		ph_stmt_done(st);
	}
	ph_stmt_bind_text(st, 1, key);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		latest = ph_stmt_int(st, 0);
	if (latest2 > latest) {
		ph_stmt_done(st);
		ph_stmt_bind_text(st, 1, key2);
		rc = ph_stmt_step(st, err);
	}
	if (rc == PH_ROW) {
		v[L_AT] = ph_v_int(ph_stmt_int(st, 0));
		v[L_ERROR] = ph_v_str(ph_stmt_text(st, 1));
		ph_json_obj_open(out, "last_failure");
		ph_json_fields(out, failure_fields, v, L__MAX);
		ph_json_close(out);
	} else if (rc == PH_DONE)
		ph_json_null(out, "last_failure");
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
write_platform(const struct ph_stat_query *q, struct ph_json *out, enum platform p,
    const struct figures *f, struct ph_err *err)
{
	const int64_t	*clips = f->clips[p], *jobs = f->jobs[p], *logs = f->logs[p];
	struct ph_value	 v[F__MAX] = { 0 };
	int64_t		 since, today, part;
	enum ph_rc	 rc = PH_OK;

	v[F_CLIPS_READY] = ph_v_int(clips[READY]);
	v[F_CLIPS_PUBLISHED] = ph_v_int(clips[PUBLISHED]);
	v[F_AVG_SCORE] = ph_v_score(clips[SCORE_NANO], clips[SCORE_N]);
	v[F_JOBS_COMPLETED] = ph_v_int(jobs[JOBS_COMPLETED]);
	v[F_JOBS_FAILED] = ph_v_int(jobs[JOBS_FAILED]);
	ph_json_obj_open(out, platforms[p]);
	if (ph_json_is_extended(out)) {
		since = midnight(q->now_ms, q->tz_offset_min);
		if ((rc = ph_stats_since(q->db, "published", platforms[p], sql_published_edge, since,
		    &today, err)) != PH_OK)
			return rc;
		if (p == OTHER) {
			if ((rc = ph_stats_since(q->db, "published", platforms[FACEBOOK],
			    sql_published_edge, since, &part, err)) != PH_OK)
				return rc;
			today += part;
		}
		v[F_PLATFORM] = ph_v_str(platforms[p]);
		v[F_POSTS_PUBLISHED] = ph_v_int(logs[LOGS_SUCCESS]);
		v[F_POSTS_PENDING] = ph_v_int(logs[LOGS_WAITING]);
		v[F_POSTS_TODAY] = ph_v_int(today);
		v[F_SUCCESS_RATE] = ph_v_ratio(logs[LOGS_SUCCESS], logs[LOGS_SUCCESS] + logs[LOGS_FAILED]);
		v[F_AVG_CLIP_SCORE] = ph_v_score(clips[CLIP_SCORE_NANO], clips[CLIP_SCORE_N]);
		v[F_AVG_VISUAL_SCORE] = v[F_AVG_SCORE];
	}
	ph_json_fields(out, fields, v, F__MAX);
	if (ph_json_is_extended(out))
		rc = write_last_failure(q->db, out, platforms[p], p == OTHER ? platforms[FACEBOOK] : NULL,
		    err);
	ph_json_close(out);
	return rc;
}

static enum ph_rc
platforms_write(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	const enum platform	 n = ph_json_is_extended(out) ? PLATFORM__MAX : FACEBOOK;
	struct figures		 f = { 0 };
	enum platform		 p;
	enum ph_rc		 rc;

	/* In platform_counts the row of other has facebook's in it already. */
	if ((rc = ph_stats_sums(q->db, sql_clips, platforms, CLIPS__MAX, f.clips[0], err)) != PH_OK ||
	    (rc = read_sums(q->db, sql_jobs, JOBS__MAX, f.jobs[0], err)) != PH_OK ||
	    (ph_json_is_extended(out) &&
	    (rc = read_sums(q->db, sql_logs, LOGS__MAX, f.logs[0], err)) != PH_OK))
		return rc;
	for (p = 0; p < n && rc == PH_OK; p++)
		rc = write_platform(q, out, p, &f, err);
	return rc;
}

const struct ph_statistic ph_stat_platforms = {
	.name = "platforms", .fields = answer_fields, .nfields = PLATFORM__MAX, .write = platforms_write,
};
