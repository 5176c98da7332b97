-- Dataset A of the specification: every status once, windows hit exactly on their edge.
INSERT INTO video_assets(id,created_at,updated_at) VALUES('v1',1,1),('v2',1,1),('v3',1,1);
INSERT INTO clips(id,video_asset_id,start_ms,end_ms,duration_ms,visual_score,status,created_at,updated_at) VALUES
('c1','v1',0,30000,30000,0.80,'ready',1,1),('c2','v1',30000,60000,30000,0.90,'published',1,1),
('c3','v2',0,15000,15000,0.70,'ready',1,1),('c4','v3',0,20000,20000,0.60,'ready',1,1);
INSERT INTO jobs(id,job_type,status,params,created_at,updated_at) VALUES
('j1','cut','pending','{"platform":"instagram"}',1,1),('j2','cut','processing','{"platform":"tiktok"}',1,1),
('j3','cut','failed','{"platform":"youtube"}',1,1),('j4','cut','completed','{"platform":"instagram"}',1,1),
('j5','cut','completed','{"platform":"tiktok"}',1,1);
INSERT INTO campaigns(id,name,clip_id,budget_cents,status,created_at,updated_at) VALUES('k1','K1','c1',100000,'draft',1,1),
('k2','K2','c2',250000,'active',1,1),('k3','K3','c3',50000,'active',1,1),('k4','K4','c4',75000,'completed',1,1);
INSERT INTO social_accounts(id,platform,handle,created_at,updated_at) VALUES('a1','instagram','@ig',1,1),('a2','tiktok','@tt',1,1),('a3','youtube','@yt',1,1);
INSERT INTO publish_logs(id,clip_id,platform,social_account_id,status,requested_at,published_at,created_at,updated_at) VALUES
('p1','c1','instagram','a1','pending',   1763803800000,NULL,         1763803800000,1763803800000),
('p2','c2','instagram','a1','success',   1763800200000,1763800202500,1763800200000,1763800202500),
('p3','c2','tiktok',   'a2','success',   1763805600000,1763805602000,1763805600000,1763805602000),
('p4','c3','youtube',  'a3','failed',    1763717400000,NULL,         1763717400000,1763717400000),
('p5','c4','tiktok',   'a2','processing',1763807340000,NULL,         1763807340000,1763807340000),
('p6','c3','other',    NULL,'pending',   1763806800000,NULL,         1763806800000,1763806800000),
('p7','c1','youtube',  'a3','success',   1763721000000,1763721002249,1763721000000,1763721002249);
