/*
 * product.c -- series of workdays, and what the tables of /analytics/ share.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/number.h"
#include "domain/product.h"

const char *const ph_metric_names[] = { "new_users", "page_views", "rooms", "estimations", "votes", NULL };

static const char sql_days[] =
	"SELECT day, new_users, page_views, rooms, estimations, votes FROM roll_day WHERE day >= $1 AND day <= $2 ORDER BY day";
static const char sql_total[] =
	"SELECT coalesce(sum(new_users), 0), coalesce(sum(page_views), 0), coalesce(sum(rooms), 0),"
	" coalesce(sum(estimations), 0), coalesce(sum(votes), 0) FROM roll_day WHERE day >= $1 AND day <= $2";
static const char sql_returns[] =
	"SELECT day, kind, returned, adjusted FROM roll_return WHERE day <= $1 ORDER BY day";

enum ph_rc
ph_product_open(struct ph_product *p, struct ph_db *db, int64_t now_ms, struct ph_err *err)
{
	int64_t		start_ms;
	enum ph_rc	rc;

	*p = (struct ph_product){ .db = db, .now_ms = now_ms, .today = now_ms / PH_DAY_MS };
	if ((rc = ph_model_start(db, &start_ms, err)) != PH_OK)
		return rc;
	p->start_day = start_ms / PH_DAY_MS;
	return ph_model_text(db, "last_success_at", p->updated_at, err);
}

struct ph_value
ph_v_mean(int64_t sum, int64_t n, double divisor, int places)
{
	return ph_v_real(n == 0 ? 0 : ph_round((double)sum / (double)n / divisor, places));
}

char *
ph_day_text(char buf[PH_DAY_SIZE], int64_t day)
{
	return ph_day_format(buf, day * PH_DAY_MS);
}

/* -- series --------------------------------------------------------------------------- */

static int
is_workday(int64_t day)
{
	return (day + 3) % 7 < 5;
}

/* The workday behind the ones before, whose rows of the last 30 days are in ring, at their number modulo 30. */
static void
advance(struct ph_workday *w, int64_t ring[PH_MEAN_ROWS][PH_METRICS], int64_t number)
{
	int64_t	*const slot = ring[number % PH_MEAN_ROWS];
	const int64_t *const week = ring[(number + PH_MEAN_ROWS - PH_WEEK_ROWS) % PH_MEAN_ROWS];
	int	 m;

	/* Until there are enough, what leaves the window is 0. */
	for (m = 0; m < PH_METRICS; m++) {
		w->all[m] += w->n[m];
		w->last7[m] += w->n[m] - week[m];
		w->last30[m] += w->n[m] - slot[m];
		slot[m] = w->n[m];
	}
}

static enum ph_rc
give_workday(struct ph_workday *w, int64_t number, ph_workday_fn *f, void *arg, struct ph_err *err)
{
	struct ph_workday	shown = *w;
	int			m;

	for (m = 0; m < PH_METRICS; m++) {
		if (number < PH_MEAN_ROWS - 1)
			shown.last30[m] = -1;
		if (number < PH_WEEK_ROWS - 1)
			shown.last7[m] = -1;
	}
	return f(arg, &shown, err);
}

