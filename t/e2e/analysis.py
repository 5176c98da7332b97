#!/usr/bin/env -S /usr/bin/python3 -B
"""The analysis, its recommendations and its history: every limit just below, at and above it."""
import json
from concurrent.futures import ThreadPoolExecutor

import jsonschema

from harness import (BUILD, HERE, NOW, Instance, expect, expect_equal, expect_problem, run, test)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SCHEMA = json.loads((BUILD / "share/openapi.json").read_text())
EMPTY = {"timestamp": "2025-11-22T10:30:00Z", "queue_health": "good", "orchestrator_health": "good",
         "campaigns_status": "good", "publish_success_rate": 0.0, "pending_scheduled": 0, "best_clip_per_platform": {},
         "issues_detected": [], "metrics": {
             "total_clips_ready": 0, "avg_processing_time_ms": None, "total_in_queue": 0, "failed_rate": 0.0,
             "platform_distribution": {"instagram": 0, "tiktok": 0, "youtube": 0, "other": 0}}}

instance = Instance(now=NOW)


def check_schema(path, method, body):
    responses = SCHEMA["paths"][path][method]["responses"]
    jsonschema.Draft202012Validator(responses["200"]["content"]["application/json"]["schema"]).validate(body)


def get(path, template=None, at=None, of=instance, **env):
    if at is not None:
        env["PH_NOW_MS"] = str(at)
    body = json.loads(of.get(path, **env))
    check_schema(template or path.split("?")[0], "get", body)
    return body


def post(path, body=None, status=0, **env):
    args = ["post", path] + ([] if body is None else [json.dumps(body)])
    return json.loads(instance.run(*args, status=status, **env).stdout)


