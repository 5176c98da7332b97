/*
 * check_feed.c -- podcast feeds as people write them, and as nobody should.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "domain/feed.h"
#include "unit.h"

#define ITUNES	"http://www.itunes.com/dtds/podcast-1.0.dtd"
#define PODCAST	"https://podcastindex.org/namespace/1.0"
#define ATOM	"http://www.w3.org/2005/Atom"
#define HEAD	"<rss version='2.0' xmlns:itunes='" ITUNES "' xmlns:podcast='" PODCAST "' xmlns:atom='" ATOM "'><channel>"
#define TAIL	"</channel></rss>"
#define ITEM	"<item><guid>g</guid>"

static struct ph_feed *
read_bytes(const char *text, size_t len)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_feed	*feed = NULL;
	enum ph_rc	 rc = ph_feed_parse(text, len, &feed, &err);

	ck_assert_msg(rc == PH_OK, "%s", err.detail);
	ck_assert_ptr_nonnull(feed);
	return feed;
}

static struct ph_feed *
read_feed(const char *text)
{
	return read_bytes(text, strlen(text));
}

/* A feed whose channel says this. */
static struct ph_feed *
read_channel(const char *inside)
{
	static char text[100000];

	ck_assert_int_lt(snprintf(text, sizeof(text), HEAD "%s" TAIL, inside), (int)sizeof(text));
	return read_feed(text);
}

/* A feed whose only item has the guid "g" and says this. */
static struct ph_feed *
read_item(const char *inside)
{
	static char	 text[50000];
	struct ph_feed	*feed;

	ck_assert_int_lt(snprintf(text, sizeof(text), ITEM "%s</item>", inside), (int)sizeof(text));
	feed = read_channel(text);
	ck_assert_uint_eq(feed->nitems, 1);
	ck_assert_str_eq(feed->items[0].guid, "g");
	return feed;
}

static void
refuse(const char *text, size_t len, enum ph_rc expected, const char *phrase)
{
	struct ph_err	 err = { .rc = PH_OK };
	struct ph_feed	 other, *feed = &other;

	ck_assert_int_eq(ph_feed_parse(text, len, &feed, &err), expected);
	ck_assert_int_eq(err.rc, expected);
	ck_assert_msg(strstr(err.detail, phrase) != NULL, "%s", err.detail);
	ck_assert_ptr_null(feed);
}

/* NULL equals NULL. */
static void
same(const char *is, const char *expected)
{
	if (expected == NULL)
		ck_assert_msg(is == NULL, "%s", is);
	else {
		ck_assert_msg(is != NULL, "none, not %s", expected);
		ck_assert_str_eq(is, expected);
	}
}

/* -- a whole feed --------------------------------------------------------------------- */

static const char whole[] =
	"\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<?xml-stylesheet href=\"feed.xsl\"?>\n"
	"<!-- made by hand -->\n"
	"<rss version=\"2.0\" xmlns:itunes=\"" ITUNES "\" xmlns:podcast=\"" PODCAST "\" xmlns:atom=\"" ATOM "\"\n"
	"  xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:media=\"http://search.yahoo.com/mrss/\">\n"
	"<channel>\n"
	"  <media:title>Not this</media:title>\n"
	"  <image><title>Nor this</title><url>https://example.org/i.png</url><link>https://example.org/image</link></image>\n"
	"  <title>\n    Caf\xc3\xa9 &amp;\n    Codes\n  </title>\n"
	"  <title>Nor a second one</title>\n"
	"  <atom:link rel=\"hub\" href=\"https://example.org/hub\"/>\n"
	"  <atom:link rel=\"self\" type=\"application/rss+xml\" href=\"https://example.org/feed.xml?a=1&amp;b=2\"/>\n"
	"  <link>https://example.org/</link>\n"
	"  <description>Long</description>\n"
	"  <podcast:guid>917393e3-1b1e-5cef-ace4-edaa54e1f810</podcast:guid>\n"
	"  <podcast:person><title>Nor of a person</title></podcast:person>\n"
	"  <item>\n"
	"    <title>The <b>second</b> one</title>\n"
	"    <guid isPermaLink=\"false\"> ep-2 </guid>\n"
	"    <pubDate>Sat, 22 Nov 2025 10:30:00 GMT</pubDate>\n"
	"    <itunes:duration>1:02:03</itunes:duration>\n"
	"    <enclosure url=\"https://op3.dev/e/example.org/2.mp3\" length=\"73400320\" type=\"audio/mpeg\"/>\n"
	"    <itunes:season>2</itunes:season><itunes:episode>17</itunes:episode>\n"
	"    <itunes:episodeType>bonus</itunes:episodeType>\n"
	"    <content:encoded><![CDATA[<title>no</title><p>Notes</p>]]></content:encoded>\n"
	"    <media:content><media:title>no</media:title><title>nor this</title></media:content>\n"
	"  </item>\n"
	"  <item>\n"
	"    <itunes:title>The first one</itunes:title>\n"
	"    <enclosure length=\"0\" url=\"https://example.org/1.mp3\" type=\"audio/mpeg\"/>\n"
	"  </item>\n"
	"  <item><title>Neither guid nor audio</title></item>\n"
	"  <item><title>The second one again</title><guid>ep-2</guid></item>\n"
	"</channel>\n"
	"</rss>\n";

