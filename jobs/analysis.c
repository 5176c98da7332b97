/*
 * analysis.c -- job-analysis: every hour, keep an analysis for the history.
 */
#include "autoconf.h"

#include "core/job.h"
#include "domain/analysis.h"

static enum ph_rc
analysis(struct ph_job_run *run, struct ph_err *err)
{
	struct ph_db		*db = ph_job_run_db(run);
	struct ph_analysis	 a = { 0 };
	char			 id[37];
	int			 is_new;
	enum ph_rc		 rc;

	if ((rc = ph_job_run_begin(run, err)) == PH_OK &&
	    (rc = ph_analysis_read(&a, db, ph_job_run_now_ms(run), err)) == PH_OK &&
	    (rc = ph_analysis_keep(&a, db, id, &is_new, err)) == PH_OK &&
	    (rc = ph_db_commit(db, err)) == PH_OK && is_new) {
		ph_job_run_count(run, 1);
		ph_job_run_detail(run, "%s", ph_health_names[ph_analysis_status(&a)]);
	}
	ph_db_end(db);
	ph_analysis_free(&a);
	return rc;
}

static const struct ph_job job = {
	.name = "job-analysis", .interval_s = 3600, .needs = PH_NEED_DB_WRITE,
	.summary = "Keep an analysis for the history",
	.description = "What GET /dashboard/ai/analyze says, shown by GET /dashboard/ai/history.",
	.run = analysis,
};

int
main(int argc, char **argv)
{
	return ph_job_main(&job, argc, argv);
}