enum ph_rc
ph_each_workday(const struct ph_product *p, ph_workday_fn *f, void *arg, struct ph_err *err)
{
	int64_t			 ring[PH_MEAN_ROWS][PH_METRICS] = { { 0 } }, number = 0, day;
	struct ph_workday	 w = { .day = 0 };
	struct ph_stmt		*st;
	enum ph_rc		 rc, given = PH_OK;
	int			 m, is_there;

	if ((rc = ph_db_prepare(p->db, sql_days, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, p->start_day);
	ph_stmt_bind_int(st, 2, p->today);
	rc = ph_stmt_step(st, err);
	for (day = p->start_day; day <= p->today && (rc == PH_ROW || rc == PH_DONE) && given == PH_OK; day++) {
		is_there = rc == PH_ROW && ph_stmt_int(st, 0) == day;
		if (is_workday(day)) {
			w.day = day;
			for (m = 0; m < PH_METRICS; m++)
				w.n[m] = is_there ? ph_stmt_int(st, m + 1) : 0;
			advance(&w, ring, number);
			given = give_workday(&w, number++, f, arg, err);
		}
		if (is_there)
			rc = ph_stmt_step(st, err);
	}
	ph_stmt_done(st);
	return given != PH_OK ? given : rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_each_returning(const struct ph_product *p, ph_returning_fn *f, void *arg, struct ph_err *err)
{
	struct ph_returning	 r = { .day = 0 };
	struct ph_stmt		*st;
	enum ph_rc		 rc, given = PH_OK;

	if ((rc = ph_db_prepare(p->db, sql_returns, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, p->today);
	rc = ph_stmt_step(st, err);
	for (r.day = p->start_day; r.day <= p->today && (rc == PH_ROW || rc == PH_DONE) && given == PH_OK; r.day++) {
		for (; rc == PH_ROW && ph_stmt_int(st, 0) <= r.day; rc = ph_stmt_step(st, err)) {
			*(ph_stmt_int(st, 1) == 0 ? &r.users : &r.rooms) += ph_stmt_int(st, 2);
			*(ph_stmt_int(st, 1) == 0 ? &r.users30 : &r.rooms30) += ph_stmt_int(st, 3);
		}
		if (is_workday(r.day))
			given = f(arg, &r, err);
	}
	ph_stmt_done(st);
	return given != PH_OK ? given : rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

const struct ph_field ph_returning_fields[PH_RETURNING_NFIELDS] = {
	{ .name = "date", .type = PH_TEXT, .text = "The workday." },
	{ .name = "reoccurring_users", .text = "Users whose second workday with an estimation is not after it." },
	{ .name = "reoccurring_rooms", .text = "The same of rooms." },
	{ .name = "adjusted_reoccurring_users", .text = "Those of them whose last such workday is at most 30 days ago." },
	{ .name = "adjusted_reoccurring_rooms", .text = "The same of rooms." },
};

void
ph_returning_values(const struct ph_returning *r, char day[PH_DAY_SIZE], struct ph_value v[PH_RETURNING_NFIELDS])
{
	v[0] = ph_v_str(ph_day_text(day, r->day));
	v[1] = ph_v_int(r->users);
	v[2] = ph_v_int(r->rooms);
	v[3] = ph_v_int(r->users30);
	v[4] = ph_v_int(r->rooms30);
}

enum ph_rc
ph_days_total(const struct ph_product *p, int64_t first, int64_t last, int64_t n[PH_METRICS], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 m;

	if ((rc = ph_db_prepare(p->db, sql_total, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, first);
	ph_stmt_bind_int(st, 2, last);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		for (m = 0; m < PH_METRICS; m++)
			n[m] = ph_stmt_int(st, m);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

/* -- tables --------------------------------------------------------------------------- */

int64_t
ph_product_day(const struct ph_product *p, size_t param, int64_t dflt)
{
	return p->args->values[param].is_set ? p->args->values[param].num / PH_DAY_MS : dflt;
}

enum ph_rc
ph_product_get(struct ph_req *req, const struct ph_product_table *t, struct ph_json *out, struct ph_err *err)
{
	struct ph_rows		rows = { .out = out, .fields = t->columns, .nfields = t->ncolumns };
	struct ph_product	p;
	char			path[PH_TABLE_PATH_SIZE];
	enum ph_rc		rc;

	snprintf(path, sizeof(path), PH_PRODUCT_PATH "export/%s", t->name);
	if ((rc = ph_table_elsewhere(req, PH_PRODUCT_FORMAT, PH_PRODUCT_PROGRAM, path, err)) != PH_DONE ||
	    (rc = ph_product_open(&p, ph_req_db(req), ph_req_now_ms(req), err)) != PH_OK)
		return rc;
	p.args = ph_req_args(req);
	if (p.updated_at[0] != '\0')
		ph_json_str(out, "data_updated_at", p.updated_at);
	else
		ph_json_null(out, "data_updated_at");
	if (t->head != NULL && (rc = t->head(&p, out, err)) != PH_OK)
		return rc;
	ph_json_arr_open(out, "items");
	rc = t->rows(&p, &rows, err);
	ph_json_close(out);
	return rc;
}

enum ph_rc
ph_product_export(struct ph_req *req, const struct ph_product_table *t, const struct ph_args *args,
    struct ph_table_options options, struct ph_err *err)
{
	struct ph_rows		rows = { .fields = t->columns, .nfields = t->ncolumns };
	struct ph_product	p;
	enum ph_rc		rc;

	options.name = t->name;
	ph_table_read_options(&options, args, t->nparams);
	if ((rc = ph_product_open(&p, ph_req_db(req), ph_req_now_ms(req), err)) != PH_OK)
		return rc;
	p.args = args;
	if ((rows.table = ph_table_new(req, &options, t->columns, t->ncolumns, err)) == NULL)
		return err->rc;
	if ((rc = t->rows(&p, &rows, err)) == PH_OK)
		rc = ph_table_finish(rows.table, err);
	ph_table_free(rows.table);
	return rc;
}
