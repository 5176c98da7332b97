-- The published data model, before Pilothouse gave its database a version (user_version 0).
CREATE TABLE video_assets(id TEXT PRIMARY KEY, title TEXT, description TEXT, release_date INTEGER, file_path TEXT,
  file_size INTEGER, duration_ms INTEGER, idempotency_key TEXT UNIQUE,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
CREATE TABLE clips(id TEXT PRIMARY KEY, video_asset_id TEXT NOT NULL REFERENCES video_assets(id) ON DELETE CASCADE,
  start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, duration_ms INTEGER NOT NULL, visual_score REAL, -- 0.0..1.0
  status TEXT NOT NULL DEFAULT 'pending' CHECK(status IN('pending','processing','ready','published','failed')),
  params TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
CREATE TABLE jobs(id TEXT PRIMARY KEY, job_type TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK(status IN('pending','processing','retry','completed','failed')),
  params TEXT, dedup_key TEXT UNIQUE, video_asset_id TEXT REFERENCES video_assets(id) ON DELETE SET NULL,
  clip_id TEXT REFERENCES clips(id) ON DELETE SET NULL, result TEXT, error_message TEXT,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, params_platform TEXT) STRICT;  -- derived, see triggers
CREATE TABLE campaigns(id TEXT PRIMARY KEY, name TEXT NOT NULL, clip_id TEXT NOT NULL REFERENCES clips(id),
  budget_cents INTEGER NOT NULL, budget_spent_cents INTEGER NOT NULL DEFAULT 0, targeting TEXT,
  status TEXT NOT NULL DEFAULT 'draft' CHECK(status IN('draft','active','paused','completed')),
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
CREATE TABLE social_accounts(id TEXT PRIMARY KEY, platform TEXT NOT NULL, handle TEXT NOT NULL, external_id TEXT,
  is_main_account INTEGER NOT NULL DEFAULT 0, is_active INTEGER NOT NULL DEFAULT 1, extra_metadata TEXT,
  oauth_expires_at INTEGER, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
CREATE TABLE publish_logs(id TEXT PRIMARY KEY, clip_id TEXT NOT NULL REFERENCES clips(id) ON DELETE CASCADE,
  platform TEXT NOT NULL, social_account_id TEXT REFERENCES social_accounts(id) ON DELETE SET NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK(status IN('scheduled','pending','processing','retry','success','failed')),
  external_post_id TEXT, external_url TEXT, error_message TEXT,
  requested_at INTEGER NOT NULL, published_at INTEGER, failed_at INTEGER, requeued_at INTEGER,
  retry_count INTEGER NOT NULL DEFAULT 0, max_retries INTEGER NOT NULL DEFAULT 3, last_retry_at INTEGER,
  schedule_type TEXT NOT NULL DEFAULT 'immediate' CHECK(schedule_type IN('immediate','scheduled')),
  scheduled_for INTEGER, scheduled_window_end INTEGER, scheduled_by TEXT, -- manual|rule_engine|campaign_orchestrator
  extra_metadata TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  platform_norm TEXT NOT NULL DEFAULT 'other', proc_ms INTEGER) STRICT;    -- both derived, see triggers
CREATE TABLE pub_counts(platform_norm TEXT NOT NULL, status TEXT NOT NULL, n INTEGER NOT NULL, proc_n INTEGER NOT NULL,
  proc_sum INTEGER NOT NULL, PRIMARY KEY(platform_norm,status)) STRICT, WITHOUT ROWID;
CREATE TABLE pub_clip_counts(platform_norm TEXT NOT NULL, clip_id TEXT NOT NULL, n_all INTEGER NOT NULL, n_ready INTEGER NOT NULL,
  n_success INTEGER NOT NULL, PRIMARY KEY(platform_norm,clip_id)) STRICT, WITHOUT ROWID;
-- Derive, then count. DERIVE and ADD below are textually repeated in both triggers; SUB in update and delete.
CREATE TRIGGER tr_pl_i AFTER INSERT ON publish_logs BEGIN
  UPDATE publish_logs SET platform_norm=CASE WHEN lower(trim(platform)) IN('instagram','tiktok','youtube') THEN lower(trim(platform)) ELSE 'other' END,
    proc_ms=CASE WHEN status='success' AND published_at>=requested_at THEN published_at-requested_at END WHERE rowid=NEW.rowid;
  INSERT INTO pub_counts SELECT platform_norm,status,1,proc_ms IS NOT NULL,coalesce(proc_ms,0) FROM publish_logs WHERE rowid=NEW.rowid
    ON CONFLICT DO UPDATE SET n=n+1,proc_n=proc_n+excluded.proc_n,proc_sum=proc_sum+excluded.proc_sum;
  INSERT INTO pub_clip_counts SELECT platform_norm,clip_id,1,status IN('pending','scheduled'),status='success' FROM publish_logs WHERE rowid=NEW.rowid
    ON CONFLICT DO UPDATE SET n_all=n_all+1,n_ready=n_ready+excluded.n_ready,n_success=n_success+excluded.n_success; END;
CREATE TRIGGER tr_pl_u AFTER UPDATE OF platform,status,requested_at,published_at,clip_id ON publish_logs BEGIN
  UPDATE pub_counts SET n=n-1,proc_n=proc_n-(OLD.proc_ms IS NOT NULL),proc_sum=proc_sum-coalesce(OLD.proc_ms,0) WHERE platform_norm=OLD.platform_norm AND status=OLD.status;
  UPDATE pub_clip_counts SET n_all=n_all-1,n_ready=n_ready-(OLD.status IN('pending','scheduled')),n_success=n_success-(OLD.status='success') WHERE platform_norm=OLD.platform_norm AND clip_id=OLD.clip_id;
  UPDATE publish_logs SET platform_norm=CASE WHEN lower(trim(platform)) IN('instagram','tiktok','youtube') THEN lower(trim(platform)) ELSE 'other' END,
    proc_ms=CASE WHEN status='success' AND published_at>=requested_at THEN published_at-requested_at END WHERE rowid=NEW.rowid;
  INSERT INTO pub_counts SELECT platform_norm,status,1,proc_ms IS NOT NULL,coalesce(proc_ms,0) FROM publish_logs WHERE rowid=NEW.rowid
    ON CONFLICT DO UPDATE SET n=n+1,proc_n=proc_n+excluded.proc_n,proc_sum=proc_sum+excluded.proc_sum;
  INSERT INTO pub_clip_counts SELECT platform_norm,clip_id,1,status IN('pending','scheduled'),status='success' FROM publish_logs WHERE rowid=NEW.rowid
    ON CONFLICT DO UPDATE SET n_all=n_all+1,n_ready=n_ready+excluded.n_ready,n_success=n_success+excluded.n_success; END;
CREATE TRIGGER tr_pl_d AFTER DELETE ON publish_logs BEGIN
  UPDATE pub_counts SET n=n-1,proc_n=proc_n-(OLD.proc_ms IS NOT NULL),proc_sum=proc_sum-coalesce(OLD.proc_ms,0) WHERE platform_norm=OLD.platform_norm AND status=OLD.status;
  UPDATE pub_clip_counts SET n_all=n_all-1,n_ready=n_ready-(OLD.status IN('pending','scheduled')),n_success=n_success-(OLD.status='success') WHERE platform_norm=OLD.platform_norm AND clip_id=OLD.clip_id; END;
CREATE TRIGGER tr_job_i AFTER INSERT ON jobs BEGIN UPDATE jobs SET params_platform=CASE WHEN json_valid(params) THEN
  CASE WHEN json_type(params,'$.platform')='text' THEN nullif(lower(trim(json_extract(params,'$.platform'))),'') END END WHERE rowid=NEW.rowid; END;
CREATE TRIGGER tr_job_u AFTER UPDATE OF params ON jobs BEGIN UPDATE jobs SET params_platform=CASE WHEN json_valid(params) THEN
  CASE WHEN json_type(params,'$.platform')='text' THEN nullif(lower(trim(json_extract(params,'$.platform'))),'') END END WHERE rowid=NEW.rowid; END;
CREATE INDEX ix_pl_status_req  ON publish_logs(status, requested_at);           -- counts, oldest pending, worker fetch
CREATE INDEX ix_pl_plat_status ON publish_logs(platform_norm, status, clip_id); -- platform counts, distinct clips
CREATE INDEX ix_pl_created     ON publish_logs(created_at);                     -- last run, 1 h / 24 h windows
CREATE INDEX ix_pl_req_plat    ON publish_logs(requested_at, platform_norm, status); -- filters, history
CREATE INDEX ix_pl_clip        ON publish_logs(clip_id, platform_norm, status);
CREATE INDEX ix_pl_proc        ON publish_logs(proc_ms) WHERE proc_ms IS NOT NULL;   -- average, percentiles
CREATE INDEX ix_pl_workers     ON publish_logs(social_account_id) WHERE status='processing';
CREATE INDEX ix_pl_due         ON publish_logs(scheduled_for) WHERE status='scheduled';
CREATE INDEX ix_jobs_status    ON jobs(status, created_at);
CREATE INDEX ix_jobs_platform  ON jobs(params_platform, status);
CREATE INDEX ix_clips_video    ON clips(video_asset_id);
CREATE INDEX ix_clips_status   ON clips(status, visual_score);
CREATE INDEX ix_campaigns_status ON campaigns(status, budget_spent_cents);
CREATE INDEX ix_campaigns_clip ON campaigns(clip_id);
