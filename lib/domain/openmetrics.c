/*
 * openmetrics.c -- families in the order of the catalogue, then requests and workers.
 */
#include "autoconf.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/metric.h"
#include "domain/openmetrics.h"

enum { NAME_SIZE = 96, LABELS_SIZE = 96 };

enum ph_exposition
ph_exposition_of(const char *accept)
{
	return accept != NULL && strstr(accept, "application/openmetrics-text") != NULL ?
	    PH_EXPOSITION_OPENMETRICS : PH_EXPOSITION_PROMETHEUS;
}

const char *
ph_exposition_type(enum ph_exposition form)
{
	return form == PH_EXPOSITION_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
	    "text/plain; version=0.0.4; charset=utf-8";
}

/* -- the catalogue ------------------------------------------------------------------- */

static int
ends_in(const char *s, const char *end)
{
	const size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

/* Family name and labels of a metric; 1 if its value is in milliseconds. */
static int
name_of(const struct ph_metric *m, char name[NAME_SIZE], char labels[LABELS_SIZE])
{
	const char	*rest;
	char		*p;
	int		 is_ms;

	labels[0] = '\0';
	if (strncmp(m->name, "platforms.", 10) == 0 && (rest = strchr(m->name + 10, '.')) != NULL) {
		snprintf(labels, LABELS_SIZE, "{platform=\"%.*s\"}", (int)(rest - m->name - 10), m->name + 10);
		snprintf(name, NAME_SIZE, "pilothouse_platforms_%s", rest + 1);
	} else if (strncmp(m->name, "events.", 7) == 0 && (rest = strrchr(m->name, '.')) != NULL) {
		snprintf(labels, LABELS_SIZE, "{event=\"%.*s\",window=\"%s\"}", (int)(rest - m->name - 7),
		    m->name + 7, rest + 1);
		snprintf(name, NAME_SIZE, "pilothouse_events");
	} else
		snprintf(name, NAME_SIZE, "pilothouse_%s", m->name);
	for (p = name; *p != '\0'; p++)
		if (*p == '.')
			*p = '_';
	if ((is_ms = ends_in(name, "_ms")) != 0)
		name[strlen(name) - 2] = '\0';
	if (is_ms)
		snprintf(name + strlen(name), NAME_SIZE - strlen(name), "seconds");
	else if (ends_in(name, "_total")) {
		name[strlen(name) - 5] = '\0';
		snprintf(name + strlen(name), NAME_SIZE - strlen(name), "all");
	}
	return is_ms;
}

/* One line of help: no line break, no backslash. */
static void
write_help(FILE *f, const char *name, const char *text)
{
	fprintf(f, "# HELP %s ", name);
	for (; *text != '\0'; text++)
		fputc(*text == '\n' || *text == '\\' || *text == '"' ? ' ' : *text, f);
	fputc('\n', f);
}

/* The metrics of one family are written together, where its first one stands. */
static void
write_family(FILE *f, size_t first, const double *values)
{
	const size_t	n = ph_metric_count();
	char		family[NAME_SIZE], name[NAME_SIZE], labels[LABELS_SIZE];
	size_t		i;
	int		is_ms;

	name_of(ph_metric_at(first), family, labels);
	for (i = 0; i < first; i++) {
		name_of(ph_metric_at(i), name, labels);
		if (strcmp(name, family) == 0)
			return;
	}
	write_help(f, family, ph_metric_at(first)->text);
	fprintf(f, "# TYPE %s gauge\n", family);
	for (i = first; i < n; i++) {
		is_ms = name_of(ph_metric_at(i), name, labels);
		if (strcmp(name, family) == 0)
			fprintf(f, isnan(values[i]) ? "%s%s NaN\n" : "%s%s %.15g\n", name, labels,
			    is_ms ? values[i] / 1000 : values[i]);
	}
}

/* -- requests and workers ------------------------------------------------------------- */

static void
write_requests(FILE *f, const struct ph_state_route *routes, size_t n, enum ph_exposition form)
{
	/* OpenMetrics names the family of a counter without its _total. */
	const char	*counter = form == PH_EXPOSITION_OPENMETRICS ? "pilothouse_requests" : "pilothouse_requests_total";
	uint64_t	 sum;
	size_t		 i;
	int		 k;

	fprintf(f, "# HELP %s Requests answered, by route and class of status.\n# TYPE %s counter\n", counter, counter);
	for (i = 0; i < n; i++)
		for (k = 1; k < 6; k++)
			fprintf(f, "pilothouse_requests_total{route=\"%s\",class=\"%dxx\"} %" PRIu64 "\n",
			    routes[i].name, k, routes[i].by_class[k]);
	fprintf(f, "# HELP pilothouse_request_duration_seconds Time from the first byte of a request to the last of its"
	    " answer.\n# TYPE pilothouse_request_duration_seconds histogram\n");
	for (i = 0; i < n; i++) {
		for (k = 0, sum = 0; k < PH_STATE_BUCKETS; k++) {
			sum += routes[i].buckets[k];
			if (k < PH_STATE_BUCKETS - 1)
				fprintf(f, "pilothouse_request_duration_seconds_bucket{route=\"%s\",le=\"%g\"} %" PRIu64 "\n",
				    routes[i].name, (double)ph_state_bounds_us[k] / 1e6, sum);
			else
				fprintf(f, "pilothouse_request_duration_seconds_bucket{route=\"%s\",le=\"+Inf\"} %" PRIu64 "\n",
				    routes[i].name, sum);
		}
		fprintf(f, "pilothouse_request_duration_seconds_sum{route=\"%s\"} %.6f\n"
		    "pilothouse_request_duration_seconds_count{route=\"%s\"} %" PRIu64 "\n", routes[i].name,
		    (double)routes[i].sum_us / 1e6, routes[i].name, sum);
	}
}

static void
write_workers(FILE *f, const struct ph_state_route *routes, size_t nroutes, const struct ph_state_worker *workers,
    size_t nworkers)
{
	size_t	i, k;
	int	n[2];

	fprintf(f, "# HELP pilothouse_workers Living workers, by route and state.\n# TYPE pilothouse_workers gauge\n");
	for (i = 0; i < nroutes; i++) {
		n[0] = n[1] = 0;
		for (k = 0; k < nworkers; k++)
			if (strcmp(workers[k].route, routes[i].name) == 0)
				n[workers[k].is_busy != 0]++;
		fprintf(f, "pilothouse_workers{route=\"%s\",state=\"idle\"} %d\n"
		    "pilothouse_workers{route=\"%s\",state=\"busy\"} %d\n", routes[i].name, n[0], routes[i].name, n[1]);
	}
}

static void
write_state(FILE *f, struct ph_state *state, enum ph_exposition form)
{
	struct ph_state_route	*routes = calloc(PH_STATE_ROUTES, sizeof(*routes));
	struct ph_state_worker	*workers = calloc(PH_STATE_SLOTS, sizeof(*workers));
	size_t			 n;

	if (routes != NULL && workers != NULL) {
		n = ph_state_routes(state, routes, PH_STATE_ROUTES);
		write_requests(f, routes, n, form);
		write_workers(f, routes, n, workers, ph_state_workers(state, workers, PH_STATE_SLOTS));
	}
	free(workers);
	free(routes);
}

enum ph_rc
ph_openmetrics(struct ph_db *db, struct ph_state *state, int64_t now_ms, enum ph_exposition form, char **text,
    struct ph_err *err)
{
	const size_t	 n = ph_metric_count();
	double		*values = calloc(n, sizeof(*values));
	size_t		 size, i;
	FILE		*f = NULL;
	enum ph_rc	 rc;

	*text = NULL;
	if (values == NULL || (f = open_memstream(text, &size)) == NULL)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the metrics");
	else if ((rc = ph_metrics_read(db, now_ms, NULL, values, err)) == PH_OK) {
		fprintf(f, "# HELP pilothouse_build_info The release.\n# TYPE pilothouse_build_info gauge\n"
		    "pilothouse_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
		for (i = 0; i < n; i++)
			write_family(f, i, values);
		if (state != NULL)
			write_state(f, state, form);
		if (form == PH_EXPOSITION_OPENMETRICS)
			fputs("# EOF\n", f);
	}
	free(values);
	if (f != NULL && fclose(f) != 0 && rc == PH_OK)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the metrics");
	if (rc != PH_OK) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

enum ph_rc
ph_openmetrics_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	const enum ph_exposition	 form = ph_exposition_of(ph_req_env(req, "HTTP_ACCEPT"));
	char				*text;
	enum ph_rc			 rc;

	(void)out;
	if ((rc = ph_openmetrics(ph_req_db(req), ph_req_state(req), ph_req_now_ms(req), form, &text, err)) != PH_OK)
		return rc;
	if ((rc = ph_req_stream(req, ph_exposition_type(form), NULL, err)) == PH_OK)
		rc = ph_req_write(req, text, strlen(text), err);
	free(text);
	return rc;
}
