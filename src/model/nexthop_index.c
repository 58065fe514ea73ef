/* SPDX-License-Identifier: BSD-3-Clause */
/* From (link, address) to the id of a next hop. Compiled for each family: base/family.h. */
#include "model/nexthop.h"

static uint32_t slot_hash(link_id link, FAM_ADDR addr)
{
	uint64_t h = FAM_FN(addr, mix)(addr);

	return (uint32_t)(((h ^ h >> 32 ^ link) * ADDR_MIX) >> 32);
}

/*
 * A slot is taken over while others read it: the writer stores TOMB, link, address, id,
 * each with release order. A reader that saw parts of two occupants sees that the id
 * changed when it looks at it again.
 */
bool FAM_FN(nexthop_slot, matches)(const struct FAM(nexthop_slot) *s, uint32_t id, link_id link,
				   FAM_ADDR addr)
{
	return FAM_FN(addr, equal)(FAM_FN(addr, load_acquire)(&s->addr), addr) &&
	       __atomic_load_n(&s->link, __ATOMIC_ACQUIRE) == link &&
	       __atomic_load_n(&s->id, __ATOMIC_RELAXED) == id;
}

/* The slot of (link, addr), or NULL. */
static struct FAM(nexthop_slot) *slot_find(const struct nexthop_table *t, link_id link,
					   FAM_ADDR addr, uint32_t *found)
{
	uint32_t start = slot_hash(link, addr);

	for (uint32_t i = 0; i <= t->mask; i++) {
		struct FAM(nexthop_slot) *s = &t->FAM(slots)[(start + i) & t->mask];
		uint32_t id = __atomic_load_n(&s->id, __ATOMIC_ACQUIRE);

		if (id == 0)
			return NULL;
		if (id != NEXTHOP_TOMB && FAM_FN(nexthop_slot, matches)(s, id, link, addr)) {
			*found = id;
			return s;
		}
	}
	return NULL;
}

uint32_t FAM(nexthop_find)(const struct nexthop_table *t, link_id link, FAM_ADDR addr)
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

uint32_t FAM(nexthop_add)(struct nexthop_table *t, link_id link, FAM_ADDR addr, struct nexthop *nh)
{
	uint32_t start = slot_hash(link, addr);
	uint32_t id = t->n < t->capacity ? id_take(t) : 0;

	if (id == 0)
		return 0;
	nh->id = id;
	__atomic_store_n(&t->used_tick[id], 0, __ATOMIC_RELAXED);
	__atomic_store_n(&t->by_id[id], nh, __ATOMIC_RELEASE);
	t->n++;
	/* At most half of the slots are taken by ids in use. */
	for (uint32_t i = start;; i++) {
		struct FAM(nexthop_slot) *s = &t->FAM(slots)[i & t->mask];

		if (s->id != 0 && s->id != NEXTHOP_TOMB)
			continue;
		__atomic_store_n(&s->link, link, __ATOMIC_RELEASE);
		FAM_FN(addr, store_release)(&s->addr, addr);
		__atomic_store_n(&s->id, id, __ATOMIC_RELEASE);
		return id;
	}
}

void FAM(nexthop_unlink)(struct nexthop_table *t, uint32_t id)
{
	const struct nexthop *nh = t->by_id[id];
	struct FAM(nexthop_slot) *s;
	uint32_t found, i;

	if (nh == NULL)
		return;
	s = slot_find(t, nh->link, FAM_FN(addr, of)(&nh->addr), &found);
	if (s == NULL || found != id)
		return;
	__atomic_store_n(&s->id, NEXTHOP_TOMB, __ATOMIC_RELEASE);
	/* Tombs at the end of a run lead nowhere: free again, so that misses stay short. */
	i = (uint32_t)(s - t->FAM(slots));
	if (t->FAM(slots)[(i + 1) & t->mask].id != 0)
		return;
	for (; t->FAM(slots)[i & t->mask].id == NEXTHOP_TOMB; i--)
		__atomic_store_n(&t->FAM(slots)[i & t->mask].id, 0, __ATOMIC_RELEASE);
}
