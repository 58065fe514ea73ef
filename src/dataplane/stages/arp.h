/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ARP_H
#define PLVS_DATAPLANE_STAGES_ARP_H

/* ARP: requests for active VIPs are answered by the worker that received them. Worker context. */

#include "dataplane/worker.h"

/* ARP as received on link; l2_len bytes of Ethernet and VLAN stand before it. Takes m. */
void arp_receive(struct worker *w, struct rte_mbuf *m, uint16_t l2_len, link_id link);
/* For ARP and neighbour discovery of Linux. False: the frame claims a VIP or gateway address that
 * is not active here. */
bool arp_may_leave(const struct worker *w, const struct rte_mbuf *m);
/* True: a frame of Linux, of either family, has a VIP as its source. */
bool speaks_as_vip(const struct worker *w, const struct rte_mbuf *m);
/* True: a frame of Linux, of either family, is for a VIP that is active in the snapshot. */
bool speaks_to_vip(const struct worker *w, const struct rte_mbuf *m);

#endif
