/*
 * chart-distribution.c -- a histogram with bins of equal width, from counters that triggers keep.
 *
 * Scores are counted in hundredths and durations in seconds, so edges lie on these and counts
 * are exact.
 */
#include "autoconf.h"

#include "domain/chart.h"

enum { BINS_MAX = 100, SCORE_MAX = 100 };	/* hundredths */
enum { SECOND_MS = 1000, SCORE_PLACES = 2 };

/* A row per hundredth, or per second that some clip lasts. */
static const char sql_clips[] =
	"SELECT bucket, n FROM clip_bins WHERE measure = $1 AND n > 0 ORDER BY bucket";

/* The ends of the tree's finest level. */
static const char sql_shortest[] =
	"SELECT bucket FROM proc_counts WHERE shift = 0 AND n > 0 ORDER BY bucket LIMIT 1";
static const char sql_longest[] =
	"SELECT bucket FROM proc_counts WHERE shift = 0 AND n > 0 ORDER BY bucket DESC LIMIT 1";
/* Times below $1: whole buckets of each level, at most 1024 of the two finer ones. */
static const char sql_shorter[] =
	"SELECT (SELECT coalesce(sum(n), 0) FROM proc_counts WHERE shift = 20 AND bucket < $1 >> 20)"
	" + (SELECT coalesce(sum(n), 0) FROM proc_counts WHERE shift = 10"
	" AND bucket >= $1 >> 20 << 10 AND bucket < $1 >> 10)"
	" + (SELECT coalesce(sum(n), 0) FROM proc_counts WHERE shift = 0"
	" AND bucket >= $1 >> 10 << 10 AND bucket < $1)";

enum measure { CLIP_SCORE, CLIP_DURATION, PROCESSING_TIME };
static const char *const measures[] = {
	[CLIP_SCORE] = "clip_score", [CLIP_DURATION] = "clip_duration",
	[PROCESSING_TIME] = "processing_time", NULL
};

enum { P_OF = PH_CHART_NPARAMS, P_BINS, P__MAX };
static const struct ph_param params[P__MAX] = {
	PH_CHART_PARAMS,
	[P_OF] = { .name = "of", .type = PH_P_CHOICE, .choices = measures, .is_required = 1,
	    .text = "clip_score: visual_score of the clips that have one. clip_duration: of all clips, in "
		"ms. processing_time: published_at - requested_at of success logs where it is not "
		"negative, in ms." },
	[P_BINS] = { .name = "bins", .type = PH_P_INT, .min = 1, .max = BINS_MAX, .dflt = 10,
	    .text = "Number of bins." },
};

enum { F_BINS, F_COUNTS, F_TOTAL, F__MAX };
static const struct ph_field fields[F__MAX] = {
	[F_BINS] = { .name = "bins", .type = PH_ARRAY,
	    .text = "Edges of the bins, one more than there are bins. A bin holds what is at or above its "
		"first edge and below the next; the last one of clip_score holds 1.0, too." },
	[F_COUNTS] = { .name = "counts", .type = PH_ARRAY, .text = "How many there are in each bin." },
	[F_TOTAL] = { .name = "total", .text = "How many there are." },
};

struct histogram {
	enum measure	of;
	int64_t		nbins;
	int64_t		edges[BINS_MAX + 1];
	int64_t		counts[BINS_MAX];
};

/* Equal bins that hold first to last; the same narrow bins if first > last, for there is nothing. */
static void
set_edges(struct histogram *h, int64_t first, int64_t last)
{
	const int64_t	width = first > last ? 1 : (last - first + h->nbins) / h->nbins;
	int64_t		i;

	for (i = 0; i <= h->nbins; i++)
		h->edges[i] = (first > last ? 0 : first) + i * width;
}

/* The first integer of a statement without parameters; untouched if there is no row. */
static enum ph_rc
first_int(struct ph_db *db, const char *sql, int64_t *value, struct ph_err *err)
{
	struct ph_stmt	*st;
	enum ph_rc	 rc;

	if ((rc = ph_db_prepare(db, sql, &st, err)) != PH_OK)
		return rc;
	if ((rc = ph_stmt_step(st, err)) == PH_ROW)
		*value = ph_stmt_int(st, 0);
	ph_stmt_done(st);
	return rc == PH_ROW || rc == PH_DONE ? PH_OK : rc;
}

static enum ph_rc
read_processing(struct ph_db *db, struct histogram *h, struct ph_err *err)
{
	int64_t		 first = 0, last = -1, below = 0, n;
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int64_t		 i;

	if ((rc = first_int(db, sql_shortest, &first, err)) != PH_OK ||
	    (rc = first_int(db, sql_longest, &last, err)) != PH_OK)
		return rc;
	set_edges(h, first, last);
	for (i = 0; i < h->nbins; i++, below = n) {
		if ((rc = ph_db_prepare(db, sql_shorter, &st, err)) != PH_OK)
			return rc;
		ph_stmt_bind_int(st, 1, h->edges[i + 1]);
		if ((rc = ph_stmt_step(st, err)) != PH_ROW) {
			ph_stmt_done(st);
			return rc;
		}
		n = ph_stmt_int(st, 0);
		ph_stmt_done(st);
		h->counts[i] = n - below;
	}
	return PH_OK;
}

