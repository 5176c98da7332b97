/*
 * feed.c -- RSS by libexpat, without ever holding a tree.
 *
 * What is wanted lies at fixed depths: rss, channel, what the channel says and its items, what an item says.  At
 * those the name of an element opens a field, whose text is cleaned as it comes and kept when the element ends.
 * All else passes by.  A feed comes from anybody, so what expat itself would have to remember is bounded too:
 * the text is handed over in pieces, and a tag that does not end within a few of them ends the reading.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <expat.h>

#include "core/clock.h"
#include "core/number.h"
#include "core/utf8.h"
#include "domain/feed.h"
#include "domain/idset.h"

#define DIGITS	"0123456789"
#define LETTERS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define BLANKS	" \t\r\n"

enum { PIECE = 64 << 10, ITEMS_FIRST = 64 };
enum { SEPARATOR = '\n' };	/* of URI and name; expat refuses a URI that has it */

enum space { RSS, ITUNES, PODCAST, ATOM, FOREIGN };

/* Compared without case, as some feeds write DTDs/Podcast-1.0.dtd.  Some give RSS 2.0 itself a namespace. */
static const struct { enum space space; const char *uri; } spaces[] = {
	{ RSS, "http://backend.userland.com/rss2" },
	{ RSS, "http://blogs.law.harvard.edu/tech/rss" },
	{ ITUNES, "http://www.itunes.com/dtds/podcast-1.0.dtd" },
	{ PODCAST, "https://podcastindex.org/namespace/1.0" },
	{ PODCAST, "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md" },
	{ ATOM, "http://www.w3.org/2005/Atom" },
};
enum { NSPACES = sizeof(spaces) / sizeof(spaces[0]) };

enum place { OUTSIDE, IN_CHANNEL, IN_ITEM, PLACE__MAX };

/* PROSE: runs of spaces become one, and it may be cut.  EXACT: another text would be another thing.  WEB: and
 * only http or https. */
enum kind { PROSE, EXACT, WEB };

enum field { F_TITLE, F_ITUNES_TITLE, F_LINK, F_PODCAST_GUID, F_SELF, F_GUID, F_PUB_DATE, F_DURATION, F_SEASON,
    F_EPISODE, F_TYPE, F_ENCLOSURE, F_LENGTH, F__MAX };
static const struct { enum space space; enum kind kind; const char *name; } fields[F__MAX] = {
	[F_TITLE] = { RSS, PROSE, "title" },
	[F_ITUNES_TITLE] = { ITUNES, PROSE, "title" },
	[F_LINK] = { RSS, WEB, "link" },
	[F_PODCAST_GUID] = { PODCAST, EXACT, "guid" },
	[F_SELF] = { ATOM, WEB, "link" },		/* its attribute href */
	[F_GUID] = { RSS, EXACT, "guid" },
	[F_PUB_DATE] = { RSS, PROSE, "pubDate" },
	[F_DURATION] = { ITUNES, PROSE, "duration" },
	[F_SEASON] = { ITUNES, PROSE, "season" },
	[F_EPISODE] = { ITUNES, PROSE, "episode" },
	[F_TYPE] = { ITUNES, PROSE, "episodeType" },
	[F_ENCLOSURE] = { RSS, WEB, "enclosure" },	/* its attribute url */
	[F_LENGTH] = { FOREIGN, PROSE, "" },		/* the attribute length of the same */
};

struct reader {
	XML_Parser	 xml;
	struct ph_feed	*feed;
	size_t		 room;			/* of feed->items */
	struct ph_idset	*guids;			/* of feed->items, in their order */
	struct ph_err	*err;
	enum ph_rc	 rc;			/* not PH_OK: expat was told to stop */
	size_t		 blank_lines;		/* ahead of what expat sees */
	size_t		 nparts;
	int		 depth;			/* elements that are open */
	int		 has_channel;
	enum place	 place;
	enum field	 field;			/* that is being read; F__MAX: none */
	int		 field_depth;		/* elements around it */
	char		 text[PH_FEED_TEXT_MAX + 1];
	size_t		 text_len, nspaces;	/* nspaces: seen behind the text, not in it yet */
	int		 is_full;
	char		*values[PLACE__MAX][F__MAX];
};

/* -- failures -------------------------------------------------------------------------- */

static unsigned long
line_of(const struct reader *r)
{
	return (unsigned long)(XML_GetCurrentLineNumber(r->xml) + r->blank_lines);
}

