/*
 * downloads.h -- views of the downloads of one podcast: over time, by country, app and device, of its episodes,
 * compared.  Each is one struct ph_view, as JSON and as the rows of a file.
 *
 * Windows are whole days in UTC that end with complete_through, the last day that job-op3-sync has read whole.
 * Figures of the last week and 30 days, and of the first days of episodes, are OP3's own counts; all others are sums
 * of op3_daily.  What is not known is null; what the caller's plan does not show is left out.
 */
#ifndef PH_DOWNLOADS_H
#define PH_DOWNLOADS_H

#include <stdint.h>

#include "core/clock.h"
#include "core/endpoint.h"
#include "core/json.h"
#include "core/rows.h"
#include "core/table.h"
#include "domain/podcast.h"
#include "domain/show.h"

/* What a view is made from; inside a reading transaction. */
struct ph_downloads {
	struct ph_db		*db;
	int64_t			 now_ms;
	const struct ph_args	*args;		/* of the view's parameters */
	struct ph_listener	 who;
	struct ph_podcast	 podcast;
	char			 episode_id[PH_ID_SIZE];	/* of a view of one episode; else "" */
	struct ph_shows		 shows;
	struct ph_show		*show;		/* the podcast's, in shows */
	enum ph_show_use	 use;		/* of OP3's counts */
	const char		*code;		/* why there are none; NULL: there are */
	int			 is_fetched;	/* they were asked for just now */
	/* the days that are known; -1: none */
	int64_t			 first_ms, last_ms;
	int			 is_whole;	/* they reach back to the first that OP3 knows */
	struct { int64_t total, other; } shares;	/* of ph_view_shares() */
};

struct ph_view {
	const char		*name;		/* as in its path and in the name of a file */
	const struct ph_param	*params;	/* begins with PH_VIEW_PARAMS */
	size_t			 nparams;
	enum ph_level		 level;		/* that it needs at all */
	/* It needs OP3's counts and asks for them by this: ph_shows_refresh_for().  NULL: programs of such views know
	 * nothing of the network. */
	enum ph_rc		(*refresh)(struct ph_req *, struct ph_shows *, struct ph_err *);
	const struct ph_field	*fields;	/* begins with PH_VIEW_FIELDS */
	size_t			 nfields;
	unsigned		 is_episode : 1;	/* its path names an episode instead of a podcast */
	/* what a file of it has */
	const struct ph_field	*columns;
	size_t			 ncolumns;
	/* Fill the open object, behind the common fields; or give the rows. */
	enum ph_rc		(*write)(struct ph_downloads *, struct ph_json *, struct ph_err *);
	enum ph_rc		(*rows)(struct ph_downloads *, struct ph_rows *, struct ph_err *);
};

extern const struct ph_view	ph_view_apps;
extern const struct ph_view	ph_view_compare;
extern const struct ph_view	ph_view_countries;
extern const struct ph_view	ph_view_curves;
extern const struct ph_view	ph_view_daily;
extern const struct ph_view	ph_view_devices;
extern const struct ph_view	ph_view_downloads;
extern const struct ph_view	ph_view_episode;
extern const struct ph_view	ph_view_episodes;
extern const struct ph_view *const	ph_views[];	/* all of a podcast, with files; then NULL: downloads-all.c */

/* -- for routes ------------------------------------------------------------------------ */

#define PH_VIEW_PATH "/api/analytics/podcast/{podcast_id}/"
enum { PH_VIEW_CACHE_KIB = 1000 };	/* of the database: a year by day and country */
#define PH_VIEW_PROGRAM "podcast-export-view"	/* that gives files */

/* The first parameters of every view.  That of an episode has episode_id in the first place. */
enum { PH_VIEW_ID, PH_VIEW_FORMAT, PH_VIEW_NPARAMS };
#define PH_VIEW_PARAMS \
	[PH_VIEW_ID] = { .name = "podcast_id", .type = PH_P_TEXT, .in = PH_IN_PATH, .min = 1, .max = PH_ID_SIZE - 1, \
	    .text = "The podcast." }, \
	[PH_VIEW_FORMAT] = PH_PARAM_FORMAT_OF("podcast:read")
#define PH_PARAM_VIEW_DAYS(which) { .name = "days", .type = PH_P_INT, .min = 1, .max = 365, .dflt = 30, .unit = "days", \
	.text = which }

