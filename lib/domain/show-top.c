/*
 * show-top.c -- the first entries of ix_op3_counts_top.
 */
#include "autoconf.h"

#include <stdio.h>

#include "domain/show-top.h"

static const char sql_top[] =
	"SELECT title, item_guid, episode_id, downloads_1d, downloads_3d, downloads_7d, downloads_30d, downloads_all,"
	" pubdate FROM op3_counts WHERE podcast_id = $1 ORDER BY downloads_all DESC, pubdate DESC LIMIT $2";

enum { F_TITLE, F_EPISODE, F_GUID, F_1D, F_3D, F_7D, F_30D, F_ALL };
const struct ph_field ph_top_fields[PH_TOP_NFIELDS] = {
	[F_TITLE] = { .name = "title", .type = PH_TEXT, .is_nullable = 1, .text = "The title, as OP3 has it." },
	[F_EPISODE] = { .name = "episode_id", .type = PH_TEXT, .is_nullable = 1, .text = "Our episode; null: none is like it." },
	[F_GUID] = { .name = "item_guid", .type = PH_TEXT, .is_nullable = 1, .text = "The guid of the item in the feed." },
	[F_1D] = { .name = "downloads_1d", PH_FIRST_DAYS("day") },
	[F_3D] = { .name = "downloads_3d", PH_FIRST_DAYS("3 days") },
	[F_7D] = { .name = "downloads_7d", PH_FIRST_DAYS("7 days") },
	[F_30D] = { .name = "downloads_30d", PH_FIRST_DAYS("30 days") },
	[F_ALL] = { .name = "downloads_all_time", .text = "Downloads so far." },
};

static int64_t
count(struct ph_stmt *st, int col)
{
	return ph_stmt_is_null(st, col) ? -1 : ph_stmt_int(st, col);
}

enum ph_rc
ph_top_read(struct ph_db *db, const char *podcast_id, struct ph_top *list, size_t max, size_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*n = 0;
	if ((rc = ph_db_prepare(db, sql_top, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, podcast_id);
	ph_stmt_bind_int(st, 2, (int64_t)max);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW && *n < max) {
		struct ph_top *t = &list[(*n)++];

		ph_stmt_copy(st, 0, t->title, sizeof(t->title));
		ph_stmt_copy(st, 1, t->guid, sizeof(t->guid));
		ph_stmt_copy(st, 2, t->episode_id, sizeof(t->episode_id));
		t->d1 = count(st, 3);
		t->d3 = count(st, 4);
		t->d7 = count(st, 5);
		t->d30 = count(st, 6);
		t->all = ph_stmt_int(st, 7);
		t->pubdate = ph_stmt_int(st, 8);
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

void
ph_top_write(struct ph_json *out, const struct ph_top *list, size_t n, int has_ids)
{
	size_t i;

	ph_json_arr_open(out, "top_episodes");
	for (i = 0; i < n; i++) {
		const struct ph_top	*t = &list[i];
		const struct ph_value	 v[PH_TOP_NFIELDS] = {
			[F_TITLE] = ph_v_known_text(t->title),
			[F_EPISODE] = has_ids ? ph_v_known_text(t->episode_id) : ph_v_null(),
			[F_GUID] = ph_v_known_text(t->guid), [F_1D] = ph_v_known(t->d1), [F_3D] = ph_v_known(t->d3),
			[F_7D] = ph_v_known(t->d7), [F_30D] = ph_v_known(t->d30), [F_ALL] = ph_v_int(t->all),
		};

		ph_json_obj_open(out, NULL);
		ph_json_fields(out, ph_top_fields, v, PH_TOP_NFIELDS);
		ph_json_close(out);
	}
	ph_json_close(out);
}
