/*
 * readmodel-page.c -- the tables of the product, and a page of one into the read model.
 *
 * A page of rows is one transaction: the rows, by the triggers their sums, and how far the table is.  A row that is there
 * already counts for nothing, so a page may come twice, and a kill at any instant loses at most the page in hand.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/readmodel-page.h"

#define VIEWS "SELECT id, user_id, route, room_id, source, " PH_MS("viewed_at") " FROM fpp_page_views"
#define EVENTS "SELECT id, user_id, event, " PH_MS("event_at") " FROM fpp_events"
#define VOTES "SELECT id, room_id, CAST(avg_estimation * 100 AS SIGNED), max_estimation, min_estimation," \
	" amount_of_estimations, amount_of_spectators, duration, was_auto_flip, " PH_MS("voted_at") " FROM fpp_votes"
#define ESTIMATIONS "SELECT id, user_id, room_id, estimation, spectator, " PH_MS("estimated_at") " FROM fpp_estimations"

enum { USERS_CREATED = 7, ROOMS_NUMBER = 1, ROOMS_NAME, ROOMS_USED = 4 };	/* columns */

#define TEXT(n) { .name = n, .is_text = 1 }
#define NULL_TEXT(n) { .name = n, .is_text = 1, .is_nullable = 1 }
#define INT(n) { .name = n }
#define TIME(n) { .name = n, .is_time = 1 }
#define NULL_INT(n) { .name = n, .is_nullable = 1 }
#define BLOCKS(table) "SELECT id DIV " PH_NUMBER(PH_BLOCK_IDS) ", COUNT(*), MAX(id) FROM " table " WHERE id <= ?" \
	" GROUP BY 1 ORDER BY 1"
#define HAVE(table) "SELECT count(*), max(id) FROM " table " WHERE id >= $1 AND id < $2"
#define DO_NOTHING " ON CONFLICT (id) DO NOTHING"

static const struct ph_page_table tables[PH_MODEL_TABLES] = {
	[PH_T_USERS] = { .by_id = PH_SELECT_USERS " WHERE id > ? ORDER BY id" PH_LIMIT,
	    .max_ms = "SELECT " PH_MS("MAX(created_at)") " FROM fpp_users",
	    .insert = "INSERT INTO fpp_users (id, device, os, browser, country, region, city, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" DO_NOTHING,
	    .columns = { TEXT("id"), NULL_TEXT("device"), NULL_TEXT("os"), NULL_TEXT("browser"), NULL_TEXT("country"),
		NULL_TEXT("region"), NULL_TEXT("city"), TIME("created_at") }, .ncolumns = 8 },
	[PH_T_ROOMS] = { .by_id = PH_SELECT_ROOMS " WHERE id > ? ORDER BY id" PH_LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_rooms", .max_ms = "SELECT " PH_MS("MAX(last_used_at)") " FROM fpp_rooms",
	    .blocks = BLOCKS("fpp_rooms"), .have = HAVE("fpp_rooms"),
	    .insert = "INSERT INTO fpp_rooms (id, number, name, first_used_at, last_used_at)"
		" VALUES ($1, $2, $3, $4, $5)" DO_NOTHING,
	    .columns = { INT("id"), INT("number"), TEXT("name"), TIME("first_used_at"), TIME("last_used_at") }, .ncolumns = 5 },
	[PH_T_VIEWS] = { .by_id = VIEWS " WHERE id > ? ORDER BY id" PH_LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_page_views", .blocks = BLOCKS("fpp_page_views"), .have = HAVE("fpp_page_views"),
	    .insert = "INSERT INTO fpp_page_views (id, user_id, route, room_id, source, viewed_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)" DO_NOTHING,
	    .columns = { INT("id"), TEXT("user_id"), TEXT("route"), NULL_INT("room_id"), NULL_TEXT("source"),
		TIME("viewed_at") }, .ncolumns = 6 },
	[PH_T_EVENTS] = { .by_id = EVENTS " WHERE id > ? ORDER BY id" PH_LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_events", .blocks = BLOCKS("fpp_events"), .have = HAVE("fpp_events"),
	    .insert = "INSERT INTO fpp_events (id, user_id, event, event_at) VALUES ($1, $2, $3, $4)" DO_NOTHING,
	    .columns = { INT("id"), TEXT("user_id"), TEXT("event"), TIME("event_at") }, .ncolumns = 4 },
	[PH_T_VOTES] = { .by_id = VOTES " WHERE id > ? ORDER BY id" PH_LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_votes", .blocks = BLOCKS("fpp_votes"), .have = HAVE("fpp_votes"),
	    .insert = "INSERT INTO fpp_votes (id, room_id, avg_estimation_c, max_estimation, min_estimation,"
		" amount_of_estimations, amount_of_spectators, duration, was_auto_flip, voted_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" DO_NOTHING,
	    .columns = { INT("id"), INT("room_id"), INT("avg_estimation"), INT("max_estimation"), INT("min_estimation"),
		INT("amount_of_estimations"), INT("amount_of_spectators"), INT("duration"), INT("was_auto_flip"),
		TIME("voted_at") }, .ncolumns = 10 },
	[PH_T_ESTIMATIONS] = { .by_id = ESTIMATIONS " WHERE id > ? ORDER BY id" PH_LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_estimations", .blocks = BLOCKS("fpp_estimations"), .have = HAVE("fpp_estimations"),
	    .insert = "INSERT INTO fpp_estimations (id, user_id, room_id, estimation, spectator, estimated_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)" DO_NOTHING,
	    .columns = { INT("id"), TEXT("user_id"), INT("room_id"), NULL_INT("estimation"), INT("spectator"),
		TIME("estimated_at") }, .ncolumns = 6 },
};

