#!/usr/bin/env -S /usr/bin/python3 -B
"""The lists: every order, filter and page against rows that Python filters and sorts itself."""
import base64
import json
import os
import random
import re
import stat
import threading
import urllib.parse

import jsonschema

from harness import (BUILD, NOW, Instance, expect, expect_equal, expect_problem, run, test)

HOUR, DAY = 3600000, 86400000
TEXT_MAX = 2048
TOTAL_MAX = 10000
SCAN_MAX = 50000                # rows a page tests one by one, as in lib/domain/list-sql.c
PLATFORMS = ["instagram", "Instagram", " TIKTOK ", "tiktok", "youtube", "facebook", "Facebook", "linkedin",
             "LinkedIn ", "x", "", "ínstagram"]
LOG_STATUSES = ["scheduled", "pending", "processing", "retry", "success", "failed"]
JOB_STATUSES = ["pending", "processing", "retry", "completed", "failed"]
CLIP_STATUSES = ["pending", "processing", "ready", "published", "failed"]
CAMPAIGN_STATUSES = ["draft", "active", "paused", "completed"]
JSONS = [None, '{"platform":"tiktok"}', '{"platform":" YouTube "}', '{"platform":"linkedin"}', '{"platform":7}',
         '{bad', '', '[1]', '5', '{"platform":"facebook","n":1.5}', '"text"', '{"a":"' + "é" * 2000 + '"}']
WORDS = ["rate limit", "100%", "a_b", "back\\slash", "quota", "Ünïcode", "it's", 'say "no"', "=1+1", "line\nbreak"]
chance = random.Random(20251122)


def uuid():
    return "%08x-%04x-4%03x-8%03x-%012x" % tuple(chance.getrandbits(n) for n in (32, 16, 12, 12, 48))


def instant():
    """Many rows share an instant, so that the order among them is seen."""
    return NOW - chance.choice([0, 1, HOUR, DAY, 7 * DAY, chance.randrange(40 * DAY), -chance.randrange(HOUR)])


def text():
    return chance.choice([None, *WORDS, " ".join(chance.sample(WORDS, 2)), "ж" * 1500])


def fill(db):
    def insert(table, **row):
        db.execute(f"INSERT INTO {table} ({','.join(row)}) VALUES ({','.join('?' * len(row))})", list(row.values()))
        return row.get("id")

    db.execute("BEGIN IMMEDIATE")
    videos = [insert("video_assets", id=uuid(), title=text(), description=text(), release_date=chance.choice([None, 0, NOW]),
                     file_size=chance.choice([None, 3 << 30]), created_at=instant(), updated_at=1) for _ in range(40)]
    clips = [insert("clips", id=uuid(), video_asset_id=chance.choice(videos), start_ms=0, end_ms=1500, duration_ms=1500,
                    visual_score=chance.choice([None, 0.0, 0.5, 1.0, chance.random()]),
                    status=chance.choice(CLIP_STATUSES), params=chance.choice(JSONS), created_at=instant(), updated_at=2)
             for _ in range(120)]
    for _ in range(60):
        insert("clip_variants", id=uuid(), clip_id=chance.choice(clips), variant_number=chance.randrange(4),
               platform=chance.choice(PLATFORMS), status="ready", created_at=instant())
    jobs = [insert("jobs", id=uuid(), job_type=chance.choice(["cut", "score", "render"]), status=chance.choice(JOB_STATUSES),
                   params=chance.choice(JSONS), result=chance.choice(JSONS), video_asset_id=chance.choice([None, *videos]),
                   clip_id=chance.choice([None, *clips]), error_message=text(), created_at=instant(), updated_at=3)
            for _ in range(200)]
    for _ in range(60):
        insert("campaigns", id=uuid(), name=chance.choice(WORDS), clip_id=chance.choice(clips),
               budget_cents=chance.randrange(10 ** 12), budget_spent_cents=chance.choice([0, 1, 12345]),
               targeting=chance.choice(JSONS), status=chance.choice(CAMPAIGN_STATUSES), created_at=instant(), updated_at=4)
    accounts = [insert("social_accounts", id=uuid(), platform="tiktok", handle=chance.choice(WORDS), created_at=1,
                       updated_at=1) for _ in range(5)]
    logs = []
    for _ in range(600):
        at, status = instant(), chance.choice(LOG_STATUSES)
        logs.append(insert(
            "publish_logs", id=uuid(), clip_id=chance.choice(clips), platform=chance.choice(PLATFORMS), status=status,
            social_account_id=chance.choice([None, *accounts]), error_message=text(), requested_at=max(0, at),
            # Who writes the status may leave these as they were.
            published_at=chance.choice([None, at - 5, at, at + 2500]) if status in ("success", "failed") else None,
            failed_at=chance.choice([None, at + 9]) if status in ("failed", "retry", "success") else None,
            scheduled_for=chance.choice([None, at + HOUR]), retry_count=chance.randrange(4),
            external_url=chance.choice([None, "https://example.org/p"]), created_at=at, updated_at=at))
    for _ in range(300):
        kind = chance.choice([("publish_log", chance.choice(logs)), ("clip", chance.choice(clips)), (None, None)])
        insert("ledger_events", id=uuid(), timestamp=instant(), event_type=chance.choice(["publish.done", "action.retry", "action.retry", "act%on.x", "job.failed"]),
               entity_type=kind[0], entity_id=kind[1], event_data=chance.choice(JSONS),
               severity=chance.choice(["INFO", "WARN", "ERROR"]), job_id=chance.choice([None, *jobs]),
               clip_id=chance.choice([None, *clips]))
    for _ in range(20):         # nanoseconds of another program, closer together than doubles are
        insert("ledger_events", id=uuid(), timestamp=(NOW * 10 ** 6) + chance.randrange(90), event_type="publish.done",
               severity="INFO")
    insert("ledger_events", id=uuid(), timestamp=2 ** 63 - 2, event_type="publish.done", severity="INFO")
    for _ in range(80):
        at = instant()
        insert("alert_events", id=uuid(), alert_type=chance.choice(["queue_saturation", "campaign_blocked"]),
               severity=chance.choice(["info", "warning", "critical"]), message=chance.choice(WORDS),
               metadata=chance.choice(JSONS[1:]), state=chance.choice(["firing", "resolved"]), created_at=at, updated_at=at,
               read=chance.randrange(2))
    for _ in range(30):
        at = instant()
        insert("orchestrator_runs", id=uuid(), started_at=at, finished_at=chance.choice([None, at + 800]),
               trigger=chance.choice(["loop", "manual"]), actions=3, succeeded=2, failed=1, summary=text())
    db.execute("COMMIT")


