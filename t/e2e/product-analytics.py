#!/usr/bin/env -S /usr/bin/python3 -B
"""Product analytics through nginx: the answers of the specification's worked example, field by field, and those of
random data by product.py's own computation; tokens, errors, caching, the mailed report, tables and files.

The rows come from a real MariaDB by the real job.
"""
import csv
import http.client
import io
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

from harness import (LIBEXEC, SOURCE, Instance, expect, expect_equal, expect_problem, fcgi_receive, fcgi_send, fields,
                     read_xlsx, run, test, wait_until)

sys.path.insert(0, str(SOURCE / "t/upstream"))
import product                                                                  # noqa: E402
from fake import Reply, Upstream, cut, hang, huge, silent, status               # noqa: E402
from mariadb import MariaDB                                                     # noqa: E402

PASSWORD = "pf-9e2b-Secret"
SECRET = "Bearer old-front-end-secret-1"        # a token that itself begins with the word
KEY = "mail-backend-key"
TABLES = ("historical", "reoccurring", "cohorts", "compare", "breakdown?by=country_city", "rooms")

server = MariaDB()
server.create_tables()
server.grant(password=PASSWORD)


class Product(Instance):
    """An instance whose read model holds a dataset, and that runs behind nginx with one worker for each route."""

    def __init__(self, dataset=None, now=None, is_started=True, synced_at=None, **settings):
        dataset = dataset if dataset is not None else product.worked_example()
        super().__init__(now=now or dataset.now, **{"DB_HOST": "127.0.0.1", "DB_PORT": server.port, "PH_WORKERS": 1,
                                                    "DB_PASSWORD": PASSWORD, "PH_ALLOW_LOOPBACK_HTTP": 1, **settings})
        self.dataset, self.now = dataset, now or dataset.now
        self.model = self.home / "analytics.db"
        server.truncate_all()
        server.load(dataset)
        if synced_at != "never":
            self.run("jobs", "run", "readmodel")
            if synced_at is not None:
                self.change(f"UPDATE sync_meta SET v = '{synced_at}' WHERE k = 'last_success_at'")
        if is_started:
            self.with_admin()
            self.start()

    def change(self, script):
        db = sqlite3.connect(self.model, timeout=10)
        db.executescript(script)
        db.close()

    def json(self, path, **options):
        answer = self.request(path, **options)
        expect_equal(answer.status, 200, f"{path}: {answer}")
        return answer.json


SYNCED = "2024-07-15T07:55:00Z"
one = Product(synced_at=SYNCED)


# -- the worked example, section 8 ------------------------------------------------------------

PARTS = json.loads("""
{"traffic":{"unique_users":10,"page_views":16,"bounce_rate":0.1,"average_duration":1.45},
"votes":{"total_votes":9,"total_estimations":13,"avg_estimations_per_vote":1.44,"avg_spectators_per_vote":0.44,
"avg_duration_per_vote":1.09,"avg_estimation":6.59,"avg_min_estimation":8.33,"avg_max_estimation":7.44,
"weekday_counts":{"Monday":2,"Tuesday":2,"Wednesday":1,"Friday":1,"Saturday":1,"Sunday":2},
"estimation_counts":{"1":1,"2":2,"3":4,"5":3,"8":2,"13":1,"21":1}},
"behaviour":{"routes":{"GUIDE":1,"HOME":7,"ROOM":8},
"sources":{"Teams":1,"Google Ads":2,"Google Search":1,"CV":1,"GitHub":1,"Bing":1,"Other":2},
"events":{"ENTERED_EXISTING_ROOM":2,"ENTERED_NEW_ROOM":2,"ENTERED_RANDOM_ROOM":1,"LEFT_ROOM":1},
"rooms":{"alpha":4,"713355":2,"beta":2,"None":1}},
"location_and_user_agent":{"device":{"desktop":8,"bot":1,"mobile":1,"tablet":1,"None":1},
"os":{"Windows":5,"Linux":2,"Mac OS":2,"Android":1,"iOS":1,"None":1},
"browser":{"Chrome":6,"Edge":2,"Firefox":1,"Mobile Safari":1,"Safari":1,"None":1},
"country":{"DE":4,"US":3,"FR":2,"AT":1,"GB":1,"None":1},
"country_region":[{"country":"DE","region":"BY","count":2},{"country":"US","region":"TX","count":2},
{"country":"AT","region":"9","count":1},{"country":"DE","region":"BE","count":1},{"country":"DE","region":null,"count":1},
{"country":"FR","region":"","count":1},{"country":"FR","region":"IDF","count":1},{"country":"GB","region":"ENG","count":1},
{"country":"US","region":"CA","count":1},{"country":null,"region":null,"count":1}],
"country_city":[{"country":"DE","city":"München","count":2},{"country":"FR","city":"Paris","count":2},
{"country":"US","city":"Austin","count":2},{"country":"AT","city":"Wien","count":1},{"country":"DE","city":"Berlin","count":1},
{"country":"DE","city":null,"count":1},{"country":"GB","city":"London","count":1},{"country":"US","city":null,"count":1},
{"country":null,"city":null,"count":1}]}}""")

