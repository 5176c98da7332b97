-- expected.sql -- what each counter table X of schema.sql must hold: X_expected.
--
-- From the base rows, or from a counter table that stands above it here.  `pilothouse verify`
-- compares them in this order, `--repair` replaces one by the other, and so do bulk loads, which
-- run with triggers off.  The views are temporary, so that no reader carries them.

CREATE TEMP VIEW IF NOT EXISTS platform_members (platform, platform_key) AS
VALUES ('instagram','instagram'), ('tiktok','tiktok'), ('youtube','youtube'),
  ('other','other'), ('other','facebook'), ('facebook','facebook');

CREATE TEMP VIEW IF NOT EXISTS job_counts_expected AS
SELECT status, platform_key, count(*) AS n
FROM jobs JOIN job_platforms ON job_rowid = jobs.rowid GROUP BY 1, 2;

CREATE TEMP VIEW IF NOT EXISTS job_type_counts_expected AS
SELECT job_type, status, count(*) AS n FROM jobs GROUP BY 1, 2;

CREATE TEMP VIEW IF NOT EXISTS campaign_counts_expected AS
SELECT status, count(*) AS n, sum(budget_cents) AS budget_cents,
  sum(budget_spent_cents) AS spent_cents
FROM campaigns GROUP BY status;

CREATE TEMP VIEW IF NOT EXISTS log_counts_expected AS
WITH hours AS MATERIALIZED (
  SELECT requested_at - requested_at % 3600000 AS start_at, status, platform_key, count(*) AS n,
    count(proc_ms) AS proc_n, coalesce(sum(proc_ms), 0) AS proc_ms,
    count(*) FILTER (WHERE status = 'success' AND published_at < requested_at) AS skewed,
    count(*) FILTER (WHERE status = 'success' AND published_at IS NULL) AS untimed,
    sum(requested_at / 1000) AS requested_s, sum(requested_at % 1000) AS requested_ms
  FROM publish_logs GROUP BY 1, 2, 3)
SELECT 3600000 AS step_ms, * FROM hours
UNION ALL
SELECT 0, 0, status, platform_key, sum(n), sum(proc_n), sum(proc_ms), sum(skewed), sum(untimed),
  sum(requested_s), sum(requested_ms)
FROM hours GROUP BY status, platform_key;

CREATE TEMP VIEW IF NOT EXISTS worker_counts_expected AS
SELECT social_account_id, count(*) AS n FROM publish_logs
WHERE status = 'processing' AND social_account_id IS NOT NULL GROUP BY 1;

CREATE TEMP VIEW IF NOT EXISTS clip_counts_expected AS
SELECT clip_id, p.platform, count(*) AS n,
  count(*) FILTER (WHERE l.status IN ('pending','scheduled')) AS ready,
  count(*) FILTER (WHERE l.status = 'success') AS success,
  CAST(round(c.visual_score * 1e9) AS INTEGER) AS score_nano
FROM publish_logs l
JOIN platform_members p ON p.platform_key = l.platform_key
LEFT JOIN clips c ON c.id = l.clip_id
GROUP BY clip_id, p.platform;

CREATE TEMP VIEW IF NOT EXISTS platform_counts_expected AS
SELECT platform, count(*) FILTER (WHERE ready > 0) AS clips_ready,
  count(*) FILTER (WHERE success > 0) AS clips_published,
  coalesce(sum(n) FILTER (WHERE score_nano IS NOT NULL), 0) AS score_n,
  coalesce(sum(n * score_nano), 0) AS score_nano,
  count(score_nano) AS clip_score_n, coalesce(sum(score_nano), 0) AS clip_score_nano
FROM (SELECT DISTINCT platform FROM platform_members)
LEFT JOIN (SELECT * FROM clip_counts WHERE n > 0) USING (platform) GROUP BY platform;

CREATE TEMP VIEW IF NOT EXISTS clip_activity_expected AS
SELECT clip_id, sum(success_logs) AS success_logs, sum(open_logs) AS open_logs,
  sum(live_campaigns) AS live_campaigns,
  count(*) FILTER (WHERE platform_key = 'instagram') AS instagram,
  count(*) FILTER (WHERE platform_key = 'tiktok') AS tiktok,
  count(*) FILTER (WHERE platform_key = 'youtube') AS youtube,
  count(*) FILTER (WHERE platform_key = 'other') AS other,
  count(*) FILTER (WHERE platform_key = 'facebook') AS facebook
FROM (SELECT clip_id, status = 'success' AS success_logs,
    status NOT IN ('success','failed') AS open_logs, 0 AS live_campaigns, platform_key FROM publish_logs
  UNION ALL
  SELECT clip_id, 0, 0, status IN ('active','paused'), NULL FROM campaigns)
