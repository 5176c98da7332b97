/*
 * check_request.c -- query strings, cookies, credentials, entity tags.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/request.h"
#include "unit.h"

static const char *const colours[] = { "red", "green", NULL };
enum { P_N, P_COLOUR, P_NAME, P_NEEDED, P_REAL, P_COUNT };
static const struct ph_param params[P_COUNT] = {
	[P_N] = { .name = "n", .type = PH_P_INT, .min = -5, .max = 5, .dflt = 2 },
	[P_COLOUR] = { .name = "colour", .type = PH_P_CHOICE, .choices = colours, .dflt = 1 },
	[P_NAME] = { .name = "name", .type = PH_P_TEXT, .min = 1, .max = 6 },
	[P_REAL] = { .name = "real", .type = PH_P_NUMBER, .min = -1, .max = 1 },
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
	{ "needed=1&real=-1.0", PH_OK, NULL, 2 },
	{ "needed=1&real=0.999999999999999", PH_OK, NULL, 2 },
	{ "needed=1&real=1", PH_OK, NULL, 2 },
	{ "needed=1&real=1.01", PH_EPARAM, "real", 0 },
	{ "needed=1&real=-1.01", PH_EPARAM, "real", 0 },
	{ "needed=1&real=", PH_EPARAM, "real", 0 },
	{ "needed=1&real=-", PH_EPARAM, "real", 0 },
	{ "needed=1&real=.5", PH_EPARAM, "real", 0 },
	{ "needed=1&real=0.", PH_EPARAM, "real", 0 },
	{ "needed=1&real=0.5x", PH_EPARAM, "real", 0 },
	{ "needed=1&real=0x1", PH_EPARAM, "real", 0 },
	{ "needed=1&real=1e0", PH_EPARAM, "real", 0 },
	{ "needed=1&real=nan", PH_EPARAM, "real", 0 },
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

enum { NOW_MS = 1000000000 };

/* As an endpoint reads a request without path and body. */
static enum ph_rc
query_args(struct ph_args *a, const char *q, size_t len, struct ph_err *err)
{
	enum ph_rc rc;

	err->nparams = 0;
	ph_args_init(a, params, P_COUNT);
	rc = ph_args_query(a, q, len, params, P_COUNT, NOW_MS, err);
	return rc == PH_OK || rc == PH_EPARAM ? ph_args_finish(a, "", params, P_COUNT, err) : rc;
}

START_TEST(query)
{
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };
	const char	*q = queries[_i].query;

	ck_assert_int_eq(query_args(&a, q, strlen(q), &err), queries[_i].rc);
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

	ck_assert_int_eq(query_args(&a, q, strlen(q), &err), PH_OK);
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
	ck_assert_int_eq(query_args(&a, q, PH_QUERY_MAX, &err), PH_OK);
	ck_assert_int_eq(query_args(&a, q, PH_QUERY_MAX + 1, &err), PH_EURITOOLONG);
	for (i = 0; i < PH_PAIRS_MAX - 1; i++)
		memcpy(q + 2 * i, "a&", 2);
	memcpy(q + 2 * i, "needed=1&a", 11);
	ck_assert_int_eq(query_args(&a, q, 2 * i + 8, &err), PH_OK);
	ck_assert_int_eq(query_args(&a, q, strlen(q), &err), PH_EPARAM);
	ck_assert_str_eq(err.params[0].param, "query");
}
END_TEST

START_TEST(query_errors_are_counted)
{
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };
	const char	q[] = "n=9&colour=x&name=%&a=%&b=%&c=%&d=%&e=%&f=%&g=%";

	ck_assert_int_eq(query_args(&a, q, strlen(q), &err), PH_EPARAM);
	ck_assert_uint_eq(err.nparams, PH_ERR_PARAMS_MAX);
}
END_TEST

static const struct { const char *path; enum ph_rc rc; const char *id; } paths[] = {
	{ "/things/a/red", PH_OK, "a" }, { "/things/%61/green", PH_OK, "%61" }, { "/things/a-b.c/red", PH_OK, "a-b.c" },
	{ "/things/a/blue", PH_ENOTFOUND, NULL }, { "/things//red", PH_ENOTFOUND, NULL },
	{ "/things/a", PH_ENOTFOUND, NULL }, { "/things/a/red/", PH_ENOTFOUND, NULL },
	{ "/things/a/b/red", PH_ENOTFOUND, NULL }, { "/thing/a/red", PH_ENOTFOUND, NULL }, { "", PH_ENOTFOUND, NULL },
	{ "/things/abcdefghi/red", PH_ENOTFOUND, NULL },	/* longer than the parameter allows */
	{ "/things/a\xff/red", PH_ENOTFOUND, NULL },
};

