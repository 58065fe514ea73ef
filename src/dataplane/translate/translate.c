/* SPDX-License-Identifier: BSD-3-Clause */
/* Compiled for each family, that of the packet as it came: base/family.h. */
#include "dataplane/translate/translate.h"

#include "dataplane/exits/doors.h"
#include "dataplane/fragment/fragment_split.h"
#include "dataplane/stages/rewrite.h"
#include "dataplane/translate/ip_facts.h"
#include "dataplane/translate/translated_error.h"

/* Room for `want` bytes in place of the IP headers. False: the buffer has none. */
static bool headers_replace(struct FAM(pkt) *p, uint16_t want)
{
	const uint16_t had = p->l4_off;

	if (want > had && !rte_pktmbuf_prepend(p->m, (uint16_t)(want - had)))
		return false;
	if (want < had)
		(void)rte_pktmbuf_adj(p->m, (uint16_t)(had - want));
	p->l3 += had - want;
	p->l3_len = (uint16_t)(p->l3_len - had + want);
	p->l4_off = want;
	return true;
}

#if FAMILY == 4
#define OPTION_LOOSE  131U /* source routes (RFC 791) */
#define OPTION_STRICT 137U

/* Whether a source route sends the packet to another station first: such a packet has no
 * counterpart (RFC 7915, 4.1). */
static bool has_route_left(const uint8_t *l3, uint32_t len)
{
	for (uint32_t at = IP_HDR, n; at < len && l3[at] != 0; at += n) {
		n = l3[at] == 1 ? 1 : at + 2 < len ? l3[at + 1] : 0;
		if (n < 1 || n > len - at)
			return false;
		if ((l3[at] == OPTION_LOOSE || l3[at] == OPTION_STRICT) && n >= 3 &&
		    l3[at + 2] <= n)
			return true;
	}
	return false;
}

/* Whether the datagram of a fragment has no checksum: the sum of IPv6 would have to be that of all
 * its fragments. */
static bool fragment_lacks_sum(const struct pkt4 *p)
{
	if (p->key.proto != IPPROTO_UDP || !(p->flags & PKT_FRAGMENT))
		return false;
	return pkt_tag(p->m)->no_sum;
}

static enum drop_reason obstacle(const struct pkt4 *p)
{
	if (unlikely(p->l4_off != IP_HDR) && has_route_left(p->l3, p->l4_off))
		return DROP_UNTRANSLATABLE;
	return unlikely(fragment_lacks_sum(p)) ? DROP_NO_CHECKSUM : DROP_MAX;
}

/* UDP without a checksum gets one, over all segments of the packet. False: it cannot be read. */
static bool udp_sum_make(const struct rte_mbuf *m, uint8_t *l3, struct rte_udp_hdr *udp)
{
	const uint32_t at = (uint32_t)((uint8_t *)udp - rte_pktmbuf_mtod(m, uint8_t *));
	const uint32_t len = be16_to(udp->dgram_len);
	uint16_t sum;

	if (rte_raw_cksum_mbuf(m, at, len, &sum) != 0)
		return false;
	udp->dgram_cksum = (be16)~csum_fold(ip6_pseudo_sum(l3, IPPROTO_UDP, len) + sum);
	if (udp->dgram_cksum == 0)
		udp->dgram_cksum = 0xffff;
	return true;
}
#else
/* Extension headers that a router may leave behind, and a fragment header as the last one: a
 * routing header that is not done yet, and headers that fragments were counted with, have no
 * counterpart (RFC 7915, 5.1 and 5.1.1). */
static bool headers_end_here(const struct pkt6 *p)
{
	uint8_t next = ((const struct rte_ipv6_hdr *)p->l3)->proto;

	for (uint32_t at = IP_HDR; at < p->l4_off;) {
		const uint8_t *h = p->l3 + at;

		if (next == EXT6_FRAGMENT)
			return at + FRAGMENT6_HDR == p->l4_off && h[0] == p->key.proto;
		if (next != EXT6_HOP && next != EXT6_DEST && (next != EXT6_ROUTING || h[3] != 0))
			return false;
		next = h[0];
		at += (h[1] + 1U) * 8;
	}
	return true;
}

static enum drop_reason obstacle(const struct pkt6 *p)
{
	if (likely(p->l4_off == IP_HDR) || headers_end_here(p))
		return DROP_MAX;
	return DROP_UNTRANSLATABLE;
}
#endif

/* The largest packet of the other family, and what its sender is told when it has to be whole and
 * is not as small. Of IPv6: a packet that need not be whole becomes a fragment where it is longer
 * than what each link takes. */
