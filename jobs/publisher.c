/*
 * publisher.c -- job-publisher: a service that looks what has changed and tells the live streams.
 *
 * Each look reads all topics in one snapshot, whoever listens, and publishes those that differ
 * from what was published last (lib/domain/live.h).  While nobody listens it looks only when the
 * data has changed, so that the first client gets the present figures at once, and at every tenth
 * turn.  What it remembers is only what it has told: begun anew, it tells all.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/job.h"
#include "domain/live.h"
#include "domain/live-alert.h"
#include "domain/live-token.h"
#include "domain/telemetry.h"

enum {
	REPEAT_TURNS = 10,	/* a topic that stays the same is told again after so many */
	WATCH_MS = 10000	/* at most so long until a token's end is seen */
};

/* The topics that nginx keeps a message of: each in two forms, and the bare telemetry. */
enum { STATISTICS = PH_LIVE_ALERTS, KEPT = 2 * STATISTICS + 1 };

static const struct ph_statistic *const statistics[STATISTICS] = {
	[PH_LIVE_OVERVIEW] = &ph_stat_overview, [PH_LIVE_QUEUE] = &ph_stat_queue,
	[PH_LIVE_ORCHESTRATOR] = &ph_stat_orchestrator, [PH_LIVE_PLATFORMS] = &ph_stat_platforms,
	[PH_LIVE_CAMPAIGNS] = &ph_stat_campaigns, [PH_LIVE_TELEMETRY] = &ph_telemetry,
};

struct publisher {
	struct ph_db		*db;
	struct ph_nchan		*nchan;
	struct ph_live_batch	*batch;
	struct ph_live_tokens	*tokens;
	struct ph_live_alerts	*alerts;
	struct {
		char	*told;		/* without ages; NULL: nothing yet */
		int	 turns;		/* since then */
		int64_t	 seq;
	}			 topics[STATISTICS];
	int64_t			 version;	/* of the data that was read last */
	int			 idle_turns;	/* without reading */
	int64_t			 published;	/* by nginx's count */
	int			 is_heard;
};

static void
forget(struct publisher *p)
{
	int i;

	for (i = 0; i < STATISTICS; i++) {
		free(p->topics[i].told);
		p->topics[i].told = NULL;
	}
	p->idle_turns = REPEAT_TURNS;
}

/* Alerts that nginx was told before are not told again. */
static enum ph_rc
begin_alerts(struct publisher *p, struct ph_err *err)
{
	char		channel[PH_NCHAN_CHANNEL_SIZE];
	int64_t		last_s, since_ms = ph_clock_now_ms(NULL) - PH_LIVE_ALERT_KEPT_MS;
	enum ph_rc	rc;

	if ((rc = ph_nchan_last_s(p->nchan, ph_live_channel(channel, PH_LIVE_SSE, PH_LIVE_ALERTS), &last_s,
	    err)) != PH_OK)
		return rc;
	ph_live_alerts_begin(p->alerts, last_s * 1000 > since_ms ? last_s * 1000 : since_ms);
	return PH_OK;
}

/* Who listens?  Does nginx still have what it was told? */
static enum ph_rc
ask_nginx(struct publisher *p, struct ph_err *err)
{
	struct ph_nchan_status	s;
	enum ph_rc		rc;

	if ((rc = ph_nchan_status(p->nchan, &s, err)) != PH_OK)
		return rc;
	p->is_heard = s.subscribers > 0;
	if (s.published < p->published || s.stored < KEPT) {
		/* At the beginning, or nginx was started or reloaded. */
		forget(p);
		rc = begin_alerts(p, err);
	}
	p->published = s.published;
	return rc;
}

