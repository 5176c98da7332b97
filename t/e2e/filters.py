#!/usr/bin/env -S /usr/bin/python3 -B
"""from, to, days_back and platform on the five statistics.

The vectors of the specification, then hundreds of random filters over random rows, each answer
compared field by field with that of model.py.  PH_SEED repeats a run.
"""
import json
import os
import random
import urllib.parse

from harness import (NOW, SOURCE, STATS, Decimal, Instance, diagnostic, expect, expect_equal,
                     expect_problem, fields, run, test)
from model import (CAMPAIGN_STATUSES, DAY, HOUR, JOB_STATUSES, LOG_STATUSES, MINUTE, PARAMS, PLATFORMS,
                   SECOND, TIME_MAX, Filter, Rows, answers, compare, plain)

SEED = int(os.environ.get("PH_SEED", "20251123"))
RANDOM_FILTERS = 240
CLIPS, VIDEOS, LOGS, JOBS, CAMPAIGNS, RUNS, ACCOUNTS = 90, 25, 1500, 300, 60, 12, 6
TIME_OF_LOGS = {"orchestrator": "created_at"}       # elsewhere requested_at

diagnostic(f"PH_SEED={SEED}")
rng = random.Random(SEED)


def filled(*paths):
    instance = Instance(now=NOW)
    instance.sql("".join((SOURCE / "t" / "e2e" / p).read_text() for p in paths))
    return instance


dataset_a = filled("dataset-a.sql")
empty = Instance(now=NOW)


def query_of(**params):
    return urllib.parse.urlencode({k.removesuffix("_"): v for k, v in params.items() if v is not None})


def problem(query, name="queue", instance=dataset_a):
    return fields(instance.get(f"/dashboard/stats/{name}?{query}", status=4))


def expect_refused(query, param, instance=dataset_a):
    for name in STATS:
        body = problem(query, name, instance)
        expect_equal((body["status"], body["code"]), (422, "invalid_parameter"), f"{name}?{query}")
        expect_equal([e["param"] for e in body["errors"]], [param], f"{name}?{query}: errors")


def expect_fields(seen, **wanted):
    for name, value in wanted.items():
        expect_equal(seen[name], Decimal(value) if isinstance(value, float) else value, name)


# -- vectors ------------------------------------------------------------------------------


@test("the vectors of the specification")
def _():
    expect_fields(dataset_a.stat("queue", "platform=tiktok"), pending=0, processing=1, success=1, failed=0,
                  avg_processing_time_ms=2000.0, oldest_pending_age_seconds=None)
    expect_fields(dataset_a.stat("queue", "from=2025-11-22T10:00:00Z"), pending=1, processing=1, success=1,
                  failed=0, avg_processing_time_ms=2000.0, oldest_pending_age_seconds=600.0)
    expect_fields(dataset_a.stat("overview", "platform=instagram"), total_videos=1, total_clips=2, total_jobs=2,
                  pending_jobs=1, total_campaigns=2, success_logs=1, failed_logs=0, scheduled_publications=1)


@test("from is included, to is not, to the millisecond")
def _():
    # p3 of dataset A was requested at 10:00:00Z = 1763805600000.
    at = 1763805600000
    for since, until, n in ((at, at + 1, 1), (at - 1, at, 0), (at + 1, at + 2, 0), (at - 1, at + 1, 1)):
        expect_fields(dataset_a.stat("queue", f"from={since}&to={until}"), success=n)


@test("an instant may be written in each of its ways")
def _():
    want = dataset_a.stat("queue", "from=1763805600000&include=extended")
    for since in ("2025-11-22T10:00:00Z", "2025-11-22T11:00:00%2B01:00", "2025-11-22T05:00:00-05:00",
                  "-30m", "-1800s"):
        expect_equal(dataset_a.stat("queue", f"from={since}&include=extended"), want, since)
    # edge 11: 11:30+01:00 is 10:30Z, now
    expect_fields(dataset_a.stat("queue", "from=2025-11-22T11:30:00%2B01:00"), pending=0, processing=0)
    expect_fields(dataset_a.stat("queue", "to=2025-11-22T11:30:00%2B01:00"), pending=2, processing=1)
    expect_equal(dataset_a.stat("overview", "from=-7d"), dataset_a.stat("overview", "days_back=7"), "days_back=7")
    expect_equal(dataset_a.stat("overview", "from=-24h"), dataset_a.stat("overview", "days_back=1"), "days_back=1")
    expect_equal(dataset_a.stat("queue", "from=2025-11-22"), dataset_a.stat("queue", "from=1763769600000"), "a date")


