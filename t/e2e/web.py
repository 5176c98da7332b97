#!/usr/bin/env -S /usr/bin/python3 -B
"""Through the real nginx, with real tokens: what a client sees.

(This file is not called http.py, because Python would then take it for its own http module.)
"""
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import jsonschema

from harness import (ON_EVERY_ANSWER, STATS, Instance, expect, expect_equal, expect_problem, fresh,
                     run, test, token_id, wait_until)

STATISTICS = [f"/dashboard/stats/{name}" for name in STATS]
QUEUE = "/dashboard/stats/queue"
PUBLIC = ["/health", "/dashboard/health"]
ROUTES = STATISTICS + PUBLIC
CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large",
         414: "uri_too_long", 422: "invalid_parameter", 429: "rate_limited", 431: "header_too_large"}
REVOCATION_MAX_S = 2.0
CACHE_S = 1
STALE_S = 2.5                   # an answer may be served that much later while it is fetched anew
NEVER_A_TOKEN = "phk_0000000000_" + "0" * 40
ALLOWED = {"GET", "HEAD", "OPTIONS"}

instance = Instance(PH_RATE_TOKEN=1000000, PH_RATE_BURST=100000).with_admin()
instance.run("demo", "--rows", "2000")
for role in ("viewer", "operator", "manager"):
    instance.add_user(role, role)
viewer = instance.make_token("viewer")
no_scope = instance.make_token("viewer", "--scopes", "guides:read")
instance.start()
plaintexts = [instance.token, viewer, no_scope]


def make_token(user, *options):
    token = instance.make_token(user, *options)
    plaintexts.append(token)
    return token


def allow(answer):
    return set(re.split(r", *", answer.headers.get("Allow", "")))


# -- answers -------------------------------------------------------------------------


@test("every route answers 200 with its headers, each once")
def _():
    for path in ROUTES:
        answer = instance.request(path)
        expect_equal(answer.status, 200, path)
        expected = {"Content-Type": "application/json; charset=utf-8", **ON_EVERY_ANSWER,
                    "RateLimit-Policy": '"token";q=1000000;w=60',
                    "Cache-Control": "private, no-cache" if path in PUBLIC else
                    "private, max-age=1, stale-while-revalidate=1"}
        for name, value in expected.items():
            expect_equal(answer.headers.get_all(name), [value], f"{name} of {path}")
        expect(re.fullmatch(r'(W/)?"[0-9A-Za-z_+/=-]{16,}"', answer.headers["ETag"]), answer)
        expect_equal(len(answer.headers.get_all("X-Request-ID")), 1, path)
        expect_equal(answer.headers.get("X-Accel-Expires"), None, "what is between us and nginx")
        expect(not any(name.lower().startswith("x-ph-") for name in answer.headers), answer)
        expect("Server" not in answer.headers or "/" not in answer.headers["Server"],
               "nginx keeps its version to itself")


@test("an answer through nginx is the answer by hand")
def _():
    for path in ("/dashboard/stats/overview", "/dashboard/stats/campaigns?include=extended"):
        expect_equal(instance.request(path).body.decode(), instance.get(path).rstrip("\n"), path)


@test("a harmless request id is kept, any other is replaced")
def _():
    for good in ("a", "my.request_id-1", "Z" * 64):
        for path in (QUEUE, "/health", "/nowhere"):
            answer = instance.request(path, headers={"X-Request-ID": good})
            expect_equal(answer.headers.get_all("X-Request-ID"), [good], path)
    for bad in ("", "Z" * 65, "a b", "a\tb", "<script>", "a,b", "ü".encode().decode("latin-1"), "a;b"):
        for path in (QUEUE, "/health", "/nowhere"):
            seen = instance.request(path, headers={"X-Request-ID": bad}).headers.get_all("X-Request-ID")
            expect(len(seen) == 1 and re.fullmatch("[0-9a-f-]{32,36}", seen[0]), f"{bad!r}: {seen}")
    ids = {instance.request(QUEUE).headers["X-Request-ID"] for _ in range(20)}
    expect_equal(len(ids), 20, "different ids, also of cached answers")


