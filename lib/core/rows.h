/*
 * rows.h -- rows that one function gives, for the array of a JSON answer and for a file alike.
 */
#ifndef PH_ROWS_H
#define PH_ROWS_H

#include <stddef.h>

#include "core/error.h"
#include "core/json.h"

struct ph_table;

/* Where rows go: as objects into the open array of out, or, where out is NULL, into a table. */
struct ph_rows {
	struct ph_json		*out;
	struct ph_table		*table;
	const struct ph_field	*fields;
	size_t			 nfields;
};

enum ph_rc	ph_rows_give(struct ph_rows *, const struct ph_value *, struct ph_err *);

#endif
