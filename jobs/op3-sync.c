/*
 * op3-sync.c -- job-op3-sync: every three hours, what OP3 counted of each podcast into our own tables.
 *
 * First the figures of GET /api/dashboard/stats (lib/domain/show.h), the episodes and the apps.  Then the single
 * downloads, counted by day (lib/domain/tally.h): from the first month that OP3 knows, one month after the other,
 * then the last three whole days, which OP3 may still correct, and today.  A unit -- a month, or these days -- is
 * read page by page and stored in one transaction with how far the days now reach; so a run may be killed on any
 * page, and the next one begins with the unit that was not stored.  A page that fails makes its unit void.
 *
 * A podcast that failed is tried again after a minute, doubling up to three hours.  A request may ask for a run
 * (op3_sync.next_at); the job looks each minute.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/job.h"
#include "core/state.h"
#include "domain/show.h"
#include "domain/tally.h"
#include "net/op3.h"

enum { BATCH = 10, BATCH_WAIT_MS = 60000, TRIES = 3, CALL_DEADLINE_MS = 120000, PAGES_MAX = 20000, AGAIN_DOUBLES_MAX = 8,
    PROVISIONAL_DAYS = 3 };

#define MINUTE_MS	INT64_C(60000)
#define HOUR_MS		INT64_C(3600000)
#define PERIOD_MS	(3 * HOUR_MS)
#define JITTER_MS	(PERIOD_MS / 10)	/* either way */

#define DUE "FROM podcasts p LEFT JOIN op3_sync s ON s.podcast_id = p.id WHERE (p.podcast_guid IS NOT NULL" \
	" OR p.feed_url IS NOT NULL OR p.op3_show_uuid IS NOT NULL) AND coalesce(s.next_at, 0) <= $1"
static const char sql_is_due[] = "SELECT 1 " DUE " LIMIT 1";
static const char sql_due[] = "SELECT p.id " DUE " ORDER BY coalesce(s.next_at, 0), p.id LIMIT $2";

static const char sql_read[] =
	"SELECT first_day, complete_through, backfill_done, fail_count FROM op3_sync WHERE podcast_id = $1";
static const char sql_save[] =
	"INSERT INTO op3_sync (podcast_id, first_day, complete_through, backfill_done, updated_at, next_at, unit, pages,"
	" rows_read, error_code, error_at, fail_count) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
	" ON CONFLICT DO UPDATE SET first_day = excluded.first_day, complete_through = excluded.complete_through,"
	" backfill_done = excluded.backfill_done, updated_at = excluded.updated_at, next_at = excluded.next_at,"
	" unit = excluded.unit, pages = excluded.pages, rows_read = excluded.rows_read, error_code = excluded.error_code,"
	" error_at = excluded.error_at, fail_count = excluded.fail_count";
static const char sql_apps[] = "UPDATE op3_shows SET apps = $2, apps_at = $3 WHERE podcast_id = $1";
static const char sql_forget_episodes[] = "DELETE FROM op3_episodes WHERE podcast_id = $1";
static const char sql_episode[] =
	"INSERT INTO op3_episodes (podcast_id, op3_id, item_guid, title, pubdate) VALUES ($1, $2, $3, $4, $5)"
	" ON CONFLICT DO NOTHING";

/* The podcast at hand, and its row of op3_sync. */
struct sync {
	struct ph_job_run	*run;
	struct ph_state		*state;
	struct ph_show		*show;
	char			 first_day[PH_DAY_SIZE], complete_through[PH_DAY_SIZE];	/* "": none */
	int			 is_backfilled;
	char			 unit[PH_DAY_SIZE];	/* "": none */
	int64_t			 pages, rows;
	int64_t			 next_at;
	const char		*error_code;		/* NULL: none */
	int			 fail_count;
};

struct totals { int64_t podcasts, failed, units, rows; };

/* -- rows ----------------------------------------------------------------------------- */

static int64_t
yesterday(const struct sync *s)
{
	return ph_time_floor(ph_job_run_now_ms(s->run), PH_DAY_MS, 0) - PH_DAY_MS;
}

