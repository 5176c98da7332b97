/*
 * lifecycle.h -- from which status to which a publish log or a job may move, and what a move sets.
 *
 * Publish logs (spec "Publish-log life cycle"):
 *	scheduled  -> pending			due: the scheduler's tick
 *	pending    -> processing | scheduled	a worker takes it | it is given a time
 *	retry      -> processing | scheduled | success | failed
 *	processing -> success | retry | failed
 *	failed     -> pending			queued again by an operator
 * success is final.  retry -> success and failed is the word of the platform's webhook, or its absence, about
 * a log whose worker has gone.  A move to the status that a log has already is no move: of two workers that take
 * the same log the second is refused.
 *
 * Jobs:
 *	pending    -> processing
 *	processing -> completed | retry | failed
 *	retry      -> pending | processing | failed
 *	failed     -> pending			started again by an operator
 * completed is final.
 *
 * Every move sets updated_at, and besides, of a log:
 *	pending		from failed: requeued_at = now; failed_at and error_message are cleared
 *			(the ledger keeps the error); requested_at never changes
 *	scheduled	schedule_type = scheduled, scheduled_for (which it must have or be given)
 *	retry		retry_count + 1, last_retry_at = now, error_message; only while
 *			retry_count + 1 < max_retries
 *	success		published_at (default now), external_post_id, external_url; error_message is cleared
 *	failed		failed_at (default now), error_message
 * and of a job: result with completed, error_message with retry and failed; pending and completed
 * clear the error.
 *
 * Rows that are brought in (ingest, import) may have any status: they are history.  Only later
 * changes follow the life cycle.
 */
#ifndef PH_LIFECYCLE_H
#define PH_LIFECYCLE_H

#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "domain/stats.h"

int	ph_log_may_move(enum ph_log_status from, enum ph_log_status to);
int	ph_job_may_move(enum ph_job_status from, enum ph_job_status to);

/* What the mover says; all borrowed.  What does not belong to the move is not looked at. */
struct ph_move {
	int64_t		 now_ms;
	const char	*actor;			/* user name, for the ledger */
	const char	*worker_id;		/* who works on it, for the ledger; NULL: not said */
	const char	*error_message;		/* NULL: the row's own stays */
	/* of a log; an instant is -1 when it is not said */
	int64_t		 published_at, failed_at, scheduled_for;
	const char	*external_post_id;	/* NULL: the row's own stays */
	const char	*external_url;
	/* of a job */
	const char	*result;		/* JSON; NULL: the row's own stays */
};

/*
 * Move one row and write the event publication.STATUS or job.STATUS to the ledger, in the caller's
 * transaction.  *from: the status it had.  PH_ENOTFOUND, PH_ESTATE (naming both statuses), PH_EPARAM
 * (scheduled without a time).
 */
enum ph_rc	ph_log_move(struct ph_db *, const char *id, enum ph_log_status to, const struct ph_move *,
		    enum ph_log_status *from, struct ph_err *);
enum ph_rc	ph_job_move(struct ph_db *, const char *id, enum ph_job_status to, const struct ph_move *,
		    enum ph_job_status *from, struct ph_err *);

#endif
