/*
 * target.c -- checks of webhook URLs and mail addresses.
 */
#include "autoconf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/address.h"
#include "core/config.h"
#include "core/number.h"
#include "net/target.h"

enum { HOST_SIZE = 256 };

int
ph_target_may_reach(const char *address)
{
	const char *allowed = ph_config_str(PH_CFG_WEBHOOK_ALLOW);

	/* An empty list would contain every address. */
	return ph_address_is_public(address) || (allowed[0] != '\0' && ph_address_is_in(allowed, address));
}

static int
refuse(char *why, size_t why_size, const char *sentence)
{
	snprintf(why, why_size, "%s", sentence);
	return -1;
}

/* Host and what follows it.  0, or -1 when there is no such host. */
static int
split_host(const char *rest, char host[HOST_SIZE], const char **after)
{
	const int	is_v6 = rest[0] == '[';
	const size_t	len = is_v6 ? strcspn(rest + 1, "]") : strcspn(rest, ":/?");

	if (len == 0 || len >= HOST_SIZE || (is_v6 && rest[1 + len] != ']'))
		return -1;
	memcpy(host, rest + is_v6, len);
	host[len] = '\0';
	*after = rest + len + (is_v6 ? 2 : 0);
	return 0;
}

/* The address that a host spells, like 127.1, 0x7f000001 or [::1]; "" for a name. */
static void
spelled_address(const char *host, char out[INET6_ADDRSTRLEN])
{
	struct in6_addr	v6;
	struct in_addr	v4;

	out[0] = '\0';
	if (inet_pton(AF_INET6, host, &v6) == 1)
		inet_ntop(AF_INET6, &v6, out, INET6_ADDRSTRLEN);
	else if (inet_aton(host, &v4) != 0)
		inet_ntop(AF_INET, &v4, out, INET6_ADDRSTRLEN);
}

int
ph_target_url_check(const char *url, char *why, size_t why_size)
{
	const int	 is_plain = strncasecmp(url, "http://", 7) == 0;
	const char	*rest = url + (is_plain ? 7 : 8), *p, *after;
	char		 host[HOST_SIZE], address[INET6_ADDRSTRLEN];
	int64_t		 port;

	if (!is_plain && strncasecmp(url, "https://", 8) != 0)
		return refuse(why, why_size, "a URL beginning with https:// is needed");
	if (strlen(url) > PH_URL_MAX)
		return refuse(why, why_size, "the URL is too long");
	for (p = url; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("\"<>\\^`{|}", *p) != NULL)
			return refuse(why, why_size, "the URL holds a character that must be percent-encoded");
	if (strchr(rest, '@') != NULL && strcspn(rest, "@") < strcspn(rest, "/?#"))
		return refuse(why, why_size, "the URL may not hold a user or a password");
	if (strchr(rest, '#') != NULL)
		return refuse(why, why_size, "the URL may not have a fragment");
	if (split_host(rest, host, &after) != 0)
		return refuse(why, why_size, "the URL has no host");
	if (after[0] == ':' && ph_parse_int(after + 1, strcspn(after + 1, "/?"), 1, 65535, &port) != 0)
		return refuse(why, why_size, "the URL has no valid port");
	if (after[0] != ':' && after[0] != '/' && after[0] != '?' && after[0] != '\0')
		return refuse(why, why_size, "the URL has no valid host");
	if (is_plain && ph_config_int(PH_CFG_ALLOW_LOOPBACK_HTTP) == 0)
		return refuse(why, why_size, "https:// is needed");
	spelled_address(host, address);
	if (address[0] == '\0' && rest[0] == '[')
		return refuse(why, why_size, "the URL has no valid host");
	if (address[0] != '\0' && !ph_target_may_reach(address))
		return refuse(why, why_size, "the address is private and not in PH_WEBHOOK_ALLOW");
	return 0;
}

/* Letters and digits, and of punctuation what RFC 5322 allows in an atom. */
static int
is_atom(const char *s, size_t len, const char *punctuation)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] >= 0x80 || (!isalnum((unsigned char)s[i]) && strchr(punctuation, s[i]) == NULL))
			return 0;
	return len > 0 && s[0] != '.' && s[0] != '-' && s[len - 1] != '.';
}

int
ph_target_mail_check(const char *address, char *why, size_t why_size)
{
	const char *at = strchr(address, '@');

	if (at == NULL || strlen(address) > PH_MAIL_ADDRESS_MAX ||
	    !is_atom(address, (size_t)(at - address), ".!#$%&'*+-/=?^_`{|}~") ||
	    !is_atom(at + 1, strlen(at + 1), ".-"))
		return refuse(why, why_size, "a mail address like ops@example.com is needed");
	return 0;
}
