/*
 * mail.c -- a message in the form of RFC 5322, and its way to the server.
 *
 * The text is sent in base64: no line is too long, none begins with a dot, and no byte of it
 * can be a header or a command.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/address.h"
#include "core/config.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "net/mail.h"
#include "net/peer.h"
#include "net/target.h"

enum {
	LINE_BYTES = 57,	/* 76 characters of base64 */
	WORD_BYTES = 45		/* 60 characters: an encoded word has at most 75 in all */
};

static void
put_base64(FILE *f, const char *data, size_t len)
{
	char text[2 * LINE_BYTES];

	fputs(ph_base64(text, sizeof(text), data, len), f);
}

/* Subject as encoded words, each of whole characters. */
static void
put_subject(FILE *f, const char *s)
{
	size_t left = strlen(s), n;

	fputs("Subject:", f);
	while (left > 0) {
		n = left < WORD_BYTES ? left : WORD_BYTES;
		while (n < left && n > 1 && ((unsigned char)s[n] & 0xc0) == 0x80)
			n--;
		fputs(" =?utf-8?B?", f);
		put_base64(f, s, n);
		fputs(n < left ? "?=\r\n" : "?=", f);
		s += n;
		left -= n;
	}
	fputs("\r\n", f);
}

/* The message as it goes over the wire.  Caller frees; NULL: no memory. */
static char *
compose(const struct ph_mail *m, const char *from, size_t *len)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	    "Oct", "Nov", "Dec" };
	const time_t	 at = (time_t)(m->at_ms / 1000);
	const char	*text = m->text;
	char		*out = NULL;
	size_t		 left = strlen(text), n;
	struct tm	 tm;
	FILE		*f = open_memstream(&out, len);

	if (f == NULL || gmtime_r(&at, &tm) == NULL)
		return NULL;
	fprintf(f, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday], tm.tm_mday,
	    months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	fprintf(f, "From: <%s>\r\nTo: <%s>\r\nMessage-ID: <%s%s>\r\n", from, m->to, m->id, strchr(from, '@'));
	put_subject(f, m->subject);
	fputs("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n", f);
	for (; left > 0; text += n, left -= n) {
		n = left < LINE_BYTES ? left : LINE_BYTES;
		put_base64(f, text, n);
		fputs("\r\n", f);
	}
	if (fclose(f) != 0) {
		free(out);
		return NULL;
	}
	return out;
}

struct upload { const char *data; size_t left; };

static size_t
give(char *to, size_t size, size_t n, void *arg)
{
	struct upload	*u = arg;
	const size_t	 len = size * n < u->left ? size * n : u->left;

	memcpy(to, u->data, len);
	u->data += len;
	u->left -= len;
	return len;
}

/* smtp://127.0.0.1:25 and the like. */
static int
is_on_this_machine(const char *url)
{
	const char	*host = url + strlen("smtp://");
	const size_t	 len = host[0] == '[' ? strcspn(host + 1, "]") : strcspn(host, ":/");
	char		 text[64];

	if (strncasecmp(url, "smtp://", 7) != 0 || len >= sizeof(text))
		return 0;
	memcpy(text, host + (host[0] == '['), len);
	text[len] = '\0';
	return strcmp(text, "localhost") == 0 || ph_address_is_loopback(text);
}

static int
prepare(CURL *curl, const char *url, const char *from, struct curl_slist *to, struct ph_peer *peer,
    struct upload *u)
{
	const char *user = ph_config_str(PH_CFG_SMTP_USER), *password = ph_config_str(PH_CFG_SMTP_PASSWORD);

	return ph_peer_guard(curl, peer, PH_MAIL_TIMEOUT_MS) == 0 &&
	    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(peer->is_plain ? CURLUSESSL_NONE : CURLUSESSL_ALL)) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to) == CURLE_OK &&
	    (user[0] == '\0' || (curl_easy_setopt(curl, CURLOPT_USERNAME, user) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_PASSWORD, password) == CURLE_OK)) &&
	    curl_easy_setopt(curl, CURLOPT_READFUNCTION, give) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_READDATA, u) == CURLE_OK &&
	    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L) == CURLE_OK ? 0 : -1;
}

enum ph_rc
ph_mail_send(const struct ph_mail *m, struct ph_err *err)
{
	const char		*url = ph_config_str(PH_CFG_SMTP_URL), *from = ph_config_str(PH_CFG_SMTP_FROM);
	struct ph_peer		 peer = { .is_plain = 0 };
	struct upload		 u = { NULL, 0 };
	struct curl_slist	*to = NULL;
	char			*message = NULL, why[120];
	CURL			*curl = NULL;
	enum ph_rc		 rc;

	if (url[0] == '\0')
		return ph_fail(err, PH_EPARAM, "no mail server is set: PH_SMTP_URL is empty");
	if (ph_target_mail_check(from, why, sizeof(why)) != 0)
		return ph_fail(err, PH_EPARAM, "PH_SMTP_FROM: %s", why);
	if (ph_target_mail_check(m->to, why, sizeof(why)) != 0)
		return ph_fail(err, PH_EPARAM, "%s", why);
	peer.is_plain = ph_config_int(PH_CFG_ALLOW_LOOPBACK_HTTP) != 0 && is_on_this_machine(url);
	message = compose(m, from, &u.left);
	u.data = message;
	to = curl_slist_append(NULL, m->to);
	curl = curl_easy_init();
	if (message == NULL || to == NULL || curl == NULL || prepare(curl, url, from, to, &peer, &u) != 0)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the mail");
	else
		rc = ph_peer_failure(curl_easy_perform(curl), &peer, err);
	curl_easy_cleanup(curl);
	curl_slist_free_all(to);
	free(message);
	return rc;
}
