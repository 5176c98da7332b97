#!/usr/bin/env -S /usr/bin/python3 -B
"""Podcast analytics: every endpoint against sums that are made here, from random days of downloads.

Most is asked by hand, where the caller is an admin and sees everything; levels, owners and headers through nginx.
"""
import csv
import datetime
import io
import json
import random
import re
import sys
from decimal import ROUND_HALF_UP, Decimal

from harness import SOURCE, Instance, expect, expect_equal, expect_problem, fields, read_xlsx, run, test

sys.path.insert(0, str(SOURCE / "t/upstream"))
from fake import hang, html, status                                              # noqa: E402
from op3 import DAY, NIGHT_HARBOUR, NOW, OP3, generate, iso, ms_of               # noqa: E402

MINUTE, HOUR = 60_000, 3_600_000
TODAY = datetime.date(2025, 10, 23)
THROUGH = datetime.date(2025, 10, 22)       # the last whole day
FIRST = datetime.date(2024, 8, 3)           # of the random days
MEDIA = {"csv": "text/csv", "tsv": "text/tab-separated-values", "ndjson": "application/x-ndjson",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
NASTY = ["=1+1", "+1", "-1", "@sum", "\tfirst", "\rfirst", 'say "no"', "a,b;c", "line\nbreak", "Ünï 日本",
         "plain", "=cmd|' /C'!A0"]
COMMON = {"podcast_id", "podcast_name", "as_of", "coverage_since", "complete", "source", "cached", "stale", "error_code"}
LEVELS = {"ana": "advanced", "ben": "basic", "cy": "full", "di": "full"}

USERS = """
INSERT INTO users (id, name, role, tier, created_at) VALUES
  ('u1', 'ana', 'viewer', 'creator', 1750000000000), ('u2', 'ben', 'viewer', 'free', 1750000000000),
  ('u3', 'cy', 'manager', 'pro', 1750000000000), ('u4', 'di', 'viewer', 'unlimited', 1750000000000);
"""
VECTORS = """
INSERT INTO podcasts (id, user_id, name, podcast_guid, feed_url, created_at) VALUES
  ('p1', 'u1', 'Night Harbour', '0f7c1c1e-6f0a-5f52-9d54-1d0f3a5b7c11',
   'https://feeds.example.com/night-harbour.xml', 1750000000000);
INSERT INTO episodes (id, podcast_id, title, guid, episode_number, status, publish_at, created_at) VALUES
  ('e1', 'p1', 'Old Pier', 'g-e1', 1, 'published', 1751371200000, 1),
  ('e2', 'p1', 'Low Tide', 'g-e2', 2, 'published', 1757764800000, 1),
  ('e3', 'p1', 'Salt Roads', 'g-e3', 3, 'processed', 1759492800000, 1),
  ('e4', 'p1', 'Fog Signals', 'g-e4', 4, 'published', 1760961600000, 1),
  ('e7', 'p1', 'Harbour Lights', 'g-e7', 7, 'processed', 1761393600000, 1);
INSERT INTO op3_daily (podcast_id, day, dim, n) VALUES
  ('p1', '2025-07-01', 'total', 150), ('p1', '2025-09-13', 'total', 70), ('p1', '2025-09-24', 'total', 22),
  ('p1', '2025-09-30', 'total', 88), ('p1', '2025-10-05', 'total', 97), ('p1', '2025-10-12', 'total', 104),
  ('p1', '2025-10-20', 'total', 101);
INSERT INTO op3_sync (podcast_id, first_day, complete_through, backfill_done, updated_at)
  VALUES ('p1', '2025-07-01', '2025-10-22', 1, 1761220800000);
"""


fakes = []


class Station(Instance):
    """An instance with the vectors.  One that is started stops the one before it, unless that stays."""

    running = None

    def __init__(self, op3=None, now=NOW, started=False, stays=False, **settings):
        self.op3 = op3 or OP3()
        fakes.append(self.op3)
        super().__init__(now=now, **{"OP3_BASE_URL": self.op3.base, "OP3_TOKEN": self.op3.token,
                                     "PH_ALLOW_LOOPBACK_HTTP": 1, **settings})
        self.with_admin()
        self.sql(USERS + VECTORS)
        if started:
            self.tokens = {name: self.make_token(name) for name in LEVELS}
            if Station.running:
                Station.running.stop()
            Station.running = None if stays else self
            self.start()

    def ask(self, path, **env):
        """An answer by hand, numbers as written."""
        return fields(self.get(path, **env))

    def refusal(self, path):
        return json.loads(self.get(path, status=4))

    def warm(self, user="u1"):
        """Have OP3 asked for a user's podcasts."""
        return self.ask(f"/api/dashboard/stats?user_id={user}")

    def insert(self, table, rows):
        """Rows are dicts with the same members."""
        names = list(rows[0])
        db = self.connect()
        db.execute("BEGIN IMMEDIATE")
        db.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(':' + n for n in names)})", rows)
        db.execute("COMMIT")
        db.close()


def of(podcast, endpoint, query=""):
    return f"/api/analytics/podcast/{podcast}/{endpoint}" + (f"?{query}" if query else "")


def days_back(count, last=THROUGH):
    """So many days that end with last, oldest first."""
    return [last - datetime.timedelta(n) for n in reversed(range(count))]


def span(first, last):
    return days_back((last - first).days + 1, last)


class Days:
    """Downloads per day that were made up, and what is to be said of them."""

    def __init__(self, seed, first=FIRST, last=TODAY, busy=40):
        chance = random.Random(seed)
        self.rows = {}              # (day, dim, key): n
        countries = ["US", "PT", "DE", "BR", "JP", "GB", "FR", "XX", "IN"]
        self.episodes = [f"{n:064x}" for n in range(12)]
        for day in span(first, last):
            total = 0 if chance.random() < 0.1 else chance.randrange(busy)
            for _ in range(total):
                self.count(day, "total", "")
                self.count(day, "country", countries[min(chance.randrange(9), chance.randrange(9))])
                if chance.random() < 0.9:
                    self.count(day, "app", chance.choice(NASTY))
                if chance.random() < 0.95:
                    self.count(day, "device", chance.choice(NASTY[:5]))
                if chance.random() < 0.97:
                    self.count(day, "episode", chance.choice(self.episodes))

    def count(self, day, dim, key):
        self.rows[day, dim, key] = self.rows.get((day, dim, key), 0) + 1

    def total(self, days, dim="total", key=""):
        return sum(self.rows.get((day, dim, key), 0) for day in days)

    def by_key(self, days, dim):
        """(key, downloads), the most first, then by key."""
        days, sums = set(days), {}
        for (day, of_dim, key), n in self.rows.items():
            if of_dim == dim and day in days:
                sums[key] = sums.get(key, 0) + n
        return sorted(sums.items(), key=lambda item: (-item[1], item[0].encode()))

    def table(self, podcast):
        return [{"podcast_id": podcast, "day": str(day), "dim": dim, "key": key, "n": n}
                for (day, dim, key), n in self.rows.items()]


