/*
 * program.c -- signals, and the program's own file.
 */
#include "autoconf.h"

#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "core/program.h"

enum { REPLACED_CHECK_US = 1000000 };	/* how often to look whether the program file changed */

static volatile sig_atomic_t is_stopping;

cJSON *
ph_program_needs(unsigned needs)
{
	cJSON *list = cJSON_CreateArray();

	if (needs & PH_NEED_DB_READ)
		cJSON_AddItemToArray(list, cJSON_CreateString("db_read"));
	if (needs & PH_NEED_DB_WRITE)
		cJSON_AddItemToArray(list, cJSON_CreateString("db_write"));
	if (needs & PH_NEED_NET)
		cJSON_AddItemToArray(list, cJSON_CreateString("net"));
	if (needs & PH_NEED_STATE)
		cJSON_AddItemToArray(list, cJSON_CreateString("state"));
	if (needs & PH_NEED_MODEL)
		cJSON_AddItemToArray(list, cJSON_CreateString("model"));
	return list;
}

static void
on_stop(int sig)
{
	(void)sig;
	is_stopping = 1;
}

void
ph_program_catch_stop(sigset_t *waiting)
{
	struct sigaction	sa = { .sa_handler = on_stop };
	sigset_t		held;

	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGINT);
	sigprocmask(SIG_BLOCK, &held, waiting);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int
ph_program_is_stopping(void)
{
	sigset_t pending;

	if (!is_stopping && sigpending(&pending) == 0 &&
	    (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1))
		is_stopping = 1;
	return is_stopping;
}

int
ph_program_is_replaced(void)
{
	static char		path[512];
	static struct stat	own;
	static int64_t		next_us;
	struct stat		now;
	ssize_t			n;

	if (ph_clock_mono_us() < next_us)
		return 0;
	next_us = ph_clock_mono_us() + REPLACED_CHECK_US;
	if (path[0] == '\0') {
		if ((n = readlink("/proc/self/exe", path, sizeof(path) - 1)) <= 0)
			return 0;
		path[n] = '\0';
		return stat("/proc/self/exe", &own), 0;
	}
	return stat(path, &now) == 0 && (now.st_ino != own.st_ino || now.st_dev != own.st_dev ||
	    now.st_mtim.tv_sec != own.st_mtim.tv_sec || now.st_mtim.tv_nsec != own.st_mtim.tv_nsec);
}
