/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/stages/pipeline.h"

#include <unistd.h>

#include <rte_ether.h>

#include "dataplane/stages/arp.h"
#include "dataplane/stages/ended.h"
#include "dataplane/stages/route.h"
#include "dataplane/check_path/check_path.h"
#include "dataplane/exits/doors.h"
#include "dataplane/exits/lease.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/observe/observer.h"

#define ASK_AGAIN_TICKS 8
#define MANY_SERVERS	128 /* of four lines each, in 32 KiB */

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
			 __atomic_load_n(&pub->runtime.n_down, __ATOMIC_ACQUIRE) +
			 ended_left(w, now_tick);
	w->env.many_servers =
		__atomic_load_n(&pub->runtime.n_servers, __ATOMIC_RELAXED) > MANY_SERVERS;
	w->env.lease_off = lease_over(w, w->now_tsc);
	w->env.vip_flags = __atomic_load_n(&pub->vip_flags, __ATOMIC_ACQUIRE);
	w->env.relay = __atomic_load_n(&pub->relay, __ATOMIC_ACQUIRE);
	if (unlikely(w->env.sync != __atomic_load_n(&pub->sync, __ATOMIC_RELAXED)))
		sync_mode(w, __atomic_load_n(&pub->sync, __ATOMIC_ACQUIRE));
	w->counters.snapshots += w->env.snap != before;
}

void pipeline_run(struct worker *w, struct rte_mbuf **frames, uint16_t n)
{
	struct burst4 b4;
	struct burst6 b6;

	if (unlikely(w->observer))
		observer_arrived(w, frames, n);
	stage_parse(w, frames, n, &b4, &b6);
	pipeline4_pass(w, &b4);
	if (b6.n)
		pipeline6_pass(w, &b6);
}

/* A program of this router sends to a VIP that is active here. Linux sends the packet to a port
 * only by a rule of the administrator; on the wire no station would answer. Only full NAT brings
 * the reply back. */
static bool calls_vip(const struct worker *w, const struct rte_mbuf *m)
{
	const struct snapshot *s = w->env.snap;

	return ((s->pool4 && s->pool4->n) || (s->pool6 && s->pool6->n)) && !w->env.lease_off &&
	       speaks_to_vip(w, m);
}

static void inject_as_client(struct worker *w, struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);

	eth->dst_addr = eth->src_addr; /* the port's own: as if sent to the router */
	pkt_tag_fresh(m);
	pkt_tag(m)->ours = 1;
	pipeline_run(w, &m, 1);
}

void pipeline_inject(struct worker *w, struct rte_mbuf *m)
{
	if (!arp_may_leave(w, m))
		door_drop(w, m, DROP_VIP_ARP);
	else if (unlikely(w->env.lease_off) && speaks_as_vip(w, m))
		door_drop(w, m, DROP_NOT_ACTIVE);
	else if (unlikely(calls_vip(w, m)))
		inject_as_client(w, m);
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
		q->nexthop = (uint16_t)nexthop_find(w->nexthops, q->link, &q->addr);
	nh = q->nexthop ? nexthop_by_id(w->nexthops, q->nexthop) : NULL;
	if (nh && nh->state == NEXTHOP_REACHABLE)
		return PARKED_RUNS;
	if (age > PARK_TICKS || (nh && nh->state == NEXTHOP_FAILED))
		return PARKED_DROPS;
	/* The request may have found its ring full. */
	if (!q->nexthop && w->env.now_tick - q->asked_tick >= ASK_AGAIN_TICKS) {
		q->asked_tick = w->env.now_tick;
		request_resolve(w, q->link, &q->addr);
	}
	return PARKED_WAITS;
}

/* Runs parked packets that need not wait any more, at most a burst. Returns their number. */
static uint16_t unpark_burst(struct worker *w)
{
	struct rte_mbuf *run[BURST_MAX];
	uint16_t n_run = 0, stay = 0;

	for (uint16_t i = 0; i < w->n_parked; i++) {
		struct parked *q = &w->parked[i];
		enum parked_fate fate = n_run < BURST_MAX ? parked_look(w, q) : PARKED_WAITS;

		if (fate == PARKED_WAITS) {
			w->parked[stay++] = *q;
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
	w->n_parked = stay;
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

uint32_t pipeline_expire(struct worker *w)
{
	return pipeline4_expire(w) + pipeline6_expire(w);
}

static uint64_t listed(const struct worker *w, enum give_way_list list)
{
	return (uint64_t)w->v4.way.list[list].n + w->v6.way.list[list].n;
}

/* Once a round, not at each change, since control does not read more often. */
static void gauges_update(struct worker *w)
{
	struct worker_counters *c = &w->counters;

	c->connections = (uint64_t)w->v4.table.n + w->v6.table.n - c->templates;
	c->ending = listed(w, GIVE_WAY_ENDING);
	c->embryonic = listed(w, GIVE_WAY_HALF_OPEN);
	c->not_assured = listed(w, GIVE_WAY_NOT_ASSURED);
}

void pipeline_flush(struct worker *w)
{
	gauges_update(w);
	for (uint16_t p = 0; p < MAX_PORTS; p++)
		if (w->tx[p].n)
			door_flush_tx(w, p);
	for (uint64_t filled = w->handoff_filled; filled; filled &= filled - 1)
		door_flush_handoff(w, (unsigned int)__builtin_ctzll(filled));
	w->handoff_filled = 0;
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
