/*
 * action-log.h -- publish logs as actions see them: which ones, where to, and what the ledger says.
 *
 * Every move of a log by an action is made here, by lifecycle.h, which writes the event
 * publication.STATUS to the ledger.  None touches requested_at: waiting times and averages count
 * from the first request.
 */
#ifndef PH_ACTION_LOG_H
#define PH_ACTION_LOG_H

#include "domain/action.h"
#include "domain/filter.h"

/* -- which logs ---------------------------------------------------------------------- */

/* The parameters that every action on many logs begins with. */
enum {
	PH_BULK_DRY_RUN, PH_BULK_EXPECTED_COUNT, PH_BULK_LIMIT, PH_BULK_FROM, PH_BULK_TO,
	PH_BULK_DAYS_BACK, PH_BULK_PLATFORM, PH_BULK_NPARAMS
};
#define PH_BULK_PARAMS(most) \
	[PH_BULK_DRY_RUN] = PH_ACTION_DRY_RUN, \
	[PH_BULK_EXPECTED_COUNT] = { .name = "expected_count", .type = PH_P_INT, .in = PH_IN_BODY, \
	    .max = INT64_C(1000000000000), .dflt = -1, \
	    .text = "Refuse if the number of logs that match differs from this by more than 10 %." }, \
	[PH_BULK_LIMIT] = { .name = "limit", .type = PH_P_INT, .in = PH_IN_BODY, .min = 1, .max = (most), \
	    .dflt = (most), .unit = "logs", .text = "At most so many in this call." }, \
	[PH_BULK_FROM] = { .name = "from", .type = PH_P_INSTANT, .in = PH_IN_BODY, \
	    .text = "Only logs requested at that instant or later." }, \
	[PH_BULK_TO] = { .name = "to", .type = PH_P_INSTANT, .in = PH_IN_BODY, \
	    .text = "Only logs requested before that instant." }, \
	[PH_BULK_DAYS_BACK] = { .name = "days_back", .type = PH_P_INT, .in = PH_IN_BODY, .min = 1, \
	    .max = PH_FILTER_DAYS_MAX, .unit = "days", .text = "Only logs requested in the last days." }, \
	[PH_BULK_PLATFORM] = { .name = "platform", .type = PH_P_NAMES, .in = PH_IN_BODY, \
	    .max = PH_FILTER_NAME_MAX, .text = "Only logs of this platform, or of these." }

/*
 * Statements that pick logs: rows gives rowids in the order of their turn, at most $1; count how
 * many there are.  Both bind the instant $2 and the filter (PH_PICK_FILTER, $17 to $32).
 */
struct ph_log_pick { const char *rows, *count; };
#define PH_PICK_FILTER PH_FILTER_SQL_TIME("l.requested_at") " AND ($17 OR " PH_FILTER_SQL_LOG("l") ")"

struct ph_log_set {
	int64_t	*rowids;	/* NULL: none */
	size_t	 n;
	int64_t	 matched;	/* logs that match, picked or not */
};
void		ph_log_set_free(struct ph_log_set *);	/* after a success */

/* By the bulk parameters of the call.  PH_ECONFLICT: not the expected number. */
enum ph_rc	ph_action_pick_bulk(struct ph_action_call *, const struct ph_log_pick *, int64_t instant,
		    struct ph_log_set *, struct ph_err *);
/* By a filter of the caller's own. */
enum ph_rc	ph_action_pick(struct ph_action_call *, const struct ph_log_pick *, int64_t instant,
		    const struct ph_filter *, int64_t limit, struct ph_log_set *, struct ph_err *);
/* PH_ECONFLICT if expected is given and the number differs by more than a tenth of it. */
enum ph_rc	ph_action_expect(const struct ph_action_call *, int64_t matched, struct ph_err *);

/* Write matched, changed and remaining to the result. */
void		ph_action_write_counts(struct ph_action_call *, int64_t matched);

/* -- where to ------------------------------------------------------------------------- */

enum ph_log_move {
	PH_MOVE_REQUEUE,	/* failed -> pending: tried once more */
	PH_MOVE_RETRY,		/* failed -> pending: one of its retries */
	PH_MOVE_RELEASE,	/* scheduled -> pending: it is due */
	PH_MOVE_SCHEDULE,	/* scheduled, pending, retry -> scheduled; at: for when; word: by whom */
	PH_MOVE_CONFIRM,	/* processing, retry -> success; at: published at */
	PH_MOVE_GIVE_UP,	/* processing, retry -> failed; word: the error, if it has none */
	PH_MOVE__MAX
};

/* Move one log and write it into the open array of the result.  PH_ESTATE: not from its status.  at, word:
 * 0 and NULL where the move has none.  The call's .changed grows by one. */
enum ph_rc	ph_action_move(struct ph_action_call *, int64_t rowid, enum ph_log_move, int64_t at,
		    const char *word, struct ph_err *);

/* Move the scheduled logs that are due, at most limit, to pending, and write them into the open array.
 * *matched: how many are due; NULL: of no interest. */
enum ph_rc	ph_action_release(struct ph_action_call *, const struct ph_filter *, int64_t limit,
		    int64_t *matched, struct ph_err *);

/* One log as the result shows it; from NULL: it is new.  Borrowed for the call. */
struct ph_log_item {
	const char	*id;		/* NULL: a dry run has made none */
	const char	*clip_id, *platform, *from, *status;
	int64_t		 requested_at;
	int64_t		 scheduled_for;	/* -1: none */
};
/* key: of the object; NULL in an array. */
void		ph_action_write_log(struct ph_json *, const char *key, const struct ph_log_item *);

#endif
