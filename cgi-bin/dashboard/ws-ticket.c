/*
 * ws-ticket.c -- POST /dashboard/ws-ticket
 *
 * A ticket for one stream: browsers cannot send a token with EventSource or WebSocket, and a
 * token in an address would end up in logs and histories.
 */
#include "autoconf.h"

#include <string.h>

#include "core/endpoint.h"
#include "domain/live.h"

enum { F_TICKET, F_EXPIRES_IN, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_TICKET] = { .name = "ticket", .type = PH_TEXT, .text = "For ?ticket=, good once." },
	[F_EXPIRES_IN] = { .name = "expires_in", .unit = "s", .text = "How long it is good." },
};

static enum ph_rc
ticket_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	char		ticket[PH_TICKET_SIZE];
	enum ph_rc	rc;

	if (strcmp(ph_req_who(req)->token_id, "-") == 0)
		return ph_fail(err, PH_ENOCREDENTIALS, "a ticket stands for a token: call with one");
	if ((rc = ph_auth_ticket_make(ph_req_db(req), ph_req_who(req), ph_req_now_ms(req), ticket, err)) == PH_OK) {
		const struct ph_value v[F__MAX] = {
			[F_TICKET] = ph_v_str(ticket), [F_EXPIRES_IN] = ph_v_int(PH_TICKET_MS / 1000),
		};

		ph_json_fields(out, fields, v, F__MAX);
	}
	explicit_bzero(ticket, sizeof(ticket));
	return rc;
}

static const struct ph_route route = {
	.name = "dashboard-ws-ticket", .path = "/dashboard/ws-ticket", .needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = PH_LIVE_SCOPE, .summary = "A ticket for one stream or WebSocket", .action = "ticket.create",
		.is_secret = 1, .fields = fields, .nfields = F__MAX, .handle = ticket_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
