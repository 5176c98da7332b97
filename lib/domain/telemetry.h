/*
 * telemetry.h -- the figures of the live cards on the overview page, a payload of its own that
 * clients get every few seconds.
 *
 * It is read and written like a statistic (statistic.h), but is none of the five.
 */
#ifndef PH_TELEMETRY_H
#define PH_TELEMETRY_H

#include "domain/statistic.h"

extern const struct ph_statistic	ph_telemetry;

/*
 * When the orchestrator last did something: the latest start of a run, or the latest action in the
 * ledger.  -1: never.
 */
enum ph_rc	ph_telemetry_last_action(struct ph_db *, int64_t *at_ms, struct ph_err *);

/* Scheduled or pending publish logs that were due before now_ms: how many, their delays added up,
 * and the longest; 0 if there are none. */
struct ph_overdue {
	int64_t		n, longest_ms;
	ph_int128	delay_ms;
};
enum ph_rc	ph_telemetry_overdue(struct ph_db *, int64_t now_ms, struct ph_overdue *, struct ph_err *);

#endif
