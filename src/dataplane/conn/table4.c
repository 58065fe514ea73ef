/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/table4.h"

#include <errno.h>
#include <string.h>

#include "dataplane/pages.h"

/* Two keys for each NAT connection at three quarters of the ways, rounded up to a power of
 * two: mostly five of eight ways in use, six at most. At six, 15 % of the buckets have more than
 * eight keys: overflow buckets are a quarter as many. */
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
	t->n_overflow = n / 4 + 8;
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

	if (t->free) {
		c = &t->conns[t->free];
		t->free = c->c.free_next;
	} else if (t->unused <= t->capacity) {
		c = &t->conns[t->unused++];
	} else {
		return NULL;
	}
	memset(c, 0, sizeof(*c));
	c->c.flags = CONN_F_LIVE;
	t->n++;
	return c;
}

void table4_free(struct table4 *t, struct conn4 *c)
{
	c->c.flags = 0;
	c->c.free_next = t->free;
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

/* The last bucket of a chain fills the hole at b's way, so that a chain is never longer than its
 * keys need: in a full table with much coming and going, overflow buckets with a key or two
 * would use up all there are. An emptied one goes back to the free ones. */
static void chain_close(struct table4 *t, struct bucket4 *head, struct bucket4 *b, unsigned int way)
{
	struct bucket4 *before = NULL, *last = head;
	unsigned int from;

	if (likely(!head->overflow))
		return;
	while (last->overflow) {
		before = last;
		last = &t->buckets[last->overflow];
	}
	if (last != b) {
		from = (unsigned int)__builtin_ctz(~bucket4_match(last, 0));
		b->tag[way] = last->tag[from];
		b->ref[way] = last->ref[from];
		last->tag[from] = 0;
		last->ref[from] = 0;
	}
	if (bucket4_match(last, 0) != 0xff)
		return;
	before->overflow = 0;
	last->overflow = t->overflow_free;
	t->overflow_free = (uint32_t)(last - t->buckets);
}

void table4_unlink(struct table4 *t, struct conn4 *c, unsigned int dir)
{
	uint32_t ref = conn4_index(t, c) << 1 | dir;
	struct bucket4 *b, *head;
	struct key4 k;
	uint32_t hash;

	conn4_key(c, dir, &k);
	hash = table4_hash(t, &k);
	head = table4_bucket(t, hash);
	for (b = head;; b = &t->buckets[b->overflow]) {
		unsigned int hits = bucket4_match(b, table4_tag(hash));

		for (; hits; hits &= hits - 1) {
			unsigned int way = (unsigned int)__builtin_ctz(hits);

			if (b->ref[way] != ref)
				continue;
			b->tag[way] = 0;
			b->ref[way] = 0;
			chain_close(t, head, b, way);
			return;
		}
		if (!b->overflow)
			return;
	}
}