static enum ph_rc
fail_memory(struct ph_err *err)
{
	return ph_fail(err, PH_ENOMEM, "no memory for a feed");
}

/* Some handlers are still called after this; they look at rc. */
static void
stop(struct reader *r, enum ph_rc rc)
{
	r->rc = rc;
	XML_StopParser(r->xml, XML_FALSE);
}

static enum ph_rc
fail_xml(struct reader *r)
{
	const enum XML_Error code = XML_GetErrorCode(r->xml);

	switch (code) {
	case XML_ERROR_NO_MEMORY:
		return fail_memory(r->err);
	case XML_ERROR_NO_ELEMENTS:
	case XML_ERROR_UNCLOSED_TOKEN:
	case XML_ERROR_UNCLOSED_CDATA_SECTION:
	case XML_ERROR_PARTIAL_CHAR:
		return ph_fail(r->err, PH_EBADREQUEST, "line %lu: the feed ends before it is complete", line_of(r));
	default:
		return ph_fail(r->err, PH_EBADREQUEST, "line %lu: cannot be read as XML: %s", line_of(r),
		    XML_ErrorString(code));
	}
}

/* -- instants, durations, numbers --------------------------------------------------------- */

/* At most max digits as a number; *s moves behind them.  -1: there are none, or more. */
static int
number(const char **s, size_t max)
{
	const size_t	n = strspn(*s, DIGITS);
	int64_t		v;

	if (n > max || ph_parse_int(*s, n, 0, 9999, &v) != 0)
		return -1;
	*s += n;
	return (int)v;
}

/* ".25" in ms, cut.  0 without a point, -1 without a digit behind it. */
static int
fraction_ms(const char **s)
{
	int ms = 0, scale = 100;

	if (**s != '.')
		return 0;
	if (strspn(++*s, DIGITS) == 0)
		return -1;
	for (; **s >= '0' && **s <= '9'; (*s)++, scale /= 10)
		ms += scale * (**s - '0');
	return ms;
}

/* "22 Nov 2025" with anything but a digit ahead, or "2025-11-22".  Whether there is such a day is seen later. */
static int
read_date(const char **s, int *year, int *month, int *day)
{
	static const char	months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	    "Nov", "Dec" };
	size_t			n;

	if (strspn(*s, DIGITS) == 4 && (*s)[4] == '-') {
		*year = number(s, 4);
		++*s;
		if ((*month = number(s, 2)) < 0 || **s != '-')
			return -1;
		++*s;
		*day = number(s, 2);
		if (**s == 'T' || **s == 't')
			++*s;
		return *day < 0 ? -1 : 0;
	}
	*s += strcspn(*s, DIGITS);
	if ((*day = number(s, 2)) < 0)
		return -1;
	*s += strspn(*s, " ");
	for (*month = 1; *month <= 12 && strncasecmp(*s, months[*month - 1], 3) != 0; ++*month)
		;
	*s += strspn(*s, LETTERS);
	*s += strspn(*s, " ");
	n = strspn(*s, DIGITS);
	if (n < 2 || (*year = number(s, 4)) < 0)
		return -1;
	if (n < 4)			/* RFC 2822 section 4.3 */
		*year += n == 2 && *year < 50 ? 2000 : 1900;
	return 0;
}

/* "+0200", "+2", "+02:00", "EST", "GMT+0200", "+0200 (a comment)", "", and nothing behind it.  The zones of RFC 2822
 * and the two of Europe that are not ambiguous; *minutes east of UTC. */
static int
read_zone(const char *s, int *minutes)
{
	static const struct { char name[5]; int hours; } zones[] = {
		{ "EST", -5 }, { "EDT", -4 }, { "CST", -6 }, { "CDT", -5 }, { "MST", -7 }, { "MDT", -6 },
		{ "PST", -8 }, { "PDT", -7 }, { "CET", 1 }, { "CEST", 2 },
	};
	size_t	n = strspn(s, LETTERS), i;
	int	hours, rest = 0, sign;

	*minutes = 0;
	if (n > 5 || (n == 2 && strncasecmp(s, "UT", n) != 0))		/* 10:30 PM */
		return -1;
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (n == strlen(zones[i].name) && strncasecmp(s, zones[i].name, n) == 0)
			*minutes = zones[i].hours * 60;
	s += n;
	s += strspn(s, " ");
	if (*s == '+' || *s == '-') {
		sign = *s++ == '+' ? 1 : -1;
		n = strspn(s, DIGITS);
		if ((hours = number(&s, 4)) < 0)
			return -1;
		if (n > 2) {
			rest = hours % 100;
			hours /= 100;
		} else if (*s == ':') {
			s++;
			rest = number(&s, 2);
		}
		if (rest < 0 || rest > 59)
			return -1;
		*minutes = sign * (hours * 60 + rest);
		s += strspn(s, " ");
	}
	return *s == '\0' || *s == '(' ? 0 : -1;
}

