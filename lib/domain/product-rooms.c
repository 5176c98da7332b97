/*
 * product-rooms.c -- rooms, those with the most votes or those used last first, or the ones of a name or number.
 */
#include "autoconf.h"

#include <string.h>

#include "core/number.h"
#include "domain/product.h"

enum { LIMIT_MAX = 100000, NAME_MAX_BYTES = 60 };

#define COLUMNS "r.id, r.number, r.name, coalesce(v.votes, 0), coalesce(v.estimations, 0), coalesce(v.spectators, 0)," \
	" r.first_used_at, r.last_used_at"
#define ROOMS "fpp_rooms r LEFT JOIN roll_votes v ON v.kind = 1 AND v.room_id = r.id"
/* Each walks an index, and stops. */
static const char sql_by_votes[] =
	"SELECT v.room_id, r.number, r.name, v.votes, v.estimations, v.spectators, r.first_used_at, r.last_used_at"
	" FROM roll_votes v LEFT JOIN fpp_rooms r ON r.id = v.room_id WHERE v.kind = 1 ORDER BY v.votes DESC, v.room_id DESC LIMIT $1";
static const char sql_by_use[] =
	"SELECT " COLUMNS " FROM " ROOMS " ORDER BY r.last_used_at DESC, r.id DESC LIMIT $1";
static const char sql_named[] =
	"SELECT " COLUMNS " FROM " ROOMS " WHERE r.name = $2 OR r.number = $3 ORDER BY r.id LIMIT $1";

static const char *const sorts[] = { "votes", "last_used_at", NULL };
enum { P_SORT = PH_PRODUCT_NPARAMS, P_LIMIT, P_NAME, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_PRODUCT_PARAMS,
	[P_SORT] = { .name = "sort", .type = PH_P_CHOICE, .choices = sorts,
	    .text = "The highest first. By votes: rooms with votes only, also unknown ones. By last_used_at: known ones only." },
	[P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = LIMIT_MAX, .dflt = 50, .unit = "rows",
	    .text = "So many rows at most." },
	[P_NAME] = { .name = "name", .type = PH_P_TEXT, .min = 1, .max = NAME_MAX_BYTES,
	    .text = "Only rooms of this name or number." },
};

enum { C_ID, C_NUMBER, C_NAME, C_VOTES, C_ESTIMATIONS, C_SPECTATORS, C_FIRST, C_LAST, C__MAX };
static const struct ph_field columns[C__MAX] = {
	[C_ID] = { .name = "room_id", .type = PH_INTEGER, .text = "The room, for /room/{room_id}/stats." },
	[C_NUMBER] = { .name = "number", .type = PH_INTEGER, .is_nullable = 1, .text = "Its number; null: the room is not known." },
	[C_NAME] = { .name = "name", .type = PH_TEXT, .is_nullable = 1, .text = "Its present name." },
	[C_VOTES] = { .name = "votes", .text = "Its votes." },
	[C_ESTIMATIONS] = { .name = "estimations", .text = "Cards that these counted." },
	[C_SPECTATORS] = { .name = "spectators", .text = "Spectators of these." },
	[C_FIRST] = { .name = "first_used_at", .type = PH_TIME, .is_nullable = 1, .text = "When it was made." },
	[C_LAST] = { .name = "last_used_at", .type = PH_TIME, .is_nullable = 1, .text = "When it was used last." },
};
static const struct ph_field fields[] = { PH_PRODUCT_UPDATED, PH_PRODUCT_ITEMS(columns, C__MAX) };

static enum ph_rc
rows(struct ph_product *p, struct ph_rows *out, struct ph_err *err)
{
	const char	*name = p->args->values[P_NAME].text;
	const char	*sql = name != NULL ? sql_named : p->args->values[P_SORT].num == 0 ? sql_by_votes : sql_by_use;
	int64_t		 number = -1;
	struct ph_value	 v[C__MAX];
	struct ph_stmt	*st;
	enum ph_rc	 rc, given = PH_OK;

	if ((rc = ph_db_prepare(p->db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, p->args->values[P_LIMIT].num);
	if (name != NULL) {
		if (ph_parse_int(name, strlen(name), 0, INT64_MAX, &number) != 0)
			number = -1;
		ph_stmt_bind_text(st, 2, name);
		ph_stmt_bind_int(st, 3, number);
	}
	while (given == PH_OK && (rc = ph_stmt_step(st, err)) == PH_ROW) {
		ph_v_columns(v, st, columns, C__MAX);
		given = ph_rows_give(out, v, err);
	}
	ph_stmt_done(st);
	return given != PH_OK ? given : rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

const struct ph_product_table ph_table_product_rooms = {
	.name = "rooms", .params = params, .nparams = P__MAX, .fields = fields, .nfields = 2,
	.columns = columns, .ncolumns = C__MAX, .rows = rows,
};
