#!/usr/bin/env -S /usr/bin/python3 -B
"""Alerts: rules and their states, what channels get and when, what is refused, and the endpoints."""
import email
import email.policy
import hashlib
import hmac
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys

from harness import (LIBEXEC, NOW, SOURCE, Instance, Skip, expect, expect_equal, expect_problem, fresh, run,
                     scratch, test, wait_until)

sys.path.insert(0, str(SOURCE / "t/upstream"))
from smtp import Sink           # noqa: E402
from webhook import Receiver    # noqa: E402

S, MIN, HOUR = 1000, 60_000, 3_600_000
RULES, CHANNELS = "/dashboard/alerts/rules", "/dashboard/alerts/channels"
SECRET = "a secret of ours"
TRIES_AT = (0, 5 * S, 30 * S, 120 * S)      # spec c.7
PER_MINUTE = 30


class Alerts(Instance):
    """An instance whose calls each have their own instant."""

    def __init__(self, **settings):
        super().__init__(now=NOW, **{"PH_ORCHESTRATOR": 0, **settings})

    def call(self, method, path, body=None, now=NOW, status=0, **env):
        args = [method, path] + ([] if body is None else [json.dumps(body)])
        return json.loads(self.run(*args, status=status, PH_NOW_MS=str(now), **env).stdout)

    def job(self, name, now, status=0):
        env = {**self.env, "PH_HOME": str(self.home), "PH_NOW_MS": str(now)}
        done = subprocess.run([LIBEXEC / f"job-{name}", "--once"], env=env, capture_output=True, encoding="utf-8",
                              timeout=60)
        expect_equal(done.returncode, status, f"exit status of job-{name}: {done.stderr}")

    def notify(self, now):
        self.job("notifier", now)

    def query(self, sql, *values):
        db = self.connect()
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def only(self, *rules):
        """Switch every rule off but these."""
        marks = ",".join("?" * len(rules))
        db = self.connect()
        db.execute(f"UPDATE alert_rules SET enabled = id IN ({marks})", rules)
        db.close()

    def pending(self, n, total=60):
        """Exactly n of these logs are pending."""
        self.sql(f"""INSERT OR IGNORE INTO video_assets (id, created_at, updated_at) VALUES ('v', 1, 1);
            INSERT OR IGNORE INTO clips (id, video_asset_id, start_ms, end_ms, duration_ms, created_at, updated_at)
              VALUES ('c', 'v', 0, 1, 1, 1, 1);
            WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i < {total - 1})
              INSERT INTO publish_logs (id, clip_id, platform, status, requested_at, created_at, updated_at)
              SELECT 'p' || i, 'c', 'tiktok', 'success', 1, 1, 1 FROM k WHERE true ON CONFLICT(id) DO NOTHING;
            UPDATE publish_logs SET status = 'pending' WHERE id LIKE 'p%' AND CAST(substr(id, 2) AS INT) < {n}
              AND status <> 'pending';
            UPDATE publish_logs SET status = 'success' WHERE id LIKE 'p%' AND CAST(substr(id, 2) AS INT) >= {n}
              AND status = 'pending'""")

    def rule(self, **members):
        return self.call("post", RULES, {"name": "r", "metric": "queue.pending", "op": ">", "threshold": 5, **members})

    def channel(self, target, kind="webhook", **members):
        """A channel that the endpoint might refuse is written by SQL."""
        body = {"name": "c", "kind": kind, "target": target, "is_default": True, **members}
        return self.call("post", CHANNELS, body)["id"]

    def deliveries(self, columns="kind, status, tries", order="created_at, rowid"):
        return self.query(f"SELECT {columns} FROM alert_deliveries ORDER BY {order}")

    def attempts(self):
        return [json.loads(a) for a, in self.query("SELECT attempts FROM alert_deliveries ORDER BY rowid")]

    def events(self, columns="alert_type, severity, state"):
        return self.query(f"SELECT {columns} FROM alert_events ORDER BY created_at, rowid")


def loopback(**settings):
    """An instance that may send to this machine, without TLS."""
    return Alerts(PH_ALLOW_LOOPBACK_HTTP=1, PH_WEBHOOK_ALLOW="127.0.0.0/8", **settings)


def certificate():
    """A key and a certificate for localhost and 127.0.0.1, which is its own authority."""
    directory = scratch()
    cert, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return str(cert), str(key)


# -- the built-in rules ---------------------------------------------------------------------

# Rows that every case stands on.
BASE = """INSERT INTO video_assets (id, created_at, updated_at) VALUES ('v', 1, 1);
    INSERT INTO clips (id, video_asset_id, start_ms, end_ms, duration_ms, status, created_at, updated_at)
      VALUES ('ready', 'v', 0, 1, 1, 'ready', 1, 1), ('out', 'v', 0, 1, 1, 'published', 1, 1),
        ('raw', 'v', 0, 1, 1, 'pending', 1, 1);"""