instance = Instance(now=NOW).with_admin()
with instance.connect() as _db:
    fill(_db)
_db.close()
instance.add_user("viewer", "viewer")
viewer = instance.make_token("viewer")
no_scope = instance.make_token("viewer", "--scopes", "guides:read")
instance.start()


# -- what the lists should be, from the base rows alone ---------------------------------


def platform_of(name):
    return name.strip(" ").translate({c: c + 32 for c in range(65, 91)})


def selects(platforms, name):
    """Does a platform filter let a normalised name through?"""
    return any(name == p or (p == "other" and name not in ("instagram", "tiktok", "youtube")) for p in platforms)


def rows_of(sql):
    db = instance.connect()
    db.text_factory = lambda b: b.decode(errors="replace")
    cursor = db.execute(sql)
    names = [d[0] for d in cursor.description]
    rows = [dict(zip(names, row)) for row in cursor]
    db.close()
    return rows


def like(word, *texts):
    def fold(s):
        return s.translate({c: c + 32 for c in range(65, 91)})
    return any(t is not None and fold(word) in fold(t) for t in texts)


def job_platform(params):
    try:
        name = json.loads(params)["platform"]
        return platform_of(name) or None if isinstance(name, str) else None
    except (TypeError, ValueError, KeyError):
        return None


class List:
    """path; rows; per row: id, sort values, time, status, platform names, searched texts, extras."""

    def __init__(self, path, table, time, sorts, status=None, platforms=None, searched=(), extras=None):
        self.path, self.time, self.sorts, self.status = f"/dashboard/{path}", time, sorts, status
        self.platforms, self.searched, self.extras = platforms, searched, extras or {}
        self.rows = rows_of(f"SELECT * FROM {table}")

    def want(self, sort=None, status=None, platform=None, since=0, until=None, q=None, **extras):
        """Ids in order."""
        name = sort or "-" + next(iter(self.sorts))
        has_value = self.sorts[name.lstrip("-")]
        key = name.lstrip("-")
        found = []
        for row in self.rows:
            if not has_value(row) or (status and row[self.status] not in status) or row[self.time] < since or \
                    (until is not None and row[self.time] >= until) or \
                    (platform and not any(selects(platform, p) for p in self.platforms(row))) or \
                    (q and not str(row["id"]).lower().startswith(q.lower()) and
                     not like(q, *(s(row) if callable(s) else row[s] for s in self.searched))) or \
                    any(row[self.extras[n]] != v for n, v in extras.items()):
                continue
            found.append(row)
        found.sort(key=lambda row: (row[key], row["id"]), reverse=name[0] == "-")
        return [row["id"] for row in found]


videos = {v["id"]: v for v in rows_of("SELECT * FROM video_assets")}
clips = {c["id"]: c for c in rows_of("SELECT * FROM clips")}
logs_of = {}
for _log in rows_of("SELECT * FROM publish_logs"):
    logs_of.setdefault(_log["clip_id"], []).append(_log)


def clip_title(row):
    return videos[clips[row["clip_id"]]["video_asset_id"]]["title"]


def clip_platforms(clip_id):
    return [platform_of(log["platform"]) for log in logs_of.get(clip_id, [])]


def always(row):
    return True


