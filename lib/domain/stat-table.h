/*
 * stat-table.h -- a statistic as a file: one row, or one per platform where it has an object for each.
 */
#ifndef PH_STAT_TABLE_H
#define PH_STAT_TABLE_H

#include "core/endpoint.h"
#include "core/table.h"
#include "domain/statistic.h"

/* The parameters of such an export: those of the statistic, then the table's. */
enum { PH_STAT_TABLE = PH_STATISTIC_NPARAMS, PH_STAT_TABLE_NPARAMS = PH_STAT_TABLE + PH_TABLE_NPARAMS };
void		ph_stat_table_params(struct ph_param table[PH_STAT_TABLE_NPARAMS]);

/* The statistic as args (read against them) asks for it.  The name of the table is "stats-" and that of
 * the statistic. */
enum ph_rc	ph_stat_table_export(struct ph_req *, const struct ph_statistic *, const struct ph_args *args,
		    struct ph_table_options, struct ph_err *);

#endif
