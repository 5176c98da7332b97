"""Keys and logins over HTTP, and what the audit log says about them."""
import json

from harness import Instance, expect, expect_equal, expect_problem, run, test, wait_until

QUEUE = "/dashboard/stats/queue"
KEYS = "/dashboard/keys"
LOGIN = "/dashboard/login"
USERS = "/dashboard/users"
ME = "/dashboard/me"

instance = Instance(PH_RATE_ACTION=1000).with_admin()
instance.run("user", "add", "vera", "--role", "viewer")
instance.run("user", "add", "oscar", "--role", "operator")
instance.start()
viewer = instance.make_token("vera")


def post(path, body, token=None, **options):
    return instance.request(path, method="POST", body=json.dumps(body), token=token, **options)


def put(path, body, token=None):
    return instance.request(path, method="PUT", body=json.dumps(body), token=token)


def audit(action):
    return instance.rows(f"SELECT actor, target, method, path, status FROM audit_log WHERE action = '{action}' ORDER BY id")


@test("a key is made, listed without its secret, works, and is revoked")
def _():
    made = post(KEYS, {"user": "vera", "name": "laptop", "expires_days": 30})
    expect_equal(made.status, 201, made)
    secret, ident = made.json["token"], made.json["id"]
    expect(secret.startswith(f"phk_{ident}_") and len(secret) == 4 + 10 + 1 + 43, secret)
    expect_equal(instance.request(QUEUE, token=secret).status, 200, "it works")
    listed = instance.request(KEYS)
    expect(secret[-20:] not in listed.body.decode(), "no secret in the list")
    one = next(k for k in listed.json["items"] if k["id"] == ident)
    expect_equal((one["user"], one["name"], one["revoked_at"]), ("vera", "laptop", None), one)
    expect("dashboard:read" in one["scopes"].split() and "admin" not in one["scopes"].split(), one)
    expect_equal(audit("token.create")[-1], ("root", ident, "POST", KEYS, 201), "audit")
    gone = instance.request(f"{KEYS}/{ident}", method="DELETE")
    expect_equal((gone.status, gone.json), (200, {"revoked": ident}), gone)
    expect_equal(audit("token.revoke")[-1], ("root", ident, "DELETE", f"{KEYS}/{ident}", 200), "audit")
    wait_until(lambda: instance.request(QUEUE, token=secret).status == 401, "refused", 5)
    expect_problem(instance.request(f"{KEYS}/{ident}", method="DELETE"), 404, "not_found")


@test("a rotated key has the rights of the old one, which ends with its grace")
def _():
    made = post(KEYS, {"user": "oscar", "name": "cron", "scopes": "dashboard:read", "addresses": "127.0.0.0/8"}).json
    new = post(f"{KEYS}/{made['id']}", {"grace_s": 0})
    expect_equal(new.status, 201, new)
    rows = instance.rows(f"SELECT scopes, addresses, name FROM api_tokens WHERE id IN ('{made['id']}', '{new.json['id']}')")
    expect_equal(len(set(rows)), 1, rows)
    expect_equal(instance.request(QUEUE, token=new.json["token"]).status, 200, "the new one")
    wait_until(lambda: instance.request(QUEUE, token=made["token"]).status == 401, "the old one", 5)


@test("what is wrong with a key is named, and nothing is made")
def _():
    before = instance.rows("SELECT count(*) FROM api_tokens")
    for body, param in (({"name": "x"}, "user"), ({"user": "vera"}, "name"), ({"user": "vera", "name": ""}, "name"),
                        ({"user": "vera", "name": "x", "scopes": "dashboard:read nonsense"}, "scopes"),
                        ({"user": "vera", "name": "x", "scopes": "admin"}, "scopes"),
                        ({"user": "vera", "name": "x", "addresses": "300.1.1.1"}, "addresses"),
                        ({"user": "vera", "name": "x", "expires_days": 0}, "expires_days"),
                        ({"user": "vera", "name": "x", "hash": "0"}, "hash")):
        answer = post(KEYS, body)
        expect_problem(answer, 422, "invalid_parameter")
        expect_equal(answer.json["errors"][0]["param"], param, body)
    expect_problem(post(KEYS, {"user": "nobody", "name": "x"}), 404, "not_found")
    expect_problem(post(KEYS, {"user": "vera", "name": "x"}, token=viewer), 403, "scope_missing")
    expect_problem(instance.request(KEYS, token=viewer), 403, "scope_missing")
    expect_problem(instance.request(KEYS, method="POST", body="{"), 400, "bad_request")
    expect_problem(instance.request(KEYS, method="PUT", body="{}"), 405, "method_not_allowed")
    # A secret is shown once: an answer that holds one is not kept to be shown again.
    expect_problem(post(KEYS, {"user": "vera", "name": "x"}, headers={"Idempotency-Key": "k"}), 422, "invalid_parameter")
    expect_equal(instance.rows("SELECT count(*) FROM api_tokens"), before, "tokens")


