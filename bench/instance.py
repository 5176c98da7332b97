"""One installation with demonstration data, and an nginx in front of it that has a few more locations:
/nocache/... (a route without the micro-cache), /empty, /return200, and what rivals ask for."""
import hashlib
import os
import re
import shutil
import time
from pathlib import Path

from processes import Missing, free_port, output_of, wait_for_file, wait_for_port

ROUTES = {name: f"/dashboard/stats/{name}"
          for name in ("overview", "queue", "orchestrator", "platforms", "campaigns")}
DATA_MAX_AGE_S = 24 * 3600      # the demonstration data ends at the time it was made
SETTINGS = {"PH_RATE_TOKEN": "0", "PH_RATE_ADDRESS": "0", "PH_ADDRESS": "127.0.0.1"}


class Instance:
    """Data of so many publish logs in BENCH_DIR/rows-N, made once and used again."""

    KIND = "rows"

    def __init__(self, build, source, bench_dir, rows):
        self.build = build
        self.source = Path(source)
        self.home = Path(bench_dir) / f"{self.KIND}-{rows}"
        self.rows = rows
        self.port = free_port()
        self._own_port = free_port()    # of the nginx that `pilothouse start` starts
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("PH_")} | SETTINGS
        self._schema = hashlib.sha256(b"".join(path.read_bytes() for path in self.made_of())).hexdigest()
        self._make_data()
        self.token = (self.home / "bench.token").read_text().strip()

    def pilothouse(self, *args, port=None):
        return output_of([self.build / "pilothouse", "--home", self.home, *args],
                         env=self.env | {"PH_PORT": str(port or self._own_port)})

    def made_of(self):
        """The files that data made of others would be other data."""
        return [self.source / "schema.sql"]

    def fill(self):
        self.pilothouse("demo", "--rows", str(self.rows))

    def _make_data(self):
        mark = self.home / "bench.schema"
        if mark.exists() and mark.read_text() == self._schema and \
                time.time() - mark.stat().st_mtime < DATA_MAX_AGE_S:
            return
        shutil.rmtree(self.home, ignore_errors=True)
        self.pilothouse("init")
        self.pilothouse("user", "add", "bench", "--role", "admin")      # who the demonstration's podcast belongs to
        self.fill()
        token = self.home / "bench.token"
        token.touch(mode=0o600)
        token.write_text(self.pilothouse("token", "create", "--user", "bench", "--name", "bench"))
        mark.write_text(self._schema)

    def forget_data(self):
        """It was written to: the next who wants it makes it anew."""
        (self.home / "bench.schema").unlink(missing_ok=True)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self, children, workers, more_upstreams="", more_locations=None):
        """more_locations: {path: a function from a protected location's body to another body}."""
        self.env["PH_WORKERS"] = str(workers)
        children.at_end(lambda: self.pilothouse("stop"))
        self.pilothouse("start")
        self.forget_logs()
        conf = self.home / "run" / "bench.conf"
        conf.write_text(self._configuration(more_upstreams, more_locations or {}))
        (self.home / "run" / "bench-publish.sock").unlink(missing_ok=True)
        for name in ("answers", "tokens", "body", "fastcgi", "proxy", "uwsgi", "scgi"):
            (self.home / "bench-cache" / name).mkdir(parents=True, exist_ok=True)
        nginx = children.start(["nginx", "-c", conf, "-e", self.home / "log" / "bench.log",
                                "-g", "daemon off;"], self.home / "log" / "bench.log",
                               env=self.env | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        wait_for_port(self.port, nginx)

    def forget_logs(self):
        """Millions of requests make gigabytes of log."""
        for log in (self.home / "log").glob("*.log"):
            os.truncate(log, 0)

    def workers(self, route):
        """The pids that answer a route."""
        leader = int((self.home / "run" / f"{route}.leader").read_text().split()[0])
        return [int(p) for p in Path(f"/proc/{leader}/task/{leader}/children").read_text().split()]

    def _configuration(self, more_upstreams, more_locations):
        """The configuration `pilothouse start` makes, with own files, and with more locations."""
        text = self.pilothouse("routes", "--nginx", port=self.port)
        home = re.escape(str(self.home))
        for own, ours in ((rf"{home}/run/nginx\.pid", "run/bench.pid"), (rf"{home}/cache/", "bench-cache/"),
                          (rf"{home}/log/", "log/bench-"), (rf"{home}/run/publish\.sock", "run/bench-publish.sock")):
            text, n = re.subn(own, f"{self.home}/{ours}", text)
            if n == 0:
                raise Missing(f"the nginx configuration has no {own}")
        bodies = dict(re.findall(r"^\tlocation = (/\S*) \{\n(.*?)^\t\}\n", text, re.M | re.S))
        made = "".join(f"\tlocation = /nocache{path} {{\n{without_cache(bodies[path])}\t}}\n"
                       for path in ROUTES.values())
        made += "\tlocation = /return200 {\n\t\tdefault_type application/json;\n\t\treturn 200 '{}';\n\t}\n"
        for path, make in more_locations.items():
            made += f"\tlocation = {path} {{\n{make(without_cache(bodies[ROUTES['queue']]))}\t}}\n"
        text = text.replace("\nserver {\n", "\n" + more_upstreams + "server {\n", 1)
        return text.replace("\tlocation = / {\n", made + "\tlocation = / {\n", 1)


def without_cache(body):
    return "".join(line for line in body.splitlines(True)
                   if "cached.conf" not in line and "fastcgi_cache" not in line)


def empty_upstream(home, keepalive):
    """nginx must hold fewer connections open than the empty program has workers, because
    plain libfcgi serves one connection until it closes."""
    return (f"upstream ph_empty {{\n\tserver unix:{home}/run/empty.sock max_fails=0;\n"
            f"\tkeepalive {keepalive};\n}}\n")


def start_empty(children, instance, program, workers):
    sock = instance.home / "run" / "empty.sock"
    sock.unlink(missing_ok=True)
    child = children.start(["spawn-fcgi", "-s", sock, "-M", "0600", "-n", "--", "/usr/bin/env",
                            "multiwatch", "-f", str(workers), "-s", "TERM", "--", program],
                           instance.home / "log" / "bench.log")
    wait_for_file(sock, child)


def empty_location(body):
    """The protected location with the empty program behind it."""
    return re.sub(r"fastcgi_pass ph_\S+;", "fastcgi_pass ph_empty;", body)
