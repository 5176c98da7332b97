"""A receiver of webhooks that can misbehave.

The path says how: /ok, /status/500, /redirect, /hang (no answer until release()), /cut (the head of an answer
and the end), /silent (the end at once), /huge (a 200 that does not end soon), /slow (a 200 whose body does
not come until release()).
"""
import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler

HUGE_BYTES = 64 * 1024 * 1024


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        server = self.server.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.requests.append((self.path, self.headers, body))
        server.arrived.set()
        self.close_connection = True
        how = self.path.split("?")[0].split("/")
        if how[1] == "status":
            self.answer(int(how[2]), b"as it was asked to\n")
        elif how[1] == "redirect":
            self.answer(302, b"", Location=f"{server.url}/ok")
        elif how[1] == "hang":
            server.released.wait()
        elif how[1] == "silent":
            pass
        elif how[1] == "cut":
            self.head(200, 1000)
            self.wfile.write(b"only this")
        elif how[1] == "slow":
            self.head(200, 1000)
            self.wfile.flush()
            server.released.wait()
        elif how[1] == "huge":
            self.head(200, HUGE_BYTES)
            for _ in range(HUGE_BYTES // 65536):
                self.wfile.write(bytes(65536))
        else:
            self.answer(200, b"thanks")

    def head(self, status, length, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def answer(self, status, body, **headers):
        self.head(status, len(body), **headers)
        self.wfile.write(body)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass        # clients go away, that is the point


class Receiver:
    """Listens on a free port of the loopback interface; certificate: (cert, key) files for TLS."""

    def __init__(self, certificate=None):
        self.requests = []          # (path, headers, body)
        self.arrived = threading.Event()
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.receiver = self
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def release(self):
        self.released.set()

    def close(self):
        self.release()
        self._server.shutdown()
        self._server.server_close()