@test("a login is a token for twelve hours, as JSON and as a cookie; a logout ends it")
def _():
    instance.run("user", "passwd", "oscar", text="correct horse battery\n")
    answer = post(LOGIN, {"username": "oscar", "password": "correct horse battery"}, token="")
    expect_equal(answer.status, 200, answer)
    expect_equal((answer.json["username"], answer.json["role"], answer.json["expires_in"]), ("oscar", "operator", 43200),
                 answer)
    cookie = answer.headers["Set-Cookie"]
    for part in (f"ph_session={answer.json['token']}", "HttpOnly", "Secure", "SameSite=Strict", "Max-Age=43200"):
        expect(part in cookie, cookie)
    secret = answer.json["token"]
    expect_equal(instance.request(QUEUE, token="", headers={"Cookie": f"ph_session={secret}"}).status, 200, "cookie")
    expect_equal(audit("session.open")[-1][0], "oscar", "actor")
    stored = instance.rows("SELECT password FROM users WHERE name = 'oscar'")[0][0]
    expect(stored.startswith("$argon2id$"), stored)
    out = instance.request(LOGIN, method="DELETE", token=secret)
    expect_equal(out.status, 200, out)
    wait_until(lambda: instance.request(QUEUE, token=secret).status == 401, "logged out", 5)


@test("a wrong name, a wrong password and a user without one are refused alike")
def _():
    answers = [post(LOGIN, {"username": name, "password": "wrong wrong wrong"}, token="")
               for name in ("oscar", "vera", "nobody")]
    for answer in answers:
        expect_problem(answer, 401, "credentials_invalid")
    expect_equal(len({a.json["detail"] for a in answers}), 1, "one sentence")
    expect_equal(audit("session.refuse")[-3:], [("anonymous", name, "POST", LOGIN, 401) for name in ("oscar", "vera", "nobody")],
                 "audit")
    expect_problem(post(LOGIN, {"username": "oscar"}, token=""), 422, "invalid_parameter")
    instance.run("user", "disable", "oscar")
    expect_problem(post(LOGIN, {"username": "oscar", "password": "correct horse battery"}, token=""), 401,
                   "credentials_invalid")
    instance.run("user", "enable", "oscar")


@test("a token becomes the cookie, and outlives signing out; a login does not, nor with `everywhere` any other")
def _():
    answer = post(LOGIN, {"token": viewer}, token="")
    expect_equal((answer.status, answer.json["username"], answer.json["token"]), (200, "vera", viewer), answer)
    expect(f"ph_session={viewer};" in answer.headers["Set-Cookie"], answer.headers)
    out = instance.request(LOGIN, method="DELETE", token="", headers={"Cookie": f"ph_session={viewer}", "Sec-Fetch-Site": "same-origin"})
    expect_equal((out.status, out.json), (200, {"revoked": None}), out)
    expect_equal(instance.request(QUEUE, token=viewer).status, 200, "the token")
    expect_problem(post(LOGIN, {"token": "phk_nonsense"}, token=""), 401, "credentials_invalid")
    for body in ({"token": viewer, "username": "vera"}, {"token": viewer, "password": "x"}, {}):
        expect_problem(post(LOGIN, body, token=""), 422, "invalid_parameter")
    one, two = (post(LOGIN, {"username": "oscar", "password": "correct horse battery"}, token="").json["token"] for _ in range(2))
    expect_equal(instance.request(LOGIN + "?everywhere=1", method="DELETE", token=one).status, 200, "everywhere")
    wait_until(lambda: instance.request(QUEUE, token=two).status == 401, "the other session", 5)


