/*
 * describe.c -- a route as JSON.  Everything that must know about routes -- nginx, the list of
 * workers, openapi.json, the manual -- is generated from this.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/endpoint.h"

static void
add_range(cJSON *s, const char *low, const char *high, const struct ph_param *p)
{
	cJSON_AddNumberToObject(s, low, (double)p->min);
	cJSON_AddNumberToObject(s, high, (double)p->max);
}

static void
add_choices(cJSON *s, const struct ph_param *p)
{
	cJSON	*list = cJSON_AddArrayToObject(s, "enum");
	size_t	 i;

	for (i = 0; p->choices[i] != NULL; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(p->choices[i]));
}

static cJSON *
param_schema(const struct ph_param *p)
{
	cJSON	*s = cJSON_CreateObject(), *types;

	switch (p->type) {
	case PH_P_INT:
		cJSON_AddStringToObject(s, "type", "integer");
		add_range(s, "minimum", "maximum", p);
		if (!p->is_required && p->dflt >= p->min && p->dflt <= p->max)
			cJSON_AddNumberToObject(s, "default", (double)p->dflt);
		break;
	case PH_P_NUMBER:
		cJSON_AddStringToObject(s, "type", "number");
		add_range(s, "minimum", "maximum", p);
		break;
	case PH_P_BOOL:
		cJSON_AddStringToObject(s, "type", "boolean");
		if (!p->is_required)
			cJSON_AddBoolToObject(s, "default", p->dflt != 0);
		break;
	case PH_P_JSON:
		types = cJSON_AddArrayToObject(s, "type");
		cJSON_AddItemToArray(types, cJSON_CreateString("object"));
		cJSON_AddItemToArray(types, cJSON_CreateString("array"));
		break;
	case PH_P_TEXT:
	case PH_P_MULTILINE:
		cJSON_AddStringToObject(s, "type", "string");
		add_range(s, "minLength", "maxLength", p);
		break;
	case PH_P_INSTANT:
		if (p->in == PH_IN_BODY) {
			types = cJSON_AddArrayToObject(s, "type");
			cJSON_AddItemToArray(types, cJSON_CreateString("string"));
			cJSON_AddItemToArray(types, cJSON_CreateString("integer"));
		} else
			cJSON_AddStringToObject(s, "type", "string");
		break;
	case PH_P_CHOICES:
	case PH_P_NAMES:
		cJSON_AddStringToObject(s, "type", "array");
		types = cJSON_AddObjectToObject(s, "items");
		cJSON_AddStringToObject(types, "type", "string");
		if (p->type == PH_P_CHOICES)
			add_choices(types, p);
		else {
			cJSON_AddNumberToObject(types, "maxLength", (double)p->max);
			cJSON_AddNumberToObject(s, "maxItems", PH_NAMES_MAX);
		}
		break;
	case PH_P_CHOICE:
	case PH_P_EXTENDED:
	case PH_P_TIME_STYLE:
		cJSON_AddStringToObject(s, "type", "string");
		add_choices(s, p);
		if (!p->is_required && p->type != PH_P_EXTENDED && p->dflt >= 0)
			cJSON_AddStringToObject(s, "default", p->choices[p->dflt]);
		break;
	}
	return s;
}

static char *
param_text(const struct ph_param *p, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s", p->text, p->unit != NULL ? " Unit: " : "",
	    p->unit != NULL ? p->unit : "", p->unit != NULL ? "." : "");
	return buf;
}

/* A parameter of path or query. */
static cJSON *
param(const struct ph_param *p)
{
	cJSON	*o = cJSON_CreateObject();
	char	 text[512];

	cJSON_AddStringToObject(o, "name", p->name);
	cJSON_AddStringToObject(o, "in", p->in == PH_IN_PATH ? "path" : "query");
	cJSON_AddBoolToObject(o, "required", p->is_required || p->in == PH_IN_PATH);
	cJSON_AddStringToObject(o, "description", param_text(p, text, sizeof(text)));
	if (p->type == PH_P_CHOICES || p->type == PH_P_NAMES)
		cJSON_AddBoolToObject(o, "explode", 0);		/* a,b,c */
	cJSON_AddItemToObject(o, "schema", param_schema(p));
	return o;
}

