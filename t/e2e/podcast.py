#!/usr/bin/env -S /usr/bin/python3 -B
"""Podcasts: the dashboard's statistics, and what becomes of them when OP3 is slow, wrong, mute or gone.

The cases are those of the specification (podcast.md g), through nginx.  What needs many instants or many faults
is asked by hand, which runs the same program on the same database.
"""
import base64
import email.utils
import itertools
import json
import random
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from harness import (COMMAND_TIMEOUT_S, PILOTHOUSE, SOURCE, Instance, expect, expect_equal, expect_problem, fields,
                     fresh, run, scratch, test, wait_until)

sys.path.insert(0, str(SOURCE / "t/upstream"))
from fake import broken, cut, drip, html, huge, odd, self_signed, silent, slow, status     # noqa: E402
from op3 import DAY, NIGHT_HARBOUR, NOW, OP3, Show, iso                                    # noqa: E402

STATS = "/api/dashboard/stats"
BREAKERS = "/api/health/circuit-breakers"
MINUTE, HOUR = 60_000, 3_600_000
SECRET = "op3-secret-7f3a9c51"      # what OP3 wants of us, and nobody else may see
ANSWER_MAX_S = 3.5                  # spec: 3 s
STALE_MAX_S = 1.5                   # spec: 0.8 s
PARALLEL = 50
USERS = {"u1": "ana", "u2": "ben", "u3": "cy", "u4": "di"}

V0 = """
INSERT INTO users (id, name, role, tier, created_at) VALUES
  ('u1', 'ana', 'viewer', 'creator', 1750000000000), ('u2', 'ben', 'viewer', 'free', 1750000000000),
  ('u3', 'cy', 'viewer', 'pro', 1750000000000), ('u4', 'di', 'viewer', 'unlimited', 1750000000000);
INSERT INTO podcasts (id, user_id, name, podcast_guid, feed_url, created_at) VALUES
  ('p1', 'u1', 'Night Harbour', '0f7c1c1e-6f0a-5f52-9d54-1d0f3a5b7c11',
   'https://feeds.example.com/night-harbour.xml', 1750000000000),
  ('p2', 'u2', 'No Feed Yet', NULL, NULL, 1750000000000);
INSERT INTO episodes (id, podcast_id, title, guid, episode_number, status, publish_at, processed_at, created_at) VALUES
  ('e0', 'p1', 'placeholder', 'g-e0', 0, 'published', 1760356800000, 1760356800000, 1760356800000),
  ('e1', 'p1', 'Old Pier', 'g-e1', 1, 'published', 1751371200000, 1751371200000, 1751371200000),
  ('e2', 'p1', 'Low Tide', 'g-e2', 2, 'published', 1757764800000, 1757764800000, 1757764800000),
  ('e3', 'p1', 'Salt Roads', 'g-e3', 3, 'processed', 1759492800000, 1759492800000, 1759492800000),
  ('e4', 'p1', 'Fog Signals', 'g-e4', 4, 'published', 1760961600000, 1760961600000, 1760961600000),
  ('e5', 'p1', '', 'g-e5', NULL, 'processing', NULL, 1761217200000, 1761217200000),
  ('e6', 'p1', 'Broken Mast', 'g-e6', 6, 'error', 1760788800000, 1760788800000, 1760788800000),
  ('e7', 'p1', 'Harbour Lights', 'g-e7', 7, 'processed', 1761393600000, 1760961600001, 1760961600001),
  ('f1', 'p2', 'Hello', 'g-f1', 1, 'published', 1761134400000, 1761134400000, 1761134400000);
"""
V1 = """
INSERT INTO op3_daily (podcast_id, day, dim, n) VALUES
  ('p1', '2025-07-01', 'total', 150), ('p1', '2025-09-13', 'total', 70), ('p1', '2025-09-24', 'total', 22),
  ('p1', '2025-09-30', 'total', 88), ('p1', '2025-10-05', 'total', 97), ('p1', '2025-10-12', 'total', 104),
  ('p1', '2025-10-20', 'total', 101);
INSERT INTO op3_sync (podcast_id, first_day, complete_through, backfill_done, updated_at)
  VALUES ('p1', '2025-07-01', '2025-10-22', 1, 1761220800000);
"""

CASE_A = {
    "total_episodes": 7, "upcoming_scheduled": 1, "last_published_at": "2025-10-20T12:00:00Z",
    "last_assembly_status": "pending", "episodes_last_30d": 2,
    "recent_episodes": [
        {"episode_id": "e4", "title": "Fog Signals", "publish_at": "2025-10-20T12:00:00Z", "downloads_all_time": 61},
        {"episode_id": "e3", "title": "Salt Roads", "publish_at": "2025-10-03T12:00:00Z", "downloads_all_time": 118},
        {"episode_id": "e2", "title": "Low Tide", "publish_at": "2025-09-13T12:00:00Z", "downloads_all_time": 133}],
    "plays_7d": 101, "plays_30d": 412, "plays_last_30d": 412, "downloads_last_30d": 412, "plays_365d": 632,
    "plays_all_time": 632,
    "top_episodes": [
        {"title": "Low Tide", "episode_id": "e2", "item_guid": "g-e2", "downloads_1d": 39, "downloads_3d": 60,
         "downloads_7d": 77, "downloads_30d": 120, "downloads_all_time": 133},
        {"title": "Salt Roads", "episode_id": "e3", "item_guid": "g-e3", "downloads_1d": 41, "downloads_3d": 66,
         "downloads_7d": 84, "downloads_30d": None, "downloads_all_time": 118},
        {"title": "Fog Signals", "episode_id": "e4", "item_guid": "g-e4", "downloads_1d": 30, "downloads_3d": 52,
         "downloads_7d": None, "downloads_30d": None, "downloads_all_time": 61}],
    "recent_episode_plays": [], "spreaker_connected": False, "op3_enabled": True, "op3_error": None,
    "op3_error_code": None,
    "op3": {"status": "fresh", "as_of": "2025-10-22", "fetched_at": "2025-10-23T12:00:00Z", "podcasts_total": 1,
            "podcasts_with_data": 1, "coverage_since": "2025-07-01"},
    "degraded": [], "generated_at": "2025-10-23T12:00:00Z"}
FROM_COUNTS = ("plays_7d", "plays_30d", "plays_last_30d", "downloads_last_30d")
FROM_DAYS = ("plays_365d", "plays_all_time")
TEXTS = {"no_podcast": "You have no podcast yet", "no_feed": "No RSS feed is set for your podcast",
         "not_registered": "Show is not known to OP3 yet", "no_data": "OP3 has no download counts for this show yet"}
SAFE_TEXT = re.compile(r"[A-Z][A-Za-z0-9 ,.'-]{5,150}")


def changed(answer, op3=None, **differences):
    return {**answer, **differences, "op3": {**answer["op3"], **(op3 or {})}}


def given_at(answer, now):
    """The same answer, given later."""
    return {**answer, "generated_at": iso(now)[:19] + "Z"}


def without_days(answer):
    """As it is when V1 is not there."""
    return changed(answer, {"coverage_since": None}, **dict.fromkeys(FROM_DAYS))


def unavailable(code, answer=CASE_A, degraded=("op3",)):
    """As it is without any figure of OP3's counts."""
    recent = [{**episode, "downloads_all_time": None} for episode in answer["recent_episodes"]]
    return changed(answer, {"status": "unavailable", "as_of": None, "fetched_at": None, "podcasts_with_data": 0},
                   **dict.fromkeys(FROM_COUNTS), top_episodes=[], recent_episodes=recent, op3_enabled=False,
                   op3_error_code=code, op3_error=TEXTS.get(code), degraded=list(degraded))


def expect_stats(got, want, what):
    """Compare answers.  Where the specification leaves the text of an error open, it is a short sentence."""
    if want["op3_error_code"] is not None and want["op3_error"] is None:
        text = got.get("op3_error")
        expect(isinstance(text, str) and SAFE_TEXT.fullmatch(text), f"{what}: op3_error {text!r}")
        got = {**got, "op3_error": None}
    for name in sorted(want.keys() | got.keys()):
        expect_equal(got.get(name, "missing"), want.get(name, "not to be there"), f"{what}: {name}")


fakes = []


