/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes by longest prefix. Compiled for each family: base/family.h. */
#include "model/fib.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model/table_slots.h"

/* Open addressing over the routes of one prefix length: route index + 1, 0 = free. */
struct FAM(fib_level) {
	uint32_t *slots;
	uint32_t mask;
	uint32_t n;
};

struct FAM(fib) {
	uint64_t local_bits;		     /* first: FAM_FN(fib, may_be_local)() */
	uint64_t lengths[FAM_BITS / 64 + 1]; /* bit per prefix length in use */
	struct FAM(fib_level) level[FAM_BITS + 1];
	struct FAM(fib_level) local; /* the router's own addresses, in full length */
	uint32_t n;
	struct FAM(route) routes[];
};

_Static_assert(offsetof(struct FAM(fib), local_bits) == 0, "read without knowing the rest");

static int level_alloc(struct FAM(fib_level) *l, uint32_t n)
{
	uint32_t slots = table_slots(n);

	l->slots = calloc(slots, sizeof(*l->slots));
	if (l->slots == NULL)
		return -ENOMEM;
	l->mask = slots - 1;
	return 0;
}

/* The slot that holds addr, or the free one where it belongs. */
static uint32_t *level_slot(const struct FAM(fib) *fib, const struct FAM(fib_level) *l,
			    FAM_ADDR addr)
{
	for (uint32_t i = FAM_FN(addr, hash)(addr);; i++) {
		uint32_t *slot = &l->slots[i & l->mask];

		if (*slot == 0 || FAM_FN(addr, equal)(fib->routes[*slot - 1].addr, addr))
			return slot;
	}
}

static bool route_better(const struct FAM(route) *a, const struct FAM(route) *b)
{
	if (a->metric != b->metric)
		return a->metric < b->metric;
	return a->kind == ROUTE_LOCAL && b->kind != ROUTE_LOCAL;
}

static int FAM_FN(fib, alloc_levels)(struct FAM(fib) *fib)
{
	uint32_t locals = 0;

	for (uint32_t i = 0; i < fib->n; i++) {
		fib->level[fib->routes[i].len].n++;
		locals += fib->routes[i].len == FAM_BITS && fib->routes[i].kind == ROUTE_LOCAL;
	}
	for (unsigned int len = 0; len <= FAM_BITS; len++) {
		if (fib->level[len].n == 0)
			continue;
		if (level_alloc(&fib->level[len], fib->level[len].n) < 0)
			return -ENOMEM;
		fib->lengths[len / 64] |= 1ULL << len % 64;
	}
	return level_alloc(&fib->local, locals);
}

struct FAM(fib) *FAM_FN(fib, create)(const struct FAM(route) *routes, uint32_t n)
{
	struct FAM(fib) *fib = calloc(1, sizeof(*fib) + (size_t)n * sizeof(fib->routes[0]));

	if (fib == NULL)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		struct FAM(route) *r = &fib->routes[fib->n];

		if (routes[i].len > FAM_BITS)
			continue;
		*r = routes[i];
		r->addr = FAM_FN(addr, masked)(r->addr, r->len);
		fib->n++;
	}
	if (FAM_FN(fib, alloc_levels)(fib) < 0) {
		FAM_FN(fib, destroy)(fib);
		return NULL;
	}
	for (uint32_t i = 0; i < fib->n; i++) {
		const struct FAM(route) *r = &fib->routes[i];
		uint32_t *slot = level_slot(fib, &fib->level[r->len], r->addr);

		if (*slot == 0 || route_better(r, &fib->routes[*slot - 1]))
			*slot = i + 1;
	}
	for (uint32_t i = 0; i < fib->n; i++) {
		const struct FAM(route) *r = &fib->routes[i];

		/* Only where the local route is the one that wins. */
		if (r->len == FAM_BITS && r->kind == ROUTE_LOCAL &&
		    FAM_FN(fib, find)(fib, r->addr) == r) {
			*level_slot(fib, &fib->local, r->addr) = i + 1;
			fib->local_bits |= FAM_FN(fib, local_bit)(r->addr);
		}
	}
	return fib;
}

void FAM_FN(fib, destroy)(struct FAM(fib) *fib)
{
	if (fib == NULL)
		return;
	for (unsigned int len = 0; len <= FAM_BITS; len++)
		free(fib->level[len].slots);
	free(fib->local.slots);
	free(fib);
}

const struct FAM(route) *FAM_FN(fib, find)(const struct FAM(fib) *fib, FAM_ADDR dest)
{
	if (fib == NULL)
		return NULL;
	for (unsigned int word = FAM_BITS / 64 + 1; word-- > 0;) {
		for (uint64_t left = fib->lengths[word]; left != 0;) {
			unsigned int bit = 63 - (unsigned int)__builtin_clzll(left);
			unsigned int len = word * 64 + bit;
			uint32_t slot =
				*level_slot(fib, &fib->level[len], FAM_FN(addr, masked)(dest, len));

			if (slot != 0)
				return &fib->routes[slot - 1];
			left &= ~(1ULL << bit);
		}
	}
	return NULL;
}

const struct FAM(route) *FAM_FN(fib, find_local)(const struct FAM(fib) *fib, FAM_ADDR dest)
{
	uint32_t slot = *level_slot(fib, &fib->local, dest);

	return slot != 0 ? &fib->routes[slot - 1] : NULL;
}

bool FAM(fib_reaches)(const struct fib *fib, FAM_ADDR addr, link_id link)
{
	const struct FAM(route) *r = FAM_FN(fib, find)(fib->FAM(v), addr);
	const link_id *set;

	if (r == NULL)
		return false;
	if (r->links_at == 0)
		return (r->kind == ROUTE_ONLINK || r->kind == ROUTE_GATEWAY) && r->link == link;
	set = &fib->links_of[r->links_at];
	for (uint32_t i = 1; i <= set[0]; i++)
		if (set[i] == link)
			return true;
	return false;
}
