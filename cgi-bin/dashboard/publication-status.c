/*
 * publication-status.c -- PUT /dashboard/publications/{id}/status
 *
 * One step of a publication's life: a worker takes it, it is out, it is to be tried again, it
 * failed.  lib/domain/lifecycle.h says which steps there are and what each sets.
 *
 * 200 moved; 404 no such publication; 409 invalid_transition: not from its present status, so that of two workers
 * which take the same publication one is refused.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/endpoint.h"
#include "domain/lifecycle.h"

enum { P_ID, P_STATUS, P_PUBLISHED_AT, P_FAILED_AT, P_SCHEDULED_FOR, P_EXTERNAL_POST_ID, P_EXTERNAL_URL,
    P_ERROR_MESSAGE, P_WORKER_ID, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_ID] = { .name = "id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = 128,
	    .text = "Of the publication." },
	[P_STATUS] = { .name = "status", .type = PH_P_CHOICE, .in = PH_IN_BODY, .is_required = 1,
	    .choices = ph_log_statuses, .text = "What it becomes." },
	[P_PUBLISHED_AT] = { .name = "published_at", .type = PH_P_INSTANT, .in = PH_IN_BODY,
	    .text = "With success: when the post went out; default now." },
	[P_FAILED_AT] = { .name = "failed_at", .type = PH_P_INSTANT, .in = PH_IN_BODY,
	    .text = "With failed: when; default now." },
	[P_SCHEDULED_FOR] = { .name = "scheduled_for", .type = PH_P_INSTANT, .in = PH_IN_BODY,
	    .text = "With scheduled: when it is due; default the time it has." },
	[P_EXTERNAL_POST_ID] = { .name = "external_post_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .max = 255,
	    .text = "With success: the platform's id of the post." },
	[P_EXTERNAL_URL] = { .name = "external_url", .type = PH_P_TEXT, .in = PH_IN_BODY, .max = 2048,
	    .text = "With success: where the post is." },
	[P_ERROR_MESSAGE] = { .name = "error_message", .type = PH_P_MULTILINE, .in = PH_IN_BODY, .max = 20000,
	    .text = "With retry and failed: why." },
	[P_WORKER_ID] = { .name = "worker_id", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = 128,
	    .text = "Who works on it, for the ledger." },
};

/* The status, or two, that a member belongs to. */
static const unsigned belongs[P__MAX] = {
	[P_PUBLISHED_AT] = 1u << PH_LOG_SUCCESS,
	[P_FAILED_AT] = 1u << PH_LOG_FAILED,
	[P_SCHEDULED_FOR] = 1u << PH_LOG_SCHEDULED,
	[P_EXTERNAL_POST_ID] = 1u << PH_LOG_SUCCESS,
	[P_EXTERNAL_URL] = 1u << PH_LOG_SUCCESS,
	[P_ERROR_MESSAGE] = 1u << PH_LOG_RETRY | 1u << PH_LOG_FAILED,
};

enum { F_ID, F_FROM, F_STATUS, F_UPDATED_AT, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the publication." },
	[F_FROM] = { .name = "from", .type = PH_TEXT, .choices = ph_log_statuses, .text = "The status it had." },
	[F_STATUS] = { .name = "status", .type = PH_TEXT, .choices = ph_log_statuses, .text = "The status it has." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .text = "When it was changed: now." },
};

static int64_t
instant(const struct ph_req *req, size_t param)
{
	return ph_req_has(req, param) ? ph_req_int(req, param) : -1;
}

static enum ph_rc
status_put(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const enum ph_log_status to = (enum ph_log_status)ph_req_int(req, P_STATUS);
	const struct ph_move	 m = {
		.now_ms = ph_req_now_ms(req), .actor = ph_req_who(req)->user,
		.worker_id = ph_req_text(req, P_WORKER_ID), .error_message = ph_req_text(req, P_ERROR_MESSAGE),
		.published_at = instant(req, P_PUBLISHED_AT), .failed_at = instant(req, P_FAILED_AT),
		.scheduled_for = instant(req, P_SCHEDULED_FOR),
		.external_post_id = ph_req_text(req, P_EXTERNAL_POST_ID),
		.external_url = ph_req_text(req, P_EXTERNAL_URL),
	};
	struct ph_value		 v[F__MAX];
	enum ph_log_status	 from = to;
	char			 detail[64];
	enum ph_rc		 rc = PH_OK;
	size_t			 i;

	for (i = 0; i < P__MAX; i++)
		if (belongs[i] != 0 && ph_req_has(req, i) && (belongs[i] & 1u << to) == 0)
			rc = ph_fail_param(err, params[i].name, strlen(params[i].name), "does not go with %s",
			    ph_log_statuses[to]);
	if (rc != PH_OK ||
	    (rc = ph_log_move(ph_req_db(req), ph_req_text(req, P_ID), to, &m, &from, err)) != PH_OK)
		return rc;
	snprintf(detail, sizeof(detail), "{\"from\":\"%s\",\"to\":\"%s\"}", ph_log_statuses[from],
	    ph_log_statuses[to]);
	ph_req_audit(req, ph_req_text(req, P_ID), detail);
	v[F_ID] = ph_v_str(ph_req_text(req, P_ID));
	v[F_FROM] = ph_v_str(ph_log_statuses[from]);
	v[F_STATUS] = ph_v_str(ph_log_statuses[to]);
	v[F_UPDATED_AT] = ph_v_int(m.now_ms);
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-publication-status", .path = "/dashboard/publications/{id}/status",
	.needs = PH_NEED_DB_WRITE,
	.ops[PH_PUT] = {
		.scope = "dashboard:write", .summary = "Move a publication to its next status.",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX, .is_strict = 1,
		.action = "publication.status", .handle = status_put,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
