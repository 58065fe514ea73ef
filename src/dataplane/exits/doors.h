/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_EXITS_DOORS_H
#define PLVS_DATAPLANE_EXITS_DOORS_H

/*
 * The doors by which packets leave a worker. Each function takes the mbuf over and counts the
 * packet. Worker context.
 */

#include "dataplane/worker.h"

/* Drops the packet. */
void door_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason);
/* To Linux, through the budget of its class. A stripped VLAN tag is put back. */
void door_punt(struct worker *w, struct rte_mbuf *m, enum punt_class class);
/* To the worker that owns the packet's connection. */
void door_handoff(struct worker *w, struct rte_mbuf *m, unsigned int owner, uint8_t flags);
/* The same with another kind than HANDOFF_STEER. With HANDOFF_DECIDED the tag has server and
 * control, and the hold goes with the packet: a worker that drops the packet releases the hold. */
void door_handoff_as(struct worker *w, struct rte_mbuf *m, unsigned int to, enum handoff_kind kind);
/* Keeps the packet until the next hop answers. Without room drops it (PARK_FULL). */
void door_park(struct worker *w, struct rte_mbuf *m, link_id link, const struct addr *addr,
	       uint32_t nexthop);
/* Frees a packet that was answered. */
void door_answered(struct worker *w, struct rte_mbuf *m);

/* Called from pipeline_flush() and when a buffer is full. */
void door_flush_tx(struct worker *w, uint16_t port);
void door_flush_handoff(struct worker *w, unsigned int to);
void door_flush_punt(struct worker *w, enum punt_class class);

void door_send_elsewhere(struct worker *w, struct rte_mbuf *m, uint16_t port);
/* Sends by a port: by the worker's own queue, or through the ring of a worker that has one. */
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

/* Sends the link thread a request to resolve (link, addr). The request may be lost; the next packet
 * repeats it. */
void request_resolve(struct worker *w, link_id link, const struct addr *addr);

/* Takes a token. False: the bucket is empty. */
bool rate_take(struct rate_limit *r, uint32_t now_tick);

#endif