# date: new_users, page_views, rooms, estimations, votes as m, acc_m; reoccurring users, rooms; adjusted users, rooms
DAYS = {
    "2024-06-03": (2, 2, 4, 4, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0), "2024-06-04": (1, 3, 2, 6, 0, 1, 2, 3, 1, 1, 0, 1, 0, 1),
    "2024-06-05": (0, 3, 0, 6, 0, 1, 3, 6, 1, 2, 1, 1, 1, 1), "2024-06-10": (2, 5, 1, 7, 0, 1, 3, 9, 1, 3, 3, 1, 3, 1),
    "2024-06-11": (0, 5, 0, 7, 0, 1, 0, 9, 1, 4, 3, 1, 3, 1), "2024-06-21": (1, 6, 1, 8, 0, 1, 0, 9, 0, 4, 3, 1, 3, 1),
    "2024-06-28": (0, 6, 0, 8, 1, 2, 0, 9, 0, 4, 3, 1, 3, 1), "2024-07-08": (0, 6, 0, 8, 0, 2, 0, 9, 0, 4, 3, 1, 2, 1),
    "2024-07-11": (0, 6, 0, 8, 0, 2, 0, 9, 0, 4, 3, 1, 0, 0), "2024-07-12": (1, 7, 1, 9, 0, 2, 1, 10, 1, 5, 4, 1, 1, 0),
    "2024-07-15": (1, 8, 2, 11, 1, 3, 2, 12, 1, 6, 5, 1, 2, 1),
}
METRICS = ("new_users", "page_views", "rooms", "estimations", "votes")
MEANS = {"2024-07-12": (0.23, 0.3, 0.07, 0.33, 0.17), "2024-07-15": (0.2, 0.23, 0.07, 0.37, 0.2)}

ROOM_FIELDS = ("votes", "duration", "estimations", "estimations_per_vote", "avg_min_estimation", "avg_avg_estimation",
               "avg_max_estimation", "spectators", "spectators_per_vote")
ROOMS = {1: (4, 52, 8, 2, 3.75, 4.96, 6.5, 1, 0.25), 2: (2, 155, 2, 1, 17, 17, 17, 1, 0.5),
         3: (2, 30, 3, 1.5, 2.5, 2.75, 3, 0, 0), 99: (1, 5, 0, 0, 21, 0, 1, 2, 2), 4: (0,) * 9}
DAILY = {"votes": 2, "estimations": 2, "rooms": 2, "unique_users": 2, "page_views": 3}


@test("GET /: the six parts of the worked example, with maps in their order")
def _():
    answer = one.json("/")
    expect_equal(list(answer), ["data", "data_updated_at"], "members")
    expect_equal(answer["data_updated_at"], SYNCED, "data_updated_at")
    expect_equal(set(answer["data"]), {*PARTS, "reoccurring", "historical"}, "parts")
    for part, want in PARTS.items():
        expect(answer["data"][part] == want, f"{part}: {answer['data'][part]}")
        for name, value in want.items():
            if isinstance(value, dict):
                expect_equal(list(answer["data"][part][name]), list(value), f"order of {name}")


@test("GET /: both series of the worked example, day by day")
def _():
    data = one.json("/")["data"]
    for name in ("historical", "reoccurring"):
        expect_equal(len(data[name]), 31, f"days of {name}")
        expect_equal((data[name][0]["date"], data[name][-1]["date"]), ("2024-06-03", "2024-07-15"), name)
    last = None
    for i, (h, r) in enumerate(zip(data["historical"], data["reoccurring"])):
        expect_equal(h["date"], r["date"], "dates")
        last = DAYS.get(h["date"]) or tuple(0 if k < 10 and k % 2 == 0 else v for k, v in enumerate(last))
        expect_equal(tuple(v for m in METRICS for v in (h[m], h[f"acc_{m}"])) +
                     (r["reoccurring_users"], r["reoccurring_rooms"], r["adjusted_reoccurring_users"],
                      r["adjusted_reoccurring_rooms"]), last, h["date"])
        means = tuple(h[f"ma_{m}"] for m in METRICS)
        expect(means == MEANS.get(h["date"], (None,) * 5), f"means of {h['date']}: {means}")
        expect_equal(set(h), {"date"} | {p + m for m in METRICS for p in ("", "acc_", "ma_")}, "fields")
        expect_equal(len(r), 5, "fields")