@test("If-None-Match with the ETag gives 304, cached or not")
def _():
    for path in ROUTES:
        first = instance.request(path)
        etag = first.headers["ETag"]
        for target in (path, fresh(path)):
            for sent in (etag, f'"other", {etag}', "*"):
                def not_modified():
                    answer = instance.request(target, headers={"If-None-Match": sent})
                    return answer if answer.status == 304 else None
                # The age of the oldest log is in the queue's answer: it may change in between.
                if path != QUEUE:
                    answer = wait_until(not_modified, f"304 of {target} for {sent}", 1)
                    expect_equal(answer.body, b"", "body of a 304")
                    expect_equal(answer.headers["ETag"].removeprefix("W/"), etag.removeprefix("W/"), path)
        answer = instance.request(path, headers={"If-None-Match": '"other"'})
        expect(answer.status == 200 and answer.body, "another ETag gives the body")


@test("a conditional request never makes others get a 304 without asking")
def _():
    for path in STATISTICS:
        target = fresh(path)
        etag = instance.request(fresh(path)).headers["ETag"]
        instance.request(target, headers={"If-None-Match": etag})
        for _ in range(3):
            answer = instance.request(target)
            expect(answer.status == 200 and answer.json, answer)


@test("HEAD has the headers of GET and no body")
def _():
    for path in ROUTES:
        for target in (path, fresh(path) if path != QUEUE else path):
            get, head = instance.request(target), instance.request(target, "HEAD")
            expect_equal((head.status, head.body), (200, b""), path)
            for name in ("Content-Type", "Cache-Control", "RateLimit-Policy", *ON_EVERY_ANSWER):
                expect_equal(head.headers[name], get.headers[name], f"{name} of HEAD {path}")
            if path != QUEUE:
                expect_equal(head.headers["ETag"], get.headers["ETag"], f"ETag of HEAD {path}")
                expect_equal(head.headers["Content-Length"], str(len(get.body)), f"length of {path}")


@test("HEAD of a failure has no body either")
def _():
    for path, token, status in ((QUEUE, "", 401), (QUEUE, no_scope, 403), ("/nowhere", "", 404),
                                (QUEUE + "?time=x", None, 422)):
        answer = instance.request(path, "HEAD", token=token)
        expect_equal((answer.status, answer.body), (status, b""), path)


@test("OPTIONS says what is allowed, without a token")
def _():
    for path in ROUTES:
        answer = instance.request(path, "OPTIONS", token="")
        expect_equal((answer.status, answer.body), (204, b""), path)
        expect_equal(allow(answer), ALLOWED, path)


@test("any other method is 405 with Allow")
def _():
    for path in ROUTES:
        for method in ("POST", "PUT", "PATCH", "DELETE", "PROPFIND", "get"):
            answer = instance.request(path, method, body=b"{}" if method == "POST" else None)
            if method == "get" and answer.status == 400:
                continue        # nginx takes it for no method at all
            expect_problem(answer, 405, CODES[405])
            expect_equal(allow(answer), ALLOWED, f"{method} {path}")
    for method in ("TRACE", "CONNECT"):
        expect(instance.request(QUEUE, method).status in (400, 405), f"{method} is refused")


# -- tokens --------------------------------------------------------------------------


@test("without a token: 401 credentials_missing")
def _():
    for path in STATISTICS:
        answer = instance.request(path, token="")
        expect_problem(answer, 401, "credentials_missing")
        expect(answer.headers["WWW-Authenticate"].startswith("Bearer"), answer)


