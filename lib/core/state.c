/*
 * state.c -- the mapped file.
 *
 * Layout: header, slots, rings, routes, failures, breakers, writers; all of fixed size.  Counters only grow.  A
 * word of a ring or of the failures holds its second or minute in the upper half and a count in the
 * lower, so an old word is recognised and begun anew.
 */
#include "autoconf.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "core/state.h"

enum {
	LAYOUT = 3,
	BOOT_SIZE = 40,
	ID_SIZE = 68,
	PATH_SIZE = 128,
	FAILURE_WORDS = 1024,		/* addresses share a word when their hashes meet */
	SLOW_US = 1000000,
	VERY_SLOW_US = 5000000
};

static const char magic[8] = "PHSTATE";

const int64_t ph_state_bounds_us[PH_STATE_BUCKETS - 1] = {
	500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000
};

struct slot {
	_Atomic int32_t		pid;		/* 0: free; -pid while that process fills the slot */
	_Atomic int32_t		is_busy;
	_Atomic uint64_t	started;	/* clock ticks since boot: pids are used again */
	_Atomic int64_t		busy_since_us;	/* monotonic */
	_Atomic uint64_t	requests;
	_Atomic uint64_t	busy_us;
	char			route[PH_STATE_NAME];
	char			request_id[ID_SIZE];
	char			path[PATH_SIZE];
};

struct route {
	_Atomic int32_t		owner;		/* 0: free, else the pid that wrote the name */
	_Atomic int32_t		is_named;
	char			name[PH_STATE_NAME];
	_Atomic uint64_t	by_class[6];
	_Atomic uint64_t	buckets[PH_STATE_BUCKETS];
	_Atomic uint64_t	sum_us;
};

struct breaker {
	struct ph_state_breaker	is;		/* first: an entry is its own handle */
	pthread_mutex_t		lock;		/* robust */
};

struct region {
	char			magic[8];
	uint32_t		layout;
	uint32_t		size;
	char			boot[BOOT_SIZE];
	struct slot		slots[PH_STATE_SLOTS];
	_Atomic uint64_t	rings[PH_RING__MAX][PH_STATE_RING_S];
	struct route		routes[PH_STATE_ROUTES];
	_Atomic uint64_t	failures[FAILURE_WORDS];
	struct breaker		breakers[PH_STATE_BREAKERS];
	pthread_mutex_t		writers;	/* robust: the dead give their turn away */
};

struct ph_state {
	struct region	*region;
	struct slot	*slot;		/* ours; NULL: none */
	struct route	*route;		/* ours; NULL: none */
	int		 is_quiet;	/* stays out of the rings: probes, and nginx asking who may */
	int		 has_turn;
};

/* -- the file ------------------------------------------------------------------------ */

static void
boot_id(char out[BOOT_SIZE])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	memset(out, 0, BOOT_SIZE);
	if (f == NULL)
		return;
	if (fgets(out, BOOT_SIZE, f) == NULL)
		out[0] = '\0';
	fclose(f);
}

static int
make_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t	attr;
	int			is_made;

	if (pthread_mutexattr_init(&attr) != 0)
		return 0;
	is_made = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0 &&
	    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0 &&
	    pthread_mutex_init(mutex, &attr) == 0;
	pthread_mutexattr_destroy(&attr);
	return is_made;
}

