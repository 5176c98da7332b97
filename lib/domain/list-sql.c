/*
 * list-sql.c -- how the rows of a list are found: the plan, its SQL, and what bounds the work of a page.
 *
 * The text of a statement is put together from constants of the declaration only; what a client says
 * is bound.  Its shape:
 *
 *	SELECT columns FROM (arm UNION ALL arm ... ORDER BY v, i LIMIT n) AS k
 *	  CROSS JOIN table AS t ON t.rowid = k.r LEFT JOIN ... ORDER BY k.v, k.i
 *
 * Each arm walks one index from where the page begins; the engine merges them lazily.  Equal sort values are
 * ordered by id, so that the order is total and a cursor (value, id) skips and repeats nothing.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "domain/list-query.h"

enum {
	SCAN_MAX = 50000,		/* rows that one page tests one by one */
	STATUSES_MAX = 6
};

/* The arms of the statuses asked for, or of all that the sort has, within a platform. */
static void
add_status_arms(struct ph_list_query *q, const char *platform)
{
	uint64_t	mask = q->statuses != 0 ? q->statuses : UINT64_MAX;
	size_t		i;

	if (q->sort->only_statuses != 0)
		mask &= q->sort->only_statuses;
	for (i = 0; q->list->statuses[i] != NULL; i++) {
		assert(i < STATUSES_MAX && q->narms < PH_LIST_ARMS_MAX);
		if (mask >> i & 1)
			q->arms[q->narms++] = (struct ph_list_arm){ platform, q->list->statuses[i] };
	}
}

/* One entry per selected key; further names are tested among the rows of other.  0: the list has no arm for
 * one of them. */
static size_t
platform_conditions(const struct ph_list_query *q, const char *out[PH_PLATFORM__MAX])
{
	const unsigned	keys = q->filter.keys | (q->filter.nnames > 0 ? 1u << PH_PLATFORM_OTHER : 0);
	size_t		i, n = 0;

	for (i = 0; i < PH_PLATFORM__MAX; i++)
		if (keys & 1u << i) {
			if (q->list->platform_arms[i] == NULL)
				return 0;
			out[n++] = q->list->platform_arms[i];
		}
	return n;
}

void
ph_list_plan(struct ph_list_query *q, int by_platform)
{
	const struct ph_list_sort	*s = q->sort;
	const char			*platforms[PH_PLATFORM__MAX];
	size_t				 n = 0, i;
	int				 by_status;

	q->narms = 0;
	q->tests_rows = 0;
	q->entry = SIZE_MAX;
	for (i = 0; i < q->list->nextras; i++)
		if (q->extras[i] != NULL && q->entry == SIZE_MAX && q->list->extras[i].index != NULL)
			q->entry = i;
		else
			q->tests_rows |= q->extras[i] != NULL;
	q->tests_rows |= q->q != NULL || (q->filter.has_time && strcmp(s->sql, q->list->time) != 0);
	q->tests_status = q->statuses != 0;
	q->tests_platform = q->filter.has_platform && q->list->platform != NULL;
	if (q->entry < q->list->nextras) {
		q->index = q->list->extras[q->entry].index;
		q->arms[q->narms++] = (struct ph_list_arm){ q->list->extras[q->entry].sql, NULL };
		/* Else they are few, and all of them are sorted. */
		q->tests_rows = q->list->extras[q->entry].is_ordered && s == q->list->sorts &&
		    (q->tests_rows || q->tests_status || q->tests_platform);
		return;
	}
	if (q->tests_platform && (s->platform_index != NULL || s->platform_status_index != NULL))
		n = platform_conditions(q, platforms);
	by_status = s->only_statuses != 0 || (q->statuses != 0 && s->status_index != NULL);
	q->has_choice = by_status && n > 0 && s->platform_index != NULL;
	if (n > 0 && s->platform_status_index != NULL) {
		q->index = s->platform_status_index;
		for (i = 0; i < n; i++)
			add_status_arms(q, platforms[i]);
		q->tests_status = 0;
		q->tests_platform = q->filter.nnames > 0;
	} else if (by_status && !(by_platform && q->has_choice)) {
		q->index = s->status_index;
		add_status_arms(q, NULL);
		q->tests_status = 0;
	} else if (n > 0) {
		q->index = s->platform_index;
		for (i = 0; i < n; i++)
			q->arms[q->narms++] = (struct ph_list_arm){ platforms[i], NULL };
		q->tests_platform = q->filter.nnames > 0;
	} else {
		q->index = s->index;
		q->arms[q->narms++] = (struct ph_list_arm){ NULL, NULL };
	}
	q->tests_rows |= q->tests_status || q->tests_platform;
}

