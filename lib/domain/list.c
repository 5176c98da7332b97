/*
 * list.c -- the engine of lists: from a declaration and a request to SQL, to a page, to a file.
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
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/auth.h"
#include "core/hash.h"
#include "core/seal.h"
#include "core/table-xlsx.h"
#include "core/utf8.h"
#include "domain/list.h"

enum {
	SCAN_MAX = 50000, 		/* rows that one page tests one by one */
	SQL_SIZE = 32768,
	ARMS_MAX = 40,
	STATUSES_MAX = 6,
	ID_MAX = 512,			/* bytes of an id in a cursor */
	HASH_TEXT_LEN = 24,		/* of the filters' hash in a cursor, hexadecimal */
	HASHED_SIZE = 16384,		/* the filters as text */
	LINK_MAX = 2500,		/* bytes of a Link header that still fits the head of an answer */
	EXPORT_PAGE = 1000,		/* rows read in one transaction of an export */
	EXPORT_WAITING = 65536		/* bytes of them that wait to be sent, about */
};

/* Numbers of SQL parameters; $14 to $17 the extras, from $18 on those of filter.h. */
enum {
	B_NOW = 1, B_LOW = 2, B_HIGH = 3, B_ID = 4, B_LIMIT = 5, B_OFFSET = 6, B_LIKE = 7, B_PREFIX = 8,
	B_EXTRA = 14, B_TIME = 18, B_PLATFORM = 20
};

/* Parameters that every list has, in this order; then its extras, status, and those of a filter,
 * platform last, because not every list has that. */
enum {
	P_LIMIT, P_CURSOR, P_OFFSET, P_SORT, P_Q, P_FIELDS, P_TIME, P_FORMAT, P_TABLE,
	P__COMMON = P_TABLE + PH_TABLE_NPARAMS
};

static const struct ph_param common_params[P__COMMON] = {
	[P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = PH_LIST_LIMIT_MAX, .dflt = PH_LIST_LIMIT,
	    .text = "Rows of a page." },
	[P_CURSOR] = { .name = "cursor", .type = PH_P_TEXT, .min = 1, .max = PH_SEALED_MAX - 1,
	    .text = "next_cursor of the page before, with the same filters and sort." },
	[P_OFFSET] = { .name = "offset", .type = PH_P_INT, .min = 0, .max = PH_LIST_OFFSET_MAX,
	    .text = "Rows to skip, for old clients; a cursor is better and goes deeper." },
	[P_SORT] = { .name = "sort", .type = PH_P_CHOICE },
	[P_Q] = { .name = "q", .type = PH_P_TEXT, .min = 1, .max = 4 * PH_LIST_Q_MAX,
	    .text = "Only rows whose id begins with it, or that have it in a name or error text; at most 100 "
		"characters. ASCII letters match in either case." },
	[P_FIELDS] = { .name = "fields", .type = PH_P_CHOICES,
	    .text = "Only these fields of the items, in the order of the list." },
	[P_TIME] = PH_PARAM_TIME,
	[P_FORMAT] = PH_PARAM_FORMAT,
	PH_TABLE_PARAMS(P_TABLE),
};

static const struct ph_param filter_params[PH_FILTER_NPARAMS] = { PH_FILTER_PARAMS(0) };

/* What a filter adds behind a place in a list: after this row, or (is_end) after all of its value. */
struct position {
	int		is_set, is_end;
	int64_t		num;
	double		real;		/* of a sort with is_real */
	char		id[ID_MAX + 1];
};

struct arm { const char *platform, *status; };	/* a condition; a status; NULL: not restricted */

struct query {
	const struct ph_list		*list;
	const struct ph_list_sort	*sort;
	int				 is_descending;
	int64_t				 now_ms, limit, offset;
	struct ph_filter		 filter;
	uint64_t			 statuses;	/* mask; 0: any */
	uint64_t			 fields;	/* mask */
	const char			*extras[PH_LIST_EXTRAS_MAX];	/* NULL: not given */
	const char			*q;		/* NULL: not given */
	char				 like[8 * PH_LIST_Q_MAX + 3], prefix[8 * PH_LIST_Q_MAX + 2];
	char				 hash[HASH_TEXT_LEN + 1];
	struct position			 after;		/* of the cursor */
	int64_t				 total;		/* -1: not known */
	int				 is_capped;
	/* how the rows are found */
	struct arm			 arms[ARMS_MAX];
	size_t				 narms;
	const char			*index;
	int				 tests_status, tests_platform, tests_rows;
	int				 has_choice;	/* of arms by status or by platform */
	size_t				 entry;		/* the extra whose index is walked, or more */
	struct position			 bound;		/* of what is tested row by row */
};

/* -- parameters --------------------------------------------------------------------- */

void
ph_list_params(const struct ph_list *list, struct ph_list_params *p)
{
	size_t i, n = 0, len;

	assert(list->nfields <= PH_LIST_COLUMNS_MAX && list->nsorts <= PH_LIST_SORTS_MAX &&
	    list->nextras <= PH_LIST_EXTRAS_MAX);
	for (i = 0; i < list->nfields; i++)
		p->field_choices[i] = list->fields[i].name;
	p->field_choices[i] = NULL;
	len = (size_t)snprintf(p->sort_text, sizeof(p->sort_text), "Order, with - descending.");
	for (i = 0; i < list->nsorts; i++) {
		const struct ph_list_sort *s = &list->sorts[i];

		snprintf(p->sort_names[2 * i], sizeof(p->sort_names[0]), "%s%s", s->is_ascending ? "" : "-", s->name);
		snprintf(p->sort_names[2 * i + 1], sizeof(p->sort_names[0]), "%s%s", s->is_ascending ? "-" : "",
		    s->name);
		p->sort_choices[2 * i] = p->sort_names[2 * i];
		p->sort_choices[2 * i + 1] = p->sort_names[2 * i + 1];
		if (s->text != NULL && len < sizeof(p->sort_text))
			len += (size_t)snprintf(p->sort_text + len, sizeof(p->sort_text) - len, " %s: %s.", s->name,
			    s->text);
	}
	p->sort_choices[2 * i] = NULL;
	memcpy(p->table, common_params, sizeof(common_params));
	n = P__COMMON;
	p->table[P_SORT].choices = p->sort_choices;
	p->table[P_SORT].text = p->sort_text;
	p->table[P_FIELDS].choices = p->field_choices;
	p->extras = n;
	for (i = 0; i < list->nextras; i++)
		p->table[n++] = list->extras[i].param;
	p->status = n;
	if (list->status != NULL)
		p->table[n++] = (struct ph_param){ .name = "status", .type = PH_P_CHOICES,
		    .choices = list->statuses, .text = "Only rows in one of these statuses." };
	p->filter = n;
	for (i = 0; i < PH_FILTER_NPARAMS; i++)
		if (i != PH_FILTER_PLATFORM || list->platform != NULL)
			p->table[n++] = filter_params[i];
	p->n = n;
	assert(n + 1 <= PH_PARAMS_MAX);
}