/* The JSON body that the parameters make; NULL if there are none. */
static cJSON *
body_schema(const struct ph_op *op)
{
	cJSON	*s = NULL, *props = NULL, *required = NULL, *one;
	char	 text[512];
	size_t	 i;

	for (i = 0; i < op->nparams; i++) {
		const struct ph_param *p = &op->params[i];

		if (p->in != PH_IN_BODY)
			continue;
		if (s == NULL) {
			s = cJSON_CreateObject();
			cJSON_AddStringToObject(s, "type", "object");
			props = cJSON_AddObjectToObject(s, "properties");
			required = cJSON_AddArrayToObject(s, "required");
			if (op->is_strict)
				cJSON_AddFalseToObject(s, "additionalProperties");
		}
		one = param_schema(p);
		cJSON_AddStringToObject(one, "description", param_text(p, text, sizeof(text)));
		cJSON_AddItemToObject(props, p->name, one);
		if (p->is_required)
			cJSON_AddItemToArray(required, cJSON_CreateString(p->name));
	}
	return s;
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

/* The object, or the array of objects, that a success holds. */
static cJSON *
answer_schema(const struct ph_op *op)
{
	cJSON *object, *list;

	if (op->is_text) {
		object = cJSON_CreateObject();
		cJSON_AddStringToObject(object, "type", "string");
		return object;
	}
	object = ph_fields_schema(op->fields, op->nfields);
	if (op->is_free)
		cJSON_DeleteItemFromObject(object, "additionalProperties");
	if (!op->is_list)
		return object;
	list = cJSON_CreateObject();
	cJSON_AddStringToObject(list, "type", "array");
	cJSON_AddItemToObject(list, "items", object);
	return list;
}

/* What a client gets that nginx keeps. */
static void
add_stream(cJSON *responses, const char *status, int is_websocket)
{
	cJSON *text;

	if (is_websocket) {
		add_response(responses, status, "A WebSocket.", NULL, NULL);
		add_response(responses, "426", "The request does not ask for a WebSocket.",
		    "application/problem+json", problem_ref());
		return;
	}
	text = cJSON_CreateObject();
	cJSON_AddStringToObject(text, "type", "string");
	add_response(responses, status, "The stream.", "text/event-stream", text);
	add_response(responses, "406", "Accept does not name text/event-stream.", "application/problem+json",
	    problem_ref());
}

static cJSON *
operation(const struct ph_route *r, enum ph_method method)
{
	static const char	problem[] = "application/problem+json";
	const struct ph_op	*op = &r->ops[method];
	cJSON			*o = cJSON_CreateObject(), *list, *responses, *body;
	char			 area[32], id[96], status[8];
	size_t			 i;

	snprintf(area, sizeof(area), "%.*s", (int)strcspn(r->name, "-"), r->name);
	snprintf(id, sizeof(id), "%s%s", r->name, method == PH_POST ? "-post" :
	    method == PH_PUT ? "-put" : method == PH_DELETE ? "-delete" : "");
	cJSON_AddStringToObject(o, "operationId", id);
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "tags"), cJSON_CreateString(area));
	cJSON_AddStringToObject(o, "summary", op->summary);
	if (op->description != NULL)
		cJSON_AddStringToObject(o, "description", op->description);
	if (r->access == PH_ACCESS_PUBLIC)
		cJSON_AddArrayToObject(o, "security");
	else
		cJSON_AddStringToObject(o, "x-scope", op->scope);
	list = cJSON_AddArrayToObject(o, "parameters");
	for (i = 0; i < op->nparams; i++)
		if (op->params[i].in != PH_IN_BODY)
			cJSON_AddItemToArray(list, param(&op->params[i]));
	if ((body = body_schema(op)) != NULL)
		cJSON_AddItemToObject(cJSON_AddObjectToObject(cJSON_AddObjectToObject(
		    cJSON_AddObjectToObject(o, "requestBody"), "content"), "application/json"), "schema", body);
	responses = cJSON_AddObjectToObject(o, "responses");
	snprintf(status, sizeof(status), "%d", op->status != 0 ? op->status : 200);
	if (r->is_live)
		add_stream(responses, status, op->status == 101);
	else
		add_response(responses, status, method == PH_GET ? "The answer." : "Done.",
		    op->is_text ? "text/plain" : "application/json", answer_schema(op));
	if (method == PH_GET && !r->is_live)
		add_response(responses, "304", "Not changed since the ETag in If-None-Match.", NULL, NULL);
	else if (method != PH_GET)
		add_response(responses, "400", "The body is not JSON.", problem, problem_ref());
	if (r->access == PH_ACCESS_SCOPE) {
		add_response(responses, "401", "No token, or one that is not valid.", problem, problem_ref());
		add_response(responses, "403", "The token lacks the scope, or the address is not allowed.",
		    problem, problem_ref());
	}
	if (r->path != NULL && strchr(r->path, '{') != NULL)
		add_response(responses, "404", "There is no such thing.", problem, problem_ref());
	add_response(responses, "405", "Another method than the ones in Allow.", problem, problem_ref());
	if (method != PH_GET)
		add_response(responses, "409", "The present state does not allow it.", problem, problem_ref());
	add_response(responses, "422", "A parameter is not valid; errors names each.", problem,
	    problem_ref());
	add_response(responses, "429", "Too many requests; see Retry-After.", problem, problem_ref());
	add_response(responses, "503", "The database cannot be used now; code says why.", problem,
	    problem_ref());
	return o;
}

