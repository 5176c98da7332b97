-- schema.sql -- the whole Pilothouse database, version 3.
--
-- Read it like code.  First the records that people and programs write, then
-- what is derived from them: counters kept by triggers, so that they are right
-- whoever writes a row -- our API, another program, `sqlite3` by hand -- and a
-- statistic costs the same at ten rows and at ten million.
--
-- Conventions.  `*_at` and every other instant is INTEGER Unix milliseconds UTC,
-- from 0 (1970) to 253402300799999 (the end of year 9999).  `*_ms` is a duration
-- in milliseconds.  `*_cents` is money in hundredths.  Ids are TEXT, lower-case
-- UUIDs when we make them.  JSON columns are TEXT and may hold malformed text
-- after an import; readers tolerate it.  Tables are STRICT.  A column of three or more words is
-- checked by OR where rows come by the thousand: for IN (...) the engine builds a table with each insert.
--
-- The rules that hold together
--  1. Only triggers write counter tables.  A counter row may stay at n = 0;
--     readers treat it as absent.
--  2. For each counter table X the view X_expected in expected.sql recomputes it; by it
--     `pilothouse verify` compares and repairs.
--  3. Derived columns (publish_logs.platform_key, .proc_ms, jobs.params_platform)
--     are filled by triggers from the one definition in publish_logs.derived_... and the
--     view job_derived; writing anything else into them by hand is refused.
--  4. INSERT OR REPLACE and UPDATE OR REPLACE would delete the old row without telling
--     any trigger, and with a clip all of its logs.  On counted tables they are
--     refused; use INSERT ... ON CONFLICT(id) DO UPDATE.
--  5. Sums are integers, so that they are exact in any order of events: scores
--     are counted in nanos (1e-9), times as seconds and milliseconds apart.

PRAGMA application_id = 1349023860;	-- 0x50685074 "PhPt"
PRAGMA user_version = 3;

------------------------------------------------------------------------------
-- 1. Publishing: videos are cut into clips, clips are posted through a queue
------------------------------------------------------------------------------

CREATE TABLE video_assets (
  id TEXT PRIMARY KEY NOT NULL,
  title TEXT,
  description TEXT,
  release_date INTEGER CHECK (release_date BETWEEN 0 AND 253402300799999),
  file_path TEXT,
  file_size INTEGER,			-- bytes
  duration_ms INTEGER,
  idempotency_key TEXT UNIQUE,		-- the importer's own key for the video
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999),
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX ix_videos_created ON video_assets(created_at);

CREATE TABLE clips (
  id TEXT PRIMARY KEY NOT NULL,
  video_asset_id TEXT NOT NULL REFERENCES video_assets(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  visual_score REAL CHECK (visual_score BETWEEN 0.0 AND 1.0),	-- NULL: not scored yet
  status TEXT NOT NULL DEFAULT 'pending'
    CHECK (status = 'published' OR status = 'ready' OR status = 'pending' OR status = 'processing'
      OR status = 'failed'),
  params TEXT,				-- JSON
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999),
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX ix_clips_video ON clips(video_asset_id);
CREATE INDEX ix_clips_created ON clips(created_at);
CREATE INDEX ix_clips_status ON clips(status, created_at);
CREATE INDEX ix_clips_score ON clips(visual_score, id) WHERE visual_score IS NOT NULL;

CREATE TABLE clip_variants (		-- a clip rendered for one platform
  id TEXT PRIMARY KEY NOT NULL,
  clip_id TEXT NOT NULL REFERENCES clips(id) ON DELETE CASCADE,
  variant_number INTEGER NOT NULL DEFAULT 1,
  platform TEXT NOT NULL,
  file_path TEXT,
  url TEXT,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status = 'ready' OR status = 'pending' OR status = 'failed'),
  visual_score REAL CHECK (visual_score BETWEEN 0.0 AND 1.0),
  duration_ms INTEGER,
  params TEXT,				-- JSON
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999)
) STRICT;
CREATE INDEX ix_variants_best ON clip_variants(status, platform, visual_score);
CREATE INDEX ix_variants_ready ON clip_variants(lower(trim(platform)), visual_score, created_at)
  WHERE status = 'ready';
CREATE INDEX ix_variants_clip ON clip_variants(clip_id);

CREATE TABLE jobs (			-- work on videos and clips: cut, score, render
  id TEXT PRIMARY KEY NOT NULL,
  job_type TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending'
    CHECK (status = 'completed' OR status = 'pending' OR status = 'processing' OR status = 'retry'
      OR status = 'failed'),
  params TEXT,				-- JSON; the text member "platform" is counted
  dedup_key TEXT UNIQUE,
  video_asset_id TEXT REFERENCES video_assets(id) ON DELETE SET NULL,
  clip_id TEXT REFERENCES clips(id) ON DELETE SET NULL,
  result TEXT,				-- JSON
  error_message TEXT,
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999),
  updated_at INTEGER NOT NULL,
  params_platform TEXT			-- derived, rule 3
) STRICT;
CREATE INDEX ix_jobs_video ON jobs(video_asset_id) WHERE video_asset_id IS NOT NULL;
CREATE INDEX ix_jobs_clip ON jobs(clip_id) WHERE clip_id IS NOT NULL;
CREATE INDEX ix_jobs_created ON jobs(created_at);
CREATE INDEX ix_jobs_status ON jobs(status, created_at);
CREATE INDEX ix_jobs_platform ON jobs(params_platform, created_at) WHERE params_platform IS NOT NULL;
CREATE INDEX ix_jobs_platform_status ON jobs(params_platform, status, created_at)
  WHERE params_platform IS NOT NULL;
-- status is one value in the next two: without it the planner would rather walk ix_jobs_status.
CREATE INDEX ix_jobs_completed ON jobs(status, updated_at) WHERE status = 'completed';
CREATE INDEX ix_jobs_stuck ON jobs(status, updated_at) WHERE status = 'processing';

CREATE TABLE campaigns (		-- a budget spent on one clip
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  clip_id TEXT NOT NULL REFERENCES clips(id),
  budget_cents INTEGER NOT NULL,
  budget_spent_cents INTEGER NOT NULL DEFAULT 0,
  targeting TEXT,			-- JSON
  status TEXT NOT NULL DEFAULT 'draft'
    CHECK (status = 'completed' OR status = 'active' OR status = 'paused' OR status = 'draft'),
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999),
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX ix_campaigns_clip ON campaigns(clip_id);
CREATE INDEX ix_campaigns_created ON campaigns(created_at);
CREATE INDEX ix_campaigns_status ON campaigns(status, created_at);
CREATE INDEX ix_campaigns_updated ON campaigns(status, updated_at);

CREATE TABLE social_accounts (
  id TEXT PRIMARY KEY NOT NULL,
  platform TEXT NOT NULL,
  handle TEXT NOT NULL,
  external_id TEXT,
  is_main_account INTEGER NOT NULL DEFAULT 0,
  is_active INTEGER NOT NULL DEFAULT 1,
  extra_metadata TEXT,			-- JSON
  oauth_expires_at INTEGER,
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999),
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX ix_accounts_expiry ON social_accounts(oauth_expires_at)
  WHERE is_active <> 0 AND oauth_expires_at IS NOT NULL;

-- One row per attempt to post a clip.  Life cycle: scheduled -> pending ->
-- processing -> success | retry | failed.
CREATE TABLE publish_logs (
  id TEXT PRIMARY KEY NOT NULL,
  clip_id TEXT NOT NULL REFERENCES clips(id) ON DELETE CASCADE,
  platform TEXT NOT NULL,		-- as written by the caller; any spelling
  social_account_id TEXT REFERENCES social_accounts(id) ON DELETE SET NULL,
  status TEXT NOT NULL DEFAULT 'pending'
    CHECK (status = 'success' OR status = 'failed' OR status = 'pending' OR status = 'scheduled'
      OR status = 'processing' OR status = 'retry'),
  external_post_id TEXT,
  external_url TEXT,
  error_message TEXT,
  requested_at INTEGER NOT NULL CHECK (requested_at BETWEEN 0 AND 253402300799999),
  published_at INTEGER CHECK (published_at BETWEEN 0 AND 253402300799999),
  failed_at INTEGER CHECK (failed_at BETWEEN 0 AND 253402300799999),
  requeued_at INTEGER,
  retry_count INTEGER NOT NULL DEFAULT 0,
  max_retries INTEGER NOT NULL DEFAULT 3,
  last_retry_at INTEGER,
  schedule_type TEXT NOT NULL DEFAULT 'immediate'
    CHECK (schedule_type IN ('immediate','scheduled')),
  scheduled_for INTEGER,
  scheduled_window_end INTEGER,
  scheduled_by TEXT,			-- manual | rule_engine | campaign_orchestrator
  extra_metadata TEXT,			-- JSON
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999),
  updated_at INTEGER NOT NULL,
  platform_key TEXT NOT NULL DEFAULT 'other',	-- derived, rule 3
  proc_ms INTEGER,				-- derived, rule 3
  -- Their definition.  A platform name is trimmed and ASCII lower-cased; whatever is not one
  -- of the four known names counts as other.  Of these keys the platforms answer shows
  -- facebook as a part of other.  A processing time exists for posts that went out at or
  -- after their request.  The last two are when its events published and failed happened.  (Only
  -- triggers and checks read these four: a query that touches a
  -- generated column is never answered from an index alone.)
  derived_platform_key TEXT AS (CASE lower(trim(platform)) WHEN 'instagram' THEN 'instagram'
    WHEN 'tiktok' THEN 'tiktok' WHEN 'youtube' THEN 'youtube' WHEN 'facebook' THEN 'facebook'
    ELSE 'other' END) VIRTUAL,
  derived_proc_ms INTEGER AS (CASE WHEN status = 'success' AND published_at >= requested_at
    THEN published_at - requested_at END) VIRTUAL,
  derived_published_at INTEGER AS (CASE status WHEN 'success' THEN published_at END) VIRTUAL,
  derived_failed_at INTEGER AS (CASE status WHEN 'failed' THEN failed_at END) VIRTUAL
) STRICT;
CREATE INDEX ix_logs_status_requested ON publish_logs(status, requested_at);
CREATE INDEX ix_logs_requested ON publish_logs(requested_at);
-- These two hold all that a statistic reads of the logs in a window, which so costs their entries alone.
CREATE INDEX ix_logs_platform ON publish_logs(platform_key, status, requested_at, clip_id, proc_ms);
CREATE INDEX ix_logs_created ON publish_logs(created_at, platform_key, status);
CREATE INDEX ix_logs_clip ON publish_logs(clip_id);
CREATE INDEX ix_logs_account ON publish_logs(social_account_id)
  WHERE social_account_id IS NOT NULL;
