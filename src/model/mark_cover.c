/* SPDX-License-Identifier: BSD-3-Clause */
/* The destinations that mark rules lead to. Compiled for each family: base/family.h. */
#include "model/mark.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t service_of(const struct mark_rule *r, const struct FAM(listener_table) *services)
{
	if (!r->mark || !mark_rule_applies(r, FAM_FAMILY))
		return 0;
	return FAM_FN(listener_table, find_mark)(services, r->mark);
}

static int compare_entries(const void *a, const void *b)
{
	const struct FAM(mark_cover_entry) *x = a, *y = b;

	const int order = memcmp(&x->addr, &y->addr, sizeof(x->addr));

	if (order)
		return order;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return x->service_id < y->service_id ? -1 : x->service_id > y->service_id;
}

static struct FAM(mark_cover) *cover_alloc(uint32_t max)
{
	return calloc(1,
		      sizeof(struct FAM(mark_cover)) + max * sizeof(struct FAM(mark_cover_entry)));
}

static void add_rules(struct FAM(mark_cover) *c, const struct mark_rule *rules, uint32_t n,
		      const struct FAM(listener_table) *services)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t id = service_of(&rules[i], services), parts;
		struct mark_prefix part[MARK_PREFIX_PARTS];

		if (!id)
			continue;
		parts = mark_prefix_split(&rules[i].dest, part);
		for (uint32_t j = 0; j < parts; j++)
			c->entries[c->n++] = (struct FAM(mark_cover_entry)){
				.addr = FAM_FN(addr, of)(&part[j].addr),
				.len = part[j].len,
				.service_id = id};
	}
	qsort(c->entries, c->n, sizeof(c->entries[0]), compare_entries);
	for (uint32_t i = 0; i < c->n; i++)
		if (!k || compare_entries(&c->entries[k - 1], &c->entries[i]))
			c->entries[k++] = c->entries[i];
	c->n = k;
}

/* Both are in order. */
static void add_lingering(struct FAM(mark_cover) *c, const struct FAM(mark_cover) *before)
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
static struct FAM(mark_cover) *cover_finish(struct FAM(mark_cover) *c)
{
	struct FAM(route) *routes = NULL;

	errno = 0;
	if (c->n == 0)
		goto err_free;
	errno = ENOMEM;
	routes = calloc(c->n, sizeof(*routes));
	if (!routes)
		goto err_free;
	for (uint32_t i = 0; i < c->n; i++)
		routes[i] =
			(struct FAM(route)){.addr = c->entries[i].addr, .len = c->entries[i].len};
	c->fib = FAM_FN(fib, create)(routes, c->n);
	if (!c->fib)
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

struct FAM(mark_cover) *FAM_FN(mark_cover, create)(const struct mark_rule *rules, uint32_t n,
						   const struct FAM(listener_table) *services,
						   const struct FAM(mark_cover) *before)
{
	uint32_t max = before ? before->n : 0;
	struct FAM(mark_cover) *c;

	for (uint32_t i = 0; i < n; i++)
		max += service_of(&rules[i], services) ? mark_prefix_parts(&rules[i].dest) : 0;
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

int FAM_FN(mark_cover, trim)(const struct FAM(mark_cover) *c, const uint8_t *busy,
			     struct FAM(mark_cover) **out)
{
	struct FAM(mark_cover) *copy;
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

void FAM_FN(mark_cover, put)(struct FAM(mark_cover) *c)
{
	if (!c || --c->refs > 0)
		return;
	FAM_FN(fib, destroy)(c->fib);
	free(c);
}

bool FAM_FN(mark_cover, has)(const struct FAM(mark_cover) *c, FAM_ADDR dest)
{
	return FAM_FN(fib, find)(c->fib, dest) != NULL;
}
