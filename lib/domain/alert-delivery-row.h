/*
 * alert-delivery-row.h -- what the files of alert-delivery.h share: a new row of alert_deliveries, and
 * what stands in one.
 */
#ifndef PH_ALERT_DELIVERY_ROW_H
#define PH_ALERT_DELIVERY_ROW_H

#include <cjson/cJSON.h>

#include "domain/alert-delivery.h"

struct ph_delivery_row {		/* all borrowed */
	const char		*event_id;	/* NULL: none */
	const char		*channel_id;
	const char		*payload;
	enum ph_delivery_kind	 kind;
	int			 is_stream;	/* nothing is sent */
	int64_t			 due_ms, now_ms;
};

/* Insert it; its id to id. */
enum ph_rc	 ph_delivery_queue(struct ph_db *, const struct ph_delivery_row *, char id[PH_ALERT_ID_SIZE],
		    struct ph_err *);

/* {"event":"alert.KIND","at":...} and then what the caller adds.  NULL: no memory. */
struct ph_json	*ph_delivery_begin_payload(enum ph_delivery_kind, int64_t now_ms);

/* The column attempts as an array, whatever stands there.  Caller deletes; NULL: no memory. */
cJSON		*ph_delivery_attempts(const char *text);

#endif
