/*
 * check_breaker.c -- the circuit breaker step by step, and waits between tries, by the tables of the
 * specification.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config.h"
#include "net/breaker.h"
#include "net/upstream.h"
#include "unit.h"

static const struct ph_breaker_rule rule = { .threshold = 5, .recovery_s = 60, .probe_s = 30 };

static int64_t
us(double seconds)
{
	return (int64_t)(seconds * 1e6);
}

/* May a call begin at that second?  -1: yes, else retry_after. */
static int
call(struct ph_state_breaker *b, double at, uint64_t *generation)
{
	int retry_after_s = 0, reason;

	return ph_breaker_admit(b, &rule, getpid(), us(at), generation, &retry_after_s, &reason) ? -1 : retry_after_s;
}

/* A call that begins and ends at once. */
static void
whole(struct ph_state_breaker *b, double at, enum ph_breaker_outcome outcome)
{
	uint64_t generation;

	ck_assert_int_eq(call(b, at, &generation), -1);
	ph_breaker_report(b, &rule, generation, outcome, us(at), 0);
}

#define IS(s, n) do { ck_assert_int_eq(b.state, (s)); ck_assert_int_eq(b.failures, (n)); } while (0)

START_TEST(table)
{
	struct ph_state_breaker	b = { .name = "x" };
	uint64_t		a, c, d, e;
	int			reason, retry_after_s, status;
	pid_t			pid;

	whole(&b, 0, PH_OUTCOME_FAILURE);
	IS(PH_BREAKER_CLOSED, 1);
	whole(&b, 1, PH_OUTCOME_FAILURE);
	IS(PH_BREAKER_CLOSED, 2);
	whole(&b, 2, PH_OUTCOME_SUCCESS);
	IS(PH_BREAKER_CLOSED, 1);
	whole(&b, 3, PH_OUTCOME_FAILURE);
	whole(&b, 4, PH_OUTCOME_FAILURE);
	whole(&b, 5, PH_OUTCOME_FAILURE);
	IS(PH_BREAKER_CLOSED, 4);
	whole(&b, 5.5, PH_OUTCOME_SUCCESS);	/* a 404 */
	IS(PH_BREAKER_CLOSED, 3);
	whole(&b, 5.6, PH_OUTCOME_FAILURE);
	IS(PH_BREAKER_CLOSED, 4);
	ck_assert_int_eq(call(&b, 6, &a), -1);
	ck_assert(ph_breaker_report(&b, &rule, a, PH_OUTCOME_FAILURE, us(6), 1234));
	IS(PH_BREAKER_OPEN, 5);
	ck_assert_int_eq(b.last_failure_ms, 1234);
	ck_assert_int_eq(call(&b, 7, &a), 59);
	ck_assert_int_eq(call(&b, 65.5, &a), 1);
	ck_assert_uint_eq(b.rejected, 2);
	ck_assert_int_eq(call(&b, 66, &a), -1);
	IS(PH_BREAKER_HALF_OPEN, 5);
	ck_assert_int_eq(call(&b, 66.2, &c), 1);
	ck_assert(ph_breaker_report(&b, &rule, a, PH_OUTCOME_FAILURE, us(67), 0));
	IS(PH_BREAKER_OPEN, 6);
	ck_assert_int_eq(call(&b, 126.9, &a), 1);
	ck_assert_int_eq(ph_breaker_shown(&b, &rule, us(126.9)), PH_BREAKER_OPEN);
	ck_assert_int_eq(ph_breaker_shown(&b, &rule, us(127)), PH_BREAKER_HALF_OPEN);
	IS(PH_BREAKER_OPEN, 6);
	ck_assert_int_eq(call(&b, 127.5, &c), -1);
	ph_breaker_report(&b, &rule, c, PH_OUTCOME_SUCCESS, us(128), 0);
	IS(PH_BREAKER_CLOSED, 0);
	ck_assert_int_eq(call(&b, 131, &d), -1);
	for (status = 132; status <= 136; status++)
		whole(&b, status, PH_OUTCOME_FAILURE);
	IS(PH_BREAKER_OPEN, 5);
	ck_assert(!ph_breaker_report(&b, &rule, d, PH_OUTCOME_FAILURE, us(140), 0));
	IS(PH_BREAKER_OPEN, 5);
	ck_assert_int_eq(b.opened_us, us(136));
	/* The process of probe E is gone. */
	if ((pid = fork()) == 0)
		_exit(0);
	ck_assert_int_eq(ph_breaker_admit(&b, &rule, pid, us(196), &e, &retry_after_s, &reason), 1);
	waitpid(pid, &status, 0);
	ck_assert_int_eq(call(&b, 197, &a), -1);
	ph_breaker_report(&b, &rule, e, PH_OUTCOME_FAILURE, us(197.5), 0);
	IS(PH_BREAKER_HALF_OPEN, 5);
	ph_breaker_report(&b, &rule, a, PH_OUTCOME_SUCCESS, us(198), 0);
	IS(PH_BREAKER_CLOSED, 0);
	whole(&b, 200, PH_OUTCOME_NEITHER);
	ph_breaker_block(&b, us(200), 20, 7);
	IS(PH_BREAKER_CLOSED, 0);
	ck_assert_int_eq(ph_breaker_admit(&b, &rule, getpid(), us(205), &a, &retry_after_s, &reason), 0);
	ck_assert_int_eq(retry_after_s, 15);
	ck_assert_int_eq(reason, 7);
	ck_assert_int_eq(call(&b, 220, &a), -1);
}
END_TEST

