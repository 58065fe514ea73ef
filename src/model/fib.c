/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/fib.h"

#include <stdlib.h>
#include <string.h>

#include <errno.h>

/* Open addressing over the routes of one prefix length: route index + 1, 0 = free. */
struct fib4_level {
	uint32_t *slots;
	uint32_t mask;
	uint32_t n;
};

struct fib4 {
	uint64_t lengths; /* bit per prefix length in use */
	struct fib4_level level[33];
	struct fib4_level local; /* the router's own /32 addresses */
	uint32_t n;
	struct route4 routes[];
};

static be32 mask4(unsigned int len)
{
	return len == 0 ? 0 : be32_from(~0U << (32 - len));
}

static uint32_t hash4(be32 addr)
{
	return (uint32_t)((uint64_t)addr * 0x9e3779b97f4a7c15ULL >> 32);
}

static int level_alloc(struct fib4_level *l, uint32_t n)
{
	uint64_t slots = 4;

	while (slots < (uint64_t)n * 2)
		slots *= 2;
	l->slots = calloc(slots, sizeof(*l->slots));
	if (l->slots == NULL)
		return -ENOMEM;
	l->mask = (uint32_t)(slots - 1);
	return 0;
}

/* The slot that holds addr, or the free one where it belongs. */
static uint32_t *level_slot(const struct fib4 *fib, const struct fib4_level *l, be32 addr)
{
	for (uint32_t i = hash4(addr);; i++) {
		uint32_t *slot = &l->slots[i & l->mask];

		if (*slot == 0 || fib->routes[*slot - 1].addr == addr)
			return slot;
	}
}

static bool route_better(const struct route4 *a, const struct route4 *b)
{
	if (a->metric != b->metric)
		return a->metric < b->metric;
	return a->kind == ROUTE_LOCAL && b->kind != ROUTE_LOCAL;
}

static int fib4_alloc_levels(struct fib4 *fib)
{
	uint32_t locals = 0;

	for (uint32_t i = 0; i < fib->n; i++) {
		fib->level[fib->routes[i].len].n++;
		locals += fib->routes[i].len == 32 && fib->routes[i].kind == ROUTE_LOCAL;
	}
	for (unsigned int len = 0; len <= 32; len++) {
		if (fib->level[len].n == 0)
			continue;
		if (level_alloc(&fib->level[len], fib->level[len].n) < 0)
			return -ENOMEM;
		fib->lengths |= 1ULL << len;
	}
	return level_alloc(&fib->local, locals);
}

struct fib4 *fib4_create(const struct route4 *routes, uint32_t n)
{
	struct fib4 *fib = calloc(1, sizeof(*fib) + (size_t)n * sizeof(fib->routes[0]));

	if (fib == NULL)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		struct route4 *r = &fib->routes[fib->n];

		if (routes[i].len > 32)
			continue;
		*r = routes[i];
		r->addr &= mask4(r->len);
		fib->n++;
	}
	if (fib4_alloc_levels(fib) < 0) {
		fib4_destroy(fib);
		return NULL;
	}
	for (uint32_t i = 0; i < fib->n; i++) {
		const struct route4 *r = &fib->routes[i];
		uint32_t *slot = level_slot(fib, &fib->level[r->len], r->addr);

		if (*slot == 0 || route_better(r, &fib->routes[*slot - 1]))
			*slot = i + 1;
	}
	for (uint32_t i = 0; i < fib->n; i++) {
		const struct route4 *r = &fib->routes[i];

		/* Only where the local route is the one that wins. */
		if (r->len == 32 && r->kind == ROUTE_LOCAL && fib4_find(fib, r->addr) == r)
			*level_slot(fib, &fib->local, r->addr) = i + 1;
	}
	return fib;
}

void fib4_destroy(struct fib4 *fib)
{
	if (fib == NULL)
		return;
	for (unsigned int len = 0; len <= 32; len++)
		free(fib->level[len].slots);
	free(fib->local.slots);
	free(fib);
}

const struct route4 *fib4_find(const struct fib4 *fib, be32 dest)
{
	for (uint64_t left = fib->lengths; left != 0;) {
		unsigned int len = 63 - (unsigned int)__builtin_clzll(left);
		uint32_t slot = *level_slot(fib, &fib->level[len], dest & mask4(len));

		if (slot != 0)
			return &fib->routes[slot - 1];
		left &= ~(1ULL << len);
	}
	return NULL;
}

const struct route4 *fib4_find_local(const struct fib4 *fib, be32 dest)
{
	uint32_t slot = *level_slot(fib, &fib->local, dest);

	return slot != 0 ? &fib->routes[slot - 1] : NULL;
}

bool fib_reaches4(const struct fib *fib, be32 addr, link_id link)
{
	const struct route4 *r = fib4_find(fib->v4, addr);
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

struct fib *fib_create(void)
{
	return calloc(1, sizeof(struct fib));
}

void fib_destroy(struct fib *fib)
{
	if (fib == NULL)
		return;
	fib4_destroy(fib->v4);
	for (unsigned int port = 0; port < MAX_PORTS; port++)
		free(fib->links[port]);
	free(fib->links_of);
	free(fib);
}

int fib_set_link(struct fib *fib, link_id link, const struct link_info *info)
{
	struct link_info **page;

	if (link >= LINK_MAX)
		return -EINVAL;
	page = &fib->links[link_port(link)];
	if (*page == NULL) {
		*page = calloc(4096, sizeof(**page));
		if (*page == NULL)
			return -ENOMEM;
	}
	(*page)[link_vlan(link)] = *info;
	return 0;
}
