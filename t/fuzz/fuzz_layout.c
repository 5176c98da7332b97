/*
 * fuzz_layout.c -- layouts of boards, as a body brings them or a row of the database has them.
 *
 * A widget is either whole or says what is wrong with it, and then the layout is refused.
 */
#include "autoconf.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/request.h"
#include "domain/layout.h"
#include "fuzz.h"

enum { NOW_MS = 1000000000 };

static void
look_at(const struct ph_widget *w)
{
	size_t m;

	assert((w->err.rc == PH_EPARAM) == (w->err.nparams > 0));
	ph_widget_level(w, 1);
	if (w->err.rc != PH_OK) {
		assert(strncmp(w->err.params[0].param, "layout[", 7) == 0);
		return;
	}
	assert(w->id != NULL && w->id[0] != '\0' && w->type >= 0 && ph_widget_types[w->type] != NULL);
	assert(w->nmetrics <= PH_LAYOUT_METRICS && w->values == NULL);
	for (m = 0; m < w->nmetrics; m++)
		assert(w->metrics[m].expression != NULL && w->metrics[m].text != NULL &&
		    ph_formats[w->metrics[m].format] != NULL);
	assert(ph_widget_level(w, NAN) == -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_err		 err = { .rc = PH_OK }, refused = { .rc = PH_OK };
	struct ph_layout	*l;
	cJSON			*json;
	size_t			 i, wrong = 0;

	if (ph_body_parse((const char *)data, size, &json, &err) != PH_OK)
		return 0;
	if ((l = ph_layout_new(json, NOW_MS, &err)) == NULL)
		assert(err.rc == PH_EPARAM && err.nparams == 1);
	else {
		assert(l->nwidgets <= PH_LAYOUT_WIDGETS);
		for (i = 0; i < l->nwidgets; i++) {
			look_at(&l->widgets[i]);
			wrong += l->widgets[i].err.rc != PH_OK;
		}
		assert(ph_layout_check(l, &refused) == (wrong > 0 ? PH_EPARAM : PH_OK));
	}
	ph_layout_free(l);
	cJSON_Delete(json);
	return 0;
}