/* -- SQL ------------------------------------------------------------------------------- */

void
ph_list_add(struct ph_list_sql *s, const char *fmt, ...)
{
	va_list	ap;
	int	n;

	va_start(ap, fmt);
	n = vsnprintf(s->text + s->len, sizeof(s->text) - s->len, fmt, ap);
	va_end(ap);
	assert(n >= 0 && (size_t)n < sizeof(s->text) - s->len);		/* a declaration is too large */
	s->len += (size_t)n;
}

/* Does the query bound the values of its sort from that side? */
static int
has_low(const struct ph_list_query *q, enum ph_list_scope scope)
{
	return (q->filter.has_time && strcmp(q->sort->sql, q->list->time) == 0) ||
	    (q->bound.is_set && q->is_descending) ||
	    (scope != PH_LIST_FROM_START && q->after.is_set && !q->is_descending);
}

static int
has_high(const struct ph_list_query *q, enum ph_list_scope scope)
{
	return (q->filter.has_time && strcmp(q->sort->sql, q->list->time) == 0) ||
	    (q->bound.is_set && !q->is_descending) ||
	    (scope != PH_LIST_FROM_START && q->after.is_set && q->is_descending);
}

/* Conditions on the sort value.  An index is entered by one bound from each side: that of a
 * cursor lies inside that of the filter. */
static void
add_bounds(struct ph_list_sql *s, const struct ph_list_query *q, enum ph_list_scope scope)
{
	const char	*v = q->sort->sql;
	const int	 is_after = scope != PH_LIST_FROM_START && q->after.is_set;
	const char	*past = q->is_descending ? "<" : ">";

	if (has_low(q, scope))
		ph_list_add(s, " AND %s %s $2", v, is_after && !q->is_descending && q->after.is_end ? ">" : ">=");
	/* The end of the filter is not in it any more, every other bound is. */
	if (has_high(q, scope))
		ph_list_add(s, " AND %s %s $3", v, is_after && q->is_descending ? (q->after.is_end ? "<" : "<=") :
		    q->bound.is_set && !q->is_descending ? "<=" : "<");
	if (is_after && !q->after.is_end && scope == PH_LIST_FROM_CURSOR)
		ph_list_add(s, " AND (%s %s $%d OR t.id %s $4)", v, past, q->is_descending ? PH_LIST_B_HIGH : PH_LIST_B_LOW, past);
}

/* What is tested row by row. */
static void
add_tests(struct ph_list_sql *s, const struct ph_list_query *q)
{
	const struct ph_list	*l = q->list;
	size_t			 i, n = 0;

	if (q->filter.has_time && strcmp(q->sort->sql, l->time) != 0)
		ph_list_add(s, " AND %s >= $18 AND %s < $19", l->time, l->time);
	if (q->tests_status) {
		ph_list_add(s, " AND %s IN (", l->status);
		for (i = 0; l->statuses[i] != NULL; i++)
			if (q->statuses >> i & 1)
				ph_list_add(s, "%s'%s'", n++ == 0 ? "" : ", ", l->statuses[i]);
		ph_list_add(s, ")");
	}
	if (q->tests_platform)
		ph_list_add(s, " AND %s", l->platform);
	for (i = 0; i < l->nextras; i++)
		if (q->extras[i] != NULL && i != q->entry)
			ph_list_add(s, " AND %s", l->extras[i].sql);
	if (q->q != NULL) {
		ph_list_add(s, " AND (t.id LIKE $8 ESCAPE '\\'");
		for (i = 0; i < PH_LIST_SEARCHES_MAX && l->searches[i] != NULL; i++)
			ph_list_add(s, " OR %s LIKE $7 ESCAPE '\\'", l->searches[i]);
		ph_list_add(s, ")");
	}
}

