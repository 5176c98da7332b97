/*
 * stats.c -- GET /api/dashboard/stats
 *
 * How do my podcasts stand: episodes from our own tables, plays from OP3 (lib/domain/show.h), older plays from the
 * days that job-op3-sync keeps.
 *
 * It never fails for somebody who may ask: a part that cannot be had is null, or zero for the local counts,
 * and is named in `degraded`.  An unknown number of downloads is null, never 0.
 *
 * 200 in any case with a known user or podcast; 403 user_id without the scope admin; 404 another's podcast.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/endpoint.h"
#include "core/log.h"
#include "domain/show.h"
#include "domain/show-top.h"

#define VISIBLE "podcast_id = $1 AND coalesce(episode_number, -1) <> 0"
#define PUBLISHED VISIBLE " AND publish_at <= $2 AND status NOT IN ('error', 'failed')"

enum { TOP = 3, ID_SIZE = PH_ID_SIZE, TITLE_SIZE = 512,
    CACHE_KIB = 400 /* of the database: its nine tables and their indexes */ };

/* From ix_episodes_publish alone. */
static const char sql_counts[] =
	"SELECT count(*), count(*) FILTER (WHERE publish_at > $2), count(*) FILTER (WHERE publish_at BETWEEN $3 AND $2"
	" AND status NOT IN ('error', 'failed')) FROM episodes WHERE " VISIBLE;
static const char sql_recent[] =
	"SELECT id, title, publish_at, (SELECT max(downloads_all) FROM op3_counts c WHERE c.episode_id = episodes.id)"
	" FROM episodes WHERE " PUBLISHED " ORDER BY publish_at DESC, id DESC LIMIT $3";
static const char sql_assembly[] =
	"SELECT status, processed_at, id FROM episodes WHERE " VISIBLE " AND processed_at IS NOT NULL"
	" ORDER BY processed_at DESC, id DESC LIMIT 1";
/* All, and a year, which is its whole months and the days at both ends: $2 to before $3, and $4 to $5. */
static const char sql_own[] =
	"SELECT (SELECT coalesce(sum(n), 0) FROM op3_totals WHERE podcast_id = $1 AND dim = 'total'),"
	" (SELECT coalesce(sum(n), 0) FROM op3_totals WHERE podcast_id = $1 AND dim = 'month' AND key >= substr($3, 1, 7)"
	"  AND key < substr($4, 1, 7))"
	" + (SELECT coalesce(sum(n), 0) FROM op3_daily WHERE podcast_id = $1 AND dim = 'total' AND day >= $2 AND day < $3)"
	" + (SELECT coalesce(sum(n), 0) FROM op3_daily WHERE podcast_id = $1 AND dim = 'total' AND day >= $4 AND day <= $5)";

/* -- fields --------------------------------------------------------------------------- */

static const char *const assembly[] = { "error", "success", "pending", NULL };

