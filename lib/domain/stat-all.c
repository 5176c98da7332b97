/*
 * stat-all.c -- the list of the publishing statistics.  By itself, because a program that reads
 * one of them should not carry the others.
 */
#include "autoconf.h"

#include "domain/statistic.h"

const struct ph_statistic *const ph_statistics[] = {
	&ph_stat_overview, &ph_stat_queue, &ph_stat_orchestrator, &ph_stat_platforms,
	&ph_stat_campaigns, NULL
};
