/*
 * alert-rule.c -- the table alert_rules and the JSON of a rule.
 */
#include "autoconf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "domain/alert-rule.h"
#include "domain/expression.h"

enum { CHANNELS_BYTES = 2048, DECIMALS = 6 };
#define THRESHOLD_MAX INT64_C(1000000000000)	/* what JSON shows exactly */
enum { FOR_MAX_MS = 86400000, COOLDOWN_MAX_MS = 604800000, COOLDOWN_MS = 300000 };

#define COLUMNS "id, name, alert_type, metric, op, threshold, clear_threshold, for_ms, cooldown_ms, severity," \
	" enabled, created_by, version, coalesce(created_at, -1), coalesce(updated_at, -1), state," \
	" coalesce(since_at, -1), clear_count, coalesce(snoozed_until, -1), value, coalesce(evaluated_at, -1), event_id"
#define BY_TYPE " ORDER BY alert_type, CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, id"

static const char sql_all[] = "SELECT " COLUMNS " FROM alert_rules" BY_TYPE;
static const char sql_enabled[] = "SELECT " COLUMNS " FROM alert_rules WHERE enabled = 1" BY_TYPE;
static const char sql_one[] = "SELECT " COLUMNS " FROM alert_rules WHERE id = $1";
static const char sql_insert[] =
	"INSERT INTO alert_rules (id, name, alert_type, metric, op, threshold, clear_threshold, for_ms, cooldown_ms,"
	" severity, enabled, updated_at, created_by, version, created_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1, $12)";
static const char sql_update[] =
	"UPDATE alert_rules SET name = $2, alert_type = $3, metric = $4, op = $5, threshold = $6,"
	" clear_threshold = $7, for_ms = $8, cooldown_ms = $9, severity = $10, enabled = $11, updated_at = $12,"
	" version = version + 1 WHERE id = $1";
static const char sql_remember[] =
	"UPDATE alert_rules SET state = $2, since_at = $3, clear_count = $4, snoozed_until = $5, value = $6,"
	" evaluated_at = $7, event_id = $8 WHERE id = $1";
static const char sql_delete[] = "DELETE FROM alert_rules WHERE id = $1";

static const char sql_channels[] = "SELECT channel_id FROM alert_rule_channels WHERE rule_id = $1 ORDER BY channel_id";
static const char sql_clear_channels[] = "DELETE FROM alert_rule_channels WHERE rule_id = $1";
/* Nothing for a channel that does not exist. */
static const char sql_add_channel[] =
	"INSERT INTO alert_rule_channels SELECT $1, id FROM alert_channels WHERE id = $2";

