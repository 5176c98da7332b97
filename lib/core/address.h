/*
 * address.h -- client addresses and networks in CIDR notation (RFC 4632, RFC 4291).
 *
 * An IPv4 address mapped into IPv6 (::ffff:a.b.c.d) is the IPv4 address.
 */
#ifndef PH_ADDRESS_H
#define PH_ADDRESS_H

#include <stddef.h>

/* Is it an address, or address/prefix?  len bytes, no NUL needed. */
int	ph_cidr_is_valid(const char *cidr, size_t len);

/* Does one network of the space-separated list contain the address?  An empty list
 * contains every address; a malformed entry or address contains none. */
int	ph_address_is_in(const char *list, const char *address);

/* Is it an address that the Internet can reach: not private, loopback, link-local, multicast,
 * unspecified, reserved, for documentation, nor one that carries such a one inside (6to4, NAT64,
 * Teredo)?  By the special-purpose registries of IANA (RFC 6890).  A malformed one is not. */
int	ph_address_is_public(const char *address);
/* 127.0.0.0/8 or ::1. */
int	ph_address_is_loopback(const char *address);

#endif
