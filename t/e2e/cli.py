#!/usr/bin/env -S /usr/bin/python3 -B
"""The operator's command: what it prints, its exit status, and that it loses nothing."""
import json
import os
import re
import sqlite3
import subprocess
import threading

from harness import (BUILD, HERE, LIBEXEC, NOW, PILOTHOUSE, SOURCE, STATS, Instance, exact, expect,
                     expect_equal, fields, run, scratch, test)

QUEUE = "/dashboard/stats/queue"
COUNTERS = ("job_counts", "campaign_counts", "log_counts", "worker_counts", "clip_counts",
            "platform_counts", "clip_activity", "totals", "event_counts", "proc_counts", "ledger_counts")
BASE = ("video_assets", "clips", "clip_variants", "jobs", "campaigns", "social_accounts", "publish_logs",
        "orchestrator_runs", "ledger_events", "stat_samples")


def content(database, tables=BASE + COUNTERS):
    """All rows of some tables."""
    db = sqlite3.connect(database)
    try:
        return {t: sorted(db.execute(f"SELECT * FROM {t}"), key=repr) for t in tables}
    finally:
        db.close()


def answers(instance):
    return {name: exact(instance.get(f"/dashboard/stats/{name}?include=extended", PH_TEST="1",
                                     PH_NOW_MS=str(NOW))) for name in STATS}


def expect_says(done, *words):
    """The one line on standard error names what is wrong."""
    for word in words:
        expect(word in done.stderr, f"{word!r} in {done.stderr!r}")
    expect(done.stdout == "", f"nothing on standard output: {done.stdout!r}")


# -- get ------------------------------------------------------------------------------


@test("get: the exit status is 0, 4 or 5 by the class of the answer")
def _():
    one = Instance()
    expect_equal(fields(one.get(QUEUE))["pending"], 0, "the body")
    expect_equal(fields(one.get(f"{QUEUE}?time=x", status=4))["code"], "invalid_parameter", "422")
    expect_equal(fields(one.get("/nowhere", status=4))["code"], "not_found", "404")
    expect_equal(fields(one.get("", status=4))["code"], "not_found", "the empty path")
    one.database.rename(one.home / "away")
    expect_equal(fields(one.get(QUEUE, status=5))["code"], "database_missing", "503")
    expect_equal(fields(one.get("/health"))["status"], "ok", "what needs no database")


@test("get -i: status line and headers come first")
def _():
    one = Instance()
    head, _, body = one.run("get", "-i", QUEUE).stdout.partition("\n\n")
    expect(head.startswith("Status: 200"), head)
    expect("Content-Type: application/json; charset=utf-8" in head.splitlines(), head)
    expect_equal(fields(body)["pending"], 0, "the body")
    head = one.run("get", "-i", f"{QUEUE}?time=x", status=4).stdout
    expect(head.startswith("Status: 422"), head)


@test("get ignores what a web server may have left in the environment")
def _():
    one = Instance()
    for name in ("GATEWAY_INTERFACE", "REMOTE_ADDR", "SERVER_SOFTWARE", "SERVER_PROTOCOL",
                 "HTTP_IF_NONE_MATCH", "QUERY_STRING", "REQUEST_METHOD"):
        expect_equal(fields(one.get(QUEUE, **{name: "*"}))["pending"], 0, name)


@test("a program run as CGI asks for a token, run by hand it does not")
def _():
    one = Instance().with_admin()
    env = {**one.env, "PH_HOME": str(one.home), "REQUEST_METHOD": "GET", "PH_REQUEST_LOG": "0"}

    def answer(**more):
        return subprocess.run([LIBEXEC / "dashboard-queue"], env={**env, **more}, stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="utf-8").stdout

    expect(answer().startswith("Status: 200"), "by hand")
    cgi = {"GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_ADDR": "127.0.0.1"}
    expect(answer(**cgi).startswith("Status: 401"), "CGI without a token")
    expect(answer(**cgi, HTTP_PH_AUTH="root t admin").startswith("Status: 401"), "a forged header")
    expect(answer(**cgi, HTTP_AUTHORIZATION=f"Bearer {one.token}").startswith("Status: 200"), "with one")
    expect(answer(QUERY_STRING="time=x").startswith("Status: 422"), "a query")
    expect(answer(REQUEST_METHOD="POST").startswith("Status: 405"), "a method")


