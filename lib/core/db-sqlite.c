/*
 * db-sqlite.c -- the store on SQLite.  Only this file knows sqlite3.h.
 *
 * A reader opens the file read-write and sets query_only: a read-only handle could not
 * create the WAL index beside a file that nobody has open.  The handle is compared with
 * the path before each transaction (device and inode), because a file that was removed
 * or replaced stays readable through an old handle.
 */
#include "autoconf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "core/clock.h"
#include "core/db.h"
#include "core/number.h"
#include "core/state.h"

enum {
	PROGRESS_OPS = 20000,		/* virtual machine steps between looks at the deadline */
	READER_CACHE_KIB = 120,		/* page cache of a connection: what a statistic reads stays in it */
	WRITER_CACHE_KIB = 32768,	/* a batch of 1000 logs changes up to 20 MB of pages */
	BACKUP_PAGES = 4096,		/* pages copied per step of an online backup */
	PARAMS_MAX = 32,		/* $1 ... of one statement */
	SLEEP_FIRST_US = 200,		/* between two tries for a lock: */
	SLEEP_LAST_US = 5000,		/* the first sleep, and what it grows to */
	LOG_PAGES = 16000,		/* a longer log is written back to the file by a writer */
	LOG_PAGES_MORE = 4000,		/* how much longer it must be to try again when that failed */
	LOG_WAIT_MS = 20		/* for other writers and readers, to begin the log anew */
};

#define BULK_CACHE_KIB "524288"
#define MAP_MAX "2147418112"		/* the most that the engine maps of a file */

struct ph_stmt {
	struct ph_db	*db;
	const char	*sql;		/* the key: address of the constant */
	sqlite3_stmt	*st;
	int		 bind_rc;	/* first failed bind, SQLITE_OK if none */
	uint8_t		 index[PARAMS_MAX + 1];	/* the engine's number of $i; 0: there is no $i */
};

struct ph_db {
	sqlite3			*db;	/* NULL: not open */
	char			*path;
	enum ph_db_mode		 mode;
	struct ph_db_limits	 limits;
	int			 version;	/* of the schema, that is wanted */
	struct ph_state		*state;		/* whose queue a writer waits in; NULL: none */
	dev_t			 dev;
	ino_t			 ino;
	int			 busy_timeout_ms;	/* at present; a note waits for nobody */
	int			 log_pages;	/* write the log back when it is longer */
	int			 in_tx;
	int			 is_note;	/* the transaction is one of ph_db_begin_note() */
	int			 is_suspect;	/* the file failed us: reopen it */
	int64_t			 deadline_us;	/* monotonic; 0: none */
	int64_t			 busy_until_us;	/* end of the present wait for a lock */
	ph_each_fn		*each;		/* of the statement that runs, if it has ph_each() */
	void			*each_arg;
	struct ph_stmt		 stmts[PH_STMTS_MAX];
	size_t			 nstmts;
};

/* A program has one thread, and nobody asks for the engine's memory statistics: without both, its
 * allocations take no lock. */
