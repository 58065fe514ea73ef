/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family: base/family.h. */
#include "model/local_pool.h"

#include <stdlib.h>
#include <string.h>

/* Both routers of a pair have the same order. */
static int entry_cmp(const void *a, const void *b)
{
	const struct FAM(addr_entry) *x = a, *y = b;

	if (x->link != y->link)
		return x->link < y->link ? -1 : 1;
	return memcmp(&x->addr, &y->addr, sizeof(x->addr));
}

static void links_fill(struct FAM(local_pool) *p, const struct FAM(addr_entry) *v)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct local_pool_link *last = p->n_links ? &p->links[p->n_links - 1] : NULL;

		p->addrs[i] = v[i].addr;
		if (!last || last->link != v[i].link)
			p->links[p->n_links++] =
				(struct local_pool_link){.link = v[i].link, .first = i, .n = 1};
		else if (last->n < LOCAL_POOL_MAX)
			last->n++;
	}
}

struct FAM(local_pool) *FAM_FN(local_pool, create)(const struct FAM(addr_table) *t)
{
	struct FAM(addr_entry) *v = calloc(t->n + 1, sizeof(*v));
	struct FAM(local_pool) *p = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; v && i <= t->mask; i++)
		if (t->slots[i].kinds & ADDR_KIND_POOL)
			v[n++] = t->slots[i];
	if (v)
		p = calloc(1, sizeof(*p) + n * sizeof(p->addrs[0]));
	if (p)
		p->links = calloc(n + 1, sizeof(*p->links));
	if (p && p->links) {
		p->refs = 1;
		p->n = n;
		qsort(v, n, sizeof(*v), entry_cmp);
		links_fill(p, v);
	} else {
		free(p);
		p = NULL;
	}
	free(v);
	return p;
}

void FAM_FN(local_pool, put)(struct FAM(local_pool) *p)
{
	if (!p || --p->refs > 0)
		return;
	free(p->links);
	free(p);
}
