/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The polling loop of a worker: brings packets in from ports, rings and Linux, and lets
 * the stages (pipeline.h) do the rest. The only place that reads a clock.
 */
#include "dataplane/dataplane.h"

#include <rte_cycles.h>

#include "base/clock.h"
#include "dataplane/arrivals.h"
#include "dataplane/stages/arp.h"
#include "dataplane/check_path/check_path.h"
#include "dataplane/exits/doors.h"
#include "dataplane/exits/lease.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/observe/observer.h"
#include "dataplane/worker_sleep.h"

#define URGENT_TICKS 1 /* that an urgent frame waits for a full port: 63 to 125 ms */
#define STALL_TICKS  2 /* that pass between two rounds at the most, sleep included */

/* Time as the loop hands it on. */
struct loop_clock {
	uint64_t tsc;	    /* of this round */
	uint64_t tick_tsc;  /* cycles of one tick */
	uint64_t next_tick; /* TSC at which the next one begins */
	uint32_t tick;
	uint32_t s; /* CLOCK_MONOTONIC: the link thread compares with its own */
};

/* ---- receive: reads rx, owners' rings, inject; all packets pass on to the pipeline ---- */

static uint32_t receive_port(struct worker *w, const struct rx_queue *q)
{
	struct port_counters *pc = &w->port_counters[q->port];
	struct rte_mbuf *frames[BURST_MAX];
	uint64_t bytes = 0;
	uint16_t n;

	if (unlikely(w->ports_closed >> q->port & 1))
		return 0;
	n = rte_eth_rx_burst(w->port_dev[q->port], q->queue, frames, BURST_MAX);
	if (n == 0)
		return 0;
	for (unsigned int i = 0; i < n; i++) {
		if (i + 4 < n)
			rte_prefetch0(frames[i + 4]);
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
		frames[i]->port = q->port;
		pkt_tag_fresh(frames[i]);
		bytes += frames[i]->pkt_len;
	}
	pc->rx_pkts += n;
	pc->rx_bytes += bytes;
	w->counters.received += n;
	pipeline_run(w, frames, n);
	return n;
}

/*
 * Heartbeats and ARP of Linux leave at once, before the packets of the round. A port whose queue is
 * full gets them again at each round; meanwhile they count as parked.
 */
static void send_urgent(struct worker *w)
{
	bool overdue = w->env.now_tick - w->urgent_tick > URGENT_TICKS;
	uint16_t stay = 0;

	w->env.lease_off |= lease_over_now(w);
	for (uint16_t i = 0; i < w->n_urgent; i++) {
		struct rte_mbuf *m = w->urgent[i];
		uint16_t port = m->port;
		uint32_t len = m->pkt_len;

		/* The lease is judged here, not when the frame came: the frame may have waited for
		 * longer than the lease. */
		if (!arp_may_leave(w, m) || (w->env.lease_off && speaks_as_vip(w, m))) {
			door_drop(w, m, DROP_VIP_ARP);
			continue;
		}
		if (unlikely(w->ports_closed >> port & 1)) {
			door_drop(w, m, DROP_PORT_CLOSED);
			continue;
		}
		if (unlikely(w->observer))
			observer_leaving(w, port, &m, 1);
		if (rte_eth_tx_burst(w->port_dev[port], (uint16_t)w->tx_queue[port], &m, 1) == 1) {
			w->counters.sent++;
			w->port_counters[port].tx_pkts++;
			w->port_counters[port].tx_bytes += len;
		} else if (overdue) {
			w->port_counters[port].tx_full++;
			door_drop(w, m, DROP_TX_FULL);
		} else {
			w->urgent[stay++] = m;
		}
	}
	w->counters.parked -= (uint64_t)(w->n_urgent - stay);
	w->n_urgent = stay;
}

/* Checks pass bulk on their way here, but are no heartbeats: they go as other frames. */
static bool leaves_first(const struct worker *w, struct rte_mbuf *m)
{
	return w->tx_queue[m->port] >= 0 && !(w->pub->check_ports && check_path_is(w, m));
}

static uint32_t receive_injected_first(struct worker *w)
{
	struct rte_mbuf *frames[BURST_MAX];
	unsigned int n, room = (unsigned int)(BURST_MAX - w->n_urgent);

	n = rte_ring_sc_dequeue_burst(w->exchange->inject_first, (void **)frames, room, NULL);
	w->counters.injected += n;
	for (unsigned int i = 0; i < n; i++) {
		struct rte_mbuf *m = frames[i];

		pkt_tag_fresh(m);
		pkt_tag(m)->kind = HANDOFF_UNLEASED;
		if (!leaves_first(w, m)) {
			pipeline_inject(w, m);
			continue;
		}
		if (w->n_urgent == 0)
			w->urgent_tick = w->env.now_tick;
		w->urgent[w->n_urgent++] = m;
		w->counters.parked++;
	}
	if (w->n_urgent)
		send_urgent(w);
	return n;
}

