/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage parse: Ethernet, VLAN, IPv4 or IPv6, TCP and UDP ports. Frames of each family become a
 * burst; frames of neither family leave here.
 *
 * Reads: frame, m->port, offload flags. Writes: every field of pkt4 and pkt6 but dir and nh.
 * Prefetches the bucket of the key.
 * Doors: punt (ARP class, transit), answered (ARP for a VIP), drop.
 */
#include <rte_ether.h>
#include <rte_ip.h>

#include "base/csum.h"
#include "dataplane/stages/arp.h"
#include "dataplane/stages/ip.h"
#include "dataplane/exits/doors.h"
#include "dataplane/stages/parse_internal.h"
#include "dataplane/stages/pipeline.h"
#include "model/exchange.h"

#define FRAME_MIN_IPV4 (sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr))

/* The result of reading the Ethernet header and VLAN: where the next header starts, and its
 * type. */
struct l2 {
	uint16_t len;
	uint16_t vlan;
	be16 type;
};

_Static_assert(offsetof(struct key4, sport) == 8 && offsetof(struct key4, proto) == 12 &&
		       sizeof(struct key4) == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "a key is written as two words: addresses; ports, protocol and zeros");

#define PLAIN_L2    sizeof(struct rte_ether_hdr)
#define PLAIN_IHL   sizeof(struct rte_ipv4_hdr)
#define PLAIN_HEAD4 (PLAIN_L2 + PLAIN_IHL + TCP_MIN)
#define PLAIN_HEAD6 (PLAIN_L2 + sizeof(struct rte_ipv6_hdr) + TCP_MIN)

/* Ethernet's type and the first bytes of IP, as one number. */
static inline uint32_t type_word(uint8_t a, uint8_t b, uint8_t c)
{
	return (uint32_t)a | (uint32_t)b << 8 | (uint32_t)c << 16;
}

/* 0: the frame is tagged, or shorter than a plain one. */
static inline uint32_t frame_type(const struct rte_mbuf *m, const uint8_t *data)
{
	uint32_t word;

	if (unlikely(rte_pktmbuf_data_len(m) < PLAIN_HEAD4 ||
		     (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)))
		return 0;
	memcpy(&word, data + 12, sizeof(word));
	return word;
}

/* Nearly every frame: untagged, IPv4 without options, all headers in the first segment, room for a
 * TCP header included. */
static inline bool type_is_plain4(uint32_t type)
{
	return (type & type_word(0xff, 0xff, 0xff)) == type_word(0x08, 0x00, 0x45);
}

/* The same of IPv6 without extension headers. */
static inline bool frame_is_plain6(const struct rte_mbuf *m, const uint8_t *data, uint32_t type)
{
	return (type & type_word(0xff, 0xff, 0xf0)) == type_word(0x86, 0xdd, 0x60) &&
	       rte_pktmbuf_data_len(m) >= PLAIN_HEAD6 &&
	       (data[PLAIN_L2 + 6] == IPPROTO_TCP || data[PLAIN_L2 + 6] == IPPROTO_UDP);
}

static bool l2_parse(const struct rte_mbuf *m, struct l2 *l2)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

	if (unlikely(rte_pktmbuf_data_len(m) < sizeof(*eth)))
		return false;
	l2->len = sizeof(*eth);
	l2->vlan = 0;
	l2->type = eth->ether_type;
	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
		l2->vlan = m->vlan_tci & 0xfff;
	} else if (eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN)) {
		const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(eth + 1);

		if (rte_pktmbuf_data_len(m) < sizeof(*eth) + sizeof(*tag))
			return false;
		l2->len += sizeof(*tag);
		l2->vlan = rte_be_to_cpu_16(tag->vlan_tci) & 0xfff;
		l2->type = tag->eth_proto;
	}
	return true;
}

/* The parts of an IPv4 header that stage parse reads, in registers. */
struct head4 {
	uint64_t first;	 /* version, TOS, length, id, fragment offset */
	uint32_t second; /* TTL, protocol, checksum */
	uint64_t addrs;
};

static inline struct head4 head4_read(const uint8_t *l3)
{
	struct head4 h;

	memcpy(&h.first, l3, sizeof(h.first));
	memcpy(&h.second, l3 + 8, sizeof(h.second));
	memcpy(&h.addrs, l3 + 12, sizeof(h.addrs));
	return h;
}

