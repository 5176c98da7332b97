#!/usr/bin/env -S /usr/bin/python3 -B
"""Boards: rows that users own, widgets that are checked, and their figures from one snapshot.

Expressions are computed a second time here, by a tree of Python's own arithmetic.
"""
import io
import itertools
import json
import random
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import jsonschema

from harness import HERE, NOW, Instance, expect, expect_equal, expect_problem, run, test

BOARDS = "/dashboard/dashboards"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SEED = 20251122
FAILED = "100*ratio(queue.failed, queue.success+queue.failed)"

instance = Instance(now=NOW, PH_BUSY_TIMEOUT_MS=100).with_admin()
instance.sql((HERE / "dataset-a.sql").read_text())
for name, role in (("ann", "manager"), ("bob", "manager"), ("vic", "viewer")):
    instance.add_user(name, role)
ann, bob, vic = map(instance.make_token, ("ann", "bob", "vic"))
instance.start()


def alone(sentence):
    """A test that begins without boards."""
    def register(function):
        def clear_and_run():
            instance.sql("DELETE FROM dashboards")
            function()
        test(sentence)(clear_and_run)
    return register


def call(method, path, body=None, token=None, **headers):
    return instance.request(path, method=method, token=token or ann,
                            headers={name.replace("_", "-"): value for name, value in headers.items()},
                            body=None if body is None else json.dumps(body))


def widget(*exprs, **more):
    return {"id": "w", "type": "stat", "x": 0, "y": 0, "w": 4, "h": 2,
            "metrics": [{"expr": e} if isinstance(e, str) else e for e in exprs], **more}


def numbered(widgets):
    return [{**w, "id": f"w{i}"} for i, w in enumerate(widgets)]


def make(*widgets, token=None, **more):
    """A new board; its id."""
    answer = call("POST", BOARDS, {"name": "Board", "layout": numbered(widgets), **more}, token=token)
    expect_equal(answer.status, 201, answer)
    return answer.json["id"]


def data(ident, query="", token=None):
    answer = call("GET", f"{BOARDS}/{ident}/data{query}", token=token)
    expect_equal(answer.status, 200, answer)
    return answer.json["widgets"]


def show(*widgets, query=""):
    """The widgets' data."""
    return data(make(*widgets), query)


def row(ident):
    return instance.rows(f"SELECT owner, name, visibility, layout, version FROM dashboards WHERE id = '{ident}'")


def count():
    return instance.rows("SELECT count(*) FROM dashboards")[0][0]


# -- rows ----------------------------------------------------------------------------


@alone("a board is made, read, listed, replaced, cloned and deleted, and the audit log says so")
def _():
    layout = [widget({"expr": FAILED, "label": "Failed", "format": "percent"}, title="Failures",
                     thresholds={"warn": 10, "crit": 50}),
              widget("events.published", id="l", type="line", x=4, w=8, step="1h", platform="tiktok",
                     **{"from": "-7d"})]
    made = call("POST", BOARDS, {"name": "Opérations", "layout": layout})
    expect_equal(made.status, 201, made)
    board = made.json
    ident = board["id"]
    path = f"{BOARDS}/{ident}"
    expect_equal(board, {"id": ident, "owner": "ann", "name": "Opérations", "visibility": "private", "version": 1,
                         "created_at": "2025-11-22T10:30:00Z", "updated_at": "2025-11-22T10:30:00Z",
                         "layout": layout}, "as made")
    expect_equal((made.headers["Location"], made.headers["ETag"]), (path, '"1"'), "headers")
    got = call("GET", path)
    expect_equal((got.status, got.headers["ETag"], got.json), (200, '"1"', board), "as read")
    expect_equal(call("GET", path, If_None_Match='"1"').status, 304, "not changed")
    expect_equal(call("HEAD", path).headers["ETag"], '"1"', "HEAD")
    listed = call("GET", BOARDS).json["items"]
    expect_equal(listed, [{k: v for k, v in board.items() if k != "layout"}], "as listed")
    put = call("PUT", path, {"name": "Two", "layout": layout[:1]})
    expect_equal((put.status, put.headers["ETag"], put.json), (200, '"2"', {**board, "name": "Two", "version": 2,
                                                                           "layout": layout[:1]}), "as replaced")
    expect_equal(call("GET", path).json, put.json, "as replaced, read")
    clone = call("POST", f"{path}/clone", {"name": "Copy"})
    expect_equal((clone.status, clone.headers["Location"]), (201, f"{BOARDS}/{clone.json['id']}"), clone)
    expect_equal({**clone.json, "id": ident}, {**put.json, "name": "Copy", "version": 1}, "the copy")
    expect_equal(call("POST", f"{path}/clone").json["name"], "Two", "a copy without a name of its own")
    gone = call("DELETE", path)
    expect_equal((gone.status, gone.json), (200, {"deleted": ident}), gone)
    expect_problem(call("GET", path), 404, "not_found")
    for action, target in (("create", ident), ("update", ident), ("delete", ident), ("clone", clone.json["id"])):
        expect(instance.rows(f"SELECT 1 FROM audit_log WHERE action = 'board.{action}' AND target = '{target}'"
                             " AND actor = 'ann'"), action)


@alone("a board without a layout is empty, and visibility stays unless a PUT names it")
def _():
    ident = call("POST", BOARDS, {"name": "b", "visibility": "shared"}).json["id"]
    path = f"{BOARDS}/{ident}"
    expect_equal(call("GET", path).json["layout"], [], "layout")
    expect_equal(data(ident), [], "data")
    expect_equal(call("PUT", path, {"name": "c", "layout": []}).json["visibility"], "shared", "stays")
    expect_equal(call("PUT", path, {"name": "c", "layout": [], "visibility": "private"}).json["visibility"],
                 "private", "changed")


