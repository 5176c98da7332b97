/*
 * request.c -- the parsers of everything that a caller sends in a request line and headers.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/number.h"
#include "core/request.h"
#include "core/utf8.h"

const char *const ph_choices_include[] = { "extended", NULL };
const char *const ph_choices_time[] = { "utc", "naive", "ms", NULL };

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Decode len bytes at s in place and end them with a NUL (there is room: a separator or the
 * end of the query follows).  NULL, or what is wrong with them.
 */
static const char *
decode(char *s, size_t len, size_t *out_len)
{
	size_t	i, n = 0;
	int	hi, lo;

	for (i = 0; i < len; i++) {
		char c = s[i];

		if (c == '+')
			c = ' ';
		else if (c == '%') {
			if (i + 2 >= len || (hi = hex_digit(s[i + 1])) < 0 ||
			    (lo = hex_digit(s[i + 2])) < 0)
				return "broken percent-encoding";
			c = (char)(hi << 4 | lo);
			i += 2;
		}
		if (c == '\0')
			return "a NUL byte is not allowed";
		s[n++] = c;
	}
	s[n] = '\0';
	*out_len = n;
	return ph_utf8_is_valid(s, n) ? NULL : "not valid UTF-8";
}

/* "a, b or c" of a list of choices. */
static char *
join_choices(char *buf, size_t size, const char *const *choices)
{
	size_t	i, len = 0;
	int	n;

	buf[0] = '\0';
	for (i = 0; choices[i] != NULL && len < size; i++) {
		n = snprintf(buf + len, size - len, "%s%s",
		    i == 0 ? "" : choices[i + 1] != NULL ? ", " : " or ", choices[i]);
		len += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

static void
check_value(struct ph_args *a, size_t i, const struct ph_param *p, char *value, size_t len,
    struct ph_err *err)
{
	char	list[120];
	size_t	k;

	switch (p->type) {
	case PH_P_INT:
		if (ph_parse_int(value, len, p->min, p->max, &a->values[i].num) != 0)
			ph_fail_param(err, p->name, strlen(p->name),
			    "an integer from %lld to %lld is needed", (long long)p->min, (long long)p->max);
		break;
	case PH_P_CHOICE:
	case PH_P_EXTENDED:
	case PH_P_TIME_STYLE:
		for (k = 0; p->choices[k] != NULL; k++)
			if (strcmp(p->choices[k], value) == 0) {
				a->values[i].num = (int64_t)k;
				return;
			}
		ph_fail_param(err, p->name, strlen(p->name), "must be %s",
		    join_choices(list, sizeof(list), p->choices));
		break;
	case PH_P_TEXT:
		if (len < (size_t)p->min || len > (size_t)p->max)
			ph_fail_param(err, p->name, strlen(p->name), "a text of %lld to %lld bytes is needed",
			    (long long)p->min, (long long)p->max);
		for (k = 0; k < len; k++)
			if ((unsigned char)value[k] < ' ' || value[k] == 0x7f) {
				ph_fail_param(err, p->name, strlen(p->name),
				    "control characters are not allowed");
				break;
			}
		a->values[i].text = value;
		break;
	}
}

static void
read_pair(struct ph_args *a, char *pair, size_t len, const struct ph_param *params, size_t nparams,
    struct ph_err *err)
{
	char		*eq = memchr(pair, '=', len), *value;
	size_t		 name_len = eq != NULL ? (size_t)(eq - pair) : len, value_len, i;
	const char	*why;

	value = eq != NULL ? eq + 1 : pair + len;
	value_len = len - (size_t)(value - pair);
	/* Value first: decoding the name puts a NUL where the '=' was. */
	if ((why = decode(value, value_len, &value_len)) != NULL) {
		ph_fail_param(err, pair, name_len, "%s", why);
		return;
	}
	if ((why = decode(pair, name_len, &name_len)) != NULL) {
		ph_fail_param(err, pair, name_len, "%s", why);
		return;
	}
	if (eq == NULL)
		value = pair + name_len;	/* the empty text */
	for (i = 0; i < nparams; i++) {
		if (strcmp(params[i].name, pair) != 0)
			continue;
		if (a->values[i].is_set) {
			ph_fail_param(err, pair, name_len, "given twice");
			return;
		}
		a->values[i].is_set = 1;
		check_value(a, i, &params[i], value, value_len, err);
		return;
	}
}

enum ph_rc
ph_args_parse(struct ph_args *a, const char *query, size_t len, const struct ph_param *params,
    size_t nparams, struct ph_err *err)
{
	size_t	i, pairs = 0;
	char	*p, *end;

	assert(nparams <= PH_PARAMS_MAX);
	memset(a->values, 0, sizeof(a->values));
	err->nparams = 0;
	if (len > PH_QUERY_MAX)
		return ph_fail(err, PH_EURITOOLONG, "a query may have %d bytes", PH_QUERY_MAX);
	memcpy(a->buf, query, len);
	a->buf[len] = '\0';
	for (i = 0; i < nparams; i++)
		a->values[i].num = params[i].dflt;
	for (p = a->buf; len > 0; p = end + 1) {
		if ((end = memchr(p, '&', len)) == NULL)
			end = p + len;
		if (end > p) {
			if (++pairs > PH_PAIRS_MAX)
				return ph_fail_param(err, "query", 5, "more than %d parameters", PH_PAIRS_MAX);
			read_pair(a, p, (size_t)(end - p), params, nparams, err);
		}
		len -= (size_t)(end - p);
		len -= len > 0;		/* the '&' */
	}
	for (i = 0; i < nparams; i++)
		if (params[i].is_required && !a->values[i].is_set)
			ph_fail_param(err, params[i].name, strlen(params[i].name), "is required");
	return err->nparams > 0 ? PH_EPARAM : PH_OK;
}

/* -- environment and headers --------------------------------------------------- */

const char *
ph_env(char *const *envp, const char *name)
{
	const size_t len = strlen(name);

	for (; envp != NULL && *envp != NULL; envp++)
		if (strncmp(*envp, name, len) == 0 && (*envp)[len] == '=')
			return *envp + len + 1;
	return NULL;
}

const char *
ph_method_name(const char *method)
{
	static const char *const known[] = { "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH",
	    "DELETE", "TRACE", "CONNECT" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], method) == 0)
			return known[i];
	return "OTHER";
}

