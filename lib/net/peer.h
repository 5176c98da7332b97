/*
 * peer.h -- what holds for every connection that we open: where it may lead, how long it may take, and
 * what its failures are called.
 *
 * The address is judged when the socket is made, after the name was resolved: a name that
 * leads elsewhere the second time (DNS rebinding) gains nothing.  No proxy of the environment
 * stands between, and no redirect is followed.
 */
#ifndef PH_PEER_H
#define PH_PEER_H

#include <curl/curl.h>

#include "core/error.h"

enum { PH_CONNECT_TIMEOUT_MS = 3000, PH_PEER_TEXT_SIZE = 64 };

struct ph_peer {
	unsigned	is_given : 1;	/* by a person: ph_target_may_reach() decides */
	unsigned	is_plain : 1;	/* without TLS: only to this machine itself */
	/* what was seen */
	char		refused[PH_PEER_TEXT_SIZE];	/* an address that it may not lead to; "": none */
	char		text[CURL_ERROR_SIZE];	/* libcurl's own words */
};

/* Put these rules on a handle; the peer lives as long as the handle.  0, or -1: no memory. */
int		ph_peer_guard(CURL *, struct ph_peer *, long timeout_ms);

/* The failure that a transfer ended with: PH_EUPSTREAMDOWN (not reached, or refused by us),
 * PH_EUPSTREAMSLOW, PH_EUPSTREAM; PH_OK for CURLE_OK. */
enum ph_rc	ph_peer_failure(CURLcode, const struct ph_peer *, struct ph_err *);

#endif