class Station(Instance):
    """An instance with the users and podcasts of the vectors, and an OP3 of its own.  One that is started stops the
    one before it, unless that stays: many at once would be too much for a small machine."""

    running = None

    def __init__(self, history=False, started=False, stays=False, now=NOW, op3=None, **settings):
        self.op3 = op3 or OP3(token=SECRET)
        fakes.append(self.op3)
        super().__init__(now=now, **{"OP3_BASE_URL": self.op3.base, "OP3_TOKEN": SECRET,
                                     "PH_ALLOW_LOOPBACK_HTTP": 1, **settings})
        self.with_admin()
        self.sql(V0 + (V1 if history else ""))
        self.tokens = {name: self.make_token(name) for name in USERS.values()} if started else {}
        self.podcasts = itertools.count(1)
        if started:
            if Station.running:
                Station.running.stop()
            Station.running = None if stays else self
            self.start()

    def stats(self, user="ana", query="", within=ANSWER_MAX_S):
        """A user's answer through nginx."""
        begin = time.monotonic()
        answer = self.request(STATS + (f"?{query}" if query else ""), token=self.tokens[user])
        seconds = time.monotonic() - begin
        expect_equal(answer.status, 200, f"status of {answer}")
        expect(seconds < within, f"answered in {seconds:.2f} s")
        return fields(answer.body)

    def ask(self, user="u1", now=NOW, within=ANSWER_MAX_S, podcast=None):
        """A user's answer by hand, at an instant."""
        begin = time.monotonic()
        path = f"{STATS}?user_id={user}" + (f"&podcast_id={podcast}" if podcast else "")
        answer = fields(self.get(path, PH_NOW_MS=str(now)))
        seconds = time.monotonic() - begin
        expect(seconds < within, f"answered in {seconds:.2f} s")
        return answer

    def asked(self, call):
        """What a call gives, and how many requests OP3 saw of it."""
        before = self.op3.count()
        answer = call()
        return answer, self.op3.count() - before

    def move_to(self, now):
        """Everything goes on at another time."""
        self.stop()
        self.env["PH_NOW_MS"] = str(now)
        self.start()

    def add_podcast(self, user="u1", guid=NIGHT_HARBOUR.guid, feed=None):
        """A podcast that was never asked for; its id."""
        ident = f"q{next(self.podcasts)}"
        db = self.connect()
        db.execute("INSERT INTO podcasts (id, user_id, name, podcast_guid, feed_url, created_at) VALUES (?, ?, 'Q', ?, ?,"
                   " 1750000000000)", (ident, user, guid, feed))
        db.close()
        return ident

    def forget(self):
        """As if OP3 had never been asked: nothing stored, nothing known of its health, no fault."""
        self.sql("DELETE FROM op3_counts; DELETE FROM op3_shows; UPDATE podcasts SET op3_show_uuid = NULL")
        self.heal()
        self.op3.mode("up")
        self.op3.hits.clear()

    def heal(self):
        """Nothing is known of OP3's health."""
        (self.home / "run" / "state.shm").unlink(missing_ok=True)


def show_like(number, episodes=(), guid=None, feed_url=None, weekly=(1, 2, 3, 4), monthly=10):
    """A show of our own making."""
    show = Show(f"{number:032x}", f"Show {number}", guid, feed_url)
    show.counts = {"days": "1" * 30, "monthlyDownloads": monthly, "weeklyDownloads": list(weekly),
                   "weeklyAvgDownloads": sum(weekly) / 4, "numWeeks": 4}
    show.recent = list(episodes)
    return show


def counted(guid, title, downloads, pubdate="2025-10-01T00:00:00.000Z"):
    """An entry of episode-download-counts; None leaves a member out."""
    entry = {"itemGuid": guid, "title": title, "pubdate": pubdate, "downloads1": 1, "downloadsAll": downloads}
    return {name: value for name, value in entry.items() if value is not None}


# -- the cases of the specification, through nginx ------------------------------------------


@test("A: everything is there, of three calls; the second request makes none")
def _():
    one = Station(history=True, started=True)
    expect_stats(one.stats(), CASE_A, "first")
    expect_equal([hit.path.rsplit("/", 1)[0] for hit in one.op3.hits], ["/api/1/shows", "/api/1/queries", "/api/1/queries"],
                 "the calls")
    expect_equal([one.op3.count(part) for part in ("/shows/", "/show-download-counts", "/episode-download-counts")],
                 [1, 1, 1], "each once")
    expect_stats(one.stats(), CASE_A, "again")
    expect_stats(one.stats(query="podcast_id=p1"), CASE_A, "narrowed to the one podcast")
    expect_equal(one.op3.count(), 3, "calls altogether")
    expect_equal(one.rows("SELECT op3_show_uuid FROM podcasts WHERE id = 'p1'"), [(NIGHT_HARBOUR.uuid,)], "the show")
    limit = [hit.query["limit"] for hit in one.op3.hits if "episode-download-counts" in hit.target]
    expect_equal(limit, [["200"]], "episodes asked for")


@test(f"A: {PARALLEL} first requests at once make three calls; each answer is right or says pending")
def _():
    one = Station(history=True, started=True)
    one.op3.misbehave(slow(0.2))
    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(lambda _: one.request(STATS, token=one.tokens["ana"]), range(PARALLEL)))
    for answer in answers:
        expect_equal(answer.status, 200, answer)
        got = fields(answer.body)
        expect_stats(got, CASE_A if got["op3_error_code"] is None else unavailable("pending"), "one of many")
    expect_equal(one.op3.count(), 3, "calls")
    expect_stats(one.stats(), CASE_A, "afterwards")


@test("B: 503 and nothing stored: no figure, no zero, the local part whole, and a minute of peace")
def _():
    one = Station(started=True)
    one.op3.mode("503")
    want = unavailable("upstream_error", without_days(CASE_A))
    answer, calls = one.asked(one.stats)
    expect_stats(answer, want, "first")
    expect(1 <= calls <= 3, f"{calls} calls, the retries among them")
    answer, calls = one.asked(one.stats)
    expect_stats(answer, want, "again")
    expect_equal(calls, 0, "calls within a minute")


@test("B2, B3: four hours later a dead OP3 leaves the old figures, eight days later none")
def _():
    one = Station(history=True, started=True)
    expect_stats(one.stats(), CASE_A, "at first")
    one.op3.mode("503")
    one.move_to(NOW + 4 * HOUR)
    stale = given_at(changed(CASE_A, {"status": "stale"}), NOW + 4 * HOUR)
    expect_stats(one.stats(), stale, "four hours later")
    one.op3.mode("hang")
    one.move_to(NOW + 8 * DAY)
    later = [{"episode_id": "e7", "title": "Harbour Lights", "publish_at": "2025-10-25T12:00:00Z"},
             *CASE_A["recent_episodes"][:2]]
    want = changed(CASE_A, upcoming_scheduled=0, episodes_last_30d=3, last_published_at="2025-10-25T12:00:00Z",
                   recent_episodes=later)
    expect_stats(one.stats(), given_at(unavailable("timeout", want), NOW + 8 * DAY), "eight days later")


@test("C: a show without counts has no data, which is no zero")
def _():
    one = Station(started=True)
    one.op3.mode("empty")
    expect_stats(one.stats(), unavailable("no_data", without_days(CASE_A)), "empty")
    answer, calls = one.asked(one.stats)
    expect_stats(answer, unavailable("no_data", without_days(CASE_A)), "again")
    expect_equal(calls, 0, "calls")


@test("C2: a show that OP3 does not know costs four look-ups at most, then none")
def _():
    one = Station(started=True)
    one.op3.mode("404")
    answer, calls = one.asked(one.stats)
    expect_stats(answer, unavailable("not_registered", without_days(CASE_A)), "unknown")
    expect(2 <= calls <= 4 and one.op3.count("/shows/") == calls, f"{calls} calls: {[h.target for h in one.op3.hits]}")
    expect_equal(one.asked(one.stats)[1], 0, "calls afterwards")


