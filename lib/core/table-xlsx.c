/*
 * table-xlsx.c -- a workbook by libxlsxwriter, which keeps one row in memory.
 *
 * The finished file is read through the descriptor of a file without a name, so that nothing is left
 * behind whenever we end.
 */
#include "autoconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xlsxwriter.h>

#include "core/endpoint.h"
#include "core/table-xlsx.h"
#include "core/utf8.h"

enum {
	SHEET_NAME_MAX = 31,
	CHUNK = 65536,
	WIDTH_TIME = 23, WIDTH_NUMBER = 12, WIDTH_TEXT = 30, WIDTH_ID = 38, WIDTH_NAME_MORE = 3,
	DAY_MS = 86400000,
	UNIX_EPOCH_DAY = 25569		/* 1970-01-01 in days since 1899-12-30 */
};

struct ph_xlsx {
	int			 fd;		/* of the file without a name */
	lxw_workbook		*book;
	lxw_worksheet		*sheet;
	lxw_format		*bold, *date, *decimal;
	const struct ph_field	*fields;
	size_t			 nfields;
	lxw_row_t		 row;		/* the next one */
	char			*text;		/* a cell, cleaned */
	size_t			 text_size;
};

static enum ph_rc
fail_lib(struct ph_err *err, const char *doing, lxw_error e)
{
	ph_fail(err, PH_EINTERNAL, "the workbook could not be written");
	return ph_fail_log(err, "%s: %s", doing, lxw_strerror(e));
}

static void
xlsx_free(struct ph_xlsx *x)
{
	if (x == NULL)
		return;
	if (x->book != NULL)
		lxw_workbook_free(x->book);
	if (x->fd >= 0)
		close(x->fd);
	free(x->text);
	free(x);
}

static struct ph_xlsx *
xlsx_new(struct ph_err *err)
{
	lxw_workbook_options	 options = { .constant_memory = LXW_TRUE };
	struct ph_xlsx		*x = calloc(1, sizeof(*x));
	char			 path[64];

	if (x == NULL) {
		ph_fail(err, PH_ENOMEM, "not enough memory for the workbook");
		return NULL;
	}
	if ((x->fd = open(P_tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) < 0) {
		ph_fail(err, PH_EINTERNAL, "the workbook could not be written");
		ph_fail_log(err, "%s: %s", P_tmpdir, strerror(errno));
	} else {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", x->fd);
		x->book = workbook_new_opt(path, &options);
		x->bold = x->book != NULL ? workbook_add_format(x->book) : NULL;
		x->date = x->bold != NULL ? workbook_add_format(x->book) : NULL;
		x->decimal = x->date != NULL ? workbook_add_format(x->book) : NULL;
		if (x->decimal == NULL)
			ph_fail(err, PH_ENOMEM, "not enough memory for the workbook");
	}
	if (x->decimal == NULL) {
		xlsx_free(x);
		return NULL;
	}
	format_set_bold(x->bold);
	format_set_num_format(x->date, "yyyy-mm-dd hh:mm:ss.000");
	format_set_num_format(x->decimal, "0.0#####");
	return x;
}

/* What a cell may hold: UTF-8 with the characters of XML 1.0, of so many UTF-16 units.  An
 * underscore that would be read as the escape _xHHHH_ is escaped itself. */
static const char *
clean(struct ph_xlsx *x, const char *s)
{
	const size_t	 len = strlen(s);
	const char	*end = s + len;
	size_t		 n, units = 0, need;
	char		*p;

	/* Worst: an underscore becomes seven bytes. */
	need = 7 * (len < PH_XLSX_TEXT_MAX * 4 ? len : PH_XLSX_TEXT_MAX * 4) + 1;
	if (need > x->text_size) {
		if ((p = realloc(x->text, need)) == NULL)
			return NULL;
		x->text = p;
		x->text_size = need;
	}
	for (p = x->text; s < end; s += n) {
		const unsigned char c = (unsigned char)*s;

		if ((n = ph_utf8_next(s, (size_t)(end - s))) == 0) {
			if ((units += 1) > PH_XLSX_TEXT_MAX)
				break;
			memcpy(p, "\xef\xbf\xbd", 3);
			p += 3;
			n = 1;
			continue;
		}
		if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') ||
		    (n == 3 && (memcmp(s, "\xef\xbf\xbe", 3) == 0 || memcmp(s, "\xef\xbf\xbf", 3) == 0)))
			continue;
		if (c == '_' && s[1] == 'x' && strspn(s + 2, "0123456789abcdefABCDEF") >= 4 && s[6] == '_') {
			if ((units += 7) > PH_XLSX_TEXT_MAX)
				break;
			memcpy(p, "_x005F_", 7);
			p += 7;
			continue;
		}
		if ((units += n == 4 ? 2 : 1) > PH_XLSX_TEXT_MAX)
			break;
		memcpy(p, s, n);
		p += n;
	}
	*p = '\0';
	return x->text;
}

static double
width_of(const struct ph_field *f)
{
	const double	name = (double)strlen(f->name) + WIDTH_NAME_MORE;
	const size_t	len = strlen(f->name);
	double		width = WIDTH_TEXT;

	if (f->type == PH_TIME)
		width = WIDTH_TIME;
	else if (f->type != PH_TEXT && f->type != PH_ANY)
		width = WIDTH_NUMBER;
	else if (strcmp(f->name, "id") == 0 || (len > 3 && strcmp(f->name + len - 3, "_id") == 0))
		width = WIDTH_ID;
	return width > name ? width : name;
}