static const char *
or_null(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

/* In the transaction that is open. */
static enum ph_rc
save(struct sync *s, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(ph_job_run_db(s->run), sql_save, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->show->podcast_id);
	ph_stmt_bind_text(st, 2, or_null(s->first_day));
	ph_stmt_bind_text(st, 3, or_null(s->complete_through));
	ph_stmt_bind_int(st, 4, s->is_backfilled);
	ph_stmt_bind_int(st, 5, ph_clock_now_ms(NULL));
	ph_stmt_bind_int(st, 6, s->next_at);
	ph_stmt_bind_text(st, 7, or_null(s->unit));
	ph_stmt_bind_int(st, 8, s->pages);
	ph_stmt_bind_int(st, 9, s->rows);
	ph_stmt_bind_text(st, 10, s->error_code);
	if (s->error_code != NULL)
		ph_stmt_bind_int(st, 11, ph_job_run_now_ms(s->run));
	else
		ph_stmt_bind_null(st, 11);
	ph_stmt_bind_int(st, 12, s->fail_count);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* In one of its own. */
static enum ph_rc
save_now(struct sync *s, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_job_run_begin(s->run, err)) == PH_OK && (rc = save(s, err)) == PH_OK)
		rc = ph_db_commit(ph_job_run_db(s->run), err);
	ph_db_end(ph_job_run_db(s->run));
	return rc;
}

static enum ph_rc
read_sync(struct sync *s, struct ph_err *err)
{
	struct ph_db	*db = ph_job_run_db(s->run);
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = ph_db_begin(db, err)) == PH_OK && (rc = ph_db_prepare(db, sql_read, &st, err)) == PH_OK) {
		ph_stmt_bind_text(st, 1, s->show->podcast_id);
		if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
			if (!ph_stmt_is_null(st, 0))
				strncat(s->first_day, ph_stmt_text(st, 0), PH_DAY_SIZE - 1);
			if (!ph_stmt_is_null(st, 1))
				strncat(s->complete_through, ph_stmt_text(st, 1), PH_DAY_SIZE - 1);
			s->is_backfilled = ph_stmt_int(st, 2) != 0;
			s->fail_count = (int)ph_stmt_int(st, 3);
		}
		ph_stmt_done(st);
	}
	ph_db_end(db);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