@test("with a wrong one: 401 credentials_invalid")
def _():
    wrong = [NEVER_A_TOKEN, instance.token[:-1], instance.token + "x", instance.token.upper(), "x",
             "y" * 512, "z" * 5000]
    for token in wrong:
        answer = instance.request(QUEUE, token=token)
        expect_problem(answer, 401, "credentials_invalid")
        expect(answer.headers["WWW-Authenticate"].startswith("Bearer"), answer)
    for value in (f"Basic {instance.token}", "Bearer", "Bearer ", f"Bearer {instance.token} x", "Bearer a b"):
        answer = instance.request(QUEUE, token="", headers={"Authorization": value})
        expect(answer.status == 401, f"{value!r}: {answer}")
        expect_problem(answer, 401, answer.code)


@test("with an expired one: 401 token_expired")
def _():
    token = make_token("viewer", "--expires", "1")
    expect_equal(instance.request(QUEUE, token=token).status, 200, "before")
    instance.sql(f"UPDATE api_tokens SET expires_at = 1 WHERE id = '{token_id(token)}'")
    wait_until(lambda: instance.request(QUEUE, token=token).status == 401, "expired", REVOCATION_MAX_S)
    expect_problem(instance.request(QUEUE, token=token), 401, "token_expired")


@test("every carrier is accepted, whatever the case of Bearer")
def _():
    t = viewer
    for headers in ({"Authorization": f"Bearer {t}"}, {"Authorization": f"bearer {t}"},
                    {"Authorization": f"BEARER  {t}"}, {"Authorization": t}, {"X-API-Key": t},
                    {"X-Cron-Secret": t}, {"X-Intel-API-Key": t}, {"Cookie": f"ph_session={t}"},
                    {"Cookie": f"a=b; ph_session={t}; c=d"}, {"Cookie": f'ph_session="{t}"'}):
        answer = instance.request(QUEUE, token="", headers=headers)
        expect_equal(answer.status, 200, headers)
    for headers in ({"Cookie": f"xph_session={t}"}, {"X-Token": t},
                    {"Proxy-Authorization": f"Bearer {t}"}):
        expect_problem(instance.request(QUEUE, token="", headers=headers), 401, "credentials_missing")
    expect_problem(instance.request(f"{QUEUE}?token={t}&access_token={t}", token=""), 401,
                   "credentials_missing")


@test("the scope decides: 403 scope_missing, also for what is in the cache")
def _():
    for path in STATISTICS:
        expect_equal(instance.request(path).status, 200, path)      # now in the cache
        answer = instance.request(path, token=no_scope)
        expect_problem(answer, 403, "scope_missing")
        expect("dashboard:read" in answer.json["detail"], answer)
        expect_problem(instance.request(path, token=""), 401, "credentials_missing")


@test("the address list decides: 403 address_not_allowed")
def _():
    for addresses in ("10.0.0.0/8", "127.0.0.2", "10.1.2.3 ::1 192.168.0.0/16"):
        expect_problem(instance.request(QUEUE, token=make_token("viewer", "--addresses", addresses)), 403,
                       "address_not_allowed")
    for addresses in ("127.0.0.0/8", "127.0.0.1", "10.0.0.0/8 127.0.0.1/32", "0.0.0.0/0"):
        expect_equal(instance.request(QUEUE, token=make_token("viewer", "--addresses", addresses)).status,
                     200, addresses)
    token = make_token("viewer", "--addresses", "10.0.0.0/8")
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Remote-Addr"):
        answer = instance.request(QUEUE, token=token, headers={name: "10.1.1.1"})
        expect_problem(answer, 403, "address_not_allowed")


@test("headers that imitate nginx's own parameters gain nothing")
def _():
    names = ("PH-Auth", "PH_AUTH", "PH-Auth-User", "PH_AUTH_USER", "X-PH-Auth", "X-PH-User", "PH-Auth-Scopes", "PH_AUTH_SCOPES", "X-PH-Scopes",
             "PH-Auth-Token", "X-PH-Token", "PH-Scope", "PH-Method", "Remote-User", "X-PH-Status",
             "X-Accel-Redirect", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override",
             "Content-Type", "Proxy")
    for path in STATISTICS:
        forged = {name: "admin" for name in names}
        expect_problem(instance.request(path, token="", headers=forged), 401, "credentials_missing")
        expect_problem(instance.request(path, token=no_scope, headers=forged), 403, "scope_missing")
        forged["PH-Method"] = "OPTIONS"
        expect_problem(instance.request(path, token="", headers=forged), 401, "credentials_missing")


