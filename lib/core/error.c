/*
 * error.c -- the table of failures.
 */
#include "autoconf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

static const struct ph_problem problems[PH_RC__MAX] = {
	[PH_OK]              = { 200, "ok", "OK", 0, 0 },
	[PH_ROW]             = { 200, "ok", "OK", 0, 0 },
	[PH_DONE]            = { 200, "ok", "OK", 0, 0 },
	[PH_EPARAM]          = { 422, "invalid_parameter", "A parameter is not valid", 0, 0 },
	[PH_EBADREQUEST]     = { 400, "bad_request", "The request is malformed", 0, 0 },
	[PH_EURITOOLONG]     = { 414, "uri_too_long", "The address is too long", 0, 0 },
	[PH_EHEADERTOOBIG]   = { 431, "header_too_large", "A header is too large", 0, 0 },
	[PH_EBODYTOOBIG]     = { 413, "body_too_large", "The request body is too large", 0, 0 },
	[PH_ENOCREDENTIALS]  = { 401, "credentials_missing", "Credentials are required", 0, 0 },
	[PH_EBADCREDENTIALS] = { 401, "credentials_invalid", "The credentials are not valid", 0, 0 },
	[PH_EEXPIRED]        = { 401, "token_expired", "The token has expired", 0, 0 },
	[PH_EREVOKED]        = { 401, "token_revoked", "The token has been revoked", 0, 0 },
	[PH_ESCOPE]          = { 403, "scope_missing", "The token lacks the scope for this", 0, 0 },
	[PH_EADDRESS]        = { 403, "address_not_allowed", "This address is not allowed", 0, 0 },
	[PH_EORIGIN]         = { 403, "cross_origin", "A cookie is not accepted from another origin", 0, 0 },
	[PH_EPLAN]           = { 403, "plan_level", "The plan does not include this", 0, 0 },
	[PH_ENOTFOUND]       = { 404, "not_found", "There is nothing here", 0, 0 },
	[PH_EMETHOD]         = { 405, "method_not_allowed", "The method is not allowed here", 0, 0 },
	[PH_ENOTACCEPTABLE]  = { 406, "not_acceptable", "The answer is of another type", 0, 0 },
	[PH_ECONFLICT]       = { 409, "conflict", "The request conflicts with the present state", 0, 0 },
	[PH_ESTATE]          = { 409, "invalid_transition", "Not possible in the present status", 0, 0 },
	[PH_ERUNNING]        = { 409, "already_running", "It is running already", 1, 0 },
	[PH_ELIMIT]          = { 409, "limit_reached", "No more of these are allowed", 0, 0 },
	[PH_EPRECONDITION]   = { 412, "precondition_failed", "It was changed in the meantime", 0, 0 },
	[PH_EEXPORTTOOBIG]   = { 413, "export_too_large", "Too many rows for this format", 0, 0 },
	[PH_EKEYREUSED]      = { 422, "idempotency_key_reused", "This Idempotency-Key was used for another request", 0, 0 },
	[PH_EUPGRADE]        = { 426, "upgrade_required", "This is a WebSocket", 0, 0 },
	[PH_ERATE]           = { 429, "rate_limited", "Too many requests", 1, 1 },
	[PH_EINTERNAL]       = { 500, "internal_error", "Something went wrong on our side", 0, 0 },
	[PH_ENOMEM]          = { 503, "out_of_memory", "The server is short of memory", 1, 5 },
	[PH_EDBMISSING]      = { 503, "database_missing", "The database is missing", 1, 10 },
	[PH_EDBREADONLY]     = { 503, "database_readonly", "The database is read-only", 1, 10 },
	[PH_EDBLOCKED]       = { 503, "database_locked", "The database is busy", 1, 2 },
	[PH_EDBOLD]          = { 503, "database_schema_old", "The database needs a migration", 1, 30 },
	[PH_EDBNEW]          = { 503, "database_schema_new", "The database is of a newer release", 1, 30 },
	[PH_EDBCORRUPT]      = { 503, "database_corrupt", "The database is damaged", 0, 60 },
	[PH_EDBFULL]         = { 503, "database_full", "The disk is full", 1, 30 },
	[PH_EDB]             = { 503, "database_error", "The database cannot be used", 1, 5 },
	[PH_EDEADLINE]       = { 504, "statement_deadline", "The query took too long", 1, 0 },
	[PH_EUPSTREAM]       = { 502, "upstream_failed", "An upstream answered with a failure", 1, 0 },
	[PH_EUPSTREAMDOWN]   = { 503, "upstream_unavailable", "An upstream cannot be reached", 1, 30 },
	[PH_EUPSTREAMSLOW]   = { 504, "upstream_timeout", "An upstream did not answer in time", 1, 0 },
	[PH_ESTATEFILE]      = { 503, "state_unavailable", "What the workers share cannot be read", 1, 10 },
	[PH_EAUTHDOWN]       = { 503, "auth_unavailable", "Credentials cannot be checked now", 1, 2 },
	[PH_ESTREAMS]        = { 503, "too_many_streams", "Too many streams are open", 1, 30 },
	[PH_EWORKER]         = { 502, "worker_unavailable", "The program for this is not running", 1, 2 },
	[PH_EWORKERSLOW]     = { 504, "worker_timeout", "The program for this did not answer in time", 1, 5 },
};

const struct ph_problem *
ph_problem(enum ph_rc rc)
{
	return &problems[(unsigned)rc < PH_RC__MAX ? rc : PH_EINTERNAL];
}

enum ph_rc
ph_fail_at(const char *file, int line, struct ph_err *err, enum ph_rc rc, const char *fmt, ...)
{
	va_list ap;

	err->rc = rc;
	err->file = file;
	err->line = line;
	err->internal[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->detail, sizeof(err->detail), fmt, ap);	/* may be cut */
	va_end(ap);
	return rc;
}

enum ph_rc
ph_fail_log(struct ph_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->internal, sizeof(err->internal), fmt, ap);	/* may be cut */
	va_end(ap);
	return err->rc;
}

enum ph_rc
ph_fail_param(struct ph_err *err, const char *name, size_t name_len, const char *fmt, ...)
{
	struct ph_param_error *pe;
	va_list ap;
	size_t i;

	err->rc = PH_EPARAM;
	if (err->nparams == PH_ERR_PARAMS_MAX)
		return PH_EPARAM;
	pe = &err->params[err->nparams++];
	for (i = 0; i < name_len && i < sizeof(pe->param) - 1; i++)
		pe->param[i] = name[i] >= ' ' && name[i] < 0x7f ? name[i] : '?';
	pe->param[i] = '\0';
	va_start(ap, fmt);
	vsnprintf(pe->detail, sizeof(pe->detail), fmt, ap);	/* may be cut */
	va_end(ap);
	if (err->nparams == 1)
		snprintf(err->detail, sizeof(err->detail), "%s: %s", pe->param, pe->detail);
	return PH_EPARAM;
}
