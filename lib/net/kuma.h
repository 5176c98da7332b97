/*
 * kuma.h -- a heartbeat for a push monitor of Uptime Kuma: GET URL?status=up&msg=...&ping=
 *
 * Exactly these three parameters in this order; a query that the URL of UPTIMEKUMA_PUSH_URL already has is replaced.
 */
#ifndef PH_KUMA_H
#define PH_KUMA_H

enum { PH_KUMA_MESSAGE_MAX = 250, PH_KUMA_TIMEOUT_MS = 10000 };

/* Push once, if there is a monitor; a failure goes to the log and nowhere else.  The message is cut after
 * PH_KUMA_MESSAGE_MAX bytes. */
void	ph_kuma_push(int is_up, const char *message);

#endif