@test("two credentials: the one in Authorization counts")
def _():
    answer = instance.request(QUEUE, token=NEVER_A_TOKEN, headers={"X-API-Key": viewer})
    expect_problem(answer, 401, "credentials_invalid")
    expect_equal(instance.request(QUEUE, token=viewer, headers={"X-API-Key": NEVER_A_TOKEN}).status, 200,
                 "the good one first")


def expect_ends(token, status, code, change):
    """A token works, and after a change fails within the promised time."""
    for _ in range(3):
        expect_equal(instance.request(QUEUE, token=token).status, 200, "before")
    change()
    begin = time.monotonic()
    wait_until(lambda: instance.request(QUEUE, token=token).status != 200, "refused", 2 * REVOCATION_MAX_S)
    elapsed = time.monotonic() - begin
    expect(elapsed <= REVOCATION_MAX_S, f"refused after {elapsed:.2f} s")
    expect_problem(instance.request(QUEUE, token=token), status, code)


@test("a revoked token is refused within two seconds, even one that is used all the time")
def _():
    token = make_token("viewer")
    expect_ends(token, 401, "token_revoked", lambda: instance.run("token", "revoke", token_id(token)))


@test("a disabled user's tokens are refused within two seconds, and come back when enabled")
def _():
    instance.add_user("guest", "viewer")
    token = make_token("guest")
    expect_ends(token, 401, "token_revoked", lambda: instance.run("user", "disable", "guest"))
    instance.run("user", "enable", "guest")
    wait_until(lambda: instance.request(QUEUE, token=token).status == 200, "enabled", REVOCATION_MAX_S)


@test("a token is never more than its owner's role")
def _():
    instance.add_user("boss", "admin")
    everything = make_token("boss")
    export = make_token("boss", "--scopes", "dashboard:export")
    expect_equal(instance.request(QUEUE, token=everything).status, 200, "an admin may")
    instance.run("user", "role", "boss", "viewer")
    expect_problem(instance.request(QUEUE, token=export), 403, "scope_missing")
    expect_equal(instance.request(QUEUE, token=everything).status, 200, "a viewer may read")
    refused = instance.run("token", "create", "--user", "viewer", "--scopes", "admin", status=1)
    expect("viewer" in refused.stderr, refused.stderr)


@test("rotation keeps the old token for the grace time")
def _():
    old = make_token("viewer")
    expect_equal(instance.request(QUEUE, token=old).status, 200, "before")
    new = instance.run("token", "rotate", token_id(old), "--grace", "3").stdout.strip()
    plaintexts.append(new)
    begin = time.monotonic()
    expect_equal(instance.request(QUEUE, token=old).status, 200, "the old one in its grace time")
    expect_equal(instance.request(QUEUE, token=new).status, 200, "the new one")
    wait_until(lambda: instance.request(QUEUE, token=old).status == 401, "the grace time ends", 6)
    expect(time.monotonic() - begin > 2.5, "not before the grace time is over")
    expect_problem(instance.request(QUEUE, token=old), 401, "token_revoked")
    expect_equal(instance.request(QUEUE, token=new).status, 200, "the new one afterwards")


@test("an imported secret works as it is")
def _():
    for n, secret in enumerate(("an-old-secret/of+our=installed~clients", "0123456789abcdef", "x" * 512)):
        plaintexts.append(secret)
        ident = instance.run("token", "import", "--user", "viewer", "--stdin",
                             text=secret + "\n").stdout.strip()
        for headers in ({"Authorization": secret}, {"X-API-Key": secret}, {"X-Cron-Secret": secret}):
            expect_equal(instance.request(QUEUE, token="", headers=headers).status, 200, secret)
        instance.run("token", "import", "--user", "viewer", "--stdin", text=secret + "\n", status=1)
        if n == 0:
            instance.run("token", "revoke", ident)
            wait_until(lambda: instance.request(QUEUE, token=secret).status == 401, "revoked", REVOCATION_MAX_S)


