"""What the end-to-end tests share: TAP, instances that always end, requests, a FastCGI client.

A test is a function under @test("a sentence").  It fails by raising; what it returns does not
matter.  Instances live in directories of their own under /tmp (the path of a Unix socket is
short) and are stopped and removed when the program ends, whatever happened; those that a failed
test may have used are kept and named.
"""
import atexit
import http.client
import io
import itertools
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
SOURCE = Path(os.environ.get("PH_SRCDIR") or HERE / "../..").resolve()
BUILD = Path(os.environ.get("PH_BUILDDIR") or SOURCE / "build").resolve()
PILOTHOUSE = BUILD / "pilothouse"
LIBEXEC = BUILD / "libexec"

NOW = 1763807400000             # 2025-11-22T10:30:00Z, the clock of the specification's vectors
ON_EVERY_ANSWER = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
                   "Referrer-Policy": "no-referrer"}
STATS = ("overview", "queue", "orchestrator", "platforms", "campaigns")
COMMAND_TIMEOUT_S = 60
REQUEST_TIMEOUT_S = 30
STEP_S = 0.01                   # between two looks at a condition

_tests = []
_instances = []
_directories = []
_kept = set()                   # directories of failed tests


class Failure(AssertionError):
    """What a test says when it does not see what it should."""


class Skip(Exception):
    """A test that cannot run here, and why."""


# -- TAP ----------------------------------------------------------------------------


def test(sentence):
    """Register a function as the test that this sentence describes."""
    def register(function):
        _tests.append((sentence, function))
        return function
    return register


def diagnostic(text):
    for line in str(text).splitlines():
        print("#", line)
    sys.stdout.flush()


def _short(value, limit=1500):
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[:limit] + " ..."


def expect(condition, what):
    if not condition:
        raise Failure(what)


def expect_equal(got, want, what):
    if type(got) is not type(want) or got != want:
        raise Failure(f"{what}\n  expected: {_short(want)}\n  seen:     {_short(got)}")


