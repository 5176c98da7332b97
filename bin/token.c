/*
 * token.c -- pilothouse token: create, import, list, revoke, rotate.
 */
#include "autoconf.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core/clock.h"
#include "core/number.h"
#include "core/token.h"
#include "instance.h"

enum { DAY_MS = 86400000, SECOND_MS = 1000 };

struct spec {
	struct ph_token	 token;
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

static const char sql_list[] =
	"SELECT t.id, u.name, t.name, t.scopes, t.addresses, t.created_at, t.expires_at,"
	" t.last_used_at, t.revoked_at FROM api_tokens t JOIN users u ON u.id = t.user_id"
	" ORDER BY t.created_at, t.id";
static enum ph_rc
read_options(int argc, char **argv, struct spec *s, struct ph_err *err)
{
	static const struct option options[] = {
		{ "user", required_argument, NULL, 'u' }, { "name", required_argument, NULL, 'n' },
		{ "scopes", required_argument, NULL, 's' }, { "addresses", required_argument, NULL, 'a' },
		{ "expires", required_argument, NULL, 'e' }, { "grace", required_argument, NULL, 'g' },
		{ "stdin", no_argument, NULL, 'i' }, { NULL, 0, NULL, 0 }
	};
	const char	*bad;
	int64_t		 days;
	size_t		 n;
	int		 c;

	*s = (struct spec){ .token = { .name = "token", .addresses = "" },
	    .grace_s = PH_TOKEN_GRACE_MS / SECOND_MS };
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'u':
			s->token.user = optarg;
			break;
		case 'n':
			if (strlen(optarg) > PH_NAME_MAX || strlen(optarg) == 0)
				return ph_fail(err, PH_EPARAM, "--name: 1 to %d bytes are needed", PH_NAME_MAX);
			s->token.name = optarg;
			break;
		case 's':
			if ((bad = ph_token_bad_scope(optarg, &n)) != NULL)
				return ph_fail(err, PH_EPARAM, "--scopes: %.*s is not a scope", (int)n, bad);
			if (strlen(optarg) == 0 || strlen(optarg) > PH_SCOPES_MAX)
				return ph_fail(err, PH_EPARAM, "--scopes: 1 to %d bytes are needed", PH_SCOPES_MAX);
			s->token.scopes = optarg;
			break;
		case 'a':
			if ((bad = ph_token_bad_address(optarg, &n)) != NULL)
				return ph_fail(err, PH_EPARAM, "--addresses: %.*s is not a network", (int)n, bad);
			s->token.addresses = optarg;
			break;
		case 'e':
			if (ph_parse_int(optarg, strlen(optarg), 1, 36500, &days) != 0)
				return ph_fail(err, PH_EPARAM, "--expires: 1 to 36500 days are needed");
			s->token.expires_at = ph_clock_now_ms(NULL) + days * DAY_MS;
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
	if (len < PH_TOKEN_IMPORT_MIN || line[len] == '\0')
		return ph_fail(err, PH_EPARAM, "a line with a token of %d to %d characters is needed on "
		    "standard input", PH_TOKEN_IMPORT_MIN, PH_TOKEN_MAX);
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
	char		 id[PH_TOKEN_ID_SIZE], token[PH_TOKEN_MAX + 1];
	enum ph_rc	 rc;

	if (read_options(argc, argv, &s, &err) != PH_OK)
		return complain(&err);
	if (s.token.user == NULL || s.is_from_stdin != is_import || optind != argc)
		return complain_usage(usage);
	ph_token_make(id, token);
	if (is_import && read_secret(token, &err) != PH_OK)
		return complain(&err);
	if ((db = instance_open(&err)) == NULL)
		return complain(&err);
	if ((rc = ph_token_store(db, &s.token, id, token, ph_clock_now_ms(NULL), &err)) == PH_OK)
		rc = audit(db, is_import ? "token.import" : "token.create", id, NULL, &err);
	if (instance_close(db, rc, &err) != PH_OK)
		return complain(&err);
	printf("%s\n", is_import ? id : token);
	explicit_bzero(token, sizeof(token));
	return 0;
}

static int
cmd_revoke(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db;
	enum ph_rc	 rc;

	if (argc != 2)
		return complain_usage(usage);
	if ((db = instance_open(&err)) == NULL)
		return complain(&err);
	if ((rc = ph_token_revoke(db, argv[1], ph_clock_now_ms(NULL), &err)) == PH_OK)
		rc = audit(db, "token.revoke", argv[1], NULL, &err);
	return instance_close(db, rc, &err) == PH_OK ? 0 : complain(&err);
}

static int
cmd_rotate(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_db	*db;
	struct spec	 s;
	char		 id[PH_TOKEN_ID_SIZE], token[PH_TOKEN_MAX + 1];
	enum ph_rc	 rc;

	if (read_options(argc, argv, &s, &err) != PH_OK)
		return complain(&err);
	if (optind + 1 != argc || s.token.user != NULL)
		return complain_usage(usage);
	if ((db = instance_open(&err)) == NULL)
		return complain(&err);
	ph_token_make(id, token);
	if ((rc = ph_token_rotate(db, argv[optind], id, token, ph_clock_now_ms(NULL), s.grace_s * SECOND_MS,
	    &err)) == PH_OK && (rc = audit(db, "token.create", id, NULL, &err)) == PH_OK)
		rc = audit(db, "token.rotate", argv[optind], NULL, &err);
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
