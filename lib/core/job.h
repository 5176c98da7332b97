/*
 * job.h -- what a job program is: a name, a period, and the work of one run.
 *
 *	int main(int argc, char **argv) { return ph_job_main(&job, argc, argv); }
 *
 * jobs/NAME.c becomes the program job-NAME.  Without arguments it runs for ever, at every
 * multiple of its period: each full minute for a period of 60 s, counted from the epoch
 * in UTC.  A turn that comes while a run lasts is left out.  SIGTERM and SIGINT end it
 * after the run in hand, and so does another program file at its path.  --once makes one
 * run now and exits 0, 1 if it failed, or 75 (EX_TEMPFAIL) if another process makes one; with one of the
 * job's modes behind it, e.g. --once --full, a run of that kind.  --describe prints the job as JSON.
 *
 * Runs of a job never overlap, in however many processes: each holds the lock job:NAME
 * (lock.h), and where it is held already the turn is left out.  Each run is a row of
 * job_runs.  After a process was killed in a run its lock lasts to the end of the lease; the
 * next run of any job then marks the row as aborted.  So a run must be safe to be killed
 * at any instant, and to be made twice.
 *
 * A job with the period 0 is a service: one run that goes on in rounds (ph_job_run_wait()) until
 * it is asked to end, and begins anew a second after a failure; --once makes one round.  It
 * changes nothing in the database, so it has neither lock nor row, and its handle is a reader's.
 */
#ifndef PH_JOB_H
#define PH_JOB_H

#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/program.h"

struct ph_job_run;		/* opaque to jobs */

/* The work of one run.  Never prints.  A failure becomes the run's error. */
typedef enum ph_rc ph_job_fn(struct ph_job_run *, struct ph_err *);

/* Is there anything to do?  Asked ahead of a turn, inside a transaction. */
typedef enum ph_rc ph_job_due_fn(struct ph_db *, int64_t now_ms, int *is_due, struct ph_err *);

struct ph_job {
	const char	*name;		/* of the program: "job-NAME" */
	int		 interval_s;	/* period, at least 1; 0: a service */
	const char	*summary;	/* one line */
	const char	*description;	/* a paragraph; NULL: none */
	unsigned	 needs;		/* enum ph_need, or-ed */
	const char *const *modes;	/* of runs by hand, "full" for --full; NULL-terminated; NULL: none */
	ph_job_due_fn	*is_due;	/* when it says no, the turn is left out; NULL: there always is */
	ph_job_fn	*run;
};

int	ph_job_main(const struct ph_job *, int argc, char **argv);

/* The first turn after an instant, in ms. */
int64_t	ph_job_next_turn(int interval_s, int64_t now_ms);

/* -- what a job asks of its run ---------------------------------------------------- */

int64_t	ph_job_run_now_ms(const struct ph_job_run *);	/* one instant for the whole run */
int	ph_job_run_is(const struct ph_job_run *, const char *mode);	/* is it a run of that kind? */

/*
 * Begin a transaction that writes, and only while the lock is held: PH_ECONFLICT when it is
 * lost, else as ph_db_begin().  The job ends it with ph_db_commit() or ph_db_end() on
 * ph_job_run_db(), soon: others wait for the write lock, so no call to another machine
 * belongs inside, and after 30 seconds statements fail with PH_EDEADLINE.  What is open when
 * the job returns is rolled back.
 */
enum ph_rc	 ph_job_run_begin(struct ph_job_run *, struct ph_err *);
struct ph_db	*ph_job_run_db(struct ph_job_run *);

/* Prolong the lock by two minutes, outside any transaction: before each call to another machine,
 * and twice a minute where no transaction begins.  PH_ECONFLICT: it is lost. */
enum ph_rc	 ph_job_run_heartbeat(struct ph_job_run *, struct ph_err *);

/* Shall the job return now?  It then returns PH_OK and goes on at its next run. */
int	ph_job_run_should_stop(struct ph_job_run *);

/* Of a service, after a round: wait so long for the next one.  0: return PH_OK now. */
int	ph_job_run_wait(struct ph_job_run *, int64_t ms);

/* Add to the items of the run.  A run without any has done nothing, and is not kept. */
void	ph_job_run_count(struct ph_job_run *, int64_t n);

/* How far the run is: the last line of a terminal, where there is one; may be cut. */
void	ph_job_run_progress(struct ph_job_run *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* What the run has to say, for people; replaces what was said before, may be cut. */
void	ph_job_run_detail(struct ph_job_run *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

#endif
