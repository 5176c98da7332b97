/*
 * describe.c -- a route as JSON.  Everything that must know about routes -- nginx, the list of
 * workers, openapi.json, the manual -- is generated from this.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/endpoint.h"

static cJSON *
param_schema(const struct ph_param *p)
{
	cJSON	*s = cJSON_CreateObject(), *list;
	size_t	 i;

	cJSON_AddStringToObject(s, "type", p->type == PH_P_INT ? "integer" : "string");
	if (p->type == PH_P_INT) {
		cJSON_AddNumberToObject(s, "minimum", (double)p->min);
		cJSON_AddNumberToObject(s, "maximum", (double)p->max);
		if (!p->is_required)
			cJSON_AddNumberToObject(s, "default", (double)p->dflt);
	} else if (p->type == PH_P_TEXT) {
		cJSON_AddNumberToObject(s, "minLength", (double)p->min);
		cJSON_AddNumberToObject(s, "maxLength", (double)p->max);
	} else {
		list = cJSON_AddArrayToObject(s, "enum");
		for (i = 0; p->choices[i] != NULL; i++)
			cJSON_AddItemToArray(list, cJSON_CreateString(p->choices[i]));
		if (!p->is_required && p->type != PH_P_EXTENDED)
			cJSON_AddStringToObject(s, "default", p->choices[p->dflt]);
	}
	return s;
}

static cJSON *
param(const struct ph_param *p)
{
	cJSON	*o = cJSON_CreateObject();
	char	 text[512];

	cJSON_AddStringToObject(o, "name", p->name);
	cJSON_AddStringToObject(o, "in", "query");
	cJSON_AddBoolToObject(o, "required", p->is_required);
	snprintf(text, sizeof(text), "%s%s%s%s", p->text, p->unit != NULL ? " Unit: " : "",
	    p->unit != NULL ? p->unit : "", p->unit != NULL ? "." : "");
	cJSON_AddStringToObject(o, "description", text);
	cJSON_AddItemToObject(o, "schema", param_schema(p));
	return o;
}

static void
add_response(cJSON *responses, const char *status, const char *text, const char *type, cJSON *schema)
{
	cJSON *r = cJSON_AddObjectToObject(responses, status);

	cJSON_AddStringToObject(r, "description", text);
	if (schema != NULL)
		cJSON_AddItemToObject(cJSON_AddObjectToObject(cJSON_AddObjectToObject(r, "content"),
		    type), "schema", schema);
}

static cJSON *
problem_ref(void)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "$ref", "#/components/schemas/Problem");
	return o;
}

static cJSON *
operation(const struct ph_route *r)
{
	static const char	problem[] = "application/problem+json";
	cJSON			*op = cJSON_CreateObject(), *list, *responses;
	char			 area[32];
	size_t			 i;

	snprintf(area, sizeof(area), "%.*s", (int)strcspn(r->name, "-"), r->name);
	cJSON_AddStringToObject(op, "operationId", r->name);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(op, "tags"), cJSON_CreateString(area));
	cJSON_AddStringToObject(op, "summary", r->summary);
	if (r->description != NULL)
		cJSON_AddStringToObject(op, "description", r->description);
	if (r->access == PH_ACCESS_PUBLIC)
		cJSON_AddArrayToObject(op, "security");
	list = cJSON_AddArrayToObject(op, "parameters");
	for (i = 0; i < r->nparams; i++)
		cJSON_AddItemToArray(list, param(&r->params[i]));
	responses = cJSON_AddObjectToObject(op, "responses");
	add_response(responses, "200", "The figures.", "application/json",
	    ph_fields_schema(r->fields, r->nfields));
	add_response(responses, "304", "Not changed since the ETag in If-None-Match.", NULL, NULL);
	if (r->access == PH_ACCESS_SCOPE) {
		add_response(responses, "401", "No token, or one that is not valid.", problem, problem_ref());
		add_response(responses, "403", "The token lacks the scope, or the address is not allowed.",
		    problem, problem_ref());
	}
	add_response(responses, "405", "Another method than GET, HEAD or OPTIONS.", problem, problem_ref());
	add_response(responses, "422", "A parameter is not valid; errors names each.", problem,
	    problem_ref());
	add_response(responses, "429", "Too many requests; see Retry-After.", problem, problem_ref());
	add_response(responses, "503", "The database cannot be used now; code says why.", problem,
	    problem_ref());
	return op;
}

char *
ph_describe(const struct ph_route *r)
{
	static const char *const access[] = {
		[PH_ACCESS_SCOPE] = "scope", [PH_ACCESS_PUBLIC] = "public", [PH_ACCESS_INTERNAL] = "internal",
	};
	cJSON	*o = cJSON_CreateObject(), *needs, *methods;
	char	*text;

	cJSON_AddStringToObject(o, "name", r->name);
	cJSON_AddStringToObject(o, "access", access[r->access]);
	if (r->path != NULL)
		cJSON_AddStringToObject(o, "path", r->path);
	if (r->scope != NULL)
		cJSON_AddStringToObject(o, "scope", r->scope);
	cJSON_AddNumberToObject(o, "cache_s", r->cache_s);
	needs = cJSON_AddArrayToObject(o, "needs");
	if (r->needs & PH_NEED_DB_READ)
		cJSON_AddItemToArray(needs, cJSON_CreateString("db_read"));
	if (r->needs & PH_NEED_DB_WRITE)
		cJSON_AddItemToArray(needs, cJSON_CreateString("db_write"));
	cJSON_AddStringToObject(o, "summary", r->summary);
	methods = cJSON_AddObjectToObject(o, "methods");
	if (r->path != NULL)
		cJSON_AddItemToObject(methods, "get", operation(r));
	text = cJSON_Print(o);
	cJSON_Delete(o);
	return text;
}
