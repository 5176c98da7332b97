/*
 * slots.c -- the windows and gaps of the platforms.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "domain/filter.h"
#include "domain/slots.h"

#define DAY_MS		INT64_C(86400000)
#define HOUR_MS		INT64_C(3600000)
#define MINUTE_MS	INT64_C(60000)

struct slot { int64_t at; enum ph_platform_key key; };

struct ph_slots {
	size_t		n;
	struct slot	slots[PH_SLOTS_MAX];	/* by at */
};

static const struct { int open_h, close_h, gap_min; } rules[PH_PLATFORM__MAX] = {
	[PH_PLATFORM_INSTAGRAM] = { 18, 23, 60 },
	[PH_PLATFORM_TIKTOK]    = { 16, 24, 30 },
	[PH_PLATFORM_YOUTUBE]   = { 17, 22, 90 },
	[PH_PLATFORM_OTHER]     = { 0, 24, 0 },
	[PH_PLATFORM_FACEBOOK]  = { 0, 24, 0 },
};

struct ph_slots *
ph_slots_new(void)
{
	return calloc(1, sizeof(struct ph_slots));
}

void
ph_slots_free(struct ph_slots *s)
{
	free(s);
}

static enum ph_platform_key
key_of(const char *name)
{
	int i;

	for (i = 0; i < PH_PLATFORM__MAX; i++)
		if (strcmp(ph_platform_keys[i], name) == 0)
			return (enum ph_platform_key)i;
	return PH_PLATFORM_OTHER;
}

int
ph_slots_take(struct ph_slots *s, int64_t at, const char *key)
{
	size_t i;

	if (s->n == PH_SLOTS_MAX)
		return -1;
	/* From the end: what comes in order, as from the database, is not moved. */
	for (i = s->n++; i > 0 && s->slots[i - 1].at > at; i--)
		s->slots[i] = s->slots[i - 1];
	s->slots[i] = (struct slot){ at, key_of(key) };
	return 0;
}

int
ph_slots_has(const struct ph_slots *s, int64_t at, const char *key)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->slots[i].at == at && s->slots[i].key == key_of(key))
			return 1;
	return 0;
}

/* The first full minute in the window at or after t; t >= 0. */
static int64_t
into_window(enum ph_platform_key key, int64_t t)
{
	const int64_t	open = rules[key].open_h * HOUR_MS, close = rules[key].close_h * HOUR_MS;
	int64_t		day, in_day;

	t = (t + MINUTE_MS - 1) / MINUTE_MS * MINUTE_MS;
	day = t - t % DAY_MS;
	in_day = t - day;
	return in_day < open ? day + open : in_day < close ? t : day + DAY_MS + open;
}

int64_t
ph_slots_next(const struct ph_slots *s, const char *name, int64_t from, int64_t interval)
{
	const enum ph_platform_key	key = key_of(name);
	const int64_t			own = rules[key].gap_min * MINUTE_MS;
	int64_t				t = into_window(key, from), gap;
	size_t				i;

	/* t only grows, so the times before it need not be looked at again -- except that a longer
	 * gap of the own platform reaches further back than the interval; all are before i. */
	for (i = 0; i < s->n; i++) {
		gap = s->slots[i].key == key && own > interval ? own : interval;
		if (s->slots[i].at <= t - gap)
			continue;
		if (s->slots[i].at >= t + gap) {
			/* Nothing of any platform can be nearer than the widest gap. */
			if (s->slots[i].at >= t + (own > interval ? own : interval))
				break;
			continue;
		}
		t = into_window(key, s->slots[i].at + gap);
	}
	return t;
}
