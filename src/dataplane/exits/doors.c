/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/exits/doors.h"

#include <rte_ether.h>

#include "dataplane/big/big_cut.h"
#include "dataplane/dataplane.h"
#include "dataplane/exits/drop_log.h"
#include "dataplane/exits/lease.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/observe/observer.h"

/* Releases the hold on a template of a decision that did not become a connection. */
static void decision_end(struct worker *w, struct rte_mbuf *m)
{
	struct pkt_tag *tag = pkt_tag(m);

	if (likely(tag->kind != HANDOFF_DECIDED))
		return;
	tag->kind = HANDOFF_STEER;
	if (tag->control && tag->v6)
		template6_release(w, tag->control);
	else if (tag->control)
		template4_release(w, tag->control);
}

void door_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	decision_end(w, m);
	w->counters.dropped[reason]++;
	drop_log_note(w, m, reason);
	if (unlikely(w->observer))
		observer_door(w, m, OBSERVE_DROPPED, reason);
	rte_pktmbuf_free(m);
}

void door_answered(struct worker *w, struct rte_mbuf *m)
{
	w->counters.answered++;
	if (unlikely(w->observer))
		observer_door(w, m, OBSERVE_ANSWERED, 0);
	rte_pktmbuf_free(m);
}

bool rate_take(struct rate_limit *r, uint32_t now_tick)
{
	uint32_t ticks = now_tick - r->tick;

	if (ticks) {
		uint64_t tokens = r->tokens + (uint64_t)ticks * r->per_tick;

		r->tokens = tokens > r->burst ? r->burst : (uint32_t)tokens;
		r->tick = now_tick;
	}
	if (r->tokens == 0)
		return false;
	r->tokens--;
	return true;
}

/* Drops packets that a ring or a port did not take. */
static void drop_rest(struct worker *w, struct rte_mbuf **pkts, uint16_t from, uint16_t n,
		      enum drop_reason reason)
{
	for (; from < n; from++)
		door_drop(w, pkts[from], reason);
}

/* Returns the number of packets that the ring did not take. */
static uint16_t ring_flush(struct worker *w, struct tx_buffer *b, struct rte_ring *ring,
			   uint64_t *door, enum drop_reason reason)
{
	uint16_t n = b->n, done = 0;

	if (n == 0)
		return 0;
	b->n = 0;
	if (ring)
		done = (uint16_t)rte_ring_sp_enqueue_burst(ring, (void **)b->pkts, n, NULL);
	*door += done;
	drop_rest(w, b->pkts, done, n, reason);
	return n - done;
}

/* The link thread may have gone to sleep just before our enqueue: see exchange.h. */
static void wake_link_for(struct worker *w, const struct rte_ring *ring, unsigned int added)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (rte_ring_count(ring) <= added)
		w->wake_link = true;
}

void door_flush_punt(struct worker *w, enum punt_class class)
{
	struct rte_ring *ring = w->exchange ? w->exchange->punt[class] : NULL;

	if (w->punt[class].n == 0)
		return;
	ring_flush(w, &w->punt[class], ring, &w->counters.punted[class], DROP_PUNT_FULL);
	if (ring)
		wake_link_for(w, ring, BURST_MAX);
}

/* Linux reads frames of a TAP as they are: no device finishes them. */
static __rte_noinline void punt_segments(struct worker *w, struct rte_mbuf *m,
					 enum punt_class class)
{
	struct rte_mbuf *out[BIG_SEGMENTS_MAX];
	const uint16_t n = big_cut(w, m, out);

	for (uint16_t i = 0; i < n; i++)
		door_punt(w, out[i], class);
}

void door_punt(struct worker *w, struct rte_mbuf *m, enum punt_class class)
{
	struct tx_buffer *b = &w->punt[class];

	decision_end(w, m);
	if (unlikely(big_is_marked(m))) {
		punt_segments(w, m, class);
		return;
	}
	if (!rate_take(&w->punt_rate[class], w->env.now_tick)) {
		door_drop(w, m, DROP_PUNT_RATE);
		return;
	}
	if ((m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) && rte_vlan_insert(&m) != 0) {
		door_drop(w, m, DROP_LINEARISE);
		return;
	}
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_VLAN);
	if (unlikely(w->observer))
		observer_door(w, m, OBSERVE_PUNTED, class);
	b->pkts[b->n++] = m;
	if (b->n == BURST_MAX)
		door_flush_punt(w, class);
}

void door_flush_handoff(struct worker *w, unsigned int to)
{
	w->ring_lost[to] += ring_flush(w, &w->handoff[to], w->ring_to[to], &w->counters.handed_off,
				       DROP_RING_FULL);
	if (w->wake_to[to])
		wake_up(w->wake_to[to]);
}

