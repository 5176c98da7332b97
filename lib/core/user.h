/*
 * user.h -- the people and programs of an instance: a name, a role, perhaps a password.
 *
 * Disabling a user refuses all of their tokens at once.  The functions run inside a writing transaction.
 */
#ifndef PH_USER_H
#define PH_USER_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/hash.h"

enum { PH_PASSWORD_MIN = 10 };	/* bytes */
#define PH_LOGIN_TOKEN "login"	/* name of the tokens that a password was given for */

/* PH_EPARAM (name): not 1 to PH_NAME_MAX letters, digits and . _ @ -; PH_EPARAM (role); PH_ECONFLICT: it is
 * there already. */
enum ph_rc	ph_user_add(struct ph_db *, const char *name, const char *role, int64_t now_ms, struct ph_err *);

/*
 * Change one user.  PH_ENOTFOUND; PH_EPARAM (role); PH_ECONFLICT: it is the last active admin, without whom nobody
 * could change this back.
 */
enum ph_rc	ph_user_role(struct ph_db *, const char *name, const char *role, struct ph_err *);
/* What the user's plan shows of podcasts: a name of the table tiers; PH_EPARAM (tier): there is no such one. */
enum ph_rc	ph_user_tier(struct ph_db *, const char *name, const char *tier, struct ph_err *);
enum ph_rc	ph_user_disable(struct ph_db *, const char *name, int64_t now_ms, struct ph_err *);
enum ph_rc	ph_user_enable(struct ph_db *, const char *name, struct ph_err *);

/* The hash of a password, which takes some 50 ms: ahead of the transaction.  PH_EPARAM (password): not
 * PH_PASSWORD_MIN to PH_PASSWORD_MAX bytes of UTF-8 without control characters. */
enum ph_rc	ph_user_hash(char hash[PH_PASSWORD_HASH_SIZE], const char *password, struct ph_err *);
/* Whoever had signed in with the old one is signed out.  PH_ENOTFOUND. */
enum ph_rc	ph_user_password(struct ph_db *, const char *name, const char *hash, int64_t now_ms, struct ph_err *);

/* Is it the user's password?  PH_EBADCREDENTIALS for a wrong one, nobody of that name, or a disabled user:
 * which of them is not told, and takes as long. */
enum ph_rc	ph_user_check(struct ph_db *, const char *name, const char *password, struct ph_err *);
/* Revoke every token that the user got for a password. */
enum ph_rc	ph_user_sign_out(struct ph_db *, const char *name, int64_t now_ms, struct ph_err *);

#endif
