/*
 * list.c -- a page of a list: the endpoint of every list.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/export.h"
#include "domain/list-query.h"

enum { LINK_MAX = 2500 };		/* bytes of a Link header that still fits the head of an answer */

/* Write the items of a page into the open array.  next->is_set: there may be more behind it.  A first
 * page that takes all there is to see has the total, too. */
static enum ph_rc
write_items(struct ph_db *db, struct ph_list_query *q, struct ph_list_sql *s, struct ph_json *out,
    struct ph_list_position *next, struct ph_err *err)
{
	struct ph_list_row	 row = { 0 };
	struct ph_stmt	*st;
	int64_t		 n = 0;
	enum ph_rc	 rc;

	next->is_set = 0;
	s->len = 0;
	ph_list_add_page(s, q);
	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	ph_list_bind(st, s->text, q, PH_LIST_FROM_CURSOR);
	ph_stmt_bind_int(st, PH_LIST_B_LIMIT, q->limit + 1);
	ph_stmt_bind_int(st, PH_LIST_B_OFFSET, q->offset);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && n < q->limit) {
		if (ph_list_row_read(&row, q->list, st, 2, PH_LIST_TEXT_MAX, err) != PH_OK) {
			rc = err->rc;
			break;
		}
		ph_json_obj_open(out, NULL);
		ph_list_row_write(&row, q->list, q->fields, out);
		ph_json_close(out);
		if (++n == q->limit && ph_list_note_position(q, st, next, err) != PH_OK) {
			rc = err->rc;
			break;
		}
	}
	ph_list_row_free(&row);
	if (rc == PH_DONE) {
		*next = q->bound;
		if (q->total < 0 && q->offset == 0) {
			q->total = n;
			q->is_capped = q->bound.is_set;
		}
	}
	ph_stmt_drop(st);
	return rc == PH_ROW || rc == PH_DONE ? ph_list_use_offset(db, q, s, n, err) : rc;
}

/* Link to the next page: the query as it was, but for the cursor.  None if that were too long. */
static enum ph_rc
add_link(struct ph_req *req, const char *path, const char *cursor, struct ph_err *err)
{
	const char	*query = ph_req_env(req, "QUERY_STRING");
	char		 kept[LINK_MAX];
	size_t		 len, n = 0, i;

	for (query = query != NULL ? query : ""; *query != '\0'; query += len + (query[len] == '&')) {
		len = strcspn(query, "&");
		if (len == 0 || strncmp(query, "cursor=", 7) == 0 || strncmp(query, "offset=", 7) == 0)
			continue;
		for (i = 0; i < len; i++) {
			const unsigned char c = (unsigned char)query[i];

			if (n + 5 >= sizeof(kept))
				return PH_OK;
			if (c <= ' ' || c >= 0x7f || strchr("<>\"\\^`{|}", c) != NULL)
				n += (size_t)snprintf(kept + n, sizeof(kept) - n, "%%%02X", c);
			else
				kept[n++] = query[i];
		}
		kept[n++] = '&';
	}
	kept[n] = '\0';
	if (n + strlen(path) + strlen(cursor) + 32 > LINK_MAX)
		return PH_OK;
	return ph_req_header(req, err, "Link: <%s?%scursor=%s>; rel=\"next\"", path, kept, cursor);
}

enum { A_ITEMS, A_LIMIT, A_NEXT_CURSOR, A_TOTAL, A_TOTAL_CAPPED, A__MAX };

static enum ph_rc
list_get(struct ph_req *req, const struct ph_list *list, const struct ph_list_params *p,
    const struct ph_field *fields, struct ph_json *out, struct ph_err *err)
{
	struct ph_db			*db = ph_req_db(req);
	struct ph_list_query			*q = malloc(sizeof(*q));
	struct ph_list_sql			*s = malloc(sizeof(*s));
	struct ph_value			 v[A__MAX] = { 0 };
	struct ph_list_position			 next;
	char				 cursor[PH_SEALED_MAX], path[PH_TABLE_PATH_SIZE];
	enum ph_rc			 rc;

	if (q == NULL || s == NULL) {
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the list");
		goto out;
	}
	snprintf(path, sizeof(path), PH_EXPORT_PATH "%s", list->name);
	if ((rc = ph_table_elsewhere(req, PH_LIST_P_FORMAT, PH_EXPORT_LISTS, path, err)) != PH_DONE)
		goto out;
	if ((rc = ph_req_header(req, err, "Vary: Accept")) != PH_OK ||
	    (rc = ph_list_read(q, list, p, ph_req_args(req), ph_req_now_ms(req), err)) != PH_OK ||
	    (rc = ph_list_find_bound(db, q, s, err)) != PH_OK)
		goto out;
	ph_json_arr_open(out, "items");
	if ((rc = write_items(db, q, s, out, &next, err)) != PH_OK ||
	    (q->total < 0 && (rc = ph_list_find_total(db, q, s, err)) != PH_OK))
		goto out;
	ph_json_close(out);
	v[A_LIMIT] = ph_v_int(q->limit);
	v[A_NEXT_CURSOR] = ph_v_null();
	v[A_TOTAL] = ph_v_int(q->total);
	v[A_TOTAL_CAPPED] = ph_v_int(q->is_capped);
	if (next.is_set) {
		if ((rc = ph_list_make_cursor(q, &next, cursor, err)) != PH_OK ||
		    (rc = add_link(req, list->path, cursor, err)) != PH_OK)
			goto out;
		v[A_NEXT_CURSOR] = ph_v_str(cursor);
	}
	ph_json_fields(out, fields, v, A__MAX);
out:
	free(s);
	free(q);
	return rc;
}

/* The list of this program. */
static const struct ph_list	*own_list;
static struct ph_list_params	 own_params;
static struct ph_field		 own_fields[A__MAX] = {
	[A_ITEMS] = { .name = "items", .type = PH_ARRAY, .text = "The rows of the page. With fields= they have no others." },
	[A_LIMIT] = { .name = "limit", .text = "Rows of a page, as asked for." },
	[A_NEXT_CURSOR] = { .name = "next_cursor", .type = PH_TEXT, .is_nullable = 1,
	    .text = "cursor= of the next page; null: this is the last one. A page with a rare filter may be "
		"short, or empty, and have one: it goes on behind the rows that were looked at." },
	[A_TOTAL] = { .name = "total", .text = "Rows that the filters let through, as counted for the first page, "
	    "at most 10000." },
	[A_TOTAL_CAPPED] = { .name = "total_capped", .type = PH_BOOL,
	    .text = "Whether counting stopped at total and there may be more." },
};

static enum ph_rc
own_list_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return list_get(req, own_list, &own_params, own_fields, out, err);
}

int
ph_list_main(const struct ph_list *list, int argc, char **argv)
{
	struct ph_route route = {
		.name = list->route, .path = list->path, .needs = PH_NEED_DB_READ,
		.ops[PH_GET] = {
			.scope = list->scope, .summary = list->summary,
			.fields = own_fields, .nfields = A__MAX, .handle = own_list_get,
		},
	};

	own_list = list;
	ph_list_params(list, &own_params);
	own_fields[A_ITEMS].fields = list->fields;
	own_fields[A_ITEMS].nfields = list->nfields;
	route.ops[PH_GET].params = own_params.table;
	route.ops[PH_GET].nparams = own_params.n;
	return ph_endpoint_main(&route, argc, argv);
}
