/*
 * downloads-compare.c -- a window beside the one before it.
 */
#include "autoconf.h"

#include "domain/downloads.h"

static const char *const windows[] = { "7d", "30d", "all", NULL };
enum { WEEK, MONTH, ALL };

enum { P_WINDOW = PH_VIEW_NPARAMS, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_VIEW_PARAMS,
	[P_WINDOW] = { .name = "window", .type = PH_P_CHOICE, .choices = windows,
	    .text = "7d: the last two weeks that OP3 counted. 30d: the last 30 days and the 30 before. all: the first figure alone." },
};

enum { C_WINDOW, C_CURRENT, C_PREVIOUS, C_CHANGE, C_PCT, C__MAX };
#define COLUMNS \
	{ .name = "window", .type = PH_TEXT, .choices = windows, .text = "What is compared." }, \
	{ .name = "current", .is_nullable = 1, .text = "Downloads in the window; null: unknown." }, \
	{ .name = "previous", .is_nullable = 1, .text = "Downloads in the one before it; null: unknown, or there is none." }, \
	{ .name = "change", .type = PH_INTEGER, .is_nullable = 1, .text = "current less previous." }, \
	{ .name = "change_pct", .type = PH_DECIMAL, .places = 1, .is_nullable = 1, .unit = "%", \
	    .text = "The same in percent of previous; null if that is 0 or unknown." }
static const struct ph_field columns[C__MAX] = { COLUMNS };
static const struct ph_field fields[] = { PH_VIEW_FIELDS, COLUMNS };

static enum ph_rc
read_windows(const struct ph_downloads *d, int64_t *current, int64_t *previous, struct ph_err *err)
{
	const struct ph_op3_counts	*c = &d->show->counts;
	enum ph_rc			 rc;

	*current = *previous = -1;
	switch (d->args->values[P_WINDOW].num) {
	case WEEK:
		if (ph_downloads_has_counts(d) && c->nweekly > 0)
			*current = c->weekly[c->nweekly - 1];
		if (*current >= 0 && c->nweekly > 1 && c->num_weeks >= 2)
			*previous = c->weekly[c->nweekly - 2];
		return PH_OK;
	case MONTH:
		if ((rc = ph_days_sum(d, NULL, ph_days_last(d, 30, 0), current, err)) != PH_OK)
			return rc;
		return ph_days_sum(d, NULL, ph_days_last(d, 30, 30), previous, err);
	default:
		return ph_days_all(d, NULL, current, err);
	}
}

static enum ph_rc
read_row(const struct ph_downloads *d, struct ph_value v[C__MAX], struct ph_err *err)
{
	int64_t		current, previous;
	enum ph_rc	rc;

	if ((rc = read_windows(d, &current, &previous, err)) != PH_OK)
		return rc;
	v[C_WINDOW] = ph_v_str(windows[d->args->values[P_WINDOW].num]);
	v[C_CURRENT] = ph_v_known(current);
	v[C_PREVIOUS] = ph_v_known(previous);
	v[C_CHANGE] = current >= 0 && previous >= 0 ? ph_v_int(current - previous) : ph_v_null();
	v[C_PCT] = current >= 0 && previous > 0 ? ph_v_ratio((ph_int128)(current - previous) * 100, previous) : ph_v_null();
	return PH_OK;
}

static enum ph_rc
compare_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	const int	is_week = d->args->values[P_WINDOW].num == WEEK;
	struct ph_value	v[C__MAX];
	enum ph_rc	rc;

	if ((rc = read_row(d, v, err)) != PH_OK)
		return rc;
	ph_view_common(d, is_week, !is_week, out);
	ph_json_fields(out, columns, v, C__MAX);
	return PH_OK;
}

static enum ph_rc
compare_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	struct ph_value	v[C__MAX];
	enum ph_rc	rc;

	return (rc = read_row(d, v, err)) == PH_OK ? ph_rows_give(sink, v, err) : rc;
}

const struct ph_view ph_view_compare = {
	.name = "compare", .params = params, .nparams = P__MAX, .refresh = ph_shows_refresh_for,
	.fields = fields, .nfields = sizeof(fields) / sizeof(fields[0]), .columns = columns, .ncolumns = C__MAX,
	.write = compare_write, .rows = compare_rows,
};
