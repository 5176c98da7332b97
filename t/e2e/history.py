#!/usr/bin/env -S /usr/bin/python3 -B
"""Metrics now and over time: the catalogue, the sampler, history, heatmap and distributions.

Whatever is counted is counted a second time, in plain Python from the base rows.  PH_SEED repeats
a run.
"""
import json
import os
import random
from datetime import datetime, timedelta, timezone
from fractions import Fraction

from harness import (NOW, SOURCE, STATS, Decimal, Instance, diagnostic, exact, expect, expect_equal,
                     expect_problem, fields, run, test)

SEED = int(os.environ.get("PH_SEED", "20251122"))
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
STEPS = {"60s": MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "1h": HOUR, "6h": 6 * HOUR, "1d": DAY}
KEPT = {MINUTE: 48 * HOUR, 5 * MINUTE: 14 * DAY, HOUR: 400 * DAY}
POINTS_WANTED, POINTS_MAX = 500, 2000
TZ_OFFSETS = (0, 60, -720, 840, 330, 345, -61)
EVENTS = ("requested", "published", "failed", "retried", "jobs_completed", "clips_created", "orchestrator_events")
WITHOUT_PLATFORM = ("clips_created", "orchestrator_events")
WINDOWS = {"10m": 10 * MINUTE, "1h": HOUR, "24h": DAY}
KEYS = ("instagram", "tiktok", "youtube", "facebook")
SPELLINGS = ("instagram", " TikTok", "tiktok", "YOUTUBE ", "facebook", "x", "", "other")
HEATMAP_DAYS = 30

diagnostic(f"PH_SEED={SEED}")
rng = random.Random(SEED)


def ask(instance, path, status=0, **env):
    return fields(instance.get(path, status=status, **env))


def history(instance, metric, now=NOW, status=0, **params):
    query = "&".join(f"{name}={value}" for name, value in params.items() if value is not None)
    return ask(instance, f"/dashboard/stats/history?metric={metric}{'&' + query if query else ''}",
               status=status, PH_NOW_MS=str(now))


def points(instance, metric, **params):
    """Of a single series."""
    series, = history(instance, metric, **params)["series"]
    return series["points"]


def sample(instance, now, status=0):
    instance.run("jobs", "run", "sampler", status=status, PH_NOW_MS=str(now))


def samples(instance, *metrics):
    """{(metric, resolution, at): value}, of these or of all."""
    with instance.connect() as db:
        rows = db.execute("SELECT metric, resolution_ms, at, value FROM stat_samples").fetchall()
    return {row[:3]: row[3] for row in rows if not metrics or row[0] in metrics}


def catalogue(instance):
    return {m["name"]: m for m in ask(instance, "/dashboard/metrics")["metrics"]}


def floor(at, step, tz=0):
    shift = tz * MINUTE if step == DAY else 0
    return (at + shift) // step * step - shift