@test("PH_NOW_MS is obeyed only with PH_TEST=1")
def _():
    one = Instance()
    one.sql((HERE / "dataset-a.sql").read_text())
    age = lambda **env: float(fields(one.get(QUEUE, **env))["oldest_pending_age_seconds"])
    expect_equal(age(PH_TEST="1", PH_NOW_MS=str(NOW)), 3600.0, "test clock")
    expect(age(PH_NOW_MS=str(NOW)) != 3600.0, "PH_NOW_MS alone")
    expect(age(PH_TEST="0", PH_NOW_MS=str(NOW)) != 3600.0, "PH_TEST=0")


# -- config ---------------------------------------------------------------------------


def settings(instance, **env):
    return dict(re.fullmatch(r"(\w+)=(.*)\t# .*", line).groups()
                for line in instance.run("config", **env).stdout.splitlines())


@test("config prints every setting, and the environment beats the file")
def _():
    one = Instance()
    source = SOURCE / "lib/core/config.c"
    seen = settings(one)
    if source.exists():
        declared = set(re.findall(r'\{ "([A-Z0-9_]+)", PH_SET', source.read_text()))
        expect_equal(set(seen), declared, "names")
    expect_equal((seen["PH_PORT"], seen["PH_HOME"]), (str(one.port), str(one.home)), "values")
    one.configure(PH_WORKERS=7)
    expect_equal(settings(one)["PH_WORKERS"], "7", "the file")
    expect_equal(settings(one, PH_WORKERS="9")["PH_WORKERS"], "9", "the environment")
    one.configure(PH_WORKERS='"8"')
    expect_equal(settings(one)["PH_WORKERS"], "8", "the last line, quoted")


@test("a bad line of the settings stops every command with its number")
def _():
    for line, words in (("PH_PORT=0", ["PH_PORT"]), ("PH_PORT=x", ["PH_PORT"]), ("PH_PORT=65536", ["PH_PORT"]),
                        ("PH_UNKNOWN=1", ["PH_UNKNOWN"]), ("PH_HOME=/x", ["PH_HOME"]),
                        ("nonsense", ["NAME=value"]),
                        ("=1", ["NAME=value"]), ("PH_ALLOW=10.0.0.0/33", ["PH_ALLOW"]),
                        ("PH_CORS_ORIGINS=example.com", ["PH_CORS_ORIGINS"]), ("PH_TLS=2", ["PH_TLS"]),
                        ("PH_SERVER_NAME=a;b", ["PH_SERVER_NAME"]),
                        ("PH_BUSY_TIMEOUT_MS=-1", ["PH_BUSY_TIMEOUT_MS"])):
        one = Instance()
        path = one.home / "pilothouse.conf"
        path.write_text(f"# a comment\n\nOTHER_NAME=anything\n{line}\n")
        for command in (["config"], ["get", QUEUE], ["user", "list"], ["start"]):
            done = one.run(*command, status=1)
            expect_says(done, "line 4", "pilothouse.conf", *words)
    one = Instance()
    expect_says(one.run("config", status=1, PH_PORT="x"), "environment", "PH_PORT")


@test("settings that others can read or write are refused")
def _():
    one = Instance()
    path = one.home / "pilothouse.conf"
    for mode in (0o644, 0o604, 0o602, 0o620, 0o666):
        path.chmod(mode)
        expect_says(one.run("config", status=1), "pilothouse.conf")
        expect_says(one.run("start", status=1), "pilothouse.conf")
    for mode in (0o400, 0o600, 0o640):      # a group may read it
        path.chmod(mode)
        one.run("config")
    path.unlink()
    one.run("config")


# -- usage ------------------------------------------------------------------------------