def sync_row(podcast, first=FIRST, through=THROUGH, done=1):
    return {"podcast_id": podcast, "first_day": first and str(first), "complete_through": through and str(through),
            "backfill_done": done, "updated_at": NOW}


def add_podcast(one, ident, user="u3", **columns):
    one.insert("podcasts", [{"id": ident, "user_id": user, "name": f"Podcast {ident}", "created_at": 1, **columns}])


def expect_common(answer, podcast, what):
    expect(COMMON <= answer.keys(), f"{what}: {sorted(COMMON - answer.keys())} missing")
    expect_equal(answer["podcast_id"], podcast, what)
    expect(answer["source"] in ("op3_counts", "op3_daily", "mixed"), f"{what}: source {answer['source']}")
    for name in ("complete", "cached", "stale"):
        expect(type(answer[name]) is bool, f"{what}: {name} {answer[name]!r}")


def expect_share(text, n, total, what):
    """n / total, with four decimals at most."""
    expect(re.fullmatch(r"[01](\.\d{1,4})?", str(text)), f"{what}: share {text}")
    expect(abs(Decimal(str(text)) * total - n) <= Decimal("0.00005") * total, f"{what}: {text} of {n}/{total}")


# -- the vectors ------------------------------------------------------------------------------


@test("the vectors: windows of 90, 30 and 7 days, comparisons, a month in part")
def _():
    one = Station(started=True)
    token = one.tokens["ana"]
    expect_equal(one.request("/api/dashboard/stats", token=token).json["plays_30d"], 412, "OP3 was asked")

    def get(endpoint, query):
        answer = one.request(of("p1", endpoint, query), token=token)
        expect_equal(answer.status, 200, answer)
        body = fields(answer.body)
        expect_common(body, "p1", endpoint)
        expect_equal((body["podcast_name"], body["as_of"], body["coverage_since"], body["complete"]),
                     ("Night Harbour", "2025-10-22", "2025-07-01", True), f"{endpoint}?{query}")
        return body

    for days, total in ((90, 482), (30, 412), (7, 101)):
        body = get("downloads", f"days={days}")
        expect_equal((body["total_downloads"], body["period_days"]), (total, days), f"{days} days")
    expect_equal([body[n] for n in ("rss_url", "downloads_7d", "downloads_30d", "downloads_365d", "downloads_all_time",
                                    "weekly_downloads", "num_weeks", "analytics_level")],
                 ["https://feeds.example.com/night-harbour.xml", 101, 412, 632, 632, [88, 97, 104, 101], 4, "advanced"],
                 "the same whatever the window")
    expect_equal(float(body["weekly_avg"]), 97.5, "weekly_avg")
    expect_equal(body["downloads_by_day"], [{"date": str(day), "downloads": 101 if day.day == 20 else 0}
                                            for day in days_back(7)], "the week, filled with zeros")
    for window, want, source in (("7d", (101, 104, -3, "-2.9"), "op3_counts"),
                                 ("30d", (412, 70, 342, "488.6"), "op3_daily")):
        body = get("compare", f"window={window}")
        expect_equal((body["current"], body["previous"], body["change"], str(body["change_pct"])), want, window)
        expect_equal(body["source"], source, window)
    months = get("apps", "")["recent_months"]
    expect(months is None or months["items"] == [{"app": "Apple Podcasts", "downloads": 540},
                                                 {"app": "Overcast", "downloads": 120}], f"OP3's own count: {months}")
    body = get("compare", "window=all")
    expect_equal([body[n] for n in ("current", "previous", "change", "change_pct")], [632, None, None, None], "all")
    body = get("daily", "from=2025-10-01&to=2025-10-22&bucket=month")
    expect_equal(body["series"], [{"start": "2025-10-01", "downloads": 302, "partial": True}], "October")
    expect_equal(body["source"], "op3_daily", "daily")


# -- against random days ----------------------------------------------------------------------

model = Days(5)
rich = Station()
add_podcast(rich, "r")
rich.insert("op3_daily", model.table("r"))
rich.insert("op3_sync", [sync_row("r")])


@test("downloads: every window is the sum of its days, which end with the last whole one")
def _():
    for days in (1, 2, 7, 29, 30, 31, 89, 364, 365):
        body = rich.ask(of("r", "downloads", f"days={days}"))
        expect_common(body, "r", f"{days} days")
        window = days_back(days)
        expect_equal(body["total_downloads"], model.total(window), f"{days} days")
        expect_equal(body["downloads_by_day"], [{"date": str(d), "downloads": model.total([d])} for d in window],
                     f"each of {days} days")
        expect_equal(body["downloads_365d"], model.total(days_back(365)), "a year")
        expect_equal((body["downloads_7d"], body["downloads_30d"], body["weekly_downloads"] or None), (None, None, None),
                     "what only OP3's counts could say")
        for name, dim, key in (("top_countries", "country", "country"), ("top_apps", "app", "app")):
            want = model.by_key(window, dim)
            got = [(item[key], item["downloads"]) for item in body[name]]
            expect(len(got) >= min(len(want), 5), f"{name}: {got}")
            expect_equal(got, want[:len(got)], f"{name} of {days} days")
    body = rich.ask(of("r", "downloads"))
    expect_equal((body["period_days"], body["total_downloads"]), (30, model.total(days_back(30))), "without days=")


