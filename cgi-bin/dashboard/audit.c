/*
 * audit.c -- GET /dashboard/audit
 *
 * Who changed, exported or tried what.  For administrators.
 * lib/domain/list-audit.c declares the list, lib/domain/list.c reads it.
 */
#include "autoconf.h"

#include "domain/lists.h"

int
main(int argc, char **argv)
{
	return ph_list_main(&ph_list_audit, argc, argv);
}