static void
configure_engine(void)
{
	static int is_done;

	if (is_done)
		return;
	is_done = 1;
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct ph_db *
ph_db_new(const char *path, enum ph_db_mode mode, struct ph_db_limits limits)
{
	struct ph_db *db = calloc(1, sizeof(*db));

	if (db == NULL || (db->path = strdup(path)) == NULL) {
		free(db);
		return NULL;
	}
	configure_engine();
	db->mode = mode;
	db->limits = limits;
	db->version = PH_SCHEMA_VERSION;
	return db;
}

void
ph_db_set_version(struct ph_db *db, int version)
{
	db->version = version;
}

void
ph_db_take_turns(struct ph_db *db, struct ph_state *state)
{
	db->state = state;
}

void
ph_db_set_deadline(struct ph_db *db, int deadline_ms)
{
	db->limits.deadline_ms = deadline_ms;
}

static void
disconnect(struct ph_db *db)
{
	size_t i;

	for (i = 0; i < db->nstmts; i++)
		sqlite3_finalize(db->stmts[i].st);
	db->nstmts = 0;
	sqlite3_close_v2(db->db);
	db->db = NULL;
	db->in_tx = 0;
	db->is_suspect = 0;
	ph_state_give_turn(db->state);
}

void
ph_db_close(struct ph_db *db)
{
	if (db == NULL)
		return;
	disconnect(db);
	free(db->path);
	free(db);
}

/* Translate an SQLite result.  A damaged or vanished file is closed at the end of the
 * transaction, so that the next one starts from the file as it is then. */
static enum ph_rc
fail_sqlite(struct ph_db *db, int rc, const char *doing, struct ph_err *err)
{
	static const char	*const busy = "another program holds the write lock; try again";
	const int		 ext = db->db != NULL ? sqlite3_extended_errcode(db->db) : rc;

	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		db->is_suspect = 1;
		break;
	default:
		break;
	}
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		ph_fail(err, PH_EDBLOCKED, "%s", busy);
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		ph_fail(err, PH_EDBCORRUPT, "the database file is damaged; restore a backup");
		break;
	case SQLITE_INTERRUPT:
		ph_fail(err, PH_EDEADLINE, "the query ran into its time limit");
		break;
	case SQLITE_READONLY:
		ph_fail(err, PH_EDBREADONLY, "the database cannot be written");
		break;
	case SQLITE_FULL:
		ph_fail(err, PH_EDBFULL, "there is no room left for the database");
		break;
	case SQLITE_NOMEM:
		ph_fail(err, PH_ENOMEM, "not enough memory for the query");
		break;
	case SQLITE_CONSTRAINT:
		ph_fail(err, PH_ECONFLICT, "a rule of the database refuses this");
		break;
	case SQLITE_CANTOPEN:
		ph_fail(err, PH_EDBMISSING, "the database file cannot be opened");
		break;
	default:
		ph_fail(err, PH_EDB, "the database reports a failure");
		break;
	}
	return ph_fail_log(err, "%s: %s (%d)", doing,
	    db->db != NULL ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc), ext);
}

static int
on_progress(void *arg)
{
	const struct ph_db *db = arg;

	return db->deadline_us != 0 && ph_clock_mono_us() > db->deadline_us;
}

/* The engine's own handler sleeps up to 100 ms, while our transactions take less than one. */
static int
on_busy(void *arg, int tries)
{
	struct ph_db	*db = arg;
	const int64_t	 now_us = ph_clock_mono_us();
	struct timespec	 ts = { 0 };
	int64_t		 us = SLEEP_FIRST_US;

	if (tries == 0)
		db->busy_until_us = now_us + (int64_t)db->busy_timeout_ms * 1000;
	for (; tries > 0 && us < SLEEP_LAST_US; tries--)
		us += us / 4;
	if (us > SLEEP_LAST_US)
		us = SLEEP_LAST_US;
	if (us > db->busy_until_us - now_us)
		us = db->busy_until_us - now_us;
	if (us <= 0)
		return 0;
	ts.tv_nsec = us * 1000;
	nanosleep(&ts, NULL);
	return 1;
}

/*
 * After a commit, with the log's pages.  The engine's own way lets other writers go on, and so never
 * reaches the end of the log while they do: it grows, and every commit pays for another try.  Here
 * they wait for the few milliseconds that it takes.
 */
static int
on_log(void *arg, sqlite3 *handle, const char *name, int pages)
{
	struct ph_db	*db = arg;
	const int	 timeout_ms = db->busy_timeout_ms;
	int		 in_log, in_file;

	if (pages <= db->log_pages)
		return SQLITE_OK;
	db->busy_timeout_ms = LOG_WAIT_MS;
	/* It may well fail: the commit has happened all the same. */
	if (sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_RESTART, &in_log, &in_file) == SQLITE_OK &&
	    in_log == in_file)
		db->log_pages = LOG_PAGES;
	else
		db->log_pages = pages + LOG_PAGES_MORE;
	db->busy_timeout_ms = timeout_ms;
	return SQLITE_OK;
}

