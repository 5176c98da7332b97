/*
 * list-item.c -- one row of a list with its parts: the endpoint of an item.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/list-query.h"

enum { I_ID, I_TIME, I__MAX };
static const struct ph_param item_params[I__MAX] = {
	[I_ID] = { .name = "id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_LIST_ID_MAX,
	    .text = "Of the row." },
	[I_TIME] = PH_PARAM_TIME,
};

/* The row with that id into the open object.  PH_ENOTFOUND. */
static enum ph_rc
write_row(struct ph_db *db, const struct ph_list_item *item, const char *id, int64_t now_ms, struct ph_list_sql *s,
    struct ph_json *out, struct ph_err *err)
{
	const struct ph_list	*l = item->list;
	struct ph_list_row		 row = { 0 };
	struct ph_stmt		*st;
	enum ph_rc		 rc;

	s->len = 0;
	ph_list_add(s, "SELECT 1");
	ph_list_add_columns(s, l, UINT64_MAX);
	ph_list_add(s, " FROM %s AS t%s WHERE t.id = $14", l->table, l->joins != NULL ? l->joins : "");
	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, PH_LIST_B_EXTRA, id);
	if (ph_list_has_param(s->text, PH_LIST_B_NOW))
		ph_stmt_bind_int(st, PH_LIST_B_NOW, now_ms);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && (rc = ph_list_row_read(&row, l, st, 1, 0, err)) == PH_OK)
		ph_list_row_write(&row, l, UINT64_MAX, out);
	else if (rc == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no such %s", item->what);
	ph_list_row_free(&row);
	ph_stmt_drop(st);
	return rc;
}

static enum ph_rc
write_part(struct ph_db *db, const struct ph_list_part *part, const char *id, int64_t now_ms, struct ph_list_sql *s,
    struct ph_json *out, struct ph_err *err)
{
	const struct ph_list	*l = part->list;
	const char		*order = l->sorts[0].is_ascending ? "" : " DESC";
	struct ph_list_row		 row = { 0 };
	struct ph_stmt		*st;
	enum ph_rc		 rc;

	s->len = 0;
	ph_list_add(s, "SELECT 1");
	ph_list_add_columns(s, l, UINT64_MAX);
	ph_list_add(s, " FROM %s AS t INDEXED BY %s%s WHERE %s ORDER BY %s%s, t.id%s LIMIT %d", l->table, part->index,
	    l->joins != NULL ? l->joins : "", part->sql, l->sorts[0].sql, order, order, PH_LIST_LIMIT_MAX);
	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, PH_LIST_B_EXTRA, id);
	if (ph_list_has_param(s->text, PH_LIST_B_NOW))
		ph_stmt_bind_int(st, PH_LIST_B_NOW, now_ms);
	ph_json_arr_open(out, part->name);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW &&
	    (rc = ph_list_row_read(&row, l, st, 1, PH_LIST_TEXT_MAX, err)) == PH_OK) {
		ph_json_obj_open(out, NULL);
		ph_list_row_write(&row, l, UINT64_MAX, out);
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_list_row_free(&row);
	ph_stmt_drop(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* The item of this program. */
static const struct ph_list_item *own_item;

static enum ph_rc
own_item_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_db	*db = ph_req_db(req);
	const char	*id = ph_req_text(req, I_ID);
	struct ph_list_sql	*s = malloc(sizeof(*s));
	enum ph_rc	 rc;
	size_t		 i;

	if (s == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the row");
	rc = write_row(db, own_item, id, ph_req_now_ms(req), s, out, err);
	for (i = 0; i < own_item->nparts && rc == PH_OK; i++)
		rc = write_part(db, &own_item->parts[i], id, ph_req_now_ms(req), s, out, err);
	free(s);
	return rc;
}

int
ph_list_item_main(const struct ph_list_item *item, int argc, char **argv)
{
	static struct ph_field	fields[PH_LIST_COLUMNS_MAX + 4];
	const size_t		n = item->list->nfields;
	struct ph_route		route = {
		.name = item->route, .path = item->path, .needs = PH_NEED_DB_READ,
		.ops[PH_GET] = {
			.scope = item->list->scope, .summary = item->summary,
			.params = item_params, .nparams = I__MAX,
			.fields = fields, .nfields = n + item->nparts, .handle = own_item_get,
		},
	};
	size_t i;

	own_item = item;
	assert(n + item->nparts <= sizeof(fields) / sizeof(fields[0]));
	memcpy(fields, item->list->fields, n * sizeof(fields[0]));
	for (i = 0; i < item->nparts; i++)
		fields[n + i] = (struct ph_field){ .name = item->parts[i].name, .type = PH_ARRAY,
		    .fields = item->parts[i].list->fields, .nfields = item->parts[i].list->nfields,
		    .text = item->parts[i].text };
	return ph_endpoint_main(&route, argc, argv);
}
