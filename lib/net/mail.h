/*
 * mail.h -- sending a mail through the server of PH_SMTP_URL, on libcurl.
 *
 * TLS is always used: from the first byte with smtps://, by STARTTLS with smtp://.  With
 * PH_ALLOW_LOOPBACK_HTTP a server on this machine itself may do without.
 */
#ifndef PH_MAIL_H
#define PH_MAIL_H

#include <stdint.h>

#include "core/error.h"

enum { PH_MAIL_TIMEOUT_MS = 5000 };

struct ph_mail {			/* all borrowed */
	const char	*to;		/* one address, as ph_target_mail_check() wants it */
	const char	*subject;	/* any UTF-8; encoded as RFC 2047 wants, so it cannot hold a header */
	const char	*text;		/* any UTF-8 */
	const char	*id;		/* for Message-ID: the same mail tried again has the same; [a-z0-9-] */
	int64_t		 at_ms;		/* for Date */
};

/* PH_OK: the server has taken it.  PH_EUPSTREAM*: it has not, or it is not known; PH_EPARAM: the
 * settings or the address are no good. */
enum ph_rc	ph_mail_send(const struct ph_mail *, struct ph_err *);

#endif
