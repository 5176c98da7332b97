"""The figures.  Each takes a Setting and gives rows of the table."""
import base64
import concurrent.futures
import contextlib
import hmac
import http.client
import itertools
import json
import os
import random
import re
import signal
import sqlite3
import statistics
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import live
import load
import podcast
import poker
import product
import rivals
from instance import ROUTES, Instance, empty_location, empty_upstream, start_empty
from processes import Children, Missing, descendants, free_port, output_of, pss_kib

# nginx has two workers, each keeping one connection to the empty program, which has four:
# of the arrangements that do not starve plain libfcgi the fastest one.
EMPTY_KEEPALIVE = 1
EMPTY_WORKERS = 4
WORKERS = 2             # of a route, and processes of a rival
BUSY = 16               # connections that keep everything busy
MODERATE = 4
MANY = 256
CGI_RUNS = 200
CRASHES = 5
FIRST_BYTES = 9         # exports that are begun and left
INGEST = "/dashboard/ingest/publications"
PLATFORMS = ("instagram", "tiktok", "youtube", "facebook")
BATCH_ROWS = 1000
BATCHES = 40
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
WRITERS = 3
CROWD_BESIDE = 50     # clients while another route crashes
FILTERED_MS = 100       # at most, in the median
HISTORY_DAYS = 400
HISTORY_MS = 20         # at most, in the median
KIB_PER_MB = 1e6 / 1024
LISTENERS = 500         # event streams
POLLERS = 50            # clients that ask instead
LIVE_S = 12
POLARS_TIMES = 2        # answers from many rows


@dataclass
class Setting:
    build: Path
    source: Path
    bench_dir: Path
    seconds: int        # of one round
    rounds: int
    rows: dict          # "small", "middle", "large": publish logs
    copies: int         # of the rows of product analytics, for more of them

    def instance(self, size):
        return Instance(self.build, self.source, self.bench_dir, self.rows[size])

    def compiled(self, name, library):
        program = self.bench_dir / name
        output_of([os.environ.get("CC", "cc"), "-O2", "-o", program,
                   self.source / "bench" / f"{name}.c", f"-l{library}"])
        return program


@dataclass
class Row:
    figure: str
    measured: str
    target: str = ""
    met: Optional[bool] = None


@contextlib.contextmanager
def ended():
    """Children that end with the figure they were started for."""
    children = Children()
    try:
        yield children
    finally:
        children.end_all()


def ratio_rows(title, setting, instance, base, paths, target):
    """One row per path: its requests/s over those of base, measured next to each other."""
    rows = []
    for name, path in paths.items():
        loads = load.rounds({"base": instance.url(base), name: instance.url(path)}, instance.token,
                            BUSY, setting.seconds, setting.rounds)
        instance.forget_logs()
        value, low, high = load.ratio(loads, name, "base")
        rows.append(Row(f"{title}: {name}", f"{value:.2f} ({low:.2f} to {high:.2f}; "
                        f"{load.median(loads, name):.0f}/s over {load.median(loads, 'base'):.0f}/s)",
                        f">= {target:.2f}", value >= target))
    return rows


def uncached(setting):
    program = setting.compiled("empty", "fcgi")
    instance = setting.instance("middle")
    with ended() as children:
        instance.start(children, EMPTY_WORKERS, empty_upstream(instance.home, EMPTY_KEEPALIVE),
                       {"/empty": empty_location})
        start_empty(children, instance, program, EMPTY_WORKERS)
        return ratio_rows("1 uncached over an empty FastCGI program", setting, instance, "/empty",
                          {name: f"/nocache{path}" for name, path in ROUTES.items()}, 0.85)


def cached(setting):
    instance = setting.instance("middle")
    with ended() as children:
        instance.start(children, WORKERS)
        return ratio_rows("2 micro-cache over nginx `return 200`", setting, instance, "/return200",
                          ROUTES, 0.5)


def growth(setting):
    large, small = setting.instance("large"), setting.instance("small")
    rows = []
    with ended() as children:
        large.start(children, WORKERS)
        small.start(children, WORKERS)
        for name, path in ROUTES.items():
            loads = load.rounds({"large": large.url(f"/nocache{path}"), "small": small.url(f"/nocache{path}")},
                                {"large": large.token, "small": small.token}, MODERATE, setting.seconds,
                                setting.rounds)
            value, low, high = load.ratio(loads, "large", "small", "p50_ms")
            rows.append(Row(f"3 median latency at {large.rows:,} over {small.rows:,} logs: {name}",
                            f"{value:.2f} ({low:.2f} to {high:.2f}; {load.median(loads, 'large', 'p50_ms'):.3f} ms "
                            f"over {load.median(loads, 'small', 'p50_ms'):.3f} ms)", "<= 1.30", value <= 1.3))
    return rows