@alone("the same POST sent twice with an Idempotency-Key makes one board")
def _():
    before = count()
    answers = [call("POST", BOARDS, {"name": "once"}, Idempotency_Key="boards-1") for _ in range(2)]
    expect_equal([a.status for a in answers], [201, 201], "statuses")
    expect_equal(answers[0].json, answers[1].json, "bodies")
    expect_equal((count(), answers[1].headers["Idempotency-Replayed"]), (before + 1, "true"), "one board")


@alone("of two writers with If-Match the second is told, and nothing of its is written")
def _():
    ident = make(widget("1"))
    path = f"{BOARDS}/{ident}"
    seen = call("GET", path).headers["ETag"]
    expect_equal(call("PUT", path, {"name": "first", "layout": []}, If_Match=seen).headers["ETag"], '"2"', "first")
    before = row(ident)
    for stale in (seen, '"3"', "2", '"', '""', "nonsense", '"1", "3"'):
        expect_problem(call("PUT", path, {"name": "second", "layout": []}, If_Match=stale), 412, "precondition_failed")
        expect_problem(call("DELETE", path, If_Match=stale), 412, "precondition_failed")
    expect_equal(row(ident), before, "the row")
    # A proxy that compresses marks the tag weak.
    for good in ('"2"', 'W/"3"', "*", '"1", "5"'):
        expect_equal(call("PUT", path, {"name": "again", "layout": []}, If_Match=good).status, 200, good)
    expect_equal(call("PUT", path, {"name": "blind", "layout": []}).json["version"], 7, "without If-Match")
    expect_equal(call("DELETE", path, If_Match='"7"').status, 200, "deleted")


@alone("of many writers at once with the same version one wins")
def _():
    ident = make()
    path = f"{BOARDS}/{ident}"

    def put(i):
        while True:     # the lock is not waited for long here
            answer = call("PUT", path, {"name": f"writer {i}", "layout": []}, If_Match='"1"')
            if answer.status != 503:
                return answer
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(put, range(8)))
    won = [a for a in answers if a.status == 200]
    expect_equal(sorted(a.status for a in answers), [200] + 7 * [412], "statuses")
    expect_equal(call("GET", path).json, won[0].json, "the winner's board")


@alone("what is private looks like what is not there; what is shared is read by all, changed by owner and admin")
def _():
    ident = make(widget("1"), name="ann's")
    path = f"{BOARDS}/{ident}"
    change = {"name": "mine now", "layout": []}

    def attempts(board, token):
        at = f"{BOARDS}/{board}"
        return [call("GET", at, token=token), call("PUT", at, change, token=token), call("DELETE", at, token=token),
                call("POST", f"{at}/clone", token=token), call("GET", f"{at}/data", token=token)]
    # An administrator's own view is no exception.
    for token in (bob, instance.token):
        for foreign, unknown in zip(attempts(ident, token), attempts(UNKNOWN, token)):
            expect_problem(foreign, 404, "not_found")
            expect_equal({**foreign.json, "request_id": ""}, {**unknown.json, "request_id": ""}, "alike")
        expect_equal(call("GET", BOARDS, token=token).json["items"], [], "not listed")
    expect_problem(call("PUT", path, change, token=bob, If_Match='"9"'), 404, "not_found")

    expect_equal(call("PUT", path, {"name": "shared", "layout": [widget("2")], "visibility": "shared"}).status, 200, "")
    for token in (bob, vic, instance.token):
        expect_equal(call("GET", path, token=token).json["name"], "shared", "read")
        expect_equal(data(ident, token=token)[0]["metrics"][0]["value"], 2.0, "data")
        expect_equal([b["id"] for b in call("GET", BOARDS, token=token).json["items"]], [ident], "listed")
    before = row(ident)
    expect_problem(call("PUT", path, change, token=bob), 403, "scope_missing")
    expect_problem(call("DELETE", path, token=bob), 403, "scope_missing")
    expect_equal(row(ident), before, "the row")
    own = make(widget("3"), token=bob)
    clone = call("POST", f"{path}/clone", token=bob).json
    expect_equal((clone["owner"], clone["visibility"], clone["layout"]), ("bob", "private", [widget("2")]), "clone")
    listed = call("GET", BOARDS, token=bob).json["items"]
    expect_equal({b["id"] for b in listed[:2]}, {own, clone["id"]}, "one's own come first")
    expect_equal([b["id"] for b in listed[2:]], [ident], "then what others share")
    expect_equal([b["id"] for b in call("GET", BOARDS).json["items"]], [ident], "ann sees none of bob's")
    changed = call("PUT", path, {"name": "by admin", "layout": []}, token=instance.token)
    expect_equal((changed.status, changed.json["owner"]), (200, "ann"), "the owner stays")
    expect_equal(call("DELETE", path, token=instance.token).status, 200, "deleted by an administrator")


@alone("reading needs dashboard:read, every change dashboard:write")
def _():
    ident = make(visibility="shared")
    path = f"{BOARDS}/{ident}"
    no_scope = instance.make_token("vic", "--scopes", "guides:read")
    reads = [("GET", BOARDS), ("GET", path), ("GET", f"{path}/data")]
    writes = [("POST", BOARDS), ("PUT", path), ("DELETE", path), ("POST", f"{path}/clone")]
    before = count()
    for method, at in reads + writes:
        expect_problem(instance.request(at, method=method, token="", body="{}"), 401, "credentials_missing")
        expect_problem(call(method, at, {}, token=no_scope), 403, "scope_missing")
    for method, at in reads:
        expect_equal(call(method, at, token=vic).status, 200, at)
    for method, at in writes:
        expect_problem(call(method, at, {"name": "b", "layout": []}, token=vic), 403, "scope_missing")
    expect_equal(count(), before, "boards")