@test("GET /room/{id}/stats: the rooms of the worked example, and what is refused")
def _():
    for room, want in ROOMS.items():
        got = one.json(f"/room/{room}/stats")
        expect(got == dict(zip(ROOM_FIELDS, want)), f"room {room}: {got}")
    expect(isinstance(one.json("/room/1/stats")["duration"], int), "whole seconds")
    for room in ("5", "2147483648", "9" * 40, "0000000000000000000000005"):
        refused = one.request(f"/room/{room}/stats")
        expect_problem(refused, 404, "not_found")
        expect_equal(refused.json["detail"], "Room not found", room)
    expect(one.json("/room/0001/stats") == one.json("/room/1/stats"), "leading zeros")
    for room in ("0", "-1", "-0", "000", "-" + "9" * 40):
        refused = one.request(f"/room/{room}/stats")
        expect_problem(refused, 400, "bad_request")
        expect_equal(refused.json["detail"], "Invalid room_id", room)
    for room in ("x", "1.0", "1e3", "-", "+1", "%201", "1%00", "%C3%A9"):
        refused = one.request(f"/room/{room}/stats")
        if room == "1%00":
            expect(refused.status in (400, 404, 422), refused)
            continue
        expect_problem(refused, 422, "invalid_parameter")
        expect_equal(refused.json["errors"][0]["param"], "room_id", room)
    for path in ("/room//stats", "/room/1", "/room/1/stats/", "/room/1/2/stats"):
        expect_problem(one.request(path), 404, "not_found")


@test("GET /daily-analytics: the last 24 hours, to the second, strictly")
def _():
    expect_equal(one.json("/daily-analytics"), DAILY, "the answer")


@test("GET /health: the worked example's")
def _():
    answer = one.request("/health", token="")
    size = sum(os.path.getsize(p) for p in (one.model, f"{one.model}-wal") if os.path.exists(p))
    expect_equal(answer.json, {"status": "ok", "components": {
        "read_model": {"status": "ok", "tables": dict.fromkeys((
            "fpp_estimations", "fpp_events", "fpp_page_views", "fpp_rooms", "fpp_users", "fpp_votes"), True)},
        "storage": {"status": "ok", "data_size_mb": product.r2(size / 1048576)},
        "sync": {"status": "ok", "last_success_at": SYNCED, "age_seconds": 300}}}, "health")


@test("FPP_UNKNOWN_ROOM=zero: zeros as the original gave them, and the same refusals")
def _():
    zero = Product(FPP_UNKNOWN_ROOM="zero")
    for room in ("5", "9" * 40):
        expect(zero.json(f"/room/{room}/stats") == dict.fromkeys(ROOM_FIELDS, 0), room)
    expect_problem(zero.request("/room/0/stats"), 400, "bad_request")
    expect_problem(zero.request("/room/x/stats"), 422, "invalid_parameter")
    zero.stop()


# -- who may, and how it is asked ------------------------------------------------------------------


PATHS = ("/", "/room/1/stats", "/daily-analytics", *(f"/analytics/{t}" for t in TABLES), "/analytics/sync",
         "/analytics/export/historical.csv")


@test("a secret that a front end has already works in both forms: as it is, and behind Bearer")
def _():
    one.add_user("front", "manager")
    one.run("token", "import", "--user", "front", "--stdin", "--scopes", "analytics:read analytics:write", text=SECRET.split()[1] + "\n")
    secret = SECRET.split()[1]
    for header in (secret, f"Bearer {secret}", f"bearer {secret}", f"BEARER   {secret}", f" {secret} "):
        for path in ("/", "/room/1/stats", "/daily-analytics"):
            answer = one.request(path, token="", headers={"Authorization": header})
            expect_equal(answer.status, 200, f"{header!r} {path} {answer}")
    for header in (secret + "x", secret[:-1], f"Bearer{secret}", f"Token {secret}", f"Bearer {secret} x"):
        expect_problem(one.request("/", token="", headers={"Authorization": header}), 401, "credentials_invalid")


