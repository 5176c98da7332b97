/*
 * live-token.h -- ending the streams of tokens that may not have them any more: revoked, expired,
 * removed, of a disabled user, or without the scope.
 */
#ifndef PH_LIVE_TOKEN_H
#define PH_LIVE_TOKEN_H

#include "core/db.h"
#include "core/error.h"
#include "net/nchan.h"

struct ph_live_tokens;		/* opaque: the tokens as they stood last */

struct ph_live_tokens	*ph_live_tokens_new(void);	/* NULL: no memory */
void			 ph_live_tokens_free(struct ph_live_tokens *);	/* NULL is fine */

/* Who may now?  Inside a transaction. */
enum ph_rc	ph_live_tokens_read(struct ph_live_tokens *, struct ph_db *, int64_t now_ms, struct ph_err *);
/* End the streams of those who may not. */
enum ph_rc	ph_live_tokens_end(struct ph_live_tokens *, struct ph_nchan *, struct ph_err *);

#endif
