/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_EXITS_DOORS_H
#define PLVS_DATAPLANE_EXITS_DOORS_H

/*
 * The doors by which packets leave a worker. Each takes the mbuf over and counts it.
 * Worker context.
 */

#include "dataplane/worker.h"

/* Frees and counts. */
void door_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason);
/* To Linux, through the budget of its class. A stripped VLAN tag is put back. */
void door_punt(struct worker *w, struct rte_mbuf *m, enum punt_class class);
/* To the worker that owns the packet's connection. */
void door_handoff(struct worker *w, struct rte_mbuf *m, unsigned int owner, uint8_t flags);
/* The same as something else than HANDOFF_STEER. With HANDOFF_DECIDED the tag's server and
 * control are set, and the hold goes along: the worker that drops the packet gives it back. */
void door_handoff_as(struct worker *w, struct rte_mbuf *m, unsigned int to, enum handoff_kind kind);
/* Kept until the next hop answers; PARK_FULL when there is no room. */
void door_park(struct worker *w, struct rte_mbuf *m, link_id link, const struct addr *addr,
	       uint32_t nexthop);
/* The packet was answered: ends here. */
void door_answered(struct worker *w, struct rte_mbuf *m);

/* Called from pipeline_flush() and when a buffer is full. */
void door_flush_tx(struct worker *w, uint16_t port);
void door_flush_handoff(struct worker *w, unsigned int to);
void door_flush_punt(struct worker *w, enum punt_class class);

void door_send_elsewhere(struct worker *w, struct rte_mbuf *m, uint16_t port);
/* Out of a port: own queue, or the ring to the worker that has one. */
static inline void door_send(struct worker *w, struct rte_mbuf *m, uint16_t port)
{
	struct tx_buffer *b = &w->tx[port];

	if (unlikely(w->tx_queue[port] < 0)) {
		door_send_elsewhere(w, m, port);
		return;
	}
	b->pkts[b->n++] = m;
	if (b->n == BURST_MAX)
		door_flush_tx(w, port);
}

/* Asks the link thread to resolve (link, addr). Lossy: asked again by the next packet. */
void request_resolve(struct worker *w, link_id link, const struct addr *addr);

/* Takes a token. False: the bucket is empty. */
bool rate_take(struct rate_limit *r, uint32_t now_tick);

#endif
