/*
 * statistic.c -- a publishing statistic as the answer to a request.
 */
#include "autoconf.h"

#include <stdio.h>

#include "core/endpoint.h"
#include "core/table.h"
#include "domain/export.h"
#include "domain/statistic.h"

const struct ph_param ph_statistic_params[PH_STATISTIC_NPARAMS] = {
	[PH_STATISTIC_INCLUDE]   = PH_PARAM_INCLUDE,
	[PH_STATISTIC_TIME]      = PH_PARAM_TIME,
	[PH_STATISTIC_TZ_OFFSET] = { .name = "tz_offset", .type = PH_P_INT, .min = -720, .max = 840,
	    .unit = "minutes east of UTC", .text = "Shifts the midnight that begins \"today\"." },
	PH_FILTER_PARAMS(PH_STATISTIC_FILTER),
	[PH_STATISTIC_FORMAT]    = PH_PARAM_FORMAT,
};

enum ph_rc
ph_statistic_get(struct ph_req *req, const struct ph_statistic *statistic, struct ph_json *out,
    struct ph_err *err)
{
	struct ph_filter		filter;
	const struct ph_stat_query	q = {
		.db = ph_req_db(req),
		.now_ms = ph_req_now_ms(req),
		.tz_offset_min = ph_req_int(req, PH_STATISTIC_TZ_OFFSET),
		.filter = &filter,
	};
	char				path[PH_TABLE_PATH_SIZE];
	enum ph_rc			rc;

	snprintf(path, sizeof(path), PH_EXPORT_PATH "stats-%s", statistic->name);
	if ((rc = ph_table_elsewhere(req, PH_STATISTIC_FORMAT, PH_EXPORT_STATS, path, err)) != PH_DONE ||
	    (rc = ph_filter_read(&filter, ph_req_args(req), PH_STATISTIC_FILTER, q.now_ms, err)) != PH_OK)
		return rc;
	if (ph_filter_is_off(&filter))
		return statistic->write(&q, out, err);
	ph_db_map(q.db, 1);
	rc = statistic->write(&q, out, err);
	ph_db_map(q.db, 0);
	return rc;
}
