/*
 * number.h -- numbers as text: the one parser of integers, the one printer of decimals.
 */
#ifndef PH_NUMBER_H
#define PH_NUMBER_H

#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 ph_int128;	/* wide enough for sum * 10^places */

enum {
	PH_PLACES_MAX = 6,	/* decimal places of ph_decimal_format */
	PH_DECIMAL_SIZE = 48	/* holds any text of ph_decimal_format */
};

/* Decimal integer of exactly len bytes: an optional minus, digits, nothing else.
 * 0 and *out, or -1 when it is not one, or lies outside min..max. */
int	ph_parse_int(const char *s, size_t len, int64_t min, int64_t max, int64_t *out);

/*
 * num / den with at most `places` decimals, rounded half away from zero, exactly: the
 * quotient is formed in integers, so no sum order and no binary fraction shows.
 * Trailing zeros are dropped, but a decimal point with one digit always stays: 0.0,
 * 3600.0, 2249.67.  den > 0.  |num| must stay below 10^31.  Returns buf.
 */
char	*ph_decimal_format(char buf[PH_DECIMAL_SIZE], ph_int128 num, int64_t den, int places);

/*
 * x rounded to so many decimals as printf(3) does it: the binary value itself, exactly; where that lies in the middle, to
 * the even neighbour.  Never -0.
 */
double	ph_round(double x, int places);

#endif
