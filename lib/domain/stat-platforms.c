/*
 * stat-platforms.c -- how each platform does.
 *
 * One object per platform, always the same four in this order.  A platform name is
 * trimmed and lower-cased; any name that is not one of the others counts as other.  Among
 * the extended fields there is a fifth, facebook: a part of other, never to be added to it.
 */
#include "autoconf.h"

#include "domain/filtered.h"
#include "domain/statistic.h"

enum { DAY_MS = 86400000, MINUTE_MS = 60000 };

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
	" CASE WHEN status IN ('pending', 'scheduled', 'retry') THEN n ELSE 0 END FROM log_counts WHERE step_ms = 0";
enum { LOGS_SUCCESS, LOGS_FAILED, LOGS_WAITING, LOGS__MAX };

/* The logs by ix_logs_published. */
static const char sql_published[] =
	PH_SINCE_SQL("published", "published_at", " AND status = 'success'", " AND platform_key = $5");

/* The posts of today, of those that a filter selects; the same index. */
static const char sql_today_filtered[] =
	"SELECT platform_key, 1 FROM publish_logs AS l WHERE status = 'success' AND published_at >= $1 AND "
	PH_FILTER_SQL_TIME("+requested_at") " AND " PH_FILTER_SQL_LOG("+l");

#define LAST_FAILURE(condition) \
	"SELECT coalesce(failed_at, updated_at), substr(error_message, 1, 500) FROM publish_logs AS l" \
	" WHERE status = 'failed' AND platform_key = $1" condition \
	" ORDER BY coalesce(failed_at, updated_at) DESC LIMIT 1"
/* The last entry of the key in ix_logs_last_failure; with a filter, the last that it selects. */
static const char sql_last_failure[] = LAST_FAILURE("");
static const char sql_last_failure_filtered[] =
	LAST_FAILURE(" AND " PH_FILTER_SQL_TIME("+requested_at") " AND " PH_FILTER_SQL_LOG("+l"));

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
	[F_PLATFORM] = { .name = "platform", .type = PH_TEXT, .choices = ph_platform_keys, .is_extended = 1,
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
static const struct ph_field answer_fields[PH_PLATFORM__MAX] = {
	[PH_PLATFORM_INSTAGRAM] = PLATFORM_FIELD("instagram", 0, "Instagram."),
	[PH_PLATFORM_TIKTOK] = PLATFORM_FIELD("tiktok", 0, "TikTok."),
	[PH_PLATFORM_YOUTUBE] = PLATFORM_FIELD("youtube", 0, "YouTube."),
	[PH_PLATFORM_OTHER] = PLATFORM_FIELD("other", 0, "Every other platform name, the empty one included."),
	[PH_PLATFORM_FACEBOOK] = PLATFORM_FIELD("facebook", 1, "Facebook: a part of other, never to be added to it."),
};

struct figures {
	int64_t	clips[PH_PLATFORM__MAX][PH_CLIPS__MAX];
	int64_t	jobs[PH_PLATFORM__MAX][JOBS__MAX];	/* columns of the statements of that name, added up */
	int64_t	logs[PH_PLATFORM__MAX][LOGS__MAX];
	int64_t	today[PH_PLATFORM__MAX];
};

/* The midnight, tz_offset minutes east of UTC, that began the day of now. */
static int64_t
midnight(int64_t now, int64_t tz_offset)
{
	const int64_t local = now + tz_offset * MINUTE_MS;

	return local - (local % DAY_MS + DAY_MS) % DAY_MS - tz_offset * MINUTE_MS;
}

/* -- of all rows -------------------------------------------------------------------- */

static enum ph_rc
posts_since(struct ph_db *db, int64_t since, int64_t *today, struct ph_err *err)
{
	enum ph_rc	rc = PH_OK;
	int		p;

	for (p = 0; p < PH_PLATFORM__MAX && rc == PH_OK; p++)
		rc = ph_stats_since(db, sql_published, ph_platform_keys[p], since, &today[p], err);
	return rc;
}

static enum ph_rc
read_all(const struct ph_stat_query *q, int is_extended, struct figures *f, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_stats_sums(q->db, sql_jobs, ph_platform_keys, JOBS__MAX, f->jobs[0], err)) != PH_OK ||
	    !is_extended ||
	    (rc = ph_stats_sums(q->db, sql_logs, ph_platform_keys, LOGS__MAX, f->logs[0], err)) != PH_OK)
		return rc;
	return posts_since(q->db, midnight(q->now_ms, q->tz_offset_min), f->today, err);
}

