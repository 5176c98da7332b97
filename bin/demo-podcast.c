/*
 * demo-podcast.c -- the demonstration's podcast, by statements of SQL: episodes, days, and counts summed from them.
 *
 * Episode i came out 7i - 4 days ago and is downloaded less with each day of its age, by a law of its own number.
 */
#include "autoconf.h"

#include "demo-podcast.h"

#define ID "'harbour-lights'"
#define DAY(ago) "date($1 / 1000, 'unixepoch', '-' || (" ago ") || ' days')"
#define EPISODE_ID "printf('harbour-%03d', i)"
#define OP3_ID "printf('%064x', i)"
#define PUBLISHED "($1 - $1 % 86400000 + 43200000 - (7 * i - 4) * 86400000)"

/* $1 is the instant. */
static const char *const statements[] = {
	"INSERT INTO podcasts (id, user_id, name, slug, podcast_guid, feed_url, op3_show_uuid, public_stats, created_at, updated_at)"
	" SELECT " ID ", id, 'Harbour Lights', 'harbour-lights', '5f4dcc3b-0a6e-5c12-8c3b-7d2a4e6f9b10',"
	" 'https://feeds.example.com/harbour-lights.xml', '8d3f2a6b1c9e4d7f8a5b6c3d2e1f0a9b', 1, $1 - 430 * 86400000, $1"
	" FROM users WHERE role = 'admin' AND disabled_at IS NULL ORDER BY created_at, id LIMIT 1",
	/* Sixty are out, two will be, one is being worked on. */
	"INSERT INTO episodes (id, podcast_id, title, guid, episode_number, status, duration_ms, audio_bytes, publish_at,"
	" processed_at, created_at, updated_at)"
	" WITH RECURSIVE e(i) AS (VALUES (-1) UNION ALL SELECT i + 1 FROM e WHERE i < 60)"
	" SELECT " EPISODE_ID ", p.id, printf('%s %d', CASE i % 5 WHEN 0 THEN 'The ferry at' WHEN 1 THEN 'Letters from pier'"
	"   WHEN 2 THEN 'A walk to lighthouse' WHEN 3 THEN 'Fog over berth' ELSE 'The crew of' END, 61 - i), " EPISODE_ID ","
	"  61 - i, CASE WHEN i > 0 THEN 'published' ELSE 'processed' END, 1500000 + i * 7919 % 1200000,"
	"  24000000 + i * 104729 % 9000000, " PUBLISHED ", min(" PUBLISHED ", $1) - 86400000, min(" PUBLISHED ", $1) - 172800000, $1"
	" FROM e JOIN podcasts p ON p.id = " ID,
	"INSERT INTO episodes (id, podcast_id, title, status, processed_at, created_at, updated_at)"
	" SELECT 'harbour-next', id, 'The long way round', 'processing', $1 - 600000, $1 - 3600000, $1 FROM podcasts WHERE id = " ID,
	"INSERT INTO op3_episodes (podcast_id, op3_id, item_guid, title, pubdate, episode_id)"
	" WITH RECURSIVE e(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM e WHERE i < 60)"
	" SELECT podcast_id, " OP3_ID ", guid, title, publish_at, id FROM e JOIN episodes ON id = " EPISODE_ID " WHERE $1",
	"INSERT INTO op3_daily (podcast_id, day, dim, key, n)"
	" WITH RECURSIVE e(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM e WHERE i < 60),"
	"  d(ago) AS (VALUES (1) UNION ALL SELECT ago + 1 FROM d WHERE ago < 416),"
	"  a(i, ago, age) AS (SELECT i, ago, 7 * i - 4 - ago FROM e JOIN d ON ago <= 7 * i - 4)"
	" SELECT p.id, " DAY("ago") ", 'episode', " OP3_ID ", (900 + 10 * (i * 37 % 50)) / (6 + 5 * age) + (i * 7 + age * 13) % 3"
	" FROM a JOIN podcasts p ON p.id = " ID " WHERE (900 + 10 * (i * 37 % 50)) / (6 + 5 * age) + (i * 7 + age * 13) % 3 > 0",
	"INSERT INTO op3_daily (podcast_id, day, dim, n) SELECT podcast_id, day, 'total', sum(n) FROM op3_daily"
	" WHERE podcast_id = " ID " AND dim = 'episode' AND $1 GROUP BY podcast_id, day",
	/* Parts in thousandths; the first takes what rounding leaves. */
	"INSERT INTO op3_daily (podcast_id, day, dim, key, n)"
	" WITH part(dim, key, share) AS (VALUES ('country', 'GB', 160), ('country', 'DE', 110), ('country', 'CA', 90),"
	"  ('country', 'AU', 60), ('country', 'PT', 50), ('country', 'FR', 40), ('country', 'BR', 30), ('country', 'XX', 10),"
	"  ('app', 'Spotify', 250), ('app', 'Overcast', 110), ('app', 'Pocket Casts', 90), ('app', 'Castro', 40),"
	"  ('device', 'Android Phone', 300), ('device', 'Windows Computer', 120), ('device', 'Amazon Echo', 60)),"
	"  rest(dim, key) AS (VALUES ('country', 'US'), ('app', 'Apple Podcasts'), ('device', 'Apple iPhone')),"
	"  parts AS (SELECT t.podcast_id, t.day, p.dim, p.key, t.n * p.share / 1000 AS n FROM op3_daily t JOIN part p"
	"   WHERE t.podcast_id = " ID " AND t.dim = 'total')"
	" SELECT * FROM parts WHERE n > 0 AND $1"
	" UNION ALL SELECT t.podcast_id, t.day, r.dim, r.key, t.n - coalesce((SELECT sum(n) FROM parts x"
	"  WHERE x.day = t.day AND x.dim = r.dim), 0) FROM op3_daily t JOIN rest r WHERE t.podcast_id = " ID " AND t.dim = 'total'",
	"INSERT INTO op3_counts (podcast_id, position, item_guid, title, pubdate, downloads_1d, downloads_3d, downloads_7d,"
	" downloads_30d, downloads_all, episode_id)"
	" WITH RECURSIVE e(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM e WHERE i < 11),"
	"  s AS (SELECT i, row_number() OVER (PARTITION BY i ORDER BY day) AS age, n FROM e JOIN op3_daily"
	"   ON podcast_id = " ID " AND dim = 'episode' AND key = " OP3_ID ")"
	" SELECT o.podcast_id, i - 1, o.guid, o.title, o.publish_at, sum(n) FILTER (WHERE age = 1),"
	"  CASE WHEN count(*) > 3 THEN sum(n) FILTER (WHERE age <= 3) END,"
	"  CASE WHEN count(*) > 7 THEN sum(n) FILTER (WHERE age <= 7) END,"
	"  CASE WHEN count(*) > 30 THEN sum(n) FILTER (WHERE age <= 30) END, sum(n), o.id"
	" FROM s JOIN episodes o ON o.id = " EPISODE_ID " WHERE $1 GROUP BY i",
	"INSERT INTO op3_shows (podcast_id, show_uuid, show_until, as_of, downloads_30d, weekly, weekly_avg, num_weeks, counts_at,"
	" episodes_at, fresh_until)"
	" WITH w(week, n) AS (SELECT (julianday(" DAY("1") ") - julianday(day)) / 7, n FROM op3_daily WHERE podcast_id = " ID
	"   AND dim = 'total' AND day > " DAY("29") "),"
	"  t AS (SELECT CAST(week AS INTEGER) AS week, sum(n) AS n FROM w GROUP BY 1)"
	" SELECT p.id, p.op3_show_uuid, $1 + 604800000, " DAY("1") ", (SELECT sum(n) FROM op3_daily WHERE podcast_id = " ID
	"   AND dim = 'total' AND day > " DAY("31") "), (SELECT json_group_array(n) FROM (SELECT n FROM t ORDER BY week DESC)),"
	"  (SELECT avg(n) FROM t), 4, $1, $1, $1 + 10800000 FROM podcasts p WHERE p.id = " ID,
	"INSERT INTO op3_sync (podcast_id, first_day, complete_through, backfill_done, updated_at, next_at)"
	" SELECT id, (SELECT min(day) FROM op3_daily WHERE podcast_id = " ID " AND dim = 'total'), " DAY("1") ", 1, $1, $1 + 10800000"
	" FROM podcasts WHERE id = " ID,
};

enum ph_rc
demo_podcast_insert(struct ph_db *db, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc = PH_OK;
	size_t		 i;

	for (i = 0; i < sizeof(statements) / sizeof(statements[0]) && rc == PH_OK; i++) {
		if ((rc = ph_db_prepare(db, statements[i], &st, err)) != PH_OK)
			return rc;
		ph_stmt_bind_int(st, 1, now_ms);
		rc = ph_stmt_exec(st, err);
		ph_stmt_done(st);
	}
	return rc;
}