def wait_until(condition, what, seconds=10.0):
    """The first true value of condition(); fails when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"not within {seconds} s: {what}")
        time.sleep(STEP_S)


@atexit.register
def _clean_up():
    # Together, because each waits for its workers.
    for process in [i.begin_stop() for i in _instances if i.is_started]:
        process.wait()
    for directory in _directories:
        if directory in _kept:
            diagnostic(f"kept: {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)


def _end(signum, _frame):
    raise SystemExit(128 + signum)


for _signal in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(_signal, _end)


def run():
    """Run every registered test, print TAP, and end the program.  An argument selects the
    tests whose sentence contains it."""
    begin = time.monotonic()
    failed = 0
    shared = len(_directories)  # made before the first test, for all of them
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    tests = [t for t in _tests if only in t[0]]
    for number, (sentence, function) in enumerate(tests, 1):
        own = len(_directories)
        try:
            function()
            print(f"ok {number} - {sentence}")
        except Skip as reason:
            print(f"ok {number} - {sentence} # SKIP {reason}")
        except Exception as failure:
            failed += 1
            _kept.update(_directories[:shared] + _directories[own:])
            print(f"not ok {number} - {sentence}")
            where = traceback.format_exc() if not isinstance(failure, Failure) else failure
            diagnostic(where)
        sys.stdout.flush()
    print(f"1..{len(tests)}")
    diagnostic(f"{len(tests)} tests, {failed} failed, {time.monotonic() - begin:.1f} s")
    sys.exit(1 if failed else 0)


# -- JSON ---------------------------------------------------------------------------


class Decimal(str):
    """A number with a decimal point, as it was written: 0.0 is not 0, and 0.10 is not 0.1."""

    def __repr__(self):
        return str(self)


def exact(text):
    """JSON with numbers as written and objects as tuples of pairs, so that order counts."""
    return json.loads(text, parse_float=Decimal, object_pairs_hook=tuple)


def fields(text):
    """JSON with numbers as written, for looking at single fields."""
    return json.loads(text, parse_float=Decimal)


# -- workbooks ----------------------------------------------------------------------

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def read_xlsx(data):
    """Rows of cells as texts and numbers; there is no formula in it."""
    book = zipfile.ZipFile(io.BytesIO(data))
    expect_equal(book.testzip(), None, "check sums")
    sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    expect(not list(sheet.iter(SHEET + "f")), "no cell is a formula")
    shared = []
    if "xl/sharedStrings.xml" in book.namelist():
        shared = ["".join(t.text or "" for t in s.iter(SHEET + "t"))
                  for s in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
    rows = []
    for row in sheet.iter(SHEET + "row"):
        cells = {}
        for cell in row.iter(SHEET + "c"):
            kind, value = cell.get("t"), cell.find(SHEET + "v")
            column = 0
            for letter in re.match("[A-Z]+", cell.get("r"))[0]:
                column = column * 26 + ord(letter) - 64
            if kind == "inlineStr":
                cells[column] = "".join(t.text or "" for t in cell.iter(SHEET + "t"))
            elif kind == "s":
                cells[column] = shared[int(value.text)]
            elif value is not None:
                cells[column] = value.text == "1" if kind == "b" else float(value.text)
        rows.append(cells)
    names = rows[0]
    return [{names[c]: row.get(c) for c in names} for row in rows[1:]]


# -- instances ----------------------------------------------------------------------


def scratch():
    """A new private directory that is removed at the end."""
    directory = Path(tempfile.mkdtemp(prefix="ph", dir="/tmp"))
    _directories.append(directory)
    return directory


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """The machine code of a problem, None for anything else."""
        if self.headers.get("Content-Type") != "application/problem+json":
            return None
        return self.json["code"]

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:600]!r}"


def expect_problem(answer, status, code, retryable=False):
    """The form of a failure, whoever noticed it."""
    expect_equal(answer.status, status, f"status of {answer}")
    expect_equal(answer.headers.get("Content-Type"), "application/problem+json", f"type of {answer}")
    body = answer.json
    for name, kind in (("type", str), ("title", str), ("status", int), ("detail", str), ("code", str),
                       ("retryable", bool), ("request_id", str)):
        expect(type(body.get(name)) is kind, f"{name} of {body} is a {kind.__name__}")
    expect_equal((body["status"], body["code"], body["retryable"]), (status, code, retryable),
                 f"status, code and retryable of {body}")
    expect_equal(body["request_id"], answer.headers["X-Request-ID"], "request_id and X-Request-ID")
    expect_equal(answer.headers["Cache-Control"], "no-store", "Cache-Control of a problem")
    for name, value in ON_EVERY_ANSWER.items():
        expect_equal(answer.headers.get_all(name), [value], f"{name} of a problem")


_fresh = itertools.count(1)


def fresh(path):
    """The path with an unknown parameter, which is ignored, but makes another cache key."""
    return f"{path}{'&' if '?' in path else '?'}n={next(_fresh)}"


class Instance:
    """A home of its own.  now fixes the clock of everything that the instance runs."""

    def __init__(self, now=None, init=True, **settings):
        self.home = scratch()
        self.database = self.home / "pilothouse.db"
        self.port = free_port()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("PH_")}
        if now is not None:
            self.env.update(PH_TEST="1", PH_NOW_MS=str(now))
        self.is_started = False
        self.token = None
        _instances.append(self)
        if init:
            self.run("init")
        # Jobs would come and write at their own times.
        self.configure(**{"PH_PORT": self.port, "PH_NGINX_WORKERS": 1, "PH_RATE_TOKEN": 0,
                          "PH_RATE_ADDRESS": 0, "PH_RATE_FAILURES": 0, "PH_RATE_ACTION": 0,
                          "PH_RATE_EXPORT": 0, "PH_JOBS": "none", **settings})

    def configure(self, **settings):
        """Add lines to the settings; a later line wins."""
        path = self.home / "pilothouse.conf"
        with open(path, "a", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.writelines(f"{name}={value}\n" for name, value in settings.items())

    def run(self, *args, status=0, text=None, **env):
        """Run the operator's command.  status None: any."""
        done = subprocess.run([PILOTHOUSE, "--home", self.home, *args], env={**self.env, **env},
                              input=text, capture_output=True, encoding="utf-8",
                              timeout=COMMAND_TIMEOUT_S)
        if status is not None and done.returncode != status:
            raise Failure(f"pilothouse {' '.join(map(str, args))}: exit status {done.returncode} "
                          f"instead of {status}\n{done.stdout}{done.stderr}")
        return done

    def get(self, path, status=0, **env):
        """The body of `pilothouse get`."""
        return self.run("get", path, status=status, **env).stdout

    def stat(self, name, query="", **env):
        """One statistic, numbers as written."""
        return fields(self.get(f"/dashboard/stats/{name}{'?' + query if query else ''}", **env))

    def sql(self, script):
        """Write to the database as any other program would."""
        with self.connect() as db:
            db.executescript("BEGIN IMMEDIATE;" + script + ";COMMIT")
        db.close()

    def rows(self, query):
        """What a query gives, as a list of tuples."""
        db = self.connect()
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    def connect(self):
        db = sqlite3.connect(self.database, isolation_level=None, timeout=10)
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA temp_store=MEMORY")
        return db

    def start(self):
        self.is_started = True
        self.run("start")

    def stop(self):
        if self.is_started:
            self.run("stop", status=None)
            self.is_started = False

    def begin_stop(self):
        return subprocess.Popen([PILOTHOUSE, "--home", self.home, "stop"], env=self.env,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def status(self):
        """Groups by name: workers, wanted, process_group."""
        return {g["name"]: g for g in json.loads(self.run("status", "--json", status=None).stdout)}

    def workers(self, route):
        """Process ids of the living workers of a route."""
        leader = self.status()[route]["process_group"]
        return sorted(pid for pid, group, state in processes()
                      if group == leader and pid != leader and state != "Z")

    def add_user(self, name, role):
        self.run("user", "add", name, "--role", role)

    def make_token(self, user, *options):
        return self.run("token", "create", "--user", user, *options).stdout.strip()

    def with_admin(self):
        """Add a user and a token that may do everything."""
        self.add_user("root", "admin")
        self.token = self.make_token("root")
        return self

    def request(self, path, method="GET", token=None, headers=None, body=None):
        """Through nginx.  token None: the admin's; "" sends none."""
        token = self.token if token is None else token
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        sent.update(headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_TIMEOUT_S)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


def token_id(token):
    """The public part of a token that we made: phk_ID_SECRET."""
    return token.split("_")[1]


def processes():
    """(pid, process group, state) of everything that runs."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue        # it ended meanwhile
        state, _parent, group = stat[stat.rindex(")") + 2:].split()[:3]
        yield int(entry), int(group), state


# -- FastCGI ------------------------------------------------------------------------

FCGI_BEGIN, FCGI_END, FCGI_PARAMS, FCGI_STDIN, FCGI_STDOUT = 1, 3, 4, 5, 6
FCGI_RESPONDER, FCGI_KEEP_CONN = 1, 1


def _record(kind, content):
    return struct.pack("!BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def _length(n):
    return struct.pack("!B", n) if n < 128 else struct.pack("!I", n | 0x80000000)


def fcgi_send(sock, **params):
    """Send one request on a connection that stays open."""
    pairs = b"".join(_length(len(k)) + _length(len(v)) + k.encode() + v.encode()
                     for k, v in params.items())
    begin = struct.pack("!HB5x", FCGI_RESPONDER, FCGI_KEEP_CONN)
    sock.sendall(_record(FCGI_BEGIN, begin) + _record(FCGI_PARAMS, pairs) +
                 _record(FCGI_PARAMS, b"") + _record(FCGI_STDIN, b""))


def _read_exactly(sock, n):
    data = b""
    while len(data) < n:
        part = sock.recv(n - len(data))
        if not part:
            raise ConnectionError("the program closed the connection")
        data += part
    return data


def fcgi_receive(sock):
    """Header and body of one answer, as text."""
    out = b""
    while True:
        _version, kind, _id, length, padding, _ = struct.unpack("!BBHHBB", _read_exactly(sock, 8))
        content = _read_exactly(sock, length)
        _read_exactly(sock, padding)
        if kind == FCGI_STDOUT:
            out += content
        elif kind == FCGI_END:
            return out.decode()
