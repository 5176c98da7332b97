#!/usr/bin/env -S /usr/bin/python3 -B
"""Bringing rows in: every kind, every limit, batches of all shapes, repeats, crashes; and the life
cycles against tables that are written here by hand, from the specification.

What a row must look like in the database is worked out here, never taken from an answer.
"""
import concurrent.futures
import http.client
import json
import os
import signal
import time

from harness import (NOW, Instance, diagnostic, expect, expect_equal, expect_problem, run, test, wait_until)

instance = Instance(now=NOW).with_admin()
instance.start()
db = instance.connect()
_ids = iter(range(1, 10**9))


def new_id(kind="x"):
    return f"{kind}-{next(_ids)}"


def post(kind, body, query="", headers=None, token=None):
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    return instance.request(f"/dashboard/ingest/{kind}{query}", "POST", body=body, token=token,
                            headers={"Content-Type": "application/json", **(headers or {})})


def put(path, body, headers=None):
    return instance.request(path, "PUT", body=json.dumps(body),
                            headers={"Content-Type": "application/json", **(headers or {})})


def row_of(table, ident):
    cursor = db.execute(f"SELECT * FROM {table} WHERE id = ?", (ident,))
    values = cursor.fetchone()
    return values and {c[0]: v for c, v in zip(cursor.description, values) if not c[0].startswith(("derived_", "event_"))}


def count(table, where="1"):
    return db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]


def created(kind, row):
    """Bring one row in that must be new."""
    answer = post(kind, row)
    expect_equal((answer.status, answer.json["created"]), (200, 1), f"{kind} {row}: {answer}")
    return answer.json["results"][0]["id"]


def refusal(kind, row):
    """The errors of one row that must be refused, {member: detail}."""
    answer = post(kind, [row])
    expect_equal((answer.status, answer.json["refused"]), (207, 1), f"{kind} {str(row)[:200]}: {answer}")
    result = answer.json["results"][0]
    expect_equal(result["result"], "refused", "the result")
    return {e["param"].removeprefix("[0]").removeprefix("."): e["detail"] for e in result["errors"]}


VIDEO, CLIP, ACCOUNT = "video-1", "clip-1", "account-1"
created("videos", {"id": VIDEO, "title": "T"})
created("clips", {"id": CLIP, "video_asset_id": VIDEO, "start_ms": 0, "end_ms": 5, "duration_ms": 5})
created("accounts", {"id": ACCOUNT, "platform": "tiktok", "handle": "@h"})

TABLES = {"videos": "video_assets", "clips": "clips", "jobs": "jobs", "campaigns": "campaigns",
          "accounts": "social_accounts", "publications": "publish_logs"}
