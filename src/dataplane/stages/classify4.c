/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/classify4.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_acl.h>
#include <rte_errno.h>

/* What rte_acl looks at, in network order. The first field is one byte, the others come in
 * words of four. */
struct acl_key {
	uint8_t proto;
	uint8_t pad[3];
	be16 link; /* a link id is 16 bits */
	be16 zero;
	be32 saddr, daddr;
	be16 sport, dport;
};
_Static_assert(LINK_MAX <= 1U << 16, "a link fits its field");

enum acl_field {
	FIELD_PROTO,
	FIELD_LINK,
	FIELD_ZERO,
	FIELD_SADDR,
	FIELD_DADDR,
	FIELD_SPORT,
	FIELD_DPORT,
	FIELD_MAX
};

#define FIELD(t, s, i, word, member)                                                               \
	{                                                                                          \
		.type = RTE_ACL_FIELD_TYPE_##t, .size = (s), .field_index = (i),                   \
		.input_index = (word), .offset = offsetof(struct acl_key, member)                  \
	}

static const struct rte_acl_field_def acl_fields[FIELD_MAX] = {
	FIELD(BITMASK, 1, FIELD_PROTO, 0, proto), FIELD(RANGE, 2, FIELD_LINK, 1, link),
	FIELD(RANGE, 2, FIELD_ZERO, 1, zero),	  FIELD(MASK, 4, FIELD_SADDR, 2, saddr),
	FIELD(MASK, 4, FIELD_DADDR, 3, daddr),	  FIELD(RANGE, 2, FIELD_SPORT, 4, sport),
	FIELD(RANGE, 2, FIELD_DPORT, 4, dport),
};

RTE_ACL_RULE_DEF(acl_entry, FIELD_MAX);

/* Kept as long as a table has the rule, so that its count goes on. */
struct hit_counter {
	uint64_t hits; /* worker: atomic add; any: relaxed reads */
	uint32_t refs; /* tables that hold it: atomics, rules are compiled on a thread of their own
			*/
};

struct classifier {
	struct mark_table base; /* first */
	struct rte_acl_ctx *acl;
	uint32_t n;
	struct mark_rule4 *rules;  /* [n] */
	struct hit_counter **hits; /* [n] */
};

static struct classifier *classifier_of(const struct mark_table *t)
{
	return (struct classifier *)(uintptr_t)t;
}

/* --- compiling --- */

struct span {
	uint16_t first, last;
};

static uint32_t spans_of(uint16_t first, uint16_t last, bool negate, struct span out[2])
{
	uint32_t n = 0;

	if (!negate) {
		out[0] = (struct span){first, last};
		return 1;
	}
	if (first > 0)
		out[n++] = (struct span){0, (uint16_t)(first - 1)};
	if (last < UINT16_MAX)
		out[n++] = (struct span){(uint16_t)(last + 1), UINT16_MAX};
	return n;
}

static uint32_t port_spans(const struct mark_ports *p, struct span out[2])
{
	if (p->last == 0)
		return spans_of(0, UINT16_MAX, false, out);
	return spans_of(p->first, p->last, p->negate, out);
}

static uint32_t link_spans(const struct mark_rule4 *r, struct span out[2])
{
	if (r->link == LINK_ANY)
		return spans_of(0, UINT16_MAX, false, out);
	return spans_of((uint16_t)r->link, (uint16_t)r->link, r->link_negate, out);
}

static void field_span(struct acl_entry *e, enum acl_field f, const struct span *s)
{
	e->field[f].value.u16 = s->first;
	e->field[f].mask_range.u16 = s->last;
}

static void field_prefix(struct acl_entry *e, enum acl_field f, const struct mark_prefix *p)
{
	e->field[f].value.u32 = be32_to(p->addr);
	e->field[f].mask_range.u32 = p->len;
}

