/*
 * auth.c -- tokens, scopes and roles.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/address.h"
#include "core/auth.h"
#include "core/hash.h"

#define VIEWER		"viewer operator manager"
#define OPERATOR	"operator manager"

const struct ph_scope ph_scopes[] = {
	{ "dashboard:read", "read the publishing statistics and lists", VIEWER },
	{ "dashboard:export", "export tables of the dashboard", OPERATOR },
	{ "dashboard:write", "write publishing records and dashboards", "manager" },
	{ "actions:run", "run actions on the publish queue", OPERATOR },
	{ "actions:destructive", "run actions that delete", "manager" },
	{ "alerts:write", "acknowledge, snooze and define alerts", OPERATOR },
	{ "podcast:read", "read podcast downloads", VIEWER },
	{ "podcast:write", "write podcasts and episodes, of one's own", OPERATOR },
	{ "billing:read", "read credits and usage", VIEWER },
	{ "billing:write", "change credits", "" },
	{ "analytics:read", "read product analytics", VIEWER },
	{ "analytics:write", "send product analytics by mail", "manager" },
	{ "hub:read", "read the marketing data hub", VIEWER },
	{ "hub:write", "connect and sync marketing sources", "manager" },
	{ "health:read", "read health and resources", VIEWER },
	{ "guides:read", "read the guides", VIEWER },
	{ "metrics:read", "read /metrics", OPERATOR },
	{ "monitor", "read the monitoring endpoints", OPERATOR },
	{ "cron:run", "start jobs", "manager" },
	{ "intel:analyze", "run chat analysis", "manager" },
	{ "admin", "everything", "" },
	{ NULL, NULL, NULL }
};

/* Is the word (len bytes) in a space-separated list? */
static int
has_word(const char *list, const char *word, size_t len)
{
	size_t n;

	for (list += strspn(list, " "); *list != '\0'; list += n, list += strspn(list, " ")) {
		n = strcspn(list, " ");
		if (n == len && strncmp(list, word, len) == 0)
			return 1;
	}
	return 0;
}

static void
add_word(char out[PH_SCOPES_MAX + 1], const char *word, size_t len)
{
	const size_t have = strlen(out);

	if (have + 1 + len <= PH_SCOPES_MAX)
		snprintf(out + have, PH_SCOPES_MAX + 1 - have, "%s%.*s", have > 0 ? " " : "",
		    (int)len, word);
}

int
ph_scope_is_known(const char *name, size_t len)
{
	const struct ph_scope *s;

	for (s = ph_scopes; s->name != NULL; s++)
		if (strlen(s->name) == len && strncmp(s->name, name, len) == 0)
			return 1;
	return 0;
}

int
ph_role_is_known(const char *role)
{
	return has_word("admin manager operator viewer", role, strlen(role));
}

int
ph_scopes_allow(const char *scopes, const char *needed)
{
	return has_word(scopes, needed, strlen(needed)) || has_word(scopes, "admin", 5);
}

void
ph_role_scopes(const char *role, char out[PH_SCOPES_MAX + 1])
{
	const struct ph_scope *s;

	out[0] = '\0';
	if (strcmp(role, "admin") == 0) {
		add_word(out, "admin", 5);
		return;
	}
	for (s = ph_scopes; s->name != NULL; s++)
		if (has_word(s->roles, role, strlen(role)))
			add_word(out, s->name, strlen(s->name));
}

void
ph_scopes_within(const char *a, const char *b, char out[PH_SCOPES_MAX + 1])
{
	char	word[PH_NAME_MAX + 1];
	size_t	n;

	out[0] = '\0';
	if (has_word(a, "admin", 5) && !has_word(b, "admin", 5)) {
		/* All of b is within "everything". */
		add_word(out, b, strlen(b));
		return;
	}
	for (a += strspn(a, " "); *a != '\0'; a += n, a += strspn(a, " ")) {
		n = strcspn(a, " ");
		snprintf(word, sizeof(word), "%.*s", (int)n, a);
		if (ph_scopes_allow(b, word))
			add_word(out, word, strlen(word));
	}
}

#define TOKENS \
	"SELECT t.id, u.name, u.role, t.scopes, t.addresses, t.expires_at," \
	" t.revoked_at, u.disabled_at, t.last_used_at" \
	" FROM api_tokens t JOIN users u ON u.id = t.user_id"
/* hash is UNIQUE: one seek in its index, one row, one user. */
static const char sql_token[] = TOKENS " WHERE t.hash = $1";
static const char sql_token_id[] = TOKENS " WHERE t.id = $1";
static const char sql_tokens[] = TOKENS " WHERE (t.revoked_at IS NULL OR t.revoked_at >= $1)"
	" AND (t.expires_at IS NULL OR t.expires_at >= $1) ORDER BY t.id";

static const char sql_ticket_forget[] = "DELETE FROM stream_tickets WHERE expires_at <= $1";
static const char sql_ticket_make[] =
	"INSERT INTO stream_tickets (hash, user, token_id, scopes, expires_at) VALUES ($1, $2, $3, $4, $5)";
static const char sql_ticket_use[] =
	"DELETE FROM stream_tickets WHERE hash = $1 RETURNING token_id, scopes, expires_at";

/* address NULL: from wherever. */
static enum ph_rc
judge(struct ph_stmt *st, const char *address, int64_t now_ms, struct ph_identity *who,
    struct ph_err *err)
{
	char role_scopes[PH_SCOPES_MAX + 1];

