/*
 * source.c -- rows of a MySQL or MariaDB server, by prepared statements of libmariadb.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mysql.h>
#include <errmsg.h>
#include <mysqld_error.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/utf8.h"
#include "net/source.h"

enum { CONNECT_TIMEOUT_S = 10, PACKET_MAX = 1 << 20 };

#define SYSTEM_CERTIFICATES "/etc/ssl/certs"

struct ph_source {
	MYSQL	db;
	int	is_open;
};

/* -- failures ------------------------------------------------------------------------- */

static const struct { unsigned number; const char *text; } known[] = {
	{ ER_ACCESS_DENIED_ERROR, "the server refuses the user or the password" },
	{ ER_DBACCESS_DENIED_ERROR, "the user may not use the database" },
	{ ER_BAD_DB_ERROR, "there is no such database on the server" },
	{ ER_CON_COUNT_ERROR, "the server has too many connections" },
	{ ER_NO_SUCH_TABLE, "the table is missing" },
	{ ER_BAD_FIELD_ERROR, "a column is missing" },
	{ ER_TABLEACCESS_DENIED_ERROR, "the user may not read the table" },
	{ ER_COLUMNACCESS_DENIED_ERROR, "the user may not read all its columns" },
	{ ER_LOCK_WAIT_TIMEOUT, "the server waited too long for a lock" },
	{ ER_QUERY_INTERRUPTED, "the server broke the query off" },
	{ ER_NET_PACKET_TOO_LARGE, "the server sent more than a row can have" },
	{ CR_CONNECTION_ERROR, "the server cannot be reached" },
	{ CR_CONN_HOST_ERROR, "the server cannot be reached" },
	{ CR_UNKNOWN_HOST, "the name of the server cannot be found" },
	{ CR_SERVER_GONE_ERROR, "the connection to the server was lost" },
	{ CR_SERVER_LOST, "the connection to the server was lost" },
	{ CR_SERVER_LOST_EXTENDED, "the connection to the server was lost" },
	{ CR_SSL_CONNECTION_ERROR, "TLS with the server failed" },
	{ CR_NET_PACKET_TOO_LARGE, "the server sent more than a row can have" },
	{ CR_OUT_OF_MEMORY, "there is not enough memory" },
	{ CR_AUTH_PLUGIN_CANNOT_LOAD, "the server wants a way to log in that is not installed here" },
};

/* What libmariadb calls its own failures has such a number: the connection is of no more use. */
static int
is_of_client(unsigned number)
{
	return number >= CR_MIN_ERROR && number <= 5999;
}

static enum ph_rc
fail(unsigned number, const char *said, struct ph_err *err)
{
	const enum ph_rc	rc = number == 0 || is_of_client(number) || number == ER_ACCESS_DENIED_ERROR ||
				    number == ER_DBACCESS_DENIED_ERROR || number == ER_BAD_DB_ERROR ||
				    number == ER_CON_COUNT_ERROR ? PH_EUPSTREAMDOWN : PH_EUPSTREAM;
	size_t			i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]) && known[i].number != number; i++)
		;
	if (i < sizeof(known) / sizeof(known[0]))
		ph_fail(err, rc, "%s", known[i].text);
	else
		ph_fail(err, rc, "the server reports error %u", number);
	return ph_fail_log(err, "%s", said);
}

static enum ph_rc
fail_stmt(MYSQL_STMT *st, struct ph_err *err)
{
	return fail(mysql_stmt_errno(st), mysql_stmt_error(st), err);
}

/* -- connection ----------------------------------------------------------------------- */