@test("without a token 401 with WWW-Authenticate, without the scope 403, another method 405 with Allow")
def _():
    one.add_user("nobody", "viewer")
    no_scope = one.make_token("nobody", "--scopes", "dashboard:read")
    reader = one.make_token("nobody", "--scopes", "analytics:read")
    for path in PATHS:
        refused = one.request(path, token="")
        expect_problem(refused, 401, "credentials_missing")
        expect(refused.headers["WWW-Authenticate"].startswith("Bearer"), refused)
        expect_problem(one.request(path, token="phk_wrong_wrong"), 401, "credentials_invalid")
        expect_problem(one.request(path, token=no_scope), 403, "scope_missing")
        expect_equal(one.request(path, token=reader).status, 403 if path == "/daily-analytics" else 200, path)
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            refused = one.request(path, method=method)
            expect_problem(refused, 405, "method_not_allowed")
            expect("GET" in refused.headers["Allow"] and "POST" not in refused.headers["Allow"], refused)
    for path in PATHS[1:]:
        expect_problem(one.request(path.partition("?")[0] + "/"), 404, "not_found")


@test("a browser that comes to / is sent to the panel; whoever wants JSON gets it")
def _():
    html = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    went = one.request("/", token="", headers=html)
    expect_equal((went.status, went.headers["Location"]), (302, "/panel/"), "a browser")
    expect_equal(one.request("/", headers=html).status, 200, "with Authorization")
    expect_equal(one.request("/", token="", headers={"Accept": "*/*", "X-API-Key": one.token}).status, 200, "a script")
    expect_problem(one.request("/", token="", headers={"Accept": "*/*"}), 401, "credentials_missing")


@test("query strings are ignored, HEAD is GET without a body, the answer is stored nowhere, and has an ETag")
def _():
    plain = one.request("/")
    expect_equal(plain.headers["Cache-Control"], "private, no-store", "Cache-Control")
    expect(one.request("/?x=1&y").body == plain.body, "a query")
    head = one.request("/", method="HEAD")
    expect_equal((head.status, head.body, head.headers["Content-Length"]), (200, b"", str(len(plain.body))), "HEAD")
    again = one.request("/", headers={"If-None-Match": plain.headers["ETag"]})
    expect_equal((again.status, again.body), (304, b""), "the same again")
    expect_equal(one.request("/", headers={"If-None-Match": '"other"'}).status, 200, "another")


# -- caching ---------------------------------------------------------------------------------------


