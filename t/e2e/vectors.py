#!/usr/bin/env -S /usr/bin/python3 -B
"""The published figures: datasets A and B, what the extended answers say, and the edges.

Expected values are those of the specification or worked out by hand in a comment.
"""
import sqlite3

from harness import (HERE, NOW, STATS, Decimal, Instance, exact, expect, expect_equal,
                     fields, run, test)

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LATEST = 253402300799999        # the end of the year 9999
BIG = 2**31 + 10                # does not fit 32 bits

ANSWERS_A = {
    "overview": '{"total_videos":3,"total_clips":4,"total_jobs":5,"total_campaigns":4,"pending_jobs":1,"processing_jobs":1,"failed_jobs":1,"success_logs":3,"failed_logs":1,"scheduled_publications":2}',
    "queue": '{"pending":2,"processing":1,"success":3,"failed":1,"avg_processing_time_ms":2249.67,"oldest_pending_age_seconds":3600.0}',
    "orchestrator": '{"last_run_at":"2025-11-22T10:29:00Z","actions_last_run":4,"actions_last_24h":6,"queue_saturation":0.4286,"active_workers":1}',
    "platforms": '{"instagram":{"clips_ready":1,"clips_published":1,"avg_score":0.85,"jobs_completed":1,"jobs_failed":0},'
                 '"tiktok":{"clips_ready":0,"clips_published":1,"avg_score":0.75,"jobs_completed":1,"jobs_failed":0},'
                 '"youtube":{"clips_ready":0,"clips_published":1,"avg_score":0.75,"jobs_completed":0,"jobs_failed":1},'
                 '"other":{"clips_ready":1,"clips_published":0,"avg_score":0.7,"jobs_completed":0,"jobs_failed":0}}',
    "campaigns": '{"draft":1,"active":2,"paused":0,"completed":1,"total_budget_spent":0.0}',
}

ANSWERS_B = {
    "overview": '{"total_videos":1,"total_clips":3,"total_jobs":8,"total_campaigns":3,"pending_jobs":0,"processing_jobs":0,"failed_jobs":3,"success_logs":4,"failed_logs":0,"scheduled_publications":2}',
    "queue": '{"pending":2,"processing":3,"success":4,"failed":0,"avg_processing_time_ms":500.0,"oldest_pending_age_seconds":1.5}',
    "orchestrator": '{"last_run_at":"2025-11-22T10:29:59.999Z","actions_last_run":10,"actions_last_24h":10,"queue_saturation":0.4545,"active_workers":1}',
    "platforms": '{"instagram":{"clips_ready":1,"clips_published":2,"avg_score":0.5,"jobs_completed":0,"jobs_failed":1},'
                 '"tiktok":{"clips_ready":0,"clips_published":1,"avg_score":0.8333,"jobs_completed":1,"jobs_failed":0},'
                 '"youtube":{"clips_ready":1,"clips_published":0,"avg_score":0.0,"jobs_completed":0,"jobs_failed":1},'
                 '"other":{"clips_ready":0,"clips_published":0,"avg_score":1.0,"jobs_completed":1,"jobs_failed":0}}',
    "campaigns": '{"draft":0,"active":1,"paused":2,"completed":0,"total_budget_spent":223.45}',
}

EMPTY = {
    "overview": '{"total_videos":0,"total_clips":0,"total_jobs":0,"total_campaigns":0,"pending_jobs":0,"processing_jobs":0,"failed_jobs":0,"success_logs":0,"failed_logs":0,"scheduled_publications":0}',
    "queue": '{"pending":0,"processing":0,"success":0,"failed":0,"avg_processing_time_ms":null,"oldest_pending_age_seconds":null}',
    "orchestrator": '{"last_run_at":null,"actions_last_run":0,"actions_last_24h":0,"queue_saturation":0.0,"active_workers":0}',
    "platforms": "{" + ",".join('"%s":{"clips_ready":0,"clips_published":0,"avg_score":0.0,"jobs_completed":0,"jobs_failed":0}' % p
                                for p in ("instagram", "tiktok", "youtube", "other")) + "}",
    "campaigns": '{"draft":0,"active":0,"paused":0,"completed":0,"total_budget_spent":0.0}',
}