@test("D, E: without a feed or a podcast nobody is asked, and nothing is degraded")
def _():
    one = Station(started=True)
    hello = {"episode_id": "f1", "title": "Hello", "publish_at": "2025-10-22T12:00:00Z", "downloads_all_time": None}
    no_feed = changed(without_days(unavailable("no_feed", degraded=())), total_episodes=1, upcoming_scheduled=0,
                      last_published_at="2025-10-22T12:00:00Z", last_assembly_status="success", episodes_last_30d=1,
                      recent_episodes=[hello])
    expect_stats(one.stats("ben"), no_feed, "D")
    no_podcast = changed(without_days(unavailable("no_podcast", degraded=())), {"podcasts_total": 0}, total_episodes=0,
                         upcoming_scheduled=0, last_published_at=None, last_assembly_status=None, episodes_last_30d=0,
                         recent_episodes=[])
    expect_stats(one.stats("cy"), no_podcast, "E")
    expect_equal(one.op3.count(), 0, "calls")


@test("F: without its table of episodes the local part is empty, and what OP3 says stays")
def _():
    one = Station(started=True)
    one.sql("DROP TABLE episodes")
    top = [{**episode, "episode_id": None} for episode in CASE_A["top_episodes"]]
    expect_stats(one.stats(), changed(without_days(CASE_A), total_episodes=0, upcoming_scheduled=0, last_published_at=None,
                                      last_assembly_status=None, episodes_last_30d=0, recent_episodes=[], top_episodes=top,
                                      degraded=["local"]), "F")


@test("G: with a wrong token one call is made, and for ten minutes none")
def _():
    one = Station(started=True, OP3_TOKEN="some-other-token")
    want = unavailable("unauthorized", without_days(CASE_A))
    answer, calls = one.asked(one.stats)
    expect_stats(answer, want, "first")
    expect_equal(calls, 1, "calls")
    other = one.add_podcast()
    answer, calls = one.asked(lambda: one.stats(query=f"podcast_id={other}"))
    expect_equal((answer["op3_error_code"], calls), ("unauthorized", 0), "another podcast meanwhile")
    expect_stats(one.stats(query="podcast_id=p1"), want, "again")


# -- a slow OP3 -----------------------------------------------------------------------------


@test("OP3 hangs: an answer in three seconds, also for those who wait for another's call, and others are not held up")
def _():
    one = Station(started=True)
    one.op3.mode("hang")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: one.stats(), range(2)))
    for answer in answers:
        expect(answer["op3_error_code"] in ("timeout", "pending"), answer["op3_error_code"])
        expect_stats(answer, unavailable(answer["op3_error_code"], without_days(CASE_A)), "hanging")
    expect("timeout" in [a["op3_error_code"] for a in answers], "who asked knows why")
    answer, calls = one.asked(lambda: one.stats(within=STALE_MAX_S))
    expect_equal((answer["op3_error_code"], calls), ("timeout", 0), "afterwards at once, without a call")
    expect_equal(one.asked(lambda: one.stats("ben", within=STALE_MAX_S))[1], 0, "a user whom it does not concern")


@test("OP3 is slow: within the time the figures, beyond it a timeout; a body that drips is no better")
def _():
    one = Station(history=True)
    for fault, want in ((slow(0.3), CASE_A), (slow(5), unavailable("timeout")), (drip(0.2), unavailable("timeout"))):
        one.forget()
        one.op3.misbehave(fault)
        expect_stats(one.ask(), want, fault.__qualname__)


@test("OP3 hangs and there are old figures: they come within a second, and then at once")
def _():
    one = Station(history=True, started=True)
    one.stats()
    one.op3.mode("hang")
    later = NOW + 4 * HOUR
    one.move_to(later)
    want = given_at(changed(CASE_A, {"status": "stale"}), later)
    expect_stats(one.stats(within=STALE_MAX_S), want, "first")
    answer, calls = one.asked(lambda: one.stats(within=STALE_MAX_S))
    expect_stats(answer, want, "again")
    expect_equal(calls, 0, "calls")


@test("who holds the lease is waited for; the lease of one who died ends after 15 seconds")
def _():
    one = Station(history=True)
    lease = f"INSERT INTO op3_shows (podcast_id, lease_owner, lease_until) VALUES ('p1', 'somebody', {NOW} + 15000)"
    one.sql(lease)
    answer, calls = one.asked(one.ask)
    expect_stats(answer, unavailable("pending"), "while another asks")
    expect_equal(calls, 0, "calls")
    answer, calls = one.asked(lambda: one.ask(now=NOW + 15000))
    expect_stats(answer, given_at(changed(CASE_A, {"fetched_at": "2025-10-23T12:00:15Z"}), NOW + 15000), "after its end")
    expect_equal(calls, 3, "calls")
    one.sql(f"UPDATE op3_shows SET lease_owner = 'somebody', lease_until = {NOW + 5 * HOUR}, fresh_until = {NOW + HOUR}")
    answer, calls = one.asked(lambda: one.ask(now=NOW + 4 * HOUR, within=STALE_MAX_S))
    expect_equal((answer["op3"]["status"], answer["plays_30d"], calls), ("stale", 412, 0), "old figures do not wait")


@test("twelve processes at once, each its own: three calls, right answers, and what one stores the others find")
def _():
    one = Station(history=True)
    one.op3.misbehave(slow(0.1))
    argv = [PILOTHOUSE, "--home", one.home, "get", f"{STATS}?user_id=u1"]
    processes = [subprocess.Popen(argv, env=one.env, stdout=subprocess.PIPE) for _ in range(12)]
    for process in processes:
        out, _ = process.communicate(timeout=COMMAND_TIMEOUT_S)
        expect_equal(process.returncode, 0, "exit status")
        got = fields(out)
        expect_stats(got, CASE_A if got["op3_error_code"] is None else unavailable("pending"), "one of twelve")
    expect_equal(one.op3.count(), 3, "calls")


# -- how long things are kept -----------------------------------------------------------------


@test("figures are fresh for 3 hours and used as stale for 7 days; the show is looked up again after 7 days")
def _():
    one = Station(history=True)
    expect_equal(one.asked(one.ask)[1], 3, "calls of the first")
    answer, calls = one.asked(lambda: one.ask(now=NOW + 3 * HOUR - 1))
    expect_equal((answer["op3"]["status"], calls), ("fresh", 0), "a millisecond before the third hour is over")
    one.op3.mode("html")
    answer, calls = one.asked(lambda: one.ask(now=NOW + 3 * HOUR))
    expect_equal((answer["op3"]["status"], answer["op3"]["fetched_at"], answer["plays_30d"], calls > 0),
                 ("stale", "2025-10-23T12:00:00Z", 412, True), "when it is over")
    one.heal()
    answer = one.ask(now=NOW + 7 * DAY - 1)
    expect_equal((answer["op3"]["status"], answer["plays_30d"], answer["op3_error_code"], answer["degraded"]),
                 ("stale", 412, None, []), "before seven days are over")
    one.heal()
    answer = one.ask(now=NOW + 7 * DAY + 1)
    expect_equal((answer["op3"]["status"], answer["plays_30d"], answer["op3_error_code"], answer["degraded"]),
                 ("unavailable", None, "bad_response", ["op3"]), "after them")
    one.forget()
    one.ask()
    expect_equal(one.asked(lambda: one.ask(now=NOW + 4 * HOUR))[1], 2, "calls while the show is known")
    one.op3.hits.clear()
    one.ask(now=NOW + 7 * DAY + 1)
    expect_equal((one.op3.count("/shows/"), one.op3.count()), (1, 3), "calls after seven days")


@test("a failure is tried again after 1, 2, 4, 8, then every 15 minutes, and a success forgets it")
def _():
    one = Station()
    one.op3.mode("html")
    now = NOW
    for wait in (0, 1, 2, 4, 8, 15, 15):
        if wait:
            expect_equal(one.asked(lambda: one.ask(now=now + wait * MINUTE - 1))[1], 0, f"calls before {wait} min")
        now += wait * MINUTE
        answer, calls = one.asked(lambda: one.ask(now=now))
        expect_equal((answer["op3_error_code"], calls), ("bad_response", 1), f"after {wait} min")
        one.heal()
    one.op3.mode("up")
    now += 15 * MINUTE
    expect_equal(one.ask(now=now)["plays_30d"], 412, "recovered")
    one.op3.mode("html")
    now += 3 * HOUR
    one.op3.hits.clear()
    for after, calls in ((0, 1), (MINUTE - 1, 1), (MINUTE, 2)):
        one.ask(now=now + after)
        expect_equal(one.op3.count("/show-download-counts"), calls, f"calls {after} ms into the next outage")


