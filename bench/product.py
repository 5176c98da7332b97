"""Product analytics: the read model that job-readmodel makes of the planning-poker application's database, and the same
answer by Polars from Parquet files."""
import contextlib
import http.client
import json
import shutil
import sqlite3
import statistics
import time
from datetime import datetime, timezone
from pathlib import Path

import poker
import rivals
from instance import Instance
from processes import Missing, output_of, pss_kib

ROUTE = "analytics-overview"
ASKED, ASKED_S = 60, 4      # answers of one round, and how long it may take
NULL = "-null-"             # in CSV, as no text of the data is
TOLERANCE = 0.0101          # of means of two decimals: an exact tie may go up or down
KIB_PER_MB = 1e6 / 1024


class Product(Instance):
    """An instance with a source of so many times the reference, and no demonstration's rows."""

    KIND = "product"

    def __init__(self, setting, factor):
        super().__init__(setting.build, setting.source, setting.bench_dir, factor)
        self.start_day = (self.home / "start").read_text()
        self.env |= {"PH_JOBS": "none", "FPP_START_DATE": self.start_day}

    def made_of(self):
        return [*super().made_of(), Path(poker.__file__), self.source / "t/upstream/mariadb.py", self.source / "t/e2e/product.py"]

    def fill(self):
        (self.home / "start").write_text(poker.fill(self))

    def size(self):
        return "the reference" if self.rows == 1 else f"{self.rows} x"

    # -- the read model --------------------------------------------------------------------

    def run_job(self, peak, source, *mode):
        """Seconds and the most memory in MB of one run of the job."""
        env = self.env | {"PH_HOME": str(self.home), "DB_HOST": "127.0.0.1", "DB_PORT": str(source.db.port),
                          "DB_USERNAME": poker.USER, "DB_PASSWORD": poker.PASSWORD}
        seconds, kib = output_of([peak, self.build / "libexec/job-readmodel", "--once", *mode], env=env).split()[-2:]
        return float(seconds), int(kib) / KIB_PER_MB

    def forget_model(self):
        for suffix in ("", "-wal", "-shm"):
            (self.home / f"analytics.db{suffix}").unlink(missing_ok=True)

    def model(self):
        return contextlib.closing(sqlite3.connect(self.home / "analytics.db", timeout=30, isolation_level=None))

    def count_rows(self, source):
        with self.model() as db:
            return sum(db.execute(f"SELECT count(*) FROM fpp_{table}").fetchone()[0] for table in source.tables)

    # -- GET / -----------------------------------------------------------------------------

    def connect(self):
        return contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60))

    def ask(self, connection):
        """Milliseconds, HIT or MISS, body."""
        begin = time.perf_counter()
        connection.request("GET", "/", headers={"Authorization": f"Bearer {self.token}"})
        answer = connection.getresponse()
        body = answer.read()
        ms = (time.perf_counter() - begin) * 1000
        if answer.status != 200:
            raise Missing(f"GET / answers {answer.status} {body[:200]}")
        return ms, answer.getheader("X-Cache"), body

    def made_ms(self, db, connection):
        """The median of answers that are made anew, as after a run of the job each."""
        times, end = [], time.monotonic() + ASKED_S
        while len(times) < ASKED and time.monotonic() < end:
            now = datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
            db.execute("UPDATE sync_meta SET v = ? WHERE k = 'last_success_at'", (now,))
            ms, cache, _ = self.ask(connection)
            if cache != "MISS":
                raise Missing(f"an answer that must be new is a {cache}")
            times.append(ms)
        return statistics.median(times)

    def worker_mb(self):
        return max(pss_kib(pid) for pid in self.workers(ROUTE)) / KIB_PER_MB


def made_rounds(large, small, rounds):
    """Medians of made answers of both, (large, small) of each round, every second round backwards."""
    found = []
    with large.model() as large_db, small.model() as small_db, large.connect() as to_large, small.connect() as to_small:
        sides = [(large, large_db, to_large), (small, small_db, to_small)]
        for i in range(rounds + 1):
            ms = {}
            for one, db, connection in sides[::-1 if i % 2 else 1]:
                ms[one] = one.made_ms(db, connection)
            found.append((ms[large], ms[small]))
    return found[1:]        # the first one warms


# -- Polars --------------------------------------------------------------------------------

def install_polars(bench_dir):
    return rivals.node_home(bench_dir, "polars", "require('nodejs-polars')") / "app.js"


def make_parquet(app, instance, source):
    """Of the rows that the read model has, once."""
    to = instance.home / "parquet"
    if to.exists():
        return
    rows, new = instance.home / "csv", instance.home / "parquet-new"
    try:
        for directory in (rows, new):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
        for table in source.tables:
            columns = json.loads(output_of(["node", app, "columns", table]))
            output_of(["sqlite3", "-cmd", ".mode csv", "-cmd", f".nullvalue {NULL}", "-cmd", ".headers on", "-cmd", '.separator , "\\n"',
                       "-cmd", f".once {rows / table}.csv", instance.home / "analytics.db",
                       f"SELECT {', '.join(columns)} FROM fpp_{table}"])
        output_of(["node", app, "convert", rows, new, NULL])
        new.rename(to)
    finally:
        shutil.rmtree(rows, ignore_errors=True)


def by_polars(peak, app, instance, day, kind, times):
    """The answer, milliseconds of each, the most memory in MB."""
    lines = output_of([peak, "node", app, "answer", instance.home / "parquet", instance.start_day, day, kind, times]).splitlines()
    found = json.loads(lines[-2])
    return found["data"], found["ms"], int(lines[-1].split()[1]) / KIB_PER_MB


def difference(ours, theirs, where="data"):
    """The first place where two answers differ; None: nowhere."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        pairs = [(f"{where}.{key}", ours[key], theirs[key]) for key in ours]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = [(f"{where}[{i}]", *pair) for i, pair in enumerate(zip(ours, theirs))]
    elif isinstance(ours, (int, float)) and isinstance(theirs, (int, float)):
        is_mean = isinstance(ours, float) or isinstance(theirs, float)
        return f"{where}: {ours}, {theirs}" if abs(ours - theirs) > (TOLERANCE if is_mean else 0) else None
    else:
        return None if ours == theirs else f"{where}: {str(ours)[:200]}, {str(theirs)[:200]}"
    return next((found for place, a, b in pairs if (found := difference(a, b, place))), None)