static uint32_t receive_injected(struct worker *w)
{
	struct rte_mbuf *frames[BURST_MAX];
	unsigned int n =
		rte_ring_sc_dequeue_burst(w->exchange->inject, (void **)frames, BURST_MAX, NULL);

	w->counters.injected += n;
	for (unsigned int i = 0; i < n; i++) {
		pkt_tag_fresh(frames[i]);
		pkt_tag(frames[i])->kind = HANDOFF_UNLEASED;
		pipeline_inject(w, frames[i]);
	}
	return n;
}

uint32_t loop_round(struct worker *w, uint32_t now_tick, uint32_t now_s)
{
	uint32_t work = 0;

	worker_env_update(w, now_tick, now_s);
	w->ports_closed = __atomic_load_n(&w->dp->ports_closed, __ATOMIC_ACQUIRE);
	work += receive_injected_first(w);
	/* Before what arrives now, so that nothing of a flow overtakes it. */
	if (w->n_parked)
		pipeline_unpark(w);
	for (unsigned int i = 0; i < w->n_rx; i++)
		work += receive_port(w, &w->rx[i]);
	if (w->n_workers > 1)
		work += arrivals_receive(w);
	work += receive_injected(w);
	work += command_run(w, work != 0);
	if (unlikely(w->v4.marks))
		work += sync_round(w);
	if (w->v4.follow->n + w->v4.follow->n_waiting)
		follow4_round(w);
	if (w->v6.follow->n + w->v6.follow->n_waiting)
		follow6_round(w);
	if (w->n_parked)
		pipeline_unpark(w);
	work += pipeline_expire(w);
	pipeline_flush(w);

	w->counters.loops++;
	w->counters.busy_loops += work != 0;
	__atomic_store_n(&w->progress, w->progress + 1, __ATOMIC_RELAXED);
	return work;
}

/* ---- time ---- */

static void clock_read_s(struct loop_clock *c)
{
	c->s = clock_coarse_s();
}

static void clock_start(struct loop_clock *c, const struct dataplane *dp)
{
	c->tick_tsc = dp->hz / CONN_TICK_HZ;
	c->tsc = rte_rdtsc();
	c->tick = (uint32_t)((c->tsc - dp->tsc_start) / c->tick_tsc);
	c->next_tick = dp->tsc_start + ((uint64_t)c->tick + 1) * c->tick_tsc;
	clock_read_s(c);
}

static void clock_update(struct loop_clock *c)
{
	c->tsc = rte_rdtsc();
	if (likely((int64_t)(c->tsc - c->next_tick) < 0))
		return;
	/* Usually one tick; many after the process was stopped and continued. */
	do {
		c->tick++;
		c->next_tick += c->tick_tsc;
	} while ((int64_t)(c->tsc - c->next_tick) >= 0);
	clock_read_s(c);
}

int worker_main(void *worker)
{
	struct worker *w = worker;
	struct dataplane *dp = w->dp;
	struct worker_sleep sleep;
	uint32_t tick;
	struct loop_clock clock;

	clock_start(&clock, dp);
	worker_sleep_init(&sleep, dp->hz, clock.tsc);
	w->live_clock = true;
	rte_rcu_qsbr_thread_online(dp->qsbr, w->id);
	while (!__atomic_load_n(&dp->stop, __ATOMIC_RELAXED)) {
		tick = clock.tick;
		clock_update(&clock);
		w->counters.stalls += clock.tick - tick > STALL_TICKS;
		w->now_tsc = clock.tsc;
		if (loop_round(w, clock.tick, clock.s) != 0) {
			w->counters.busy_tsc += rte_rdtsc() - clock.tsc;
			rte_rcu_qsbr_quiescent(dp->qsbr, w->id);
			worker_sleep_work(&sleep, w, clock.tsc);
			continue;
		}
		rte_rcu_qsbr_quiescent(dp->qsbr, w->id);
		worker_sleep_idle(&sleep, w, clock.tsc, clock.next_tick);
	}
	worker_sleep_fini(&sleep, w);
	rte_rcu_qsbr_thread_offline(dp->qsbr, w->id);
	return 0;
}
