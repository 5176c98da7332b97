/*
 * recommendation.c -- the rules of what to do.
 *
 *	best clip of a platform scores > 0.8		publish
 *	orchestrator is not good			run_orchestrator
 *	queue is not good				rebalance_queue
 *	failed logs > 10				retry
 *	pending logs > 20				run_scheduler
 *	draft or active campaign untouched for 7 days	promote (the 3 longest)
 *	platforms with < 5 posts			optimize_schedule
 *	failed_rate > 0.2				clear_failed
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/hash.h"
#include "domain/recommendation.h"

enum { FAILED_MANY = 10, PENDING_MANY = 20, POSTS_FEW = 5, FAILED_PCT = 20, STALE_MAX = 3, POST_PLATFORMS = 3 };
#define SCORE_GOOD 0.8
#define STALE_MS INT64_C(604800000)

/* -- making them ----------------------------------------------------------------------------- */

struct making {
	struct ph_recommendations	*r;
	struct ph_err			*err;
	enum ph_rc			 rc;	/* the first failure sticks */
};

static void suggest(struct making *, enum ph_health, const char *action, struct ph_json *payload,
    const char *title, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Takes the payload over; NULL: no memory. */
static void
suggest(struct making *m, enum ph_health severity, const char *action, struct ph_json *payload,
    const char *title, const char *fmt, ...)
{
	struct ph_recommendation	*one;
	unsigned char			 hash[PH_SHA256_SIZE];
	char				*key;
	size_t				 size, i;
	va_list				 ap;

	if (m->rc != PH_OK || payload == NULL) {
		if (m->rc == PH_OK)
			m->rc = ph_fail(m->err, PH_ENOMEM, "not enough memory for the recommendations");
		ph_json_free(payload);
		return;
	}
	assert(m->r->n < PH_RECOMMENDATIONS_MAX);
	one = &m->r->list[m->r->n];
	*one = (struct ph_recommendation){ .severity = severity, .action = action, .title = title };
	m->rc = ph_json_finish(payload, &one->payload, m->err);
	ph_json_free(payload);
	if (m->rc != PH_OK)
		return;
	va_start(ap, fmt);
	vsnprintf(one->description, sizeof(one->description), fmt, ap);		/* may be cut */
	va_end(ap);
	m->r->n++;
	size = strlen(action) + strlen(one->payload) + 16;
	if ((key = malloc(size)) == NULL) {
		m->rc = ph_fail(m->err, PH_ENOMEM, "not enough memory for the recommendations");
		return;
	}
	snprintf(key, size, "%d\n%s\n%s", (int)severity, action, one->payload);
	ph_sha256(hash, key, strlen(key));
	for (i = 0; i < (PH_RECOMMENDATION_ID_SIZE - 1) / 2; i++)
		snprintf(one->id + 2 * i, 3, "%02x", hash[i]);
	free(key);
}

/* A body with up to two texts. */
static struct ph_json *
payload(const char *name, const char *value, const char *name2, const char *value2)
{
	struct ph_json *out = ph_json_new();

	if (out == NULL)
		return NULL;
	if (name != NULL)
		ph_json_str(out, name, value);
	if (name2 != NULL)
		ph_json_str(out, name2, value2);
	return out;
}

static struct ph_json *
payload_int(const char *name, int64_t value)
{
	struct ph_json *out = ph_json_new();

	if (out != NULL)
		ph_json_int(out, name, value);
	return out;
}

static void
suggest_clips(struct making *m, const struct ph_analysis *a)
{
	size_t i;

	for (i = 0; i < PH_BEST_PLATFORMS; i++)
		if (a->best[i].clip_id != NULL && a->best[i].score > SCORE_GOOD && !a->best[i].is_used)
			suggest(m, PH_GOOD, "publish",
			    payload("clip_id", a->best[i].clip_id, "platform", ph_best_platforms[i]),
			    "Publish the best clip", "Clip %.64s scores %.4g on %s and is not out there.",
			    a->best[i].clip_id, a->best[i].score, ph_best_platforms[i]);
}

/* The oldest entries of two runs of ix_campaigns_updated. */
static const char sql_stale[] =
	"SELECT k.id, k.name, k.status, c.video_asset_id FROM"
	" (SELECT * FROM (SELECT * FROM campaigns WHERE status = 'draft' AND updated_at < $1"
	" ORDER BY updated_at, id LIMIT $2)"
	" UNION ALL SELECT * FROM (SELECT * FROM campaigns WHERE status = 'active' AND updated_at < $1"
	" ORDER BY updated_at, id LIMIT $2)) k JOIN clips c ON c.id = k.clip_id ORDER BY k.updated_at, k.id LIMIT $2";

static void
suggest_campaigns(struct making *m, const struct ph_analysis *a, struct ph_db *db)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if (m->rc != PH_OK || (m->rc = ph_db_prepare(db, sql_stale, &st, m->err)) != PH_OK)
		return;
	ph_stmt_bind_int(st, 1, a->now_ms - STALE_MS);
	ph_stmt_bind_int(st, 2, STALE_MAX);
	while ((rc = ph_stmt_step(st, m->err)) == PH_ROW)
		suggest(m, PH_GOOD, "promote",
		    payload("video_id", ph_stmt_text(st, 3), "campaign_id", ph_stmt_text(st, 0)),
		    "Promote the best clip", "Campaign %.80s is %s and untouched for more than 7 days.%s",
		    ph_stmt_text(st, 1), ph_stmt_text(st, 2), strcmp(ph_stmt_text(st, 2), "draft") == 0 ? "" :
		    " Its clip can be changed once it is a draft again.");
	ph_stmt_done(st);
	if (m->rc == PH_OK && rc != PH_DONE)
		m->rc = rc;
}

