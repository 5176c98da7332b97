/*
 * nginx.c -- the nginx configuration of an instance: templates in nginx/ with @NAME@
 * replaced, one upstream and location per route, and the bodies of nginx's own errors from
 * the table in error.c.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/config.h"
#include "core/endpoint.h"
#include "core/hash.h"
#include "domain/live.h"
#include "instance.h"
#include "routes.h"

enum { SALT_LEN = 32, ROUTES_MAX = 512 };

struct pair {
	const char	*name;
	const char	*value;		/* NULL ends a list */
};

/* Text with every @NAME@ of the list replaced; an unknown one is a mistake of ours. */
static char *
fill(const char *text, const struct pair *pairs, struct ph_err *err)
{
	char			*out = NULL;
	size_t			 size = 0, len;
	const struct pair	*p;
	FILE			*f;

	if ((f = open_memstream(&out, &size)) == NULL) {
		ph_fail(err, PH_ENOMEM, "not enough memory");
		return NULL;
	}
	while (*text != '\0') {
		len = *text == '@' ? strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") : 0;
		if (len == 0 || text[1 + len] != '@') {
			/* Also the @name of a named location. */
			fputc(*text++, f);
			continue;
		}
		for (p = pairs; p->value != NULL; p++)
			if (strlen(p->name) == len && strncmp(p->name, text + 1, len) == 0)
				break;
		if (p->value == NULL) {
			ph_fail(err, PH_EINTERNAL, "template: nothing replaces @%.*s@", (int)len, text + 1);
			fclose(f);
			free(out);
			return NULL;
		}
		fputs(p->value, f);
		text += len + 2;
	}
	if (fclose(f) != 0) {
		ph_fail(err, PH_ENOMEM, "not enough memory");
		free(out);
		return NULL;
	}
	return out;
}

static char *
fill_file(const char *name, const struct pair *pairs, struct ph_err *err)
{
	char path[PATH_SIZE], *text, *out;

	if ((text = read_text(data_path(path, name), err)) == NULL)
		return NULL;
	out = fill(text, pairs, err);
	free(text);
	return out;
}

/* How nginx finds a path: exactly, or with {name} standing for one segment. */
static void
location_match(char *out, size_t size, const char *path)
{
	FILE *f;

	if (strchr(path, '{') == NULL) {
		snprintf(out, size, "= %s", path);
		return;
	}
	out[0] = '\0';
	if ((f = fmemopen(out, size, "w")) == NULL)
		return;
	fputs("~ ^", f);
	while (*path != '\0') {
		if (*path == '{') {
			fputs("[^/]+", f);
			path += strcspn(path, "}") + 1;
			continue;
		}
		if (*path == '.')
			fputc('\\', f);
		fputc(*path++, f);
	}
	fputc('$', f);
	fclose(f);
}

/* The scope that auth-check shall ask for, by method. */
static void
scope_lines(char *out, size_t size, const cJSON *route)
{
	const cJSON	*op;
	const char	*first = route_scope(route);
	size_t		 i;

	snprintf(out, size, "\t\tset $ph_scope \"%s\";\n", first);
	cJSON_ArrayForEach(op, cJSON_GetObjectItem(route, "methods")) {
		char method[8] = "";

		if (strcmp(route_text(op, "x-scope"), first) == 0)
			continue;
		for (i = 0; op->string[i] != '\0' && i < sizeof(method) - 1; i++)
			method[i] = (char)(op->string[i] - 'a' + 'A');
		snprintf(out + strlen(out), size - strlen(out),
		    "\t\tif ($request_method = %s) {\n\t\t\tset $ph_scope \"%s\";\n\t\t}\n", method,
		    route_text(op, "x-scope"));
	}
}

/* The further limit of a route, per minute; 0: none. */
static int
rate_of(const cJSON *route)
{
	const char *rate = route_text(route, "rate");

	return strcmp(rate, "action") == 0 ? (int)ph_config_int(PH_CFG_RATE_ACTION) :
	    strcmp(rate, "export") == 0 ? (int)ph_config_int(PH_CFG_RATE_EXPORT) : 0;
}

