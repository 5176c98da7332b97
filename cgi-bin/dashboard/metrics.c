/*
 * metrics.c -- GET /dashboard/metrics
 *
 * Which metrics are there, for alert rules, boards and history?
 * lib/domain/metric.c puts the catalogue together.
 */
#include "autoconf.h"

#include <stdio.h>
#include <string.h>

#include "core/endpoint.h"
#include "domain/metric.h"

static const char *const kinds[] = { [PH_METRIC_GAUGE] = "gauge", [PH_METRIC_EVENT] = "event", NULL };

enum { M_NAME, M_KIND, M_UNIT, M_DESCRIPTION, M_NULLABLE, M_HISTORY, M__MAX };
static const struct ph_field metric_fields[M__MAX] = {
	[M_NAME] = { .name = "name", .type = PH_TEXT, .text = "Name in an expression." },
	[M_KIND] = { .name = "kind", .type = PH_TEXT, .choices = kinds,
	    .text = "gauge: how things stand. event: how often something happened in a window up to now." },
	[M_UNIT] = { .name = "unit", .type = PH_TEXT, .text = "What its numbers measure; count: a plain number." },
	[M_DESCRIPTION] = { .name = "description", .type = PH_TEXT, .text = "Its meaning." },
	[M_NULLABLE] = { .name = "nullable", .type = PH_BOOL, .text = "May it have no value?" },
	[M_HISTORY] = { .name = "history", .type = PH_TEXT,
	    .text = "Its name for /dashboard/stats/history, where events need no window." },
};
static const struct ph_field fields[] = {
	{ .name = "metrics", .type = PH_ARRAY, .fields = metric_fields, .nfields = M__MAX,
	    .text = "All of them, always in the same order." },
};

static enum ph_rc
metrics_get(struct ph_req *req, struct ph_json *out, struct ph_err *err)
{
	struct ph_value	v[M__MAX];
	char		history[PH_METRIC_NAME_SIZE];
	size_t		i;

	(void)req;
	(void)err;
	ph_json_arr_open(out, fields[0].name);
	for (i = 0; i < ph_metric_count(); i++) {
		const struct ph_metric *m = ph_metric_at(i);

		snprintf(history, sizeof(history), "%.*s", m->kind == PH_METRIC_EVENT ?
		    (int)(strrchr(m->name, '.') - m->name) : (int)strlen(m->name), m->name);
		v[M_NAME] = ph_v_str(m->name);
		v[M_KIND] = ph_v_str(kinds[m->kind]);
		v[M_UNIT] = ph_v_str(m->unit);
		v[M_DESCRIPTION] = ph_v_str(m->text);
		v[M_NULLABLE] = ph_v_int(m->is_nullable);
		v[M_HISTORY] = ph_v_str(history);
		ph_json_obj_open(out, NULL);
		ph_json_fields(out, metric_fields, v, M__MAX);
		ph_json_close(out);
	}
	ph_json_close(out);
	return PH_OK;
}

static const struct ph_route route = {
	.name = "dashboard-metrics", .path = "/dashboard/metrics", .cache_s = 1,
	.ops[PH_GET] = {
		.scope = "dashboard:read", .summary = "Which metrics are there?",
		.description = "The catalogue for alert rules, boards and history.",
		.fields = fields, .nfields = 1, .handle = metrics_get,
	},
};

int
main(int argc, char **argv)
{
	return ph_endpoint_main(&route, argc, argv);
}
