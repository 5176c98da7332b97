/*
 * ingest.c -- POST /api/podcasts/ingest/{kind}
 *
 * The door for podcasts and episodes, one's own; lib/domain/ingest.h says what becomes of a row,
 * ingest-podcasts.c which members it has.
 *
 * 200 every row is in; 207 some were refused, results says which and why.
 * 422 with mode=all: some row is wrong, errors names it, and nothing was written.
 */
#include "autoconf.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "core/endpoint.h"
#include "domain/ingest.h"
#include "domain/show.h"

static const char sql_podcast_of[] = "SELECT podcast_id FROM episodes WHERE id = $1";

/* The order of enum ph_ingest_podcast_type. */
static const char *const kinds[] = { "podcasts", "episodes", NULL };

enum { P_KIND, P_MODE, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_KIND] = { .name = "kind", .type = PH_P_CHOICE, .in = PH_IN_PATH, .choices = kinds,
	    .text = "What the rows are." },
	[P_MODE] = PH_PARAM_INGEST_MODE,
};

/* The podcast of an episode that came in, "": it did not. */
static enum ph_rc
podcast_of(struct ph_db *db, const char *episode_id, char out[PH_ID_SIZE], struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	out[0] = '\0';
	if ((rc = ph_db_prepare(db, sql_podcast_of, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, episode_id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		strncat(out, ph_stmt_text(st, 0), PH_ID_SIZE - 1);
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

/* Episodes are new or are called otherwise: find those of OP3 again, once for each run of the same podcast. */
static enum ph_rc
match_again(struct ph_db *db, const cJSON *answer, struct ph_err *err)
{
	const cJSON	*results = cJSON_GetObjectItem(answer, "results"), *row, *id;
	char		 podcast[PH_ID_SIZE], last[PH_ID_SIZE] = "";
	enum ph_rc	 rc = PH_OK;

	cJSON_ArrayForEach(row, results) {
		id = cJSON_GetObjectItem(row, "id");
		if (!cJSON_IsString(id) || (rc = podcast_of(db, id->valuestring, podcast, err)) != PH_OK ||
		    podcast[0] == '\0' || strcmp(podcast, last) == 0)
			continue;
		memcpy(last, podcast, sizeof(last));
		if ((rc = ph_show_match(db, podcast, err)) != PH_OK)
			break;
	}
	return rc;
}

static enum ph_rc
ingest_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const int64_t		kind = ph_req_int(req, P_KIND);
	struct ph_listener	who;
	struct ph_ingest	in = {
		.kind = &ph_ingest_podcast_kinds[kind], .is_all = ph_req_int(req, P_MODE) == PH_INGEST_ALL,
		.owner = who.user_id,
	};
	enum ph_rc		rc;

	if ((rc = ph_listener_find(ph_req_db(req), ph_req_who(req), NULL, &who, err)) != PH_OK)
		return rc;
	in.is_any = who.is_admin;
	if ((rc = ph_ingest_request(req, &in, out, err)) == PH_OK && kind == PH_INGEST_EPISODES)
		rc = match_again(ph_req_db(req), ph_json_root(out), err);
	return rc;
}

static const struct ph_route route = {
	.name = "podcast-ingest", .path = "/api/podcasts/ingest/{kind}", .needs = PH_NEED_DB_WRITE,
	.body_max = PH_INGEST_BODY_MAX,
	.ops[PH_POST] = {
		.scope = "podcast:write", .summary = "Bring in podcasts and episodes.",
		.description = "The body is one object, a JSON array of at most 1,000, or NDJSON "
		    "(application/x-ndjson, or found out). The members are the columns of the table, named in "
		    "pilothouse-api(7). A row whose id is there is changed by the members that are given. "
		    "What belongs to somebody else is refused, except for admins. 207 if some rows were refused.",
		.params = params, .nparams = P__MAX, .fields = ph_ingest_fields, .nfields = PH_INGEST_NFIELDS,
		.is_raw = 1, .action = "podcast.ingest", .deadline_ms = 15000, .handle = ingest_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
