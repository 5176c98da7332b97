/*
 * op3.c -- questions as URLs, and answers member by member.
 */
#include "autoconf.h"

#include <ctype.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/request.h"
#include "net/op3.h"

enum { URL_SIZE = 4096, HEADER_SIZE = 320, ANSWER_MAX = 4 * 1024 * 1024, PAGE_MAX = 16 * 1024 * 1024, TEXT_MAX = 2000 };
#define COUNT_MAX 1e12

/* The answer as an object; NULL: it is none. */
static cJSON *
read_object(const char *answer, size_t len)
{
	struct ph_err	 err = { .rc = PH_OK };
	cJSON		*json;

	if (ph_body_parse(answer, len, &json, &err) != PH_OK)
		return NULL;
	if (cJSON_IsObject(json))
		return json;
	cJSON_Delete(json);
	return NULL;
}

/* {"message":"not found"} is about a show; {"error":"not found"} would be about the path. */
static int
is_missing(void *arg, const char *answer, size_t len)
{
	cJSON		*json = read_object(answer, len);
	const int	 is_show = cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "message"));

	(void)arg;
	cJSON_Delete(json);
	return is_show ? 0 : -1;
}

/* A question about path, which begins with a slash and may have a query. */
static enum ph_reply
ask(struct ph_op3 *op3, const char *path, ph_upstream_parse *parse, void *arg, size_t answer_max)
{
	const char		*base = ph_config_str(PH_CFG_OP3_BASE_URL);
	const char		*headers[] = { NULL, "Accept: application/json", NULL };
	char			 url[URL_SIZE], authorization[HEADER_SIZE];
	struct ph_upstream_call	 call = {
		.url = url, .headers = headers, .parse = parse, .arg = arg, .missing = is_missing, .answer_max = answer_max,
		.timeout_ms = op3->timeout_ms, .deadline_us = op3->deadline_us, .tries = op3->tries,
	};
	size_t			 len = strlen(base);
	enum ph_reply		 reply;

	while (len > 0 && base[len - 1] == '/')
		len--;
	if ((size_t)snprintf(url, sizeof(url), "%.*s%s", (int)len, base, path) >= sizeof(url))
		return PH_REPLY_INTERNAL;
	snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s", ph_config_str(PH_CFG_OP3_TOKEN));
	headers[0] = authorization;
	reply = ph_upstream_get(op3->state, PH_UPSTREAM_OP3, &call);
	explicit_bzero(authorization, sizeof(authorization));
	return reply;
}

/* -- members -------------------------------------------------------------------------- */

static int
is_hex(const char *s, size_t len)
{
	return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

/* A count.  0, or -1: it is nonsense. */
static int
take_count(const cJSON *item, int64_t *out)
{
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= COUNT_MAX) ||
	    item->valuedouble != floor(item->valuedouble))	/* NaN fails the range */
		return -1;
	*out = (int64_t)item->valuedouble;
	return 0;
}

/* The same of a member that must be there, or may be absent: -1. */
static int
read_count(const cJSON *object, const char *name, int is_optional, int64_t *out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	*out = -1;
	return item == NULL && is_optional ? 0 : take_count(item, out);
}

/* A text that may be absent: NULL.  0, or -1: it is nonsense. */
static int
read_text(const cJSON *object, const char *name, const char **out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	*out = NULL;
	if (item == NULL || cJSON_IsNull(item))
		return 0;
	if (!cJSON_IsString(item) || strlen(item->valuestring) > TEXT_MAX)
		return -1;
	*out = item->valuestring;
	return 0;
}

static int
read_day(const cJSON *object, const char *name, char day[PH_DAY_SIZE])
{
	const char *text;

	if (read_text(object, name, &text) != 0 || text == NULL || ph_day_ms(text) < 0)
		return -1;
	memcpy(day, text, PH_DAY_SIZE);
	return 0;
}

/* -- episodes ------------------------------------------------------------------------- */

void
ph_op3_episodes_free(struct ph_op3_episodes *e)
{
	cJSON_Delete(e->json);
	free(e->list);
	*e = (struct ph_op3_episodes){ 0 };
}