/* A checksum that the port has checked already is not computed again. Words of any length may be
 * summed: a carry out of 64 bits counts as 1 as well, and a right header's sum is a multiple of
 * 65535. The sum is not 0, since the version is in it. */
static inline bool head4_csum_good(const struct head4 *h, const uint8_t *options, uint32_t len,
				   uint64_t ol_flags)
{
	uint64_t sum;
	bool carry;

	if ((ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		return true;
	carry = __builtin_add_overflow(h->first, h->addrs, &sum);
	sum += carry; /* no carry out of this one: the sum of two words is at most 2^65 - 2 */
	carry = __builtin_add_overflow(sum, csum_add(h->second, options, len), &sum);
	sum += carry;
	return csum_is_whole(sum);
}

/* Sources that no packet on a wire has: multicast and broadcast, loopback, "this network". */
static inline bool source_is_bad(be32 saddr)
{
	uint32_t net = be32_to(saddr) >> 24;

	return net - 1 >= 223 || net == 127;
}

/* A DHCP client has no address yet: 0.0.0.0, port 68, to all stations, port 67. */
static __rte_noinline bool asks_dhcp(const struct rte_ipv4_hdr *ip, uint32_t ihl)
{
	static const uint8_t ports[4] = {0, 68, 0, 67};

	return ip->src_addr == 0 && ip->dst_addr == ~(be32)0 && ip->next_proto_id == IPPROTO_UDP &&
	       !(ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK)) &&
	       rte_be_to_cpu_16(ip->total_length) >= ihl + UDP_MIN &&
	       memcmp((const uint8_t *)ip + ihl, ports, sizeof(ports)) == 0;
}

/*
 * The packet whose headers are in place: IHL and version are valid, ihl + TCP_MIN bytes or
 * the whole packet are in the first segment. room: of the frame, behind Ethernet. Returns the drop
 * reason, or DROP_MAX when p is filled in. Inlined twice: once with the lengths of a plain frame
 * known. The header is read before anything is written: behind a store the compiler would have to
 * read again.
 */
static __rte_always_inline enum drop_reason ipv4_fill(const struct table4 *t, struct rte_mbuf *m,
						      uint8_t *l3, uint32_t room, uint32_t ihl,
						      struct pkt4 *p)
{
	const struct head4 h = head4_read(l3);
	const uint32_t total = rte_be_to_cpu_16((be16)(h.first >> 16));
	const be16 fragment = (be16)(h.first >> 48);
	const uint8_t proto = (uint8_t)(h.second >> 8);
	uint64_t rest = 0;

	if (unlikely(total < ihl || total > room))
		return DROP_MALFORMED;
	if (unlikely(!head4_csum_good(&h, l3 + PLAIN_IHL, ihl - PLAIN_IHL, m->ol_flags)))
		return DROP_IP_CHECKSUM;
	if (unlikely(source_is_bad((be32)h.addrs)) && !asks_dhcp((void *)l3, ihl))
		return DROP_BAD_SOURCE;
	p->m = m;
	p->l3 = l3;
	p->l3_len = (uint16_t)total;
	p->l4_off = (uint16_t)ihl;
	p->conn = NULL;
	if (unlikely(fragment & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
		rest = fragment4_parse(p, proto);
	else
		rest = l4_parse4(p, l3 + ihl, proto, total - ihl);
	/* The key in two words, hashed from registers: read back from smaller stores it would
	 * wait for them. */
	rest |= (uint64_t)proto << 32;
	key4_set(&p->key, &h.addrs, rest);
	p->hash = table4_hash_words(t, h.addrs, rest);
	if (unlikely(room != total))
		trim_padding(m, room - total);
	return DROP_MAX;
}

/* Returns the drop reason, or DROP_MAX when p is filled in. */
static enum drop_reason ipv4_parse(const struct table4 *t, struct rte_mbuf *m, uint32_t l2_len,
				   struct pkt4 *p)
{
	const struct rte_ipv4_hdr *ip;
	uint32_t total, ihl;

	if (!head_linear(m, l2_len + (uint32_t)sizeof(*ip)))
		return DROP_MALFORMED;
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, l2_len);
	ihl = (ip->version_ihl & 0xfU) * 4;
	if (ip->version_ihl >> 4 != 4 || ihl < sizeof(*ip))
		return DROP_BAD_VERSION;
	total = rte_be_to_cpu_16(ip->total_length);
	if (total < ihl || total > rte_pktmbuf_pkt_len(m) - l2_len)
		return DROP_MALFORMED;
	if (!head_linear(m, l2_len + RTE_MIN(total, ihl + TCP_MIN)))
		return m->nb_segs > 1 ? DROP_LINEARISE : DROP_MALFORMED;
	return ipv4_fill(t, m, rte_pktmbuf_mtod_offset(m, uint8_t *, l2_len),
			 rte_pktmbuf_pkt_len(m) - l2_len, ihl, p);
}

static const struct rte_ether_addr *frame_dest(const struct rte_mbuf *m)
{
	return &rte_pktmbuf_mtod(m, const struct rte_ether_hdr *)->dst_addr;
}

/* False: the packet has left. */
static bool frame6_parse(struct worker *w, struct rte_mbuf *m, uint16_t l2_len, link_id link,
			 struct pkt6 *p)
{
	enum drop_reason reason;

	p->link = link;
	p->flags = pkt_tag(m)->flags;
	reason = ipv6_parse(w, m, l2_len, p);
	if (unlikely(reason != DROP_MAX)) {
		door_drop(w, m, reason);
		return false;
	}
	return true;
}

/* Ports may be promiscuous: another station's frames are not ours to route. False: the frame has
 * left. */
static __rte_noinline bool frame_is_ours(struct worker *w, struct rte_mbuf *m, link_id link)
{
	const struct link_info *info = fib_link(w->env.fib, link);

	if (unlikely(!info)) {
		door_drop(w, m, DROP_UNKNOWN_LINK);
		return false;
	}
	if (unlikely(memcmp(frame_dest(m), &info->mac, 6) != 0) &&
	    rte_is_unicast_ether_addr(frame_dest(m))) {
		door_drop(w, m, DROP_NOT_FOR_US);
		return false;
	}
	return true;
}

/* False: the packet has left. */
static bool frame4_parse(struct worker *w, struct rte_mbuf *m, uint16_t l2_len, link_id link,
			 struct pkt4 *p)
{
	enum drop_reason reason;

	p->link = link;
	p->flags = pkt_tag(m)->flags;
	reason = ipv4_parse(&w->v4.table, m, l2_len, p);
	if (likely(reason == DROP_MAX))
		return true;
	door_drop(w, m, reason);
	return false;
}

/* Frames that are not plain: tagged ones, IPv4 with options, IPv6, ARP, and those of neither. */
static __rte_noinline void frame_parse(struct worker *w, struct rte_mbuf *m, struct burst4 *b4,
				       struct burst6 *b6)
{
	link_id link;
	struct l2 l2;

	if (unlikely(!l2_parse(m, &l2))) {
		door_drop(w, m, DROP_MALFORMED);
		return;
	}
	link = link_id_of(m->port, l2.vlan);
	if (!frame_is_ours(w, m, link))
		return;
	if (l2.type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		b4->n += frame4_parse(w, m, l2.len, link, &b4->pkts[b4->n]);
	else if (l2.type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		b6->n += frame6_parse(w, m, l2.len, link, &b6->pkts[b6->n]);
	else if (l2.type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		arp_receive(w, m, l2.len, link);
	else
		door_punt(w, m,
			  l2.type == rte_cpu_to_be_16(ETHER_TYPE_PEER) ? PUNT_PEER : PUNT_TRANSIT);
}

/* The link of the last plain frame: frames of a burst come from few ports. */
struct last_link {
	uint32_t port; /* NO_PORT: none */
	link_id link;
	uint64_t mac; /* the router's own, as mac_word() */
};

#define NO_PORT UINT32_MAX

/* A frame's destination: the first 6 bytes, as a number. */
static inline uint64_t mac_word(const void *eth)
{
	uint64_t word;

	memcpy(&word, eth, sizeof(word));
	return word << 16;
}

static inline void link_remember(const struct worker *w, uint16_t port, struct last_link *l)
{
	const struct link_info *info = fib_link(w->env.fib, link_id_of(port, 0));
	uint8_t eth[8] = {0};

	l->port = info ? port : NO_PORT;
	l->link = link_id_of(port, 0);
	if (info)
		memcpy(eth, &info->mac, sizeof(info->mac));
	l->mac = mac_word(eth);
}

/* Whether the frame of a port, untagged, is for the router. False: the frame has left. */
static __rte_always_inline bool plain_is_ours(struct worker *w, struct rte_mbuf *m,
					      const uint8_t *data, struct last_link *last)
{
	const uint16_t port = m->port;

	if (unlikely(port != last->port))
		link_remember(w, port, last);
	return likely(port == last->port && mac_word(data) == last->mac) ||
	       frame_is_ours(w, m, link_id_of(port, 0));
}

/* Frames that are not plain IPv4: the first of n, and those behind it up to one that is. Returns
 * their number. Out of the loop of stage parse, which then keeps more in registers. */
static __rte_noinline unsigned int frames_other(struct worker *w, struct rte_mbuf **frames,
						unsigned int n, struct last_link *last,
						struct burst4 *b4, struct burst6 *b6)
{
	struct pkt6 *p = &b6->pkts[b6->n];
	unsigned int i = 0;

	do {
		struct rte_mbuf *m = frames[i];
		uint8_t *const data = rte_pktmbuf_mtod(m, uint8_t *);
		const uint32_t room = rte_pktmbuf_pkt_len(m) - (uint32_t)PLAIN_L2;
		const uint32_t type = frame_type(m, data);
		enum drop_reason reason;

		if (i && type_is_plain4(type))
			break;
		if (i + 8 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 8], void *));
		if (unlikely(!frame_is_plain6(m, data, type))) {
			b6->n = (uint16_t)(p - b6->pkts);
			frame_parse(w, m, b4, b6);
			p = &b6->pkts[b6->n];
			continue;
		}
		if (unlikely(!plain_is_ours(w, m, data, last)))
			continue;
		p->link = last->link;
		p->flags = pkt_tag(m)->flags;
		reason = ipv6_fill(w, m, data + PLAIN_L2, room, p);
		if (likely(reason == DROP_MAX))
			p++;
		else
			door_drop(w, m, reason);
	} while (++i < n);
	b6->n = (uint16_t)(p - b6->pkts);
	return i;
}

/* In a row: see begun_prefetch() of schedule.c. */
static __rte_always_inline void buckets_prefetch(const struct worker *w, const struct burst4 *b4,
						 const struct burst6 *b6)
{
	for (const struct pkt4 *p = b4->pkts; p < b4->pkts + b4->n; p++)
		table4_prefetch_bucket(&w->v4.table, p->hash);
	for (const struct pkt6 *p = b6->pkts; p < b6->pkts + b6->n; p++)
		table6_prefetch_bucket(&w->v6.table, p->hash);
}

void stage_parse(struct worker *w, struct rte_mbuf **frames, uint16_t n, struct burst4 *b4,
		 struct burst6 *b6)
{
	const struct table4 *const t = &w->v4.table;
	const int tag_offset = pkt_tag_offset;
	struct last_link last = {.port = NO_PORT};
	struct pkt4 *p = b4->pkts;

	b6->n = 0;
	for (uint16_t i = 0; i < n && i < 8; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (unsigned int i = 0; i < n;) {
		struct rte_mbuf *m = frames[i];
		uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
		const uint32_t room = rte_pktmbuf_pkt_len(m) - (uint32_t)PLAIN_L2;
		const struct pkt_tag *tag = (struct pkt_tag *)((uint8_t *)m + tag_offset);
		const uint32_t type = frame_type(m, data);
		enum drop_reason reason;

		if (unlikely(!type_is_plain4(type))) {
			b4->n = (uint16_t)(p - b4->pkts);
			i += frames_other(w, frames + i, n - i, &last, b4, b6);
			p = &b4->pkts[b4->n];
			continue;
		}
		if (++i + 7 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 7], void *));
		if (unlikely(!plain_is_ours(w, m, data, &last)))
			continue;
		p->link = last.link;
		p->flags = tag->flags;
		reason = ipv4_fill(t, m, data + PLAIN_L2, room, PLAIN_IHL, p);
		if (unlikely(reason != DROP_MAX)) {
			door_drop(w, m, reason);
			continue;
		}
		p++;
	}
	b4->n = (uint16_t)(p - b4->pkts);
	buckets_prefetch(w, b4, b6);
}
