/*
 * readmodel-mend.c -- what the source has of a table and we do not, and the other way round.
 *
 * By blocks of ids, their number of rows and highest id; a block that differs is fetched again.  Users have no ids that
 * grow: all are fetched when there are not as many.  Rooms are few, and whether one has changed is not to be seen
 * otherwise: all are fetched.
 */
#include "autoconf.h"

#include <stdlib.h>

#include "domain/readmodel-page.h"

enum { BLOCKS_MORE = 1024 };	/* room for so many more at once */

static const char sql_users_count[] = "SELECT COUNT(*) FROM fpp_users";
static const char sql_have_users[] = "SELECT count(*) FROM fpp_users";

static void
stay(struct ph_place *p, int is_last)
{
	(void)p;
	(void)is_last;
}

/* -- blocks --------------------------------------------------------------------------- */

struct blocks {
	struct ph_place	*place;
	int64_t		*differing;	/* their numbers; malloc'ed */
	size_t		 n;
	int64_t		 ours;		/* our rows in blocks that the source has */
	int64_t		 excess;	/* rows that it has not */
};

/* Our rows from an id to below another, and the highest. */
static enum ph_rc
count_ours(const struct ph_place *p, int64_t from, int64_t to, int64_t *n, int64_t *max_id, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(p->copy->db, p->table->have, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, from);
	ph_stmt_bind_int(st, 2, to);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*n = ph_stmt_int(st, 0);
		*max_id = ph_stmt_int(st, 1);
	}
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

static enum ph_rc
note_block(struct blocks *b, int64_t block, struct ph_err *err)
{
	int64_t *more;

	if (b->n % BLOCKS_MORE == 0) {
		if ((more = realloc(b->differing, (b->n + BLOCKS_MORE) * sizeof(*more))) == NULL)
			return ph_fail(err, PH_ENOMEM, "there is not enough memory for the blocks that differ");
		b->differing = more;
	}
	b->differing[b->n++] = block;
	return PH_OK;
}

static enum ph_rc
take_block(void *arg, const struct ph_source_value *v, struct ph_err *err)
{
	struct blocks	*b = arg;
	int64_t		 n = 0, max_id = 0;
	enum ph_rc	 rc;

	if ((rc = count_ours(b->place, v[0].num * PH_BLOCK_IDS, (v[0].num + 1) * PH_BLOCK_IDS, &n, &max_id, err)) != PH_OK)
		return rc;
	b->ours += n;
	if (n > v[1].num)
		b->excess += n - v[1].num;
	return n != v[1].num || max_id != v[2].num ? note_block(b, v[0].num, err) : PH_OK;
}

static enum ph_rc
compare_blocks(struct blocks *b, struct ph_err *err)
{
	static const struct ph_source_column	columns[] = { { .name = "block" }, { .name = "count" }, { .name = "max" } };
	struct ph_place				*p = b->place;
	const struct ph_source_param		cursor[] = { { .num = p->cursor_id } };
	int64_t					all = 0, max_id;
	enum ph_rc				rc;

	/* What is in no block of the source is too much, too. */
	if ((rc = ph_db_begin(p->copy->db, err)) == PH_OK &&
	    (rc = ph_source_query(p->copy->source, p->table->blocks, cursor, 1, columns, 3, take_block, b, err)) == PH_OK &&
	    (rc = count_ours(p, INT64_MIN, p->cursor_id - p->cursor_id % PH_BLOCK_IDS + PH_BLOCK_IDS, &all, &max_id,
	    err)) == PH_OK)
		b->excess += all - b->ours;
	ph_db_end(p->copy->db);
	return rc;
}

static enum ph_rc
mend_blocks(struct ph_place *p, int64_t *excess, struct ph_err *err)
{
	struct blocks	b = { .place = p };
	enum ph_rc	rc;
	size_t		i;

	rc = compare_blocks(&b, err);
	for (i = 0; i < b.n && rc == PH_OK; i++)
		rc = ph_pages_by_id(p, b.differing[i] * PH_BLOCK_IDS - 1, (b.differing[i] + 1) * PH_BLOCK_IDS - 1, stay, err);
	free(b.differing);
	*excess = b.excess;
	return rc;
}

/* -- tables --------------------------------------------------------------------------- */

static enum ph_rc
mend_users(struct ph_place *p, int64_t *excess, struct ph_err *err)
{
	struct ph_db	*db = p->copy->db;
	int64_t		 theirs, ours = 0;
	enum ph_rc	 rc;

	if ((rc = ph_ask_int(p->copy, sql_users_count, 0, &theirs, err)) != PH_OK)
		return rc;
	if ((rc = ph_db_begin(db, err)) == PH_OK)
		rc = ph_db_one_int(db, sql_have_users, &ours, err);
	ph_db_end(db);
	if (rc != PH_OK || ours == theirs)
		return rc;
	if ((rc = ph_pages_by_id(p, 0, INT64_MAX, stay, err)) == PH_OK && ours + p->copy->rows > theirs)
		*excess = ours + p->copy->rows - theirs;
	return rc;
}

enum ph_rc
ph_model_mend_table(struct ph_model_copy *c, int64_t *excess, struct ph_err *err)
{
	struct ph_place	p;
	enum ph_rc	rc;

	*excess = 0;
	if ((rc = ph_place_open(&p, c, err)) != PH_OK || !p.initial_done)
		return rc;
	if (c->table == PH_T_USERS)
		return mend_users(&p, excess, err);
	if (c->table == PH_T_ROOMS)
		rc = ph_pages_by_id(&p, 0, p.cursor_id, stay, err);
	return rc == PH_OK ? mend_blocks(&p, excess, err) : rc;
}
