/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TUNNEL_OUTER_H
#define PLVS_DATAPLANE_TUNNEL_OUTER_H

/*
 * The headers that a tunnel puts before the client's packet: an IP header of the server's family
 * (RFC 2003, RFC 4213, RFC 2473), and those of the server's encapsulation (model/encap.h). Worker
 * context.
 */

#include "dataplane/worker.h"

struct outer {
	struct addr from, to; /* of one family */
	struct encap encap;
	uint32_t flow; /* hash of the client's endpoint: the source port of GUE follows from it */
};

/* Bytes of all headers. */
static inline uint16_t outer_len(uint8_t family, struct encap e)
{
	return (uint16_t)((family == ADDR_V6 ? sizeof(struct rte_ipv6_hdr)
					     : sizeof(struct rte_ipv4_hdr)) +
			  encap_len(e));
}

/* Writes the headers at l3, in the first segment of m, around the inner_len bytes of the packet of
 * either family that follow them. As with IPVS hop limit and traffic class are those of the inner
 * packet, and DF that of an inner IPv4 one. */
void outer_put(struct worker *w, const struct rte_mbuf *m, uint8_t *l3, const struct outer *o,
	       uint16_t inner_len);

#endif
