/*
 * chart-all.c -- the charts, for what takes any of them.
 */
#include "autoconf.h"

#include "domain/chart.h"

const struct ph_chart *const ph_charts[] = {
	&ph_chart_history, &ph_chart_heatmap, &ph_chart_distribution, &ph_chart_report, NULL
};