@test("wrong usage: exit status 2 and the usage on standard error")
def _():
    one = Instance()
    for args in ((), ("unknown",), ("get",), ("get", "a", "b"), ("init", "x"), ("start", "x"), ("stop", "x"),
                 ("status", "x"), ("token",), ("token", "unknown"), ("token", "create"),
                 ("token", "create", "--user"), ("token", "create", "--user", "a", "b"), ("token", "revoke"),
                 ("token", "import", "--user", "a"), ("token", "rotate"), ("token", "list", "x"), ("user",),
                 ("user", "add"), ("user", "add", "a"), ("user", "add", "a", "--role"), ("user", "role", "a"),
                 ("user", "disable"), ("user", "enable"), ("user", "list", "x"), ("verify", "x"), ("demo",),
                 ("demo", "--rows"), ("demo", "--rows", "-1"), ("demo", "--rows", "x"), ("backup",), ("restore",),
                 ("migrate", "x"), ("config", "x"), ("doctor", "x"), ("logs", "x"), ("jobs", "x"), ("jobs", "run"),
                 ("jobs", "run", "a", "b"),
                 ("--home",)):
        done = one.run(*args, status=None)
        # getopt's own complaints come with 1.
        allowed = (2,) if args != ("token", "create", "--user") else (1, 2)
        expect(done.returncode in allowed, f"{args}: exit status {done.returncode}\n{done.stderr}")
        expect(done.stderr != "" and done.stdout == "", f"{args}: {done}")
    expect("usage" in one.run("help").stdout, "help")
    expect("ilothouse" in one.run("--version").stdout, "--version")


@test("wrong arguments of token and user: exit status 1, a reason, and nothing is changed")
def _():
    one = Instance().with_admin()
    one.add_user("v", "viewer")
    before = content(one.database, ("users", "api_tokens", "audit_log"))
    secret = "a-secret-of-some-length"
    for args, text, words in (
            (("token", "create", "--user", "nobody"), None, ["nobody"]),
            (("token", "create", "--user", "v", "--scopes", "nonsense"), None, ["nonsense"]),
            (("token", "create", "--user", "v", "--scopes", ""), None, ["--scopes"]),
            (("token", "create", "--user", "v", "--scopes", "admin"), None, ["viewer"]),
            (("token", "create", "--user", "v", "--scopes", "dashboard:read cron:run"), None, ["viewer"]),
            (("token", "create", "--user", "v", "--addresses", "10.0.0.0/33"), None, ["10.0.0.0/33"]),
            (("token", "create", "--user", "v", "--addresses", "localhost"), None, ["localhost"]),
            (("token", "create", "--user", "v", "--expires", "0"), None, ["--expires"]),
            (("token", "create", "--user", "v", "--expires", "x"), None, ["--expires"]),
            (("token", "create", "--user", "v", "--name", "n" * 65), None, ["--name"]),
            (("token", "create", "--user", "v", "--unknown", "x"), None, []),
            (("token", "import", "--user", "v", "--stdin"), "short\n", ["16"]),
            (("token", "import", "--user", "v", "--stdin"), "", ["16"]),
            (("token", "import", "--user", "v", "--stdin"), "x" * 513 + "\n", ["512"]),
            (("token", "import", "--user", "v", "--stdin"), "with a blank inside it\n", ["visible"]),
            (("token", "import", "--user", "nobody", "--stdin"), secret + "\n", ["nobody"]),
            (("token", "revoke", "0000000000"), None, ["0000000000"]),
            (("token", "rotate", "0000000000"), None, ["0000000000"]),
            (("user", "add", "v", "--role", "viewer"), None, ["v"]),
            (("user", "add", "w", "--role", "king"), None, ["king"]),
            (("user", "add", "a b", "--role", "viewer"), None, ["letters"]),
            (("user", "add", "", "--role", "viewer"), None, ["letters"]),
            (("user", "add", "n" * 65, "--role", "viewer"), None, ["64"]),
            (("user", "role", "nobody", "viewer"), None, ["nobody"]),
            (("user", "role", "v", "king"), None, ["king"]),
            (("user", "tier", "nobody", "pro"), None, ["nobody"]),
            (("user", "tier", "v", "royal"), None, ["tier"]),
            (("user", "disable", "nobody"), None, ["nobody"]),
            (("user", "enable", "nobody"), None, ["nobody"])):
        expect_says(one.run(*args, status=1, text=text), *words)
        expect("SELECT" not in one.run(*args, status=1, text=text).stderr, args)
    expect_equal(content(one.database, ("users", "api_tokens", "audit_log")), before, "rows")


