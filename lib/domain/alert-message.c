/*
 * alert-message.c -- the words of each built-in kind of alert, and of any other rule.
 */
#include "autoconf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "domain/alert-message.h"
#include "domain/metric.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000, WORDS_SIZE = 40 };
enum { STUCK_MS = 5 * MINUTE_MS, OAUTH_SOON_MS = 20 * MINUTE_MS };

struct description {
	struct ph_db			*db;
	const struct ph_alert_rule	*rule;
	double				 value;
	int64_t				 now_ms;
	char				*message;	/* PH_ALERT_MESSAGE_SIZE */
	cJSON				*metadata;
};

/* The first few of what is meant, the worst first.  $1: an instant, $2: how many. */
static const char sql_overdue[] =
	"SELECT id FROM publish_logs WHERE scheduled_for < $1 AND status IN ('scheduled', 'pending')"
	" ORDER BY scheduled_for LIMIT $2";
static const char sql_expiring[] =
	"SELECT id FROM social_accounts WHERE is_active <> 0 AND oauth_expires_at <= $1"
	" ORDER BY oauth_expires_at LIMIT $2";
static const char sql_expiring_n[] =
	"SELECT count(*) FROM social_accounts WHERE is_active <> 0 AND oauth_expires_at <= $1";
static const char sql_stuck[] =
	"SELECT id FROM jobs WHERE status = 'processing' AND updated_at < $1 ORDER BY updated_at LIMIT $2";
static const char sql_blocked[] =
	"SELECT campaigns.id FROM campaigns JOIN clips ON clips.id = campaigns.clip_id"
	" WHERE campaigns.status = 'active' AND clips.status NOT IN ('ready', 'published') AND campaigns.created_at <= $1"
	" ORDER BY campaigns.created_at LIMIT $2";

/* -- parts --------------------------------------------------------------------------------------- */

static void say(struct description *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void
say(struct description *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->message, PH_ALERT_MESSAGE_SIZE, fmt, ap);	/* may be cut, in ASCII */
	va_end(ap);
}

/* "45 s", "12 min", "3 h", "2 days". */
static const char *
words_for_ms(char words[WORDS_SIZE], double ms)
{
	const double s = fabs(ms);

	if (s < MINUTE_MS)
		snprintf(words, WORDS_SIZE, "%.0f s", floor(s / SECOND_MS));
	else if (s < HOUR_MS)
		snprintf(words, WORDS_SIZE, "%.0f min", floor(s / MINUTE_MS));
	else if (s < 2.0 * DAY_MS)
		snprintf(words, WORDS_SIZE, "%.0f h", floor(s / HOUR_MS));
	else
		snprintf(words, WORDS_SIZE, "%.0f days", floor(s / DAY_MS));
	return words;
}

static const char *
plural(double n)
{
	return n == 1 ? "" : "s";
}

