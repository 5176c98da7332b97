/*
 * stat-table.c -- from the JSON object of a statistic to rows.
 *
 * A statistic has one function that reads it, into JSON; the object is taken apart again, so that file
 * and answer cannot differ.  What was written with a number stands in it as its text.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/number.h"
#include "domain/stat-table.h"

enum { COLUMNS_MAX = 40, NAME_SIZE = 64 };

struct columns {
	struct ph_field	fields[COLUMNS_MAX];
	struct ph_value	values[COLUMNS_MAX];
	size_t		n;
	char		names[COLUMNS_MAX][NAME_SIZE];	/* of members of members: last_failure_at */
};

void
ph_stat_table_params(struct ph_param table[PH_STAT_TABLE_NPARAMS])
{
	const struct ph_param more[] = { PH_TABLE_PARAMS(0) };

	memcpy(table, ph_statistic_params, sizeof(ph_statistic_params));
	memcpy(table + PH_STAT_TABLE, more, sizeof(more));
}

/* "2249.67" as 224967/100. */
static struct ph_value
decimal(const char *text)
{
	const char	*dot = strchr(text, '.');
	ph_int128	 num = 0;
	int64_t		 den = 1;
	const char	*s;

	for (s = text; *s != '\0'; s++)
		if (*s >= '0' && *s <= '9') {
			num = num * 10 + (*s - '0');
			if (dot != NULL && s > dot)
				den *= 10;
		}
	return ph_v_ratio(text[0] == '-' ? -num : num, den);
}

/* What stands in the object for a field; a member that is not there is null. */
static struct ph_value
value_of(const struct ph_field *f, const cJSON *v)
{
	int64_t n;

	if (v == NULL || cJSON_IsNull(v))
		return ph_v_null();
	if (cJSON_IsString(v))
		return ph_v_str(v->valuestring);
	if (cJSON_IsBool(v))
		return ph_v_int(cJSON_IsTrue(v));
	if (f->type == PH_DECIMAL)
		return decimal(v->valuestring);
	return ph_parse_int(v->valuestring, strlen(v->valuestring), INT64_MIN, INT64_MAX, &n) == 0 ?
	    ph_v_int(n) : ph_v_null();
}

static void
add_column(struct columns *c, const struct ph_field *f, const char *within, const cJSON *v)
{
	assert(c->n < COLUMNS_MAX);
	c->fields[c->n] = *f;
	c->fields[c->n].is_extended = 0;
	if (within != NULL) {
		snprintf(c->names[c->n], NAME_SIZE, "%s_%s", within, f->name);
		c->fields[c->n].name = c->names[c->n];
		c->fields[c->n].is_nullable = 1;
	}
	c->values[c->n++] = value_of(f, v);
}

/* The fields of an object as columns, those of objects in it behind their name. */
static void
add_columns(struct columns *c, const struct ph_field *fields, size_t n, const cJSON *object, const char *within,
    int is_extended)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, fields[i].name);

		if (fields[i].is_extended && !is_extended)
			continue;
		if (fields[i].type == PH_OBJECT)
			add_columns(c, fields[i].fields, fields[i].nfields, v, fields[i].name, 1);
		else if (strcmp(fields[i].name, "platform") != 0)	/* stands first already */
			add_column(c, &fields[i], within, v);
	}
}

/* Write the object; *table is made by its first row. */
static enum ph_rc
add_row(struct ph_table **table, struct ph_req *req, const struct ph_table_options *options, struct columns *c,
    struct ph_err *err)
{
	if (*table == NULL && (*table = ph_table_new(req, options, c->fields, c->n, err)) == NULL)
		return err->rc;
	return ph_table_wants_rows(*table) ? ph_table_row(*table, c->values, err) : PH_OK;
}

static enum ph_rc
write_rows(struct ph_table **table, struct ph_req *req, const struct ph_table_options *options,
    const struct ph_statistic *statistic, const struct ph_json *json, struct ph_err *err)
{
	static const struct ph_field	platform = { .name = "platform", .type = PH_TEXT };
	static struct columns		c;
	const cJSON			*root = ph_json_root(json), *one;
	enum ph_rc			 rc = PH_OK;

	if (statistic->fields[0].type != PH_OBJECT) {
		c.n = 0;
		add_columns(&c, statistic->fields, statistic->nfields, root, NULL, ph_json_is_extended(json));
		return add_row(table, req, options, &c, err);
	}
	cJSON_ArrayForEach(one, root) {
		c.n = 0;
		add_column(&c, &platform, NULL, NULL);
		c.values[0] = ph_v_str(one->string);
		add_columns(&c, statistic->fields[0].fields, statistic->fields[0].nfields, one, NULL,
		    ph_json_is_extended(json));
		if ((rc = add_row(table, req, options, &c, err)) != PH_OK)
			break;
	}
	return rc;
}

enum ph_rc
ph_stat_table_export(struct ph_req *req, const struct ph_statistic *statistic, const struct ph_args *args,
    struct ph_table_options options, struct ph_err *err)
{
	struct ph_filter	 filter;
	struct ph_stat_query	 q = { .db = ph_req_db(req), .now_ms = ph_req_now_ms(req), .filter = &filter };
	struct ph_json		*json = ph_json_new();
	struct ph_table		*table = NULL;
	char			 name[NAME_SIZE];
	enum ph_rc		 rc;

	if (json == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the statistic");
	snprintf(name, sizeof(name), "stats-%s", statistic->name);
	options.name = name;
	options.time_style = (enum ph_time_style)args->values[PH_STATISTIC_TIME].num;
	ph_table_read_options(&options, args, PH_STAT_TABLE);
	q.tz_offset_min = args->values[PH_STATISTIC_TZ_OFFSET].num;
	ph_json_set_extended(json, args->values[PH_STATISTIC_INCLUDE].is_set);
	ph_json_set_time_style(json, PH_TIME_MS);	/* the table shows instants by itself */
	if ((rc = ph_filter_read(&filter, args, PH_STATISTIC_FILTER, q.now_ms, err)) == PH_OK &&
	    (rc = statistic->write(&q, json, err)) == PH_OK &&
	    (rc = write_rows(&table, req, &options, statistic, json, err)) == PH_OK)
		rc = ph_table_finish(table, err);
	ph_table_free(table);
	ph_json_free(json);
	return rc;
}