@test("a show that is not registered, and one without counts, are asked for again after an hour")
def _():
    for mode, code in (("404", "not_registered"), ("empty", "no_data")):
        one = Station()
        one.op3.mode(mode)
        expect_equal(one.ask()["op3_error_code"], code, mode)
        expect_equal(one.asked(lambda: one.ask(now=NOW + HOUR - 1))[1], 0, f"calls within the hour: {mode}")
        one.op3.mode("up")
        expect_stats(one.ask(now=NOW + HOUR), given_at(changed(without_days(CASE_A), {"fetched_at": "2025-10-23T13:00:00Z"}),
                                                 NOW + HOUR), f"after it: {mode}")


@test("counts without episodes are shown, and the episodes asked for again after ten minutes")
def _():
    one = Station(history=True)
    for fault in (html, status(400), odd(lambda v: {**v, "episodes": None}), odd(lambda v: [v]), huge):
        one.forget()
        one.op3.misbehave(fault, where="episode-download-counts")
        answer = one.ask()
        expect_equal([answer[name] for name in FROM_COUNTS], [101, 412, 412, 412], f"the counts with {fault.__qualname__}")
        expect_equal((answer["top_episodes"], answer["op3_enabled"], answer["op3_error_code"]), ([], True, None), "top")
        expect_equal([e["downloads_all_time"] for e in answer["recent_episodes"]], [None] * 3, "no zero")
        one.op3.mode("up")
        expect_equal(one.asked(lambda: one.ask(now=NOW + 10 * MINUTE - 1))[1], 0, "calls within ten minutes")
        answer = one.ask(now=NOW + 10 * MINUTE)
        expect_equal(answer["top_episodes"], CASE_A["top_episodes"], "after them")


# -- looking a show up ------------------------------------------------------------------------


def b64(url):
    return base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def lookups(one):
    return [hit.path.removeprefix("/api/1/shows/").rstrip("=") for hit in one.op3.hits if "/shows/" in hit.target]


@test("a show is looked up by its UUID, its GUID, its feed, and the feed's other spellings, in this order")
def _():
    feed = "https://feeds.example.com/night-harbour.xml"
    spellings = {b64(u) for u in (feed.replace("https", "http"), feed + "/", feed.replace("https", "http") + "/")}
    one = Station()
    one.sql(f"UPDATE podcasts SET op3_show_uuid = '{1:032x}' WHERE id = 'p1'")
    one.op3.mode("404")
    one.ask()
    seen = lookups(one)
    expect_equal(seen[:3], [f"{1:032x}", NIGHT_HARBOUR.guid, b64(feed)], "the first three")
    expect(len(seen) == 4 and seen[3] in spellings, seen)
    one.forget()
    one.op3.mode("404")
    one.ask()
    seen = lookups(one)
    expect_equal(seen[:2], [NIGHT_HARBOUR.guid, b64(feed)], "without a UUID")
    expect(len(seen) == 4 and len({*seen[2:]} & spellings) == 2, seen)


@test("a show is found by whichever name OP3 recorded")
def _():
    feed = "https://feeds.example.com/a.xml"
    for recorded in (dict(guid="0F7C1C1E-6F0A-5F52-9D54-1D0F3A5B7C11"), dict(feed_url=feed),
                     dict(feed_url="http://feeds.example.com/a.xml"), dict(feed_url=feed + "/")):
        show = show_like(7, **recorded)
        one = Station(op3=OP3([show], token=SECRET))
        podcast = one.add_podcast("u3", None if "feed_url" in recorded else NIGHT_HARBOUR.guid, feed)
        answer = one.ask("u3")
        expect_equal((answer["plays_30d"], answer["plays_7d"]), (10, 4), f"{recorded}: {lookups(one)}")
        expect_equal(one.rows(f"SELECT op3_show_uuid FROM podcasts WHERE id = '{podcast}'"), [(show.uuid,)], "it is kept")
    one = Station(op3=OP3([show_like(7, feed_url="http://feeds.example.com/a")], token=SECRET))
    one.add_podcast("u3", None, "http://feeds.example.com/a/")
    expect_equal(one.ask("u3")["plays_30d"], 10, "the slash too many is ours")


@test("a stored UUID that OP3 does not know any more gives way to the right one")
def _():
    one = Station()
    one.sql(f"UPDATE podcasts SET op3_show_uuid = '{1:032x}' WHERE id = 'p1'")
    expect_stats(one.ask(), without_days(CASE_A), "found by GUID")
    expect_equal(lookups(one), [f"{1:032x}", NIGHT_HARBOUR.guid], "look-ups")
    expect_equal(one.rows("SELECT op3_show_uuid FROM podcasts WHERE id = 'p1'"), [(NIGHT_HARBOUR.uuid,)], "stored")


@test("a podcast that becomes another show never has the figures of the one before")
def _():
    second = show_like(9, [counted("s-1", "Second", 77)], "11111111-2222-3333-4444-555555555555", weekly=(5, 6, 7, 8),
                       monthly=30)
    for change in (f"op3_show_uuid = '{second.uuid}'", f"op3_show_uuid = '{second.uuid}', podcast_guid = '{second.guid}'",
                   f"op3_show_uuid = NULL, podcast_guid = '{second.guid}'"):
        one = Station(op3=OP3([NIGHT_HARBOUR, second], token=SECRET))
        expect_equal(one.ask()["plays_30d"], 412, "the one before")
        one.sql(f"UPDATE podcasts SET {change} WHERE id = 'p1'")
        answer = one.ask()
        expect_equal((answer["plays_30d"], answer["plays_7d"], [e["item_guid"] for e in answer["top_episodes"]]),
                     (30, 8, ["s-1"]), f"after {change}")


@test("trouble on the way stops the look-ups")
def _():
    one = Station()
    for fault, code in ((status(500), "upstream_error"), (status(429), "rate_limited"), (status(401), "unauthorized"),
                        (html, "bad_response")):
        one.forget()
        one.op3.misbehave(fault, where=NIGHT_HARBOUR.guid)
        expect_equal(one.ask()["op3_error_code"], code, "the code")
        expect_equal(set(lookups(one)), {NIGHT_HARBOUR.guid}, "nothing else is looked up")
    for body in (b'{"error":"not found"}', b"<h1>Not Found</h1>", b""):
        one.forget()
        one.op3.misbehave(status(404, body))
        code = one.ask()["op3_error_code"]
        expect(code in ("bad_response", "upstream_error", "internal"), f"404 {body} is about no show: {code}")


# -- nonsense ---------------------------------------------------------------------------------


def counts_with(**members):
    """Show counts whose members are replaced; the value ... takes one away."""
    def make(value):
        counts = {**value["showDownloadCounts"][NIGHT_HARBOUR.uuid], **members}
        value["showDownloadCounts"][NIGHT_HARBOUR.uuid] = {k: v for k, v in counts.items() if v is not ...}
        return value
    return odd(make)


def answer_with(**members):
    """An answer whose outer members are replaced."""
    return odd(lambda value: {k: v for k, v in {**value, **members}.items() if v is not ...})


def instead(value):
    return odd(lambda _: value)


DEEP = b"[" * 100_000
NO_NUMBERS = ("412", "", -1, -412, 4.5, 1e300, 2**63, 2**80, None, True, [412], {"n": 412}, float("nan"), float("inf"), ...)
NO_UUIDS = ("a" * 31, "a" * 33, "A" * 32, "g" * 32, "", 7, None, ["a" * 32], {}, "../../../../../../../../../../ab",
            "a1b2c3d4e5f60718293a4b5c6d7e8f9\u0030\u0000", ...)
WRONG = {       # by the call that goes wrong
    "/shows/": [("huge", huge), ("html", html), ("broken", broken), ("empty", instead(b"")), ("array", instead([])),
                ("null", instead(None)), ("text", instead("x")), ("deep", instead(DEEP)), ("bytes", instead(b"\xff\xfe{}")),
                ("tail", instead(b'{"showUuid":"' + b"a" * 32 + b'"}x')),
                *((f"showUuid {u!r}", answer_with(showUuid=u)) for u in NO_UUIDS)],
    "/show-download-counts": [
        ("huge", huge), ("html", html), ("broken", broken), ("array", instead([])), ("null", instead(None)),
        ("deep", instead(DEEP)), ("no counts", answer_with(showDownloadCounts=...)),
        *((f"counts {v!r}", answer_with(showDownloadCounts=v)) for v in (None, [], "x", 7, True)),
        *((f"show {v!r}", answer_with(showDownloadCounts={NIGHT_HARBOUR.uuid: v})) for v in (None, [], "x", 7, {})),
        *((f"monthly {v!r}", counts_with(monthlyDownloads=v)) for v in NO_NUMBERS),
        *((f"weekly {v!r}", counts_with(weeklyDownloads=v)) for v in (None, "x", 7, {}, ["88", "97", "104", "101"], ...)),
        *((f"last week {v!r}", counts_with(weeklyDownloads=[88, 97, 104, v])) for v in NO_NUMBERS if v is not ...),
        *((f"asof {v!r}", answer_with(asof=v)) for v in (7, None, [], "x", "2025-13-01", "2025-02-30", "22.10.2025", ...))],
}