@alone("a hundred boards and no more, made or cloned; another user's count for themselves")
def _():
    instance.sql("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 99)"
                 " INSERT INTO dashboards (id, owner, name, layout, created_at, updated_at)"
                 " SELECT 'many' || i, 'ann', 'b', '[]', i, i FROM n")
    last = make()
    for answer in (call("POST", BOARDS, {"name": "b"}), call("POST", f"{BOARDS}/{last}/clone")):
        expect_problem(answer, 409, "limit_reached")
    listed = call("GET", BOARDS).json["items"]
    expect_equal([b["id"] for b in listed], [last] + [f"many{i}" for i in range(99, 0, -1)], "newest first")
    expect_equal(call("DELETE", f"{BOARDS}/many7").status, 200, "one less")
    again = make()
    instance.sql(f"DELETE FROM dashboards WHERE id GLOB 'many*' OR id IN ('{last}', '{again}')")


@alone("other methods, broken bodies and impossible paths are refused")
def _():
    ident = make()
    path = f"{BOARDS}/{ident}"
    for at, allowed in ((BOARDS, {"GET", "HEAD", "POST", "OPTIONS"}), (path, {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}),
                        (f"{path}/clone", {"POST", "OPTIONS"}), (f"{path}/data", {"GET", "HEAD", "OPTIONS"})):
        answer = instance.request(at, method="PATCH", token=ann)
        expect_problem(answer, 405, "method_not_allowed")
        expect_equal(set(answer.headers["Allow"].split(", ")), allowed, at)
    for body in ("{", "[]", "7", '{"name":"\\u0000"}', '{"name":"b","layout":' + 40 * "[" + 40 * "]" + "}"):
        for method, at in (("POST", BOARDS), ("PUT", path), ("POST", f"{path}/clone")):
            expect_problem(instance.request(at, method=method, token=ann, body=body), 400, "bad_request")
    answer = instance.request(BOARDS, method="POST", token=ann, body="x" * 300000)
    expect_problem(answer, 413, "body_too_large")
    for at in (f"{BOARDS}/{UNKNOWN}", f"{BOARDS}/{'x' * 200}", f"{path}/data/", f"{path}/nothing"):
        expect_problem(call("GET", at), 404, "not_found")
    answer = call("GET", f"{path}/data?tz_offset=900")
    expect_equal((answer.status, answer.json["errors"][0]["param"]), (422, "tz_offset"), answer)


@alone("a locked or missing database is 503, and a reader does not mind a writer")
def _():
    ident = make(widget("queue.pending"))
    path = f"{BOARDS}/{ident}"
    db = instance.connect()
    db.execute("BEGIN IMMEDIATE")
    for method, at in (("POST", BOARDS), ("PUT", path), ("DELETE", path), ("POST", f"{path}/clone")):
        expect_problem(call(method, at, {} if at.endswith("clone") else {"name": "b", "layout": []}), 503,
                       "database_locked", retryable=True)
    expect_equal(data(ident)[0]["metrics"][0]["value"], 2.0, "read meanwhile")
    db.execute("ROLLBACK")
    db.close()
    one = Instance(now=NOW)
    one.database.unlink()
    for at in (BOARDS, f"{BOARDS}/x", f"{BOARDS}/x/data"):
        expect_equal(json.loads(one.get(at, status=5))["code"], "database_missing", at)


# -- layouts ---------------------------------------------------------------------------


def refused(body, method="POST", path=BOARDS):
    answer = call(method, path, body)
    expect_problem(answer, 422, "invalid_parameter")
    return [e["param"] for e in answer.json["errors"]]


@alone("whatever is wrong in a layout is refused with the name of widget and field, and nothing is written")
def _():
    good = widget("1")
    ident = make(good)
    before = count(), row(ident)
    cases = [({k: v for k, v in good.items() if k != name}, name) for name in good]
    cases += [({**good, name: value}, field or name) for name, field, values in (
        ("id", None, ("", "x" * 65, 7, [], "a\tb")),
        ("type", None, ("", "Stat", "sparkline", 3)),
        ("title", None, ("x" * 81, 3, {})),
        ("x", None, (-1, 12, 1.5, "1", None)), ("y", None, (-1, 1000)),
        ("w", None, (0, 13)), ("h", None, (0, 101, True)),
        ("from", None, ("yesterday", "2025-11-22T10:00:00", -5, "", "-5")),
        ("step", None, ("2h", "3600", 60)),
        ("platform", None, ("myspace", "", 5, ["tiktok", "x"], ["tiktok", "tiktok,"])),
        ("thresholds", None, (5, "10", [])),
        ("thresholds", "thresholds.warn", ({"warn": "10"}, {"warn": 2e15}, {"warn": {}})),
        ("thresholds", "thresholds.crit", ({"crit": []}, {"crit": -2e15})),
        ("thresholds", "thresholds.worse", ({"worse": 1},)),
        ("metrics", None, ({}, "x", 5, None, 9 * [{"expr": "1"}])),
        ("metrics", "metrics[0]", (["x"], [5], [None])),
        ("metrics", "metrics[0].expr", ([{}], [{"expr": ""}], [{"expr": 5}], [{"expr": "x" * 201}])),
        ("metrics", "metrics[1].expr", ([{"expr": "1"}, {"expr": "1+"}], [{"expr": "1"}, {"expr": "queue.gone"}])),
        ("metrics", "metrics[0].label", ([{"expr": "1", "label": "x" * 81}], [{"expr": "1", "label": 1}])),
        ("metrics", "metrics[0].format", ([{"expr": "1", "format": "hex"}],)),
        ("metrics", "metrics[0].unit", ([{"expr": "1", "unit": "s"}],)),
        ("colour", None, ("red",)),
    ) for value in values]
    cases += [({**good, "x": 9}, "w"), ({**good, "w": 12, "x": 1}, "w")]
    for wrong, field in cases:
        layout = [{**good, "id": "first"}, wrong]
        expect_equal(refused({"name": "b", "layout": layout}), [f"layout[1].{field}"], wrong)
    expect_equal(refused({"name": "b", "layout": [5]}, "PUT", f"{BOARDS}/{ident}"), ["layout[0]"], "in a PUT")
    expect_equal(refused({"name": "b", "layout": [good, {**good, "id": "x"}, good]}), ["layout[2].id"], "ids")
    for body, names in (({}, ["name"]), ({"name": ""}, ["name"]), ({"name": "x" * 81}, ["name"]), ({"name": 5}, ["name"]),
                        ({"name": "b", "layout": {}}, ["layout"]), ({"name": "b", "layout": "[]"}, ["layout"]),
                        ({"name": "b", "visibility": "public"}, ["visibility"]), ({"name": "b", "owner": "bob"}, ["owner"]),
                        ({"name": "b", "version": 7}, ["version"])):
        expect_equal(refused(body), names, body)
    expect_equal(refused({"name": "b"}, "PUT", f"{BOARDS}/{ident}"), ["layout"], "PUT without a layout")
    expect_equal(refused({"layout": []}, "PUT", f"{BOARDS}/{ident}"), ["name"], "PUT without a name")
    expect_equal(refused({"name": ""}, path=f"{BOARDS}/{ident}/clone"), ["name"], "clone")
    expect_equal(refused({"layout": []}, path=f"{BOARDS}/{ident}/clone"), ["layout"], "clone")
    # All of them at once, up to eight.
    expect_equal(refused({"name": "b", "layout": [{**good, "type": "x", "w": 0}, {**widget("1+"), "id": "v"}]}),
                 ["layout[0].type", "layout[0].w", "layout[1].metrics[0].expr"], "together")
    expect_equal(len(refused({"name": "b", "layout": 20 * [5]})), 8, "eight")
    expect_equal((count(), row(ident)), before, "nothing is written")