static int
read_episode(const cJSON *item, int has_counts, struct ph_op3_episode *e)
{
	const char *pubdate;

	e->pubdate_ms = -1;
	if (!cJSON_IsObject(item) || read_text(item, "id", &e->id) != 0 || read_text(item, "itemGuid", &e->guid) != 0 ||
	    read_text(item, "title", &e->title) != 0 || read_text(item, "pubdate", &pubdate) != 0 ||
	    read_count(item, "downloads1", 1, &e->d1) != 0 || read_count(item, "downloads3", 1, &e->d3) != 0 ||
	    read_count(item, "downloads7", 1, &e->d7) != 0 || read_count(item, "downloads30", 1, &e->d30) != 0 ||
	    read_count(item, "downloadsAll", !has_counts, &e->all) != 0)
		return -1;
	if (pubdate != NULL && ph_time_parse(pubdate, strlen(pubdate), 0, &e->pubdate_ms) != 0)
		return -1;
	return has_counts || (e->id != NULL && is_hex(e->id, 64)) ? 0 : -1;
}

/* Those of the array "episodes" of a tree, which is then theirs. */
static int
read_episodes(cJSON *json, int has_counts, struct ph_op3_episodes *out)
{
	const cJSON	*array = cJSON_GetObjectItemCaseSensitive(json, "episodes"), *item;
	size_t		 n = 0;

	if (!cJSON_IsArray(array) ||
	    (out->list = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof(*out->list))) == NULL)
		return -1;
	cJSON_ArrayForEach(item, array)
		if (read_episode(item, has_counts, &out->list[n++]) != 0) {
			free(out->list);
			*out = (struct ph_op3_episodes){ 0 };
			return -1;
		}
	out->n = n;
	out->json = json;
	return 0;
}

static int
parse_episode_counts(void *arg, const char *answer, size_t len)
{
	cJSON *json = read_object(answer, len);

	if (json != NULL && read_episodes(json, 1, arg) == 0)
		return 0;
	cJSON_Delete(json);
	return -1;
}

enum ph_reply
ph_op3_episode_counts(struct ph_op3 *op3, const char *uuid, struct ph_op3_episodes *out)
{
	char path[128];

	snprintf(path, sizeof(path), "/queries/episode-download-counts?showUuid=%s&limit=%d", uuid, PH_OP3_EPISODES);
	return ask(op3, path, parse_episode_counts, out, ANSWER_MAX);
}

/* -- shows ---------------------------------------------------------------------------- */

struct show_answer {
	char			*uuid;
	struct ph_op3_episodes	*episodes;	/* NULL: not asked for */
};

static int
parse_show(void *arg, const char *answer, size_t len)
{
	struct show_answer	*show = arg;
	cJSON			*json = read_object(answer, len);
	const char		*uuid = NULL;
	int			 is_whole;

	is_whole = json != NULL && read_text(json, "showUuid", &uuid) == 0 && uuid != NULL &&
	    is_hex(uuid, PH_OP3_UUID_SIZE - 1);
	if (is_whole)
		memcpy(show->uuid, uuid, PH_OP3_UUID_SIZE);
	if (is_whole && show->episodes != NULL) {
		if (read_episodes(json, 0, show->episodes) == 0)
			return 0;
		is_whole = 0;
	}
	cJSON_Delete(json);
	return is_whole ? 0 : -1;
}

/* The last segment of its path: UUIDs as they are, a URL in URL-safe base64.  Only these are sent. */
static int
show_segment(const char *id, char *out, size_t size)
{
	const size_t len = strlen(id);

	if (is_hex(id, 32) || (len == 36 && strspn(id, "0123456789abcdefABCDEF-") == len))
		return (size_t)snprintf(out, size, "%s", id) < size ? 0 : -1;
	if (strncmp(id, "http", 4) != 0 || len < 15 ||
	    sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING) > size)
		return -1;
	sodium_bin2base64(out, size, (const unsigned char *)id, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return 0;
}

