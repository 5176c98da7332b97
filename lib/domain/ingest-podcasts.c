/*
 * ingest-podcasts.c -- podcasts and episodes as rows that are brought in: members, limits, SQL, owners.
 */
#include "autoconf.h"

#include <string.h>

#include "core/clock.h"
#include "domain/ingest-member.h"

enum { SLUG_MAX = 100, GUID_MAX = 512, UUID_LEN = 32, DAY_LEN = 10, NUMBER_MAX = 1000000 };

/* -- podcasts ------------------------------------------------------------------------- */

enum { P_ID, P_USER_ID, P_NAME, P_SLUG, P_PODCAST_GUID, P_FEED_URL, P_OP3_SHOW_UUID, P_IMPORTED_DOWNLOADS,
    P_IMPORTED_UNTIL, P_PUBLIC_STATS, P_CREATED_AT, P_UPDATED_AT, P__MAX };
static const struct ph_param podcasts[P__MAX] = {
	[P_ID] = OWN_ID,
	[P_USER_ID] = ID("user_id", "The owner; default the caller. Only admins may name another."),
	[P_NAME] = BODY("name", PH_P_TEXT, .is_required = 1, .min = 1, .max = NAME_MAX_BYTES, .text = "Its name."),
	[P_SLUG] = BODY("slug", PH_P_TEXT, .min = 1, .max = SLUG_MAX, .text = "A short name; no two podcasts have the same."),
	[P_PODCAST_GUID] = BODY("podcast_guid", PH_P_TEXT, .min = 36, .max = 36, .text = "The podcast:guid of its feed, a UUID."),
	[P_FEED_URL] = BODY("feed_url", PH_P_TEXT, .min = 15, .max = URL_MAX, .text = "Its RSS feed, https:// or http://."),
	[P_OP3_SHOW_UUID] = BODY("op3_show_uuid", PH_P_TEXT, .min = UUID_LEN, .max = UUID_LEN,
	    .text = "Its show at OP3, 32 lower-case hexadecimal digits; found by feed and guid if it is not given."),
	[P_IMPORTED_DOWNLOADS] = BODY("imported_downloads", PH_P_INT, .max = LONG_MS, .text = "Downloads before OP3, counted elsewhere."),
	[P_IMPORTED_UNTIL] = BODY("imported_until", PH_P_TEXT, .min = DAY_LEN, .max = DAY_LEN,
	    .text = "The last day of these, YYYY-MM-DD."),
	[P_PUBLIC_STATS] = BODY("public_stats", PH_P_BOOL, .text = "Anybody may see its totals."),
	[P_CREATED_AT] = CREATED_AT,
	[P_UPDATED_AT] = UPDATED_AT,
};
#define PODCAST_COLUMNS "id, user_id, name, slug, podcast_guid, feed_url, op3_show_uuid, imported_downloads," \
	" imported_until, public_stats, created_at, updated_at"
static const char sql_find_podcast[] = "SELECT " PODCAST_COLUMNS " FROM podcasts WHERE id = $1";
static const char sql_put_podcasts[] =
	"INSERT INTO podcasts (" PODCAST_COLUMNS ")"
	" SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 FROM temp.incoming WHERE n BETWEEN $1 AND $2"
	" ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, name = excluded.name, slug = excluded.slug,"
	" podcast_guid = excluded.podcast_guid, feed_url = excluded.feed_url, op3_show_uuid = excluded.op3_show_uuid,"
	" imported_downloads = excluded.imported_downloads, imported_until = excluded.imported_until,"
	" public_stats = excluded.public_stats, created_at = excluded.created_at, updated_at = excluded.updated_at";

static int
is_day(const char *text)
{
	int64_t ms;

	return strspn(text, "0123456789-") == DAY_LEN && ph_time_parse(text, DAY_LEN, 0, &ms) == 0;
}

static int
is_uuid(const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-' :
		    strchr("0123456789abcdefABCDEF", text[i]) == NULL)
			return 0;
	return 1;
}

static const char *
refuse_podcast(const struct ph_args *args, size_t *param)
{
	const char *text;

	*param = P_PODCAST_GUID;
	if ((text = args->values[*param].text) != NULL && args->values[*param].is_set && !is_uuid(text))
		return "a UUID with dashes is needed";
	*param = P_FEED_URL;
	if ((text = args->values[*param].text) != NULL && args->values[*param].is_set &&
	    ((strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0) || strpbrk(text, " \"<>\\^`{|}") != NULL))
		return "a URL beginning with https:// or http:// is needed";
	*param = P_OP3_SHOW_UUID;
	if ((text = args->values[*param].text) != NULL && args->values[*param].is_set &&
	    strspn(text, "0123456789abcdef") != UUID_LEN)
		return "32 lower-case hexadecimal digits are needed";
	*param = P_IMPORTED_UNTIL;
	if ((text = args->values[*param].text) != NULL && args->values[*param].is_set && !is_day(text))
		return "a day like 2025-11-22 is needed";
	return NULL;
}

/* -- episodes ------------------------------------------------------------------------- */

static const char *const episode_statuses[] = { "pending", "processing", "awaiting_audio_decision", "failed", "processed",
    "completed", "published", "error", NULL };

enum { E_ID, E_PODCAST_ID, E_TITLE, E_GUID, E_SEASON_NUMBER, E_EPISODE_NUMBER, E_STATUS, E_DURATION_MS, E_AUDIO_BYTES,
    E_REVISION, E_PUBLISH_AT, E_PROCESSED_AT, E_CREATED_AT, E_UPDATED_AT, E__MAX };
