-- Dataset B of the specification: the traps.
INSERT INTO video_assets(id,created_at,updated_at) VALUES('v1',1,1);
INSERT INTO clips(id,video_asset_id,start_ms,end_ms,duration_ms,visual_score,status,created_at,updated_at) VALUES
('c1','v1',0,1,1,0.5,'ready',1,1),('c2','v1',1,2,1,NULL,'ready',1,1),('c3','v1',2,3,1,1.0,'ready',1,1);
INSERT INTO jobs(id,job_type,status,params,created_at,updated_at) VALUES
('j1','cut','completed','{"platform":"TikTok"}',1,1),('j2','cut','failed','{"platform":" youtube "}',1,1),
('j3','cut','completed','{bad',1,1),('j4','cut','failed',NULL,1,1),('j5','cut','completed','{"platform":7}',1,1),
('j6','cut','completed','{"platform":"facebook"}',1,1),('j7','cut','retry','{"platform":"instagram"}',1,1),
('j8','cut','failed','{"platform":"instagram"}',1,1);
INSERT INTO campaigns(id,name,clip_id,budget_cents,budget_spent_cents,status,created_at,updated_at) VALUES
('k1','K1','c1',50000,12345,'paused',1,1),('k2','K2','c2',50000,1,'paused',1,1),('k3','K3','c3',50000,9999,'active',1,1);
INSERT INTO social_accounts(id,platform,handle,created_at,updated_at) VALUES('a1','instagram','@ig',1,1),('a2','tiktok','@tt',1,1);
INSERT INTO publish_logs(id,clip_id,platform,social_account_id,status,requested_at,published_at,scheduled_for,created_at,updated_at) VALUES
('q1', 'c1','Instagram','a1','scheduled', 1763807395000,NULL,         1763811000000,1763807395000,1),
('q2', 'c1','instagram','a1','pending',   1763807398500,NULL,         NULL,1763807398500,1),
('q3', 'c1','instagram','a1','success',   1763807390000,1763807388000,NULL,1763807390000,1),
('q4', 'c2','instagram','a1','success',   1763807390000,1763807391000,NULL,1763807390000,1),
('q5', 'c3','TIKTOK',   'a2','success',   1763807396000,1763807396000,NULL,1763807396000,1),
('q6', 'c3','facebook', NULL,'processing',1763807391000,NULL,         NULL,1763807391000,1),
('q7', 'c2','youtube',  NULL,'retry',     1763720999999,NULL,         NULL,1763720999999,1),
('q8', 'c2','youtube',  NULL,'pending',   1763807398501,NULL,         NULL,1763807398501,1),
('q9', 'c3','tiktok',   'a2','success',   1763807000000,NULL,         NULL,1763807000000,1),
('q10','c1','tiktok',   'a2','processing',1763807399000,NULL,         NULL,1763807399000,1),
('q11','c2','tiktok',   'a2','processing',1763807399999,NULL,         NULL,1763807399999,1);
