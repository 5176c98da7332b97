/*
 * fuzz_op3.c -- what OP3 might answer: a whole figure, or none.
 *
 * The first byte of an input says to which question; the rest is the answer, which takes the place of the network.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/config.h"
#include "fuzz.h"
#include "net/op3.h"

#define UUID "a1b2c3d4e5f60718293a4b5c6d7e8f90"
#define COUNT_MAX INT64_C(1000000000000)

static const char	*answer;
static size_t		 answer_len;

/* Instead of the one in upstream.c. */
enum ph_reply
ph_upstream_get(struct ph_state *state, enum ph_upstream id, struct ph_upstream_call *call)
{
	(void)state;
	assert(id == PH_UPSTREAM_OP3 && strstr(call->url, "http") == call->url);
	call->missing(call->arg, answer, answer_len);
	return call->parse(call->arg, answer, answer_len) == 0 ? PH_REPLY_OK : PH_REPLY_BAD;
}

static void
look_at_count(int64_t n)
{
	assert(n >= -1 && n <= COUNT_MAX);
}

static void
look_at_episodes(struct ph_op3_episodes *e, int has_counts)
{
	size_t i;

	for (i = 0; i < e->n; i++) {
		const struct ph_op3_episode *one = &e->list[i];

		assert((one->id != NULL && strlen(one->id) == PH_OP3_ID_SIZE - 1) || has_counts);
		assert(one->pubdate_ms >= -1 && one->pubdate_ms <= PH_TIME_MAX && (one->all >= 0 || !has_counts));
		look_at_count(one->d1);
		look_at_count(one->d3);
		look_at_count(one->d7);
		look_at_count(one->d30);
		look_at_count(one->all);
	}
	ph_op3_episodes_free(e);
	assert(e->n == 0 && e->list == NULL);
}

static int
take_row(void *arg, const struct ph_op3_row *row)
{
	int *n = arg;

	assert(ph_day_ms(row->day) >= 0);
	++*n;
	return 0;
}

static void
ask_for_counts(struct ph_op3 *op3)
{
	static const char *const	uuids[] = { UUID, "ffffffffffffffffffffffffffffffff" };
	struct ph_op3_counts		counts[2];
	char				as_of[PH_DAY_SIZE];
	int				i, k;

	if (ph_op3_show_counts(op3, uuids, 2, counts, as_of) != PH_REPLY_OK)
		return;
	assert(ph_day_ms(as_of) >= 0 && !(counts[0].is_bad && counts[1].is_bad));
	for (i = 0; i < 2; i++)
		for (k = 0; counts[i].is_known && !counts[i].is_bad && k < counts[i].nweekly; k++)
			assert(counts[i].weekly[k] >= 0 && counts[i].weekly[k] <= COUNT_MAX && counts[i].monthly >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ph_op3		op3 = { .tries = 1 };
	struct ph_op3_episodes	episodes = { 0 };
	struct ph_op3_page	page = { .uuid = UUID, .limit = 1, .take = take_row };
	char			uuid[PH_OP3_UUID_SIZE], *apps = NULL;
	struct ph_err		err = { .rc = PH_OK };
	int			nrows = 0;

	if (size == 0)
		return 0;
	if (answer == NULL)		/* the first time: every setting at its default */
		ph_config_load("/nowhere", &err);
	/* A copy that ends where the answer does, so that reading on is found. */
	answer_len = size - 1;
	answer = strndup((const char *)data + 1, answer_len);
	answer_len = strlen(answer);
	page.arg = &nrows;
	switch (data[0]) {
	case 's':
		if (ph_op3_show(&op3, UUID, uuid, &episodes) == PH_REPLY_OK)
			assert(strlen(uuid) == PH_OP3_UUID_SIZE - 1);
		look_at_episodes(&episodes, 0);
		break;
	case 'c':
		ask_for_counts(&op3);
		break;
	case 'e':
		ph_op3_episode_counts(&op3, UUID, &episodes);
		look_at_episodes(&episodes, 1);
		break;
	case 'a':
		assert((ph_op3_top_apps(&op3, UUID, &apps) == PH_REPLY_OK) == (apps != NULL));
		free(apps);
		break;
	default:
		if (ph_op3_page(&op3, &page) == PH_REPLY_OK)
			assert(page.nrows == nrows && strlen(page.token) < sizeof(page.token));
		break;
	}
	free((char *)answer);
	return 0;
}