@test("daily: days, ISO weeks and months, the first and last of them in part")
def _():
    chance = random.Random(9)
    spans = [(THROUGH, THROUGH), (datetime.date(2025, 9, 29), datetime.date(2025, 10, 19)),
             (datetime.date(2025, 9, 1), datetime.date(2025, 9, 30)), (datetime.date(2024, 12, 30), datetime.date(2025, 1, 5)),
             (datetime.date(2024, 12, 28), datetime.date(2025, 1, 7)), (FIRST, THROUGH)]
    for _ in range(12):
        spans.append(sorted(chance.sample(span(FIRST, THROUGH), 2)))
    starts = {"day": lambda d: d, "week": lambda d: d - datetime.timedelta(d.weekday()), "month": lambda d: d.replace(day=1)}
    for first, last in spans:
        for bucket, start_of in starts.items():
            whole = {}
            for day in span(first - datetime.timedelta(40), last + datetime.timedelta(40)):
                whole.setdefault(start_of(day), []).append(day)
            want = []
            for start, days in whole.items():
                inside = [d for d in days if first <= d <= last]
                if inside:
                    item = {"start": str(start), "downloads": model.total(inside)}
                    want.append(item if inside == days else {**item, "partial": True})
            body = rich.ask(of("r", "daily", f"from={first}&to={last}&bucket={bucket}"))
            expect_common(body, "r", "daily")
            got = [{n: v for n, v in item.items() if not (n == "partial" and v is False)} for item in body["series"]]
            if got and got[0]["start"] == str(first):
                want[0]["start"] = str(first)       # a first bucket in part may be named after its first day
            expect_equal(got, want, f"{first} to {last} by {bucket}")


@test("daily says nothing of today, nor of a day that was never read")
def _():
    body = rich.ask(of("r", "daily", f"from=2025-10-21&to={TODAY}&bucket=day"))
    seen = {item["start"]: item["downloads"] for item in body["series"]}
    expect_equal([seen["2025-10-21"], seen["2025-10-22"]], [model.total([THROUGH - datetime.timedelta(1)]),
                                                           model.total([THROUGH])], "whole days")
    expect_equal(seen.get(str(TODAY)), None, "today")
    one = Station()
    add_podcast(one, "half")
    one.insert("op3_daily", model.table("half"))
    one.insert("op3_sync", [sync_row("half", through=datetime.date(2025, 3, 31), done=0)])
    body = one.ask(of("half", "daily", "from=2025-03-30&to=2025-04-02&bucket=day"))
    seen = {item["start"]: item["downloads"] for item in body["series"]}
    expect_equal(seen["2025-03-31"], model.total([datetime.date(2025, 3, 31)]), "the last day read")
    expect_equal((seen.get("2025-04-01"), body["complete"]), (None, False), "a day that was not")


@test("countries, apps and devices: the most first, shares of all, and the rest in one figure")
def _():
    for endpoint, dim, key in (("countries", "country", "country"), ("apps", "app", "app"), ("devices", "device", "device")):
        for days, limit in ((1, 20), (7, 1), (30, 5), (30, 20), (365, 3), (365, 250), (None, None)):
            query = "" if days is None else f"days={days}&limit={limit}"
            body = rich.ask(of("r", endpoint, query))
            window, what = days_back(days or 30), f"{endpoint}?{query}"
            want = model.by_key(window, dim)
            expect_common(body, "r", what)
            expect_equal([(item[key], item["downloads"]) for item in body["items"]], want[:limit or 20], what)
            total = body["total"]
            expect(total in (sum(n for _, n in want), model.total(window)), f"{what}: total {total}")
            expect_equal(sum(item["downloads"] for item in body["items"]) + body["other"], total, f"{what}: parts")
            expect_equal(body["period_days"], days or 30, what)
            for item in body["items"]:
                expect_share(item["share"], item["downloads"], total, what)
                if key == "country":
                    expect(isinstance(item["name"], str) and item["name"], item)
                    expect(item["name"] == "Portugal" or item["country"] != "PT", item)


@test("without a sync nothing is known: nulls, no zeros, not complete")
def _():
    one = Station()
    add_podcast(one, "new")
    add_podcast(one, "begun")
    one.insert("op3_sync", [sync_row("begun", None, None, 0)])
    for podcast in ("new", "begun"):
        body = one.ask(of(podcast, "downloads"))
        expect_common(body, podcast, "downloads")
        for name in ("downloads_7d", "downloads_30d", "downloads_365d", "downloads_all_time", "total_downloads", "as_of",
                     "coverage_since"):
            expect_equal(body[name], None, f"{name} of {podcast}")
        expect_equal(body["complete"], False, "complete")
        expect(not any(item["downloads"] for item in body["downloads_by_day"]), body["downloads_by_day"])
        expect(all(item["downloads"] is None for item in body["downloads_by_day"]), "no zero for a day that nobody counted")
        for window in ("7d", "30d", "all"):
            body = one.ask(of(podcast, "compare", f"window={window}"))
            expect_equal([body[n] for n in ("current", "previous", "change", "change_pct")], [None] * 4, window)
            expect_equal(body["complete"], False, window)
        for endpoint in ("countries", "apps", "devices"):
            body = one.ask(of(podcast, endpoint))
            expect_equal((body["items"], body["total"], body["other"], body["complete"]), ([], None, None, False), endpoint)


@test("before the back-fill is done, what reaches further back than the days read is unknown")
def _():
    one = Station()
    first = datetime.date(2025, 8, 1)
    late = Days(6, first, THROUGH)
    add_podcast(one, "late")
    one.insert("op3_daily", late.table("late"))
    one.insert("op3_sync", [sync_row("late", first, THROUGH, 0)])
    for days, is_known in ((83, True), (84, False), (365, False)):
        body = one.ask(of("late", "downloads", f"days={days}"))
        expect_equal(body["total_downloads"], late.total(days_back(days)) if is_known else None, f"{days} days")
        expect_equal((body["downloads_365d"], body["downloads_all_time"]), (None, None), "a year, all time")
    body = one.ask(of("late", "compare", "window=30d"))
    expect_equal((body["current"], body["previous"]), (late.total(days_back(30)), late.total(days_back(60)) -
                                                       late.total(days_back(30))), "60 days are read")
    expect_equal(one.ask(of("late", "compare", "window=all"))["current"], None, "all")
    one.sql("UPDATE op3_sync SET first_day = '2025-09-01'; DELETE FROM op3_daily WHERE day < '2025-09-01'")
    body = one.ask(of("late", "compare", "window=30d"))
    expect_equal([body[n] for n in ("current", "previous", "change", "change_pct", "complete")],
                 [late.total(days_back(30)), None, None, None, False], "52 days are read")
    one.sql("UPDATE op3_sync SET backfill_done = 1")
    body = one.ask(of("late", "downloads", "days=365"))
    september = late.total(span(datetime.date(2025, 9, 1), THROUGH))
    expect_equal((body["total_downloads"], body["downloads_all_time"]), (september, september),
                 "when it is done, there is nothing before")
    expect_equal(one.ask(of("late", "compare", "window=30d"))["complete"], True, "and that is all")


