/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_STEERED_H
#define PLVS_DATAPLANE_STAGES_STEERED_H

/*
 * The hand-off of a steered packet (HANDOFF_STEERED). The worker that received the packet has
 * parsed and steered it, and knows the hash of its key. The packet's tag, which the owner reads in
 * any case, has the hash, the direction and the places of the headers. So the owner prefetches the
 * bucket before it reads the frame, takes the key from the frame in three loads, and begins with
 * stage look-up. Tables of all workers hash with the same seed.
 *
 * Other packets go through the pipeline from its start again, as HANDOFF_STEER: fragments, ICMP
 * errors, observed packets, packets with headers far behind the start. The owner steers a packet
 * again while its VIPs are not active.
 *
 * Worker context.
 */

#include "dataplane/exits/doors.h"

#define FAM_TEMPLATE "dataplane/stages/steered.fam.h"
#include "base/both_families.h"

/* Prefetches the bucket and headers of a frame with HANDOFF_STEERED. */
static inline void steered_prefetch(struct worker *w, const struct pkt_tag *tag)
{
	if (likely(!tag->v6))
		table4_prefetch_bucket(&w->v4.table, tag->hash);
	else
		table6_prefetch_bucket(&w->v6.table, tag->hash);
}

#endif
