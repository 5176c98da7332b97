/*
 * analysis.c -- the rules.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/hash.h"
#include "domain/analysis.h"
#include "domain/statistic.h"

enum {
	IN_FLIGHT_CRITICAL = 50, IN_FLIGHT_WARNING = 30,
	FAILED_PCT_CRITICAL = 30, FAILED_PCT_WARNING = 15,
	PENDING_JOBS_WARNING = 20,
	FAILED_LOGS_WARNING = 10,
	SUCCESS_PCT_CRITICAL = 70, SUCCESS_PCT_WARNING = 85,
	OLDEST_PENDING_WARNING_S = 7200
};
static const double saturation_critical = 0.9, saturation_warning = 0.7;

#define KEEP_STEP_MS	INT64_C(60000)
#define KEEP_MS		(400 * INT64_C(86400000))

const char *const ph_health_names[] = { "good", "warning", "critical", NULL };
const char *const ph_best_platforms[PH_BEST_PLATFORMS] = { "instagram", "tiktok", "youtube", "facebook" };
static const char *const post_platforms[PH_BEST_PLATFORMS] = { "instagram", "tiktok", "youtube", "other" };

/* -- figures ---------------------------------------------------------------------------- */

/* The five as one tree and as text. */
static enum ph_rc
read_statistics(struct ph_analysis *a, struct ph_db *db, cJSON **tree, struct ph_err *err)
{
	const struct ph_stat_query	 q = { .db = db, .now_ms = a->now_ms };
	const struct ph_statistic	*const *s;
	struct ph_json			*out = ph_json_new();
	enum ph_rc			 rc = PH_OK;

	*tree = NULL;
	if (out == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the statistics");
	ph_json_set_extended(out, 1);
	for (s = ph_statistics; *s != NULL && rc == PH_OK; s++) {
		ph_json_obj_open(out, (*s)->name);
		if ((rc = (*s)->write(&q, out, err)) == PH_OK)
			ph_json_close(out);
	}
	if (rc == PH_OK)
		rc = ph_json_finish(out, &a->statistics, err);
	ph_json_free(out);
	if (rc == PH_OK && (*tree = cJSON_Parse(a->statistics)) == NULL)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the statistics");
	return rc;
}

/* A number of the tree; none if it is null. */
static double
number(const cJSON *tree, const char *statistic, const char *name, double none)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(tree, statistic), name);

	assert(v != NULL);
	return cJSON_IsNumber(v) ? v->valuedouble : none;
}

static int64_t
count(const cJSON *tree, const char *statistic, const char *name)
{
	return (int64_t)number(tree, statistic, name, 0);
}

static void
take_figures(struct ph_analysis *a, const cJSON *t)
{
	const cJSON	*platforms = cJSON_GetObjectItemCaseSensitive(t, "platforms");
	size_t		 i;

	a->pending = count(t, "queue", "pending");
	a->processing = count(t, "queue", "processing");
	a->success = count(t, "queue", "success");
	a->failed = count(t, "queue", "failed");
	a->in_queue = count(t, "queue", "total_in_queue");
	a->oldest_pending_s = number(t, "queue", "oldest_pending_age_seconds", 0);
	a->avg_processing_ms = number(t, "queue", "avg_processing_time_ms", -1);
	a->jobs = count(t, "overview", "total_jobs");
	a->pending_jobs = count(t, "overview", "pending_jobs");
	a->failed_jobs = count(t, "overview", "failed_jobs");
	a->campaigns = count(t, "overview", "total_campaigns");
	a->saturation_rate = number(t, "orchestrator", "saturation_rate", 0);
	for (i = 0; i < PH_BEST_PLATFORMS; i++) {
		a->clips_ready += count(platforms, post_platforms[i], "clips_ready");
		a->posts[i] = count(platforms, post_platforms[i], "posts_published");
	}
}