/* A rule without its negations: every combination of its parts. 0 or rte_acl's -errno. */
static int rule_add(struct rte_acl_ctx *acl, const struct mark_rule4 *r, uint32_t index)
{
	static const struct span zero = {0, UINT16_MAX};
	struct mark_prefix source[32], dest[32];
	struct span sport[2], dport[2], link[2];
	uint32_t n[5] = {mark_prefix_split(&r->source, source), mark_prefix_split(&r->dest, dest),
			 port_spans(&r->sport, sport), port_spans(&r->dport, dport),
			 link_spans(r, link)};
	uint32_t total = n[0] * n[1] * n[2] * n[3] * n[4];
	struct acl_entry e;

	memset(&e, 0, sizeof(e));
	e.data.category_mask = 1;
	e.data.priority = (int32_t)(index + RTE_ACL_MIN_PRIORITY); /* the last one decides */
	e.data.userdata = index + 1;
	e.field[FIELD_PROTO].value.u8 = r->proto;
	e.field[FIELD_PROTO].mask_range.u8 = r->proto ? 0xff : 0;
	field_span(&e, FIELD_ZERO, &zero);
	for (uint32_t i = 0; i < total; i++) {
		uint32_t k = i;
		int ret;

		field_prefix(&e, FIELD_SADDR, &source[k % n[0]]);
		k /= n[0];
		field_prefix(&e, FIELD_DADDR, &dest[k % n[1]]);
		k /= n[1];
		field_span(&e, FIELD_SPORT, &sport[k % n[2]]);
		k /= n[2];
		field_span(&e, FIELD_DPORT, &dport[k % n[3]]);
		k /= n[3];
		field_span(&e, FIELD_LINK, &link[k]);
		ret = rte_acl_add_rules(acl, (const struct rte_acl_rule *)&e, 1);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int acl_compile(struct classifier *c)
{
	static unsigned int serial; /* names are unique in the process; control only */
	struct rte_acl_config config = {.num_categories = 1, .num_fields = FIELD_MAX};
	struct rte_acl_param param = {.socket_id = SOCKET_ID_ANY,
				      .rule_size = RTE_ACL_RULE_SZ(FIELD_MAX)};
	char name[RTE_ACL_NAMESIZE];
	int ret = 0;

	for (uint32_t i = 0; i < c->n; i++)
		param.max_rule_num += mark_rule4_entries(&c->rules[i]);
	if (param.max_rule_num == 0) /* negations of everything: nothing ever matches */
		return 0;
	snprintf(name, sizeof(name), "plvs_marks_%u", serial++);
	param.name = name;
	c->acl = rte_acl_create(&param);
	if (!c->acl)
		return -rte_errno;
	for (uint32_t i = 0; ret == 0 && i < c->n; i++)
		ret = rule_add(c->acl, &c->rules[i], i);
	memcpy(config.defs, acl_fields, sizeof(acl_fields));
	return ret < 0 ? ret : rte_acl_build(c->acl, &config);
}

/* --- counters --- */

static int index_cmp(const void *a, const void *b, void *rules)
{
	const struct mark_rule4 *r = rules;
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

/* Rules that are the same keep their counter, wherever they stand now. */
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

	rte_acl_free(c->acl);
	for (uint32_t i = 0; c->hits && i < c->n; i++)
		if (c->hits[i] && __atomic_sub_fetch(&c->hits[i]->refs, 1, __ATOMIC_ACQ_REL) == 0)
			free(c->hits[i]);
	free(c->hits);
	free(c->rules);
	free(c);
}

struct mark_table *classify4_create(const struct mark_rule4 *rules, uint32_t n,
				    const struct mark_table *old, char error[256])
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
		ret = acl_compile(c);
	if (ret == 0)
		return &c->base;
err:
	if (c)
		classifier_destroy(&c->base);
	snprintf(error, 256, "%u mark rules cannot be compiled: %s", n, strerror(-ret));
	return NULL;
}

bool classify4_same(const struct mark_table *t, const struct mark_rule4 *rules, uint32_t n)
{
	const struct classifier *c = classifier_of(t);

	if (!t)
		return n == 0;
	return c->n == n && memcmp(c->rules, rules, n * sizeof(*rules)) == 0;
}

/* --- asking --- */

uint32_t classify4(const struct mark_table *t, link_id link, const struct key4 *key, bool count)
{
	const struct classifier *c = classifier_of(t);
	const struct acl_key k = {.proto = key->proto,
				  .link = be16_from((uint16_t)link),
				  .saddr = key->saddr,
				  .daddr = key->daddr,
				  .sport = key->sport,
				  .dport = key->dport};
	const uint8_t *data = (const uint8_t *)&k;
	uint32_t found = 0;

	if (!c->acl || rte_acl_classify(c->acl, &data, &found, 1, 1) != 0 || found == 0)
		return 0;
	if (count)
		__atomic_fetch_add(&c->hits[found - 1]->hits, 1, __ATOMIC_RELAXED);
	return c->rules[found - 1].mark;
}

uint32_t classify4_rules(const struct mark_table *t, const struct mark_rule4 **rules)
{
	const struct classifier *c = classifier_of(t);

	*rules = t ? c->rules : NULL;
	return t ? c->n : 0;
}

uint64_t classify4_hits(const struct mark_table *t, uint32_t rule)
{
	return __atomic_load_n(&classifier_of(t)->hits[rule]->hits, __ATOMIC_RELAXED);
}
