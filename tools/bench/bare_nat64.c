/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lower bound of a translation between the families: what an IPv6 service with IPv4 servers
 * costs with the same tables, entries and next hops, when nothing can go wrong and nothing is asked
 * (bare.c).
 */
#include "bench.h"

#include <rte_tcp.h>

#include "base/csum.h"
#include "dataplane/fullnat/crossing.h"
#include "dataplane/stages/ip.h"

#define HDR4 20U
#define HDR6 40U

struct bare_pkt {
	uint8_t *l3;
	struct rte_mbuf *m;
	struct conn6 *conn;
	struct conn4 *half;
	struct key4 key4; /* of replies */
	struct key6 key6; /* of requests */
	uint32_t hash;
	bool reply;
};

static inline void bare_parse(const struct worker *w, struct rte_mbuf *m, struct bare_pkt *p)
{
	p->m = m;
	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);
	p->reply = p->l3[0] >> 4 == 4;
	if (p->reply) {
		p->key4 = (struct key4){.saddr = ip4_addr(p->l3, IP_SOURCE),
					.daddr = ip4_addr(p->l3, IP_DEST),
					.proto = p->l3[9]};
		memcpy(&p->key4.sport, p->l3 + HDR4, 4);
		p->hash = table4_hash(&w->v4.table, &p->key4);
		table4_prefetch_bucket(&w->v4.table, p->hash);
	} else {
		p->key6 = (struct key6){.saddr = ip6_addr(p->l3, IP_SOURCE),
					.daddr = ip6_addr(p->l3, IP_DEST),
					.proto = p->l3[6]};
		memcpy(&p->key6.sport, p->l3 + HDR6, 4);
		p->hash = table6_hash(&w->v6.table, &p->key6);
		table6_prefetch_bucket(&w->v6.table, p->hash);
	}
}

static inline void bare_find(const struct worker *w, struct bare_pkt *p)
{
	const struct table4 *t4 = &w->v4.table;
	const struct table6 *t6 = &w->v6.table;

	if (p->reply) {
		p->half = table4_find_guess(t4, &p->key4, p->hash, DIR_OUT, p->half);
		p->conn = &t6->conns[p->half->control];
		__builtin_prefetch(p->conn, 1);
		__builtin_prefetch(&p->conn->addr[0]);
	} else {
		p->conn = table6_find_guess(t6, &p->key6, p->hash, DIR_IN, p->conn);
		p->half = crossing6_at(w, p->conn);
		__builtin_prefetch(p->half);
	}
}

/* To IPv6. */
static inline void bare_reply(struct bare_pkt *p)
{
	const struct conn6 *c = p->conn;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(p->l3 + HDR4);
	const uint16_t len = be16_to(((const struct rte_ipv4_hdr *)p->l3)->total_length);
	const uint8_t tos = p->l3[1], ttl = p->l3[8];
	struct rte_ipv6_hdr *ip;

	tcp->cksum = csum_apply(tcp->cksum, csum_delta_inverse(c->c.l4_delta));
	tcp->src_port = c->vport;
	tcp->dst_port = c->cport;
	rte_pktmbuf_prepend(p->m, HDR6 - HDR4);
	p->l3 -= HDR6 - HDR4;
	ip = (struct rte_ipv6_hdr *)p->l3;
	ip->vtc_flow = be32_from(6U << 28 | (uint32_t)tos << 20);
	ip->payload_len = be16_from((uint16_t)(len - HDR4));
	ip->proto = IPPROTO_TCP;
	ip->hop_limits = (uint8_t)(ttl - 1);
	ip6_addr_put(p->l3, IP_SOURCE, c->vaddr);
	ip6_addr_put(p->l3, IP_DEST, c->caddr);
}

/* To IPv4. */
static inline void bare_request(struct bare_pkt *p)
{
	const struct conn4 *h = p->half;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(p->l3 + HDR6);
	const struct rte_ipv6_hdr *was = (const struct rte_ipv6_hdr *)p->l3;
	struct rte_ipv4_hdr ip = {
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = (uint8_t)(p->l3[0] << 4 | p->l3[1] >> 4),
		.total_length = be16_from((uint16_t)(be16_to(was->payload_len) + HDR4)),
		.time_to_live = (uint8_t)(was->hop_limits - 1),
		.next_proto_id = IPPROTO_TCP,
		.src_addr = h->caddr,
		.dst_addr = h->daddr,
	};

	tcp->cksum = csum_apply(tcp->cksum, p->conn->c.l4_delta);
	tcp->src_port = h->cport;
	tcp->dst_port = h->dport;
	rte_pktmbuf_adj(p->m, HDR6 - HDR4);
	p->l3 += HDR6 - HDR4;
	ip.hdr_checksum = csum_of(&ip, sizeof(ip));
	memcpy(p->l3, &ip, sizeof(ip));
}

static inline void bare_forward(struct worker *w, struct bare_pkt *p)
{
	const uint16_t len = (uint16_t)(p->m->pkt_len - 14);
	struct conn6 *c = p->conn;
	struct server_counters *sc = &w->servers[c->c.server].counters;
	const struct nexthop *nh;

	if (unlikely(c->c.state != CONN_ESTABLISHED))
		fail("the bare loop has established connections only");
	c->c.tick = w->env.now_tick;
	sc->pkts[p->reply]++;
	(&sc->in_bytes)[p->reply] += len;
	if (p->reply)
		bare_reply(p);
	else
		bare_request(p);
	nh = nexthop_by_id(w->nexthops, c->c.nexthop[p->reply]);
	memcpy(p->l3 - 14, nh->l2, 14);
}

void bare_nat64_burst(struct scene *s, struct rte_mbuf **frames, uint16_t n)
{
	struct bare_pkt pkts[BURST_MAX];

	for (uint16_t i = 0; i < n && i < 8; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (uint16_t i = 0; i < n; i++) {
		if (i + 8 < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 8], void *));
		bare_parse(s->w, frames[i], &pkts[i]);
	}
	for (uint16_t i = 0; i < n; i++) {
		struct bare_pkt *p = &pkts[i];

		if (p->reply)
			p->half = table4_prefetch_entry(&s->w->v4.table, p->hash, DIR_OUT);
		else
			p->conn = table6_prefetch_entry(&s->w->v6.table, p->hash, DIR_IN);
	}
	for (uint16_t i = 0; i < n; i++)
		bare_find(s->w, &pkts[i]);
	for (uint16_t i = 0; i < n; i++)
		bare_forward(s->w, &pkts[i]);
}