/* A pattern of LIKE ... ESCAPE '\' that stands for the text alone, behind `before`. */
static void
make_pattern(char *out, const char *before, const char *q)
{
	while (*before != '\0')
		*out++ = *before++;
	for (; *q != '\0'; *out++ = *q++)
		if (strchr("%_\\", *q) != NULL)
			*out++ = '\\';
	*out++ = '%';
	*out = '\0';
}

static size_t
count_chars(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* What a cursor is bound to: the list, its order and every filter as it was given. */
static void
make_hash(struct query *q, const struct ph_list_params *p, const struct ph_args *args)
{
	unsigned char	digest[PH_SHA256_SIZE];
	char		text[HASHED_SIZE];
	size_t		len, i;

	len = (size_t)snprintf(text, sizeof(text), "%s\n%s%s\n%" PRIx64 "\n", q->list->name,
	    q->is_descending ? "-" : "", q->sort->name, q->statuses);
	for (i = P_Q; i < p->n; i++)
		if ((i == P_Q || (i >= P__COMMON && i != p->status) || (i == p->status && q->list->status == NULL)) &&
		    args->values[i].is_set && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s=%s\n", p->table[i].name,
			    args->values[i].text);
	ph_sha256(digest, text, len < sizeof(text) ? len : sizeof(text) - 1);
	for (i = 0; i < HASH_TEXT_LEN / 2; i++)
		snprintf(q->hash + 2 * i, 3, "%02x", digest[i]);
}

static enum ph_rc
refuse_cursor(struct ph_err *err)
{
	return ph_fail_param(err, "cursor", 6, "not a next_cursor of this list with these filters and this sort");
}

static int
get_number(const cJSON *o, const char *name, double *d)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

	if (!cJSON_IsNumber(v))
		return -1;
	*d = v->valuedouble;
	return 0;
}

/* The cursor to where it points, the window of time that the first page had, and its total. */
static enum ph_rc
read_cursor(struct query *q, const char *sealed, struct ph_err *err)
{
	char		 text[PH_SEAL_TEXT_MAX + 1];
	cJSON		*o = NULL;
	const cJSON	*id;
	double		 d;
	enum ph_rc	 rc = ph_unseal("cursor", sealed, text, err);

	if (rc != PH_OK)
		return rc == PH_EPARAM ? refuse_cursor(err) : rc;
	if ((o = cJSON_Parse(text)) == NULL || get_number(o, "v", &q->after.real) != 0 ||
	    cJSON_GetStringValue(cJSON_GetObjectItem(o, "f")) == NULL ||
	    strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(o, "f")), q->hash) != 0) {
		cJSON_Delete(o);
		return refuse_cursor(err);
	}
	q->after.is_set = 1;
	q->after.num = (int64_t)q->after.real;
	id = cJSON_GetObjectItem(o, "i");
	q->after.is_end = id == NULL;
	if (id != NULL)
		snprintf(q->after.id, sizeof(q->after.id), "%s", cJSON_GetStringValue(id));
	if (get_number(o, "from", &d) == 0)
		q->filter.from_ms = (int64_t)d;
	if (get_number(o, "to", &d) == 0)
		q->filter.to_ms = (int64_t)d;
	if (get_number(o, "t", &d) == 0) {
		q->total = (int64_t)d;
		q->is_capped = cJSON_IsTrue(cJSON_GetObjectItem(o, "c"));
	}
	cJSON_Delete(o);
	return PH_OK;
}

static enum ph_rc
make_cursor(const struct query *q, const struct position *at, char out[PH_SEALED_MAX], struct ph_err *err)
{
	cJSON		*o = cJSON_CreateObject();
	char		 value[32], *text;
	enum ph_rc	 rc;

	/* All digits: cJSON itself would print 15 and call that equal. */
	if (q->sort->is_real)
		snprintf(value, sizeof(value), "%.17g", at->real);
	else
		snprintf(value, sizeof(value), "%" PRId64, at->num);
	cJSON_AddRawToObject(o, "v", value);
	if (!at->is_end)
		cJSON_AddStringToObject(o, "i", at->id);
	cJSON_AddStringToObject(o, "f", q->hash);
	if (q->filter.has_time)
		cJSON_AddNumberToObject(o, "from", (double)q->filter.from_ms);
	if (q->filter.has_time && q->filter.to_ms != INT64_MAX)
		cJSON_AddNumberToObject(o, "to", (double)q->filter.to_ms);
	if (q->total >= 0) {
		cJSON_AddNumberToObject(o, "t", (double)q->total);
		cJSON_AddBoolToObject(o, "c", q->is_capped);
	}
	text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	rc = text != NULL ? ph_seal("cursor", text, out, err) : ph_fail(err, PH_ENOMEM, "not enough memory");
	free(text);
	return rc;
}

