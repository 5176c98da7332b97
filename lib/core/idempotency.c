/*
 * idempotency.c -- the table idempotency_keys.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/idempotency.h"

enum ph_rc
ph_idempotency_check(const char *key, struct ph_err *err)
{
	const size_t	len = strlen(key);
	size_t		i;

	for (i = 0; i < len && key[i] > ' ' && key[i] < 0x7f; i++)
		;
	if (len == 0 || len > PH_IDEMPOTENCY_KEY_MAX || i < len)
		return ph_fail_param(err, "Idempotency-Key", 15, "1 to %d visible ASCII characters are needed",
		    PH_IDEMPOTENCY_KEY_MAX);
	return PH_OK;
}

/* The primary key is (actor, route, key): one seek. */
static const char sql_find[] =
	"SELECT request_hash = $4, status, body FROM idempotency_keys"
	" WHERE actor = $1 AND route = $2 AND key = $3 AND created_at > $5";

enum ph_rc
ph_idempotency_find(struct ph_db *db, const struct ph_idempotency *i, int *status, char **body,
    struct ph_err *err)
{
	unsigned char	 hash[PH_SHA256_SIZE];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*body = NULL;
	if ((rc = ph_db_prepare(db, sql_find, &st, err)) != PH_OK)
		return rc;
	ph_sha256(hash, i->request, i->request_len);
	ph_stmt_bind_text(st, 1, i->actor);
	ph_stmt_bind_text(st, 2, i->route);
	ph_stmt_bind_text(st, 3, i->key);
	ph_stmt_bind_blob(st, 4, hash, sizeof(hash));
	ph_stmt_bind_int(st, 5, i->now_ms - PH_IDEMPOTENCY_KEEP_MS);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*status = (int)ph_stmt_int(st, 1);
		if (ph_stmt_int(st, 0) == 0)
			rc = ph_fail(err, PH_EKEYREUSED, "send another key, or the same request again");
		else if ((*body = strdup(ph_stmt_text(st, 2))) == NULL)
			rc = ph_fail(err, PH_ENOMEM, "not enough memory for the answer");
	}
	ph_stmt_done(st);
	return rc;
}

static const char sql_keep[] =
	"INSERT INTO idempotency_keys (actor, route, key, request_hash, status, body, created_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7)"
	" ON CONFLICT (actor, route, key) DO UPDATE SET request_hash = excluded.request_hash,"
	" status = excluded.status, body = excluded.body, created_at = excluded.created_at";

enum ph_rc
ph_idempotency_keep(struct ph_db *db, const struct ph_idempotency *i, int status, const char *body,
    struct ph_err *err)
{
	unsigned char	 hash[PH_SHA256_SIZE];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_keep, &st, err)) != PH_OK)
		return rc;
	ph_sha256(hash, i->request, i->request_len);
	ph_stmt_bind_text(st, 1, i->actor);
	ph_stmt_bind_text(st, 2, i->route);
	ph_stmt_bind_text(st, 3, i->key);
	ph_stmt_bind_blob(st, 4, hash, sizeof(hash));
	ph_stmt_bind_int(st, 5, status);
	ph_stmt_bind_text(st, 6, body);
	ph_stmt_bind_int(st, 7, i->now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}
