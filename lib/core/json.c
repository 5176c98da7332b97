/*
 * json.c -- a stack of open cJSON containers with a sticky failure.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "core/db.h"
#include "core/json.h"
#include "core/utf8.h"

enum {
	DEPTH_MAX = 16,
	PRINT_SIZE = 1024		/* first guess of the text's size, in bytes */
};

struct ph_json {
	cJSON			*stack[DEPTH_MAX];	/* [0] is the root, owned */
	size_t			 depth;			/* index of the innermost open container */
	enum ph_time_style	 time_style;
	int			 is_extended;
	enum ph_rc		 rc;
	char			 why[128];		/* with rc == PH_EINTERNAL */
};

static struct ph_json *
new_with_root(cJSON *root)
{
	struct ph_json *j = root != NULL ? calloc(1, sizeof(*j)) : NULL;

	if (j == NULL)
		cJSON_Delete(root);
	else
		j->stack[0] = root;
	return j;
}

struct ph_json *
ph_json_new(void)
{
	return new_with_root(cJSON_CreateObject());
}

struct ph_json *
ph_json_new_list(void)
{
	return new_with_root(cJSON_CreateArray());
}

void
ph_json_free(struct ph_json *j)
{
	if (j == NULL)
		return;
	cJSON_Delete(j->stack[0]);
	free(j);
}

void
ph_json_set_time_style(struct ph_json *j, enum ph_time_style style)
{
	j->time_style = style;
}

void
ph_json_set_extended(struct ph_json *j, int is_extended)
{
	j->is_extended = is_extended;
}

int
ph_json_is_extended(const struct ph_json *j)
{
	return j->is_extended;
}

void
ph_json_item(struct ph_json *j, const char *key, cJSON *item)
{
	cJSON *in = j->stack[j->depth];

	if (item == NULL)
		j->rc = PH_ENOMEM;
	if (j->rc != PH_OK) {
		cJSON_Delete(item);
		return;
	}
	assert(cJSON_IsObject(in) == (key != NULL));
	if (!(key != NULL ? cJSON_AddItemToObject(in, key, item) : cJSON_AddItemToArray(in, item))) {
		cJSON_Delete(item);
		j->rc = PH_ENOMEM;
	}
}

static void
open_container(struct ph_json *j, const char *key, cJSON *item)
{
	ph_json_item(j, key, item);
	if (j->rc != PH_OK)
		return;
	assert(j->depth + 1 < DEPTH_MAX);
	j->stack[++j->depth] = item;
}

void
ph_json_obj_open(struct ph_json *j, const char *key)
{
	open_container(j, key, cJSON_CreateObject());
}

void
ph_json_arr_open(struct ph_json *j, const char *key)
{
	open_container(j, key, cJSON_CreateArray());
}

void
ph_json_close(struct ph_json *j)
{
	if (j->rc != PH_OK)
		return;
	assert(j->depth > 0);
	j->depth--;
}

void
ph_json_raw(struct ph_json *j, const char *key, const char *text)
{
	ph_json_item(j, key, cJSON_CreateRaw(text));
}

void
ph_json_null(struct ph_json *j, const char *key)
{
	ph_json_item(j, key, cJSON_CreateNull());
}

void
ph_json_bool(struct ph_json *j, const char *key, int is_true)
{
	ph_json_item(j, key, cJSON_CreateBool(is_true));
}

void
ph_json_int(struct ph_json *j, const char *key, int64_t v)
{
	uint64_t	 left = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char		 buf[24], *p = buf + sizeof(buf) - 1;

	/* Raw, because cJSON's own numbers are doubles; digit by digit, because most of an answer is these. */
	*p = '\0';
	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (v < 0)
		*--p = '-';
	ph_json_item(j, key, cJSON_CreateRaw(p));
}

void
ph_json_decimal(struct ph_json *j, const char *key, ph_int128 num, int64_t den, int places)
{
	char buf[PH_DECIMAL_SIZE];

	ph_json_item(j, key, cJSON_CreateRaw(ph_decimal_format(buf, num, den, places)));
}

void
ph_json_time(struct ph_json *j, const char *key, int64_t at_ms)
{
	char buf[PH_TIME_SIZE];

	if (j->time_style == PH_TIME_MS)
		ph_json_int(j, key, at_ms);
	else
		ph_json_item(j, key, cJSON_CreateString(ph_time_format(buf,
		    j->time_style == PH_TIME_SECONDS ? at_ms - at_ms % 1000 : at_ms, j->time_style == PH_TIME_NAIVE)));
}