@test("edge 11: leap days, years beyond 2038 and the last instant are accepted")
def _():
    for since in ("2024-02-29", "2028-02-29T00:00:00Z", "2038-01-19T03:14:08Z", "2999-12-31", str(TIME_MAX)):
        dataset_a.stat("queue", f"from={since}&include=extended")
        dataset_a.stat("queue", f"to={since}&include=extended")
    expect_fields(dataset_a.stat("queue", "from=2999-12-31"), pending=0, success=0, avg_processing_time_ms=None)
    expect_fields(dataset_a.stat("queue", "to=2999-12-31"), pending=2, success=3)


@test("from at or after to is refused, naming from")
def _():
    for since, until in ((NOW, NOW), (NOW + 1, NOW), ("-1h", "-1h"), ("-1h", "-2h"),
                         ("2025-11-22", "2025-11-22T00:00:00Z")):
        expect_refused(f"from={since}&to={until}", "from")
    expect_refused("days_back=1&to=-2d", "days_back")


@test("days_back is 1 to 365, and not together with from")
def _():
    for days in ("0", "366", "-1", "1.5", "", "x", "99999999999999999999"):
        expect_refused(f"days_back={days}", "days_back")
    expect_refused("days_back=7&from=-7d", "days_back")
    for days in (1, 365):
        dataset_a.stat("queue", f"days_back={days}")


@test("what is no instant is refused")
def _():
    for text in ("", "yesterday", "2025-11-22T10:00:00", "2025-11-22T11:30:00+01:00", "2025-02-29", "2025-13-01",
                 "2025-11-22T25:00:00Z", "-1", "-5w", "-99999999999d", "1e3", "253402300800000", "12:00"):
        for param in ("from", "to"):
            body = problem(f"{param}={text}")       # the + arrives as a space
            expect_equal([(e["param"]) for e in body["errors"]], [param], f"{param}={text}")


@test("platforms: up to 8 names of up to 50 bytes, none of them empty")
def _():
    expect_refused(f"platform={','.join('abcdefghi')}", "platform")
    expect_refused(f"platform={'x' * 51}", "platform")
    expect_refused("platform=", "platform")
    expect_refused("platform=tiktok,,youtube", "platform")
    expect_refused("platform=tiktok,", "platform")
    expect_refused("platform=tiktok&platform=youtube", "platform")
    dataset_a.stat("queue", f"platform={','.join('abcdefgh')}")
    dataset_a.stat("queue", f"platform={'x' * 50}")


@test("a bad filter names each of its faults")
def _():
    body = problem("from=x&to=y&days_back=0&platform=")
    expect_equal(sorted(e["param"] for e in body["errors"]), ["days_back", "from", "platform", "to"], "errors")


@test("a name counts once, whatever its case and the spaces around it")
def _():
    want = dataset_a.stat("platforms", "platform=tiktok&include=extended")
    for names in ("TikTok", "%20tiktok%20", "tiktok,TIKTOK,+tiktok", "tiktok,tiktok,tiktok"):
        expect_equal(dataset_a.stat("platforms", f"platform={names}&include=extended"), want, names)
    every = dataset_a.stat("queue", "include=extended")
    for names in ("instagram,tiktok,youtube,other", "other,youtube,tiktok,instagram,facebook,x"):
        expect_equal(dataset_a.stat("queue", f"platform={names}&include=extended"), every, names)


@test("keys that are not selected stay, with nothing in them")
def _():
    nothing = {"clips_ready": 0, "clips_published": 0, "avg_score": Decimal("0.0"), "jobs_completed": 0,
               "jobs_failed": 0}
    seen = dataset_a.stat("platforms", "platform=tiktok")
    expect_equal(list(seen), ["instagram", "tiktok", "youtube", "other"], "the keys")
    for key in ("instagram", "youtube", "other"):
        expect_equal(seen[key], nothing, key)
    expect_fields(seen["tiktok"], clips_published=1, avg_score=0.75, jobs_completed=1)
    seen = dataset_a.stat("platforms", "platform=tiktok&include=extended")["youtube"]
    expect_fields(seen, last_failure=None, posts_published=0, success_rate=0.0)


