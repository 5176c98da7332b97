/*
 * idset.c -- open addressing over one array of entries.
 *
 * A lookup in a big set costs what it misses in the processor's cache, so an entry is one piece that begins at
 * a line of it: the id, if it is no longer than a UUID, and its record, which for 24 bytes ends with the line.
 */
#include "autoconf.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/idset.h"

/* A program is made to be small; this is the one place of it where a million calls are made for one answer. */
#pragma GCC optimize("O3")

enum { SLOTS_FIRST = 1024, ENTRIES_FIRST = 512, SHORT_MAX = 38, LONG = UINT8_MAX, LINE_SIZE = 64 };

struct slot {
	uint32_t	place;		/* and 1; 0: free */
	uint32_t	hash;		/* its upper half */
};

/* Its record follows. */
struct entry {
	char		id[SHORT_MAX + 1];	/* with a NUL; of LONG: a struct long_id */
	uint8_t		len;			/* or LONG */
};

struct long_id {
	char	*text;
	size_t	 len;
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

static struct long_id
long_id_of(const struct entry *e)
{
	struct long_id l;

	memcpy(&l, e->id, sizeof(l));
	return l;
}

static const char *
id_of(const struct entry *e, size_t *len)
{
	if (e->len == LONG) {
		*len = long_id_of(e).len;
		return long_id_of(e).text;
	}
	*len = e->len;
	return e->id;
}

void
ph_idset_free(struct ph_idset *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->count; i++)
		if (entry_at(s, i)->len == LONG)
			free(long_id_of(entry_at(s, i)).text);
	free(s->slots);
	free(s->entries);
	free(s);
}

struct ph_idset *
ph_idset_new(size_t record_size)
{
	struct ph_idset	*s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->entry_size = (sizeof(struct entry) + record_size + LINE_SIZE - 1) / LINE_SIZE * LINE_SIZE;
	s->nslots = SLOTS_FIRST;
	if ((s->slots = calloc(s->nslots, sizeof(s->slots[0]))) == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

/* The two halves of a product of 128 bits. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	__extension__ const unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Sixteen bytes at a time, the last ones with some of those before; it need not resist anybody, for ids are
 * compared in full. */
static uint64_t
hash_of(const char *id, size_t len)
{
	static const uint64_t	odd = UINT64_C(0x9e3779b97f4a7c15), even = UINT64_C(0xd6e8feb86659fd93);
	const char		*end = id + len;
	uint64_t		 h = len ^ odd, words[2] = { 0, 0 };

	for (; (size_t)(end - id) > sizeof(words); id += sizeof(words)) {
		memcpy(words, id, sizeof(words));
		h = mix(words[0] ^ even, words[1] ^ h);
	}
	if (len >= sizeof(words))
		memcpy(words, end - sizeof(words), sizeof(words));
	else
		memcpy(words, id, len);
	return mix(words[0] ^ even, words[1] ^ h);
}

/* The slot of the id, or the free one where it belongs. */
static struct slot *
slot_of(const struct ph_idset *s, const char *id, size_t len, uint64_t hash)
{
	size_t i = (size_t)hash & (s->nslots - 1);

	for (; s->slots[i].place != 0; i = (i + 1) & (s->nslots - 1)) {
		const char	*other;
		size_t		 other_len;

		if (s->slots[i].hash != (uint32_t)(hash >> 32))
			continue;
		other = id_of(entry_at(s, s->slots[i].place - 1), &other_len);
		if (other_len == len && memcmp(other, id, len) == 0)
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
		size_t		 len;
		const char	*id = id_of(entry_at(s, i), &len);
		const uint64_t	 hash = hash_of(id, len);

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
		if (size > UINT32_MAX || (p = aligned_alloc(LINE_SIZE, size * s->entry_size)) == NULL)
			return -1;
		if (s->count > 0)
			memcpy(p, s->entries, s->count * s->entry_size);
		free(s->entries);
		s->entries = p;
		s->entries_size = size;
	}
	return s->count * 2 >= s->nslots ? grow_slots(s) : 0;
}

long
ph_idset_add(struct ph_idset *s, const char *id, size_t len)
{
	const uint64_t	 hash = hash_of(id, len);
	struct slot	*slot = slot_of(s, id, len, hash);
	struct long_id	 l = { .len = len };
	struct entry	*e;

	if (slot->place != 0)
		return (long)slot->place - 1;
	if (reserve(s) != 0 || (len > SHORT_MAX && (l.text = strndup(id, len)) == NULL))
		return -1;
	slot = slot_of(s, id, len, hash);
	e = entry_at(s, s->count);
	memset(e, 0, s->entry_size);
	e->len = len > SHORT_MAX ? LONG : (uint8_t)len;
	if (l.text != NULL)
		memcpy(e->id, &l, sizeof(l));
	else
		memcpy(e->id, id, len);
	*slot = (struct slot){ .place = (uint32_t)++s->count, .hash = (uint32_t)(hash >> 32) };
	return (long)s->count - 1;
}

long
ph_idset_find(const struct ph_idset *s, const char *id, size_t len)
{
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
	size_t len;

	assert(place >= 0 && (size_t)place < s->count);
	return id_of(entry_at(s, (size_t)place), &len);
}

void *
ph_idset_record(struct ph_idset *s, long place)
{
	assert(place >= 0 && (size_t)place < s->count);
	return entry_at(s, (size_t)place) + 1;
}
