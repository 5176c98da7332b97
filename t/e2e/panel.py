#!/usr/bin/env -S /usr/bin/python3 -B
"""The panel in headless Chromium (t/browser/panel.mjs), on demonstration data, podcasts that a fake OP3 counts, and a
product whose rows come from a MariaDB of its own."""
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import product
from harness import PILOTHOUSE, SOURCE, Instance, expect, run, test

sys.path.insert(0, str(SOURCE / "t/upstream"))
from fake import Reply, Upstream, as_json               # noqa: E402
from mariadb import MariaDB, Proxy                      # noqa: E402
from op3 import DAY, OP3, day_of, generate, ms_of       # noqa: E402

MARKUP = "<img src=x onerror=alert(1)>"
PASSWORDS = {"root": "correct horse battery", "viewer": "staple or something", "host": "battery of horses"}
PRODUCT_DAYS, PRODUCT_USERS, LISTED, ROOMS, WEEKS = 100, 400, 40, 50, 12
NOW = int(time.time()) * 1000
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Third Watch</title>
<item><title>Dog Watch</title><guid>third-1</guid><pubDate>Mon, 03 Nov 2025 06:00:00 GMT</pubDate>
<enclosure url="https://media.example.com/third-1.mp3" length="1000" type="audio/mpeg"/></item></channel></rss>"""


class Hand(Upstream):
    """What a test in the browser does behind the panel's back: GET /DEED; and a feed to import."""

    def answer(self, hit):
        deed, _, argument = hit.path.removeprefix("/").partition("/")
        if deed == "feed.xml":
            return Reply(200, FEED.encode(), {"Content-Type": "application/rss+xml"})
        do = {"refuse": op3.refuse, "accept": op3.accept, "mode": op3.mode, "sql": instance.sql,
              "product": counted, "model": model, "sync": lambda: sync(instance), "source": source.execute,
              "source-refuse": way.refuse, "source-normal": way.normal,
              "fail-first-sync": lambda: sync(blank, DB_HOST="127.0.0.1", DB_PORT="1")}[deed]
        done = do(*[argument] if argument else [])
        return as_json(done if isinstance(done, dict) else {})


def sync(of, **env):
    of.run("jobs", "run", "readmodel", status=None, **env)


def model(script):
    """Write to the read model behind everybody's back."""
    db = sqlite3.connect(instance.home / "analytics.db", timeout=10)
    db.executescript(script)
    db.close()


def listed(values):
    """[value, how often] of the most frequent ones; how many there are; all together."""
    counts = product.by_count(Counter(values))
    return {"items": counts[:LISTED], "values": len(counts), "total": sum(n for _, n in counts)}


def counted():
    """What the pages of product analytics should show, from the rows of the source."""
    now = int(time.time()) * 1000
    day = lambda ago: product.date_of(product.day_of(now) - ago)
    known = {row["id"]: row for row in rows.rooms}
    votes = Counter(row["room_id"] for row in rows.votes)
    by_votes = sorted(votes, key=lambda room: (-votes[room], -room))[:ROOMS]
    by_use = sorted(rows.rooms, key=lambda row: (-row["last_used_at"], -row["id"]))[:ROOMS]
    best = known[next(room for room in by_votes if room in known and known[room]["name"].startswith("room-"))]
    of_users = lambda *columns: listed(tuple(row[c] for c in columns) for row in rows.users)
    return {
        **product.overview(rows, now, start), "historical": product.historical7(rows, now, start),
        "cohorts": product.cohorts(rows, now, start)[-WEEKS:],
        "compare": {days: product.compare(rows, day(days), day(1)) for days in (7, 30)},
        "rooms": {"votes": [votes[room] for room in by_votes],
                  "last_used_at": [str(row["number"]) for row in by_use]},
        "room": {**best, **product.room_stats(rows, best["id"])},
        "lists": {
            "Pages": listed(row["route"] for row in rows.page_views),
            "Sources": listed(product.category(row["source"]) for row in rows.page_views
                              if row["source"] is not None),
            "Events": listed(row["event"] for row in rows.events),
            "Rooms": listed(known.get(row["room_id"], {}).get("name") for row in rows.votes),
            "Countries": of_users("country"), "Regions": of_users("country", "region"),
            "Cities": of_users("country", "city"), "Devices": of_users("device"),
            "Operating systems": of_users("os"), "Browsers": of_users("browser"),
        },
    }


