/*
 * import.c -- POST /api/podcasts/import
 *
 * A podcast and its episodes from its RSS feed: {"url": "https://..."}, or the feed itself.  Brought in again, what
 * changed in the feed changes here; nothing is removed, and nothing that only we know (status, processed_at) is touched.
 *
 * 200, 201 the podcast is new; 400 no feed that can be read; 413; 422 url; 502, 503, 504 the feed could not be fetched.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>

#include "core/endpoint.h"
#include "domain/feed.h"
#include "domain/ingest.h"
#include "domain/show.h"
#include "net/http.h"
#include "net/target.h"

enum { FETCH_TIMEOUT_MS = 10000, UUID_LEN = 36 };

static const char sql_podcast[] =
	"SELECT id FROM podcasts WHERE user_id = $1 AND (feed_url = $2 OR feed_url = $3 OR podcast_guid = $4)"
	" ORDER BY feed_url = $2 DESC, created_at LIMIT 1";
static const char sql_episode[] = "SELECT id FROM episodes WHERE podcast_id = $1 AND guid = $2 ORDER BY created_at, id LIMIT 1";

enum { P_URL, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_URL] = { .name = "url", .type = PH_P_TEXT, .in = PH_IN_BODY, .min = 10, .max = PH_URL_MAX,
	    .text = "Where the feed is, https://. Or the body is the feed itself, with Content-Type application/rss+xml, "
		"application/xml or text/xml." },
};

enum { F_ID, F_NAME, F_NEW, F_CREATED, F_UPDATED, F_UNCHANGED, F_REFUSED, F_SKIPPED, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "podcast_id", .type = PH_TEXT, .text = "The podcast." },
	[F_NAME] = { .name = "name", .type = PH_TEXT, .text = "Its name." },
	[F_NEW] = { .name = "is_new", .type = PH_BOOL, .text = "It was not there before." },
	[F_CREATED] = { .name = "created", .text = "Episodes that are new." },
	[F_UPDATED] = { .name = "updated", .text = "Episodes that were there and changed." },
	[F_UNCHANGED] = { .name = "unchanged", .text = "Episodes that were there and say the same." },
	[F_REFUSED] = { .name = "refused", .text = "Items that cannot be stored." },
	[F_SKIPPED] = { .name = "skipped", .text = "Items without a guid, or with that of another." },
};

/* From the check to the handler of one request; a program handles one at a time. */
static struct ph_feed	*feed;
static char		 given_url[PH_URL_MAX + 1];	/* "": the body was the feed */

/* -- the feed ------------------------------------------------------------------------- */

