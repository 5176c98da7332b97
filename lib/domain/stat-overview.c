/*
 * stat-overview.c -- how much there is: videos, clips, jobs, campaigns, and what became of
 * the publish logs.
 *
 * Every figure is a counter kept by triggers (schema.sql, part 6); filtered.h has those of a part.
 */
#include "autoconf.h"

#include "domain/filtered.h"
#include "domain/statistic.h"

enum {
	F_VIDEOS, F_CLIPS, F_JOBS, F_CAMPAIGNS, F_PENDING_JOBS, F_PROCESSING_JOBS, F_FAILED_JOBS,
	F_SUCCESS_LOGS, F_FAILED_LOGS, F_SCHEDULED_PUBLICATIONS,
	F_TOTAL_PUBLICATIONS, F_PENDING_PUBLICATIONS, F_FAILED_PUBLICATIONS, F_SCHEDULED_LOGS,
	F_PROCESSING_LOGS, F_RETRY_LOGS, F_ACTIVE_JOBS, F_COMPLETED_JOBS, F_RETRY_JOBS,
	F_ACTIVE_CAMPAIGNS, F_SUCCESS_RATE, F_SUCCESS_RATE_PCT, F_AVG_VISUAL_SCORE,
	F_AVG_PROCESSING_TIME_MS, F__MAX
};

static const struct ph_field fields[F__MAX] = {
	[F_VIDEOS] = { .name = "total_videos", .text = "Videos." },
	[F_CLIPS] = { .name = "total_clips", .text = "Clips." },
	[F_JOBS] = { .name = "total_jobs", .text = "Jobs in any status, retry included." },
	[F_CAMPAIGNS] = { .name = "total_campaigns", .text = "Campaigns in any status." },
	[F_PENDING_JOBS] = { .name = "pending_jobs", .text = "Jobs in status pending." },
	[F_PROCESSING_JOBS] = { .name = "processing_jobs", .text = "Jobs in status processing." },
	[F_FAILED_JOBS] = { .name = "failed_jobs", .text = "Jobs in status failed." },
	[F_SUCCESS_LOGS] = { .name = "success_logs", .text = "Publish logs in status success." },
	[F_FAILED_LOGS] = { .name = "failed_logs", .text = "Publish logs in status failed." },
	[F_SCHEDULED_PUBLICATIONS] = { .name = "scheduled_publications",
	    .text = "Publish logs in status pending. The name is historical: those in status "
		"scheduled are scheduled_logs." },
	[F_TOTAL_PUBLICATIONS] = { .name = "total_publications", .is_extended = 1,
	    .text = "Publish logs in any status." },
	[F_PENDING_PUBLICATIONS] = { .name = "pending_publications", .is_extended = 1,
	    .text = "Publish logs in status pending." },
	[F_FAILED_PUBLICATIONS] = { .name = "failed_publications", .is_extended = 1,
	    .text = "Publish logs in status failed." },
	[F_SCHEDULED_LOGS] = { .name = "scheduled_logs", .is_extended = 1,
	    .text = "Publish logs in status scheduled." },
	[F_PROCESSING_LOGS] = { .name = "processing_logs", .is_extended = 1,
	    .text = "Publish logs in status processing." },
	[F_RETRY_LOGS] = { .name = "retry_logs", .is_extended = 1,
	    .text = "Publish logs in status retry." },
	[F_ACTIVE_JOBS] = { .name = "active_jobs", .is_extended = 1,
	    .text = "Jobs in status pending, processing or retry." },
	[F_COMPLETED_JOBS] = { .name = "completed_jobs", .is_extended = 1,
	    .text = "Jobs in status completed." },
	[F_RETRY_JOBS] = { .name = "retry_jobs", .is_extended = 1, .text = "Jobs in status retry." },
	[F_ACTIVE_CAMPAIGNS] = { .name = "active_campaigns", .is_extended = 1,
	    .text = "Campaigns in status active." },
	[F_SUCCESS_RATE] = { .name = "success_rate", .type = PH_DECIMAL, .places = 4,
	    .is_extended = 1, .unit = "ratio 0 to 1",
	    .text = "success / (success + failed) publish logs, 0.0 if there are none." },
	[F_SUCCESS_RATE_PCT] = { .name = "success_rate_pct", .type = PH_DECIMAL, .places = 1,
	    .is_extended = 1, .unit = "percent", .text = "The same times 100." },
	[F_AVG_VISUAL_SCORE] = { .name = "avg_visual_score", .type = PH_DECIMAL, .places = 4,
	    .is_extended = 1, .unit = "score 0 to 1",
	    .text = "Mean score of the clips that have one, 0.0 if none has." },
	[F_AVG_PROCESSING_TIME_MS] = { .name = "avg_processing_time_ms", .type = PH_DECIMAL,
	    .places = 2, .is_nullable = 1, .is_extended = 1, .unit = "ms",
	    .text = "Mean of published_at - requested_at over success logs where it is not "
		"negative; null if there are none." },
};

