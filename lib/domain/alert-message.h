/*
 * alert-message.h -- what an alert says: a sentence for people, metadata for programs, a mail.
 */
#ifndef PH_ALERT_MESSAGE_H
#define PH_ALERT_MESSAGE_H

#include "core/db.h"
#include "domain/alert.h"

enum { PH_ALERT_MESSAGE_SIZE = 400, PH_ALERT_EXAMPLES = 5 };

/*
 * Describe a rule that has this value.  *metadata is a JSON object: metric, op, threshold, value,
 * and for a built-in rule what its kind adds (count and the ids of the first five that are meant);
 * caller frees with free().
 */
enum ph_rc	ph_alert_describe(struct ph_db *, const struct ph_alert_rule *, double value, int64_t now_ms,
		    char message[PH_ALERT_MESSAGE_SIZE], char **metadata, struct ph_err *);

/* A notification (alert-delivery.h) as subject and text of a mail; caller frees both with free(). */
enum ph_rc	ph_notification_words(const char *payload, char **subject, char **text, struct ph_err *);

#endif
