/*
 * check_idset.c -- a set of ids finds each id it was given and no other, however it has grown.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/idset.h"
#include "unit.h"

enum { MANY = 100000, ID_SIZE = 64 };

/* Ids that differ in their first, last or middle bytes, in one bit, or in length only. */
static void
make_id(char buf[ID_SIZE], uint32_t i)
{
	switch (i % 4) {
	case 0:
		snprintf(buf, ID_SIZE, "%" PRIu32, i);
		break;
	case 1:
		snprintf(buf, ID_SIZE, "%08" PRIx32 "-0000-7000-8000-000000000000", i);
		break;
	case 2:
		snprintf(buf, ID_SIZE, "00000000-0000-7000-8000-%012" PRIx32, i);
		break;
	default:
		snprintf(buf, ID_SIZE, "%*s", (int)(i / 4 % 40), "");
		snprintf(buf + strlen(buf), ID_SIZE - strlen(buf), "%" PRIu32, i);
		break;
	}
}

START_TEST(many)
{
	struct ph_idset	*set = ph_idset_new(sizeof(uint32_t));
	uint32_t	 i, record;
	char		 id[ID_SIZE];

	ck_assert_ptr_nonnull(set);
	for (i = 0; i < MANY; i++) {
		make_id(id, i);
		ck_assert_int_eq(ph_idset_find(set, id, strlen(id)), -1);
		ck_assert_int_eq(ph_idset_add(set, id, strlen(id)), (long)i);
		memcpy(&record, ph_idset_record(set, (long)i), sizeof(record));
		ck_assert_uint_eq(record, 0);
		memcpy(ph_idset_record(set, (long)i), &i, sizeof(i));
	}
	ck_assert_uint_eq(ph_idset_count(set), MANY);
	for (i = 0; i < MANY; i++) {
		make_id(id, i);
		ck_assert_int_eq(ph_idset_add(set, id, strlen(id)), (long)i);
		ck_assert_int_eq(ph_idset_find(set, id, strlen(id)), (long)i);
		ck_assert_str_eq(ph_idset_id(set, (long)i), id);
		memcpy(&record, ph_idset_record(set, (long)i), sizeof(record));
		ck_assert_uint_eq(record, i);
	}
	ck_assert_uint_eq(ph_idset_count(set), MANY);
	ck_assert_int_eq(ph_idset_find(set, "not there", strlen("not there")), -1);
	ph_idset_free(set);
}
END_TEST

START_TEST(edges)
{
	struct ph_idset	*set = ph_idset_new(0);
	char		 zeros[9] = "00000000", longest[40000];

	ck_assert_ptr_nonnull(set);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_int_eq(ph_idset_add(set, "", strlen("")), 0);
	ck_assert_int_eq(ph_idset_add(set, zeros, strlen(zeros)), 1);
	zeros[7] = '\0';			/* another id, with the same eight bytes of padding */
	ck_assert_int_eq(ph_idset_add(set, zeros, strlen(zeros)), 2);
	ck_assert_int_eq(ph_idset_add(set, longest, strlen(longest)), 3);
	ck_assert_int_eq(ph_idset_add(set, "", strlen("")), 0);
	ck_assert_int_eq(ph_idset_find(set, longest, strlen(longest)), 3);
	ph_idset_free(set);
	ph_idset_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("idset");
	TCase *tc = tcase_create("idset");

	tcase_add_test(tc, many);
	tcase_add_test(tc, edges);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
