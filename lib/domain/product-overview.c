/*
 * product-overview.c -- the six parts of data in the answer of GET /.
 *
 * Names, formulas, rounding and the order of maps are a contract with a front end.  A group without a value is the key
 * "None", together with a value that is really None.
 */
#include "autoconf.h"

#include <string.h>

#include "core/number.h"
#include "domain/product.h"

enum { TOP = 40, ALL = 1 << 30, SESSION_MORE_S = 10	/* that the last page of a session was looked at */ };

/* -- SQL ------------------------------------------------------------------------------ */

static const char sql_counters[] = "SELECT k, n FROM roll_counter";
static const char sql_views[] = "SELECT coalesce(sum(page_views), 0) FROM roll_day";
static const char sql_votes[] =
	"SELECT votes, estimations, spectators, duration, min_sum, max_sum, avg_c_sum FROM roll_votes WHERE kind = 0";
static const char sql_weekdays[] = "SELECT (day + 3) % 7, sum(votes) FROM roll_day WHERE votes > 0 GROUP BY 1";
/* The index has this order. */
static const char sql_top[] = "SELECT k1, k2, n FROM roll_count WHERE dim = $1 AND n > 0 ORDER BY n DESC, k1, k2 LIMIT $2";
static const char sql_by_key[] = "SELECT k1, k2, n FROM roll_count WHERE dim = $1 AND n > 0 ORDER BY k1 LIMIT $2";
static const char sql_has_none[] = "SELECT 1 FROM roll_count WHERE dim = $1 AND k1 = 'None' AND k2 = '' AND n > 0";
/* The same, with what is missing and what is really None as one. */
static const char sql_top_merged[] =
	"SELECT k1, k2, n FROM (SELECT k1, k2, n FROM roll_count WHERE dim = $1 AND n > 0 ORDER BY n DESC, k1, k2 LIMIT $2 + 2)"
	" WHERE k1 NOT IN (x'', 'None')"
	" UNION ALL SELECT 'None', '', sum(n) FROM roll_count WHERE dim = $1 AND k1 IN (x'', 'None') AND k2 = ''"
	" ORDER BY 3 DESC, 1 LIMIT $2";

/* -- fields --------------------------------------------------------------------------- */

#define MEAN(name_, unit_, text_) { .name = name_, .type = PH_DECIMAL, .places = 2, .unit = unit_, .text = text_ }

enum { T_USERS, T_VIEWS, T_BOUNCE, T_DURATION, T__MAX };
static const struct ph_field traffic_fields[T__MAX] = {
	[T_USERS] = { .name = "unique_users", .text = "Users with a page view, ever." },
	[T_VIEWS] = { .name = "page_views", .text = "Page views, ever." },
	[T_BOUNCE] = MEAN("bounce_rate", "ratio",
	    "1 - users with an estimation after START / unique_users; may be negative, because not all of them viewed a page."),
	[T_DURATION] = MEAN("average_duration", "minutes", "Mean length of a session: page views and estimations of a user "
	    "after START, no two more than 600 s apart, and 10 s more."),
};

enum { V_VOTES, V_ESTIMATIONS, V_PER_VOTE, V_SPECTATORS, V_DURATION, V_AVG, V_MIN, V_MAX, V_WEEKDAYS, V_CARDS, V__MAX };
static const struct ph_field votes_fields[V__MAX] = {
	[V_VOTES] = { .name = "total_votes", .text = "Votes, ever, also on weekends." },
	[V_ESTIMATIONS] = { .name = "total_estimations", .text = "Cards that these votes counted." },
	[V_PER_VOTE] = MEAN("avg_estimations_per_vote", NULL, "Cards of a vote."),
	[V_SPECTATORS] = MEAN("avg_spectators_per_vote", NULL, "Spectators of a vote."),
	[V_DURATION] = MEAN("avg_duration_per_vote", "minutes", "Duration of a vote."),
	[V_AVG] = MEAN("avg_estimation", NULL, "Mean of the average estimations."),
	[V_MIN] = MEAN("avg_min_estimation", NULL, "Mean of the lowest estimations."),
	[V_MAX] = MEAN("avg_max_estimation", NULL, "Mean of the highest estimations."),
	[V_WEEKDAYS] = { .name = "weekday_counts", .type = PH_ANY,
	    .text = "Votes by weekday, Monday to Sunday, in English; days without votes are left out." },
	[V_CARDS] = { .name = "estimation_counts", .type = PH_ANY, .text = "Estimations by card, in the order of the cards." },
};

