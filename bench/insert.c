/*
 * insert.c -- what one publish log costs a writer, all counting triggers included.
 *
 *	insert DATABASE
 *
 * The settings are those of a writer in lib/core/db-sqlite.c.
 *
 * Inserts BATCHES transactions of ROWS logs of random existing clips and prints the median
 * of the microseconds per row.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sqlite3.h>

enum { BATCHES = 21, ROWS = 1000, PROCESSING_MS = 4000, DAY_MS = 86400000 };

static const char settings[] =
	"PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA synchronous=NORMAL;"
	"PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=16000";
static const char sql_clips[] = "SELECT id FROM clips ORDER BY random() LIMIT ?1";
static const char sql_insert[] =
	"INSERT INTO publish_logs (id, clip_id, platform, status, requested_at, published_at,"
	" failed_at, created_at, updated_at) VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?4,"
	" CASE WHEN ?3 = 'success' THEN ?4 + ?5 END, CASE WHEN ?3 = 'failed' THEN ?4 + ?5 END, ?4, ?4)";

static void
must(sqlite3 *db, int rc, int wanted)
{
	if (rc == wanted)
		return;
	fprintf(stderr, "insert: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	static const char *const platforms[] = { "instagram", "tiktok", "youtube", "facebook", "x" };
	static const char *const statuses[] = { "success", "pending", "failed", "success", "scheduled" };
	static char	 clips[ROWS][64];
	sqlite3		*db;
	sqlite3_stmt	*pick, *insert;
	int64_t		 took_ns[BATCHES], begin;
	const int64_t	 now_ms = (int64_t)time(NULL) * 1000;
	int		 batch, i, n;

	if (argc != 2) {
		fprintf(stderr, "usage: insert DATABASE\n");
		return 2;
	}
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	must(NULL, sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), SQLITE_OK);
	must(db, sqlite3_exec(db, settings, NULL, NULL, NULL), SQLITE_OK);
	must(db, sqlite3_prepare_v2(db, sql_clips, -1, &pick, NULL), SQLITE_OK);
	must(db, sqlite3_prepare_v2(db, sql_insert, -1, &insert, NULL), SQLITE_OK);
	for (batch = 0; batch < BATCHES; batch++) {
		must(db, sqlite3_bind_int(pick, 1, ROWS), SQLITE_OK);
		for (n = 0; sqlite3_step(pick) == SQLITE_ROW; n++)
			snprintf(clips[n], sizeof(clips[n]), "%s", (const char *)sqlite3_column_text(pick, 0));
		must(db, sqlite3_reset(pick), SQLITE_OK);
		if (n == 0) {
			fprintf(stderr, "insert: %s has no clips\n", argv[1]);
			return 1;
		}
		begin = now_ns();
		must(db, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
		for (i = 0; i < ROWS; i++) {
			sqlite3_bind_text(insert, 1, clips[i % n], -1, SQLITE_STATIC);
			sqlite3_bind_text(insert, 2, platforms[rand() % 5], -1, SQLITE_STATIC);
			sqlite3_bind_text(insert, 3, statuses[rand() % 5], -1, SQLITE_STATIC);
			sqlite3_bind_int64(insert, 4, now_ms - rand() % DAY_MS);
			sqlite3_bind_int64(insert, 5, rand() % PROCESSING_MS);
			must(db, sqlite3_step(insert), SQLITE_DONE);
			must(db, sqlite3_reset(insert), SQLITE_OK);
		}
		must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
		took_ns[batch] = now_ns() - begin;
	}
	sqlite3_finalize(pick);
	sqlite3_finalize(insert);
	must(db, sqlite3_close(db), SQLITE_OK);
	qsort(took_ns, BATCHES, sizeof(took_ns[0]), by_value);
	printf("%.1f\n", (double)took_ns[BATCHES / 2] / ROWS / 1000);
	return 0;
}
