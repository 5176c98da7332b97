/*
 * action.c -- the table of actions, and running one.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/endpoint.h"
#include "core/hash.h"
#include "domain/action.h"

const struct ph_action *const ph_actions[] = {
	&ph_action_force_publish, &ph_action_retry_failed, &ph_action_run_orchestrator,
	&ph_action_run_scheduler, &ph_action_rebalance_queue, &ph_action_reschedule,
	&ph_action_clear_failed, &ph_action_promote_clip, &ph_action_publish_best_clip,
	&ph_action_optimize_schedule, &ph_action_generate_report, NULL
};

/* Constants, because tables of parameters are. */
const char *const ph_action_names[] = {
	"force-publish", "retry-failed", "run-orchestrator", "run-scheduler", "rebalance-queue",
	"reschedule", "clear-failed", "promote-clip", "publish-best-clip", "optimize-schedule",
	"generate-report", NULL
};

/* By name or short name; NULL: there is none. */
static const struct ph_action *
find(const char *name)
{
	size_t i;

	for (i = 0; ph_actions[i] != NULL; i++)
		if (strcmp(ph_actions[i]->name, name) == 0 || strcmp(ph_actions[i]->short_name, name) == 0)
			return ph_actions[i];
	return NULL;
}

size_t
ph_action_all_params(struct ph_param out[PH_PARAMS_MAX])
{
	const struct ph_action	*const *a;
	size_t			 n = 0, i, k;

	for (a = ph_actions; *a != NULL; a++)
		for (i = 0; i < (*a)->nparams; i++) {
			for (k = 0; k < n && strcmp(out[k].name, (*a)->params[i].name) != 0; k++)
				;
			if (k == n && n < PH_PARAMS_MAX) {
				out[n] = (*a)->params[i];
				out[n++].is_required = 0;
			} else if (k < n && (*a)->params[i].max > out[k].max) {
				/* The widest limit of them, and no default for all. */
				out[k].max = (*a)->params[i].max;
				out[k].dflt = out[k].min - 1;
			}
		}
	return n;
}

char *
ph_action_list(char *buf, size_t size)
{
	const struct ph_action	*const *a;
	size_t			 i, len = 0;

	buf[0] = '\0';
	for (a = ph_actions; *a != NULL; a++) {
		len += (size_t)snprintf(buf + len, size - len, "**%s** (%s): %s Members:", (*a)->name,
		    (*a)->short_name, (*a)->text);
		for (i = 0; i < (*a)->nparams && len < size; i++)
			len += (size_t)snprintf(buf + len, size - len, "%s `%s`%s", i > 0 ? "," : "",
			    (*a)->params[i].name, (*a)->params[i].is_required ? " (required)" : "");
		if (len < size)
			len += (size_t)snprintf(buf + len, size - len, ".\n\n");
		assert(len < size);
	}
	return buf;
}

enum { F_SUCCESS, F_ACTION, F_MESSAGE, F_RESULT, F_DATA, F_EXECUTED_AT };

const struct ph_field ph_action_fields[PH_ACTION_NFIELDS] = {
	[F_SUCCESS] = { .name = "success", .type = PH_BOOL, .text = "Always true: what fails is a problem." },
	[F_ACTION] = { .name = "action", .type = PH_TEXT, .text = "The action's name, as it was called." },
	[F_MESSAGE] = { .name = "message", .type = PH_TEXT, .text = "What was done, as a sentence." },
	[F_RESULT] = { .name = "result", .type = PH_ANY,
	    .text = "What was done, as an object: dry_run, and what the action tells." },
	[F_DATA] = { .name = "data", .type = PH_ANY, .text = "The same as result, for older clients." },
	[F_EXECUTED_AT] = { .name = "executed_at", .type = PH_TIME, .text = "When." },
};

static enum ph_rc
exec(struct ph_db *db, const char *sql, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) == PH_OK)
		rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

static const char sql_event[] =
	"INSERT INTO ledger_events (id, timestamp, event_type, entity_type, entity_id, event_data, clip_id)"
	" VALUES ($1, $2, $3, $4, nullif($5, ''), json_object('action', $6, 'by', $7, 'changed', $8, 'message', $9),"
	" nullif($10, ''))";

