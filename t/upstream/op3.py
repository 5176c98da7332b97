"""A fake of OP3, the open podcast prefix project, whose API counts the downloads of podcasts.

It is built from the wire facts of the specification and strict where OP3 is: without a token nothing, each
kind of error with its own body, continuation tokens for the same query only.  What it knows are shows:
NIGHT_HARBOUR is the one of the specification's vectors, generate() makes others from a seed.
"""
import base64
import bisect
import calendar
import collections
import datetime
import hashlib
import random
import re
import uuid
from urllib.parse import urlencode

from fake import Reply, Upstream, as_json, broken, cut, hang, html, huge, odd, silent, slow, status

NOW = 1761220800000             # 2025-10-23T12:00:00Z, the clock of the specification's vectors
DAY = 86_400_000
COLUMNS = ("time url audienceId showUuid episodeId hashedIpAddress agentType agentName deviceType deviceName referrerType"
           " referrerName botType countryCode continentCode regionCode regionName timezone metroCode").split()
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
UNITS = {"d": DAY, "h": 3_600_000, "m": 60_000, "s": 1000}
PREFIX = "/api/1/"
ROWS_MAX, ROWS_DEFAULT, EPISODES_DEFAULT = 20_000, 100, 8


def iso(ms):
    """An instant as OP3 writes it."""
    return f"{datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def day_of(ms):
    return iso(ms)[:10]


def ms_of(text):
    """Of YYYY-MM-DD, with or without a time of day in UTC."""
    date, _, clock = text.rstrip("Z").partition("T")
    seconds, _, fraction = (clock or "00:00:00").partition(".")
    whole = calendar.timegm(datetime.datetime.fromisoformat(f"{date}T{seconds}").timetuple())
    return whole * 1000 + int(fraction.ljust(3, "0")[:3])


# -- shows ---------------------------------------------------------------------------------


class Show:
    """What OP3 knows of a show.  rows: (instant, row) by time, bots among them."""

    def __init__(self, show_uuid, title=None, guid=None, feed_url=None):
        self.uuid, self.title, self.guid, self.feed_url = show_uuid, title, guid, feed_url
        self.episodes = []          # {id, title, pubdate, itemGuid}, newest first
        self.counts = None          # of show-download-counts; None: the show is missing there
        self.recent = []            # of episode-download-counts, newest first
        self.hours = None           # (minDownloadHour, maxDownloadHour)
        self.apps = {}
        self.rows = []

    def about(self, with_episodes):
        answer = {"showUuid": self.uuid}
        answer |= {"title": self.title} if self.title else {}
        answer |= {"podcastGuid": self.guid} if self.guid else {}
        answer |= {"statsPageUrl": f"https://op3.dev/show/{self.uuid}"}
        return answer | ({"episodes": self.episodes} if with_episodes else {})


def op3_id(text):
    """A stand-in for OP3's own id of an episode."""
    return hashlib.sha256(text.encode()).hexdigest()


def _night_harbour():
    show = Show("a1b2c3d4e5f60718293a4b5c6d7e8f90", "Night Harbour", "0f7c1c1e-6f0a-5f52-9d54-1d0f3a5b7c11",
                "https://feeds.example.com/night-harbour.xml")
    released = [("g-e4", "Fog Signals", "2025-10-20T12:00:00.000Z", dict(downloads1=30, downloads3=52, downloadsAll=61)),
                ("g-e3", "Salt Roads", "2025-10-03T12:00:00.000Z",
                 dict(downloads1=41, downloads3=66, downloads7=84, downloadsAll=118)),
                ("g-e2", "Low Tide", "2025-09-13T12:00:00.000Z",
                 dict(downloads1=39, downloads3=60, downloads7=77, downloads30=120, downloadsAll=133))]
    for guid, title, pubdate, counts in released:
        named = {"title": title, "pubdate": pubdate, "itemGuid": guid}
        show.episodes.append({"id": op3_id(guid), **named})
        show.recent.append({"itemGuid": guid, "title": title, "pubdate": pubdate, **counts})
    show.counts = {"days": "1" * 30, "monthlyDownloads": 412, "weeklyDownloads": [88, 97, 104, 101],
                   "weeklyAvgDownloads": 97.5, "numWeeks": 4}
    show.hours = ("2025-09-13T12", "2025-10-22T23")
    show.apps = {"Apple Podcasts": 540, "Overcast": 120}
    show.rows = [(ms_of("2025-10-20T12:01:07.120Z"), {
        "time": "2025-10-20T12:01:07.120Z", "url": "https://op3.dev/e/media.example.com/e4.mp3",
        "audienceId": op3_id("audience"), "showUuid": show.uuid, "episodeId": op3_id("g-e4"),
        "hashedIpAddress": op3_id("address")[:40], "agentType": "app", "agentName": "Overcast", "deviceType": "mobile",
        "deviceName": "Apple iPhone", "countryCode": "PT", "continentCode": "EU", "regionCode": "11",
        "regionName": "Lisbon", "timezone": "Europe/Lisbon"})]
    return show