/* Fill a fresh file, which reads as zeros. */
static int
fill_file(int fd)
{
	struct region	*r;
	int		 is_whole;
	size_t		 i;

	if (ftruncate(fd, sizeof(*r)) != 0 ||
	    (r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
		return 0;
	memcpy(r->magic, magic, sizeof(magic));
	r->layout = LAYOUT;
	r->size = sizeof(*r);
	boot_id(r->boot);
	is_whole = make_mutex(&r->writers);
	for (i = 0; i < PH_STATE_BREAKERS; i++)
		is_whole = make_mutex(&r->breakers[i].lock) && is_whole;
	munmap(r, sizeof(*r));
	return is_whole;
}

/* Write a fresh file beside path and give it the name: with_replace in any case, else only if
 * nobody was quicker.  False: it is not the file that has the name now. */
static int
make_file(const char *path, int with_replace)
{
	char	temporary[600];
	int	fd, is_made;

	snprintf(temporary, sizeof(temporary), "%s.%d", path, (int)getpid());
	if ((fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660)) < 0)
		return 0;
	is_made = fill_file(fd) && (with_replace ? rename(temporary, path) : link(temporary, path)) == 0;
	close(fd);
	unlink(temporary);
	return is_made;
}

/* Map the file if it is one of ours.  NULL: it is missing (*is_missing) or does not fit. */
static struct region *
map_file(const char *path, int *is_missing)
{
	struct region	*r;
	struct stat	 sb;
	char		 boot[BOOT_SIZE];
	const int	 fd = open(path, O_RDWR | O_CLOEXEC);

	*is_missing = fd < 0 && errno == ENOENT;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &sb) != 0 || sb.st_size != (off_t)sizeof(*r)) {
		close(fd);
		return NULL;
	}
	r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (r == MAP_FAILED)
		return NULL;
	boot_id(boot);
	if (memcmp(r->magic, magic, sizeof(magic)) == 0 && r->layout == LAYOUT && r->size == sizeof(*r) &&
	    memcmp(r->boot, boot, sizeof(boot)) == 0)
		return r;
	munmap(r, sizeof(*r));
	return NULL;
}

struct ph_state *
ph_state_open(const char *name, int with_replace)
{
	struct ph_state	*s = calloc(1, sizeof(*s));
	const char	*dir = ph_config_str(PH_CFG_SOCKET_DIR);
	char		 path[512];
	int		 is_missing;

	if (s == NULL)
		return NULL;
	if (dir[0] != '\0')
		snprintf(path, sizeof(path), "%s/state.shm", dir);
	else
		ph_config_path(path, sizeof(path), "run/state.shm");
	if ((s->region = map_file(path, &is_missing)) == NULL && (is_missing || with_replace)) {
		make_file(path, with_replace);
		s->region = map_file(path, &is_missing);
	}
	if (s->region != NULL)
		return s;
	ph_log("warn", name, "%s does not fit; counted nowhere until the next start", path);
	free(s);
	return NULL;
}

/* -- rings --------------------------------------------------------------------------- */

static int64_t
now_s(void)
{
	return ph_clock_mono_us() / 1000000;
}

/* One more in the word of a period. */
static void
count_word(_Atomic uint64_t *word, uint64_t period)
{
	uint64_t old = atomic_load(word), next;

	do
		next = old >> 32 == period ? old + 1 : period << 32 | 1;
	while (!atomic_compare_exchange_weak(word, &old, next));
}

static void
count_recent(struct region *r, enum ph_state_class class)
{
	const int64_t s = now_s();

	count_word(&r->rings[class][s % PH_STATE_RING_S], (uint64_t)s);
}

uint64_t
ph_state_recent(struct ph_state *s, enum ph_state_class class, int seconds)
{
	const int64_t	now = now_s();
	uint64_t	n = 0, word;
	int		i;

	for (i = 0; s != NULL && i < seconds && i < PH_STATE_RING_S && i <= now; i++) {
		word = atomic_load(&s->region->rings[class][(now - i) % PH_STATE_RING_S]);
		if (word >> 32 == (uint64_t)(now - i))
			n += word & UINT32_MAX;
	}
	return n;
}

/* -- scoreboard ---------------------------------------------------------------------- */

/* When a process started, in clock ticks since boot; 0: there is none. */
static uint64_t
start_of(pid_t pid)
{
	char			 path[64], text[1024], *p;
	unsigned long long	 started = 0;
	size_t			 n;
	FILE			*f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	/* The name in parentheses may hold anything: count from its end. */
	if ((p = strrchr(text, ')')) == NULL || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
	    " %*u %*u %*d %*d %*d %*d %*d %*d %llu", &started) != 1)
		return 0;
	return started;
}

static int
is_alive(struct slot *slot)
{
	const pid_t pid = atomic_load(&slot->pid);

	return pid < 0 ? start_of(-pid) != 0 : pid != 0 && start_of(pid) == atomic_load(&slot->started);
}

