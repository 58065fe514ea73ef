/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage parse: Ethernet, VLAN, IPv4 or IPv6, TCP and UDP ports. Frames of each family become a
 * burst; whatever is of neither family leaves here.
 *
 * Reads: frame, m->port, offload flags. Writes: every field of pkt4 and pkt6 but dir and nh.
 * Prefetches the bucket of the key.
 * Doors: punt (ARP class, transit), answered (ARP for a VIP), drop.
 */
#include <rte_ether.h>
#include <rte_ip.h>

#include "base/csum.h"
#include "dataplane/stages/arp.h"
#include "dataplane/stages/ext6.h"
#include "dataplane/stages/ip.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fragment/fragment_track.h"
#include "dataplane/stages/pipeline.h"
#include "model/exchange.h"

#define FRAME_MIN_IPV4 (sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr))
#define TCP_MIN	       20
#define UDP_MIN	       8

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

#define PLAIN_L2   sizeof(struct rte_ether_hdr)
#define PLAIN_IHL  sizeof(struct rte_ipv4_hdr)
#define PLAIN_HEAD (PLAIN_L2 + PLAIN_IHL + TCP_MIN)

/* Nearly every frame: untagged, IPv4 without options, all headers in the first segment, room for a
 * TCP header included. Ethernet's type and IPv4's first byte are one load. */
static bool frame_is_plain(const struct rte_mbuf *m)
{
	static const uint8_t mask[4] = {0xff, 0xff, 0xff}, plain[4] = {0x08, 0x00, 0x45};
	uint32_t word, mask_word, plain_word;

	if (unlikely(rte_pktmbuf_data_len(m) < PLAIN_HEAD ||
		     (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)))
		return false;
	memcpy(&word, rte_pktmbuf_mtod_offset(m, const uint8_t *, 12), sizeof(word));
	memcpy(&mask_word, mask, sizeof(word));
	memcpy(&plain_word, plain, sizeof(word));
	return (word & mask_word) == plain_word;
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

/* A checksum that the port has checked already is not computed again. */
static bool ip_csum_good(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip, uint32_t ihl)
{
	uint64_t status = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	if (status == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		return true;
	return csum_fold(csum_add(0, ip, ihl)) == 0xffff;
}

/* Sources that no packet on a wire has: multicast and broadcast, loopback, "this network". */
static bool source_is_bad(be32 saddr)
{
	uint32_t net = be32_to(saddr) >> 24;

	return net >= 224 || net == 127 || net == 0;
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

#define FAM_TEMPLATE "dataplane/stages/parse_ip.fam.h"
#include "base/both_families.h"

/* Headers up to L4 in the first segment, or made so. */
static bool head_linear(struct rte_mbuf *m, uint32_t want)
{
	if (likely(rte_pktmbuf_data_len(m) >= want))
		return true;
	if (m->nb_segs == 1)
		return false;
	return rte_pktmbuf_linearize(m) == 0 && rte_pktmbuf_data_len(m) >= want;
}

/*
 * The packet whose headers are in place: IHL and version are valid, ihl + TCP_MIN bytes or
 * the whole packet are in the first segment. Returns the drop reason, or DROP_MAX when p is
 * filled in. Inlined twice: once with the lengths of a plain frame known.
 */
static __rte_always_inline enum drop_reason ipv4_fill(const struct table4 *t, struct rte_mbuf *m,
						      uint32_t l2_len, uint32_t ihl, struct pkt4 *p)
{
	const struct rte_ipv4_hdr *ip =
		rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, l2_len);
	uint32_t total = rte_be_to_cpu_16(ip->total_length);
	uint64_t addrs, rest = 0;

	if (unlikely(total < ihl || total > rte_pktmbuf_pkt_len(m) - l2_len))
		return DROP_MALFORMED;
	if (unlikely(!ip_csum_good(m, ip, ihl)))
		return DROP_IP_CHECKSUM;
	if (unlikely(source_is_bad(ip->src_addr)) && !asks_dhcp(ip, ihl))
		return DROP_BAD_SOURCE;
	p->m = m;
	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, l2_len);
	p->l3_len = (uint16_t)total;
	p->l4_off = (uint16_t)ihl;
	p->tcp_flags = 0;
	p->conn = NULL;
	if (unlikely(ip->fragment_offset &
		     rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)))
		rest = fragment4_parse(p, ip->next_proto_id);
	else
		rest = l4_parse4(p, ip->next_proto_id, (uint16_t)(total - ihl));
	/* The key in two words, hashed from registers: read back from smaller stores it would
	 * wait for them. */
	memcpy(&addrs, &ip->src_addr, sizeof(addrs));
	rest |= (uint64_t)ip->next_proto_id << 32;
	memcpy(&p->key.saddr, &addrs, sizeof(addrs));
	memcpy(&p->key.sport, &rest, sizeof(rest));
	p->hash = table4_hash_words(t, addrs, rest);
	table4_prefetch_bucket(t, p->hash);
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
	return ipv4_fill(t, m, l2_len, ihl, p);
}

