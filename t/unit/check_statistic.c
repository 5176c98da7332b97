/*
 * check_statistic.c -- the publishing statistics without a request: the list of them, read
 * through one connection at one instant.
 *
 * Their figures are tested end to end (t/e2e/vectors.py).
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "core/config.h"
#include "domain/statistic.h"
#include "unit.h"

#define NOW INT64_C(1763807400000)	/* 2025-11-22T10:30:00Z, of dataset A */

static char		 dir[] = "/tmp/check_statistic.XXXXXX", path[sizeof(dir) + 16];
static struct ph_err	 err;
static struct ph_db	*db;

/* Run a script of the source directory; PH_SRCDIR as in the other tests. */
static void
run_script(const char *name)
{
	const char	*src = getenv("PH_SRCDIR");
	char		 script[512], *sql = calloc(1, 1 << 20);
	FILE		*f;

	snprintf(script, sizeof(script), "%s/%s", src != NULL ? src : ".", name);
	ck_assert_ptr_nonnull(f = fopen(script, "r"));
	ck_assert_uint_lt(fread(sql, 1, 1 << 20, f), 1 << 20);
	fclose(f);
	ck_assert_int_eq(ph_db_script(db, sql, &err), PH_OK);
	free(sql);
}

/* A database with dataset A, in a transaction. */
static void
setup(void)
{
	const struct ph_db_limits limits = { 0, 0 };

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/pilothouse.db", dir);
	ck_assert_int_eq(ph_config_load(dir, &err), PH_OK);
	ck_assert_ptr_nonnull(db = ph_db_new(path, PH_DB_WRITER, limits));
	ck_assert_int_eq(ph_db_open_raw(db, 1, &err), PH_OK);
	run_script("schema.sql");
	run_script("t/e2e/dataset-a.sql");
	ck_assert_int_eq(ph_db_begin(db, &err), PH_OK);
}

static void
teardown(void)
{
	ph_db_end(db);
	ph_db_close(db);
	unlink(path);
	rmdir(dir);
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

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, list_is_in_order);
	tcase_add_loop_test(tc, members_are_the_declared_fields, 0, 2);
	tcase_add_loop_test(tc, figures_are_of_the_instant_asked_for, 0,
	    (int)(sizeof(instants) / sizeof(instants[0])));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
