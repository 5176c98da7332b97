/*
 * ingest.c -- a batch: parse, compare with what is there, put many rows at a time.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/hash.h"
#include "domain/ingest.h"
#include "domain/lifecycle.h"

enum { PREFIX_SIZE = 16 };

enum result { CREATED, UPDATED, UNCHANGED, REFUSED };
static const char *const results[] = { "created", "updated", "unchanged", "refused", NULL };

struct row {
	cJSON		*object;	/* of a document of the batch; NULL: a broken line */
	const char	*id;
	char		 made_id[37];
	int		 is_repeat;	/* an earlier row has its id */
	enum result	 result;
	cJSON		*errors;	/* array; NULL: none */
};

struct batch {
	struct ph_db			*db;
	const struct ph_ingest		*in;
	const struct ph_ingest_kind	*kind;
	cJSON				*documents;	/* array of what was parsed */
	struct row			*rows;
	size_t				 nrows;
	size_t				 first, next;	/* rows in temp.incoming: [first, next) */
	struct ph_args			 args;		/* of the row at hand */
	struct ph_ingest_cell		 cells[PH_INGEST_CELLS];
	char				*texts[PH_INGEST_CELLS];	/* JSON in cells, owned */
};

/* -- what is wrong with a row --------------------------------------------------------- */

static const struct ph_field error_fields[] = {
	{ .name = "param", .type = PH_TEXT, .text = "Row and member, e.g. [3].clip_id." },
	{ .name = "detail", .type = PH_TEXT, .text = "What is wrong with it." },
};
enum { R_INDEX, R_ID, R_RESULT, R_ERRORS, R__MAX };
static const struct ph_field row_fields[R__MAX] = {
	[R_INDEX] = { .name = "index", .text = "Of the row in the batch, from 0." },
	[R_ID] = { .name = "id", .type = PH_TEXT, .is_nullable = 1, .text = "Of the row; null: it has none." },
	[R_RESULT] = { .name = "result", .type = PH_TEXT, .choices = results, .text = "What became of it." },
	[R_ERRORS] = { .name = "errors", .type = PH_ARRAY, .fields = error_fields, .nfields = 2,
	    .text = "Why it was refused; else empty." },
};
enum { F_RESULTS, F_CREATED, F_UPDATED, F_UNCHANGED, F_REFUSED };
const struct ph_field ph_ingest_fields[PH_INGEST_NFIELDS] = {
	[F_RESULTS] = { .name = "results", .type = PH_ARRAY, .fields = row_fields, .nfields = R__MAX,
	    .text = "One object per row, in their order." },
	[F_CREATED] = { .name = "created", .text = "Rows that are new." },
	[F_UPDATED] = { .name = "updated", .text = "Rows that were there and changed." },
	[F_UNCHANGED] = { .name = "unchanged", .text = "Rows that were there and say the same." },
	[F_REFUSED] = { .name = "refused", .text = "Rows that left nothing behind." },
};

static const char *
row_prefix(const struct batch *b, const struct row *row, char buf[PREFIX_SIZE])
{
	snprintf(buf, PREFIX_SIZE, "[%zu].", (size_t)(row - b->rows));
	return buf;
}

