"""Child processes of a benchmark run: started in groups of their own, ended at its end."""
import os
import signal
import socket
import subprocess
import time

START_WAIT_S = 20
STOP_WAIT_S = 10
STEP_S = 0.02


class Missing(Exception):
    """Something the machine lacks, or that does not start; the text says what to do."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, child):
    deadline = time.monotonic() + START_WAIT_S
    while time.monotonic() < deadline and child.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(STEP_S)
    raise Missing(f"{' '.join(map(str, child.args[:3]))} ... does not listen on port {port}")


def wait_for_file(path, child):
    deadline = time.monotonic() + START_WAIT_S
    while time.monotonic() < deadline and child.poll() is None:
        if os.path.exists(path):
            return
        time.sleep(STEP_S)
    raise Missing(f"{' '.join(map(str, child.args[:3]))} ... does not make {path}")


def output_of(argv, **options):
    """What a command prints; its failure with what it said is a Missing."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, **options)
    if done.returncode != 0:
        raise Missing(f"{' '.join(map(str, argv[:4]))} ...: {done.stderr.strip()[-600:]}")
    return done.stdout


class Children:
    """What was started and how it ends, the last one first."""

    def __init__(self):
        self._ends = []

    def start(self, argv, log, **options):
        with open(log, "ab") as out:
            child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out,
                                     stderr=out, start_new_session=True, **options)
        self.at_end(lambda: self._end(child))
        return child

    def at_end(self, action):
        self._ends.append(action)

    @staticmethod
    def _end(child):
        for sig in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(child.pid, sig)
                child.wait(STOP_WAIT_S)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        child.wait()

    def end_all(self):
        while self._ends:
            self._ends.pop()()


def descendants(pid):
    """The process and all below it."""
    found = [pid]
    for p in found:
        try:
            with open(f"/proc/{p}/task/{p}/children") as f:
                found += [int(c) for c in f.read().split()]
        except OSError:
            pass
    return found


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    raise Missing(f"no Pss in /proc/{pid}/smaps_rollup")
