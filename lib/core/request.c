/*
 * request.c -- the parsers of everything that a caller sends.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
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

/* Where a parameter is being read, for errors and relative instants. */
struct reading {
	struct ph_args		*args;
	const struct ph_param	*params;
	size_t			 nparams;
	const char		*prefix;	/* of names in errors */
	int64_t			 now_ms;
	struct ph_err		*err;
};

static void refuse(const struct reading *, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
refuse(const struct reading *r, const char *name, const char *fmt, ...)
{
	char	full[64], detail[160];
	va_list	ap;

	snprintf(full, sizeof(full), "%s%s", r->prefix, name);		/* may be cut */
	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);			/* may be cut */
	va_end(ap);
	ph_fail_param(r->err, full, strlen(full), "%s", detail);
}

static int
choice(const struct ph_param *p, const char *value, size_t len)
{
	int k;

	for (k = 0; p->choices[k] != NULL; k++)
		if (strlen(p->choices[k]) == len && strncmp(p->choices[k], value, len) == 0)
			return k;
	return -1;
}

/* One word of a PH_P_CHOICES or PH_P_NAMES, len bytes.  NULL, or what is wrong with it. */
static const char *
take_word(struct reading *r, size_t i, char *word, size_t len, char *list, size_t list_size)
{
	const struct ph_param	*p = &r->params[i];
	size_t			 k;
	int			 c;

	while (len > 0 && word[0] == ' ')
		word++, len--;
	while (len > 0 && word[len - 1] == ' ')
		len--;
	if (p->type == PH_P_CHOICES) {
		if ((c = choice(p, word, len)) < 0)
			return join_choices(list, list_size, p->choices);
		r->args->values[i].num |= INT64_C(1) << c;
		return NULL;
	}
	if (len == 0 || len > (size_t)p->max || len > 63 || r->args->values[i].num == PH_NAMES_MAX) {
		snprintf(list, list_size, "up to %d names of at most %lld bytes, comma-separated",
		    PH_NAMES_MAX, (long long)p->max);
		return list;
	}
	for (k = 0; k < len; k++)
		if (word[k] >= 'A' && word[k] <= 'Z')
			word[k] = (char)(word[k] - 'A' + 'a');
	if (r->args->values[i].num == 0)
		r->args->values[i].text = r->args->names + r->args->names_len;
	else
		r->args->names[r->args->names_len - 1] = ',';
	memcpy(r->args->names + r->args->names_len, word, len);
	r->args->names[r->args->names_len + len] = '\0';
	r->args->names_len += len + 1;
	r->args->values[i].num++;
	return NULL;
}

/* A comma-separated list; the text is changed. */
static void
check_list(struct reading *r, size_t i, char *value, size_t len)
{
	char		 list[160], *end;
	const char	*wanted = NULL;

	for (;;) {
		if ((end = memchr(value, ',', len)) == NULL)
			end = value + len;
		if ((wanted = take_word(r, i, value, (size_t)(end - value), list, sizeof(list))) != NULL)
			break;
		len -= (size_t)(end - value);
		if (len == 0)
			return;
		value = end + 1;
		len--;
	}
	refuse(r, r->params[i].name, "must be %s", wanted);
}

/* Room for every list of names that an operation may declare is bounded by the table. */
static int
has_room_for_names(const struct reading *r)
{
	return r->args->names_len + PH_NAMES_MAX * 64 <= sizeof(r->args->names);
}

static void
check_text(const struct reading *r, const struct ph_param *p, const char *value, size_t len)
{
	size_t k;

	if (len < (size_t)p->min || len > (size_t)p->max)
		refuse(r, p->name, "a text of %lld to %lld bytes is needed", (long long)p->min,
		    (long long)p->max);
	for (k = 0; k < len; k++) {
		if (p->type == PH_P_MULTILINE && strchr("\n\r\t", value[k]) != NULL)
			continue;
		if ((unsigned char)value[k] < ' ' || value[k] == 0x7f) {
			refuse(r, p->name, "control characters are not allowed");
			return;
		}
	}
}

/* Digits, perhaps a minus and a fraction.  0, or -1. */
static int
parse_number(const char *s, size_t len, double *out)
{
	const char	*digits = s + (len > 0 && s[0] == '-');
	const size_t	 whole = strspn(digits, "0123456789");
	const size_t	 fraction = digits[whole] == '.' ? strspn(digits + whole + 1, "0123456789") : 0;

	if (whole == 0 || whole > 15 || fraction > 15 || (digits[whole] == '.' && fraction == 0) ||
	    digits + whole + (fraction > 0 ? 1 + fraction : 0) != s + len)
		return -1;
	*out = strtod(s, NULL);
	return 0;
}