/* ---- IPv6 ---- */

/* Sources that no packet on a wire has. :: asks for an address of its own (duplicate address
 * detection, MLD). Under compat "ipvs", :: and IPv4-mapped sources are taken as IPVS takes them. */
static bool source6_is_bad(const struct worker *w, const uint8_t *addr, uint8_t proto)
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff}, zero[16];

	if (addr[0] == 0xff)
		return true;
	if (likely(memcmp(addr, zero, 10) != 0))
		return false;
	if (memcmp(addr, zero, 15) == 0 && addr[15] == 1)
		return true;
	if (memcmp(addr, zero, 16) == 0)
		return proto != IPPROTO_ICMPV6 && !w->env.snap->ipvs;
	return memcmp(addr, mapped, 12) == 0 && !w->env.snap->ipvs;
}

/* Behind extension headers. The packet's first `here` bytes lie in the first segment. */
static __rte_noinline enum drop_reason ext6_parse(const struct worker *w, const uint8_t *l3,
						  uint32_t len, uint32_t here, struct ext6 *ext)
{
	switch (ext6_walk(l3, len, here, ext)) {
	case EXT6_OK:
		break;
	case EXT6_CUT:
		return here < len && here < EXT6_LEN_MAX ? DROP_LINEARISE : DROP_MALFORMED;
	case EXT6_OPTION:
		/* Linux tells the sender: as of a protocol that no service has. */
		if (!ext6_option_told(ext->option))
			return DROP_EXT_HEADER;
		*ext = (struct ext6){.proto = EXT6_HOP, .l4_off = sizeof(struct rte_ipv6_hdr)};
		return DROP_MAX;
	default:
		return DROP_EXT_HEADER;
	}
	return ext->routing0 && !w->env.snap->ipvs ? DROP_EXT_HEADER : DROP_MAX;
}

/* False: a whole datagram behind a fragment header (RFC 6946). */
static bool ext6_is_fragment(const uint8_t *l3, const struct ext6 *ext)
{
	const struct ext6_fragment *f =
		(const struct ext6_fragment *)(const void *)(l3 + ext->fragment);

	return ext->fragment && (f->field & be16_from(EXT6_OFFSET | EXT6_MORE));
}

static __rte_noinline enum drop_reason ext6_fill(const struct worker *w, uint32_t total,
						 struct pkt6 *p, uint64_t *rest)
{
	const struct rte_mbuf *m = p->m;
	const uint32_t l2_len = (uint32_t)(p->l3 - rte_pktmbuf_mtod(m, uint8_t *));
	const uint32_t here = rte_pktmbuf_data_len(m) - l2_len;
	enum drop_reason reason;
	struct ext6 ext;

	reason = ext6_parse(w, p->l3, total, here, &ext);
	if (reason != DROP_MAX)
		return reason;
	if (here < total && here < ext.l4_off + (uint32_t)TCP_MIN)
		return DROP_LINEARISE;
	p->l4_off = ext.l4_off;
	if (ext6_is_fragment(p->l3, &ext))
		*rest = fragment6_parse(p, ext.proto);
	else
		*rest = l4_parse6(p, ext.proto, (uint16_t)(total - ext.l4_off)) |
			(uint64_t)ext.proto << 32;
	return DROP_MAX;
}

/* Returns the drop reason, or DROP_MAX when p is filled in. */
static enum drop_reason ipv6_parse(const struct worker *w, struct rte_mbuf *m, uint32_t l2_len,
				   struct pkt6 *p)
{
	const struct table6 *t = &w->v6.table;
	const struct rte_ipv6_hdr *ip;
	uint32_t total;
	uint64_t rest;