/* Add the array `name` with the ids that a statement finds. */
static enum ph_rc
add_ids(struct description *d, const char *name, const char *sql, int64_t at_ms, struct ph_err *err)
{
	cJSON		*ids = cJSON_AddArrayToObject(d->metadata, name);
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(d->db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, at_ms);
	ph_stmt_bind_int(st, 2, PH_ALERT_EXAMPLES);
	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		cJSON_AddItemToArray(ids, cJSON_CreateString(ph_stmt_text(st, 0)));
	ph_stmt_done(st);
	return rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
count(struct description *d, const char *sql, int64_t at_ms, int64_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(d->db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, at_ms);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

/* The values of some metrics, each also a member of the metadata under its name. */
static enum ph_rc
add_metrics(struct description *d, const char *const *names, double *out, size_t n, struct ph_err *err)
{
	unsigned char	wanted[PH_METRICS_MAX] = { 0 };
	double		values[PH_METRICS_MAX];
	int		found;
	enum ph_rc	rc;
	size_t		i;

	for (i = 0; i < n; i++)
		if ((found = ph_metric_find(names[i], strlen(names[i]))) >= 0)
			wanted[found] = 1;
	if ((rc = ph_metrics_read(d->db, d->now_ms, wanted, values, err)) != PH_OK)
		return rc;
	for (i = 0; i < n; i++) {
		found = ph_metric_find(names[i], strlen(names[i]));
		out[i] = found >= 0 ? values[found] : NAN;
		cJSON_AddItemToObject(d->metadata, names[i], isnan(out[i]) ? cJSON_CreateNull() :
		    cJSON_CreateNumber(out[i]));
	}
	return PH_OK;
}

/* -- one function per kind ----------------------------------------------------------------------- */

static enum ph_rc
queue_saturation(struct description *d, struct ph_err *err)
{
	(void)err;
	say(d, "%.0f post%s wait in the queue.", d->value, d->value == 1 ? " has to" : "s");
	return PH_OK;
}

static enum ph_rc
scheduler_backlog(struct description *d, struct ph_err *err)
{
	static const char *const	names[] = { "telemetry.scheduler.overdue" };
	char				words[WORDS_SIZE];
	double				n;
	enum ph_rc			rc;

	if ((rc = add_metrics(d, names, &n, 1, err)) != PH_OK)
		return rc;
	say(d, "%.0f scheduled post%s overdue, the oldest by %s.", n, n == 1 ? " is" : "s are",
	    words_for_ms(words, d->value));
	return add_ids(d, "publication_ids", sql_overdue, d->now_ms, err);
}

static enum ph_rc
orchestrator_inactive(struct description *d, struct ph_err *err)
{
	static const char *const	names[] = { "orchestrator.idle_ms" };
	char				words[WORDS_SIZE];
	double				idle_ms;
	enum ph_rc			rc;

	if ((rc = add_metrics(d, names, &idle_ms, 1, err)) != PH_OK)
		return rc;
	if (isnan(idle_ms))
		say(d, "The orchestrator has never acted.");
	else
		say(d, "The orchestrator has not acted for %s.", words_for_ms(words, idle_ms));
	return PH_OK;
}

static enum ph_rc
publish_failures_spike(struct description *d, struct ph_err *err)
{
	(void)err;
	say(d, "%.0f post%s failed in the last 10 minutes.", d->value, plural(d->value));
	return PH_OK;
}

static enum ph_rc
oauth_expiring_soon(struct description *d, struct ph_err *err)
{
	/* A critical alert hides no account that the warning would name. */
	const int64_t	ahead_ms = (int64_t)fmin(fmax(OAUTH_SOON_MS, d->rule->threshold), (double)PH_TIME_MAX);
	char		words[WORDS_SIZE];
	int64_t		expired = 0, soon = 0;
	enum ph_rc	rc;

	if ((rc = count(d, sql_expiring_n, d->now_ms, &expired, err)) != PH_OK ||
	    (rc = count(d, sql_expiring_n, d->now_ms + ahead_ms, &soon, err)) != PH_OK)
		return rc;
	cJSON_AddNumberToObject(d->metadata, "expired", (double)expired);
	cJSON_AddNumberToObject(d->metadata, "expiring", (double)(soon - expired));
	if (expired > 0)
		say(d, "The access of %.0f account%s has expired.", (double)expired, plural((double)expired));
	else
		say(d, "The access of an account expires in %s.", words_for_ms(words, d->value));
	return add_ids(d, "account_ids", sql_expiring, d->now_ms + ahead_ms, err);
}

static enum ph_rc
worker_crash_detected(struct description *d, struct ph_err *err)
{
	cJSON_AddNumberToObject(d->metadata, "count", d->value);
	say(d, "%.0f job%s been processing without a sign of life for over 5 minutes.", d->value,
	    d->value == 1 ? " has" : "s have");
	return add_ids(d, "job_ids", sql_stuck, d->now_ms - STUCK_MS, err);
}

static enum ph_rc
campaign_blocked(struct description *d, struct ph_err *err)
{
	cJSON_AddNumberToObject(d->metadata, "count", d->value);
	say(d, "%.0f active campaign%s no clip that is ready or published.", d->value,
	    d->value == 1 ? " has" : "s have");
	return add_ids(d, "campaign_ids", sql_blocked, PH_TIME_MAX, err);
}

static enum ph_rc
system_health_degraded(struct description *d, struct ph_err *err)
{
	static const char *const	names[] = { "orchestrator.pending_jobs", "queue.pending", "events.failed.24h" };
	double				v[3];
	enum ph_rc			rc;

	if ((rc = add_metrics(d, names, v, 3, err)) != PH_OK)
		return rc;
	say(d, "%.0f of 3 signs of trouble: %.0f jobs and %.0f posts pending, %.0f posts failed in 24 hours.",
	    d->value, v[0], v[1], v[2]);
	return PH_OK;
}

static const struct {
	const char	 *alert_type;
	enum ph_rc	(*describe)(struct description *, struct ph_err *);
} kinds[] = {
	{ "queue_saturation", queue_saturation }, { "scheduler_backlog", scheduler_backlog },
	{ "orchestrator_inactive", orchestrator_inactive }, { "publish_failures_spike", publish_failures_spike },
	{ "oauth_expiring_soon", oauth_expiring_soon }, { "worker_crash_detected", worker_crash_detected },
	{ "campaign_blocked", campaign_blocked }, { "system_health_degraded", system_health_degraded },
};

/* A rule that somebody made. */
static void
describe_rule(struct description *d)
{
	const struct ph_alert_rule *r = d->rule;

	if (isnan(d->value))
		say(d, "%s: %s has no value.", r->name, r->metric);
	else
		say(d, "%s: %s is %.15g (%s %.15g).", r->name, r->metric, d->value, ph_alert_ops[r->op], r->threshold);
}

enum ph_rc
ph_alert_describe(struct ph_db *db, const struct ph_alert_rule *r, double value, int64_t now_ms,
    char message[PH_ALERT_MESSAGE_SIZE], char **metadata, struct ph_err *err)
{
	struct description	d = { db, r, value, now_ms, message, cJSON_CreateObject() };
	enum ph_rc		rc = PH_OK;
	size_t			i;

	cJSON_AddStringToObject(d.metadata, "metric", r->metric);
	cJSON_AddStringToObject(d.metadata, "op", ph_alert_ops[r->op]);
	cJSON_AddNumberToObject(d.metadata, "threshold", r->threshold);
	cJSON_AddItemToObject(d.metadata, "value", isnan(value) ? cJSON_CreateNull() : cJSON_CreateNumber(value));
	message[0] = '\0';
	for (i = 0; ph_alert_is_builtin(r) && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].alert_type, r->alert_type) == 0)
			rc = kinds[i].describe(&d, err);
	if (message[0] == '\0')
		describe_rule(&d);
	*metadata = rc == PH_OK ? cJSON_PrintUnformatted(d.metadata) : NULL;
	cJSON_Delete(d.metadata);
	return rc == PH_OK && *metadata == NULL ? ph_fail(err, PH_ENOMEM, "not enough memory for an alert") : rc;
}

