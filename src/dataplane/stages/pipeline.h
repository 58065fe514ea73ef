/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_PIPELINE_H
#define PLVS_DATAPLANE_STAGES_PIPELINE_H

/*
 * The stages, in order. Each takes the packets of a burst that are still on their way,
 * gives each packet that leaves to exactly one door (doors.h), and compacts the rest.
 *
 *	receive   ports, hand-off rings, injected frames (loop.c)
 *	parse     Ethernet, VLAN, IPv4, L4; ARP and what is not IPv4 leaves here
 *	steer     direction, owner; hand-off leaves here, and by not_balanced.h own addresses and
 *		  transit
 *	look-up   connection table
 *	schedule  misses: a service, a server, a new connection
 *	resolve   next hop of the direction, again after a change; packets whose server is
 *		  gone or whose next hop is silent leave here and change no state
 *	track     state, time stamp, expiry
 *	rewrite   NAT, DR; TTL; MTU
 *	transmit  per port, by own queue or the owner's ring
 *
 * Stages from resolve on run packet by packet, and for plain packets as one function (forward.c).
 * While packets are traced or explained, each stage runs on the whole burst.
 *
 * Worker context.
 */

#include "dataplane/worker.h"

/* Takes up published pointers and the time for the next bursts. Call once per loop, between two
 * quiescent states. */
void worker_env_update(struct worker *w, uint32_t now_tick, uint32_t now_s);

/* All stages on up to BURST_MAX frames as a port gave them (tag kind HANDOFF_STEER set by
 * the caller through pkt_tag_fresh()). Every mbuf leaves by one door. */
void pipeline_run(struct worker *w, struct rte_mbuf **frames, uint16_t n);

/* Stage parse: the frames of each family become a burst. */
void stage_parse(struct worker *w, struct rte_mbuf **frames, uint16_t n, struct burst4 *b4,
		 struct burst6 *b6);

static inline void pkt_tag_fresh(struct rte_mbuf *m)
{
	*(uint64_t *)pkt_tag(m) = 0;
}

/* Takes a frame of Linux. ARP that claims a VIP not active here is dropped. With a pool of full
 * NAT, a packet to a VIP that is active here goes through the stages. All other frames leave by
 * m->port. */
void pipeline_inject(struct worker *w, struct rte_mbuf *m);

/* Runs parked packets again whose next hop has been resolved, and drops those that waited
 * too long. Call once per loop when w->n_parked. */
void pipeline_unpark(struct worker *w);

/* Expiry, bounded. Returns entries looked at. Call once per loop. */
uint32_t pipeline_expire(struct worker *w);

/* End of a loop: gives all buffers to ports, rings and Linux, wakes the link thread, and brings
 * gauges up to date. */
void pipeline_flush(struct worker *w);

#define FAM_TEMPLATE "dataplane/stages/pipeline.fam.h"
#include "base/both_families.h"

#endif
