/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_CONN_TABLE4_H
#define PLVS_DATAPLANE_CONN_TABLE4_H

/*
 * The IPv4 connection table of one worker: 64-byte buckets of eight 16-bit tags and eight
 * references, keys inside the 64-byte entries. A look-up is two misses, both prefetched
 * across the burst: table4_hash(), table4_prefetch_bucket(), table4_prefetch_entry(),
 * table4_find_guess(). The hash is seeded: a stranger cannot aim at a bucket.
 *
 * Worker context, one owner; table4_create/destroy: control. Nothing allocates after create.
 */

#include <emmintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/conn/conn.h"
#include "dataplane/stages/pkt.h"

#define TABLE4_WAYS 8

struct bucket4 {
	uint16_t tag[TABLE4_WAYS]; /* 0 = free */
	uint32_t ref[TABLE4_WAYS]; /* entry index << 1 | direction */
	uint32_t overflow;	   /* bucket index, 0 = none */
	uint32_t pad[3];
};
_Static_assert(sizeof(struct bucket4) == 64, "a bucket is one cache line");

struct table4 {
	struct bucket4 *buckets; /* [n_buckets + n_overflow], overflow ones at the end */
	struct conn4 *conns;	 /* [capacity + 1]; 0 is not used */
	uint64_t seed;
	uint32_t bucket_mask;
	uint32_t n_buckets;
	uint32_t n_overflow;
	uint32_t overflow_free; /* head of the free overflow buckets */
	uint32_t capacity;
	uint32_t n;	 /* entries in use */
	uint32_t free;	 /* head of the free list, linked by conn.free_next */
	uint32_t freed;	 /* times an entry was given back; wraps */
	uint32_t unused; /* entries from here on were never used */
	size_t bytes;	 /* of memory mapped, for the statistics */
	size_t map_bytes[2];
};

/* Memory from NUMA node `socket` (-1: any), huge pages advised. 0 or -errno (ENOMEM). */
int table4_create(struct table4 *t, uint32_t capacity, int socket, uint64_t seed);
void table4_destroy(struct table4 *t);

/* addrs and rest: the two words of a key4. */
static inline uint32_t table4_hash_words(const struct table4 *t, uint64_t addrs, uint64_t rest)
{
	uint64_t h = (addrs ^ t->seed) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 32 ^ rest) * 0xd6e8feb86659fd93ULL;
	return (uint32_t)(h >> 32);
}

static inline uint32_t table4_hash(const struct table4 *t, const struct key4 *k)
{
	uint64_t addrs, rest;

	memcpy(&addrs, &k->saddr, sizeof(addrs));
	memcpy(&rest, &k->sport, sizeof(rest)); /* ports, protocol, padding of zero */
	return table4_hash_words(t, addrs, rest);
}

static inline uint16_t table4_tag(uint32_t hash)
{
	uint16_t tag = (uint16_t)(hash >> 16);

	return tag ? tag : 1;
}

static inline struct bucket4 *table4_bucket(const struct table4 *t, uint32_t hash)
{
	return &t->buckets[(uint32_t)(hash * 0x9e3779b1ULL >> 16) & t->bucket_mask];
}

static inline void table4_prefetch_bucket(const struct table4 *t, uint32_t hash)
{
	__builtin_prefetch(table4_bucket(t, hash));
}

static inline unsigned int bucket4_match(const struct bucket4 *b, uint16_t tag)
{
	__m128i tags = _mm_load_si128((const __m128i *)b->tag);
	__m128i eq = _mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag));

	return (unsigned int)_mm_movemask_epi8(_mm_packs_epi16(eq, _mm_setzero_si128()));
}

/* The first entry of the first bucket whose tag and direction match, prefetched; or NULL.
 * Most likely the one, for table4_find_guess(). */
static inline struct conn4 *table4_prefetch_entry(const struct table4 *t, uint32_t hash,
						  unsigned int dir)
{
	const struct bucket4 *b = table4_bucket(t, hash);
	unsigned int hits = bucket4_match(b, table4_tag(hash));
	struct conn4 *c;
	uint32_t ref;

	if (!hits)
		return NULL;
	ref = b->ref[__builtin_ctz(hits)];
	c = &t->conns[ref >> 1];
	__builtin_prefetch(c, 1);
	return (ref & 1) == dir ? c : NULL;
}

/* Without a branch on the direction, which is as good as random: the two keys lie four and
 * two bytes apart. */
static inline bool conn4_matches(const struct conn4 *c, const struct key4 *k, unsigned int dir)
{
	uint64_t addrs, want_addrs;
	uint32_t ports, want_ports;

	memcpy(&addrs, &c->caddr - dir, sizeof(addrs));
	memcpy(&ports, &c->cport - dir, sizeof(ports));
	memcpy(&want_addrs, &k->saddr, sizeof(want_addrs));
	memcpy(&want_ports, &k->sport, sizeof(want_ports));
	return ((addrs ^ want_addrs) | (ports ^ want_ports) | (uint32_t)(c->c.proto ^ k->proto)) ==
	       0;
}

/* table4_find() from the overflow bucket b on. */
struct conn4 *table4_find_overflow(const struct table4 *t, const struct bucket4 *b,
				   const struct key4 *k, uint32_t hash, unsigned int dir);

/* The one with this key and direction among the entries that a bucket refers to, or NULL. */
static inline struct conn4 *bucket4_find(const struct table4 *t, const struct bucket4 *b,
					 const struct key4 *k, uint32_t hash, unsigned int dir)
{
	unsigned int hits = bucket4_match(b, table4_tag(hash));

	for (; hits; hits &= hits - 1) {
		uint32_t ref = b->ref[__builtin_ctz(hits)];
		struct conn4 *c = &t->conns[ref >> 1];

		if ((ref & 1) == dir && conn4_matches(c, k, dir))
			return c;
	}
	return NULL;
}

/* The connection with this key in this direction, or NULL. */
static inline struct conn4 *table4_find(const struct table4 *t, const struct key4 *k, uint32_t hash,
					unsigned int dir)
{
	const struct bucket4 *b = table4_bucket(t, hash);
	struct conn4 *c = bucket4_find(t, b, k, hash, dir);

	if (c || !b->overflow)
		return c;
	return table4_find_overflow(t, &t->buckets[b->overflow], k, hash, dir);
}

/* The same, with what table4_prefetch_entry() returned. */
static inline struct conn4 *table4_find_guess(const struct table4 *t, const struct key4 *k,
					      uint32_t hash, unsigned int dir, struct conn4 *guess)
{
	if (guess && conn4_matches(guess, k, dir))
		return guess;
	return table4_find(t, k, hash, dir);
}

/* A fresh entry, zeroed, not yet findable; NULL when all are in use. */
struct conn4 *table4_alloc(struct table4 *t);
/* Makes it findable by its in or out key. 0, -EEXIST (key taken; *other set when not
 * NULL), -ENOSPC (no overflow bucket left). */
int table4_link(struct table4 *t, struct conn4 *c, unsigned int dir, struct conn4 **other);
void table4_unlink(struct table4 *t, struct conn4 *c, unsigned int dir);
/* Gives the entry back. Its keys are unlinked before. */
void table4_free(struct table4 *t, struct conn4 *c);

/* Prefetches the bucket of one of its keys. */
void table4_prefetch_conn(const struct table4 *t, const struct conn4 *c, unsigned int dir);

static inline uint32_t conn4_index(const struct table4 *t, const struct conn4 *c)
{
	return (uint32_t)(c - t->conns);
}

void conn4_key(const struct conn4 *c, unsigned int dir, struct key4 *out);

#endif