/* Take the parameter errors of err over to the row, and forget them. */
static enum ph_rc
refuse(struct row *row, struct ph_err *err)
{
	cJSON	*one;
	size_t	 i;

	row->result = REFUSED;
	if (row->errors == NULL && (row->errors = cJSON_CreateArray()) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the answer");
	for (i = 0; i < err->nparams; i++) {
		one = cJSON_CreateObject();
		cJSON_AddStringToObject(one, "param", err->params[i].param);
		cJSON_AddStringToObject(one, "detail", err->params[i].detail);
		cJSON_AddItemToArray(row->errors, one);
	}
	*err = (struct ph_err){ .rc = PH_OK };
	return PH_OK;
}

/* The same for one thing, member NULL: with the row as a whole. */
static enum ph_rc
refuse_for(const struct batch *b, struct row *row, const char *member, const char *detail, struct ph_err *err)
{
	struct ph_err	own = { .rc = PH_OK };		/* detail may lie in err */
	char		prefix[PREFIX_SIZE], name[64];

	row_prefix(b, row, prefix);
	if (member == NULL)
		prefix[strlen(prefix) - 1] = '\0';
	snprintf(name, sizeof(name), "%s%s", prefix, member != NULL ? member : "");	/* may be cut */
	ph_fail_param(&own, name, strlen(name), "%s", detail);
	*err = own;
	return refuse(row, err);
}

/* -- documents ------------------------------------------------------------------------ */

/* Room for n rows. */
static enum ph_rc
make_rows(struct batch *b, size_t n, struct ph_err *err)
{
	b->rows = calloc(n == 0 ? 1 : n < PH_INGEST_ROWS_MAX ? n : PH_INGEST_ROWS_MAX, sizeof(b->rows[0]));
	return b->rows != NULL ? PH_OK : ph_fail(err, PH_ENOMEM, "not enough memory for the rows");
}

static enum ph_rc
add_row(struct batch *b, cJSON *object, struct row **row, struct ph_err *err)
{
	if (b->nrows == PH_INGEST_ROWS_MAX)
		return ph_fail_param(err, "body", 4, "at most %d rows are allowed", PH_INGEST_ROWS_MAX);
	*row = &b->rows[b->nrows++];
	(*row)->object = object;
	return PH_OK;
}

/* One line per object; a broken one is a row that is refused. */
static enum ph_rc
parse_lines(struct batch *b, struct ph_err *err)
{
	const char	*p = b->in->text, *text_end = b->in->text + b->in->len, *end;
	struct row	*row = NULL;
	cJSON		*object;
	size_t		 nlines = 1;
	enum ph_rc	 rc;

	for (end = p; end < text_end; end++)
		nlines += *end == '\n';
	rc = make_rows(b, nlines, err);
	for (; p < text_end && rc == PH_OK; p = end + 1) {
		if ((end = memchr(p, '\n', (size_t)(text_end - p))) == NULL)
			end = text_end;
		if (strspn(p, " \t\r") >= (size_t)(end - p))
			continue;
		rc = ph_body_parse(p, (size_t)(end - p), &object, err);
		if (rc == PH_OK)
			cJSON_AddItemToArray(b->documents, object);
		if (rc != PH_OK && rc != PH_EBADREQUEST)
			return rc;
		if ((rc = add_row(b, object, &row, err)) == PH_OK && object == NULL)
			rc = refuse_for(b, row, NULL, err->detail + strcspn(err->detail, " ") + 1, err);
	}
	return rc;
}

static enum ph_rc
parse(struct batch *b, struct ph_err *err)
{
	struct row	*row;
	cJSON		*document, *object;
	enum ph_rc	 rc;

	if (b->in->is_ndjson)
		return parse_lines(b, err);
	if ((rc = ph_body_parse(b->in->text, b->in->len, &document, err)) != PH_OK) {
		/* More than one object, and lines: nobody said so, but what else could it be? */
		if (rc != PH_EBADREQUEST || b->in->text[strspn(b->in->text, " \t\r\n")] != '{' ||
		    strchr(b->in->text, '\n') == NULL)
			return rc;
		*err = (struct ph_err){ .rc = PH_OK };
		return parse_lines(b, err);
	}
	cJSON_AddItemToArray(b->documents, document);
	if ((rc = make_rows(b, cJSON_IsArray(document) ? (size_t)cJSON_GetArraySize(document) : 1, err)) != PH_OK)
		return rc;
	if (!cJSON_IsArray(document))
		return add_row(b, document, &row, err);
	cJSON_ArrayForEach(object, document)
		if ((rc = add_row(b, object, &row, err)) != PH_OK)
			return rc;
	return PH_OK;
}

/* -- one row -------------------------------------------------------------------------- */

/* Members into args; PH_EPARAM with what is wrong. */
static enum ph_rc
read_row(struct batch *b, const struct row *row, struct ph_err *err)
{
	const struct ph_ingest_kind	*k = b->kind;
	char				 prefix[PREFIX_SIZE];
	size_t				 i;
	enum ph_rc			 rc;

	row_prefix(b, row, prefix);
	ph_args_init(&b->args, k->params, k->nparams);
	if ((rc = ph_args_body(&b->args, row->object, prefix, 1, k->params, k->nparams, b->in->now_ms, err)) ==
	    PH_EBADREQUEST) {
		prefix[strlen(prefix) - 1] = '\0';
		*err = (struct ph_err){ .rc = PH_OK };
		rc = ph_fail_param(err, prefix, strlen(prefix), "a JSON object is needed");
	}
	for (i = 0; i < k->nparams; i++)
		if (b->args.values[i].is_null && (k->nullable & UINT32_C(1) << i) == 0) {
			char name[64];

			snprintf(name, sizeof(name), "%s%s", prefix, k->params[i].name);
			rc = ph_fail_param(err, name, strlen(name), "may not be null");
		}
	return rc;
}

/* A value that was given, or the default of one that was not. */
static enum ph_rc
given(struct batch *b, size_t i, struct ph_ingest_cell *cell, struct ph_err *err)
{
	const struct ph_param	*p = &b->kind->params[i];
	const int		 is_set = b->args.values[i].is_set;

	*cell = (struct ph_ingest_cell){ .type = PH_CELL_NULL };
	if (!is_set && (b->kind->nullable & UINT32_C(1) << i) != 0)
		return PH_OK;
	cell->type = PH_CELL_INT;
	cell->num = b->args.values[i].num;
	switch (p->type) {
	case PH_P_INSTANT:
		if (!is_set)
			cell->num = b->in->now_ms;
		break;
	case PH_P_CHOICE:
		cell->type = PH_CELL_TEXT;
		cell->text = p->choices[cell->num];
		break;
	case PH_P_NUMBER:
		cell->type = PH_CELL_REAL;
		cell->real = b->args.values[i].real;
		break;
	case PH_P_TEXT:
	case PH_P_MULTILINE:
		cell->type = PH_CELL_TEXT;
		cell->text = !is_set && i == b->kind->owner ? b->in->owner : b->args.values[i].text;
		break;
	case PH_P_JSON:
		cell->type = PH_CELL_TEXT;
		free(b->texts[i]);
		if ((b->texts[i] = cJSON_PrintUnformatted(b->args.values[i].json)) == NULL)
			return ph_fail(err, PH_ENOMEM, "not enough memory for a row");
		cell->text = b->texts[i];
		break;
	default:
		break;
	}
	return PH_OK;
}

static int
is_same(const struct ph_ingest_cell *cell, struct ph_stmt *st, int col)
{
	if (ph_stmt_is_null(st, col) || cell->type == PH_CELL_NULL)
		return ph_stmt_is_null(st, col) && cell->type == PH_CELL_NULL;
	switch (cell->type) {
	case PH_CELL_INT:
		return ph_stmt_int(st, col) == cell->num;
	case PH_CELL_REAL:
		return ph_stmt_double(st, col) >= cell->real && ph_stmt_double(st, col) <= cell->real;
	default:
		return strcmp(ph_stmt_text(st, col), cell->text) == 0;
	}
}

/* The present value of a column; text lives as long as the statement's row. */
static void
present(const struct ph_param *p, struct ph_stmt *st, int col, struct ph_ingest_cell *cell)
{
	*cell = (struct ph_ingest_cell){ .type = PH_CELL_NULL };
	if (ph_stmt_is_null(st, col))
		return;
	switch (p->type) {
	case PH_P_INT:
	case PH_P_BOOL:
	case PH_P_INSTANT:
		cell->type = PH_CELL_INT;
		cell->num = ph_stmt_int(st, col);
		break;
	case PH_P_NUMBER:
		cell->type = PH_CELL_REAL;
		cell->real = ph_stmt_double(st, col);
		break;
	default:
		cell->type = PH_CELL_TEXT;
		cell->text = ph_stmt_text(st, col);
		break;
	}
}

/* Do the rows exist that the given members name?  PH_EPARAM: no. */
static enum ph_rc
check_row(struct batch *b, const struct row *row, struct ph_err *err)
{
	const struct ph_ingest_check	*c = b->kind->checks;
	struct ph_stmt			*st;
	enum ph_rc			 rc;
	char				 prefix[PREFIX_SIZE], name[64];
	size_t				 i;

	for (i = 0; i < PH_INGEST_CHECKS_MAX && c[i].sql != NULL; i++) {
		if (!b->args.values[c[i].param].is_set)
			continue;
		if ((rc = ph_db_prepare(b->db, c[i].sql, &st, err)) != PH_OK)
			return rc;
		ph_stmt_bind_text(st, 1, b->args.values[c[i].param].text);
		ph_stmt_bind_text(st, 2, row->id);
		rc = ph_stmt_step(st, err);
		ph_stmt_done(st);
		if (rc == PH_DONE) {
			snprintf(name, sizeof(name), "%s%s", row_prefix(b, row, prefix),
			    b->kind->params[c[i].param].name);
			ph_fail_param(err, name, strlen(name), "%s", c[i].detail);
		} else if (rc != PH_ROW)
			return rc;
	}
	return err->nparams > 0 ? PH_EPARAM : PH_OK;
}

/* Is everything that the row names the caller's?  PH_EPARAM: no, or a value is nonsense. */
static enum ph_rc
guard_row(struct batch *b, const struct row *row, struct ph_err *err)
{
	const struct ph_ingest_guard	*g = b->kind->guards;
	const char			*detail;
	struct ph_stmt			*st;
	enum ph_rc			 rc;
	char				 prefix[PREFIX_SIZE], name[64];
	size_t				 i, param;

	row_prefix(b, row, prefix);
	if (b->kind->refuse != NULL && (detail = b->kind->refuse(&b->args, &param)) != NULL) {
		snprintf(name, sizeof(name), "%s%s", prefix, b->kind->params[param].name);
		ph_fail_param(err, name, strlen(name), "%s", detail);
	}
	for (i = 0; i < PH_INGEST_GUARDS_MAX && g[i].sql != NULL; i++) {
		if (!b->args.values[g[i].param].is_set)
			continue;
		if ((rc = ph_db_prepare(b->db, g[i].sql, &st, err)) != PH_OK)
			return rc;
		ph_stmt_bind_text(st, 1, b->args.values[g[i].param].text);
		ph_stmt_bind_text(st, 2, b->in->is_any ? NULL : b->in->owner);
		rc = ph_stmt_step(st, err);
		ph_stmt_done(st);
		if (rc != PH_ROW && rc != PH_DONE)
			return rc;
		snprintf(name, sizeof(name), "%s%s", prefix, b->kind->params[g[i].param].name);
		if (rc == PH_DONE)
			ph_fail_param(err, name, strlen(name), "%s", g[i].detail);
	}
	return err->nparams > 0 ? PH_EPARAM : PH_OK;
}

/* -- many rows ------------------------------------------------------------------------ */

/* Columns without a type keep what they are given. */
static const char sql_incoming[] =
	"CREATE TEMP TABLE IF NOT EXISTS incoming (n INTEGER PRIMARY KEY, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10,"
	" c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23, c24)";
static const char sql_collect[] =
	"INSERT INTO temp.incoming VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
	" $17, $18, $19, $20, $21, $22, $23, $24, $25)";
static const char sql_forget[] = "DELETE FROM temp.incoming";

static enum ph_rc
run(struct ph_db *db, const char *sql, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) == PH_OK)
		rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
