"""A private MariaDB with the tables of the planning-poker application, and a proxy that spoils the way to it.

    with MariaDB() as db:
        db.create_tables()
        db.grant()                                          fpp, who may read what a sync reads
        db.load(dataset)                                    product.Dataset
        db.execute("UPDATE fpp_rooms SET name=%s WHERE id=1", ("new",))
        way = Proxy(db.port)                                point the client at way.port
        way.cut(20000)

The server listens on a free port of the loopback interface and on a socket in a short directory of its own under
/tmp.  It is ended and its directory removed when the program ends, whatever happened.
"""
import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pymysql

from fake import self_signed

PROGRAM = shutil.which("mariadbd", path=os.environ.get("PATH", "") + ":/usr/sbin")      # None: not installed
DATABASE = "free-planning-poker"
START_S, STOP_S, STEP_S = 60, 30, 0.02
CHUNK = 65536
# Small and quick.  The log is written at every commit but never synced: no commit is lost by kill(), only by a
# crash of the machine.
SETTINGS = """--bind-address=127.0.0.1 --skip-name-resolve --skip-log-bin --innodb-flush-log-at-trx-commit=2
    --innodb-flush-method=nosync --innodb-doublewrite=0 --innodb-use-native-aio=0 --innodb-buffer-pool-size=32M
    --innodb-log-file-size=32M --innodb-log-buffer-size=2M --innodb-buffer-pool-dump-at-shutdown=0
    --innodb-buffer-pool-load-at-startup=0 --innodb-stats-persistent=0 --key-buffer-size=1M
    --aria-pagecache-buffer-size=1M --max-connections=64 --performance-schema=0 --secure-file-priv=""".split()

# Table: its columns as a dataset has them, the times last.
COLUMNS = {
    "users": "id device os browser country region city created_at",
    "rooms": "id number name first_used_at last_used_at",
    "page_views": "id user_id route room_id source viewed_at",
    "events": "id user_id event event_at",
    "votes": "id room_id avg_estimation_c max_estimation min_estimation amount_of_estimations amount_of_spectators"
             " duration was_auto_flip voted_at",
    "estimations": "id user_id room_id estimation spectator estimated_at",
}
COLUMNS = {table: names.split() for table, names in COLUMNS.items()}

# The specification knows only the name of the last table.
SCHEMA = """
CREATE TABLE fpp_users (
    id varchar(21) NOT NULL PRIMARY KEY, device varchar(50), os varchar(50), browser varchar(50), country varchar(5),
    region varchar(100), city varchar(100), created_at timestamp NOT NULL DEFAULT current_timestamp());
CREATE TABLE fpp_rooms (
    id int NOT NULL AUTO_INCREMENT PRIMARY KEY, number mediumint NOT NULL, name varchar(15) NOT NULL,
    first_used_at timestamp NOT NULL DEFAULT current_timestamp(),
    last_used_at timestamp NOT NULL DEFAULT current_timestamp(),
    UNIQUE KEY rooms_number_unique_idx (number), UNIQUE KEY rooms_name_unique_idx (name));
CREATE TABLE fpp_votes (
    id int NOT NULL AUTO_INCREMENT PRIMARY KEY, room_id int NOT NULL, avg_estimation decimal(4,2) NOT NULL,
    max_estimation smallint NOT NULL, min_estimation smallint NOT NULL, amount_of_estimations smallint NOT NULL,
    amount_of_spectators smallint NOT NULL, duration smallint NOT NULL, was_auto_flip boolean NOT NULL,
    voted_at timestamp NOT NULL DEFAULT current_timestamp());
CREATE TABLE fpp_estimations (
    id int NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id varchar(21) NOT NULL, room_id int NOT NULL,
    estimation smallint, spectator boolean NOT NULL DEFAULT false,
    estimated_at timestamp NOT NULL DEFAULT current_timestamp());
CREATE TABLE fpp_page_views (
    id int NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id varchar(21) NOT NULL,
    route enum('HOME','CONTACT','IMPRINT','GUIDE','ROOM','ANALYTICS','ROADMAP') NOT NULL, room_id int,
    source varchar(255), viewed_at timestamp NOT NULL DEFAULT current_timestamp());
CREATE TABLE fpp_events (
    id int NOT NULL AUTO_INCREMENT PRIMARY KEY, user_id varchar(21) NOT NULL,
    event enum('CONTACT_FORM_SUBMISSION','ENTERED_RANDOM_ROOM','ENTERED_NEW_ROOM','ENTERED_EXISTING_ROOM',
    'ENTERED_RECENT_ROOM','LEFT_ROOM','COPIED_ROOM_LINK','CHANGED_ROOM_NAME') NOT NULL,
    event_at timestamp NOT NULL DEFAULT current_timestamp());
CREATE TABLE fpp_feature_flags (name varchar(50) NOT NULL PRIMARY KEY, enabled boolean NOT NULL DEFAULT false)
"""

