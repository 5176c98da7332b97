/*
 * podcasts.c -- GET /api/analytics/podcasts
 *
 * The podcasts of a user, with the figures of the last week and month, and how far job-op3-sync is with each.
 */
#include "autoconf.h"

#include <string.h>

#include "core/clock.h"
#include "core/endpoint.h"
#include "core/log.h"
#include "domain/show.h"

static const char sql_podcast[] =
	"SELECT p.name, s.first_day, s.complete_through, s.backfill_done, s.updated_at, s.next_at, s.unit, s.pages, s.rows_read,"
	" s.error_code FROM podcasts p LEFT JOIN op3_sync s ON s.podcast_id = p.id WHERE p.id = $1";
enum { S_NAME, S_FIRST, S_THROUGH, S_DONE, S_UPDATED, S_NEXT, S_UNIT, S_PAGES, S_ROWS, S_ERROR };

static const char *const states[] = { "never", "idle", "running", "failed", NULL };
enum { NEVER, IDLE, RUNNING, FAILED };

enum { Y_STATE, Y_FIRST, Y_THROUGH, Y_DONE, Y_PROGRESS, Y_UNIT, Y_PAGES, Y_ROWS, Y_UPDATED, Y_NEXT, Y_ERROR, Y__MAX };
static const struct ph_field sync_fields[Y__MAX] = {
	[Y_STATE] = { .name = "state", .type = PH_TEXT, .choices = states,
	    .text = "never: not read yet. running: a unit is being read, or was when the job was killed." },
	[Y_FIRST] = { .name = "first_day", .type = PH_TEXT, .is_nullable = 1, .text = "The first day that OP3 knows." },
	[Y_THROUGH] = { .name = "complete_through", .type = PH_TEXT, .is_nullable = 1, .text = "Every day up to it is whole." },
	[Y_DONE] = { .name = "backfill_done", .type = PH_BOOL, .text = "The days reach from the first one to yesterday." },
	[Y_PROGRESS] = { .name = "progress", .type = PH_DECIMAL, .places = 3, .is_nullable = 1, .unit = "ratio",
	    .text = "Of the days from the first one to yesterday; null: the first one is not known." },
	[Y_UNIT] = { .name = "unit", .type = PH_TEXT, .is_nullable = 1, .text = "The first day of what is read now." },
	[Y_PAGES] = { .name = "pages", .text = "Pages of that unit, or of the last one." },
	[Y_ROWS] = { .name = "rows_read", .text = "Downloads in these." },
	[Y_UPDATED] = { .name = "updated_at", .type = PH_TIME, .is_nullable = 1, .text = "The last news of this." },
	[Y_NEXT] = { .name = "next_at", .type = PH_TIME, .is_nullable = 1, .text = "The job reads again then." },
	[Y_ERROR] = { .name = "error_code", .type = PH_TEXT, .is_nullable = 1, .text = "Why the last run broke off, as op3_error_code." },
};

enum { F_ID, F_NAME, F_FEED, F_UUID, F_REGISTERED, F_7D, F_30D, F_SYNC, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_ID] = { .name = "podcast_id", .type = PH_TEXT, .text = "The podcast." },
	[F_NAME] = { .name = "name", .type = PH_TEXT, .text = "Its name." },
	[F_FEED] = { .name = "feed_url", .type = PH_TEXT, .is_nullable = 1, .text = "Its RSS feed." },
	[F_UUID] = { .name = "op3_show_uuid", .type = PH_TEXT, .is_nullable = 1, .text = "Its show at OP3." },
	[F_REGISTERED] = { .name = "registered", .type = PH_BOOL, .text = "OP3 knows it." },
	[F_7D] = { .name = "downloads_7d", .is_nullable = 1, .text = "In the last week that OP3 counted; null: unknown." },
	[F_30D] = { .name = "downloads_30d", .is_nullable = 1, .text = "In the last 30 days that OP3 counted; null: unknown." },
	[F_SYNC] = { .name = "sync", .type = PH_OBJECT, .fields = sync_fields, .nfields = Y__MAX, .text = "How far job-op3-sync is." },
};
static const struct ph_field list_fields[] = {
	{ .name = "items", .type = PH_ARRAY, .fields = fields, .nfields = F__MAX, .text = "The oldest first, at most 500." },
};

enum { P_USER, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_USER] = { .name = "user_id", .type = PH_P_TEXT, .min = 1, .max = PH_ID_SIZE - 1,
	    .text = "Of another user, by id or name; for admins." },
};

static struct ph_value
progress(struct ph_stmt *st, int64_t now_ms)
{
	const int64_t	yesterday = ph_time_floor(now_ms, PH_DAY_MS, 0) - PH_DAY_MS;
	int64_t		first, through;

	if (ph_stmt_is_null(st, S_FIRST))
		return ph_v_null();
	first = ph_day_ms(ph_stmt_text(st, S_FIRST));
	through = ph_stmt_is_null(st, S_THROUGH) ? first - PH_DAY_MS : ph_day_ms(ph_stmt_text(st, S_THROUGH));
	if (through >= yesterday)
		return ph_v_ratio(1, 1);
	return ph_v_ratio((through - first) / PH_DAY_MS + 1, (yesterday - first) / PH_DAY_MS + 1);
}