@test("nothing is left: zeros and nulls, on an empty database as well")
def _():
    for instance, query in ((empty, "from=-1h&platform=tiktok,x"), (dataset_a, "to=1"), (empty, "from=-1d"),
                            (dataset_a, "platform=nobody"), (empty, "platform=other"), (empty, "to=-1h"),
                            (dataset_a, "from=2030-01-01&platform=nobody,tiktok")):
        base = answers(Rows(empty.connect()))
        for name, answer in base.items():
            compare(instance.stat(name, f"{query}&include=extended&time=ms"), answer(NOW, 0), f"{name}?{query}")


@test("the filter is the same in each way of asking, and other filters are other cache entries")
def _():
    instance = filled("dataset-a.sql").with_admin()
    instance.start()
    bodies = {}
    for query in ("", "?platform=tiktok", "?platform=youtube", "?from=-1h", "?to=-1h", "?days_back=1",
                  "?from=-1h&to=-10m", "?platform=tiktok&from=-1h"):
        answer = instance.request(f"/dashboard/stats/queue{query}")
        expect_equal(answer.status, 200, query)
        bodies[query] = answer.body
        plain_answer = instance.get(f"/dashboard/stats/queue{query}")
        expect_equal(answer.json, json.loads(plain_answer), query)
    for query, body in bodies.items():      # now from the cache, if it is there
        expect_equal(instance.request(f"/dashboard/stats/queue{query}").body, body, query)
    expect(len(set(bodies.values())) >= 6, "the filters differ in what they select")
    expect_problem(instance.request("/dashboard/stats/queue?from=2&to=1"), 422, "invalid_parameter")


# -- random filters over random rows -------------------------------------------------------


def instant():
    """In the last days, on an edge of an hour or of a window of the statistics, or far away."""
    kind = rng.random()
    if kind < 0.55:
        at = NOW - rng.randrange(3 * DAY)
    elif kind < 0.80:
        at = NOW - NOW % HOUR - rng.randrange(30) * HOUR + rng.choice((-1, 0, 1))
    elif kind < 0.92:
        at = NOW + rng.choice((0, -HOUR, -DAY, MINUTE, DAY)) + rng.choice((-1, 0, 1))
    else:
        at = rng.choice((0, 1, HOUR, 2**31 * SECOND, TIME_MAX, rng.randrange(TIME_MAX)))
    return min(max(at, 0), TIME_MAX)


def insert(db, table, **values):
    db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
               list(values.values()))


def fill(db):
    """Rows of every kind; more often than not a log runs its course within minutes."""
    maybe = lambda value: value if rng.random() < 0.7 else None
    db.execute("BEGIN IMMEDIATE")
    for i in range(ACCOUNTS):
        insert(db, "social_accounts", id=f"a{i}", platform="p", handle="@h", created_at=1, updated_at=1)
    for i in range(VIDEOS):
        insert(db, "video_assets", id=f"v{i}", created_at=instant(), updated_at=1)
    for i in range(CLIPS):
        insert(db, "clips", id=f"c{i}", video_asset_id=f"v{rng.randrange(VIDEOS)}", start_ms=0, end_ms=1,
               duration_ms=1, visual_score=maybe(round(rng.random(), 4)), created_at=instant(), updated_at=1)
    for i in range(LOGS):
        at = instant()
        insert(db, "publish_logs", id=f"p{i}", clip_id=f"c{rng.randrange(CLIPS)}",
               platform=rng.choice(list(PLATFORMS)), social_account_id=maybe(f"a{rng.randrange(ACCOUNTS)}"),
               status=rng.choice(LOG_STATUSES), requested_at=at,
               published_at=maybe(min(TIME_MAX, max(0, at + rng.randrange(-500, 60_000)))),
               failed_at=maybe(instant()), created_at=rng.choice((at, at, instant())), updated_at=instant(),
               error_message=maybe(f"error {i}"))
    for i in range(JOBS):
        insert(db, "jobs", id=f"j{i}", job_type="cut", status=rng.choice(JOB_STATUSES),
               params=rng.choice(list(PARAMS)), created_at=instant(), updated_at=1)
    for i in range(CAMPAIGNS):
        insert(db, "campaigns", id=f"k{i}", name="k", clip_id=f"c{rng.randrange(CLIPS)}",
               budget_cents=rng.randrange(10**7), budget_spent_cents=rng.randrange(10**6),
               status=rng.choice(CAMPAIGN_STATUSES), created_at=instant(), updated_at=1)
    for i in range(RUNS):
        insert(db, "orchestrator_runs", id=f"r{i}", started_at=instant() // RUNS * RUNS + i, trigger="loop",
               actions=rng.randrange(9))
    db.execute("COMMIT")


