/*
 * publications.c -- GET /dashboard/publications
 *
 * The publish logs, page by page: what is in the queue, what went out, what failed and why.
 * lib/domain/list-publications.c declares the list, lib/domain/list.c reads it.
 */
#include "autoconf.h"

#include "domain/lists.h"

int
main(int argc, char **argv)
{
	return ph_list_main(&ph_list_publications, argc, argv);
}