@test("users are made, changed and disabled over HTTP; it is on record, and the last admin stays")
def _():
    expect_equal(post(USERS, {"name": "una", "role": "viewer", "password": "a long password"}).status, 201, "made")
    expect_equal(audit("user.add")[-1], ("root", "una", "POST", USERS, 201), "audit")
    session = post(LOGIN, {"username": "una", "password": "a long password"}, token="").json["token"]
    listed = {u["name"]: u for u in instance.request(USERS).json["items"]}["una"]
    expect_equal((listed["role"], listed["has_password"], listed["tokens"], listed["disabled_at"]), ("viewer", True, 1, None), listed)
    expect(not any("argon2" in str(v) for v in listed.values()), listed)
    expect_problem(instance.request(KEYS, token=session), 403, "scope_missing")
    expect_equal(put(f"{USERS}/una", {"role": "admin"}).status, 200, "role")
    expect_problem(instance.request(KEYS, token=session), 403, "scope_missing")    # a token keeps its scopes
    session = post(LOGIN, {"username": "una", "password": "a long password"}, token="").json["token"]
    expect_equal(instance.request(KEYS, token=session).status, 200, "an admin now")
    expect_equal(put(f"{USERS}/una", {"disabled": True}).status, 200, "disabled")
    wait_until(lambda: instance.request(QUEUE, token=session).status == 401, "refused", 5)
    for body in ({"role": "viewer"}, {"disabled": True}):
        expect_problem(put(f"{USERS}/root", body), 409, "conflict")
    expect_equal(instance.run("user", "disable", "root", status=1).returncode, 1, "by the command, too")
    expect_equal(put(f"{USERS}/una", {"disabled": False, "password": "another long one"}).status, 200, "enabled")
    expect_equal(audit("user.change")[-1], ("root", "una", "PUT", f"{USERS}/una", 200), "audit")
    expect_problem(instance.request(QUEUE, token=session), 401, "token_revoked")
    for body, param in (({"name": "a b", "role": "viewer"}, "name"), ({"name": "u", "role": "king"}, "role"), ({"name": "u"}, "role"),
                        ({"name": "u", "role": "viewer", "password": "short"}, "password"), ({"name": "u", "role": "viewer", "x": 1}, "x")):
        answer = post(USERS, body)
        expect_problem(answer, 422, "invalid_parameter")
        expect_equal(answer.json["errors"][0]["param"], param, body)
    expect_problem(post(USERS, {"name": "una", "role": "viewer"}), 409, "conflict")
    expect_problem(put(f"{USERS}/nobody", {"role": "viewer"}), 404, "not_found")
    expect_problem(put(f"{USERS}/una", {}), 422, "invalid_parameter")
    expect_problem(instance.request(USERS, token=viewer), 403, "scope_missing")
    expect_problem(put(f"{USERS}/vera", {"role": "admin"}, token=viewer), 403, "scope_missing")
    expect_equal(instance.rows("SELECT name FROM users WHERE name = 'u'"), [], "nothing half made")


@test("who am I; and my password is changed by whoever knows the present one, which ends all sessions")
def _():
    me = instance.request(ME, token=viewer).json
    expect_equal((me["user"], me["role"], "dashboard:read" in me["scopes"], "admin" in me["scopes"]), ("vera", "viewer", True, False), me)
    instance.run("user", "passwd", "vera", text="the first password\n")
    session = post(LOGIN, {"username": "vera", "password": "the first password"}, token="").json["token"]
    for body, param in (({"password": "wrong", "new_password": "the second password"}, "password"),
                        ({"password": "the first password", "new_password": "short"}, "new_password"),
                        ({"new_password": "the second password"}, "password")):
        answer = put(ME, body, token=session)
        expect_problem(answer, 422, "invalid_parameter")
        expect_equal(answer.json["errors"][0]["param"], param, body)
    expect_equal(put(ME, {"password": "the first password", "new_password": "the second password"}, token=session).status, 200, "changed")
    wait_until(lambda: instance.request(QUEUE, token=session).status == 401, "the session", 5)
    expect_equal(instance.request(QUEUE, token=viewer).status, 200, "a token that is none")
    expect_problem(post(LOGIN, {"username": "vera", "password": "the first password"}, token=""), 401, "credentials_invalid")
    expect_equal(post(LOGIN, {"username": "vera", "password": "the second password"}, token="").status, 200, "the new one")


@test("a random password is printed once it is in force, and only then")
def _():
    expect_equal(instance.run("user", "passwd", "nobody", "--random", status=1).stdout, "", "for nobody")
    made = instance.run("user", "passwd", "vera", "--random").stdout.strip()
    expect_equal(len(made), 20, "its length")
    expect_equal(post(LOGIN, {"username": "vera", "password": made}, token="").status, 200, "it signs in")


@test("a credential that is not right is in the audit log, as often as it gets a 401; none at all is not")
def _():
    def refused(one):
        return one.rows("SELECT actor, token_id, address, method, path, status, detail FROM audit_log"
                        " WHERE action = 'credential.refuse' ORDER BY id")

    one = Instance(PH_RATE_FAILURES=3).with_admin()
    one.start()
    wrong = "phk_" + "a" * 10 + "_" + "b" * 43
    expect_problem(one.request(QUEUE, token=""), 401, "credentials_missing")
    expect_equal(refused(one), [], "no credential")
    codes = [one.request(f"{QUEUE}?tz_offset={n}", token=wrong).json["code"] for n in range(5)]
    expect_equal(codes[3:], ["rate_limited", "rate_limited"], codes)
    expect_equal(refused(one), [("anonymous", None, "127.0.0.1", "GET", QUEUE, 401, json.dumps({"code": codes[0]}, separators=(",", ":")))] * 3,
                 "audit")
    expect(wrong not in str(one.rows("SELECT * FROM audit_log")), "no credential in it")
    expect_equal(one.request(QUEUE).status, 200, "a right one")


@test("logins have a limit of their own per address")
def _():
    one = Instance(PH_RATE_ACTION=3).with_admin()
    one.start()
    statuses = [one.request(LOGIN, method="POST", body='{"username":"x","password":"y"}', token="").status
                for _ in range(8)]
    expect(statuses.count(401) <= 5 and statuses[-1] == 429, statuses)
    expect_equal(one.request(QUEUE).status, 200, "other routes go on")


run()