static const struct ph_field behaviour_fields[] = {
	{ .name = "routes", .type = PH_ANY, .text = "Page views by route." },
	{ .name = "sources", .type = PH_ANY, .text = "Page views that have a source, by its category; Other always." },
	{ .name = "events", .type = PH_ANY, .text = "Events, the most frequent first." },
	{ .name = "rooms", .type = PH_ANY, .text = "Votes by the present name of their room, the 40 largest; None: unknown rooms." },
};

enum { H__MAX = 1 + 3 * PH_METRICS };
static const struct ph_field historical_fields[H__MAX] = {
	{ .name = "date", .type = PH_TEXT, .text = "The workday." },
	PH_METRIC_FIELDS("new_users", "Users created"), PH_METRIC_FIELDS("page_views", "Page views"), PH_METRIC_FIELDS("rooms", "Rooms first used"),
	PH_METRIC_FIELDS("estimations", "Estimations"), PH_METRIC_FIELDS("votes", "Votes"),
};

static const struct ph_field region_fields[] = {
	{ .name = "country", .type = PH_TEXT, .is_nullable = 1, .text = "ISO 3166-1 alpha-2." },
	{ .name = "region", .type = PH_TEXT, .is_nullable = 1, .text = "Code of the region." },
	{ .name = "count", .text = "Users." },
};
static const struct ph_field city_fields[] = {
	{ .name = "country", .type = PH_TEXT, .is_nullable = 1, .text = "ISO 3166-1 alpha-2." },
	{ .name = "city", .type = PH_TEXT, .is_nullable = 1, .text = "Name of the city." },
	{ .name = "count", .text = "Users." },
};
static const struct ph_field location_fields[] = {
	{ .name = "device", .type = PH_ANY, .text = "Users by device." },
	{ .name = "os", .type = PH_ANY, .text = "Users by operating system." },
	{ .name = "browser", .type = PH_ANY, .text = "Users by browser." },
	{ .name = "country", .type = PH_ANY, .text = "Users by country, the 40 largest." },
	{ .name = "country_region", .type = PH_ARRAY, .fields = region_fields, .nfields = 3, .text = "The 40 largest." },
	{ .name = "country_city", .type = PH_ARRAY, .fields = city_fields, .nfields = 3, .text = "The 40 largest." },
};

const struct ph_field ph_overview_fields[PH_OVERVIEW_NFIELDS] = {
	{ .name = "traffic", .type = PH_OBJECT, .fields = traffic_fields, .nfields = T__MAX, .text = "Users and page views." },
	{ .name = "votes", .type = PH_OBJECT, .fields = votes_fields, .nfields = V__MAX, .text = "All votes." },
	{ .name = "behaviour", .type = PH_OBJECT, .fields = behaviour_fields, .nfields = 4, .text = "What users do." },
	{ .name = "reoccurring", .type = PH_ARRAY, .fields = ph_returning_fields, .nfields = PH_RETURNING_NFIELDS,
	    .text = "Who came back, each workday from START to today." },
	{ .name = "historical", .type = PH_ARRAY, .fields = historical_fields, .nfields = H__MAX,
	    .text = "What happened, each workday from START to today, which is not over." },
	{ .name = "location_and_user_agent", .type = PH_OBJECT, .fields = location_fields, .nfields = 6,
	    .text = "Where users are and what with." },
};

/* -- counts --------------------------------------------------------------------------- */

