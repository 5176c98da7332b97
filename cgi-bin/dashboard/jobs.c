/*
 * jobs.c -- GET /dashboard/jobs
 *
 * Work on videos and clips: what is waiting, what runs, what failed and why.
 * lib/domain/list-jobs.c declares the list, lib/domain/list.c reads it.
 */
#include "autoconf.h"

#include "domain/lists.h"

int
main(int argc, char **argv)
{
	return ph_list_main(&ph_list_jobs, argc, argv);
}
