/*
 * export.h -- what the programs of exports share: a file is called DATASET.FORMAT, and takes the
 * parameters of its dataset.
 */
#ifndef PH_EXPORT_H
#define PH_EXPORT_H

#include <stddef.h>

#include "core/endpoint.h"
#include "core/table.h"

/* The programs: of lists, and of what is called stats-DATASET, for statistics and charts. */
#define PH_EXPORT_LISTS	"dashboard-export"
#define PH_EXPORT_STATS	"dashboard-export-stats"
#define PH_EXPORT_PATH	"/dashboard/export/"	/* of both */

enum { PH_EXPORT_NAME_MAX = 64, PH_EXPORT_DEADLINE_MS = 60000 };

/* The format of a file; *len: of the dataset's name before the dot.  PH_TABLE_JSON: it has none of ours. */
enum ph_table_format	ph_export_format(const char *file, size_t *len);
/* Is it the dataset whose name has so many bytes at the beginning of file? */
int			ph_export_is(const char *dataset, const char *file, size_t len);
/* The request's query against the parameters of the dataset. */
enum ph_rc		ph_export_args(const struct ph_req *, struct ph_args *, const struct ph_param *, size_t n,
			    struct ph_err *);

#endif