static void
each_step(sqlite3_context *context, int nvalues, sqlite3_value **values)
{
	struct ph_db	*db = sqlite3_user_data(context);
	const char	*text = (const char *)sqlite3_value_text(values[0]);

	if (db->each(db->each_arg, text, (size_t)sqlite3_value_bytes(values[0]),
	    nvalues > 1 ? sqlite3_value_int64(values[1]) : 0) != 0)
		sqlite3_result_error_nomem(context);
}

static void
each_end(sqlite3_context *context)
{
	sqlite3_result_null(context);
}

enum ph_rc
ph_db_script(struct ph_db *db, const char *sql, struct ph_err *err)
{
	const int rc = sqlite3_exec(db->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? PH_OK : fail_sqlite(db, rc, "script", err);
}

enum ph_rc
ph_db_open_raw(struct ph_db *db, int may_create, struct ph_err *err)
{
	/* temp_store: the statement journals of the counting triggers stay in memory.
	 * The journal mode is a property of the file, set by `pilothouse init`. */
	static const char settings[] =
	    "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
	    "PRAGMA synchronous=NORMAL;";
	const int	flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			    (may_create ? SQLITE_OPEN_CREATE : 0);
	char		pragma[128];
	struct stat	sb;
	enum ph_rc	rc;
	int		r;

	disconnect(db);
	if ((r = sqlite3_open_v2(db->path, &db->db, flags, NULL)) != SQLITE_OK) {
		rc = fail_sqlite(db, r, "open", err);
		disconnect(db);
		return rc;
	}
	db->busy_timeout_ms = db->limits.busy_timeout_ms;
	sqlite3_busy_handler(db->db, on_busy, db);
	sqlite3_progress_handler(db->db, PROGRESS_OPS, on_progress, db);
	if (sqlite3_db_readonly(db->db, "main") == 1 && !may_create) {
		ph_fail(err, PH_EDBREADONLY, "the database cannot be written");
		rc = ph_fail_log(err, "open %s: only a read-only handle was granted", db->path);
		disconnect(db);
		return rc;
	}
	/* The triggers that a writer runs parse JSON, which this engine calls unsafe in a
	 * schema that is not trusted; a reader has no need to trust it. */
	snprintf(pragma, sizeof(pragma), "PRAGMA cache_size=-%d; PRAGMA query_only=%d;"
	    "PRAGMA trusted_schema=%d", db->limits.cache_kib > 0 ? db->limits.cache_kib :
	    db->mode == PH_DB_WRITER ? WRITER_CACHE_KIB : READER_CACHE_KIB,
	    db->mode == PH_DB_READER, db->mode == PH_DB_WRITER);
	db->log_pages = LOG_PAGES;
	sqlite3_wal_hook(db->db, on_log, db);
	sqlite3_create_function(db->db, "ph_each", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, db, NULL, each_step, each_end);
	if ((rc = ph_db_script(db, settings, err)) != PH_OK ||
	    (rc = ph_db_script(db, pragma, err)) != PH_OK) {
		disconnect(db);
		return rc;
	}
	if (stat(db->path, &sb) == 0) {
		db->dev = sb.st_dev;
		db->ino = sb.st_ino;
	}
	return PH_OK;
}

/* Make sure the handle is on the file that is at the path now. */
static enum ph_rc
connect_current(struct ph_db *db, struct ph_err *err)
{
	struct stat sb;

	if (stat(db->path, &sb) != 0) {
		disconnect(db);
		ph_fail(err, PH_EDBMISSING, "the database file is missing");
		return ph_fail_log(err, "stat %s: %s", db->path, strerror(errno));
	}
	/* An open handle would go on reading, and nobody would notice that nothing is written any
	 * more.  The mode bits are looked at too, because root may write in spite of them. */
	if ((sb.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) == 0 || access(db->path, W_OK) != 0) {
		ph_fail(err, PH_EDBREADONLY, "the database cannot be written");
		return ph_fail_log(err, "%s: mode %o", db->path, (unsigned)sb.st_mode & 07777);
	}
	if (db->db != NULL && sb.st_dev == db->dev && sb.st_ino == db->ino)
		return PH_OK;
	return ph_db_open_raw(db, 0, err);
}

enum ph_rc
ph_db_version(struct ph_db *db, int64_t *version, struct ph_err *err)
{
	return ph_db_one_int(db, "PRAGMA user_version", version, err);
}

/* What is left of the time to wait is for the lock: those who do not queue may hold it. */
static void
wait_for_turn(struct ph_db *db)
{
	const int64_t begin_us = ph_clock_mono_us();

	db->busy_timeout_ms = db->limits.busy_timeout_ms;
	if (db->mode != PH_DB_WRITER || db->state == NULL)
		return;
	ph_state_take_turn(db->state, db->busy_timeout_ms);
	db->busy_timeout_ms -= (int)((ph_clock_mono_us() - begin_us) / 1000);
	if (db->busy_timeout_ms < 0)
		db->busy_timeout_ms = 0;
}

enum ph_rc
ph_db_begin(struct ph_db *db, struct ph_err *err)
{
	enum ph_rc	rc;
	struct ph_stmt	*st = NULL;
	int64_t		version = 0;

	assert(!db->in_tx);
	if ((rc = connect_current(db, err)) != PH_OK)
		return rc;
	db->deadline_us = db->limits.deadline_ms == 0 ? 0 :
	    ph_clock_mono_us() + (int64_t)(db->limits.busy_timeout_ms + db->limits.deadline_ms) * 1000;
	db->in_tx = 1;
	wait_for_turn(db);
	if ((rc = ph_db_prepare(db, db->mode == PH_DB_READER ? "BEGIN" : "BEGIN IMMEDIATE",
	    &st, err)) != PH_OK ||
	    (rc = ph_stmt_exec(st, err)) != PH_OK ||
	    (rc = ph_db_version(db, &version, err)) != PH_OK) {
		ph_stmt_done(st);
		ph_db_end(db);
		if (rc != PH_EDBLOCKED)
			disconnect(db);		/* start from the file next time */
		return rc;
	}
	ph_stmt_done(st);
	if (version == db->version)
		return PH_OK;
	ph_db_end(db);
	if (version < db->version)
		return ph_fail(err, PH_EDBOLD, "the database has schema version %d, this release "
		    "needs %d: run `pilothouse migrate`", (int)version, db->version);
	return ph_fail(err, PH_EDBNEW, "the database has schema version %d, this release "
	    "knows %d: install the newer release", (int)version, db->version);
}

enum ph_rc
ph_db_begin_note(struct ph_db *db, struct ph_err *err)
{
	enum ph_rc rc;

	assert(!db->in_tx && db->mode == PH_DB_READER);
	if ((rc = connect_current(db, err)) != PH_OK)
		return rc;
	db->busy_timeout_ms = 0;
	db->is_note = db->in_tx = 1;
	if ((rc = ph_db_script(db, "PRAGMA query_only=0; BEGIN IMMEDIATE", err)) != PH_OK)
		ph_db_end(db);
	return rc;
}

/* A reader's handle refuses writes and waits for locks again. */
static void
end_note(struct ph_db *db)
{
	db->is_note = 0;
	if (db->db == NULL)
		return;
	db->busy_timeout_ms = db->limits.busy_timeout_ms;
	if (sqlite3_exec(db->db, "PRAGMA query_only=1", NULL, NULL, NULL) != SQLITE_OK)
		disconnect(db);
}

/*
 * What a writer commits survives a loss of power: the log is on the disk before anybody is told.
 * synchronous=FULL would do the same inside COMMIT, while the lock is held; after it, the next
 * writer works meanwhile, and the disk takes what several have written at once.
 */
static enum ph_rc
sync_log(struct ph_db *db, struct ph_err *err)
{
	sqlite3_file	*log = NULL;
	int		 rc;

	rc = sqlite3_file_control(db->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (rc == SQLITE_OK && log != NULL && log->pMethods != NULL)
		rc = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
	return rc == SQLITE_OK ? PH_OK : fail_sqlite(db, rc, "sync", err);
}

enum ph_rc
ph_db_commit(struct ph_db *db, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	assert(db->in_tx);
	if ((rc = ph_db_prepare(db, "COMMIT", &st, err)) != PH_OK)
		return rc;
	rc = ph_stmt_exec(st, err);
	ph_stmt_done(st);
	if (rc == PH_OK) {
		db->in_tx = 0;
		ph_state_give_turn(db->state);
	}
	if (rc == PH_OK && db->mode == PH_DB_WRITER)
		rc = sync_log(db, err);
	if (rc == PH_OK && db->is_note)
		end_note(db);
	return rc;
}

void
ph_db_end(struct ph_db *db)
{
	size_t i;

	if (!db->in_tx)
		return;
	for (i = 0; i < db->nstmts; i++)
		sqlite3_reset(db->stmts[i].st);
	if (!sqlite3_get_autocommit(db->db))
		sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
	db->in_tx = 0;
	ph_state_give_turn(db->state);
	if (db->is_suspect)
		disconnect(db);
	if (db->is_note)
		end_note(db);
}

/* SQLite takes $1 for a name, and numbers names in the order in which they appear. */
static void
number_params(struct ph_stmt *st)
{
	const int	 n = sqlite3_bind_parameter_count(st->st);
	const char	*name;
	int64_t		 number;
	int		 i;

	for (i = 1; i <= n; i++) {
		name = sqlite3_bind_parameter_name(st->st, i);
		if (name != NULL && ph_parse_int(name + 1, strlen(name) - 1, 1, PARAMS_MAX, &number) == 0)
			st->index[number] = (uint8_t)i;
	}
}

/* The engine's number of $i; SQLITE_RANGE at the bind when there is none. */
static int
param(const struct ph_stmt *st, int i)
{
	return i >= 1 && i <= PARAMS_MAX ? st->index[i] : 0;
}

enum ph_rc
ph_db_prepare(struct ph_db *db, const char *sql, struct ph_stmt **st, struct ph_err *err)
{
	struct ph_stmt	*s;
	size_t		 i;
	int		 rc;

	*st = NULL;
	for (i = 0; i < db->nstmts; i++)
		if (db->stmts[i].sql == sql) {
			*st = &db->stmts[i];
			return PH_OK;
		}
	for (i = 0; i < db->nstmts && db->stmts[i].st != NULL; i++)
		;		/* the slot of a dropped statement, or a new one */
	assert(i < PH_STMTS_MAX);
	s = &db->stmts[i];
	*s = (struct ph_stmt){ .db = db, .sql = sql };
	if ((rc = sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->st,
	    NULL)) != SQLITE_OK) {
		fail_sqlite(db, rc, sql, err);
		/* Our statements fit our schema; what does not is not our schema. */
		if (rc == SQLITE_ERROR)
			err->rc = PH_EDBCORRUPT;
		s->sql = NULL;
		return err->rc;
	}
	number_params(s);
	if (i == db->nstmts)
		db->nstmts++;
	*st = s;
	return PH_OK;
}

static void
note_bind(struct ph_stmt *st, int rc)
{
	if (st->bind_rc == SQLITE_OK)
		st->bind_rc = rc;
}

void
ph_stmt_bind_int(struct ph_stmt *st, int i, int64_t v)
{
	note_bind(st, sqlite3_bind_int64(st->st, param(st, i), v));
}

void
ph_stmt_bind_null(struct ph_stmt *st, int i)
{
	note_bind(st, sqlite3_bind_null(st->st, param(st, i)));
}

void
ph_stmt_bind_double(struct ph_stmt *st, int i, double v)
{
	note_bind(st, sqlite3_bind_double(st->st, param(st, i), v));
}

void
ph_stmt_bind_text(struct ph_stmt *st, int i, const char *s)
{
	note_bind(st, sqlite3_bind_text(st->st, param(st, i), s, -1, SQLITE_STATIC));
}

void
ph_stmt_bind_blob(struct ph_stmt *st, int i, const void *p, size_t len)
{
	note_bind(st, sqlite3_bind_blob64(st->st, param(st, i), p, len, SQLITE_STATIC));
}

enum ph_rc
ph_stmt_step(struct ph_stmt *st, struct ph_err *err)
{
	int rc = st->bind_rc;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st->st);
	if (rc == SQLITE_ROW)
		return PH_ROW;
	if (rc == SQLITE_DONE)
		return PH_DONE;
	fail_sqlite(st->db, rc, st->sql, err);
	if (rc == SQLITE_ERROR)
		sqlite3_reset(st->st);
	return err->rc;
}

