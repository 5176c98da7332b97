/*
 * history.c -- buckets of time, and what is in them.
 */
#include "autoconf.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "domain/history.h"

#define MINUTE_MS	INT64_C(60000)
#define HOUR_MS		(60 * MINUTE_MS)
#define DAY_MS		(24 * HOUR_MS)

/* -- buckets -------------------------------------------------------------------- */

const int64_t ph_history_steps_ms[PH_HISTORY_STEPS] = {
	MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS
};
const char *const ph_history_step_names[PH_HISTORY_STEPS + 1] = {
	"60s", "5m", "15m", "1h", "6h", "1d", NULL
};

static struct ph_history_range
with_step(int64_t from_ms, int64_t to_ms, int64_t step_ms, int64_t tz_offset_min)
{
	const int64_t	tz = step_ms == DAY_MS ? tz_offset_min : 0;
	const int64_t	first = ph_time_floor(from_ms, step_ms, tz);
	const int64_t	end = ph_time_floor(to_ms - 1, step_ms, tz) + step_ms;

	return (struct ph_history_range){ .from_ms = first, .to_ms = end, .step_ms = step_ms,
	    .npoints = (size_t)((end - first) / step_ms) };
}

struct ph_history_range
ph_history_range(int64_t from_ms, int64_t to_ms, int64_t step_ms, int64_t tz_offset_min)
{
	const int		is_long = to_ms - from_ms > PH_HISTORY_DAYS_MAX * DAY_MS;
	struct ph_history_range	r;
	size_t			i = 0;

	assert(from_ms < to_ms);
	if (is_long)
		from_ms = to_ms - PH_HISTORY_DAYS_MAX * DAY_MS;
	do	/* a day fits always */
		r = with_step(from_ms, to_ms, step_ms != 0 ? step_ms : ph_history_steps_ms[i], tz_offset_min);
	while (step_ms == 0 && r.npoints > PH_HISTORY_POINTS && ++i < PH_HISTORY_STEPS);
	r.is_truncated = is_long || r.npoints > PH_HISTORY_POINTS_MAX;
	if (r.npoints > PH_HISTORY_POINTS_MAX) {
		r.npoints = PH_HISTORY_POINTS_MAX;
		r.from_ms = r.to_ms - PH_HISTORY_POINTS_MAX * r.step_ms;
	}
	return r;
}

/* -- samples -------------------------------------------------------------------- */

const struct ph_history_resolution ph_history_resolutions[PH_HISTORY_RESOLUTIONS] = {
	{ MINUTE_MS, 48 * HOUR_MS }, { 5 * MINUTE_MS, 14 * DAY_MS }, { HOUR_MS, 400 * DAY_MS },
};

/*
 * The resolution to read.  The last value of a bucket is the same in all that are not wider than the
 * step: the widest has the fewest rows.  A mean is the better the denser the samples, as far
 * as these are kept for the whole range.
 */
static int64_t
resolution(const struct ph_history_range *r, enum ph_history_agg agg, int64_t now_ms)
{
	size_t widest = 0, i;

	while (widest + 1 < PH_HISTORY_RESOLUTIONS &&
	    ph_history_resolutions[widest + 1].width_ms <= r->step_ms)
		widest++;
	if (agg != PH_AGG_LAST)
		for (i = 0; i < widest; i++)
			if (r->from_ms >= now_ms - ph_history_resolutions[i].keep_ms)
				return ph_history_resolutions[i].width_ms;
	return ph_history_resolutions[widest].width_ms;
}

/* -- series --------------------------------------------------------------------- */

const char *const ph_history_aggs[] = {
	[PH_AGG_LAST] = "last", [PH_AGG_AVG] = "avg", [PH_AGG_MIN] = "min", [PH_AGG_MAX] = "max", NULL
};
const char *const ph_history_fills[] = {
	[PH_FILL_NULL] = "null", [PH_FILL_ZERO] = "zero", [PH_FILL_PREV] = "prev", NULL
};

/* Along the primary key: the last entry of a bucket, or all of them. */
static const char sql_last[] =
	"SELECT value FROM stat_samples WHERE metric = $1 AND resolution_ms = $2 AND at >= $3 AND at < $4"
	" ORDER BY at DESC LIMIT 1";
static const char sql_avg[] =
	"SELECT avg(value) FROM stat_samples"
	" WHERE metric = $1 AND resolution_ms = $2 AND at >= $3 AND at < $4";
static const char sql_min[] =
	"SELECT min(value) FROM stat_samples"
	" WHERE metric = $1 AND resolution_ms = $2 AND at >= $3 AND at < $4";
static const char sql_max[] =
	"SELECT max(value) FROM stat_samples"
	" WHERE metric = $1 AND resolution_ms = $2 AND at >= $3 AND at < $4";
static const char *const sql_samples[] = {
	[PH_AGG_LAST] = sql_last, [PH_AGG_AVG] = sql_avg, [PH_AGG_MIN] = sql_min, [PH_AGG_MAX] = sql_max
};

int
ph_history_find(const char *name, size_t len, struct ph_history_series *s)
{
	static const char	prefix[] = "events.";
	const size_t		prefix_len = sizeof(prefix) - 1;
	const int		i = ph_metric_find(name, len);
	int			event;

	*s = (struct ph_history_series){ .fill = PH_FILL_NULL };
	if (i >= 0) {
		s->gauge = ph_metric_at((size_t)i);
		return s->gauge->kind == PH_METRIC_GAUGE ? 0 : -1;
	}
	if (len < prefix_len || memcmp(name, prefix, prefix_len) != 0)
		return -1;
	for (event = 0; event < PH_EVENT__MAX; event++)
		if (strlen(ph_events[event].name) == len - prefix_len &&
		    memcmp(ph_events[event].name, name + prefix_len, len - prefix_len) == 0) {
			s->event = (enum ph_event)event;
			s->fill = PH_FILL_ZERO;
			return 0;
		}
	return -1;
}

