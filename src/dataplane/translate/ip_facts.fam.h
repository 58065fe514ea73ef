/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of ip_facts.h that is compiled once for each address family. */

/* Reads the header at l3 of a packet whose L4 header lies at l4_off. len: length of the packet by
 * its header. proto: of the L4 header. */
static inline struct ip_facts FAM_FN(ip_facts, read)(uint8_t *l3, uint16_t l4_off, uint16_t len,
						     uint8_t proto)
{
	struct ip_facts f = {.proto = proto,
			     .payload = (uint16_t)(len - l4_off),
			     .hops = *FAM_FN(ip, hop_limit)(l3)};
#if FAMILY == 4
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)l3;
	const uint16_t field = be16_to(ip->fragment_offset);

	f.traffic_class = ip->type_of_service;
	f.offset = field & RTE_IPV4_HDR_OFFSET_MASK;
	f.more = field & RTE_IPV4_HDR_MF_FLAG;
	f.fragment = f.more || f.offset;
	f.whole = field & RTE_IPV4_HDR_DF_FLAG;
	f.id = be16_to(ip->packet_id);
#else
	const struct ext6_fragment *h = ext6_fragment_find(l3, l4_off);

	f.traffic_class = (uint8_t)(l3[0] << 4 | l3[1] >> 4);
	if (h) {
		f.offset = be16_to(h->field) >> 3;
		f.more = be16_to(h->field) & EXT6_MORE;
		f.fragment = true;
		f.id = be32_to(h->id);
	} else {
		f.whole = f.payload > WHOLE4_MAX - sizeof(struct rte_ipv4_hdr);
	}
#endif
	return f;
}

/* Bytes that FAM_FN(ip_facts, write)() writes. */
static inline uint16_t FAM_FN(ip_facts, len)(const struct ip_facts *f)
{
	if (FAMILY == 4)
		return sizeof(struct rte_ipv4_hdr);
	return sizeof(struct rte_ipv6_hdr) + (f->fragment ? sizeof(struct ext6_fragment) : 0);
}

/* Writes a header without options; for an IPv6 fragment with a fragment header. */
static inline void FAM_FN(ip_facts, write)(uint8_t *l3, const struct ip_facts *f, FAM_ADDR from,
					   FAM_ADDR to)
{
#if FAMILY == 4
	struct rte_ipv4_hdr ip = {
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = f->traffic_class,
		.total_length = be16_from((uint16_t)(sizeof(ip) + f->payload)),
		.packet_id = be16_from((uint16_t)f->id),
		.fragment_offset =
			be16_from((uint16_t)(f->offset | (f->more ? RTE_IPV4_HDR_MF_FLAG : 0) |
					     (f->whole ? RTE_IPV4_HDR_DF_FLAG : 0))),
		.time_to_live = f->hops,
		.next_proto_id = f->proto,
		.src_addr = from,
		.dst_addr = to,
	};

	ip.hdr_checksum = csum_of(&ip, sizeof(ip));
	memcpy(l3, &ip, sizeof(ip));
#else
	const uint16_t len = (uint16_t)(FAM_FN(ip_facts, len)(f) - sizeof(struct rte_ipv6_hdr));
	struct rte_ipv6_hdr ip = {
		.vtc_flow = be32_from(6U << 28 | (uint32_t)f->traffic_class << 20),
		.payload_len = be16_from((uint16_t)(f->payload + len)),
		.proto = f->fragment ? EXT6_FRAGMENT : f->proto,
		.hop_limits = f->hops,
	};
	const struct ext6_fragment h = {
		.next = f->proto,
		.field = be16_from((uint16_t)(f->offset << 3 | (f->more ? EXT6_MORE : 0))),
		.id = be32_from(f->id),
	};

	memcpy(ip.src_addr, &from, sizeof(from));
	memcpy(ip.dst_addr, &to, sizeof(to));
	memcpy(l3, &ip, sizeof(ip));
	if (f->fragment)
		memcpy(l3 + sizeof(ip), &h, sizeof(h));
#endif
}