NIGHT_HARBOUR = _night_harbour()

_AGENTS = [     # of a download; the commonest first
    {"agentType": "app", "agentName": "Apple Podcasts"}, {"agentType": "app", "agentName": "Overcast"},
    {"agentType": "app", "agentName": 'Ünï "Pod", Ltd.'}, {"agentType": "library", "agentName": "AppleCoreMedia"},
    {"agentType": "browser", "agentName": "Safari", "referrerType": "app", "referrerName": "Spotify"},
    {"agentType": "browser", "agentName": "Chrome", "referrerType": "domain", "referrerName": "example.com"},
    {"agentType": "browser", "agentName": "Firefox"}, {"agentType": "library", "agentName": "okhttp"},
    {"agentType": "unknown"}, {}]
_BOTS = [{"agentType": "bot", "agentName": "Googlebot", "botType": "bot"},
         {"agentType": "app", "agentName": "Overcast", "botType": "bot-library"}]
_DEVICES = [{"deviceType": "mobile", "deviceName": "Apple iPhone"},
            {"deviceType": "mobile", "deviceName": "Android Phone"},
            {"deviceType": "computer", "deviceName": "Apple Computer"}, {"deviceType": "smart_speaker"}, {}]
_PLACES = [{"countryCode": "PT", "continentCode": "EU", "regionCode": "11", "regionName": "Lisbon",
            "timezone": "Europe/Lisbon"}, {"countryCode": "US", "continentCode": "NA", "metroCode": "501"},
           {"countryCode": "DE", "continentCode": "EU"}, {"countryCode": "BR"}, {"countryCode": "JP"}, {}]


def _app(row):
    """The app that OP3 counts a row for, or None."""
    kind, name = row.get("agentType"), row.get("agentName")
    if kind == "app":
        return name
    if kind == "library" and name == "AppleCoreMedia":
        return "Unknown Apple App"
    return row.get("referrerName") if kind == "browser" and row.get("referrerType") == "app" else None


def _likely(chance, values):
    """One of them, the first ones more often."""
    return values[min(chance.randrange(len(values)), chance.randrange(len(values)))]


def make_row(chance, show, at):
    """A download at an instant, of an episode that is out by then; one in 20 is a bot's."""
    out = [e for e in show.episodes if ms_of(e["pubdate"]) <= at]
    row = {"time": iso(at), "url": f"https://op3.dev/e/media.example.com/{chance.randrange(1000)}.mp3",
           "audienceId": f"audience{chance.getrandbits(128):032x}", "showUuid": show.uuid,
           "hashedIpAddress": f"address{chance.getrandbits(128):032x}"}
    if out and chance.random() < 0.98:
        row["episodeId"] = _likely(chance, out)["id"]
    row |= chance.choice(_BOTS) if chance.random() < 0.05 else _likely(chance, _AGENTS)
    row |= _likely(chance, _DEVICES) | _likely(chance, _PLACES)
    return at, {name: row[name] for name in COLUMNS if name in row}