/* -- a notification as a mail ----------------------------------------------------------------------- */

static const char *
text_of(const cJSON *object, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return s != NULL ? s : "";
}

/* One notification in words: a line, and for a digest one for each that it names. */
static void
put_words(FILE *f, const cJSON *n)
{
	const cJSON	*alert = cJSON_GetObjectItem(n, "alert"), *count = cJSON_GetObjectItem(n, "count");
	const cJSON	*named = cJSON_GetObjectItem(n, "notifications"), *item;

	cJSON_ArrayForEach(item, named)
		put_words(f, item);
	if (cJSON_IsNumber(count) && count->valueint > cJSON_GetArraySize(named))
		fprintf(f, "and %d more\n", count->valueint - cJSON_GetArraySize(named));
	if (alert != NULL)
		fprintf(f, "%s  %s  [%s] %s\n", text_of(n, "at"),
		    strcmp(text_of(alert, "state"), "resolved") == 0 ? "over" : "firing",
		    text_of(alert, "severity"), text_of(alert, "message"));
	else if (cJSON_GetObjectItem(n, "message") != NULL)
		fprintf(f, "%s  %s\n", text_of(n, "at"), text_of(n, "message"));
}

static void
put_subject(FILE *f, const cJSON *n)
{
	const cJSON *alert = cJSON_GetObjectItem(n, "alert"), *count = cJSON_GetObjectItem(n, "count");

	if (cJSON_IsNumber(count))
		fprintf(f, "[pilothouse] %d notifications in one", count->valueint);
	else if (alert == NULL)
		fprintf(f, "[pilothouse] test");
	else
		fprintf(f, "[pilothouse] %s: %s", strcmp(text_of(alert, "state"), "resolved") == 0 ? "over" :
		    text_of(alert, "severity"), text_of(n, "rule_name"));
}

/* What put() writes about a notification.  NULL: no memory. */
static char *
words(void (*put)(FILE *, const cJSON *), const cJSON *n)
{
	char	*text = NULL;
	size_t	 size;
	FILE	*f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	put(f, n);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

enum ph_rc
ph_notification_words(const char *payload, char **subject, char **text, struct ph_err *err)
{
	cJSON *n = cJSON_Parse(payload);

	*subject = words(put_subject, n);
	*text = words(put_words, n);
	cJSON_Delete(n);
	return *subject != NULL && *text != NULL ? PH_OK : ph_fail(err, PH_ENOMEM, "not enough memory for the mail");
}
