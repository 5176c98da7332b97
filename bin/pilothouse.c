/*
 * pilothouse.c -- the operator's command: find the subcommand, load the settings, run it.
 */
#include "autoconf.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "command.h"
#include "core/config.h"
#include "instance.h"

static const struct {
	const char	*name;
	ph_command	*run;
	const char	*usage;
	const char	*help;
} commands[] = {
	{ "init", cmd_init, "", "make the home directory and its database" },
	{ "start", cmd_start, "", "start the workers and nginx" },
	{ "stop", cmd_stop, "", "end exactly what start began" },
	{ "restart", cmd_restart, "", "stop, then start" },
	{ "status", cmd_status, "[--json]", "what runs" },
	{ "logs", cmd_logs, "[-f] [--rotate]", "show, follow or rotate the logs" },
	{ "jobs", cmd_jobs, "[--json] | run NAME", "what the jobs did, and a run by hand" },
	{ "get", cmd_get, "[-i] PATH[?QUERY]", "run an endpoint without a web server" },
	{ "post", cmd_post, "[-i] PATH[?QUERY] [BODY|@FILE|-]", "the same with POST and a JSON body" },
	{ "put", cmd_put, "[-i] PATH[?QUERY] [BODY|@FILE|-]", "the same with PUT" },
	{ "delete", cmd_delete, "[-i] PATH[?QUERY]", "the same with DELETE" },
	{ "token", cmd_token, "create|import|list|revoke|rotate ...", "API tokens" },
	{ "user", cmd_user, "add|list|role|disable|enable ...", "users and their roles" },
	{ "migrate", cmd_migrate, "", "bring the database to this release's version" },
	{ "backup", cmd_backup, "FILE", "copy the live database, consistently" },
	{ "restore", cmd_restore, "FILE", "replace the database by a backup" },
	{ "verify", cmd_verify, "[--repair]", "compare every counter with its base rows" },
	{ "demo", cmd_demo, "--rows N [--seed S]", "fill an empty database with lifelike data" },
	{ "config", cmd_config, "[--man]", "print the effective settings" },
	{ "doctor", cmd_doctor, "", "what is wrong with this installation" },
	{ "routes", cmd_routes, "[--openapi|--man|--nginx|--site]", "what the endpoints declare" },
};

static int
help(FILE *f)
{
	size_t i;

	fprintf(f, "usage: pilothouse [--home DIR] COMMAND [ARGUMENT ...]\n\n");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(f, "  %-8s %-38s %s\n", commands[i].name, commands[i].usage, commands[i].help);
	fprintf(f, "\nSee pilothouse(1).\n");
	return f == stdout ? 0 : 2;
}

/* Take "--home DIR" out of the arguments, wherever it stands.  -1: DIR is missing. */
static int
take_home(int *argc, char **argv, const char **home)
{
	int i, n = 1;

	for (i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--home") != 0) {
			argv[n++] = argv[i];
			continue;
		}
		if (++i == *argc)
			return -1;
		*home = argv[i];
	}
	argv[n] = NULL;
	*argc = n;
	return 0;
}

int
main(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	const char	*home = NULL;
	char		 absolute[PATH_MAX];
	size_t		 i;

	umask(077);
	if (take_home(&argc, argv, &home) != 0 || argc < 2)
		return help(stderr);
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
		return help(stdout);
	if (strcmp(argv[1], "--version") == 0)
		return puts(PACKAGE_STRING) == EOF;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, argv[1]) == 0)
			break;
	if (i == sizeof(commands) / sizeof(commands[0]))
		return help(stderr);
	if (sodium_init() < 0) {
		fprintf(stderr, "pilothouse: there is no source of random bytes\n");
		return 1;
	}
	/* Workers and nginx run elsewhere: the home must not depend on our directory. */
	if (home == NULL && (home = getenv("PH_HOME")) == NULL)
		home = PH_DEFAULT_HOME;
	if (strcmp(argv[1], "init") == 0 && mkdir(home, 0700) != 0 && access(home, X_OK) != 0) {
		perror(home);
		return 1;
	}
	if (realpath(home, absolute) != NULL)
		home = absolute;
	setenv("PH_HOME", home, 1);
	if (ph_config_load(home, &err) != PH_OK)
		return complain(&err);
	return commands[i].run(argc - 1, argv + 1);
}
