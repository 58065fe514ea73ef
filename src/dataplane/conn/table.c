/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/conn/table.h"

#include <errno.h>
#include <string.h>

#include "dataplane/pages.h"

/* Two keys for each NAT connection at three quarters of the ways, rounded up to a power of
 * two: mostly five of eight ways in use, six at most. At six, 15 % of the buckets have more than
 * eight keys: overflow buckets are a quarter as many. */
static uint32_t buckets_for(uint32_t capacity)
{
	uint64_t want = (uint64_t)capacity * 2 / 6 + 1;
	uint32_t n = 8;

	while (n < want)
		n <<= 1;
	return n;
}

int FAM_FN(table, create)(struct FAM(table) *t, uint32_t capacity, int socket, uint64_t seed)
{
	uint32_t n;

	memset(t, 0, sizeof(*t));
	n = buckets_for(capacity);
	t->n_buckets = n;
	t->bucket_mask = n - 1;
	t->n_overflow = n / 4 + 8;
	t->seed = seed;
	t->capacity = capacity;
	t->map_bytes[0] = sizeof(struct bucket) * ((size_t)n + t->n_overflow);
	t->map_bytes[1] = sizeof(struct FAM(conn)) * 2 * ((size_t)capacity + 1);
	t->buckets = pages_alloc(t->map_bytes[0], socket);
	t->conns = pages_alloc(t->map_bytes[1], socket);
	if (!t->buckets || !t->conns) {
		FAM_FN(table, destroy)(t);
		return -ENOMEM;
	}
	t->bytes = t->map_bytes[0] + sizeof(struct FAM(conn)) * ((size_t)capacity + 1);
	/* Nothing is written here: a table without connections has no memory of its own. */
	t->overflow_unused = n;
	t->unused = 1;
	t->half_first = capacity + 1;
	t->local_unused[0] = t->local_unused[1] = 1;
	return 0;
}

void FAM_FN(table, destroy)(struct FAM(table) *t)
{
	pages_free(t->buckets, t->map_bytes[0]);
	pages_free(t->conns, t->map_bytes[1]);
	memset(t, 0, sizeof(*t));
}

void FAM_FN(conn, key)(const struct FAM(table) *t, const struct FAM(conn) *c, unsigned int dir,
		       struct FAM(key) *out)
{
	const unsigned int first = end_first(dir);

	memset(out, 0, sizeof(*out));
	out->saddr = c->addr[first];
	out->daddr = c->addr[first + 1];
	out->sport = c->port[first];
	out->dport = c->port[first + 1];
	out->proto = c->c.proto;
	if (unlikely(dir && FAM_FN(conn, has_local)(c))) {
		out->daddr = *FAM_FN(conn, local_addr)(t, c);
		out->dport = c->c.lport;
	}
}

struct FAM(conn) *FAM_FN(table, find_overflow)(const struct FAM(table) *t, const struct bucket *b,
					       const struct FAM(key) *k, uint32_t hash,
					       unsigned int dir)
{
	for (;; b = &t->buckets[b->overflow]) {
		struct FAM(conn) *c = FAM_FN(bucket, find)(t, b, k, hash, dir);

		if (c || !b->overflow)
			return c;
	}
}

struct FAM(conn) *FAM_FN(table, alloc)(struct FAM(table) *t)
{
	struct FAM(conn) *c;

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

void FAM_FN(table, free)(struct FAM(table) *t, struct FAM(conn) *c)
{
	c->c.flags = 0;
	c->c.free_next = t->free;
	t->free = FAM_FN(conn, index)(t, c);
	t->freed++;
	t->n--;
}

struct FAM(conn) *FAM_FN(table, alloc_half)(struct FAM(table) *t, uint32_t index)
{
	struct FAM(conn) *const h = &t->conns[t->half_first + index];

