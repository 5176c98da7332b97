/*
 * tally.c -- counts in a search tree, in the order of op3_daily's key, so that they go in one after the other.
 */
#include "autoconf.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "domain/tally.h"

enum { KEY_MAX = 200 };		/* bytes of a name that is counted; what is longer is cut */

/* In the order of their names, which is that of the key. */
enum dim { APP, COUNTRY, DEVICE, EPISODE, TOTAL, DIMS };
static const char *const dims[DIMS] = {
	[APP] = "app", [COUNTRY] = "country", [DEVICE] = "device", [EPISODE] = "episode", [TOTAL] = "total",
};

struct count {
	enum dim	dim;
	char		day[PH_DAY_SIZE];
	char		key[KEY_MAX + 1];
	int64_t		n;
};

struct ph_tally {
	char	 first[PH_DAY_SIZE], last[PH_DAY_SIZE];
	void	*tree;
	int64_t	 nrows;
};

static const char sql_remove[] = "DELETE FROM op3_daily WHERE podcast_id = $1 AND dim = $2 AND day >= $3 AND day <= $4";
static const char sql_insert[] = "INSERT INTO op3_daily (podcast_id, day, dim, key, n) VALUES ($1, $2, $3, $4, $5)";

static int
by_key(const void *a, const void *b)
{
	const struct count	*x = a, *y = b;
	int			 order;

	if (x->dim != y->dim)
		return x->dim < y->dim ? -1 : 1;
	return (order = strcmp(x->day, y->day)) != 0 ? order : strcmp(x->key, y->key);
}

struct ph_tally *
ph_tally_new(const char *first, const char *last)
{
	struct ph_tally *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	strncat(t->first, first, PH_DAY_SIZE - 1);
	strncat(t->last, last, PH_DAY_SIZE - 1);
	return t;
}

void
ph_tally_free(struct ph_tally *t)
{
	struct count *c;

	while (t != NULL && t->tree != NULL) {
		c = *(struct count **)t->tree;
		tdelete(c, &t->tree, by_key);
		free(c);
	}
	free(t);
}

int64_t
ph_tally_rows(const struct ph_tally *t)
{
	return t->nrows;
}

/* One more of a key; nothing without one. */
static int
add(struct ph_tally *t, enum dim dim, const char *day, const char *key)
{
	struct count	 wanted = { .dim = dim }, *c, **node;

	if (key == NULL)
		return 0;
	memcpy(wanted.day, day, PH_DAY_SIZE);
	strncat(wanted.key, key, KEY_MAX);
	if ((node = tfind(&wanted, &t->tree, by_key)) != NULL) {
		(*node)->n++;
		return 0;
	}
	if ((c = malloc(sizeof(*c))) == NULL)
		return -1;
	*c = wanted;
	c->n = 1;
	if (tsearch(c, &t->tree, by_key) != NULL)
		return 0;
	free(c);
	return -1;
}

int
ph_tally_row(void *tally, const struct ph_op3_row *row)
{
	struct ph_tally *t = tally;

	if (strcmp(row->day, t->first) < 0 || strcmp(row->day, t->last) > 0)
		return -1;
	t->nrows++;
	return add(t, TOTAL, row->day, "") == 0 && add(t, EPISODE, row->day, row->episode_id) == 0 &&
	    add(t, COUNTRY, row->day, row->country != NULL ? row->country : "XX") == 0 &&
	    add(t, APP, row->day, row->app) == 0 &&
	    add(t, DEVICE, row->day, row->device != NULL ? row->device : "unknown") == 0 ? 0 : -1;
}

/* -- storing -------------------------------------------------------------------------- */

struct storing {
	struct ph_stmt	*insert;
	struct ph_err	*err;
	enum ph_rc	 rc;
};

static void
insert(const void *node, VISIT when, void *arg)
{
	const struct count	*c = *(struct count *const *)node;
	struct storing		*s = arg;

	if ((when != postorder && when != leaf) || s->rc != PH_OK)
		return;
	ph_stmt_bind_text(s->insert, 2, c->day);
	ph_stmt_bind_text(s->insert, 3, dims[c->dim]);
	ph_stmt_bind_text(s->insert, 4, c->key);
	ph_stmt_bind_int(s->insert, 5, c->n);
	s->rc = ph_stmt_exec(s->insert, s->err);
}

enum ph_rc
ph_tally_store(struct ph_tally *t, struct ph_db *db, const char *podcast_id, struct ph_err *err)
{
	struct storing	 s = { .err = err, .rc = PH_OK };
	struct ph_stmt	*remove;
	size_t		 i;

	if ((s.rc = ph_db_prepare(db, sql_remove, &remove, err)) != PH_OK)
		return s.rc;
	for (i = 0; i < DIMS && s.rc == PH_OK; i++) {
		ph_stmt_bind_text(remove, 1, podcast_id);
		ph_stmt_bind_text(remove, 2, dims[i]);
		ph_stmt_bind_text(remove, 3, t->first);
		ph_stmt_bind_text(remove, 4, t->last);
		s.rc = ph_stmt_exec(remove, err);
	}
	ph_stmt_done(remove);
	if (s.rc != PH_OK || (s.rc = ph_db_prepare(db, sql_insert, &s.insert, err)) != PH_OK)
		return s.rc;
	ph_stmt_bind_text(s.insert, 1, podcast_id);
	twalk_r(t->tree, insert, &s);
	ph_stmt_done(s.insert);
	return s.rc;
}
