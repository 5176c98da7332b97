#!/usr/bin/env -S /usr/bin/python3 -B
"""Random writes against a second opinion.

Tens of thousands of random operations go straight into the database file, as any program may
write it.  Between batches all five answers are compared field by field with those of model.py; and
`pilothouse verify` must find nothing.  PH_SEED repeats a run.
"""
import os
import random
import re
import sqlite3

from harness import NOW, SOURCE, Failure, Instance, diagnostic, expect, expect_equal, run, test
from model import (CAMPAIGN_STATUSES, DAY, HOUR, JOB_STATUSES, LOG_STATUSES, MINUTE, PARAMS, PLATFORMS,
                   SECOND, TIME_MAX, Rows, answers, compare)

SEED = int(os.environ.get("PH_SEED", "20251122"))
OPERATIONS = 36_000
CHECKPOINTS = 30
TRANSACTION_MAX = 60            # operations in one transaction
LOGS_MAX = 2500                 # above it, deletes outweigh inserts

TZ_OFFSETS = (0, -720, -630, -61, 1, 330, 345, 809, 840)
# Clocks: on a minute, off it by a little, just after midnight, in the first hour ever, far ahead.
NOWS = (NOW, NOW + 1, NOW - 1, NOW + 37_123, NOW - NOW % DAY + 1, 1_000, 4102444800000 + 59_999)

diagnostic(f"PH_SEED={SEED}")
rng = random.Random(SEED)
instance = Instance(now=NOW)
db = instance.connect()


def check_answers(clocks):
    base = Rows(db)
    for now, tz in clocks:
        query = f"include=extended&time=ms&tz_offset={tz}"
        for name, answer in answers(base).items():
            seen = instance.stat(name, query, PH_NOW_MS=str(now))
            compare(seen, answer(now, tz), f"now={now} tz={tz} {name}")


def clocks():
    """Instants to ask at: two fixed ones, and three at which some row is on the edge of a window."""
    for now in rng.sample(NOWS, 2):
        yield now, rng.choice(TZ_OFFSETS)
    for column, window in (("created_at", HOUR), ("created_at", DAY), ("published_at", HOUR)):
        at, = rng.choice(db.execute(f"SELECT {column} FROM publish_logs WHERE {column} < ?",
                                    (TIME_MAX - 2 * DAY,)).fetchall())
        yield max(0, at + window + rng.choice((-1, 0, 1))), rng.choice(TZ_OFFSETS)


# -- random writes ---------------------------------------------------------------------


def instant():
    """Near an edge of a window, around now, or far away."""
    now = rng.choice(NOWS)
    kind = rng.random()
    if kind < 0.35:
        midnight = now - now % DAY - rng.choice(TZ_OFFSETS) * MINUTE
        minute = (now - HOUR) - (now - HOUR) % MINUTE
        at = rng.choice((now, now - HOUR, now - DAY, midnight, minute, minute + MINUTE,
                         now + MINUTE)) + rng.choice((-1, 0, 0, 1))
    elif kind < 0.65:
        at = now - rng.randrange(2 * HOUR)
    elif kind < 0.90:
        at = now - rng.randrange(3 * DAY)
    else:
        at = rng.choice((0, 1, 59_999, 60_000, 2**31 * SECOND, 2**31 * SECOND - 1, 2**32 * SECOND,
                         TIME_MAX, rng.randrange(TIME_MAX)))
    return min(max(at, 0), TIME_MAX)


def score():
    kind = rng.random()
    if kind < 0.25:
        return None
    if kind < 0.4:
        return rng.choice((0.0, 1.0, 0.5, 0.00005, 0.99995, 0.12345, 0.33335))
    return round(rng.random(), rng.choice((1, 2, 4, 9)))


def cents():
    return rng.choice((0, 1, 99, 100, 12345, 2**31, 2**40, rng.randrange(10**7)))


def new_id():
    return f"{rng.getrandbits(64):016x}"


class Ids:
    """Ids that were there when the batch began; some may be gone."""

    def __init__(self):
        for table in ("video_assets", "clips", "jobs", "campaigns", "social_accounts", "publish_logs"):
            setattr(self, table, [r[0] for r in db.execute(f"SELECT id FROM {table}")])

    def pick(self, table):
        ids = getattr(self, table)
        return rng.choice(ids) if ids else "none"

    def account(self):
        return None if rng.random() < 0.3 else self.pick("social_accounts")