def logs(n, status="pending", **columns):
    """SQL that adds n publish logs."""
    names = "".join(f", {name}" for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    return (f"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k) INSERT INTO publish_logs (id, clip_id,"
            f" platform, status, requested_at, created_at, updated_at{names}) SELECT hex(randomblob(8)), 'ready',"
            f" 'tiktok', '{status}', 1, 1, 1{values} FROM k LIMIT {n};") if n else ""


def jobs(n, status="pending", updated_at=NOW):
    return "".join(f"INSERT INTO jobs (id, job_type, status, created_at, updated_at) VALUES"
                   f" ('j{status}{i}', 'cut', '{status}', 1, {updated_at + i});" for i in range(n))


def failed(n, at=NOW):
    return logs(n, "failed", failed_at=at)


def account(left_ms, active=1):
    return (f"INSERT INTO social_accounts (id, platform, handle, is_active, oauth_expires_at, created_at, updated_at)"
            f" VALUES ('a{left_ms}', 'tiktok', 'h', {active}, {NOW + left_ms}, 1, 1);")


def action(ago_ms):
    return (f"INSERT INTO ledger_events (id, timestamp, event_type) VALUES ('l', {NOW - ago_ms},"
            f" 'orchestrator.action_executed');")


def campaign(clip, status="active"):
    return (f"INSERT INTO campaigns (id, name, clip_id, budget_cents, status, created_at, updated_at)"
            f" VALUES ('{clip}{status}', 'n', '{clip}', 1, '{status}', 1, 1);")


def trouble(waiting_jobs, waiting_logs, failures):
    return jobs(waiting_jobs) + logs(waiting_logs) + failed(failures, NOW - 11 * MIN)


W, C = "warning", "critical"
CASES = {       # spec c.7: each figure at, below and above
    "queue_saturation": [(logs(0), None), (logs(20), None), (logs(21), W), (logs(50), W), (logs(51), C)],
    "scheduler_backlog": [
        (logs(1, "scheduled", scheduled_for=NOW + 1), None), (logs(1, "scheduled", scheduled_for=NOW), None),
        (logs(1, "scheduled", scheduled_for=NOW - 1), W), (logs(1, "pending", scheduled_for=NOW - 1), W),
        (logs(1, "scheduled", scheduled_for=NOW - 600_000), W), (logs(1, "pending", scheduled_for=NOW - 600_001), C),
        (logs(1, "processing", scheduled_for=NOW - HOUR), None)],
    "orchestrator_inactive": [
        (action(0), None), (action(120_000), None), (action(120_001), W), (action(300_000), W), (action(300_001), C),
        ("", C)],
    "publish_failures_spike": [
        (failed(5), None), (failed(6), W), (failed(10), W), (failed(11), C), (failed(11, NOW - 600_001), None),
        (failed(5, NOW - 600_001) + failed(6, NOW - 600_000), W)],
    "oauth_expiring_soon": [
        ("", None), (account(1_200_001), None), (account(1_200_000), W), (account(300_001), W), (account(300_000), C),
        (account(-HOUR), C), (account(-HOUR, active=0), None), (account(-1) + account(1_200_000), C)],
    "worker_crash_detected": [
        (jobs(1, "processing", NOW - 300_000), None), (jobs(1, "processing", NOW - 300_001), C),
        (jobs(1, "retry", NOW - HOUR), None), (jobs(7, "processing", NOW - HOUR), C)],
    "campaign_blocked": [
        (campaign("ready") + campaign("out"), None), (campaign("raw", "draft"), None), (campaign("raw"), W)],
    "system_health_degraded": [
        (trouble(10 + a, 30 + b, 20 + c), (None, None, W, C)[a + b + c])
        for a in (0, 1) for b in (0, 1) for c in (0, 1)] + [(jobs(11) + logs(31) + failed(21, NOW - 24 * HOUR - 1), W)],
}


def evaluate_case(rows, orchestrator=1):
    one = Alerts(PH_ORCHESTRATOR=orchestrator)
    one.sql(BASE + rows)
    answer = one.call("post", "/dashboard/alerts/evaluate")
    return one, {a["alert_type"]: a for a in answer["alerts"]}, answer


for kind, cases in CASES.items():
    @test(f"{kind} fires beyond its figures and not at them")
    def _(kind=kind, cases=cases):
        for rows, severity in cases:
            _one, fired, answer = evaluate_case(rows)
            got = fired[kind]["severity"] if kind in fired else None
            expect_equal(got, severity, f"{kind} with {rows[:300]}")
            expect_equal(sum(a["alert_type"] == kind for a in answer["alerts"]), int(severity is not None),
                         "only the higher severity fires")
            if severity:
                alert = fired[kind]
                expect_equal((alert["rule_id"], alert["state"], alert["read"], alert["created_at"]),
                             (f"builtin.{kind}.{severity}", "firing", False, "2025-11-22T10:30:00Z"), "the alert")


@test("the messages and metadata of built-in alerts name what is meant")
def _():
    rows = (jobs(7, "processing", NOW - HOUR) + account(-1) + account(MIN) + account(19 * MIN) + campaign("raw")
            + logs(1, "scheduled", scheduled_for=NOW - 11 * MIN) + trouble(11, 31, 0))
    _one, fired, _ = evaluate_case(rows)
    crash = fired["worker_crash_detected"]
    expect_equal(crash["metadata"]["count"], 7, "count of stuck jobs")
    expect_equal(crash["metadata"]["job_ids"], [f"jprocessing{i}" for i in range(5)], "the first five")
    expect("7 jobs have" in crash["message"], crash["message"])
    oauth = fired["oauth_expiring_soon"]
    expect_equal([oauth["metadata"][k] for k in ("expired", "expiring", "account_ids")],
                 [1, 2, ["a-1", f"a{MIN}", f"a{19 * MIN}"]], "a critical account hides no other")
    expect("expired" in oauth["message"], oauth["message"])
    expect_equal(fired["campaign_blocked"]["metadata"]["campaign_ids"], ["rawactive"], "the campaign")
    backlog = fired["scheduler_backlog"]
    expect_equal(len(backlog["metadata"]["publication_ids"]), 1, "the overdue post")
    expect("1 scheduled post is overdue, the oldest by 11 min" in backlog["message"], backlog["message"])
    health = fired["system_health_degraded"]["metadata"]
    expect_equal([health[k] for k in ("value", "orchestrator.pending_jobs", "queue.pending", "events.failed.24h")],
                 [2, 11, 31, 0], "two of three signs")
    expect_equal(fired["orchestrator_inactive"]["message"], "The orchestrator has never acted.", "never")


@test("the access that expires is named as far ahead as the rule looks")
def _():
    one = Alerts()
    one.sql(account(3 * HOUR) + account(30 * HOUR) + account(HOUR))
    one.call("put", f"{RULES}/builtin.oauth_expiring_soon.warning", {"threshold": 24 * HOUR})
    alert, = one.call("post", "/dashboard/alerts/evaluate")["alerts"]
    expect_equal([alert["metadata"][k] for k in ("expired", "expiring", "account_ids")],
                 [0, 2, [f"a{HOUR}", f"a{3 * HOUR}"]], "those within a day")


@test("an orchestrator that is meant to be off raises no alarm")
def _():
    for rows in ("", action(HOUR)):
        _one, fired, _ = evaluate_case(rows, orchestrator=0)
        expect_equal(fired, {}, "nothing fires")


# -- the states, against a simulation ----------------------------------------------------------

COMPARE = {">": lambda v, t: v > t, ">=": lambda v, t: v >= t, "<": lambda v, t: v < t, "<=": lambda v, t: v <= t,
           "==": lambda v, t: v == t}
RANK = {"info": 0, "warning": 1, "critical": 2}


class Simulated:
    """One rule, written from the specification alone."""

    def __init__(self, made):
        self.made = made
        self.state, self.since, self.clears = "ok", None, 0
        self.events = []            # [created, resolved or None]
        self.sent = []              # (kind, due) of one channel

    def holds(self, value, limit):
        if self.made["op"] == "absent":
            return value is None
        return value is not None and COMPARE[self.made["op"]](value, limit)

    def step(self, value, now, outranked):
        true = self.holds(value, self.made["threshold"])
        limit = self.made["clear_threshold"]
        limit = self.made["threshold"] if limit is None else limit
        if self.state == "firing":
            self.clears = 0 if self.holds(value, limit) else self.clears + 1
            if outranked or self.clears == 2:
                self.end(now)
                self.state, self.since = ("pending", now) if true else ("ok", None)
            return
        if not true:
            self.state, self.since = "ok", None
            return
        if self.state == "ok":
            self.state, self.since = "pending", now
        if now - self.since >= self.made["for_ms"] and not outranked:
            self.state, self.since, self.clears = "firing", now, 0
            self.begin(now)

    def begin(self, now):
        due = now
        if self.events and now - self.events[-1][1] < self.made["cooldown_ms"]:
            due = self.events[-1][1] + self.made["cooldown_ms"]
            self.events[-1][1] = None
        else:
            self.events.append([now, None])
        self.sent.append(["firing", due])

    def end(self, now):
        self.events[-1][1] = now
        if self.sent[-1][0] == "firing" and self.sent[-1][1] > now:
            self.sent[-1][0] = "cancelled"      # nobody has heard of it
        else:
            self.sent.append(["resolved", now])


def value_of(metric, pending):
    """The expressions that the rules below use; None: null."""
    if metric == "queue.pending":
        return float(pending)
    if metric == "queue.pending / (queue.pending - 6)":
        return None if pending == 6 else pending / (pending - 6)
    return float(20 - pending)      # 20 - queue.pending


@test("states, alerts and notifications of random rules over random values are those of a simulation")
def _():
    rng = random.Random(20251122)
    one = loopback()
    one.only()
    receiver = Receiver()
    channel = one.channel(receiver.url + "/ok")
    simulated = []
    for i in range(12):
        op = rng.choice(list(COMPARE) + ["absent"] if i % 4 == 0 else [">", ">=", "<", "<="])
        threshold = rng.randint(3, 12)
        clear = None
        if op in (">", ">=", "<", "<=") and rng.random() < 0.6:
            clear = threshold + (-1 if op[0] == ">" else 1) * rng.randint(0, 3)
        made = {"name": f"r{i}", "alert_type": f"t{i % 6}", "op": op, "threshold": threshold, "clear_threshold": clear,
                "metric": rng.choice(["queue.pending", "20 - queue.pending", "queue.pending / (queue.pending - 6)"]),
                "for_ms": rng.choice([0, 0, MIN, 3 * MIN]), "cooldown_ms": rng.choice([0, 2 * MIN, HOUR]),
                "severity": rng.choice(list(RANK))}
        made["id"] = one.rule(**made)["id"]
        simulated.append(Simulated(made))
    now, pending = NOW, 5
    for turn in range(90):
        now += rng.choice([MIN, MIN, 20 * S, 5 * MIN])
        if rng.random() < 0.4:
            pending = rng.randint(0, 18)
        one.pending(pending, total=18)
        if turn % 3:
            one.job("alerts", now)
        else:
            one.call("post", "/dashboard/alerts/evaluate", now=now)
        for rule in sorted(simulated, key=lambda r: -RANK[r.made["severity"]]):
            outranked = any(o.state == "firing" and o.made["alert_type"] == rule.made["alert_type"]
                            and RANK[o.made["severity"]] > RANK[rule.made["severity"]] for o in simulated)
            rule.step(value_of(rule.made["metric"], pending), now, outranked)
        got = dict(one.query("SELECT id, state FROM alert_rules WHERE enabled = 1"))
        expect_equal(got, {r.made["id"]: r.state for r in simulated}, f"states at turn {turn}, pending {pending}")
    fired = 0
    for rule in simulated:
        rows = one.query("SELECT created_at, resolved_at FROM alert_events WHERE rule_id = ? ORDER BY created_at",
                         rule.made["id"])
        expect_equal([list(r) for r in rows], rule.events, f"alerts of {rule.made}")
        rows = one.query("SELECT CASE d.status WHEN 'cancelled' THEN 'cancelled' ELSE d.kind END, coalesce("
                         "d.next_try_at, d.finished_at) FROM alert_deliveries d JOIN alert_events e ON e.id ="
                         " d.event_id WHERE e.rule_id = ? ORDER BY d.rowid", rule.made["id"])
        expect_equal([k for k, _ in rows], [k for k, _ in rule.sent], f"notifications of {rule.made}")
        expect_equal([at for k, at in rows if k != "cancelled"], [at for k, at in rule.sent if k != "cancelled"],
                     f"and when, of {rule.made}")
        fired += len(rule.events)
    kinds = [kind for rule in simulated for kind, _ in rule.sent]
    expect(fired > 20 and min(map(kinds.count, ("firing", "resolved", "cancelled"))) > 3, f"too little: {kinds}")
    expect_equal({c for c, in one.query("SELECT DISTINCT channel_id FROM alert_deliveries")}, {channel}, "the channel")
    receiver.close()


# -- what people do about an alert ------------------------------------------------------------------


def firing(receiver=None, cooldown_ms=0):
    """An instance with one firing alert: (instance, rule id, alert id)."""
    one = loopback()
    one.only()
    if receiver:
        one.channel(receiver.url + "/ok", secret=SECRET)
    rule = one.rule(cooldown_ms=cooldown_ms)["id"]
    one.pending(9)
    one.job("alerts", NOW)
    return one, rule, one.events("id")[0][0]


@test("read, acknowledge and snooze: the alert, and whom the first acknowledgement names")
def _():
    one, _rule, alert = firing()
    path = f"/dashboard/alerts/{alert}"
    expect_equal(one.call("post", f"{path}/read", now=NOW + 1)["read"], True, "read")
    first = one.call("post", f"{path}/ack", now=NOW + 2)
    second = one.call("post", f"{path}/ack", now=NOW + 3)
    expect_equal((first["acked_by"], first["acked_at"]), ("local", "2025-11-22T10:30:00.002Z"), "acknowledged")
    expect_equal(second["acked_at"], first["acked_at"], "the first stays")
    snoozed = one.call("post", f"{path}/snooze", {"minutes": 5}, now=NOW)
    expect_equal(snoozed["snoozed_until"], "2025-11-22T10:35:00Z", "snoozed")
    for body, code in (({"minutes": 0}, "invalid_parameter"), ({"minutes": 10081}, "invalid_parameter"),
                       ({"until": 1}, "invalid_parameter")):
        expect_equal(one.call("post", f"{path}/snooze", body, status=4)["code"], code, f"{body}")
    expect_equal(one.call("post", f"{path}/dance", status=4)["code"], "not_found", "no such verb")
    for verb in ("read", "ack", "snooze"):
        expect_equal(one.call("post", f"/dashboard/alerts/nobody/{verb}", status=4)["code"], "not_found", verb)
    one.pending(0)
    for i in (1, 2):
        one.job("alerts", NOW + i * MIN)
    expect_equal(one.events("state"), [("resolved",)], "over")
    expect_equal(one.call("post", f"{path}/snooze", status=4)["code"], "invalid_transition", "nothing to snooze")
    expect_equal([a for a, in one.query("SELECT action FROM audit_log WHERE action LIKE 'alert.%'")],
                 ["alert.mark"] * 4, "on record")


@test("a snoozed rule tells nobody until then, and then says that it still fires, unless it was acknowledged")
def _():
    for acked in (False, True):
        receiver = Receiver()
        one, _rule, alert = firing(receiver)
        one.call("post", f"/dashboard/alerts/{alert}/snooze", {"minutes": 3})
        if acked:
            one.call("post", f"/dashboard/alerts/{alert}/ack")
        for minute in (1, 2):
            one.job("alerts", NOW + minute * MIN)
        expect_equal(one.deliveries("kind"), [("firing",)], "only the first")
        one.job("alerts", NOW + 3 * MIN)
        expect_equal(one.deliveries("kind"), [("firing",)] * (1 if acked else 2), f"acknowledged: {acked}")
        receiver.close()


@test("a rule that fires after its snooze is over tells the channels once")
def _():
    receiver = Receiver()
    one, _rule, alert = firing(receiver)
    one.call("post", f"/dashboard/alerts/{alert}/snooze", {"minutes": 3})
    for minute, pending in ((1, 0), (2, 0), (10, 9), (11, 9), (12, 9)):
        one.pending(pending)
        one.job("alerts", NOW + minute * MIN)
    expect_equal(one.deliveries("kind, created_at"), [
        ("firing", NOW), ("resolved", NOW + 2 * MIN), ("firing", NOW + 10 * MIN)], "once each")
    receiver.close()


@test("a snooze holds back what waits for the end of a cooldown")
def _():
    for still_fires in (True, False):
        receiver = Receiver()
        one, rule, alert = firing(receiver)
        one.call("put", f"{RULES}/{rule}", {"cooldown_ms": 10 * MIN})
        one.notify(NOW)
        for minute, pending in ((1, 0), (2, 0), (3, 9)):
            one.pending(pending)
            one.job("alerts", NOW + minute * MIN)
        one.notify(NOW + 3 * MIN)
        expect_equal(one.deliveries("kind, status"), [("firing", "sent"), ("resolved", "sent"), ("firing", "waiting")],
                     "it fires again, and waits")
        one.call("post", f"/dashboard/alerts/{alert}/snooze", {"minutes": 27}, now=NOW + 3 * MIN)
        for minute in (12, 20, 29):
            one.pending(9 if still_fires else 0)
            one.job("alerts", NOW + minute * MIN)
            one.notify(NOW + minute * MIN)
        told = [json.loads(b)["event"] for _p, _h, b in receiver.requests]
        expect_equal(told, ["alert.firing", "alert.resolved"], "nobody hears of it, nor of its end")
        one.job("alerts", NOW + 30 * MIN)
        one.notify(NOW + 30 * MIN)
        expect_equal(len(receiver.requests), 3 if still_fires else 2, f"after the snooze: {still_fires}")
        receiver.close()


@test("an event that begins under a snooze is kept and not sent, nor its end")
def _():
    receiver = Receiver()
    one, _rule, alert = firing(receiver)
    one.call("post", f"/dashboard/alerts/{alert}/snooze", {"minutes": 60})
    for i, pending in enumerate((0, 0, 9, 0, 0), 1):
        one.pending(pending)
        one.job("alerts", NOW + i * MIN)
    expect_equal(one.events("state"), [("resolved",), ("resolved",)], "two events")
    expect_equal(one.deliveries("kind"), [("firing",), ("resolved",)], "who heard of the first heard of its end")
    receiver.close()


@test("switching a rule off, or deleting it, resolves its alert and tells who heard of it")
def _():
    for method, body in (("put", {"enabled": False}), ("delete", None)):
        receiver = Receiver()
        one, rule, _alert = firing(receiver)
        one.call(method, f"{RULES}/{rule}", body, now=NOW + 7)
        expect_equal(one.events("state, resolved_at"), [("resolved", NOW + 7)], "resolved")
        expect_equal(one.deliveries("kind"), [("firing",), ("resolved",)], "told")
        one.job("alerts", NOW + MIN)
        expect_equal(len(one.events()), 1, "it is not evaluated")
        receiver.close()


@test("a rule's new severity and kind are those of its alert, open or opened again")
def _():
    for minutes in ((), ((1, 0), (2, 0))):
        receiver = Receiver()
        one, rule, alert = firing(receiver, cooldown_ms=HOUR)
        for minute, pending in minutes:
            one.pending(pending)
            one.job("alerts", NOW + minute * MIN)
        one.call("put", f"{RULES}/{rule}", {"severity": "critical", "alert_type": "other"})
        one.pending(9)
        one.job("alerts", NOW + 3 * MIN)
        expect_equal(one.events("id, severity, alert_type, state"), [(alert, "critical", "other", "firing")],
                     f"after {minutes}")
        expect_equal(one.call("get", "/dashboard/alerts/stats")["firing"], {"warning": 0, "critical": 1}, "counted so")
        receiver.close()


@test("one open alert per rule, whoever writes; evaluation is one transaction")
def _():
    one, rule, _alert = firing()
    try:
        one.sql(f"INSERT INTO alert_events (id, rule_id, alert_type, severity, message, state, created_at, updated_at)"
                f" VALUES ('x', '{rule}', 't', 'info', 'm', 'firing', 1, 1)")
        raise AssertionError("a second open event was taken")
    except Exception as refusal:
        expect("UNIQUE" in str(refusal), refusal)
    # A delivery that cannot be written takes the event with it.
    one.channel("ops@example.com", kind="email")
    one.sql("CREATE TRIGGER no_delivery BEFORE INSERT ON alert_deliveries BEGIN SELECT RAISE(ABORT, 'no'); END")
    second = one.rule(threshold=8)["id"]
    one.job("alerts", NOW + MIN, status=1)
    expect_equal(one.query("SELECT state, event_id FROM alert_rules WHERE id = ?", second), [("ok", None)], "rule")
    expect_equal(len(one.events()), 1, "no event without its deliveries")


@test("a rule whose expression is not known any more is left as it is, and the others are evaluated")
def _():
    one = Alerts()
    one.only()
    bad, good = one.rule()["id"], one.rule()["id"]
    one.sql(f"UPDATE alert_rules SET metric = 'gone.metric' WHERE id = '{bad}'")
    one.pending(9)
    answer = one.call("post", "/dashboard/alerts/evaluate")
    expect_equal((answer["evaluated"], answer["unreadable"], answer["fired"]), (1, 1, 1), "counts")
    expect_equal(answer["alerts"][0]["rule_id"], good, "the other one")


@test("one evaluation may read every metric of the catalogue while every built-in kind fires, and later is resolved")
def _():
    one = loopback(PH_ORCHESTRATOR=1)
    one.sql(BASE + jobs(7, "processing", NOW - HOUR) + account(-1) + campaign("raw") + failed(21)
            + logs(1, "scheduled", scheduled_for=NOW - 11 * MIN) + jobs(11) + logs(60))
    one.channel("ops@example.com", kind="email")
    names = [m["name"] for m in one.call("get", "/dashboard/metrics")["metrics"]]
    for name in names:
        one.sql(f"INSERT INTO alert_rules (id, name, alert_type, metric, op, threshold, severity, created_by)"
                f" VALUES ('{name}', 'n', '{name}', '{name}', '>=', -1e9, 'info', 'x')")
    answer = one.call("post", "/dashboard/alerts/evaluate")
    kinds = {a["alert_type"] for a in answer["alerts"] if a["rule_id"].startswith("builtin.")}
    expect_equal(kinds, set(CASES), "every kind fires")
    known = [n for n in names if one.query("SELECT value IS NOT NULL FROM alert_rules WHERE id = ?", n) == [(1,)]]
    expect(len(known) > 100, f"{len(known)} metrics have a value")
    expect_equal({a["rule_id"] for a in answer["alerts"]} - {f"builtin.{k}.{s}" for k in CASES for s in (W, C)},
                 set(known), "and every metric with a value fires")
    one.sql("UPDATE alert_rules SET threshold = 1e11 WHERE op = '>='; UPDATE jobs SET status = 'completed';"
            "UPDATE publish_logs SET status = 'success'; UPDATE campaigns SET status = 'draft';"
            "DELETE FROM social_accounts;" + action(-2 * MIN))
    for i in (1, 2):
        one.job("alerts", NOW + i * MIN)
    expect_equal(one.query("SELECT count(*) FROM alert_events WHERE state = 'firing'"), [(0,)], "all is over")


# -- webhooks ---------------------------------------------------------------------------------------


@test("a webhook is signed, and says what fired and what is over")
def _():
    receiver = Receiver()
    one, rule, alert = firing(receiver)
    one.notify(NOW)
    one.pending(0)
    for i in (1, 2):
        one.job("alerts", NOW + i * MIN)
    one.notify(NOW + 2 * MIN)
    expect_equal(len(receiver.requests), 2, "two notifications")
    ids = one.deliveries("id")
    for i, (at, event, state) in enumerate(((NOW, "alert.firing", "firing"), (NOW + 2 * MIN, "alert.resolved",
                                                                           "resolved"))):
        path, headers, body = receiver.requests[i]
        stamp = headers["X-Pilothouse-Timestamp"]
        expect_equal((path, headers["Content-Type"], stamp), ("/ok", "application/json", str(at // 1000)), "request")
        expect_equal(headers["X-Pilothouse-Signature"], "sha256=" + hmac.new(
            SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest(), "signature")
        expect_equal(headers["X-Pilothouse-Delivery"], ids[i][0], "its id")
        told = json.loads(body)
        expect_equal((told["event"], told["rule_name"], told["alert"]["id"], told["alert"]["rule_id"],
                      told["alert"]["state"]), (event, "r", alert, rule, state), "body")
    expect_equal(one.deliveries(), [("firing", "sent", 1), ("resolved", "sent", 1)], "on record")
    expect_equal([(a["at"], a["status"], a["error"]) for row in one.attempts() for a in row],
                 [(NOW, 200, None), (NOW + 2 * MIN, 200, None)], "attempts")
    one.notify(NOW + HOUR)
    expect_equal(len(receiver.requests), 2, "nothing is sent twice")
    receiver.close()


@test("without a secret nothing is signed")
def _():
    receiver = Receiver()
    one = loopback()
    channel = one.channel(receiver.url + "/ok")
    one.call("post", f"{CHANNELS}/{channel}/test")
    one.notify(NOW)
    _path, headers, body = receiver.requests[0]
    expect_equal(headers["X-Pilothouse-Signature"], None, "no signature")
    expect_equal(json.loads(body)["event"], "alert.test", "a test")
    receiver.close()


@test("a failing webhook is tried at 0, 5, 30 and 120 s, each try is on record, and then it has failed")
def _():
    receiver = Receiver()
    one = loopback()
    channel = one.channel(receiver.url + "/status/500")
    queued = one.call("post", f"{CHANNELS}/{channel}/test")
    expect_equal((queued["status"], queued["tries"], queued["attempts"]), ("waiting", 0, []), "queued")
    for n, at in enumerate(TRIES_AT, 1):
        one.notify(NOW + at - 1)
        expect_equal(len(receiver.requests), n - 1, f"not before {at} ms")
        one.notify(NOW + at)
        expect_equal(len(receiver.requests), n, f"try {n} at {at} ms")
    one.notify(NOW + HOUR)
    expect_equal(len(receiver.requests), 4, "no fifth try")
    listed = one.call("get", f"{CHANNELS}/{channel}/deliveries")["items"]
    expect_equal([(d["id"], d["status"], d["tries"], d["next_try_at"]) for d in listed],
                 [(queued["id"], "failed", 4, None)], "failed")
    expect_equal([a["at"] for a in listed[0]["attempts"]],
                 ["2025-11-22T10:30:00Z", "2025-11-22T10:30:05Z", "2025-11-22T10:30:30Z", "2025-11-22T10:32:00Z"],
                 "when")
    expect_equal({(a["status"], a["error"]) for a in listed[0]["attempts"]},
                 {(500, "the receiver refused it: as it was asked to ")}, "why")
    expect_equal({h["X-Pilothouse-Delivery"] for _p, h, _b in receiver.requests}, {queued["id"]}, "the same id")
    receiver.close()


@test("receivers that hang, redirect, cut, answer 500 or without end: one run, and each on record")
def _():
    receiver = Receiver()
    one = loopback()
    dead = socket.socket()
    dead.bind(("127.0.0.1", 0))         # nobody listens
    wanted = {"/hang": ("waiting", None, "imed out"), "/redirect": ("waiting", 302, "redirects are not followed"),
              "/silent": ("waiting", None, "mpty reply"), "/status/404": ("waiting", 404, "refused"),
              "/status/503": ("waiting", 503, "refused"), "/status/204": ("sent", 204, None),
              "/cut": ("sent", 200, None), "/huge": ("sent", 200, None), "/slow": ("sent", 200, None),
              "/ok": ("sent", 200, None)}
    ids = {path: one.channel(receiver.url + path) for path in wanted}
    ids["dead"] = one.channel(f"http://127.0.0.1:{dead.getsockname()[1]}/")
    wanted["dead"] = ("waiting", None, "onnect")
    for channel in ids.values():
        one.call("post", f"{CHANNELS}/{channel}/test")
    one.notify(NOW)
    for path, channel in ids.items():
        (status, attempts), = one.query("SELECT status, attempts FROM alert_deliveries WHERE channel_id = ?", channel)
        attempt, = json.loads(attempts)
        state, code, words = wanted[path]
        expect_equal((status, attempt["status"]), (state, code), f"{path}: {attempt}")
        expect(attempt["error"] is None if words is None else words in attempt["error"], f"{path}: {attempt}")
    expect_equal(len(receiver.requests), len(wanted) - 1, "each was asked once, and no redirect was followed")
    dead.close()
    receiver.close()


@test("a notifier that is killed in a try loses nothing, and sends only what was in flight again")
def _():
    receiver = Receiver()
    one = loopback()
    slow, fast = one.channel(receiver.url + "/hang"), one.channel(receiver.url + "/ok")
    for channel in (fast, slow):
        one.call("post", f"{CHANNELS}/{channel}/test")
    one.sql(f"UPDATE alert_deliveries SET next_try_at = {NOW + 1} WHERE channel_id = '{slow}'")
    one.notify(NOW)
    expect_equal([p for p, _h, _b in receiver.requests], ["/ok"], "the first one")
    receiver.arrived.clear()
    env = {**one.env, "PH_HOME": str(one.home), "PH_NOW_MS": str(NOW + 1)}
    process = subprocess.Popen([LIBEXEC / "job-notifier", "--once"], env=env, stderr=subprocess.DEVNULL)
    expect(receiver.arrived.wait(20), "the request arrived")
    process.send_signal(signal.SIGKILL)
    process.wait()
    (status, tries, due, attempts), = one.query(
        "SELECT status, tries, next_try_at, attempts FROM alert_deliveries WHERE channel_id = ?", slow)
    expect_equal((status, tries, due), ("waiting", 1, NOW + 1 + 5 * S), "it is still in the queue")
    expect("interrupted" in json.loads(attempts)[0]["error"], attempts)
    one.sql(f"UPDATE alert_channels SET target = '{receiver.url}/ok' WHERE id = '{slow}'")
    one.notify(NOW + 2 * MIN + 2)       # the lease of the killed run is over
    expect_equal([p for p, _h, _b in receiver.requests], ["/ok", "/hang", "/ok"], "only that one was sent again")
    expect_equal(receiver.requests[1][1]["X-Pilothouse-Delivery"], receiver.requests[2][1]["X-Pilothouse-Delivery"],
                 "under the same id")
    expect_equal(one.deliveries("status, tries", "tries"), [("sent", 1), ("sent", 2)], "both sent")
    # In the last try: nothing is known of it, and there is no further one.
    one.sql(f"UPDATE alert_deliveries SET status = 'waiting', tries = 4, next_try_at = {NOW}, finished_at = NULL"
            f" WHERE channel_id = '{slow}'")
    one.notify(NOW + HOUR)
    expect_equal(one.deliveries("status, tries", "tries"), [("sent", 1), ("failed", 4)], "given up")
    expect_equal(len(receiver.requests), 3, "and not sent")
    receiver.close()


@test("what is over is not said to fire: tries that are left are cancelled when the end is told")
def _():
    receiver = Receiver()
    one, _rule, _alert = firing(receiver)
    one.sql(f"UPDATE alert_channels SET target = '{receiver.url}/status/500'")
    one.notify(NOW)
    one.pending(0)
    for s in (1, 2):
        one.job("alerts", NOW + s * S)
    one.sql(f"UPDATE alert_channels SET target = '{receiver.url}/ok'")
    for at in (2 * S, 5 * S, HOUR):
        one.notify(NOW + at)
    expect_equal([(p, json.loads(b)["event"]) for p, _h, b in receiver.requests],
                 [("/status/500", "alert.firing"), ("/ok", "alert.resolved")], "in this order, and no more")
    expect_equal(one.deliveries(), [("firing", "cancelled", 1), ("resolved", "sent", 1)], "on record")
    receiver.close()


@test("what came of a try is on record, too, when it was cancelled meanwhile")
def _():
    for path, status, code in (("/hang", "cancelled", None), ("/slow", "sent", 200)):
        receiver = Receiver()
        one, _rule, _alert = firing(receiver)
        one.sql(f"UPDATE alert_channels SET target = '{receiver.url}{path}'")
        env = {**one.env, "PH_HOME": str(one.home), "PH_NOW_MS": str(NOW)}
        process = subprocess.Popen([LIBEXEC / "job-notifier", "--once"], env=env, stderr=subprocess.DEVNULL)
        expect(receiver.arrived.wait(20), "the request arrived")
        channel, = one.query("SELECT id FROM alert_channels")[0]
        one.call("put", f"{CHANNELS}/{channel}", {"enabled": False})
        expect_equal(one.deliveries(), [("firing", "cancelled", 1)], "meanwhile")
        expect_equal(process.wait(60), 0, "the notifier")
        expect_equal(one.deliveries(), [("firing", status, 1)], path)
        attempt, = one.attempts()[0]
        expect_equal(attempt["status"], code, f"{path}: {attempt}")
        expect("interrupted" not in (attempt["error"] or ""), f"{path}: {attempt}")
        receiver.close()


@test("no more than 30 notifications a minute and channel: the rest is one digest")
def _():
    receiver, other = Receiver(), Receiver()
    one = loopback()
    channel, second = one.channel(receiver.url + "/ok"), one.channel(other.url + "/ok")

    def queue(n, at, to=channel):
        one.sql(f"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < {n}) INSERT INTO"
                " alert_deliveries (id, channel_id, kind, payload, next_try_at, created_at) SELECT printf("
                f"'{to}-{at}-%04d', i), '{to}', 'firing', json_object('event', 'alert.firing', 'rule_name', 'r' || i),"
                f" {at}, {at} FROM k")

    queue(100, NOW)
    queue(2, NOW, second)
    one.notify(NOW)
    expect_equal((len(receiver.requests), len(other.requests)), (PER_MINUTE, 2), "a full minute; the other channel")
    bodies = [json.loads(b) for _p, _h, b in receiver.requests]
    expect_equal([b["rule_name"] for b in bodies[:-1]], [f"r{i}" for i in range(1, 30)], "29 as they are")
    digest = bodies[-1]
    expect_equal((digest["event"], digest["count"]), ("alert.digest", 71), "one digest of the rest")
    expect_equal([n["rule_name"] for n in digest["notifications"]], [f"r{i}" for i in range(30, 80)], "50 are named")
    expect_equal(one.query("SELECT count(*), count(DISTINCT merged_into) FROM alert_deliveries WHERE status ="
                           " 'merged'"), [(71, 1)], "merged")
    queue(3, NOW + S)
    for at in (NOW + S, NOW + MIN - 1):
        one.notify(at)
        expect_equal(len(receiver.requests), PER_MINUTE, "the minute is full")
    one.notify(NOW + MIN)
    expect_equal(len(receiver.requests), PER_MINUTE + 3, "and then over")
    expect_equal(one.query("SELECT count(*) FROM alert_deliveries WHERE status = 'waiting'"), [(0,)], "none is left")
    receiver.close()
    other.close()


@test("a digest is never merged into another, even when an older notification is tried again first")
def _():
    receiver = Receiver()
    one = loopback()
    channel = one.channel(receiver.url + "/status/500")

    def queue(name, at, tries=0):
        one.sql("INSERT INTO alert_deliveries (id, channel_id, kind, payload, tries, next_try_at, created_at,"
                f" started_at) VALUES ('{name}', '{channel}', 'firing', json_object('event', 'alert.firing',"
                f" 'rule_name', '{name}'), {tries}, {at}, {at}, {NOW - HOUR if tries else 'NULL'})")

    one.sql("WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 29) INSERT INTO alert_deliveries"
            " (id, channel_id, kind, status, payload, started_at, finished_at, created_at) SELECT 'sent' || i,"
            f" '{channel}', 'firing', 'sent', '{{}}', {NOW}, {NOW}, {NOW} FROM k")
    queue("again", NOW - 1, tries=1)
    queue("a", NOW)
    queue("b", NOW)
    one.notify(NOW)
    one.sql(f"UPDATE alert_channels SET target = '{receiver.url}/ok'")
    queue("c", NOW + S)
    queue("d", NOW + S)
    for at in (S, 6 * S, 30 * S, MIN):
        one.notify(NOW + at)
    taken = [json.loads(b) for p, _h, b in receiver.requests if p == "/ok"]
    names = [n.get("rule_name") for t in taken for n in t.get("notifications", [t])]
    expect_equal(sorted(map(str, names)), ["a", "again", "b", "c", "d"], "every one arrives")
    expect_equal(one.query("SELECT count(*) FROM alert_deliveries WHERE kind = 'digest' AND status = 'merged'"),
                 [(0,)], "no digest in a digest")
    receiver.close()


@test("while nothing is due the notifier makes no run, and writes nothing")
def _():
    receiver = Receiver()
    one = loopback()
    channel = one.channel(receiver.url + "/ok")
    one.call("post", f"{CHANNELS}/{channel}/test")
    for at, runs, sent in ((NOW - 1, 0, 0), (NOW, 1, 1), (NOW + S, 1, 1)):
        one.notify(at)
        expect_equal(one.query("SELECT count(*) FROM job_runs"), [(runs,)], f"runs at {at - NOW}")
        expect_equal(one.query("SELECT count(*) FROM job_locks"), [(runs,)], f"locks at {at - NOW}")
        expect_equal(len(receiver.requests), sent, f"sent at {at - NOW}")
    receiver.close()


@test("what waits for a channel that is switched off is cancelled; the stream's are sent at once")
def _():
    receiver = Receiver()
    one, _rule, _alert = firing(receiver)
    stream = one.channel("", kind="stream")
    one.call("post", f"{CHANNELS}/{stream}/test")
    channel, = one.query("SELECT id FROM alert_channels WHERE kind = 'webhook'")[0]
    one.call("put", f"{CHANNELS}/{channel}", {"enabled": False})
    one.notify(NOW)
    expect_equal(receiver.requests, [], "nothing is sent")
    expect_equal(one.deliveries("kind, status, tries"), [("firing", "cancelled", 0), ("test", "sent", 0)], "on record")
    receiver.close()


@test("rules tell their own channels, or the default ones")
def _():
    receiver = Receiver()
    one = loopback()
    one.only()
    own, default = (one.channel(receiver.url + "/ok", is_default=d) for d in (False, True))
    off = one.channel(receiver.url + "/ok", enabled=False)
    mine, theirs = one.rule(channel_ids=[own, off]), one.rule()
    one.pending(9)
    one.job("alerts", NOW)
    got = one.query("SELECT e.rule_id, d.channel_id FROM alert_deliveries d JOIN alert_events e ON e.id = d.event_id")
    expect_equal(sorted(got), sorted([(mine["id"], own), (theirs["id"], default)]), "who is told")
    one.call("delete", f"{CHANNELS}/{own}")
    expect_equal(one.call("get", f"{RULES}/{mine['id']}")["channel_ids"], [off], "a deleted channel leaves its rules")
    receiver.close()


# -- where messages may not go ---------------------------------------------------------------------------

PRIVATE = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "017700000001", "0x7f.1", "10.0.0.1",
           "10.255.255.255", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0", "224.0.0.1",
           "255.255.255.255", "[::1]", "[::]", "[::ffff:10.0.0.1]", "[::ffff:7f00:1]", "[fe80::1]", "[fc00::1]",
           "[ff02::1]", "[64:ff9b::a00:1]", "[2002:a00:1::1]"]


def closed_room():
    """A listening socket of this machine that must not be connected to."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    sock.setblocking(False)
    return sock


def expect_unvisited(sock):
    try:
        sock.accept()
    except BlockingIOError:
        return
    raise AssertionError("somebody connected")


@test("private addresses are refused when a channel is made, in every spelling")
def _():
    one = Alerts()
    for host in PRIVATE:
        answer = one.call("post", CHANNELS, {"name": "c", "kind": "webhook", "target": f"https://{host}/x"}, status=4)
        expect_equal((answer["code"], answer["errors"][0]["param"]), ("invalid_parameter", "target"), host)
        expect("private" in answer["detail"], answer)
    expect_equal(one.query("SELECT count(*) FROM alert_channels"), [(0,)], "none was made")
    one.channel("https://1.1.1.1/x")
    one.channel("https://[2606:4700::1111]:8443/x?y=1")


@test("whatever stands in the table, no connection leads to a private address")
def _():
    one, room = Alerts(), closed_room()
    port = room.getsockname()[1]
    hosts = PRIVATE + ["localhost"]
    for i, host in enumerate(hosts):
        one.sql(f"INSERT INTO alert_channels (id, name, kind, target, created_by, created_at, updated_at) VALUES"
                f" ('c{i}', 'c', 'webhook', 'https://{host}:{port}/x', 'x', {i}, 1);"
                f"INSERT INTO alert_deliveries (id, channel_id, kind, payload, next_try_at, created_at)"
                f" VALUES ('d{i}', 'c{i}', 'test', '{{}}', {NOW}, 1)")
    one.notify(NOW)
    one.notify(NOW)     # a run takes 20 channels at a time
    for i, host in enumerate(hosts):
        attempt, = json.loads(one.query("SELECT attempts FROM alert_deliveries WHERE id = ?", f"d{i}")[0][0])
        expect_equal(attempt["status"], None, host)
        expect("is private and not in PH_WEBHOOK_ALLOW" in attempt["error"], f"{host}: {attempt}")
    expect_unvisited(room)
    room.close()


@test("http leads to this machine only, if it is allowed at all, and even then only to allowed addresses")
def _():
    room = closed_room()
    target = f"http://127.0.0.1:{room.getsockname()[1]}/x"

    def outcome(target, **settings):
        one = Alerts(**settings)
        one.sql(f"INSERT INTO alert_channels (id, name, kind, target, created_by, created_at, updated_at) VALUES"
                f" ('c', 'c', 'webhook', '{target}', 'x', 1, 1)")
        one.call("post", f"{CHANNELS}/c/test")
        one.notify(NOW)
        return one.attempts()[0][0]["error"]

    expect_equal(outcome(target, PH_WEBHOOK_ALLOW="127.0.0.1"), "https:// is needed", "http is off")
    expect("PH_WEBHOOK_ALLOW" in outcome(target.replace("http:", "https:"), PH_ALLOW_LOOPBACK_HTTP=1), "https")
    # The list names another network.
    expect("127.0.0.1" in outcome(target, PH_ALLOW_LOOPBACK_HTTP=1, PH_WEBHOOK_ALLOW="10.0.0.0/8"), "list")
    expect("without TLS only this machine" in outcome("http://192.0.2.1/x", PH_ALLOW_LOOPBACK_HTTP=1,
                                                      PH_WEBHOOK_ALLOW="192.0.2.0/24"), "another machine")
    expect_unvisited(room)
    room.close()
    one = Alerts()
    for target in ("http://example.com/", "ftp://example.com/", "https://", "https:///x", "example.com", "",
                   "https://user:pw@example.com/", "https://example.com/#f", "https://example.com:0/",
                   "https://example.com:65536/", "https://example.com/a b", "https://ex\\u0000ample.com/",
                   "https://example.com\\r\\nX: y/", "https://[::1/", "https://[example.com]/", "gopher://1.1.1.1/"):
        body = json.dumps({"name": "c", "kind": "webhook"})[:-1] + f', "target": "{target}"}}'
        answer = json.loads(one.run("post", CHANNELS, body, status=4).stdout)
        expect(answer["code"] in ("invalid_parameter", "bad_request"), f"{target}: {answer}")


@test("TLS is verified: an unknown authority or another host's certificate ends the call")
def _():
    cert, key = certificate()
    receiver = Receiver(certificate=(cert, key))
    for settings, works in (({}, False), ({"PH_CA_FILE": cert}, True)):
        one = loopback(**settings)
        channel = one.channel(receiver.url + "/ok", secret=SECRET)
        one.call("post", f"{CHANNELS}/{channel}/test")
        one.notify(NOW)
        attempt = one.attempts()[0][0]
        expect_equal(attempt["status"], 200 if works else None, f"{settings}: {attempt}")
    expect_equal(len(receiver.requests), 1, "what could not be verified was not sent")
    one = loopback(PH_CA_FILE=cert)
    channel = one.channel(f"https://127.0.0.2:{receiver.port}/ok")
    one.call("post", f"{CHANNELS}/{channel}/test")
    one.notify(NOW)
    expect_equal(one.attempts()[0][0]["status"], None, "the certificate names another host")
    receiver.close()


@test("proxies of the environment do not stand between")
def _():
    receiver, room = Receiver(), closed_room()
    one = loopback()
    channel = one.channel(receiver.url + "/ok")
    one.call("post", f"{CHANNELS}/{channel}/test")
    proxy = f"http://127.0.0.1:{room.getsockname()[1]}"
    one.env.update(http_proxy=proxy, https_proxy=proxy, all_proxy=proxy, ALL_PROXY=proxy)
    one.notify(NOW)
    expect_equal(len(receiver.requests), 1, "it went straight")
    expect_unvisited(room)
    room.close()
    receiver.close()


# -- mail --------------------------------------------------------------------------------------------------


def read_mail(data):
    return email.message_from_bytes(data, policy=email.policy.default)


@test("a mail goes out over verified TLS with a login, and reads as it should")
def _():
    cert, key = certificate()
    for scheme, starttls in (("smtps", False), ("smtp", True)):
        sink = Sink(certificate=(cert, key), starttls=starttls, login=("mailer", "pa$$ \"word\""))
        settings = {"PH_SMTP_URL": f"{scheme}://127.0.0.1:{sink.port}", "PH_SMTP_USER": "mailer",
                    "PH_SMTP_PASSWORD": "pa$$ \"word\"", "PH_SMTP_FROM": "pilothouse@example.com"}
        one = Alerts(PH_CA_FILE=cert, **settings)
        one.only()
        one.channel("ops+night@example.com", kind="email")
        name = "Queue voll – Äußerst dringend, bitte sofort nachsehen, 急いで"
        one.rule(name=name, cooldown_ms=0)
        one.pending(9)
        one.job("alerts", NOW)
        one.notify(NOW)
        expect_equal(one.deliveries(), [("firing", "sent", 1)], f"{scheme}: {one.attempts()}")
        expect_equal(sink.logins, [("mailer", "pa$$ \"word\"")], "login")
        (sender, recipients, data), = sink.mails
        expect_equal((sender, recipients), ("FROM:<pilothouse@example.com>", ["TO:<ops+night@example.com>"]),
                     "envelope")
        mail = read_mail(data)
        expect_equal(str(mail["From"]), "pilothouse@example.com", "From")
        expect_equal(str(mail["To"]), "ops+night@example.com", "To")
        expect_equal(str(mail["Subject"]), f"[pilothouse] warning: {name}", "Subject")
        expect_equal(mail["Date"].datetime.timestamp(), NOW / 1000, "Date")
        expect_equal(str(mail["Message-ID"]), f"<{one.deliveries('id')[0][0]}@example.com>", "Message-ID")
        expect(f"[warning] {name}: queue.pending is 9 (> 5)." in mail.get_content(), mail.get_content())
        expect(max(map(len, data.split(b"\r\n"))) <= 998, "no line is too long")
        # The authority is not known: nothing is sent, the password neither.
        two = Alerts(**settings)
        channel = two.channel("ops@example.com", kind="email")
        two.call("post", f"{CHANNELS}/{channel}/test")
        two.notify(NOW)
        expect_equal((two.deliveries("status"), len(sink.mails), len(sink.logins)), ([("waiting",)], 1, 1), scheme)
        sink.close()


@test("without TLS no mail goes out, unless to this machine where that is allowed")
def _():
    sink = Sink()
    settings = {"PH_SMTP_URL": f"smtp://127.0.0.1:{sink.port}", "PH_SMTP_FROM": "pilothouse@example.com"}
    for allowed in (0, 1):
        one = Alerts(PH_ALLOW_LOOPBACK_HTTP=allowed, **settings)
        channel = one.channel("ops@example.com", kind="email")
        one.call("post", f"{CHANNELS}/{channel}/test")
        one.notify(NOW)
        expect_equal(one.deliveries("status"), [("sent" if allowed else "waiting",)], f"{one.attempts()}")
    expect_equal(len(sink.mails), 1, "one mail")
    expect_equal(str(read_mail(sink.mails[0][2])["Subject"]), "[pilothouse] test", "a test")
    sink.close()


@test("a mail that the server refuses is tried again; without a server the reason is on record")
def _():
    sink = Sink()
    one = Alerts(PH_ALLOW_LOOPBACK_HTTP=1, PH_SMTP_URL=f"smtp://127.0.0.1:{sink.port}",
                 PH_SMTP_FROM="pilothouse@example.com")
    ids = [one.channel(to, kind="email") for to in ("refused@example.com", "taken@example.com")]
    for channel in ids:
        one.call("post", f"{CHANNELS}/{channel}/test")
    one.notify(NOW)
    expect_equal(one.deliveries("status", "rowid"), [("waiting",), ("sent",)], "one is refused, the other not")
    expect_equal(one.attempts()[0][0]["status"], None, "no HTTP here")
    sink.close()
    two = Alerts()
    channel = two.channel("ops@example.com", kind="email")
    two.call("post", f"{CHANNELS}/{channel}/test")
    two.notify(NOW)
    expect("PH_SMTP_URL is empty" in two.attempts()[0][0]["error"], two.attempts())


@test("a mailbox that the server is slow about does not cost the others their tries")
def _():
    sink = Sink()
    one = Alerts(PH_ALLOW_LOOPBACK_HTTP=1, PH_SMTP_URL=f"smtp://127.0.0.1:{sink.port}",
                 PH_SMTP_FROM="pilothouse@example.com")
    ids = [one.channel(f"{name}@example.com", kind="email") for name in ("slow", "a", "b")]
    for i, channel in enumerate(ids):
        one.call("post", f"{CHANNELS}/{channel}/test", now=NOW + i)
    one.notify(NOW + 2)
    first, *rest = one.deliveries("status, tries, attempts")
    expect_equal(first[:2], ("waiting", 1), "it was too slow")
    expect_equal(rest, [("waiting", 0, "[]")] * 2, "the others were not tried, and have all their tries left")
    one.notify(NOW + 2 + S)
    expect_equal(one.deliveries("status, tries"), [("waiting", 1), ("sent", 1), ("sent", 1)], "a second later")
    expect_equal([r for _s, r, _d in sink.mails], [["TO:<a@example.com>"], ["TO:<b@example.com>"]], "arrived")
    sink.close()


@test("a digest by mail says how many it does not name")
def _():
    sink = Sink()
    one = Alerts(PH_ALLOW_LOOPBACK_HTTP=1, PH_SMTP_URL=f"smtp://127.0.0.1:{sink.port}",
                 PH_SMTP_FROM="pilothouse@example.com")
    channel = one.channel("ops@example.com", kind="email")
    one.sql("WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 100) INSERT INTO alert_deliveries"
            " (id, channel_id, kind, payload, next_try_at, created_at) SELECT printf('%04d', i), "
            f"'{channel}', 'test', json_object('at', 'now', 'message', 'm' || i || '.'), {NOW}, {NOW} FROM k")
    one.notify(NOW)
    expect_equal(len(sink.mails), PER_MINUTE, "mails")
    mail = read_mail(sink.mails[-1][2])
    expect_equal(str(mail["Subject"]), "[pilothouse] 71 notifications in one", "the digest")
    lines = mail.get_content().splitlines()
    expect_equal((lines[0], lines[49:]), ("now  m30.", ["now  m79.", "and 21 more"]), "its lines")
    sink.close()


@test("nothing in a name or an address becomes a header or a command")
def _():
    one = Alerts()
    for target in ("a@b\r\nBcc: c@d", "a@b c", "a@b>", "<a@b>", "a@b,c@d", "\"a b\"@c", "a@b\n", "a", "@b", "a@",
                   "a@.b",
                   "a" * 250 + "@b.cd", "ä@example.com", "-x@example.com", "a@-b"):
        answer = one.call("post", CHANNELS, {"name": "c", "kind": "email", "target": target}, status=4)
        expect_equal(answer["errors"][0]["param"], "target", f"{target!r}: {answer}")
    answer = one.call("post", RULES, {"name": "a\r\nBcc: c@d", "metric": "queue.pending", "op": ">"}, status=4)
    expect_equal(answer["errors"][0]["param"], "name", "a name of two lines")
    # And a name that got into the table all the same.
    sink = Sink()
    two = Alerts(PH_ALLOW_LOOPBACK_HTTP=1, PH_SMTP_URL=f"smtp://127.0.0.1:{sink.port}",
                 PH_SMTP_FROM="pilothouse@example.com")
    two.only()
    two.channel("ops@example.com", kind="email")
    rule = two.rule()["id"]
    db = two.connect()
    db.execute("UPDATE alert_rules SET name = ? WHERE id = ?", ("x\r\nBcc: evil@example.com\r\n\r\n.\r\nQUIT", rule))
    db.close()
    two.pending(9)
    two.job("alerts", NOW)
    two.notify(NOW)
    (_sender, recipients, data), = sink.mails
    mail = read_mail(data)
    expect_equal((len(recipients), mail["Bcc"]), (1, None), "one recipient")
    expect_equal(sorted(mail.keys()), sorted(["Date", "From", "To", "Message-ID", "Subject", "Auto-Submitted",
                                              "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]), "headers")
    sink.close()


# -- endpoints ------------------------------------------------------------------------------------------------


@test("only what sends loads libcurl")
def _():
    using, asking = set(), {"dashboard-alert-stats"}
    for path in LIBEXEC.iterdir():
        if path.name == "stamp":
            continue
        described = json.loads(subprocess.run([path, "--describe"], capture_output=True, check=True).stdout)
        if "net" in described["needs"]:
            asking.add(path.name)
        needed = subprocess.run(["readelf", "-d", path.resolve()], capture_output=True, encoding="utf-8").stdout
        if "libcurl" in needed:
            using.add(path.name)
        if "libasan" in needed:
            raise Skip("a build under a sanitizer links everything")
    expect({"job-notifier", "job-op3-sync", "podcast-stats"} | asking <= using, f"{using}")
    expect(all(name.startswith("job-") for name in using - asking), f"{using}")


@test("rules: made, changed, listed, deleted, and each way to be refused")
def _():
    one = Alerts()
    made = one.rule(name="Ä", clear_threshold=3, for_ms=MIN, severity="critical", alert_type="mine")
    expect_equal({k: made[k] for k in ("name", "alert_type", "metric", "op", "threshold", "clear_threshold", "for_ms",
                                       "cooldown_ms", "severity", "enabled", "is_builtin", "created_by", "version",
                                       "state", "channel_ids")},
                 {"name": "Ä", "alert_type": "mine", "metric": "queue.pending", "op": ">", "threshold": 5.0,
                  "clear_threshold": 3.0, "for_ms": MIN, "cooldown_ms": 300_000, "severity": "critical",
                  "enabled": True, "is_builtin": False, "created_by": "local", "version": 1, "state": "ok",
                  "channel_ids": []}, "a rule")
    path = f"{RULES}/{made['id']}"
    expect_equal(one.call("get", path), made, "as it was made")
    changed = one.call("put", path, {"threshold": 7.5, "clear_threshold": None}, now=NOW + 1)
    expect_equal((changed["threshold"], changed["clear_threshold"], changed["name"], changed["version"],
                  changed["updated_at"]), (7.5, None, "Ä", 2, "2025-11-22T10:30:00.001Z"), "changed")
    expect_equal(one.call("put", path, {"threshold": 1}, status=4, HTTP_IF_MATCH='"1"')["code"],
                 "precondition_failed", "an older version")
    expect_equal(one.call("put", path, {"threshold": 8}, HTTP_IF_MATCH='"2"')["version"], 3, "this version")
    expect_equal(one.call("delete", path, status=4, HTTP_IF_MATCH='"2"')["code"], "precondition_failed", "delete")
    listed = one.call("get", RULES)
    expect_equal((listed["total"], sum(r["is_builtin"] for r in listed["items"])), (15, 14), "with the built-in ones")
    good = {"name": "n", "metric": "queue.pending", "op": ">", "threshold": 5}
    for change, param in (
            ({"name": ""}, "name"), ({"name": "x" * 81}, "name"), ({"name": None}, "name"), ({"name": 1}, "name"),
            ({"metric": "no.such"}, "metric"), ({"metric": "queue.pending +"}, "metric"), ({"metric": ""}, "metric"),
            ({"metric": "1;DROP TABLE x"}, "metric"), ({"metric": "1+" * 101 + "1"}, "metric"),
            ({"op": "!="}, "op"), ({"threshold": "5"}, "threshold"), ({"threshold": 1e13}, "threshold"),
            ({"clear_threshold": 6}, "clear_threshold"), ({"op": "<", "clear_threshold": 4}, "clear_threshold"),
            ({"op": "==", "clear_threshold": 5}, "clear_threshold"), ({"for_ms": -1}, "for_ms"),
            ({"for_ms": 86_400_001}, "for_ms"), ({"for_ms": 1.5}, "for_ms"),
            ({"cooldown_ms": 604_800_001}, "cooldown_ms"), ({"severity": "CRITICAL"}, "severity"), ({"enabled": 1}, "enabled"),
            ({"alert_type": "x" * 65}, "alert_type"),
            ({"channel_ids": ["nobody"]}, "channel_ids"), ({"channel_ids": {}}, "channel_ids"),
            ({"channel_ids": [1]}, "channel_ids"), ({"unknown": 1}, "unknown"), ({"version": 9}, "version")):
        answer = one.call("post", RULES, {**good, **change}, status=4)
        expect_equal((answer["code"], answer["errors"][0]["param"]), ("invalid_parameter", param), f"{change}")
    for name in ("name", "metric", "op"):
        answer = one.call("post", RULES, {k: v for k, v in good.items() if k != name}, status=4)
        expect_equal((answer["code"], answer["errors"][0]["param"]), ("invalid_parameter", name), f"without {name}")
    expect_equal(json.loads(one.run("post", RULES, "{", status=4).stdout)["code"], "bad_request", "not JSON")
    expect_equal(one.query("SELECT count(*) FROM alert_rules"), [(15,)], "nothing was half written")
    expect_equal(one.call("delete", path)["deleted"], made["id"], "deleted")
    for method in ("get", "delete"):
        expect_equal(one.call(method, path, status=4)["code"], "not_found", method)
    expect_equal(one.call("put", path, {}, status=4)["code"], "not_found", "put")


@test("built-in rules: figures and channels may be changed, the rest not, and they stay")
def _():
    one = Alerts()
    path = f"{RULES}/builtin.queue_saturation.warning"
    changed = one.call("put", path, {"threshold": 3, "for_ms": MIN, "enabled": False, "op": ">", "severity": "warning"})
    expect_equal((changed["threshold"], changed["enabled"], changed["version"], changed["created_at"]),
                 (3.0, False, 2, None), "changed")
    for change in ({"metric": "queue.failed"}, {"op": ">="}, {"severity": "info"}, {"alert_type": "x"}):
        answer = one.call("put", path, change, status=4)
        expect("fixed" in answer["detail"], f"{change}: {answer}")
    expect_equal(one.call("delete", path, status=4)["code"], "conflict", "delete")


@test("channels: the secret goes in and never comes out")
def _():
    one = Alerts()
    made = one.call("post", CHANNELS, {"name": "n", "kind": "webhook", "target": "https://example.com/",
                                       "secret": SECRET})
    path = f"{CHANNELS}/{made['id']}"
    answers = [made, one.call("get", path), one.call("get", CHANNELS), one.call("put", path, {"name": "m"}),
               one.call("post", f"{path}/test"), one.call("get", f"{path}/deliveries")]
    expect(SECRET not in json.dumps(answers), "no answer shows it")
    expect(all(SECRET not in str(row) for row in one.query("SELECT * FROM audit_log")), "nor the audit log")
    expect_equal((made["has_secret"], answers[1], answers[2]["total"], answers[3]["version"]), (True, made, 1, 2), "it")
    expect_equal(one.query("SELECT secret FROM alert_channels"), [(SECRET,)], "it was not changed")
    expect_equal(one.call("put", path, {"secret": None})["has_secret"], False, "taken away")
    for change, param in (({"name": ""}, "name"), ({"secret": "short"}, "secret"), ({"secret": "x" * 257}, "secret"),
                          ({"kind": "email"}, "kind"), ({"target": "x"}, "target"), ({"is_default": 1}, "is_default")):
        answer = one.call("put", path, change, status=4)
        expect_equal(answer["errors"][0]["param"], param, f"{change}: {answer}")
    for body, param in (({"kind": "fax"}, "kind"), ({"kind": "stream", "target": "x"}, "target"),
                        ({"kind": "email", "target": "a@b.c", "secret": SECRET}, "secret"), ({}, "kind"),
                        ({"kind": "webhook"}, "target"), ({"kind": "email"}, "target")):
        answer = one.call("post", CHANNELS, {"name": "n", **body}, status=4)
        expect_equal(answer["errors"][0]["param"], param, f"{body}: {answer}")
    expect_equal(one.call("put", path, {"name": "x"}, status=4, HTTP_IF_MATCH='"1"')["code"], "precondition_failed",
                 "an older version")
    for query, param in (("limit=0", "limit"), ("limit=501", "limit"), ("status=lost", "status")):
        expect_equal(one.call("get", f"{path}/deliveries?{query}", status=4)["errors"][0]["param"], param, query)
    expect_equal(len(one.call("get", f"{path}/deliveries?status=waiting&limit=1")["items"]), 1, "filtered")
    expect_equal(one.call("delete", path)["deleted"], made["id"], "deleted")
    for method, rest in (("get", ""), ("delete", ""), ("post", "/test"), ("get", "/deliveries")):
        expect_equal(one.call(method, path + rest, status=4)["code"], "not_found", f"{method} {rest}")


@test("deliveries are paged by the oldest one that was seen")
def _():
    one = Alerts()
    channel, other = (one.call("post", CHANNELS, {"name": n, "kind": "stream"})["id"] for n in "ab")
    path = f"{CHANNELS}/{channel}/deliveries"
    rows = [(f"d{n:02}", channel if n % 5 else other, ("waiting", "failed")[n % 2], NOW - n // 4) for n in range(23)]
    one.sql("".join(f"INSERT INTO alert_deliveries (id, channel_id, kind, status, created_at, payload)"
                    f" VALUES ('{i}', '{c}', 'test', '{s}', {at}, '{{}}');" for i, c, s, at in rows))
    for query, status in (("limit=3", None), ("limit=4&status=failed", "failed"), ("limit=500", None)):
        want = [i for i, c, s, at in sorted(rows, key=lambda r: (r[3], r[0]), reverse=True)
                if c == channel and status in (None, s)]
        seen, before = [], ""
        while before is not None:
            page = one.call("get", f"{path}?{query}{before and '&before=' + before}")
            seen += [item["id"] for item in page["items"]]
            before = page["next_before"]
        expect_equal(seen, want, query)
    for before in ("none", "d05"):
        expect_equal(one.call("get", f"{path}?before={before}", status=4)["errors"][0]["param"], "before", before)


@test("no more than 200 rules and 20 channels")
def _():
    one = Alerts()
    one.sql("WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 199) INSERT INTO alert_rules (id,"
            " name, alert_type, metric, op, severity, created_by) SELECT 'r' || i, 'n', 'r' || i, 'queue.pending', '>',"
            " 'info', 'x' FROM k; WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 19) INSERT"
            " INTO alert_channels (id, name, kind, target, created_by, created_at, updated_at) SELECT 'c' || i, 'n',"
            " 'stream', '', 'x', 1, 1 FROM k")
    one.rule()
    expect_equal(one.call("post", RULES, {"name": "n", "metric": "1", "op": ">"}, status=4)["code"], "limit_reached",
                 "the 201st rule")
    stream = {"name": "n", "kind": "stream"}
    one.call("post", CHANNELS, stream)
    expect_equal(one.call("post", CHANNELS, stream, status=4)["code"], "limit_reached", "the 21st channel")
    one.pending(9)
    expect_equal(one.call("post", "/dashboard/alerts/evaluate")["evaluated"], 214, "all of them are evaluated")


@test("more rules than may be made through the API, which somebody wrote into the table, are evaluated all the same")
def _():
    one = Alerts()
    one.only()
    one.sql("WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 300) INSERT INTO alert_rules (id,"
            " name, alert_type, metric, op, severity, created_by) SELECT 'r' || i, 'n', 'r' || i, '1', '>', 'info',"
            " 'x' FROM k")
    answer = one.call("post", "/dashboard/alerts/evaluate")
    expect_equal((answer["evaluated"], answer["fired"], len(answer["alerts"])), (300, 300, 300), "all of them")


@test("the badge, read-all, and the paths and shapes of the original")
def _():
    one = Alerts()
    one.only("builtin.queue_saturation.warning", "builtin.queue_saturation.critical",
             "builtin.worker_crash_detected.critical")
    one.pending(25)
    one.sql(jobs(1, "processing", NOW - HOUR))
    told = one.call("post", "/alerting/evaluate")
    expect_equal((list(told), told["success"], told["alerts_generated"], len(told["alerts"])),
                 (["success", "alerts_generated", "alerts"], True, 2, 2), "evaluate")
    stats = one.call("get", "/dashboard/alerts/stats")
    expect_equal(list(stats), ["unread_count", "firing", "active_connections", "has_subscribers"], "the badge")
    expect_equal((stats["unread_count"], stats["firing"]), (2, {"warning": 1, "critical": 1}), "its figures")
    expect_equal((stats["active_connections"], stats["has_subscribers"]), (None, None), "without nginx nobody knows")
    listed = one.call("get", "/alerting/alerts?limit=1")
    expect_equal((list(listed), len(listed["alerts"]), listed["total"], listed["unread_count"]),
                 (["alerts", "total", "unread_count"], 1, 2, 2), "a list")
    first = told["alerts"][0]["id"]
    expect_equal(one.call("post", f"/alerting/alerts/{first}/read"),
                 {"success": True, "message": "Alert marked as read"}, "read")
    expect_equal(one.call("post", "/alerting/alerts/nobody/read"),
                 {"success": False, "message": "Alert not found"}, "an unknown id is a 200 there")
    unread = one.call("get", "/alerting/alerts/unread")
    expect_equal(([a["id"] for a in unread["alerts"]], unread["total"], unread["unread_count"]),
                 ([told["alerts"][1]["id"]], 1, 1), "unread")
    expect_equal(one.call("post", "/dashboard/alerts/read-all"), {"marked": 1}, "read all")
    expect_equal(one.call("post", "/alerting/alerts/read-all"),
                 {"success": True, "message": "0 alerts marked as read"}, "again")
    expect_equal(one.call("get", "/dashboard/alerts/stats")["unread_count"], 0, "none is left")
    for query in ("limit=0", "limit=501", "offset=10001", "offset=-1"):
        expect_equal(one.call("get", f"/alerting/alerts?{query}", status=4)["code"], "invalid_parameter", query)


WRITING = [("POST", RULES), ("PUT", f"{RULES}/x"), ("DELETE", f"{RULES}/x"), ("POST", CHANNELS),
           ("PUT", f"{CHANNELS}/x"), ("DELETE", f"{CHANNELS}/x"), ("POST", f"{CHANNELS}/x/test"),
           ("POST", "/dashboard/alerts/x/read"), ("POST", "/dashboard/alerts/x/ack"),
           ("POST", "/dashboard/alerts/x/snooze"), ("POST", "/dashboard/alerts/read-all"),
           ("POST", "/dashboard/alerts/evaluate"), ("POST", "/alerting/evaluate"),
           ("POST", "/alerting/alerts/x/read"), ("POST", "/alerting/alerts/read-all")]
READING = [RULES, f"{RULES}/builtin.queue_saturation.warning", CHANNELS, "/dashboard/alerts/stats", "/alerting/alerts",
           "/alerting/alerts/unread"]


@test("through nginx: who may, each method, idempotent changes, and what a database in trouble gives")
def _():
    one = Instance(PH_BUSY_TIMEOUT_MS=0).with_admin()
    for name, role in (("eve", "viewer"), ("otto", "operator")):
        one.add_user(name, role)
    viewer, operator = one.make_token("eve"), one.make_token("otto")
    one.start()
    for method, path in WRITING:
        expect_problem(one.request(path, method, token=""), 401, "credentials_missing")
        expect_problem(one.request(path, method, token=viewer, body="{}"), 403, "scope_missing")
    for path in READING:
        expect_problem(one.request(path, token=""), 401, "credentials_missing")
        expect_equal(one.request(path, token=viewer).status, 200, path)
        expect_problem(one.request(path, "PATCH", token=operator), 405, "method_not_allowed")
    body = json.dumps({"name": "n", "metric": "queue.pending", "op": ">", "threshold": 5})
    first, again = (one.request(RULES, "POST", token=operator, body=body, headers={"Idempotency-Key": "k"})
                    for _ in range(2))
    expect_equal((first.status, again.status, again.headers["Idempotency-Replayed"]), (201, 201, "true"), "once")
    expect_equal(first.json, again.json, "the same rule")
    expect_equal(first.headers["ETag"], '"1"', "its version")
    path = f"{RULES}/{first.json['id']}"
    expect_equal(one.request(path).headers["ETag"], '"1"', "shown, too")
    expect_problem(one.request(path, "PUT", body="{}", headers={"If-Match": '"7"'}), 412, "precondition_failed")
    expect_problem(one.request(RULES, "POST", body="x" * 300_000), 413, "body_too_large")
    expect_problem(one.request(RULES, "POST", body="["), 400, "bad_request")
    stats = one.request("/dashboard/alerts/stats", token=viewer)
    expect_equal((stats.json["active_connections"], stats.json["has_subscribers"]), (0, False), "nobody listens")
    listener = http.client.HTTPConnection("127.0.0.1", one.port, timeout=20)
    listener.request("GET", "/dashboard/stream?topics=alerts", headers={
        "Authorization": f"Bearer {viewer}", "Accept": "text/event-stream"})
    stream = listener.getresponse()
    expect_equal(stream.status, 200, "a stream")
    wait_until(lambda: one.request(fresh("/dashboard/alerts/stats")).json["has_subscribers"] is True, "one listens")
    stream.close()
    listener.close()
    holder = one.connect()
    holder.execute("BEGIN IMMEDIATE")
    expect_problem(one.request("/dashboard/alerts/evaluate", "POST"), 503, "database_locked", retryable=True)
    holder.execute("ROLLBACK")
    holder.close()
    expect_equal(one.request("/dashboard/alerts/evaluate", "POST").status, 200, "and then it works")
    os.rename(one.database, one.home / "away")
    expect_problem(one.request(RULES + "?n=1"), 503, "database_missing", retryable=True)
    os.rename(one.home / "away", one.database)


run()
