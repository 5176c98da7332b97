/*
 * product-breakdown.c -- how often each value of something occurs, the most frequent first: all that GET / has as a map or
 * as a list of 40, without that limit.
 */
#include "autoconf.h"

#include "domain/product.h"

enum { LIMIT_MAX = 100000 };

/* The index has this order. */
static const char sql_values[] =
	"SELECT k1, k2, n FROM roll_count WHERE dim = $1 AND n > 0 ORDER BY n DESC, k1, k2 LIMIT $2";
static const char sql_total[] = "SELECT coalesce(sum(n), 0), count(*) FROM roll_count WHERE dim = $1 AND n > 0";
static const char sql_weekdays[] =
	"SELECT (day + 3) % 7, sum(votes) AS n FROM roll_day WHERE votes > 0 GROUP BY 1 ORDER BY n DESC, 1";

enum { BROWSER, COUNTRY, COUNTRY_CITY, COUNTRY_REGION, DEVICE, ESTIMATION, EVENT, OS, ROOM, ROUTE, SOURCE, WEEKDAY, DIMS };
static const char *const dims[] = {
	[BROWSER] = "browser", [COUNTRY] = "country", [COUNTRY_CITY] = "country_city", [COUNTRY_REGION] = "country_region",
	[DEVICE] = "device", [ESTIMATION] = "estimation", [EVENT] = "event", [OS] = "os", [ROOM] = "room", [ROUTE] = "route",
	[SOURCE] = "source", [WEEKDAY] = "weekday", [DIMS] = NULL,
};
static const char *const weekdays[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" };

enum { P_BY = PH_PRODUCT_NPARAMS, P_LIMIT, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_PRODUCT_PARAMS,
	[P_BY] = { .name = "by", .type = PH_P_CHOICE, .choices = dims, .is_required = 1,
	    .text = "Users by browser, country, country_city, country_region, device, os; estimations by card (estimation); "
		"events; votes by room or weekday; page views by route or source." },
	[P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = LIMIT_MAX, .dflt = 100, .unit = "rows",
	    .text = "So many rows at most." },
};

enum { C_VALUE, C_SECOND, C_COUNT, C_SHARE, C__MAX };
static const struct ph_field columns[C__MAX] = {
	[C_VALUE] = { .name = "value", .type = PH_TEXT, .is_nullable = 1, .text = "The value; null: there is none." },
	[C_SECOND] = { .name = "second", .type = PH_TEXT, .is_nullable = 1,
	    .text = "Of a pair the second value, the city or the region; null: there is none." },
	[C_COUNT] = { .name = "count", .text = "How often it occurs." },
	[C_SHARE] = { .name = "share", .type = PH_DECIMAL, .places = 4, .unit = "ratio", .text = "Of the total." },
};
static const struct ph_field fields[] = {
	PH_PRODUCT_UPDATED,
	{ .name = "by", .type = PH_TEXT, .choices = dims, .text = "What the values are of." },
	{ .name = "total", .text = "All counts together, also of rows that are not listed." },
	{ .name = "values", .text = "How many values there are." },
	PH_PRODUCT_ITEMS(columns, C__MAX),
};

static int
chosen(const struct ph_product *p)
{
	return (int)p->args->values[P_BY].num;
}

static enum ph_rc
read_total(struct ph_product *p, int64_t *total, int64_t *nvalues, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*total = *nvalues = 0;
	if ((rc = ph_db_prepare(p->db, chosen(p) == WEEKDAY ? sql_weekdays : sql_total, &st, err)) != PH_OK)
		return rc;
	if (chosen(p) != WEEKDAY)
		ph_stmt_bind_text(st, 1, dims[chosen(p)]);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*total += ph_stmt_int(st, chosen(p) == WEEKDAY);
		*nvalues += chosen(p) == WEEKDAY ? 1 : ph_stmt_int(st, 1);
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
head(struct ph_product *p, struct ph_json *out, struct ph_err *err)
{
	int64_t		total, nvalues;
	enum ph_rc	rc;

	if ((rc = read_total(p, &total, &nvalues, err)) != PH_OK)
		return rc;
	ph_json_str(out, "by", dims[chosen(p)]);
	ph_json_int(out, "total", total);
	ph_json_int(out, "values", nvalues);
	return PH_OK;
}

static enum ph_rc
give_weekdays(struct ph_product *p, int64_t total, struct ph_rows *out, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc, given = PH_OK;

	if ((rc = ph_db_prepare(p->db, sql_weekdays, &st, err)) != PH_OK)
		return rc;
	while (given == PH_OK && (rc = ph_stmt_step(st, err)) == PH_ROW) {
		const int64_t		n = ph_stmt_int(st, 1);
		const struct ph_value	v[C__MAX] = { ph_v_str(weekdays[ph_stmt_int(st, 0) % 7]), ph_v_null(), ph_v_int(n),
		    ph_v_ratio(n, total) };

		given = ph_rows_give(out, v, err);
	}
	ph_stmt_done(st);
	return given != PH_OK ? given : rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
rows(struct ph_product *p, struct ph_rows *out, struct ph_err *err)
{
	int64_t		 total, nvalues;
	struct ph_stmt	*st;
	enum ph_rc	 rc, given = PH_OK;

	if ((rc = read_total(p, &total, &nvalues, err)) != PH_OK || chosen(p) == WEEKDAY)
		return rc == PH_OK ? give_weekdays(p, total, out, err) : rc;
	if ((rc = ph_db_prepare(p->db, sql_values, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, dims[chosen(p)]);
	ph_stmt_bind_int(st, 2, p->args->values[P_LIMIT].num);
	while (given == PH_OK && (rc = ph_stmt_step(st, err)) == PH_ROW) {
		const int		is_pair = chosen(p) == COUNTRY_CITY || chosen(p) == COUNTRY_REGION;
		const int64_t		n = ph_stmt_int(st, 2);
		/* A missing value is a blob. */
		const struct ph_value	v[C__MAX] = {
			[C_VALUE] = ph_stmt_is_blob(st, 0) ? ph_v_null() : ph_v_str(ph_stmt_text(st, 0)),
			[C_SECOND] = !is_pair || ph_stmt_is_blob(st, 1) ? ph_v_null() : ph_v_str(ph_stmt_text(st, 1)),
			[C_COUNT] = ph_v_int(n), [C_SHARE] = ph_v_ratio(n, total),
		};

		given = ph_rows_give(out, v, err);
	}
	ph_stmt_done(st);
	return given != PH_OK ? given : rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

const struct ph_product_table ph_table_breakdown = {
	.name = "breakdown", .params = params, .nparams = P__MAX, .fields = fields, .nfields = 5,
	.columns = columns, .ncolumns = C__MAX, .head = head, .rows = rows,
};