static void
check_number(const struct reading *r, size_t i, int is_number)
{
	const struct ph_param	*p = &r->params[i];
	const double		 v = r->args->values[i].real;

	if (!is_number || !(v >= (double)p->min && v <= (double)p->max))
		refuse(r, p->name, "a number from %lld to %lld is needed", (long long)p->min,
		    (long long)p->max);
}

static void
check_value(struct reading *r, size_t i, char *value, size_t len)
{
	const struct ph_param	*p = &r->params[i];
	int64_t			*num = &r->args->values[i].num;
	char			 list[120];
	int			 c;

	r->args->values[i].text = value;
	switch (p->type) {
	case PH_P_INT:
		if (ph_parse_int(value, len, p->min, p->max, num) != 0)
			refuse(r, p->name, "an integer from %lld to %lld is needed", (long long)p->min,
			    (long long)p->max);
		break;
	case PH_P_CHOICE:
	case PH_P_EXTENDED:
	case PH_P_TIME_STYLE:
		if ((c = choice(p, value, len)) < 0)
			refuse(r, p->name, "must be %s", join_choices(list, sizeof(list), p->choices));
		else
			*num = c;
		break;
	case PH_P_CHOICES:
	case PH_P_NAMES:
		*num = 0;
		if (!has_room_for_names(r))
			refuse(r, p->name, "too many names");
		else
			check_list(r, i, value, len);
		break;
	case PH_P_INSTANT:
		if (ph_time_parse(value, len, r->now_ms, num) != 0)
			refuse(r, p->name, "an instant is needed: RFC 3339 with a zone, YYYY-MM-DD, "
			    "Unix milliseconds, or -15m, -24h, -7d");
		break;
	case PH_P_TEXT:
	case PH_P_MULTILINE:
		check_text(r, p, value, len);
		break;
	case PH_P_NUMBER:
		check_number(r, i, parse_number(value, len, &r->args->values[i].real) == 0);
		break;
	case PH_P_BOOL:
	case PH_P_JSON:
		assert(!"only a body has these");
	}
}

static void
read_pair(struct reading *r, char *pair, size_t len)
{
	char		*eq = memchr(pair, '=', len), *value;
	size_t		 name_len = eq != NULL ? (size_t)(eq - pair) : len, value_len, i;
	const char	*why;

	value = eq != NULL ? eq + 1 : pair + len;
	value_len = len - (size_t)(value - pair);
	/* Value first: decoding the name puts a NUL where the '=' was. */
	if ((why = decode(value, value_len, &value_len)) != NULL ||
	    (why = decode(pair, name_len, &name_len)) != NULL) {
		ph_fail_param(r->err, pair, name_len, "%s", why);
		return;
	}
	if (eq == NULL)
		value = pair + name_len;	/* the empty text */
	for (i = 0; i < r->nparams; i++) {
		if (r->params[i].in != PH_IN_QUERY || strcmp(r->params[i].name, pair) != 0)
			continue;
		if (r->args->values[i].is_set) {
			refuse(r, pair, "given twice");
			return;
		}
		r->args->values[i].is_set = 1;
		check_value(r, i, value, value_len);
		return;
	}
}

void
ph_args_init(struct ph_args *a, const struct ph_param *params, size_t nparams)
{
	size_t i;

	assert(nparams <= PH_PARAMS_MAX);
	memset(a->values, 0, sizeof(a->values));
	a->names_len = 0;
	for (i = 0; i < nparams; i++)
		a->values[i].num = params[i].dflt;
}

enum ph_rc
ph_args_query(struct ph_args *a, const char *query, size_t len, const struct ph_param *params,
    size_t nparams, int64_t now_ms, struct ph_err *err)
{
	struct reading	 r = { a, params, nparams, "", now_ms, err };
	size_t		 pairs = 0;
	char		*p, *end;

	if (len > PH_QUERY_MAX)
		return ph_fail(err, PH_EURITOOLONG, "a query may have %d bytes", PH_QUERY_MAX);
	memcpy(a->buf, query, len);
	a->buf[len] = '\0';
	for (p = a->buf; len > 0; p = end + 1) {
		if ((end = memchr(p, '&', len)) == NULL)
			end = p + len;
		if (end > p) {
			if (++pairs > PH_PAIRS_MAX)
				return ph_fail_param(err, "query", 5, "more than %d parameters", PH_PAIRS_MAX);
			read_pair(&r, p, (size_t)(end - p));
		}
		len -= (size_t)(end - p);
		len -= len > 0;		/* the '&' */
	}
	return err->nparams > 0 ? PH_EPARAM : PH_OK;
}

