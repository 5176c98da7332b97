/*
 * call.c -- pilothouse get, post, put, delete: run the program of a path by hand, for cron and
 * scripts.
 *
 * The body of the answer goes to standard output as it comes (-i: with the status and header
 * lines).  Exit status: 0 for 2xx and 304, 4 for 4xx, 5 for 5xx, 1 when the program could not
 * be run.
 */
#include "autoconf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "core/endpoint.h"
#include "instance.h"
#include "routes.h"

enum { CHUNK = 65536 };

/* The program behind a path, or "".  A path without {name} comes first. */
static void
find_program(const cJSON *routes, const char *path, char program[PATH_SIZE])
{
	const cJSON *r, *found = NULL;

	cJSON_ArrayForEach(r, routes)
		if (route_text(r, "path")[0] != '\0' && ph_path_matches(route_text(r, "path"), path) &&
		    (found == NULL || strcmp(route_text(r, "path"), route_text(found, "path")) < 0))
			found = r;
	program[0] = '\0';
	if (found != NULL)
		program_path(program, route_text(found, "name"));
}

/* The body that an argument names: itself, @FILE or - for standard input. */
static FILE *
open_body(const char *argument, struct ph_err *err)
{
	FILE *f;

	if (argument != NULL && strcmp(argument, "-") == 0)
		return stdin;
	if (argument != NULL && argument[0] == '@') {
		if ((f = fopen(argument + 1, "re")) == NULL)
			ph_fail(err, PH_ENOTFOUND, "%s: %s", argument + 1, strerror(errno));
		return f;
	}
	if ((f = tmpfile()) == NULL || (argument != NULL && fputs(argument, f) == EOF) || fflush(f) != 0 ||
	    fseek(f, 0, SEEK_SET) != 0) {
		ph_fail(err, PH_EINTERNAL, "temporary file: %s", strerror(errno));
		if (f != NULL)
			fclose(f);
		return NULL;
	}
	return f;
}

struct request { const char *method, *path, *query; FILE *body; };

/* In the child: a clean CGI environment, and the program. */
static void
become(const char *program, const struct request *r, int out)
{
	static const char *const cgi[] = { "GATEWAY_INTERFACE", "SERVER_SOFTWARE", "REMOTE_ADDR",
	    "SERVER_PROTOCOL", "HTTP_IF_NONE_MATCH", "CONTENT_LENGTH", "REQUEST_URI" };
	size_t i;

	for (i = 0; i < sizeof(cgi) / sizeof(cgi[0]); i++)
		unsetenv(cgi[i]);
	setenv("REQUEST_METHOD", r->method, 1);
	setenv("DOCUMENT_URI", r->path, 1);
	setenv("QUERY_STRING", r->query, 1);
	setenv("PH_REQUEST_LOG", "0", 1);
	dup2(fileno(r->body), STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execl(program, program, (char *)NULL);
	_exit(127);
}

/* Copy what the program says; its status to *status.  0, or -1 when it gave no answer. */
static int
pass_on(FILE *in, int with_headers, int *status)
{
	char	line[PATH_SIZE * 8], *chunk;
	size_t	n;
	int	is_first = 1;

	while (fgets(line, sizeof(line), in) != NULL) {
		if (is_first && sscanf(line, "Status: %d", status) != 1)
			return -1;
		is_first = 0;
		if (with_headers)
			fputs(line, stdout);
		if (strcmp(line, "\r\n") == 0)
			break;
	}
	if (is_first || (chunk = malloc(CHUNK)) == NULL)
		return -1;
	while ((n = fread(chunk, 1, CHUNK, in)) > 0)
		fwrite(chunk, 1, n, stdout);
	free(chunk);
	return 0;
}

static int
run(const char *program, const struct request *r, int with_headers, struct ph_err *err)
{
	int	 fds[2], ended, status = 0, rc;
	FILE	*in;
	pid_t	 pid;

	if (pipe(fds) != 0 || (pid = fork()) < 0)
		return ph_fail(err, PH_EINTERNAL, "%s: %s", program, strerror(errno)), complain(err);
	if (pid == 0) {
		close(fds[0]);
		become(program, r, fds[1]);
	}
	close(fds[1]);
	if ((in = fdopen(fds[0], "r")) == NULL)
		return ph_fail(err, PH_EINTERNAL, "%s: %s", program, strerror(errno)), complain(err);
	rc = pass_on(in, with_headers, &status);
	fclose(in);
	while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
		;
	if (rc != 0 || !WIFEXITED(ended) || WEXITSTATUS(ended) != 0) {
		ph_fail(err, PH_EINTERNAL, "%s could not be run", program);
		return complain(err);
	}
	putchar('\n');
	if (fflush(stdout) != 0)
		return 1;
	return status < 400 ? 0 : status < 500 ? 4 : 5;
}

/* usage: METHOD [-i] PATH[?QUERY] [BODY], a body only for what may have one. */
static int
call(const char *method, const char *usage, int may_have_body, int argc, char **argv)
{
	const int	 with_headers = argc > 1 && strcmp(argv[1], "-i") == 0;
	const int	 n = argc - 1 - with_headers;
	struct ph_err	 err = { .rc = PH_OK };
	struct request	 r = { .method = method };
	char		 program[PATH_SIZE], *body, *path, *query;
	cJSON		*routes;
	int		 status;

	if (n < 1 || n > 1 + may_have_body)
		return complain_usage(usage);
	path = argv[1 + with_headers];
	if ((query = strchr(path, '?')) != NULL)
		*query++ = '\0';
	r.path = path;
	r.query = query != NULL ? query : "";
	if ((routes = routes_load(&err)) == NULL)
		return complain(&err);
	find_program(routes, path, program);
	cJSON_Delete(routes);
	if (program[0] == '\0') {
		ph_fail(&err, PH_ENOTFOUND, "there is no such path; `pilothouse routes` lists them");
		if ((body = ph_problem_json(&err, "-")) != NULL)
			printf("%s\n", body);
		free(body);
		return 4;
	}
	if ((r.body = open_body(n == 2 ? argv[argc - 1] : NULL, &err)) == NULL)
		return complain(&err);
	status = run(program, &r, with_headers, &err);
	fclose(r.body);
	return status;
}

int
cmd_get(int argc, char **argv)
{
	return call("GET", "get [-i] PATH[?QUERY]", 0, argc, argv);
}

int
cmd_post(int argc, char **argv)
{
	return call("POST", "post [-i] PATH[?QUERY] [BODY|@FILE|-]", 1, argc, argv);
}

int
cmd_put(int argc, char **argv)
{
	return call("PUT", "put [-i] PATH[?QUERY] [BODY|@FILE|-]", 1, argc, argv);
}

int
cmd_delete(int argc, char **argv)
{
	return call("DELETE", "delete [-i] PATH[?QUERY]", 0, argc, argv);
}
