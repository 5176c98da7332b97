/*
 * user.c -- pilothouse user: add, list, role, disable, enable.
 *
 * A user is a name and a role; disabling one refuses all of their tokens at once.
 */
#include "autoconf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/auth.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "instance.h"

enum { PASSWORD_MIN = 10 };

static const char usage[] =
	"user add NAME --role admin|manager|operator|viewer\n"
	"       pilothouse user list\n"
	"       pilothouse user role NAME ROLE\n"
	"       pilothouse user disable NAME\n"
	"       pilothouse user enable NAME\n"
	"       pilothouse user password NAME --stdin";

static const char sql_add[] =
	"INSERT INTO users (id, name, role, created_at) VALUES ($1, $2, $3, $4)";
static const char sql_list[] = "SELECT name, role, created_at, disabled_at FROM users ORDER BY name";
static const char sql_role[] = "UPDATE users SET role = $2 WHERE name = $1";
static const char sql_disable[] = "UPDATE users SET disabled_at = $2 WHERE name = $1";
static const char sql_password[] = "UPDATE users SET password = $2 WHERE name = $1";
static const char sql_enable[] = "UPDATE users SET disabled_at = NULL WHERE name = $1";

static int
name_is_valid(const char *name)
{
	size_t i;

	for (i = 0; name[i] != '\0'; i++)
		if (!isalnum((unsigned char)name[i]) && strchr("._@-", name[i]) == NULL)
			return 0;
	return i >= 1 && i <= PH_NAME_MAX;
}

static enum ph_rc
add(struct ph_db *db, const char *name, const char *role, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		 id[37];
	enum ph_rc	 rc;

	if (!name_is_valid(name))
		return ph_fail(err, PH_EPARAM, "a name has 1 to %d letters, digits and . _ @ -", PH_NAME_MAX);
	if ((rc = ph_db_prepare(db, sql_add, &st, err)) != PH_OK)
		return rc;
	ph_uuid(id);
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_text(st, 2, name);
	ph_stmt_bind_text(st, 3, role);
	ph_stmt_bind_int(st, 4, ph_clock_now_ms(NULL));
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_ECONFLICT)
		return ph_fail(err, PH_ECONFLICT, "user %s is there already", name);
	return rc == PH_OK ? audit(db, "user.add", name, NULL, err) : rc;
}

/* The hash of the password in one line of standard input. */
static enum ph_rc
read_password(char hash[PH_PASSWORD_HASH_SIZE], struct ph_err *err)
{
	char		line[PH_PASSWORD_MAX + 2];
	size_t		len;
	enum ph_rc	rc = PH_OK;

	if (fgets(line, sizeof(line), stdin) == NULL)
		line[0] = '\0';
	len = strcspn(line, "\r\n");
	if (len < PASSWORD_MIN || line[len] == '\0' || !ph_utf8_is_valid(line, len))
		rc = ph_fail(err, PH_EPARAM, "a line with a password of %d to %d bytes is needed on standard input",
		    PASSWORD_MIN, PH_PASSWORD_MAX);
	line[len] = '\0';
	if (rc == PH_OK && ph_password_hash(hash, line) != 0)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory to hash a password");
	explicit_bzero(line, sizeof(line));
	return rc;
}

/* Change one user by sql, whose $1 is the name and $2 a role or hash or, for NULL, the time. */
static enum ph_rc
change(struct ph_db *db, const char *sql, const char *name, const char *role, const char *action,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, name);
	if (role != NULL)
		ph_stmt_bind_text(st, 2, role);
	else if (sql == sql_disable)
		ph_stmt_bind_int(st, 2, ph_clock_now_ms(NULL));
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_OK && ph_db_changes(db) == 0)
		return ph_fail(err, PH_ENOTFOUND, "there is no user %s", name);
	return rc == PH_OK ? audit(db, action, name, NULL, err) : rc;
}

static enum ph_rc
list(struct ph_db *db, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		 t1[PH_TIME_SIZE], t2[PH_TIME_SIZE];
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_list, &st, err)) != PH_OK)
		return rc;
	printf("%-20s  %-8s  %-24s  %s\n", "NAME", "ROLE", "CREATED", "DISABLED");
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		printf("%-20s  %-8s  %-24s  %s\n", ph_stmt_text(st, 0), ph_stmt_text(st, 1),
		    ph_time_format(t1, ph_stmt_int(st, 2), 0),
		    ph_stmt_is_null(st, 3) ? "-" : ph_time_format(t2, ph_stmt_int(st, 3), 0));
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

int
cmd_user(int argc, char **argv)
{
	const char	*verb = argc > 1 ? argv[1] : "";
	const char	*role = strcmp(verb, "add") == 0 && argc == 5 && strcmp(argv[3], "--role") == 0 ?
			    argv[4] : strcmp(verb, "role") == 0 && argc == 4 ? argv[3] : NULL;
	const int	 is_password = strcmp(verb, "password") == 0 && argc == 4 && strcmp(argv[3], "--stdin") == 0;
	struct ph_err	 err = { .rc = PH_OK };
	char		 hash[PH_PASSWORD_HASH_SIZE];
	struct ph_db	*db;
	enum ph_rc	 rc;

	if (!(role != NULL || is_password || (strcmp(verb, "list") == 0 && argc == 2) ||
	    ((strcmp(verb, "disable") == 0 || strcmp(verb, "enable") == 0) && argc == 3)))
		return complain_usage(usage);
	if (role != NULL && !ph_role_is_known(role)) {
		ph_fail(&err, PH_EPARAM, "%s is not a role: admin, manager, operator or viewer", role);
		return complain(&err);
	}
	if ((is_password && read_password(hash, &err) != PH_OK) || (db = instance_open(&err)) == NULL)
		return complain(&err);
	if (is_password)
		rc = change(db, sql_password, argv[2], hash, "user.password", &err);
	else if (strcmp(verb, "add") == 0)
		rc = add(db, argv[2], role, &err);
	else if (strcmp(verb, "list") == 0)
		rc = list(db, &err);
	else if (strcmp(verb, "role") == 0)
		rc = change(db, sql_role, argv[2], role, "user.role", &err);
	else if (strcmp(verb, "disable") == 0)
		rc = change(db, sql_disable, argv[2], NULL, "user.disable", &err);
	else
		rc = change(db, sql_enable, argv[2], NULL, "user.enable", &err);
	return instance_close(db, rc, &err) == PH_OK ? 0 : complain(&err);
}