static enum ph_rc
fetch(const char *url, struct ph_err *err)
{
	static const char *const headers[] = { "Accept: application/rss+xml, application/xml;q=0.9, text/xml;q=0.8", NULL };
	struct ph_http_call	 c = { .url = url, .headers = headers, .is_given = 1, .timeout_ms = FETCH_TIMEOUT_MS,
				    .answer_size = PH_FEED_MAX + 1 };
	enum ph_rc		 rc;

	if ((c.answer = malloc(c.answer_size)) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the feed");
	ph_http_run(&c, 1);
	if (c.rc != PH_OK) {
		*err = c.err;
		rc = c.is_cut ? ph_fail(err, PH_EBODYTOOBIG, "the feed has more than %d bytes", PH_FEED_MAX) : c.rc;
	} else if (c.status >= 300 && c.status < 400)
		rc = ph_fail_param(err, "url", 3, "the feed has moved (%d); give the address that it leads to", c.status);
	else if (c.status != 200)
		rc = ph_fail(err, PH_EUPSTREAM, "the feed's server answers %d", c.status);
	else
		rc = ph_feed_parse(c.answer, c.answer_len, &feed, err);
	free(c.answer);
	return rc;
}

static enum ph_rc
read_url(const char *body, size_t len, struct ph_err *err)
{
	cJSON		*json;
	const cJSON	*url;
	char		 why[160];
	enum ph_rc	 rc;

	if ((rc = ph_body_parse(body, len, &json, err)) != PH_OK)
		return rc;
	url = cJSON_GetObjectItemCaseSensitive(json, "url");
	if (!cJSON_IsString(url))
		rc = ph_fail_param(err, "url", 3, "is needed, or the feed itself as application/rss+xml");
	else if (ph_target_url_check(url->valuestring, why, sizeof(why)) != 0)
		rc = ph_fail_param(err, "url", 3, "%s", why);
	else
		snprintf(given_url, sizeof(given_url), "%s", url->valuestring);
	cJSON_Delete(json);
	return rc;
}

/* Have the feed, which may take its time, before anything is locked. */
static enum ph_rc
import_check(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char	*type = ph_req_env(req, "CONTENT_TYPE");
	size_t		 len;
	const char	*body = ph_req_body(req, &len);
	enum ph_rc	 rc;

	(void)out;
	ph_feed_free(feed);
	feed = NULL;
	given_url[0] = '\0';
	if ((type != NULL && strcasestr(type, "xml") != NULL) || body[strspn(body, " \t\r\n")] == '<')
		return ph_feed_parse(body, len, &feed, err);
	return (rc = read_url(body, len, err)) == PH_OK ? fetch(given_url, err) : rc;
}

/* -- rows ----------------------------------------------------------------------------- */

/* The first text of a row; "": there is none. */
static enum ph_rc
find_id(struct ph_db *db, const char *sql, const char *const texts[4], char id[PH_ID_SIZE], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	id[0] = '\0';
	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	for (i = 0; i < 4 && (sql == sql_podcast || i < 2); i++)
		ph_stmt_bind_text(st, i + 1, texts[i]);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		snprintf(id, PH_ID_SIZE, "%s", ph_stmt_text(st, 0));
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static void
add_text(cJSON *row, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		cJSON_AddStringToObject(row, name, text);
}

static void
add_known(cJSON *row, const char *name, int64_t value)
{
	if (value >= 0)
		cJSON_AddNumberToObject(row, name, (double)value);
}

/* Bring rows in by the door that everybody uses.  Takes the rows over. */
static enum ph_rc
bring_in(struct ph_req *req, enum ph_ingest_podcast_type type, const struct ph_listener *who, cJSON *rows, struct ph_json *out,
    struct ph_ingest_counts *n, struct ph_err *err)
{
	char			*text = cJSON_PrintUnformatted(rows);
	const struct ph_ingest	 in = {
		.kind = &ph_ingest_podcast_kinds[type], .text = text, .len = text != NULL ? strlen(text) : 0,
		.is_all = type == PH_INGEST_PODCASTS, .now_ms = ph_req_now_ms(req), .actor = ph_req_who(req)->user,
		.owner = who->user_id, .is_any = who->is_admin,
	};
	enum ph_rc		 rc;

	cJSON_Delete(rows);
	rc = text != NULL ? ph_ingest(ph_req_db(req), &in, out, n, err) : ph_fail(err, PH_ENOMEM, "not enough memory for the rows");
	free(text);
	return rc;
}

static enum ph_rc
import_podcast(struct ph_req *req, const struct ph_listener *who, char id[PH_ID_SIZE], int *is_new, struct ph_err *err)
{
	const char		*url = given_url[0] != '\0' ? given_url : feed->self_url;
	const char		*guid = feed->podcast_guid != NULL && strlen(feed->podcast_guid) == UUID_LEN ? feed->podcast_guid : NULL;
	const char *const	 texts[] = { who->user_id, url, feed->self_url, guid };
	cJSON			*rows = cJSON_CreateArray(), *row = cJSON_CreateObject();
	struct ph_json		*answer = ph_json_new();
	struct ph_ingest_counts	 n;
	const cJSON		*made;
	enum ph_rc		 rc;

	cJSON_AddItemToArray(rows, row);
	if ((rc = find_id(ph_req_db(req), sql_podcast, texts, id, err)) != PH_OK || answer == NULL) {
		cJSON_Delete(rows);
		ph_json_free(answer);
		return rc != PH_OK ? rc : ph_fail(err, PH_ENOMEM, "not enough memory for the answer");
	}
	*is_new = id[0] == '\0';
	add_text(row, "id", id);
	add_text(row, "name", feed->title);
	add_text(row, "podcast_guid", guid);
	add_text(row, "feed_url", url);
	if ((rc = bring_in(req, PH_INGEST_PODCASTS, who, rows, answer, &n, err)) == PH_OK) {
		made = cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(ph_json_root(answer), "results"), 0), "id");
		snprintf(id, PH_ID_SIZE, "%s", cJSON_IsString(made) ? made->valuestring : "");
	}
	ph_json_free(answer);
	return rc;
}

