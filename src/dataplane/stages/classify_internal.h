/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_CLASSIFY_INTERNAL_H
#define PLVS_DATAPLANE_STAGES_CLASSIFY_INTERNAL_H

/* Declarations that classify.c and the compiler of each family, classify_acl.c, share. */

#include "dataplane/stages/classify.h"

struct rte_acl_ctx;

/* Lives as long as a table has the rule, so that the count continues. */
struct hit_counter {
	uint64_t hits; /* worker: atomic add; any: relaxed reads */
	uint32_t refs; /* tables that hold it: atomics, rules are compiled on a thread of their own
			*/
};

struct classifier {
	struct mark_table base;		 /* first */
	struct rte_acl_ctx *acl4, *acl6; /* NULL: no packet of the family matches any rule */
	uint32_t n;
	struct mark_rule *rules;   /* [n] */
	struct hit_counter **hits; /* [n] */
};

static inline struct classifier *classifier_of(const struct mark_table *t)
{
	return (struct classifier *)(uintptr_t)t;
}

/* Control. Compile the rules of the family into acl4, acl6. 0 or -errno. */
int acl4_compile(struct classifier *c);
int acl6_compile(struct classifier *c);

#endif
