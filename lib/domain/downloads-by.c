/*
 * downloads-by.c -- views by country, app and device, and the largest keys of a dimension for others.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "domain/downloads.h"

enum { SHARES_ADVANCED = 5, SHARE_PLACES = 4 };

static const char sql_keys[] =
	"SELECT key, sum(n) AS n FROM op3_daily WHERE podcast_id = $1 AND dim = $2 AND day >= $3 AND day <= $4"
	" GROUP BY key ORDER BY n DESC, key";
static const char sql_apps[] = "SELECT apps, apps_at FROM op3_shows WHERE podcast_id = $1 AND apps IS NOT NULL";

/* Sorted by code; made from Debian's iso-codes. */
struct country { const char *code, *name; };
static const struct country countries[] = {
#include "country-names.h"
};

static int
by_code(const void *code, const void *country)
{
	return strcmp(code, ((const struct country *)country)->code);
}

const char *
ph_country_name(const char *code)
{
	const struct country *c = bsearch(code, countries, sizeof(countries) / sizeof(countries[0]), sizeof(*c), by_code);

	return c != NULL ? c->name : strcmp(code, "XX") == 0 ? "Unknown" : NULL;
}

/* One key, as key, (name,) downloads, share. */
static enum ph_rc
give_key(struct ph_rows *sink, int is_country, const char *key, int64_t n, int64_t total, struct ph_err *err)
{
	const struct ph_value country[] = { ph_v_str(key), ph_v_str(ph_country_name(key)), ph_v_int(n), ph_v_ratio(n, total) };
	const struct ph_value other[] = { ph_v_str(key), ph_v_int(n), ph_v_ratio(n, total) };

	return ph_rows_give(sink, is_country ? country : other, err);
}

/* The statement over the keys of a window. */
static enum ph_rc
begin_keys(const struct ph_downloads *d, const char *dim, char days[2][PH_DAY_SIZE], struct ph_days w, struct ph_stmt **st,
    struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_prepare(d->db, sql_keys, st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(*st, 1, d->podcast.id);
	ph_stmt_bind_text(*st, 2, dim);
	ph_stmt_bind_text(*st, 3, ph_day_format(days[0], w.first_ms));
	ph_stmt_bind_text(*st, 4, ph_day_format(days[1], w.last_ms));
	return PH_OK;
}

enum { KEPT_MAX = 250 };
struct kept { char key[256]; int64_t n; };

enum ph_rc
ph_view_shares(struct ph_downloads *d, const char *dim, struct ph_days w, int64_t limit,
    struct ph_rows *sink, struct ph_err *err)
{
	const int	 is_country = strcmp(dim, "country") == 0;
	char		 days[2][PH_DAY_SIZE];
	struct kept	*kept;
	struct ph_stmt	*st;
	int64_t		 nkept = 0, i;
	enum ph_rc	 rc;

	d->shares.total = d->shares.other = 0;
	if (w.last_ms < 0 || limit == 0)
		return PH_OK;
	/* A share needs the total of all. */
	if ((kept = calloc(KEPT_MAX, sizeof(*kept))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the list");
	if ((rc = begin_keys(d, dim, days, w, &st, err)) != PH_OK)
		goto out;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		const int64_t n = ph_stmt_int(st, 1);

		d->shares.total += n;
		if (nkept < limit && nkept < KEPT_MAX) {
			snprintf(kept[nkept].key, sizeof(kept[nkept].key), "%s", ph_stmt_text(st, 0));
			kept[nkept++].n = n;
		} else
			d->shares.other += n;
	}
	ph_stmt_done(st);
	if (rc == PH_DONE)
		rc = PH_OK;
	for (i = 0; i < nkept && rc == PH_OK; i++)
		rc = give_key(sink, is_country, kept[i].key, kept[i].n, d->shares.total, err);
out:
	free(kept);
	return rc;
}

/* -- the three views ---------------------------------------------------------------- */

enum { P_DAYS = PH_VIEW_NPARAMS, P_LIMIT, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_VIEW_PARAMS,
	[P_DAYS] = PH_PARAM_VIEW_DAYS("The window, whole days up to as_of."),
	[P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = KEPT_MAX, .dflt = 20, .text = "At most so many items." },
};

#define NUMBERS \
	{ .name = "downloads", .text = "In the window." }, \
	{ .name = "share", .type = PH_DECIMAL, .places = SHARE_PLACES, .unit = "ratio", .text = "Of total." }
static const struct ph_field country_fields[] = {
	{ .name = "country", .type = PH_TEXT, .text = "ISO 3166-1 code; XX: unknown." },
	{ .name = "name", .type = PH_TEXT, .is_nullable = 1, .text = "Its English name; null: unknown." },
	NUMBERS
};
static const struct ph_field app_fields[] = { { .name = "app", .type = PH_TEXT, .text = "The app, as OP3 calls it." }, NUMBERS };
static const struct ph_field device_fields[] = {
	{ .name = "device", .type = PH_TEXT, .text = "The device, or its kind, as OP3 calls it; unknown: neither was told." }, NUMBERS
};

enum { F_PERIOD = PH_VIEW_NFIELDS, F_ITEMS, F_OTHER, F_TOTAL, F_RECENT };
#define FIELDS(columns, n) \
	PH_VIEW_FIELDS, \
	[F_PERIOD] = { .name = "period_days", .unit = "days", .text = "Length of the window." }, \
	[F_ITEMS] = { .name = "items", .type = PH_ARRAY, .fields = (columns), .nfields = (n), .text = "Most downloads first." }, \
	[F_OTHER] = { .name = "other", .is_nullable = 1, .text = "Downloads of what is behind them; null: unknown." }, \
	[F_TOTAL] = { .name = "total", .is_nullable = 1, .text = "Downloads of all; null: unknown." }
static const struct ph_field month_fields[] = {
	{ .name = "app", .type = PH_TEXT, .text = "The app." },
	{ .name = "downloads", .text = "Downloads by it." },
};
static const struct ph_field recent_fields[] = {
	{ .name = "fetched_at", .type = PH_TIME, .text = "When OP3 was asked." },
	{ .name = "items", .type = PH_ARRAY, .fields = month_fields, .nfields = 2, .text = "In OP3's order, most first." },
};
static const struct ph_field countries_fields[] = { FIELDS(country_fields, 4) };
static const struct ph_field apps_fields[] = {
	FIELDS(app_fields, 3),
	[F_RECENT] = { .name = "recent_months", .type = PH_OBJECT, .is_nullable = 1, .fields = recent_fields, .nfields = 2,
	    .text = "OP3's own count of this and the two months before; null: it was not asked yet." },
};
static const struct ph_field devices_fields[] = { FIELDS(device_fields, 3) };

static int64_t
limit(const struct ph_downloads *d)
{
	const int64_t n = d->args->values[P_LIMIT].num;

	return d->who.level == PH_LEVEL_FULL ? n : d->who.level == PH_LEVEL_BASIC ? 0 :
	    n < SHARES_ADVANCED ? n : SHARES_ADVANCED;
}

static struct ph_days
window(const struct ph_downloads *d)
{
	return ph_days_known(d, ph_days_last(d, d->args->values[P_DAYS].num, 0));
}

static enum ph_rc
country_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	return ph_view_shares(d, "country", window(d), limit(d), sink, err);
}

static enum ph_rc
app_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	return ph_view_shares(d, "app", window(d), limit(d), sink, err);
}

