/*
 * alert-delivery.h -- notifications on their way to channels: queued with the event, claimed and
 * settled by job-notifier.
 *
 * A delivery is tried at most four times.  Each try is on record before it begins, together with the
 * time of the next, so a notifier that is killed loses nothing and repeats at most the one
 * that it was about; receivers know that one by its id.  A channel gets at most 30 notifications a
 * minute; what would be more is merged into one digest.
 *
 * Every function runs inside the caller's transaction.
 */
#ifndef PH_ALERT_DELIVERY_H
#define PH_ALERT_DELIVERY_H

#include "core/db.h"
#include "domain/alert-channel.h"
#include "domain/alert.h"

enum {
	PH_DELIVERY_TRIES = 4,
	PH_DELIVERIES_PER_MINUTE = 30,
	PH_DIGEST_ALERTS = 50		/* that a digest names; it counts all */
};

enum ph_delivery_kind { PH_DELIVERY_FIRING, PH_DELIVERY_RESOLVED, PH_DELIVERY_TEST, PH_DELIVERY_DIGEST };
enum ph_delivery_status {
	PH_DELIVERY_WAITING, PH_DELIVERY_SENT, PH_DELIVERY_FAILED, PH_DELIVERY_MERGED, PH_DELIVERY_CANCELLED
};
extern const char *const ph_delivery_kinds[], *const ph_delivery_statuses[];

/* -- queueing ------------------------------------------------------------------------------------- */

/* The rule's event fires: for each of its channels one delivery that is due at due_ms. */
enum ph_rc	ph_deliveries_firing(struct ph_db *, const struct ph_alert_rule *, int64_t due_ms, int64_t now_ms,
		    struct ph_err *);
/* It is snoozed: what is not due yet is cancelled. */
enum ph_rc	ph_deliveries_snoozed(struct ph_db *, const char *event_id, int64_t now_ms, struct ph_err *);
/* It is over: what is not due yet, and tries that are left, are cancelled; each channel that heard of it,
 * or may have, is told. */
enum ph_rc	ph_deliveries_resolved(struct ph_db *, const struct ph_alert_rule *, int64_t now_ms, struct ph_err *);
/* A test of one channel; its id to id. */
enum ph_rc	ph_delivery_test(struct ph_db *, const struct ph_alert_channel *, const char *user, int64_t now_ms,
		    char id[PH_ALERT_ID_SIZE], struct ph_err *);
/* What waits for a channel that was switched off is cancelled. */
enum ph_rc	ph_deliveries_cancel(struct ph_db *, const char *channel_id, int64_t now_ms, struct ph_err *);

/* -- sending ---------------------------------------------------------------------------------------- */

struct ph_delivery {
	char			 id[PH_ALERT_ID_SIZE];
	char			 channel_id[PH_ALERT_ID_SIZE];
	enum ph_channel_kind	 channel_kind;
	char			*target, *secret, *payload;	/* owned; secret may be NULL */
	int			 try_number;			/* of this try, from 1 */
	int64_t			 at_ms;				/* when it began */
	/* what came of it, for ph_delivery_settle() */
	int			 is_sent;
	int			 status;			/* HTTP; 0: none */
	char			 error[240];			/* "": none */
	int			 duration_ms;
};
void		ph_delivery_clear(struct ph_delivery *);	/* frees what it owns */

/* Is anything due? */
enum ph_rc	ph_deliveries_are_due(struct ph_db *, int64_t now_ms, int *are, struct ph_err *);

/* What a claim leaves alone. */
struct ph_delivery_skip {
	char	channels[PH_CHANNELS_MAX][PH_ALERT_ID_SIZE];
	size_t	n;
	int	has_mail;			/* every channel for mail */
};

/*
 * Claim the next due delivery of every channel but those in skip, at most max of them and of mails
 * one, and record that its try begins.  Caller clears each.
 */
enum ph_rc	ph_deliveries_claim(struct ph_db *, int64_t now_ms, const struct ph_delivery_skip *,
		    struct ph_delivery *out, size_t max, size_t *n, struct ph_err *);
/* Record what came of a claimed one: sent, to be tried again, or failed.  One that was cancelled during
 * its try is not tried again. */
enum ph_rc	ph_delivery_settle(struct ph_db *, const struct ph_delivery *, int64_t now_ms, struct ph_err *);

/* -- as JSON ------------------------------------------------------------------------------------------ */

enum { PH_DELIVERY_NFIELDS = 11 };
extern const struct ph_field	ph_delivery_fields[PH_DELIVERY_NFIELDS];
#define PH_DELIVERY_COLUMNS "d.id, d.event_id, d.kind, d.status, d.tries, d.created_at, d.next_try_at," \
	" d.finished_at, d.merged_into, d.attempts, d.payload"
void		ph_delivery_write(struct ph_json *, struct ph_stmt *);

#endif
