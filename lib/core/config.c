/*
 * config.c -- the table of settings and how they are found.
 */
#include "autoconf.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/address.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/number.h"

enum { VALUE_MAX = 1024, LINE_SIZE = 2048 };

static const struct ph_setting settings[PH_CFG__MAX] = {
	[PH_CFG_HOME] = { "PH_HOME", PH_SET_TEXT, 1, 200, PH_DEFAULT_HOME, 0,
	    "directory of the database, sockets, logs and admin.token; not read from the file" },
	[PH_CFG_SOCKET_DIR] = { "PH_SOCKET_DIR", PH_SET_TEXT, 0, 80, "", 0,
	    "directory of the sockets between nginx and the workers; empty: $PH_HOME/run" },
	[PH_CFG_CACHE_DIR] = { "PH_CACHE_DIR", PH_SET_TEXT, 0, 200, "", 0,
	    "directory that nginx keeps answers in, writable by its workers; empty: $PH_HOME/cache" },
	[PH_CFG_ADDRESS] = { "PH_ADDRESS", PH_SET_TEXT, 1, 64, "127.0.0.1", 0,
	    "address that nginx listens on" },
	[PH_CFG_PORT] = { "PH_PORT", PH_SET_INT, 1, 65535, "8080", 0,
	    "TCP port that nginx listens on" },
	[PH_CFG_TLS] = { "PH_TLS", PH_SET_BOOL, 0, 1, "0", 0,
	    "speak TLS on that port" },
	[PH_CFG_TLS_CERT] = { "PH_TLS_CERT", PH_SET_TEXT, 0, 400, "", 0,
	    "certificate chain, PEM; empty: $PH_HOME/tls/cert.pem" },
	[PH_CFG_TLS_KEY] = { "PH_TLS_KEY", PH_SET_TEXT, 0, 400, "", 0,
	    "private key, PEM; empty: $PH_HOME/tls/key.pem" },
	[PH_CFG_SERVER_NAME] = { "PH_SERVER_NAME", PH_SET_TEXT, 1, 200, "localhost", 0,
	    "host name for nginx and for the certificate that --tls makes" },
	[PH_CFG_WORKERS] = { "PH_WORKERS", PH_SET_INT, 1, 64, "2", 0,
	    "worker processes of each route" },
	[PH_CFG_WORKERS_HOT] = { "PH_WORKERS_HOT", PH_SET_INT, 1, 64, "4", 0,
	    "worker processes of each route named in PH_HOT_ROUTES" },
	[PH_CFG_HOT_ROUTES] = { "PH_HOT_ROUTES", PH_SET_TEXT, 0, 1000, "", 0,
	    "space-separated route names, e.g. dashboard-queue auth-check" },
	[PH_CFG_NGINX_WORKERS] = { "PH_NGINX_WORKERS", PH_SET_INT, 1, 64, "2", 0,
	    "nginx worker processes" },
	[PH_CFG_MAX_REQUESTS] = { "PH_MAX_REQUESTS", PH_SET_INT, 0, 1000000000, "1000000", 0,
	    "requests after which a worker makes room for a fresh one; 0: never" },
	[PH_CFG_JOBS] = { "PH_JOBS", PH_SET_TEXT, 1, 1000, "all", 0,
	    "space-separated names of the jobs that `pilothouse start` runs; all or none of them" },
	[PH_CFG_BUSY_TIMEOUT_MS] = { "PH_BUSY_TIMEOUT_MS", PH_SET_INT, 0, 60000, "5000", 0,
	    "longest wait for a database lock, in milliseconds" },
	[PH_CFG_DEADLINE_MS] = { "PH_DEADLINE_MS", PH_SET_INT, 10, 600000, "5000", 0,
	    "longest run of the statements of one answer, in milliseconds" },
	[PH_CFG_QUEUE_CAPACITY] = { "PH_QUEUE_CAPACITY", PH_SET_INT, 1, 1000000000, "50", 0,
	    "open publish logs at which saturation_rate reaches 1.0" },
	[PH_CFG_RATE_TOKEN] = { "PH_RATE_TOKEN", PH_SET_INT, 0, 10000000, "6000", 0,
	    "requests per minute and token; 0: no limit" },
	[PH_CFG_RATE_ADDRESS] = { "PH_RATE_ADDRESS", PH_SET_INT, 0, 10000000, "12000", 0,
	    "requests per minute and client address; 0: no limit" },
	[PH_CFG_RATE_BURST] = { "PH_RATE_BURST", PH_SET_INT, 1, 1000000, "400", 0,
	    "requests that may come at once before the limits bite" },
	[PH_CFG_RATE_FAILURES] = { "PH_RATE_FAILURES", PH_SET_INT, 0, 1000000, "10", 0,
	    "wrong credentials per minute and address before 401 becomes 429; 0: no limit" },
	[PH_CFG_RATE_ACTION] = { "PH_RATE_ACTION", PH_SET_INT, 0, 1000000, "10", 0,
	    "actions and logins per minute and caller; 0: no limit" },
	[PH_CFG_RATE_EXPORT] = { "PH_RATE_EXPORT", PH_SET_INT, 0, 1000000, "6", 0,
	    "exports per minute and caller; 0: no limit" },
	[PH_CFG_LIVE_INTERVAL_MS] = { "PH_LIVE_INTERVAL_MS", PH_SET_INT, 1000, 60000, "3000", 0,
	    "time between two looks for changes to send to the streams, in milliseconds" },
	[PH_CFG_LIVE_STREAMS] = { "PH_LIVE_STREAMS", PH_SET_INT, 1, 100000, "512", 0,
	    "event streams and WebSockets open at once" },
	[PH_CFG_LIVE_STREAMS_TOKEN] = { "PH_LIVE_STREAMS_TOKEN", PH_SET_INT, 1, 100000, "8", 0,
	    "of these, with one token" },
	[PH_CFG_ALLOW] = { "PH_ALLOW", PH_SET_CIDRS, 0, 1000, "", 0,
	    "client addresses that nginx lets in, space-separated CIDRs; empty: all" },
	[PH_CFG_CORS_ORIGINS] = { "PH_CORS_ORIGINS", PH_SET_ORIGINS, 0, 1000, "", 0,
	    "space-separated origins whose pages may call us, e.g. https://panel.example.com" },
	[PH_CFG_ACCESS_LOG] = { "PH_ACCESS_LOG", PH_SET_BOOL, 0, 1, "1", 0,
	    "nginx writes log/access.log" },
	[PH_CFG_REQUEST_LOG] = { "PH_REQUEST_LOG", PH_SET_BOOL, 0, 1, "1", 0,
	    "workers write a JSON line per request; failures are written in any case" },
	[PH_CFG_ORCHESTRATOR] = { "PH_ORCHESTRATOR", PH_SET_BOOL, 0, 1, "1", 0,
	    "the publishing system's orchestrator is meant to run; 0: no alert when it does not" },
	[PH_CFG_WEBHOOK_ALLOW] = { "PH_WEBHOOK_ALLOW", PH_SET_CIDRS, 0, 1000, "", 0,
	    "private addresses that webhooks may go to all the same, space-separated CIDRs" },
	[PH_CFG_ALLOW_LOOPBACK_HTTP] = { "PH_ALLOW_LOOPBACK_HTTP", PH_SET_BOOL, 0, 1, "0", 0,
	    "webhooks and mail to this machine itself may go without TLS" },
	[PH_CFG_CA_FILE] = { "PH_CA_FILE", PH_SET_TEXT, 0, 400, "", 0,
	    "certificates, PEM, that other machines are checked by; empty: the system's" },
	[PH_CFG_SMTP_URL] = { "PH_SMTP_URL", PH_SET_TEXT, 0, 400, "", 0,
	    "mail server: smtps://HOST:465, or smtp://HOST:587 with STARTTLS; empty: no mail is sent" },
	[PH_CFG_SMTP_USER] = { "PH_SMTP_USER", PH_SET_TEXT, 0, 200, "", 0,
	    "user name at the mail server; empty: no login" },
	[PH_CFG_SMTP_PASSWORD] = { "PH_SMTP_PASSWORD", PH_SET_TEXT, 0, 400, "", 1,
	    "password at the mail server" },
	[PH_CFG_SMTP_FROM] = { "PH_SMTP_FROM", PH_SET_TEXT, 0, 254, "", 0,
	    "mail address that alerts come from" },
	[PH_CFG_OP3_ENABLED] = { "OP3_ENABLED", PH_SET_BOOL, 0, 1, "1", 0,
	    "ask OP3, the Open Podcast Prefix Project, for downloads" },
	[PH_CFG_OP3_BASE_URL] = { "OP3_BASE_URL", PH_SET_TEXT, 1, 400, "https://op3.dev/api/1", 0,
	    "where its API is; http:// to this machine itself needs PH_ALLOW_LOOPBACK_HTTP" },
	[PH_CFG_OP3_TOKEN] = { "OP3_TOKEN", PH_SET_TEXT, 0, 200, "", 1,
	    "bearer token for its API, from op3.dev/api/keys; empty: nothing is asked" },
	[PH_CFG_OP3_WAIT_MS] = { "OP3_WAIT_MS", PH_SET_INT, 0, 10000, "2500", 0,
	    "longest wait of a request for it, in milliseconds" },
	[PH_CFG_OP3_JOB_TIMEOUT_MS] = { "OP3_JOB_TIMEOUT_MS", PH_SET_INT, 100, 60000, "20000", 0,
	    "longest call of job-op3-sync, in milliseconds" },
	[PH_CFG_BREAKER_OP3_THRESHOLD] = { "BREAKER_OP3_THRESHOLD", PH_SET_INT, 1, 1000, "5", 0,
	    "failures after which it is left alone" },
	[PH_CFG_BREAKER_OP3_TIMEOUT] = { "BREAKER_OP3_TIMEOUT", PH_SET_INT, 1, 3600, "60", 0,
	    "seconds that it then is left alone for" },
	[PH_CFG_DB_HOST] = { "DB_HOST", PH_SET_TEXT, 0, 255, "", 0,
	    "MySQL or MariaDB server of the product, or the path of its socket; empty: no product analytics" },
	[PH_CFG_DB_PORT] = { "DB_PORT", PH_SET_INT, 1, 65535, "3306", 0,
	    "its TCP port" },
	[PH_CFG_DB_NAME] = { "DB_NAME", PH_SET_TEXT, 1, 64, "free-planning-poker", 0,
	    "the database there that has the tables fpp_users, fpp_rooms ..." },
	[PH_CFG_DB_USERNAME] = { "DB_USERNAME", PH_SET_TEXT, 1, 128, "fpp", 0,
	    "account there, which needs to read these tables only" },
	[PH_CFG_DB_PASSWORD] = { "DB_PASSWORD", PH_SET_TEXT, 0, 400, "", 1,
	    "its password" },
	[PH_CFG_DB_TLS] = { "DB_TLS", PH_SET_BOOL, 0, 1, "0", 0,
	    "speak TLS with the server, and verify its certificate by PH_CA_FILE" },
	[PH_CFG_DB_TIMEOUT] = { "DB_TIMEOUT", PH_SET_INT, 1, 3600, "60", 0,
	    "longest wait for an answer of the server, in seconds" },
	[PH_CFG_FPP_START_DATE] = { "FPP_START_DATE", PH_SET_DAY, 10, 10, "2024-06-03", 0,
	    "first day (UTC) of the series, and of what sessions are counted from" },
	[PH_CFG_FPP_UNKNOWN_ROOM] = { "FPP_UNKNOWN_ROOM", PH_SET_CHOICE, 1, 8, "404", 0,
	    "what /room/{id}/stats says of a room that nothing is known of: 404, or zero for zeros", "404 zero" },
	[PH_CFG_BEA_BASE_URL] = { "BEA_BASE_URL", PH_SET_TEXT, 0, 400, "", 0,
	    "mail backend of /daily-analytics: a URL, or a host that is asked at http://HOST:3010; empty: no mail" },
	[PH_CFG_BEA_SECRET_KEY] = { "BEA_SECRET_KEY", PH_SET_TEXT, 0, 400, "", 1,
	    "bearer token for it; empty: no mail" },
	[PH_CFG_UPTIMEKUMA_PUSH_URL] = { "UPTIMEKUMA_PUSH_URL", PH_SET_TEXT, 0, 400, "", 1,
	    "push monitor of Uptime Kuma that hears of every run of job-readmodel; empty: none" },
};