static void plan(struct query *, int by_platform);

static enum ph_rc
read_query(struct query *q, const struct ph_list *list, const struct ph_list_params *p,
    const struct ph_args *args, int64_t now_ms, struct ph_err *err)
{
	const size_t	sort = (size_t)args->values[P_SORT].num;
	size_t		i;
	enum ph_rc	rc;

	memset(q, 0, sizeof(*q));
	q->list = list;
	q->now_ms = now_ms;
	q->total = -1;
	q->sort = &list->sorts[sort / 2];
	q->is_descending = (sort % 2 == 0) != q->sort->is_ascending;
	q->limit = args->values[P_LIMIT].num;
	q->offset = args->values[P_OFFSET].num;
	q->fields = args->values[P_FIELDS].is_set ? (uint64_t)args->values[P_FIELDS].num :
	    (UINT64_C(1) << list->nfields) - 1;
	if (list->status != NULL && args->values[p->status].is_set)
		q->statuses = (uint64_t)args->values[p->status].num;
	for (i = 0; i < list->nextras; i++)
		if (args->values[p->extras + i].is_set)
			q->extras[i] = args->values[p->extras + i].text;
	if (args->values[P_Q].is_set) {
		q->q = args->values[P_Q].text;
		if (count_chars(q->q) > PH_LIST_Q_MAX)
			return ph_fail_param(err, "q", 1, "at most %d characters are allowed", PH_LIST_Q_MAX);
		make_pattern(q->like, "%", q->q);
		make_pattern(q->prefix, "", q->q);
	}
	if ((rc = ph_filter_read(&q->filter, args, p->filter, now_ms, err)) != PH_OK)
		return rc;
	make_hash(q, p, args);
	if (args->values[P_CURSOR].is_set) {
		if (args->values[P_OFFSET].is_set)
			return ph_fail_param(err, "offset", 6, "not together with cursor");
		if ((rc = read_cursor(q, args->values[P_CURSOR].text, err)) != PH_OK)
			return rc;
	}
	plan(q, 0);
	return PH_OK;
}

/* -- the plan --------------------------------------------------------------------------- */

/* The arms of the statuses asked for, or of all that the sort has, within a platform. */
static void
add_status_arms(struct query *q, const char *platform)
{
	uint64_t	mask = q->statuses != 0 ? q->statuses : UINT64_MAX;
	size_t		i;

	if (q->sort->only_statuses != 0)
		mask &= q->sort->only_statuses;
	for (i = 0; q->list->statuses[i] != NULL; i++) {
		assert(i < STATUSES_MAX && q->narms < ARMS_MAX);
		if (mask >> i & 1)
			q->arms[q->narms++] = (struct arm){ platform, q->list->statuses[i] };
	}
}

/* One entry per selected key, and one for further names.  0: the list has no arm for one of them. */
static size_t
platform_conditions(const struct query *q, const char *out[PH_PLATFORM__MAX + 1])
{
	size_t i, n = 0;

	for (i = 0; i < PH_PLATFORM__MAX; i++)
		if (q->filter.keys & 1u << i) {
			if (q->list->platform_arms[i] == NULL)
				return 0;
			out[n++] = q->list->platform_arms[i];
		}
	if (q->filter.nnames > 0) {
		if (q->list->platform_names_arm == NULL)
			return 0;
		out[n++] = q->list->platform_names_arm;
	}
	return n;
}

/* Which index is walked, in which arms, and what remains to be tested row by row; by_platform: of
 * the arms by status and by platform rather the latter. */
static void
plan(struct query *q, int by_platform)
{
	const struct ph_list_sort	*s = q->sort;
	const char			*platforms[PH_PLATFORM__MAX + 1];
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
		q->arms[q->narms++] = (struct arm){ q->list->extras[q->entry].sql, NULL };
		/* Else they are few, and all of them are sorted. */
		q->tests_rows = q->list->extras[q->entry].is_ordered && s == q->list->sorts &&
		    (q->tests_rows || q->tests_status || q->tests_platform);
		return;
	}
	if (q->tests_platform && (s->platform_index != NULL || s->platform_status_index != NULL))
		n = platform_conditions(q, platforms);	/* that for further names looks into the row */
	by_status = s->only_statuses != 0 || (q->statuses != 0 && s->status_index != NULL);
	q->has_choice = by_status && n > 0 && s->platform_index != NULL;
	if (n > 0 && s->platform_status_index != NULL) {
		q->index = s->platform_status_index;
		for (i = 0; i < n; i++)
			add_status_arms(q, platforms[i]);
		q->tests_rows |= q->filter.nnames > 0;
		q->tests_status = q->tests_platform = 0;
	} else if (by_status && !(by_platform && q->has_choice)) {
		q->index = s->status_index;
		add_status_arms(q, NULL);
		q->tests_status = 0;
	} else if (n > 0) {
		q->index = s->platform_index;
		for (i = 0; i < n; i++)
			q->arms[q->narms++] = (struct arm){ platforms[i], NULL };
		q->tests_rows |= q->filter.nnames > 0;
		q->tests_platform = 0;
	} else {
		q->index = s->index;
		q->arms[q->narms++] = (struct arm){ NULL, NULL };
	}
	q->tests_rows |= q->tests_status || q->tests_platform;
}

/* -- SQL ------------------------------------------------------------------------------- */

struct sql {
	char	text[SQL_SIZE];
	size_t	len;
};

static void add(struct sql *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct sql *s, const char *fmt, ...)
{
	va_list	ap;
	int	n;

	va_start(ap, fmt);
	n = vsnprintf(s->text + s->len, sizeof(s->text) - s->len, fmt, ap);
	va_end(ap);
	assert(n >= 0 && (size_t)n < sizeof(s->text) - s->len);		/* a declaration is too large */
	s->len += (size_t)n;
}

enum scope { FROM_START, FROM_CURSOR, FROM_CURSOR_VALUE };	/* _VALUE: with all rows of its value */

