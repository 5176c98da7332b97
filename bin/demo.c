/*
 * demo.c -- pilothouse demo: lifelike publishing data of any size.
 *
 * The same rows, seed and clock give the same data.  Publish logs are spread over three months
 * (a year from 100,000 rows on) with a daily rhythm and quieter weekends; each platform
 * has an outage every few days, in which most posts fail; the last hour is still in
 * the queue, and some posts are scheduled ahead.  The newest clips have variants, and the ledger tells of
 * the newest logs, jobs and runs of the orchestrator.  There are samples of the last 48 hours, and a
 * podcast with what OP3 would have counted.
 *
 * Rows are loaded with triggers off and without secondary indexes, which are made afterwards;
 * the counters are then recomputed by the schema's own definitions.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "core/clock.h"
#include "core/number.h"
#include "demo-podcast.h"
#include "demo-product.h"
#include "demo-samples.h"
#include "instance.h"
#include "verify.h"

enum {
	ROWS_MAX = 100000000,
	HOUR_MS = 3600000,
	DAYS_SHORT = 90, DAYS_LONG = 365, LONG_ROWS = 100000,
	HOURS_MAX = DAYS_LONG * 24,
	LOGS_PER_CLIP = 10, CLIPS_PER_VIDEO = 8, LOGS_PER_JOB = 5, LOGS_PER_CAMPAIGN = 2500,
	ACCOUNTS_PER_PLATFORM = 3,
	PLATFORMS = 4,
	VARIANT_CLIPS = 200,
	RUN_ACTIONS_MAX = 4,
	LEDGER_LOGS = 1000, LEDGER_JOBS = 200,
	OUTAGE_EVERY_HOURS = 200, OUTAGE_HOURS = 3,
	RECENT_LOGS = 40	/* at least so many in the last hour, whatever the clock says */
};

static const char *const platforms[PLATFORMS] = { "instagram", "tiktok", "youtube", "facebook" };

struct demo {
	struct ph_db	*db;
	struct demo_samples	*samples;
	uint64_t	 seed;
	int64_t		 rows, clips, videos, jobs, campaigns;
	int64_t		 now, start;
	int		 hours;
	double		 until[HOURS_MAX + 1];	/* share of all logs created before hour i */
};

/* -- chance: a counter-based generator (SplitMix64), so that row i needs no row before it -- */

static uint64_t
mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

enum stream { S_ID, S_CLIP, S_PLATFORM, S_OUTCOME, S_TIME, S_SCORE, S_ACCOUNT, S_MISC, S_OUTAGE, S_VARIANT };

static uint64_t
draw(const struct demo *d, enum stream stream, int64_t i)
{
	return mix(d->seed ^ mix((uint64_t)stream << 56 ^ (uint64_t)i));
}

/* Uniform in [0, 1). */
static double
uniform(const struct demo *d, enum stream stream, int64_t i)
{
	return (double)(draw(d, stream, i) >> 11) / 9007199254740992.0;
}

/* -- shape ------------------------------------------------------------------------- */

/* Ids of UUID form that grow with i, so that indexes on them are filled from one end. */
static const char *
make_id(char buf[40], char kind, int64_t i, uint64_t tail)
{
	snprintf(buf, 40, "%08" PRIx64 "-%04" PRIx64 "-7%03x-8%03" PRIx64 "-%012" PRIx64,
	    (uint64_t)i >> 16 & 0xffffffff, (uint64_t)i & 0xffff, (unsigned)kind, tail >> 52,
	    tail & UINT64_C(0xffffffffffff));
	return buf;
}

