#!/usr/bin/env -S /usr/bin/python3 -B
"""What breaks, and what clients see of it: the database, the workers, the crowd.

A worker survives whatever happens to the database, says what it is with a code of its own, and
recovers by itself.  A worker that dies is replaced, and nobody else notices.
"""
import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import threading
import time

from harness import (LIBEXEC, NOW, STATS, STEP_S, Failure, Instance, Skip, expect, expect_equal,
                     expect_problem, fcgi_receive, fcgi_send, fields, fresh, processes, run, scratch,
                     test, wait_until)

STATISTICS = [f"/dashboard/stats/{name}" for name in STATS]
QUEUE = "/dashboard/stats/queue"
HEALTH = "/dashboard/health"
ROUTES = ("auth-check", *(f"dashboard-{name}" for name in STATS), "dashboard-health", "health-alive")
SEEN_S = 3                      # an answer or a permission may be kept one second
LOCK_S = 3.0
STOP_MAX_S = 5.0
READERS = 50
CLIENTS, CLIENT_REQUESTS, CLIENT_WAIT_MAX_S = 256, 12, 30

# linux/fs.h
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_IMMUTABLE_FL = 0x80086601, 0x40086602, 0x10

instance = Instance().with_admin()
instance.run("demo", "--rows", "500")
instance.start()


def pids():
    return {route: instance.workers(route) for route in ROUTES}


def journals():
    return [instance.database.with_name(f"pilothouse.db{end}") for end in ("", "-wal", "-shm")]


def checkpoint():
    """Everything into the main file, so that what is done to it counts."""
    db = instance.connect()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


class Aside:
    """The database is away, with its journals; content stands in its place (None: nothing)."""

    def __init__(self, content=None):
        self.content = content

    def __enter__(self):
        self.moved = [p for p in journals() if p.exists()]
        for path in self.moved:
            path.rename(f"{path}.aside")
        if self.content is not None:
            instance.database.write_bytes(self.content)

    def __exit__(self, *_):
        for path in journals():
            path.unlink(missing_ok=True)
        for path in self.moved:
            path.with_name(f"{path.name}.aside").rename(path)


def expect_outage(code, retryable=True):
    """Every route that needs the database says why it cannot answer, auth-check first."""
    for path in (*STATISTICS, HEALTH):
        answer = wait_until(lambda: (a := instance.request(fresh(path))).status != 200 and a,
                            f"{path} notices", SEEN_S)
        expect_problem(answer, 503, code, retryable)
        expect(int(answer.headers["Retry-After"]) >= 1, f"Retry-After of {answer}")
        for hint in (str(instance.home), "SELECT", "sqlite"):
            expect(hint not in answer.body.decode(), f"{hint} in {answer}")
        body = fields(instance.get(path, status=5))
        expect_equal((body["status"], body["code"]), (503, code), f"get {path}")
    expect_equal(instance.request("/health").status, 200, "what needs no database goes on")


def expect_recovery():
    for path in (*STATISTICS, HEALTH):
        wait_until(lambda: instance.request(fresh(path)).status == 200, f"{path} recovers", SEEN_S)


def outage(code, fault, retryable=True):
    """During a fault the same workers answer with its code; after it they answer as before."""
    expect_recovery()
    before = pids()
    with fault:
        expect_outage(code, retryable)
    expect_recovery()
    expect_equal(pids(), before, "the same workers all along")


# -- the database ----------------------------------------------------------------------


@test("database missing: 503 database_missing, and back by itself")
def _():
    outage("database_missing", Aside())


@test("something that is no database in its place: 503 database_corrupt")
def _():
    outage("database_corrupt", Aside(b"This is not a database.\n" * 1000), retryable=False)


@test("a damaged copy in its place: 503 database_corrupt")
def _():
    checkpoint()
    whole = instance.database.read_bytes()
    outage("database_corrupt", Aside(whole[:100] + os.urandom(len(whole) - 100)), retryable=False)