@test("no token is written anywhere below the home")
def _():
    instance.request(QUEUE)
    wait_until(lambda: (instance.home / "log/access.log").stat().st_size > 0, "the access log", 3)
    files = [p for p in instance.home.rglob("*") if p.is_file()]
    expect(any("cache" in p.parts for p in files), "there are cache files to look into")
    expect(any(p.name == "pilothouse.db-wal" or p.name == "pilothouse.db" for p in files), "and a database")
    for path in files:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue            # a cache file that nginx has just dropped
        for token in plaintexts:
            expect(token.encode() not in data, f"{path} holds {token}")
            # Not the secret part alone either.
            if token.startswith("phk_"):
                expect(token.split("_", 2)[2].encode() not in data, f"{path} holds the secret of {token}")


@test("the audit log tells of users and tokens, and refuses to be changed")
def _():
    with instance.connect() as db:
        actions = {r[0] for r in db.execute("SELECT DISTINCT action FROM audit_log")}
        expect(actions >= {"database.create", "user.add", "user.role", "user.disable", "user.enable",
                           "token.create", "token.import", "token.revoke", "token.rotate"}, actions)
        named = db.execute("SELECT count(*) FROM audit_log WHERE action = 'token.create' AND target = ?",
                           (token_id(viewer),)).fetchone()[0]
        expect_equal(named, 1, "the entry of the viewer's token")
        for sql in ("UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log",
                    "DELETE FROM audit_log WHERE id = (SELECT max(id) FROM audit_log)",
                    "REPLACE INTO audit_log (id, at, actor, action) VALUES (1, 1, 'x', 'x')"):
            before = db.execute("SELECT count(*), sum(at), group_concat(action) FROM audit_log").fetchone()
            try:
                db.execute(sql)
            except sqlite3.IntegrityError:
                continue
            after = db.execute("SELECT count(*), sum(at), group_concat(action) FROM audit_log").fetchone()
            expect_equal(after, before, f"not refused: {sql}")
    db.close()


# -- what cannot be answered ------------------------------------------------------------


@test("unknown paths are 404 problems: doubled and trailing slashes, dots and case too")
def _():
    for path in ("/nowhere", "//dashboard/stats/queue", "/dashboard//stats/queue", QUEUE + "/",
                 "/dashboard/stats", "/dashboard/stats/", "/dashboard/stats/unknown", "/Dashboard/stats/queue",
                 "/dashboard/stats/queue.json", "/_auth", "/_problem_400", "/nowhere?include=extended",
                 "/dashboard-queue", "/auth-check", "/pilothouse.db", "/panel/../pilothouse.db",
                 "/panel/%2e%2e/schema.sql", "/panel/..%2fschema.sql", "/%00", "/dashboard/stats/queue%00"):
        for method in ("GET", "HEAD") if "%00" not in path else ("GET",):
            answer = instance.request(path, method)
            if "%00" in path:
                expect(answer.status in (400, 404), f"{path}: {answer}")
                expect_problem(answer, answer.status, CODES[answer.status])
            elif method == "HEAD":
                expect_equal((answer.status, answer.body), (404, b""), path)
            else:
                expect_problem(answer, 404, "not_found")
        if "%00" not in path:
            expect_equal(instance.request(path, token="").status, 404, f"{path} without a token")


@test("a body beyond 256 KiB is 413, one below it is read and ignored")
def _():
    answer = instance.request(QUEUE, "POST", body=b"x" * (256 * 1024 + 1))
    expect_problem(answer, 413, CODES[413])
    expect_problem(instance.request(QUEUE, "POST", body=b"x" * 1024), 405, CODES[405])
    expect_equal(instance.request(QUEUE, "GET", body=b"x" * 1024).status, 200, "a GET with a body")