@test("user and token lists show what there is, and no secret")
def _():
    one = Instance()
    one.add_user("ann", "manager")
    one.add_user("bob", "viewer")
    token = one.make_token("bob", "--name", "panel", "--addresses", "10.0.0.0/8", "--expires", "30")
    one.run("user", "role", "bob", "operator")
    one.run("user", "tier", "bob", "pro")
    one.run("user", "disable", "ann")
    users = {line.split()[0]: line.split() for line in one.run("user", "list").stdout.splitlines()[1:]}
    expect_equal((users["bob"][1:3], users["ann"][2]), (["operator", "pro"], "free"), "role and tier")
    expect_equal((users["bob"][-1], users["ann"][-1] == "-"), ("-", False), "disabled")
    listed = one.run("token", "list").stdout
    _, ident, secret = token.split("_", 2)
    for word in (ident, "bob", "panel", "dashboard:read", "[10.0.0.0/8]"):
        expect(word in listed, f"{word} in {listed}")
    expect(secret not in listed, "the secret")
    refused = one.run("token", "create", "--user", "ann", status=1)
    expect_says(refused, "ann")


@test("--describe of every program is the route as JSON")
def _():
    names = {f"{source.parent.name}-{source.stem}" for source in (SOURCE / "cgi-bin").glob("*/*.c")}
    expect_equal(names, {r["name"] for r in json.loads((BUILD / "share/routes.json").read_text())}, "programs")
    for program in (LIBEXEC / name for name in sorted(names)):
        done = subprocess.run([program, "--describe"], capture_output=True, check=True)
        route = json.loads(done.stdout)
        expect_equal(route["name"], program.name, "name")
        expect(route["access"] in ("scope", "public", "internal"), route["access"])
        for method, operation in route["methods"].items():
            expect((route["access"] == "scope") == ("x-scope" in operation), f"{program.name}: scope of {method}")
        expect_equal(subprocess.run([program, "--nonsense"], capture_output=True).returncode, 2, "usage")


# -- demo -------------------------------------------------------------------------------


@test("demo: the same rows, seed and clock give the same data")
def _():
    def demo(*args, now=NOW):
        one = Instance(now=now)
        one.run("demo", *args)
        one.run("verify")
        return content(one.database), answers(one)

    first = demo("--rows", "3000")
    expect_equal(demo("--rows", "3000") == first, True, "again")
    expect_equal(demo("--rows", "3000", "--seed", "1") == first, True, "1 is the seed")
    expect(demo("--rows", "3000", "--seed", "2") != first, "another seed gives other data")
    expect(demo("--rows", "3000", now=NOW + 86400000) != first, "another clock too")
    expect_equal(len(first[0]["publish_logs"]), 3000, "rows")


