/*
 * idset.c -- open addressing over one array of entries and one of text.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/idset.h"

enum { SLOTS_FIRST = 1024, ENTRIES_FIRST = 512, TEXT_FIRST = 16384 };

struct entry {
	uint64_t	hash;
	size_t		text;		/* offset of the id */
};

struct ph_idset {
	uint32_t	*slots;		/* place + 1; 0: free */
	size_t		 nslots;	/* a power of two, at least twice the entries */
	struct entry	*entries;
	size_t		 count, entries_size;
	char		*text;
	size_t		 text_len, text_size;
	char		*records;	/* room for entries_size of them */
	size_t		 record_size;
};

void
ph_idset_free(struct ph_idset *s)
{
	if (s == NULL)
		return;
	free(s->slots);
	free(s->entries);
	free(s->text);
	free(s->records);
	free(s);
}

struct ph_idset *
ph_idset_new(size_t record_size)
{
	struct ph_idset *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->record_size = record_size;
	s->nslots = SLOTS_FIRST;
	if ((s->slots = calloc(s->nslots, sizeof(s->slots[0]))) == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

/* Eight bytes at a time; it need not resist anybody, for ids are compared in full. */
static uint64_t
hash_of(const char *id, size_t len)
{
	uint64_t h = len, word;

	while (len > 0) {
		const size_t n = len < sizeof(word) ? len : sizeof(word);

		word = 0;
		memcpy(&word, id, n);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
		id += n;
		len -= n;
	}
	return h;
}

/* The slot of the id, or the free one where it belongs. */
static size_t
slot_of(const struct ph_idset *s, const char *id, uint64_t hash)
{
	size_t i = (size_t)hash & (s->nslots - 1);

	for (; s->slots[i] != 0; i = (i + 1) & (s->nslots - 1)) {
		const struct entry *e = &s->entries[s->slots[i] - 1];

		if (e->hash == hash && strcmp(s->text + e->text, id) == 0)
			break;
	}
	return i;
}

static int
grow_slots(struct ph_idset *s)
{
	uint32_t	*old = s->slots;
	size_t		 i, k;

	if ((s->slots = calloc(s->nslots * 2, sizeof(s->slots[0]))) == NULL) {
		s->slots = old;
		return -1;
	}
	free(old);
	s->nslots *= 2;
	for (i = 0; i < s->count; i++) {
		k = (size_t)s->entries[i].hash & (s->nslots - 1);
		while (s->slots[k] != 0)
			k = (k + 1) & (s->nslots - 1);
		s->slots[k] = (uint32_t)i + 1;
	}
	return 0;
}

/* Make room for one more entry with len bytes of text. */
static int
reserve(struct ph_idset *s, size_t len)
{
	size_t	 size;
	void	*p;

	if (s->count == s->entries_size) {
		size = s->entries_size != 0 ? s->entries_size * 2 : ENTRIES_FIRST;
		if (size > UINT32_MAX || (p = reallocarray(s->entries, size, sizeof(s->entries[0]))) == NULL)
			return -1;
		s->entries = p;
		if (s->record_size > 0) {
			if ((p = reallocarray(s->records, size, s->record_size)) == NULL)
				return -1;
			s->records = p;
		}
		s->entries_size = size;
	}
	if (s->text_size - s->text_len < len) {
		for (size = s->text_size != 0 ? s->text_size * 2 : TEXT_FIRST; size - s->text_len < len; )
			size *= 2;
		if ((p = realloc(s->text, size)) == NULL)
			return -1;
		s->text = p;
		s->text_size = size;
	}
	return s->count * 2 >= s->nslots ? grow_slots(s) : 0;
}

long
ph_idset_add(struct ph_idset *s, const char *id)
{
	const size_t	len = strlen(id);
	const uint64_t	hash = hash_of(id, len);
	size_t		slot = slot_of(s, id, hash);

	if (s->slots[slot] != 0)
		return (long)s->slots[slot] - 1;
	if (reserve(s, len + 1) != 0)
		return -1;
	slot = slot_of(s, id, hash);
	memcpy(s->text + s->text_len, id, len + 1);
	s->entries[s->count] = (struct entry){ .hash = hash, .text = s->text_len };
	s->text_len += len + 1;
	if (s->record_size > 0)
		memset(s->records + s->count * s->record_size, 0, s->record_size);
	s->slots[slot] = (uint32_t)++s->count;
	return (long)s->count - 1;
}

long
ph_idset_find(const struct ph_idset *s, const char *id)
{
	return (long)s->slots[slot_of(s, id, hash_of(id, strlen(id)))] - 1;
}

size_t
ph_idset_count(const struct ph_idset *s)
{
	return s->count;
}

const char *
ph_idset_id(const struct ph_idset *s, long place)
{
	assert(place >= 0 && (size_t)place < s->count);
	return s->text + s->entries[place].text;
}

void *
ph_idset_record(struct ph_idset *s, long place)
{
	assert(place >= 0 && (size_t)place < s->count);
	return s->records + (size_t)place * s->record_size;
}
