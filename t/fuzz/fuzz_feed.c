/*
 * fuzz_feed.c -- podcast feeds, as the web or a body brings them.
 *
 * Whatever the bytes, they are refused with a line, or what is read keeps the promises of feed.h, and is read
 * again just so from a feed that is written of it.
 */
#include "autoconf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/utf8.h"
#include "domain/feed.h"
#include "fuzz.h"

static const char *const types[] = { "", "full", "trailer", "bonus" };

/* NULL, or clean text within a limit. */
static void
look_at_text(const char *s, size_t max)
{
	const size_t	len = s != NULL ? strlen(s) : 0;
	size_t		i;

	if (s == NULL)
		return;
	assert(len > 0 && len <= max && ph_utf8_is_valid(s, len) && s[0] != ' ' && s[len - 1] != ' ');
	for (i = 0; i < len; i++) {
		assert((unsigned char)s[i] >= ' ' && s[i] != 0x7f);
		assert((unsigned char)s[i] != 0xc2 || (unsigned char)s[i + 1] >= 0xa0);		/* U+0080..U+009F */
	}
}

static void
look_at_title(const char *s)
{
	look_at_text(s, PH_FEED_TITLE_MAX);
	assert(s == NULL || (strstr(s, "  ") == NULL && strstr(s, "\xc2\xa0") == NULL));
}

static void
look_at_url(const char *s)
{
	look_at_text(s, PH_FEED_TEXT_MAX);
	assert(s == NULL || strncasecmp(s, "http://", 7) == 0 || strncasecmp(s, "https://", 8) == 0);
}

static int
is_known_in(int64_t v, int64_t min, int64_t max)
{
	return v == -1 || (v >= min && v <= max);
}

static void
look_at_item(const struct ph_feed_item *i)
{
	assert(i->guid != NULL);
	look_at_text(i->guid, PH_FEED_TEXT_MAX);
	look_at_title(i->title);
	look_at_url(i->enclosure_url);
	assert(is_known_in(i->enclosure_bytes, 1, PH_FEED_BYTES_MAX));
	assert(i->enclosure_bytes == -1 || i->enclosure_url != NULL);
	assert(is_known_in(i->published_at, 0, PH_TIME_MAX));
	assert(is_known_in(i->duration_ms, 1, PH_FEED_DURATION_MAX_MS));
	assert(is_known_in(i->season, 1, PH_FEED_NUMBER_MAX));
	assert(is_known_in(i->episode, 1, PH_FEED_NUMBER_MAX));
	assert(i->type >= PH_FEED_TYPE_UNKNOWN && i->type <= PH_FEED_BONUS);
}

/* -- and back ---------------------------------------------------------------------------- */

static void
write_text(FILE *f, const char *before, const char *s, const char *after)
{
	if (s == NULL)
		return;
	fputs(before, f);
	for (; *s != '\0'; s++)
		if (strchr("<>&'\"", *s) != NULL)
			fprintf(f, "&#%d;", *s);
		else
			fputc(*s, f);
	fputs(after, f);
}

static void
write_item(FILE *f, const struct ph_feed_item *i)
{
	char at[PH_TIME_SIZE];

	write_text(f, "<item><guid>", i->guid, "</guid>");
	write_text(f, "<title>", i->title, "</title>");
	write_text(f, "<enclosure url='", i->enclosure_url, "'");
	if (i->enclosure_bytes != -1)
		fprintf(f, " length='%" PRId64 "'", i->enclosure_bytes);
	if (i->enclosure_url != NULL)
		fputs("/>", f);
	if (i->published_at != -1)
		fprintf(f, "<pubDate>%s</pubDate>", ph_time_format(at, i->published_at, 0));
	if (i->duration_ms != -1)
		fprintf(f, "<i:duration>%" PRId64 ".%03d</i:duration>", i->duration_ms / 1000,
		    (int)(i->duration_ms % 1000));
	if (i->season != -1)
		fprintf(f, "<i:season>%" PRId64 "</i:season>", i->season);
	if (i->episode != -1)
		fprintf(f, "<i:episode>%" PRId64 "</i:episode>", i->episode);
	fprintf(f, "<i:episodeType>%s</i:episodeType></item>", types[i->type]);
}

static int
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
write_and_read(const struct ph_feed *feed)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_feed	*again;
	char		*text = NULL;
	size_t		 len, i;
	FILE		*f = open_memstream(&text, &len);

	if (f == NULL)
		return;
	fputs("<rss xmlns:i='http://www.itunes.com/dtds/podcast-1.0.dtd' xmlns:p='https://podcastindex.org/namespace/1.0'"
	    " xmlns:a='http://www.w3.org/2005/Atom'><channel>", f);
	write_text(f, "<title>", feed->title, "</title>");
	write_text(f, "<link>", feed->link, "</link>");
	write_text(f, "<p:guid>", feed->podcast_guid, "</p:guid>");
	write_text(f, "<a:link rel='self' href='", feed->self_url, "'/>");
	for (i = 0; i < feed->nitems; i++)
		write_item(f, &feed->items[i]);
	fputs("</channel></rss>", f);
	if (fclose(f) != 0 || len > PH_FEED_MAX) {
		free(text);
		return;
	}
	assert(ph_feed_parse(text, len, &again, &err) == PH_OK);
	assert(same(again->title, feed->title) && same(again->link, feed->link));
	assert(same(again->podcast_guid, feed->podcast_guid) && same(again->self_url, feed->self_url));
	assert(again->nitems == feed->nitems && again->skipped == 0);	/* so no guid is there twice */
	for (i = 0; i < feed->nitems; i++) {
		const struct ph_feed_item *x = &again->items[i], *y = &feed->items[i];

		assert(same(x->guid, y->guid) && same(x->title, y->title) && same(x->enclosure_url, y->enclosure_url));
		assert(x->enclosure_bytes == y->enclosure_bytes && x->published_at == y->published_at);
		assert(x->duration_ms == y->duration_ms && x->season == y->season && x->episode == y->episode);
		assert(x->type == y->type);
	}
	ph_feed_free(again);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_feed	*feed = NULL;
	size_t		 i;

	if (ph_feed_parse((const char *)data, size, &feed, &err) != PH_OK) {
		assert(err.rc == PH_EBADREQUEST || err.rc == PH_EBODYTOOBIG);
		assert(feed == NULL && (size > PH_FEED_MAX || strncmp(err.detail, "line ", 5) == 0));
		assert(ph_utf8_is_valid(err.detail, strlen(err.detail)));
		return 0;
	}
	look_at_title(feed->title);
	look_at_url(feed->link);
	look_at_text(feed->podcast_guid, PH_FEED_TEXT_MAX);
	look_at_url(feed->self_url);
	assert(feed->nitems + feed->skipped <= PH_FEED_ITEMS_MAX);
	for (i = 0; i < feed->nitems; i++)
		look_at_item(&feed->items[i]);
	write_and_read(feed);
	ph_feed_free(feed);
	return 0;
}
