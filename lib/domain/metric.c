/*
 * metric.c -- the catalogue, put together from the field tables, and its values.
 *
 * A statistic is written into a JSON object as for any client; the object is then walked along
 * the same field tables that made the names, in the same order.
 */
#include "autoconf.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "domain/event.h"
#include "domain/filter.h"
#include "domain/metric.h"
#include "domain/telemetry.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000, STUCK_MS = 5 * MINUTE_MS };
enum { TEXT_SIZE = 160 };
#define EXACT_MAX	1e15	/* a greater double is shown as it is, perhaps with an exponent */
#define WHOLE_MAX	9e18	/* beyond it int64_t ends */

static const struct { const char *name, *text; int64_t ms; } windows[] = {
	{ "10m", "10 minutes", 10 * MINUTE_MS }, { "1h", "hour", HOUR_MS }, { "24h", "24 hours", DAY_MS },
};
enum { WINDOWS = sizeof(windows) / sizeof(windows[0]) };

/* The first entry of ix_accounts_expiry. */
static const char sql_expiry[] =
	"SELECT oauth_expires_at FROM social_accounts"
	" WHERE is_active <> 0 AND oauth_expires_at IS NOT NULL ORDER BY oauth_expires_at LIMIT 1";

/* A part of ix_jobs_stuck, which holds the processing jobs alone. */
static const char sql_stuck[] =
	"SELECT count(*) FROM jobs WHERE status = 'processing' AND updated_at < $1";

/* Of the active campaigns, by ix_campaigns_status. */
static const char sql_blocked[] =
	"SELECT count(*) FROM campaigns JOIN clips ON clips.id = campaigns.clip_id"
	" WHERE campaigns.status = 'active' AND clips.status NOT IN ('ready', 'published')";

/* -- figures of their own ------------------------------------------------------------- */

