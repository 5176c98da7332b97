/*
 * service.c -- pilothouse start, stop, restart, status, logs.
 *
 * Each route is one process group: its leader is multiwatch, which holds the listening socket
 * (bound by spawn-fcgi) and respawns its workers when they die.  Each job that PH_JOBS chooses is
 * another, of one process and without a socket.  nginx is its own leader.
 */
#include "autoconf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "core/config.h"
#include "core/seal.h"
#include "core/state.h"
#include "domain/live.h"
#include "domain/readmodel.h"
#include "instance.h"
#include "jobs.h"
#include "processes.h"
#include "routes.h"
#include "service.h"

enum { CERT_DAYS = 825 };

/* Memory of an nginx process, in bytes: nchan takes a client's WebSocket frame of any size. */
#define NGINX_DATA_MAX "1073741824"

/* Keep so many processes of a program: one that dies is forked again, without end. */
#define MULTIWATCH(forks, program) "multiwatch", "-f", (forks), "-r", "1000000000", "-t", "1000", \
	"-s", "TERM", "--", (program), NULL

/* -- start ------------------------------------------------------------------------ */

static enum ph_rc
find_program(char program[PATH_SIZE], const char *name, struct ph_err *err)
{
	if (access(program_path(program, name), X_OK) == 0)
		return PH_OK;
	return ph_fail(err, PH_EINTERNAL, "%s: %s", program, strerror(errno));
}

static enum ph_rc
start_route(const cJSON *route, struct ph_err *err)
{
	char		 program[PATH_SIZE], sock[PATH_SIZE], forks[16];
	const char	*name = route_text(route, "name");
	struct sockaddr_un sa;

	ph_config_socket(sock, sizeof(sock), name);
	if (strlen(sock) >= sizeof(sa.sun_path))
		return ph_fail(err, PH_EPARAM, "%s is too long for a socket: choose a shorter home", sock);
	if (find_program(program, name, err) != PH_OK)
		return err->rc;
	snprintf(forks, sizeof(forks), "%d", route_workers(route));
	unlink(sock);		/* of an instance that was killed; nobody of ours listens any more */
	/* spawn-fcgi does not search PATH, env does. */
	char *const argv[] = { "spawn-fcgi", "-s", sock, "-M", "0600", "-n", "--", "/usr/bin/env",
	    MULTIWATCH(forks, program) };

	return group_spawn(name, "log/workers.log", argv, err);
}

static enum ph_rc
start_job(const cJSON *job, struct ph_err *err)
{
	char		 program[PATH_SIZE];
	const char	*name = route_text(job, "name");

	if (find_program(program, name, err) != PH_OK)
		return err->rc;
	char *const argv[] = { MULTIWATCH("1", program) };

	return group_spawn(name, "log/jobs.log", argv, err);
}

static int
has_members(const char *name)
{
	const pid_t leader = group_leader(name);

	return leader != 0 && group_size(leader) > 0;
}

static enum ph_rc
start_jobs(const cJSON *jobs, struct ph_err *err)
{
	const cJSON	*j;
	const char	*name;

	cJSON_ArrayForEach(j, jobs) {
		name = route_text(j, "name");
		if (!job_is_wanted(j) || group_leader(name) != 0)
			continue;
		if (start_job(j, err) != PH_OK)
			return err->rc;
		if (!group_wait(name, has_members))
			return ph_fail(err, PH_EINTERNAL, "%s does not run; see %s/log/jobs.log", name,
			    ph_config_str(PH_CFG_HOME));
	}
	return PH_OK;
}

static int
can_connect(const char *name)
{
	struct sockaddr_un	sa = { .sun_family = AF_UNIX };
	int			fd, ok;

	ph_config_socket(sa.sun_path, sizeof(sa.sun_path), name);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return 0;
	ok = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
	close(fd);
	return ok;
}