static void
suggest_platforms(struct making *m, const struct ph_analysis *a)
{
	struct ph_json	*body = ph_json_new();
	char		 names[64] = "";
	size_t		 len = 0, i;

	if (body != NULL)
		ph_json_arr_open(body, "platforms");
	for (i = 0; i < POST_PLATFORMS && body != NULL; i++)
		if (a->posts[i] < POSTS_FEW) {
			ph_json_str(body, NULL, ph_best_platforms[i]);
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? ", " : "",
			    ph_best_platforms[i]);
		}
	if (body != NULL)
		ph_json_close(body);
	if (body != NULL && len == 0)
		ph_json_free(body);
	else
		suggest(m, PH_GOOD, "optimize_schedule", body, "Optimise the schedule",
		    "Fewer than %d posts are out on %s.", POSTS_FEW, names);
}

static void
suggest_all(struct making *m, const struct ph_analysis *a, struct ph_db *db)
{
	suggest_clips(m, a);
	if (a->orchestrator != PH_GOOD)
		suggest(m, a->orchestrator, "run_orchestrator", payload(NULL, NULL, NULL, NULL),
		    "Run the orchestrator", "The queue fills %.4g %% of its capacity.", 100 * a->saturation_rate);
	if (a->queue != PH_GOOD)
		suggest(m, a->queue, "rebalance_queue", payload_int("interval_minutes", 30), "Rebalance the queue",
		    "%" PRId64 " publish logs are pending, %" PRId64 " processing, %" PRId64 " have failed.",
		    a->pending, a->processing, a->failed);
	if (a->failed > FAILED_MANY)
		suggest(m, PH_WARNING, "retry", payload(NULL, NULL, NULL, NULL), "Retry failed publications",
		    "%" PRId64 " publish logs have failed.", a->failed);
	if (a->pending > PENDING_MANY)
		suggest(m, PH_WARNING, "run_scheduler", payload(NULL, NULL, NULL, NULL), "Run the scheduler",
		    "%" PRId64 " publish logs are pending.", a->pending);
	suggest_campaigns(m, a, db);
	suggest_platforms(m, a);
	if (100 * a->failed > FAILED_PCT * (a->success + a->failed))
		suggest(m, PH_WARNING, "clear_failed", payload_int("older_than_days", 7), "Clear old failures",
		    "%" PRId64 " of %" PRId64 " finished publish logs have failed.", a->failed,
		    a->success + a->failed);
}

/* Critical before warning before info, else in the order of the rules. */
static void
sort(struct ph_recommendations *r)
{
	struct ph_recommendation	one;
	size_t				i, k;

	for (i = 1; i < r->n; i++) {
		one = r->list[i];
		for (k = i; k > 0 && r->list[k - 1].severity < one.severity; k--)
			r->list[k] = r->list[k - 1];
		r->list[k] = one;
	}
}

static enum ph_rc
make(struct ph_recommendations *r, const struct ph_analysis *a, struct ph_db *db, struct ph_err *err)
{
	struct making m = { .r = r, .err = err, .rc = PH_OK };

	r->n = 0;
	suggest_all(&m, a, db);
	sort(r);
	return m.rc;
}

/* -- dismissing them ----------------------------------------------------------------------------- */

static const char sql_dismissed[] = "SELECT dismissed_at FROM dismissed_recommendations WHERE id = $1"
	" AND dismissed_at > $2";
