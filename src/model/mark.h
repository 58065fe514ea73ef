/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_MARK_H
#define PLVS_MODEL_MARK_H

/*
 * Mark rules, in place of netfilter's mangle chains, which give IPVS its marks. An ordered list; as
 * in a chain of MARK targets the last rule that matches decides, and mark 0 takes a mark away.
 * Built by control, immutable once published; worker: look-ups.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/family.h"
#include "model/fib.h"
#include "model/link_id.h"
#include "model/mark_prefix.h"
#include "model/snapshot.h"

struct mark_ports {
	uint16_t first, last; /* host order; last 0 = any */
	uint8_t negate;
	uint8_t pad;
};

/* Without padding that is not zero: compared as bytes. */
struct mark_rule {
	struct mark_prefix source, dest;
	struct mark_ports sport, dport;
	link_id link; /* LINK_ANY */
	uint32_t mark;
	uint8_t link_negate;
	uint8_t proto;	/* 0 = any */
	uint8_t family; /* enum addr_family; ADDR_NONE: as the prefixes say */
	uint8_t pad;
};

/* The family of the packets that the rule can match; ADDR_NONE: both. */
static inline uint8_t mark_rule_family(const struct mark_rule *r)
{
	if (r->family)
		return r->family;
	return r->source.addr.family ? r->source.addr.family : r->dest.addr.family;
}

static inline bool mark_rule_applies(const struct mark_rule *r, uint8_t family)
{
	const uint8_t of = mark_rule_family(r);

	return of == ADDR_NONE || of == family;
}

/* The number of entries without negation that the rule becomes, for each family. */
uint32_t mark_rule_entries(const struct mark_rule *rule);

#define MARK_PREFIX_PARTS 128
/* The prefixes that p matches, none of them negated. Returns how many. */
uint32_t mark_prefix_split(const struct mark_prefix *p, struct mark_prefix out[MARK_PREFIX_PARTS]);
uint32_t mark_prefix_parts(const struct mark_prefix *p); /* how many */

#define MARK_COVER_LINGER_MAX 65536 /* of one family; entries beyond are dropped */

/* The rules of both families, as dataplane/stages/classify.h compiles them. The head of its struct.
 * */
struct mark_table {
	uint32_t refs; /* control only */
	void (*destroy)(struct mark_table *t);
};

void mark_table_put(struct mark_table *t); /* NULL is allowed */

#define FAM_TEMPLATE "model/mark.fam.h"
#include "base/both_families.h"

#endif