enum ph_reply
ph_op3_show(struct ph_op3 *op3, const char *id, char uuid[PH_OP3_UUID_SIZE], struct ph_op3_episodes *episodes)
{
	struct show_answer	show = { .uuid = uuid, .episodes = episodes };
	char			path[URL_SIZE - 512] = "/shows/";
	const size_t		n = strlen(path);

	if (show_segment(id, path + n, sizeof(path) - n - sizeof("?episodes=include")) != 0)
		return PH_REPLY_NOT_FOUND;
	if (episodes != NULL)
		strncat(path, "?episodes=include", sizeof(path) - strlen(path) - 1);
	return ask(op3, path, parse_show, &show, PAGE_MAX);
}

struct counts_answer {
	const char *const	*uuids;
	size_t			 n;
	struct ph_op3_counts	*counts;
	char			*as_of;
};

static int
read_counts(const cJSON *object, struct ph_op3_counts *c)
{
	const cJSON	*weekly = cJSON_GetObjectItemCaseSensitive(object, "weeklyDownloads"), *week;
	const cJSON	*avg = cJSON_GetObjectItemCaseSensitive(object, "weeklyAvgDownloads");
	int64_t		 num_weeks;

	*c = (struct ph_op3_counts){ .is_known = 1, .weekly_avg = -1 };
	if (!cJSON_IsObject(object) || read_count(object, "monthlyDownloads", 0, &c->monthly) != 0 ||
	    read_count(object, "numWeeks", 1, &num_weeks) != 0 || num_weeks > 1000 || !cJSON_IsArray(weekly) ||
	    cJSON_GetArraySize(weekly) > PH_OP3_WEEKS)
		return -1;
	cJSON_ArrayForEach(week, weekly)
		if (take_count(week, &c->weekly[c->nweekly++]) != 0)
			return -1;
	if (avg != NULL) {
		if (!cJSON_IsNumber(avg) || !(avg->valuedouble >= 0 && avg->valuedouble <= COUNT_MAX))
			return -1;
		c->weekly_avg = avg->valuedouble;
	}
	c->num_weeks = num_weeks < 0 ? c->nweekly : (int)num_weeks;
	return 0;
}

static int
parse_show_counts(void *arg, const char *answer, size_t len)
{
	struct counts_answer	*a = arg;
	cJSON			*json = read_object(answer, len);
	const cJSON		*shows = cJSON_GetObjectItemCaseSensitive(json, "showDownloadCounts"), *show;
	size_t			 nbad = 0, i;

	if (!cJSON_IsObject(shows) || read_day(json, "asof", a->as_of) != 0) {
		cJSON_Delete(json);
		return -1;
	}
	for (i = 0; i < a->n; i++) {
		a->counts[i] = (struct ph_op3_counts){ 0 };
		show = cJSON_GetObjectItemCaseSensitive(shows, a->uuids[i]);
		if (show != NULL && read_counts(show, &a->counts[i]) != 0) {
			a->counts[i].is_bad = 1;
			nbad++;
		}
	}
	cJSON_Delete(json);
	return nbad == a->n ? -1 : 0;
}

enum ph_reply
ph_op3_show_counts(struct ph_op3 *op3, const char *const *uuids, size_t n, struct ph_op3_counts *counts,
    char as_of[PH_DAY_SIZE])
{
	struct counts_answer	a = { .uuids = uuids, .n = n, .counts = counts, .as_of = as_of };
	char			path[64 + PH_OP3_SHOWS_MAX * 48] = "/queries/show-download-counts";
	size_t			len = strlen(path), i;

	for (i = 0; i < n && i < PH_OP3_SHOWS_MAX; i++)
		len += (size_t)snprintf(path + len, sizeof(path) - len, "%cshowUuid=%s", i == 0 ? '?' : '&', uuids[i]);
	return ask(op3, path, parse_show_counts, &a, ANSWER_MAX);
}

/* -- apps ----------------------------------------------------------------------------- */

