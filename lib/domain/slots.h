/*
 * slots.h -- when posts may go out: the windows and gaps of the platforms, around what is
 * scheduled already.
 *
 *	platform	window (UTC)	gap
 *	instagram	18 to 23	60 min
 *	tiktok		16 to 24	30 min
 *	youtube		17 to 22	90 min
 *	others		always		none
 *
 * A window ends before its last hour: 22:59 is inside 18 to 23, 23:00 is not.
 */
#ifndef PH_SLOTS_H
#define PH_SLOTS_H

#include <stdint.h>

enum { PH_SLOTS_MAX = 10000 };

struct ph_slots;		/* times that are taken, in order */

struct ph_slots	*ph_slots_new(void);	/* NULL: no memory */
void		 ph_slots_free(struct ph_slots *);	/* NULL is fine */

/* at is taken by a post of that platform key.  0, or -1 when there are PH_SLOTS_MAX. */
int		 ph_slots_take(struct ph_slots *, int64_t at_ms, const char *key);
int		 ph_slots_has(const struct ph_slots *, int64_t at_ms, const char *key);

/*
 * The first full minute at or after from that lies in the window of the platform, at least its
 * gap from every other post of the platform, and at least interval from every post at all.
 */
int64_t		 ph_slots_next(const struct ph_slots *, const char *key, int64_t from_ms,
		    int64_t interval_ms);

#endif
