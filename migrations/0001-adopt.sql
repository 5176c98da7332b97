-- 0001-adopt.sql -- from a file without a version to version 1.
--
-- A publishing database that was made from the published data model (the tables of part 1 of
-- schema.sql with its own counters and triggers, user_version 0) keeps every row.
-- Tables are renamed out of the way, the schema is made, rows are copied, the old
-- tables go.  Status words are lower-cased; `publishing` and `published` of a log become
-- `processing` and `success`, as older writers spelled them.

DROP TRIGGER IF EXISTS tr_pl_i;
DROP TRIGGER IF EXISTS tr_pl_u;
DROP TRIGGER IF EXISTS tr_pl_d;
DROP TRIGGER IF EXISTS tr_job_i;
DROP TRIGGER IF EXISTS tr_job_u;
DROP TABLE IF EXISTS pub_counts;
DROP TABLE IF EXISTS pub_clip_counts;
ALTER TABLE video_assets RENAME TO old_video_assets;
ALTER TABLE clips RENAME TO old_clips;
ALTER TABLE jobs RENAME TO old_jobs;
ALTER TABLE campaigns RENAME TO old_campaigns;
ALTER TABLE social_accounts RENAME TO old_social_accounts;
ALTER TABLE publish_logs RENAME TO old_publish_logs;
DROP INDEX IF EXISTS ix_clips_video;
DROP INDEX IF EXISTS ix_campaigns_clip;

-- @schema

INSERT INTO video_assets
  SELECT id, title, description, release_date, file_path, file_size, duration_ms,
    idempotency_key, created_at, updated_at FROM old_video_assets;
INSERT INTO clips
  SELECT id, video_asset_id, start_ms, end_ms, duration_ms, visual_score, lower(status), params,
    created_at, updated_at FROM old_clips;
INSERT INTO jobs (id, job_type, status, params, dedup_key, video_asset_id, clip_id, result,
    error_message, created_at, updated_at)
  SELECT id, job_type, lower(status), params, dedup_key, video_asset_id, clip_id, result,
    error_message, created_at, updated_at FROM old_jobs;
INSERT INTO campaigns
  SELECT id, name, clip_id, budget_cents, budget_spent_cents, targeting, lower(status),
    created_at, updated_at FROM old_campaigns;
INSERT INTO social_accounts
  SELECT id, platform, handle, external_id, is_main_account, is_active, extra_metadata,
    oauth_expires_at, created_at, updated_at FROM old_social_accounts;
INSERT INTO publish_logs (id, clip_id, platform, social_account_id, status, external_post_id,
    external_url, error_message, requested_at, published_at, failed_at, requeued_at,
    retry_count, max_retries, last_retry_at, schedule_type, scheduled_for,
    scheduled_window_end, scheduled_by, extra_metadata, created_at, updated_at)
  SELECT id, clip_id, platform, social_account_id,
    CASE lower(status) WHEN 'publishing' THEN 'processing' WHEN 'published' THEN 'success'
      ELSE lower(status) END,
    external_post_id, external_url, error_message, requested_at, published_at, failed_at,
    requeued_at, retry_count, max_retries, last_retry_at, schedule_type, scheduled_for,
    scheduled_window_end, scheduled_by, extra_metadata, created_at, updated_at
  FROM old_publish_logs;
DROP TABLE old_publish_logs;
DROP TABLE old_campaigns;
DROP TABLE old_jobs;
DROP TABLE old_clips;
DROP TABLE old_social_accounts;
DROP TABLE old_video_assets;
