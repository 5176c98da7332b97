/*
 * show-refresh.c -- having OP3's figures: leases, questions in their order, and storing the answers.
 */
#include "autoconf.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/hash.h"
#include "domain/show.h"

#define MINUTE_MS	INT64_C(60000)
#define HOUR_MS		INT64_C(3600000)
#define SHOW_MS		(7 * 24 * HOUR_MS)	/* a UUID is believed */
#define RETRY_MAX_MS	(15 * MINUTE_MS)
#define EPISODES_MS	(10 * MINUTE_MS)	/* counts without those of episodes are fresh */

enum { LEASE_MS = 15000, POLL_MS = 50, STORE_MS = 500, OWNER_SIZE = 40, LOOKUPS_MAX = 4, RETRY_DOUBLES_MAX = 5 };

/* What is asked for, and the episodes of each show that came. */
struct asked {
	struct ph_shows		*shows;
	struct ph_op3_episodes	*episodes;
};

/* -- leases --------------------------------------------------------------------------- */

static const char sql_begin_row[] = "INSERT INTO op3_shows (podcast_id) VALUES ($1) ON CONFLICT DO NOTHING";
static const char sql_lease[] =
	"UPDATE op3_shows SET lease_owner = $2, lease_until = $3 + $4"
	" WHERE podcast_id = $1 AND fresh_until <= $3 AND lease_until <= $3";

static int
is_due(const struct ph_show *s, int64_t now_ms)
{
	return s->has_identity && s->fresh_until <= now_ms;
}

static enum ph_rc
lease_one(const struct ph_show_fetch *f, const char *owner, struct ph_show *s, struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(f->db, sql_begin_row, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->podcast_id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc != PH_OK || (rc = ph_db_prepare(f->db, sql_lease, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->podcast_id);
	ph_stmt_bind_text(st, 2, owner);
	ph_stmt_bind_int(st, 3, f->now_ms);
	ph_stmt_bind_int(st, 4, f->wait_ms > LEASE_MS ? f->wait_ms + LEASE_MS : LEASE_MS);
	rc = ph_stmt_exec(st, err);
	s->is_leased = rc == PH_OK && ph_db_changes(f->db) == 1;
	ph_stmt_done(st);
	return rc;
}

/* Take what is due and nobody's.  A database that is busy may be free a little later. */
static enum ph_rc
lease_due(const struct ph_show_fetch *f, const char *owner, struct ph_shows *shows, struct ph_err *err)
{
	enum ph_rc	rc;
	size_t		i;

	if ((rc = f->begin(f->arg, err)) != PH_OK)
		return rc;
	for (i = 0; i < shows->n && rc == PH_OK; i++)
		if (is_due(&shows->list[i], f->now_ms) && shows->list[i].lease_until <= f->now_ms)
			rc = lease_one(f, owner, &shows->list[i], err);
	if (rc == PH_OK)
		rc = ph_db_commit(f->db, err);
	ph_db_end(f->db);
	for (i = 0; i < shows->n && rc != PH_OK; i++)
		shows->list[i].is_leased = 0;
	return rc;
}

/* -- asking --------------------------------------------------------------------------- */

static void
fail_show(struct ph_show *s, int64_t now_ms, const char *code, int64_t again_ms)
{
	snprintf(s->code, sizeof(s->code), "%s", code);
	s->fail_count++;
	s->fresh_until = now_ms + again_ms;
}

/* A call failed, or was not made.  That we asked wrongly is our own affair. */
static void
fail_call(struct ph_show *s, int64_t now_ms, enum ph_reply reply)
{
	const int64_t again_ms = MINUTE_MS << (s->fail_count < RETRY_DOUBLES_MAX ? s->fail_count : RETRY_DOUBLES_MAX);

	fail_show(s, now_ms, reply == PH_REPLY_NOT_FOUND || reply == PH_REPLY_REFUSED ? "internal" :
	    ph_reply_code(reply), reply == PH_REPLY_OPEN ? MINUTE_MS : again_ms < RETRY_MAX_MS ? again_ms : RETRY_MAX_MS);
}

/* The feed's URL with the other scheme, and with a slash at its end or without; "" when that is no other. */
static void
vary_url(const char *url, int which, char out[PH_SHOW_URL_SIZE + 1])
{
	const size_t len = strlen(url);

	out[0] = '\0';
	if (which == 0 && strncmp(url, "https://", 8) == 0)
		snprintf(out, PH_SHOW_URL_SIZE + 1, "http://%s", url + 8);
	else if (which == 0 && strncmp(url, "http://", 7) == 0)
		snprintf(out, PH_SHOW_URL_SIZE + 1, "https://%s", url + 7);
	else if (which == 1 && len > 0 && url[len - 1] == '/')
		snprintf(out, PH_SHOW_URL_SIZE + 1, "%.*s", (int)len - 1, url);
	else if (which == 1 && len > 0)
		snprintf(out, PH_SHOW_URL_SIZE + 1, "%s/", url);
}

enum ph_reply
ph_show_find(struct ph_op3 *op3, struct ph_show *s, int64_t now_ms, struct ph_op3_episodes *episodes)
{
	char		 scheme[PH_SHOW_URL_SIZE + 1], slash[PH_SHOW_URL_SIZE + 1], uuid[PH_OP3_UUID_SIZE];
	const char	*ids[] = { s->uuid, s->guid, s->feed_url, scheme, slash };
	enum ph_reply	 reply = PH_REPLY_NOT_FOUND;
	int		 asked = 0;
	size_t		 i;

	if (s->uuid[0] != '\0' && now_ms < s->show_until && episodes == NULL)
		return PH_REPLY_OK;
	vary_url(s->feed_url, 0, scheme);
	vary_url(s->feed_url, 1, slash);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]) && asked < LOOKUPS_MAX && reply == PH_REPLY_NOT_FOUND; i++) {
		if (ids[i][0] == '\0')
			continue;
		asked++;
		reply = ph_op3_show(op3, ids[i], uuid, episodes);
	}
	if (reply == PH_REPLY_OK) {
		memcpy(s->uuid, uuid, sizeof(s->uuid));
		s->show_until = now_ms + SHOW_MS;
	}
	return reply;
}

