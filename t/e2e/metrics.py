"""GET /metrics: what Prometheus reads, checked by its own tool."""
import json
import re
import shutil
import subprocess

from harness import SOURCE, Instance, expect, expect_equal, expect_problem, run, test, wait_until

METRICS = "/metrics"
QUEUE = "/dashboard/stats/queue"
LINE = re.compile(r'^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$')

instance = Instance().with_admin()
instance.run("demo", "--rows", "2000")
instance.run("user", "add", "vera", "--role", "viewer")
instance.start()


def read(accept=None):
    headers = {"Accept": accept} if accept else {}
    answer = instance.request(METRICS, headers=headers)
    expect_equal(answer.status, 200, answer)
    return answer


def samples(text):
    """{(name, labels): value} of the text."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = LINE.match(line).groups()
        key = (name, frozenset(re.findall(r'([a-z]+)="([^"]*)"', labels or "")))
        expect(key not in found, f"{line} comes twice")
        found[key] = float(value)
    return found


def one(found, name, **labels):
    return found[name, frozenset(labels.items())]


@test("promtool has nothing to say about it")
def _():
    expect(shutil.which("promtool"), "promtool is needed: apt-get install prometheus")
    done = subprocess.run(["promtool", "check", "metrics"], input=read().body, capture_output=True)
    expect_equal((done.returncode, done.stdout, done.stderr), (0, b"", b""), "promtool")


@test("the figures are those of the statistics, milliseconds as seconds")
def _():
    queue, platforms = instance.request(QUEUE + "?include=extended").json, \
        instance.request("/dashboard/stats/platforms?include=extended").json
    found = samples(read().body.decode())
    for name in ("pending", "processing", "success", "failed", "total_in_queue"):
        expect_equal(one(found, f"pilothouse_queue_{name}"), float(queue[name]), name)
    expect(abs(one(found, "pilothouse_queue_avg_processing_time_seconds") -
               queue["avg_processing_time_ms"] / 1000) < 1e-9, "seconds")
    for platform in platforms:
        expect_equal(one(found, "pilothouse_platforms_posts_published", platform=platform),
                     float(platforms[platform]["posts_published"]), platform)
    one(found, "pilothouse_events", event="published", window="24h")


@test("requests are counted by route and class, and their times fall into growing buckets")
def _():
    before = samples(read().body.decode())
    for n in range(7):
        expect_equal(instance.request(f"{QUEUE}?n={n}").status, 200, "asked")
    for n in range(3):
        expect_equal(instance.request(f"{QUEUE}?time={n}").status, 422, "asked wrongly")
    after = samples(read().body.decode())

    def grown(name, **labels):
        return one(after, name, **labels) - before.get((name, frozenset(labels.items())), 0)

    expect_equal(grown("pilothouse_requests_total", route="dashboard-queue", **{"class": "2xx"}), 7.0, "2xx")
    expect_equal(grown("pilothouse_requests_total", route="dashboard-queue", **{"class": "4xx"}), 3.0, "4xx")
    expect_equal(grown("pilothouse_request_duration_seconds_count", route="dashboard-queue"), 10.0, "count")
    buckets = sorted((float(dict(labels)["le"]), value) for (name, labels), value in after.items()
                     if name == "pilothouse_request_duration_seconds_bucket" and ("route", "dashboard-queue") in labels)
    expect_equal([v for _, v in buckets], sorted(v for _, v in buckets), "cumulative")
    expect_equal(buckets[-1][1], one(after, "pilothouse_request_duration_seconds_count", route="dashboard-queue"), "+Inf")


@test("the workers of a route are told, idle or busy")
def _():
    def workers():
        found = samples(read().body.decode())
        return sum(one(found, "pilothouse_workers", route="dashboard-queue", state=s) for s in ("idle", "busy"))

    wait_until(lambda: workers() == 2, "two of them", 5)


@test("OpenMetrics where it is asked for, with its end and without _total in the name of a family")
def _():
    answer = read("application/openmetrics-text; version=1.0.0")
    text = answer.body.decode()
    expect(answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"), answer)
    expect(text.endswith("# EOF\n"), text[-40:])
    expect("# TYPE pilothouse_requests counter" in text, "family")
    expect(read().headers["Content-Type"].startswith("text/plain; version=0.0.4"), "else the text format")


@test("every figure of the Grafana dashboard exists")
def _():
    names = {name for name, _ in samples(read().body.decode())}
    board = json.loads((SOURCE / "grafana/pilothouse.json").read_text())
    asked = {name for panel in board["panels"] for target in panel["targets"]
             for name in re.findall(r"pilothouse_[a-z0-9_]+", target["expr"])}
    expect(len(asked) > 15, asked)
    expect_equal(asked - names, set(), "unknown")


@test("a token without metrics:read is refused, by hand there are no workers to tell of")
def _():
    expect_problem(instance.request(METRICS, token=instance.make_token("vera")), 403, "scope_missing")
    expect_problem(instance.request(METRICS, token=""), 401, "credentials_missing")
    by_hand = instance.get(METRICS)
    expect("pilothouse_queue_pending" in by_hand and "pilothouse_workers" not in by_hand, by_hand[:200])


run()