/* Most settings keep their default, whose text is shared by all processes of a program. */
static struct {
	const char	*text;
	char		*owned;		/* text, where it is not the default; else NULL */
	int64_t		 num;
	const char	*source;
} values[PH_CFG__MAX];

const struct ph_setting *
ph_setting(enum ph_setting_id id)
{
	assert((unsigned)id < PH_CFG__MAX);
	return &settings[id];
}

static int
is_origin(const char *s, size_t len)
{
	const size_t scheme = len > 8 && strncmp(s, "https://", 8) == 0 ? 8 :
	    len > 7 && strncmp(s, "http://", 7) == 0 ? 7 : 0;
	size_t i;

	for (i = scheme; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && strchr(".-:[]", s[i]) == NULL)
			return 0;
	return scheme > 0;
}

/* Is it one of the words of a list? */
static int
has_word(const char *list, const char *word, size_t len)
{
	const char *p;

	for (p = list; len > 0 && (p = strstr(p, word)) != NULL; p += len)
		if ((p == list || p[-1] == ' ') && (p[len] == '\0' || p[len] == ' '))
			return 1;
	return 0;
}

int
ph_setting_check(enum ph_setting_id id, const char *value, char *why, size_t why_size)
{
	const struct ph_setting	*s = &settings[id];
	const char		*p = value;
	int64_t			 n;
	size_t			 len = strlen(value), i;

	why[0] = '\0';
	switch (s->type) {
	case PH_SET_INT:
	case PH_SET_BOOL:
		if (ph_parse_int(value, len, s->min, s->max, &n) != 0)
			snprintf(why, why_size, "an integer from %lld to %lld is needed",
			    (long long)s->min, (long long)s->max);
		break;
	default:
		if (len < (size_t)s->min || len > (size_t)s->max || len >= VALUE_MAX)
			snprintf(why, why_size, "a text of %lld to %lld bytes is needed",
			    (long long)s->min, (long long)s->max);
		/* Values are copied into the nginx configuration, secrets nowhere. */
		for (i = 0; i < len; i++)
			if ((unsigned char)value[i] < ' ' ||
			    (!s->is_secret && strchr("\"'\\;{}$`", value[i]) != NULL))
				snprintf(why, why_size, "quotes, control characters and any of \\;{}$` "
				    "are not allowed");
		break;
	}
	if (why[0] == '\0' && s->type == PH_SET_DAY && ph_day_ms(value) < 0)
		snprintf(why, why_size, "a day YYYY-MM-DD is needed");
	if (why[0] == '\0' && s->type == PH_SET_CHOICE && !has_word(s->choices, value, len))
		snprintf(why, why_size, "one of these is needed: %s", s->choices);
	while (why[0] == '\0' && (s->type == PH_SET_CIDRS || s->type == PH_SET_ORIGINS)) {
		p += strspn(p, " ");
		if ((len = strcspn(p, " ")) == 0)
			break;
		if (s->type == PH_SET_CIDRS && !ph_cidr_is_valid(p, len))
			snprintf(why, why_size, "%.*s is not an address or network", (int)len, p);
		if (s->type == PH_SET_ORIGINS && !is_origin(p, len))
			snprintf(why, why_size, "%.*s is not an origin like https://host:port", (int)len, p);
		p += len;
	}
	return why[0] == '\0' ? 0 : -1;
}

