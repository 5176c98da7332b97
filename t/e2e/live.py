#!/usr/bin/env -S /usr/bin/python3 -B
"""Live streams through the real nginx: a client of event streams (WHATWG HTML, 9.2) and one of
WebSockets (RFC 6455), both on plain sockets, so that what arrives is seen as it arrives."""
import base64
import hashlib
import json
import os
import re
import signal
import socket
import struct
import time

from harness import (HERE, NOW, STATS, Instance, expect, expect_equal, expect_problem, exact, run, test,
                     token_id, wait_until)
from harness import Answer

WAIT_S = 12                     # for anything that shall come
TURNS = 10                      # of the publisher, after which a topic is told again
NOW_TEXT = "2025-11-22T10:30:00Z"
STREAM, SOCKET = "/dashboard/stream", "/dashboard/ws"
TELEMETRY, ALERTS = "/telemetry/live/ws/telemetry", "/alerting/ws/alerts"
PATHS = (STREAM, SOCKET, TELEMETRY, ALERTS)
UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
           "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}     # of RFC 6455, 1.2
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="                         # its answer there
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
MINUTE_MS = 60000


class Ended(Exception):
    """The server has closed the connection."""


class Connection:
    """A request whose answer goes on."""

    def __init__(self, instance, path, headers, token=None, receive_buffer=None):
        token = instance.token if token is None else token
        sent = {"Host": f"127.0.0.1:{instance.port}", **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(WAIT_S)
        self.sock.connect(("127.0.0.1", instance.port))
        self.sock.sendall((f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in sent.items()) +
                           "\r\n").encode())
        self.data = b""
        head = self.upto(b"\r\n\r\n").decode()
        self.status = int(head.split()[1])
        self.headers = [tuple(line.split(": ", 1)) for line in head.split("\r\n")[1:] if line]

    def header(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise Ended
        self.data += data

    def upto(self, mark):
        while mark not in self.data:
            self.more()
        part, self.data = self.data.split(mark, 1)
        return part

    def exactly(self, n):
        while len(self.data) < n:
            self.more()
        part, self.data = self.data[:n], self.data[n:]
        return part

    def close(self):
        self.sock.close()


class Stream(Connection):
    def __init__(self, instance, path=STREAM, token=None, last=None, receive_buffer=None, headers=None):
        sent = {"Accept": "text/event-stream", **(headers or {})}
        if last is not None:
            sent["Last-Event-ID"] = last
        super().__init__(instance, path, sent, token, receive_buffer)
        self.retry, self.comments = None, []
        if self.status == 200:
            expect_equal(self.header("Content-Type"), ["text/event-stream; charset=utf-8"], "type")
            expect_equal(self.header("Transfer-Encoding"), [], "as it comes")

    def next(self):
        """The next event: {event, id, data}."""
        while True:
            event = {}
            for line in self.upto(b"\n\n").decode().split("\n"):
                name, _, value = line.partition(":")
                if name == "":
                    self.comments.append(value.strip())
                elif name == "retry":
                    self.retry = value.strip()
                else:
                    event[name] = value.removeprefix(" ")
            if "data" in event:
                return event

    def take(self, *topics):
        """One event of each topic, whatever their order: {topic: event}."""
        events = {}
        while set(events) != set(topics):
            event = self.next()
            events.setdefault(event["event"], event)
        return events

    def until(self, topic, condition):
        """The data of the first event of a topic for which the condition holds."""
        while True:
            event = self.next()
            if event["event"] == topic and condition(json.loads(event["data"])):
                return json.loads(event["data"])

    def end(self):
        """Does it end in time, after whatever else comes?"""
        limit = time.monotonic() + WAIT_S
        try:
            while time.monotonic() < limit:
                self.more()
        except Ended:
            return True
        return False


class Socket(Connection):
    def __init__(self, instance, path=SOCKET, token=None, headers=None):
        super().__init__(instance, path, {**UPGRADE, **(headers or {})}, token)
        if self.status == 101:
            expect_equal(self.header("Sec-WebSocket-Accept"), [ACCEPT], "the key of the RFC")

    def frame(self):
        """(opcode, payload) of the next frame."""
        first, length = self.exactly(2)
        expect(first & 0x80 and not length & 0x80, "a whole frame without a mask")
        if length == 126:
            length = struct.unpack("!H", self.exactly(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self.exactly(8))[0]
        return first & 0x0f, self.exactly(length)

    def next(self):
        """The next text."""
        while True:
            opcode, payload = self.frame()
            if opcode == TEXT:
                return payload.decode()
            if opcode == CLOSE:
                raise Ended

    def pending(self):
        """The frames that have come."""
        frames = []
        self.sock.setblocking(False)
        try:
            while True:
                frames.append(self.frame())
        except BlockingIOError:
            self.sock.settimeout(WAIT_S)
            return frames

    def send(self, payload, opcode=TEXT):
        mask = os.urandom(4)
        length = bytes([0x80 | len(payload)]) if len(payload) < 126 else struct.pack("!BH", 0x80 | 126, len(payload))
        self.sock.sendall(bytes([0x80 | opcode]) + length + mask +
                          bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def end(self):
        """The close frame's code, 0 if the connection is just cut; None if neither comes in time."""
        limit = time.monotonic() + WAIT_S
        try:
            while time.monotonic() < limit:
                opcode, payload = self.frame()
                if opcode == CLOSE:
                    return struct.unpack("!H", payload[:2])[0]
        except (Ended, ConnectionError):
            return 0
        return None


def nchan(instance):
    """What nginx says about streams."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(instance.home / "run" / "publish.sock"))
        sock.sendall(b"GET /status HTTP/1.1\r\nHost: nchan\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: sock.recv(4096), b"")).decode()
    return {name: int(value) for name, value in re.findall(r"^([a-z ]+): (\d+)", text, re.M)}


def ticket(instance, token=None):
    answer = instance.request("/dashboard/ws-ticket", "POST", token=token)
    expect_equal((answer.status, answer.json["expires_in"]), (200, 30), answer)
    return answer.json["ticket"]


def problem(connection):
    """A refusal, as harness.expect_problem() knows it."""
    length = int(connection.header("Content-Length")[0])
    headers = connection.headers

    class Headers(dict):
        def get_all(self, name):
            return [v for k, v in headers if k.lower() == name.lower()] or None
    answer = Answer(connection.status, Headers(headers), connection.exactly(length))
    connection.close()
    return answer


def settle(instance):
    """Until the publisher has told all it knows."""
    wait_until(lambda: nchan(instance)["stored messages"] >= 13, "the first messages", WAIT_S)


# What does not change: the clock, and dataset A of the specification.
still = Instance(now=NOW, PH_JOBS="publisher", PH_LIVE_INTERVAL_MS=1000, PH_RATE_FAILURES=0,
                 PH_LIVE_STREAMS_TOKEN=100, PH_CORS_ORIGINS="https://panel.example").with_admin()
still.sql((HERE / "dataset-a.sql").read_text())
still.add_user("viewer", "viewer")
no_scope = still.make_token("viewer", "--scopes", "guides:read")
# What moves.
moving = Instance(PH_JOBS="publisher", PH_LIVE_INTERVAL_MS=1000, PH_NGINX_WORKERS=2, PH_RATE_FAILURES=0,
                  PH_LIVE_STREAMS_TOKEN=100).with_admin()
moving.run("demo", "--rows", "300")
still.start()
moving.start()
settle(still)
settle(moving)

_names = iter(range(1000000))


def add_videos(instance=moving, n=1):
    """A change of the topic overview alone."""
    for _ in range(n):
        instance.sql(f"INSERT INTO video_assets(id,created_at,updated_at) VALUES('live{next(_names)}',1,1)")


# -- what comes ----------------------------------------------------------------------


@test("a stream begins with each of its topics, equal to the GET, and ts")
def _():
    stream = Stream(still, f"{STREAM}?topics={','.join(STATS)}")
    expect_equal(stream.status, 200, stream.headers)
    for name, event in stream.take(*STATS).items():
        answer = still.request(f"/dashboard/stats/{name}?include=extended")
        want = answer.body.decode().removesuffix("}") + f',"ts":"{NOW_TEXT}"}}'
        expect_equal(exact(event["data"]), exact(want), name)
    expect_equal(stream.retry, "3000", "retry")
    for name, value in (("Cache-Control", "private, no-cache"), ("X-Frame-Options", "DENY"),
                        ("X-Content-Type-Options", "nosniff"), ("X-Accel-Buffering", "no")):
        expect_equal(stream.header(name), [value], name)


@test("telemetry holds what the specification lists")
def _():
    data = json.loads(Stream(still, f"{STREAM}?topics=telemetry").take("telemetry")["telemetry"]["data"])
    expect_equal(data, {
        "queue": {"pending": 2, "processing": 1, "success": 3, "failed": 1, "total": 7},
        "scheduler": {"scheduled_today": 0, "scheduled_next_hour": 0, "overdue": 0, "avg_delay_seconds": None},
        "orchestrator": {"actions_last_minute": 0, "decisions_pending": 1, "saturation_rate": 0.2,
                         "last_run_seconds_ago": None},
        "platforms": {"instagram": 0, "tiktok": 0, "youtube": 0, "facebook": 0},
        "workers": {"active_workers": 1, "tasks_processing": 1, "avg_processing_time_ms": 2249.67},
        "timestamp": NOW_TEXT, "ts": NOW_TEXT}, "telemetry of dataset A")


@test("without topics it is overview and queue; topics may come in any order, encoded, twice the same")
def _():
    for query, topics in (("", {"overview", "queue"}), ("?topics=queue", {"queue"}),
                          ("?topics=campaigns%2Coverview", {"campaigns", "overview"})):
        stream = Stream(still, STREAM + query)
        seen = {stream.next()["event"] for _ in topics}
        expect_equal(seen, topics, query)
        stream.close()


@test("a WebSocket begins with each of its topics in an envelope")
def _():
    ws = Socket(still, f"{SOCKET}?topics=queue,campaigns")
    expect_equal(ws.status, 101, ws.headers)
    for name in ("queue", "campaigns"):
        message = json.loads(ws.next())
        expect_equal(list(message), ["type", "ts", "seq", "data"], "members")
        expect_equal((message["type"], message["ts"]), (name, NOW_TEXT), "type and ts")
        expect(message["seq"] >= 1, message)
        expect_equal(message["data"], still.request(f"/dashboard/stats/{name}?include=extended").json, name)


@test("ping is answered with pong, a ping frame with a pong frame; other text is ignored")
def _():
    ws = Socket(still)
    ws.send(b"ping")
    ws.send(b"beat", PING)
    seen = []
    while len(seen) < 2:
        opcode, payload = ws.frame()
        if payload == b"pong" or opcode == PONG:
            seen.append((opcode, payload))
    expect_equal(seen, [(TEXT, b"pong"), (PONG, b"beat")], "answers")
    for text in (b'{"op":"subscribe","topics":["campaigns"]}', b"", b"\xff\xfe", b"x" * 4000):
        other = Socket(still)
        other.send(text)
        if text != b"\xff\xfe":
            other.send(b"ping")
            while other.next() != "pong":
                pass
        else:
            expect_equal(other.end(), 1007, "not UTF-8")
        other.close()
    worker = still.workers("nginx")
    ws.sock.sendall(bytes([0x80 | TEXT, 0x80 | 127]) + struct.pack("!Q", 8 << 30) + bytes(4))
    expect(ws.end() in (1009, 1011), "a frame larger than the memory that nginx may have")
    expect_equal(still.workers("nginx"), worker, "nginx lives")


@test("the older telemetry path sends the bare object at once, and then at every turn")
def _():
    ws = Socket(still, TELEMETRY)
    frames = [json.loads(ws.next()) for _ in range(3)]
    for frame in frames:
        expect_equal(list(frame), ["queue", "scheduler", "orchestrator", "platforms", "workers", "timestamp"], frame)


@test("after that comes only what changes")
def _():
    stream = Stream(moving, f"{STREAM}?topics=overview,campaigns,orchestrator")
    campaigns = json.loads(stream.take("overview", "campaigns", "orchestrator")["campaigns"]["data"])
    moving.sql("UPDATE campaigns SET budget_spent_cents = budget_spent_cents + 100"
               " WHERE id = (SELECT min(id) FROM campaigns)")
    event = stream.next()
    expect_equal(event["event"], "campaigns", event)
    expect_equal(round(json.loads(event["data"])["total_budget_spent"] - campaigns["total_budget_spent"], 2), 1.0,
                 "what changed")
    add_videos()
    event = stream.next()
    expect_equal(event["event"], "overview", event)


@test("a topic that stays the same is told again at the tenth turn")
def _():
    stream, turns = Stream(still, f"{STREAM}?topics=campaigns"), Socket(still, TELEMETRY)
    still.sql("UPDATE campaigns SET budget_spent_cents = 1 WHERE id = 'k1'")
    told = stream.until("campaigns", lambda data: data["total_budget_spent"] == 0.01)
    turns.pending()
    expect_equal(json.loads(stream.next()["data"]), told, "the same again")
    expect(TURNS - 1 <= len(turns.pending()) <= TURNS + 1, "so many turns later")


def fire(name, at_ms):
    moving.sql("INSERT INTO alert_events(id,rule_id,alert_type,severity,message,metadata,state,created_at,updated_at)"
               f" VALUES('{name}','{name}','queue_saturation','warning','a \"lot\"','{{\"n\":1}}','firing',{at_ms},{at_ms})")


def resolve(name):
    moving.sql(f"UPDATE alert_events SET state='resolved', resolved_at={now_ms()} WHERE id = '{name}'")


def now_ms():
    return int(time.time() * 1000)


def alerts_of(stream, n):
    """(id of the event, id and state of the alert) of the next n."""
    events = [stream.next() for _ in range(n)]
    expect_equal({e["event"] for e in events}, {"alerts"}, "topic")
    return [(e["id"], json.loads(e["data"])["id"], json.loads(e["data"])["state"]) for e in events]


@test("alerts come one by one, when they fire and when they end; the last five minutes are told again")
def _():
    stream, ws = Stream(moving, f"{STREAM}?topics=alerts"), Socket(moving, f"{SOCKET}?topics=alerts")
    older = Socket(moving, ALERTS)
    at = now_ms()
    fire("a1", at)
    event = stream.next()
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + (f".{at % 1000:03d}" if at % 1000 else "") + "Z"
    alert = {"id": "a1", "rule_id": "a1", "alert_type": "queue_saturation", "severity": "warning", "state": "firing",
             "message": 'a "lot"', "created_at": text, "updated_at": text, "resolved_at": None, "acked_at": None,
             "acked_by": None, "snoozed_until": None, "read": False, "metadata": {"n": 1}}
    data = json.loads(event["data"])
    data.pop("ts")
    expect_equal(data, alert, "the alert in the stream")
    message = json.loads(ws.next())
    expect_equal((message["type"], message["data"]), ("alert", alert), "and in the WebSocket")
    expect_equal(json.loads(older.next()), alert, "bare for older clients")
    resolve("a1")
    fire("a2", now_ms())
    rest = alerts_of(stream, 2)
    expect_equal({r[1:] for r in rest}, {("a1", "resolved"), ("a2", "firing")}, "then")
    expect_equal({json.loads(older.next())["id"] for _ in range(2)}, {"a1", "a2"}, "for older clients")
    stream.close()
    fire("a3", now_ms())
    fire("old", now_ms() - 6 * MINUTE_MS)
    expect_equal({json.loads(older.next())["id"] for _ in range(2)}, {"a3", "old"}, "it is new to us")
    for again in (Stream(moving, f"{STREAM}?topics=alerts", last=rest[-1][0]),
                  Stream(moving, f"{STREAM}?topics=alerts&last_event_id={rest[-1][0]}")):
        expect_equal({r[1] for r in alerts_of(again, 2)}, {"a3", "old"}, "after the last one seen")
        again.close()
    for last in (None, "", "x", "1:", "9" * 30, "1:[0]", "1:0,0", "1:[0],[0]", "1:[0],0,0", "-1:[0],0", "1:[99999],0"):
        again = Stream(moving, f"{STREAM}?topics=alerts", last=last)
        expect_equal([r[1:] for r in alerts_of(again, 5)][:1], [("a1", "firing")], f"from the beginning: {last}")
        again.close()


# -- who may -------------------------------------------------------------------------


@test("no token, an unknown one, or one without the scope is refused like everywhere")
def _():
    for path in PATHS:
        headers = {"Accept": "text/event-stream"} if path == STREAM else UPGRADE
        for token, status, code in (("", 401, "credentials_missing"), ("x" * 40, 401, "credentials_invalid"),
                                    (no_scope, 403, "scope_missing")):
            expect_problem(problem(Connection(still, path, headers, token)), status, code)


@test("a client that asks for something else is told what to ask for")
def _():
    for accept in ({"Accept": "application/json"}, {"Accept": "*/*"}, {}, {"Accept": "TEXT/EVENT-STREAM"}):
        answer = problem(Connection(still, STREAM, accept))
        expect_problem(answer, 406, "not_acceptable")
        expect_equal(answer.json["detail"], "send Accept: text/event-stream", "what to send")
    for path in PATHS[1:]:
        expect_problem(problem(Connection(still, path, {})), 426, "upgrade_required")
        for name, value in (("Upgrade", "h2c"), ("Upgrade", "h2c, websocket"), ("Sec-WebSocket-Version", "12"),
                            ("Sec-WebSocket-Version", "13, 8"), ("Connection", "keep-alive")):
            expect_problem(problem(Connection(still, path, {**UPGRADE, name: value})), 426, "upgrade_required")
        for name, value in (("Upgrade", "WebSocket"), ("Connection", "keep-alive, upgrade")):
            expect_equal(Socket(still, path, headers={name: value}).status, 101, f"{path}: {name}: {value}")
    for query in ("topics=nothing", "topics=queue&topics=queue", "topics=", "topics=queue,,overview"):
        answer = problem(Connection(still, f"{STREAM}?{query}", {"Accept": "text/event-stream"}))
        expect_problem(answer, 422, "invalid_parameter")
        expect_equal(answer.json["errors"][0]["param"], "topics", query)
    for method in ("POST", "PUT", "DELETE"):
        expect_problem(still.request(STREAM, method), 405, "method_not_allowed")
    head = still.request(STREAM, "HEAD", headers={"Accept": "text/event-stream"})
    expect_equal((head.status, head.body), (200, b""), "HEAD is answered and ends")
    expect_equal(still.request("/_live/sse/x/sse.queue").status, 404, "no way in from outside")


@test("pages of other origins may not connect; ours and those of PH_CORS_ORIGINS may")
def _():
    own = f"http://127.0.0.1:{still.port}"
    for origin, status in (("https://evil.example", 403), ("null", 403), ("https://panel.example", 101), (own, 101)):
        ws = Socket(still, headers={"Origin": origin})
        expect_equal(ws.status, status, origin)
        ws.close()
    stream = Stream(still, headers={"Origin": "https://panel.example"})
    expect_equal(stream.header("Access-Control-Allow-Origin"), ["https://panel.example"], "for a page that may")
    expect_equal(stream.header("Access-Control-Allow-Credentials"), [], "no cookies across origins")
    expect_equal(Stream(still).header("Access-Control-Allow-Origin"), [], "without an Origin")


@test("a ticket opens one stream, once, within 30 seconds, and nothing else")
def _():
    viewer = moving.make_token("root", "--scopes", "dashboard:read")
    one = ticket(moving, viewer)
    expect(re.fullmatch(r"pht_[A-Za-z0-9_-]{43}", one), one)
    hashes = [row[0] for row in moving.connect().execute("SELECT hash FROM stream_tickets")]
    expect(hashlib.sha256(one.encode()).digest() in hashes, "only the hash is stored")
    expect_problem(moving.request(f"/dashboard/stats/queue?ticket={one}", token=""), 401, "credentials_missing")
    stream = Stream(moving, f"{STREAM}?ticket={one}", token="")
    expect_equal(stream.status, 200, stream.headers)
    expect_equal(set(stream.take("overview", "queue")), {"overview", "queue"}, "it is a stream")
    for path in PATHS:
        answer = problem(Connection(moving, f"{path}?ticket={one}", UPGRADE, ""))
        expect_problem(answer, 401, "credentials_invalid")
    two = ticket(moving, viewer)
    ws = Socket(moving, f"{SOCKET}?ticket={two}", token="")
    expect_equal((ws.status, {json.loads(ws.next())["type"] for _ in range(2)}), (101, {"overview", "queue"}),
                 "a WebSocket, too")
    late = ticket(moving, viewer)
    moving.sql(f"UPDATE stream_tickets SET expires_at = {int(time.time() * 1000) - 1}")
    expect_problem(problem(Connection(moving, f"{STREAM}?ticket={late}", {}, "")), 401, "token_expired")
    expect_equal(moving.connect().execute("SELECT count(*) FROM stream_tickets").fetchone(), (0,), "used up")
    expect_problem(moving.request("/dashboard/ws-ticket", "POST", token=""), 401, "credentials_missing")
    orphan = ticket(moving, viewer)
    moving.run("token", "revoke", token_id(viewer))
    expect_problem(problem(Connection(moving, f"{STREAM}?ticket={orphan}", {}, "")), 401, "token_revoked")
    expect(stream.end() and ws.end(), "streams of a ticket end with its token")
    expect_equal(moving.request("/dashboard/ws-ticket").status, 405, "GET")
    logs = "".join(p.read_text(errors="replace") for p in (moving.home / "log").iterdir())
    expect("/dashboard/stream" in logs, "the access log")
    for secret in (one, two, late, orphan):
        expect(secret not in logs, "no ticket in a log")


@test("a stream ends soon after its token does, whatever ended it; others go on")
def _():
    way = {
        "revoked": lambda t: moving.run("token", "revoke", t),
        "expired": lambda t: moving.sql(f"UPDATE api_tokens SET expires_at = {int(time.time() * 1000)} WHERE id = '{t}'"),
        "removed": lambda t: moving.sql(f"DELETE FROM api_tokens WHERE id = '{t}'"),
        "without the scope": lambda t: moving.sql(f"UPDATE api_tokens SET scopes = 'guides:read' WHERE id = '{t}'"),
        "of a disabled user": lambda t: moving.run("user", "disable", "leaver"),
    }
    moving.add_user("leaver", "viewer")
    tokens = {name: moving.make_token("leaver") for name in way}
    streams = {name: (Stream(moving, token=t), Socket(moving, token=t)) for name, t in tokens.items()}
    other = Stream(moving, f"{STREAM}?topics=overview")
    other.next()
    add_videos()                # with this the publisher has seen the tokens, too
    other.next()
    for name, end in way.items():
        end(token_id(tokens[name]))
    for name, (stream, ws) in streams.items():
        expect(stream.end(), name)
        expect(ws.end() in (1000, 1001), name)
    for name, token in tokens.items():
        wait_until(lambda: Stream(moving, token=token).status in (401, 403), f"{name}: no way back", 3)
    add_videos()
    expect_equal(other.next()["event"], "overview", "another's stream goes on")


# -- many, slow, gone ----------------------------------------------------------------


@test("fifty clients on two nginx workers see the same sequence")
def _():
    streams = [Stream(moving, f"{STREAM}?topics=overview,campaigns") for _ in range(50)]
    begin = {s.take("overview", "campaigns")["overview"]["data"] for s in streams}
    expect_equal(len(begin), 1, "one beginning")
    first = total = json.loads(begin.pop())["total_videos"] + 2
    add_videos(n=2)
    streams[0].until("overview", lambda data: data["total_videos"] == first)
    for _ in range(3):
        add_videos(n=2)
        total += 2
        streams[0].until("overview", lambda data: data["total_videos"] == total)
    sequences = set()
    for s in streams[1:]:
        # What was told again while the others still connected is not for all.
        s.until("overview", lambda data: data["total_videos"] == first)
        seen = []
        while not seen or seen[-1][1] != total:
            event = s.next()
            seen.append((event["event"], json.loads(event["data"]).get("total_videos"), event["id"]))
        sequences.add(tuple(seen))
    expect_equal(len(sequences), 1, "one sequence")
    published = nchan(moving)["total published messages"]
    for s in streams:
        s.close()
    wait_until(lambda: nchan(moving)["subscribers"] == 0, "all are gone", WAIT_S)
    expect(published < 5000, "messages do not grow with clients")


@test("a client that does not read holds up nobody")
def _():
    slow = [Stream(moving, receive_buffer=1) for _ in range(3)]
    quick = Stream(moving, f"{STREAM}?topics=overview")
    total = json.loads(quick.next()["data"])["total_videos"]
    for _ in range(3):
        add_videos()
        total += 1
        expect(quick.until("overview", lambda data: data["total_videos"] == total), "a change")
    for s in slow:
        s.close()


@test("no more than so many streams of one token, and of all: 503 with Retry-After, until one ends")
def _():
    small = Instance(PH_LIVE_STREAMS=4, PH_LIVE_STREAMS_TOKEN=2).with_admin()
    other = small.make_token("root")
    small.start()
    streams = [Stream(small), Socket(small)]
    expect_equal([s.status for s in streams], [200, 101], "two")
    for refused in (Stream(small), Socket(small)):
        answer = problem(refused)
        expect_problem(answer, 503, "too_many_streams", retryable=True)
        expect_equal(answer.headers.get_all("Retry-After"), ["30"], "when to come again")
    streams[0].close()
    wait_until(lambda: Stream(small).status == 200, "room again", WAIT_S)
    streams += [Stream(small, f"{STREAM}?ticket={ticket(small, other)}", token="") for _ in range(2)]
    expect_equal(Stream(small, f"{STREAM}?ticket={ticket(small, other)}", token="").status, 503,
                 "with tickets it is the token that counts")
    small.stop()


@test("the publisher is killed and comes back; clients notice nothing but later news")
def _():
    stream = Stream(moving, f"{STREAM}?topics=overview")
    total = json.loads(stream.next()["data"])["total_videos"]
    older = Socket(moving, ALERTS)
    for how in (signal.SIGKILL, signal.SIGTERM):
        (pid,) = moving.workers("job-publisher")
        os.kill(pid, how)
        add_videos()
        fire(f"killed{how}", now_ms())
        total += 1
        stream.until("overview", lambda data: data["total_videos"] == total)
        # Those of the second in which the last was told may be told again; none is lost.
        while json.loads(older.next())["id"] != f"killed{how}":
            pass
        wait_until(lambda: moving.workers("job-publisher") not in ([], [pid]), "another process", WAIT_S)
    log = (moving.home / "log" / "jobs.log").read_text()
    expect("error" not in log, log)


@test("nginx is reloaded: streams end, and who comes back finds everything again")
def _():
    def kept():
        return nchan(moving)["stored messages"] >= 13
    stream, ws = Stream(moving), Socket(moving)
    stream.next(), ws.next()
    os.kill(int((moving.home / "run" / "nginx.pid").read_text()), signal.SIGHUP)
    expect(stream.end(), "the stream ends")
    expect(ws.end() is not None, "the WebSocket ends")

    def connect_again():        # perhaps to a worker that is about to end
        try:
            return Stream(moving, f"{STREAM}?topics={','.join(STATS)},telemetry").take(*STATS, "telemetry")
        except (Ended, ConnectionError):
            return None
    wait_until(connect_again, "every topic", WAIT_S)
    wait_until(kept, "all messages", WAIT_S)


@test("nginx is killed and started again, beside the socket it left behind")
def _():
    (master,) = {moving.status()["nginx"]["process_group"]}
    os.killpg(master, signal.SIGKILL)
    wait_until(lambda: moving.status()["nginx"]["workers"] == 0, "nginx is gone", WAIT_S)
    expect((moving.home / "run" / "publish.sock").exists(), "the socket is left")
    moving.run("start")
    Stream(moving, f"{STREAM}?topics={','.join(STATS)}").take(*STATS)


@test("nginx stops although streams are open, and ends them")
def _():
    stream, ws, older = Stream(moving), Socket(moving), Socket(moving, TELEMETRY)
    moving.run("stop")
    moving.is_started = False
    expect(stream.end(), "the stream ends")
    for one in (ws, older):
        expect(one.end() is not None, "the WebSocket ends")


run()