char *
ph_describe(const struct ph_route *r)
{
	static const char *const access[] = {
		[PH_ACCESS_SCOPE] = "scope", [PH_ACCESS_PUBLIC] = "public", [PH_ACCESS_INTERNAL] = "internal",
	};
	static const char *const methods[PH_METHOD__MAX] = {
		[PH_GET] = "get", [PH_POST] = "post", [PH_PUT] = "put", [PH_DELETE] = "delete",
	};
	static const char *const rates[] = {
		[PH_RATE_NONE] = "", [PH_RATE_ACTION] = "action", [PH_RATE_EXPORT] = "export",
	};
	cJSON	*o = cJSON_CreateObject(), *ops;
	char	*text;
	int	 i;

	cJSON_AddStringToObject(o, "name", r->name);
	cJSON_AddStringToObject(o, "access", access[r->access]);
	if (r->path != NULL)
		cJSON_AddStringToObject(o, "path", r->path);
	cJSON_AddNumberToObject(o, "cache_s", r->cache_s);
	cJSON_AddNumberToObject(o, "body_max", (double)(r->body_max != 0 ? r->body_max : PH_BODY_MAX));
	cJSON_AddStringToObject(o, "rate", rates[r->rate]);
	if (r->page != NULL)
		cJSON_AddStringToObject(o, "page", r->page);
	cJSON_AddBoolToObject(o, "is_once", r->is_once);
	cJSON_AddBoolToObject(o, "is_stream", r->is_stream);
	cJSON_AddBoolToObject(o, "is_live", r->is_live);
	cJSON_AddItemToObject(o, "needs", ph_program_needs(r->needs));
	ops = cJSON_AddObjectToObject(o, "methods");
	for (i = 0; r->path != NULL && i < PH_METHOD__MAX; i++)
		if (r->ops[i].handle != NULL)
			cJSON_AddItemToObject(ops, methods[i], operation(r, (enum ph_method)i));
	text = cJSON_Print(o);
	cJSON_Delete(o);
	return text;
}
