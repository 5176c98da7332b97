/*
 * feed.h -- a podcast's RSS 2.0 feed, read into what the tables of podcasts and episodes know.
 *
 * Elements are known by the URI of their namespace, whatever its prefix: RSS's own, iTunes, Podcasting 2.0, Atom.
 * A text is what its element says without markup and CDATA sections, which is no HTML here: "&amp;amp;" is the text
 * "&amp;".  It is valid UTF-8 whatever the encoding of the feed (UTF-8, UTF-16, ISO-8859-1 or US-ASCII), has no
 * control characters, and no space at either end; an empty one counts as none.  Of two elements the first that says
 * something counts.  What a feed says badly is unknown (-1, NULL), never a guess.
 */
#ifndef PH_FEED_H
#define PH_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum {
	PH_FEED_MAX = 16 << 20,		/* bytes of the document */
	PH_FEED_DEPTH_MAX = 64,		/* elements inside each other, with the root */
	PH_FEED_ITEMS_MAX = 5000,	/* also those that are skipped */
	PH_FEED_PARTS_MAX = 500000,	/* elements, attributes and declarations of namespaces */
	PH_FEED_TAG_MAX = 256 << 10,	/* bytes of a tag or comment that always pass; thrice that never do */
	PH_FEED_TITLE_MAX = 500,	/* bytes; the rest of a title is cut off */
	PH_FEED_TEXT_MAX = 2048,	/* bytes of any other text; a longer one is unknown */
	PH_FEED_NUMBER_MAX = 1000000	/* of a season or an episode */
};
#define PH_FEED_DURATION_MAX_MS	INT64_C(604800000)	/* a week; what is longer was meant otherwise */
#define PH_FEED_BYTES_MAX	(INT64_C(1) << 40)	/* of an enclosure */

enum ph_feed_type { PH_FEED_TYPE_UNKNOWN, PH_FEED_FULL, PH_FEED_TRAILER, PH_FEED_BONUS };

struct ph_feed_item {
	char			*guid;		/* else the URL of the enclosure; no two items have the same */
	char			*title;		/* one line, of <title>, else <itunes:title>; NULL: unknown */
	char			*enclosure_url;	/* http or https; NULL: unknown */
	int64_t			 enclosure_bytes;	/* 1..PH_FEED_BYTES_MAX; -1: unknown (0 says so, too) */
	int64_t			 published_at;	/* Unix ms UTC, 0..PH_TIME_MAX; -1: unknown */
	int64_t			 duration_ms;	/* 1..PH_FEED_DURATION_MAX_MS; -1: unknown */
	int64_t			 season;	/* 1..PH_FEED_NUMBER_MAX; -1: unknown */
	int64_t			 episode;	/* 1..PH_FEED_NUMBER_MAX; -1: unknown */
	enum ph_feed_type	 type;
};

struct ph_feed {
	char			*title;		/* one line; NULL: unknown, as below */
	char			*link;		/* http or https: the podcast's site */
	char			*podcast_guid;	/* of podcast:guid, as it is written */
	char			*self_url;	/* http or https: where the feed says it lives (atom:link rel="self") */
	struct ph_feed_item	*items;		/* as they come */
	size_t			 nitems;
	size_t			 skipped;	/* items without guid and enclosure, or with the guid of an earlier one */
};

/*
 * Read a feed of len bytes.  The result owns all it points to; caller frees with ph_feed_free().  Blank lines ahead
 * of the XML declaration are forgiven.  An instant is RFC 822's (with years of 2 or 4 digits, with or without
 * weekday, seconds and zone) or ISO 8601's; without a zone, or with one that nobody knows, it counts as UTC (RFC
 * 2822 section 4.3), without a time as midnight.  On failure *out is NULL and err says the line:
 * PH_EBADREQUEST	not XML that can be read, cut, not RSS, nested too deeply, or with declarations in a DOCTYPE:
 *			no entities but the five of XML, nothing from outside
 * PH_EBODYTOOBIG	beyond PH_FEED_MAX, PH_FEED_ITEMS_MAX, PH_FEED_PARTS_MAX or PH_FEED_TAG_MAX
 * PH_ENOMEM
 */
enum ph_rc	ph_feed_parse(const char *text, size_t len, struct ph_feed **out, struct ph_err *err);
void		ph_feed_free(struct ph_feed *);		/* NULL is fine */

#endif
