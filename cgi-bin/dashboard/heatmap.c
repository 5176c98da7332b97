/*
 * heatmap.c -- GET /dashboard/stats/heatmap
 *
 * At which hours of the week does it happen?
 * lib/domain/history.c counts.
 */
#include "autoconf.h"

#include <string.h>

#include "core/endpoint.h"
#include "domain/filter.h"
#include "domain/history.h"

enum { DAYS_DEFAULT = 30 };
#define DAY_MS	INT64_C(86400000)

enum { P_METRIC, P_TZ_OFFSET, P_FILTER, P__MAX = P_FILTER + PH_FILTER_NPARAMS };
static const struct ph_param params[P__MAX] = {
	[P_METRIC] = { .name = "metric", .type = PH_P_TEXT, .min = 1, .max = PH_METRIC_NAME_SIZE,
	    .text = "An event of /dashboard/stats/history; without it events.published." },
	[P_TZ_OFFSET] = { .name = "tz_offset", .type = PH_P_INT, .min = -720, .max = 840,
	    .unit = "minutes east of UTC", .text = "The local time of hours and weekdays." },
	PH_FILTER_PARAMS(P_FILTER),
};

static const char *const x_axes[] = { "hour", NULL };
static const char *const y_axes[] = { "iso_weekday", NULL };

enum { F_X, F_Y, F_CELLS, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_X] = { .name = "x", .type = PH_TEXT, .choices = x_axes, .text = "Hour of the day, 0 to 23." },
	[F_Y] = { .name = "y", .type = PH_TEXT, .choices = y_axes, .text = "Day of the week, 1 (Monday) to 7." },
	[F_CELLS] = { .name = "cells", .type = PH_ARRAY,
	    .text = "All 168 triples of y, x and the number of events, by y, then x." },
};

static enum ph_rc
refuse(struct ph_err *err, size_t param, const char *why)
{
	return ph_fail_param(err, params[param].name, strlen(params[param].name), "%s", why);
}

static enum ph_rc
heatmap_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const struct ph_value		v[F__MAX] = { [F_X] = ph_v_str(x_axes[0]), [F_Y] = ph_v_str(y_axes[0]) };
	const char			*metric = ph_req_text(req, P_METRIC);
	const int64_t			now = ph_req_now_ms(req);
	struct ph_history_series	s = { .event = PH_EVENT_PUBLISHED };
	struct ph_filter		f;
	int64_t				cells[PH_WEEKDAYS][PH_HOURS];
	enum ph_rc			rc;
	int				day, hour;

	if ((rc = ph_filter_read(&f, ph_req_args(req), P_FILTER, now, err)) != PH_OK)
		return rc;
	if (!ph_req_has(req, P_FILTER + PH_FILTER_TO))
		f.to_ms = now + 1;
	if (!ph_req_has(req, P_FILTER + PH_FILTER_FROM) && !ph_req_has(req, P_FILTER + PH_FILTER_DAYS_BACK))
		f.from_ms = f.to_ms > DAYS_DEFAULT * DAY_MS ? f.to_ms - DAYS_DEFAULT * DAY_MS : 0;
	if (f.from_ms >= f.to_ms || f.to_ms - f.from_ms > PH_HISTORY_DAYS_MAX * DAY_MS)
		return refuse(err, P_FILTER + PH_FILTER_FROM, "must be before to (now unless given), by 400 days "
		    "at most");
	if (metric != NULL && (ph_history_find(metric, strlen(metric), &s) != 0 || s.gauge != NULL))
		return refuse(err, P_METRIC, "must be events. and requested, published, failed, retried, "
		    "jobs_completed or clips_created");
	if (f.has_platform && (f.nnames > 0 || !ph_events[s.event].has_platform))
		return refuse(err, P_FILTER + PH_FILTER_PLATFORM, "must be instagram, tiktok, youtube, other or "
		    "facebook, and clips_created has none");
	if ((rc = ph_history_heatmap(ph_req_db(req), s.event, f.has_platform ? f.keys : 0, f.from_ms, f.to_ms,
	    ph_req_int(req, P_TZ_OFFSET), cells, err)) != PH_OK)
		return rc;
	ph_json_fields(out, fields, v, F__MAX);
	ph_json_arr_open(out, fields[F_CELLS].name);
	for (day = 0; day < PH_WEEKDAYS; day++)
		for (hour = 0; hour < PH_HOURS; hour++) {
			ph_json_arr_open(out, NULL);
			ph_json_int(out, NULL, day + 1);
			ph_json_int(out, NULL, hour);
			ph_json_int(out, NULL, cells[day][hour]);
			ph_json_close(out);
		}
	ph_json_close(out);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-heatmap", .path = "/dashboard/stats/heatmap",
	.needs = PH_NEED_DB_READ, .cache_s = 1,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "At which hours of the week does it happen?",
		.description = "Events of the last 30 days, or of the time asked for.",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX,
		.handle = heatmap_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
