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
	return read_list("routes.json", err);
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
	return (int)ph_config_int(ph_config_has(PH_CFG_HOT_ROUTES, route_text(route, "name")) ?
	    PH_CFG_WORKERS_HOT : PH_CFG_WORKERS);
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