static uint16_t size_limit(struct worker *w, const struct FAM(pkt) *p, struct ip_facts *f,
			   uint16_t *told)
{
	const uint16_t mtu = p->nh ? p->nh->mtu : UINT16_MAX;
#if FAMILY == 4
	const uint16_t limit = f->whole || !p->nh ? mtu : RTE_MIN(mtu, (uint16_t)WHOLE6_MAX);
	const uint16_t less = TRANSLATED_GROWTH + (f->fragment ? FRAGMENT6_HDR : 0);

	(void)w;
	*told = mtu > less ? (uint16_t)(mtu - less) : 0;
	if (!f->whole && f->payload > limit - (int)OTHER_FN(ip_facts, len)(f))
		f->fragment = true;
	return limit;
#else
	*told = (uint16_t)RTE_MIN(mtu + TRANSLATED_GROWTH, UINT16_MAX);
	*told = RTE_MAX(*told, (uint16_t)MTU6_MIN);
	if (!f->fragment)
		f->id = f->whole ? 0 : w->ip_id++;
	return mtu;
#endif
}

/* Ports and checksum, where the packet has them. */
static void l4_change(struct FAM(pkt) *p, const struct OTHER_FAM(new_ends) * ends, uint16_t delta)
{
	uint8_t *l4 = p->l3 + p->l4_off;

	if (unlikely(p->flags & PKT_FOLLOWS))
		return;
	FAM_FN(l4_csum, update)(p, delta);
	memcpy(l4, &ends->sport, 2);
	memcpy(l4 + 2, &ends->dport, 2);
}

/* Behind the new header. */
static bool l4_finish(const struct FAM(pkt) *p)
{
#if FAMILY == 4
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(p->l3 + p->l4_off);

	if (p->key.proto == IPPROTO_UDP && !(p->flags & PKT_FRAGMENT) &&
	    unlikely(udp->dgram_cksum == 0))
		return udp_sum_make(p->m, p->l3, udp);
#else
	(void)p;
#endif
	return true;
}

static bool drop(struct worker *w, const struct FAM(pkt) *p, enum drop_reason why)
{
	door_drop(w, p->m, why);
	return false;
}

/* The Ethernet header: of the next hop, or for Linux that of the frame with another type. */
static void ethernet_change(struct FAM(pkt) *p)
{
	const be16 type = be16_from(FAMILY == 4 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);

	if (likely(p->nh))
		FAM_FN(ethernet, put)(p);
	else
		memcpy(p->l3 - sizeof(type), &type, sizeof(type));
}

bool FAM_FN(translate, packet)(struct worker *w, struct FAM(pkt) *p,
			       const struct OTHER_FAM(new_ends) * ends, uint16_t l4_delta,
			       uint16_t back_mtu)
{
	struct ip_facts f;
	enum drop_reason why;
	uint16_t limit, told, len;

	if (unlikely(*FAM_FN(ip, hop_limit)(p->l3) <= 1)) {
		FAM_FN(rewrite, refuse)(w, p, ICMP_REASON_HOP_LIMIT, DROP_TTL_EXCEEDED, 0);
		return false;
	}
	if (unlikely(p->flags & PKT_RELATED)) {
		why = FAM_FN(translated_error, make)(w, p, ends, back_mtu);
		if (why != DROP_MAX)
			return drop(w, p, why);
		ethernet_change(p);
		return true;
	}
	why = obstacle(p);
	if (unlikely(why != DROP_MAX))
		return drop(w, p, why);
	f = FAM_FN(ip_facts, read)(p->l3, p->l4_off, p->l3_len, p->key.proto);
	f.hops--;
	limit = size_limit(w, p, &f, &told);
	len = OTHER_FN(ip_facts, len)(&f);
	if (unlikely(f.payload > limit - (int)len) && f.whole) {
		FAM_FN(rewrite, refuse)(w, p, ICMP_REASON_TOO_BIG, DROP_TOO_BIG, told);
		return false;
	}
	if (unlikely(f.payload > UINT16_MAX - len))
		return drop(w, p, DROP_TOO_BIG);
	l4_change(p, ends, l4_delta);
	if (unlikely(!headers_replace(p, len)))
		return drop(w, p, DROP_NO_BUFFER);
	OTHER_FN(ip_facts, write)(p->l3, &f, ends->source, ends->dest);
	if (unlikely(!l4_finish(p)))
		return drop(w, p, DROP_MALFORMED);
	ethernet_change(p);
	if (likely(p->l3_len <= limit))
		return true;
	OTHER_FN(fragment, send)(w, p->m, p->l3, p->l3_len, p->nh, limit);
	return false;
}
