/*
 * routes.c -- pilothouse routes: the table of routes, for people, openapi.json, the manual and
 * nginx.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core/config.h"
#include "instance.h"
#include "routes.h"

cJSON *
routes_load(struct ph_err *err)
{
	char	 path[PATH_SIZE], *text;
	cJSON	*routes;

	if ((text = read_text(data_path(path, "routes.json"), err)) == NULL)
		return NULL;
	if ((routes = cJSON_Parse(text)) == NULL || !cJSON_IsArray(routes)) {
		ph_fail(err, PH_EINTERNAL, "%s is not a list of routes", path);
		cJSON_Delete(routes);
		routes = NULL;
	}
	free(text);
	return routes;
}

const char *
route_text(const cJSON *route, const char *member)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(route, member));

	return s != NULL ? s : "";
}

int
route_cache_s(const cJSON *route)
{
	const cJSON *n = cJSON_GetObjectItem(route, "cache_s");

	return n != NULL ? n->valueint : 0;
}

int
route_workers(const cJSON *route)
{
	const char	*name = route_text(route, "name");
	const char	*hot = ph_config_str(PH_CFG_HOT_ROUTES), *p;
	const size_t	 len = strlen(name);

	for (p = hot; (p = strstr(p, name)) != NULL; p += len)
		if ((p == hot || p[-1] == ' ') && (p[len] == '\0' || p[len] == ' '))
			return (int)ph_config_int(PH_CFG_WORKERS_HOT);
	return (int)ph_config_int(PH_CFG_WORKERS);
}

const char *
route_scope(const cJSON *route)
{
	const cJSON *first = cJSON_GetObjectItem(route, "methods");

	first = first != NULL ? first->child : NULL;
	return first != NULL ? route_text(first, "x-scope") : "";
}

static void
print_table(const cJSON *routes, int is_man)
{
	const cJSON	*r, *op;
	const char	*scope, *summary;
	char		 method[8];
	size_t		 i;

	cJSON_ArrayForEach(r, routes) {
		cJSON_ArrayForEach(op, cJSON_GetObjectItem(r, "methods")) {
			scope = route_text(op, "x-scope");
			summary = route_text(op, "summary");
			for (i = 0; op->string[i] != '\0' && i < sizeof(method) - 1; i++)
				method[i] = (char)(op->string[i] - 'a' + 'A');
			method[i] = '\0';
			if (is_man)
				printf(".It Li %s %s\n%s%s\nScope: %s.\n", method, route_text(r, "path"), summary,
				    strchr(summary, '?') != NULL ? "" : ".", scope[0] != '\0' ? scope : "none, public");
			else
				printf("%-6s %-40s %-20s %-28s %s\n", method, route_text(r, "path"),
				    scope[0] != '\0' ? scope : "public", route_text(r, "name"), summary);
		}
	}
}

static int
print_owned(char *text, const struct ph_err *err)
{
	if (text == NULL)
		return complain(err);
	printf("%s\n", text);
	free(text);
	return 0;
}

int
cmd_routes(int argc, char **argv)
{
	const char	*form = argc == 2 ? argv[1] : "";
	struct ph_err	 err = { .rc = PH_OK };
	cJSON		*routes, *openapi;
	int		 status = 0;

	if (argc > 2)
		return complain_usage("routes [--openapi|--man|--nginx|--site]");
	if ((routes = routes_load(&err)) == NULL)
		return complain(&err);
	if (strcmp(form, "--openapi") == 0) {
		openapi = openapi_make(routes);
		status = print_owned(cJSON_Print(openapi), &err);
		cJSON_Delete(openapi);
	} else if (strcmp(form, "--nginx") == 0)
		status = print_owned(nginx_make(routes, 1, &err), &err);
	else if (strcmp(form, "--site") == 0)
		status = print_owned(nginx_make(routes, 0, &err), &err);
	else if (form[0] == '\0' || strcmp(form, "--man") == 0)
		print_table(routes, form[0] != '\0');
	else
		status = complain_usage("routes [--openapi|--man|--nginx|--site]");
	cJSON_Delete(routes);
	return status;
}
