/*
 * config.h -- every setting, declared once.
 *
 * A setting comes from the environment, else from $PH_HOME/pilothouse.conf
 * (NAME=value lines), else it has its default.  The file may not be readable by others,
 * because it may hold secrets.  pilothouse.conf(5) and `pilothouse config` are printed from
 * the same table.
 */
#ifndef PH_CONFIG_H
#define PH_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum ph_setting_id {
	PH_CFG_HOME,
	PH_CFG_SOCKET_DIR,
	PH_CFG_CACHE_DIR,
	PH_CFG_ADDRESS,
	PH_CFG_PORT,
	PH_CFG_TLS,
	PH_CFG_TLS_CERT,
	PH_CFG_TLS_KEY,
	PH_CFG_SERVER_NAME,
	PH_CFG_WORKERS,
	PH_CFG_WORKERS_HOT,
	PH_CFG_HOT_ROUTES,
	PH_CFG_NGINX_WORKERS,
	PH_CFG_MAX_REQUESTS,
	PH_CFG_JOBS,
	PH_CFG_BUSY_TIMEOUT_MS,
	PH_CFG_DEADLINE_MS,
	PH_CFG_QUEUE_CAPACITY,
	PH_CFG_RATE_TOKEN,
	PH_CFG_RATE_ADDRESS,
	PH_CFG_RATE_BURST,
	PH_CFG_RATE_FAILURES,
	PH_CFG_RATE_ACTION,
	PH_CFG_RATE_EXPORT,
	PH_CFG_LIVE_INTERVAL_MS,
	PH_CFG_LIVE_STREAMS,
	PH_CFG_LIVE_STREAMS_TOKEN,
	PH_CFG_ALLOW,
	PH_CFG_CORS_ORIGINS,
	PH_CFG_ACCESS_LOG,
	PH_CFG_REQUEST_LOG,
	PH_CFG_ORCHESTRATOR,
	PH_CFG_WEBHOOK_ALLOW,
	PH_CFG_ALLOW_LOOPBACK_HTTP,
	PH_CFG_CA_FILE,
	PH_CFG_SMTP_URL,
	PH_CFG_SMTP_USER,
	PH_CFG_SMTP_PASSWORD,
	PH_CFG_SMTP_FROM,
	PH_CFG_OP3_ENABLED,
	PH_CFG_OP3_BASE_URL,
	PH_CFG_OP3_TOKEN,
	PH_CFG_OP3_WAIT_MS,
	PH_CFG_OP3_JOB_TIMEOUT_MS,
	PH_CFG_BREAKER_OP3_THRESHOLD,
	PH_CFG_BREAKER_OP3_TIMEOUT,
	PH_CFG_DB_HOST,
	PH_CFG_DB_PORT,
	PH_CFG_DB_NAME,
	PH_CFG_DB_USERNAME,
	PH_CFG_DB_PASSWORD,
	PH_CFG_DB_TLS,
	PH_CFG_DB_TIMEOUT,
	PH_CFG_FPP_START_DATE,
	PH_CFG_FPP_UNKNOWN_ROOM,
	PH_CFG_BEA_BASE_URL,
	PH_CFG_BEA_SECRET_KEY,
	PH_CFG_UPTIMEKUMA_PUSH_URL,
	PH_CFG__MAX
};

enum ph_setting_type {
	PH_SET_INT,
	PH_SET_BOOL,		/* 0 or 1 */
	PH_SET_TEXT,
	PH_SET_CIDRS,		/* space-separated addresses or networks */
	PH_SET_ORIGINS,		/* space-separated scheme://host[:port] */
	PH_SET_DAY,		/* YYYY-MM-DD */
	PH_SET_CHOICE		/* one of .choices */
};

struct ph_setting {
	const char		*name;
	enum ph_setting_type	 type;
	int64_t			 min, max;	/* PH_SET_INT; else the longest text in max */
	const char		*dflt;
	unsigned		 is_secret : 1;
	const char		*help;		/* one line */
	const char		*choices;	/* PH_SET_CHOICE: space-separated words */
};

const struct ph_setting	*ph_setting(enum ph_setting_id);

/*
 * Read file and environment.  home: overrides PH_HOME; NULL: environment, else the
 * installed default.  A missing file is no error.  PH_EPARAM: the detail names the
 * file, the line and what is wrong with it.  To be called once, before the others.
 */
enum ph_rc	ph_config_load(const char *home, struct ph_err *);

int64_t		ph_config_int(enum ph_setting_id);
const char	*ph_config_str(enum ph_setting_id);	/* never NULL; static */
/* Is it one of the value's space-separated words? */
int		ph_config_has(enum ph_setting_id, const char *word);
/* Where the value comes from: "default", "file" or "environment". */
const char	*ph_config_source(enum ph_setting_id);

/* The socket of a route: PH_SOCKET_DIR/name.sock.  As ph_config_path(). */
char		*ph_config_socket(char *buf, size_t size, const char *name);

/* buf = $PH_HOME/name.  Returns buf; a path that does not fit becomes "". */
char		*ph_config_path(char *buf, size_t size, const char *name);

/* Is value right for the setting?  0, or -1 with a sentence in why. */
int		ph_setting_check(enum ph_setting_id, const char *value, char *why, size_t why_size);

#endif
