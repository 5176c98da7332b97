/*
 * check_config.c -- the settings file: what is taken, what is refused and how it says so.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config.h"
#include "unit.h"

static char home[] = "/tmp/phconfXXXXXX";

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(home));
	unsetenv("PH_PORT");
}

static void
tear_down(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/pilothouse.conf", home);
	unlink(path);
	rmdir(home);
}

static enum ph_rc
load(const char *text, mode_t mode, struct ph_err *err)
{
	char	 path[64];
	FILE	*f;

	snprintf(path, sizeof(path), "%s/pilothouse.conf", home);
	ck_assert_ptr_nonnull(f = fopen(path, "w"));
	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
	return ph_config_load(home, err);
}

static const struct { const char *text; int64_t port; } good[] = {
	{ "", 8080 }, { "# PH_PORT=1\n\n", 8080 }, { "PH_PORT=81\n", 81 }, { "PH_PORT=82", 82 },
	{ "export PH_PORT=83\n", 83 }, { "PH_PORT='84'\n", 84 }, { "PH_PORT=\"85\" \t\r\n", 85 },
	{ "PH_PORT=1\nPH_PORT=86\n", 86 }, { "OTHER_NAME=$(rm -rf)\nPH_PORT=87\n", 87 },
};

START_TEST(a_good_file)
{
	struct ph_err err = { .rc = PH_OK };

	ck_assert_int_eq(load(good[_i].text, 0600, &err), PH_OK);
	ck_assert_int_eq(ph_config_int(PH_CFG_PORT), good[_i].port);
}
END_TEST

static const struct { const char *text, *says; } bad[] = {
	{ "\nPH_PORT=0\n", "line 2: PH_PORT" }, { "PH_PORT=65536\n", "line 1: PH_PORT" },
	{ "PH_PORT=x\n", "line 1: PH_PORT" }, { "PH_PORT\n", "line 1: NAME=value" }, { "=1\n", "line 1: NAME=value" },
	{ "PH_PROT=1\n", "line 1: PH_PROT" }, { "PH_HOME=/x\n", "line 1: PH_HOME" },
	{ "PH_ADDRESS=1;x\n", "line 1: PH_ADDRESS" }, { "PH_ALLOW=10.0.0.0/8 nonsense\n", "nonsense" },
	{ "PH_CORS_ORIGINS=example.com\n", "example.com" }, { "PH_CORS_ORIGINS=https://a.example/path\n", "a.example" },
	{ "PH_TLS=2\n", "line 1: PH_TLS" },
};

START_TEST(a_bad_file)
{
	struct ph_err err = { .rc = PH_OK };

	ck_assert_int_eq(load(bad[_i].text, 0600, &err), PH_EPARAM);
	ck_assert_ptr_nonnull(strstr(err.detail, bad[_i].says));
}
END_TEST

START_TEST(others_may_not_read_it)
{
	struct ph_err err = { .rc = PH_OK };

	ck_assert_int_eq(load("PH_PORT=81\n", 0640, &err), PH_OK);
	ck_assert_int_eq(load("PH_PORT=81\n", 0644, &err), PH_EPARAM);
	ck_assert_int_eq(load("PH_PORT=81\n", 0660, &err), PH_EPARAM);
}
END_TEST

START_TEST(the_environment_wins)
{
	struct ph_err err = { .rc = PH_OK };

	setenv("PH_PORT", "99", 1);
	ck_assert_int_eq(load("PH_PORT=81\n", 0600, &err), PH_OK);
	ck_assert_int_eq(ph_config_int(PH_CFG_PORT), 99);
	ck_assert_str_eq(ph_config_source(PH_CFG_PORT), "environment");
	setenv("PH_PORT", "none", 1);
	ck_assert_int_eq(load("", 0600, &err), PH_EPARAM);
}
END_TEST

START_TEST(every_default_is_valid)
{
	char why[160];

	ck_assert_int_eq(ph_setting_check((enum ph_setting_id)_i, ph_setting((enum ph_setting_id)_i)->dflt,
	    why, sizeof(why)), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, a_good_file, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, a_bad_file, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, others_may_not_read_it);
	tcase_add_test(tc, the_environment_wins);
	tcase_add_loop_test(tc, every_default_is_valid, 0, PH_CFG__MAX);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
