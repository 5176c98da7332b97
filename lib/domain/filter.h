/*
 * filter.h -- which rows an answer is about: from, to, days_back and platform, the same for
 * statistics, lists, exports, history and streams.
 *
 * A route lists the four parameters in its table with PH_FILTER_PARAMS and reads them with
 * ph_filter_read().  Time is half-open: from <= t < to.
 *
 * A platform name is trimmed and ASCII lower-cased.  instagram, tiktok, youtube and facebook are
 * keys (publish_logs.platform_key); other stands for every name but the first three, facebook
 * included; any further name selects the rows of key other that are called so.
 */
#ifndef PH_FILTER_H
#define PH_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/request.h"

enum { PH_FILTER_FROM, PH_FILTER_TO, PH_FILTER_DAYS_BACK, PH_FILTER_PLATFORM, PH_FILTER_NPARAMS };

enum {
	PH_FILTER_DAYS_MAX = 365,	/* of days_back */
	PH_FILTER_NAME_MAX = 50		/* bytes of a platform name */
};

/*
 * The entries of a parameter table from index `first` on, for a query:
 *	enum { P_LIMIT, P_FILTER, P_SORT = P_FILTER + PH_FILTER_NPARAMS, P__MAX };
 *	params[P__MAX] = { [P_LIMIT] = ..., PH_FILTER_PARAMS(P_FILTER), [P_SORT] = ... };
 */
#define PH_FILTER_PARAMS(first) \
	[(first) + PH_FILTER_FROM] = { .name = "from", .type = PH_P_INSTANT, \
	    .text = "Only rows of that instant or later." }, \
	[(first) + PH_FILTER_TO] = { .name = "to", .type = PH_P_INSTANT, \
	    .text = "Only rows before that instant." }, \
	[(first) + PH_FILTER_DAYS_BACK] = { .name = "days_back", .type = PH_P_INT, .min = 1, \
	    .max = PH_FILTER_DAYS_MAX, .unit = "days", \
	    .text = "The same as from = now - days_back * 24 h; not together with from." }, \
	[(first) + PH_FILTER_PLATFORM] = { .name = "platform", .type = PH_P_NAMES, \
	    .max = PH_FILTER_NAME_MAX, \
	    .text = "Only rows of these platforms. other is every platform but instagram, tiktok and " \
		"youtube; facebook or any further name is matched trimmed and in lower case." }

/* The values of publish_logs.platform_key. */
enum ph_platform_key {
	PH_PLATFORM_INSTAGRAM, PH_PLATFORM_TIKTOK, PH_PLATFORM_YOUTUBE, PH_PLATFORM_OTHER,
	PH_PLATFORM_FACEBOOK, PH_PLATFORM__MAX
};
extern const char *const ph_platform_keys[PH_PLATFORM__MAX + 1];	/* their names; then NULL */

struct ph_filter {
	int64_t		from_ms, to_ms;		/* from <= t < to; absent: 0 and INT64_MAX */
	unsigned	has_time : 1;		/* from or to is given */
	unsigned	has_platform : 1;
	unsigned	keys;			/* 1 << key: every row of the key is selected; without
						 * has_platform all of them */
	size_t		nnames;			/* further names, distinct; none when keys has other */
	char		names[PH_NAMES_MAX][PH_FILTER_NAME_MAX + 1];
};

/* Nothing is filtered. */
void		ph_filter_init(struct ph_filter *);
int		ph_filter_is_off(const struct ph_filter *);	/* NULL is off */

/* From the four parameters at first in args.  PH_EPARAM names what contradicts: from >= to,
 * days_back together with from. */
enum ph_rc	ph_filter_read(struct ph_filter *, const struct ph_args *args, size_t first, int64_t now_ms,
		    struct ph_err *);

/*
 * Conditions of SQL statements.  The numbers $18 to $32 are theirs: ph_filter_bind_time() binds $18
 * and $19, ph_filter_bind_platform() the others, ph_filter_bind_names() the last eight of them, and a
 * statement has what it is bound (all or none of a group).  Without has_platform those of a
 * log are true, the others not.
 */
#define PH_FILTER_SQL_TIME(column) "(" column " >= $18 AND " column " < $19)"
/* The same for a filter without `to`, whose walk of an index so compares one value less for each row. */
#define PH_FILTER_SQL_SINCE(column) "(" column " >= $18 AND $19 = 9223372036854775807)"
#define PH_FILTER_SQL_KEYS "($20, $21, $22, $23, $24)"
#define PH_FILTER_SQL_NAMES "($25, $26, $27, $28, $29, $30, $31, $32)"
/* Of a publish log; log is an alias or the name of the table, with a + ahead if its indexes on the
 * platform should not tempt the planner. */
#define PH_FILTER_SQL_LOG(log) "(" log ".platform_key IN " PH_FILTER_SQL_KEYS " OR (" log \
	".platform_key = 'other' AND lower(trim(" log ".platform)) IN " PH_FILTER_SQL_NAMES "))"
/* Of a job.  One that names no platform belongs to none. */
#define PH_FILTER_SQL_JOB(job) "(" job ".params_platform IN " PH_FILTER_SQL_NAMES " OR CASE WHEN " job \
	".params_platform IN ('instagram', 'tiktok', 'youtube', 'facebook') THEN " job ".params_platform" \
	" WHEN " job ".params_platform IS NOT NULL THEN 'other' END IN " PH_FILTER_SQL_KEYS ")"
/* Of the clip with that id (an expression): it has a log that is, whenever it was requested. */
#define PH_FILTER_SQL_CLIP(id) "EXISTS (SELECT 1 FROM publish_logs AS of_clip WHERE of_clip.clip_id = " id \
	" AND " PH_FILTER_SQL_LOG("of_clip") ")"

void		ph_filter_bind_time(const struct ph_filter *, struct ph_stmt *);
/* The names are borrowed until ph_stmt_done(). */
void		ph_filter_bind_platform(const struct ph_filter *, struct ph_stmt *);
void		ph_filter_bind_names(const struct ph_filter *, struct ph_stmt *);

#endif