START_TEST(a_whole_feed)
{
	struct ph_feed			*feed = read_feed(whole);
	const struct ph_feed_item	*i = feed->items;

	same(feed->title, "Caf\xc3\xa9 & Codes");
	same(feed->link, "https://example.org/");
	same(feed->podcast_guid, "917393e3-1b1e-5cef-ace4-edaa54e1f810");
	same(feed->self_url, "https://example.org/feed.xml?a=1&b=2");
	ck_assert_uint_eq(feed->nitems, 2);
	ck_assert_uint_eq(feed->skipped, 2);

	same(i->guid, "ep-2");
	same(i->title, "The second one");
	same(i->enclosure_url, "https://op3.dev/e/example.org/2.mp3");
	ck_assert_int_eq(i->enclosure_bytes, 73400320);
	ck_assert_int_eq(i->published_at, 1763807400000);
	ck_assert_int_eq(i->duration_ms, 3723000);
	ck_assert_int_eq(i->season, 2);
	ck_assert_int_eq(i->episode, 17);
	ck_assert_int_eq(i->type, PH_FEED_BONUS);

	i++;
	same(i->guid, "https://example.org/1.mp3");
	same(i->title, "The first one");
	same(i->enclosure_url, "https://example.org/1.mp3");
	ck_assert_int_eq(i->enclosure_bytes, -1);
	ck_assert_int_eq(i->published_at, -1);
	ck_assert_int_eq(i->duration_ms, -1);
	ck_assert_int_eq(i->season, -1);
	ck_assert_int_eq(i->episode, -1);
	ck_assert_int_eq(i->type, PH_FEED_TYPE_UNKNOWN);
	ph_feed_free(feed);
}
END_TEST

/* Only the last of its bytes, the line feed, may be missing. */
START_TEST(cut_anywhere)
{
	const size_t	 need = strlen(whole) - 1;
	size_t		 len;
	char		*text;

	for (len = 0; len < need; len++) {
		ck_assert_ptr_nonnull(text = malloc(len + 1));	/* of this size, so that a sanitizer sees more */
		memcpy(text, whole, len);
		refuse(text, len, PH_EBADREQUEST, "line ");
		free(text);
	}
	ph_feed_free(read_bytes(whole, need));
}
END_TEST

START_TEST(little_is_enough)
{
	struct ph_feed *feed = read_feed("<rss><channel/></rss>");

	same(feed->title, NULL);
	same(feed->link, NULL);
	same(feed->podcast_guid, NULL);
	same(feed->self_url, NULL);
	ck_assert_uint_eq(feed->nitems, 0);
	ck_assert_uint_eq(feed->skipped, 0);
	ph_feed_free(feed);
	ph_feed_free(NULL);
}
END_TEST

/* -- what an item says ------------------------------------------------------------------ */

/* Computed with date -u -d TEXT +%s; -1: unknown. */
static const struct { const char *text; int64_t at_ms; } dates[] = {
	{ "Sat, 22 Nov 2025 10:30:00 GMT", 1763807400000 }, { "Sat, 22 Nov 2025 10:30:45 UT", 1763807445000 },
	{ "22 Nov 2025 10:30:00 UTC", 1763807400000 }, { "22 Nov 2025 10:30:00 Z", 1763807400000 },
	{ "Sat, 22 Nov 2025 10:30 GMT", 1763807400000 }, { "22 Nov 25 10:30 EST", 1763825400000 },
	{ "Saturday, 22 November 2025 10:30:00 GMT", 1763807400000 }, { "sat,22 nov 2025 10:30:00 gmt", 1763807400000 },
	{ "s\xc3\xa1" "b, 22 Nov 2025 10:30:00 GMT", 1763807400000 }, { "Sat 22 Nov 2025 10:30:00 GMT", 1763807400000 },
	{ " Sat,\n 22  Nov  2025\t10:30:00   GMT ", 1763807400000 }, { "<![CDATA[22 Nov 2025 10:30:00 GMT]]>", 1763807400000 },
	{ "Sat, 22 Nov 2025 10:30:00 +0200", 1763800200000 }, { "Sat, 22 Nov 2025 10:30:00 -0530", 1763827200000 },
	{ "Sat, 22 Nov 2025 10:30:00 +02:00", 1763800200000 }, { "Sat, 22 Nov 2025 10:30:00 +02", 1763800200000 },
	{ "Sat, 22 Nov 2025 10:30:00 +2", 1763800200000 }, { "Sat, 22 Nov 2025 10:30:00+0200", 1763800200000 },
	{ "Sat, 22 Nov 2025 10:30:00 GMT+0200", 1763800200000 }, { "Sat, 22 Nov 2025 10:30:00 +530", 1763787600000 },
	{ "Sat, 22 Nov 2025 10:30:00 +0200 (Eastern Europe)", 1763800200000 },
	{ "Sat, 22 Nov 2025 10:30:00 +1400", 1763757000000 }, { "Sat, 22 Nov 2025 10:30:00 -0000", 1763807400000 },
	{ "Fri, 04 Jul 2025 08:05:09 EDT", 1751630709000 }, { "Fri, 4 Jul 2025 8:05:09 EDT", 1751630709000 },
	{ "Sat, 22 Nov 2025 10:30:00 CST", 1763829000000 }, { "Fri, 04 Jul 2025 08:05:09 CDT", 1751634309000 },
	{ "Sat, 22 Nov 2025 10:30:00 MST", 1763832600000 }, { "Fri, 04 Jul 2025 08:05:09 MDT", 1751637909000 },
	{ "Sat, 22 Nov 2025 10:30:00 PST", 1763836200000 }, { "Fri, 04 Jul 2025 08:05:09 PDT", 1751641509000 },
	{ "Sat, 22 Nov 2025 10:30:00 CET", 1763803800000 }, { "Fri, 04 Jul 2025 08:05:09 CEST", 1751609109000 },
	/* A zone that nobody knows, or none: UTC.  No time: midnight. */
	{ "Sat, 22 Nov 2025 10:30:00 A", 1763807400000 }, { "Sat, 22 Nov 2025 10:30:00 XYZTU", 1763807400000 },
	{ "Sat, 22 Nov 2025 10:30:00", 1763807400000 }, { "Sat, 22 Nov 2025", 1763769600000 },
	/* Years. */
	{ "Thu, 29 Feb 2024 23:59:59 GMT", 1709251199000 }, { "31 Dec 99 23:59 GMT", 946684740000 },
	{ "1 Jan 49 00:00 GMT", 2493072000000 }, { "22 Nov 125 10:30:00 GMT", 1763807400000 },
	{ "1 Jan 00 00:00 GMT", 946684800000 }, { "15 Jun 1995 12:00:00 GMT", 803217600000 },
	{ "1 Jan 1970 00:00:00 GMT", 0 }, { "31 Dec 9999 23:59:59 GMT", 253402300799000 },
	{ "31 Dec 2016 23:59:60 GMT", 1483228800000 },
	/* Every month. */
	{ "5 Jan 2023 01:02:03 GMT", 1672880523000 }, { "5 Feb 2023 01:02:03 GMT", 1675558923000 },
	{ "5 Mar 2023 01:02:03 GMT", 1677978123000 }, { "5 Apr 2023 01:02:03 GMT", 1680656523000 },
	{ "5 May 2023 01:02:03 GMT", 1683248523000 }, { "5 Jun 2023 01:02:03 GMT", 1685926923000 },
	{ "5 Jul 2023 01:02:03 GMT", 1688518923000 }, { "5 Aug 2023 01:02:03 GMT", 1691197323000 },
	{ "5 Sept 2023 01:02:03 GMT", 1693875723000 }, { "5 Oct 2023 01:02:03 GMT", 1696467723000 },
	{ "5 Nov 2023 01:02:03 GMT", 1699146123000 }, { "5 Dec 2023 01:02:03 GMT", 1701738123000 },
	/* ISO 8601. */
	{ "2025-11-22T10:30:00Z", 1763807400000 }, { "2025-11-22T10:30:00.25Z", 1763807400250 },
	{ "2025-11-22T10:30:00.123999+00:00", 1763807400123 }, { "2025-11-22T10:30:00+02:00", 1763800200000 },
	{ "2025-11-22 10:30:00 +0200", 1763800200000 }, { "2025-11-22t10:30z", 1763807400000 },
	{ "2025-11-22T10:30:00", 1763807400000 }, { "2025-11-22", 1763769600000 },
	/* Unknown. */
	{ "", -1 }, { "soon", -1 }, { "0", -1 }, { "1763807400", -1 }, { "1763807400000", -1 }, { "-7d", -1 },
	{ "Nov 22, 2025 10:30:00 GMT", -1 }, { "22 Nov", -1 }, { "22 Nov 5", -1 }, { "22 Nov 20255 10:30", -1 },
	{ "22 Nox 2025 10:30:00 GMT", -1 }, { "22", -1 }, { "122 Nov 2025", -1 }, { "22/11/2025", -1 },
	{ "0 Nov 2025 10:30:00 GMT", -1 }, { "31 Nov 2025 10:30:00 GMT", -1 }, { "29 Feb 2025 10:30:00 GMT", -1 },
	{ "22 Nov 2025 24:00:00 GMT", -1 }, { "22 Nov 2025 10:60:00 GMT", -1 }, { "22 Nov 2025 10:30:61 GMT", -1 },
	{ "22 Nov 2025 10 GMT", -1 }, { "22 Nov 2025 10:", -1 }, { "22 Nov 2025 10:30:", -1 },
	{ "22 Nov 2025 10:30:00.", -1 }, { "22 Nov 2025 10:30 PM", -1 }, { "22 Nov 2025 10:30 am", -1 },
	{ "22 Nov 2025 10:30:00 Europe/Berlin", -1 }, { "22 Nov 2025 10:30:00 ABCDEF", -1 }, { "22 Nov 2025 10:30:00 +", -1 },
	{ "22 Nov 2025 10:30:00 +2400", -1 }, { "22 Nov 2025 10:30:00 +0260", -1 },
	{ "22 Nov 2025 10:30:00 +02:", -1 }, { "22 Nov 2025 10:30:00 +02000", -1 },
	{ "22 Nov 2025 10:30:00 GMT x", -1 }, { "31 Dec 1969 23:59:59 GMT", -1 }, { "1 Jan 60 00:00 GMT", -1 },
	{ "31 Dec 9999 23:59:59 -0100", -1 }, { "0000-01-01", -1 }, { "2025-13-01", -1 }, { "2025-02-29", -1 },
	{ "2025-11-", -1 }, { "2025-11", -1 }, { "2025-", -1 }, { "20251122", -1 }, { "2025-W47-6", -1 },
};

