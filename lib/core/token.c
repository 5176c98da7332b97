/*
 * token.c -- the table api_tokens.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/address.h"
#include "core/hash.h"
#include "core/token.h"

static const char *
bad_word(const char *list, int (*is_good)(const char *, size_t), size_t *len)
{
	for (list += strspn(list, " "); *list != '\0'; list += *len, list += strspn(list, " ")) {
		*len = strcspn(list, " ");
		if (!is_good(list, *len))
			return list;
	}
	return NULL;
}

const char *
ph_token_bad_scope(const char *scopes, size_t *len)
{
	return bad_word(scopes, ph_scope_is_known, len);
}

const char *
ph_token_bad_address(const char *addresses, size_t *len)
{
	return bad_word(addresses, ph_cidr_is_valid, len);
}

void
ph_token_make(char id[PH_TOKEN_ID_SIZE], char token[PH_TOKEN_MAX + 1])
{
	char secret[PH_RANDOM_TEXT_SIZE];

	ph_random_hex(id, PH_TOKEN_ID_SIZE - 1);
	ph_random_text(secret);
	snprintf(token, PH_TOKEN_MAX + 1, "phk_%s_%s", id, secret);
	explicit_bzero(secret, sizeof(secret));
}

static const char sql_user[] = "SELECT id, role FROM users WHERE name = $1 AND disabled_at IS NULL";

/* The id of an active user, and the scopes that the token shall have. */
static enum ph_rc
find_user(struct ph_db *db, const struct ph_token *t, char user_id[40], char scopes[PH_SCOPES_MAX + 1],
    struct ph_err *err)
{
	char		 role_scopes[PH_SCOPES_MAX + 1];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_user, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, t->user);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		rc = PH_OK;
		snprintf(user_id, 40, "%s", ph_stmt_text(st, 0));
		ph_role_scopes(ph_stmt_text(st, 1), role_scopes);
		ph_scopes_within(t->scopes != NULL && t->scopes[0] != '\0' ? t->scopes : role_scopes, role_scopes,
		    scopes);
		if (t->scopes != NULL && t->scopes[0] != '\0' && strcmp(scopes, t->scopes) != 0)
			rc = ph_fail_param(err, "scopes", 6, "%s is a %s, whose scopes are: %s", t->user,
			    ph_stmt_text(st, 1), role_scopes);
	} else if (rc == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no active user %s: run `pilothouse user add %s "
		    "--role ROLE`", t->user, t->user);
	ph_stmt_done(st);
	return rc;
}

static const char sql_insert[] =
	"INSERT INTO api_tokens (id, user_id, name, hash, scopes, addresses, created_at, expires_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

static enum ph_rc
insert(struct ph_db *db, const struct ph_token *t, const char *user_id, const char *scopes, const char *id,
    const char *token, int64_t now_ms, struct ph_err *err)
{
	unsigned char	 hash[PH_SHA256_SIZE];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	ph_sha256(hash, token, strlen(token));
	if ((rc = ph_db_prepare(db, sql_insert, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_text(st, 2, user_id);
	ph_stmt_bind_text(st, 3, t->name);
	ph_stmt_bind_blob(st, 4, hash, sizeof(hash));
	ph_stmt_bind_text(st, 5, scopes);
	ph_stmt_bind_text(st, 6, t->addresses);
	ph_stmt_bind_int(st, 7, now_ms);
	if (t->expires_at != 0)
		ph_stmt_bind_int(st, 8, t->expires_at);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc == PH_ECONFLICT ? ph_fail(err, PH_ECONFLICT, "this token is there already") : rc;
}

enum ph_rc
ph_token_store(struct ph_db *db, const struct ph_token *t, const char *id, const char *token, int64_t now_ms,
    struct ph_err *err)
{
	char		user_id[40], scopes[PH_SCOPES_MAX + 1];
	enum ph_rc	rc;

	if ((rc = find_user(db, t, user_id, scopes, err)) != PH_OK)
		return rc;
	return insert(db, t, user_id, scopes, id, token, now_ms, err);
}

static const char sql_revoke[] =
	"UPDATE api_tokens SET revoked_at = $1 WHERE id = $2"
	" AND (revoked_at IS NULL OR revoked_at > $1)";

enum ph_rc
ph_token_revoke(struct ph_db *db, const char *id, int64_t at_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_revoke, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, at_ms);
	ph_stmt_bind_text(st, 2, id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_OK && ph_db_changes(db) == 0)
		return ph_fail(err, PH_ENOTFOUND, "token %s: unknown or already revoked", id);
	return rc;
}

static const char sql_get[] =
	"SELECT user_id, name, scopes, addresses, expires_at FROM api_tokens"
	" WHERE id = $1 AND (revoked_at IS NULL OR revoked_at > $2)";

enum ph_rc
ph_token_rotate(struct ph_db *db, const char *old_id, const char *id, const char *token, int64_t now_ms,
    int64_t grace_ms, struct ph_err *err)
{
	struct ph_stmt	*st;
	struct ph_token	 t = { .user = NULL };
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_get, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, old_id);
	ph_stmt_bind_int(st, 2, now_ms);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		t.name = ph_stmt_text(st, 1);
		t.addresses = ph_stmt_text(st, 3);
		t.expires_at = ph_stmt_int(st, 4);
		rc = insert(db, &t, ph_stmt_text(st, 0), ph_stmt_text(st, 2), id, token, now_ms, err);
	} else if (rc == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "token %s: unknown or revoked", old_id);
	ph_stmt_done(st);
	return rc == PH_OK ? ph_token_revoke(db, old_id, now_ms + grace_ms, err) : rc;
}
