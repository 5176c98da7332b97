/*
 * daily.c -- GET /daily-analytics
 *
 * The figures of the last 24 hours, which slide by the second and so are counted anew each time.  Before they are
 * answered they are mailed: the mail backend gets exactly this JSON and makes the message.  A mail that is not taken is
 * a failure of the request, and is never tried again here: the backend may have sent it all the same.  HEAD mails nothing.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/config.h"
#include "core/endpoint.h"
#include "core/log.h"
#include "domain/product.h"
#include "net/http.h"

enum { MAIL_TIMEOUT_MS = 30000, ANSWER_SIZE = 4096 };

#define WINDOW_MS PH_DAY_MS

/* Both from covering indexes. */
static const char sql_votes[] =
	"SELECT count(*), coalesce(sum(amount_of_estimations), 0), count(DISTINCT room_id) FROM fpp_votes WHERE voted_at > $1";
static const char sql_views[] = "SELECT count(DISTINCT user_id), count(*) FROM fpp_page_views WHERE viewed_at > $1";

enum { F_VOTES, F_ESTIMATIONS, F_ROOMS, F_USERS, F_VIEWS, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_VOTES] = { .name = "votes", .text = "Votes of the last 24 hours." },
	[F_ESTIMATIONS] = { .name = "estimations", .text = "Cards that these counted." },
	[F_ROOMS] = { .name = "rooms", .text = "Rooms they were in." },
	[F_USERS] = { .name = "unique_users", .text = "Users with a page view." },
	[F_VIEWS] = { .name = "page_views", .text = "Page views." },
};

/* n numbers of the one row of a statement on what is after an instant. */
static enum ph_rc
count(struct ph_db *db, const char *sql, int64_t after_ms, int64_t *out, int n, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, after_ms);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		for (i = 0; i < n; i++)
			out[i] = ph_stmt_int(st, i);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

static enum ph_rc
send_mail(const char *body, struct ph_err *err)
{
	const char		*base = ph_config_str(PH_CFG_BEA_BASE_URL), *key = ph_config_str(PH_CFG_BEA_SECRET_KEY);
	char			 url[512], authorization[512], answer[ANSWER_SIZE];
	const char *const	 headers[] = { "Content-Type: application/json", authorization, NULL };
	struct ph_http_call	 call = { .url = url, .headers = headers, .body = body, .body_len = strlen(body),
				    .timeout_ms = MAIL_TIMEOUT_MS, .answer = answer, .answer_size = sizeof(answer) };

	if (base[0] == '\0' || key[0] == '\0') {
		ph_log("info", "analytics-daily", "no mail: BEA_BASE_URL or BEA_SECRET_KEY is not set");
		return PH_OK;
	}
	if (strstr(base, "://") != NULL)
		snprintf(url, sizeof(url), "%s/fpp-daily-analytics", base);
	else
		snprintf(url, sizeof(url), "http://%s:3010/fpp-daily-analytics", base);
	snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s", key);
	ph_http_run(&call, 1);
	explicit_bzero(authorization, sizeof(authorization));
	/* What it says besides its status is nothing to us, so it may be cut. */
	if (call.rc != PH_OK && !(call.is_cut && call.status == 200)) {
		*err = call.err;
		return call.rc;
	}
	return call.status == 200 ? PH_OK : ph_fail(err, PH_EUPSTREAM, "the mail backend answered %d", call.status);
}

static enum ph_rc
daily_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const int64_t	 after_ms = ph_req_now_ms(req) - WINDOW_MS;
	const char	*method = ph_req_env(req, "REQUEST_METHOD");
	struct ph_db	*db = ph_req_db(req);
	int64_t		 n[F__MAX] = { 0 };
	char		 body[256];
	enum ph_rc	 rc;

	if ((rc = ph_db_begin(db, err)) == PH_OK && (rc = count(db, sql_votes, after_ms, n, 3, err)) == PH_OK)
		rc = count(db, sql_views, after_ms, n + F_USERS, 2, err);
	ph_db_end(db);
	if (rc != PH_OK)
		return rc;
	snprintf(body, sizeof(body), "{\"votes\":%" PRId64 ",\"estimations\":%" PRId64 ",\"rooms\":%" PRId64
	    ",\"unique_users\":%" PRId64 ",\"page_views\":%" PRId64 "}", n[F_VOTES], n[F_ESTIMATIONS], n[F_ROOMS], n[F_USERS],
	    n[F_VIEWS]);
	if ((method == NULL || strcmp(method, "HEAD") != 0) && (rc = send_mail(body, err)) != PH_OK)
		return rc;

	const struct ph_value v[F__MAX] = { ph_v_int(n[0]), ph_v_int(n[1]), ph_v_int(n[2]), ph_v_int(n[3]), ph_v_int(n[4]) };

	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "analytics-daily", .path = "/daily-analytics", .needs = PH_NEED_DB_READ | PH_NEED_MODEL | PH_NEED_NET,
	.is_once = 1, .rate = PH_RATE_ACTION,
	.ops[PH_GET] = {
		.scope = "analytics:write", .summary = "The last 24 hours, mailed",
		.description = "Each GET sends a mail, by the backend of BEA_BASE_URL; HEAD sends none.",
		.fields = fields, .nfields = F__MAX, .is_own_tx = 1, .is_unstored = 1, .handle = daily_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
