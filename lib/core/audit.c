/*
 * audit.c -- writing audit_log.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/audit.h"
#include "core/hash.h"

enum { QUERY_HASH_BYTES = 16 };

static const char sql_audit[] =
	"INSERT INTO audit_log (at, actor, token_id, address, method, path, query_hash, status,"
	" duration_ms, request_id, action, target, detail)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

enum ph_rc
ph_audit(struct ph_db *db, const struct ph_audit *a, struct ph_err *err)
{
	unsigned char	 hash[PH_SHA256_SIZE];
	char		 hex[2 * QUERY_HASH_BYTES + 1] = "";
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = ph_db_prepare(db, sql_audit, &st, err)) != PH_OK)
		return rc;
	if (a->query != NULL && a->query[0] != '\0') {
		ph_sha256(hash, a->query, strlen(a->query));
		for (i = 0; i < QUERY_HASH_BYTES; i++)
			snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	}
	ph_stmt_bind_int(st, 1, a->at_ms);
	ph_stmt_bind_text(st, 2, a->actor);
	ph_stmt_bind_text(st, 3, a->token_id);
	ph_stmt_bind_text(st, 4, a->address);
	ph_stmt_bind_text(st, 5, a->method);
	ph_stmt_bind_text(st, 6, a->path);
	ph_stmt_bind_text(st, 7, hex[0] != '\0' ? hex : NULL);
	if (a->status != 0) {
		ph_stmt_bind_int(st, 8, a->status);
		ph_stmt_bind_int(st, 9, a->duration_ms);
	}
	ph_stmt_bind_text(st, 10, a->request_id);
	ph_stmt_bind_text(st, 11, a->action);
	ph_stmt_bind_text(st, 12, a->target);
	ph_stmt_bind_text(st, 13, a->detail);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}