int
ph_request_id_is_valid(const char *s)
{
	const size_t len = strspn(s,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return len >= 1 && len <= PH_REQUEST_ID_MAX && s[len] == '\0';
}

/* Copy len bytes of a credential; only visible ASCII may be in it. */
static int
copy_visible(char *out, size_t out_size, const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len >= out_size)
		return -1;
	for (i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f)
			return -1;
	memcpy(out, s, len);
	out[len] = '\0';
	return 0;
}

int
ph_cookie(const char *header, const char *name, char *out, size_t out_size)
{
	const size_t	name_len = strlen(name);
	const char	*end;
	size_t		 len;

	for (; *header != '\0'; header = *end == ';' ? end + 1 : end) {
		header += strspn(header, " \t");
		end = header + strcspn(header, ";");
		if ((size_t)(end - header) <= name_len || header[name_len] != '=' ||
		    strncmp(header, name, name_len) != 0)
			continue;
		header += name_len + 1;
		len = (size_t)(end - header);
		while (len > 0 && (header[len - 1] == ' ' || header[len - 1] == '\t'))
			len--;
		if (len >= 2 && header[0] == '"' && header[len - 1] == '"')
			return copy_visible(out, out_size, header + 1, len - 2);
		return copy_visible(out, out_size, header, len);
	}
	return -1;
}

int
ph_etag_matches(const char *list, const char *etag)
{
	const size_t	len = strlen(etag);
	const char	*end;

	while (*(list += strspn(list, " \t,")) != '\0') {
		if (*list == '*')
			return 1;
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		if (*list != '"' || (end = strchr(list + 1, '"')) == NULL)
			return 0;
		if ((size_t)(end + 1 - list) == len && strncmp(list, etag, len) == 0)
			return 1;
		list = end + 1;
	}
	return 0;
}

enum ph_rc
ph_credential(char *const *envp, char out[PH_TOKEN_MAX + 1], int *from_cookie, struct ph_err *err)
{
	static const char *const headers[] = {
		"HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_X_CRON_SECRET", "HTTP_X_INTEL_API_KEY",
	};
	const char	*s = NULL;
	size_t		 i;

	*from_cookie = 0;
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if ((s = ph_env(envp, headers[i])) != NULL && *s != '\0')
			break;
	if (s == NULL || *s == '\0') {
		if ((s = ph_env(envp, "HTTP_COOKIE")) == NULL ||
		    ph_cookie(s, "ph_session", out, PH_TOKEN_MAX + 1) != 0)
			return ph_fail(err, PH_ENOCREDENTIALS, "send a token, e.g. Authorization: Bearer TOKEN");
		*from_cookie = 1;
		return PH_OK;
	}
	if (i == 0 && strncasecmp(s, "Bearer ", 7) == 0)
		s += 7 + strspn(s + 7, " ");
	if (copy_visible(out, PH_TOKEN_MAX + 1, s, strlen(s)) != 0)
		return ph_fail(err, PH_EBADCREDENTIALS, "only a bearer token is accepted");
	return PH_OK;
}
