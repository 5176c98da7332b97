/*
 * campaign-list.c -- GET /dashboard/campaigns
 *
 * Campaigns with their budgets, and where their clips were published.
 * lib/domain/list-campaigns.c declares the list, lib/domain/list.c reads it.
 */
#include "autoconf.h"

#include "domain/lists.h"

int
main(int argc, char **argv)
{
	return ph_list_main(&ph_list_campaigns, argc, argv);
}