/* Everything is brought into the one form whose days, hours and range ph_time_parse() checks. */
static int64_t
instant_of(const char *s)
{
	int	year, month, day, hour = 0, minute = 0, second = 0, ms = 0, zone = 0, n;
	int64_t	at_ms;
	char	iso[96];

	if (s == NULL || read_date(&s, &year, &month, &day) != 0)
		return -1;
	s += strspn(s, " ");
	if (*s != '\0') {
		if ((hour = number(&s, 2)) < 0 || *s++ != ':' || (minute = number(&s, 2)) < 0)
			return -1;
		if (*s == ':') {
			s++;
			second = number(&s, 2);
			ms = fraction_ms(&s);
		}
		s += strspn(s, " ");
		if (second < 0 || ms < 0 || read_zone(s, &zone) != 0)
			return -1;
	}
	n = snprintf(iso, sizeof(iso), "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d", year, month, day, hour,
	    minute, second, ms, zone < 0 ? '-' : '+', abs(zone) / 60, abs(zone) % 60);
	return n > 0 && (size_t)n < sizeof(iso) && ph_time_parse(iso, (size_t)n, 0, &at_ms) == 0 ? at_ms : -1;
}

/* "3723", "62:03", "1:02:03", each with a fraction of the seconds or without. */
static int64_t
duration_of(const char *s)
{
	int64_t	part, total = 0;
	size_t	len;
	int	n, ms;

	if (s == NULL)
		return -1;
	for (n = 1; ; n++) {
		len = strspn(s, DIGITS);
		if (ph_parse_int(s, len, 0, n == 1 ? PH_FEED_DURATION_MAX_MS / 1000 : 59, &part) != 0)
			return -1;
		total = total * 60 + part;
		s += len;
		if (*s != ':' || n == 3)
			break;
		s++;
	}
	if ((ms = fraction_ms(&s)) < 0 || *s != '\0')
		return -1;
	total = total * 1000 + ms;
	return total > 0 && total <= PH_FEED_DURATION_MAX_MS ? total : -1;
}

static int64_t
count_of(const char *s, int64_t max)
{
	int64_t v;

	return s != NULL && ph_parse_int(s, strlen(s), 1, max, &v) == 0 ? v : -1;
}

static enum ph_feed_type
type_of(const char *s)
{
	static const char *const	names[] = { [PH_FEED_FULL] = "full", [PH_FEED_TRAILER] = "trailer",
	    [PH_FEED_BONUS] = "bonus" };
	int				t;

	for (t = PH_FEED_FULL; s != NULL && t <= PH_FEED_BONUS; t++)
		if (strcasecmp(s, names[t]) == 0)
			return (enum ph_feed_type)t;
	return PH_FEED_TYPE_UNKNOWN;
}

/* -- the text of a field -------------------------------------------------------------------- */

static void
open_field(struct reader *r, enum field f)
{
	r->field = f;
	r->field_depth = r->depth - 1;
	r->text_len = r->nspaces = 0;
	r->is_full = 0;
}

/* Control characters count as spaces.  In prose the no-break space does so too: U+0080..U+00A0 are C2 80..C2 A0. */
static int
is_space(const char *s, size_t n, enum kind kind)
{
	const unsigned char c = (unsigned char)s[n - 1];

	if (n == 1)
		return c <= ' ' || c == 0x7f;
	return n == 2 && (unsigned char)s[0] == 0xc2 && c <= (kind == PROSE ? 0xa0 : 0x9f);
}