# What a new row needs.
LEAST = {
    "videos": {},
    "clips": {"video_asset_id": VIDEO, "start_ms": 0, "end_ms": 5, "duration_ms": 5},
    "jobs": {"job_type": "cut"},
    "campaigns": {"name": "K", "clip_id": CLIP, "budget_cents": 100},
    "accounts": {"platform": "tiktok", "handle": "@h"},
    "publications": {"clip_id": CLIP, "platform": "tiktok"},
}
# The columns of a row of which no more was said, besides the id.
TIMES = {"created_at": NOW, "updated_at": NOW}
DEFAULTS = {
    "videos": {"title": None, "description": None, "release_date": None, "file_path": None, "file_size": None,
               "duration_ms": None, "idempotency_key": None, **TIMES},
    "clips": {**LEAST["clips"], "visual_score": None, "status": "pending", "params": None, **TIMES},
    "jobs": {"job_type": "cut", "status": "pending", "params": None, "dedup_key": None, "video_asset_id": None,
             "clip_id": None, "result": None, "error_message": None, "params_platform": None, **TIMES},
    "campaigns": {**LEAST["campaigns"], "budget_spent_cents": 0, "targeting": None, "status": "draft", **TIMES},
    "accounts": {**LEAST["accounts"], "external_id": None, "is_main_account": 0, "is_active": 1,
                 "extra_metadata": None, "oauth_expires_at": None, **TIMES},
    "publications": {**LEAST["publications"], "social_account_id": None, "status": "pending",
                     "external_post_id": None, "external_url": None, "error_message": None, "requested_at": NOW,
                     "published_at": None, "failed_at": None, "requeued_at": None, "retry_count": 0,
                     "max_retries": 3, "last_retry_at": None, "schedule_type": "immediate",
                     "scheduled_for": None, "scheduled_window_end": None, "scheduled_by": None,
                     "extra_metadata": None, "platform_key": "tiktok", "proc_ms": None, **TIMES},
}
# Every member, given.  An instant is written in one form and stored in milliseconds.
AT = {"2025-11-22T11:30:00+01:00": NOW, "2025-11-22": 1763769600000, "-1h": NOW - 3_600_000, 1763800000000: 1763800000000}
FULL = {
    "videos": ({"title": "T \u00fc", "description": "a\nb", "release_date": "2025-11-22", "file_path": "/v.mp4",
                "file_size": 2**53, "duration_ms": 10**12, "idempotency_key": "k1", "created_at": "-1h",
                "updated_at": 1763800000000}, {}),
    "clips": ({**LEAST["clips"], "visual_score": 0.25, "status": "published", "params": {"a": [1, {"b": None}]},
               "created_at": "-1h", "updated_at": "2025-11-22"}, {}),
    "jobs": ({"job_type": "render", "status": "completed", "params": {"platform": "TikTok "}, "dedup_key": "d1",
              "video_asset_id": VIDEO, "clip_id": CLIP, "result": ["x"], "error_message": "a\tb",
              "created_at": 1763800000000, "updated_at": "-1h"}, {"params_platform": "tiktok"}),
    "campaigns": ({**LEAST["campaigns"], "budget_spent_cents": 7, "targeting": {}, "status": "paused",
                   "created_at": "2025-11-22T11:30:00+01:00", "updated_at": "-1h"}, {}),
    "accounts": ({**LEAST["accounts"], "external_id": "e", "is_main_account": True, "is_active": False,
                  "extra_metadata": [], "oauth_expires_at": "2025-11-22", "created_at": "-1h",
                  "updated_at": "-1h"}, {}),
    "publications": ({"clip_id": CLIP, "platform": " YouTube ", "social_account_id": ACCOUNT, "status": "success",
                      "external_post_id": "42", "external_url": "https://x/42", "error_message": "once",
                      "requested_at": "-1h", "published_at": "2025-11-22T11:30:00+01:00", "failed_at": "2025-11-22",
                      "requeued_at": "2025-11-22", "retry_count": 2, "max_retries": 5, "last_retry_at": "-1h",
                      "schedule_type": "scheduled", "scheduled_for": "-1h", "scheduled_window_end": "-1h",
                      "scheduled_by": "manual", "extra_metadata": {"k": "v"}, "created_at": "-1h",
                      "updated_at": "-1h"}, {"platform_key": "youtube", "proc_ms": 3_600_000}),
}


def stored(name, value):
    if name.endswith("_at") or name in ("release_date", "scheduled_for", "scheduled_window_end"):
        return AT[value]
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"))
    return int(value) if isinstance(value, bool) else value


for kind in TABLES:
    @test(f"{kind}: a row with the least, a row with everything, the same again, one member changed")
    def _(kind=kind):
        table, ident = TABLES[kind], new_id(kind)
        made = created(kind, LEAST[kind])
        expect_equal(len(made), 36, f"a UUID: {made}")
        expect_equal(made[14], "7", "its version")
        expect_equal(row_of(table, made), {"id": made, **DEFAULTS[kind]}, "the row with the least")
        given, derived = FULL[kind]
        created(kind, {"id": ident, **given})
        want = {"id": ident, **{n: stored(n, v) for n, v in given.items()}, **derived}
        expect_equal(row_of(table, ident), dict(sorted(want.items(), key=lambda i: list(row_of(table, ident)).index(i[0]))),
                     "the row with everything")
        again = post(kind, {"id": ident, **given}).json
        expect_equal((again["unchanged"], again["results"][0]["result"]), (1, "unchanged"), "sent again")
        expect_equal(post(kind, {"id": ident}).json["unchanged"], 1, "without a member")
        member = {"videos": "title", "accounts": "handle", "jobs": "job_type", "campaigns": "name", "clips": "end_ms",
                  "publications": "platform"}[kind]
        value = 6 if member == "end_ms" else "new"
        changed = post(kind, {"id": ident, member: value}).json
        expect_equal((changed["updated"], changed["results"][0]["id"]), (1, ident), "one member changed")
        want.update({member: value, "updated_at": NOW})
        if kind == "publications":
            want["platform_key"] = "other"
        expect_equal(row_of(table, ident), {n: want[n] for n in row_of(table, ident)}, "the changed row")
        db.execute(f"UPDATE {table} SET updated_at = 5 WHERE id = ?", (ident,))
        expect_equal(post(kind, {"id": ident, member: value}).json["unchanged"], 1, "the same member again")
        expect_equal(row_of(table, ident)["updated_at"], 5, "updated_at of what is not changed")

    @test(f"{kind}: what is missing, null, unknown, given twice or of another type is named")
    def _(kind=kind):
        for name in LEAST[kind]:
            errors = refusal(kind, {n: v for n, v in LEAST[kind].items() if n != name})
            expect_equal(errors, {name: "is required"}, f"without {name}")
            expect_equal(list(refusal(kind, {**LEAST[kind], name: None}).items())[0], (name, "may not be null"),
                         f"{name} null")
        expect_equal(refusal(kind, {**LEAST[kind], "nonsense": 1}), {"nonsense": "is not known here"}, "unknown")
        for name in FULL[kind][0]:
            expect_equal(list(refusal(kind, {**LEAST[kind], name: {1: 2} if not isinstance(FULL[kind][0][name], (dict, list)) else 5})),
                         [name], f"{name} of another type")
        answer = post(kind, '{"id":"a","id":"b"}')
        expect_equal(answer.json["results"][0]["errors"][0], {"param": "[0].id", "detail": "given twice"}, "twice")
        expect_equal(count(TABLES[kind], "id IN ('a', 'b')"), 0, "nothing was written")


