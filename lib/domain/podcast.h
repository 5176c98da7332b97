/*
 * podcast.h -- whose podcasts these are, and how much of their analytics a plan shows.
 *
 * A caller sees their own podcasts; with the scope admin everybody's.  Another's looks like one that
 * is not there.  All calls belong inside a transaction.
 */
#ifndef PH_PODCAST_H
#define PH_PODCAST_H

#include <stdint.h>

#include "core/auth.h"
#include "core/db.h"
#include "core/error.h"

enum { PH_ID_SIZE = 129 };	/* of a user, podcast or episode: 128 bytes and a NUL */

/* What tiers.analytics_level lets somebody see. */
enum ph_level { PH_LEVEL_BASIC, PH_LEVEL_ADVANCED, PH_LEVEL_FULL };
extern const char *const ph_plan_levels[];	/* basic, advanced, full; NULL */

struct ph_listener {		/* who is asking */
	char		user_id[PH_ID_SIZE];	/* "": a user who is not there, and owns nothing */
	int		is_admin;	/* and asks for nobody else: sees everybody's */
	enum ph_level	level;
};

/*
 * Who is asking, of: the id or name of another user for admins, NULL for oneself.  The operator by hand stands for the
 * oldest active admin.  PH_ESCOPE: of without the scope admin; PH_ENOTFOUND: there is no such user.
 */
enum ph_rc	ph_listener_find(struct ph_db *, const struct ph_identity *, const char *of, struct ph_listener *,
		    struct ph_err *);

struct ph_podcast {
	char	id[PH_ID_SIZE];
	char	user_id[PH_ID_SIZE];
	char	name[512];			/* may be cut */
	int	is_public;
};
/* PH_ENOTFOUND also for another's. */
enum ph_rc	ph_podcast_find(struct ph_db *, const struct ph_listener *, const char *id, struct ph_podcast *,
		    struct ph_err *);

/* PH_OK if the level suffices, else PH_EPLAN. */
enum ph_rc	ph_level_check(const struct ph_listener *, enum ph_level needed, struct ph_err *);

#endif
