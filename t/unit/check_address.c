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

/* Each entry of IANA's registries for special purposes at its first and last address, and the
 * addresses just outside. */
static const struct { const char *address; int is_public; } places[] = {
	{ "0.0.0.0", 0 }, { "0.255.255.255", 0 }, { "1.0.0.0", 1 }, { "9.255.255.255", 1 }, { "10.0.0.0", 0 },
	{ "10.255.255.255", 0 }, { "11.0.0.0", 1 }, { "100.63.255.255", 1 }, { "100.64.0.0", 0 },
	{ "100.127.255.255", 0 }, { "100.128.0.0", 1 }, { "126.255.255.255", 1 }, { "127.0.0.1", 0 },
	{ "127.255.255.255", 0 }, { "128.0.0.0", 1 }, { "169.253.255.255", 1 }, { "169.254.0.0", 0 },
	{ "169.254.169.254", 0 }, { "169.255.0.0", 1 }, { "172.15.255.255", 1 }, { "172.16.0.0", 0 },
	{ "172.31.255.255", 0 }, { "172.32.0.0", 1 }, { "191.255.255.255", 1 }, { "192.0.0.8", 0 },
	{ "192.0.1.0", 1 }, { "192.0.2.255", 0 }, { "192.0.3.0", 1 }, { "192.88.99.1", 0 },
	{ "192.167.255.255", 1 }, { "192.168.0.0", 0 }, { "192.168.255.255", 0 }, { "192.169.0.0", 1 },
	{ "198.17.255.255", 1 }, { "198.18.0.0", 0 }, { "198.19.255.255", 0 }, { "198.20.0.0", 1 },
	{ "198.51.100.1", 0 }, { "203.0.113.1", 0 }, { "203.0.114.0", 1 }, { "223.255.255.255", 1 },
	{ "224.0.0.1", 0 }, { "239.255.255.255", 0 }, { "240.0.0.1", 0 }, { "255.255.255.255", 0 },
	{ "::", 0 }, { "::1", 0 }, { "::7f00:1", 0 }, { "::ffff:10.0.0.1", 0 }, { "::ffff:9.9.9.9", 1 },
	{ "::ffff:169.254.169.254", 0 }, { "64:ff9b::a00:1", 0 }, { "64:ff9b:1::1", 0 }, { "100::1", 0 },
	{ "2000::1", 1 }, { "2001::1", 0 }, { "2001:1ff:ffff::1", 0 }, { "2001:200::1", 1 },
	{ "2001:db7:ffff::1", 1 }, { "2001:db8::1", 0 }, { "2001:db9::1", 1 }, { "2002:a00:1::1", 0 },
	{ "2003::1", 1 }, { "2606:4700::1111", 1 }, { "3ffe:ffff::1", 1 }, { "3fff::1", 0 },
	{ "4000::1", 0 }, { "5f00::1", 0 }, { "fc00::1", 0 }, { "fdff::1", 0 }, { "fe80::1", 0 },
	{ "febf::1", 0 }, { "fec0::1", 0 }, { "ff02::1", 0 },
	{ "", 0 }, { "localhost", 0 }, { "0x7f000001", 0 }, { "2130706433", 0 },
};

START_TEST(reach)
{
	ck_assert_int_eq(ph_address_is_public(places[_i].address), places[_i].is_public);
}
END_TEST

static const struct { const char *address; int is_loopback; } loops[] = {
	{ "127.0.0.1", 1 }, { "127.255.255.255", 1 }, { "128.0.0.1", 0 }, { "::1", 1 }, { "::ffff:127.0.0.1", 1 },
	{ "::", 0 }, { "0.0.0.0", 0 }, { "10.0.0.1", 0 }, { "localhost", 0 }, { "", 0 },
};

START_TEST(loopback)
{
	ck_assert_int_eq(ph_address_is_loopback(loops[_i].address), loops[_i].is_loopback);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tc = tcase_create("address");

	tcase_add_loop_test(tc, validity, 0, sizeof(cidrs) / sizeof(cidrs[0]));
	tcase_add_loop_test(tc, membership, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(tc, reach, 0, sizeof(places) / sizeof(places[0]));
	tcase_add_loop_test(tc, loopback, 0, sizeof(loops) / sizeof(loops[0]));
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
