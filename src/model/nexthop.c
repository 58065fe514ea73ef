/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/nexthop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static uint32_t hash4(link_id link, be32 addr)
{
	return (uint32_t)(((uint64_t)link << 32 | addr) * 0x9e3779b97f4a7c15ULL >> 32);
}

int nexthop_table_init(struct nexthop_table *t, uint32_t capacity)
{
	uint32_t slots = 16;

	memset(t, 0, sizeof(*t));
	if (capacity > MAX_NEXTHOPS)
		capacity = MAX_NEXTHOPS;
	while (slots < capacity * 2)
		slots *= 2;
	t->by_id = calloc(MAX_NEXTHOPS + 1, sizeof(*t->by_id));
	t->used_tick = calloc(MAX_NEXTHOPS + 1, sizeof(*t->used_tick));
	t->slots4 = calloc(slots, sizeof(*t->slots4));
	if (t->by_id == NULL || t->used_tick == NULL || t->slots4 == NULL) {
		nexthop_table_fini(t);
		return -ENOMEM;
	}
	t->mask4 = slots - 1;
	t->capacity = capacity;
	return 0;
}

void nexthop_table_fini(struct nexthop_table *t)
{
	for (uint32_t id = 1; t->by_id != NULL && id <= MAX_NEXTHOPS; id++)
		free((void *)t->by_id[id]);
	free(t->by_id);
	free(t->used_tick);
	free(t->slots4);
	memset(t, 0, sizeof(*t));
}

/*
 * A slot is taken over while others read it: the writer stores TOMB, link, address, id,
 * each with release order. A reader that saw parts of two occupants sees that the id
 * changed when it looks at it again.
 */
bool nexthop_slot_matches(const struct nexthop_slot *s, uint32_t id, link_id link, be32 addr)
{
	return __atomic_load_n(&s->addr, __ATOMIC_ACQUIRE) == addr &&
	       __atomic_load_n(&s->link, __ATOMIC_ACQUIRE) == link &&
	       __atomic_load_n(&s->id, __ATOMIC_RELAXED) == id;
}

/* The slot of (link, addr), or NULL. */
static struct nexthop_slot *slot_find(const struct nexthop_table *t, link_id link, be32 addr,
				      uint32_t *found)
{
	uint32_t start = hash4(link, addr);

	for (uint32_t i = 0; i <= t->mask4; i++) {
		struct nexthop_slot *s = &t->slots4[(start + i) & t->mask4];
		uint32_t id = __atomic_load_n(&s->id, __ATOMIC_ACQUIRE);

		if (id == 0)
			return NULL;
		if (id != NEXTHOP_TOMB && nexthop_slot_matches(s, id, link, addr)) {
			*found = id;
			return s;
		}
	}
	return NULL;
}

uint32_t nexthop_find4(const struct nexthop_table *t, link_id link, be32 addr)
{
	uint32_t id;

	return slot_find(t, link, addr, &id) != NULL ? id : 0;
}

static uint32_t id_take(struct nexthop_table *t)
{
	for (uint32_t i = 0; i < t->capacity; i++) {
		uint32_t id = (t->hint + i) % t->capacity + 1;

		if (t->by_id[id] == NULL) {
			t->hint = id % t->capacity;
			return id;
		}
	}
	return 0;
}

uint32_t nexthop_add4(struct nexthop_table *t, link_id link, be32 addr, struct nexthop *nh)
{
	uint32_t start = hash4(link, addr);
	uint32_t id = t->n < t->capacity ? id_take(t) : 0;

	if (id == 0)
		return 0;
	nh->id = id;
	__atomic_store_n(&t->used_tick[id], 0, __ATOMIC_RELAXED);
	__atomic_store_n(&t->by_id[id], nh, __ATOMIC_RELEASE);
	t->n++;
	/* At most half of the slots are taken by ids in use. */
	for (uint32_t i = start;; i++) {
		struct nexthop_slot *s = &t->slots4[i & t->mask4];

		if (s->id != 0 && s->id != NEXTHOP_TOMB)
			continue;
		__atomic_store_n(&s->link, link, __ATOMIC_RELEASE);
		__atomic_store_n(&s->addr, addr, __ATOMIC_RELEASE);
		__atomic_store_n(&s->id, id, __ATOMIC_RELEASE);
		return id;
	}
}

const struct nexthop *nexthop_replace(struct nexthop_table *t, uint32_t id, struct nexthop *nh)
{
	nh->id = id;
	return __atomic_exchange_n(&t->by_id[id], nh, __ATOMIC_ACQ_REL);
}

void nexthop_unlink4(struct nexthop_table *t, uint32_t id)
{
	const struct nexthop *nh = t->by_id[id];
	struct nexthop_slot *s;
	uint32_t found, i;

	if (nh == NULL)
		return;
	s = slot_find(t, nh->link, nh->addr.v4, &found);
	if (s == NULL || found != id)
		return;
	__atomic_store_n(&s->id, NEXTHOP_TOMB, __ATOMIC_RELEASE);
	/* Tombs at the end of a run lead nowhere: free again, so that misses stay short. */
	i = (uint32_t)(s - t->slots4);
	if (t->slots4[(i + 1) & t->mask4].id != 0)
		return;
	for (; t->slots4[i & t->mask4].id == NEXTHOP_TOMB; i--)
		__atomic_store_n(&t->slots4[i & t->mask4].id, 0, __ATOMIC_RELEASE);
}

const struct nexthop *nexthop_free_id(struct nexthop_table *t, uint32_t id)
{
	const struct nexthop *nh = __atomic_exchange_n(&t->by_id[id], NULL, __ATOMIC_ACQ_REL);

	if (nh != NULL)
		t->n--;
	return nh;
}