static void handoff_put(struct worker *w, struct rte_mbuf *m, unsigned int to)
{
	struct tx_buffer *b = &w->handoff[to];

	w->handoff_filled |= UINT64_C(1) << to;
	b->pkts[b->n++] = m;
	if (b->n == BURST_MAX)
		door_flush_handoff(w, to);
}

void door_handoff_as(struct worker *w, struct rte_mbuf *m, unsigned int to, enum handoff_kind kind)
{
	struct pkt_tag *tag = pkt_tag(m);

	/* Owners depend on the packet and on direction, which two snapshots may see
	 * differently for a moment: bounded, whatever happens. */
	if (tag->hops >= 4) {
		door_drop(w, m, DROP_STALE_HANDOFF);
		return;
	}
	tag->kind = (uint8_t)kind;
	tag->hops++;
	if (unlikely(w->observer))
		observer_door(w, m, OBSERVE_HANDED_OFF, to);
	w->port_counters[m->port].rx_handed_off++;
	handoff_put(w, m, to);
}

void door_handoff(struct worker *w, struct rte_mbuf *m, unsigned int owner, uint8_t flags)
{
	pkt_tag(m)->flags = flags;
	door_handoff_as(w, m, owner, HANDOFF_STEER);
}

/* The lease has ended, or this router is not active: only Linux's own frames may leave. */
static __rte_noinline void lease_filter(struct worker *w, struct tx_buffer *b)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		if (pkt_tag(b->pkts[i])->kind == HANDOFF_UNLEASED)
			b->pkts[k++] = b->pkts[i];
		else
			door_drop(w, b->pkts[i], DROP_NOT_ACTIVE);
	}
	b->n = k;
}

void door_flush_tx(struct worker *w, uint16_t port)
{
	struct tx_buffer *b = &w->tx[port];
	struct port_counters *pc = &w->port_counters[port];
	uint64_t bytes = 0;
	uint16_t n, done;

	if (unlikely(lease_over_now(w)))
		lease_filter(w, b);
	n = b->n;
	if (n == 0)
		return;
	b->n = 0;
	if (unlikely(w->ports_closed >> port & 1)) {
		drop_rest(w, b->pkts, 0, n, DROP_PORT_CLOSED);
		return;
	}
	if (unlikely(w->observer))
		observer_leaving(w, port, b->pkts, n);
	for (uint16_t i = 0; i < n; i++)
		bytes += b->pkts[i]->pkt_len;
	done = rte_eth_tx_burst(w->port_dev[port], (uint16_t)w->tx_queue[port], b->pkts, n);
	w->counters.sent += done;
	pc->tx_pkts += done;
	/* Those that were taken may be freed by now; the rest are here. */
	for (uint16_t i = done; i < n; i++)
		bytes -= b->pkts[i]->pkt_len;
	pc->tx_bytes += bytes;
	pc->tx_full += (uint64_t)(n - done);
	drop_rest(w, b->pkts, done, n, DROP_TX_FULL);
}

void door_send_elsewhere(struct worker *w, struct rte_mbuf *m, uint16_t port)
{
	struct pkt_tag *tag = pkt_tag(m);

	if (tag->kind != HANDOFF_UNLEASED)
		tag->kind = HANDOFF_TX;
	tag->tx_port = port;
	w->port_counters[port].tx_handed_off++;
	handoff_put(w, m, w->tx_owner[port]);
}

void door_park(struct worker *w, struct rte_mbuf *m, link_id link, const struct addr *addr,
	       uint32_t nexthop)
{
	unsigned int same = 0;

	for (unsigned int i = 0; i < w->n_parked; i++)
		same += w->parked[i].link == link && addr_equal(&w->parked[i].addr, addr);
	if (w->n_parked == PARK_MAX || same >= PARK_PER_NEXTHOP) {
		door_drop(w, m, DROP_PARK_FULL);
		return;
	}
	w->parked[w->n_parked++] = (struct parked){
		.m = m,
		.nexthop = (uint16_t)nexthop,
		.link = link,
		.addr = *addr,
		.since_tick = w->env.now_tick,
		.asked_tick = w->env.now_tick,
	};
	w->counters.parked++;
	if (unlikely(w->observer))
		observer_door(w, m, OBSERVE_PARKED, 0);
}

void request_resolve(struct worker *w, link_id link, const struct addr *addr)
{
	struct resolve_request r = {.link = link, .addr = *addr};
	struct rte_ring *ring = w->exchange ? w->exchange->resolve : NULL;

	if (!ring)
		return;
	if (rte_ring_sp_enqueue_elem(ring, &r, sizeof(r)) == 0)
		wake_link_for(w, ring, 1);
}