def dataset(name):
    instance = Instance(now=NOW)
    instance.sql((HERE / f"dataset-{name}.sql").read_text())
    return instance


def one_clip(score="NULL"):
    """An instance with video v1, clip c1 and account a1."""
    instance = Instance(now=NOW)
    instance.sql(f"""INSERT INTO video_assets(id,created_at,updated_at) VALUES('v1',1,1);
        INSERT INTO clips(id,video_asset_id,start_ms,end_ms,duration_ms,visual_score,created_at,updated_at)
        VALUES('c1','v1',0,1,1,{score},1,1);
        INSERT INTO social_accounts(id,platform,handle,created_at,updated_at) VALUES('a1','tiktok','@a',1,1)""")
    return instance


def log(ident, status, requested_at, published_at="NULL", created_at=None, platform="tiktok",
        clip="c1", account="NULL"):
    """SQL of one publish log; account is an SQL literal."""
    return (f"INSERT INTO publish_logs(id,clip_id,platform,social_account_id,status,requested_at,"
            f"published_at,created_at,updated_at) VALUES('{ident}','{clip}','{platform}',{account},"
            f"'{status}',{requested_at},{published_at},"
            f"{requested_at if created_at is None else created_at},1);")


def job(ident, status, params):
    """SQL of one job; params is an SQL literal."""
    return (f"INSERT INTO jobs(id,job_type,status,params,created_at,updated_at) "
            f"VALUES('{ident}','cut','{status}',{params},1,1);")


def expect_answers(instance, answers):
    for name in STATS:
        expect_equal(exact(instance.get(f"/dashboard/stats/{name}")), exact(answers[name]), name)


def expect_fields(seen, what, **expected):
    """Some fields of an answer; a float is expected as its text."""
    for name, value in expected.items():
        expect_equal(seen[name], Decimal(value) if isinstance(value, float) else value,
                     f"{what}: {name}")


dataset_a = dataset("a")
dataset_b = dataset("b")


@test("dataset A gives the published answers, in keys, order and digits")
def _():
    expect_answers(dataset_a, ANSWERS_A)


@test("dataset B gives the published answers, in keys, order and digits")
def _():
    expect_answers(dataset_b, ANSWERS_B)


@test("extended answers begin with the base answer, unchanged")
def _():
    for instance, answers in ((dataset_a, ANSWERS_A), (dataset_b, ANSWERS_B)):
        for name in STATS:
            base = exact(answers[name])
            extended = exact(instance.get(f"/dashboard/stats/{name}?include=extended"))
            if name == "platforms":     # one object in the other; facebook follows
                extended = tuple((key, pairs[:5]) for key, pairs in extended)
            expect_equal(extended[:len(base)], base, name)


@test("dataset A, extended")
def _():
    stat = lambda name: dataset_a.stat(name, "include=extended")
    expect_fields(stat("overview"), "overview", success_rate=0.75, success_rate_pct=75.0,
                  avg_visual_score=0.75, active_jobs=2, active_campaigns=2, total_publications=7,
                  pending_publications=2, failed_publications=1, scheduled_logs=0,
                  processing_logs=1, retry_logs=0, completed_jobs=2, retry_jobs=0,
                  avg_processing_time_ms=2249.67)
    expect_fields(stat("queue"), "queue", total_in_queue=3, avg_wait_time_ms=2100000.0,
                  p50_processing_time_ms=2249, p95_processing_time_ms=2500, throughput_per_hour=1,
                  estimated_completion_time="2025-11-22T12:30:00Z", scheduled=0, retry=0,
                  clock_skew_rows=0, missing_published_at_rows=0)
    expect_fields(stat("orchestrator"), "orchestrator", saturation_rate=0.06, total_jobs=5,
                  completed_jobs=2, last_tick_at=None, actions_last_tick=0)
    platforms = stat("platforms")
    expect_equal(list(platforms), ["instagram", "tiktok", "youtube", "other", "facebook"], "keys")
    expect_fields(platforms["youtube"], "youtube", platform="youtube", posts_today=0,
                  success_rate=0.5, posts_published=1, posts_pending=0)
    # p4 has no failed_at, so updated_at tells when it failed: 2025-11-21T09:30:00Z.
    expect_equal(platforms["youtube"]["last_failure"],
                 {"at": "2025-11-21T09:30:00Z", "error": None}, "last failure of youtube")
    expect_equal(platforms["other"]["last_failure"], None, "last failure of other")
    expect_fields(stat("campaigns"), "campaigns", total=4, scheduled=1, published=1, archived=1,
                  total_budget=4750.0, budget_utilisation=0.0)


