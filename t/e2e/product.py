"""The second opinion on product analytics: every figure worked out from the rows of the source, by its definition.

Nothing here is kept up to date or added up in parts, as the program under test does it: a session is a list of
instants, a day of the series looks at the days of every user.  Times are Unix milliseconds UTC, avg_estimation_c is
in hundredths, booleans are 0 or 1.  Maps have their keys in the order of the contract.

generate() makes rows from a seed, with as many of the awkward cases as fit.
"""
import calendar
import datetime
import random
from collections import Counter, defaultdict

TABLES = ("users", "rooms", "page_views", "events", "votes", "estimations")
METRICS = {"new_users": ("users", "created_at"), "page_views": ("page_views", "viewed_at"),
           "rooms": ("rooms", "first_used_at"), "estimations": ("estimations", "estimated_at"),
           "votes": ("votes", "voted_at")}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SOURCES = (("Teams", ("teams.",)), ("Google Ads", ("ads.", "google_ads")), ("Google Search", ("www.google.com",)),
           ("Free Planning Poker", ("free-planning-poker.com",)), ("CV", ("cv",)), ("Email", ("email",)),
           ("GitHub", ("github.com",)), ("Bing", ("bing.com",)))
ROUTES = ("HOME", "CONTACT", "IMPRINT", "GUIDE", "ROOM", "ANALYTICS", "ROADMAP")
EVENTS = ("CONTACT_FORM_SUBMISSION", "ENTERED_RANDOM_ROOM", "ENTERED_NEW_ROOM", "ENTERED_EXISTING_ROOM",
          "ENTERED_RECENT_ROOM", "LEFT_ROOM", "COPIED_ROOM_LINK", "CHANGED_ROOM_NAME")
START = "2024-06-03"
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
TOP = 40
SESSION_GAP, SESSION_TAIL_S = 600 * SECOND, 10
AVERAGE_ROWS, WEEK_ROWS, RECENT_DAYS = 30, 7, 30


class Dataset:
    """The rows of the six tables, as lists of dicts."""

    def __init__(self, users=(), rooms=(), page_views=(), events=(), votes=(), estimations=(), now=None):
        self.users, self.rooms, self.page_views = list(users), list(rooms), list(page_views)
        self.events, self.votes, self.estimations = list(events), list(votes), list(estimations)
        self.now = now              # the instant that the rows were made for

    def __len__(self):
        return sum(len(getattr(self, table)) for table in TABLES)

    def at(self, metric):
        """The instants that a metric counts."""
        table, column = METRICS[metric]
        return [row[column] for row in getattr(self, table)]


# -- numbers and days ----------------------------------------------------------------------


def r2(x):
    return float(f"{x:.2f}") + 0.0          # + 0.0: no negative zero


def r0(x):
    return float(f"{x:.0f}") + 0.0


def mean(values):
    return sum(values) / len(values) if values else 0.0


def ms_of(text):
    """Of "YYYY-MM-DD" or "YYYY-MM-DD HH:MM:SS", UTC."""
    return calendar.timegm(datetime.datetime.fromisoformat(text).timetuple()) * SECOND


def day_of(ms):
    return ms // DAY


def weekday(day):
    return (day + 3) % 7        # 1970-01-01 was a Thursday


def date_of(day):
    return (datetime.date(1970, 1, 1) + datetime.timedelta(day)).isoformat()


def workdays(start, now_ms):
    """From START to today."""
    return [d for d in range(day_of(ms_of(start)), day_of(now_ms) + 1) if weekday(d) < 5]


# -- orders --------------------------------------------------------------------------------


def binary(text):
    """A key that sorts like SQLite's BINARY, with NULL at the end."""
    return (text is None, (text or "").encode())


def by_count(counts):
    """(key, n), the most frequent first, then by the key or the parts of it."""
    parts = lambda key: [binary(part) for part in (key if isinstance(key, tuple) else (key,))]
    return sorted(counts.items(), key=lambda item: (-item[1], parts(item[0])))


def as_map(values, top=None):
    """Value -> how many, where NULL is counted with "None"; it comes last among equals if there is no real one."""
    counts = Counter(values)
    if "None" in counts:
        counts["None"] += counts.pop(None, 0)
    return {"None" if key is None else key: n for key, n in by_count(counts)[:top]}