	if (!head_linear(m, l2_len + (uint32_t)sizeof(*ip)))
		return DROP_MALFORMED;
	ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, l2_len);
	if (unlikely(*(const uint8_t *)ip >> 4 != 6))
		return DROP_BAD_VERSION;
	total = (uint32_t)sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
	if (unlikely(total > rte_pktmbuf_pkt_len(m) - l2_len || total > UINT16_MAX))
		return DROP_MALFORMED;
	/* Of a chain of segments, what extension headers may need. */
	if (unlikely(rte_pktmbuf_data_len(m) < l2_len + RTE_MIN(total, sizeof(*ip) + TCP_MIN) ||
		     (m->nb_segs > 1 && ext6_is_header(ip->proto)))) {
		if (!head_linear(m, l2_len + RTE_MIN(total, EXT6_LEN_MAX + TCP_MIN)))
			return DROP_LINEARISE;
		ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, l2_len);
	}
	p->m = m;
	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, l2_len);
	p->l3_len = (uint16_t)total;
	p->l4_off = sizeof(*ip);
	p->tcp_flags = 0;
	p->conn = NULL;
	if (likely(!ext6_is_header(ip->proto))) {
		rest = l4_parse6(p, ip->proto, (uint16_t)(total - sizeof(*ip))) |
		       (uint64_t)ip->proto << 32;
	} else {
		enum drop_reason reason = ext6_fill(w, total, p, &rest);

		if (reason != DROP_MAX)
			return reason;
	}
	/* MLD from :: stands behind hop-by-hop options. */
	if (unlikely(source6_is_bad(w, ip->src_addr, (uint8_t)(rest >> 32))))
		return DROP_BAD_SOURCE;
	memcpy(&p->key.saddr, ip->src_addr, 2 * sizeof(p->key.saddr));
	memcpy(&p->key.sport, &rest, sizeof(rest));
	p->hash = table6_hash(t, &p->key);
	table6_prefetch_bucket(t, p->hash);
	return DROP_MAX;
}

/* Ethernet trailers (padding of short frames) must not travel on behind the IP packet. */
static void trim_padding(struct rte_mbuf *m, uint16_t l2_len, uint16_t total)
{
	uint32_t extra = rte_pktmbuf_pkt_len(m) - l2_len - total;

	if (unlikely(extra != 0) && extra <= rte_pktmbuf_lastseg(m)->data_len)
		rte_pktmbuf_trim(m, (uint16_t)extra);
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
	trim_padding(m, l2_len, p->l3_len);
	return true;
}

/* Ports may be promiscuous: another station's frames are not ours to route. False: the frame has
 * left. */
static __rte_always_inline bool frame_is_ours(struct worker *w, struct rte_mbuf *m, link_id link)
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
static __rte_always_inline bool frame4_parse(struct worker *w, struct rte_mbuf *m, uint16_t l2_len,
					     bool plain, link_id link, struct pkt4 *p)
{
	enum drop_reason reason;

	p->link = link;
	p->flags = pkt_tag(m)->flags;
	reason = plain ? ipv4_fill(&w->v4.table, m, PLAIN_L2, PLAIN_IHL, p)
		       : ipv4_parse(&w->v4.table, m, l2_len, p);
	if (unlikely(reason != DROP_MAX)) {
		door_drop(w, m, reason);
		return false;
	}
	trim_padding(m, l2_len, p->l3_len);
	return true;
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
		b4->n += frame4_parse(w, m, l2.len, false, link, &b4->pkts[b4->n]);
	else if (l2.type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		b6->n += frame6_parse(w, m, l2.len, link, &b6->pkts[b6->n]);
	else if (l2.type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		arp_receive(w, m, l2.len, link);
	else
		door_punt(w, m,
			  l2.type == rte_cpu_to_be_16(ETHER_TYPE_PEER) ? PUNT_PEER : PUNT_TRANSIT);
}

void stage_parse(struct worker *w, struct rte_mbuf **frames, uint16_t n, struct burst4 *b4,
		 struct burst6 *b6)
{
	b4->n = 0;
	b6->n = 0;
	for (uint16_t i = 0; i < n && i < 8; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		struct rte_mbuf *m = frames[i];
		link_id link;

		if (i + 8 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 8], void *));
		if (unlikely(!frame_is_plain(m))) {
			frame_parse(w, m, b4, b6);
			continue;
		}
		link = link_id_of(m->port, 0);
		if (likely(frame_is_ours(w, m, link)))
			b4->n += frame4_parse(w, m, PLAIN_L2, true, link, &b4->pkts[b4->n]);
	}
}
