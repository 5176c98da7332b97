/*
 * list-row.c -- a row of a list, from a statement to values and JSON.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "domain/list-query.h"

void
ph_list_row_free(struct ph_list_row *r)
{
	size_t i;

	for (i = 0; i < PH_LIST_COLUMNS_MAX; i++) {
		free(r->cut[i]);
		r->cut[i] = NULL;
	}
}

enum ph_rc
ph_list_row_read(struct ph_list_row *r, const struct ph_list *l, struct ph_stmt *st, int first, size_t text_max,
    struct ph_err *err)
{
	const char	*s;
	size_t		 i, len;

	ph_list_row_free(r);
	for (i = 0; i < l->nfields; i++) {
		const int col = first + (int)i;

		if (ph_stmt_is_null(st, col))
			r->values[i] = ph_v_null();
		else if (l->fields[i].type == PH_DECIMAL)
			r->values[i] = l->columns[i].den != 0 ?
			    ph_v_ratio(ph_stmt_int(st, col), l->columns[i].den) : ph_v_real(ph_stmt_double(st, col));
		else if (l->fields[i].type != PH_TEXT && l->fields[i].type != PH_ANY)
			r->values[i] = ph_v_int(ph_stmt_int(st, col));
		else {
			if ((s = ph_stmt_text(st, col)) == NULL)
				return ph_fail(err, PH_ENOMEM, "not enough memory for a text");
			len = strlen(s);
			if (text_max != 0 && len > text_max) {
				if ((r->cut[i] = strndup(s, ph_utf8_cut(s, len, text_max))) == NULL)
					return ph_fail(err, PH_ENOMEM, "not enough memory for a text");
				s = r->cut[i];
			}
			r->values[i] = ph_v_str(s);
		}
	}
	return PH_OK;
}

void
ph_list_row_write(const struct ph_list_row *r, const struct ph_list *l, uint64_t fields, struct ph_json *out)
{
	size_t i;

	for (i = 0; i < l->nfields; i++)
		if (fields >> i & 1)
			ph_json_fields(out, &l->fields[i], &r->values[i], 1);
}

enum ph_rc
ph_list_note_position(const struct ph_list_query *q, struct ph_stmt *st, struct ph_list_position *at,
    struct ph_err *err)
{
	const char *id = ph_stmt_text(st, 1);

	if (id == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for an id");
	at->is_set = 1;
	at->is_end = 0;
	at->num = ph_stmt_int(st, 0);
	at->real = ph_stmt_double(st, 0);
	if (snprintf(at->id, PH_LIST_ID_MAX + 1, "%s", id) > PH_LIST_ID_MAX && !q->is_descending)
		memcpy(at->id + PH_LIST_ID_MAX, "\xff", 2);
	return PH_OK;
}
