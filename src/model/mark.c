/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/mark.h"

static uint32_t ports_entries(const struct mark_ports *p)
{
	if (!p->negate || p->last == 0)
		return 1;
	return (p->first > 0) + (p->last < UINT16_MAX);
}

uint32_t mark_prefix_parts(const struct mark_prefix *p)
{
	return p->negate ? p->len : 1;
}

uint32_t mark_rule_entries(const struct mark_rule *r)
{
	return mark_prefix_parts(&r->source) * mark_prefix_parts(&r->dest) *
	       ports_entries(&r->sport) * ports_entries(&r->dport) * (r->link_negate ? 2 : 1);
}

/* All but a prefix: the prefixes that differ from it first in its first bit, its second, ... */
uint32_t mark_prefix_split(const struct mark_prefix *p, struct mark_prefix out[MARK_PREFIX_PARTS])
{
	if (!p->negate) {
		out[0] = *p;
		return 1;
	}
	for (uint8_t i = 0; i < p->len; i++) {
		const uint8_t bit = (uint8_t)(0x80U >> i % 8);
		struct mark_prefix *part = &out[i];

		*part = (struct mark_prefix){.addr.family = p->addr.family,
					     .len = (uint8_t)(i + 1)};
		memcpy(part->addr.v6, p->addr.v6, i / 8 + 1U);
		part->addr.v6[i / 8] = (uint8_t)((part->addr.v6[i / 8] ^ bit) & ~(bit - 1));
	}
	return p->len;
}

void mark_table_put(struct mark_table *t)
{
	if (t && --t->refs == 0)
		t->destroy(t);
}