@test("demo: variants of the newest clips, and a ledger that says what the rows say")
def _():
    one = Instance(now=NOW)
    one.run("demo", "--rows", "3000")
    best = fields(one.get("/dashboard/ai/analyze"))["best_clip_per_platform"]
    expect_equal(list(best), ["instagram", "tiktok", "youtube", "facebook"], "platforms with a best clip")
    odd = one.rows("""SELECT v.id FROM clip_variants v LEFT JOIN clips c ON c.id = v.clip_id
        WHERE c.id IS NULL OR v.created_at <> c.created_at OR v.visual_score > c.visual_score
        OR c.id NOT IN (SELECT id FROM clips ORDER BY created_at DESC LIMIT 200)""")
    expect_equal(odd, [], "variants of no or old clips")
    logs = one.rows("""SELECT e.id FROM ledger_events e JOIN publish_logs l ON l.id = e.entity_id
        WHERE e.entity_type = 'publish_log' AND e.event_type = 'publication.' || l.status AND e.clip_id = l.clip_id
        AND e.timestamp = CASE l.status WHEN 'success' THEN l.published_at ELSE l.failed_at END
        AND (e.severity = 'ERROR') = (l.status = 'failed') AND e.event_data ->> 'error' IS l.error_message""")
    jobs = one.rows("""SELECT e.id FROM ledger_events e JOIN jobs j ON j.id = e.job_id
        WHERE e.event_type = 'job.' || j.status AND e.timestamp = j.updated_at""")
    runs = one.rows("""SELECT e.id FROM ledger_events e JOIN orchestrator_runs r ON r.id = e.entity_id
        WHERE e.event_type = 'orchestrator.action_executed' AND e.timestamp BETWEEN r.started_at AND r.finished_at""")
    expect_equal((len(logs), len(jobs), len(runs)), (1000, 200, one.rows("SELECT sum(actions) FROM orchestrator_runs")[0][0]),
                 "events of logs, jobs and runs")
    expect_equal(len(one.rows("SELECT id FROM ledger_events")), len(logs) + len(jobs) + len(runs), "and no others")
    expect_equal(one.rows(f"SELECT id FROM ledger_events WHERE timestamp > {NOW}"), [], "events to come")


@test("demo: samples of the last 48 hours are what the logs say at each minute")
def _():
    now = NOW + 12345
    one = Instance(now=now)
    one.run("demo", "--rows", "3000")
    logs = one.rows("SELECT status, created_at, coalesce(published_at, failed_at) FROM publish_logs")
    seen = {(m, r, at): v for m, r, at, v in one.rows("SELECT metric, resolution_ms, at, value FROM stat_samples")}
    minutes = range(NOW - 48 * 3_600_000, NOW + 1, 60_000)
    last = {}                       # of each span, by its resolution
    for at in minutes:
        for width in (60_000, 300_000, 3_600_000):
            last[width, at - at % width] = at
    names = {m for m, _, _ in seen}
    expect_equal({(w, at) for _, w, at in seen}, set(last), "instants")
    expect_equal(len(seen), len(last) * len(names), "samples")

    def at_instant(t):
        open_now = [s for s, made, done in logs if done is None and made <= t]
        done = [(s, d) for s, made, d in logs if d is not None and d <= t]
        working = sum(made <= t < d for _, made, d in logs if d is not None)
        want = {f"queue.{s}": open_now.count(s) for s in ("pending", "scheduled", "retry")}
        want |= {f"queue.{s}": sum(one == s for one, _ in done) for s in ("success", "failed")}
        return want | {
            "queue.processing": open_now.count("processing") + working,
            "queue.total_in_queue": len(open_now) + working,
            "queue.throughput_per_hour": sum(t - 3_600_000 <= d for _, d in done),
            "overview.total_publications": sum(made <= t for _, made, _ in logs),
            "orchestrator.actions_last_run": sum(t - 3_600_000 <= made <= t for _, made, _ in logs),
            "orchestrator.actions_last_24h": sum(t - 86_400_000 <= made <= t for _, made, _ in logs)}

    for (width, start), at in sorted(last.items())[::29] + [((60_000, NOW), NOW), ((3_600_000, NOW - NOW % 3_600_000), NOW)]:
        expect_equal({m: seen[m, width, start] for m in sorted(names)},
                     {m: float(n) for m, n in sorted(at_instant(at).items())}, f"{width} {start}")
    for name, value in at_instant(now).items():
        statistic, field = name.split(".")
        expect_equal(one.stat(statistic, "include=extended")[field], value, f"{name} now")