/* Read the events among the n series from `first` on that have its keys, all in one go. */
static enum ph_rc
read_events(struct ph_db *db, const struct ph_history_range *r, const struct ph_history_series *series,
    size_t first, size_t n, double *values, struct ph_err *err)
{
	const unsigned	keys = series[first].keys;
	unsigned	events = 0;
	int64_t		counts[PH_EVENT__MAX], start = r->from_ms;
	enum ph_rc	rc = PH_OK;
	size_t		i, k;

	for (k = first; k < n; k++)
		if (series[k].gauge == NULL && series[k].keys == keys)
			events |= 1u << series[k].event;
	for (i = 0; i < r->npoints && rc == PH_OK; i++, start += r->step_ms) {
		rc = ph_event_counts(db, events, keys, start, start + r->step_ms, counts, err);
		for (k = first; k < n; k++)
			if (series[k].gauge == NULL && series[k].keys == keys)
				values[k * r->npoints + i] = counts[series[k].event] > 0 ?
				    (double)counts[series[k].event] : NAN;
	}
	return rc;
}

static enum ph_rc
read_samples(struct ph_db *db, const struct ph_history_range *r, const struct ph_history_series *s,
    int64_t now_ms, double *values, struct ph_err *err)
{
	const int64_t	 width = resolution(r, s->agg, now_ms);
	struct ph_stmt	*st;
	enum ph_rc	 rc = PH_DONE;
	int64_t		 start = r->from_ms;
	size_t		 i;

	for (i = 0; i < r->npoints && (rc == PH_ROW || rc == PH_DONE); i++, start += r->step_ms) {
		if ((rc = ph_db_prepare(db, sql_samples[s->agg], &st, err)) != PH_OK)
			return rc;
		ph_stmt_bind_text(st, 1, s->gauge->name);
		ph_stmt_bind_int(st, 2, width);
		ph_stmt_bind_int(st, 3, start);
		ph_stmt_bind_int(st, 4, start + r->step_ms);
		rc = ph_stmt_step(st, err);
		values[i] = rc == PH_ROW && !ph_stmt_is_null(st, 0) ? ph_stmt_double(st, 0) : NAN;
		ph_stmt_done(st);
	}
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* Fill the gaps of one series. */
static void
fill(const struct ph_history_range *r, enum ph_history_fill how, int64_t now_ms, double *values)
{
	int64_t	start = r->from_ms;
	double	last = NAN;
	size_t	i;

	if (how == PH_FILL_NULL)
		return;
	for (i = 0; i < r->npoints && start <= now_ms; i++, start += r->step_ms)
		if (!isnan(values[i]))
			last = values[i];
		else
			values[i] = how == PH_FILL_ZERO ? 0.0 : last;
}

/* Was it read together with a series before it? */
static int
is_read(const struct ph_history_series *series, size_t k)
{
	size_t i;

	for (i = 0; i < k; i++)
		if (series[i].gauge == NULL && series[k].gauge == NULL && series[i].keys == series[k].keys)
			return 1;
	return 0;
}

enum ph_rc
ph_history_read_all(struct ph_db *db, const struct ph_history_range *r,
    const struct ph_history_series *series, size_t n, int64_t now_ms, double *values, struct ph_err *err)
{
	enum ph_rc	rc = PH_OK;
	size_t		k;

	for (k = 0; k < n && rc == PH_OK; k++)
		if (series[k].gauge != NULL)
			rc = read_samples(db, r, &series[k], now_ms, &values[k * r->npoints], err);
		else if (!is_read(series, k))
			rc = read_events(db, r, series, k, n, values, err);
	for (k = 0; k < n && rc == PH_OK; k++)
		fill(r, series[k].fill, now_ms, &values[k * r->npoints]);
	return rc;
}

enum ph_rc
ph_history_read(struct ph_db *db, const struct ph_history_range *r, const struct ph_history_series *s,
    int64_t now_ms, double *values, struct ph_err *err)
{
	return ph_history_read_all(db, r, s, 1, now_ms, values, err);
}

/* -- heatmap -------------------------------------------------------------------- */

enum ph_rc
ph_history_heatmap(struct ph_db *db, enum ph_event event, unsigned keys, int64_t from_ms, int64_t to_ms,
    int64_t tz_offset_min, int64_t cells[PH_WEEKDAYS][PH_HOURS], struct ph_err *err)
{
	enum { THURSDAY = 3 };	/* of the epoch */
	enum ph_rc	rc = PH_OK;
	int64_t		at, next, hour, n;

	memset(cells, 0, sizeof(cells[0]) * PH_WEEKDAYS);
	for (at = from_ms; at < to_ms && rc == PH_OK; at = next) {
		const int64_t start = ph_time_floor(at, HOUR_MS, tz_offset_min);

		next = start + HOUR_MS < to_ms ? start + HOUR_MS : to_ms;
		/* Hours since the Monday before the epoch; at is at most 12 hours behind it. */
		hour = (start + tz_offset_min * MINUTE_MS) / HOUR_MS + THURSDAY * PH_HOURS;
		if ((rc = ph_event_count(db, event, keys, at, next, &n, err)) == PH_OK)
			cells[hour / PH_HOURS % PH_WEEKDAYS][hour % PH_HOURS] += n;
	}
	return rc;
}
