/*
 * token.c -- pilothouse token: create, import, list, revoke, rotate.
 *
 * A token is phk_ID_SECRET: ID is public and names it in lists and logs, SECRET is 256 random
 * bits.  Only the SHA-256 of the whole is stored; the text is shown once.  An imported
 * token is any text of 16 to 512 visible characters, so that installed clients keep theirs.
 */
#include "autoconf.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core/address.h"
#include "core/auth.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/number.h"
#include "core/request.h"
#include "instance.h"

enum { ID_LEN = 10, IMPORT_MIN = 16, DAY_MS = 86400000, SECOND_MS = 1000, GRACE_DFLT_S = 86400 };

struct spec {
	const char	*user;
	const char	*name;
	char		 scopes[PH_SCOPES_MAX + 1];
	const char	*addresses;
	int64_t		 expires_at;		/* 0: never */
	int64_t		 grace_s;		/* rotate: how long the old one stays valid */
	int		 is_from_stdin;		/* import: required, so that no secret is in ps(1) */
};

static const char usage[] =
	"token create --user NAME [--name TEXT] [--scopes \"S ...\"] [--addresses \"CIDR ...\"]"
	" [--expires DAYS]\n"
	"       pilothouse token import --user NAME --stdin [the same options]\n"
	"       pilothouse token list\n"
	"       pilothouse token revoke ID\n"
	"       pilothouse token rotate ID [--grace SECONDS]";

static const char sql_user[] = "SELECT id, role FROM users WHERE name = $1 AND disabled_at IS NULL";
static const char sql_insert[] =
	"INSERT INTO api_tokens (id, user_id, name, hash, scopes, addresses, created_at, expires_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char sql_list[] =
	"SELECT t.id, u.name, t.name, t.scopes, t.addresses, t.created_at, t.expires_at,"
	" t.last_used_at, t.revoked_at FROM api_tokens t JOIN users u ON u.id = t.user_id"
	" ORDER BY t.created_at, t.id";
static const char sql_revoke[] =
	"UPDATE api_tokens SET revoked_at = $1 WHERE id = $2"
	" AND (revoked_at IS NULL OR revoked_at > $1)";
static const char sql_get[] =
	"SELECT user_id, name, scopes, addresses, expires_at FROM api_tokens"
	" WHERE id = $1 AND (revoked_at IS NULL OR revoked_at > $2)";

static enum ph_rc
read_options(int argc, char **argv, struct spec *s, struct ph_err *err)
{
	static const struct option options[] = {
		{ "user", required_argument, NULL, 'u' }, { "name", required_argument, NULL, 'n' },
		{ "scopes", required_argument, NULL, 's' }, { "addresses", required_argument, NULL, 'a' },
		{ "expires", required_argument, NULL, 'e' }, { "grace", required_argument, NULL, 'g' },
		{ "stdin", no_argument, NULL, 'i' }, { NULL, 0, NULL, 0 }
	};
	const char	*p;
	int64_t		 days;
	size_t		 n;
	int		 c;

	*s = (struct spec){ .name = "token", .addresses = "", .grace_s = GRACE_DFLT_S };
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'u':
			s->user = optarg;
			break;
		case 'n':
			if (strlen(optarg) > PH_NAME_MAX || strlen(optarg) == 0)
				return ph_fail(err, PH_EPARAM, "--name: 1 to %d bytes are needed", PH_NAME_MAX);
			s->name = optarg;
			break;
		case 's':
			for (p = optarg; *(p += strspn(p, " ")) != '\0'; p += n) {
				n = strcspn(p, " ");
				if (!ph_scope_is_known(p, n))
					return ph_fail(err, PH_EPARAM, "--scopes: %.*s is not a scope", (int)n, p);
			}
			if (strlen(optarg) == 0 || strlen(optarg) > PH_SCOPES_MAX)
				return ph_fail(err, PH_EPARAM, "--scopes: 1 to %d bytes are needed", PH_SCOPES_MAX);
			snprintf(s->scopes, sizeof(s->scopes), "%s", optarg);
			break;
		case 'a':
			for (p = optarg; *(p += strspn(p, " ")) != '\0'; p += n) {
				n = strcspn(p, " ");
				if (!ph_cidr_is_valid(p, n))
					return ph_fail(err, PH_EPARAM, "--addresses: %.*s is not a network", (int)n, p);
			}
			s->addresses = optarg;
			break;
		case 'e':
			if (ph_parse_int(optarg, strlen(optarg), 1, 36500, &days) != 0)
				return ph_fail(err, PH_EPARAM, "--expires: 1 to 36500 days are needed");
			s->expires_at = ph_clock_now_ms(NULL) + days * DAY_MS;
			break;
		case 'g':
			if (ph_parse_int(optarg, strlen(optarg), 0, 31536000, &s->grace_s) != 0)
				return ph_fail(err, PH_EPARAM, "--grace: 0 to 31536000 seconds are needed");
			break;
		case 'i':
			s->is_from_stdin = 1;
			break;
		default:
			return ph_fail(err, PH_EPARAM, "wrong usage");
		}
	return PH_OK;
}

