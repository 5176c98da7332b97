/*
 * list-query.c -- what a request asks of a list: its parameters, and the cursor from page to page.
 *
 * A cursor is a sealed JSON object: the sort value v and the id i of the last row (without i it stands behind all of
 * that value), a hash f of list, order and filters, the window from and to of the first page, its total t
 * (capped: c), and what is left of an offset, o.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/hash.h"
#include "core/number.h"
#include "domain/list-query.h"

enum { HASHED_SIZE = 16384 };		/* the filters as text */

static const struct ph_param common_params[PH_LIST_P__COMMON] = {
	[PH_LIST_P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = PH_LIST_LIMIT_MAX, .dflt = PH_LIST_LIMIT,
	    .text = "Rows of a page." },
	[PH_LIST_P_CURSOR] = { .name = "cursor", .type = PH_P_TEXT, .min = 1, .max = PH_SEALED_MAX - 1,
	    .text = "next_cursor of the page before, with the same filters and sort." },
	[PH_LIST_P_OFFSET] = { .name = "offset", .type = PH_P_INT, .min = 0, .max = PH_LIST_OFFSET_MAX,
	    .text = "Rows to skip, for old clients; a cursor is better and goes deeper." },
	[PH_LIST_P_SORT] = { .name = "sort", .type = PH_P_CHOICE },
	[PH_LIST_P_Q] = { .name = "q", .type = PH_P_TEXT, .min = 1, .max = 4 * PH_LIST_Q_MAX,
	    .text = "Only rows whose id begins with it, or that have it in a name or error text; at most 100 "
		"characters. ASCII letters match in either case." },
	[PH_LIST_P_FIELDS] = { .name = "fields", .type = PH_P_CHOICES,
	    .text = "Only these fields of the items, in the order of the list." },
	[PH_LIST_P_TIME] = PH_PARAM_TIME,
	[PH_LIST_P_FORMAT] = PH_PARAM_FORMAT,
	PH_TABLE_PARAMS(PH_LIST_P_TABLE),
};