/* -- of those that a filter selects -------------------------------------------------- */

static enum ph_rc
posts_since_filtered(struct ph_db *db, const struct ph_filter *filter, int64_t since, int64_t *today,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_today_filtered, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, since);
	ph_filter_bind_time(filter, st);
	ph_filter_bind_platform(filter, st);
	return ph_stats_add(st, ph_platform_keys, 1, today, err);
}

static enum ph_rc
read_filtered(const struct ph_stat_query *q, int is_extended, struct figures *f, struct ph_err *err)
{
	struct ph_log_totals	t[PH_PLATFORM__MAX][PH_LOG__MAX];
	int64_t			jobs[PH_PLATFORM__MAX][PH_JOB__MAX];
	enum ph_rc		rc;
	int			p;

	rc = ph_filtered_platform_jobs(q->db, q->filter, jobs, err);
	for (p = 0; p < PH_PLATFORM__MAX; p++) {
		f->jobs[p][JOBS_COMPLETED] = jobs[p][PH_JOB_COMPLETED];
		f->jobs[p][JOBS_FAILED] = jobs[p][PH_JOB_FAILED];
	}
	if (rc != PH_OK || !is_extended ||
	    (rc = ph_filtered_platform_logs(q->db, q->filter, t, err)) != PH_OK)
		return rc;
	for (p = 0; p < PH_PLATFORM__MAX; p++) {
		f->logs[p][LOGS_SUCCESS] = t[p][PH_LOG_SUCCESS].n;
		f->logs[p][LOGS_FAILED] = t[p][PH_LOG_FAILED].n;
		f->logs[p][LOGS_WAITING] = t[p][PH_LOG_PENDING].n + t[p][PH_LOG_SCHEDULED].n + t[p][PH_LOG_RETRY].n;
	}
	return posts_since_filtered(q->db, q->filter, midnight(q->now_ms, q->tz_offset_min), f->today, err);
}

/* -- the answer ------------------------------------------------------------------------ */

/* What is counted by platform_key: other has that of facebook, too. */
static void
add_facebook(int ncols, int64_t *sums)
{
	int col;

	for (col = 0; col < ncols; col++)
		sums[PH_PLATFORM_OTHER * ncols + col] += sums[PH_PLATFORM_FACEBOOK * ncols + col];
}

/* Does the filter leave any row of the key? */
static int
is_selected(const struct ph_filter *f, int key)
{
	return ph_filter_is_off(f) || (f->keys >> key & 1) != 0 || (key == PH_PLATFORM_OTHER && f->nnames > 0);
}

