/*
 * log.c -- JSON lines.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"

enum { LINE_SIZE = 2048 };

struct line {
	char	text[LINE_SIZE];
	size_t	len;
};

static void add(struct line *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct line *l, const char *fmt, ...)
{
	const size_t	room = sizeof(l->text) - 3 - l->len;	/* keeps room for "}\n" */
	va_list		ap;
	int		n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, room, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < room)
		l->len += (size_t)n;	/* what does not fit is left out whole */
}

/* ,"key":"value" with everything but printable ASCII written as '?' or escaped. */
static void
add_text(struct line *l, const char *key, const char *s)
{
	char	buf[512];
	size_t	n = 0;

	for (; *s != '\0' && n < sizeof(buf) - 2; s++) {
		if (*s == '"' || *s == '\\')
			buf[n++] = '\\';
		buf[n++] = *s >= ' ' && *s < 0x7f ? *s : '?';
	}
	buf[n] = '\0';
	add(l, ",\"%s\":\"%s\"", key, buf);
}

static void
put(struct line *l)
{
	l->text[l->len++] = '}';
	l->text[l->len++] = '\n';
	if (write(STDERR_FILENO, l->text, l->len) < 0)
		return;		/* nobody is left to tell */
}

void
ph_log_request(const struct ph_log_request *r)
{
	struct line	l = { .len = 0 };
	char		at[PH_TIME_SIZE];

	add(&l, "{\"at\":\"%s\",\"level\":\"%s\",\"route\":\"%s\",\"method\":\"%s\",\"status\":%d,"
	    "\"bytes\":%zu,\"us\":%" PRId64 ",\"request_id\":\"%s\"",
	    ph_time_format(at, r->at_ms, 0), r->status >= 500 ? "error" : "info", r->route,
	    r->method, r->status, r->bytes, r->us, r->request_id);
	if (r->user[0] != '\0')
		add_text(&l, "user", r->user);
	if (r->token_id[0] != '\0')
		add_text(&l, "token", r->token_id);
	if (r->err != NULL) {
		add_text(&l, "code", ph_problem(r->err->rc)->code);
		add_text(&l, "detail", r->err->detail);
		if (r->err->internal[0] != '\0')
			add_text(&l, "internal", r->err->internal);
		if (r->err->file != NULL)
			add(&l, ",\"source\":\"%s:%d\"", r->err->file, r->err->line);
	}
	put(&l);
}

void
ph_log(const char *level, const char *route, const char *fmt, ...)
{
	struct line	l = { .len = 0 };
	char		at[PH_TIME_SIZE], text[400];
	va_list		ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);		/* may be cut */
	va_end(ap);
	add(&l, "{\"at\":\"%s\",\"level\":\"%s\",\"route\":\"%s\",\"pid\":%ld",
	    ph_time_format(at, ph_clock_now_ms(NULL), 0), level, route, (long)getpid());
	add_text(&l, "message", text);
	put(&l);
}
