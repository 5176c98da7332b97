/*
 * readmodel-copy.c -- tables of the product into the read model.
 *
 * A page of rows is one transaction: the rows, by the triggers their sums, and how far the table is.  A row that is there
 * already counts for nothing, so a page may come twice, and a kill at any instant loses at most the page in hand.
 *
 * An id is handed out at INSERT and seen from COMMIT on, so row 100 may appear after row 101 was copied: each run looks
 * LATE_IDS ids back.  Users have no id that grows, so theirs is created_at, LATE_MS back.  Rooms change, and say so by
 * last_used_at, LATE_MS back too.
 *
 * The first copy of a table goes by its primary key, because there is no other index; cursor_ms then stays at the latest
 * time of its first snapshot, and what happens until the copy is whole is fetched afterwards.  A time in the future would
 * hide what comes until then, so cursor_ms never passes the source's clock.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/readmodel.h"
#include "net/source.h"

enum { PAGE = 5000, LATE_IDS = 2000, LATE_MS = 600000, BLOCK_IDS = 10000, KEY_SIZE = 128 };

#define LIMIT " LIMIT 5000"
#define MS(column) "CAST(UNIX_TIMESTAMP(" column ") * 1000 AS SIGNED)"
#define USERS "SELECT id, device, os, browser, country, region, city, " MS("created_at") " FROM fpp_users"
#define ROOMS "SELECT id, number, name, " MS("first_used_at") ", " MS("last_used_at") " FROM fpp_rooms"
#define VIEWS "SELECT id, user_id, route, room_id, source, " MS("viewed_at") " FROM fpp_page_views"
#define EVENTS "SELECT id, user_id, event, " MS("event_at") " FROM fpp_events"
#define VOTES "SELECT id, room_id, CAST(avg_estimation * 100 AS SIGNED), max_estimation, min_estimation," \
	" amount_of_estimations, amount_of_spectators, duration, was_auto_flip, " MS("voted_at") " FROM fpp_votes"
#define ESTIMATIONS "SELECT id, user_id, room_id, estimation, spectator, " MS("estimated_at") " FROM fpp_estimations"

enum { USERS_CREATED = 7, ROOMS_NUMBER = 1, ROOMS_NAME, ROOMS_USED = 4 };	/* columns */

struct model_table {
	const char		*name;
	const char		*by_id;		/* a page behind an id */
	const char		*max_id;	/* NULL: ids do not grow */
	const char		*max_ms;	/* what cursor_ms is made from; NULL: nothing */
	const char		*blocks;	/* number of rows and highest id of each block of ids */
	const char		*insert;
	struct ph_source_column	 columns[PH_SOURCE_COLUMNS_MAX];	/* of by_id and insert; the first is the id */
	size_t			 ncolumns;
};

#define TEXT(n) { .name = n, .is_text = 1 }
#define NULL_TEXT(n) { .name = n, .is_text = 1, .is_nullable = 1 }
#define INT(n) { .name = n }
#define TIME(n) { .name = n, .is_time = 1 }
#define NULL_INT(n) { .name = n, .is_nullable = 1 }
#define BLOCKS(table) "SELECT id DIV 10000, COUNT(*), MAX(id) FROM " table " WHERE id <= ? GROUP BY 1 ORDER BY 1"
#define DO_NOTHING " ON CONFLICT (id) DO NOTHING"

