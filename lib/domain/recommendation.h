/*
 * recommendation.h -- what an analysis suggests to do, each with the action that does it.
 *
 * The id is a hash of what is suggested, so it stays the same as long as the suggestion does.
 * One that was dismissed is not made for a week, unless its severity changes.
 */
#ifndef PH_RECOMMENDATION_H
#define PH_RECOMMENDATION_H

#include "domain/analysis.h"

enum { PH_RECOMMENDATIONS_MAX = 12, PH_RECOMMENDATION_ID_SIZE = 33 };
#define PH_DISMISS_MS INT64_C(604800000)

struct ph_recommendation {
	char		 id[PH_RECOMMENDATION_ID_SIZE];	/* hexadecimal */
	enum ph_health	 severity;			/* PH_GOOD is shown as info */
	const char	*action;			/* short name of a ph_action */
	const char	*title;				/* a constant */
	char		 description[240];
	char		*payload;			/* JSON: the body for the action */
};

struct ph_recommendations {
	size_t				n;
	struct ph_recommendation	list[PH_RECOMMENDATIONS_MAX];	/* critical first */
};

/* Those that were not dismissed.  The caller gives them to ph_recommendations_free(), also after a
 * failure. */
enum ph_rc	ph_recommendations_read(struct ph_recommendations *, const struct ph_analysis *,
		    struct ph_db *, struct ph_err *);
void		ph_recommendations_free(struct ph_recommendations *);

enum { PH_RECOMMENDATION_NFIELDS = 7 };
extern const struct ph_field ph_recommendation_fields[PH_RECOMMENDATION_NFIELDS];
/* Into the open array. */
void		ph_recommendations_write(const struct ph_recommendations *, int64_t now_ms, struct ph_json *out);

/*
 * Dismiss one of the analysis.  *until: when it may be made again.  PH_OK also if it is dismissed
 * already; PH_ENOTFOUND: it is none of today's.
 */
enum ph_rc	ph_recommendation_dismiss(const char *id, const char *user, const struct ph_analysis *,
		    struct ph_db *, int64_t *until, struct ph_err *);

#endif
