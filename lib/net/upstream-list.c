/*
 * upstream-list.c -- the services there are, and the rules of their breakers; it calls none.
 */
#include "autoconf.h"

#include "core/config.h"
#include "net/upstream.h"

enum { PROBE_MIN_S = 30, PROBE_MORE_S = 5 };

static const struct {
	const char		*name;
	enum ph_setting_id	 threshold, recovery_s;
	enum ph_setting_id	 timeout_ms;	/* of its longest call */
} upstreams[PH_UPSTREAM__MAX] = {
	[PH_UPSTREAM_OP3] = { "op3", PH_CFG_BREAKER_OP3_THRESHOLD, PH_CFG_BREAKER_OP3_TIMEOUT,
	    PH_CFG_OP3_JOB_TIMEOUT_MS },
};

const char *
ph_upstream_name(enum ph_upstream id)
{
	return upstreams[id].name;
}

struct ph_breaker_rule
ph_upstream_rule(enum ph_upstream id)
{
	const int call_s = (int)(ph_config_int(upstreams[id].timeout_ms) + 999) / 1000;

	return (struct ph_breaker_rule){
		.threshold = (int)ph_config_int(upstreams[id].threshold),
		.recovery_s = (int)ph_config_int(upstreams[id].recovery_s),
		.probe_s = call_s + PROBE_MORE_S > PROBE_MIN_S ? call_s + PROBE_MORE_S : PROBE_MIN_S,
	};
}
