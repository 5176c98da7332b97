/*
 * readmodel.c -- job-readmodel: every ten minutes, the new, late and changed rows of the product's database into the read
 * model (domain/readmodel.h).
 *
 * All tables show one moment of the source.  One that fails is noted, and the others go on; without a connection nobody
 * does.  What was copied before stays served, and says how old it is by last_success_at, the end of the last run without
 * any error.
 *
 * As long as the sums are not those of this release and of FPP_START_DATE, as in the first run, rows are copied without
 * triggers and the sums are made at the end, in one transaction.  --full takes all rows away first; answers keep the sums
 * there were until the new ones are made.
 *
 * --verify, once a day: fetches what is missing, by blocks of ids, and compares all sums with the rows.  Sums that differ
 * are made anew, and the run counts as failed, because that should never happen.
 *
 * Each run but --verify ends with a push to Uptime Kuma.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/job.h"
#include "core/log.h"
#include "domain/readmodel.h"
#include "net/kuma.h"
#include "net/source.h"

enum { HEARTBEAT_US = 20000000, MESSAGE_SIZE = 480 };

static const char sql_table_error[] = "UPDATE sync_state SET error = $2 WHERE tbl = $1";

/* The run in hand. */
struct sync {
	struct ph_job_run	*run;
	struct ph_db		*db;		/* the read model */
	struct ph_source	*source;
	struct ph_model_copy	 copy;
	int			 is_bulk;	/* without triggers, the sums at the end */
	int			 is_over;	/* asked to end, or the lock is another's */
	int64_t			 begun_us, prolonged_us;
	int64_t			 rows;
	char			 errors[MESSAGE_SIZE];	/* "Errors: fpp_votes: ..., "; "": none */
	char			 found[MESSAGE_SIZE];	/* sums that differed */
};

/* -- while it lasts ------------------------------------------------------------------- */

/* Outside any transaction of the main database: keep the lock, and see whether to go on. */
static enum ph_rc
keep(struct sync *s, struct ph_err *err)
{
	const int64_t now_us = ph_clock_mono_us();

	if (ph_job_run_should_stop(s->run)) {
		s->is_over = 1;
		return ph_fail(err, PH_ECONFLICT, "the run was asked to end");
	}
	if (now_us - s->prolonged_us < HEARTBEAT_US)
		return PH_OK;
	s->prolonged_us = now_us;
	s->is_over = ph_job_run_heartbeat(s->run, err) != PH_OK;
	return s->is_over ? err->rc : PH_OK;
}

static enum ph_rc
after_page(struct ph_model_copy *c, struct ph_err *err)
{
	struct sync *s = c->arg;

	if (c->expected > 0)
		ph_job_run_progress(s->run, "%s: %" PRId64 " rows, %d %%", ph_model_tables[c->table], c->seen,
		    (int)(100 * c->seen / (c->seen > c->expected ? c->seen : c->expected)));
	else
		ph_job_run_progress(s->run, "%s: %" PRId64 " rows", ph_model_tables[c->table], c->seen);
	return keep(s, err);
}

static enum ph_rc
before_sum(void *arg, const char *table, struct ph_err *err)
{
	struct sync *s = arg;

	ph_job_run_progress(s->run, "sums: %s", table);
	return keep(s, err);
}

static void
add_text(char *list, const char *begin, const char *what, const char *text)
{
	const size_t len = strlen(list);

	snprintf(list + len, MESSAGE_SIZE - len, "%s%s: %s", len == 0 ? begin : ", ", what, text);	/* may be cut */
}

static void
note_difference(void *arg, const char *table, const char *text)
{
	struct sync *s = arg;

	ph_log("error", "job-readmodel", "%s: %s", table, text);
	if (strstr(s->found, table) == NULL)
		add_text(s->found, "", table, text);
}

/* -- what follows from a table -------------------------------------------------------- */

static enum ph_rc
save_error(struct sync *s, const char *table, const char *error, struct ph_err *err)
{
	struct ph_stmt	*st = NULL;
	enum ph_rc	 rc;

	if ((rc = ph_db_begin(s->db, err)) == PH_OK && (rc = ph_db_prepare(s->db, sql_table_error, &st, err)) == PH_OK) {
		ph_stmt_bind_text(st, 1, table);
		ph_stmt_bind_text(st, 2, error);
		if ((rc = ph_stmt_exec(st, err)) == PH_OK)
			rc = ph_db_commit(s->db, err);
		ph_stmt_done(st);
	}
	ph_db_end(s->db);
	return rc;
}

/* Failures of a table leave the others alone; those of the connection and of our own file do not. */
static int
is_of_table(enum ph_rc rc)
{
	return rc == PH_EUPSTREAM || rc == PH_ECONFLICT;
}