@test("an answer of OP3 that makes no sense is bad_response: no figure, no zero, none of its text, no second try")
def _():
    one = Station(history=True)
    want = unavailable("bad_response")
    for where, faults in WRONG.items():
        for name, fault in faults:
            one.forget()
            one.op3.misbehave(fault, where=where)
            answer = one.ask()
            expect_stats(answer, want, f"{where} {name}")
            expect_equal(one.op3.count(where), 1, f"calls of {where} {name}")
            for word in ("upstream", "127.0.0.1"):
                expect(word not in json.dumps(answer), f"{word} in the answer: {where} {name}: {answer}")


@test("with old figures the same nonsense leaves them as they are")
def _():
    one = Station(history=True)
    later = NOW + 4 * HOUR
    want = given_at(changed(CASE_A, {"status": "stale"}), later)
    for name, fault in WRONG["/show-download-counts"][::3]:
        one.forget()
        one.ask()
        one.op3.misbehave(fault, where="/show-download-counts")
        expect_stats(one.ask(now=later), want, name)


@test("an entry of an episode that makes no sense never shows: what is shown is right")
def _():
    one = Station(history=True)
    right = {json.dumps(e) for e in CASE_A["top_episodes"]}

    def first(**members):
        def make(value):
            entry = {**value["episodes"][0], **members}
            value["episodes"][0] = {k: v for k, v in entry.items() if v is not ...}
            return value
        return odd(make)

    faults = [first(downloadsAll=v) for v in NO_NUMBERS]
    faults += [first(**{f"downloads{n}": v}) for n in (1, 3, 7, 30) for v in ("3", -3, 1.5, [3], 2**70, None)]
    faults += [first(**{name: v}) for name in ("itemGuid", "title", "pubdate") for v in (7, [], {}, True)]
    faults += [first(pubdate=v) for v in ("x", "2025-02-30T00:00:00Z")]
    faults += [odd(lambda v, bad=bad: {**v, "episodes": [bad, *v["episodes"][1:]]}) for bad in (None, 7, "x", [], {})]
    for number, fault in enumerate(faults):
        one.forget()
        one.op3.misbehave(fault, where="episode-download-counts")
        answer = one.ask()
        expect_equal([answer[name] for name in FROM_COUNTS], [101, 412, 412, 412], f"the counts, fault {number}")
        for episode in answer["top_episodes"]:
            same = json.dumps({**episode, "title": "Fog Signals"}) if episode["item_guid"] == "g-e4" else json.dumps(episode)
            expect(same in right or json.dumps(episode) in right, f"fault {number}: {episode}")
        for episode, good in zip(answer["recent_episodes"], CASE_A["recent_episodes"]):
            expect(episode["downloads_all_time"] in (None, good["downloads_all_time"]), f"fault {number}: {episode}")


@test("members that OP3 leaves out or that we do not know do no harm")
def _():
    one = Station(history=True)
    one.op3.misbehave(answer_with(title=..., podcastGuid=..., statsPageUrl=..., news=[1]), where="/shows/")
    one.op3.misbehave(answer_with(queryTime=..., more={"a": 1}), where="/show-download-counts")
    one.op3.misbehave(answer_with(showTitle=..., minDownloadHour=..., queryTime="x"), where="episode-download-counts")
    expect_stats(one.ask(), CASE_A, "the answer")
    one.forget()
    one.op3.misbehave(counts_with(weeklyDownloads=[]), where="/show-download-counts")
    expect_equal(one.ask()["plays_7d"], None, "no week, no figure")


@test("a connection that breaks off, a closed port and a certificate that nobody vouches for are the network")
def _():
    one = Station(history=True)
    for name, fault, codes in (("silent", silent, ("network",)), ("cut", cut, ("bad_response", "network"))):
        one.forget()
        one.op3.misbehave(fault)
        answer = one.ask()
        expect(answer["op3_error_code"] in codes, f"{name}: {answer['op3_error_code']}")
        expect_stats(answer, unavailable(answer["op3_error_code"]), name)
        expect(one.op3.count() <= 3, f"{one.op3.count()} calls")
    one.forget()
    one.op3.refuse()
    expect_stats(one.ask(), unavailable("network"), "a closed port")
    one.op3.accept()
    expect_stats(one.ask(now=NOW + MINUTE), given_at(changed(CASE_A, {"fetched_at": "2025-10-23T12:01:00Z"}), NOW + MINUTE),
                 "open again, a minute later")
    certificate = self_signed(scratch())
    two = Station(history=True, op3=OP3(token=SECRET, certificate=certificate))
    expect_stats(two.ask(), unavailable("network"), "TLS")
    expect_equal(two.op3.count(), 0, "nothing is said to a stranger")
    expect(two.op3.connections >= 1, "it was tried")
    two.forget()
    two.configure(PH_CA_FILE=certificate[0])
    expect_stats(two.ask(), CASE_A, "with its certificate among ours")


@test("a try that fails for a moment is made again")
def _():
    one = Station(history=True)
    for fault in (status(500), status(502), status(503), status(504)):
        for where in ("/shows/", "/show-download-counts"):
            one.forget()
            one.op3.misbehave(fault, where=where, times=1)
            expect_stats(one.ask(), CASE_A, f"one failure of {where}")
            expect_equal(one.op3.count(), 4, f"calls with one failure of {where}")


@test("a redirect is not followed, and other statuses are no figures")
def _():
    one = Station(history=True)
    other = OP3(token=SECRET)
    for code in (201, 204, 301, 302, 307, 308, 400, 405, 418, 501):
        one.forget()
        where = {"Location": f"{other.base}/shows/{NIGHT_HARBOUR.guid}"} if 300 < code < 400 else {}
        one.op3.misbehave(status(code, b"" if code == 204 else b"upstream's own words", **where))
        answer = one.ask()
        expect(answer["op3_error_code"] in ("bad_response", "upstream_error", "internal"), f"{code}: {answer}")
        expect_stats(answer, unavailable(answer["op3_error_code"]), f"status {code}")
    expect_equal(other.count(), 0, "nobody went there")


# -- being left alone -------------------------------------------------------------------------


@test("429 stops all calls for Retry-After, or a minute; a date is as good as seconds, nonsense is neither")
def _():
    def date(ms):
        return email.utils.formatdate(ms / 1000, usegmt=True)

    one = Station(history=True)
    for value, goes_on in ((None, False), ("soon", False), ("-5", False), ("120", False), (date(NOW + HOUR), False),
                           ("0", True), (date(NOW - HOUR), True)):
        one.forget()
        one.op3.misbehave(status(429, b"slow down", **({} if value is None else {"Retry-After": value})), times=1)
        expect_stats(one.ask(), unavailable("rate_limited"), f"Retry-After: {value}")
        expect_equal(one.op3.count(), 1, f"calls, Retry-After: {value}")
        podcast = one.add_podcast()
        answer, calls = one.asked(lambda: one.ask(podcast=podcast))
        expect_equal((answer["op3_error_code"], calls), (None, 3) if goes_on else ("rate_limited", 0),
                     f"another podcast, Retry-After: {value}")
        one.sql(f"DELETE FROM podcasts WHERE id = '{podcast}'")


@test("429 with Retry-After: 1 is over after a second")
def _():
    one = Station(history=True)
    one.op3.misbehave(status(429, Retry_After=1), times=1)
    one.ask()
    wait_until(lambda: one.ask(podcast=one.add_podcast())["op3_error_code"] is None, "the next podcast gets its figures", 5)