GROUP BY clip_id;

CREATE TEMP VIEW IF NOT EXISTS variant_counts_expected AS
SELECT status, lower(trim(platform)) AS platform, count(*) AS n FROM clip_variants GROUP BY 1, 2;

CREATE TEMP VIEW IF NOT EXISTS clip_bins_expected AS
SELECT 'score' AS measure, CAST(round(visual_score * 1e9) AS INTEGER) / 10000000 AS bucket, count(*) AS n
FROM clips WHERE visual_score IS NOT NULL GROUP BY 2
UNION ALL
SELECT 'duration', duration_ms / 1000, count(*) FROM clips WHERE duration_ms >= 0 GROUP BY 2;

CREATE TEMP VIEW IF NOT EXISTS totals_expected AS
SELECT 'videos' AS name, count(*) AS n FROM video_assets
UNION ALL SELECT 'clips', count(*) FROM clips
UNION ALL SELECT 'clips_scored', count(visual_score) FROM clips
UNION ALL SELECT 'clips_score_nano',
  coalesce(sum(CAST(round(visual_score * 1e9) AS INTEGER)), 0) FROM clips
UNION ALL SELECT 'active_workers', count(*) FROM worker_counts WHERE n > 0
UNION ALL SELECT 'campaigns_published', coalesce(sum(live_campaigns), 0)
  FROM clip_activity WHERE success_logs > 0
UNION ALL SELECT 'campaigns_scheduled', coalesce(sum(live_campaigns), 0)
  FROM clip_activity WHERE success_logs = 0 AND open_logs > 0;

CREATE TEMP VIEW IF NOT EXISTS event_counts_expected AS
WITH minutes AS MATERIALIZED (
  SELECT at - at % 60000 AS start_at, platform_key, sum(event = 'created') AS created,
    sum(event = 'requested') AS requested, sum(event = 'retried') AS retried,
    sum(event = 'published') AS published, sum(event = 'failed') AS failed,
    sum(event = 'jobs_completed') AS jobs_completed, sum(event = 'clips_created') AS clips_created,
    sum(event = 'orchestrator_events') AS orchestrator_events
  FROM (SELECT 'created' AS event, created_at AS at, platform_key FROM publish_logs
    UNION ALL SELECT 'requested', requested_at, platform_key FROM publish_logs
    UNION ALL SELECT 'retried', last_retry_at, platform_key FROM publish_logs
      WHERE last_retry_at IS NOT NULL
    UNION ALL SELECT 'published', published_at, platform_key FROM publish_logs
      WHERE status = 'success' AND published_at IS NOT NULL
    UNION ALL SELECT 'failed', failed_at, platform_key FROM publish_logs
      WHERE status = 'failed' AND failed_at IS NOT NULL
    UNION ALL SELECT 'jobs_completed', updated_at, platform_key FROM jobs
      JOIN job_platforms ON job_rowid = jobs.rowid WHERE status = 'completed'
    UNION ALL SELECT 'clips_created', created_at, '' FROM clips
    UNION ALL SELECT 'orchestrator_events', timestamp, '' FROM ledger_events
      WHERE substr(event_type, 1, 13) = 'orchestrator.')
  GROUP BY 1, 2)
SELECT step_ms, start_at - start_at % step_ms AS start_at, platform_key, sum(created) AS created,
  sum(requested) AS requested, sum(retried) AS retried, sum(published) AS published,
  sum(failed) AS failed, sum(jobs_completed) AS jobs_completed, sum(clips_created) AS clips_created,
  sum(orchestrator_events) AS orchestrator_events
FROM event_steps CROSS JOIN minutes GROUP BY 1, 2, 3;

CREATE TEMP VIEW IF NOT EXISTS ledger_counts_expected AS
SELECT timestamp - timestamp % 3600000 AS start_at, event_type, count(*) AS n
FROM ledger_events GROUP BY 1, 2;

CREATE TEMP VIEW IF NOT EXISTS proc_counts_expected AS
WITH times AS MATERIALIZED (SELECT proc_ms, count(*) AS n FROM publish_logs
  WHERE proc_ms IS NOT NULL GROUP BY proc_ms)
SELECT shift, proc_ms >> shift AS bucket, sum(n) AS n
FROM times CROSS JOIN proc_shifts GROUP BY 1, 2;

CREATE TEMP VIEW IF NOT EXISTS op3_totals_expected AS
SELECT podcast_id, dim, key, sum(n) AS n FROM op3_daily GROUP BY 1, 2, 3
UNION ALL SELECT podcast_id, 'month', substr(day, 1, 7), sum(n) FROM op3_daily WHERE dim = 'total' GROUP BY 1, 3;