enum ph_rc
ph_stmt_each(struct ph_stmt *st, ph_each_fn *fn, void *arg, struct ph_err *err)
{
	enum ph_rc rc;

	st->db->each = fn;
	st->db->each_arg = arg;
	rc = ph_stmt_step(st, err);
	ph_stmt_done(st);
	return rc == PH_ROW ? PH_OK : rc;
}

enum ph_rc
ph_stmt_exec(struct ph_stmt *st, struct ph_err *err)
{
	enum ph_rc rc;

	while ((rc = ph_stmt_step(st, err)) == PH_ROW)
		;
	sqlite3_reset(st->st);
	st->bind_rc = SQLITE_OK;
	return rc == PH_DONE ? PH_OK : rc;
}

void
ph_stmt_done(struct ph_stmt *st)
{
	if (st == NULL || st->st == NULL)
		return;
	sqlite3_reset(st->st);
	sqlite3_clear_bindings(st->st);
	st->bind_rc = SQLITE_OK;
}

void
ph_stmt_drop(struct ph_stmt *st)
{
	if (st == NULL)
		return;
	sqlite3_finalize(st->st);
	*st = (struct ph_stmt){ .db = st->db };
}

void
ph_db_forget(struct ph_db *db, const char *sql)
{
	size_t i;

	for (i = 0; i < db->nstmts; i++)
		if (db->stmts[i].sql == sql)
			ph_stmt_drop(&db->stmts[i]);
}

