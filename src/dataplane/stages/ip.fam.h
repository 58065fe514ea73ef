/* SPDX-License-Identifier: BSD-3-Clause */

/* The IP header of one family: ip.h. */

static inline uint8_t *FAM_FN(ip, hop_limit)(uint8_t *l3)
{
	return l3 + (FAMILY == 4 ? offsetof(struct rte_ipv4_hdr, time_to_live)
				 : offsetof(struct rte_ipv6_hdr, hop_limits));
}

/* The place of the address `which` (enum ip_address), at any alignment. */
static inline uint8_t *FAM_FN(ip, addr_at)(uint8_t *l3, unsigned int which)
{
	return l3 + which * sizeof(FAM_ADDR) +
	       (FAMILY == 4 ? offsetof(struct rte_ipv4_hdr, src_addr)
			    : offsetof(struct rte_ipv6_hdr, src_addr));
}

static inline FAM_ADDR FAM_FN(ip, addr)(const uint8_t *l3, unsigned int which)
{
	FAM_ADDR a;

	memcpy(&a, FAM_FN(ip, addr_at)((uint8_t *)(uintptr_t)l3, which), sizeof(a));
	return a;
}

static inline void FAM_FN(ip, addr_put)(uint8_t *l3, unsigned int which, FAM_ADDR a)
{
	memcpy(FAM_FN(ip, addr_at)(l3, which), &a, sizeof(a));
}

/* Updates the IPv4 header's checksum by delta. IPv6 has none. */
static inline void FAM_FN(ip, csum_change)(uint8_t *l3, uint16_t delta)
{
	if (FAMILY == 4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;

		ip->hdr_checksum = csum_apply(ip->hdr_checksum, delta);
	}
}

/* Decrements the TTL or hop limit. Returns the delta of IPv4's header checksum: TTL is the first
 * byte of its word, so a decrement is a fixed delta in memory order. */
static inline uint16_t FAM_FN(ip, hop_down)(uint8_t *l3)
{
	(*FAM_FN(ip, hop_limit)(l3))--;
	return be16_from(0xfeff);
}

/* True: a router must not fragment the packet: DF of IPv4; always in IPv6. */
static inline bool FAM_FN(ip, forbids_fragments)(const uint8_t *l3)
{
	return FAMILY == 6 || (((const struct rte_ipv4_hdr *)l3)->fragment_offset &
			       be16_from(RTE_IPV4_HDR_DF_FLAG));
}

static inline struct icmp_wire FAM_FN(icmp, wire_of)(enum icmp_reason reason)
{
	return FAMILY == 4 ? icmp4_wire[reason] : icmp6_wire[reason];
}

/* Writes a header without options in front of `len` bytes of proto. traffic_class: for both
 * families. id, df: of IPv4. */
static inline void FAM_FN(ip, put)(uint8_t *l3, FAM_ADDR from, FAM_ADDR to, uint8_t proto,
				   uint16_t len, uint8_t traffic_class, uint16_t id, bool df)
{
#if FAMILY == 4
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = traffic_class,
		.total_length = be16_from((uint16_t)(sizeof(*ip) + len)),
		.packet_id = be16_from(id),
		.fragment_offset = df ? be16_from(RTE_IPV4_HDR_DF_FLAG) : 0,
		.time_to_live = ANSWER_HOPS,
		.next_proto_id = proto,
		.src_addr = from,
		.dst_addr = to,
	};
	ip->hdr_checksum = csum_of(ip, sizeof(*ip));
#else
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)l3;

	(void)id;
	(void)df;
	*ip = (struct rte_ipv6_hdr){
		.vtc_flow = be32_from(6U << 28 | (uint32_t)traffic_class << 20),
		.payload_len = be16_from(len),
		.proto = proto,
		.hop_limits = ANSWER_HOPS,
	};
	memcpy(ip->src_addr, &from, sizeof(from));
	memcpy(ip->dst_addr, &to, sizeof(to));
#endif
}

/* The sum of the pseudo header (RFC 793, RFC 8200, 8.1) over `len` bytes of proto. */
static inline uint64_t FAM_FN(ip, pseudo_sum)(const uint8_t *l3, uint8_t proto, uint32_t len)
{
	return csum_add(0, FAM_FN(ip, addr_at)((uint8_t *)(uintptr_t)l3, IP_SOURCE),
			2 * sizeof(FAM_ADDR)) +
	       be16_from((uint16_t)len) + be16_from(proto);
}

/* The checksum of `len` bytes of proto at l4, whose own field is zero. */
static inline be16 FAM_FN(ip, l4_csum)(const uint8_t *l3, const uint8_t *l4, uint8_t proto,
				       uint32_t len)
{
	return (be16)~csum_fold(csum_add(FAM_FN(ip, pseudo_sum)(l3, proto, len), l4, len));
}

/* ICMP is summed with a pseudo header in IPv6 only. */
static inline be16 FAM_FN(ip, icmp_csum)(const uint8_t *l3, const uint8_t *icmp, uint32_t len)
{
	return FAMILY == 4 ? csum_of(icmp, len)
			   : FAM_FN(ip, l4_csum)(l3, icmp, IPPROTO_ICMPV6, len);
}

/* Writes a changed length into the header. The length counts from l3 on. */
static inline void FAM_FN(ip, length_put)(uint8_t *l3, uint16_t len)
{
#if FAMILY == 4
	((struct rte_ipv4_hdr *)l3)->total_length = be16_from(len);
#else
	((struct rte_ipv6_hdr *)l3)->payload_len =
		be16_from((uint16_t)(len - sizeof(struct rte_ipv6_hdr)));
#endif
}

/* True: the ICMP message of p has a right checksum, over all segments. */
static inline bool FAM_FN(icmp, sum_good)(const struct FAM(pkt) *p)
{
	const uint32_t at = (uint32_t)(p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *)) + p->l4_off;
	const uint32_t len = (uint32_t)p->l3_len - p->l4_off;
	uint64_t sum = FAMILY == 4 ? 0 : FAM_FN(ip, pseudo_sum)(p->l3, IPPROTO_ICMPV6, len);
	uint16_t message;

	if (rte_raw_cksum_mbuf(p->m, at, len, &message) != 0)
		return false;
	return csum_fold(sum + message) == 0xffff;
}