/* The common fields. */
enum { PH_VIEW_NFIELDS = 10 };
#define PH_VIEW_FIELDS \
	[0] = { .name = "podcast_id", .type = PH_TEXT, .text = "The podcast." }, \
	[1] = { .name = "podcast_name", .type = PH_TEXT, .text = "Its name." }, \
	[2] = { .name = "as_of", .type = PH_TEXT, .is_nullable = 1, .text = "The last day (UTC) of these figures; null: there are none." }, \
	[3] = { .name = "coverage_since", .type = PH_TEXT, .is_nullable = 1, \
	    .text = "The first day that our own daily figures reach back to; null: there are none yet." }, \
	[4] = { .name = "complete", .type = PH_BOOL, .text = "Nothing that is asked for is missing for want of figures." }, \
	[5] = { .name = "source", .type = PH_TEXT, .choices = ph_view_sources, \
	    .text = "op3_counts: what OP3 counted. op3_daily: our own days. mixed: both." }, \
	[6] = { .name = "cached", .type = PH_BOOL, .text = "OP3's counts come from our store, not from a question just now." }, \
	[7] = { .name = "stale", .type = PH_BOOL, .text = "OP3's counts are old, because it could not be asked." }, \
	[8] = { .name = "error_code", .type = PH_TEXT, .is_nullable = 1, \
	    .text = "Why OP3's counts are missing, as of GET /api/dashboard/stats; null: they are not." }, \
	[9] = { .name = "analytics_level", .type = PH_TEXT, .choices = ph_plan_levels, \
	    .text = "What the plan shows: basic totals and 3 episodes; advanced 30 days back, 10 episodes, 5 countries and apps; " \
	    "full everything." }
extern const char *const ph_view_sources[];	/* op3_counts, op3_daily, mixed; NULL */

/* The answer to a GET, or to HEAD, of the view's path. */
enum ph_rc	ph_view_get(struct ph_req *, const struct ph_view *, struct ph_json *, struct ph_err *);
/* The same as a file, for a program of exports: args are those of the view. */
enum ph_rc	ph_view_export(struct ph_req *, const struct ph_view *, const struct ph_args *,
		    struct ph_table_options, struct ph_err *);

/* Who is asking for what, OP3's counts if the view asks for them, and a reading transaction, for a handler that begins its
 * own.  id: of a podcast, or what the view says; view NULL: of a podcast, without counts.  To be closed also after a failure. */
enum ph_rc	ph_downloads_open(struct ph_downloads *, struct ph_req *, const struct ph_view *, const char *id,
		    struct ph_err *);
/* The same for anybody, of a podcast that shows its totals to all; OP3 is not asked. */
enum ph_rc	ph_downloads_open_public(struct ph_downloads *, struct ph_req *, const char *id, struct ph_err *);
void		ph_downloads_close(struct ph_downloads *);

/* The common fields; has_counts, has_days: what the answer is made from. */
void		ph_view_common(const struct ph_downloads *, int has_counts, int has_days, struct ph_json *);

/* -- for views ----------------------------------------------------------------------- */

/* A window of days, both included; -1: nothing is known. */
struct ph_days { int64_t first_ms, last_ms; };
/* The last n known days, `back` days before the last one.  It may begin before the first known day. */
struct ph_days	ph_days_last(const struct ph_downloads *, int64_t n, int64_t back);
/* What of it is known; and of that, what the plan shows as a series. */
struct ph_days	ph_days_known(const struct ph_downloads *, struct ph_days);
struct ph_days	ph_days_shown(const struct ph_downloads *, struct ph_days);

/* How many episodes the plan shows of so many. */
int64_t		ph_episodes_shown(const struct ph_downloads *, int64_t n);

/* Downloads in a window, key NULL: in total, else of an episode by OP3's id; -1: unknown, also where the window reaches
 * back behind days that are not all read. */
enum ph_rc	ph_days_sum(const struct ph_downloads *, const char *key, struct ph_days, int64_t *n, struct ph_err *);
/* All downloads of a podcast or episode; -1: unknown. */
enum ph_rc	ph_days_all(const struct ph_downloads *, const char *key, int64_t *n, struct ph_err *);
/* Each day of a window, oldest first, also those without a download.  A failure of the function ends it. */
typedef enum ph_rc ph_day_fn(void *arg, int64_t day_ms, int64_t n, struct ph_err *);
enum ph_rc	ph_days_each(const struct ph_downloads *, const char *key, struct ph_days, ph_day_fn *, void *arg,
		    struct ph_err *);

/* Rows as an array of objects with these columns. */
enum ph_rc	ph_view_array(struct ph_downloads *, const char *name, const struct ph_field *, size_t nfields,
		    enum ph_rc (*rows)(struct ph_downloads *, struct ph_rows *, struct ph_err *),
		    struct ph_json *, struct ph_err *);

/* The n largest keys of a dimension in a window, their columns key, downloads, share (countries: also the name); d->shares
 * then says how much there was, and what is left of it. */
enum ph_rc	ph_view_shares(struct ph_downloads *, const char *dim, struct ph_days, int64_t limit,
		    struct ph_rows *, struct ph_err *);

/* A day of a series, as date and downloads. */
enum { PH_DAY_NFIELDS = 2 };
extern const struct ph_field	ph_day_fields[PH_DAY_NFIELDS];
ph_day_fn	ph_day_give;		/* a row of these; arg is the sink */

/* OP3's counts may be used. */
int		ph_downloads_has_counts(const struct ph_downloads *);

/* English name of an ISO 3166-1 alpha-2 code, or of XX; NULL: there is none. */
const char	*ph_country_name(const char *code);

#endif
