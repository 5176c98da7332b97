#!/usr/bin/env -S /usr/bin/python3 -B
"""Exports: files that other programs read back cell by cell, streamed in little memory, audited."""
import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from harness import (LIBEXEC, NOW, STATS, Instance, expect, expect_equal, expect_problem, run, scratch, test, wait_until)

MEMORY_MAX_KIB = 8 * 1024
XLSX_ROWS_MAX, CSV_ROWS_MAX = 200000, 1000000
CELL_MAX = 32767
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TYPES = {"csv": "text/csv; charset=utf-8; header=present", "tsv": "text/tab-separated-values; charset=utf-8",
         "ndjson": "application/x-ndjson",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
DATASETS = ("publications", "jobs", "clips", "campaigns", "videos", "ledger", "alerts", "runs", "audit")
NASTY = ["plain", "", " spaces ", 'say "no"', "a,b;c", "line\nbreak", "cr\rhere", "crlf\r\nboth", "tab\there", "=1+1", "+1", "-1",
         "@sum", "\tfirst", "\rfirst", "'quoted", '"', '""', ",", ";", "Ünï", "日本", "😀" * 3, "\x01\x1f\x7f", "\ufffe", "\ufeffbom",
         "_x0041_", "<&>]]>", "=cmd|' /C calc'!A0", "x" * 5000, "100", "1e5", "TRUE", "2025-01-01", "\u2028"]


def guarded(text):
    """What a spreadsheet would take for a formula begins with an apostrophe."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text else text


instance = Instance(now=NOW, PH_WORKERS=1).with_admin()
with instance.connect() as _db:
    _db.execute("BEGIN IMMEDIATE")
    _db.execute("INSERT INTO video_assets (id, title, created_at, updated_at) VALUES ('v', 'Title', 1, 1)")
    _db.execute("INSERT INTO clips (id, video_asset_id, start_ms, end_ms, duration_ms, visual_score, created_at, updated_at)"
                " VALUES ('c', 'v', 0, 1, 1, 0.25, 1, 1)")
    for _n, _text in enumerate(NASTY):
        _db.execute("INSERT INTO campaigns (id, name, clip_id, budget_cents, targeting, created_at, updated_at)"
                    " VALUES (?, ?, 'c', ?, ?, ?, 1)", (f"k{_n:02}", _text, 5 * 10 ** 11 + _n, json.dumps({"t": _text}), NOW - _n))
        _db.execute("INSERT INTO publish_logs (id, clip_id, platform, status, error_message, retry_count, requested_at,"
                    " published_at, created_at, updated_at) VALUES (?, 'c', 'tiktok', 'success', ?, ?, ?, ?, 1, 1)",
                    (f"p{_n:02}", _text, -_n, NOW - _n, NOW))
    _db.execute("INSERT INTO campaigns (id, name, clip_id, budget_cents, targeting, created_at, updated_at) VALUES"
                " ('k99', CAST(x'61ff62fe' AS TEXT), 'c', 1, '{bad', 0, 1)")
    _db.execute("COMMIT")
_db.close()
instance.add_user("viewer", "viewer")
instance.add_user("operator", "operator")
viewer, operator = instance.make_token("viewer"), instance.make_token("operator")
instance.start()
NAMES = [*NASTY, "a\ufffdb\ufffd"]


def export(file, query="", **options):
    answer = instance.request(f"/dashboard/export/{file}{'?' + query if query else ''}", **options)
    expect(answer.status == 200, f"{file} {query}: {answer}")
    return answer


def read_csv(data, **dialect):
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True, **dialect))


def items(path):
    """Whole list by its pages."""
    found, body = [], instance.request(path).json
    while True:
        found += body["items"]
        if body["next_cursor"] is None:
            return found
        body = instance.request(f"{path}{'&' if '?' in path else '?'}cursor={body['next_cursor']}").json


def audit_rows():
    db = instance.connect()
    rows = db.execute("SELECT actor, target, path, status FROM audit_log WHERE action = 'export' ORDER BY id").fetchall()
    db.close()
    return rows


def worker():
    return instance.workers("dashboard-export")[0]


def expect_memory(pid, most_kib):
    """The most it ever used.  Under AddressSanitizer freed memory stays for a while: no figure then."""
    if b"__asan_init" in (LIBEXEC / "dashboard-export").read_bytes():
        return
    used = memory_kib(pid)
    expect(used <= most_kib, f"{used} KiB")


def naps(pid):
    """How often it went to sleep by itself."""
    return int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def memory_kib(pid):
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


# -- CSV, TSV, NDJSON ----------------------------------------------------------------


@test("CSV is read back cell by cell, whatever the cells hold")
def _():
    for sep, name in ((",", ","), (";", ";"), ("\t", "tab")):
        data = export("campaigns.csv", f"sep={name}").body
        rows = read_csv(data, delimiter=sep)
        column = rows[0].index("name")
        expect_equal([row[column] for row in rows[1:]], [guarded(n) for n in NAMES], f"names with {name}")
        expect_equal([len(row) for row in rows], [len(rows[0])] * len(rows), "cells in each row")
        targeting = rows[0].index("targeting")
        expect_equal(rows[1][targeting], '{"t": "plain"}', "JSON is its text")
        expect_equal(rows[-1][targeting], "{bad", "also when it is none")
    data = export("campaigns.csv", "fields=id").body
    expect_equal(data, b"id\r\n" + b"".join(b"k%02d\r\n" % n for n in range(len(NASTY))) + b"k99\r\n", "line ends")
    expect_equal(export("campaigns.csv", "fields=id&bom=1").body, b"\xef\xbb\xbf" + data, "with a byte order mark")
    expect_equal(export("ledger.csv", "fields=id,timestamp").body, b"id,timestamp\r\n", "an empty list")


@test("numbers, instants and money stand raw in CSV")
def _():
    rows = read_csv(export("publications.csv").body)
    first = dict(zip(rows[0], rows[6]))
    expect_equal((first["id"], first["retry_count"], first["requested_at"], first["age_seconds"], first["scheduled_for"],
                  first["processing_time_ms"]), ("p05", "-5", "2025-11-22T10:29:59.995Z", "0.005", "", "5"), "a publication")
    rows = read_csv(export("publications.csv", "time=ms&fields=requested_at").body)
    expect_equal(rows[:2], [["requested_at"], [str(NOW)]], "time=ms")
    rows = read_csv(export("campaigns.csv", "fields=budget").body)
    expect_equal(rows[1:3], [["5000000000.0"], ["5000000000.01"]], "cents exactly")


@test("TSV is the same with tabs and LF")
def _():
    data = export("campaigns.tsv").body
    rows = read_csv(data, delimiter="\t")
    column = rows[0].index("name")
    expect_equal([row[column] for row in rows[1:]], [guarded(n) for n in NAMES], "names")
    expect_equal(export("campaigns.tsv", "fields=id,status&limit=1").body, b"id\tstatus\nk00\tdraft\n", "bytes")


@test("each line of NDJSON is the item of the list")
def _():
    for name in DATASETS[:-1]:
        path = "/dashboard/" + ("orchestrator/runs" if name == "runs" else name)
        lines = export(f"{name}.ndjson").body.decode().split("\n")
        expect_equal(lines.pop(), "", "the last line ends")
        short = [json.loads(line) for line in lines]
        for item in short:
            for name_of in ("error_message", "name"):
                if name_of in item:
                    item[name_of] = item[name_of][:2048]        # in a list
            if "targeting" in item and len(json.dumps(item["targeting"])) > 2048:
                item["targeting"] = json.dumps(item["targeting"])[:2048]
        expect_equal(short, items(path), name)


@test("filters, order, fields and limit are those of the list")
def _():
    for query in ("q=%3D", "status=success&platform=tiktok&sort=published_at", "from=2025-11-22T10:29:59.990Z", "platform=x",
                  "sort=requested_at&limit=5", "offset=3&limit=4", "clip_id=c&days_back=1"):
        want = [item["id"] for item in items("/dashboard/publications?" + query)] if "limit" not in query else \
            [item["id"] for item in instance.request("/dashboard/publications?" + query).json["items"]]
        rows = read_csv(export("publications.csv", query + "&fields=status,id").body)
        expect_equal(rows, [["id", "status"], *([i, "success"] for i in want)], query)
    cursor = instance.request("/dashboard/publications?limit=2").json["next_cursor"]
    rows = read_csv(export("publications.csv", f"cursor={cursor}&limit=2&fields=id").body)
    expect_equal(rows[1:], [["p02"], ["p03"]], "a page by cursor")


@test("format= or Accept make a file of lists and statistics, of the same name and kind")
def _():
    for path, name in (("/dashboard/publications", "publications"), ("/dashboard/orchestrator/runs", "runs"),
                       *((f"/dashboard/stats/{s}", f"stats-{s}") for s in STATS)):
        instance.request(path)          # may be kept by nginx
        for kind, media in TYPES.items():
            direct = export(f"{name}.{kind}")
            expect_equal(direct.headers["Content-Type"], media, kind)
            expect_equal(direct.headers["Content-Disposition"], f'attachment; filename="{name}_20251122T103000Z.{kind}"', kind)
            expect_equal(direct.headers.get_all("Cache-Control"), ["private, no-store"], kind)
            answers = [instance.request(f"{path}?format={kind}")]
            for accept in (media.split(";")[0], media.split(";")[0] + ";q=0.9, */*;q=0.1"):
                answers.append(instance.request(path, headers={"Accept": accept}))
            for answer in answers:
                expect_equal(answer.status, 200, f"{path} {kind}: {answer}")
                for header in ("Content-Type", "Content-Disposition", "Cache-Control", "X-Content-Type-Options"):
                    expect_equal(answer.headers.get_all(header), direct.headers.get_all(header), f"{header} of {path} {kind}")
                if kind != "xlsx":
                    expect_equal(answer.body, direct.body, f"{path} {kind}")
        for accept in ("application/json", "*/*", "text/html, application/json, text/csv;q=0.1"):
            expect_equal(instance.request(path, headers={"Accept": accept}).headers["Content-Type"],
                         "application/json; charset=utf-8", f"{path} {accept}")
        expect_equal(instance.request(path + "?format=json", headers={"Accept": "text/csv"}).headers["Content-Type"],
                     "application/json; charset=utf-8", "format= wins")
    by_hand = instance.get("/dashboard/publications?format=csv&fields=id&limit=2")
    expect_equal(by_hand.split(), ["id", "p00", "p01"], "by hand")


@test("a statistic is one row, platforms are a row each")
def _():
    for name in STATS:
        for query in ("", "include=extended", "platform=tiktok&days_back=1", "include=extended&tz_offset=60"):
            rows = read_csv(export(f"stats-{name}.csv", query + "&time=ms").body)
            answer = json.loads(instance.get(f"/dashboard/stats/{name}?{query}&time=ms"), parse_float=str, parse_int=str)
            if name != "platforms":
                answer = {None: answer}
            expect_equal(len(rows), 1 + len(answer), name)
            for (key, one), row in zip(answer.items(), rows[1:]):
                cells = dict(zip(rows[0], row))
                if key is not None:
                    one = {"platform": key, **one}
                    failure = one.pop("last_failure", None)
                    if "include" in query:
                        one["last_failure_at"] = failure and failure["at"]
                        one["last_failure_error"] = failure and failure["error"]
                expect_equal(cells, {k: "" if v is None else v for k, v in one.items()}, f"{name} {query}")


@test("a chart is a table: time by series, weekday by hour, bins")
def _():
    db = instance.connect()
    db.executemany("INSERT INTO stat_samples (resolution_ms, at, metric, value) VALUES (60000, ?, 'overview.success_rate', ?)",
                   [(NOW - NOW % 60000 - 60000 * n, n / 8) for n in (2, 5)])
    db.close()
    metrics = "events.requested,events.published"
    for query in (f"metric={metrics}&days_back=2&step=1d", f"metric={metrics}&platform=other,tiktok&step=1h&tz_offset=90",
                  "metric=overview.success_rate&step=60s&from=-10m", "metric=overview.success_rate&step=5m&agg=avg&fill=prev"):
        answer = json.loads(instance.get(f"/dashboard/stats/history?{query}&time=ms"), parse_float=str, parse_int=str)
        series = answer["series"]
        expect(any(value not in (None, "0") for s in series for _, value in s["points"]), f"something in {query}")
        want = [["at", *(s["metric"] + ("." + s["platform"] if s["platform"] else "") for s in series)]]
        for points in zip(*(s["points"] for s in series)):
            want.append([points[0][0], *("" if value is None else value for _, value in points)])
        expect_equal(read_csv(export("stats-history.csv", query + "&time=ms").body), want, query)
        direct = instance.request(f"/dashboard/stats/history?format=csv&{query}&time=ms")
        expect_equal(direct.body, export("stats-history.csv", query + "&time=ms").body, "by format=")
        lines = export("stats-history.ndjson", query).body.decode().splitlines()
        expect_equal([list(json.loads(line)) for line in lines], [want[0]] * (len(want) - 1), "members of NDJSON")
    cells = instance.stat("heatmap", "metric=events.requested&tz_offset=-120")["cells"]
    expect(sum(n for _, _, n in cells) > 0, "something in the heatmap")
    expect_equal(read_csv(export("stats-heatmap.csv", "metric=events.requested&tz_offset=-120").body),
                 [["iso_weekday", "hour", "events"], *([str(x) for x in cell] for cell in cells)], "heatmap")
    for query in ("of=clip_score", "of=clip_duration&bins=3", "of=processing_time&bins=4"):
        answer = json.loads(instance.get(f"/dashboard/stats/distribution?{query}"), parse_float=str, parse_int=str)
        edges = answer["bins"]
        expect_equal(read_csv(export("stats-distribution.csv", query).body),
                     [["from", "to", "count"], *map(list, zip(edges, edges[1:], answer["counts"]))], query)
    expect_problem(instance.request("/dashboard/export/stats-history.csv"), 422, "invalid_parameter")
    expect_problem(instance.request("/dashboard/export/stats-history.csv?metric=none"), 422, "invalid_parameter")
    expect_problem(instance.request("/dashboard/stats/distribution?of=age&format=xlsx"), 422, "invalid_parameter")
    expect_problem(instance.request("/dashboard/stats/heatmap?format=csv", token=viewer), 403, "scope_missing")
    _, rows = read_xlsx(export("stats-history.xlsx", f"metric={metrics}&days_back=1&step=1d").body)
    expect_equal([rows[0][i][0] for i in range(len(rows[0]))], ["at", *metrics.split(",")], "names of XLSX")
    _, rows = read_xlsx(export("stats-report.xlsx").body)
    report = {row[0][0]: {column: cell[0] for column, cell in row.items() if column > 0} for row in rows}
    queue = json.loads(instance.get("/dashboard/stats/queue"))
    expect_equal([report["statistics.queue.pending"], report["analysis.queue_health"]],
                 [{1: queue["pending"]}, {2: json.loads(instance.get("/dashboard/ai/analyze"))["queue_health"]}], "the report")


# -- XLSX ----------------------------------------------------------------------------


def read_xlsx(data):
    """Sheet name, rows of (value, style) and the parts, checked as XML."""
    book = zipfile.ZipFile(io.BytesIO(data))
    expect_equal(book.testzip(), None, "check sums")
    parts = {n: ElementTree.fromstring(book.read(n)) for n in book.namelist()}
    for needed in ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/styles.xml", "xl/worksheets/sheet1.xml"):
        expect(needed in parts, needed)
    sheet = parts["xl/worksheets/sheet1.xml"]
    shared = [("".join(t.text or "" for t in s.iter(SHEET + "t"))) for s in parts["xl/sharedStrings.xml"]] \
        if "xl/sharedStrings.xml" in parts else []
    rows = []
    for row in sheet.iter(SHEET + "row"):
        cells = {}
        for cell in row.iter(SHEET + "c"):
            kind, value = cell.get("t"), cell.find(SHEET + "v")
            if kind == "inlineStr":
                value = "".join(t.text or "" for t in cell.iter(SHEET + "t"))
            elif kind == "s":
                value = shared[int(value.text)]
            elif kind == "b":
                value = value.text == "1"
            else:
                value = float(value.text)
            column = 0
            for letter in re.match("[A-Z]+", cell.get("r"))[0]:
                column = column * 26 + ord(letter) - 64
            cells[column - 1] = (value, int(cell.get("s", 0)))
        rows.append(cells)
    return parts, rows


def unescaped(text):
    """_xHHHH_ as spreadsheets read it."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda m: chr(int(m[1], 16)), text)


def printable(text):
    """Characters that XML 1.0 has."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)


@test("XLSX holds texts as texts, numbers as numbers, instants as dates, under a frozen bold header")
def _():
    parts, rows = read_xlsx(export("campaigns.xlsx").body)
    header = [v for v, _ in rows[0].values()]
    expect_equal(header, list(items("/dashboard/campaigns?limit=1")[0]), "header")
    name, created, budget = (header.index(n) for n in ("name", "created_at", "budget"))
    seen = [unescaped(row.get(name, ("", 0))[0]) for row in rows[1:]]
    # XML reads CR and CRLF as LF.
    expect_equal([s.replace("\r\n", "\n").replace("\r", "\n") for s in seen],
                 [printable(n).replace("\r\n", "\n").replace("\r", "\n") for n in NAMES], "names")
    expect_equal(round((rows[1][created][0] - 25569) * 86400000), NOW, "a date")
    expect_equal(rows[2][budget][0], 5000000000.01, "money")
    styles = parts["xl/styles.xml"]
    formats = {int(f.get("numFmtId")): f.get("formatCode") for f in styles.iter(SHEET + "numFmt")}
    cell_formats = styles.find(SHEET + "cellXfs")
    expect(formats[int(cell_formats[rows[1][created][1]].get("numFmtId"))].startswith("yyyy-mm-dd hh:mm:ss"), "date format")
    fonts = styles.find(SHEET + "fonts")
    expect(fonts[int(cell_formats[rows[0][0][1]].get("fontId"))].find(SHEET + "b") is not None, "bold header")
    pane = next(parts["xl/worksheets/sheet1.xml"].iter(SHEET + "pane"))
    expect_equal((pane.get("ySplit"), pane.get("state")), ("1", "frozen"), "frozen header")
    expect(all(float(c.get("width")) >= 8 for c in parts["xl/worksheets/sheet1.xml"].iter(SHEET + "col")), "widths")
    expect_equal(next(parts["xl/workbook.xml"].iter(SHEET + "sheet")).get("name"), "campaigns", "sheet")
    _, rows = read_xlsx(export("stats-platforms.xlsx").body)
    expect_equal([row[0][0] for row in rows], ["platform", "instagram", "tiktok", "youtube", "other"], "a row per platform")


@test("a text too long for a cell is cut at 32,767 UTF-16 units")
def _():
    for text, want in (("x" * 40000, "x" * CELL_MAX), ("😀" * 20000, "😀" * (CELL_MAX // 2))):
        instance.sql(f"UPDATE publish_logs SET error_message = '{text}' WHERE id = 'p00'")
        _, rows = read_xlsx(export("publications.xlsx", "limit=1&fields=error_message").body)
        expect_equal(rows[1][0][0], want, "cut")
    instance.sql("UPDATE publish_logs SET error_message = 'plain' WHERE id = 'p00'")


@test("LibreOffice opens a workbook, and has the cells that CSV has")
def _():
    soffice = shutil.which("soffice")
    expect(soffice, "soffice is there (package libreoffice-calc)")
    directory = scratch()
    (directory / "campaigns.xlsx").write_bytes(export("campaigns.xlsx", "fields=id,name,created_at,budget").body)
    subprocess.run([soffice, f"-env:UserInstallation=file://{directory}/profile", "--headless", "--convert-to",
                    "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false", "--outdir", directory,
                    directory / "campaigns.xlsx"], check=True, capture_output=True, timeout=120)
    rows = read_csv((directory / "campaigns.csv").read_bytes())
    want = read_csv(export("campaigns.csv", "fields=id,name,created_at,budget").body)
    expect_equal(rows[0], want[0], "header")
    expect_equal([row[0] for row in rows], [row[0] for row in want], "ids")
    for row, (ident, name, budget, created) in zip(rows[1:], want[1:]):
        if name not in ("\ufffe", "\x01\x1f\x7f") and "\r" not in name:
            expect_equal(row[1], name[1:] if name[:1] == "'" and name != "'quoted" else name, f"name of {ident}")
        expect_equal(float(row[2]), float(budget), f"budget of {ident}")
        at = created.rstrip("Z").replace("T", " ")
        expect_equal(row[3], at if "." in at else at + ".000", f"date of {ident}")


# -- who may, and what is told ---------------------------------------------------------


@test("every export is in the audit log, HEAD and refusals are not")
def _():
    before = len(audit_rows())
    export("jobs.csv", token=operator)
    export("stats-queue.xlsx")
    instance.request("/dashboard/clips?format=ndjson", token=operator)
    head = instance.request("/dashboard/export/jobs.csv", "HEAD")
    expect_equal((head.status, head.body, head.headers["Content-Type"]), (200, b"", TYPES["csv"]), "HEAD")
    expect_equal(instance.request("/dashboard/jobs?format=xlsx", "HEAD").headers["Content-Type"], TYPES["xlsx"], "HEAD")
    instance.request("/dashboard/export/jobs.csv?limit=0")
    instance.request("/dashboard/export/jobs.csv", token=viewer)
    expect_equal(audit_rows()[before:], [("operator", "jobs.csv", "/dashboard/export/jobs.csv", 200),
                                         ("root", "stats-queue.xlsx", "/dashboard/export/stats-queue.xlsx", 200),
                                         ("operator", "clips.ndjson", "/dashboard/export/clips.ndjson", 200)], "audit log")


@test("401, 403, 404, 405 and 422")
def _():
    for path in ("/dashboard/export/publications.csv", "/dashboard/publications?format=csv", "/dashboard/stats/queue?format=csv"):
        expect_problem(instance.request(path, token=""), 401, "credentials_missing")
        expect_problem(instance.request(path, token=viewer), 403, "scope_missing")
        expect_problem(instance.request(path, "POST", body=b"{}"), 405, "method_not_allowed")
    expect_problem(instance.request("/dashboard/export/audit.csv", token=operator), 403, "scope_missing")
    expect_problem(instance.request("/dashboard/audit?format=csv", token=operator), 403, "scope_missing")
    expect_equal(export("audit.csv", "limit=1").status, 200, "an administrator")
    for file in ("publications", "publications.json", "publications.pdf", "users.csv", ".csv", "csv", "stats-.csv",
                 "stats-jobs.csv", "publications.csv.csv", "publish_logs.csv", "api_tokens.csv", "..%2fsecret.csv", "x" * 70 + ".csv"):
        expect_problem(instance.request(f"/dashboard/export/{file}"), 404, "not_found")
    for query, name in (("limit=0", "limit"), ("sort=x", "sort"), ("status=x", "status"), ("sep=x", "sep"), ("bom=x", "bom"),
                        ("cursor=x", "cursor"), ("from=x", "from"), ("fields=x", "fields")):
        for path in (f"/dashboard/export/publications.csv?{query}", f"/dashboard/publications?format=xlsx&{query}"):
            answer = instance.request(path)
            expect_problem(answer, 422, "invalid_parameter")
            expect_equal(answer.json["errors"][0]["param"], name, path)
    answer = instance.request("/dashboard/publications?format=csv&n=" + "x" * 5000)
    expect_problem(answer, 422, "invalid_parameter")
    expect("/dashboard/export/publications.csv" in answer.json["detail"], "says where to ask")


@test("the audit row waits for the lock; without it nothing is sent")
def _():
    patient = instance.connect()
    patient.execute("BEGIN IMMEDIATE")
    pid, answers = worker(), []
    slept = naps(pid)
    thread = threading.Thread(target=lambda: answers.append(instance.request("/dashboard/export/jobs.csv")))
    thread.start()
    wait_until(lambda: naps(pid) > slept + 5, "the worker tries again and again")
    patient.execute("COMMIT")
    thread.join()
    patient.close()
    expect_equal(answers[0].status, 200, "when the lock is given back")
    hasty = Instance(now=NOW, PH_BUSY_TIMEOUT_MS=50)
    db = hasty.connect()
    db.execute("BEGIN IMMEDIATE")
    done = hasty.run("get", "/dashboard/export/jobs.csv", status=5)
    db.execute("ROLLBACK")
    db.close()
    expect_equal(json.loads(done.stdout)["code"], "database_locked", "while it is held")


# -- size ------------------------------------------------------------------------------


def fill_runs(n):
    instance.sql(f"""DELETE FROM orchestrator_runs; WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i + 1 < {n})
        INSERT INTO orchestrator_runs (id, started_at, finished_at, trigger, summary)
        SELECT printf('run-%07d', i), 1000000 + i / 3, 1000000 + i, 'loop', 'a summary of some length, as runs have' FROM c""")


def fresh_worker():
    """One that has not made anything yet."""
    old = worker()
    os.kill(old, signal.SIGTERM)
    return wait_until(lambda: next((pid for pid in instance.workers("dashboard-export") if pid != old), None), "a new worker")


def begin(path):
    """A client that has asked and not read yet."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", instance.port))
    sock.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {instance.token}\r\n\r\n".encode())
    return sock


