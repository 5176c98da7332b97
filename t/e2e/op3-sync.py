#!/usr/bin/env -S /usr/bin/python3 -B
"""job-op3-sync: the days in the database are those of OP3's single downloads, whatever happens on the way.

OP3 is a fake with a show made from a seed; what must come of it is counted here, from the show's rows alone.
"""
import json
import random
import re
import subprocess
import sys
from collections import Counter

from harness import LIBEXEC, SOURCE, Instance, expect, expect_equal, run, test, wait_until

sys.path.insert(0, str(SOURCE / "t/upstream"))
from fake import broken, cut, hang, html, huge, odd, silent, slow, status       # noqa: E402
from op3 import DAY, NOW, OP3, day_of, generate, iso, make_row, ms_of           # noqa: E402

MINUTE, HOUR = 60_000, 3_600_000
LEASE_MS = 120_000                  # spec data hub 4.1
SECRET = "op3-secret-7f3a9c51"
PAGES = "/downloads/show/"
PAGE = 150                          # rows that the fake gives at most
FIRST = "2025-05-20"
RUN_S = 120


def brute(show, until=NOW):
    """(day, dim, key): downloads, counted by the rules of the specification; a device without a name is its
    type, or unknown."""
    found = Counter()
    for at, row in show.rows:
        if "botType" in row or at >= until:
            continue
        keys = {"total": "", "episode": row.get("episodeId"), "country": row.get("countryCode", "XX"),
                "device": row.get("deviceName", row.get("deviceType", "unknown")), "app": None}
        if row.get("agentType") == "app":
            keys["app"] = row.get("agentName")
        elif row.get("agentType") == "library" and row.get("agentName") == "AppleCoreMedia":
            keys["app"] = "Unknown Apple App"
        elif row.get("agentType") == "browser" and row.get("referrerType") == "app":
            keys["app"] = row.get("referrerName")
        for dim, key in keys.items():
            if key is not None:
                found[row["time"][:10], dim, key] += 1
    return dict(found)


fakes = []


