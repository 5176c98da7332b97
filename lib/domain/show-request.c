/*
 * show-request.c -- OP3's figures for a request, which must not wait for long: ph_shows_refresh_for() of show.h.
 */
#include "autoconf.h"

#include "core/config.h"
#include "core/endpoint.h"
#include "domain/show.h"

enum { STALE_WAIT_MS = 800, TRIES = 3 };

/* A note may be lost, and waits for nobody: the figures are asked for again. */
static enum ph_rc
begin_note(void *arg, struct ph_err *err)
{
	return ph_db_begin_note(arg, err);
}

enum ph_rc
ph_shows_refresh_for(struct ph_req *req, struct ph_shows *shows, struct ph_err *err)
{
	const struct ph_show_fetch f = {
		.db = ph_req_db(req), .begin = begin_note, .arg = ph_req_db(req), .state = ph_req_state(req),
		.now_ms = ph_req_now_ms(req), .wait_ms = (int)ph_config_int(PH_CFG_OP3_WAIT_MS),
		.wait_stale_ms = STALE_WAIT_MS, .tries = TRIES,
	};

	return ph_shows_refresh(&f, shows, err);
}
