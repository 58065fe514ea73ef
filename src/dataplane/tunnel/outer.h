/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TUNNEL_OUTER_H
#define PLVS_DATAPLANE_TUNNEL_OUTER_H

/* The outer header of a tunnel: IP in IPv4 (RFC 2003, RFC 4213) or in IPv6 (RFC 2473). Worker
 * context. */

#include <netinet/in.h>
#include <rte_ip.h>

#include "base/csum.h"
#include "dataplane/worker.h"

/* Writes it at l3, around the packet of either family at inner, as IPVS does: hop limit and traffic
 * class of the inner one, and DF of an inner IPv4 one. from and to are of one family. */
static inline void outer_put(struct worker *w, uint8_t *l3, const struct addr *from,
			     const struct addr *to, const uint8_t *inner, uint16_t inner_len)
{
	const bool v6 = inner[0] >> 4 == 6;
	const struct rte_ipv4_hdr *in4 = (const struct rte_ipv4_hdr *)inner;
	const uint8_t class = v6 ? (uint8_t)(inner[0] << 4 | inner[1] >> 4) : in4->type_of_service;
	const uint8_t hops =
		v6 ? inner[offsetof(struct rte_ipv6_hdr, hop_limits)] : in4->time_to_live;
	const uint8_t proto = v6 ? IPPROTO_IPV6 : IPPROTO_IPIP;

	if (to->family == ADDR_V6) {
		struct rte_ipv6_hdr out = {
			.vtc_flow = be32_from(6U << 28 | (uint32_t) class << 20),
			.payload_len = be16_from(inner_len),
			.proto = proto,
			.hop_limits = hops,
		};

		memcpy(out.src_addr, from->v6, sizeof(out.src_addr));
		memcpy(out.dst_addr, to->v6, sizeof(out.dst_addr));
		memcpy(l3, &out, sizeof(out));
	} else {
		struct rte_ipv4_hdr out = {
			.version_ihl = RTE_IPV4_VHL_DEF,
			.type_of_service = class,
			.total_length = be16_from((uint16_t)(inner_len + sizeof(out))),
			/* No two workers give one id to the same pair of addresses. */
			.packet_id = be16_from((uint16_t)(w->ip_id++ * w->n_workers + w->id)),
			.fragment_offset =
				v6 ? 0 : in4->fragment_offset & be16_from(RTE_IPV4_HDR_DF_FLAG),
			.time_to_live = hops,
			.next_proto_id = proto,
			.src_addr = from->v4,
			.dst_addr = to->v4,
		};

		out.hdr_checksum = csum_of(&out, sizeof(out));
		memcpy(l3, &out, sizeof(out));
	}
}

#endif
