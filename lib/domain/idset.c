/*
 * idset.c -- open addressing over one array of entries.
 *
 * A lookup in a big set costs what it misses in the processor's cache, so an entry is one piece: the id, if it
 * is no longer than a UUID, and its record.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/idset.h"

enum { SLOTS_FIRST = 1024, ENTRIES_FIRST = 512, SHORT_SIZE = 40 };

struct slot {
	uint32_t	place;		/* and 1; 0: free */
	uint32_t	hash;		/* its upper half */
};

/* Its record follows. */
struct entry {
	uint64_t	hash;
	uint64_t	len;
	union {
		char	 id[SHORT_SIZE];	/* if it fits, with its NUL */
		char	*text;			/* else on its own */
	};
};

struct ph_idset {
	struct slot	*slots;
	size_t		 nslots;	/* a power of two, at least twice the entries */
	char		*entries;
	size_t		 count, entries_size;
	size_t		 entry_size;
};

static struct entry *
entry_at(const struct ph_idset *s, size_t place)
{
	return (struct entry *)(void *)(s->entries + place * s->entry_size);
}

static const char *
id_of(const struct entry *e)
{
	return e->len < SHORT_SIZE ? e->id : e->text;
}

void
ph_idset_free(struct ph_idset *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->count; i++)
		if (entry_at(s, i)->len >= SHORT_SIZE)
			free(entry_at(s, i)->text);
	free(s->slots);
	free(s->entries);
	free(s);
}

struct ph_idset *
ph_idset_new(size_t record_size)
{
	const size_t	 align = _Alignof(struct entry);
	struct ph_idset	*s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->entry_size = sizeof(struct entry) + (record_size + align - 1) / align * align;
	s->nslots = SLOTS_FIRST;
	if ((s->slots = calloc(s->nslots, sizeof(s->slots[0]))) == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

static uint64_t
mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/* Eight bytes at a time; it need not resist anybody, for ids are compared in full. */
static uint64_t
hash_of(const char *id, size_t len)
{
	uint64_t h = len, word;

	for (; len >= sizeof(word); len -= sizeof(word), id += sizeof(word)) {
		memcpy(&word, id, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, id, len);
	return mix(h, word);
}

/* The slot of the id, or the free one where it belongs. */
static struct slot *
slot_of(const struct ph_idset *s, const char *id, size_t len, uint64_t hash)
{
	size_t i = (size_t)hash & (s->nslots - 1);

	for (; s->slots[i].place != 0; i = (i + 1) & (s->nslots - 1)) {
		const struct entry *e;

		if (s->slots[i].hash != (uint32_t)(hash >> 32))
			continue;
		e = entry_at(s, s->slots[i].place - 1);
		if (e->len == len && memcmp(id_of(e), id, len) == 0)
			break;
	}
	return &s->slots[i];
}

static int
grow_slots(struct ph_idset *s)
{
	struct slot	*old = s->slots;
	size_t		 i, k;

	if ((s->slots = calloc(s->nslots * 2, sizeof(s->slots[0]))) == NULL) {
		s->slots = old;
		return -1;
	}
	free(old);
	s->nslots *= 2;
	for (i = 0; i < s->count; i++) {
		const uint64_t hash = entry_at(s, i)->hash;

		for (k = (size_t)hash & (s->nslots - 1); s->slots[k].place != 0; k = (k + 1) & (s->nslots - 1))
			;
		s->slots[k] = (struct slot){ .place = (uint32_t)i + 1, .hash = (uint32_t)(hash >> 32) };
	}
	return 0;
}

/* Make room for one more entry. */
static int
reserve(struct ph_idset *s)
{
	const size_t	 size = s->entries_size != 0 ? s->entries_size * 2 : ENTRIES_FIRST;
	void		*p;

	if (s->count == s->entries_size) {
		if (size > UINT32_MAX || (p = reallocarray(s->entries, size, s->entry_size)) == NULL)
			return -1;
		s->entries = p;
		s->entries_size = size;
	}
	return s->count * 2 >= s->nslots ? grow_slots(s) : 0;
}

long
ph_idset_add(struct ph_idset *s, const char *id)
{
	const size_t	 len = strlen(id);
	const uint64_t	 hash = hash_of(id, len);
	struct slot	*slot = slot_of(s, id, len, hash);
	struct entry	*e;
	char		*text = NULL;

	if (slot->place != 0)
		return (long)slot->place - 1;
	if (reserve(s) != 0 || (len >= SHORT_SIZE && (text = strdup(id)) == NULL))
		return -1;
	slot = slot_of(s, id, len, hash);
	e = entry_at(s, s->count);
	memset(e, 0, s->entry_size);
	e->hash = hash;
	e->len = len;
	if (text != NULL)
		e->text = text;
	else
		memcpy(e->id, id, len);
	*slot = (struct slot){ .place = (uint32_t)++s->count, .hash = (uint32_t)(hash >> 32) };
	return (long)s->count - 1;
}

long
ph_idset_find(const struct ph_idset *s, const char *id)
{
	const size_t len = strlen(id);

	return (long)slot_of(s, id, len, hash_of(id, len))->place - 1;
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
	return id_of(entry_at(s, (size_t)place));
}

void *
ph_idset_record(struct ph_idset *s, long place)
{
	assert(place >= 0 && (size_t)place < s->count);
	return entry_at(s, (size_t)place) + 1;
}
