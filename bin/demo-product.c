/*
 * demo-product.c -- users who come in growing numbers, six of whom share a room; rooms that vote some weeks long; what
 * they look at and do meanwhile.
 */
#include "autoconf.h"

#include "core/clock.h"
#include "core/config.h"
#include "core/db.h"
#include "demo-product.h"
#include "domain/readmodel.h"

/* A number that depends on another, evenly spread: 0 .. 2^25. */
#define H(x) "((((" x ") * 2654435761 % 4294967291) + 1234567) * 69069 % 4294967291 >> 7)"
#define META(k_) "(SELECT v FROM sync_meta WHERE k = '" k_ "')"
#define DAY "86400000"

static const char *const sql_demo[] = {
	/* New users: a few more each month, on weekends few. */
	"CREATE TEMP TABLE u AS"
	" WITH RECURSIVE d(day) AS (SELECT " META("start_ms") " / " DAY " UNION ALL SELECT day + 1 FROM d"
	"   WHERE (day + 1) * " DAY " <= " META("demo_now") "),"
	"  k(k) AS (VALUES (0), (1), (2), (3), (4), (5)),"
	"  n AS (SELECT day, k, day * " DAY " + 25200000 + " H("day * 7 + k") " % 39600 * 1000 AS at FROM d JOIN k"
	"   WHERE k < CASE WHEN (day + 3) % 7 >= 5 THEN " H("day") " % 2 ELSE 1 + (day - " META("start_ms") " / " DAY ") / 300 + "
	H("day") " % 2 END)"
	" SELECT row_number() OVER (ORDER BY at, k) AS i, at FROM n WHERE at <= " META("demo_now") "",
	"INSERT INTO fpp_users (id, device, os, browser, country, region, city, created_at)"
	" SELECT printf('demo-%016d', i), d.device, d.os, d.browser, l.country, l.region, l.city, at FROM u"
	" JOIN (SELECT 0 AS k, 'desktop' AS device, 'Windows' AS os, 'Chrome' AS browser UNION ALL VALUES"
	"  (1, 'desktop', 'Windows', 'Edge'), (2, 'desktop', 'Mac OS', 'Chrome'), (3, 'desktop', 'Mac OS', 'Safari'),"
	"  (4, 'mobile', 'iOS', 'Mobile Safari'), (5, 'mobile', 'Android', 'Chrome'), (6, 'desktop', 'Linux', 'Firefox'),"
	"  (7, 'desktop', 'Windows', 'Chrome'), (8, 'desktop', 'Windows', 'Chrome'), (9, NULL, NULL, NULL)) AS d"
	"  ON d.k = " H("i * 3") " % 10"
	" JOIN (SELECT 0 AS k, 'DE' AS country, 'BY' AS region, 'M\303\274nchen' AS city UNION ALL VALUES"
	"  (1, 'DE', 'BE', 'Berlin'), (2, 'DE', 'HH', 'Hamburg'), (3, 'US', 'CA', 'San Francisco'), (4, 'US', 'TX', 'Austin'),"
	"  (5, 'FR', 'IDF', 'Paris'), (6, 'AT', '9', 'Wien'), (7, 'GB', 'ENG', 'London'), (8, 'NL', 'NH', 'Amsterdam'),"
	"  (9, 'PL', '14', 'Warszawa'), (10, 'IN', 'KA', 'Bengaluru'), (11, NULL, NULL, NULL)) AS l ON l.k = " H("i * 5") " % 12",

	/* Six users to a room, from the day of the last of them on; it votes on a day of some weeks. */
	"CREATE TEMP TABLE r AS SELECT (i + 5) / 6 AS id, max(at) AS at FROM u GROUP BY 1",
	"CREATE TEMP TABLE s AS"
	" WITH RECURSIVE w(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM w WHERE k < 60)"
	" SELECT r.id AS room, k, r.at - r.at % " DAY " + (7 * k + " H("r.id * 61 + k") " % 5) * " DAY
	"  + 28800000 + " H("r.id * 67 + k") " % 28800 * 1000 AS at FROM r JOIN w"
	" WHERE k <= " H("r.id") " % 40 AND " H("r.id * 71 + k") " % 5 > 0",
	"DELETE FROM s WHERE at > " META("demo_now") " - 3600000 OR (at / " DAY " + 3) % 7 >= 5",
	"CREATE TEMP TABLE v AS"
	" WITH n(n) AS (VALUES (0), (1), (2), (3), (4), (5), (6))"
	" SELECT row_number() OVER (ORDER BY at + n * 180000, room) AS id, room, k, n, at + n * 180000 AS at FROM s JOIN n"
	" WHERE n < 2 + " H("room * 73 + k") " % 5",
	"INSERT INTO fpp_estimations (id, user_id, room_id, estimation, spectator, estimated_at)"
	" SELECT row_number() OVER (ORDER BY v.id, u.i), printf('demo-%016d', u.i), v.room,"
	"  CASE WHEN " H("u.i * 11 + v.id") " % 13 = 0 THEN NULL"
	"   ELSE (SELECT c FROM (SELECT 0 AS j, 1 AS c UNION ALL VALUES (1, 2), (2, 3), (3, 5), (4, 8), (5, 13), (6, 21))"
	"    WHERE j = (" H("v.id") " % 5 + " H("u.i * 13 + v.id") " % 3)) END,"
	"  " H("u.i * 11 + v.id") " % 26 = 0, v.at"
	" FROM v JOIN u ON (u.i + 5) / 6 = v.room WHERE " H("u.i * 17 + v.k") " % 4 > 0",
	"INSERT INTO fpp_votes (id, room_id, avg_estimation_c, max_estimation, min_estimation, amount_of_estimations,"
	"  amount_of_spectators, duration, was_auto_flip, voted_at)"
	" SELECT v.id, v.room, coalesce(CAST(round(100.0 * avg(e.estimation)) AS INTEGER), 0), coalesce(max(e.estimation), 1),"
	"  coalesce(min(e.estimation), 21), count(e.estimation), count(*) FILTER (WHERE e.spectator = 1),"
	"  20 + " H("v.id * 19") " % 160, " H("v.id * 23") " % 3 = 0, v.at"
	" FROM v LEFT JOIN fpp_estimations e ON e.room_id = v.room AND e.estimated_at = v.at GROUP BY v.id",
	"INSERT INTO fpp_rooms (id, number, name, first_used_at, last_used_at)"
	" SELECT r.id, 100000 + " H("r.id * 29") " % 900000,"
	"  (SELECT a FROM (SELECT 0 AS j, 'harbour' AS a UNION ALL VALUES (1, 'beacon'), (2, 'compass'), (3, 'anchor'),"
	"   (4, 'regatta'), (5, 'lantern'), (6, 'tide')) WHERE j = r.id % 7) || '-' || r.id, r.at, coalesce(max(v.at), r.at)"
	" FROM r LEFT JOIN v ON v.room = r.id GROUP BY r.id",

	/* Who comes looks at the front page, then at a room; who votes comes to the room. */
	"INSERT INTO fpp_page_views (id, user_id, route, room_id, source, viewed_at)"
	" SELECT row_number() OVER (ORDER BY at, u, p), printf('demo-%016d', u), route, room, source, at FROM ("
	"  SELECT u.i AS u, 0 AS p, at, 'HOME' AS route, NULL AS room,"
	"   (SELECT s FROM (SELECT 0 AS j, 'https://www.google.com/' AS s UNION ALL VALUES (1, 'https://teams.microsoft.com/'),"
	"    (2, 'https://github.com/'), (3, 'google_ads'), (4, 'https://www.bing.com/'), (5, 'cv'), (6, 'https://news.example.org/'),"
	"    (7, NULL)) WHERE j = " H("i * 31") " % 8) AS source FROM u"
	"  UNION ALL SELECT i, 1, at + 20000, 'ROOM', (i + 5) / 6, NULL FROM u WHERE " H("i * 37") " % 4 > 0"
	"  UNION ALL SELECT i, 1, at + 45000, (SELECT s FROM (SELECT 0 AS j, 'GUIDE' AS s UNION ALL VALUES (1, 'ROADMAP'),"
	"    (2, 'CONTACT'), (3, 'IMPRINT')) WHERE j = i % 4), NULL, NULL FROM u WHERE " H("i * 41") " % 5 = 0"
	"  UNION ALL SELECT u.i, 2, s.at - 120000, 'ROOM', s.room, NULL FROM s JOIN u ON (u.i + 5) / 6 = s.room"
	"   WHERE " H("u.i * 17 + s.k") " % 4 > 0)",
	"INSERT INTO fpp_events (id, user_id, event, event_at)"
	" SELECT row_number() OVER (ORDER BY at, u), printf('demo-%016d', u), event, at FROM ("
	"  SELECT user_id, CAST(substr(user_id, 6) AS INTEGER) AS u, viewed_at AS at, CASE WHEN " H("id") " % 9 = 0 THEN"
	"    'ENTERED_RANDOM_ROOM' WHEN " H("id") " % 5 = 0 THEN 'ENTERED_NEW_ROOM' WHEN " H("id") " % 3 = 0 THEN"
	"    'ENTERED_RECENT_ROOM' ELSE 'ENTERED_EXISTING_ROOM' END AS event FROM fpp_page_views WHERE route = 'ROOM'"
	"  UNION ALL SELECT user_id, CAST(substr(user_id, 6) AS INTEGER), viewed_at + 1500000, 'LEFT_ROOM' FROM fpp_page_views"
	"   WHERE route = 'ROOM' AND " H("id * 43") " % 3 > 0 AND viewed_at + 1500000 <= " META("demo_now") ")",
	"UPDATE sync_state SET initial_done = 1",
	"DROP TABLE u", "DROP TABLE r", "DROP TABLE s", "DROP TABLE v",
	"DELETE FROM sync_meta WHERE k = 'demo_now'",
	NULL
};

