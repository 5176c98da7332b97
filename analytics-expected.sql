-- analytics-expected.sql -- what each table of sums X of analytics.sql must hold: X_expected.
--
-- From the rows, or from a table of sums that stands above it here.  What is grouped by the columns of a key comes in
-- its order, so that a large table is written from its beginning to its end.

CREATE TEMP VIEW IF NOT EXISTS roll_day_expected AS
SELECT day, sum(u) AS new_users, sum(p) AS page_views, sum(r) AS rooms, sum(e) AS estimations, sum(v) AS votes FROM (
  SELECT created_at / 86400000 AS day, count(*) AS u, 0 AS p, 0 AS r, 0 AS e, 0 AS v FROM fpp_users GROUP BY 1
  UNION ALL SELECT viewed_at / 86400000, 0, count(*), 0, 0, 0 FROM fpp_page_views GROUP BY 1
  UNION ALL SELECT first_used_at / 86400000, 0, 0, count(*), 0, 0 FROM fpp_rooms GROUP BY 1
  UNION ALL SELECT estimated_at / 86400000, 0, 0, 0, count(*), 0 FROM fpp_estimations GROUP BY 1
  UNION ALL SELECT voted_at / 86400000, 0, 0, 0, 0, count(*) FROM fpp_votes GROUP BY 1)
GROUP BY day;

CREATE TEMP VIEW IF NOT EXISTS roll_votes_expected AS
SELECT kind, kind * room_id AS room_id, sum(votes) AS votes, sum(estimations) AS estimations,
  sum(spectators) AS spectators, sum(duration) AS duration, sum(min_sum) AS min_sum, sum(max_sum) AS max_sum,
  sum(avg_c_sum) AS avg_c_sum
FROM (SELECT 0 AS kind UNION ALL SELECT 1) JOIN (
  SELECT room_id, count(*) AS votes, sum(amount_of_estimations) AS estimations,
    sum(amount_of_spectators) AS spectators, sum(duration) AS duration, sum(min_estimation) AS min_sum,
    sum(max_estimation) AS max_sum, sum(avg_estimation_c) AS avg_c_sum
  FROM fpp_votes GROUP BY room_id)
GROUP BY 1, 2;

CREATE TEMP VIEW IF NOT EXISTS roll_count_expected AS
SELECT 'browser' AS dim, ifnull(browser, x'') AS k1, '' AS k2, count(*) AS n FROM fpp_users GROUP BY 2
UNION ALL SELECT 'country', ifnull(country, x''), '', count(*) FROM fpp_users GROUP BY 2
UNION ALL SELECT 'country_city', ifnull(country, x''), ifnull(city, x''), count(*) FROM fpp_users GROUP BY 2, 3
UNION ALL SELECT 'country_region', ifnull(country, x''), ifnull(region, x''), count(*) FROM fpp_users GROUP BY 2, 3
UNION ALL SELECT 'device', ifnull(device, x''), '', count(*) FROM fpp_users GROUP BY 2
UNION ALL SELECT 'estimation', estimation, '', count(*) FROM fpp_estimations WHERE estimation IS NOT NULL GROUP BY 2
UNION ALL SELECT 'event', event, '', count(*) FROM fpp_events GROUP BY 2
UNION ALL SELECT 'os', ifnull(os, x''), '', count(*) FROM fpp_users GROUP BY 2
UNION ALL SELECT 'room', ifnull(r.name, x''), '', sum(v.votes) FROM roll_votes v LEFT JOIN fpp_rooms r ON r.id = v.room_id
  WHERE v.kind = 1 GROUP BY 2
UNION ALL SELECT 'route', route, '', count(*) FROM fpp_page_views GROUP BY 2
UNION ALL SELECT 'source', source_category, '', count(*) FROM fpp_page_views WHERE source IS NOT NULL GROUP BY 2;

CREATE TEMP VIEW IF NOT EXISTS roll_viewer_expected AS
SELECT user_id FROM fpp_page_views GROUP BY user_id;

CREATE TEMP VIEW IF NOT EXISTS roll_estimator_expected AS
SELECT user_id FROM fpp_estimations WHERE estimated_at > (SELECT v FROM sync_meta WHERE k = 'start_ms') GROUP BY user_id;

CREATE TEMP VIEW IF NOT EXISTS roll_activity_expected AS
SELECT user_id, at FROM (SELECT user_id, viewed_at AS at FROM fpp_page_views
  UNION ALL SELECT user_id, estimated_at FROM fpp_estimations)
WHERE at > (SELECT v FROM sync_meta WHERE k = 'start_ms') GROUP BY user_id, at;

CREATE TEMP VIEW IF NOT EXISTS roll_active_day_expected AS
SELECT kind, key, day FROM (SELECT 0 AS kind, user_id AS key, estimated_at / 86400000 AS day FROM fpp_estimations
  UNION ALL SELECT 1, room_id, estimated_at / 86400000 FROM fpp_estimations)
WHERE day >= (SELECT v / 86400000 FROM sync_meta WHERE k = 'start_ms') AND (day + 3) % 7 < 5 GROUP BY kind, key, day;

CREATE TEMP VIEW IF NOT EXISTS roll_return_expected AS
WITH d AS (
  SELECT kind, day, row_number() OVER w AS i, lead(day) OVER w AS next FROM roll_active_day
  WINDOW w AS (PARTITION BY kind, key ORDER BY day))
SELECT kind, day, sum(returned) AS returned, sum(adjusted) AS adjusted FROM (
  SELECT kind, day, i = 2 AS returned, 1 AS adjusted FROM d WHERE i >= 2
  UNION ALL SELECT kind, min(day + 31, ifnull(next, day + 31)), 0, -1 FROM d WHERE i >= 2)
GROUP BY day, kind;

CREATE TEMP VIEW IF NOT EXISTS roll_user_week_expected AS
SELECT user_id, at / 86400000 - (at / 86400000 + 3) % 7 AS week FROM roll_activity GROUP BY 1, 2;

CREATE TEMP VIEW IF NOT EXISTS roll_cohort_expected AS
SELECT u.week, (w.week - u.week) / 7 AS age, count(*) AS users
FROM (SELECT id, created_at / 86400000 - (created_at / 86400000 + 3) % 7 AS week FROM fpp_users) AS u
JOIN roll_user_week AS w ON w.user_id = u.id
WHERE w.week >= u.week AND u.week + 7 > (SELECT v / 86400000 FROM sync_meta WHERE k = 'start_ms') GROUP BY 1, 2;

CREATE TEMP VIEW IF NOT EXISTS roll_counter_expected AS
WITH g AS (SELECT at - lag(at) OVER (PARTITION BY user_id ORDER BY at) AS gap FROM roll_activity)
SELECT 'viewers' AS k, count(*) AS n FROM roll_viewer
UNION ALL SELECT 'estimators', count(*) FROM roll_estimator
UNION ALL SELECT 'sessions', count(*) FILTER (WHERE gap IS NULL OR gap > 600000) FROM g
UNION ALL SELECT 'gap_ms', coalesce(sum(gap) FILTER (WHERE gap <= 600000), 0) FROM g;