START_TEST(date)
{
	char		 text[200];
	struct ph_feed	*feed;

	snprintf(text, sizeof(text), "<pubDate>%s</pubDate>", dates[_i].text);
	feed = read_item(text);
	ck_assert_msg(feed->items[0].published_at == dates[_i].at_ms, "%s: %lld", dates[_i].text,
	    (long long)feed->items[0].published_at);
	ph_feed_free(feed);
}
END_TEST

/* By hand; -1: unknown. */
static const struct { const char *text; int64_t ms; } durations[] = {
	{ "1", 1000 }, { "3723", 3723000 }, { "62:03", 3723000 }, { "1:02:03", 3723000 }, { "01:02:03", 3723000 },
	{ " 01:02:03 ", 3723000 }, { "00:00:07", 7000 }, { "1:2:3", 3723000 }, { "90:00", 5400000 },
	{ "12.5", 12500 }, { "1:02.25", 62250 }, { "1:02:03.4567", 3723456 }, { "0.001", 1 }, { "604800", 604800000 },
	{ "168:00:00", 604800000 }, { "<![CDATA[62:03]]>", 3723000 },
	{ "", -1 }, { "0", -1 }, { "00:00:00", -1 }, { "0.0009", -1 }, { "604801", -1 }, { "604800.001", -1 },
	{ "168:00:01", -1 }, { "1:60", -1 }, { "1:00:60", -1 }, { "1:60:00", -1 }, { "1:2:3:4", -1 }, { ":30", -1 },
	{ "1:", -1 }, { "1::2", -1 }, { "-5", -1 }, { "+5", -1 }, { "1.", -1 }, { ".5", -1 }, { "1.5:00", -1 },
	{ "1,5", -1 }, { "1h", -1 }, { "PT1H", -1 }, { "62:03 min", -1 }, { "9223372036854775808", -1 },
	{ "604800:59:59", -1 },
};

START_TEST(duration)
{
	char		 text[200];
	struct ph_feed	*feed;

	snprintf(text, sizeof(text), "<itunes:duration>%s</itunes:duration>", durations[_i].text);
	feed = read_item(text);
	ck_assert_msg(feed->items[0].duration_ms == durations[_i].ms, "%s: %lld", durations[_i].text,
	    (long long)feed->items[0].duration_ms);
	ph_feed_free(feed);
}
END_TEST

