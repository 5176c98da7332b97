/*
 * table.c -- rows as CSV, TSV and NDJSON in a buffer; XLSX is passed on to its book.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/endpoint.h"
#include "core/table.h"
#include "core/table-xlsx.h"
#include "core/utf8.h"

enum {
	BUFFER_SIZE = 65536		/* first size, and what is kept between rows, in bytes */
};

const char *const ph_table_formats[] = { "json", "csv", "tsv", "ndjson", "xlsx", NULL };
const char *const ph_table_seps[] = { ",", ";", "tab", NULL };
static const char seps[] = { ',', ';', '\t' };

static const char *const types[PH_TABLE__MAX] = {
	[PH_TABLE_JSON] = "application/json",
	[PH_TABLE_CSV] = "text/csv; charset=utf-8; header=present",
	[PH_TABLE_TSV] = "text/tab-separated-values; charset=utf-8",
	[PH_TABLE_NDJSON] = "application/x-ndjson",
	[PH_TABLE_XLSX] = PH_XLSX_TYPE,
};

struct ph_table {
	struct ph_req		*req;
	struct ph_table_options	 options;
	const struct ph_field	*fields;
	size_t			 nfields;
	const char		*line_end;
	struct ph_xlsx		*xlsx;
	char			*buf;
	size_t			 len, size;
	int			 is_out_of_memory;
	int			 is_begun;	/* the answer's head is decided */
	int			 is_head;	/* nobody will read the rows */
	char			 filename[PH_TABLE_FILENAME_SIZE];
};

/* -- which format ------------------------------------------------------------------ */

/* Does a header Accept name the media type of a format (RFC 9110 12.5.1)? */
static int
names_type(const char *accept, const char *type)
{
	const size_t	 len = strcspn(type, ";");
	const char	*s;

	for (s = accept; *s != '\0'; s += strcspn(s, ","), s += *s == ',') {
		s += strspn(s, " \t");
		if (strncmp(s, type, len) == 0 && strchr(" \t;,", s[len]) != NULL)
			return 1;
	}
	return 0;
}

enum ph_table_format
ph_table_wanted(const struct ph_req *req, size_t format_param)
{
	const char		*accept = ph_req_env(req, "HTTP_ACCEPT");
	enum ph_table_format	 f;

	if (ph_req_has(req, format_param))
		return (enum ph_table_format)ph_req_int(req, format_param);
	for (f = PH_TABLE_CSV; accept != NULL && f < PH_TABLE__MAX; f++)
		if (names_type(accept, types[f]) && !names_type(accept, types[PH_TABLE_JSON]))
			return f;
	return PH_TABLE_JSON;
}

enum ph_rc
ph_table_elsewhere(struct ph_req *req, size_t format_param, const char *program, const char *path,
    struct ph_err *err)
{
	const enum ph_table_format	f = ph_table_wanted(req, format_param);
	char				file[PH_TABLE_PATH_SIZE];

	if (f == PH_TABLE_JSON)
		return PH_DONE;
	if ((size_t)snprintf(file, sizeof(file), "%s.%s", path, ph_table_formats[f]) >= sizeof(file))
		return ph_fail(err, PH_EINTERNAL, "the path of the file is too long");
	return ph_req_pass_on(req, program, file, "format", err);
}

void
ph_table_read_options(struct ph_table_options *o, const struct ph_args *args, size_t first)
{
	o->has_bom = args->values[first + PH_TABLE_BOM].num != 0;
	o->sep = seps[args->values[first + PH_TABLE_SEP].num];
}

/* -- the buffer -------------------------------------------------------------------- */

static void
put(struct ph_table *t, const char *s, size_t len)
{
	size_t	 size = t->size;
	char	*buf;

	while (size - t->len < len && size <= SIZE_MAX / 2)
		size *= 2;
	if (size != t->size) {
		if ((buf = realloc(t->buf, size)) == NULL) {
			t->is_out_of_memory = 1;
			return;
		}
		t->buf = buf;
		t->size = size;
	}
	memcpy(t->buf + t->len, s, len);
	t->len += len;
}

/* A cell's text: quoted where it must be, whatever it holds. */
static void
put_text(struct ph_table *t, const char *s)
{
	const char	special[] = { t->options.sep, '"', '\r', '\n', '\0' };
	size_t		len = strlen(s), n;
	int		is_quoted, is_formula;

	is_formula = *s != '\0' && strchr("=+-@\t\r", *s) != NULL;
	is_quoted = strpbrk(s, special) != NULL;
	if (is_quoted)
		put(t, "\"", 1);
	if (is_formula)
		put(t, "'", 1);
	while (len > 0) {
		for (n = 0; n < len && (unsigned char)s[n] < 0x80 && s[n] != '"'; n++)
			;
		if (n > 0)
			put(t, s, n);
		else if (*s == '"')
			put(t, "\"\"", 2 * (n = 1));
		else if ((n = ph_utf8_next(s, len)) > 0)
			put(t, s, n);
		else
			put(t, "\xef\xbf\xbd", 3 * (n = 1));
		s += n;
		len -= n;
	}
	if (is_quoted)
		put(t, "\"", 1);
}

static void
put_cell(struct ph_table *t, const struct ph_field *f, struct ph_value v)
{
	char buf[PH_DECIMAL_SIZE];

	v = ph_v_shown(f, v);
	if (v.kind == PH_V_NULL)
		return;
	if (v.kind == PH_V_STR)
		put_text(t, v.str);
	else if (v.kind == PH_V_RATIO) {
		ph_decimal_format(buf, v.num, v.den, f->places);
		put(t, buf, strlen(buf));
	} else if (f->type == PH_TIME && t->options.time_style != PH_TIME_MS) {
		char at[PH_TIME_SIZE];

		ph_time_format(at, (int64_t)v.num, t->options.time_style == PH_TIME_NAIVE);
		put(t, at, strlen(at));
	} else if (f->type == PH_BOOL)
		put(t, v.num != 0 ? "true" : "false", v.num != 0 ? 4 : 5);
	else {
		snprintf(buf, sizeof(buf), "%" PRId64, (int64_t)v.num);
		put(t, buf, strlen(buf));
	}
}