LISTS = {
    "publications": List(
        "publications", "publish_logs", "requested_at",
        {"requested_at": always,
         "published_at": lambda r: r["status"] == "success" and r["published_at"] is not None,
         "failed_at": lambda r: r["status"] == "failed" and r["failed_at"] is not None,
         "scheduled_for": lambda r: r["status"] in ("scheduled", "pending") and r["scheduled_for"] is not None},
        "status", lambda r: [platform_of(r["platform"])], ["error_message", clip_title],
        {"clip_id": "clip_id", "account_id": "social_account_id"}),
    "jobs": List("jobs", "jobs", "created_at", {"created_at": always}, "status",
                 lambda r: [p for p in [job_platform(r["params"])] if p],
                 ["job_type", "error_message",
                  lambda r: videos[r["video_asset_id"]]["title"] if r["video_asset_id"] else None],
                 {"job_type": "job_type", "clip_id": "clip_id", "video_id": "video_asset_id"}),
    "clips": List("clips", "clips", "created_at",
                  {"created_at": always, "visual_score": lambda r: r["visual_score"] is not None}, "status",
                  lambda r: clip_platforms(r["id"]), [lambda r: videos[r["video_asset_id"]]["title"]],
                  {"video_id": "video_asset_id"}),
    "campaigns": List("campaigns", "campaigns", "created_at", {"created_at": always}, "status",
                      lambda r: clip_platforms(r["clip_id"]), ["name", clip_title], {"clip_id": "clip_id"}),
    "videos": List("videos", "video_assets", "created_at", {"created_at": always}, None,
                   lambda r: [p for c in clips.values() if c["video_asset_id"] == r["id"] for p in clip_platforms(c["id"])],
                   ["title"]),
    "ledger": List("ledger", "ledger_events", "timestamp", {"timestamp": always}, None, None,
                   ["event_type", "event_data"],
                   {"event_type": "event_type", "severity": "severity", "clip_id": "clip_id", "job_id": "job_id"}),
    "alerts": List("alerts", "alert_events", "created_at", {"created_at": always}, "state", None,
                   ["message", "alert_type"], {"severity": "severity", "alert_type": "alert_type"}),
    "runs": List("orchestrator/runs", "orchestrator_runs", "started_at", {"started_at": always}, None, None,
                 ["summary"], {"trigger": "trigger"}),
    "audit": List("audit", "audit_log", "at", {"at": always}, None, None, ["action", "target", "path"],
                  {"action": "action", "actor": "actor"}),
}
STATUSES = {"publications": LOG_STATUSES, "jobs": JOB_STATUSES, "clips": CLIP_STATUSES, "campaigns": CAMPAIGN_STATUSES,
            "alerts": ["firing", "resolved"]}


def page(path, **params):
    answer = instance.request(f"{path}?{urllib.parse.urlencode(params)}")
    expect(answer.status == 200, f"{path} {params}: {answer}")
    return answer.json


def walk(path, **params):
    """All items by cursor, and the first page."""
    first = body = page(path, **params)
    items = list(body["items"])
    while body["next_cursor"] is not None:
        body = page(path, cursor=body["next_cursor"], **params)
        items += body["items"]
        expect(len(items) < 5000, f"{path} {params} has an end")
    return items, first


def ids(items):
    return [item["id"] for item in items]


# -- tests -------------------------------------------------------------------------------


@test("every list in every order, page by page, is the rows in order, ties by id")
def _():
    for name, one in LISTS.items():
        for key in one.sorts:
            for sort in (key, "-" + key):
                for limit in (7, 500):
                    want = one.want(sort)
                    items, first = walk(one.path, sort=sort, limit=limit)
                    expect_equal(ids(items), want, f"{name} by {sort}, {limit} a page")
                    expect_equal((first["total"], first["total_capped"], first["limit"]), (len(want), False, limit),
                                 f"total of {name} by {sort}")
    for name, one in LISTS.items():
        if name != "audit":
            expect_equal(ids(walk(one.path)[0]), one.want(), f"{name} in its default order")


@test("an order has the same rows whatever else is asked for")
def _():
    one = LISTS["publications"]
    for key in one.sorts:
        for extra, column in one.extras.items():
            for value in sorted({row[column] for row in one.rows if row[column] is not None})[:60]:
                expect_equal(ids(page(one.path, sort=key, limit=500, **{extra: value})["items"]),
                             one.want(key, **{extra: value}), f"by {key}, {extra} {value}")


@test("every filter and combination of filters lets through what it should")
def _():
    seen = set()
    for _ in range(400):
        name = chance.choice([n for n in LISTS if n != "audit"] + ["publications"] * 4)
        one = LISTS[name]
        asked, want = {}, {}
        if chance.random() < 0.6:
            want["sort"] = asked["sort"] = chance.choice(["", "-"]) + chance.choice(list(one.sorts))
        if name in STATUSES and chance.random() < 0.6:
            want["status"] = chance.sample(STATUSES[name], min(len(STATUSES[name]), chance.choice([1, 1, 2, 3])))
            asked["status"] = ",".join(want["status"])
        if one.platforms and chance.random() < 0.6:
            want["platform"] = chance.sample(["instagram", "tiktok", "youtube", "other", "facebook", "linkedin", "x",
                                              "nowhere"], chance.choice([1, 1, 2, 3]))
            asked["platform"] = ", ".join(p.upper() for p in want["platform"])
        window = chance.random()
        if window < 0.2:
            asked["days_back"], want["since"] = 7, NOW - 7 * DAY
        elif window < 0.4:
            asked["from"], want["since"] = "-36h", NOW - 36 * HOUR
        elif window < 0.6:
            asked["from"], want["since"] = str(NOW - DAY), NOW - DAY
            asked["to"], want["until"] = "2025-11-22T10:30:00Z", NOW
        elif window < 0.7:
            asked["to"], want["until"] = str(NOW), NOW
        if chance.random() < 0.3:
            want["q"] = asked["q"] = chance.choice([*(w for w in WORDS if "\n" not in w), "e", "%", "_", "RATE", "zzz",
                                                    one.rows[0]["id"][:3], one.rows[1]["id"]])
        for extra, column in one.extras.items():
            value = chance.choice(one.rows)[column]
            if value is not None and chance.random() < 0.15:
                want[extra] = asked[extra] = value
        items, first = walk(one.path, limit=chance.choice([1, 3, 50, 500]) if len(one.rows) < 100 else 50, **asked)
        wanted = one.want(**want)
        expect_equal(ids(items), wanted, f"{name} {asked}")
        expect_equal((first["total"], first["total_capped"]), (len(wanted), False), f"total of {name} {asked}")
        seen.add(bool(wanted))
    expect_equal(seen, {True, False}, "some found rows, some did not")
    for value in ("true", "false"):
        want = [i for i in LISTS["alerts"].want() if i in
                {r["id"] for r in LISTS["alerts"].rows if bool(r["read"]) == (value == "true")}]
        expect_equal(ids(walk("/dashboard/alerts", read=value)[0]), want, f"read={value}")


