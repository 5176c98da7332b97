/*
 * downloads-episodes.c -- the episodes of a podcast.
 *
 * OP3 counts the episodes of the last months from their release (op3_counts); how often the older ones were
 * downloaded is the sum of our own days.
 */
#include "autoconf.h"

#include "domain/downloads.h"
#include "domain/show-top.h"

/* Every episode of OP3's list with its counts, and counts of those that are not in the list; by guid, or title without. */
#define EPISODES \
	"WITH e AS MATERIALIZED (SELECT *, coalesce(item_guid, title) AS k FROM op3_episodes WHERE podcast_id = $1)," \
	" c AS MATERIALIZED (SELECT *, coalesce(item_guid, title) AS k FROM op3_counts WHERE podcast_id = $1 AND $2)," \
	" known AS (SELECT e.op3_id, e.item_guid, e.title, e.pubdate, e.episode_id, c.downloads_1d, c.downloads_3d," \
	"  c.downloads_7d, c.downloads_30d, c.downloads_all FROM e LEFT JOIN c ON c.k = e.k" \
	" UNION ALL SELECT NULL, item_guid, title, pubdate, episode_id, downloads_1d, downloads_3d, downloads_7d," \
	"  downloads_30d, downloads_all FROM c WHERE k IS NULL OR k NOT IN (SELECT k FROM e WHERE k IS NOT NULL))," \
	" figures AS (SELECT k.episode_id, k.op3_id, k.item_guid, coalesce(k.title, o.title) AS title, o.episode_number," \
	"  coalesce(o.publish_at, k.pubdate) AS publish_at, k.downloads_1d, k.downloads_3d, k.downloads_7d," \
	"  k.downloads_30d, coalesce(k.downloads_all, CASE WHEN $3 THEN coalesce(t.n, 0) END) AS downloads_all" \
	"  FROM known k LEFT JOIN episodes o ON o.id = k.episode_id LEFT JOIN op3_totals t ON t.podcast_id = $1" \
	"  AND t.dim = 'episode' AND t.key = k.op3_id)" \
	" SELECT * FROM figures ORDER BY "

static const char *const sorts[] = { "all_time", "first_30d", "newest", NULL };
static const char *const sql_sorted[] = {
	EPISODES "downloads_all DESC NULLS LAST, publish_at DESC, op3_id LIMIT $4",
	EPISODES "downloads_30d DESC NULLS LAST, publish_at DESC, op3_id LIMIT $4",
	EPISODES "publish_at DESC NULLS LAST, op3_id LIMIT $4",
};

enum { P_LIMIT = PH_VIEW_NPARAMS, P_SORT, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_VIEW_PARAMS,
	[P_LIMIT] = { .name = "limit", .type = PH_P_INT, .min = 1, .max = 200, .dflt = 10, .text = "At most so many episodes." },
	[P_SORT] = { .name = "sort", .type = PH_P_CHOICE, .choices = sorts,
	    .text = "By downloads so far, or in the first 30 days, most first; or the newest first. Unknown figures come last." },
};

enum { C_EPISODE, C_OP3_ID, C_GUID, C_TITLE, C_NUMBER, C_PUBLISHED, C_1D, C_3D, C_7D, C_30D, C_ALL, C__MAX };
static const struct ph_field columns[C__MAX] = {
	[C_EPISODE] = { .name = "episode_id", .type = PH_TEXT, .is_nullable = 1, .text = "Our episode; null: none is like it." },
	[C_OP3_ID] = { .name = "op3_id", .type = PH_TEXT, .is_nullable = 1, .text = "OP3's own id; null: not known yet." },
	[C_GUID] = { .name = "item_guid", .type = PH_TEXT, .is_nullable = 1, .text = "The guid of the item in the feed." },
	[C_TITLE] = { .name = "title", .type = PH_TEXT, .is_nullable = 1, .text = "Its title." },
	[C_NUMBER] = { .name = "episode_number", .is_nullable = 1, .text = "Its number with us." },
	[C_PUBLISHED] = { .name = "publish_date", .type = PH_TIME, .is_nullable = 1, .text = "When it came out." },
	[C_1D] = { .name = "downloads_1d", PH_FIRST_DAYS("day") },
	[C_3D] = { .name = "downloads_3d", PH_FIRST_DAYS("3 days") },
	[C_7D] = { .name = "downloads_7d", PH_FIRST_DAYS("7 days") },
	[C_30D] = { .name = "downloads_30d", PH_FIRST_DAYS("30 days") },
	[C_ALL] = { .name = "downloads_all_time", .is_nullable = 1, .text = "Downloads so far; null: unknown." },
};
static const struct ph_field fields[] = {
	PH_VIEW_FIELDS,
	[PH_VIEW_NFIELDS] = { .name = "episodes", .type = PH_ARRAY, .fields = columns, .nfields = C__MAX, .text = "In that order." },
};

static enum ph_rc
begin_episodes(const struct ph_downloads *d, const char *sql, int64_t limit, struct ph_stmt **st, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_prepare(d->db, sql, st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(*st, 1, d->podcast.id);
	ph_stmt_bind_int(*st, 2, ph_show_has_episodes(d->show, d->now_ms));
	ph_stmt_bind_int(*st, 3, d->is_whole);
	ph_stmt_bind_int(*st, 4, limit);
	return PH_OK;
}

static enum ph_rc
episode_rows(struct ph_downloads *d, struct ph_rows *sink, struct ph_err *err)
{
	struct ph_value	 v[C__MAX];
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = begin_episodes(d, sql_sorted[d->args->values[P_SORT].num], ph_episodes_shown(d, d->args->values[P_LIMIT].num), &st,
	    err)) != PH_OK)
		return rc;
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		ph_v_columns(v, st, columns, C__MAX);
		if ((rc = ph_rows_give(sink, v, err)) != PH_OK)
			break;
	}
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
episodes_write(struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	ph_view_common(d, 1, 1, out);
	return ph_view_array(d, "episodes", columns, C__MAX, episode_rows, out, err);
}

const struct ph_view ph_view_episodes = {
	.name = "episodes-summary", .params = params, .nparams = P__MAX, .refresh = ph_shows_refresh_for,
	.fields = fields, .nfields = PH_VIEW_NFIELDS + 1, .columns = columns, .ncolumns = C__MAX,
	.write = episodes_write, .rows = episode_rows,
};