/* Is somebody listening where nginx shall? */
static int
port_is_open(void)
{
	const char	*address = ph_config_str(PH_CFG_ADDRESS);
	char		 port[8];
	struct addrinfo	 hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST }, *ai;
	int		 fd, ok = 0;

	if (strcmp(address, "0.0.0.0") == 0)
		address = "127.0.0.1";
	snprintf(port, sizeof(port), "%d", (int)ph_config_int(PH_CFG_PORT));
	if (getaddrinfo(address, port, &hints, &ai) != 0)
		return 0;
	if ((fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0) {
		ok = connect(fd, ai->ai_addr, ai->ai_addrlen) == 0;
		close(fd);
	}
	freeaddrinfo(ai);
	return ok;
}

static int
nginx_is_ready(const char *name)
{
	(void)name;
	return port_is_open();
}

/* A certificate of our own, when TLS is asked for and none is named. */
static enum ph_rc
make_certificate(struct ph_err *err)
{
	char	cert[PATH_SIZE], key[PATH_SIZE], subject[256], names[256], days[16];
	pid_t	pid;
	int	status = 0;

	if (ph_config_int(PH_CFG_TLS) == 0 || ph_config_str(PH_CFG_TLS_CERT)[0] != '\0' ||
	    access(ph_config_path(cert, sizeof(cert), "tls/cert.pem"), F_OK) == 0)
		return PH_OK;
	ph_config_path(key, sizeof(key), "tls/key.pem");
	snprintf(subject, sizeof(subject), "/CN=%s", ph_config_str(PH_CFG_SERVER_NAME));
	snprintf(names, sizeof(names), "subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1",
	    ph_config_str(PH_CFG_SERVER_NAME));
	snprintf(days, sizeof(days), "%d", CERT_DAYS);
	if ((pid = fork()) == 0) {
		/* It prints its progress on descriptor 2. */
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		execlp("openssl", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		    "ec_paramgen_curve:prime256v1", "-nodes", "-days", days, "-subj", subject,
		    "-addext", names, "-keyout", key, "-out", cert, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return ph_fail(err, PH_EINTERNAL, "openssl could not make a certificate in %s", cert);
	return PH_OK;
}

/* Programs and sbin directories that a plain PATH may lack. */
static void
extend_path(void)
{
	const char	*path = getenv("PATH");
	char		 wider[2048];

	snprintf(wider, sizeof(wider), "%s:/usr/local/sbin:/usr/sbin:/sbin", path != NULL ? path : "/usr/bin:/bin");
	setenv("PATH", wider, 1);
}

static enum ph_rc
start_nginx(const cJSON *routes, struct ph_err *err)
{
	char		 conf[PATH_SIZE], log[PATH_SIZE], publish[PATH_SIZE], *text;
	enum ph_rc	 rc;

	ph_config_path(conf, sizeof(conf), "run/nginx.conf");
	ph_config_path(log, sizeof(log), "log/nginx.log");
	if ((rc = make_certificate(err)) != PH_OK)
		return rc;
	if ((text = nginx_make(routes, 1, err)) == NULL)
		return err->rc;
	rc = write_text(conf, text, err);
	free(text);
	if (rc != PH_OK)
		return rc;
	if (port_is_open())
		return ph_fail(err, PH_ECONFLICT, "something else listens on %s port %d: choose another "
		    "PH_PORT", ph_config_str(PH_CFG_ADDRESS), (int)ph_config_int(PH_CFG_PORT));
	/* nginx does not bind a socket that a killed one left behind. */
	unlink(ph_config_path(publish, sizeof(publish), PH_LIVE_SOCKET));
	char *const argv[] = { "prlimit", "--data=" NGINX_DATA_MAX, "nginx", "-c", conf, "-e", log, "-g", "daemon off;", NULL };

	if ((rc = group_spawn(NGINX_GROUP, "log/nginx.log", argv, err)) != PH_OK)
		return rc;
	if (!group_wait(NGINX_GROUP, nginx_is_ready))
		return ph_fail(err, PH_EINTERNAL, "nginx does not answer; see %s", log);
	return PH_OK;
}

/* The database must be usable before anything runs; the read model is made where there is none. */
static enum ph_rc
check_database(struct ph_err *err)
{
	struct ph_db	*db = instance_open(err);
	int		 is_made;

	if (db == NULL)
		return err->rc;
	ph_db_end(db);
	ph_db_close(db);
	return ph_model_make(&is_made, err);
}

int
cmd_start(int argc, char **argv)
{
	struct ph_err	 err = { .rc = PH_OK };
	cJSON		*routes, *jobs = NULL;
	const cJSON	*r;

	(void)argv;
	if (argc != 1)
		return complain_usage("start");
	extend_path();
	if ((routes = routes_load(&err)) == NULL || (jobs = jobs_load(&err)) == NULL ||
	    check_database(&err) != PH_OK || ph_seal_init(&err) != PH_OK) {
		cJSON_Delete(jobs);
		cJSON_Delete(routes);
		return complain(&err);
	}
	/* After a reboot or an upgrade the workers' common file is made anew. */
	ph_state_close(ph_state_open("pilothouse", 1));
	cJSON_ArrayForEach(r, routes)
		if (group_leader(route_text(r, "name")) == 0 && start_route(r, &err) != PH_OK)
			break;
	if (err.rc == PH_OK)
		cJSON_ArrayForEach(r, routes)
			if (!group_wait(route_text(r, "name"), can_connect)) {
				ph_fail(&err, PH_EINTERNAL, "%s does not answer; see %s/log/workers.log",
				    route_text(r, "name"), ph_config_str(PH_CFG_HOME));
				break;
			}
	if (err.rc == PH_OK && group_leader(NGINX_GROUP) == 0)
		start_nginx(routes, &err);
	if (err.rc == PH_OK)
		start_jobs(jobs, &err);
	cJSON_Delete(jobs);
	cJSON_Delete(routes);
	return err.rc == PH_OK ? 0 : complain(&err);
}

/* -- stop, status, logs ------------------------------------------------------------- */

/* Each group that start began: ask it to end, or wait until it has. */
static enum ph_rc
end_groups(int is_asking, struct ph_err *err)
{
	char		 dir[PATH_SIZE], name[256];
	struct dirent	*e;
	size_t		 len;
	DIR		*d;

	if ((d = opendir(ph_config_path(dir, sizeof(dir), "run"))) == NULL)
		return err->rc;
	while ((e = readdir(d)) != NULL) {
		len = strlen(e->d_name);
		if (len <= 7 || len >= sizeof(name) || strcmp(e->d_name + len - 7, ".leader") != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)len - 7, e->d_name);
		if (is_asking)
			group_signal(name, SIGTERM);
		else
			group_end(name, SIGTERM, err);
	}
	closedir(d);
	return err->rc;
}

int
cmd_stop(int argc, char **argv)
{
	struct ph_err err = { .rc = PH_OK };

	(void)argv;
	if (argc != 1)
		return complain_usage("stop");
	/* nginx first, gracefully: it finishes what the workers still answer.  Then all others at
	 * once, not one after the other. */
	group_end(NGINX_GROUP, SIGQUIT, &err);
	end_groups(1, &err);
	return end_groups(0, &err) == PH_OK ? 0 : complain(&err);
}

int
cmd_restart(int argc, char **argv)
{
	const int rc = cmd_stop(argc, argv);

	return rc != 0 ? rc : cmd_start(argc, argv);
}

/* One group: {name, workers, wanted, process_group}. */
static cJSON *
group_status(const char *name, int wanted)
{
	const pid_t	 leader = group_leader(name);
	cJSON		*item = cJSON_CreateObject();

	cJSON_AddStringToObject(item, "name", name);
	cJSON_AddNumberToObject(item, "workers", leader != 0 ? group_size(leader) : 0);
	cJSON_AddNumberToObject(item, "wanted", wanted);
	cJSON_AddNumberToObject(item, "process_group", leader);
	return item;
}

static int
number(const cJSON *item, const char *key)
{
	return cJSON_GetObjectItem(item, key)->valueint;
}

int
service_missing(const cJSON *routes, const cJSON *jobs, cJSON **groups)
{
	cJSON		*list = cJSON_CreateArray();
	const cJSON	*r;
	int		 missing = 0;

	cJSON_ArrayForEach(r, routes)
		cJSON_AddItemToArray(list, group_status(route_text(r, "name"), route_workers(r)));
	cJSON_ArrayForEach(r, jobs)
		if (job_is_wanted(r))
			cJSON_AddItemToArray(list, group_status(route_text(r, "name"), 1));
	cJSON_AddItemToArray(list, group_status(NGINX_GROUP, (int)ph_config_int(PH_CFG_NGINX_WORKERS)));
	cJSON_ArrayForEach(r, list)
		missing += number(r, "workers") < number(r, "wanted");
	if (groups != NULL)
		*groups = list;
	else
		cJSON_Delete(list);
	return missing;
}

int
cmd_status(int argc, char **argv)
{
	const int	 is_json = argc == 2 && strcmp(argv[1], "--json") == 0;
	struct ph_err	 err = { .rc = PH_OK };
	cJSON		*routes, *jobs = NULL, *groups;
	const cJSON	*g;
	char		*text;
	int		 missing;

	if (argc != 1 + is_json)
		return complain_usage("status [--json]");
	if ((routes = routes_load(&err)) == NULL || (jobs = jobs_load(&err)) == NULL) {
		cJSON_Delete(routes);
		return complain(&err);
	}
	missing = service_missing(routes, jobs, &groups);
	if (is_json) {
		if ((text = cJSON_Print(groups)) != NULL)
			puts(text);
		free(text);
	} else
		cJSON_ArrayForEach(g, groups)
			printf("%-24s %s  %d of %d workers, process group %d\n", route_text(g, "name"),
			    number(g, "workers") >= number(g, "wanted") ? "running" :
			    number(g, "workers") > 0 ? "partial" : "stopped", number(g, "workers"),
			    number(g, "wanted"), number(g, "process_group"));
	cJSON_Delete(groups);
	cJSON_Delete(jobs);
	cJSON_Delete(routes);
	return missing == 0 ? 0 : 3;
}

/* logrotate with a configuration of its own: copytruncate, because the workers keep their
 * descriptors, which append. */
static int
rotate_logs(void)
{
	struct ph_err	err = { .rc = PH_OK };
	char		conf[PATH_SIZE], state[PATH_SIZE], text[2 * PATH_SIZE];

	snprintf(text, sizeof(text), "%s/log/*.log {\n\trotate 7\n\tsize 1\n\tcompress\n\tdelaycompress\n"
	    "\tmissingok\n\tnotifempty\n\tcopytruncate\n}\n", ph_config_str(PH_CFG_HOME));
	ph_config_path(conf, sizeof(conf), "run/logrotate.conf");
	ph_config_path(state, sizeof(state), "run/logrotate.state");
	if (write_text(conf, text, &err) != PH_OK)
		return complain(&err);
	extend_path();
	execlp("logrotate", "logrotate", "-s", state, conf, (char *)NULL);
	ph_fail(&err, PH_EINTERNAL, "logrotate: %s", strerror(errno));
	return complain(&err);
}

int
cmd_logs(int argc, char **argv)
{
	const int	is_follow = argc == 2 && strcmp(argv[1], "-f") == 0;
	struct ph_err	err = { .rc = PH_OK };
	char		workers[PATH_SIZE], nginx[PATH_SIZE], jobs[PATH_SIZE];

	if (argc == 2 && strcmp(argv[1], "--rotate") == 0)
		return rotate_logs();
	if (argc != 1 + is_follow)
		return complain_usage("logs [-f] [--rotate]");
	ph_config_path(workers, sizeof(workers), "log/workers.log");
	ph_config_path(nginx, sizeof(nginx), "log/nginx.log");
	ph_config_path(jobs, sizeof(jobs), "log/jobs.log");
	/* With PH_JOBS=none there is no log of jobs. */
	execlp("tail", "tail", "-n", "50", is_follow ? "-F" : "-q", workers, nginx,
	    access(jobs, F_OK) == 0 ? jobs : NULL, (char *)NULL);
	ph_fail(&err, PH_EINTERNAL, "tail: %s", strerror(errno));
	return complain(&err);
}