@test("dataset B, extended")
def _():
    stat = lambda name: dataset_b.stat(name, "include=extended")
    expect_fields(stat("overview"), "overview", success_rate=1.0, success_rate_pct=100.0)
    expect_fields(stat("queue"), "queue", total_in_queue=7, avg_wait_time_ms=28801000.0,
                  p50_processing_time_ms=0, p95_processing_time_ms=1000, throughput_per_hour=3,
                  estimated_completion_time="2025-11-22T11:30:00Z", clock_skew_rows=1,
                  missing_published_at_rows=1)
    expect_fields(stat("orchestrator"), "orchestrator", saturation_rate=0.12)
    platforms = stat("platforms")
    expect_fields(platforms["facebook"], "facebook", avg_clip_score=1.0, jobs_completed=1)
    expect_fields(platforms["tiktok"], "tiktok", avg_clip_score=0.75, avg_visual_score=0.8333)
    # (12345 + 1 + 9999) / 150000 = 0.14896...
    expect_fields(stat("campaigns"), "campaigns", published=3, scheduled=0, total_budget=1500.0,
                  budget_utilisation=0.149)


@test("PH_QUEUE_CAPACITY is the divisor of saturation_rate, which stops at 1.0")
def _():
    # 3 logs of dataset A wait or run.
    for capacity, rate in ((2, "1.0"), (3, "1.0"), (4, "0.75"), (9, "0.3333")):
        seen = dataset_a.stat("orchestrator", "include=extended", PH_QUEUE_CAPACITY=str(capacity))
        expect_equal(seen["saturation_rate"], Decimal(rate), f"capacity {capacity}")


@test("time=naive leaves out the Z, time=ms gives the integer, time=utc is the default")
def _():
    for style, run_at, done_at in (
            ("utc", "2025-11-22T10:29:00Z", "2025-11-22T12:30:00Z"),
            ("naive", "2025-11-22T10:29:00", "2025-11-22T12:30:00"),
            ("ms", 1763807340000, 1763814600000)):
        expect_equal(dataset_a.stat("orchestrator", f"time={style}")["last_run_at"], run_at, style)
        expect_equal(dataset_a.stat("queue", f"time={style}&include=extended")
                     ["estimated_completion_time"], done_at, style)
    failure = dataset_a.stat("platforms", "time=ms&include=extended")["youtube"]["last_failure"]
    expect_equal(failure, {"at": 1763717400000, "error": None}, "last_failure")
    expect_equal(dataset_b.stat("orchestrator", "time=naive")["last_run_at"],
                 "2025-11-22T10:29:59.999", "milliseconds in the naive form")


@test("tz_offset moves the midnight that begins today")
def _():
    # Posts of A: youtube 21st 10:30:02.249, instagram 22nd 08:30:02.500, tiktok 22nd 10:00:02 (UTC).
    # The local day begins, in UTC, at:
    for offset, instagram, tiktok in (
            (0, 1, 1),          # 22nd 00:00
            (-60, 1, 1),        # 22nd 01:00
            (-510, 1, 1),       # 22nd 08:30
            (-511, 0, 1),       # 22nd 08:31
            (-600, 0, 1),       # 22nd 10:00
            (-601, 0, 0),       # 22nd 10:01
            (-630, 0, 0),       # 22nd 10:30, now
            (-631, 1, 1),       # 21st 10:31: it is still the 21st there
            (-720, 1, 1),       # 21st 12:00
            (809, 1, 1),        # 21st 10:31
            (810, 0, 0),        # 22nd 10:30, now: the 23rd has just begun there
            (839, 0, 0),        # 22nd 10:01
            (840, 0, 1)):       # 22nd 10:00
        seen = dataset_a.stat("platforms", f"include=extended&tz_offset={offset}")
        for platform, today in (("instagram", instagram), ("tiktok", tiktok), ("youtube", 0)):
            expect_equal(seen[platform]["posts_today"], today, f"{platform}, tz_offset={offset}")