/* As a season or episode, and as the bytes of an enclosure; -1: unknown. */
static const struct { const char *text; int64_t number, bytes; } numbers[] = {
	{ "1", 1, 1 }, { "0", -1, -1 }, { "-1", -1, -1 }, { " 7 ", 7, 7 }, { "007", 7, 7 }, { "1000000", 1000000, 1000000 },
	{ "1000001", -1, 1000001 }, { "1099511627776", -1, 1099511627776 }, { "1099511627777", -1, -1 },
	{ "99999999999999999999", -1, -1 }, { "", -1, -1 }, { "1.5", -1, -1 }, { "12,345", -1, -1 }, { "S01", -1, -1 },
	{ "1 2", -1, -1 }, { "0x10", -1, -1 }, { "\xd9\xa3", -1, -1 },
};

START_TEST(counted)
{
	char		 text[400];
	struct ph_feed	*feed;

	snprintf(text, sizeof(text), "<itunes:season>%s</itunes:season><itunes:episode>%s</itunes:episode>"
	    "<enclosure url='http://a/b' length='%s'/>", numbers[_i].text, numbers[_i].text, numbers[_i].text);
	feed = read_item(text);
	ck_assert_int_eq(feed->items[0].season, numbers[_i].number);
	ck_assert_int_eq(feed->items[0].episode, numbers[_i].number);
	ck_assert_int_eq(feed->items[0].enclosure_bytes, numbers[_i].bytes);
	ph_feed_free(feed);
}
END_TEST

static const struct { const char *text; enum ph_feed_type type; } types[] = {
	{ "full", PH_FEED_FULL }, { "Full", PH_FEED_FULL }, { " trailer ", PH_FEED_TRAILER }, { "bonus", PH_FEED_BONUS },
	{ "", PH_FEED_TYPE_UNKNOWN }, { "fully", PH_FEED_TYPE_UNKNOWN }, { "ful", PH_FEED_TYPE_UNKNOWN },
};

START_TEST(episode_type)
{
	char		 text[200];
	struct ph_feed	*feed;

	snprintf(text, sizeof(text), "<itunes:episodeType>%s</itunes:episodeType>", types[_i].text);
	feed = read_item(text);
	ck_assert_int_eq(feed->items[0].type, types[_i].type);
	ph_feed_free(feed);
}
END_TEST

static const struct { const char *inside, *title; } titles[] = {
	{ "<title>a</title>", "a" }, { "<title>a</title><itunes:title>b</itunes:title>", "a" },
	{ "<itunes:title>b</itunes:title><title>a</title>", "a" }, { "<itunes:title>b</itunes:title>", "b" },
	{ "<title/><itunes:title>b</itunes:title>", "b" }, { "<title> </title><title>c</title>", "c" },
	{ "", NULL }, { "<title></title>", NULL }, { "<title>&#9;&#10;&#127;&#x85;&#xa0;</title>", NULL },
	{ "<Title>a</Title>", NULL }, { "<x><title>a</title></x>", NULL }, { "<title xmlns='urn:other'>a</title>", NULL },
	/* Entities, which are decoded once. */
	{ "<title>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;</title>", "<>&\"'AB" }, { "<title>&amp;amp;</title>", "&amp;" },
	{ "<title>&#x1F600;&#8364;&#233;</title>", "\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa9" },
	/* CDATA sections, markup, comments, instructions. */
	{ "<title><![CDATA[a & <b>b</b> &amp;]]></title>", "a & <b>b</b> &amp;" },
	{ "<title>a<![CDATA[b]]>c<![CDATA[]]>d</title>", "abcd" }, { "<title>a <b>b <i>c</i></b> d</title>", "a b c d" },
	{ "<title>a<title>b</title>c</title>", "abc" }, { "<title>a<!-- x -->b<?x y?>c</title>", "abc" },
	{ "<title>a<item>b</item><guid>c</guid>d</title>", "abcd" },
	/* Spaces and controls. */
	{ "<title>\n\t a \t\r\n b&#160;&#160;c&#10;</title>", "a b c" }, { "<title>a&#127;b&#x80;c&#x9f;d</title>", "a b c d" },
	{ "<title>a&#x200b;b&#xa1;</title>", "a\xe2\x80\x8b" "b\xc2\xa1" },
};

START_TEST(title)
{
	struct ph_feed *feed = read_item(titles[_i].inside);

	same(feed->items[0].title, titles[_i].title);
	ph_feed_free(feed);
}
END_TEST

/* A guid keeps the spaces inside it; without one, or with one that is empty, it is the enclosure. */
static const struct { const char *inside, *guid, *url; int64_t bytes; } ids[] = {
	{ "<guid> a  b </guid>", "a  b", NULL, -1 }, { "<guid>a\nb&#160;c</guid>", "a b\xc2\xa0" "c", NULL, -1 },
	{ "<guid/><guid>b</guid>", "b", NULL, -1 },
	{ "<enclosure url='http://a/b' length='5'/>", "http://a/b", "http://a/b", 5 },
	{ "<guid> </guid><enclosure url=' HTTPS://a/b c '/>", "HTTPS://a/b c", "HTTPS://a/b c", -1 },
	{ "<guid>g</guid><enclosure url='ftp://a/b' length='5'/>", "g", NULL, -1 },
	{ "<guid>g</guid><enclosure url='javascript:alert(1)'/>", "g", NULL, -1 },
	{ "<guid>g</guid><enclosure url='/b.mp3'/>", "g", NULL, -1 }, { "<guid>g</guid><enclosure length='5'/>", "g", NULL, -1 },
	{ "<guid>g</guid><enclosure url='http://a/b'/><enclosure url='http://a/c' length='5'/>", "g", "http://a/b", -1 },
	{ "<guid>g</guid><enclosure url='x:y' length='4'/><enclosure url='http://a/c' length='5'/>", "g", "http://a/c", 5 },
};