@test("demo: every page that the manual draws has something to show")
def _():
    one = Instance()
    one.run("demo", "--rows", "3000")
    page = (SOURCE / "man/pilothouse-api.7.in").read_text()
    page = page[page.index(".Sh PAGES"):page.index(".Sh METRICS AND HISTORY")]
    paths = re.findall(r"(/dashboard/\S+)", re.sub(r"\\e\n +", "", page))
    expect(len(paths) > 20, f"paths: {paths}")
    for path in paths:
        body = one.get(path)
        if "/export/" in path:
            expect(body.count("\n") > 1, f"{path}: rows")
        elif not path.startswith(("/dashboard/alerts", "/dashboard/ai/history")):   # these come with time
            numbers = [n for n in re.findall(r"[:,\[](\d+(?:\.\d+)?)[],}]", body) if float(n) > 0]
            expect((numbers or '"action":' in body) and '"items":[]' not in body and '"types":[]' not in body, f"{path}: {body[:300]}")
        for series in fields(body).get("series", []) if path.startswith("/dashboard/stats/history") else []:
            expect(any(n for _, n in series["points"]), f"{path}: {series['metric']} {series['platform']} is empty")


@test("demo: any number of rows, also none and few")
def _():
    for n in (0, 1, 9, 100):
        one = Instance(now=NOW)
        one.run("demo", "--rows", str(n))
        one.run("verify")
        expect_equal(len(content(one.database, ["publish_logs"])["publish_logs"]), n, "rows")
        one.stat("platforms", "include=extended")


@test("demo refuses a database with data in it")
def _():
    one = Instance(now=NOW)
    one.run("demo", "--rows", "100")
    before = content(one.database)
    expect_says(one.run("demo", "--rows", "100", status=1), "data already")
    expect_equal(content(one.database) == before, True, "nothing is changed")
    db = sqlite3.connect(one.database)
    names = {r[0] for r in db.execute("SELECT name FROM sqlite_schema WHERE tbl_name = 'publish_logs'")}
    db.close()
    expect({"ix_logs_status_requested", "ix_logs_created", "logs_insert"} <= names,
           "indexes and triggers are there after the load")


# -- init, backup, restore, migrate --------------------------------------------------------


@test("init twice is harmless")
def _():
    one = Instance()
    one.sql((HERE / "dataset-a.sql").read_text())
    before = content(one.database)
    conf = (one.home / "pilothouse.conf").read_text()
    expect("already" in one.run("init").stdout, "it says so")
    expect_equal(content(one.database) == before, True, "rows")
    expect_equal((one.home / "pilothouse.conf").read_text(), conf, "settings")


@test("a backup taken while a program writes is consistent, and restores to an equal database")
def _():
    one = Instance(now=NOW).with_admin()
    one.run("demo", "--rows", "2000")
    stop = threading.Event()
    written = []

    def write():
        db = one.connect()
        n = 0
        while not stop.is_set():
            n += 1
            db.execute("BEGIN IMMEDIATE")
            # Two rows that belong together: a backup has both or neither.
            for table in ("a", "b"):
                db.execute(f"INSERT INTO video_assets(id,created_at,updated_at) VALUES('{table}{n}',1,1)")
            db.execute("COMMIT")
            written.append(n)
        db.close()

    writer = threading.Thread(target=write)
    writer.start()
    copy = scratch() / "copy.db"
    one.run("backup", copy)
    stop.set()
    writer.join()
    expect(written, "the writer wrote")
    expect_equal(copy.stat().st_mode & 0o777, 0o600, "for the owner only")
    saved = content(copy)
    ids = {row[0] for row in saved["video_assets"]}
    expect_equal({i[1:] for i in ids if i[0] == "a"}, {i[1:] for i in ids if i[0] == "b"}
                 | {i[1:] for i in ids if i[0] == "a" and "-" in i}, "pairs")
    other = Instance(now=NOW)
    other.run("restore", copy)
    expect_equal(content(other.database) == saved, True, "the restored rows")
    other.run("verify")
    expect_equal(content(other.database, ["users", "api_tokens"]),
                 content(one.database, ["users", "api_tokens"]), "users and tokens")
    expect_equal(other.database.stat().st_mode & 0o077, 0, "for the owner only")


