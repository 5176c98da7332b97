/*
 * nchan.h -- the publishing side of nchan, the nginx module that carries event streams and
 * WebSockets: messages to channels, over a Unix socket of our own nginx (nginx/publish.conf.in).
 *
 * nchan keeps messages in the memory of nginx, so they are gone after a restart or a reload.
 */
#ifndef PH_NCHAN_H
#define PH_NCHAN_H

#include <stdint.h>

#include "core/error.h"

enum { PH_NCHAN_CHANNEL_SIZE = 96 };	/* bytes of a channel's name and its NUL */

struct ph_nchan;		/* opaque */

/* A client for the socket at path (copied).  Connects at the first call, again whenever it must.
 * Caller frees.  NULL: no memory. */
struct ph_nchan	*ph_nchan_new(const char *path);
void		 ph_nchan_free(struct ph_nchan *);	/* NULL is fine */

/* Every call below: PH_EUPSTREAMDOWN when nginx is not there, PH_EUPSTREAMSLOW, PH_EUPSTREAM when it
 * answers nonsense or a failure. */

struct ph_nchan_status {
	int64_t	published;	/* messages since nginx started */
	int64_t	stored;		/* messages kept now */
	int64_t	subscribers;	/* clients now */
};
enum ph_rc	ph_nchan_status(struct ph_nchan *, struct ph_nchan_status *, struct ph_err *);

/* What a channel keeps for those who come later. */
enum ph_nchan_keep {
	PH_NCHAN_LAST,		/* its last message */
	PH_NCHAN_RECENT		/* those of the last five minutes, at most 100 */
};

/* event names the message in an event stream; NULL: none. */
enum ph_rc	ph_nchan_publish(struct ph_nchan *, enum ph_nchan_keep, const char *channel,
		    const char *event, const char *message, struct ph_err *);

/* When the last message was published, in Unix seconds; 0: the channel has none. */
enum ph_rc	ph_nchan_last_s(struct ph_nchan *, const char *channel, int64_t *at_s, struct ph_err *);

/* Delete a channel: all who are subscribed to it are disconnected, whatever else they subscribe to. */
enum ph_rc	ph_nchan_delete(struct ph_nchan *, const char *channel, struct ph_err *);

#endif
