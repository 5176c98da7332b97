/*
 * show.h -- what OP3 says of podcasts, kept in op3_shows and op3_counts: fresh for three hours, usable as
 * stale for seven days, fetched by one process however many want it.
 *
 * A failure keeps the last good figures, and nobody asks again for a minute, doubling up to a quarter of an
 * hour.  Calls to OP3 are made outside any transaction, under a lease of the podcast's row that ends by itself
 * if its holder dies.
 */
#ifndef PH_SHOW_H
#define PH_SHOW_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "domain/podcast.h"
#include "net/op3.h"

#define PH_SHOW_FRESH_MS	INT64_C(10800000)	/* 3 hours */
#define PH_SHOW_STALE_MS	INT64_C(604800000)	/* 7 days */

enum { PH_SHOW_CODE_SIZE = 24, PH_SHOW_URL_SIZE = 2049, PH_SHOWS_MAX = 500 };

enum ph_show_use { PH_SHOW_FRESH, PH_SHOW_STALE, PH_SHOW_UNAVAILABLE };	/* from good to bad */
extern const char *const ph_show_uses[];	/* fresh, stale, unavailable; NULL */

struct ph_show {
	char			podcast_id[PH_ID_SIZE], user_id[PH_ID_SIZE];
	int			has_identity;	/* there is something to ask OP3 by */
	char			guid[64], uuid[PH_OP3_UUID_SIZE];
	char			feed_url[PH_SHOW_URL_SIZE];
	int64_t			show_until;
	/* the figures, of counts_at; 0: there are none */
	int64_t			counts_at, episodes_at;
	char			as_of[PH_DAY_SIZE];
	struct ph_op3_counts	counts;
	/* how asking goes */
	int64_t			fresh_until, lease_until;
	char			code[PH_SHOW_CODE_SIZE];	/* of the last failure; "": none */
	int			fail_count;
	int			is_leased;	/* to us */
	int			has_answer;	/* its figures were asked for just now */
	/* our own days; "": none */
	char			first_day[PH_DAY_SIZE], complete_through[PH_DAY_SIZE];
	int			is_whole;	/* they reach back to the first that OP3 knows */
	int64_t			imported;	/* downloads counted elsewhere before them */
};

/* Is there anything to ask OP3 with?  NULL, or why not: disabled, unauthorized (no token). */
const char		*ph_show_missing(void);

/* Which figures may be shown now, and why none, or NULL: code names it. */
enum ph_show_use	ph_show_use(const struct ph_show *, int64_t now_ms, const char **code);

/* May what OP3 counted of its episodes be shown? */
int			ph_show_has_episodes(const struct ph_show *, int64_t now_ms);
/* When the oldest of its figures were asked for; 0: there are none. */
int64_t			ph_show_fetched_at(const struct ph_show *);

/* The podcasts of a user (id NULL), at most PH_SHOWS_MAX, oldest first; or that one, whoever's.  Inside a transaction.
 * Caller frees with ph_shows_free(). */
struct ph_shows { struct ph_show *list; size_t n; };
enum ph_rc	ph_shows_read(struct ph_db *, const char *user_id, const char *id, struct ph_shows *, struct ph_err *);
void		ph_shows_free(struct ph_shows *);	/* one full of zeros is fine */

/* Who brings shows up to date, and how long that may take. */
struct ph_show_fetch {
	struct ph_db	*db;		/* outside any transaction */
	enum ph_rc	(*begin)(void *arg, struct ph_err *);	/* a writing transaction on db */
	void		*arg;
	struct ph_state	*state;		/* NULL: without a breaker */
	int64_t		 now_ms;
	int		 wait_ms;	/* for all of it */
	int		 wait_stale_ms;	/* the same where every figure is there, if old */
	int		 call_ms;	/* of one call; 0: what is left */
	int		 tries;
};

/*
 * Bring up to date what is not fresh, as far as the time allows, or wait for whoever is at it.  Afterwards the list
 * holds what is known.  A failure here is one of our own database; what OP3 did wrong is in the shows.
 */
enum ph_rc	ph_shows_refresh(const struct ph_show_fetch *, struct ph_shows *, struct ph_err *);

/* The same for a request that begins its own transactions: within OP3_WAIT_MS, or 0.8 s where old figures will do. */
struct ph_req;
enum ph_rc	ph_shows_refresh_for(struct ph_req *, struct ph_shows *, struct ph_err *);

/* Is there any to bring up to date? */
int		ph_shows_are_due(const struct ph_shows *, int64_t now_ms);

/* Find our episodes for those of OP3 anew, in op3_counts and op3_episodes: by guid, else by title where that is
 * unique on both sides.  Inside a writing transaction. */
enum ph_rc	ph_show_match(struct ph_db *, const char *podcast_id, struct ph_err *);

/*
 * The UUID of a podcast's show, asking OP3 for it unless it is known: by what is stored, podcast:guid, feed
 * URL, and its variants, at most four questions.  episodes may be NULL; else it is asked for in any case.
 */
enum ph_reply	ph_show_find(struct ph_op3 *, struct ph_show *, int64_t now_ms, struct ph_op3_episodes *episodes);
/* Keep it, in a writing transaction.  Where it is another one, all that was counted of the former goes. */
enum ph_rc	ph_show_store_uuid(struct ph_db *, const struct ph_show *, struct ph_err *);

#endif
