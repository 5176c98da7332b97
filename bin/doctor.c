/*
 * doctor.c -- pilothouse doctor: what is wrong with this installation, and how to mend it.
 *
 * One line per check, "ok" or "BAD" with the remedy.  Exit status 1 if anything is bad.
 */
#include "autoconf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "command.h"
#include "core/clock.h"
#include "core/config.h"
#include "domain/readmodel.h"
#include "instance.h"
#include "jobs.h"
#include "routes.h"
#include "service.h"

enum { FREE_MIN_MIB = 256, FREE_MIN_PERCENT = 2 };

static int bad;

static void report(int is_ok, const char *what, const char *remedy, ...)
    __attribute__((format(printf, 3, 4)));

static void
report(int is_ok, const char *what, const char *remedy, ...)
{
	va_list ap;

	printf("%-4s %s", is_ok ? "ok" : "BAD", what);
	if (!is_ok) {
		printf(": ");
		va_start(ap, remedy);
		vprintf(remedy, ap);
		va_end(ap);
		bad = 1;
	}
	putchar('\n');
}

static int
is_in_path(const char *program)
{
	static const char	*const dirs[] = { "/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin",
	    "/usr/local/sbin" };
	char			 path[128];
	size_t			 i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], program);
		if (access(path, X_OK) == 0)
			return 1;
	}
	return 0;
}

static void
check_programs(void)
{
	static const char *const programs[] = { "nginx", "spawn-fcgi", "multiwatch", "logrotate", "openssl" };
	static const struct { const char *file, *package; } modules[] = {
		{ "ngx_http_set_misc_module", "libnginx-mod-http-set-misc" },
		{ "ngx_nchan_module", "libnginx-mod-nchan" },
	};
	char	path[PATH_SIZE], what[64];
	size_t	i;

	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		report(is_in_path(programs[i]), programs[i], "not installed; apt-get install %s", programs[i]);
	for (i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		snprintf(path, sizeof(path), "/usr/lib/nginx/modules/%s.so", modules[i].file);
		snprintf(what, sizeof(what), "nginx module %s", modules[i].file);
		report(access(path, R_OK) == 0, what, "not found; apt-get install %s", modules[i].package);
	}
	report(access(data_path(path, "routes.json"), R_OK) == 0, "installed files",
	    "%s is missing; run make install", path);
}

static void
check_home(void)
{
	const char	*home = ph_config_str(PH_CFG_HOME);
	char		 path[PATH_SIZE];
	struct stat	 sb;
	struct statvfs	 fs;

	if (stat(home, &sb) != 0 || !S_ISDIR(sb.st_mode)) {
		report(0, "home", "%s: %s; run pilothouse init", home, strerror(errno));
		return;
	}
	report(1, "home", "-");
	report((sb.st_mode & 077) == 0, "home is private", "others can look into %s; chmod 700 %s", home, home);
	report(access(home, W_OK) == 0, "home is writable", "%s: %s", home, strerror(errno));
	if (stat(ph_config_path(path, sizeof(path), "admin.token"), &sb) == 0)
		report((sb.st_mode & 077) == 0, "admin.token is private", "chmod 600 %s", path);
	if (statvfs(home, &fs) == 0)
		report(fs.f_bavail * fs.f_frsize / 1048576 >= FREE_MIN_MIB &&
		    fs.f_bavail * 100 / (fs.f_blocks > 0 ? fs.f_blocks : 1) >= FREE_MIN_PERCENT, "disk space",
		    "%lu MiB are left", (unsigned long)(fs.f_bavail * fs.f_frsize / 1048576));
}

static void
check_jobs(struct ph_db *db)
{
	struct ph_err	 err = { .rc = PH_OK };
	cJSON		*jobs = jobs_load(&err);
	const cJSON	*j;
	struct job_last	 last;
	char		 what[80];

	cJSON_ArrayForEach(j, jobs)
		if (job_is_wanted(j) && job_last(db, job_name(j), &last, &err) == PH_OK) {
			snprintf(what, sizeof(what), "job %s", job_name(j));
			report(strcmp(last.status, "failed") != 0, what, "its last run failed: %s", last.text);
		}
	if (err.rc != PH_OK)
		report(0, "jobs", "%s", err.detail);
	cJSON_Delete(jobs);
}

static void
check_database(void)
{
	const struct ph_db_limits	 limits = { .busy_timeout_ms = LONG_BUSY_MS };
	struct ph_err			 err = { .rc = PH_OK };
	char				 path[PATH_SIZE];
	struct ph_db			*db;
	int64_t				 n = 0;

	ph_config_path(path, sizeof(path), "pilothouse.db");
	if ((db = ph_db_new(path, PH_DB_READER, limits)) == NULL)
		return;
	if (ph_db_begin(db, &err) == PH_OK) {
		report(1, "database opens and has this release's version", "-");
		report(ph_db_check(db, &err) == PH_OK, "database is sound", "%s; restore a backup", err.detail);
		report(ph_db_one_int(db, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'", &n,
		    &err) == PH_OK && n == 1, "database uses a write-ahead log",
		    "readers would wait for writers; sqlite3 %s 'PRAGMA journal_mode=WAL'", path);
		report(ph_db_one_int(db, "SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL", &n, &err) == PH_OK &&
		    n > 0, "there is a token", "nobody can call; pilothouse user add NAME --role admin, then "
		    "pilothouse token create --user NAME");
		check_jobs(db);
	} else
		report(0, "database", "%s", err.rc == PH_EDBMISSING ? "it is missing; run pilothouse init" : err.detail);
	ph_db_end(db);
	ph_db_close(db);
}

static void
check_model(void)
{
	struct ph_err		 err = { .rc = PH_OK };
	struct ph_db		*db = ph_model_writer();
	struct ph_model_state	 s;

	if (db == NULL)
		return;
	if (ph_db_begin(db, &err) != PH_OK || ph_model_state_read(db, ph_clock_now_ms(NULL), &s, &err) != PH_OK)
		report(0, "read model", "%s; run pilothouse init", err.detail);
	else if (ph_config_str(PH_CFG_DB_HOST)[0] != '\0')
		report(s.status == PH_MODEL_OK, "read model is up to date", s.status == PH_MODEL_NEVER ?
		    "it was never filled; run pilothouse jobs run readmodel" :
		    "its last success is half an hour ago or more; run pilothouse jobs run readmodel");
	else
		report(1, "read model", "-");
	ph_db_end(db);
	ph_db_close(db);
}

static void
check_services(void)
{
	struct ph_err	 err = { .rc = PH_OK };
	cJSON		*routes = routes_load(&err), *jobs = jobs_load(&err);

	if (routes != NULL && jobs != NULL)
		report(service_missing(routes, jobs, NULL) == 0, "workers, jobs and nginx run",
		    "see pilothouse status and pilothouse logs; run pilothouse start");
	cJSON_Delete(jobs);
	cJSON_Delete(routes);
}

int
cmd_doctor(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return complain_usage("doctor");
	check_programs();
	check_home();
	check_database();
	check_model();
	check_services();
	return bad;
}