# (kind, member, at the limit, beyond it)
LONG = 10**12
LIMITS = [(k, "id", "i" * 128, "i" * 129) for k in TABLES] + [(k, "id", None, "") for k in TABLES] + [
    ("videos", "title", "t" * 500, "t" * 501), ("videos", "description", "d" * 20000, "d" * 20001),
    ("videos", "file_path", "f" * 4096, "f" * 4097), ("videos", "file_size", 2**53, 2**53 + 2),
    ("videos", "file_size", 0, -1), ("videos", "duration_ms", LONG, LONG + 1), ("videos", "duration_ms", 0, -1),
    ("videos", "idempotency_key", "k" * 255, "k" * 256), ("videos", "release_date", 253402300799999, 253402300800000),
    ("videos", "release_date", 0, -1), ("videos", "title", "a", "a\nb"), ("videos", "title", "", "\x7f"),
    ("clips", "visual_score", 1, 1.0001), ("clips", "visual_score", 0, -0.0001), ("clips", "start_ms", LONG, LONG + 1),
    ("clips", "end_ms", 0, -1), ("clips", "duration_ms", LONG, 0.5), ("clips", "status", "ready", "done"),
    ("clips", "params", ["x" * 65532], ["x" * 65533]),
    ("jobs", "job_type", "j" * 64, "j" * 65), ("jobs", "job_type", "j", ""), ("jobs", "status", "retry", "success"),
    ("jobs", "dedup_key", "d" * 255, "d" * 256), ("jobs", "error_message", "e" * 20000, "e" * 20001),
    ("jobs", "result", ["x" * 65532], ["x" * 65533]),
    ("campaigns", "name", "n" * 200, "n" * 201), ("campaigns", "budget_cents", LONG, LONG + 1),
    ("campaigns", "budget_spent_cents", 0, -1), ("campaigns", "status", "completed", "archived"),
    ("accounts", "platform", "p" * 50, "p" * 51), ("accounts", "handle", "h" * 200, "h" * 201),
    ("accounts", "external_id", "e" * 255, "e" * 256), ("accounts", "is_active", True, 1),
    ("publications", "platform", "p" * 50, "p" * 51), ("publications", "status", "retry", "published"),
    ("publications", "external_post_id", "e" * 255, "e" * 256), ("publications", "external_url", "u" * 2048, "u" * 2049),
    ("publications", "error_message", "e" * 20000, "e" * 20001), ("publications", "requested_at", "2024-02-29", "2025-02-29"),
    ("publications", "published_at", 253402300799999, "2025-11-22T11:30:00 01:00"),
    ("publications", "failed_at", 0, "-1"), ("publications", "retry_count", 1000, 1001),
    ("publications", "max_retries", 0, -1), ("publications", "schedule_type", "scheduled", "later"),
    ("publications", "scheduled_by", "s" * 64, "s" * 65), ("publications", "created_at", 0, -1),
]


@test("each member at its limit goes in, beyond it is refused by name")
def _():
    by_kind = {}
    for kind, name, good, _ in LIMITS:
        if good is not None:
            by_kind.setdefault(kind, []).append({**LEAST[kind], name: good})
    for kind, rows in by_kind.items():
        answer = post(kind, rows).json
        expect_equal(answer["created"], len(rows), f"{kind} at the limits: {[r for r in answer['results'] if r['errors']]}")
    for kind, name, _, bad in LIMITS:
        expect_equal(list(refusal(kind, {**LEAST[kind], name: bad})), [name], f"{kind}.{name} = {str(bad)[:60]}")