@test("401 and 403 stop all calls, whatever the podcast")
def _():
    one = Station(history=True)
    for code in (401, 403):
        one.forget()
        one.op3.misbehave(status(code), times=1)
        expect_stats(one.ask(), unavailable("unauthorized"), str(code))
        expect_equal(one.asked(lambda: one.ask(podcast=one.add_podcast()))[1], 0, f"calls after {code}")
        expect_equal(one.op3.count(), 1, f"calls of {code}")
        one.sql("DELETE FROM podcasts WHERE id LIKE 'q%'")


def breaker(one):
    return one.request(fresh(BREAKERS)).json["breakers"]["op3"]


@test("five failures open the breaker for everybody; open, nobody calls; later one probe, and it closes")
def _():
    one = Station(started=True, BREAKER_OP3_TIMEOUT=2)
    podcasts = [one.add_podcast() for _ in range(8)]
    one.op3.mode("503")
    codes = [one.stats(query=f"podcast_id={p}")["op3_error_code"] for p in podcasts]
    expect_equal(one.op3.count(), 5, "calls")
    expect_equal((codes[0], codes[-1]), ("upstream_error", "breaker_open"), "codes")
    shown = breaker(one)
    expect_equal([shown[n] for n in ("state", "failure_count", "failure_threshold", "recovery_timeout")],
                 ["open", 5, 5, 2], "for those who look")
    wait_until(lambda: breaker(one)["state"] == "half_open", "its time is over", 10)
    answer, calls = one.asked(lambda: one.stats(query=f"podcast_id={one.add_podcast()}"))
    expect_equal(calls, 1, "the probe")
    expect(answer["op3_error_code"] in ("upstream_error", "breaker_open"), "which fails")
    wait_until(lambda: breaker(one)["state"] == "half_open", "again", 10)
    one.op3.mode("up")
    expect_equal(one.stats(query=f"podcast_id={one.add_podcast()}")["plays_30d"], 412, "the probe succeeds")
    expect_equal([breaker(one)[n] for n in ("state", "failure_count")], ["closed", 0], "closed")


@test("an open breaker outlasts a restart, and old figures are shown through it")
def _():
    one = Station(history=True, started=True, BREAKER_OP3_THRESHOLD=1, BREAKER_OP3_TIMEOUT=600)
    expect_stats(one.stats(), CASE_A, "before")
    one.op3.mode("500")
    one.stats(query=f"podcast_id={one.add_podcast()}")
    expect_equal((breaker(one)["state"], one.op3.count()), ("open", 4), "one failure opens it")
    one.op3.mode("up")
    one.move_to(NOW + 4 * HOUR)
    answer, calls = one.asked(lambda: one.stats(query="podcast_id=p1"))
    expect_stats(answer, given_at(changed(CASE_A, {"status": "stale"}), NOW + 4 * HOUR), "after a restart")
    answer, more = one.asked(lambda: one.stats(query=f"podcast_id={one.add_podcast()}"))
    expect_equal((answer["op3_error_code"], calls, more), ("breaker_open", 0, 0), "a new podcast")


@test("OP3 is not asked when it is switched off, without a token, or where it may not be")
def _():
    for settings, code in (({"OP3_ENABLED": 0}, "disabled"), ({"OP3_TOKEN": ""}, "unauthorized")):
        one = Station(history=True, **settings)
        expect_stats(one.ask(), unavailable(code), settings)
        expect_equal(one.op3.count(), 0, f"calls with {settings}")
    one = Station(history=True, PH_ALLOW_LOOPBACK_HTTP=0)
    done = one.run("get", f"{STATS}?user_id=u1", status=None)
    if done.returncode == 0:
        expect_equal(fields(done.stdout)["plays_30d"], None, "no figures")
    expect_equal(one.op3.count() + one.op3.connections, 0, "no call without TLS")


# -- the local part ---------------------------------------------------------------------------


def instant(ms):
    return None if ms is None else iso(ms)[:19] + "Z"


def local_part(rows):
    """What the answer says of a user's episodes, from the definitions alone."""
    visible = [r for r in rows if r["episode_number"] != 0]
    out = [r for r in visible if r["publish_at"] is not None and r["publish_at"] <= NOW
           and r["status"] not in ("error", "failed")]
    assembled = [r for r in visible if r["processed_at"] is not None]
    last = max(assembled, key=lambda r: (r["processed_at"], r["id"]), default={"status": None})["status"]
    newest = sorted(out, key=lambda r: -r["publish_at"])
    return {"total_episodes": len(visible),
            "upcoming_scheduled": sum(r["publish_at"] is not None and r["publish_at"] > NOW for r in visible),
            "last_published_at": instant(max((r["publish_at"] for r in out), default=None)),
            "last_assembly_status": {None: None, "error": "error", "failed": "error", "processed": "success",
                                     "completed": "success", "published": "success"}.get(last, "pending"),
            "episodes_last_30d": sum(r["publish_at"] >= NOW - 30 * DAY for r in out),
            "recent_episodes": [{"episode_id": r["id"], "title": r["title"].strip() or "Untitled",
                                 "publish_at": instant(r["publish_at"]), "downloads_all_time": None} for r in newest[:3]]}


@test("the local part of random episodes is that of the definitions")
def _():
    chance = random.Random(20251023)
    one = Station(OP3_ENABLED=0)
    one.sql("INSERT INTO podcasts (id, user_id, name, created_at) VALUES ('x1', 'u3', 'X', 1), ('x2', 'u3', 'Y', 2)")
    statuses = ("pending processing awaiting_audio_decision failed processed completed published error").split()
    for size in (0, 1, 2, 5, 40, 300):
        for _ in range(3 if size else 1):
            one.sql("DELETE FROM episodes WHERE podcast_id IN ('x1', 'x2')")
            times = chance.sample(range(NOW - 60 * DAY, NOW + 20 * DAY, 1000), size)
            rows = [{"id": f"x{n:03}", "podcast_id": chance.choice(("x1", "x2")), "status": chance.choice(statuses),
                     "title": chance.choice(("", "  ", "Title", "Ünï")), "episode_number": chance.choice((None, 0, 1, 2)),
                     "publish_at": chance.choice((None, at, at, at)),
                     "processed_at": chance.choice((None, NOW, NOW - 1, NOW - 2))} for n, at in enumerate(times)]
            for row, edge in zip(rows, (NOW, NOW - 30 * DAY, NOW - 30 * DAY - 1, NOW + 1)):
                row["publish_at"] = edge
            db = one.connect()
            db.executemany("INSERT INTO episodes (id, podcast_id, title, episode_number, status, publish_at, processed_at,"
                           " created_at) VALUES (:id, :podcast_id, :title, :episode_number, :status, :publish_at,"
                           " :processed_at, 1)", rows)
            db.close()
            for podcast in (None, "x1", "x2"):
                mine = [r for r in rows if podcast in (None, r["podcast_id"])]
                want = local_part(mine)
                got = one.ask("u3", podcast=podcast)
                expect_equal({name: got[name] for name in want}, want, f"{size} episodes, podcast {podcast}")


@test("plays of a year and of all time are sums of the days, or unknown")
def _():
    one = Station(history=True, OP3_ENABLED=0)

    def plays():
        answer = one.ask()
        return answer["plays_365d"], answer["plays_all_time"], answer["op3"]["coverage_since"]

    expect_equal(plays(), (632, 632, "2025-07-01"), "the vectors")
    one.sql("UPDATE podcasts SET imported_downloads = 1000, imported_until = '2025-06-30' WHERE id = 'p1'")
    expect_equal(plays(), (632, 1632, "2025-07-01"), "downloads before OP3")
    one.sql("UPDATE podcasts SET imported_until = '2025-07-01' WHERE id = 'p1'")
    expect_equal(plays(), (632, 632, "2025-07-01"), "not if they overlap")
    one.sql("UPDATE podcasts SET imported_until = NULL WHERE id = 'p1'")
    expect_equal(plays(), (632, 632, "2025-07-01"), "nor if nobody knows")
    one.sql("""INSERT INTO op3_daily (podcast_id, day, dim, n) VALUES ('p1', '2024-10-23', 'total', 1000),
               ('p1', '2024-10-22', 'total', 10000), ('p1', '2025-10-22', 'total', 1), ('p1', '2025-10-22', 'country', 7)""")
    expect_equal(plays()[:2], (1633, 11633), "365 days end with the last whole one")
    one.sql("INSERT INTO op3_daily (podcast_id, day, dim, n) VALUES ('p1', '2025-10-23', 'total', 100000)")
    expect_equal(plays()[:2], (1633, 111633), "today is no part of them")
    one.sql("UPDATE op3_sync SET backfill_done = 0")
    expect_equal(plays()[:2], (None, None), "not before all is read")
    one.sql("UPDATE op3_sync SET backfill_done = 1; INSERT INTO podcasts (id, user_id, name, feed_url, created_at) VALUES"
            " ('x', 'u1', 'X', 'https://feeds.example.com/x.xml', 1)")
    expect_equal(plays()[:2], (None, None), "of each podcast")