@test("tz_offset has its limits: -720 to 840")
def _():
    for offset in ("-721", "841", "1.5", "", "+60", "60x", "99999999999999999999"):
        body = fields(dataset_a.get(f"/dashboard/stats/platforms?tz_offset={offset}", status=4))
        expect_equal((body["status"], body["code"]), (422, "invalid_parameter"), offset)
        expect_equal(body["errors"][0]["param"], "tz_offset", offset)


@test("edge 1: an empty database gives zeros and nulls")
def _():
    instance = Instance(now=NOW)
    expect_answers(instance, EMPTY)
    queue = instance.stat("queue", "include=extended")
    expect_fields(queue, "queue", avg_wait_time_ms=None, p50_processing_time_ms=None,
                  p95_processing_time_ms=None, throughput_per_hour=0,
                  estimated_completion_time=None, total_in_queue=0)
    expect_fields(instance.stat("overview", "include=extended"), "overview", success_rate=0.0,
                  success_rate_pct=0.0, avg_visual_score=0.0, avg_processing_time_ms=None)
    expect_fields(instance.stat("campaigns", "include=extended"), "campaigns", total=0,
                  total_budget=0.0, budget_utilisation=0.0)
    expect_fields(instance.stat("platforms", "include=extended")["facebook"], "facebook",
                  posts_today=0, success_rate=0.0, avg_clip_score=0.0, last_failure=None)


@test("edge 2: one pending log of an unscored clip")
def _():
    instance = one_clip()
    instance.sql(log("p1", "pending", NOW))
    expect_fields(instance.stat("queue"), "queue", pending=1, oldest_pending_age_seconds=0.0)
    expect_fields(instance.stat("platforms")["tiktok"], "tiktok", clips_ready=1, avg_score=0.0)
    expect_fields(instance.stat("orchestrator"), "orchestrator", queue_saturation=1.0)


@test("edge 3: only logs published before their request: no average, and counted as skewed")
def _():
    instance = one_clip()
    instance.sql(log("p1", "success", NOW, NOW - 1) + log("p2", "success", NOW, 0))
    expect_fields(instance.stat("queue", "include=extended"), "queue", success=2,
                  avg_processing_time_ms=None, clock_skew_rows=2, p50_processing_time_ms=None)


@test("edge 4: published at the instant of the request is 0.0; a request at 0 has an age")
def _():
    instance = one_clip()
    instance.sql(log("p1", "success", NOW, NOW) + log("p2", "pending", 0))
    expect_fields(instance.stat("queue", "include=extended"), "queue", avg_processing_time_ms=0.0,
                  oldest_pending_age_seconds=1763807400.0, p50_processing_time_ms=0)


@test("edge 5: a request in the future has age 0.0, a creation in the future counts")
def _():
    instance = one_clip()
    instance.sql(log("p1", "pending", NOW + MINUTE, created_at=NOW + DAY))
    expect_fields(instance.stat("queue"), "queue", oldest_pending_age_seconds=0.0)
    expect_fields(instance.stat("orchestrator"), "orchestrator", actions_last_run=1,
                  actions_last_24h=1, last_run_at="2025-11-23T10:30:00Z")


@test("edge 6: params of any shape are tolerated; only a text platform counts")
def _():
    instance = Instance(now=NOW)
    shapes = ["'{bad'", "''", "'[1]'", "'5'", "'{\"platform\":null}'",
              "'{\"platform\":[\"tiktok\"]}'", "'{\"platform\":\"\"}'", "'{\"platform\":\"  \"}'",
              "'{\"platform\":7}'", "'{\"platform\":true}'", "'{\"platform\":{}}'", "'\"tiktok\"'",
              "'{\"Platform\":\"tiktok\"}'", "'{\"x\":{\"platform\":\"tiktok\"}}'", "NULL"]
    instance.sql("".join(job(f"j{i}", "completed", shape) for i, shape in enumerate(shapes)))
    expect_answers(instance, {**EMPTY, "overview": EMPTY["overview"].replace(
        '"total_jobs":0', f'"total_jobs":{len(shapes)}')})
    instance.sql(job("t1", "completed", "'{\"platform\":\"TIKTOK \"}'") +
                 job("t2", "failed", "'{\"platform\":\"  tiktok\"}'"))
    expect_fields(instance.stat("platforms")["tiktok"], "tiktok", jobs_completed=1, jobs_failed=1)