@test("a row that names what is not there, or takes another's key, is refused by name")
def _():
    for kind, name in (("clips", "video_asset_id"), ("jobs", "video_asset_id"), ("jobs", "clip_id"), ("campaigns", "clip_id"),
                       ("publications", "clip_id"), ("publications", "social_account_id")):
        errors = refusal(kind, {**LEAST[kind], name: "nobody"})
        expect(list(errors) == [name] and errors[name].startswith("there is no such"), f"{kind}.{name}: {errors}")
        ident = created(kind, {"id": new_id(kind), **LEAST[kind]})
        expect_equal(list(refusal(kind, {"id": ident, name: "nobody"})), [name], f"{kind}.{name} of one that is there")
    ident = created("publications", {"id": new_id("p"), **LEAST["publications"]})
    expect_equal(list(refusal("publications", {"id": ident, "status": "processing", "clip_id": "nobody"})), ["clip_id"], "a move")
    expect_equal(row_of("publish_logs", ident)["status"], "pending", "not moved")
    for kind, name in (("videos", "idempotency_key"), ("jobs", "dedup_key")):
        ident = created(kind, {"id": new_id(kind), **LEAST[kind], name: "only one"})
        expect_equal(list(refusal(kind, {**LEAST[kind], name: "only one"})), [name], f"{kind}.{name}")
        expect_equal(post(kind, {"id": ident, name: "only one"}).json["unchanged"], 1, "its own key")
        twice = post(kind, [{**LEAST[kind], name: "two"}, {**LEAST[kind], name: "two"}]).json
        expect_equal([r["result"] for r in twice["results"]], ["created", "refused"], f"{kind}.{name} twice in a batch")


@test("in a batch each row has its own result, and the good ones go in")
def _():
    there = created("publications", {"id": new_id("p"), **LEAST["publications"]})
    same = created("publications", {"id": new_id("p"), **LEAST["publications"]})
    a, b = new_id("p"), new_id("p")
    rows = [{"id": a, **LEAST["publications"]}, 5, {"id": b, "platform": "x", "clip_id": "nobody"},
            {"id": there, "platform": "instagram"}, {"id": same, "platform": "tiktok"}, [], None,
            {"id": 7, **LEAST["publications"]}, {"id": b, **LEAST["publications"]}]
    answer = post("publications", rows)
    expect_equal(answer.status, 207, "status")
    expect_equal([(r["index"], r["id"], r["result"], [e["param"] for e in r["errors"]]) for r in answer.json["results"]],
                 [(0, a, "created", []), (1, None, "refused", ["[1]"]), (2, b, "refused", ["[2].clip_id"]),
                  (3, there, "updated", []), (4, same, "unchanged", []), (5, None, "refused", ["[5]"]),
                  (6, None, "refused", ["[6]"]), (7, None, "refused", ["[7].id"]), (8, b, "created", [])], "results")
    expect_equal({k: v for k, v in answer.json.items() if k != "results"},
                 {"created": 2, "updated": 1, "unchanged": 1, "refused": 5}, "counts")
    expect_equal(row_of("publish_logs", there)["platform"], "instagram", "the changed one")


@test("an id that comes again in a batch changes what the earlier row made")
def _():
    ident = new_id("p")
    answer = post("publications", [
        {"id": ident, **LEAST["publications"]}, {**LEAST["publications"]}, {"id": ident, "external_url": "u"},
        {"id": ident, "external_url": "u"}, {"id": ident, "status": "processing"},
        {"id": ident, "status": "success", "published_at": NOW}, {"id": ident, "status": "pending"}]).json
    expect_equal([r["result"] for r in answer["results"]],
                 ["created", "created", "updated", "unchanged", "updated", "updated", "refused"], "results")
    expect_equal(answer["results"][6]["errors"],
                 [{"param": "[6].status", "detail": "a publication cannot become pending: it is success"}], "why")
    row = row_of("publish_logs", ident)
    expect_equal((row["status"], row["external_url"], row["published_at"]), ("success", "u", NOW), "the row")
    instance.run("verify")


@test("NDJSON, said or found out, with blank lines and a broken one")
def _():
    for headers in ({"Content-Type": "application/x-ndjson"}, {}):
        a, b = new_id("v"), new_id("v")
        body = f'{{"id":"{a}"}}\r\n\n  \n{{"id":"{b}",}}\n["x"]\n{{"id":"{b}"}}'
        answer = post("videos", body, headers=headers)
        expect_equal([(r["id"], r["result"]) for r in answer.json["results"]],
                     [(a, "created"), (None, "refused"), (None, "refused"), (b, "created")], "results")
        expect(answer.json["results"][1]["errors"][0]["detail"].startswith("not JSON at byte"), "where it is broken")
        expect_equal(count("video_assets", f"id IN ('{a}', '{b}')"), 2, "the good ones are in")
    answer = post("videos", '{"id":"%s"}\n' % new_id("v"), headers={"Content-Type": "application/x-ndjson; charset=utf-8"})
    expect_equal((answer.status, answer.json["created"]), (200, 1), "one line")
    answer = post("videos", '{\n "id": "%s"\n}\n' % new_id("v"))
    expect_equal((answer.status, answer.json["created"]), (200, 1), "one object on several lines")