# -- episodes of ours and theirs --------------------------------------------------------------


@test("an episode is OP3's by its guid, else by a title that only one has on either side")
def _():
    ours = [    # id, podcast, guid, title
        ("by-guid", "x1", "G-1", "another title"), ("by-title", "x1", None, " “Fog’s” \t Signals — One "),
        ("other-guid", "x1", "mine", "Low  Tide"), ("twice-1", "x1", "t1", "Twice"), ("twice-2", "x1", "t2", "twice"),
        ("theirs-twice", "x1", None, "Echo"), ("case", "x1", "g-2", "unlike"), ("elsewhere", "x2", "G-9", "Nine"),
        ("placeholder-like", "x1", "G-7", "")]
    theirs = [counted("G-1", "Fog", 100), counted(None, "fogs signals - one", 90), counted("yours", "LOW TIDE", 80),
              counted("t9", "twice", 70), counted("t7", "Echo", 60), counted("t8", "echo ", 55),
              counted("G-2", "Capitals", 50), counted("G-9", "Nine", 40), counted("G-7", None, 30)]
    want = {"by-guid": 100, "by-title": 90, "other-guid": 80, "twice-1": None, "twice-2": None, "theirs-twice": None,
            "case": None, "elsewhere": None, "placeholder-like": 30}
    one = Station(op3=OP3([show_like(5, theirs, feed_url="https://feeds.example.com/x1.xml")], token=SECRET))
    one.sql("INSERT INTO podcasts (id, user_id, name, feed_url, created_at) VALUES"
            " ('x1', 'u3', 'X', 'https://feeds.example.com/x1.xml', 1), ('x2', 'u3', 'Y', NULL, 2)")
    db = one.connect()
    db.executemany("INSERT INTO episodes (id, podcast_id, guid, title, status, publish_at, created_at) VALUES"
                   " (?, ?, ?, ?, 'published', 1, 1)", ours)
    db.close()
    for n, (ident, *_) in enumerate(ours):
        # The answer names three episodes only: each in turn is the newest.
        one.sql(f"UPDATE episodes SET publish_at = {NOW - DAY + n} WHERE id = '{ident}'")
        answer = one.ask("u3")
        newest = answer["recent_episodes"][0]
        expect_equal((newest["episode_id"], newest["downloads_all_time"]), (ident, want[ident]), "ours")
        expect_equal([(e["episode_id"], e["item_guid"], e["downloads_all_time"]) for e in answer["top_episodes"]],
                     [("by-guid", "G-1", 100), ("by-title", None, 90), ("other-guid", "yours", 80)], "theirs")


@test("an episode that comes after OP3 was asked, or whose title changes, is OP3's all the same")
def _():
    show = show_like(5, [counted("g-late", "Late", 9), counted(None, "Renamed", 8)], feed_url="https://feeds.example.com/x")
    one = Station(op3=OP3([show], token=SECRET))
    one.sql("""INSERT INTO podcasts (id, user_id, name, feed_url, created_at) VALUES
                 ('x1', 'u3', 'X', 'https://feeds.example.com/x', 1);
               INSERT INTO episodes (id, podcast_id, title, status, publish_at, created_at) VALUES
                 ('n', 'x1', 'Before', 'published', 1, 1)""")
    expect_equal([e["episode_id"] for e in one.ask("u3")["top_episodes"]], [None, None], "at first")
    one.sql("""INSERT INTO episodes (id, podcast_id, guid, title, status, publish_at, created_at) VALUES
                 ('l', 'x1', 'g-late', 'x', 'published', 2, 2);
               UPDATE episodes SET title = 'renamed' WHERE id = 'n'""")
    answer = one.ask("u3", now=NOW + 3 * HOUR)
    expect_equal([e["episode_id"] for e in answer["top_episodes"]], ["l", "n"], "when OP3 was asked again")
    expect_equal([e["downloads_all_time"] for e in answer["recent_episodes"]], [9, 8], "ours")


@test("top episodes are three, by all downloads, then the newer first, over all podcasts")
def _():
    shows = [show_like(5, [counted("a", "A", 50, "2025-10-03T00:00:00Z"), counted("b", "B", 70, "2025-10-02T00:00:00Z"),
                           counted("c", "C", 50, "2025-10-01T00:00:00Z")], feed_url="https://feeds.example.com/x1"),
             show_like(6, [counted("d", "D", 50, "2025-10-04T00:00:00Z"), counted("e", "E", 0, "2025-10-04T00:00:00Z")],
                       feed_url="https://feeds.example.com/x2", weekly=(0, 0, 0, 0), monthly=0)]
    one = Station(op3=OP3(shows, token=SECRET))
    one.sql("INSERT INTO podcasts (id, user_id, name, feed_url, created_at) VALUES ('x1', 'u3', 'X',"
            " 'https://feeds.example.com/x1', 1), ('x2', 'u3', 'Y', 'https://feeds.example.com/x2', 2)")
    answer = one.ask("u3")
    expect_equal([e["item_guid"] for e in answer["top_episodes"]], ["b", "d", "a"], "of both")
    expect_equal((answer["plays_7d"], answer["plays_30d"]), (4, 10), "sums")
    answer = one.ask("u3", podcast="x2")
    expect_equal([(e["item_guid"], e["downloads_all_time"]) for e in answer["top_episodes"]], [("d", 50), ("e", 0)],
                 "of one")
    expect_equal((answer["plays_7d"], answer["plays_30d"], answer["op3_enabled"]), (0, 0, True), "a known zero is a zero")


# -- several podcasts -------------------------------------------------------------------------


@test("several podcasts: sums of what there is, the worst status and the oldest day")
def _():
    second = show_like(9, [counted("s-1", "Second", 77)], "11111111-2222-3333-4444-555555555555", weekly=(5, 6, 7, 8),
                       monthly=30)
    one = Station(history=True, op3=OP3([NIGHT_HARBOUR, second], token=SECRET))
    one.add_podcast("u1", second.guid)
    answer = one.ask()
    expect_equal([answer[n] for n in (*FROM_COUNTS, *FROM_DAYS)], [109, 442, 442, 442, None, None], "both")
    expect_equal(answer["op3"], {**CASE_A["op3"], "podcasts_total": 2, "podcasts_with_data": 2,
                                 "coverage_since": answer["op3"]["coverage_since"]}, "both")
    expect_equal([e["item_guid"] for e in answer["top_episodes"]], ["g-e2", "g-e3", "s-1"], "top of both")

    # A day later one of them fails.
    later = NOW + DAY
    one.op3.now = later
    one.op3.misbehave(html, where=second.uuid)
    answer = one.ask(now=later)
    expect_equal([answer[n] for n in FROM_COUNTS], [109, 442, 442, 442], "one of them old")
    expect_equal({n: answer["op3"][n] for n in ("status", "as_of", "podcasts_total", "podcasts_with_data")},
                 {"status": "stale", "as_of": "2025-10-22", "podcasts_total": 2, "podcasts_with_data": 2}, "one of them old")
    expect_equal((answer["op3_error_code"], answer["degraded"]), (None, []), "that is no failure")

    # A third that OP3 does not know.
    one.add_podcast("u1", "99999999-2222-3333-4444-555555555555")
    answer = one.ask(now=later)
    expect_equal([answer[n] for n in FROM_COUNTS], [109, 442, 442, 442], "what there is")
    expect_equal((answer["op3"]["status"], answer["op3"]["podcasts_total"], answer["op3"]["podcasts_with_data"]),
                 ("unavailable", 3, 2), "the worst status")
    expect(answer["op3_enabled"] is True, "there are figures")


# -- a database in trouble --------------------------------------------------------------------


