/*
 * readmodel-copy.c -- the new, late and changed rows of a table of the product.
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

#include <stdio.h>
#include <string.h>

#include "domain/readmodel-page.h"

enum { LATE_IDS = 2000, LATE_MS = 600000 };

static const char sql_users_since[] =
	PH_SELECT_USERS " WHERE created_at > FROM_UNIXTIME(? / 1000) OR (created_at = FROM_UNIXTIME(? / 1000) AND id > ?)"
	" ORDER BY created_at, id" PH_LIMIT;
static const char sql_rooms_since[] =
	PH_SELECT_ROOMS " WHERE last_used_at >= FROM_UNIXTIME(? / 1000) AND id > ? ORDER BY id" PH_LIMIT;

static int64_t
not_ahead(const struct ph_place *p, int64_t ms)
{
	return ms < p->copy->now_ms ? ms : p->copy->now_ms;
}

static void
move_by_id(struct ph_place *p, int is_last)
{
	if (p->n > 0 && p->last_id > p->cursor_id)
		p->cursor_id = p->last_id;
	if (is_last)
		p->initial_done = 1;
}

static void
move_by_key(struct ph_place *p, int is_last)
{
	snprintf(p->cursor_key, PH_PLACE_KEY_SIZE, "%s", is_last ? "" : p->last_key);
	if (is_last)
		p->initial_done = 1;
}

static void
move_by_time(struct ph_place *p, int is_last)
{
	(void)is_last;
	if (not_ahead(p, p->last_ms) > p->cursor_ms)
		p->cursor_ms = not_ahead(p, p->last_ms);
}

/* Rooms come by id, so how late they were used is known at the end only. */
static void
move_at_end(struct ph_place *p, int is_last)
{
	if (is_last)
		move_by_time(p, is_last);
}

static enum ph_rc
copy_users_since(struct ph_place *p, int64_t from_ms, struct ph_err *err)
{
	struct ph_source_param	params[] = { { .num = from_ms }, { .num = from_ms }, { .text = "" } };
	char			key[PH_PLACE_KEY_SIZE] = "";
	enum ph_rc		rc;

	p->last_ms = from_ms;
	do {
		params[0].num = params[1].num = p->last_ms;
		memcpy(key, p->last_key, sizeof(key));
		params[2].text = key;
		rc = ph_page_copy(p, sql_users_since, params, 3, move_by_time, err);
	} while (rc == PH_OK && p->n == PH_PAGE);
	return rc;
}

static enum ph_rc
copy_rooms_since(struct ph_place *p, int64_t from_ms, struct ph_err *err)
{
	struct ph_source_param	params[] = { { .num = from_ms }, { .num = 0 } };
	enum ph_rc		rc;

	p->last_id = p->last_ms = 0;
	do {
		params[1].num = p->last_id;
		rc = ph_page_copy(p, sql_rooms_since, params, 2, move_at_end, err);
	} while (rc == PH_OK && p->n == PH_PAGE);
	return rc;
}

enum ph_rc
ph_model_copy_table(struct ph_model_copy *c, struct ph_err *err)
{
	struct ph_place	p;
	const int64_t	late = LATE_IDS;
	int64_t		from_ms;
	enum ph_rc	rc;

	if ((rc = ph_place_open(&p, c, err)) != PH_OK)
		return rc;
	if (!p.initial_done) {
		/* Saved with the page. */
		if (p.cursor_ms == 0 && p.table->max_ms != NULL) {
			if ((rc = ph_ask_int(c, p.table->max_ms, 1, &p.cursor_ms, err)) != PH_OK)
				return rc;
			p.cursor_ms = not_ahead(&p, p.cursor_ms);
		}
		return ph_pages_by_id(&p, p.cursor_id, INT64_MAX, c->table == PH_T_USERS ? move_by_key : move_by_id, err);
	}
	from_ms = p.cursor_ms > LATE_MS ? p.cursor_ms - LATE_MS : 0;
	if (c->table == PH_T_USERS)
		return copy_users_since(&p, from_ms, err);
	if ((rc = ph_pages_by_id(&p, p.cursor_id > late ? p.cursor_id - late : 0, INT64_MAX, move_by_id, err)) != PH_OK ||
	    c->table != PH_T_ROOMS)
		return rc;
	return copy_rooms_since(&p, from_ms, err);
}
