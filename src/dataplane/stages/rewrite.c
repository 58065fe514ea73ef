/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage rewrite: NAT, direct routing, tunnel; TTL, MTU, Ethernet header, counters of the
 * server. Packets of a local server end here.
 * Checksums are updated, never computed: what arrived wrong leaves as wrong.
 *
 * Reads: conn, dir, nh, l3. Writes: the frame. Doors: drop (TTL, MTU), sent (tunnel,
 * fragments), punt (local).
 */
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "base/csum.h"
#include "dataplane/stages/answer.h"
#include "dataplane/exits/doors.h"
#include "dataplane/fragment/fragment_split.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/tunnel/ipip.h"
#include "dataplane/stages/pipeline.h"
#include "dataplane/stages/related.h"
#include "dataplane/tunnel/tunnel.h"

/* An error to the sender: as the VIP to clients, as the director to servers. */
static void refuse(struct worker *w, struct pkt4 *p, uint8_t type, uint8_t code,
		   enum drop_reason reason, uint16_t mtu)
{
	/* No error about an error, or a fragment but the first (RFC 1122, 3.2.2). */
	if (p->flags & (PKT_RELATED | PKT_FOLLOWS)) {
		door_drop(w, p->m, reason);
		return;
	}
	icmp_error(w, p, p->dir == DIR_IN ? p->key.daddr : own_address4(w, p), type, code, mtu);
	door_drop(w, p->m, reason);
}

static void l4_csum_update(struct pkt4 *p, uint16_t delta)
{
	uint8_t *l4 = p->l3 + p->l4_off;

	if (p->key.proto == IPPROTO_TCP) {
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

/*
 * Returns the delta for the IP header. Both directions in one: `in` gets the server as its
 * destination, `out` the VIP as its source. Which one comes is as good as random, so the
 * places are computed, not branched to.
 */
_Static_assert(offsetof(struct conn4, vaddr) == offsetof(struct conn4, daddr) + 8 &&
		       offsetof(struct conn4, vport) == offsetof(struct conn4, dport) + 4,
	       "what `out` needs lies two places behind what `in` needs");

static uint16_t nat_apply(struct pkt4 *p)
{
	const struct conn4 *c = p->conn;
	const uint32_t out = p->dir == DIR_OUT;
	const uint16_t invert = (uint16_t)-out; /* csum_delta_inverse() of `out` */

	l4_csum_update(p, c->c.l4_delta ^ invert);
	memcpy(p->l3 + offsetof(struct rte_ipv4_hdr, dst_addr) - 4 * out, &c->daddr + 2 * out, 4);
	memcpy(p->l3 + p->l4_off + 2 - 2 * out, &c->dport + 2 * out, 2);
	return c->c.ip_delta ^ invert;
}

static void ethernet_put(struct pkt4 *p)
{
	struct rte_mbuf *m = p->m;
	uint16_t had = (uint16_t)(p->l3 - rte_pktmbuf_mtod(m, uint8_t *));
	uint16_t want = p->nh->l2_len;

	if (unlikely(had != want)) { /* between a VLAN and none */
		m->data_off = (uint16_t)(m->data_off + had - want);
		m->data_len = (uint16_t)(m->data_len - had + want);
		m->pkt_len = m->pkt_len - had + want;
	}
	m->ol_flags &= ~(uint64_t)(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_TX_OFFLOAD_MASK);
	if (likely(want == 14))
		memcpy(p->l3 - 14, p->nh->l2, 14);
	else
		memcpy(p->l3 - 18, p->nh->l2, 18);
}

_Static_assert(offsetof(struct server_counters, out_pkts) ==
			       offsetof(struct server_counters, in_pkts) + 8 &&
		       offsetof(struct server_counters, in_bytes) ==
			       offsetof(struct server_counters, in_pkts) + 16 &&
		       offsetof(struct server_counters, out_bytes) ==
			       offsetof(struct server_counters, in_pkts) + 24,
	       "packets and bytes of a direction are found without a branch");

static void server_count(struct worker *w, const struct pkt4 *p)
{
	struct server_counters *sc = &w->server_counters[p->conn->c.server];
	uint64_t *of_dir = &sc->in_pkts + (p->dir == DIR_OUT);

	of_dir[0]++;
	of_dir[2] += p->l3_len;
}

/* What has no L4 header of its own: ICMP errors, and fragments but the first, whose share of
 * the datagram's checksum the first one bears. */
static uint16_t headless_apply(struct pkt4 *p)
{
	const struct conn4 *c = p->conn;
	const uint32_t out = p->dir == DIR_OUT;

	if (p->flags & PKT_RELATED)
		return related_rewrite(p);
	memcpy(p->l3 + offsetof(struct rte_ipv4_hdr, dst_addr) - 4 * out, &c->daddr + 2 * out, 4);
	return c->c.ip_delta ^ (uint16_t)-out;
}

/* The headers of a packet that may go. Inlined twice: packets that fit pay for no other. */
static __rte_always_inline void headers_rewrite(struct pkt4 *p)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;
	/* TTL is the first byte of its word: one less is a fixed delta in memory order. */
	uint16_t delta = be16_from(0xfeff);

	ip->time_to_live--;
	if (p->conn->c.method == FWD_NAT)
		delta = csum_delta_sum(delta, unlikely(p->flags & (PKT_RELATED | PKT_FOLLOWS))
						      ? headless_apply(p)
						      : nat_apply(p));
	ip->hdr_checksum = csum_apply(ip->hdr_checksum, delta);
	ethernet_put(p);
}

/* Larger than the next hop's MTU: refused with DF, sent as fragments without. */
static __rte_noinline void rewrite_too_big(struct worker *w, struct pkt4 *p)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;

	if (ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)) {
		refuse(w, p, 3, 4, DROP_TOO_BIG, p->nh->mtu);
		return;
	}
	headers_rewrite(p);
	fragment_send(w, p);
}