@test("a running instance answers from the restored database, and the former one is kept")
def _():
    one = Instance().with_admin()
    one.sql((HERE / "dataset-a.sql").read_text())
    copy = scratch() / "copy.db"
    one.run("backup", copy)
    one.sql("DELETE FROM publish_logs")
    one.start()
    path = "/dashboard/stats/overview"
    expect_equal(one.request(path).json["success_logs"], 0, "before")
    pid = one.workers("dashboard-overview")
    one.run("restore", copy)
    expect_equal(one.request(f"{path}?after=1").json["success_logs"], 3, "after")
    expect_equal(one.workers("dashboard-overview"), pid, "by the same workers")
    kept = content(one.home / "pilothouse.db.before-restore", ["publish_logs"])
    expect_equal(kept["publish_logs"], [], "the former database")


@test("restore refuses what is no sound database of this version, and loses nothing")
def _():
    one = Instance(now=NOW)
    one.sql((HERE / "dataset-a.sql").read_text())
    before, said = content(one.database), answers(one)
    place = scratch()
    good = place / "good"
    one.run("backup", good)
    whole = good.read_bytes()
    candidates = {"text": b"not a database\n" * 500, "empty": b"", "cut": whole[:len(whole) // 2 + 7],
                  "damaged": whole[:8192] + os.urandom(8192) + whole[16384:]}
    for name, data in candidates.items():
        (place / name).write_bytes(data)
    foreign = sqlite3.connect(place / "foreign")
    foreign.executescript("CREATE TABLE t(x); PRAGMA user_version = 0")
    foreign.close()
    for name, version in (("old", 0), ("newer", 99)):
        (place / name).write_bytes(whole)
        db = sqlite3.connect(place / name)
        db.execute(f"PRAGMA user_version = {version}")
        db.close()
    for name in (*candidates, "foreign", "old", "newer", "absent"):
        done = one.run("restore", place / name, status=1)
        expect(done.stderr != "", name)
        expect_equal(content(one.database) == before, True, f"rows after {name}")
        expect(not (one.home / "pilothouse.db.restoring").exists(), f"{name}: nothing is left over")
    expect_equal(answers(one), said, "answers")
    one.run("verify")


@test("migrate brings a file without a version to this one, with the same answers")
def _():
    fresh, old = Instance(now=NOW), Instance(now=NOW)
    rows = (HERE / "dataset-a.sql").read_text()
    fresh.sql(rows)
    for path in old.home.glob("pilothouse.db*"):
        path.unlink()
    db = sqlite3.connect(old.database)
    db.executescript((HERE / "schema-v0.sql").read_text() + rows)
    db.close()
    body = fields(old.get(QUEUE, status=5))
    expect_equal(body["code"], "database_schema_old", "before")
    expect("migrate" in body["detail"], body)
    old.run("migrate")
    expect_equal(answers(old), answers(fresh), "answers")
    expect_equal(content(old.database) == content(fresh.database), True, "rows and counters")
    old.run("verify")
    expect("nothing to do" in old.run("migrate").stdout, "again")
    db = sqlite3.connect(old.database)
    names = lambda d: set(d.execute("SELECT type, name FROM sqlite_schema"))
    other = sqlite3.connect(fresh.database)
    expect_equal(names(db), names(other), "the same schema")
    expect_equal(db.execute("PRAGMA foreign_key_check").fetchall(), [], "foreign keys")
    expect_equal(db.execute("PRAGMA journal_mode").fetchone(), ("wal",), "journal mode")
    db.close()
    other.close()
    old.sql("DELETE FROM publish_logs WHERE id = 'p3'")
    old.run("verify")


@test("migrate keeps the traps of dataset B as they are")
def _():
    fresh, old = Instance(now=NOW), Instance(now=NOW)
    rows = (HERE / "dataset-b.sql").read_text()
    fresh.sql(rows)
    for path in old.home.glob("pilothouse.db*"):
        path.unlink()
    db = sqlite3.connect(old.database)
    db.executescript((HERE / "schema-v0.sql").read_text() + rows)
    db.close()
    old.run("migrate")
    expect_equal(answers(old), answers(fresh), "answers")
    old.run("verify")


@test("migrate brings a file of version 2, before podcasts, to this one")
def _():
    one = Instance(now=NOW)
    one.sql((HERE / "dataset-a.sql").read_text())
    one.add_user("ann", "viewer")
    said, before = answers(one), content(one.database)
    users = content(one.database, ["users"])
    db = sqlite3.connect(one.database)
    made = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'users'").fetchone()[0]
    columns = "id, name, role, password, created_at, disabled_at"
    db.executescript("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; ALTER TABLE users RENAME TO u;"
                     + re.sub(r"\n  tier .*", "", made) + f"; INSERT INTO users SELECT {columns} FROM u; DROP TABLE u;")
    for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND (name LIKE 'op3%'"
                              " OR name IN ('tiers', 'podcasts', 'episodes'))").fetchall():
        db.execute(f"DROP TABLE {name}")
    db.execute("PRAGMA user_version = 2")
    db.commit()
    db.close()
    expect_equal(fields(one.get(QUEUE, status=5))["code"], "database_schema_old", "before")
    expect_equal(one.run("migrate").stdout, "version 2 -> 3\n", "migrate")
    expect_equal(content(one.database) == before, True, "rows and counters")
    expect_equal(content(one.database, ["users"]), users, "users, of the tier that they have without one")
    expect_equal(answers(one), said, "answers")
    one.run("verify")


@test("migrate of something else changes nothing")
def _():
    one = Instance(now=NOW)
    for path in one.home.glob("pilothouse.db*"):
        path.unlink()
    db = sqlite3.connect(one.database)
    db.executescript("CREATE TABLE video_assets(x); INSERT INTO video_assets VALUES (1)")
    db.close()
    expect_says(one.run("migrate", status=1), "pilothouse")
    expect_equal(content(one.database, ["video_assets"]), {"video_assets": [(1,)]}, "rows")


@test("a database of a newer release is refused by every command but backup")
def _():
    one = Instance(now=NOW)
    one.sql("PRAGMA user_version = 99")
    for command in (["migrate"], ["verify"], ["user", "list"], ["demo", "--rows", "1"], ["start"]):
        expect_says(one.run(*command, status=1), "99")
    expect_equal(fields(one.get(QUEUE, status=5))["code"], "database_schema_new", "get")
    copy = scratch() / "copy"
    one.run("backup", copy)
    expect_equal(content(copy) == content(one.database), True, "the backup")


# -- doctor -----------------------------------------------------------------------------------


@test("doctor says ok of a good instance, and names what is wrong with a bad one")
def _():
    one = Instance().with_admin()
    one.start()
    good = one.run("doctor")
    expect(good.stdout and all(line.startswith("ok ") for line in good.stdout.splitlines()), good.stdout)

    def expect_bad(*words):
        bad = [line for line in one.run("doctor", status=1).stdout.splitlines() if line.startswith("BAD")]
        for word in words:
            expect(any(word in line for line in bad), f"{word!r} in {bad}")

    one.home.chmod(0o755)
    expect_bad("chmod 700")
    one.home.chmod(0o700)
    one.database.rename(one.home / "away")
    expect_bad("missing")
    (one.home / "away").rename(one.database)
    one.stop()
    expect_bad("pilothouse start")
    (one.home / "analytics.db").unlink()
    expect_bad("pilothouse init")
    one.configure(DB_HOST="127.0.0.1")
    one.start()
    expect_bad("jobs run readmodel")
    one.stop()
    one.run("token", "revoke", one.token.split("_")[1])
    expect_bad("token create")


@test("without a home every command but init says so")
def _():
    place = scratch() / "none"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PH_")}
    for command in (["start"], ["verify"], ["user", "list"], ["migrate"]):
        done = subprocess.run([PILOTHOUSE, "--home", place, *command], env=env, capture_output=True,
                              encoding="utf-8")
        expect_equal(done.returncode, 1, command)
        expect(str(place) in done.stderr or "missing" in done.stderr, done.stderr)
        expect(not place.exists(), f"{command} made nothing")


run()