@alone("which names an expression may read depends on the widget, and the refusal says where they are right")
def _():
    for kind, expr, hint in (("stat", "events.published", "line, bar and heatmap"),
                             ("table", "1+events.failed", "line, bar and heatmap"),
                             ("line", "events.published.1h", "have no history"),
                             ("heatmap", "queue.pending", "nothing but events"),
                             ("heatmap", "events.published.1h", "nothing but events"),
                             ("line", "queue.gone", "character 1")):
        answer = call("POST", BOARDS, {"name": "b", "layout": [widget(expr, type=kind)]})
        expect_problem(answer, 422, "invalid_parameter")
        expect(hint in answer.json["errors"][0]["detail"], answer)
    for kind, expr, name in (("line", "queue.pending", "queue.pending is"), ("line", "events.clips_created", "clips_created"),
                             ("heatmap", "events.clips_created", "clips_created"),
                             ("stat", "1+telemetry.queue.pending", "telemetry.queue.pending is"),
                             ("stat", "jobs.stuck_processing", "jobs.stuck_processing"),
                             ("stat", "events.clips_created.24h", "events.clips_created.24h")):
        answer = call("POST", BOARDS, {"name": "b", "layout": [widget(expr, type=kind, platform="tiktok")]})
        expect_problem(answer, 422, "invalid_parameter")
        expect(name in answer.json["errors"][0]["detail"], answer)
    expect_equal(refused({"name": "b", "layout": [widget("1", "2", type="heatmap")]}), ["layout[0].metrics"], "heatmap")


def layout_of(size):
    """A layout of exactly that many bytes of compact JSON."""
    metric = {"expr": "1" + 99 * "+1", "label": "x", "format": "duration"}
    layout = numbered([widget(*({**metric} for _ in range(8)), title=80 * "t", step="15m") for _ in range(24)])
    missing = size - len(json.dumps(layout, separators=(",", ":")))
    for m in (m for w in layout for m in w["metrics"]):
        more = min(79, missing)
        m["label"] += more * "x"
        missing -= more
    expect_equal(len(json.dumps(layout, separators=(",", ":"))), size, "bytes")
    return layout


@alone("limits: at them all is well, just above they are named")
def _():
    made = []

    def fits(layout, name="b"):
        answer = call("POST", BOARDS, {"name": name, "layout": layout})
        expect_equal(answer.status, 201, answer)
        made.append(answer.json["id"])
        expect_equal(answer.json["layout"], layout, "as sent")
    fits(numbered(24 * [widget("1")]))
    expect_equal(refused({"name": "b", "layout": numbered(25 * [widget("1")])}), ["layout"], "25 widgets")
    fits([widget(*8 * ["1"], title=80 * "t", id=64 * "i")])
    fits([widget()])
    fits([widget("1", x=0, y=0, w=12, h=1), widget("1", id="b", x=11, y=999, w=1, h=100)], 80 * "n")
    fits([widget({"expr": "1" + 99 * "+1" + " ", "label": 80 * "l"}, thresholds={"warn": -1e15, "crit": 1e15})])
    fits([widget({"expr": 15 * "(" + "1" + 15 * ")"})])
    expect_equal(refused({"name": "b", "layout": [widget(16 * "(" + "1" + 16 * ")")]}),
                 ["layout[0].metrics[0].expr"], "depth")
    fits(layout_of(65536))
    expect_equal(refused({"name": "b", "layout": layout_of(65537)}), ["layout"], "65537 bytes")
    # Widgets may lie over each other: how to draw that is the page's business.
    fits([widget("1"), widget("1", id="b")])


# -- values --------------------------------------------------------------------------------


@alone("the example of the specification is 25.0 on dataset A")
def _():
    ident = make(widget({"expr": FAILED, "label": "Failed", "format": "percent"}))
    body = call("GET", f"{BOARDS}/{ident}/data").body.decode()
    expect('"value":25.0,' in body, body)
    by_hand = instance.run("get", f"{BOARDS}/{ident}/data", status=4).stdout
    expect_equal(json.loads(by_hand)["code"], "not_found", "the operator by hand is another user")


# What dataset A makes of these, from the vectors of the specification.
KNOWN = {"queue.pending": 2, "queue.processing": 1, "queue.success": 3, "queue.failed": 1,
         "queue.avg_processing_time_ms": 2249.67, "queue.oldest_pending_age_seconds": 3600.0,
         "overview.total_videos": 3, "overview.total_clips": 4, "orchestrator.queue_saturation": 0.4286,
         "orchestrator.actions_last_24h": 6, "platforms.instagram.avg_score": 0.85, "campaigns.paused": 0,
         "platforms.youtube.clips_ready": 0, "accounts.oauth_min_left_ms": None}


