#!/usr/bin/env -S /usr/bin/python3 -B
"""job-readmodel: the read model is what the product's database says, in whatever order rows arrive and whatever breaks.

The source is a real MariaDB; what must come of it is computed by product.py from the rows alone.
"""
import json
import random
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from harness import LIBEXEC, SOURCE, Failure, Instance, expect, expect_equal, run, test, wait_until

sys.path.insert(0, str(SOURCE / "t/upstream"))
import product                                                                  # noqa: E402
from fake import Reply, Upstream, hang, huge, silent, status                    # noqa: E402
from mariadb import COLUMNS, MariaDB, Proxy                                     # noqa: E402

JOB = LIBEXEC / "job-readmodel"
PASSWORD = "pf-9e2b-Secret"
TABLES = ["fpp_users", "fpp_rooms", "fpp_page_views", "fpp_events", "fpp_votes", "fpp_estimations"]
LEASE_MS = 120_000              # of a job that was killed, data hub specification 4.1
LATE_IDS, LATE_MS, PAGE = 2000, 600_000, 5000
KILLS = 200
DAY = 86_400_000
SANITIZED = b"__asan_init" in JOB.read_bytes()  # its memory says nothing

server = MariaDB()
server.create_tables()
server.grant(password=PASSWORD)


class Product(Instance):
    """An instance whose source is the server, or whatever stands in front of it.  Its clock goes on with each run."""

    def __init__(self, dataset=None, now=None, port=server.port, **settings):
        server.truncate_all()
        if dataset is not None:
            server.load(dataset)
        self.now = now or getattr(dataset, "now", None) or product.worked_example().now
        super().__init__(now=self.now, **{"DB_HOST": "127.0.0.1", "DB_PORT": port, "DB_PASSWORD": PASSWORD,
                                          "PH_ALLOW_LOOPBACK_HTTP": 1, **settings})
        self.model = self.home / "analytics.db"

    def begin(self, *mode, now=None, **env):
        return subprocess.Popen([JOB, "--once", *mode], stderr=subprocess.PIPE, encoding="utf-8",
                                env={**self.env, "PH_HOME": str(self.home), "PH_NOW_MS": str(now or self.now),
                                     **env})

    def sync(self, *mode, code=0, now=None, **env):
        """One run; the lines of its log."""
        process = self.begin(*mode, now=now, **env)
        said = process.communicate(timeout=300)[1]
        if process.returncode != code:
            raise Failure(f"exit status {process.returncode} instead of {code}\n{said}")
        return said

    def query(self, sql, *args):
        db = sqlite3.connect(self.model, timeout=10)
        try:
            return db.execute(sql, args).fetchall()
        finally:
            db.close()

    def change(self, script):
        db = sqlite3.connect(self.model, timeout=10)
        try:
            db.executescript(script)
        finally:
            db.close()

    def meta(self, k):
        return next((v for v, in self.query("SELECT v FROM sync_meta WHERE k = ?", k)), None)

    def errors(self):
        return {t[4:]: e for t, e in self.query("SELECT tbl, error FROM sync_state WHERE error IS NOT NULL")}

    def failure(self):
        """What the last run has on record."""
        return self.rows("SELECT status, error FROM job_runs ORDER BY started_at DESC, rowid DESC LIMIT 1")[0]

    def overview(self):
        return json.loads(self.get("/", PH_NOW_MS=str(self.now)))


def rows_of(dataset, table):
    """As the read model has them: times and booleans are integers there."""
    return [tuple(int(v) if isinstance(v, bool) else v for v in (row[c] for c in COLUMNS[table]))
            for row in getattr(dataset, table)]


def check_rows(one, dataset, tables=COLUMNS):
    for table in tables:
        got = sorted(one.query(f"SELECT {', '.join(COLUMNS[table])} FROM fpp_{table}"), key=repr)
        expect_equal(got, sorted(rows_of(dataset, table), key=repr), f"rows of {table}")


def check_sums(one):
    """Every table of sums is what its view makes of the rows."""
    db = sqlite3.connect(one.model)
    db.executescript((SOURCE / "analytics-expected.sql").read_text())
    views = [name for name, in db.execute("SELECT name FROM sqlite_temp_schema WHERE type = 'view'")]
    expect(len(views) == 11, f"views: {views}")
    for view in views:
        table = view.removesuffix("_expected")
        figures = [name for name, key in db.execute("SELECT name, pk FROM pragma_table_info(?)", (table,)) if not key]
        some = " OR ".join(f"{f} <> 0" for f in figures) or "1"
        columns = ", ".join(n for n, in db.execute("SELECT name FROM pragma_table_info(?)", (table,)))
        differing = db.execute(f"SELECT * FROM (SELECT {columns} FROM {table} WHERE {some} EXCEPT SELECT {columns} FROM"
                               f" {view}) UNION ALL SELECT * FROM (SELECT {columns} FROM {view} WHERE {some} EXCEPT"
                               f" SELECT {columns} FROM {table})").fetchall()
        expect_equal(differing, [], f"{table} and its view")
    db.close()


def check_all(one, dataset, start=product.START):
    check_rows(one, dataset)
    check_sums(one)
    got = one.overview()["data"]
    want = product.overview(dataset, one.now, start)
    for part in want:
        expect_equal(json.dumps(got[part], sort_keys=True), json.dumps(plain(got[part], want[part]), sort_keys=True), part)


def plain(got, want):
    """What is wanted, with whole numbers written as they are got: 3 and 3.0 are the same number."""
    if isinstance(want, dict):
        expect_equal(set(got), set(want), "keys")
        return {k: plain(got[k], want[k]) for k in want}
    if isinstance(want, list):
        expect_equal(len(got), len(want), "length")
        return [plain(g, w) for g, w in zip(got, want)]
    return type(got)(want) if isinstance(want, (int, float)) and got is not None else want


