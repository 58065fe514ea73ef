/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of rewrite.h that is compiled once for each address family. */

/* Drops the packet and tells its sender why: as the VIP to clients, as the director to servers.
 * mtu: of ICMP_REASON_TOO_BIG. */
void FAM_FN(rewrite, refuse)(struct worker *w, struct FAM(pkt) *p, enum icmp_reason why,
			     enum drop_reason reason, uint16_t mtu);

/* The Ethernet header of p->nh in front of p->l3. */
static inline void FAM_FN(ethernet, put)(struct FAM(pkt) *p)
{
	struct rte_mbuf *m = p->m;
	uint16_t had = (uint16_t)(p->l3 - rte_pktmbuf_mtod(m, uint8_t *));
	uint16_t want = p->nh->l2_len;

	if (unlikely(had != want)) { /* between a VLAN and none */
		m->data_off = (uint16_t)(m->data_off + had - want);
		m->data_len = (uint16_t)(m->data_len - had + want);
		m->pkt_len = m->pkt_len - had + want;
	}
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_OFFLOAD_MASK);
	if (likely(want == 14))
		memcpy(p->l3 - 14, p->nh->l2, 14);
	else
		memcpy(p->l3 - 18, p->nh->l2, 18);
}

/* The checksum of a TCP or UDP packet, by a delta. */
static inline void FAM_FN(l4_csum, update)(struct FAM(pkt) *p, uint16_t delta)
{
	uint8_t *l4 = p->l3 + p->l4_off;

	if (p->key.proto == IPPROTO_TCP) {
		struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)l4;

		tcp->cksum = csum_apply(tcp->cksum, delta);
	} else {
		struct rte_udp_hdr *udp = (struct rte_udp_hdr *)l4;

		if (udp->dgram_cksum == 0) /* the sender computed none */
			return;
		udp->dgram_cksum = csum_apply(udp->dgram_cksum, delta);
		if (udp->dgram_cksum == 0)
			udp->dgram_cksum = 0xffff;
	}
}
