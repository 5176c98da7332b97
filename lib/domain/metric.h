/*
 * metric.h -- the catalogue of metrics: every number that the dashboard knows, under one name,
 * for alert rules, boards, samples and history.
 *
 * Names are dotted paths: statistic and field ("queue.pending", "platforms.tiktok.clips_ready"),
 * "telemetry." and the field of the telemetry payload, "events.NAME.WINDOW" (WINDOW is 10m,
 * 1h or 24h), and five figures that the built-in alert rules ask for.  The first two follow from
 * the field tables of the statistics; nothing is listed twice.
 */
#ifndef PH_METRIC_H
#define PH_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/json.h"

enum {
	PH_METRICS_MAX = 256,		/* in the catalogue */
	PH_METRIC_NAME_SIZE = 64	/* holds any name */
};

enum ph_metric_kind {
	PH_METRIC_GAUGE,		/* how things stand at an instant */
	PH_METRIC_EVENT			/* how often something happened in a window up to now */
};

struct ph_metric {
	const char		*name;
	enum ph_metric_kind	 kind;
	const char		*unit;		/* "count", "ms", "ratio 0 to 1", ... */
	const char		*text;
	unsigned		 is_nullable : 1;
	int			 places;	/* decimals; 0: a whole number */
};

/* The catalogue is the same in every process of a release; it is put together at the first call. */
size_t			 ph_metric_count(void);
const struct ph_metric	*ph_metric_at(size_t i);		/* i < ph_metric_count() */
int			 ph_metric_find(const char *name, size_t len);	/* index, or -1 */

/*
 * The values at now_ms, inside the caller's transaction.  wanted has a flag per metric (NULL: all are);
 * values has room for all, and those not wanted are left alone.  NAN: null.  What is not wanted costs
 * nothing, and no value costs more with more data.
 */
enum ph_rc	ph_metrics_read(struct ph_db *, int64_t now_ms, const unsigned char *wanted, double *values,
		    struct ph_err *);

/* The same of some platforms alone, as the statistics filter by them: keys are 1 << enum ph_platform_key
 * (filter.h), or-ed; 0: all, those without a platform, too.  Only of metrics that are counted per platform. */
int		ph_metric_has_platform(size_t i);
enum ph_rc	ph_metrics_read_of(struct ph_db *, unsigned keys, int64_t now_ms, const unsigned char *wanted,
		    double *values, struct ph_err *);

/* A value as it is shown: null (NAN, or beyond 9e18), a whole number, or with places > 0 a decimal. */
struct ph_value	ph_metric_value(double value, int places);
/* The same as JSON, where it may be of any size. */
void		ph_metric_write(struct ph_json *, const char *key, double value, int places);

#endif
