/*
 * alerts.c -- GET /dashboard/alerts
 *
 * What the alert rules raised, newest first.
 * lib/domain/list-alerts.c declares the list, lib/domain/list.c reads it.
 */
#include "autoconf.h"

#include "domain/lists.h"

int
main(int argc, char **argv)
{
	return ph_list_main(&ph_list_alerts, argc, argv);
}
