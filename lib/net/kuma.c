/*
 * kuma.c -- a heartbeat for Uptime Kuma.
 */
#include "autoconf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/config.h"
#include "core/log.h"
#include "core/utf8.h"
#include "net/http.h"
#include "net/kuma.h"

enum { URL_SIZE = 2048, ANSWER_SIZE = 4096 };

/* application/x-www-form-urlencoded, len bytes. */
static void
put_encoded(FILE *f, const char *text, size_t len)
{
	for (; len > 0; text++, len--)
		if (*text == ' ')
			fputc('+', f);
		else if (isalnum((unsigned char)*text) || strchr("*-._", *text) != NULL)
			fputc(*text, f);
		else
			fprintf(f, "%%%02X", (unsigned)(unsigned char)*text);
}

void
ph_kuma_push(int is_up, const char *message)
{
	const char		*base = ph_config_str(PH_CFG_UPTIMEKUMA_PUSH_URL);
	char			 url[URL_SIZE] = "", answer[ANSWER_SIZE];
	struct ph_http_call	 call = { .url = url, .timeout_ms = PH_KUMA_TIMEOUT_MS, .answer = answer,
				    .answer_size = sizeof(answer) };
	FILE			*f;

	if (base[0] == '\0' || (f = fmemopen(url, sizeof(url), "w")) == NULL)
		return;
	fprintf(f, "%.*s?status=%s&msg=", (int)strcspn(base, "?#"), base, is_up ? "up" : "down");
	put_encoded(f, message, ph_utf8_cut(message, strlen(message), PH_KUMA_MESSAGE_MAX));
	fputs("&ping=", f);
	fclose(f);
	ph_http_run(&call, 1);
	if (call.rc != PH_OK)
		ph_log("warn", "kuma", "the push failed: %s", call.err.detail);
	else if (call.status != 200)
		ph_log("warn", "kuma", "the push failed: status %d", call.status);
}
