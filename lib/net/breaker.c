/*
 * breaker.c -- admission and reports.
 */
#include "autoconf.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "net/breaker.h"

#define SECOND_US INT64_C(1000000)

const char *const ph_breaker_states[] = {
	[PH_BREAKER_CLOSED] = "closed", [PH_BREAKER_OPEN] = "open", [PH_BREAKER_HALF_OPEN] = "half_open",
	[PH_BREAKER_HALF_OPEN + 1] = NULL
};

static int
seconds_up(int64_t us)
{
	return us <= 0 ? 0 : (int)((us + SECOND_US - 1) / SECOND_US);
}

static int
has_recovered(const struct ph_state_breaker *b, const struct ph_breaker_rule *rule, int64_t now_us)
{
	return now_us - b->opened_us >= rule->recovery_s * SECOND_US;
}

/* Does somebody hold the probe? */
static int
is_probed(const struct ph_state_breaker *b, const struct ph_breaker_rule *rule, int64_t now_us)
{
	return now_us - b->probe_us < rule->probe_s * SECOND_US &&
	    (kill(b->probe_pid, 0) == 0 || errno == EPERM);
}

int
ph_breaker_left_s(const struct ph_state_breaker *b, const struct ph_breaker_rule *rule, int64_t now_us)
{
	const int	blocked_s = seconds_up(b->blocked_until_us - now_us);
	int		open_s = 0;

	if (b->state == PH_BREAKER_OPEN)
		open_s = seconds_up(b->opened_us + rule->recovery_s * SECOND_US - now_us);
	return blocked_s > open_s ? blocked_s : open_s;
}

int
ph_breaker_admit(struct ph_state_breaker *b, const struct ph_breaker_rule *rule, pid_t me, int64_t now_us,
    uint64_t *generation, int *retry_after_s, int *blocked_for)
{
	const int is_blocked = now_us < b->blocked_until_us;
	const int is_waiting = (b->state == PH_BREAKER_OPEN && !has_recovered(b, rule, now_us)) ||
	    (b->state == PH_BREAKER_HALF_OPEN && is_probed(b, rule, now_us));

	*blocked_for = 0;
	if (is_blocked || is_waiting) {
		*retry_after_s = ph_breaker_left_s(b, rule, now_us);
		if (*retry_after_s < 1)
			*retry_after_s = 1;
		if (is_blocked)
			*blocked_for = b->blocked_for;
		b->rejected++;
		return 0;
	}
	if (b->state != PH_BREAKER_CLOSED) {
		b->state = PH_BREAKER_HALF_OPEN;
		b->generation++;
		b->probe_pid = me;
		b->probe_us = now_us;
	}
	*generation = b->generation;
	return 1;
}

static void
set_state(struct ph_state_breaker *b, enum ph_breaker_state state)
{
	b->state = (int32_t)state;
	b->generation++;
}

int
ph_breaker_report(struct ph_state_breaker *b, const struct ph_breaker_rule *rule, uint64_t generation,
    enum ph_breaker_outcome outcome, int64_t now_us, int64_t now_ms)
{
	if (generation != b->generation)
		return 0;
	if (outcome != PH_OUTCOME_FAILURE) {
		if (b->state == PH_BREAKER_HALF_OPEN) {
			set_state(b, PH_BREAKER_CLOSED);
			b->failures = 0;
		} else if (outcome == PH_OUTCOME_SUCCESS && b->failures > 0)
			b->failures--;
		return 0;
	}
	b->failures++;
	b->last_failure_ms = now_ms;
	if (b->state == PH_BREAKER_CLOSED && b->failures < rule->threshold)
		return 0;
	b->opened_us = now_us;
	set_state(b, PH_BREAKER_OPEN);
	return 1;
}

void
ph_breaker_block(struct ph_state_breaker *b, int64_t now_us, int seconds, int reason)
{
	b->blocked_until_us = now_us + seconds * SECOND_US;
	b->blocked_for = reason;
}

enum ph_breaker_state
ph_breaker_shown(const struct ph_state_breaker *b, const struct ph_breaker_rule *rule, int64_t now_us)
{
	return b->state == PH_BREAKER_OPEN && has_recovered(b, rule, now_us) ? PH_BREAKER_HALF_OPEN :
	    (enum ph_breaker_state)b->state;
}
