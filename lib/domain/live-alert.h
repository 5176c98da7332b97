/*
 * live-alert.h -- alerts for the live streams: each that fires, fires again, or ends.
 */
#ifndef PH_LIVE_ALERT_H
#define PH_LIVE_ALERT_H

#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "domain/live.h"

/* How long an alert is kept for clients that connect later. */
enum { PH_LIVE_ALERT_KEPT_MS = 300000 };

struct ph_live_alerts;		/* opaque: the alerts that were open last */

struct ph_live_alerts	*ph_live_alerts_new(void);	/* NULL: no memory */
void			 ph_live_alerts_free(struct ph_live_alerts *);	/* NULL is fine */

/* Begin anew, with what was told before since_ms and not since then. */
void			 ph_live_alerts_begin(struct ph_live_alerts *, int64_t since_ms);

/* Add what is new to the batch.  Inside a transaction. */
enum ph_rc		 ph_live_alerts_read(struct ph_live_alerts *, struct ph_db *, struct ph_live_batch *,
			    int64_t now_ms, struct ph_err *);

#endif
