/*
 * live-token.c -- two sorted lists of tokens, as they stood before and as they stand now.
 *
 * auth-check's "yes" is kept for up to two seconds, so a stream may still begin after its token
 * has ended: the channel of an ended token is deleted again until it has been so for GRACE_MS.
 */
#include "autoconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/auth.h"
#include "domain/live.h"
#include "domain/live-token.h"

enum {
	GRACE_MS = 5000,
	STREAM_MS = 2 * 3600000		/* a stream lasts an hour at most */
};

struct token {
	char	id[PH_NAME_MAX + 1];
	int64_t	ended_at;		/* when it was first seen so; 0: it may */
	int	is_over;		/* its streams are */
};

struct list {
	struct token	*tokens;
	size_t		 n, size;
};

struct ph_live_tokens {
	struct list	now, before;
	size_t		next;		/* of those before */
	int64_t		now_ms;
	int		is_out_of_memory;
};

struct ph_live_tokens *
ph_live_tokens_new(void)
{
	return calloc(1, sizeof(struct ph_live_tokens));
}

void
ph_live_tokens_free(struct ph_live_tokens *t)
{
	if (t == NULL)
		return;
	free(t->now.tokens);
	free(t->before.tokens);
	free(t);
}

static void
add(struct ph_live_tokens *t, const struct token *one)
{
	struct list	*l = &t->now;
	struct token	*larger;

	if (l->n == l->size) {
		if ((larger = reallocarray(l->tokens, l->size + 64, sizeof(*larger))) == NULL) {
			t->is_out_of_memory = 1;
			return;
		}
		l->tokens = larger;
		l->size += 64;
	}
	l->tokens[l->n++] = *one;
}

/* Tokens before this one (NULL: all that are left) are not there any more. */
static void
add_removed(struct ph_live_tokens *t, const char *id)
{
	struct token one;

	for (; t->next < t->before.n && (id == NULL || strcmp(t->before.tokens[t->next].id, id) < 0); t->next++) {
		one = t->before.tokens[t->next];
		if (one.ended_at == 0)
			one.ended_at = t->now_ms;
		if (!one.is_over)
			add(t, &one);
	}
}

static void
add_present(void *arg, const char *id, int may)
{
	struct ph_live_tokens	*t = arg;
	struct token		 one = { .ended_at = may ? 0 : t->now_ms };
	const struct token	*before;

	add_removed(t, id);
	snprintf(one.id, sizeof(one.id), "%s", id);
	if (t->next < t->before.n && strcmp((before = &t->before.tokens[t->next])->id, id) == 0) {
		if (!may && before->ended_at != 0)
			one = *before;
		t->next++;
	}
	add(t, &one);
}

enum ph_rc
ph_live_tokens_read(struct ph_live_tokens *t, struct ph_db *db, int64_t now_ms, struct ph_err *err)
{
	const struct list	before = t->before;
	enum ph_rc		rc;

	t->before = t->now;
	t->now = before;
	t->now.n = t->next = 0;
	t->now_ms = now_ms;
	rc = ph_auth_each(db, PH_LIVE_SCOPE, now_ms, now_ms - STREAM_MS, add_present, t, err);
	add_removed(t, NULL);
	if (rc == PH_OK && t->is_out_of_memory)
		rc = ph_fail(err, PH_ENOMEM, "not enough memory for the tokens");
	return rc;
}

enum ph_rc
ph_live_tokens_end(struct ph_live_tokens *t, struct ph_nchan *nchan, struct ph_err *err)
{
	char		 channel[PH_NCHAN_CHANNEL_SIZE];
	enum ph_rc	 rc = PH_OK;
	size_t		 i;

	for (i = 0; rc == PH_OK && i < t->now.n; i++) {
		struct token *one = &t->now.tokens[i];

		if (one->ended_at == 0 || one->is_over)
			continue;
		rc = ph_nchan_delete(nchan, ph_live_token_channel(channel, one->id), err);
		one->is_over = t->now_ms - one->ended_at >= GRACE_MS;
	}
	return rc;
}
