/*
 * serve.h -- the life of a FastCGI worker.
 *
 * libfcgi's own accept loop serves one connection until its peer closes it, so a worker
 * that holds an idle kept-alive connection serves nobody else.  Here a worker
 * waits for all its connections and for new ones together and answers one request at a
 * time, so no number of kept connections starves a client.
 */
#ifndef PH_SERVE_H
#define PH_SERVE_H

#include <stdint.h>

#include <fcgiapp.h>

/* Answer the request that was read: everything to request->out. */
typedef void ph_serve_fn(FCGX_Request *, void *arg);

/* Is descriptor 0 a listening FastCGI socket? */
int	ph_serve_is_fastcgi(void);

/*
 * Serve until SIGTERM or SIGINT (the request in hand is finished), until max_requests
 * were answered (0: no limit), or until the program file was replaced.  Returns the exit
 * status of the process.
 */
int	ph_serve(const char *route, int64_t max_requests, ph_serve_fn *, void *arg);

#endif