def generate(seed, first, until, episodes=40, rows=5000):
    """A show with so many episodes and downloads, from the day first to the instant until."""
    chance = random.Random(seed)
    name = f"show {seed}"
    show = Show(f"{chance.getrandbits(128):032x}", name, str(uuid.UUID(int=chance.getrandbits(128))),
                f"https://feeds.example.com/{seed}.xml")
    begin = ms_of(first)
    dates = [begin] + sorted(chance.randrange(begin, until) for _ in range(episodes - 1))
    show.episodes = [{"id": op3_id(f"{name} {i}"), "title": f"Episode {i}", "pubdate": iso(at), "itemGuid": f"{seed}-{i}"}
                     for i, at in enumerate(dates)][::-1]
    times = [begin] + sorted(chance.randrange(begin, until) for _ in range(rows - 1))
    show.rows = [make_row(chance, show, at) for at in times]
    recount(show, until)
    return show


def recount(show, now):
    """Make every count from the rows, as of the last whole day."""
    end = now - now % DAY
    counted = [(at, row) for at, row in show.rows if "botType" not in row]
    days = collections.Counter((end - 1 - at) // DAY for at, _ in counted if at < end)     # 0 is yesterday
    weeks = [sum(days[d] for d in range(7 * w, 7 * w + 7)) for w in (3, 2, 1, 0)]
    reach = min((end - counted[0][0]) // (7 * DAY), 4)
    show.counts = {"days": "".join("01"[days[d] > 0] for d in reversed(range(30))),
                   "monthlyDownloads": sum(days[d] for d in range(30)), "weeklyDownloads": weeks,
                   "weeklyAvgDownloads": sum(weeks[4 - reach:]) / reach if reach else 0, "numWeeks": reach}
    months = [iso(now)[:7]]
    while len(months) < 3:
        months.append(iso(ms_of(months[-1] + "-01") - 1)[:7])
    recent = [(at, row) for at, row in counted if row["time"][:7] >= months[2]]
    show.apps = dict(collections.Counter(app for _, row in recent if (app := _app(row))).most_common())
    show.recent = []
    for episode in show.episodes:
        times = [at for at, row in recent if row.get("episodeId") == episode["id"] and at < end]
        if episode["pubdate"][:7] < months[2] or not times:
            continue
        count = {"itemGuid": episode["itemGuid"], "title": episode["title"], "pubdate": episode["pubdate"]}
        for n in (1, 3, 7, 30):
            if times[-1] - times[0] >= n * DAY:
                count[f"downloads{n}"] = sum(at - times[0] < n * DAY for at in times)
        show.recent.append({**count, "downloadsAll": len(times)})
    hours = [row["time"][:13] for at, row in recent if at < end]
    show.hours = (hours[0], hours[-1]) if hours else None


# -- the service ---------------------------------------------------------------------------


class Refusal(Exception):
    """An answer that is an error."""


def _bad(what, key="message"):
    return Refusal(as_json({key: f"Bad {what}"}, 400))


NOT_FOUND = as_json({"message": "not found"}, 404)
NO_ENDPOINT = as_json({"error": "not found"}, 404)


def _base58(data):
    number, text = int.from_bytes(b"\1" + data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


def wrong_types(value):
    """The same value with every part of it of another type."""
    if isinstance(value, dict):
        return {name: wrong_types(part) for name, part in value.items()}
    return {"not": "a list"} if isinstance(value, list) else str(value) if isinstance(value, (int, float)) else [value]


class OP3(Upstream):
    """One that knows shows and a token.  rows_max: no page of downloads is longer, whatever limit says."""

    MODES = {"up": None, "empty": None, "404": None, "401": status(401, b'{"error":"expired"}'),
             "429": status(429, b"slow down"), "500": status(500, b'{"error":"Error: stack text"}'), "503": status(503),
             "hang": hang, "close": silent, "badjson": broken, "html": html, "wrongtypes": odd(wrong_types),
             "huge": huge, "truncate": cut}

    def __init__(self, shows=(NIGHT_HARBOUR,), token="test-token", now=NOW, rows_max=ROWS_MAX, certificate=None):
        self.shows, self.token, self.now, self.rows_max = list(shows), token, now, rows_max
        self.is_empty = self.is_ignorant = False
        super().__init__(certificate)
        self.base = self.url + PREFIX.rstrip("/")

    def mode(self, name):
        """One of MODES or slow:MILLISECONDS, instead of every fault before."""
        self.behave()
        self.is_empty, self.is_ignorant = name == "empty", name == "404"
        kind, _, delay = name.partition(":")
        fault = slow(int(delay) / 1000) if kind == "slow" else self.MODES[name]
        if fault:
            self.misbehave(fault)

    def answer(self, hit):
        if hit.method not in ("GET", "HEAD"):
            return Reply(405, f"{hit.method} not allowed".encode(), {"Content-Type": "text/plain"})
        if not hit.path.startswith(PREFIX):
            return NO_ENDPOINT
        try:
            self.check_token(hit)
            asked = hit.path.removeprefix(PREFIX).split("/")
            if asked[0] == "shows" and len(asked) == 2:
                return self.show(hit, asked[1])
            if asked[:2] == ["downloads", "show"] and len(asked) == 3:
                return self.downloads(hit, asked[2])
            query = {"show-download-counts": self.show_counts, "episode-download-counts": self.episode_counts,
                     "top-apps-for-show": self.top_apps}.get(asked[-1])
            return query(hit) if asked[0] == "queries" and len(asked) == 2 and query else NO_ENDPOINT
        except Refusal as refusal:
            return refusal.args[0]

    def check_token(self, hit):
        """The header wins over the parameter."""
        header = hit.headers.get("Authorization")
        given = hit.query.get("token", [None])[0] if header is None else header.removeprefix("Bearer ")
        if given is None:
            raise Refusal(as_json({"error": "unauthorized"}, 401))
        if given in ("expired", "blocked"):
            raise Refusal(as_json({"error": given}, 401))
        if given != self.token:
            raise Refusal(as_json({"error": "forbidden"}, 403))

    def find(self, is_it):
        found = None if self.is_ignorant else next((s for s in self.shows if is_it(s)), None)
        if found is None:
            raise Refusal(NOT_FOUND)
        return found

    def by_uuid(self, text, key="message"):
        if not re.fullmatch("[0-9a-f]{32}", text):
            raise _bad(f"'showUuid': {text}", key)
        return self.find(lambda show: show.uuid == text)

    def by_guid(self, text):
        return self.find(lambda show: show.guid and show.guid.lower() == text.lower())

    def by_feed(self, text):
        try:
            if len(text) < 15 or not re.fullmatch(r"[A-Za-z0-9_-]+={0,2}", text):
                raise ValueError
            url = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)).decode()
            if not url.startswith("http") or url != url.strip():
                raise ValueError
        except ValueError:
            raise _bad(f"feed url: {text}")
        return self.find(lambda show: show.feed_url == url)

    def by_any(self, text):
        if re.fullmatch("[0-9a-f]{32}", text):
            return self.by_uuid(text)
        if re.fullmatch("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", text):
            return self.by_guid(text)
        return self.by_feed(text)

    def show(self, hit, text):
        episodes = hit.query.get("episodes", ["exclude"])[0]
        if episodes not in ("include", "exclude"):
            raise _bad(f"episodes: {episodes}")
        return as_json(self.by_any(text).about(episodes == "include"))

    def show_counts(self, hit):
        wanted = hit.query.get("showUuid", [])
        if not wanted or not all(re.fullmatch("[0-9a-f]{32}", text) for text in wanted):
            raise _bad(f"'showUuid': {','.join(wanted)}", "error")
        counts = {s.uuid: s.counts for s in self.shows if s.uuid in wanted and s.counts and not self.is_empty}
        return as_json({"asof": day_of(self.now - DAY), "showDownloadCounts": counts, "queryTime": 12})

    def episode_counts(self, hit):
        show = self.by_uuid(hit.query.get("showUuid", [""])[0], "error")
        limit = hit.query.get("limit", [str(EPISODES_DEFAULT)])[0]
        if not re.fullmatch("[1-9][0-9]{0,8}", limit):
            raise _bad(f"'limit': {limit}", "error")
        episodes = [] if self.is_empty else show.recent[:int(limit)]
        hours = dict(zip(("minDownloadHour", "maxDownloadHour"), show.hours or ())) if episodes else {}
        title = {"showTitle": show.title} if show.title else {}
        return as_json({"showUuid": show.uuid, **title, **hours, "episodes": episodes, "queryTime": 40})

    def top_apps(self, hit):
        given = [(find, hit.query[name][0]) for name, find in (
            ("showUuid", self.by_uuid), ("podcastGuid", self.by_guid), ("feedUrlBase64", self.by_feed)) if name in hit.query]
        if len(given) != 1:
            raise _bad("show")
        show = given[0][0](given[0][1])
        return as_json({"showUuid": show.uuid, "appDownloads": show.apps, "queryTime": 9})

    def instant(self, name, text):
        """The first millisecond that a bound names."""
        relative = re.fullmatch("-([0-9]{1,9})([dhms])", text)
        if relative:
            return self.now - int(relative[1]) * UNITS[relative[2]]
        form = r"\d{4}-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?Z)?)?"
        try:
            if not re.fullmatch(form, text):
                raise ValueError
            return ms_of(text + "-01" if len(text) == 7 else text)
        except ValueError:
            raise _bad(f"{name}: {text}")

    def downloads(self, hit, show_uuid):
        """A page of rows."""
        known = {"format", "limit", "start", "startAfter", "end", "episodeId", "bots", "skip", "continuationToken", "token"}
        asked = {name: values[0] for name, values in hit.query.items() if name in known}
        show = self.by_uuid(show_uuid)
        form, limit = asked.get("format", "tsv"), asked.get("limit", str(ROWS_DEFAULT))
        bots, episode = asked.get("bots", "exclude"), asked.get("episodeId")
        if form not in ("tsv", "json", "json-o", "json-a"):
            raise _bad(f"format: {form}")
        if not re.fullmatch("[0-9]{1,5}", limit) or int(limit) > ROWS_MAX:
            raise _bad(f"limit: {limit}")
        if bots not in ("include", "exclude"):
            raise _bad(f"bots: {bots}")
        if episode is not None and not re.fullmatch("[0-9a-f]{64}", episode):
            raise _bad(f"episodeId: {episode}")
        if "start" in asked and "startAfter" in asked:
            raise _bad("start: specify either start or startAfter")
        first, last = 0, len(show.rows)
        if "start" in asked:
            first = bisect.bisect_left(show.rows, self.instant("start", asked["start"]), key=lambda r: r[0])
        if "startAfter" in asked:
            first = bisect.bisect_right(show.rows, self.instant("startAfter", asked["startAfter"]), key=lambda r: r[0])
        if "end" in asked:
            last = bisect.bisect_left(show.rows, self.instant("end", asked["end"]), key=lambda r: r[0])
        same = sorted((name, value) for name, value in asked.items() if name not in ("continuationToken", "token"))
        seal = hashlib.sha256(urlencode([("show", show.uuid), *same]).encode()).digest()[:24]
        begin = self.place(asked["continuationToken"], seal) if "continuationToken" in asked else first
        page, size, position = [], min(int(limit), self.rows_max), begin
        while position < last and len(page) < size:
            row = show.rows[position][1]
            if (bots == "include" or "botType" not in row) and episode in (None, row.get("episodeId")):
                page.append(row)
            position += 1
        # A full page has a token, also when nothing comes behind it.
        token = _base58(seal + position.to_bytes(5, "big")) if page and len(page) == size else None
        if form == "tsv":
            lines = [] if asked.get("skip") == "headers" else ["\t".join(COLUMNS)]
            lines += ["\t".join(row.get(name, "") for name in COLUMNS) for row in page]
            headers = {"x-continuation-token": token} if token else {}
            return Reply(200, "".join(line + "\n" for line in lines).encode(),
                         {"Content-Type": "text/tab-separated-values", "x-query-time": "31", **headers})
        answer = {"rows": page, "count": len(page), "queryTime": 31}
        if form == "json-a":
            answer = {"headers": COLUMNS, **answer, "rows": [[row.get(name) for name in COLUMNS] for row in page]}
        return as_json(answer | ({"continuationToken": token} if token else {}))

    @staticmethod
    def place(text, seal):
        """Where a continuation token goes on; it is good for its own query only."""
        number = 0
        for letter in text:
            number = number * 58 + BASE58.find(letter)
        data = number.to_bytes(64, "big").lstrip(b"\0")[1:] if 0 < number < 1 << 511 else b""
        if len(data) != len(seal) + 5 or data[:len(seal)] != seal:
            raise _bad(f"continuationToken: {text}")
        return int.from_bytes(data[len(seal):], "big")