@test("a million rows pass through a slow client in little memory, and hold no snapshot")
def _():
    fill_runs(CSV_ROWS_MAX)
    pid = fresh_worker()
    sock = begin("/dashboard/export/runs.csv")
    head = b""
    while b"\r\n\r\n" not in head:
        head += sock.recv(1)
    # The client reads nothing now, and the worker waits; whoever writes can go on.
    db = instance.connect()
    db.execute("UPDATE jobs SET updated_at = 2")
    wait_until(lambda: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "no snapshot is held")
    db.close()
    lines = 0
    last = b""
    while part := sock.recv(1 << 20):
        lines += part.count(b"\n")
        last = (last + part)[-200:]
    sock.close()
    expect_equal(lines, CSV_ROWS_MAX + 1, "lines")
    expect(last.endswith(b"\r\n") and b"run-0000000," in last, last)
    expect_equal(worker(), pid, "the same worker")
    expect_memory(pid, MEMORY_MAX_KIB)


@test("a client that goes away leaves the worker as it was")
def _():
    pid = worker()
    for _ in range(3):
        sock = begin("/dashboard/export/runs.csv")
        expect(sock.recv(1), "the answer begins")
        sock.close()
    expect_equal(export("runs.csv", "limit=3&fields=id").body.count(b"\n"), 4, "the next one")
    expect_equal(worker(), pid, "the same worker")