/* Spaces enter the text ahead of what follows them, so that none is ever at its end. */
static void
append(struct reader *r, const char *s, size_t len)
{
	const enum kind	kind = fields[r->field].kind;
	const size_t	max = kind == PROSE ? PH_FEED_TITLE_MAX : PH_FEED_TEXT_MAX;
	size_t		n, blank;

	for (; len > 0 && !r->is_full; s += n, len -= n) {
		if ((n = ph_utf8_next(s, len)) == 0)
			n = 1;			/* expat gives whole characters; else the byte is dropped */
		else if (is_space(s, n, kind))
			r->nspaces++;
		else {
			blank = r->text_len == 0 ? 0 : kind == PROSE ? r->nspaces > 0 : r->nspaces;
			if (r->text_len + blank + n > max) {
				r->is_full = 1;
				break;
			}
			memset(r->text + r->text_len, ' ', blank);
			memcpy(r->text + r->text_len + blank, s, n);
			r->text_len += blank + n;
			r->nspaces = 0;
		}
	}
}

static void
close_field(struct reader *r)
{
	char		**value = &r->values[r->place][r->field];
	const enum kind	  kind = fields[r->field].kind;

	r->text[r->text_len] = '\0';
	r->field = F__MAX;
	if (*value != NULL || r->text_len == 0 || (r->is_full && kind != PROSE) ||
	    (kind == WEB && strncasecmp(r->text, "http://", 7) != 0 && strncasecmp(r->text, "https://", 8) != 0))
		return;
	if ((*value = strdup(r->text)) == NULL)
		stop(r, fail_memory(r->err));
}

/* The value of an attribute, or NULL; those of RSS and Atom have no namespace. */
static const char *
attribute(const char **atts, const char *name)
{
	for (; atts[0] != NULL; atts += 2)
		if (strcmp(atts[0], name) == 0)
			return atts[1];
	return NULL;
}

static void
read_attribute(struct reader *r, enum field f, const char **atts, const char *name)
{
	const char *value = attribute(atts, name);

	if (value == NULL)
		return;
	open_field(r, f);
	append(r, value, strlen(value));
	close_field(r);
}

/* -- items ------------------------------------------------------------------------------------ */

static void
free_values(char **values)
{
	int f;

	for (f = 0; f < F__MAX; f++) {
		free(values[f]);
		values[f] = NULL;
	}
}

/* A value changes its owner. */
static char *
take(char **values, enum field f)
{
	char *value = values[f];

	values[f] = NULL;
	return value;
}

static int
reserve(struct reader *r)
{
	const size_t	 room = r->room != 0 ? r->room * 2 : ITEMS_FIRST;
	void		*p;

	if (r->feed->nitems < r->room)
		return 0;
	if ((p = reallocarray(r->feed->items, room, sizeof(r->feed->items[0]))) == NULL)
		return -1;
	r->feed->items = p;
	r->room = room;
	return 0;
}

static void
close_item(struct reader *r)
{
	char		**v = r->values[IN_ITEM];
	struct ph_feed	 *feed = r->feed;
	long		  place;

	if (v[F_GUID] == NULL && v[F_ENCLOSURE] != NULL && (v[F_GUID] = strdup(v[F_ENCLOSURE])) == NULL)
		stop(r, fail_memory(r->err));
	else if (v[F_GUID] == NULL)
		feed->skipped++;
	else if (reserve(r) != 0 || (place = ph_idset_add(r->guids, v[F_GUID], strlen(v[F_GUID]))) < 0)
		stop(r, fail_memory(r->err));
	else if ((size_t)place < feed->nitems)
		feed->skipped++;
	else
		feed->items[feed->nitems++] = (struct ph_feed_item){
			.guid = take(v, F_GUID),
			.title = take(v, v[F_TITLE] != NULL ? F_TITLE : F_ITUNES_TITLE),
			.enclosure_url = take(v, F_ENCLOSURE),
			.enclosure_bytes = count_of(v[F_LENGTH], PH_FEED_BYTES_MAX),
			.published_at = instant_of(v[F_PUB_DATE]),
			.duration_ms = duration_of(v[F_DURATION]),
			.season = count_of(v[F_SEASON], PH_FEED_NUMBER_MAX),
			.episode = count_of(v[F_EPISODE], PH_FEED_NUMBER_MAX),
			.type = type_of(v[F_TYPE]),
		};
	free_values(v);
}

/* -- what expat calls ----------------------------------------------------------------------------- */

/* The namespace of a name as expat gives it, and its local part. */
static enum space
space_of(const char *name, const char **local)
{
	const char	*end = strrchr(name, SEPARATOR);
	size_t		 i, len;

	*local = end != NULL ? end + 1 : name;
	if (end == NULL)
		return RSS;
	len = (size_t)(end - name);
	for (i = 0; i < NSPACES; i++)
		if (strlen(spaces[i].uri) == len && strncasecmp(spaces[i].uri, name, len) == 0)
			return spaces[i].space;
	return FOREIGN;
}