START_TEST(identity)
{
	char		 text[400];
	struct ph_feed	*feed;

	snprintf(text, sizeof(text), "<item>%s</item>", ids[_i].inside);
	feed = read_channel(text);
	ck_assert_uint_eq(feed->nitems, 1);
	same(feed->items[0].guid, ids[_i].guid);
	same(feed->items[0].enclosure_url, ids[_i].url);
	ck_assert_int_eq(feed->items[0].enclosure_bytes, ids[_i].bytes);
	ph_feed_free(feed);
}
END_TEST

/* What an item does not say it does not have from the one before. */
START_TEST(items_share_nothing)
{
	struct ph_feed *feed = read_channel("<title>t</title><item><guid>1</guid><title>a</title><itunes:season>3</itunes:season>"
	    "<enclosure url='http://a/1' length='9'/></item><item><guid>2</guid></item><guid>no</guid>"
	    "<item><title>none</title></item><item/><item><guid>1</guid></item>");

	ck_assert_uint_eq(feed->nitems, 2);
	ck_assert_uint_eq(feed->skipped, 3);
	same(feed->items[1].guid, "2");
	same(feed->items[1].title, NULL);
	same(feed->items[1].enclosure_url, NULL);
	ck_assert_int_eq(feed->items[1].enclosure_bytes, -1);
	ck_assert_int_eq(feed->items[1].season, -1);
	same(feed->title, "t");
	ph_feed_free(feed);
}
END_TEST

/* -- namespaces and encodings ------------------------------------------------------------- */

/* Every one says the same. */
static const char *const spaces[] = {
	HEAD "<atom:link rel='self' href='http://f'/><podcast:guid>p</podcast:guid>"
	    "<item><guid>g</guid><itunes:season>4</itunes:season></item>" TAIL,
	"<rss xmlns:a='" ITUNES "' xmlns:itunes='" PODCAST "' xmlns:podcast='" ATOM "'><channel>"
	    "<podcast:link rel='self' href='http://f'/><itunes:guid>p</itunes:guid>"
	    "<item><guid>g</guid><a:season>4</a:season></item>" TAIL,
	"<rss><channel><link xmlns='" ATOM "' href='http://f' rel='self'/><guid xmlns='" PODCAST "'>p</guid>"
	    "<item><guid>g</guid><season xmlns='" ITUNES "'>4</season></item>" TAIL,
	"<r:rss xmlns:r='http://backend.userland.com/rss2' xmlns:i='http://www.itunes.com/DTDs/Podcast-1.0.dtd'"
	    " xmlns:p='https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md'>"
	    "<r:channel><a:link xmlns:a='" ATOM "' rel='self' href='http://f'/><p:guid>p</p:guid>"
	    "<r:item><r:guid>g</r:guid><i:season>4</i:season></r:item></r:channel></r:rss>",
	"<rss xmlns='http://blogs.law.harvard.edu/tech/rss' xmlns:i='" ITUNES "' xmlns:p='" PODCAST "' xmlns:a='" ATOM
	    "'><channel><a:link rel='SELF' href='http://f'/><p:guid>p</p:guid><item><guid>g</guid><i:season>4</i:season>"
	    "</item>" TAIL,
};

START_TEST(namespaces)
{
	struct ph_feed *feed = read_feed(spaces[_i]);

	same(feed->self_url, "http://f");
	same(feed->podcast_guid, "p");
	ck_assert_uint_eq(feed->nitems, 1);
	same(feed->items[0].guid, "g");
	ck_assert_int_eq(feed->items[0].season, 4);
	ph_feed_free(feed);
}
END_TEST

/* Known prefixes of other namespaces, known names without theirs, known URIs with more. */
START_TEST(foreign_names)
{
	struct ph_feed *feed = read_feed("<rss xmlns:itunes='urn:x' xmlns:podcast='" PODCAST "/' xmlns:atom='" ITUNES "'>"
	    "<channel><atom:link rel='self' href='http://f'/><link rel='self' href='http://f'/><podcast:guid>p</podcast:guid>"
	    "<link>mailto:a@b</link><item xmlns='urn:y'><guid>1</guid></item>"
	    "<item><guid>g</guid><itunes:season>4</itunes:season><season>4</season></item>" TAIL);

	same(feed->self_url, NULL);
	same(feed->podcast_guid, NULL);
	same(feed->link, NULL);
	ck_assert_uint_eq(feed->nitems, 1);
	ck_assert_uint_eq(feed->skipped, 0);
	ck_assert_int_eq(feed->items[0].season, -1);
	ph_feed_free(feed);
}
END_TEST

/* "Ä€" or, where there is no Euro, "Ä", as the title. */
static const struct { const char *bytes; size_t len; const char *title; } encodings[] = {
#define BYTES(s) (s), sizeof(s) - 1
	{ BYTES("<rss><channel><title>\xc3\x84\xe2\x82\xac</title></channel></rss>"), "\xc3\x84\xe2\x82\xac" },
	{ BYTES("\xef\xbb\xbf<rss><channel><title>\xc3\x84\xe2\x82\xac</title></channel></rss>"), "\xc3\x84\xe2\x82\xac" },
	{ BYTES("<?xml version='1.0' encoding='iso-8859-1'?><rss><channel><title>\xc4</title></channel></rss>"), "\xc3\x84" },
	{ BYTES("<?xml version='1.0' encoding='ISO-8859-1'?><rss><channel><title>\x80\xc4\x92</title></channel></rss>"),
	    "\xc3\x84" },
	{ BYTES("<?xml version='1.0' encoding='US-ASCII'?><rss><channel><title>&#196;</title></channel></rss>"), "\xc3\x84" },
	{ BYTES("\xff\xfe<\0r\0s\0s\0>\0<\0c\0h\0a\0n\0n\0e\0l\0>\0<\0t\0i\0t\0l\0e\0>\0\xc4\0\xac\x20<\0/\0t\0i\0t\0l\0e\0>\0"
	    "<\0/\0c\0h\0a\0n\0n\0e\0l\0>\0<\0/\0r\0s\0s\0>\0"), "\xc3\x84\xe2\x82\xac" },
	{ BYTES("\xfe\xff\0<\0r\0s\0s\0>\0<\0c\0h\0a\0n\0n\0e\0l\0>\0<\0t\0i\0t\0l\0e\0>\0\xc4\x20\xac\0<\0/\0t\0i\0t\0l\0e\0>"
	    "\0<\0/\0c\0h\0a\0n\0n\0e\0l\0>\0<\0/\0r\0s\0s\0>"), "\xc3\x84\xe2\x82\xac" },
};

