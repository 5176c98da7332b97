/*
 * key.c -- POST, DELETE /dashboard/keys/{id}
 *
 * POST rotates a token: a new one with the same rights, while the old one stays valid for a
 * grace time.  DELETE revokes it.
 */
#include "autoconf.h"

#include <string.h>

#include "core/endpoint.h"
#include "core/token.h"

enum { SECOND_MS = 1000 };

#define PARAM_ID { .name = "id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_NAME_MAX, \
	.text = "The public part of the token." }

enum { P_ID, P_GRACE, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_ID] = PARAM_ID,
	[P_GRACE] = { .name = "grace_s", .type = PH_P_INT, .in = PH_IN_BODY, .max = 31536000,
	    .dflt = PH_TOKEN_GRACE_MS / SECOND_MS, .unit = "s", .text = "How long the old one stays valid." },
};

enum { C_ID, C_TOKEN, C__MAX };
static const struct ph_field created_fields[C__MAX] = {
	[C_ID] = { .name = "id", .type = PH_TEXT, .text = "The public part of the new token." },
	[C_TOKEN] = { .name = "token", .type = PH_TEXT, .text = "The new token; it is not shown again." },
};

static enum ph_rc
key_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	char		id[PH_TOKEN_ID_SIZE], token[PH_TOKEN_MAX + 1];
	enum ph_rc	rc;

	ph_token_make(id, token);
	if ((rc = ph_token_rotate(ph_req_db(req), ph_req_text(req, P_ID), id, token, ph_req_now_ms(req),
	    ph_req_int(req, P_GRACE) * SECOND_MS, err)) == PH_OK) {
		const struct ph_value v[C__MAX] = { [C_ID] = ph_v_str(id), [C_TOKEN] = ph_v_str(token) };

		ph_json_fields(out, created_fields, v, C__MAX);
		ph_req_audit(req, ph_req_text(req, P_ID), NULL);
	}
	explicit_bzero(token, sizeof(token));
	return rc;
}

static const struct ph_param delete_params[] = { PARAM_ID };

static const struct ph_field deleted_fields[] = {
	{ .name = "revoked", .type = PH_TEXT, .text = "The public part of the token." },
};

static enum ph_rc
key_delete(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const struct ph_value	v[] = { ph_v_str(ph_req_text(req, P_ID)) };
	enum ph_rc		rc;

	if ((rc = ph_token_revoke(ph_req_db(req), v[0].str, ph_req_now_ms(req), err)) != PH_OK)
		return rc;
	ph_req_audit(req, v[0].str, NULL);
	ph_json_fields(out, deleted_fields, v, 1);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-key", .path = "/dashboard/keys/{id}", .needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "admin", .summary = "Rotate a token", .action = "token.rotate", .status = 201,
		.is_strict = 1, .is_secret = 1, .params = params, .nparams = P__MAX,
		.fields = created_fields, .nfields = C__MAX, .handle = key_post,
	},
	.ops[PH_DELETE] = {
		.scope = "admin", .summary = "Revoke a token; it ends within two seconds",
		.action = "token.revoke", .params = delete_params, .nparams = 1,
		.fields = deleted_fields, .nfields = 1, .handle = key_delete,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
