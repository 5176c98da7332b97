/*
 * address.c -- every address as 16 bytes, so that one comparison does for both families.
 */
#include "autoconf.h"

#include <arpa/inet.h>
#include <string.h>

#include "core/address.h"
#include "core/number.h"

enum { V4_PREFIX_BITS = 96, TEXT_SIZE = INET6_ADDRSTRLEN };

static const char loopback[] = "127.0.0.0/8 ::1";
static const char special[] = "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12"
	" 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24"
	" 203.0.113.0/24 224.0.0.0/3"
	" ::/96 64:ff9b::/96 64:ff9b:1::/48 100::/8 2001::/23 2001:db8::/32 2002::/16 3fff::/20"
	" 4000::/2 8000::/1";

struct network {
	unsigned char	addr[16];
	int		bits;
};

static int
parse_address(const char *s, size_t len, unsigned char out[16], int *is_v4)
{
	static const unsigned char	mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	char				text[TEXT_SIZE];

	if (len == 0 || len >= sizeof(text))
		return -1;
	memcpy(text, s, len);
	text[len] = '\0';
	*is_v4 = inet_pton(AF_INET, text, out + 12) == 1;
	if (*is_v4)
		memcpy(out, mapped, sizeof(mapped));
	return *is_v4 || inet_pton(AF_INET6, text, out) == 1 ? 0 : -1;
}

static int
parse_network(const char *s, size_t len, struct network *net)
{
	const char	*slash = memchr(s, '/', len);
	const size_t	 addr_len = slash != NULL ? (size_t)(slash - s) : len;
	int		 is_v4;
	int64_t		 bits;

	if (parse_address(s, addr_len, net->addr, &is_v4) != 0)
		return -1;
	bits = is_v4 ? 32 : 128;
	if (slash != NULL && ph_parse_int(slash + 1, len - addr_len - 1, 0, bits, &bits) != 0)
		return -1;
	net->bits = (int)bits + (is_v4 ? V4_PREFIX_BITS : 0);
	return 0;
}

int
ph_cidr_is_valid(const char *cidr, size_t len)
{
	struct network net;

	return parse_network(cidr, len, &net) == 0;
}

int
ph_address_is_in(const char *list, const char *address)
{
	unsigned char	addr[16], mask;
	struct network	net;
	size_t		len;
	int		is_v4, whole;

	list += strspn(list, " ");
	if (*list == '\0')
		return 1;
	if (parse_address(address, strlen(address), addr, &is_v4) != 0)
		return 0;
	for (; *list != '\0'; list += len, list += strspn(list, " ")) {
		len = strcspn(list, " ");
		if (parse_network(list, len, &net) != 0)
			continue;
		whole = net.bits / 8;
		mask = (unsigned char)(0xff00 >> (net.bits % 8));
		if (memcmp(addr, net.addr, (size_t)whole) == 0 &&
		    (whole == 16 || ((addr[whole] ^ net.addr[whole]) & mask) == 0))
			return 1;
	}
	return 0;
}

int
ph_address_is_public(const char *address)
{
	unsigned char	addr[16];
	int		is_v4;

	return parse_address(address, strlen(address), addr, &is_v4) == 0 && !ph_address_is_in(special, address);
}

int
ph_address_is_loopback(const char *address)
{
	return ph_address_is_in(loopback, address);
}
