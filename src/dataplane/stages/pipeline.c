/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/pipeline.h"

#include <unistd.h>

#include "dataplane/stages/answer.h"
#include "dataplane/check_path/check_path.h"
#include "dataplane/exits/doors.h"
#include "dataplane/exits/lease.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/sync/conn_sync.h"

#define EXPIRE_BUDGET	64 /* entries of the wheel per loop */
#define ASK_AGAIN_TICKS 8

void worker_env_update(struct worker *w, uint32_t now_tick, uint32_t now_s)
{
	const struct published *pub = w->pub;
	const struct snapshot *before = w->env.snap;

	w->env.now_tick = now_tick;
	w->env.now_s = now_s;
	w->env.gen = __atomic_load_n(&pub->resolve_gen, __ATOMIC_ACQUIRE);
	w->env.snap = __atomic_load_n(&pub->snapshot, __ATOMIC_ACQUIRE);
	w->env.fib = __atomic_load_n(&pub->fib, __ATOMIC_ACQUIRE);
	w->env.leavers = __atomic_load_n(&pub->runtime.n_leavers, __ATOMIC_ACQUIRE) +
			 __atomic_load_n(&pub->runtime.n_down, __ATOMIC_ACQUIRE);
	w->env.lease_off = lease_over(w, w->now_tsc);
	w->env.vip_flags = __atomic_load_n(&pub->vip_flags, __ATOMIC_ACQUIRE);
	w->env.relay = __atomic_load_n(&pub->relay, __ATOMIC_ACQUIRE);
	if (unlikely(w->env.sync != __atomic_load_n(&pub->sync, __ATOMIC_RELAXED)))
		sync_mode(w, __atomic_load_n(&pub->sync, __ATOMIC_ACQUIRE));
	w->counters.snapshots += w->env.snap != before;
}

/* Stage transmit: every packet that is left goes out of its next hop's port. */
void stage_transmit4(struct worker *w, struct burst *b)
{
	for (uint16_t i = 0; i < b->n; i++)
		door_send(w, b->pkts[i].m, b->pkts[i].nh->port);
	b->n = 0;
}

void pipeline_finish(struct worker *w, struct burst *b)
{
	stage_resolve4(w, b);
	stage_track4(w, b);
	stage_rewrite4(w, b);
	stage_transmit4(w, b);
}

void pipeline_run(struct worker *w, struct rte_mbuf **frames, uint16_t n)
{
	struct burst b;

	stage_parse4(w, frames, n, &b);
	stage_steer4(w, &b);
	stage_lookup4(w, &b);
	stage_schedule4(w, &b);
	pipeline_finish(w, &b);
}

void pipeline_inject(struct worker *w, struct rte_mbuf *m)
{
	if (!arp_may_leave(w, m))
		door_drop(w, m, DROP_VIP_ARP);
	else if (unlikely(w->env.lease_off) && speaks_as_vip(w, m))
		door_drop(w, m, DROP_NOT_ACTIVE);
	else if (likely(!w->pub->check_ports) || !check_path_send(w, m))
		door_send(w, m, m->port);
}

enum parked_fate {
	PARKED_WAITS,
	PARKED_RUNS,
	PARKED_DROPS,
};

static enum parked_fate parked_look(struct worker *w, struct parked *q)
{
	const struct nexthop *nh;
	uint32_t age = w->env.now_tick - q->since_tick;

	if (!q->nexthop)
		q->nexthop = (uint16_t)nexthop_find4(w->nexthops, q->link, q->addr);
	nh = q->nexthop ? nexthop_by_id(w->nexthops, q->nexthop) : NULL;
	if (nh && nh->state == NEXTHOP_REACHABLE)
		return PARKED_RUNS;
	if (age > PARK_TICKS || (nh && nh->state == NEXTHOP_FAILED))
		return PARKED_DROPS;
	/* The request may have found its ring full. */
	if (!q->nexthop && w->env.now_tick - q->asked_tick >= ASK_AGAIN_TICKS) {
		q->asked_tick = w->env.now_tick;
		request_resolve(w, q->link, q->addr);
	}
	return PARKED_WAITS;
}

