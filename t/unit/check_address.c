/*
 * check_address.c -- networks in CIDR notation.
 */
#include "autoconf.h"

#include <string.h>

#include "core/address.h"
#include "unit.h"

static const struct { const char *cidr; int is_valid; } cidrs[] = {
	{ "10.0.0.0/8", 1 }, { "127.0.0.1", 1 }, { "::1", 1 }, { "2001:db8::/32", 1 }, { "0.0.0.0/0", 1 },
	{ "::/0", 1 }, { "10.0.0.0/33", 0 }, { "::1/129", 0 }, { "10.0.0/8", 0 }, { "10.0.0.0/", 0 },
	{ "10.0.0.0/-1", 0 }, { "localhost", 0 }, { "", 0 }, { "/8", 0 },
};

START_TEST(validity)
{
	ck_assert_int_eq(ph_cidr_is_valid(cidrs[_i].cidr, strlen(cidrs[_i].cidr)), cidrs[_i].is_valid);
}
END_TEST

static const struct { const char *list, *address; int is_in; } cases[] = {
	{ "", "1.2.3.4", 1 }, { "  ", "1.2.3.4", 1 }, { "10.0.0.0/8", "10.255.255.255", 1 },
	{ "10.0.0.0/8", "11.0.0.0", 0 }, { "10.1.2.0/23", "10.1.3.255", 1 }, { "10.1.2.0/23", "10.1.4.0", 0 },
	{ "10.1.2.3", "10.1.2.3", 1 }, { "10.1.2.3", "10.1.2.4", 0 }, { "0.0.0.0/0", "9.9.9.9", 1 },
	{ "0.0.0.0/0", "::1", 0 }, { "10.0.0.0/8", "::ffff:10.1.1.1", 1 }, { "::1", "::1", 1 },
	{ "2001:db8::/33", "2001:db8:7fff::1", 1 }, { "2001:db8::/33", "2001:db8:8000::1", 0 },
	{ "10.0.0.0/8 192.168.0.0/16", "192.168.7.7", 1 }, { "10.0.0.0/8", "", 0 }, { "10.0.0.0/8", "x", 0 },
	{ "garbage", "10.0.0.1", 0 },
};

START_TEST(membership)
{
	ck_assert_int_eq(ph_address_is_in(cases[_i].list, cases[_i].address), cases[_i].is_in);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tc = tcase_create("address");

	tcase_add_loop_test(tc, validity, 0, sizeof(cidrs) / sizeof(cidrs[0]));
	tcase_add_loop_test(tc, membership, 0, sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
