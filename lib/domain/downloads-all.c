/*
 * downloads-all.c -- the views of a podcast that are also files.
 */
#include "autoconf.h"

#include "domain/downloads.h"

const struct ph_view *const ph_views[] = {
	&ph_view_apps, &ph_view_compare, &ph_view_countries, &ph_view_curves, &ph_view_daily, &ph_view_devices,
	&ph_view_downloads, &ph_view_episodes, NULL
};
