/*
 * lists.h -- the lists of the dashboard, each declared in lib/domain/list-NAME.c.
 */
#ifndef PH_LISTS_H
#define PH_LISTS_H

#include "domain/list.h"

extern const struct ph_list	ph_list_publications;	/* publish_logs */
extern const struct ph_list	ph_list_jobs;
extern const struct ph_list	ph_list_clips;
extern const struct ph_list	ph_list_campaigns;
extern const struct ph_list	ph_list_videos;
extern const struct ph_list	ph_list_ledger;
extern const struct ph_list	ph_list_alerts;
extern const struct ph_list	ph_list_runs;
extern const struct ph_list	ph_list_audit;
extern const struct ph_list	ph_list_variants;	/* only as a part of a clip */

#endif