static int
is_column(const struct ph_field *f)
{
	return f->type != PH_OBJECT && f->type != PH_ARRAY;
}

static enum ph_rc
xlsx_sheet(struct ph_xlsx *x, const char *name, const struct ph_field *fields, size_t nfields,
    struct ph_err *err)
{
	char		sheet_name[SHEET_NAME_MAX + 1];
	const char	*text = clean(x, name);
	lxw_col_t	col = 0;
	lxw_error	e = LXW_NO_ERROR;
	size_t		i, len;

	if (text == NULL)
		return fail_lib(err, "sheet", LXW_ERROR_MEMORY_MALLOC_FAILED);
	len = ph_utf8_cut(text, strlen(text), SHEET_NAME_MAX);
	for (i = 0; i < len; i++)
		sheet_name[i] = strchr("[]:*?/\\", text[i]) != NULL || (unsigned char)text[i] < ' ' ||
		    (text[i] == '\'' && (i == 0 || i == len - 1)) ? '_' : text[i];
	sheet_name[len] = '\0';
	if ((x->sheet = workbook_add_worksheet(x->book, sheet_name)) == NULL)
		return ph_fail(err, PH_EINTERNAL, "the workbook could not be written");
	x->fields = fields;
	x->nfields = nfields;
	x->row = 1;
	for (i = 0; i < nfields; i++)
		if (is_column(&fields[i]) && e == LXW_NO_ERROR)
			e = worksheet_set_column(x->sheet, col, col, width_of(&fields[i]), NULL), col++;
	worksheet_freeze_panes(x->sheet, 1, 0);
	for (i = 0, col = 0; i < nfields; i++)
		if (is_column(&fields[i]) && e == LXW_NO_ERROR)
			e = (text = clean(x, fields[i].name)) == NULL ? LXW_ERROR_MEMORY_MALLOC_FAILED :
			    worksheet_write_string(x->sheet, 0, col++, text, x->bold);
	return e == LXW_NO_ERROR ? PH_OK : fail_lib(err, "header", e);
}

static lxw_error
write_cell(struct ph_xlsx *x, lxw_col_t col, const struct ph_field *f, struct ph_value v)
{
	const char	*text;
	char		 buf[PH_DECIMAL_SIZE];

	v = ph_v_shown(f, v);
	if (v.kind == PH_V_STR) {
		if ((text = clean(x, v.str)) == NULL)
			return LXW_ERROR_MEMORY_MALLOC_FAILED;
		return text[0] == '\0' ? LXW_NO_ERROR : worksheet_write_string(x->sheet, x->row, col, text, NULL);
	}
	if (v.kind == PH_V_RATIO)
		return worksheet_write_number(x->sheet, x->row, col,
		    strtod(ph_decimal_format(buf, v.num, v.den, f->places), NULL), x->decimal);
	if (v.kind != PH_V_INT)
		return LXW_NO_ERROR;
	if (f->type == PH_TIME)
		return worksheet_write_number(x->sheet, x->row, col,
		    (double)v.num / DAY_MS + UNIX_EPOCH_DAY, x->date);
	if (f->type == PH_BOOL)
		return worksheet_write_boolean(x->sheet, x->row, col, v.num != 0, NULL);
	return worksheet_write_number(x->sheet, x->row, col, (double)v.num, NULL);
}

static enum ph_rc
xlsx_row(struct ph_xlsx *x, const struct ph_value *values, struct ph_err *err)
{
	lxw_col_t	col = 0;
	lxw_error	e = LXW_NO_ERROR;
	size_t		i;

	if (x->row > PH_XLSX_ROWS_MAX)
		return ph_fail(err, PH_EEXPORTTOOBIG, "a workbook may have %d rows; ask for csv", PH_XLSX_ROWS_MAX);
	for (i = 0; i < x->nfields && e == LXW_NO_ERROR; i++)
		if (is_column(&x->fields[i]))
			e = write_cell(x, col++, &x->fields[i], values[i]);
	x->row++;
	return e == LXW_NO_ERROR ? PH_OK : fail_lib(err, "row", e);
}

static enum ph_rc
xlsx_send(struct ph_xlsx *x, struct ph_req *req, const char *filename, struct ph_err *err)
{
	const lxw_error	 e = workbook_close(x->book);	/* frees it, whatever happens */
	char		*chunk;
	enum ph_rc	 rc = PH_OK;
	ssize_t		 n;

	x->book = NULL;
	if (e != LXW_NO_ERROR)
		return fail_lib(err, "close", e);
	if ((chunk = malloc(CHUNK)) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the workbook");
	if (lseek(x->fd, 0, SEEK_SET) != 0)
		rc = ph_fail(err, PH_EINTERNAL, "the workbook could not be read");
	else
		rc = ph_req_stream(req, PH_XLSX_TYPE, filename, err);
	while (rc == PH_OK && (n = read(x->fd, chunk, CHUNK)) != 0)
		rc = n < 0 ? ph_fail(err, PH_EINTERNAL, "the workbook could not be read") :
		    ph_req_write(req, chunk, (size_t)n, err);
	free(chunk);
	return rc;
}

const struct ph_table_book ph_table_xlsx = {
	.new = xlsx_new, .free = xlsx_free, .sheet = xlsx_sheet, .row = xlsx_row, .send = xlsx_send,
};
