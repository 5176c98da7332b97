/*
 * user.c -- PUT /dashboard/users/{name}
 *
 * Another role, tier or password for a user, or none of their tokens accepted any more.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "core/user.h"

enum { P_NAME, P_ROLE, P_TIER, P_PASSWORD, P_DISABLED, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_NAME] = { .name = "name", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_NAME_MAX,
	    .text = "The user's name." },
	[P_ROLE] = { .name = "role", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = PH_NAME_MAX,
	    .text = "admin, manager, operator or viewer." },
	[P_TIER] = { .name = "tier", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = PH_NAME_MAX,
	    .text = "What the user's plan shows of podcasts: free, creator, pro or unlimited." },
	[P_PASSWORD] = { .name = "password", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = PH_PASSWORD_MAX,
	    .text = "10 to 256 bytes; ends the sessions that began with the old one." },
	[P_DISABLED] = { .name = "disabled", .type = PH_P_BOOL, .in = PH_IN_BODY,
	    .text = "true: every token of the user is refused within two seconds; false: accepted again." },
};

static const struct ph_field fields[] = {
	{ .name = "name", .type = PH_TEXT, .text = "The user's name." },
};

/* From the check to the handler of one request; a program handles one at a time. */
static char hash[PH_PASSWORD_HASH_SIZE];

static enum ph_rc
user_check(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	(void)out;
	return ph_req_has(req, P_PASSWORD) ? ph_user_hash(hash, ph_req_text(req, P_PASSWORD), err) : PH_OK;
}

static enum ph_rc
user_put(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_db	*db = ph_req_db(req);
	const char	*name = ph_req_text(req, P_NAME);
	const int64_t	 now_ms = ph_req_now_ms(req);
	enum ph_rc	 rc = PH_OK;

	if (!ph_req_has(req, P_ROLE) && !ph_req_has(req, P_TIER) && !ph_req_has(req, P_PASSWORD) &&
	    !ph_req_has(req, P_DISABLED))
		return ph_fail(err, PH_EPARAM, "send role, tier, password or disabled");
	if (ph_req_has(req, P_ROLE))
		rc = ph_user_role(db, name, ph_req_text(req, P_ROLE), err);
	if (rc == PH_OK && ph_req_has(req, P_TIER))
		rc = ph_user_tier(db, name, ph_req_text(req, P_TIER), err);
	if (rc == PH_OK && ph_req_has(req, P_PASSWORD))
		rc = ph_user_password(db, name, hash, now_ms, err);
	if (rc == PH_OK && ph_req_has(req, P_DISABLED))
		rc = ph_req_int(req, P_DISABLED) ? ph_user_disable(db, name, now_ms, err) :
		    ph_user_enable(db, name, err);
	if (rc != PH_OK)
		return rc;
	ph_req_audit(req, name, NULL);
	ph_json_str(out, "name", name);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-user", .path = "/dashboard/users/{name}", .needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE,
	.rate = PH_RATE_ACTION,
	.ops[PH_PUT] = {
		.scope = "admin", .summary = "Change a user",
		.description = "Members that are left out stay as they are. The last active admin keeps the role.",
		.action = "user.change", .is_strict = 1, .is_secret = 1, .params = params, .nparams = P__MAX,
		.fields = fields, .nfields = 1, .check = user_check, .handle = user_put,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