store_apps(struct sync *s, const char *apps, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(ph_job_run_db(s->run), sql_apps, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->show->podcast_id);
	ph_stmt_bind_text(st, 2, apps);
	ph_stmt_bind_int(st, 3, ph_job_run_now_ms(s->run));
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
store_episodes(struct sync *s, const struct ph_op3_episodes *e, struct ph_err *err)
{
	struct ph_db	*db = ph_job_run_db(s->run);
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = ph_db_prepare(db, sql_forget_episodes, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->show->podcast_id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc != PH_OK || (rc = ph_db_prepare(db, sql_episode, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < e->n && rc == PH_OK; i++) {
		ph_stmt_bind_text(st, 1, s->show->podcast_id);
		ph_stmt_bind_text(st, 2, e->list[i].id);
		ph_stmt_bind_text(st, 3, e->list[i].guid);
		ph_stmt_bind_text(st, 4, e->list[i].title);
		if (e->list[i].pubdate_ms >= 0)
			ph_stmt_bind_int(st, 5, e->list[i].pubdate_ms);
		else
			ph_stmt_bind_null(st, 5);
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	return rc == PH_OK ? ph_show_match(db, s->show->podcast_id, err) : rc;
}

/* -- questions ------------------------------------------------------------------------ */

/* PH_OK, or with PH_EUPSTREAM a reply in s->error_code.  Prolongs the lock, because calls take their time. */
static enum ph_rc
begin_call(struct sync *s, struct ph_op3 *op3, struct ph_err *err)
{
	*op3 = (struct ph_op3){ .state = s->state, .timeout_ms = (int)ph_config_int(PH_CFG_OP3_JOB_TIMEOUT_MS),
	    .tries = TRIES, .deadline_us = ph_clock_mono_us() + CALL_DEADLINE_MS * INT64_C(1000) };
	return ph_job_run_heartbeat(s->run, err);
}

static enum ph_rc
end_call(struct sync *s, enum ph_reply reply, struct ph_err *err)
{
	if (reply == PH_REPLY_OK)
		return PH_OK;
	s->error_code = reply == PH_REPLY_NOT_FOUND ? "not_registered" : ph_reply_code(reply);
	return ph_fail(err, PH_EUPSTREAM, "OP3: %s", s->error_code);
}

/* The figures have just been asked for: without a show there is nothing to go on with. */
static enum ph_rc
check_show(struct sync *s, struct ph_err *err)
{
	if (s->show->uuid[0] != '\0' || s->show->code[0] == '\0')
		return PH_OK;
	s->error_code = s->show->code;
	return ph_fail(err, PH_EUPSTREAM, "OP3: %s", s->error_code);
}

/* Its episodes, by OP3's ids, and its apps; the latter are not worth failing for. */
static enum ph_rc
sync_show(struct sync *s, struct ph_err *err)
{
	struct ph_db		*db = ph_job_run_db(s->run);
	struct ph_op3_episodes	 episodes = { 0 };
	struct ph_op3		 op3;
	char			 before[PH_OP3_UUID_SIZE], *apps = NULL;
	enum ph_rc		 rc;

	memcpy(before, s->show->uuid, sizeof(before));
	if ((rc = begin_call(s, &op3, err)) != PH_OK ||
	    (rc = end_call(s, ph_show_find(&op3, s->show, ph_job_run_now_ms(s->run), &episodes), err)) != PH_OK ||
	    (rc = begin_call(s, &op3, err)) != PH_OK)
		goto out;
	ph_op3_top_apps(&op3, s->show->uuid, &apps);
	/* The days of another show are read from their beginning. */
	if (before[0] != '\0' && strcmp(before, s->show->uuid) != 0) {
		s->first_day[0] = s->complete_through[0] = '\0';
		s->is_backfilled = 0;
	}
	if ((rc = ph_job_run_begin(s->run, err)) == PH_OK && (rc = ph_show_store_uuid(db, s->show, err)) == PH_OK &&
	    (rc = store_episodes(s, &episodes, err)) == PH_OK &&
	    (apps == NULL || (rc = store_apps(s, apps, err)) == PH_OK))
		rc = ph_db_commit(db, err);
	ph_db_end(db);
out:
	free(apps);
	ph_op3_episodes_free(&episodes);
	return rc;
}

static int
take_first_day(void *arg, const struct ph_op3_row *row)
{
	memcpy(arg, row->day, PH_DAY_SIZE);
	return 0;
}

/* The first day that OP3 knows; it stays "" while there is none. */
static enum ph_rc
find_first_day(struct sync *s, struct ph_err *err)
{
	struct ph_op3_page	page = { .uuid = s->show->uuid, .limit = 1, .take = take_first_day, .arg = s->first_day };
	struct ph_op3		op3;
	enum ph_rc		rc;

	if ((rc = begin_call(s, &op3, err)) != PH_OK || (rc = end_call(s, ph_op3_page(&op3, &page), err)) != PH_OK)
		return rc;
	return s->first_day[0] != '\0' ? save_now(s, err) : PH_OK;
}

/* -- units ---------------------------------------------------------------------------- */

/* Where the reading stands, for people and for GET /api/analytics/podcasts. */
static enum ph_rc
show_progress(struct sync *s, const struct totals *t, struct ph_err *err)
{
	ph_job_run_progress(s->run, "%s %s, page %" PRId64 ", %" PRId64 " downloads; %" PRId64 " so far",
	    s->show->podcast_id, s->unit, s->pages, s->rows, t->rows + s->rows);
	return save_now(s, err);
}

/* Count every page of the unit's days.  PH_DONE: the job is asked to end. */
static enum ph_rc
read_pages(struct sync *s, const struct totals *t, struct ph_tally *tally, const char *first, const char *after,
    struct ph_err *err)
{
	struct ph_op3_page	page = { .uuid = s->show->uuid, .start = first, .end = after, .limit = PH_OP3_ROWS,
				    .take = ph_tally_row, .arg = tally };
	char			last_token[PH_OP3_TOKEN_SIZE];
	struct ph_op3		op3;
	enum ph_rc		rc;

	do {
		if (ph_job_run_should_stop(s->run))
			return PH_DONE;
		memcpy(last_token, page.token, sizeof(last_token));
		if ((rc = begin_call(s, &op3, err)) != PH_OK || (rc = end_call(s, ph_op3_page(&op3, &page), err)) != PH_OK)
			return rc;
		/* Pages that do not end would be counted for ever. */
		if (s->pages >= PAGES_MAX || (page.token[0] != '\0' && strcmp(page.token, last_token) == 0))
			return end_call(s, PH_REPLY_BAD, err);
		s->pages++;
		s->rows = ph_tally_rows(tally);
		if ((rc = show_progress(s, t, err)) != PH_OK)
			return rc;
	} while (page.token[0] != '\0');
	return PH_OK;
}

/* The days from first to last, which then are known; through is the last whole one of them. */
static enum ph_rc
sync_unit(struct sync *s, struct totals *t, int64_t first_ms, int64_t last_ms, int64_t through_ms, struct ph_err *err)
{
	struct ph_db	*db = ph_job_run_db(s->run);
	struct ph_tally	*tally;
	char		 first[PH_DAY_SIZE], last[PH_DAY_SIZE], after[PH_DAY_SIZE];
	enum ph_rc	 rc;

	ph_day_format(first, first_ms);
	ph_day_format(last, last_ms);
	ph_day_format(after, last_ms + PH_DAY_MS);
	memcpy(s->unit, first, sizeof(first));
	s->pages = s->rows = 0;
	if ((tally = ph_tally_new(first, last)) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the downloads");
	if ((rc = read_pages(s, t, tally, first, after, err)) == PH_OK && (rc = ph_job_run_begin(s->run, err)) == PH_OK) {
		ph_day_format(s->complete_through, through_ms);
		s->is_backfilled |= through_ms == yesterday(s);
		if ((rc = ph_tally_store(tally, db, s->show->podcast_id, err)) == PH_OK && (rc = save(s, err)) == PH_OK)
			rc = ph_db_commit(db, err);
		ph_db_end(db);
	}
	if (rc == PH_OK) {
		t->units++;
		t->rows += s->rows;
		ph_job_run_count(s->run, 1);
	}
	ph_tally_free(tally);
	return rc;
}

/* Whole months up to the days that may still change, then these and today. */
static enum ph_rc
sync_days(struct sync *s, struct totals *t, struct ph_err *err)
{
	const int64_t	provisional = yesterday(s) - (PROVISIONAL_DAYS - 1) * PH_DAY_MS;
	int64_t		next, last;
	enum ph_rc	rc = PH_OK;

	if (s->first_day[0] == '\0' && ((rc = find_first_day(s, err)) != PH_OK || s->first_day[0] == '\0'))
		return rc;
	next = s->complete_through[0] != '\0' ? ph_day_ms(s->complete_through) + PH_DAY_MS : ph_day_ms(s->first_day);
	/* What could still change when it was last read is read again, however long ago that was. */
	if (s->is_backfilled && next - PROVISIONAL_DAYS * PH_DAY_MS >= ph_day_ms(s->first_day))
		next -= PROVISIONAL_DAYS * PH_DAY_MS;
	for (; next < provisional && rc == PH_OK; next = last + PH_DAY_MS) {
		last = ph_month_next(next) - PH_DAY_MS;
		if (last >= provisional)
			last = provisional - PH_DAY_MS;
		rc = sync_unit(s, t, next, last, last, err);
	}
	if (rc != PH_OK)
		return rc;
	/* What is known of them may have changed; nothing before the first day has. */
	if (next > provisional)
		next = ph_day_ms(s->first_day) > provisional ? ph_day_ms(s->first_day) : provisional;
	if (next > yesterday(s) + PH_DAY_MS)
		next = yesterday(s) + PH_DAY_MS;
	return sync_unit(s, t, next, yesterday(s) + PH_DAY_MS, yesterday(s), err);
}

/* -- podcasts ------------------------------------------------------------------------- */

static int64_t
again_ms(int fail_count)
{
	const int64_t ms = MINUTE_MS << (fail_count < AGAIN_DOUBLES_MAX ? fail_count : AGAIN_DOUBLES_MAX);

	return ms < PERIOD_MS ? ms : PERIOD_MS;
}

/* One podcast, up to its next time.  What OP3 did wrong is in its row; a failure is one of our own. */
static enum ph_rc
sync_podcast(struct sync *s, struct totals *t, struct ph_err *err)
{
	const int64_t	now_ms = ph_job_run_now_ms(s->run);
	enum ph_rc	rc;

	if ((rc = read_sync(s, err)) != PH_OK)
		return rc;
	t->podcasts++;
	if ((rc = check_show(s, err)) == PH_OK && (rc = sync_show(s, err)) == PH_OK)
		rc = sync_days(s, t, err);
	if (rc == PH_DONE)
		return PH_OK;		/* goes on with the next run */
	s->unit[0] = '\0';
	if (rc == PH_OK) {
		s->error_code = NULL;
		s->fail_count = 0;
		s->next_at = now_ms + PERIOD_MS - JITTER_MS + (int64_t)randombytes_uniform(2 * JITTER_MS + 1);
	} else if (rc == PH_EUPSTREAM && s->error_code != NULL) {
		t->failed++;
		s->next_at = now_ms + (strcmp(s->error_code, "not_registered") == 0 ? HOUR_MS : again_ms(s->fail_count));
		s->fail_count++;
		*err = (struct ph_err){ .rc = PH_OK };
	} else
		return rc;
	return save_now(s, err);
}

static enum ph_rc
begin_locked(void *arg, struct ph_err *err)
{
	return ph_job_run_begin(arg, err);
}

/* The podcasts that are due now, at most BATCH, with what is kept of them. */
static enum ph_rc
read_due(struct ph_job_run *run, struct ph_shows *shows, struct ph_err *err)
{
	struct ph_db	*db = ph_job_run_db(run);
	struct ph_shows	 one;
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((shows->list = calloc(BATCH, sizeof(*shows->list))) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the podcasts");
	if ((rc = ph_db_begin(db, err)) == PH_OK && (rc = ph_db_prepare(db, sql_due, &st, err)) == PH_OK) {
		ph_stmt_bind_int(st, 1, ph_job_run_now_ms(run));
		ph_stmt_bind_int(st, 2, BATCH);
		while ((rc = ph_stmt_step(st, err)) == PH_ROW &&
		    (rc = ph_shows_read(db, NULL, ph_stmt_text(st, 0), &one, err)) == PH_OK) {
			if (one.n == 1)
				shows->list[shows->n++] = one.list[0];
			free(one.list);
		}
		ph_stmt_done(st);
	}
	ph_db_end(db);
	return rc == PH_DONE ? PH_OK : rc;
}

/* A batch; *n: how many there were. */
static enum ph_rc
sync_batch(struct ph_job_run *run, struct ph_state *state, struct totals *t, size_t *n, struct ph_err *err)
{
	const struct ph_show_fetch f = {
		.db = ph_job_run_db(run), .begin = begin_locked, .arg = run, .state = state,
		.now_ms = ph_job_run_now_ms(run), .wait_ms = BATCH_WAIT_MS, .wait_stale_ms = BATCH_WAIT_MS,
		.call_ms = (int)ph_config_int(PH_CFG_OP3_JOB_TIMEOUT_MS), .tries = TRIES,
	};
	struct ph_shows	shows = { 0 };
	enum ph_rc	rc;
	size_t		i;

	if ((rc = read_due(run, &shows, err)) == PH_OK && (rc = ph_job_run_heartbeat(run, err)) == PH_OK)
		rc = ph_shows_refresh(&f, &shows, err);
	*n = shows.n;
	for (i = 0; i < shows.n && rc == PH_OK && !ph_job_run_should_stop(run); i++) {
		struct sync s = { .run = run, .state = state, .show = &shows.list[i] };

		rc = sync_podcast(&s, t, err);
	}
	ph_shows_free(&shows);
	return rc;
}

static enum ph_rc
op3_sync(struct ph_job_run *run, struct ph_err *err)
{
	struct ph_state	*state = ph_state_open("job-op3-sync", 0);
	struct totals	 t = { 0 };
	size_t		 n;
	enum ph_rc	 rc;

	do
		rc = ph_show_missing() == NULL ? sync_batch(run, state, &t, &n, err) : PH_OK;
	while (rc == PH_OK && ph_show_missing() == NULL && n == BATCH && !ph_job_run_should_stop(run));
	ph_state_close(state);
	ph_job_run_detail(run, "podcasts %" PRId64 ", failed %" PRId64 ", units %" PRId64 ", downloads %" PRId64,
	    t.podcasts, t.failed, t.units, t.rows);
	if (rc == PH_OK && t.failed > 0 && t.failed == t.podcasts)
		return ph_fail(err, PH_EUPSTREAM, "OP3 failed for every podcast that was due");
	return rc;
}

static enum ph_rc
is_due(struct ph_db *db, int64_t now_ms, int *due, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*due = 0;
	if (ph_show_missing() != NULL)
		return PH_OK;
	if ((rc = ph_db_prepare(db, sql_is_due, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, now_ms);
	rc = ph_stmt_step(st, err);
	*due = rc == PH_ROW;
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static const struct ph_job job = {
	.name = "job-op3-sync", .interval_s = 60, .needs = PH_NEED_DB_WRITE | PH_NEED_NET,
	.summary = "Read the downloads of each podcast from OP3 every three hours",
	.description = "By day, episode, country, app and device: month by month from the first one that OP3 knows, then the "
	    "last three days and today. A run that was killed goes on with the month it had not finished. A podcast "
	    "that failed is tried again after a minute, doubling up to three hours.",
	.is_due = is_due, .run = op3_sync,
};

int
main(int argc, char **argv)
{
	return ph_job_main(&job, argc, argv);
}
