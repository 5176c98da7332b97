/*
 * layout.h -- what a board shows: an array of widgets as JSON, checked, and their data.
 *
 * A widget shows its metrics, which are expressions (expression.h).  stat, gauge, pie and table show
 * their values now, over the names of the catalogue (metric.h).  line and bar show them step
 * by step, heatmap by hour of the week; there the names are those of history.h: gauges, and
 * events.NAME, the number of events in the step.  An expression is evaluated at each step.
 */
#ifndef PH_LAYOUT_H
#define PH_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "domain/expression.h"
#include "domain/history.h"

struct cJSON;

enum {
	PH_LAYOUT_MAX = 65536,		/* bytes of JSON */
	PH_LAYOUT_WIDGETS = 24,
	PH_LAYOUT_METRICS = 8,		/* per widget */
	PH_LAYOUT_COLUMNS = 12,		/* of the grid */
	PH_LAYOUT_POINTS = 40000	/* of a board: steps times series and names read */
};

enum ph_widget_type {
	PH_WIDGET_STAT, PH_WIDGET_LINE, PH_WIDGET_BAR, PH_WIDGET_PIE, PH_WIDGET_GAUGE, PH_WIDGET_TABLE,
	PH_WIDGET_HEATMAP
};
extern const char *const ph_widget_types[];	/* names; then NULL */

enum ph_format { PH_FORMAT_FLOAT, PH_FORMAT_INT, PH_FORMAT_PERCENT, PH_FORMAT_DURATION, PH_FORMAT_MONEY };
extern const char *const ph_formats[];		/* names; then NULL */
extern const int	 ph_format_places[];	/* decimals that are shown */

enum ph_level { PH_LEVEL_OK, PH_LEVEL_WARN, PH_LEVEL_CRIT };
extern const char *const ph_levels[];		/* names; then NULL */

struct ph_widget_metric {
	struct ph_expression	*expression;
	const char		*text;		/* of the expression */
	const char		*label;		/* NULL: none */
	enum ph_format		 format;
};

struct ph_widget {
	/* What the layout says.  Texts are borrowed from it. */
	const char		*id, *title;	/* NULL: it is wrong, or there is none */
	int			 type;		/* enum ph_widget_type; -1: it is wrong */
	struct ph_err		 err;		/* PH_OK, or PH_EPARAM: why it shows nothing */
	size_t			 nmetrics;
	struct ph_widget_metric	 metrics[PH_LAYOUT_METRICS];
	int64_t			 from_ms;	/* -1: not given */
	int64_t			 step_ms;	/* 0: not given */
	unsigned		 keys;		/* platforms, as in ph_metrics_read_of() */
	double			 warn, crit;	/* thresholds; NAN: none */
	/* What ph_layout_read() found. */
	struct ph_history_range	 range;		/* of line and bar; of heatmap from_ms and to_ms alone */
	size_t			 npoints;	/* 1, the steps, or the hours of a week from Monday 0:00 */
	double			*values;	/* of metric m at point i: [m * npoints + i]; NAN: null */
};

struct ph_layout {
	size_t			 nwidgets;
	struct ph_widget	 widgets[PH_LAYOUT_WIDGETS];
};

/*
 * Read a layout.  A widget that is wrong says so in its err, with the name of the field
 * ("layout[3].metrics[0].expr"), and spoils no other.  array must outlive the layout.  now_ms is for
 * relative instants.  Caller frees.  NULL: PH_EPARAM, it is no array of at most PH_LAYOUT_WIDGETS;
 * PH_ENOMEM.
 */
struct ph_layout	*ph_layout_new(const struct cJSON *array, int64_t now_ms, struct ph_err *);
void			 ph_layout_free(struct ph_layout *);	/* NULL is fine */

/* PH_EPARAM with what is wrong in any widget, before it is stored. */
enum ph_rc	ph_layout_check(const struct ph_layout *, struct ph_err *);

/* The data of every widget at now_ms, all inside the caller's transaction.  A widget that cannot be shown
 * gets an err, as above. */
enum ph_rc	ph_layout_read(struct ph_layout *, struct ph_db *, int64_t now_ms, int64_t tz_offset_min,
		    struct ph_err *);

/* What the thresholds say of a value: at or beyond crit, at or beyond warn.  With crit below warn
 * lower is worse.  -1: there are none, or no value. */
int		ph_widget_level(const struct ph_widget *, double value);

/* Does it show values over time or by hour? */
int		ph_widget_has_points(const struct ph_widget *);

#endif
