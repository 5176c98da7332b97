/*
 * live-message.c -- what a topic looks like in each form.
 */
#include "autoconf.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "domain/live.h"

/* Each topic in each form, and as many alerts. */
enum { MESSAGES_MAX = 3 * 512 };

struct message {
	enum ph_live_topic	 topic;
	enum ph_live_form	 form;
	char			*text;
};

struct ph_live_batch {
	size_t		n;
	struct message	messages[MESSAGES_MAX];
};

static const char *const ages[] = {
	"oldest_pending_age_seconds", "avg_wait_time_ms", "estimated_completion_time",
	"avg_delay_seconds", "last_run_seconds_ago", "timestamp",
};

struct ph_live_batch *
ph_live_batch_new(void)
{
	return calloc(1, sizeof(struct ph_live_batch));
}

static void
empty(struct ph_live_batch *b)
{
	while (b->n > 0)
		free(b->messages[--b->n].text);
}

void
ph_live_batch_free(struct ph_live_batch *b)
{
	if (b == NULL)
		return;
	empty(b);
	free(b);
}

/* {"type", "ts", "seq", "data"} */
static enum ph_rc
envelope(enum ph_live_topic topic, const char *data, int64_t seq, int64_t now_ms, char **text,
    struct ph_err *err)
{
	struct ph_json	*j = ph_json_new();
	enum ph_rc	 rc;

	if (j == NULL)
		return ph_fail(err, PH_ENOMEM, "not enough memory for a message");
	ph_json_str(j, "type", topic == PH_LIVE_ALERTS ? "alert" : ph_live_topics[topic]);
	ph_json_time(j, "ts", now_ms);
	ph_json_int(j, "seq", seq);
	ph_json_raw(j, "data", data);
	rc = ph_json_finish(j, text, err);
	ph_json_free(j);
	return rc;
}

enum ph_rc
ph_live_batch_add(struct ph_live_batch *b, enum ph_live_topic topic, unsigned forms, struct ph_json *data,
    int64_t seq, int64_t now_ms, struct ph_err *err)
{
	char		*texts[PH_LIVE_FORM__MAX] = { NULL };
	enum ph_rc	 rc;
	int		 form;

	if ((rc = ph_json_finish(data, &texts[PH_LIVE_BARE], err)) == PH_OK &&
	    (rc = envelope(topic, texts[PH_LIVE_BARE], seq, now_ms, &texts[PH_LIVE_WS], err)) == PH_OK) {
		ph_json_time(data, "ts", now_ms);
		rc = ph_json_finish(data, &texts[PH_LIVE_SSE], err);
	}
	for (form = 0; form < PH_LIVE_FORM__MAX; form++)
		if (rc == PH_OK && (forms & 1u << form) != 0 && b->n < MESSAGES_MAX)
			b->messages[b->n++] = (struct message){
				.topic = topic, .form = (enum ph_live_form)form, .text = texts[form],
			};
		else
			free(texts[form]);
	return rc;
}

enum ph_rc
ph_live_batch_send(struct ph_live_batch *b, struct ph_nchan *nchan, struct ph_err *err)
{
	char		 channel[PH_NCHAN_CHANNEL_SIZE];
	enum ph_rc	 rc = PH_OK;
	size_t		 i;

	for (i = 0; rc == PH_OK && i < b->n; i++) {
		const struct message *m = &b->messages[i];

		rc = ph_nchan_publish(nchan, m->topic == PH_LIVE_ALERTS ? PH_NCHAN_RECENT : PH_NCHAN_LAST,
		    ph_live_channel(channel, m->form, m->topic),
		    m->form == PH_LIVE_SSE ? ph_live_topics[m->topic] : NULL, m->text, err);
	}
	empty(b);
	return rc;
}

static void
remove_ages(cJSON *o)
{
	size_t	 i;
	cJSON	*item;

	for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++)
		cJSON_DeleteItemFromObjectCaseSensitive(o, ages[i]);
	cJSON_ArrayForEach(item, o)
		if (cJSON_IsObject(item))
			remove_ages(item);
}

char *
ph_live_lasting(const char *text)
{
	cJSON	*o = cJSON_Parse(text);
	char	*lasting;

	remove_ages(o);
	lasting = o != NULL ? cJSON_PrintUnformatted(o) : NULL;
	cJSON_Delete(o);
	return lasting;
}
