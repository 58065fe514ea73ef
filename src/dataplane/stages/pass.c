/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a burst of one family through the stages, and expires connections. */
#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/observe/observer.h"

#define EXPIRE_BUDGET 64 /* entries of the wheel per loop */
_Static_assert(WHEEL_BATCH <= BURST_MAX, "see prefetch_ends() of conn_life.h");

/* Stage transmit: every remaining packet goes to its next hop's port. */
void FAM(stage_transmit)(struct worker *w, struct FAM(burst) *b)
{
	for (uint16_t i = 0; i < b->n; i++)
		door_send(w, b->pkts[i].m, b->pkts[i].nh->port);
	b->n = 0;
}

void FAM_FN(pipeline, pass)(struct worker *w, struct FAM(burst) *b)
{
	if (unlikely(w->observer)) {
		FAM_FN(observer, pass)(w, b);
		return;
	}
	FAM(stage_steer)(w, b);
	FAM_FN(pipeline, own)(w, b);
}

/* Prefetches the state of each packet's server, and its next hop: with many servers most are not in
 * a near cache.
 */
static __rte_noinline void servers_prefetch(struct worker *w, const struct FAM(burst) *b)
{
	for (uint16_t i = 0; i < b->n; i++) {
		const struct FAM(pkt) *p = &b->pkts[i];
		const struct conn *c = &p->conn->c;

		__builtin_prefetch(&w->servers[c->server], 1);
		__builtin_prefetch(nexthop_by_id(w->nexthops, c->nexthop[p->dir]));
		if (!(p->tcp_flags & (TCP_SYN | TCP_FIN)))
			continue;
		__builtin_prefetch(&w->handshakes[c->server], 1);
		__builtin_prefetch(&w->sched.row.counts[c->server], 1);
	}
}

void FAM_FN(pipeline, own)(struct worker *w, struct FAM(burst) *b)
{
	FAM(stage_lookup)(w, b);
	if (unlikely(w->FAM(v).n_others))
		FAM_FN(crossing, pass)(w, b);
	if (unlikely(!b->known || w->env.leavers))
		FAM(stage_schedule)(w, b);
	if (unlikely(w->env.many_servers))
		servers_prefetch(w, b);
	FAM_FN(pipeline, finish)(w, b);
}

/* A template whose time ends while it has holds lasts for the extension of its service; the next
 * use restores the whole time-out. */
static void template_extend(struct worker *w, struct FAM(conn) *t)
{
	const struct service *svc = FAM_FN(conn, service)(w, t);
	const struct service_policy *policy = svc ? &svc->policy : NULL;

	t->c.tick = w->env.now_tick;
	if (policy && (policy->extension_s || policy->persist_s))
		t->c.timeout = (policy->extension_s ? policy->extension_s : policy->persist_s) *
			       CONN_TICK_HZ;
	if (sync_on(w))
		FAM_FN(sync, changed)(w, t);
}

static int entry_expire(void *ctx, struct conn *c, uint32_t index)
{
	struct worker *w = ctx;

	if (unlikely(w->FAM(v).marks) && FAM_FN(sync, holds)(w, c, index))
		return 1;
	if ((c->flags & CONN_F_TEMPLATE) && __atomic_load_n(&c->children, __ATOMIC_ACQUIRE)) {
		template_extend(w, (struct FAM(conn) *)c);
		return 1;
	}
	w->counters.expired += !(c->flags & CONN_F_TEMPLATE);
	FAM_FN(conn, destroy)(w, (struct FAM(conn) *)c);
	return 0;
}

/* A living connection keeps its next hops from being removed. */
static void entry_visit(void *ctx, struct conn *c, uint32_t index)
{
	struct worker *w = ctx;

	(void)index;
	/* The ledger has no time that would have to be refreshed. */
	if (unlikely(w->env.sync & SYNC_EMIT))
		FAM_FN(sync, changed)(w, (struct FAM(conn) *)c);
	if (c->flags & CONN_F_TEMPLATE)
		return;
	nexthop_use(w->nexthops, c->nexthop[DIR_IN], w->env.now_s);
	nexthop_use(w->nexthops, c->nexthop[DIR_OUT], w->env.now_s);
}

static void entries_soon(void *ctx, const uint32_t *index, uint32_t n)
{
	FAM_FN(conn, prefetch_ends)(ctx, index, n);
}

uint32_t FAM_FN(pipeline, expire)(struct worker *w)
{
	return wheel_advance(&w->FAM(v).wheel, w->env.now_tick, EXPIRE_BUDGET, entry_expire,
			     entry_visit, entries_soon, w);
}
