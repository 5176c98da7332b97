/*
 * number.c -- integers in, decimals out.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"

int
ph_parse_int(const char *s, size_t len, int64_t min, int64_t max, int64_t *out)
{
	const int	is_negative = len > 0 && s[0] == '-';
	size_t		i = is_negative ? 1 : 0;
	int64_t		v = 0;		/* kept negative: INT64_MIN has no positive twin */

	if (i == len)
		return -1;
	for (; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s[i] - '0', &v))
			return -1;
	}
	if (!is_negative && __builtin_sub_overflow(0, v, &v))
		return -1;
	if (v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

char *
ph_decimal_format(char buf[PH_DECIMAL_SIZE], ph_int128 num, int64_t den, int places)
{
	const int	is_negative = num < 0;
	static const char zeros[] = "000000000000000000000000000000000000000000000000";
	char		digits[PH_DECIMAL_SIZE];
	ph_int128	q = is_negative ? -num : num;
	size_t		n = 0, len = 0;
	int		i, last;

	assert(den > 0 && places >= 1 && places <= PH_PLACES_MAX);
	for (i = 0; i < places; i++)
		q *= 10;
	q = (2 * q + den) / (2 * (ph_int128)den);
	/* Digits from the right; at least one before the point. */
	while (q > 0 || n <= (size_t)places) {
		assert(n < sizeof(digits) - 3);
		digits[n++] = (char)('0' + (int)(q % 10));
		q /= 10;
	}
	if (is_negative && memcmp(digits, zeros, n) != 0)
		buf[len++] = '-';
	for (last = 0; last < places - 1 && digits[last] == '0';)
		last++;
	for (i = (int)n - 1; i >= last; i--) {
		buf[len++] = digits[i];
		if (i == places)
			buf[len++] = '.';
	}
	buf[len] = '\0';
	return buf;
}

double
ph_round(double x, int places)
{
	char text[400];		/* a double has at most 309 digits ahead of the point */

	snprintf(text, sizeof(text), "%.*f", places, x);
	return strtod(text, NULL) + 0.0;
}
