"""Clients of the live streams, and what they cost the server."""
import http.client
import selectors
import socket
import threading
import time
from pathlib import Path

from processes import Missing, descendants

FIRST_MESSAGES_S = 20
BROWSER = "gzip, deflate"       # what every browser accepts


def cpu_s(home):
    """CPU seconds that the processes of an instance have used, by group: nginx, workers, publisher."""
    used = {}
    for leader in (Path(home) / "run").glob("*.leader"):
        group = int(leader.read_text().split()[0])
        used[leader.stem] = sum(on_cpu_ns(pid) for pid in descendants(group)) / 1e9
    return used


def on_cpu_ns(pid):
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    except OSError:
        return 0        # it ended meanwhile


class Readers(threading.Thread):
    """n event streams, read by one thread; counts the events of each."""

    def __init__(self, port, token, n, topics):
        super().__init__(daemon=True)
        self.events = [0] * n
        self.has_lost = False
        self.is_ending = False
        self._selector = selectors.DefaultSelector()
        for i in range(n):
            sock = socket.create_connection(("127.0.0.1", port))
            sock.sendall(f"GET /dashboard/stream?topics={topics} HTTP/1.1\r\nHost: bench\r\n"
                         f"Accept: text/event-stream\r\nAccept-Encoding: {BROWSER}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            self._selector.register(sock, selectors.EVENT_READ, i)

    def run(self):
        while not self.is_ending:
            for key, _ in self._selector.select(0.1):
                data = key.fileobj.recv(65536)
                if not data:
                    self.has_lost = True
                    self._selector.unregister(key.fileobj)
                self.events[key.data] += data.count(b"\ndata:")

    def wait_for_first(self, n):
        limit = time.monotonic() + FIRST_MESSAGES_S
        while min(self.events) < n:
            if time.monotonic() > limit:
                raise Missing(f"a stream has {min(self.events)} events after {FIRST_MESSAGES_S} s")
            time.sleep(0.05)

    def end(self):
        self.is_ending = True
        self.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        if self.has_lost:
            raise Missing("a stream has ended by itself")


def poll(port, token, paths, n, seconds):
    """n clients with a connection each ask for all paths once a second.  How many requests it was."""
    connections = [http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(n)]
    requests = 0
    turn = time.monotonic()
    end = turn + seconds
    while turn < end:
        for i, connection in enumerate(connections):
            for path in paths:
                connection.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept-Encoding": BROWSER})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise Missing(f"{path} answers {answer.status}")
                requests += 1
            # Spread over the second.
            time.sleep(max(0, turn + (i + 1) / n - time.monotonic()))
        turn += 1
    for connection in connections:
        connection.close()
    return requests
