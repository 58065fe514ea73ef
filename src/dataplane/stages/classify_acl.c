/* SPDX-License-Identifier: BSD-3-Clause */
/* Mark rules of one family as one rte_acl. Compiled for each family: base/family.h. */
#include "dataplane/stages/classify_internal.h"

#include <stdio.h>
#include <string.h>

#include <rte_acl.h>
#include <rte_common.h>
#include <rte_errno.h>

#define ADDR_WORDS (FAM_BITS / 32)

/* The key that rte_acl looks up, in network order. The first field is one byte, the others are in
 * words of four bytes. */
struct acl_key {
	uint8_t proto;
	uint8_t pad[3];
	be16 link; /* a link id is 16 bits */
	be16 zero;
	FAM_ADDR saddr, daddr;
	be16 sport, dport;
};
_Static_assert(LINK_MAX <= 1U << 16, "a link fits its field");
_Static_assert(offsetof(struct acl_key, sport) == 8 + 2 * sizeof(FAM_ADDR), "no holes");

enum acl_field {
	FIELD_PROTO,
	FIELD_LINK,
	FIELD_ZERO,
	FIELD_SADDR, /* a field for each word */
	FIELD_DADDR = FIELD_SADDR + ADDR_WORDS,
	FIELD_SPORT = FIELD_DADDR + ADDR_WORDS,
	FIELD_DPORT,
	FIELD_MAX
};

#define FIELD(t, s, i, member)                                                                     \
	{                                                                                          \
		.type = RTE_ACL_FIELD_TYPE_##t, .size = (s), .field_index = (i),                   \
		.offset = offsetof(struct acl_key, member)                                         \
	}

RTE_ACL_RULE_DEF(acl_entry, FIELD_MAX);

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

static uint32_t link_spans(const struct mark_rule *r, struct span out[2])
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

/* Of the address whose first word is field f. */
static void field_prefix(struct acl_entry *e, unsigned int f, const struct mark_prefix *p)
{
	for (unsigned int i = 0; i < ADDR_WORDS; i++) {
		const unsigned int bits = p->len > i * 32 ? p->len - i * 32 : 0;

		e->field[f + i].value.u32 = be32_to(p->addr.word[i]);
		e->field[f + i].mask_range.u32 = bits > 32 ? 32 : bits;
	}
}

/* A rule without its negations: every combination of its parts. 0 or rte_acl's -errno. */
static int rule_add(struct rte_acl_ctx *acl, const struct mark_rule *r, uint32_t index)
{
	static const struct span zero = {0, UINT16_MAX};
	struct mark_prefix source[MARK_PREFIX_PARTS], dest[MARK_PREFIX_PARTS];
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

/* The key as rte_acl takes it: each field has its index and its word. */
static void fields_define(struct rte_acl_field_def defs[FIELD_MAX])
{
	static const struct rte_acl_field_def ports[] = {
		FIELD(RANGE, 2, FIELD_LINK, link), FIELD(RANGE, 2, FIELD_ZERO, zero),
		FIELD(RANGE, 2, FIELD_SPORT, sport), FIELD(RANGE, 2, FIELD_DPORT, dport)};

	defs[FIELD_PROTO] = (struct rte_acl_field_def)FIELD(BITMASK, 1, FIELD_PROTO, proto);
	for (unsigned int i = 0; i < RTE_DIM(ports); i++)
		defs[ports[i].field_index] = ports[i];
	for (unsigned int i = 0; i < 2 * ADDR_WORDS; i++)
		defs[FIELD_SADDR + i] = (struct rte_acl_field_def){
			.type = RTE_ACL_FIELD_TYPE_MASK,
			.size = 4,
			.field_index = (uint8_t)(FIELD_SADDR + i),
			.offset = (uint32_t)(offsetof(struct acl_key, saddr) + i * 4),
		};
	/* The first field is one byte; then fields of one word have one input. */
	for (unsigned int i = 0; i < FIELD_MAX; i++)
		defs[i].input_index = (uint8_t)(defs[i].offset / 4);
}

int FAM_FN(acl, compile)(struct classifier *c)
{
	static unsigned int serial; /* names are unique in the process; control only */
	struct rte_acl_config config = {.num_categories = 1, .num_fields = FIELD_MAX};
	struct rte_acl_param param = {.socket_id = SOCKET_ID_ANY,
				      .rule_size = RTE_ACL_RULE_SZ(FIELD_MAX)};
	char name[RTE_ACL_NAMESIZE];
	int ret = 0;

	for (uint32_t i = 0; i < c->n; i++)
		if (mark_rule_applies(&c->rules[i], FAM_FAMILY))
			param.max_rule_num += mark_rule_entries(&c->rules[i]);
	if (param.max_rule_num == 0) /* no rule applies, or negations of everything */
		return 0;
	snprintf(name, sizeof(name), "plvs_marks%d_%u", FAMILY, serial++);
	param.name = name;
	c->FAM(acl) = rte_acl_create(&param);
	if (!c->FAM(acl))
		return -rte_errno;
	for (uint32_t i = 0; ret == 0 && i < c->n; i++)
		if (mark_rule_applies(&c->rules[i], FAM_FAMILY))
			ret = rule_add(c->FAM(acl), &c->rules[i], i);
	fields_define(config.defs);
	return ret < 0 ? ret : rte_acl_build(c->FAM(acl), &config);
}

uint32_t FAM_FN(classify, rule)(const struct mark_table *t, const struct FAM(mark_key) *key)
{
	const struct classifier *c = classifier_of(t);
	const struct acl_key k = {.proto = key->proto,
				  .link = be16_from((uint16_t)key->link),
				  .saddr = key->saddr,
				  .daddr = key->daddr,
				  .sport = key->sport,
				  .dport = key->dport};
	const uint8_t *data = (const uint8_t *)&k;
	uint32_t found = 0;

	if (!c->FAM(acl) || rte_acl_classify(c->FAM(acl), &data, &found, 1, 1) != 0)
		return 0;
	return found;
}

uint32_t FAM(classify)(const struct mark_table *t, const struct FAM(mark_key) *key, bool count)
{
	const struct classifier *c = classifier_of(t);
	const uint32_t found = FAM_FN(classify, rule)(t, key);

	if (found == 0)
		return 0;
	if (count)
		__atomic_fetch_add(&c->hits[found - 1]->hits, 1, __ATOMIC_RELAXED);
	return c->rules[found - 1].mark;
}
