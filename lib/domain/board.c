/*
 * board.c -- finding, adding and showing rows of dashboards.
 */
#include "autoconf.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "core/hash.h"
#include "domain/board.h"

const char *const ph_visibilities[] = { "private", "shared", NULL };

enum { B_ID, B_OWNER, B_NAME, B_VISIBILITY, B_VERSION, B_CREATED, B_UPDATED, B_LAYOUT };
const struct ph_field ph_board_fields[PH_BOARD_NFIELDS] = {
	[B_ID] = { .name = "id", .type = PH_TEXT, .text = "In the board's path." },
	[B_OWNER] = { .name = "owner", .type = PH_TEXT, .text = "The user it belongs to." },
	[B_NAME] = { .name = "name", .type = PH_TEXT, .text = "As the owner calls it." },
	[B_VISIBILITY] = { .name = "visibility", .type = PH_TEXT, .choices = ph_visibilities,
	    .text = "private: the owner's alone. shared: all may read and clone it." },
	[B_VERSION] = { .name = "version", .type = PH_COUNT,
	    .text = "One more with each change; in quotes the ETag of the board." },
	[B_CREATED] = { .name = "created_at", .type = PH_TIME, .text = "When it was made." },
	[B_UPDATED] = { .name = "updated_at", .type = PH_TIME, .text = "When it was changed last." },
	[B_LAYOUT] = { .name = "layout", .type = PH_ARRAY, .is_nullable = 1,
	    .text = "Its widgets: id, type, title, x, y, w, h, metrics, from, step, platform, thresholds. "
		"null: what is stored is no array." },
};

static const char sql_find[] =
	"SELECT id, owner, name, visibility, version, created_at, updated_at, layout FROM dashboards"
	" WHERE id = $1 AND (owner = $2 OR visibility = 'shared')";

static const char sql_count[] = "SELECT count(*) FROM dashboards WHERE owner = $1";

static const char sql_create[] =
	"INSERT INTO dashboards (id, owner, name, visibility, layout, version, created_at, updated_at)"
	" VALUES ($1, $2, $3, $4, $5, 1, $6, $6)";

