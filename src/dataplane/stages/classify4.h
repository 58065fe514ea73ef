/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_CLASSIFY4_H
#define PLVS_DATAPLANE_STAGES_CLASSIFY4_H

/*
 * Mark rules compiled into one rte_acl, and a counter for each rule. Asked only for packets
 * without a connection.
 */

#include "dataplane/stages/pkt.h"
#include "model/mark.h"

/*
 * Control, after EAL start. The rules are copied. Counters of rules that old has, too, go
 * on (old may be NULL). NULL with a sentence in error. Takes seconds for many thousand
 * rules of different shapes.
 */
struct mark_table *classify4_create(const struct mark_rule4 *rules, uint32_t n,
				    const struct mark_table *old, char error[256]);
/* Control: whether t was made from these rules. */
bool classify4_same(const struct mark_table *t, const struct mark_rule4 *rules, uint32_t n);

/* Worker. The mark, or 0; count: the rule's counter is raised. */
uint32_t classify4(const struct mark_table *t, link_id link, const struct key4 *key, bool count);

/* Any thread that keeps t from being freed. */
uint32_t classify4_rules(const struct mark_table *t, const struct mark_rule4 **rules);
uint64_t classify4_hits(const struct mark_table *t, uint32_t rule);

#endif
