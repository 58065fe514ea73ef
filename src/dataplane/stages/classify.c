/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/classify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_acl.h>

#include "base/error_text.h"
#include "dataplane/stages/classify_internal.h"

/* --- counters --- */

static int index_cmp(const void *a, const void *b, void *rules)
{
	const struct mark_rule *r = rules;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = memcmp(&r[x], &r[y], sizeof(*r));

	return order ? order : (x > y) - (x < y);
}

static uint32_t *sorted(const struct classifier *c)
{
	uint32_t *v = calloc(c->n + 1, sizeof(*v));

	for (uint32_t i = 0; v && i < c->n; i++)
		v[i] = i;
	if (v)
		qsort_r(v, c->n, sizeof(*v), index_cmp, c->rules);
	return v;
}

/* An unchanged rule keeps its counter, also at another position. */
static int hits_take(struct classifier *c, const struct classifier *old)
{
	uint32_t *mine = sorted(c), *theirs = old ? sorted(old) : NULL, k = 0;
	int ret = mine && (theirs || !old) ? 0 : -ENOMEM;

	for (uint32_t i = 0; ret == 0 && i < c->n; i++) {
		struct hit_counter **slot = &c->hits[mine[i]];
		int order = -1;

		for (; old && k < old->n; k++) {
			order = memcmp(&old->rules[theirs[k]], &c->rules[mine[i]],
				       sizeof(*c->rules));
			if (order >= 0)
				break;
		}
		if (old && k < old->n && order == 0) {
			*slot = old->hits[theirs[k++]];
			__atomic_fetch_add(&(*slot)->refs, 1, __ATOMIC_RELAXED);
			continue;
		}
		*slot = calloc(1, sizeof(**slot));
		if (!*slot)
			ret = -ENOMEM;
		else
			(*slot)->refs = 1;
	}
	free(mine);
	free(theirs);
	return ret;
}

/* --- life --- */

static void classifier_destroy(struct mark_table *t)
{
	struct classifier *c = classifier_of(t);

	rte_acl_free(c->acl4);
	rte_acl_free(c->acl6);
	for (uint32_t i = 0; c->hits && i < c->n; i++)
		if (c->hits[i] && __atomic_sub_fetch(&c->hits[i]->refs, 1, __ATOMIC_ACQ_REL) == 0)
			free(c->hits[i]);
	free(c->hits);
	free(c->rules);
	free(c);
}

struct mark_table *classify_create(const struct mark_rule *rules, uint32_t n,
				   const struct mark_table *old, char error[ERROR_TEXT])
{
	struct classifier *c = calloc(1, sizeof(*c));
	int ret = -ENOMEM;

	if (!c)
		goto err;
	c->base.refs = 1;
	c->base.destroy = classifier_destroy;
	c->n = n;
	c->rules = calloc(n + 1, sizeof(*c->rules));
	c->hits = calloc(n + 1, sizeof(struct hit_counter *));
	if (!c->rules || !c->hits)
		goto err;
	if (n)
		memcpy(c->rules, rules, n * sizeof(*rules));
	ret = hits_take(c, old ? classifier_of(old) : NULL);
	if (ret == 0)
		ret = acl4_compile(c);
	if (ret == 0)
		ret = acl6_compile(c);
	if (ret == 0)
		return &c->base;
err:
	if (c)
		classifier_destroy(&c->base);
	error_text(error, 0, "%u mark rules cannot be compiled: %s", n, strerror(-ret));
	return NULL;
}

bool classify_same(const struct mark_table *t, const struct mark_rule *rules, uint32_t n)
{
	const struct classifier *c = classifier_of(t);

	if (!t)
		return n == 0;
	return c->n == n && memcmp(c->rules, rules, n * sizeof(*rules)) == 0;
}

uint32_t classify_rules(const struct mark_table *t, const struct mark_rule **rules)
{
	const struct classifier *c = classifier_of(t);

	*rules = t ? c->rules : NULL;
	return t ? c->n : 0;
}

uint64_t classify_hits(const struct mark_table *t, uint32_t rule)
{
	return __atomic_load_n(&classifier_of(t)->hits[rule]->hits, __ATOMIC_RELAXED);
}