static enum ph_rc
note(const struct ph_action_call *call, struct ph_err *err)
{
	char		 id[37], type[64];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(call->db, sql_event, &st, err)) != PH_OK)
		return rc;
	ph_uuid(id);
	snprintf(type, sizeof(type), "action.%s", call->action->name);
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_int(st, 2, call->now_ms);
	ph_stmt_bind_text(st, 3, type);
	ph_stmt_bind_text(st, 4, call->action->entity);
	ph_stmt_bind_text(st, 5, call->target);
	ph_stmt_bind_text(st, 6, call->action->name);
	ph_stmt_bind_text(st, 7, call->user);
	ph_stmt_bind_int(st, 8, call->changed);
	ph_stmt_bind_text(st, 9, call->message);
	ph_stmt_bind_text(st, 10, call->clip_id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* The action itself; a dry run is undone.  Its result to *text, which the caller frees. */
static enum ph_rc
run(struct ph_action_call *call, char **text, struct ph_err *err)
{
	enum ph_rc rc;

	if ((call->out = ph_json_new()) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the result");
	ph_json_bool(call->out, "dry_run", call->is_dry_run);
	if ((!call->is_dry_run || (rc = exec(call->db, "SAVEPOINT dry_run", err)) == PH_OK) &&
	    (rc = call->action->run(call, err)) == PH_OK &&
	    (call->changed == 0 || (rc = note(call, err)) == PH_OK) &&
	    (!call->is_dry_run || (rc = exec(call->db, "ROLLBACK TO dry_run", err)) == PH_OK))
		rc = ph_json_finish(call->out, text, err);
	ph_json_free(call->out);
	return rc;
}

static void
audit(struct ph_req *req, const struct ph_action_call *call, const char *recommendation)
{
	char detail[256];

	/* Both texts are without quotes: a name of ours, and an id that was checked. */
	snprintf(detail, sizeof(detail), "{\"action\":\"%s\",\"dry_run\":%s,\"changed\":%" PRId64 "%s%s%s}",
	    call->action->name, call->is_dry_run ? "true" : "false", call->is_dry_run ? 0 : call->changed,
	    recommendation != NULL ? ",\"recommendation_id\":\"" : "",
	    recommendation != NULL ? recommendation : "", recommendation != NULL ? "\"" : "");
	ph_req_audit(req, call->target[0] != '\0' ? call->target : call->action->name, detail);
}

static void
answer(const struct ph_action_call *call, const char *name, const char *result, struct ph_json *out)
{
	struct ph_value	v[PH_ACTION_NFIELDS] = { 0 };
	char		message[sizeof(call->message) + 16];

	snprintf(message, sizeof(message), "%s%s", call->is_dry_run ? "Dry run: " : "", call->message);
	v[F_SUCCESS] = ph_v_int(1);
	v[F_ACTION] = ph_v_str(name);
	v[F_MESSAGE] = ph_v_str(message);
	v[F_EXECUTED_AT] = ph_v_int(call->now_ms);
	ph_json_fields(out, ph_action_fields, v, F_RESULT);
	ph_json_item(out, "result", cJSON_CreateRaw(result));
	ph_json_item(out, "data", cJSON_CreateRaw(result));
	ph_json_fields(out, &ph_action_fields[F_EXECUTED_AT], &v[F_EXECUTED_AT], 1);
}

/* The members of the body, valid. */
static enum ph_rc
read_body(struct ph_action_call *call, const struct ph_action_request *r, struct ph_args *args,
    struct ph_err *err)
{
	const struct ph_action	*a = call->action;
	enum ph_rc		 rc = PH_OK;

	ph_args_init(args, a->params, a->nparams);
	if (r->body != NULL)
		rc = ph_args_body(args, r->body, r->prefix, 1, a->params, a->nparams, call->now_ms, err);
	if (rc == PH_OK || rc == PH_EPARAM)	/* told with what is missing */
		rc = ph_args_finish(args, r->prefix, a->params, a->nparams, err);
	call->args = args;
	call->is_dry_run = args->values[0].num != 0;
	return rc;
}

enum ph_rc
ph_action_answer(struct ph_req *req, const struct ph_action_request *r, struct ph_json *out,
    struct ph_err *err)
{
	struct ph_action_call	 call = {
		.db = ph_req_db(req), .now_ms = ph_req_now_ms(req), .user = ph_req_who(req)->user,
		.action = find(r->name),
	};
	struct ph_args		*args;
	char			*result = NULL;
	enum ph_rc		 rc;

	if (call.action == NULL)
		return ph_fail(err, PH_ENOTFOUND, "there is no such action");
	if (call.action->scope != NULL &&
	    (rc = ph_auth_scope(ph_req_who(req), call.action->scope, err)) != PH_OK)
		return rc;
	if ((args = malloc(sizeof(*args))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the request");
	if ((rc = read_body(&call, r, args, err)) == PH_OK &&
	    (rc = run(&call, &result, err)) == PH_OK) {
		audit(req, &call, r->recommendation);
		answer(&call, r->name, result, out);
	}
	free(result);
	free(args);
	return rc;
}
