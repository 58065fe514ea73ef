/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of plain.h that is compiled once for each address family: that of the packet before.
 */

/* Bytes of the header without options or extension headers. */
#define PLAIN_HDR (FAMILY == 4 ? 20U : 40U)

/*
 * True: a TCP segment or datagram of `len` bytes, whose L4 header lies at l4_off behind l3, can
 * leave by nh with only a new header: no options, no fragment before or after, hop limit not used
 * up, a checksum, and room for the longer header.
 */
static inline bool FAM_FN(translate, is_plain)(const struct rte_mbuf *m, const uint8_t *l3,
					       uint32_t l4_off, uint32_t len, uint8_t proto,
					       const struct nexthop *nh)
{
	uint32_t limit = nh->mtu;

	if (unlikely(l4_off != PLAIN_HDR || big_is_marked(m) ||
		     *FAM_FN(ip, hop_limit)((uint8_t *)(uintptr_t)l3) <= 1))
		return false;
	if (proto == IPPROTO_UDP && ((const struct rte_udp_hdr *)(l3 + l4_off))->dgram_cksum == 0)
		return false;
	if (FAMILY == 4) {
		const be16 field = ((const struct rte_ipv4_hdr *)l3)->fragment_offset;

		if (!(field & be16_from(RTE_IPV4_HDR_DF_FLAG)))
			limit = RTE_MIN(limit, (uint32_t)WHOLE6_MAX);
		return !(field & (be16)~be16_from(RTE_IPV4_HDR_DF_FLAG)) &&
		       len + TRANSLATED_GROWTH <= limit &&
		       (size_t)(l3 - (const uint8_t *)m->buf_addr) >=
			       TRANSLATED_GROWTH + sizeof(nh->l2);
	}
	return len - TRANSLATED_GROWTH <= limit;
}

/* Writes the Ethernet header of nh in front of the IP header at l3, as the start of the frame. */
static inline void FAM_FN(translate, frame)(struct rte_mbuf *m, uint8_t *l3,
					    const struct nexthop *nh)
{
	const uint16_t had = m->data_off;

	m->data_off = (uint16_t)(l3 - nh->l2_len - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)(m->data_len + had - m->data_off);
	m->pkt_len = m->pkt_len + had - m->data_off;
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_OFFLOAD_MASK);
	if (likely(nh->l2_len == 14))
		memcpy(l3 - 14, nh->l2, 14);
	else
		memcpy(l3 - 18, nh->l2, 18);
}

#if FAMILY == 4
/* Writes an IPv6 header in place of the IPv4 header at l3. Returns its place. */
static inline uint8_t *FAM_FN(translate, header)(struct worker *w, uint8_t *l3, uint32_t payload,
						 uint8_t proto, const struct new_ends6 *ends)
{
	uint8_t *const to = l3 - TRANSLATED_GROWTH;
	const uint64_t first = (uint64_t)6 << 60 | (uint64_t)l3[1] << 52 | (uint64_t)payload << 16 |
			       (uint64_t)proto << 8 | (l3[8] - 1U);
	const uint64_t word = htobe64(first);

	(void)w;
	memcpy(to, &word, sizeof(word));
	ip6_addr_put(to, IP_SOURCE, ends->source);
	ip6_addr_put(to, IP_DEST, ends->dest);
	return to;
}
#else
/* Writes an IPv4 header in place of the IPv6 header at l3, as ip_facts4_write(). */
static inline uint8_t *FAM_FN(translate, header)(struct worker *w, uint8_t *l3, uint32_t payload,
						 uint8_t proto, const struct new_ends4 *ends)
{
	uint8_t *const to = l3 + TRANSLATED_GROWTH;
	const uint32_t len = 20 + payload, traffic_class = (uint8_t)(l3[0] << 4 | l3[1] >> 4);
	const bool whole = len > WHOLE4_MAX;
	const uint32_t id = whole ? 0 : w->ip_id++;
	const be32 words[3] = {
		be32_from(0x45U << 24 | traffic_class << 16 | len),
		be32_from(id << 16 | (whole ? RTE_IPV4_HDR_DF_FLAG : 0U)),
		be32_from((l3[7] - 1U) << 24 | (uint32_t)proto << 16),
	};
	const uint64_t sum = (uint64_t)words[0] + words[1] + words[2] + ends->source + ends->dest;
	const uint32_t csum = (uint16_t)~csum_fold(sum);
	const uint64_t first = words[0] | (uint64_t)words[1] << 32;
	const uint64_t addrs = ends->source | (uint64_t)ends->dest << 32;
	const uint32_t second = words[2] | csum << 16;

	memcpy(to, &first, sizeof(first));
	memcpy(to + 8, &second, sizeof(second));
	memcpy(to + 12, &addrs, sizeof(addrs));
	return to;
}
#endif

/* Translates a packet that FAM_FN(translate, is_plain)() is true for. */
static inline void FAM_FN(translate, plain)(struct worker *w, struct rte_mbuf *m, uint8_t *l3,
					    uint32_t len, uint8_t proto, const struct nexthop *nh,
					    const struct OTHER_FAM(new_ends) * ends,
					    uint16_t l4_delta)
{
	uint8_t *const l4 = l3 + PLAIN_HDR;

	FAM_FN(l4_csum, change)(l4, proto, l4_delta);
	memcpy(l4, &ends->sport, 2);
	memcpy(l4 + 2, &ends->dport, 2);
	FAM_FN(translate, frame)
	(m, FAM_FN(translate, header)(w, l3, len - PLAIN_HDR, proto, ends), nh);
}

#undef PLAIN_HDR