/* -- paths --------------------------------------------------------------------- */

struct segment { const char *name, *value; size_t name_len, value_len; };

/* The {name} segments of a path of that shape: their number, or -1. */
static int
match_path(const char *pattern, const char *path, struct segment found[PH_PATH_PARAMS_MAX])
{
	int n = 0;

	while (*pattern != '\0') {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return -1;
			continue;
		}
		assert(n < PH_PATH_PARAMS_MAX);
		found[n].name = pattern + 1;
		found[n].name_len = strcspn(pattern + 1, "}");
		found[n].value = path;
		if ((found[n].value_len = strcspn(path, "/")) == 0)
			return -1;
		pattern += found[n].name_len + 2;
		path += found[n++].value_len;
	}
	return *path == '\0' ? n : -1;
}

int
ph_path_matches(const char *pattern, const char *path)
{
	struct segment found[PH_PATH_PARAMS_MAX];

	return match_path(pattern, path, found) >= 0;
}

enum ph_rc
ph_args_path(struct ph_args *a, const char *pattern, const char *path, const struct ph_param *params,
    size_t nparams, struct ph_err *err)
{
	struct ph_err	ignored = { .rc = PH_OK };
	struct reading	r = { a, params, nparams, "", 0, &ignored };
	struct segment	found[PH_PATH_PARAMS_MAX];
	const int	n = strlen(path) <= PH_QUERY_MAX ? match_path(pattern, path, found) : -1;
	char		*copy = a->path;
	size_t		 i;
	int		 k;

	for (k = 0; k < n; k++) {
		memcpy(copy, found[k].value, found[k].value_len);
		copy[found[k].value_len] = '\0';
		for (i = 0; i < nparams; i++)
			if (params[i].in == PH_IN_PATH && strlen(params[i].name) == found[k].name_len &&
			    strncmp(params[i].name, found[k].name, found[k].name_len) == 0)
				break;
		assert(i < nparams);
		a->values[i].is_set = 1;
		check_value(&r, i, copy, found[k].value_len);
		if (!ph_utf8_is_valid(copy, found[k].value_len))
			ignored.rc = PH_EPARAM;
		copy += found[k].value_len + 1;
	}
	if (n < 0 || ignored.rc != PH_OK)
		return ph_fail(err, PH_ENOTFOUND, "there is nothing at this path");
	return PH_OK;
}

/* -- bodies -------------------------------------------------------------------- */

/* Depth and escaped NULs, which the parser would let through.  NULL, or what is wrong. */
static const char *
scan_json(const char *s, size_t len)
{
	size_t	i;
	int	depth = 0, is_string = 0;

	for (i = 0; i < len; i++) {
		if (s[i] == '\0')
			return "a NUL byte is not allowed";
		if (is_string) {
			if (s[i] == '\\') {
				i++;
				if (len - i >= 5 && strncmp(s + i, "u0000", 5) == 0)
					return "\\u0000 is not allowed";
			} else if (s[i] == '"')
				is_string = 0;
			continue;
		}
		if (s[i] == '"')
			is_string = 1;
		else if (s[i] == '[' || s[i] == '{') {
			if (++depth > PH_JSON_DEPTH_MAX)
				return "nested too deeply";
		} else if (s[i] == ']' || s[i] == '}')
			depth--;
	}
	return ph_utf8_is_valid(s, len) ? NULL : "not valid UTF-8";
}

enum ph_rc
ph_body_parse(const char *text, size_t len, cJSON **out, struct ph_err *err)
{
	const char	*why = scan_json(text, len), *end = NULL;

	*out = NULL;
	if (why != NULL)
		return ph_fail(err, PH_EBADREQUEST, "body: %s", why);
	*out = cJSON_ParseWithLengthOpts(text, len, &end, 0);
	while (*out != NULL && end < text + len && strchr(" \t\r\n", *end) != NULL)
		end++;
	if (*out != NULL && end == text + len)
		return PH_OK;
	cJSON_Delete(*out);
	*out = NULL;
	return ph_fail(err, PH_EBADREQUEST, "body: not JSON at byte %zu",
	    end != NULL ? (size_t)(end - text) : 0);
}