static enum ph_rc
device_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	return ph_view_shares(d, "device", window(d), limit(d), sink, err);
}

static enum ph_rc
write_view(struct ph_downloads *d, const struct ph_view *view, struct ph_json *out, struct ph_err *err)
{
	const int	is_known = window(d).last_ms >= 0 && limit(d) > 0;
	enum ph_rc	rc;

	ph_view_common(d, 0, 1, out);
	ph_json_int(out, "period_days", d->args->values[P_DAYS].num);
	if ((rc = ph_view_array(d, "items", view->columns, view->ncolumns, view->rows, out, err)) != PH_OK)
		return rc;

	const struct ph_value v[] = { ph_v_known(is_known ? d->shares.other : -1), ph_v_known(is_known ? d->shares.total : -1) };

	ph_json_fields(out, view->fields + F_OTHER, v, 2);
	return PH_OK;
}

static enum ph_rc
countries_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	return write_view(d, &ph_view_countries, out, err);
}

static enum ph_rc
devices_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	return write_view(d, &ph_view_devices, out, err);
}

/* What is stored was checked when it came. */
static void
write_recent(const struct ph_downloads *d, const char *text, int64_t at, struct ph_json *out)
{
	cJSON		*apps = cJSON_Parse(text);
	const cJSON	*app;
	int64_t		 left = limit(d);

	ph_json_obj_open(out, "recent_months");
	ph_json_time(out, "fetched_at", at);
	ph_json_arr_open(out, "items");
	cJSON_ArrayForEach(app, apps) {
		const struct ph_value v[] = { ph_v_str(app->string), ph_v_int((int64_t)app->valuedouble) };

		if (left-- <= 0)
			break;
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, month_fields, v, 2);
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_json_close(out);
	cJSON_Delete(apps);
}

static enum ph_rc
apps_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = write_view(d, &ph_view_apps, out, err)) != PH_OK ||
	    (rc = ph_db_prepare(d->db, sql_apps, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, d->podcast.id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && limit(d) > 0)
		write_recent(d, ph_stmt_text(st, 0), ph_stmt_int(st, 1), out);
	else
		ph_json_null(out, "recent_months");
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

const struct ph_view ph_view_countries = {
	.name = "countries", .params = params, .nparams = P__MAX,
	.fields = countries_fields, .nfields = F_TOTAL + 1, .columns = country_fields, .ncolumns = 4,
	.write = countries_write, .rows = country_rows,
};
const struct ph_view ph_view_apps = {
	.name = "apps", .params = params, .nparams = P__MAX,
	.fields = apps_fields, .nfields = F_RECENT + 1, .columns = app_fields, .ncolumns = 3,
	.write = apps_write, .rows = app_rows,
};
const struct ph_view ph_view_devices = {
	.name = "devices", .params = params, .nparams = P__MAX,
	.fields = devices_fields, .nfields = F_TOTAL + 1, .columns = device_fields, .ncolumns = 3,
	.write = devices_write, .rows = device_rows,
};
