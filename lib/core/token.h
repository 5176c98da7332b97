/*
 * token.h -- making, revoking and rotating API tokens, inside a writing transaction.
 *
 * A token is phk_ID_SECRET: ID is public and names it in lists and logs, SECRET is 256 random
 * bits.  Only the SHA-256 of the whole is stored; the text is shown once.  An imported
 * token is any text of 16 to 512 visible characters, so that installed clients keep theirs.
 */
#ifndef PH_TOKEN_H
#define PH_TOKEN_H

#include <stdint.h>

#include "core/auth.h"
#include "core/db.h"
#include "core/error.h"
#include "core/request.h"

enum { PH_TOKEN_ID_SIZE = 11, PH_TOKEN_IMPORT_MIN = 16, PH_TOKEN_GRACE_MS = 86400000 };

struct ph_token {
	const char	*user;		/* name of an active user */
	const char	*name;		/* what it is for, 1 to PH_NAME_MAX bytes */
	const char	*scopes;	/* within the role's; NULL or "": all of them */
	const char	*addresses;	/* CIDR list; "": any */
	int64_t		 expires_at;	/* 0: never */
};

/* Is every word a scope, or a network?  The first that is not, with its length; NULL: all are. */
const char	*ph_token_bad_scope(const char *scopes, size_t *len);
const char	*ph_token_bad_address(const char *addresses, size_t *len);

/* A fresh id and token. */
void		ph_token_make(char id[PH_TOKEN_ID_SIZE], char token[PH_TOKEN_MAX + 1]);

/* Store a token under an id.  PH_ENOTFOUND: no such active user; PH_EPARAM (scopes): more than the
 * user's role holds; PH_ECONFLICT: it is there already. */
enum ph_rc	ph_token_store(struct ph_db *, const struct ph_token *, const char *id, const char *token,
		    int64_t now_ms, struct ph_err *);

/* Valid until at_ms and no longer.  PH_ENOTFOUND: unknown or revoked already. */
enum ph_rc	ph_token_revoke(struct ph_db *, const char *id, int64_t at_ms, struct ph_err *);

/* Store a new token with everything of the old one, which stays valid for grace_ms.  PH_ENOTFOUND. */
enum ph_rc	ph_token_rotate(struct ph_db *, const char *old_id, const char *id, const char *token,
		    int64_t now_ms, int64_t grace_ms, struct ph_err *);

#endif
