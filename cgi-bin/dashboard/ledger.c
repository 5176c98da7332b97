/*
 * ledger.c -- GET /dashboard/ledger
 *
 * What the publishing system did, newest first.
 * lib/domain/list-ledger.c declares the list, lib/domain/list.c reads it.
 */
#include "autoconf.h"

#include "domain/lists.h"

int
main(int argc, char **argv)
{
	return ph_list_main(&ph_list_ledger, argc, argv);
}
