/*
 * product-series.c -- the series of GET / as tables, with the averages of a week, from a day to a day.
 */
#include "autoconf.h"

#include "domain/product.h"

enum { P_FROM = PH_PRODUCT_NPARAMS, P_TO, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_PRODUCT_PARAMS,
	[P_FROM] = PH_PARAM_DAY("from", "The first day, in UTC; START unless given. Sums and averages begin at START all the same."),
	[P_TO] = PH_PARAM_DAY("to", "The last day, in UTC; today unless given."),
};

struct window {
	int64_t		 first, last;
	struct ph_rows	*rows;
};

static enum ph_rc
read_window(struct ph_product *p, struct ph_rows *rows, struct window *w, struct ph_err *err)
{
	*w = (struct window){ ph_product_day(p, P_FROM, p->start_day), ph_product_day(p, P_TO, p->today), rows };
	return w->first <= w->last || !p->args->values[P_FROM].is_set ? PH_OK : ph_fail_param(err, "from", 4, "is behind to");
}

/* -- historical ----------------------------------------------------------------------- */

#define METRIC(m, what) PH_METRIC_FIELDS(m, what), \
	{ .name = "ma7_" m, .type = PH_DECIMAL, .places = 2, .is_nullable = 1, \
	    .text = what " a day, mean of the last 7 workdays; null while there are fewer." }
enum { H__MAX = 1 + 4 * PH_METRICS };
static const struct ph_field historical_columns[H__MAX] = {
	{ .name = "date", .type = PH_TEXT, .text = "The workday." },
	METRIC("new_users", "Users created"), METRIC("page_views", "Page views"), METRIC("rooms", "Rooms first used"),
	METRIC("estimations", "Estimations"), METRIC("votes", "Votes"),
};
static const struct ph_field historical_fields[] = {
	PH_PRODUCT_UPDATED, PH_PRODUCT_ITEMS(historical_columns, H__MAX),
};

static struct ph_value
mean(int64_t sum, int n)
{
	return sum < 0 ? ph_v_null() : ph_v_mean(sum, n, 1, 2);
}

static enum ph_rc
give_workday(void *arg, const struct ph_workday *w, struct ph_err *err)
{
	const struct window	*window = arg;
	char			 day[PH_DAY_SIZE];
	struct ph_value		 v[H__MAX] = { ph_v_str(ph_day_text(day, w->day)) };
	int			 m;

	if (w->day < window->first || w->day > window->last)
		return PH_OK;
	for (m = 0; m < PH_METRICS; m++) {
		v[1 + 4 * m] = ph_v_int(w->n[m]);
		v[2 + 4 * m] = ph_v_int(w->all[m]);
		v[3 + 4 * m] = mean(w->last30[m], PH_MEAN_ROWS);
		v[4 + 4 * m] = mean(w->last7[m], PH_WEEK_ROWS);
	}
	return ph_rows_give(window->rows, v, err);
}

static enum ph_rc
historical_rows(struct ph_product *p, struct ph_rows *rows, struct ph_err *err)
{
	struct window	w;
	enum ph_rc	rc;

	return (rc = read_window(p, rows, &w, err)) == PH_OK ? ph_each_workday(p, give_workday, &w, err) : rc;
}

const struct ph_product_table ph_table_historical = {
	.name = "historical", .params = params, .nparams = P__MAX,
	.fields = historical_fields, .nfields = 2, .columns = historical_columns, .ncolumns = H__MAX,
	.rows = historical_rows,
};

/* -- reoccurring ---------------------------------------------------------------------- */

static const struct ph_field reoccurring_fields[] = {
	PH_PRODUCT_UPDATED, PH_PRODUCT_ITEMS(ph_returning_fields, PH_RETURNING_NFIELDS),
};

static enum ph_rc
give_returning(void *arg, const struct ph_returning *r, struct ph_err *err)
{
	const struct window	*window = arg;
	char			 day[PH_DAY_SIZE];
	struct ph_value		 v[PH_RETURNING_NFIELDS];

	ph_returning_values(r, day, v);
	return r->day < window->first || r->day > window->last ? PH_OK : ph_rows_give(window->rows, v, err);
}

static enum ph_rc
reoccurring_rows(struct ph_product *p, struct ph_rows *rows, struct ph_err *err)
{
	struct window	w;
	enum ph_rc	rc;

	return (rc = read_window(p, rows, &w, err)) == PH_OK ? ph_each_returning(p, give_returning, &w, err) : rc;
}

const struct ph_product_table ph_table_reoccurring = {
	.name = "reoccurring", .params = params, .nparams = P__MAX,
	.fields = reoccurring_fields, .nfields = 2, .columns = ph_returning_fields, .ncolumns = PH_RETURNING_NFIELDS,
	.rows = reoccurring_rows,
};
