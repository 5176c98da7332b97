/*
 * check_statistic.c -- the publishing statistics without a request: the list of them, read
 * through one connection at one instant.
 *
 * Their figures are tested end to end (t/e2e/vectors.py).
 */
#include "autoconf.h"

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "database.h"
#include "domain/statistic.h"

#define NOW INT64_C(1763807400000)	/* 2025-11-22T10:30:00Z, of dataset A */

/* Dataset A, in a transaction. */
static void
setup(void)
{
	open_database();
	run_script("t/e2e/dataset-a.sql");
	ck_assert_int_eq(ph_db_begin(db, &err), PH_OK);
}

/* All of them, each under its name, as one tree that the caller deletes. */
static cJSON *
read_all(int64_t now_ms, int64_t tz_offset_min, int is_extended)
{
	const struct ph_stat_query	 q = { db, now_ms, tz_offset_min };
	struct ph_json			*out = ph_json_new();
	cJSON				*tree;
	char				*text;
	int				 i;

	ph_json_set_extended(out, is_extended);
	for (i = 0; ph_statistics[i] != NULL; i++) {
		ph_json_obj_open(out, ph_statistics[i]->name);
		ck_assert_int_eq(ph_statistics[i]->write(&q, out, &err), PH_OK);
		ph_json_close(out);
	}
	ck_assert_int_eq(ph_json_finish(out, &text, &err), PH_OK);
	ck_assert_ptr_nonnull(tree = cJSON_Parse(text));
	free(text);
	ph_json_free(out);
	return tree;
}

START_TEST(list_is_in_order)
{
	static const char *const names[] = { "overview", "queue", "orchestrator", "platforms", "campaigns" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_str_eq(ph_statistics[i]->name, names[i]);
	ck_assert_ptr_null(ph_statistics[i]);
}
END_TEST

/* _i: extended or not. */
START_TEST(members_are_the_declared_fields)
{
	cJSON			*tree = read_all(NOW, 0, _i), *member;
	const struct ph_field	*f;
	int			 i;
	size_t			 k;

	for (i = 0; ph_statistics[i] != NULL; i++) {
		member = cJSON_GetObjectItem(tree, ph_statistics[i]->name)->child;
		for (k = 0; k < ph_statistics[i]->nfields; k++) {
			f = &ph_statistics[i]->fields[k];
			if (f->is_extended && !_i)
				continue;
			ck_assert_ptr_nonnull(member);
			ck_assert_str_eq(member->string, f->name);
			member = member->next;
		}
		ck_assert_ptr_null(member);
	}
	cJSON_Delete(tree);
}
END_TEST

/* The oldest pending log of dataset A was requested at 09:30:00, instagram's post went out at
 * 08:30:02.500 of the same day, which begins at 00:00 UTC, and at 10:00 UTC ten hours west of it. */
static const struct { int64_t now_ms, tz_offset_min; double age_s; int today; } instants[] = {
	{ NOW, 0, 3600.0, 1 }, { NOW, -600, 3600.0, 0 }, { NOW + 60000, 0, 3660.0, 1 },
};

START_TEST(figures_are_of_the_instant_asked_for)
{
	cJSON		*tree = read_all(instants[_i].now_ms, instants[_i].tz_offset_min, 1);
	const cJSON	*queue = cJSON_GetObjectItem(tree, "queue");
	const cJSON	*instagram = cJSON_GetObjectItem(cJSON_GetObjectItem(tree, "platforms"), "instagram");

	ck_assert_double_eq(cJSON_GetObjectItem(queue, "oldest_pending_age_seconds")->valuedouble,
	    instants[_i].age_s);
	ck_assert_int_eq(cJSON_GetObjectItem(instagram, "posts_today")->valueint, instants[_i].today);
	cJSON_Delete(tree);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("statistic");
	TCase *tc = tcase_create("statistic");

	tcase_add_checked_fixture(tc, setup, close_database);
	tcase_set_timeout(tc, DATABASE_TIMEOUT_S);
	tcase_add_test(tc, list_is_in_order);
	tcase_add_loop_test(tc, members_are_the_declared_fields, 0, 2);
	tcase_add_loop_test(tc, figures_are_of_the_instant_asked_for, 0,
	    (int)(sizeof(instants) / sizeof(instants[0])));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
