/* SPDX-License-Identifier: BSD-3-Clause */
/* Filling the frozen table of the bare loop. Compiled for each address family. */
#include "frozen.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_hash_crc.h>

#include "dataplane/pages.h"

static void key_put(struct FAM(frozen) *t, const struct FAM(key) *key, uint32_t ref)
{
	const uint32_t hash = FAM_FN(frozen, hash)(t, key);
	struct frozen_bucket *b = FAM_FN(frozen, bucket)(t, hash);
	unsigned int free_ways;

	while (!(free_ways = frozen_match(b, 0))) {
		if (!b->overflow)
			b->overflow = t->overflow_unused++;
		b = &t->buckets[b->overflow];
	}
	b->tag[__builtin_ctz(free_ways)] = frozen_tag(hash);
	b->ref[__builtin_ctz(free_ways)] = ref;
	if (t->hash && rte_hash_add_key_data(t->hash, key, (void *)(uintptr_t)ref) != 0)
		fail("rte_hash takes no more keys");
}

static void conn_put(struct FAM(frozen) *t, const struct FAM(table) *from, uint32_t index)
{
	const struct FAM(conn) *c = &from->conns[index];
	struct FAM(frozen_conn) *f = &t->conns[index];
	struct FAM(key) key;

	f->c = (struct frozen_entry){
		.tick = c->c.tick,
		.gen = c->c.gen,
		.server = c->c.server,
		.nexthop = {c->c.nexthop[0], c->c.nexthop[1]},
		.l4_delta = c->c.l4_delta,
		.ip_delta = c->c.ip_delta,
		.state = c->c.state,
		.flags = c->c.flags,
		.proto = c->c.proto,
		.method = c->c.method,
	};
	memcpy(f->addr, c->addr, sizeof(f->addr));
	memcpy(f->port, c->port, sizeof(f->port));
	for (unsigned int dir = DIR_IN; dir <= DIR_OUT; dir++) {
		if (dir == DIR_OUT && !(c->c.flags & CONN_F_OUT_KEY))
			continue;
		FAM_FN(conn, key)(from, c, dir, &key);
		key_put(t, &key, index << 1 | dir);
	}
}

/* NULL: DPDK has no memory for it. */
static struct rte_hash *hash_make(uint32_t keys)
{
	static unsigned int serial;
	char name[32];
	const struct rte_hash_parameters p = {
		.name = name,
		.entries = keys + keys / 4 + 64,
		.key_len = sizeof(struct FAM(key)),
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY,
	};

	snprintf(name, sizeof(name), "yardstick%u-%u", FAMILY, serial++);
	return rte_hash_create(&p);
}

static struct FAM(frozen) *make(const struct scene *s)
{
	const struct FAM(table) *from = &s->w->FAM(v).table;
	struct FAM(frozen) *t = calloc(1, sizeof(*t));
	uint32_t n = 8;

	if (!t)
		fail("no memory for a table");
	while (n < (uint64_t)from->capacity * 2 / 6 + 1)
		n <<= 1;
	t->bucket_mask = n - 1;
	t->seed = from->seed;
	/* As many as could be needed at most: what is not touched has no memory. */
	t->map_bytes[0] = sizeof(struct frozen_bucket) * ((size_t)n + from->capacity + 8);
	t->map_bytes[1] = sizeof(struct FAM(frozen_conn)) * ((size_t)from->capacity + 1);
	t->buckets = pages_alloc(t->map_bytes[0], -1);
	t->conns = pages_alloc(t->map_bytes[1], -1);
	if (!t->buckets || !t->conns)
		fail("no memory for a table");
	t->overflow_unused = n;
	if (s->yardstick)
		t->hash = hash_make(from->capacity * (scene_replies(s) ? 2 : 1));
	for (uint32_t i = 1; i < from->unused; i++)
		if (from->conns[i].c.flags & CONN_F_LIVE)
			conn_put(t, from, i);
	return t;
}

struct FAM(frozen) *FAM_FN(frozen, of)(struct scene *s)
{
	if (unlikely(!s->frozen[FAMILY == 6]))
		s->frozen[FAMILY == 6] = make(s);
	return s->frozen[FAMILY == 6];
}

void FAM_FN(frozen, free)(struct scene *s)
{
	struct FAM(frozen) *t = s->frozen[FAMILY == 6];

	if (!t)
		return;
	pages_free(t->buckets, t->map_bytes[0]);
	pages_free(t->conns, t->map_bytes[1]);
	rte_hash_free(t->hash);
	free(t);
	s->frozen[FAMILY == 6] = NULL;
}
