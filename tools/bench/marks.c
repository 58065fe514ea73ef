/* SPDX-License-Identifier: BSD-3-Clause */
/* The cost of mark rules for traffic whose connections exist: the same connections, now with the
 * rules in the snapshot, now without. */
#include "bench.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "dataplane/stages/classify.h"

#define N_RULES	  10000
#define MARK	  7
#define MARK_BASE 0x0b000000U /* 11.0.0.0: a /24 for each rule */

static struct mark_rule *rules_make(void)
{
	struct mark_rule *rules = calloc(N_RULES, sizeof(*rules));

	if (!rules)
		fail("no memory for mark rules");
	for (uint32_t i = 0; i < N_RULES; i++) {
		rules[i].dest = (struct mark_prefix){
			.addr = addr_from_v4(be32_from(MARK_BASE + (i << 8))), .len = 24};
		rules[i].dport = (struct mark_ports){.first = 80, .last = 80};
		rules[i].proto = IPPROTO_TCP;
		rules[i].link = LINK_ANY;
		rules[i].mark = MARK;
	}
	rules[0].dest = (struct mark_prefix){.addr = addr_from_v4(scene4_vip()),
					     .len = 32}; /* of a VIP: no matter */
	return rules;
}

/* As the scene's, with the rules, which lead to its service. */
static struct snapshot *snapshot_with_marks(const struct scene *s)
{
	uint32_t id = listener_table4_find(s->pub->snapshot->listeners4, IPPROTO_TCP, scene4_vip(),
					   be16_from(SCENE_VIP_PORT));
	struct snapshot *snap = snapshot_clone(s->pub->snapshot, id);
	struct mark_rule *rules = rules_make();
	struct listener4 listeners[2] = {
		{.addr = scene4_vip(), .port = be16_from(SCENE_VIP_PORT), .proto = IPPROTO_TCP},
		{.addr = MARK, .proto = LISTENER_MARK}};
	struct mark_cover4 *cover;
	struct mark_table *table;
	char error[256];

	if (!snap || id == 0)
		fail("no memory for a snapshot");
	listeners[0].service_id = listeners[1].service_id = id;
	snapshot_set_listeners4(snap, listener_table4_create(listeners, 2));
	table = classify_create(rules, N_RULES, NULL, error);
	if (!table)
		fail("%s", error);
	cover = mark_cover4_create(rules, N_RULES, snap->listeners4, NULL);
	if (!cover || !mark_cover4_has(cover, rules[N_RULES - 1].dest.addr.v4))
		fail("the mark rules lead to no service");
	snapshot_set_marks(snap, table);
	snapshot_set_cover4(snap, cover);
	free(rules);
	return snap;
}

/* The connections' destination is no VIP any more: only a mark rule claims it. */
static struct snapshot *snapshot_by_mark(const struct snapshot *with, uint32_t id)
{
	struct snapshot *snap = snapshot_clone(with, id);

	if (!snap)
		fail("no memory for a snapshot");
	snapshot_set_addrs4(snap, addr_table4_create(NULL, 0));
	return snap;
}

struct marks_arg {
	struct memory_arg memory;
	struct snapshot *snap;
};

static uint64_t batch_snapshot(void *arg, struct rte_mbuf **frames)
{
	struct marks_arg *a = arg;

	a->memory.s->pub->snapshot = a->snap;
	return batch_pipeline(&a->memory, frames);
}

void bench_marks(const struct options *o, uint32_t n, uint16_t dev, struct rte_mempool *pool)
{
	struct scene s;
	struct marks_arg with = {{&s, pool}, NULL}, by_mark = with, without = with;
	struct subject subjects[] = {{"marks/established", batch_snapshot, &with, 0},
				     {"marks/by-mark", batch_snapshot, &by_mark, 0},
				     {"without", batch_snapshot, &without, 0}};
	uint64_t sent, lookups;

	if (!wanted(o, subjects[0].name) && !wanted(o, subjects[1].name))
		return;
	scene_create(&s, ADDR_V4, FWD_DR, n, n, dev);
	scene_connect(&s, pool);
	without.snap = s.pub->snapshot;
	with.snap = snapshot_with_marks(&s);
	by_mark.snap = snapshot_by_mark(with.snap, with.snap->max_service_id);
	sent = s.w->counters.sent;
	lookups = s.w->counters.lookups;
	measure(&s, subjects, 3, o->blocks, pool);
	check_sent(s.w, sent, lookups);
	row_add_cycles(subjects[0].name, n, subjects[0].cycles, subjects[2].cycles);
	row_add_cycles(subjects[1].name, n, subjects[1].cycles, subjects[2].cycles);
	s.pub->snapshot = without.snap;
	snapshot_destroy(by_mark.snap);
	snapshot_destroy(with.snap);
	scene_destroy(&s);
}