#define RULE_PARAMS(is_new) \
	[PH_RULE_NAME] = { .name = "name", .in = PH_IN_BODY, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_NAME_MAX, \
	    .is_required = (is_new), .text = "What the rule is called." }, \
	[PH_RULE_TYPE] = { .name = "alert_type", .in = PH_IN_BODY, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_TYPE_MAX, \
	    .text = "Kind of alert. Of the rules of one kind only those of the highest severity that fires do so. " \
		"Default: the rule's id." }, \
	[PH_RULE_METRIC] = { .name = "metric", .in = PH_IN_BODY, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_METRIC_MAX, \
	    .is_required = (is_new), \
	    .text = "Expression over the names of GET /dashboard/metrics, as on a board." }, \
	[PH_RULE_OP] = { .name = "op", .in = PH_IN_BODY, .type = PH_P_CHOICE, .choices = ph_alert_ops, \
	    .is_required = (is_new), \
	    .text = "How the value is compared with the threshold; absent: the value is null." }, \
	[PH_RULE_THRESHOLD] = { .name = "threshold", .in = PH_IN_BODY, .type = PH_P_NUMBER, \
	    .min = -THRESHOLD_MAX, .max = THRESHOLD_MAX, \
	    .text = "Beyond it the rule fires. Default 0." }, \
	[PH_RULE_CLEAR] = { .name = "clear_threshold", .in = PH_IN_BODY, .type = PH_P_NUMBER, \
	    .min = -THRESHOLD_MAX, .max = THRESHOLD_MAX, \
	    .text = "A firing rule is resolved when the value was not beyond this at two evaluations in a row; " \
		"null: the threshold." }, \
	[PH_RULE_FOR] = { .name = "for_ms", .in = PH_IN_BODY, .type = PH_P_INT, .max = FOR_MAX_MS, .unit = "ms", \
	    .text = "So long it must be true before the rule fires." }, \
	[PH_RULE_COOLDOWN] = { .name = "cooldown_ms", .in = PH_IN_BODY, .type = PH_P_INT, .max = COOLDOWN_MAX_MS, \
	    .dflt = COOLDOWN_MS, .unit = "ms", \
	    .text = "A rule that fires again so soon after its alert was resolved opens that alert again." }, \
	[PH_RULE_SEVERITY] = { .name = "severity", .in = PH_IN_BODY, .type = PH_P_CHOICE, \
	    .choices = ph_alert_severities, .dflt = PH_ALERT_WARNING, .text = "How bad it is." }, \
	[PH_RULE_CHANNELS] = { .name = "channel_ids", .in = PH_IN_BODY, .type = PH_P_JSON, .max = CHANNELS_BYTES, \
	    .text = "Array of ids of the channels it tells; without any: the default channels." }, \
	[PH_RULE_ENABLED] = { .name = "enabled", .in = PH_IN_BODY, .type = PH_P_BOOL, .dflt = 1, \
	    .text = "Whether it is evaluated." }

const struct ph_param ph_alert_rule_new_params[PH_RULE_NEW_PARAMS] = { RULE_PARAMS(1) };
const struct ph_param ph_alert_rule_change_params[PH_RULE_CHANGE_PARAMS] = {
	RULE_PARAMS(0),
	[PH_RULE_ID] = { .name = "id", .in = PH_IN_PATH, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_ID_SIZE - 1,
	    .is_required = 1, .text = "Of the rule." },
};

/* -- from a request ------------------------------------------------------------------------------ */

static enum ph_rc
fail_param(struct ph_err *err, const char *name, const char *sentence)
{
	return ph_fail_param(err, name, strlen(name), "%s", sentence);
}

/* A text that the request may give; is_fixed: only as it is. */
static void
take_text(char *to, size_t size, const struct ph_req *req, size_t param, int is_fixed, struct ph_err *err)
{
	if (!ph_req_has(req, param))
		return;
	if (is_fixed && strcmp(to, ph_req_text(req, param)) != 0)
		fail_param(err, ph_alert_rule_new_params[param].name, "is fixed in a built-in rule");
	else
		snprintf(to, size, "%s", ph_req_text(req, param));
}

/* Is clear_threshold on the quiet side of the threshold? */
static int
is_clear_valid(const struct ph_alert_rule *r)
{
	switch (r->op) {
	case PH_ALERT_GT:
	case PH_ALERT_GE:
		return isnan(r->clear_threshold) || r->clear_threshold <= r->threshold;
	case PH_ALERT_LT:
	case PH_ALERT_LE:
		return isnan(r->clear_threshold) || r->clear_threshold >= r->threshold;
	default:
		return isnan(r->clear_threshold);
	}
}

static void
check_metric(const struct ph_alert_rule *r, struct ph_err *err)
{
	struct ph_err		 why = { .rc = PH_OK };
	struct ph_expression	*e = ph_expression_parse(r->metric, &why);

	if (e == NULL)
		fail_param(err, "metric", why.detail);
	ph_expression_free(e);
}