# -- GET / ---------------------------------------------------------------------------------


def sessions(ds, t0):
    """(first, last) of every session of every user."""
    instants = defaultdict(list)
    for row in ds.page_views:
        instants[row["user_id"]].append(row["viewed_at"])
    for row in ds.estimations:
        instants[row["user_id"]].append(row["estimated_at"])
    found = []
    for all_of_user in instants.values():
        after = sorted(at for at in all_of_user if at > t0)
        session = []
        for at in after:
            if session and at - session[-1] > SESSION_GAP:
                found.append((session[0], session[-1]))
                session = []
            session.append(at)
        if session:
            found.append((session[0], session[-1]))
    return found


def traffic(ds, start):
    t0 = ms_of(start)
    viewers = {row["user_id"] for row in ds.page_views}
    estimators = {row["user_id"] for row in ds.estimations if row["estimated_at"] > t0}
    seconds = [(last - first) // SECOND + SESSION_TAIL_S for first, last in sessions(ds, t0)]
    return {
        "unique_users": len(viewers), "page_views": len(ds.page_views),
        "bounce_rate": r2(1.0 - len(estimators) / len(viewers)) if viewers else 0.0,
        "average_duration": r2(mean(seconds) / 60.0),
    }


def votes(ds):
    column = lambda name: [row[name] for row in ds.votes]
    days = Counter(weekday(day_of(at)) for at in column("voted_at"))
    cards = Counter(row["estimation"] for row in ds.estimations if row["estimation"] is not None)
    return {
        "total_votes": len(ds.votes), "total_estimations": sum(column("amount_of_estimations")),
        "avg_estimations_per_vote": r2(mean(column("amount_of_estimations"))),
        "avg_spectators_per_vote": r2(mean(column("amount_of_spectators"))),
        "avg_duration_per_vote": r2(mean(column("duration")) / 60.0),
        "avg_estimation": r2(mean(column("avg_estimation_c")) / 100.0),
        "avg_min_estimation": r2(mean(column("min_estimation"))),
        "avg_max_estimation": r2(mean(column("max_estimation"))),
        "weekday_counts": {WEEKDAYS[d]: days[d] for d in sorted(days)},
        "estimation_counts": {str(card): cards[card] for card in sorted(cards)},
    }


def category(source):
    return next((name for name, texts in SOURCES if any(text in source for text in texts)), "Other")


def behaviour(ds):
    routes = Counter(row["route"] for row in ds.page_views)
    sources = Counter(category(row["source"]) for row in ds.page_views if row["source"] is not None)
    names = {row["id"]: row["name"] for row in ds.rooms}
    return {
        "routes": {route: routes[route] for route in sorted(routes)},
        "sources": {**{name: sources[name] for name, _ in SOURCES if sources[name]}, "Other": sources["Other"]},
        "events": as_map(row["event"] for row in ds.events),
        "rooms": as_map((names.get(row["room_id"]) for row in ds.votes), TOP),
    }


def estimation_days(ds, column, first):
    """The days of each user or room, in order: workdays from the first one on."""
    days = defaultdict(set)
    for row in ds.estimations:
        day = day_of(row["estimated_at"])
        if day >= first and weekday(day) < 5:
            days[row[column]].add(day)
    return [sorted(of_one) for of_one in days.values()]


def reoccurring_on(day, all_days):
    """How many were there on two days until this one, and those of them who were there lately."""
    n = adjusted = 0
    for days in all_days:
        if len(days) > 1 and days[1] <= day:
            n += 1
            adjusted += day - max(x for x in days if x <= day) <= RECENT_DAYS
    return n, adjusted


def reoccurring(ds, now_ms, start=START):
    first = day_of(ms_of(start))
    users, rooms = estimation_days(ds, "user_id", first), estimation_days(ds, "room_id", first)
    listed = []
    for day in workdays(start, now_ms):
        (n_users, adjusted_users), (n_rooms, adjusted_rooms) = reoccurring_on(day, users), reoccurring_on(day, rooms)
        listed.append({"date": date_of(day), "reoccurring_users": n_users, "reoccurring_rooms": n_rooms,
                       "adjusted_reoccurring_users": adjusted_users, "adjusted_reoccurring_rooms": adjusted_rooms})
    return listed


def _moving(values, i, rows):
    """The mean of the last values until the i-th; None where there are fewer."""
    return r2(sum(values[i - rows + 1:i + 1]) / rows) if i >= rows - 1 else None


def historical(ds, now_ms, start=START):
    listed = workdays(start, now_ms)
    series = {}
    for metric in METRICS:
        per_day = Counter(day_of(at) for at in ds.at(metric))
        series[metric] = [per_day[day] for day in listed]
    rows = []
    for i, day in enumerate(listed):
        row = {"date": date_of(day)}
        for metric, values in series.items():
            row |= {metric: values[i], f"acc_{metric}": sum(values[:i + 1])}
        rows.append(row | {f"ma_{metric}": _moving(values, i, AVERAGE_ROWS) for metric, values in series.items()})
    return rows


def location_and_user_agent(ds):
    column = lambda name: (row[name] for row in ds.users)
    pairs = lambda name: by_count(Counter((row["country"], row[name]) for row in ds.users))[:TOP]
    return {
        "device": as_map(column("device")), "os": as_map(column("os")), "browser": as_map(column("browser")),
        "country": as_map(column("country"), TOP),
        "country_region": [{"country": c, "region": r, "count": n} for (c, r), n in pairs("region")],
        "country_city": [{"country": c, "city": t, "count": n} for (c, t), n in pairs("city")],
    }


def overview(ds, now_ms, start=START):
    """The data of GET /."""
    return {"traffic": traffic(ds, start), "votes": votes(ds), "behaviour": behaviour(ds),
            "reoccurring": reoccurring(ds, now_ms, start), "historical": historical(ds, now_ms, start),
            "location_and_user_agent": location_and_user_agent(ds)}


# -- the other answers ---------------------------------------------------------------------


def daily(ds, now_ms):
    """GET /daily-analytics."""
    recent_votes = [row for row in ds.votes if row["voted_at"] > now_ms - DAY]
    recent_views = [row for row in ds.page_views if row["viewed_at"] > now_ms - DAY]
    return {
        "votes": len(recent_votes), "estimations": sum(row["amount_of_estimations"] for row in recent_votes),
        "rooms": len({row["room_id"] for row in recent_votes}),
        "unique_users": len({row["user_id"] for row in recent_views}), "page_views": len(recent_views),
    }


def room_stats(ds, room_id):
    """GET /room/{id}/stats; None: nobody knows the room."""
    of_room = [row for row in ds.votes if row["room_id"] == room_id]
    if not of_room and all(row["id"] != room_id for row in ds.rooms):
        return None
    column = lambda name: [row[name] for row in of_room]
    return {
        "votes": len(of_room), "duration": r0(mean(column("duration"))),
        "estimations": sum(column("amount_of_estimations")),
        "estimations_per_vote": r2(mean(column("amount_of_estimations"))),
        "avg_min_estimation": r2(mean(column("min_estimation"))),
        "avg_avg_estimation": r2(mean(column("avg_estimation_c")) / 100.0),
        "avg_max_estimation": r2(mean(column("max_estimation"))),
        "spectators": sum(column("amount_of_spectators")),
        "spectators_per_vote": r2(mean(column("amount_of_spectators"))),
    }


# -- further figures -----------------------------------------------------------------------


def historical7(ds, now_ms, start=START):
    """historical with ma7_: the mean of the last 7 listed rows, which are workdays; null in the first 6."""
    rows = historical(ds, now_ms, start)
    for metric in METRICS:
        values = [row[metric] for row in rows]
        for i, row in enumerate(rows):
            row[f"ma7_{metric}"] = _moving(values, i, WEEK_ROWS)
    return rows


def week_of(ms):
    """The day number of its week's Monday."""
    return day_of(ms) - weekday(day_of(ms))


def cohorts(ds, now_ms, start=START):
    """Users by the week of their creation, from START's week to this one, and how many of them came again in each
    week since: by a page view or an estimation after T0, on any day of the week."""
    t0 = ms_of(start)
    weeks = range(week_of(t0), week_of(now_ms) + 1, 7)
    active = defaultdict(set)       # week: users
    for row in ds.page_views:
        if row["viewed_at"] > t0:
            active[week_of(row["viewed_at"])].add(row["user_id"])
    for row in ds.estimations:
        if row["estimated_at"] > t0:
            active[week_of(row["estimated_at"])].add(row["user_id"])
    of_week = {week: {row["id"] for row in ds.users if week_of(row["created_at"]) == week} for week in weeks}
    return [{"week": date_of(week), "users": len(of_week[week]),
             "active": [len(of_week[week] & active[later]) for later in weeks if later >= week]} for week in weeks]


def compare(ds, first_day, last_day):
    """Rows of the days first..last ("YYYY-MM-DD", weekends too), and of as many days just before."""
    first, last = day_of(ms_of(first_day)), day_of(ms_of(last_day))
    length = last - first + 1
    answer = []
    for metric in METRICS:
        days = [day_of(at) for at in ds.at(metric)]
        answer.append({"metric": metric, "now": sum(first <= day <= last for day in days),
                       "before": sum(first - length <= day < first for day in days)})
    return answer


# -- the worked example of the specification -----------------------------------------------

EXAMPLE_NOW = 1721030400000         # 2024-07-15T08:00:00Z


def _rows(columns, *tuples):
    """Dicts of tuples, the times in them as instants."""
    names = columns.split()
    return [{name: ms_of(value) if name.endswith("_at") else value for name, value in zip(names, values, strict=True)}
            for values in tuples]


def worked_example():
    return Dataset(
        now=EXAMPLE_NOW,
        users=_rows(
            "id device os browser country region city created_at",
            ("u01", "desktop", "Windows", "Chrome", "DE", "BY", "München", "2024-06-03 09:00:00"),
            ("u02", "desktop", "Windows", "Edge", "DE", "BY", "München", "2024-06-04 09:00:00"),
            ("u03", "mobile", "iOS", "Mobile Safari", "US", "CA", "Austin", "2024-06-03 00:00:00"),
            ("u04", "desktop", "Mac OS", "Safari", "US", "TX", "Austin", "2024-06-08 10:00:00"),
            ("u05", "desktop", "Windows", "Chrome", "US", "TX", None, "2024-06-10 08:00:00"),
            ("u06", None, None, None, None, None, None, "2024-06-10 08:00:00"),
            ("u07", "bot", "Linux", "Chrome", "FR", "", "Paris", "2024-06-21 23:59:59"),
            ("u08", "tablet", "Android", "Chrome", "FR", "IDF", "Paris", "2024-06-22 00:00:00"),
            ("u09", "desktop", "Linux", "Firefox", "AT", "9", "Wien", "2024-07-12 12:00:00"),
            ("u10", "desktop", "Windows", "Chrome", "DE", "BE", "Berlin", "2024-07-14 08:00:01"),
            ("u11", "desktop", "Mac OS", "Chrome", "GB", "ENG", "London", "2024-05-31 12:00:00"),
            ("u12", "desktop", "Windows", "Edge", "DE", None, None, "2024-07-15 06:00:00")),
        rooms=_rows(
            "id number name first_used_at last_used_at",
            (1, 482910, "alpha", "2024-06-03 09:05:00", "2024-07-15 07:30:00"),
            (2, 713355, "713355", "2024-06-08 10:01:00", "2024-07-14 08:00:01"),
            (3, 150150, "beta", "2024-06-28 09:00:00", "2024-07-12 12:10:00"),
            (4, 999998, "gamma", "2024-07-15 06:01:00", "2024-07-15 06:01:00")),
        page_views=_rows(
            "id user_id route room_id source viewed_at",
            (1, "u11", "HOME", None, "https://www.google.com/", "2024-05-31 12:00:00"),
            (2, "u03", "HOME", None, "https://Teams.microsoft.com/", "2024-06-03 00:00:00"),
            (3, "u01", "HOME", None, "https://statics.teams.cdn.office.net/", "2024-06-03 09:00:00"),
            (4, "u01", "ROOM", 1, None, "2024-06-03 09:10:00"),
            (5, "u01", "ROOM", 1, None, "2024-06-03 09:20:01"),
            (6, "u02", "HOME", None, "cv_email", "2024-06-04 09:00:00"),
            (7, "u02", "ROOM", 1, None, "2024-06-04 09:00:30"),
            (8, "u04", "HOME", None, "https://uploads.github.com/x", "2024-06-08 10:00:00"),
            (9, "u05", "GUIDE", None, "", "2024-06-10 08:00:00"),
            (10, "u07", "HOME", None, "google_ads", "2024-06-21 23:59:59"),
            (11, "u07", "ROOM", None, None, "2024-06-22 00:01:00"),
            (12, "u09", "ROOM", 3, "https://www.bing.com/", "2024-07-12 12:00:00"),
            (13, "u02", "ROOM", 3, None, "2024-07-14 08:00:00"),
            (14, "u10", "ROOM", 2, "https://github.com/x", "2024-07-14 08:00:01"),
            (15, "u12", "HOME", None, None, "2024-07-15 06:00:00"),
            (16, "u12", "ROOM", 4, None, "2024-07-15 06:01:00")),
        events=_rows(
            "id user_id event event_at",
            (1, "u01", "ENTERED_NEW_ROOM", "2024-06-03 09:05:00"),
            (2, "u02", "ENTERED_EXISTING_ROOM", "2024-06-04 09:00:30"),
            (3, "u02", "LEFT_ROOM", "2024-06-04 10:00:00"),
            (4, "u04", "ENTERED_RANDOM_ROOM", "2024-06-08 10:01:00"),
            (5, "u02", "ENTERED_EXISTING_ROOM", "2024-06-10 09:00:00"),
            (6, "u12", "ENTERED_NEW_ROOM", "2024-07-15 06:01:00")),
        votes=_rows(
            "id room_id avg_estimation_c max_estimation min_estimation amount_of_estimations amount_of_spectators"
            " duration was_auto_flip voted_at",
            (1, 1, 400, 5, 3, 2, 0, 60, 0, "2024-06-04 09:05:00"),
            (2, 1, 650, 8, 5, 2, 1, 45, 1, "2024-06-05 09:00:00"),
            (3, 2, 2100, 21, 21, 1, 0, 10, 0, "2024-06-08 10:05:00"),
            (4, 1, 433, 8, 2, 3, 0, 90, 1, "2024-06-10 09:10:00"),
            (5, 99, 0, 1, 21, 0, 2, 5, 0, "2024-06-11 09:00:00"),
            (6, 3, 300, 3, 3, 1, 0, 30, 0, "2024-07-12 12:05:00"),
            (7, 3, 250, 3, 2, 2, 0, 31, 0, "2024-07-14 08:00:00"),
            (8, 2, 1300, 13, 13, 1, 1, 300, 0, "2024-07-14 08:00:01"),
            (9, 1, 500, 5, 5, 1, 0, 15, 1, "2024-07-15 07:30:00")),
        estimations=_rows(
            "id user_id room_id estimation spectator estimated_at",
            (1, "u03", 1, 1, 0, "2024-06-03 00:00:00"), (2, "u01", 1, 3, 0, "2024-06-04 09:05:00"),
            (3, "u02", 1, 5, 0, "2024-06-04 09:05:00"), (4, "u01", 1, 5, 0, "2024-06-05 09:00:00"),
            (5, "x99", 1, 8, 0, "2024-06-05 09:00:00"), (6, "u09", 1, None, 1, "2024-06-05 09:00:00"),
            (7, "u04", 2, 21, 0, "2024-06-08 10:05:00"), (8, "u02", 2, None, 0, "2024-06-08 10:05:00"),
            (9, "u02", 1, 2, 0, "2024-06-10 09:10:00"), (10, "u05", 1, 8, 0, "2024-06-10 09:10:00"),
            (11, "x99", 1, 3, 0, "2024-06-10 09:10:01"), (12, "u09", 3, 3, 0, "2024-07-12 12:05:00"),
            (13, "u02", 3, 2, 0, "2024-07-14 08:00:00"), (14, "u09", 3, 3, 0, "2024-07-14 08:00:00"),
            (15, "u10", 2, 13, 0, "2024-07-14 08:00:01"), (16, "u03", 1, 5, 0, "2024-07-15 07:30:00"),
            (17, "u12", 1, None, 1, "2024-07-15 07:30:00")))


# -- random rows ---------------------------------------------------------------------------

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
CARDS = (1, 2, 3, 5, 8, 13, 21)
ODD_CARDS = (0, 4, 40, 100, 9, 10, -1, 32767)
# Texts that may stand in any nullable column but country, and shorter ones for that.
ODD_TEXTS = (None, "", " ", "None", "null", "NULL", "ÿ", "é", "e\u0301", "Ωmega", "日本語", "🂡 ace", "'quoted'",
             '"double"', "back\\slash", "tab\there", "line\nbreak", "\x01\x1f", "</script>", "x" * 50, "ü" * 50)
ODD_COUNTRIES = (None, "", "de", "DE ", "None", "É", "日本", "🂡", "'\"\\")
DEVICES = ("desktop", "mobile", "tablet", "bot", "desktop ", "Desktop")
SYSTEMS = ("Windows", "Mac OS", "Linux", "Android", "iOS")
BROWSERS = ("Chrome", "Edge", "Firefox", "Safari", "Mobile Safari", "edge")
COUNTRIES = ("DE", "US", "FR", "AT", "GB")
REGIONS = ("BY", "BE", "CA", "TX", "IDF", "9", "09")
CITIES = ("München", "Munchen", "Berlin", "Austin", "Paris", "Wien", "London", "Ürzig", "Zürich")
URLS = ("https://teams.microsoft.com/", "https://Teams.microsoft.com/", "https://statics.teams.cdn.office.net/",
        "https://ads.example/", "https://uploads.github.com/x", "google_ads", "https://www.google.com/",
        "https://www.google.com/?q=teams.", "https://www.google.de/", "https://free-planning-poker.com/cv",
        "free-planning-poker.com", "cv", "CV", "cv_email", "email", "Email", "email github.com", "https://github.com/x",
        "GITHUB.COM", "https://www.bing.com/", "bing.com github.com", "https://example.org/é🂡", "", " ", "None", "ads",
        "y" * 255)
GAPS_S = (0, 0, 1, 30, 299, 599, 600, 600, 600, 601, 601, 602, 1200, 5000)      # between two rows of a user
RETURNS_D = (0, 1, 1, 2, 3, 7, 14, 29, 30, 30, 31, 31, 32, 60)                  # between two visits


class _Maker:
    """The state of one generate()."""

    def __init__(self, seed, days, start, none_text):
        self.rng = random.Random(seed)
        self.t0 = ms_of(start)
        self.now = self.t0 + (days - 1) * DAY + 10 * HOUR + 1234 * SECOND
        self.odd = [t for t in ODD_TEXTS if none_text or t != "None"]
        self.odd_countries = [t for t in ODD_COUNTRIES if none_text or t != "None"]
        midnight = self.now - self.now % DAY
        self.edges = [self.t0 - SECOND, self.t0, self.t0, self.t0 + SECOND, self.t0 - DAY, self.t0 - 40 * DAY,
                      midnight - SECOND, midnight, self.now - DAY - SECOND, self.now - DAY, self.now - DAY,
                      self.now - DAY + SECOND, self.now - SECOND, self.now, self.now + SECOND]
        # The weekend behind the first workdays, to the second.
        saturday = self.t0 + ((5 - weekday(day_of(self.t0))) % 7) * DAY
        if saturday + 2 * DAY < self.now:
            self.edges += [saturday - SECOND, saturday, saturday + 2 * DAY - SECOND, saturday + 2 * DAY]

    def chance(self, share):
        return self.rng.random() < share

    def instant(self):
        """Any second until now; some before START, some on an edge."""
        if self.chance(0.02):
            return self.rng.choice(self.edges)
        first = self.t0 - 10 * DAY if self.chance(0.02) else self.t0
        return first + self.rng.randrange((self.now - first) // SECOND) * SECOND

    def some(self, usual, odd):
        return self.rng.choice(odd if self.chance(0.08) else usual)

    def ids(self, n):
        """Ascending, as an AUTO_INCREMENT column gives them, with gaps."""
        found, last = [], 0
        for _ in range(n):
            last += 1 if not self.chance(0.02) else self.rng.choice((2, 3, 40))
            found.append(last)
        return found

    def numbered(self, rows, column):
        """Rows by time with ids; here and there an id is older than its time says."""
        order = sorted(rows, key=lambda row: row[column] + (self.rng.randrange(30) * SECOND if self.chance(0.05)
                                                            else 0))
        return [{"id": i, **row} for i, row in zip(self.ids(len(order)), order)]

    # -- users and rooms -----------------------------------------------------------------

    def users(self, n):
        # Different in a comparison without case, too, because the source could not hold them otherwise.
        taken, rows, created = set(), [], self.instant()
        tail = [f"City {i:03}" for i in range(90)]
        codes = [a + b for a in "KLMNOP" for b in "ABCDEFGHIJ"]
        while len(rows) < n:
            user = "".join(self.rng.choices(ALPHABET, k=21))
            if user.lower() in taken:
                continue
            taken.add(user.lower())
            i = len(rows)
            if i < min(n // 2, len(self.edges)):
                created = self.edges[i]
            elif not self.chance(0.1):
                created = self.instant()
            # A long tail of equal counts, across the end of every list of forty.
            row = {"id": user, "device": self.some(DEVICES, self.odd), "os": self.some(SYSTEMS, self.odd),
                   "browser": self.some(BROWSERS, self.odd), "country": self.some(COUNTRIES, self.odd_countries),
                   "region": self.some(REGIONS, self.odd), "city": self.some(CITIES, self.odd),
                   "created_at": created}
            if i % 2 and i // 2 < 2 * len(tail):
                row |= {"city": tail[i // 2 % len(tail)], "country": codes[i // 2 % len(codes)]}
                row["region"] = row["region"] if row["region"] is None else row["country"]
            if self.chance(0.03):
                row |= dict.fromkeys(("device", "os", "browser", "country", "region", "city"))
            rows.append(row)
        self.rng.shuffle(rows)
        return rows

    def rooms(self, n):
        names = ["None", "", "éa", "日本語", "🂡", "'\"\\", "</b>", "t\tb", "ünï"] if n >= 20 else []
        if "None" not in self.odd and names:
            names.remove("None")
        rows = []
        ids, numbers = self.ids(n), self.rng.sample(range(100_000, 1_000_000), n)
        for i, number in zip(ids, numbers):
            first = self.instant()
            last = self.rng.randrange(first, max(first, self.now) + 1, SECOND) + self.rng.choice((0, 0, 2 * SECOND))
            kind = self.rng.randrange(3)
            name = names.pop() if names else str(number) if kind == 0 else f"{('room', 'Ärger')[kind - 1]}-{i}"
            rows.append({"id": i, "number": number, "name": name, "first_used_at": first, "last_used_at": last})
        return rows

    # -- what they do --------------------------------------------------------------------

    def view(self, user, room, at):
        return {"user_id": user, "route": self.rng.choice(ROUTES[:-1]),     # one never comes
                "room_id": self.rng.choice((None, room)), "source": self.rng.choice((None, None, *URLS)),
                "viewed_at": at}

    def estimation(self, user, room, at):
        is_spectator = self.chance(0.1)
        card = None if is_spectator or self.chance(0.1) else self.some(CARDS, ODD_CARDS)
        return {"user_id": user, "room_id": room, "estimation": card, "spectator": int(is_spectator),
                "estimated_at": at}

    def visits(self, users, rooms, n_views, n_estimations):
        """Page views and estimations: walks of users with awkward gaps, who come back after awkward times."""
        views, estimations, last = [], [], {}
        known = [u["id"] for u in users]
        # Some never do anything.  Of those nobody knows, some differ from users in nothing but case.
        unknown = [u.swapcase() for u in known[:3]] + ["x99", "X99 ", "unknown-é", "0" * 21]
        few = known[:len(known) * 9 // 10] or unknown
        regulars = few[:max(1, len(few) // 8)]
        beyond = max(rooms, default=0) + 1000
        for at in self.rng.sample(self.edges, len(self.edges)):
            views += [self.view(self.rng.choice(few), None, at)] * (len(views) < n_views // 2)
            estimations += [self.estimation(self.rng.choice(few), beyond, at)] * (len(estimations) < n_estimations // 2)
        while len(views) < n_views or len(estimations) < n_estimations:
            user = self.rng.choice(unknown if self.chance(0.03) else regulars if self.chance(0.5) else few)
            at = self.instant()
            if user in last and self.chance(0.6):
                at = last[user] + self.rng.choice(RETURNS_D) * DAY + self.rng.choice((0, 0, 1, -1, 3600)) * SECOND
                at = at if at <= self.now else self.instant()
            room = self.rng.choice(rooms) if rooms and not self.chance(0.03) else beyond + self.rng.randrange(3)
            left = max(0, n_views - len(views)), max(0, n_estimations - len(estimations))
            for _ in range(self.rng.randrange(1, 9)):
                if at > self.now + 5 * SECOND or not any(left):
                    break
                if self.rng.choices((True, False), left)[0]:
                    views.append(self.view(user, room, at))
                else:
                    estimations.append(self.estimation(user, room, at))
                left = max(0, n_views - len(views)), max(0, n_estimations - len(estimations))
                last[user] = at
                at += self.rng.choice(GAPS_S) * SECOND
        return views, estimations

    def vote(self, room, at):
        cards = [self.some(CARDS, ODD_CARDS[:-2]) for _ in range(self.rng.choice((0, 1, 2, 3, 3, 5, 8)))]
        mean_c = min(9999, round(100 * mean(cards)))
        return {"room_id": room, "avg_estimation_c": mean_c, "max_estimation": max([1, *cards]),
                "min_estimation": min([21, *cards]), "amount_of_estimations": len(cards),
                "amount_of_spectators": self.rng.choice((0, 0, 0, 1, 2, 30)),
                "duration": self.some((1, 5, 15, 30, 31, 45, 60, 90, 300), (0, 32767)),
                "was_auto_flip": self.rng.randrange(2), "voted_at": at}

    def votes(self, rooms, flips, n):
        """flips: (room, instant) of estimations.  The last rooms get means in the middle between two decimals."""
        rows = []
        for i, room in enumerate(rooms[::-1]):
            size = (8, 2)[i % 2]
            if i >= 12 or len(rows) + size > n // 2:
                break
            some = [self.vote(room, self.instant()) for _ in range(size)]
            # Of 8 votes the mean of a sum that is odd ends in 5 thousandths, of 2 in a half second.
            for column in ("amount_of_estimations", "amount_of_spectators", "min_estimation", "max_estimation",
                           "duration"):
                if sum(row[column] for row in some) % 2 == 0:
                    some[-1][column] += 1 if some[-1][column] < 10 else -1
            rows += some
        others = rooms[:-12] or rooms
        beyond = max(rooms, default=0) + 1000
        rows += [self.vote(beyond, at) for at in self.rng.sample(self.edges, min(n // 4, len(self.edges)))]
        while len(rows) < n:
            if flips and self.chance(0.6):
                room, at = self.rng.choice(flips)
                room = room if room not in rooms[-12:] else self.rng.choice(others)
            else:
                room, at = self.rng.choice(others) if others else beyond, self.instant()
            room = beyond + self.rng.randrange(2) if self.chance(0.03) else room
            # At times several flips of a room in the same second.
            for _ in range(min(n - len(rows), 3 if self.chance(0.05) else 1)):
                rows.append(self.vote(room, at))
        return rows

    def events(self, users, n):
        known = [u["id"] for u in users] or ["x99"]
        # Equal counts, or nearly so, of all but two.
        kinds = EVENTS[:-2] * 3 + EVENTS[-2:]
        return [{"user_id": self.rng.choice(known), "event": kinds[i % len(kinds)], "event_at": self.instant()}
                for i in range(n)]


def generate(seed, users=200, days=60, views=None, votes=None, estimations=None, rooms=None, events=None,
             start=START, none_text=True):
    """A dataset whose .now is in the morning of the last of so many days from START on.

    Without other numbers there are for each user 3 views, 1.5 votes, 6 estimations, an event and a quarter of a room.
    none_text: the text "None" stands among the values, which counts together with NULL.  All of it fits into the
    tables of the source.
    """
    maker = _Maker(seed, days, start, none_text)
    n_rooms = max(1, users // 4) if rooms is None else rooms
    all_users, all_rooms = maker.users(users), maker.rooms(n_rooms)
    room_ids = [row["id"] for row in all_rooms]
    all_views, all_estimations = maker.visits(all_users, room_ids, users * 3 if views is None else views,
                                              users * 6 if estimations is None else estimations)
    flips = [(row["room_id"], row["estimated_at"]) for row in all_estimations]
    all_votes = maker.votes(room_ids, flips, users * 3 // 2 if votes is None else votes)
    all_events = maker.events(all_users, users if events is None else events)
    return Dataset(now=maker.now, users=all_users, rooms=all_rooms, page_views=maker.numbered(all_views, "viewed_at"),
                   events=maker.numbered(all_events, "event_at"), votes=maker.numbered(all_votes, "voted_at"),
                   estimations=maker.numbered(all_estimations, "estimated_at"))