def fetch(instance, path):
    request = urllib.request.Request(instance.url(path), headers={"Authorization": f"Bearer {instance.token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def must_agree(instance, path, other):
    """Both tell the same; the age of the oldest passes with time."""
    ours, theirs = fetch(instance, path), fetch(instance, other)
    ours.pop("oldest_pending_age_seconds", None)
    theirs.pop("oldest_pending_age_seconds", None)
    if ours != theirs:
        raise Missing(f"{other} answers {theirs}, {path} answers {ours}")


def workers_mb(instance, program):
    return [pss_kib(pid) / KIB_PER_MB for pid in instance.workers(program)]


# (our side, kind of their statements) and what is asked of the ratio.
# What a user of FastAPI would write reads the base tables, and so the targets are about that; on our
# counters a rival is shown, too.  Fastify is held to the harder comparison.
TARGETS = {
    "FastAPI": {("uncached", "direct"): 10, ("cached", "direct"): 50},
    "Fastify": {("uncached", "counters"): 1},
}
FASTIFY_MEMORY = 1 / 20


def against(setting, name):
    """Ours and one rival, on the same file behind the same nginx."""
    instance = setting.instance("middle")
    rows = []
    with ended() as children:
        log = instance.home / "log" / "bench.log"
        database = instance.home / "pilothouse.db"
        port, rival = rivals.STARTS[name](children, database, WORKERS, log, setting.bench_dir)
        instance.start(children, WORKERS, rivals.upstream(name, port), rivals.locations(name))
        for figure in rivals.FIGURES:
            paths = {"uncached": f"/nocache{ROUTES[figure]}", "cached": ROUTES[figure]}
            for kind in rivals.KINDS:
                paths[kind] = rivals.path_of(name, kind, figure)
                must_agree(instance, paths["uncached"], paths[kind])
            loads = load.rounds({key: instance.url(path) for key, path in paths.items()}, instance.token,
                                BUSY, setting.seconds, setting.rounds)
            instance.forget_logs()
            for side in ("uncached", "cached"):
                for kind, meaning in (("counters", "on our counters"), ("direct", "on the base tables")):
                    value, low, high = load.ratio(loads, side, kind)
                    target = TARGETS[name].get((side, kind))
                    rows.append(Row(f"4 {side} over {name} {meaning}: {figure}",
                                    f"{value:.1f} ({low:.1f} to {high:.1f}; {load.median(loads, side):.0f}/s "
                                    f"over {load.median(loads, kind):.0f}/s)",
                                    f">= {target}" if target else "", value >= target if target else None))
        theirs = sum(pss_kib(pid) for pid in descendants(rival.pid)) / KIB_PER_MB
        ours = workers_mb(instance, "dashboard-queue")
        share = max(ours) / theirs
        is_asked = name == "Fastify"
        rows.append(Row(f"4 memory of a queue worker over all of {name}",
                        f"1/{1 / share:.0f} ({max(ours):.2f} MB over {theirs:.1f} MB; all {len(ours)} workers "
                        f"of the route: {sum(ours):.2f} MB, 1/{theirs / sum(ours):.0f})",
                        "<= 1/20" if is_asked else "", share <= FASTIFY_MEMORY if is_asked else None))
    return rows


def rival_figures(setting):
    rows = []
    for name in rivals.STARTS:
        try:
            rows += against(setting, name)
        except Missing as e:
            rows.append(Row(f"4 {name}", f"not measured: {e}"))
    return rows


def run_ms(program, environment):
    """From exec to exit, in milliseconds."""
    null = os.open(os.devnull, os.O_RDWR)
    try:
        begin = time.perf_counter()
        pid = os.posix_spawn(program, [program], environment,
                             file_actions=[(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)])
        status = os.waitpid(pid, 0)[1]
        took = time.perf_counter() - begin
    finally:
        os.close(null)
    if status != 0:
        raise Missing(f"{program} as CGI ends with status {status}")
    return took * 1000


def cgi_ms(setting, instance):
    program = str(setting.build / "libexec" / "dashboard-queue")
    environment = {"PH_HOME": str(instance.home), "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET",
                   "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1",
                   "HTTP_AUTHORIZATION": f"Bearer {instance.token}", "PH_REQUEST_LOG": "0"}
    answer = subprocess.run([program], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if not answer.stdout.startswith("Status: 200"):
        raise Missing(f"{program} as CGI answers {answer.stdout[:200]} {answer.stderr[:200]}")
    return statistics.median(run_ms(program, environment) for _ in range(CGI_RUNS))


def largest_stripped(setting):
    """(kB, name) of the largest endpoint without its symbols."""
    stripped = setting.bench_dir / "stripped"
    sizes = []
    for program in (setting.build / "libexec").iterdir():
        if program.is_symlink() and not program.name.startswith("job-"):
            output_of(["strip", "-o", stripped, program.resolve()])
            sizes.append((stripped.stat().st_size / 1000, program.name))
    stripped.unlink()
    return max(sizes)


def insert_us(setting, instance):
    copy = setting.bench_dir / "insert.db"
    copy.unlink(missing_ok=True)
    try:
        instance.pilothouse("backup", str(copy))
        output_of(["sqlite3", copy, "PRAGMA journal_mode=WAL"])
        return float(output_of([setting.compiled("insert", "sqlite3"), copy]))
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)


def thrift(setting):
    instance = setting.instance("middle")
    rows = []
    with ended() as children:
        instance.start(children, WORKERS)
        for path in ROUTES.values():
            load.wrk(instance.url(f"/nocache{path}"), instance.token, BUSY, setting.seconds)
        instance.forget_logs()
        for name in ("auth-check", *(f"dashboard-{name}" for name in ROUTES)):
            value = max(workers_mb(instance, name))
            rows.append(Row(f"5 memory (PSS) of a worker after load: {name}", f"{value:.2f} MB", "<= 1.0 MB",
                            value <= 1))
        value = cgi_ms(setting, instance)
        rows.append(Row("5 queue as plain CGI, exec to exit", f"{value:.2f} ms", "<= 5 ms", value <= 5))
    value, name = largest_stripped(setting)
    rows.append(Row("5 largest endpoint program, stripped", f"{value:.0f} kB ({name})", "<= 200 kB", value <= 200))
    value = insert_us(setting, instance)
    rows.append(Row(f"5 insert of a log into {instance.rows:,}, triggers included", f"{value:.0f} us", "<= 100 us",
                    value <= 100))
    return rows


def crowd(setting):
    instance = setting.instance("middle")
    rows = []
    with ended() as children:
        instance.start(children, WORKERS)
        for kind, prefix in (("uncached", "/nocache"), ("micro-cache", "")):
            loads = {name: load.wrk(instance.url(prefix + path), instance.token, MANY, setting.seconds)
                     for name, path in ROUTES.items()}
            instance.forget_logs()
            slowest = max(loads, key=lambda name: loads[name].p99_ms)
            failures = sum(one.failures for one in loads.values())
            requests = sum(one.requests for one in loads.values())
            rows.append(Row(f"6 {MANY} clients, {kind}", f"{failures} failures in {requests} requests, highest "
                            f"p99 {loads[slowest].p99_ms:.0f} ms ({slowest})", "0 failures", failures == 0))
    return rows


def seconds_until_back(instance, url):
    """From the death of all workers of the queue route to its next answer."""
    for pid in instance.workers("dashboard-queue"):
        os.kill(pid, signal.SIGSEGV)
    begin = time.monotonic()
    while True:
        with contextlib.suppress(urllib.error.HTTPError):
            fetch(instance, url)
            return time.monotonic() - begin


def recovery(setting):
    instance = setting.instance("middle")
    with ended() as children, concurrent.futures.ThreadPoolExecutor() as pool:
        instance.start(children, WORKERS)
        others = pool.submit(load.wrk, instance.url(f"/nocache{ROUTES['overview']}"), instance.token, CROWD_BESIDE,
                             CRASHES + setting.seconds)
        times = []
        for _ in range(CRASHES):
            times.append(seconds_until_back(instance, f"/nocache{ROUTES['queue']}"))
            time.sleep(1)
        beside = others.result()
        instance.forget_logs()
    return [Row("7 a route answers again after SIGSEGV to all its workers",
                f"{statistics.median(times):.3f} s (highest of {CRASHES}: {max(times):.3f} s)", "<= 1 s", max(times) <= 1),
            Row(f"7 {CROWD_BESIDE} clients of another route meanwhile",
                f"{beside.failures} failures in {beside.requests} requests", "0 failures", beside.failures == 0)]


def filtered(setting):
    instance = setting.instance("middle")
    first = output_of(["sqlite3", instance.home / "pilothouse.db", "SELECT min(requested_at) FROM publish_logs"]).strip()
    filters = {"of the last 30 days": "from=-30d", "of TikTok": "platform=tiktok",
               "of TikTok in the last 30 days": "from=-30d&platform=tiktok", "from the first log on": f"from={first}",
               "of the last 180 days": "from=-180d"}
    rows = []
    with ended() as children:
        instance.start(children, WORKERS)
        for title, query in filters.items():
            p50 = {}
            for name, path in ROUTES.items():
                url = instance.url(f"/nocache{path}?include=extended&{query}")
                load.wrk(url, instance.token, 1, load.WARM_S)
                p50[name] = load.wrk(url, instance.token, 1, setting.seconds).p50_ms
            slowest = max(p50.values())
            rows.append(Row(f"8 extended answers over {instance.rows:,} logs, {title}: p50 of one client",
                            ", ".join(f"{name} {ms:.1f}" for name, ms in p50.items()) + " ms",
                            f"<= {FILTERED_MS} ms", slowest <= FILTERED_MS))
    return rows


# A sample of every gauge each hour, as job-sampler leaves them after more than a year.
SAMPLES = """
BEGIN IMMEDIATE;
WITH RECURSIVE hours(at) AS (SELECT {last} UNION ALL SELECT at - 3600000 FROM hours WHERE at > {first})
INSERT INTO stat_samples SELECT value, 3600000, at, abs(random()) % 1000
  FROM json_each('{names}') CROSS JOIN hours WHERE true ON CONFLICT DO NOTHING;
COMMIT;
"""
EVENTS = ("requested", "published", "failed", "retried", "jobs_completed", "clips_created")
HISTORIES = {"a gauge": "queue.pending", "a gauge, mean": "queue.pending&agg=avg", "an event": "events.published",
             "an event of one platform": "events.published&platform=tiktok",
             "ten metrics": ",".join([*(f"events.{e}" for e in EVENTS), "queue.pending", "queue.processing",
                                      "queue.avg_processing_time_ms", "orchestrator.saturation_rate"])}


def history_location(body):
    return re.sub(r"fastcgi_pass ph_\S+;", "fastcgi_pass ph_dashboard-history;", body)


def history(setting):
    instance = setting.instance("middle")
    metrics = json.loads(instance.pilothouse("get", "/dashboard/metrics"))["metrics"]
    names = [m["name"] for m in metrics if m["kind"] == "gauge"]
    last = int(time.time()) // 3600 * 3_600_000
    subprocess.run(["sqlite3", instance.home / "pilothouse.db"], check=True, text=True, input=SAMPLES.format(
        last=last, first=last - HISTORY_DAYS * 86_400_000, names=json.dumps(names)))
    rows = []
    with ended() as children:
        instance.start(children, WORKERS, more_locations={"/nocache/history": history_location})
        for step in ("1d", "6h", "1h"):
            for what, metric in HISTORIES.items():
                url = instance.url(f"/nocache/history?metric={metric}&step={step}&from=-{HISTORY_DAYS}d")
                loads = load.rounds({what: url}, instance.token, 1, setting.seconds, setting.rounds)
                value = load.median(loads, what, "p50_ms")
                is_asked = what != "ten metrics"
                rows.append(Row(f"11 a year of history in steps of {step}, {instance.rows:,} logs: {what}",
                                f"{value:.2f} ms", f"<= {HISTORY_MS} ms" if is_asked else "",
                                value <= HISTORY_MS if is_asked else None))
        instance.forget_logs()
    return rows


def far_cursor(instance, path):
    """The cursor of a page near the far end: that of the first page, with another place, sealed anew."""
    def encoded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    place = json.loads(base64.urlsafe_b64decode(fetch(instance, path)["next_cursor"].split(".")[0] + "==="))
    with contextlib.closing(sqlite3.connect(instance.home / "pilothouse.db")) as db:
        place["v"], place["i"] = db.execute("SELECT CAST(requested_at AS TEXT), id FROM publish_logs ORDER BY requested_at, id"
                                            " LIMIT 1 OFFSET 1000").fetchone()
    text = json.dumps(place).encode()
    secret = (instance.home / "secret").read_bytes()
    return f"{encoded(text)}.{encoded(hmac.digest(secret, b'cursor' + bytes(1) + text, 'sha256'))}"


def keyset(setting):
    instance = setting.instance("large")
    rows = []
    with ended() as children:
        instance.start(children, WORKERS)
        for name, path in (("all", "/dashboard/publications?limit=50"),
                           ("one status", "/dashboard/publications?limit=50&status=success"),
                           ("two platforms", "/dashboard/publications?limit=50&platform=tiktok,instagram")):
            far = f"{path}&cursor={far_cursor(instance, path)}"
            if len(fetch(instance, far)["items"]) != 50:
                raise Missing(f"{far} is no whole page")
            loads = load.rounds({"far": instance.url(far), "first": instance.url(path)}, instance.token, MODERATE,
                                setting.seconds, setting.rounds)
            instance.forget_logs()
            value, low, high = load.ratio(loads, "far", "first", "p50_ms")
            rows.append(Row(f"9 keyset page at the far end of {instance.rows:,} logs over the first page: {name}",
                            f"{value:.2f} ({low:.2f} to {high:.2f}; {load.median(loads, 'far', 'p50_ms'):.3f} ms over "
                            f"{load.median(loads, 'first', 'p50_ms'):.3f} ms)", "<= 2.00", value <= 2))
    return rows


def stream(instance, path, want_all=True):
    """(seconds to the first byte, lines, seconds) of an answer that is read as it comes."""
    request = urllib.request.Request(instance.url(path), headers={"Authorization": f"Bearer {instance.token}"})
    begin = time.perf_counter()
    lines, first = 0, None
    with urllib.request.urlopen(request, timeout=600) as answer:
        while (part := answer.read1(1 << 20)) and (want_all or first is None):
            first = first or time.perf_counter() - begin
            lines += part.count(b"\n")
    return first, lines, time.perf_counter() - begin


def export(setting):
    instance = setting.instance("middle")
    path = "/dashboard/export/publications.csv"
    with ended() as children:
        instance.start(children, 1)
        worker = instance.workers("dashboard-export")[0]
        _, lines, took = stream(instance, path)
        if lines != instance.rows + 1:
            raise Missing(f"the export has {lines} lines")
        peak = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{worker}/status").read_text())[1]) / KIB_PER_MB
        first = statistics.median(stream(instance, path, want_all=False)[0] for _ in range(FIRST_BYTES))
    title = f"9 CSV of {instance.rows:,} rows"
    return [Row(f"{title}: memory", f"{peak:.1f} MB at its highest, {took:.1f} s", "<= 8 MB", peak <= 8),
            Row(f"{title}: first byte", f"{first * 1000:.1f} ms", "<= 50 ms", first <= 0.05)]


def lists(setting):
    return keyset(setting) + export(setting)


def publications(rng, clips, n, begin, span_ms):
    """n publications requested in span_ms from begin, four platforms per clip, in a body."""
    now = int(time.time() * 1000)
    rows = []
    for i in range(n):
        status = rng.choice(("success", "success", "pending", "failed", "scheduled"))
        at = begin + rng.randrange(span_ms)
        row = {"clip_id": clips[i // 4 % len(clips)], "platform": PLATFORMS[i % 4], "status": status,
               "requested_at": at, "created_at": at}
        if status == "success":
            row |= {"published_at": at + rng.randrange(4000), "external_post_id": str(rng.getrandbits(60)),
                    "external_url": f"https://example.org/p/{rng.getrandbits(60)}"}
        if status == "failed":
            row |= {"failed_at": at + rng.randrange(4000), "error_message": "refused by the platform"}
        if status == "scheduled":
            row |= {"schedule_type": "scheduled", "scheduled_for": now + rng.randrange(3_600_000)}
        rows.append(row)
    return json.dumps(rows).encode()


def batches_per_s(instance, bodies):
    """Rows per second of one client on one connection: the median of the batches."""
    connection = http.client.HTTPConnection("127.0.0.1", instance.port)
    headers = {"Authorization": f"Bearer {instance.token}", "Content-Type": "application/json"}
    rates = []
    for body in bodies:
        begin = time.perf_counter()
        connection.request("POST", INGEST, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        rates.append(BATCH_ROWS / (time.perf_counter() - begin))
        if answer.status != 200:
            raise Missing(f"{INGEST} answers {answer.status} {text[:200]}")
    connection.close()
    return statistics.median(rates), min(rates), max(rates)


def writing(setting):
    instance = setting.instance("middle")
    rng = random.Random(1)
    with contextlib.closing(sqlite3.connect(instance.home / "pilothouse.db")) as db:
        newest = [r[0] for r in db.execute("SELECT id FROM clips ORDER BY rowid DESC LIMIT 10000")]
        anywhere = [r[0] for r in db.execute("SELECT id FROM clips ORDER BY random() LIMIT 10000")]
    rows = []
    with ended() as children:
        children.at_end(instance.forget_data)
        instance.start(children, WRITERS)
        n = BATCH_ROWS // 4
        begin = int(time.time() * 1000) - HOUR_MS
        for what, clips, minutes, target in (("as it happens, a minute a batch", newest, 1, 20_000),
                                             ("in no order, of one hour", newest, 60, None),
                                             ("in no order, clips of a whole year", anywhere, 60, None)):
            span_ms = minutes * MINUTE_MS
            bodies = [publications(rng, clips[i * n % 10_000:][:n], BATCH_ROWS,
                                   begin + i * span_ms % HOUR_MS, span_ms) for i in range(BATCHES)]
            value, low, high = batches_per_s(instance, bodies)
            rows.append(Row(f"10 ingest of publications into {instance.rows:,}, batches of {BATCH_ROWS:,}, one client: {what}",
                            f"{value:.0f}/s ({low:.0f} to {high:.0f})", f">= {target}/s" if target else "",
                            value >= target if target else None))
        script = setting.bench_dir / "write.lua"
        script.write_text('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                          f"wrk.body = '{json.dumps({'clip_id': newest[0], 'platform': 'tiktok'})}'\n")
        one = load.wrk(instance.url(INGEST), instance.token, WRITERS, max(setting.seconds, 3) * 3, script)
        script.unlink()
        if one.failures:
            raise Missing(f"{one.failures} of {one.requests} writes failed")
        rows.append(Row(f"10 single durable writes, {WRITERS} writers", f"{one.per_s:.0f}/s", ">= 2000/s",
                        one.per_s >= 2000))
        rows.append(Row(f"10 single durable writes, {WRITERS} writers: p99", f"{one.p99_ms:.1f} ms", "<= 50 ms",
                        one.p99_ms <= 50))
    return rows


def one_change_a_second(database, is_ending):
    """A publish log begins and ends to be processed: overview, queue and more change."""
    db = sqlite3.connect(database, isolation_level=None, timeout=10)
    (row,) = db.execute("SELECT id FROM publish_logs WHERE status = 'pending' LIMIT 1").fetchone()
    for status in itertools.cycle(("processing", "pending")):
        if is_ending.wait(1):
            db.close()
            return
        db.execute("UPDATE publish_logs SET status = ? WHERE id = ?", (status, row))


def used_since(begin, instance):
    now = live.cpu_s(instance.home)
    return {group: now[group] - begin[group] for group in now}


def live_figure(instance, interval_ms):
    """Streams of all five statistics against clients that ask for the same once a second."""
    instance.env["PH_LIVE_INTERVAL_MS"] = str(interval_ms)
    with ended() as children:
        children.at_end(lambda: instance.pilothouse("stop"))
        port = free_port()
        instance.pilothouse("start", port=port)
        is_ending = threading.Event()
        changer = threading.Thread(target=one_change_a_second, args=(instance.home / "pilothouse.db", is_ending))
        changer.start()
        try:
            # The polling clients first: while nobody listens the publisher hardly works.
            begin = live.cpu_s(instance.home)
            requests = live.poll(port, instance.token, ROUTES.values(), POLLERS, LIVE_S)
            used = used_since(begin, instance)
            polling = sum(used.values()) - used["job-publisher"]
            readers = live.Readers(port, instance.token, LISTENERS, ",".join(ROUTES))
            readers.start()
            readers.wait_for_first(len(ROUTES))
            begin, before = live.cpu_s(instance.home), list(readers.events)
            time.sleep(LIVE_S)
            streaming = sum(used_since(begin, instance).values())
            events = [now - then for now, then in zip(readers.events, before)]
            readers.end()
        finally:
            is_ending.set()
            changer.join()
    return streaming, polling, (f"{streaming / polling:.2f} ({streaming:.2f} s over {polling:.2f} s in {LIVE_S} s; "
                                f"{min(events)} to {max(events)} events a stream, {requests} requests)")


def streams(setting):
    instance = setting.instance("small")
    instance.env |= {"PH_JOBS": "publisher", "PH_LIVE_STREAMS": str(2 * LISTENERS),
                     "PH_LIVE_STREAMS_TOKEN": str(2 * LISTENERS)}
    title = (f"12 CPU of {LISTENERS} event streams over that of {POLLERS} clients that ask once a second, "
             "one change a second")
    shipped, polling, measured = live_figure(instance, 3000)
    rows = [Row(f"{title}: as shipped, a look every 3 s", measured, "< 1.00", shipped < polling)]
    *_, measured = live_figure(instance, 1000)
    return rows + [Row(f"{title}: a look every second", measured, "", None)]


def podcasts(setting):
    """Answers from the store over an empty program, answers while OP3 hangs, and three years of days over three months."""
    program = setting.compiled("empty", "fcgi")
    instance = setting.instance("small")
    instance.forget_data()
    fake = podcast.fake_op3(setting.source)
    instance.env |= {"PH_JOBS": "none", "OP3_BASE_URL": f"{fake.url}/api/1", "OP3_TOKEN": "bench",
                     "PH_ALLOW_LOOPBACK_HTTP": "1"}
    with contextlib.closing(podcast.connect(instance)) as db:
        rows = podcast.add_show(db, podcast.LONG, podcast.YEARS_DAYS, podcast.EPISODES)
        podcast.add_show(db, podcast.SHORT, podcast.YEARS_DAYS // 12, podcast.EPISODES // 12)
        podcast.add_unknown(db, podcast.ALONE + 3 * podcast.WAITING)
        db.execute("UPDATE op3_shows SET fresh_until = 9e15 WHERE podcast_id = 'harbour-lights'")
        db.commit()
    paths = {"stats": "/api/dashboard/stats?podcast_id={}"}
    paths |= {name: f"/api/analytics/podcast/{{}}/{name}" for name in (
        "downloads?days=365", "countries?days=365", "daily?from=2020-01-01&bucket=month", "episodes-summary?limit=200",
        "episode-curves?days=365&limit=20", "compare?window=30d")}
    with ended() as children:
        instance.start(children, WORKERS, empty_upstream(instance.home, EMPTY_KEEPALIVE), {"/empty": empty_location})
        start_empty(children, instance, program, EMPTY_WORKERS)
        out = ratio_rows("13 /api/dashboard/stats from the store over an empty FastCGI program", setting, instance, "/empty",
                         {"a podcast": "/api/dashboard/stats?podcast_id=harbour-lights"}, 0.7)
        for name, path in paths.items():
            long, short = (podcast.median_ms(instance, path.format(ident)) for ident in (podcast.LONG, podcast.SHORT))
            out.append(Row(f"13 {name} of {podcast.EPISODES} episodes and {rows:,} rows of three years",
                           f"{long:.1f} ms ({long / short:.1f} of what a twelfth of it takes)", "< 20 ms", long < 20))
        first, again, opened = podcast.while_it_hangs(instance, fake)
    return out + [Row("13 OP3 hangs: the first answer", f"{first:.2f} s", "<= 3 s", first <= 3),
                  Row("13 OP3 hangs: the same again", f"{again * 1000:.1f} ms", "", None),
                  Row(f"13 OP3 hangs and the breaker is open: the slowest of {podcast.ALONE} first answers",
                      f"{opened * 1000:.1f} ms", "<= 20 ms", opened <= 0.02)]


def synced(setting, peak, app, instance, rounds):
    """Rows of the table about the job, the answer to GET / before there were increments, and its day.
    app: that makes Parquet files; None: nobody."""
    size, rng = instance.size(), random.Random(instance.rows)
    full, more = [], []     # (seconds, MB) of each run
    with poker.Source(instance) as source:
        for _ in range(rounds):
            instance.forget_model()
            full.append(instance.run_job(peak, source))
        n = instance.count_rows(source)
        if app is not None:
            product.make_parquet(app, instance, source)
        with ended() as children, instance.connect() as connection:
            instance.start(children, WORKERS)
            day = str(poker.today())
            answer = json.loads(instance.ask(connection)[2])["data"]
        for _ in range(setting.rounds):
            new, before = source.add_increment(rng), instance.count_rows(source)
            more.append(instance.run_job(peak, source))
            if instance.count_rows(source) != before + new:
                raise Missing(f"an increment of {new} rows brought {instance.count_rows(source) - before}")
        verify = instance.run_job(peak, source, "--verify")
    rates = [n / seconds for seconds, _ in full]
    rate, took = statistics.median(rates), [seconds for seconds, _ in more]
    rows = [Row(f"14 first full synchronisation of {n:,} rows ({size})", f"{rate:.0f} rows/s ({min(rates):.0f} to "
                f"{max(rates):.0f}; {n / rate:.1f} s)", ">= 100000 rows/s", rate >= 100_000),
            Row(f"14 increment of {new:,} rows ({size})", f"{statistics.median(took):.2f} s ({min(took):.2f} to "
                f"{max(took):.2f})", "< 1 s", statistics.median(took) < 1)]
    for what, runs in (("the first full one", full), ("an increment", more), ("--verify", [verify])):
        mb = max(mb for _, mb in runs)
        rows.append(Row(f"14 memory of the synchronisation ({size}): {what}",
                        f"{mb:.1f} MB at its highest, {statistics.median(s for s, _ in runs):.1f} s", "<= 64 MB", mb <= 64))
    return rows, answer, day


def overviews(setting, large, small):
    """Rows of the table about GET /, and the median of made answers by instance."""
    with ended() as children:
        large.start(children, WORKERS)
        small.start(children, WORKERS)
        pairs = product.made_rounds(large, small, setting.rounds)
        sides = {"large": large, "small": small}
        loads = load.rounds({name: one.url("/") for name, one in sides.items()},
                            {name: one.token for name, one in sides.items()}, 1, setting.seconds, setting.rounds)
        kept = [(b.p50_ms, s.p50_ms) for b, s in zip(loads["large"], loads["small"])]
        sizes = {}
        for name, one in sides.items():
            with one.connect() as connection:
                sizes[name] = len(one.ask(connection)[2]) / 1e3
        memory = {one: one.worker_mb() for one in sides.values()}
    rows, made = [], {}
    for what, found in (("made anew (MISS)", pairs), ("given again (HIT)", kept)):
        big, little = (statistics.median(ms) for ms in zip(*found))
        ratios = [a / b for a, b in found]
        value = statistics.median(ratios)
        low, high = min(s for _, s in found), max(s for _, s in found)
        rows += [Row(f"14 GET / {what}: p50 at the reference", f"{little:.2f} ms ({low:.2f} to {high:.2f}; {sizes['small']:.0f} kB)",
                     "<= 5 ms", little <= 5),
                 Row(f"14 GET / {what}: p50 at {large.rows} x the rows over the reference",
                     f"{value:.2f} ({min(ratios):.2f} to {max(ratios):.2f}; {big:.2f} ms over {little:.2f} ms; "
                     f"{sizes['large']:.0f} kB)", "<= 1.30", value <= 1.3)]
        made = made or {large: big, small: little}
    return rows, made, memory


def over_polars(peak, app, small, large, answers, made, memory, rounds):
    """Rows of the table about the same answers by Polars."""
    rows = []
    # All frames of the large one would want more memory than most machines have.
    for instance, kind, what, times in ((small, "files", "from Parquet files", rounds),
                                        (small, "memory", "from frames in memory", rounds),
                                        (large, "files", "from Parquet files", POLARS_TIMES)):
        ours, day = answers[instance]
        theirs, ms, mb = product.by_polars(peak, app, instance, day, kind, times)
        if where := product.difference(ours, theirs):
            raise Missing(f"it answers otherwise: {where}")
        value = statistics.median(ms)
        rows.append(Row(f"14 GET / made anew over Polars {what} ({instance.size()})",
                        f"1/{value / made[instance]:.0f} of the time ({made[instance]:.2f} ms over {value:.0f} ms), "
                        f"1/{mb / memory[instance]:.0f} of the memory ({memory[instance]:.1f} MB of a worker over {mb:.0f} MB)"))
    return rows


def products(setting):
    """The read model of product analytics: making and reading it, at the reference and with many times the rows."""
    peak = setting.compiled("peak", "c")
    small, large = product.Product(setting, 1), product.Product(setting, setting.copies)
    app, rows, answers = None, [], {}
    with contextlib.suppress(Missing):
        app = product.install_polars(setting.bench_dir)
    for instance, rounds in ((small, setting.rounds), (large, 1)):
        more, *answers[instance] = synced(setting, peak, app, instance, rounds)
        rows += more
    more, made, memory = overviews(setting, large, small)
    rows += more
    try:
        return rows + over_polars(peak, product.install_polars(setting.bench_dir), small, large, answers, made, memory,
                                  setting.rounds)
    except Missing as e:
        return rows + [Row("14 Polars", f"not measured: {e}")]


FIGURES = {"1": uncached, "2": cached, "3": growth, "4": rival_figures, "5": thrift, "6": crowd, "7": recovery,
           "8": filtered, "9": lists, "10": writing, "11": history, "12": streams, "13": podcasts,
           "14": products}
