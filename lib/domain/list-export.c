/*
 * list-export.c -- a list as a file, page by page.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/table-xlsx.h"
#include "domain/list-query.h"

enum {
	EXPORT_PAGE = 1000,		/* rows read in one transaction of an export */
	EXPORT_WAITING = 65536		/* bytes of them that wait to be sent, about */
};

static enum ph_rc
fail_size(int64_t rows_max, struct ph_err *err)
{
	return ph_fail(err, PH_EEXPORTTOOBIG, "there are more than %" PRId64 " rows: narrow them with from and to%s",
	    rows_max, rows_max <= PH_XLSX_ROWS_MAX ? ", or ask for csv" : "");
}

/* PH_EEXPORTTOOBIG if it can be seen at once that there are more than rows_max rows. */
static enum ph_rc
check_size(struct ph_db *db, const struct ph_list_query *q, struct ph_list_sql *s, int64_t rows_max,
    struct ph_err *err)
{
	struct ph_list_position	n = { 0 };
	enum ph_rc	rc;

	s->len = 0;
	ph_list_add(s, "SELECT max(rowid) FROM %s", q->list->table);
	if ((rc = ph_list_first_row(db, s, q, PH_LIST_FROM_START, 0, &n, err)) != PH_ROW)
		return rc == PH_DONE ? PH_OK : rc;
	if (n.num <= rows_max || q->tests_rows)
		return PH_OK;
	s->len = 0;
	ph_list_add_arms(s, q, "1", PH_LIST_FROM_START, 0);
	ph_list_add(s, " LIMIT 1 OFFSET $6");
	if ((rc = ph_list_first_row(db, s, q, PH_LIST_FROM_START, rows_max, &n, err)) == PH_ROW)
		return fail_size(rows_max, err);
	return rc == PH_DONE ? PH_OK : rc;
}

/* One page of rows into the table; *left are those that are still wanted.  The position of the last
 * one to q->after; PH_DONE when there are no more. */
static enum ph_rc
export_page(struct ph_db *db, struct ph_list_query *q, struct ph_list_sql *s, struct ph_table *table,
    const size_t *shown, size_t nshown, int64_t *left, struct ph_err *err)
{
	const int64_t	 limit = *left < EXPORT_PAGE ? *left : EXPORT_PAGE;
	struct ph_list_position	 last = q->after;
	struct ph_value	 values[PH_LIST_COLUMNS_MAX];
	struct ph_list_row	 row = { 0 };
	struct ph_stmt	*st;
	int64_t		 n = 0;
	enum ph_rc	 rc;
	size_t		 i;
	int		 is_end;

	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	ph_list_bind(st, s->text, q, PH_LIST_FROM_CURSOR);
	ph_stmt_bind_int(st, PH_LIST_B_LIMIT, limit);
	ph_stmt_bind_int(st, PH_LIST_B_OFFSET, q->offset);
	while (ph_table_waiting(table) < EXPORT_WAITING && (rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((rc = ph_list_row_read(&row, q->list, st, 2, 0, err)) != PH_OK)
			break;
		for (i = 0; i < nshown; i++)
			values[i] = row.values[shown[i]];
		if ((rc = ph_table_row(table, values, err)) != PH_OK ||
		    (rc = ph_list_note_position(q, st, &last, err)) != PH_OK)
			break;
		n++;
	}
	ph_list_row_free(&row);
	ph_stmt_done(st);
	if (rc != PH_OK && rc != PH_DONE)	/* PH_OK: enough waits to be sent */
		return rc;
	*left -= n;
	is_end = rc == PH_DONE && n < limit;
	if ((rc = ph_list_use_offset(db, q, s, n, err)) != PH_OK)
		return rc;
	if (is_end && !q->bound.is_set)
		return PH_DONE;
	q->after = is_end ? q->bound : last;
	return PH_OK;
}

/* All pages.  Statements are prepared twice: for the first page, which has no cursor, and the others;
 * with rows to be tested for each page, because each has its bound. */
static enum ph_rc
export_pages(struct ph_req *req, struct ph_list_query *q, struct ph_list_sql *s, struct ph_table *table,
    const size_t *shown, size_t nshown, int64_t *left, struct ph_err *err)
{
	struct ph_db	*db = ph_req_db(req);
	int		 was_after = -1;
	enum ph_rc	 rc = PH_OK;

	while (rc == PH_OK && *left > 0) {
		const int is_after = q->after.is_set ? 1 + q->after.is_end : 0;

		if (q->tests_rows || is_after != was_after) {
			ph_db_forget(db, s->text);
			if ((rc = ph_list_find_bound(db, q, s, err)) != PH_OK)
				break;
			s->len = 0;
			ph_list_add_page(s, q);
			was_after = is_after;
		}
		if ((rc = export_page(db, q, s, table, shown, nshown, left, err)) != PH_OK)
			break;
		/* Whoever reads slowly holds no snapshot. */
		ph_db_end(db);
		if ((rc = ph_table_send(table, err)) == PH_OK)
			rc = ph_db_begin(db, err);
	}
	ph_db_forget(db, s->text);
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_list_export(struct ph_req *req, const struct ph_list *list, const struct ph_list_params *p,
    const struct ph_args *args, struct ph_table_options options, int64_t rows_max, struct ph_err *err)
{
	const int	 has_limit = args->values[PH_LIST_P_LIMIT].is_set;
	struct ph_list_query	*q = malloc(sizeof(*q));
	struct ph_list_sql	*s = malloc(sizeof(*s));
	struct ph_table	*table = NULL;
	struct ph_field	 fields[PH_LIST_COLUMNS_MAX];
	size_t		 shown[PH_LIST_COLUMNS_MAX], n = 0, i;
	int64_t		 left;
	enum ph_rc	 rc;

	if (q == NULL || s == NULL) {
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the export");
		goto out;
	}
	if ((rc = ph_list_read(q, list, p, args, ph_req_now_ms(req), err)) != PH_OK ||
	    (!has_limit && (rc = check_size(ph_req_db(req), q, s, rows_max, err)) != PH_OK))
		goto out;
	for (i = 0; i < list->nfields; i++)
		if (q->fields >> i & 1) {
			shown[n] = i;
			fields[n++] = list->fields[i];
		}
	ph_table_read_options(&options, args, PH_LIST_P_TABLE);
	options.name = list->name;
	options.time_style = (enum ph_time_style)args->values[PH_LIST_P_TIME].num;
	if ((table = ph_table_new(req, &options, fields, n, err)) == NULL) {
		rc = err->rc;
		goto out;
	}
	left = has_limit ? q->limit : rows_max + 1;
	if (ph_table_wants_rows(table) &&
	    (rc = export_pages(req, q, s, table, shown, n, &left, err)) == PH_OK && left == 0 && !has_limit)
		rc = fail_size(rows_max, err);
	if (rc == PH_OK)
		rc = ph_table_finish(table, err);
out:
	ph_table_free(table);
	free(s);
	free(q);
	return rc;
}