/* Add a topic to the batch if it has something to tell. */
static enum ph_rc
look_at(struct publisher *p, enum ph_live_topic topic, int64_t now_ms, struct ph_err *err)
{
	const struct ph_stat_query	 q = { .db = p->db, .now_ms = now_ms };
	struct ph_json			*data = ph_json_new();
	unsigned			 forms = 0;
	char				*text = NULL, *lasting = NULL;
	enum ph_rc			 rc;

	if (data == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for a topic");
	ph_json_set_extended(data, 1);
	if ((rc = statistics[topic]->write(&q, data, err)) != PH_OK ||
	    (rc = ph_json_finish(data, &text, err)) != PH_OK)
		goto out;
	if ((lasting = ph_live_lasting(text)) == NULL) {
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for a topic");
		goto out;
	}
	/* Older clients expect telemetry at every turn. */
	if (topic == PH_LIVE_TELEMETRY)
		forms |= 1u << PH_LIVE_BARE;
	if (p->topics[topic].told == NULL || strcmp(p->topics[topic].told, lasting) != 0 ||
	    ++p->topics[topic].turns >= REPEAT_TURNS) {
		forms |= 1u << PH_LIVE_SSE | 1u << PH_LIVE_WS;
		free(p->topics[topic].told);
		p->topics[topic].told = lasting;
		lasting = NULL;
		p->topics[topic].turns = 0;
		p->topics[topic].seq++;
	}
	if (forms != 0)
		rc = ph_live_batch_add(p->batch, topic, forms, data, p->topics[topic].seq, now_ms, err);
out:
	free(lasting);
	free(text);
	ph_json_free(data);
	return rc;
}

/* Read everything in one snapshot, if there is reason to. */
static enum ph_rc
look(struct publisher *p, int is_turn, struct ph_err *err)
{
	int64_t		version = 0, now_ms;
	int		topic;
	enum ph_rc	rc;

	if ((rc = ph_db_begin(p->db, err)) != PH_OK ||
	    (rc = ph_db_data_version(p->db, &version, err)) != PH_OK)
		goto out;
	now_ms = ph_clock_now_ms(NULL);
	if (p->is_heard && (rc = ph_live_tokens_read(p->tokens, p->db, now_ms, err)) != PH_OK)
		goto out;
	if (!is_turn || (!p->is_heard && version == p->version && ++p->idle_turns < REPEAT_TURNS))
		goto out;
	p->version = version;
	p->idle_turns = 0;
	for (topic = 0; rc == PH_OK && topic < STATISTICS; topic++)
		rc = look_at(p, (enum ph_live_topic)topic, now_ms, err);
	if (rc == PH_OK)
		rc = ph_live_alerts_read(p->alerts, p->db, p->batch, now_ms, err);
out:
	ph_db_end(p->db);
	return rc;
}

static enum ph_rc
publish(struct ph_job_run *run, struct ph_err *err)
{
	const int64_t	 interval_us = ph_config_int(PH_CFG_LIVE_INTERVAL_MS) * 1000;
	struct publisher p = { .db = ph_job_run_db(run), .nchan = NULL };
	char		 path[512];
	int64_t		 due_us = ph_clock_mono_us(), left_ms;
	int		 is_turn;
	enum ph_rc	 rc = PH_ENOMEM;

	p.nchan = ph_nchan_new(ph_config_path(path, sizeof(path), PH_LIVE_SOCKET));
	p.batch = ph_live_batch_new();
	p.tokens = ph_live_tokens_new();
	p.alerts = ph_live_alerts_new();
	if (p.nchan == NULL || p.batch == NULL || p.tokens == NULL || p.alerts == NULL) {
		ph_fail(err, PH_ENOMEM, "not enough memory to begin");
		goto out;
	}
	if ((rc = begin_alerts(&p, err)) != PH_OK)
		goto out;
	p.idle_turns = REPEAT_TURNS;
	do {
		is_turn = ph_clock_mono_us() >= due_us;
		if ((rc = ask_nginx(&p, err)) != PH_OK || (rc = look(&p, is_turn, err)) != PH_OK ||
		    (rc = ph_live_batch_send(p.batch, p.nchan, err)) != PH_OK ||
		    (p.is_heard && (rc = ph_live_tokens_end(p.tokens, p.nchan, err)) != PH_OK))
			break;
		while (due_us <= ph_clock_mono_us())
			due_us += interval_us;
		left_ms = (due_us - ph_clock_mono_us() + 999) / 1000;
	} while (ph_job_run_wait(run, left_ms < WATCH_MS ? left_ms : WATCH_MS));
	forget(&p);
out:
	ph_live_alerts_free(p.alerts);
	ph_live_tokens_free(p.tokens);
	ph_live_batch_free(p.batch);
	ph_nchan_free(p.nchan);
	return rc;
}

static const struct ph_job job = {
	.name = "job-publisher", .interval_s = 0, .needs = PH_NEED_DB_READ,
	.summary = "Tell the live streams what has changed",
	.description = "Looks every PH_LIVE_INTERVAL_MS. One set of queries serves all clients. Streams of a token "
	    "that was revoked, expired or lost its scope are ended within 10 seconds.",
	.run = publish,
};

int
main(int argc, char **argv)
{
	return ph_job_main(&job, argc, argv);
}