static void
set_options(MYSQL *db, int is_path)
{
	/* Otherwise "localhost" would mean a socket somewhere, and the port nothing. */
	const unsigned	 protocol = is_path ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
	const unsigned	 wait_s = (unsigned)ph_config_int(PH_CFG_DB_TIMEOUT), off = 0;
	const unsigned	 connect_s = wait_s < CONNECT_TIMEOUT_S ? wait_s : CONNECT_TIMEOUT_S;
	const size_t	 packet_max = PACKET_MAX;
	const my_bool	 yes = 1;
	const char	*ca = ph_config_str(PH_CFG_CA_FILE);

	mysql_optionsv(db, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_optionsv(db, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_optionsv(db, MYSQL_OPT_READ_TIMEOUT, &wait_s);
	mysql_optionsv(db, MYSQL_OPT_WRITE_TIMEOUT, &wait_s);
	mysql_optionsv(db, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_max);
	mysql_optionsv(db, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_optionsv(db, MYSQL_REPORT_DATA_TRUNCATION, &yes);
	mysql_optionsv(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (ph_config_int(PH_CFG_DB_TLS) == 0)
		return;
	mysql_optionsv(db, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_optionsv(db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
	mysql_optionsv(db, ca[0] != '\0' ? MYSQL_OPT_SSL_CA : MYSQL_OPT_SSL_CAPATH,
	    ca[0] != '\0' ? ca : SYSTEM_CERTIFICATES);
}

enum ph_rc
ph_source_open(struct ph_source **source, struct ph_err *err)
{
	static const char *const begin[] = {
		"SET NAMES utf8mb4", "SET SESSION time_zone = '+00:00'",
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	};
	const char		*host = ph_config_str(PH_CFG_DB_HOST);
	const int		 is_path = host[0] == '/';
	struct ph_source	*s;
	size_t			 i;

	if ((*source = s = calloc(1, sizeof(*s))) == NULL || mysql_init(&s->db) == NULL)
		return ph_fail(err, PH_ENOMEM, "there is not enough memory for a connection");
	s->is_open = 1;
	set_options(&s->db, is_path);
	if (mysql_real_connect(&s->db, is_path ? NULL : host, ph_config_str(PH_CFG_DB_USERNAME),
	    ph_config_str(PH_CFG_DB_PASSWORD), ph_config_str(PH_CFG_DB_NAME), (unsigned)ph_config_int(PH_CFG_DB_PORT),
	    is_path ? host : NULL, 0) == NULL)
		return fail(mysql_errno(&s->db), mysql_error(&s->db), err);
	for (i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		if (mysql_query(&s->db, begin[i]) != 0)
			return fail(mysql_errno(&s->db), mysql_error(&s->db), err);
	return PH_OK;
}

void
ph_source_close(struct ph_source *s)
{
	if (s != NULL && s->is_open)
		mysql_close(&s->db);
	free(s);
}

/* -- rows ----------------------------------------------------------------------------- */

/* Where a row arrives. */
struct cells {
	MYSQL_BIND		binds[PH_SOURCE_COLUMNS_MAX];
	my_bool			is_null[PH_SOURCE_COLUMNS_MAX], is_cut[PH_SOURCE_COLUMNS_MAX];
	unsigned long		len[PH_SOURCE_COLUMNS_MAX];
	struct ph_source_value	values[PH_SOURCE_COLUMNS_MAX];
	char			texts[PH_SOURCE_COLUMNS_MAX][PH_SOURCE_TEXT_MAX + 1];
};

static void
bind_cells(struct cells *c, const struct ph_source_column *columns, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		c->binds[i].is_null = &c->is_null[i];
		c->binds[i].error = &c->is_cut[i];
		c->binds[i].length = &c->len[i];
		c->binds[i].buffer_type = columns[i].is_text ? MYSQL_TYPE_STRING : MYSQL_TYPE_LONGLONG;
		c->binds[i].buffer = columns[i].is_text ? (void *)c->texts[i] : (void *)&c->values[i].num;
		c->binds[i].buffer_length = columns[i].is_text ? PH_SOURCE_TEXT_MAX : sizeof(c->values[i].num);
	}
}

/* What is wrong with a cell; NULL: nothing. */
static const char *
find_fault(const struct cells *c, const struct ph_source_column *column, size_t i)
{
	if (c->is_null[i])
		return column->is_nullable ? NULL : "is NULL";
	if (column->is_time)
		return c->is_cut[i] || c->values[i].num <= 0 || c->values[i].num > PH_TIME_MAX ? "is no time" : NULL;
	if (!column->is_text)
		return c->is_cut[i] || c->values[i].num > PH_SOURCE_NUMBER_MAX || c->values[i].num < -PH_SOURCE_NUMBER_MAX ?
		    "is not a whole number, or out of range" : NULL;
	if (c->len[i] > PH_SOURCE_TEXT_MAX)
		return "is too long";
	if (!ph_utf8_is_valid(c->texts[i], c->len[i]) || memchr(c->texts[i], '\0', c->len[i]) != NULL)
		return "is not UTF-8 text";
	return NULL;
}

static enum ph_rc
take_row(struct cells *c, const struct ph_source_column *columns, size_t n, struct ph_err *err)
{
	const char	*fault = NULL;
	char		 id[48] = "";
	size_t		 i;

	for (i = 0; i < n && (fault = find_fault(c, &columns[i], i)) == NULL; i++) {
		c->values[i].is_null = c->is_null[i];
		c->values[i].text = columns[i].is_text && !c->is_null[i] ? c->texts[i] : NULL;
		if (columns[i].is_text)
			c->texts[i][c->is_null[i] ? 0 : c->len[i]] = '\0';
	}
	if (fault == NULL)
		return PH_OK;
	if (i > 0 && columns[0].is_text)
		snprintf(id, sizeof(id), " %.40s", c->values[0].text);
	else if (i > 0)
		snprintf(id, sizeof(id), " %" PRId64, c->values[0].num);
	return ph_fail(err, PH_EUPSTREAM, "row%s: %s %s", id, columns[i].name, fault);
}

static enum ph_rc
fetch_all(MYSQL_STMT *st, struct cells *c, const struct ph_source_column *columns, size_t n, ph_source_row *f, void *arg,
    struct ph_err *err)
{
	enum ph_rc	rc = PH_OK;
	int		r;

	while (rc == PH_OK && ((r = mysql_stmt_fetch(st)) == 0 || r == MYSQL_DATA_TRUNCATED))
		if ((rc = take_row(c, columns, n, err)) == PH_OK)
			rc = f(arg, c->values, err);
	return rc != PH_OK || r == MYSQL_NO_DATA ? rc : fail_stmt(st, err);
}

static void
bind_params(MYSQL_BIND *binds, const struct ph_source_param *params, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (params[i].text != NULL)
			binds[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING, .buffer = (void *)(uintptr_t)params[i].text,
			    .buffer_length = strlen(params[i].text) };
		else
			binds[i] = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG,
			    .buffer = (void *)(uintptr_t)&params[i].num };
}

enum ph_rc
ph_source_query(struct ph_source *s, const char *sql, const struct ph_source_param *params, size_t nparams,
    const struct ph_source_column *columns, size_t ncolumns, ph_source_row *f, void *arg, struct ph_err *err)
{
	MYSQL_STMT	*st = mysql_stmt_init(&s->db);
	MYSQL_BIND	 binds[PH_SOURCE_PARAMS_MAX] = { 0 };
	struct cells	*c = calloc(1, sizeof(*c));
	enum ph_rc	 rc;

	if (st == NULL || c == NULL) {
		rc = ph_fail(err, PH_ENOMEM, "there is not enough memory for a query");
		goto out;
	}
	bind_params(binds, params, nparams);
	bind_cells(c, columns, ncolumns);
	if (mysql_stmt_prepare(st, sql, strlen(sql)) != 0 ||
	    (nparams > 0 && mysql_stmt_bind_param(st, binds) != 0) || mysql_stmt_execute(st) != 0)
		rc = fail_stmt(st, err);
	else if (mysql_stmt_field_count(st) != ncolumns)
		rc = ph_fail(err, PH_EUPSTREAM, "the server answers with other columns than it was asked for");
	else if (mysql_stmt_bind_result(st, c->binds) != 0)
		rc = fail_stmt(st, err);
	else
		rc = fetch_all(st, c, columns, ncolumns, f, arg, err);
out:
	free(c);
	if (st != NULL)
		mysql_stmt_close(st);
	return rc;
}
