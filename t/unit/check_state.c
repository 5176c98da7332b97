/*
 * check_state.c -- the file that all workers share.
 */
#include "autoconf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config.h"
#include "core/state.h"
#include "unit.h"

static char home[] = "/tmp/check_state.XXXXXX";

static void
setup(void)
{
	struct ph_err	err = { .rc = PH_OK };
	char		run[64];

	ck_assert_ptr_nonnull(mkdtemp(home));
	snprintf(run, sizeof(run), "%s/run", home);
	ck_assert_int_eq(mkdir(run, 0700), 0);
	ck_assert_int_eq(ph_config_load(home, &err), PH_OK);
}

static void
teardown(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/run/state.shm", home);
	unlink(path);
	snprintf(path, sizeof(path), "%s/run", home);
	rmdir(path);
	rmdir(home);
}

/* Run fn in a process of its own; its wait status. */
static int
in_child(void (*fn)(void))
{
	const pid_t	pid = fork();
	int		status = -1;

	if (pid == 0) {
		fn();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void
answer_three(void)
{
	struct ph_state *s = ph_state_open("x", 0);

	ph_state_claim(s, "dashboard-queue");
	ph_state_busy(s, "r1", "/a");
	ph_state_idle(s, 200, 400);
	ph_state_busy(s, "r2", "/a");
	ph_state_idle(s, 404, 600);
	ph_state_busy(s, "r3", "/a");
	ph_state_idle(s, 503, 6000000);
	ph_state_close(s);
}

static void
die_busy(void)
{
	struct ph_state *s = ph_state_open("x", 0);

	ph_state_claim(s, "dashboard-queue");
	ph_state_busy(s, "lost", "/a");
	raise(SIGKILL);
}

START_TEST(counts_of_a_process_outlive_it)
{
	struct ph_state		*s = ph_state_open("x", 0);
	struct ph_state_route	 routes[4];

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(in_child(answer_three), 0);
	ck_assert_int_eq(in_child(answer_three), 0);
	ck_assert_uint_eq(ph_state_routes(s, routes, 4), 1);
	ck_assert_str_eq(routes[0].name, "dashboard-queue");
	ck_assert_uint_eq(routes[0].by_class[2], 2);
	ck_assert_uint_eq(routes[0].by_class[4], 2);
	ck_assert_uint_eq(routes[0].by_class[5], 2);
	ck_assert_uint_eq(routes[0].buckets[0], 2);		/* up to 500 us */
	ck_assert_uint_eq(routes[0].buckets[1], 2);
	ck_assert_uint_eq(routes[0].buckets[PH_STATE_BUCKETS - 1], 2);
	ck_assert_uint_eq(routes[0].sum_us, 2 * 6001000);
	ck_assert_uint_eq(ph_state_recent(s, PH_RING_OK, 60), 2);
	ck_assert_uint_eq(ph_state_recent(s, PH_RING_4XX, 60), 2);
	ck_assert_uint_eq(ph_state_recent(s, PH_RING_5XX, 60), 2);
	ck_assert_uint_eq(ph_state_recent(s, PH_RING_SLOW, 60), 0);
	ck_assert_uint_eq(ph_state_recent(s, PH_RING_VERY_SLOW, 60), 2);
	ph_state_close(s);
}
END_TEST

START_TEST(a_slot_of_the_dead_is_taken_over_and_its_request_counted)
{
	struct ph_state		*s = ph_state_open("x", 0);
	struct ph_state_worker	 workers[4];

	ck_assert(WIFSIGNALED(in_child(die_busy)));
	ck_assert_uint_eq(ph_state_workers(s, workers, 4), 0);
	ck_assert_uint_eq(ph_state_recent(s, PH_RING_5XX, 60), 0);
	ph_state_claim(s, "dashboard-overview");
	ck_assert_uint_eq(ph_state_recent(s, PH_RING_5XX, 60), 1);
	ck_assert_uint_eq(ph_state_workers(s, workers, 4), 1);
	ck_assert_str_eq(workers[0].route, "dashboard-overview");
	ck_assert_int_eq(workers[0].pid, getpid());
	ck_assert(!workers[0].is_busy);
	ph_state_busy(s, "r", "/b");
	ck_assert_uint_eq(ph_state_workers(s, workers, 4), 1);
	ck_assert(workers[0].is_busy);
	ph_state_close(s);
}
END_TEST

START_TEST(probes_stay_out_of_the_rings)
{
	struct ph_state *s = ph_state_open("x", 0);

	ph_state_claim(s, "health-alive");
	ph_state_busy(s, "r", "/health");
	ph_state_idle(s, 200, 1);
	ck_assert_uint_eq(ph_state_recent(s, PH_RING_OK, 60), 0);
	ph_state_close(s);
}
END_TEST

START_TEST(failures_are_counted_by_address)
{
	struct ph_state	*s = ph_state_open("x", 0);
	int		 i;

	for (i = 0; i < 3; i++)
		ph_state_auth_failed(s, "192.0.2.1");
	ck_assert_uint_eq(ph_state_auth_failures(s, "192.0.2.1"), 3);
	ck_assert_uint_eq(ph_state_auth_failures(s, "192.0.2.2"), 0);
	ph_state_close(s);
}
END_TEST

START_TEST(a_file_that_does_not_fit_is_left_alone_until_the_next_start)
{
	struct ph_state	*s;
	char		 path[64];
	FILE		*f;

	snprintf(path, sizeof(path), "%s/run/state.shm", home);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fputs("something else", f);
	fclose(f);
	ck_assert_ptr_null(ph_state_open("x", 0));
	ph_state_claim(NULL, "x");		/* without is no reason to fail */
	ph_state_busy(NULL, "r", "/");
	ph_state_idle(NULL, 200, 1);
	ph_state_close(NULL);
	ck_assert_uint_eq(ph_state_recent(NULL, PH_RING_OK, 60), 0);
	ck_assert_ptr_nonnull(s = ph_state_open("x", 1));
	ph_state_claim(s, "dashboard-queue");
	ph_state_close(s);
}
END_TEST

/* Many that begin at once: each has a slot of its own. */
START_TEST(nobody_takes_the_slot_of_another)
{
	enum { N = 16 };
	struct ph_state		*s = ph_state_open("x", 0), *own;
	struct ph_state_worker	 workers[N + 1];
	pid_t			 pids[N];
	char			 go;
	int			 ready[2], hold[2], i;

	ck_assert_int_eq(pipe(ready) | pipe(hold), 0);
	for (i = 0; i < N; i++)
		if ((pids[i] = fork()) == 0) {
			close(hold[1]);
			own = ph_state_open("x", 0);
			ph_state_claim(own, "dashboard-queue");
			if (write(ready[1], "r", 1) == 1 && read(hold[0], &go, 1) == 0)
				ph_state_close(own);
			_exit(0);
		}
	for (i = 0; i < N; i++)
		ck_assert_int_eq(read(ready[0], &go, 1), 1);
	ck_assert_uint_eq(ph_state_workers(s, workers, N + 1), N);
	close(hold[1]);
	for (i = 0; i < N; i++)
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
	ck_assert_uint_eq(ph_state_workers(s, workers, N + 1), 0);
	ph_state_close(s);
}
END_TEST

static void
take_turn_and_die(void)
{
	_exit(ph_state_take_turn(ph_state_open("x", 0), 1000) ? 0 : 1);
}

static void
find_turn_taken(void)
{
	_exit(ph_state_take_turn(ph_state_open("x", 0), 20) ? 1 : 0);
}

START_TEST(writers_take_turns_and_the_dead_give_theirs_away)
{
	struct ph_state *s = ph_state_open("x", 0);

	ck_assert_int_eq(ph_state_take_turn(NULL, 0), 0);
	ph_state_give_turn(NULL);
	ph_state_give_turn(s);			/* nobody's turn is given away */
	ck_assert_int_eq(in_child(take_turn_and_die), 0);
	ck_assert_int_eq(ph_state_take_turn(s, 1000), 1);
	ck_assert_int_eq(ph_state_take_turn(s, 0), 1);	/* still */
	ck_assert_int_eq(in_child(find_turn_taken), 0);
	ph_state_give_turn(s);
	ck_assert_int_eq(in_child(take_turn_and_die), 0);
	ph_state_close(s);
}
END_TEST

static void
die_with_a_breaker(void)
{
	struct ph_state_breaker *b = ph_state_breaker_lock(ph_state_open("x", 0), "there");

	b->failures = 3;	/* half of what was to be written */
	_exit(0);
}

START_TEST(a_breaker_is_shared_and_survives_its_holder)
{
	struct ph_state		*s = ph_state_open("x", 0), *other = ph_state_open("x", 0);
	struct ph_state_breaker	*b = ph_state_breaker_lock(s, "here");
	int			 i;
	char			 name[16];

	b->failures = 2;
	ph_state_breaker_unlock(b);
	b = ph_state_breaker_lock(other, "here");
	ck_assert_int_eq(b->failures, 2);
	ph_state_breaker_unlock(b);
	ck_assert_int_eq(in_child(die_with_a_breaker), 0);
	b = ph_state_breaker_lock(s, "there");
	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(b->failures, 0);
	ck_assert_str_eq(b->name, "there");
	ph_state_breaker_unlock(b);
	for (i = 2; i < PH_STATE_BREAKERS; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		b = ph_state_breaker_lock(s, name);
		ck_assert_ptr_nonnull(b);
		ph_state_breaker_unlock(b);
	}
	ck_assert_ptr_null(ph_state_breaker_lock(s, "one too many"));
	ck_assert_ptr_null(ph_state_breaker_lock(NULL, "here"));
	ph_state_close(s);
	ph_state_close(other);
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("state");
	TCase	*tc = tcase_create("state");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, counts_of_a_process_outlive_it);
	tcase_add_test(tc, a_slot_of_the_dead_is_taken_over_and_its_request_counted);
	tcase_add_test(tc, probes_stay_out_of_the_rings);
	tcase_add_test(tc, failures_are_counted_by_address);
	tcase_add_test(tc, writers_take_turns_and_the_dead_give_theirs_away);
	tcase_add_loop_test(tc, nobody_takes_the_slot_of_another, 0, 20);
	tcase_add_test(tc, a_file_that_does_not_fit_is_left_alone_until_the_next_start);
	tcase_add_test(tc, a_breaker_is_shared_and_survives_its_holder);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