static const struct ph_field recent_fields[] = {
	{ .name = "episode_id", .type = PH_TEXT, .text = "The episode." },
	{ .name = "title", .type = PH_TEXT, .text = "Its title; Untitled where it is blank." },
	{ .name = "publish_at", .type = PH_TIME, .text = "When it came out." },
	{ .name = "downloads_all_time", .is_nullable = 1, .text = "Downloads so far, counted by OP3; null: unknown." },
};
static const struct ph_field op3_fields[] = {
	{ .name = "status", .type = PH_TEXT, .choices = ph_show_uses,
	    .text = "fresh: as OP3 last counted. stale: the last good figures, at most 7 days old. Of several podcasts the worst." },
	{ .name = "as_of", .type = PH_TEXT, .is_nullable = 1, .text = "The last day (UTC) that OP3 counted; of several podcasts the oldest." },
	{ .name = "fetched_at", .type = PH_TIME, .is_nullable = 1, .text = "When the figures were fetched; of several podcasts the oldest." },
	{ .name = "podcasts_total", .text = "Podcasts that are meant." },
	{ .name = "podcasts_with_data", .text = "Of these, the podcasts whose plays are known and summed." },
	{ .name = "coverage_since", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The day since which our own daily figures reach for every podcast; null: there are none yet." },
};

enum { F_TOTAL, F_UPCOMING, F_LAST, F_ASSEMBLY, F_30D_EPISODES, F_RECENT, F_7D, F_30D, F_LAST_30D, F_DOWNLOADS_30D, F_365D,
    F_ALL, F_TOP, F_RECENT_PLAYS, F_SPREAKER, F_ENABLED, F_ERROR, F_CODE, F_OP3, F_DEGRADED, F_GENERATED, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_TOTAL] = { .name = "total_episodes", .text = "Episodes, without the placeholders of a feed (number 0)." },
	[F_UPCOMING] = { .name = "upcoming_scheduled", .text = "Of these, episodes that will come out later than now." },
	[F_LAST] = { .name = "last_published_at", .type = PH_TIME, .is_nullable = 1, .text = "When the newest episode came out." },
	[F_ASSEMBLY] = { .name = "last_assembly_status", .type = PH_TEXT, .is_nullable = 1, .choices = assembly,
	    .text = "Of the episode that was processed last." },
	[F_30D_EPISODES] = { .name = "episodes_last_30d", .text = "Episodes that came out in the last 30 days." },
	[F_RECENT] = { .name = "recent_episodes", .type = PH_ARRAY, .fields = recent_fields, .nfields = 4, .text = "The 3 newest that are out." },
	[F_7D] = { .name = "plays_7d", .is_nullable = 1, .text = "Downloads in the last week that OP3 counted, without bots." },
	[F_30D] = { .name = "plays_30d", .is_nullable = 1, .text = "Downloads in the 30 days up to as_of, without bots." },
	[F_LAST_30D] = { .name = "plays_last_30d", .is_nullable = 1, .text = "The same as plays_30d." },
	[F_DOWNLOADS_30D] = { .name = "downloads_last_30d", .is_nullable = 1, .text = "The same as plays_30d." },
	[F_365D] = { .name = "plays_365d", .is_nullable = 1,
	    .text = "Downloads in the last 365 whole days of our own daily figures; null until they reach back to the beginning." },
	[F_ALL] = { .name = "plays_all_time", .is_nullable = 1,
	    .text = "All downloads of our own daily figures, and those imported from before them; null as plays_365d." },
	[F_TOP] = { .name = "top_episodes", .type = PH_ARRAY, .fields = ph_top_fields, .nfields = PH_TOP_NFIELDS,
	    .text = "The 3 episodes of the last months with the most downloads so far." },
	[F_RECENT_PLAYS] = { .name = "recent_episode_plays", .type = PH_ARRAY, .text = "Always empty; for old clients." },
	[F_SPREAKER] = { .name = "spreaker_connected", .type = PH_BOOL, .text = "Always false; for old clients." },
	[F_ENABLED] = { .name = "op3_enabled", .type = PH_BOOL, .text = "plays_30d is known." },
	[F_ERROR] = { .name = "op3_error", .type = PH_TEXT, .is_nullable = 1, .text = "Why plays are unknown, in words." },
	[F_CODE] = { .name = "op3_error_code", .type = PH_TEXT, .is_nullable = 1,
	    .text = "The same as a code: no_podcast, no_feed, not_registered, no_data, disabled, unauthorized, rate_limited, "
		"timeout, network, bad_response, upstream_error, breaker_open, pending or internal." },
	[F_OP3] = { .name = "op3", .type = PH_OBJECT, .fields = op3_fields, .nfields = 6, .text = "How good the plays are." },
	[F_DEGRADED] = { .name = "degraded", .type = PH_ARRAY, .text = "Parts that could not be had: local, op3." },
	[F_GENERATED] = { .name = "generated_at", .type = PH_TIME, .text = "The instant of this answer." },
};

static const struct { const char *code, *text; } errors[] = {
	{ "no_podcast", "You have no podcast yet" },
	{ "no_feed", "No RSS feed is set for your podcast" },
	{ "not_registered", "Show is not known to OP3 yet" },
	{ "no_data", "OP3 has no download counts for this show yet" },
	{ "disabled", "OP3 is switched off here" },
	{ "unauthorized", "OP3 does not accept our token" },
	{ "rate_limited", "OP3 wants to be asked less often" },
	{ "timeout", "OP3 did not answer in time" },
	{ "network", "OP3 cannot be reached" },
	{ "bad_response", "OP3 gave an answer that cannot be understood" },
	{ "upstream_error", "OP3 has trouble of its own" },
	{ "breaker_open", "OP3 failed several times and is left alone for a while" },
	{ "pending", "The figures are being fetched" },
	{ "internal", "The figures could not be read" },
};

