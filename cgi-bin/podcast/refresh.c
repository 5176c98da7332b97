/*
 * refresh.c -- POST /api/analytics/podcast/{podcast_id}/refresh
 *
 * Ask OP3 again before its figures are old: the next request does, and job-op3-sync at its next minute.
 *
 * 202; 429 rate_limited with Retry-After within ten minutes of the last time.
 */
#include "autoconf.h"

#include "core/endpoint.h"
#include "domain/podcast.h"

#define BETWEEN_MS INT64_C(600000)

static const char sql_last[] =
	"SELECT max(coalesce(counts_at, 0), coalesce(error_at, 0)) FROM op3_shows WHERE podcast_id = $1";
static const char sql_refresh[] = "UPDATE op3_shows SET fresh_until = 0 WHERE podcast_id = $1";
static const char sql_sync[] = "UPDATE op3_sync SET next_at = 0 WHERE podcast_id = $1";

enum { P_PODCAST, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_PODCAST] = { .name = "podcast_id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_ID_SIZE - 1,
	    .text = "The podcast." },
};
static const char *const statuses[] = { "accepted", NULL };
static const struct ph_field fields[] = {
	{ .name = "status", .type = PH_TEXT, .choices = statuses, .text = "Always accepted." },
	{ .name = "podcast_id", .type = PH_TEXT, .text = "The podcast." },
};

static enum ph_rc
run(struct ph_db *db, const char *sql, const char *id, int64_t *n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*n = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
refresh_post(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const char		*id = ph_req_text(req, P_PODCAST);
	const struct ph_value	 v[] = { ph_v_str("accepted"), ph_v_str(id) };
	struct ph_db		*db = ph_req_db(req);
	struct ph_listener	 who;
	struct ph_podcast	 podcast;
	int64_t			 last = 0, left_ms;
	enum ph_rc		 rc;

	if ((rc = ph_listener_find(db, ph_req_who(req), NULL, &who, err)) != PH_OK ||
	    (rc = ph_podcast_find(db, &who, id, &podcast, err)) != PH_OK || (rc = run(db, sql_last, id, &last, err)) != PH_OK)
		return rc;
	left_ms = last + BETWEEN_MS - ph_req_now_ms(req);
	if (left_ms >= 0) {
		err->retry_after_s = (int)(left_ms / 1000) + 1;
		return ph_fail(err, PH_ERATE, "OP3 was asked within the last ten minutes");
	}
	if ((rc = run(db, sql_refresh, id, &last, err)) != PH_OK || (rc = run(db, sql_sync, id, &last, err)) != PH_OK)
		return rc;
	ph_req_audit(req, id, NULL);
	ph_json_fields(out, fields, v, 2);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "podcast-refresh", .path = "/api/analytics/podcast/{podcast_id}/refresh", .needs = PH_NEED_DB_WRITE,
	.ops[PH_POST] = {
		.scope = "podcast:write", .summary = "Ask OP3 again soon", .action = "podcast.refresh", .status = 202,
		.description = "At most every ten minutes; the job op3-sync reads the days again at its next minute.",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = 2, .handle = refresh_post,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