static enum ph_rc
begin_counts(const struct ph_product *p, const char *sql, const char *dim, int limit, struct ph_stmt **st, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_prepare(p->db, sql, st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(*st, 1, dim);
	if (limit > 0)
		ph_stmt_bind_int(*st, 2, limit);
	return PH_OK;
}

/* A text of roll_count; a missing one, x'', is no text. */
static const char *
key_text(struct ph_stmt *st, int col)
{
	return ph_stmt_is_blob(st, col) ? NULL : ph_stmt_text(st, col);
}

/* The largest counts of a dimension, with sql_by_key in the order of the keys, as a map. */
static enum ph_rc
write_map(const struct ph_product *p, const char *name, const char *sql, const char *dim, int limit, struct ph_json *out,
    struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	const char	*key;
	enum ph_rc	 rc;

	if (sql == sql_top) {
		if ((rc = begin_counts(p, sql_has_none, dim, 0, &st, err)) != PH_OK)
			return rc;
		rc = ph_stmt_step(st, err);
		ph_stmt_done(st);
		if (rc != PH_ROW && rc != PH_DONE)
			return rc;
		sql = rc == PH_ROW ? sql_top_merged : sql;
	}
	if ((rc = begin_counts(p, sql, dim, limit, &st, err)) != PH_OK)
		return rc;
	ph_json_obj_open(out, name);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		key = key_text(st, 0);
		ph_json_int(out, key != NULL ? key : "None", ph_stmt_int(st, 2));
	}
	ph_json_close(out);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* The largest pairs of country and something. */
static enum ph_rc
write_pairs(const struct ph_product *p, const char *dim, const struct ph_field *fields, struct ph_json *out,
    struct ph_err *err)
{
	struct ph_value	 v[3];
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = begin_counts(p, sql_top, dim, TOP, &st, err)) != PH_OK)
		return rc;
	ph_json_arr_open(out, dim);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		v[0] = ph_v_str(key_text(st, 0));
		v[1] = ph_v_str(key_text(st, 1));
		v[2] = ph_v_int(ph_stmt_int(st, 2));
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, fields, v, 3);
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* -- parts ---------------------------------------------------------------------------- */