@test("while another writes: the answer comes in time, from the store if there is one")
def _():
    for is_stored in (True, False):
        one = Station(history=True, started=True)
        if is_stored:
            expect_stats(one.stats(), CASE_A, "before")
        db = one.connect()
        db.execute("BEGIN IMMEDIATE")
        answer = one.stats()
        db.execute("ROLLBACK")
        db.close()
        if is_stored or answer["op3_error_code"] is None:
            expect_stats(answer, CASE_A, "locked, but stored or fetched")
        else:
            expect_stats(answer, unavailable(answer["op3_error_code"]), "locked, nothing stored")


@test("while nobody can read: 200 with every key, nothing invented, and back by itself")
def _():
    one = Station(history=True, started=True, PH_BUSY_TIMEOUT_MS=100)
    db = one.connect()
    db.execute("PRAGMA journal_mode=DELETE")        # where readers must wait for a writer
    expect_stats(one.stats(), CASE_A, "before")

    def answered():
        # nginx keeps a permission for a second; without it nobody knows who asks.
        one.stats()
        db.execute("BEGIN EXCLUSIVE")
        try:
            answer = one.request(STATS, token=one.tokens["ana"])
        finally:
            db.execute("ROLLBACK")
        return answer if answer.status != 503 else None

    answer = wait_until(answered, "an answer")
    expect_equal(answer.status, 200, answer)
    got = fields(answer.body)
    expect_equal(sorted(got), sorted(CASE_A), "keys")
    expect("local" in got["degraded"], got["degraded"])
    expect_equal([got[n] for n in ("total_episodes", "upcoming_scheduled", "last_published_at", "last_assembly_status",
                                   "episodes_last_30d", "recent_episodes")], [0, 0, None, None, 0, []], "the local part")
    for name in (*FROM_COUNTS, *FROM_DAYS):
        expect(got[name] in (None, CASE_A[name]), f"{name} is unknown or right: {got[name]}")
    db.close()
    expect_stats(one.stats(), CASE_A, "afterwards")


@test("with any table of OP3's gone there is an answer, and no zero")
def _():
    for table in ("op3_shows", "op3_counts", "op3_daily", "op3_sync"):
        one = Station(history=True)
        db = one.connect()
        db.execute("PRAGMA foreign_keys=OFF")
        db.execute(f"DROP TABLE {table}")
        db.close()
        answer = one.ask()
        expect_equal(sorted(answer), sorted(CASE_A), f"keys without {table}")
        for name in (*FROM_COUNTS, *FROM_DAYS):
            expect(answer[name] in (None, CASE_A[name]), f"{name} without {table}: {answer[name]}")
        expect(answer["total_episodes"] == 7 or "local" in answer["degraded"], f"the local part without {table}: {answer}")


# -- who may ----------------------------------------------------------------------------------

shared = Station(history=True, started=True, stays=True)


@test("without a token 401, without the scope 403, foreign and unknown podcasts 404")
def _():
    expect_problem(shared.request(STATS, token=""), 401, "credentials_missing")
    expect_problem(shared.request(STATS, token="phk_0000000000_" + "0" * 40), 401, "credentials_invalid")
    expect_problem(shared.request(STATS, token=shared.make_token("ana", "--scopes", "dashboard:read")), 403, "scope_missing")
    for podcast in ("p1", "nowhere", "%27%20OR%201", "a" * 600):
        answer = shared.request(f"{STATS}?podcast_id={podcast}", token=shared.tokens["ben"])
        expect(answer.status in ((404,) if podcast in ("p1", "nowhere") else (404, 422)), f"{podcast}: {answer}")
        expect_problem(answer, answer.status, answer.code)
    foreign, unknown = (shared.request(f"{STATS}?podcast_id={p}", token=shared.tokens["ben"]) for p in ("p1", "nowhere"))
    for answer in (foreign, unknown):
        expect_problem(answer, 404, "not_found")
    expect_equal(foreign.json["detail"].replace("p1", "nowhere"), unknown.json["detail"], "they look the same")


@test("user_id= is an admin's, by id or by name; an admin sees every podcast")
def _():
    for user in ("u1", "ana", "u4", "nobody", "root"):
        answer = shared.request(f"{STATS}?user_id={user}", token=shared.tokens["ben"])
        expect_problem(answer, 403, answer.code)
    for query in ("user_id=u1", "user_id=ana", "podcast_id=p1", "user_id=ana&podcast_id=p1"):
        answer = shared.request(f"{STATS}?{query}")
        expect_equal(answer.status, 200, f"{query}: {answer}")
        expect_stats(fields(answer.body), CASE_A, query)
    expect_equal(shared.request(STATS).json["op3_error_code"], "no_podcast", "an admin's own podcasts")
    for query in ("user_id=nobody", "user_id=ben&podcast_id=p1"):
        expect_problem(shared.request(f"{STATS}?{query}"), 404, "not_found")


@test("GET and HEAD and nothing else; nobody keeps the answer")
def _():
    token = shared.tokens["ana"]
    get, head = (shared.request(STATS, method, token=token) for method in ("GET", "HEAD"))
    expect_equal((head.status, head.body), (200, b""), "HEAD")
    for answer in (get, head):
        expect_equal(answer.headers.get_all("Cache-Control"), ["private, no-store"], "Cache-Control")
        expect_equal(answer.headers["Content-Type"], "application/json; charset=utf-8", "Content-Type")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = shared.request(STATS, method, token=token, body=b"{}" if method == "POST" else None)
        expect_problem(answer, 405, "method_not_allowed")
        expect_equal(set(re.split(", *", answer.headers["Allow"])), {"GET", "HEAD", "OPTIONS"}, method)
    expect_equal(shared.request(STATS, "OPTIONS", token="").status, 204, "OPTIONS")


@test("two users' answers never mix")
def _():
    mine = Station(history=True, started=True)
    names = ["ana", "ben", "cy"] * 8
    with ThreadPoolExecutor(8) as pool:
        for name, answer in zip(names, pool.map(mine.stats, names)):
            expect_equal(answer["total_episodes"], {"ana": 7, "ben": 1, "cy": 0}[name], name)


@test("by hand it is the local admin's answer")
def _():
    expect_equal(shared.ask(), json.loads(shared.request(f"{STATS}?user_id=u1").body), "of a user")
    expect_equal(fields(shared.get(STATS))["op3_error_code"], "no_podcast", "of the oldest admin")
    shared.sql("INSERT INTO podcasts (id, user_id, name, created_at) SELECT 'mine', id, 'Mine', 1 FROM users"
               " WHERE name = 'root'")
    expect_equal(fields(shared.get(STATS))["op3_error_code"], "no_feed", "who has a podcast now")
    expect_equal(json.loads(shared.get(f"{STATS}?podcast_id=nowhere", status=4))["code"], "not_found", "unknown")
    shared.sql("DELETE FROM podcasts WHERE id = 'mine'")


@test("what OP3 is told: who asks, the token in a header only; and nobody else learns the token")
def _():
    one = Station(history=True, started=True)
    one.stats()
    for mode in ("503", "html", "404"):
        one.op3.mode(mode)
        one.stats(query=f"podcast_id={one.add_podcast()}")
    for hit in one.op3.hits:
        expect_equal((hit.method, hit.headers["Authorization"]), ("GET", f"Bearer {SECRET}"), hit.target)
        expect(SECRET not in hit.target and "token" not in hit.query, hit.target)
        agent = hit.headers["User-Agent"] or ""
        expect("pilothouse" in agent.lower(), f"User-Agent {agent!r}")
    bodies = [one.request(path).body for path in (f"{STATS}?user_id=u1", "/health", BREAKERS)]
    bodies += [one.run(*command, status=None).stdout.encode() for command in (["config"], ["doctor"], ["logs"], ["status"])]
    one.stop()
    for body in bodies:
        expect(SECRET.encode() not in body, "an answer")
    for path in one.home.rglob("*"):
        if path.is_file() and path.name != "pilothouse.conf":
            expect(SECRET.encode() not in path.read_bytes(), f"the token is in {path}")
    log = "".join(path.read_text(errors="replace") for path in (one.home / "log").iterdir())
    expect("op3" in log, "the failed calls are in the log")


@test("the fakes made no mistake")
def _():
    expect_equal([error for op3 in fakes for error in op3.errors], [], "errors")


run()
