/*
 * live-alert.c -- what is new is told by comparing the alerts that are open with those that were.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/alert-event.h"
#include "domain/live-alert.h"

enum { OPEN_MAX = 512 };	/* more than there are rules */

/* ix_alerts_open holds nothing else. */
static const char sql_open[] =
	"SELECT " PH_ALERT_EVENT_COLUMNS " FROM alert_events AS e WHERE e.state = 'firing'"
	" ORDER BY e.created_at, e.id LIMIT $1";
/* Once, at the beginning. */
static const char sql_resolved[] =
	"SELECT " PH_ALERT_EVENT_COLUMNS " FROM alert_events AS e"
	" WHERE e.state = 'resolved' AND e.resolved_at >= $1 ORDER BY e.resolved_at, e.id LIMIT $2";

enum { C_ID = 0, C_CREATED_AT = 6 };	/* of PH_ALERT_EVENT_COLUMNS */

typedef char alert_id[PH_ALERT_ID_SIZE];

struct ph_live_alerts {
	alert_id	open[OPEN_MAX], before[OPEN_MAX];
	size_t		nopen, nbefore;
	int64_t		since_ms;		/* 0: it has begun */
	int64_t		seq;
};

struct ph_live_alerts *
ph_live_alerts_new(void)
{
	return calloc(1, sizeof(struct ph_live_alerts));
}

void
ph_live_alerts_free(struct ph_live_alerts *a)
{
	free(a);
}

void
ph_live_alerts_begin(struct ph_live_alerts *a, int64_t since_ms)
{
	a->nopen = 0;
	a->since_ms = since_ms;
}

static int
has(alert_id *ids, size_t n, const char *id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(ids[i], id) == 0)
			return 1;
	return 0;
}

/* Tell of the alert in a row, or of the one with an id. */
static enum ph_rc
tell(struct ph_live_alerts *a, struct ph_db *db, struct ph_stmt *row, const char *id, struct ph_live_batch *batch,
    int64_t now_ms, struct ph_err *err)
{
	struct ph_json	*j = ph_json_new();
	enum ph_rc	 rc = PH_OK;

	if (j == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for an alert");
	if (row != NULL)
		ph_alert_event_write(j, row);
	else
		rc = ph_alert_event_show(db, id, j, err);
	if (rc == PH_OK)
		rc = ph_live_batch_add(batch, PH_LIVE_ALERTS, 1u << PH_LIVE_SSE | 1u << PH_LIVE_WS | 1u << PH_LIVE_BARE,
		    j, ++a->seq, now_ms, err);
	ph_json_free(j);
	return rc == PH_ENOTFOUND ? PH_OK : rc;	/* it was removed meanwhile */
}

static enum ph_rc
read_open(struct ph_live_alerts *a, struct ph_db *db, struct ph_live_batch *batch, int64_t now_ms,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	const char	*id;
	enum ph_rc	 rc, told = PH_OK;

	if ((rc = ph_db_prepare(db, sql_open, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, OPEN_MAX);
	while (told == PH_OK && (rc = ph_stmt_step(st, err)) == PH_ROW) {
		id = ph_stmt_text(st, C_ID);
		snprintf(a->open[a->nopen++], PH_ALERT_ID_SIZE, "%s", id);
		if (!has(a->before, a->nbefore, id) && ph_stmt_int(st, C_CREATED_AT) >= a->since_ms)
			told = tell(a, db, st, NULL, batch, now_ms, err);
	}
	ph_stmt_done(st);
	return told != PH_OK ? told : rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
read_resolved(struct ph_live_alerts *a, struct ph_db *db, struct ph_live_batch *batch, int64_t now_ms,
    struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc, told = PH_OK;

	if ((rc = ph_db_prepare(db, sql_resolved, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, a->since_ms);
	ph_stmt_bind_int(st, 2, OPEN_MAX);
	while (told == PH_OK && (rc = ph_stmt_step(st, err)) == PH_ROW)
		told = tell(a, db, st, NULL, batch, now_ms, err);
	ph_stmt_done(st);
	return told != PH_OK ? told : rc == PH_DONE ? PH_OK : rc;
}

enum ph_rc
ph_live_alerts_read(struct ph_live_alerts *a, struct ph_db *db, struct ph_live_batch *batch, int64_t now_ms,
    struct ph_err *err)
{
	enum ph_rc	rc;
	size_t		i;

	memcpy(a->before, a->open, a->nopen * sizeof(a->open[0]));
	a->nbefore = a->nopen;
	a->nopen = 0;
	if ((rc = read_open(a, db, batch, now_ms, err)) != PH_OK ||
	    (a->since_ms > 0 && (rc = read_resolved(a, db, batch, now_ms, err)) != PH_OK))
		return rc;
	for (i = 0; rc == PH_OK && i < a->nbefore; i++)
		if (!has(a->open, a->nopen, a->before[i]))
			rc = tell(a, db, NULL, a->before[i], batch, now_ms, err);
	a->since_ms = 0;
	return rc;
}