static void
check_root(struct reader *r, enum space space, const char *name)
{
	const char *what = "the root element is not <rss>";

	if (space == RSS && strcmp(name, "rss") == 0)
		return;
	if (space == ATOM && strcmp(name, "feed") == 0)
		what = "an Atom feed, not an RSS feed";
	else if (strcasecmp(name, "html") == 0)
		what = "a page of HTML, not an RSS feed";
	stop(r, ph_fail(r->err, PH_EBADREQUEST, "line %lu: %s", line_of(r), what));
}

static void
open_channel(struct reader *r)
{
	if (r->has_channel)
		stop(r, ph_fail(r->err, PH_EBADREQUEST, "line %lu: a second <channel>", line_of(r)));
	r->has_channel = 1;
	r->place = IN_CHANNEL;
}

static void
open_item(struct reader *r)
{
	if (r->feed->nitems + r->feed->skipped == PH_FEED_ITEMS_MAX)
		stop(r, ph_fail(r->err, PH_EBODYTOOBIG, "line %lu: more than %d items", line_of(r), PH_FEED_ITEMS_MAX));
	r->place = IN_ITEM;
}

/* An element of a channel or an item. */
static void
open_element(struct reader *r, enum space space, const char *name, const char **atts)
{
	const char	*rel = attribute(atts, "rel");
	int		 f;

	for (f = 0; f < F__MAX && (fields[f].space != space || strcmp(fields[f].name, name) != 0); f++)
		;
	if (f == F_SELF) {
		if (rel != NULL && strcasecmp(rel, "self") == 0)
			read_attribute(r, F_SELF, atts, "href");
	} else if (f == F_ENCLOSURE) {
		if (r->values[r->place][F_ENCLOSURE] != NULL)
			return;			/* the length belongs to the same one */
		read_attribute(r, F_ENCLOSURE, atts, "url");
		if (r->values[r->place][F_ENCLOSURE] != NULL)
			read_attribute(r, F_LENGTH, atts, "length");
	} else if (f != F__MAX)
		open_field(r, (enum field)f);
}

/* One more part of the document, of those that expat remembers. */
static void
count_part(struct reader *r)
{
	if (r->rc == PH_OK && ++r->nparts > PH_FEED_PARTS_MAX)
		stop(r, ph_fail(r->err, PH_EBODYTOOBIG, "line %lu: more than %d elements and attributes", line_of(r),
		    PH_FEED_PARTS_MAX));
}

static void XMLCALL
on_namespace(void *user, const XML_Char *prefix, const XML_Char *uri)
{
	(void)prefix;
	(void)uri;
	count_part(user);
}

static void XMLCALL
on_start(void *user, const XML_Char *name, const XML_Char **atts)
{
	struct reader	*r = user;
	const int	 around = r->depth++;
	const char	*local;
	enum space	 space;
	size_t		 i;

	count_part(r);
	for (i = 0; atts[i] != NULL; i += 2)
		count_part(r);
	if (r->rc != PH_OK)
		return;
	if (around == PH_FEED_DEPTH_MAX) {
		stop(r, ph_fail(r->err, PH_EBADREQUEST, "line %lu: more than %d elements inside each other",
		    line_of(r), PH_FEED_DEPTH_MAX));
		return;
	}
	if (r->field != F__MAX || around > 3)
		return;				/* markup in a text, or what nobody asks for */
	space = space_of(name, &local);
	if (around == 0)
		check_root(r, space, local);
	else if (around == 1 && space == RSS && strcmp(local, "channel") == 0)
		open_channel(r);
	else if (around == 2 && r->place == IN_CHANNEL && space == RSS && strcmp(local, "item") == 0)
		open_item(r);
	else if ((around == 2 && r->place == IN_CHANNEL) || (around == 3 && r->place == IN_ITEM))
		open_element(r, space, local, atts);
}

static void XMLCALL
on_end(void *user, const XML_Char *name)
{
	struct reader	*r = user;
	const int	 around = --r->depth;

	(void)name;
	if (r->rc != PH_OK)
		return;
	if (r->field != F__MAX) {
		if (around == r->field_depth)
			close_field(r);
	} else if (around == 2 && r->place == IN_ITEM) {
		close_item(r);
		r->place = IN_CHANNEL;
	} else if (around == 1)
		r->place = OUTSIDE;
}

