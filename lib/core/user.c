/*
 * user.c -- users and their passwords.
 */
#include "autoconf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/auth.h"
#include "core/user.h"
#include "core/utf8.h"

static const char sql_add[] = "INSERT INTO users (id, name, role, created_at) VALUES ($1, $2, $3, $4)";
static const char sql_has_tier[] = "SELECT 1 FROM tiers WHERE name = $1";
static const char sql_tier[] = "UPDATE users SET tier = $2 WHERE name = $1";
static const char sql_role[] = "UPDATE users SET role = $2 WHERE name = $1";
static const char sql_disable[] = "UPDATE users SET disabled_at = $2 WHERE name = $1 AND disabled_at IS NULL";
static const char sql_enable[] = "UPDATE users SET disabled_at = NULL WHERE name = $1";
static const char sql_password[] = "UPDATE users SET password = $2 WHERE name = $1";
static const char sql_sign_out[] =
	"UPDATE api_tokens SET revoked_at = $2 WHERE name = '" PH_LOGIN_TOKEN "'"
	" AND (revoked_at IS NULL OR revoked_at > $2) AND user_id = (SELECT id FROM users WHERE name = $1)";
static const char sql_exists[] = "SELECT 1 FROM users WHERE name = $1";
static const char sql_is_last_admin[] =
	"SELECT 1 FROM users WHERE name = $1 AND role = 'admin' AND disabled_at IS NULL AND NOT EXISTS"
	" (SELECT 1 FROM users WHERE name <> $1 AND role = 'admin' AND disabled_at IS NULL)";
static const char sql_hash[] = "SELECT password FROM users WHERE name = $1 AND disabled_at IS NULL";

static int
name_is_valid(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("._@-", name[i]) == NULL)
			return 0;
	return i >= 1 && i <= PH_NAME_MAX;
}

static enum ph_rc
check_role(const char *role, struct ph_err *err)
{
	return ph_role_is_known(role) ? PH_OK :
	    ph_fail_param(err, "role", 4, "%s is not a role: admin, manager, operator or viewer", role);
}

/* Does the statement, of a name, give a row?  PH_ROW or PH_DONE. */
static enum ph_rc
ask(struct ph_db *db, const char *sql, const char *name, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, name);
	rc = ph_stmt_step(st, err);
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
find(struct ph_db *db, const char *name, struct ph_err *err)
{
	const enum ph_rc rc = ask(db, sql_exists, name, err);

	return rc == PH_ROW ? PH_OK : rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no user %s", name) : rc;
}

static enum ph_rc
keep_an_admin(struct ph_db *db, const char *name, struct ph_err *err)
{
	const enum ph_rc rc = ask(db, sql_is_last_admin, name, err);

	return rc == PH_DONE ? PH_OK :
	    rc == PH_ROW ? ph_fail(err, PH_ECONFLICT, "%s is the last active admin", name) : rc;
}

/* Run sql of a name and, unless it is NULL, a text or else a time that is not 0. */
static enum ph_rc
change(struct ph_db *db, const char *sql, const char *name, const char *text, int64_t at_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = find(db, name, err)) != PH_OK || (rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, name);
	if (text != NULL)
		ph_stmt_bind_text(st, 2, text);
	else if (at_ms != 0)
		ph_stmt_bind_int(st, 2, at_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_user_add(struct ph_db *db, const char *name, const char *role, int64_t now_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		 id[37];
	enum ph_rc	 rc;

	if (!name_is_valid(name))
		return ph_fail_param(err, "name", 4, "a name has 1 to %d letters, digits and . _ @ -", PH_NAME_MAX);
	if ((rc = check_role(role, err)) != PH_OK || (rc = ph_db_prepare(db, sql_add, &st, err)) != PH_OK)
		return rc;
	ph_uuid(id);
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_text(st, 2, name);
	ph_stmt_bind_text(st, 3, role);
	ph_stmt_bind_int(st, 4, now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc == PH_ECONFLICT ? ph_fail(err, PH_ECONFLICT, "user %s is there already", name) : rc;
}

enum ph_rc
ph_user_role(struct ph_db *db, const char *name, const char *role, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = check_role(role, err)) != PH_OK ||
	    (strcmp(role, "admin") != 0 && (rc = keep_an_admin(db, name, err)) != PH_OK))
		return rc;
	return change(db, sql_role, name, role, 0, err);
}

enum ph_rc
ph_user_tier(struct ph_db *db, const char *name, const char *tier, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_has_tier, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, tier);
	rc = ph_stmt_step(st, err);
	ph_stmt_done(st);
	if (rc == PH_DONE)
		return ph_fail_param(err, "tier", 4, "there is no such tier");
	return rc == PH_ROW ? change(db, sql_tier, name, tier, 0, err) : rc;
}

enum ph_rc
ph_user_disable(struct ph_db *db, const char *name, int64_t now_ms, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = keep_an_admin(db, name, err)) != PH_OK)
		return rc;
	return change(db, sql_disable, name, NULL, now_ms, err);
}

enum ph_rc
ph_user_enable(struct ph_db *db, const char *name, struct ph_err *err)
{
	return change(db, sql_enable, name, NULL, 0, err);
}

enum ph_rc
ph_user_hash(char hash[PH_PASSWORD_HASH_SIZE], const char *password, struct ph_err *err)
{
	const size_t	len = strlen(password);
	size_t		i;

	for (i = 0; i < len && !iscntrl((unsigned char)password[i]); i++)
		;
	if (len < PH_PASSWORD_MIN || len > PH_PASSWORD_MAX || i < len || !ph_utf8_is_valid(password, len))
		return ph_fail_param(err, "password", 8, "a password has %d to %d bytes and no control characters",
		    PH_PASSWORD_MIN, PH_PASSWORD_MAX);
	return ph_password_hash(hash, password) == 0 ? PH_OK :
	    ph_fail(err, PH_ENOMEM, "not enough memory to hash a password");
}

enum ph_rc
ph_user_sign_out(struct ph_db *db, const char *name, int64_t now_ms, struct ph_err *err)
{
	return change(db, sql_sign_out, name, NULL, now_ms, err);
}

enum ph_rc
ph_user_password(struct ph_db *db, const char *name, const char *hash, int64_t now_ms, struct ph_err *err)
{
	const enum ph_rc rc = change(db, sql_password, name, hash, 0, err);

	return rc == PH_OK ? ph_user_sign_out(db, name, now_ms, err) : rc;
}

enum ph_rc
ph_user_check(struct ph_db *db, const char *name, const char *password, struct ph_err *err)
{
	char		 hash[PH_PASSWORD_HASH_SIZE] = "";
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_hash, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, name);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && !ph_stmt_is_null(st, 0))
		snprintf(hash, sizeof(hash), "%s", ph_stmt_text(st, 0));
	ph_stmt_done(st);
	if (rc != PH_ROW && rc != PH_DONE)
		return rc;
	return ph_password_is(hash, password) ? PH_OK :
	    ph_fail(err, PH_EBADCREDENTIALS, "name or password is wrong");
}
