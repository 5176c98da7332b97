/*
 * clips.c -- GET /dashboard/clips
 *
 * Clips, newest or best first.
 * lib/domain/list-clips.c declares the list, lib/domain/list.c reads it.
 */
#include "autoconf.h"

#include "domain/lists.h"

int
main(int argc, char **argv)
{
	return ph_list_main(&ph_list_clips, argc, argv);
}
