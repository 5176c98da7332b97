-- 0001-adopt.sql -- rows of a file without a version, as version 1 spells them.
--
-- A publishing database that was made from the published data model, with its own counters and
-- triggers.  Its statuses may be upper-case names; `publishing` and `published` of a log are
-- `processing` and `success`, as older writers spelled them.

UPDATE old_clips SET status = lower(status);
UPDATE old_jobs SET status = lower(status);
UPDATE old_campaigns SET status = lower(status);
UPDATE old_publish_logs SET status =
  CASE lower(status) WHEN 'publishing' THEN 'processing' WHEN 'published' THEN 'success'
    ELSE lower(status) END;