START_TEST(probe_that_hangs)
{
	struct ph_state_breaker	b = { .state = PH_BREAKER_OPEN, .failures = 5 };
	uint64_t		first, second;

	ck_assert_int_eq(call(&b, 60, &first), -1);
	ck_assert_int_eq(call(&b, 89.9, &second), 1);
	ck_assert_int_eq(call(&b, 90, &second), -1);
	ck_assert(first != second);
}
END_TEST

START_TEST(neither_closes)
{
	struct ph_state_breaker	b = { .state = PH_BREAKER_OPEN, .failures = 5 };

	whole(&b, 60, PH_OUTCOME_NEITHER);
	IS(PH_BREAKER_CLOSED, 0);
}
END_TEST

START_TEST(alternating_never_opens)
{
	struct ph_state_breaker	b = { .name = "x" };
	int			i;

	for (i = 0; i < 1000; i++) {
		whole(&b, i, i % 2 == 0 ? PH_OUTCOME_FAILURE : PH_OUTCOME_SUCCESS);
		ck_assert_int_eq(b.state, PH_BREAKER_CLOSED);
		ck_assert_int_le(b.failures, 1);
	}
}
END_TEST

/* Wed, 21 Oct 2015 07:27:30 GMT */
enum { THEN = 1445412450 };
static const struct { const char *value; int64_t seconds; } retry_after[] = {
	{ "120", 120 }, { "0", 0 }, { " 10 ", 10 }, { "Wed, 21 Oct 2015 07:28:00 GMT", 30 },
	{ "Wednesday, 21-Oct-15 07:28:00 GMT", 30 }, { "Wed Oct 21 07:28:00 2015", 30 },
	{ "Wed, 21 Oct 2015 07:00:00 GMT", 0 }, { "-5", -1 }, { "1.5", -1 }, { "soon", -1 }, { "", -1 },
	{ "99999999999", -1 },
};

START_TEST(retry_after_header)
{
	ck_assert_int_eq(ph_retry_after_s(retry_after[_i].value, THEN), retry_after[_i].seconds);
}
END_TEST

START_TEST(waits)
{
	static const int64_t	whole_s[] = { 1, 2, 4, 8, 16, 30, 30 };
	int			k;

	for (k = 1; k <= 7; k++) {
		ck_assert_int_eq(ph_retry_wait_ms(k, 1000, 30000, 1000, 0), whole_s[k - 1] * 1000);
		ck_assert_int_eq(ph_retry_wait_ms(k, 1000, 30000, 500, 0), whole_s[k - 1] * 500);
		ck_assert_int_eq(ph_retry_wait_ms(k, 1000, 30000, 0, 0), 0);
	}
	ck_assert_int_eq(ph_retry_wait_ms(1, 1000, 30000, 1000, 5000), 5000);
	ck_assert_int_eq(ph_retry_wait_ms(1000000, 1000, 30000, 1000, 0), 30000);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("breaker");
	TCase	*tcase = tcase_create("breaker");

	tcase_add_test(tcase, table);
	tcase_add_test(tcase, probe_that_hangs);
	tcase_add_test(tcase, neither_closes);
	tcase_add_test(tcase, alternating_never_opens);
	tcase_add_loop_test(tcase, retry_after_header, 0, sizeof(retry_after) / sizeof(retry_after[0]));
	tcase_add_test(tcase, waits);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
