/*
 * show-top.h -- the episodes with the most downloads, as OP3 counted them: of those of the last months.
 */
#ifndef PH_SHOW_TOP_H
#define PH_SHOW_TOP_H

#include "core/db.h"
#include "core/json.h"
#include "domain/podcast.h"

enum { PH_TOP_TITLE_SIZE = 512, PH_TOP_NFIELDS = 8 };

struct ph_top {
	char	title[PH_TOP_TITLE_SIZE], guid[PH_TOP_TITLE_SIZE];	/* "": unknown; may be cut */
	char	episode_id[PH_ID_SIZE];		/* "": none of ours */
	int64_t	d1, d3, d7, d30;		/* -1: unknown */
	int64_t	all;
	int64_t	pubdate;
};

/* The rest of a field: downloads in so many days from the release. */
#define PH_FIRST_DAYS(n) .is_nullable = 1, \
	.text = "Downloads in the first " n " from its release; null: unknown, or that time is not over."

extern const struct ph_field ph_top_fields[PH_TOP_NFIELDS];

/* At most max of a podcast, by downloads so far, then the newer one first.  Inside a transaction. */
enum ph_rc	ph_top_read(struct ph_db *, const char *podcast_id, struct ph_top *, size_t max, size_t *n, struct ph_err *);

/* The array top_episodes; without has_ids no episode_id is shown. */
void		ph_top_write(struct ph_json *, const struct ph_top *, size_t n, int has_ids);

#endif