START_TEST(path)
{
	static const struct ph_param of_path[] = {
		{ .name = "id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = 8 },
		{ .name = "colour", .type = PH_P_CHOICE, .in = PH_IN_PATH, .choices = colours },
	};
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };

	ph_args_init(&a, of_path, 2);
	ck_assert_int_eq(ph_args_path(&a, "/things/{id}/{colour}", paths[_i].path, of_path, 2, &err), paths[_i].rc);
	if (paths[_i].id != NULL)
		ck_assert_str_eq(a.values[0].text, paths[_i].id);
}
END_TEST

enum { B_N, B_COLOURS, B_NAMES, B_AT, B_REAL, B_FLAG, B_TEXT, B_ANY, B_COUNT };
static const struct ph_param of_body[B_COUNT] = {
	[B_N] = { .name = "n", .type = PH_P_INT, .in = PH_IN_BODY, .min = 0, .max = INT64_C(1) << 53, .dflt = 7 },
	[B_COLOURS] = { .name = "colours", .type = PH_P_CHOICES, .in = PH_IN_BODY, .choices = colours },
	[B_NAMES] = { .name = "names", .type = PH_P_NAMES, .in = PH_IN_BODY, .max = 5 },
	[B_AT] = { .name = "at", .type = PH_P_INSTANT, .in = PH_IN_BODY },
	[B_REAL] = { .name = "real", .type = PH_P_NUMBER, .in = PH_IN_BODY, .min = 0, .max = 1 },
	[B_FLAG] = { .name = "flag", .type = PH_P_BOOL, .in = PH_IN_BODY },
	[B_TEXT] = { .name = "text", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 1, .max = 4 },
	[B_ANY] = { .name = "any", .type = PH_P_JSON, .in = PH_IN_BODY, .max = 10 },
};

/* What a body gives: bad is the first member that is named, NULL for none. */
static const struct { const char *body; enum ph_rc rc; const char *bad; } bodies[] = {
	{ "{}", PH_OK, NULL }, { " {\"n\":1} \n", PH_OK, NULL }, { "{\"n\":9007199254740992}", PH_OK, NULL },
	{ "{\"n\":1.0,\"flag\":true,\"real\":0.5,\"text\":\"abcd\"}", PH_OK, NULL },
	{ "{\"n\":null,\"text\":null}", PH_OK, NULL }, { "{\"any\":[1,2]}", PH_OK, NULL },
	{ "{\"colours\":[\"red\",\"green\"]}", PH_OK, NULL }, { "{\"colours\":\"red,green\"}", PH_OK, NULL },
	{ "{\"names\":[\"A\",\" bC \"]}", PH_OK, NULL }, { "{\"at\":5}", PH_OK, NULL }, { "{\"at\":\"-1m\"}", PH_OK, NULL },
	{ "{\"text\":\"\\\\\"}", PH_OK, NULL }, { "{\"text\":\"\\\"[[\"}", PH_OK, NULL },
	{ "{\"n\":1.5}", PH_EPARAM, "n" }, { "{\"n\":-1}", PH_EPARAM, "n" }, { "{\"n\":\"1x\"}", PH_EPARAM, "n" },
	{ "{\"n\":9007199254740994}", PH_EPARAM, "n" }, { "{\"n\":true}", PH_EPARAM, "n" }, { "{\"n\":1e99}", PH_EPARAM, "n" },
	{ "{\"n\":1,\"n\":2}", PH_EPARAM, "n" }, { "{\"n\":null,\"n\":2}", PH_EPARAM, "n" },
	{ "{\"colours\":[\"blue\"]}", PH_EPARAM, "colours" }, { "{\"colours\":[1]}", PH_EPARAM, "colours" },
	{ "{\"names\":[\"abcdef\"]}", PH_EPARAM, "names" }, { "{\"names\":[\"\"]}", PH_EPARAM, "names" },
	{ "{\"names\":\"a,b,c,d,e,f,g,h,i\"}", PH_EPARAM, "names" }, { "{\"at\":\"then\"}", PH_EPARAM, "at" },
	{ "{\"at\":1.5}", PH_EPARAM, "at" }, { "{\"real\":1.01}", PH_EPARAM, "real" }, { "{\"flag\":1}", PH_EPARAM, "flag" },
	{ "{\"text\":\"abcde\"}", PH_EPARAM, "text" }, { "{\"text\":\"\"}", PH_EPARAM, "text" },
	{ "{\"text\":\"a\\n\"}", PH_EPARAM, "text" }, { "{\"text\":1}", PH_EPARAM, "text" },
	{ "{\"any\":1}", PH_EPARAM, "any" }, { "{\"any\":[1,2,3,4,5]}", PH_EPARAM, "any" }, { "{\"other\":1}", PH_EPARAM, "other" },
	{ "", PH_EBADREQUEST, NULL }, { "{", PH_EBADREQUEST, NULL }, { "{} x", PH_EBADREQUEST, NULL },
	{ "[]", PH_EBADREQUEST, NULL }, { "1", PH_EBADREQUEST, NULL }, { "{\"text\":\"\\u0000\"}", PH_EBADREQUEST, NULL },
	{ "{\"text\":\"\xff\"}", PH_EBADREQUEST, NULL }, { "{'n':1}", PH_EBADREQUEST, NULL },
	{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", PH_EBADREQUEST, NULL },
};

START_TEST(body)
{
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };
	cJSON		*json;
	const char	*text = bodies[_i].body;
	enum ph_rc	rc;

	ph_args_init(&a, of_body, B_COUNT);
	if ((rc = ph_body_parse(text, strlen(text), &json, &err)) == PH_OK)
		rc = ph_args_body(&a, json, "", 1, of_body, B_COUNT, NOW_MS, &err);
	ck_assert_int_eq(rc, bodies[_i].rc);
	if (bodies[_i].bad != NULL)
		ck_assert_str_eq(err.params[0].param, bodies[_i].bad);
	cJSON_Delete(json);
}
END_TEST