@test("mode=all: one bad row refuses all, naming it, and nothing is written")
def _():
    good, bad = new_id("p"), new_id("p")
    before = count("publish_logs"), count("ledger_events"), count("audit_log")
    moved = created("publications", {"id": new_id("p"), **LEAST["publications"]})
    before = tuple(n + d for n, d in zip(before, (1, 0, 1)))
    for rows, params in (
            ([{"id": good, **LEAST["publications"]}, {"id": bad, "clip_id": "nobody", "platform": "x"}], ["[1].clip_id"]),
            ([{"id": good, **LEAST["publications"]}, {"id": moved, "status": "processing"}, {"id": moved, "status": "pending"}],
             ["[2].status"]),
            ([5, {"id": good, **LEAST["publications"]}, {"platform": "x"}], ["[0]", "[2].clip_id"])):
        answer = post("publications", rows, "?mode=all")
        expect_problem(answer, 422, "invalid_parameter")
        expect_equal([e["param"] for e in answer.json["errors"]], params, "errors")
        expect_equal((count("publish_logs"), count("ledger_events"), count("audit_log")), before, "rows as before")
        expect_equal(row_of("publish_logs", moved)["status"], "pending", "not moved")
    answer = post("publications", [{"id": good, **LEAST["publications"]}], "?mode=all")
    expect_equal((answer.status, answer.json["created"]), (200, 1), "all are good")
    expect_problem(post("publications", [], "?mode=some"), 422, "invalid_parameter")


@test("one row in a thousand that is refused: the other 999 go in")
def _():
    rows = [{"id": new_id("p"), **LEAST["publications"]} for _ in range(1000)]
    rows[617]["clip_id"] = "nobody"
    answer = post("publications", rows).json
    expect_equal((answer["created"], answer["refused"]), (999, 1), "counts")
    expect_equal([r["index"] for r in answer["results"] if r["result"] != "created"], [617], "which")
    expect_equal(count("publish_logs", f"id = '{rows[617]['id']}'"), 0, "the refused one")
    instance.run("verify")


@test("too many rows, none, too many bytes, no JSON, another kind or method")
def _():
    before = count("video_assets")
    answer = post("videos", [{} for _ in range(1001)])
    expect_problem(answer, 422, "invalid_parameter")
    expect_equal(answer.json["errors"], [{"param": "body", "detail": "at most 1000 rows are allowed"}], "errors")
    expect_problem(post("videos", "{}\n" * 1001), 422, "invalid_parameter")
    expect_problem(post("videos", "[]"), 422, "invalid_parameter")
    expect_problem(post("videos", ""), 400, "bad_request")
    expect_problem(post("videos", "[{}"), 400, "bad_request")
    expect_problem(post("videos", b'[{"title":"\xff"}]'), 400, "bad_request")
    expect_problem(post("videos", '[{"title":"a\\u0000"}]'), 400, "bad_request")
    expect_problem(post("videos", "[" * 40 + "]" * 40), 400, "bad_request")
    expect_problem(post("tapes", "[]"), 404, "not_found")
    expect_problem(instance.request("/dashboard/ingest/videos"), 405, "method_not_allowed")
    at_limit = '{"description":"x"}'
    answer = post("videos", at_limit + " " * (4 * 1024 * 1024 - len(at_limit)))
    expect_equal(answer.status, 200, "4 MiB")
    answer = post("videos", at_limit + " " * (4 * 1024 * 1024 - len(at_limit) + 1))
    expect_problem(answer, 413, "body_too_large")
    expect_equal(count("video_assets"), before + 1, "rows")


@test("who may: dashboard:write")
def _():
    instance.add_user("reader", "viewer")
    token = instance.make_token("reader")
    expect_problem(post("videos", {}, token=token), 403, "scope_missing")
    expect_problem(post("videos", {}, token=""), 401, "credentials_missing")
    answer = instance.request("/dashboard/publications/x/status", "PUT", token=token, body="{}")
    expect_problem(answer, 403, "scope_missing")


