/*
 * fuzz_expression.c -- expressions of alert rules and boards.
 *
 * Whatever the text, it is refused with a position inside it, or it has a value for any
 * values of the metrics: a finite number or null.
 */
#include "autoconf.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/expression.h"
#include "domain/metric.h"
#include "fuzz.h"

static void
evaluate(const struct ph_expression *e)
{
	static const double	samples[] = { 0, 1, -2.5, NAN, 1e308, -1e308, 1e-308 };
	enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };
	unsigned char		wanted[PH_METRICS_MAX] = { 0 };
	double			values[PH_METRICS_MAX], value;
	size_t			i, k;

	ph_expression_wants(e, wanted);
	for (k = 0; k < SAMPLES; k++) {
		for (i = 0; i < PH_METRICS_MAX; i++)
			values[i] = wanted[i] ? samples[(i + k) % SAMPLES] : NAN;
		value = ph_expression_value(e, values);
		assert(isnan(value) || isfinite(value));
		/* What is not wanted is not read. */
		for (i = 0; i < PH_METRICS_MAX; i++)
			if (!wanted[i])
				values[i] = 7;
		assert(memcmp(&value, &(double){ ph_expression_value(e, values) }, sizeof(value)) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_err		 err = { .rc = PH_OK };
	struct ph_expression	*e;
	const char		*at;
	char			*text;
	long			 position;

	if ((text = malloc(size + 1)) == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if ((e = ph_expression_parse(text, &err)) != NULL)
		evaluate(e);
	else {
		assert(err.rc == PH_EBADREQUEST);
		if ((at = strstr(err.detail, "character ")) != NULL) {
			position = strtol(at + strlen("character "), NULL, 10);
			assert(position >= 1 && (size_t)position <= strlen(text) + 1);
		} else
			assert(strlen(text) > PH_EXPRESSION_MAX);
	}
	ph_expression_free(e);
	free(text);
	return 0;
}