@test("a query of 64 KiB is 414, so is one beyond 8 KiB")
def _():
    for size in (64 * 1024, 8000, 8193, 20000):
        answer = instance.request(QUEUE + "?q=" + "x" * (size - 2))
        if size <= 8192 and answer.status == 200:
            continue            # nginx and the program agree that it is short enough
        expect_problem(answer, 414, CODES[414])


@test("a header of 32 KiB is 431")
def _():
    for name in ("X-Long", "Authorization", "Cookie"):
        answer = instance.request(QUEUE, token="", headers={name: "x" * 32 * 1024})
        expect_problem(answer, 431, CODES[431])


@test("a bad parameter is 422 and named")
def _():
    for query, param in (("include=everything", "include"), ("include=", "include"), ("include", "include"),
                         ("include=extended&include=extended", "include"), ("time=local", "time"),
                         ("time=UTC", "time"), ("time=ms&x=1&time=ms", "time"), ("tz_offset=841", "tz_offset"),
                         ("tz_offset=-721", "tz_offset"), ("tz_offset=abc", "tz_offset"),
                         ("time=%", "time"), ("time=%4", "time"), ("time=%zz", "time"), ("time=ms%00", "time"),
                         ("time=%ff", "time"), ("other=%ff", "other"), ("other=%00", "other"),
                         ("other=%c3", "other"), ("other=%ed%a0%80", "other"), ("other=%G1", "other"),
                         ("t%69me=local", "time")):
        for path in STATISTICS:
            answer = instance.request(f"{path}?{query}")
            expect_problem(answer, 422, CODES[422])
            expect_equal([e["param"] for e in answer.json["errors"]], [param], query)
            expect(all(isinstance(e["detail"], str) and e["detail"] for e in answer.json["errors"]), answer)


@test("every bad parameter is named, and none of what was sent breaks the answer")
def _():
    answer = instance.request(f"{QUEUE}?include=x&time=y&tz_offset=z")
    expect_equal([e["param"] for e in answer.json["errors"]], ["include", "time", "tz_offset"], "errors")
    for query in ("%22%0d%0a=%ff", "<script>=%ff", "a" * 300 + "=%ff"):
        answer = instance.request(f"{QUEUE}?{query}")
        expect_problem(answer, 422, CODES[422])
        expect_equal(len(answer.json["errors"]), 1, query)
    many = "&".join(f"p{i}=%ff" for i in range(60))
    expect_problem(instance.request(f"{QUEUE}?{many}"), 422, CODES[422])
    for good in ("", "?", "?&", "?&&x=1&", "?x", "?=", "?x=%C3%BC&time=ms", "?%74ime=ms", "?time=m%73",
                 "?x=1&x=2"):
        expect_equal(instance.request(QUEUE + good).status, 200, good)


# -- the description ----------------------------------------------------------------------


@test("every answer is as /openapi.json says, base and extended, in all time styles")
def _():
    document = instance.request("/openapi.json", token="").json
    expect_equal(document["openapi"], "3.1.0", "version")
    paths = {path: item["get"] for path, item in document["paths"].items()
             if "{" not in path and "application/json" in item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
             and not any(p["required"] for p in item["get"]["parameters"])}
    expect(set(paths) >= set(ROUTES), paths)
    for path, operation in paths.items():
        schema = {"components": document["components"],
                  **operation["responses"]["200"]["content"]["application/json"]["schema"]}
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for query in ("", "?include=extended", "?include=extended&time=ms", "?time=naive"):
            answer = instance.request(path + query)
            expect_equal(answer.status, 200, path + query)
            wrong = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(answer.json)]
            expect(not wrong, f"{path}{query}: {wrong}")
        if isinstance(answer.json, dict):
            expect(not validator.is_valid({}), f"the schema of {path} asks for something")
            first = next(iter(answer.json))
            expect(not validator.is_valid({**answer.json, first: {"wrong": 1}}), f"{path}: {first} has a type")


