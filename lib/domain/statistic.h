/*
 * statistic.h -- the publishing statistics: what each is called, the fields it has, and the
 * function that reads it.  Whatever shows a figure reads it here, so that all show the same.
 *
 * Each is one file, lib/domain/stat-NAME.c.  Reading one costs the same at any size of the data
 * (stats.h); with a filter, what filtered.h says.
 */
#ifndef PH_STATISTIC_H
#define PH_STATISTIC_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/json.h"
#include "core/request.h"
#include "domain/filter.h"

struct ph_stat_query {
	struct ph_db	*db;		/* inside a transaction */
	int64_t		 now_ms;
	int64_t		 tz_offset_min;	/* east of UTC; moves the midnight that begins "today" */
	const struct ph_filter *filter;	/* NULL: none */
};

/* Fill the open object with the fields, the extended ones if ph_json_is_extended().  After a
 * failure the object may be half filled and still open: the writer is good for nothing but
 * ph_json_free(). */
typedef enum ph_rc ph_statistic_fn(const struct ph_stat_query *, struct ph_json *out, struct ph_err *);

struct ph_statistic {
	const char		*name;		/* "queue", as in its path */
	const char		*description;	/* what a filter selects */
	const struct ph_field	*fields;
	size_t			 nfields;
	ph_statistic_fn		*write;
};

extern const struct ph_statistic	ph_stat_overview;
extern const struct ph_statistic	ph_stat_queue;
extern const struct ph_statistic	ph_stat_orchestrator;	/* reads PH_QUEUE_CAPACITY */
extern const struct ph_statistic	ph_stat_platforms;
extern const struct ph_statistic	ph_stat_campaigns;

/* All of them in that order, NULL-terminated. */
extern const struct ph_statistic *const	ph_statistics[];

/* -- as endpoints -------------------------------------------------------------- */

/* The parameters that each of their routes has, in this order.  A route is made inside main(),
 * because its .fields and .nfields, taken from the statistic, are no constant expressions. */
enum {
	PH_STATISTIC_INCLUDE, PH_STATISTIC_TIME, PH_STATISTIC_TZ_OFFSET, PH_STATISTIC_FILTER,
	PH_STATISTIC_FORMAT = PH_STATISTIC_FILTER + PH_FILTER_NPARAMS, PH_STATISTIC_NPARAMS
};
extern const struct ph_param ph_statistic_params[PH_STATISTIC_NPARAMS];

/* The statistic, for a request to a route with these parameters. */
struct ph_req;
enum ph_rc	ph_statistic_get(struct ph_req *, const struct ph_statistic *, struct ph_json *out,
		    struct ph_err *);

#endif