static void
put_line(struct ph_table *t, const struct ph_value *values)
{
	size_t	i;
	int	is_first = 1;

	for (i = 0; i < t->nfields; i++) {
		if (t->fields[i].type == PH_OBJECT || t->fields[i].type == PH_ARRAY)
			continue;
		if (!is_first)
			put(t, &t->options.sep, 1);
		is_first = 0;
		if (values != NULL)
			put_cell(t, &t->fields[i], values[i]);
		else
			put_text(t, t->fields[i].name);
	}
	put(t, t->line_end, strlen(t->line_end));
}

static enum ph_rc
put_object(struct ph_table *t, const struct ph_value *values, struct ph_err *err)
{
	struct ph_json	*j = ph_json_new();
	char		*text = NULL;
	enum ph_rc	 rc;

	if (j == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for a row");
	ph_json_set_time_style(j, t->options.time_style);
	ph_json_set_extended(j, 1);
	ph_json_fields(j, t->fields, values, t->nfields);
	if ((rc = ph_json_finish(j, &text, err)) == PH_OK) {
		put(t, text, strlen(text));
		put(t, "\n", 1);
	}
	free(text);
	ph_json_free(j);
	return rc;
}

/* -- a table ------------------------------------------------------------------------- */

char *
ph_table_filename(char buf[PH_TABLE_FILENAME_SIZE], const char *name, enum ph_table_format format, int64_t now_ms)
{
	char	at[PH_TIME_SIZE];
	size_t	i, n = 0;

	ph_time_format(at, now_ms / 1000 * 1000, 0);
	for (i = 0; at[i] != '\0'; i++)
		if (at[i] != '-' && at[i] != ':')
			at[n++] = at[i];
	at[n] = '\0';
	snprintf(buf, PH_TABLE_FILENAME_SIZE, "%s_%s.%s", name, at, ph_table_formats[format]);
	return buf;
}

struct ph_table *
ph_table_new(struct ph_req *req, const struct ph_table_options *options, const struct ph_field *fields,
    size_t nfields, struct ph_err *err)
{
	struct ph_table	*t = calloc(1, sizeof(*t));
	const char	*method = ph_req_env(req, "REQUEST_METHOD");
	char		 target[PH_TABLE_FILENAME_SIZE];

	if (t == NULL || (t->buf = malloc(BUFFER_SIZE)) == NULL) {
		ph_fail(err, PH_ENOMEM, "not enough memory for the table");
		free(t);
		return NULL;
	}
	t->size = BUFFER_SIZE;
	t->req = req;
	t->options = *options;
	t->fields = fields;
	t->nfields = nfields;
	t->line_end = options->format == PH_TABLE_CSV ? "\r\n" : "\n";
	if (options->format == PH_TABLE_TSV)
		t->options.sep = '\t';
	ph_table_filename(t->filename, options->name, options->format, ph_req_now_ms(req));
	snprintf(target, sizeof(target), "%s.%s", options->name, ph_table_formats[options->format]);
	t->is_head = method != NULL && strcmp(method, "HEAD") == 0;
	if (!t->is_head && ph_req_audit_now(req, "export", target, err) != PH_OK) {
		ph_table_free(t);
		return NULL;
	}
	if (options->format == PH_TABLE_XLSX && !t->is_head) {
		if ((t->xlsx = options->book->new(err)) == NULL ||
		    options->book->sheet(t->xlsx, options->name, fields, nfields, err) != PH_OK) {
			ph_table_free(t);
			return NULL;
		}
	} else if (options->format != PH_TABLE_NDJSON) {
		if (options->format == PH_TABLE_CSV && options->has_bom)
			put(t, "\xef\xbb\xbf", 3);
		put_line(t, NULL);
	}
	return t;
}

void
ph_table_free(struct ph_table *t)
{
	if (t == NULL)
		return;
	if (t->xlsx != NULL)
		t->options.book->free(t->xlsx);
	free(t->buf);
	free(t);
}

enum ph_rc
ph_table_row(struct ph_table *t, const struct ph_value *values, struct ph_err *err)
{
	enum ph_rc rc = PH_OK;

	if (t->xlsx != NULL)
		return t->options.book->row(t->xlsx, values, err);
	if (t->options.format == PH_TABLE_NDJSON)
		rc = put_object(t, values, err);
	else
		put_line(t, values);
	if (rc == PH_OK && t->is_out_of_memory)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for a row");
	return rc;
}

int
ph_table_wants_rows(const struct ph_table *t)
{
	return !t->is_head;
}

size_t
ph_table_waiting(const struct ph_table *t)
{
	return t->len;
}

enum ph_rc
ph_table_send(struct ph_table *t, struct ph_err *err)
{
	enum ph_rc rc;

	if (t->xlsx != NULL)
		return PH_OK;
	if (!t->is_begun && (rc = ph_req_stream(t->req, types[t->options.format], t->filename, err)) != PH_OK)
		return rc;
	t->is_begun = 1;
	if (t->len > 0 && (rc = ph_req_write(t->req, t->buf, t->len, err)) != PH_OK)
		return rc;
	t->len = 0;
	return PH_OK;
}

enum ph_rc
ph_table_finish(struct ph_table *t, struct ph_err *err)
{
	if (t->xlsx != NULL)
		return t->options.book->send(t->xlsx, t->req, t->filename, err);
	return ph_table_send(t, err);
}