def finite(value):
    return value if value is not None and abs(value) < float("inf") else None


def on_numbers(function):
    return lambda *operands: None if None in operands else finite(function(*operands))


def divide(a, b):
    return None if b == 0 else a / b


OPERATIONS = {
    "+": (2, on_numbers(lambda a, b: a + b)), "-": (2, on_numbers(lambda a, b: a - b)),
    "*": (2, on_numbers(lambda a, b: a * b)), "/": (2, on_numbers(divide)), "neg": (1, on_numbers(lambda a: -a)),
    "min": (None, on_numbers(min)), "max": (None, on_numbers(max)), "abs": (1, on_numbers(abs)),
    "ratio": (2, on_numbers(divide)),
    "coalesce": (None, lambda *operands: next((o for o in operands if o is not None), None)),
}


class Expressions:
    """Random expressions with their values; what is used is counted."""

    def __init__(self, seed):
        self.random, self.used = random.Random(seed), {}

    def space(self):
        return self.random.choice(("", "", "", " ", "  "))

    def leaf(self):
        if self.random.random() < 0.45:
            name = self.random.choice(list(KNOWN))
            return name, KNOWN[name], 9
        text = self.random.choice((str(self.random.randrange(10)), f"{self.random.uniform(0, 1000):.3f}", "0", "0.25"))
        return text, float(text), 9

    def make(self, depth):
        """(text, value, precedence): 1 a sum, 2 a product, 9 a factor."""
        if depth == 0 or self.random.random() < 0.2:
            return self.leaf()
        name = self.random.choice(list(OPERATIONS))
        arity, function = OPERATIONS[name]
        operands = [self.make(depth - 1) for _ in range(arity or self.random.randint(2, 4))]
        value = function(*(o[1] for o in operands))
        self.used[name, value is None] = self.used.get((name, value is None), 0) + 1
        texts = [o[0] for o in operands]
        if name in "+-*/":
            mine = 1 if name in "+-" else 2
            # The right operand of a left-associative operator needs more than its own precedence.
            texts = [f"({t})" if o[2] < mine + (i == 1) else t for i, (t, o) in enumerate(zip(texts, operands))]
            return f"{texts[0]}{self.space()}{name}{self.space()}{texts[1]}", value, mine
        if name == "neg":
            return f"-{self.space()}" + (texts[0] if operands[0][2] == 9 else f"({texts[0]})"), value, 9
        return f"{name}{self.space()}(" + f"{self.space()},".join(f"{self.space()}{t}" for t in texts) + ")", value, 9


def close(got, want):
    if got is None or want is None:
        return got is want
    return abs(got - want) <= 6e-7 + 1e-9 * abs(want)


@alone("two thousand random expressions have the values that Python's own arithmetic gives")
def _():
    source = Expressions(SEED)
    ident = make()
    for _round in range(11):
        made = []
        while len(made) < 24 * 8:
            text, value, _ = source.make(source.random.randint(1, 4))
            if len(text) <= 200:
                made.append((text, value))
        layout = numbered([widget(*(text for text, _ in made[i:i + 8])) for i in range(0, len(made), 8)])
        answer = call("PUT", f"{BOARDS}/{ident}", {"name": "b", "layout": layout})
        expect_equal(answer.status, 200, answer)
        shown = [m for w in data(ident) for m in w["metrics"]]
        expect_equal(len(shown), len(made), "values")
        for seen, (text, value) in zip(shown, made):
            expect(seen["expr"] == text and close(seen["value"], value), f"{text}: {value} expected, {seen}")
    for name in OPERATIONS:
        for is_null in (False, True):
            expect(source.used.get((name, is_null), 0) > 5, f"{name} was tried: {source.used}")


@alone("numbers are rounded as their format says, null stays null, and huge ones stay numbers")
def _():
    def values(expr):
        return [m["value"] for m in show(widget(*({"expr": expr, "format": f} for f in
                                                  ("int", "float", "percent", "duration", "money"))))[0]["metrics"]]
    expect_equal(values("10/3"), [3, 3.333333, 3.3333, 3.333, 3.33], "10/3")
    expect_equal(values("-10/3"), [-3, -3.333333, -3.3333, -3.333, -3.33], "-10/3")
    expect_equal(values("2.5"), [3, 2.5, 2.5, 2.5, 2.5], "half away from zero")
    expect_equal(values("0-0.125"), [0, -0.125, -0.125, -0.125, -0.13], "half away from zero")
    expect_equal(values("queue.pending"), [2, 2.0, 2.0, 2.0, 2.0], "int has no point, all others do")
    expect_equal(values("1/0"), 5 * [None], "null")
    huge = values("10000000000*10000000000*10000000000*10000000000")
    expect_equal(huge, 5 * [1e40], "1e40")
    nines = "*".join(["9" * 48] * 4)
    expect_equal(values(nines), 5 * [1e192], "1e192")


@alone("thresholds say ok, warn or crit; with crit below warn lower is worse")
def _():
    cases = [({"warn": 10, "crit": 20}, [("9.9", "ok"), ("10", "warn"), ("19.9", "warn"), ("20", "crit"), ("1/0", None)]),
             ({"warn": 20, "crit": 10}, [("20.1", "ok"), ("20", "warn"), ("10.1", "warn"), ("10", "crit"), ("-5", "crit")]),
             ({"warn": 10}, [("9", "ok"), ("10", "warn"), ("1000", "warn")]),
             ({"crit": 10}, [("9", "ok"), ("10", "crit")]),
             ({"warn": 10, "crit": 10}, [("9", "ok"), ("10", "crit")]),
             ({"warn": None, "crit": None}, [("9", None)]), ({}, [("9", None)])]
    shown = show(*(widget(*(e for e, _ in of), thresholds=t, type="gauge") for t, of in cases))
    for (limits, of), w in zip(cases, shown):
        expect_equal([m["level"] for m in w["metrics"]], [level for _, level in of], limits)


