/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_unbound.h"

#include <stdlib.h>
#include <string.h>

struct slot {
	struct sync_record r;
	uint32_t next; /* in its bucket or among the free; 0 = end */
	uint8_t gen;
	bool used;
};

struct sync_unbound {
	struct slot *slots; /* [max + 1] */
	uint32_t *buckets;
	uint32_t max, mask;
	uint32_t n, unused, free;
};

struct sync_unbound *sync_unbound_create(uint32_t max)
{
	struct sync_unbound *u = calloc(1, sizeof(*u));
	uint32_t n = 64;

	if (!u)
		return NULL;
	while (n < max)
		n *= 2;
	u->max = max;
	u->mask = n - 1;
	u->unused = 1;
	u->slots = calloc((size_t)max + 1, sizeof(*u->slots));
	u->buckets = calloc(n, sizeof(*u->buckets));
	if (u->slots && u->buckets)
		return u;
	sync_unbound_destroy(u);
	return NULL;
}

void sync_unbound_destroy(struct sync_unbound *u)
{
	if (!u)
		return;
	free(u->slots);
	free(u->buckets);
	free(u);
}

static uint32_t *bucket(const struct sync_unbound *u, const struct sync_event *e)
{
	const struct addr client = SYNC_EVENT_ADDR(e, caddr), vip = SYNC_EVENT_ADDR(e, vaddr);
	uint64_t h = ((uint64_t)addr_hash(&client) << 32 | addr_hash(&vip)) * 0x9e3779b97f4a7c15ULL;

	h ^= (uint64_t)e->cport << 24 | (uint64_t)e->vport << 8 | e->proto;
	h = (h ^ h >> 29) * 0xd6e8feb86659fd93ULL;
	return &u->buckets[(uint32_t)(h >> 32) & u->mask];
}

static uint32_t *find(const struct sync_unbound *u, const struct sync_event *key)
{
	uint32_t *at = bucket(u, key);

	while (*at && !sync_event_same(&u->slots[*at].r.e, key))
		at = &u->slots[*at].next;
	return at;
}

bool sync_unbound_put(struct sync_unbound *u, const struct sync_record *r, uint8_t gen)
{
	uint32_t *at = find(u, &r->e), i = *at;

	if (!i) {
		i = u->free;
		if (i)
			u->free = u->slots[i].next;
		else if (u->unused <= u->max)
			i = u->unused++;
		else
			return false;
		u->slots[i].next = 0;
		u->slots[i].used = true;
		*at = i; /* the end of its chain */
		u->n++;
	}
	u->slots[i].r = *r;
	u->slots[i].gen = gen;
	return true;
}

void sync_unbound_del(struct sync_unbound *u, const struct sync_event *key)
{
	uint32_t *at, i;

	if (u->n == 0)
		return;
	at = find(u, key);
	i = *at;
	if (!i)
		return;
	*at = u->slots[i].next;
	u->slots[i].used = false;
	u->slots[i].next = u->free;
	u->free = i;
	u->n--;
}

void sync_unbound_sweep(struct sync_unbound *u, uint8_t gen)
{
	const uint8_t next = gen % SYNC_GEN_MAX + 1;

	for (uint32_t i = 1; i < u->unused && u->n; i++) {
		const struct slot *p = &u->slots[i];

		if (p->used && p->gen != gen && p->gen != next)
			sync_unbound_del(u, &p->r.e);
	}
}

void sync_unbound_clear(struct sync_unbound *u)
{
	memset(u->buckets, 0, ((size_t)u->mask + 1) * sizeof(*u->buckets));
	u->n = u->free = 0;
	u->unused = 1;
}

uint32_t sync_unbound_count(const struct sync_unbound *u)
{
	return u->n;
}

bool sync_unbound_each(struct sync_unbound *u, uint32_t *at, uint32_t budget,
		       bool (*fn)(void *arg, const struct sync_record *r, uint8_t gen, bool *wait),
		       void *arg)
{
	uint32_t i = *at ? *at : 1;

	for (; i < u->unused && u->n && budget; i++, budget--) {
		const struct slot *p = &u->slots[i];
		bool wait = false;

		if (!p->used)
			continue;
		if (fn(arg, &p->r, p->gen, &wait))
			sync_unbound_del(u, &p->r.e);
		if (wait)
			break;
	}
	*at = i < u->unused && u->n ? i : 0;
	return *at == 0;
}
