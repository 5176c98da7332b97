/*
 * alerts.c -- job-alerts: every minute, evaluate the alert rules.
 *
 * What fires or is over, and what is queued for the channels, is one transaction; job-notifier sends it.
 */
#include "autoconf.h"

#include "core/job.h"
#include "domain/alert.h"

static enum ph_rc
alerts(struct ph_job_run *run, struct ph_err *err)
{
	struct ph_db		*db = ph_job_run_db(run);
	struct ph_alert_outcome	 o = { .fired = 0 };
	enum ph_rc		 rc;

	if ((rc = ph_job_run_begin(run, err)) == PH_OK &&
	    (rc = ph_alerts_evaluate(db, ph_job_run_now_ms(run), &o, err)) == PH_OK)
		rc = ph_db_commit(db, err);
	ph_db_end(db);
	if (rc == PH_OK) {
		ph_job_run_count(run, o.fired + o.resolved);
		ph_job_run_detail(run, "%d rules, %d fired, %d resolved, %d unreadable", o.evaluated, o.fired, o.resolved,
		    o.unreadable);
	}
	ph_alert_outcome_clear(&o);
	return rc;
}

static const struct ph_job job = {
	.name = "job-alerts", .interval_s = 60, .needs = PH_NEED_DB_WRITE,
	.summary = "Evaluate the alert rules", .run = alerts,
};

int
main(int argc, char **argv)
{
	return ph_job_main(&job, argc, argv);
}