def iso(ms):
    if ms is None:
        return None
    from datetime import datetime, timedelta
    at = datetime(1970, 1, 1) + timedelta(milliseconds=ms)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{ms % 1000:03d}" if ms % 1000 else "") + "Z"


def cut(s):
    return None if s is None else s.encode()[:TEXT_MAX].decode(errors="ignore")


def as_json(s):
    if s is None:
        return None
    try:
        return json.loads(s) if len(s.encode()) <= TEXT_MAX else cut(s)
    except ValueError:
        return cut(s)


@test("the items of publications and jobs are their rows")
def _():
    handles = {a["id"]: a["handle"] for a in rows_of("SELECT * FROM social_accounts")}
    for item, (_, row) in zip(walk("/dashboard/publications", limit=500)[0], sorted(
            ((r["requested_at"], r["id"]), r) for r in LISTS["publications"].rows)[::-1]):
        time = None if row["status"] != "success" or row["published_at"] is None or \
            row["published_at"] < row["requested_at"] else row["published_at"] - row["requested_at"]
        expect_equal(item, {
            "id": row["id"], "clip_id": row["clip_id"], "video_title": cut(clip_title(row)),
            "platform": platform_of(row["platform"]), "status": row["status"], "schedule_type": "immediate",
            "scheduled_for": iso(row["scheduled_for"]), "requested_at": iso(row["requested_at"]),
            "published_at": iso(row["published_at"]), "failed_at": iso(row["failed_at"]), "processing_time_ms": time,
            "age_seconds": max(0, NOW - row["requested_at"]) / 1000, "retry_count": row["retry_count"], "max_retries": 3,
            "account_handle": handles.get(row["social_account_id"]), "external_url": row["external_url"],
            "error_message": cut(row["error_message"])}, "a publication")
    by_id = {r["id"]: r for r in LISTS["jobs"].rows}
    for item in walk("/dashboard/jobs")[0]:
        row = by_id[item["id"]]
        expect_equal((item["params"], item["result"], item["platform"], item["error_message"]),
                     (as_json(row["params"]), as_json(row["result"]), job_platform(row["params"]),
                      cut(row["error_message"])), f"job with params {row['params']!r}")


@test("a campaign tells the platforms of its clip, and how many publish logs there are on each")
def _():
    clip_of = {r["id"]: r["clip_id"] for r in LISTS["campaigns"].rows}
    seen = walk("/dashboard/campaigns")[0]
    for item in seen:
        counts, names = {}, set()
        for log in LISTS["publications"].rows:
            if log["clip_id"] == clip_of[item["id"]]:
                name = platform_of(log["platform"])
                name = name if name in ("instagram", "tiktok", "youtube", "facebook") else "other"
                names.add(name)
                for key in {name, "other"} if name == "facebook" else {name}:
                    counts[key] = counts.get(key, 0) + 1
        expect_equal((item["publications_per_platform"], item["platforms"]),
                     (counts, ",".join(sorted(names)) or None), item["id"])
    expect(any("facebook" in item["publications_per_platform"] for item in seen), "one on facebook")