enum ph_rc
ph_board_find(struct ph_db *db, const char *id, const char *user, struct ph_board *b, struct ph_err *err)
{
	enum ph_rc rc;

	*b = (struct ph_board){ .row = NULL };
	if ((rc = ph_db_prepare(db, sql_find, &b->row, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(b->row, 1, id);
	ph_stmt_bind_text(b->row, 2, user);
	if ((rc = ph_stmt_step(b->row, err)) == PH_DONE)
		return ph_fail(err, PH_ENOTFOUND, "there is no board of this id for %s", user);
	if (rc != PH_ROW)
		return rc;
	b->id = ph_stmt_text(b->row, B_ID);
	b->owner = ph_stmt_text(b->row, B_OWNER);
	b->name = ph_stmt_text(b->row, B_NAME);
	b->visibility = ph_stmt_text(b->row, B_VISIBILITY);
	b->version = ph_stmt_int(b->row, B_VERSION);
	b->created_at = ph_stmt_int(b->row, B_CREATED);
	b->updated_at = ph_stmt_int(b->row, B_UPDATED);
	b->layout = ph_stmt_text(b->row, B_LAYOUT);
	return PH_OK;
}

void
ph_board_done(struct ph_board *b)
{
	ph_stmt_done(b->row);
	b->row = NULL;
}

enum ph_rc
ph_board_find_to_change(struct ph_req *req, const char *id, struct ph_board *b, struct ph_err *err)
{
	const char	*user = ph_req_who(req)->user;
	enum ph_rc	 rc;

	if ((rc = ph_board_find(ph_req_db(req), id, user, b, err)) != PH_OK)
		return rc;
	if (strcmp(b->owner, user) != 0 && !ph_req_may(req, "admin"))
		return ph_fail(err, PH_ESCOPE, "only its owner and administrators may change it; clone it");
	return ph_req_if_match(req, b->version, err);
}

enum ph_rc
ph_board_create(struct ph_req *req, struct ph_board *b, char id[PH_BOARD_ID_SIZE], struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	ph_uuid(id);
	b->id = id;
	b->owner = ph_req_who(req)->user;
	b->version = 1;
	b->created_at = b->updated_at = ph_req_now_ms(req);
	if ((rc = ph_db_prepare(ph_req_db(req), sql_count, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, b->owner);
	if ((rc = ph_stmt_step(st, err)) == PH_ROW && ph_stmt_int(st, 0) >= PH_BOARDS_MAX)
		rc = ph_fail(err, PH_ELIMIT, "%s has %d boards, and no user may have more", b->owner, PH_BOARDS_MAX);
	ph_stmt_done(st);
	if (rc != PH_ROW || (rc = ph_db_prepare(ph_req_db(req), sql_create, &st, err)) != PH_OK)
		return rc;
	ph_stmt_bind_text(st, 1, b->id);
	ph_stmt_bind_text(st, 2, b->owner);
	ph_stmt_bind_text(st, 3, b->name);
	ph_stmt_bind_text(st, 4, b->visibility);
	ph_stmt_bind_text(st, 5, b->layout);
	ph_stmt_bind_int(st, 6, b->created_at);
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	return rc;
}

/* The layout as stored, by whatever program; NULL if it is no array. */
static cJSON *
parse_layout(const char *text)
{
	cJSON *array = cJSON_Parse(text);

	if (cJSON_IsArray(array))
		return array;
	cJSON_Delete(array);
	return NULL;
}

void
ph_board_write(const struct ph_board *b, struct ph_json *out)
{
	const struct ph_value v[PH_BOARD_NFIELDS] = {
		[B_ID] = ph_v_str(b->id), [B_OWNER] = ph_v_str(b->owner), [B_NAME] = ph_v_str(b->name),
		[B_VISIBILITY] = ph_v_str(b->visibility), [B_VERSION] = ph_v_int(b->version),
		[B_CREATED] = ph_v_int(b->created_at), [B_UPDATED] = ph_v_int(b->updated_at),
	};

	cJSON			*array;

	ph_json_fields(out, ph_board_fields, v, PH_BOARD_NFIELDS);
	if (b->layout != NULL && (array = parse_layout(b->layout)) != NULL)
		ph_json_item(out, ph_board_fields[B_LAYOUT].name, array);
	else if (b->layout != NULL)
		ph_json_null(out, ph_board_fields[B_LAYOUT].name);
}

enum ph_rc
ph_board_answer_created(struct ph_req *req, const struct ph_board *b, struct ph_json *out, struct ph_err *err)
{
	ph_board_write(b, out);
	ph_req_version(req, b->version);
	ph_req_audit(req, b->id, NULL);
	return ph_req_header(req, err, "Location: /dashboard/dashboards/%s", b->id);
}

enum ph_rc
ph_board_data_read(struct ph_req *req, const char *id, int64_t tz_offset_min, struct ph_board_data *d,
    struct ph_err *err)
{
	struct ph_err	why = { .rc = PH_OK };
	enum ph_rc	rc;

	*d = (struct ph_board_data){ .array = NULL };
	if ((rc = ph_board_find(ph_req_db(req), id, ph_req_who(req)->user, &d->board, err)) != PH_OK)
		return rc;
	d->array = parse_layout(d->board.layout);
	if ((d->layout = ph_layout_new(d->array, ph_req_now_ms(req), &why)) == NULL)
		return why.rc == PH_EPARAM ? ph_fail(err, PH_ECONFLICT, "what is stored is no layout; store "
		    "another one") : ph_fail(err, why.rc, "%s", why.detail);
	return ph_layout_read(d->layout, ph_req_db(req), ph_req_now_ms(req), tz_offset_min, err);
}

void
ph_board_data_done(struct ph_board_data *d)
{
	ph_layout_free(d->layout);
	cJSON_Delete(d->array);
	ph_board_done(&d->board);
}