	snprintf(who->token_id, sizeof(who->token_id), "%s", ph_stmt_text(st, 0));
	snprintf(who->user, sizeof(who->user), "%s", ph_stmt_text(st, 1));
	ph_role_scopes(ph_stmt_text(st, 2), role_scopes);
	ph_scopes_within(ph_stmt_text(st, 3), role_scopes, who->scopes);
	/* A rotated token has a revoked_at ahead of it: the end of its grace time. */
	if (!ph_stmt_is_null(st, 6) && ph_stmt_int(st, 6) <= now_ms)
		return ph_fail(err, PH_EREVOKED, "this token was revoked");
	if (!ph_stmt_is_null(st, 7))
		return ph_fail(err, PH_EREVOKED, "the user of this token is disabled");
	if (!ph_stmt_is_null(st, 5) && ph_stmt_int(st, 5) <= now_ms)
		return ph_fail(err, PH_EEXPIRED, "this token has expired");
	if (address != NULL && !ph_address_is_in(ph_stmt_text(st, 4), address))
		return ph_fail(err, PH_EADDRESS, "this token may not be used from this address");
	who->is_use_due = ph_stmt_is_null(st, 8) || ph_stmt_int(st, 8) + PH_LAST_USE_STEP_MS <= now_ms;
	return PH_OK;
}

enum ph_rc
ph_auth_token(struct ph_db *db, const char *token, const char *address, int64_t now_ms,
    struct ph_identity *who, struct ph_err *err)
{
	unsigned char	 hash[PH_SHA256_SIZE];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	memset(who, 0, sizeof(*who));
	ph_sha256(hash, token, strlen(token));
	if ((rc = ph_db_prepare(db, sql_token, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_blob(st, 1, hash, sizeof(hash));
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		rc = judge(st, address, now_ms, who, err);
	else if (rc == PH_DONE)
		rc = ph_fail(err, PH_EBADCREDENTIALS, "this token is not known");
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_auth_ticket_make(struct ph_db *db, const struct ph_identity *who, int64_t now_ms,
    char ticket[PH_TICKET_SIZE], struct ph_err *err)
{
	unsigned char	 hash[PH_SHA256_SIZE];
	char		 secret[PH_RANDOM_TEXT_SIZE];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_ticket_forget, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, now_ms);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc != PH_OK || (rc = ph_db_prepare(db, sql_ticket_make, &st, err)) != PH_OK)
		return rc;
	ph_random_text(secret);
	snprintf(ticket, PH_TICKET_SIZE, "pht_%s", secret);
	ph_sha256(hash, ticket, strlen(ticket));
	ph_stmt_bind_blob(st, 1, hash, sizeof(hash));
	ph_stmt_bind_text(st, 2, who->user);
	ph_stmt_bind_text(st, 3, who->token_id);
	ph_stmt_bind_text(st, 4, who->scopes);
	ph_stmt_bind_int(st, 5, now_ms + PH_TICKET_MS);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* The token behind a ticket, if it is still good; within: the scopes that the ticket has. */
static enum ph_rc
judge_token(struct ph_db *db, const char *token_id, const char *within, const char *address,
    int64_t now_ms, struct ph_identity *who, struct ph_err *err)
{
	char		 scopes[PH_SCOPES_MAX + 1];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_token_id, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, token_id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		rc = judge(st, address, now_ms, who, err);
	else if (rc == PH_DONE)
		rc = ph_fail(err, PH_EREVOKED, "the token of this ticket was removed");
	ph_stmt_done(st);
	ph_scopes_within(within, who->scopes, scopes);
	snprintf(who->scopes, sizeof(who->scopes), "%s", scopes);
	return rc;
}

enum ph_rc
ph_auth_ticket_use(struct ph_db *db, const char *ticket, const char *address, int64_t now_ms,
    struct ph_identity *who, struct ph_err *err)
{
	unsigned char	 hash[PH_SHA256_SIZE];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	memset(who, 0, sizeof(*who));
	ph_sha256(hash, ticket, strlen(ticket));
	if ((rc = ph_db_prepare(db, sql_ticket_use, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_blob(st, 1, hash, sizeof(hash));
	if ((rc = ph_stmt_step(st, err)) == PH_DONE)
		rc = ph_fail(err, PH_EBADCREDENTIALS, "this ticket is not known, or was used already");
	else if (rc == PH_ROW && ph_stmt_int(st, 2) <= now_ms)
		rc = ph_fail(err, PH_EEXPIRED, "this ticket has expired");
	else if (rc == PH_ROW)
		rc = judge_token(db, ph_stmt_text(st, 0), ph_stmt_text(st, 1), address, now_ms, who, err);
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_auth_each(struct ph_db *db, const char *scope, int64_t now_ms, int64_t since_ms, ph_auth_each_fn *f,
    void *arg, struct ph_err *err)
{
	struct ph_identity	 who;
	struct ph_err		 why;
	struct ph_stmt		*st;
	enum ph_rc		 rc;

	if ((rc = ph_db_prepare(db, sql_tokens, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, since_ms);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		f(arg, ph_stmt_text(st, 0), judge(st, NULL, now_ms, &who, &why) == PH_OK &&
		    ph_scopes_allow(who.scopes, scope));
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_auth_scope(const struct ph_identity *who, const char *scope, struct ph_err *err)
{
	if (ph_scopes_allow(who->scopes, scope))
		return PH_OK;
	return ph_fail(err, PH_ESCOPE, "the scope %s is needed", scope);
}
