/* SPDX-License-Identifier: BSD-3-Clause */

/* The part of stage parse that knows L4: parse.c. */

/*
 * Flags and, returned as they lie in the packet, ports of an unfragmented one. A header that
 * does not fit leaves them zero and clears the protocol's key, so that the packet matches no
 * service; steer decides by destination what becomes of it.
 */
static __rte_always_inline uint32_t FAM(l4_parse)(struct FAM(pkt) *p, uint8_t proto,
						  uint16_t l4_len)
{
	const uint8_t *l4 = p->l3 + p->l4_off;
	uint32_t ports;

	if (proto == IPPROTO_TCP) {
		uint8_t hlen;

		if (l4_len < TCP_MIN)
			goto bad;
		hlen = (uint8_t)((l4[12] >> 4) * 4);
		if (hlen < TCP_MIN || hlen > l4_len)
			goto bad;
		p->tcp_flags = l4[13] & 0x3f;
	} else if (proto == IPPROTO_UDP) {
		uint16_t len;

		if (l4_len < UDP_MIN)
			goto bad;
		len = (uint16_t)(l4[4] << 8 | l4[5]);
		if (len < UDP_MIN || len > l4_len)
			goto bad;
	} else {
		return 0;
	}
	memcpy(&ports, l4, sizeof(ports));
	return ports;
bad:
	p->flags |= PKT_BAD_L4;
	return 0;
}

/* Ports and protocol, if the packet has been where its first fragment is known; else steer sends
 * it there. */
static __rte_noinline uint64_t FAM_FN(fragment, parse)(struct FAM(pkt) *p, uint8_t proto)
{
	uint64_t rest = 0;

	p->flags |= PKT_FRAGMENT;
	p->key.proto = proto;
	p->key.sport = 0;
	p->key.dport = 0;
	if (pkt_tag(p->m)->fragment)
		FAM_FN(follow, known)(p);
	memcpy(&rest, &p->key.sport, 4);
	return rest | (uint64_t)p->key.proto << 32;
}
