/*
 * public.c -- GET /api/public/podcast/{podcast_id}/analytics
 *
 * The totals of a podcast whose owner shows them to anybody (podcasts.public_stats); any other is not found.  OP3 is never
 * asked for it.
 */
#include "autoconf.h"

#include "domain/downloads.h"

enum { CACHE_S = 3600 };

static const char sql_first[] =
	"SELECT min(publish_at) FROM episodes WHERE podcast_id = $1 AND coalesce(episode_number, -1) <> 0"
	" AND publish_at <= $2 AND status NOT IN ('error', 'failed')";

enum { P_PODCAST, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_PODCAST] = { .name = "podcast_id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_ID_SIZE - 1,
	    .text = "The podcast." },
};

/* Each from an age in days on. */
enum { T_ALL, T_7D, T_30D, T_365D, T__MAX };
#define ONCE(n) .is_nullable = 1, .text = "Only once the podcast is " n " old; null: unknown."
static const struct ph_field period_fields[T__MAX] = {
	[T_ALL] = { .name = "all_time", .is_nullable = 1, .text = "All downloads that OP3 knows; null: unknown." },
	[T_7D] = { .name = "7d", ONCE("7 days") }, [T_30D] = { .name = "30d", ONCE("30 days") },
	[T_365D] = { .name = "365d", ONCE("365 days") },
};
static const int64_t ages[T__MAX] = { 0, 7, 30, 365 };

enum { F_AGE = PH_VIEW_NFIELDS, F_PERIODS, F__MAX };
static const struct ph_field fields[F__MAX] = {
	PH_VIEW_FIELDS,
	[F_AGE] = { .name = "podcast_age_days", .is_nullable = 1, .unit = "days",
	    .text = "Since its first episode came out; null: none has." },
	[F_PERIODS] = { .name = "time_periods", .type = PH_OBJECT, .fields = period_fields, .nfields = T__MAX,
	    .text = "Downloads by the length of time; those that the podcast is too young for are left out." },
};

static enum ph_rc
read_age(const struct ph_downloads *d, int64_t *days, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	*days = -1;
	if ((rc = ph_db_prepare(d->db, sql_first, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, d->podcast.id);
	ph_stmt_bind_int(st, 2, d->now_ms);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && !ph_stmt_is_null(st, 0))
		*days = (d->now_ms - ph_stmt_int(st, 0)) / PH_DAY_MS;
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

static enum ph_rc
write_public(const struct ph_downloads *d, struct ph_json *out, struct ph_err *err)
{
	const struct ph_op3_counts	*c = &d->show->counts;
	const int			 has_counts = ph_downloads_has_counts(d);
	int64_t				 n[T__MAX], age;
	struct ph_value			 v;
	enum ph_rc			 rc;
	size_t				 i;

	if ((rc = read_age(d, &age, err)) != PH_OK || (rc = ph_days_all(d, NULL, &n[T_ALL], err)) != PH_OK ||
	    (rc = ph_days_sum(d, NULL, ph_days_last(d, 365, 0), &n[T_365D], err)) != PH_OK)
		return rc;
	if (!d->is_whole)
		n[T_365D] = -1;
	n[T_7D] = has_counts && c->nweekly > 0 ? c->weekly[c->nweekly - 1] : -1;
	n[T_30D] = has_counts ? c->monthly : -1;
	ph_view_common(d, 1, 1, out);
	v = ph_v_known(age);
	ph_json_fields(out, fields + F_AGE, &v, 1);
	ph_json_obj_open(out, "time_periods");
	for (i = 0; i < T__MAX; i++) {
		v = ph_v_known(n[i]);
		if (i == T_ALL || age >= ages[i])
			ph_json_fields(out, period_fields + i, &v, 1);
	}
	ph_json_close(out);
	return PH_OK;
}

static enum ph_rc
public_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_downloads	d = { .db = ph_req_db(req) };
	enum ph_rc		rc;

	if ((rc = ph_downloads_open_public(&d, req, ph_req_text(req, P_PODCAST), err)) == PH_OK)
		rc = write_public(&d, out, err);
	ph_downloads_close(&d);
	return rc;
}

static const struct ph_route route = {
	.name = "podcast-public", .path = "/api/public/podcast/{podcast_id}/analytics", .access = PH_ACCESS_PUBLIC,
	.needs = PH_NEED_DB_READ, .cache_s = CACHE_S,
	.ops[PH_GET] = {
		.summary = "The totals of a podcast that shows them to anybody",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX, .is_free = 1, .is_own_tx = 1,
		.handle = public_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
