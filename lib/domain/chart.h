/*
 * chart.h -- what charts are drawn from: figures over time, by hour of the week, by size; and the
 * report of all.  What each is called, its parameters and fields, and the functions that write it
 * as JSON or as the rows of a file.
 *
 * Each is one file, lib/domain/chart-NAME.c.
 */
#ifndef PH_CHART_H
#define PH_CHART_H

#include <stddef.h>
#include <stdint.h>

#include "core/endpoint.h"
#include "core/json.h"
#include "core/table.h"

struct ph_chart_query {
	struct ph_db		*db;		/* inside a transaction */
	int64_t			 now_ms;
	const struct ph_args	*args;		/* of the chart's parameters */
};

struct ph_chart_sheet;		/* opaque: where rows go */

struct ph_chart {
	const char		*name;		/* "history", as in its path */
	const struct ph_param	*params;	/* begins with PH_CHART_FORMAT and PH_CHART_TIME */
	size_t			 nparams;
	const struct ph_field	*fields;
	size_t			 nfields;
	/* Fill the open object; or give the columns, then the rows. */
	enum ph_rc		(*write)(const struct ph_chart_query *, struct ph_json *, struct ph_err *);
	enum ph_rc		(*rows)(const struct ph_chart_query *, struct ph_chart_sheet *, struct ph_err *);
};

extern const struct ph_chart	ph_chart_history;
extern const struct ph_chart	ph_chart_heatmap;
extern const struct ph_chart	ph_chart_distribution;
extern const struct ph_chart	ph_chart_report;
extern const struct ph_chart *const	ph_charts[];	/* all of them; then NULL */

/* The first parameters of every chart. */
enum { PH_CHART_FORMAT, PH_CHART_TIME, PH_CHART_NPARAMS };
#define PH_CHART_PARAMS [PH_CHART_FORMAT] = PH_PARAM_FORMAT, [PH_CHART_TIME] = PH_PARAM_TIME

/* PH_EPARAM at one of the chart's own parameters. */
enum ph_rc	ph_chart_refuse(struct ph_err *, const struct ph_param *, const char *why);

/* Once, before the first row.  The fields are borrowed until the chart is written. */
enum ph_rc	ph_chart_columns(struct ph_chart_sheet *, const struct ph_field *, size_t n, struct ph_err *);
enum ph_rc	ph_chart_row(struct ph_chart_sheet *, const struct ph_value *, struct ph_err *);

/* The chart, for a request to a route with its parameters. */
enum ph_rc	ph_chart_get(struct ph_req *, const struct ph_chart *, struct ph_json *, struct ph_err *);

/* As a file: the parameters of such an export are those of the chart, then the table's. */
enum { PH_CHART_PARAMS_MAX = PH_PARAMS_MAX };
size_t		ph_chart_table_params(const struct ph_chart *, struct ph_param table[PH_CHART_PARAMS_MAX]);
enum ph_rc	ph_chart_export(struct ph_req *, const struct ph_chart *, const struct ph_args *args,
		    struct ph_table_options, struct ph_err *);

#endif