static enum ph_rc
do_table(struct sync *s, int is_verify, struct ph_err *err)
{
	struct ph_err	 own = { .rc = PH_OK };
	const char	*name = ph_model_tables[s->copy.table];
	char		 text[64];
	int64_t		 excess = 0;
	enum ph_rc	 rc;

	if ((rc = ph_model_check_columns(&s->copy, &own)) == PH_OK)
		rc = is_verify ? ph_model_mend_table(&s->copy, &excess, &own) : ph_model_copy_table(&s->copy, &own);
	s->rows += s->copy.rows;
	if (excess > 0) {
		snprintf(text, sizeof(text), "%" PRId64 " rows that the source has not", excess);
		add_text(s->errors, "Errors: ", name, text);
	}
	if (rc == PH_OK)
		return save_error(s, name, NULL, err);
	if (s->is_over) {
		*err = own;
		return rc;
	}
	ph_log("error", "job-readmodel", "%s: %s; %s", name, own.detail, own.internal);
	add_text(s->errors, "Errors: ", name, own.detail);
	if (is_of_table(rc))
		return save_error(s, name, own.detail, err);
	if (save_error(s, name, own.detail, err) == PH_OK)
		*err = own;
	return rc;
}

static enum ph_rc
do_tables(struct sync *s, int is_verify, struct ph_err *err)
{
	enum ph_rc rc = PH_OK;

	for (s->copy.table = 0; s->copy.table < PH_MODEL_TABLES && rc == PH_OK; s->copy.table++)
		rc = do_table(s, is_verify, err);
	return rc;
}

/* -- sums ----------------------------------------------------------------------------- */

/* What is sorted for them goes to files, and each sort, of which a statement has a dozen, takes no more memory than the
 * cache may: so memory does not grow with the data. */
static enum ph_rc
begin_whole(struct sync *s, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_db_begin(s->db, err)) != PH_OK)
		return rc;
	ph_db_end(s->db);
	if ((rc = ph_db_script(s->db, "PRAGMA temp_store = FILE; PRAGMA cache_size = -1024", err)) == PH_OK &&
	    (rc = ph_db_begin(s->db, err)) == PH_OK)
		rc = ph_db_triggers(s->db, 0, err);
	return rc;
}

static enum ph_rc
make_sums(struct sync *s, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = begin_whole(s, err)) == PH_OK && (rc = ph_model_sum(s->db, before_sum, s, err)) == PH_OK)
		rc = ph_db_commit(s->db, err);
	ph_db_end(s->db);
	return rc;
}

/* Sums that wait for the end of a copy are left to it. */
static enum ph_rc
compare_sums(struct sync *s, struct ph_err *err)
{
	int64_t		n = 0;
	int		is_summed = 0;
	enum ph_rc	rc;

	if ((rc = begin_whole(s, err)) == PH_OK && (rc = ph_model_is_summed(s->db, &is_summed, err)) == PH_OK && is_summed)
		rc = ph_model_compare(s->db, before_sum, note_difference, s, &n, err);
	ph_db_end(s->db);
	return rc == PH_OK && n > 0 ? make_sums(s, err) : rc;
}

/* -- the run -------------------------------------------------------------------------- */

static enum ph_rc
open_model(struct sync *s, struct ph_err *err)
{
	int		is_made;
	enum ph_rc	rc;

	if ((rc = ph_model_make(&is_made, err)) != PH_OK)
		return rc;
	if ((s->db = s->copy.db = ph_model_writer()) == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for the read model");
	rc = ph_db_begin(s->db, err);
	ph_db_end(s->db);
	return rc;
}

static enum ph_rc
connect(struct sync *s, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = ph_source_open(&s->source, err)) != PH_OK)
		return rc;
	s->copy.source = s->source;
	return ph_model_ask_clock(&s->copy, err);
}

/* Now that the source answers: without a demonstration's rows, and emptied for --full; to --verify there is nothing in
 * that. */
static enum ph_rc
prepare(struct sync *s, int is_verify, struct ph_err *err)
{
	int64_t		is_demo = 0;
	int		is_summed = 0;
	enum ph_rc	rc;

	if ((rc = ph_db_triggers(s->db, 0, err)) == PH_OK && (rc = ph_db_begin(s->db, err)) == PH_OK &&
	    (rc = ph_model_int(s->db, "is_demo", 0, &is_demo, err)) == PH_OK &&
	    (rc = ph_model_is_summed(s->db, &is_summed, err)) == PH_OK && !is_verify &&
	    (is_demo || ph_job_run_is(s->run, "full"))) {
		is_summed = 0;
		if ((rc = ph_model_empty(s->db, err)) == PH_OK)
			rc = ph_db_commit(s->db, err);
	}
	ph_db_end(s->db);
	s->is_bulk = !is_summed;
	return rc == PH_OK ? ph_db_triggers(s->db, is_summed, err) : rc;
}

