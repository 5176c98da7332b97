/*
 * seal.h -- texts that a client carries for us and cannot change.
 *
 * A sealed text is base64url of the text, a dot, and base64url of its HMAC-SHA256 (RFC 2104) under the
 * secret of the home: 256 random bits in $PH_HOME/secret, made when they are first needed.  Whoever may
 * read the text learns it; only programs of this home can make one.
 */
#ifndef PH_SEAL_H
#define PH_SEAL_H

#include "core/error.h"

enum {
	PH_SEAL_TEXT_MAX = 1536,	/* bytes of a text */
	PH_SEALED_MAX = 2200		/* bytes of it sealed, the NUL included */
};

/* Make the secret if it is not there.  PH_EINTERNAL: it cannot be made, or others can read it. */
enum ph_rc	ph_seal_init(struct ph_err *);

/* Seal a text for a purpose (a constant such as "cursor"): it opens for the same purpose only.
 * PH_EINTERNAL also when the text is too long. */
enum ph_rc	ph_seal(const char *purpose, const char *text, char out[PH_SEALED_MAX], struct ph_err *);

/* PH_OK and the text, NUL-terminated; PH_EPARAM, without a name, when it was not sealed here for
 * that purpose; PH_EINTERNAL as above. */
enum ph_rc	ph_unseal(const char *purpose, const char *sealed, char out[PH_SEAL_TEXT_MAX + 1],
		    struct ph_err *);

#endif