def set_up(pending=0, processing=0, success=0, failed=0, retry=0, jobs=0, pending_jobs=0, failed_jobs=0, campaigns=0,
           pending_age=0, platform="tiktok", clip_score="NULL"):
    """Exactly this is there."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
    script = """DELETE FROM campaigns; DELETE FROM publish_logs; DELETE FROM jobs; DELETE FROM clip_variants;
        DELETE FROM clips; DELETE FROM video_assets; DELETE FROM dismissed_recommendations; DELETE FROM analyses;
        INSERT INTO video_assets(id,created_at,updated_at) VALUES('v1',1,1);"""
    script += f"""INSERT INTO clips(id,video_asset_id,start_ms,end_ms,duration_ms,visual_score,created_at,updated_at)
        VALUES('c1','v1',0,1,1500,{clip_score},1,1);"""
    for status, n in (("pending", pending), ("processing", processing), ("success", success), ("failed", failed),
                      ("retry", retry)):
        if n:
            script += f"""INSERT INTO publish_logs(id,clip_id,platform,status,requested_at,created_at,updated_at)
                {numbers.format(n)} SELECT '{status}' || i, 'c1', '{platform}', '{status}', {NOW - pending_age},
                {NOW}, {NOW} FROM n;"""
    for status, n in (("pending", pending_jobs), ("failed", failed_jobs), ("completed", jobs - pending_jobs - failed_jobs)):
        if n:
            script += f"""INSERT INTO jobs(id,job_type,status,created_at,updated_at) {numbers.format(n)}
                SELECT '{status}' || i, 'cut', '{status}', 1, 1 FROM n;"""
    if campaigns:
        script += f"""INSERT INTO campaigns(id,name,clip_id,budget_cents,status,created_at,updated_at)
            {numbers.format(campaigns)} SELECT 'k' || i, 'K' || i, 'c1', 1, 'completed', 1, 1 FROM n;"""
    instance.sql(script)


def issues(body):
    return {i["title"]: i["severity"] for i in body["issues_detected"]}


# -- the analysis ------------------------------------------------------------------------


@test("an empty system is good, not critical")
def _():
    empty = Instance(now=NOW)
    body = get("/dashboard/ai/analyze", of=empty)
    expect_equal(body, EMPTY, "the answer")
    expect_equal(list(body), list(EMPTY), "its order of keys")
    # Fewer than five posts anywhere: the only thing that is suggested, and only for information.
    expect_equal([(r["action"], r["severity"]) for r in get("/dashboard/ai/recommendations", of=empty)],
                 [("optimize_schedule", "info")], "recommendations")
    expect_equal(get("/dashboard/ai/history", of=empty), {"items": [], "limit": 20, "offset": 0, "total": 0}, "history")


@test("dataset A by hand")
def _():
    own = Instance(now=NOW)
    own.sql((HERE / "dataset-a.sql").read_text())
    body = get("/dashboard/ai/analyze", of=own)
    # 1 of 4 finished logs failed: 0.25 > 0.15.  3 of 50: 0.06.  1 of 5 jobs failed: 0.2 > 0.15.  0.75 < 0.85.
    expect_equal({k: v for k, v in body.items() if k != "issues_detected"}, {
        "timestamp": "2025-11-22T10:30:00Z", "queue_health": "warning", "orchestrator_health": "good",
        "campaigns_status": "warning", "publish_success_rate": 0.75, "pending_scheduled": 2,
        "best_clip_per_platform": {}, "metrics": {
            "total_clips_ready": 2, "avg_processing_time_ms": 2249.67, "total_in_queue": 3, "failed_rate": 0.25,
            "platform_distribution": {"instagram": 1, "tiktok": 1, "youtube": 1, "other": 0}}}, "the answer")
    expect_equal(issues(body), {"Publish queue": "warning", "Campaign jobs": "warning", "Success rate": "warning"},
                 "issues")


@test("queue_health: each limit, below, at and above")
def _():
    for there, health in ((dict(pending=30), "good"), (dict(pending=20, processing=10), "good"),
                          (dict(pending=31), "warning"), (dict(pending=21, processing=10), "warning"),
                          (dict(processing=50), "warning"), (dict(pending=1, processing=50), "critical"),
                          (dict(retry=60), "good"),
                          # failed / (success + failed): 0.15 and 0.30 are not yet.
                          (dict(success=17, failed=3), "good"), (dict(success=84, failed=15), "warning"),
                          (dict(success=7, failed=3), "warning"), (dict(success=69, failed=30), "critical"),
                          (dict(failed=1), "critical"), (dict(success=1), "good")):
        set_up(**there)
        body = get("/dashboard/ai/analyze")
        expect_equal(body["queue_health"], health, f"{there}")
        expect_equal(issues(body).get("Publish queue", "good"), health, f"issue of {there}")


@test("orchestrator_health: by saturation_rate, exclusive")
def _():
    for there, health in ((dict(pending=7), "good"), (dict(pending=4, processing=2, retry=2), "warning"),
                          (dict(pending=9), "warning"), (dict(retry=10), "critical"), (dict(pending=60), "critical")):
        set_up(**there)
        body = get("/dashboard/ai/analyze", PH_QUEUE_CAPACITY="10")
        expect_equal(body["orchestrator_health"], health, f"{there}")
        expect_equal(issues(body).get("Orchestrator saturation", "good"), health, f"issue of {there}")


@test("campaigns_status: by jobs, good without campaigns")
def _():
    for there, status in ((dict(jobs=20, failed_jobs=3), "good"), (dict(jobs=99, failed_jobs=15), "warning"),
                          (dict(jobs=10, failed_jobs=3), "warning"), (dict(jobs=99, failed_jobs=30), "critical"),
                          (dict(jobs=20, pending_jobs=20), "good"), (dict(jobs=21, pending_jobs=21), "warning")):
        for campaigns in (0, 1):
            set_up(campaigns=campaigns, **there)
            body = get("/dashboard/ai/analyze")
            expect_equal(body["campaigns_status"], status if campaigns else "good", f"{there}, {campaigns} campaigns")
            expect_equal(issues(body).get("Campaign jobs", "good"), status if campaigns else "good", f"issue of {there}")
            expect_equal(issues(body).get("Pending jobs"), "warning" if there.get("pending_jobs", 0) > 20 else None,
                         f"pending jobs of {there}")


@test("issues: failed logs, success rate, oldest pending")
def _():
    for there, title, severity in (
            (dict(success=1000, failed=10), "Failed publications", None),
            (dict(success=1000, failed=11), "Failed publications", "warning"),
            (dict(success=17, failed=3), "Success rate", None), (dict(success=84, failed=15), "Success rate", "warning"),
            (dict(success=7, failed=3), "Success rate", "warning"), (dict(success=69, failed=30), "Success rate", "critical"),
            (dict(failed=1), "Success rate", "critical"), (dict(pending=1), "Success rate", None),
            (dict(pending=1, pending_age=7_200_000), "Oldest pending publication", None),
            (dict(pending=1, pending_age=7_200_001), "Oldest pending publication", "warning"),
            (dict(retry=1, pending_age=DAY), "Oldest pending publication", None)):
        set_up(**there)
        expect_equal(issues(get("/dashboard/ai/analyze")).get(title), severity, f"{title} of {there}")


def add_variants(*variants):
    for variant, clip, platform, score, status, at, duration in variants:
        instance.sql(f"""INSERT INTO clip_variants(id,clip_id,platform,visual_score,status,created_at,duration_ms)
            VALUES('{variant}','{clip}','{platform}',{score},'{status}',{at},{duration})""")


@test("best_clip_per_platform: the highest score, then the newest, of ready variants")
def _():
    set_up(clip_score="0.7")
    instance.sql("""INSERT INTO clips(id,video_asset_id,start_ms,end_ms,duration_ms,created_at,updated_at)
        VALUES('c2','v1',0,1,2500,1,1)""")
    add_variants(("w1", "c1", "tiktok", 0.5, "ready", 9, 1), ("w2", "c1", " TikTok", 0.6, "ready", NOW, 12345),
                 ("w3", "c2", "tiktok", 0.6, "ready", 8, 1), ("w4", "c2", "tiktok", 0.9, "failed", 9, 1),
                 ("w5", "c2", "tiktok", "NULL", "ready", 99, 1), ("w6", "c1", "youtube", "NULL", "ready", 5, "NULL"),
                 ("w7", "c2", "facebook", "NULL", "ready", 5, "NULL"), ("w8", "c2", "myspace", 1.0, "ready", 5, 1))
    expect_equal(get("/dashboard/ai/analyze")["best_clip_per_platform"], {
        "tiktok": {"clip_id": "c1", "variant_id": "w2", "score": 0.6, "duration": 12.345,
                   "created_at": "2025-11-22T10:30:00Z"},
        # Without figures of its own it has the clip's.
        "youtube": {"clip_id": "c1", "variant_id": "w6", "score": 0.7, "duration": 1.5, "created_at": "1970-01-01T00:00:00.005Z"},
        "facebook": {"clip_id": "c2", "variant_id": "w7", "score": None, "duration": 2.5,
                     "created_at": "1970-01-01T00:00:00.005Z"}}, "best clips")


@test("the figures are those of the statistics")
def _():
    set_up(pending=3, processing=2, success=5, failed=1, retry=1, platform="Facebook")
    body, queue = get("/dashboard/ai/analyze"), json.loads(instance.get("/dashboard/stats/queue?include=extended"))
    platforms = json.loads(instance.get("/dashboard/stats/platforms?include=extended"))
    expect_equal(body["pending_scheduled"], queue["pending"], "pending")
    expect_equal(body["metrics"]["total_in_queue"], queue["total_in_queue"], "in queue")
    expect_equal(body["metrics"]["total_clips_ready"], sum(platforms[p]["clips_ready"] for p in
                                                           ("instagram", "tiktok", "youtube", "other")), "clips ready")
    expect_equal(body["metrics"]["platform_distribution"], {"instagram": 0, "tiktok": 0, "youtube": 0, "other": 5}, "posts")


# -- recommendations ----------------------------------------------------------------------


def recommended(at=None, **env):
    return {r["action"]: r for r in get("/dashboard/ai/recommendations", at=at, **env)}


@test("recommendations: each rule, below, at and above its limit")
def _():
    for there, action, severity in (
            (dict(pending=30), "rebalance_queue", None), (dict(pending=31), "rebalance_queue", "warning"),
            (dict(processing=51), "rebalance_queue", "critical"),
            (dict(pending=35), "run_orchestrator", None), (dict(pending=36), "run_orchestrator", "warning"),
            (dict(retry=46), "run_orchestrator", "critical"),
            (dict(success=1000, failed=10), "retry", None), (dict(success=1000, failed=11), "retry", "warning"),
            (dict(pending=20), "run_scheduler", None), (dict(pending=21), "run_scheduler", "warning"),
            (dict(success=4, failed=1), "clear_failed", None), (dict(success=79, failed=20), "clear_failed", "warning")):
        set_up(**there)
        found = recommended().get(action, {})
        expect_equal(found.get("severity"), severity, f"{action} of {there}")
    payloads = {"rebalance_queue": {"interval_minutes": 30}, "run_orchestrator": {}, "retry": {}, "run_scheduler": {},
                "clear_failed": {"older_than_days": 7}}
    set_up(pending=51, failed=11)
    found = recommended()
    expect_equal({a: found[a]["payload"] for a in payloads}, payloads, "payloads")
    severities = [r["severity"] for r in get("/dashboard/ai/recommendations")]
    expect_equal(severities, sorted(severities, key=["critical", "warning", "info"].index), "critical, warning, info")
    expect({"critical", "warning", "info"} == set(severities), f"{severities}")


@test("recommendations: fewer than five posts on a platform")
def _():
    for n, platforms in ((4, ["instagram", "tiktok", "youtube"]), (5, ["instagram", "youtube"])):
        set_up(success=n)
        expect_equal(recommended()["optimize_schedule"]["payload"], {"platforms": platforms}, f"{n} posts on tiktok")
    set_up(success=5)
    instance.sql("""INSERT INTO publish_logs(id,clip_id,platform,status,requested_at,created_at,updated_at)
        SELECT p.value || i.id, 'c1', p.value, 'success', 1, 1, 1 FROM publish_logs i, json_each('["instagram","youtube"]') p""")
    expect("optimize_schedule" not in recommended(), "five everywhere")


@test("recommendations: publish what scores more than 0.8 and is not used yet")
def _():
    for score, is_there in ((0.8, False), (0.8001, True)):
        set_up()
        add_variants(("w1", "c1", "TikTok", score, "ready", 1, 1))
        found = recommended().get("publish")
        expect_equal(found and found["payload"], {"clip_id": "c1", "platform": "tiktok"} if is_there else None, f"score {score}")
    first = found["id"]
    expect_equal(recommended(at=NOW + DAY)["publish"]["id"], first, "the id is stable")
    done = post("/dashboard/ai/execute", {"action": found["action"], "payload": found["payload"], "recommendation_id": first})
    expect_equal(done["result"]["log"]["platform"], "tiktok", "it can be done as it says")
    expect("publish" not in recommended(), "it is in the queue now")
    for status, is_there in (("success", False), ("failed", True), ("processing", False)):
        instance.sql(f"UPDATE publish_logs SET status = '{status}'")
        expect_equal("publish" in recommended(), is_there, status)


@test("recommendations: the three draft or active campaigns that are untouched the longest")
def _():
    set_up()
    week = NOW - 7 * DAY
    for i, (status, at) in enumerate((("draft", week), ("draft", week - 1), ("active", week - 9), ("paused", 1),
                                      ("completed", 1), ("active", week - 5), ("draft", week - 7))):
        instance.sql(f"""INSERT INTO campaigns(id,name,clip_id,budget_cents,status,created_at,updated_at)
            VALUES('k{i}','K','c1',1,'{status}',1,{at})""")
    found = [r for r in get("/dashboard/ai/recommendations") if r["action"] == "promote"]
    expect_equal([r["payload"] for r in found],
                 [{"video_id": "v1", "campaign_id": k} for k in ("k2", "k6", "k5")], "the longest first")
    expect_equal({r["severity"] for r in found}, {"info"}, "severity")


@test("a dismissed recommendation is not made for a week, unless it becomes worse")
def _():
    set_up(pending=31)
    found = recommended()["rebalance_queue"]
    path = f"/dashboard/ai/recommendations/{found['id']}/dismiss"
    body = post(path)
    check_schema("/dashboard/ai/recommendations/{id}/dismiss", "post", body)
    expect_equal(body, {"success": True, "id": found["id"], "dismissed_until": "2025-11-29T10:30:00Z"}, "answer")
    expect("rebalance_queue" not in recommended(), "it is gone")
    expect_equal(post(path, PH_NOW_MS=str(NOW + DAY))["dismissed_until"], "2025-11-29T10:30:00Z", "again is the same")
    expect("rebalance_queue" not in recommended(at=NOW + 7 * DAY - 1), "a week, less a millisecond")
    expect_equal(recommended(at=NOW + 7 * DAY)["rebalance_queue"]["id"], found["id"], "a week")
    instance.sql("""INSERT INTO publish_logs(id,clip_id,platform,status,requested_at,created_at,updated_at)
        SELECT 'x' || id, 'c1', 'tiktok', 'pending', 1, 1, 1 FROM publish_logs""")
    worse = recommended()["rebalance_queue"]
    expect_equal((worse["severity"], worse["id"] != found["id"]), ("critical", True), "it has become critical")
    for unknown in ("0" * 32, "nope", "x"):
        answer = post(f"/dashboard/ai/recommendations/{unknown}/dismiss", status=4)
        expect_equal((answer["status"], answer["code"]), (404, "not_found"), unknown)
    db = instance.connect()
    expect_equal(db.execute("SELECT id, dismissed_by, dismissed_at FROM dismissed_recommendations").fetchall(),
                 [(found["id"], "local", NOW)], "one row")
    expect_equal(db.execute("SELECT actor, target FROM audit_log WHERE action = 'recommendation.dismiss' LIMIT 1").fetchall(),
                 [("local", found["id"])], "audit")
    db.close()


# -- the history ------------------------------------------------------------------------------


@test("POST keeps an analysis, at most one a minute; GET keeps none")
def _():
    set_up(success=3, failed=1)
    get("/dashboard/ai/analyze")
    expect_equal(get("/dashboard/ai/history")["total"], 0, "GET")
    for after, total in ((0, 1), (MINUTE - 1, 1), (MINUTE, 2), (2 * MINUTE - 1, 2), (3 * MINUTE, 3)):
        body = post("/dashboard/ai/analyze", PH_NOW_MS=str(NOW + after))
        check_schema("/dashboard/ai/analyze", "post", body)
        expect_equal(body, get("/dashboard/ai/analyze", at=NOW + after), "the same as GET")
        expect_equal(get("/dashboard/ai/history")["total"], total, f"after {after} ms")
    item = get("/dashboard/ai/history")["items"][0]
    expect_equal(item, {"id": item["id"], "created_at": "2025-11-22T10:33:00Z", "score": 0.75, "status": "warning",
                        "critical": False, "issues": 2}, "the newest first")
    one = get(f"/dashboard/ai/history/{item['id']}", "/dashboard/ai/history/{id}")
    expect_equal(one, {**{k: item[k] for k in ("id", "created_at", "score", "status", "critical")},
                       "analysis": get("/dashboard/ai/analyze", at=NOW + 3 * MINUTE)}, "whole")
    answer = json.loads(instance.get("/dashboard/ai/history/nope", status=4))
    expect_equal((answer["status"], answer["code"]), (404, "not_found"), "unknown")
    # An analysis of a clock that was wrong does not keep today's away; those of 400 days go.
    instance.sql(f"UPDATE analyses SET created_at = {NOW + DAY} WHERE id = '{item['id']}'")
    post("/dashboard/ai/analyze", PH_NOW_MS=str(NOW + 5 * MINUTE))
    expect_equal(get("/dashboard/ai/history")["total"], 4, "after one of tomorrow")
    post("/dashboard/ai/analyze", PH_NOW_MS=str(NOW + MINUTE + 400 * DAY))
    expect_equal([i["created_at"] for i in get("/dashboard/ai/history")["items"]][1:],
                 ["2025-11-23T10:30:00Z", "2025-11-22T10:35:00Z", "2025-11-22T10:31:00Z"], "kept for 400 days")


@test("history: limit, offset and filters, against the rows")
def _():
    set_up()
    there = [(f"h{i:02}", NOW - i * HOUR, score, status, critical) for i, (score, status, critical) in enumerate(
        (s, t, c) for s in (0.0, 0.69996, 0.7, 0.85, 1.0) for t in ("good", "warning", "critical") for c in (0, 1))]
    instance.sql("".join(f"INSERT INTO analyses VALUES('{i}',{at},{s},'{t}',{c},'{{\"issues_detected\":[]}}');"
                         for i, at, s, t, c in there))

    def wanted(keep):
        return [row[0] for row in there if keep(*row[1:])]
    for q, keep in (("", lambda at, s, t, c: True),
                    ("min_score=0.7", lambda at, s, t, c: s >= 0.69996),        # 0.69996 is shown as 0.7
                    ("max_score=0.7", lambda at, s, t, c: s <= 0.7),
                    ("min_score=0.85&max_score=0.85", lambda at, s, t, c: s == 0.85),
                    ("min_score=1", lambda at, s, t, c: s == 1), ("max_score=0.0", lambda at, s, t, c: s == 0),
                    ("status=critical", lambda at, s, t, c: t == "critical"), ("critical=true", lambda at, s, t, c: c),
                    ("critical=false", lambda at, s, t, c: True),
                    ("from_date=-3h", lambda at, s, t, c: at >= NOW - 3 * HOUR),
                    (f"to_date={NOW - 3 * HOUR}", lambda at, s, t, c: at < NOW - 3 * HOUR),
                    ("from_date=2025-11-22", lambda at, s, t, c: at >= NOW - 10.5 * HOUR),
                    (f"status=good&critical=true&min_score=0.5&from_date=-1d&to_date={NOW}",
                     lambda at, s, t, c: t == "good" and c and s > 0.5 and NOW - DAY <= at < NOW)):
        body = get("/dashboard/ai/history?limit=100&" + q)
        expect_equal([i["id"] for i in body["items"]], wanted(keep), q)
        expect_equal(body["total"], len(wanted(keep)), f"total of {q}")
    everything = wanted(lambda *_: True)
    expect_equal([i["id"] for i in get("/dashboard/ai/history")["items"]], everything[:20], "20 without a limit")
    expect_equal([i["id"] for i in get("/dashboard/ai/history?limit=7&offset=7")["items"]], everything[7:14], "a page")
    for q, param in (("limit=0", "limit"), ("limit=101", "limit"), ("offset=-1", "offset"), ("offset=10001", "offset"),
                     ("min_score=1.1", "min_score"), ("max_score=-0.1", "max_score"), ("min_score=x", "min_score"),
                     ("min_score=0.5&max_score=0.4", "min_score"), ("status=bad", "status"), ("critical=1", "critical"),
                     ("from_date=x", "from_date"), (f"from_date={NOW}&to_date={NOW}", "from_date")):
        answer = json.loads(instance.get("/dashboard/ai/history?" + q, status=4))
        expect_equal((answer["status"], answer["code"], answer["errors"][0]["param"]), (422, "invalid_parameter", param), q)


@test("job-analysis keeps one")
def _():
    set_up()
    instance.run("jobs", "run", "analysis", PH_JOBS="all")
    expect_equal(get("/dashboard/ai/history")["total"], 1, "kept")


# -- through nginx -----------------------------------------------------------------------------


@test("who may: a viewer reads, an operator also keeps and dismisses")
def _():
    web = Instance(now=NOW).with_admin()
    tokens = {}
    for role in ("viewer", "operator"):
        web.add_user(role, role)
        tokens[role] = web.make_token(role)
    web.start()
    for path in ("/dashboard/ai/analyze", "/dashboard/ai/recommendations", "/dashboard/ai/history"):
        for role in tokens:
            expect_equal(web.request(path, token=tokens[role]).status, 200, f"{role} {path}")
        expect_problem(web.request(path, token=""), 401, "credentials_missing")
        expect_equal(web.request(path, "HEAD").status, 200, f"HEAD {path}")
    suggestion = web.request("/dashboard/ai/recommendations").json[0]
    dismiss = f"/dashboard/ai/recommendations/{suggestion['id']}/dismiss"
    for path in ("/dashboard/ai/analyze", dismiss):
        expect_problem(web.request(path, "POST", token=tokens["viewer"]), 403, "scope_missing")
        answer = web.request(path, "POST", token=tokens["operator"])
        expect_equal(answer.status, 200, f"operator {path}")
    answer = web.request("/dashboard/ai/analyze", "POST")
    kept = web.request(answer.headers["Content-Location"])
    expect_equal(kept.json["analysis"], answer.json, "Content-Location")
    expect_problem(web.request("/dashboard/ai/history/x/y"), 404, "not_found")
    expect_problem(web.request("/dashboard/ai/recommendations", "POST", body="{}"), 405, "method_not_allowed")
    expect_problem(web.request("/dashboard/ai/execute"), 405, "method_not_allowed")


@test("two keep an analysis at once: one is kept")
def _():
    set_up()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: post("/dashboard/ai/analyze"), range(4)))
    expect_equal(get("/dashboard/ai/history")["total"], 1, "kept")
    instance.run("verify")


run()
