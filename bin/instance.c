/*
 * instance.c -- files, database and audit log of one installation.
 */
#include "autoconf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/audit.h"
#include "core/clock.h"
#include "core/config.h"
#include "instance.h"

char *
own_path(char buf[PATH_SIZE])
{
	const ssize_t n = readlink("/proc/self/exe", buf, PATH_SIZE - 1);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

/* build/DIR/name if this program runs from a build tree, else installed/name. */
static char *
find_path(char buf[PATH_SIZE], const char *dir, const char *installed, const char *name)
{
	char	 own[PATH_SIZE], built[PATH_SIZE];
	char	*slash;
	int	 n;

	if ((slash = strrchr(own_path(own), '/')) != NULL)
		*slash = '\0';
	n = snprintf(built, sizeof(built), "%s/%s", own, dir);
	if (n > 0 && n < PATH_SIZE && access(built, X_OK) == 0)
		installed = built;
	n = snprintf(buf, PATH_SIZE, "%s%s%s", installed, name[0] != '\0' ? "/" : "", name);
	if (n < 0 || n >= PATH_SIZE)
		buf[0] = '\0';
	return buf;
}

char *
program_path(char buf[PATH_SIZE], const char *name)
{
	return find_path(buf, "libexec", PH_LIBEXECDIR, name);
}

char *
data_path(char buf[PATH_SIZE], const char *name)
{
	return find_path(buf, "share", PH_DATADIR, name);
}

char *
read_text(const char *path, struct ph_err *err)
{
	struct stat	 sb;
	char		*text = NULL;
	FILE		*f;

	if ((f = fopen(path, "re")) == NULL || fstat(fileno(f), &sb) != 0)
		ph_fail(err, PH_ENOTFOUND, "%s: %s", path, strerror(errno));
	else if ((text = malloc((size_t)sb.st_size + 1)) == NULL)
		ph_fail(err, PH_ENOMEM, "%s: not enough memory", path);
	else {
		text[fread(text, 1, (size_t)sb.st_size, f)] = '\0';
		if (ferror(f)) {
			ph_fail(err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
			free(text);
			text = NULL;
		}
	}
	if (f != NULL)
		fclose(f);
	return text;
}

enum ph_rc
run_file(struct ph_db *db, const char *path, struct ph_err *err)
{
	char		*text;
	enum ph_rc	 rc;

	if ((text = read_text(path, err)) == NULL)
		return err->rc;
	rc = ph_db_script(db, text, err);
	free(text);
	return rc;
}

cJSON *
read_list(const char *name, struct ph_err *err)
{
	char	 path[PATH_SIZE], *text;
	cJSON	*list;

	if ((text = read_text(data_path(path, name), err)) == NULL)
		return NULL;
	if ((list = cJSON_Parse(text)) == NULL || !cJSON_IsArray(list)) {
		ph_fail(err, PH_EINTERNAL, "%s is not a list", path);
		cJSON_Delete(list);
		list = NULL;
	}
	free(text);
	return list;
}

enum ph_rc
write_text(const char *path, const char *text, struct ph_err *err)
{
	const size_t	len = strlen(text);
	char		tmp[PATH_SIZE];
	int		fd = -1, n;

	n = snprintf(tmp, sizeof(tmp), "%s.new", path);
	if (n < 0 || n >= PATH_SIZE || (unlink(tmp) != 0 && errno != ENOENT) ||
	    (fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0 ||
	    write(fd, text, len) != (ssize_t)len || fsync(fd) != 0)
		ph_fail(err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
	if (fd >= 0 && close(fd) != 0 && err->rc == PH_OK)
		ph_fail(err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
	if (err->rc == PH_OK && rename(tmp, path) != 0)
		ph_fail(err, PH_EINTERNAL, "%s: %s", path, strerror(errno));
	return err->rc;
}

int
complain(const struct ph_err *err)
{
	if (err->rc == PH_EDBMISSING) {
		fprintf(stderr, "pilothouse: there is no database in %s: run `pilothouse init`\n",
		    ph_config_str(PH_CFG_HOME));
		return 1;
	}
	fprintf(stderr, "pilothouse: %s", err->detail[0] != '\0' ? err->detail : ph_problem(err->rc)->title);
	if (err->internal[0] != '\0')
		fprintf(stderr, " (%s)", err->internal);
	fputc('\n', stderr);
	return 1;
}

int
complain_usage(const char *usage)
{
	fprintf(stderr, "usage: pilothouse %s\n", usage);
	return 2;
}

struct ph_db *
instance_db(struct ph_err *err)
{
	const struct ph_db_limits	 limits = { .busy_timeout_ms = LONG_BUSY_MS };
	char				 path[PATH_SIZE];
	struct ph_db			*db;

	if ((db = ph_db_new(ph_config_path(path, sizeof(path), "pilothouse.db"), PH_DB_WRITER,
	    limits)) == NULL)
		ph_fail(err, PH_ENOMEM, "not enough memory");
	return db;
}

struct ph_db *
instance_open_raw(int may_create, struct ph_err *err)
{
	struct ph_db *db = instance_db(err);

	if (db == NULL || ph_db_open_raw(db, may_create, err) == PH_OK)
		return db;
	ph_db_close(db);
	return NULL;
}

struct ph_db *
instance_open(struct ph_err *err)
{
	struct ph_db *db = instance_db(err);

	if (db == NULL || ph_db_begin(db, err) == PH_OK)
		return db;
	ph_db_close(db);
	return NULL;
}

enum ph_rc
instance_close(struct ph_db *db, enum ph_rc rc, struct ph_err *err)
{
	if (db == NULL)
		return err->rc;
	if (rc == PH_OK)
		rc = ph_db_commit(db, err);
	ph_db_end(db);
	ph_db_close(db);
	return rc;
}

enum ph_rc
audit(struct ph_db *db, const char *action, const char *target, const char *detail, struct ph_err *err)
{
	const struct ph_audit entry = { .at_ms = ph_clock_now_ms(NULL), .actor = "local",
	    .action = action, .target = target, .detail = detail };

	return ph_audit(db, &entry, err);
}
