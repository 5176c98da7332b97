-- analytics.sql -- the read model of product analytics, $PH_HOME/analytics.db, version 1.
--
-- Six tables that job-readmodel copies from MySQL or MariaDB, its only writer, and sums over them, so that an answer
-- costs the days of the calendar and not the rows of history.  Nothing here cannot be fetched again.
--
-- Conventions.  Every instant is INTEGER Unix milliseconds UTC.  A day is a count of days since 1970-01-01 (a
-- Thursday), a week the day of its Monday: day - (day + 3) % 7.  A workday has (day + 3) % 7 < 5.  START is
-- sync_meta start_ms, a midnight.  Tables are STRICT.
--
-- The rules that hold together
--  1. Triggers keep every sum (roll_*), row by row and whatever the order in which rows arrive, also by `sqlite3` by
--     hand.  Rows of users, page views, events, votes and estimations are only ever inserted, those of rooms change.
--  2. For each of these tables X the view X_expected of analytics-expected.sql computes it from the rows alone;
--     `pilothouse jobs run readmodel --verify` compares them.
--  3. Who fills an empty model, or moves START, may switch the triggers off, take sync_meta rollup_version away, and
--     have all sums computed by those views at the end.
--  4. Write INSERT ... ON CONFLICT (id) DO NOTHING: the conflict clause of INSERT OR IGNORE would reach into triggers.

PRAGMA application_id = 1349023861;
PRAGMA user_version = 1;

------------------------------------------------------------------------------
-- 1. Rows of the product
------------------------------------------------------------------------------