/* The integer of a statement's first row; $1 is bound if at_ms >= 0.  NAN: no row. */
static enum ph_rc
first_int(struct ph_db *db, const char *sql, int64_t at_ms, double *value, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*value = NAN;
	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	if (at_ms >= 0)
		ph_stmt_bind_int(st, 1, at_ms);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*value = (double)ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
read_overdue(struct ph_db *db, int64_t now, double *value, struct ph_err *err)
{
	struct ph_overdue	late;
	enum ph_rc		rc;

	if ((rc = ph_telemetry_overdue(db, now, &late, err)) == PH_OK)
		*value = (double)late.longest_ms;
	return rc;
}

static enum ph_rc
read_oauth(struct ph_db *db, int64_t now, double *value, struct ph_err *err)
{
	const enum ph_rc rc = first_int(db, sql_expiry, -1, value, err);

	*value -= (double)now;
	return rc;
}

static enum ph_rc
read_stuck(struct ph_db *db, int64_t now, double *value, struct ph_err *err)
{
	return first_int(db, sql_stuck, now > STUCK_MS ? now - STUCK_MS : 0, value, err);
}

static enum ph_rc
read_blocked(struct ph_db *db, int64_t now, double *value, struct ph_err *err)
{
	(void)now;
	return first_int(db, sql_blocked, -1, value, err);
}

static enum ph_rc
read_idle(struct ph_db *db, int64_t now, double *value, struct ph_err *err)
{
	int64_t		last;
	enum ph_rc	rc;

	if ((rc = ph_telemetry_last_action(db, &last, err)) == PH_OK)
		*value = last < 0 ? NAN : last > now ? 0 : (double)(now - last);
	return rc;
}

static const struct {
	struct ph_metric	  metric;
	enum ph_rc		(*read)(struct ph_db *, int64_t now, double *value, struct ph_err *);
} single[] = {
	{ { .name = "scheduler.overdue_max_ms", .unit = "ms",
	    .text = "How long the longest overdue of the scheduled and pending logs is overdue; 0 if none is." },
	    read_overdue },
	{ { .name = "accounts.oauth_min_left_ms", .unit = "ms", .is_nullable = 1,
	    .text = "Time until the first access token of an active account expires, negative when it has; "
		"null if no account has one." },
	    read_oauth },
	{ { .name = "jobs.stuck_processing", .unit = "count",
	    .text = "Jobs in status processing that were not updated for five minutes." },
	    read_stuck },
	{ { .name = "campaigns.blocked", .unit = "count",
	    .text = "Active campaigns whose clip is neither ready nor published." },
	    read_blocked },
	{ { .name = "orchestrator.idle_ms", .unit = "ms", .is_nullable = 1,
	    .text = "Time since the orchestrator began a run or executed an action; null if it never did." },
	    read_idle },
};
enum { SINGLES = sizeof(single) / sizeof(single[0]) };

/* -- the catalogue ---------------------------------------------------------------------- */

/* In order: what the sources give, events by window, single figures. */
static struct {
	struct ph_metric	metrics[PH_METRICS_MAX];
	char			names[PH_METRICS_MAX][PH_METRIC_NAME_SIZE];
	char			texts[PH_EVENT__MAX * WINDOWS][TEXT_SIZE];
	unsigned char		is_extended[PH_METRICS_MAX];
	size_t			n;
	size_t			events;		/* the first event */
} catalogue;

/* Next source of numbers after i, or NULL: the statistics, then the telemetry. */
static const struct ph_statistic *
source(size_t i)
{
	size_t n;

	for (n = 0; n < i && ph_statistics[n] != NULL; n++)
		;
	return n < i ? NULL : ph_statistics[n] != NULL ? ph_statistics[n] : &ph_telemetry;
}

static int
is_number(const struct ph_field *f)
{
	return f->type == PH_COUNT || f->type == PH_INTEGER || f->type == PH_DECIMAL;
}

static void
add(const char *name, struct ph_metric m, int is_extended)
{
	const size_t i = catalogue.n++;

	assert(i < PH_METRICS_MAX && strlen(name) < PH_METRIC_NAME_SIZE);
	snprintf(catalogue.names[i], PH_METRIC_NAME_SIZE, "%s", name);
	m.name = catalogue.names[i];
	catalogue.metrics[i] = m;
	catalogue.is_extended[i] = (unsigned char)is_extended;
}

static void
add_fields(const char *prefix, const struct ph_field *fields, size_t n, int is_extended)
{
	char	name[PH_METRIC_NAME_SIZE];
	size_t	i;

	for (i = 0; i < n; i++) {
		const struct ph_field *f = &fields[i];

		snprintf(name, sizeof(name), "%s.%s", prefix, f->name);
		if (f->type == PH_OBJECT)
			add_fields(name, f->fields, f->nfields, is_extended || f->is_extended);
		else if (is_number(f))
			add(name, (struct ph_metric){ .unit = f->unit != NULL ? f->unit : "count",
			    .text = f->text, .is_nullable = f->is_nullable,
			    .places = f->type == PH_DECIMAL ? f->places : 0 }, is_extended || f->is_extended);
	}
}

static void
put_together(void)
{
	const struct ph_statistic	*s;
	char				 name[PH_METRIC_NAME_SIZE];
	size_t				 i, w;

	for (i = 0; (s = source(i)) != NULL; i++)
		add_fields(s->name, s->fields, s->nfields, 0);
	catalogue.events = catalogue.n;
	for (i = 0; i < PH_EVENT__MAX; i++)
		for (w = 0; w < WINDOWS; w++) {
			char *text = catalogue.texts[i * WINDOWS + w];

			snprintf(name, sizeof(name), "events.%s.%s", ph_events[i].name, windows[w].name);
			snprintf(text, TEXT_SIZE, "%s, in the last %s.", ph_events[i].text, windows[w].text);
			add(name, (struct ph_metric){ .kind = PH_METRIC_EVENT, .unit = "count", .text = text }, 0);
		}
	for (i = 0; i < SINGLES; i++)
		add(single[i].metric.name, single[i].metric, 0);
}

size_t
ph_metric_count(void)
{
	if (catalogue.n == 0)
		put_together();
	return catalogue.n;
}

const struct ph_metric *
ph_metric_at(size_t i)
{
	assert(i < ph_metric_count());
	return &catalogue.metrics[i];
}

int
ph_metric_find(const char *name, size_t len)
{
	const size_t	n = ph_metric_count();
	size_t		i;

	for (i = 0; i < n; i++)
		if (strlen(catalogue.names[i]) == len && memcmp(catalogue.names[i], name, len) == 0)
			return (int)i;
	return -1;
}

/* -- values ------------------------------------------------------------------------------- */

/* Walk as add_fields() did: *i is the next metric.  object may be NULL: it was null. */
static void
take_fields(const struct ph_field *fields, size_t n, const cJSON *object, const unsigned char *wanted,
    double *values, size_t *i)
{
	const cJSON	*member;
	size_t		 k;

	for (k = 0; k < n; k++) {
		const struct ph_field *f = &fields[k];

		member = cJSON_GetObjectItemCaseSensitive(object, f->name);
		if (f->type == PH_OBJECT)
			take_fields(f->fields, f->nfields, member, wanted, values, i);
		else if (is_number(f)) {
			if (wanted == NULL || wanted[*i])
				values[*i] = cJSON_IsNumber(member) ? member->valuedouble : NAN;
			++*i;
		}
	}
}

/* How many metrics a source gives. */
static size_t
count_fields(const struct ph_field *fields, size_t n)
{
	size_t i, count = 0;

	for (i = 0; i < n; i++)
		count += fields[i].type == PH_OBJECT ? count_fields(fields[i].fields, fields[i].nfields) :
		    (size_t)is_number(&fields[i]);
	return count;
}

/* The source's metrics begin at `first`. */
static enum ph_rc
read_source(struct ph_db *db, const struct ph_filter *filter, int64_t now, const struct ph_statistic *s, size_t first,
    int is_extended, const unsigned char *wanted, double *values, struct ph_err *err)
{
	const struct ph_stat_query	 q = { .db = db, .now_ms = now, .filter = filter };
	struct ph_json			*out = ph_json_new();
	cJSON				*tree = NULL;
	char				*text = NULL;
	enum ph_rc			 rc;

	if (out == NULL)
		return ph_fail(err, PH_ENOMEM, "no memory for a statistic");
	ph_json_set_extended(out, is_extended);
	if ((rc = s->write(&q, out, err)) != PH_OK || (rc = ph_json_finish(out, &text, err)) != PH_OK)
		goto out;
	if ((tree = cJSON_Parse(text)) == NULL) {
		rc = ph_fail(err, PH_ENOMEM, "no memory for a statistic");
		goto out;
	}
	take_fields(s->fields, s->nfields, tree, wanted, values, &first);
out:
	cJSON_Delete(tree);
	free(text);
	ph_json_free(out);
	return rc;
}

int
ph_metric_has_platform(size_t i)
{
	const struct ph_statistic	*s;
	size_t				 k, end = 0;

	for (k = 0; i >= end && (s = source(k)) != NULL; k++)
		end += count_fields(s->fields, s->nfields);
	if (i < end)
		return s != &ph_telemetry;
	i -= catalogue.events;
	return i < PH_EVENT__MAX * WINDOWS && ph_events[i / WINDOWS].has_platform;
}

enum ph_rc
ph_metrics_read_of(struct ph_db *db, unsigned keys, int64_t now, const unsigned char *wanted, double *values,
    struct ph_err *err)
{
	const size_t			 n = ph_metric_count();
	struct ph_filter		 filter;
	const struct ph_statistic	*s;
	int64_t				 count;
	enum ph_rc			 rc = PH_OK;
	size_t				 i, k, end;

	ph_filter_init(&filter);
	filter.has_platform = 1;
	filter.keys = keys;
	for (i = 0, k = 0; rc == PH_OK && (s = source(k)) != NULL; k++, i = end) {
		int is_wanted = 0, is_extended = 0;
		size_t m;

		end = i + count_fields(s->fields, s->nfields);
		for (m = i; m < end; m++)
			if (wanted == NULL || wanted[m]) {
				is_wanted = 1;
				is_extended |= catalogue.is_extended[m];
			}
		if (is_wanted)
			rc = read_source(db, keys != 0 ? &filter : NULL, now, s, i, is_extended, wanted, values, err);
	}
	for (i = catalogue.events; i < n && rc == PH_OK; i++) {
		k = i - catalogue.events;
		if (wanted != NULL && !wanted[i])
			continue;
		if (k >= PH_EVENT__MAX * WINDOWS)
			rc = single[k - PH_EVENT__MAX * WINDOWS].read(db, now, &values[i], err);
		else if ((rc = ph_event_count(db, (enum ph_event)(k / WINDOWS), keys, now - windows[k % WINDOWS].ms,
		    now + 1, &count, err)) == PH_OK)
			values[i] = (double)count;
	}
	return rc;
}

enum ph_rc
ph_metrics_read(struct ph_db *db, int64_t now, const unsigned char *wanted, double *values, struct ph_err *err)
{
	return ph_metrics_read_of(db, 0, now, wanted, values, err);
}

struct ph_value
ph_metric_value(double value, int places)
{
	const double size = fabs(value);

	if (isnan(value) || size >= WHOLE_MAX)
		return ph_v_null();
	if (places == 0)
		return ph_v_int(llround(value));
	/* a double has no more than 15 exact digits */
	return ph_v_ratio(size < 1e12 ? (ph_int128)llround(value * 1e6) : (ph_int128)value * 1000000, 1000000);
}

void
ph_metric_write(struct ph_json *out, const char *key, double value, int places)
{
	const struct ph_value v = ph_metric_value(value, places);

	if (fabs(value) >= EXACT_MAX)
		ph_json_item(out, key, cJSON_CreateNumber(value));
	else if (v.kind == PH_V_NULL)
		ph_json_null(out, key);
	else if (v.kind == PH_V_INT)
		ph_json_int(out, key, (int64_t)v.num);
	else
		ph_json_decimal(out, key, v.num, v.den, places);
}
