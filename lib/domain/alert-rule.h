/*
 * alert-rule.h -- alert rules as records: reading and writing them, and what clients send and see.
 *
 * Every function runs inside the caller's transaction.
 */
#ifndef PH_ALERT_RULE_H
#define PH_ALERT_RULE_H

#include "core/endpoint.h"
#include "domain/alert.h"

/* -- as parameters of a request: the body of a new rule, or of a change, with the path's {id} ---- */

enum {
	PH_RULE_NAME, PH_RULE_TYPE, PH_RULE_METRIC, PH_RULE_OP, PH_RULE_THRESHOLD, PH_RULE_CLEAR,
	PH_RULE_FOR, PH_RULE_COOLDOWN, PH_RULE_SEVERITY, PH_RULE_CHANNELS, PH_RULE_ENABLED,
	PH_RULE_NEW_PARAMS, PH_RULE_ID = PH_RULE_NEW_PARAMS, PH_RULE_CHANGE_PARAMS
};
extern const struct ph_param	ph_alert_rule_new_params[PH_RULE_NEW_PARAMS];
extern const struct ph_param	ph_alert_rule_change_params[PH_RULE_CHANGE_PARAMS];

/* Take what the request gives into the rule, and check the whole: PH_EPARAM.  What a built-in
 * rule has fixed may not be given another value. */
enum ph_rc	ph_alert_rule_take(struct ph_alert_rule *, const struct ph_req *, struct ph_err *);
/* Store the channels that the request names; PH_EPARAM for one that does not exist. */
enum ph_rc	ph_alert_rule_take_channels(struct ph_db *, const struct ph_alert_rule *, const struct ph_req *,
		    struct ph_err *);

/* -- as records -------------------------------------------------------------------------------- */

/* All of them, or the enabled ones, by type, then falling severity.  Caller frees *rules. */
enum ph_rc	ph_alert_rules_read(struct ph_db *, int only_enabled, struct ph_alert_rule **rules, size_t *n,
		    struct ph_err *);
/* PH_ENOTFOUND. */
enum ph_rc	ph_alert_rule_read(struct ph_db *, const char *id, struct ph_alert_rule *, struct ph_err *);
enum ph_rc	ph_alert_rule_insert(struct ph_db *, const struct ph_alert_rule *, struct ph_err *);
/* Store the definition as the next version. */
enum ph_rc	ph_alert_rule_update(struct ph_db *, struct ph_alert_rule *, struct ph_err *);
/* Store what the evaluation remembers. */
enum ph_rc	ph_alert_rule_remember(struct ph_db *, const struct ph_alert_rule *, struct ph_err *);
enum ph_rc	ph_alert_rule_delete(struct ph_db *, const char *id, struct ph_err *);

/* -- as JSON ------------------------------------------------------------------------------------- */

enum { PH_ALERT_RULE_NFIELDS = 23 };
extern const struct ph_field	ph_alert_rule_fields[PH_ALERT_RULE_NFIELDS];
/* Into the object that is open. */
enum ph_rc	ph_alert_rule_write(struct ph_db *, const struct ph_alert_rule *, struct ph_json *, struct ph_err *);

#endif