static enum ph_rc
overview_write(const struct ph_stat_query *q, struct ph_json *out, struct ph_err *err)
{
	struct ph_db			*db = q->db;
	struct ph_log_totals		 log[PH_LOG__MAX];
	struct ph_campaign_totals	 campaign;
	struct ph_value			 v[F__MAX] = { 0 };
	struct ph_library		 library;
	int64_t				 job[PH_JOB__MAX], all = 0;
	enum ph_rc			 rc;
	int				 i;

	if ((rc = ph_filtered_library(db, q->filter, ph_json_is_extended(out), &library, err)) != PH_OK ||
	    (rc = ph_filtered_jobs(db, q->filter, job, err)) != PH_OK ||
	    (rc = ph_filtered_logs(db, q->filter, log, err)) != PH_OK ||
	    (rc = ph_filtered_campaigns(db, q->filter, &campaign, err)) != PH_OK)
		return rc;
	v[F_VIDEOS] = ph_v_int(library.videos);
	v[F_CLIPS] = ph_v_int(library.clips);
	for (i = 0; i < PH_JOB__MAX; i++)
		all += job[i];
	v[F_JOBS] = ph_v_int(all);
	for (i = 0, all = 0; i < PH_CAMPAIGN__MAX; i++)
		all += campaign.n[i];
	v[F_CAMPAIGNS] = ph_v_int(all);
	v[F_PENDING_JOBS] = ph_v_int(job[PH_JOB_PENDING]);
	v[F_PROCESSING_JOBS] = ph_v_int(job[PH_JOB_PROCESSING]);
	v[F_FAILED_JOBS] = ph_v_int(job[PH_JOB_FAILED]);
	v[F_SUCCESS_LOGS] = ph_v_int(log[PH_LOG_SUCCESS].n);
	v[F_FAILED_LOGS] = ph_v_int(log[PH_LOG_FAILED].n);
	v[F_SCHEDULED_PUBLICATIONS] = ph_v_int(log[PH_LOG_PENDING].n);
	if (ph_json_is_extended(out)) {
		for (i = 0, all = 0; i < PH_LOG__MAX; i++)
			all += log[i].n;
		v[F_TOTAL_PUBLICATIONS] = ph_v_int(all);
		v[F_PENDING_PUBLICATIONS] = v[F_SCHEDULED_PUBLICATIONS];
		v[F_FAILED_PUBLICATIONS] = v[F_FAILED_LOGS];
		v[F_SCHEDULED_LOGS] = ph_v_int(log[PH_LOG_SCHEDULED].n);
		v[F_PROCESSING_LOGS] = ph_v_int(log[PH_LOG_PROCESSING].n);
		v[F_RETRY_LOGS] = ph_v_int(log[PH_LOG_RETRY].n);
		v[F_ACTIVE_JOBS] = ph_v_int(job[PH_JOB_PENDING] + job[PH_JOB_PROCESSING] + job[PH_JOB_RETRY]);
		v[F_COMPLETED_JOBS] = ph_v_int(job[PH_JOB_COMPLETED]);
		v[F_RETRY_JOBS] = ph_v_int(job[PH_JOB_RETRY]);
		v[F_ACTIVE_CAMPAIGNS] = ph_v_int(campaign.n[PH_CAMPAIGN_ACTIVE]);
		all = log[PH_LOG_SUCCESS].n + log[PH_LOG_FAILED].n;
		v[F_SUCCESS_RATE] = ph_v_ratio(log[PH_LOG_SUCCESS].n, all);
		v[F_SUCCESS_RATE_PCT] = ph_v_ratio((ph_int128)100 * log[PH_LOG_SUCCESS].n, all);
		v[F_AVG_VISUAL_SCORE] = ph_v_score(library.score_nano, library.scored);
		v[F_AVG_PROCESSING_TIME_MS] = ph_v_ratio(log[PH_LOG_SUCCESS].proc_ms,
		    log[PH_LOG_SUCCESS].proc_n);
	}
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

const struct ph_statistic ph_stat_overview = {
	.name = "overview",
	.description = "A filter selects publish logs by requested_at and platform; jobs by created_at and the "
	    "platform in their params; clips by created_at, and with platforms those that have a log there; videos "
	    "and campaigns by created_at, and with platforms those with such a clip, whenever that was made.",
	.fields = fields, .nfields = F__MAX, .write = overview_write,
};