static int
parse_apps(void *arg, const char *answer, size_t len)
{
	char		**text = arg;
	cJSON		 *json = read_object(answer, len);
	const cJSON	 *apps = cJSON_GetObjectItemCaseSensitive(json, "appDownloads"), *app;
	int64_t		  n;
	int		  rc = cJSON_IsObject(apps) ? 0 : -1;

	if (rc == 0)
		cJSON_ArrayForEach(app, apps)
			if (read_count(apps, app->string, 0, &n) != 0)
				rc = -1;
	if (rc == 0 && (*text = cJSON_PrintUnformatted(apps)) == NULL)
		rc = -1;
	cJSON_Delete(json);
	return rc;
}

enum ph_reply
ph_op3_top_apps(struct ph_op3 *op3, const char *uuid, char **json)
{
	char path[128];

	snprintf(path, sizeof(path), "/queries/top-apps-for-show?showUuid=%s", uuid);
	return ask(op3, path, parse_apps, json, ANSWER_MAX);
}

/* -- downloads ------------------------------------------------------------------------ */

/* OP3's rule: what an agent counts as. */
static int
read_app(const cJSON *item, const char **app)
{
	const char *type, *name, *referrer_type, *referrer;

	*app = NULL;
	if (read_text(item, "agentType", &type) != 0 || read_text(item, "agentName", &name) != 0 ||
	    read_text(item, "referrerType", &referrer_type) != 0 || read_text(item, "referrerName", &referrer) != 0)
		return -1;
	if (type == NULL)
		return 0;
	if (strcmp(type, "app") == 0)
		*app = name;
	else if (strcmp(type, "library") == 0 && name != NULL && strcmp(name, "AppleCoreMedia") == 0)
		*app = "Unknown Apple App";
	else if (strcmp(type, "browser") == 0 && referrer_type != NULL && strcmp(referrer_type, "app") == 0)
		*app = referrer;
	return 0;
}

static int
read_row(const cJSON *item, struct ph_op3_row *row)
{
	const char	*time, *device_type;
	int64_t		 ms;

	if (!cJSON_IsObject(item) || read_text(item, "time", &time) != 0 || time == NULL ||
	    !isdigit((unsigned char)time[0]) || strchr(time, 'T') == NULL ||
	    ph_time_parse(time, strlen(time), 0, &ms) != 0 || read_text(item, "episodeId", &row->episode_id) != 0 ||
	    read_text(item, "countryCode", &row->country) != 0 || read_app(item, &row->app) != 0 ||
	    read_text(item, "deviceName", &row->device) != 0 || read_text(item, "deviceType", &device_type) != 0)
		return -1;
	if (row->device == NULL)
		row->device = device_type;
	ph_day_format(row->day, ms);
	return 0;
}

static int
parse_page(void *arg, const char *answer, size_t len)
{
	struct ph_op3_page	*page = arg;
	cJSON			*json = read_object(answer, len);
	const cJSON		*rows = cJSON_GetObjectItemCaseSensitive(json, "rows"), *item;
	const char		*token = NULL;
	struct ph_op3_row	 row;
	int			 rc = -1;

	page->nrows = 0;
	if (!cJSON_IsArray(rows) || read_text(json, "continuationToken", &token) != 0 ||
	    (token != NULL && (strlen(token) >= sizeof(page->token) || token[strspn(token,
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")] != '\0')))
		goto out;
	cJSON_ArrayForEach(item, rows) {
		if (read_row(item, &row) != 0 || page->take(page->arg, &row) != 0)
			goto out;
		page->nrows++;
	}
	snprintf(page->token, sizeof(page->token), "%s", token != NULL ? token : "");
	rc = 0;
out:
	cJSON_Delete(json);
	return rc;
}

enum ph_reply
ph_op3_page(struct ph_op3 *op3, struct ph_op3_page *page)
{
	const char	*const members[][2] = {
		{ "&start=", page->start }, { "&end=", page->end },
		{ "&continuationToken=", page->token[0] != '\0' ? page->token : NULL },
	};
	char		 path[1024];
	size_t		 i;
	int		 n;

	n = snprintf(path, sizeof(path), "/downloads/show/%s?format=json&limit=%d", page->uuid, page->limit);
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (members[i][1] != NULL)
			n += snprintf(path + n, sizeof(path) - (size_t)n, "%s%s", members[i][0], members[i][1]);
	return ask(op3, path, parse_page, page, PAGE_MAX);
}