@test("every failure is as /openapi.json says")
def _():
    document = instance.request("/openapi.json", token="").json
    schema = {"components": document["components"], "$ref": "#/components/schemas/Problem"}
    validator = jsonschema.Draft202012Validator(schema)
    for path, token in ((QUEUE, ""), (QUEUE, NEVER_A_TOKEN), (QUEUE, no_scope), ("/nowhere", None),
                        (QUEUE + "?time=x", None), (QUEUE + "?q=" + "x" * 65536, None)):
        answer = instance.request(path, token=token)
        wrong = [f"{e.json_path}: {e.message}" for e in validator.iter_errors(answer.json)]
        expect(answer.status >= 400 and not wrong, f"{path}: {wrong}")
    expect(not validator.is_valid({"code": "x"}), "the schema asks for something")


@test("the description and its page are open to anybody")
def _():
    expect_equal(instance.request("/openapi.json", token="").headers["Content-Type"].split(";")[0],
                 "application/json", "type of openapi.json")
    page = instance.request("/docs", token="")
    expect_equal((page.status, page.headers["Content-Type"].split(";")[0]), (200, "text/html"), "docs")
    expect("default-src 'none'" in page.headers["Content-Security-Policy"], page)
    home = instance.request("/", token="", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    expect_equal((home.status, home.headers["Location"]), (302, "/panel/"), "/ for a browser")
    expect_problem(instance.request("/", token=""), 401, "credentials_missing")
    expect_equal(instance.request("/", headers={"Accept": "text/html"}).status, 200, "/ with Authorization")
    for source in re.findall(r'(?:src|href)="(/[^"#]*)"', page.body.decode()):
        expect_equal(instance.request(source, token="").status, 200, source)


# -- cache, crowd, limits --------------------------------------------------------------------


@test("50 requests at once get the same body")
def _():
    path = fresh("/dashboard/stats/overview?include=extended")
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: instance.request(path), range(50)))
    expect_equal({a.status for a in answers}, {200}, "statuses")
    expect_equal(len({a.body for a in answers}), 1, "bodies")


@test("a change in the data is seen within the life of a cached answer")
def _():
    before = instance.request("/dashboard/stats/overview").json["total_videos"]
    instance.sql("INSERT INTO video_assets(id,created_at,updated_at) VALUES('seen-soon',1,1)")
    wait_until(lambda: instance.request("/dashboard/stats/overview").json["total_videos"] == before + 1,
               "the new video", CACHE_S + STALE_S)


@test("a large answer is compressed for who accepts it")
def _():
    path = "/dashboard/stats/platforms?include=extended"
    plain = instance.request(path)
    packed = instance.request(path, headers={"Accept-Encoding": "gzip"})
    expect("Content-Encoding" not in plain.headers, plain)
    expect_equal(packed.headers["Content-Encoding"], "gzip", "Content-Encoding")
    expect(len(packed.body) < len(plain.body), "shorter")
    expect("Accept-Encoding" in packed.headers.get("Vary", ""), "Vary")


@test("beyond the limit: 429 with Retry-After, per token")
def _():
    limited = Instance(PH_RATE_TOKEN=60, PH_RATE_BURST=5).with_admin()
    other = limited.make_token("root")
    limited.start()
    answers = [limited.request(QUEUE) for _ in range(12)]
    refused = [a for a in answers if a.status != 200]
    expect(5 <= len(answers) - len(refused) <= 8, f"{len(refused)} of {len(answers)} refused")
    for answer in refused:
        expect_problem(answer, 429, CODES[429], retryable=True)
        expect(int(answer.headers["Retry-After"]) >= 1, "Retry-After")
        expect('"token";q=60;w=60' in answer.headers["RateLimit-Policy"], answer)
    expect_equal(limited.request(QUEUE, token=other).status, 200, "another token is not concerned")
    time.sleep(int(refused[-1].headers["Retry-After"]) + 0.5)
    expect_equal(limited.request(QUEUE).status, 200, "after Retry-After")


