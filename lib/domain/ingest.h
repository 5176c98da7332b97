/*
 * ingest.h -- rows that the publishing system brings in, in batches.
 *
 * A batch holds objects of one kind.  A row whose id is new is created, with defaults for what it
 * leaves out; one that is there is changed by the members that are given, or is unchanged.  A
 * change of status follows the life cycle (lifecycle.h).  A row that is refused says which
 * member is wrong and leaves nothing behind; the others go in.
 *
 * Rows are collected in a temporary table and inserted many at a time, because a statement costs
 * more than its rows: it keeps a copy of every page that it changes.
 */
#ifndef PH_INGEST_H
#define PH_INGEST_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/json.h"
#include "core/request.h"

enum {
	PH_INGEST_ROWS_MAX = 1000,
	PH_INGEST_BODY_MAX = 4 * 1024 * 1024,	/* bytes */
	PH_INGEST_ID_MAX = 128			/* bytes of an id */
};

/* One value of a row; text is borrowed. */
struct ph_ingest_cell {
	enum { PH_CELL_NULL, PH_CELL_INT, PH_CELL_REAL, PH_CELL_TEXT } type;
	int64_t		 num;
	double		 real;
	const char	*text;
};
enum { PH_INGEST_CELLS = 24, PH_INGEST_GUESSES = 2 };

enum ph_ingest_cycle { PH_CYCLE_NONE, PH_CYCLE_LOG, PH_CYCLE_JOB };

/* Another row that a member names. */
struct ph_ingest_check {
	size_t		 param;
	const char	*sql;		/* $1: the value, $2: the row's id if it has one; a row: fine */
	const char	*detail;	/* when there is none */
};
enum { PH_INGEST_CHECKS_MAX = 3 };

/* What a member names must be the caller's own, also if it is the row itself. */
struct ph_ingest_guard {
	size_t		 param;
	const char	*sql;		/* $1: the value, $2: the caller, NULL: anybody; a row: fine */
	const char	*detail;	/* when there is none */
};
enum { PH_INGEST_GUARDS_MAX = 3 };

struct ph_ingest_kind {
	const char		*name;		/* "publications" */
	/* The columns in the order of sql_find and of c1, c2, ... in temp.incoming; the first is the id,
	 * the last two are created_at and updated_at. */
	const struct ph_param	*params;
	size_t			 nparams;
	uint32_t		 nullable;	/* 1 << param: NULL unless given; else now, or the default */
	enum ph_ingest_cycle	 cycle;		/* its status is params[status] */
	size_t			 status;
	/* Fill the PH_INGEST_GUESSES cells behind the parameters of a new row; NULL: none. */
	void			(*guess)(struct ph_ingest_cell cells[PH_INGEST_CELLS]);
	const char		*sql_find;	/* all columns by the id $1 */
	const char		*sql_put;	/* insert or update the rows $1 to $2 of temp.incoming */
	struct ph_ingest_check	 checks[PH_INGEST_CHECKS_MAX];	/* up to the first without SQL */
	struct ph_ingest_guard	 guards[PH_INGEST_GUARDS_MAX];	/* the same */
	size_t			 owner;		/* the parameter that is the caller unless given; 0: none */
	/* What is wrong with the given values beyond types and ranges, and with which: NULL is fine. */
	const char		*(*refuse)(const struct ph_args *, size_t *param);
};

enum ph_ingest_type {
	PH_INGEST_VIDEOS, PH_INGEST_CLIPS, PH_INGEST_JOBS, PH_INGEST_CAMPAIGNS, PH_INGEST_ACCOUNTS,
	PH_INGEST_PUBLICATIONS, PH_INGEST__MAX
};
extern const struct ph_ingest_kind	ph_ingest_kinds[PH_INGEST__MAX];

enum ph_ingest_podcast_type { PH_INGEST_PODCASTS, PH_INGEST_EPISODES, PH_INGEST_PODCAST__MAX };
extern const struct ph_ingest_kind	ph_ingest_podcast_kinds[PH_INGEST_PODCAST__MAX];

/* What a request brings; texts are borrowed. */
struct ph_ingest {
	const struct ph_ingest_kind	*kind;
	const char			*text;		/* one object, a JSON array, or NDJSON */
	size_t				 len;
	int				 is_ndjson;	/* said so; else it is found out */
	int				 is_all;	/* one bad row refuses the batch */
	int64_t				 now_ms;
	const char			*actor;
	const char			*owner;		/* id of the user whose rows they are; NULL: nobody's */
	int				 is_any;	/* may write everybody's */
};

struct ph_ingest_counts { int64_t created, updated, unchanged, refused; };

/* The fields of the answer: results and the four counts. */
enum { PH_INGEST_NFIELDS = 5 };
extern const struct ph_field	ph_ingest_fields[PH_INGEST_NFIELDS];

/*
 * In the caller's writing transaction, which must be rolled back on failure.  Fills the open object.
 * PH_EBADREQUEST: no JSON; PH_EPARAM: no rows or too many, or with is_all the rows that are wrong.
 */
enum ph_rc	ph_ingest(struct ph_db *, const struct ph_ingest *, struct ph_json *out,
		    struct ph_ingest_counts *, struct ph_err *);

/* The modes of a request, for its parameter table: one bad row refuses itself, or the batch. */
extern const char *const	ph_ingest_modes[];
enum { PH_INGEST_EACH, PH_INGEST_ALL };
#define PH_PARAM_INGEST_MODE { .name = "mode", .type = PH_P_CHOICE, .choices = ph_ingest_modes, \
	.text = "each: a row that is wrong is refused, the others go in. all: all of them or none." }

/* The same for the body of a request: fills in text, time and actor, audits it, and answers 207 if rows were refused. */
struct ph_req;
enum ph_rc	ph_ingest_request(struct ph_req *, struct ph_ingest *, struct ph_json *out, struct ph_err *);

#endif
