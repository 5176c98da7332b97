/*
 * show-match.c -- which of our episodes is which of OP3's: ph_show_match() of show.h.
 *
 * A title is compared trimmed, in lower case, with single spaces, without straight or curly quotation
 * marks, and with a hyphen for each dash.
 */
#include "autoconf.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "domain/show.h"

struct entry {
	char	*id;
	char	*guid;		/* NULL: none */
	wchar_t	*title;		/* as it is compared; NULL: none */
	int	 is_taken;	/* ours: it was found by guid.  Theirs: it found one */
};

struct entries { struct entry *list; size_t n; };

enum { ENTRIES = 64 };		/* room at first */

static const char sql_ours[] =
	"SELECT id, guid, title FROM episodes WHERE podcast_id = $1 AND coalesce(episode_number, -1) <> 0"
	" ORDER BY created_at, id";

/* The two tables of theirs. */
static const struct { const char *select, *update; } tables[] = {
	{ "SELECT CAST(position AS TEXT), item_guid, title FROM op3_counts WHERE podcast_id = $1",
	  "UPDATE op3_counts SET episode_id = $3 WHERE podcast_id = $1 AND position = CAST($2 AS INTEGER)"
	  " AND episode_id IS NOT $3" },
	{ "SELECT op3_id, item_guid, title FROM op3_episodes WHERE podcast_id = $1",
	  "UPDATE op3_episodes SET episode_id = $3 WHERE podcast_id = $1 AND op3_id = $2 AND episode_id IS NOT $3" },
};
enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

/* L'\0': the character counts for nothing. */
static wchar_t
fold(wchar_t c)
{
	switch (c) {
	case L'\'': case L'"': case 0x2018: case 0x2019: case 0x201c: case 0x201d:
		return L'\0';
	case 0x2013: case 0x2014:
		return L'-';
	case 0xa0:
		return L' ';
	default:
		return iswspace((wint_t)c) ? L' ' : (wchar_t)towlower((wint_t)c);
	}
}

/* A title as it is compared; NULL: there is nothing to compare, or no memory.  The locale is one of UTF-8. */
static wchar_t *
fold_title(const char *title)
{
	const size_t	 len = mbstowcs(NULL, title, 0);
	wchar_t		*out, c;
	size_t		 i, n = 0;
	int		 is_after_space = 0;

	if (len == SIZE_MAX || (out = calloc(len + 1, sizeof(*out))) == NULL)
		return NULL;
	mbstowcs(out, title, len);
	for (i = 0; i < len; i++) {
		if ((c = fold(out[i])) == L'\0')
			continue;
		if (c == L' ')
			is_after_space = n > 0;
		else {
			if (is_after_space)
				out[n++] = L' ';
			is_after_space = 0;
			out[n++] = c;
		}
	}
	out[n] = L'\0';
	if (n > 0)
		return out;
	free(out);
	return NULL;
}

static void
free_entries(struct entries *e)
{
	size_t i;

	for (i = 0; i < e->n; i++) {
		free(e->list[i].id);
		free(e->list[i].guid);
		free(e->list[i].title);
	}
	free(e->list);
}

