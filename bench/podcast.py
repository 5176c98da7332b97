"""Podcasts: answers from the store, answers while OP3 hangs, and a show with a long history."""
import http.client
import random
import sqlite3
import statistics
import sys
import time
from datetime import date, timedelta

YEARS_DAYS = 3 * 365
EPISODES = 1000
EPISODES_A_DAY = 100            # of these are downloaded each day
COUNTRIES, APPS, DEVICES = 60, 15, 15
WAITING = 6                     # podcasts that OP3 is asked for until the breaker is open, at least
ALONE = 50                      # requests, one after the other

LONG, SHORT = "bench-long", "bench-short"


def connect(instance):
    return sqlite3.connect(instance.home / "pilothouse.db", timeout=30)


def add_show(db, ident, days, episodes):
    """A show with its episodes, and rows of every dimension for each of so many days."""
    chance = random.Random(days)
    now = int(time.time() * 1000)
    today = date.today()
    owner, = db.execute("SELECT id FROM users WHERE role = 'admin' ORDER BY created_at, id LIMIT 1").fetchone()
    db.execute("INSERT INTO podcasts (id, user_id, name, podcast_guid, op3_show_uuid, created_at) VALUES (?, ?, ?, ?, ?, 1)",
               (ident, owner, ident, f"{ident:0>36}", f"{days:032x}"))
    db.executemany("INSERT INTO episodes (id, podcast_id, title, guid, episode_number, status, publish_at, created_at)"
                   " VALUES (?, ?, ?, ?, ?, 'published', ?, 1)",
                   [(f"{ident}-{i}", ident, f"Episode {i}", f"g{i}", i + 1, now - i * days * 86400000 // episodes)
                    for i in range(episodes)])
    db.execute("INSERT INTO op3_episodes SELECT podcast_id, printf('%064d', episode_number), guid, title, publish_at, id"
               " FROM episodes WHERE podcast_id = ?", (ident,))
    keys = {"country": [f"{chr(65 + i // 26)}{chr(65 + i % 26)}" for i in range(COUNTRIES)],
            "app": [f"App {i}" for i in range(APPS)], "device": [f"Device {i}" for i in range(DEVICES)]}
    rows = []
    for back in range(1, days + 1):
        day = str(today - timedelta(back))
        heard = chance.sample(range(1, episodes + 1), min(EPISODES_A_DAY, episodes))
        rows.append((ident, day, "total", "", 10 * len(heard)))
        rows += [(ident, day, "episode", f"{i:064d}", 10) for i in heard]
        rows += [(ident, day, dim, key, chance.randrange(1, 100)) for dim, names in keys.items() for key in names]
    db.executemany("INSERT INTO op3_daily (podcast_id, day, dim, key, n) VALUES (?, ?, ?, ?, ?)", rows)
    db.execute("INSERT INTO op3_counts SELECT podcast_id, episode_number, guid, title, publish_at, 10, 20, 30, 40, 50, id"
               " FROM episodes WHERE podcast_id = ? ORDER BY publish_at DESC LIMIT 200", (ident,))
    db.execute("INSERT INTO op3_shows (podcast_id, show_until, as_of, downloads_30d, weekly, num_weeks, counts_at, episodes_at,"
               " fresh_until) VALUES (?, ?, ?, 1, '[1,2,3,4]', 4, ?, ?, ?)",
               (ident, now + 10 ** 9, str(today - timedelta(1)), now, now, now + 10 ** 9))
    db.execute("INSERT INTO op3_sync (podcast_id, first_day, complete_through, backfill_done, updated_at) VALUES (?, ?, ?, 1, ?)",
               (ident, str(today - timedelta(days)), str(today - timedelta(1)), now))
    return len(rows)


def add_unknown(db, n):
    """Podcasts that OP3 was never asked for."""
    owner, = db.execute("SELECT id FROM users WHERE role = 'admin' ORDER BY created_at, id LIMIT 1").fetchone()
    db.executemany("INSERT INTO podcasts (id, user_id, name, podcast_guid, created_at) VALUES (?, ?, 'Unknown', ?, 1)",
                   [(f"unknown-{i}", owner, f"{i:036d}") for i in range(n)])


def ask(instance, path):
    """One request on a connection that is there: seconds, body."""
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=30)
    connection.connect()
    begin = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": f"Bearer {instance.token}"})
    body = connection.getresponse().read()
    taken = time.perf_counter() - begin
    connection.close()
    return taken, body


def while_it_hangs(instance, fake):
    """Seconds of a first answer, of one that is asked again, and of first answers while the breaker is open."""
    path = "/api/dashboard/stats?podcast_id=unknown-{}"
    first, body = ask(instance, path.format(0))
    again, _ = ask(instance, path.format(0))
    asked = 1
    while b"breaker_open" not in body and asked < 2 * WAITING:
        _, body = ask(instance, path.format(asked))
        asked += 1
    hits = fake.count()
    opened = [ask(instance, path.format(asked + i)) for i in range(ALONE)]
    if any(b"breaker_open" not in body for _, body in opened) or fake.count() != hits:
        raise RuntimeError("the breaker is not open")
    return first, again, max(taken for taken, _ in opened)


def median_ms(instance, path):
    ask(instance, path)
    return statistics.median(ask(instance, path)[0] for _ in range(ALONE)) * 1000


def fake_op3(source):
    sys.path.insert(0, str(source / "t/upstream"))
    from fake import hang
    from op3 import OP3
    fake = OP3(token="bench")
    fake.misbehave(hang)
    return fake
