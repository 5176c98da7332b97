/*
 * upstream.h -- a call to a service that we depend on: deadlines, a size cap, retries, and the circuit
 * breaker that all workers share (breaker.h).  What is asked and how an answer reads belongs to the
 * service's own client, e.g. op3.h; how bytes travel, to http.h.
 *
 * Each try leaves a line in the log: service, method, URL without the values of its query, what came of it.
 */
#ifndef PH_UPSTREAM_H
#define PH_UPSTREAM_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/state.h"
#include "net/breaker.h"

enum ph_upstream { PH_UPSTREAM_OP3, PH_UPSTREAM__MAX };

const char		*ph_upstream_name(enum ph_upstream);
struct ph_breaker_rule	 ph_upstream_rule(enum ph_upstream);	/* from the settings */

/* What a call came to. */
enum ph_reply {
	PH_REPLY_OK,		/* 2xx, and it was understood */
	PH_REPLY_NOT_FOUND,	/* 404 */
	PH_REPLY_REFUSED,	/* another 4xx: our mistake */
	PH_REPLY_UNAUTHORIZED,	/* 401, 403; the service is left alone for PH_UNAUTHORIZED_S */
	PH_REPLY_RATE_LIMITED,	/* 429; left alone for Retry-After, else PH_RATE_LIMITED_S */
	PH_REPLY_TIMEOUT,
	PH_REPLY_NETWORK,	/* names, connection, TLS, an answer that broke off */
	PH_REPLY_BAD,		/* 2xx or 3xx that cannot be understood, or is too long */
	PH_REPLY_ERROR,		/* 5xx */
	PH_REPLY_OPEN,		/* not made: the breaker is open */
	PH_REPLY_INTERNAL,	/* not made: no memory */
	PH_REPLY__MAX
};
enum { PH_UNAUTHORIZED_S = 600, PH_RATE_LIMITED_S = 60, PH_RETRY_AFTER_MAX_S = 3600 };

/* not_found, refused, unauthorized, rate_limited, timeout, network, bad_response, upstream_error,
 * breaker_open, internal; NULL for PH_REPLY_OK. */
const char	*ph_reply_code(enum ph_reply);

/* Understand an answer, len bytes and a NUL.  0, or -1: it is nonsense. */
typedef int	ph_upstream_parse(void *arg, const char *answer, size_t len);

struct ph_upstream_call {
	/* what is asked; all borrowed */
	const char		*url;
	const char *const	*headers;	/* as of ph_http_call */
	ph_upstream_parse	*parse;
	void			*arg;
	ph_upstream_parse	*missing;	/* does a 404 say that the thing is not there?  Else it is
						 * PH_REPLY_REFUSED; NULL: any does */
	size_t			 answer_max;	/* bytes */
	int			 timeout_ms;	/* of one try */
	int64_t			 deadline_us;	/* of all, monotonic */
	int			 tries;		/* at least 1; only what may pass by is tried again */
	/* what came of it */
	int			 status;	/* 0: no answer */
	int			 retry_after_s;	/* when the call is worth another try, as far as known; else 0 */
};

/* Make the call, a GET.  state NULL: without a breaker.  Waits between tries. */
enum ph_reply	ph_upstream_get(struct ph_state *, enum ph_upstream, struct ph_upstream_call *);

/*
 * The wait before try number k + 1 (k from 1), in ms: exponential back-off with full jitter, u from
 * 0 to 1000 thousandths of min(cap, base * 2^(k - 1)), but at least retry_after_ms.
 */
int64_t		ph_retry_wait_ms(int k, int64_t base_ms, int64_t cap_ms, int u, int64_t retry_after_ms);

/* The value of a Retry-After header (RFC 9110 section 10.2.3), seconds or a date, in seconds from now; -1 for
 * anything else. */
int64_t		ph_retry_after_s(const char *value, time_t now);

#endif