@test("a batch is one row in the audit log")
def _():
    audits, events = count("audit_log"), count("ledger_events")
    post("clips", [{**LEAST["clips"]} for _ in range(20)] + [{}])
    expect_equal(db.execute("SELECT actor, action, target, status, detail FROM audit_log ORDER BY id DESC LIMIT 1").fetchone(),
                 ("root", "ingest", "clips", 207, '{"created":20,"updated":0,"unchanged":0,"refused":1}'), "the audit log")
    expect_equal(count("audit_log"), audits + 1, "one audit row")
    expect_equal(count("ledger_events"), events, "the ledger is of the publishing system")


@test("an Idempotency-Key brings a batch in once, also when two send it at once")
def _():
    key = {"Idempotency-Key": "batch-1"}
    rows = [dict(LEAST["videos"]) for _ in range(5)]
    before = count("video_assets")
    first = post("videos", rows, headers=key)
    again = post("videos", rows, headers=key)
    expect_equal((again.status, again.body), (first.status, first.body), "the same answer")
    expect_equal((first.headers.get("Idempotency-Replayed"), again.headers.get("Idempotency-Replayed")), (None, "true"), "said so")
    expect_equal(count("video_assets"), before + 5, "rows")
    expect_problem(post("videos", rows[:4], headers=key), 422, "idempotency_key_reused")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post("videos", rows, headers={"Idempotency-Key": "batch-2"}), range(8)))
    expect_equal({(a.status, a.body) for a in answers}, {(200, answers[0].body)}, "eight at once")
    expect_equal(count("video_assets"), before + 10, "rows")