def log_values(ids):
    """Every column of a publish log that means something."""
    return {
        "clip_id": ids.pick("clips"), "platform": rng.choice(list(PLATFORMS)),
        "social_account_id": ids.account(), "status": rng.choice(LOG_STATUSES),
        "requested_at": instant(), "published_at": instant() if rng.random() < 0.7 else None,
        "failed_at": instant() if rng.random() < 0.5 else None, "created_at": instant(),
        "updated_at": instant(),
        "error_message": rng.choice((None, "", "refused", "überlang " * 80)),
    }


def insert(table, values, verb="INSERT", tail=""):
    names = ", ".join(values)
    marks = ", ".join("?" * len(values))
    db.execute(f"{verb} INTO {table} ({names}) VALUES ({marks}){tail}", list(values.values()))


def update(table, values, ident, verb="UPDATE"):
    sets = ", ".join(f"{name} = ?" for name in values)
    db.execute(f"{verb} {table} SET {sets} WHERE id = ?", [*values.values(), ident])


def some(values):
    return dict(rng.sample(list(values.items()), rng.randint(1, len(values))))


def put(table, values, existing):
    """Insert under a new id or, in one of the harmless ways, under one that may be taken."""
    verb, tail, ident = "INSERT", "", new_id()
    kind = rng.random()
    if kind < 0.15:
        ident = existing
        tail = " ON CONFLICT(id) DO UPDATE SET " + ", ".join(
            f"{name} = excluded.{name}" for name in some(values))
    elif kind < 0.25:
        ident, verb = existing, "INSERT OR IGNORE"
    elif kind < 0.30:
        ident, tail = existing, " ON CONFLICT DO NOTHING"
    insert(table, {"id": ident, **values}, verb, tail)


def put_log(ids):
    put("publish_logs", log_values(ids), ids.pick("publish_logs"))


def update_log(ids):
    update("publish_logs", some(log_values(ids)), ids.pick("publish_logs"),
           rng.choice(("UPDATE", "UPDATE OR IGNORE")))


def move_log(ids):
    """One step of the life of a post."""
    step = rng.choice(({"status": "processing"}, {"status": "success", "published_at": instant()},
                       {"status": "failed", "failed_at": instant()}, {"status": "retry"},
                       {"status": "pending", "failed_at": None}))
    update("publish_logs", step, ids.pick("publish_logs"))


def delete_log(ids):
    db.execute("DELETE FROM publish_logs WHERE id = ?", (ids.pick("publish_logs"),))


def many_logs(ids):
    """One statement, many rows."""
    modulus, rest = rng.randint(11, 97), rng.randrange(11)
    values = some(log_values(ids))
    sets = ", ".join(f"{name} = ?" for name in values)
    some_rows = f"WHERE rowid % {modulus} = {rest}"
    kind = rng.randrange(5)
    if kind == 0:
        db.execute(f"UPDATE publish_logs SET {sets} {some_rows}", list(values.values()))
    elif kind == 1:
        db.execute(f"UPDATE publish_logs SET requested_at = max(0, requested_at - 1),"
                   f" platform = upper(platform) WHERE platform = 'tiktok' AND rowid % 3 = {rest % 3}")
    elif kind == 2:
        db.execute("UPDATE publish_logs SET clip_id = ? WHERE clip_id = ?",
                   (ids.pick("clips"), ids.pick("clips")))
    elif kind == 3:
        db.execute(f"DELETE FROM publish_logs {some_rows}")
    else:
        db.execute("INSERT INTO publish_logs (id, clip_id, platform, status, requested_at,"
                   " published_at, created_at, updated_at) SELECT lower(hex(randomblob(8))), clip_id,"
                   " platform, status, requested_at, published_at, created_at, 1"
                   f" FROM publish_logs {some_rows}")


def put_clip(ids):
    put("clips", {"video_asset_id": ids.pick("video_assets"), "start_ms": 0, "end_ms": 1,
                  "duration_ms": 1, "visual_score": score(), "created_at": instant(),
                  "updated_at": 1}, ids.pick("clips"))


