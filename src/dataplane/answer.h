/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_ANSWER_H
#define PLVS_DATAPLANE_ANSWER_H

/*
 * What a worker answers by itself: ARP and echo requests for active VIPs, and ICMP errors.
 * Answers are counted as generated. They go back to the station that the frame came from,
 * on the same link: no next hop has to be resolved, and a flood of requests asks Linux
 * nothing. Worker context.
 */

#include "dataplane/worker.h"

/* ARP as received on link; l2_len bytes of Ethernet and VLAN stand before it. Takes m. */
void arp_receive(struct worker *w, struct rte_mbuf *m, uint16_t l2_len, link_id link);
/* ARP that Linux sends: false when it claims a VIP that is not active here. */
bool arp_may_leave(const struct worker *w, const struct rte_mbuf *m);

/* ICMP echo request to an active VIP: answered. Takes p->m. */
void echo_receive(struct worker *w, struct pkt4 *p);

/* Sends an ICMP error about p (which stays as it is) to its source, from `from`; rate
 * limited; never about ICMP errors, fragments but the first, or broadcasts (RFC 1122).
 * mtu: for type 3 code 4. */
void icmp_error(struct worker *w, const struct pkt4 *p, be32 from, uint8_t type, uint8_t code,
		uint16_t mtu);

#endif
