/*
 * alert.c -- the evaluation of alert rules: values, states, and what follows from a change.
 */
#include "autoconf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/log.h"
#include "domain/alert-event.h"
#include "domain/alert-rule.h"
#include "domain/alert.h"
#include "domain/expression.h"
#include "domain/metric.h"

const char *const ph_alert_ops[] = { ">", ">=", "<", "<=", "==", "absent", NULL };
const char *const ph_alert_severities[] = { "info", "warning", "critical", NULL };
const char *const ph_alert_states[] = { "ok", "pending", "firing", NULL };

int
ph_alert_name_index(const char *const *names, const char *name)
{
	int i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return 0;
}

int
ph_alert_is_builtin(const struct ph_alert_rule *r)
{
	return strncmp(r->id, "builtin.", strlen("builtin.")) == 0;
}

/* Is the value beyond the limit?  Null is beyond none. */
static int
is_beyond(enum ph_alert_op op, double value, double limit)
{
	switch (op) {
	case PH_ALERT_GT:
		return value > limit;
	case PH_ALERT_GE:
		return value >= limit;
	case PH_ALERT_LT:
		return value < limit;
	case PH_ALERT_LE:
		return value <= limit;
	case PH_ALERT_EQ:
		return value == limit;
	case PH_ALERT_ABSENT:
		break;
	}
	return isnan(value);
}

static void
enter(struct ph_alert_rule *r, enum ph_alert_state state, int64_t now_ms)
{
	r->state = state;
	r->since_at = state == PH_ALERT_OK ? -1 : now_ms;
	r->clear_count = 0;
}

enum ph_alert_step
ph_alert_step(struct ph_alert_rule *r, double value, int is_outranked, int64_t now_ms)
{
	const double	limit = isnan(r->clear_threshold) ? r->threshold : r->clear_threshold;
	const int	is_true = is_beyond(r->op, value, r->threshold);

	if (r->state == PH_ALERT_FIRING) {
		r->clear_count = is_beyond(r->op, value, limit) ? 0 : r->clear_count + 1;
		if (!is_outranked && r->clear_count < PH_ALERT_CLEAR_COUNT)
			return PH_ALERT_STAYS;
		enter(r, is_true ? PH_ALERT_PENDING : PH_ALERT_OK, now_ms);
		return PH_ALERT_RESOLVES;
	}
	if (!is_true) {
		enter(r, PH_ALERT_OK, now_ms);
		return PH_ALERT_STAYS;
	}
	if (r->state == PH_ALERT_OK)
		enter(r, PH_ALERT_PENDING, now_ms);
	if (is_outranked || now_ms - r->since_at < r->for_ms)
		return PH_ALERT_STAYS;
	enter(r, PH_ALERT_FIRING, now_ms);
	return PH_ALERT_FIRES;
}

/* -- one evaluation -------------------------------------------------------------------------------- */

/* An orchestrator that is meant to be off is no reason for alarm. */
static int
is_muted(const struct ph_alert_rule *r)
{
	return ph_alert_is_builtin(r) && strcmp(r->alert_type, "orchestrator_inactive") == 0 &&
	    ph_config_int(PH_CFG_ORCHESTRATOR) == 0;
}

/* The value of each rule, from one reading of the metrics.  A rule that cannot be read has NULL in
 * expressions, which has n entries that the caller frees. */
static enum ph_rc
read_values(struct ph_db *db, int64_t now_ms, const struct ph_alert_rule *rules, size_t n,
    struct ph_expression **expressions, double *values, struct ph_err *err)
{
	unsigned char	wanted[PH_METRICS_MAX] = { 0 };
	double		metrics[PH_METRICS_MAX];
	struct ph_err	why = { .rc = PH_OK };
	enum ph_rc	rc;
	size_t		i;

	for (i = 0; i < n; i++) {
		if ((expressions[i] = ph_expression_parse(rules[i].metric, &why)) != NULL)
			ph_expression_wants(expressions[i], wanted);
		else if (why.rc == PH_ENOMEM)
			return ph_fail(err, PH_ENOMEM, "not enough memory for the rules");
		else
			ph_log("warn", "alerts", "rule %s: %s", rules[i].id, why.detail);
	}
	if ((rc = ph_metrics_read(db, now_ms, wanted, metrics, err)) != PH_OK)
		return rc;
	for (i = 0; i < n; i++)
		if (expressions[i] != NULL)
			values[i] = is_muted(&rules[i]) ? NAN : ph_expression_value(expressions[i], metrics);
	return PH_OK;
}

