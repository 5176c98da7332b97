/*
 * serve.c -- wait, read one request, answer it.
 *
 * Invariants.  The listening socket is non-blocking, because all workers of a route wait
 * on it and only one of them gets the connection.  A request is read only from a
 * connection that has bytes.  Its FCGX_Request has no listening socket (-1), so
 * that FCGX_Accept_r() reports a closed connection instead of blocking in accept(2).
 * A connection that was accepted gets its first answer before the worker leaves.
 */
#include "autoconf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/program.h"
#include "core/serve.h"

enum {
	CONNS_MAX = 64,			/* connections one worker holds open */
	LEAVE_WAIT_MS = 2000		/* for the first request of a connection, when leaving */
};

int
ph_serve_is_fastcgi(void)
{
	return !FCGX_IsCGI();
}

/* Read and answer one request on a connection that has bytes.  1 if one was answered. */
static int
answer(FCGX_Request *conn, ph_serve_fn *fn, void *arg)
{
	if (FCGX_Accept_r(conn) < 0)
		return 0;		/* closed, or not FastCGI */
	fn(conn, arg);
	FCGX_Finish_r(conn);
	return 1;
}

int
ph_serve(const char *route, int64_t max_requests, ph_serve_fn *fn, void *arg)
{
	static FCGX_Request	conns[CONNS_MAX];
	static int		is_fresh[CONNS_MAX];	/* accepted, nothing answered on it yet */
	const struct timespec	leave_wait = { .tv_sec = LEAVE_WAIT_MS / 1000 };
	struct pollfd		fds[CONNS_MAX + 1];
	size_t			slot[CONNS_MAX + 1], nfds, i, nopen;
	sigset_t		waiting;
	int64_t			answered = 0;
	int			fd, ready, nfresh, is_leaving = 0;

	ph_program_catch_stop(&waiting);
	if (FCGX_Init() != 0 || fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK) != 0) {
		ph_log("error", route, "descriptor 0: %s", strerror(errno));
		return 1;
	}
	for (i = 0; i < CONNS_MAX; i++)
		FCGX_InitRequest(&conns[i], -1, 0);

	for (;;) {
		if (ph_program_is_stopping() || (max_requests != 0 && answered >= max_requests) ||
		    ph_program_is_replaced())
			is_leaving = 1;
		nfds = 1;
		nfresh = 0;
		for (i = nopen = 0; i < CONNS_MAX; i++) {
			if (conns[i].ipcFd < 0)
				continue;
			nopen++;
			nfresh += is_fresh[i];
			if (is_leaving && !is_fresh[i])
				continue;
			fds[nfds] = (struct pollfd){ .fd = conns[i].ipcFd, .events = POLLIN };
			slot[nfds++] = i;
		}
		if (is_leaving && nfresh == 0)
			break;
		fds[0] = (struct pollfd){ .fd = !is_leaving && nopen < CONNS_MAX ? 0 : -1, .events = POLLIN };
		if ((ready = ppoll(fds, (nfds_t)nfds, is_leaving ? &leave_wait : NULL, &waiting)) == 0)
			break;		/* leaving, and the peer has nothing to ask */
		if (ready < 0) {
			if (errno == EINTR)
				continue;
			ph_log("error", route, "poll: %s", strerror(errno));
			return 1;
		}
		for (i = 1; i < nfds; i++)
			if (fds[i].revents != 0) {
				is_fresh[slot[i]] = 0;
				answered += answer(&conns[slot[i]], fn, arg);
			}
		if ((fds[0].revents & POLLIN) == 0)
			continue;
		/* Another worker may have been quicker: EAGAIN is fine. */
		if ((fd = accept4(0, NULL, NULL, SOCK_CLOEXEC)) < 0)
			continue;
		for (i = 0; conns[i].ipcFd >= 0; i++)
			;
		conns[i].ipcFd = fd;
		conns[i].keepConnection = 1;	/* FCGX_Accept_r() would else close it first */
		is_fresh[i] = 1;
	}
	ph_log("info", route, "worker ends after %lld requests", (long long)answered);
	return 0;
}