CREATE TABLE fpp_users (
  id TEXT PRIMARY KEY NOT NULL,
  device TEXT,
  os TEXT,
  browser TEXT,
  country TEXT,				-- ISO 3166-1 alpha-2
  region TEXT,				-- short code
  city TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE fpp_rooms (
  id INTEGER PRIMARY KEY NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,			-- not unique here: two rooms may have exchanged names between two runs
  first_used_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL		-- by the clock of the application, all other times by that of its database
) STRICT;
CREATE INDEX ix_rooms_name ON fpp_rooms (name);
CREATE INDEX ix_rooms_number ON fpp_rooms (number);
CREATE INDEX ix_rooms_used ON fpp_rooms (last_used_at);

CREATE TABLE fpp_votes (
  id INTEGER PRIMARY KEY NOT NULL,
  room_id INTEGER NOT NULL,		-- of a room that need not be here
  avg_estimation_c INTEGER NOT NULL,	-- hundredths
  max_estimation INTEGER NOT NULL,
  min_estimation INTEGER NOT NULL,
  amount_of_estimations INTEGER NOT NULL,
  amount_of_spectators INTEGER NOT NULL,
  duration INTEGER NOT NULL,		-- seconds
  was_auto_flip INTEGER NOT NULL,
  voted_at INTEGER NOT NULL
) STRICT;
-- The last 24 hours, without the table.
CREATE INDEX ix_votes_at ON fpp_votes (voted_at, room_id, amount_of_estimations);

CREATE TABLE fpp_estimations (
  id INTEGER PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL,
  room_id INTEGER NOT NULL,
  estimation INTEGER,			-- NULL: a spectator, or no card
  spectator INTEGER NOT NULL,
  estimated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE fpp_page_views (
  id INTEGER PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL,
  route TEXT NOT NULL,
  room_id INTEGER,
  source TEXT,
  viewed_at INTEGER NOT NULL,
  -- The first category whose text is somewhere in the source.
  source_category TEXT AS (CASE
    WHEN source IS NULL THEN NULL
    WHEN instr(source, 'teams.') > 0 THEN 'Teams'
    WHEN instr(source, 'ads.') > 0 OR instr(source, 'google_ads') > 0 THEN 'Google Ads'
    WHEN instr(source, 'www.google.com') > 0 THEN 'Google Search'
    WHEN instr(source, 'free-planning-poker.com') > 0 THEN 'Free Planning Poker'
    WHEN instr(source, 'cv') > 0 THEN 'CV'
    WHEN instr(source, 'email') > 0 THEN 'Email'
    WHEN instr(source, 'github.com') > 0 THEN 'GitHub'
    WHEN instr(source, 'bing.com') > 0 THEN 'Bing'
    ELSE 'Other' END) VIRTUAL
) STRICT;
CREATE INDEX ix_views_at ON fpp_page_views (viewed_at, user_id);

CREATE TABLE fpp_events (
  id INTEGER PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL,
  event TEXT NOT NULL,
  event_at INTEGER NOT NULL
) STRICT;

------------------------------------------------------------------------------
-- 2. How far the copy is
------------------------------------------------------------------------------

CREATE TABLE sync_state (
  tbl TEXT PRIMARY KEY NOT NULL,
  cursor_id INTEGER NOT NULL DEFAULT 0,		-- the highest id seen
  cursor_ms INTEGER NOT NULL DEFAULT 0,		-- users: created_at, rooms: last_used_at, up to which nothing is missing
  cursor_key TEXT NOT NULL DEFAULT '',		-- users, while initial_done = 0: the last id seen, in the source's order
  initial_done INTEGER NOT NULL DEFAULT 0 CHECK (initial_done IN (0, 1)),	-- the table was once read to its end
  error TEXT					-- why the last run broke off here; NULL: it did not
) STRICT, WITHOUT ROWID;
INSERT INTO sync_state (tbl) VALUES ('fpp_users'), ('fpp_rooms'), ('fpp_page_views'), ('fpp_events'), ('fpp_votes'),
  ('fpp_estimations');

-- last_success_at (RFC 3339): the end of the last run without any error.  start_ms: what START was when the sums were
-- made.  rollup_version: of the views that made them; without it, or with another, they are to be made anew.
-- is_demo: the rows are a demonstration's.  run_at: the end of the last run.  run_error: why the last run could not begin, or what failed in it.
CREATE TABLE sync_meta (
  k TEXT PRIMARY KEY NOT NULL,
  v ANY
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------
-- 3. Sums
------------------------------------------------------------------------------

-- Rows by day, all days, weekends and those before START too.
CREATE TABLE roll_day (
  day INTEGER PRIMARY KEY NOT NULL,
  new_users INTEGER NOT NULL DEFAULT 0,
  page_views INTEGER NOT NULL DEFAULT 0,
  rooms INTEGER NOT NULL DEFAULT 0,		-- used first
  estimations INTEGER NOT NULL DEFAULT 0,	-- rows, with or without a card
  votes INTEGER NOT NULL DEFAULT 0
) STRICT;

-- How often a value occurs.  dim: device, os, browser, country, country_region, country_city (users), route, source
-- (page views), event, estimation (cards), room (votes, by the present name of the room).  A missing value is x'', which
-- sorts behind every text; k2 is '' where there is only one.
CREATE TABLE roll_count (
  dim TEXT NOT NULL,
  k1 ANY NOT NULL,
  k2 ANY NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (dim, k1, k2)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_count_top ON roll_count (dim, n DESC, k1, k2);

-- Votes.  kind 0: of all rooms, with room_id 0.  kind 1: of a room; the source may have one whose id is 0.
CREATE TABLE roll_votes (
  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
  room_id INTEGER NOT NULL,
  votes INTEGER NOT NULL,
  estimations INTEGER NOT NULL,
  spectators INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  min_sum INTEGER NOT NULL,
  max_sum INTEGER NOT NULL,
  avg_c_sum INTEGER NOT NULL,
  PRIMARY KEY (kind, room_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_votes_top ON roll_votes (kind, votes, room_id);

-- Who was seen in page views, and in estimations after START.
CREATE TABLE roll_viewer (user_id TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE roll_estimator (user_id TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;

-- When somebody viewed a page or estimated after START: the line that sessions are cut from.
CREATE TABLE roll_activity (
  user_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (user_id, at)
) STRICT, WITHOUT ROWID;

-- viewers, estimators: rows of those tables.  sessions, gap_ms: a gap of more than 600 s begins a session; gap_ms is
-- the sum of all others.
CREATE TABLE roll_counter (
  k TEXT PRIMARY KEY NOT NULL,
  n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO roll_counter (k, n) VALUES ('viewers', 0), ('estimators', 0), ('sessions', 0), ('gap_ms', 0);

-- The workdays from START on with an estimation.  kind 0: of a user, whose id is key.  kind 1: of a room.
CREATE TABLE roll_active_day (
  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),
  key ANY NOT NULL,
  day INTEGER NOT NULL,
  PRIMARY KEY (kind, key, day)
) STRICT, WITHOUT ROWID;

-- What the number of returning users or rooms gains on a day.  returned: on its second active day.  adjusted: it counts
-- on each active day but the first, until the 31st day after it or the next one.
CREATE TABLE roll_return (
  kind INTEGER NOT NULL,
  day INTEGER NOT NULL,
  returned INTEGER NOT NULL,
  adjusted INTEGER NOT NULL,
  PRIMARY KEY (day, kind)
) STRICT, WITHOUT ROWID;

-- The weeks of roll_activity, and how many of the users that were new in a week came back age weeks later.
CREATE TABLE roll_user_week (
  user_id TEXT NOT NULL,
  week INTEGER NOT NULL,
  PRIMARY KEY (user_id, week)
) STRICT, WITHOUT ROWID;
CREATE TABLE roll_cohort (
  week INTEGER NOT NULL,
  age INTEGER NOT NULL,
  users INTEGER NOT NULL,
  PRIMARY KEY (week, age)
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------
-- 4. Triggers
------------------------------------------------------------------------------

CREATE TRIGGER users_insert AFTER INSERT ON fpp_users BEGIN
  INSERT INTO roll_day (day, new_users) VALUES (NEW.created_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET new_users = new_users + 1;
  INSERT INTO roll_count (dim, k1, k2, n) VALUES
    ('device', ifnull(NEW.device, x''), '', 1), ('os', ifnull(NEW.os, x''), '', 1),
    ('browser', ifnull(NEW.browser, x''), '', 1), ('country', ifnull(NEW.country, x''), '', 1),
    ('country_region', ifnull(NEW.country, x''), ifnull(NEW.region, x''), 1),
    ('country_city', ifnull(NEW.country, x''), ifnull(NEW.city, x''), 1)
    ON CONFLICT (dim, k1, k2) DO UPDATE SET n = n + 1;
  -- Activity that arrived before its user.
  INSERT INTO roll_cohort (week, age, users) SELECT c.week, (w.week - c.week) / 7, 1
    FROM (SELECT NEW.created_at / 86400000 - (NEW.created_at / 86400000 + 3) % 7 AS week) AS c
    JOIN roll_user_week AS w ON w.user_id = NEW.id AND w.week >= c.week
    WHERE c.week + 7 > (SELECT v / 86400000 FROM sync_meta WHERE k = 'start_ms')
    ON CONFLICT (week, age) DO UPDATE SET users = users + 1;
END;

CREATE TRIGGER rooms_insert AFTER INSERT ON fpp_rooms BEGIN
  INSERT INTO roll_day (day, rooms) VALUES (NEW.first_used_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET rooms = rooms + 1;
  -- Votes that arrived before their room.
  INSERT INTO roll_count (dim, k1, k2, n)
    SELECT 'room', d.k1, '', d.sign * r.votes FROM roll_votes AS r
    JOIN (SELECT x'' AS k1, -1 AS sign UNION ALL SELECT NEW.name, 1) AS d WHERE r.kind = 1 AND r.room_id = NEW.id
    ON CONFLICT (dim, k1, k2) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER rooms_rename AFTER UPDATE OF name ON fpp_rooms WHEN OLD.name <> NEW.name BEGIN
  INSERT INTO roll_count (dim, k1, k2, n)
    SELECT 'room', d.k1, '', d.sign * r.votes FROM roll_votes AS r
    JOIN (SELECT OLD.name AS k1, -1 AS sign UNION ALL SELECT NEW.name, 1) AS d WHERE r.kind = 1 AND r.room_id = NEW.id
    ON CONFLICT (dim, k1, k2) DO UPDATE SET n = n + excluded.n;
  DELETE FROM roll_count WHERE dim = 'room' AND k1 = OLD.name AND k2 = '' AND n = 0;
END;

CREATE TRIGGER votes_insert AFTER INSERT ON fpp_votes BEGIN
  INSERT INTO roll_day (day, votes) VALUES (NEW.voted_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET votes = votes + 1;
  INSERT INTO roll_votes (kind, room_id, votes, estimations, spectators, duration, min_sum, max_sum, avg_c_sum)
    SELECT d.kind, d.room_id, 1, NEW.amount_of_estimations, NEW.amount_of_spectators, NEW.duration, NEW.min_estimation,
      NEW.max_estimation, NEW.avg_estimation_c FROM (SELECT 0 AS kind, 0 AS room_id UNION ALL SELECT 1, NEW.room_id) AS d
    WHERE true
    ON CONFLICT (kind, room_id) DO UPDATE SET votes = votes + 1, estimations = estimations + excluded.estimations,
      spectators = spectators + excluded.spectators, duration = duration + excluded.duration,
      min_sum = min_sum + excluded.min_sum, max_sum = max_sum + excluded.max_sum,
      avg_c_sum = avg_c_sum + excluded.avg_c_sum;
  INSERT INTO roll_count (dim, k1, k2, n)
    VALUES ('room', ifnull((SELECT name FROM fpp_rooms WHERE id = NEW.room_id), x''), '', 1)
    ON CONFLICT (dim, k1, k2) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER events_insert AFTER INSERT ON fpp_events BEGIN
  INSERT INTO roll_count (dim, k1, k2, n) VALUES ('event', NEW.event, '', 1)
    ON CONFLICT (dim, k1, k2) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER views_insert AFTER INSERT ON fpp_page_views BEGIN
  INSERT INTO roll_day (day, page_views) VALUES (NEW.viewed_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET page_views = page_views + 1;
  INSERT INTO roll_count (dim, k1, k2, n)
    SELECT 'route', NEW.route, '', 1 UNION ALL
    SELECT 'source', NEW.source_category, '', 1 WHERE NEW.source IS NOT NULL
    ON CONFLICT (dim, k1, k2) DO UPDATE SET n = n + 1;
  INSERT INTO roll_viewer (user_id) VALUES (NEW.user_id) ON CONFLICT DO NOTHING;
  INSERT INTO roll_activity (user_id, at) SELECT NEW.user_id, NEW.viewed_at
    WHERE NEW.viewed_at > (SELECT v FROM sync_meta WHERE k = 'start_ms') ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER estimations_insert AFTER INSERT ON fpp_estimations BEGIN
  INSERT INTO roll_day (day, estimations) VALUES (NEW.estimated_at / 86400000, 1)
    ON CONFLICT (day) DO UPDATE SET estimations = estimations + 1;
  INSERT INTO roll_count (dim, k1, k2, n) SELECT 'estimation', NEW.estimation, '', 1 WHERE NEW.estimation IS NOT NULL
    ON CONFLICT (dim, k1, k2) DO UPDATE SET n = n + 1;
  INSERT INTO roll_estimator (user_id) SELECT NEW.user_id
    WHERE NEW.estimated_at > (SELECT v FROM sync_meta WHERE k = 'start_ms') ON CONFLICT DO NOTHING;
  INSERT INTO roll_activity (user_id, at) SELECT NEW.user_id, NEW.estimated_at
    WHERE NEW.estimated_at > (SELECT v FROM sync_meta WHERE k = 'start_ms') ON CONFLICT DO NOTHING;
  INSERT INTO roll_active_day (kind, key, day)
    SELECT d.kind, d.key, NEW.estimated_at / 86400000
    FROM (SELECT 0 AS kind, NEW.user_id AS key UNION ALL SELECT 1, NEW.room_id) AS d
    WHERE NEW.estimated_at >= (SELECT v FROM sync_meta WHERE k = 'start_ms')
      AND (NEW.estimated_at / 86400000 + 3) % 7 < 5
    ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER viewer_insert AFTER INSERT ON roll_viewer BEGIN
  UPDATE roll_counter SET n = n + 1 WHERE k = 'viewers';
END;

CREATE TRIGGER estimator_insert AFTER INSERT ON roll_estimator BEGIN
  UPDATE roll_counter SET n = n + 1 WHERE k = 'estimators';
END;

-- An instant t between its neighbours p and q: the gap p..q gives way to p..t and t..q.
CREATE TRIGGER activity_insert AFTER INSERT ON roll_activity BEGIN
  UPDATE roll_counter SET n = n + CASE k
      WHEN 'sessions' THEN (p IS NULL OR NEW.at - p > 600000)
        + (q IS NOT NULL AND q - NEW.at > 600000) - (q IS NOT NULL AND (p IS NULL OR q - p > 600000))
      ELSE CASE WHEN NEW.at - p <= 600000 THEN NEW.at - p ELSE 0 END
        + CASE WHEN q - NEW.at <= 600000 THEN q - NEW.at ELSE 0 END
        - CASE WHEN q - p <= 600000 THEN q - p ELSE 0 END
      END
    FROM (SELECT (SELECT max(at) FROM roll_activity WHERE user_id = NEW.user_id AND at < NEW.at) AS p,
      (SELECT min(at) FROM roll_activity WHERE user_id = NEW.user_id AND at > NEW.at) AS q)
    WHERE k IN ('sessions', 'gap_ms');
  INSERT INTO roll_user_week (user_id, week)
    VALUES (NEW.user_id, NEW.at / 86400000 - (NEW.at / 86400000 + 3) % 7) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER user_week_insert AFTER INSERT ON roll_user_week BEGIN
  INSERT INTO roll_cohort (week, age, users) SELECT c.week, (NEW.week - c.week) / 7, 1
    FROM (SELECT created_at / 86400000 - (created_at / 86400000 + 3) % 7 AS week FROM fpp_users
      WHERE id = NEW.user_id) AS c
    WHERE NEW.week >= c.week AND c.week + 7 > (SELECT v / 86400000 FROM sync_meta WHERE k = 'start_ms')
    ON CONFLICT (week, age) DO UPDATE SET users = users + 1;
END;

-- A day x between its neighbours p and n (pp is ahead of p, nn behind n; far is a day that nothing reaches).  What
-- counts from a day a on ends at a + 31 or at the next active day; the first active day counts for nothing.
CREATE TRIGGER active_day_insert AFTER INSERT ON roll_active_day BEGIN
  INSERT INTO roll_return (kind, day, returned, adjusted)
    SELECT NEW.kind, c.day, sum(c.returned), sum(c.adjusted) FROM (
      SELECT CASE v.i
          WHEN 1 THEN NEW.day
          WHEN 2 THEN min(NEW.day + 31, ifnull(d.n, NEW.day + 31))
          WHEN 3 THEN min(d.p + 31, ifnull(d.n, d.p + 31))
          WHEN 4 THEN min(d.p + 31, NEW.day)
          WHEN 5 THEN d.n
          WHEN 6 THEN d.n
          WHEN 7 THEN min(d.n + 31, ifnull(d.nn, d.n + 31))
          ELSE d.nn END AS day,
        CASE v.i WHEN 1 THEN d.pp IS NULL WHEN 5 THEN -1 WHEN 6 THEN 1 WHEN 8 THEN -1 ELSE 0 END AS returned,
        CASE v.i WHEN 1 THEN 1 WHEN 2 THEN -1 WHEN 3 THEN 1 WHEN 4 THEN -1 WHEN 6 THEN 1 WHEN 7 THEN -1 ELSE 0 END
          AS adjusted
      FROM (SELECT p, n,
          (SELECT max(day) FROM roll_active_day WHERE kind = NEW.kind AND key = NEW.key AND day < p) AS pp,
          (SELECT min(day) FROM roll_active_day WHERE kind = NEW.kind AND key = NEW.key AND day > n) AS nn
        FROM (SELECT
          (SELECT max(day) FROM roll_active_day WHERE kind = NEW.kind AND key = NEW.key AND day < NEW.day) AS p,
          (SELECT min(day) FROM roll_active_day WHERE kind = NEW.kind AND key = NEW.key AND day > NEW.day) AS n)
        ) AS d
      JOIN (SELECT 1 AS i UNION ALL VALUES (2), (3), (4), (5), (6), (7), (8)) AS v
      WHERE CASE v.i
          WHEN 1 THEN d.p IS NOT NULL			-- x counts
          WHEN 2 THEN d.p IS NOT NULL
          WHEN 3 THEN d.pp IS NOT NULL			-- p counts until x now, no longer until n
          WHEN 4 THEN d.pp IS NOT NULL
          WHEN 5 THEN d.p IS NOT NULL AND d.pp IS NULL AND d.n IS NOT NULL	-- n was the second
          WHEN 6 THEN d.p IS NULL AND d.n IS NOT NULL	-- n was the first, and is the second
          WHEN 7 THEN d.p IS NULL AND d.n IS NOT NULL
          ELSE d.p IS NULL AND d.nn IS NOT NULL END	-- nn was the second
      ) AS c GROUP BY c.day
    ON CONFLICT (day, kind) DO UPDATE SET returned = returned + excluded.returned, adjusted = adjusted + excluded.adjusted;
END;
