/*
 * check_auth.c -- scopes, roles, and the published vectors behind token hashes.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/auth.h"
#include "core/hash.h"
#include "unit.h"

static const struct { const char *scopes, *needed; int is_allowed; } allowed[] = {
	{ "dashboard:read", "dashboard:read", 1 }, { "a dashboard:read b", "dashboard:read", 1 },
	{ "dashboard:reader", "dashboard:read", 0 }, { "dashboard:rea", "dashboard:read", 0 },
	{ "", "dashboard:read", 0 }, { "admin", "dashboard:read", 1 }, { "admins", "dashboard:read", 0 },
	{ "dashboard:write", "dashboard:read", 0 },
};

START_TEST(scopes)
{
	ck_assert_int_eq(ph_scopes_allow(allowed[_i].scopes, allowed[_i].needed), allowed[_i].is_allowed);
}
END_TEST

static const struct { const char *a, *b, *both; } within[] = {
	{ "x y", "y z", "y" }, { "x y", "admin", "x y" }, { "admin", "x y", "x y" }, { "admin", "admin", "admin" },
	{ "", "admin", "" }, { "x", "", "" },
};

START_TEST(a_token_has_no_more_than_its_owner)
{
	char out[PH_SCOPES_MAX + 1];

	ph_scopes_within(within[_i].a, within[_i].b, out);
	ck_assert_str_eq(out, within[_i].both);
}
END_TEST

/* spec publishing c.9: viewer reads; operator also acts and exports; manager also writes and
 * deletes; admin may everything. */
static const struct { const char *role, *scope; int has; } roles[] = {
	{ "viewer", "dashboard:read", 1 }, { "viewer", "dashboard:export", 0 }, { "viewer", "actions:run", 0 },
	{ "operator", "dashboard:read", 1 }, { "operator", "actions:run", 1 }, { "operator", "alerts:write", 1 },
	{ "operator", "dashboard:export", 1 }, { "operator", "dashboard:write", 0 },
	{ "operator", "actions:destructive", 0 }, { "manager", "actions:run", 1 },
	{ "manager", "dashboard:write", 1 }, { "manager", "actions:destructive", 1 }, { "manager", "admin", 0 },
	{ "admin", "actions:destructive", 1 }, { "admin", "admin", 1 }, { "nobody", "dashboard:read", 0 },
};

START_TEST(role_scopes)
{
	char out[PH_SCOPES_MAX + 1];

	ph_role_scopes(roles[_i].role, out);
	ck_assert_int_eq(ph_scopes_allow(out, roles[_i].scope), roles[_i].has);
}
END_TEST

/* FIPS 180-4 examples, as published by NIST. */
static const struct { const char *text, *hex; } sha256[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(sha256_vectors)
{
	unsigned char	hash[PH_SHA256_SIZE];
	char		hex[2 * PH_SHA256_SIZE + 1];
	size_t		i;

	ph_sha256(hash, sha256[_i].text, strlen(sha256[_i].text));
	for (i = 0; i < PH_SHA256_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	ck_assert_str_eq(hex, sha256[_i].hex);
}
END_TEST

START_TEST(random_text_has_its_form)
{
	char a[PH_RANDOM_TEXT_SIZE], b[PH_RANDOM_TEXT_SIZE], uuid[37];

	ph_random_text(a);
	ph_random_text(b);
	ck_assert_uint_eq(strlen(a), 43);
	ck_assert_uint_eq(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
	ck_assert_str_ne(a, b);
	ph_uuid(uuid);
	ck_assert_uint_eq(strlen(uuid), 36);
	ck_assert_int_eq(uuid[14], '4');
	ck_assert_ptr_nonnull(strchr("89ab", uuid[19]));
}
END_TEST

#define LOOP(tc, test, table) tcase_add_loop_test(tc, test, 0, sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("auth");
	TCase *tc = tcase_create("auth");

	LOOP(tc, scopes, allowed);
	LOOP(tc, a_token_has_no_more_than_its_owner, within);
	LOOP(tc, role_scopes, roles);
	LOOP(tc, sha256_vectors, sha256);
	tcase_add_test(tc, random_text_has_its_form);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
