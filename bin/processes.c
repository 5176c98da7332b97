/*
 * processes.c -- start, find, count and end process groups.
 */
#include "autoconf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/config.h"
#include "instance.h"
#include "processes.h"

enum {
	STEP_MS = 20,
	START_WAIT_MS = 10000,
	STOP_WAIT_MS = 15000,
	RESEND_MS = 1000,
	KILL_WAIT_MS = 2000
};

static void
pause_ms(int ms)
{
	const struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L };

	nanosleep(&ts, NULL);
}

/* Fields of /proc/PID/stat that matter here.  -1: no such process. */
struct proc {
	char		state;
	int		pgrp;
	uint64_t	started;	/* clock ticks since boot */
};

static int
proc_read(pid_t pid, struct proc *p)
{
	char		 path[64], text[1024], *s;
	unsigned long long started;
	size_t		 n;
	FILE		*f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return -1;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	/* The name in parentheses may hold anything: count from its end. */
	if ((s = strrchr(text, ')')) == NULL ||
	    sscanf(s + 1, " %c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
	    &p->state, &p->pgrp, &started) != 3)
		return -1;
	p->started = started;
	return 0;
}

/* nginx runs cache helpers beside its workers. */
static int
is_nginx_helper(pid_t pid)
{
	char	path[64], text[64] = "";
	FILE	*f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return strncmp(text, "nginx: cache", 12) == 0;
}

/* Is it a living member of the group that does the work? */
static int
is_working(pid_t pid, pid_t leader)
{
	struct proc p;

	return pid != leader && proc_read(pid, &p) == 0 && p.pgrp == leader && p.state != 'Z' &&
	    !is_nginx_helper(pid);
}

int
group_size(pid_t leader)
{
	char		 path[64];
	struct dirent	*e;
	DIR		*d;
	FILE		*f;
	int		 n = 0, pid;

	/* Its children, if it lives: all processes of the machine are looked at only if it does not. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)leader, (int)leader);
	if ((f = fopen(path, "re")) != NULL) {
		while (fscanf(f, "%d", &pid) == 1)
			n += is_working(pid, leader);
		fclose(f);
		return n;
	}
	if ((d = opendir("/proc")) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		if ((pid = (int)atol(e->d_name)) > 0)
			n += is_working(pid, leader);
	closedir(d);
	return n;
}

static char *
pid_path(char buf[PATH_SIZE], const char *name)
{
	char file[128];

	snprintf(file, sizeof(file), "run/%s.leader", name);
	return ph_config_path(buf, PATH_SIZE, file);
}

pid_t
group_leader(const char *name)
{
	char			 path[PATH_SIZE];
	unsigned long long	 started;
	struct proc		 p;
	FILE			*f;
	int			 pid = 0;

	if ((f = fopen(pid_path(path, name), "re")) == NULL)
		return 0;
	if (fscanf(f, "%d %llu", &pid, &started) != 2)
		pid = 0;
	fclose(f);
	if (pid <= 1)
		return 0;
	if (proc_read(pid, &p) == 0)
		return p.started == started && p.state != 'Z' ? pid : 0;
	/* The leader is gone.  While its group has members its pid is not given away. */
	return kill(-pid, 0) == 0 ? pid : 0;
}

enum ph_rc
group_spawn(const char *name, const char *log, char *const argv[], struct ph_err *err)
{
	char		path[PATH_SIZE], text[64];
	struct proc	p;
	pid_t		pid;
	int		in, out;

	if ((in = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0 ||
	    (out = open(ph_config_path(path, sizeof(path), log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
	    0600)) < 0 || (pid = fork()) < 0)
		return ph_fail(err, PH_EINTERNAL, "%s: %s", name, strerror(errno));
	if (pid == 0) {
		setsid();
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		if (chdir("/") == 0)
			execvp(argv[0], argv);
		_exit(127);
	}
	close(in);
	close(out);
	if (proc_read(pid, &p) != 0)
		return ph_fail(err, PH_EINTERNAL, "%s ended at once", name);
	snprintf(text, sizeof(text), "%d %" PRIu64 "\n", (int)pid, p.started);
	return write_text(pid_path(path, name), text, err);
}

void
group_signal(const char *name, int sig)
{
	const pid_t pid = group_leader(name);

	if (pid == 0)
		return;
	/* The leader first: it would respawn what ends before it. */
	kill(pid, sig);
	if (strcmp(name, NGINX_GROUP) != 0)
		kill(-pid, sig);
}

enum ph_rc
group_end(const char *name, int sig, struct ph_err *err)
{
	char	path[PATH_SIZE];
	pid_t	pid = group_leader(name);
	int	waited;

	if (pid == 0) {
		unlink(pid_path(path, name));
		return PH_OK;
	}
	for (waited = 0; waited < STOP_WAIT_MS + KILL_WAIT_MS; waited += STEP_MS) {
		/* Again every second: a process that is just starting may miss a signal. */
		if (waited % RESEND_MS == 0)
			group_signal(name, sig);
		if (waitpid(pid, NULL, WNOHANG) < 0 && group_leader(name) == 0)
			break;
		if (waited >= STOP_WAIT_MS)
			kill(-pid, SIGKILL);
		pause_ms(STEP_MS);
	}
	if (group_leader(name) != 0)
		return ph_fail(err, PH_EINTERNAL, "%s (process group %d) does not end", name, (int)pid);
	unlink(pid_path(path, name));
	return PH_OK;
}

int
group_wait(const char *name, int (*is_ready)(const char *))
{
	int waited;

	for (waited = 0; waited < START_WAIT_MS; waited += STEP_MS) {
		if (is_ready(name))
			return 1;
		pause_ms(STEP_MS);
		if (waited > 1000 && group_leader(name) == 0)
			return 0;
	}
	return 0;
}
