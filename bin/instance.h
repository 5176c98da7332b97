/*
 * instance.h -- what the subcommands share: the installation's files, its database, the
 * audit log, and how a failure is told to a person.
 */
#ifndef PH_INSTANCE_H
#define PH_INSTANCE_H

#include <stddef.h>

#include <cjson/cJSON.h>

#include "core/db.h"
#include "core/error.h"

enum { PATH_SIZE = 512, LONG_BUSY_MS = 30000 };

/* Where programs (libexec) and data (share) are: beside the build when run from there, else as
 * installed.  Absolute; buf is returned, "" when it does not fit. */
char	*program_path(char buf[PATH_SIZE], const char *name);
char	*data_path(char buf[PATH_SIZE], const char *name);
char	*own_path(char buf[PATH_SIZE]);		/* of this program */

/* A whole file as text with a NUL; caller frees.  NULL: err tells. */
char	*read_text(const char *path, struct ph_err *);

/* An array of share/: what the programs of one kind said about themselves.  Caller deletes.
 * NULL: err tells. */
cJSON	*read_list(const char *name, struct ph_err *);
/* Run the statements of a file. */
enum ph_rc	run_file(struct ph_db *, const char *path, struct ph_err *);
/* Write a file with mode 0600 in one step (temporary name, fsync, rename). */
enum ph_rc	write_text(const char *path, const char *text, struct ph_err *);

/* "pilothouse: detail (internal)" on stderr; returns 1, the exit status. */
int	complain(const struct ph_err *);
int	complain_usage(const char *usage);	/* returns 2 */

/* The instance's database, not opened yet; NULL: err tells. */
struct ph_db	*instance_db(struct ph_err *);

/* The same, opened without the version check, outside any transaction. */
struct ph_db	*instance_open_raw(int may_create, struct ph_err *);

/* The instance's database for writing, inside a transaction; NULL: err tells.  Close with
 * instance_close(), which commits if rc is PH_OK and returns the outcome. */
struct ph_db	*instance_open(struct ph_err *);
enum ph_rc	 instance_close(struct ph_db *, enum ph_rc rc, struct ph_err *);

/* Append to the audit log, as "local".  detail is JSON or NULL. */
enum ph_rc	 audit(struct ph_db *, const char *action, const char *target, const char *detail,
		    struct ph_err *);

#endif