/* How busy an hour is: nights sleep, evenings peak, weekends are quieter. */
static void
make_rhythm(struct demo *d)
{
	static const double	by_hour[24] = { 3, 2, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11,
	    13, 12, 11, 11, 12, 15, 20, 24, 22, 17, 11, 6 };
	double			sum = 0;
	int			i, day;

	for (i = 0; i < d->hours; i++) {
		const int64_t at = d->start + (int64_t)i * HOUR_MS;

		day = (int)((at / 86400000 + 3) % 7);	/* 0 = Monday */
		d->until[i] = sum;
		sum += by_hour[at / HOUR_MS % 24] * (day >= 5 ? 0.6 : 1.0) *
		    (0.9 + 0.2 * uniform(d, S_TIME, -1 - i)) * (1.0 + (double)i / d->hours);
	}
	d->until[d->hours] = sum;
	for (i = 0; i <= d->hours; i++)
		d->until[i] /= sum;
}

/* When log i was created; never before log i - 1. */
static int64_t
created_at(const struct demo *d, int64_t i, int *hour)
{
	const int64_t	recent = d->rows / 10 < RECENT_LOGS ? d->rows / 10 : RECENT_LOGS;
	const double	u = uniform(d, S_TIME, i);
	const double	share = ((double)i + u) / (double)(d->rows - recent);
	double		within;

	if (i >= d->rows - recent) {
		*hour = d->hours;
		return d->now - (int64_t)(((double)(d->rows - i) - u) / (double)recent * HOUR_MS);
	}
	while (*hour < d->hours - 1 && d->until[*hour + 1] <= share)
		++*hour;
	within = (share - d->until[*hour]) / (d->until[*hour + 1] - d->until[*hour]);
	return d->start + (int64_t)(((double)*hour + within) * HOUR_MS);
}

/* Is the platform out of order in that hour? */
static int
is_outage(const struct demo *d, int platform, int hour)
{
	const int	period = hour / OUTAGE_EVERY_HOURS;
	const int	begin = period * OUTAGE_EVERY_HOURS +
	    (int)(draw(d, S_OUTAGE, period * PLATFORMS + platform) % (OUTAGE_EVERY_HOURS - OUTAGE_HOURS));

	return hour >= begin && hour < begin + OUTAGE_HOURS;
}

/* -- rows ---------------------------------------------------------------------------- */

