/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage rewrite: NAT, direct routing, full NAT, tunnel; TTL, MTU, Ethernet header, counters of the
 * server. Packets of a local server end here.
 * Checksums are updated, never computed: a wrong checksum stays wrong.
 *
 * Reads: conn, dir, nh, l3. Writes: the frame. Doors: drop (TTL, MTU), sent (tunnel,
 * fragments), punt (local).
 */
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dataplane/stages/rewrite.h"

#include "base/csum.h"
#include "dataplane/big/big_cut.h"
#include "dataplane/stages/answer.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fragment/fragment_split.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/proxy/proxy.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/related.h"
#include "dataplane/tunnel/tunnel.h"

void FAM_FN(rewrite, refuse)(struct worker *w, struct FAM(pkt) *p, enum icmp_reason why,
			     enum drop_reason reason, uint16_t mtu)
{
	/* The client's packet has passed a router by then (IPVS). */
	if (FAMILY == 6 && why == ICMP_REASON_TOO_BIG && p->dir == DIR_IN)
		(void)FAM_FN(ip, hop_down)(p->l3);
	/* No error about an error, or a fragment but the first (RFC 1122, 3.2.2). */
	if (!(p->flags & (PKT_RELATED | PKT_FOLLOWS)))
		FAM_FN(icmp, error)
	(w, p, p->dir == DIR_IN ? p->key.daddr : FAM(own_address)(w, p), why, mtu);
	door_drop(w, p->m, reason);
}

#if FAMILY == 6
/* A datagram without a checksum, which IPv6 does not allow, gets one (IPVS). */
static __rte_noinline void udp_csum_make(struct pkt6 *p)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(p->l3 + p->l4_off);
	const uint32_t at = (uint32_t)(p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *)) + p->l4_off;
	const uint32_t len = (uint32_t)p->l3_len - p->l4_off;
	uint16_t sum;

	if ((p->flags & PKT_FRAGMENT) || rte_raw_cksum_mbuf(p->m, at, len, &sum) != 0)
		return;
	udp->dgram_cksum = (be16)~csum_fold(ip6_pseudo_sum(p->l3, IPPROTO_UDP, len) + sum);
	if (udp->dgram_cksum == 0)
		udp->dgram_cksum = 0xffff;
}
#endif

static uint16_t nat_apply(struct FAM(pkt) *p)
{
	const uint16_t delta = FAM_FN(nat, apply)(p->conn, p->l3, p->l4_off, p->dir, p->key.proto);

#if FAMILY == 6
	if (FAM_FN(udp_csum, missing)(p->l3 + p->l4_off, p->key.proto))
		udp_csum_make(p);
#endif
	return delta;
}

/* Rewrites a packet that has no L4 header of its own: an ICMP error, or a fragment but the first.
 * The first fragment has the checksum of the whole datagram, the share of later fragments
 * included. */
static uint16_t headless_apply(struct FAM(pkt) *p)
{
	return p->flags & PKT_RELATED ? FAM_FN(related, rewrite)(p)
				      : FAM_FN(nat, address)(p->conn, p->l3, p->dir);
}

/* The headers of a packet that may go. Inlined, so packets that fit pay for no other case. */
static __rte_always_inline void headers_rewrite(struct FAM(pkt) *p)
{
	uint16_t delta = FAM_FN(ip, hop_down)(p->l3);

	if (p->conn->c.method == FWD_NAT)
		delta = csum_delta_sum(delta, unlikely(p->flags & (PKT_RELATED | PKT_FOLLOWS))
						      ? headless_apply(p)
						      : nat_apply(p));
	FAM_FN(ip, csum_change)(p->l3, delta);
	FAM_FN(ethernet, put)(p);
}

