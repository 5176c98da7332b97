/*
 * live.h -- the live streams: which topics there are, on which channels of nchan they go out, and
 * how an endpoint hands its client over to nginx.
 *
 * job-publisher reads each topic once and publishes it to one channel per form; nginx keeps the
 * clients and copies the messages to them.  A stream endpoint only decides who gets what: it
 * answers with X-Accel-Redirect to an internal location of nginx (nginx/live.conf.in), which
 * subscribes the client to the channels of its topics and to the one of its token.  Deleting the
 * latter ends every stream of the token.
 */
#ifndef PH_LIVE_H
#define PH_LIVE_H

#include <stddef.h>

#include "core/error.h"
#include "core/json.h"
#include "net/nchan.h"

#define PH_LIVE_SCOPE "dashboard:read"
#define PH_LIVE_SOCKET "run/publish.sock"	/* in $PH_HOME: where nginx takes messages */

enum ph_live_topic {
	PH_LIVE_OVERVIEW, PH_LIVE_QUEUE, PH_LIVE_ORCHESTRATOR, PH_LIVE_PLATFORMS, PH_LIVE_CAMPAIGNS,
	PH_LIVE_TELEMETRY, PH_LIVE_ALERTS, PH_LIVE__MAX
};
extern const char *const ph_live_topics[PH_LIVE__MAX + 1];	/* their names; then NULL */

enum ph_live_form {
	PH_LIVE_SSE,		/* the object of the GET and "ts", as an event */
	PH_LIVE_WS,		/* {"type", "ts", "seq", "data"} in a frame */
	PH_LIVE_BARE,		/* the bare object in a frame, for clients of the older paths */
	PH_LIVE_FORM__MAX
};

/* The channel of a topic in a form, and the one of a token.  Return buf. */
char	*ph_live_channel(char buf[PH_NCHAN_CHANNEL_SIZE], enum ph_live_form, enum ph_live_topic);
char	*ph_live_token_channel(char buf[PH_NCHAN_CHANNEL_SIZE], const char *token_id);

/* -- messages --------------------------------------------------------------------- */

/* Messages that were read in one snapshot of the database and go out after it. */
struct ph_live_batch;		/* opaque */
struct ph_live_batch	*ph_live_batch_new(void);	/* NULL: no memory */
void			 ph_live_batch_free(struct ph_live_batch *);	/* NULL is fine */

/* Add an object (the root of data, complete) in the forms of the mask (1 << form); seq is for
 * PH_LIVE_WS.  "ts" is added to data. */
enum ph_rc	ph_live_batch_add(struct ph_live_batch *, enum ph_live_topic, unsigned forms, struct ph_json *data,
		    int64_t seq, int64_t now_ms, struct ph_err *);

/* Publish them in the order they came, and forget them.  As ph_nchan_publish(); what came before a
 * failure is out. */
enum ph_rc	ph_live_batch_send(struct ph_live_batch *, struct ph_nchan *, struct ph_err *);

/* The JSON text of an object without what changes by the mere passing of time.  Caller frees with
 * free(); NULL: no memory. */
char	*ph_live_lasting(const char *text);

/* -- clients ---------------------------------------------------------------------- */

/*
 * Hand the client of this request over, as a subscriber of the topics (a mask, not empty).
 * last_event_id: where to go on, NULL or not one of these topics: at the beginning.  Alerts in
 * the bare form begin with the next one.  Errors: PH_ENOTACCEPTABLE, PH_EUPGRADE, PH_EORIGIN.
 */
struct ph_req;
enum ph_rc	ph_live_hand_over(struct ph_req *, enum ph_live_form, unsigned topics,
		    const char *last_event_id, struct ph_err *);

/* The parameter that routes with .is_live take. */
#define PH_LIVE_PARAM_TICKET { .name = "ticket", .type = PH_P_TEXT, .max = 64, \
	.text = "From POST /dashboard/ws-ticket, in place of a token." }

#endif