static void outer_put(struct worker *w, struct pkt4 *p, be32 source)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;
	struct rte_ipv4_hdr outer;

	ipip_header(w, ip, p->l3_len, source, p->conn->daddr, &outer);
	p->l3 -= sizeof(outer);
	p->l3_len = (uint16_t)(p->l3_len + sizeof(outer));
	p->l4_off = sizeof(outer);
	memcpy(p->l3, &outer, sizeof(outer));
}

#define OUTER_LEN sizeof(struct rte_ipv4_hdr)

/* IPIP (RFC 2003) to the real server. What does not fit is refused with DF, told the MTU that
 * is left, and leaves as fragments of the outer packet without. */
static void rewrite_tunnel(struct worker *w, struct pkt4 *p)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;
	const be32 source = tunnel4_source(w, p->conn);
	uint16_t mtu = tunnel4_mtu(w, p->conn, p->nh->mtu);

	mtu = mtu > OUTER_LEN ? (uint16_t)(mtu - OUTER_LEN) : 0;
	if (ip->time_to_live <= 1) {
		refuse(w, p, 11, 0, DROP_TTL_EXCEEDED, 0);
	} else if (p->l3_len > mtu &&
		   ip->fragment_offset & rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG)) {
		refuse(w, p, 3, 4, DROP_TOO_BIG, mtu);
	} else if (p->l3_len > UINT16_MAX - OUTER_LEN) {
		door_drop(w, p->m, DROP_TOO_BIG);
	} else if (source == 0) {
		door_drop(w, p->m, DROP_NO_ROUTE);
	} else if (!rte_pktmbuf_prepend(p->m, OUTER_LEN)) {
		door_drop(w, p->m, DROP_NO_BUFFER);
	} else {
		ip->time_to_live--;
		ip->hdr_checksum = csum_apply(ip->hdr_checksum, be16_from(0xfeff));
		outer_put(w, p, source);
		ethernet_put(p);
		if (p->l3_len > p->nh->mtu)
			fragment_send(w, p);
		else
			door_send(w, p->m, p->nh->port);
	}
}

/* Forwarding methods that are not NAT or DR. Takes the packet. */
static __rte_noinline void rewrite_other(struct worker *w, struct pkt4 *p)
{
	if (p->conn->c.method == FWD_TUNNEL)
		rewrite_tunnel(w, p);
	else /* as it came: a program of this router is bound to the VIP */
		door_punt(w, p->m, p->flags & PKT_RELATED ? PUNT_ICMP : PUNT_OWN);
}

/* False: the packet has left. */
static bool rewrite_one(struct worker *w, struct pkt4 *p)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;

	if (likely(!(p->flags & PKT_UNCOUNTED)))
		server_count(w, p);
	if (unlikely(p->conn->c.method > FWD_DR)) {
		rewrite_other(w, p);
		return false;
	}
	if (unlikely(ip->time_to_live <= 1)) {
		refuse(w, p, 11, 0, DROP_TTL_EXCEEDED, 0);
		return false;
	}
	if (unlikely(p->conn->c.flags & CONN_F_FTP))
		ftp4_packet(w, p);
	if (unlikely(p->l3_len > p->nh->mtu)) {
		rewrite_too_big(w, p);
		return false;
	}
	headers_rewrite(p);
	return true;
}

void stage_rewrite4(struct worker *w, struct burst *b)
{
	uint16_t k = 0;

	for (uint16_t i = 0; i < b->n; i++) {
		struct pkt4 *p = &b->pkts[i];

		if (unlikely(!rewrite_one(w, p)))
			continue;
		if (k != i)
			b->pkts[k] = *p;
		k++;
	}
	b->n = k;
}