static enum ph_rc
insert_videos_and_clips(const struct demo *d, struct ph_err *err)
{
	static const char sql_video[] = "INSERT INTO video_assets (id, title, duration_ms, created_at,"
	    " updated_at) VALUES ($1, $2, $3, $4, $4)";
	static const char sql_clip[] = "INSERT INTO clips (id, video_asset_id, start_ms, end_ms, duration_ms,"
	    " visual_score, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
	struct ph_stmt	*st;
	char		 id[40], video[40], title[48];
	enum ph_rc	 rc;
	int64_t		 i, at, length;
	double		 score;

	if ((rc = ph_db_prepare(d->db, sql_video, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < d->videos && rc == PH_OK; i++) {
		snprintf(title, sizeof(title), "Episode %" PRId64, i + 1);
		ph_stmt_bind_text(st, 1, make_id(id, 'v', i, draw(d, S_ID, i)));
		ph_stmt_bind_text(st, 2, title);
		ph_stmt_bind_int(st, 3, 1200000 + (int64_t)(draw(d, S_MISC, i) % 2400000));
		ph_stmt_bind_int(st, 4, d->start + (d->now - d->start) * i / d->videos);
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	if (rc != PH_OK || (rc = ph_db_prepare(d->db, sql_clip, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < d->clips && rc == PH_OK; i++) {
		at = d->start + (d->now - d->start) * i / d->clips;
		length = 15000 + (int64_t)(draw(d, S_MISC, -1 - i) % 45000);
		score = (uniform(d, S_SCORE, 2 * i) + uniform(d, S_SCORE, 2 * i + 1)) / 2;
		ph_stmt_bind_text(st, 1, make_id(id, 'c', i, draw(d, S_ID, -1 - i)));
		ph_stmt_bind_text(st, 2, make_id(video, 'v', i * d->videos / d->clips,
		    draw(d, S_ID, i * d->videos / d->clips)));
		ph_stmt_bind_int(st, 3, i % CLIPS_PER_VIDEO * 60000);
		ph_stmt_bind_int(st, 4, i % CLIPS_PER_VIDEO * 60000 + length);
		ph_stmt_bind_int(st, 5, length);
		if (draw(d, S_SCORE, -1 - i) % 20 == 0)
			ph_stmt_bind_null(st, 6);	/* not scored yet */
		else
			ph_stmt_bind_double(st, 6, round(score * 1e4) / 1e4);
		ph_stmt_bind_text(st, 7, i + 20 < d->clips ? "published" : "ready");
		ph_stmt_bind_int(st, 8, at);
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	return rc;
}

/* Most of the newest clips are rendered for most platforms, and look there nearly as good. */
static enum ph_rc
insert_variants(const struct demo *d, struct ph_err *err)
{
	static const char sql[] = "INSERT INTO clip_variants (id, clip_id, variant_number, platform, status,"
	    " visual_score, duration_ms, created_at) SELECT $1, id, $3, $4, $5, max(visual_score - $6, 0),"
	    " duration_ms, created_at FROM clips WHERE id = $2";
	struct ph_stmt	*st;
	char		 id[40], clip[40];
	enum ph_rc	 rc;
	int64_t		 i, c;
	uint64_t	 r;

	if ((rc = ph_db_prepare(d->db, sql, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < VARIANT_CLIPS * PLATFORMS && i < d->clips * PLATFORMS && rc == PH_OK; i++) {
		r = draw(d, S_VARIANT, i);
		if (r % 4 == 0)
			continue;
		c = d->clips - 1 - i / PLATFORMS;
		ph_stmt_bind_text(st, 1, make_id(id, 't', i, draw(d, S_VARIANT, -1 - i)));
		ph_stmt_bind_text(st, 2, make_id(clip, 'c', c, draw(d, S_ID, -1 - c)));
		ph_stmt_bind_int(st, 3, i % PLATFORMS + 1);
		ph_stmt_bind_text(st, 4, platforms[i % PLATFORMS]);
		ph_stmt_bind_text(st, 5, r / 4 % 20 == 0 ? "failed" : r / 4 % 20 == 1 ? "pending" : "ready");
		ph_stmt_bind_double(st, 6, (double)(r / 80 % 500) / 1e4);
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
insert_accounts(const struct demo *d, struct ph_err *err)
{
	static const char sql[] = "INSERT INTO social_accounts (id, platform, handle, created_at, updated_at)"
	    " VALUES ($1, $2, $3, $4, $4)";
	struct ph_stmt	*st;
	char		 id[40], handle[40];
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(d->db, sql, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < PLATFORMS * ACCOUNTS_PER_PLATFORM && rc == PH_OK; i++) {
		snprintf(handle, sizeof(handle), "@pilot_%s_%d", platforms[i / ACCOUNTS_PER_PLATFORM],
		    i % ACCOUNTS_PER_PLATFORM + 1);
		ph_stmt_bind_text(st, 1, make_id(id, 'a', i, 0));
		ph_stmt_bind_text(st, 2, platforms[i / ACCOUNTS_PER_PLATFORM]);
		ph_stmt_bind_text(st, 3, handle);
		ph_stmt_bind_int(st, 4, d->start);
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
insert_jobs(const struct demo *d, struct ph_err *err)
{
	static const char sql[] = "INSERT INTO jobs (id, job_type, status, params, clip_id, error_message,"
	    " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
	static const char *const types[] = { "cut", "score", "render" };
	struct ph_stmt	*st;
	char		 id[40], clip[40], params[64];
	const char	*status;
	enum ph_rc	 rc;
	int64_t		 i, c;
	uint64_t	 r;

	if ((rc = ph_db_prepare(d->db, sql, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < d->jobs && rc == PH_OK; i++) {
		r = draw(d, S_OUTCOME, -1 - i);
		c = i * d->clips / d->jobs;
		status = i + 12 >= d->jobs ? "pending" : i + 15 >= d->jobs ? "processing" :
		    r % 100 < 3 ? "failed" : "completed";
		snprintf(params, sizeof(params), "{\"platform\":\"%s\"}", platforms[r / 100 % PLATFORMS]);
		ph_stmt_bind_text(st, 1, make_id(id, 'j', i, draw(d, S_ID, i)));
		ph_stmt_bind_text(st, 2, types[r / 1000 % 3]);
		ph_stmt_bind_text(st, 3, status);
		ph_stmt_bind_text(st, 4, params);
		ph_stmt_bind_text(st, 5, make_id(clip, 'c', c, draw(d, S_ID, -1 - c)));
		ph_stmt_bind_text(st, 6, strcmp(status, "failed") == 0 ? "decoder: corrupt frame" : NULL);
		ph_stmt_bind_int(st, 7, d->start + (d->now - d->start) * i / d->jobs);
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
insert_campaigns(const struct demo *d, struct ph_err *err)
{
	static const char sql[] = "INSERT INTO campaigns (id, name, clip_id, budget_cents,"
	    " budget_spent_cents, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
	static const char *const statuses[] = { "active", "completed", "active", "paused", "completed",
	    "draft" };
	struct ph_stmt	*st;
	char		 id[40], clip[40], name[40];
	enum ph_rc	 rc;
	int64_t		 i, c, budget;

	if ((rc = ph_db_prepare(d->db, sql, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < d->campaigns && rc == PH_OK; i++) {
		c = (int64_t)(draw(d, S_CLIP, -1 - i) % (uint64_t)d->clips);
		budget = 10000 + (int64_t)(draw(d, S_MISC, i ^ 0x5a5a) % 490000);
		snprintf(name, sizeof(name), "Campaign %" PRId64, i + 1);
		ph_stmt_bind_text(st, 1, make_id(id, 'k', i, draw(d, S_ID, i)));
		ph_stmt_bind_text(st, 2, name);
		ph_stmt_bind_text(st, 3, make_id(clip, 'c', c, draw(d, S_ID, -1 - c)));
		ph_stmt_bind_int(st, 4, budget);
		ph_stmt_bind_int(st, 5, strcmp(statuses[i % 6], "draft") == 0 ? 0 :
		    (int64_t)((double)budget * uniform(d, S_MISC, -77 - i)));
		ph_stmt_bind_text(st, 6, statuses[i % 6]);
		ph_stmt_bind_int(st, 7, d->start + (d->now - d->start) * i / d->campaigns);
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	return rc;
}

struct log {
	const char	*status, *error;
	int64_t		 published_at, failed_at, scheduled_for;	/* 0: none */
	int64_t		 retries;
};

/* What became of a log, by its age: what is older than an hour is done. */
static struct log
outcome(const struct demo *d, int64_t i, int platform, int hour, int64_t at)
{
	static const char *const errors[] = { "HTTP 500 from the platform", "rate limit exceeded",
	    "token expired", "media rejected: aspect ratio" };
	const uint64_t	r = draw(d, S_OUTCOME, i);
	const int	fails = is_outage(d, platform, hour) ? 70 : 3;
	/* Log-normal around four seconds. */
	const double	seconds = 4.0 * exp(0.8 * (uniform(d, S_TIME, -100000 - 2 * i) +
	    uniform(d, S_TIME, -100001 - 2 * i) + uniform(d, S_MISC, -100000 - i) - 1.5) * 2.0);
	const int64_t	done_at = at + (int64_t)(seconds * 1000);
	struct log	l = { .status = "success" };

	if (d->now - at < HOUR_MS / 2 && r % 3 == 0) {
		l.status = r / 3 % 8 == 0 ? "processing" : r / 3 % 8 == 1 ? "retry" :
		    r / 3 % 8 < 4 ? "scheduled" : "pending";
		if (strcmp(l.status, "scheduled") == 0)
			l.scheduled_for = d->now + (int64_t)(r / 24 % 48) * HOUR_MS / 2;
		if (strcmp(l.status, "retry") == 0)
			l.retries = 1;
	} else if (r / 8 % 100 < (uint64_t)fails) {
		l.status = "failed";
		l.error = errors[r / 800 % 4];
		l.failed_at = done_at < d->now ? done_at : d->now;
		l.retries = 3;
	} else
		l.published_at = done_at < d->now ? done_at : d->now;
	return l;
}

static void
bind_time(struct ph_stmt *st, int i, int64_t at)
{
	if (at != 0)
		ph_stmt_bind_int(st, i, at);
	else
		ph_stmt_bind_null(st, i);
}

static enum ph_rc
insert_logs(const struct demo *d, struct ph_err *err)
{
	static const char sql[] = "INSERT INTO publish_logs (id, clip_id, platform, social_account_id, status,"
	    " error_message, requested_at, published_at, failed_at, retry_count, schedule_type, scheduled_for,"
	    " created_at, updated_at, platform_key, proc_ms)"
	    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $7, $13, $3, $14)";
	static const int share[10] = { 0, 0, 0, 0, 1, 1, 1, 2, 2, 3 };	/* of the platforms */
	struct ph_stmt	*st;
	struct log	 l;
	char		 id[40], clip[40], account[40];
	enum ph_rc	 rc;
	int64_t		 i, c, at, newest;
	int		 p, hour = 0;

	if ((rc = ph_db_prepare(d->db, sql, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < d->rows && rc == PH_OK; i++) {
		at = created_at(d, i, &hour);
		p = share[draw(d, S_PLATFORM, i) % 10];
		/* Mostly recent clips. */
		newest = i * d->clips / d->rows;
		c = newest - (int64_t)((double)(newest < 200 ? newest : 200) * uniform(d, S_CLIP, i));
		l = outcome(d, i, p, hour, at);
		ph_stmt_bind_text(st, 1, make_id(id, 'p', i, draw(d, S_ID, i)));
		ph_stmt_bind_text(st, 2, make_id(clip, 'c', c, draw(d, S_ID, -1 - c)));
		ph_stmt_bind_text(st, 3, platforms[p]);
		ph_stmt_bind_text(st, 4, make_id(account, 'a', p * ACCOUNTS_PER_PLATFORM +
		    (int64_t)(draw(d, S_ACCOUNT, i) % ACCOUNTS_PER_PLATFORM), 0));
		ph_stmt_bind_text(st, 5, l.status);
		ph_stmt_bind_text(st, 6, l.error);
		ph_stmt_bind_int(st, 7, at);
		bind_time(st, 8, l.published_at);
		bind_time(st, 9, l.failed_at);
		ph_stmt_bind_int(st, 10, l.retries);
		ph_stmt_bind_text(st, 11, l.scheduled_for != 0 ? "scheduled" : "immediate");
		bind_time(st, 12, l.scheduled_for);
		ph_stmt_bind_int(st, 13, l.published_at != 0 ? l.published_at : l.failed_at != 0 ? l.failed_at : at);
		if (l.published_at != 0)
			ph_stmt_bind_int(st, 14, l.published_at - at);
		else
			ph_stmt_bind_null(st, 14);
		demo_samples_add(d->samples, l.status, at, l.published_at != 0 ? l.published_at :
		    l.failed_at != 0 ? l.failed_at : -1);
		rc = ph_stmt_exec(st, err);
		if (isatty(STDERR_FILENO) && (i + 1) % 100000 == 0)
			fprintf(stderr, "\r%" PRId64 " of %" PRId64 " publish logs", i + 1, d->rows);
	}
	ph_stmt_done(st);
	return rc;
}

static enum ph_rc
insert_runs(const struct demo *d, struct ph_err *err)
{
	static const char sql[] = "INSERT INTO orchestrator_runs (id, started_at, finished_at, trigger, actions,"
	    " succeeded, failed) VALUES ($1, $2, $2 + 800, 'loop', $3, $3, 0)";
	struct ph_stmt	*st;
	char		 id[40];
	enum ph_rc	 rc;
	int64_t		 i;

	if ((rc = ph_db_prepare(d->db, sql, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < 288 && rc == PH_OK; i++) {	/* one day, every five minutes */
		ph_stmt_bind_text(st, 1, make_id(id, 'r', i, draw(d, S_ID, i)));
		ph_stmt_bind_int(st, 2, d->now - (288 - i) * 300000);
		ph_stmt_bind_int(st, 3, (int64_t)(draw(d, S_MISC, i ^ 0x1111) % (RUN_ACTIONS_MAX + 1)));
		rc = ph_stmt_exec(st, err);
	}
	ph_stmt_done(st);
	return rc;
}

/*
 * What the ledger says of rows that are there: how the newest logs and jobs ended, and what the
 * orchestrator's runs did.  The id of an event is that of its row with another kind (make_id).
 */
static const char *const sql_ledger[] = {
	"INSERT INTO ledger_events (id, timestamp, event_type, entity_type, entity_id, event_data, severity, clip_id)"
	" SELECT substr(id, 1, 15) || '065' || substr(id, 19), coalesce(published_at, failed_at),"
	" 'publication.' || status, 'publish_log', id, json_object('from', 'processing', 'to', status, 'by', 'demo',"
	" 'platform', platform, 'retry_count', retry_count, 'error', error_message),"
	" CASE status WHEN 'failed' THEN 'ERROR' ELSE 'INFO' END, clip_id"
	" FROM publish_logs WHERE status IN ('success', 'failed') ORDER BY rowid DESC LIMIT $1",
	"INSERT INTO ledger_events (id, timestamp, event_type, entity_type, entity_id, event_data, severity, job_id,"
	" clip_id) SELECT substr(id, 1, 15) || '066' || substr(id, 19), updated_at, 'job.' || status, 'job', id,"
	" json_object('from', 'processing', 'to', status, 'by', 'demo', 'job_type', job_type, 'error', error_message),"
	" CASE status WHEN 'failed' THEN 'ERROR' ELSE 'INFO' END, id, clip_id"
	" FROM jobs WHERE status IN ('completed', 'failed') ORDER BY rowid DESC LIMIT $1",
	"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1)"
	" INSERT INTO ledger_events (id, timestamp, event_type, entity_type, entity_id, event_data)"
	" SELECT substr(id, 1, 15) || printf('%03x', 112 + i) || substr(id, 19), started_at + 100 * i,"
	" 'orchestrator.action_executed', 'orchestrator_run', id, json_object('by', 'demo')"
	" FROM orchestrator_runs JOIN n ON i < actions",
};
enum { LEDGERS = sizeof(sql_ledger) / sizeof(sql_ledger[0]) };

static enum ph_rc
insert_ledger(const struct demo *d, struct ph_err *err)
{
	static const int64_t	 limits[LEDGERS] = { LEDGER_LOGS, LEDGER_JOBS, RUN_ACTIONS_MAX };
	struct ph_stmt		*st;
	enum ph_rc		 rc = PH_OK;
	size_t			 i;

	for (i = 0; i < LEDGERS && rc == PH_OK; i++)
		if ((rc = ph_db_prepare(d->db, sql_ledger[i], &st, err)) == PH_OK) {
			ph_stmt_bind_int(st, 1, limits[i]);
			rc = ph_stmt_exec(st, err);
			ph_stmt_done(st);
		}
	return rc;
}

/* -- loading ---------------------------------------------------------------------------- */

static const char sql_have[] =
	"SELECT count(*) FROM (SELECT 1 FROM video_assets UNION ALL SELECT 1 FROM publish_logs LIMIT 1)";

/* What makes and what drops the secondary indexes of publish_logs. */
static const char sql_indexes[] =
	"SELECT group_concat(sql, ';'), group_concat('DROP INDEX ' || name, ';') FROM sqlite_schema"
	" WHERE type = 'index' AND tbl_name = 'publish_logs' AND sql IS NOT NULL";

static enum ph_rc
load(struct demo *d, struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	char		*create = NULL, *drop = NULL;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(d->db, sql_indexes, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		create = strdup(ph_stmt_text(st, 0));
		drop = strdup(ph_stmt_text(st, 1));
	}
	ph_stmt_done(st);
	if (create == NULL || drop == NULL)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory");
	else if ((rc = ph_db_script(d->db, drop, err)) == PH_OK &&
	    (rc = insert_videos_and_clips(d, err)) == PH_OK && (rc = insert_variants(d, err)) == PH_OK &&
	    (rc = insert_accounts(d, err)) == PH_OK &&
	    (rc = insert_jobs(d, err)) == PH_OK && (rc = insert_campaigns(d, err)) == PH_OK &&
	    (rc = insert_logs(d, err)) == PH_OK && (rc = insert_runs(d, err)) == PH_OK &&
	    (rc = insert_ledger(d, err)) == PH_OK && (rc = demo_samples_insert(d->samples, d->db, err)) == PH_OK &&
	    (rc = demo_podcast_insert(d->db, d->now, err)) == PH_OK &&
	    (rc = ph_db_script(d->db, create, err)) == PH_OK && (rc = rebuild_counters(d->db, err)) == PH_OK)
		rc = audit(d->db, "demo.load", NULL, NULL, err);
	free(create);
	free(drop);
	return rc;
}

static int64_t
at_least(int64_t v, int64_t min)
{
	return v > min ? v : min;
}

int
cmd_demo(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct demo	*d = calloc(1, sizeof(*d));
	int64_t		 rows = -1, seed = 1, have = 0;
	enum ph_rc	 rc;
	int		 i;

	for (i = 1; i + 1 < argc; i += 2)
		if (!(strcmp(argv[i], "--rows") == 0 &&
		    ph_parse_int(argv[i + 1], strlen(argv[i + 1]), 0, ROWS_MAX, &rows) == 0) &&
		    !(strcmp(argv[i], "--seed") == 0 &&
		    ph_parse_int(argv[i + 1], strlen(argv[i + 1]), 0, INT64_MAX, &seed) == 0))
			rows = -2;
	if (d == NULL || rows < 0 || i != argc) {
		free(d);
		return complain_usage("demo --rows N [--seed S]");
	}
	d->rows = rows;
	d->seed = mix((uint64_t)seed);
	d->clips = at_least(rows / LOGS_PER_CLIP, 50);
	d->videos = at_least(d->clips / CLIPS_PER_VIDEO, 6);
	d->jobs = at_least(rows / LOGS_PER_JOB, 60);
	d->campaigns = at_least(rows / LOGS_PER_CAMPAIGN, 12);
	d->hours = (rows >= LONG_ROWS ? DAYS_LONG : DAYS_SHORT) * 24;
	d->now = ph_clock_now_ms(NULL);
	d->start = d->now - (int64_t)(d->hours + 1) * HOUR_MS;
	make_rhythm(d);
	if ((d->samples = demo_samples_new(d->now)) == NULL)
		rc = ph_fail(&err, PH_ENOMEM, "not enough memory for the samples");
	else if ((d->db = instance_db(&err)) == NULL || (rc = ph_db_bulk_begin(d->db, &err)) != PH_OK ||
	    (rc = ph_db_one_int(d->db, sql_have, &have, &err)) != PH_OK)
		rc = err.rc;
	else if (rows > 0 && have > 0)
		rc = ph_fail(&err, PH_ECONFLICT, "there is publishing data already; demo data goes into an empty "
		    "database only");
	else if (rows == 0 || (rc = load(d, &err)) == PH_OK)
		rc = ph_db_bulk_commit(d->db, &err);
	if (rc == PH_OK && rows > 0)
		rc = demo_product_insert(d->now, &err);
	if (d->db != NULL)
		ph_db_end(d->db);
	ph_db_close(d->db);
	demo_samples_free(d->samples);
	free(d);
	if (rc != PH_OK)
		return complain(&err);
	printf("%" PRId64 " publish logs\n", rows);
	return 0;
}