/* Two walks: one for the ends, one to count. */
static enum ph_rc
read_clips(struct ph_db *db, const char *measure, struct histogram *h, int has_edges, struct ph_err *err)
{
	int64_t		 first = 0, last = -1, bucket, i = 0;
	struct ph_stmt	*st;
	enum ph_rc	 rc;
	int		 pass;

	for (pass = has_edges; pass < 2; pass++) {
		if ((rc = ph_db_prepare(db, sql_clips, &st, err)) != PH_OK)
			return rc;
		ph_stmt_bind_text(st, 1, measure);
		while ((rc = ph_stmt_step(st, err)) == PH_ROW) {
			bucket = ph_stmt_int(st, 0);
			if (pass == 0) {
				first = last < 0 ? bucket : first;
				last = bucket;
				continue;
			}
			while (i < h->nbins - 1 && bucket >= h->edges[i + 1])
				i++;
			h->counts[i] += ph_stmt_int(st, 1);
		}
		ph_stmt_done(st);
		if (rc != PH_DONE)
			return rc;
		if (pass == 0)
			set_edges(h, first, last);
	}
	return PH_OK;
}

static enum ph_rc
read_histogram(const struct ph_chart_query *q, struct histogram *h, struct ph_err *err)
{
	int64_t i;

	*h = (struct histogram){ .of = (enum measure)q->args->values[P_OF].num, .nbins = q->args->values[P_BINS].num };
	if (h->of == CLIP_SCORE)
		for (i = 0; i <= h->nbins; i++)
			h->edges[i] = (SCORE_MAX * i + h->nbins / 2) / h->nbins;
	return h->of == PROCESSING_TIME ? read_processing(q->db, h, err) :
	    read_clips(q->db, h->of == CLIP_SCORE ? "score" : "duration", h, h->of == CLIP_SCORE, err);
}

/* An edge as it is shown: hundredths of a score, or ms. */
static struct ph_value
edge(const struct histogram *h, int64_t i)
{
	return h->of == CLIP_SCORE ? ph_v_ratio(h->edges[i], SCORE_MAX) :
	    ph_v_int(h->edges[i] * (h->of == CLIP_DURATION ? SECOND_MS : 1));
}

static enum ph_rc
distribution_write(const struct ph_chart_query *q, struct ph_json *out, struct ph_err *err)
{
	struct histogram	h;
	struct ph_value		v[F__MAX] = { 0 };
	const enum ph_rc	rc = read_histogram(q, &h, err);
	int64_t			i, total = 0;

	if (rc != PH_OK)
		return rc;
	ph_json_arr_open(out, fields[F_BINS].name);
	for (i = 0; i <= h.nbins; i++)
		if (h.of == CLIP_SCORE)
			ph_json_decimal(out, NULL, h.edges[i], SCORE_MAX, SCORE_PLACES);
		else
			ph_json_int(out, NULL, (int64_t)edge(&h, i).num);
	ph_json_close(out);
	ph_json_arr_open(out, fields[F_COUNTS].name);
	for (i = 0; i < h.nbins; i++) {
		ph_json_int(out, NULL, h.counts[i]);
		total += h.counts[i];
	}
	ph_json_close(out);
	v[F_TOTAL] = ph_v_int(total);
	ph_json_fields(out, fields, v, F__MAX);
	return PH_OK;
}

/* A row per bin. */
static enum ph_rc
distribution_rows(const struct ph_chart_query *q, struct ph_chart_sheet *sheet, struct ph_err *err)
{
	enum { C_FROM, C_TO, C_COUNT, C__MAX };
	static struct ph_field	columns[C__MAX];
	struct ph_value		row[C__MAX];
	struct histogram	h;
	enum ph_rc		rc;
	int64_t			i;

	if ((rc = read_histogram(q, &h, err)) != PH_OK)
		return rc;
	columns[C_FROM] = (struct ph_field){ .name = "from", .type = h.of == CLIP_SCORE ? PH_DECIMAL : PH_INTEGER,
		.places = SCORE_PLACES };
	columns[C_TO] = columns[C_FROM];
	columns[C_TO].name = "to";
	columns[C_COUNT] = (struct ph_field){ .name = "count" };
	rc = ph_chart_columns(sheet, columns, C__MAX, err);
	for (i = 0; i < h.nbins && rc == PH_OK; i++) {
		row[C_FROM] = edge(&h, i);
		row[C_TO] = edge(&h, i + 1);
		row[C_COUNT] = ph_v_int(h.counts[i]);
		rc = ph_chart_row(sheet, row, err);
	}
	return rc;
}

const struct ph_chart ph_chart_distribution = {
	.name = "distribution", .params = params, .nparams = P__MAX, .fields = fields, .nfields = F__MAX,
	.write = distribution_write, .rows = distribution_rows,
};
