/*
 * alert-event.h -- alerts as people see them: what fired, when, how it ended, who has seen it.
 *
 * Every function runs inside the caller's transaction, and what it queues for the channels
 * (alert-delivery.h) is part of it.
 */
#ifndef PH_ALERT_EVENT_H
#define PH_ALERT_EVENT_H

#include "core/db.h"
#include "core/json.h"
#include "domain/alert.h"

/* -- as JSON ------------------------------------------------------------------------------------ */

enum { PH_ALERT_EVENT_NFIELDS = 14 };
extern const struct ph_field	ph_alert_event_fields[PH_ALERT_EVENT_NFIELDS];
/* The columns that ph_alert_event_write() reads, of the table under the name e. */
#define PH_ALERT_EVENT_COLUMNS "e.id, e.rule_id, e.alert_type, e.severity, e.state, e.message, e.created_at," \
	" e.updated_at, e.resolved_at, e.acked_at, e.acked_by, e.snoozed_until, e.read, e.metadata"
/* The row as members of the object that is open. */
void		ph_alert_event_write(struct ph_json *, struct ph_stmt *);
/* One alert by its id; PH_ENOTFOUND. */
enum ph_rc	ph_alert_event_show(struct ph_db *, const char *id, struct ph_json *, struct ph_err *);

/* Alerts as an array under that key, the newest first. */
enum ph_rc	ph_alert_events_list(struct ph_db *, int only_unread, int64_t limit, int64_t offset, const char *key,
		    struct ph_json *, struct ph_err *);

/* -- by the evaluation ---------------------------------------------------------------------------- */

/* The rule fires: open its last event again if that ended within the cooldown, else a new one
 * (rule->event_id), and tell the channels unless the rule is snoozed. */
enum ph_rc	ph_alert_event_fire(struct ph_db *, struct ph_alert_rule *, double value, int64_t now_ms,
		    struct ph_err *);
/* It still fires: bring what its event says up to date, and tell the channels if a snooze has
 * ended without anybody acknowledging. */
enum ph_rc	ph_alert_event_repeat(struct ph_db *, struct ph_alert_rule *, double value, int64_t now_ms,
		    struct ph_err *);
/* Its event is over, if one is open: tell the channels that heard of it. */
enum ph_rc	ph_alert_event_resolve(struct ph_db *, const struct ph_alert_rule *, int64_t now_ms, struct ph_err *);

/* -- by people ---------------------------------------------------------------------------------------- */

/* Each returns PH_ENOTFOUND for an unknown id. */
enum ph_rc	ph_alert_event_read(struct ph_db *, const char *id, int64_t now_ms, struct ph_err *);
enum ph_rc	ph_alert_event_ack(struct ph_db *, const char *id, const char *user, int64_t now_ms, struct ph_err *);
/* Its rule tells nobody until then.  PH_ESTATE: it is resolved. */
enum ph_rc	ph_alert_event_snooze(struct ph_db *, const char *id, int64_t until_ms, int64_t now_ms,
		    struct ph_err *);
/* Mark every unread one; *n: how many. */
enum ph_rc	ph_alert_events_read_all(struct ph_db *, int64_t now_ms, int64_t *n, struct ph_err *);

/* Alerts in all, and unread ones. */
enum ph_rc	ph_alert_events_count(struct ph_db *, int64_t *total, int64_t *unread, struct ph_err *);

#endif
