/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tunnel/outer.h"

#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_gre.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "base/csum.h"

/* Source ports of GUE: Linux's net.ipv4.ip_local_port_range by default. */
#define FLOW_PORT_MIN 32768U
#define FLOW_PORT_N   28232U

/* The base header of GUE, version 0: no options, no control message. */
struct gue_hdr {
	uint8_t version_hlen;
	uint8_t proto; /* of the inner packet */
	be16 flags;
};
_Static_assert(sizeof(struct gue_hdr) == ENCAP_GUE_LEN, "");

static uint8_t proto_of(const uint8_t *inner)
{
	return inner[0] >> 4 == 6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
}

/* The sum of `len` bytes of m from p on; p lies in the first segment. */
static uint16_t sum_of(const struct rte_mbuf *m, const uint8_t *p, uint32_t len)
{
	uint16_t sum = 0;

	/* Cannot fail: the length was compared with the packet's by stage parse. */
	rte_raw_cksum_mbuf(m, (uint32_t)(p - rte_pktmbuf_mtod(m, const uint8_t *)), len, &sum);
	return sum;
}

static uint64_t addr_sum(const struct addr *a)
{
	return csum_add(0, a->v6, a->family == ADDR_V6 ? sizeof(a->v6) : sizeof(a->v4));
}

static void gue_put(const struct rte_mbuf *m, uint8_t *at, const struct outer *o,
		    uint16_t inner_len)
{
	const uint16_t len = (uint16_t)(ENCAP_UDP_LEN + ENCAP_GUE_LEN + inner_len);
	const struct gue_hdr gue = {.proto = proto_of(at + ENCAP_UDP_LEN + ENCAP_GUE_LEN)};
	struct rte_udp_hdr udp = {
		.src_port = be16_from(
			(uint16_t)(FLOW_PORT_MIN + ((uint64_t)o->flow * FLOW_PORT_N >> 32))),
		.dst_port = o->encap.port,
		.dgram_len = be16_from(len),
	};

	memcpy(at, &udp, sizeof(udp));
	memcpy(at + sizeof(udp), &gue, sizeof(gue));
	if (o->encap.checksum == ENCAP_NO_CHECKSUM)
		return;
	udp.dgram_cksum = (be16)~csum_fold(addr_sum(&o->from) + addr_sum(&o->to) + be16_from(len) +
					   be16_from(IPPROTO_UDP) + sum_of(m, at, len));
	if (udp.dgram_cksum == 0)
		udp.dgram_cksum = 0xffff;
	memcpy(at, &udp, sizeof(udp));
}

static void gre_put(const struct rte_mbuf *m, uint8_t *at, const struct outer *o,
		    uint16_t inner_len)
{
	const uint16_t head = encap_len(o->encap);
	const uint16_t type =
		proto_of(at + head) == IPPROTO_IPV6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4;
	/* Flags and version, type; checksum and reserved. */
	be16 words[4] = {o->encap.checksum ? be16_from(0x8000) : 0, be16_from(type)};

	memcpy(at, words, head);
	if (!o->encap.checksum)
		return;
	words[2] = (be16)~csum_fold(sum_of(m, at, head + (uint32_t)inner_len));
	memcpy(at, words, head);
}

static uint8_t next_header(struct encap e, const uint8_t *inner)
{
	return e.type == ENCAP_GUE   ? IPPROTO_UDP
	       : e.type == ENCAP_GRE ? IPPROTO_GRE
				     : proto_of(inner);
}

static void ip_put(struct worker *w, uint8_t *l3, const struct outer *o, uint16_t inner_len)
{
	const uint16_t encap = encap_len(o->encap);
	const uint8_t *inner = l3 + outer_len(o->to.family, o->encap);
	const bool v6 = inner[0] >> 4 == 6;
	const struct rte_ipv4_hdr *in4 = (const struct rte_ipv4_hdr *)inner;
	const uint8_t class = v6 ? (uint8_t)(inner[0] << 4 | inner[1] >> 4) : in4->type_of_service;
	const uint8_t hops =
		v6 ? inner[offsetof(struct rte_ipv6_hdr, hop_limits)] : in4->time_to_live;

	if (o->to.family == ADDR_V6) {
		struct rte_ipv6_hdr out = {
			.vtc_flow = be32_from(6U << 28 | (uint32_t) class << 20),
			.payload_len = be16_from((uint16_t)(encap + inner_len)),
			.proto = next_header(o->encap, inner),
			.hop_limits = hops,
		};

		memcpy(out.src_addr, o->from.v6, sizeof(out.src_addr));
		memcpy(out.dst_addr, o->to.v6, sizeof(out.dst_addr));
		memcpy(l3, &out, sizeof(out));
	} else {
		struct rte_ipv4_hdr out = {
			.version_ihl = RTE_IPV4_VHL_DEF,
			.type_of_service = class,
			.total_length = be16_from((uint16_t)(sizeof(out) + encap + inner_len)),
			/* No two workers give one id to the same pair of addresses. */
			.packet_id = be16_from((uint16_t)(w->ip_id++ * w->n_workers + w->id)),
			.fragment_offset =
				v6 ? 0 : in4->fragment_offset & be16_from(RTE_IPV4_HDR_DF_FLAG),
			.time_to_live = hops,
			.next_proto_id = next_header(o->encap, inner),
			.src_addr = o->from.v4,
			.dst_addr = o->to.v4,
		};

		out.hdr_checksum = csum_of(&out, sizeof(out));
		memcpy(l3, &out, sizeof(out));
	}
}

void outer_put(struct worker *w, const struct rte_mbuf *m, uint8_t *l3, const struct outer *o,
	       uint16_t inner_len)
{
	uint8_t *encap = l3 + outer_len(o->to.family, (struct encap){0});

	ip_put(w, l3, o, inner_len);
	if (o->encap.type == ENCAP_GUE)
		gue_put(m, encap, o, inner_len);
	else if (o->encap.type == ENCAP_GRE)
		gre_put(m, encap, o, inner_len);
}
