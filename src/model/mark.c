/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/mark.h"

#include <errno.h>
#include <stdlib.h>

#include "model/fib.h"

static uint32_t ports_entries(const struct mark_ports *p)
{
	if (!p->negate || p->last == 0)
		return 1;
	return (p->first > 0) + (p->last < UINT16_MAX);
}

static uint32_t prefix_entries(const struct mark_prefix *p)
{
	return p->negate ? p->len : 1;
}

uint32_t mark_rule4_entries(const struct mark_rule4 *r)
{
	return prefix_entries(&r->source) * prefix_entries(&r->dest) * ports_entries(&r->sport) *
	       ports_entries(&r->dport) * (r->link_negate ? 2 : 1);
}

/* All but a prefix: what differs from it first in its first bit, its second, ... */
uint32_t mark_prefix_split(const struct mark_prefix *p, struct mark_prefix out[32])
{
	if (!p->negate) {
		out[0] = *p;
		return 1;
	}
	for (uint8_t i = 0; i < p->len; i++) {
		uint32_t bit = 0x80000000U >> i, keep = ~(bit - 1);

		out[i] = (struct mark_prefix){
			.addr = be32_from((be32_to(p->addr) ^ bit) & keep),
			.len = (uint8_t)(i + 1),
		};
	}
	return p->len;
}

static bool has_service(const struct mark_rule4 *r, const struct listener_table4 *services)
{
	return r->mark && listener_table4_find(services, LISTENER_MARK, r->mark, 0);
}

struct mark_cover *mark_cover_create(const struct mark_rule4 *rules, uint32_t n,
				     const struct listener_table4 *services)
{
	struct mark_cover *c;
	struct route4 *routes;
	uint32_t n_routes = 0, max = 0;

	errno = 0;
	for (uint32_t i = 0; i < n; i++)
		max += has_service(&rules[i], services) ? prefix_entries(&rules[i].dest) : 0;
	if (max == 0)
		return NULL;
	c = calloc(1, sizeof(*c));
	routes = calloc(max, sizeof(*routes));
	for (uint32_t i = 0; c && routes && i < n; i++) {
		struct mark_prefix part[32];
		uint32_t parts;

		if (!has_service(&rules[i], services))
			continue;
		parts = mark_prefix_split(&rules[i].dest, part);
		for (uint32_t k = 0; k < parts; k++)
			routes[n_routes++] =
				(struct route4){.addr = part[k].addr, .len = part[k].len};
	}
	if (c && routes)
		c->v4 = fib4_create(routes, n_routes);
	free(routes);
	if (!c || !c->v4) {
		free(c);
		errno = ENOMEM;
		return NULL;
	}
	c->refs = 1;
	return c;
}

void mark_cover_put(struct mark_cover *c)
{
	if (!c || --c->refs > 0)
		return;
	fib4_destroy(c->v4);
	free(c);
}

bool mark_cover_has(const struct mark_cover *c, be32 dest)
{
	return fib4_find(c->v4, dest) != NULL;
}

void mark_table_put(struct mark_table *t)
{
	if (t && --t->refs == 0)
		t->destroy(t);
}