/* Full NAT: both addresses and both ports. */
static uint16_t fullnat_apply(const struct worker *w, struct FAM(pkt) *p)
{
	const struct FAM(table) *t = &w->FAM(v).table;
	const struct FAM(new_ends) ends = FAM_FN(local, ends)(t, p->conn, p->dir);
	uint16_t delta;

	if (unlikely(p->flags & PKT_RELATED))
		return FAM_FN(related, rewrite_both)(p, ends.source, ends.dest, ends.sport,
						     ends.dport);
	if (unlikely(p->flags & PKT_FOLLOWS))
		return FAM_FN(fullnat, addresses)(t, p->conn, &ends, p->l3, p->dir);
	delta = FAM_FN(fullnat, apply)(t, p->conn, p->l3, p->l4_off, p->dir, p->key.proto);
#if FAMILY == 6
	if (FAM_FN(udp_csum, missing)(p->l3 + p->l4_off, p->key.proto))
		udp_csum_make(p);
#endif
	return delta;
}

static void fullnat_headers(const struct worker *w, struct FAM(pkt) *p)
{
	const uint16_t delta = FAM_FN(ip, hop_down)(p->l3);

	FAM_FN(ip, csum_change)(p->l3, csum_delta_sum(delta, fullnat_apply(w, p)));
	if (likely(p->nh))
		FAM_FN(ethernet, put)(p);
}

/* The headers of a packet by NAT, DR or full NAT. */
static void headers_of(const struct worker *w, struct FAM(pkt) *p)
{
	if (forward_has(p->conn->c.method, FORWARD_BY_LOCAL))
		fullnat_headers(w, p);
	else
		headers_rewrite(p);
}

static void rewrite_again(struct worker *w, struct FAM(pkt) *p);

/* A marked frame (big_frame.h) for a device that cannot finish it: cut into segments, which go on
 * one by one. Takes and counts the packet. */
static __rte_noinline void rewrite_segments(struct worker *w, const struct FAM(pkt) *p)
{
	const uint32_t l2_len = (uint32_t)(p->l3 - rte_pktmbuf_mtod(p->m, uint8_t *));
	struct rte_mbuf *out[BIG_SEGMENTS_MAX];
	const uint16_t n = big_cut(w, p->m, out);

	for (uint16_t i = 0; i < n; i++) {
		struct FAM(pkt) segment = *p;

		segment.m = out[i];
		segment.l3 = rte_pktmbuf_mtod_offset(out[i], uint8_t *, l2_len);
		segment.l3_len = (uint16_t)(rte_pktmbuf_pkt_len(out[i]) - l2_len);
		segment.flags |= PKT_UNCOUNTED;
		if (segment.key.proto == IPPROTO_TCP)
			segment.tcp_flags = segment.l3[segment.l4_off + 13] & 0x3f;
		rewrite_again(w, &segment);
	}
}

/* A packet longer than the next hop's MTU passes if its segments fit. Otherwise IPv6 and DF are
 * refused; without DF fragments are sent. False: the packet has left. */
static __rte_noinline bool rewrite_long(struct worker *w, struct FAM(pkt) *p)
{
	const uint32_t segment = big_has_segments(p->m) ? big_segment_len(p->m) : 0;

	if (segment && segment <= p->nh->mtu) {
		headers_of(w, p);
		return true;
	}
	if (FAM_FN(ip, forbids_fragments)(p->l3)) {
		FAM_FN(rewrite, refuse)(w, p, ICMP_REASON_TOO_BIG, DROP_TOO_BIG, p->nh->mtu);
	} else if (big_is_marked(p->m)) {
		rewrite_segments(w, p);
	} else {
		headers_of(w, p);
		FAM_FN(fragment, send)(w, p->m, p->l3, p->l3_len, p->nh, p->nh->mtu);
	}
	return false;
}

/* A connection into whose payload the router writes: the packet has to be one segment. False: the
 * packet has left. */
static __rte_noinline bool rewrite_payload(struct worker *w, struct FAM(pkt) *p)
{
	struct FAM(pkt) ahead;

	if (big_is_marked(p->m)) {
		rewrite_segments(w, p);
		return false;
	}
	if (!p->conn->proxy) {
		FAM_FN(ftp, packet)(w, p);
		return true;
	}
	ahead.m = NULL;
	if (!FAM_FN(proxy, packet)(w, p, &ahead))
		return false;
	if (unlikely(ahead.m))
		rewrite_again(w, &ahead);
	return true;
}