class Station(Instance):
    """Instances whose OP3 knows some shows, each the podcast pN of its own user."""

    def __init__(self, *shows, rows_max=PAGE, **settings):
        self.shows = shows
        self.op3 = OP3(shows, token=SECRET, rows_max=rows_max)
        fakes.append(self.op3)
        super().__init__(now=NOW, **{"OP3_BASE_URL": self.op3.base, "OP3_TOKEN": SECRET, "PH_ALLOW_LOOPBACK_HTTP": 1,
                                     "OP3_JOB_TIMEOUT_MS": 5000, **settings})
        self.with_admin()
        db = self.connect()
        for n, show in enumerate(shows):
            db.execute("INSERT INTO users (id, name, role, created_at) VALUES (?, ?, 'viewer', 1)", (f"u{n}", f"user{n}"))
            db.execute("INSERT INTO podcasts (id, user_id, name, podcast_guid, feed_url, created_at) VALUES (?, ?, ?, ?, ?, 1)",
                       (f"p{n}", f"u{n}", show.title, show.guid, show.feed_url))
        db.close()

    def begin(self, now=NOW):
        """Start one run of the job."""
        self.op3.now = now
        env = {**self.env, "PH_HOME": str(self.home), "PH_NOW_MS": str(now)}
        return subprocess.Popen([LIBEXEC / "job-op3-sync", "--once"], env=env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8")

    def job(self, now=NOW, status=0):
        """One whole run; what it says.  status None: any."""
        process = self.begin(now)
        said = process.communicate(timeout=RUN_S)[1]
        if status is not None:
            expect_equal(process.returncode, status, f"exit status: {said}")
        return said

    def finish(self, now, tries=12):
        """Run until every podcast is done, each time when the job would; the instant then."""
        for _ in range(tries):
            self.job(now, status=None)
            if not self.rows("SELECT 1 FROM op3_sync WHERE backfill_done = 0 OR error_code IS NOT NULL"):
                return now
            self.heal()
            now = max(now + LEASE_MS, self.rows("SELECT min(next_at) FROM op3_sync")[0][0])
        raise AssertionError(f"not done by {iso(now)}: {self.rows('SELECT * FROM op3_sync')}")

    def heal(self):
        """Nothing is known of OP3's health."""
        (self.home / "run" / "state.shm").unlink(missing_ok=True)

    def stored(self, podcast="p0"):
        return {(day, dim, key): n for day, dim, key, n in
                self.rows(f"SELECT day, dim, key, n FROM op3_daily WHERE podcast_id = '{podcast}' AND n > 0")}

    def sync(self, podcast="p0"):
        """first_day, complete_through, backfill_done; or Nones."""
        rows = self.rows("SELECT first_day, complete_through, backfill_done FROM op3_sync"
                         f" WHERE podcast_id = '{podcast}'")
        return rows[0] if rows else (None, None, 0)

    def expect_whole(self, now=NOW, podcast="p0", show=None, what="after the run"):
        """Everything is there, as it should be."""
        want = brute(show or self.shows[int(podcast[1:])], now)
        expect_same(self.stored(podcast), want, f"{podcast} {what}")
        expect_equal(self.sync(podcast), (min(day for day, *_ in want), day_of(now - DAY), 1), f"sync of {podcast} {what}")

    def expect_honest(self, now=NOW, what=""):
        """What is stored is right as far as it claims to reach, and nothing lies beyond."""
        want, stored = brute(self.shows[0], now), self.stored()
        _first, through, done = self.sync()
        if not done:
            want = {k: n for k, n in want.items() if through is not None and k[0] <= through}
            expect_same(stored, want, f"{what}, through {through}")
        else:
            expect_same({k: n for k, n in stored.items() if k[0] <= through},
                        {k: n for k, n in want.items() if k[0] <= through}, f"{what}, through {through}")

    def verify(self):
        self.run("verify")


def expect_same(got, want, what):
    """Like expect_equal, but it says which rows differ."""
    if got != want:
        differ = sorted(k for k in got.keys() | want.keys() if got.get(k) != want.get(k))
        lines = [f"{k}: {want.get(k)} expected, {got.get(k)} seen" for k in differ[:8]]
        expect(False, f"{what}: {len(differ)} rows differ\n" + "\n".join(lines))


# A month that is a multiple of a page: its last page is empty.
even = generate(3, FIRST, NOW, episodes=25, rows=2400)
july = [i for i, (_, row) in enumerate(even.rows) if row["time"][:7] == "2025-07" and "botType" not in row]
for _i in reversed(july[:len(july) % PAGE]):
    del even.rows[_i]
plain = generate(4, FIRST, NOW, episodes=12, rows=2000)


# -- whole runs -------------------------------------------------------------------------------


@test("a first run stores every day by total, episode, country, app and device; the next adds nothing")
def _():
    one = Station(even)
    one.job()
    one.expect_whole()
    expect_equal({dim for _, dim, _ in one.stored()}, {"total", "episode", "country", "app", "device"}, "dimensions")
    one.verify()
    later = NOW + 4 * HOUR
    one.job(later)
    one.expect_whole(later, what="after another run")
    one.verify()
    for hit in one.op3.hits:
        expect_equal((hit.method, hit.headers["Authorization"]), ("GET", f"Bearer {SECRET}"), hit.target)
        expect(SECRET not in hit.target and "token" not in hit.query, hit.target)


@test("episodes of OP3's are known by its ids, and as ours; so are the apps of the last months")
def _():
    one = Station(plain)
    ours = [(f"e{n}", e["itemGuid"]) for n, e in enumerate(plain.episodes[:5])]
    for ident, guid in ours:
        one.sql(f"INSERT INTO episodes (id, podcast_id, guid, created_at) VALUES ('{ident}', 'p0', '{guid}', 1)")
    one.job()
    mine = dict((guid, ident) for ident, guid in ours)
    rows = one.rows("SELECT op3_id, item_guid, title, pubdate, episode_id FROM op3_episodes WHERE podcast_id = 'p0'")
    expect_equal(sorted(rows), sorted((e["id"], e["itemGuid"], e["title"], ms_of(e["pubdate"]), mine.get(e["itemGuid"]))
                                      for e in plain.episodes), "episodes")
    apps, = one.rows("SELECT apps FROM op3_shows WHERE podcast_id = 'p0'")[0]
    expect_equal(json.loads(apps), plain.apps, "apps")


@test("pages as long as the job asks for, days and months to the last millisecond")
def _():
    chance = random.Random(8)
    busy = generate(5, "2025-09-01", NOW, episodes=5, rows=300)
    edges = [ms_of(day) + after for day in ("2025-09-01", "2025-09-02", "2025-10-01", "2025-10-20", "2025-10-23")
             for after in (0, 1, -1) if day != "2025-09-01" or after >= 0]
    crowd = [ms_of("2025-09-10") + chance.randrange(3 * DAY) for _ in range(11_000)]
    busy.rows = sorted([*busy.rows, *(make_row(chance, busy, at) for at in edges + crowd)], key=lambda r: r[0])
    one = Station(busy, rows_max=20_000)
    one.job()
    one.expect_whole()
    limits = {int(hit.query["limit"][0]) for hit in one.op3.hits if PAGES in hit.target}
    expect(max(limits) <= 20_000, f"limits {limits}")


@test("what identifies a listener is nowhere in the database, nor in a log")
def _():
    one = Station(plain)
    one.job()
    listener = re.compile(rb"(audience|address)[0-9a-f]{32}")
    expect(listener.search(plain.rows[0][1]["audienceId"].encode()), "what to look for")
    for path in one.home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            expect(not listener.search(data), f"a listener is in {path}")
            expect(SECRET.encode() not in data or path.name == "pilothouse.conf", f"the token is in {path}")


@test("several podcasts, one of which OP3 does not know, and one without a feed")
def _():
    other = generate(6, "2025-08-10", NOW, episodes=4, rows=400)
    stranger = generate(7, "2025-08-10", NOW, episodes=4, rows=100)
    one = Station(even, other, stranger)
    one.op3.shows.remove(stranger)
    one.sql("INSERT INTO podcasts (id, user_id, name, created_at) VALUES ('bare', 'u0', 'Bare', 1)")
    one.job(status=None)
    one.expect_whole(podcast="p0")
    one.expect_whole(podcast="p1")
    expect_equal((one.stored("p2"), one.stored("bare")), ({}, {}), "the others")
    expect_equal((one.sync("p2")[1:], one.sync("bare")[1:]), ((None, 0), (None, 0)), "the others")
    expect_equal(one.rows("SELECT error_code FROM op3_sync WHERE podcast_id = 'p2'"), [("not_registered",)], "why")
    known = [text for show in (even, other) for text in (show.uuid, show.guid)]
    tried = [hit.target for hit in one.op3.hits if "/shows/" in hit.target and not any(text in hit.target for text in known)]
    expect(len(tried) <= 4, f"look-ups: {tried}")
    one.verify()


@test("a show that has no downloads yet is no failure")
def _():
    quiet = generate(9, "2025-10-01", NOW, episodes=2, rows=10)
    quiet.rows, quiet.counts, quiet.recent, quiet.hours = [], None, [], None
    one = Station(quiet)
    one.job()
    expect_equal((one.stored(), one.sync()[:2]), ({}, (None, None)), "nothing")
    loud = generate(10, "2025-10-22", NOW + HOUR, episodes=2, rows=100)
    quiet.rows = [(at, {**row, "showUuid": quiet.uuid}) for at, row in loud.rows]
    later = max(NOW + HOUR, one.rows("SELECT coalesce(max(next_at), 0) FROM op3_sync")[0][0])
    later = one.finish(later)
    expect_same(one.stored(), brute(quiet, later), "its first downloads")


@test("a show whose first download is of today, or of one of the last days")
def _():
    for first in ("2025-10-23", "2025-10-22", "2025-10-20", "2025-10-19"):
        show = generate(17, first, NOW + 3 * DAY, episodes=3, rows=400)
        one = Station(show)
        everything, show.rows = show.rows, [r for r in show.rows if r[0] < NOW]
        one.job()
        expect_same(one.stored(), brute(show), f"first on {first}")
        expect_equal((one.sync()[0], one.sync()[2]), (first, 1), f"first on {first}")
        show.rows = [r for r in everything if r[0] < NOW + 2 * DAY]
        one.job(NOW + 2 * DAY)
        one.expect_whole(NOW + 2 * DAY, what=f"first on {first}, two days later")
        one.verify()


@test("OP3 switched off or without a token: no call, no change, no failure of others")
def _():
    for settings in ({"OP3_ENABLED": 0}, {"OP3_TOKEN": ""}):
        one = Station(plain, **settings)
        one.job(status=None)
        expect_equal((one.op3.count(), one.stored()), (0, {}), settings)


# -- killed -----------------------------------------------------------------------------------


def page_count():
    """Pages of an undisturbed first run."""
    one = Station(even)
    one.job()
    return one.op3.count(PAGES)


@test("killed at any page it goes on where it was: the same days, nothing twice")
def _():
    pages = page_count()
    expect(pages > 12, f"{pages} pages")
    for page in sorted({0, 1, 2, 3, pages // 3, pages // 2, pages * 3 // 4, pages - 2, pages - 1}):
        one = Station(even)
        one.op3.misbehave(hang, where=PAGES, skip=page)
        process = one.begin()
        wait_until(lambda: one.op3.count(PAGES) > page, f"page {page} of {pages}", 60)
        process.kill()
        process.communicate()
        one.op3.behave()
        one.expect_honest(what=f"killed at page {page}")
        before = one.op3.count(PAGES)
        later = one.finish(NOW + LEASE_MS)
        one.expect_whole(later, what=f"after a kill at page {page}")
        if page > pages // 2:
            expect(one.op3.count(PAGES) - before < pages, "what was stored is not read again")
        one.verify()


@test("killed again and again at any instant")
def _():
    chance = random.Random(12)
    one = Station(even)
    now = NOW
    for _ in range(12):
        one.op3.misbehave(slow(0.01))
        before = one.op3.count()
        process = one.begin(now)
        wanted = before + chance.randrange(1, 12)
        wait_until(lambda: one.op3.count() >= wanted or process.poll() is not None, "calls", 60)
        process.kill()
        process.communicate()
        one.op3.behave()
        one.expect_honest(now, "after a kill")
        now += LEASE_MS
    now = one.finish(now)
    one.expect_whole(now, what="in the end")
    one.verify()


@test("told to stop it stops, and what it was at is left for the next run")
def _():
    one = Station(even)
    one.op3.misbehave(slow(0.05))
    process = one.begin()
    wait_until(lambda: one.op3.count(PAGES) > 4, "pages", 60)
    process.terminate()
    process.communicate(timeout=RUN_S)
    one.op3.behave()
    one.expect_honest(what="stopped")
    now = one.finish(max(NOW + MINUTE, one.rows("SELECT coalesce(min(next_at), 0) FROM op3_sync")[0][0]))
    one.expect_whole(now, what="afterwards")


@test("two at once: one works, nothing is counted twice")
def _():
    one = Station(even)
    one.op3.misbehave(slow(0.02))
    first, second = one.begin(), one.begin()
    said = [p.communicate(timeout=RUN_S)[1] for p in (first, second)]
    expect_equal(sorted(p.returncode for p in (first, second)), [0, 75], f"exit status: {said}")
    expect(any("another process" in text for text in said), said)
    one.expect_whole(what="after both")
    one.verify()


@test("a run that outlasted its lease writes nothing over its successor")
def _():
    one = Station(even)
    one.op3.misbehave(hang, where=PAGES, skip=6, times=1)
    held = one.begin()
    wait_until(lambda: one.op3.count(PAGES) > 6, "it hangs", 60)
    later = NOW + LEASE_MS
    one.job(later)
    one.expect_whole(later, what="the successor's")
    one.op3.behave()
    held.communicate(timeout=RUN_S)
    expect_same(one.stored(), brute(even, later), "after the late one's end")
    one.verify()


# -- faults -----------------------------------------------------------------------------------


def first_row(**members):
    """Replace members of the first row of each page that has one; the value ... takes one away."""
    def make(value):
        if value["rows"]:
            row = {**value["rows"][0], **members}
            value["rows"][0] = {k: v for k, v in row.items() if v is not ...}
        return value
    return odd(make)


def with_member(**members):
    return odd(lambda value: {k: v for k, v in {**value, **members}.items() if v is not ...})


FAULTS = [
    ("hang", hang, "timeout"), ("cut", cut, None), ("silent", silent, "network"), ("huge", huge, "bad_response"),
    ("html", html, "bad_response"), ("broken", broken, "bad_response"), ("500", status(500), "upstream_error"),
    ("503", status(503), "upstream_error"), ("429", status(429), "rate_limited"), ("401", status(401), "unauthorized"),
    ("403", status(403), "unauthorized"), ("array", odd(lambda v: [v]), "bad_response"),
    ("no rows", with_member(rows=...), "bad_response"), ("rows null", with_member(rows=None), "bad_response"),
    ("rows text", with_member(rows="x"), "bad_response"), ("rows object", with_member(rows={}), "bad_response"),
    ("row null", odd(lambda v: {**v, "rows": [None, *v["rows"]]}), "bad_response"),
    ("token number", with_member(continuationToken=7), "bad_response"),
    ("token list", with_member(continuationToken=["x"]), "bad_response"),
    ("time missing", first_row(time=...), "bad_response"), ("time number", first_row(time=7), "bad_response"),
    ("time text", first_row(time="yesterday"), "bad_response"), ("no such day", first_row(time="2025-02-30T00:00:00.000Z"),
                                                                 "bad_response"),
    ("country number", first_row(countryCode=7), "bad_response"), ("agent list", first_row(agentName=["x"]), "bad_response"),
    ("episode object", first_row(episodeId={}), "bad_response"),
]


@test("whatever goes wrong on a page, nothing of its unit is stored; then it goes on, and all is right")
def _():
    pages = page_count()
    chance = random.Random(13)
    for name, fault, code in FAULTS:
        page = chance.randrange(2, pages)
        one = Station(even, OP3_JOB_TIMEOUT_MS=1000)
        one.op3.misbehave(fault, where=PAGES, skip=page)
        one.job(status=None)
        one.op3.behave()
        one.expect_honest(what=f"{name} on page {page}")
        seen = one.rows("SELECT error_code FROM op3_sync")
        expect(len(seen) == 1 and (seen[0][0] == code or code is None and seen[0][0]), f"code of {name}: {seen}, not {code}")
        one.heal()
        later = one.finish(max(NOW + MINUTE, one.rows("SELECT next_at FROM op3_sync")[0][0]))
        one.expect_whole(later, what=f"after {name} on page {page}")
        one.verify()


@test("a page that fails for a moment is asked for again")
def _():
    one = Station(even)
    for skip in (3, 7, 9):
        one.op3.misbehave(status(503), where=PAGES, times=1, skip=skip)
    one.job()
    one.expect_whole()


@test("a row of a time that was not asked for is never counted there")
def _():
    for wrong in ("2025-06-01T00:00:00.000Z", "2024-01-01T00:00:00.000Z", "2031-01-01T00:00:00.000Z"):
        one = Station(even)
        one.op3.misbehave(first_row(time=wrong), where=PAGES, skip=9, times=3)
        one.job(status=None)
        stored, want = one.stored(), brute(even)
        for (day, dim, key), n in stored.items():
            expect(n <= want.get((day, dim, key), 0), f"{day} {dim} {key}: {n} is too many after {wrong}")
        one.op3.behave()
        one.heal()
        later = one.finish(max(NOW + MINUTE, one.rows("SELECT next_at FROM op3_sync")[0][0]))
        expect_same({k: n for k, n in one.stored().items() if k[0] > "2025-09"},
                    {k: n for k, n in brute(even, later).items() if k[0] > "2025-09"}, "the days read since")


@test("pages that go round in a circle end the run, not the other way round")
def _():
    def circle(talk):
        first = talk.hit._replace(target=re.sub("&?continuationToken=[^&]*", "", talk.hit.target))
        reply = one.op3.answer(first)
        value = {**json.loads(reply.body), "continuationToken": "9" * 50}
        talk.send(reply._replace(body=json.dumps(value).encode()))

    one = Station(even)
    one.op3.misbehave(circle, where=PAGES, skip=4)
    one.job(status=None)
    one.op3.behave()
    one.expect_honest(what="after a circle")
    expect(one.rows("SELECT error_code FROM op3_sync") != [(None,)], "it is a failure")


@test("a fault in a later run leaves the stored days exactly as they are")
def _():
    for name, fault, _code in FAULTS[::3]:
        one = Station(even)
        one.job()
        before = one.stored(), one.sync()
        one.op3.misbehave(fault, where=PAGES)
        one.configure(OP3_JOB_TIMEOUT_MS=1000)
        one.job(NOW + 4 * HOUR, status=None)
        expect_same(one.stored(), before[0], f"days after {name}")
        expect_equal(one.sync(), before[1], f"sync after {name}")
        expect(one.rows("SELECT error_code FROM op3_sync") != [(None,)], f"{name} is known")


@test("the database locked for a while: nothing is lost or counted twice")
def _():
    one = Station(even, PH_BUSY_TIMEOUT_MS=50)
    one.op3.misbehave(slow(0.02))
    process = one.begin()
    db = one.connect()
    for page in (2, 5, 8):
        wait_until(lambda: one.op3.count(PAGES) > page or process.poll() is not None, "pages", 60)
        db.execute("BEGIN IMMEDIATE")
        seen = one.op3.count()
        wait_until(lambda: one.op3.count() > seen + 3 or process.poll() is not None, "it goes on or gives up", 60)
        db.execute("ROLLBACK")
    db.close()
    process.communicate(timeout=RUN_S)
    one.op3.behave()
    one.expect_honest(what="after locks")
    one.heal()
    one.expect_whole(one.finish(NOW + LEASE_MS + HOUR), what="in the end")


# -- days that change -------------------------------------------------------------------------


def altered(show, chance, day):
    """The show's rows with half of a day's downloads gone and some new ones."""
    kept = [r for r in show.rows if r[1]["time"][:10] != day or chance.random() < 0.5]
    return sorted([*kept, *(make_row(chance, show, ms_of(day) + chance.randrange(12 * HOUR)) for _ in range(7))],
                  key=lambda r: r[0])


@test("the last three days and today are read again, and no older one")
def _():
    chance = random.Random(14)
    show = generate(15, "2025-08-01", NOW, episodes=8, rows=1500)
    one = Station(show)
    one.job()
    one.expect_whole()
    old = brute(show)
    for day in ("2025-08-15", "2025-10-10", "2025-10-20", "2025-10-21", "2025-10-22", "2025-10-23"):
        show.rows = altered(show, chance, day)
    show.rows = [r for r in show.rows if not r[1]["time"].startswith("2025-10-21")]     # a day that becomes empty
    later = NOW + 4 * HOUR
    one.job(later)
    want = {k: n for k, n in brute(show, later).items() if k[0] >= "2025-10-20"}
    expect_same(one.stored(), {**{k: n for k, n in old.items() if k[0] < "2025-10-20"}, **want}, "the days")
    expect_equal(one.sync(), ("2025-08-01", "2025-10-22", 1), "the sync")
    starts = [hit.query["start"][0][:7] for hit in one.op3.hits[-6:] if PAGES in hit.target and "start" in hit.query]
    expect(starts and set(starts) == {"2025-10"}, f"months asked for: {starts}")
    one.verify()


@test("a day later the next day is whole; after two silent weeks no day is missing")
def _():
    end = NOW + 20 * DAY
    show = generate(16, "2025-09-15", end, episodes=8, rows=1500)
    everything = show.rows

    def until(now):
        show.rows = [r for r in everything if r[0] < now]
        return now

    one = Station(show)
    for now in (NOW, NOW + DAY, NOW + DAY + 4 * HOUR, NOW + 2 * DAY - 13 * HOUR, NOW + 16 * DAY, NOW + 16 * DAY + 12 * HOUR):
        one.job(until(now))
        one.expect_whole(now, what=f"at {iso(now)}")
    one.verify()


@test("a show that OP3 knows by another UUID now: nothing of the former stays, and the days are those of the new one")
def _():
    for minutes in (1, 4 * 60):             # the figures of the stats are still fresh, or asked for anew
        former, now = generate(17, "2025-08-01", NOW, episodes=6, rows=900), NOW + minutes * MINUTE
        one = Station(former)
        one.job()
        one.expect_whole(what="before")
        moved = generate(18, "2025-09-10", NOW, episodes=5, rows=700)
        moved.guid = former.guid
        one.op3.shows[:] = [moved]
        db = one.connect()
        db.execute("UPDATE op3_sync SET next_at = 0")
        db.close()
        one.job(now)
        one.expect_whole(now, show=moved, what=f"{minutes} minutes later")
        expect_equal(one.rows("SELECT op3_show_uuid FROM podcasts"), [(moved.uuid,)], "its UUID")
        one.verify()


@test("it runs every three hours or so, not at every turn; a refresh makes it run")
def _():
    one = Station(plain)
    one.job()
    before = one.op3.count()
    one.job(NOW + MINUTE)
    expect_equal(one.op3.count(), before, "calls a minute later")
    next_at = one.rows("SELECT next_at FROM op3_sync")[0][0]
    expect(NOW + 2 * HOUR <= next_at <= NOW + 4 * HOUR, f"next at {iso(next_at)}")
    one.job(next_at)
    expect(one.op3.count(PAGES) > 0 and one.op3.count() > before, "calls when it is due")


# -- what is seen meanwhile -------------------------------------------------------------------


@test("while it runs the status says where it is; afterwards that it is done")
def _():
    def status_at(now=NOW):
        items = json.loads(one.get("/api/analytics/podcasts?user_id=u0", PH_NOW_MS=str(now)))["items"]
        return items[0]["sync"]

    one = Station(even)
    expect_equal(status_at()["state"], "never", "before")
    one.op3.misbehave(hang, where=PAGES, skip=9)
    process = one.begin()
    wait_until(lambda: one.op3.count(PAGES) > 9, "it hangs", 60)
    sync = status_at()
    expect_equal((sync["state"], sync["backfill_done"], sync["first_day"]), ("running", False, FIRST), "while it runs")
    expect(sync["unit"] and 0 < sync["progress"] < 1, f"how far it is: {sync}")
    process.kill()
    process.communicate()
    one.op3.behave()
    later = one.finish(NOW + LEASE_MS)
    sync = status_at(later)
    expect_equal((sync["state"], sync["backfill_done"], sync["first_day"], sync["complete_through"], sync["error_code"]),
                 ("idle", True, FIRST, "2025-10-22", None), "afterwards")
    expect(sync["progress"] in (None, 1, 1.0), f"progress {sync['progress']}")
    one.op3.misbehave(html)
    one.job(later + 4 * HOUR, status=None)
    sync = status_at(later + 4 * HOUR)
    expect_equal((sync["state"], sync["error_code"]), ("failed", "bad_response"), "a failure")


@test("`pilothouse jobs run op3-sync` makes one run now")
def _():
    one = Station(plain)
    one.run("jobs", "run", "op3-sync")
    one.expect_whole()
    listed = {job["name"]: job for job in json.loads(one.run("jobs", "--json").stdout)}
    expect_equal(listed["op3-sync"]["status"], "success", "on record")


@test("the fakes made no mistake")
def _():
    expect_equal([error for op3 in fakes for error in op3.errors], [], "errors")


run()