collect(struct batch *b, struct row *row, struct ph_err *err)
{
	const size_t	 ncells = b->kind->nparams + (b->kind->guess != NULL ? PH_INGEST_GUESSES : 0);
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;

	if (b->kind->guess != NULL)
		b->kind->guess(b->cells);
	if ((rc = ph_db_prepare(b->db, sql_collect, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, row - b->rows);
	for (i = 0; i < ncells; i++) {
		const int at = (int)i + 2;

		if (b->cells[i].type == PH_CELL_TEXT)
			ph_stmt_bind_text(st, at, b->cells[i].text);
		else if (b->cells[i].type == PH_CELL_INT)
			ph_stmt_bind_int(st, at, b->cells[i].num);
		else if (b->cells[i].type == PH_CELL_REAL)
			ph_stmt_bind_double(st, at, b->cells[i].real);
	}
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	b->next = (size_t)(row - b->rows) + 1;
	return rc;
}

/* A rule of the data refused this row alone: which? */
static enum ph_rc
explain(struct batch *b, struct row *row, struct ph_err *err)
{
	enum ph_rc rc;

	*err = (struct ph_err){ .rc = PH_OK };
	if ((rc = read_row(b, row, err)) == PH_OK)
		rc = check_row(b, row, err);
	if (rc == PH_EPARAM)
		return refuse(row, err);
	return rc != PH_OK ? rc : refuse_for(b, row, NULL, "a rule of the database refuses it", err);
}

/* Put the rows [first, end) of temp.incoming; where one is refused, halve until it is alone. */
static enum ph_rc
put(struct batch *b, size_t first, size_t end, struct ph_err *err)
{
	const size_t	 middle = first + (end - first) / 2;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(b->db, b->kind->sql_put, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, (int64_t)first);
	ph_stmt_bind_int(st, 2, (int64_t)end - 1);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc != PH_ECONFLICT)
		return rc;
	*err = (struct ph_err){ .rc = PH_OK };
	if (end - first == 1)
		return explain(b, &b->rows[first], err);
	if ((rc = put(b, first, middle, err)) == PH_OK)
		rc = put(b, middle, end, err);
	return rc;
}

static enum ph_rc
put_collected(struct batch *b, struct ph_err *err)
{
	enum ph_rc rc = PH_OK;

	if (b->first < b->next && (rc = put(b, b->first, b->next, err)) == PH_OK)
		rc = run(b->db, sql_forget, err);
	b->first = b->next;
	return rc;
}

/* -- the decision about a row --------------------------------------------------------- */

/* Its status moves by the life cycle, with what it says about the move.  PH_EPARAM: it cannot. */
static enum ph_rc
move(struct batch *b, struct row *row, struct ph_err *err)
{
	/* By name, because logs and jobs have them at different places. */
	struct ph_move	m = { .now_ms = b->in->now_ms, .actor = b->in->actor, .published_at = -1, .failed_at = -1,
			      .scheduled_for = -1 };
	const struct {
		const char	*name;
		const char	**text;
		int64_t		*instant;
	} members[] = {
		{ "error_message", &m.error_message, NULL }, { "external_post_id", &m.external_post_id, NULL },
		{ "external_url", &m.external_url, NULL }, { "published_at", NULL, &m.published_at },
		{ "failed_at", NULL, &m.failed_at }, { "scheduled_for", NULL, &m.scheduled_for },
	};
	const int	to = (int)b->args.values[b->kind->status].num;
	enum ph_log_status	log_from;
	enum ph_job_status	job_from;
	enum ph_rc	rc;
	size_t		i, k;

	for (i = 0; i < b->kind->nparams; i++)
		for (k = 0; k < sizeof(members) / sizeof(members[0]); k++) {
			if (!b->args.values[i].is_set || strcmp(members[k].name, b->kind->params[i].name) != 0)
				continue;
			if (members[k].text != NULL)
				*members[k].text = b->args.values[i].text;
			else
				*members[k].instant = b->args.values[i].num;
		}
	rc = b->kind->cycle == PH_CYCLE_LOG ?
	    ph_log_move(b->db, row->id, (enum ph_log_status)to, &m, &log_from, err) :
	    ph_job_move(b->db, row->id, (enum ph_job_status)to, &m, &job_from, err);
	if (rc != PH_ESTATE && rc != PH_EPARAM)
		return rc;
	rc = refuse_for(b, row, "status", rc == PH_ESTATE ? err->detail : err->params[0].detail, err);
	return rc == PH_OK ? PH_EPARAM : rc;
}

/* The cells of a row that is there; *has_moves: its status is another one. */
static enum ph_rc
merge(struct batch *b, struct row *row, struct ph_stmt *st, int *has_moved, struct ph_err *err)
{
	const struct ph_ingest_kind	*k = b->kind;
	const size_t			 updated_at = k->nparams - 1;
	int				 is_changed = 0;
	enum ph_rc			 rc;
	size_t				 i;

	*has_moved = 0;
	for (i = 0; i < k->nparams; i++) {
		const int is_given = b->args.values[i].is_set || b->args.values[i].is_null;

		if (!is_given) {
			present(&k->params[i], st, (int)i, &b->cells[i]);
			continue;
		}
		if ((rc = given(b, i, &b->cells[i], err)) != PH_OK)
			return rc;
		if (is_same(&b->cells[i], st, (int)i))
			continue;
		is_changed = 1;
		if (k->cycle != PH_CYCLE_NONE && i == k->status)
			*has_moved = 1;
	}
	if (is_changed && !b->args.values[updated_at].is_set)
		b->cells[updated_at].num = b->in->now_ms;
	if (row->result != UPDATED)		/* by a move */
		row->result = is_changed ? UPDATED : UNCHANGED;
	return is_changed && !*has_moved ? collect(b, row, err) : PH_OK;
}

static enum ph_rc
find_and_merge(struct batch *b, struct row *row, int *is_there, int *has_moved, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*has_moved = 0;
	if ((rc = ph_db_prepare(b->db, b->kind->sql_find, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, row->id);
	rc = ph_stmt_step(st, err);
	*is_there = rc == PH_ROW;
	if (rc == PH_ROW)
		rc = merge(b, row, st, has_moved, err);
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
create(struct batch *b, struct row *row, struct ph_err *err)
{
	char		prefix[PREFIX_SIZE];
	enum ph_rc	rc;
	size_t		i;

	if ((rc = ph_args_finish(&b->args, row_prefix(b, row, prefix), b->kind->params, b->kind->nparams, err)) !=
	    PH_OK)
		return rc;
	for (i = 0; i < b->kind->nparams; i++)
		if ((rc = given(b, i, &b->cells[i], err)) != PH_OK)
			return rc;
	b->cells[0] = (struct ph_ingest_cell){ .type = PH_CELL_TEXT, .text = row->id };
	row->result = CREATED;
	return collect(b, row, err);
}

static enum ph_rc
decide(struct batch *b, struct row *row, struct ph_err *err)
{
	int		is_there, has_moved;
	enum ph_rc	rc;

	if (row->is_repeat && (rc = put_collected(b, err)) != PH_OK)
		return rc;
	if ((rc = read_row(b, row, err)) != PH_OK || (rc = guard_row(b, row, err)) != PH_OK)
		return rc == PH_EPARAM ? refuse(row, err) : rc;
	if (row->id == row->made_id)
		return (rc = create(b, row, err)) == PH_EPARAM ? refuse(row, err) : rc;
	if ((rc = find_and_merge(b, row, &is_there, &has_moved, err)) == PH_OK && !is_there)
		rc = create(b, row, err);
	if (rc == PH_OK && has_moved) {
		/* The move is written at once, so nothing may be wrong with the rest. */
		row->result = REFUSED;
		if ((rc = check_row(b, row, err)) == PH_OK && (rc = move(b, row, err)) == PH_OK) {
			row->result = UPDATED;
			rc = find_and_merge(b, row, &is_there, &has_moved, err);
		}
	}
	return rc == PH_EPARAM ? refuse(row, err) : rc;
}

/* -- the batch ------------------------------------------------------------------------ */

static int
by_id(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a, *y = *(const struct row *const *)b;
	const int order = strcmp(x->id, y->id);

	return order != 0 ? order : (x > y) - (x < y);
}

/* Every row's id, and which rows come back to one.  An id that is no text is refused later. */
static enum ph_rc
name_rows(struct batch *b, struct ph_err *err)
{
	struct row	**sorted = calloc(b->nrows, sizeof(sorted[0]));
	const cJSON	*id;
	size_t		  i, n = 0;

	if (sorted == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the rows");
	for (i = 0; i < b->nrows; i++) {
		struct row *row = &b->rows[i];

		id = cJSON_IsObject(row->object) ? cJSON_GetObjectItemCaseSensitive(row->object, "id") : NULL;
		if (cJSON_IsString(id)) {
			row->id = id->valuestring;
			sorted[n++] = row;
		} else if (id == NULL && cJSON_IsObject(row->object)) {
			ph_uuid_at(row->made_id, b->in->now_ms);
			row->id = row->made_id;
		}
	}
	qsort(sorted, n, sizeof(sorted[0]), by_id);
	for (i = 1; i < n; i++)
		sorted[i]->is_repeat = strcmp(sorted[i]->id, sorted[i - 1]->id) == 0;
	free(sorted);
	return PH_OK;
}

static void
count(const struct batch *b, struct ph_ingest_counts *c)
{
	int64_t	*const of[] = { &c->created, &c->updated, &c->unchanged, &c->refused };
	size_t	 i;

	*c = (struct ph_ingest_counts){ 0 };
	for (i = 0; i < b->nrows; i++)
		++*of[b->rows[i].result];
}

/* All or nothing: the rows that are wrong, as the errors of the request. */
static enum ph_rc
fail_all(const struct batch *b, struct ph_err *err)
{
	const cJSON	*one;
	const char	*param;
	size_t		 i;

	*err = (struct ph_err){ .rc = PH_OK };
	for (i = 0; i < b->nrows; i++)
		cJSON_ArrayForEach(one, b->rows[i].errors) {
			param = cJSON_GetObjectItem(one, "param")->valuestring;
			ph_fail_param(err, param, strlen(param), "%s",
			    cJSON_GetObjectItem(one, "detail")->valuestring);
		}
	return PH_EPARAM;
}

static void
answer(struct batch *b, const struct ph_ingest_counts *c, struct ph_json *out)
{
	const struct ph_value	counts[PH_INGEST_NFIELDS] = {
		[F_CREATED] = ph_v_int(c->created), [F_UPDATED] = ph_v_int(c->updated),
		[F_UNCHANGED] = ph_v_int(c->unchanged), [F_REFUSED] = ph_v_int(c->refused),
	};
	size_t			i;

	ph_json_arr_open(out, "results");
	for (i = 0; i < b->nrows; i++) {
		struct row		*row = &b->rows[i];
		const struct ph_value	 v[R__MAX] = {
			[R_INDEX] = ph_v_int((int64_t)i), [R_ID] = ph_v_str(row->id),
			[R_RESULT] = ph_v_str(results[row->result]),
		};

		ph_json_obj_open(out, NULL);
		ph_json_fields(out, row_fields, v, R__MAX);
		ph_json_item(out, "errors", row->errors != NULL ? row->errors : cJSON_CreateArray());
		row->errors = NULL;
		ph_json_close(out);
	}
	ph_json_close(out);
	ph_json_fields(out, ph_ingest_fields, counts, PH_INGEST_NFIELDS);
}

static enum ph_rc
ingest(struct batch *b, struct ph_json *out, struct ph_ingest_counts *c, struct ph_err *err)
{
	enum ph_rc	rc;
	size_t		i;

	if ((rc = parse(b, err)) != PH_OK)
		return rc;
	if (b->nrows == 0)
		return ph_fail_param(err, "body", 4, "at least one row is needed");
	if ((rc = name_rows(b, err)) != PH_OK || (rc = run(b->db, sql_incoming, err)) != PH_OK)
		return rc;
	for (i = 0; i < b->nrows; i++)
		if (b->rows[i].result != REFUSED && (rc = decide(b, &b->rows[i], err)) != PH_OK)
			return rc;
	if ((rc = put_collected(b, err)) != PH_OK)
		return rc;
	count(b, c);
	if (b->in->is_all && c->refused > 0)
		return fail_all(b, err);
	answer(b, c, out);
	return PH_OK;
}

enum ph_rc
ph_ingest(struct ph_db *db, const struct ph_ingest *in, struct ph_json *out, struct ph_ingest_counts *counts,
    struct ph_err *err)
{
	struct batch	*b = calloc(1, sizeof(*b));
	enum ph_rc	 rc;
	size_t		 i;

	if (b == NULL || (b->documents = cJSON_CreateArray()) == NULL)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the rows");
	else {
		b->db = db;
		b->in = in;
		b->kind = in->kind;
		rc = ingest(b, out, counts, err);
	}
	if (b == NULL)
		return rc;
	for (i = 0; b->rows != NULL && i < b->nrows; i++)
		cJSON_Delete(b->rows[i].errors);
	for (i = 0; i < PH_INGEST_CELLS; i++)
		free(b->texts[i]);
	cJSON_Delete(b->documents);
	free(b->rows);
	free(b);
	return rc;
}