static const char sql_clock[] = "SELECT " PH_MS("NOW()");
static const char sql_columns[] =
	"SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?";

static const char sql_read_state[] =
	"SELECT cursor_id, cursor_ms, cursor_key, initial_done FROM sync_state WHERE tbl = $1";
static const char sql_save_state[] =
	"UPDATE sync_state SET cursor_id = max(cursor_id, $2), cursor_ms = max(cursor_ms, $3), cursor_key = $4,"
	" initial_done = max(initial_done, $5) WHERE tbl = $1";
static const char sql_change_room[] =
	"UPDATE fpp_rooms SET number = $2, name = $3, last_used_at = $4"
	" WHERE id = $1 AND (number, name, last_used_at) IS NOT ($2, $3, $4)";

/* -- asking --------------------------------------------------------------------------- */

static enum ph_rc
take_int(void *arg, const struct ph_source_value *v, struct ph_err *err)
{
	(void)err;
	*(int64_t *)arg = v[0].is_null ? 0 : v[0].num;
	return PH_OK;
}

enum ph_rc
ph_ask_int(struct ph_model_copy *c, const char *sql, int is_time, int64_t *out, struct ph_err *err)
{
	const struct ph_source_column column = { .name = "the answer", .is_time = is_time != 0, .is_nullable = 1 };

	*out = 0;
	return ph_source_query(c->source, sql, NULL, 0, &column, 1, take_int, out, err);
}

enum ph_rc
ph_model_ask_clock(struct ph_model_copy *c, struct ph_err *err)
{
	return ph_ask_int(c, sql_clock, 1, &c->now_ms, err);
}

/* The names of a table's columns, each between commas. */
struct names { char text[2048]; };

static enum ph_rc
take_name(void *arg, const struct ph_source_value *v, struct ph_err *err)
{
	struct names	*names = arg;
	const size_t	 len = strlen(names->text);

	(void)err;
	snprintf(names->text + len, sizeof(names->text) - len, "%s%s,", len == 0 ? "," : "", v[0].text);
	return PH_OK;
}

