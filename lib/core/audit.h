/*
 * audit.h -- who changed what: one row of audit_log, in the transaction of the change.
 */
#ifndef PH_AUDIT_H
#define PH_AUDIT_H

#include <stdint.h>

#include "core/db.h"
#include "core/error.h"

/* Texts are borrowed; NULL: not known, or not of this kind. */
struct ph_audit {
	int64_t		 at_ms;
	const char	*actor;		/* user name, or "local" for the operator by hand */
	const char	*token_id;
	const char	*address;	/* of the client */
	const char	*method, *path;
	const char	*query;		/* kept as a hash: it may name what is private */
	int		 status;	/* HTTP; 0: not a request */
	int64_t		 duration_ms;
	const char	*request_id;
	const char	*action;	/* e.g. token.create */
	const char	*target;	/* id of what was changed */
	const char	*detail;	/* JSON; never a secret */
};

enum ph_rc	ph_audit(struct ph_db *, const struct ph_audit *, struct ph_err *);

#endif