enum { T_USERS, T_ROOMS, T_VIEWS, T_EVENTS, T_VOTES, T_ESTIMATIONS };
static const struct model_table tables[PH_MODEL_TABLES] = {
	[T_USERS] = { .name = "fpp_users", .by_id = USERS " WHERE id > ? ORDER BY id" LIMIT,
	    .max_ms = "SELECT " MS("MAX(created_at)") " FROM fpp_users",
	    .insert = "INSERT INTO fpp_users (id, device, os, browser, country, region, city, created_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)" DO_NOTHING,
	    .columns = { TEXT("id"), NULL_TEXT("device"), NULL_TEXT("os"), NULL_TEXT("browser"), NULL_TEXT("country"),
		NULL_TEXT("region"), NULL_TEXT("city"), TIME("created_at") }, .ncolumns = 8 },
	[T_ROOMS] = { .name = "fpp_rooms", .by_id = ROOMS " WHERE id > ? ORDER BY id" LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_rooms", .max_ms = "SELECT " MS("MAX(last_used_at)") " FROM fpp_rooms",
	    .blocks = BLOCKS("fpp_rooms"),
	    .insert = "INSERT INTO fpp_rooms (id, number, name, first_used_at, last_used_at)"
		" VALUES ($1, $2, $3, $4, $5)" DO_NOTHING,
	    .columns = { INT("id"), INT("number"), TEXT("name"), TIME("first_used_at"), TIME("last_used_at") }, .ncolumns = 5 },
	[T_VIEWS] = { .name = "fpp_page_views", .by_id = VIEWS " WHERE id > ? ORDER BY id" LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_page_views", .blocks = BLOCKS("fpp_page_views"),
	    .insert = "INSERT INTO fpp_page_views (id, user_id, route, room_id, source, viewed_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)" DO_NOTHING,
	    .columns = { INT("id"), TEXT("user_id"), TEXT("route"), NULL_INT("room_id"), NULL_TEXT("source"),
		TIME("viewed_at") }, .ncolumns = 6 },
	[T_EVENTS] = { .name = "fpp_events", .by_id = EVENTS " WHERE id > ? ORDER BY id" LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_events", .blocks = BLOCKS("fpp_events"),
	    .insert = "INSERT INTO fpp_events (id, user_id, event, event_at) VALUES ($1, $2, $3, $4)" DO_NOTHING,
	    .columns = { INT("id"), TEXT("user_id"), TEXT("event"), TIME("event_at") }, .ncolumns = 4 },
	[T_VOTES] = { .name = "fpp_votes", .by_id = VOTES " WHERE id > ? ORDER BY id" LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_votes", .blocks = BLOCKS("fpp_votes"),
	    .insert = "INSERT INTO fpp_votes (id, room_id, avg_estimation_c, max_estimation, min_estimation,"
		" amount_of_estimations, amount_of_spectators, duration, was_auto_flip, voted_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)" DO_NOTHING,
	    .columns = { INT("id"), INT("room_id"), INT("avg_estimation"), INT("max_estimation"), INT("min_estimation"),
		INT("amount_of_estimations"), INT("amount_of_spectators"), INT("duration"), INT("was_auto_flip"),
		TIME("voted_at") }, .ncolumns = 10 },
	[T_ESTIMATIONS] = { .name = "fpp_estimations", .by_id = ESTIMATIONS " WHERE id > ? ORDER BY id" LIMIT,
	    .max_id = "SELECT MAX(id) FROM fpp_estimations", .blocks = BLOCKS("fpp_estimations"),
	    .insert = "INSERT INTO fpp_estimations (id, user_id, room_id, estimation, spectator, estimated_at)"
		" VALUES ($1, $2, $3, $4, $5, $6)" DO_NOTHING,
	    .columns = { INT("id"), TEXT("user_id"), INT("room_id"), NULL_INT("estimation"), INT("spectator"),
		TIME("estimated_at") }, .ncolumns = 6 },
};

const char *const ph_model_tables[] = { "fpp_users", "fpp_rooms", "fpp_page_views", "fpp_events", "fpp_votes",
    "fpp_estimations", NULL };

static const char sql_clock[] = "SELECT " MS("NOW()");
static const char sql_columns[] =
	"SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?";
static const char sql_users_since[] =
	USERS " WHERE created_at > FROM_UNIXTIME(? / 1000) OR (created_at = FROM_UNIXTIME(? / 1000) AND id > ?)"
	" ORDER BY created_at, id" LIMIT;
static const char sql_rooms_since[] = ROOMS " WHERE last_used_at >= FROM_UNIXTIME(? / 1000) AND id > ? ORDER BY id" LIMIT;
static const char sql_users_count[] = "SELECT COUNT(*) FROM fpp_users";

static const char sql_read_state[] =
	"SELECT cursor_id, cursor_ms, cursor_key, initial_done FROM sync_state WHERE tbl = $1";
static const char sql_save_state[] =
	"UPDATE sync_state SET cursor_id = max(cursor_id, $2), cursor_ms = max(cursor_ms, $3), cursor_key = $4,"
	" initial_done = max(initial_done, $5) WHERE tbl = $1";
static const char sql_change_room[] =
	"UPDATE fpp_rooms SET number = $2, name = $3, last_used_at = $4"
	" WHERE id = $1 AND (number, name, last_used_at) IS NOT ($2, $3, $4)";
static const char sql_have_users[] = "SELECT count(*) FROM fpp_users";
/* Of one table, in the order of ph_model_tables; NULL: by the number of all rows. */
static const char *const sql_have_block[PH_MODEL_TABLES] = {
	[T_ROOMS] = "SELECT count(*), max(id) FROM fpp_rooms WHERE id >= $1 AND id < $2",
	[T_VIEWS] = "SELECT count(*), max(id) FROM fpp_page_views WHERE id >= $1 AND id < $2",
	[T_EVENTS] = "SELECT count(*), max(id) FROM fpp_events WHERE id >= $1 AND id < $2",
	[T_VOTES] = "SELECT count(*), max(id) FROM fpp_votes WHERE id >= $1 AND id < $2",
	[T_ESTIMATIONS] = "SELECT count(*), max(id) FROM fpp_estimations WHERE id >= $1 AND id < $2",
};