@test("the same ids from several at once are created once")
def _():
    rows = [{"id": new_id("p"), **LEAST["publications"]} for _ in range(50)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = [a.json for a in pool.map(lambda _: post("publications", rows), range(6))]
    expect_equal(sum(a["created"] for a in answers), 50, "created")
    expect_equal(sum(a["unchanged"] for a in answers), 250, "unchanged")
    instance.run("verify")


# -- life cycles: from the specification, by hand ---------------------------------------

LOG_CYCLE = {
    "scheduled": {"pending"},
    "pending": {"processing", "scheduled"},
    "processing": {"success", "retry", "failed"},
    "retry": {"processing", "scheduled", "success", "failed"},
    "success": set(),
    "failed": {"pending"},
}
JOB_CYCLE = {
    "pending": {"processing"},
    "processing": {"completed", "retry", "failed"},
    "retry": {"pending", "processing", "failed"},
    "completed": set(),
    "failed": {"pending"},
}


def expect_moves(kind, cycle, extra):
    """Every from x to, by the status path and by ingest."""
    noun = "publication" if kind == "publications" else "job"
    for source in cycle:
        rows = {(target, way): {"id": new_id(kind), **LEAST[kind], "status": source, "error_message": "old", **extra}
                for target in cycle for way in ("path", "ingest")}
        expect_equal(post(kind, list(rows.values())).json["created"], len(rows), f"rows in {source}")
        for (target, way), row in rows.items():
            ident, may = row["id"], target in cycle[source]
            before = row_of(TABLES[kind], ident)
            if way == "path":
                answer = put(f"/dashboard/{kind}/{ident}/status", {"status": target})
                if may:
                    expect_equal(answer.json, {"id": ident, "from": source, "status": target,
                                               "updated_at": "2025-11-22T10:30:00Z"}, f"{source} to {target}")
                else:
                    expect_problem(answer, 409, "invalid_transition")
                    expect_equal(answer.json["detail"], f"a {noun} cannot become {target}: it is {source}", "why")
            else:
                answer = post(kind, {"id": ident, "status": target})
                want = "updated" if may else "unchanged" if source == target else "refused"
                expect_equal(answer.json["results"][0]["result"], want, f"{source} to {target} by ingest")
            after = row_of(TABLES[kind], ident)
            expect_equal(after["status"], target if may else source, f"status, {source} to {target}")
            if not may:
                expect_equal(after, before, f"not changed, {source} to {target}")
            events = db.execute("SELECT event_type, severity, event_data FROM ledger_events WHERE entity_id = ?", (ident,)).fetchall()
            severity = {"failed": "ERROR", "retry": "WARN"}.get(target, "INFO")
            expect_equal([(e[0], e[1], json.loads(e[2])["from"], json.loads(e[2])["error"]) for e in events],
                         [(f"{noun}.{target}", severity, source, "old")] if may else [], f"events, {source} to {target}")
    instance.run("verify")


@test("publications: every step from every status to every status")
def _():
    expect_moves("publications", LOG_CYCLE, {"scheduled_for": NOW + 1000})


@test("jobs: every step from every status to every status")
def _():
    expect_moves("jobs", JOB_CYCLE, {})


def moved(status, **given):
    """A publication in a status, then what a move makes of it: {column: value} that changed."""
    def check(then, body, want):
        ident = created("publications", {"id": new_id("p"), **LEAST["publications"], "status": status,
                                         "requested_at": 1000, "updated_at": 1000, "created_at": 1000, **given})
        before = row_of("publish_logs", ident)
        answer = put(f"/dashboard/publications/{ident}/status", {"status": then, **body})
        expect_equal(answer.status, 200, f"{status} to {then}: {answer}")
        after = row_of("publish_logs", ident)
        expect_equal({n: after[n] for n in after if after[n] != before[n]},
                     {"status": then, "updated_at": NOW, **want}, f"{status} to {then} with {body}")
    return check


@test("what each step of a publication sets, and nothing else")
def _():
    moved("scheduled", scheduled_for=5)("pending", {}, {})
    moved("pending")("processing", {}, {})
    moved("pending")("scheduled", {"scheduled_for": 7000}, {"schedule_type": "scheduled", "scheduled_for": 7000})
    moved("retry", scheduled_for=5)("scheduled", {}, {"schedule_type": "scheduled"})
    moved("processing", error_message="before")("success", {}, {"published_at": NOW, "error_message": None, "proc_ms": NOW - 1000})
    moved("processing")("success", {"published_at": "1970-01-01T00:00:03Z", "external_post_id": "7", "external_url": "u"},
                        {"published_at": 3000, "external_post_id": "7", "external_url": "u", "proc_ms": 2000})
    moved("processing", external_url="kept")("success", {}, {"published_at": NOW, "proc_ms": NOW - 1000})
    moved("processing", error_message="before")("failed", {}, {"failed_at": NOW})
    moved("processing")("failed", {"failed_at": 2000, "error_message": "no\nway"}, {"failed_at": 2000, "error_message": "no\nway"})
    moved("processing", retry_count=1)("retry", {"error_message": "slow"},
                                       {"retry_count": 2, "last_retry_at": NOW, "error_message": "slow"})
    moved("failed", failed_at=2000, error_message="e", retry_count=2)(
        "pending", {}, {"failed_at": None, "error_message": None, "requeued_at": NOW})
    instance.run("verify")


@test("a retry is refused when there are none left; a schedule without a time; members of another step")
def _():
    for retry_count, max_retries, may in ((0, 3, True), (1, 3, True), (2, 3, False), (0, 1, False), (0, 0, False), (0, 2, True)):
        ident = created("publications", {"id": new_id("p"), **LEAST["publications"], "status": "processing",
                                         "retry_count": retry_count, "max_retries": max_retries})
        answer = put(f"/dashboard/publications/{ident}/status", {"status": "retry"})
        if may:
            expect_equal(answer.status, 200, f"{retry_count} of {max_retries}")
        else:
            expect_problem(answer, 409, "invalid_transition")
    ident = created("publications", {"id": new_id("p"), **LEAST["publications"]})
    path = f"/dashboard/publications/{ident}/status"
    answer = put(path, {"status": "scheduled"})
    expect_problem(answer, 422, "invalid_parameter")
    expect_equal(answer.json["errors"][0]["param"], "scheduled_for", "what is missing")
    for body, param in (({"status": "processing", "published_at": 1}, "published_at"),
                        ({"status": "processing", "error_message": "e"}, "error_message"),
                        ({"status": "processing", "nonsense": 1}, "nonsense"), ({}, "status"), ({"status": "gone"}, "status"),
                        ({"status": "success", "external_url": "u" * 2049}, "external_url")):
        answer = put(path, body)
        expect_problem(answer, 422, "invalid_parameter")
        expect_equal([e["param"] for e in answer.json["errors"]], [param], f"{str(body)[:80]}")
    expect_problem(put("/dashboard/publications/nobody/status", {"status": "pending"}), 404, "not_found")
    expect_problem(put("/dashboard/jobs/nobody/status", {"status": "pending"}), 404, "not_found")
    expect_problem(put("/dashboard/jobs/nobody/status", {"status": "failed", "result": {}}), 422, "invalid_parameter")
    expect_equal(row_of("publish_logs", ident)["status"], "pending", "untouched")


@test("what each step of a job sets; the event names worker and clip")
def _():
    ident = created("jobs", {"id": new_id("j"), **LEAST["jobs"], "clip_id": CLIP, "error_message": "e", "updated_at": 1})
    path = f"/dashboard/jobs/{ident}/status"
    for body, want in (({"status": "processing", "worker_id": "w7"}, {"error_message": "e"}),
                       ({"status": "retry", "error_message": "r"}, {"error_message": "r"}),
                       ({"status": "pending"}, {"error_message": None}), ({"status": "processing"}, {}),
                       ({"status": "failed", "error_message": "f"}, {"error_message": "f"}), ({"status": "pending"}, {}),
                       ({"status": "processing"}, {}),
                       ({"status": "completed", "result": {"n": [1]}}, {"result": '{"n":[1]}', "error_message": None})):
        expect_equal(put(path, body).status, 200, f"{body}")
        row = row_of("jobs", ident)
        expect_equal({n: row[n] for n in want} | {"status": row["status"], "updated_at": row["updated_at"]},
                     {**want, "status": body["status"], "updated_at": NOW}, f"{body}")
    expect_equal(db.execute("SELECT worker_id, job_id, clip_id, entity_type FROM ledger_events WHERE entity_id = ? ORDER BY rowid",
                            (ident,)).fetchone(), ("w7", ident, CLIP, "job"), "the first event")


@test("of many workers that take one publication, one gets it")
def _():
    ident = created("publications", {"id": new_id("p"), **LEAST["publications"]})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: put(f"/dashboard/publications/{ident}/status", {"status": "processing"}).status, range(8)))
    expect_equal(sorted(answers), [200] + [409] * 7, "answers")