/* What the location of a route holds besides. */
static void
location_lines(char *out, size_t size, const cJSON *route, const char *share, const char *server_limits)
{
	const int body_max = cJSON_GetObjectItem(route, "body_max")->valueint;

	out[0] = '\0';
	if (route_text(route, "page")[0] != '\0')
		snprintf(out, size, "\t\tif ($ph_wants_page) {\n\t\t\treturn 302 %s;\n\t\t}\n", route_text(route, "page"));
	if (strcmp(route_text(route, "access"), "scope") == 0)
		snprintf(out + strlen(out), size - strlen(out), "\t\tinclude %s/nginx/protected.conf;\n", share);
	if (route_cache_s(route) > 0)
		snprintf(out + strlen(out), size - strlen(out), "\t\tinclude %s/nginx/cached.conf;\n", share);
	if (body_max != PH_BODY_MAX)
		snprintf(out + strlen(out), size - strlen(out), "\t\tclient_max_body_size %d;\n", body_max);
	if (cJSON_IsTrue(cJSON_GetObjectItem(route, "is_once")))
		snprintf(out + strlen(out), size - strlen(out), "\t\tfastcgi_next_upstream off;\n\t\tfastcgi_read_timeout 60s;\n");
	if (cJSON_IsTrue(cJSON_GetObjectItem(route, "is_live")))
		snprintf(out + strlen(out), size - strlen(out), "\t\tset $ph_ticket $arg_ticket;\n");
	/* limit_req of a location replaces those of the server. */
	if (rate_of(route) > 0)
		snprintf(out + strlen(out), size - strlen(out), "%s\t\tlimit_req zone=ph_%s burst=%d nodelay;\n",
		    server_limits, route_text(route, "rate"), rate_of(route));
	/* A long answer waits in its program for a slow client, not in a file. */
	if (cJSON_IsTrue(cJSON_GetObjectItem(route, "is_stream")))
		snprintf(out + strlen(out), size - strlen(out), "\t\tfastcgi_max_temp_file_size 0;\n");
}

/* A literal segment comes before a {name}: nginx takes the first expression that fits. */
static int
by_path(const void *a, const void *b)
{
	return strcmp(route_text(*(const cJSON *const *)a, "path"), route_text(*(const cJSON *const *)b, "path"));
}

/* Each route through a template: for upstreams all of them, for locations those with a path. */
static char *
each_route(const cJSON *routes, const char *template, int is_location, const char *share,
    const char *server_limits, struct ph_err *err)
{
	char		 includes[3 * PATH_SIZE], scopes[1024], match[512], socket[PATH_SIZE], *out = NULL, *one;
	const cJSON	*sorted[ROUTES_MAX], *r;
	size_t		 size, n = 0, i;
	FILE		*f;

	if ((f = open_memstream(&out, &size)) == NULL) {
		ph_fail(err, PH_ENOMEM, "not enough memory");
		return NULL;
	}
	cJSON_ArrayForEach(r, routes)
		if (n < ROUTES_MAX && (!is_location || route_text(r, "path")[0] != '\0'))
			sorted[n++] = r;
	qsort(sorted, n, sizeof(sorted[0]), by_path);
	for (i = 0; i < n; i++) {
		struct pair pairs[] = {
			{ "SOCKET", ph_config_socket(socket, sizeof(socket), route_text(sorted[i], "name")) },
			{ "NAME", route_text(sorted[i], "name") }, { "MATCH", match }, { "SCOPES", scopes },
			{ "INCLUDES", includes }, { "SHARE", share }, { NULL, NULL }
		};

		location_match(match, sizeof(match), route_text(sorted[i], "path"));
		scope_lines(scopes, sizeof(scopes), sorted[i]);
		location_lines(includes, sizeof(includes), sorted[i], share, server_limits);
		if ((one = fill_file(template, pairs, err)) == NULL) {
			fclose(f);
			free(out);
			return NULL;
		}
		fputs(one, f);
		free(one);
	}
	fclose(f);
	return out;
}

