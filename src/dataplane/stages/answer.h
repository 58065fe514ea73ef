/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_ANSWER_H
#define PLVS_DATAPLANE_STAGES_ANSWER_H

/*
 * What a worker answers by itself: ARP and echo requests for active VIPs, and ICMP errors.
 * Answers are counted as generated. They go back to the station that the frame came from,
 * on the same link: no next hop has to be resolved, and a flood of requests asks Linux
 * nothing. Worker context.
 */

#include "dataplane/worker.h"

/* ARP as received on link; l2_len bytes of Ethernet and VLAN stand before it. Takes m. */
void arp_receive(struct worker *w, struct rte_mbuf *m, uint16_t l2_len, link_id link);
/* ARP that Linux sends: false when it claims a VIP or gateway address that is not active
 * here. */
bool arp_may_leave(const struct worker *w, const struct rte_mbuf *m);
/* An IPv4 frame of Linux that bears a VIP as its source. */
bool speaks_as_vip(const struct worker *w, const struct rte_mbuf *m);

/* ICMP echo request to an active VIP: answered. Takes p->m. */
void echo_receive(struct worker *w, struct pkt4 *p);

/* Sends an ICMP error about p (which stays as it is) to its source, from `from`; rate
 * limited; never about ICMP errors, fragments but the first, or broadcasts (RFC 1122).
 * mtu: for type 3 code 4. */
void icmp_error(struct worker *w, const struct pkt4 *p, be32 from, uint8_t type, uint8_t code,
		uint16_t mtu);

/* Writes IPv4 and ICMP header (28 bytes) of an error before the quote, which lies behind them
 * already. */
void icmp_put(struct worker *w, uint8_t *l3, be32 from, be32 to, uint8_t type, uint8_t code,
	      uint16_t mtu, uint16_t quote);

/* Our own address towards p's source, or 0: for errors about what servers send. */
be32 own_address4(const struct worker *w, const struct pkt4 *p);

/* Answers a TCP packet (which stays as it is) by a RST to its source from its destination,
 * as of a port that knows no connection (RFC 9293, 3.10.7.1); rate limited; never about a
 * RST. */
void tcp_reset(struct worker *w, const struct pkt4 *p);

/* Makes of a TCP packet on its way a RST in its sender's name: at its sequence number,
 * without data. */
void tcp_become_reset(struct pkt4 *p);

#endif