/* Does the query bound the values of its sort from that side? */
static int
has_low(const struct query *q, enum scope scope)
{
	return (q->filter.has_time && strcmp(q->sort->sql, q->list->time) == 0) ||
	    (q->bound.is_set && q->is_descending) ||
	    (scope != FROM_START && q->after.is_set && !q->is_descending);
}

static int
has_high(const struct query *q, enum scope scope)
{
	return (q->filter.has_time && strcmp(q->sort->sql, q->list->time) == 0) ||
	    (q->bound.is_set && !q->is_descending) ||
	    (scope != FROM_START && q->after.is_set && q->is_descending);
}

/* Conditions on the sort value.  An index is entered by one bound from each side: that of a
 * cursor lies inside that of the filter. */
static void
add_bounds(struct sql *s, const struct query *q, enum scope scope)
{
	const char	*v = q->sort->sql;
	const int	 is_after = scope != FROM_START && q->after.is_set;
	const char	*past = q->is_descending ? "<" : ">";

	if (has_low(q, scope))
		add(s, " AND %s %s $2", v, is_after && !q->is_descending && q->after.is_end ? ">" : ">=");
	/* The end of the filter is not in it any more, every other bound is. */
	if (has_high(q, scope))
		add(s, " AND %s %s $3", v, is_after && q->is_descending ? (q->after.is_end ? "<" : "<=") :
		    q->bound.is_set && !q->is_descending ? "<=" : "<");
	if (is_after && !q->after.is_end && scope == FROM_CURSOR)
		add(s, " AND (%s %s $%d OR t.id %s $4)", v, past, q->is_descending ? B_HIGH : B_LOW, past);
}

/* What is tested row by row. */
static void
add_tests(struct sql *s, const struct query *q)
{
	const struct ph_list	*l = q->list;
	size_t			 i, n = 0;

	if (q->filter.has_time && strcmp(q->sort->sql, l->time) != 0)
		add(s, " AND %s >= $18 AND %s < $19", l->time, l->time);
	if (q->tests_status) {
		add(s, " AND %s IN (", l->status);
		for (i = 0; l->statuses[i] != NULL; i++)
			if (q->statuses >> i & 1)
				add(s, "%s'%s'", n++ == 0 ? "" : ", ", l->statuses[i]);
		add(s, ")");
	}
	if (q->tests_platform)
		add(s, " AND %s", l->platform);
	for (i = 0; i < l->nextras; i++)
		if (q->extras[i] != NULL && i != q->entry)
			add(s, " AND %s", l->extras[i].sql);
	if (q->q != NULL) {
		add(s, " AND (t.id LIKE $8 ESCAPE '\\'");
		for (i = 0; i < PH_LIST_SEARCHES_MAX && l->searches[i] != NULL; i++)
			add(s, " OR %s LIKE $7 ESCAPE '\\'", l->searches[i]);
		add(s, ")");
	}
}

/* SELECT what of every arm. */
static void
add_arms(struct sql *s, const struct query *q, const char *what, enum scope scope, int with_tests)
{
	size_t i;

	/* None: the sort has no row of any status asked for. */
	if (q->narms == 0)
		add(s, "SELECT 0 AS r, 0 AS v, '' AS i WHERE 0");
	for (i = 0; i < q->narms; i++) {
		add(s, "%sSELECT %s FROM %s AS t INDEXED BY %s WHERE 1", i == 0 ? "" : " UNION ALL ", what,
		    q->list->table, q->index);
		if (q->arms[i].platform != NULL)
			add(s, " AND %s", q->arms[i].platform);
		if (q->arms[i].status != NULL)
			add(s, " AND %s = '%s'", q->list->status, q->arms[i].status);
		if (q->sort->condition != NULL)
			add(s, " AND %s", q->sort->condition);
		add_bounds(s, q, scope);
		if (with_tests)
			add_tests(s, q);
	}
}

static void
add_columns(struct sql *s, const struct ph_list *l, uint64_t fields)
{
	size_t i;

	for (i = 0; i < l->nfields; i++)
		add(s, ", %s", fields >> i & 1 ? l->columns[i].sql : "NULL");
}

static void
add_page(struct sql *s, const struct query *q)
{
	const char	*order = q->is_descending ? " DESC" : "";
	char		 what[128];

	add(s, "SELECT k.v, k.i");
	add_columns(s, q->list, q->fields);
	snprintf(what, sizeof(what), "t.rowid AS r, %s AS v, t.id AS i", q->sort->sql);
	add(s, " FROM (");
	add_arms(s, q, what, FROM_CURSOR, 1);
	add(s, " ORDER BY v%s, i%s LIMIT $5 OFFSET $6) AS k CROSS JOIN %s AS t ON t.rowid = k.r%s"
	    " ORDER BY k.v%s, k.i%s", order, order, q->list->table, q->list->joins != NULL ? q->list->joins : "",
	    order, order);
}

/* Does the statement have that parameter? */
static int
has_param(const char *sql, int number)
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
bind_value(struct ph_stmt *st, const struct query *q, int number, const struct position *at)
{
	if (q->sort->is_real)
		ph_stmt_bind_double(st, number, at->real);
	else
		ph_stmt_bind_int(st, number, at->num);
}

