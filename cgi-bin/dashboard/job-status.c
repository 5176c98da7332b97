/*
 * job-status.c -- PUT /dashboard/jobs/{id}/status
 *
 * One step of a job's life: a worker takes it, it is done, it is to be tried again, it failed.
 *  lib/domain/lifecycle.h says which steps there are and what each sets.
 *
 * 200 moved; 404 no such job; 409 invalid_transition: not from its present status, so that of two
 * workers which take the same job one is refused.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/endpoint.h"
#include "domain/lifecycle.h"

enum { P_ID, P_STATUS, P_RESULT, P_ERROR_MESSAGE, P_WORKER_ID, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_ID] = { .name = "id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = 128,
	    .text = "Of the job." },
	[P_STATUS] = { .name = "status", .type = PH_P_CHOICE, .in = PH_IN_BODY, .is_required = 1,
	    .choices = ph_job_statuses, .text = "What it becomes." },
	[P_RESULT] = { .name = "result", .type = PH_P_JSON, .in = PH_IN_BODY, .max = 65536,
	    .text = "With completed: what came of it." },
	[P_ERROR_MESSAGE] = { .name = "error_message", .type = PH_P_MULTILINE, .in = PH_IN_BODY, .max = 20000,
	    .text = "With retry and failed: why." },
	[P_WORKER_ID] = { .name = "worker_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = 128,
	    .text = "Who works on it, for the ledger." },
};

/* The status, or two, that a member belongs to. */
static const unsigned belongs[P__MAX] = {
	[P_RESULT] = 1u << PH_JOB_COMPLETED,
	[P_ERROR_MESSAGE] = 1u << PH_JOB_RETRY | 1u << PH_JOB_FAILED,
};

enum { F_ID, F_FROM, F_STATUS, F_UPDATED_AT, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the job." },
	[F_FROM] = { .name = "from", .type = PH_TEXT, .choices = ph_job_statuses, .text = "The status it had." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = ph_job_statuses, .text = "The status it has." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .text = "When it was changed: now." },
};

static enum ph_rc
status_put(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const enum ph_job_status to = (enum ph_job_status)ph_req_int(req, P_STATUS);
	char			*result = NULL;
	struct ph_move		 m = {
		.now_ms = ph_req_now_ms(req), .actor = ph_req_who(req)->user,
		.worker_id = ph_req_text(req, P_WORKER_ID), .error_message = ph_req_text(req, P_ERROR_MESSAGE),
	};
	struct ph_value		 v[F__MAX];
	enum ph_job_status	 from = to;
	char			 detail[64];
	enum ph_rc		 rc = PH_OK;
	size_t			 i;

	for (i = 0; i < P__MAX; i++)
		if (belongs[i] != 0 && ph_req_has(req, i) && (belongs[i] & 1u << to) == 0)
			rc = ph_fail_param(err, params[i].name, strlen(params[i].name), "does not go with %s",
			    ph_job_statuses[to]);
	if (rc != PH_OK)
		return rc;
	if (ph_req_has(req, P_RESULT) && (m.result = result = cJSON_PrintUnformatted(ph_req_json(req, P_RESULT))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the result");
	rc = ph_job_move(ph_req_db(req), ph_req_text(req, P_ID), to, &m, &from, err);
	free(result);
	if (rc != PH_OK)
		return rc;
	snprintf(detail, sizeof(detail), "{\"from\":\"%s\",\"to\":\"%s\"}", ph_job_statuses[from],
	    ph_job_statuses[to]);
	ph_req_audit(req, ph_req_text(req, P_ID), detail);
	v[F_ID] = ph_v_str(ph_req_text(req, P_ID));
	v[F_FROM] = ph_v_str(ph_job_statuses[from]);
	v[F_STATUS] = ph_v_str(ph_job_statuses[to]);
	v[F_UPDATED_AT] = ph_v_int(m.now_ms);
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-job-status", .path = "/dashboard/jobs/{id}/status",
	.needs = PH_NEED_DB_WRITE,
	.ops[PH_PUT] = {
		.scope = "dashboard:write", .summary = "Move a job to its next status.",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX, .is_strict = 1,
		.action = "job.status", .handle = status_put,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