int
ph_stmt_is_null(struct ph_stmt *st, int col)
{
	return sqlite3_column_type(st->st, col) == SQLITE_NULL;
}

int
ph_stmt_is_blob(struct ph_stmt *st, int col)
{
	return sqlite3_column_type(st->st, col) == SQLITE_BLOB;
}

int64_t
ph_stmt_int(struct ph_stmt *st, int col)
{
	return sqlite3_column_int64(st->st, col);
}

double
ph_stmt_double(struct ph_stmt *st, int col)
{
	return sqlite3_column_double(st->st, col);
}

const char *
ph_stmt_text(struct ph_stmt *st, int col)
{
	return (const char *)sqlite3_column_text(st->st, col);
}

void
ph_stmt_copy(struct ph_stmt *st, int col, char *out, size_t size)
{
	const char *text = ph_stmt_text(st, col);

	snprintf(out, size, "%s", text != NULL ? text : "");
}

int64_t
ph_db_changes(struct ph_db *db)
{
	return sqlite3_changes64(db->db);
}

enum ph_rc
ph_db_one_int(struct ph_db *db, const char *sql, int64_t *out, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		*out = ph_stmt_int(st, 0);
		rc = PH_OK;
	} else if (rc == PH_DONE)
		rc = ph_fail(err, PH_ENOTFOUND, "the query returned no row");
	ph_stmt_done(st);
	return rc;
}