/* s with every byte that is not part of a sequence replaced.  Caller frees. */
static char *
replace_invalid(const char *s, size_t len)
{
	char	*out, *p;
	size_t	 n;

	if (len > SIZE_MAX / 3 - 1 || (out = p = malloc(3 * len + 1)) == NULL)
		return NULL;
	while (len > 0) {
		if ((n = ph_utf8_next(s, len)) > 0) {
			memcpy(p, s, n);
			p += n;
		} else {
			memcpy(p, "\xef\xbf\xbd", 3);
			p += 3;
			n = 1;
		}
		s += n;
		len -= n;
	}
	*p = '\0';
	return out;
}

void
ph_json_str(struct ph_json *j, const char *key, const char *s)
{
	const size_t	 len = strlen(s);
	char		*fixed;

	if (ph_utf8_is_valid(s, len)) {
		ph_json_item(j, key, cJSON_CreateString(s));
		return;
	}
	fixed = replace_invalid(s, len);
	ph_json_item(j, key, fixed != NULL ? cJSON_CreateString(fixed) : NULL);
	free(fixed);
}

void
ph_json_text(struct ph_json *j, const char *key, const char *s)
{
	const size_t	 len = strlen(s);
	cJSON		*tree = ph_utf8_is_valid(s, len) ? cJSON_ParseWithOpts(s, NULL, 1) : NULL;

	if (tree != NULL)
		ph_json_item(j, key, tree);
	else
		ph_json_str(j, key, s);
}

const cJSON *
ph_json_root(const struct ph_json *j)
{
	return j->stack[0];
}

enum ph_rc
ph_json_finish(struct ph_json *j, char **text, struct ph_err *err)
{
	*text = NULL;
	if (j->rc == PH_OK) {
		assert(j->depth == 0);
		if ((*text = cJSON_PrintBuffered(j->stack[0], PRINT_SIZE, 0)) != NULL)
			return PH_OK;
		j->rc = PH_ENOMEM;
	}
	ph_fail(err, j->rc, "the answer could not be built");
	return ph_fail_log(err, "json: %s", j->why);
}

/* -- fields ---------------------------------------------------------------- */

struct ph_value
ph_v_null(void)
{
	return (struct ph_value){ .kind = PH_V_NULL };
}

struct ph_value
ph_v_int(int64_t v)
{
	return (struct ph_value){ .kind = PH_V_INT, .num = v };
}

struct ph_value
ph_v_ratio(ph_int128 num, int64_t den)
{
	return (struct ph_value){ .kind = PH_V_RATIO, .num = num, .den = den };
}

struct ph_value
ph_v_real(double v)
{
	return (struct ph_value){ .kind = PH_V_REAL, .real = v };
}

struct ph_value
ph_v_known(int64_t n)
{
	return n >= 0 ? ph_v_int(n) : ph_v_null();
}

struct ph_value
ph_v_known_text(const char *text)
{
	return text[0] != '\0' ? ph_v_str(text) : ph_v_null();
}

struct ph_value
ph_v_str(const char *s)
{
	return s == NULL ? ph_v_null() : (struct ph_value){ .kind = PH_V_STR, .str = s };
}

void
ph_v_columns(struct ph_value *v, struct ph_stmt *st, const struct ph_field *fields, int n)
{
	int i;

	for (i = 0; i < n; i++)
		v[i] = ph_stmt_is_null(st, i) ? ph_v_null() : fields[i].type == PH_TEXT ?
		    ph_v_str(ph_stmt_text(st, i)) : ph_v_int(ph_stmt_int(st, i));
}

struct ph_value
ph_v_shown(const struct ph_field *f, struct ph_value v)
{
	if (v.kind == PH_V_REAL)
		v = ph_v_ratio((int64_t)(v.real * 1e6 + (v.real < 0 ? -0.5 : 0.5)), 1000000);
	if (v.kind == PH_V_RATIO && v.den == 0)
		v = f->is_nullable ? ph_v_null() : ph_v_ratio(0, 1);
	return v;
}

