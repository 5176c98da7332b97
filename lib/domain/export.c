/*
 * export.c -- names of files, and the parameters of what is in them.
 */
#include "autoconf.h"

#include <string.h>

#include "domain/export.h"

enum ph_table_format
ph_export_format(const char *file, size_t *len)
{
	const char		*dot = strrchr(file, '.');
	enum ph_table_format	 f;

	*len = 0;
	if (dot == NULL)
		return PH_TABLE_JSON;
	for (f = PH_TABLE_CSV; f < PH_TABLE__MAX; f++)
		if (strcmp(ph_table_formats[f], dot + 1) == 0) {
			*len = (size_t)(dot - file);
			return f;
		}
	return PH_TABLE_JSON;
}

int
ph_export_is(const char *dataset, const char *file, size_t len)
{
	return strlen(dataset) == len && strncmp(dataset, file, len) == 0;
}

enum ph_rc
ph_export_args(const struct ph_req *req, struct ph_args *args, const struct ph_param *table, size_t n,
    struct ph_err *err)
{
	const char	*query = ph_req_env(req, "QUERY_STRING");
	enum ph_rc	 rc;

	ph_args_init(args, table, n);
	rc = ph_args_query(args, query != NULL ? query : "", query != NULL ? strlen(query) : 0, table, n,
	    ph_req_now_ms(req), err);
	return rc == PH_OK ? ph_args_finish(args, "", table, n, err) : rc;
}