/* What nginx itself refuses, and as what.  reported is nginx's own number (494: header). */
static const struct { int reported; enum ph_rc rc; const char *detail; } refusals[] = {
	{ 400, PH_EBADREQUEST, "nginx could not read the request" },
	{ 401, PH_ENOCREDENTIALS, "send a token, e.g. Authorization: Bearer TOKEN" },
	{ 403, PH_EADDRESS, "this address is not let in" },
	{ 404, PH_ENOTFOUND, "there is no such path; /openapi.json lists them" },
	{ 405, PH_EMETHOD, "this method is not allowed here" },
	{ 413, PH_EBODYTOOBIG, "the body is larger than this path allows" },
	{ 414, PH_EURITOOLONG, "the request line is too long" },
	{ 429, PH_ERATE, "see RateLimit-Policy for what is allowed" },
	{ 494, PH_EHEADERTOOBIG, "the headers are too large" },
	{ 500, PH_EAUTHDOWN, "auth-check does not answer" },
	{ 502, PH_EWORKER, "it died or was not started; another try may work" },
	{ 503, PH_ESTREAMS, "of all clients, or of this token; close one or come later" },
	{ 504, PH_EWORKERSLOW, "it did not answer in time" },
};

/* error_page lines and their named locations.  401, 403 and 500 may come from auth-check, whose own
 * problem then stands in $ph_problem with its status in $ph_status. */
static char *
problems(const char *share, struct ph_err *err)
{
	static const int	 auth_statuses[] = { 401, 403, 429, 503, 504 };
	char			*out = NULL, *json;
	size_t			 size, i, k;
	FILE			*f;

	if ((f = open_memstream(&out, &size)) == NULL) {
		ph_fail(err, PH_ENOMEM, "not enough memory");
		return NULL;
	}
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct ph_problem	*p = ph_problem(refusals[i].rc);
		struct ph_err		 e = { .rc = refusals[i].rc };

		snprintf(e.detail, sizeof(e.detail), "%s", refusals[i].detail);
		json = ph_problem_json(&e, "$ph_request_id");
		/* Before a request has a URI it cannot be sent to a named location. */
		if (refusals[i].reported == 400 || refusals[i].reported == 414)
			fprintf(f, "\terror_page %d = /_problem_%d;\n\tlocation = /_problem_%d {\n\t\tinternal;\n",
			    refusals[i].reported, refusals[i].reported, refusals[i].reported);
		else
			fprintf(f, "\terror_page %d = @problem_%d;\n\tlocation @problem_%d {\n",
			    refusals[i].reported, refusals[i].reported, refusals[i].reported);
		fprintf(f, "\t\ttypes { }\n\t\tdefault_type application/problem+json;\n\t\tinclude %s/nginx/headers.conf;\n"
		    "\t\tadd_header Cache-Control no-store always;\n", share);
		if (p->status == 401 || p->status == 403 || refusals[i].rc == PH_EAUTHDOWN) {
			fprintf(f, "\t\tadd_header Retry-After $ph_retry_after always;\n");
			for (k = 0; k < sizeof(auth_statuses) / sizeof(auth_statuses[0]); k++)
				fprintf(f, "\t\tif ($ph_status = %d) {\n\t\t\treturn %d $ph_problem;\n\t\t}\n",
				    auth_statuses[k], auth_statuses[k]);
		} else if (p->retry_after_s > 0)
			fprintf(f, "\t\tadd_header Retry-After %d always;\n", p->retry_after_s);
		if (p->status == 405)
			fprintf(f, "\t\tadd_header Allow \"GET, HEAD\" always;\n");
		fprintf(f, "\t\treturn %d '%s';\n\t}\n", p->status, json);
		free(json);
	}
	fclose(f);
	return out;
}