def podcast(name, title, show, created_at):
    """SQL that gives a show and its episodes to root, the newest one under a title of ours."""
    lines = [f"INSERT INTO podcasts (id, user_id, name, feed_url, created_at) SELECT '{name}', id, '{title}',"
             f" '{show.feed_url}', {created_at} FROM users WHERE name = 'root'"]
    for number, episode in enumerate(reversed(show.episodes), 1):
        out = ms_of(episode["pubdate"])
        own = MARKUP if number == len(show.episodes) else episode["title"]
        lines.append("INSERT INTO episodes (id, podcast_id, title, guid, episode_number, status, publish_at, processed_at,"
                     f" created_at) VALUES ('{name}-{number}', '{name}', '{own}', '{episode['itemGuid']}', {number},"
                     f" 'published', {out}, {out}, {out})")
    return ";".join(lines)


shows = [generate(seed, day_of(NOW - days * DAY), NOW, episodes=6, rows=rows)
         for seed, days, rows in (("harbour", 75, 3000), ("second", 40, 900))]
op3 = OP3(shows, now=NOW)
start = product.date_of(product.day_of(NOW) - PRODUCT_DAYS + 1)
rows = product.generate("panel", users=PRODUCT_USERS, days=PRODUCT_DAYS, start=start, none_text=False)
for row in rows.users:      # the browser takes such a text for a value that nobody formatted
    row.update({column: "nil" for column, value in row.items() if value == "null"})
source = MariaDB()
source.create_tables()
source.grant("fpp", "secret")
source.load(rows)
way = Proxy(source.port)
hand = Hand()
instance = Instance(PH_JOBS="publisher", PH_LIVE_INTERVAL_MS=1000, PH_RATE_TOKEN=0, PH_RATE_ADDRESS=0, PH_RATE_ACTION=1000,
                    PH_ALLOW_LOOPBACK_HTTP=1, PH_WEBHOOK_ALLOW="127.0.0.1", OP3_BASE_URL=op3.base, OP3_TOKEN=op3.token,
                    BREAKER_OP3_TIMEOUT=1, DB_HOST="127.0.0.1", DB_PORT=way.port, DB_PASSWORD="secret",
                    FPP_START_DATE=start).with_admin()
instance.add_user("viewer", "viewer")
instance.add_user("host", "operator")
for name, password in PASSWORDS.items():
    instance.run("user", "passwd", name, text=password + "\n")
instance.run("demo", "--rows", "5000")
instance.sql(f"UPDATE video_assets SET title = '{MARKUP}' WHERE id ="
             " (SELECT video_asset_id FROM clips WHERE id = (SELECT clip_id FROM publish_logs LIMIT 1))")
instance.sql("DELETE FROM podcasts")      # the demonstration's: our OP3 does not know it
for name, title, show, age in (("p1", "Night Harbour", shows[0], 2), ("p2", "Second Wind", shows[1], 1)):
    instance.sql(podcast(name, title, show, NOW - age * DAY))
instance.sql("INSERT INTO episodes (id, podcast_id, status, publish_at, created_at)"
             f" VALUES ('next', 'p1', 'pending', {NOW + DAY}, {NOW})")
instance.start()
instance.run("jobs", "run", "op3-sync")
sync(instance)
blank = Instance().with_admin()         # where no product ever was
blank.run("user", "passwd", "root", text=PASSWORDS["root"] + "\n")
blank.start()
work = Path(instance.home) / "screenshots"
work.mkdir()
done = subprocess.run(
    ["node", SOURCE / "t/browser/panel.mjs", f"http://127.0.0.1:{instance.port}", work],
    input=json.dumps({**PASSWORDS, "token": instance.token, "pilothouse": str(PILOTHOUSE), "home": str(instance.home),
                      "hand": hand.url, "blank": f"http://127.0.0.1:{blank.port}",
                      "shows": [{"counts": s.counts, "recent": s.recent} for s in shows]}),
    env=os.environ | instance.env, capture_output=True, text=True, timeout=1200)
results = [json.loads(line) for line in done.stdout.splitlines()]

for result in results:
    @test(result["name"])
    def _(result=result):
        expect(result["ok"], result["detail"])


@test("the browser ran to its end")
def _():
    expect(done.returncode == 0 and len(results) >= 20, done.stderr[-2000:])


run()