static void
bind_query(struct ph_stmt *st, const char *sql, const struct query *q, enum scope scope)
{
	const struct position	from = { .num = q->filter.from_ms }, to = { .num = q->filter.to_ms };
	const int		is_after = scope != FROM_START && q->after.is_set;
	size_t			i;

	if (has_param(sql, B_NOW))
		ph_stmt_bind_int(st, B_NOW, q->now_ms);
	if (has_param(sql, B_LOW))
		bind_value(st, q, B_LOW, is_after && !q->is_descending ? &q->after :
		    q->bound.is_set && q->is_descending ? &q->bound : &from);
	if (has_param(sql, B_HIGH))
		bind_value(st, q, B_HIGH, is_after && q->is_descending ? &q->after :
		    q->bound.is_set && !q->is_descending ? &q->bound : &to);
	if (has_param(sql, B_ID))
		ph_stmt_bind_text(st, B_ID, q->after.id);
	if (has_param(sql, B_LIKE))
		ph_stmt_bind_text(st, B_LIKE, q->like);
	if (has_param(sql, B_PREFIX))
		ph_stmt_bind_text(st, B_PREFIX, q->prefix);
	for (i = 0; i < q->list->nextras; i++)
		if (has_param(sql, B_EXTRA + (int)i))
			ph_stmt_bind_text(st, B_EXTRA + (int)i, q->extras[i]);
	if (has_param(sql, B_TIME))
		ph_filter_bind_time(&q->filter, st);
	if (has_param(sql, B_PLATFORM))
		ph_filter_bind_platform(&q->filter, st);
}

/* Run a statement for its first row: PH_ROW with column 0 in *at, PH_DONE, or a failure. */
static enum ph_rc
first_row(struct ph_db *db, const struct sql *s, const struct query *q, enum scope scope, int64_t offset,
    struct position *at, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	bind_query(st, s->text, q, scope);
	if (has_param(s->text, B_OFFSET))
		ph_stmt_bind_int(st, B_OFFSET, offset);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		at->num = ph_stmt_int(st, 0);
		at->real = ph_stmt_double(st, 0);
	}
	ph_stmt_drop(st);
	return rc;
}

