/*
 * op3.h -- the API of OP3, the Open Podcast Prefix Project (op3.dev/api/docs): shows, their downloads,
 * and the single downloads.
 *
 * The token of OP3_TOKEN goes in a header, never in a URL.  What an answer holds is checked member by
 * member: a wrong type, a negative count or one above 10^12 makes it PH_REPLY_BAD as a whole.  Results are
 * the caller's to free, and are NULL or unchanged unless the reply is PH_REPLY_OK.
 */
#ifndef PH_OP3_H
#define PH_OP3_H

#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "net/upstream.h"

enum {
	PH_OP3_ID_SIZE = 65,		/* of an episode: 64 hexadecimal digits and a NUL */
	PH_OP3_UUID_SIZE = 33,		/* 32 lower-case hexadecimal digits and a NUL */
	PH_OP3_SHOWS_MAX = 50,		/* in one question for counts */
	PH_OP3_EPISODES = 200,		/* newest episodes in one question for counts */
	PH_OP3_WEEKS = 4,
	PH_OP3_ROWS = 5000,		/* downloads in one page; OP3 allows 20000 */
	PH_OP3_TOKEN_SIZE = 512		/* bytes of a continuation token and its NUL */
};

/* How its calls are made. */
struct ph_op3 {
	struct ph_state	*state;		/* NULL: without a breaker */
	int64_t		 deadline_us;	/* of a call with all its tries, monotonic */
	int		 timeout_ms;	/* of one try */
	int		 tries;
};

/* An episode of a show. */
struct ph_op3_episode {
	const char	*id;		/* OP3's own; NULL in counts */
	const char	*guid, *title;	/* NULL: absent */
	int64_t		 pubdate_ms;	/* -1: absent */
	int64_t		 d1, d3, d7, d30;	/* downloads in its first days; -1: absent */
	int64_t		 all;
};

/* Several of them, newest first. */
struct ph_op3_episodes {
	struct cJSON		*json;	/* holds the texts */
	struct ph_op3_episode	*list;
	size_t			 n;
};
void		ph_op3_episodes_free(struct ph_op3_episodes *);	/* one full of zeros is fine */

/*
 * A show by its UUID, its podcast:guid, or the URL of its feed, as OP3 recorded it.  PH_REPLY_NOT_FOUND: it
 * knows no such show.  episodes NULL: not asked for.
 */
enum ph_reply	ph_op3_show(struct ph_op3 *, const char *id, char uuid[PH_OP3_UUID_SIZE],
		    struct ph_op3_episodes *episodes);

struct ph_op3_counts {
	int	is_known;		/* OP3 has counts for the show */
	int	is_bad;			/* and they make no sense */
	int64_t	monthly;		/* of the 30 days up to as_of */
	int64_t	weekly[PH_OP3_WEEKS];	/* totals of weeks, oldest first */
	int	nweekly;
	double	weekly_avg;		/* -1: absent */
	int	num_weeks;
};
/* Counts of n shows, at most PH_OP3_SHOWS_MAX, in their order.  PH_REPLY_BAD: those of every show make no sense. */
enum ph_reply	ph_op3_show_counts(struct ph_op3 *, const char *const *uuids, size_t n,
		    struct ph_op3_counts *, char as_of[PH_DAY_SIZE]);

/* Counts of its episodes of this and the two months before. */
enum ph_reply	ph_op3_episode_counts(struct ph_op3 *, const char *uuid, struct ph_op3_episodes *);

/* Downloads by app in this and the two months before: a JSON object of names and counts, as text. */
enum ph_reply	ph_op3_top_apps(struct ph_op3 *, const char *uuid, char **json);

/* One download; texts live as long as the call. */
struct ph_op3_row {
	char		 day[PH_DAY_SIZE];
	const char	*episode_id;	/* NULL: absent, as the next */
	const char	*country;
	const char	*app;		/* by OP3's own rule; NULL: it was none */
	const char	*device;
};
/* Take one row.  0, or -1: no memory. */
typedef int	ph_op3_take_row(void *arg, const struct ph_op3_row *);

struct ph_op3_page {
	/* what is asked */
	const char		*uuid;
	const char		*start, *end;	/* from, and before: instants, or YYYY-MM-DD, YYYY-MM; NULL: open */
	int			 limit;		/* 1 to PH_OP3_ROWS */
	ph_op3_take_row		*take;
	void			*arg;
	/* asked and answered: the page to go on with, "": the first, or there is no further one */
	char			 token[PH_OP3_TOKEN_SIZE];
	/* what came of it */
	int			 nrows;
};
/* One page of the downloads of a show without bots, by time.  Rows may have been taken also of one that
 * failed: then all that was counted is void. */
enum ph_reply	ph_op3_page(struct ph_op3 *, struct ph_op3_page *);

#endif