def rfc3339(at):
    return datetime.fromtimestamp(at / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- random rows ----------------------------------------------------------------------


def key_of(name):
    name = name.strip(" ").lower()
    return name if name in KEYS else "other"


def instant(now, span):
    """Often on a minute or an hour, or a millisecond beside it."""
    at = now - rng.randrange(span)
    grid = rng.choice((1, 1, MINUTE, HOUR))
    return max(0, at // grid * grid + rng.choice((-1, 0, 0, 1)))


def random_rows(instance, now, span, count):
    """Insert, change and delete, through the triggers."""
    db = instance.connect()
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT OR IGNORE INTO video_assets(id,created_at,updated_at) VALUES('v',1,1)")
    clips = [r[0] for r in db.execute("SELECT id FROM clips")]
    logs = [r[0] for r in db.execute("SELECT id FROM publish_logs")]
    at = lambda: instant(now, span)
    maybe = lambda value: value if rng.random() < 0.8 else None
    for i in range(count):
        name = f"{now}.{span}.{i}"
        what = rng.random()
        if what < 0.1 or not clips:
            score = rng.choice((None, 0.0, 1.0, 0.29, 0.57, 0.999999999, round(rng.random(), rng.randrange(1, 10))))
            db.execute("INSERT INTO clips VALUES(?,'v',0,1,?,?,?,NULL,?,1)",
                       (name, rng.choice((0, 999, 1000, -5, rng.randrange(100_000))), score,
                        rng.choice(("pending", "ready", "published", "failed")), at()))
            clips.append(name)
        elif what < 0.2:
            db.execute("INSERT INTO jobs(id,job_type,status,params,created_at,updated_at) VALUES(?,'cut',?,?,1,?)",
                       (name, rng.choice(("completed", "processing", "pending")),
                        rng.choice((None, "{bad", *(json.dumps({"platform": p}) for p in SPELLINGS))), at()))
        elif what < 0.25:
            db.execute("INSERT INTO clip_variants(id,clip_id,platform,status,created_at) VALUES(?,?,?,?,1)",
                       (name, rng.choice(clips), rng.choice(SPELLINGS), rng.choice(("ready", "pending"))))
        elif what < 0.27:
            db.execute("INSERT INTO ledger_events(id,timestamp,event_type) VALUES(?,?,?)",
                       (name, at(), rng.choice(("orchestrator.decided", "orchestrator.tick", "orchestrator",
                                                "action.retry-failed"))))
        elif what < 0.29:
            db.execute("INSERT INTO campaigns(id,name,clip_id,budget_cents,status,created_at,updated_at)"
                       " VALUES(?,'k',?,100,?,1,1)", (name, rng.choice(clips), rng.choice(("active", "draft"))))
        elif what < 0.8 or not logs:
            requested = at()
            db.execute("INSERT INTO publish_logs(id,clip_id,platform,status,requested_at,published_at,failed_at,"
                       "last_retry_at,scheduled_for,created_at,updated_at) VALUES(?,?,?,?,?,?,?,?,?,?,1)",
                       (name, rng.choice(clips), rng.choice(SPELLINGS),
                        rng.choice(("success", "success", "failed", "pending", "scheduled", "processing", "retry")),
                        requested, maybe(requested + rng.randrange(-SECOND, 5 * SECOND)), maybe(at()), maybe(at()),
                        maybe(at() + rng.choice((-HOUR, 0, HOUR))), requested))
            logs.append(name)
        elif what < 0.95:
            db.execute("UPDATE publish_logs SET status=?, platform=?, published_at=?, last_retry_at=? WHERE id=?",
                       (rng.choice(("success", "failed")), rng.choice(SPELLINGS), at(), maybe(at()), rng.choice(logs)))
            db.execute("UPDATE clips SET visual_score=?, duration_ms=? WHERE id=?",
                       (maybe(round(rng.random(), 3)), rng.randrange(-10, 90_000), rng.choice(clips)))
            db.execute("UPDATE clip_variants SET status='ready' WHERE clip_id=?", (rng.choice(clips),))
        else:
            db.execute("DELETE FROM publish_logs WHERE id=?", (logs.pop(rng.randrange(len(logs))),))
    db.execute("COMMIT")
    db.close()


def event_times(instance):
    """{event: [(time, platform key or None)]}"""
    with instance.connect() as db:
        select = lambda sql: db.execute(sql).fetchall()
        logs = select("SELECT platform, status, requested_at, published_at, failed_at, last_retry_at"
                      " FROM publish_logs")
        jobs = select("SELECT params, updated_at FROM jobs WHERE status='completed'")
        clips = select("SELECT created_at FROM clips")
        ledger = select("SELECT timestamp FROM ledger_events WHERE event_type GLOB 'orchestrator.*'")
    job_key = {None: None, "{bad": None}
    for name in SPELLINGS:
        job_key[json.dumps({"platform": name})] = key_of(name) if name.strip() else None
    return {
        "requested": [(r, key_of(p)) for p, _s, r, *_ in logs],
        "published": [(t, key_of(p)) for p, s, _r, t, _f, _l in logs if s == "success" and t is not None],
        "failed": [(t, key_of(p)) for p, s, _r, _p, t, _l in logs if s == "failed" and t is not None],
        "retried": [(t, key_of(p)) for p, _s, _r, _p, _f, t in logs if t is not None],
        "jobs_completed": [(t, job_key[p]) for p, t in jobs],
        "clips_created": [(t, None) for t, in clips],
        "orchestrator_events": [(t, None) for t, in ledger],
    }


def of_platform(times, platform):
    if platform is None:
        return [t for t, _ in times]
    return [t for t, key in times if key == platform or (platform == "other" and key == "facebook")]


# -- instances --------------------------------------------------------------------------


def with_script(name):
    one = Instance(now=NOW)
    one.sql((SOURCE / "t/e2e" / name).read_text())
    return one


dataset_a = with_script("dataset-a.sql")
empty = Instance(now=NOW)
mixed = Instance(now=NOW)
for span in (2 * HOUR, 3 * DAY, 40 * DAY):
    random_rows(mixed, NOW + 10 * MINUTE, span, 1200)
TIMES = event_times(mixed)


# -- the catalogue ------------------------------------------------------------------------


def numbers(value, path=()):
    """{dotted path: number or None} of an answer; texts and times are left out."""
    if isinstance(value, dict):
        return {k: v for name in value for k, v in numbers(value[name], path + (name,)).items()}
    is_number = value is None or (isinstance(value, (int, Decimal)) and not isinstance(value, bool))
    return {".".join(path): value} if is_number else {}


def statistics(instance):
    return {k: v for name in STATS for k, v in numbers(instance.stat(name, "include=extended"), (name,)).items()}


TIMES_OF_STATISTICS = {"queue.estimated_completion_time", "orchestrator.last_run_at", "orchestrator.last_tick_at"}
SINGLE = {"scheduler.overdue_max_ms", "accounts.oauth_min_left_ms", "jobs.stuck_processing", "campaigns.blocked",
          "orchestrator.idle_ms"}
TELEMETRY = {f"telemetry.{group}.{name}" for group, names in {
    "queue": ("pending", "processing", "success", "failed", "total"),
    "scheduler": ("scheduled_today", "scheduled_next_hour", "overdue", "avg_delay_seconds"),
    "orchestrator": ("actions_last_minute", "decisions_pending", "saturation_rate", "last_run_seconds_ago"),
    "platforms": KEYS,
    "workers": ("active_workers", "tasks_processing", "avg_processing_time_ms")}.items() for name in names}


@test("the catalogue names every number of the statistics, telemetry, event windows and the five of the rules")
def _():
    seen = catalogue(dataset_a)
    # Last failures are null on an empty database, and so have no numbers in any case.
    want = {name for name in statistics(empty) if not name.endswith("last_failure")} - TIMES_OF_STATISTICS
    want |= TELEMETRY | SINGLE | {f"events.{event}.{window}" for event in EVENTS for window in WINDOWS}
    expect_equal(sorted(seen), sorted(want), "names")
    for name, metric in seen.items():
        expect_equal(set(metric), {"name", "kind", "unit", "description", "nullable", "history"}, name)
        is_event = name.startswith("events.")
        expect_equal(metric["kind"], "event" if is_event else "gauge", name)
        expect_equal(metric["history"], name.rsplit(".", 1)[0] if is_event else name, name)
        expect(metric["unit"] and metric["description"].endswith("."), f"unit and description of {name}")
        history(dataset_a, metric["history"])


@test("what is null on an empty database is nullable, and nothing else is")
def _():
    sample(empty, NOW)
    stored = {metric for metric, _, _ in samples(empty)}
    for name, metric in catalogue(empty).items():
        if metric["kind"] == "gauge":
            expect_equal(name not in stored, metric["nullable"], name)


@test("a sample of every gauge is what the statistics say at the same instant")
def _():
    for one in (dataset_a, mixed):
        sample(one, NOW)
        seen = samples(one)
        for name, value in statistics(one).items():
            if name.endswith("last_failure.at") or name in TIMES_OF_STATISTICS:
                continue
            expect_equal(seen.get((name, MINUTE, NOW)), None if value is None else float(value), name)


@test("telemetry and the figures of the rules, against the base rows")
def _():
    one = Instance(now=NOW)
    random_rows(one, NOW, DAY, 900)
    one.sql(f"""
        INSERT INTO ledger_events(id,timestamp,event_type) VALUES
          ('1',{NOW - MINUTE},'orchestrator.action_executed'),('2',{NOW - MINUTE + 1},'orchestrator.action_executed'),
          ('3',{NOW - 5},'orchestrator.action_executed'),('4',{NOW},'other'),
          ('5',{NOW - 4},'orchestrator.decided');
        INSERT INTO orchestrator_runs(id,started_at,trigger) VALUES('1',{NOW - 7000},'loop');
        INSERT INTO social_accounts(id,platform,handle,is_active,oauth_expires_at,created_at,updated_at) VALUES
          ('1','x','x',1,{NOW + 9000},1,1),('2','x','x',0,{NOW + 1},1,1),('3','x','x',1,NULL,1,1);
        UPDATE publish_logs SET social_account_id='1' WHERE status='processing' AND platform='x';
        UPDATE publish_logs SET social_account_id='2' WHERE status='processing' AND platform='tiktok'""")
    with one.connect() as db:
        count = lambda sql: db.execute(sql).fetchone()[0]
        logs = {s: count(f"SELECT count(*) FROM publish_logs WHERE status='{s}'")
                for s in ("pending", "processing", "success", "failed")}
        total = count("SELECT count(*) FROM publish_logs")
        due = [t for t, in db.execute("SELECT scheduled_for FROM publish_logs WHERE scheduled_for IS NOT NULL"
                                      " AND status IN ('scheduled','pending')")]
        pending_jobs, jobs = count("SELECT sum(status='pending') FROM jobs"), count("SELECT count(*) FROM jobs")
        variants = [p.strip(" ").lower() for p, in db.execute("SELECT platform FROM clip_variants WHERE status='ready'")]
        workers = count("SELECT count(DISTINCT social_account_id) FROM publish_logs WHERE status='processing'")
        took = [d for d, in db.execute("SELECT published_at-requested_at FROM publish_logs WHERE status='success'"
                                       " AND published_at>=requested_at")]
        stuck = count(f"SELECT count(*) FROM jobs WHERE status='processing' AND updated_at<{NOW - 5 * MINUTE}")
        blocked = count("SELECT count(*) FROM campaigns k JOIN clips c ON c.id=k.clip_id WHERE k.status='active'"
                        " AND c.status NOT IN ('ready','published')")
    late = [NOW - t for t in due if t < NOW]
    expect(late and took and stuck and blocked and variants, "there is something to count")
    want = {f"telemetry.queue.{s}": n for s, n in logs.items()}
    want.update({f"telemetry.platforms.{p}": variants.count(p) for p in KEYS})
    want.update({
        "telemetry.queue.total": total,
        "telemetry.scheduler.scheduled_today": sum(floor(NOW, DAY) <= t < floor(NOW, DAY) + DAY for t in due),
        "telemetry.scheduler.scheduled_next_hour": sum(NOW <= t < NOW + HOUR for t in due),
        "telemetry.scheduler.overdue": len(late),
        "telemetry.scheduler.avg_delay_seconds": round(sum(late) / len(late) / 1000, 3),
        "telemetry.orchestrator.actions_last_minute": 2,
        "telemetry.orchestrator.decisions_pending": pending_jobs,
        "telemetry.orchestrator.saturation_rate": round(pending_jobs / jobs, 4),
        "telemetry.orchestrator.last_run_seconds_ago": 0.005,
        "telemetry.workers.active_workers": workers,
        "telemetry.workers.tasks_processing": logs["processing"],
        "telemetry.workers.avg_processing_time_ms": round(sum(took) / len(took), 2),
        "scheduler.overdue_max_ms": max(late), "accounts.oauth_min_left_ms": 9000,
        "jobs.stuck_processing": stuck, "campaigns.blocked": blocked, "orchestrator.idle_ms": 5,
    })
    sample(one, NOW)
    seen = {metric: value for (metric, _, _), value in samples(one).items() if metric in want}
    expect_equal(seen, {name: float(value) for name, value in want.items()}, "figures")
    expect_equal(set(want), TELEMETRY | SINGLE, "all of them")
    one.sql("UPDATE social_accounts SET oauth_expires_at=oauth_expires_at-10000")
    sample(one, NOW + MINUTE)
    expect_equal(samples(one, "accounts.oauth_min_left_ms")["accounts.oauth_min_left_ms", MINUTE, NOW + MINUTE],
                 float(-1000 - MINUTE), "an expired one counts, negative")


# -- the sampler ----------------------------------------------------------------------------


def set_pending(instance, n):
    instance.sql("DELETE FROM publish_logs;" + "".join(
        f"INSERT INTO publish_logs(id,clip_id,platform,status,requested_at,created_at,updated_at)"
        f" VALUES('{i}','c1','x','pending',1,1,1);" for i in range(n)))


@test("samples fall on their minute, five minutes and hour, also late, twice and with gaps; null leaves none")
def _():
    one = with_script("dataset-a.sql")
    now = floor(NOW, HOUR) + 57 * MINUTE
    values = {}
    for _ in range(40):
        value = rng.randrange(30)
        set_pending(one, value)
        sample(one, now)
        for width in KEPT:
            values[width, floor(now, width)] = float(value)
        now += rng.choice((0, 1, 30 * SECOND, MINUTE, MINUTE, 4 * MINUTE, 50 * MINUTE))
    expect_equal({k[1:]: v for k, v in samples(one, "queue.pending").items()}, values, "samples")
    expect_equal(samples(one, "queue.avg_processing_time_ms"), {}, "of a null")


@test("samples are kept for 48 hours, 14 days and 400 days, to the minute; those of a gone metric go, too")
def _():
    one = with_script("dataset-a.sql")
    hour = floor(NOW, HOUR)
    rows = []
    for metric in ("queue.pending", "zz.gone"):
        for width, kept in KEPT.items():
            oldest = (hour - kept + width - 1) // width * width
            rows += [(metric, width, at, 1.0)
                     for at in (oldest, oldest + width, oldest - width, oldest - 100 * width, hour - 2 * width)]
    with one.connect() as db:
        db.executemany("INSERT INTO stat_samples VALUES(?,?,?,?)", rows)
    sample(one, hour)
    want = {row[:3] for row in rows if row[2] >= hour - KEPT[row[1]]}
    want |= {("queue.pending", width, hour) for width in KEPT}
    expect_equal(sorted(samples(one, "queue.pending", "zz.gone")), sorted(want), "what is left")
    one.sql(f"INSERT INTO stat_samples VALUES('queue.pending',60000,{hour - 50 * HOUR},1)")
    sample(one, hour + 59 * MINUTE)
    expect(("queue.pending", MINUTE, hour - 50 * HOUR) in samples(one), "nothing is removed within the hour")
    sample(one, hour + HOUR)
    expect(("queue.pending", MINUTE, hour - 50 * HOUR) not in samples(one), "and is at its turn")


@test("the sampler leaves every counter right, and the triggers of variants and bins as well")
def _():
    random_rows(mixed, NOW, 3 * DAY, 1500)
    mixed.sql("DELETE FROM clips WHERE id IN (SELECT id FROM clips WHERE id NOT IN (SELECT clip_id FROM campaigns)"
              " ORDER BY id LIMIT 20)")
    TIMES.update(event_times(mixed))
    mixed.run("verify")
    for table in ("variant_counts", "clip_bins"):
        mixed.sql(f"UPDATE {table} SET n = n + 1")
        expect(table in mixed.run("verify", status=1).stdout, f"a wrong {table} is noticed")
        mixed.run("verify", "--repair", status=None)
        mixed.run("verify")
    for attempt, why in (("INSERT OR REPLACE INTO clip_variants SELECT * FROM clip_variants LIMIT 1", "refused"),
                         ("UPDATE OR REPLACE clip_variants SET id=(SELECT max(id) FROM clip_variants)"
                          " WHERE id=(SELECT min(id) FROM clip_variants)", "id is taken")):
        try:
            mixed.sql(attempt)
            expect(False, f"{attempt} is refused")
        except Exception as refused:
            expect(why in str(refused), refused)
    mixed.run("verify")


# -- history: events ----------------------------------------------------------------------------


@test("the published example, to the byte")
def _():
    expect_equal(exact(dataset_a.get("/dashboard/stats/history?metric=events.published&from=2025-11-22T08:00:00Z"
                                     "&to=2025-11-22T11:00:00Z&step=1h")),
                 exact('{"from":"2025-11-22T08:00:00Z","to":"2025-11-22T11:00:00Z","step_ms":3600000,"series":['
                       '{"metric":"events.published","platform":null,"kind":"event","points":[[1763798400000,1],'
                       '[1763802000000,0],[1763805600000,1]]}],"truncated":false}'), "answer")


def expected_events(event, platform, start, end, step, tz, fill):
    """Of whole buckets from the one that holds start."""
    first = floor(start, step, tz)
    last = floor(end - 1, step, tz)
    if (last - first) // step + 1 > POINTS_MAX:
        first = last - (POINTS_MAX - 1) * step
    counts = {at: 0 for at in range(first, last + 1, step)}
    for t in of_platform(TIMES[event], platform):
        if first <= t < last + step:
            counts[floor(t, step, tz)] += 1
    result, before = [], None
    for at, n in counts.items():
        if n == 0 and (at > NOW or fill == "null"):
            n = None
        elif n == 0 and fill == "prev":
            n = before
        before = n if at <= NOW else before
        result.append([at, n])
    return result


@test("events equal a count of the base rows, whatever the range, step, zone, platform and fill")
def _():
    for _ in range(90):
        step = rng.choice(list(STEPS))
        end = NOW - rng.choice((-5 * MINUTE, -DAY, 0, 1, rng.randrange(35 * DAY)))
        start = end - 1 - rng.randrange(min(40 * DAY, STEPS[step] * 2100))
        event, tz = rng.choice(EVENTS), rng.choice(TZ_OFFSETS)
        platform = None if event in WITHOUT_PLATFORM else rng.choice((None, None, *KEYS, "other"))
        fill = rng.choice(("zero", "null", "prev", None))
        seen = history(mixed, f"events.{event}", step=step, to=end, platform=platform, tz_offset=tz, fill=fill,
                       **{"from": start})
        series, = seen["series"]
        what = f"{event} {platform} from {start} to {end} step {step} tz {tz} fill {fill}"
        want = expected_events(event, platform, start, end, STEPS[step], tz, fill or "zero")
        expect_equal(series, {"metric": f"events.{event}", "platform": platform, "kind": "event", "points": want}, what)
        expect_equal((seen["from"], seen["to"], seen["step_ms"]),
                     (rfc3339(want[0][0]), rfc3339(want[-1][0] + STEPS[step]), STEPS[step]), what)
        expect_equal(seen["truncated"], want[0][0] > start, what)


@test("without step there are at most 500 points, without from 24 hours, and now belongs to the last one")
def _():
    for span in (1, 499 * MINUTE, 501 * MINUTE, 2 * DAY, 9 * DAY, 30 * DAY, 200 * DAY, 400 * DAY):
        end = floor(NOW, DAY)
        seen = history(dataset_a, "events.failed", to=end, **{"from": end - span})
        step = next(s for s in STEPS.values()
                    if (floor(end - 1, s) - floor(end - span, s)) // s + 1 <= POINTS_WANTED)
        expect_equal(seen["step_ms"], step, f"{span}")
    seen = history(dataset_a, "events.requested")
    expect_equal((seen["from"], seen["step_ms"], len(seen["series"][0]["points"])),
                 ("2025-11-21T10:30:00Z", 5 * MINUTE, 289), "by default")
    expect_equal(history(dataset_a, "events.requested", to=floor(NOW, HOUR))["from"], "2025-11-21T10:00:00Z",
                 "to alone")
    expect_equal(history(dataset_a, "events.requested", days_back=3, step="1d")["from"], "2025-11-19T00:00:00Z",
                 "days_back")


@test("what is too long loses its beginning and says so")
def _():
    day = floor(NOW, DAY)
    seen = history(dataset_a, "events.failed", step="1h", to=day, **{"from": day - 300 * DAY})
    expect_equal((len(seen["series"][0]["points"]), seen["to"], seen["truncated"]),
                 (POINTS_MAX, rfc3339(day), True), "2000 points")
    seen = history(dataset_a, "events.failed", to=day, **{"from": 0})
    expect_equal((seen["from"], seen["truncated"]), (rfc3339(day - 400 * DAY), True), "400 days")
    seen = history(dataset_a, "events.failed", to=day, **{"from": day - 400 * DAY})
    expect_equal((len(seen["series"][0]["points"]), seen["truncated"]), (400, False), "exactly 400 days")


@test("several metrics and platforms, in the order asked for; other has facebook in it")
def _():
    seen = history(mixed, "events.failed,events.requested", platform="other,TikTok ,facebook".replace(" ", "%20"),
                   step="1d", days_back=30)
    expect_equal([(s["metric"], s["platform"]) for s in seen["series"]],
                 [(m, p) for m in ("events.failed", "events.requested") for p in ("other", "tiktok", "facebook")], "series")
    for s in seen["series"]:
        expect_equal(s["points"], expected_events(s["metric"][7:], s["platform"], NOW - 30 * DAY, NOW + 1, DAY, 0, "zero"),
                     f"{s['metric']} {s['platform']}")
    seen = history(dataset_a, "queue.pending,events.failed", time="ms")
    expect_equal([s["kind"] for s in seen["series"]], ["gauge", "event"], "kinds")
    expect_equal((seen["from"], seen["to"]), (NOW - DAY, NOW + 5 * MINUTE), "time=ms")


# -- history: gauges ----------------------------------------------------------------------------


def aggregate(values, agg, is_decimal):
    """As an answer shows it."""
    if not values:
        return None
    value = {"last": lambda: values[-1], "min": lambda: min(values), "max": lambda: max(values),
             "avg": lambda: float(sum(map(Fraction, values)) / len(values))}[agg]()
    return value if is_decimal or agg == "avg" else int(value)


@test("gauges: last, avg, min and max of the samples in a step; without a sample null, and filled when asked")
def _():
    one = Instance(now=NOW)
    end = floor(NOW, HOUR)
    stored = {}
    for metric, is_decimal in (("queue.pending", False), ("queue.avg_processing_time_ms", True)):
        for width in KEPT:
            for i in range(700):
                if rng.random() < 0.5:
                    stored[metric, width, end - i * width] = rng.randrange(400) / 4 if is_decimal else rng.randrange(100)
    with one.connect() as db:
        db.executemany("INSERT INTO stat_samples VALUES(?,?,?,?)", [(*k, v) for k, v in stored.items()])
    for _ in range(60):
        step = rng.choice(list(STEPS))
        metric, agg, fill = rng.choice(("queue.pending", "queue.avg_processing_time_ms")), rng.choice(
            ("last", "avg", "min", "max")), rng.choice((None, "null", "zero", "prev"))
        start = end - rng.randrange(1, 60) * STEPS[step]
        # The last value of a step is in its widest samples; all of them count for the rest, if kept.
        widths = [w for w in KEPT if w <= STEPS[step]]
        width = widths[-1] if agg == "last" else next((w for w in widths if start >= NOW - KEPT[w]), widths[-1])
        first, before, want = floor(start, STEPS[step]), None, []
        for at in range(first, floor(NOW, STEPS[step]) + 1, STEPS[step]):
            inside = [stored[metric, width, t] for t in range(at, at + STEPS[step], width) if (metric, width, t) in stored]
            value = aggregate(inside, agg, metric != "queue.pending")
            before = before if value is None else value
            want.append([at, {"zero": 0, "prev": before}.get(fill) if value is None else value])
        seen = points(one, metric, step=step, agg=agg, fill=fill, **{"from": start})
        what = f"{metric} {step} {agg} {fill} from {start}"
        expect_equal([at for at, _ in seen], [at for at, _ in want], what)
        for (at, value), (_, expected) in zip(seen, want):
            if expected is None or value is None:
                expect_equal(value, expected, f"{what} at {at}")
            else:
                places = 2 if metric != "queue.pending" else 4 if agg == "avg" else 0
                expect(abs(float(value) - expected) <= 0.5 * 10**-places + 1e-9, f"{what} at {at}: {value}, {expected}")
                expect_equal(isinstance(value, Decimal), places > 0, f"{what} at {at}: form")


@test("what the sampler wrote is what history shows, the hour that is going on included")
def _():
    one = with_script("dataset-a.sql")
    start, values = floor(NOW, HOUR) - 10 * MINUTE, {}
    for now in range(start, start + 30 * MINUTE, 3 * MINUTE):
        values[now] = rng.randrange(9)
        set_pending(one, values[now])
        sample(one, now)
    at = max(values)
    for step in ("60s", "5m", "15m", "1h", "6h", "1d"):
        want = {}
        for now, value in values.items():
            want[floor(now, STEPS[step])] = value
        seen = points(one, "queue.pending", now=at, step=step, **{"from": start})
        expect_equal({t: n for t, n in seen if n is not None}, want, step)
    expect_equal([n for t, n in points(one, "queue.pending", now=at, step="60s", **{"from": start})
                  if t not in values], [None] * 18, "minutes between")


# -- heatmap ------------------------------------------------------------------------------------


@test("heatmap: 168 cells that equal a count of the base rows, in any zone, over any time")
def _():
    for _ in range(30):
        event, tz, now = rng.choice(EVENTS), rng.choice(TZ_OFFSETS), NOW + rng.choice((0, 0, 1, -12345))
        platform = None if event in WITHOUT_PLATFORM else rng.choice((None, *KEYS, "other"))
        days = rng.choice((None, 1, 7, 365))
        seen = ask(mixed, f"/dashboard/stats/heatmap?metric=events.{event}&tz_offset={tz}"
                   + (f"&platform={platform}" if platform else "") + (f"&days_back={days}" if days else ""),
                   PH_NOW_MS=str(now))
        zone = timezone(timedelta(minutes=tz))
        counts = {(y, x): 0 for y in range(1, 8) for x in range(24)}
        for t in of_platform(TIMES[event], platform):
            if now - (days or HEATMAP_DAYS) * DAY <= t <= now:
                local = datetime.fromtimestamp(t / 1000, zone)
                counts[local.isoweekday(), local.hour] += 1
        expect_equal(seen, {"x": "hour", "y": "iso_weekday", "cells": [[y, x, n] for (y, x), n in sorted(counts.items())]},
                     f"{event} {platform} {tz} {days} {now}")
    expect_equal(ask(mixed, "/dashboard/stats/heatmap"), ask(mixed, "/dashboard/stats/heatmap?metric=events.published"),
                 "the default")


# -- distribution -------------------------------------------------------------------------------


def histogram(values, edges, closed):
    counts = [0] * (len(edges) - 1)
    for value in values:
        i = max(k for k in range(len(edges)) if edges[k] <= value)
        counts[len(counts) - 1 if closed and i == len(counts) else i] += 1
    return counts


@test("distributions equal a count of the base rows; bins are of one width and hold everything")
def _():
    with mixed.connect() as db:
        base = {
            "clip_score": [Fraction(str(v)) for v, in db.execute("SELECT visual_score FROM clips WHERE visual_score IS NOT NULL")],
            "clip_duration": [v for v, in db.execute("SELECT duration_ms FROM clips WHERE duration_ms >= 0")],
            "processing_time": [v for v, in db.execute("SELECT published_at - requested_at FROM publish_logs"
                                                       " WHERE status='success' AND published_at >= requested_at")],
        }
    for of, values in base.items():
        for bins in (None, 1, 3, 7, 10, 64, 99, 100):
            seen = ask(mixed, f"/dashboard/stats/distribution?of={of}" + (f"&bins={bins}" if bins else ""))
            edges = [Fraction(str(e)) for e in seen["bins"]]
            what = f"{of} in {bins}"
            expect_equal((len(edges), len(seen["counts"])), ((bins or 10) + 1, bins or 10), what)
            if of == "clip_score":
                expect_equal(seen["bins"][0] + "-" + seen["bins"][-1], "0.0-1.0", what)
                expect(all(abs(e - Fraction(i, bins or 10)) <= Fraction(1, 200) for i, e in enumerate(edges)), what)
            else:
                expect_equal(len({b - a for a, b in zip(edges, edges[1:])}), 1, f"{what}: one width")
                grid = 1000 if of == "clip_duration" else 1
                expect(edges[0] <= min(values) < edges[0] + grid and edges[-1] > max(values), f"{what}: {seen}")
            expect_equal(seen["counts"], histogram(values, edges, of == "clip_score"), what)
            expect_equal(seen["total"], len(values), what)


@test("processing times on the edges of their counters' levels, 2^10 and 2^20 ms, are counted once")
def _():
    one = Instance(now=NOW)
    random_rows(one, NOW, DAY, 1)       # a clip
    one.sql("DELETE FROM publish_logs")
    values = []
    for step, count in ((2**10, 40), (2**20, 8)):
        for i in range(count):
            values.append(i * step)
            one.sql("INSERT INTO publish_logs(id,clip_id,platform,status,requested_at,published_at,created_at,updated_at)"
                    f" SELECT 'p{len(values)}',id,'x','success',1,{1 + i * step},1,1 FROM clips LIMIT 1")
        for bins in (7, 100):
            seen = ask(one, f"/dashboard/stats/distribution?of=processing_time&bins={bins}")
            expect_equal(seen["counts"], histogram(values, seen["bins"], False), f"{step} in {bins}")


@test("distributions and heatmap of nothing")
def _():
    for of in ("clip_score", "clip_duration", "processing_time"):
        seen = ask(empty, f"/dashboard/stats/distribution?of={of}&bins=4")
        expect_equal((len(seen["bins"]), seen["counts"], seen["total"]), (5, [0] * 4, 0), of)
    expect_equal(sum(n for _, _, n in ask(empty, "/dashboard/stats/heatmap")["cells"]), 0, "heatmap")


# -- failures -----------------------------------------------------------------------------------


@test("what is wrong is named")
def _():
    ten = ",".join(["queue.pending"] * 10)
    h, m, d = ("/dashboard/stats/" + name for name in ("history", "heatmap", "distribution"))
    for path, params in (
            (h, ["metric"]), (f"{h}?metric=", ["metric"]), (f"{h}?metric=queue.nothing", ["metric"]),
            (f"{h}?metric=queue.pending,", ["metric"]), (f"{h}?metric=queue.pending;queue.failed", ["metric"]),
            (f"{h}?metric=events.created", ["metric"]), (f"{h}?metric=events.failed.10m", ["metric"]),
            (f"{h}?metric={ten},queue.failed", ["metric"]), (f"{h}?metric={'x' * 641}", ["metric"]),
            (f"{h}?metric=queue.pending&step=2h", ["step"]), (f"{h}?metric=queue.pending&agg=sum", ["agg"]),
            (f"{h}?metric=queue.pending&fill=1", ["fill"]), (f"{h}?metric=queue.pending&tz_offset=841", ["tz_offset"]),
            (f"{h}?metric=queue.pending&from={NOW + 1}", ["from"]), (f"{h}?metric=queue.pending&from=x", ["from"]),
            (f"{h}?metric=queue.pending&from=5&to=5", ["from"]), (f"{h}?metric=queue.pending&to=0", ["from"]),
            (f"{h}?metric=queue.pending&from=-1h&days_back=2", ["days_back"]),
            (f"{h}?metric=queue.pending&days_back=366", ["days_back"]),
            (f"{h}?metric=queue.pending&platform=tiktok", ["platform"]),
            (f"{h}?metric=events.clips_created&platform=tiktok", ["platform"]),
            (f"{h}?metric=events.failed&platform=linkedin", ["platform"]),
            (f"{h}?metric=events.failed&platform=", ["platform"]),
            (f"{h}?metric={','.join(['events.failed'] * 10)}&platform=tiktok,other&step=60s&from=-2d", ["step"]),
            (f"{m}?metric=queue.pending", ["metric"]), (f"{m}?metric=x", ["metric"]),
            (f"{m}?metric=events.clips_created&platform=tiktok", ["platform"]), (f"{m}?platform=linkedin", ["platform"]),
            (f"{m}?from={NOW + 1}", ["from"]), (f"{m}?from=-401d", ["from"]), (f"{m}?tz_offset=-721", ["tz_offset"]),
            (d, ["of"]), (f"{d}?of=x", ["of"]), (f"{d}?of=clip_score&bins=0", ["bins"]),
            (f"{d}?of=clip_score&bins=101", ["bins"]), (f"{d}?of=clip_score&bins=1.5", ["bins"])):
        seen = ask(dataset_a, path, status=4)
        expect_equal((seen["status"], seen["code"], [e["param"] for e in seen["errors"]]),
                     (422, "invalid_parameter", params), path)


@test("no database is 503, and the sampler fails and says so")
def _():
    one = Instance(now=NOW)
    one.database.unlink()
    for path in ("history?metric=queue.pending", "heatmap", "distribution?of=clip_score"):
        expect_equal(ask(one, f"/dashboard/stats/{path}", status=5)["code"], "database_missing", path)
    expect("issing" in one.run("jobs", "run", "sampler", status=1).stderr, "the sampler")


@test("through nginx: token, scope, method")
def _():
    one = Instance(now=NOW).with_admin()
    no_scope = one.make_token("root", "--scopes", "metrics:read")
    one.start()
    for path in ("/dashboard/metrics", "/dashboard/stats/history?metric=queue.pending", "/dashboard/stats/heatmap",
                 "/dashboard/stats/distribution?of=clip_score"):
        expect_equal(one.request(path).status, 200, path)
        expect_problem(one.request(path, token=""), 401, "credentials_missing")
        expect_problem(one.request(path, token=no_scope), 403, "scope_missing")
        answer = one.request(path, method="POST")
        expect_problem(answer, 405, "method_not_allowed")
        expect_equal(answer.headers["Allow"], "GET, HEAD, OPTIONS", path)


run()