enum ph_rc
ph_model_check_columns(struct ph_model_copy *c, struct ph_err *err)
{
	static const struct ph_source_column column[] = { { .name = "column_name", .is_text = 1 } };
	const struct ph_page_table	*t = &tables[c->table];
	const struct ph_source_param	 name[] = { { .text = ph_model_tables[c->table] } };
	struct names			 have = { "" };
	char				 lacking[160] = "", wanted[48];
	enum ph_rc			 rc;
	size_t				 i;

	if ((rc = ph_source_query(c->source, sql_columns, name, 1, column, 1, take_name, &have, err)) != PH_OK)
		return rc;
	if (have.text[0] == '\0')
		return ph_fail(err, PH_EUPSTREAM, "the table is missing, or the user may not read it");
	for (i = 0; i < t->ncolumns; i++) {
		snprintf(wanted, sizeof(wanted), ",%s,", t->columns[i].name);
		if (strcasestr(have.text, wanted) == NULL)
			snprintf(lacking + strlen(lacking), sizeof(lacking) - strlen(lacking), "%s%s",
			    lacking[0] != '\0' ? ", " : "", t->columns[i].name);
	}
	return lacking[0] == '\0' ? PH_OK : ph_fail(err, PH_EUPSTREAM, "the table lacks %s", lacking);
}

/* -- a page --------------------------------------------------------------------------- */

static enum ph_rc
read_state(struct ph_place *p, struct ph_err *err)
{
	struct ph_db	*db = p->copy->db;
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = ph_db_begin(db, err)) == PH_OK && (rc = ph_db_prepare(db, sql_read_state, &st, err)) == PH_OK) {
		ph_stmt_bind_text(st, 1, ph_model_tables[p->copy->table]);
		if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
			p->cursor_id = ph_stmt_int(st, 0);
			p->cursor_ms = ph_stmt_int(st, 1);
			ph_stmt_copy(st, 2, p->cursor_key, PH_PLACE_KEY_SIZE);
			p->initial_done = ph_stmt_int(st, 3) != 0;
			rc = PH_OK;
		} else if (rc == PH_DONE)
			rc = ph_fail(err, PH_EDBCORRUPT, "the read model does not know the table");
		ph_stmt_done(st);
	}
	ph_db_end(db);
	return rc;
}