enum { P_PODCAST, P_USER, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_PODCAST] = { .name = "podcast_id", .type = PH_P_TEXT, .min = 1, .max = PH_ID_SIZE - 1,
	    .text = "Of this podcast alone; default all of the user's." },
	[P_USER] = { .name = "user_id", .type = PH_P_TEXT, .min = 1, .max = PH_ID_SIZE - 1,
	    .text = "Of another user, by id or name; for admins." },
};

/* -- what is gathered ----------------------------------------------------------------- */

struct recent { char id[ID_SIZE], title[TITLE_SIZE]; int64_t publish_at, downloads; };

struct stats {
	/* local */
	int64_t			total, upcoming, last_30d;
	struct recent		recent[TOP];
	size_t			nrecent;
	int64_t			assembled_at;	/* -1: never */
	char			assembled_id[ID_SIZE];
	const char		*assembly;
	/* plays; -1: unknown */
	int64_t			plays_7d, plays_30d, plays_365d, plays_all;
	struct ph_top		top[TOP];
	size_t			ntop;
	enum ph_show_use	use;
	const char		*code;
	char			as_of[PH_DAY_SIZE], since[PH_DAY_SIZE];
	int64_t			fetched_at;
	int64_t			ntotal, nwith_data;
	int			is_local_bad, is_op3_bad;
};

/* -- local ---------------------------------------------------------------------------- */

static enum ph_rc
begin_local(struct ph_req *req, const char *sql, const struct ph_show *s, int64_t third, struct ph_stmt **st,
    struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql, st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(*st, 1, s->podcast_id);
	if (sql != sql_assembly)
		ph_stmt_bind_int(*st, 2, ph_req_now_ms(req));
	if (third != 0)
		ph_stmt_bind_int(*st, 3, third);
	return PH_OK;
}

/* Keep the newest of all podcasts, in their order. */
static void
add_recent(struct stats *all, const struct recent *r)
{
	size_t i = all->nrecent < TOP ? all->nrecent++ : TOP;

	for (; i > 0 && (all->recent[i - 1].publish_at < r->publish_at ||
	    (all->recent[i - 1].publish_at == r->publish_at && strcmp(all->recent[i - 1].id, r->id) < 0)); i--)
		if (i < TOP)
			all->recent[i] = all->recent[i - 1];
	if (i < TOP)
		all->recent[i] = *r;
}