/* Counts of the shows that are leased to us and known, as many in one question as OP3 takes. */
static void
ask_counts(struct ph_op3 *op3, struct ph_shows *shows, int64_t now_ms)
{
	const char		*uuids[PH_OP3_SHOWS_MAX];
	struct ph_show		*of[PH_OP3_SHOWS_MAX];
	struct ph_op3_counts	 counts[PH_OP3_SHOWS_MAX];
	char			 as_of[PH_DAY_SIZE];
	enum ph_reply		 reply;
	size_t			 i, k, n;

	for (i = 0; i < shows->n; ) {
		for (n = 0; i < shows->n && n < PH_OP3_SHOWS_MAX; i++)
			if (shows->list[i].is_leased && shows->list[i].code[0] == '\0') {
				of[n] = &shows->list[i];
				uuids[n++] = shows->list[i].uuid;
			}
		if (n == 0)
			return;
		reply = ph_op3_show_counts(op3, uuids, n, counts, as_of);
		for (k = 0; k < n; k++) {
			if (reply != PH_REPLY_OK || counts[k].is_bad)
				fail_call(of[k], now_ms, reply != PH_REPLY_OK ? reply : PH_REPLY_BAD);
			else if (!counts[k].is_known)
				fail_show(of[k], now_ms, "no_data", HOUR_MS);
			else {
				of[k]->counts = counts[k];
				memcpy(of[k]->as_of, as_of, sizeof(as_of));
				of[k]->has_answer = 1;
			}
		}
	}
}

static void
ask_episodes(struct ph_op3 *op3, struct ph_show *s, struct ph_op3_episodes *episodes, int64_t now_ms)
{
	const enum ph_reply reply = ph_op3_episode_counts(op3, s->uuid, episodes);

	s->counts_at = now_ms;
	s->fail_count = 0;
	if (reply == PH_REPLY_OK)
		s->episodes_at = now_ms;
	/* The older counts of episodes stay, and say their age. */
	s->fresh_until = now_ms + (reply == PH_REPLY_OK ? PH_SHOW_FRESH_MS : EPISODES_MS);
}

