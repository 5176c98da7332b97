/*
 * user.c -- pilothouse user: add, list, role, tier, disable, enable, passwd.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "command.h"
#include "core/clock.h"
#include "core/user.h"
#include "instance.h"

enum { RANDOM_LEN = 20 };	/* of a random password: 120 bits */

static const char usage[] =
	"user add NAME --role admin|manager|operator|viewer\n"
	"       pilothouse user list\n"
	"       pilothouse user role NAME ROLE\n"
	"       pilothouse user tier NAME TIER\n"
	"       pilothouse user disable NAME\n"
	"       pilothouse user enable NAME\n"
	"       pilothouse user passwd NAME [--random]";

static const char sql_list[] = "SELECT name, role, tier, created_at, disabled_at FROM users ORDER BY name";

/* The next line of standard input, which a terminal does not show. */
static void
read_line(char *line, int size)
{
	struct termios	shown, hidden;
	const int	is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;

	if (is_terminal) {
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		fputs("New password: ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	if (fgets(line, size, stdin) == NULL)
		line[0] = '\0';
	if (is_terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputs("\n", stderr);
	}
}

enum { LINE_SIZE = PH_PASSWORD_MAX + 2 };	/* a password that is too long stays so */

/* A password, one line of standard input or a random one, and its hash. */
static enum ph_rc
make_password(char line[LINE_SIZE], char hash[PH_PASSWORD_HASH_SIZE], int is_random, struct ph_err *err)
{
	if (is_random) {
		ph_random_text(line);
		line[RANDOM_LEN] = '\0';
	} else {
		read_line(line, LINE_SIZE);
		line[strcspn(line, "\r\n")] = '\0';
	}
	return ph_user_hash(hash, line, err);
}

static enum ph_rc
list(struct ph_db *db, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		 t1[PH_TIME_SIZE], t2[PH_TIME_SIZE];
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_list, &st, err)) != PH_OK)
		return rc;
	printf("%-20s  %-8s  %-10s  %-24s  %s\n", "NAME", "ROLE", "TIER", "CREATED", "DISABLED");
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		printf("%-20s  %-8s  %-10s  %-24s  %s\n", ph_stmt_text(st, 0), ph_stmt_text(st, 1), ph_stmt_text(st, 2),
		    ph_time_format(t1, ph_stmt_int(st, 3), 0),
		    ph_stmt_is_null(st, 4) ? "-" : ph_time_format(t2, ph_stmt_int(st, 4), 0));
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* Do what the verb says, with a role, a tier or a hash if it takes one. */
static enum ph_rc
change(struct ph_db *db, const char *verb, const char *name, const char *value, struct ph_err *err)
{
	const int64_t	now_ms = ph_clock_now_ms(NULL);
	const char	*action;
	enum ph_rc	 rc;

	if (strcmp(verb, "add") == 0) {
		action = "user.add";
		rc = ph_user_add(db, name, value, now_ms, err);
	} else if (strcmp(verb, "role") == 0) {
		action = "user.role";
		rc = ph_user_role(db, name, value, err);
	} else if (strcmp(verb, "tier") == 0) {
		action = "user.tier";
		rc = ph_user_tier(db, name, value, err);
	} else if (strcmp(verb, "passwd") == 0) {
		action = "user.password";
		rc = ph_user_password(db, name, value, now_ms, err);
	} else if (strcmp(verb, "disable") == 0) {
		action = "user.disable";
		rc = ph_user_disable(db, name, now_ms, err);
	} else {
		action = "user.enable";
		rc = ph_user_enable(db, name, err);
	}
	return rc == PH_OK ? audit(db, action, name, NULL, err) : rc;
}

int
cmd_user(int argc, char **argv)
{
	const char	*verb = argc > 1 ? argv[1] : "";
	const char	*value = strcmp(verb, "add") == 0 && argc == 5 && strcmp(argv[3], "--role") == 0 ?
			    argv[4] : (strcmp(verb, "role") == 0 || strcmp(verb, "tier") == 0) && argc == 4 ?
			    argv[3] : NULL;
	const int	 is_random = argc == 4 && strcmp(argv[3], "--random") == 0;
	const int	 is_password = strcmp(verb, "passwd") == 0 && (argc == 3 || is_random);
	const int	 is_list = strcmp(verb, "list") == 0 && argc == 2;
	struct ph_err	 err = { .rc = PH_OK };
	char		 line[LINE_SIZE] = "", hash[PH_PASSWORD_HASH_SIZE];
	struct ph_db	*db;
	enum ph_rc	 rc;

	if (!(value != NULL || is_password || is_list ||
	    ((strcmp(verb, "disable") == 0 || strcmp(verb, "enable") == 0) && argc == 3)))
		return complain_usage(usage);
	if ((is_password && make_password(line, hash, is_random, &err) != PH_OK) || (db = instance_open(&err)) == NULL)
		return complain(&err);
	rc = is_list ? list(db, &err) : change(db, verb, argv[2], is_password ? hash : value, &err);
	rc = instance_close(db, rc, &err);
	if (is_random && rc == PH_OK)
		puts(line);		/* now that it is in force */
	explicit_bzero(line, sizeof(line));
	return rc == PH_OK ? 0 : complain(&err);
}
