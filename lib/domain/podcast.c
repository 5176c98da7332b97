/*
 * podcast.c -- owners and levels.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "domain/podcast.h"

const char *const ph_plan_levels[] = {
	[PH_LEVEL_BASIC] = "basic", [PH_LEVEL_ADVANCED] = "advanced", [PH_LEVEL_FULL] = "full",
	[PH_LEVEL_FULL + 1] = NULL
};

static const char sql_user[] =
	"SELECT u.id, t.analytics_level FROM users u JOIN tiers t ON t.name = u.tier WHERE u.name = $1";
static const char sql_user_by_id[] =
	"SELECT u.id, t.analytics_level FROM users u JOIN tiers t ON t.name = u.tier WHERE u.id = $1";
static const char sql_operator[] =
	"SELECT u.id, t.analytics_level FROM users u JOIN tiers t ON t.name = u.tier"
	" WHERE u.role = 'admin' AND u.disabled_at IS NULL AND $1 IS NOT NULL ORDER BY u.created_at, u.id LIMIT 1";

static const char sql_podcast[] = "SELECT id, user_id, name, public_stats FROM podcasts WHERE id = $1";

/* PH_DONE: there is none. */
static enum ph_rc
find_user(struct ph_db *db, const char *sql, const char *key, struct ph_listener *who, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, key);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		ph_stmt_copy(st, 0, who->user_id, sizeof(who->user_id));
		for (i = 0; ph_plan_levels[i] != NULL; i++)
			if (strcmp(ph_plan_levels[i], ph_stmt_text(st, 1)) == 0)
				who->level = (enum ph_level)i;
	}
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_listener_find(struct ph_db *db, const struct ph_identity *identity, const char *of, struct ph_listener *who,
    struct ph_err *err)
{
	const int	is_local = strcmp(identity->user, "local") == 0;
	enum ph_rc	rc;

	*who = (struct ph_listener){ .is_admin = ph_scopes_allow(identity->scopes, "admin") };
	if (of != NULL && !who->is_admin)
		return ph_fail(err, PH_ESCOPE, "user_id needs the scope admin");
	if (of == NULL)
		rc = find_user(db, is_local ? sql_operator : sql_user, identity->user, who, err);
	else if ((rc = find_user(db, sql_user_by_id, of, who, err)) == PH_DONE &&
	    (rc = find_user(db, sql_user, of, who, err)) == PH_DONE)
		return ph_fail(err, PH_ENOTFOUND, "there is no such user");
	if (who->is_admin)
		who->level = PH_LEVEL_FULL;
	if (of != NULL)
		who->is_admin = 0;	/* sees what that user sees */
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_podcast_find(struct ph_db *db, const struct ph_listener *who, const char *id, struct ph_podcast *p,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_podcast, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		ph_stmt_copy(st, 0, p->id, sizeof(p->id));
		ph_stmt_copy(st, 1, p->user_id, sizeof(p->user_id));
		ph_stmt_copy(st, 2, p->name, sizeof(p->name));
		p->is_public = ph_stmt_int(st, 3) != 0;
	}
	ph_stmt_done(st);
	if (rc == PH_DONE || (rc == PH_ROW && !who->is_admin && strcmp(p->user_id, who->user_id) != 0))
		return ph_fail(err, PH_ENOTFOUND, "there is no such podcast");
	return rc == PH_ROW ? PH_OK : rc;
}

enum ph_rc
ph_level_check(const struct ph_listener *who, enum ph_level needed, struct ph_err *err)
{
	if (who->level >= needed)
		return PH_OK;
	return ph_fail(err, PH_EPLAN, "the plan shows %s analytics, this needs %s", ph_plan_levels[who->level],
	    ph_plan_levels[needed]);
}