/* Where the rows end that this page may test: q->bound. */
static enum ph_rc
bound_arms(struct ph_db *db, struct query *q, struct sql *s, struct ph_err *err)
{
	char		what[96];
	enum ph_rc	rc;

	q->bound = (struct position){ 0 };
	if (!q->tests_rows)
		return PH_OK;
	s->len = 0;
	snprintf(what, sizeof(what), "%s AS v", q->sort->sql);
	add_arms(s, q, what, FROM_CURSOR_VALUE, 0);
	add(s, " ORDER BY v%s LIMIT 1 OFFSET $6", q->is_descending ? " DESC" : "");
	rc = first_row(db, s, q, FROM_CURSOR_VALUE, SCAN_MAX, &q->bound, err);
	if (rc == PH_ROW)
		q->bound.is_set = q->bound.is_end = 1;
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* The same, by the arms that have few rows if there is a choice. */
static enum ph_rc
find_bound(struct ph_db *db, struct query *q, struct sql *s, struct ph_err *err)
{
	enum ph_rc rc = bound_arms(db, q, s, err);

	if (rc != PH_OK || !q->bound.is_set || !q->has_choice)
		return rc;
	plan(q, 1);
	if ((rc = bound_arms(db, q, s, err)) != PH_OK || !q->bound.is_set)
		return rc;
	plan(q, 0);
	return bound_arms(db, q, s, err);
}

/* How many rows there are, counted up to PH_LIST_TOTAL_MAX and within the first page's bound. */
static enum ph_rc
find_total(struct ph_db *db, struct query *q, struct sql *s, struct ph_err *err)
{
	struct position	n = { 0 };
	enum ph_rc	rc;

	s->len = 0;
	add(s, "SELECT count(*) FROM (");
	add_arms(s, q, "1", FROM_START, 1);
	add(s, " LIMIT %d)", PH_LIST_TOTAL_MAX + 1);
	if ((rc = first_row(db, s, q, FROM_START, 0, &n, err)) != PH_ROW)
		return rc == PH_DONE ? ph_fail(err, PH_EINTERNAL, "a count has no row") : rc;
	q->total = n.num > PH_LIST_TOTAL_MAX ? PH_LIST_TOTAL_MAX : n.num;
	q->is_capped = n.num > PH_LIST_TOTAL_MAX || q->bound.is_set;
	return PH_OK;
}

/* -- rows --------------------------------------------------------------------------------- */

struct row {
	struct ph_value	 values[PH_LIST_COLUMNS_MAX];
	char		*cut[PH_LIST_COLUMNS_MAX];	/* texts that were too long, owned */
};

static void
row_free(struct row *r)
{
	size_t i;

	for (i = 0; i < PH_LIST_COLUMNS_MAX; i++) {
		free(r->cut[i]);
		r->cut[i] = NULL;
	}
}

/* The columns of the statement from `first` on.  text_max 0: texts are whole. */
static enum ph_rc
row_read(struct row *r, const struct ph_list *l, struct ph_stmt *st, int first, size_t text_max,
    struct ph_err *err)
{
	const char	*s;
	size_t		 i, len;

	row_free(r);
	for (i = 0; i < l->nfields; i++) {
		const int col = first + (int)i;

		if (ph_stmt_is_null(st, col))
			r->values[i] = ph_v_null();
		else if (l->fields[i].type == PH_DECIMAL)
			r->values[i] = l->columns[i].den != 0 ?
			    ph_v_ratio(ph_stmt_int(st, col), l->columns[i].den) : ph_v_real(ph_stmt_double(st, col));
		else if (l->fields[i].type != PH_TEXT && l->fields[i].type != PH_ANY)
			r->values[i] = ph_v_int(ph_stmt_int(st, col));
		else {
			if ((s = ph_stmt_text(st, col)) == NULL)
				return ph_fail(err, PH_ENOMEM, "not enough memory for a text");
			len = strlen(s);
			if (text_max != 0 && len > text_max) {
				if ((r->cut[i] = strndup(s, ph_utf8_cut(s, len, text_max))) == NULL)
					return ph_fail(err, PH_ENOMEM, "not enough memory for a text");
				s = r->cut[i];
			}
			r->values[i] = ph_v_str(s);
		}
	}
	return PH_OK;
}

static void
row_write(const struct row *r, const struct ph_list *l, uint64_t fields, struct ph_json *out)
{
	size_t i;

	for (i = 0; i < l->nfields; i++)
		if (fields >> i & 1)
			ph_json_fields(out, &l->fields[i], &r->values[i], 1);
}

static void
note_position(struct position *at, struct ph_stmt *st)
{
	at->is_set = 1;
	at->is_end = 0;
	at->num = ph_stmt_int(st, 0);
	at->real = ph_stmt_double(st, 0);
	snprintf(at->id, sizeof(at->id), "%s", ph_stmt_text(st, 1));
}

/* -- a page of JSON --------------------------------------------------------------------------- */

/* Write the items of a page into the open array.  next->is_set: there may be more behind it.  A first
 * page that takes all there is to see has the total, too. */
static enum ph_rc
write_items(struct ph_db *db, struct query *q, struct sql *s, struct ph_json *out, struct position *next,
    struct ph_err *err)
{
	struct row	 row = { 0 };
	struct ph_stmt	*st;
	int64_t		 n = 0;
	enum ph_rc	 rc;

	next->is_set = 0;
	s->len = 0;
	add_page(s, q);
	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	bind_query(st, s->text, q, FROM_CURSOR);
	ph_stmt_bind_int(st, B_LIMIT, q->limit + 1);
	ph_stmt_bind_int(st, B_OFFSET, q->offset);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && n < q->limit) {
		if (row_read(&row, q->list, st, 2, PH_LIST_TEXT_MAX, err) != PH_OK) {
			rc = err->rc;
			break;
		}
		ph_json_obj_open(out, NULL);
		row_write(&row, q->list, q->fields, out);
		ph_json_close(out);
		if (++n == q->limit)
			note_position(next, st);
	}
	row_free(&row);
	if (rc == PH_DONE) {
		*next = q->bound;
		if (q->total < 0 && q->offset == 0) {
			q->total = n;
			q->is_capped = q->bound.is_set;
		}
	}
	ph_stmt_drop(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* Link to the next page: the query as it was, but for the cursor.  None if that were too long. */
static enum ph_rc
add_link(struct ph_req *req, const char *path, const char *cursor, struct ph_err *err)
{
	const char	*query = ph_req_env(req, "QUERY_STRING");
	char		 kept[LINK_MAX];
	size_t		 len, n = 0, i;

	for (query = query != NULL ? query : ""; *query != '\0'; query += len + (query[len] == '&')) {
		len = strcspn(query, "&");
		if (len == 0 || strncmp(query, "cursor=", 7) == 0 || strncmp(query, "offset=", 7) == 0)
			continue;
		for (i = 0; i < len; i++) {
			const unsigned char c = (unsigned char)query[i];

			if (n + 5 >= sizeof(kept))
				return PH_OK;
			if (c <= ' ' || c >= 0x7f || strchr("<>\"\\^`{|}", c) != NULL)
				n += (size_t)snprintf(kept + n, sizeof(kept) - n, "%%%02X", c);
			else
				kept[n++] = query[i];
		}
		kept[n++] = '&';
	}
	kept[n] = '\0';
	if (n + strlen(path) + strlen(cursor) + 32 > LINK_MAX)
		return PH_OK;
	return ph_req_header(req, err, "Link: <%s?%scursor=%s>; rel=\"next\"", path, kept, cursor);
}

enum { A_ITEMS, A_LIMIT, A_NEXT_CURSOR, A_TOTAL, A_TOTAL_CAPPED, A__MAX };

static enum ph_rc
list_get(struct ph_req *req, const struct ph_list *list, const struct ph_list_params *p,
    const struct ph_field *fields, struct ph_json *out, struct ph_err *err)
{
	struct ph_db			*db = ph_req_db(req);
	struct query			*q = malloc(sizeof(*q));
	struct sql			*s = malloc(sizeof(*s));
	struct ph_value			 v[A__MAX] = { 0 };
	struct position			 next;
	char				 cursor[PH_SEALED_MAX];
	enum ph_rc			 rc;

	if (q == NULL || s == NULL) {
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the list");
		goto out;
	}
	if ((rc = ph_table_elsewhere(req, P_FORMAT, list->name, err)) != PH_DONE)
		goto out;
	if ((rc = ph_req_header(req, err, "Vary: Accept")) != PH_OK ||
	    (rc = read_query(q, list, p, ph_req_args(req), ph_req_now_ms(req), err)) != PH_OK ||
	    (rc = find_bound(db, q, s, err)) != PH_OK)
		goto out;
	ph_json_arr_open(out, "items");
	if ((rc = write_items(db, q, s, out, &next, err)) != PH_OK ||
	    (q->total < 0 && (rc = find_total(db, q, s, err)) != PH_OK))
		goto out;
	ph_json_close(out);
	v[A_LIMIT] = ph_v_int(q->limit);
	v[A_NEXT_CURSOR] = ph_v_null();
	v[A_TOTAL] = ph_v_int(q->total);
	v[A_TOTAL_CAPPED] = ph_v_int(q->is_capped);
	if (next.is_set) {
		if ((rc = make_cursor(q, &next, cursor, err)) != PH_OK ||
		    (rc = add_link(req, list->path, cursor, err)) != PH_OK)
			goto out;
		v[A_NEXT_CURSOR] = ph_v_str(cursor);
	}
	ph_json_fields(out, fields, v, A__MAX);
out:
	free(s);
	free(q);
	return rc;
}

/* The list of this program. */
static const struct ph_list	*own_list;
static struct ph_list_params	 own_params;
static struct ph_field		 own_fields[A__MAX] = {
	[A_ITEMS] = { .name = "items", .type = PH_ARRAY, .text = "The rows of the page. With fields= they have no others." },
	[A_LIMIT] = { .name = "limit", .text = "Rows of a page, as asked for." },
	[A_NEXT_CURSOR] = { .name = "next_cursor", .type = PH_TEXT, .is_nullable = 1,
	    .text = "cursor= of the next page; null: this is the last one. A page with a rare filter may be "
		"short, or empty, and have one: it goes on behind the rows that were looked at." },
	[A_TOTAL] = { .name = "total", .text = "Rows that the filters let through, as counted for the first page, "
	    "at most 10000." },
	[A_TOTAL_CAPPED] = { .name = "total_capped", .type = PH_BOOL,
	    .text = "Whether counting stopped at total and there may be more." },
};

static enum ph_rc
own_list_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	return list_get(req, own_list, &own_params, own_fields, out, err);
}

int
ph_list_main(const struct ph_list *list, int argc, char **argv)
{
	struct ph_route route = {
		.name = list->route, .path = list->path, .needs = PH_NEED_DB_READ,
		.ops[PH_GET] = {
			.scope = list->scope, .summary = list->summary,
			.fields = own_fields, .nfields = A__MAX, .handle = own_list_get,
		},
	};

	own_list = list;
	ph_list_params(list, &own_params);
	own_fields[A_ITEMS].fields = list->fields;
	own_fields[A_ITEMS].nfields = list->nfields;
	route.ops[PH_GET].params = own_params.table;
	route.ops[PH_GET].nparams = own_params.n;
	return ph_endpoint_main(&route, argc, argv);
}

/* -- one row -------------------------------------------------------------------------------- */

enum { I_ID, I_TIME, I__MAX };
static const struct ph_param item_params[I__MAX] = {
	[I_ID] = { .name = "id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = ID_MAX, .text = "Of the row." },
	[I_TIME] = PH_PARAM_TIME,
};

/* The row with that id into the open object.  PH_ENOTFOUND. */
static enum ph_rc
write_row(struct ph_db *db, const struct ph_list_item *item, const char *id, int64_t now_ms, struct sql *s,
    struct ph_json *out, struct ph_err *err)
{
	const struct ph_list	*l = item->list;
	struct row		 row = { 0 };
	struct ph_stmt		*st;
	enum ph_rc		 rc;

	s->len = 0;
	add(s, "SELECT 1");
	add_columns(s, l, UINT64_MAX);
	add(s, " FROM %s AS t%s WHERE t.id = $14", l->table, l->joins != NULL ? l->joins : "");
	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, B_EXTRA, id);
	if (has_param(s->text, B_NOW))
		ph_stmt_bind_int(st, B_NOW, now_ms);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && (rc = row_read(&row, l, st, 1, 0, err)) == PH_OK)
		row_write(&row, l, UINT64_MAX, out);
	else if (rc == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "there is no such %s", item->what);
	row_free(&row);
	ph_stmt_drop(st);
	return rc;
}

