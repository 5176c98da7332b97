/*
 * processes.h -- process groups that outlive the command that began them.
 *
 * A group has a name, and run/NAME.leader in the home holds its leader's pid and start time, so
 * that a pid used again by somebody else is recognised; only groups found that way are
 * ever signalled.
 */
#ifndef PH_PROCESSES_H
#define PH_PROCESSES_H

#include <sys/types.h>

#include "core/error.h"

#define NGINX_GROUP "nginx"	/* the group whose leader tells its members itself to end */

/* Run argv as the leader of a new group, with stdin empty and output in a log file of the home. */
enum ph_rc	 group_spawn(const char *name, const char *log, char *const argv[], struct ph_err *);
/* The leader of a group that still has members; 0: none. */
pid_t		 group_leader(const char *name);
/* Its living members that do the work: neither the leader nor nginx's helpers. */
int		 group_size(pid_t leader);
/* Wait ten seconds for a condition, less if the group has died.  1: it holds. */
int		 group_wait(const char *name, int (*is_ready)(const char *name));
/* Ask a group to end, if it is there. */
void		 group_signal(const char *name, int sig);
/* Ask a group to end, wait, and insist after 15 seconds.  A group that is not there is fine. */
enum ph_rc	 group_end(const char *name, int sig, struct ph_err *);

#endif