@test("rows that another program writes under the same ids break nothing")
def _():
    ident = new_id("p")
    instance.sql(f"INSERT INTO publish_logs (id, clip_id, platform, status, requested_at, created_at, updated_at)"
                 f" VALUES ('{ident}', '{CLIP}', 'TikTok', 'processing', 1, 1, 1)")
    answer = post("publications", {"id": ident, "status": "success", "published_at": 11})
    expect_equal(answer.json["updated"], 1, f"{answer}")
    expect_equal(row_of("publish_logs", ident)["proc_ms"], 10, "its time")
    instance.sql(f"UPDATE publish_logs SET status = 'scheduled' WHERE id = '{ident}'")
    expect_equal(put(f"/dashboard/publications/{ident}/status", {"status": "pending"}).status, 200, "moved on")
    instance.run("verify")


@test("the statistics tell at once what came in")
def _():
    def queue():
        return instance.stat("queue")
    before = queue()
    post("publications", [{**LEAST["publications"]} for _ in range(7)] +
         [{**LEAST["publications"], "status": "failed", "failed_at": NOW} for _ in range(3)])
    after = queue()
    expect_equal((after["pending"] - before["pending"], after["failed"] - before["failed"]), (7, 3), "counted")
    instance.run("verify")


# -- failures ---------------------------------------------------------------------------


@test("a database that another program has locked is 503, and nothing is written")
def _():
    locked = Instance(now=NOW, PH_BUSY_TIMEOUT_MS=100)
    holder = locked.connect()
    holder.execute("BEGIN IMMEDIATE")
    begin = time.monotonic()
    answer = locked.run("post", "-i", "/dashboard/ingest/videos", "{}", status=None).stdout
    took = time.monotonic() - begin
    expect("Status: 503" in answer and '"database_locked"' in answer, answer)
    expect(took >= 0.1, f"it waited for the lock: {took}")
    holder.execute("ROLLBACK")
    expect("Status: 200" in locked.run("post", "-i", "/dashboard/ingest/videos", "{}").stdout, "afterwards")
    holder.close()


@test("killed in the middle, a batch is there whole or not at all")
def _():
    rows = [{"id": new_id("k"), **LEAST["publications"]} for _ in range(1000)]
    body = json.dumps(rows)
    seen = set()
    begin = time.monotonic()
    expect_equal(post("publications", body).status, 200, "a batch that nobody disturbs")
    took = time.monotonic() - begin
    for attempt in range(12):
        connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=30)
        ids = [r["id"] + f"-{attempt}" for r in rows]
        marked = json.dumps([{**r, "id": i} for r, i in zip(rows, ids)])
        victims = instance.workers("dashboard-ingest")
        connection.request("POST", "/dashboard/ingest/publications", body=marked,
                           headers={"Authorization": f"Bearer {instance.token}", "Content-Type": "application/json"})
        end = time.monotonic() + attempt * took / 8
        while time.monotonic() < end:
            pass
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            status = connection.getresponse().status
        except (http.client.HTTPException, OSError):
            status = None
        connection.close()
        wait_until(lambda: post("videos", "{}").status == 200, "the route answers again")
        there = count("publish_logs", f"id LIKE 'k-%-{attempt}'")
        expect(there in (0, 1000), f"{there} rows of a batch")
        expect(status != 200 or there == 1000, "answered, so it must be there")
        seen.add(there)
    diagnostic(f"batches seen: {sorted(seen)}")
    instance.run("verify")


run()