void
ph_list_add_arms(struct ph_list_sql *s, const struct ph_list_query *q, const char *what, enum ph_list_scope scope,
    int with_tests)
{
	size_t i;

	/* None: the sort has no row of any status asked for. */
	if (q->narms == 0)
		ph_list_add(s, "SELECT 0 AS r, 0 AS v, '' AS i WHERE 0");
	for (i = 0; i < q->narms; i++) {
		ph_list_add(s, "%sSELECT %s FROM %s AS t INDEXED BY %s WHERE 1", i == 0 ? "" : " UNION ALL ", what,
		    q->list->table, q->index);
		if (q->arms[i].platform != NULL)
			ph_list_add(s, " AND %s", q->arms[i].platform);
		if (q->arms[i].status != NULL)
			ph_list_add(s, " AND %s = '%s'", q->list->status, q->arms[i].status);
		if (q->sort->condition != NULL)
			ph_list_add(s, " AND %s", q->sort->condition);
		add_bounds(s, q, scope);
		if (with_tests)
			add_tests(s, q);
	}
}

void
ph_list_add_columns(struct ph_list_sql *s, const struct ph_list *l, uint64_t fields)
{
	size_t i;

	for (i = 0; i < l->nfields; i++)
		ph_list_add(s, ", %s", fields >> i & 1 ? l->columns[i].sql : "NULL");
}

void
ph_list_add_page(struct ph_list_sql *s, const struct ph_list_query *q)
{
	const char	*order = q->is_descending ? " DESC" : "";
	char		 what[128];

	ph_list_add(s, "SELECT k.v, k.i");
	ph_list_add_columns(s, q->list, q->fields);
	snprintf(what, sizeof(what), "t.rowid AS r, %s AS v, t.id AS i", q->sort->sql);
	ph_list_add(s, " FROM (");
	ph_list_add_arms(s, q, what, PH_LIST_FROM_CURSOR, 1);
	ph_list_add(s, " ORDER BY v%s, i%s LIMIT $5 OFFSET $6) AS k CROSS JOIN %s AS t ON t.rowid = k.r%s"
	    " ORDER BY k.v%s, k.i%s", order, order, q->list->table, q->list->joins != NULL ? q->list->joins : "",
	    order, order);
}

int
ph_list_has_param(const char *sql, int number)
{
	char		name[8];
	const size_t	len = (size_t)snprintf(name, sizeof(name), "$%d", number);

	while ((sql = strstr(sql, name)) != NULL) {
		sql += len;
		if (*sql < '0' || *sql > '9')
			return 1;
	}
	return 0;
}

static void
bind_value(struct ph_stmt *st, const struct ph_list_query *q, int number, const struct ph_list_position *at)
{
	if (q->sort->is_real)
		ph_stmt_bind_double(st, number, at->real);
	else
		ph_stmt_bind_int(st, number, at->num);
}

void
ph_list_bind(struct ph_stmt *st, const char *sql, const struct ph_list_query *q, enum ph_list_scope scope)
{
	const struct ph_list_position	from = { .num = q->filter.from_ms }, to = { .num = q->filter.to_ms };
	const int		is_after = scope != PH_LIST_FROM_START && q->after.is_set;
	size_t			i;

	if (ph_list_has_param(sql, PH_LIST_B_NOW))
		ph_stmt_bind_int(st, PH_LIST_B_NOW, q->now_ms);
	if (ph_list_has_param(sql, PH_LIST_B_LOW))
		bind_value(st, q, PH_LIST_B_LOW, is_after && !q->is_descending ? &q->after :
		    q->bound.is_set && q->is_descending ? &q->bound : &from);
	if (ph_list_has_param(sql, PH_LIST_B_HIGH))
		bind_value(st, q, PH_LIST_B_HIGH, is_after && q->is_descending ? &q->after :
		    q->bound.is_set && !q->is_descending ? &q->bound : &to);
	if (ph_list_has_param(sql, PH_LIST_B_ID))
		ph_stmt_bind_text(st, PH_LIST_B_ID, q->after.id);
	if (ph_list_has_param(sql, PH_LIST_B_LIKE))
		ph_stmt_bind_text(st, PH_LIST_B_LIKE, q->like);
	if (ph_list_has_param(sql, PH_LIST_B_PREFIX))
		ph_stmt_bind_text(st, PH_LIST_B_PREFIX, q->prefix);
	for (i = 0; i < q->list->nextras; i++)
		if (ph_list_has_param(sql, PH_LIST_B_EXTRA + (int)i))
			ph_stmt_bind_text(st, PH_LIST_B_EXTRA + (int)i, q->extras[i]);
	if (ph_list_has_param(sql, PH_LIST_B_TIME))
		ph_filter_bind_time(&q->filter, st);
	if (ph_list_has_param(sql, PH_LIST_B_PLATFORM))
		ph_filter_bind_platform(&q->filter, st);
}