@test("edge 7: any other platform name is other; long texts change no figure")
def _():
    instance = one_clip("0.25")
    names = ("", "x", "facebook", "ínstagram", "   ", "insta gram", "TIKTOKK")
    instance.sql("".join(log(f"p{i}", "pending", NOW, platform=n) for i, n in enumerate(names)) +
                 log("p9", "pending", NOW, platform="  TikTok  ") +
                 job("j1", "failed", "'{\"platform\":\"ínstagram\"}'"))
    instance.sql("UPDATE publish_logs SET status='failed', error_message=printf('%.*c',200000,'e')"
                 " WHERE id='p1'; UPDATE jobs SET params='{\"platform\":\"facebook\",\"pad\":\"'"
                 " || printf('%.*c',200000,'p') || '\"}'")
    queue, platforms = instance.stat("queue"), instance.stat("platforms", "include=extended")
    expect_fields(queue, "queue", pending=len(names), failed=1)
    expect_fields(platforms["other"], "other", clips_ready=1, avg_score=0.25, jobs_failed=1,
                  posts_pending=len(names) - 1)
    expect_fields(platforms["tiktok"], "tiktok", posts_pending=1)
    expect(len(platforms["other"]["last_failure"]["error"]) <= 2048, "a long error text is cut")


@test("edge 8: processing logs without an account are no workers; an account counts once")
def _():
    instance = one_clip()
    instance.sql(log("p1", "processing", NOW) + log("p2", "processing", NOW))
    expect_fields(instance.stat("orchestrator"), "orchestrator", active_workers=0)
    expect_fields(instance.stat("queue"), "queue", processing=2)
    instance.sql(log("p3", "processing", NOW, account="'a1'") +
                 log("p4", "processing", NOW, account="'a1'"))
    expect_fields(instance.stat("orchestrator"), "orchestrator", active_workers=1)


@test("edge 9: a deleted clip takes its logs with it, a deleted account leaves them")
def _():
    instance = one_clip("0.5")
    instance.sql(log("p1", "processing", NOW, account="'a1'") +
                 log("p2", "success", NOW, NOW + 5) + "DELETE FROM social_accounts")
    expect_fields(instance.stat("orchestrator"), "orchestrator", active_workers=0)
    expect_fields(instance.stat("queue"), "queue", processing=1, success=1)
    instance.sql("INSERT INTO campaigns(id,name,clip_id,budget_cents,created_at,updated_at)"
                 " VALUES('k1','K','c1',1,1,1)")
    try:
        instance.sql("DELETE FROM clips")
        expect(False, "a clip with a campaign was deleted")
    except sqlite3.IntegrityError:
        pass
    expect_fields(instance.stat("queue"), "queue", processing=1, success=1)
    instance.sql("DELETE FROM campaigns; DELETE FROM clips")
    expect_answers(instance, {**EMPTY, "overview": EMPTY["overview"].replace(
        '"total_videos":0', '"total_videos":1')})
    instance.run("verify")


@test("edge 10: a clip counts once per platform")
def _():
    instance = one_clip("0.5")
    instance.sql(log("p1", "success", NOW, NOW) + log("p2", "success", NOW, NOW) +
                 log("p3", "pending", NOW) + log("p4", "success", NOW, NOW, platform="youtube"))
    platforms = instance.stat("platforms")
    expect_fields(platforms["tiktok"], "tiktok", clips_published=1, clips_ready=1)
    expect_fields(platforms["youtube"], "youtube", clips_published=1, clips_ready=0)


@test("edge 11: leap days and times beyond 2038 are shown as they are")
def _():
    instance = one_clip()
    for at, shown in ((1835395200000, "2028-02-29T00:00:00Z"),
                      (1835481599999, "2028-02-29T23:59:59.999Z"),
                      (1835481600000, "2028-03-01T00:00:00Z"),
                      (2147483648000, "2038-01-19T03:14:08Z"), (4107542400000, "2100-03-01T00:00:00Z"),
                      (LATEST, "9999-12-31T23:59:59.999Z")):
        instance.sql(f"DELETE FROM publish_logs;{log('p1', 'pending', at)}")
        expect_equal(instance.stat("orchestrator")["last_run_at"], shown, at)


