/*
 * board.h -- the dashboards that users draw, as rows.
 *
 * A board belongs to its owner.  A private one is the owner's alone: to everybody else it is as if
 * it were not there.  A shared one can be read and cloned by all, and changed by its owner and
 * by administrators.
 */
#ifndef PH_BOARD_H
#define PH_BOARD_H

#include <stdint.h>

#include "core/db.h"
#include "core/endpoint.h"
#include "core/error.h"
#include "core/json.h"
#include "domain/layout.h"

enum {
	PH_BOARDS_MAX = 100,		/* per owner */
	PH_BOARD_ID_SIZE = 37,
	PH_BOARD_NAME_MAX = 80		/* bytes */
};

/* For parameter tables of /dashboard/dashboards/{id}. */
#define PH_PARAM_BOARD_ID { .name = "id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, \
	.max = PH_BOARD_ID_SIZE - 1, .text = "Of the board." }
#define PH_PARAM_BOARD_TZ_OFFSET { .name = "tz_offset", .type = PH_P_INT, .min = -720, .max = 840, \
	.unit = "minutes east of UTC", .text = "Shifts the midnight at which steps of a day begin, and the hours " \
	    "of a heatmap." }

extern const char *const ph_visibilities[];	/* "private", "shared"; then NULL */

/* Its JSON; the last field is the layout, which a list leaves out. */
enum { PH_BOARD_NFIELDS = 8 };
extern const struct ph_field ph_board_fields[PH_BOARD_NFIELDS];

struct ph_board {
	const char	*id, *owner, *name, *visibility;
	const char	*layout;	/* JSON text; NULL: not read */
	int64_t		 version;	/* from 1; one more with each change */
	int64_t		 created_at, updated_at;
	struct ph_stmt	*row;		/* holds the texts; NULL: they are the caller's */
};

/*
 * The board of that id, if it is user's or shared.  PH_ENOTFOUND: there is none for this user.
 * It is valid until ph_board_done(), which is due after any outcome.
 */
enum ph_rc	ph_board_find(struct ph_db *, const char *id, const char *user, struct ph_board *, struct ph_err *);
void		ph_board_done(struct ph_board *);

/* The same for a request that wants to change it: PH_ESCOPE if that is for others to do, and
 * PH_EPRECONDITION if If-Match names another version. */
enum ph_rc	ph_board_find_to_change(struct ph_req *, const char *id, struct ph_board *, struct ph_err *);

/* Add a board of the request's user with this name, visibility and layout; the rest is filled in, id
 * has room for its id.  PH_ELIMIT: the user has PH_BOARDS_MAX. */
enum ph_rc	ph_board_create(struct ph_req *, struct ph_board *, char id[PH_BOARD_ID_SIZE], struct ph_err *);

/* Fill the open object, with the layout if there is one. */
void		ph_board_write(const struct ph_board *, struct ph_json *out);

/* A board with the figures of its widgets (layout.h), for a request that shows them. */
struct ph_board_data {
	struct ph_board		 board;
	struct cJSON		*array;		/* the layout, from which the widgets borrow */
	struct ph_layout	*layout;	/* read */
};

/* As ph_board_find() for the request's user; ph_board_data_done() is due after any outcome.  PH_ECONFLICT:
 * what is stored is no layout. */
enum ph_rc	ph_board_data_read(struct ph_req *, const char *id, int64_t tz_offset_min,
		    struct ph_board_data *, struct ph_err *);
void		ph_board_data_done(struct ph_board_data *);

/* A new board as the answer: its fields, where it is, its version and its place in the audit log. */
enum ph_rc	ph_board_answer_created(struct ph_req *, const struct ph_board *, struct ph_json *out, struct ph_err *);

#endif
