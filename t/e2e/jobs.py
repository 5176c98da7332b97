#!/usr/bin/env -S /usr/bin/python3 -B
"""Jobs: one run at a time, every run on record, and nothing lost when one is killed."""
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
from pathlib import Path

from harness import (BUILD, LIBEXEC, NOW, Instance, expect, expect_equal, processes, run, scratch,
                     test, wait_until)

PROBE = BUILD / "t/e2e/probe"
LEASE_MS = 120000               # spec data hub 4.1
USAGE = 2


class Jobs(Instance):
    """An instance for the probe, a job that does what the file probe in the home says."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.sql("CREATE TABLE probe (at INTEGER NOT NULL)")

    def order(self, text):
        (self.home / "probe.new").write_text(text + "\n")
        (self.home / "probe.new").rename(self.home / "probe")

    def begin(self, *args, now=None, program=PROBE):
        """Start a job program."""
        clock = {} if now is None else {"PH_TEST": "1", "PH_NOW_MS": str(now)}
        return subprocess.Popen([program, *args], env={**self.env, **clock, "PH_HOME": str(self.home)},
                                stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8")

    def once(self, now=NOW, status=0, program=PROBE):
        """One run; what it says on standard error."""
        process = self.begin("--once", now=now, program=program)
        said = process.communicate(timeout=60)[1]
        expect_equal(process.returncode, status, f"exit status; {said}")
        return said

    def held(self, *args, now=None):
        """A run that is going on until finish()."""
        self.order("hold")
        (self.home / "probe.held").unlink(missing_ok=True)
        process = self.begin(*args, now=now)
        wait_until((self.home / "probe.held").exists, "the run holds")
        return process

    def finish(self, process, status=0):
        """Let a held run go on to its end; what it says."""
        (self.home / "probe").unlink()
        said = process.communicate(timeout=60)[1]
        expect_equal(process.returncode, status, f"exit status; {said}")
        return said

    def query(self, sql, *values):
        db = self.connect()
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def runs(self, columns="status, items, started_at, finished_at, error", job="probe"):
        return self.query(f"SELECT {columns} FROM job_runs WHERE job = ? ORDER BY started_at, rowid", job)

    def fence(self, job="probe"):
        return self.query("SELECT max(fence) FROM job_locks WHERE name = ?", f"job:{job}")[0][0] or 0

    def lock_ends(self):
        return self.query("SELECT expires_at FROM job_locks WHERE name = 'job:probe'")[0][0]

    def written(self):
        return [at for at, in self.query("SELECT at FROM probe ORDER BY at")]


def holds_back(pid, sig):
    """Does a process block a signal?"""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^SigBlk:\s*(\w+)$", status, re.M).group(1), 16) >> (sig - 1) & 1


# -- one run ------------------------------------------------------------------------------


@test("--describe prints the job as JSON; other arguments are wrong usage")
def _():
    done = subprocess.run([PROBE, "--describe"], capture_output=True, check=True)
    expect_equal(json.loads(done.stdout), {"name": "job-probe", "kind": "job", "interval_s": 1,
                                           "needs": ["db_write"], "summary": "What a test orders"}, "the job")
    for args in (["--nonsense"], ["--once", "x"], ["x"]):
        expect_equal(subprocess.run([PROBE, *args], capture_output=True).returncode, USAGE, args)


@test("--once makes one run, on record with what it did")
def _():
    one = Jobs()
    one.order("count 3")
    expect("3 items" in one.once(), "it says so")
    expect_equal(one.runs("status, items, started_at, finished_at, detail, error"),
                 [("success", 3, NOW, NOW, "order: count 3", None)], "the row")
    expect_equal((one.fence(), one.lock_ends()), (1, 0), "the lock is given back")
    expect_equal(one.written(), [NOW], "its work")
    owner, = one.runs("owner")[0]
    expect_equal(owner, one.query("SELECT owner FROM job_locks")[0][0], "owner of run and lock")


@test("a run that did nothing takes the place of the last that did nothing")
def _():
    one = Jobs()
    for n in range(5):
        one.once(now=NOW + n)
    expect_equal(one.runs(), [("success", 0, NOW + 4, NOW + 4, None)], "one row")
    expect_equal(one.fence(), 5, "of five runs")
    one.order("count 1")
    one.once(now=NOW + 5)
    (one.home / "probe").unlink()
    one.once(now=NOW + 6)
    expect_equal(one.runs("items, started_at"), [(1, NOW + 5), (0, NOW + 6)], "what did something stays")


@test("a failed run: exit status 1, its error on record, and the next one goes on")
def _():
    one = Jobs()
    one.order("fail the tide is out")
    said = one.once(status=1)
    error = "database_error: the tide is out"
    expect(error in said, said)
    expect_equal(one.runs(), [("failed", 0, NOW, NOW, error)], "the row")
    expect_equal(one.lock_ends(), 0, "the lock is given back")
    one.order("count 2")
    one.once(now=NOW + 1)
    expect_equal(one.runs("status, items"), [("failed", 0), ("success", 2)], "afterwards")


@test("a failure that repeats the one before spans the outage; anything between keeps them apart")
def _():
    one = Jobs()
    first, other = "database_error: a", "database_error: b"
    for at, order in enumerate(("fail a", "fail a", "fail a", "fail b", "fail a", "count 1", "fail a")):
        one.order(order)
        one.once(now=NOW + at, status=1 if order.startswith("fail") else 0)
    expect_equal(one.runs(), [("failed", 0, NOW, NOW + 2, first), ("failed", 0, NOW + 3, NOW + 3, other),
                              ("failed", 0, NOW + 4, NOW + 4, first), ("success", 1, NOW + 5, NOW + 5, None),
                              ("failed", 0, NOW + 6, NOW + 6, first)], "rows")


@test("a transaction that a run leaves open is rolled back")
def _():
    one = Jobs()
    one.order("leave")
    one.once()
    expect_equal(one.written(), [], "rows")
    expect_equal(one.runs("status"), [("success",)], "the run")


@test("a database that is locked or missing: exit status 1 with its code, and no row")
def _():
    one = Jobs(PH_BUSY_TIMEOUT_MS=50)
    db = one.connect()
    db.execute("BEGIN IMMEDIATE")
    expect("database_locked" in one.once(status=1), "locked")
    db.execute("ROLLBACK")
    db.close()
    expect_equal((one.runs(), one.fence()), ([], 0), "nothing is written")
    one.database.rename(one.home / "away")
    expect("database_missing" in one.once(status=1), "missing")
    expect(not one.database.exists(), "none is made")
    (one.home / "away").rename(one.database)
    one.once()


@test("bad settings: exit status 1, with the line")
def _():
    one = Jobs()
    one.configure(PH_BUSY_TIMEOUT_MS="x")
    expect("PH_BUSY_TIMEOUT_MS" in one.once(status=1), "the setting")


# -- lock and fence ---------------------------------------------------------------------------


@test("two at once: one runs, the other leaves its turn out, quietly")
def _():
    one = Jobs()
    held = one.held("--once", now=NOW)
    expect_equal(one.runs(), [("running", 0, NOW, None, None)], "while it runs")
    expect("another process" in one.once(now=NOW + 1, status=75), "the other says why")
    expect_equal(one.runs("status"), [("running",)], "no row of the other")
    expect_equal(one.written(), [], "nor any work")
    one.finish(held)
    expect_equal((one.runs("status"), one.fence(), one.written()), ([("success",)], 1, [NOW]), "the first")
    one.order("count 1")
    one.once(now=NOW + 2)
    expect_equal(one.fence(), 2, "the fence of the next")


@test("ten processes in a loop: the fence counts the runs, and no two overlap")
def _():
    one = Jobs()
    one.order("count 1")
    processes = [one.begin() for _ in range(10)]
    wait_until(lambda: one.fence() >= 3, "three runs", 30)
    for process in processes:
        process.terminate()
    for process in processes:
        process.communicate(timeout=60)
        expect_equal(process.returncode, 0, "exit status")
    expect_equal(len(one.runs()), one.fence(), "a row for each fence")
    expect_equal(len(one.written()), one.fence(), "and one piece of work")
    runs = one.runs("started_at, finished_at")
    expect(all(a[1] <= b[0] for a, b in itertools.pairwise(runs)), f"one after the other: {runs}")


@test("killed in a run: the lock lasts to the end of its lease, then the run is aborted")
def _():
    one = Jobs()
    held = one.held("--once", now=NOW)
    held.kill()
    held.communicate()
    one.order("count 1")
    one.once(now=NOW + LEASE_MS - 1, status=75)
    expect_equal(one.runs("status"), [("running",)], "one millisecond before the end")
    one.once(now=NOW + LEASE_MS)
    expect_equal(one.runs(), [("aborted", 0, NOW, NOW + LEASE_MS, None),
                              ("success", 1, NOW + LEASE_MS, NOW + LEASE_MS, None)], "at the end")
    expect_equal((one.fence(), one.written()), (2, [NOW + LEASE_MS]), "fence and work")


@test("any job's run marks what another job left, and leaves alone what still runs")
def _():
    one = Jobs()
    one.sql(f"""INSERT INTO job_locks VALUES ('job:alive', 'h:1:aaaaaaaa', 7, 1, 1, {NOW + 1}),
                    ('job:expired', 'h:1:bbbbbbbb', 7, 1, 1, {NOW}), ('job:taken', 'h:2:cccccccc', 8, 1, 1, {NOW + 1});
                INSERT INTO job_runs (id, job, owner, started_at, status) VALUES
                    ('1', 'alive', 'h:1:aaaaaaaa', 1, 'running'), ('2', 'expired', 'h:1:bbbbbbbb', 1, 'running'),
                    ('3', 'taken', 'h:1:cccccccc', 1, 'running'), ('4', 'unlocked', 'h:1:dddddddd', 1, 'running')""")
    one.once()
    expect_equal(one.query("SELECT job, status, finished_at FROM job_runs WHERE job <> 'probe' ORDER BY id"),
                 [("alive", "running", None), ("expired", "aborted", NOW), ("taken", "aborted", NOW),
                  ("unlocked", "aborted", NOW)], "runs")


@test("a run that outlasted its lease writes nothing over its successor")
def _():
    one = Jobs()
    held = one.held("--once", now=NOW)
    one.order("count 1")        # the held run sees its file still there
    one.once(now=NOW + LEASE_MS)
    said = one.finish(held, status=1)
    expect("conflict" in said and "job:probe" in said, said)
    expect_equal(one.written(), [NOW + LEASE_MS], "only the successor's work")
    expect_equal(one.runs("status, items"), [("aborted", 0), ("success", 1)], "rows")
    expect_equal((one.fence(), one.lock_ends()), (2, 0), "the successor's lock")


@test("a transaction prolongs the lease after 30 s, a heartbeat at once, and neither after 120 s")
def _():
    for order, after, status in (("later", 0, 0), ("later", 29999, 0), ("later", 30000, 0), ("beat", 1, 0),
                                 ("beat", LEASE_MS - 1, 0), ("later", LEASE_MS - 1, 0), ("later", LEASE_MS, 1),
                                 ("beat", LEASE_MS, 1)):
        one = Jobs()
        one.order(f"{order} {after}")
        one.once(status=status)
        prolonged = after if status == 0 and (order == "beat" or after >= 30000) else 0
        expect_equal(one.query("SELECT heartbeat_at FROM job_locks"), [(NOW + prolonged,)], f"{order} {after}")
        expect_equal((len(one.written()), one.runs("status")), (1 - status, [("failed",) if status else ("success",)]),
                     f"work after {order} {after}")


# -- the loop ----------------------------------------------------------------------------------


@test("without arguments it runs turn after turn, at most once in each")
def _():
    one = Jobs()
    one.order("count 1")
    process = one.begin()
    wait_until(lambda: len(one.runs()) >= 3, "three runs", 30)
    process.terminate()
    process.communicate(timeout=60)
    expect_equal(process.returncode, 0, "exit status")
    seconds = [at // 1000 for at, in one.runs("started_at")]
    expect_equal(len(set(seconds)), len(seconds), f"one run in a second: {seconds}")
    expect_equal(one.lock_ends(), 0, "the lock is given back")


@test("SIGTERM and SIGINT end it between runs, and let a run in hand stop by itself")
def _():
    for sig in (signal.SIGTERM, signal.SIGINT):
        one = Jobs()
        idle = one.begin()
        wait_until(lambda: one.fence() > 0, "a run", 30)
        idle.send_signal(sig)
        idle.communicate(timeout=60)
        expect_equal(idle.returncode, 0, "between runs")
        held = one.held()
        held.send_signal(sig)
        held.communicate(timeout=60)
        expect_equal(held.returncode, 0, "in a run")
        expect_equal(one.runs("status")[-1:], [("success",)], "the run came to its end")
        expect_equal((len(one.written()), one.lock_ends()), (1, 0), "with its work, and gave the lock back")


@test("it ends when another program takes its file's place")
def _():
    one = Jobs()
    place = scratch() / "job-probe"
    shutil.copy(PROBE, place)
    process = one.begin(program=place)
    wait_until(lambda: one.fence() > 0, "a run", 30)
    shutil.copy(PROBE, place.with_suffix(".new"))
    place.with_suffix(".new").rename(place)
    process.communicate(timeout=60)
    expect_equal(process.returncode, 0, "it ended by itself")


@test("an outage: one line in the log, and it goes on afterwards by itself")
def _():
    one = Jobs()
    one.order("fail the tide is out")
    process = one.begin()
    wait_until(lambda: one.fence() >= 3, "three runs", 30)
    one.order("count 1")
    wait_until(lambda: one.runs("status")[-1] == ("success",), "a good run", 30)
    process.terminate()
    said = process.communicate(timeout=60)[1]
    expect_equal(said.count("the tide is out"), 1, said)
    expect_equal(one.runs("status, error")[0], ("failed", "database_error: the tide is out"), "the outage")


# -- job-retention -----------------------------------------------------------------------------

RETENTION = LIBEXEC / "job-retention"
DAY = 86400000
AUDIT_KEPT, RUNS_KEPT, KEYS_KEPT, BATCH = 180 * DAY, 30 * DAY, DAY, 1000


def ages(rng, now, kept, count):
    """Instants around an age, its very edges among them."""
    return [now - kept - 1, now - kept, now - kept + 1, now - 1, 0] + \
        [now - rng.randrange(2 * kept) for _ in range(count)]


def fill(one, rng, now, count):
    """Audit entries, runs and keys of many ages, and a run that has been going on for ever."""
    db = one.connect()
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO audit_log (at, actor, action) VALUES (?, 'local', 'x')",
                   [(at,) for at in ages(rng, now, AUDIT_KEPT, count)])
    for n, at in enumerate(ages(rng, now, RUNS_KEPT, count)):
        status = rng.choice(("success", "failed", "aborted"))
        db.execute("INSERT INTO job_runs (id, job, owner, started_at, finished_at, status, items, error)"
                   " VALUES (?, ?, 'h:1:00000000', ?, ?, ?, ?, ?)",
                   (f"r{n}", rng.choice("ab"), max(at - rng.randrange(DAY), 0), at, status, n + 1,
                    "x" if status == "failed" else None))
    db.executemany("INSERT INTO idempotency_keys VALUES (?, 'POST /x', ?, x'00', 200, '', ?)",
                   [(rng.choice("ab"), str(n), at) for n, at in enumerate(ages(rng, now, KEYS_KEPT, count))])
    db.execute("INSERT INTO alert_channels (id, name, kind, target, created_by, created_at, updated_at)"
               " VALUES ('c', 'c', 'stream', '', 'x', 1, 1)")
    db.executemany("INSERT INTO alert_deliveries (id, channel_id, kind, payload, status, created_at, finished_at)"
                   " VALUES (?, 'c', 'test', '{}', 'sent', 0, ?)",
                   [(f"d{n}", at) for n, at in enumerate(ages(rng, now, RUNS_KEPT, count))])
    db.execute("INSERT INTO alert_deliveries (id, channel_id, kind, payload, next_try_at, created_at)"
               " VALUES ('waiting', 'c', 'test', '{}', 0, 0)")
    db.execute("INSERT INTO job_locks VALUES ('job:c', 'h:1:00000001', 1, 1, 1, ?)", (2 * now,))
    db.execute("INSERT INTO job_runs (id, job, owner, started_at, status)"
               " VALUES ('running', 'c', 'h:1:00000001', 1, 'running')")
    db.execute("COMMIT")
    db.close()


def aging_rows(one):
    """(what identifies it, its instant) of all rows, by table."""
    return {"audit_log": one.query("SELECT id, at FROM audit_log ORDER BY id"),
            "job_runs": one.query("SELECT id, finished_at FROM job_runs WHERE job <> 'retention' ORDER BY id"),
            "idempotency_keys": one.query("SELECT actor || key, created_at FROM idempotency_keys ORDER BY 1"),
            "alert_deliveries": one.query("SELECT id, finished_at FROM alert_deliveries ORDER BY id")}


@test("retention removes exactly what is older than 180 days, 30 days and a day")
def _():
    rng = random.Random(7)
    now = NOW + 20 * 365 * DAY      # after the entry that init made by today's clock
    for count, clock in ((300, now), (2600, now), (300, now + 400 * DAY), (300, now - 20 * DAY)):
        one = Jobs()
        fill(one, rng, now, count)
        before = aging_rows(one)
        newest = max(at for _, at in before["audit_log"])
        since = {"audit_log": min(clock, newest) - AUDIT_KEPT, "job_runs": clock - RUNS_KEPT,
                 "idempotency_keys": clock - KEYS_KEPT, "alert_deliveries": clock - RUNS_KEPT}
        kept = {table: [r for r in rows if r[1] is None or r[1] >= since[table]] for table, rows in before.items()}
        gone = {table: len(rows) - len(kept[table]) for table, rows in before.items()}
        expect(min(gone.values()) > 0, f"there is something to remove: {gone}")
        one.once(now=clock, program=RETENTION)
        expect_equal(aging_rows(one), kept, f"rows at {clock}")
        expect_equal(one.runs("status, items, detail", "retention"),
                     [("success", sum(gone.values()), ", ".join(f"{t} {n}" for t, n in gone.items()))], "its own row")
        one.once(now=clock, program=RETENTION)
        expect_equal(one.runs("items", "retention")[1:], [(0,)], "nothing is left to do")


@test("retention keeps the last 180 days of a log that nobody writes any more")
def _():
    one = Jobs()
    before = one.query("SELECT * FROM audit_log")
    one.once(now=NOW + 50 * 365 * DAY, program=RETENTION)
    expect_equal((len(before), one.query("SELECT * FROM audit_log")), (1, before), "the entry of init")
    one.sql("DROP TRIGGER audit_no_delete; DELETE FROM audit_log")
    one.once(now=NOW + 50 * 365 * DAY, program=RETENTION)
    expect_equal(one.runs("status, items", "retention"), [("success", 0)], "an empty log")


@test(f"retention removes {BATCH} rows in a transaction, and stops between two when it is told to")
def _():
    one = Jobs()
    one.sql("""WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
               INSERT INTO audit_log (at, actor, action) SELECT i, 'local', 'x' FROM n""")
    db = one.connect()
    db.execute("BEGIN IMMEDIATE")       # the run waits here
    process = one.begin("--once", now=NOW, program=RETENTION)
    wait_until(lambda: holds_back(process.pid, signal.SIGTERM), "it holds signals back")
    process.terminate()
    db.execute("ROLLBACK")
    db.close()
    process.communicate(timeout=60)
    expect_equal(process.returncode, 0, "exit status")
    expect_equal(one.runs("status, items", "retention"), [("success", BATCH)], "one transaction")
    expect_equal(one.query("SELECT count(*) FROM audit_log WHERE at < 3000"), [(1500,)], "the rest")
    one.once(now=NOW + 1, program=RETENTION)
    expect_equal(one.runs("status, items", "retention")[1:], [("success", 1500)], "the next run")


# -- supervised ----------------------------------------------------------------------------------


def listed(one):
    return {job["name"]: job for job in json.loads(one.run("jobs", "--json").stdout)}


@test("start runs each job in one process, a killed one comes back, stop ends it")
def _():
    one = Instance(PH_JOBS="all").with_admin()
    one.start()
    group = one.status()["job-retention"]
    expect_equal((group["workers"], group["wanted"]), (1, 1), "status")
    one.run("doctor")
    first, = one.workers("job-retention")
    program = str((LIBEXEC / "job-retention").resolve())
    wait_until(lambda: os.readlink(f"/proc/{first}/exe") == program, "the program")
    os.kill(first, signal.SIGKILL)
    second, = wait_until(lambda: (w := one.workers("job-retention")) and w != [first] and w, "it is back")
    one.run("start")
    expect_equal(one.workers("job-retention"), [second], "start leaves alone what runs")
    one.stop()
    expect(not [p for p, g, state in processes() if g == group["process_group"] and state != "Z"],
           "stop ended the group")
    expect_equal(one.run("status", "--json", status=3).returncode, 3, "status afterwards")
    one.run("logs")


@test("PH_JOBS chooses, by name, all or none; a name that there is not stops the start")
def _():
    one = Instance(PH_JOBS="none").with_admin()
    one.start()
    expect(not [name for name in one.status() if name.startswith("job-")], "none")
    one.run("doctor")
    expect_equal(listed(one)["retention"]["next_at"], None, "no next run")
    one.stop()
    one.configure(PH_JOBS="retention")
    one.start()
    expect_equal(len(one.workers("job-retention")), 1, "by name")
    one.stop()
    for wrong in ("retention tides", "job-retention", "none retention", "retentio"):
        one.configure(PH_JOBS=wrong)
        for command in (["start"], ["status"], ["jobs"]):
            done = one.run(*command, status=1)
            expect("PH_JOBS" in done.stderr, f"{command}: {done.stderr}")
        expect("PH_JOBS" in one.run("doctor", status=1).stdout, "doctor")
    one.configure(PH_JOBS='""')
    expect("PH_JOBS" in one.run("start", status=1).stderr, "empty")


@test("jobs lists each job with its last run and its next; jobs run makes one")
def _():
    one = Instance(now=NOW, PH_JOBS="all")
    declared = {json.loads(subprocess.run([program, "--describe"], capture_output=True, check=True).stdout)["name"]
                for program in LIBEXEC.glob("job-*")}
    expect_equal({f"job-{name}" for name in listed(one)}, declared, "names")
    expect_equal(listed(one)["retention"], {"name": "retention", "interval_s": 3600, "status": None,
                                            "last_at": None, "items": 0, "text": None,
                                            "next_at": "2025-11-22T11:00:00Z"}, "before")
    one.run("jobs", "run", "retention")
    state = listed(one)["retention"]
    expect_equal((state["status"], state["last_at"], state["text"]),
                 ("success", "2025-11-22T10:30:00Z",
                  "audit_log 0, job_runs 0, idempotency_keys 0, alert_deliveries 0"), "after")
    line, = [line.split() for line in one.run("jobs").stdout.splitlines() if line.startswith("retention")]
    expect_equal(line, ["retention", "3600", "s", "success", "2025-11-22T10:30:00Z", "0",
                        "2025-11-22T11:00:00Z", "audit_log", "0,", "job_runs", "0,",
                        "idempotency_keys", "0,", "alert_deliveries", "0"], "the table")
    expect("tides" in one.run("jobs", "run", "tides", status=1).stderr, "no such job")
    one.run("jobs", "run", "job-retention", status=1)


@test("doctor names a job whose last run failed")
def _():
    one = Instance(now=NOW, PH_JOBS="all").with_admin()
    one.sql(f"""INSERT INTO job_runs (id, job, owner, started_at, finished_at, status, error)
                VALUES ('1', 'retention', 'h:1:00000000', {NOW}, {NOW}, 'failed', 'database_full: no room')""")
    bad = [line for line in one.run("doctor", status=1).stdout.splitlines() if line.startswith("BAD  job")]
    expect_equal(bad, ["BAD  job retention: its last run failed: database_full: no room"], "the line")
    one.run("jobs", "run", "retention")
    expect("BAD  job" not in one.run("doctor", status=1).stdout, "after a good run")


run()
