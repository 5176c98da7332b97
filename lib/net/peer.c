/*
 * peer.c -- the guard on sockets, and libcurl's failures under our names.
 */
#include "autoconf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/address.h"
#include "core/config.h"
#include "net/peer.h"
#include "net/target.h"

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct ph_peer	*peer = arg;
	const void	*raw = a->family == AF_INET ? (const void *)&((struct sockaddr_in *)(void *)&a->addr)->sin_addr :
	    (const void *)&((struct sockaddr_in6 *)(void *)&a->addr)->sin6_addr;
	char		 text[PH_PEER_TEXT_SIZE] = "?";

	if (purpose == CURLSOCKTYPE_IPCXN && (a->family == AF_INET || a->family == AF_INET6) &&
	    inet_ntop(a->family, raw, text, sizeof(text)) != NULL &&
	    (!peer->is_given || ph_target_may_reach(text)) && (!peer->is_plain || ph_address_is_loopback(text)))
		return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
	memcpy(peer->refused, text, sizeof(text));
	return CURL_SOCKET_BAD;
}

int
ph_peer_guard(CURL *curl, struct ph_peer *peer, long timeout_ms)
{
	const char *ca_file = ph_config_str(PH_CFG_CA_FILE);

	peer->refused[0] = peer->text[0] = '\0';
	return curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, peer) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, peer->text) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)PH_CONNECT_TIMEOUT_MS) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	    (ca_file[0] == '\0' || curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file) == CURLE_OK) ? 0 : -1;
}

enum ph_rc
ph_peer_failure(CURLcode code, const struct ph_peer *peer, struct ph_err *err)
{
	const char *text = peer->text[0] != '\0' ? peer->text : curl_easy_strerror(code);

	if (code == CURLE_OK)
		return PH_OK;
	/* A name may have an address that is allowed besides one that is not. */
	if (peer->refused[0] != '\0' && code == CURLE_COULDNT_CONNECT)
		return ph_fail(err, PH_EUPSTREAMDOWN, peer->is_plain ? "%s: without TLS only this machine may be reached" :
		    "%s is private and not in PH_WEBHOOK_ALLOW", peer->refused);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return ph_fail(err, PH_EUPSTREAMDOWN, "%s", text);
	case CURLE_OPERATION_TIMEDOUT:
		return ph_fail(err, PH_EUPSTREAMSLOW, "%s", text);
	default:
		return ph_fail(err, PH_EUPSTREAM, "%s", text);
	}
}
