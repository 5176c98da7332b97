/*
 * breaker.h -- the circuit breaker of a service: after a number of failures nobody asks it for a
 * while, then one asks as a probe.  Rules on an entry of the state file (core/state.h), which the caller
 * has locked; they read no clock.
 *
 * Failures leak: a success takes one back.  What a call comes to counts only while the entry is of the
 * generation that admitted it, so that a late failure cannot open a breaker that has recovered.
 */
#ifndef PH_BREAKER_H
#define PH_BREAKER_H

#include <stdint.h>
#include <sys/types.h>

#include "core/state.h"

enum ph_breaker_state { PH_BREAKER_CLOSED, PH_BREAKER_OPEN, PH_BREAKER_HALF_OPEN };
extern const char *const ph_breaker_states[];	/* closed, open, half_open; NULL */

struct ph_breaker_rule {
	int	threshold;	/* failures that open it */
	int	recovery_s;	/* from there to the probe */
	int	probe_s;	/* after which another may probe */
};

enum ph_breaker_outcome {
	PH_OUTCOME_SUCCESS,	/* the service is alive, also if it refuses */
	PH_OUTCOME_FAILURE,
	PH_OUTCOME_NEITHER	/* it answers, but not this */
};

/*
 * May process me call now?  *generation is for the report.  0: no; *retry_after_s is at least 1, and
 * *blocked_for why it was blocked, or 0 if it is open.
 */
int	ph_breaker_admit(struct ph_state_breaker *, const struct ph_breaker_rule *, pid_t me, int64_t now_us,
	    uint64_t *generation, int *retry_after_s, int *blocked_for);

/* What the call came to.  True: this one opened the breaker. */
int	ph_breaker_report(struct ph_state_breaker *, const struct ph_breaker_rule *, uint64_t generation,
	    enum ph_breaker_outcome, int64_t now_us, int64_t now_ms);

/* Have everybody leave the service alone for so long, for a reason of the caller's, not 0. */
void	ph_breaker_block(struct ph_state_breaker *, int64_t now_us, int seconds, int reason);

/* The state as it is shown: open turns into half_open when its time is over, also if nobody calls. */
enum ph_breaker_state	ph_breaker_shown(const struct ph_state_breaker *, const struct ph_breaker_rule *,
			    int64_t now_us);

/* Seconds until somebody may call, rounded up; 0: now. */
int	ph_breaker_left_s(const struct ph_state_breaker *, const struct ph_breaker_rule *, int64_t now_us);

#endif
