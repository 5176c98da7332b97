/*
 * check_request.c -- query strings, cookies, credentials, entity tags.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/request.h"
#include "unit.h"

static const char *const colours[] = { "red", "green", NULL };
enum { P_N, P_COLOUR, P_NAME, P_NEEDED, P_COUNT };
static const struct ph_param params[P_COUNT] = {
	[P_N] = { .name = "n", .type = PH_P_INT, .min = -5, .max = 5, .dflt = 2 },
	[P_COLOUR] = { .name = "colour", .type = PH_P_CHOICE, .choices = colours, .dflt = 1 },
	[P_NAME] = { .name = "name", .type = PH_P_TEXT, .min = 1, .max = 6 },
	[P_NEEDED] = { .name = "needed", .type = PH_P_INT, .is_required = 1, .min = 0, .max = 1 },
};

/* What a query gives: bad is the first parameter that is named, NULL for none. */
static const struct { const char *query; enum ph_rc rc; const char *bad; int64_t n; } queries[] = {
	{ "needed=1", PH_OK, NULL, 2 },
	{ "needed=1&n=-5", PH_OK, NULL, -5 },
	{ "&&needed=1&&n=5&", PH_OK, NULL, 5 },
	{ "needed=1&n=%35", PH_OK, NULL, 5 },
	{ "%6Eeeded=1&%6e=3", PH_OK, NULL, 3 },
	{ "needed=1&other=x&other=y", PH_OK, NULL, 2 },
	{ "needed=1&other", PH_OK, NULL, 2 },
	{ "needed=1&name=a+b%C3%A9", PH_OK, NULL, 2 },
	{ "needed=1&n=6", PH_EPARAM, "n", 0 },
	{ "needed=1&n=-6", PH_EPARAM, "n", 0 },
	{ "needed=1&n=", PH_EPARAM, "n", 0 },
	{ "needed=1&n", PH_EPARAM, "n", 0 },
	{ "needed=1&n=1&n=1", PH_EPARAM, "n", 0 },
	{ "needed=1&n=1&%6E=1", PH_EPARAM, "n", 0 },
	{ "needed=1&colour=blue", PH_EPARAM, "colour", 0 },
	{ "needed=1&colour=Red", PH_EPARAM, "colour", 0 },
	{ "needed=1&name=", PH_EPARAM, "name", 0 },
	{ "needed=1&name=abcdefg", PH_EPARAM, "name", 0 },
	{ "needed=1&name=a%0Ab", PH_EPARAM, "name", 0 },
	{ "needed=1&name=%zz", PH_EPARAM, "name", 0 },
	{ "needed=1&name=%4", PH_EPARAM, "name", 0 },
	{ "needed=1&name=%", PH_EPARAM, "name", 0 },
	{ "needed=1&name=a%00b", PH_EPARAM, "name", 0 },
	{ "needed=1&name=%ff", PH_EPARAM, "name", 0 },
	{ "needed=1&name=%c0%80", PH_EPARAM, "name", 0 },
	{ "needed=1&other=%zz", PH_EPARAM, "other", 0 },
	{ "needed=1&%zz=1", PH_EPARAM, "%zz", 0 },
	{ "", PH_EPARAM, "needed", 0 },
	{ "n=1", PH_EPARAM, "needed", 0 },
};

START_TEST(query)
{
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };
	const char	*q = queries[_i].query;

	ck_assert_int_eq(ph_args_parse(&a, q, strlen(q), params, P_COUNT, &err), queries[_i].rc);
	if (queries[_i].bad == NULL) {
		ck_assert_uint_eq(err.nparams, 0);
		ck_assert_int_eq(a.values[P_N].num, queries[_i].n);
	} else {
		ck_assert_uint_ge(err.nparams, 1);
		ck_assert_str_eq(err.params[0].param, queries[_i].bad);
		ck_assert_int_ne(err.detail[0], '\0');
	}
}
END_TEST

