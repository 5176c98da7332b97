#!/usr/bin/env -S /usr/bin/python3 -B
"""The actions: each against what it should do by hand, its bounds, its refusals, its traps.

Rows are compared before and after as a whole, so that what should not change is seen, too.
"""
import csv
import datetime
import json
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema

from harness import (BUILD, HERE, NOW, PILOTHOUSE, SOURCE, STATS, Instance, expect, expect_equal,
                     expect_problem, run, test, wait_until)

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
ACTIONS = {"force-publish": "publish", "retry-failed": "retry", "run-orchestrator": "run_orchestrator",
           "run-scheduler": "run_scheduler", "rebalance-queue": "rebalance_queue", "reschedule": "reschedule",
           "clear-failed": "clear_failed", "promote-clip": "promote",
           "publish-best-clip": "publish_best_clip", "optimize-schedule": "optimize_schedule",
           "generate-report": "generate_report"}
SCHEMA = json.loads((BUILD / "share/openapi.json").read_text())


def utc(ms):
    """As answers show an instant."""
    at = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{ms % 1000:03d}" if ms % 1000 else "") + "Z"


def ms(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def new_instance(**settings):
    """A video with a clip, ready."""
    instance = Instance(now=NOW, **settings)
    instance.sql("""INSERT INTO video_assets(id,created_at,updated_at) VALUES('v1',1,1);
        INSERT INTO clips(id,video_asset_id,start_ms,end_ms,duration_ms,visual_score,status,created_at,updated_at)
            VALUES('c1','v1',0,1,1,0.5,'ready',1,1)""")
    return instance


def add_logs(instance, *logs):
    """Each: id, status, and what differs from the usual."""
    with instance.connect() as db:
        db.execute("BEGIN IMMEDIATE")
        for log_id, status, *more in logs:
            row = {"clip_id": "c1", "platform": "tiktok", "requested_at": NOW - HOUR, **(more[0] if more else {})}
            row = {"id": log_id, "status": status, "created_at": row["requested_at"],
                   "updated_at": row["requested_at"], **row}
            db.execute(f"INSERT INTO publish_logs({','.join(row)}) VALUES({','.join('?' * len(row))})",
                       tuple(row.values()))
        db.execute("COMMIT")
    db.close()


DERIVED = ("platform_key", "proc_ms")   # from the others; `pilothouse verify` looks at them


def rows(instance, table):
    db = instance.connect()
    cursor = db.execute(f"SELECT * FROM {table}")
    names = [d[0] for d in cursor.description]
    found = {r[names.index("id")]: {c: v for c, v in zip(names, r) if c not in DERIVED and not c.startswith(("derived_", "event_"))}
             for r in cursor}
    db.close()
    return found


def query(instance, sql, *args):
    db = instance.connect()
    found = db.execute(sql, args).fetchall()
    db.close()
    return found


def everything(instance, leave_out=("audit_log", "idempotency_keys")):
    """Every row of every table."""
    db = instance.connect()
    tables = [t for t, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {t: sorted(map(repr, db.execute(f"SELECT * FROM {t}"))) for t in tables if t not in leave_out}
    db.close()
    return found


def changes(before, after):
    """{id: {column: (before, after)}} of rows; None for a row that is not there."""
    found = {}
    for i in before.keys() | after.keys():
        old, new = before.get(i), after.get(i)
        if old is None or new is None:
            found[i] = new and "new" or "gone"
        elif old != new:
            found[i] = {c: (old[c], new[c]) for c in old if old[c] != new[c]}
    return found


def check_schema(body):
    operation = SCHEMA["paths"]["/dashboard/actions/{name}"]["post"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(schema).validate(body)


def act(instance, name, status=0, **members):
    """By hand: the result, or the problem."""
    text = instance.run("post", f"/dashboard/actions/{name}", json.dumps(members), status=status).stdout
    body = json.loads(text)
    if status:
        return body
    check_schema(body)
    expect_equal(list(body), ["success", "action", "message", "result", "data", "executed_at"], "keys")
    expect_equal((body["success"], body["action"], body["executed_at"]), (True, name, "2025-11-22T10:30:00Z"), name)
    expect_equal(body["data"], body["result"], "data and result")
    return body["result"]


_watchers = {}


def version(instance):
    """Another number after every commit of anybody else to the database."""
    if instance not in _watchers:
        _watchers[instance] = instance.connect()
    return _watchers[instance].execute("PRAGMA data_version").fetchone()


def refuse(instance, name, status, code, param=None, **members):
    """Refused, and nothing has changed."""
    before = version(instance)
    body = act(instance, name, 4, **members)
    expect_equal((body["status"], body["code"]), (status, code), f"{name} {members}: {body}")
    if param:
        expect_equal(body["errors"][0]["param"], param, f"{name} {members}: {body}")
    expect_equal(version(instance), before, f"a commit of {name} {members}")
    return body


def ledger(instance, event_type):
    return [(entity, json.loads(data)) for entity, data in query(
        instance, "SELECT entity_id, event_data FROM ledger_events WHERE event_type = ? ORDER BY rowid", event_type)]


def last_audit(instance):
    action, target, detail = query(
        instance, "SELECT action, target, detail FROM audit_log ORDER BY id DESC LIMIT 1")[0]
    return action, target, json.loads(detail)


def counts(result):
    return result["matched"], result["changed"], result["remaining"]


# -- retry-failed ------------------------------------------------------------------------


@test("retry-failed: the oldest 50, requested_at stays, the error is in the ledger")
def _():
    instance = new_instance()
    add_logs(instance, *[(f"f{i:02}", "failed", {"requested_at": NOW - DAY + i * SECOND, "failed_at": NOW - 1000 - i,
                                                 "error_message": f'broken "{i}"', "retry_count": 2})
                         for i in reversed(range(60))],
             ("s1", "success", {"published_at": NOW}), ("p1", "pending"), ("r1", "retry"))
    before, queue = rows(instance, "publish_logs"), instance.stat("queue")
    result = act(instance, "retry-failed")
    expect_equal(counts(result), (60, 50, 10), "matched, changed, remaining")
    oldest = [f"f{i:02}" for i in range(50)]
    expect_equal([log["id"] for log in result["logs"]], oldest, "the oldest first")
    expect_equal(result["logs"][7], {"id": "f07", "clip_id": "c1", "platform": "tiktok", "from": "failed",
                                     "status": "pending", "requested_at": utc(NOW - DAY + 7 * SECOND),
                                     "scheduled_for": None}, "a log")
    expect_equal(changes(before, rows(instance, "publish_logs")), {
        f"f{i:02}": {"status": ("failed", "pending"), "failed_at": (NOW - 1000 - i, None),
                     "error_message": (f'broken "{i}"', None), "requeued_at": (None, NOW),
                     "updated_at": (NOW - DAY + i * SECOND, NOW)} for i in range(50)}, "changes")
    events = ledger(instance, "publication.pending")
    expect_equal([entity for entity, _ in events], oldest, "ledger")
    event = {"by": "local", "from": "failed", "to": "pending", "retry_count": 2, "error": 'broken "7"'}
    expect_equal({k: events[7][1][k] for k in event}, event, "event")
    expect_equal(ledger(instance, "action.retry-failed"), [(None, {
        "action": "retry-failed", "by": "local", "changed": 50, "message": "50 failed logs are pending again."})], "action")
    expect_equal(last_audit(instance), ("action.run", "retry-failed",
                                        {"action": "retry-failed", "dry_run": False, "changed": 50}), "audit")
    after = instance.stat("queue")
    expect_equal((after["pending"], after["failed"]), (51, 10), "statistics")
    expect_equal(after["avg_processing_time_ms"], queue["avg_processing_time_ms"], "the average is not spoilt")
    expect_equal(float(after["oldest_pending_age_seconds"]), 86400.0, "age from the first request")
    expect_equal(counts(act(instance, "retry-failed")), (10, 10, 0), "the rest")
    expect_equal(counts(act(instance, "retry-failed")), (0, 0, 0), "nothing left")
    instance.run("verify")


@test("retry-failed: by ids, those that have not failed are skipped")
def _():
    instance = new_instance()
    add_logs(instance, ("f1", "failed"), ("f2", "failed"), ("f3", "failed"), ("p1", "pending"), ("s1", "success"))
    result = act(instance, "retry-failed", ids=["f3", "s1", "f1"])
    expect_equal([log["id"] for log in result["logs"]], ["f3", "f1"], "in the order given")
    expect_equal(result["skipped"], [{"id": "s1", "status": "success"}], "skipped")
    expect_equal(counts(result), (3, 2, 1), "counts")
    refuse(instance, "retry-failed", 409, "invalid_transition", ids=["f1", "p1"])
    refuse(instance, "retry-failed", 404, "not_found", ids=["f2", "nope"])
    for ids in ([], ["f2"] * 2, [f"x{i}" for i in range(51)], [1], [""], ["x" * 201], {"a": "f2"}):
        refuse(instance, "retry-failed", 422, "invalid_parameter", "ids", ids=ids)
    refuse(instance, "retry-failed", 422, "invalid_parameter", "ids", ids="f2")
    refuse(instance, "retry-failed", 422, "invalid_parameter", "limit", ids=["f2"], limit=5)
    refuse(instance, "retry-failed", 422, "invalid_parameter", "platform", ids=["f2"], platform="tiktok")
    refuse(instance, "retry-failed", 409, "conflict", ids=["f2"], expected_count=5)


@test("bulk actions: limit, filters, and 10 % around expected_count")
def _():
    instance = new_instance()
    add_logs(instance, *[(f"t{i}", "failed", {"requested_at": NOW - i * HOUR, "platform": " TikTok"}) for i in range(10)],
             *[(f"y{i}", "failed", {"requested_at": NOW - i * HOUR, "platform": "youtube"}) for i in range(3)],
             ("m1", "failed", {"platform": "Myspace"}), ("fb", "failed", {"platform": "facebook"}))

    def matched(**members):
        return act(instance, "retry-failed", dry_run=True, **members)["matched"]
    expect_equal(matched(), 15, "all")
    expect_equal(matched(platform="tiktok"), 10, "a name in any spelling")
    expect_equal(matched(platform="TIKTOK,youtube"), 13, "two")
    expect_equal(matched(platform=["youtube"]), 3, "an array")
    expect_equal(matched(platform="myspace"), 1, "another")
    expect_equal(matched(platform="other"), 2, "other holds facebook")
    # y0 and t0 are of now; y1, t1, m1 and fb of an hour ago, which is inside; y2 and t2 are not.
    expect_equal(matched(**{"from": "-1h"}), 6, "from, inclusive")
    expect_equal(matched(**{"from": "-1h", "to": NOW}), 4, "to, exclusive")
    expect_equal(matched(days_back=1), 15, "days_back")
    expect_equal(act(instance, "retry-failed", dry_run=True, platform="tiktok", limit=4)["logs"][0]["id"], "t9", "oldest")
    expect_equal(counts(act(instance, "retry-failed", dry_run=True, platform="tiktok", limit=4)), (10, 4, 6), "limit")
    for n, is_fine in ((9, False), (10, True), (11, True), (12, False), (0, False)):
        # 10 of 9: off by 1 > 0.9; of 11: off by 1 <= 1.1; of 12: off by 2 > 1.2.
        if is_fine:
            matched(platform="tiktok", expected_count=n)
        else:
            refuse(instance, "retry-failed", 409, "conflict", platform="tiktok", expected_count=n)
    expect_equal(matched(platform="instagram", expected_count=0), 0, "none expected, none there")
    for members, param in (({"limit": 0}, "limit"), ({"limit": 51}, "limit"), ({"expected_count": -1}, "expected_count"),
                           ({"days_back": 0}, "days_back"), ({"days_back": 366}, "days_back"), ({"from": "soon"}, "from"),
                           ({"platform": "x" * 51}, "platform"), ({"platform": 7}, "platform"),
                           ({"from": NOW, "to": NOW}, "from"), ({"dry_run": "yes"}, "dry_run")):
        refuse(instance, "retry-failed", 422, "invalid_parameter", param, **members)


# -- clear-failed --------------------------------------------------------------------------


@test("clear-failed: what is older goes to the archive as it was, and nothing else")
def _():
    instance = new_instance()
    cut = NOW - 7 * DAY
    add_logs(instance, ("old", "failed", {"requested_at": cut - 1, "error_message": "é\n\"x\"", "extra_metadata": "{bad",
                                          "failed_at": cut}),
             ("edge", "failed", {"requested_at": cut}), ("new", "failed", {"requested_at": NOW}),
             ("done", "success", {"requested_at": cut - DAY, "published_at": cut}),
             ("wait", "pending", {"requested_at": cut - DAY}))
    instance.sql("INSERT INTO jobs(id,job_type,status,created_at,updated_at) VALUES('j1','cut','failed',1,1)")
    before, jobs = rows(instance, "publish_logs"), rows(instance, "jobs")
    result = act(instance, "clear-failed")
    expect_equal((counts(result), result["requested_before"]), ((1, 1, 0), utc(cut)), "result")
    expect_equal(changes(before, rows(instance, "publish_logs")), {"old": "gone"}, "changes")
    expect_equal(rows(instance, "jobs"), jobs, "jobs are not its business")
    archived = rows(instance, "archived_logs")
    expect_equal(list(archived), ["old"], "archive")
    expect_equal((archived["old"]["archived_at"], archived["old"]["archived_by"]), (NOW, "local"), "when and who")
    expect_equal(json.loads(archived["old"]["log"]), before["old"], "the row as it was")
    expect_equal([(e, d["changed"]) for e, d in ledger(instance, "action.clear-failed")], [(None, 1)], "ledger")
    expect_equal(instance.stat("overview")["failed_logs"], 2, "statistics")
    # The same id again, and a longer time.
    add_logs(instance, ("old", "failed", {"requested_at": cut - 2}))
    expect_equal(counts(act(instance, "clear-failed", older_than_days=8)), (0, 0, 0), "8 days")
    expect_equal(counts(act(instance, "clear-failed", older_than_days=1, limit=1)), (2, 1, 1), "1 day, 1 log")
    expect_equal(json.loads(rows(instance, "archived_logs")["old"]["log"])["requested_at"], cut - 2, "the later one")
    for days in (0, -1, 366, "7", 7.5):
        refuse(instance, "clear-failed", 422, "invalid_parameter", "older_than_days", older_than_days=days)
    refuse(instance, "clear-failed", 422, "invalid_parameter", "limit", limit=10001)
    instance.run("verify")


@test("clear-failed: at most 10000, the first 100 are listed")
def _():
    instance = new_instance()
    instance.sql("""INSERT INTO publish_logs(id,clip_id,platform,status,requested_at,created_at,updated_at)
        WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
        SELECT printf('f%05d', i), 'c1', 'tiktok', 'failed', i, i, i FROM n""")
    result = act(instance, "clear-failed")
    expect_equal(counts(result), (10001, 10000, 1), "counts")
    expect_equal([log["id"] for log in result["logs"]], [f"f{i:05}" for i in range(100)], "listed")
    expect_equal(list(rows(instance, "publish_logs")), ["f10000"], "what is left")
    instance.run("verify")


# -- scheduling ------------------------------------------------------------------------------


@test("run-scheduler: what is due becomes pending, also what has no time at all")
def _():
    instance = new_instance()
    add_logs(instance, ("now", "scheduled", {"scheduled_for": NOW}), ("later", "scheduled", {"scheduled_for": NOW + 1}),
             ("past", "scheduled", {"scheduled_for": 5}), ("lost", "scheduled", {"requested_at": NOW - DAY}),
             ("open", "pending", {"scheduled_for": 5}), ("retry", "retry", {"scheduled_for": 5}))
    before = rows(instance, "publish_logs")
    expect_equal(counts(act(instance, "run-scheduler", limit=1, dry_run=True)), (3, 1, 2), "limit")
    result = act(instance, "run-scheduler")
    expect_equal([log["id"] for log in result["logs"]], ["past", "lost", "now"], "by time; without one by request")
    expect_equal(changes(before, rows(instance, "publish_logs")), {
        i: {"status": ("scheduled", "pending"), "updated_at": (before[i]["updated_at"], NOW)}
        for i in ("now", "past", "lost")}, "changes")
    expect_equal([entity for entity, _ in ledger(instance, "publication.pending")], ["past", "lost", "now"], "ledger")
    expect_equal([d["changed"] for _, d in ledger(instance, "action.run-scheduler")], [3], "ledger, the action")
    expect_equal(counts(act(instance, "run-scheduler")), (0, 0, 0), "again")
    queue = instance.stat("queue", "include=extended")
    expect_equal((queue["pending"], queue["scheduled"], queue["retry"]), (4, 1, 1), "statistics")
    instance.run("verify")


@test("reschedule: its limits, to the millisecond")
def _():
    instance = new_instance()
    add_logs(instance, ("s", "scheduled", {"scheduled_for": NOW + 5, "scheduled_window_end": NOW + 9}), ("p", "pending"),
             ("r", "retry"), ("w", "processing"), ("ok", "success"), ("f", "failed"))
    before = rows(instance, "publish_logs")
    for log, time, at in (("s", NOW, NOW), ("p", "2025-11-22T11:30:00.001+01:00", NOW + 1),
                          ("r", NOW + 366 * DAY, NOW + 366 * DAY)):
        result = act(instance, "reschedule", log_id=log, new_time=time)
        expect_equal((result["logs"][0]["from"], result["logs"][0]["scheduled_for"]),
                     (before[log]["status"], utc(at)), log)
        expect_equal(last_audit(instance)[1], log, "target of the audit")
    expect_equal({i: c["scheduled_for"] for i, c in changes(before, rows(instance, "publish_logs")).items()},
                 {"s": (NOW + 5, NOW), "p": (None, NOW + 1), "r": (None, NOW + 366 * DAY)}, "times")
    for i, row in rows(instance, "publish_logs").items():
        if i in ("s", "p", "r"):
            expect_equal((row["status"], row["schedule_type"], row["scheduled_by"], row["scheduled_window_end"],
                          row["requested_at"]), ("scheduled", "scheduled", "manual", None, NOW - HOUR), i)
    for time in (NOW - 1, 0, "-15m", "2025-11-22T11:29:59.999+01:00", NOW + 366 * DAY + 1, "2025-11-22T12:00:00", "soon",
                 "2025-11-23 12:00:00Z", 1.5, ""):
        refuse(instance, "reschedule", 422, "invalid_parameter", "new_time", log_id="s", new_time=time)
    for log in ("w", "ok", "f"):
        refuse(instance, "reschedule", 409, "invalid_transition", log_id=log, new_time=NOW + 1)
    refuse(instance, "reschedule", 404, "not_found", log_id="nope", new_time=NOW + 1)
    refuse(instance, "reschedule", 422, "invalid_parameter", "new_time", log_id="s")
    refuse(instance, "reschedule", 422, "invalid_parameter", "log_id", new_time=NOW + 1)
    instance.run("verify")


WINDOWS = {"instagram": (18, 23, 60), "tiktok": (16, 24, 30), "youtube": (17, 22, 90), "other": (0, 24, 0)}


def first_slot(taken, platform, interval):
    """By brute force: the first full minute from now on that the rules allow."""
    opens, closes, gap = WINDOWS[platform]
    t = -(-NOW // MINUTE) * MINUTE
    while True:
        hour = t % DAY / HOUR
        if opens <= hour < closes and all(
                abs(t - at) >= (max(gap, interval) if p == platform else interval) * MINUTE for at, p in taken):
            return t
        t += MINUTE


@test("rebalance-queue: windows, gaps and interval, against a search minute by minute")
def _():
    for interval in (30, 5, 45, 100):
        instance = new_instance()
        order = ["tiktok", "instagram", "youtube", "other", "tiktok", "instagram", "instagram", "youtube",
                 "Instagram ", "myspace", "tiktok", "youtube", "instagram", "tiktok", "other"]
        taken = [(NOW - 20 * MINUTE, "tiktok"), (NOW + 40 * MINUTE + 7, "other"), (NOW + 8 * HOUR, "instagram"),
                 (NOW + 9 * HOUR + 30_000, "youtube"), (NOW + DAY + 8 * HOUR, "instagram"), (NOW + 7 * HOUR, "tiktok")]
        add_logs(instance, *[(f"p{i:02}", "pending", {"platform": p, "requested_at": NOW - DAY + i})
                             for i, p in enumerate(order)],
                 *[(f"s{i}", "scheduled", {"platform": p, "scheduled_for": at}) for i, (at, p) in enumerate(taken)],
                 ("r", "retry"), ("w", "processing"))
        wanted = {}
        for i, p in enumerate(order):
            p = p.strip().lower() if p.strip().lower() in WINDOWS else "other"
            at = first_slot(taken, p, interval)
            taken.append((at, p))
            wanted[f"p{i:02}"] = at
        before = rows(instance, "publish_logs")
        result = act(instance, "rebalance-queue", **({} if interval == 30 else {"interval_minutes": interval}))
        expect_equal({log["id"]: ms(log["scheduled_for"]) for log in result["logs"]}, wanted, f"interval {interval}")
        expect_equal(changes(before, rows(instance, "publish_logs")), {
            i: {"status": ("pending", "scheduled"), "schedule_type": ("immediate", "scheduled"),
                "scheduled_by": (None, "rule_engine"), "scheduled_for": (None, at),
                "updated_at": (before[i]["requested_at"], NOW)} for i, at in wanted.items()}, "changes")
        expect_equal(counts(act(instance, "rebalance-queue")), (0, 0, 0), "again")
        instance.run("verify")
    for interval in (4, 1441, 0, -30, "30"):
        refuse(instance, "rebalance-queue", 422, "invalid_parameter", "interval_minutes", interval_minutes=interval)


@test("rebalance-queue: at most 200, and what would come after 90 days stays pending")
def _():
    instance = new_instance()
    add_logs(instance, *[(f"p{i:03}", "pending", {"platform": "youtube", "requested_at": NOW - DAY + i}) for i in range(201)])
    expect_equal(counts(act(instance, "rebalance-queue", dry_run=True)), (201, 200, 1), "at most 200")
    # One a day at 17:00 with an interval of a day; today is the first of 90.
    result = act(instance, "rebalance-queue", interval_minutes=1440)
    expect_equal(counts(result), (201, 90, 111), "90 days")
    last = result["logs"][-1]
    expect_equal((last["id"], last["scheduled_for"]), ("p089", "2026-02-19T17:00:00Z"), "the last")
    expect_equal(instance.stat("queue")["pending"], 111, "the rest is pending")


@test("optimize-schedule: the next free of 10, 12, 14, 16, 18 h of the zone, ten per platform")
def _():
    # It is 10:30 UTC: 10:00 is past, so the next is 12:00; in a zone one hour east (11:30) that is 11:00 UTC.
    for offset, first in ((0, "2025-11-22T12:00:00Z"), (60, "2025-11-22T11:00:00Z"), (-30, "2025-11-22T12:30:00Z"),
                          (450, "2025-11-23T02:30:00Z"), (840, "2025-11-22T20:00:00Z"), (-720, "2025-11-22T22:00:00Z")):
        instance = new_instance()
        add_logs(instance, *[(f"t{i:02}", "pending", {"requested_at": NOW - DAY + i}) for i in range(12)],
                 *[(f"m{i}", "pending", {"platform": "myspace"}) for i in range(2)],
                 ("i1", "pending", {"platform": "instagram"}))
        # What brute force finds: every full hour after now that is one of the five there.
        hours = [t for t in range(NOW - NOW % MINUTE, NOW + 5 * DAY, MINUTE)
                 if t > NOW and (t + offset * MINUTE) % DAY in {h * HOUR for h in (10, 12, 14, 16, 18)}]
        expect_equal(utc(hours[0]), first, f"the first hour by hand, {offset}")
        # One of them is taken on tiktok.
        add_logs(instance, ("s", "scheduled", {"scheduled_for": hours[2]}))
        before = rows(instance, "publish_logs")
        free = [t for t in hours if t != hours[2]]
        wanted = {**{f"t{i:02}": free[i] for i in range(10)}, "m0": hours[0], "m1": hours[1], "i1": hours[0]}
        result = act(instance, "optimize-schedule", tz_offset=offset)
        expect_equal({log["id"]: ms(log["scheduled_for"]) for log in result["logs"]}, wanted, f"zone {offset}")
        expect_equal(counts(result), (15, 13, 2), "counts")
        expect_equal(set(changes(before, rows(instance, "publish_logs"))), set(wanted), "changed logs")
    expect_equal(counts(act(instance, "optimize-schedule", platforms=["instagram", "facebook"])), (0, 0, 0), "platforms")
    expect_equal(counts(act(instance, "optimize-schedule", platforms=["tiktok"])), (2, 2, 0), "the two that were left")
    instance.run("verify")
    for members, param in (({"platforms": ["myspace"]}, "platforms"), ({"platforms": [7]}, "platforms"),
                           ({"platforms": {}}, "platforms"), ({"tz_offset": -721}, "tz_offset"),
                           ({"tz_offset": 841}, "tz_offset"), ({"tz_offset": "UTC"}, "tz_offset")):
        refuse(instance, "optimize-schedule", 422, "invalid_parameter", param, **members)
    refuse(instance, "optimize-schedule", 409, "conflict", expected_count=3)


# -- publishing ---------------------------------------------------------------------------------


def add_clip(instance, clip, status="ready", score=None, video="v1", created_at=1):
    instance.sql(f"""INSERT INTO clips(id,video_asset_id,start_ms,end_ms,duration_ms,visual_score,status,created_at,
        updated_at) VALUES('{clip}','{video}',0,1,1,{'NULL' if score is None else score},'{status}',{created_at},1)""")


def add_variant(instance, variant, clip, platform, score=None, status="ready", created_at=1):
    instance.sql(f"""INSERT INTO clip_variants(id,clip_id,platform,status,visual_score,created_at) VALUES(
        '{variant}','{clip}','{platform}','{status}',{'NULL' if score is None else score},{created_at})""")


@test("force-publish: a new log at the head of the queue, never a second open one")
def _():
    instance = new_instance()
    instance.sql("""INSERT INTO social_accounts(id,platform,handle,is_active,created_at,updated_at) VALUES
        ('a1','TikTok','@a',1,1,1), ('a2','tiktok','@b',0,1,1), ('a3','youtube','@c',1,1,1)""")
    add_logs(instance, ("w1", "pending", {"platform": "youtube", "requested_at": NOW - DAY}),
             ("w2", "retry", {"platform": "instagram", "requested_at": NOW - 2 * DAY}), ("done", "success"), ("f", "failed"))
    before = rows(instance, "publish_logs")
    result = act(instance, "force-publish", clip_id="c1", platform=" TikTok", account_id="a1")
    log = result["log"]
    expect_equal(log, {"id": log["id"], "clip_id": "c1", "platform": "tiktok", "from": None, "status": "pending",
                       "requested_at": utc(NOW - 2 * DAY - 1), "scheduled_for": None}, "result")
    after = rows(instance, "publish_logs")
    expect_equal(changes(before, after), {log["id"]: "new"}, "changes")
    row = after[log["id"]]
    expect_equal({c: row[c] for c in ("clip_id", "platform", "social_account_id", "status", "requested_at", "created_at",
                                      "schedule_type", "scheduled_for", "scheduled_by", "retry_count")},
                 {"clip_id": "c1", "platform": "tiktok", "social_account_id": "a1", "status": "pending",
                  "requested_at": NOW - 2 * DAY - 1, "created_at": NOW, "schedule_type": "immediate",
                  "scheduled_for": None, "scheduled_by": "manual", "retry_count": 0}, "the new log")
    next_one = query(instance, "SELECT id FROM publish_logs WHERE status IN ('pending','retry') ORDER BY requested_at LIMIT 1")
    expect_equal(next_one, [(log["id"],)], "what a worker takes next")
    expect_equal(query(instance, "SELECT entity_type, entity_id, clip_id FROM ledger_events WHERE event_type = "
                       "'action.force-publish'"), [("publish_log", log["id"], "c1")], "ledger")
    expect_equal(last_audit(instance)[1], log["id"], "audit")
    for status in ("pending", "scheduled", "processing", "retry"):
        instance.sql(f"UPDATE publish_logs SET status = '{status}' WHERE id = '{log['id']}'")
        refuse(instance, "force-publish", 409, "conflict", clip_id="c1", platform="TIKTOK")
    for status in ("success", "failed"):
        instance.sql(f"UPDATE publish_logs SET status = '{status}' WHERE id = '{log['id']}'")
        act(instance, "force-publish", clip_id="c1", platform="tiktok", dry_run=True)
    refuse(instance, "force-publish", 404, "not_found", clip_id="c1")           # no variant names a platform
    refuse(instance, "force-publish", 404, "not_found", clip_id="nope", platform="tiktok")
    refuse(instance, "force-publish", 404, "not_found", clip_id="nope")
    refuse(instance, "force-publish", 404, "not_found", clip_id="c1", platform="tiktok", account_id="nope")
    for account in ("a2", "a3"):
        refuse(instance, "force-publish", 409, "conflict", clip_id="c1", platform="tiktok", account_id=account)
    refuse(instance, "force-publish", 422, "invalid_parameter", "clip_id")
    for members, param in (({"clip_id": ""}, "clip_id"), ({"clip_id": "x" * 201}, "clip_id"), ({"clip_id": 1}, "clip_id"),
                           ({"clip_id": "c1", "platform": "x" * 51}, "platform"),
                           ({"clip_id": "c1", "platform": ""}, "platform"),
                           ({"clip_id": "c1", "platform": "  "}, "platform")):
        refuse(instance, "force-publish", 422, "invalid_parameter", param, **members)
    instance.run("verify")


@test("force-publish: an empty queue starts now; an unfit clip is refused; the best variant names the platform")
def _():
    instance = new_instance()
    log = act(instance, "force-publish", clip_id="c1", platform="x")["log"]
    expect_equal(log["requested_at"], utc(NOW), "requested now")
    for status in ("pending", "processing", "failed"):
        add_clip(instance, status, status)
        refuse(instance, "force-publish", 409, "conflict", clip_id=status, platform="tiktok")
    add_variant(instance, "w1", "pending", "TikTok", status="pending")
    refuse(instance, "force-publish", 409, "conflict", clip_id="pending", platform="tiktok")
    add_variant(instance, "w2", "pending", "TikTok")
    act(instance, "force-publish", clip_id="pending", platform="tiktok")
    refuse(instance, "force-publish", 409, "conflict", clip_id="pending", platform="youtube")
    add_clip(instance, "many")
    add_variant(instance, "x1", "many", "instagram", 0.4, created_at=9)
    add_variant(instance, "x2", "many", "YouTube", 0.6, created_at=2)
    add_variant(instance, "x3", "many", "facebook", 0.6, created_at=1)
    add_variant(instance, "x4", "many", "tiktok", 0.9, "failed")
    add_variant(instance, "x5", "many", "tiktok")
    expect_equal(act(instance, "force-publish", clip_id="many")["log"]["platform"], "youtube", "highest, then newest")
    instance.run("verify")


@test("publish-best-clip: the best ready variant, then the newest; none is 404")
def _():
    instance = new_instance()
    refuse(instance, "publish-best-clip", 404, "not_found", video_id="v1")
    refuse(instance, "publish-best-clip", 404, "not_found", video_id="nope")
    refuse(instance, "publish-best-clip", 422, "invalid_parameter", "video_id")
    for clip, score in (("k1", 0.7), ("k2", 0.9), ("k3", None)):
        add_clip(instance, clip, score=score)
    add_variant(instance, "b1", "k1", "tiktok", 0.8, created_at=1)
    add_variant(instance, "b2", "k1", "youtube", 0.8, created_at=2)
    add_variant(instance, "b3", "k2", "Instagram", created_at=1)       # its clip's 0.9
    add_variant(instance, "b4", "k2", "tiktok", 0.99, "pending")
    add_variant(instance, "b5", "k3", "tiktok")
    log = act(instance, "publish-best-clip", video_id="v1")["log"]
    expect_equal((log["clip_id"], log["platform"]), ("k2", "instagram"), "the clip's score counts for a variant without")
    expect_equal(query(instance, "SELECT video_asset_id, platform, clip_id, score, decided_at FROM best_clip_decisions"),
                 [("v1", "instagram", "k2", 0.9, NOW)], "the decision")
    refuse(instance, "publish-best-clip", 409, "conflict", video_id="v1")
    log = act(instance, "publish-best-clip", video_id="v1", platform="TIKTOK")["log"]
    expect_equal((log["clip_id"], log["platform"]), ("k1", "tiktok"), "of one platform")
    refuse(instance, "publish-best-clip", 404, "not_found", video_id="v1", platform="facebook")
    instance.run("verify")


@test("promote-clip: the highest score, then the newest; only a draft's clip is changed")
def _():
    instance = new_instance()
    instance.sql("""INSERT INTO video_assets(id,created_at,updated_at) VALUES('v2',1,1), ('v3',1,1);
        INSERT INTO campaigns(id,name,clip_id,budget_cents,status,created_at,updated_at) VALUES('k1','K','c1',1,'draft',1,1),
        ('a1','A','c1',1,'active',1,1), ('u1','U','c1',1,'paused',1,1), ('e1','E','c1',1,'completed',1,1)""")
    for clip, status, score, at in (("n1", "ready", 0.9, 5), ("n2", "published", 0.9, 6), ("n3", "failed", 1.0, 9),
                                    ("n4", "ready", None, 99)):
        add_clip(instance, clip, status, score, created_at=at)
    add_clip(instance, "x1", "failed", 1.0, video="v3")
    before = rows(instance, "campaigns")
    result = act(instance, "promote-clip", video_id="v1")
    expect_equal(result, {"dry_run": False, "campaign_id": "k1", "clip_id": "n2", "previous_clip_id": "c1",
                          "is_changed": True}, "the only draft of the video")
    expect_equal(changes(before, rows(instance, "campaigns")),
                 {"k1": {"clip_id": ("c1", "n2"), "updated_at": (1, NOW)}}, "changes")
    expect_equal(query(instance, "SELECT entity_type, entity_id, clip_id FROM ledger_events"),
                 [("campaign", "k1", "n2")], "ledger")
    result = act(instance, "promote-clip", video_id="v1", campaign_id="k1")
    expect_equal((result["is_changed"], len(ledger(instance, "action.promote-clip"))), (False, 1), "again changes nothing")
    for campaign in ("a1", "u1", "e1"):
        refuse(instance, "promote-clip", 409, "invalid_transition", video_id="v1", campaign_id=campaign)
    for members in ({"video_id": "nope"}, {"video_id": "v1", "campaign_id": "nope"}, {"video_id": "v2"}, {"video_id": "v3"}):
        refuse(instance, "promote-clip", 404, "not_found", **members)
    instance.sql("""INSERT INTO campaigns(id,name,clip_id,budget_cents,status,created_at,updated_at)
        VALUES('k2','K','n1',1,'draft',1,1)""")
    refuse(instance, "promote-clip", 409, "conflict", video_id="v1")
    act(instance, "promote-clip", video_id="v1", campaign_id="k2")
    instance.sql("UPDATE campaigns SET status = 'completed' WHERE status = 'draft'")
    refuse(instance, "promote-clip", 404, "not_found", video_id="v1")
    instance.run("verify")


# -- the orchestrator ------------------------------------------------------------------------------


@test("run-orchestrator: releases, reconciles and retries, and says so truthfully")
def _():
    instance = new_instance()
    stuck = {"updated_at": NOW - 10 * MINUTE}
    add_logs(instance,
             ("due", "scheduled", {"scheduled_for": NOW}), ("later", "scheduled", {"scheduled_for": NOW + 1}),
             ("lost", "scheduled", {"platform": "x0"}),
             # Stuck for exactly ten minutes, and not quite.
             ("gone", "processing", {**stuck, "platform": "x1"}), ("fresh", "processing", {"updated_at": NOW - 10 * MINUTE + 1}),
             ("gone2", "retry", {**stuck, "platform": "x2", "error_message": "own words"}),
             ("posted", "processing", {**stuck, "platform": "x3", "external_post_id": "123"}),
             ("word", "processing", {**stuck, "platform": "X4 ", "requested_at": NOW - HOUR}),
             ("unsure", "retry", {**stuck, "platform": "x5", "requested_at": NOW - HOUR}),
             # Failed: after 1 s * 2^1, not quite; without retries left; a day ago; out already; queued again.
             ("again", "failed", {"platform": "y1", "failed_at": NOW - 2000, "retry_count": 1, "error_message": "e"}),
             ("early", "failed", {"platform": "y2", "failed_at": NOW - 1999, "retry_count": 1}),
             ("spent", "failed", {"platform": "y3", "failed_at": NOW - HOUR, "retry_count": 2}),
             ("old", "failed", {"platform": "y4", "failed_at": NOW - DAY}),
             ("out", "failed", {"platform": "y5", "failed_at": NOW - HOUR}),
             ("out2", "success", {"platform": "Y5", "requested_at": NOW - HOUR + 1, "published_at": NOW}),
             ("dup", "failed", {"platform": "y6", "failed_at": NOW - HOUR}), ("dup2", "pending", {"platform": "y6"}))
    instance.sql(f"""INSERT INTO publications(id,clip_id,platform,published_at,created_at) VALUES
        ('m1','c1','x4',{NOW - HOUR},{NOW}), ('m2','c1','x5',{NOW - HOUR - 1},{NOW}), ('m3','c1','x9',{NOW},{NOW})""")
    before = rows(instance, "publish_logs")
    result = act(instance, "run-orchestrator")
    run_id = result["run_id"]
    expect_equal({k: v for k, v in result.items() if k != "logs"}, {
        "dry_run": False, "run_id": run_id, "actions": 7, "succeeded": 7, "failed": 0, "released": 2, "confirmed": 2,
        "given_up": 2, "left": 1, "retried": 1}, "result")
    expect_equal(sorted(log["id"] for log in result["logs"]),
                 ["again", "due", "gone", "gone2", "lost", "posted", "word"], "logs")
    hour, ten = NOW - HOUR, NOW - 10 * MINUTE
    expect_equal(changes(before, rows(instance, "publish_logs")), {
        "due": {"status": ("scheduled", "pending"), "updated_at": (hour, NOW)},
        "lost": {"status": ("scheduled", "pending"), "updated_at": (hour, NOW)},
        "gone": {"status": ("processing", "failed"), "failed_at": (None, NOW), "updated_at": (ten, NOW),
                 "error_message": (None, "no confirmation from the platform within 10 minutes")},
        "gone2": {"status": ("retry", "failed"), "failed_at": (None, NOW), "updated_at": (ten, NOW)},
        "posted": {"status": ("processing", "success"), "published_at": (None, ten), "updated_at": (ten, NOW)},
        "word": {"status": ("processing", "success"), "published_at": (None, hour), "updated_at": (ten, NOW)},
        "again": {"status": ("failed", "pending"), "failed_at": (NOW - 2000, None), "error_message": ("e", None),
                  "requeued_at": (None, NOW), "retry_count": (1, 2), "last_retry_at": (None, NOW),
                  "updated_at": (hour, NOW)}}, "changes")
    expect_equal(len(ledger(instance, "orchestrator.action_executed")), 7, "an event for each action")
    expect_equal([(e, d["changed"]) for e, d in ledger(instance, "action.run-orchestrator")], [(run_id, 7)], "and for the run")
    expect_equal(query(instance, "SELECT * FROM orchestrator_runs"),
                 [(run_id, NOW, NOW, "manual", 7, 7, 0, "2 released, 2 confirmed, 2 given up, 1 left, 1 retried.")], "the run")
    seen = instance.stat("orchestrator", "include=extended")
    expect_equal((seen["last_tick_at"], seen["actions_last_tick"]), ("2025-11-22T10:30:00Z", 7), "statistics")
    result = act(instance, "run-orchestrator")
    expect_equal((result["actions"], result["logs"]), (0, []), "again there is nothing to do")
    expect_equal(query(instance, "SELECT actions FROM orchestrator_runs ORDER BY actions"), [(0,), (7,)], "it is a run, too")
    instance.run("verify")


@test("run-orchestrator: of the failed attempts at one post the last alone is tried again, and none if it is spent")
def _():
    instance = new_instance()
    failed = lambda minutes, platform, **more: {"platform": platform, "failed_at": NOW - minutes * MINUTE, **more}
    add_logs(instance,
             ("b1", "failed", failed(9, "x")), ("a2", "failed", failed(8, " X")),        # the later one
             ("b3", "failed", failed(7, "y")), ("a4", "failed", failed(7, "Y")),         # the later row
             ("b5", "failed", failed(6, "z")), ("a6", "failed", failed(5, "z", retry_count=2)),
             ("b7", "failed", failed(4, "w")), ("a8", "failed", {"platform": "w", "failed_at": None}))
    result = act(instance, "run-orchestrator")
    expect_equal(sorted(log["id"] for log in result["logs"]), ["a2", "a4", "b7"], "retried")
    expect_equal(act(instance, "run-orchestrator")["logs"], [], "and no other later")


@test("run-orchestrator: 409 while another program's cycle runs; a killed one is forgotten after ten minutes")
def _():
    instance = new_instance()
    for started, finished, is_free in ((NOW - 1, "NULL", False), (NOW - 10 * MINUTE + 1, "NULL", False),
                                       (NOW - 10 * MINUTE, "NULL", True), (NOW - 1, NOW, True), (NOW, NOW + 1, False),
                                       (NOW - 5, NOW + 2 * MINUTE - 1, False), (NOW, NOW + 2 * MINUTE, True)):
        instance.sql(f"""DELETE FROM orchestrator_runs; INSERT INTO orchestrator_runs(id,started_at,finished_at,trigger)
            VALUES('r',{started},{finished},'loop')""")
        if is_free:
            act(instance, "run-orchestrator")
        else:
            refuse(instance, "run-orchestrator", 409, "already_running")


@test("two cycles at once: one runs, the other is told")
def _():
    instance = Instance(PH_BUSY_TIMEOUT_MS=20000)
    writer = instance.connect()
    writer.execute("BEGIN IMMEDIATE")
    calls = [subprocess.Popen([PILOTHOUSE, "--home", instance.home, "post", "/dashboard/actions/run-orchestrator", "{}"],
                              env=instance.env, stdout=subprocess.PIPE, encoding="utf-8") for _ in range(3)]

    def waiting():
        """Programs that have opened the database: their request has come, and they wait for the lock."""
        found = 0
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdigit() and "dashboard-action" in os.readlink(process / "exe") + str(
                        (process / "cmdline").read_bytes()):
                    found += any(os.readlink(fd) == str(instance.database) for fd in (process / "fd").iterdir())
            except OSError:
                continue
        return found == len(calls)
    try:
        wait_until(waiting, "three requests wait")
    finally:
        writer.execute("ROLLBACK")
        writer.close()
    answers = [json.loads(call.communicate(timeout=30)[0]) for call in calls]
    done = [a for a in answers if "result" in a]
    told = [a for a in answers if a.get("code") == "already_running"]
    expect_equal((len(done), len(told)), (1, 2), f"{answers}")
    expect_equal(query(instance, "SELECT count(*) FROM orchestrator_runs"), [(1,)], "runs")


# -- all of them ----------------------------------------------------------------------------------------


def full_instance(today=None, **settings):
    """Something to do for every action; with today on the real clock, else on the fixed one."""
    instance = Instance(now=None if today else NOW, **settings)
    instance.sql((HERE / "dataset-a.sql").read_text())
    instance.sql("UPDATE clips SET status = 'ready'")
    add_variant(instance, "w1", "c3", "tiktok", 0.9)
    add_clip(instance, "best", score=0.95)
    add_logs(instance, ("due", "scheduled", {"scheduled_for": NOW - 1}), ("stuck", "processing", {"updated_at": 1}),
             ("f1", "failed", {"requested_at": NOW - 40 * DAY, "failed_at": NOW - HOUR}))
    if today:
        instance.sql("UPDATE publish_logs SET " + ", ".join(
            f"{c} = {c} + {today - NOW}" for c in ("requested_at", "published_at", "failed_at", "scheduled_for",
                                                   "created_at")))
    return instance


BODIES = {"force-publish": {"clip_id": "c2", "platform": "youtube"}, "retry-failed": {}, "run-orchestrator": {},
          "run-scheduler": {}, "rebalance-queue": {}, "reschedule": {"log_id": "p1", "new_time": NOW + DAY},
          "clear-failed": {}, "promote-clip": {"video_id": "v1", "campaign_id": "k1"},
          "publish-best-clip": {"video_id": "v2"}, "optimize-schedule": {}, "generate-report": {}}


def without_ids(result):
    result = json.loads(json.dumps(result))
    for key in ("dry_run", "run_id"):
        result.pop(key, None)
    if "log" in result:
        result["log"].pop("id")
    return result


@test("dry_run: tells exactly what the action then does, and changes nothing")
def _():
    for name, body in BODIES.items():
        instance = full_instance()
        before = everything(instance)
        dry = act(instance, name, dry_run=True, **body)
        expect_equal(everything(instance), before, f"every table after a dry {name}")
        expect_equal(last_audit(instance)[2], {"action": name, "dry_run": True, "changed": 0}, "audit of a dry run")
        done = act(instance, name, **body)
        expect_equal((dry["dry_run"], done["dry_run"]), (True, False), name)
        expect_equal(without_ids(dry), without_ids(done), f"dry and done {name}")
        expect(everything(instance) != before, f"{name} has done something")
        expect(everything(instance)["ledger_events"] != before["ledger_events"], f"{name} is in the ledger")
        instance.run("verify")


@test("ai/execute: the same by the short name or the name, with the recommendation in the audit log")
def _():
    for name, short in ACTIONS.items():
        called = json.loads(full_instance().run("post", f"/dashboard/actions/{name}", json.dumps(BODIES[name])).stdout)
        for action in (short, name):
            instance = full_instance()
            body = json.loads(instance.run("post", "/dashboard/ai/execute", json.dumps(
                {"action": action, "payload": BODIES[name], "recommendation_id": "0123456789abcdef"})).stdout)
            check_schema(body)
            expect_equal((body["action"], body["message"]), (action, called["message"]), action)
            expect_equal(without_ids(body["result"]), without_ids(called["result"]), action)
            expect_equal(last_audit(instance)[2]["recommendation_id"], "0123456789abcdef", "audit")
    for body, status, code, param in (
            ({"action": "fly"}, 404, "not_found", None), ({}, 422, "invalid_parameter", "action"),
            ({"action": 1}, 422, "invalid_parameter", "action"),
            ({"action": "retry", "payload": [1]}, 400, "bad_request", None),
            ({"action": "retry", "payload": "x"}, 422, "invalid_parameter", "payload"),
            ({"action": "retry", "payload": {"limit": 0}}, 422, "invalid_parameter", "payload.limit"),
            ({"action": "retry", "dry_run": True}, 422, "invalid_parameter", "dry_run"),
            ({"action": "reschedule"}, 422, "invalid_parameter", "payload.log_id"),
            ({"action": "retry", "recommendation_id": "x\"y"}, 422, "invalid_parameter", "recommendation_id"),
            ({"action": "retry", "recommendation_id": "a" * 33}, 422, "invalid_parameter", "recommendation_id")):
        before = version(instance)
        answer = json.loads(instance.run("post", "/dashboard/ai/execute", json.dumps(body), status=4).stdout)
        expect_equal((answer["status"], answer["code"]), (status, code), f"{body}: {answer}")
        if param:
            expect_equal(answer["errors"][0]["param"], param, f"{body}: {answer}")
        expect_equal(version(instance), before, f"a commit of {body}")


@test("what is no action, no JSON, no object or not known is refused")
def _():
    instance = full_instance()
    before = version(instance)
    for name in ACTIONS:
        for body, status, code in (("{", 400, "bad_request"), ("[]", 400, "bad_request"), ("1", 400, "bad_request"),
                                   ('{"surprise":1}', 422, "invalid_parameter"),
                                   ('{"dry_run":true,"dry_run":false}', 422, "invalid_parameter")):
            answer = json.loads(instance.run("post", f"/dashboard/actions/{name}", body, status=4).stdout)
            expect_equal((answer["status"], answer["code"]), (status, code), f"{name} {body}")
    for name in ("fly", "retry", "Retry-Failed", "retry-failed/", "retry_failed"):
        answer = json.loads(instance.run("post", f"/dashboard/actions/{name}", "{}", status=4).stdout)
        expect_equal((answer["status"], answer["code"]), (404, "not_found"), name)
    expect_equal(version(instance), before, "nothing has changed")
    # No body at all is an empty object: an old client's button.
    json.loads(instance.run("post", "/dashboard/actions/run-scheduler").stdout)


def leaves(prefix, value):
    """Rows of a report's file: what is no object and no list, by its path."""
    if isinstance(value, (dict, list)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value, 1):
            yield from leaves(f"{prefix}.{key}" if prefix else str(key), child)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield [prefix, f"{value:.6f}".rstrip("0") + ("0" if value == int(value) else ""), ""]
    else:
        yield [prefix, "", "" if value is None else str(value).lower() if isinstance(value, bool) else value]


@test("generate-report: analysis, recommendations and statistics are those of the endpoints")
def _():
    instance = full_instance()
    get = lambda path: json.loads(instance.get(path))
    report = act(instance, "generate-report", dry_run=True)
    expect_equal(list(report), ["dry_run", "analysis", "recommendations", "statistics"], "keys")
    expect_equal(report["analysis"], get("/dashboard/ai/analyze"), "analysis")
    expect_equal(report["recommendations"], get("/dashboard/ai/recommendations"), "recommendations")
    for name in STATS:
        expect_equal(report["statistics"][name], get(f"/dashboard/stats/{name}?include=extended"), name)
    del report["dry_run"]
    expect_equal(get("/dashboard/stats/report"), report, "the same, read")
    expect_equal(get("/dashboard/ai/history")["total"], 0, "and not kept")
    file = act(instance, "generate-report", format="csv")["file"]
    rows = list(csv.reader(instance.get(file).strip().splitlines()))
    expect_equal(rows, [["name", "number", "text"], *leaves("", report)], "and as a file")
    kept = get("/dashboard/ai/history")
    expect_equal(kept["total"], 1, "it is in the history")
    expect_equal(get(f"/dashboard/ai/history/{kept['items'][0]['id']}")["analysis"], report["analysis"], "as it was")


# -- through nginx ---------------------------------------------------------------------------------------


web = full_instance(PH_WORKERS=4).with_admin()
tokens = {}
for role in ("viewer", "operator", "manager"):
    web.add_user(role, role)
    tokens[role] = web.make_token(role)
web.start()


def post(path, body=None, **options):
    return web.request(path, "POST", body=None if body is None else json.dumps(body), **options)


@test("who may: a viewer nothing, an operator all but clear-failed, a manager all")
def _():
    for name in ACTIONS:
        path, body = f"/dashboard/actions/{name}", {**BODIES[name], "dry_run": True}
        expect_problem(post(path, body, token=tokens["viewer"]), 403, "scope_missing")
        expect_problem(post(path, body, token=""), 401, "credentials_missing")
        may = name != "clear-failed"
        for called, sent in ((path, body), ("/dashboard/ai/execute", {"action": ACTIONS[name], "payload": body})):
            answer = post(called, sent, token=tokens["operator"])
            if may:
                expect_equal(answer.status, 200, f"operator {called}")
            else:
                expect_problem(answer, 403, "scope_missing")
                expect("actions:destructive" in answer.json["detail"], f"{answer}")
        expect_equal(post(path, body, token=tokens["manager"]).status, 200, f"manager {name}")
    expect_equal(query(web, "SELECT DISTINCT actor, action FROM audit_log WHERE action = 'action.run' ORDER BY 1"),
                 [("manager", "action.run"), ("operator", "action.run")], "audit")


@test("other methods are 405, an unknown action 404, a dashboard's two slashes too")
def _():
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
        answer = web.request("/dashboard/actions/run-scheduler", method)
        expect_equal(answer.status, 405, method)
        expect_equal(answer.headers["Allow"], "POST, OPTIONS", method)
    expect_problem(post("/dashboard/actions/fly", {}), 404, "not_found")
    expect_problem(post("/dashboard/actions/", {}), 404, "not_found")
    expect_problem(web.request("/dashboard/actions/run-scheduler", "POST", body="{"), 400, "bad_request")
    expect_problem(web.request("/dashboard/actions/run-scheduler", "POST", body="[" * 300000), 413, "body_too_large")


@test("Idempotency-Key: the answer again and nothing more; with another body 422")
def _():
    key = {"Idempotency-Key": "once"}
    body = {"clip_id": "c4", "platform": "youtube"}
    first = post("/dashboard/actions/force-publish", body, headers=key)
    before = everything(web, ())
    again = post("/dashboard/actions/force-publish", body, headers=key)
    expect_equal((again.status, again.body), (first.status, first.body), "replayed")
    expect_equal((first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]), (None, "true"), "header")
    expect_equal(everything(web, ()), before, "nothing more")
    expect_problem(post("/dashboard/actions/force-publish", {**body, "platform": "x"}, headers=key), 422,
                   "idempotency_key_reused")
    expect_problem(post("/dashboard/actions/force-publish", body), 409, "conflict")


@test("the same force-publish from eight clients at once makes one log")
def _():
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post("/dashboard/actions/force-publish",
                                               {"clip_id": "best", "platform": "facebook"}), range(8)))
    expect_equal(sorted(a.status for a in answers), [200] + [409] * 7, "answers")
    expect_equal(query(web, "SELECT count(*) FROM publish_logs WHERE clip_id = 'best'"), [(1,)], "logs")


@test("the limit on actions holds")
def _():
    instance = full_instance(PH_RATE_ACTION=2, PH_RATE_BURST=1).with_admin()
    instance.start()
    answers = [instance.request("/dashboard/actions/run-scheduler", "POST", body='{"dry_run":true}') for _ in range(20)]
    expect({a.status for a in answers} <= {200, 429}, answers)
    expect_problem(answers[-1], 429, "rate_limited", True)
    instance.stop()


@test("a locked database is 503, and the analysis still answers")
def _():
    instance = full_instance(PH_BUSY_TIMEOUT_MS=0)
    writer = instance.connect()
    writer.execute("BEGIN IMMEDIATE")
    for name in ACTIONS:
        body = json.loads(instance.run("post", f"/dashboard/actions/{name}", json.dumps(BODIES[name]), status=5).stdout)
        expect_equal((body["status"], body["code"], body["retryable"]), (503, "database_locked", True), name)
    instance.get("/dashboard/ai/analyze")
    instance.get("/dashboard/ai/recommendations")
    writer.execute("ROLLBACK")
    writer.close()
    act(instance, "run-scheduler")
    instance.database.unlink()
    body = act(instance, "run-scheduler", 5)
    expect_equal((body["status"], body["code"]), (503, "database_missing"), "without a database")


@test("the lines of the manual do what they say")
def _():
    page = (SOURCE / "man/pilothouse-api.7.in").read_text()
    actions = page[page.index(".Sh ACTIONS"):page.index(".Sh ANALYSIS")]
    analysis = page[page.index(".Sh ANALYSIS"):page.index(".Sh PRODUCTION")]
    # A reader runs them today, with records of today.
    now = time.time_ns() // 1_000_000
    instance = full_instance(now).with_admin()
    instance.start()
    lines = re.findall(r"^curl .*$", actions, re.M)
    expect_equal({re.search(r"/actions/([a-z-]+)", line).group(1) for line in lines if "/actions/" in line},
                 set(ACTIONS), "every action has a line")

    def curl(line, **env):
        done = subprocess.run(["sh", "-c", line], env={**instance.env, "T": instance.token,
                                                       "U": f"http://127.0.0.1:{instance.port}", **env},
                              capture_output=True, encoding="utf-8", timeout=30)
        return json.loads(done.stdout)
    for line in lines:
        body = curl(line)
        expect(body.get("success") is True, f"{line}\n{body}")
    lines = re.findall(r"^curl .*$", analysis, re.M)
    expect_equal(len(lines), 6, "lines about the analysis")
    kept = None
    for line in lines:
        if "$ID" in line:
            source = "/dashboard/ai/history" if "history" in line else "/dashboard/ai/recommendations"
            found = instance.request(source).json
            body = curl(line, ID=(found["items"] if "history" in line else found)[0]["id"])
        else:
            body = curl(line)
        expect(isinstance(body, list) or "status" not in body or body["status"] in ("good", "warning", "critical"),
               f"{line}\n{body}")
    instance.stop()


run()