START_TEST(encoding)
{
	struct ph_feed *feed = read_bytes(encodings[_i].bytes, encodings[_i].len);

	same(feed->title, encodings[_i].title);
	ph_feed_free(feed);
}
END_TEST

/* -- what is refused -------------------------------------------------------------------------- */

#define LAUGHS	"<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>"
static const struct { const char *bytes; size_t len; const char *phrase; } broken[] = {
	/* Not RSS. */
	{ BYTES("<feed xmlns='" ATOM "'/>"), "line 1: an Atom feed" },
	{ BYTES("<!DOCTYPE html>\n<html><head/></html>"), "line 1: a page of HTML" },
	{ BYTES("<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'x.dtd'><html/>"), "line 1: a page of HTML" },
	{ BYTES("<HTML lang='en'><p>"), "line 1: a page of HTML" },
	{ BYTES("<html xmlns='http://www.w3.org/1999/xhtml'/>"), "line 1: a page of HTML" },
	{ BYTES("\n<opml/>"), "line 2: the root element is not <rss>" },
	{ BYTES("<channel><item><guid>g</guid></item></channel>"), "line 1: the root element is not <rss>" },
	{ BYTES("<rss xmlns='urn:x'><channel/></rss>"), "line 1: the root element is not <rss>" },
	{ BYTES("<rss>\n\n</rss>"), "line 3: the feed has no <channel>" },
	{ BYTES("<rss><item/></rss>"), "line 1: the feed has no <channel>" },
	{ BYTES("<rss><channel/>\n<channel/></rss>"), "line 2: a second <channel>" },
	/* Not XML. */
	{ BYTES(""), "line 1: the feed ends before it is complete" }, { BYTES(" \r\n \n"), "line 3: the feed ends" },
	{ BYTES("<rss>\n<channel>\n<item>\n<title>a"), "line 4: the feed ends" },
	{ BYTES("<rss>\n<channel>\n<item>\n<title>a</tit"), "line 4: the feed ends" },
	{ BYTES("<rss>\n<channel>\n<title><![CDATA[a"), "line 3: the feed ends" },
	{ BYTES("<rss>\n<channel>\n<title>\xe2\x82"), "line 3: the feed ends" },
	{ BYTES("{\"rss\": 1}"), "line 1: cannot be read as XML" }, { BYTES("rss"), "line 1: cannot be read as XML" },
	{ BYTES("<rss>\n<channel>\n</item>\n</rss>"), "line 3: cannot be read as XML: mismatched tag" },
	{ BYTES("\n\n<rss>\n<channel>&</channel></rss>"), "line 4: cannot be read as XML" },
	{ BYTES("<rss><channel/></rss><rss/>"), "line 1: cannot be read as XML" },
	{ BYTES("<rss><channel><itunes:title/></channel></rss>"), "unbound prefix" },
	{ BYTES("<rss a='1' a='2'><channel/></rss>"), "duplicate attribute" },
	{ BYTES("<rss><channel><title>\x01</title></channel></rss>"), "line 1: cannot be read as XML" },
	{ BYTES("<rss><channel><title>\0</title></channel></rss>"), "line 1: cannot be read as XML" },
	{ BYTES("<rss><channel><title>&#0;</title></channel></rss>"), "line 1: cannot be read as XML" },
	{ BYTES("<rss><channel><title>&#xd800;</title></channel></rss>"), "line 1: cannot be read as XML" },
	{ BYTES("<rss xmlns:a='urn:x&#10;y'><channel/></rss>"), "line 1: cannot be read as XML" },
	/* Encodings. */
	{ BYTES("<rss><channel><title>\xc4</title></channel></rss>"), "line 1: cannot be read as XML" },
	{ BYTES("<rss><channel><title>\xed\xa0\x80</title></channel></rss>"), "line 1: cannot be read as XML" },
	{ BYTES("<?xml version='1.0' encoding='windows-1252'?><rss><channel/></rss>"), "unknown encoding" },
	{ BYTES("<?xml version='1.0' encoding='UTF-16'?><rss><channel/></rss>"), "encoding" },
	/* Declarations, and entities without one. */
	{ BYTES("<!DOCTYPE rss [" LAUGHS "]>\n<rss><channel><title>&c;</title></channel></rss>"), "line 1: a DOCTYPE" },
	{ BYTES("<?xml version='1.0'?>\n<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n"
	    "<rss><channel><title>&x;</title></channel></rss>"), "line 2: a DOCTYPE" },
	{ BYTES("<!DOCTYPE rss [<!ENTITY % x SYSTEM 'http://127.0.0.1/'> %x;]><rss><channel/></rss>"), "line 1: a DOCTYPE" },
	{ BYTES("<!DOCTYPE rss []><rss><channel/></rss>"), "line 1: a DOCTYPE" },
	{ BYTES("<!DOCTYPE rss SYSTEM 'rss.dtd'><rss><channel><title>&eacute;</title></channel></rss>"), "line 1: a DOCTYPE" },
	{ BYTES("<!DOCTYPE rss PUBLIC '-//Netscape Communications//DTD RSS 0.91//EN' 'x'><rss><channel/></rss>"),
	    "line 1: a DOCTYPE" },
	{ BYTES("<!DOCTYPE rss>\n<rss><channel><title>&nbsp;</title></channel></rss>"), "line 2: cannot be read as XML: undefined" },
	{ BYTES("<rss><channel><title>&a;</title></channel></rss>"), "undefined entity" },
	{ BYTES("<rss><channel><item><enclosure url='http://a/&a;'/></item></channel></rss>"), "undefined entity" },
};

