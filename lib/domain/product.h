/*
 * product.h -- product analytics, read from the read model (readmodel.h): the answer of GET /, and the tables of
 * /analytics/.
 *
 * Days and weeks are counted as in analytics.sql, in UTC.  START is the model's.  A series is the workdays from START to
 * today, in their order; what was on other days is in none of its sums.  Means are rounded as ph_round() does.
 */
#ifndef PH_PRODUCT_H
#define PH_PRODUCT_H

#include <stdint.h>

#include "core/clock.h"
#include "core/endpoint.h"
#include "core/json.h"
#include "core/rows.h"
#include "core/table.h"
#include "domain/readmodel.h"

/* What is read from; inside a reading transaction on the model. */
struct ph_product {
	struct ph_db		*db;
	const struct ph_args	*args;		/* of a table's parameters; NULL: none */
	int64_t			 now_ms;
	int64_t			 start_day;	/* START */
	int64_t			 today;		/* of now_ms */
	char			 updated_at[PH_MODEL_TEXT_SIZE];	/* last_success_at; "": never */
};
enum ph_rc	ph_product_open(struct ph_product *, struct ph_db *, int64_t now_ms, struct ph_err *);

/* -- series --------------------------------------------------------------------------- */

enum ph_metric_id { PH_NEW_USERS, PH_PAGE_VIEWS, PH_ROOMS, PH_ESTIMATIONS, PH_VOTES, PH_METRICS };
extern const char *const ph_metric_names[];	/* new_users ...; NULL */

enum { PH_MEAN_ROWS = 30, PH_WEEK_ROWS = 7 };	/* of moving averages */

/* A workday: the rows of that day, the sum over the listed days so far, and over the last 30 and 7 of them; -1 as long as
 * there are not as many. */
struct ph_workday {
	int64_t	day;
	int64_t	n[PH_METRICS], all[PH_METRICS], last30[PH_METRICS], last7[PH_METRICS];
};
typedef enum ph_rc ph_workday_fn(void *arg, const struct ph_workday *, struct ph_err *);
enum ph_rc	ph_each_workday(const struct ph_product *, ph_workday_fn *, void *arg, struct ph_err *);

/* How many users and rooms had come back by a workday: ever, and so that their last active day is at most 30 days ago. */
struct ph_returning { int64_t day, users, rooms, users30, rooms30; };
typedef enum ph_rc ph_returning_fn(void *arg, const struct ph_returning *, struct ph_err *);
enum ph_rc	ph_each_returning(const struct ph_product *, ph_returning_fn *, void *arg, struct ph_err *);

/* Their fields: those of a metric, and all of a returning one. */
#define PH_METRIC_FIELDS(m, what) { .name = m, .text = what " of that day." }, \
	{ .name = "acc_" m, .text = what " of all workdays from START to it." }, \
	{ .name = "ma_" m, .type = PH_DECIMAL, .places = 2, .is_nullable = 1, \
	    .text = what " a day, mean of the last 30 workdays; null while there are fewer." }
enum { PH_RETURNING_NFIELDS = 5 };
extern const struct ph_field	ph_returning_fields[PH_RETURNING_NFIELDS];
/* Values for them; day is room for a text that one of them borrows. */
void		ph_returning_values(const struct ph_returning *, char day[PH_DAY_SIZE],
		    struct ph_value v[PH_RETURNING_NFIELDS]);

/* Rows of each metric on all days from first to last, both included. */
enum ph_rc	ph_days_total(const struct ph_product *, int64_t first, int64_t last, int64_t n[PH_METRICS], struct ph_err *);

/* sum / n / divisor, rounded as ph_round() does; 0 where n is 0.  The divisions stand in this order. */
struct ph_value	ph_v_mean(int64_t sum, int64_t n, double divisor, int places);

char		*ph_day_text(char buf[PH_DAY_SIZE], int64_t day);	/* YYYY-MM-DD; returns buf */

/* -- GET / ---------------------------------------------------------------------------- */

enum { PH_OVERVIEW_NFIELDS = 6 };
extern const struct ph_field	ph_overview_fields[PH_OVERVIEW_NFIELDS];	/* of data */
/* Fill the open object. */
enum ph_rc	ph_overview_write(const struct ph_product *, struct ph_json *, struct ph_err *);

/* -- tables --------------------------------------------------------------------------- */

struct ph_product_table {
	const char		*name;		/* as in /analytics/NAME and in the name of a file */
	const struct ph_param	*params;	/* begins with PH_PRODUCT_PARAMS */
	size_t			 nparams;
	const struct ph_field	*fields;	/* of the answer; begins and ends with PH_PRODUCT_FIELDS */
	size_t			 nfields;
	const struct ph_field	*columns;	/* of a row */
	size_t			 ncolumns;
	/* Further members ahead of the rows; NULL: none. */
	enum ph_rc		(*head)(struct ph_product *, struct ph_json *, struct ph_err *);
	enum ph_rc		(*rows)(struct ph_product *, struct ph_rows *, struct ph_err *);
};

extern const struct ph_product_table	ph_table_breakdown, ph_table_cohorts, ph_table_compare, ph_table_historical,
    ph_table_reoccurring, ph_table_product_rooms;
extern const struct ph_product_table *const	ph_product_tables[];	/* all; then NULL: product-all.c */

#define PH_PRODUCT_PATH		"/analytics/"
#define PH_PRODUCT_PROGRAM	"analytics-export"	/* that gives files */
#define PH_PRODUCT_SCOPE	"analytics:read"

enum { PH_PRODUCT_FORMAT, PH_PRODUCT_NPARAMS };
#define PH_PRODUCT_PARAMS	[PH_PRODUCT_FORMAT] = PH_PARAM_FORMAT_OF(PH_PRODUCT_SCOPE)
#define PH_PRODUCT_UPDATED \
	{ .name = "data_updated_at", .type = PH_TEXT, .is_nullable = 1, \
	    .text = "The end of the last synchronisation without any error (RFC 3339, UTC); null: there was none." }
#define PH_PRODUCT_ITEMS(columns, n) \
	{ .name = "items", .type = PH_ARRAY, .fields = (columns), .nfields = (n), .text = "The rows." }

/* The answer to a GET of the table's path. */
enum ph_rc	ph_product_get(struct ph_req *, const struct ph_product_table *, struct ph_json *, struct ph_err *);
/* The same as a file, for the program of exports. */
enum ph_rc	ph_product_export(struct ph_req *, const struct ph_product_table *, const struct ph_args *,
		    struct ph_table_options, struct ph_err *);

/* A parameter that names a day: its number, or dflt where it is not given. */
int64_t		ph_product_day(const struct ph_product *, size_t param, int64_t dflt);
#define PH_PARAM_DAY(name_, text_) { .name = name_, .type = PH_P_INSTANT, .unit = "day", .text = text_ }

#endif
