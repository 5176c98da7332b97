#!/usr/bin/env -S /usr/bin/python3 -B
"""The door for podcasts and episodes: batches of rows, and feeds, by their owners only."""
import json
import sys

from harness import SOURCE, Instance, expect, expect_equal, expect_problem, run, test

sys.path.insert(0, str(SOURCE / "t/upstream"))
from fake import Reply, Upstream, cut, html, huge, silent, status     # noqa: E402
from op3 import NIGHT_HARBOUR, NOW, OP3                               # noqa: E402

INGEST = "/api/podcasts/ingest"
IMPORT = "/api/podcasts/import"
STATS = "/api/dashboard/stats"
GUID = "0f7c1c1e-6f0a-5f52-9d54-1d0f3a5b7c11"
FEED = """<?xml version="1.0"?>
<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"
 xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>Night &amp; Harbour</title><link>https://night.example.com/</link>
<atom:link rel="self" href="https://feeds.example.com/night-harbour.xml" type="application/rss+xml"/>
<podcast:guid>0f7c1c1e-6f0a-5f52-9d54-1d0f3a5b7c11</podcast:guid>
%s</channel></rss>"""
ITEM = """<item><title>%s</title><guid>%s</guid><pubDate>%s</pubDate><itunes:duration>%s</itunes:duration>
<enclosure url="https://media.example.com/%s.mp3" length="%s" type="audio/mpeg"/></item>"""
FOG = ITEM % ("Fog Signals", "g-e4", "Mon, 20 Oct 2025 12:00:00 GMT", "11:05", "e4", "5320000")
SALT = ITEM % ("Salt Roads", "g-e3", "Fri, 03 Oct 2025 12:00:00 +0200", "3600", "e3", "0")


class Host(Upstream):
    """A server of one feed."""
    text = FEED % (FOG + SALT)

    def answer(self, hit):
        return Reply(200, self.text.encode(), {"Content-Type": "application/rss+xml"})


host, op3 = Host(), OP3()
one = Instance(now=NOW, PH_ALLOW_LOOPBACK_HTTP=1, PH_WEBHOOK_ALLOW="127.0.0.1", OP3_BASE_URL=op3.url + "/api/1",
               OP3_TOKEN="test-token")
for name in ("ana", "ben"):
    one.add_user(name, "operator")
one.add_user("vic", "viewer")
one.start()
tokens = {name: one.make_token(name, "--scopes", "podcast:read podcast:write") for name in ("ana", "ben")}
ids = dict(one.rows("SELECT name, id FROM users"))
one.add_user("root", "admin")
admin = one.make_token("root")


def post(path, body, token=None, kind="application/json"):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return one.request(path, method="POST", token=token or tokens["ana"], body=text, headers={"Content-Type": kind})


def put(kind, *rows, token=None, query=""):
    return post(f"{INGEST}/{kind}{query}", list(rows), token)


def results(answer):
    return [(r["result"], [e["param"] for e in r["errors"]]) for r in answer.json["results"]]


@test("podcasts and episodes come in, and say what became of each")
def _():
    answer = put("podcasts", {"id": "a1", "name": "One", "feed_url": "https://feeds.example.com/one.xml"},
                 {"name": "Two", "slug": "two", "podcast_guid": GUID, "op3_show_uuid": "0123456789abcdef" * 2,
                  "imported_downloads": 12, "imported_until": "2024-12-31", "public_stats": True})
    expect_equal((answer.status, results(answer)), (200, [("created", []), ("created", [])]), "podcasts")
    expect_equal(set(one.rows("SELECT user_id, name, slug, podcast_guid, imported_downloads, imported_until, public_stats"
                              " FROM podcasts")),
                 {(ids["ana"], "One", None, None, None, None, 0), (ids["ana"], "Two", "two", GUID, 12, "2024-12-31", 1)}, "rows")
    answer = put("episodes", {"id": "x1", "podcast_id": "a1", "title": "First", "guid": "g1", "status": "published",
                              "publish_at": "2025-10-20T12:00:00Z", "duration_ms": 665000, "episode_number": 1},
                 {"podcast_id": "a1", "title": ""})
    expect_equal((answer.status, results(answer)), (200, [("created", []), ("created", [])]), "episodes")
    answer = put("episodes", {"id": "x1", "title": "First", "status": "published"}, {"id": "x1", "title": "Other"})
    expect_equal(results(answer), [("unchanged", []), ("updated", [])], "again")
    expect_equal(one.rows("SELECT title, duration_ms, publish_at, updated_at FROM episodes WHERE id = 'x1'"),
                 [("Other", 665000, 1760961600000, NOW)], "the row")
    body = one.request(f"{STATS}?podcast_id=a1", token=tokens["ana"]).json
    expect_equal((body["total_episodes"], body["recent_episodes"][0]["title"]), (2, "Other"), "seen at once")
    expect_equal(one.rows("SELECT actor, target FROM audit_log WHERE action = 'podcast.ingest' ORDER BY id LIMIT 1"),
                 [("ana", "podcasts")], "the audit log")


