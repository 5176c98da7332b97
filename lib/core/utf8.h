/*
 * utf8.h -- is it UTF-8 (RFC 3629): no overlong forms, no surrogates, at most U+10FFFF.
 */
#ifndef PH_UTF8_H
#define PH_UTF8_H

#include <stddef.h>

/* Length in bytes of the well-formed sequence at s (at most len bytes are looked at);
 * 0 when s does not begin with one. */
size_t	ph_utf8_next(const char *s, size_t len);

/* Are all len bytes well-formed?  A NUL byte is (it is U+0000). */
int	ph_utf8_is_valid(const char *s, size_t len);

/* The longest prefix of s, len bytes, that has at most max bytes and splits no sequence: its length. */
size_t	ph_utf8_cut(const char *s, size_t len, size_t max);

#endif
