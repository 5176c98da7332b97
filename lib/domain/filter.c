/*
 * filter.c -- reading a filter, and giving it to statements.
 */
#include "autoconf.h"

#include <string.h>

#include "domain/filter.h"

enum {
	DAY_MS = 86400000,
	BIND_FROM = 18, BIND_TO, BIND_KEYS, BIND_NAMES = BIND_KEYS + PH_PLATFORM__MAX
};

const char *const ph_platform_keys[] = { "instagram", "tiktok", "youtube", "other", "facebook", NULL };

void
ph_filter_init(struct ph_filter *f)
{
	*f = (struct ph_filter){ .to_ms = INT64_MAX, .keys = (1u << PH_PLATFORM__MAX) - 1 };
}

int
ph_filter_is_off(const struct ph_filter *f)
{
	return f == NULL || (!f->has_time && !f->has_platform);
}

static void
add_name(struct ph_filter *f, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < PH_PLATFORM__MAX; i++)
		if (strlen(ph_platform_keys[i]) == len && memcmp(ph_platform_keys[i], name, len) == 0) {
			f->keys |= 1u << i;
			return;
		}
	for (i = 0; i < f->nnames; i++)
		if (strlen(f->names[i]) == len && memcmp(f->names[i], name, len) == 0)
			return;
	memcpy(f->names[f->nnames], name, len);
	f->names[f->nnames++][len] = '\0';
}

enum ph_rc
ph_filter_read(struct ph_filter *f, const struct ph_args *args, size_t first, int64_t now_ms,
    struct ph_err *err)
{
	const int	has_from = args->values[first + PH_FILTER_FROM].is_set;
	const int	has_to = args->values[first + PH_FILTER_TO].is_set;
	const int	has_days = args->values[first + PH_FILTER_DAYS_BACK].is_set;
	const char	*names = args->values[first + PH_FILTER_PLATFORM].text;
	size_t		len;

	ph_filter_init(f);
	if (has_from && has_days)
		return ph_fail_param(err, "days_back", 9, "from is given, too");
	f->has_time = has_from || has_to || has_days;
	if (has_from)
		f->from_ms = args->values[first + PH_FILTER_FROM].num;
	if (has_days)
		f->from_ms = now_ms - args->values[first + PH_FILTER_DAYS_BACK].num * DAY_MS;
	if (f->from_ms < 0)
		f->from_ms = 0;		/* no time is below it */
	if (has_to) {
		f->to_ms = args->values[first + PH_FILTER_TO].num;
		if ((has_from || has_days) && f->from_ms >= f->to_ms)
			return has_from ? ph_fail_param(err, "from", 4, "must be before to") :
			    ph_fail_param(err, "days_back", 9, "begins at or after to");
	}
	if (names == NULL)
		return PH_OK;
	f->has_platform = 1;
	f->keys = 0;
	for (; *names != '\0'; names += len + (names[len] == ',')) {
		len = strcspn(names, ",");
		add_name(f, names, len);
	}
	if (f->keys & 1u << PH_PLATFORM_OTHER) {
		f->keys |= 1u << PH_PLATFORM_FACEBOOK;
		f->nnames = 0;
	}
	return PH_OK;
}

void
ph_filter_bind_time(const struct ph_filter *f, struct ph_stmt *st)
{
	ph_stmt_bind_int(st, BIND_FROM, f->from_ms);
	ph_stmt_bind_int(st, BIND_TO, f->to_ms);
}

/* NULL in a list of IN equals nothing. */
void
ph_filter_bind_platform(const struct ph_filter *f, struct ph_stmt *st)
{
	int i;

	for (i = 0; i < PH_PLATFORM__MAX; i++)
		ph_stmt_bind_text(st, BIND_KEYS + i, f->keys & 1u << i ? ph_platform_keys[i] : NULL);
	ph_filter_bind_names(f, st);
}

void
ph_filter_bind_names(const struct ph_filter *f, struct ph_stmt *st)
{
	int i;

	for (i = 0; i < PH_NAMES_MAX; i++)
		ph_stmt_bind_text(st, BIND_NAMES + i, (size_t)i < f->nnames ? f->names[i] : NULL);
}