@test("bad members are refused by name, and leave nothing behind")
def _():
    before = one.rows("SELECT * FROM podcasts ORDER BY id")
    for member, value in (("name", ""), ("name", "x" * 201), ("podcast_guid", "z" * 36), ("podcast_guid", "short"),
                          ("feed_url", "ftp://feeds.example.com/"), ("feed_url", "https://a b.example.com/"),
                          ("op3_show_uuid", "X" * 32), ("op3_show_uuid", "a" * 31), ("imported_downloads", -1),
                          ("imported_downloads", 1.5), ("imported_until", "2025-02-30"), ("imported_until", "2025-1-1xx"),
                          ("public_stats", "yes"), ("created_at", "soon"), ("slug", "two"), ("user_id", "nobody"),
                          ("tier", "pro")):
        answer = put("podcasts", {"name": "Good"}, {"name": "Bad", member: value})
        expect_equal((answer.status, results(answer)), (207, [("created", []), ("refused", [f"[1].{member}"])]), f"{member}={value}")
        one.sql("DELETE FROM podcasts WHERE name = 'Good'")
    for row, member in (({"title": "x"}, "podcast_id"), ({"podcast_id": "a1"}, "title"),
                        ({"podcast_id": "a1", "title": "x", "status": "out"}, "status"),
                        ({"podcast_id": "a1", "title": "x", "duration_ms": -1}, "duration_ms"),
                        ({"podcast_id": "a1", "title": "x", "revision": 0}, "revision"),
                        ({"podcast_id": "gone", "title": "x"}, "podcast_id")):
        expect_equal(results(put("episodes", row)), [("refused", [f"[0].{member}"])], row)
    expect_equal(one.rows("SELECT * FROM podcasts ORDER BY id"), before, "rows")
    expect_problem(put("podcasts", {"name": "Good"}, {"name": ""}, query="?mode=all"), 422, "invalid_parameter")
    expect_equal(one.rows("SELECT * FROM podcasts ORDER BY id"), before, "rows after mode=all")
    expect_problem(post(f"{INGEST}/podcasts", "{"), 400, "bad_request")
    expect_equal(post(f"{INGEST}/shows", []).status, 404, "no such kind")
    expect_problem(post(f"{INGEST}/podcasts", " " * (4 * 1024 * 1024 + 1)), 413, "body_too_large")


