/*
 * log.h -- one JSON line per request on stderr, written at once so that the lines of
 * several workers do not mix.  No query string, header or secret is ever in it.
 */
#ifndef PH_LOG_H
#define PH_LOG_H

#include <stdint.h>

#include "core/error.h"

struct ph_log_request {
	int64_t			 at_ms;
	const char		*route;
	const char		*method;
	const char		*request_id;
	const char		*user;		/* "" = nobody */
	const char		*token_id;	/* "" = none */
	int			 status;
	size_t			 bytes;
	int64_t			 us;		/* microseconds from the first byte to the last */
	const struct ph_err	*err;		/* NULL: no failure */
};
void	ph_log_request(const struct ph_log_request *);

/* A line about the process itself; level is "info", "warn" or "error". */
void	ph_log(const char *level, const char *route, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

#endif