static enum ph_rc
evaluate_rule(struct ph_db *db, struct ph_alert_rule *r, double value, int is_outranked, int64_t now_ms,
    struct ph_alert_outcome *out, struct ph_err *err)
{
	enum ph_rc rc = PH_OK;

	out->evaluated++;
	r->value = value;
	r->evaluated_at = now_ms;
	switch (ph_alert_step(r, value, is_outranked, now_ms)) {
	case PH_ALERT_FIRES:
		if ((rc = ph_alert_event_fire(db, r, value, now_ms, err)) == PH_OK)
			memcpy(out->fired_ids[out->fired++], r->event_id, sizeof(r->event_id));
		break;
	case PH_ALERT_RESOLVES:
		out->resolved++;
		rc = ph_alert_event_resolve(db, r, now_ms, err);
		break;
	case PH_ALERT_STAYS:
		if (r->state == PH_ALERT_FIRING)
			rc = ph_alert_event_repeat(db, r, value, now_ms, err);
		break;
	}
	return rc == PH_OK ? ph_alert_rule_remember(db, r, err) : rc;
}

/* Rules come by type, then falling severity. */
static enum ph_rc
evaluate(struct ph_db *db, struct ph_alert_rule *rules, size_t n, struct ph_expression *const *expressions,
    const double *values, int64_t now_ms, struct ph_alert_outcome *out, struct ph_err *err)
{
	const char	*type = "";
	int		 highest = -1;		/* severity of that type that fires */
	enum ph_rc	 rc;
	size_t		 i;

	for (i = 0; i < n; i++) {
		struct ph_alert_rule *r = &rules[i];

		if (strcmp(r->alert_type, type) != 0) {
			type = r->alert_type;
			highest = -1;
		}
		if (expressions[i] == NULL)
			out->unreadable++;
		else if ((rc = evaluate_rule(db, r, values[i], highest > (int)r->severity, now_ms, out,
		    err)) != PH_OK)
			return rc;
		if (r->state == PH_ALERT_FIRING && (int)r->severity > highest)
			highest = (int)r->severity;
	}
	return PH_OK;
}

enum ph_rc
ph_alerts_evaluate(struct ph_db *db, int64_t now_ms, struct ph_alert_outcome *out, struct ph_err *err)
{
	struct ph_alert_rule	 *rules = NULL;
	struct ph_expression	**expressions = NULL;
	double			 *values = NULL;
	size_t			  n = 0, i;
	enum ph_rc		  rc;

	memset(out, 0, sizeof(*out));
	if ((rc = ph_alert_rules_read(db, 1, &rules, &n, err)) != PH_OK)
		return rc;
	out->fired_ids = calloc(n + 1, sizeof(*out->fired_ids));
	expressions = calloc(n + 1, sizeof(*expressions));
	values = calloc(n + 1, sizeof(*values));
	if (out->fired_ids == NULL || expressions == NULL || values == NULL)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the rules");
	else if ((rc = read_values(db, now_ms, rules, n, expressions, values, err)) == PH_OK)
		rc = evaluate(db, rules, n, expressions, values, now_ms, out, err);
	for (i = 0; expressions != NULL && i < n; i++)
		ph_expression_free(expressions[i]);
	free(expressions);
	free(values);
	free(rules);
	return rc;
}

void
ph_alert_outcome_clear(struct ph_alert_outcome *o)
{
	free(o->fired_ids);
	memset(o, 0, sizeof(*o));
}

enum ph_rc
ph_alert_outcome_write(struct ph_db *db, const struct ph_alert_outcome *o, struct ph_json *out, struct ph_err *err)
{
	enum ph_rc	rc = PH_OK;
	int		i;

	ph_json_arr_open(out, "alerts");
	for (i = 0; i < o->fired && rc == PH_OK; i++) {
		ph_json_obj_open(out, NULL);
		rc = ph_alert_event_show(db, o->fired_ids[i], out, err);
		ph_json_close(out);
	}
	ph_json_close(out);
	return rc;
}