static void
write_field(struct ph_json *j, const struct ph_field *f, struct ph_value v)
{
	v = ph_v_shown(f, v);
	if (v.kind == PH_V_UNSET || (v.kind == PH_V_NULL && !f->is_nullable) ||
	    (f->type == PH_DECIMAL && v.kind == PH_V_INT) ||
	    (f->type == PH_TEXT && v.kind == PH_V_INT)) {
		if (j->rc == PH_OK) {
			j->rc = PH_EINTERNAL;
			snprintf(j->why, sizeof(j->why), "field %s has no fitting value", f->name);
		}
		return;
	}
	if (v.kind == PH_V_NULL)
		ph_json_null(j, f->name);
	else if (v.kind == PH_V_RATIO)
		ph_json_decimal(j, f->name, v.num, v.den, f->places);
	else if (v.kind == PH_V_STR)
		ph_json_str(j, f->name, v.str);
	else if (f->type == PH_TIME)
		ph_json_time(j, f->name, (int64_t)v.num);
	else if (f->type == PH_BOOL)
		ph_json_bool(j, f->name, v.num != 0);
	else
		ph_json_int(j, f->name, (int64_t)v.num);
}

void
ph_json_fields(struct ph_json *j, const struct ph_field *fields, const struct ph_value *values, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (fields[i].is_extended && !j->is_extended)
			continue;
		else if (fields[i].type < PH_OBJECT)
			write_field(j, &fields[i], values[i]);
		else if (fields[i].type == PH_ANY && values[i].kind == PH_V_STR)
			ph_json_text(j, fields[i].name, values[i].str);
		else if (fields[i].type == PH_ANY && values[i].kind == PH_V_NULL)
			ph_json_null(j, fields[i].name);
}

static cJSON *
field_schema(const struct ph_field *f)
{
	static const char *const types[] = {
		[PH_COUNT] = "integer", [PH_INTEGER] = "integer", [PH_DECIMAL] = "number",
		[PH_TEXT] = "string", [PH_BOOL] = "boolean", [PH_OBJECT] = "object",
		[PH_ARRAY] = "array",
	};
	cJSON	*s, *t;
	size_t	 i;
	char	 text[512];

	s = f->type == PH_OBJECT ? ph_fields_schema(f->fields, f->nfields) : cJSON_CreateObject();
	if (f->type == PH_ARRAY)
		cJSON_AddItemToObject(s, "items", f->fields != NULL ? ph_fields_schema(f->fields, f->nfields) :
		    cJSON_CreateObject());
	if (f->type == PH_TIME || (f->is_nullable && f->type != PH_ANY)) {
		cJSON_DeleteItemFromObject(s, "type");
		t = cJSON_AddArrayToObject(s, "type");
		if (f->type == PH_TIME) {
			cJSON_AddItemToArray(t, cJSON_CreateString("string"));
			cJSON_AddItemToArray(t, cJSON_CreateString("integer"));
		} else
			cJSON_AddItemToArray(t, cJSON_CreateString(types[f->type]));
		if (f->is_nullable)
			cJSON_AddItemToArray(t, cJSON_CreateString("null"));
	} else if (f->type != PH_OBJECT && f->type != PH_ANY)
		cJSON_AddStringToObject(s, "type", types[f->type]);
	if (f->type == PH_COUNT)
		cJSON_AddNumberToObject(s, "minimum", 0);
	if (f->choices != NULL) {
		t = cJSON_AddArrayToObject(s, "enum");
		for (i = 0; f->choices[i] != NULL; i++)
			cJSON_AddItemToArray(t, cJSON_CreateString(f->choices[i]));
		if (f->is_nullable)
			cJSON_AddItemToArray(t, cJSON_CreateNull());
	}
	snprintf(text, sizeof(text), "%s%s%s%s%s", f->text, f->unit != NULL ? " Unit: " : "",
	    f->unit != NULL ? f->unit : "", f->unit != NULL ? "." : "",
	    f->is_extended ? " Only with include=extended." : "");
	cJSON_AddStringToObject(s, "description", text);
	return s;
}

cJSON *
ph_fields_schema(const struct ph_field *fields, size_t n)
{
	cJSON	*schema = cJSON_CreateObject(), *props, *required;
	size_t	 i;

	cJSON_AddStringToObject(schema, "type", "object");
	props = cJSON_AddObjectToObject(schema, "properties");
	required = cJSON_AddArrayToObject(schema, "required");
	for (i = 0; i < n; i++) {
		cJSON_AddItemToObject(props, fields[i].name, field_schema(&fields[i]));
		if (!fields[i].is_extended)
			cJSON_AddItemToArray(required, cJSON_CreateString(fields[i].name));
	}
	cJSON_AddFalseToObject(schema, "additionalProperties");
	return schema;
}