static void XMLCALL
on_text(void *user, const XML_Char *s, int len)
{
	struct reader *r = user;

	if (r->rc == PH_OK && r->field != F__MAX)
		append(r, s, (size_t)len);
}

/* Entities are declared nowhere else: without these nothing can grow, and nothing is fetched. */
static void XMLCALL
on_doctype(void *user, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id, int has_subset)
{
	struct reader *r = user;

	if (strcasecmp(name, "html") == 0)
		check_root(r, RSS, name);
	else if (has_subset || system_id != NULL || public_id != NULL)
		stop(r, ph_fail(r->err, PH_EBADREQUEST, "line %lu: a DOCTYPE with declarations is not accepted",
		    line_of(r)));
}

/* -- the whole --------------------------------------------------------------------------------------- */

/* A tag that has not ended expat may try again only when there is twice as much of it (from 2.6 on). */
static enum ph_rc
parse(struct reader *r, const char *text, size_t len)
{
	enum XML_Status	status = XML_STATUS_OK;
	size_t		n, fed = 0;

	do {
		n = len - fed < PIECE ? len - fed : PIECE;
		status = XML_Parse(r->xml, text + fed, (int)n, fed + n == len);
		fed += n;
		if (status == XML_STATUS_OK && fed < len &&
		    (XML_Index)fed - XML_GetCurrentByteIndex(r->xml) > 2 * PH_FEED_TAG_MAX + PIECE)
			return ph_fail(r->err, PH_EBODYTOOBIG, "line %lu: a tag of more than %d bytes", line_of(r),
			    PH_FEED_TAG_MAX);
	} while (status == XML_STATUS_OK && fed < len);
	if (r->rc != PH_OK)
		return r->rc;
	if (status != XML_STATUS_OK)
		return fail_xml(r);
	if (!r->has_channel)
		return ph_fail(r->err, PH_EBADREQUEST, "line %lu: the feed has no <channel>", line_of(r));
	return PH_OK;
}

enum ph_rc
ph_feed_parse(const char *text, size_t len, struct ph_feed **out, struct ph_err *err)
{
	struct reader	*r = calloc(1, sizeof(*r));
	char		**v;
	enum ph_rc	 rc;

	*out = NULL;
	if (r == NULL)
		return fail_memory(err);
	r->err = err;
	r->field = F__MAX;
	if (len > PH_FEED_MAX) {
		rc = ph_fail(err, PH_EBODYTOOBIG, "the feed has more than %d bytes", PH_FEED_MAX);
		goto out;
	}
	if ((r->feed = calloc(1, sizeof(*r->feed))) == NULL || (r->guids = ph_idset_new(0)) == NULL ||
	    (r->xml = XML_ParserCreateNS(NULL, SEPARATOR)) == NULL) {
		rc = fail_memory(err);
		goto out;
	}
	XML_SetUserData(r->xml, r);
	XML_SetElementHandler(r->xml, on_start, on_end);
	XML_SetStartNamespaceDeclHandler(r->xml, on_namespace);
	XML_SetCharacterDataHandler(r->xml, on_text);
	XML_SetStartDoctypeDeclHandler(r->xml, on_doctype);
	for (; len > 0 && memchr(BLANKS, *text, strlen(BLANKS)) != NULL; text++, len--)
		r->blank_lines += *text == '\n';
	if ((rc = parse(r, text, len)) == PH_OK) {
		v = r->values[IN_CHANNEL];
		r->feed->title = take(v, v[F_TITLE] != NULL ? F_TITLE : F_ITUNES_TITLE);
		r->feed->link = take(v, F_LINK);
		r->feed->podcast_guid = take(v, F_PODCAST_GUID);
		r->feed->self_url = take(v, F_SELF);
		*out = r->feed;
		r->feed = NULL;
	}
out:
	free_values(r->values[IN_CHANNEL]);
	free_values(r->values[IN_ITEM]);
	if (r->xml != NULL)
		XML_ParserFree(r->xml);
	ph_idset_free(r->guids);
	ph_feed_free(r->feed);
	free(r);
	return rc;
}

void
ph_feed_free(struct ph_feed *feed)
{
	size_t i;

	if (feed == NULL)
		return;
	for (i = 0; i < feed->nitems; i++) {
		free(feed->items[i].guid);
		free(feed->items[i].title);
		free(feed->items[i].enclosure_url);
	}
	free(feed->items);
	free(feed->title);
	free(feed->link);
	free(feed->podcast_guid);
	free(feed->self_url);
	free(feed);
}
