/*
 * alert.h -- alert rules and their evaluation.
 *
 * A rule compares an expression over the catalogue of metrics with a threshold.  Its states:
 *
 *	ok -> pending	the condition is true, but not yet for for_ms
 *	   -> firing	it has been; the rule has one open event
 *	   -> ok	twice in a row the value was not beyond clear_threshold: the event is resolved
 *
 * Of the rules of one alert_type only those of the highest severity that fires do so: a lower one
 * stays pending, and if it was firing its event is resolved.  When a rule fires again within
 * cooldown_ms of its last event's end, that event is opened again, and channels hear of it when
 * the cooldown is over, if it is still open then.  A null value is beyond no threshold; the operator
 * "absent" asks for just that.
 */
#ifndef PH_ALERT_H
#define PH_ALERT_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/json.h"

enum {
	PH_ALERT_RULES_MAX = 200,	/* that users may make */
	PH_ALERT_ID_SIZE = 64,		/* UUID, or builtin.ALERT_TYPE.SEVERITY */
	PH_ALERT_NAME_MAX = 80,
	PH_ALERT_TYPE_MAX = 64,
	PH_ALERT_METRIC_MAX = 200,
	PH_ALERT_CLEAR_COUNT = 2	/* evaluations in a row that resolve */
};

enum ph_alert_op { PH_ALERT_GT, PH_ALERT_GE, PH_ALERT_LT, PH_ALERT_LE, PH_ALERT_EQ, PH_ALERT_ABSENT };
enum ph_alert_severity { PH_ALERT_INFO, PH_ALERT_WARNING, PH_ALERT_CRITICAL };
enum ph_alert_state { PH_ALERT_OK, PH_ALERT_PENDING, PH_ALERT_FIRING };

/* Their names, NULL-terminated; severities rise. */
extern const char *const ph_alert_ops[], *const ph_alert_severities[], *const ph_alert_states[];

/* The index of a stored name in such a list; 0 when it is not there, which a CHECK of the table
 * prevents. */
int	ph_alert_name_index(const char *const *names, const char *name);

struct ph_alert_rule {
	char			id[PH_ALERT_ID_SIZE];
	char			name[PH_ALERT_NAME_MAX + 1];
	char			alert_type[PH_ALERT_TYPE_MAX + 1];
	char			metric[PH_ALERT_METRIC_MAX + 1];
	enum ph_alert_op	op;
	double			threshold;
	double			clear_threshold;	/* NAN: the threshold */
	int64_t			for_ms, cooldown_ms;
	enum ph_alert_severity	severity;
	int			is_enabled;
	char			created_by[65];
	int64_t			version;
	int64_t			created_at, updated_at;	/* -1: none */
	/* what the evaluation remembers */
	enum ph_alert_state	state;
	int64_t			since_at;		/* of the state; -1: none */
	int			clear_count;
	int64_t			snoozed_until;		/* -1: not */
	double			value;			/* NAN: none */
	int64_t			evaluated_at;		/* -1: never */
	char			event_id[PH_ALERT_ID_SIZE];	/* the last event; "": none */
};

int	ph_alert_is_builtin(const struct ph_alert_rule *);

struct ph_alert_outcome {
	int	evaluated, resolved;
	int	unreadable;	/* rules whose expression this release does not know */
	int	fired;
	char	(*fired_ids)[PH_ALERT_ID_SIZE];		/* of their events; owned */
};
void		ph_alert_outcome_clear(struct ph_alert_outcome *);	/* frees what it owns */

/* Evaluate every enabled rule, in the caller's writing transaction.  Caller clears the outcome, also
 * after a failure. */
enum ph_rc	ph_alerts_evaluate(struct ph_db *, int64_t now_ms, struct ph_alert_outcome *, struct ph_err *);
/* The alerts that fired, as the member "alerts" of the open object. */
enum ph_rc	ph_alert_outcome_write(struct ph_db *, const struct ph_alert_outcome *, struct ph_json *, struct ph_err *);

/* One step of a rule to the value it has now.  is_outranked: a rule of a higher severity of its
 * type fires.  Changes state, since_at and clear_count. */
enum ph_alert_step { PH_ALERT_STAYS, PH_ALERT_FIRES, PH_ALERT_RESOLVES };
enum ph_alert_step ph_alert_step(struct ph_alert_rule *, double value, int is_outranked, int64_t now_ms);

#endif