START_TEST(refused)
{
	refuse(broken[_i].bytes, broken[_i].len, PH_EBADREQUEST, broken[_i].phrase);
}
END_TEST

START_TEST(a_bare_doctype_is_harmless)
{
	ph_feed_free(read_feed("<!DOCTYPE rss><rss><channel/></rss>"));
}
END_TEST

/* -- limits --------------------------------------------------------------------------------------- */

/* Text that is repeated between two others, n bytes in all. */
struct text {
	char	*bytes;
	size_t	 len;
};

static struct text
repeat(const char *before, const char *middle, size_t count, const char *after)
{
	const size_t	size = strlen(before) + strlen(middle) * count + strlen(after) + 1, each = strlen(middle);
	struct text	t = { .bytes = malloc(size) };

	ck_assert_ptr_nonnull(t.bytes);
	t.len = (size_t)snprintf(t.bytes, size, "%s", before);
	for (; count > 0; count--, t.len += each)
		memcpy(t.bytes + t.len, middle, each);
	t.len += (size_t)snprintf(t.bytes + t.len, size - t.len, "%s", after);
	return t;
}

static void
accept_text(struct text t)
{
	ph_feed_free(read_bytes(t.bytes, t.len));
	free(t.bytes);
}

static void
refuse_text(struct text t, enum ph_rc rc, const char *phrase)
{
	refuse(t.bytes, t.len, rc, phrase);
	free(t.bytes);
}

START_TEST(bytes)
{
	const size_t rest = PH_FEED_MAX - strlen(HEAD TAIL);

	accept_text(repeat(HEAD, " ", rest - 1, TAIL));
	accept_text(repeat(HEAD, " ", rest, TAIL));
	refuse_text(repeat(HEAD, " ", rest + 1, TAIL), PH_EBODYTOOBIG, "more than 16777216 bytes");
	accept_text(repeat(HEAD "<description><![CDATA[", "<p>", (rest - 100) / 3, "]]></description>" TAIL));
}
END_TEST

START_TEST(depth)
{
	char	after[PH_FEED_DEPTH_MAX * 4 + 100];
	int	i, n;

	/* rss, channel, title, and so many more */
	for (i = 0; i <= PH_FEED_DEPTH_MAX - 3; i++) {
		n = i * 4;
		snprintf(after + n, sizeof(after) - (size_t)n, "</b></title>%s", TAIL);
		if (i >= PH_FEED_DEPTH_MAX - 5 && i < PH_FEED_DEPTH_MAX - 3)
			accept_text(repeat(HEAD "<title>", "<b>", (size_t)i + 1, after));
		snprintf(after + n, sizeof(after) - (size_t)n, "</b>");
	}
	refuse_text(repeat(HEAD "<title>", "<b>", PH_FEED_DEPTH_MAX - 2, ""), PH_EBADREQUEST,
	    "line 1: more than 64 elements inside each other");
	refuse_text(repeat("", "<rss>", 1000000, ""), PH_EBADREQUEST, "line 1: more than 64 elements inside each other");
}
END_TEST

START_TEST(items)
{
	struct ph_feed	*feed;
	struct text	 t = repeat(HEAD "\n", ITEM "</item>\n", PH_FEED_ITEMS_MAX - 1, "<item/>" TAIL);

	feed = read_bytes(t.bytes, t.len);
	ck_assert_uint_eq(feed->nitems, 1);
	ck_assert_uint_eq(feed->skipped, PH_FEED_ITEMS_MAX - 1);
	ph_feed_free(feed);
	free(t.bytes);
	accept_text(repeat(HEAD "\n", ITEM "</item>\n", PH_FEED_ITEMS_MAX - 1, TAIL));
	refuse_text(repeat(HEAD "\n", ITEM "</item>\n", PH_FEED_ITEMS_MAX, "<item/>" TAIL), PH_EBODYTOOBIG,
	    "line 5002: more than 5000 items");
}
END_TEST

/* Also where one piece of the text ends and the next begins, in the middle of a character. */
START_TEST(many_items_stay_apart)
{
#define EUROS	"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
	enum { ITEM_SIZE = 300 };
	const size_t	 size = (size_t)PH_FEED_ITEMS_MAX * ITEM_SIZE + 1000;
	char		*text = malloc(size), expected[200];
	struct ph_feed	*feed;
	size_t		 len;
	int		 i;

	ck_assert_ptr_nonnull(text);
	len = (size_t)snprintf(text, size, HEAD);
	for (i = 0; i < PH_FEED_ITEMS_MAX; i++)
		len += (size_t)snprintf(text + len, size - len, "<item><guid>g%d</guid><title>" EUROS EUROS EUROS "%d</title>"
		    "<itunes:episode>%d</itunes:episode><enclosure url='https://a/%d'/></item>", i, i, i + 1, i);
	len += (size_t)snprintf(text + len, size - len, TAIL);
	feed = read_bytes(text, len);
	ck_assert_uint_eq(feed->nitems, PH_FEED_ITEMS_MAX);
	for (i = 0; i < PH_FEED_ITEMS_MAX; i++) {
		snprintf(expected, sizeof(expected), "g%d", i);
		same(feed->items[i].guid, expected);
		snprintf(expected, sizeof(expected), EUROS EUROS EUROS "%d", i);
		same(feed->items[i].title, expected);
		snprintf(expected, sizeof(expected), "https://a/%d", i);
		same(feed->items[i].enclosure_url, expected);
		ck_assert_int_eq(feed->items[i].episode, i + 1);
	}
	ph_feed_free(feed);
	free(text);
}
END_TEST

/* HEAD has two elements, an attribute and three declarations. */
START_TEST(parts)
{
	const size_t n = PH_FEED_PARTS_MAX - 6;

	accept_text(repeat(HEAD, "<a/>", n - 1, TAIL));
	accept_text(repeat(HEAD, "<a/>", n, TAIL));
	refuse_text(repeat(HEAD, "<a/>", n + 1, TAIL), PH_EBODYTOOBIG, "more than 500000 elements and attributes");
	accept_text(repeat(HEAD, "<a b='' c='' xmlns='d'/>", n / 4, TAIL));
	refuse_text(repeat(HEAD, "<a b='' c='' xmlns='d'/>", n / 4 + 1, TAIL), PH_EBODYTOOBIG, "more than 500000");
}
END_TEST