START_TEST(query_text_is_decoded)
{
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };
	const char	q[] = "needed=0&name=a+b%C3%A9";

	ck_assert_int_eq(ph_args_parse(&a, q, strlen(q), params, P_COUNT, &err), PH_OK);
	ck_assert_str_eq(a.values[P_NAME].text, "a b\xc3\xa9");
	ck_assert_int_eq(a.values[P_COLOUR].num, 1);
	ck_assert(!a.values[P_COLOUR].is_set);
}
END_TEST

START_TEST(query_limits)
{
	static char	q[PH_QUERY_MAX + 2];
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };
	size_t		i;

	memset(q, 'x', sizeof(q));
	memcpy(q, "needed=1&", 9);
	ck_assert_int_eq(ph_args_parse(&a, q, PH_QUERY_MAX, params, P_COUNT, &err), PH_OK);
	ck_assert_int_eq(ph_args_parse(&a, q, PH_QUERY_MAX + 1, params, P_COUNT, &err), PH_EURITOOLONG);
	for (i = 0; i < PH_PAIRS_MAX - 1; i++)
		memcpy(q + 2 * i, "a&", 2);
	memcpy(q + 2 * i, "needed=1&a", 11);
	ck_assert_int_eq(ph_args_parse(&a, q, 2 * i + 8, params, P_COUNT, &err), PH_OK);
	ck_assert_int_eq(ph_args_parse(&a, q, strlen(q), params, P_COUNT, &err), PH_EPARAM);
	ck_assert_str_eq(err.params[0].param, "query");
}
END_TEST

START_TEST(query_errors_are_counted)
{
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };
	const char	q[] = "n=9&colour=x&name=%&a=%&b=%&c=%&d=%&e=%&f=%&g=%";

	ck_assert_int_eq(ph_args_parse(&a, q, strlen(q), params, P_COUNT, &err), PH_EPARAM);
	ck_assert_uint_eq(err.nparams, PH_ERR_PARAMS_MAX);
}
END_TEST

static const struct { const char *header; const char *value; } cookies[] = {
	{ "ph_session=abc", "abc" }, { "a=b; ph_session=abc", "abc" }, { "a=b;ph_session=abc;c=d", "abc" },
	{ "ph_session=\"abc\"", "abc" }, { "ph_session=abc ; x=y", "abc" }, { "ph_session=", NULL },
	{ "xph_session=abc", NULL }, { "ph_sessionx=abc", NULL }, { "ph_session", NULL }, { "", NULL },
	{ ";;;", NULL }, { "ph_session=a b", NULL }, { "ph_session=a\x7f", NULL },
	{ "ph_session=0123456789abcdef", NULL },	/* does not fit into 16 with its NUL */
	{ "ph_session=0123456789abcde", "0123456789abcde" },
};

START_TEST(cookie)
{
	char		out[16];
	const int	rc = ph_cookie(cookies[_i].header, "ph_session", out, sizeof(out));

	ck_assert_int_eq(rc, cookies[_i].value != NULL ? 0 : -1);
	if (rc == 0)
		ck_assert_str_eq(out, cookies[_i].value);
}
END_TEST

static const struct { const char *list; int is_match; } etags[] = {
	{ "\"abc\"", 1 }, { "W/\"abc\"", 1 }, { "\"x\", \"abc\"", 1 }, { "\"x\",W/\"abc\" , \"y\"", 1 },
	{ "*", 1 }, { "\"ab\"", 0 }, { "\"abcd\"", 0 }, { "abc", 0 }, { "", 0 }, { "\"abc", 0 },
	{ "w/\"abc\"", 0 }, { ",,", 0 },
};

START_TEST(etag)
{
	ck_assert_int_eq(ph_etag_matches(etags[_i].list, "\"abc\""), etags[_i].is_match);
}
END_TEST