def random_filter():
    """A Filter and the query that asks for it."""
    since = until = names = days = None
    if rng.random() < 0.7:
        since = instant()
    elif rng.random() < 0.3:
        days = rng.choice((1, 2, 3, 365))
        since = NOW - days * DAY
    if rng.random() < 0.5:
        until = instant()
    if since is not None and until is not None and since >= until:
        since, until, days = (until, since, None) if since > until else (since, None, days)
    if rng.random() < 0.65 or since is until is None:
        known = ("instagram", "tiktok", "youtube", "facebook", "other")
        raw = [n for n in map(plain, PLATFORMS) if n and "," not in n and n.isprintable()]
        names = rng.choices(known if rng.random() < 0.6 else raw, k=rng.choice((1, 1, 1, 2, 3, 8)))
        names = [rng.choice((n, n.upper() if n.isascii() else n, f" {n} ")) for n in names]
    wanted = Filter(since, until, names)
    return wanted, query_of(from_=None if days else since, to=until, days_back=days,
                            platform=names and ",".join(names))


def check(instance, base, wanted, query):
    for name in STATS:
        left = base.selected(wanted, TIME_OF_LOGS.get(name, "requested_at"))
        tz = rng.choice((0, 0, -720, 330, 840))
        seen = instance.stat(name, f"{query}&include=extended&time=ms&tz_offset={tz}")
        compare(seen, answers(left)[name](NOW, tz), f"{name}?{query} tz={tz}")


worked = Instance(now=NOW)
worked_db = worked.connect()
fill(worked_db)


def batch(number, of):
    @test(f"random filters agree with a second opinion, {number + 1} of {of}")
    def _():
        base = Rows(worked_db)
        for _ in range(RANDOM_FILTERS // of):
            check(worked, base, *random_filter())


for i in range(6):
    batch(i, 6)


@test("a window that begins or ends at a row, at an hour, or holds one hour in part")
def _():
    base = Rows(worked_db)
    hour = NOW - NOW % HOUR
    some = [r["requested_at"] for r in rng.sample(base.logs, 4)] + [r["created_at"] for r in rng.sample(base.logs, 4)]
    windows = [(hour - HOUR, hour), (hour - HOUR + 1, hour - 1), (hour - 1, hour + 1), (hour - 3 * HOUR, hour - 1),
               (0, 1), (0, TIME_MAX), (1, None), (None, TIME_MAX)]
    windows += [(at, at + 1) for at in some if at < TIME_MAX] + [(at + 1, None) for at in some if at < TIME_MAX]
    for since, until in windows:
        check(worked, base, Filter(since, until), query_of(from_=since, to=until))


@test("the answer of base fields is the beginning of the extended one")
def _():
    for name in ("overview", "queue", "orchestrator", "campaigns"):
        for query in ("platform=tiktok,x", "from=-30h&to=-1h", "days_back=2&platform=other"):
            base, more = worked.stat(name, query), worked.stat(name, f"{query}&include=extended")
            expect_equal(list(base), list(more)[:len(base)], name)
            expect_equal(base, {k: more[k] for k in base}, f"{name}?{query}")


@test("filters see what is written after them")
def _():
    query = "include=extended&from=-2d&platform=tiktok,facebook,x"
    wanted = Filter(NOW - 2 * DAY, None, ["tiktok", "facebook", "x"])
    for change in ("UPDATE publish_logs SET status = 'success', published_at = min(requested_at + 5, 253402300799999) WHERE rowid % 7 = 0",
                   "DELETE FROM publish_logs WHERE rowid % 11 = 0",
                   "UPDATE publish_logs SET platform = 'x' WHERE rowid % 13 = 0",
                   "UPDATE publish_logs SET requested_at = requested_at / 2 WHERE rowid % 17 = 0",
                   "UPDATE clips SET visual_score = 0.5 WHERE rowid % 3 = 0",
                   "DELETE FROM clips WHERE id NOT IN (SELECT clip_id FROM campaigns) AND rowid % 4 = 0"):
        worked_db.execute(change)
        check(worked, Rows(worked_db), wanted, query.replace("include=extended&", ""))
    worked.run("verify")


@test("a log whose clip is gone is counted, but has no score")
def _():
    worked_db.execute("PRAGMA foreign_keys=OFF")
    worked_db.execute("DELETE FROM clips WHERE rowid % 5 = 0")
    worked_db.execute("DELETE FROM video_assets WHERE rowid % 6 = 0")
    base = Rows(worked_db)
    for _ in range(20):
        check(worked, base, *random_filter())


run()
