/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of rewrite.h that is compiled once for each address family. */

/* Drops the packet and sends an ICMP error to its sender: from the VIP to clients, from the
 * router's address to servers. mtu: of ICMP_REASON_TOO_BIG. */
void FAM_FN(rewrite, refuse)(struct worker *w, struct FAM(pkt) *p, enum icmp_reason why,
			     enum drop_reason reason, uint16_t mtu);

/* Stage rewrite for one packet. False: the packet has left. */
bool FAM_FN(rewrite, packet)(struct worker *w, struct FAM(pkt) *p);

/* Makes room for an Ethernet header of `want` bytes in place of one of `had` bytes. */
static inline void FAM_FN(ethernet, resize)(struct rte_mbuf *m, uint16_t had, uint16_t want)
{
	m->data_off = (uint16_t)(m->data_off + had - want);
	m->data_len = (uint16_t)(m->data_len - had + want);
	m->pkt_len = m->pkt_len - had + want;
}

/* Writes the Ethernet header of nh in front of l3. */
static inline void FAM_FN(ethernet, put_at)(struct rte_mbuf *m, uint8_t *l3,
					    const struct nexthop *nh)
{
	const uint16_t had = (uint16_t)(l3 - rte_pktmbuf_mtod(m, uint8_t *)), want = nh->l2_len;

	if (unlikely(had != want)) /* between a VLAN and none */
		FAM_FN(ethernet, resize)(m, had, want);
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_OFFLOAD_MASK);
	if (likely(want == 14))
		memcpy(l3 - 14, nh->l2, 14);
	else
		memcpy(l3 - 18, nh->l2, 18);
}

static inline void FAM_FN(ethernet, put)(struct FAM(pkt) *p)
{
	FAM_FN(ethernet, put_at)(p->m, p->l3, p->nh);
}

/* Updates the checksum of a TCP segment or UDP datagram at l4 by a delta. */
static inline void FAM_FN(l4_csum, change)(uint8_t *l4, uint8_t proto, uint16_t delta)
{
	if (proto == IPPROTO_TCP) {
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

/* The same for a packet. */
static inline void FAM_FN(l4_csum, update)(struct FAM(pkt) *p, uint16_t delta)
{
	FAM_FN(l4_csum, change)(p->l3 + p->l4_off, p->key.proto, delta);
}

/*
 * Rewrite address, port and TCP or UDP checksum of a packet by NAT. Return the delta for the IP
 * header. out: enum pkt_dir. `in` gets the server as its destination, `out` the VIP as its source.
 * The direction is as good as random, so the places are computed without a branch.
 */
static inline uint16_t FAM_FN(nat, address)(const struct FAM(conn) *c, uint8_t *l3, uint32_t out)
{
	const uint16_t delta = c->c.ip_delta ^ (uint16_t)-out; /* csum_delta_inverse() of `out` */

	FAM_FN(ip, addr_put)(l3, 1 - out, c->addr[2 * out]);
	return delta;
}

static inline uint16_t FAM_FN(nat, apply)(const struct FAM(conn) *c, uint8_t *l3, uint32_t l4_off,
					  uint32_t out, uint8_t proto)
{
	uint8_t *l4 = l3 + l4_off;

	FAM_FN(l4_csum, change)(l4, proto, c->c.l4_delta ^ (uint16_t)-out);
	memcpy(l4 + 2 - 2 * out, &c->port[2 * out], 2);
	return FAM_FN(nat, address)(c, l3, out);
}
_Static_assert(DIR_OUT == 1 && IP_SOURCE == 0 && IP_DEST == 1 && END_SERVER == 0 && END_VIP == 2,
	       "what a direction writes, and where, is computed");

/* The same by full NAT: both addresses, and both ports. */
static inline void FAM_FN(fullnat, addresses_put)(uint8_t *l3, const struct FAM(new_ends) *ends)
{
	FAM_FN(ip, addr_put)(l3, IP_SOURCE, ends->source);
	FAM_FN(ip, addr_put)(l3, IP_DEST, ends->dest);
}

static inline uint16_t FAM_FN(fullnat, addresses)(const struct FAM(table) *t,
						  const struct FAM(conn) *c,
						  const struct FAM(new_ends) *ends, uint8_t *l3,
						  uint32_t out)
{
	FAM_FN(fullnat, addresses_put)(l3, ends);
	return FAM_FN(local, ip_delta)(t, c) ^ (uint16_t)-out;
}

static inline uint16_t FAM_FN(fullnat, apply)(const struct FAM(table) *t, const struct FAM(conn) *c,
					      uint8_t *l3, uint32_t l4_off, uint32_t out,
					      uint8_t proto)
{
	const struct FAM(new_ends) ends = FAM_FN(local, ends)(t, c, out);
	const uint16_t ip_delta = FAM_FN(local, ip_delta)(t, c),
		       l4_delta = FAM_FN(local, l4_delta)(c, ip_delta);
	uint8_t *l4 = l3 + l4_off;

	FAM_FN(l4_csum, change)(l4, proto, l4_delta ^ (uint16_t)-out);
	memcpy(l4, &ends.sport, 2);
	memcpy(l4 + 2, &ends.dport, 2);
	FAM_FN(fullnat, addresses_put)(l3, &ends);
	return ip_delta ^ (uint16_t)-out;
}

#if FAMILY == 6
/* True: a datagram without a checksum, which IPv6 does not allow. */
static inline bool FAM_FN(udp_csum, missing)(const uint8_t *l4, uint8_t proto)
{
	return unlikely(proto == IPPROTO_UDP) && ((const struct rte_udp_hdr *)l4)->dgram_cksum == 0;
}
#endif

static inline void FAM_FN(server, count)(struct worker *w, uint32_t server, unsigned int dir,
					 uint32_t len)
{
	struct server_counters *sc = &w->servers[server].counters;

	sc->pkts[dir]++;
	sc->bytes[dir] += len;
}