static const struct { const char *env; enum ph_rc rc; const char *token; int from_cookie; } credentials[] = {
	{ "HTTP_AUTHORIZATION=Bearer tok", PH_OK, "tok", 0 },
	{ "HTTP_AUTHORIZATION=bearer   tok", PH_OK, "tok", 0 },
	{ "HTTP_AUTHORIZATION=tok", PH_OK, "tok", 0 },
	{ "HTTP_X_API_KEY=tok", PH_OK, "tok", 0 },
	{ "HTTP_X_CRON_SECRET=tok", PH_OK, "tok", 0 },
	{ "HTTP_X_INTEL_API_KEY=tok", PH_OK, "tok", 0 },
	{ "HTTP_COOKIE=ph_session=tok", PH_OK, "tok", 1 },
	{ "HTTP_COOKIE=other=tok", PH_ENOCREDENTIALS, NULL, 0 },
	{ "HTTP_AUTHORIZATION=", PH_ENOCREDENTIALS, NULL, 0 },
	{ "HTTP_AUTHORIZATION=Basic dXNlcjpwYXNz", PH_EBADCREDENTIALS, NULL, 0 },
	{ "HTTP_AUTHORIZATION=Bearer ", PH_EBADCREDENTIALS, NULL, 0 },
	{ "HTTP_AUTHORIZATION=Bearer a\tb", PH_EBADCREDENTIALS, NULL, 0 },
	{ "HTTP_X_AUTHORIZATION=tok", PH_ENOCREDENTIALS, NULL, 0 },
	{ "AUTHORIZATION=tok", PH_ENOCREDENTIALS, NULL, 0 },
};

START_TEST(credential)
{
	struct ph_err	err = { .rc = PH_OK };
	char		entry[64], out[PH_TOKEN_MAX + 1];
	char		*envp[] = { entry, NULL };
	int		 from_cookie;

	snprintf(entry, sizeof(entry), "%s", credentials[_i].env);
	ck_assert_int_eq(ph_credential(envp, out, &from_cookie, &err), credentials[_i].rc);
	if (credentials[_i].token != NULL) {
		ck_assert_str_eq(out, credentials[_i].token);
		ck_assert_int_eq(from_cookie, credentials[_i].from_cookie);
	}
}
END_TEST

START_TEST(credential_length)
{
	static char	 entry[PH_TOKEN_MAX + 32];
	struct ph_err	 err = { .rc = PH_OK };
	char		 out[PH_TOKEN_MAX + 1];
	char		*envp[] = { entry, NULL };
	int		 from_cookie;
	const size_t	 prefix = strlen("HTTP_X_API_KEY=");

	memcpy(entry, "HTTP_X_API_KEY=", prefix);
	memset(entry + prefix, 'k', PH_TOKEN_MAX);
	ck_assert_int_eq(ph_credential(envp, out, &from_cookie, &err), PH_OK);
	entry[prefix + PH_TOKEN_MAX] = 'k';
	ck_assert_int_eq(ph_credential(envp, out, &from_cookie, &err), PH_EBADCREDENTIALS);
}
END_TEST

static const struct { const char *id; int is_valid; } request_ids[] = {
	{ "a", 1 }, { "A-b_c.9", 1 }, { "", 0 }, { "a b", 0 }, { "a/b", 0 }, { "a\n", 0 }, { "\xc3\xa9", 0 },
	{ "0123456789012345678901234567890123456789012345678901234567890123", 1 },
	{ "01234567890123456789012345678901234567890123456789012345678901234", 0 },
};

START_TEST(request_id)
{
	ck_assert_int_eq(ph_request_id_is_valid(request_ids[_i].id), request_ids[_i].is_valid);
}
END_TEST

#define LOOP(tc, test, table) tcase_add_loop_test(tc, test, 0, sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite *suite = suite_create("request");
	TCase *tc = tcase_create("request");

	LOOP(tc, query, queries);
	tcase_add_test(tc, query_text_is_decoded);
	tcase_add_test(tc, query_limits);
	tcase_add_test(tc, query_errors_are_counted);
	LOOP(tc, cookie, cookies);
	LOOP(tc, etag, etags);
	LOOP(tc, credential, credentials);
	tcase_add_test(tc, credential_length);
	LOOP(tc, request_id, request_ids);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
