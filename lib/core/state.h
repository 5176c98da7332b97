/*
 * state.h -- what all workers know together, in one mapped file: who is busy with what, how
 * many requests there were and how long they took, who failed to authenticate.
 *
 * The file lies beside the sockets.  Whoever comes first makes it; a file of another
 * layout or of an earlier boot is replaced by `pilothouse start`, and a worker that finds one
 * runs without.  Every function takes NULL for "without" and then does nothing.  All writes are
 * atomic words and the one lock is passed on, so a process may die at any instant.
 */
#ifndef PH_STATE_H
#define PH_STATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PH_STATE_SLOTS = 512,		/* worker processes */
	PH_STATE_ROUTES = 256,
	PH_STATE_NAME = 48,
	PH_STATE_BUCKETS = 14,		/* upper bounds in ph_state_bounds_us, the last without one */
	PH_STATE_RING_S = 512,		/* seconds that the rings reach back */
	PH_STATE_BREAKERS = 16		/* services that we call */
};
/* Upper bounds of the latency buckets but the last, in microseconds. */
extern const int64_t ph_state_bounds_us[PH_STATE_BUCKETS - 1];

struct ph_state;

/* The file, $PH_SOCKET_DIR/state.shm or $PH_HOME/run/state.shm.  NULL: run without; why is logged
 * under name.  with_replace: a file that does not fit is made anew. */
struct ph_state	*ph_state_open(const char *name, int with_replace);
void		 ph_state_close(struct ph_state *);	/* leaves the slot, too */

/* -- a worker about itself ---------------------------------------------------------- */

/* Take a slot of the scoreboard.  A slot whose process is gone is taken over; what it was busy
 * with counts as a 5xx and is logged. */
void	ph_state_claim(struct ph_state *, const char *route);
void	ph_state_busy(struct ph_state *, const char *request_id, const char *path);
/* The request is answered: count it.  The routes health-... and auth-... stay out of the rings. */
void	ph_state_idle(struct ph_state *, int status, int64_t us);

/* -- reading ------------------------------------------------------------------------ */

struct ph_state_worker {
	pid_t		pid;
	char		route[PH_STATE_NAME];
	int		is_busy;
	int64_t		busy_us;		/* so long now; 0: idle */
	uint64_t	requests;
	uint64_t	busy_total_us;
};
/* Living workers, at most max of them. */
size_t	ph_state_workers(struct ph_state *, struct ph_state_worker *out, size_t max);

struct ph_state_route {
	char		name[PH_STATE_NAME];
	uint64_t	by_class[6];		/* [2]: 2xx ...; [0]: cut off */
	uint64_t	buckets[PH_STATE_BUCKETS];	/* not cumulative */
	uint64_t	sum_us;
};
size_t	ph_state_routes(struct ph_state *, struct ph_state_route *out, size_t max);

enum ph_state_class { PH_RING_OK, PH_RING_4XX, PH_RING_5XX, PH_RING_SLOW, PH_RING_VERY_SLOW, PH_RING__MAX };
/* Answers of a class in the last seconds (at most PH_STATE_RING_S). */
uint64_t ph_state_recent(struct ph_state *, enum ph_state_class, int seconds);

/* -- failed authentication ---------------------------------------------------------- */

/* Note a failed try of an address. */
void	ph_state_auth_failed(struct ph_state *, const char *address);
/* How many it had in this minute. */
uint64_t ph_state_auth_failures(struct ph_state *, const char *address);

/* -- services that we call ------------------------------------------------------------ */

/* What all workers know of one; its rules are in net/breaker.h.  Every *_us is monotonic, 0: never. */
struct ph_state_breaker {
	char		name[PH_STATE_NAME];
	int32_t		state;
	int32_t		failures;
	int32_t		probe_pid;
	int32_t		blocked_for;		/* why it is left alone until blocked_until_us */
	int64_t		opened_us;
	int64_t		probe_us;
	int64_t		blocked_until_us;
	int64_t		last_failure_ms;	/* wall time */
	uint64_t	generation;
	uint64_t	rejected;
};

/*
 * The entry of a service, made if there is none, locked: for a few instructions, then it must be given
 * back.  The lock of a process that dies goes on.  NULL: without the file, or it is full.
 */
struct ph_state_breaker	*ph_state_breaker_lock(struct ph_state *, const char *name);
void			 ph_state_breaker_unlock(struct ph_state_breaker *);	/* NULL is fine */

/* -- writing in turn ---------------------------------------------------------------- */

/*
 * One queue for all who write to the database: its own lock knows none, who waits there can only
 * sleep and try again.  True when it is our turn; false after timeout_ms, and without the file.
 * A turn protects nothing, the database's lock does.  The turn of a process that dies goes on.
 */
int	ph_state_take_turn(struct ph_state *, int timeout_ms);
void	ph_state_give_turn(struct ph_state *);	/* without a turn it does nothing */

#endif