/* All questions about the shows that are leased to us. */
static void
ask_all(const struct ph_show_fetch *f, int64_t deadline_us, struct asked *a)
{
	struct ph_shows	*shows = a->shows;
	struct ph_op3	op3 = { .state = f->state, .deadline_us = deadline_us, .tries = f->tries,
			    .timeout_ms = f->call_ms > 0 ? f->call_ms : f->wait_ms };
	size_t		i;

	for (i = 0; i < shows->n; i++) {
		struct ph_show	*s = &shows->list[i];
		enum ph_reply	 reply;

		if (!s->is_leased)
			continue;
		s->code[0] = '\0';
		if ((reply = ph_show_find(&op3, s, f->now_ms, NULL)) == PH_REPLY_NOT_FOUND)
			fail_show(s, f->now_ms, "not_registered", HOUR_MS);
		else if (reply != PH_REPLY_OK)
			fail_call(s, f->now_ms, reply);
	}
	ask_counts(&op3, shows, f->now_ms);
	for (i = 0; i < shows->n; i++)
		if (shows->list[i].has_answer)
			ask_episodes(&op3, &shows->list[i], &a->episodes[i], f->now_ms);
}

/* -- storing -------------------------------------------------------------------------- */

static const char sql_store_failure[] =
	"UPDATE op3_shows SET show_until = $3, error_code = $4, error_at = $5, fail_count = $6, fresh_until = $7,"
	" lease_owner = NULL, lease_until = 0 WHERE podcast_id = $1 AND lease_owner = $2";
static const char sql_store_counts[] =
	"UPDATE op3_shows SET show_until = $3, error_code = NULL, error_at = NULL, fail_count = 0, fresh_until = $4,"
	" as_of = $5, downloads_30d = $6, weekly = $7, weekly_avg = $8, num_weeks = $9, counts_at = $10,"
	" episodes_at = $11, show_uuid = $12, lease_owner = NULL, lease_until = 0 WHERE podcast_id = $1 AND lease_owner = $2";
static const char sql_store_uuid[] =
	"UPDATE podcasts SET op3_show_uuid = $2 WHERE id = $1 AND op3_show_uuid IS NOT $2";
static const char sql_forget_episodes[] = "DELETE FROM op3_counts WHERE podcast_id = $1";
static const char sql_store_episode[] =
	"INSERT INTO op3_counts (podcast_id, position, item_guid, title, pubdate, downloads_1d, downloads_3d,"
	" downloads_7d, downloads_30d, downloads_all) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

static void
bind_known(struct ph_stmt *st, int i, int64_t value)
{
	if (value >= 0)
		ph_stmt_bind_int(st, i, value);
	else
		ph_stmt_bind_null(st, i);
}

