/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/table4.h"

#include <errno.h>
#include <string.h>

#include "dataplane/pages.h"

/* Two keys for each NAT connection at three quarters of the ways, rounded up to a power of
 * two: mostly five or six of eight ways in use. Overflow buckets serve the tail. */
static uint32_t table4_buckets(uint32_t capacity)
{
	uint64_t want = (uint64_t)capacity * 2 / 6 + 1;
	uint32_t n = 8;

	while (n < want)
		n <<= 1;
	return n;
}

int table4_create(struct table4 *t, uint32_t capacity, int socket, uint64_t seed)
{
	uint32_t n;

	memset(t, 0, sizeof(*t));
	n = table4_buckets(capacity);
	t->n_buckets = n;
	t->bucket_mask = n - 1;
	t->n_overflow = n / 8 + 8;
	t->seed = seed;
	t->capacity = capacity;
	t->map_bytes[0] = sizeof(struct bucket4) * ((size_t)n + t->n_overflow);
	t->map_bytes[1] = sizeof(struct conn4) * ((size_t)capacity + 1);
	t->buckets = pages_alloc(t->map_bytes[0], socket);
	t->conns = pages_alloc(t->map_bytes[1], socket);
	if (!t->buckets || !t->conns) {
		table4_destroy(t);
		return -ENOMEM;
	}
	t->bytes = t->map_bytes[0] + t->map_bytes[1];
	for (uint32_t i = 0; i < t->n_overflow; i++)
		t->buckets[n + i].overflow = i + 1 < t->n_overflow ? n + i + 1 : 0;
	t->overflow_free = n;
	t->unused = 1;
	return 0;
}

void table4_destroy(struct table4 *t)
{
	pages_free(t->buckets, t->map_bytes[0]);
	pages_free(t->conns, t->map_bytes[1]);
	memset(t, 0, sizeof(*t));
}

void conn4_key(const struct conn4 *c, unsigned int dir, struct key4 *out)
{
	const be32 *a = dir == DIR_OUT ? &c->daddr : &c->caddr;
	const be16 *p = dir == DIR_OUT ? &c->dport : &c->cport;

	memset(out, 0, sizeof(*out));
	out->saddr = a[0];
	out->daddr = a[1];
	out->sport = p[0];
	out->dport = p[1];
	out->proto = c->c.proto;
}

struct conn4 *table4_find_overflow(const struct table4 *t, const struct bucket4 *b,
				   const struct key4 *k, uint32_t hash, unsigned int dir)
{
	for (;; b = &t->buckets[b->overflow]) {
		struct conn4 *c = bucket4_find(t, b, k, hash, dir);

		if (c || !b->overflow)
			return c;
	}
}

struct conn4 *table4_alloc(struct table4 *t)
{
	struct conn4 *c;
	uint16_t serial;

	if (t->free) {
		c = &t->conns[t->free];
		t->free = c->c.next;
	} else if (t->unused <= t->capacity) {
		c = &t->conns[t->unused++];
	} else {
		return NULL;
	}
	serial = c->serial;
	memset(c, 0, sizeof(*c));
	c->serial = (uint16_t)(serial + 1);
	c->c.flags = CONN_F_LIVE;
	t->n++;
	return c;
}

void table4_free(struct table4 *t, struct conn4 *c)
{
	c->c.flags = 0;
	c->c.next = t->free;
	t->free = conn4_index(t, c);
	t->freed++;
	t->n--;
}

void table4_prefetch_conn(const struct table4 *t, const struct conn4 *c, unsigned int dir)
{
	struct key4 k;

	conn4_key(c, dir, &k);
	__builtin_prefetch(table4_bucket(t, table4_hash(t, &k)), 1);
}

/* A bucket of the chain with a free way, or a fresh overflow bucket, or NULL. */
static struct bucket4 *chain_room(struct table4 *t, struct bucket4 *b, unsigned int *way)
{
	for (;;) {
		unsigned int room = bucket4_match(b, 0);
		uint32_t fresh;

		if (room) {
			*way = (unsigned int)__builtin_ctz(room);
			return b;
		}
		if (b->overflow) {
			b = &t->buckets[b->overflow];
			continue;
		}
		fresh = t->overflow_free;
		if (!fresh)
			return NULL;
		t->overflow_free = t->buckets[fresh].overflow;
		t->buckets[fresh].overflow = 0;
		b->overflow = fresh;
		b = &t->buckets[fresh];
	}
}

int table4_link(struct table4 *t, struct conn4 *c, unsigned int dir, struct conn4 **other)
{
	struct conn4 *taken;
	struct bucket4 *b;
	unsigned int way;
	struct key4 k;
	uint32_t hash;

	conn4_key(c, dir, &k);
	hash = table4_hash(t, &k);
	taken = table4_find(t, &k, hash, dir);
	if (taken) {
		if (other)
			*other = taken;
		return -EEXIST;
	}
	b = chain_room(t, table4_bucket(t, hash), &way);
	if (!b)
		return -ENOSPC;
	b->tag[way] = table4_tag(hash);
	b->ref[way] = conn4_index(t, c) << 1 | dir;
	return 0;
}

/* Gives an emptied overflow bucket back to the free ones. */
static void chain_trim(struct table4 *t, struct bucket4 *before, struct bucket4 *b)
{
	if (!before || bucket4_match(b, 0) != 0xff)
		return;
	before->overflow = b->overflow;
	b->overflow = t->overflow_free;
	t->overflow_free = (uint32_t)(b - t->buckets);
}

void table4_unlink(struct table4 *t, struct conn4 *c, unsigned int dir)
{
	struct bucket4 *b, *before = NULL;
	uint32_t ref = conn4_index(t, c) << 1 | dir;
	struct key4 k;
	uint32_t hash;

	conn4_key(c, dir, &k);
	hash = table4_hash(t, &k);
	for (b = table4_bucket(t, hash);; before = b, b = &t->buckets[b->overflow]) {
		unsigned int hits = bucket4_match(b, table4_tag(hash));

		for (; hits; hits &= hits - 1) {
			unsigned int way = (unsigned int)__builtin_ctz(hits);

			if (b->ref[way] != ref)
				continue;
			b->tag[way] = 0;
			b->ref[way] = 0;
			chain_trim(t, before, b);
			return;
		}
		if (!b->overflow)
			return;
	}
}
