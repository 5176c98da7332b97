/*
 * target.h -- where a person wants messages to go: is it a URL, or a mail address, that we may
 * use?  What can be said without asking the network; peer.h judges where a name really leads.
 */
#ifndef PH_TARGET_H
#define PH_TARGET_H

#include <stddef.h>

enum { PH_URL_MAX = 2000, PH_MAIL_ADDRESS_MAX = 254 };

/*
 * https://HOST[:PORT][/PATH][?QUERY], without user or fragment.  A host that is an address, in
 * whatever spelling of IPv4, must be public or in PH_WEBHOOK_ALLOW.  http:// instead needs
 * PH_ALLOW_LOOPBACK_HTTP.  0, or -1 with a sentence in why.
 */
int	ph_target_url_check(const char *url, char *why, size_t why_size);

/* LOCAL@DOMAIN in ASCII, without quotes, spaces or anything else that a mail header or an SMTP
 * command could take for its own.  0, or -1 with a sentence in why. */
int	ph_target_mail_check(const char *address, char *why, size_t why_size);

/* May a message for a URL that a person gave go to this address? */
int	ph_target_may_reach(const char *address);

#endif
