/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_TUNNEL_IPIP_H
#define PLVS_DATAPLANE_TUNNEL_IPIP_H

/* The outer header of a tunnel (RFC 2003). Worker context. */

#include <rte_ip.h>

#include "base/csum.h"
#include "dataplane/worker.h"

/* Around ip, whose length is inner_len, as IPVS writes it: TTL, type of service and DF of the
 * inner one. */
static inline void ipip_header(struct worker *w, const struct rte_ipv4_hdr *ip, uint16_t inner_len,
			       be32 source, be32 dest, struct rte_ipv4_hdr *out)
{
	*out = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = ip->type_of_service,
		.total_length = rte_cpu_to_be_16((uint16_t)(inner_len + sizeof(*out))),
		/* No two workers give one id to the same pair of addresses. */
		.packet_id = rte_cpu_to_be_16((uint16_t)(w->ip_id++ * w->n_workers + w->id)),
		.fragment_offset = ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
		.time_to_live = ip->time_to_live,
		.next_proto_id = IPPROTO_IPIP,
		.src_addr = source,
		.dst_addr = dest,
	};
	out->hdr_checksum = csum_of(out, sizeof(*out));
}

#endif
