/*
 * utf8.c -- well-formed sequences, after table 3-7 of the Unicode standard.
 */
#include "autoconf.h"

#include <stdint.h>
#include <string.h>

#include "core/utf8.h"

size_t
ph_utf8_next(const char *s, size_t len)
{
	const unsigned char	*p = (const unsigned char *)s;
	unsigned char		 lo = 0x80, hi = 0xbf;	/* bounds of the second byte */
	size_t			 need, i;

	if (len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		need = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		need = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		need = 4;
	else
		return 0;
	switch (p[0]) {
	case 0xe0: lo = 0xa0; break;
	case 0xed: hi = 0x9f; break;
	case 0xf0: lo = 0x90; break;
	case 0xf4: hi = 0x8f; break;
	default: break;
	}
	if (len < need || p[1] < lo || p[1] > hi)
		return 0;
	for (i = 2; i < need; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return need;
}

int
ph_utf8_is_valid(const char *s, size_t len)
{
	uint64_t	eight;
	size_t		n;

	while (len > 0) {
		for (; len >= sizeof(eight); s += sizeof(eight), len -= sizeof(eight)) {
			memcpy(&eight, s, sizeof(eight));
			if ((eight & UINT64_C(0x8080808080808080)) != 0)
				break;		/* not all of it is ASCII */
		}
		if (len == 0)
			break;
		if ((n = ph_utf8_next(s, len)) == 0)
			return 0;
		s += n;
		len -= n;
	}
	return 1;
}

size_t
ph_utf8_cut(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	/* At most three bytes of a sequence follow its first one. */
	for (len = max; len > 0 && max - len < 3 && ((unsigned char)s[len] & 0xc0) == 0x80; len--)
		;
	return ((unsigned char)s[len] & 0xc0) == 0x80 ? max : len;
}
