/*
 * http.h -- the one client for HTTP calls to other machines, on libcurl, several at once.
 *
 * Certificates are always verified, redirects never followed; http:// goes to this machine
 * itself only, and only with PH_ALLOW_LOOPBACK_HTTP.  What a call may reach: peer.h.
 */
#ifndef PH_HTTP_H
#define PH_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum { PH_HTTP_CALLS_MAX = 64, PH_HTTP_VALUE_SIZE = 64 };

struct ph_http_call {
	/* what is asked; all borrowed until ph_http_run() returns */
	const char		*url;
	const char *const	*headers;	/* "Name: value", NULL-terminated; NULL: none */
	const char		*body;		/* POST; NULL: GET */
	size_t			 body_len;
	int			 is_given;	/* the URL is a person's: private addresses are refused */
	int			 timeout_ms;	/* of the whole call */
	char			*answer;	/* room for its body and a NUL; of the caller */
	size_t			 answer_size;	/* an answer that does not fit is cut off */

	/* what came of it */
	enum ph_rc		 rc;		/* PH_OK: a whole answer, whatever its status; else err */
	struct ph_err		 err;
	int			 status;	/* 0: none arrived; may be there without PH_OK */
	int			 is_cut;	/* the answer did not fit; then rc is PH_EUPSTREAM */
	size_t			 answer_len;
	char			 type[PH_HTTP_VALUE_SIZE];	/* Content-Type, "": none */
	char			 retry_after[PH_HTTP_VALUE_SIZE];	/* Retry-After as it came, "": none */
	int			 duration_ms;
};

/* Make n calls at once (at most PH_HTTP_CALLS_MAX), and return when the last has ended. */
void	ph_http_run(struct ph_http_call *, size_t n);

#endif