static const struct ph_param episodes[E__MAX] = {
	[E_ID] = OWN_ID,
	[E_PODCAST_ID] = BODY("podcast_id", PH_P_TEXT, .is_required = 1, .min = 1, .max = PH_INGEST_ID_MAX,
	    .text = "The podcast it belongs to."),
	[E_TITLE] = BODY("title", PH_P_TEXT, .is_required = 1, .max = TITLE_MAX, .text = "Its title."),
	[E_GUID] = BODY("guid", PH_P_TEXT, .min = 1, .max = GUID_MAX, .text = "The guid of its item in the feed."),
	[E_SEASON_NUMBER] = BODY("season_number", PH_P_INT, .max = NUMBER_MAX, .text = "Of its season."),
	[E_EPISODE_NUMBER] = BODY("episode_number", PH_P_INT, .max = NUMBER_MAX,
	    .text = "Its number; 0 is a placeholder of a feed, which is never shown."),
	[E_STATUS] = BODY("status", PH_P_CHOICE, .choices = episode_statuses, .text = "How far its audio is."),
	[E_DURATION_MS] = BODY("duration_ms", PH_P_INT, .max = LONG_MS, .unit = "ms", .text = "How long it runs."),
	[E_AUDIO_BYTES] = BODY("audio_bytes", PH_P_INT, .max = EXACT_MAX, .unit = "bytes", .text = "Size of its audio."),
	[E_REVISION] = BODY("revision", PH_P_INT, .min = 1, .max = NUMBER_MAX, .dflt = 1, .text = "Which assembly of its audio."),
	[E_PUBLISH_AT] = INSTANT("publish_at", "When it comes out; in the past: it is out."),
	[E_PROCESSED_AT] = INSTANT("processed_at", "When its audio was last assembled."),
	[E_CREATED_AT] = CREATED_AT,
	[E_UPDATED_AT] = UPDATED_AT,
};
#define EPISODE_COLUMNS "id, podcast_id, title, guid, season_number, episode_number, status, duration_ms, audio_bytes," \
	" revision, publish_at, processed_at, created_at, updated_at"
static const char sql_find_episode[] = "SELECT " EPISODE_COLUMNS " FROM episodes WHERE id = $1";
static const char sql_put_episodes[] =
	"INSERT INTO episodes (" EPISODE_COLUMNS ")"
	" SELECT c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14 FROM temp.incoming WHERE n BETWEEN $1 AND $2"
	" ON CONFLICT (id) DO UPDATE SET podcast_id = excluded.podcast_id, title = excluded.title, guid = excluded.guid,"
	" season_number = excluded.season_number, episode_number = excluded.episode_number, status = excluded.status,"
	" duration_ms = excluded.duration_ms, audio_bytes = excluded.audio_bytes, revision = excluded.revision,"
	" publish_at = excluded.publish_at, processed_at = excluded.processed_at, created_at = excluded.created_at,"
	" updated_at = excluded.updated_at";

const struct ph_ingest_kind ph_ingest_podcast_kinds[PH_INGEST_PODCAST__MAX] = {
	[PH_INGEST_PODCASTS] = {
		.name = "podcasts", .params = podcasts, .nparams = P__MAX,
		.nullable = BIT(P_SLUG) | BIT(P_PODCAST_GUID) | BIT(P_FEED_URL) | BIT(P_OP3_SHOW_UUID) |
		    BIT(P_IMPORTED_DOWNLOADS) | BIT(P_IMPORTED_UNTIL),
		.sql_find = sql_find_podcast, .sql_put = sql_put_podcasts,
		.checks = {
			{ P_SLUG, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM podcasts WHERE slug = $1 AND id IS NOT $2)",
			    "another podcast has this slug" },
		},
		.guards = {
			{ P_ID, "SELECT 1 WHERE $2 IS NULL OR NOT EXISTS (SELECT 1 FROM podcasts WHERE id = $1"
			    " AND user_id <> $2)", "this id is not to be had" },
			{ P_USER_ID, "SELECT 1 FROM users WHERE id = $1 AND ($2 IS NULL OR id = $2)",
			    "there is no such user, or you may not write for them" },
		},
		.owner = P_USER_ID, .refuse = refuse_podcast,
	},
	[PH_INGEST_EPISODES] = {
		.name = "episodes", .params = episodes, .nparams = E__MAX,
		.nullable = BIT(E_GUID) | BIT(E_SEASON_NUMBER) | BIT(E_EPISODE_NUMBER) | BIT(E_DURATION_MS) |
		    BIT(E_AUDIO_BYTES) | BIT(E_PUBLISH_AT) | BIT(E_PROCESSED_AT),
		.sql_find = sql_find_episode, .sql_put = sql_put_episodes,
		.guards = {
			{ E_ID, "SELECT 1 WHERE $2 IS NULL OR NOT EXISTS (SELECT 1 FROM episodes e JOIN podcasts p"
			    " ON p.id = e.podcast_id WHERE e.id = $1 AND p.user_id <> $2)", "this id is not to be had" },
			{ E_PODCAST_ID, "SELECT 1 FROM podcasts WHERE id = $1 AND ($2 IS NULL OR user_id = $2)",
			    "there is no such podcast" },
		},
	},
};
