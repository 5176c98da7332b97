/*
 * alert-verb.c -- POST /dashboard/alerts/{id}/{verb}
 *
 * What a person does about an alert: mark it as read; acknowledge it (somebody cares for it); snooze it
 * (its rule tells no channel for a while, and says so again when it still fires then).
 */
#include "autoconf.h"

#include <stdio.h>

#include "core/endpoint.h"
#include "domain/alert-event.h"

enum { MINUTE_MS = 60000, SNOOZE_MAX_MINUTES = 10080, SNOOZE_MINUTES = 60 };

enum { VERB_READ, VERB_ACK, VERB_SNOOZE };
static const char *const verbs[] = { "read", "ack", "snooze", NULL };

enum { P_ID, P_VERB, P_MINUTES, P__MAX };

static const struct ph_param params[P__MAX] = {
	[P_ID] = { .name = "id", .in = PH_IN_PATH, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_ID_SIZE - 1,
	    .is_required = 1, .text = "Of the alert." },
	[P_VERB] = { .name = "verb", .in = PH_IN_PATH, .type = PH_P_CHOICE, .choices = verbs, .is_required = 1,
	    .text = "What to do." },
	[P_MINUTES] = { .name = "minutes", .in = PH_IN_BODY, .type = PH_P_INT, .min = 1, .max = SNOOZE_MAX_MINUTES,
	    .dflt = SNOOZE_MINUTES, .unit = "min", .text = "How long to snooze it." },
};

static enum ph_rc
verb_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_db	*db = ph_req_db(req);
	const char	*id = ph_req_text(req, P_ID);
	const int64_t	 verb = ph_req_int(req, P_VERB), now = ph_req_now_ms(req);
	char		 detail[32];
	enum ph_rc	 rc;

	if (verb == VERB_READ)
		rc = ph_alert_event_read(db, id, now, err);
	else if (verb == VERB_ACK)
		rc = ph_alert_event_ack(db, id, ph_req_who(req)->user, now, err);
	else
		rc = ph_alert_event_snooze(db, id, now + ph_req_int(req, P_MINUTES) * MINUTE_MS, now, err);
	if (rc != PH_OK)
		return rc;
	snprintf(detail, sizeof(detail), "{\"verb\":\"%s\"}", verbs[verb]);
	ph_req_audit(req, id, detail);
	return ph_alert_event_show(db, id, out, err);
}

static const struct ph_route route = {
	.name = "dashboard-alert-verb", .path = "/dashboard/alerts/{id}/{verb}", .needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "alerts:write", .summary = "Mark an alert as read, acknowledge or snooze it",
		.description = "Its answer is the alert. A second acknowledgement leaves the first. Only a firing alert "
		    "can be snoozed: its rule then tells no channel until the time is over.",
		.action = "alert.mark", .is_strict = 1, .params = params, .nparams = P__MAX,
		.fields = ph_alert_event_fields, .nfields = PH_ALERT_EVENT_NFIELDS, .handle = verb_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