@test("wrong credentials beyond their limit: 429, and who has the right one still gets in")
def _():
    one = Instance(PH_RATE_FAILURES=5).with_admin()
    one.start()
    statuses = [one.request(QUEUE, token=f"wrong-token-{n:020}").status for n in range(8)]
    expect_equal(statuses, [401] * 5 + [429] * 3, "statuses")
    answer = one.request(QUEUE, token="wrong-token-and-another")
    expect_problem(answer, 429, CODES[429], retryable=True)
    expect(int(answer.headers["Retry-After"]) >= 1, "Retry-After")
    expect_equal(one.request(QUEUE).status, 200, "the right token")
    expect_equal(one.request(QUEUE, token="").status, 401, "none at all is no try")


@test("beyond the limit: 429 per address, whatever token is tried")
def _():
    limited = Instance(PH_RATE_ADDRESS=60, PH_RATE_BURST=5).with_admin()
    limited.start()
    answers = [limited.request(QUEUE, token=f"{NEVER_A_TOKEN}{n}") for n in range(12)]
    expect_equal({a.status for a in answers}, {401, 429}, "statuses")
    expect_problem(answers[-1], 429, CODES[429], retryable=True)


@test("PH_ALLOW lets nobody else in")
def _():
    closed = Instance(PH_ALLOW="10.0.0.0/8").with_admin()
    closed.start()
    expect_problem(closed.request(QUEUE), 403, "address_not_allowed")
    opened = Instance(PH_ALLOW="10.0.0.0/8 127.0.0.1").with_admin()
    opened.start()
    expect_equal(opened.request(QUEUE).status, 200, "127.0.0.1 is on the list")


@test("CORS: a named origin may call, a foreign one gets no permission")
def _():
    ours, also, foreign = "https://panel.example.com", "http://localhost:3000", "https://evil.example"
    cors = Instance(PH_CORS_ORIGINS=f"{ours} {also}").with_admin()
    cors.start()
    for origin in (ours, also):
        plain = cors.request(QUEUE, headers={"Origin": origin})
        expect_equal((plain.status, plain.headers["Access-Control-Allow-Origin"]), (200, origin), "plain")
        expect("Origin" in plain.headers.get("Vary", ""), "Vary")
        preflight = cors.request(QUEUE, "OPTIONS", token="", headers={
            "Origin": origin, "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization"})
        expect_equal(preflight.status, 204, "preflight")
        expect_equal(preflight.headers["Access-Control-Allow-Origin"], origin, "preflight")
        expect("GET" in preflight.headers["Access-Control-Allow-Methods"], preflight)
        expect("authorization" in preflight.headers["Access-Control-Allow-Headers"].lower(), preflight)
        refused = cors.request(QUEUE, token="", headers={"Origin": origin})
        expect_equal((refused.status, refused.headers["Access-Control-Allow-Origin"]), (401, origin),
                     "a page may read why it was refused")
    for origin in (foreign, ours + ".evil.example", "null", ours.upper() + "x", "http://panel.example.com"):
        for method in ("GET", "OPTIONS"):
            answer = cors.request(QUEUE, method, headers={"Origin": origin})
            names = [n for n in answer.headers if n.lower().startswith("access-control-")]
            expect_equal(names, [], f"{method} from {origin}")
    without = instance.request(QUEUE, headers={"Origin": ours})
    expect("Access-Control-Allow-Origin" not in without.headers, "no origins are set, none is allowed")


@test("files of the home are for its owner only")
def _():
    for path in (instance.home, *instance.home.iterdir()):
        if path.is_dir():
            expect_equal(path.stat().st_mode & 0o077, 0, path)
    for name in ("pilothouse.db", "pilothouse.conf", "run/nginx.conf"):
        expect_equal((instance.home / name).stat().st_mode & 0o077, 0, name)


run()