def split(dataset, seed, parts):
    """The dataset in parts, so that in most of them some rows are missing that come with the next: by id, or, of users,
    those of the last ten minutes."""
    chance = random.Random(seed)
    made = [product.Dataset(now=dataset.now) for _ in range(parts)]
    for table in COLUMNS:
        rows = sorted(getattr(dataset, table), key=lambda row: row["created_at"] if table == "users" else row["id"])
        last = {}
        for i, row in enumerate(rows):
            last[i * parts // len(rows)] = row
        for i, row in enumerate(rows):
            part = i * parts // len(rows)
            may_be_late = table != "users" or row["created_at"] >= last[part]["created_at"] - LATE_MS
            late = part + 1 < parts and may_be_late and chance.random() < 0.2
            getattr(made[part + late], table).append(row)
    return made


# -- what comes over -----------------------------------------------------------------------


@test("a first run copies every row of the six tables, and the sums are those of the rows")
def _():
    dataset = product.generate(seed=1, users=300, days=70)
    one = Product(dataset)
    said = one.sync()
    expect(f"Synced {len(dataset)} records in " in said, said)
    check_all(one, dataset)
    expect_equal(one.meta("last_success_at"), one.meta("run_at"), "last_success_at")
    expect_equal(one.query("SELECT DISTINCT initial_done FROM sync_state"), [(1,)], "all tables were read to their end")
    expect("Synced 0 records" in one.sync(now=one.now + 600_000), "nothing new")
    expect_equal(one.query("PRAGMA integrity_check"), [("ok",)], "the file")


@test("an empty source: zeros, and a success")
def _():
    one = Product(product.Dataset(now=product.ms_of("2024-06-05 10:00:00")))
    one.sync()
    answer = one.overview()
    expect_equal(answer["data_updated_at"], "2024-06-05T10:00:00Z", "data_updated_at")
    check_all(one, product.Dataset(now=one.now))
    expect_equal(len(answer["data"]["historical"]), 3, "three days")


@test("rows in parts, with late ids and late users: after the last part all is as if it had come at once")
def _():
    for seed in range(6):
        dataset = product.generate(seed=100 + seed, users=120, days=50)
        one = Product(now=dataset.now)
        for part in split(dataset, seed, 4):
            server.load(part)
            one.sync()
        check_all(one, dataset)


@test("ids that appear later are found up to 2000 ids back, also those of rooms; --verify finds the others")
def _():
    views = [{"id": i, "user_id": "u", "route": "HOME", "room_id": None, "source": None,
              "viewed_at": product.ms_of("2024-07-01") + i * 1000} for i in range(1, 3002)]
    rooms = [{"id": i, "number": i, "name": f"r{i}", "first_used_at": product.ms_of("2024-07-01"),
              "last_used_at": product.ms_of("2024-07-01")} for i in range(1, 3002)]
    rooms[-1]["last_used_at"] += DAY
    last = 3001
    early, late = last - LATE_IDS, last - LATE_IDS + 1
    one = Product(product.Dataset(page_views=[v for v in views if v["id"] not in (early, late)],
                                  rooms=[r for r in rooms if r["id"] not in (early, late)]))
    one.sync()
    server.load(product.Dataset(page_views=[v for v in views if v["id"] in (early, late)],
                                rooms=[r for r in rooms if r["id"] in (early, late)]))
    one.sync()
    for table in ("fpp_page_views", "fpp_rooms"):
        missing = {i for i in range(1, last + 1)} - {i for i, in one.query(f"SELECT id FROM {table}")}
        expect_equal(missing, {early}, f"missing of {table}")
    one.sync("--verify")
    check_all(one, product.Dataset(page_views=views, rooms=rooms))


@test("users: more than a page in one second, and one that sorts ahead of it afterwards")
def _():
    at = product.ms_of("2024-07-01 12:00:00")
    make = lambda name, ms: {"id": name, **dict.fromkeys(("device", "os", "browser", "country", "region", "city")),
                             "created_at": ms}
    users = [make("first", at - DAY)]
    one = Product(product.Dataset(users=users))
    one.sync()
    more = [make(f"n{i:05d}", at) for i in range(2 * PAGE + 10)]
    server.load(product.Dataset(users=more))
    one.sync()
    late = [make("a", at), make("B", at), make("z" * 21, at - LATE_MS), make("00", at - LATE_MS - 1000)]
    server.load(product.Dataset(users=late))
    one.sync()
    check_rows(one, product.Dataset(users=users + more + late[:3]), ["users"])
    one.sync("--verify")
    check_all(one, product.Dataset(users=users + more + late))


@test("more than a page of users and rooms in the first run, ids compared by the server alone")
def _():
    at = product.ms_of("2024-07-01 12:00:00")
    chance = random.Random(5)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
    ids = {}
    while len(ids) < 2 * PAGE + 500:
        name = "".join(chance.choices(letters, k=12))
        ids.setdefault(name.lower(), name)
    users = [{"id": name, "device": None, "os": "é", "browser": "", "country": "DE", "region": None, "city": "Köln",
              "created_at": at + chance.randrange(1000) * 1000} for name in ids.values()]
    rooms = [{"id": i, "number": i, "name": f"r{i}", "first_used_at": at, "last_used_at": at} for i in range(1, PAGE + 2)]
    dataset = product.Dataset(users=users, rooms=rooms)
    one = Product(dataset)
    one.sync()
    check_all(one, dataset)


@test("a first copy that breaks off goes on at its place, and finds who came and what changed meanwhile")
def _():
    at = product.ms_of("2024-07-01 12:00:00")
    nothing = dict.fromkeys(("device", "os", "browser", "country", "region", "city"))
    users = [{"id": f"u{i:06d}", **nothing, "created_at": at + (i * 7919 % 100_000) * 1000} for i in range(2 * PAGE + 2000)]
    rooms = [{"id": i, "number": i, "name": f"r{i}", "first_used_at": at, "last_used_at": at} for i in range(1, PAGE + 3000)]
    way = Proxy(server.port)
    one = Product(product.Dataset(users=users, rooms=rooms), port=way.port)
    for table in ("users", "rooms"):
        have = lambda: one.query(f"SELECT count(*) FROM fpp_{table}")[0][0]
        # A little further each time, until a page of it is there.
        n = 100_000
        while have() == 0:
            way.cut(n)
            one.sync(code=1)
            n += 50_000
        expect(have() in (PAGE, 2 * PAGE), f"{have()} {table}")
        expect_equal(one.query("SELECT initial_done FROM sync_state WHERE tbl = ?", f"fpp_{table}"), [(0,)], "not whole")
        new = {"id": "a-new-one", **nothing, "created_at": at + 100_001_000}
        if table == "users":
            users.append(new)
            server.load(product.Dataset(users=[new]))
        else:
            rooms[0].update(name="renamed", last_used_at=at + 60_000)
            server.execute("UPDATE fpp_rooms SET name = 'renamed', last_used_at = %s WHERE id = 1", ("2024-07-01 12:01:00",))
    way.normal()
    one.sync()
    one.sync()
    check_all(one, product.Dataset(users=users, rooms=rooms))
    way.close()


@test("rooms: a rename shows at once, two may exchange names, and last_used_at follows")
def _():
    dataset = product.worked_example()
    one = Product(dataset, now=dataset.now)
    one.sync()
    now = "2024-07-15 08:05:00"
    server.execute("UPDATE fpp_rooms SET name = 'x' WHERE id = 1")
    server.execute("UPDATE fpp_rooms SET name = 'alpha', last_used_at = %s WHERE id = 3", (now,))
    server.execute("UPDATE fpp_rooms SET name = 'beta', last_used_at = %s WHERE id = 1", (now,))
    expect("Synced 0 records" in one.sync(), "changed rooms are not counted as records")
    for room in dataset.rooms:
        if room["id"] in (1, 3):
            room["name"] = {1: "beta", 3: "alpha"}[room["id"]]
            room["last_used_at"] = product.ms_of(now)
    check_all(one, dataset)
    expect_equal(one.overview()["data"]["behaviour"]["rooms"], {"beta": 4, "713355": 2, "alpha": 2, "None": 1}, "rooms")


@test("a clock of the application that is a day ahead hides no change that comes after it")
def _():
    at = product.ms_of("2024-07-01")
    one = Product(product.Dataset(rooms=[{"id": i, "number": i, "name": f"r{i}", "first_used_at": at, "last_used_at": at}
                                         for i in range(1, LATE_IDS + 10)]))
    one.sync()
    ahead = product.ms_of("2038-01-01")          # of the server's own time, too
    server.execute("UPDATE fpp_rooms SET last_used_at = FROM_UNIXTIME(%s) WHERE id = 1", (ahead // 1000,))
    one.sync()
    server.execute("UPDATE fpp_rooms SET name = 'new', last_used_at = NOW() WHERE id = 2")
    one.sync()
    expect_equal(one.query("SELECT name FROM fpp_rooms WHERE id = 2"), [("new",)], "the name after")
    expect_equal(one.query("SELECT last_used_at FROM fpp_rooms WHERE id = 1"), [(ahead,)], "what the source says")


@test("a room that says nothing of its change (a clock behind) is brought up to date by --verify")
def _():
    at = product.ms_of("2024-07-01")
    one = Product(product.Dataset(rooms=[{"id": i, "number": i, "name": f"r{i}", "first_used_at": at, "last_used_at": at}
                                         for i in range(1, LATE_IDS + 3)]))
    server.execute("UPDATE fpp_rooms SET last_used_at = '2024-07-02' WHERE id = 1")
    one.sync()
    server.execute("UPDATE fpp_rooms SET name = 'quiet' WHERE id = 2")
    one.sync()
    expect_equal(one.query("SELECT name FROM fpp_rooms WHERE id = 2"), [("r2",)], "not seen")
    one.sync("--verify")
    expect_equal(one.query("SELECT name FROM fpp_rooms WHERE id = 2"), [("quiet",)], "seen")
    check_sums(one)


@test("another FPP_START_DATE: all sums are made anew, and all answers are those of it")
def _():
    dataset = product.generate(seed=7, users=150, days=60)
    one = Product(dataset)
    one.sync()
    one.sync(FPP_START_DATE="2024-07-02")
    one.configure(FPP_START_DATE="2024-07-02")
    check_all(one, dataset, "2024-07-02")
    server.load(product.Dataset(votes=[{**dataset.votes[-1], "id": 10**6}]))
    dataset.votes.append({**dataset.votes[-1], "id": 10**6})
    one.sync()
    check_all(one, dataset, "2024-07-02")


@test("the triggers alone, in whatever order rows arrive, twice, and renamed: every sum is what its view makes of the rows")
def _():
    one = Product(product.Dataset(now=product.worked_example().now))
    one.sync()
    start = product.ms_of(product.START)
    for seed in range(60):
        chance = random.Random(seed)
        users = [f"u{i}" for i in range(chance.randint(1, 6))]

        def instant():
            day = start + chance.randint(-5, 90) * DAY
            return start if chance.random() < 0.1 else day + chance.choice([0, 600_000, 601_000, chance.randrange(86400) * 1000])

        def texts(n):
            return [chance.choice([None, "", "a", "b"]) for _ in range(n)]

        rows = [("users (id, device, os, browser, country, region, city, created_at)", (u, *texts(6), instant()))
                for u in users if chance.random() < 0.8]
        rows += [("rooms (id, number, name, first_used_at, last_used_at)", (i, i, f"r{i}", instant(), instant()))
                 for i in range(1, 4)]
        for i in range(1, chance.randint(2, 50)):
            rows += [("page_views (id, user_id, route, source, viewed_at)",
                      (i, chance.choice(users), "HOME", chance.choice([None, "", "cv", "www.google.com"]), instant())),
                     ("estimations (id, user_id, room_id, estimation, spectator, estimated_at)",
                      (i, chance.choice(users), chance.randint(0, 4), chance.choice([None, 0, 5]), 0, instant())),
                     ("votes (id, room_id, avg_estimation_c, max_estimation, min_estimation, amount_of_estimations,"
                      " amount_of_spectators, duration, was_auto_flip, voted_at)",
                      (i, chance.randint(0, 4), chance.randrange(2100), 5, 1, 2, 1, chance.randrange(100), 0, instant())),
                     ("events (id, user_id, event, event_at)", (i, "u", chance.choice("AB"), instant()))]
        rows += chance.sample(rows, len(rows) // 3)
        renames = [(f"r{chance.randint(1, 5)}", chance.randint(1, 3)) for _ in range(6)]
        work = rows + renames
        chance.shuffle(work)
        db = sqlite3.connect(one.model)
        db.executescript("".join(f"DELETE FROM {t};" for t, in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND (name LIKE 'fpp%' OR name LIKE 'roll%')")
            ) + "INSERT INTO roll_counter SELECT value, 0 FROM"
            " json_each('[\"viewers\", \"estimators\", \"sessions\", \"gap_ms\"]')")
        for step in work:
            if step in renames:
                db.execute("UPDATE fpp_rooms SET name = ? WHERE id = ?", step)
            else:
                db.execute(f"INSERT INTO fpp_{step[0]} VALUES ({','.join('?' * len(step[1]))})"
                           " ON CONFLICT (id) DO NOTHING", step[1])
        db.commit()
        db.close()
        check_sums(one)


# -- what breaks ---------------------------------------------------------------------------


@test(f"killed {KILLS} times at any instant, with rows arriving: the read model equals the source in the end")
def _():
    chance = random.Random(11)
    dataset = product.generate(seed=12, users=1500, days=120)
    parts = split(dataset, 13, 8)
    one = Product(now=dataset.now)
    now, killed = one.now, 0
    server.load(parts[0])
    loaded = 1
    began = time.monotonic()
    one.sync("--full", now=now)
    longest = time.monotonic() - began
    for i in range(KILLS):
        if i % (KILLS // len(parts)) == 0 and loaded < len(parts):
            server.load(parts[loaded])
            loaded += 1
        now += LEASE_MS + 1
        process = one.begin(*(["--full"] if chance.random() < 0.5 else []), now=now)
        time.sleep(chance.random() * longest)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
    expect(killed > KILLS // 3, f"{killed} of {KILLS} runs were killed")
    expect(one.query("PRAGMA integrity_check") == [("ok",)], "the file")
    one.sync(now=now + LEASE_MS + 1)
    check_all(one, dataset)
    one.sync("--verify", now=now + 2 * LEASE_MS)


@test("the source goes away in the middle of --full: answers are as before, and the next run goes on")
def _():
    dataset = product.generate(seed=21, users=400, days=60)
    way = Proxy(server.port)
    one = Product(dataset, port=way.port)
    one.sync()
    before = one.overview()
    way.cut(200_000)
    one.sync("--full", code=1)
    way.normal()
    one.sync("--verify")
    expect(0 < one.query("SELECT count(*) FROM fpp_users")[0][0], "it had begun")
    expect_equal(one.overview(), before, "answers")
    one.sync()
    check_all(one, dataset)
    way.close()


@test("each failure of the connection: a sentence without secrets, exit status 1, and the old data stays")
def _():
    way = Proxy(server.port)
    one = Product(product.worked_example(), port=way.port, DB_TIMEOUT=1)
    one.sync()
    before = one.overview()

    def fails(sentence, **env):
        expect(sentence in one.sync(code=1, **env).replace("\\'", "'"), sentence)
        expect_equal(one.failure(), ("failed", f"upstream_unavailable: {sentence}"), "on record")
        expect_equal(one.meta("run_error"), sentence, "run_error")
        expect_equal(one.overview(), before, "answers")
        for secret in (PASSWORD, "127.0.0.1", "SELECT"):
            expect(secret not in one.meta("run_error"), secret)

    fails("the server refuses the user or the password", DB_PASSWORD="wrong")
    fails("the server refuses the user or the password", DB_USERNAME="nobody")
    fails("the user may not use the database", DB_NAME="other")
    fails("the name of the server cannot be found", DB_HOST="nowhere.invalid")
    fails("the server cannot be reached", DB_PORT="1")
    fails("the server cannot be reached", DB_HOST="/nowhere/socket")
    way.refuse()
    fails("the server cannot be reached")
    way.hang()
    began = time.monotonic()
    one.sync(code=1)
    expect(time.monotonic() - began < 30, "it does not wait for ever")
    expect(one.failure()[1].startswith("upstream_unavailable: the "), one.failure())
    for n in (10, 100, 300, 1000, 3000):
        way.cut(n)
        one.sync(code=1)
        expect("connection to the server was lost" in one.failure()[1] or "cannot be reached" in one.failure()[1] or
               "TLS" in one.failure()[1], f"cut after {n} bytes: {one.failure()}")
        expect_equal(one.overview(), before, "answers")
    way.slow(0.005, 512)
    one.sync()
    way.close()
    expect_equal(one.meta("run_error"), None, "all is well again")
    check_all(one, product.worked_example())


@test("a table that fails is named with the reason; the others are copied, and last_success_at stays")
def _():
    dataset = product.generate(seed=31, users=60, days=40)
    one = Product(dataset)
    one.sync()
    then = one.meta("last_success_at")
    later = one.now + 600_000
    new = {table: {**getattr(dataset, table)[-1], "id": 10**7 if table != "users" else "fresh-user"} for table in COLUMNS}
    new["rooms"].update(name="fresh", number=8_000_000)
    new["users"]["created_at"] = max(row["created_at"] for row in dataset.users)
    server.load(product.Dataset(**{t: [row] for t, row in new.items()}))

    def fails(table, sentence):
        said = one.sync(code=1, now=later)
        expect_equal(one.errors(), {table: sentence}, "the table's error")
        expect_equal(one.failure(), ("failed", f"upstream_failed: Errors: fpp_{table}: {sentence}"), "on record")
        expect_equal((one.meta("last_success_at"), one.meta("run_error")), (then, f"Errors: fpp_{table}: {sentence}"), "meta")
        expect(sentence in said, said)

    server.execute("RENAME TABLE fpp_votes TO hidden")
    fails("votes", "the table is missing, or the user may not read it")
    for table in COLUMNS:
        expect_equal(len(one.query(f"SELECT 1 FROM fpp_{table} WHERE id IN ('fresh-user', 10000000)")),
                     0 if table == "votes" else 1, f"the new row of {table}")
    server.execute("RENAME TABLE hidden TO fpp_votes")
    server.execute("ALTER TABLE fpp_votes RENAME COLUMN duration TO dauer, RENAME COLUMN room_id TO raum")
    fails("votes", "the table lacks room_id, duration")
    server.execute("ALTER TABLE fpp_votes RENAME COLUMN dauer TO duration, RENAME COLUMN raum TO room_id")
    server.execute("REVOKE SELECT ON `free-planning-poker`.fpp_events FROM fpp@'%'")
    fails("events", "the table is missing, or the user may not read it")
    server.grant(password=PASSWORD)
    one.sync(now=later)
    expect_equal((one.errors(), one.meta("run_error")), ({}, None), "all is well again")
    for table in COLUMNS:
        getattr(dataset, table).append(new[table])
    check_all(one, dataset)


@test("a row that does not fit is named; nothing of its page is taken, the other tables go on")
def _():
    dataset = product.worked_example()
    one = Product(dataset)
    one.sync()
    sql_mode = server.rows("SELECT @@GLOBAL.sql_mode")[0][0]

    def fails(table, sentence, make, undo):
        for statement in make:
            server.execute(statement)
        one.sync(code=1)
        expect_equal(one.errors(), {table: sentence}, sentence)
        for statement in undo:
            server.execute(statement)

    vote = "INSERT INTO fpp_votes VALUES (77, 1, 5.0, 5, 5, 1, 0, {}, 0, {})"
    gone = "DELETE FROM fpp_votes WHERE id = 77"
    fails("votes", "row 77: duration is NULL",
          ["ALTER TABLE fpp_votes MODIFY duration smallint NULL", vote.format("NULL", "NOW()")],
          [gone, "ALTER TABLE fpp_votes MODIFY duration smallint NOT NULL"])
    fails("votes", "row 77: duration is not a whole number, or out of range",
          ["ALTER TABLE fpp_votes MODIFY duration bigint NOT NULL", vote.format("9223372036854775807", "NOW()")],
          [gone, "ALTER TABLE fpp_votes MODIFY duration smallint NOT NULL"])
    fails("votes", "row 77: voted_at is no time",
          ["SET SESSION sql_mode = ''", vote.format("1", "'0000-00-00 00:00:00'")], [gone, f"SET SESSION sql_mode = '{sql_mode}'"])
    fails("page_views", "row 77: source is too long",
          ["ALTER TABLE fpp_page_views MODIFY source text NULL",
           "INSERT INTO fpp_page_views VALUES (77, 'u', 'HOME', NULL, REPEAT('x', 2000), NOW())"],
          ["DELETE FROM fpp_page_views WHERE id = 77", "ALTER TABLE fpp_page_views MODIFY source varchar(255) NULL"])
    fails("page_views", "row 77: source is not UTF-8 text",
          ["ALTER TABLE fpp_page_views MODIFY source varbinary(255) NULL",
           "INSERT INTO fpp_page_views VALUES (77, 'u', 'HOME', NULL, X'41ff42', NOW())"],
          ["DELETE FROM fpp_page_views WHERE id = 77", "ALTER TABLE fpp_page_views MODIFY source varchar(255) NULL"])
    fails("page_views", "row 77: source is not UTF-8 text",
          ["ALTER TABLE fpp_page_views MODIFY source varbinary(255) NULL",
           "INSERT INTO fpp_page_views VALUES (77, 'u', 'HOME', NULL, X'410042', NOW())"],
          ["DELETE FROM fpp_page_views WHERE id = 77", "ALTER TABLE fpp_page_views MODIFY source varchar(255) NULL"])
    one.sync()
    check_all(one, dataset)


@test("a source that went backwards: the error says from where to where, nothing is deleted, and --full begins anew")
def _():
    dataset = product.worked_example()
    one = Product(dataset)
    one.sync()
    server.execute("DELETE FROM fpp_votes WHERE id > 5")
    server.execute("DELETE FROM fpp_rooms")
    server.execute("INSERT INTO fpp_events VALUES (7, 'u01', 'LEFT_ROOM', '2024-07-15 07:59:00')")
    one.sync(code=1)
    expect_equal(one.errors(), {"votes": "source max id 5 is below cursor 9", "rooms": "source max id 0 is below cursor 4"},
                 "errors")
    expect_equal(one.failure()[1], "upstream_failed: Errors: fpp_rooms: source max id 0 is below cursor 4, fpp_votes:"
                                   " source max id 5 is below cursor 9", "on record, in the order of the tables")
    check_rows(one, dataset, ["votes", "rooms", "users"])
    expect_equal(one.query("SELECT count(*) FROM fpp_events"), [(7,)], "the others go on")
    one.sync("--full")
    dataset.votes, dataset.rooms = dataset.votes[:5], []
    dataset.events.append({"id": 7, "user_id": "u01", "event": "LEFT_ROOM", "event_at": product.ms_of("2024-07-15 07:59:00")})
    check_all(one, dataset)


# -- verify --------------------------------------------------------------------------------


@test("--verify fetches what is missing, and says what is too much")
def _():
    dataset = product.generate(seed=41, users=200, days=60)
    one = Product(dataset)
    one.sync()
    gone = {t: [row["id"] for row in getattr(dataset, t)[::7]] for t in COLUMNS}
    # As if they had never come: sums too.
    one.change("".join(f"DELETE FROM fpp_{t} WHERE id IN ({','.join(repr(i) for i in ids)});" for t, ids in gone.items()))
    one.change("DELETE FROM sync_meta WHERE k = 'rollup_version'")
    said = one.sync("--verify")
    expect(f"Synced {sum(map(len, gone.values()))} records" in said, said)
    one.sync()
    check_all(one, dataset)
    # Among ids that the source has, and where it has none at all.
    one.change("INSERT INTO fpp_events VALUES (9000, 'x', 'LEFT_ROOM', 1720000000000),"
               " (15000, 'x', 'LEFT_ROOM', 1720000000000), (15001, 'x', 'LEFT_ROOM', 1720000000000)")
    server.execute("INSERT INTO fpp_events VALUES (30001, 'x', 'LEFT_ROOM', '2024-07-15 07:59:00')")
    one.sync()
    one.sync("--verify", code=1)
    expect_equal(one.failure()[1], "upstream_failed: Errors: fpp_events: 3 rows that the source has not", "on record")


@test("--verify compares every sum with the rows; one that differs fails the run, and is made anew")
def _():
    dataset = product.generate(seed=42, users=100, days=60)
    one = Product(dataset)
    one.sync()
    spoils = {
        "roll_day": "UPDATE roll_day SET votes = votes + 1 WHERE day = 19900",
        "roll_count": "UPDATE roll_count SET n = n + 1 WHERE dim = 'country' AND k1 = x''",
        "roll_votes": "UPDATE roll_votes SET min_sum = min_sum + 1 WHERE kind = 1 AND room_id = 1",
        "roll_viewer": "INSERT INTO roll_viewer VALUES ('nobody')",
        "roll_estimator": "DELETE FROM roll_estimator WHERE user_id = (SELECT min(user_id) FROM roll_estimator)",
        "roll_activity": "INSERT INTO roll_activity VALUES ('nobody', 1720000000000)",
        "roll_counter": "UPDATE roll_counter SET n = n + 1 WHERE k = 'sessions'",
        "roll_active_day": "INSERT INTO roll_active_day VALUES (1, 424242, 19900)",
        "roll_return": "UPDATE roll_return SET adjusted = adjusted + 1 WHERE day = (SELECT min(day) FROM roll_return)",
        "roll_user_week": "INSERT INTO roll_user_week VALUES ('nobody', 19877)",
        "roll_cohort": "UPDATE roll_cohort SET users = users + 1",
    }
    one.sync("--verify")
    for table, spoil in spoils.items():
        one.change(f"PRAGMA recursive_triggers = 0; {spoil}")
        one.sync("--verify", code=1)
        expect(table in one.failure()[1] and "sums differed and were made anew" in one.failure()[1], one.failure())
        check_sums(one)
        one.sync("--verify")
    check_all(one, dataset)


# -- one run at a time, its file, its end ----------------------------------------------------


@test("exit status: 0, 1, 75 while another run lasts, 2 for another option; without DB_HOST nothing happens")
def _():
    way = Proxy(server.port)
    one = Product(product.worked_example(), port=way.port)
    way.hang()
    first = one.begin()
    wait_until(lambda: one.rows("SELECT 1 FROM job_runs WHERE status = 'running'"), "the first runs")
    expect("another process runs this job now" in one.sync(code=75), "the second says why")
    way.normal()
    expect_equal(first.wait(60), 0, "the first")
    expect("--full|--verify" in one.sync("--foo", code=2), "usage")
    expect("nothing to do" in one.sync(DB_HOST=""), "without a source")
    expect_equal(one.run("jobs", "run", "readmodel", "--verify", **{"PH_NOW_MS": str(one.now)}).returncode, 0, "by name")
    one.run("jobs", "run", "readmodel", "--foo", status=2)
    one.run("jobs", "run", "readmodel", "foo", status=2)
    way.close()


@test("SIGTERM in the middle: the run ends soon, is no failure to others, and the next one goes on")
def _():
    dataset = product.generate(seed=51, users=3000, days=60)
    way = Proxy(server.port)
    one = Product(dataset, port=way.port)
    way.slow(0.002, 4096)
    process = one.begin()
    wait_until(lambda: one.model.exists() and one.query("SELECT count(*) FROM fpp_page_views")[0][0] > 0, "rows", 30)
    process.terminate()
    said = process.communicate(timeout=30)[1]
    expect_equal((process.returncode, "asked to end" in said), (1, True), said)
    expect_equal((one.meta("last_success_at"), one.meta("run_error")), (None, None), "neither success nor failure")
    way.normal()
    one.sync()
    check_all(one, dataset)
    way.close()


@test("a read model that is gone, half made or of another version is made anew, by the job, init and migrate")
def _():
    dataset = product.worked_example()
    one = Product(dataset)
    one.sync()
    one.model.unlink()
    one.sync()
    check_all(one, dataset)
    one.change("PRAGMA user_version = 0")
    one.sync()
    check_all(one, dataset)
    one.model.unlink()
    expect("analytics.db" in one.run("init").stdout, "init")
    expect_equal(one.model.stat().st_mode & 0o777, 0o600, "mode")
    one.change("PRAGMA user_version = 0")
    expect("made anew" in one.run("migrate").stdout, "migrate")
    one.change("PRAGMA user_version = 99")
    one.sync(code=1)
    expect_equal(one.failure()[1], "database_schema_new: the read model has version 99, this release knows 1", "newer")


@test("a demonstration's rows give way to those of the first source")
def _():
    dataset = product.worked_example()
    one = Product(dataset)
    one.change("INSERT INTO fpp_users (id, created_at) VALUES ('demo', 1720000000000);"
               "INSERT INTO sync_meta VALUES ('is_demo', 1)")
    one.sync("--verify")
    expect_equal(one.query("SELECT id FROM fpp_users"), [("demo",)], "--verify leaves it")
    one.sync()
    check_all(one, dataset)
    expect_equal(one.meta("is_demo"), None, "is_demo")


@test("the demonstration's sums are those of its rows, nothing is of tomorrow, and a real source keeps it out")
def _():
    one = Product(DB_HOST="")
    one.run("demo", "--rows", "100")
    check_sums(one)
    for table, column in (("users", "created_at"), ("page_views", "viewed_at"), ("events", "event_at"), ("votes", "voted_at"),
                          ("estimations", "estimated_at"), ("rooms", "last_used_at")):
        n, last = one.query(f"SELECT count(*), max({column}) FROM fpp_{table}")[0]
        expect(n > 0 and last <= one.now, f"{table}: {n} rows up to {last}")
    expect_equal((one.meta("is_demo"), one.meta("last_success_at")), (1, "2024-07-15T08:00:00Z"), "meta")
    other = Product(product.worked_example())
    other.run("demo", "--rows", "100")
    expect_equal(other.query("SELECT count(*) FROM fpp_users"), [(0,)], "with a source")


@test("while rows are written readers answer, and while one reads rows are written")
def _():
    one = Product(product.worked_example())
    one.sync()
    before = one.overview()
    writer = sqlite3.connect(one.model, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM roll_day")
    expect_equal(one.overview(), before, "in the middle of a transaction")
    writer.execute("ROLLBACK")
    reader = sqlite3.connect(one.model, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM fpp_users").fetchall()
    server.execute("INSERT INTO fpp_events VALUES (70, 'u01', 'LEFT_ROOM', '2024-07-15 07:59:00')")
    one.sync()
    expect_equal(one.query("SELECT count(*) FROM fpp_events"), [(7,)], "written meanwhile")
    reader.close()
    writer.close()


# -- TLS, and a server that lies -------------------------------------------------------------


@test("DB_TLS: the certificate is verified, by PH_CA_FILE; without it nothing is said to a server that wants it")
def _():
    with MariaDB(tls=True) as secure:
        secure.create_tables()
        secure.grant(password=PASSWORD, tls=True)
        secure.load(product.worked_example())
        one = Product(now=product.worked_example().now, port=secure.port)
        one.sync(code=1)
        expect("refuses" in one.failure()[1] or "TLS" in one.failure()[1], one.failure())
        one.sync(code=1, DB_TLS="1")
        expect_equal(one.failure()[1], "upstream_unavailable: TLS with the server failed", "an unknown certificate")
        one.sync(DB_TLS="1", PH_CA_FILE=str(secure.ca))
        check_all(one, product.worked_example())
        one.sync(DB_TLS="1", PH_CA_FILE=str(secure.ca), DB_HOST="localhost")
    one = Product(product.worked_example())
    one.sync(code=1, DB_TLS="1")
    expect_equal(one.failure()[1], "upstream_unavailable: TLS with the server failed", "a server without TLS")


def lying_server(talk):
    """A port behind which talk(sock, number of the query) answers each command after a login that always succeeds."""
    listener = socket.create_server(("127.0.0.1", 0))

    def packet(sock, number, body):
        sock.sendall(struct.pack("<I", len(body))[:3] + bytes([number]) + body)

    def serve():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            try:
                capabilities = 0x0000A285 | 0x00080000 | 0x80
                packet(sock, 0, b"\x0a5.5.5-10.11.0\0" + struct.pack("<I", 1) + b"12345678\0" +
                       struct.pack("<HBHH", capabilities & 0xffff, 45, 2, capabilities >> 16) + bytes([21]) + bytes(10) +
                       b"123456789012\0mysql_native_password\0")
                sock.recv(65536)
                packet(sock, 2, b"\0\0\0\2\0\0\0")
                number = 0
                while sock.recv(65536):
                    talk(sock, number, packet)
                    number += 1
            except OSError:
                pass
            finally:
                sock.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener


@test("a server that asks for a file of ours gets none; one that answers nonsense or without end is left")
def _():
    one = Product(product.worked_example(), DB_TIMEOUT=2)
    one.sync()
    before = one.overview()
    got = []

    def thief(sock, number, packet):
        if number == 0:
            packet(sock, 1, b"\xfb" + str(one.home / "pilothouse.conf").encode())
            sock.settimeout(5)
            got.append(sock.recv(65536))
            raise OSError
        packet(sock, 1, b"\0\0\0\2\0\0\0")

    def noise(sock, number, packet):
        sock.sendall(random.Random(number).randbytes(5000))

    def endless(sock, number, packet):
        sock.sendall(b"\xff\xff\xff\x01" + b"x" * 0x100000)
        for _ in range(64):
            sock.sendall(b"y" * 0x100000)

    def mute(sock, number, packet):
        time.sleep(30)

    def sullen(sock, number, packet):
        packet(sock, 1, b"\0\0\0\2\0\0\0") if number == 0 else time.sleep(30)

    for talk in (thief, noise, endless, mute, sullen):
        with lying_server(talk) as listener:
            began = time.monotonic()
            process = one.begin(DB_PORT=str(listener.getsockname()[1]))
            peaks = [0]
            while process.poll() is None:
                try:
                    status_ = Path(f"/proc/{process.pid}/status").read_text()
                except OSError:
                    break
                peaks += map(int, re.findall(r"VmHWM:\s+(\d+)", status_))
                time.sleep(0.002)
            said = process.communicate()[1]
            expect_equal(process.returncode, 1, f"{talk.__name__}: {said}")
            # DB_TIMEOUT where the server says nothing, to the login or after it.
            expect(time.monotonic() - began < (8 if talk in (mute, sullen) else 30),
                   f"{talk.__name__}: {time.monotonic() - began:.1f} s")
            # It begins as a copy of this program, whose memory is not its own.
            expect(SANITIZED or peaks[-1] < 24_000, f"{talk.__name__}: {peaks[-1]} KiB")
            expect(one.failure()[1].startswith("upstream_"), one.failure())
            expect_equal(one.overview(), before, "answers")
    expect(all(PASSWORD.encode() not in part and len(part) <= 64 for part in got), f"what the thief got: {got}")


# -- heartbeat -------------------------------------------------------------------------------


class Kuma(Upstream):
    def answer(self, hit):
        return Reply(200, b'{"ok":true}', {"Content-Type": "application/json"})


@test("the heartbeat has exactly the parameters that the monitor knows, whatever the run came to")
def _():
    kuma = Kuma()
    one = Product(product.worked_example(), UPTIMEKUMA_PUSH_URL=f"{kuma.url}/api/push/Abc?status=up&msg=OK&ping=")
    one.sync()
    sent = kuma.hits[-1].target
    expect(re.fullmatch(r"/api/push/Abc\?status=up&msg=Synced\+64\+records\+in\+\d+\.\ds&ping=", sent), sent)
    one.sync()
    expect("msg=Synced+0+records+in+" in kuma.hits[-1].target, kuma.hits[-1].target)
    server.execute("DELETE FROM fpp_votes WHERE id = 9")
    server.execute("RENAME TABLE fpp_events TO hidden")
    one.sync(code=1)
    server.execute("RENAME TABLE hidden TO fpp_events")
    expect_equal(kuma.hits[-1].target, "/api/push/Abc?status=down&msg=Errors%3A+fpp_events%3A+the+table+is+missing%2C"
                 "+or+the+user+may+not+read+it%2C+fpp_votes%3A+source+max+id+8+is+below+cursor+9&ping=", "tables")
    one.sync(code=1, DB_PASSWORD="wrong")
    expect_equal(kuma.hits[-1].target, "/api/push/Abc?status=down&msg=the+server+refuses+the+user+or+the+password"
                 "&ping=", "no connection")
    n = len(kuma.hits)
    one.sync("--verify", code=1)
    expect_equal(len(kuma.hits), n, "--verify pushes nothing")
    expect_equal({hit.method for hit in kuma.hits}, {"GET"}, "method")
    for hit in kuma.hits:
        expect(PASSWORD not in hit.target and "127.0.0.1" not in hit.target, hit.target)


@test("a message of more than 250 bytes is cut between characters")
def _():
    kuma = Kuma()
    one = Product(product.worked_example(), UPTIMEKUMA_PUSH_URL=f"{kuma.url}/p")
    for table in TABLES:
        server.execute(f"RENAME TABLE {table} TO hidden_{table}")
    one.sync(code=1)
    for table in TABLES:
        server.execute(f"RENAME TABLE hidden_{table} TO {table}")
    message = kuma.hits[-1].query["msg"][0]
    expect(240 <= len(message.encode()) <= 250 and message.startswith("Errors: fpp_users: the table"), message)


@test("a monitor that is down, slow, wrong or endless changes nothing, and there is one try")
def _():
    kuma = Kuma()
    one = Product(product.worked_example(), UPTIMEKUMA_PUSH_URL=f"{kuma.url}/p")
    for fault in (status(500), status(302, Location="/elsewhere"), silent, huge):
        kuma.misbehave(fault)
        n = len(kuma.hits)
        said = one.sync()
        expect_equal(len(kuma.hits), n + 1, "tries")
        expect("the push failed" in said or fault is huge, said)
        kuma.behave()
    kuma.refuse()
    expect("the push failed" in one.sync(), "refused")
    kuma.accept()
    kuma.misbehave(hang)
    began = time.monotonic()
    expect("the push failed" in one.sync(), "no answer")
    expect(9 < time.monotonic() - began < 20, f"ten seconds: {time.monotonic() - began:.1f}")
    kuma.behave()


run()