static enum ph_rc
write_part(struct ph_db *db, const struct ph_list_part *part, const char *id, int64_t now_ms, struct sql *s,
    struct ph_json *out, struct ph_err *err)
{
	const struct ph_list	*l = part->list;
	const char		*order = l->sorts[0].is_ascending ? "" : " DESC";
	struct row		 row = { 0 };
	struct ph_stmt		*st;
	enum ph_rc		 rc;

	s->len = 0;
	add(s, "SELECT 1");
	add_columns(s, l, UINT64_MAX);
	add(s, " FROM %s AS t INDEXED BY %s%s WHERE %s ORDER BY %s%s, t.id%s LIMIT %d", l->table, part->index,
	    l->joins != NULL ? l->joins : "", part->sql, l->sorts[0].sql, order, order, PH_LIST_LIMIT_MAX);
	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, B_EXTRA, id);
	if (has_param(s->text, B_NOW))
		ph_stmt_bind_int(st, B_NOW, now_ms);
	ph_json_arr_open(out, part->name);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && (rc = row_read(&row, l, st, 1, PH_LIST_TEXT_MAX, err)) == PH_OK) {
		ph_json_obj_open(out, NULL);
		row_write(&row, l, UINT64_MAX, out);
		ph_json_close(out);
	}
	ph_json_close(out);
	row_free(&row);
	ph_stmt_drop(st);
	return rc == PH_DONE ? PH_OK : rc;
}

/* The item of this program. */
static const struct ph_list_item *own_item;

static enum ph_rc
own_item_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_db	*db = ph_req_db(req);
	const char	*id = ph_req_text(req, I_ID);
	struct sql	*s = malloc(sizeof(*s));
	enum ph_rc	 rc;
	size_t		 i;

	if (s == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the row");
	rc = write_row(db, own_item, id, ph_req_now_ms(req), s, out, err);
	for (i = 0; i < own_item->nparts && rc == PH_OK; i++)
		rc = write_part(db, &own_item->parts[i], id, ph_req_now_ms(req), s, out, err);
	free(s);
	return rc;
}

int
ph_list_item_main(const struct ph_list_item *item, int argc, char **argv)
{
	static struct ph_field	fields[PH_LIST_COLUMNS_MAX + 4];
	const size_t		n = item->list->nfields;
	struct ph_route		route = {
		.name = item->route, .path = item->path, .needs = PH_NEED_DB_READ,
		.ops[PH_GET] = {
			.scope = item->list->scope, .summary = item->summary,
			.params = item_params, .nparams = I__MAX,
			.fields = fields, .nfields = n + item->nparts, .handle = own_item_get,
		},
	};
	size_t i;

	own_item = item;
	assert(n + item->nparts <= sizeof(fields) / sizeof(fields[0]));
	memcpy(fields, item->list->fields, n * sizeof(fields[0]));
	for (i = 0; i < item->nparts; i++)
		fields[n + i] = (struct ph_field){ .name = item->parts[i].name, .type = PH_ARRAY,
		    .fields = item->parts[i].list->fields, .nfields = item->parts[i].list->nfields,
		    .text = item->parts[i].text };
	return ph_endpoint_main(&route, argc, argv);
}

/* -- exports ---------------------------------------------------------------------------------- */

static enum ph_rc
fail_size(int64_t rows_max, struct ph_err *err)
{
	return ph_fail(err, PH_EEXPORTTOOBIG, "there are more than %" PRId64 " rows: narrow them with from and to%s",
	    rows_max, rows_max <= PH_XLSX_ROWS_MAX ? ", or ask for csv" : "");
}

