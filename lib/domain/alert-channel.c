/*
 * alert-channel.c -- the table alert_channels and the JSON of a channel.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "domain/alert-channel.h"
#include "net/target.h"

static const char sql_one[] =
	"SELECT id, name, kind, target, secret, enabled, is_default, created_by, version, created_at, updated_at"
	" FROM alert_channels WHERE id = $1";
static const char sql_insert[] =
	"INSERT INTO alert_channels (id, name, target, secret, enabled, is_default, updated_at, kind, created_by,"
	" version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $7)";
static const char sql_update[] =
	"UPDATE alert_channels SET name = $2, target = $3, secret = $4, enabled = $5, is_default = $6,"
	" updated_at = $7, version = version + 1 WHERE id = $1";

const char *const ph_channel_kinds[] = { "webhook", "email", "stream", NULL };

#define CHANNEL_PARAMS(is_new) \
	[PH_CHANNEL_NAME] = { .name = "name", .in = PH_IN_BODY, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_NAME_MAX, \
	    .is_required = (is_new), .text = "What the channel is called." }, \
	[PH_CHANNEL_TARGET] = { .name = "target", .in = PH_IN_BODY, .type = PH_P_TEXT, .max = PH_CHANNEL_TARGET_MAX, \
	    .text = "webhook: an https URL, to an address that the Internet can reach or PH_WEBHOOK_ALLOW names; " \
		"email: a mail address; stream: nothing." }, \
	[PH_CHANNEL_SECRET] = { .name = "secret", .in = PH_IN_BODY, .type = PH_P_TEXT, .min = PH_CHANNEL_SECRET_MIN, \
	    .max = PH_CHANNEL_SECRET_MAX, \
	    .text = "webhook: signs what is sent; never shown again. null: unsigned." }, \
	[PH_CHANNEL_ENABLED] = { .name = "enabled", .in = PH_IN_BODY, .type = PH_P_BOOL, .dflt = 1, \
	    .text = "Whether alerts are sent to it." }, \
	[PH_CHANNEL_IS_DEFAULT] = { .name = "is_default", .in = PH_IN_BODY, .type = PH_P_BOOL, \
	    .text = "Whether rules without channels of their own tell it." }

const struct ph_param ph_channel_new_params[PH_CHANNEL_NEW_PARAMS] = {
	CHANNEL_PARAMS(1),
	[PH_CHANNEL_KIND] = { .name = "kind", .in = PH_IN_BODY, .type = PH_P_CHOICE, .choices = ph_channel_kinds,
	    .is_required = 1, .text = "How it is reached; stream: the live stream, and nothing is sent." },
};
const struct ph_param ph_channel_change_params[PH_CHANNEL_CHANGE_PARAMS] = {
	CHANNEL_PARAMS(0),
	[PH_CHANNEL_ID] = { .name = "id", .in = PH_IN_PATH, .type = PH_P_TEXT, .min = 1, .max = PH_ALERT_ID_SIZE - 1,
	    .is_required = 1, .text = "Of the channel." },
};

static void
check_target(const struct ph_alert_channel *c, struct ph_err *err)
{
	char why[120] = "";

	if (c->kind == PH_CHANNEL_WEBHOOK)
		ph_target_url_check(c->target, why, sizeof(why));
	else if (c->kind == PH_CHANNEL_EMAIL)
		ph_target_mail_check(c->target, why, sizeof(why));
	else if (c->target[0] != '\0')
		snprintf(why, sizeof(why), "the stream has none");
	if (why[0] != '\0')
		ph_fail_param(err, "target", strlen("target"), "%s", why);
	if (c->secret[0] != '\0' && c->kind != PH_CHANNEL_WEBHOOK)
		ph_fail_param(err, "secret", strlen("secret"), "only a webhook has one");
}

enum ph_rc
ph_channel_take(struct ph_alert_channel *c, const struct ph_req *req, struct ph_err *err)
{
	if (ph_req_has(req, PH_CHANNEL_NAME))
		snprintf(c->name, sizeof(c->name), "%s", ph_req_text(req, PH_CHANNEL_NAME));
	if (ph_req_has(req, PH_CHANNEL_TARGET))
		snprintf(c->target, sizeof(c->target), "%s", ph_req_text(req, PH_CHANNEL_TARGET));
	if (ph_req_has(req, PH_CHANNEL_SECRET) || ph_req_is_null(req, PH_CHANNEL_SECRET))
		snprintf(c->secret, sizeof(c->secret), "%s", ph_req_is_null(req, PH_CHANNEL_SECRET) ? "" :
		    ph_req_text(req, PH_CHANNEL_SECRET));
	if (ph_req_has(req, PH_CHANNEL_ENABLED))
		c->is_enabled = ph_req_int(req, PH_CHANNEL_ENABLED) != 0;
	if (ph_req_has(req, PH_CHANNEL_IS_DEFAULT))
		c->is_default = ph_req_int(req, PH_CHANNEL_IS_DEFAULT) != 0;
	check_target(c, err);
	return err->rc;
}

enum ph_rc
ph_channel_read(struct ph_db *db, const char *id, struct ph_alert_channel *c, struct ph_err *err)
{
	const char	*secret;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_one, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		snprintf(c->id, sizeof(c->id), "%s", ph_stmt_text(st, 0));
		snprintf(c->name, sizeof(c->name), "%s", ph_stmt_text(st, 1));
		c->kind = (enum ph_channel_kind)ph_alert_name_index(ph_channel_kinds, ph_stmt_text(st, 2));
		snprintf(c->target, sizeof(c->target), "%s", ph_stmt_text(st, 3));
		secret = ph_stmt_text(st, 4);
		snprintf(c->secret, sizeof(c->secret), "%s", secret != NULL ? secret : "");
		c->is_enabled = ph_stmt_int(st, 5) != 0;
		c->is_default = ph_stmt_int(st, 6) != 0;
		snprintf(c->created_by, sizeof(c->created_by), "%s", ph_stmt_text(st, 7));
		c->version = ph_stmt_int(st, 8);
		c->created_at = ph_stmt_int(st, 9);
		c->updated_at = ph_stmt_int(st, 10);
	}
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc == PH_DONE ? ph_fail(err, PH_ENOTFOUND, "there is no such channel") : rc;
}

static enum ph_rc
write_record(struct ph_db *db, const char *sql, const struct ph_alert_channel *c, int is_new, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, c->id);
	ph_stmt_bind_text(st, 2, c->name);
	ph_stmt_bind_text(st, 3, c->target);
	ph_stmt_bind_text(st, 4, c->secret[0] != '\0' ? c->secret : NULL);
	ph_stmt_bind_int(st, 5, c->is_enabled);
	ph_stmt_bind_int(st, 6, c->is_default);
	ph_stmt_bind_int(st, 7, c->updated_at);
	if (is_new) {
		ph_stmt_bind_text(st, 8, ph_channel_kinds[c->kind]);
		ph_stmt_bind_text(st, 9, c->created_by);
	}
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_channel_insert(struct ph_db *db, const struct ph_alert_channel *c, struct ph_err *err)
{
	return write_record(db, sql_insert, c, 1, err);
}

enum ph_rc
ph_channel_update(struct ph_db *db, struct ph_alert_channel *c, struct ph_err *err)
{
	c->version++;
	return write_record(db, sql_update, c, 0, err);
}

enum {
	F_ID, F_NAME, F_KIND, F_TARGET, F_HAS_SECRET, F_ENABLED, F_IS_DEFAULT, F_CREATED_BY, F_VERSION, F_CREATED_AT,
	F_UPDATED_AT, F__MAX
};
_Static_assert((int)F__MAX == (int)PH_CHANNEL_NFIELDS, "as the header says");

const struct ph_field ph_channel_fields[F__MAX] = {
	[F_ID] = { .name = "id", .type = PH_TEXT, .text = "Of the channel." },
	[F_NAME] = { .name = "name", .type = PH_TEXT, .text = "What it is called." },
	[F_KIND] = { .name = "kind", .type = PH_TEXT, .choices = ph_channel_kinds, .text = "How it is reached." },
	[F_TARGET] = { .name = "target", .type = PH_TEXT, .text = "URL or mail address." },
	[F_HAS_SECRET] = { .name = "has_secret", .type = PH_BOOL, .text = "Whether what is sent is signed." },
	[F_ENABLED] = { .name = "enabled", .type = PH_BOOL, .text = "Whether alerts are sent to it." },
	[F_IS_DEFAULT] = { .name = "is_default", .type = PH_BOOL,
	    .text = "Whether rules without channels of their own tell it." },
	[F_CREATED_BY] = { .name = "created_by", .type = PH_TEXT, .text = "User." },
	[F_VERSION] = { .name = "version", .text = "Grows with each change; for If-Match." },
	[F_CREATED_AT] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
	[F_UPDATED_AT] = { .name = "updated_at", .type = PH_TIME, .text = "When it was last changed." },
};

void
ph_channel_write(const struct ph_alert_channel *c, struct ph_json *out)
{
	const struct ph_value v[F__MAX] = {
		[F_ID] = ph_v_str(c->id), [F_NAME] = ph_v_str(c->name), [F_KIND] = ph_v_str(ph_channel_kinds[c->kind]),
		[F_TARGET] = ph_v_str(c->target), [F_HAS_SECRET] = ph_v_int(c->secret[0] != '\0'),
		[F_ENABLED] = ph_v_int(c->is_enabled), [F_IS_DEFAULT] = ph_v_int(c->is_default),
		[F_CREATED_BY] = ph_v_str(c->created_by), [F_VERSION] = ph_v_int(c->version),
		[F_CREATED_AT] = ph_v_int(c->created_at), [F_UPDATED_AT] = ph_v_int(c->updated_at),
	};

	ph_json_fields(out, ph_channel_fields, v, F__MAX);
}