START_TEST(tags)
{
	accept_text(repeat(HEAD "<a b='", "x", PH_FEED_TAG_MAX - 8, "'/>" TAIL));
	refuse_text(repeat(HEAD "\n<a b='", "x", PH_FEED_TAG_MAX * 3, "'/>" TAIL), PH_EBODYTOOBIG,
	    "line 2: a tag of more than 262144 bytes");
	refuse_text(repeat(HEAD "<a b='", "x", PH_FEED_MAX - 1000, ""), PH_EBODYTOOBIG, "a tag of more than");
	accept_text(repeat(HEAD "<!--", "x", PH_FEED_TAG_MAX - 8, "-->" TAIL));
	refuse_text(repeat("<!--", "x", PH_FEED_TAG_MAX * 3, "--><rss><channel/></rss>"), PH_EBODYTOOBIG, "a tag of more than");
}
END_TEST

/* Titles are cut between characters, and never end with a space. */
static const struct { const char *after; size_t count, len; } long_titles[] = {
	{ "", PH_FEED_TITLE_MAX - 1, PH_FEED_TITLE_MAX - 1 }, { "", PH_FEED_TITLE_MAX, PH_FEED_TITLE_MAX },
	{ "", PH_FEED_TITLE_MAX + 1, PH_FEED_TITLE_MAX }, { "", 20000, PH_FEED_TITLE_MAX },
	{ "\xc3\xa9", PH_FEED_TITLE_MAX - 2, PH_FEED_TITLE_MAX }, { "\xc3\xa9x", PH_FEED_TITLE_MAX - 1, PH_FEED_TITLE_MAX - 1 },
	{ "\xf0\x9f\x98\x80", PH_FEED_TITLE_MAX - 3, PH_FEED_TITLE_MAX - 3 },
	{ " y", PH_FEED_TITLE_MAX - 1, PH_FEED_TITLE_MAX - 1 }, { " y", PH_FEED_TITLE_MAX - 2, PH_FEED_TITLE_MAX },
};

START_TEST(long_title)
{
	struct text	 t = repeat("<title>", "x", long_titles[_i].count, long_titles[_i].after), item;
	struct ph_feed	*feed;

	item = repeat(t.bytes, "\n ", 3000, "</title>");
	feed = read_item(item.bytes);
	ck_assert_uint_eq(strlen(feed->items[0].title), long_titles[_i].len);
	ck_assert(ph_utf8_is_valid(feed->items[0].title, long_titles[_i].len));
	ck_assert(feed->items[0].title[long_titles[_i].len - 1] != ' ');
	ph_feed_free(feed);
	free(item.bytes);
	free(t.bytes);
}
END_TEST

/* An address that is cut would be another one. */
START_TEST(long_texts)
{
	const struct { size_t len; int is_known; } lengths[] = {
		{ PH_FEED_TEXT_MAX - 1, 1 }, { PH_FEED_TEXT_MAX, 1 }, { PH_FEED_TEXT_MAX + 1, 0 }, { 20000, 0 },
	};
	struct text	 t, u;
	struct ph_feed	*feed;
	size_t		 i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		t = repeat("<enclosure length='5' url='http://", "u", lengths[i].len - strlen("http://"), "'/>");
		feed = read_item(t.bytes);
		ck_assert_int_eq(feed->items[0].enclosure_url != NULL, lengths[i].is_known);
		ck_assert_int_eq(feed->items[0].enclosure_bytes, lengths[i].is_known ? 5 : -1);
		ph_feed_free(feed);
		free(t.bytes);

		t = repeat("<item><guid>", "g", lengths[i].len, "</guid>");
		u = repeat(t.bytes, " ", 3000, "<enclosure url='http://a'/></item>");
		feed = read_channel(u.bytes);
		if (lengths[i].is_known)
			ck_assert_uint_eq(strlen(feed->items[0].guid), lengths[i].len);
		else
			same(feed->items[0].guid, "http://a");
		ph_feed_free(feed);
		free(t.bytes);
		free(u.bytes);
	}
	t = repeat("<item><guid>a", " ", PH_FEED_TEXT_MAX, "b</guid></item>");
	feed = read_channel(t.bytes);
	ck_assert_uint_eq(feed->skipped, 1);
	ph_feed_free(feed);
	free(t.bytes);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

int
main(void)
{
	Suite	*suite = suite_create("feed");
	TCase	*tc = tcase_create("feed");

	tcase_set_timeout(tc, 60);		/* under sanitizers */
	tcase_add_test(tc, a_whole_feed);
	tcase_add_test(tc, cut_anywhere);
	tcase_add_test(tc, little_is_enough);
	tcase_add_loop_test(tc, date, 0, COUNT(dates));
	tcase_add_loop_test(tc, duration, 0, COUNT(durations));
	tcase_add_loop_test(tc, counted, 0, COUNT(numbers));
	tcase_add_loop_test(tc, episode_type, 0, COUNT(types));
	tcase_add_loop_test(tc, title, 0, COUNT(titles));
	tcase_add_loop_test(tc, identity, 0, COUNT(ids));
	tcase_add_test(tc, items_share_nothing);
	tcase_add_loop_test(tc, namespaces, 0, COUNT(spaces));
	tcase_add_test(tc, foreign_names);
	tcase_add_loop_test(tc, encoding, 0, COUNT(encodings));
	tcase_add_loop_test(tc, refused, 0, COUNT(broken));
	tcase_add_test(tc, a_bare_doctype_is_harmless);
	tcase_add_test(tc, bytes);
	tcase_add_test(tc, depth);
	tcase_add_test(tc, items);
	tcase_add_test(tc, many_items_stay_apart);
	tcase_add_test(tc, parts);
	tcase_add_test(tc, tags);
	tcase_add_loop_test(tc, long_title, 0, COUNT(long_titles));
	tcase_add_test(tc, long_texts);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