@test("an empty file in its place: 503 database_schema_old")
def _():
    outage("database_schema_old", Aside(b""))


@test("a file of an older or a newer version: 503 with its own code")
def _():
    class Version:
        def __init__(self, version):
            self.version = version

        def __enter__(self):
            self.present = self.set(self.version)

        def __exit__(self, *_):
            self.set(self.present)

        @staticmethod
        def set(version):
            db = instance.connect()
            before = db.execute("PRAGMA user_version").fetchone()[0]
            db.execute(f"PRAGMA user_version = {version}")
            db.close()
            return before

    outage("database_schema_old", Version(0))
    outage("database_schema_new", Version(99))


@test("damaged in place: the right figures from memory, or 503 database_corrupt, and back")
def _():
    class Garbage:
        def __enter__(self):
            checkpoint()
            self.whole = instance.database.read_bytes()
            self.put(os.urandom(len(self.whole)))

        def __exit__(self, *_):
            self.put(self.whole)

        @staticmethod
        def put(content):
            with open(instance.database, "r+b") as f:
                f.write(content)

    expect_recovery()
    good = {path: instance.request(path).json for path in STATISTICS}
    before = pids()
    with Garbage():
        for path in STATISTICS * 6:
            answer = instance.request(fresh(path))
            if answer.status == 200:
                same = {k: v for k, v in answer.json.items() if not k.endswith("age_seconds")}
                expect_equal(same, {k: good[path][k] for k in same}, f"figures of {path}")
            else:
                expect_problem(answer, 503, "database_corrupt")
        for path in STATISTICS:
            expect_equal(fields(instance.get(path, status=5))["code"], "database_corrupt", path)
    expect_recovery()
    expect_equal(pids(), before, "the same workers")


def set_immutable(path, is_immutable):
    with open(path, "rb") as f:
        try:
            flags, = struct.unpack("l", fcntl.ioctl(f, FS_IOC_GETFLAGS, b"\0" * struct.calcsize("l")))
            flags = flags | FS_IMMUTABLE_FL if is_immutable else flags & ~FS_IMMUTABLE_FL
            fcntl.ioctl(f, FS_IOC_SETFLAGS, struct.pack("l", flags))
        except OSError as error:
            raise Skip(f"the file cannot be made read-only here: {error}") from error


@test("database read-only: 503 database_readonly, also from workers that have it open, and back")
def _():
    expect_recovery()
    before = pids()
    if os.geteuid() == 0:       # permissions do not stop root
        set_immutable(instance.database, True)
        mend = lambda: set_immutable(instance.database, False)
    else:
        instance.database.chmod(0o400)
        mend = lambda: instance.database.chmod(0o600)
    try:
        for path in (*STATISTICS, HEALTH):
            body = fields(instance.get(path, status=5))
            expect_equal((body["status"], body["code"]), (503, "database_readonly"), path)
            expect_problem(instance.request(fresh(path)), 503, "database_readonly", retryable=True)
    finally:
        mend()
    expect_recovery()
    expect_equal(pids(), before, "the same workers")


@test("a writer that holds the lock for three seconds keeps no reader out")
def _():
    # A token that was never used: noting its use must not wait for the lock either.
    token = instance.make_token("root")
    slowest = 0
    db = instance.connect()
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO video_assets(id,created_at,updated_at) VALUES('unfinished',1,1)")
    end = time.monotonic() + LOCK_S
    while time.monotonic() < end:
        for path in (*STATISTICS, HEALTH):
            begin = time.monotonic()
            answer = instance.request(fresh(path), token=token)
            slowest = max(slowest, time.monotonic() - begin)
            expect_equal(answer.status, 200, f"{path}: {answer}")
    db.execute("ROLLBACK")
    db.close()
    expect(slowest < 1.0, f"the slowest took {slowest:.3f} s")