/* Take a value that was checked. */
static enum ph_rc
take(enum ph_setting_id id, const char *value, const char *source, struct ph_err *err)
{
	char *owned = NULL;

	if (value != settings[id].dflt && (owned = strdup(value)) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the settings");
	free(values[id].owned);
	values[id].owned = owned;
	values[id].text = owned != NULL ? owned : settings[id].dflt;
	values[id].num = 0;
	if (settings[id].type == PH_SET_INT || settings[id].type == PH_SET_BOOL)
		ph_parse_int(value, strlen(value), settings[id].min, settings[id].max, &values[id].num);
	values[id].source = source;
	return PH_OK;
}

/* The setting called name (len bytes), or -1. */
static int
find(const char *name, size_t len)
{
	int i;

	for (i = 0; i < PH_CFG__MAX; i++)
		if (strlen(settings[i].name) == len && strncmp(settings[i].name, name, len) == 0)
			return i;
	return -1;
}

/* One line of the file: NAME=value, a comment, or empty.  Values may be quoted as in a
 * shell, so that the file can be read by one.  Names that are not ours and do not begin
 * with PH_ belong to somebody else. */
static enum ph_rc
read_line(char *line, const char *path, int lineno, struct ph_err *err)
{
	char	*p = line + strspn(line, " \t"), *eq, *value, *end, why[160];
	int	 id;

	end = p + strcspn(p, "\r\n");
	*end = '\0';
	if (*p == '\0' || *p == '#')
		return PH_OK;
	if (strncmp(p, "export ", 7) == 0)
		p += 7;
	if ((eq = strchr(p, '=')) == NULL || eq == p)
		return ph_fail(err, PH_EPARAM, "%s, line %d: NAME=value is needed", path, lineno);
	value = eq + 1;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	if (end - value >= 2 && (*value == '"' || *value == '\'') && end[-1] == *value) {
		end[-1] = '\0';
		value++;
	}
	id = find(p, (size_t)(eq - p));
	if (id == PH_CFG_HOME || (id < 0 && strncmp(p, "PH_", 3) == 0))
		return ph_fail(err, PH_EPARAM, "%s, line %d: %.*s is not a setting of this file",
		    path, lineno, (int)(eq - p), p);
	if (id < 0)
		return PH_OK;
	if (ph_setting_check((enum ph_setting_id)id, value, why, sizeof(why)) != 0)
		return ph_fail(err, PH_EPARAM, "%s, line %d: %s: %s", path, lineno,
		    settings[id].name, why);
	return take((enum ph_setting_id)id, value, "file", err);
}

static enum ph_rc
read_file(const char *path, struct ph_err *err)
{
	char		line[LINE_SIZE];
	struct stat	sb;
	FILE		*f;
	enum ph_rc	rc = PH_OK;
	int		lineno = 0;

	if ((f = fopen(path, "re")) == NULL) {
		if (errno == ENOENT)
			return PH_OK;
		return ph_fail(err, PH_EPARAM, "%s: %s", path, strerror(errno));
	}
	if (fstat(fileno(f), &sb) != 0 || (sb.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
		rc = ph_fail(err, PH_EPARAM, "%s: others can read or write it; chmod 600 %s", path, path);
	while (rc == PH_OK && fgets(line, sizeof(line), f) != NULL) {
		lineno++;
		if (strchr(line, '\n') == NULL && !feof(f))
			rc = ph_fail(err, PH_EPARAM, "%s, line %d: longer than %d bytes", path, lineno,
			    LINE_SIZE - 2);
		else
			rc = read_line(line, path, lineno, err);
	}
	fclose(f);
	return rc;
}

enum ph_rc
ph_config_load(const char *home, struct ph_err *err)
{
	char		path[512], why[160];
	const char	*value;
	enum ph_rc	rc;
	int		i;

	for (i = 0; i < PH_CFG__MAX; i++)
		take((enum ph_setting_id)i, settings[i].dflt, "default", err);	/* copies nothing */
	if (home != NULL || (home = getenv("PH_HOME")) != NULL) {
		if (ph_setting_check(PH_CFG_HOME, home, why, sizeof(why)) != 0)
			return ph_fail(err, PH_EPARAM, "PH_HOME: %s", why);
		if ((rc = take(PH_CFG_HOME, home, strcmp(home, settings[PH_CFG_HOME].dflt) == 0 ? "default" :
		    "environment", err)) != PH_OK)
			return rc;
	}
	if ((rc = read_file(ph_config_path(path, sizeof(path), "pilothouse.conf"), err)) != PH_OK)
		return rc;
	for (i = PH_CFG_HOME + 1; i < PH_CFG__MAX; i++) {
		if ((value = getenv(settings[i].name)) == NULL)
			continue;
		if (ph_setting_check((enum ph_setting_id)i, value, why, sizeof(why)) != 0)
			return ph_fail(err, PH_EPARAM, "environment: %s: %s", settings[i].name, why);
		if ((rc = take((enum ph_setting_id)i, value, "environment", err)) != PH_OK)
			return rc;
	}
	return PH_OK;
}

int64_t
ph_config_int(enum ph_setting_id id)
{
	assert((unsigned)id < PH_CFG__MAX);
	return values[id].num;
}

const char *
ph_config_str(enum ph_setting_id id)
{
	assert((unsigned)id < PH_CFG__MAX);
	return values[id].text;
}

int
ph_config_has(enum ph_setting_id id, const char *word)
{
	return has_word(ph_config_str(id), word, strlen(word));
}

const char *
ph_config_source(enum ph_setting_id id)
{
	assert((unsigned)id < PH_CFG__MAX);
	return values[id].source;
}

char *
ph_config_path(char *buf, size_t size, const char *name)
{
	const int n = snprintf(buf, size, "%s/%s", values[PH_CFG_HOME].text, name);

	if (n < 0 || (size_t)n >= size)
		buf[0] = '\0';
	return buf;
}

char *
ph_config_socket(char *buf, size_t size, const char *name)
{
	const char	*dir = values[PH_CFG_SOCKET_DIR].text;
	const int	 n = dir[0] != '\0' ? snprintf(buf, size, "%s/%s.sock", dir, name) :
	    snprintf(buf, size, "%s/run/%s.sock", values[PH_CFG_HOME].text, name);

	if (n < 0 || (size_t)n >= size)
		buf[0] = '\0';
	return buf;
}