@alone("a widget whose metric is gone says so and spoils no other")
def _():
    ident = make(widget("queue.pending"), widget("1", "queue.failed"), widget("events.published", type="line", step="1h"))
    instance.sql("UPDATE dashboards SET layout = replace(layout, 'queue.failed', 'queue.gone')"
                 f" WHERE id = '{ident}'")
    shown = data(ident)
    expect_equal([w["error"] and w["error"]["param"] for w in shown], [None, "layout[1].metrics[1].expr", None], shown)
    expect("no metric" in shown[1]["error"]["detail"], shown[1])
    expect_equal((shown[1]["id"], shown[1]["type"], shown[1]["metrics"]), ("w1", "stat", []), "the broken one")
    expect_equal(shown[0]["metrics"][0]["value"], 2.0, "the first")
    expect_equal(len(shown[2]["metrics"][0]["points"]), 25, "the third")
    board = call("GET", f"{BOARDS}/{ident}").json
    expect_equal(refused({"name": "b", "layout": board["layout"]}, "PUT", f"{BOARDS}/{ident}"),
                 ["layout[1].metrics[1].expr"], "it cannot be stored again")
    # Whatever another program leaves in the row.
    instance.sql(f"UPDATE dashboards SET layout = '[5, {{}}, {{\"id\": 3}}, null, [[]]]' WHERE id = '{ident}'")
    expect_equal([w["error"]["param"] for w in data(ident)],
                 ["layout[0]", "layout[1].id", "layout[2].id", "layout[3]", "layout[4]"], "nonsense")
    for nonsense in ("{bad", '{"a": 1}', "", "[1", "5", str(25 * [0])):
        instance.sql(f"UPDATE dashboards SET layout = '{nonsense}' WHERE id = '{ident}'")
        board = call("GET", f"{BOARDS}/{ident}")
        expect_equal((board.status, board.json["layout"]), (200, 25 * [0] if "0" in nonsense else None), nonsense)
        for what in ("data", "export.xlsx"):
            expect_problem(call("GET", f"{BOARDS}/{ident}/{what}"), 409, "conflict")
    expect_equal(call("PUT", f"{BOARDS}/{ident}", {"name": "b", "layout": []}).status, 200, "repaired")


# -- over time ---------------------------------------------------------------------------------


def as_shown(value):
    return None if value is None else float(value)


def logs():
    return instance.rows("SELECT platform, status, requested_at, published_at FROM publish_logs")