def ask_worker(now, path="/"):
    """The worker itself, at another instant: its head and body."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(one.home / "run/analytics-overview.sock"))
        fcgi_send(sock, REQUEST_METHOD="GET", DOCUMENT_URI=path, QUERY_STRING="", PH_NOW_MS=str(now),
                  PH_AUTH="root abc analytics:read")
        head, _, body = fcgi_receive(sock).partition("\r\n\r\n")
    return re.search(r"X-Cache: (\w+)", head)[1], json.loads(body)


@test("X-Cache: HIT as long as date and last_success_at are the same, never before the first success")
def _():
    day = 86_400_000
    expect_equal([one.request("/").headers.get_all("X-Cache") for _ in range(2)][1], ["HIT"], "through nginx")
    kinds = [ask_worker(one.now)[0], ask_worker(one.now + 57_599_999)[0], ask_worker(one.now + 57_600_000)[0],
             ask_worker(one.now + 57_600_000)[0], ask_worker(one.now)[0]]
    expect_equal(kinds, ["HIT", "HIT", "MISS", "HIT", "MISS"], "over midnight and back")
    expect_equal(len(ask_worker(one.now + day)[1]["data"]["historical"]), 32, "tomorrow has a day more")
    ask_worker(one.now)
    one.change("UPDATE roll_day SET votes = votes + 100 WHERE day = 19919")
    expect_equal(ask_worker(one.now)[0], "HIT", "a sum that changed within a run")
    one.change("UPDATE sync_meta SET v = '2024-07-15T07:56:00Z' WHERE k = 'last_success_at'")
    kind, body = ask_worker(one.now)
    expect_equal((kind, body["data"]["historical"][-1]["votes"], body["data_updated_at"]), ("MISS", 101, "2024-07-15T07:56:00Z"),
                 "after the run")
    one.change("UPDATE roll_day SET votes = votes - 100 WHERE day = 19919; DELETE FROM sync_meta WHERE k = 'last_success_at'")
    for _ in range(2):
        kind, body = ask_worker(one.now)
        expect_equal((kind, body["data_updated_at"], body["data"]["historical"][-1]["votes"]), ("MISS", None, 1), "never")
    one.change(f"INSERT INTO sync_meta VALUES ('last_success_at', '{SYNCED}')")
    expect_equal(ask_worker(one.now)[0], "MISS", "the first")


# -- what is wrong with the read model ---------------------------------------------------------------


@test("health: never, stale after 30 minutes, error while a table is not whole, and all false without a file")
def _():
    other = Product(synced_at="never")
    health = lambda: other.request("/health", token="").json
    first = health()
    expect_equal((first["status"], first["components"]["sync"], first["components"]["read_model"]["status"]),
                 ("degraded", {"status": "never", "last_success_at": None, "age_seconds": None}, "error"), "never")
    expect_equal(set(first["components"]["read_model"]["tables"].values()), {False}, "tables")
    other.run("jobs", "run", "readmodel")
    for seconds, status_, whole in ((0, "ok", "ok"), (1800, "ok", "ok"), (1801, "stale", "degraded"), (-60, "ok", "ok")):
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(other.now // 1000 - seconds))
        other.change(f"UPDATE sync_meta SET v = '{at}' WHERE k = 'last_success_at'")
        got = health()
        expect_equal((got["components"]["sync"], got["status"]), ({"status": status_, "last_success_at": at,
                     "age_seconds": max(seconds, 0)}, whole), f"{seconds} s")
    other.change("UPDATE sync_state SET initial_done = 0 WHERE tbl = 'fpp_votes'")
    got = health()["components"]["read_model"]
    expect_equal((got["status"], [t for t, done in got["tables"].items() if not done]), ("error", ["fpp_votes"]), "a table")
    for part in ("", "-wal", "-shm"):
        (other.home / f"analytics.db{part}").unlink(missing_ok=True)
    gone = other.request("/health", token="")
    expect_equal((gone.status, gone.json["status"], gone.json["components"]["storage"]["data_size_mb"],
                  set(gone.json["components"]["read_model"]["tables"].values())), (200, "degraded", 0.0, {False}), "no file")
    for path in PATHS:
        refused = other.request(path)
        expect_problem(refused, 503, "database_missing", True)
        expect("Retry-After" in refused.headers, refused)
    other.run("jobs", "run", "readmodel")
    expect_equal(other.request("/").status, 200, "back by itself")
    other.model.write_bytes(b"no database at all" * 1000)
    expect(other.request("/").code in ("database_corrupt", "database_schema_old"), other.request("/"))
    expect_equal(other.request("/health", token="").status, 200, "health all the same")
    other.stop()


@test("without DB_HOST /health knows nothing of product analytics, and /: zeros, maps empty, no success yet")
def _():
    bare = Product(product.Dataset(now=product.ms_of("2024-06-05 10:00:00")), synced_at="never", DB_HOST="")
    expect_equal(bare.request("/health", token="").json, {"status": "ok"}, "health")
    answer = bare.json("/")
    expect_equal(answer["data_updated_at"], None, "data_updated_at")
    data = answer["data"]
    expect(all(v == 0 for v in data["traffic"].values()), data["traffic"])
    expect(all(v == 0 for v in data["votes"].values() if not isinstance(v, dict)), data["votes"])
    expect_equal((data["votes"]["weekday_counts"], data["votes"]["estimation_counts"], data["behaviour"]),
                 ({}, {}, {"routes": {}, "sources": {"Other": 0}, "events": {}, "rooms": {}}), "maps")
    expect_equal(data["location_and_user_agent"], {"device": {}, "os": {}, "browser": {}, "country": {},
                 "country_region": [], "country_city": []}, "location")
    expect_equal(([r["date"] for r in data["historical"]], {v for r in data["historical"] for k, v in r.items() if k != "date"}),
                 (["2024-06-03", "2024-06-04", "2024-06-05"], {0, None}), "three days")
    expect_equal(set(bare.json("/analytics/sync")["status"].split()), {"never"}, "sync")
    bare.stop()


@test("before START both series are empty")
def _():
    early = Product(product.Dataset(now=product.ms_of("2024-06-02 23:59:59")), is_started=False)
    data = json.loads(early.get("/"))["data"]
    expect_equal((data["historical"], data["reoccurring"]), ([], []), "series")
    expect_equal(json.loads(early.get("/analytics/cohorts"))["items"], [], "cohorts")


@test("GET /analytics/sync tells the tables' errors and the last run's")
def _():
    other = Product(is_started=False)
    server.execute("DELETE FROM fpp_votes WHERE id = 9")
    other.run("jobs", "run", "readmodel", status=1)
    got = json.loads(other.get("/analytics/sync"))
    error = "source max id 8 is below cursor 9"
    expect_equal((got["status"], got["run_error"], [t for t in got["tables"] if t["error"]]),
                 ("ok", f"Errors: fpp_votes: {error}", [{"name": "fpp_votes", "initial_done": True, "cursor_id": 9,
                                                         "error": error}]), "the failed run")
    expect_equal((got["is_demo"], got["start_date"]), (False, "2024-06-03"), "the rest")


# -- random data --------------------------------------------------------------------------------------


@test("random data: every field of /, /room/{id}/stats and /daily-analytics is what the rows say")
def _():
    for seed in range(4):
        dataset = product.generate(seed=500 + seed, users=400, days=80)
        other = Product(dataset, is_started=False)
        got, want = json.loads(other.get("/"))["data"], product.overview(dataset, other.now)
        for part in want:
            expect(got[part] == want[part], f"{part}\n{got[part]}\n{want[part]}"[:1500])
            for name, value in (want[part].items() if isinstance(want[part], dict) else ()):
                if isinstance(value, dict):
                    expect_equal(list(got[part][name]), list(value), f"order of {name}")
        rooms = {v["room_id"] for v in dataset.votes} | {r["id"] for r in dataset.rooms}
        for room in sorted(r for r in rooms if r > 0)[:40]:
            got = json.loads(other.get(f"/room/{room}/stats"))
            expect(got == product.room_stats(dataset, room), f"room {room}: {got}")
        expect_equal(json.loads(other.get("/daily-analytics")), product.daily(dataset, other.now), "daily")


@test("random data: the tables of /analytics/ are what the rows say")
def _():
    dataset = product.generate(seed=600, users=400, days=120)
    other = Product(dataset, is_started=False)
    items = lambda path: json.loads(other.get(f"/analytics/{path}"))["items"]
    want = product.historical7(dataset, other.now)
    got = items("historical")
    expect(got == want, "historical")
    first, last = want[20]["date"], want[41]["date"]
    expect(items(f"historical?from={first}&to={last}") == want[20:42], "a part of it")
    series = product.reoccurring(dataset, other.now)
    expect(items(f"reoccurring?from={first}&to={last}") == series[20:42], "reoccurring")
    expect_equal(items(f"historical?from={last}&to={last}"), [got[41]], "one day")
    cohorts = product.cohorts(dataset, other.now)
    for weeks in (3, 12, 52):
        flat = [{"week": c["week"], "users": c["users"], "age": age, "active": n} for c in cohorts[-weeks:]
                for age, n in enumerate(c["active"])]
        rows = items(f"cohorts?weeks={weeks}")
        expect_equal([{k: r[k] for k in r if k != "retention"} for r in rows], flat, f"{weeks} weeks")
        for r in rows:
            expect(r["retention"] == (round(r["active"] / r["users"], 4) if r["users"] else None), r)
    for days, to in ((1, want[-2]["date"]), (30, want[-5]["date"]), (45, None)):
        answer = json.loads(other.get(f"/analytics/compare?days={days}" + (f"&to={to}" if to else "")))
        end = product.ms_of(to) if to else other.now - 86_400_000
        begin = product.date_of(product.day_of(end) - days + 1)
        expect_equal((answer["from"], answer["to"]), (begin, product.date_of(product.day_of(end))), "the period")
        expect_equal([{k: r[k] for k in r if k != "change"} for r in answer["items"]],
                     product.compare(dataset, begin, product.date_of(product.day_of(end))), f"{days} days")
    votes = {}
    for v in dataset.votes:
        votes[v["room_id"]] = votes.get(v["room_id"], 0) + 1
    expect_equal([(r["votes"], r["room_id"]) for r in items("rooms?limit=30")],
                 sorted(((n, r) for r, n in votes.items()), reverse=True)[:30], "rooms by votes")
    used = sorted(((r["last_used_at"], r["id"]) for r in dataset.rooms), reverse=True)[:30]
    expect_equal([r["room_id"] for r in items("rooms?sort=last_used_at&limit=30")], [i for _, i in used], "by use")
    room = dataset.rooms[3]
    expect_equal({r["room_id"] for r in items(f"rooms?name={room['number']}")},
                 {r["id"] for r in dataset.rooms if room["number"] == r["number"] or r["name"] == str(room["number"])}, "by number")
    for by, rows in (("os", [u["os"] for u in dataset.users]), ("route", [v["route"] for v in dataset.page_views]),
                     ("source", [product.category(v["source"]) for v in dataset.page_views if v["source"] is not None]),
                     ("estimation", [str(e["estimation"]) for e in dataset.estimations if e["estimation"] is not None])):
        count = {}
        for value in rows:
            count[value] = count.get(value, 0) + 1
        answer = json.loads(other.get(f"/analytics/breakdown?by={by}"))
        expect_equal((answer["total"], answer["values"]), (len(rows), len(count)), f"total by {by}")
        expect_equal({r["value"]: r["count"] for r in answer["items"]}, count, by)
        expect([r["count"] for r in answer["items"]] == sorted(count.values(), reverse=True), f"order by {by}")
        for r in answer["items"]:
            expect(abs(r["share"] - r["count"] / len(rows)) <= 0.00005001, r)


@test("a value that is really None is counted with what has none, before the list is cut")
def _():
    dataset = product.generate(seed=700, users=300, days=30, none_text=True)
    for i, user in enumerate(dataset.users):
        user["country"] = None if i % 50 == 0 else "None" if i % 50 == 1 else f"c{i % 45:02d}"[:5]
    other = Product(dataset, is_started=False)
    got = json.loads(other.get("/"))["data"]["location_and_user_agent"]["country"]
    want = product.overview(dataset, other.now)["location_and_user_agent"]["country"]
    expect_equal((list(got.items())), list(want.items()), "countries")
    expect_equal(got["None"], sum(u["country"] in (None, "None") for u in dataset.users), "None")


# -- files -------------------------------------------------------------------------------------------


@test("each table as CSV, TSV, NDJSON and XLSX has the rows of the JSON answer, and is in the audit log")
def _():
    for table in TABLES:
        path = f"/analytics/{table}"
        items = one.json(path)["items"]
        expect(items, f"{table} has rows")
        joint = "&" if "?" in path else "?"
        shown = [["" if v is None else str(v) for v in row.values()] for row in fields(one.request(path).body)["items"]]
        for form, dialect in (("csv", ","), ("tsv", "\t")):
            answer = one.request(f"{path}{joint}format={form}")
            expect_equal(answer.status, 200, f"{path} {form}")
            rows = list(csv.reader(io.StringIO(answer.body.decode(), newline=""), delimiter=dialect))
            expect_equal(rows[0], list(items[0]), f"columns of {table}")
            expect_equal(rows[1:], shown, f"{table} as {form}")
        answer = one.request(path, headers={"Accept": "application/x-ndjson"})
        expect_equal([json.loads(line) for line in answer.body.splitlines()], items, f"{table} as ndjson")
        name = table.partition("?")[0]
        query = table.partition("?")[2]
        answer = one.request(f"/analytics/export/{name}.xlsx{'?' + query if query else ''}")
        expect(name in answer.headers["Content-Disposition"], answer.headers)
        rows = read_xlsx(answer.body)
        expect_equal((list(rows[0]), len(rows)), (list(items[0]), len(items)), f"{table} as xlsx")
        for row, item in zip(rows, items):
            for column, value in item.items():
                # An empty cell has nothing, and an instant is a number of days there.
                expect(row[column] == (value or None) or row[column] == value or str(column).endswith("_at"),
                       f"{table}: {column} {row[column]!r} {value!r}")
    logged = one.rows("SELECT path FROM audit_log WHERE action LIKE '%export%'")
    for table in TABLES:
        name = table.partition("?")[0]
        for form in ("csv", "tsv", "ndjson", "xlsx"):
            expect((f"/analytics/export/{name}.{form}",) in logged, f"{name}.{form} in the audit log: {logged[:5]}")


@test("parameters that are wrong are named, in JSON and in files")
def _():
    for path, param in (("historical?from=x", "from"), ("historical?from=2024-07-02&to=2024-07-01", "from"),
                        ("reoccurring?to=31.12.2024", "to"), ("cohorts?weeks=0", "weeks"), ("compare?days=-1", "days"),
                        ("compare?days=3660&to=1975-01-01", "days"), ("breakdown?by=age", "by"), ("breakdown", "by"),
                        ("rooms?sort=name", "sort"), ("rooms?limit=0", "limit"), ("export/breakdown.csv", "by"),
                        ("export/rooms.csv?limit=x", "limit"), ("historical?format=pdf", "format")):
        refused = one.request(f"/analytics/{path}")
        expect_problem(refused, 422, "invalid_parameter")
        expect_equal(refused.json["errors"][0]["param"], param, path)
    for file in ("historical", "historical.pdf", "x.csv", ".csv", "sync.csv"):
        expect_problem(one.request(f"/analytics/export/{file}"), 404, "not_found")


# -- the daily report ----------------------------------------------------------------------------------


class Mail(Upstream):
    """The mail backend."""

    def answer(self, hit):
        return Reply(200, b'{"ok":true}', {"Content-Type": "application/json"})


@test("the report is mailed before it is answered: one POST of exactly this JSON, with the key")
def _():
    mail = Mail()
    other = Product(synced_at=SYNCED, BEA_BASE_URL=mail.url, BEA_SECRET_KEY=KEY)
    answer = other.request("/daily-analytics")
    expect_equal((answer.status, answer.json), (200, DAILY), "the answer")
    expect_equal(len(mail.hits), 1, "mails")
    hit = mail.hits[0]
    expect_equal((hit.method, hit.target, json.loads(hit.body), hit.headers["Content-Type"], hit.headers["Authorization"]),
                 ("POST", "/fpp-daily-analytics", DAILY, "application/json", f"Bearer {KEY}"), "the mail")
    expect_equal(answer.headers["Cache-Control"], "private, no-store", "kept nowhere")
    other.request("/daily-analytics")
    expect_equal(len(mail.hits), 2, "each GET mails")
    head = other.request("/daily-analytics", method="HEAD")
    expect_equal((head.status, len(mail.hits)), (200, 2), "HEAD does not")
    expect_equal(other.request("/daily-analytics", method="OPTIONS").status, 204, "OPTIONS")
    expect_equal(len(mail.hits), 2, "nor OPTIONS")
    # Anything but 200 is a failure, without a second try.
    for fault, code, what in ((status(201), 502, "201"), (status(204), 502, "204"), (status(500), 502, "500"),
                              (status(401), 502, "401"), (status(302, Location=f"{mail.url}/x"), 502, "302"),
                              (silent, 502, "no answer"), (cut, 502, "half an answer")):
        n = len(mail.hits)
        mail.misbehave(fault)
        refused = other.request("/daily-analytics")
        mail.behave()
        expect(refused.status in (code, 503) and refused.code.startswith("upstream_"), f"{what}: {refused}")
        expect_equal(len(mail.hits), n + 1, f"tries for {what}")
    mail.misbehave(huge)
    expect_equal(other.request("/daily-analytics").status, 200, "200 with an endless body")
    mail.behave()
    mail.refuse()
    expect_problem(other.request("/daily-analytics"), 503, "upstream_unavailable", True)
    mail.accept()
    # A worker that dies in the middle is not asked again.
    n = len(mail.hits)
    mail.misbehave(hang)
    got = []
    asking = threading.Thread(target=lambda: got.append(other.request("/daily-analytics")))
    asking.start()
    wait_until(lambda: len(mail.hits) > n, "the mail")
    os.kill(other.workers("analytics-daily")[0], signal.SIGKILL)
    asking.join()
    mail.behave()
    expect_problem(got[0], 502, "worker_unavailable", True)
    time.sleep(0.3)
    expect_equal(len(mail.hits), n + 1, "mails")
    for log in (other.home / "log").iterdir():
        expect(KEY not in log.read_text(errors="replace"), f"{log} holds the key")
    other.stop()


@test("a mail backend that does not answer: 504 after 30 seconds")
def _():
    mail = Mail()
    mail.misbehave(hang)
    other = Product(BEA_BASE_URL=mail.url, BEA_SECRET_KEY=KEY)
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", other.port, timeout=50)
    connection.request("GET", "/daily-analytics", headers={"Authorization": f"Bearer {other.token}"})
    answer = connection.getresponse()
    expect_equal((answer.status, json.loads(answer.read())["code"]), (504, "upstream_timeout"), "the answer")
    expect(29 < time.monotonic() - began < 40, f"{time.monotonic() - began:.1f} s")
    mail.behave()
    other.stop()


@test("the backend as a host name is asked on port 3010; without address or key there is no mail and no failure")
def _():
    mail = Mail()
    other = Product(is_started=False, BEA_SECRET_KEY=KEY)
    expect_equal(json.loads(other.get("/daily-analytics")), DAILY, "no address")
    expect_equal(json.loads(other.get("/daily-analytics", BEA_BASE_URL=mail.url, BEA_SECRET_KEY="")), DAILY, "no key")
    expect_equal(len(mail.hits), 0, "mails")
    try:
        listener = socket.create_server(("127.0.0.1", 3010))
    except OSError:
        listener = None         # somebody has that port: then the port is not ours to look at
    if listener:
        process = subprocess.Popen([LIBEXEC / "analytics-daily"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   env={**other.env, "PH_HOME": str(other.home), "BEA_BASE_URL": "127.0.0.1"})
        sock, _ = listener.accept()
        request = sock.recv(4096).decode()
        expect(request.startswith("POST /fpp-daily-analytics HTTP/1.1\r\n"), request)
        expect("Host: 127.0.0.1:3010\r\n" in request, request)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        out = process.communicate(timeout=30)[0].decode()
        expect_equal(json.loads(out.partition("\r\n\r\n")[2]), DAILY, "the answer")
        sock.close()
        listener.close()
    refused = other.run("get", "/daily-analytics", status=5, BEA_BASE_URL="mail.example.com").stdout
    expect_equal(json.loads(refused)["code"], "upstream_unavailable", "http:// to another machine")


run()