static enum ph_rc
read_recent(struct ph_req *req, const struct ph_show *s, int has_downloads, struct stats *all, struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	struct recent	 r;
	enum ph_rc	 rc;

	if ((rc = begin_local(req, sql_recent, s, TOP, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		const char *title = ph_stmt_text(st, 1);

		ph_stmt_copy(st, 0, r.id, sizeof(r.id));
		snprintf(r.title, sizeof(r.title), "%s", title[strspn(title, " \t\r\n")] != '\0' ? title : "Untitled");
		r.publish_at = ph_stmt_int(st, 2);
		r.downloads = has_downloads && !ph_stmt_is_null(st, 3) ? ph_stmt_int(st, 3) : -1;
		add_recent(all, &r);
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static const char *
assembly_of(const char *status)
{
	if (strcmp(status, "error") == 0 || strcmp(status, "failed") == 0)
		return "error";
	return strcmp(status, "processed") == 0 || strcmp(status, "completed") == 0 ||
	    strcmp(status, "published") == 0 ? "success" : "pending";
}

static enum ph_rc
read_assembly(struct ph_req *req, const struct ph_show *s, struct stats *all, struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = begin_local(req, sql_assembly, s, 0, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && (ph_stmt_int(st, 1) > all->assembled_at ||
	    (ph_stmt_int(st, 1) == all->assembled_at && strcmp(ph_stmt_text(st, 2), all->assembled_id) > 0))) {
		all->assembly = assembly_of(ph_stmt_text(st, 0));
		all->assembled_at = ph_stmt_int(st, 1);
		ph_stmt_copy(st, 2, all->assembled_id, sizeof(all->assembled_id));
	}
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
read_counts(struct ph_req *req, const struct ph_show *s, struct stats *all, struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = begin_local(req, sql_counts, s, ph_req_now_ms(req) - 30 * PH_DAY_MS, &st, err)) == PH_OK &&
	    (rc = ph_stmt_step(st, err)) == PH_ROW) {
		all->total += ph_stmt_int(st, 0);
		all->upcoming += ph_stmt_int(st, 1);
		all->last_30d += ph_stmt_int(st, 2);
	}
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

/* -- plays ---------------------------------------------------------------------------- */

static void
add_top(struct stats *all, const struct ph_top *t)
{
	size_t i = all->ntop < TOP ? all->ntop++ : TOP;

	for (; i > 0 && (all->top[i - 1].all < t->all ||
	    (all->top[i - 1].all == t->all && all->top[i - 1].pubdate < t->pubdate)); i--)
		if (i < TOP)
			all->top[i] = all->top[i - 1];
	if (i < TOP)
		all->top[i] = *t;
}

static enum ph_rc
read_top(struct ph_req *req, const struct ph_show *s, struct stats *all, struct ph_err *err)
{
	struct ph_top	t[TOP];
	size_t		n, i;
	enum ph_rc	rc;

	if ((rc = ph_top_read(ph_req_db(req), s->podcast_id, t, TOP, &n, err)) == PH_OK)
		for (i = 0; i < n; i++)
			add_top(all, &t[i]);
	return rc;
}

/* Add our own days of one podcast, which reach back to its beginning. */
static enum ph_rc
read_own(struct ph_req *req, const struct ph_show *s, struct stats *all, struct ph_err *err)
{
	const int64_t	 year_ms = ph_day_ms(s->complete_through) - 364 * PH_DAY_MS;
	char		 first[PH_DAY_SIZE], second[PH_DAY_SIZE], last[PH_DAY_SIZE];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	ph_day_format(first, year_ms);
	ph_day_format(second, ph_month_next(year_ms));
	memcpy(last, s->complete_through, sizeof(last));
	memcpy(last + 8, "01", 3);
	if ((rc = ph_db_prepare(ph_req_db(req), sql_own, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->podcast_id);
	ph_stmt_bind_text(st, 2, first);
	ph_stmt_bind_text(st, 3, second);
	ph_stmt_bind_text(st, 4, last);
	ph_stmt_bind_text(st, 5, s->complete_through);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		all->plays_all += ph_stmt_int(st, 0) + s->imported;
		all->plays_365d += ph_stmt_int(st, 1);
	}
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

static void
add_plays(struct stats *all, const struct ph_show *s, int64_t now_ms)
{
	const char		*code;
	const enum ph_show_use	 use = ph_show_use(s, now_ms, &code);
	const int64_t		 fetched_at = ph_show_fetched_at(s);

	if (use > all->use)
		all->use = use;
	if (use == PH_SHOW_UNAVAILABLE) {
		all->is_op3_bad = 1;
		if (all->code == NULL)
			all->code = code;
		return;
	}
	if (all->nwith_data++ == 0) {
		all->plays_30d = 0;
		all->fetched_at = fetched_at;
		memcpy(all->as_of, s->as_of, sizeof(all->as_of));
	}
	all->plays_30d += s->counts.monthly;
	if (s->counts.nweekly > 0)
		all->plays_7d = (all->plays_7d < 0 ? 0 : all->plays_7d) + s->counts.weekly[s->counts.nweekly - 1];
	if (fetched_at < all->fetched_at)
		all->fetched_at = fetched_at;
	if (strcmp(s->as_of, all->as_of) < 0)
		memcpy(all->as_of, s->as_of, sizeof(all->as_of));
}

/* -- the parts ------------------------------------------------------------------------ */

static void
log_degraded(const char *part, const struct ph_err *err)
{
	ph_log("error", "podcast-stats", "degraded %s: %s %s", part, err->detail, err->internal);
}

/* Our own tables; where they fail, what is known of nothing. */
static void
gather_local(struct ph_req *req, const struct ph_shows *shows, struct stats *all)
{
	struct ph_err	err = { .rc = PH_OK };
	enum ph_rc	rc = PH_OK;
	size_t		i;

	for (i = 0; i < shows->n && rc == PH_OK; i++) {
		const struct ph_show *s = &shows->list[i];

		if ((rc = read_counts(req, s, all, &err)) == PH_OK && (rc = read_assembly(req, s, all, &err)) == PH_OK)
			rc = read_recent(req, s, ph_show_has_episodes(s, ph_req_now_ms(req)), all, &err);
	}
	if (rc == PH_OK)
		return;
	log_degraded("local", &err);
	all->is_local_bad = 1;
	all->total = all->upcoming = all->last_30d = 0;
	all->nrecent = 0;
	all->assembly = NULL;
}

static void
gather_plays(struct ph_req *req, const struct ph_shows *shows, struct stats *all)
{
	const int64_t	now_ms = ph_req_now_ms(req);
	struct ph_err	err = { .rc = PH_OK };
	int		is_whole = 1;
	size_t		ncounted = 0, i;
	enum ph_rc	rc = PH_OK;

	for (i = 0; i < shows->n && rc == PH_OK; i++) {
		const struct ph_show *s = &shows->list[i];

		if (!s->has_identity)
			continue;
		ncounted++;
		add_plays(all, s, now_ms);
		if (ph_show_has_episodes(s, now_ms))
			rc = read_top(req, s, all, &err);
		is_whole &= s->is_whole && s->complete_through[0] != '\0';
		if (rc == PH_OK && is_whole)
			rc = read_own(req, s, all, &err);
		if (strcmp(s->first_day, all->since) > 0)
			memcpy(all->since, s->first_day, sizeof(all->since));
	}
	if (rc != PH_OK) {
		log_degraded("op3", &err);
		all->is_op3_bad = 1;
		all->code = "internal";
	}
	if (ncounted == 0) {
		all->use = PH_SHOW_UNAVAILABLE;
		all->code = shows->n == 0 ? "no_podcast" : "no_feed";
	}
	if (ncounted == 0 || !is_whole || rc != PH_OK)
		all->plays_365d = all->plays_all = -1;
}

/* -- the answer ----------------------------------------------------------------------- */

static void
write_recent(const struct stats *all, struct ph_json *out)
{
	size_t i;

	ph_json_arr_open(out, "recent_episodes");
	for (i = 0; i < all->nrecent; i++) {
		const struct recent	*r = &all->recent[i];
		const struct ph_value	 v[] = { ph_v_str(r->id), ph_v_str(r->title), ph_v_int(r->publish_at), ph_v_known(r->downloads) };

		ph_json_obj_open(out, NULL);
		ph_json_fields(out, recent_fields, v, 4);
		ph_json_close(out);
	}
	ph_json_close(out);
}

static const char *
error_text(const char *code)
{
	size_t i;

	for (i = 0; code != NULL && i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].code, code) == 0)
			return errors[i].text;
	return NULL;
}

static void
write_stats(const struct stats *all, int64_t now_ms, struct ph_json *out)
{
	const struct ph_value v[F__MAX] = {
		[F_TOTAL] = ph_v_int(all->total), [F_UPCOMING] = ph_v_int(all->upcoming),
		[F_LAST] = all->nrecent > 0 ? ph_v_int(all->recent[0].publish_at) : ph_v_null(),
		[F_ASSEMBLY] = ph_v_str(all->assembly), [F_30D_EPISODES] = ph_v_int(all->last_30d),
		[F_7D] = ph_v_known(all->plays_7d), [F_30D] = ph_v_known(all->plays_30d), [F_LAST_30D] = ph_v_known(all->plays_30d),
		[F_DOWNLOADS_30D] = ph_v_known(all->plays_30d), [F_365D] = ph_v_known(all->plays_365d), [F_ALL] = ph_v_known(all->plays_all),
		[F_SPREAKER] = ph_v_int(0), [F_ENABLED] = ph_v_int(all->plays_30d >= 0),
		[F_ERROR] = ph_v_str(error_text(all->code)), [F_CODE] = ph_v_str(all->code),
		[F_GENERATED] = ph_v_int(now_ms),
	};
	const struct ph_value op3[] = {
		ph_v_str(ph_show_uses[all->use]), ph_v_known_text(all->as_of),
		all->nwith_data > 0 ? ph_v_int(all->fetched_at) : ph_v_null(), ph_v_int(all->ntotal),
		ph_v_int(all->nwith_data), ph_v_known_text(all->since),
	};

	ph_json_set_time_style(out, PH_TIME_SECONDS);
	ph_json_fields(out, fields, v, F_RECENT);
	write_recent(all, out);
	ph_json_fields(out, fields + F_7D, v + F_7D, F_TOP - F_7D);
	ph_top_write(out, all->top, all->ntop, !all->is_local_bad);
	ph_json_arr_open(out, "recent_episode_plays");
	ph_json_close(out);
	ph_json_fields(out, fields + F_SPREAKER, v + F_SPREAKER, F_OP3 - F_SPREAKER);
	ph_json_obj_open(out, "op3");
	ph_json_fields(out, op3_fields, op3, 6);
	ph_json_close(out);
	ph_json_arr_open(out, "degraded");
	if (all->is_local_bad)
		ph_json_str(out, NULL, "local");
	if (all->is_op3_bad)
		ph_json_str(out, NULL, "op3");
	ph_json_close(out);
	ph_json_fields(out, fields + F_GENERATED, v + F_GENERATED, 1);
}

/* -- the request ---------------------------------------------------------------------- */

/* Which podcasts are meant, and what is kept of them; the transaction stays open. */
static enum ph_rc
find_shows(struct ph_req *req, struct ph_shows *shows, struct ph_err *err)
{
	const char		*id = ph_req_text(req, P_PODCAST);
	struct ph_listener	 who;
	enum ph_rc		 rc;

	if ((rc = ph_db_begin(ph_req_db(req), err)) != PH_OK ||
	    (rc = ph_listener_find(ph_req_db(req), ph_req_who(req), ph_req_text(req, P_USER), &who, err)) != PH_OK ||
	    (rc = ph_shows_read(ph_req_db(req), who.user_id, id, shows, err)) != PH_OK || id == NULL)
		return rc;
	if (shows->n == 0 || (!who.is_admin && strcmp(shows->list[0].user_id, who.user_id) != 0)) {
		ph_shows_free(shows);
		return ph_fail(err, PH_ENOTFOUND, "there is no such podcast");
	}
	return PH_OK;
}

/* Have figures that are up to date, and a transaction to read the rest in. */
static enum ph_rc
refresh(struct ph_req *req, struct ph_shows *shows, struct ph_err *err)
{
	struct ph_err	own = { .rc = PH_OK };

	if (!ph_shows_are_due(shows, ph_req_now_ms(req)))
		return PH_OK;
	ph_db_end(ph_req_db(req));
	if (ph_shows_refresh_for(req, shows, &own) != PH_OK)
		log_degraded("op3", &own);
	return ph_db_begin(ph_req_db(req), err);
}

static enum ph_rc
stats_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct stats	all = { .assembled_at = -1, .plays_7d = -1, .plays_30d = -1 };
	struct ph_shows	shows = { 0 };
	struct ph_err	own = { .rc = PH_OK };
	enum ph_rc	rc;

	rc = find_shows(req, &shows, &own);
	if (rc == PH_ESCOPE || rc == PH_ENOTFOUND) {
		ph_db_end(ph_req_db(req));
		*err = own;
		return rc;
	}
	all.ntotal = (int64_t)shows.n;
	if (rc == PH_OK && (rc = refresh(req, &shows, &own)) == PH_OK) {
		gather_local(req, &shows, &all);
		gather_plays(req, &shows, &all);
	} else {
		log_degraded("all", &own);
		all.is_local_bad = all.is_op3_bad = 1;
		all.use = PH_SHOW_UNAVAILABLE;
		all.code = "internal";
		all.plays_365d = all.plays_all = -1;
	}
	ph_db_end(ph_req_db(req));
	write_stats(&all, ph_req_now_ms(req), out);
	ph_shows_free(&shows);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "podcast-stats", .path = "/api/dashboard/stats", .needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE | PH_NEED_NET,
	.db_cache_kib = CACHE_KIB,
	.ops[PH_GET] = {
		.scope = "podcast:read", .summary = "How do my podcasts stand?",
		.description = "Episodes from our own tables, plays from OP3: fresh for 3 hours, the last good ones for 7 "
		    "days after that. Never fails for somebody who may ask: what cannot be had is null, the local counts 0, "
		    "and degraded names it.",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX,
		.is_own_tx = 1, .is_unstored = 1, .handle = stats_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
