/*
 * report.h -- how everything stands, in one: the analysis, what it suggests, and the five statistics
 * behind it.
 */
#ifndef PH_REPORT_H
#define PH_REPORT_H

#include "domain/recommendation.h"

enum { PH_REPORT_NFIELDS = 3 };
extern const struct ph_field ph_report_fields[PH_REPORT_NFIELDS];

/* Into the open object, from the snapshot of the analysis.  *nrecommendations: how many it suggests. */
enum ph_rc	ph_report_write(const struct ph_analysis *, struct ph_db *, struct ph_json *out,
		    size_t *nrecommendations, struct ph_err *);

#endif