@test("every answer fits the schema that its program declares")
def _():
    document = json.loads((BUILD / "share" / "openapi.json").read_text())
    for name, one in LISTS.items():
        schema = document["paths"][one.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(page(one.path, limit=500), {**schema, "components": document["components"]})
        item_path = one.path + "/{id}"
        if item_path in document["paths"] and "get" in document["paths"][item_path] and name != "alerts":
            schema = document["paths"][item_path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            for row in one.rows[:20]:
                jsonschema.validate(page(f"{one.path}/{row['id']}"), {**schema, "components": document["components"]})


@test("jobs by type are a count of the rows, the type with the most first")
def _():
    statuses = ("pending", "processing", "retry", "completed", "failed")
    counts = {}
    for row in LISTS["jobs"].rows:
        counts.setdefault(row["job_type"], []).append(row["status"])
    want = [{"job_type": name, "total": len(seen), **{status: seen.count(status) for status in statuses}}
            for name, seen in sorted(counts.items(), key=lambda c: (-len(c[1]), c[0]))]
    expect(len(want) > 1, "several types")
    expect_equal(page("/dashboard/stats/job-types"), {"types": want}, "types")


@test("ledger events by type are a count of the rows in any window, and of types that begin alike")
def _():
    path = "/dashboard/stats/event-types"
    events = [(row["timestamp"], row["event_type"]) for row in LISTS["ledger"].rows]
    bounds = [NOW + 1, NOW, NOW - 1, NOW - 5, NOW - HOUR, NOW - NOW % HOUR, NOW - NOW % HOUR - HOUR,
              *(NOW - chance.randrange(40 * DAY) for _ in range(30))]
    for n in range(120):
        start, end = sorted(chance.sample(bounds, 2))
        prefix = chance.choice([None, "action.", "act%", "job.failed", "job.failedx", "A"])
        counts = {}
        for at, name in events:
            if start <= at < end and name.startswith(prefix or ""):
                counts[name] = counts.get(name, 0) + 1
        want = [{"event_type": k, "count": c} for k, c in sorted(counts.items(), key=lambda c: (-c[1], c[0]))]
        seen = page(path, **{"from": start, "to": end, "time": "ms"}, **({"prefix": prefix} if prefix else {}))
        expect_equal(seen, {"from": start, "to": end, "types": want}, f"from {start} to {end}, {prefix}")
    since = lambda days: sum(NOW - days * DAY <= at <= NOW for at, _ in events)
    for query, days in (({}, 1), ({"days_back": 7}, 7), ({"from": "-2d"}, 2)):
        expect_equal(sum(t["count"] for t in page(path, **query)["types"]), since(days), f"{query}")
    expect(0 < since(1) < since(7), "some are older")
    for query, param in (("from=5&to=5", "from"), (f"from={NOW + 1}", "from"), ("from=-401d", "from"),
                         ("from=-1d&days_back=1", "days_back"), ("days_back=401", "days_back"), ("prefix=", "prefix"),
                         ("to=yesterday", "to")):
        answer = instance.request(f"{path}?{query}")
        expect_problem(answer, 422, "invalid_parameter")
        expect_equal([e["param"] for e in answer.json["errors"]], [param], query)
    expect_problem(instance.request(path, token=no_scope), 403, "scope_missing")
    expect_problem(instance.request(path, method="POST", body="{}"), 405, "method_not_allowed")


@test("a single item is the whole row with what belongs to it")
def _():
    events = rows_of("SELECT * FROM ledger_events ORDER BY timestamp DESC, id DESC")
    for row in LISTS["publications"].rows[:60]:
        item = page(f"/dashboard/publications/{row['id']}")
        expect_equal(item["error_message"], row["error_message"], "the whole error")
        expect_equal(ids(item["events"]), [e["id"] for e in events if (e["entity_type"], e["entity_id"]) ==
                                           ("publish_log", row["id"])], "events, newest first")
    for row in LISTS["jobs"].rows[:20]:
        expect_equal(ids(page(f"/dashboard/jobs/{row['id']}")["events"]),
                     [e["id"] for e in events if e["job_id"] == row["id"]], "events of a job")
    variants = rows_of("SELECT * FROM clip_variants ORDER BY variant_number, id")

    def newest(rows):
        return [r["id"] for r in sorted(rows, key=lambda r: (r["requested_at"], r["id"]), reverse=True)]
    for clip in list(clips)[:40]:
        item = page(f"/dashboard/clips/{clip}")
        expect_equal(ids(item["variants"]), [v["id"] for v in variants if v["clip_id"] == clip], "variants")
        logs = logs_of.get(clip, [])
        expect_equal((ids(item["publications"]), item["publication_count"], item["published_count"]),
                     (newest(logs), len(logs), sum(r["status"] == "success" for r in logs)), "publications of a clip")
    for row in LISTS["campaigns"].rows[:20]:
        item = page(f"/dashboard/campaigns/{row['id']}")
        expect_equal(ids(item["publications"]), newest(logs_of.get(row["clip_id"], [])), "publications of its clip")
        expect_equal(item["budget"], row["budget_cents"] / 100, "budget")
    for video in list(videos)[:10]:
        item = page(f"/dashboard/videos/{video}")
        own = [c for c in clips.values() if c["video_asset_id"] == video]
        expect_equal(ids(item["clips"]), [c["id"] for c in sorted(own, key=lambda c: (c["created_at"], c["id"]),
                                                                   reverse=True)], "clips of a video")
        expect_equal(item["clip_count"], len(own), "their number")


@test("an unknown item is 404, whatever it is called")
def _():
    for name in ("publications", "jobs", "clips", "campaigns", "videos"):
        for bad in ("nowhere", uuid(), "%27%20OR%201", "a" * 600, "%00", "%ff"):
            answer = instance.request(f"/dashboard/{name}/{bad}")
            if bad == "%00" and answer.status == 400:
                continue        # nginx refuses it by itself
            expect_problem(answer, 404, "not_found")


@test("offset skips rows, and its cursor goes on behind them")
def _():
    want = LISTS["publications"].want()
    body = page("/dashboard/publications", offset=100, limit=20)
    expect_equal(ids(body["items"]), want[100:120], "behind the offset")
    expect_equal(ids(page("/dashboard/publications", cursor=body["next_cursor"], limit=20)["items"]), want[120:140],
                 "by cursor")
    expect_equal(page("/dashboard/publications", offset=10000)["items"], [], "behind the end")


@test("fields= shows these and no others, in the order of the list")
def _():
    for item in page("/dashboard/publications", fields="status,id,age_seconds")["items"]:
        expect_equal(list(item), ["id", "status", "age_seconds"], "fields")
    for item in page("/dashboard/jobs", fields="params")["items"]:
        expect_equal(list(item), ["params"], "fields")


@test("time= shows instants as asked")
def _():
    row = sorted(LISTS["publications"].rows, key=lambda r: (r["requested_at"], r["id"]))[-1]
    for style, want in (("utc", iso(row["requested_at"])), ("naive", iso(row["requested_at"])[:-1]),
                        ("ms", row["requested_at"])):
        expect_equal(page("/dashboard/publications", limit=1, time=style)["items"][0]["requested_at"], want, style)


@test("Link leads to the next page with the same parameters, and to the end")
def _():
    path = "/dashboard/publications?limit=100&status=success,failed&q=%22&n=%C3%BC<>"
    want = LISTS["publications"].want(status=["success", "failed"], q='"')
    found = []
    while path:
        answer = instance.request(path.replace("<>", "%3C%3E"))
        found += ids(answer.json["items"])
        link = answer.headers["Link"]
        expect_equal(link is None, answer.json["next_cursor"] is None, "Link and next_cursor")
        if link:
            match = re.fullmatch(r'<(/dashboard/publications\?[!-;=?-~]+)>; rel="next"', link)
            expect(match, link)
            asked = urllib.parse.parse_qs(match[1].partition("?")[2])
            expect_equal({k: v[0] for k, v in asked.items() if k != "cursor"},
                         {"limit": "100", "status": "success,failed", "q": '"', "n": "ü<>"}, "kept parameters")
        path = match[1] if link else None
    expect_equal(found, want, "by Link alone")


@test("a query too long for a header has no Link but a cursor")
def _():
    answer = instance.request("/dashboard/publications?limit=1&n=" + "x" * 4000)
    expect_equal((answer.status, answer.headers["Link"]), (200, None), "Link")
    expect(answer.json["next_cursor"], "next_cursor")


@test("no row comes twice or is missing while others come and go")
def _():
    stop = threading.Event()
    stable = set(LISTS["publications"].want())
    clip = next(iter(clips))

    def disturb():
        db = instance.connect()
        made = []
        while not stop.is_set():
            for _ in range(20):
                made.append(uuid())
                at = chance.choice(LISTS["publications"].rows)["requested_at"]
                db.execute("INSERT INTO publish_logs (id, clip_id, platform, status, requested_at, created_at, updated_at)"
                           " VALUES (?, ?, 'tiktok', 'pending', ?, 1, 1)", (made[-1], clip, at))
            for _ in range(15):
                db.execute("DELETE FROM publish_logs WHERE id = ?", (made.pop(chance.randrange(len(made))),))
        for log in made:
            db.execute("DELETE FROM publish_logs WHERE id = ?", (log,))
        db.close()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for params in ({"limit": 13}, {"limit": 7, "sort": "requested_at"}, {"limit": 17, "platform": "tiktok,other"},
                       {"limit": 11, "status": "pending,failed"}):
            want = set(LISTS["publications"].want(**{k: v.split(",") for k, v in params.items() if k in ("platform", "status")}))
            seen = []
            body = page("/dashboard/publications", **params)
            for _ in range(2000):
                seen += ids(body["items"])
                if body["next_cursor"] is None or want <= set(seen):
                    break
                body = page("/dashboard/publications", cursor=body["next_cursor"], **params)
            expect_equal(len(seen), len(set(seen)), f"no row twice, {params}")
            expect_equal(want - set(seen), set(), f"no row missing, {params}")
    finally:
        stop.set()
        thread.join()
    expect(stable, "there were rows")


@test("pages of a relative window stay within the window of the first page")
def _():
    first = page("/dashboard/publications", days_back=7, limit=5)
    payload = json.loads(base64.urlsafe_b64decode(first["next_cursor"].split(".")[0] + "==="))
    expect_equal(payload["from"], NOW - 7 * DAY, "the window is in the cursor")


def refused(path, name):
    answer = instance.request(path)
    expect_problem(answer, 422, "invalid_parameter")
    expect_equal({e["param"] for e in answer.json["errors"]}, {name}, f"what is refused in {path}")


@test("a cursor that was changed, or is of other filters, is 422")
def _():
    path = "/dashboard/publications"
    cursor = page(path, limit=1, status="success")["next_cursor"]
    other = "&limit=1&status=success"
    for i in range(0, len(cursor), 5):
        changed = cursor[:i] + ("A" if cursor[i] != "A" else "B") + cursor[i + 1:]
        refused(f"{path}?cursor={changed}{other}", "cursor")
    body, mac = cursor.split(".")
    forged = base64.urlsafe_b64encode(b'{"v":1,"i":"x","f":"y"}').decode().rstrip("=")
    for bad in (body, "." + mac, body + ".", forged + "." + mac, "x", "..", body + "." + mac[:-1], mac + "." + body,
                cursor + "A", "a" * 2199, "%F0%9F%92%A9"):
        refused(f"{path}?cursor={bad}{other}", "cursor")
    refused(f"{path}?cursor={'a' * 2300}{other}", "cursor")
    for query in ("", "&status=failed", "&status=success,failed", "&status=success&q=a", "&status=success&platform=x",
                  "&status=success&sort=requested_at", "&status=success&from=-1d", "&status=success&clip_id=a"):
        refused(f"{path}?cursor={cursor}{query}", "cursor")
    refused(f"/dashboard/jobs?cursor={cursor}", "cursor")
    for query in ("&limit=3", "&fields=id", "&time=ms", "&n=1"):
        expect_equal(instance.request(f"{path}?cursor={cursor}&status=success{query}").status, 200, query)
    elsewhere = Instance(now=NOW).with_admin()
    answer = elsewhere.run("get", f"{path}?cursor={cursor}{other}", status=4)
    expect("invalid_parameter" in answer.stdout, "the cursor of another installation")


@test("rows with ids longer than any other come once each, too")
def _():
    at, clip = NOW + 3 * DAY, next(iter(clips))
    want = ["a" * 511, "b" * 512, "c" * 513, "d" * 600, "e" * TEXT_MAX, "f"]
    values = ",".join(f"('{i}', '{clip}', 'tiktok', 'pending', {at}, 1, 1)" for i in want)
    instance.sql("INSERT INTO publish_logs (id, clip_id, platform, status, requested_at, created_at, updated_at) VALUES "
                 + values)
    try:
        for sort, rows in (("requested_at", want), ("-requested_at", want[::-1])):
            for limit in (1, 2, 5):
                expect_equal(ids(walk("/dashboard/publications", sort=sort, limit=limit, **{"from": at})[0]), rows,
                             f"by {sort}, {limit} a page")
    finally:
        instance.sql(f"DELETE FROM publish_logs WHERE requested_at = {at}")


@test("every bad parameter is named")
def _():
    path = "/dashboard/publications?"
    for query, name in (("limit=0", "limit"), ("limit=501", "limit"), ("limit=x", "limit"), ("limit=", "limit"),
                        ("offset=10001", "offset"), ("offset=-1", "offset"), ("sort=id", "sort"), ("sort=", "sort"),
                        ("sort=requested_at;drop", "sort"), ("status=done", "status"), ("status=", "status"),
                        ("status=success,", "status"), ("platform=", "platform"), ("platform=" + "x" * 51, "platform"),
                        ("platform=a,b,c,d,e,f,g,h,i", "platform"), ("from=yesterday", "from"),
                        ("from=2025-11-22T11:30:00 01:00", "from"), ("to=x", "to"), ("from=5&to=5", "from"),
                        ("days_back=0", "days_back"), ("days_back=366", "days_back"), ("days_back=1&from=5", "days_back"),
                        ("q=", "q"), ("q=" + "%C3%BC" * 101, "q"), ("q=a%0Ab", "q"), ("fields=", "fields"),
                        ("fields=id,secret", "fields"), ("time=now", "time"), ("format=pdf", "format"),
                        ("bom=2", "bom"), ("sep=x", "sep"), ("limit=1&limit=2", "limit"), ("q=%ff", "q"),
                        ("clip_id=", "clip_id")):
        refused(path + query.replace(" ", "+"), name)
    cursor = page("/dashboard/publications", limit=1)["next_cursor"]
    refused(f"{path}cursor={cursor}&offset=0", "offset")
    expect_equal(instance.request(path + "q=" + "%C3%BC" * 100).status, 200, "a hundred characters")
    refused("/dashboard/ledger?severity=LOUD", "severity")
    refused("/dashboard/alerts?read=maybe", "read")
    refused("/dashboard/orchestrator/runs?trigger=cat", "trigger")


@test("401 without a token, 403 without the scope, 405 for other methods")
def _():
    for name, one in LISTS.items():
        paths = [one.path]
        if name in ("publications", "jobs", "clips", "campaigns", "videos"):
            paths.append(f"{one.path}/{one.rows[0]['id']}")
        for path in paths:
            expect_problem(instance.request(path, token=""), 401, "credentials_missing")
            expect_problem(instance.request(path, token=no_scope), 403, "scope_missing")
            expect_problem(instance.request(path, "PATCH"), 405, "method_not_allowed")
            answer = instance.request(path, token=viewer)
            if name == "audit":
                expect_problem(answer, 403, "scope_missing")
            else:
                expect_equal(answer.status, 200, path)


@test("HEAD has the headers of GET, and an ETag that has not changed is 304")
def _():
    for path in ("/dashboard/publications?limit=3", "/dashboard/clips", "/dashboard/audit?limit=1",
                 f"/dashboard/clips/{next(iter(clips))}"):
        get, head = instance.request(path), instance.request(path, "HEAD")
        expect_equal((head.status, head.body), (200, b""), path)
        for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control", "Link", "Vary"):
            expect_equal(head.headers[name], get.headers[name], f"{name} of HEAD {path}")
        answer = instance.request(path, headers={"If-None-Match": get.headers["ETag"]})
        expect_equal((answer.status, answer.body), (304, b""), path)
        expect_equal(get.headers["Cache-Control"], "private, no-cache", path)


@test("what is not UTF-8, and texts of 200 kB, break nothing")
def _():
    clip = next(iter(clips))
    odd = uuid()
    instance.sql(f"""INSERT INTO publish_logs (id, clip_id, platform, status, error_message, requested_at, created_at,
        updated_at) VALUES ('{odd}', '{clip}', 'tiktok', 'failed', CAST(x'61ff62' AS TEXT) || replace(hex(zeroblob(100000)),
        '0', 'é'), {NOW + 2 * DAY}, 1, 1)""")
    try:
        item = page("/dashboard/publications", limit=1)["items"][0]
        expect_equal((item["id"], item["error_message"]), (odd, "a\ufffdb" + "é" * 1022), "cut between characters")
        item = page(f"/dashboard/publications/{odd}")
        expect_equal(item["error_message"], "a\ufffdb" + "é" * 200000, "the whole text")
    finally:
        instance.sql(f"DELETE FROM publish_logs WHERE id = '{odd}'")


@test("the secret of cursors is nobody else's, and is made when it is missing")
def _():
    secret = instance.home / "secret"
    expect_equal(stat.S_IMODE(secret.stat().st_mode), 0o600, "mode")
    before = secret.read_text()
    expect(re.fullmatch(r"[A-Za-z0-9_-]{43}", before), "256 bits as base64url")
    cursor = page("/dashboard/publications", limit=1)["next_cursor"]
    secret.unlink()
    refused(f"/dashboard/publications?limit=1&cursor={cursor}", "cursor")
    expect(page("/dashboard/publications", limit=1)["next_cursor"], "another secret")
    expect(secret.read_text() != before and stat.S_IMODE(secret.stat().st_mode) == 0o600, "it is new and private")
    secret.chmod(0o640)
    expect_problem(instance.request("/dashboard/publications?limit=1"), 500, "internal_error")
    secret.chmod(0o600)
    expect_equal(sorted(p.name for p in instance.home.glob("secret*")), ["secret"], "nothing is left over")


@test("lists are read while a writer holds the lock, and a missing database is 503")
def _():
    db = instance.connect()
    db.execute("BEGIN IMMEDIATE")
    expect_equal(instance.request("/dashboard/publications?limit=2").status, 200, "while somebody writes")
    db.execute("ROLLBACK")
    db.close()
    away = instance.home / "away.db"
    os.rename(instance.database, away)
    try:
        expect_problem(instance.request("/dashboard/publications?n=9"), 503, "database_missing", retryable=True)
    finally:
        os.rename(away, instance.database)
    expect_equal(instance.request("/dashboard/publications?limit=2").status, 200, "when it is back")


large = Instance(now=NOW).with_admin()


def large_ids(condition):
    """Of the logs that it lets through, newest first."""
    db = large.connect()
    found = [i for i, in db.execute(f"SELECT id FROM publish_logs WHERE {condition} ORDER BY requested_at DESC, id DESC")]
    db.close()
    return found


def large_walk(path):
    """All ids by cursor, the first page, and how many pages there were."""
    first = body = json.loads(large.get(path))
    found, pages = ids(body["items"]), 1
    path = re.sub("&offset=[0-9]+", "", path)
    while body["next_cursor"] is not None:
        body = json.loads(large.get(f"{path}&cursor={body['next_cursor']}"))
        found += ids(body["items"])
        pages += 1
    return found, first, pages


@test("above 10,000 the total is capped, and rare rows are found page by page")
def _():
    large.run("demo", "--rows", str(2 * SCAN_MAX + 20000))
    db = large.connect()
    for at in (0, SCAN_MAX + 5, 2 * SCAN_MAX + 19999):
        db.execute("UPDATE publish_logs SET error_message = 'a needle' WHERE id = (SELECT id FROM publish_logs"
                   " ORDER BY requested_at, id LIMIT 1 OFFSET ?)", (at,))
    db.close()
    want = large_ids("error_message = 'a needle'")
    body = json.loads(large.get("/dashboard/publications?limit=1"))
    expect_equal((body["total"], body["total_capped"]), (TOTAL_MAX, True), "a capped total")
    for sort in ("-requested_at", "requested_at"):
        found, first, pages = large_walk(f"/dashboard/publications?q=needle&sort={sort}")
        expect_equal(first["total_capped"], True, "not all was looked at")
        expect_equal(found, want if sort[0] == "-" else want[::-1], f"needles by {sort}")
        expect(3 <= pages <= 5, f"{pages} pages")


@test("a rare platform name costs a page no more than any other rare filter")
def _():
    db = large.connect()
    db.execute("UPDATE publish_logs SET platform = 'x' WHERE rowid <= ?", (SCAN_MAX + 10000,))
    db.execute("UPDATE publish_logs SET platform = 'rare' WHERE id IN (SELECT id FROM publish_logs"
               " WHERE platform = 'x' ORDER BY requested_at LIMIT 2)")
    db.close()
    found, first, pages = large_walk("/dashboard/publications?platform=rare")
    expect_equal(found, large_ids("platform = 'rare'"), "its rows")
    expect_equal((first["total_capped"], pages), (True, 2), "not all was looked at at once")


@test("offset skips rows, also those that only a later page finds")
def _():
    want = large_ids("error_message = 'a needle'")
    for sort, rows in (("-requested_at", want), ("requested_at", want[::-1])):
        for offset in range(5):
            path = f"/dashboard/publications?q=needle&sort={sort}&offset={offset}"
            expect_equal(large_walk(path)[0], rows[offset:], f"by {sort}, offset {offset}")
            file = large.get(path.replace("publications?", "export/publications.csv?") + "&fields=id")
            expect_equal(file.split()[1:], rows[offset:], f"a file by {sort}, offset {offset}")


run()