CREATE INDEX ix_logs_retried ON publish_logs(last_retry_at) WHERE last_retry_at IS NOT NULL;
-- status, though one or two values, comes first in these: without it the planner would rather walk
-- ix_logs_status_requested.
CREATE INDEX ix_logs_published ON publish_logs(status, published_at) WHERE status = 'success';
CREATE INDEX ix_logs_failed ON publish_logs(status, failed_at) WHERE status = 'failed';
CREATE INDEX ix_logs_due ON publish_logs(status, scheduled_for)
  WHERE scheduled_for IS NOT NULL AND status IN ('scheduled','pending');
CREATE INDEX ix_logs_undated ON publish_logs(status, scheduled_for)
  WHERE status = 'scheduled' AND scheduled_for IS NULL;
CREATE INDEX ix_logs_stuck ON publish_logs(updated_at) WHERE status IN ('processing','retry');
CREATE INDEX ix_logs_last_failure
  ON publish_logs(platform_key, coalesce(failed_at, updated_at)) WHERE status = 'failed';

CREATE TABLE archived_logs (		-- publish logs that were cleared away
  id TEXT PRIMARY KEY NOT NULL,
  archived_at INTEGER NOT NULL,
  archived_by TEXT NOT NULL,		-- user name
  log TEXT NOT NULL			-- JSON: the row as it was
) STRICT;
CREATE INDEX ix_archived_at ON archived_logs(archived_at);

CREATE TABLE publications (		-- a human's or partner's word that a post is out
  id TEXT PRIMARY KEY NOT NULL,
  clip_id TEXT NOT NULL REFERENCES clips(id) ON DELETE CASCADE,
  platform TEXT NOT NULL,
  post_url TEXT,
  post_id TEXT,
  published_at INTEGER,
  confirmed_by TEXT,
  trace_id TEXT UNIQUE,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX ix_publications_clip ON publications(clip_id);

CREATE TABLE best_clip_decisions (
  id TEXT PRIMARY KEY NOT NULL,
  video_asset_id TEXT NOT NULL REFERENCES video_assets(id) ON DELETE CASCADE,
  platform TEXT NOT NULL,
  clip_id TEXT NOT NULL REFERENCES clips(id) ON DELETE CASCADE,
  score REAL NOT NULL,
  decided_at INTEGER NOT NULL,
  UNIQUE (video_asset_id, platform)
) STRICT;
CREATE INDEX ix_best_clip ON best_clip_decisions(clip_id);

CREATE TABLE ledger_events (		-- what the publishing system did, append-only
  id TEXT PRIMARY KEY NOT NULL,
  timestamp INTEGER NOT NULL,
  event_type TEXT NOT NULL,
  entity_type TEXT,
  entity_id TEXT,
  event_data TEXT,			-- JSON
  severity TEXT NOT NULL DEFAULT 'INFO' CHECK (severity = 'INFO' OR severity = 'WARN' OR severity = 'ERROR'),
  worker_id TEXT,
  job_id TEXT,
  clip_id TEXT
) STRICT;
CREATE INDEX ix_ledger_time ON ledger_events(timestamp);
CREATE INDEX ix_ledger_type ON ledger_events(event_type, timestamp);
CREATE INDEX ix_ledger_entity ON ledger_events(entity_type, entity_id);
CREATE INDEX ix_ledger_job ON ledger_events(job_id) WHERE job_id IS NOT NULL;
CREATE INDEX ix_ledger_clip ON ledger_events(clip_id) WHERE clip_id IS NOT NULL;
CREATE TRIGGER ledger_no_replace BEFORE INSERT ON ledger_events
  WHEN EXISTS (SELECT 1 FROM ledger_events WHERE id = NEW.id OR rowid = NEW.rowid)
BEGIN SELECT RAISE(ABORT, 'ledger_events is append-only'); END;
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger_events
BEGIN SELECT RAISE(ABORT, 'ledger_events is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger_events
BEGIN SELECT RAISE(ABORT, 'ledger_events is append-only'); END;

CREATE TABLE orchestrator_runs (
  id TEXT PRIMARY KEY NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,			-- NULL: still running, or killed
  trigger TEXT NOT NULL CHECK (trigger IN ('loop','manual')),
  actions INTEGER NOT NULL DEFAULT 0,
  succeeded INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  summary TEXT
) STRICT;
CREATE INDEX ix_runs_started ON orchestrator_runs(started_at);

------------------------------------------------------------------------------
-- 2. Identity: users, their tokens, and who changed what
------------------------------------------------------------------------------

CREATE TABLE users (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
  role TEXT NOT NULL CHECK (role IN ('admin','manager','operator','viewer')),
  tier TEXT NOT NULL DEFAULT 'free' REFERENCES tiers(name),
  password TEXT,			-- Argon2id in libsodium's own text form; NULL: no login
  created_at INTEGER NOT NULL,
  disabled_at INTEGER			-- NULL: active
) STRICT;

CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY NOT NULL,		-- public part, shown in lists and logs
  user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),	-- SHA-256 of the whole token
  scopes TEXT NOT NULL,			-- space-separated; never more than the owner's role
  addresses TEXT NOT NULL DEFAULT '',	-- space-separated CIDR list; empty: any address
  created_at INTEGER NOT NULL,
  expires_at INTEGER,			-- NULL: never
  last_used_at INTEGER,			-- written at most once a minute
  revoked_at INTEGER
) STRICT;
CREATE INDEX ix_tokens_user ON api_tokens(user_id);

CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,			-- user name, or "local" for the operator's command
  token_id TEXT,
  address TEXT,				-- of the client; NULL for the operator's command
  method TEXT,				-- of the request, as the next five; NULL: no request
  path TEXT,
  query_hash TEXT,			-- 16 bytes of SHA-256 in hexadecimal; NULL: no query
  status INTEGER,
  duration_ms INTEGER,
  request_id TEXT,
  action TEXT NOT NULL,			-- e.g. token.create, database.restore
  target TEXT,				-- id of what was changed
  detail TEXT				-- JSON; never a secret
) STRICT;
CREATE INDEX ix_audit_at ON audit_log(at);
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit_log
  WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE INDEX ix_audit_action ON audit_log(action, at);
-- Retention may remove what is 180 days older than the newest entry.
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_log
  WHEN OLD.at > (SELECT max(at) FROM audit_log) - 180 * 86400000
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only for 180 days'); END;