/* How the run ended, for whoever asks how old the figures are. */
static enum ph_rc
save_end(struct sync *s, const char *error, struct ph_err *err)
{
	char		at[PH_TIME_SIZE];
	enum ph_rc	rc;

	ph_time_format(at, ph_clock_now_ms(NULL), 0);
	if ((rc = ph_db_begin(s->db, err)) == PH_OK && (rc = ph_model_set_text(s->db, "run_at", at, err)) == PH_OK &&
	    (rc = ph_model_set_text(s->db, "run_error", error, err)) == PH_OK &&
	    (error != NULL || (rc = ph_model_set_text(s->db, "last_success_at", at, err)) == PH_OK))
		rc = ph_db_commit(s->db, err);
	ph_db_end(s->db);
	return rc;
}

static enum ph_rc
sync_tables(struct sync *s, struct ph_err *err)
{
	struct ph_err	own = { .rc = PH_OK };
	enum ph_rc	rc;

	rc = do_tables(s, 0, err);
	/* Also when some table failed, but not in the middle of a copy that broke off: answers keep the sums there were. */
	if (rc == PH_OK && s->is_bulk && make_sums(s, &own) != PH_OK) {
		*err = own;
		rc = own.rc;
	}
	return rc;
}

static enum ph_rc
verify_tables(struct sync *s, struct ph_err *err)
{
	enum ph_rc rc;

	if ((rc = do_tables(s, 1, err)) == PH_OK && (rc = compare_sums(s, err)) == PH_OK && s->found[0] != '\0')
		add_text(s->errors, "Errors: ", "sums differed and were made anew", s->found);
	return rc;
}

static enum ph_rc
run_readmodel(struct ph_job_run *run, struct ph_err *err)
{
	struct sync	 s = { .run = run, .copy = { .page = after_page }, .begun_us = ph_clock_mono_us() };
	const int	 is_verify = ph_job_run_is(run, "verify");
	struct ph_err	 end_err = { .rc = PH_OK };
	char		 message[MESSAGE_SIZE];
	enum ph_rc	 rc;

	s.copy.arg = &s;
	s.prolonged_us = s.begun_us;
	if ((rc = open_model(&s, err)) == PH_OK && (rc = connect(&s, err)) == PH_OK &&
	    (rc = prepare(&s, is_verify, err)) == PH_OK)
		rc = is_verify ? verify_tables(&s, err) : sync_tables(&s, err);
	ph_job_run_count(run, s.rows);
	snprintf(message, sizeof(message), "Synced %" PRId64 " records in %.1fs", s.rows,
	    (double)(ph_clock_mono_us() - s.begun_us) / 1e6);
	if (s.errors[0] != '\0' || rc != PH_OK)
		snprintf(message, sizeof(message), "%s", s.errors[0] != '\0' ? s.errors : err->detail);
	if (rc == PH_OK && s.errors[0] != '\0')
		rc = ph_fail(err, PH_EUPSTREAM, "%s", s.errors);
	ph_job_run_detail(run, "%s", message);
	/* Our lock may be another's by now, and a run that was asked to end has simply not ended yet. */
	if (s.db != NULL && !s.is_over && (!is_verify || rc != PH_OK) &&
	    save_end(&s, rc == PH_OK ? NULL : message, &end_err) != PH_OK && rc == PH_OK) {
		*err = end_err;
		rc = end_err.rc;
	}
	if (!is_verify && !s.is_over)
		ph_kuma_push(rc == PH_OK, message);
	ph_source_close(s.source);
	ph_db_close(s.db);
	return rc;
}

static enum ph_rc
is_due(struct ph_db *db, int64_t now_ms, int *due, struct ph_err *err)
{
	(void)db;
	(void)now_ms;
	(void)err;
	*due = ph_config_str(PH_CFG_DB_HOST)[0] != '\0';
	return PH_OK;
}

int
main(int argc, char **argv)
{
	static const char *const modes[] = { "full", "verify", NULL };
	const struct ph_job job = {
		.name = "job-readmodel", .interval_s = 600,
		.summary = "Copy the product's new rows from MySQL or MariaDB into the read model",
		.description = "Nothing happens without DB_HOST. --full fetches everything anew; --verify compares with the "
		    "source and with the rows, and mends.",
		.needs = PH_NEED_DB_WRITE | PH_NEED_MODEL, .modes = modes, .is_due = is_due, .run = run_readmodel,
	};

	return ph_job_main(&job, argc, argv);
}