static enum ph_rc
write_traffic(const struct ph_product *p, struct ph_json *out, struct ph_err *err)
{
	static const char *const names[] = { "viewers", "estimators", "sessions", "gap_ms" };
	enum { VIEWERS, ESTIMATORS, SESSIONS, GAP_MS, COUNTERS };
	int64_t		 n[COUNTERS] = { 0 }, views = 0;
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = ph_db_one_int(p->db, sql_views, &views, err)) != PH_OK ||
	    (rc = ph_db_prepare(p->db, sql_counters, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		for (i = 0; i < COUNTERS; i++)
			if (strcmp(ph_stmt_text(st, 0), names[i]) == 0)
				n[i] = ph_stmt_int(st, 1);
	ph_stmt_done(st);
	if (rc != PH_DONE)
		return rc;

	const struct ph_value v[T__MAX] = {
		[T_USERS] = ph_v_int(n[VIEWERS]), [T_VIEWS] = ph_v_int(views),
		[T_BOUNCE] = ph_v_real(n[VIEWERS] == 0 ? 0 :
		    ph_round(1.0 - (double)n[ESTIMATORS] / (double)n[VIEWERS], 2)),
		[T_DURATION] = ph_v_mean(n[GAP_MS] / 1000 + SESSION_MORE_S * n[SESSIONS], n[SESSIONS], 60.0, 2),
	};

	ph_json_obj_open(out, "traffic");
	ph_json_fields(out, traffic_fields, v, T__MAX);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
write_weekdays(const struct ph_product *p, struct ph_json *out, struct ph_err *err)
{
	static const char *const names[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(p->db, sql_weekdays, &st, err)) != PH_OK)
		return rc;
	ph_json_obj_open(out, "weekday_counts");
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		ph_json_int(out, names[ph_stmt_int(st, 0) % 7], ph_stmt_int(st, 1));
	ph_json_close(out);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
write_votes(const struct ph_product *p, struct ph_json *out, struct ph_err *err)
{
	enum { VOTES, ESTIMATIONS, SPECTATORS, DURATION, MIN, MAX, AVG_C, SUMS };
	int64_t		 s[SUMS] = { 0 };
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(p->db, sql_votes, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		for (i = 0; i < SUMS; i++)
			s[i] = ph_stmt_int(st, i);
	ph_stmt_done(st);
	if (rc != PH_ROW && rc != PH_DONE)
		return rc;

	const struct ph_value v[V_WEEKDAYS] = {
		[V_VOTES] = ph_v_int(s[VOTES]), [V_ESTIMATIONS] = ph_v_int(s[ESTIMATIONS]),
		[V_PER_VOTE] = ph_v_mean(s[ESTIMATIONS], s[VOTES], 1, 2), [V_SPECTATORS] = ph_v_mean(s[SPECTATORS], s[VOTES], 1, 2),
		[V_DURATION] = ph_v_mean(s[DURATION], s[VOTES], 60, 2), [V_AVG] = ph_v_mean(s[AVG_C], s[VOTES], 100, 2),
		[V_MIN] = ph_v_mean(s[MIN], s[VOTES], 1, 2), [V_MAX] = ph_v_mean(s[MAX], s[VOTES], 1, 2),
	};

	ph_json_obj_open(out, "votes");
	ph_json_fields(out, votes_fields, v, V_WEEKDAYS);
	if ((rc = write_weekdays(p, out, err)) == PH_OK)
		rc = write_map(p, "estimation_counts", sql_by_key, "estimation", ALL, out, err);
	ph_json_close(out);
	return rc;
}

static enum ph_rc
write_sources(const struct ph_product *p, struct ph_json *out, struct ph_err *err)
{
	static const char *const names[] = { "Teams", "Google Ads", "Google Search", "Free Planning Poker", "CV", "Email",
	    "GitHub", "Bing", "Other" };
	enum { NAMES = sizeof(names) / sizeof(names[0]) };
	int64_t		 n[NAMES] = { 0 };
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = begin_counts(p, sql_by_key, "source", ALL, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		for (i = 0; i < NAMES; i++)
			if (strcmp(ph_stmt_text(st, 0), names[i]) == 0)
				n[i] = ph_stmt_int(st, 2);
	ph_stmt_done(st);
	ph_json_obj_open(out, "sources");
	for (i = 0; i < NAMES; i++)
		if (n[i] > 0 || i == NAMES - 1)
			ph_json_int(out, names[i], n[i]);
	ph_json_close(out);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
write_behaviour(const struct ph_product *p, struct ph_json *out, struct ph_err *err)
{
	enum ph_rc rc;

	ph_json_obj_open(out, "behaviour");
	if ((rc = write_map(p, "routes", sql_by_key, "route", ALL, out, err)) == PH_OK &&
	    (rc = write_sources(p, out, err)) == PH_OK &&
	    (rc = write_map(p, "events", sql_top, "event", ALL, out, err)) == PH_OK)
		rc = write_map(p, "rooms", sql_top, "room", TOP, out, err);
	ph_json_close(out);
	return rc;
}

static enum ph_rc
write_returning(void *arg, const struct ph_returning *r, struct ph_err *err)
{
	struct ph_json		*out = arg;
	char			 day[PH_DAY_SIZE];
	struct ph_value		 v[PH_RETURNING_NFIELDS];

	(void)err;
	ph_returning_values(r, day, v);
	ph_json_obj_open(out, NULL);
	ph_json_fields(out, ph_returning_fields, v, PH_RETURNING_NFIELDS);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
write_workday(void *arg, const struct ph_workday *w, struct ph_err *err)
{
	struct ph_json	*out = arg;
	char		 day[PH_DAY_SIZE];
	struct ph_value	 v[H__MAX] = { ph_v_str(ph_day_text(day, w->day)) };
	int		 m;

	(void)err;
	for (m = 0; m < PH_METRICS; m++) {
		v[1 + 3 * m] = ph_v_int(w->n[m]);
		v[2 + 3 * m] = ph_v_int(w->all[m]);
		v[3 + 3 * m] = w->last30[m] < 0 ? ph_v_null() : ph_v_mean(w->last30[m], PH_MEAN_ROWS, 1, 2);
	}
	ph_json_obj_open(out, NULL);
	ph_json_fields(out, historical_fields, v, H__MAX);
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
write_location(const struct ph_product *p, struct ph_json *out, struct ph_err *err)
{
	static const struct { const char *dim; int limit; } maps[] = {
		{ "device", ALL }, { "os", ALL }, { "browser", ALL }, { "country", TOP },
	};
	enum ph_rc	rc = PH_OK;
	size_t		i;

	ph_json_obj_open(out, "location_and_user_agent");
	for (i = 0; i < sizeof(maps) / sizeof(maps[0]) && rc == PH_OK; i++)
		rc = write_map(p, maps[i].dim, sql_top, maps[i].dim, maps[i].limit, out, err);
	if (rc == PH_OK && (rc = write_pairs(p, "country_region", region_fields, out, err)) == PH_OK)
		rc = write_pairs(p, "country_city", city_fields, out, err);
	ph_json_close(out);
	return rc;
}

enum ph_rc
ph_overview_write(const struct ph_product *p, struct ph_json *out, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = write_traffic(p, out, err)) != PH_OK || (rc = write_votes(p, out, err)) != PH_OK ||
	    (rc = write_behaviour(p, out, err)) != PH_OK)
		return rc;
	ph_json_arr_open(out, "reoccurring");
	rc = ph_each_returning(p, write_returning, out, err);
	ph_json_close(out);
	if (rc != PH_OK)
		return rc;
	ph_json_arr_open(out, "historical");
	rc = ph_each_workday(p, write_workday, out, err);
	ph_json_close(out);
	return rc == PH_OK ? write_location(p, out, err) : rc;
}