enum ph_rc
ph_alert_rule_take(struct ph_alert_rule *r, const struct ph_req *req, struct ph_err *err)
{
	const int is_fixed = ph_alert_is_builtin(r);

	take_text(r->name, sizeof(r->name), req, PH_RULE_NAME, 0, err);
	take_text(r->alert_type, sizeof(r->alert_type), req, PH_RULE_TYPE, is_fixed, err);
	take_text(r->metric, sizeof(r->metric), req, PH_RULE_METRIC, is_fixed, err);
	if (is_fixed && ph_req_has(req, PH_RULE_OP) && ph_req_int(req, PH_RULE_OP) != (int64_t)r->op)
		fail_param(err, "op", "is fixed in a built-in rule");
	if (is_fixed && ph_req_has(req, PH_RULE_SEVERITY) && ph_req_int(req, PH_RULE_SEVERITY) != (int64_t)r->severity)
		fail_param(err, "severity", "is fixed in a built-in rule");
	if (ph_req_has(req, PH_RULE_OP))
		r->op = (enum ph_alert_op)ph_req_int(req, PH_RULE_OP);
	if (ph_req_has(req, PH_RULE_SEVERITY))
		r->severity = (enum ph_alert_severity)ph_req_int(req, PH_RULE_SEVERITY);
	if (ph_req_has(req, PH_RULE_THRESHOLD))
		r->threshold = ph_req_real(req, PH_RULE_THRESHOLD);
	if (ph_req_has(req, PH_RULE_CLEAR) || ph_req_is_null(req, PH_RULE_CLEAR))
		r->clear_threshold = ph_req_is_null(req, PH_RULE_CLEAR) ? NAN : ph_req_real(req, PH_RULE_CLEAR);
	if (ph_req_has(req, PH_RULE_FOR))
		r->for_ms = ph_req_int(req, PH_RULE_FOR);
	if (ph_req_has(req, PH_RULE_COOLDOWN))
		r->cooldown_ms = ph_req_int(req, PH_RULE_COOLDOWN);
	if (ph_req_has(req, PH_RULE_ENABLED))
		r->is_enabled = ph_req_int(req, PH_RULE_ENABLED) != 0;
	if (!is_clear_valid(r))
		fail_param(err, "clear_threshold", "must lie on the quiet side of the threshold; "
		    "with == and absent there is none");
	check_metric(r, err);
	return err->rc;
}