static void
write_sync(struct ph_stmt *st, int64_t now_ms, struct ph_json *out)
{
	const int		is_there = !ph_stmt_is_null(st, S_UPDATED);
	const int		state = !is_there ? NEVER : !ph_stmt_is_null(st, S_UNIT) ? RUNNING :
				    !ph_stmt_is_null(st, S_ERROR) ? FAILED : IDLE;
	const struct ph_value	v[Y__MAX] = {
		[Y_STATE] = ph_v_str(states[state]), [Y_FIRST] = ph_v_str(ph_stmt_text(st, S_FIRST)),
		[Y_THROUGH] = ph_v_str(ph_stmt_text(st, S_THROUGH)), [Y_DONE] = ph_v_int(ph_stmt_int(st, S_DONE)),
		[Y_PROGRESS] = progress(st, now_ms), [Y_UNIT] = ph_v_str(ph_stmt_text(st, S_UNIT)),
		[Y_PAGES] = ph_v_int(ph_stmt_int(st, S_PAGES)), [Y_ROWS] = ph_v_int(ph_stmt_int(st, S_ROWS)),
		[Y_UPDATED] = is_there ? ph_v_int(ph_stmt_int(st, S_UPDATED)) : ph_v_null(),
		[Y_NEXT] = is_there ? ph_v_int(ph_stmt_int(st, S_NEXT)) : ph_v_null(),
		[Y_ERROR] = ph_v_str(ph_stmt_text(st, S_ERROR)),
	};

	ph_json_obj_open(out, "sync");
	ph_json_fields(out, sync_fields, v, Y__MAX);
	ph_json_close(out);
}

static enum ph_rc
write_podcast(struct ph_req *req, const struct ph_show *s, struct ph_json *out, struct ph_err *err)
{
	const int64_t	 now_ms = ph_req_now_ms(req);
	const char	*code;
	const int	 has_counts = ph_show_use(s, now_ms, &code) != PH_SHOW_UNAVAILABLE;
	struct ph_value	 v[F__MAX] = {
		[F_ID] = ph_v_str(s->podcast_id), [F_FEED] = ph_v_known_text(s->feed_url), [F_UUID] = ph_v_known_text(s->uuid),
		[F_REGISTERED] = ph_v_int(s->uuid[0] != '\0' && strcmp(s->code, "not_registered") != 0),
		[F_7D] = ph_v_known(has_counts && s->counts.nweekly > 0 ? s->counts.weekly[s->counts.nweekly - 1] : -1),
		[F_30D] = ph_v_known(has_counts ? s->counts.monthly : -1),
	};
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(ph_req_db(req), sql_podcast, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, s->podcast_id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		v[F_NAME] = ph_v_str(ph_stmt_text(st, S_NAME));
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, fields, v, F_SYNC);
		write_sync(st, now_ms, out);
		ph_json_close(out);
	}
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
podcasts_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_db		*db = ph_req_db(req);
	struct ph_err		 own = { .rc = PH_OK };
	struct ph_listener	 who;
	struct ph_shows		 shows = { 0 };
	enum ph_rc		 rc;
	size_t			 i;

	if ((rc = ph_db_begin(db, err)) == PH_OK &&
	    (rc = ph_listener_find(db, ph_req_who(req), ph_req_text(req, P_USER), &who, err)) == PH_OK)
		rc = ph_shows_read(db, who.user_id, NULL, &shows, err);
	ph_db_end(db);
	if (rc != PH_OK)
		return rc;
	if (ph_shows_refresh_for(req, &shows, &own) != PH_OK)
		ph_log("error", "podcast-podcasts", "OP3's counts: %s %s", own.detail, own.internal);
	ph_json_set_time_style(out, PH_TIME_SECONDS);
	ph_json_arr_open(out, "items");
	rc = ph_db_begin(db, err);
	for (i = 0; i < shows.n && rc == PH_OK; i++)
		rc = write_podcast(req, &shows.list[i], out, err);
	ph_db_end(db);
	ph_json_close(out);
	ph_shows_free(&shows);
	return rc;
}

static const struct ph_route route = {
	.name = "podcast-podcasts", .path = "/api/analytics/podcasts", .needs = PH_NEED_DB_READ | PH_NEED_DB_WRITE | PH_NEED_NET,
	.ops[PH_GET] = {
		.scope = "podcast:read", .summary = "The podcasts, and how far their figures are",
		.params = params, .nparams = P__MAX, .fields = list_fields, .nfields = 1, .is_own_tx = 1, .handle = podcasts_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