@test("edge 14: quotes, control characters and invalid UTF-8 give valid JSON")
def _():
    instance = one_clip()
    instance.sql(log("p1", "failed", NOW))
    for literal, text in (("'a\"b\\c'", 'a"b\\c'), ("char(9,10,13,1,127)", "\t\n\r\x01\x7f"),
                          ("char(8232)", "\u2028"), ("'ż😀'", "ż😀")):
        instance.sql(f"UPDATE publish_logs SET error_message={literal}")
        failure = instance.stat("platforms", "include=extended")["tiktok"]["last_failure"]
        expect_equal(failure["error"], text, literal)
    instance.sql("UPDATE publish_logs SET error_message=CAST(x'61ff62c328' AS TEXT)")
    error = instance.stat("platforms", "include=extended")["tiktok"]["last_failure"]["error"]
    expect(error.startswith("a") and "b" in error and error.endswith("("),
           f"the valid part of a broken text is kept: {error!r}")


@test("edge 14: counts and money beyond 32 bits are exact")
def _():
    instance = one_clip()
    spent = 2**53 + 1           # no double holds it
    instance.sql(f"""INSERT INTO campaigns(id,name,clip_id,budget_cents,budget_spent_cents,status,
        created_at,updated_at) VALUES('k1','=1+1','c1',{4 * BIG},{spent},'active',1,1),
        ('k2','"','c1',0,{BIG},'draft',1,1)""")
    campaigns = instance.stat("campaigns", "include=extended")
    # 9007199254740993 + 2147483658 = 9007201402224651
    expect_fields(campaigns, "campaigns", total_budget=85899346.32)
    expect_equal(campaigns["total_budget_spent"], Decimal("90072014022246.51"), "spent")
    instance.sql(log("p1", "success", 0, BIG) + log("p2", "success", 0, LATEST))
    queue = instance.stat("queue", "include=extended")
    expect_equal(queue["p50_processing_time_ms"], BIG, "p50")
    expect_equal(queue["p95_processing_time_ms"], LATEST, "p95")
    # (2147483658 + 253402300799999) / 2 = 126702224141828.5
    expect_equal(queue["avg_processing_time_ms"], Decimal("126702224141828.5"), "average")


@test("window edges are inclusive, to the millisecond")
def _():
    for age, hour, day in ((HOUR - 1, 1, 1), (HOUR, 1, 1), (HOUR + 1, 0, 1), (DAY - 1, 0, 1),
                           (DAY, 0, 1), (DAY + 1, 0, 0)):
        # A clock inside a minute, so that the minute at the edge is really looked into.
        for now in (NOW, NOW + 12_345):
            instance = one_clip()
            instance.sql(log("p1", "success", 0, now - age, created_at=now - age))
            seen = instance.stat("orchestrator", PH_NOW_MS=str(now))
            expect_fields(seen, f"age {age}", actions_last_run=hour, actions_last_24h=day)
            queue = instance.stat("queue", "include=extended", PH_NOW_MS=str(now))
            expect_fields(queue, f"age {age}", throughput_per_hour=hour)


@test("what finishes now counts as throughput, a millisecond later it does not")
def _():
    for at, done in ((NOW, 1), (NOW + 1, 0)):
        instance = one_clip()
        instance.sql(log("p1", "success", 0, at))
        expect_fields(instance.stat("queue", "include=extended"), f"at {at}", throughput_per_hour=done)


@test("a post of midnight is of today, one of a millisecond before is not")
def _():
    midnight = NOW - NOW % DAY
    for offset in (0, 90, -90):
        for at, today in ((midnight - offset * MINUTE, 1), (midnight - offset * MINUTE - 1, 0)):
            instance = one_clip()
            instance.sql(log("p1", "success", 0, at))
            seen = instance.stat("platforms", f"include=extended&tz_offset={offset}")
            expect_fields(seen["tiktok"], f"at {at}, tz_offset={offset}", posts_today=today)


run()