@test("compare: per cent with one decimal, a half away from zero, null of nothing")
def _():
    cases = [(9, 8), (17, 16), (15, 16), (801, 800), (401, 400), (399, 400), (0, 3), (3, 0), (0, 0), (1, 3), (2, 3),
             (10**12, 1), (1, 10**12), (10, 10)]
    one = Station()
    for n, (current, previous) in enumerate(cases):
        add_podcast(one, f"c{n}")
        days = [{"podcast_id": f"c{n}", "day": day, "dim": "total", "n": value}
                for day, value in (("2025-09-23", current), ("2025-09-22", previous), ("2025-08-24", 0))]
        one.insert("op3_daily", days)
        one.insert("op3_sync", [sync_row(f"c{n}")])
        body = one.ask(of(f"c{n}", "compare", "window=30d"))
        pct = None
        if previous:
            pct = str((Decimal(100) * (current - previous) / previous).quantize(Decimal("0.1"), ROUND_HALF_UP))
        expect_equal([body["current"], body["previous"], body["change"]], [current, previous, current - previous],
                     f"{current} after {previous}")
        got = body["change_pct"]
        expect_equal(got if got is None else Decimal(str(got)), pct if pct is None else Decimal(pct),
                     f"{current} after {previous}")


@test("compare 7d needs two weeks")
def _():
    one = Station()
    one.warm()
    for weeks, previous in ((4, 104), (2, 104), (1, None), (0, None)):
        one.sql(f"UPDATE op3_shows SET num_weeks = {weeks}")
        body = one.ask(of("p1", "compare", "window=7d"))
        expect_equal((body["current"], body["previous"]), (101, previous), f"{weeks} weeks")
        if previous is None:
            expect_equal((body["change"], body["change_pct"]), (None, None), f"{weeks} weeks")


# -- episodes ---------------------------------------------------------------------------------

show = generate(11, "2025-06-01", NOW - NOW % DAY, episodes=30, rows=6000)
listened = [(datetime.date.fromisoformat(row["time"][:10]), row["episodeId"]) for _, row in show.rows
            if "botType" not in row and "episodeId" in row]
begun = datetime.date(2025, 6, 1)


def _episodes_station():
    one = Station(OP3([NIGHT_HARBOUR, show]), started=True, stays=True)
    add_podcast(one, "heard", podcast_guid=show.guid)
    ours = [{"id": f"heard-{n}", "podcast_id": "heard", "title": e["title"], "guid": e["itemGuid"], "episode_number": n + 1,
             "status": "published", "publish_at": ms_of(e["pubdate"]), "created_at": 1}
            for n, e in enumerate(reversed(show.episodes))]
    ours.append({**ours[0], "id": "future", "guid": "none", "publish_at": NOW + HOUR})
    one.insert("episodes", ours)
    number = {row["guid"]: row["id"] for row in ours}
    one.insert("op3_episodes", [{"podcast_id": "heard", "op3_id": e["id"], "item_guid": e["itemGuid"], "title": e["title"],
                                 "pubdate": ms_of(e["pubdate"]), "episode_id": number[e["itemGuid"]]} for e in show.episodes])
    sums = {}
    for day, episode in listened:
        for dim, key in (("total", ""), ("episode", episode)):
            sums[day, dim, key] = sums.get((day, dim, key), 0) + 1
    one.insert("op3_daily", [{"podcast_id": "heard", "day": str(d), "dim": dim, "key": k, "n": n}
                             for (d, dim, k), n in sums.items()])
    one.insert("op3_sync", [sync_row("heard", begun)])
    one.warm("u3")
    return one


heard = _episodes_station()
episode_ids = {e["id"]: f"heard-{n}" for n, e in enumerate(reversed(show.episodes))}


def downloads_of(op3_id, days=None):
    return sum(episode == op3_id and (days is None or day in days) for day, episode in listened)


@test("episodes-summary: OP3's figures of each episode, in three orders")
def _():
    recent = {e["itemGuid"]: e for e in show.recent}
    whole = {e["itemGuid"]: e for e in show.episodes}
    orders = {"all_time": lambda e: -e["downloads_all_time"], "first_30d": lambda e: -(e["downloads_30d"] or 0),
              "newest": lambda e: [-ord(c) for c in e["publish_date"]]}
    for sort, key in orders.items():
        body = heard.ask(of("heard", "episodes-summary", f"limit=200&sort={sort}"))
        expect_common(body, "heard", sort)
        episodes = body["episodes"]
        expect(recent.keys() <= {e["item_guid"] for e in episodes}, "every episode that OP3 counts")
        for e in episodes:
            theirs, counts = whole[e["item_guid"]], recent.get(e["item_guid"], {})
            expect_equal((e["episode_id"], e["op3_id"], e["title"], e["publish_date"][:10]),
                         (episode_ids[theirs["id"]], theirs["id"], theirs["title"], theirs["pubdate"][:10]), "who it is")
            expect_equal(e["episode_number"], int(e["episode_id"].partition("-")[2]) + 1, "its number")
            expect_equal([e[f"downloads_{n}d"] for n in (1, 3, 7, 30)], [counts.get(f"downloads{n}") for n in (1, 3, 7, 30)],
                         f"first days of {e['title']}")
            expect_equal(e["downloads_all_time"], downloads_of(theirs["id"]), f"all of {e['title']}")
        keys = [key(e) for e in episodes]
        expect_equal(keys, sorted(keys), f"order {sort}")
        for limit in (1, 3, 10, 200):
            got = heard.ask(of("heard", "episodes-summary", f"limit={limit}&sort={sort}"))["episodes"]
            expect_equal(got, episodes[:limit], f"the first {limit} by {sort}")
    expect_equal(len(heard.ask(of("heard", "episodes-summary"))["episodes"]), 10, "without limit=")


