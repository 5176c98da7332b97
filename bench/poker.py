"""The database of the planning-poker application, at its reference size and with many times the rows of the same days."""
import importlib.util
import json
import shutil
import sys
from datetime import datetime, timedelta, timezone

from processes import Missing

# The reference.  Its days are 435 workdays, the last of them yesterday.
USERS, VIEWS, VOTES, ESTIMATIONS = 20_000, 60_000, 30_000, 120_000
DAYS = 609
SEED = 1
SHIFT_S = 4                 # between one copy of the reference and the next
BUFFER_POOL = {True: "256M", False: "2G"}       # of the reference, of more
INCREMENT = {"users": 60, "rooms": 20, "page_views": 250, "events": 100, "votes": 140, "estimations": 430}
CHANGED_ROOMS = 50          # of an increment, besides
USER, PASSWORD = "fpp", "secret"


def today():
    return datetime.now(timezone.utc).date()


def module(name, path):
    """A Python file whose name is another module's here."""
    spec = importlib.util.spec_from_file_location(name, path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def mariadb(source):
    sys.path.insert(0, str(source / "t/upstream"))
    try:
        import mariadb as upstream
    except ImportError as e:
        raise Missing("apt-get install python3-pymysql, and run bench/run by the Python that it belongs to") from e
    if upstream.PROGRAM is None:
        raise Missing("apt-get install mariadb-server")
    return upstream


# A user has another random name in every copy; whom the table of users does not know, too.
COPY_OF_USER = ("IF(n.seq=0, {0}, SUBSTR(REPLACE(REPLACE(TO_BASE64(UNHEX(SHA1(CONCAT({0},' ',n.seq)))),'+','-'),'/','_'),"
                "1,21))")


def copied(factor):
    """Column: expression, of what is not the same in every copy."""
    user, room = COPY_OF_USER.format("b.user_id"), f"b.room_id*{factor} + n.seq"
    numbered = {"id": f"b.id*{factor} + n.seq"}

    def later(column):
        return f"b.{column} + INTERVAL n.seq*{SHIFT_S} SECOND"

    return {
        # Each copy has some cities of its own.
        "users": {"id": COPY_OF_USER.format("b.id"), "created_at": later("created_at"),
                  "city": "IF(n.seq>0 AND b.city LIKE 'City %', CONCAT(b.city,' ',n.seq), b.city)"},
        "rooms": numbered | {"number": f"IF(n.seq=0, b.number, 1000000 + b.id*{factor} + n.seq)",
                             "name": f"IF(n.seq=0, b.name, CONCAT(LEFT(b.name,5),'+',b.id*{factor} + n.seq))",
                             "first_used_at": later("first_used_at"), "last_used_at": later("last_used_at")},
        "page_views": numbered | {"user_id": user, "room_id": room, "viewed_at": later("viewed_at")},
        "events": numbered | {"user_id": user, "event_at": later("event_at")},
        "votes": numbered | {"room_id": room, "voted_at": later("voted_at")},
        "estimations": numbered | {"user_id": user, "room_id": room, "estimated_at": later("estimated_at")},
    }


class Source:
    """The server of an instance, with the data in the instance's directory as they were made."""

    def __init__(self, instance):
        self._upstream = mariadb(instance.source)
        self.tables = list(self._upstream.COLUMNS)
        data = instance.home / "source"
        pool = BUFFER_POOL[instance.rows == 1]
        self.db = self._upstream.MariaDB(settings=[
            f"--innodb-buffer-pool-size={pool}", "--innodb-log-file-size=512M", "--sort-buffer-size=64M",
            "--max-heap-table-size=64M", f"--tmpdir={instance.home}"])
        self.db.stop()
        own = self.db.directory / "data"
        if data.exists():
            shutil.rmtree(own)
        else:
            shutil.move(own, data)
        own.symlink_to(data)
        self.db.start()
        self._made = instance.home / "made.json"
        self._known = {}
        if self._made.exists():
            self._forget_increments()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.db.stop()
        self.db.close()

    def fill(self, dataset, factor):
        self.db.execute("SET unique_checks=0, foreign_key_checks=0")
        self.db.create_tables()
        self.db.load(dataset)
        if factor > 1:
            self._multiply(factor)
        self.db.grant(USER, PASSWORD)
        self._made.write_text(json.dumps({table: self._one(f"SELECT MAX({self._order(table)}) FROM fpp_{table}")
                                          for table in self.tables}, default=str))

    def _one(self, sql):
        return self.db.rows(sql)[0][0]

    @staticmethod
    def _order(table):
        return "created_at" if table == "users" else "id"

    def _forget_increments(self):
        """Those of a run before."""
        for table, last in json.loads(self._made.read_text()).items():
            self.db.execute(f"DELETE FROM fpp_{table} WHERE {self._order(table)} > %s", (last,))

    def _multiply(self, factor):
        self.db.execute("DROP TABLE fpp_feature_flags")
        for table in self.tables:
            self.db.execute(f"RENAME TABLE fpp_{table} TO base_{table}")
        self.db.create_tables()
        for table, made in copied(factor).items():
            names = ["avg_estimation" if c == "avg_estimation_c" else c for c in self._upstream.COLUMNS[table]]
            asked = [made.get(name, f"b.{name}") for name in names]
            # The server makes the table seq_FIRST_to_LAST itself, by its name.
            self.db.execute(f"INSERT INTO fpp_{table} ({','.join(names)}) SELECT {','.join(asked)}"
                            f" FROM base_{table} b STRAIGHT_JOIN seq_0_to_{factor - 1} n")
            # A bulk load that fails at its end need not say so.
            (is_whole,), = self.db.rows(f"SELECT (SELECT COUNT(*) FROM fpp_{table}) = {factor} * COUNT(*) FROM base_{table}")
            if not is_whole:
                raise Missing(f"fpp_{table} did not take all rows")
            self.db.execute(f"DROP TABLE base_{table}")

    def add_increment(self, chance):
        """What comes within ten minutes: INCREMENT, and rooms that are used again.  How many rows are new."""
        if not self._known:
            self._known = {table: [r[0] for r in self.db.rows(f"SELECT id FROM fpp_{table} ORDER BY RAND() LIMIT 1000")]
                           for table in ("users", "rooms")}
        users, rooms = self._known["users"], self._known["rooms"]
        new = [f"{chance.getrandbits(84):021x}" for _ in range(INCREMENT["users"])]
        first = self._one("SELECT MAX(number) FROM fpp_rooms") + 1

        def ago():
            return chance.randrange(600)

        def user():
            return chance.choice(users) if chance.random() < 0.9 else chance.choice(new)

        made = {
            "users (id, device, os, browser, country, region, city, created_at)":
                [(one, "desktop", "Linux", "Firefox", "DE", "BE", "Berlin", ago()) for one in new],
            "rooms (number, name, last_used_at, first_used_at)":
                [(number, f"new {number}", datetime.now(timezone.utc).replace(tzinfo=None), ago())
                 for number in range(first, first + INCREMENT["rooms"])],
            "page_views (user_id, route, room_id, source, viewed_at)":
                [(user(), "ROOM", chance.choice(rooms), None, ago()) for _ in range(INCREMENT["page_views"])],
            "events (user_id, event, event_at)":
                [(user(), "LEFT_ROOM", ago()) for _ in range(INCREMENT["events"])],
            "votes (room_id, avg_estimation, max_estimation, min_estimation, amount_of_estimations, amount_of_spectators,"
            " duration, was_auto_flip, voted_at)":
                [(chance.choice(rooms), 5, 8, 3, 4, 1, 60, 0, ago()) for _ in range(INCREMENT["votes"])],
            "estimations (user_id, room_id, estimation, spectator, estimated_at)":
                [(user(), chance.choice(rooms), 5, 0, ago()) for _ in range(INCREMENT["estimations"])],
        }
        for where, rows in made.items():
            self.db.executemany(f"INSERT INTO fpp_{where} VALUES ({'%s,' * (len(rows[0]) - 1)}NOW() - INTERVAL %s SECOND)", rows)
        self.db.executemany("UPDATE fpp_rooms SET last_used_at = NOW() WHERE id = %s",
                            [(room,) for room in chance.sample(rooms, CHANGED_ROOMS)])
        return sum(map(len, made.values()))


def fill(instance):
    """Make the source of an instance; the first of its days."""
    start = str(today() - timedelta(DAYS))
    rows = module("product_rows", instance.source / "t/e2e/product.py").generate(
        SEED, users=USERS, days=DAYS, views=VIEWS, votes=VOTES, estimations=ESTIMATIONS, start=start)
    with Source(instance) as source:
        source.fill(rows, instance.rows)
    return start
