/*
 * auth.h -- who is asking, and may they?
 *
 * One mechanism: API tokens.  A token is looked up by its SHA-256; it carries scopes,
 * and its owner's role bounds them at every check, so that a demoted user's tokens shrink
 * with the role.
 */
#ifndef PH_AUTH_H
#define PH_AUTH_H

#include <stdint.h>

#include "core/db.h"
#include "core/error.h"

enum {
	PH_SCOPES_MAX = 512,		/* bytes of a space-separated list */
	PH_NAME_MAX = 64,
	PH_LAST_USE_STEP_MS = 60000	/* last_used_at is written at most this often */
};

struct ph_identity {
	char	user[PH_NAME_MAX + 1];		/* "" = nobody; "local" = the operator by hand */
	char	token_id[PH_NAME_MAX + 1];	/* "" = no token */
	char	scopes[PH_SCOPES_MAX + 1];	/* effective, space-separated */
	int	is_use_due;			/* last_used_at should be written */
};

/* Every scope there is, with its meaning; ends with a NULL name. */
struct ph_scope {
	const char	*name;
	const char	*text;
	const char	*roles;		/* roles that hold it, space-separated; admin holds all */
};
extern const struct ph_scope ph_scopes[];

int	ph_scope_is_known(const char *name, size_t len);
int	ph_role_is_known(const char *role);

/* Does the space-separated list hold the scope, or "admin", which holds every scope? */
int	ph_scopes_allow(const char *scopes, const char *needed);

/* The scopes of a role, space-separated, to out.  Empty for an unknown role. */
void	ph_role_scopes(const char *role, char out[PH_SCOPES_MAX + 1]);

/* Those words of a that b allows, to out. */
void	ph_scopes_within(const char *a, const char *b, char out[PH_SCOPES_MAX + 1]);

/*
 * Find the identity behind a token, inside a transaction of db.  address is the client's
 * ("" = unknown: refused if the token has an address list).  PH_OK, PH_EBADCREDENTIALS,
 * PH_EEXPIRED, PH_EREVOKED, PH_EADDRESS, PH_EDB*.
 */
enum ph_rc	ph_auth_token(struct ph_db *, const char *token, const char *address, int64_t now_ms,
		    struct ph_identity *, struct ph_err *);

/*
 * Tickets, for clients that cannot send a header: pht_ and 256 random bits, good once, for
 * PH_TICKET_MS, with the scopes and the life of the token that asked for it.  Only the SHA-256
 * is stored.  Both functions belong inside a writing transaction, and what using a ticket does
 * must be committed also after a failure.
 */
enum { PH_TICKET_MS = 30000, PH_TICKET_SIZE = 48 };
enum ph_rc	ph_auth_ticket_make(struct ph_db *, const struct ph_identity *, int64_t now_ms,
		    char ticket[PH_TICKET_SIZE], struct ph_err *);
/* As ph_auth_token(). */
enum ph_rc	ph_auth_ticket_use(struct ph_db *, const char *ticket, const char *address, int64_t now_ms,
		    struct ph_identity *, struct ph_err *);

/* Call f for each token in the order of ids: may it be used for the scope now?  Left out are those
 * that ended before since_ms. */
typedef void	ph_auth_each_fn(void *arg, const char *token_id, int may);
enum ph_rc	ph_auth_each(struct ph_db *, const char *scope, int64_t now_ms, int64_t since_ms,
		    ph_auth_each_fn *f, void *arg, struct ph_err *);

/* PH_OK if the identity has the scope, else PH_ESCOPE. */
enum ph_rc	ph_auth_scope(const struct ph_identity *, const char *scope, struct ph_err *);

#endif