@alone("line and bar evaluate expressions at each step, over events and samples")
def _():
    begin = NOW // HOUR * HOUR - 5 * HOUR
    samples = {("queue.pending", HOUR, begin + HOUR): 7, ("queue.pending", HOUR, begin + 3 * HOUR): 4,
               ("queue.failed", HOUR, begin + HOUR): 2, ("queue.failed", HOUR, begin + 2 * HOUR): 5,
               ("queue.failed", HOUR, begin + 3 * HOUR): 0}
    db = instance.connect()
    db.executemany("INSERT INTO stat_samples VALUES (?, ?, ?, ?)", [(*k, v) for k, v in samples.items()])
    db.close()
    start = datetime.fromtimestamp(begin / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = show(*(widget("events.published", "10*events.published/events.requested", "queue.pending-queue.failed",
                          "queue.pending/queue.failed", "coalesce(queue.pending, 0-1)", "2", "1/0", "1/events.published",
                          type=t, step="1h", **{"from": start}) for t in ("line", "bar")))
    steps = [begin + i * HOUR for i in range(6)]

    def in_step(at, step):
        return at is not None and step <= at < step + HOUR
    published = [sum(s == "success" and in_step(at, t) for _, s, _, at in logs()) for t in steps]
    requested = [sum(in_step(at, t) for _, _, at, _ in logs()) for t in steps]
    pending = [samples.get(("queue.pending", HOUR, t)) for t in steps]
    failed = [samples.get(("queue.failed", HOUR, t)) for t in steps]
    expect(sum(published) == 2 and sum(requested) == 5, f"{published} {requested}")
    both = on_numbers(lambda a, b: a - b)
    want = [published, [divide(10 * p, r) for p, r in zip(published, requested)],
            [both(p, f) for p, f in zip(pending, failed)],
            [None if p is None or not f else p / f for p, f in zip(pending, failed)],
            [-1 if p is None else p for p in pending], 6 * [2], 6 * [None],
            [divide(1, p) for p in published]]
    for w in shown:
        expect_equal((w["from"], w["to"], w["step_ms"], w["truncated"], w["error"]),
                     (start, "2025-11-22T11:00:00Z", HOUR, False, None), w)
        for m, values in zip(w["metrics"], want):
            expect_equal([p[0] for p in m["points"]], steps, m["expr"])
            expect(all(close(p[1], v) for p, v in zip(m["points"], values)), f"{m} {values}")
            expect_equal((m["value"], m["level"]), (None, None), "no single value")
    instance.sql("DELETE FROM stat_samples")


@alone("values now of a platform are those of the filtered statistics")
def _():
    # From the specification: queue?platform=tiktok and overview?platform=instagram on dataset A.
    queue = {"pending": 0, "processing": 1, "success": 1, "failed": 0, "avg_processing_time_ms": 2000.0,
             "oldest_pending_age_seconds": None}
    overview = {"total_videos": 1, "total_clips": 2, "total_jobs": 2, "pending_jobs": 1, "total_campaigns": 2,
                "success_logs": 1, "failed_logs": 0, "scheduled_publications": 1}
    shown = show(widget(*(f"queue.{name}" for name in queue), platform="tiktok"),
                 widget(*(f"overview.{name}" for name in overview), platform=["instagram"]),
                 widget("queue.pending", "events.requested.24h"), widget("events.requested.24h", platform="tiktok,other"),
                 widget("queue.pending", platform="other,instagram"), widget("queue.processing", platform="tiktok"))
    values = [[m["value"] for m in w["metrics"]] for w in shown]
    recent = [name for name, _, at, _ in logs() if NOW - DAY <= at <= NOW]
    expect_equal(values, [list(map(as_shown, queue.values())), list(map(as_shown, overview.values())),
                          [2.0, float(len(recent))], [float(recent.count("tiktok") + recent.count("other"))], [2.0], [1.0]],
                 "values")
    expect(0 < recent.count("tiktok") < len(recent), recent)


@alone("a widget with a platform counts that platform's events")
def _():
    day = NOW // DAY * DAY
    for platform, names in (("tiktok", {"tiktok"}), ("instagram,youtube", {"instagram", "youtube"}),
                            (["other", "tiktok"], {"other", "tiktok"}), (None, {"tiktok", "instagram", "youtube", "other"})):
        more = {} if platform is None else {"platform": platform}
        w = show(widget("events.requested", type="bar", step="1d", **{"from": "-7d"}, **more))[0]
        got = {t: n for t, n in w["metrics"][0]["points"] if n}
        want = {}
        for name, _, at, _ in logs():
            if name in names:
                want[at // DAY * DAY] = want.get(at // DAY * DAY, 0) + 1
        expect_equal(got, {t: float(n) for t, n in want.items()}, platform)
    expect(day in want, "today has some")


@alone("steps of a day and the hours of a heatmap follow tz_offset")
def _():
    for tz in (0, 60, -720, 840):
        line, heat = show(widget("events.published", type="line", step="1d", **{"from": "-72h"}),
                          widget({"expr": "2*events.published", "format": "int"}, type="heatmap"),
                          query=f"?tz_offset={tz}")
        local = [datetime.fromtimestamp(at / 1000, timezone.utc) + timedelta(minutes=tz)
                 for _, s, _, at in logs() if s == "success" and at]
        midnights = {}
        for at in local:
            t = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(minutes=tz)
            midnights[round(t.timestamp() * 1000)] = midnights.get(round(t.timestamp() * 1000), 0) + 1.0
        expect_equal({t: n for t, n in line["metrics"][0]["points"] if n}, midnights, f"days at {tz}")
        cells = {}
        for at in local:
            cells[at.isoweekday(), at.hour] = cells.get((at.isoweekday(), at.hour), 0) + 2
        points = heat["metrics"][0]["points"]
        expect_equal([p[:2] for p in points], [[d, h] for d in range(1, 8) for h in range(24)], "cells")
        expect_equal({(d, h): n for d, h, n in points if n}, cells, f"hours at {tz}")
        expect_equal((heat["step_ms"], heat["to"]), (None, "2025-11-22T10:30:00.001Z"), heat)


@alone("a time or a number of points that cannot be is the widget's own error")
def _():
    future = {"from": "2025-11-22T10:30:00.001Z"}
    now = {"from": "2025-11-22T10:30:00Z"}
    shown = show(widget("1", type="line", **future), widget("1", type="line", **now), widget("1", **future),
                 widget("events.failed", type="heatmap", **{"from": "-401d"}),
                 widget("events.failed", type="bar", step="1d", **{"from": "2020-01-01"}))
    expect_equal([w["error"] and w["error"]["param"] for w in shown],
                 ["layout[0].from", None, None, "layout[3].from", None], shown)
    expect_equal((len(shown[4]["metrics"][0]["points"]), shown[4]["truncated"]), (401, True), "400 days")
    # 1441 steps, read and shown: 13 such widgets fit into 40,000.
    shown = show(*(widget("events.failed", type="line", step="60s") for _ in range(16)), widget("queue.pending"))
    expect_equal([w["error"] and w["error"]["param"] for w in shown],
                 13 * [None] + [f"layout[{i}].step" for i in (13, 14, 15)] + [None], "points")
    expect_equal(len(shown[12]["metrics"][0]["points"]), 1441, "points of one")


# -- one snapshot --------------------------------------------------------------------------------


@alone("a board never sees one half of a change without the other")
def _():
    # Much lies between the figures that are compared, so that there is time for a change.
    ident = make(widget("overview.total_videos"), *(widget("events.failed", type="line", step="60s") for _ in range(6)),
                 widget("events.clips_created", type="bar", step="1d"), widget("campaigns.draft"))
    videos, drafts = (instance.rows(q)[0][0] for q in ("SELECT count(*) FROM video_assets",
                                                      "SELECT count(*) FROM campaigns WHERE status = 'draft'"))
    stop = threading.Event()

    def write():
        db = instance.connect()
        for n in itertools.count():
            if stop.is_set():
                break
            db.execute("BEGIN IMMEDIATE")
            db.execute(f"INSERT INTO video_assets (id, created_at, updated_at) VALUES ('s{n}', 1, 1)")
            db.execute("INSERT INTO clips (id, video_asset_id, start_ms, end_ms, duration_ms, created_at, updated_at)"
                       f" VALUES ('s{n}', 's{n}', 0, 1, 1, {NOW - 1}, 1)")
            db.execute("INSERT INTO campaigns (id, name, clip_id, budget_cents, created_at, updated_at)"
                       f" VALUES ('s{n}', 's', 's{n}', 1, 1, 1)")
            db.execute("COMMIT")
        db.close()
    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    try:
        while len(seen) < 60 and writer.is_alive():
            first, *_, clips, second = data(ident)
            numbers = [first["metrics"][0]["value"] - videos, sum(n or 0 for _, n in clips["metrics"][0]["points"]),
                       second["metrics"][0]["value"] - drafts]
            expect_equal(numbers, 3 * numbers[:1], "together")
            seen.add(numbers[0])
    finally:
        stop.set()
        writer.join()
    expect(len(seen) == 60, "the writer was at work")
    instance.sql("DELETE FROM campaigns WHERE id GLOB 's*'; DELETE FROM clips WHERE id GLOB 's*';"
                 "DELETE FROM video_assets WHERE id GLOB 's*'")


# -- as a workbook ------------------------------------------------------------------------------


def workbook(body):
    """Sheets by name, as rows of cells: texts and numbers."""
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(body)) as z:
        expect_equal(z.testzip(), None, "the archive is whole")
        names = [s.get("name") for s in ElementTree.fromstring(z.read("xl/workbook.xml")).iter(f"{main}sheet")]
        sheets = {}
        for i, name in enumerate(names, 1):
            root = ElementTree.fromstring(z.read(f"xl/worksheets/sheet{i}.xml"))
            sheets[name] = rows = []
            for r in root.iter(f"{main}row"):
                rows.append({})
                for c in r.iter(f"{main}c"):
                    text = "".join(t.text or "" for t in c.iter(f"{main}t"))
                    value = text if c.get("t") == "inlineStr" else float(c.find(f"{main}v").text)
                    rows[-1][c.get("r").rstrip("0123456789")] = value
    return sheets


@alone("a board as a workbook has a sheet of values and one for each widget with points, whatever they are called")
def _():
    names = ("it's [a]: *?/\\ name that is much too long for a sheet'", "\uffff=1+1 _x0041_ <&>", "it's [a]: *?/\\'")
    ident = make(widget({"expr": FAILED, "label": "=Failed\ufffe"}, "1/0", "10000000000*10000000000", title="A & B",
                        thresholds={"warn": 10}),
                 *(widget({"expr": "events.published", "label": f"=p{i}"}, "queue.pending", type="line", step="1h",
                          title=name, **{"from": "2025-11-22T08:00:00Z"}) for i, name in enumerate(names)),
                 widget("events.published", type="heatmap"), widget("queue.failed"), visibility="shared")
    instance.sql(f"UPDATE dashboards SET layout = replace(layout, '\"queue.failed', '\"queue.gone') WHERE id = '{ident}'")
    path = f"{BOARDS}/{ident}/export.xlsx"
    answer = call("GET", path)
    expect_equal((answer.status, answer.headers["Content-Type"], answer.headers["Content-Disposition"]),
                 (200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                  'attachment; filename="board_20251122T103000Z.xlsx"'), answer.headers)
    sheets = workbook(answer.body)
    expect_equal(list(sheets)[0], "widgets", "the first sheet")
    expect_equal([len(rows) for rows in sheets.values()], [1 + 3 + 2 * 3 + 1 + 1, 4, 4, 4, 169], list(sheets))
    rows = sheets["widgets"]
    expect_equal(list(rows[0].values()), ["widget", "title", "type", "metric", "expr", "format", "value", "level", "error"], "")
    expect_equal(rows[1], {"A": "w0", "B": "A & B", "C": "stat", "D": "=Failed", "E": FAILED, "F": "float", "G": 25.0,
                           "H": "warn"}, "a value")
    expect_equal(["G" in r for r in rows[1:4]], [True, False, True], "null is empty")
    expect_equal(rows[3]["G"], "1e+20", "huge")
    expect(rows[-1]["I"].startswith("layout[5].metrics[0].expr:") and "G" not in rows[-1], rows[-1])
    points = list(sheets.values())[1]
    expect_equal(list(points[0].values()), ["at", "=p0", "queue.pending"], "head")
    first = datetime(2025, 11, 22, 8, tzinfo=timezone.utc).timestamp() / 86400 + 25569
    expect(all(abs(r["A"] - first - i / 24) < 1e-6 for i, r in enumerate(points[1:])), points)
    expect_equal([r["B"] for r in points[1:]], [1.0, 0.0, 1.0], "published")
    expect_equal(sum(r["C"] for r in list(sheets.values())[4][1:]), 3.0, "heatmap")
    expect_equal(instance.rows("SELECT actor, target FROM audit_log WHERE action = 'export'"),
                 [("ann", f"dashboards/{ident}")], "audit")
    expect_problem(call("GET", path, token=vic), 403, "scope_missing")
    expect_problem(call("GET", f"{BOARDS}/{UNKNOWN}/export.xlsx"), 404, "not_found")
    expect_problem(call("GET", f"{BOARDS}/{make(token=bob)}/export.xlsx"), 404, "not_found")
    expect_equal(list(workbook(call("GET", f"{BOARDS}/{make()}/export.xlsx").body)), ["widgets"], "an empty board")


# -- the declaration -------------------------------------------------------------------------------


@alone("every answer is what its program declares")
def _():
    document = json.loads(instance.request("/openapi.json").body)
    ident = make(widget("queue.pending", thresholds={"warn": 1}), widget("events.failed", type="line", platform="tiktok"),
                 widget("events.failed", type="heatmap"), widget("1/0", "1"))
    instance.sql(f"UPDATE dashboards SET layout = json_insert(layout, '$[#]', 5) WHERE id = '{ident}'")
    path = f"{BOARDS}/{ident}"
    clone = call("POST", f"{path}/clone")
    for template, method, answer in ((BOARDS, "get", call("GET", BOARDS)), (BOARDS + "/{id}", "get", call("GET", path)),
                                     (BOARDS + "/{id}/data", "get", call("GET", f"{path}/data")),
                                     (BOARDS + "/{id}/clone", "post", clone),
                                     (BOARDS, "post", call("POST", BOARDS, {"name": "b"})),
                                     (BOARDS + "/{id}", "put", call("PUT", path, {"name": "b", "layout": []})),
                                     (BOARDS + "/{id}", "delete", call("DELETE", path))):
        responses = document["paths"][template][method]["responses"]
        schema = responses[str(answer.status)]["content"]["application/json"]["schema"]
        validator = jsonschema.Draft202012Validator({"components": document["components"], **schema})
        validator.validate(answer.json)
        expect(not validator.is_valid({}), f"the schema of {method} {template} asks for something")


run()