/* The entry of a route, made if there is none. */
static struct route *
find_route(struct region *r, const char *name)
{
	int32_t	nobody;
	size_t	i;

	for (i = 0; i < PH_STATE_ROUTES; i++) {
		struct route *e = &r->routes[i];

		nobody = 0;
		if (atomic_compare_exchange_strong(&e->owner, &nobody, getpid())) {
			snprintf(e->name, sizeof(e->name), "%s", name);
			atomic_store(&e->is_named, 1);
			return e;
		}
		/* Two that begin at once may make two entries: readers add them up. */
		if (atomic_load(&e->is_named) && strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

void
ph_state_claim(struct ph_state *s, const char *route)
{
	const pid_t	me = getpid();
	size_t		i;

	if (s == NULL)
		return;
	s->is_quiet = strncmp(route, "health-", 7) == 0 || strncmp(route, "auth-", 5) == 0;
	s->route = find_route(s->region, route);
	for (i = 0; i < PH_STATE_SLOTS && s->slot == NULL; i++) {
		struct slot	*slot = &s->region->slots[i];
		int32_t		 former = atomic_load(&slot->pid);

		if ((former != 0 && is_alive(slot)) || !atomic_compare_exchange_strong(&slot->pid, &former, -me))
			continue;
		if (former != 0 && atomic_load(&slot->is_busy)) {
			count_recent(s->region, PH_RING_5XX);
			ph_log("error", route, "process %d of %s died with request %s", (int)former, slot->route,
			    slot->request_id);
		}
		atomic_store(&slot->is_busy, 0);
		atomic_store(&slot->requests, 0);
		atomic_store(&slot->busy_us, 0);
		snprintf(slot->route, sizeof(slot->route), "%s", route);
		atomic_store(&slot->started, start_of(me));
		atomic_store(&slot->pid, me);
		s->slot = slot;
	}
}

void
ph_state_close(struct ph_state *s)
{
	if (s == NULL)
		return;
	ph_state_give_turn(s);
	if (s->slot != NULL) {
		atomic_store(&s->slot->is_busy, 0);
		atomic_store(&s->slot->pid, 0);
	}
	munmap(s->region, sizeof(*s->region));
	free(s);
}

void
ph_state_busy(struct ph_state *s, const char *request_id, const char *path)
{
	if (s == NULL || s->slot == NULL)
		return;
	snprintf(s->slot->request_id, sizeof(s->slot->request_id), "%s", request_id);
	snprintf(s->slot->path, sizeof(s->slot->path), "%s", path);	/* may be cut */
	atomic_store(&s->slot->busy_since_us, ph_clock_mono_us());
	atomic_store(&s->slot->is_busy, 1);
}

void
ph_state_idle(struct ph_state *s, int status, int64_t us)
{
	int bucket = 0;

	if (s == NULL)
		return;
	while (bucket < PH_STATE_BUCKETS - 1 && us > ph_state_bounds_us[bucket])
		bucket++;
	if (s->route != NULL) {
		atomic_fetch_add(&s->route->by_class[status >= 100 && status < 600 ? status / 100 : 0], 1);
		atomic_fetch_add(&s->route->buckets[bucket], 1);
		atomic_fetch_add(&s->route->sum_us, (uint64_t)us);
	}
	if (!s->is_quiet) {
		count_recent(s->region, status >= 500 ? PH_RING_5XX : status >= 400 ? PH_RING_4XX : PH_RING_OK);
		if (us >= SLOW_US)
			count_recent(s->region, us >= VERY_SLOW_US ? PH_RING_VERY_SLOW : PH_RING_SLOW);
	}
	if (s->slot == NULL)
		return;
	atomic_fetch_add(&s->slot->requests, 1);
	atomic_fetch_add(&s->slot->busy_us, (uint64_t)us);
	atomic_store(&s->slot->is_busy, 0);
}

size_t
ph_state_workers(struct ph_state *s, struct ph_state_worker *out, size_t max)
{
	size_t i, n = 0;

	for (i = 0; s != NULL && i < PH_STATE_SLOTS && n < max; i++) {
		struct slot *slot = &s->region->slots[i];

		if (!is_alive(slot) || atomic_load(&slot->pid) < 0)
			continue;
		out[n] = (struct ph_state_worker){
			.pid = atomic_load(&slot->pid), .is_busy = atomic_load(&slot->is_busy),
			.requests = atomic_load(&slot->requests), .busy_total_us = atomic_load(&slot->busy_us),
		};
		if (out[n].is_busy)
			out[n].busy_us = ph_clock_mono_us() - atomic_load(&slot->busy_since_us);
		memcpy(out[n].route, slot->route, sizeof(out[n].route));
		out[n++].route[PH_STATE_NAME - 1] = '\0';
	}
	return n;
}

size_t
ph_state_routes(struct ph_state *s, struct ph_state_route *out, size_t max)
{
	size_t	i, j, n = 0;
	int	k;

	for (i = 0; s != NULL && i < PH_STATE_ROUTES; i++) {
		struct route *e = &s->region->routes[i];

		if (!atomic_load(&e->is_named))
			continue;
		for (j = 0; j < n && strcmp(out[j].name, e->name) != 0; j++)
			;
		if (j == n) {
			if (n == max)
				continue;
			memset(&out[n], 0, sizeof(out[n]));
			snprintf(out[n++].name, PH_STATE_NAME, "%s", e->name);
		}
		for (k = 0; k < 6; k++)
			out[j].by_class[k] += atomic_load(&e->by_class[k]);
		for (k = 0; k < PH_STATE_BUCKETS; k++)
			out[j].buckets[k] += atomic_load(&e->buckets[k]);
		out[j].sum_us += atomic_load(&e->sum_us);
	}
	return n;
}

/* -- failed authentication ------------------------------------------------------------- */

/* The word of an address, and the period of now for it: a few bits of the minute, and of the hash,
 * so that another address in the same word begins it anew instead of being blocked. */
static _Atomic uint64_t *
failure_word(struct region *r, const char *address, uint64_t *period)
{
	uint64_t h = 14695981039346656037u;	/* FNV-1a */

	for (; *address != '\0'; address++)
		h = (h ^ (unsigned char)*address) * 1099511628211u;
	*period = ((uint64_t)now_s() / 60 & 4095) << 20 | h >> 44;
	return &r->failures[h % FAILURE_WORDS];
}

void
ph_state_auth_failed(struct ph_state *s, const char *address)
{
	_Atomic uint64_t	*word;
	uint64_t		 period;

	if (s == NULL)
		return;
	word = failure_word(s->region, address, &period);
	count_word(word, period);
}

uint64_t
ph_state_auth_failures(struct ph_state *s, const char *address)
{
	uint64_t period, word;

	if (s == NULL)
		return 0;
	word = atomic_load(failure_word(s->region, address, &period));
	return word >> 32 == period ? word & UINT32_MAX : 0;
}

/* -- breakers ------------------------------------------------------------------------ */

struct ph_state_breaker *
ph_state_breaker_lock(struct ph_state *s, const char *name)
{
	size_t	i;
	int	rc;

	for (i = 0; s != NULL && i < PH_STATE_BREAKERS; i++) {
		struct breaker *b = &s->region->breakers[i];

		rc = pthread_mutex_lock(&b->lock);
		/* Whoever died in it may have written half of it: begin anew. */
		if (rc == EOWNERDEAD && (rc = pthread_mutex_consistent(&b->lock)) == 0)
			b->is = (struct ph_state_breaker){ .name = "" };
		if (rc != 0)
			continue;
		if (b->is.name[0] == '\0')
			snprintf(b->is.name, sizeof(b->is.name), "%s", name);
		if (strcmp(b->is.name, name) == 0)
			return &b->is;
		pthread_mutex_unlock(&b->lock);
	}
	return NULL;
}

void
ph_state_breaker_unlock(struct ph_state_breaker *b)
{
	if (b != NULL)
		pthread_mutex_unlock(&((struct breaker *)(void *)b)->lock);
}

/* -- writers ------------------------------------------------------------------------- */

int
ph_state_take_turn(struct ph_state *s, int timeout_ms)
{
	const int64_t	until_us = ph_clock_mono_us() + (int64_t)timeout_ms * 1000;
	struct timespec	until = { .tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000 };
	int		rc;

	if (s == NULL || s->has_turn)
		return s != NULL;
	rc = pthread_mutex_clocklock(&s->region->writers, CLOCK_MONOTONIC, &until);
	/* What its holder had begun is undone: the database sees to that. */
	if (rc == EOWNERDEAD)
		rc = pthread_mutex_consistent(&s->region->writers);
	s->has_turn = rc == 0;
	return s->has_turn;
}

void
ph_state_give_turn(struct ph_state *s)
{
	if (s == NULL || !s->has_turn)
		return;
	s->has_turn = 0;
	pthread_mutex_unlock(&s->region->writers);
}