def rescore(ids):
    kind = rng.random()
    if kind < 0.8:
        update("clips", {"visual_score": score()}, ids.pick("clips"))
    elif kind < 0.9:
        db.execute("UPDATE clips SET visual_score = ? WHERE video_asset_id = ?",
                   (score(), ids.pick("video_assets")))
    else:
        update("clips", {"status": "ready", "updated_at": 2}, ids.pick("clips"))


def rename_clip(ids):
    """Refused while anything points at the clip."""
    update("clips", {"id": new_id()}, ids.pick("clips"))


def delete_clip(ids):
    """Refused while a campaign uses it; else its logs go too."""
    db.execute("DELETE FROM clips WHERE id = ?", (ids.pick("clips"),))


def put_video(ids):
    key = rng.choice((None, None, f"key{rng.randrange(200)}"))
    put("video_assets", {"title": "t", "idempotency_key": key, "created_at": 1, "updated_at": 1},
        ids.pick("video_assets"))


def delete_video(ids):
    db.execute("DELETE FROM video_assets WHERE id = ?", (ids.pick("video_assets"),))


def put_account(ids):
    put("social_accounts", {"platform": "tiktok", "handle": "@h", "created_at": 1, "updated_at": 1},
        ids.pick("social_accounts"))


def delete_account(ids):
    db.execute("DELETE FROM social_accounts WHERE id = ?", (ids.pick("social_accounts"),))


def job_values(ids):
    return {"job_type": rng.choice(("cut", "score", "render")), "status": rng.choice(JOB_STATUSES), "params": rng.choice(list(PARAMS)),
            "video_asset_id": rng.choice((None, ids.pick("video_assets"))),
            "clip_id": rng.choice((None, ids.pick("clips"))),
            "dedup_key": rng.choice((None, None, f"key{rng.randrange(500)}")),
            "created_at": 1, "updated_at": 1}


def put_job(ids):
    put("jobs", job_values(ids), ids.pick("jobs"))


def update_job(ids):
    if rng.random() < 0.9:
        update("jobs", some(job_values(ids)), ids.pick("jobs"))
    else:
        db.execute(f"UPDATE jobs SET status = ? WHERE rowid % 13 = {rng.randrange(13)}",
                   (rng.choice(JOB_STATUSES),))


def delete_job(ids):
    db.execute("DELETE FROM jobs WHERE id = ?", (ids.pick("jobs"),))


def campaign_values(ids):
    return {"name": "k", "clip_id": ids.pick("clips"), "budget_cents": cents(),
            "budget_spent_cents": cents(), "status": rng.choice(CAMPAIGN_STATUSES),
            "created_at": 1, "updated_at": 1}


def put_campaign(ids):
    put("campaigns", campaign_values(ids), ids.pick("campaigns"))


def update_campaign(ids):
    if rng.random() < 0.9:
        update("campaigns", some(campaign_values(ids)), ids.pick("campaigns"))
    else:
        db.execute("UPDATE campaigns SET budget_spent_cents = budget_spent_cents + 1, status = ?"
                   " WHERE rowid % 3 = 0", (rng.choice(CAMPAIGN_STATUSES),))


def delete_campaign(ids):
    db.execute("DELETE FROM campaigns WHERE id = ?", (ids.pick("campaigns"),))


def put_run(_ids):
    insert("orchestrator_runs", {"id": new_id(), "started_at": rng.randrange(TIME_MAX),
                                 "trigger": "loop", "actions": rng.randrange(9)})


def in_savepoint(ids):
    """Several writes, of which half the time nothing stays."""
    db.execute("SAVEPOINT s")
    for _ in range(rng.randint(1, 6)):
        write(ids)
    if rng.random() < 0.5:
        db.execute("ROLLBACK TO s")
    db.execute("RELEASE s")


WRITES = ((put_log, 34), (update_log, 18), (move_log, 14), (delete_log, 8), (many_logs, 0.4),
          (put_clip, 5), (rescore, 6), (rename_clip, 0.5), (delete_clip, 1.5), (put_video, 2),
          (delete_video, 0.3), (put_account, 1), (delete_account, 0.7), (put_job, 7),
          (update_job, 5), (delete_job, 3), (put_campaign, 5), (update_campaign, 4),
          (delete_campaign, 2), (put_run, 0.1), (in_savepoint, 2))