@test("what belongs to somebody else can be neither changed nor added to, but by an admin")
def _():
    before = one.rows("SELECT * FROM podcasts ORDER BY id"), one.rows("SELECT * FROM episodes ORDER BY id")
    for kind, row, member in (("podcasts", {"id": "a1", "name": "Mine"}, "id"),
                              ("podcasts", {"name": "Gift", "user_id": ids["ana"]}, "user_id"),
                              ("episodes", {"id": "x1", "title": "Mine"}, "id"),
                              ("episodes", {"podcast_id": "a1", "title": "Mine"}, "podcast_id")):
        expect_equal(results(put(kind, row, token=tokens["ben"])), [("refused", [f"[0].{member}"])], f"{kind} {row}")
    put("podcasts", {"id": "b1", "name": "Ben's"}, token=tokens["ben"])
    expect_equal(results(put("episodes", {"id": "x1", "podcast_id": "b1"}, token=tokens["ben"])),
                 [("refused", ["[0].id"])], "moved to oneself")
    one.sql("DELETE FROM podcasts WHERE id = 'b1'")
    expect_equal((one.rows("SELECT * FROM podcasts ORDER BY id"), one.rows("SELECT * FROM episodes ORDER BY id")), before, "rows")
    expect_equal(results(put("podcasts", {"id": "c1", "name": "For Ben", "user_id": ids["ben"]}, token=admin)), [("created", [])], "admin")
    expect_equal(one.rows("SELECT user_id FROM podcasts WHERE id = 'c1'"), [(ids["ben"],)], "its owner")
    one.sql("DELETE FROM podcasts WHERE id = 'c1'")
    reader = one.make_token("ana", "--scopes", "podcast:read")
    expect_problem(put("podcasts", {"name": "x"}, token=reader), 403, "scope_missing")
    expect_problem(one.request(f"{INGEST}/podcasts", method="POST", body="[]"), 401, "credentials_missing")
    expect_problem(one.request(f"{INGEST}/podcasts", token=tokens["ana"]), 405, "method_not_allowed")


@test("another feed or guid is another show: its figures go, and OP3 is asked again")
def _():
    one.sql("DELETE FROM podcasts")
    put("podcasts", {"id": "n", "name": "Night", "podcast_guid": GUID, "feed_url": NIGHT_HARBOUR.feed_url})
    ask = lambda: one.request(f"{STATS}?podcast_id=n", token=tokens["ana"]).json
    expect_equal(ask()["plays_30d"], 412, "known")
    asked = op3.count()
    put("podcasts", {"id": "n", "name": "Night and day"})
    expect_equal((ask()["plays_30d"], op3.count()), (412, asked), "its name changes nothing")
    one.sql("INSERT INTO op3_daily VALUES ('n', '2025-10-01', 'total', '', 7);"
            "INSERT INTO op3_sync (podcast_id, first_day, updated_at) VALUES ('n', '2025-10-01', 1)")
    put("podcasts", {"id": "n", "feed_url": "https://elsewhere.example.com/feed.xml", "podcast_guid": GUID.replace("0", "1")})
    body = ask()
    expect_equal((body["plays_30d"], body["op3_error_code"], body["top_episodes"]), (None, "not_registered", []), "no show of that feed")
    put("podcasts", {"id": "n", "feed_url": NIGHT_HARBOUR.feed_url})
    one.sql("UPDATE op3_shows SET show_uuid = 'ffffffffffffffffffffffffffffffff', fresh_until = 0")
    expect_equal(ask()["plays_30d"], 412, "found again")
    expect_equal((one.rows("SELECT * FROM op3_daily"), one.rows("SELECT * FROM op3_sync"), one.rows("SELECT DISTINCT n FROM op3_totals")),
                 ([], [], [(0,)]), "days of another show")
    one.run("verify")
    one.sql("INSERT INTO op3_daily VALUES ('n', '2025-10-01', 'total', '', 7); DELETE FROM podcasts WHERE id = 'n'")
    expect_equal([one.rows(f"SELECT * FROM {t}") for t in ("op3_daily", "op3_shows", "op3_counts")], [[], [], []], "gone with it")
    one.run("verify")