static enum ph_rc
add_channel(struct ph_db *db, const char *rule_id, const cJSON *item, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if (!cJSON_IsString(item))
		return fail_param(err, "channel_ids", "an array of texts is needed");
	if ((rc = ph_db_prepare(db, sql_add_channel, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, rule_id);
	ph_stmt_bind_text(st, 2, item->valuestring);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_ECONFLICT)
		return fail_param(err, "channel_ids", "names a channel twice");
	if (rc == PH_OK && ph_db_changes(db) == 0)
		return fail_param(err, "channel_ids", "names a channel that does not exist");
	return rc;
}

enum ph_rc
ph_alert_rule_take_channels(struct ph_db *db, const struct ph_alert_rule *r, const struct ph_req *req,
    struct ph_err *err)
{
	const cJSON	*ids = ph_req_json(req, PH_RULE_CHANNELS), *item;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if (ids == NULL)
		return PH_OK;
	if (!cJSON_IsArray(ids))
		return fail_param(err, "channel_ids", "an array of texts is needed");
	if ((rc = ph_db_prepare(db, sql_clear_channels, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, r->id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	cJSON_ArrayForEach(item, ids)
		if (rc == PH_OK)
			rc = add_channel(db, r->id, item, err);
	return rc;
}

/* -- from and to the table --------------------------------------------------------------------------- */

static double
double_or_nan(struct ph_stmt *st, int col)
{
	return ph_stmt_is_null(st, col) ? NAN : ph_stmt_double(st, col);
}

static void
copy_text(char *to, size_t size, struct ph_stmt *st, int col)
{
	const char *s = ph_stmt_text(st, col);

	snprintf(to, size, "%s", s != NULL ? s : "");
}

static void
take_row(struct ph_alert_rule *r, struct ph_stmt *st)
{
	copy_text(r->id, sizeof(r->id), st, 0);
	copy_text(r->name, sizeof(r->name), st, 1);
	copy_text(r->alert_type, sizeof(r->alert_type), st, 2);
	copy_text(r->metric, sizeof(r->metric), st, 3);
	r->op = (enum ph_alert_op)ph_alert_name_index(ph_alert_ops, ph_stmt_text(st, 4));
	r->threshold = ph_stmt_double(st, 5);
	r->clear_threshold = double_or_nan(st, 6);
	r->for_ms = ph_stmt_int(st, 7);
	r->cooldown_ms = ph_stmt_int(st, 8);
	r->severity = (enum ph_alert_severity)ph_alert_name_index(ph_alert_severities, ph_stmt_text(st, 9));
	r->is_enabled = ph_stmt_int(st, 10) != 0;
	copy_text(r->created_by, sizeof(r->created_by), st, 11);
	r->version = ph_stmt_int(st, 12);
	r->created_at = ph_stmt_int(st, 13);
	r->updated_at = ph_stmt_int(st, 14);
	r->state = (enum ph_alert_state)ph_alert_name_index(ph_alert_states, ph_stmt_text(st, 15));
	r->since_at = ph_stmt_int(st, 16);
	r->clear_count = (int)ph_stmt_int(st, 17);
	r->snoozed_until = ph_stmt_int(st, 18);
	r->value = double_or_nan(st, 19);
	r->evaluated_at = ph_stmt_int(st, 20);
	copy_text(r->event_id, sizeof(r->event_id), st, 21);
}

enum ph_rc
ph_alert_rules_read(struct ph_db *db, int only_enabled, struct ph_alert_rule **rules, size_t *n, struct ph_err *err)
{
	struct ph_alert_rule	*grown;
	struct ph_stmt		*st;
	size_t			 room = 0;
	enum ph_rc		 rc;

	*rules = NULL;
	*n = 0;
	if ((rc = ph_db_prepare(db, only_enabled ? sql_enabled : sql_all, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if (*n == room) {
			room += 64;
			if ((grown = reallocarray(*rules, room, sizeof(**rules))) == NULL) {
				rc = ph_fail(err, PH_ENOMEM, "not enough memory for the rules");
				break;
			}
			*rules = grown;
		}
		take_row(&(*rules)[(*n)++], st);
	}
	ph_stmt_done(st);
	if (rc == PH_DONE)
		return PH_OK;
	free(*rules);
	*rules = NULL;
	return rc;
}

enum ph_rc
ph_alert_rule_read(struct ph_db *db, const char *id, struct ph_alert_rule *r, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_one, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		take_row(r, st);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no such rule") : rc;
}

static void
bind_double(struct ph_stmt *st, int i, double v)
{
	if (isnan(v))
		ph_stmt_bind_null(st, i);
	else
		ph_stmt_bind_double(st, i, v);
}

static void
bind_instant(struct ph_stmt *st, int i, int64_t at_ms)
{
	if (at_ms < 0)
		ph_stmt_bind_null(st, i);
	else
		ph_stmt_bind_int(st, i, at_ms);
}

static enum ph_rc
write_definition(struct ph_db *db, const char *sql, const struct ph_alert_rule *r, int is_new, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, r->id);
	ph_stmt_bind_text(st, 2, r->name);
	ph_stmt_bind_text(st, 3, r->alert_type);
	ph_stmt_bind_text(st, 4, r->metric);
	ph_stmt_bind_text(st, 5, ph_alert_ops[r->op]);
	ph_stmt_bind_double(st, 6, r->threshold);
	bind_double(st, 7, r->clear_threshold);
	ph_stmt_bind_int(st, 8, r->for_ms);
	ph_stmt_bind_int(st, 9, r->cooldown_ms);
	ph_stmt_bind_text(st, 10, ph_alert_severities[r->severity]);
	ph_stmt_bind_int(st, 11, r->is_enabled);
	ph_stmt_bind_int(st, 12, r->updated_at);
	if (is_new)
		ph_stmt_bind_text(st, 13, r->created_by);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_alert_rule_insert(struct ph_db *db, const struct ph_alert_rule *r, struct ph_err *err)
{
	return write_definition(db, sql_insert, r, 1, err);
}

enum ph_rc
ph_alert_rule_update(struct ph_db *db, struct ph_alert_rule *r, struct ph_err *err)
{
	r->version++;
	return write_definition(db, sql_update, r, 0, err);
}

enum ph_rc
ph_alert_rule_remember(struct ph_db *db, const struct ph_alert_rule *r, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_remember, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, r->id);
	ph_stmt_bind_text(st, 2, ph_alert_states[r->state]);
	bind_instant(st, 3, r->since_at);
	ph_stmt_bind_int(st, 4, r->clear_count);
	bind_instant(st, 5, r->snoozed_until);
	bind_double(st, 6, r->value);
	bind_instant(st, 7, r->evaluated_at);
	ph_stmt_bind_text(st, 8, r->event_id[0] != '\0' ? r->event_id : NULL);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_alert_rule_delete(struct ph_db *db, const char *id, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_delete, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* -- JSON ---------------------------------------------------------------------------------------- */

enum {
	F_ID, F_NAME, F_TYPE, F_METRIC, F_OP, F_THRESHOLD, F_CLEAR, F_FOR, F_COOLDOWN, F_SEVERITY, F_ENABLED,
	F_IS_BUILTIN, F_CREATED_BY, F_VERSION, F_CREATED_AT, F_UPDATED_AT, F_STATE, F_SINCE_AT, F_VALUE,
	F_EVALUATED_AT, F_SNOOZED_UNTIL, F_EVENT_ID, F_CHANNEL_IDS, F__MAX
};
_Static_assert((int)F__MAX == (int)PH_ALERT_RULE_NFIELDS, "as the header says");

const struct ph_field ph_alert_rule_fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the rule; builtin.TYPE.SEVERITY for a built-in one." },
	[F_NAME] = { .name = "name", .type = PH_TEXT, .text = "What the rule is called." },
	[F_TYPE] = { .name = "alert_type", .type = PH_TEXT, .text = "Kind of alert." },
	[F_METRIC] = { .name = "metric", .type = PH_TEXT, .text = "Expression over the catalogue of metrics." },
	[F_OP] = { .name = "op", .type = PH_TEXT, .choices = ph_alert_ops, .text = "How value and threshold compare." },
	[F_THRESHOLD] = { .name = "threshold", .type = PH_DECIMAL, .places = DECIMALS,
	    .text = "Beyond it the rule fires." },
	[F_CLEAR] = { .name = "clear_threshold", .type = PH_DECIMAL, .places = DECIMALS, .is_nullable = 1,
	    .text = "Not beyond it at two evaluations in a row, a firing rule is resolved; null: the threshold." },
	[F_FOR] = { .name = "for_ms", .unit = "ms", .text = "So long it must be true before the rule fires." },
	[F_COOLDOWN] = { .name = "cooldown_ms", .unit = "ms",
	    .text = "A rule that fires again so soon after its alert was resolved opens that alert again." },
	[F_SEVERITY] = { .name = "severity", .type = PH_TEXT, .choices = ph_alert_severities, .text = "How bad it is." },
	[F_ENABLED] = { .name = "enabled", .type = PH_BOOL, .text = "Whether it is evaluated." },
	[F_IS_BUILTIN] = { .name = "is_builtin", .type = PH_BOOL,
	    .text = "It came with the release: its kind, metric, op and severity are fixed, and it cannot be deleted." },
	[F_CREATED_BY] = { .name = "created_by", .type = PH_TEXT, .text = "User, or builtin." },
	[F_VERSION] = { .name = "version", .text = "Grows with each change; for If-Match." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .is_nullable = 1, .text = "Null for a built-in rule." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .is_nullable = 1, .text = "Null if it never was." },
	[F_STATE] = { .name = "state", .type = PH_TEXT, .choices = ph_alert_states,
	    .text = "pending: true, but not yet for for_ms, or a rule of higher severity fires." },
	[F_SINCE_AT] = { .name = "since_at", .type = PH_TIME, .is_nullable = 1, .text = "When the state began." },
	[F_VALUE] = { .name = "value", .type = PH_DECIMAL, .places = DECIMALS, .is_nullable = 1,
	    .text = "Of the last evaluation." },
	[F_EVALUATED_AT] = { .name = "evaluated_at", .type = PH_TIME, .is_nullable = 1, .text = "The last evaluation." },
	[F_SNOOZED_UNTIL] = { .name = "snoozed_until", .type = PH_TIME, .is_nullable = 1,
	    .text = "It tells no channel before." },
	[F_EVENT_ID] = { .name = "alert_id", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Its last alert, open if the state is firing." },
	[F_CHANNEL_IDS] = { .name = "channel_ids", .type = PH_ARRAY,
	    .text = "Channels it tells; none: the default channels." },
};

static struct ph_value
v_instant(int64_t at_ms)
{
	return at_ms < 0 ? ph_v_null() : ph_v_int(at_ms);
}

/* Beyond what ph_v_real() shows there is no figure of ours. */
static struct ph_value
v_number(double v)
{
	return isnan(v) || fabs(v) > 9e12 ? ph_v_null() : ph_v_real(v);
}

enum ph_rc
ph_alert_rule_write(struct ph_db *db, const struct ph_alert_rule *r, struct ph_json *out, struct ph_err *err)
{
	const struct ph_value v[F__MAX] = {
		[F_ID] = ph_v_str(r->id), [F_NAME] = ph_v_str(r->name), [F_TYPE] = ph_v_str(r->alert_type),
		[F_METRIC] = ph_v_str(r->metric), [F_OP] = ph_v_str(ph_alert_ops[r->op]),
		[F_THRESHOLD] = ph_v_real(r->threshold), [F_CLEAR] = v_number(r->clear_threshold),
		[F_FOR] = ph_v_int(r->for_ms), [F_COOLDOWN] = ph_v_int(r->cooldown_ms),
		[F_SEVERITY] = ph_v_str(ph_alert_severities[r->severity]), [F_ENABLED] = ph_v_int(r->is_enabled),
		[F_IS_BUILTIN] = ph_v_int(ph_alert_is_builtin(r)), [F_CREATED_BY] = ph_v_str(r->created_by),
		[F_VERSION] = ph_v_int(r->version), [F_CREATED_AT] = v_instant(r->created_at),
		[F_UPDATED_AT] = v_instant(r->updated_at), [F_STATE] = ph_v_str(ph_alert_states[r->state]),
		[F_SINCE_AT] = v_instant(r->since_at), [F_VALUE] = v_number(r->value),
		[F_EVALUATED_AT] = v_instant(r->evaluated_at), [F_SNOOZED_UNTIL] = v_instant(r->snoozed_until),
		[F_EVENT_ID] = ph_v_str(r->event_id[0] != '\0' ? r->event_id : NULL),
	};
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_channels, &st, err)) != PH_OK)
		return rc;
	ph_json_fields(out, ph_alert_rule_fields, v, F__MAX);
	ph_json_arr_open(out, "channel_ids");
	ph_stmt_bind_text(st, 1, r->id);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		ph_json_str(out, NULL, ph_stmt_text(st, 0));
	ph_stmt_done(st);
	ph_json_close(out);
	return rc == PH_DONE ? PH_OK : rc;
}