	if (index >= t->half_first)
		return NULL;
	FAM_FN(table, local_begin)(t, index, true);
	memset(h, 0, sizeof(*h));
	return h;
}

void FAM_FN(table, free_half)(struct FAM(table) *t, struct FAM(conn) *h)
{
	h->c.flags = 0;
	t->n_locals--;
}

void FAM_FN(table, prefetch_conn)(const struct FAM(table) *t, const struct FAM(conn) *c,
				  unsigned int dir)
{
	__builtin_prefetch(FAM_FN(table, bucket)(t, FAM_FN(conn, hash)(t, c, dir)), 1);
}

/* An empty bucket for the end of a chain: a freed one, else a fresh one. 0: none is left. */
static uint32_t overflow_take(struct FAM(table) *t)
{
	uint32_t fresh = t->overflow_free;

	if (fresh) {
		t->overflow_free = t->buckets[fresh].overflow;
		t->buckets[fresh].overflow = 0;
	} else if (t->overflow_unused < t->n_buckets + t->n_overflow) {
		fresh = t->overflow_unused++;
	}
	return fresh;
}

/* A bucket of the chain with a free way, or a fresh overflow bucket, or NULL. */
static struct bucket *chain_room(struct FAM(table) *t, struct bucket *b, unsigned int *way)
{
	for (;;) {
		unsigned int room = bucket_match(b, 0);
		uint32_t fresh;

		if (room) {
			*way = (unsigned int)__builtin_ctz(room);
			return b;
		}
		if (b->overflow) {
			b = &t->buckets[b->overflow];
			continue;
		}
		fresh = overflow_take(t);
		if (!fresh)
			return NULL;
		b->overflow = fresh;
		b = &t->buckets[fresh];
	}
}

int FAM_FN(table, add)(struct FAM(table) *t, struct FAM(conn) *c, unsigned int dir, uint32_t hash)
{
	unsigned int way;
	struct bucket *b = chain_room(t, FAM_FN(table, bucket)(t, hash), &way);

	if (!b)
		return -ENOSPC;
	b->tag[way] = table_tag(hash);
	b->ref[way] = FAM_FN(conn, index)(t, c) << 1 | dir;
	return 0;
}

int FAM_FN(table, link_hashed)(struct FAM(table) *t, struct FAM(conn) *c, unsigned int dir,
			       uint32_t hash, struct FAM(conn) **other)
{
	const struct bucket *const b = FAM_FN(table, bucket)(t, hash);
	struct FAM(conn) *taken;
	struct FAM(key) k;

	if (likely(!bucket_match(b, table_tag(hash)) && !b->overflow))
		return FAM_FN(table, add)(t, c, dir, hash);
	FAM_FN(conn, key)(t, c, dir, &k);
	taken = FAM_FN(table, find)(t, &k, hash, dir);
	if (!taken)
		return FAM_FN(table, add)(t, c, dir, hash);
	if (other)
		*other = taken;
	return -EEXIST;
}

int FAM_FN(table, link)(struct FAM(table) *t, struct FAM(conn) *c, unsigned int dir,
			struct FAM(conn) **other)
{
	return FAM_FN(table, link_hashed)(t, c, dir, FAM_FN(conn, hash)(t, c, dir), other);
}

/* The last bucket of a chain fills the hole at b's way, so that a chain is never longer than its
 * keys need: in a full table with much coming and going, overflow buckets with a key or two
 * would use up all there are. An emptied one goes back to the free ones. */
static void chain_close(struct FAM(table) *t, struct bucket *head, struct bucket *b,
			unsigned int way)
{
	struct bucket *before = NULL, *last = head;
	unsigned int from;

	if (likely(!head->overflow))
		return;
	while (last->overflow) {
		before = last;
		last = &t->buckets[last->overflow];
	}
	if (last != b) {
		from = (unsigned int)__builtin_ctz(~bucket_match(last, 0));
		b->tag[way] = last->tag[from];
		b->ref[way] = last->ref[from];
		last->tag[from] = 0;
		last->ref[from] = 0;
	}
	if (bucket_match(last, 0) != 0xff)
		return;
	before->overflow = 0;
	last->overflow = t->overflow_free;
	t->overflow_free = (uint32_t)(last - t->buckets);
}

void FAM_FN(table, unlink)(struct FAM(table) *t, struct FAM(conn) *c, unsigned int dir)
{
	const uint32_t ref = FAM_FN(conn, index)(t, c) << 1 | dir,
		       hash = FAM_FN(conn, hash)(t, c, dir);
	struct bucket *const head = FAM_FN(table, bucket)(t, hash), *b;

	for (b = head;; b = &t->buckets[b->overflow]) {
		unsigned int hits = bucket_match(b, table_tag(hash));

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
