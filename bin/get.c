/*
 * get.c -- pilothouse get: run the program of a path by hand, for cron and scripts.
 *
 * The body goes to standard output (-i: with the status and header lines).  Exit status: 0
 * for 2xx and 304, 4 for 4xx, 5 for 5xx, 1 when the program could not be run.
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

/* The program behind a path, or "". */
static char *
find_program(const cJSON *routes, const char *path, char program[PATH_SIZE])
{
	const cJSON *r;

	program[0] = '\0';
	cJSON_ArrayForEach(r, routes)
		if (strcmp(route_text(r, "path"), path) == 0 && path[0] != '\0')
			return program_path(program, route_text(r, "name"));
	return program;
}

/* Run it with a clean CGI environment; all of its output, NUL-terminated.  Caller frees. */
static char *
run(const char *program, const char *query, size_t *len, struct ph_err *err)
{
	char	*out = NULL, *bigger;
	int	 fds[2], status;
	ssize_t	 n;
	pid_t	 pid;

	*len = 0;
	if (pipe(fds) != 0 || (pid = fork()) < 0) {
		ph_fail(err, PH_EINTERNAL, "%s: %s", program, strerror(errno));
		return NULL;
	}
	if (pid == 0) {
		static const char *const cgi[] = { "GATEWAY_INTERFACE", "SERVER_SOFTWARE", "REMOTE_ADDR",
		    "SERVER_PROTOCOL", "HTTP_IF_NONE_MATCH" };
		size_t i;

		for (i = 0; i < sizeof(cgi) / sizeof(cgi[0]); i++)
			unsetenv(cgi[i]);
		setenv("REQUEST_METHOD", "GET", 1);
		setenv("QUERY_STRING", query, 1);
		setenv("PH_REQUEST_LOG", "0", 1);
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	do {
		if ((bigger = realloc(out, *len + CHUNK + 1)) == NULL) {
			n = -1;
			break;
		}
		out = bigger;
		if ((n = read(fds[0], out + *len, CHUNK)) > 0)
			*len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n < 0 || out == NULL || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		ph_fail(err, PH_EINTERNAL, "%s could not be run", program);
		free(out);
		return NULL;
	}
	out[*len] = '\0';
	return out;
}

int
cmd_get(int argc, char **argv)
{
	const int	 with_headers = argc == 3 && strcmp(argv[1], "-i") == 0;
	struct ph_err	 err = { .rc = PH_OK };
	char		 program[PATH_SIZE], *out, *body, *query, *path;
	cJSON		*routes;
	size_t		 len;
	int		 status = 0;

	if (argc != 2 + with_headers)
		return complain_usage("get [-i] PATH[?QUERY]");
	path = argv[argc - 1];
	if ((query = strchr(path, '?')) != NULL)
		*query++ = '\0';
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
	if ((out = run(program, query != NULL ? query : "", &len, &err)) == NULL)
		return complain(&err);
	if (sscanf(out, "Status: %d", &status) != 1 || (body = strstr(out, "\r\n\r\n")) == NULL) {
		ph_fail(&err, PH_EINTERNAL, "%s gave no answer", program);
		free(out);
		return complain(&err);
	}
	body = with_headers ? out : body + 4;
	fwrite(body, 1, len - (size_t)(body - out), stdout);
	putchar('\n');
	free(out);
	if (fflush(stdout) != 0)
		return 1;
	return status < 400 ? 0 : status < 500 ? 4 : 5;
}
