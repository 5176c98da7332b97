/*
 * videos.c -- GET /dashboard/videos
 *
 * Videos, newest first.
 * lib/domain/list-videos.c declares the list, lib/domain/list.c reads it.
 */
#include "autoconf.h"

#include "domain/lists.h"

int
main(int argc, char **argv)
{
	return ph_list_main(&ph_list_videos, argc, argv);
}