/* Where a table is, and the page in hand. */
struct place {
	struct ph_model_copy	*copy;
	const struct model_table *table;
	/* as sync_state has it */
	int64_t			 cursor_id, cursor_ms;
	char			 cursor_key[KEY_SIZE];
	int			 initial_done;
	/* the page */
	struct ph_stmt		*insert;
	struct ph_stmt		*change;	/* of rooms; NULL: others */
	int64_t			 n;		/* rows in it */
	int64_t			 last_id;
	char			 last_key[KEY_SIZE];
	int64_t			 last_ms;	/* highest of the column that cursor_ms is made from */
	int64_t			 inserted;
};

/* -- asking --------------------------------------------------------------------------- */

static enum ph_rc
take_int(void *arg, const struct ph_source_value *v, struct ph_err *err)
{
	(void)err;
	*(int64_t *)arg = v[0].is_null ? 0 : v[0].num;
	return PH_OK;
}

/* One number; NULL is 0. */
static enum ph_rc
ask_int(struct ph_model_copy *c, const char *sql, int is_time, int64_t *out, struct ph_err *err)
{
	const struct ph_source_column column = { .name = "the answer", .is_time = is_time != 0, .is_nullable = 1 };

	*out = 0;
	return ph_source_query(c->source, sql, NULL, 0, &column, 1, take_int, out, err);
}

