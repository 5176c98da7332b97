/*
 * jobs.h -- what the jobs said about themselves (share/jobs.json), and what they did.
 */
#ifndef PH_JOBS_H
#define PH_JOBS_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "core/db.h"
#include "core/error.h"

/* The array of all --describe outputs.  Caller deletes.  NULL: err tells; PH_EPARAM: PH_JOBS
 * names a job that there is not. */
cJSON		*jobs_load(struct ph_err *);
/* NAME of the program job-NAME. */
const char	*job_name(const cJSON *job);
/* Does PH_JOBS choose it? */
int		 job_is_wanted(const cJSON *job);

struct job_last {
	char	status[16];		/* "" = it never ran */
	char	at[PH_TIME_SIZE];	/* its end, or its start while it runs */
	int64_t	items;
	char	text[512];		/* error, else detail */
};
/* The last run of a job, inside a transaction. */
enum ph_rc	 job_last(struct ph_db *, const char *name, struct job_last *, struct ph_err *);

#endif