/* $1: platform.  The last entry of the platform in ix_variants_ready. */
static const char sql_best[] =
	"SELECT v.clip_id, v.id, coalesce(v.visual_score, c.visual_score, -1),"
	" coalesce(v.duration_ms, c.duration_ms), v.created_at,"
	" EXISTS (SELECT 1 FROM publish_logs l WHERE l.clip_id = v.clip_id AND l.status <> 'failed'"
	" AND lower(trim(l.platform)) = $1)"
	" FROM (SELECT * FROM clip_variants WHERE status = 'ready' AND lower(trim(platform)) = $1"
	" ORDER BY visual_score DESC, created_at DESC LIMIT 1) v JOIN clips c ON c.id = v.clip_id";

static enum ph_rc
read_best(struct ph_db *db, const char *platform, struct ph_best_clip *best, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_best, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, platform);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		best->clip_id = strdup(ph_stmt_text(st, 0));
		best->variant_id = strdup(ph_stmt_text(st, 1));
		best->score = ph_stmt_double(st, 2);
		best->duration_ms = ph_stmt_int(st, 3);
		best->created_at = ph_stmt_int(st, 4);
		best->is_used = ph_stmt_int(st, 5) != 0;
		rc = best->clip_id != NULL && best->variant_id != NULL ? PH_OK :
		    ph_fail(err, PH_ENOMEM, "not enough memory for the best clips");
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* -- rules ------------------------------------------------------------------------------- */

/* Is part / whole more than percent?  Not if whole is 0. */
static int
exceeds(int64_t part, int64_t whole, int percent)
{
	return 100 * part > percent * whole;
}

static enum ph_health
level(int is_critical, int is_warning)
{
	return is_critical ? PH_CRITICAL : is_warning ? PH_WARNING : PH_GOOD;
}

