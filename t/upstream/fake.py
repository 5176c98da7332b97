"""An HTTP service on the loopback interface that can misbehave: the base of every fake upstream.

A subclass says what is normal, answer(hit) -> Reply.  A fault stands in front of that:

    up.misbehave(hang)                                      all requests, until behave()
    up.misbehave(status(503), where="/shows/", times=2)     the next two whose target contains the text
    up.misbehave(cut, skip=3)                               all after the next three

behave() takes every fault away and lets go of whoever hangs.  refuse() closes the port, accept() opens the
same one again.
"""
import json
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import traceback
import urllib.parse
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

HUGE_BYTES = 64 * 1024 * 1024


class Hit(NamedTuple):
    """A request as it came."""
    method: str
    target: str             # path with query
    headers: object         # a mapping that ignores case
    body: bytes
    at: float               # monotonic

    @property
    def path(self):
        return urllib.parse.unquote(self.target.partition("?")[0])

    @property
    def query(self):
        """The list of values of each parameter."""
        return urllib.parse.parse_qs(self.target.partition("?")[2], keep_blank_values=True)


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: dict


def as_json(value, status=200, **headers):
    """Pretty-printed, as a service does that people look at, too."""
    return Reply(status, json.dumps(value, indent=2).encode(), {"Content-Type": "application/json", **headers})


# -- faults: functions of a talk, which is one request and its connection ------------------


def hang(talk):
    """No answer until behave()."""
    talk.wait()


def silent(_talk):
    """The end of the connection instead of an answer."""


def cut(talk):
    """Half of the answer, and the end of the connection."""
    reply = talk.normal()
    talk.head(reply, len(reply.body))
    talk.wfile.write(reply.body[:len(reply.body) // 2])


def huge(talk):
    """An answer that is all right but for its length: white space follows it."""
    reply = talk.normal()
    talk.head(reply, len(reply.body) + HUGE_BYTES)
    talk.wfile.write(reply.body)
    for _ in range(HUGE_BYTES // 65536):
        talk.wfile.write(b" " * 65536)


def html(talk):
    """A page where data should be, as some proxy in between would send."""
    talk.send(Reply(200, b"<!doctype html><title>Hello</title><p>upstream's page", {"Content-Type": "text/html"}))


def broken(talk):
    """JSON that ends too early, in an answer that is whole."""
    reply = talk.normal()
    talk.send(reply._replace(body=reply.body.rstrip()[:-1]))


def slow(seconds):
    """The answer, late."""
    def fault(talk):
        talk.wait(seconds)
        talk.send(talk.normal())
    return fault


def drip(seconds):
    """The answer, byte by byte, with so long a time between two."""
    def fault(talk):
        reply = talk.normal()
        talk.head(reply, len(reply.body))
        for byte in reply.body:
            talk.wfile.write(bytes([byte]))
            talk.wait(seconds)
    return fault


def status(code, body=b"upstream's own words", **headers):
    """Another status; an underscore in a header's name stands for a hyphen."""
    reply = Reply(code, body, {name.replace("_", "-"): str(value) for name, value in headers.items()})
    return lambda talk: talk.send(reply)


def odd(make):
    """What make() makes of the normal value, as JSON; bytes go out as they are."""
    def fault(talk):
        reply = talk.normal()
        value = make(json.loads(reply.body))
        talk.send(reply._replace(body=value if isinstance(value, bytes) else json.dumps(value).encode()))
    return fault


# -- the server ----------------------------------------------------------------------------


class _Talk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.hit = Hit(self.command, self.path, self.headers, body, time.monotonic())
        self.released = self.server.upstream.released
        fault = self.server.upstream.note(self.hit)
        if fault:
            self.close_connection = True
            fault(self)
        else:
            self.send(self.normal())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def normal(self):
        upstream = self.server.upstream
        try:
            return upstream.answer(self.hit)
        except Exception:
            upstream.errors.append(traceback.format_exc())
            return as_json({"error": upstream.errors[-1]}, 500)

    def head(self, reply, length):
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def send(self, reply):
        self.head(reply, len(reply.body))
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def wait(self, seconds=None):
        self.released.wait(seconds)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, upstream, port):
        self.upstream, self.talks = upstream, set()
        super().__init__(("127.0.0.1", port), _Talk)

    def get_request(self):
        sock, address = self.socket.accept()
        self.upstream.connections += 1
        if self.upstream.tls:
            # The handshake is left to the connection's own thread: nobody else waits for it.
            sock = self.upstream.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self.talks.add(sock)
        return sock, address

    def shutdown_request(self, request):
        self.talks.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_):
        # That clients go away is the point.
        if not isinstance(sys.exc_info()[1], OSError):
            self.upstream.errors.append(traceback.format_exc())


class Upstream:
    """Listens on a free port of the loopback interface; certificate: (cert, key) files for TLS."""

    def __init__(self, certificate=None):
        self.hits = []
        self.connections = 0
        self.errors = []            # mistakes of the fake or of a fault
        self.released = threading.Event()
        self._faults = []           # [fault, where, times, skip]
        self._lock = threading.Lock()
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        self.port = 0
        self.accept()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"

    def answer(self, hit):
        """The normal reply to a request."""
        raise NotImplementedError

    def note(self, hit):
        """Keep a request; the fault that it meets, or None."""
        with self._lock:
            self.hits.append(hit)
            for entry in self._faults:
                fault, where, times, skip = entry
                if where not in hit.target or times == 0:
                    continue
                if skip == 0:
                    entry[2] = times and times - 1
                    return fault
                entry[3] -= 1
            return None

    def count(self, text=""):
        """Requests whose target contains text."""
        return sum(text in hit.target for hit in tuple(self.hits))

    def misbehave(self, fault, where="", times=None, skip=0):
        """Add a fault behind those that there are."""
        with self._lock:
            self._faults.append([fault, where, times, skip])

    def behave(self):
        with self._lock:
            self._faults.clear()
            self.released.set()
            self.released = threading.Event()

    def refuse(self):
        """Close the port and every connection."""
        self._server.shutdown()
        self._server.server_close()
        for sock in tuple(self._server.talks):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass        # it went by itself

    def accept(self):
        """Listen; from the second time on where it was."""
        self._server = _Server(self, self.port)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


def self_signed(directory):
    """A key and a certificate for localhost and 127.0.0.1 that is its own authority: (cert, key) files."""
    cert, key = str(directory / "cert.pem"), str(directory / "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    return cert, key