static enum ph_rc
read_entries(struct ph_db *db, const char *sql, const char *podcast_id, struct entries *e, struct ph_err *err)
{
	struct ph_stmt	*st;
	struct entry	*list;
	size_t		 room = ENTRIES;
	enum ph_rc	 rc;

	if ((e->list = calloc(room, sizeof(*e->list))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the episodes");
	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, podcast_id);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if (e->n == room) {
			room *= 2;
			if ((list = reallocarray(e->list, room, sizeof(*list))) == NULL)
				break;
			e->list = list;
		}
		e->list[e->n] = (struct entry){
			.id = strdup(ph_stmt_text(st, 0)),
			.guid = ph_stmt_is_null(st, 1) ? NULL : strdup(ph_stmt_text(st, 1)),
			.title = ph_stmt_is_null(st, 2) ? NULL : fold_title(ph_stmt_text(st, 2)),
		};
		if (e->list[e->n++].id == NULL)
			break;
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc == PH_ROW ? ph_fail(err, PH_ENOMEM, "not enough memory for the episodes") : rc;
}

/* NULL sorts behind everything. */
static int
by_guid(const void *a, const void *b)
{
	const char *x = ((const struct entry *)a)->guid, *y = ((const struct entry *)b)->guid;

	return x == NULL || y == NULL ? (x == NULL) - (y == NULL) : strcmp(x, y);
}

static int
by_title(const void *a, const void *b)
{
	const wchar_t *x = ((const struct entry *)a)->title, *y = ((const struct entry *)b)->title;

	return x == NULL || y == NULL ? (x == NULL) - (y == NULL) : wcscmp(x, y);
}

/* The one entry that is like key, in a list in that order; NULL: none, or several. */
static struct entry *
find_one(struct entries *e, const struct entry *key, int (*order)(const void *, const void *))
{
	struct entry *found = bsearch(key, e->list, e->n, sizeof(*e->list), order);

	if (found == NULL || (found > e->list && order(found - 1, key) == 0) ||
	    (found + 1 < e->list + e->n && order(found + 1, key) == 0))
		return NULL;
	return found;
}

static enum ph_rc
set_episode(struct ph_db *db, const char *sql, const char *podcast_id, const struct entry *theirs,
    const struct entry *ours, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, podcast_id);
	ph_stmt_bind_text(st, 2, theirs->id);
	ph_stmt_bind_text(st, 3, ours != NULL ? ours->id : NULL);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* First by guid, then those that are left by title. */
static enum ph_rc
match(struct ph_db *db, const char *sql, const char *podcast_id, struct entries *ours, struct entries *theirs,
    struct ph_err *err)
{
	struct entry	*found;
	enum ph_rc	 rc = PH_OK;
	size_t		 i;

	for (i = 0; i < ours->n; i++)
		ours->list[i].is_taken = 0;
	qsort(ours->list, ours->n, sizeof(*ours->list), by_guid);
	for (i = 0; i < theirs->n && rc == PH_OK; i++)
		if (theirs->list[i].guid != NULL && (found = find_one(ours, &theirs->list[i], by_guid)) != NULL) {
			found->is_taken = theirs->list[i].is_taken = 1;
			rc = set_episode(db, sql, podcast_id, &theirs->list[i], found, err);
		}
	qsort(ours->list, ours->n, sizeof(*ours->list), by_title);
	qsort(theirs->list, theirs->n, sizeof(*theirs->list), by_title);
	for (i = 0; i < theirs->n && rc == PH_OK; i++) {
		struct entry *their = &theirs->list[i];

		if (their->is_taken)
			continue;
		found = their->title != NULL && find_one(theirs, their, by_title) == their ?
		    find_one(ours, their, by_title) : NULL;
		rc = set_episode(db, sql, podcast_id, their, found != NULL && !found->is_taken ? found : NULL, err);
	}
	return rc;
}

enum ph_rc
ph_show_match(struct ph_db *db, const char *podcast_id, struct ph_err *err)
{
	const locale_t	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	const locale_t	before = uselocale(utf8);	/* 0 changes nothing: titles are compared as ASCII then */
	struct entries	ours = { 0 }, theirs;
	enum ph_rc	rc;
	size_t		i;

	rc = read_entries(db, sql_ours, podcast_id, &ours, err);
	for (i = 0; i < TABLES && rc == PH_OK; i++) {
		theirs = (struct entries){ 0 };
		if ((rc = read_entries(db, tables[i].select, podcast_id, &theirs, err)) == PH_OK)
			rc = match(db, tables[i].update, podcast_id, &ours, &theirs, err);
		free_entries(&theirs);
	}
	free_entries(&ours);
	uselocale(before);
	if (utf8 != (locale_t)0)
		freelocale(utf8);
	return rc;
}