enum ph_rc
ph_db_data_version(struct ph_db *db, int64_t *out, struct ph_err *err)
{
	return ph_db_one_int(db, "PRAGMA data_version", out, err);
}

void
ph_db_map(struct ph_db *db, int is_on)
{
	/* Without it the file is read, that is all. */
	if (db->db != NULL)
		sqlite3_exec(db->db, is_on ? "PRAGMA mmap_size=" MAP_MAX : "PRAGMA mmap_size=0", NULL, NULL, NULL);
}

enum ph_rc
ph_db_triggers(struct ph_db *db, int is_on, struct ph_err *err)
{
	const int rc = sqlite3_db_config(db->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, is_on, NULL);

	return rc == SQLITE_OK ? PH_OK : fail_sqlite(db, rc, "triggers", err);
}

enum ph_rc
ph_db_bulk_begin(struct ph_db *db, struct ph_err *err)
{
	enum ph_rc rc;

	/* The checks of an ordinary transaction first. */
	if ((rc = ph_db_begin(db, err)) != PH_OK)
		return rc;
	ph_db_end(db);
	disconnect(db);		/* statements would hold the journal mode */
	if ((rc = ph_db_open_raw(db, 0, err)) != PH_OK)
		return rc;
	/* Refused while others have the file open; then the log just grows. */
	sqlite3_exec(db->db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	if ((rc = ph_db_script(db, "PRAGMA temp_store=FILE; PRAGMA cache_size=-" BULK_CACHE_KIB
	    "; BEGIN IMMEDIATE", err)) != PH_OK ||
	    (rc = ph_db_triggers(db, 0, err)) != PH_OK)
		return rc;
	db->deadline_us = 0;
	db->in_tx = 1;
	return PH_OK;
}

enum ph_rc
ph_db_bulk_commit(struct ph_db *db, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_commit(db, err)) != PH_OK)
		return rc;
	disconnect(db);
	if ((rc = ph_db_open_raw(db, 0, err)) != PH_OK)
		return rc;
	return ph_db_script(db, "PRAGMA journal_mode=WAL", err);
}