@test("a feed becomes a podcast with its episodes; again, what changed in it changes here")
def _():
    one.sql("DELETE FROM podcasts")
    answer = post(IMPORT, {"url": host.url + "/feed.xml"})
    body = answer.json
    expect_equal((answer.status, body["name"], body["is_new"], body["created"]), (201, "Night & Harbour", True, 2), answer)
    expect_equal(one.rows("SELECT id, user_id, name, podcast_guid, feed_url FROM podcasts"),
                 [(body["podcast_id"], ids["ana"], "Night & Harbour", GUID, host.url + "/feed.xml")], "the podcast")
    expect_equal(one.rows("SELECT title, guid, status, duration_ms, audio_bytes, publish_at, processed_at FROM episodes ORDER BY guid"),
                 [("Salt Roads", "g-e3", "published", 3600000, None, 1759485600000, None),
                  ("Fog Signals", "g-e4", "published", 665000, 5320000, 1760961600000, None)], "episodes")
    one.sql("UPDATE episodes SET status = 'processing', processed_at = 5 WHERE guid = 'g-e4'")
    host.text = FEED % (FOG.replace("Fog Signals", "Fog Horns") + SALT)
    again = post(IMPORT, {"url": host.url + "/feed.xml"})
    expect_equal((again.status, {n: again.json[n] for n in ("podcast_id", "is_new", "created", "updated", "unchanged")}),
                 (200, {"podcast_id": body["podcast_id"], "is_new": False, "created": 0, "updated": 1, "unchanged": 1}), "again")
    expect_equal(one.rows("SELECT title, status, processed_at FROM episodes WHERE guid = 'g-e4'"),
                 [("Fog Horns", "processing", 5)], "what only we know stays")
    stats = one.request(STATS, token=tokens["ana"]).json
    expect_equal([e["downloads_all_time"] for e in stats["recent_episodes"]], [61, 118], "OP3 knows its episodes by guid")
    file = post(IMPORT, (FEED % "").encode(), kind="application/rss+xml; charset=utf-8")
    expect_equal((file.status, file.json["podcast_id"], file.json["is_new"]), (200, body["podcast_id"], False), "by its guid")
    other = post(IMPORT, {"url": host.url + "/feed.xml"}, token=tokens["ben"])
    expect_equal((other.status, other.json["is_new"]), (201, True), "somebody else's is another podcast")
    big = post(IMPORT, FEED % "".join(ITEM % (f"E{i}", f"big-{i}", "Mon, 20 Oct 2025 12:00:00 GMT", "1:00", i, i + 1)
                                      for i in range(2500)), kind="text/xml", token=tokens["ben"])
    expect_equal((big.status, big.json["created"]), (200, 2500), "more than one batch")


@test("a feed that cannot be had or read is told, and changes nothing")
def _():
    before = one.rows("SELECT * FROM podcasts ORDER BY id"), one.rows("SELECT * FROM episodes ORDER BY id")
    for fault, code, answer_status in ((status(404), "upstream_failed", 502), (status(500), "upstream_failed", 502),
                                       (status(301, Location="https://x.example.com/"), "invalid_parameter", 422),
                                       (html, "bad_request", 400), (cut, "upstream_failed", 502),
                                       (silent, "upstream_failed", 502), (huge, "body_too_large", 413)):
        host.misbehave(fault)
        answer = post(IMPORT, {"url": host.url + "/feed.xml"})
        expect_equal((answer.status, answer.code), (answer_status, code), f"{fault}: {answer}")
        host.behave()
    for url in ("http://10.1.2.3/feed", "https://192.168.0.1/feed", "ftp://example.com/feed", "https://a@b.example.com/f", 7, ""):
        expect_problem(post(IMPORT, {"url": url}), 422, "invalid_parameter")
    expect_problem(post(IMPORT, {}), 422, "invalid_parameter")
    for text in ("", "{", "<rss>", "<html><body>no</body></html>", FEED % "<item>", '<!DOCTYPE r [<!ENTITY a "b">]><rss/>',
                 FEED.replace("<title>Night &amp; Harbour</title>", "") % ""):
        expect_problem(post(IMPORT, text, kind="application/rss+xml"), 400, "bad_request")
    expect_problem(post(IMPORT, {"url": host.url}, token=one.make_token("vic")), 403, "scope_missing")
    expect_equal((one.rows("SELECT * FROM podcasts ORDER BY id"), one.rows("SELECT * FROM episodes ORDER BY id")), before, "rows")


@test("the fakes made no mistake")
def _():
    expect_equal(host.errors + op3.errors, [], "errors")


run()
