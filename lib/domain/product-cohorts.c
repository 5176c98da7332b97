/*
 * product-cohorts.c -- the users that were new in a week, and how many of them came back in the weeks behind it.
 *
 * A week is Monday to Sunday.  A user came back in a week with a page view or an estimation after START in it, on whatever
 * day.  The present week is not over.
 */
#include "autoconf.h"

#include "domain/product.h"

enum { WEEKS_MAX = 520, DAYS = 7 };

static const char sql_new[] =
	"SELECT coalesce(sum(new_users), 0) FROM roll_day WHERE day >= $1 AND day < $1 + 7";
static const char sql_active[] = "SELECT age, users FROM roll_cohort WHERE week = $1 AND age <= $2 ORDER BY age";

enum { P_WEEKS = PH_PRODUCT_NPARAMS, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_PRODUCT_PARAMS,
	[P_WEEKS] = { .name = "weeks", .type = PH_P_INT, .min = 1, .max = WEEKS_MAX, .dflt = 12, .unit = "weeks",
	    .text = "So many weeks of new users, the present one included; none before that of START." },
};

enum { C_WEEK, C_USERS, C_AGE, C_ACTIVE, C_RETENTION, C__MAX };
static const struct ph_field columns[C__MAX] = {
	[C_WEEK] = { .name = "week", .type = PH_TEXT, .text = "The Monday of the week in which the users were new." },
	[C_USERS] = { .name = "users", .text = "How many they are." },
	[C_AGE] = { .name = "age", .unit = "weeks", .text = "So many weeks later; 0 is the same week." },
	[C_ACTIVE] = { .name = "active", .text = "How many of them came in that week." },
	[C_RETENTION] = { .name = "retention", .type = PH_DECIMAL, .places = 4, .is_nullable = 1, .unit = "ratio",
	    .text = "active / users; null: there are no users." },
};
static const struct ph_field fields[] = { PH_PRODUCT_UPDATED, PH_PRODUCT_ITEMS(columns, C__MAX) };

static enum ph_rc
count_new(struct ph_product *p, int64_t week, int64_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(p->db, sql_new, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, week);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

/* One row for each age from 0 on, also where nobody came. */
static enum ph_rc
give_cohort(struct ph_product *p, int64_t week, int64_t age_max, struct ph_rows *out, struct ph_err *err)
{
	struct ph_stmt	*st;
	char		 day[PH_DAY_SIZE];
	int64_t		 users = 0, age, active;
	enum ph_rc	 rc, given = PH_OK;

	if ((rc = count_new(p, week, &users, err)) != PH_OK || (rc = ph_db_prepare(p->db, sql_active, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, week);
	ph_stmt_bind_int(st, 2, age_max);
	rc = ph_stmt_step(st, err);
	ph_day_text(day, week);
	for (age = 0; age <= age_max && (rc == PH_ROW || rc == PH_DONE) && given == PH_OK; age++) {
		active = 0;
		if (rc == PH_ROW && ph_stmt_int(st, 0) == age) {
			active = ph_stmt_int(st, 1);
			rc = ph_stmt_step(st, err);
		}

		const struct ph_value v[C__MAX] = { ph_v_str(day), ph_v_int(users), ph_v_int(age), ph_v_int(active),
		    ph_v_ratio(active, users) };

		given = ph_rows_give(out, v, err);
	}
	ph_stmt_done(st);
	return given != PH_OK ? given : rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static int64_t
week_of(int64_t day)
{
	return day - (day + 3) % DAYS;
}

static enum ph_rc
rows(struct ph_product *p, struct ph_rows *out, struct ph_err *err)
{
	const int64_t	last = week_of(p->today);
	int64_t		week = last - DAYS * (p->args->values[P_WEEKS].num - 1);
	enum ph_rc	rc = PH_OK;

	if (week < week_of(p->start_day))
		week = week_of(p->start_day);
	for (; week <= last && rc == PH_OK; week += DAYS)
		rc = give_cohort(p, week, (last - week) / DAYS, out, err);
	return rc;
}

const struct ph_product_table ph_table_cohorts = {
	.name = "cohorts", .params = params, .nparams = P__MAX, .fields = fields, .nfields = 2,
	.columns = columns, .ncolumns = C__MAX, .rows = rows,
};
