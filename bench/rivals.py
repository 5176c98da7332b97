"""What one would use instead: FastAPI + SQLAlchemy and Fastify + better-sqlite3, on the same file."""
import os
import shutil
from pathlib import Path

from processes import Missing, free_port, output_of, wait_for_port

HERE = Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"     # the one that Debian's packages belong to
KINDS = ("direct", "counters")
FIGURES = ("queue", "overview")
KEPT_CONNECTIONS = 16
NODE_HEADERS = Path("/usr/include/node/node.h")


def start_fastapi(children, database, workers, log, bench_dir):
    del bench_dir
    try:
        output_of([PYTHON, "-c", "import fastapi, sqlalchemy, uvicorn"])
    except Missing as e:
        raise Missing("apt-get install python3-fastapi python3-uvicorn python3-uvloop "
                      "python3-httptools python3-sqlalchemy") from e
    port = free_port()
    child = children.start([PYTHON, "-m", "uvicorn", "app:app", "--app-dir", HERE / "fastapi",
                            "--host", "127.0.0.1", "--port", port, "--workers", workers,
                            "--no-access-log", "--log-level", "warning"], log,
                           env=os.environ | {"BENCH_DB": str(database), "PYTHONDONTWRITEBYTECODE": "1"})
    wait_for_port(port, child)
    return port, child


def node_home(bench_dir, name, probe):
    """A directory with the program bench/NAME/app.js and the packages that it needs, which the probe finds."""
    home = Path(bench_dir) / name
    wanted = (HERE / name / "package.json").read_text()
    mark = home / "installed.json"
    if not mark.exists() or mark.read_text() != wanted:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        (home / "package.json").write_text(wanted)
        if shutil.which("npm") is None:
            raise Missing("node and npm are needed")
        # No prebuilt binary need be reachable: the sources come with the package.
        headers = {"npm_config_nodedir": "/usr"} if NODE_HEADERS.exists() else {}
        output_of(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=home,
                  env=os.environ | headers)
        output_of(["node", "-e", probe], cwd=home)
        mark.write_text(wanted)
    shutil.copy(HERE / name / "app.js", home)
    return home


def start_fastify(children, database, workers, log, bench_dir):
    home = node_home(bench_dir, "fastify", "require('better-sqlite3')(':memory:')")
    port = free_port()
    child = children.start(["node", "app.js"], log, cwd=home, env=os.environ | {
        "NODE_ENV": "production", "BENCH_DB": str(database), "BENCH_PORT": str(port),
        "BENCH_WORKERS": str(workers), "BENCH_STATEMENTS": str(HERE / "statements.json")})
    wait_for_port(port, child)
    return port, child


STARTS = {"FastAPI": start_fastapi, "Fastify": start_fastify}


def path_of(name, kind, figure):
    return f"/{name.lower()}/{kind}/{figure}"


def upstream(name, port):
    return (f"upstream bench_{name.lower()} {{\n\tserver 127.0.0.1:{port} max_fails=0;\n"
            f"\tkeepalive {KEPT_CONNECTIONS};\n}}\n")


def locations(name):
    """Our protected location with another server behind it."""
    def make(target):
        def body(ours):
            kept = [line for line in ours.splitlines(True) if "fastcgi" not in line]
            return "".join(kept) + ("\t\tproxy_http_version 1.1;\n\t\tproxy_set_header Connection \"\";\n"
                                    f"\t\tproxy_pass http://bench_{name.lower()}{target};\n")
        return body
    return {path_of(name, kind, figure): make(f"/{kind}/{figure}") for kind in KINDS for figure in FIGURES}