enum ph_rc
ph_model_ask_clock(struct ph_model_copy *c, struct ph_err *err)
{
	return ask_int(c, sql_clock, 1, &c->now_ms, err);
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
	static const struct ph_source_column column[] = { TEXT("column_name") };
	const struct model_table	*t = &tables[c->table];
	const struct ph_source_param	 name[] = { { .text = t->name } };
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
read_state(struct place *p, struct ph_err *err)
{
	struct ph_db	*db = p->copy->db;
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = ph_db_begin(db, err)) == PH_OK && (rc = ph_db_prepare(db, sql_read_state, &st, err)) == PH_OK) {
		ph_stmt_bind_text(st, 1, p->table->name);
		if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
			p->cursor_id = ph_stmt_int(st, 0);
			p->cursor_ms = ph_stmt_int(st, 1);
			ph_stmt_copy(st, 2, p->cursor_key, KEY_SIZE);
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
save_state(struct place *p, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(p->copy->db, sql_save_state, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, p->table->name);
	ph_stmt_bind_int(st, 2, p->cursor_id);
	ph_stmt_bind_int(st, 3, p->cursor_ms);
	ph_stmt_bind_text(st, 4, p->cursor_key);
	ph_stmt_bind_int(st, 5, p->initial_done);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

static void
bind_row(struct ph_stmt *st, const struct model_table *t, const struct ph_source_value *v)
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
	struct place		*p = arg;
	const struct model_table *t = p->table;
	enum ph_rc		 rc;

	if (t->columns[0].is_text && strlen(v[0].text) >= KEY_SIZE)
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
		snprintf(p->last_key, KEY_SIZE, "%s", v[0].text);
	else
		p->last_id = v[0].num;
	if (t == &tables[T_USERS] && v[USERS_CREATED].num > p->last_ms)
		p->last_ms = v[USERS_CREATED].num;
	if (t == &tables[T_ROOMS] && v[ROOMS_USED].num > p->last_ms)
		p->last_ms = v[ROOMS_USED].num;
	return PH_OK;
}

/* What follows from a page for sync_state, set by the caller. */
typedef void place_fn(struct place *, int is_last);

static enum ph_rc
copy_page(struct place *p, const char *sql, const struct ph_source_param *params, size_t nparams, place_fn *move,
    struct ph_err *err)
{
	struct ph_db	*db = p->copy->db;
	const int64_t	 before_id = p->last_id;
	char		 before_key[KEY_SIZE];
	enum ph_rc	 rc;

	memcpy(before_key, p->last_key, sizeof(before_key));
	p->n = p->inserted = 0;
	p->insert = p->change = NULL;
	if ((rc = ph_db_begin(db, err)) == PH_OK &&
	    (rc = ph_db_prepare(db, p->table->insert, &p->insert, err)) == PH_OK &&
	    (p->table != &tables[T_ROOMS] || (rc = ph_db_prepare(db, sql_change_room, &p->change, err)) == PH_OK) &&
	    (rc = ph_source_query(p->copy->source, sql, params, nparams, p->table->columns, p->table->ncolumns, take_row, p,
	    err)) == PH_OK) {
		move(p, p->n < PAGE);
		/* Otherwise there would be no end. */
		if (p->n == PAGE && p->last_id <= before_id && strcmp(p->last_key, before_key) == 0)
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

/* -- ways through a table ------------------------------------------------------------- */

static int64_t
not_ahead(const struct place *p, int64_t ms)
{
	return ms < p->copy->now_ms ? ms : p->copy->now_ms;
}

static void
move_by_id(struct place *p, int is_last)
{
	if (p->n > 0 && p->last_id > p->cursor_id)
		p->cursor_id = p->last_id;
	if (is_last)
		p->initial_done = 1;
}

static void
move_by_key(struct place *p, int is_last)
{
	snprintf(p->cursor_key, KEY_SIZE, "%s", is_last ? "" : p->last_key);
	if (is_last)
		p->initial_done = 1;
}

static void
move_by_time(struct place *p, int is_last)
{
	(void)is_last;
	if (not_ahead(p, p->last_ms) > p->cursor_ms)
		p->cursor_ms = not_ahead(p, p->last_ms);
}

/* Rooms come by id, so how late they were used is known at the end only. */
static void
move_at_end(struct place *p, int is_last)
{
	if (is_last)
		move_by_time(p, is_last);
}

static void
stay(struct place *p, int is_last)
{
	(void)p;
	(void)is_last;
}

/* Pages behind an id; for keys, behind a key. */
static enum ph_rc
copy_by_id(struct place *p, int64_t from, int64_t to, place_fn *move, struct ph_err *err)
{
	struct ph_source_param	param = { .num = from };
	enum ph_rc		rc = PH_OK;

	p->last_id = from;
	snprintf(p->last_key, KEY_SIZE, "%s", p->cursor_key);
	do {
		param.text = p->table->columns[0].is_text ? p->last_key : NULL;
		param.num = p->last_id;
		rc = copy_page(p, p->table->by_id, &param, 1, move, err);
	} while (rc == PH_OK && p->n == PAGE && p->last_id < to);
	return rc;
}

static enum ph_rc
copy_users_since(struct place *p, int64_t from_ms, struct ph_err *err)
{
	struct ph_source_param	params[] = { { .num = from_ms }, { .num = from_ms }, { .text = "" } };
	char			key[KEY_SIZE] = "";
	enum ph_rc		rc;

	p->last_ms = from_ms;
	do {
		params[0].num = params[1].num = p->last_ms;
		memcpy(key, p->last_key, sizeof(key));
		params[2].text = key;
		rc = copy_page(p, sql_users_since, params, 3, move_by_time, err);
	} while (rc == PH_OK && p->n == PAGE);
	return rc;
}

static enum ph_rc
copy_rooms_since(struct place *p, int64_t from_ms, struct ph_err *err)
{
	struct ph_source_param	params[] = { { .num = from_ms }, { .num = 0 } };
	enum ph_rc		rc;

	p->last_id = p->last_ms = 0;
	do {
		params[1].num = p->last_id;
		rc = copy_page(p, sql_rooms_since, params, 2, move_at_end, err);
	} while (rc == PH_OK && p->n == PAGE);
	return rc;
}

/* A source that went backwards was restored, and its ids will mean other rows. */
static enum ph_rc
check_max(struct place *p, struct ph_err *err)
{
	int64_t		max_id;
	enum ph_rc	rc;

	if (p->table->max_id == NULL)
		return PH_OK;
	if ((rc = ask_int(p->copy, p->table->max_id, 0, &max_id, err)) != PH_OK)
		return rc;
	if (max_id < p->cursor_id)
		return ph_fail(err, PH_EUPSTREAM, "source max id %" PRId64 " is below cursor %" PRId64, max_id,
		    p->cursor_id);
	p->copy->expected = max_id - p->cursor_id;
	return PH_OK;
}

enum ph_rc
ph_model_copy_table(struct ph_model_copy *c, struct ph_err *err)
{
	struct place	p = { .copy = c, .table = &tables[c->table] };
	const int64_t	late = LATE_IDS;
	int64_t		from_ms;
	enum ph_rc	rc;

	c->rows = c->seen = c->expected = 0;
	if ((rc = read_state(&p, err)) != PH_OK || (rc = check_max(&p, err)) != PH_OK)
		return rc;
	if (!p.initial_done) {
		/* Saved with the page. */
		if (p.cursor_ms == 0 && p.table->max_ms != NULL) {
			if ((rc = ask_int(c, p.table->max_ms, 1, &p.cursor_ms, err)) != PH_OK)
				return rc;
			p.cursor_ms = not_ahead(&p, p.cursor_ms);
		}
		return copy_by_id(&p, p.cursor_id, INT64_MAX, c->table == T_USERS ? move_by_key : move_by_id, err);
	}
	from_ms = p.cursor_ms > LATE_MS ? p.cursor_ms - LATE_MS : 0;
	if (c->table == T_USERS)
		return copy_users_since(&p, from_ms, err);
	if ((rc = copy_by_id(&p, p.cursor_id > late ? p.cursor_id - late : 0, INT64_MAX, move_by_id, err)) != PH_OK ||
	    c->table != T_ROOMS)
		return rc;
	return copy_rooms_since(&p, from_ms, err);
}

/* -- mending -------------------------------------------------------------------------- */

/* Blocks of ids that differ. */
enum { BLOCKS_MAX = 4096 };
struct blocks {
	struct ph_model_copy	*copy;
	int64_t			 differing[BLOCKS_MAX];
	size_t			 n;
	int64_t			 excess;
};

static enum ph_rc
take_block(void *arg, const struct ph_source_value *v, struct ph_err *err)
{
	struct blocks	*b = arg;
	struct ph_stmt	*st;
	int64_t		 n = 0, max_id = 0;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(b->copy->db, sql_have_block[b->copy->table], &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, v[0].num * BLOCK_IDS);
	ph_stmt_bind_int(st, 2, (v[0].num + 1) * BLOCK_IDS);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		n = ph_stmt_int(st, 0);
		max_id = ph_stmt_int(st, 1);
	}
	ph_stmt_done(st);
	if (rc != PH_ROW)
		return rc == PH_DONE ? PH_OK : rc;
	b->copy->seen += v[1].num;
	if (n > v[1].num)
		b->excess += n - v[1].num;
	if ((n != v[1].num || max_id != v[2].num) && b->n < BLOCKS_MAX)
		b->differing[b->n++] = v[0].num;
	return PH_OK;
}

static enum ph_rc
mend_blocks(struct place *p, struct blocks *b, struct ph_err *err)
{
	static const struct ph_source_column	columns[] = { INT("block"), INT("count"), INT("max") };
	const struct ph_source_param		cursor[] = { { .num = p->cursor_id } };
	enum ph_rc				rc;
	size_t					i;

	if ((rc = ph_db_begin(p->copy->db, err)) == PH_OK)
		rc = ph_source_query(p->copy->source, p->table->blocks, cursor, 1, columns, 3, take_block, b, err);
	ph_db_end(p->copy->db);
	for (i = 0; i < b->n && rc == PH_OK; i++)
		rc = copy_by_id(p, b->differing[i] * BLOCK_IDS - 1, (b->differing[i] + 1) * BLOCK_IDS - 1, stay, err);
	return rc;
}

/* Users have no blocks: all are fetched when there are not as many. */
static enum ph_rc
mend_users(struct place *p, int64_t *excess, struct ph_err *err)
{
	struct ph_db	*db = p->copy->db;
	int64_t		 theirs, ours = 0;
	enum ph_rc	 rc;

	if ((rc = ask_int(p->copy, sql_users_count, 0, &theirs, err)) != PH_OK)
		return rc;
	if ((rc = ph_db_begin(db, err)) == PH_OK)
		rc = ph_db_one_int(db, sql_have_users, &ours, err);
	ph_db_end(db);
	if (rc != PH_OK || ours == theirs)
		return rc;
	if ((rc = copy_by_id(p, 0, INT64_MAX, stay, err)) == PH_OK && ours + p->copy->rows > theirs)
		*excess = ours + p->copy->rows - theirs;
	return rc;
}

enum ph_rc
ph_model_mend_table(struct ph_model_copy *c, int64_t *excess, struct ph_err *err)
{
	struct place	p = { .copy = c, .table = &tables[c->table] };
	struct blocks	b = { .copy = c };
	enum ph_rc	rc;

	*excess = c->rows = c->seen = c->expected = 0;
	if ((rc = read_state(&p, err)) != PH_OK || !p.initial_done || (rc = check_max(&p, err)) != PH_OK)
		return rc;
	if (c->table == T_USERS)
		return mend_users(&p, excess, err);
	/* Rooms are few, and whether one has changed is not to be seen otherwise. */
	if (c->table == T_ROOMS)
		rc = copy_by_id(&p, 0, p.cursor_id, stay, err);
	if (rc == PH_OK)
		rc = mend_blocks(&p, &b, err);
	*excess = b.excess;
	return rc;
}
