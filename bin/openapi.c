/*
 * openapi.c -- openapi.json (OpenAPI 3.1.0) from the routes.
 */
#include "autoconf.h"

#include <string.h>

#include "core/error.h"
#include "core/json.h"
#include "routes.h"

static cJSON *
object(cJSON *parent, const char *key)
{
	cJSON *o = cJSON_GetObjectItem(parent, key);

	return o != NULL ? o : cJSON_AddObjectToObject(parent, key);
}

/* The body of every failure, with the list of codes from the one table. */
static cJSON *
problem_schema(void)
{
	static const struct ph_field errors[] = {
		{ .name = "param", .type = PH_TEXT, .text = "The parameter." },
		{ .name = "detail", .type = PH_TEXT, .text = "What is wrong with it." },
	};
	static const struct ph_field fields[] = {
		{ .name = "type", .type = PH_TEXT, .text = "Address of the explanation." },
		{ .name = "title", .type = PH_TEXT, .text = "What kind of failure." },
		{ .name = "status", .type = PH_INTEGER, .text = "The HTTP status." },
		{ .name = "detail", .type = PH_TEXT, .text = "What happened, as a sentence." },
		{ .name = "code", .type = PH_TEXT, .text = "Stable code of the failure." },
		{ .name = "retryable", .type = PH_BOOL, .text = "May the same request work later?" },
		{ .name = "request_id", .type = PH_TEXT, .text = "To find the request in the logs." },
	};
	cJSON *schema = ph_fields_schema(fields, sizeof(fields) / sizeof(fields[0]));
	cJSON *list = cJSON_AddObjectToObject(cJSON_GetObjectItem(schema, "properties"), "errors");

	cJSON_AddStringToObject(list, "type", "array");
	cJSON_AddStringToObject(list, "description", "For invalid parameters: each of them.");
	cJSON_AddItemToObject(list, "items", ph_fields_schema(errors, 2));
	return schema;
}

cJSON *
openapi_make(const cJSON *routes)
{
	cJSON		*o = cJSON_CreateObject(), *info, *item, *paths, *schemes, *tags;
	const cJSON	*r, *m, *tag, *seen;

	cJSON_AddStringToObject(o, "openapi", "3.1.0");
	info = cJSON_AddObjectToObject(o, "info");
	cJSON_AddStringToObject(info, "title", "Pilothouse");
	cJSON_AddStringToObject(info, "version", PACKAGE_VERSION);
	cJSON_AddStringToObject(info, "description", "Admin-dashboard backend: one small program per "
	    "endpoint, behind nginx.");
	item = cJSON_AddObjectToObject(info, "license");
	cJSON_AddStringToObject(item, "name", "ISC");
	cJSON_AddStringToObject(item, "identifier", "ISC");
	item = cJSON_CreateObject();
	cJSON_AddStringToObject(item, "url", "/");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "servers"), item);
	item = cJSON_CreateObject();
	cJSON_AddArrayToObject(item, "bearer");
	cJSON_AddItemToArray(cJSON_AddArrayToObject(o, "security"), item);
	tags = cJSON_AddArrayToObject(o, "tags");
	paths = cJSON_AddObjectToObject(o, "paths");
	cJSON_ArrayForEach(r, routes) {
		cJSON_ArrayForEach(m, cJSON_GetObjectItem(r, "methods")) {
			cJSON_AddItemToObject(object(paths, route_text(r, "path")), m->string, cJSON_Duplicate(m, 1));
			tag = cJSON_GetArrayItem(cJSON_GetObjectItem(m, "tags"), 0);
			cJSON_ArrayForEach(seen, tags)
				if (strcmp(route_text(seen, "name"), cJSON_GetStringValue(tag)) == 0)
					break;
			if (seen == NULL) {
				item = cJSON_CreateObject();
				cJSON_AddStringToObject(item, "name", cJSON_GetStringValue(tag));
				cJSON_AddItemToArray(tags, item);
			}
		}
	}
	item = cJSON_AddObjectToObject(o, "components");
	schemes = cJSON_AddObjectToObject(item, "securitySchemes");
	cJSON_AddItemToObject(cJSON_AddObjectToObject(item, "schemas"), "Problem", problem_schema());
	item = cJSON_AddObjectToObject(schemes, "bearer");
	cJSON_AddStringToObject(item, "type", "http");
	cJSON_AddStringToObject(item, "scheme", "bearer");
	cJSON_AddStringToObject(item, "description", "An API token from `pilothouse token create`. "
	    "Also accepted alone in Authorization, and in X-API-Key, X-Cron-Secret or X-Intel-API-Key.");
	return o;
}
