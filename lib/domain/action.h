/*
 * action.h -- what an operator can do about the queue: each action by name, its limits, and the
 * one way to run it.
 *
 * An action belongs to one transaction with its ledger events and its audit row: it happens
 * whole or not at all.  With dry_run it is done and undone in that transaction, so a dry run
 * tells exactly what would happen, and changes nothing.  An action that changed something
 * is an event action.NAME of the ledger, beside those of what it moved.
 *
 * The actions stand in lib/domain/action-*.c, by what they act on.
 */
#ifndef PH_ACTION_H
#define PH_ACTION_H

#include <stddef.h>
#include <stdint.h>

#include "core/db.h"
#include "core/error.h"
#include "core/json.h"
#include "core/request.h"

struct cJSON;
struct ph_req;

/* One call, as the action sees it. */
struct ph_action_call {
	struct ph_db		*db;		/* inside a transaction that writes */
	int64_t			 now_ms;
	const char		*user;		/* who does it; "local" by hand */
	const struct ph_action	*action;
	const struct ph_args	*args;		/* valid, by the index in .params */
	int			 is_dry_run;
	struct ph_json		*out;		/* the result, an open object */
	/* what the action says */
	int64_t			 changed;	/* rows that it changed */
	char			 target[256];	/* id of what it changed; "": several, or none */
	char			 clip_id[256];	/* the clip that it is about; "": none */
	char			 message[200];	/* a sentence for people */
};

/* Fill out, and say the rest.  A failure undoes everything. */
typedef enum ph_rc ph_action_fn(struct ph_action_call *, struct ph_err *);

struct ph_action {
	const char		*name;		/* of its path: "retry-failed" */
	const char		*short_name;	/* as ai/execute and recommendations call it: "retry" */
	const char		*entity;	/* what .target is, for the ledger */
	const char		*scope;		/* needed beside actions:run; NULL: none */
	const char		*text;		/* one line */
	const struct ph_param	*params;	/* of the body; the first is PH_ACTION_DRY_RUN */
	size_t			 nparams;
	ph_action_fn		*run;
};

#define PH_ACTION_DRY_RUN { .name = "dry_run", .type = PH_P_BOOL, .in = PH_IN_BODY, \
	.text = "Tell what would happen and change nothing." }

extern const struct ph_action	ph_action_force_publish, ph_action_publish_best_clip,
				ph_action_retry_failed, ph_action_clear_failed,
				ph_action_run_scheduler, ph_action_rebalance_queue,
				ph_action_reschedule, ph_action_optimize_schedule,
				ph_action_promote_clip, ph_action_run_orchestrator,
				ph_action_generate_report;

/* All of them, NULL-terminated, and their names in that order. */
extern const struct ph_action *const	ph_actions[];
extern const char *const		ph_action_names[];

/*
 * The parameters that any action takes in its body, each name once and none required, for the
 * description of a route that runs them all.  Returns their number, at most PH_PARAMS_MAX.
 */
size_t	ph_action_all_params(struct ph_param out[PH_PARAMS_MAX]);

/* Each action with the members that its body may have, in Markdown.  Returns buf. */
char	*ph_action_list(char *buf, size_t size);

/* -- as an answer ------------------------------------------------------------------ */

enum { PH_ACTION_NFIELDS = 6 };
extern const struct ph_field ph_action_fields[PH_ACTION_NFIELDS];

/* What a request asks for. */
struct ph_action_request {
	const char		*name;		/* of the action, or its short name */
	const struct cJSON	*body;		/* an object; NULL: no members */
	const char		*prefix;	/* of its members in parameter errors; "" or "payload." */
	const char		*recommendation;	/* its id, for the audit row; NULL: none */
};

/*
 * Run an action for a request whose operation has .action set, and fill out as ph_action_fields
 * say.  PH_ENOTFOUND: there is no such action; PH_ESCOPE; PH_EPARAM; what the action refuses.
 */
enum ph_rc	ph_action_answer(struct ph_req *, const struct ph_action_request *, struct ph_json *out,
		    struct ph_err *);

#endif