static enum ph_rc
add_episode(struct ph_db *db, const char *podcast_id, const struct ph_feed_item *item, cJSON *rows, struct ph_err *err)
{
	const char *const	 texts[] = { podcast_id, item->guid, NULL, NULL };
	char			 id[PH_ID_SIZE];
	cJSON			*row;
	enum ph_rc		 rc;

	if ((rc = find_id(db, sql_episode, texts, id, err)) != PH_OK)
		return rc;
	row = cJSON_CreateObject();
	cJSON_AddItemToArray(rows, row);
	add_text(row, "id", id);
	add_text(row, "podcast_id", podcast_id);
	cJSON_AddStringToObject(row, "title", item->title != NULL ? item->title : "");
	add_text(row, "guid", item->guid);
	if (id[0] == '\0')
		add_text(row, "status", "published");
	add_known(row, "season_number", item->season);
	add_known(row, "episode_number", item->episode);
	add_known(row, "duration_ms", item->duration_ms);
	add_known(row, "audio_bytes", item->enclosure_bytes);
	add_known(row, "publish_at", item->published_at);
	return PH_OK;
}

/* Every item, as many at once as a batch may have. */
static enum ph_rc
import_episodes(struct ph_req *req, const struct ph_listener *who, const char *podcast_id, struct ph_ingest_counts *sum,
    struct ph_err *err)
{
	struct ph_ingest_counts	 n;
	struct ph_json		*answer;
	cJSON			*rows;
	size_t			 i = 0;
	enum ph_rc		 rc = PH_OK;

	while (i < feed->nitems && rc == PH_OK) {
		rows = cJSON_CreateArray();
		for (; i < feed->nitems && cJSON_GetArraySize(rows) < PH_INGEST_ROWS_MAX && rc == PH_OK; i++)
			rc = add_episode(ph_req_db(req), podcast_id, &feed->items[i], rows, err);
		if (rc != PH_OK) {
			cJSON_Delete(rows);
			break;
		}
		n = (struct ph_ingest_counts){ 0 };
		answer = ph_json_new();
		rc = answer != NULL ? bring_in(req, PH_INGEST_EPISODES, who, rows, answer, &n, err) :
		    ph_fail(err, PH_ENOMEM, "not enough memory for the answer");
		ph_json_free(answer);
		sum->created += n.created;
		sum->updated += n.updated;
		sum->unchanged += n.unchanged;
		sum->refused += n.refused;
	}
	return rc == PH_OK ? ph_show_match(ph_req_db(req), podcast_id, err) : rc;
}

static enum ph_rc
import_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_ingest_counts	n = { 0 };
	struct ph_listener	who;
	char			id[PH_ID_SIZE];
	int			is_new = 0;
	enum ph_rc		rc;

	if (feed->title == NULL)
		return ph_fail(err, PH_EBADREQUEST, "the feed's channel has no title");
	if ((rc = ph_listener_find(ph_req_db(req), ph_req_who(req), NULL, &who, err)) != PH_OK ||
	    (rc = import_podcast(req, &who, id, &is_new, err)) != PH_OK ||
	    (rc = import_episodes(req, &who, id, &n, err)) != PH_OK)
		return rc;
	ph_req_audit(req, id, NULL);
	if (is_new)
		ph_req_status(req, 201);

	const struct ph_value v[F__MAX] = {
		[F_ID] = ph_v_str(id), [F_NAME] = ph_v_str(feed->title), [F_NEW] = ph_v_int(is_new),
		[F_CREATED] = ph_v_int(n.created), [F_UPDATED] = ph_v_int(n.updated), [F_UNCHANGED] = ph_v_int(n.unchanged),
		[F_REFUSED] = ph_v_int(n.refused), [F_SKIPPED] = ph_v_int((int64_t)feed->skipped),
	};

	ph_json_fields(out, fields, v, F__MAX);
	ph_feed_free(feed);
	feed = NULL;
	return PH_OK;
}

static const struct ph_route route = {
	.name = "podcast-import", .path = "/api/podcasts/import", .needs = PH_NEED_DB_WRITE | PH_NEED_NET,
	.body_max = PH_FEED_MAX, .rate = PH_RATE_ACTION,
	.ops[PH_POST] = {
		.scope = "podcast:write", .summary = "A podcast from its RSS feed",
		.description = "Found again by its address or podcast:guid, what changed in the feed changes here. Nothing is "
		    "removed. Redirects are not followed, and private addresses are refused.",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX, .is_raw = 1, .is_free_check = 1,
		.action = "podcast.import", .deadline_ms = 15000, .check = import_check, .handle = import_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