START_TEST(body_values)
{
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };
	cJSON		*json;
	const char	text[] = "{\"n\":42,\"colours\":[\"green\"],\"names\":[\"A\",\" bC \"],\"at\":\"-1m\",\"real\":0.25,"
			    "\"flag\":true,\"text\":null}";

	ph_args_init(&a, of_body, B_COUNT);
	ck_assert_int_eq(ph_body_parse(text, strlen(text), &json, &err), PH_OK);
	ck_assert_int_eq(ph_args_body(&a, json, "", 1, of_body, B_COUNT, NOW_MS, &err), PH_OK);
	ck_assert_int_eq(a.values[B_N].num, 42);
	ck_assert_int_eq(a.values[B_COLOURS].num, 2);
	ck_assert_str_eq(a.values[B_NAMES].text, "a,bc");
	ck_assert_int_eq(a.values[B_NAMES].num, 2);
	ck_assert_int_eq(a.values[B_AT].num, NOW_MS - 60000);
	ck_assert(a.values[B_REAL].real >= 0.25 && a.values[B_REAL].real <= 0.25);
	ck_assert_int_eq(a.values[B_FLAG].num, 1);
	ck_assert(!a.values[B_TEXT].is_set && a.values[B_TEXT].is_null);
	cJSON_Delete(json);
}
END_TEST

START_TEST(body_errors_carry_the_prefix)
{
	struct ph_args	a;
	struct ph_err	err = { .rc = PH_OK };
	cJSON		*json;

	ph_args_init(&a, params, P_COUNT);
	ck_assert_int_eq(ph_body_parse("{}", 2, &json, &err), PH_OK);
	ck_assert_int_eq(ph_args_body(&a, json, "[3].", 0, params, P_COUNT, NOW_MS, &err), PH_OK);
	ck_assert_int_eq(ph_args_finish(&a, "[3].", params, P_COUNT, &err), PH_EPARAM);
	ck_assert_str_eq(err.params[0].param, "[3].needed");
	cJSON_Delete(json);
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
	tcase_add_loop_test(tc, path, 0, sizeof(paths) / sizeof(paths[0]));
	tcase_add_loop_test(tc, body, 0, sizeof(bodies) / sizeof(bodies[0]));
	tcase_add_test(tc, body_values);
	tcase_add_test(tc, body_errors_carry_the_prefix);
	LOOP(tc, cookie, cookies);
	LOOP(tc, etag, etags);
	LOOP(tc, credential, credentials);
	tcase_add_test(tc, credential_length);
	LOOP(tc, request_id, request_ids);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
