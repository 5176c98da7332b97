/*
 * fuzz_request.c -- query strings, headers and cookies from outside, as libFuzzer feeds them.
 *
 * The first byte chooses the parser, the rest is its input.  Beyond the sanitizers, what a parser
 * accepts must keep its promises.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/address.h"
#include "core/clock.h"
#include "core/request.h"
#include "core/utf8.h"
#include "fuzz.h"

static const char *const colours[] = { "red", "green", NULL };
static const struct ph_param params[] = {
	{ .name = "n", .type = PH_P_INT, .min = -720, .max = 840 },
	{ .name = "colour", .type = PH_P_CHOICE, .choices = colours },
	{ .name = "q", .type = PH_P_TEXT, .min = 0, .max = 100 },
	PH_PARAM_INCLUDE,
	PH_PARAM_TIME,
};

enum { NPARAMS = sizeof(params) / sizeof(params[0]) };

static void
query(const char *s, size_t len)
{
	static struct ph_args	args;
	struct ph_err		err = { .rc = PH_OK };
	enum ph_rc		rc;

	ph_args_init(&args, params, NPARAMS);
	rc = ph_args_query(&args, s, len, params, NPARAMS, 0, &err);
	assert(rc == PH_OK || rc == PH_EPARAM || rc == PH_EURITOOLONG);
	assert((rc == PH_EPARAM) == (err.nparams > 0));
	if (rc != PH_OK)
		return;
	assert(args.values[0].num >= -720 && args.values[0].num <= 840);
	assert(args.values[1].num >= 0 && args.values[1].num <= 1);
	if (args.values[2].is_set)
		assert(strlen(args.values[2].text) <= 100 &&
		    ph_utf8_is_valid(args.values[2].text, strlen(args.values[2].text)));
}

static void
body(const char *s, size_t len)
{
	static const struct ph_param of_body[] = {
		{ .name = "n", .type = PH_P_INT, .in = PH_IN_BODY, .min = -720, .max = 840 },
		{ .name = "c", .type = PH_P_CHOICES, .in = PH_IN_BODY, .choices = colours },
		{ .name = "names", .type = PH_P_NAMES, .in = PH_IN_BODY, .max = 50 },
		{ .name = "at", .type = PH_P_INSTANT, .in = PH_IN_BODY },
		{ .name = "t", .type = PH_P_MULTILINE, .in = PH_IN_BODY, .max = 100 },
		{ .name = "j", .type = PH_P_JSON, .in = PH_IN_BODY, .max = 100 },
	};
	static struct ph_args	args;
	struct ph_err		err = { .rc = PH_OK };
	cJSON			*json;
	enum ph_rc		rc;

	if (ph_body_parse(s, len, &json, &err) != PH_OK) {
		assert(err.rc == PH_EBADREQUEST && json == NULL);
		return;
	}
	ph_args_init(&args, of_body, 6);
	rc = ph_args_body(&args, json, "[1].", 1, of_body, 6, 1763807400000, &err);
	if (rc == PH_OK && args.values[0].is_set)
		assert(args.values[0].num >= -720 && args.values[0].num <= 840);
	if (rc == PH_OK && args.values[3].is_set)
		assert(args.values[3].num >= 0 && args.values[3].num <= PH_TIME_MAX);
	cJSON_Delete(json);
}

/* NAME=text as a FastCGI parameter. */
static void
credential(const char *name, const char *text)
{
	struct ph_err	err = { .rc = PH_OK };
	const size_t	size = strlen(name) + strlen(text) + 2;
	char		out[PH_TOKEN_MAX + 1], *entry = malloc(size);
	char		*envp[] = { entry, NULL };
	int		 from_cookie;

	assert(entry != NULL);
	snprintf(entry, size, "%s=%s", name, text);
	if (ph_credential(envp, out, &from_cookie, &err) == PH_OK)
		assert(strlen(out) >= 1 && strlen(out) <= PH_TOKEN_MAX && strpbrk(out, " \t\r\n") == NULL);
	free(entry);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	if ((text = malloc(size)) == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';		/* headers reach us as C strings */
	switch (data[0] % 8) {
	case 0:
		query(text, size - 1);
		break;
	case 1:
		credential("HTTP_AUTHORIZATION", text);
		break;
	case 2:
		credential("HTTP_COOKIE", text);
		break;
	case 3:
		ph_etag_matches(text, "\"0123456789abcdef\"");
		break;
	case 4:
		assert(!ph_request_id_is_valid(text) || strlen(text) <= PH_REQUEST_ID_MAX);
		break;
	case 5:
		body(text, size - 1);
		break;
	case 6:
		ph_path_matches("/things/{id}/{colour}", text);
		break;
	default:
		ph_address_is_in(text, "10.1.2.3");
		ph_address_is_in("10.0.0.0/8", text);
		break;
	}
	free(text);
	return 0;
}