static enum ph_rc
fill(struct ph_db *db, int64_t now_ms, struct ph_err *err)
{
	char		at[PH_TIME_SIZE];
	int64_t		users = 0;
	enum ph_rc	rc;
	size_t		i;

	if ((rc = ph_db_one_int(db, "SELECT count(*) FROM (SELECT 1 FROM fpp_users LIMIT 1)", &users, err)) != PH_OK ||
	    users > 0)
		return rc;
	ph_time_format(at, now_ms, 0);
	if ((rc = ph_model_set_int(db, "start_ms", ph_day_ms(ph_config_str(PH_CFG_FPP_START_DATE)), err)) != PH_OK ||
	    (rc = ph_model_set_int(db, "demo_now", now_ms, err)) != PH_OK)
		return rc;
	for (i = 0; sql_demo[i] != NULL; i++)
		if ((rc = ph_db_script(db, sql_demo[i], err)) != PH_OK)
			return rc;
	if ((rc = ph_model_set_int(db, "is_demo", 1, err)) != PH_OK || (rc = ph_model_set_text(db, "run_at", at, err)) != PH_OK)
		return rc;
	return ph_model_set_text(db, "last_success_at", at, err);
}

enum ph_rc
demo_product_insert(int64_t now_ms, struct ph_err *err)
{
	struct ph_db	*db;
	int		 is_made;
	enum ph_rc	 rc;

	if (ph_config_str(PH_CFG_DB_HOST)[0] != '\0')
		return PH_OK;
	if ((rc = ph_model_make(&is_made, err)) != PH_OK)
		return rc;
	if ((db = ph_model_writer()) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the read model");
	if ((rc = ph_db_begin(db, err)) == PH_OK && (rc = ph_db_triggers(db, 0, err)) == PH_OK &&
	    (rc = fill(db, now_ms, err)) == PH_OK && (rc = ph_model_sum(db, NULL, NULL, err)) == PH_OK)
		rc = ph_db_commit(db, err);
	ph_db_end(db);
	ph_db_close(db);
	return rc;
}