static void
rate_texts(char *zones, size_t zones_size, char *limits, size_t limits_size, char *policy,
    size_t policy_size)
{
	const long long per_token = ph_config_int(PH_CFG_RATE_TOKEN);
	const long long per_address = ph_config_int(PH_CFG_RATE_ADDRESS);
	const long long burst = ph_config_int(PH_CFG_RATE_BURST);
	static const struct { const char *name; enum ph_setting_id per_minute; } further[] = {
		{ "action", PH_CFG_RATE_ACTION }, { "export", PH_CFG_RATE_EXPORT },
	};
	size_t i;

	zones[0] = limits[0] = policy[0] = '\0';
	if (per_token > 0) {
		snprintf(zones, zones_size, "limit_req_zone $ph_token_key zone=ph_token:4m rate=%lldr/m;\n", per_token);
		snprintf(limits, limits_size, "\tlimit_req zone=ph_token burst=%lld nodelay;\n", burst);
		snprintf(policy, policy_size, "\"token\";q=%lld;w=60", per_token);
	}
	if (per_address > 0) {
		snprintf(zones + strlen(zones), zones_size - strlen(zones),
		    "limit_req_zone $binary_remote_addr zone=ph_address:4m rate=%lldr/m;\n", per_address);
		snprintf(limits + strlen(limits), limits_size - strlen(limits),
		    "\tlimit_req zone=ph_address burst=%lld nodelay;\n", burst);
		snprintf(policy + strlen(policy), policy_size - strlen(policy), "%s\"address\";q=%lld;w=60",
		    policy[0] != '\0' ? ", " : "", per_address);
	}
	for (i = 0; i < sizeof(further) / sizeof(further[0]); i++)
		if (ph_config_int(further[i].per_minute) > 0)
			snprintf(zones + strlen(zones), zones_size - strlen(zones),
			    "limit_req_zone $ph_caller_key zone=ph_%s:2m rate=%lldr/m;\n", further[i].name,
			    (long long)ph_config_int(further[i].per_minute));
}

/* Each word of a list, between two texts. */
static void
each_word(char *out, size_t size, const char *list, const char *before, const char *after)
{
	size_t n;

	out[0] = '\0';
	for (list += strspn(list, " "); *list != '\0'; list += n, list += strspn(list, " ")) {
		n = strcspn(list, " ");
		snprintf(out + strlen(out), size - strlen(out), "%s%.*s%s", before, (int)n, list, after);
	}
}

/* nginx's workers must reach the sockets, so they run as the owner of the home. */
static void
user_line(char *out, size_t size)
{
	const struct passwd	*pw;
	struct stat		 sb;

	out[0] = '\0';
	if (geteuid() == 0 && stat(ph_config_str(PH_CFG_HOME), &sb) == 0 && (pw = getpwuid(sb.st_uid)) != NULL)
		snprintf(out, size, "user %s;", pw->pw_name);
}

