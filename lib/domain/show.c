/*
 * show.c -- what is kept of shows, and what of it may be shown.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "domain/show.h"

const char *const ph_show_uses[] = {
	[PH_SHOW_FRESH] = "fresh", [PH_SHOW_STALE] = "stale", [PH_SHOW_UNAVAILABLE] = "unavailable",
	[PH_SHOW_UNAVAILABLE + 1] = NULL
};

/* -- reading -------------------------------------------------------------------------- */

#define SHOW_COLUMNS "p.id, p.podcast_guid, p.op3_show_uuid, p.feed_url, s.show_until, s.counts_at, s.episodes_at," \
	" s.as_of, s.downloads_30d, s.weekly, s.weekly_avg, s.num_weeks, s.fresh_until, s.lease_until, s.error_code," \
	" s.fail_count, p.user_id, d.first_day, d.complete_through, d.backfill_done," \
	" CASE WHEN p.imported_until < d.first_day THEN p.imported_downloads END FROM podcasts p" \
	" LEFT JOIN op3_shows s ON s.podcast_id = p.id LEFT JOIN op3_sync d ON d.podcast_id = p.id"
static const char sql_shows[] =
	"SELECT " SHOW_COLUMNS " WHERE p.user_id = $1 ORDER BY p.created_at, p.id LIMIT $2";
static const char sql_show[] = "SELECT " SHOW_COLUMNS " WHERE p.id = $1 LIMIT $2";

enum { C_ID, C_GUID, C_UUID, C_FEED, C_SHOW_UNTIL, C_COUNTS_AT, C_EPISODES_AT, C_AS_OF, C_MONTHLY, C_WEEKLY,
    C_WEEKLY_AVG, C_NUM_WEEKS, C_FRESH_UNTIL, C_LEASE_UNTIL, C_CODE, C_FAIL_COUNT, C_USER, C_FIRST_DAY, C_THROUGH, C_WHOLE,
    C_IMPORTED };

/* A text that does not fit is none: what is cut would ask for something else. */
static void
take_text(struct ph_stmt *st, int col, char *out, size_t size)
{
	const char *text = ph_stmt_text(st, col);

	out[0] = '\0';
	if (text != NULL && strlen(text) < size)
		memcpy(out, text, strlen(text) + 1);
}

static void
take_weekly(struct ph_stmt *st, struct ph_op3_counts *c)
{
	const char	*text = ph_stmt_text(st, C_WEEKLY);
	char		*end;

	for (c->nweekly = 0; text != NULL && c->nweekly < PH_OP3_WEEKS; text = end) {
		text += strspn(text, "[, ]");
		c->weekly[c->nweekly] = strtoll(text, &end, 10);
		if (end == text)
			break;
		c->nweekly++;
	}
}

static void
take_show(struct ph_stmt *st, struct ph_show *s)
{
	take_text(st, C_ID, s->podcast_id, sizeof(s->podcast_id));
	take_text(st, C_GUID, s->guid, sizeof(s->guid));
	take_text(st, C_UUID, s->uuid, sizeof(s->uuid));
	take_text(st, C_FEED, s->feed_url, sizeof(s->feed_url));
	take_text(st, C_AS_OF, s->as_of, sizeof(s->as_of));
	take_text(st, C_CODE, s->code, sizeof(s->code));
	s->has_identity = s->guid[0] != '\0' || s->uuid[0] != '\0' || s->feed_url[0] != '\0';
	s->show_until = ph_stmt_int(st, C_SHOW_UNTIL);
	s->counts_at = ph_stmt_int(st, C_COUNTS_AT);
	s->episodes_at = ph_stmt_int(st, C_EPISODES_AT);
	s->counts.monthly = ph_stmt_int(st, C_MONTHLY);
	s->counts.weekly_avg = ph_stmt_is_null(st, C_WEEKLY_AVG) ? -1 : ph_stmt_double(st, C_WEEKLY_AVG);
	s->counts.num_weeks = (int)ph_stmt_int(st, C_NUM_WEEKS);
	take_weekly(st, &s->counts);
	s->fresh_until = ph_stmt_int(st, C_FRESH_UNTIL);
	s->lease_until = ph_stmt_int(st, C_LEASE_UNTIL);
	s->fail_count = (int)ph_stmt_int(st, C_FAIL_COUNT);
	take_text(st, C_USER, s->user_id, sizeof(s->user_id));
	take_text(st, C_FIRST_DAY, s->first_day, sizeof(s->first_day));
	take_text(st, C_THROUGH, s->complete_through, sizeof(s->complete_through));
	s->is_whole = ph_stmt_int(st, C_WHOLE) != 0;
	s->imported = ph_stmt_int(st, C_IMPORTED);
}

void
ph_shows_free(struct ph_shows *shows)
{
	free(shows->list);
	*shows = (struct ph_shows){ 0 };
}

enum ph_rc
ph_shows_read(struct ph_db *db, const char *user_id, const char *id, struct ph_shows *shows, struct ph_err *err)
{
	struct ph_stmt	*st;
	struct ph_show	*list;
	enum ph_rc	 rc;

	*shows = (struct ph_shows){ 0 };
	if ((rc = ph_db_prepare(db, id != NULL ? sql_show : sql_shows, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id != NULL ? id : user_id);
	ph_stmt_bind_int(st, 2, PH_SHOWS_MAX);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		if ((list = realloc(shows->list, (shows->n + 1) * sizeof(*list))) == NULL) {
			rc = ph_fail(err, PH_ENOMEM, "not enough memory for the podcasts");
			break;
		}
		shows->list = list;
		memset(&list[shows->n], 0, sizeof(*list));
		take_show(st, &list[shows->n++]);
	}
	ph_stmt_done(st);
	if (rc == PH_DONE)
		return PH_OK;
	ph_shows_free(shows);
	return rc;
}

const char *
ph_show_missing(void)
{
	return ph_config_int(PH_CFG_OP3_ENABLED) == 0 ? "disabled" :
	    ph_config_str(PH_CFG_OP3_TOKEN)[0] == '\0' ? "unauthorized" : NULL;
}

enum ph_show_use
ph_show_use(const struct ph_show *s, int64_t now_ms, const char **code)
{
	const char *missing = ph_show_missing();

	*code = NULL;
	if (s->counts_at > 0 && now_ms < s->counts_at + PH_SHOW_STALE_MS)
		return now_ms < s->fresh_until && s->code[0] == '\0' &&
		    (s->episodes_at == s->counts_at || s->episodes_at == 0) ? PH_SHOW_FRESH : PH_SHOW_STALE;
	*code = missing != NULL ? missing : s->code[0] != '\0' ? s->code : "pending";
	return PH_SHOW_UNAVAILABLE;
}

int
ph_show_has_episodes(const struct ph_show *s, int64_t now_ms)
{
	const char *code;

	return ph_show_use(s, now_ms, &code) != PH_SHOW_UNAVAILABLE && s->episodes_at > 0 &&
	    now_ms < s->episodes_at + PH_SHOW_STALE_MS;
}

int64_t
ph_show_fetched_at(const struct ph_show *s)
{
	return s->episodes_at > 0 && s->episodes_at < s->counts_at ? s->episodes_at : s->counts_at;
}