_servers = []


@atexit.register
def _clean_up():
    for server in tuple(_servers):
        server.close()


def _end(signum, _frame):
    raise SystemExit(128 + signum)


# A program with handlers of its own, as the harness has them, keeps those.
for _signal in (signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_signal) == signal.SIG_DFL:
        signal.signal(_signal, _end)


# -- the server ----------------------------------------------------------------------------


class MariaDB:
    """A server that runs.  tls: it offers TLS with a certificate for 127.0.0.1 and localhost, whose authority is
    in the file .ca.  time_zone: what its sessions have before they say otherwise."""

    def __init__(self, tls=False, time_zone="+00:00", settings=()):
        self.directory = Path(tempfile.mkdtemp(prefix="ma", dir="/tmp"))
        _servers.append(self)
        self.socket = str(self.directory / "s")
        self.log = self.directory / "log.err"     # the server wants a dot in it
        self.process = None
        self.ca = None
        self._root = None
        self._lock = threading.Lock()       # of the connection, which serves one at a time
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        base = ["--no-defaults", f"--datadir={self.directory / 'data'}", f"--tmpdir={self.directory}"]
        base += ["--user=root"] if os.geteuid() == 0 else []
        self._command = [PROGRAM, *base, *SETTINGS, f"--socket={self.socket}", f"--port={self.port}",
                         f"--pid-file={self.directory / 'pid'}", f"--log-error={self.log}",
                         f"--default-time-zone={time_zone}", "--character-set-server=utf8mb4",
                         "--collation-server=utf8mb4_general_ci"]
        if tls:
            self.ca, key = self_signed(self.directory)
            self._command += [f"--ssl-ca={self.ca}", f"--ssl-cert={self.ca}", f"--ssl-key={key}"]
        self._command += settings
        done = subprocess.run(
            ["mariadb-install-db", *base, "--auth-root-authentication-method=normal", "--skip-test-db",
             "--skip-name-resolve", "--innodb-flush-method=nosync", "--innodb-doublewrite=0",
             "--innodb-use-native-aio=0", "--innodb-log-file-size=32M"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
        if done.returncode:
            raise RuntimeError(f"mariadb-install-db: exit status {done.returncode}\n{done.stdout}")
        self.start()
        with self.connect(database=None) as root:
            root.query(f"CREATE DATABASE `{DATABASE}`")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End it and remove what it kept; nothing the second time."""
        self._end(signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)
        if self in _servers:
            _servers.remove(self)

    def start(self):
        """Start the server, where it was, and wait until it talks; nothing if it runs."""
        if self.process is not None and self.process.poll() is None:
            return
        self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_S
        while True:
            try:
                pymysql.connect(unix_socket=self.socket, user="root").close()
                return
            except pymysql.Error as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    self._end(signal.SIGKILL)
                    log = self.log.read_text("utf-8", "replace")[-3000:] if self.log.exists() else ""
                    raise RuntimeError(f"mariadbd did not start: {error}\n{log}") from error
            time.sleep(STEP_S)

    def stop(self):
        """End the server in order; start() begins again with the same data."""
        self._end(signal.SIGTERM)

    def kill(self):
        """End the server at once, as a crash does; what was committed stays."""
        self._end(signal.SIGKILL)

    def _end(self, how):
        with self._lock:
            self._drop()
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _drop(self):
        if self._root is not None:
            try:
                self._root.close()
            except (pymysql.Error, OSError):
                pass        # it went by itself
            self._root = None

    # -- SQL -----------------------------------------------------------------------------

    def connect(self, user="root", password="", tls=False, **options):
        """A new connection in UTC that commits every statement: root's by the socket, others' by the port.  tls: the
        server's certificate is verified."""
        options = {"charset": "utf8mb4", "autocommit": True, "init_command": "SET time_zone='+00:00'",
                   "database": DATABASE, **options}
        where = {"unix_socket": self.socket} if user == "root" else {"host": "127.0.0.1", "port": self.port}
        if tls:
            options["ssl"] = {"ca": self.ca}
        return pymysql.connect(user=user, password=password, **{**where, **options})

    def _run(self, run):
        """What run(cursor) gives, on root's connection."""
        with self._lock:
            if self._root is None:
                self._root = self.connect()
            try:
                with self._root.cursor() as cursor:
                    return run(cursor)
            except (pymysql.OperationalError, pymysql.InterfaceError):
                self._drop()        # it may be broken: the next one gets a new connection
                raise

    def execute(self, sql, args=None):
        """One statement as root; the number of rows that it touched."""
        return self._run(lambda cursor: cursor.execute(sql, args))

    def executemany(self, sql, args):
        return self._run(lambda cursor: cursor.executemany(sql, args))

    def rows(self, sql, args=None):
        """What a query gives, as a list of tuples."""
        return self._run(lambda cursor: (cursor.execute(sql, args), list(cursor.fetchall()))[1])

    # -- the application's database ------------------------------------------------------

    def create_tables(self):
        for statement in SCHEMA.split(";"):
            self.execute(statement)

    def truncate_all(self):
        for table in (*COLUMNS, "feature_flags"):
            self.execute(f"TRUNCATE TABLE fpp_{table}")

    def grant(self, user="fpp", password="secret", tls=False):
        """Make an account that may read the six tables and nothing else.  tls: it may come by TLS only."""
        self.execute(f"CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY %s {'REQUIRE SSL' if tls else ''}",
                     (user, password))
        for table in COLUMNS:
            self.execute(f"GRANT SELECT ON `{DATABASE}`.fpp_{table} TO %s@'%%'", (user,))

    def load(self, dataset):
        """Insert the rows of a dataset: its lists users, rooms, ... of dicts, with times in Unix ms."""
        for table, columns in COLUMNS.items():
            rows = getattr(dataset, table, ())
            if rows:
                self._load(table, columns, rows)

    def _load(self, table, columns, rows):
        path = self.directory / f"{table}.txt"
        times = [c for c in columns if c.endswith("_at")]
        with open(path, "w", encoding="utf-8", newline="") as f:
            for row in rows:
                if any(row[c] % 1000 for c in times):
                    raise ValueError(f"{table}: the source has whole seconds: {row}")
                f.write("\t".join([_field(row[c]) for c in columns]) + "\n")
        into = [f"@{c}" if c in times or c == "avg_estimation_c" else c for c in columns]
        made = [f"{c}=FROM_UNIXTIME(@{c} DIV 1000)" for c in times]
        made += ["avg_estimation=CAST(@avg_estimation_c AS DECIMAL)/100"] if table == "votes" else []
        try:
            n = self.execute(f"LOAD DATA INFILE '{path}' INTO TABLE fpp_{table} CHARACTER SET utf8mb4"
                             f" ({','.join(into)}) SET {','.join(made)}")
        finally:
            path.unlink()
        if n != len(rows):
            raise RuntimeError(f"{table}: {n} of {len(rows)} rows loaded")


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\0": "\\0"})


def _field(value):
    """As LOAD DATA reads it."""
    if value is None:
        return "\\N"
    return value.translate(_ESCAPES) if isinstance(value, str) else str(int(value))


# -- the way to it -------------------------------------------------------------------------


class Proxy:
    """A TCP proxy on a free port of the loopback interface in front of another port.

    The modes are told by methods and hold for connections that are open, too, until the next one:
        normal()            everything passes
        hang()              connections are accepted, nothing more comes from the server
        slow(seconds)       so long a wait before every few bytes from the server
        cut(after)          each connection ends when so many bytes came from the server, counted from now
        refuse()            open connections end, new ones are refused
    connections counts those that were accepted, received the bytes that were handed on from the server.
    """

    def __init__(self, target):
        self.target = target
        self.connections = 0
        self.received = 0
        self._state = threading.Condition()
        self._mode = ("normal",)
        self._telling = 0           # how many modes there were
        self._pairs = set()
        self._listener = None
        self.port = 0
        self._bind()
        self._listen()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def normal(self):
        self._tell("normal")

    def hang(self):
        self._tell("hang")

    def slow(self, seconds, chunk=1024):
        self._tell("slow", seconds, chunk)

    def cut(self, after):
        self._tell("cut", after)

    def refuse(self):
        self._tell("refuse")

    def close(self):
        """For ever; nothing the second time."""
        self._tell("refuse")
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _tell(self, *mode):
        if self._listener is None:
            return
        with self._state:
            before, self._mode = self._mode, mode
            self._telling += 1
            self._state.notify_all()
        if mode[0] == "refuse" and before[0] != "refuse":
            # The port stays bound, so that nobody else gets it, but nobody listens there.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._bind()
            for pair in tuple(self._pairs):
                self._end(pair)
        elif mode[0] != "refuse" and before[0] == "refuse":
            self._listen()

    def _bind(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]

    def _listen(self):
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = socket.socket()
        pair = (client, server)
        self._pairs.add(pair)
        try:
            if self._wait_while("hang") != "refuse":
                server.connect(("127.0.0.1", self.target))
                for sock in pair:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._up, args=(pair,), daemon=True).start()
                self._down(pair)
        except OSError:
            pass        # somebody went away
        finally:
            self._end(pair)
            self._pairs.discard(pair)
            for sock in pair:
                sock.close()

    def _wait_while(self, mode):
        """The first other mode."""
        with self._state:
            self._state.wait_for(lambda: self._mode[0] != mode)
            return self._mode[0]

    def _up(self, pair):
        client, server = pair
        try:
            while data := client.recv(CHUNK):
                server.sendall(data)
        except OSError:
            pass        # told by the other direction, too
        self._end(pair)

    def _down(self, pair):
        """Hand on what the server says, as the mode wants it."""
        client, server = pair
        telling = left = None
        while True:
            with self._state:
                mode, told = self._mode, self._telling
            if told != telling:
                telling, left = told, mode[1] if mode[0] == "cut" else None
            if left == 0:
                return
            size = left or (mode[2] if mode[0] == "slow" else CHUNK)
            data = server.recv(min(size, CHUNK), socket.MSG_PEEK)
            if not data:
                return
            # The mode may have changed while nothing came: only what passes under the present one is taken.
            with self._state:
                if self._telling != telling:
                    continue
                if mode[0] == "hang":
                    self._state.wait_for(lambda: self._telling != telling)
                    continue
                if mode[0] == "slow" and self._state.wait_for(lambda: self._telling != telling, mode[1]):
                    continue
            data = server.recv(len(data))
            client.sendall(data)
            self.received += len(data)
            if left is not None:
                left -= len(data)

    @staticmethod
    def _end(pair):
        for sock in pair:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass        # it went by itself
