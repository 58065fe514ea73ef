/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_STAGES_RELATED_H
#define PLVS_DATAPLANE_STAGES_RELATED_H

/*
 * ICMP errors about balanced connections, found by the packet that they quote and sent to
 * whoever sent that packet. As IPVS does it:
 *	about a reply, to the VIP     NAT: destination and quoted source become the server's;
 *				      DR: to the server as it is
 *	about a forwarded packet,     NAT: the source becomes the VIP, whoever sent it, and
 *	to the client		      the quoted destination the VIP and its port
 * Worker context.
 */

#include "dataplane/stages/pkt.h"

/* A well-formed ICMP error that quotes TCP or UDP with its ports? Then p->key is the key of
 * the quoted connection in direction dir, as if the packet itself had come back that way,
 * and PKT_RELATED is set. False: p is as it was. */
bool related_parse(struct pkt4 *p);

/* Whether the ICMP message's checksum is right. */
bool related_sum_good(const struct pkt4 *p);

/* Rewrites outer and quoted addresses for p->conn. NAT only. Returns the delta of the outer
 * IP header's checksum. */
uint16_t related_rewrite(struct pkt4 *p);

#endif
