/*
 * analysis.h -- what the five statistics mean: healths, issues, the best clips.  By rules, from
 * one snapshot; no model.
 *
 *	queue		critical: pending + processing > 50, or failed / (success + failed) > 0.30
 *			warning: > 30, or > 0.15
 *	orchestrator	critical: saturation_rate > 0.9; warning: > 0.7
 *	campaigns	critical: failed / all jobs > 0.30; warning: > 0.15, or pending jobs > 20;
 *			always good without campaigns
 *
 * All limits are exclusive, and a ratio over nothing is 0: an empty system is good.
 */
#ifndef PH_ANALYSIS_H
#define PH_ANALYSIS_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/json.h"

enum ph_health { PH_GOOD, PH_WARNING, PH_CRITICAL };
extern const char *const ph_health_names[];	/* "good", ... then NULL */

enum { PH_BEST_PLATFORMS = 4, PH_ISSUES_MAX = 8 };
extern const char *const ph_best_platforms[PH_BEST_PLATFORMS];

/* The best ready variant for a platform: the highest score of its own, then the newest. */
struct ph_best_clip {
	char	*clip_id, *variant_id;	/* NULL: there is none */
	double	 score;			/* its own, else its clip's; -1: neither has one */
	int64_t	 duration_ms;
	int64_t	 created_at;
	int	 is_used;		/* in the queue for the platform, or out already */
};

struct ph_issue {
	enum ph_health	 severity;	/* PH_WARNING or PH_CRITICAL */
	const char	*title;		/* a constant */
	char		 description[160];
};

struct ph_analysis {
	int64_t			 now_ms;
	int64_t			 pending, processing, success, failed;	/* publish logs */
	int64_t			 in_queue, clips_ready;
	int64_t			 jobs, pending_jobs, failed_jobs, campaigns;
	double			 oldest_pending_s;	/* 0: none */
	double			 avg_processing_ms;	/* -1: none */
	double			 saturation_rate;
	int64_t			 posts[PH_BEST_PLATFORMS];	/* published; by instagram, tiktok, youtube, other */
	enum ph_health		 queue, orchestrator, campaigns_health;
	struct ph_best_clip	 best[PH_BEST_PLATFORMS];
	struct ph_issue		 issues[PH_ISSUES_MAX];
	size_t			 nissues;
	char			*statistics;	/* the five, as one JSON object with extended fields */
};

/* Inside a transaction.  The caller gives it to ph_analysis_free(), also after a failure. */
enum ph_rc	ph_analysis_read(struct ph_analysis *, struct ph_db *, int64_t now_ms, struct ph_err *);
void		ph_analysis_free(struct ph_analysis *);

/* The worst of the healths. */
enum ph_health	ph_analysis_status(const struct ph_analysis *);

enum { PH_ANALYSIS_NFIELDS = 9 };
extern const struct ph_field ph_analysis_fields[PH_ANALYSIS_NFIELDS];
void		ph_analysis_write(const struct ph_analysis *, struct ph_json *out);

/*
 * Keep it for the history, unless there is one that is younger than a minute.  id: of the one
 * that is kept.  Those of more than 400 days go.
 */
enum ph_rc	ph_analysis_keep(const struct ph_analysis *, struct ph_db *, char id[37], int *is_new,
		    struct ph_err *);

#endif
