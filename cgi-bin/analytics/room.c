/*
 * room.c -- GET /room/{room_id}/stats
 *
 * The votes of one room.  A room is known if it is in the read model, or a vote names it; what else is said of the
 * others is the setting FPP_UNKNOWN_ROOM.  A room that is younger than the last synchronisation is not known.
 */
#include "autoconf.h"

#include <string.h>

#include "core/config.h"
#include "core/endpoint.h"
#include "core/number.h"
#include "domain/product.h"

enum { ID_MAX = 2147483647 };

static const char sql_room[] =
	"SELECT votes, duration, estimations, min_sum, avg_c_sum, max_sum, spectators FROM roll_votes WHERE kind = 1 AND room_id = $1";
enum { S_VOTES, S_DURATION, S_ESTIMATIONS, S_MIN, S_AVG_C, S_MAX, S_SPECTATORS, S__MAX };
static const char sql_is_known[] = "SELECT 1 FROM fpp_rooms WHERE id = $1";

#define MEAN(name_, text_) { .name = name_, .type = PH_DECIMAL, .places = 2, .text = text_ }
enum { F_VOTES, F_DURATION, F_ESTIMATIONS, F_PER_VOTE, F_MIN, F_AVG, F_MAX, F_SPECTATORS, F_SPECTATORS_PER_VOTE, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_VOTES] = { .name = "votes", .text = "Votes of the room; all others are 0 without one." },
	[F_DURATION] = { .name = "duration", .unit = "s", .text = "Mean duration of a vote, in whole seconds." },
	[F_ESTIMATIONS] = { .name = "estimations", .text = "Cards that the votes counted." },
	[F_PER_VOTE] = MEAN("estimations_per_vote", "Cards of a vote."),
	[F_MIN] = MEAN("avg_min_estimation", "Mean of the lowest estimations."),
	[F_AVG] = MEAN("avg_avg_estimation", "Mean of the average estimations."),
	[F_MAX] = MEAN("avg_max_estimation", "Mean of the highest estimations."),
	[F_SPECTATORS] = { .name = "spectators", .text = "Spectators of the votes." },
	[F_SPECTATORS_PER_VOTE] = MEAN("spectators_per_vote", "Spectators of a vote."),
};

enum { P_ROOM, P__MAX };
static const struct ph_param params[P__MAX] = {
	[P_ROOM] = { .name = "room_id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_QUERY_MAX - 1,
	    .text = "The room, a whole number from 1 on: 422 if it is no number, 400 if it is less." },
};

/* 0: not in the range of ids. */
static enum ph_rc
read_id(const char *text, int64_t *id, struct ph_err *err)
{
	const char	*digits = text + (text[0] == '-');
	const size_t	 len = strlen(text);

	if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits))
		return ph_fail_param(err, params[P_ROOM].name, strlen(params[P_ROOM].name), "must be an integer");
	if (text[0] == '-' || strspn(text, "0") == len)
		return ph_fail(err, PH_EBADREQUEST, "Invalid room_id");
	if (ph_parse_int(text + strspn(text, "0"), len - strspn(text, "0"), 1, ID_MAX, id) != 0)
		*id = 0;
	return PH_OK;
}

static enum ph_rc
find_votes(struct ph_db *db, int64_t id, int64_t s[S__MAX], int *is_known, struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;
	int		 i;

	if ((rc = ph_db_prepare(db, sql_room, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_int(st, 1, id);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		for (i = 0; i < S__MAX; i++)
			s[i] = ph_stmt_int(st, i);
	ph_stmt_done(st);
	if (rc == PH_DONE && (rc = ph_db_prepare(db, sql_is_known, &st, err)) == PH_OK) {
		ph_stmt_bind_int(st, 1, id);
		rc = ph_stmt_step(st, err);
		ph_stmt_done(st);
	}
	*is_known = rc == PH_ROW;
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
room_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	int64_t		id = 0, s[S__MAX] = { 0 };
	int		is_known = 0;
	enum ph_rc	rc;

	if ((rc = read_id(ph_req_text(req, P_ROOM), &id, err)) != PH_OK ||
	    (id > 0 && (rc = find_votes(ph_req_db(req), id, s, &is_known, err)) != PH_OK))
		return rc;
	if (!is_known && strcmp(ph_config_str(PH_CFG_FPP_UNKNOWN_ROOM), "zero") != 0)
		return ph_fail(err, PH_ENOTFOUND, "Room not found");

	const int64_t		n = s[S_VOTES];
	const struct ph_value	v[F__MAX] = {
		[F_VOTES] = ph_v_int(n),
		[F_DURATION] = ph_v_int((int64_t)ph_v_mean(s[S_DURATION], n, 1, 0).real),
		[F_ESTIMATIONS] = ph_v_int(s[S_ESTIMATIONS]), [F_PER_VOTE] = ph_v_mean(s[S_ESTIMATIONS], n, 1, 2),
		[F_MIN] = ph_v_mean(s[S_MIN], n, 1, 2), [F_AVG] = ph_v_mean(s[S_AVG_C], n, 100, 2), [F_MAX] = ph_v_mean(s[S_MAX], n, 1, 2),
		[F_SPECTATORS] = ph_v_int(s[S_SPECTATORS]), [F_SPECTATORS_PER_VOTE] = ph_v_mean(s[S_SPECTATORS], n, 1, 2),
	};

	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "analytics-room", .path = "/room/{room_id}/stats", .needs = PH_NEED_DB_READ | PH_NEED_MODEL,
	.ops[PH_GET] = {
		.scope = PH_PRODUCT_SCOPE, .summary = "The votes of one room",
		.params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX, .is_unstored = 1, .handle = room_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
