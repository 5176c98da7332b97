/*
 * circuit-breakers.c -- GET /api/health/circuit-breakers
 *
 * Which of the services that we call are left alone now, because they failed?  All workers see the same:
 * the state file (core/state.h).  No texts of errors, because anybody may ask.
 *
 * 200 whatever the states; 503 state_unavailable without the state file.
 */
#include "autoconf.h"

#include "core/clock.h"
#include "core/endpoint.h"
#include "net/upstream.h"

static const char *const statuses[] = { "healthy", "degraded", NULL };

enum { B_NAME, B_STATE, B_FAILURES, B_THRESHOLD, B_LAST_TIME, B_RECOVERY, B_LAST_AT, B_OPENED_AT, B_RETRY, B_REJECTED,
    B_BLOCKED, B__MAX };
static const struct ph_field breaker_fields[B__MAX] = {
	[B_NAME] = { .name = "name", .type = PH_TEXT, .text = "Of the service." },
	[B_STATE] = { .name = "state", .type = PH_TEXT, .choices = ph_breaker_states,
	    .text = "closed: it is called. open: nobody calls. half_open: one call finds out." },
	[B_FAILURES] = { .name = "failure_count", .text = "Failures, less the successes since." },
	[B_THRESHOLD] = { .name = "failure_threshold", .text = "Failures that open it." },
	[B_LAST_TIME] = { .name = "last_failure_time", .type = PH_DECIMAL, .places = 3, .is_nullable = 1, .unit = "s",
	    .text = "The last failure, in seconds since 1970." },
	[B_RECOVERY] = { .name = "recovery_timeout", .unit = "s", .text = "From opening to the next call." },
	[B_LAST_AT] = { .name = "last_failure_at", .type = PH_TIME, .is_nullable = 1, .text = "The same as an instant." },
	[B_OPENED_AT] = { .name = "opened_at", .type = PH_TIME, .is_nullable = 1, .text = "When it opened; null: it is closed." },
	[B_RETRY] = { .name = "retry_after_seconds", .is_nullable = 1, .unit = "s", .text = "Until somebody may call; null: now." },
	[B_REJECTED] = { .name = "rejected_total", .text = "Calls that were not made." },
	[B_BLOCKED] = { .name = "blocked_until", .type = PH_TIME, .is_nullable = 1,
	    .text = "The service asked to be left alone, or refused our credential, until then." },
};
/* Of every service, named by main(). */
static struct ph_field by_name[PH_UPSTREAM__MAX];
static const struct ph_field fields[] = {
	{ .name = "status", .type = PH_TEXT, .choices = statuses, .text = "degraded: one is open." },
	{ .name = "open_count", .text = "Breakers that are open." },
	{ .name = "half_open_count", .text = "Breakers that are half open." },
	{ .name = "breakers", .type = PH_OBJECT, .fields = by_name, .nfields = PH_UPSTREAM__MAX, .text = "By the name of the service." },
};

/* The instant of a monotonic time. */
static struct ph_value
instant(int64_t at_us, int64_t now_us, int64_t now_ms)
{
	return ph_v_int(now_ms - (now_us - at_us) / 1000);
}

static void
write_breaker(struct ph_json *out, const struct ph_state_breaker *b, const struct ph_breaker_rule *rule, int64_t now_ms)
{
	const int64_t			now_us = ph_clock_mono_us();
	const enum ph_breaker_state	state = ph_breaker_shown(b, rule, now_us);
	const int			left_s = ph_breaker_left_s(b, rule, now_us);
	const int			has_failed = b->last_failure_ms > 0;
	const struct ph_value		v[B__MAX] = {
		[B_NAME] = ph_v_str(b->name), [B_STATE] = ph_v_str(ph_breaker_states[state]),
		[B_FAILURES] = ph_v_int(b->failures), [B_THRESHOLD] = ph_v_int(rule->threshold),
		[B_LAST_TIME] = has_failed ? ph_v_ratio(b->last_failure_ms, 1000) : ph_v_null(),
		[B_RECOVERY] = ph_v_int(rule->recovery_s),
		[B_LAST_AT] = has_failed ? ph_v_int(b->last_failure_ms) : ph_v_null(),
		[B_OPENED_AT] = state != PH_BREAKER_CLOSED ? instant(b->opened_us, now_us, now_ms) : ph_v_null(),
		[B_RETRY] = left_s > 0 ? ph_v_int(left_s) : ph_v_null(), [B_REJECTED] = ph_v_int((int64_t)b->rejected),
		[B_BLOCKED] = b->blocked_until_us > now_us ? instant(b->blocked_until_us, now_us, now_ms) : ph_v_null(),
	};

	ph_json_obj_open(out, b->name);
	ph_json_fields(out, breaker_fields, v, B__MAX);
	ph_json_close(out);
}

static enum ph_rc
breakers_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_state_breaker	 copies[PH_UPSTREAM__MAX], *b;
	int64_t			 n[PH_BREAKER_HALF_OPEN + 1] = { 0 };
	struct ph_breaker_rule	 rule;
	struct ph_value		 v[3];
	int			 i;

	for (i = 0; i < PH_UPSTREAM__MAX; i++) {
		if ((b = ph_state_breaker_lock(ph_req_state(req), ph_upstream_name((enum ph_upstream)i))) == NULL)
			return ph_fail(err, PH_ESTATEFILE, "the state file cannot be used");
		copies[i] = *b;
		ph_state_breaker_unlock(b);
		rule = ph_upstream_rule((enum ph_upstream)i);
		n[ph_breaker_shown(&copies[i], &rule, ph_clock_mono_us())]++;
	}
	v[0] = ph_v_str(statuses[n[PH_BREAKER_OPEN] > 0]);
	v[1] = ph_v_int(n[PH_BREAKER_OPEN]);
	v[2] = ph_v_int(n[PH_BREAKER_HALF_OPEN]);
	ph_json_fields(out, fields, v, 3);
	ph_json_obj_open(out, "breakers");
	for (i = 0; i < PH_UPSTREAM__MAX; i++) {
		rule = ph_upstream_rule((enum ph_upstream)i);
		write_breaker(out, &copies[i], &rule, ph_req_now_ms(req));
	}
	ph_json_close(out);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "health-circuit-breakers", .path = "/api/health/circuit-breakers", .access = PH_ACCESS_PUBLIC,
	.needs = PH_NEED_STATE,
	.ops[PH_GET] = {
		.summary = "Which services that we call are left alone now?",
		.fields = fields, .nfields = 4, .is_unstored = 1, .handle = breakers_get,
	},
};

int
main(int argc, char **argv)
{
	int i;

	for (i = 0; i < PH_UPSTREAM__MAX; i++)
		by_name[i] = (struct ph_field){ .name = ph_upstream_name((enum ph_upstream)i), .type = PH_OBJECT,
		    .fields = breaker_fields, .nfields = B__MAX, .text = "Its breaker." };
	return ph_endpoint_main(&route, argc, argv);
}