/* A whole number that a double holds exactly. */
static int
json_int(const cJSON *v, int64_t min, int64_t max, int64_t *out)
{
	const double d = v->valuedouble;

	if (!cJSON_IsNumber(v) || d < -9007199254740992.0 || d > 9007199254740992.0 || d != (double)(int64_t)d ||
	    (int64_t)d < min || (int64_t)d > max)
		return -1;
	*out = (int64_t)d;
	return 0;
}

static void
check_json_list(struct reading *r, size_t i, const cJSON *v)
{
	const struct ph_param	*p = &r->params[i];
	const cJSON		*item;
	char			 list[160];
	const char		*wanted;

	r->args->values[i].num = 0;
	if (!has_room_for_names(r)) {
		refuse(r, p->name, "too many names");
		return;
	}
	cJSON_ArrayForEach(item, v) {
		if (!cJSON_IsString(item)) {
			refuse(r, p->name, "an array of texts is needed");
			return;
		}
		if ((wanted = take_word(r, i, item->valuestring, strlen(item->valuestring), list,
		    sizeof(list))) != NULL) {
			refuse(r, p->name, "must be %s", wanted);
			return;
		}
	}
}

static void
check_json(struct reading *r, size_t i, const cJSON *v)
{
	const struct ph_param	*p = &r->params[i];
	char			*text;

	r->args->values[i].json = v;
	switch (p->type) {
	case PH_P_INT:
		if (json_int(v, p->min, p->max, &r->args->values[i].num) != 0)
			refuse(r, p->name, "an integer from %lld to %lld is needed", (long long)p->min,
			    (long long)p->max);
		break;
	case PH_P_NUMBER:
		r->args->values[i].real = v->valuedouble;
		check_number(r, i, cJSON_IsNumber(v));
		break;
	case PH_P_BOOL:
		r->args->values[i].num = cJSON_IsTrue(v);
		if (!cJSON_IsBool(v))
			refuse(r, p->name, "true or false is needed");
		break;
	case PH_P_JSON:
		if (!cJSON_IsObject(v) && !cJSON_IsArray(v)) {
			refuse(r, p->name, "an object or array is needed");
			break;
		}
		text = cJSON_PrintUnformatted(v);
		if (text == NULL || strlen(text) > (size_t)p->max)
			refuse(r, p->name, "at most %lld bytes of JSON are allowed", (long long)p->max);
		cJSON_free(text);
		break;
	case PH_P_CHOICES:
	case PH_P_NAMES:
		if (cJSON_IsArray(v)) {
			check_json_list(r, i, v);
			break;
		}
		/* FALLTHROUGH */
	default:
		if (p->type == PH_P_INSTANT && json_int(v, 0, PH_TIME_MAX, &r->args->values[i].num) == 0)
			break;
		if (cJSON_IsString(v))
			check_value(r, i, v->valuestring, strlen(v->valuestring));
		else
			refuse(r, p->name, "a text is needed");
		break;
	}
}

enum ph_rc
ph_args_body(struct ph_args *a, const cJSON *object, const char *prefix, int is_strict,
    const struct ph_param *params, size_t nparams, int64_t now_ms, struct ph_err *err)
{
	struct reading	 r = { a, params, nparams, prefix, now_ms, err };
	const cJSON	*v;
	size_t		 i;

	if (!cJSON_IsObject(object))
		return ph_fail(err, PH_EBADREQUEST, "%s%sa JSON object is needed", prefix,
		    prefix[0] != '\0' ? ": " : "body: ");
	cJSON_ArrayForEach(v, object) {
		for (i = 0; i < nparams; i++)
			if (params[i].in == PH_IN_BODY && strcmp(params[i].name, v->string) == 0)
				break;
		if (i == nparams) {
			if (is_strict)
				refuse(&r, v->string, "is not known here");
		} else if (a->values[i].is_set || a->values[i].is_null)
			refuse(&r, v->string, "given twice");
		else if (cJSON_IsNull(v))
			a->values[i].is_null = 1;
		else {
			a->values[i].is_set = 1;
			check_json(&r, i, v);
		}
	}
	return err->nparams > 0 ? PH_EPARAM : PH_OK;
}

enum ph_rc
ph_args_finish(struct ph_args *a, const char *prefix, const struct ph_param *params, size_t nparams,
    struct ph_err *err)
{
	struct reading	r = { a, params, nparams, prefix, 0, err };
	size_t		i;

	for (i = 0; i < nparams; i++)
		if (params[i].is_required && !a->values[i].is_set)
			refuse(&r, params[i].name, "is required");
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