@test("an episode's downloads: windows, the last whole day, its first days")
def _():
    recent = {e["itemGuid"]: e for e in show.recent}
    for e in show.episodes[::4] + show.episodes[-1:]:
        for days in (1, 7, 30, 365):
            body = heard.ask(f"/api/analytics/episode/{episode_ids[e['id']]}/downloads?days={days}")
            expect_common(body, "heard", e["title"])
            window = days_back(days)
            want = {"episode_title": e["title"], "period_days": days, "downloads_24h": downloads_of(e["id"], [THROUGH]),
                    "downloads_7d": downloads_of(e["id"], days_back(7)), "downloads_30d": downloads_of(e["id"], days_back(30)),
                    "downloads_total": downloads_of(e["id"], window), "downloads_all_time": downloads_of(e["id"]),
                    "downloads_by_day": [{"date": str(d), "downloads": downloads_of(e["id"], [d])} for d in window if d >= begun]}
            expect_equal({name: body[name] for name in want}, want, f"{e['title']}, {days} days")
            if e["itemGuid"] in recent:
                expect_equal(body["first_days"], {f"d{n}": recent[e["itemGuid"]].get(f"downloads{n}") for n in (1, 3, 7, 30)},
                             "first days")
    body = heard.ask("/api/analytics/episode/future/downloads")
    expect(not body["downloads_all_time"], f"an episode that OP3 does not know: {body['downloads_all_time']}")


@test("episode curves count from the day of release, over whole days that were read")
def _():
    def curve(e, days, since=begun):
        release = datetime.date.fromisoformat(e["pubdate"][:10])
        points, cumulative = [], 0
        for n in range(days if release >= since else 0):        # a curve without its beginning would be another one
            day = release + datetime.timedelta(n)
            if day <= THROUGH:
                cumulative += downloads_of(e["id"], [day])
                points.append({"day": n, "downloads": downloads_of(e["id"], [day]), "cumulative": cumulative})
        return {"episode_id": episode_ids[e["id"]], "op3_id": e["id"], "title": e["title"], "points": points}

    for query, days, limit in (("", 30, 5), ("days=1&limit=1", 1, 1), ("days=7&limit=20", 7, 20), ("days=365&limit=3", 365, 3)):
        body = heard.ask(of("heard", "episode-curves", query))
        expect_common(body, "heard", query)
        got = [{name: c[name] for name in ("episode_id", "op3_id", "title", "points")} for c in body["curves"]]
        expect_equal(got, [curve(e, days) for e in show.episodes[:limit]], f"curves?{query}")
        expect_equal([c["publish_date"][:10] for c in body["curves"]], [e["pubdate"][:10] for e in show.episodes[:limit]], query)
    heard.sql("UPDATE op3_sync SET first_day = '2025-10-10' WHERE podcast_id = 'heard'")
    try:
        body = heard.ask(of("heard", "episode-curves", "days=60&limit=8"))
        got = [{name: c[name] for name in ("episode_id", "op3_id", "title", "points")} for c in body["curves"]]
        expect_equal([[p["day"] for p in c["points"]] for c in got],
                     [[p["day"] for p in curve(e, 60, datetime.date(2025, 10, 10))["points"]] for e in show.episodes[:8]],
                     "no curve from before the first day that was read")
    finally:
        heard.sql(f"UPDATE op3_sync SET first_day = '{begun}' WHERE podcast_id = 'heard'")


# -- files ------------------------------------------------------------------------------------


def guarded(text):
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text else text


def file_rows(one, path, form, token=None):
    """A file through nginx, as a list of {column: cell}."""
    answer = one.request(f"{path}{'&' if '?' in path else '?'}format={form}", token=token)
    expect_equal(answer.status, 200, f"{path} as {form}: {answer}")
    expect_equal(answer.headers["Content-Type"].split(";")[0], MEDIA[form], f"type of {path} as {form}")
    expect("attachment" in (answer.headers["Content-Disposition"] or "") or form == "ndjson", f"{path}: {answer.headers}")
    if form == "xlsx":
        return read_xlsx(answer.body)
    if form == "ndjson":
        return [json.loads(line) for line in answer.body.decode().splitlines()]
    text = io.StringIO(answer.body.decode(), newline="")
    return list(csv.DictReader(text, delimiter="\t" if form == "tsv" else ",", strict=True))


