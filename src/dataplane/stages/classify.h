/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_CLASSIFY_H
#define PLVS_DATAPLANE_STAGES_CLASSIFY_H

/*
 * Mark rules compiled into one rte_acl for each family, and a counter for each rule. Only packets
 * without a connection are looked up.
 */

#include "base/error_text.h"
#include "model/mark.h"

/*
 * Control, after EAL start. The rules are copied. Rules that old (or NULL) also has keep their
 * counters. NULL with a sentence in error. Takes seconds for many thousand rules of different
 * shapes.
 */
struct mark_table *classify_create(const struct mark_rule *rules, uint32_t n,
				   const struct mark_table *old, char error[ERROR_TEXT]);
/* Control. True: t was made from these rules. */
bool classify_same(const struct mark_table *t, const struct mark_rule *rules, uint32_t n);

/* Worker. The mark, or 0; count: the rule's counter is raised. */
uint32_t classify4(const struct mark_table *t, const struct mark_key4 *key, bool count);
uint32_t classify6(const struct mark_table *t, const struct mark_key6 *key, bool count);

/* The rule that decides, from 1; 0: none matches. */
uint32_t classify4_rule(const struct mark_table *t, const struct mark_key4 *key);
uint32_t classify6_rule(const struct mark_table *t, const struct mark_key6 *key);

/* Any thread with a reference of t. */
uint32_t classify_rules(const struct mark_table *t, const struct mark_rule **rules);
uint64_t classify_hits(const struct mark_table *t, uint32_t rule);

#endif
