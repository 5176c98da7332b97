/*
 * table-xlsx.h -- a workbook, written row by row in constant memory (libxlsxwriter).
 *
 * By itself, because a program that never makes one should not carry the library: the struct of
 * functions is what such a program leaves out.
 */
#ifndef PH_TABLE_XLSX_H
#define PH_TABLE_XLSX_H

#include <stddef.h>

#include "core/error.h"
#include "core/json.h"

struct ph_req;
struct ph_xlsx;			/* opaque */

enum { PH_XLSX_ROWS_MAX = 200000, PH_XLSX_TEXT_MAX = 32767 };

#define PH_XLSX_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

struct ph_table_book {
	/* Caller frees.  NULL with err filled. */
	struct ph_xlsx	*(*new)(struct ph_err *);
	void		 (*free)(struct ph_xlsx *);	/* NULL is fine */
	/* Begin a sheet with a bold frozen row of names.  fields is borrowed.  The name is cut to what
	 * a sheet may be called.  Names differ. */
	enum ph_rc	 (*sheet)(struct ph_xlsx *, const char *name, const struct ph_field *fields,
			    size_t nfields, struct ph_err *);
	/* The next row of that sheet.  Texts are cut at PH_XLSX_TEXT_MAX.  PH_EEXPORTTOOBIG beyond
	 * PH_XLSX_ROWS_MAX rows. */
	enum ph_rc	 (*row)(struct ph_xlsx *, const struct ph_value *values, struct ph_err *);
	/* Finish the file and stream it. */
	enum ph_rc	 (*send)(struct ph_xlsx *, struct ph_req *, const char *filename, struct ph_err *);
};

extern const struct ph_table_book ph_table_xlsx;

#endif
