/* SPDX-License-Identifier: BSD-3-Clause */
#include "sched/destcache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "sched/siphash.h"

#define BUCKETS	  2048
#define WAYS	  16
#define KEY_WORDS (sizeof(struct addr) / sizeof(uint32_t))

/* An entry, in 32-bit words, all of them atomics. */
enum {
	WORD_KEY = 0,
	WORD_USED = KEY_WORDS,
	WORD_MOD,
	WORD_N, /* members; 0 = free */
	WORD_IDS,
};

struct destcache {
	uint32_t refs; /* atomic: nodes may be built beside the control thread */
	uint32_t set_max;
	uint32_t entry_words, bucket_words; /* a bucket: sequence number, then entries */
	struct siphash_key key;		    /* random: strangers choose destinations */
	uint32_t words[];
};

struct destcache *destcache_create(uint32_t set_max)
{
	uint32_t entry_words = WORD_IDS + set_max;
	uint32_t bucket_words = 1 + WAYS * entry_words;
	struct destcache *c = calloc(1, sizeof(*c) + sizeof(uint32_t) * BUCKETS * bucket_words);

	if (c == NULL)
		return NULL;
	c->refs = 1;
	c->set_max = set_max;
	c->entry_words = entry_words;
	c->bucket_words = bucket_words;
	/* Without randomness the cache still works, only collisions can be aimed at. */
	if (getrandom(&c->key, sizeof(c->key), GRND_NONBLOCK) != sizeof(c->key))
		c->key.k0 = (uintptr_t)c;
	return c;
}

struct destcache *destcache_get(struct destcache *c)
{
	__atomic_fetch_add(&c->refs, 1, __ATOMIC_RELAXED);
	return c;
}

void destcache_put(struct destcache *c)
{
	if (c != NULL && __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free(c);
}

static uint32_t *bucket_at(struct destcache *c, uint32_t bucket)
{
	return &c->words[(size_t)bucket * c->bucket_words];
}

static uint32_t *entry_at(struct destcache *c, uint32_t bucket, uint32_t way)
{
	return bucket_at(c, bucket) + 1 + way * c->entry_words;
}

/* Acquire and release on every word: a reader that sees one word of a writer also sees the
 * writer's odd sequence number, and needs no fence. Plain moves on x86. */
static uint32_t word_load(const uint32_t *w)
{
	return __atomic_load_n(w, __ATOMIC_ACQUIRE);
}

static void word_store(uint32_t *w, uint32_t value)
{
	__atomic_store_n(w, value, __ATOMIC_RELEASE);
}

static bool entry_live(const uint32_t *e, uint32_t now_s, uint32_t expire_s)
{
	return word_load(&e[WORD_N]) != 0 && now_s - word_load(&e[WORD_USED]) <= expire_s;
}

static bool entry_is(const uint32_t *e, const struct addr *addr)
{
	uint32_t key[KEY_WORDS];

	memcpy(key, addr, sizeof(key));
	for (uint32_t i = 0; i < KEY_WORDS; i++) {
		if (word_load(&e[WORD_KEY + i]) != key[i])
			return false;
	}
	return true;
}

/* Returns the entry, or NULL. */
static uint32_t *look(struct destcache *c, const struct addr *addr, uint32_t now_s,
		      uint32_t expire_s, struct destcache_view *view)
{
	uint32_t *seq, *e = NULL;

	view->found = false;
	view->n = 0;
	view->bucket = (uint32_t)siphash13(c->key, addr, sizeof(*addr)) % BUCKETS;
	seq = bucket_at(c, view->bucket);
	view->seq = word_load(seq);
	if (view->seq & 1)
		return NULL;
	for (view->way = 0; view->way < WAYS; view->way++) {
		e = entry_at(c, view->bucket, view->way);
		if (entry_is(e, addr) && entry_live(e, now_s, expire_s))
			break;
	}
	if (view->way == WAYS)
		return NULL;
	view->n = word_load(&e[WORD_N]);
	if (view->n > c->set_max)
		view->n = c->set_max;
	view->lastmod_s = word_load(&e[WORD_MOD]);
	for (uint32_t i = 0; i < view->n; i++)
		view->ids[i] = word_load(&e[WORD_IDS + i]);
	view->found = word_load(seq) == view->seq && view->n > 0;
	return view->found ? e : NULL;
}

void destcache_look(struct destcache *c, const struct addr *addr, uint32_t now_s, uint32_t expire_s,
		    struct destcache_view *view)
{
	look(c, addr, now_s, expire_s, view);
}

void destcache_read(struct destcache *c, const struct addr *addr, uint32_t now_s, uint32_t expire_s,
		    struct destcache_view *view)
{
	uint32_t *e = look(c, addr, now_s, expire_s, view);

	/* Should the entry have just become another's, that one counts as used: no harm. */
	if (e && word_load(&e[WORD_USED]) != now_s)
		word_store(&e[WORD_USED], now_s);
}

/* A free or forgotten entry, or the one unused for longest. */
static uint32_t victim(struct destcache *c, uint32_t bucket, uint32_t now_s, uint32_t expire_s)
{
	uint32_t oldest = 0, age = 0;

	for (uint32_t way = 0; way < WAYS; way++) {
		const uint32_t *e = entry_at(c, bucket, way);

		if (!entry_live(e, now_s, expire_s))
			return way;
		if (now_s - word_load(&e[WORD_USED]) > age) {
			age = now_s - word_load(&e[WORD_USED]);
			oldest = way;
		}
	}
	return oldest;
}

void destcache_write(struct destcache *c, const struct addr *addr, uint32_t now_s,
		     uint32_t expire_s, const struct destcache_view *view)
{
	uint32_t *bucket = bucket_at(c, view->bucket);
	uint32_t n = view->n < c->set_max ? view->n : c->set_max;
	uint32_t seq = view->seq, key[KEY_WORDS], *e;

	if (seq & 1)
		return;
	if (!__atomic_compare_exchange_n(bucket, &seq, seq + 1, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return;
	e = entry_at(c, view->bucket,
		     view->found ? view->way : victim(c, view->bucket, now_s, expire_s));
	memcpy(key, addr, sizeof(key));
	for (uint32_t i = 0; i < KEY_WORDS; i++)
		word_store(&e[WORD_KEY + i], key[i]);
	for (uint32_t i = 0; i < n; i++)
		word_store(&e[WORD_IDS + i], view->ids[i]);
	word_store(&e[WORD_N], n);
	word_store(&e[WORD_MOD], view->lastmod_s);
	word_store(&e[WORD_USED], now_s);
	__atomic_store_n(bucket, view->seq + 2, __ATOMIC_RELEASE);
}
