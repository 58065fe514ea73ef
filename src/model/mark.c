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

static uint32_t service_of(const struct mark_rule4 *r, const struct listener_table4 *services)
{
	return r->mark ? listener_table4_find(services, LISTENER_MARK, r->mark, 0) : 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct mark_cover_entry *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->service_id < y->service_id ? -1 : x->service_id > y->service_id;
}

static struct mark_cover *cover_alloc(uint32_t max)
{
	return calloc(1, sizeof(struct mark_cover) + max * sizeof(struct mark_cover_entry));
}

static void add_rules(struct mark_cover *c, const struct mark_rule4 *rules, uint32_t n,
		      const struct listener_table4 *services)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t id = service_of(&rules[i], services), parts;
		struct mark_prefix part[32];

		if (!id)
			continue;
		parts = mark_prefix_split(&rules[i].dest, part);
		for (uint32_t j = 0; j < parts; j++)
			c->entries[c->n++] = (struct mark_cover_entry){
				.addr = part[j].addr, .len = part[j].len, .service_id = id};
	}
	qsort(c->entries, c->n, sizeof(c->entries[0]), compare_entries);
	for (uint32_t i = 0; i < c->n; i++)
		if (!k || compare_entries(&c->entries[k - 1], &c->entries[i]))
			c->entries[k++] = c->entries[i];
	c->n = k;
}

/* Both are in order. */
static void add_lingering(struct mark_cover *c, const struct mark_cover *before)
{
	const uint32_t n = c->n;
	uint32_t at = 0;

	for (uint32_t i = 0; i < before->n && c->n_linger < MARK_COVER_LINGER_MAX; i++) {
		while (at < n && compare_entries(&c->entries[at], &before->entries[i]) < 0)
			at++;
		if (at < n && !compare_entries(&c->entries[at], &before->entries[i]))
			continue;
		c->entries[c->n] = before->entries[i];
		c->entries[c->n++].lingering = true;
		c->n_linger++;
	}
	qsort(c->entries, c->n, sizeof(c->entries[0]), compare_entries);
}

/* Takes c over. */
static struct mark_cover *cover_finish(struct mark_cover *c)
{
	struct route4 *routes = NULL;

	errno = 0;
	if (c->n == 0)
		goto err_free;
	errno = ENOMEM;
	routes = calloc(c->n, sizeof(*routes));
	if (!routes)
		goto err_free;
	for (uint32_t i = 0; i < c->n; i++)
		routes[i] = (struct route4){.addr = c->entries[i].addr, .len = c->entries[i].len};
	c->v4 = fib4_create(routes, c->n);
	if (!c->v4)
		goto err_free;
	free(routes);
	c->refs = 1;
	errno = 0;
	return c;
err_free:
	free(routes);
	free(c);
	return NULL;
}

struct mark_cover *mark_cover_create(const struct mark_rule4 *rules, uint32_t n,
				     const struct listener_table4 *services,
				     const struct mark_cover *before)
{
	uint32_t max = before ? before->n : 0;
	struct mark_cover *c;

	for (uint32_t i = 0; i < n; i++)
		max += service_of(&rules[i], services) ? prefix_entries(&rules[i].dest) : 0;
	errno = 0;
	if (max == 0)
		return NULL;
	c = cover_alloc(max);
	if (!c) {
		errno = ENOMEM;
		return NULL;
	}
	add_rules(c, rules, n, services);
	if (before)
		add_lingering(c, before);
	return cover_finish(c);
}

int mark_cover_trim(const struct mark_cover *c, const uint8_t *busy, struct mark_cover **out)
{
	struct mark_cover *copy;
	bool trims = false;

	for (uint32_t i = 0; i < c->n; i++)
		trims |= c->entries[i].lingering && !busy[c->entries[i].service_id];
	if (!trims)
		return 0;
	copy = cover_alloc(c->n);
	if (!copy)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n; i++) {
		if (c->entries[i].lingering && !busy[c->entries[i].service_id])
			continue;
		copy->n_linger += c->entries[i].lingering;
		copy->entries[copy->n++] = c->entries[i];
	}
	*out = cover_finish(copy);
	return !*out && errno ? -ENOMEM : 1;
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