def unescaped(text):
    """_xHHHH_ as spreadsheets read it, and line ends as XML does."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text).replace("\r", "\n")


def expect_cell(got, want, form, what):
    """A cell holds a value of JSON, as this kind of file writes it."""
    if form == "ndjson" or want is None:
        expect_equal(got or None if want is None else got, want, what)
    elif isinstance(want, str) and form == "xlsx":
        if not re.match(r"\d{4}-\d\d-\d\d", want):       # a day is a number there
            expect_equal(unescaped(got), unescaped(want), what)
    elif isinstance(want, str):
        expect_equal(got, guarded(want), what)
    else:
        expect_equal(float(got), float(want), what)


def expect_file(one, path, items, form, names):
    """The file has a row for each item with these members of it."""
    rows = file_rows(one, path, form)
    expect_equal(len(rows), len(items), f"rows of {path} as {form}")
    for row, item in zip(rows, items):
        for name in names:
            expect(name in row, f"{path} as {form}: no column {name} in {list(row)}")
            expect_cell(row[name], item[name], form, f"{name} of {path} as {form}")


@test("each answer comes as CSV, TSV, NDJSON and XLSX, cell by cell, and no cell is a formula")
def _():
    one = Station(started=True)
    add_podcast(one, "r")
    one.insert("op3_daily", model.table("r"))
    one.insert("op3_sync", [sync_row("r")])
    tables = [(of("r", "daily", "from=2025-08-15&to=2025-10-22&bucket=week"), "series", ("start", "downloads")),
              (of("r", "countries", "days=90"), "items", ("country", "name", "downloads", "share")),
              (of("r", "apps", "days=90"), "items", ("app", "downloads", "share")),
              (of("r", "devices", "days=365"), "items", ("device", "downloads", "share")),
              (of("r", "downloads", "days=40"), "downloads_by_day", ("date", "downloads"))]
    for path, member, names in tables:
        items = one.request(path).json[member]
        expect(len(items) > 3, f"something in {path}")
        for form in MEDIA:
            expect_file(one, path, items, form, names)
    path = of("r", "compare", "window=30d")
    for form in MEDIA:
        expect_file(one, path, [one.request(path).json], form, ("current", "previous", "change", "change_pct"))


@test("episodes and their curves come as files, too")
def _():
    path = of("heard", "episodes-summary", "limit=200")
    items = heard.request(path).json["episodes"]
    for form in MEDIA:
        expect_file(heard, path, items, form, ("episode_id", "op3_id", "item_guid", "title", "episode_number", "downloads_1d",
                                               "downloads_30d", "downloads_all_time"))
    path = of("heard", "episode-curves", "days=20&limit=4")
    points = [p for curve in heard.request(path).json["curves"] for p in curve["points"]]
    for form in MEDIA:
        expect_file(heard, path, points, form, ("day", "downloads", "cumulative"))


def day_in(cell):
    """A day, also as the number that a spreadsheet counts it by."""
    return cell if isinstance(cell, str) else str(datetime.date(1899, 12, 30) + datetime.timedelta(cell))


def found_rows(value):
    """The list of rows in an answer of export."""
    if isinstance(value, list):
        return value
    return next(v for v in value.values() if isinstance(v, list) and (not v or isinstance(v[0], dict)))


@test("export: every row of the days asked for, of one dimension or all")
def _():
    one = Station(started=True)
    add_podcast(one, "r")
    one.insert("op3_daily", model.table("r"))
    one.insert("op3_sync", [sync_row("r")])
    for dim in ("total", "episode", "country", "app", "device", None):
        for first, last in ((THROUGH, THROUGH), (datetime.date(2025, 9, 15), datetime.date(2025, 10, 2)), (FIRST, THROUGH)):
            path = of("r", "export", f"from={first}&to={last}" + (f"&dim={dim}" if dim else ""))
            want = sorted((str(d), of_dim, key, n) for (d, of_dim, key), n in model.rows.items()
                          if first <= d <= last and dim in (None, of_dim))
            for form in MEDIA:
                rows = [(day_in(r["day"]), r["dim"], r["key"] or "", int(r["downloads"])) for r in file_rows(one, path, form)]
                written = {"csv": guarded, "tsv": guarded, "ndjson": str, "xlsx": unescaped}[form]
                if form == "xlsx":
                    rows = [(d, k, unescaped(v), n) for d, k, v, n in rows]
                expect_equal(sorted(rows), sorted((d, k, written(v), n) for d, k, v, n in want), f"{path} as {form}")
            rows = found_rows(one.request(path + "&format=json").json)
            expect_equal(sorted((r["day"], r["dim"], r["key"], r["downloads"]) for r in rows), want, f"{path} as JSON")
    answer = one.request(of("r", "export", f"format=csv&dim=app&from={THROUGH}&to={THROUGH}"))
    expect_equal(answer.body.split(b"\r\n")[0], b"day,dim,key,downloads", "header and line ends")


# -- what is refused --------------------------------------------------------------------------


def expect_refused(one, path, param):
    body = one.refusal(path)
    expect_equal((body["status"], body["code"]), (422, "invalid_parameter"), f"{path}: {body}")
    expect(param in [e["param"] for e in body["errors"]], f"{path}: {body['errors']}")


@test("parameters out of their limits are 422 and named")
def _():
    one = Station()
    add_podcast(one, "r")
    one.insert("op3_sync", [sync_row("r")])
    one.insert("episodes", [{"id": "re", "podcast_id": "r", "status": "published", "publish_at": 1, "created_at": 1}])
    for days in ("0", "366", "-1", "x", "1.5", "30d", "9" * 40):
        for endpoint in ("downloads", "countries", "apps", "devices", "episode-curves"):
            expect_refused(one, of("r", endpoint, f"days={days}"), "days")
        expect_refused(one, f"/api/analytics/episode/re/downloads?days={days}", "days")
    for endpoint, over in (("countries", 251), ("apps", 251), ("devices", 251), ("episodes-summary", 201),
                           ("episode-curves", 21)):
        for limit in ("0", str(over), "-1", "x"):
            expect_refused(one, of("r", endpoint, f"limit={limit}"), "limit")
        expect_equal(one.ask(of("r", endpoint, f"limit={over - 1}"))["podcast_id"], "r", "the limit itself")
    for window in ("1d", "31d", "7", "ALL", "x", "-7d"):
        expect_refused(one, of("r", "compare", f"window={window}"), "window")
    for bucket in ("year", "hour", "Day", "x"):
        expect_refused(one, of("r", "daily", f"from=2025-10-01&to=2025-10-02&bucket={bucket}"), "bucket")
    for name in ("from", "to"):
        for day in ("2025-02-30", "2025-13-01", "2025-1-1", "2025-10", "x"):
            for endpoint in ("daily", "export"):
                expect_refused(one, of("r", endpoint, f"{name}={day}"), name)
    for endpoint in ("daily", "export"):
        body = one.refusal(of("r", endpoint, "from=2025-10-02&to=2025-10-01"))
        expect_equal((body["status"], body["code"]), (422, "invalid_parameter"), f"{endpoint}: from after to")
    for sort in ("x", "plays", "ALL_TIME"):
        expect_refused(one, of("r", "episodes-summary", f"sort={sort}"), "sort")
    for dim in ("x", "TOTAL", "total,app"):
        expect_refused(one, of("r", "export", f"dim={dim}"), "dim")
    for form in ("x", "CSV", "xml"):
        expect_refused(one, of("r", "export", f"format={form}"), "format")
        expect_refused(one, of("r", "daily", f"format={form}"), "format")


ENDPOINTS = ("downloads", "daily", "countries", "apps", "devices", "episodes-summary", "episode-curves", "compare", "export")


@test("what is somebody else's or nobody's is 404, the same for both")
def _():
    token = heard.tokens["di"]
    paths = {p: [of(p, e) for e in ENDPOINTS] for p in ("heard", "nobody")}
    paths["heard"].append("/api/analytics/episode/heard-1/downloads")
    paths["nobody"].append("/api/analytics/episode/nobody/downloads")
    for mine, unknown in zip(paths["heard"], paths["nobody"]):
        first, second = heard.request(mine, token=token), heard.request(unknown, token=token)
        for answer in (first, second):
            expect_problem(answer, 404, "not_found")
        expect_equal(re.sub("heard(-1)?", "nobody", first.json["detail"]), second.json["detail"], mine)
        expect_equal(heard.request(mine).status, 200, f"an admin sees {mine}")
        expect_equal(heard.request(mine, token=heard.tokens["cy"]).status, 200, f"its owner sees {mine}")
        expect_problem(heard.request(mine, token=""), 401, "credentials_missing")
        expect_problem(heard.request(mine, "DELETE"), 405, "method_not_allowed")
        expect("private" in heard.request(mine).headers["Cache-Control"], f"nobody else keeps {mine}")
    no_scope = heard.make_token("cy", "--scopes", "dashboard:read")
    for path in paths["heard"] + ["/api/analytics/podcasts"]:
        expect_problem(heard.request(path, token=no_scope), 403, "scope_missing")


# -- levels -----------------------------------------------------------------------------------


@test("the tier decides how much is shown, and every answer says which it is")
def _():
    one = Station(OP3([NIGHT_HARBOUR, show]), started=True)
    for user, ident in (("u1", "ana"), ("u2", "ben"), ("u3", "cy"), ("u4", "di")):
        add_podcast(one, ident, user, podcast_guid=show.guid)
        one.insert("op3_daily", model.table(ident))
        one.insert("op3_sync", [sync_row(ident)])
        one.insert("episodes", [{"id": f"{ident}-e", "podcast_id": ident, "status": "published", "publish_at": 1,
                                 "created_at": 1}])
    for name, level in LEVELS.items():
        one.request("/api/dashboard/stats", token=one.tokens[name])

        def get(endpoint, query=""):
            answer = one.request(of(name, endpoint, query), token=one.tokens[name])
            if answer.status == 403:
                expect_problem(answer, 403, "plan_level")
                return None
            expect_equal((answer.status, answer.json.get("analytics_level")), (200, level), f"{level} {endpoint}: {answer}")
            return answer.json

        body = get("downloads", "days=90")
        expect_equal((body["total_downloads"], body["downloads_365d"]), (model.total(days_back(90)),
                                                                         model.total(days_back(365))), f"totals of {level}")
        most = {"basic": (3, 0, 0, 0), "advanced": (10, 30, 5, 5), "full": (None, 90, None, None)}[level]
        for member, limit in zip(("top_episodes", "downloads_by_day", "top_countries", "top_apps"), most):
            expect(limit is None or len(body[member]) <= limit, f"{level}: {len(body[member])} in {member}")
            expect(limit == 0 or body[member], f"{level}: nothing in {member}")
        if level != "basic":
            shown = days_back(30 if level == "advanced" else 90)
            expect_equal(body["downloads_by_day"], [{"date": str(d), "downloads": model.total([d])} for d in shown], level)
        expect_equal(get("compare", "window=30d")["current"], model.total(days_back(30)), f"a total, {level}")
        series = get("daily", "from=2025-06-01&to=2025-10-22&bucket=day")
        starts = [item["start"] for item in series["series"]] if series else []
        if level == "full":
            expect_equal(starts, [str(d) for d in span(datetime.date(2025, 6, 1), THROUGH)], "every day")
        elif level == "advanced":
            expect(starts and starts == [str(d) for d in days_back(len(starts))] and len(starts) <= 30, f"{level}: {starts}")
        else:
            expect_equal(starts, [], level)
        for endpoint in ("countries", "apps"):
            answer = get(endpoint, "days=90&limit=250")
            items = answer["items"] if answer else []
            dim = {"countries": "country", "apps": "app"}[endpoint]
            limit = {"basic": 0, "advanced": 5, "full": 250}[level]
            expect_equal([i["downloads"] for i in items], [n for _, n in model.by_key(days_back(90), dim)][:limit],
                         f"{endpoint} of {level}")
        summary = get("episodes-summary", "limit=200")
        count = len(summary["episodes"]) if summary else 0
        expect(count <= {"basic": 3, "advanced": 10, "full": 200}[level], f"{count} episodes for {level}")
        expect(count > 0 or level == "basic", f"{level}: no episodes")
        answer = one.request(f"/api/analytics/episode/{name}-e/downloads", token=one.tokens[name])
        if level == "basic":
            expect_problem(answer, 403, "plan_level")
        else:
            expect_equal((answer.status, answer.json["analytics_level"]), (200, level), f"an episode: {answer}")
        answer = one.request(of(name, "export", "format=json&dim=total"), token=one.tokens[name])
        if level == "full":
            expect_equal(answer.status, 200, f"export: {answer}")
        else:
            expect_problem(answer, 403, "plan_level")
        for form in MEDIA:
            answer = one.request(of(name, "apps", f"days=90&limit=250&format={form}"), token=one.tokens[name])
            if form == "csv" and answer.status == 200:
                expect(len(list(csv.reader(io.StringIO(answer.body.decode(), newline="")))) - 1 <=
                       {"basic": 0, "advanced": 5, "full": 250}[level], f"a file is no way around {level}")
        body = one.request(of(name, "downloads", "days=90")).json
        expect_equal((body["analytics_level"], len(body["downloads_by_day"])), ("full", 90), "an admin sees everything")


# -- OP3 in trouble ---------------------------------------------------------------------------


@test("OP3's trouble takes its counts away, never the days; old counts are marked as such")
def _():
    one = Station()
    for fault, code in ((status(503), "upstream_error"), (html, "bad_response"), (hang, "timeout"),
                        (status(429), "rate_limited")):
        one.sql("DELETE FROM op3_counts; DELETE FROM op3_shows; UPDATE podcasts SET op3_show_uuid = NULL")
        (one.home / "run" / "state.shm").unlink(missing_ok=True)
        one.op3.behave()
        one.op3.misbehave(fault)
        one.warm()
        body = one.ask(of("p1", "downloads", "days=30"))
        expect_equal((body["total_downloads"], body["downloads_365d"], body["downloads_7d"], body["downloads_30d"],
                      body["weekly_avg"]), (412, 632, None, None, None), code)
        expect_equal((body["error_code"], not body["weekly_downloads"]), (code, True), code)
        body = one.ask(of("p1", "compare", "window=7d"))
        expect_equal([body[n] for n in ("current", "previous", "change", "change_pct", "complete")], [None] * 4 + [False], code)
        expect_equal(one.ask(of("p1", "compare", "window=30d"))["current"], 412, code)
        for endpoint in ENDPOINTS:
            one.ask(of("p1", endpoint, "format=json" if endpoint == "export" else ""))
    (one.home / "run" / "state.shm").unlink(missing_ok=True)
    one.op3.mode("up")
    one.sql("UPDATE op3_shows SET fresh_until = 0")
    one.warm()
    body = one.ask(of("p1", "downloads"))
    expect_equal((body["downloads_30d"], body["stale"], body["error_code"]), (412, False, None), "recovered")
    one.op3.mode("503")
    one.ask("/api/dashboard/stats?user_id=u1", PH_NOW_MS=str(NOW + 4 * HOUR))
    body = one.ask(of("p1", "downloads"), PH_NOW_MS=str(NOW + 4 * HOUR))
    expect_equal((body["downloads_30d"], body["stale"], body["cached"]), (412, True, True), "old counts")


# -- the list, the public answer, and a refresh -----------------------------------------------


@test("the list of podcasts: one's own, with what OP3 counts and how the sync goes")
def _():
    one = Station(started=True)
    add_podcast(one, "unsynced", "u1")
    one.request("/api/dashboard/stats", token=one.tokens["ana"])
    items = {i["podcast_id"]: i for i in one.request("/api/analytics/podcasts", token=one.tokens["ana"]).json["items"]}
    expect_equal(set(items), {"p1", "unsynced"}, "ana's")
    p1 = items["p1"]
    expect_equal({n: p1[n] for n in ("name", "feed_url", "op3_show_uuid", "registered", "downloads_7d", "downloads_30d")},
                 {"name": "Night Harbour", "feed_url": "https://feeds.example.com/night-harbour.xml",
                  "op3_show_uuid": NIGHT_HARBOUR.uuid, "registered": True, "downloads_7d": 101, "downloads_30d": 412}, "p1")
    expect_equal({n: p1["sync"][n] for n in ("state", "first_day", "complete_through", "backfill_done", "unit", "error_code")},
                 {"state": "idle", "first_day": "2025-07-01", "complete_through": "2025-10-22", "backfill_done": True,
                  "unit": None, "error_code": None}, "its sync")
    expect_equal((items["unsynced"]["downloads_7d"], items["unsynced"]["downloads_30d"], items["unsynced"]["sync"]["state"],
                  items["unsynced"]["sync"]["first_day"]), (None, None, "never", None), "no feed, no sync")
    for name in ("ben", "di"):
        expect_equal(one.request("/api/analytics/podcasts", token=one.tokens[name]).json["items"], [], name)
        answer = one.request("/api/analytics/podcasts?user_id=u1", token=one.tokens[name])
        expect_problem(answer, 403, answer.code)
    for user in ("u1", "ana"):
        expect_equal({i["podcast_id"] for i in one.request(f"/api/analytics/podcasts?user_id={user}").json["items"]},
                     {"p1", "unsynced"}, f"an admin asks for {user}")
    one.sql("UPDATE op3_sync SET error_code = 'timeout', fail_count = 1, error_at = 1761220800000")
    items = one.request("/api/analytics/podcasts", token=one.tokens["ana"]).json["items"]
    sync = next(i["sync"] for i in items if i["podcast_id"] == "p1")
    expect_equal((sync["state"], sync["error_code"]), ("failed", "timeout"), "a sync that failed")


def plays(value):
    return value["downloads"] if isinstance(value, dict) else value


@test("the public answer: only where it is wanted, only periods that the show is old enough for")
def _():
    one = Station(started=True)
    path = "/api/public/podcast/p1/analytics"
    expect_problem(one.request(path, token=""), 404, "not_found")
    hidden, unknown = (one.request(f"/api/public/podcast/{p}/analytics", token="").json["detail"] for p in ("p1", "nobody"))
    expect_equal(hidden.replace("p1", "nobody"), unknown, "hidden and unknown look the same")
    one.sql("UPDATE podcasts SET public_stats = 1 WHERE id = 'p1'")
    answer = one.request(path, token="")
    expect_equal(answer.status, 200, answer)
    expect("max-age=3600" in answer.headers["Cache-Control"] and "private" not in answer.headers["Cache-Control"],
           answer.headers["Cache-Control"])
    body = answer.json
    expect_equal(body["podcast_age_days"], (NOW - 1751371200000) // DAY, "age")
    one.request("/api/dashboard/stats", token=one.tokens["ana"])
    for first, periods in ((1751371200000, {"all_time", "7d", "30d"}), (NOW - 365 * DAY, {"all_time", "7d", "30d", "365d"}),
                           (NOW - 365 * DAY + 1, {"all_time", "7d", "30d"}), (NOW - 30 * DAY, {"all_time", "7d", "30d"}),
                           (NOW - 30 * DAY + 1, {"all_time", "7d"}), (NOW - 7 * DAY, {"all_time", "7d"}),
                           (NOW - 7 * DAY + 1, {"all_time"}), (NOW, {"all_time"})):
        one.sql(f"UPDATE episodes SET publish_at = {first} WHERE podcast_id = 'p1' AND publish_at <= {NOW}")
        body = json.loads(one.get(path))
        expect_equal((set(body["time_periods"]), body["podcast_age_days"]), (periods, (NOW - first) // DAY), iso(first))
        want = {"all_time": 632, "365d": 632, "30d": 412, "7d": 101}
        for period, value in body["time_periods"].items():
            expect_equal(plays(value), want[period], f"{period} at {iso(first)}")
    for secret in ("u1", "ana", "feeds.example.com/private"):
        expect(f'"{secret}"' not in json.dumps(body), f"{secret} is nobody's business")
    expect_equal(one.request(path, "HEAD", token="").status, 200, "HEAD")
    expect_problem(one.request(path, "POST", token="", body=b"{}"), 405, "method_not_allowed")


@test("a refresh makes OP3 be asked again, but not within ten minutes of the last time")
def _():
    one = Station(started=True)
    add_podcast(one, "mine", podcast_guid=NIGHT_HARBOUR.guid)
    path, token = of("mine", "refresh"), one.tokens["cy"]

    def post(podcast="mine", token=token, **options):
        return one.request(of(podcast, "refresh"), "POST", token=token, **options)

    def stats():
        before = one.op3.count()
        expect_equal(one.request("/api/dashboard/stats", token=token).json["plays_30d"], 412, "figures")
        return one.op3.count() - before

    expect_equal((stats(), stats()), (3, 0), "calls")
    answer = post()
    expect_problem(answer, 429, answer.code, retryable=answer.json["retryable"])
    expect(1 <= int(answer.headers["Retry-After"]) <= 601, answer.headers["Retry-After"])
    expect_equal(stats(), 0, "calls after a refusal")
    one.sql(f"UPDATE op3_shows SET counts_at = {NOW - 10 * MINUTE - 1}, episodes_at = {NOW - 10 * MINUTE - 1}"
            " WHERE podcast_id = 'mine'")
    expect_equal(post().status, 202, "eleven minutes later")
    expect(stats() >= 2, "calls after it")
    expect_equal(post().status, 429, "and again not")
    expect_equal(one.request(path, token=token).status, 405, "GET")
    expect_problem(post("p1"), 404, "not_found")
    expect_problem(post("nobody"), 404, "not_found")
    expect_problem(post("p1", token=one.tokens["ana"]), 403, "scope_missing")
    expect_problem(post(token=""), 401, "credentials_missing")
    expect(one.rows(f"SELECT 1 FROM audit_log WHERE path = '{path}'"), "the audit log knows")


@test("the fakes made no mistake")
def _():
    expect_equal([error for op3 in fakes for error in op3.errors], [], "errors")


run()
