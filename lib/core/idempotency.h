/*
 * idempotency.h -- the same writing request sent twice happens once (Idempotency-Key header,
 * draft-ietf-httpapi-idempotency-key-header).
 *
 * The answer of a success is kept for 24 hours under caller, route and key, in the transaction of
 * the change itself.  A failure is not kept: it changed nothing and may be tried again.
 */
#ifndef PH_IDEMPOTENCY_H
#define PH_IDEMPOTENCY_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"

enum {
	PH_IDEMPOTENCY_KEY_MAX = 255,		/* visible ASCII */
	PH_IDEMPOTENCY_KEEP_MS = 86400000
};

struct ph_idempotency {
	const char	*key;		/* borrowed, as the three below */
	const char	*actor;
	const char	*route;		/* method and path */
	const char	*request;	/* query and body: what must be the same */
	size_t		 request_len;
	int64_t		 now_ms;
};

/* PH_EPARAM if the key is not 1 to 255 visible ASCII characters. */
enum ph_rc	ph_idempotency_check(const char *key, struct ph_err *);

/* Was it answered before?  PH_ROW: yes, *status and *body (caller frees); PH_DONE: no;
 * PH_EKEYREUSED: the key was used for another request. */
enum ph_rc	ph_idempotency_find(struct ph_db *, const struct ph_idempotency *, int *status, char **body,
		    struct ph_err *);

enum ph_rc	ph_idempotency_keep(struct ph_db *, const struct ph_idempotency *, int status, const char *body,
		    struct ph_err *);

#endif