-- The answer to a writing request with an Idempotency-Key, for 24 hours.
CREATE TABLE idempotency_keys (
  actor TEXT NOT NULL,			-- user name
  route TEXT NOT NULL,			-- method and path
  key TEXT NOT NULL,
  request_hash BLOB NOT NULL,		-- SHA-256 of query and body
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (actor, route, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_idempotency_created ON idempotency_keys(created_at);

-- A ticket opens one live stream for a client that cannot set headers.
CREATE TABLE stream_tickets (
  hash BLOB PRIMARY KEY NOT NULL,	-- SHA-256 of the ticket
  user TEXT NOT NULL,
  token_id TEXT NOT NULL,
  scopes TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------
-- 3. What the dashboard itself keeps: samples, alerts, boards, analyses
------------------------------------------------------------------------------

-- Gauges over time, one row per metric and instant.  A coarser resolution holds the
-- last value of its span.
CREATE TABLE stat_samples (
  metric TEXT NOT NULL,			-- a name of the catalogue, GET /dashboard/metrics
  resolution_ms INTEGER NOT NULL CHECK (resolution_ms IN (60000, 300000, 3600000)),
  at INTEGER NOT NULL,			-- multiple of the resolution
  value REAL NOT NULL,
  PRIMARY KEY (metric, resolution_ms, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_channels (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  kind TEXT NOT NULL CHECK (kind IN ('webhook','email','stream')),
  target TEXT NOT NULL,			-- URL, mail address, or '' for the stream
  secret TEXT,				-- signs webhooks; written, never shown
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  is_default INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),	-- for rules without channels
  created_by TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE alert_rules (
  id TEXT PRIMARY KEY NOT NULL,		-- built-in rules: builtin.ALERT_TYPE.SEVERITY
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  alert_type TEXT NOT NULL,
  metric TEXT NOT NULL,			-- an expression over the catalogue
  op TEXT NOT NULL CHECK (op IN ('>','>=','<','<=','==','absent')),
  threshold REAL NOT NULL DEFAULT 0,
  clear_threshold REAL,			-- NULL: the threshold
  for_ms INTEGER NOT NULL DEFAULT 0 CHECK (for_ms BETWEEN 0 AND 86400000),
  cooldown_ms INTEGER NOT NULL DEFAULT 300000 CHECK (cooldown_ms BETWEEN 0 AND 604800000),
  severity TEXT NOT NULL CHECK (severity IN ('info','warning','critical')),
  enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
  created_by TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER,			-- NULL: came with the release
  updated_at INTEGER,			-- NULL: never
  -- what the evaluation remembers
  state TEXT NOT NULL DEFAULT 'ok' CHECK (state IN ('ok','pending','firing')),
  since_at INTEGER,			-- of the state
  clear_count INTEGER NOT NULL DEFAULT 0,	-- evaluations in a row that clear_threshold calls clear
  snoozed_until INTEGER,		-- it tells nobody before
  value REAL,				-- of the last evaluation; NULL: none
  evaluated_at INTEGER,
  event_id TEXT				-- its last event, open if it is firing
) STRICT;

CREATE TABLE alert_rule_channels (	-- whom a rule tells; without any: the default channels
  rule_id TEXT NOT NULL REFERENCES alert_rules(id) ON DELETE CASCADE,
  channel_id TEXT NOT NULL REFERENCES alert_channels(id) ON DELETE CASCADE,
  PRIMARY KEY (rule_id, channel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_rule_channels ON alert_rule_channels(channel_id);

-- The built-in rules.  Threshold, times, channels and enabled may be changed; the rest, and that
-- they are there, belongs to the release.  An orchestrator that never acted counts as idle for 10^11 ms.
INSERT INTO alert_rules (id, name, alert_type, severity, metric, op, threshold, created_by) VALUES
  ('builtin.queue_saturation.warning', 'Queue is filling', 'queue_saturation', 'warning',
    'queue.pending', '>', 20, 'builtin'),
  ('builtin.queue_saturation.critical', 'Queue is full', 'queue_saturation', 'critical',
    'queue.pending', '>', 50, 'builtin'),
  ('builtin.scheduler_backlog.warning', 'Scheduled posts are overdue', 'scheduler_backlog', 'warning',
    'scheduler.overdue_max_ms', '>', 0, 'builtin'),
  ('builtin.scheduler_backlog.critical', 'Scheduled posts are long overdue', 'scheduler_backlog', 'critical',
    'scheduler.overdue_max_ms', '>', 600000, 'builtin'),
  ('builtin.orchestrator_inactive.warning', 'Orchestrator is quiet', 'orchestrator_inactive', 'warning',
    'orchestrator.idle_ms', '>', 120000, 'builtin'),
  ('builtin.orchestrator_inactive.critical', 'Orchestrator does not act', 'orchestrator_inactive', 'critical',
    'coalesce(orchestrator.idle_ms, 100000000000)', '>', 300000, 'builtin'),
  ('builtin.publish_failures_spike.warning', 'Posts are failing', 'publish_failures_spike', 'warning',
    'events.failed.10m', '>', 5, 'builtin'),
  ('builtin.publish_failures_spike.critical', 'Many posts are failing', 'publish_failures_spike', 'critical',
    'events.failed.10m', '>', 10, 'builtin'),
  ('builtin.oauth_expiring_soon.warning', 'An account''s access expires soon', 'oauth_expiring_soon', 'warning',
    'accounts.oauth_min_left_ms', '<=', 1200000, 'builtin'),
  ('builtin.oauth_expiring_soon.critical', 'An account''s access expires now', 'oauth_expiring_soon', 'critical',
    'accounts.oauth_min_left_ms', '<=', 300000, 'builtin'),
  ('builtin.worker_crash_detected.critical', 'A worker has probably crashed', 'worker_crash_detected', 'critical',
    'jobs.stuck_processing', '>', 0, 'builtin'),
  ('builtin.campaign_blocked.warning', 'An active campaign has nothing to post', 'campaign_blocked', 'warning',
    'campaigns.blocked', '>', 0, 'builtin'),
  -- How many of the three signs there are; each is 0 or 1.
  ('builtin.system_health_degraded.warning', 'The system is in trouble', 'system_health_degraded', 'warning',
    'min(1, max(0, orchestrator.pending_jobs - 10)) + min(1, max(0, queue.pending - 30))'
    || ' + min(1, max(0, events.failed.24h - 20))', '>=', 2, 'builtin'),
  ('builtin.system_health_degraded.critical', 'The system is in deep trouble', 'system_health_degraded', 'critical',
    'min(1, max(0, orchestrator.pending_jobs - 10)) + min(1, max(0, queue.pending - 30))'
    || ' + min(1, max(0, events.failed.24h - 20))', '>=', 3, 'builtin');

CREATE TABLE alert_events (
  id TEXT PRIMARY KEY NOT NULL,
  rule_id TEXT,				-- the rule may have been deleted since
  alert_type TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('info','warning','critical')),
  message TEXT NOT NULL,
  metadata TEXT NOT NULL DEFAULT '{}',	-- JSON
  state TEXT NOT NULL CHECK (state IN ('firing','resolved')),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  resolved_at INTEGER,
  acked_at INTEGER,
  acked_by TEXT,
  snoozed_until INTEGER,
  read INTEGER NOT NULL DEFAULT 0 CHECK (read IN (0, 1))
) STRICT;
CREATE INDEX ix_alerts_created ON alert_events(created_at);
CREATE INDEX ix_alerts_unread ON alert_events(created_at) WHERE read = 0;
CREATE INDEX ix_alerts_type ON alert_events(alert_type, severity, created_at);
CREATE UNIQUE INDEX ix_alerts_open ON alert_events(rule_id) WHERE state = 'firing';	-- one per rule

-- One row per notification and channel; tries are listed in it.
CREATE TABLE alert_deliveries (
  id TEXT PRIMARY KEY NOT NULL,
  event_id TEXT REFERENCES alert_events(id) ON DELETE CASCADE,	-- NULL: a test or a digest
  channel_id TEXT NOT NULL REFERENCES alert_channels(id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('firing','resolved','test','digest')),
  payload TEXT NOT NULL,		-- JSON, what is sent
  -- merged: into a digest; cancelled: it was over before anybody was told
  status TEXT NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting','sent','failed','merged','cancelled')),
  tries INTEGER NOT NULL DEFAULT 0,	-- begun ones
  next_try_at INTEGER,			-- NULL: none
  attempts TEXT NOT NULL DEFAULT '[]',	-- JSON array of {at, status, error, duration_ms}
  created_at INTEGER NOT NULL,
  started_at INTEGER,			-- of the first try
  finished_at INTEGER,
  merged_into TEXT			-- id of the digest
) STRICT;
CREATE INDEX ix_deliveries_due ON alert_deliveries(next_try_at) WHERE status = 'waiting';
CREATE INDEX ix_deliveries_channel ON alert_deliveries(channel_id, created_at);
CREATE INDEX ix_deliveries_started ON alert_deliveries(channel_id, started_at) WHERE started_at IS NOT NULL;
CREATE INDEX ix_deliveries_finished ON alert_deliveries(finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX ix_deliveries_event ON alert_deliveries(event_id) WHERE event_id IS NOT NULL;

CREATE TABLE dashboards (		-- boards that users draw
  id TEXT PRIMARY KEY NOT NULL,
  owner TEXT NOT NULL,			-- user name
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  visibility TEXT NOT NULL DEFAULT 'private' CHECK (visibility IN ('private','shared')),
  layout TEXT NOT NULL,			-- JSON array of widgets (no CHECK: a reader does not trust
					-- the schema with JSON functions)
  version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX ix_dashboards_owner ON dashboards(owner, created_at);
CREATE INDEX ix_dashboards_shared ON dashboards(created_at) WHERE visibility = 'shared';

CREATE TABLE analyses (			-- answers of the rule-based analysis, for its history
  id TEXT PRIMARY KEY NOT NULL,
  created_at INTEGER NOT NULL,
  score REAL NOT NULL,			-- publish_success_rate, 0 to 1
  status TEXT NOT NULL,			-- the worst of its healths
  has_critical INTEGER NOT NULL,
  result TEXT NOT NULL			-- JSON, the whole answer
) STRICT;
CREATE INDEX ix_analyses_created ON analyses(created_at);

CREATE TABLE dismissed_recommendations (
  id TEXT PRIMARY KEY NOT NULL,		-- stable hash of the recommendation
  dismissed_by TEXT NOT NULL,
  dismissed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------
-- 4. Podcasts: shows, episodes, and what OP3 counts of their downloads
--
-- A day is TEXT, YYYY-MM-DD in UTC.  NULL is unknown, 0 a known zero.
------------------------------------------------------------------------------

-- What a user's plan allows.
CREATE TABLE tiers (
  name TEXT PRIMARY KEY NOT NULL,
  display_name TEXT NOT NULL,
  sort_order INTEGER NOT NULL,
  analytics_level TEXT NOT NULL CHECK (analytics_level IN ('basic','advanced','full'))
) STRICT, WITHOUT ROWID;
INSERT INTO tiers VALUES ('free', 'Free', 0, 'basic'), ('creator', 'Creator', 1, 'advanced'),
  ('pro', 'Pro', 2, 'full'), ('unlimited', 'Unlimited', 3, 'full');

CREATE TABLE podcasts (
  id TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL REFERENCES users(id),	-- the owner
  name TEXT NOT NULL,
  slug TEXT UNIQUE,
  podcast_guid TEXT,			-- of the feed's podcast:guid
  feed_url TEXT,			-- NULL: no RSS
  op3_show_uuid TEXT CHECK (length(op3_show_uuid) = 32 AND op3_show_uuid NOT GLOB '*[^0-9a-f]*'),
  imported_downloads INTEGER CHECK (imported_downloads >= 0),	-- counted elsewhere before OP3 ...
  imported_until TEXT CHECK (imported_until IS date(imported_until)),	-- ... up to this day
  public_stats INTEGER NOT NULL DEFAULT 0 CHECK (public_stats IN (0, 1)),
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999),
  updated_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX ix_podcasts_user ON podcasts(user_id, created_at);

-- Episode number 0 is a placeholder of a feed, which is never shown.
CREATE TABLE episodes (
  id TEXT PRIMARY KEY NOT NULL,
  podcast_id TEXT NOT NULL REFERENCES podcasts(id) ON DELETE CASCADE,
  title TEXT NOT NULL DEFAULT 'Untitled Episode',
  guid TEXT,				-- of the item in the feed
  season_number INTEGER,
  episode_number INTEGER,
  status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending','processing','awaiting_audio_decision',
    'failed','processed','completed','published','error')),
  duration_ms INTEGER CHECK (duration_ms >= 0),
  audio_bytes INTEGER CHECK (audio_bytes >= 0),
  revision INTEGER NOT NULL DEFAULT 1,
  publish_at INTEGER CHECK (publish_at BETWEEN 0 AND 253402300799999),	-- in the past: it is out
  processed_at INTEGER,			-- when its audio was last assembled
  created_at INTEGER NOT NULL CHECK (created_at BETWEEN 0 AND 253402300799999),
  updated_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX ix_episodes_guid ON episodes(podcast_id, guid);
-- All that the dashboard counts is in the first of these, also the columns of its own condition.
CREATE INDEX ix_episodes_publish ON episodes(podcast_id, publish_at, id, status, episode_number)
  WHERE coalesce(episode_number, -1) <> 0;
CREATE INDEX ix_episodes_processed ON episodes(podcast_id, processed_at, id, status, episode_number)
  WHERE coalesce(episode_number, -1) <> 0 AND processed_at IS NOT NULL;

-- The last good answers of OP3 about a podcast, and how asking goes.  An answer is used as fresh up to
-- fresh_until, and as stale for seven days after counts_at.
CREATE TABLE op3_shows (
  podcast_id TEXT PRIMARY KEY NOT NULL REFERENCES podcasts(id) ON DELETE CASCADE,
  show_uuid TEXT,			-- whose figures these are; NULL: there are none
  show_until INTEGER NOT NULL DEFAULT 0,	-- podcasts.op3_show_uuid is believed so long
  as_of TEXT,				-- the last day that OP3 counted
  downloads_30d INTEGER CHECK (downloads_30d >= 0),
  weekly TEXT,				-- JSON: four totals of a week, oldest first
  weekly_avg REAL,
  num_weeks INTEGER,
  counts_at INTEGER NOT NULL DEFAULT 0,	-- when these were asked for; 0: never
  episodes_at INTEGER NOT NULL DEFAULT 0,	-- the same of op3_counts
  apps TEXT,				-- JSON: downloads by app in this and the two months before
  apps_at INTEGER NOT NULL DEFAULT 0,
  fresh_until INTEGER NOT NULL DEFAULT 0,	-- nobody asks before
  error_code TEXT,			-- why the last try failed; NULL: it did not
  error_at INTEGER,
  fail_count INTEGER NOT NULL DEFAULT 0,
  lease_owner TEXT,			-- who is asking now
  lease_until INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What OP3 counted of the newer episodes, since their release.
CREATE TABLE op3_counts (
  podcast_id TEXT NOT NULL REFERENCES podcasts(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,		-- in its answer, from 0, newest first
  item_guid TEXT,
  title TEXT,
  pubdate INTEGER,
  downloads_1d INTEGER,			-- in the first day, ... 30 days; NULL: that time is not over
  downloads_3d INTEGER,
  downloads_7d INTEGER,
  downloads_30d INTEGER,
  downloads_all INTEGER NOT NULL,
  episode_id TEXT,			-- of ours; NULL: none is like it
  PRIMARY KEY (podcast_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_op3_counts_top ON op3_counts(podcast_id, downloads_all DESC, pubdate DESC);
CREATE INDEX ix_op3_counts_episode ON op3_counts(episode_id);

-- Every episode that OP3 knows, by its own id.
CREATE TABLE op3_episodes (
  podcast_id TEXT NOT NULL REFERENCES podcasts(id) ON DELETE CASCADE,
  op3_id TEXT NOT NULL,
  item_guid TEXT,
  title TEXT,
  pubdate INTEGER,
  episode_id TEXT,			-- of ours; NULL: none is like it
  PRIMARY KEY (podcast_id, op3_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_op3_episodes_episode ON op3_episodes(episode_id);

-- Downloads per day.  dim says by what: the key is '' of total, an op3_id of episode, a country code
-- (XX: unknown) of country, a name of app and device (its name, else its kind, else unknown).  A day is deleted before
-- it is written anew.
CREATE TABLE op3_daily (
  podcast_id TEXT NOT NULL REFERENCES podcasts(id) ON DELETE CASCADE,
  day TEXT NOT NULL CHECK (day IS date(day)),
  dim TEXT NOT NULL CHECK (dim = 'total' OR dim = 'episode' OR dim = 'country' OR dim = 'app' OR dim = 'device'),
  key TEXT NOT NULL DEFAULT '',
  n INTEGER NOT NULL CHECK (n >= 0),
  PRIMARY KEY (podcast_id, dim, day, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX ix_op3_daily_key ON op3_daily(podcast_id, key, day, n) WHERE dim = 'episode';

-- How far the days of a podcast reach, and how reading them goes.
CREATE TABLE op3_sync (
  podcast_id TEXT PRIMARY KEY NOT NULL REFERENCES podcasts(id) ON DELETE CASCADE,
  first_day TEXT,			-- with downloads that OP3 knows of; NULL: none yet
  complete_through TEXT,		-- each day from first_day to this one is whole; NULL: none yet
  backfill_done INTEGER NOT NULL DEFAULT 0 CHECK (backfill_done IN (0, 1)),
  updated_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL DEFAULT 0,	-- job-op3-sync reads again then
  unit TEXT,				-- what it reads now: a month or a day; NULL: nothing
  pages INTEGER NOT NULL DEFAULT 0,	-- of the unit, so far
  rows_read INTEGER NOT NULL DEFAULT 0,
  error_code TEXT,			-- why the last run broke off; NULL: it did not
  error_at INTEGER,
  fail_count INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

------------------------------------------------------------------------------
-- 5. Jobs: programs run by a timer
------------------------------------------------------------------------------

-- Who may do what only one may do at a time.  Rows are never deleted, because the fence of
-- a deleted one would begin at 1 again.
CREATE TABLE job_locks (
  name TEXT PRIMARY KEY NOT NULL,	-- job:NAME, conn:WORKSPACE:PROVIDER
  owner TEXT NOT NULL,			-- host:pid:8hex, another one with each acquisition
  fence INTEGER NOT NULL CHECK (fence >= 1),	-- grows by one with each acquisition
  acquired_at INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL		-- of the lease; 0: given back
) STRICT, WITHOUT ROWID;

-- One row per run, kept for 30 days.  A run that did nothing takes the place of the one
-- before it that did nothing, so that a job of every second does not fill the table.
-- For the same reason a failure that repeats the run before it takes that run's place, and
-- its started_at: the row then spans the outage.
CREATE TABLE job_runs (
  id TEXT PRIMARY KEY NOT NULL,
  job TEXT NOT NULL,			-- NAME of jobs/NAME.c
  owner TEXT NOT NULL,			-- of the lock job:NAME during the run
  started_at INTEGER NOT NULL CHECK (started_at BETWEEN 0 AND 253402300799999),
  finished_at INTEGER,			-- NULL: running; of an aborted one: when it was noticed
  status TEXT NOT NULL CHECK (status IN ('running','success','failed','aborted')),
  items INTEGER NOT NULL DEFAULT 0 CHECK (items >= 0),	-- what the job counts
  detail TEXT,				-- the job's own words about the run
  error TEXT,				-- CODE: sentence
  CHECK ((status = 'running') = (finished_at IS NULL)),
  CHECK ((status = 'failed') = (error IS NOT NULL))
) STRICT;
CREATE INDEX ix_job_runs_job ON job_runs(job, started_at);
CREATE INDEX ix_job_runs_finished ON job_runs(finished_at);
CREATE INDEX ix_job_runs_running ON job_runs(job) WHERE status = 'running';
CREATE UNIQUE INDEX ix_job_runs_idle ON job_runs(job) WHERE status = 'success' AND items = 0;

------------------------------------------------------------------------------
-- 6. Derived columns: one definition each (those of publish_logs are in the table)
------------------------------------------------------------------------------

-- A job belongs to a platform if its params are valid JSON with a non-blank text
-- member "platform".  json_valid comes first: on malformed text the others raise.
CREATE VIEW job_derived AS
SELECT rowid AS job_rowid,
  CASE WHEN json_valid(params) THEN
    CASE WHEN json_type(params, '$.platform') = 'text'
      THEN nullif(lower(trim(json_extract(params, '$.platform'))), '') END
  END AS params_platform
FROM jobs;

------------------------------------------------------------------------------
-- 7. Counters
------------------------------------------------------------------------------

CREATE TABLE job_counts (
  status TEXT NOT NULL,
  platform_key TEXT NOT NULL,		-- '' for jobs that name no platform
  n INTEGER NOT NULL,
  PRIMARY KEY (status, platform_key)
) STRICT, WITHOUT ROWID;
CREATE VIEW job_platforms AS
SELECT rowid AS job_rowid,
  CASE WHEN params_platform IS NULL THEN ''
    WHEN params_platform IN ('instagram','tiktok','youtube','facebook') THEN params_platform
    ELSE 'other' END AS platform_key
FROM jobs;

-- Jobs by what they do.
CREATE TABLE job_type_counts (
  job_type TEXT NOT NULL,
  status TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (job_type, status)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaign_counts (
  status TEXT PRIMARY KEY NOT NULL,
  n INTEGER NOT NULL,
  budget_cents INTEGER NOT NULL,
  spent_cents INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_counts (
  step_ms INTEGER NOT NULL,		-- 0: over all time; 3600000: per hour of requested_at
  start_at INTEGER NOT NULL,		-- the first instant of the hour; 0 over all time
  status TEXT NOT NULL,
  platform_key TEXT NOT NULL,
  n INTEGER NOT NULL,
  proc_n INTEGER NOT NULL,		-- logs with a processing time
  proc_ms INTEGER NOT NULL,		-- and its sum
  skewed INTEGER NOT NULL,		-- success, but published before requested
  untimed INTEGER NOT NULL,		-- success, but no published_at
  requested_s INTEGER NOT NULL,		-- sum of requested_at: whole seconds
  requested_ms INTEGER NOT NULL,	-- ... and the milliseconds beyond them
  PRIMARY KEY (step_ms, start_at, status, platform_key)
) STRICT, WITHOUT ROWID;
CREATE VIEW log_steps (step_ms) AS VALUES (0), (3600000);

-- Processing logs per account; the number of accounts in it is `active_workers`.
CREATE TABLE worker_counts (
  social_account_id TEXT PRIMARY KEY NOT NULL,
  n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Logs per clip and platform of the answer.  A facebook log counts under facebook
-- and under other, because distinct clips cannot be added up.
CREATE TABLE clip_counts (
  clip_id TEXT NOT NULL,
  platform TEXT NOT NULL,		-- instagram, tiktok, youtube, other, facebook
  n INTEGER NOT NULL,
  ready INTEGER NOT NULL,		-- pending or scheduled
  success INTEGER NOT NULL,
  score_nano INTEGER,			-- the clip's score as counted in platform_counts
  PRIMARY KEY (clip_id, platform)
) STRICT, WITHOUT ROWID;

CREATE TABLE platform_counts (
  platform TEXT PRIMARY KEY NOT NULL,
  clips_ready INTEGER NOT NULL,		-- distinct clips with a ready log
  clips_published INTEGER NOT NULL,	-- distinct clips with a success log
  score_n INTEGER NOT NULL,		-- logs whose clip is scored
  score_nano INTEGER NOT NULL,		-- sum of the scores, one term per log
  clip_score_n INTEGER NOT NULL,	-- distinct scored clips
  clip_score_nano INTEGER NOT NULL	-- sum of the scores, one term per clip
) STRICT, WITHOUT ROWID;
INSERT INTO platform_counts VALUES ('instagram',0,0,0,0,0,0), ('tiktok',0,0,0,0,0,0),
  ('youtube',0,0,0,0,0,0), ('other',0,0,0,0,0,0), ('facebook',0,0,0,0,0,0);

-- What the campaigns of a clip wait for, and where it has logs.  A live campaign is active or paused.
CREATE TABLE clip_activity (
  clip_id TEXT PRIMARY KEY NOT NULL,
  success_logs INTEGER NOT NULL,
  open_logs INTEGER NOT NULL,		-- scheduled, pending, retry, processing
  live_campaigns INTEGER NOT NULL,
  instagram INTEGER NOT NULL DEFAULT 0,	-- logs by platform_key, in any status
  tiktok INTEGER NOT NULL DEFAULT 0,
  youtube INTEGER NOT NULL DEFAULT 0,
  other INTEGER NOT NULL DEFAULT 0,
  facebook INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Variants by platform as written, trimmed and lower-cased.
CREATE TABLE variant_counts (
  status TEXT NOT NULL,
  platform TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (status, platform)
) STRICT, WITHOUT ROWID;

-- Clips by score, in hundredths, and by whole seconds of their duration: what distributions are made of.
CREATE TABLE clip_bins (
  measure TEXT NOT NULL,		-- score, duration
  bucket INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (measure, bucket)
) STRICT, WITHOUT ROWID;

-- Ledger events by type, per hour of their timestamp.
CREATE TABLE ledger_counts (
  start_at INTEGER NOT NULL,		-- the first instant of the hour
  event_type TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (start_at, event_type)
) STRICT, WITHOUT ROWID;

-- All downloads of a podcast by each key of op3_daily, and those of each month: dim month, key YYYY-MM.
CREATE TABLE op3_totals (
  podcast_id TEXT NOT NULL,
  dim TEXT NOT NULL,
  key TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (podcast_id, dim, key)
) STRICT, WITHOUT ROWID;

-- Single figures.
CREATE TABLE totals (name TEXT PRIMARY KEY NOT NULL, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO totals VALUES ('videos', 0), ('clips', 0), ('clips_scored', 0),
  ('clips_score_nano', 0), ('active_workers', 0),
  ('campaigns_published', 0), ('campaigns_scheduled', 0);

-- Events per minute, ten minutes and hour; start_at is the bucket's first instant.  A window is
-- summed from its few widest buckets; only the minute at its edge is walked in an index.
-- Events of logs: created (created_at), requested (requested_at), retried (last_retry_at),
-- published (success by published_at), failed (failed by failed_at).  jobs_completed:
-- completed jobs by updated_at.  clips_created: clips by created_at.  orchestrator_events: events of the
-- ledger whose type begins with `orchestrator.`, by timestamp.
-- The key goes by time, so that what happens now lies on the last page of each step.
CREATE TABLE event_counts (
  step_ms INTEGER NOT NULL,		-- one of event_steps
  start_at INTEGER NOT NULL,
  platform_key TEXT NOT NULL,		-- '' where there is none
  created INTEGER NOT NULL,
  requested INTEGER NOT NULL,
  retried INTEGER NOT NULL,
  published INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  jobs_completed INTEGER NOT NULL,
  clips_created INTEGER NOT NULL,
  orchestrator_events INTEGER NOT NULL,
  PRIMARY KEY (step_ms, start_at, platform_key)
) STRICT, WITHOUT ROWID;
CREATE VIEW event_steps (step_ms) AS VALUES (60000), (600000), (3600000);

-- Processing times in a tree of counts: at each shift the times fall into buckets of
-- 2^shift ms, so the k-th smallest is found by three walks of at most 1024 rows (the
-- widest bucket, 17 minutes, has as many rows as there are such spans).
CREATE TABLE proc_counts (
  shift INTEGER NOT NULL,
  bucket INTEGER NOT NULL,		-- proc_ms >> shift
  n INTEGER NOT NULL,
  PRIMARY KEY (shift, bucket)
) STRICT, WITHOUT ROWID;
CREATE VIEW proc_shifts (shift) AS VALUES (0), (10), (20);

------------------------------------------------------------------------------
-- 8. The triggers that keep them
--
-- What a row adds is written once, as an INSTEAD OF trigger on a view named after the
-- change: inserting (sign = 1, columns) counts a row, (-1, columns) takes it back.
-- The table's own triggers only say which rows come and go.
------------------------------------------------------------------------------

CREATE VIEW event_change (jobs_completed, clips_created, platform_key, at) AS SELECT 0, 0, '', 0 WHERE 0;
CREATE TRIGGER event_change_count INSTEAD OF INSERT ON event_change BEGIN
  INSERT INTO event_counts
    SELECT step_ms, NEW.at - NEW.at % step_ms, NEW.platform_key, 0, 0, 0, 0, 0,
      NEW.jobs_completed, NEW.clips_created, 0 FROM event_steps WHERE 1
    ON CONFLICT DO UPDATE SET jobs_completed = jobs_completed + excluded.jobs_completed,
      clips_created = clips_created + excluded.clips_created;
END;

-- The ledger only grows.
CREATE TRIGGER ledger_insert AFTER INSERT ON ledger_events BEGIN
  INSERT INTO ledger_counts VALUES (NEW.timestamp - NEW.timestamp % 3600000, NEW.event_type, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER ledger_insert_orchestrator AFTER INSERT ON ledger_events
  WHEN substr(NEW.event_type, 1, 13) = 'orchestrator.'
BEGIN
  INSERT INTO event_counts
    SELECT step_ms, NEW.timestamp - NEW.timestamp % step_ms, '', 0, 0, 0, 0, 0, 0, 0, 1 FROM event_steps WHERE 1
    ON CONFLICT DO UPDATE SET orchestrator_events = orchestrator_events + 1;
END;

CREATE VIEW log_platform_change (sign, platform, clip_id, status) AS SELECT 0, '', '', '' WHERE 0;
CREATE TRIGGER log_platform_change_count INSTEAD OF INSERT ON log_platform_change BEGIN
  INSERT INTO clip_counts VALUES (NEW.clip_id, NEW.platform, NEW.sign,
      NEW.sign * (NEW.status IN ('pending','scheduled')), NEW.sign * (NEW.status = 'success'),
      (SELECT CAST(round(visual_score * 1e9) AS INTEGER) FROM clips WHERE id = NEW.clip_id))
    ON CONFLICT DO UPDATE SET n = n + excluded.n, ready = ready + excluded.ready,
      success = success + excluded.success,
      score_nano = CASE WHEN n + excluded.n > 0 THEN excluded.score_nano END;
END;

-- The events of one log; an instant is NULL for what did not happen.  Nearly always all of them
-- lie in one hour and most in one minute: then they are one row each.
CREATE VIEW log_event_change (sign, platform_key, requested_at, created_at, retried_at, published_at,
  failed_at) AS SELECT 0, '', 0, 0, 0, 0, 0 WHERE 0;
CREATE TRIGGER log_event_change_count INSTEAD OF INSERT ON log_event_change BEGIN
  INSERT INTO event_counts
    SELECT step_ms, NEW.requested_at - NEW.requested_at % step_ms, NEW.platform_key,
      NEW.sign * (NEW.created_at / step_ms = NEW.requested_at / step_ms), NEW.sign,
      NEW.sign * (NEW.retried_at / step_ms IS NEW.requested_at / step_ms),
      NEW.sign * (NEW.published_at / step_ms IS NEW.requested_at / step_ms),
      NEW.sign * (NEW.failed_at / step_ms IS NEW.requested_at / step_ms), 0, 0, 0
    FROM event_steps WHERE 1
    ON CONFLICT DO UPDATE SET created = created + excluded.created,
      requested = requested + excluded.requested, retried = retried + excluded.retried,
      published = published + excluded.published, failed = failed + excluded.failed;
END;
CREATE TRIGGER log_event_change_apart INSTEAD OF INSERT ON log_event_change
  WHEN NEW.created_at / 60000 <> NEW.requested_at / 60000
    OR NEW.retried_at / 60000 <> NEW.requested_at / 60000
    OR NEW.published_at / 60000 <> NEW.requested_at / 60000
    OR NEW.failed_at / 60000 <> NEW.requested_at / 60000
BEGIN
  INSERT INTO event_counts
    SELECT step_ms, at - at % step_ms, NEW.platform_key, created, 0, retried, published, failed, 0, 0, 0
    FROM (SELECT NEW.created_at AS at, NEW.sign AS created, 0 AS retried, 0 AS published, 0 AS failed
      UNION ALL SELECT NEW.retried_at, 0, NEW.sign, 0, 0
      UNION ALL SELECT NEW.published_at, 0, 0, NEW.sign, 0
      UNION ALL SELECT NEW.failed_at, 0, 0, 0, NEW.sign) CROSS JOIN event_steps
    WHERE at / step_ms <> NEW.requested_at / step_ms
    ON CONFLICT DO UPDATE SET created = created + excluded.created, retried = retried + excluded.retried,
      published = published + excluded.published, failed = failed + excluded.failed;
END;

-- All else that a log adds.  Each insert below is of one row of values: into a table or view that
-- has triggers, an INSERT ... SELECT goes through a temporary table, which costs more than the
-- counting.
CREATE VIEW log_change (sign, clip_id, status, platform_key, proc_ms, social_account_id,
  requested_at, published_at) AS SELECT 0, '', '', '', 0, '', 0, 0 WHERE 0;
CREATE TRIGGER log_change_count INSTEAD OF INSERT ON log_change BEGIN
  INSERT INTO log_counts
    SELECT step_ms, coalesce(NEW.requested_at - NEW.requested_at % step_ms, 0), NEW.status,
      NEW.platform_key, NEW.sign,
      NEW.sign * (NEW.proc_ms IS NOT NULL), NEW.sign * coalesce(NEW.proc_ms, 0),
      NEW.sign * (NEW.status = 'success' AND coalesce(NEW.published_at < NEW.requested_at, 0)),
      NEW.sign * (NEW.status = 'success' AND NEW.published_at IS NULL),
      NEW.sign * (NEW.requested_at / 1000), NEW.sign * (NEW.requested_at % 1000)
    FROM log_steps WHERE 1		-- t % 0 is NULL
    ON CONFLICT DO UPDATE SET n = n + excluded.n, proc_n = proc_n + excluded.proc_n,
      proc_ms = proc_ms + excluded.proc_ms, skewed = skewed + excluded.skewed,
      untimed = untimed + excluded.untimed, requested_s = requested_s + excluded.requested_s,
      requested_ms = requested_ms + excluded.requested_ms;
  INSERT INTO log_platform_change VALUES (NEW.sign,
    CASE NEW.platform_key WHEN 'facebook' THEN 'other' ELSE NEW.platform_key END,
    NEW.clip_id, NEW.status);
  INSERT INTO clip_activity VALUES (NEW.clip_id, NEW.sign * (NEW.status = 'success'),
      NEW.sign * (NEW.status NOT IN ('success','failed')), 0,
      NEW.sign * (NEW.platform_key = 'instagram'), NEW.sign * (NEW.platform_key = 'tiktok'),
      NEW.sign * (NEW.platform_key = 'youtube'), NEW.sign * (NEW.platform_key = 'other'),
      NEW.sign * (NEW.platform_key = 'facebook'))
    ON CONFLICT DO UPDATE SET success_logs = success_logs + excluded.success_logs,
      open_logs = open_logs + excluded.open_logs, instagram = instagram + excluded.instagram,
      tiktok = tiktok + excluded.tiktok, youtube = youtube + excluded.youtube,
      other = other + excluded.other, facebook = facebook + excluded.facebook;
  INSERT INTO proc_counts SELECT shift, NEW.proc_ms >> shift, NEW.sign
    FROM proc_shifts WHERE NEW.proc_ms IS NOT NULL
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER log_change_facebook INSTEAD OF INSERT ON log_change
  WHEN NEW.platform_key = 'facebook'
BEGIN
  INSERT INTO log_platform_change VALUES (NEW.sign, 'facebook', NEW.clip_id, NEW.status);
END;
CREATE TRIGGER log_change_worker INSTEAD OF INSERT ON log_change
  WHEN NEW.status = 'processing' AND NEW.social_account_id IS NOT NULL
BEGIN
  INSERT INTO worker_counts VALUES (NEW.social_account_id, NEW.sign)
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER logs_insert AFTER INSERT ON publish_logs BEGIN
  SELECT RAISE(ABORT, 'publish_logs: INSERT OR REPLACE is refused, use ON CONFLICT(id) DO UPDATE')
    FROM replace_guard WHERE tbl = 'publish_logs' AND id = NEW.id;
  INSERT INTO log_change VALUES (1, NEW.clip_id, NEW.status, NEW.derived_platform_key,
    NEW.derived_proc_ms, NEW.social_account_id, NEW.requested_at, NEW.published_at);
  INSERT INTO log_event_change VALUES (1, NEW.derived_platform_key, NEW.requested_at, NEW.created_at,
    NEW.last_retry_at, NEW.derived_published_at, NEW.derived_failed_at);
END;
CREATE TRIGGER logs_insert_derive AFTER INSERT ON publish_logs
  WHEN (NEW.platform_key, NEW.proc_ms) IS NOT (NEW.derived_platform_key, NEW.derived_proc_ms)
BEGIN
  UPDATE publish_logs SET platform_key = derived_platform_key, proc_ms = derived_proc_ms
    WHERE rowid = NEW.rowid;
END;

CREATE TRIGGER logs_update AFTER UPDATE OF clip_id, platform, social_account_id, status,
  requested_at, published_at ON publish_logs
  WHEN (OLD.clip_id, OLD.platform, OLD.social_account_id, OLD.status, OLD.requested_at, OLD.published_at)
    IS NOT (NEW.clip_id, NEW.platform, NEW.social_account_id, NEW.status, NEW.requested_at, NEW.published_at)
BEGIN
  INSERT INTO log_change VALUES (-1, OLD.clip_id, OLD.status, OLD.derived_platform_key,
    OLD.derived_proc_ms, OLD.social_account_id, OLD.requested_at, OLD.published_at);
  INSERT INTO log_change VALUES (1, NEW.clip_id, NEW.status, NEW.derived_platform_key,
    NEW.derived_proc_ms, NEW.social_account_id, NEW.requested_at, NEW.published_at);
END;
CREATE TRIGGER logs_update_events AFTER UPDATE OF platform, status, requested_at, created_at,
  last_retry_at, published_at, failed_at ON publish_logs
  WHEN (OLD.derived_platform_key, OLD.requested_at, OLD.created_at, OLD.last_retry_at,
      OLD.derived_published_at, OLD.derived_failed_at) IS NOT
    (NEW.derived_platform_key, NEW.requested_at, NEW.created_at, NEW.last_retry_at,
      NEW.derived_published_at, NEW.derived_failed_at)
BEGIN
  INSERT INTO log_event_change VALUES (-1, OLD.derived_platform_key, OLD.requested_at, OLD.created_at,
    OLD.last_retry_at, OLD.derived_published_at, OLD.derived_failed_at);
  INSERT INTO log_event_change VALUES (1, NEW.derived_platform_key, NEW.requested_at, NEW.created_at,
    NEW.last_retry_at, NEW.derived_published_at, NEW.derived_failed_at);
END;
-- What its sources make of a derived column is stored; anything else in it by hand is refused.
CREATE TRIGGER logs_update_derive AFTER UPDATE OF platform, status, requested_at, published_at,
  platform_key, proc_ms ON publish_logs
  WHEN (NEW.platform_key, NEW.proc_ms) IS NOT (NEW.derived_platform_key, NEW.derived_proc_ms)
BEGIN
  SELECT RAISE(ABORT, 'publish_logs: platform_key and proc_ms are derived')
    WHERE (OLD.platform, OLD.status, OLD.requested_at, OLD.published_at) IS
      (NEW.platform, NEW.status, NEW.requested_at, NEW.published_at);
  UPDATE publish_logs SET platform_key = derived_platform_key, proc_ms = derived_proc_ms
    WHERE rowid = NEW.rowid;
END;

CREATE TRIGGER logs_delete AFTER DELETE ON publish_logs BEGIN
  INSERT INTO log_change VALUES (-1, OLD.clip_id, OLD.status, OLD.derived_platform_key,
    OLD.derived_proc_ms, OLD.social_account_id, OLD.requested_at, OLD.published_at);
  INSERT INTO log_event_change VALUES (-1, OLD.derived_platform_key, OLD.requested_at, OLD.created_at,
    OLD.last_retry_at, OLD.derived_published_at, OLD.derived_failed_at);
END;

CREATE TRIGGER clip_counts_insert AFTER INSERT ON clip_counts BEGIN
  UPDATE platform_counts SET
    clips_ready = clips_ready + (NEW.ready > 0),
    clips_published = clips_published + (NEW.success > 0),
    score_n = score_n + NEW.n * (NEW.score_nano IS NOT NULL),
    score_nano = score_nano + NEW.n * coalesce(NEW.score_nano, 0),
    clip_score_n = clip_score_n + (NEW.n > 0 AND NEW.score_nano IS NOT NULL),
    clip_score_nano = clip_score_nano + (NEW.n > 0) * coalesce(NEW.score_nano, 0)
  WHERE platform = NEW.platform;
END;
CREATE TRIGGER clip_counts_update AFTER UPDATE ON clip_counts BEGIN
  UPDATE platform_counts SET
    clips_ready = clips_ready + (NEW.ready > 0) - (OLD.ready > 0),
    clips_published = clips_published + (NEW.success > 0) - (OLD.success > 0),
    score_n = score_n + NEW.n * (NEW.score_nano IS NOT NULL) - OLD.n * (OLD.score_nano IS NOT NULL),
    score_nano = score_nano + NEW.n * coalesce(NEW.score_nano, 0) - OLD.n * coalesce(OLD.score_nano, 0),
    clip_score_n = clip_score_n + (NEW.n > 0 AND NEW.score_nano IS NOT NULL)
      - (OLD.n > 0 AND OLD.score_nano IS NOT NULL),
    clip_score_nano = clip_score_nano + (NEW.n > 0) * coalesce(NEW.score_nano, 0)
      - (OLD.n > 0) * coalesce(OLD.score_nano, 0)
  WHERE platform = NEW.platform;
END;

CREATE TRIGGER worker_counts_insert AFTER INSERT ON worker_counts BEGIN
  UPDATE totals SET n = n + (NEW.n > 0) WHERE name = 'active_workers';
END;
CREATE TRIGGER worker_counts_update AFTER UPDATE ON worker_counts
  WHEN (NEW.n > 0) <> (OLD.n > 0)
BEGIN
  UPDATE totals SET n = n + (NEW.n > 0) - (OLD.n > 0) WHERE name = 'active_workers';
END;

CREATE TRIGGER clip_activity_insert AFTER INSERT ON clip_activity
  WHEN NEW.live_campaigns <> 0
BEGIN
  UPDATE totals SET n = n + NEW.live_campaigns WHERE name = 'campaigns_published' AND NEW.success_logs > 0;
  UPDATE totals SET n = n + NEW.live_campaigns
    WHERE name = 'campaigns_scheduled' AND NEW.success_logs = 0 AND NEW.open_logs > 0;
END;
CREATE TRIGGER clip_activity_update AFTER UPDATE ON clip_activity
  WHEN NEW.live_campaigns <> 0 OR OLD.live_campaigns <> 0
BEGIN
  UPDATE totals SET n = n + NEW.live_campaigns * (NEW.success_logs > 0)
      - OLD.live_campaigns * (OLD.success_logs > 0)
    WHERE name = 'campaigns_published';
  UPDATE totals SET n = n + NEW.live_campaigns * (NEW.success_logs = 0 AND NEW.open_logs > 0)
      - OLD.live_campaigns * (OLD.success_logs = 0 AND OLD.open_logs > 0)
    WHERE name = 'campaigns_scheduled';
END;

CREATE VIEW clip_change (sign, visual_score, duration_ms) AS SELECT 0, 0.0, 0 WHERE 0;
CREATE TRIGGER clip_change_count INSTEAD OF INSERT ON clip_change BEGIN
  UPDATE totals SET n = n + NEW.sign WHERE name = 'clips_scored' AND NEW.visual_score IS NOT NULL;
  UPDATE totals SET n = n + NEW.sign * CAST(round(NEW.visual_score * 1e9) AS INTEGER)
    WHERE name = 'clips_score_nano' AND NEW.visual_score IS NOT NULL;
  INSERT INTO clip_bins
    SELECT 'score', CAST(round(NEW.visual_score * 1e9) AS INTEGER) / 10000000, NEW.sign
      WHERE NEW.visual_score IS NOT NULL
    UNION ALL SELECT 'duration', NEW.duration_ms / 1000, NEW.sign WHERE NEW.duration_ms >= 0
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER clips_insert AFTER INSERT ON clips BEGIN
  SELECT RAISE(ABORT, 'clips: INSERT OR REPLACE is refused, use ON CONFLICT(id) DO UPDATE')
    FROM replace_guard WHERE tbl = 'clips' AND id = NEW.id;
  UPDATE totals SET n = n + 1 WHERE name = 'clips';
  INSERT INTO event_change VALUES (0, 1, '', NEW.created_at);
  INSERT INTO clip_change VALUES (1, NEW.visual_score, NEW.duration_ms);
  UPDATE clip_counts SET score_nano = CAST(round(NEW.visual_score * 1e9) AS INTEGER)
    WHERE clip_id = NEW.id AND n > 0;
END;
CREATE TRIGGER clips_update AFTER UPDATE OF id, visual_score, duration_ms ON clips
  WHEN (OLD.id, OLD.visual_score, OLD.duration_ms) IS NOT (NEW.id, NEW.visual_score, NEW.duration_ms)
BEGIN
  INSERT INTO clip_change VALUES (-1, OLD.visual_score, OLD.duration_ms),
    (1, NEW.visual_score, NEW.duration_ms);
  UPDATE clip_counts SET score_nano = NULL WHERE clip_id = OLD.id;
  UPDATE clip_counts SET score_nano = CAST(round(NEW.visual_score * 1e9) AS INTEGER)
    WHERE clip_id = NEW.id AND n > 0;
END;
CREATE TRIGGER clips_update_created AFTER UPDATE OF created_at ON clips
  WHEN OLD.created_at <> NEW.created_at
BEGIN
  INSERT INTO event_change VALUES (0, -1, '', OLD.created_at),
    (0, 1, '', NEW.created_at);
END;
CREATE TRIGGER clips_delete AFTER DELETE ON clips BEGIN
  UPDATE totals SET n = n - 1 WHERE name = 'clips';
  INSERT INTO event_change VALUES (0, -1, '', OLD.created_at);
  INSERT INTO clip_change VALUES (-1, OLD.visual_score, OLD.duration_ms);
  UPDATE clip_counts SET score_nano = NULL WHERE clip_id = OLD.id;
END;

CREATE VIEW variant_change (sign, status, platform) AS SELECT 0, '', '' WHERE 0;
CREATE TRIGGER variant_change_count INSTEAD OF INSERT ON variant_change BEGIN
  INSERT INTO variant_counts VALUES (NEW.status, lower(trim(NEW.platform)), NEW.sign)
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER variants_insert AFTER INSERT ON clip_variants BEGIN
  SELECT RAISE(ABORT, 'clip_variants: INSERT OR REPLACE is refused, use ON CONFLICT(id) DO UPDATE')
    FROM replace_guard WHERE tbl = 'clip_variants' AND id = NEW.id;
  INSERT INTO variant_change VALUES (1, NEW.status, NEW.platform);
END;
CREATE TRIGGER variants_update AFTER UPDATE OF status, platform ON clip_variants BEGIN
  INSERT INTO variant_change VALUES (-1, OLD.status, OLD.platform), (1, NEW.status, NEW.platform);
END;
CREATE TRIGGER variants_delete AFTER DELETE ON clip_variants BEGIN
  INSERT INTO variant_change VALUES (-1, OLD.status, OLD.platform);
END;

CREATE TRIGGER videos_insert AFTER INSERT ON video_assets BEGIN
  SELECT RAISE(ABORT, 'video_assets: INSERT OR REPLACE is refused, use ON CONFLICT(id) DO UPDATE')
    FROM replace_guard WHERE tbl = 'video_assets' AND id = NEW.id;
  UPDATE totals SET n = n + 1 WHERE name = 'videos';
END;
CREATE TRIGGER videos_delete AFTER DELETE ON video_assets BEGIN
  UPDATE totals SET n = n - 1 WHERE name = 'videos';
END;

CREATE VIEW job_key_change (sign, status, platform_key, updated_at) AS SELECT 0, '', '', 0 WHERE 0;
CREATE TRIGGER job_key_change_count INSTEAD OF INSERT ON job_key_change BEGIN
  INSERT INTO job_counts VALUES (NEW.status, NEW.platform_key, NEW.sign)
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
  INSERT INTO event_change SELECT NEW.sign, 0, NEW.platform_key, NEW.updated_at
    WHERE NEW.status = 'completed';
END;
CREATE VIEW job_change (sign, job_type, status, params_platform, updated_at) AS SELECT 0, '', '', '', 0 WHERE 0;
CREATE TRIGGER job_change_count INSTEAD OF INSERT ON job_change BEGIN
  INSERT INTO job_type_counts VALUES (NEW.job_type, NEW.status, NEW.sign)
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
  INSERT INTO job_key_change VALUES (NEW.sign, NEW.status,
    CASE WHEN NEW.params_platform IS NULL THEN ''
      WHEN NEW.params_platform IN ('instagram','tiktok','youtube','facebook') THEN NEW.params_platform
      ELSE 'other' END, NEW.updated_at);
END;
CREATE VIEW job_arrival (job_rowid) AS SELECT 0 WHERE 0;
CREATE TRIGGER job_arrival_count INSTEAD OF INSERT ON job_arrival BEGIN
  UPDATE jobs SET params_platform = (SELECT params_platform FROM job_derived WHERE job_rowid = NEW.job_rowid)
    WHERE rowid = NEW.job_rowid AND params_platform IS NOT
      (SELECT params_platform FROM job_derived WHERE job_rowid = NEW.job_rowid);
  INSERT INTO job_change SELECT 1, job_type, status, params_platform, updated_at
    FROM jobs WHERE rowid = NEW.job_rowid;
END;
CREATE TRIGGER jobs_insert AFTER INSERT ON jobs BEGIN
  SELECT RAISE(ABORT, 'jobs: INSERT OR REPLACE is refused, use ON CONFLICT(id) DO UPDATE')
    FROM replace_guard WHERE tbl = 'jobs' AND id = NEW.id;
  INSERT INTO job_arrival VALUES (NEW.rowid);
END;
CREATE TRIGGER jobs_update AFTER UPDATE OF job_type, status, params, updated_at ON jobs
  WHEN (OLD.job_type, OLD.status, OLD.params, OLD.updated_at) IS NOT
    (NEW.job_type, NEW.status, NEW.params, NEW.updated_at)
BEGIN
  INSERT INTO job_change VALUES (-1, OLD.job_type, OLD.status, OLD.params_platform, OLD.updated_at);
  INSERT INTO job_arrival VALUES (NEW.rowid);
END;
CREATE TRIGGER jobs_delete AFTER DELETE ON jobs BEGIN
  INSERT INTO job_change VALUES (-1, OLD.job_type, OLD.status, OLD.params_platform, OLD.updated_at);
END;
CREATE TRIGGER jobs_derived AFTER UPDATE OF params_platform ON jobs BEGIN
  SELECT RAISE(ABORT, 'jobs: params_platform is derived')
    FROM job_derived WHERE job_rowid = NEW.rowid AND OLD.params IS NEW.params
      AND params_platform IS NOT NEW.params_platform;
END;

CREATE VIEW campaign_change (sign, clip_id, status, budget_cents, spent_cents)
  AS SELECT 0, '', '', 0, 0 WHERE 0;
CREATE TRIGGER campaign_change_count INSTEAD OF INSERT ON campaign_change BEGIN
  INSERT INTO campaign_counts VALUES (NEW.status, NEW.sign, NEW.sign * NEW.budget_cents,
      NEW.sign * NEW.spent_cents)
    ON CONFLICT DO UPDATE SET n = n + excluded.n,
      budget_cents = budget_cents + excluded.budget_cents,
      spent_cents = spent_cents + excluded.spent_cents;
  INSERT INTO clip_activity (clip_id, success_logs, open_logs, live_campaigns)
    SELECT NEW.clip_id, 0, 0, NEW.sign WHERE NEW.status IN ('active','paused')
    ON CONFLICT DO UPDATE SET live_campaigns = live_campaigns + excluded.live_campaigns;
END;
CREATE TRIGGER campaigns_insert AFTER INSERT ON campaigns BEGIN
  SELECT RAISE(ABORT, 'campaigns: INSERT OR REPLACE is refused, use ON CONFLICT(id) DO UPDATE')
    FROM replace_guard WHERE tbl = 'campaigns' AND id = NEW.id;
  INSERT INTO campaign_change
    VALUES (1, NEW.clip_id, NEW.status, NEW.budget_cents, NEW.budget_spent_cents);
END;
CREATE TRIGGER campaigns_update AFTER UPDATE OF clip_id, status, budget_cents, budget_spent_cents
  ON campaigns BEGIN
  INSERT INTO campaign_change VALUES
    (-1, OLD.clip_id, OLD.status, OLD.budget_cents, OLD.budget_spent_cents),
    (1, NEW.clip_id, NEW.status, NEW.budget_cents, NEW.budget_spent_cents);
END;
CREATE TRIGGER campaigns_delete AFTER DELETE ON campaigns BEGIN
  INSERT INTO campaign_change
    VALUES (-1, OLD.clip_id, OLD.status, OLD.budget_cents, OLD.budget_spent_cents);
END;

-- Days are never replaced, so nothing is added that was not taken back before.
CREATE TRIGGER op3_daily_once BEFORE INSERT ON op3_daily
  WHEN EXISTS (SELECT 1 FROM op3_daily
    WHERE podcast_id = NEW.podcast_id AND dim = NEW.dim AND day = NEW.day AND key = NEW.key)
BEGIN
  SELECT RAISE(ABORT, 'op3_daily: delete the day before it is written anew');
END;
CREATE TRIGGER op3_daily_insert AFTER INSERT ON op3_daily BEGIN
  INSERT INTO op3_totals VALUES (NEW.podcast_id, NEW.dim, NEW.key, NEW.n)
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER op3_daily_insert_month AFTER INSERT ON op3_daily WHEN NEW.dim = 'total' BEGIN
  INSERT INTO op3_totals VALUES (NEW.podcast_id, 'month', substr(NEW.day, 1, 7), NEW.n)
    ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
CREATE TRIGGER op3_daily_update BEFORE UPDATE ON op3_daily BEGIN
  SELECT RAISE(ABORT, 'op3_daily: delete the day before it is written anew');
END;
CREATE TRIGGER op3_daily_delete AFTER DELETE ON op3_daily BEGIN
  UPDATE op3_totals SET n = n - OLD.n WHERE podcast_id = OLD.podcast_id AND dim = OLD.dim AND key = OLD.key;
  UPDATE op3_totals SET n = n - OLD.n
    WHERE OLD.dim = 'total' AND podcast_id = OLD.podcast_id AND dim = 'month' AND key = substr(OLD.day, 1, 7);
END;

-- Figures of one show are never shown as those of another.  A podcast that gets another feed or guid has to be
-- found at OP3 anew, and when its show is another one, nothing that was counted stays.
CREATE TRIGGER podcasts_identity AFTER UPDATE OF podcast_guid, feed_url ON podcasts
  WHEN coalesce(OLD.feed_url <> NEW.feed_url, 0) OR coalesce(OLD.podcast_guid <> NEW.podcast_guid, 0)
BEGIN
  UPDATE podcasts SET op3_show_uuid = NULL WHERE id = NEW.id AND OLD.op3_show_uuid IS NEW.op3_show_uuid;
  UPDATE op3_shows SET counts_at = 0, episodes_at = 0, fresh_until = 0 WHERE podcast_id = NEW.id;
END;
CREATE TRIGGER podcasts_show AFTER UPDATE OF op3_show_uuid ON podcasts
  WHEN EXISTS (SELECT 1 FROM op3_shows WHERE podcast_id = NEW.id AND show_uuid <> NEW.op3_show_uuid)
BEGIN
  DELETE FROM op3_daily WHERE podcast_id = NEW.id;
  DELETE FROM op3_sync WHERE podcast_id = NEW.id;
  DELETE FROM op3_episodes WHERE podcast_id = NEW.id;
  UPDATE op3_shows SET show_uuid = NULL, counts_at = 0, episodes_at = 0, apps = NULL, apps_at = 0, fresh_until = 0
    WHERE podcast_id = NEW.id;
END;

-- Rule 4.  Before a row comes the guard notes whether another row has its key already; if the
-- insert then goes through all the same, it replaced that row.  An update to a key that is taken
-- is refused at once.
CREATE TABLE replace_guard (tbl TEXT PRIMARY KEY NOT NULL, id TEXT) STRICT, WITHOUT ROWID;
INSERT INTO replace_guard (tbl) VALUES
  ('video_assets'), ('clips'), ('clip_variants'), ('jobs'), ('campaigns'), ('publish_logs');

CREATE TRIGGER videos_guard BEFORE INSERT ON video_assets
  WHEN EXISTS (SELECT 1 FROM video_assets WHERE id = NEW.id OR idempotency_key = NEW.idempotency_key OR rowid = NEW.rowid)
    OR EXISTS (SELECT 1 FROM replace_guard WHERE tbl = 'video_assets' AND id IS NOT NULL)
BEGIN
  UPDATE replace_guard SET id = (SELECT NEW.id FROM video_assets WHERE id = NEW.id OR idempotency_key = NEW.idempotency_key OR rowid = NEW.rowid)
    WHERE tbl = 'video_assets';
END;
CREATE TRIGGER videos_unique BEFORE UPDATE OF id, idempotency_key ON video_assets
  WHEN EXISTS (SELECT 1 FROM video_assets WHERE (id = NEW.id OR idempotency_key = NEW.idempotency_key) AND rowid <> OLD.rowid)
BEGIN
  SELECT RAISE(ABORT, 'video_assets: id or idempotency_key is taken');
END;

CREATE TRIGGER clips_guard BEFORE INSERT ON clips
  WHEN EXISTS (SELECT 1 FROM clips WHERE id = NEW.id OR rowid = NEW.rowid)
    OR EXISTS (SELECT 1 FROM replace_guard WHERE tbl = 'clips' AND id IS NOT NULL)
BEGIN
  UPDATE replace_guard SET id = (SELECT NEW.id FROM clips WHERE id = NEW.id OR rowid = NEW.rowid)
    WHERE tbl = 'clips';
END;
CREATE TRIGGER clips_unique BEFORE UPDATE OF id ON clips
  WHEN EXISTS (SELECT 1 FROM clips WHERE id = NEW.id AND rowid <> OLD.rowid)
BEGIN
  SELECT RAISE(ABORT, 'clips: id is taken');
END;

CREATE TRIGGER variants_guard BEFORE INSERT ON clip_variants
  WHEN EXISTS (SELECT 1 FROM clip_variants WHERE id = NEW.id OR rowid = NEW.rowid)
    OR EXISTS (SELECT 1 FROM replace_guard WHERE tbl = 'clip_variants' AND id IS NOT NULL)
BEGIN
  UPDATE replace_guard SET id = (SELECT NEW.id FROM clip_variants WHERE id = NEW.id OR rowid = NEW.rowid)
    WHERE tbl = 'clip_variants';
END;
CREATE TRIGGER variants_unique BEFORE UPDATE OF id ON clip_variants
  WHEN EXISTS (SELECT 1 FROM clip_variants WHERE id = NEW.id AND rowid <> OLD.rowid)
BEGIN
  SELECT RAISE(ABORT, 'clip_variants: id is taken');
END;

CREATE TRIGGER jobs_guard BEFORE INSERT ON jobs
  WHEN EXISTS (SELECT 1 FROM jobs WHERE id = NEW.id OR dedup_key = NEW.dedup_key OR rowid = NEW.rowid)
    OR EXISTS (SELECT 1 FROM replace_guard WHERE tbl = 'jobs' AND id IS NOT NULL)
BEGIN
  UPDATE replace_guard SET id = (SELECT NEW.id FROM jobs WHERE id = NEW.id OR dedup_key = NEW.dedup_key OR rowid = NEW.rowid)
    WHERE tbl = 'jobs';
END;
CREATE TRIGGER jobs_unique BEFORE UPDATE OF id, dedup_key ON jobs
  WHEN EXISTS (SELECT 1 FROM jobs WHERE (id = NEW.id OR dedup_key = NEW.dedup_key) AND rowid <> OLD.rowid)
BEGIN
  SELECT RAISE(ABORT, 'jobs: id or dedup_key is taken');
END;

CREATE TRIGGER campaigns_guard BEFORE INSERT ON campaigns
  WHEN EXISTS (SELECT 1 FROM campaigns WHERE id = NEW.id OR rowid = NEW.rowid)
    OR EXISTS (SELECT 1 FROM replace_guard WHERE tbl = 'campaigns' AND id IS NOT NULL)
BEGIN
  UPDATE replace_guard SET id = (SELECT NEW.id FROM campaigns WHERE id = NEW.id OR rowid = NEW.rowid)
    WHERE tbl = 'campaigns';
END;
CREATE TRIGGER campaigns_unique BEFORE UPDATE OF id ON campaigns
  WHEN EXISTS (SELECT 1 FROM campaigns WHERE id = NEW.id AND rowid <> OLD.rowid)
BEGIN
  SELECT RAISE(ABORT, 'campaigns: id is taken');
END;

CREATE TRIGGER logs_guard BEFORE INSERT ON publish_logs
  WHEN EXISTS (SELECT 1 FROM publish_logs WHERE id = NEW.id)
    OR EXISTS (SELECT 1 FROM publish_logs WHERE rowid = NEW.rowid)
    OR EXISTS (SELECT 1 FROM replace_guard WHERE tbl = 'publish_logs' AND id IS NOT NULL)
BEGIN
  UPDATE replace_guard SET id = (SELECT NEW.id FROM publish_logs WHERE id = NEW.id OR rowid = NEW.rowid)
    WHERE tbl = 'publish_logs';
END;
CREATE TRIGGER logs_unique BEFORE UPDATE OF id ON publish_logs
  WHEN EXISTS (SELECT 1 FROM publish_logs WHERE id = NEW.id AND rowid <> OLD.rowid)
BEGIN
  SELECT RAISE(ABORT, 'publish_logs: id is taken');
END;