static const struct ph_param filter_params[PH_FILTER_NPARAMS] = { PH_FILTER_PARAMS(0) };

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
	n = PH_LIST_P__COMMON;
	p->table[PH_LIST_P_SORT].choices = p->sort_choices;
	p->table[PH_LIST_P_SORT].text = p->sort_text;
	p->table[PH_LIST_P_FIELDS].choices = p->field_choices;
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
make_hash(struct ph_list_query *q, const struct ph_list_params *p, const struct ph_args *args)
{
	unsigned char	digest[PH_SHA256_SIZE];
	char		text[HASHED_SIZE];
	size_t		len, i;

	len = (size_t)snprintf(text, sizeof(text), "%s\n%s%s\n%" PRIx64 "\n", q->list->name,
	    q->is_descending ? "-" : "", q->sort->name, q->statuses);
	for (i = PH_LIST_P_Q; i < p->n; i++)
		if ((i == PH_LIST_P_Q || (i >= PH_LIST_P__COMMON && i != p->status) ||
		    (i == p->status && q->list->status == NULL)) && args->values[i].is_set && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s=%s\n", p->table[i].name,
			    args->values[i].text);
	ph_sha256(digest, text, len < sizeof(text) ? len : sizeof(text) - 1);
	for (i = 0; i < PH_LIST_HASH_LEN / 2; i++)
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

/* The cursor to where it points, the window of time that the first page had, its total, and the rest of its offset. */
static enum ph_rc
read_cursor(struct ph_list_query *q, const char *sealed, struct ph_err *err)
{
	char		 text[PH_SEAL_TEXT_MAX + 1];
	cJSON		*o = NULL;
	const cJSON	*id;
	const char	*value, *hash;
	double		 d;
	enum ph_rc	 rc = ph_unseal("cursor", sealed, text, err);

	if (rc != PH_OK)
		return rc == PH_EPARAM ? refuse_cursor(err) : rc;
	if ((o = cJSON_Parse(text)) == NULL)	/* it is ours, so it is well-formed */
		return ph_fail(err, PH_ENOMEM, "not enough memory for the cursor");
	value = cJSON_GetStringValue(cJSON_GetObjectItem(o, "v"));
	hash = cJSON_GetStringValue(cJSON_GetObjectItem(o, "f"));
	if (hash == NULL || strcmp(hash, q->hash) != 0 || value == NULL || (!q->sort->is_real &&
	    ph_parse_int(value, strlen(value), INT64_MIN, INT64_MAX, &q->after.num) != 0)) {
		cJSON_Delete(o);
		return refuse_cursor(err);
	}
	if (q->sort->is_real)
		q->after.real = strtod(value, NULL);
	q->after.is_set = 1;
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
	if (get_number(o, "o", &d) == 0)
		q->offset = (int64_t)d;
	cJSON_Delete(o);
	return PH_OK;
}

enum ph_rc
ph_list_make_cursor(const struct ph_list_query *q, const struct ph_list_position *at, char out[PH_SEALED_MAX],
    struct ph_err *err)
{
	cJSON		*o = cJSON_CreateObject();
	char		 value[32], *text = NULL;
	enum ph_rc	 rc;
	int		 is_whole;

	/* As a text with all its digits: a number of cJSON is a double, and printed with 15 of them. */
	if (q->sort->is_real)
		snprintf(value, sizeof(value), "%.17g", at->real);
	else
		snprintf(value, sizeof(value), "%" PRId64, at->num);
	/* Without one of these it would be the cursor of another place. */
	is_whole = cJSON_AddStringToObject(o, "v", value) != NULL &&
	    (at->is_end || cJSON_AddStringToObject(o, "i", at->id) != NULL) &&
	    cJSON_AddStringToObject(o, "f", q->hash) != NULL &&
	    (!q->filter.has_time || cJSON_AddNumberToObject(o, "from", (double)q->filter.from_ms) != NULL) &&
	    (!q->filter.has_time || q->filter.to_ms == INT64_MAX ||
	    cJSON_AddNumberToObject(o, "to", (double)q->filter.to_ms) != NULL) &&
	    (q->offset == 0 || cJSON_AddNumberToObject(o, "o", (double)q->offset) != NULL) &&
	    (q->total < 0 || (cJSON_AddNumberToObject(o, "t", (double)q->total) != NULL &&
	    cJSON_AddBoolToObject(o, "c", q->is_capped) != NULL));
	if (is_whole)
		text = cJSON_PrintUnformatted(o);
	cJSON_Delete(o);
	rc = text != NULL ? ph_seal("cursor", text, out, err) : ph_fail(err, PH_ENOMEM, "not enough memory");
	cJSON_free(text);
	return rc;
}

enum ph_rc
ph_list_read(struct ph_list_query *q, const struct ph_list *list, const struct ph_list_params *p,
    const struct ph_args *args, int64_t now_ms, struct ph_err *err)
{
	const size_t	sort = (size_t)args->values[PH_LIST_P_SORT].num;
	size_t		i;
	enum ph_rc	rc;

	memset(q, 0, sizeof(*q));
	q->list = list;
	q->now_ms = now_ms;
	q->total = -1;
	q->sort = &list->sorts[sort / 2];
	q->is_descending = (sort % 2 == 0) != q->sort->is_ascending;
	q->limit = args->values[PH_LIST_P_LIMIT].num;
	q->offset = args->values[PH_LIST_P_OFFSET].num;
	q->fields = args->values[PH_LIST_P_FIELDS].is_set ? (uint64_t)args->values[PH_LIST_P_FIELDS].num :
	    (UINT64_C(1) << list->nfields) - 1;
	if (list->status != NULL && args->values[p->status].is_set)
		q->statuses = (uint64_t)args->values[p->status].num;
	for (i = 0; i < list->nextras; i++)
		if (args->values[p->extras + i].is_set)
			q->extras[i] = args->values[p->extras + i].text;
	if (args->values[PH_LIST_P_Q].is_set) {
		q->q = args->values[PH_LIST_P_Q].text;
		if (count_chars(q->q) > PH_LIST_Q_MAX)
			return ph_fail_param(err, "q", 1, "at most %d characters are allowed", PH_LIST_Q_MAX);
		make_pattern(q->like, "%", q->q);
		make_pattern(q->prefix, "", q->q);
	}
	if ((rc = ph_filter_read(&q->filter, args, p->filter, now_ms, err)) != PH_OK)
		return rc;
	make_hash(q, p, args);
	if (args->values[PH_LIST_P_CURSOR].is_set) {
		if (args->values[PH_LIST_P_OFFSET].is_set)
			return ph_fail_param(err, "offset", 6, "not together with cursor");
		if ((rc = read_cursor(q, args->values[PH_LIST_P_CURSOR].text, err)) != PH_OK)
			return rc;
	}
	ph_list_plan(q, 0);
	return PH_OK;
}
