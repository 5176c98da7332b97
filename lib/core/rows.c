/*
 * rows.c -- rows to where they go.
 */
#include "autoconf.h"

#include "core/rows.h"
#include "core/table.h"

enum ph_rc
ph_rows_give(struct ph_rows *rows, const struct ph_value *values, struct ph_err *err)
{
	if (rows->out == NULL)
		return ph_table_wants_rows(rows->table) ? ph_table_row(rows->table, values, err) : PH_OK;
	ph_json_obj_open(rows->out, NULL);
	ph_json_fields(rows->out, rows->fields, values, rows->nfields);
	ph_json_close(rows->out);
	return PH_OK;
}
