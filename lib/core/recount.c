/*
 * recount.c -- counter tables against their views.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/recount.h"

enum { TABLES_MAX = 64, NAME_SIZE = 64, PART_SIZE = 1024, SQL_SIZE = 10 * PART_SIZE, TEXT_SIZE = 64 };

struct counter_table {
	char	name[NAME_SIZE];
	char	columns[PART_SIZE];		/* a, b, c */
	char	text[PART_SIZE];		/* 'a=' || a || ' b=' || b */
	char	is_counted[PART_SIZE];	/* some figure is not 0 */
};

static const char sql_views[] =
	"SELECT substr(name, 1, length(name) - 9) FROM sqlite_temp_schema"
	" WHERE type = 'view' AND name LIKE '%\\_expected' ESCAPE '\\' ORDER BY rowid";
static const char sql_columns[] =
	"SELECT name, pk FROM pragma_table_info($1) ORDER BY cid";

static void
append(char *buf, size_t size, const char *fmt, const char *a, const char *b)
{
	const size_t len = strlen(buf);

	snprintf(buf + len, size - len, fmt, a, b);
}

static enum ph_rc
read_columns(struct ph_db *db, struct counter_table *t, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	const char	*name;

	if ((rc = ph_db_prepare(db, sql_columns, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, t->name);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		name = ph_stmt_text(st, 0);
		append(t->text, sizeof(t->text), t->text[0] == '\0' ? "'%s=' || ifnull(%s, 'NULL')" :
		    " || ' %s=' || ifnull(%s, 'NULL')", name, name);
		append(t->columns, sizeof(t->columns), t->columns[0] == '\0' ? "%s" : ", %s", name, "");
		if (ph_stmt_int(st, 1) == 0)
			append(t->is_counted, sizeof(t->is_counted), t->is_counted[0] == '\0' ?
			    "coalesce(%s, 0) <> 0" : " OR coalesce(%s, 0) <> 0", name, "");
	}
	ph_stmt_done(st);
	if (t->is_counted[0] == '\0')
		append(t->is_counted, sizeof(t->is_counted), "%s", "1", "");
	return rc == PH_DONE ? PH_OK : rc;
}

/* The counter tables in the order of their views; *n of them.  Caller frees. */
static enum ph_rc
read_tables(struct ph_db *db, struct counter_table **tables, size_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;

	*n = 0;
	if ((*tables = calloc(TABLES_MAX, sizeof(**tables))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory");
	if ((rc = ph_db_prepare(db, sql_views, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && *n < TABLES_MAX)
		ph_stmt_copy(st, 0, (*tables)[(*n)++].name, NAME_SIZE);
	ph_stmt_done(st);
	if (rc != PH_DONE)
		return rc;
	for (i = 0, rc = PH_OK; i < *n && rc == PH_OK; i++)
		rc = read_columns(db, &(*tables)[i], err);
	return rc;
}

enum ph_rc
ph_recount(struct ph_db *db, ph_recount_step *step, void *arg, struct ph_err *err)
{
	struct counter_table	*tables;
	char			 sql[SQL_SIZE];
	enum ph_rc		 rc;
	size_t			 n, i;

	rc = read_tables(db, &tables, &n, err);
	for (i = 0; i < n && rc == PH_OK; i++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s; INSERT INTO %s (%s) SELECT %s FROM %s_expected",
		    tables[i].name, tables[i].name, tables[i].columns, tables[i].columns, tables[i].name);
		if (step == NULL || (rc = step(arg, tables[i].name, err)) == PH_OK)
			rc = ph_db_script(db, sql, err);
	}
	free(tables);
	return rc;
}

static enum ph_rc
compare(struct ph_db *db, const struct counter_table *t, ph_recount_found *found, void *arg, int64_t *differences,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	char		 sql[SQL_SIZE], text[TEXT_SIZE];
	int64_t		 n = 0;
	enum ph_rc	 rc;

	snprintf(sql, sizeof(sql), "SELECT 'expected ' || %s FROM (SELECT %s FROM %s_expected WHERE %s"
	    " EXCEPT SELECT %s FROM %s) UNION ALL SELECT 'found ' || %s FROM (SELECT %s FROM %s WHERE %s"
	    " EXCEPT SELECT %s FROM %s_expected)", t->text, t->columns, t->name, t->is_counted,
	    t->columns, t->name, t->text, t->columns, t->name, t->is_counted, t->columns, t->name);
	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		if (++n <= PH_RECOUNT_SHOWN_MAX)
			found(arg, t->name, ph_stmt_text(st, 0));
	ph_stmt_drop(st);
	if (n > PH_RECOUNT_SHOWN_MAX) {
		snprintf(text, sizeof(text), "and %" PRId64 " more", n - PH_RECOUNT_SHOWN_MAX);
		found(arg, t->name, text);
	}
	*differences += n;
	return rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_recount_compare(struct ph_db *db, ph_recount_step *step, ph_recount_found *found, void *arg, int64_t *differences,
    struct ph_err *err)
{
	struct counter_table	*tables;
	enum ph_rc		 rc;
	size_t			 n, i;

	*differences = 0;
	rc = read_tables(db, &tables, &n, err);
	for (i = 0; i < n && rc == PH_OK; i++)
		if (step == NULL || (rc = step(arg, tables[i].name, err)) == PH_OK)
			rc = compare(db, &tables[i], found, arg, differences, err);
	free(tables);
	return rc;
}