@test("an exclusive lock: 503 database_locked with Retry-After, and back")
def _():
    locked = Instance(PH_BUSY_TIMEOUT_MS=300).with_admin()
    db = locked.connect()
    db.execute("PRAGMA journal_mode=DELETE")        # where readers must wait for a writer
    locked.start()
    expect_equal(locked.request(QUEUE).status, 200, "before")
    before = {route: locked.workers(route) for route in ROUTES}
    db.execute("BEGIN EXCLUSIVE")
    for path in (QUEUE, HEALTH):
        answer = wait_until(lambda: (a := locked.request(fresh(path))).status != 200 and a, "locked", SEEN_S)
        expect_problem(answer, 503, "database_locked", retryable=True)
        expect(int(answer.headers["Retry-After"]) >= 1, "Retry-After")
    begin = time.monotonic()
    locked.request(HEALTH)
    expect(0.25 < time.monotonic() - begin < 2.0, "the wait is PH_BUSY_TIMEOUT_MS")
    db.execute("ROLLBACK")
    db.close()
    wait_until(lambda: locked.request(fresh(QUEUE)).status == 200, "recovers", SEEN_S)
    expect_equal({route: locked.workers(route) for route in ROUTES}, before, "the same workers")


# -- workers ------------------------------------------------------------------------------


def kill_all(route, sig=signal.SIGSEGV):
    """Every worker of the route, of which there is at least one: those that have just died are being replaced."""
    def kill():
        killed = 0
        for pid in instance.workers(route):
            with contextlib.suppress(ProcessLookupError):    # one that was dying already
                os.kill(pid, sig)
                killed += 1
        return killed > 0

    wait_until(kill, f"a worker of {route} to kill")


@test(f"a route whose workers crash is back, and {READERS} readers of others see nothing")
def _():
    others = [path for path in STATISTICS if path != QUEUE]
    stop = threading.Event()
    wrong, counts = [], [0] * READERS

    def read(n):
        while not stop.is_set():
            try:
                answer = instance.request(fresh(others[n % len(others)]))
            except OSError as error:
                wrong.append(repr(error))
                return
            if answer.status != 200:
                wrong.append(repr(answer))
            counts[n] += 1

    threads = [threading.Thread(target=read, args=(n,)) for n in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            wait_until(lambda: len(instance.workers("dashboard-queue")) == 2, "two workers")
            old = set(instance.workers("dashboard-queue"))
            kill_all("dashboard-queue")
            wait_until(lambda: instance.request(fresh(QUEUE)).status == 200, "the route is back", 5)
            # A dying one may still be writing its last words.
            wait_until(lambda: not old & set(instance.workers("dashboard-queue")), "the old ones are gone", 5)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    expect(not wrong, f"{len(wrong)} failures, e.g. {wrong[:2]}")
    expect(min(counts) > 0, "every reader was served")


@test("a route whose workers crash ten times in a row still recovers, auth-check too")
def _():
    for route, path in (("dashboard-queue", QUEUE), ("auth-check", QUEUE), ("dashboard-health", HEALTH)):
        for _ in range(10):
            kill_all(route)
            wait_until(lambda: instance.request(fresh(path)).status == 200, f"{route} is back", 5)
        wait_until(lambda: len(instance.workers(route)) == 2, f"{route} has its workers again")
    instance.run("status")


@test("killing one of two workers is not seen by any client")
def _():
    for _ in range(10):
        wait_until(lambda: len(instance.workers("dashboard-queue")) == 2, "two workers")
        os.kill(instance.workers("dashboard-queue")[0], signal.SIGKILL)
        for _ in range(5):
            answer = instance.request(fresh(QUEUE))
            expect_equal(answer.status, 200, answer)


@test(f"{CLIENTS} keep-alive clients of one worker are all served")
def _():
    crowd = Instance(PH_WORKERS=1).with_admin()
    crowd.run("demo", "--rows", "500")
    crowd.start()
    head = f"Host: localhost\r\nAuthorization: Bearer {crowd.token}\r\n\r\n"

    async def client(n):
        reader, writer = await asyncio.open_connection("127.0.0.1", crowd.port)
        for i in range(CLIENT_REQUESTS):
            # A key of its own for each request: the cache would answer for the worker.
            writer.write(f"GET {QUEUE}?n={n}.{i} HTTP/1.1\r\n{head}".encode())
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), CLIENT_WAIT_MAX_S)
            length = next(int(line.split(b":")[1]) for line in answer.split(b"\r\n")
                          if line.lower().startswith(b"content-length:"))
            await reader.readexactly(length)
            expect(answer.startswith(b"HTTP/1.1 200 "), answer)
        writer.close()

    async def everybody():
        await asyncio.gather(*(client(n) for n in range(CLIENTS)))

    asyncio.run(everybody())
    expect_equal(len(crowd.workers("dashboard-queue")), 1, "one worker")


