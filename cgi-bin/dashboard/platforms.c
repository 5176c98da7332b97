/*
 * platforms.c -- GET /dashboard/stats/platforms
 *
 * One object per platform, always the same four in this order.  A platform name is
 * trimmed and lower-cased; any name that is not one of the others counts as other.  With
 * include=extended there is a fifth, facebook: a part of other, never to be added to it.
 */
#include "autoconf.h"

#include <string.h>

#include "core/endpoint.h"
#include "domain/stats.h"

enum { DAY_MS = 86400000, MINUTE_MS = 60000 };

enum platform { INSTAGRAM, TIKTOK, YOUTUBE, OTHER, FACEBOOK, PLATFORM__MAX };
static const char *const platforms[PLATFORM__MAX + 1] = {
	"instagram", "tiktok", "youtube", "other", "facebook", NULL
};
static const char *const published_series[PLATFORM__MAX] = {
	"published.instagram", "published.tiktok", "published.youtube", "published.other",
	"published.facebook"
};

/* Five rows. */
static const char sql_platforms[] =
	"SELECT platform, clips_ready, clips_published, score_n, score_nano, clip_score_n,"
	" clip_score_nano FROM platform_counts";
/* At most six platforms times two statuses. */
static const char sql_jobs[] =
	"SELECT platform_key, status, n FROM job_counts WHERE status IN ('completed', 'failed')";
/* At most five platforms times six statuses. */
static const char sql_logs[] = "SELECT platform_key, status, n FROM log_counts";

/* Within one minute of ix_logs_published; one statement per series, because a statement
 * knows only its two bounds. */
#define PUBLISHED_EDGE(key) "SELECT count(*) FROM publish_logs WHERE status = 'success'" \
	" AND published_at >= $1 AND published_at < $2 AND platform_key = '" key "'"
static const char *const sql_published_edge[PLATFORM__MAX] = {
	PUBLISHED_EDGE("instagram"), PUBLISHED_EDGE("tiktok"), PUBLISHED_EDGE("youtube"),
	PUBLISHED_EDGE("other"), PUBLISHED_EDGE("facebook")
};

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

struct figures {
	int64_t	clips_ready, clips_published, score_n, score_nano, clip_score_n, clip_score_nano;
	int64_t	jobs_completed, jobs_failed;
	int64_t	success, failed, waiting;	/* logs; waiting: pending, scheduled, retry */
};

static int
find(const char *platform)
{
	int i;

	for (i = 0; i < PLATFORM__MAX; i++)
		if (strcmp(platforms[i], platform) == 0)
			return i;
	return -1;
}

static enum ph_rc
read_platforms(struct ph_db *db, struct figures *f, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(db, sql_platforms, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((i = find(ph_stmt_text(st, 0))) < 0)
			continue;
		f[i].clips_ready = ph_stmt_int(st, 1);
		f[i].clips_published = ph_stmt_int(st, 2);
		f[i].score_n = ph_stmt_int(st, 3);
		f[i].score_nano = ph_stmt_int(st, 4);
		f[i].clip_score_n = ph_stmt_int(st, 5);
		f[i].clip_score_nano = ph_stmt_int(st, 6);
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* Add n of a (platform, status) counter to the platform, and for facebook to other too. */
typedef void add_fn(struct figures *, const char *status, int64_t n);

static void
add_jobs(struct figures *f, const char *status, int64_t n)
{
	*(status[0] == 'c' ? &f->jobs_completed : &f->jobs_failed) += n;
}

static void
add_logs(struct figures *f, const char *status, int64_t n)
{
	if (strcmp(status, "success") == 0)
		f->success += n;
	else if (strcmp(status, "failed") == 0)
		f->failed += n;
	else if (strcmp(status, "processing") != 0)
		f->waiting += n;
}

static enum ph_rc
read_counts(struct ph_db *db, const char *sql, add_fn *add, struct figures *f, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((i = find(ph_stmt_text(st, 0))) < 0)
			continue;
		add(&f[i], ph_stmt_text(st, 1), ph_stmt_int(st, 2));
		if (i == FACEBOOK)
			add(&f[OTHER], ph_stmt_text(st, 1), ph_stmt_int(st, 2));
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
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
write_platform(struct ph_req *req, struct ph_json *out, int p, const struct figures *f,
    struct ph_err *err)
{
	struct ph_db	*db = ph_req_db(req);
	struct ph_value	 v[F__MAX] = { 0 };
	int64_t		 since, today, part;
	enum ph_rc	 rc = PH_OK;

	v[F_CLIPS_READY] = ph_v_int(f->clips_ready);
	v[F_CLIPS_PUBLISHED] = ph_v_int(f->clips_published);
	v[F_AVG_SCORE] = ph_v_score(f->score_nano, f->score_n);
	v[F_JOBS_COMPLETED] = ph_v_int(f->jobs_completed);
	v[F_JOBS_FAILED] = ph_v_int(f->jobs_failed);
	ph_json_obj_open(out, platforms[p]);
	if (ph_json_is_extended(out)) {
		since = midnight(ph_req_now_ms(req), ph_req_int(req, PH_STATS_TZ_OFFSET));
		if ((rc = ph_stats_since(db, published_series[p], sql_published_edge[p], since, &today,
		    err)) != PH_OK)
			return rc;
		if (p == OTHER) {
			if ((rc = ph_stats_since(db, published_series[FACEBOOK],
			    sql_published_edge[FACEBOOK], since, &part, err)) != PH_OK)
				return rc;
			today += part;
		}
		v[F_PLATFORM] = ph_v_str(platforms[p]);
		v[F_POSTS_PUBLISHED] = ph_v_int(f->success);
		v[F_POSTS_PENDING] = ph_v_int(f->waiting);
		v[F_POSTS_TODAY] = ph_v_int(today);
		v[F_SUCCESS_RATE] = ph_v_ratio(f->success, f->success + f->failed);
		v[F_AVG_CLIP_SCORE] = ph_v_score(f->clip_score_nano, f->clip_score_n);
		v[F_AVG_VISUAL_SCORE] = v[F_AVG_SCORE];
	}
	ph_json_fields(out, fields, v, F__MAX);
	if (ph_json_is_extended(out))
		rc = write_last_failure(db, out, platforms[p], p == OTHER ? platforms[FACEBOOK] : NULL, err);
	ph_json_close(out);
	return rc;
}

static enum ph_rc
platforms_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const int	 n = ph_json_is_extended(out) ? PLATFORM__MAX : FACEBOOK;
	struct figures	 f[PLATFORM__MAX] = { 0 };
	struct ph_db	*db = ph_req_db(req);
	enum ph_rc	 rc;
	int		 i;

	if ((rc = read_platforms(db, f, err)) != PH_OK ||
	    (rc = read_counts(db, sql_jobs, add_jobs, f, err)) != PH_OK ||
	    (ph_json_is_extended(out) && (rc = read_counts(db, sql_logs, add_logs, f, err)) != PH_OK))
		return rc;
	for (i = 0; i < n && rc == PH_OK; i++)
		rc = write_platform(req, out, i, &f[i], err);
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-platforms", .path = "/dashboard/stats/platforms",
	.scope = "dashboard:read", .needs = PH_NEED_DB_READ, .cache_s = 1,
	.summary = "How each platform does",
	.params = ph_stats_params, .nparams = PH_STATS_NPARAMS,
	.fields = answer_fields, .nfields = PLATFORM__MAX, .get = platforms_get,
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