static void refuse_hops(struct worker *w, struct FAM(pkt) *p)
{
	FAM_FN(rewrite, refuse)(w, p, ICMP_REASON_HOP_LIMIT, DROP_TTL_EXCEEDED, 0);
}

/* To or from a server of the other family. False: the packet has left. */
static bool rewrite_crossing(struct worker *w, struct FAM(pkt) *p)
{
	if (unlikely(big_is_marked(p->m))) { /* nobody finishes a segment of another family */
		rewrite_segments(w, p);
		return false;
	}
	if (!FAM_FN(crossing, rewrite)(w, p))
		return false;
	if (likely(p->nh))
		return true;
	door_punt(w, p->m, p->flags & PKT_RELATED ? PUNT_ICMP : PUNT_OWN);
	return false;
}

/* False: the packet has left. */
static bool rewrite_fullnat(struct worker *w, struct FAM(pkt) *p)
{
	if (unlikely(!(p->conn->c.flags & CONN_F_OUT_KEY))) {
		door_drop(w, p->m, DROP_NO_LOCAL_PORT);
		return false;
	}
	if (unlikely(FAM_FN(half, crosses)(p->conn)))
		return rewrite_crossing(w, p);
	if (unlikely(*FAM_FN(ip, hop_limit)(p->l3) <= 1)) {
		refuse_hops(w, p);
		return false;
	}
	if (unlikely(p->conn->c.flags & CONN_F_PAYLOAD) && !rewrite_payload(w, p))
		return false;
	if (unlikely(!p->nh)) { /* to a program of this router: Linux has the client's address */
		fullnat_headers(w, p);
		door_punt(w, p->m, p->flags & PKT_RELATED ? PUNT_ICMP : PUNT_OWN);
		return false;
	}
	if (unlikely(p->l3_len > p->nh->mtu))
		return rewrite_long(w, p);
	fullnat_headers(w, p);
	return true;
}

/* Forwarding methods that are not NAT or DR. False: the packet has left. */
static __rte_noinline bool rewrite_other(struct worker *w, struct FAM(pkt) *p)
{
	if (p->conn->c.method == FWD_FULLNAT)
		return rewrite_fullnat(w, p);
	if (p->conn->c.method != FWD_TUNNEL) /* as it came: a program here is bound to the VIP */
		door_punt(w, p->m, p->flags & PKT_RELATED ? PUNT_ICMP : PUNT_OWN);
	else if (big_is_marked(p->m))
		rewrite_segments(w, p);
	else
		FAM_FN(tunnel, send)(w, p);
	return false;
}

/* False: the packet has left. */
bool FAM_FN(rewrite, packet)(struct worker *w, struct FAM(pkt) *p)
{
	if (likely(!(p->flags & PKT_UNCOUNTED)))
		FAM_FN(server, count)(w, p->conn->c.server, p->dir, p->l3_len);
	if (unlikely(p->conn->c.method > FWD_DR))
		return rewrite_other(w, p);
	if (unlikely(*FAM_FN(ip, hop_limit)(p->l3) <= 1)) {
		refuse_hops(w, p);
		return false;
	}
	if (unlikely(p->conn->c.flags & CONN_F_PAYLOAD) && !rewrite_payload(w, p))
		return false;
	if (unlikely(p->l3_len > p->nh->mtu))
		return rewrite_long(w, p);
	headers_rewrite(p);
	return true;
}

/* A packet that is not of the burst. */
static __rte_noinline void rewrite_again(struct worker *w, struct FAM(pkt) *p)
{
	if (FAM_FN(rewrite, packet)(w, p))
		door_send(w, p->m, p->nh->port);
}

void FAM(stage_rewrite)(struct worker *w, struct FAM(burst) *b)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct FAM(pkt) *p = &b->pkts[i];

		if (unlikely(!FAM_FN(rewrite, packet)(w, p)))
			continue;
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
}
