/*
 * product-compare.c -- the metrics of some days beside those of as many days before.
 *
 * All days of the calendar, weekends too; the last one is yesterday unless asked for otherwise, because today is not over.
 */
#include "autoconf.h"

#include "domain/product.h"

enum { P_DAYS = PH_PRODUCT_NPARAMS, P_TO, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_PRODUCT_PARAMS,
	[P_DAYS] = { .name = "days", .type = PH_P_INT, .min = 1, .max = 3660, .dflt = 30, .unit = "days",
	    .text = "The length of each of the two periods." },
	[P_TO] = PH_PARAM_DAY("to", "The last day of the later one, in UTC; yesterday unless given."),
};

enum { C_METRIC, C_NOW, C_BEFORE, C_CHANGE, C__MAX };
static const struct ph_field columns[C__MAX] = {
	[C_METRIC] = { .name = "metric", .type = PH_TEXT, .choices = ph_metric_names, .text = "What is counted, as in historical." },
	[C_NOW] = { .name = "now", .text = "In the later period." },
	[C_BEFORE] = { .name = "before", .text = "In the earlier one." },
	[C_CHANGE] = { .name = "change", .type = PH_DECIMAL, .places = 4, .is_nullable = 1, .unit = "ratio",
	    .text = "(now - before) / before; null: there was nothing before." },
};
static const struct ph_field fields[] = {
	PH_PRODUCT_UPDATED,
	{ .name = "from", .type = PH_TEXT, .text = "The first day of the later period." },
	{ .name = "to", .type = PH_TEXT, .text = "Its last day." },
	{ .name = "before_from", .type = PH_TEXT, .text = "The first day of the earlier one." },
	{ .name = "before_to", .type = PH_TEXT, .text = "Its last day." },
	PH_PRODUCT_ITEMS(columns, C__MAX),
};

/* The two periods: first and last day of each. */
struct periods { int64_t from, to, before_from, before_to; };

static struct periods
read_periods(const struct ph_product *p)
{
	const int64_t	to = ph_product_day(p, P_TO, p->today - 1), days = p->args->values[P_DAYS].num;

	return (struct periods){ to - days + 1, to, to - 2 * days + 1, to - days };
}

static enum ph_rc
head(struct ph_product *p, struct ph_json *out, struct ph_err *err)
{
	const struct periods	w = read_periods(p);
	char			day[PH_DAY_SIZE];

	if (w.before_from < 0)
		return ph_fail_param(err, "days", 4, "reach back behind 1970");
	ph_json_str(out, "from", ph_day_text(day, w.from));
	ph_json_str(out, "to", ph_day_text(day, w.to));
	ph_json_str(out, "before_from", ph_day_text(day, w.before_from));
	ph_json_str(out, "before_to", ph_day_text(day, w.before_to));
	return PH_OK;
}

static enum ph_rc
rows(struct ph_product *p, struct ph_rows *out, struct ph_err *err)
{
	const struct periods	w = read_periods(p);
	int64_t			now[PH_METRICS], before[PH_METRICS];
	enum ph_rc		rc;
	int			m;

	if ((rc = ph_days_total(p, w.from, w.to, now, err)) != PH_OK ||
	    (rc = ph_days_total(p, w.before_from, w.before_to, before, err)) != PH_OK)
		return rc;
	for (m = 0; m < PH_METRICS && rc == PH_OK; m++) {
		const struct ph_value v[C__MAX] = { ph_v_str(ph_metric_names[m]), ph_v_int(now[m]), ph_v_int(before[m]),
		    ph_v_ratio(now[m] - before[m], before[m]) };

		rc = ph_rows_give(out, v, err);
	}
	return rc;
}

const struct ph_product_table ph_table_compare = {
	.name = "compare", .params = params, .nparams = P__MAX, .fields = fields, .nfields = 6,
	.columns = columns, .ncolumns = C__MAX, .head = head, .rows = rows,
};