static void issue(struct ph_analysis *, enum ph_health, const char *title, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Nothing if it is good. */
static void
issue(struct ph_analysis *a, enum ph_health severity, const char *title, const char *fmt, ...)
{
	struct ph_issue	*i = &a->issues[a->nissues];
	va_list		 ap;

	if (severity == PH_GOOD)
		return;
	assert(a->nissues < PH_ISSUES_MAX);
	a->nissues++;
	i->severity = severity;
	i->title = title;
	va_start(ap, fmt);
	vsnprintf(i->description, sizeof(i->description), fmt, ap);
	va_end(ap);
}

static void
judge(struct ph_analysis *a)
{
	const int64_t	in_flight = a->pending + a->processing, done = a->success + a->failed;

	a->queue = level(in_flight > IN_FLIGHT_CRITICAL || exceeds(a->failed, done, FAILED_PCT_CRITICAL),
	    in_flight > IN_FLIGHT_WARNING || exceeds(a->failed, done, FAILED_PCT_WARNING));
	a->orchestrator = level(a->saturation_rate > saturation_critical, a->saturation_rate > saturation_warning);
	if (a->campaigns > 0)
		a->campaigns_health = level(exceeds(a->failed_jobs, a->jobs, FAILED_PCT_CRITICAL),
		    exceeds(a->failed_jobs, a->jobs, FAILED_PCT_WARNING) || a->pending_jobs > PENDING_JOBS_WARNING);
	issue(a, a->queue, "Publish queue", "%" PRId64 " logs are pending or processing; %" PRId64 " of %" PRId64
	    " finished ones failed.", in_flight, a->failed, done);
	issue(a, a->orchestrator, "Orchestrator saturation", "The queue fills %.4g %% of its capacity.",
	    100 * a->saturation_rate);
	issue(a, a->campaigns_health, "Campaign jobs", "%" PRId64 " of %" PRId64 " jobs failed, %" PRId64
	    " are pending.", a->failed_jobs, a->jobs, a->pending_jobs);
	issue(a, level(0, a->failed > FAILED_LOGS_WARNING), "Failed publications",
	    "%" PRId64 " publish logs have failed.", a->failed);
	issue(a, done == 0 ? PH_GOOD : level(100 * a->success < SUCCESS_PCT_CRITICAL * done,
	    100 * a->success < SUCCESS_PCT_WARNING * done), "Success rate",
	    "%" PRId64 " of %" PRId64 " finished publish logs succeeded.", a->success, done);
	issue(a, level(0, a->pending_jobs > PENDING_JOBS_WARNING), "Pending jobs",
	    "%" PRId64 " jobs are pending.", a->pending_jobs);
	issue(a, level(0, a->oldest_pending_s > OLDEST_PENDING_WARNING_S), "Oldest pending publication",
	    "It has been waiting for %.0f minutes.", floor(a->oldest_pending_s / 60));
}

enum ph_rc
ph_analysis_read(struct ph_analysis *a, struct ph_db *db, int64_t now_ms, struct ph_err *err)
{
	cJSON		*tree;
	enum ph_rc	 rc;
	size_t		 i;

	*a = (struct ph_analysis){ .now_ms = now_ms };
	if ((rc = read_statistics(a, db, &tree, err)) != PH_OK)
		return rc;
	take_figures(a, tree);
	cJSON_Delete(tree);
	for (i = 0; i < PH_BEST_PLATFORMS; i++)
		if ((rc = read_best(db, ph_best_platforms[i], &a->best[i], err)) != PH_OK)
			return rc;
	judge(a);
	return PH_OK;
}

void
ph_analysis_free(struct ph_analysis *a)
{
	size_t i;

	for (i = 0; i < PH_BEST_PLATFORMS; i++) {
		free(a->best[i].clip_id);
		free(a->best[i].variant_id);
	}
	free(a->statistics);
	*a = (struct ph_analysis){ 0 };
}

enum ph_health
ph_analysis_status(const struct ph_analysis *a)
{
	enum ph_health worst = a->queue;

	if (a->orchestrator > worst)
		worst = a->orchestrator;
	return a->campaigns_health > worst ? a->campaigns_health : worst;
}

/* -- as JSON ------------------------------------------------------------------------------ */

enum { B_CLIP_ID, B_VARIANT_ID, B_SCORE, B_DURATION, B_CREATED_AT, B__MAX };
static const struct ph_field best_fields[B__MAX] = {
	[B_CLIP_ID] = { .name = "clip_id", .type = PH_TEXT, .text = "The clip." },
	[B_VARIANT_ID] = { .name = "variant_id", .type = PH_TEXT, .text = "Its variant for the platform." },
	[B_SCORE] = { .name = "score", .type = PH_DECIMAL, .places = 4, .is_nullable = 1,
	    .unit = "score 0 to 1", .text = "Of the variant, else of the clip; null if neither has one." },
	[B_DURATION] = { .name = "duration", .type = PH_DECIMAL, .places = 3, .unit = "s",
	    .text = "Of the variant, else of the clip." },
	[B_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "Of the variant." },
};

enum { I_SEVERITY, I_TITLE, I_DESCRIPTION, I__MAX };
static const struct ph_field issue_fields[I__MAX] = {
	[I_SEVERITY] = { .name = "severity", .type = PH_TEXT, .text = "warning or critical." },
	[I_TITLE] = { .name = "title", .type = PH_TEXT, .text = "What it is about." },
	[I_DESCRIPTION] = { .name = "description", .type = PH_TEXT, .text = "The figures, as a sentence." },
};

static const struct ph_field post_fields[PH_BEST_PLATFORMS] = {
	{ .name = "instagram", .text = "Posts published on Instagram." },
	{ .name = "tiktok", .text = "Posts published on TikTok." },
	{ .name = "youtube", .text = "Posts published on YouTube." },
	{ .name = "other", .text = "Posts published elsewhere." },
};

enum { M_CLIPS_READY, M_AVG_PROCESSING, M_DISTRIBUTION, M_IN_QUEUE, M_FAILED_RATE, M__MAX };
static const struct ph_field metric_fields[M__MAX] = {
	[M_CLIPS_READY] = { .name = "total_clips_ready",
	    .text = "Sum of clips_ready over the platforms: a clip counts on each of its platforms." },
	[M_AVG_PROCESSING] = { .name = "avg_processing_time_ms", .type = PH_DECIMAL, .places = 2,
	    .is_nullable = 1, .unit = "ms", .text = "As in the queue statistic." },
	[M_DISTRIBUTION] = { .name = "platform_distribution", .type = PH_OBJECT, .fields = post_fields,
	    .nfields = PH_BEST_PLATFORMS, .text = "posts_published of the platforms statistic." },
	[M_IN_QUEUE] = { .name = "total_in_queue", .text = "As in the queue statistic." },
	[M_FAILED_RATE] = { .name = "failed_rate", .type = PH_DECIMAL, .places = 4, .unit = "ratio 0 to 1",
	    .text = "failed / (success + failed) publish logs, 0.0 if there are none." },
};

enum { F_TIMESTAMP, F_QUEUE, F_ORCHESTRATOR, F_CAMPAIGNS, F_SUCCESS_RATE, F_PENDING, F_BEST, F_ISSUES, F_METRICS };
const struct ph_field ph_analysis_fields[PH_ANALYSIS_NFIELDS] = {
	[F_TIMESTAMP] = { .name = "timestamp", .type = PH_TIME, .text = "When it was made." },
	[F_QUEUE] = { .name = "queue_health", .type = PH_TEXT, .choices = ph_health_names,
	    .text = "critical: pending + processing > 50 or failed / (success + failed) > 0.30; "
		"warning: > 30 or > 0.15." },
	[F_ORCHESTRATOR] = { .name = "orchestrator_health", .type = PH_TEXT, .choices = ph_health_names,
	    .text = "critical: saturation_rate > 0.9; warning: > 0.7." },
	[F_CAMPAIGNS] = { .name = "campaigns_status", .type = PH_TEXT, .choices = ph_health_names,
	    .text = "critical: failed / all jobs > 0.30; warning: > 0.15 or more than 20 pending jobs; "
		"good without campaigns." },
	[F_SUCCESS_RATE] = { .name = "publish_success_rate", .type = PH_DECIMAL, .places = 4,
	    .unit = "ratio 0 to 1", .text = "success / (success + failed) publish logs, 0.0 if there are none." },
	[F_PENDING] = { .name = "pending_scheduled", .text = "Publish logs in status pending." },
	[F_BEST] = { .name = "best_clip_per_platform", .type = PH_ANY,
	    .text = "An object: for each of instagram, tiktok, youtube and facebook that has a ready variant, "
		"the best one as {clip_id, variant_id, score, duration (s), created_at}." },
	[F_ISSUES] = { .name = "issues_detected", .type = PH_ARRAY, .fields = issue_fields, .nfields = I__MAX,
	    .text = "What is not good." },
	[F_METRICS] = { .name = "metrics", .type = PH_OBJECT, .fields = metric_fields, .nfields = M__MAX,
	    .text = "The figures beside it." },
};

static void
write_best(const struct ph_analysis *a, struct ph_json *out)
{
	struct ph_value	v[B__MAX];
	size_t		i;

	ph_json_obj_open(out, ph_analysis_fields[F_BEST].name);
	for (i = 0; i < PH_BEST_PLATFORMS; i++) {
		const struct ph_best_clip *b = &a->best[i];

		if (b->clip_id == NULL)
			continue;
		v[B_CLIP_ID] = ph_v_str(b->clip_id);
		v[B_VARIANT_ID] = ph_v_str(b->variant_id);
		v[B_SCORE] = b->score < 0 ? ph_v_null() : ph_v_real(b->score);
		v[B_DURATION] = ph_v_ratio(b->duration_ms, 1000);
		v[B_CREATED_AT] = ph_v_int(b->created_at);
		ph_json_obj_open(out, ph_best_platforms[i]);
		ph_json_fields(out, best_fields, v, B__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
}

static void
write_metrics(const struct ph_analysis *a, struct ph_json *out)
{
	struct ph_value	v[M__MAX] = { 0 }, posts[PH_BEST_PLATFORMS];
	size_t		i;

	v[M_CLIPS_READY] = ph_v_int(a->clips_ready);
	v[M_AVG_PROCESSING] = a->avg_processing_ms < 0 ? ph_v_null() : ph_v_real(a->avg_processing_ms);
	v[M_IN_QUEUE] = ph_v_int(a->in_queue);
	v[M_FAILED_RATE] = ph_v_ratio(a->failed, a->success + a->failed);
	for (i = 0; i < PH_BEST_PLATFORMS; i++)
		posts[i] = ph_v_int(a->posts[i]);
	ph_json_obj_open(out, ph_analysis_fields[F_METRICS].name);
	ph_json_fields(out, metric_fields, v, M__MAX);
	ph_json_obj_open(out, metric_fields[M_DISTRIBUTION].name);
	ph_json_fields(out, post_fields, posts, PH_BEST_PLATFORMS);
	ph_json_close(out);
	ph_json_close(out);
}

void
ph_analysis_write(const struct ph_analysis *a, struct ph_json *out)
{
	struct ph_value	v[PH_ANALYSIS_NFIELDS] = { 0 }, one[I__MAX];
	size_t		i;

	v[F_TIMESTAMP] = ph_v_int(a->now_ms);
	v[F_QUEUE] = ph_v_str(ph_health_names[a->queue]);
	v[F_ORCHESTRATOR] = ph_v_str(ph_health_names[a->orchestrator]);
	v[F_CAMPAIGNS] = ph_v_str(ph_health_names[a->campaigns_health]);
	v[F_SUCCESS_RATE] = ph_v_ratio(a->success, a->success + a->failed);
	v[F_PENDING] = ph_v_int(a->pending);
	ph_json_fields(out, ph_analysis_fields, v, PH_ANALYSIS_NFIELDS);
	write_best(a, out);
	ph_json_arr_open(out, ph_analysis_fields[F_ISSUES].name);
	for (i = 0; i < a->nissues; i++) {
		one[I_SEVERITY] = ph_v_str(ph_health_names[a->issues[i].severity]);
		one[I_TITLE] = ph_v_str(a->issues[i].title);
		one[I_DESCRIPTION] = ph_v_str(a->issues[i].description);
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, issue_fields, one, I__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
	write_metrics(a, out);
}

/* -- the history ---------------------------------------------------------------------------- */

/* One of a clock that is right: a later one does not keep today's away. */
static const char sql_latest[] =
	"SELECT id FROM analyses WHERE created_at > $1 - $2 AND created_at <= $1 ORDER BY created_at DESC LIMIT 1";
static const char sql_keep[] =
	"INSERT INTO analyses (id, created_at, score, status, has_critical, result)"
	" VALUES ($1, $2, $3, $4, $5, $6)";
static const char sql_forget[] = "DELETE FROM analyses WHERE created_at < $1";

static enum ph_rc
find_latest(struct ph_db *db, int64_t now_ms, char id[37], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_latest, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, now_ms);
	ph_stmt_bind_int(st, 2, KEEP_STEP_MS);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		snprintf(id, 37, "%s", ph_stmt_text(st, 0));
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
insert(const struct ph_analysis *a, struct ph_db *db, const char *id, const char *result, struct ph_err *err)
{
	const int64_t	 done = a->success + a->failed;
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;
	int		 has_critical = 0;

	for (i = 0; i < a->nissues; i++)
		has_critical |= a->issues[i].severity == PH_CRITICAL;
	if ((rc = ph_db_prepare(db, sql_keep, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_int(st, 2, a->now_ms);
	ph_stmt_bind_double(st, 3, done > 0 ? (double)a->success / (double)done : 0);
	ph_stmt_bind_text(st, 4, ph_health_names[ph_analysis_status(a)]);
	ph_stmt_bind_int(st, 5, has_critical);
	ph_stmt_bind_text(st, 6, result);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc != PH_OK || (rc = ph_db_prepare(db, sql_forget, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, a->now_ms - KEEP_MS);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_analysis_keep(const struct ph_analysis *a, struct ph_db *db, char id[37], int *is_new, struct ph_err *err)
{
	struct ph_json	*out;
	char		*result = NULL;
	enum ph_rc	 rc;

	*is_new = 0;
	if ((rc = find_latest(db, a->now_ms, id, err)) != PH_DONE)
		return rc == PH_ROW ? PH_OK : rc;
	if ((out = ph_json_new()) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the analysis");
	ph_analysis_write(a, out);
	ph_uuid(id);
	*is_new = 1;
	if ((rc = ph_json_finish(out, &result, err)) == PH_OK)
		rc = insert(a, db, id, result, err);
	ph_json_free(out);
	free(result);
	return rc;
}