/* The id of an active user, and the scopes a token of theirs may have. */
static enum ph_rc
find_user(struct ph_db *db, struct spec *s, char user_id[40], struct ph_err *err)
{
	char		 role_scopes[PH_SCOPES_MAX + 1], within[PH_SCOPES_MAX + 1];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_user, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->user);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		rc = PH_OK;
		snprintf(user_id, 40, "%s", ph_stmt_text(st, 0));
		ph_role_scopes(ph_stmt_text(st, 1), role_scopes);
		if (s->scopes[0] == '\0')
			snprintf(s->scopes, sizeof(s->scopes), "%s", role_scopes);
		ph_scopes_within(s->scopes, role_scopes, within);
		if (strcmp(within, s->scopes) != 0)
			rc = ph_fail(err, PH_EPARAM, "--scopes: %s is a %s, whose scopes are: %s", s->user,
			    ph_stmt_text(st, 1), role_scopes);
	} else if (rc == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no active user %s: run `pilothouse user add %s "
		    "--role ROLE`", s->user, s->user);
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
insert(struct ph_db *db, const struct spec *s, const char *user_id, const char *id,
    const char *token, const char *action, struct ph_err *err)
{
	unsigned char	 hash[PH_SHA256_SIZE];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	ph_sha256(hash, token, strlen(token));
	if ((rc = ph_db_prepare(db, sql_insert, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	ph_stmt_bind_text(st, 2, user_id);
	ph_stmt_bind_text(st, 3, s->name);
	ph_stmt_bind_blob(st, 4, hash, sizeof(hash));
	ph_stmt_bind_text(st, 5, s->scopes);
	ph_stmt_bind_text(st, 6, s->addresses);
	ph_stmt_bind_int(st, 7, ph_clock_now_ms(NULL));
	if (s->expires_at != 0)
		ph_stmt_bind_int(st, 8, s->expires_at);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_ECONFLICT)
		return ph_fail(err, PH_ECONFLICT, "this token is there already");
	return rc == PH_OK ? audit(db, action, id, NULL, err) : rc;
}

static void
make_token(char id[ID_LEN + 1], char token[PH_TOKEN_MAX + 1])
{
	char secret[PH_RANDOM_TEXT_SIZE];

	ph_random_hex(id, ID_LEN);
	ph_random_text(secret);
	snprintf(token, PH_TOKEN_MAX + 1, "phk_%s_%s", id, secret);
	explicit_bzero(secret, sizeof(secret));
}

/* One line of standard input. */
static enum ph_rc
read_secret(char token[PH_TOKEN_MAX + 1], struct ph_err *err)
{
	char	line[PH_TOKEN_MAX + 2];
	size_t	len, i;

	if (fgets(line, sizeof(line), stdin) == NULL)
		line[0] = '\0';
	len = strcspn(line, "\r\n");
	for (i = 0; i < len; i++)
		if (line[i] <= ' ' || line[i] >= 0x7f)
			return ph_fail(err, PH_EPARAM, "the token may have visible ASCII characters only");
	if (len < IMPORT_MIN || line[len] == '\0')
		return ph_fail(err, PH_EPARAM, "a line with a token of %d to %d characters is needed on "
		    "standard input", IMPORT_MIN, PH_TOKEN_MAX);
	memcpy(token, line, len);
	token[len] = '\0';
	explicit_bzero(line, sizeof(line));
	return PH_OK;
}

static int
create(int argc, char **argv, int is_import)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db = NULL;
	struct spec	 s;
	char		 id[ID_LEN + 1], token[PH_TOKEN_MAX + 1], user_id[40];
	enum ph_rc	 rc;

	if (read_options(argc, argv, &s, &err) != PH_OK)
		return complain(&err);
	if (s.user == NULL || s.is_from_stdin != is_import || optind != argc)
		return complain_usage(usage);
	make_token(id, token);
	if (is_import && read_secret(token, &err) != PH_OK)
		return complain(&err);
	if ((db = instance_open(&err)) == NULL)
		return complain(&err);
	if ((rc = find_user(db, &s, user_id, &err)) == PH_OK)
		rc = insert(db, &s, user_id, id, token, is_import ? "token.import" : "token.create", &err);
	if (instance_close(db, rc, &err) != PH_OK)
		return complain(&err);
	printf("%s\n", is_import ? id : token);
	explicit_bzero(token, sizeof(token));
	return 0;
}

static enum ph_rc
revoke(struct ph_db *db, const char *id, int64_t at_ms, const char *action, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql_revoke, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, at_ms);
	ph_stmt_bind_text(st, 2, id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_OK && ph_db_changes(db) == 0)
		return ph_fail(err, PH_ENOTFOUND, "token %s: unknown or already revoked", id);
	return rc == PH_OK ? audit(db, action, id, NULL, err) : rc;
}

static int
cmd_revoke(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db;

	if (argc != 2)
		return complain_usage(usage);
	if ((db = instance_open(&err)) == NULL ||
	    instance_close(db, revoke(db, argv[1], ph_clock_now_ms(NULL), "token.revoke", &err), &err) != PH_OK)
		return complain(&err);
	return 0;
}

/* A new token with everything of the old one, which stays valid for the grace time. */
static int
cmd_rotate(int argc, char **argv)
{
	const int64_t	 now = ph_clock_now_ms(NULL);
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db;
	struct ph_stmt	*st = NULL;
	struct spec	 s;
	char		 id[ID_LEN + 1], token[PH_TOKEN_MAX + 1];
	enum ph_rc	 rc;

	if (read_options(argc, argv, &s, &err) != PH_OK)
		return complain(&err);
	if (optind + 1 != argc || s.user != NULL)
		return complain_usage(usage);
	if ((db = instance_open(&err)) == NULL)
		return complain(&err);
	make_token(id, token);
	if ((rc = ph_db_prepare(db, sql_get, &st, &err)) == PH_OK) {
		ph_stmt_bind_text(st, 1, argv[optind]);
		ph_stmt_bind_int(st, 2, now);
		if ((rc = ph_stmt_step(st, &err)) == PH_ROW) {
			s.name = ph_stmt_text(st, 1);
			snprintf(s.scopes, sizeof(s.scopes), "%s", ph_stmt_text(st, 2));
			s.addresses = ph_stmt_text(st, 3);
			s.expires_at = ph_stmt_int(st, 4);
			rc = insert(db, &s, ph_stmt_text(st, 0), id, token, "token.create", &err);
		} else if (rc == PH_DONE)
			rc = ph_fail(&err, PH_ENOTFOUND, "token %s: unknown or revoked", argv[optind]);
	}
	ph_stmt_done(st);
	if (rc == PH_OK)
		rc = revoke(db, argv[optind], now + s.grace_s * SECOND_MS, "token.rotate", &err);
	if (instance_close(db, rc, &err) != PH_OK)
		return complain(&err);
	printf("%s\n", token);
	explicit_bzero(token, sizeof(token));
	return 0;
}

static const char *
time_or(char buf[PH_TIME_SIZE], struct ph_stmt *st, int col, const char *otherwise)
{
	return ph_stmt_is_null(st, col) ? otherwise : ph_time_format(buf, ph_stmt_int(st, col), 0);
}

static int
list(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db;
	struct ph_stmt	*st = NULL;
	char		 t1[PH_TIME_SIZE], t2[PH_TIME_SIZE], t3[PH_TIME_SIZE];
	enum ph_rc	 rc;

	(void)argv;
	if (argc != 1)
		return complain_usage(usage);
	if ((db = instance_open(&err)) == NULL)
		return complain(&err);
	if ((rc = ph_db_prepare(db, sql_list, &st, &err)) == PH_OK)
		printf("%-10s  %-12s  %-16s  %-24s  %-24s  %-24s  %s\n", "ID", "USER", "NAME", "EXPIRES",
		    "LAST USED", "REVOKED", "SCOPES [ADDRESSES]");
	while (rc == PH_OK && (rc = ph_stmt_step(st, &err)) == PH_ROW) {
		printf("%-10s  %-12s  %-16s  %-24s  %-24s  %-24s  %s", ph_stmt_text(st, 0),
		    ph_stmt_text(st, 1), ph_stmt_text(st, 2), time_or(t1, st, 6, "never"),
		    time_or(t2, st, 7, "never"), time_or(t3, st, 8, "-"), ph_stmt_text(st, 3));
		if (ph_stmt_text(st, 4)[0] != '\0')
			printf(" [%s]", ph_stmt_text(st, 4));
		putchar('\n');
		rc = PH_OK;
	}
	ph_stmt_done(st);
	return instance_close(db, rc == PH_DONE ? PH_OK : rc, &err) == PH_OK ? 0 : complain(&err);
}

int
cmd_token(int argc, char **argv)
{
	if (argc < 2)
		return complain_usage(usage);
	if (strcmp(argv[1], "create") == 0)
		return create(argc - 1, argv + 1, 0);
	if (strcmp(argv[1], "import") == 0)
		return create(argc - 1, argv + 1, 1);
	if (strcmp(argv[1], "list") == 0)
		return list(argc - 1, argv + 1);
	if (strcmp(argv[1], "revoke") == 0)
		return cmd_revoke(argc - 1, argv + 1);
	if (strcmp(argv[1], "rotate") == 0)
		return cmd_rotate(argc - 1, argv + 1);
	return complain_usage(usage);
}