static enum ph_rc
store_episodes(struct ph_db *db, const char *podcast_id, const struct ph_op3_episodes *episodes, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	size_t		 i;

	if ((rc = ph_db_prepare(db, sql_forget_episodes, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, podcast_id);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc != PH_OK || (rc = ph_db_prepare(db, sql_store_episode, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < episodes->n && rc == PH_OK; i++) {
		const struct ph_op3_episode *e = &episodes->list[i];

		ph_stmt_bind_text(st, 1, podcast_id);
		ph_stmt_bind_int(st, 2, (int64_t)i);
		ph_stmt_bind_text(st, 3, e->guid);
		ph_stmt_bind_text(st, 4, e->title);
		bind_known(st, 5, e->pubdate_ms);
		bind_known(st, 6, e->d1);
		bind_known(st, 7, e->d3);
		bind_known(st, 8, e->d7);
		bind_known(st, 9, e->d30);
		ph_stmt_bind_int(st, 10, e->all);
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_show_store_uuid(struct ph_db *db, const struct ph_show *s, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if (s->uuid[0] == '\0')
		return PH_OK;
	if ((rc = ph_db_prepare(db, sql_store_uuid, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->podcast_id);
	ph_stmt_bind_text(st, 2, s->uuid);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

static void
bind_counts(struct ph_stmt *st, const struct ph_show *s, char weekly[128])
{
	const struct ph_op3_counts	*c = &s->counts;
	int				 i, n = snprintf(weekly, 128, "[");

	for (i = 0; i < c->nweekly; i++)
		n += snprintf(weekly + n, 128 - (size_t)n, "%s%lld", i > 0 ? "," : "", (long long)c->weekly[i]);
	snprintf(weekly + n, 128 - (size_t)n, "]");
	ph_stmt_bind_int(st, 4, s->fresh_until);
	ph_stmt_bind_text(st, 5, s->as_of);
	ph_stmt_bind_int(st, 6, c->monthly);
	ph_stmt_bind_text(st, 7, weekly);
	if (c->weekly_avg >= 0)
		ph_stmt_bind_double(st, 8, c->weekly_avg);
	else
		ph_stmt_bind_null(st, 8);
	ph_stmt_bind_int(st, 9, c->num_weeks);
	ph_stmt_bind_int(st, 10, s->counts_at);
	ph_stmt_bind_int(st, 11, s->episodes_at);
	ph_stmt_bind_text(st, 12, s->uuid);
}

/* The outcome for one show, and its lease back.  Who lost the lease stores nothing. */
static enum ph_rc
store_one(const struct ph_show_fetch *f, const char *owner, const struct ph_show *s,
    const struct ph_op3_episodes *episodes, struct ph_err *err)
{
	struct ph_err	 match_err = { .rc = PH_OK };
	struct ph_stmt	*st;
	char		 weekly[128];
	enum ph_rc	 rc;

	/* First: where the show is another one, what is kept of it goes, and the next request asks anew. */
	if ((rc = ph_show_store_uuid(f->db, s, err)) != PH_OK ||
	    (rc = ph_db_prepare(f->db, s->has_answer ? sql_store_counts : sql_store_failure, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->podcast_id);
	ph_stmt_bind_text(st, 2, owner);
	ph_stmt_bind_int(st, 3, s->show_until);
	if (s->has_answer)
		bind_counts(st, s, weekly);
	else {
		ph_stmt_bind_text(st, 4, s->code);
		ph_stmt_bind_int(st, 5, f->now_ms);
		ph_stmt_bind_int(st, 6, s->fail_count);
		ph_stmt_bind_int(st, 7, s->fresh_until);
	}
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc != PH_OK || ph_db_changes(f->db) == 0 || !s->has_answer || s->episodes_at != s->counts_at ||
	    (rc = store_episodes(f->db, s->podcast_id, episodes, err)) != PH_OK)
		return rc;
	/* Figures are worth more than whose they are. */
	ph_show_match(f->db, s->podcast_id, &match_err);
	return PH_OK;
}

static enum ph_rc
store_all(const struct ph_show_fetch *f, const char *owner, const struct asked *a, struct ph_err *err)
{
	const struct ph_shows *shows = a->shows;
	enum ph_rc	rc;
	size_t		i;

	if ((rc = f->begin(f->arg, err)) != PH_OK)
		return rc;
	for (i = 0; i < shows->n && rc == PH_OK; i++)
		if (shows->list[i].is_leased)
			rc = store_one(f, owner, &shows->list[i], &a->episodes[i], err);
	if (rc == PH_OK)
		rc = ph_db_commit(f->db, err);
	ph_db_end(f->db);
	return rc;
}

/* -- the whole ------------------------------------------------------------------------ */

/* Have the rows as they are now. */
static enum ph_rc
read_again(const struct ph_show_fetch *f, struct ph_shows *shows, struct ph_err *err)
{
	struct ph_shows	now = { 0 };
	enum ph_rc	rc = PH_OK;
	size_t		i;

	for (i = 0; i < shows->n && rc == PH_OK; i++) {
		struct ph_show *s = &shows->list[i];

		if (!s->has_identity || s->is_leased)
			continue;
		if ((rc = ph_db_begin(f->db, err)) == PH_OK)
			rc = ph_shows_read(f->db, NULL, s->podcast_id, &now, err);
		ph_db_end(f->db);
		if (rc == PH_OK && now.n == 1)
			*s = now.list[0];
		free(now.list);
		now.list = NULL;
	}
	return rc;
}

/* Is there a show that has nothing, and somebody else is asking for it? */
static int
must_wait(const struct ph_show_fetch *f, const struct ph_shows *shows)
{
	const char	*code;
	size_t		 i;

	for (i = 0; i < shows->n; i++)
		if (!shows->list[i].is_leased && is_due(&shows->list[i], f->now_ms) &&
		    ph_show_use(&shows->list[i], f->now_ms, &code) == PH_SHOW_UNAVAILABLE)
			return 1;
	return 0;
}

int
ph_shows_are_due(const struct ph_shows *shows, int64_t now_ms)
{
	size_t i;

	for (i = 0; i < shows->n; i++)
		if (is_due(&shows->list[i], now_ms))
			return ph_show_missing() == NULL;
	return 0;
}

/* How many of those that are leased to us; *has_none: one of them has no figures yet. */
static int
count_leased(const struct ph_show_fetch *f, const struct ph_shows *shows, int *has_none)
{
	const char	*code;
	size_t		 i;
	int		 n = 0;

	for (i = 0, *has_none = 0; i < shows->n; i++)
		if (shows->list[i].is_leased) {
			n++;
			*has_none |= ph_show_use(&shows->list[i], f->now_ms, &code) == PH_SHOW_UNAVAILABLE;
		}
	return n;
}

/* PH_EDBLOCKED: the answers could not be stored. */
static enum ph_rc
ask_and_store(const struct ph_show_fetch *f, const char *owner, int64_t deadline_us, struct ph_shows *shows,
    struct ph_err *err)
{
	struct asked	a = { .shows = shows, .episodes = calloc(shows->n, sizeof(*a.episodes)) };
	int64_t		until_us;
	enum ph_rc	rc;
	size_t		i;

	if (a.episodes == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the episodes");
	ask_all(f, deadline_us, &a);
	until_us = ph_clock_mono_us() + STORE_MS * INT64_C(1000);
	while ((rc = store_all(f, owner, &a, err)) == PH_EDBLOCKED && ph_clock_mono_us() < until_us)
		poll(NULL, 0, POLL_MS);
	for (i = 0; i < shows->n; i++)
		ph_op3_episodes_free(&a.episodes[i]);
	free(a.episodes);
	return rc;
}

enum ph_rc
ph_shows_refresh(const struct ph_show_fetch *f, struct ph_shows *shows, struct ph_err *err)
{
	const int64_t	begin_us = ph_clock_mono_us();
	int64_t		deadline_us = begin_us + f->wait_ms * INT64_C(1000);
	char		owner[OWNER_SIZE], hex[17];
	int		has_none;
	enum ph_rc	rc;

	if (!ph_shows_are_due(shows, f->now_ms))
		return PH_OK;
	ph_random_hex(hex, sizeof(hex) - 1);
	snprintf(owner, sizeof(owner), "%d:%s", (int)getpid(), hex);
	for (;;) {
		rc = lease_due(f, owner, shows, err);
		if (rc != PH_OK && rc != PH_EDBLOCKED)
			return rc;
		if (count_leased(f, shows, &has_none) > 0 || !must_wait(f, shows) || ph_clock_mono_us() >= deadline_us)
			break;
		poll(NULL, 0, POLL_MS);
		if ((rc = read_again(f, shows, err)) != PH_OK)
			return rc;
	}
	if (count_leased(f, shows, &has_none) > 0) {
		if (!has_none)
			deadline_us = begin_us + f->wait_stale_ms * INT64_C(1000);
		rc = ask_and_store(f, owner, deadline_us, shows, err);
	}
	if (rc == PH_EDBLOCKED) {		/* what we know is good for this answer */
		*err = (struct ph_err){ .rc = PH_OK };
		rc = PH_OK;
	}
	return rc;
}