/* Step to the last failure of a key. */
static enum ph_rc
find_failure(const struct ph_stat_query *q, int key, struct ph_stmt **st, struct ph_err *err)
{
	const int	is_filtered = !ph_filter_is_off(q->filter);
	enum ph_rc	rc;

	*st = NULL;
	if (!is_selected(q->filter, key))
		return PH_DONE;
	if ((rc = ph_db_prepare(q->db, is_filtered ? sql_last_failure_filtered : sql_last_failure, st,
	    err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(*st, 1, ph_platform_keys[key]);
	if (is_filtered) {
		ph_filter_bind_time(q->filter, *st);
		ph_filter_bind_platform(q->filter, *st);
	}
	return ph_stmt_step(*st, err);
}

/* Write last_failure; other shows the later one of its two keys. */
static enum ph_rc
write_last_failure(const struct ph_stat_query *q, struct ph_json *out, int platform, struct ph_err *err)
{
	struct ph_value	 v[L__MAX];
	struct ph_stmt	*st = NULL;
	int64_t		 of_facebook = -1;
	enum ph_rc	 rc;

	if (platform == PH_PLATFORM_OTHER) {
		if ((rc = find_failure(q, PH_PLATFORM_FACEBOOK, &st, err)) == PH_ROW)
			of_facebook = ph_stmt_int(st, 0);
		ph_stmt_done(st);
		if (rc != PH_ROW && rc != PH_DONE)
			return rc;
	}
	rc = find_failure(q, platform, &st, err);
	if (of_facebook >= 0 && (rc == PH_DONE || (rc == PH_ROW && of_facebook > ph_stmt_int(st, 0)))) {
		ph_stmt_done(st);
		rc = find_failure(q, PH_PLATFORM_FACEBOOK, &st, err);
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
write_platform(const struct ph_stat_query *q, struct ph_json *out, int p, const struct figures *f,
    struct ph_err *err)
{
	const int64_t	*clips = f->clips[p], *jobs = f->jobs[p], *logs = f->logs[p];
	struct ph_value	 v[F__MAX] = { 0 };
	enum ph_rc	 rc = PH_OK;

	v[F_CLIPS_READY] = ph_v_int(clips[PH_CLIPS_READY]);
	v[F_CLIPS_PUBLISHED] = ph_v_int(clips[PH_CLIPS_PUBLISHED]);
	v[F_AVG_SCORE] = ph_v_score(clips[PH_CLIPS_SCORE_NANO], clips[PH_CLIPS_SCORE_N]);
	v[F_JOBS_COMPLETED] = ph_v_int(jobs[JOBS_COMPLETED]);
	v[F_JOBS_FAILED] = ph_v_int(jobs[JOBS_FAILED]);
	if (ph_json_is_extended(out)) {
		v[F_PLATFORM] = ph_v_str(ph_platform_keys[p]);
		v[F_POSTS_PUBLISHED] = ph_v_int(logs[LOGS_SUCCESS]);
		v[F_POSTS_PENDING] = ph_v_int(logs[LOGS_WAITING]);
		v[F_POSTS_TODAY] = ph_v_int(f->today[p]);
		v[F_SUCCESS_RATE] = ph_v_ratio(logs[LOGS_SUCCESS], logs[LOGS_SUCCESS] + logs[LOGS_FAILED]);
		v[F_AVG_CLIP_SCORE] = ph_v_score(clips[PH_CLIPS_CLIP_SCORE_NANO], clips[PH_CLIPS_CLIP_SCORE_N]);
		v[F_AVG_VISUAL_SCORE] = v[F_AVG_SCORE];
	}
	ph_json_obj_open(out, ph_platform_keys[p]);
	ph_json_fields(out, fields, v, F__MAX);
	if (ph_json_is_extended(out))
		rc = write_last_failure(q, out, p, err);
	ph_json_close(out);
	return rc;
}

static enum ph_rc
platforms_write(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	const int	is_extended = ph_json_is_extended(out);
	const int	n = is_extended ? PH_PLATFORM__MAX : PH_PLATFORM_FACEBOOK;
	struct figures	f = { 0 };
	enum ph_rc	rc;
	int		p;

	if ((rc = ph_filtered_clips(q->db, q->filter, f.clips, err)) != PH_OK)
		return rc;
	rc = ph_filter_is_off(q->filter) ? read_all(q, is_extended, &f, err) :
	    read_filtered(q, is_extended, &f, err);
	add_facebook(JOBS__MAX, f.jobs[0]);
	add_facebook(LOGS__MAX, f.logs[0]);
	add_facebook(1, f.today);
	for (p = 0; p < n && rc == PH_OK; p++)
		rc = write_platform(q, out, p, &f, err);
	return rc;
}

const struct ph_statistic ph_stat_platforms = {
	.name = "platforms",
	.description = "A filter selects publish logs by requested_at and platform, jobs by created_at and the platform "
	    "in their params. The object of a platform that is not selected stays, with nothing in it.",
	.fields = answer_fields, .nfields = PH_PLATFORM__MAX, .write = platforms_write,
};
