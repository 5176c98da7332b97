/*
 * chart-heatmap.c -- events by hour of the week.  history.c counts.
 */
#include "autoconf.h"

#include <string.h>

#include "domain/chart.h"
#include "domain/filter.h"
#include "domain/history.h"

enum { DAYS_DEFAULT = 30 };
#define DAY_MS	INT64_C(86400000)

enum { P_METRIC = PH_CHART_NPARAMS, P_TZ_OFFSET, P_FILTER, P__MAX = P_FILTER + PH_FILTER_NPARAMS };
static const struct ph_param params[P__MAX] = {
	PH_CHART_PARAMS,
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

struct week { int64_t cells[PH_WEEKDAYS][PH_HOURS]; };

static enum ph_rc
read_week(const struct ph_chart_query *q, struct week *week, struct ph_err *err)
{
	const struct ph_args		*args = q->args;
	const struct ph_param		*filter_params = &params[P_FILTER];
	const char			*metric = args->values[P_METRIC].text;
	struct ph_history_series	 s = { .event = PH_EVENT_PUBLISHED };
	struct ph_filter		 f;
	enum ph_rc			 rc;

	if ((rc = ph_filter_read(&f, args, P_FILTER, q->now_ms, err)) != PH_OK)
		return rc;
	if (!args->values[P_FILTER + PH_FILTER_TO].is_set)
		f.to_ms = q->now_ms + 1;
	if (!args->values[P_FILTER + PH_FILTER_FROM].is_set && !args->values[P_FILTER + PH_FILTER_DAYS_BACK].is_set)
		f.from_ms = f.to_ms > DAYS_DEFAULT * DAY_MS ? f.to_ms - DAYS_DEFAULT * DAY_MS : 0;
	if (f.from_ms >= f.to_ms || f.to_ms - f.from_ms > PH_HISTORY_DAYS_MAX * DAY_MS)
		return ph_chart_refuse(err, &filter_params[PH_FILTER_FROM], "must be before to (now unless given), by "
		    "400 days at most");
	if (metric != NULL && (ph_history_find(metric, strlen(metric), &s) != 0 || s.gauge != NULL))
		return ph_chart_refuse(err, &params[P_METRIC], "must be events. and requested, published, failed, "
		    "retried, jobs_completed, clips_created or orchestrator_events");
	if (f.has_platform && (f.nnames > 0 || !ph_events[s.event].has_platform))
		return ph_chart_refuse(err, &filter_params[PH_FILTER_PLATFORM], "must be instagram, tiktok, youtube, "
		    "other or facebook, and clips_created and orchestrator_events have none");
	return ph_history_heatmap(q->db, s.event, f.has_platform ? f.keys : 0, f.from_ms, f.to_ms,
	    args->values[P_TZ_OFFSET].num, week->cells, err);
}

static enum ph_rc
heatmap_write(const struct ph_chart_query *q, struct ph_json *out, struct ph_err *err)
{
	const struct ph_value	v[F__MAX] = { [F_X] = ph_v_str(x_axes[0]), [F_Y] = ph_v_str(y_axes[0]) };
	struct week		week;
	const enum ph_rc	rc = read_week(q, &week, err);
	int			day, hour;

	if (rc != PH_OK)
		return rc;
	ph_json_fields(out, fields, v, F__MAX);
	ph_json_arr_open(out, fields[F_CELLS].name);
	for (day = 0; day < PH_WEEKDAYS; day++)
		for (hour = 0; hour < PH_HOURS; hour++) {
			ph_json_arr_open(out, NULL);
			ph_json_int(out, NULL, day + 1);
			ph_json_int(out, NULL, hour);
			ph_json_int(out, NULL, week.cells[day][hour]);
			ph_json_close(out);
		}
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
heatmap_rows(const struct ph_chart_query *q, struct ph_chart_sheet *sheet, struct ph_err *err)
{
	enum { C_WEEKDAY, C_HOUR, C_EVENTS, C__MAX };
	static const struct ph_field	columns[C__MAX] = {
		[C_WEEKDAY] = { .name = "iso_weekday" }, [C_HOUR] = { .name = "hour" }, [C_EVENTS] = { .name = "events" },
	};
	struct ph_value			row[C__MAX];
	struct week			week;
	enum ph_rc			rc;
	int				day, hour;

	if ((rc = read_week(q, &week, err)) == PH_OK)
		rc = ph_chart_columns(sheet, columns, C__MAX, err);
	for (day = 0; day < PH_WEEKDAYS; day++)
		for (hour = 0; hour < PH_HOURS && rc == PH_OK; hour++) {
			row[C_WEEKDAY] = ph_v_int(day + 1);
			row[C_HOUR] = ph_v_int(hour);
			row[C_EVENTS] = ph_v_int(week.cells[day][hour]);
			rc = ph_chart_row(sheet, row, err);
		}
	return rc;
}

const struct ph_chart ph_chart_heatmap = {
	.name = "heatmap", .params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX,
	.write = heatmap_write, .rows = heatmap_rows,
};