enum ph_rc
ph_list_first_row(struct ph_db *db, const struct ph_list_sql *s, const struct ph_list_query *q,
    enum ph_list_scope scope, int64_t offset, struct ph_list_position *at, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	ph_list_bind(st, s->text, q, scope);
	if (ph_list_has_param(s->text, PH_LIST_B_OFFSET))
		ph_stmt_bind_int(st, PH_LIST_B_OFFSET, offset);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		at->num = ph_stmt_int(st, 0);
		at->real = ph_stmt_double(st, 0);
	}
	ph_stmt_drop(st);
	return rc;
}

/* The bound of the arms as they are planned. */
static enum ph_rc
bound_arms(struct ph_db *db, struct ph_list_query *q, struct ph_list_sql *s, struct ph_err *err)
{
	char		what[96];
	enum ph_rc	rc;

	q->bound = (struct ph_list_position){ 0 };
	if (!q->tests_rows)
		return PH_OK;
	s->len = 0;
	snprintf(what, sizeof(what), "%s AS v", q->sort->sql);
	ph_list_add_arms(s, q, what, PH_LIST_FROM_CURSOR_VALUE, 0);
	ph_list_add(s, " ORDER BY v%s LIMIT 1 OFFSET $6", q->is_descending ? " DESC" : "");
	rc = ph_list_first_row(db, s, q, PH_LIST_FROM_CURSOR_VALUE, SCAN_MAX, &q->bound, err);
	if (rc == PH_ROW)
		q->bound.is_set = q->bound.is_end = 1;
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_list_find_bound(struct ph_db *db, struct ph_list_query *q, struct ph_list_sql *s, struct ph_err *err)
{
	enum ph_rc rc = bound_arms(db, q, s, err);

	if (rc != PH_OK || !q->bound.is_set || !q->has_choice)
		return rc;
	ph_list_plan(q, 1);
	if ((rc = bound_arms(db, q, s, err)) != PH_OK || !q->bound.is_set)
		return rc;
	ph_list_plan(q, 0);
	return bound_arms(db, q, s, err);
}

/* How many rows the query has, counted up to max and within its bound. */
static enum ph_rc
count_rows(struct ph_db *db, const struct ph_list_query *q, struct ph_list_sql *s, enum ph_list_scope scope,
    int64_t max, int64_t *count, struct ph_err *err)
{
	struct ph_list_position	n = { 0 };
	enum ph_rc		rc;

	s->len = 0;
	ph_list_add(s, "SELECT count(*) FROM (");
	ph_list_add_arms(s, q, "1", scope, 1);
	ph_list_add(s, " LIMIT %" PRId64 ")", max);
	if ((rc = ph_list_first_row(db, s, q, scope, 0, &n, err)) != PH_ROW)
		return rc == PH_DONE ? ph_fail(err, PH_EINTERNAL, "a count has no row") : rc;
	*count = n.num;
	return PH_OK;
}

enum ph_rc
ph_list_find_total(struct ph_db *db, struct ph_list_query *q, struct ph_list_sql *s, struct ph_err *err)
{
	int64_t		n;
	enum ph_rc	rc = count_rows(db, q, s, PH_LIST_FROM_START, PH_LIST_TOTAL_MAX + 1, &n, err);

	if (rc != PH_OK)
		return rc;
	q->total = n > PH_LIST_TOTAL_MAX ? PH_LIST_TOTAL_MAX : n;
	q->is_capped = n > PH_LIST_TOTAL_MAX || q->bound.is_set;
	return PH_OK;
}

enum ph_rc
ph_list_use_offset(struct ph_db *db, struct ph_list_query *q, struct ph_list_sql *s, int64_t nrows,
    struct ph_err *err)
{
	int64_t		skipped = q->offset;
	enum ph_rc	rc = PH_OK;

	if (nrows == 0 && q->offset > 0 && q->bound.is_set) {
		ph_db_forget(db, s->text);
		rc = count_rows(db, q, s, PH_LIST_FROM_CURSOR, q->offset, &skipped, err);
	}
	q->offset -= skipped;
	return rc;
}
