/*
 * runs.c -- GET /dashboard/orchestrator/runs
 *
 * Runs of the orchestrator, newest first.
 * lib/domain/list-runs.c declares the list, lib/domain/list.c reads it.
 */
#include "autoconf.h"

#include "domain/lists.h"

int
main(int argc, char **argv)
{
	return ph_list_main(&ph_list_runs, argc, argv);
}