static enum ph_rc
save_state(struct ph_place *p, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(p->copy->db, sql_save_state, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, ph_model_tables[p->copy->table]);
	ph_stmt_bind_int(st, 2, p->cursor_id);
	ph_stmt_bind_int(st, 3, p->cursor_ms);
	ph_stmt_bind_text(st, 4, p->cursor_key);
	ph_stmt_bind_int(st, 5, p->initial_done);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

static void
bind_row(struct ph_stmt *st, const struct ph_page_table *t, const struct ph_source_value *v)
{
	size_t i;

	for (i = 0; i < t->ncolumns; i++)
		if (v[i].is_null)
			ph_stmt_bind_null(st, (int)i + 1);
		else if (t->columns[i].is_text)
			ph_stmt_bind_text(st, (int)i + 1, v[i].text);
		else
			ph_stmt_bind_int(st, (int)i + 1, v[i].num);
}

static enum ph_rc
take_row(void *arg, const struct ph_source_value *v, struct ph_err *err)
{
	struct ph_place		*p = arg;
	const struct ph_page_table *t = p->table;
	enum ph_rc		 rc;

	if (t->columns[0].is_text && strlen(v[0].text) >= PH_PLACE_KEY_SIZE)
		return ph_fail(err, PH_EUPSTREAM, "row %.40s...: id is too long", v[0].text);
	bind_row(p->insert, t, v);
	if ((rc = ph_stmt_exec(p->insert, err)) != PH_OK)
		return rc;
	if (ph_db_changes(p->copy->db) > 0)
		p->inserted++;
	else if (p->change != NULL) {
		ph_stmt_bind_int(p->change, 1, v[0].num);
		ph_stmt_bind_int(p->change, 2, v[ROOMS_NUMBER].num);
		ph_stmt_bind_text(p->change, 3, v[ROOMS_NAME].text);
		ph_stmt_bind_int(p->change, 4, v[ROOMS_USED].num);
		if ((rc = ph_stmt_exec(p->change, err)) != PH_OK)
			return rc;
	}
	p->n++;
	if (t->columns[0].is_text)
		snprintf(p->last_key, PH_PLACE_KEY_SIZE, "%s", v[0].text);
	else
		p->last_id = v[0].num;
	if (t == &tables[PH_T_USERS] && v[USERS_CREATED].num > p->last_ms)
		p->last_ms = v[USERS_CREATED].num;
	if (t == &tables[PH_T_ROOMS] && v[ROOMS_USED].num > p->last_ms)
		p->last_ms = v[ROOMS_USED].num;
	return PH_OK;
}

enum ph_rc
ph_page_copy(struct ph_place *p, const char *sql, const struct ph_source_param *params, size_t nparams, ph_place_fn *move,
    struct ph_err *err)
{
	struct ph_db	*db = p->copy->db;
	const int64_t	 before_id = p->last_id;
	char		 before_key[PH_PLACE_KEY_SIZE];
	enum ph_rc	 rc;

	memcpy(before_key, p->last_key, sizeof(before_key));
	p->n = p->inserted = 0;
	p->insert = p->change = NULL;
	if ((rc = ph_db_begin(db, err)) == PH_OK &&
	    (rc = ph_db_prepare(db, p->table->insert, &p->insert, err)) == PH_OK &&
	    (p->table != &tables[PH_T_ROOMS] || (rc = ph_db_prepare(db, sql_change_room, &p->change, err)) == PH_OK) &&
	    (rc = ph_source_query(p->copy->source, sql, params, nparams, p->table->columns, p->table->ncolumns, take_row, p,
	    err)) == PH_OK) {
		move(p, p->n < PH_PAGE);
		/* Otherwise there would be no end. */
		if (p->n == PH_PAGE && p->last_id <= before_id && strcmp(p->last_key, before_key) == 0)
			rc = ph_fail(err, PH_EUPSTREAM, "the server gives the same rows again");
		else if ((rc = save_state(p, err)) == PH_OK)
			rc = ph_db_commit(db, err);
	}
	ph_stmt_done(p->insert);
	ph_stmt_done(p->change);
	ph_db_end(db);
	if (rc != PH_OK)
		return rc;
	p->copy->rows += p->inserted;
	p->copy->seen += p->n;
	return p->copy->page != NULL ? p->copy->page(p->copy, err) : PH_OK;
}

enum ph_rc
ph_pages_by_id(struct ph_place *p, int64_t from, int64_t to, ph_place_fn *move, struct ph_err *err)
{
	struct ph_source_param	param = { .num = from };
	enum ph_rc		rc = PH_OK;

	p->last_id = from;
	snprintf(p->last_key, PH_PLACE_KEY_SIZE, "%s", p->cursor_key);
	do {
		param.text = p->table->columns[0].is_text ? p->last_key : NULL;
		param.num = p->last_id;
		rc = ph_page_copy(p, p->table->by_id, &param, 1, move, err);
	} while (rc == PH_OK && p->n == PH_PAGE && p->last_id < to);
	return rc;
}

/* -- a place ---------------------------------------------------------------------------- */

/* A source that went backwards was restored, and its ids will mean other rows. */
static enum ph_rc
check_max(struct ph_place *p, struct ph_err *err)
{
	int64_t		max_id;
	enum ph_rc	rc;

	if (p->table->max_id == NULL)
		return PH_OK;
	if ((rc = ph_ask_int(p->copy, p->table->max_id, 0, &max_id, err)) != PH_OK)
		return rc;
	if (max_id < p->cursor_id)
		return ph_fail(err, PH_EUPSTREAM, "source max id %" PRId64 " is below cursor %" PRId64, max_id,
		    p->cursor_id);
	p->copy->expected = max_id - p->cursor_id;
	return PH_OK;
}

enum ph_rc
ph_place_open(struct ph_place *p, struct ph_model_copy *c, struct ph_err *err)
{
	enum ph_rc rc;

	*p = (struct ph_place){ .copy = c, .table = &tables[c->table] };
	c->rows = c->seen = c->expected = 0;
	return (rc = read_state(p, err)) == PH_OK ? check_max(p, err) : rc;
}