/* PH_EEXPORTTOOBIG if it can be seen at once that there are more than rows_max rows. */
static enum ph_rc
check_size(struct ph_db *db, const struct query *q, struct sql *s, int64_t rows_max, struct ph_err *err)
{
	struct position	n = { 0 };
	enum ph_rc	rc;

	s->len = 0;
	add(s, "SELECT max(rowid) FROM %s", q->list->table);
	if ((rc = first_row(db, s, q, FROM_START, 0, &n, err)) != PH_ROW)
		return rc == PH_DONE ? PH_OK : rc;
	if (n.num <= rows_max || q->tests_rows)
		return PH_OK;
	s->len = 0;
	add_arms(s, q, "1", FROM_START, 0);
	add(s, " LIMIT 1 OFFSET $6");
	if ((rc = first_row(db, s, q, FROM_START, rows_max, &n, err)) == PH_ROW)
		return fail_size(rows_max, err);
	return rc == PH_DONE ? PH_OK : rc;
}

/* One page of rows into the table; *left are those that are still wanted.  The position of the last
 * one to q->after; PH_DONE when there are no more. */
static enum ph_rc
export_page(struct ph_db *db, struct query *q, const struct sql *s, struct ph_table *table,
    const size_t *shown, size_t nshown, int64_t *left, struct ph_err *err)
{
	const int64_t	 limit = *left < EXPORT_PAGE ? *left : EXPORT_PAGE;
	struct position	 last = q->after;
	struct ph_value	 values[PH_LIST_COLUMNS_MAX];
	struct row	 row = { 0 };
	struct ph_stmt	*st;
	int64_t		 n = 0;
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = ph_db_prepare(db, s->text, &st, err)) != PH_OK)
		return rc;
	bind_query(st, s->text, q, FROM_CURSOR);
	ph_stmt_bind_int(st, B_LIMIT, limit);
	ph_stmt_bind_int(st, B_OFFSET, q->offset);
	while (ph_table_waiting(table) < EXPORT_WAITING && (rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((rc = row_read(&row, q->list, st, 2, 0, err)) != PH_OK)
			break;
		for (i = 0; i < nshown; i++)
			values[i] = row.values[shown[i]];
		if ((rc = ph_table_row(table, values, err)) != PH_OK)
			break;
		note_position(&last, st);
		n++;
	}
	row_free(&row);
	ph_stmt_done(st);
	*left -= n;
	q->offset = 0;
	if (rc != PH_DONE)
		q->after = last;	/* the page ended early, or there was a failure */
	else if (n == limit)
		q->after = last, rc = PH_OK;
	else if (q->bound.is_set)
		q->after = q->bound, rc = PH_OK;
	return rc == PH_ROW ? PH_OK : rc;
}

/* All pages.  Statements are prepared twice: for the first page, which has no cursor, and the others;
 * with rows to be tested for each page, because each has its bound. */
static enum ph_rc
export_pages(struct ph_req *req, struct query *q, struct sql *s, struct ph_table *table, const size_t *shown,
    size_t nshown, int64_t *left, struct ph_err *err)
{
	struct ph_db	*db = ph_req_db(req);
	int		 was_after = -1;
	enum ph_rc	 rc = PH_OK;

	while (rc == PH_OK && *left > 0) {
		const int is_after = q->after.is_set ? 1 + q->after.is_end : 0;

		if (q->tests_rows || is_after != was_after) {
			ph_db_forget(db, s->text);
			if ((rc = find_bound(db, q, s, err)) != PH_OK)
				break;
			s->len = 0;
			add_page(s, q);
			was_after = is_after;
		}
		if ((rc = export_page(db, q, s, table, shown, nshown, left, err)) != PH_OK)
			break;
		/* Whoever reads slowly holds no snapshot. */
		ph_db_end(db);
		if ((rc = ph_table_send(table, err)) == PH_OK)
			rc = ph_db_begin(db, err);
	}
	ph_db_forget(db, s->text);
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_list_export(struct ph_req *req, const struct ph_list *list, const struct ph_list_params *p,
    const struct ph_args *args, struct ph_table_options options, int64_t rows_max, struct ph_err *err)
{
	const int	 has_limit = args->values[P_LIMIT].is_set;
	struct query	*q = malloc(sizeof(*q));
	struct sql	*s = malloc(sizeof(*s));
	struct ph_table	*table = NULL;
	struct ph_field	 fields[PH_LIST_COLUMNS_MAX];
	size_t		 shown[PH_LIST_COLUMNS_MAX], n = 0, i;
	int64_t		 left;
	enum ph_rc	 rc;

	if (q == NULL || s == NULL) {
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the export");
		goto out;
	}
	if ((rc = read_query(q, list, p, args, ph_req_now_ms(req), err)) != PH_OK ||
	    (!has_limit && (rc = check_size(ph_req_db(req), q, s, rows_max, err)) != PH_OK))
		goto out;
	for (i = 0; i < list->nfields; i++)
		if (q->fields >> i & 1) {
			shown[n] = i;
			fields[n++] = list->fields[i];
		}
	ph_table_read_options(&options, args, P_TABLE);
	options.name = list->name;
	options.time_style = (enum ph_time_style)args->values[P_TIME].num;
	if ((table = ph_table_new(req, &options, fields, n, err)) == NULL) {
		rc = err->rc;
		goto out;
	}
	left = has_limit ? q->limit : rows_max + 1;
	if (ph_table_wants_rows(table) &&
	    (rc = export_pages(req, q, s, table, shown, n, &left, err)) == PH_OK && left == 0 && !has_limit)
		rc = fail_size(rows_max, err);
	if (rc == PH_OK)
		rc = ph_table_finish(table, err);
out:
	ph_table_free(table);
	free(s);
	free(q);
	return rc;
}