char *
nginx_make(const cJSON *routes, int is_whole, struct ph_err *err)
{
	char	 share[PATH_SIZE], cache[PATH_SIZE], listen[128], tls[2 * PATH_SIZE + 200], cert[PATH_SIZE], key[PATH_SIZE];
	char	 zones[1024], limits[256], policy[128], allow[4096], cors[4096], access[PATH_SIZE + 64];
	char	 user[80], workers[16], salt[SALT_LEN + 1], allow_all[8192], publish[PATH_SIZE];
	char	 streams[16], streams_token[16];
	char	*upstreams = NULL, *locations = NULL, *problem_locations = NULL, *live = NULL, *site = NULL, *whole = NULL;
	const int	 is_tls = ph_config_int(PH_CFG_TLS) != 0;
	const char	*address = ph_config_str(PH_CFG_ADDRESS);

	data_path(share, "");
	snprintf(cache, sizeof(cache), "%s", ph_config_str(PH_CFG_CACHE_DIR));
	if (cache[0] == '\0')
		ph_config_path(cache, sizeof(cache), "cache");
	snprintf(listen, sizeof(listen), strchr(address, ':') != NULL && address[0] != '[' ?
	    "[%s]:%" PRId64 "%s" : "%s:%" PRId64 "%s", address, ph_config_int(PH_CFG_PORT),
	    is_tls ? " ssl http2" : "");
	snprintf(cert, sizeof(cert), "%s", ph_config_str(PH_CFG_TLS_CERT));
	snprintf(key, sizeof(key), "%s", ph_config_str(PH_CFG_TLS_KEY));
	if (cert[0] == '\0')
		ph_config_path(cert, sizeof(cert), "tls/cert.pem");
	if (key[0] == '\0')
		ph_config_path(key, sizeof(key), "tls/key.pem");
	tls[0] = '\0';
	if (is_tls)
		snprintf(tls, sizeof(tls), "\tssl_certificate %s;\n\tssl_certificate_key %s;\n"
		    "\tssl_protocols TLSv1.2 TLSv1.3;\n\tssl_session_cache shared:ph_tls:4m;\n", cert, key);
	rate_texts(zones, sizeof(zones), limits, sizeof(limits), policy, sizeof(policy));
	each_word(allow, sizeof(allow), ph_config_str(PH_CFG_ALLOW), "\tallow ", ";\n");
	snprintf(allow_all, sizeof(allow_all), "%s%s%s", limits, allow, allow[0] != '\0' ? "\tdeny all;\n" : "");
	each_word(cors, sizeof(cors), ph_config_str(PH_CFG_CORS_ORIGINS), "\t\"", "\" $http_origin;\n");
	snprintf(access, sizeof(access), ph_config_int(PH_CFG_ACCESS_LOG) ?
	    "%s/log/access.log pilothouse buffer=32k flush=1s" : "off", ph_config_str(PH_CFG_HOME));
	user_line(user, sizeof(user));
	snprintf(workers, sizeof(workers), "%d", (int)ph_config_int(PH_CFG_NGINX_WORKERS));
	snprintf(streams, sizeof(streams), "%d", (int)ph_config_int(PH_CFG_LIVE_STREAMS));
	snprintf(streams_token, sizeof(streams_token), "%d", (int)ph_config_int(PH_CFG_LIVE_STREAMS_TOKEN));
	ph_config_path(publish, sizeof(publish), PH_LIVE_SOCKET);
	ph_random_hex(salt, SALT_LEN);

	struct pair pairs[] = {
		{ "HOME", ph_config_str(PH_CFG_HOME) }, { "CACHE", cache }, { "SHARE", share },
		{ "LISTEN", listen },
		{ "SERVER_NAME", ph_config_str(PH_CFG_SERVER_NAME) }, { "TLS", tls },
		{ "RATE_ZONES", zones }, { "RATE_POLICY", policy }, { "ALLOW", allow_all },
		{ "CORS_ORIGINS", cors }, { "CORS_VARY", cors[0] != '\0' ? "1" : "" },
		{ "ACCESS_LOG", access }, { "SALT", salt }, { "USER", user }, { "NGINX_WORKERS", workers },
		{ "PUBLISH_SOCKET", publish }, { "STREAMS", streams }, { "STREAMS_TOKEN", streams_token },
		{ "LIVE", NULL }, { "UPSTREAMS", NULL }, { "LOCATIONS", NULL }, { "PROBLEMS", NULL }, { "SITE", NULL },
		{ NULL, NULL }
	};
	enum { LIVE = 18, UPSTREAMS, LOCATIONS, PROBLEMS, SITE };

	if ((upstreams = each_route(routes, "nginx/upstream.conf.in", 0, share, limits, err)) != NULL &&
	    (locations = each_route(routes, "nginx/location.conf.in", 1, share, limits, err)) != NULL &&
	    (problem_locations = problems(share, err)) != NULL &&
	    (live = fill_file("nginx/live.conf.in", pairs, err)) != NULL) {
		pairs[LIVE].value = live;
		pairs[UPSTREAMS].value = upstreams;
		pairs[LOCATIONS].value = locations;
		pairs[PROBLEMS].value = problem_locations;
		site = fill_file("nginx/site.conf.in", pairs, err);
	}
	if (site != NULL && is_whole) {
		pairs[SITE].value = site;
		whole = fill_file("nginx/nginx.conf.in", pairs, err);
		free(site);
		site = whole;
	}
	free(live);
	free(problem_locations);
	free(locations);
	free(upstreams);
	return site;
}