class Worker:
    """One worker by hand: a copy of a program behind a socket of its own."""

    def __init__(self, route, **settings):
        self.home = Instance(now=NOW)
        directory = scratch()
        self.program = directory / route
        shutil.copy2((LIBEXEC / route).resolve(), self.program)
        self.address = str(directory / "s")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.address)
        listener.listen(16)
        # A FastCGI program finds its socket as descriptor 0.
        self.process = subprocess.Popen([self.program], stdin=listener, env={
            **self.home.env, "PH_HOME": str(self.home.home), "PH_REQUEST_LOG": "0",
            **{k: str(v) for k, v in settings.items()}}, stderr=subprocess.DEVNULL)
        listener.close()

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(5)
        sock.connect(self.address)
        return sock

    def ask(self, sock):
        fcgi_send(sock, REQUEST_METHOD="GET", QUERY_STRING="", PH_AUTH="t t dashboard:read")
        answer = fcgi_receive(sock)
        expect(answer.startswith("Status: 200"), answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@test("SIGTERM lets a worker finish the request in its hands")
def _():
    with Worker("dashboard-queue") as worker, worker.connect() as sock:
        worker.ask(sock)
        parts = []

        class Recorder:
            sendall = parts.append

        fcgi_send(Recorder, REQUEST_METHOD="GET", QUERY_STRING="", PH_AUTH="t t dashboard:read")
        request = b"".join(parts)
        sock.sendall(request[:20])
        # It has begun to read when nothing is left in the socket.
        wait_until(lambda: unread(sock) == 0, "the worker reads")
        worker.process.send_signal(signal.SIGTERM)
        sock.sendall(request[20:])
        expect(fcgi_receive(sock).startswith("Status: 200"), "the answer")
        expect_equal(worker.process.wait(5), 0, "exit status")


def unread(sock):
    """Bytes that the other end of a Unix socket has not read."""
    siocoutq = 0x5411
    return struct.unpack("i", fcntl.ioctl(sock, siocoutq, b"\0" * 4))[0]


@test("SIGTERM and SIGINT end an idle worker at once")
def _():
    for sig in (signal.SIGTERM, signal.SIGINT):
        with Worker("health-alive") as worker, worker.connect() as sock:
            worker.ask(sock)
            worker.process.send_signal(sig)
            expect_equal(worker.process.wait(5), 0, f"exit status after {sig}")


@test("a worker whose program file was replaced makes room")
def _():
    with Worker("dashboard-queue") as worker:
        with worker.connect() as sock:
            for _ in range(20):
                worker.ask(sock)
            expect_equal(worker.process.poll(), None, "it runs as long as the file is its own")
        newer = worker.program.with_name("newer")
        shutil.copy(worker.program, newer)
        newer.rename(worker.program)
        begin = time.monotonic()
        while worker.process.poll() is None:
            if time.monotonic() - begin > 5:
                raise Failure("the worker goes on with the old program")
            try:
                with worker.connect() as sock:
                    worker.ask(sock)
            except OSError:
                pass            # it ended, and nobody listens any more
            time.sleep(STEP_S)
        expect_equal(worker.process.returncode, 0, "exit status")


@test("PH_MAX_REQUESTS is how many requests a worker answers")
def _():
    with Worker("dashboard-queue", PH_MAX_REQUESTS=5) as worker, worker.connect() as sock:
        for _ in range(5):
            worker.ask(sock)
        expect_equal(worker.process.wait(5), 0, "exit status")
    recycled = Instance(PH_MAX_REQUESTS=5, PH_WORKERS=1).with_admin()
    recycled.start()
    first = recycled.workers("dashboard-queue")
    for _ in range(60):
        answer = recycled.request(fresh(QUEUE))
        expect_equal(answer.status, 200, answer)
    wait_until(lambda: recycled.workers("dashboard-queue") not in ([], first), "a fresh worker")


@test("a client that sends rubbish or half a request does no harm to others")
def _():
    with Worker("dashboard-queue") as worker, worker.connect() as good:
        for rubbish in (b"GET / HTTP/1.0\r\n\r\n", os.urandom(64), b"\x01\x01", b"\xff" * 200, b""):
            with worker.connect() as bad:
                bad.sendall(rubbish)
            worker.ask(good)
        expect_equal(worker.process.poll(), None, "it runs")


# -- start, stop, status --------------------------------------------------------------------


def expect_gone(home, groups):
    left = [(pid, group) for pid, group, state in processes() if group in groups and state != "Z"]
    expect(not left, f"left of {home}: {left}")


@test("stop ends exactly what start began, and an instance beside it goes on")
def _():
    pair = [Instance().with_admin(), Instance().with_admin()]
    for one in pair:
        one.start()
    groups = [{g["process_group"] for g in one.status().values()} for one in pair]
    expect(not groups[0] & groups[1], "groups of their own")
    pair[0].run("stop")
    expect_gone(pair[0].home, groups[0])
    expect_equal(pair[1].request(QUEUE).status, 200, "the other one")
    expect_equal({g["process_group"] for g in pair[1].status().values()}, groups[1], "its groups")
    pair[0].run("stop")
    pair[0].run("start")
    expect_equal(pair[0].request(QUEUE).status, 200, "again")


@test("start twice is harmless, and status tells by its exit status")
def _():
    one = Instance().with_admin()
    one.run("status", status=3)
    one.start()
    one.run("status")
    before = one.status()
    one.run("start")
    expect_equal(one.status(), before, "the same groups")
    os.kill(one.status()["nginx"]["process_group"], signal.SIGQUIT)
    wait_until(lambda: one.run("status", status=None).returncode == 3, "nginx is missed")
    one.run("start")
    one.run("status")
    expect_equal(one.request(QUEUE).status, 200, "start mends it")
    one.run("restart")
    expect_equal(one.request(QUEUE).status, 200, "restart")
    one.run("stop")
    one.run("status", status=3)


@test("stop is quick, and leaves no process, however often")
def _():
    one = Instance().with_admin()
    slowest = 0
    for _ in range(4):
        one.start()
        one.request(QUEUE)
        groups = {g["process_group"] for g in one.status().values()}
        begin = time.monotonic()
        one.stop()
        slowest = max(slowest, time.monotonic() - begin)
        expect_gone(one.home, groups)
    expect(slowest < STOP_MAX_S, f"the slowest took {slowest:.1f} s")


@test("a port that is taken and a database that is missing stop the start with a reason")
def _():
    one = Instance().with_admin()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", one.port))
        taken.listen()
        one.is_started = True
        refused = one.run("start", status=1)
        expect(str(one.port) in refused.stderr, refused.stderr)
    empty = Instance()
    empty.database.unlink()
    refused = empty.run("start", status=1)
    expect("init" in refused.stderr, refused.stderr)
    expect(all(g["workers"] == 0 for g in empty.status().values()), "nothing runs")


@test("the databases of this test came through it whole")
def _():
    db = sqlite3.connect(instance.database)
    expect_equal(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)], "integrity")
    db.close()
    instance.run("verify")


run()