/* One burst of them. Returns how many ran. */
static uint16_t unpark_burst(struct worker *w)
{
	struct rte_mbuf *run[BURST_MAX];
	uint16_t n_run = 0, keep = 0;

	for (uint16_t i = 0; i < w->n_parked; i++) {
		struct parked *q = &w->parked[i];
		enum parked_fate fate = n_run < BURST_MAX ? parked_look(w, q) : PARKED_WAITS;

		if (fate == PARKED_WAITS) {
			w->parked[keep++] = *q;
			continue;
		}
		w->counters.parked--;
		if (fate == PARKED_DROPS) {
			door_drop(w, q->m, DROP_NH_UNRESOLVED);
			continue;
		}
		pkt_tag(q->m)->flags |= PKT_REPLAYED;
		run[n_run++] = q->m;
	}
	w->n_parked = keep;
	if (n_run) /* may park again: only now, with the queue in order */
		pipeline_run(w, run, n_run);
	return n_run;
}

void pipeline_unpark(struct worker *w)
{
	for (unsigned int i = 0; i < PARK_MAX / BURST_MAX && w->n_parked; i++)
		if (unpark_burst(w) < BURST_MAX)
			break;
}

/* A template whose time ends while connections are under it lasts for the extension of its
 * service; the next use gives it the whole time-out again. */
static void template_extend(struct worker *w, struct conn4 *t)
{
	const struct service *svc = conn4_service(w, t);
	const struct service_policy *policy = svc ? &svc->policy : NULL;

	t->c.tick = w->env.now_tick;
	if (policy && (policy->extension_s || policy->persist_s))
		t->c.timeout = (policy->extension_s ? policy->extension_s : policy->persist_s) *
			       CONN_TICK_HZ;
	if (sync_on(w))
		sync_changed(w, t);
}

static int conn4_expire(void *ctx, struct conn *c, uint32_t index)
{
	struct worker *w = ctx;

	if (unlikely(w->sync.marks) && sync_holds(w, c, index))
		return 1;
	if ((c->flags & CONN_F_TEMPLATE) && __atomic_load_n(&c->children, __ATOMIC_ACQUIRE)) {
		template_extend(w, (struct conn4 *)c);
		return 1;
	}
	w->counters.expired += !(c->flags & CONN_F_TEMPLATE);
	conn4_destroy(w, (struct conn4 *)c);
	return 0;
}

/* A connection that lives on keeps its next hops from being forgotten. */
static void conn4_visit(void *ctx, struct conn *c, uint32_t index)
{
	struct worker *w = ctx;

	(void)index;
	if (sync_on(w))
		sync_changed(w, (struct conn4 *)c);
	if (c->flags & CONN_F_TEMPLATE)
		return;
	__atomic_store_n(&w->nexthops->used_tick[c->nh_in], w->env.now_s, __ATOMIC_RELAXED);
	__atomic_store_n(&w->nexthops->used_tick[c->nh_out], w->env.now_s, __ATOMIC_RELAXED);
}

/* Its keys' buckets have not been touched for as long as it has been idle. */
static void conn4_soon(void *ctx, const struct conn *c, uint32_t index)
{
	struct worker *w = ctx;

	(void)index;
	table4_prefetch_conn(&w->table4, (const struct conn4 *)c, DIR_IN);
	if (c->flags & CONN_F_OUT_KEY)
		table4_prefetch_conn(&w->table4, (const struct conn4 *)c, DIR_OUT);
}

uint32_t pipeline_expire(struct worker *w)
{
	return wheel_advance(&w->wheel4, w->env.now_tick, EXPIRE_BUDGET, conn4_expire, conn4_visit,
			     conn4_soon, w);
}

void pipeline_flush(struct worker *w)
{
	for (uint16_t p = 0; p < MAX_PORTS; p++)
		if (w->tx[p].n)
			door_flush_tx(w, p);
	for (unsigned int to = 0; to < w->n_workers; to++)
		if (w->handoff[to].n)
			door_flush_handoff(w, to);
	for (unsigned int class = 0; class < PUNT_MAX; class ++)
		if (w->punt[class].n)
			door_flush_punt(w, class);
	if (unlikely(w->sync.n))
		sync_push(w);
	if (w->wake_link) {
		uint64_t one = 1;

		w->wake_link = false;
		if (w->link_eventfd >= 0 && write(w->link_eventfd, &one, sizeof(one)) < 0)
			w->wake_link = true; /* again at the next loop's end */
	}
}
