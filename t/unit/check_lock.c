/*
 * check_lock.c -- leases and fences at their very ends, and the turns of a job.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/job.h"
#include "core/lock.h"
#include "unit.h"

enum { T = 1000, LEASE = 120000 };	/* spec data hub 4.1: a lease of 120 s */

static char		 path[] = "/tmp/phlockXXXXXX";
static struct ph_db	*db;
static struct ph_err	 err;

/* A database with the real schema, inside a transaction. */
static void
open_db(void)
{
	const struct ph_db_limits	 limits = { .busy_timeout_ms = 0 };
	static char			 schema[200000];
	char				 name[512];
	FILE				*f;

	ck_assert_int_ge(mkstemp(path), 0);
	snprintf(name, sizeof(name), "%s/schema.sql", getenv("PH_SRCDIR"));
	f = fopen(name, "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_lt(fread(schema, 1, sizeof(schema), f), sizeof(schema));
	fclose(f);
	db = ph_db_new(path, PH_DB_WRITER, limits);
	ck_assert_int_eq(ph_db_open_raw(db, 1, &err), PH_OK);
	ck_assert_int_eq(ph_db_script(db, schema, &err), PH_OK);
	ck_assert_int_eq(ph_db_begin(db, &err), PH_OK);
}

static void
close_db(void)
{
	ph_db_end(db);
	ph_db_close(db);
	unlink(path);
}

/* The fence that an acquisition gets at an instant, 0 if it gets none. */
static int64_t
acquire(const char *name, int64_t at_ms, struct ph_lock *lock)
{
	ck_assert_int_eq(ph_lock_acquire(db, name, at_ms, lock, &err), PH_OK);
	return lock->fence;
}

START_TEST(one_holder_until_the_lease_ends)
{
	struct ph_lock a, b;

	ck_assert_int_eq(acquire("job:a", T, &a), 1);
	ck_assert_int_eq(acquire("job:a", T, &b), 0);
	ck_assert_int_eq(acquire("job:a", T + LEASE - 1, &b), 0);
	ck_assert_int_eq(ph_lock_check(db, &a, T + LEASE - 1, &err), PH_OK);
	ck_assert_int_eq(ph_lock_check(db, &a, T + LEASE, &err), PH_ECONFLICT);
	ck_assert_int_eq(acquire("job:a", T + LEASE, &b), 2);
	ck_assert_str_ne(a.owner, b.owner);
	/* The former holder is told apart also when its own clock stands still. */
	ck_assert_int_eq(ph_lock_check(db, &a, T, &err), PH_ECONFLICT);
	ck_assert_int_eq(ph_lock_heartbeat(db, &a, T, &err), PH_ECONFLICT);
	ck_assert_int_eq(ph_lock_release(db, &a, &err), PH_OK);
	ck_assert_int_eq(ph_lock_check(db, &b, T + LEASE, &err), PH_OK);
}
END_TEST

START_TEST(another_name_is_another_lock)
{
	struct ph_lock a, b;

	ck_assert_int_eq(acquire("job:a", T, &a), 1);
	ck_assert_int_eq(acquire("job:b", T, &b), 1);
}
END_TEST

START_TEST(a_heartbeat_prolongs_the_lease)
{
	struct ph_lock a, b;

	ck_assert_int_eq(acquire("job:a", T, &a), 1);
	ck_assert_int_eq(ph_lock_heartbeat(db, &a, T + LEASE - 1, &err), PH_OK);
	ck_assert_int_eq(acquire("job:a", T + LEASE, &b), 0);
	ck_assert_int_eq(acquire("job:a", T + 2 * LEASE - 2, &b), 0);
	ck_assert_int_eq(ph_lock_check(db, &a, T + 2 * LEASE - 2, &err), PH_OK);
	/* Too late by one millisecond. */
	ck_assert_int_eq(ph_lock_heartbeat(db, &a, T + 2 * LEASE - 1, &err), PH_ECONFLICT);
	ck_assert_int_eq(acquire("job:a", T + 2 * LEASE - 1, &b), 2);
}
END_TEST

START_TEST(a_released_lock_is_free_at_once_and_its_fence_goes_on)
{
	struct ph_lock a;
	int64_t i;

	for (i = 1; i <= 5; i++) {
		ck_assert_int_eq(acquire("job:a", T, &a), i);
		ck_assert_int_eq(ph_lock_release(db, &a, &err), PH_OK);
		ck_assert_int_eq(ph_lock_check(db, &a, T, &err), PH_ECONFLICT);
		ck_assert_int_eq(ph_lock_heartbeat(db, &a, T, &err), PH_ECONFLICT);
	}
}
END_TEST

START_TEST(a_name_that_does_not_fit_is_refused)
{
	char		name[PH_LOCK_NAME_SIZE + 1];
	struct ph_lock	a;

	memset(name, 'n', sizeof(name));
	name[PH_LOCK_NAME_SIZE] = '\0';
	ck_assert_int_eq(ph_lock_acquire(db, name, T, &a, &err), PH_EINTERNAL);
	ck_assert_int_eq(a.fence, 0);
	name[PH_LOCK_NAME_SIZE - 1] = '\0';
	ck_assert_int_eq(acquire(name, T, &a), 1);
}
END_TEST

START_TEST(an_owner_is_host_pid_and_8_hexadecimal_digits)
{
	char		host[65] = "", head[96];
	struct ph_lock	a;

	ck_assert_int_eq(gethostname(host, sizeof(host) - 1), 0);
	snprintf(head, sizeof(head), "%s:%ld:", host, (long)getpid());
	acquire("job:a", T, &a);
	ck_assert_int_eq(strncmp(a.owner, head, strlen(head)), 0);
	ck_assert_uint_eq(strspn(a.owner + strlen(head), "0123456789abcdef"), 8);
	ck_assert_uint_eq(strlen(a.owner), strlen(head) + 8);
}
END_TEST

/* 2025-11-22T10:30:00Z is 1763807400000. */
static const struct { int interval_s; int64_t now_ms, next_ms; } turns[] = {
	{ 60, 1763807400000, 1763807460000 }, { 60, 1763807400001, 1763807460000 },
	{ 60, 1763807399999, 1763807400000 }, { 1, 1763807400000, 1763807401000 },
	{ 1, 1763807400999, 1763807401000 }, { 3600, 1763807400000, 1763809200000 },
	{ 86400, 1763807400000, 1763856000000 }, { 60, 0, 60000 },
};

START_TEST(next_turn)
{
	ck_assert_int_eq(ph_job_next_turn(turns[_i].interval_s, turns[_i].now_ms), turns[_i].next_ms);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lock");
	TCase *locks = tcase_create("lock"), *jobs = tcase_create("turns");

	tcase_add_checked_fixture(locks, open_db, close_db);
	tcase_add_test(locks, one_holder_until_the_lease_ends);
	tcase_add_test(locks, another_name_is_another_lock);
	tcase_add_test(locks, a_heartbeat_prolongs_the_lease);
	tcase_add_test(locks, a_released_lock_is_free_at_once_and_its_fence_goes_on);
	tcase_add_test(locks, a_name_that_does_not_fit_is_refused);
	tcase_add_test(locks, an_owner_is_host_pid_and_8_hexadecimal_digits);
	suite_add_tcase(suite, locks);
	tcase_add_loop_test(jobs, next_turn, 0, sizeof(turns) / sizeof(turns[0]));
	suite_add_tcase(suite, jobs);
	return run_suite(suite);
}
