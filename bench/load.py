"""Load by wrk, and figures that stand noise: rounds of A and B in turn, the median of ratios."""
import math
import re
import statistics
from dataclasses import dataclass

from processes import Missing, output_of

WARM_S = 1
LONGEST_S = 25        # for who answers nothing in less
TIMEOUT_S = 20      # a rival that counts the base tables is slow
UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60000.0}


@dataclass
class Load:
    per_s: float
    p50_ms: float
    p99_ms: float
    requests: int
    failures: int       # socket errors, timeouts and answers other than 2xx


def wrk(url, token, connections, seconds, script=None):
    """script: of wrk's own language, for what is not a GET."""
    text = output_of(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *(("-s", script) if script else ()),
                      "--timeout", f"{TIMEOUT_S}s", "-H", f"Authorization: Bearer {token}", url])

    def ms(percent):
        found = re.search(rf"^ +{percent}% +([\d.]+)(us|ms|s|m)$", text, re.M)
        return float(found.group(1)) * UNITS_MS[found.group(2)] if found else math.nan     # too few requests

    failures = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    if requests == 0:
        if seconds >= LONGEST_S:
            raise Missing(f"{url} answers nothing under load")
        return wrk(url, token, connections, seconds * 5, script)
    return Load(float(re.search(r"Requests/sec: +([\d.]+)", text).group(1)), ms(50), ms(99), requests,
                sum(map(int, failures.groups() if failures else ())) + int(refused.group(1) if refused else 0))


def rounds(targets, tokens, connections, seconds, n):
    """n rounds over {name: url}, one after the other, every second round backwards.
    tokens: one for all, or {name: token}.  {name: [Load, ...]}, same index for the same round."""
    def one(name, duration):
        token = tokens if isinstance(tokens, str) else tokens[name]
        load = wrk(targets[name], token, connections, duration)
        if load.failures:
            raise Missing(f"{targets[name]}: {load.failures} of {load.requests} requests failed")
        return load

    loads = {name: [] for name in targets}
    for name in targets:
        one(name, WARM_S)
    for i in range(n):
        for name in list(targets)[::-1 if i % 2 else 1]:
            loads[name].append(one(name, seconds))
    return loads


def ratio(loads, a, b, what="per_s"):
    """a/b of each round: the median, the lowest and the highest."""
    ratios = [getattr(x, what) / getattr(y, what) for x, y in zip(loads[a], loads[b])]
    return statistics.median(ratios), min(ratios), max(ratios)


def median(loads, name, what="per_s"):
    return statistics.median(getattr(x, what) for x in loads[name])