enum ph_rc
ph_db_backup(struct ph_db *db, const char *path, struct ph_err *err)
{
	sqlite3		*to = NULL;
	sqlite3_backup	*b;
	int		 rc;

	if (access(path, F_OK) == 0)
		return ph_fail(err, PH_ECONFLICT, "%s exists already", path);
	if ((rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
	    NULL)) == SQLITE_OK && (b = sqlite3_backup_init(to, "main", db->db, "main")) != NULL) {
		do {
			rc = sqlite3_backup_step(b, BACKUP_PAGES);
			if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
				sqlite3_sleep(50);
		} while (rc == SQLITE_OK || rc == SQLITE_BUSY || rc == SQLITE_LOCKED);
		rc = sqlite3_backup_finish(b);
	} else if (rc == SQLITE_OK)
		rc = sqlite3_errcode(to);
	if (rc != SQLITE_OK) {
		ph_fail(err, PH_EDB, "the backup could not be written to %s", path);
		ph_fail_log(err, "backup: %s", sqlite3_errmsg(to));
	}
	if (sqlite3_close(to) != SQLITE_OK && rc == SQLITE_OK)
		rc = ph_fail(err, PH_EDB, "the backup could not be closed");
	if (rc != SQLITE_OK)
		unlink(path);
	return rc == SQLITE_OK ? PH_OK : err->rc;
}

enum ph_rc
ph_db_check(struct ph_db *db, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, "PRAGMA quick_check(1)", &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW) {
		rc = PH_OK;
		if (strcmp(ph_stmt_text(st, 0), "ok") != 0)
			rc = ph_fail(err, PH_EDBCORRUPT, "%.200s", ph_stmt_text(st, 0));
	}
	ph_stmt_done(st);
	return rc;
}
