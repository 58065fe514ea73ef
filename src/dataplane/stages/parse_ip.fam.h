/* SPDX-License-Identifier: BSD-3-Clause */

/* L4 in stage parse: parse.c. */

/*
 * Parses the L4 header of an unfragmented packet: sets the flags and returns the ports in network
 * order. If the header does not fit, these are zero and the protocol of the key is cleared, so that
 * the packet matches no service; steer then decides by destination.
 */
static __rte_always_inline uint32_t FAM(l4_parse)(struct FAM(pkt) *p, const uint8_t *l4,
						  uint8_t proto, uint32_t l4_len)
{
	uint32_t ports;

	if (likely(proto == IPPROTO_TCP)) {
		uint16_t word;
		uint32_t hlen;

		if (unlikely(l4_len < TCP_MIN))
			goto bad;
		memcpy(&ports, l4, sizeof(ports));
		memcpy(&word, l4 + 12, sizeof(word));
		hlen = (word & 0xf0U) >> 2;
		if (unlikely(hlen < TCP_MIN || hlen > l4_len))
			goto bad;
		p->tcp_flags = word >> 8 & 0x3f;
		return ports;
	}
	p->tcp_flags = 0;
	if (proto == IPPROTO_UDP) {
		uint16_t len;

		if (l4_len < UDP_MIN)
			goto bad;
		len = (uint16_t)(l4[4] << 8 | l4[5]);
		if (len < UDP_MIN || len > l4_len)
			goto bad;
		memcpy(&ports, l4, sizeof(ports));
		return ports;
	}
	return 0;
bad:
	p->tcp_flags = 0;
	p->flags |= PKT_BAD_L4;
	return 0;
}

/* The ports and protocol of a fragment from its tag, if it has been at its home; otherwise steer
 * sends it there. */
static __rte_noinline __rte_unused uint64_t FAM_FN(fragment, parse)(struct FAM(pkt) *p,
								    uint8_t proto)
{
	uint64_t rest = 0;

	p->flags |= PKT_FRAGMENT;
	p->key.proto = proto;
	p->key.sport = 0;
	p->key.dport = 0;
	if (pkt_tag(p->m)->fragment)
		FAM_FN(follow, known)(p);
	memcpy(&rest, (const uint8_t *)&p->key + offsetof(struct FAM(key), sport), 4);
	return rest | (uint64_t)p->key.proto << 32;
}