@test("too many rows are 413, which names what helps, before anything is sent")
def _():
    answer = instance.request("/dashboard/export/runs.xlsx")
    expect_problem(answer, 413, "export_too_large")
    expect("csv" in answer.json["detail"] and "200000" in answer.json["detail"], answer.json["detail"])
    expect_problem(instance.request("/dashboard/orchestrator/runs?format=xlsx&trigger=loop"), 413, "export_too_large")
    instance.sql("INSERT INTO orchestrator_runs (id, started_at, trigger) VALUES ('one too many', 1, 'loop')")
    for kind in ("csv", "tsv", "ndjson"):
        answer = instance.request(f"/dashboard/export/runs.{kind}")
        expect_problem(answer, 413, "export_too_large")
        expect("from" in answer.json["detail"], answer.json["detail"])
    expect_equal(export("runs.csv", "to=1000500&fields=id").body.count(b"\n"), 1502, "narrowed")


@test("a workbook of 200,000 rows is made in little memory")
def _():
    fill_runs(XLSX_ROWS_MAX)
    pid = worker()
    data = export("runs.xlsx", "fields=id").body
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        expect_equal(book.read("xl/worksheets/sheet1.xml").count(b"<row "), XLSX_ROWS_MAX + 1, "rows")
    expect_memory(pid, 2 * MEMORY_MAX_KIB)
    instance.sql("INSERT INTO orchestrator_runs (id, started_at, trigger) VALUES ('one too many', 1, 'loop')")
    expect_problem(instance.request("/dashboard/export/runs.xlsx"), 413, "export_too_large")


run()