static const char sql_dismiss[] =
	"INSERT INTO dismissed_recommendations (id, dismissed_by, dismissed_at) VALUES ($1, $2, $3)"
	" ON CONFLICT (id) DO UPDATE SET dismissed_by = excluded.dismissed_by, dismissed_at = excluded.dismissed_at";

/* PH_ROW and *at, or PH_DONE. */
static enum ph_rc
find_dismissed(struct ph_db *db, const char *id, int64_t now_ms, int64_t *at, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_dismissed, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_int(st, 2, now_ms - PH_DISMISS_MS);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*at = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_recommendations_read(struct ph_recommendations *r, const struct ph_analysis *a, struct ph_db *db,
    struct ph_err *err)
{
	int64_t		at;
	enum ph_rc	rc;
	size_t		i, n = 0;

	if ((rc = make(r, a, db, err)) != PH_OK)
		return rc;
	for (i = 0; i < r->n; i++) {
		if (rc == PH_OK && (rc = find_dismissed(db, r->list[i].id, a->now_ms, &at, err)) == PH_DONE) {
			rc = PH_OK;
			r->list[n++] = r->list[i];
			continue;
		}
		free(r->list[i].payload);
		if (rc == PH_ROW)
			rc = PH_OK;
	}
	r->n = n;
	return rc;
}

void
ph_recommendations_free(struct ph_recommendations *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		free(r->list[i].payload);
	r->n = 0;
}

static enum ph_rc
dismiss(struct ph_db *db, const char *id, const char *user, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_dismiss, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_text(st, 2, user);
	ph_stmt_bind_int(st, 3, now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_recommendation_dismiss(const char *id, const char *user, const struct ph_analysis *a,
    struct ph_db *db, int64_t *until, struct ph_err *err)
{
	struct ph_recommendations	r = { .n = 0 };
	int64_t				at = a->now_ms;
	enum ph_rc			rc;
	size_t				i;

	if ((rc = find_dismissed(db, id, a->now_ms, &at, err)) == PH_DONE &&
	    (rc = make(&r, a, db, err)) == PH_OK) {
		for (i = 0; i < r.n && strcmp(r.list[i].id, id) != 0; i++)
			;
		rc = i < r.n ? dismiss(db, id, user, a->now_ms, err) :
		    ph_fail(err, PH_ENOTFOUND, "there is no such recommendation now");
	}
	ph_recommendations_free(&r);
	*until = at + PH_DISMISS_MS;
	return rc == PH_ROW ? PH_OK : rc;
}

/* -- as JSON -------------------------------------------------------------------------------------- */

static const char *const severities[] = { "info", "warning", "critical", NULL };	/* by enum ph_health */

enum { F_ID, F_TITLE, F_DESCRIPTION, F_SEVERITY, F_ACTION, F_PAYLOAD, F_CREATED_AT };
const struct ph_field ph_recommendation_fields[PH_RECOMMENDATION_NFIELDS] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Stays the same as long as the recommendation does." },
	[F_TITLE] = { .name = "title", .type = PH_TEXT, .text = "What to do." },
	[F_DESCRIPTION] = { .name = "description", .type = PH_TEXT, .text = "Why." },
	[F_SEVERITY] = { .name = "severity", .type = PH_TEXT, .choices = severities, .text = "How urgent it is." },
	[F_ACTION] = { .name = "action", .type = PH_TEXT, .text = "The action for POST /dashboard/ai/execute." },
	[F_PAYLOAD] = { .name = "payload", .type = PH_ANY, .text = "Its payload." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When the analysis was made." },
};

void
ph_recommendations_write(const struct ph_recommendations *r, int64_t now_ms, struct ph_json *out)
{
	struct ph_value	v[PH_RECOMMENDATION_NFIELDS] = { 0 };
	size_t		i;

	for (i = 0; i < r->n; i++) {
		v[F_ID] = ph_v_str(r->list[i].id);
		v[F_TITLE] = ph_v_str(r->list[i].title);
		v[F_DESCRIPTION] = ph_v_str(r->list[i].description);
		v[F_SEVERITY] = ph_v_str(severities[r->list[i].severity]);
		v[F_ACTION] = ph_v_str(r->list[i].action);
		v[F_CREATED_AT] = ph_v_int(now_ms);
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, ph_recommendation_fields, v, PH_RECOMMENDATION_NFIELDS);
		ph_json_item(out, ph_recommendation_fields[F_PAYLOAD].name, cJSON_CreateRaw(r->list[i].payload));
		ph_json_close(out);
	}
}
