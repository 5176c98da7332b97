/*
 * check_list.c -- a cursor says where it was made, or says nothing: at the ends of integers, and without memory.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "core/config.h"
#include "domain/list-query.h"
#include "domain/lists.h"
#include "unit.h"

enum { NOW = 1763807400, ALLOCATIONS_MAX = 1000 };

static struct ph_list_params	params;
static struct ph_args		args;
static struct ph_list_query	first, next;
static struct ph_err		err;
static char			home[] = "/tmp/check_list.XXXXXX";
static int			left = -1;	/* allocations of cJSON until one fails; -1: none does */

static void *
allocate(size_t size)
{
	return left >= 0 && left-- == 0 ? NULL : malloc(size);
}

static void
set_up(void)
{
	cJSON_Hooks hooks = { .malloc_fn = allocate, .free_fn = free };

	ck_assert_ptr_nonnull(mkdtemp(home));
	ck_assert_int_eq(ph_config_load(home, &err), PH_OK);
	ph_list_params(&ph_list_ledger, &params);
	cJSON_InitHooks(&hooks);
}

static void
tear_down(void)
{
	char path[512];

	cJSON_InitHooks(NULL);
	unlink(ph_config_path(path, sizeof(path), "secret"));
	rmdir(home);
}

static enum ph_rc
read_query(struct ph_list_query *q, const char *text)
{
	ph_args_init(&args, params.table, params.n);
	ck_assert_int_eq(ph_args_query(&args, text, strlen(text), params.table, params.n, NOW, &err), PH_OK);
	return ph_list_read(q, &ph_list_ledger, &params, &args, NOW, &err);
}

/* The next query, behind a row of the first one. */
static enum ph_rc
go_on(int64_t value, const char *id)
{
	struct ph_list_position	at = { .is_set = 1, .num = value };
	char			cursor[PH_SEALED_MAX], text[PH_SEALED_MAX + 64];
	enum ph_rc		rc;

	snprintf(at.id, sizeof(at.id), "%s", id);
	if ((rc = ph_list_make_cursor(&first, &at, cursor, &err)) != PH_OK)
		return rc;
	snprintf(text, sizeof(text), "from=5&to=99&cursor=%s", cursor);
	return read_query(&next, text);
}

static void
check_next(int64_t value, const char *id)
{
	ck_assert_int_eq(next.after.num, value);
	ck_assert_int_eq(next.after.is_set, 1);
	ck_assert_int_eq(next.after.is_end, 0);
	ck_assert_str_eq(next.after.id, id);
	ck_assert_int_eq(next.filter.from_ms, 5);
	ck_assert_int_eq(next.filter.to_ms, 99);
	ck_assert_int_eq(next.total, 1234);
	ck_assert_int_eq(next.is_capped, 1);
}

static const struct { int64_t value; const char *id; } rows[] = {
	{ INT64_MIN, "a" }, { -1, "it's" }, { 0, "" }, { (INT64_C(1) << 53) + 1, "\"\\" },
	{ INT64_MAX - 1, "\xff not UTF-8" }, { INT64_MAX, "\xc3\xa9\n" },
};

START_TEST(there_and_back)
{
	ck_assert_int_eq(read_query(&first, "from=5&to=99"), PH_OK);
	first.total = 1234;
	first.is_capped = 1;
	ck_assert_int_eq(go_on(rows[_i].value, rows[_i].id), PH_OK);
	check_next(rows[_i].value, rows[_i].id);
}
END_TEST

/* Whichever allocation fails: all of the position, or a failure that says why. */
START_TEST(without_memory)
{
	enum ph_rc	rc = PH_ENOMEM;
	int		n;

	ck_assert_int_eq(read_query(&first, "from=5&to=99"), PH_OK);
	first.total = 1234;
	first.is_capped = 1;
	for (n = 0; rc != PH_OK && n < ALLOCATIONS_MAX; n++) {
		left = n;
		rc = go_on(7, "an id");
		ck_assert(rc == PH_OK || rc == PH_ENOMEM);
		if (rc == PH_OK)
			check_next(7, "an id");
	}
	ck_assert_int_ge(n, 10);
	left = -1;
}
END_TEST

int
main(void)
{
	Suite	*suite = suite_create("list");
	TCase	*tc = tcase_create("cursor");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, there_and_back, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, without_memory);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