def write(ids):
    """One random write; the database may refuse it, as it does with a broken reference."""
    function, = rng.choices([w for w, _ in WRITES], [n for _, n in WRITES])
    if function is put_log and len(ids.publish_logs) > LOGS_MAX:
        function = delete_log
    try:
        function(ids)
    except sqlite3.IntegrityError as refusal:
        if "is refused" in str(refusal) or "derived" in str(refusal):
            raise Failure(f"{function.__name__} is a harmless write, but: {refusal}") from refusal


def write_many(operations):
    while operations > 0:
        ids = Ids()
        n = min(operations, rng.randint(1, TRANSACTION_MAX))
        db.execute("BEGIN IMMEDIATE")
        for _ in range(n):
            write(ids)
        db.execute("ROLLBACK" if rng.random() < 0.03 else "COMMIT")
        operations -= n


def checkpoint(number):
    @test(f"after {(number + 1) * OPERATIONS // CHECKPOINTS} random writes every figure is right")
    def _():
        write_many(OPERATIONS // CHECKPOINTS)
        check_answers(list(clocks()))
        instance.run("verify")


for i in range(CHECKPOINTS):
    checkpoint(i)


@test("the random rows reach every status, platform and shape")
def _():
    base = Rows(db)
    diagnostic(f"{len(base.logs)} logs, {len(base.clips)} clips, {len(base.jobs)} jobs, "
               f"{len(base.campaigns)} campaigns, {len(base.videos)} videos")
    expect(len(base.logs) > 500, "enough logs are left")
    expect_equal({r["status"] for r in base.logs}, set(LOG_STATUSES), "statuses of logs")
    expect_equal({r["key"] for r in base.logs}, set(PLATFORMS.values()), "platforms")
    expect_equal({r["status"] for r in base.campaigns}, set(CAMPAIGN_STATUSES), "campaigns")
    expect({r["params"] for r in base.jobs} >= set(PARAMS), "params of jobs")


@test("writes that ignore foreign keys and fire triggers recursively are counted all the same")
def _():
    db.execute("PRAGMA foreign_keys=OFF")
    db.execute("PRAGMA recursive_triggers=ON")
    try:
        write_many(OPERATIONS // CHECKPOINTS)
        check_answers(list(clocks()))
        instance.run("verify")
    finally:
        db.execute("PRAGMA recursive_triggers=OFF")
        db.execute("PRAGMA foreign_keys=ON")


@test("many writers at once lose nothing")
def _():
    others = [instance.connect() for _ in range(4)]
    for n in range(200):
        other = others[n % len(others)]
        other.execute("UPDATE publish_logs SET status = ? WHERE rowid % 50 = ?",
                      (rng.choice(LOG_STATUSES), n % 50))
    for other in others:
        other.close()
    check_answers([(NOW, 0)])
    instance.run("verify")


# -- what is refused -----------------------------------------------------------------


def dump():
    """Every row of every table."""
    names = [r[0] for r in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"
                                      " AND name <> 'replace_guard' ORDER BY name")]
    return {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in names}


def expect_refused(sql, what):
    before = dump()
    try:
        db.execute(sql)
    except sqlite3.IntegrityError:
        expect(dump() == before, f"refused, but rows changed: {what}")
        return
    raise Failure(f"not refused: {what}")


def both_ways(function):
    """Run a check with and without recursive triggers; each statement is undone."""
    for mode in ("OFF", "ON"):
        db.execute(f"PRAGMA recursive_triggers={mode}")
        try:
            function(mode)
        finally:
            db.execute("PRAGMA recursive_triggers=OFF")
    instance.run("verify")


COUNTED = {
    "video_assets": "SELECT id, 'again', NULL, NULL, NULL, NULL, NULL, idempotency_key, 1, 1",
    "clips": "SELECT id, video_asset_id, 0, 1, 1, 0.125, 'ready', NULL, 1, 1",
    "jobs": "SELECT id, 'cut', 'failed', NULL, dedup_key, NULL, NULL, NULL, NULL, 1, 1, NULL",
    "campaigns": "SELECT id, 'again', clip_id, 1, 1, NULL, 'draft', 1, 1",
}


@test("INSERT OR REPLACE of a row that is there is refused on every counted table")
def _():
    def check(mode):
        for table, select in COUNTED.items():
            expect_refused(f"INSERT OR REPLACE INTO {table} {select} FROM {table} LIMIT 1",
                           f"{table}, recursive_triggers={mode}")
            expect_refused(f"REPLACE INTO {table} {select} FROM {table} ORDER BY id LIMIT 5",
                           f"{table}, five rows, recursive_triggers={mode}")
        expect_refused("REPLACE INTO publish_logs (id, clip_id, platform, requested_at, created_at,"
                       " updated_at) SELECT id, clip_id, 'x', 1, 1, 1 FROM publish_logs LIMIT 3",
                       f"publish_logs, recursive_triggers={mode}")
    both_ways(check)


@test("INSERT OR REPLACE over another row's unique key is refused")
def _():
    db.execute("UPDATE video_assets SET idempotency_key = 'taken' WHERE rowid ="
               " (SELECT min(rowid) FROM video_assets)")
    db.execute("UPDATE jobs SET dedup_key = 'taken' WHERE rowid = (SELECT min(rowid) FROM jobs)")

    def check(mode):
        expect_refused("REPLACE INTO video_assets (id, idempotency_key, created_at, updated_at)"
                       " VALUES ('fresh', 'taken', 1, 1)", f"video, recursive_triggers={mode}")
        expect_refused("REPLACE INTO jobs (id, job_type, dedup_key, created_at, updated_at)"
                       " VALUES ('fresh', 'cut', 'taken', 1, 1)", f"job, recursive_triggers={mode}")
    both_ways(check)


@test("REPLACE of rows that are not there is an insert")
def _():
    before = db.execute("SELECT count(*) FROM video_assets").fetchone()[0]
    db.execute("REPLACE INTO video_assets (id, created_at, updated_at) VALUES ('r1', 1, 1), ('r2', 1, 1)")
    expect_equal(db.execute("SELECT count(*) FROM video_assets").fetchone()[0], before + 2, "videos")
    instance.run("verify")


def expect_counted_or_refused(sql, what):
    try:
        db.execute(sql)
    except sqlite3.IntegrityError:
        pass
    found = instance.run("verify", status=None)
    instance.run("verify", "--repair")
    expect(found.returncode == 0, f"{what}: verify says\n{found.stdout}")


@test("UPDATE OR REPLACE onto another row's unique key does not spoil a counter")
def _():
    expect_counted_or_refused("UPDATE OR REPLACE jobs SET dedup_key = 'taken'"
                              " WHERE rowid = (SELECT max(rowid) FROM jobs)", "jobs.dedup_key")
    expect_counted_or_refused("UPDATE OR REPLACE video_assets SET idempotency_key = 'taken'"
                              " WHERE rowid = (SELECT max(rowid) FROM video_assets)",
                              "video_assets.idempotency_key")
    expect_counted_or_refused("UPDATE OR REPLACE publish_logs SET id = (SELECT min(id) FROM publish_logs)"
                              " WHERE id = (SELECT max(id) FROM publish_logs)", "publish_logs.id")


@test("REPLACE by rowid does not spoil a counter")
def _():
    expect_counted_or_refused("REPLACE INTO publish_logs (rowid, id, clip_id, platform, requested_at,"
                              " created_at, updated_at) SELECT rowid, 'by-rowid', clip_id, 'x', 1, 1, 1"
                              " FROM publish_logs LIMIT 1", "publish_logs")


@test("derived columns cannot be written by hand")
def _():
    def check(mode):
        for table, sets in (("publish_logs", "platform_key = 'wrong'"), ("publish_logs", "proc_ms = -5"),
                            ("publish_logs", "proc_ms = 77, error_message = 'x'"),
                            ("publish_logs", "platform_key = 'wrong', updated_at = 1"),
                            ("jobs", "params_platform = 'wrong'"),
                            ("jobs", "params_platform = 'wrong', error_message = 'x'")):
            expect_refused(f"UPDATE {table} SET {sets} WHERE rowid = (SELECT min(rowid) FROM {table})",
                           f"{table} SET {sets}, recursive_triggers={mode}")
    both_ways(check)


@test("a derived column given with an insert or a change of its source is corrected")
def _():
    def check(mode):
        db.execute("INSERT INTO publish_logs (id, clip_id, platform, status, requested_at, published_at,"
                   f" created_at, updated_at, platform_key, proc_ms) SELECT 'given{mode}', id, 'x',"
                   " 'success', 10, 15, 1, 1, 'tiktok', 999 FROM clips LIMIT 1")
        db.execute(f"UPDATE publish_logs SET platform = 'YouTube', proc_ms = 7 WHERE id = 'given{mode}'")
        expect_equal(db.execute("SELECT platform_key, proc_ms FROM publish_logs WHERE id = ?",
                                (f"given{mode}",)).fetchone(), ("youtube", 5), "a log's columns")
        db.execute("INSERT INTO jobs (id, job_type, created_at, updated_at, params_platform)"
                   f" VALUES ('given{mode}', 'cut', 1, 1, 'tiktok')")
        expect_equal(db.execute("SELECT params_platform FROM jobs WHERE id = ?",
                                (f"given{mode}",)).fetchone(), (None,), "a job's column")
    both_ways(check)
    check_answers([(NOW, 0)])


# -- verify ---------------------------------------------------------------------------


@test("verify names each table whose counter was changed by hand, and --repair mends it")
def _():
    figures = {"job_counts": "n", "campaign_counts": "spent_cents", "log_counts": "proc_ms",
               "worker_counts": "n", "clip_counts": "ready", "platform_counts": "score_nano",
               "clip_activity": "open_logs", "totals": "n", "event_counts": "requested",
               "proc_counts": "n",
               "variant_counts": "n", "clip_bins": "n",
               "job_type_counts": "n", "ledger_counts": "n", "op3_totals": "n"}
    counters = set(re.findall(r"EXISTS (\w+)_expected", (SOURCE / "expected.sql").read_text()))
    expect_equal(counters, set(figures), "counter tables")
    db.execute("UPDATE publish_logs SET status = 'processing', social_account_id ="
               " (SELECT id FROM social_accounts LIMIT 1) WHERE rowid = (SELECT min(rowid) FROM publish_logs)")
    db.execute("INSERT INTO clip_variants (id, clip_id, platform, created_at)"
               " SELECT 'variant', id, 'tiktok', 1 FROM clips LIMIT 1")
    db.execute("INSERT INTO ledger_events (id, timestamp, event_type) VALUES ('event', 1, 'orchestrator.tick')")
    db.execute("INSERT INTO users (id, name, role, created_at) VALUES ('u', 'u', 'viewer', 1)")
    db.execute("INSERT INTO podcasts (id, user_id, name, created_at) VALUES ('p', 'u', 'p', 1)")
    db.execute("INSERT INTO op3_daily (podcast_id, day, dim, n) VALUES ('p', '2025-10-01', 'total', 7)")
    for table, figure in figures.items():
        largest = f"WHERE {figure} = (SELECT max({figure}) FROM {table})"
        for spoil in (f"UPDATE {table} SET {figure} = {figure} + 1 {largest}",
                      f"DELETE FROM {table} {largest}"):
            db.execute(spoil)
            found = instance.run("verify", status=1)
            expect(f"{table}: " in found.stdout, f"{spoil}\ndoes not name {table}:\n{found.stdout}")
            instance.run("verify", "--repair")
            instance.run("verify")
    check_answers([(NOW, 0)])


@test("verify finds a derived column that was spoiled behind the triggers' back, and mends it")
def _():
    trigger = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'logs_update_derive'").fetchone()[0]
    db.execute("DROP TRIGGER logs_update_derive")
    db.execute("UPDATE publish_logs SET proc_ms = 123456 WHERE id = 'givenON'")
    db.execute(trigger)
    found = instance.run("verify", status=1)
    expect("derived" in found.stdout, found.stdout)
    instance.run("verify", "--repair")
    instance.run("verify")
    check_answers([(NOW, 0)])


run()
